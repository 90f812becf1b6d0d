/* Shared by the files of setup/. */
#ifndef MISSENT_SETUP_PRIVATE_H
#define MISSENT_SETUP_PRIVATE_H

#include "missent/mtaconf.h"
#include "missent/setup.h"

/* What comes with missent, for where there is none (templates.c, made by embed.py). */
extern const char setup_missent_conf[], setup_invoices_conf[], setup_kinds_conf[];

void setup_note(GPtrArray *notes, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* edit.c: the text of a settings file with one value changed, and all else as it stands.
 * `section`: NULL, or a name and perhaps a title, `policy "invoices"`.  The caller's. */
char *edit_set(const char *text, const char *section, const char *key, const char *value);
/* It becomes a comment. */
char *edit_unset(const char *text, const char *section, const char *key);
/* As it is written there; NULL: it is not. */
char *edit_get(const char *text, const char *section, const char *key);
bool edit_has_section(const char *text, const char *section);
/* Values as the file has them. */
char *edit_quote(const char *value);
char *edit_quote_list(const char *const *values);
/* The values of a list or of one text, as edit_get() gives them. */
GStrv edit_values(const char *written);

/* postfix.c, sendmail.c */
/* `socket` is missent's (settings.h), `item` how Postfix names it. */
bool plan_postfix(
	MsPlan *plan, const char *config, const char *socket, const char *item, GError **error);
bool plan_sendmail(MsPlan *plan, const char *cf, const char *socket, GError **error);
/* The texts of sendmail.mc and sendmail.cf with missent as the last filter. */
char *sendmail_mc_with(const char *mc, const char *socket);
char *sendmail_cf_with(const char *cf, const char *socket);
/* The text with its own comments and all other lines of `made`, in their order; `made` where that
 * cannot be. */
char *sendmail_cf_merged(const char *cf, const char *made);
/* The name of the filter at that socket; NULL: there is none.  Is it the last that is asked? */
char *sendmail_filter(const char *cf, const char *socket);
bool sendmail_is_last(const char *cf, const char *name);
/* How a Postfix with that queue names the socket. */
char *postfix_item(const char *queue_directory, const char *socket);

/* networks.c: mynetworks without this host, its files and tables read. */
GStrv networks_of(const MsPostfix *postfix, GPtrArray *notes);
/* traffic.c: domains and senders of what this host sent lately. */
typedef struct {
	GStrv domains, senders, billing; /* the most frequent first */
	guint n;                         /* messages that were looked at */
} Traffic;
void traffic_look(const char *log, Traffic *out, GPtrArray *notes);
void traffic_clear(Traffic *traffic);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Traffic, traffic_clear)

#endif
