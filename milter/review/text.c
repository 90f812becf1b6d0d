/*
 * The words of the page in the reader's language.  English stands in the source, the others in
 * words/LANGUAGE.po, which words.py makes a table of at build time; en.po has plain English for
 * the program's technical words.  tests/unit/test-lint.sh sees to it that no language lacks a
 * word.  What others wrote down in English (a reason's text, a place, a cause) is taken apart
 * here by its form.  Tables are constants; each request asks in its own thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "page.h"

typedef struct {
	const char *english;
	const char *forms[4]; /* of a word with a plural, by number */
} Word;

struct Language {
	const char *code, *name;
	const Word *words;
	gsize n;
	unsigned (*plural)(unsigned long n);
};

#include "words.inc"

/* ---- which language ------------------------------------------------------------------- */

static const Language *language_of(const char *code, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(languages); i++)
		if (strlen(languages[i].code) == len &&
			g_ascii_strncasecmp(languages[i].code, code, len) == 0)
			return &languages[i];
	return NULL;
}

/* RFC 9110, 12.5.4: "fr-CH, fr;q=0.9, en;q=0.8". */
static const Language *accepted(const char *header)
{
	const Language *best = NULL;
	double most = 0;
	g_auto(GStrv) items = g_strsplit(header, ",", 50);
	for (int i = 0; items[i] != NULL; i++) {
		const char *item = g_strstrip(items[i]), *q = strstr(item, "q=");
		double weight = q != NULL ? g_ascii_strtod(q + 2, NULL) : 1;
		const Language *l = language_of(item, strcspn(item, "-; "));
		if (l != NULL && weight > most) {
			best = l;
			most = weight;
		}
	}
	return best;
}

const Language *language_chosen(const char *cookie, const char *header)
{
	const Language *l = cookie != NULL ? language_of(cookie, strlen(cookie)) : NULL;
	if (l == NULL && header != NULL)
		l = accepted(header);
	return l != NULL ? l : language_of("en", 2);
}

const char *language_code(const Language *language)
{
	return language != NULL ? language->code : "en";
}

void html_languages(GString *out)
{
	for (gsize i = 0; i < G_N_ELEMENTS(languages); i++)
		html(out, "<a href=\"/language?to=%s\" hreflang=\"%s\" lang=\"%s\">%s</a> ",
			languages[i].code, languages[i].code, languages[i].code, languages[i].name);
}

/* ---- words ---------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const Word *)a)->english, ((const Word *)b)->english);
}

static const Word *find(const Request *r, const char *english)
{
	const Word key = {.english = english};
	const Language *l = r->language != NULL ? r->language : language_of("en", 2);
	return bsearch(&key, l->words, l->n, sizeof key, compare);
}

const char *T(const Request *r, const char *english)
{
	const Word *word = find(r, english);
	return word != NULL ? word->forms[0] : english;
}

const char *TN(const Request *r, gint64 n, const char *one, const char *many)
{
	const Word *word = find(r, one);
	if (word == NULL || r->language == NULL)
		return n == 1 ? one : many;
	unsigned form = r->language->plural((unsigned long)MAX(n, 0));
	return form < G_N_ELEMENTS(word->forms) && word->forms[form] != NULL ? word->forms[form]
									     : many;
}

/* ---- sentences ------------------------------------------------------------------------ */

#define MAX_VALUES 8

typedef struct {
	const char *name, *text;
	char kind;
	gint64 number;
} Value;

static void append_value(GString *out, const Value *v)
{
	switch (v->kind) {
	case '#': g_string_append_printf(out, "%" G_GINT64_FORMAT, v->number); break;
	case '!': g_string_append(out, v->text); break;
	case '@': html(out, "<b class=\"account\">%s</b>", v->text); break;
	case '=': html(out, "<b>%s</b>", v->text); break;
	default: html_text(out, v->text);
	}
}

static void append_sentence(GString *out, const char *sentence, const Value *values, gsize n)
{
	for (const char *p = sentence; *p != '\0';) {
		const char *open = strchr(p, '{'), *close = open != NULL ? strchr(open, '}') : NULL;
		g_autofree char *before = close != NULL ? g_strndup(p, (gsize)(open - p))
							: g_strdup(p);
		html_text(out, before);
		if (close == NULL)
			return;
		for (gsize i = 0; i < n; i++)
			if (strlen(values[i].name) == (gsize)(close - open - 1) &&
				strncmp(values[i].name, open + 1, (gsize)(close - open - 1)) == 0)
				append_value(out, &values[i]);
		p = close + 1;
	}
}

void say(GString *out, const char *sentence, ...)
{
	Value values[MAX_VALUES];
	gsize n = 0;
	va_list args;
	va_start(args, sentence);
	for (const char *name; n < MAX_VALUES && (name = va_arg(args, const char *)) != NULL; n++) {
		char kind = strchr("#!@=", *name) != NULL ? *name : ' ';
		values[n] = (Value){.name = kind != ' ' ? name + 1 : name, .kind = kind};
		if (kind == '#')
			values[n].number = va_arg(args, gint64);
		else
			values[n].text = va_arg(args, const char *);
	}
	va_end(args);
	append_sentence(out, sentence, values, n);
}

