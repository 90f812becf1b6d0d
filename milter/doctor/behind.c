/*
 * Checks of what the MTA does with addresses behind the milter: copies that it adds, recipients
 * that become others, mail that a table sends elsewhere.
 *
 * Postfix takes settings of cleanup from main.cf, and from -o of a cleanup that is one listener's
 * own; words of tables (REDIRECT, BCC) are looked for where a table is written in a file or in the
 * setting itself.  Source: postconf(5), header_checks(5), access(5), cleanup(8); cf/README of
 * Sendmail.  The thread of who examines (doctor.h).
 */
#include "config.h"

#include <string.h>

#include "doctor_private.h"

#define MOST_OF_A_TABLE (16 << 20)

typedef struct {
	const char *program, *name; /* whose setting it is */
	const char *what;
} Row;

typedef void (*Look)(Patient *p, const Row *row, const char *value, const char *service);

/* As main.cf has it, once, and as master.cf has it for a service. */
static void each_value(Patient *p, const Row *row, Look look)
{
	const MsPostfix *postfix = postfix_of(p, NULL);
	bool general = false;
	for (guint i = 0; postfix != NULL && i < postfix->services->len; i++) {
		const MsService *service = postfix->services->pdata[i];
		bool own = ms_postfix_overrides(postfix, service, row->name);
		const char *value = ms_postfix_value(postfix, service, row->name);
		if (strcmp(service->program, row->program) != 0 || *value == '\0' ||
			(!own && general))
			continue;
		general |= !own;
		g_autofree char *where = own ? g_strdup_printf(" (%s)", service->name)
					     : g_strdup("");
		look(p, row, value, where);
	}
}

static void tell_value(Patient *p, const Row *row, const char *value, const char *service)
{
	complain(p, "%s = %s%s: %s after missent has judged", row->name, value, service, row->what);
}

/* ---- words of tables -------------------------------------------------------------------- */

/* Is `word` an action there, with the address that it needs?  Lines of comment are none. */
static bool has_action(const char *text, const char *word)
{
	gsize len = strlen(word);
	bool comment = false;
	for (const char *p = text; *p != '\0'; p++) {
		if (p == text || p[-1] == '\n')
			comment = p[strspn(p, " \t")] == '#';
		if (comment || g_ascii_strncasecmp(p, word, len) != 0 ||
			(p > text && strchr(" \t\n={:", p[-1]) == NULL))
			continue;
		const char *to = p + len + strspn(p + len, " \t");
		if (to > p + len && memchr(to, '@', strcspn(to, " \t\r\n")) != NULL)
			return true;
	}
	return false;
}

