/*
 * Patterns of policies and kinds come in; out goes which of them match nothing at all or
 * anything, and which can be made to run away.
 *
 * Whether one runs away is tried, by the same engine and within the same limit of steps as mail
 * is (regex.h): on texts made of the pattern's own letters and words, repeated, which is what
 * makes it go back over what it has taken.  A pattern that reaches the limit there does so with
 * mail that anybody can send.  Of the thread that lints; nothing is shared.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "lint_private.h"

/* ---- what a pattern is made of -------------------------------------------------------- */

#define LONG_TEXT 400
#define MOST_LETTERS 12
#define MOST_PAIRED 7
#define MOST_WORDS 6
#define MOST_PREFIXES 12

typedef struct {
	char letters[MOST_LETTERS + 1]; /* those of repeated parts first */
	GString *all;                   /* every letter of it */
	GString *wanted;                /* an ending that has all of its words and letters */
	GString *sample;                /* a text that it may well match */
	GPtrArray *words;               /* of char *: runs of letters that it wants as they are */
	/* of char *: texts that bring it as far as some part of it */
	GPtrArray *prefixes;
} Stuff;

static void add_letter(char *letters, char c)
{
	gsize n = strlen(letters);
	if (n < MOST_LETTERS && strchr(letters, c) == NULL)
		letters[n] = c;
}

/* One that an escape stands for; '\0': none, it is a place. */
static char letter_of_escape(char c)
{
	return c == 'd'                          ? '0'
		: strchr("shRv", c) != NULL      ? ' '
		: strchr("bBAzZKGQE", c) != NULL ? '\0'
		: g_ascii_isalnum(c)             ? 'a'
						 : c;
}

/* From behind a [ to its ]; one of its members. */
static const char *pass_class(const char *p, char *letter_out)
{
	bool negated = *p == '^';
	const char *begin = p += negated;
	*letter_out = negated                ? '!'
		: *p == '\\' && p[1] != '\0' ? letter_of_escape(p[1])
		: g_str_has_prefix(p, "[:")  ? 'a'
					     : *p;
	for (; *p != '\0' && (*p != ']' || p == begin); p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (g_str_has_prefix(p, "[:"))
			p = strchr(p, ']') != NULL ? strchr(p, ']') : p;
	}
	return *p != '\0' ? p + 1 : p;
}

/* To the ) that belongs to the ( before `p`. */
static const char *pass_group(const char *p)
{
	char letter;
	for (int depth = 0; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0') {
			p++;
		} else if (*p == '[') {
			p = pass_class(p + 1, &letter) - 1;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')' && depth-- == 0) {
			return p;
		}
	}
	return p;
}

/* Behind the words after a ( that say what sort of group it is; NULL: it takes nothing (look
 * around, comment). */
static const char *pass_intro(const char *p)
{
	if (*p == '*')
		return NULL;
	if (*p != '?')
		return p;
	if (strchr("=!#", p[1]) != NULL || (p[1] == '<' && (p[2] == '=' || p[2] == '!')))
		return NULL;
	const char *end = p[1] == '<' || p[1] == 'P' || p[1] == '\'' ? strpbrk(p + 3, ">'")
								     : strpbrk(p, ":|>)");
	return end == NULL ? NULL : *end == ')' ? end : end + 1;
}

static bool is_quantifier(const char *p)
{
	return strchr("*+?", *p) != NULL ? *p != '\0' : *p == '{' && g_ascii_isdigit(p[1]);
}

/* What stands behind a part: how often it must come at least. */
static const char *pass_quantifier(const char *p, guint *times_out)
{
	*times_out = 1;
	if (!is_quantifier(p))
		return p;
	if (*p == '{') {
		*times_out = (guint)CLAMP(g_ascii_strtoll(p + 1, NULL, 10), 1, 40);
		p = strchr(p, '}') != NULL ? strchr(p, '}') : p;
	}
	p++;
	return *p == '+' || *p == '?' ? p + 1 : p;
}

static void keep_prefix(Stuff *stuff, const char *text)
{
	for (guint i = 0; i < stuff->prefixes->len; i++)
		if (strcmp(stuff->prefixes->pdata[i], text) == 0)
			return;
	if (stuff->prefixes->len < MOST_PREFIXES)
		g_ptr_array_add(stuff->prefixes, g_strdup(text));
}

