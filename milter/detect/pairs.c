/*
 * In comes text in which a name stands beside its value, as programs write it: "KdNr: 4711",
 * "customer_no=4711", "https://portal.example/?customer_id=48291746"; out go the stretches that a
 * kind's label names.  What a person would write for a label is found by the labels themselves;
 * here a name is taken apart into its words (ms_kinds_named()).
 *
 * Programs that write out what they hold have marks of their own: "[kunden_nr] => 4711" and, in the
 * next line, "string(4) "4711"" (PHP, Ruby, Perl), "s:9:"kunden_nr";s:4:"4711";" (PHP).
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
#define MAX_IN_BRACKETS 120 /* bytes */
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

/* Where a value stands behind `at`; false if there is none with a digit. */
static bool value_behind(const char *text, gsize len, gsize at, gsize *from_out, gsize *until_out)
{
	gsize from = at, digits = 0;
	while (from < len && from - at < MAX_GAP && strchr(" \t\"'*=", text[from]) != NULL &&
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
			!value_behind(text, s->fold->len, at + 1, &from, &until))
			return;
		ms_detect_add_named(s, kinds, from, until);
	}
}

static void add_pair(Search *s, gsize name, gsize end, gsize from, gsize until)
{
	const char *text = s->fold->text;
	if (end - name < 2 || end - name > MAX_NAME)
		return;
	const MsNameKinds *kinds = ms_detect_kinds_named(s, text + name, end - name);
	if (kinds == NULL)
		kinds = ms_detect_kinds_enclosed(s, name, end);
	if (kinds != NULL && !is_too_short(s, from, until)) {
		ms_detect_add_named(s, kinds, from, until);
		add_further(s, kinds, until);
	}
}

static void read_pair(Search *s, gsize at)
{
	gsize from, until, name;
	const char *text = s->fold->text;
	if (!value_behind(text, s->fold->len, at + 1, &from, &until))
		return;
	gsize end = name_before(text, ms_detect_inner_end(text, at), &name);
	if (text[at] != ';' || fill_line(text, name, end, until))
		add_pair(s, name, end, from, until);
}

/* ---- what programs write out ---- */

/* "string(4) ", "int(", "numberlong(": behind what says of which type a value is. */
static gsize skip_type(const char *text, gsize at)
{
	static const char *const types[] = {"string(", "int(", "float(", "double(", "long("};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (!g_str_has_prefix(text + at, types[i]))
			continue;
		at += strlen(types[i]);
		gsize digits = i == 0 ? strspn(text + at, "0123456789") : 0;
		return at + digits + (digits > 0 && text[at + digits] == ')');
	}
	return at;
}

/* The name in the brackets that end at `end`: "[kdnr]", "["kdnr":protected]". */
static gsize name_in(const char *text, gsize end, gsize *from_out)
{
	gsize from = end - 1;
	while (from > 0 && end - from < MAX_IN_BRACKETS && text[from] != '[' && text[from] != '\n')
		from--;
	from += strspn(text + from, "[\"'");
	*from_out = from;
	return from + strcspn(text + from, "\"':]\n");
}

/* "=>" is at `at`; the value may be in the next line. */
static void read_arrow(Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize end = at, name, from, until, behind = at + 2;
	while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	bool bracket = end > 1 && text[end - 1] == ']';
	end = bracket ? name_in(text, end, &name) : name_before(text, end, &name);
	behind = skip_type(text, behind + strspn(text + behind, bracket ? " \t\r\n" : " \t"));
	if (end > name && value_behind(text, s->fold->len, behind, &from, &until))
		add_pair(s, name, end, from, until);
}

/* `s:9:"kunden_nr";s:4:"4711";`, with the first semicolon at `at`; false: it is none. */
static bool read_serialized(Search *s, gsize at)
{
	const char *text = s->fold->text;
	gsize name, from, until, value = at + 1;
	if (text[at - 1] != '"' || text[value] == '\0' || strchr("sid", text[value]) == NULL ||
		text[value + 1] != ':')
		return false;
	bool string = text[value] == 's';
	value += 2;
	value += string ? strspn(text + value, "0123456789") : 0;
	value += string && text[value] == ':';
	gsize end = name_before(text, at, &name);
	if (value_behind(text, s->fold->len, value, &from, &until))
		add_pair(s, name, end, from, until);
	return true;
}

static void read_mark(Search *s, gsize at)
{
	const char *text = s->fold->text;
	if (text[at] == '=' && text[at + 1] == '>')
		read_arrow(s, at);
	else if (text[at] != ';' || !read_serialized(s, at))
		read_pair(s, at);
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
			read_mark(s, at);
	}
}
