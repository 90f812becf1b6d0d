/*
 * Says what missent finds, for tests/bench/recognition and tests/bench/spellings.
 *
 * usage: findings CONFIG <questions, or: findings --speed IDENTIFIERS PATTERNS FILE
 *
 * A question is a line: T, tab, a text (with \t \n \\ escapes); or D, tab, the path of a document
 * or message; or K, tab, kind, tab, value: is it one?  The answer is one line f, kind, value,
 * belief, owners, text for each finding, and a line with a dot.  The directory is the one that
 * CONFIG names.
 *
 * Or it is M, tab, a number, and so many bytes of a message follow; that is read by a child, as
 * hostile ones may kill it, and the answer has no owners but a line u, reason, place, detail
 * for each item unread.
 *
 * --speed: MB/s of the text in FILE through fold, compact, filter and all kinds of kinds.conf
 * (kinds.conf is read from $SOURCE), with so many known identifiers and so many further patterns.
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/detect.h"
#include "missent/dispatch.h"
#include "missent/engine.h"
#include "missent/extract.h"
#include "missent/message.h"
#include "missent/text.h"

static MsKinds *kinds;
static MsFilters filters;
static MsDirectory *directory;
static MsReading *reading;
static MsBudget budget;

/* ---- questions ------------------------------------------------------------------------ */

static void on_span(const MsSpan *span, void *user)
{
	(void)user;
	ms_detect(kinds, &filters, span, &budget, reading);
}

static void read_mail(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	(void)where;
	MsMessageSink sink = {.budget = to->budget, .reading = to->reading, .span = on_span};
	ms_message_read(data, len, &sink);
}

static void read_file(const char *path)
{
	g_autofree char *data = NULL;
	gsize len;
	if (!g_file_get_contents(path, &data, &len, NULL))
		return;
	if (g_str_has_suffix(path, ".eml")) {
		MsMessageSink sink = {.budget = &budget, .reading = reading, .span = on_span};
		ms_message_read((const guint8 *)data, len, &sink);
		return;
	}
	MsExtraction to = {
		.budget = &budget, .reading = reading, .span = on_span, .message = read_mail};
	to.face = ms_reading_face(reading, "document");
	MsDocument document = {.where = "document", .type = "application/octet-stream",
		.data = (const guint8 *)data, .len = len};
	ms_extract(&to, &document);
}

static void put(char letter, const char *first, const char *second, const char *third)
{
	g_autofree char *a = ms_text_escape(second, -1, 200), *b = ms_text_escape(third, -1, 200);
	printf("%c\t%s\t%s\t%s\n", letter, first, a, b);
}

/* Long enough for what the budget allows; a reader that ignores it is unread by this. */
#define MAIL_SECONDS 30

static void read_in_child(const guint8 *data, gsize len)
{
	MsMessageSink sink = {.budget = &budget, .reading = reading, .span = on_span};
	alarm(MAIL_SECONDS);
	ms_message_read(data, len, &sink);
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		put('f', f->kind, f->value, "");
	}
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		put('u', ms_unread_name(u->reason), u->where, u->detail);
	}
	fflush(stdout);
	_exit(0);
}

static void mail(const char *line)
{
	gsize len = (gsize)g_ascii_strtoull(line + 2, NULL, 10);
	g_autofree guint8 *data = g_malloc(len + 1);
	if (fread(data, 1, len, stdin) != len)
		exit(1);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		read_in_child(data, len);
	int status = 0;
	waitpid(child, &status, 0);
	if (status != 0) {
		g_autofree char *how = g_strdup_printf("ended with status %d", status);
		put('u', ms_unread_name(MS_UNREAD_WORKER), "message", how);
	}
}

static void answer(void)
{
	g_autoptr(GPtrArray)
		ids = g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		g_ptr_array_add(ids, ms_identifier_new(f->kind, f->value));
	}
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	if (ms_directory_resolve(directory, (const MsIdentifier *const *)ids->pdata, ids->len, NULL,
		    0, &resolution, &error) != MS_FOUND)
		g_error("%s", error->message);
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		g_autoptr(GPtrArray) owners = g_ptr_array_new();
		ms_resolution_owners(resolution, i, G_MAXUINT, owners);
		const MsPlace *place = f->places->len > 0 ? f->places->pdata[0] : NULL;
		g_autofree char *text = ms_text_escape(place != NULL ? place->text : "", -1, 100);
		g_autofree char *list = NULL;
		g_ptr_array_add(owners, NULL);
		list = g_strjoinv(" ", (char **)owners->pdata);
		printf("f\t%s\t%s\t%u\t%s\t%s\n", f->kind, f->value, f->belief, list, text);
	}
	puts(".");
	fflush(stdout);
}

