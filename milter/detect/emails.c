/*
 * Addresses are looked for from their @ on: it is rare, and letters are not.  What people write
 * to keep an address from machines, or lose on the way ("john at contoso dot com", "john @
 * contoso", "john%40contoso.com"), is found only if the directory knows the address that its
 * words make together.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_LOCAL 70   /* bytes to go back from an @ */
#define MAX_BEFORE 5   /* words that the local part may have */
#define MAX_AFTER 8    /* words of the domain */
#define MAX_GAP 10     /* bytes between two of them */
#define BIG_STEP 256   /* words between two looks at the clock */

static const MsKind *email_kind(const MsKinds *kinds)
{
	for (guint i = 0; i < ms_kinds_count(kinds); i++)
		if (ms_kinds_nth(kinds, i)->form == MS_FORM_EMAIL)
			return ms_kinds_nth(kinds, i);
	return NULL;
}

static bool is_local(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) ||
		(c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* ---- as they are meant ---------------------------------------------------------------- */

/* Text without blanks ("anna@alpha.deTel", "anna@alpha.de030", "anna@alpha.dewww.alpha.de") makes
 * one long address of a shorter one: what ends where a last name of small letters is over may be
 * one, too, if the directory knows it. */
static void cut_addresses(Search *s, const MsKind *kind, gsize start, gsize at, gsize end)
{
	const char *text = s->fold->text;
	for (gsize i = at; i < end; i++) {
		gsize cut = i + 1;
		if (text[i] != '.')
			continue;
		while (cut < end && g_ascii_islower(text[cut]) &&
			strncmp(text + cut, "www.", 4) != 0)
			cut++;
		if (cut < end && cut - i > 2 && g_ascii_isalnum(text[cut]))
			ms_detect_add(s, kind, start, cut, MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
	}
}

/* The address around the @ at `at`: its end, or 0 if there is none. */
static gsize plain_address(
	Search *s, const MsKind *kind, const MsRegex *shape, gsize at, gsize from)
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
			if (match.end > at && ms_detect_is_no_mailbox(s, match.group_start))
				return match.end;
			if (match.end > at &&
				ms_detect_add(s, kind, match.group_start, match.group_end,
					MS_BELIEF_SHAPE)) {
				cut_addresses(s, kind, match.group_start, at, match.group_end);
				return match.end;
			}
		}
	}
	return 0;
}

/* ---- as they are written -------------------------------------------------------------- */

static bool is_one_of(const Search *s, gsize word, const MsListed *list, gsize n)
{
	const MsWord *w = &s->compact->words[word];
	return ms_detect_is_listed(list, n, s->compact->text + w->start, w->end - w->start);
}

static bool is_dot_word(const Search *s, gsize word)
{
	static const MsListed dots[] = {MS_LISTED("dot"), MS_LISTED("punkt"), MS_LISTED("punto"),
		MS_LISTED("point"), MS_LISTED("ponto"), MS_LISTED("kropka"), MS_LISTED("pont"),
		MS_LISTED("tecka"), MS_LISTED("bodka"), MS_LISTED("tocka"), MS_LISTED("nokta"),
		MS_LISTED("punktum")};
	return is_one_of(s, word, dots, G_N_ELEMENTS(dots));
}

static void append_word(const Search *s, gsize word, gsize skip, GString *out)
{
	const MsWord *w = &s->compact->words[word];
	g_string_append_len(
		out, s->compact->text + w->start + skip, (gssize)(w->end - w->start - skip));
}

static bool near(const Search *s, gsize word)
{
	return ms_detect_word_start(s, word + 1) - ms_detect_word_end(s, word) <= MAX_GAP;
}

