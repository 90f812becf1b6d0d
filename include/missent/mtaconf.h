/*
 * mtaconf.h - what the MTA of this host is set to do.
 *
 * WHAT    Postfix as postconf tells it: settings, the services of master.cf and what -o sets there.
 *         Sendmail as its sendmail.cf says.
 * OWNS    What is returned is the caller's, if it is not const.
 * ERRORS  GError: a program failed, or is not there.
 * THREADS Safe.
 * LIMITS  None of its own.
 * NOT     Changes nothing (setup.h), judges nothing (doctor.h).
 *
 * Source: postconf(1), master(5), MILTER_README; the Sendmail Installation and Operation Guide.
 */
#ifndef MISSENT_MTACONF_H
#define MISSENT_MTACONF_H

#include <glib.h>
#include <stdbool.h>

#include "missent/maillog.h"

/* What a command prints; 0 from it, or NULL and its last words.  Ends with argv NULL. */
char *ms_mta_ask(const char *const *argv, GError **error);
/* What the MTA logged: in the file `path`, if there is one, else where it usually is, else in the
 * journal, of seven days.  Which it was; NULL without an error: there is none yet. */
const char *ms_mta_read_log(MsMaillog *log, const char *path, GError **error);

/* ---- Postfix ---------------------------------------------------------------------------- */

typedef struct {
	char *name;    /* "submission", "127.0.0.1:10025" */
	char *type;    /* "inet" */
	char *program; /* "smtpd" */
	bool chrooted;
} MsService;

typedef struct {
	char *config;          /* the folder; NULL: Postfix's own */
	GHashTable *settings;  /* of main.cf, with defaults, expanded */
	GHashTable *overrides; /* "submission/inet/smtpd_milters", expanded */
	GPtrArray *services;   /* of MsService */
} MsPostfix;

MsPostfix *ms_postfix_ask(const char *config, GError **error);
void ms_postfix_free(MsPostfix *postfix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPostfix, ms_postfix_free)
/* What postconf prints with that option. */
char *ms_postfix_postconf(const char *config, const char *option, const char *name, GError **error);
/* Folders of the other instances that the first one names, and that are turned on.  Of char *. */
GPtrArray *ms_postfix_instances(const char *first);
/* As that service sees it (NULL: main.cf); "" where it is nothing. */
const char *ms_postfix_value(const MsPostfix *postfix, const MsService *service, const char *name);
/* Does master.cf say something else for that service? */
bool ms_postfix_overrides(const MsPostfix *postfix, const MsService *service, const char *name);
/* May a client send mail through it to others than this host's users?  Where it cannot be told:
 * yes. */
bool ms_postfix_sends_out(const MsPostfix *postfix, const MsService *service);
/* "unix:path, { inet:host:port, default_action=accept }": an item each, without braces.  Of char
 * *. */
GPtrArray *ms_postfix_list(const char *list);
/* The milter of such an item.  The caller's. */
char *ms_postfix_address(const char *item);
/* Where the service would look for it; NULL: not on this host's files. */
char *ms_postfix_path(const MsPostfix *postfix, const MsService *service, const char *milter);
/* Is it the milter at that socket (settings.h)?  Also where it is looked for in a wrong place. */
bool ms_postfix_is(
	const MsPostfix *postfix, const MsService *service, const char *milter, const char *socket);
/* "[::1]/128", as Postfix writes it, is "::1/128".  The caller's. */
char *ms_postfix_network(const char *text);
bool ms_network_is_loopback(const char *network);
/* Seconds, of "300s" and the like. */
gint64 ms_postfix_seconds(const char *text);

/* ---- Sendmail --------------------------------------------------------------------------- */

#define MS_SENDMAIL_CF "/etc/mail/sendmail.cf"

/* "S=..." of a list of equates; "" where it is not there. */
char *ms_sendmail_equate(const char *line, char letter);
/* The lines of a sendmail.cf, those that go on in the next joined with it. */
GStrv ms_sendmail_lines(const char *cf);
/* The value, if that line is "O name=value", with whatever blanks and case; else NULL. */
const char *ms_sendmail_value(const char *line, const char *name);
/* The last "O name=value" of a sendmail.cf; NULL: there is none. */
char *ms_sendmail_option(const char *cf, const char *name);

#endif