static const char *walk(Stuff *stuff, const char *p, GString *text, guint depth);

/* A group, a class, an escape or a letter, and how often it comes: a text that it matches is
 * added. */
static const char *walk_part(Stuff *stuff, const char *p, GString *text, guint depth)
{
	gsize before = text->len;
	guint times;
	char letter = '\0';
	bool letter_itself = false;
	if (*p == '(' ) {
		const char *inside = pass_intro(p + 1);
		keep_prefix(stuff, text->str);
		p = inside == NULL ? pass_group(p + 1)
				   : walk(stuff, inside, text, depth + 1);
		p += *p == ')';
	} else if (*p == '[') {
		p = pass_class(p + 1, &letter);
	} else if (*p == '\\' && p[1] != '\0') {
		letter = letter_of_escape(p[1]);
		p += p[1] == 'p' && p[2] == '{' && strchr(p, '}') != NULL ? strchr(p, '}') - p + 1
									  : 2;
	} else {
		letter = *p == '.' ? 'a' : strchr("^$", *p) != NULL ? '\0' : *p;
		letter_itself = *p != '.';
		p++;
	}
	if (letter != '\0' && (is_quantifier(p) || !letter_itself)) {
		keep_prefix(stuff, text->str);
		add_letter(stuff->letters, letter);
	}
	if (letter != '\0')
		g_string_append_c(text, letter);
	p = pass_quantifier(p, &times);
	g_autofree char *once = g_strdup(text->str + before);
	for (guint i = 1; i < times && text->len < LONG_TEXT / 2; i++)
		g_string_append(text, once);
	return p;
}

/* Up to the ) of this group, or the end; of alternatives the first goes on, the others are
 * looked through too. */
static const char *walk(Stuff *stuff, const char *p, GString *text, guint depth)
{
	gsize begin = text->len;
	g_autofree char *first = NULL;
	while (*p != '\0' && *p != ')') {
		if (*p == '|') {
			if (first == NULL)
				first = g_strdup(text->str + begin);
			g_string_truncate(text, begin);
			p++;
		} else if (depth > 50) {
			p = pass_group(p);
		} else {
			p = walk_part(stuff, p, text, depth);
		}
	}
	if (first != NULL)
		g_string_append(g_string_truncate(text, begin), first);
	return p;
}

static void take_words(Stuff *stuff, const char *pattern)
{
	g_autoptr(GString) word = g_string_new(NULL);
	for (const char *p = pattern;; p++) {
		bool plain = *p != '\0' &&
			(g_ascii_isalnum(*p) || strchr(" -_/:@,;#%&=<>'\"!~", *p) != NULL);
		if (plain) {
			g_string_append_c(stuff->all, *p);
			g_string_append_c(word, *p);
			continue;
		}
		if (word->len > 1 && stuff->words->len < MOST_WORDS)
			g_ptr_array_add(stuff->words, g_strdup(word->str));
		g_string_truncate(word, 0);
		if (*p == '\0')
			return;
		if (*p == '\\' && p[1] != '\0')
			p++;
	}
}

static void stuff_init(Stuff *stuff, const char *pattern)
{
	GString *text = g_string_new(NULL);
	*stuff = (Stuff){"", g_string_new(NULL), g_string_new("\x01"), text,
		g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free)};
	keep_prefix(stuff, "");
	take_words(stuff, pattern);
	for (const char *p = walk(stuff, pattern, text, 0); *p != '\0';
		p = walk(stuff, p + 1, text, 0))
		; /* a ) too many does not compile; nothing of it is passed over all the same */
	add_letter(stuff->letters, 'a');
	add_letter(stuff->letters, '0');
	for (const char *p = stuff->all->str; *p != '\0'; p++)
		add_letter(stuff->letters, *p);
	for (guint i = 0; i < stuff->words->len; i++)
		g_string_append_printf(stuff->wanted, "%s\x01", (char *)stuff->words->pdata[i]);
	g_string_append(stuff->wanted, stuff->all->str);
}

static void stuff_clear(Stuff *stuff)
{
	g_string_free(stuff->all, TRUE);
	g_string_free(stuff->wanted, TRUE);
	g_string_free(stuff->sample, TRUE);
	g_ptr_array_unref(stuff->words);
	g_ptr_array_unref(stuff->prefixes);
}

/* ---- hostile texts -------------------------------------------------------------------- */

