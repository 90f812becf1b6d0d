/*
 * The one place that says who is who: a name as some system spells it comes in, the name that is
 * kept and compared goes out.  Accounts, the page's log-in, the agent, the desk's rule of the
 * second person and the command line all ask here.  From any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/person.h"
#include "missent/text.h"

/* What nobody sees is no part of a name: zero width, direction marks, soft hyphen, variation
 * selectors. */
static bool is_unseen(gunichar c)
{
	return ms_text_is_unseen(c) || c == 0xfe0e || c == 0xfe0f;
}

/* One blank for any number of any kind, none at the ends. */
static char *without_blanks(const char *text)
{
	GString *out = g_string_new(NULL);
	bool blank = false;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (g_unichar_isspace(c)) {
			blank = true;
		} else if (!is_unseen(c)) {
			if (blank && out->len > 0)
				g_string_append_c(out, ' ');
			blank = false;
			g_string_append_unichar(out, c);
		}
	}
	return g_string_free(out, FALSE);
}

/* Folding may undo the form, and the form the folding: twice is stable. */
static char *folded(const char *spelled)
{
	char *text = g_utf8_make_valid(spelled, -1);
	for (int i = 0; i < 2; i++) {
		g_autofree char *formed = g_utf8_normalize(text, -1, G_NORMALIZE_ALL_COMPOSE);
		g_autofree char *small = g_utf8_casefold(formed, -1);
		g_autofree char *again = g_utf8_normalize(small, -1, G_NORMALIZE_ALL_COMPOSE);
		g_free(text);
		text = without_blanks(again);
	}
	return text;
}

/* "corp" also stands for a list's "CORP", "@corp" and "corp\". */
static bool is_domain(const MsPersonRules *rules, const char *word)
{
	for (const char *const *p = rules->domains; p != NULL && *p != NULL; p++) {
		g_autofree char *domain = folded(*p);
		gsize at = domain[0] == '@', len = strlen(domain + at);
		if (len > 0 && domain[at + len - 1] == '\\')
			domain[at + --len] = '\0';
		if (len > 0 && strcmp(domain + at, word) == 0)
			return true;
	}
	return false;
}

/* Before a backslash, behind an at sign; a name without anything left keeps it. */
static void cut_domain(const MsPersonRules *rules, char *name)
{
	char *back = strchr(name, '\\');
	if (back != NULL && back[1] != '\0') {
		g_autofree char *domain = g_strndup(name, (gsize)(back - name));
		if (is_domain(rules, domain))
			memmove(name, back + 1, strlen(back + 1) + 1);
	}
	char *at = strrchr(name, '@');
	if (at != NULL && at != name && is_domain(rules, at + 1))
		*at = '\0';
}

/* "aschmidt=anna"; one step, so that a circle of them ends. */
static char *alias_of(const MsPersonRules *rules, const char *name)
{
	for (const char *const *p = rules->aliases; p != NULL && *p != NULL; p++) {
		const char *equal = strchr(*p, '=');
		if (equal == NULL)
			continue;
		g_autofree char *left = g_strndup(*p, (gsize)(equal - *p));
		g_autofree char *other = folded(left);
		cut_domain(rules, other);
		if (strcmp(other, name) != 0)
			continue;
		char *out = folded(equal + 1);
		cut_domain(rules, out);
		return out;
	}
	return NULL;
}

char *ms_person_name(const MsPersonRules *rules, const char *spelled)
{
	char *name = folded(spelled != NULL ? spelled : "");
	char *via = strstr(name, MS_PERSON_VIA);
	if (via != NULL)
		*via = '\0';
	if (rules == NULL)
		return name;
	cut_domain(rules, name);
	char *other = alias_of(rules, name);
	if (other == NULL)
		return name;
	g_free(name);
	return other;
}

bool ms_person_is(const MsPersonRules *rules, const char *a, const char *b)
{
	g_autofree char *one = ms_person_name(rules, a);
	g_autofree char *other = ms_person_name(rules, b);
	return strcmp(one, other) == 0;
}