char *said(const char *sentence, gint64 n)
{
	GString *out = g_string_new(NULL);
	say(out, sentence, "#n", n, NULL);
	return g_string_free(out, FALSE);
}

/* ---- what was written down in English ------------------------------------------------- */

/* Forms of such texts, with {a} and {b} for their numbers. */
static const char *const forms[] = {
	W("{a} recipients, at most {b} are allowed"),
	W("recipients in {a} domains, at most {b} are allowed"),
	W("{a} addresses in the header for all to see, at most {b} are allowed"),
	W("identifiers of {a} accounts in one message, at most {b} are allowed"),
	W("{a} of {b} recipients may have it"),
	W("{a} of {b} recipient may have it"),
	W("expired (expire-after)"),
	W("as before"),
	W("after a correction at another message (belongs)"),
	W("after a correction at another message (may-receive)"),
};

/* The numbers of `text` in `numbers_out`, and what is left with names in their place. */
static char *form_of(const char *text, gint64 numbers_out[2])
{
	GString *out = g_string_new(NULL);
	int n = 0;
	for (const char *p = text; *p != '\0';) {
		if (!g_ascii_isdigit(*p) || n == 2) {
			g_string_append_c(out, *p++);
			continue;
		}
		numbers_out[n] = (gint64)g_ascii_strtoull(p, (char **)&p, 10);
		g_string_append_printf(out, "{%c}", 'a' + n++);
	}
	return g_string_free(out, FALSE);
}

bool html_known_text(GString *out, const Request *r, const char *text)
{
	gint64 n[2] = {0, 0};
	g_autofree char *form = form_of(text, n);
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		if (strcmp(forms[i], form) != 0)
			continue;
		say(out, T(r, form), "#a", n[0], "#b", n[1], NULL);
		return true;
	}
	return false;
}

/* What was done, as the desk calls it; more may follow: " (failed)", " part 3". */
static const char *const acts[] = {W("release"), W("return"), W("delete"), W("note"), W("assign"),
	W("belongs"), W("may-receive"), W("rejudge"), W("hold"), W("look"), W("reveal"),
	W("download"), W("picture of")};

void html_act(GString *out, const Request *r, const char *what)
{
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		gsize n = strlen(acts[i]);
		if (strncmp(acts[i], what, n) != 0 || (what[n] != '\0' && what[n] != ' '))
			continue;
		html(out, "%s", T(r, acts[i]));
		if (strcmp(what + n, " (failed)") == 0)
			html(out, " (%s)", T(r, "failed"));
		else if (g_str_has_prefix(what + n, " part"))
			html_place(out, r, what + n);
		return;
	}
	html(out, "%s", what);
}

/* "exact, labelled", "mismatch, unproven": a list of words. */
void html_list(GString *out, const Request *r, const char *list)
{
	g_auto(GStrv) words = g_strsplit(list, ", ", -1);
	for (int i = 0; words[i] != NULL; i++)
		html(out, "%S%s", i > 0 ? ", " : "", T(r, words[i]));
}

/* ---- places --------------------------------------------------------------------------- */

/* What stands in a masked place, and where a number or a word follows. */
static const struct {
	const char *prefix, *sentence;
	char takes; /* 'n': a number; 'w': a word up to the next blank; ' ': nothing */
} pieces[] = {
	{"message at byte ", W("the message at byte {v}"), 'n'},
	{"part ", W("part {v}"), 'p'},
	{" page ", W(", page {v}"), 'n'},
	{" header (name of ", W(", a field with a name of {v} characters"), 'm'},
	{"header (name of ", W("a field with a name of {v} characters"), 'm'},
	{" header ", W(", field {v}"), 'w'},
	{"header ", W("field {v}"), 'w'},
	{" (name of ", W(" (a name of {v} characters)"), 'm'},
	{" (recognised)", W(" (recognised in a picture)"), ' '},
	{" (hidden)", W(" (hidden)"), ' '},
	{" (comment)", W(" (a comment)"), ' '},
	{" (links and attributes)", W(" (links and attributes)"), ' '},
	{" (links)", W(" (links)"), ' '},
	{" (attributes)", W(" (attributes)"), ' '},
	{" (fields and notes)", W(" (fields and notes)"), ' '},
	{" file name", W(", its file name"), ' '},
	{" before the first part", W(", before the first part"), ' '},
	{" after the last part", W(", after the last part"), ' '},
	{"headers", W("the header"), ' '},
	{"message", W("the message"), ' '},
};