typedef struct {
	const MsRegex *regex;
	bool everywhere; /* else it is tried at one place alone, as kinds are */
	GString *text;
	bool reached;
} Trial;

/* prefix pump pump pump ... and an ending, as it stands in `trial->text`. */
static void try(Trial *trial, gsize pumped, const char *ending)
{
	MsMatch match;
	if (trial->reached)
		return;
	g_string_append(g_string_truncate(trial->text, pumped), ending);
	trial->reached = ms_regex_match(trial->regex, trial->text->str, trial->text->len, 0,
		trial->everywhere ? trial->text->len : 0, &match) == MS_MATCH_LIMIT;
}

/* With each ending: none, one that the pattern does not want, and all that it wants somewhere. */
static void try_endings(
	Trial *trial, const Stuff *stuff, const char *prefix, const char *pump, const char *more)
{
	gsize pump_len = strlen(pump), more_len = strlen(more);
	if (trial->reached || pump_len + more_len == 0)
		return;
	g_string_assign(trial->text, prefix);
	while (trial->text->len < LONG_TEXT) {
		g_string_append_len(trial->text, pump, (gssize)pump_len);
		g_string_append_len(trial->text, more, (gssize)more_len);
	}
	gsize pumped = trial->text->len;
	try(trial, pumped, "\x01");
	try(trial, pumped, stuff->wanted->str);
	try(trial, pumped, "");
}

static void try_pumps(Trial *trial, const Stuff *stuff, const char *prefix)
{
	for (const char *a = stuff->letters; *a != '\0' && !trial->reached; a++) {
		const char one[] = {*a, '\0'};
		try_endings(trial, stuff, prefix, one, "");
		for (const char *b = stuff->letters; *b != '\0' &&
			a - stuff->letters < MOST_PAIRED && b - stuff->letters < MOST_PAIRED;
			b++) {
			const char two[] = {*b, '\0'};
			if (a != b)
				try_endings(trial, stuff, prefix, one, two);
		}
	}
	for (guint i = 0; i < stuff->words->len; i++) {
		try_endings(trial, stuff, prefix, stuff->words->pdata[i], "");
		try_endings(trial, stuff, prefix, stuff->words->pdata[i], "a");
	}
}

static bool runs_away(const MsRegex *regex, const char *pattern, bool everywhere)
{
	Stuff stuff;
	g_autoptr(GString) text = g_string_sized_new(LONG_TEXT + 200);
	Trial trial = {regex, everywhere, text, false};
	stuff_init(&stuff, pattern);
	for (guint i = 0; i < stuff.prefixes->len && !trial.reached; i++)
		try_pumps(&trial, &stuff, stuff.prefixes->pdata[i]);
	stuff_clear(&stuff);
	return trial.reached;
}

/* ---- nothing and anything ------------------------------------------------------------- */

static bool matches(const MsRegex *regex, const char *text, MsMatch *match_out)
{
	return ms_regex_match(regex, text, strlen(text), 0, strlen(text), match_out) == MS_MATCH;
}

/* At a place of a text where nothing of it stands: not "^$", which is an empty text alone. */
static bool matches_nothing(const MsRegex *regex)
{
	static const char *const texts[] = {"zq", "Q7", "~", "\xd0\xb6"};
	MsMatch none;
	bool empty = matches(regex, "", &none);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		MsMatch match;
		if (!matches(regex, texts[i], &match) || (match.start != match.end && !empty))
			return false;
	}
	return true;
}

/* Of subjects of every sort, each without letters that most have. */
static bool matches_anything(const MsRegex *regex)
{
	static const char *const texts[] = {"Lunch", "Your holidays", "RE: bowling!", "Guten Tag",
		"Urlaub morgen", "Bonjour \xc3\xa0 tous", "Happy birthday Jim",
		"Any plan for July?", "Snow", "Hut"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		MsMatch match;
		if (!matches(regex, texts[i], &match))
			return false;
	}
	return true;
}

/* ---- of policies ---------------------------------------------------------------------- */

/* A pattern, as its policy has it. */
typedef struct {
	const MsHeaderRule *rule;
	const char *key, *value;
} Pattern;

static void each_pattern(Lint *lint, Subject *s, void (*look)(Lint *, Subject *, const Pattern *))
{
	const char *key;
	const MsAsk *ask;
	for (guint n = 0; (ask = lint_header_ask(s, n, &key)) != NULL; n++)
		for (guint i = 0; i < ask->members->len; i++) {
			const Pattern p = {
				ask->members->pdata[i], key, ms_section_list(s->section, key)[i]};
			look(lint, s, &p);
		}
}