static void question(char *line)
{
	MsLimits limits;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	reading = ms_reading_new();
	g_strchomp(line);
	if (g_str_has_prefix(line, "K\t")) { /* is it one at all? */
		g_auto(GStrv) parts = g_strsplit(line, "\t", 3);
		const char *why;
		const MsKind *kind = parts[1] != NULL && parts[2] != NULL
			? ms_kinds_find(kinds, parts[1])
			: NULL;
		g_autofree char *text = kind != NULL ? g_strcompress(parts[2]) : NULL;
		g_autofree char *value = kind != NULL
			? ms_kind_canonical(kind, text, strlen(text), &why)
			: NULL;
		if (value != NULL)
			printf("f\t%s\t%s\t0\t\t\n", kind->name, value);
	}
	if (g_str_has_prefix(line, "T\t")) {
		g_autofree char *text = g_strcompress(line + 2);
		g_autoptr(GString) valid = ms_text_repair(text, strlen(text));
		MsSpan span = {.where = "text", .text = valid->str, .len = valid->len};
		on_span(&span, NULL);
	} else if (g_str_has_prefix(line, "D\t")) {
		read_file(line + 2);
	} else if (g_str_has_prefix(line, "M\t")) {
		mail(line);
	}
	answer();
	g_clear_pointer(&reading, ms_reading_free);
}

static int answer_questions(const char *config)
{
	g_autoptr(GError) error = NULL;
	MsSettings *settings = ms_settings_load(config, &error);
	kinds = settings != NULL ? ms_engine_load_kinds(settings, &error) : NULL;
	directory = kinds != NULL ? ms_engine_open_directory(settings, kinds, &error) : NULL;
	g_autoptr(MsKnown) known = NULL;
	if (directory == NULL || ms_directory_known(directory, NULL, 0, &known, &error) != MS_FOUND)
		g_error("%s", error->message);
	guint8 key[MS_FILTER_KEY_BYTES];
	ms_directory_filter_key(directory, key);
	g_autoptr(GBytes) image = ms_filter_build(
		key, (const MsMark *)(const void *)known->marks->data, known->marks->len);
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	filters.parts[0] = ms_filter_open(data, size, NULL);
	ms_message_init();
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0)
		question(line);
	free(line);
	return 0;
}

/* ---- speed ---------------------------------------------------------------------------- */

static guint32 seed = 1;
static guint32 chance(guint32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Customers' numbers, IBANs, VAT IDs and addresses of e-mail, as a company has them. */
static char *invent(guint64 i, const char **kind)
{
	static const char *const names[] = {"anna", "invoice", "please", "office", "john.smith",
		"m.mueller", "contact", "purchase", "accounting", "service"};
	switch (i % 4) {
	case 0: *kind = "customer-number"; return g_strdup_printf("c%08" G_GUINT64_FORMAT, i);
	case 1:
		*kind = "iban";
		return g_strdup_printf("de%02u37040044%010" G_GUINT64_FORMAT, chance(98), i);
	case 2: *kind = "vat-id"; return g_strdup_printf("de%09" G_GUINT64_FORMAT, i);
	default: *kind = "email";
		return g_strdup_printf("%s%u"
				       "company%" G_GUINT64_FORMAT "com",
			names[chance(10)], chance(100), i);
	}
}

static GBytes *invented_filter(guint64 n)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = "fifteen letters";
	g_autoptr(GArray) marks = g_array_sized_new(FALSE, FALSE, sizeof(MsMark), (guint)n);
	for (guint64 i = 0; i < n; i++) {
		const char *kind;
		MsMark mark;
		g_autofree char *value = invent(i, &kind);
		g_autofree char *compact = ms_compact_of(value, strlen(value));
		if (ms_mark_make(key, kind, compact, strlen(compact), &mark))
			g_array_append_val(marks, mark);
	}
	gint64 start = g_get_monotonic_time();
	GBytes *image = ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
	printf("  %9" G_GUINT64_FORMAT
	       " identifiers: filter of %.1f MiB (%.1f bits each), made in %.2f s\n",
		n, (double)g_bytes_get_size(image) / (1 << 20),
		8.0 * (double)g_bytes_get_size(image) / (double)MAX(n, 1),
		(double)(g_get_monotonic_time() - start) / 1e6);
	return image;
}

