/*
 * Checks of what is configured: policies, what is outgoing, names, and who can reach the review
 * page.  The thread of who examines (doctor.h).
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "missent/policylint.h"
#include "missent/store.h"

#include "doctor_private.h"

/* Against mail of the past the command looks, which has a time for it. */
void check_policy_lint(Patient *p)
{
	g_autoptr(GError) error = NULL;
	const MsLintOptions options = {.dir = p->s->policy_dir,
		.kinds_file = p->s->kinds_file,
		.mode = p->s->mode,
		.settings = p->s,
		.in_use = true};
	g_autoptr(GPtrArray) findings = ms_policy_lint(&options, &error);
	if (findings == NULL) {
		not_seen(p, "%s", error->message);
		return;
	}
	for (guint i = 0; i < findings->len; i++) {
		const MsLintFinding *f = findings->pdata[i];
		g_autofree char *line = f->line > 0 ? g_strdup_printf(":%d", f->line) : g_strdup("");
		complain_as(p, f->weight == MS_LINT_FAULT ? MS_GRAVITY_FAULT : MS_GRAVITY_WARNING,
			f->remedy, "%s%s: %s%s%s (%s)", f->file, line, f->about,
			*f->about != '\0' ? ": " : "", f->text, f->check);
	}
}

void check_outgoing(Patient *p)
{
	const MsSettings *s = p->s;
	if (!s->out_authenticated && !s->out_local && s->out_networks[0] == NULL &&
		s->out_domains[0] == NULL)
		complain(p, "no mail is outgoing by the section outgoing: none is judged");
}

static void check_group(Patient *p, const char *key, const char *name)
{
	if (name != NULL && getgrnam(name) == NULL)
		complain(p, "%s: there is no group \"%s\"", key, name);
}

static void check_user(Patient *p, const char *key, const char *name)
{
	if (name != NULL && getpwnam(name) == NULL)
		complain(p, "%s: there is no user \"%s\"", key, name);
}

void check_names(Patient *p)
{
	const MsSettings *s = p->s;
	check_user(p, "user", s->user);
	check_user(p, "review { user }", s->review.user);
	check_group(p, "socket-group", s->socket_group);
	check_group(p, "desk { socket-group }", s->desk.group);
	check_group(p, "review { socket-group }", s->review.group);
	if (s->user != NULL && s->review.user != NULL && strcmp(s->user, s->review.user) == 0)
		complain_as(p, MS_GRAVITY_FAULT,
			"Give the page a user of its own: review { user = \"missent-review\" }",
			"user and review { user } are both %s: the page could read the site key",
			s->user);
}

void check_sandbox(Patient *p)
{
	if (p->s->sandbox_optional)
		complain(p,
			"sandbox = optional: where the kernel cannot confine them, workers read hostile mail unconfined");
}

static void look_for_program(Patient *p, const char *key, const char *program, const char *follows)
{
	if (program == NULL)
		return;
	g_autofree char *found = g_find_program_in_path(program);
	if (found == NULL)
		complain(p, "%s: there is no program \"%s\" that can be run: %s", key, program,
			follows);
}

void check_programs(Patient *p)
{
	const MsSettings *s = p->s;
	look_for_program(p, "reader { program }", s->reader_program,
		"no message can be read, and missentd does not start");
	look_for_program(p, "sync { command }", s->sync.command[0],
		"the mapping is not brought up to date");
	look_for_program(p, "alerts { hook }", s->alerts.hook, "nobody is told of an alert");
}

/* What is everybody's can be asked by everybody whose identifiers are whose. */
void check_socket(Patient *p)
{
	g_autofree char *spec = ms_socket_spec(p->s->socket, NULL);
	const char *at = spec != NULL ? strchr(spec, '@') : NULL;
	bool local = spec != NULL && ms_socket_path(spec) != NULL;
	if (local && (p->s->socket_mode & 0022) == 0)
		complain(p,
			"socket-mode %04o: nobody but missent's own user may connect to %s: the MTA "
			"defers all mail",
			p->s->socket_mode, ms_socket_path(spec));
	else if (!local && at != NULL && !ms_network_contains("127.0.0.0/8", at + 1) &&
		strcmp(at + 1, "localhost") != 0 && strcmp(at + 1, "::1") != 0)
		complain_as(p, MS_GRAVITY_WARNING,
			"Listen on 127.0.0.1 or a unix: socket; between hosts, let a firewall admit the MTA alone.",
			"socket %s: whoever reaches that port can have mail judged, and so ask whose an identifier is",
			p->s->socket);
}

/* ---- the page ------------------------------------------------------------------------- */

static bool is_loopback(const char *listen)
{
	return g_str_has_prefix(listen, "127.") || g_str_has_prefix(listen, "[::1]:")
		|| g_str_has_prefix(listen, "localhost:");
}

void check_page(Patient *p)
{
	const MsSettings *s = p->s;
	const char *listen = s->review.listen;
	bool tls = s->review.tls_cert != NULL && s->review.tls_key != NULL;
	if (g_str_has_prefix(listen, "unix:")) {
		if ((s->review.mode & 0002) != 0)
			complain_as(p, MS_GRAVITY_WARNING,
				"Set socket-mode = 0660 and socket-group to the proxy's group.",
				"review { socket-mode } %04o: every user of this host comes to the page",
				s->review.mode);
	} else if (!is_loopback(listen) && !tls) {
		complain(p,
			"review { listen } %s without tls-certificate and tls-key: passwords and customers' data "
			"would go in clear, so that the page does not start",
			listen);
	}
}

#define DAY (24 * 3600)

void check_page_key(Patient *p)
{
	const char *path = p->s->review.tls_cert, *key = p->s->review.tls_key;
	g_autoptr(GError) error = NULL;
	gint64 ends, now = time(NULL);
	if (path == NULL && key == NULL)
		return;
	if (path == NULL || key == NULL)
		complain_as(p, MS_GRAVITY_FAULT, "Set both.", "review { %s } is set without %s",
			path != NULL ? "tls-certificate" : "tls-key",
			path != NULL ? "tls-key" : "tls-certificate");
	else if (access(key, R_OK) != 0)
		complain_as(p, errno == EACCES ? MS_GRAVITY_UNKNOWN : MS_GRAVITY_FAULT,
			"Name a file that is there.", "review { tls-key } %s: %s", key,
			g_strerror(errno));
	else if (!ms_certificate_ends(path, &ends, &error))
		complain_as(p, MS_GRAVITY_FAULT, "Name a certificate in PEM form.",
			"review { tls-certificate } %s", error->message);
	else if (ends < now)
		complain_as(
			p, MS_GRAVITY_FAULT, NULL, "%s has ended: browsers refuse the page", path);
	else if (ends < now + 14 * DAY)
		complain(p, "%s ends within 14 days", path);
}

void check_proxy(Patient *p)
{
	for (const char *const *peer = p->s->review.proxy_peers; *peer != NULL; peer++) {
		const char *slash = strchr(*peer, '/');
		bool six = strchr(*peer, ':') != NULL;
		if (slash != NULL && g_ascii_strtoll(slash + 1, NULL, 10) < (six ? 48 : 16))
			complain(p,
				"proxy-peers names %s: each host in there may say in %s that it is a reviewer",
				*peer, p->s->review.proxy_header);
	}
}