/* "example(work).com": a comment of one word. */
static bool is_in_brackets(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return w->from > 0 && s->fold->text[w->from - 1] == '(' && s->fold->text[w->until] == ')';
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
		for (gsize last = after; last < after + MAX_AFTER && last < s->compact->n_words;
			last++) {
			if (last > after && !near(s, last - 1))
				break;
			if (is_dot_word(s, last) || (last > after && is_in_brackets(s, last)))
				continue;
			append_word(s, last, last == after ? skip : 0, local);
			if (local->len > MS_FILTER_MAX)
				break;
			if (last > after &&
				ms_filters_have(s->known, kind->tag, local->str, local->len) &&
				!ms_detect_domain_goes_on(s, ms_detect_word_end(s, last)))
				return ms_detect_add_value(s, kind, ms_detect_word_start(s, first),
					ms_detect_word_end(s, last), local->str,
					MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
		}
	}
	return false;
}

static bool is_at_word(const Search *s, gsize word)
{
	static const MsListed ats[] = {MS_LISTED("at"), MS_LISTED("chez"), MS_LISTED("malpa"),
		MS_LISTED("arroba"), MS_LISTED("aperstaart"), MS_LISTED("arobase"),
		MS_LISTED("chiocciola"), MS_LISTED("klammeraffe"), MS_LISTED("kukac"),
		MS_LISTED("zavinac"), MS_LISTED("snabela"), MS_LISTED("alfakroll")};
	return is_one_of(s, word, ats, G_N_ELEMENTS(ats));
}

/* May one of those, or "40", begin so?  This is asked of each word. */
static inline bool may_be_at(const char *text)
{
#define SECOND(c) (1U << ((c) & 31))
	static const guint32 seconds[256] = {['4'] = SECOND('0'),
		['a'] = SECOND('l') | SECOND('p') | SECOND('r') | SECOND('t'),
		['c'] = SECOND('h'),
		['k'] = SECOND('l') | SECOND('u'),
		['m'] = SECOND('a'),
		['s'] = SECOND('n'),
		['z'] = SECOND('a')};
	return (seconds[(guchar)text[0]] & SECOND((guchar)text[1])) != 0;
#undef SECOND
}

/* "(a)", "[a]": one that people write by hand. */
static bool is_bracketed(const Search *s, const MsWord *w)
{
	const char *fold = s->fold->text;
	return w->end - w->start == 1 && w->from > 0 && strchr("([{", fold[w->from - 1]) != NULL &&
		fold[w->until] != '\0' && strchr(")]}", fold[w->until]) != NULL;
}

