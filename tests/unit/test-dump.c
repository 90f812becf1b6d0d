#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "milter/audit/audit_private.h"

#include "../test.h"

/*
 * The text of a line is what jansson's own writer gives, whatever is in it: each byte, each form of
 * a character, and trees that are made by chance.
 */

static void same(const json_t *value)
{
	char *want = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *got = ms_audit_dump(value);
	g_assert_cmpstr(got, ==, want);
	free(want);
	free(got);
}

static void test_texts(void)
{
	static const char *const texts[] = {"", "plain", "\"\\/\b\f\n\r\t\v", "\x01\x1f\x7f", "é",
		"€", "𝄞 and \xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		"end\\", "é\"é"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		json_t *list = json_pack("[s, {s:s}]", texts[i], texts[i], texts[i]);
		g_assert_nonnull(list);
		same(list);
		json_decref(list);
	}
	for (gunichar c = 0; c < 0x11000; c++) {
		char text[8];
		int len = g_unichar_to_utf8(c, text);
		json_t *list = g_unichar_validate(c) ? json_array() : NULL;
		if (list == NULL)
			continue;
		json_array_append_new(list, json_stringn(text, (gsize)len)); /* a NUL too */
		same(list);
		json_decref(list);
	}
}

static void test_numbers(void)
{
	static const json_int_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890,
		G_MAXINT64, G_MININT64};
	json_t *list = json_array();
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		json_array_append_new(list, json_integer(numbers[i]));
	json_array_append_new(list, json_real(0.1));
	json_array_append_new(list, json_real(1e300));
	json_array_append_new(list, json_null());
	json_array_append_new(list, json_boolean(true));
	json_array_append_new(list, json_boolean(false));
	same(list);
	json_decref(list);
}

static json_t *by_chance(GRand *rand, int depth)
{
	char name[3] = {(char)g_rand_int_range(rand, 1, 127), '{', '\0'};
	json_t *out;
	switch (g_rand_int_range(rand, 0, depth > 4 ? 3 : 5)) {
	case 0: return json_integer((json_int_t)g_rand_int(rand) - G_MAXINT32);
	case 1: return json_string(name);
	case 2: return json_null();
	case 3:
		out = json_array();
		for (int n = g_rand_int_range(rand, 0, 4); n > 0; n--)
			json_array_append_new(out, by_chance(rand, depth + 1));
		return out;
	default:
		out = json_object();
		for (int n = g_rand_int_range(rand, 0, 4); n > 0; n--) {
			name[0] = (char)g_rand_int_range(rand, 1, 127);
			json_object_set_new(out, name, by_chance(rand, depth + 1));
		}
		return out;
	}
}

static void test_trees(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20261127);
	for (int i = 0; i < 2000; i++) {
		json_t *list = json_array();
		json_array_append_new(list, by_chance(rand, 0));
		same(list);
		json_decref(list);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dump/texts", test_texts);
	g_test_add_func("/dump/numbers", test_numbers);
	g_test_add_func("/dump/trees", test_trees);
	return g_test_run();
}
