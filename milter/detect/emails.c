#include "config.h"

#include <string.h>

#include "detect_private.h"

/*
 * Addresses are looked for from their @ on: it is rare, and letters are not.  What people write
 * to keep an address from machines, or lose on the way ("john at contoso dot com", "john @
 * contoso", "john%40contoso.com"), is found only if the directory knows the address that its
 * words make together.
 */

#define MAX_LOCAL 70   /* bytes to go back from an @ */
#define MAX_BEFORE 5   /* words that the local part may have */
#define MAX_AFTER 8    /* words of the domain */
#define MAX_GAP 10     /* bytes between two of them */

static const MsKind *email_kind(const MsKinds *kinds)
{
	for (guint i = 0; i < ms_kinds_count(kinds); i++)
		if (ms_kinds_nth(kinds, i)->form == MS_FORM_EMAIL)
			return ms_kinds_nth(kinds, i);
	return NULL;
}

static bool is_local(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* ---- as they are meant ---------------------------------------------------------------- */

/* The address around the @ at `at`: its end, or 0 if there is none. */
static gsize plain_address(Search *s, const MsKind *kind, const MsRegex *shape, gsize at, gsize from)
{
	gsize start = at;
	while (start > from && at - start < MAX_LOCAL && is_local(s->fold->text[start - 1]))
		start--;
	for (; start < at; start++) {
		MsMatch match;
		if (((guchar)s->fold->text[start] & 0xc0) == 0x80)
			continue;
		switch (ms_regex_at(shape, s->fold->text, s->fold->len, start, &match)) {
		case MS_NO_MATCH: continue;
		case MS_MATCH_LIMIT:
			ms_detect_gave_up(s, kind, MS_UNREAD_PATTERN, "the pattern gave up");
			return 0;
		case MS_MATCH:
			if (match.end > at && ms_detect_add(s, kind, match.group_start, match.group_end, MS_BELIEF_SHAPE))
				return match.end;
		}
	}
	return 0;
}

/* ---- as they are written -------------------------------------------------------------- */

static bool word_is(const Search *s, gsize word, const char *text)
{
	const MsWord *w = &s->compact->words[word];
	gsize len = strlen(text);
	return w->end - w->start == len && memcmp(s->compact->text + w->start, text, len) == 0;
}

static bool is_dot_word(const Search *s, gsize word)
{
	return word_is(s, word, "dot") || word_is(s, word, "punkt") || word_is(s, word, "punto")
		|| word_is(s, word, "point") || word_is(s, word, "ponto") || word_is(s, word, "kropka");
}

static void append_word(const Search *s, gsize word, gsize skip, GString *out)
{
	const MsWord *w = &s->compact->words[word];
	g_string_append_len(out, s->compact->text + w->start + skip, (gssize)(w->end - w->start - skip));
}

static bool near(const Search *s, gsize word)
{
	return ms_detect_word_start(s, word + 1) - ms_detect_word_end(s, word) <= MAX_GAP;
}

/* `before` is the last word of the local part, `after` the first of the domain, of which the
 * first `skip` bytes are not part. */
static bool written_address(Search *s, const MsKind *kind, gsize before, gsize after, gsize skip)
{
	g_autoptr(GString) local = g_string_new(NULL);
	for (gsize n = 0; n < MAX_BEFORE && n <= before; n++) {
		gsize first = before - n;
		if (n > 0 && !near(s, first))
			break;
		g_string_truncate(local, 0);
		for (gsize i = first; i <= before; i++)
			if (!is_dot_word(s, i))
				append_word(s, i, 0, local);
		for (gsize last = after; last < after + MAX_AFTER && last < s->compact->n_words; last++) {
			if (last > after && !near(s, last - 1))
				break;
			if (is_dot_word(s, last))
				continue;
			append_word(s, last, last == after ? skip : 0, local);
			if (local->len > MS_FILTER_MAX)
				break;
			if (last > after && ms_filters_have(s->known, kind->name, local->str, local->len))
				return ms_detect_add_value(s, kind, ms_detect_word_start(s, first),
					ms_detect_word_end(s, last), local->str, MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
		}
	}
	return false;
}

static bool is_at_word(const Search *s, gsize word)
{
	return word_is(s, word, "at") || word_is(s, word, "arroba") || word_is(s, word, "chez")
		|| word_is(s, word, "malpa") || word_is(s, word, "aperstaart");
}

static bool has_at_between(const Search *s, gsize word)
{
	gsize end = ms_detect_word_end(s, word), next = ms_detect_word_start(s, word + 1);
	return next - end <= MAX_GAP && memchr(s->fold->text + end, '@', next - end) != NULL;
}

static void written_addresses(Search *s, const MsKind *kind)
{
	for (gsize i = 0; i + 1 < s->compact->n_words && !s->full; i++) {
		const MsWord *next = &s->compact->words[i + 1];
		gsize start = ms_detect_word_start(s, i + 1);
		if (has_at_between(s, i))
			written_address(s, kind, i, i + 1, 0);
		else if (next->end - next->start == 2 || next->end - next->start > 3) {
			const char *text = s->compact->text + next->start;
			if (text[0] == '4' && text[1] == '0' && start > 0 && s->fold->text[start - 1] == '%'
				&& next->end - next->start > 2)
				written_address(s, kind, i, i + 1, 2);
			else if (is_at_word(s, i + 1) && i + 2 < s->compact->n_words && near(s, i) && near(s, i + 1))
				written_address(s, kind, i, i + 2, 0);
		}
	}
}

void ms_detect_emails(Search *s)
{
	const MsKind *kind = email_kind(s->kinds);
	if (kind == NULL || kind->label_required)
		return;
	const char *text = s->fold->text, *end = text + s->fold->len;
	for (guint i = 0; i < kind->shapes->len; i++) {
		gsize from = 0;
		for (const char *at = text; (at = memchr(at, '@', (gsize)(end - at))) != NULL;) {
			if (!ms_budget_time(s->budget)) {
				ms_detect_gave_up(s, kind, MS_UNREAD_TIME, "the time for reading is over");
				return;
			}
			gsize until = plain_address(s, kind, kind->shapes->pdata[i], (gsize)(at - text), from);
			from = MAX(until, (gsize)(at - text) + 1);
			at = text + from;
		}
	}
	if (s->known != NULL && (s->known->parts[0] != NULL || s->known->parts[1] != NULL))
		written_addresses(s, kind);
}