/* "12 characters, .pdf)": the number; `*end` behind it. */
static char *name_length(const char *p, const char **end, char **ending_out)
{
	gsize digits = strspn(p, "0123456789");
	const char *close = strchr(p, ')'), *comma = strstr(p, ", .");
	if (digits == 0 || close == NULL)
		return NULL;
	if (comma != NULL && comma < close)
		*ending_out = g_strndup(comma + 2, (gsize)(close - comma - 2));
	*end = close + 1;
	return g_strndup(p, digits);
}

/* One piece at `*p`; false: it is none of ours. */
static bool html_piece(GString *out, const Request *r, const char **p)
{
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		const char *rest = *p + strlen(pieces[i].prefix);
		if (!g_str_has_prefix(*p, pieces[i].prefix))
			continue;
		g_autofree char *ending = NULL;
		gsize len = pieces[i].takes == 'n' ? strspn(rest, "0123456789")
			: pieces[i].takes == 'p'   ? strspn(rest, "0123456789.")
			: pieces[i].takes == 'w'   ? strcspn(rest, " ")
						   : 0;
		const char *end = rest + len;
		g_autofree char *value = pieces[i].takes == 'm' ? name_length(rest, &end, &ending)
								: g_strndup(rest, len);
		if (value == NULL || (len == 0 && strchr("npw", pieces[i].takes) != NULL))
			continue;
		say(out, T(r, pieces[i].sentence), "v", value, NULL);
		if (ending != NULL)
			html(out, " <code>%s</code>", ending);
		*p = end;
		return true;
	}
	return false;
}

void html_place(GString *out, const Request *r, const char *where)
{
	for (const char *p = where; *p != '\0';) {
		if (html_piece(out, r, &p))
			continue;
		const char *blank = strchr(p + 1, ' ');
		g_autofree char *word = blank != NULL ? g_strndup(p, (gsize)(blank - p))
						      : g_strdup(p);
		html(out, "%s", word);
		p += strlen(word);
	}
}

/* ---- what a word means ---------------------------------------------------------------- */

static const struct {
	const char *word, *meaning;
} legend[] = {
	{"mismatch", W("Something in it belongs to another account than the recipient's.")},
	{"unproven",
		W("Nothing in it shows that it is the recipient's: no number or address of the recipient's account was found.")},
	{"unknown-identifier",
		W("Something that looks like an identifier is not in the directory.")},
	{"unknown-recipient", W("The directory knows no account for the recipient.")},
	{"routed-recipient", W("The recipient's address has a way to another address in it.")},
	{"oversized", W("It goes to more recipients, or domains, than the policy allows.")},
	{"mixed-accounts", W("It has identifiers of more accounts in it than the policy allows.")},
	{"exposed-recipients",
		W("More addresses stand in the header, for all to see, than the policy allows.")},
	{"contradiction", W("Two faces of the message name different customers.")},
	{"unreadable",
		W("A part of it could not be read. What is unread is never taken for clean.")},
	{"directory-unavailable", W("The directory could not be asked, so nothing was found out.")},
	{"salutation",
		W("It greets somebody who is none of those that the directory knows at the recipient's account.")},
	{"list-attached",
		W("A list seems to be in it: more different identifiers of one kind than the policy allows.")},
	{"fan-out", W("One identifier, or one document, has gone to too many recipients lately.")},
	{"fan-in", W("The recipient has got what belongs to too many customers lately.")},
	{"repeat", W("The same message went to the same recipient too often lately.")},
	{"unusual", W("It always went to others before, and the recipient always got others.")},
	{"volume", W("The sender sends far more than it did.")},
	{"breaker", W("Mail of this sender is stopped, for too much of it was wrong.  On the host missent guard reset lets it run again.")},
	{"guard-unavailable", W("What went where lately could not be asked.")},
	{"right", W("Something of the recipient's own is in it, and nothing that he may not see.")},
	{"unread", W("A part that the policy wants read could not be read.")},
	{"wrong", W("Something of another account is in it.")},
	{"exact", W("It stands there as the directory has it.")},
	{"checked", W("Its check digits agree.")},
	{"labelled", W("The words before it say what it is.")},
	{"shape", W("It looks like one.")},
	{"either", W("What stands there may be several; the accounts are of all of them.")},
};

const char *meaning_of(const Request *r, const char *word)
{
	for (gsize i = 0; i < G_N_ELEMENTS(legend); i++)
		if (strcmp(legend[i].word, word) == 0)
			return T(r, legend[i].meaning);
	return NULL;
}

void html_explained(GString *out, const Request *r, const char *word)
{
	const char *meaning = meaning_of(r, word);
	if (meaning != NULL)
		html(out, "<abbr title=\"%s\">%s</abbr>", meaning, T(r, word));
	else
		html(out, "%s", T(r, word));
}

void html_legend(GString *out, const Request *r)
{
	html(out, "<details class=\"legend\"><summary>%s</summary><dl>",
		T(r, "What the words mean"));
	for (gsize i = 0; i < G_N_ELEMENTS(legend); i++)
		html(out, "<dt>%s</dt><dd>%s</dd>", T(r, legend[i].word), T(r, legend[i].meaning));
	html(out, "</dl></details>");
}