static void look_for_empty(Lint *lint, Subject *s, const Pattern *p)
{
	if (matches_nothing(p->rule->pattern))
		lint_tell(lint, s, p->key, p->value, "Take what may be missing out of the pattern.",
			"%s '%s' matches where nothing stands: every message with a field %s",
			p->key, p->value, p->rule->name);
}

void lint_patterns_empty(Lint *lint, Subject *s)
{
	each_pattern(lint, s, look_for_empty);
}

/* Of another field it says that it is there, which most mail does not have. */
static bool has_every_message(const char *field)
{
	static const char *const fields[] = {"Subject", "From", "To", "Date", "Message-ID",
		"MIME-Version", "Content-Type", "Received", "Return-Path"};
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (g_ascii_strcasecmp(fields[i], field) == 0)
			return true;
	return false;
}

static void look_for_everything(Lint *lint, Subject *s, const Pattern *p)
{
	if (has_every_message(p->rule->name) && !matches_nothing(p->rule->pattern) &&
		matches_anything(p->rule->pattern))
		lint_tell(lint, s, p->key, p->value,
			"Say what the text must have; or leave header out.",
			"%s '%s' matches any text", p->key, p->value);
}

void lint_patterns_everything(Lint *lint, Subject *s)
{
	each_pattern(lint, s, look_for_everything);
}

static void look_for_flight(Lint *lint, Subject *s, const Pattern *p)
{
	if (runs_away(p->rule->pattern, ms_regex_pattern(p->rule->pattern), true))
		lint_tell(lint, s, p->key, p->value,
			"Let no repeated part match what the part after it matches too.",
			"%s '%s' reaches the limit of steps on a text of %d characters, and then counts as a match",
			p->key, p->value, LONG_TEXT);
}

void lint_patterns_run_away(Lint *lint, Subject *s)
{
	each_pattern(lint, s, look_for_flight);
}

/* ---- of kinds ------------------------------------------------------------------------- */

static MsRegex *compile(const char *pattern)
{
	g_autoptr(MsFold) fold = ms_fold_new(pattern, strlen(pattern));
	g_autofree char *text = g_strndup(fold->text, fold->len);
	return ms_regex_new(text, true, NULL);
}

void lint_kind_empty(Lint *lint, Subject *s)
{
	for (const char *const *pattern = ms_section_list(s->section, "pattern"); *pattern != NULL;
		pattern++) {
		g_autoptr(MsRegex) regex = compile(*pattern);
		if (regex != NULL && matches_nothing(regex))
			lint_tell(lint, s, "pattern", *pattern,
				"Take what may be missing out of the pattern.",
				"pattern '%s' matches where nothing stands", *pattern);
	}
}

/* Are all of these identifiers of that kind? */
static bool takes_all(const MsKind *kind, const MsRegex *regex, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		MsMatch match;
		const char *why;
		if (!matches(regex, *texts, &match) || match.group_start != 0 ||
			match.group_end != strlen(*texts))
			return false;
		g_autofree char *value = ms_kind_canonical(kind, *texts, strlen(*texts), &why);
		if (value == NULL)
			return false;
	}
	return true;
}

void lint_kind_everything(Lint *lint, Subject *s)
{
	static const char *const words[] = {
		"invoice", "morning", "Regards", "payment", "support", NULL};
	static const char *const numbers[] = {"2026", "1000", "4711", "1999", "3650", NULL};
	static const char *const longer[] = {"20261127", "12345678", "10000000", "99887766", NULL};
	if (s->kind == NULL || s->kind->label_required || s->kind->block ||
		s->kind->form == MS_FORM_EMAIL)
		return;
	for (guint i = 0; i < s->kind->patterns->len; i++) {
		const char *pattern = ms_section_list(s->section, "pattern")[i];
		const MsRegex *regex = s->kind->patterns->pdata[i];
		const char *what = takes_all(s->kind, regex, words) ? "any word"
			: takes_all(s->kind, regex, numbers)        ? "any number, such as a year"
			: takes_all(s->kind, regex, longer)
			? "any number of eight digits, such as a date"
			: NULL;
		if (what != NULL)
			lint_tell(lint, s, "pattern", pattern,
				"Set label-required = yes, or say what one looks like.",
				"pattern '%s': %s is one of this kind", pattern, what);
	}
}

