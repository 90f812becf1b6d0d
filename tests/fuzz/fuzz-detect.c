/*
 * Bytes come in as a text in which identifiers are looked for, as stretches with names too:
 * findings lie within it.
 */
#include "config.h"

#include "missent/detect.h"
#include "missent/text.h"

#include "../test.h"
#include "fuzz.h"

static const char kinds_text[] =
	"kind \"iban\" { pattern = {\x27[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,38}\x27}\n check = iban }\n"
	"kind \"email\" { pattern = {\x27[^\\s@]+@[^\\s@]+\\.[a-z]+\x27}\n canonical = email }\n"
	"kind \"number\" { pattern = {\x27\\w{3,20}\x27}\n labels = {\"no\", \"Nr.\"}\n"
	" label-required = yes }\n"
	"kind \"address\" { labels = {\"to\"}\n block = yes\n canonical = address }\n";

/* A directory that knows short things, so that a fuzzer meets them. */
static MsFilter *known_filter(const MsKinds *kinds)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = {7};
	static const char *const known[][2] = {{"number", "abc"}, {"number", "12345"},
		{"number", "a1b2c3d4e5"}, {"email", "abxcom"}, {"iban", "de89370400440532013000"},
		{"address", "10115/"}, {"address", "10115/5/"}, {"address", "10115/5/haupt"},
		{"address", "10115/5/haupt/muster"}, {"address", "sw1a2aa/"},
		{"address", "sw1a2aa/10/"}, {"address", "sw1a2aa/10/downing"}, {"address", "0000/"},
		{"address", "0000/1/"}, {"address", "~~/"}, {"address", "~dubai/"},
		{"address", "~dubai/7/"}, {"address", "~dubai/7/pobox"}, {"number", "x12345"},
		{"number", "kd00417"}, {"number", "re20260418"}, {"number", "0000071"}};
	const guint8 tag = ms_kind_tag("number");
	const MsStyle styles[] = {{tag, "kd", 2, 5}, {tag, "re", 2, 0}, {tag, "", 0, 7}};
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		MsMark mark;
		g_assert_nonnull(ms_kinds_find(kinds, known[i][0]));
		g_assert_true(
			ms_mark_make(key, known[i][0], known[i][1], strlen(known[i][1]), &mark));
		g_array_append_val(marks, mark);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(styles); i++) {
		MsMark mark;
		ms_style_mark(&styles[i], &mark);
		g_array_append_val(marks, mark);
	}
	GBytes *image = ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
	gsize size;
	const void *data = g_bytes_get_data(image, &size); /* kept for good */
	return ms_filter_open(data, size, NULL);
}

/* Lines "name=value" as stretches with their names. */
static GArray *stretches(const char *text, gsize len, GPtrArray *names)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(MsNamed));
	for (gsize at = 0; at < len;) {
		const char *nl = memchr(text + at, '\n', len - at);
		gsize end = nl != NULL ? (gsize)(nl - text) : len;
		const char *is = memchr(text + at, '=', end - at);
		if (is != NULL) {
			char *name = g_strndup(text + at, (gsize)(is - text) - at);
			g_ptr_array_add(names, name);
			MsNamed stretch = {(gsize)(is - text) + 1, end, name, (guint)(at / 64),
				(guint)(at / 32)};
			g_array_append_val(out, stretch);
		}
		at = end + 1;
	}
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static MsKinds *kinds;
	static MsFilters known;
	if (kinds == NULL) {
		kinds = ms_kinds_parse("fuzz", kinds_text, NULL);
		g_assert_nonnull(kinds);
		known.parts[0] = known_filter(kinds);
	}
	g_autoptr(GString) text = ms_text_repair((const char *)data, len);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	char *input = exact_copy(text->str, text->len);
	MsSpan span = {.where = "fuzz", .text = input, .len = text->len};
	ms_detect(kinds, &known, &span, &budget, reading);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) named = stretches(input, text->len, names);
	span.names = (const MsNamed *)(const void *)named->data;
	span.n_names = named->len;
	ms_detect(kinds, &known, &span, &budget, reading);
	free(input);
	return 0;
}
