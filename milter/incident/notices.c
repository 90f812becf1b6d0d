/* A template and one account's part come in; the draft of a notice to that customer goes out.
 * Nothing of another customer can come into it: the part has nothing of one.  Pure functions. */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "incident_private.h"

static char *day_of(gint64 us)
{
	g_autofree char *time = incident_time(us);
	return us != 0 ? g_strndup(time, 10) : g_steal_pointer(&time);
}

/* "customer-number: 2, iban: 1", of what got out. */
static char *kinds_of(const MsAccountPart *part)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < part->kinds->len; i++) {
		const MsNamedFates *row = part->kinds->pdata[i];
		guint64 n = row->fates.of[MS_FATE_OUT] + row->fates.of[MS_FATE_RELEASED];
		if (n > 0)
			g_string_append_printf(out, "%s%s: %" G_GUINT64_FORMAT,
				out->len > 0 ? ", " : "", row->name, n);
	}
	return g_string_free(out, FALSE);
}

static char *identifiers_of(const MsAccountPart *part)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < part->masked->len; i++)
		g_string_append_printf(
			out, "%s  - %s", i > 0 ? "\n" : "", (char *)part->masked->pdata[i]);
	if (part->identifiers > part->masked->len)
		g_string_append_printf(
			out, "\n  + %" G_GUINT64_FORMAT, part->identifiers - part->masked->len);
	return g_string_free(out, FALSE);
}

/* NULL: there is no such word. */
static char *word_of(const char *name, const MsAccountPart *part, const MsNoticeWords *words)
{
	guint64 out = part->messages.of[MS_FATE_OUT] + part->messages.of[MS_FATE_RELEASED];
	if (strcmp(name, "account") == 0)
		return g_strdup(words->account);
	if (strcmp(name, "company") == 0)
		return g_strdup(words->company);
	if (strcmp(name, "contact") == 0)
		return g_strdup(words->contact);
	if (strcmp(name, "messages") == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT, out);
	if (strcmp(name, "recipients") == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT, part->recipients);
	if (strcmp(name, "first") == 0)
		return day_of(part->first);
	if (strcmp(name, "last") == 0)
		return day_of(part->last);
	if (strcmp(name, "kinds") == 0)
		return kinds_of(part);
	if (strcmp(name, "identifiers") == 0)
		return identifiers_of(part);
	return NULL;
}

char *ms_notice_draft(
	const char *template, const MsAccountPart *part, const MsNoticeWords *words, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	for (const char *p = template; *p != '\0'; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		if (*p != '{') {
			g_string_append_c(out, *p);
			continue;
		}
		g_autofree char *name = end != NULL ? g_strndup(p + 1, (gsize)(end - p - 1))
						    : g_strdup("");
		g_autofree char *word = word_of(name, part, words);
		if (word == NULL) {
			ms_fail_input(error,
				"\"{%.40s\" is no word of a template; there are {account}, {company}, {contact}, "
				"{messages}, {recipients}, {first}, {last}, {kinds} and {identifiers}",
				p + 1);
			return NULL;
		}
		g_string_append(out, word);
		p = end;
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}