static MsKinds *kinds_and(guint patterns)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(
		g_getenv("SOURCE"), "policies", "kinds.conf", NULL);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, &error))
		g_error("%s", error->message);
	GString *all = g_string_new(text);
	guint n = 0;
	for (guint k = 0; n < patterns; k++) {
		g_string_append_printf(all, "kind \"more-%u\" {\n\tpattern = {", k);
		for (guint i = 0; i < 50 && n < patterns; i++, n++)
			g_string_append_printf(all, "%s'%c%c%c-[0-9]{%u}'", i > 0 ? ", " : "",
				'a' + n % 26, 'a' + n / 26 % 26, 'a' + n / 676 % 26, 4 + n % 6);
		g_string_append(all, "}\n}\n");
	}
	MsKinds *made = ms_kinds_parse(path, all->str, &error);
	if (made == NULL)
		g_error("%s", error->message);
	g_string_free(all, TRUE);
	return made;
}

static double rate(gsize bytes, gint64 start)
{
	return (double)bytes / (double)MAX(g_get_monotonic_time() - start, 1);
}

#define PIECE 65536

/* In pieces of a long mail's size, each of which would be a span. */
static double run(const char *text, gsize len)
{
	MsLimits limits;
	ms_limits_default(&limits);
	gint64 start = g_get_monotonic_time();
	for (gsize at = 0; at < len; at += PIECE) {
		ms_budget_init(&budget, &limits);
		reading = ms_reading_new();
		while (at > 0 && ((guchar)text[at] & 0xc0) == 0x80)
			at++;
		gsize end = MIN(len, at + PIECE);
		while (end < len && ((guchar)text[end] & 0xc0) == 0x80)
			end++;
		MsSpan span = {.where = "text", .text = text + at, .len = end - at};
		on_span(&span, NULL);
		g_clear_pointer(&reading, ms_reading_free);
	}
	return rate(len, start);
}

/* Each pattern by itself over the whole text, as PCRE2 is used by most. */
static double one_by_one(const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	const MsPatterns *all = ms_kinds_patterns(kinds);
	gint64 start = g_get_monotonic_time();
	for (guint i = 0; i < all->patterns->len; i++) {
		g_autoptr(MsRegex)
			regex = ms_regex_new(ms_regex_pattern(all->patterns->pdata[i]), true, NULL);
		MsMatch match;
		for (gsize from = 0; from < fold->len &&
			ms_regex_match(regex, fold->text, fold->len, from, fold->len, &match) ==
				MS_MATCH;
			from = MAX(match.end, match.start + 1))
			while (match.end < fold->len &&
				((guchar)fold->text[match.end] & 0xc0) == 0x80)
				match.end++;
	}
	return rate(len, start);
}

static void steps(const char *text, gsize len)
{
	gint64 start = g_get_monotonic_time();
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	printf("  fold %.0f MB/s", rate(len, start));
	start = g_get_monotonic_time();
	g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
	printf(", compact %.0f MB/s of %zu words\n", rate(len, start), compact->n_words);
}

static int speed(guint64 identifiers, guint patterns, const char *path)
{
	g_autofree char *file = NULL;
	gsize file_len;
	mallopt(M_MMAP_THRESHOLD, 64 << 20); /* as missent-reader does */
	mallopt(M_TRIM_THRESHOLD, 512 << 20);
	if (!g_file_get_contents(path, &file, &file_len, NULL))
		return 1;
	g_autoptr(GString) text = ms_text_repair(file, file_len);
	g_autoptr(GBytes) image = invented_filter(identifiers);
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	filters.parts[0] = ms_filter_open(data, size, NULL);
	filters.lean = true; /* as missentd has it */
	kinds = kinds_and(patterns);
	gint64 start = g_get_monotonic_time();
	guint n;
	ms_dispatch_at(ms_kinds_patterns(kinds)->dispatch, "abc", 3, 0, &n);
	double made = (double)(g_get_monotonic_time() - start) / 1e3;
	run(text->str, MIN(text->len, 1 << 20));
	double best = 0;
	for (int i = 0; i < 3; i++)
		best = MAX(best, run(text->str, text->len));
	steps(text->str, text->len);
	printf("speed\t%" G_GUINT64_FORMAT "\t%u\t%.1f\t%.1f\t%.1f\n", identifiers, patterns, best,
		one_by_one(text->str, MIN(text->len, 2 << 20)), made);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "--speed") == 0)
		return speed(g_ascii_strtoull(argv[2], NULL, 10), (guint)atoi(argv[3]), argv[4]);
	if (argc != 2)
		return 64;
	return answer_questions(argv[1]);
}