void lint_kind_runs_away(Lint *lint, Subject *s)
{
	const char *const *patterns = ms_section_list(s->section, "pattern");
	for (guint i = 0; s->kind != NULL && i < s->kind->patterns->len; i++)
		if (runs_away(s->kind->patterns->pdata[i], patterns[i], false))
			lint_tell(lint, s, "pattern", patterns[i],
				"Let no repeated part match what the part after it matches too.",
				"pattern '%s' reaches the limit of steps on a text of %d characters, which is then unreadable",
				patterns[i], LONG_TEXT);
}

/* How long canonical values are that pass a check, and whether they have letters. */
static const struct {
	MsCheck check;
	gsize min, max;
	bool letters;
} checked[] = {{MS_CHECK_UUID, 32, 32, true}, {MS_CHECK_IBAN, 15, 34, true},
	{MS_CHECK_CARD, 12, 19, false}, {MS_CHECK_SIRET, 9, 14, false},
	{MS_CHECK_GLN, 13, 13, false}, {MS_CHECK_DUNS, 9, 9, false}, {MS_CHECK_BIC, 8, 11, true},
	{MS_CHECK_LEI, 20, 20, true}};

/* Is there no value in the match, while the whole of it could be one? */
static bool leaves_value(const MsKind *kind, const char *text, const MsMatch *m)
{
	const char *why;
	gsize len = m->group_end - m->group_start;
	g_autofree char *whole = ms_kind_canonical(kind, text + m->start, m->end - m->start, &why);
	g_autofree char *value = ms_kind_canonical(kind, text + m->group_start, len, &why);
	return whole != NULL &&
		(value == NULL ||
			(ms_has_digit(whole, strlen(whole)) &&
				!ms_has_digit(value, strlen(value))));
}

/* Is each match of the pattern as long as this one, and too short or too long for a value? */
static bool is_misfit(const MsKind *kind, const char *pattern, const char *text, const MsMatch *m)
{
	gsize min = kind->min_length, max = kind->max_length, n = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(checked); i++)
		if (checked[i].check == kind->check) {
			min = MAX(min, checked[i].min);
			max = MIN(max, checked[i].max);
		}
	for (gsize i = m->group_start; i < m->group_end; i++)
		n += kind->form == MS_FORM_DIGITS ? g_ascii_isdigit(text[i])
						  : g_ascii_isalnum(text[i]);
	return (kind->form == MS_FORM_ALNUM || kind->form == MS_FORM_DIGITS) &&
		min <= max && strpbrk(pattern, "*+?|,") == NULL &&
		(m->group_end - m->group_start < min ||
			(n > max && strpbrk(pattern, " \\") == NULL));
}

/* A text that the pattern matches is tried by itself, and as it stands in a mail. */
static void tell_void(Lint *lint, Subject *s, const char *pattern)
{
	g_autoptr(MsRegex) regex = compile(pattern);
	MsMatch m;
	if (regex == NULL)
		return;
	Stuff stuff;
	stuff_init(&stuff, ms_regex_pattern(regex));
	const char *sample = stuff.sample->str;
	g_autofree char *mail = g_strdup_printf("a: %s .", sample);
	if (!matches(regex, sample, &m) || m.start != 0 || m.end != stuff.sample->len)
		; /* it is not known what it matches */
	else if (leaves_value(s->kind, sample, &m))
		lint_tell(lint, s, "pattern", pattern,
			"Write (?:...) for a group that is no value.",
			"no value is one: of \"%s\" group 1 of pattern '%s' takes \"%.*s\" alone",
			sample, pattern, (int)(m.group_end - m.group_start),
			sample + m.group_start);
	else if (ms_regex_match(regex, mail, strlen(mail), 3, 3, &m) == MS_NO_MATCH)
		lint_tell(lint, s, "pattern", pattern, "Take ^ and $ out of the pattern.",
			"no value is one: pattern '%s' takes \"%s\" only as the whole text",
			pattern, sample);
	else if (is_misfit(s->kind, pattern, mail, &m))
		lint_tell(lint, s, "pattern", pattern, "Mend the pattern, or the lengths.",
			"no value is one: pattern '%s' takes such as \"%s\", and the lengths say %zu to %zu%s",
			pattern, sample, s->kind->min_length, s->kind->max_length,
			s->kind->check != MS_CHECK_NONE ? ", if check allows it" : "");
	stuff_clear(&stuff);
}

