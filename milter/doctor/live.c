/*
 * Checks of what runs now: missentd and missent-agent at their sockets, and whether a mismatch is
 * held.  The thread of who examines (doctor.h).
 */
#include "config.h"

#include <string.h>

#include "missent/io.h"

#include "doctor_private.h"

#define PATIENCE_MS 5000

/* "local:/run/x": the path; NULL: it has none. */
static const char *path_of(const char *spec)
{
	const char *colon = spec != NULL ? strchr(spec, ':') : NULL;
	return colon != NULL && colon[1] == '/' ? colon + 1 : NULL;
}

void check_daemon(Patient *p)
{
	g_autofree char *spec = ms_socket_spec(p->s->socket, NULL);
	if (is_closed(p, path_of(spec), true))
		return;
	if (spec == NULL || !ms_socket_answers(spec, PATIENCE_MS))
		complain(p, "no milter answers at %s", p->s->socket);
}

void check_agent(Patient *p)
{
	if (!is_closed(p, p->s->desk.socket, true) && !ms_io_somebody_listens(p->s->desk.socket))
		complain(p,
			"missent-agent does not listen at %s: decisions on held mail are not carried out",
			p->s->desk.socket);
}

static void take_probe(bool well, const char *listener, const char *text, void *user)
{
	if (!well)
		complain(user, "a mail that must be held, sent through %s: %s", listener, text);
}

void check_probe(Patient *p)
{
	g_autoptr(GError) error = NULL;
	if (p->options->probe != NULL &&
		!p->options->probe(p->options->config, take_probe, p, &error))
		not_seen(p, "whether a mismatch is held: %s", error->message);
}
