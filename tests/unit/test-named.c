/* Text whose pieces have names. */
#include "config.h"

#include "missent/named.h"

#include "../test.h"

typedef struct {
	char *text;
	GString *names;
} Got;

static void on_span(const MsSpan *span, void *user)
{
	Got *got = user;
	g_free(got->text);
	got->text = g_strndup(span->text, span->len);
	for (gsize i = 0; i < span->n_names; i++) {
		const MsNamed *n = &span->names[i];
		g_string_append_printf(got->names, "%s=%.*s(%u %u)\n", n->name,
			(int)(n->until - n->from), span->text + n->from, n->group, n->own);
	}
}

static void test_builder(void)
{
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	Got got = {NULL, g_string_new(NULL)};
	MsExtraction to = {.budget = &budget, .reading = reading, .span = on_span, .user = &got};
	g_autoptr(MsNamedText) named = ms_named_new();
	ms_named_open(named, "root");
	ms_named_open(named, "a/b");
	ms_named_value(named, "customerNumber", "4711", 4);
	ms_named_value(named, NULL, "x\xff", 2); /* repaired */
	ms_named_open(named, NULL);
	ms_named_value(named, "n", "1", 1);
	ms_named_value(named, "empty", "", 0);
	ms_named_close(named);
	ms_named_open(named, "c");
	ms_named_open(named, "d");
	ms_named_value(named, NULL, "2", 1);
	for (int i = 0; i < 9; i++)
		ms_named_close(named);
	ms_named_value(named, NULL, "bare", 4);
	ms_extract_named(&to, "x", named);
	g_assert_cmpstr(got.text, ==, "4711\nx\xc3\xbf\n1\n\n2\nbare\n");
	g_assert_cmpstr(got.names->str, ==,
		"root/a b/customerNumber=4711(2 2)\nroot/a b=x\xc3\xbf(1 2)\n"
		"root/a b/n=1(3 3)\na b/c/d=2(4 5)\n");
	g_assert_cmpuint(reading->text_bytes, ==, 19);
	g_free(got.text);
	g_string_free(got.names, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/named/builder", test_builder);
	return g_test_run();
}
