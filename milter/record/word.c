/*
 * The border: a word comes in as somebody typed it or a program sent it; it is of its kind, or an
 * error says which field it was, what it was, and what would do.  No state; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/text.h"
#include "missent/word.h"

bool ms_word_refuse(const char *field, const char *word, const char *why, const char *const *names,
	GError **error)
{
	const char *near = names != NULL ? ms_text_nearest(word, names) : NULL;
	g_autofree char *shown = ms_text_escape(word, -1, 100);
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s: \"%s\" %s%s%s%s", field, shown, why,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
	return false;
}

static bool is_plain(const char *word, bool lines)
{
	for (const char *p = word; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (g_unichar_iscntrl(c) && !(lines && (c == '\n' || c == '\t' || c == '\r')))
			return false;
	}
	return true;
}

static bool is_blank(const char *word)
{
	for (const char *p = word; *p != '\0'; p = g_utf8_next_char(p))
		if (!g_unichar_isspace(g_utf8_get_char(p)) &&
			!g_unichar_iszerowidth(g_utf8_get_char(p)))
			return false;
	return true;
}

/* NULL: it is one. */
static const char *why_no_mailbox(const char *word)
{
	const char *at = strrchr(word, '@');
	if (at == NULL || at[1] == '\0' || strpbrk(at + 1, " <>,;:\"") != NULL || at[1] == '.')
		return "is no address (LOCAL@DOMAIN, or @DOMAIN)";
	return NULL;
}

static const char *why_not(MsWordKind kind, const char *word)
{
	switch (kind) {
	case MS_WORD_MESSAGE:
	case MS_WORD_DECISION:
		return strpbrk(word, " \"<>/\\") != NULL ? "is no ID" : NULL;
	case MS_WORD_IDENTIFIER:
		return strchr(word, ' ') != NULL
			? "is no reference of an identifier (see held show)"
			: NULL;
	case MS_WORD_PART:
		return strspn(word, "0123456789.") != strlen(word)
			? "is no part of a message (\"1.2\")"
			: NULL;
	case MS_WORD_MAILBOX:
		return why_no_mailbox(word);
	case MS_WORD_ACCOUNT:
		return strlen(word) > 200 ? "is longer than an account's name may be" : NULL;
	case MS_WORD_ADDRESS:
	case MS_WORD_PERSON:
	case MS_WORD_TEXT:
	case MS_WORD_CAUSE:
	case MS_WORD_ANY:
	case MS_N_WORD_KINDS: break;
	}
	return NULL;
}

bool ms_word_check(MsWordKind kind, const char *field, const char *word, GError **error)
{
	bool text = kind == MS_WORD_TEXT;
	gsize most = text || kind == MS_WORD_CAUSE ? MS_WORD_TEXT_MAX : MS_WORD_MAX;
	if (word == NULL || *word == '\0')
		return ms_word_refuse(field, "", "is an empty word", NULL, error);
	if (strlen(word) > most)
		return ms_word_refuse(field, word, "is too long", NULL, error);
	if (!g_utf8_validate(word, -1, NULL))
		return ms_word_refuse(field, word, "is no UTF-8", NULL, error);
	if (is_blank(word))
		return ms_word_refuse(field, word, "is an empty word", NULL, error);
	if (!is_plain(word, text))
		return ms_word_refuse(field, word, "has control characters", NULL, error);
	const char *why = why_not(kind, word);
	return why == NULL || ms_word_refuse(field, word, why, NULL, error);
}

bool ms_word_choose(const char *const *names, const char *field, const char *word, int *place_out,
	GError **error)
{
	if (!ms_word_check(MS_WORD_ANY, field, word, error))
		return false;
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], word) == 0) {
			*place_out = i;
			return true;
		}
	g_autofree char *list = g_strjoinv(", ", (char **)names);
	g_autofree char *why = g_strdup_printf("is none of %s", list);
	return ms_word_refuse(field, word, why, names, error);
}
