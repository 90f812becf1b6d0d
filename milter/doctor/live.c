/* Checks of what runs now: missentd and missent-agent at their sockets. */
#include "config.h"

#include "missent/io.h"

#include "doctor_private.h"

#define PATIENCE_MS 5000

void check_daemon(Patient *p)
{
	g_autofree char *spec = ms_socket_spec(p->s->socket, NULL);
	if (spec == NULL || !ms_socket_answers(spec, PATIENCE_MS))
		complain(p, "no milter answers at %s", p->s->socket);
}

void check_agent(Patient *p)
{
	if (!ms_io_somebody_listens(p->s->desk.socket))
		complain(p, "missent-agent does not listen at %s: decisions on held mail are not carried out", p->s->desk.socket);
}
