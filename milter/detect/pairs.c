/*
 * In comes text in which a name stands beside its value, as programs write it: "KdNr: 4711",
 * "customer_no=4711", "https://portal.example/?customer_id=48291746"; out go the stretches that a
 * kind's label names.  What a person would write for a label is found by the labels themselves;
 * here a name is taken apart into its words (ms_kinds_named()).
 *
 * A name may say little by itself, and all with what encloses it ("customer:" and, further in,
 * "number: 4711"; "[customer]" and below it "id = 4711"; "customer[id]=4711"): outer.c looks for
 * that.
 *
 * A link's names are those of whoever counts clicks as well, so that short numbers say nothing
 * there.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_NAME 48  /* bytes */
#define MAX_VALUE 64
#define MAX_FURTHER 3 /* values */
#define MIN_KINDS 3
#define MARKS ":=;"
#define MAX_GAP 12   /* between the mark and the value */
#define MIN_IN_LINK 5 /* bytes of a value */
#define MIN_IN_OWN 4  /* the same in a link to the sender itself */
#define BIG_STEP 256 /* marks between two looks at the clock */

static bool is_of_name(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || c == '_' || c == '-' || c == '.' || c == ' ' ||
		c == '#';
}

static bool ends_value(char c)
{
	return g_ascii_isspace(c) || c == '\0' || strchr("\"'<>|;,&?`{}()[]", c) != NULL;
}

/* The name that ends at `end`, without what stands before it in its line. */
static gsize name_before(const char *text, gsize end, gsize *from_out)
{
	while (end > 0 && strchr(" \t\"'*", text[end - 1]) != NULL && text[end - 1] != '\0')
		end--;
	gsize from = end;
	while (from > 0 && end - from <= MAX_NAME && is_of_name(text[from - 1]))
		from--;
	while (from < end && !g_ascii_isalpha(text[from]) && (text[from] & 0x80) == 0)
		from++;
	*from_out = from;
	return end;
}

/* Where a value stands behind the mark at `at`; false if there is none with a digit. */
static bool value_behind(const char *text, gsize len, gsize at, gsize *from_out, gsize *until_out)
{
	gsize from = at + 1, digits = 0;
	while (from < len && from - at <= MAX_GAP && strchr(" \t\"'*=", text[from]) != NULL &&
		text[from] != '\0')
		from++;
	gsize until = from;
	for (; until < len && until - from < MAX_VALUE && !ends_value(text[until]); until++)
		digits += g_ascii_isdigit(text[until]) != 0;
	*from_out = from;
	*until_out = until;
	return digits > 0 && until - from >= 2 && until - from < MAX_VALUE;
}

static bool is_too_short(const Search *s, gsize from, gsize until)
{
	return until - from < MIN_IN_LINK && ms_detect_in_link(s, from) &&
		(until - from < MIN_IN_OWN || !ms_detect_is_own(s, from, until));
}

/* "Kunde;417", "Betrag;12,50": are the name and its value all of their line? */
static bool fill_line(const char *text, gsize name, gsize end, gsize until)
{
	while (name > 0 && strchr("> \"", text[name - 1]) != NULL)
		name--;
	until += strspn(text + until, "\" \r");
	return (name == 0 || text[name - 1] == '\n') && !ms_has_digit(text + name, end - name) &&
		(text[until] == '\n' || text[until] == '\0');
}

/* "Verwendungszweck: 48213 / 2026-0417": what may be of several kinds may be said of several. */
static void add_further(Search *s, const MsNameKinds *kinds, gsize at)
{
	const char *text = s->fold->text;
	gsize from, until;
	for (guint n = 0; n < MAX_FURTHER && kinds->n >= MIN_KINDS; n++, at = until) {
		at += strspn(text + at, " ");
		if ((text[at] != '/' && text[at] != ',') ||
			!value_behind(text, s->fold->len, at, &from, &until))
			return;
		ms_detect_add_named(s, kinds, from, until);
	}
}

static void read_pair(Search *s, gsize at)
{
	gsize from, until, name;
	const char *text = s->fold->text;
	if (!value_behind(text, s->fold->len, at, &from, &until))
		return;
	gsize end = name_before(text, ms_detect_inner_end(text, at), &name);
	if (end - name < 2 || end - name > MAX_NAME ||
		(text[at] == ';' && !fill_line(text, name, end, until)))
		return;
	const MsNameKinds *kinds = ms_detect_kinds_named(s, text + name, end - name);
	if (kinds == NULL)
		kinds = ms_detect_kinds_enclosed(s, name, end);
	if (kinds != NULL && !is_too_short(s, from, until)) {
		ms_detect_add_named(s, kinds, from, until);
		add_further(s, kinds, until);
	}
}

/* ".../customers/48291746/...": the step before it says what it is.  Where the link ends. */
static gsize read_steps(Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, from = at;
	bool own = s->span->own != NULL && ms_detect_is_own_domain(s, at);
	while (from < len && !ends_value(text[from])) {
		gsize stop = from;
		while (stop < len && !ends_value(text[stop]) && text[stop] != '/')
			stop++;
		gsize next = stop + 1, until = next;
		while (until < len && !ends_value(text[until]) && text[until] != '/')
			until++;
		gsize n = stop - from - (stop > from + 1 && text[stop - 1] == 's' ? 1 : 0);
		if (stop < len && text[stop] == '/' && n >= 3 && n <= MAX_NAME &&
			until - next >= (own ? MIN_IN_OWN : 7) && until - next <= MAX_VALUE) {
			g_autofree char *name =
				g_strdup_printf("%.*s number", (int)n, text + from);
			const MsNameKinds *kinds = ms_detect_kinds_named(s, name, strlen(name));
			if (kinds != NULL)
				ms_detect_add_named(s, kinds, next, until);
		}
		from = stop + 1;
		if (stop >= len || text[stop] != '/')
			return stop;
	}
	return from;
}

void ms_detect_pairs(Search *s)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, walked = 0; /* a link within a link is walked with that */
	guint marks = 0;
	for (gsize at = strcspn(text, MARKS); at < len && !s->full;
		at += 1 + strcspn(text + at + 1, MARKS)) {
		if (text[at] == '\0') /* folded: none stands within */
			break;
		if (++marks % BIG_STEP == 0 && !ms_budget_time(s->budget))
			return; /* by_pattern() notes it */
		bool link = text[at] == ':' && at + 2 < len && text[at + 1] == '/' &&
			text[at + 2] == '/';
		if (link && at >= walked)
			walked = read_steps(s, at + 3);
		else if (!link && at > 0)
			read_pair(s, at);
	}
}