/* The last word that begins before `at`, which is between `low` and the last. */
static gsize word_before(const Search *s, gsize low, gsize at)
{
	gsize high = s->compact->n_words;
	while (high - low > 1) {
		gsize mid = low + (high - low) / 2;
		if (ms_detect_word_start(s, mid) < at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

#define MAX_COMMENT 80

/* Before the comment that ends at `at`, or `at` itself. */
static gsize before_comment(const char *text, gsize at)
{
	gsize low = at > MAX_COMMENT ? at - MAX_COMMENT : 0;
	for (gsize i = at; i > low && text[at - 1] == ')'; i--)
		if (text[i - 1] == '(')
			return i - 1;
	return at;
}

static gsize behind_comment(const char *text, gsize at)
{
	for (gsize i = at; i < at + MAX_COMMENT && text[at] == '(' && text[i] != '\0'; i++)
		if (text[i] == ')')
			return i + 1;
	return at;
}

/* Around each @ that is in no plain address.  `plain`: the places of the others. */
static void around_signs(Search *s, const MsKind *kind, const GArray *plain)
{
	const char *text = s->fold->text, *end = text + s->fold->len;
	gsize word = 0;
	guint seen = 0;
	for (const char *p = text; !s->full && (p = memchr(p, '@', (gsize)(end - p))) != NULL;
		p++) {
		gsize at = (gsize)(p - text);
		while (seen < plain->len && g_array_index(plain, gsize, seen) < at)
			seen++;
		if (seen < plain->len && g_array_index(plain, gsize, seen) == at)
			continue;
		if (!ms_detect_in_time(s, kind))
			return;
		word = word_before(s, word, at);
		gsize from = before_comment(text, at), until = behind_comment(text, at + 1);
		gsize before = from < at ? word_before(s, 0, from) : word;
		gsize after = word_before(s, word, until) + 1;
		if (after < s->compact->n_words && ms_detect_word_start(s, before) < from &&
			from - ms_detect_word_end(s, before) + 1 +
					ms_detect_word_start(s, after) - until <= MAX_GAP)
			written_address(s, kind, before, after, 0);
	}
}

/* Mailers put whom a mail is for into the address to which it bounces, with = or % for its @;
 * Microsoft's directory names guests anna_a.example#EXT#@b.example. */
static bool may_be_inner_at(const char *text, gsize at, gsize sign)
{
	return text[at] == '=' || text[at] == '%' ||
		(text[at] == '_' && sign - at > 5 &&
			g_ascii_strncasecmp(text + sign - 5, "#ext#", 5) == 0);
}

/* Around each that stands before an @. */
static void around_inner(Search *s, const MsKind *kind, const GArray *plain)
{
	for (guint i = 0; i < plain->len && !s->full; i++) {
		gsize sign = g_array_index(plain, gsize, i), at = sign;
		ms_detect_routed(s, kind, sign);
		while (at > 0 && sign - at < MAX_LOCAL && is_local(s->fold->text[at - 1])) {
			if (!may_be_inner_at(s->fold->text, --at, sign))
				continue;
			if (!ms_detect_in_time(s, kind))
				return;
			gsize word = word_before(s, 0, at);
			if (word + 1 < s->compact->n_words && ms_detect_word_start(s, word) < at &&
				near(s, word))
				written_address(s, kind, word, word + 1, 0);
		}
	}
}

/* Around each word that stands for an @: "at", and "40" after a percent sign. */
static void around_words(Search *s, const MsKind *kind)
{
	for (gsize i = 1; i + 1 < s->compact->n_words && !s->full; i++) {
		if (i % BIG_STEP == 0 && !ms_detect_in_time(s, kind))
			return;
		const MsWord *w = &s->compact->words[i];
		const char *text = s->compact->text + w->start;
		if (!may_be_at(text) && (text[0] != 'a' || !is_bracketed(s, w)))
			continue;
		if (text[0] == '4' && w->end - w->start > 2 && w->from > 0 &&
			strchr("%=", s->fold->text[w->from - 1]) != NULL)
			written_address(s, kind, i - 1, i, 2);
		else if ((is_at_word(s, i) || (text[0] == 'a' && is_bracketed(s, w))) &&
			near(s, i - 1) && near(s, i))
			written_address(s, kind, i - 1, i + 1, 0);
	}
}

void ms_detect_emails(Search *s)
{
	const MsKind *kind = email_kind(s->kinds);
	if (kind == NULL || kind->label_required)
		return;
	const char *text = s->fold->text, *end = text + s->fold->len;
	g_autoptr(GArray) plain = g_array_new(FALSE, FALSE, sizeof(gsize)); /* their @ */
	for (guint i = 0; i < kind->shapes->len; i++) {
		gsize from = 0;
		for (const char *at = text; (at = memchr(at, '@', (gsize)(end - at))) != NULL;) {
			if (!ms_detect_in_time(s, kind))
				return;
			gsize until = plain_address(
				s, kind, kind->shapes->pdata[i], (gsize)(at - text), from);
			gsize place = (gsize)(at - text);
			if (until > 0 && i == 0)
				g_array_append_val(plain, place);
			from = MAX(until, place + 1);
			at = text + from;
		}
	}
	if (s->known == NULL || (s->known->parts[0] == NULL && s->known->parts[1] == NULL))
		return;
	if (s->compact->n_words > 1) {
		around_signs(s, kind, plain);
		around_inner(s, kind, plain);
		around_words(s, kind);
	}
	ms_detect_unsigned(s, kind);
}