/* "regexp:/etc/postfix/checks": the files that a setting names.  NULL at the end; the caller's. */
static char *next_table(const char **at)
{
	for (const char *p = *at; (p = strstr(p, ":/")) != NULL;) {
		gsize n = strcspn(++p, " \t\n,}");
		g_autofree char *path = g_strndup(p, n);
		p += n;
		*at = p;
		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static bool table_has(const char *value, const char *word)
{
	bool has = has_action(value, word);
	g_autofree char *path = NULL;
	for (const char *at = value; !has && (path = next_table(&at)) != NULL;) {
		g_autofree char *text = NULL;
		gsize len = 0;
		has = g_file_get_contents(path, &text, &len, NULL) && len <= MOST_OF_A_TABLE &&
			has_action(text, word);
		g_clear_pointer(&path, g_free);
	}
	return has;
}

static void look_at_table(Patient *p, const Row *row, const char *value, const char *service)
{
	if (table_has(value, "REDIRECT"))
		complain(p, "%s has REDIRECT%s: %s", row->name, service, row->what);
	if (table_has(value, "BCC"))
		complain(p, "%s has BCC%s: copies are sent to addresses in it after missent has judged",
			row->name, service);
}

/* Postfix shows the milters no mail that a header or a body has sent elsewhere. */
#define SENT_ELSEWHERE "such mail is sent elsewhere, and shown to no milter"
#define REPLACED "recipients become another after missent has judged"

static void look_at_classes(Patient *p)
{
	const char *list = postfix_setting(p, "smtpd_restriction_classes");
	g_auto(GStrv) classes = g_strsplit_set(list != NULL ? list : "", ", \t\n", -1);
	for (char **name = classes; *name != NULL; name++)
		each_value(p, &(Row){"smtpd", *name, REPLACED}, look_at_table);
}

void check_postfix_rewriting(Patient *p)
{
	static const Row settings[] = {
		{"cleanup", "always_bcc", "gets a copy of all mail"},
		{"cleanup", "sender_bcc_maps", "copies are sent to addresses in it"},
		{"cleanup", "recipient_bcc_maps",
			"copies are sent to addresses in it, even for one whom a split leaves out,"},
		{"cleanup", "virtual_alias_maps", "recipients in it become others"},
		{"cleanup", "canonical_maps", "addresses in it become others"},
		{"cleanup", "recipient_canonical_maps", "recipients in it become others"},
		{"cleanup", "sender_canonical_maps",
			"policies must name senders as they were before: they become others"},
		{"cleanup", "masquerade_domains",
			"policies must name senders as they were before: they become others"},
		{"local", "luser_relay", "gets what is for nobody"},
		{"smtp", "smtp_generic_maps", "addresses in it become others on their way out"},
	};
	static const Row tables[] = {
		{"cleanup", "header_checks", SENT_ELSEWHERE},
		{"cleanup", "mime_header_checks", SENT_ELSEWHERE},
		{"cleanup", "nested_header_checks", SENT_ELSEWHERE},
		{"cleanup", "body_checks", SENT_ELSEWHERE},
		{"smtpd", "smtpd_client_restrictions", REPLACED},
		{"smtpd", "smtpd_helo_restrictions", REPLACED},
		{"smtpd", "smtpd_sender_restrictions", REPLACED},
		{"smtpd", "smtpd_relay_restrictions", REPLACED},
		{"smtpd", "smtpd_recipient_restrictions", REPLACED},
		{"smtpd", "smtpd_data_restrictions", REPLACED},
		{"smtpd", "smtpd_end_of_data_restrictions", REPLACED},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		each_value(p, &settings[i], tell_value);
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		each_value(p, &tables[i], look_at_table);
	look_at_classes(p);
}

/* ---- Sendmail --------------------------------------------------------------------------- */

/* Is anything in it?  Of one that is there only compiled: yes. */
static bool has_entries(const char *path)
{
	g_autofree char *text = NULL, *compiled = g_strconcat(path, ".db", NULL);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_file_test(path, G_FILE_TEST_EXISTS) ||
			g_file_test(compiled, G_FILE_TEST_EXISTS);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (*g_strstrip(*line) != '\0' && **line != '#')
			return true;
	return false;
}

/* "Kvirtuser hash -o /etc/mail/virtusertable" */
static void look_at_map(Patient *p, const char *line)
{
	static const struct {
		const char *map, *feature, *what;
	} maps[] = {
		{"virtuser", "virtusertable", "recipients in it become others"},
		{"domaintable", "domaintable", "recipients of domains in it become others"},
	};
	g_auto(GStrv) words = g_strsplit_set(line + 1, " \t", -1);
	const char *last = "";
	for (char **word = words; *word != NULL; word++)
		if (**word != '\0')
			last = *word;
	for (gsize i = 0; i < G_N_ELEMENTS(maps); i++)
		if (strcmp(words[0], maps[i].map) == 0 && has_entries(last))
			complain(p, "%s %s: %s after missent has judged", maps[i].feature, last,
				maps[i].what);
}

void check_sendmail_rewriting(Patient *p)
{
	const char *path = p->s->sendmail_config != NULL ? p->s->sendmail_config : MS_SENDMAIL_CF;
	g_autofree char *cf = NULL;
	if (!p->s->sendmail || !g_file_get_contents(path, &cf, NULL, NULL))
		return; /* check_sendmail() says so */
	g_auto(GStrv) lines = ms_sendmail_lines(cf);
	for (char **line = lines; *line != NULL; line++) {
		if (**line == 'K')
			look_at_map(p, *line);
		else if (g_str_has_prefix(*line, "DL") && (*line)[2] != '\0')
			complain(p, "LUSER_RELAY %s: gets what is for nobody after missent has judged",
				g_strstrip(*line + 2));
	}
}