void lint_kind_lengths(Lint *lint, Subject *s)
{
	const MsKind *kind = s->kind;
	if (kind == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(checked); i++) {
		if (checked[i].check != kind->check)
			continue;
		if (kind->max_length < checked[i].min || kind->min_length > checked[i].max)
			lint_tell(lint, s,
				kind->max_length < checked[i].min ? "max-length" : "min-length",
				NULL, "Mend the lengths.",
				"no value is one: check = %s wants %zu to %zu characters, the lengths say %zu to %zu",
				ms_section_text(s->section, "check"), checked[i].min,
				checked[i].max, kind->min_length, kind->max_length);
		if (checked[i].letters && kind->form == MS_FORM_DIGITS)
			lint_tell(lint, s, "canonical", NULL, "Set canonical = alnum.",
				"no value is one: check = %s wants letters, canonical = digits has none",
				ms_section_text(s->section, "check"));
	}
	for (const char *const *p = ms_section_list(s->section, "pattern"); *p != NULL; p++)
		tell_void(lint, s, *p);
	if (ms_section_given(s->section, "bare-length") && kind->bare_length > kind->max_length)
		lint_tell(lint, s, "bare-length", NULL, "Lower it.",
			"bare-length is greater than max-length (%zu)", kind->max_length);
	if (ms_section_given(s->section, "bare-digits") && kind->bare_digits > kind->max_length)
		lint_tell(lint, s, "bare-digits", NULL, "Lower it.",
			"bare-digits is greater than max-length (%zu)", kind->max_length);
}

static void tell_short(Lint *lint, Subject *s, const char *key, const char *what)
{
	for (const char *const *word = ms_section_list(s->section, key); *word != NULL; word++) {
		g_autofree char *bare = g_strstrip(g_strdup(*word));
		if (g_utf8_strlen(bare, -1) < 2)
			lint_tell(lint, s, key, *word, "Write the whole word, or take it out.",
				"%s \"%s\" stands before anything", what, *word);
	}
}

void lint_kind_labels(Lint *lint, Subject *s)
{
	tell_short(lint, s, "labels", "label");
	tell_short(lint, s, "names", "name");
}

/* ---- names in missent.conf ------------------------------------------------------------ */

static void tell_name(Lint *lint, const char *section, const char *key, const char *what,
	const char *name, const char *const *names)
{
	const MsSection *sub = ms_section_sub(lint->options->settings->root, section);
	const char *near = ms_text_nearest(name, names);
	g_autofree char *remedy = near != NULL ? g_strdup_printf("Did you mean \"%s\"?", near)
					       : g_strdup("Mend the name.");
	lint_tell_at(lint, ms_section_file(sub), ms_section_key_line(sub, key), section, remedy,
		"%s { %s }: there is no %s \"%s\"", section, key, what, name);
}

void lint_names(Lint *lint)
{
	const MsSettings *settings = lint->options->settings;
	if (settings == NULL || lint->kinds == NULL)
		return;
	const MsSection *guard = ms_section_sub(settings->root, "guard");
	/* its default need not be defined */
	const char *const *list = ms_section_list(guard, "customer-kinds");
	for (; *list != NULL; list++)
		if (ms_kinds_find(lint->kinds, *list) == NULL)
			tell_name(lint, "guard", "customer-kinds", "kind", *list,
				ms_kinds_names(lint->kinds));
	if (settings->canary.every_ms > 0 &&
		ms_kinds_find(lint->kinds, settings->canary.kind) == NULL)
		tell_name(lint, "canary", "kind", "kind", settings->canary.kind,
			ms_kinds_names(lint->kinds));
	g_autoptr(GPtrArray) titles = g_ptr_array_new();
	for (guint i = 0; i < lint->policies->len; i++)
		g_ptr_array_add(titles, ((Subject *)lint->policies->pdata[i])->policy->title);
	g_ptr_array_add(titles, NULL);
	for (list = settings->desk.two_person_policies; *list != NULL; list++)
		if (!g_strv_contains((const char *const *)titles->pdata, *list))
			tell_name(lint, "desk", "two-person-policies", "policy", *list,
				(const char *const *)titles->pdata);
}
