/*
 * A line that is written value by value is what jansson's own writer gives of a tree, whatever is
 * in it: each byte, each form of a character, and trees that are made by chance.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "milter/audit/audit_private.h"

#include "../test.h"

static void put(GString *out, const char *name, json_t *value)
{
	const char *key;
	json_t *each;
	gsize i;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		ms_put_open(out, name, '{');
		json_object_foreach(value, key, each)
			put(out, key, each);
		ms_put_close(out, '}');
		break;
	case JSON_ARRAY:
		ms_put_open(out, name, '[');
		json_array_foreach(value, i, each)
			put(out, NULL, each);
		ms_put_close(out, ']');
		break;
	case JSON_STRING: ms_put_text(out, name, json_string_value(value)); break;
	case JSON_INTEGER: ms_put_integer(out, name, json_integer_value(value)); break;
	case JSON_TRUE:
	case JSON_FALSE: ms_put_truth(out, name, json_is_true(value)); break;
	case JSON_NULL: ms_put_text(out, name, NULL); break;
	case JSON_REAL: g_assert_not_reached();
	}
}

static void same(json_t *value)
{
	char *want = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
	g_autoptr(GString) got = g_string_new(NULL);
	put(got, NULL, value);
	g_assert_cmpstr(got->str, ==, want);
	free(want);
}

static void test_texts(void)
{
	static const char *const texts[] = {"", "plain", "\"\\/\b\f\n\r\t\v", "\x01\x1f\x7f", "é",
		"€", "𝄞 and \xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		"end\\", "é\"é", "{", "[", "a{"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		json_t *list = json_pack("[s, {s:s}]", texts[i], texts[i], texts[i]);
		g_assert_nonnull(list);
		same(list);
		json_decref(list);
	}
	for (gunichar c = 1; c < 0x11000; c++) {
		char text[8] = "";
		g_unichar_to_utf8(c, text);
		json_t *list = g_unichar_validate(c) ? json_array() : NULL;
		if (list == NULL)
			continue;
		json_array_append_new(list, json_string(text));
		same(list);
		json_decref(list);
	}
}

/* What is no UTF-8 is written as g_utf8_make_valid() has it, in names as well. */
static void test_any_bytes(void)
{
	static const char *const texts[] = {"\xff", "a\xc3", "\xed\xa0\x80", "x\x80y"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *valid = g_utf8_make_valid(texts[i], -1);
		g_autoptr(GString) got = g_string_new(NULL);
		json_t *tree = json_pack("{s:s}", valid, valid);
		char *want = json_dumps(tree, JSON_COMPACT | JSON_ENSURE_ASCII);
		ms_put_open(got, NULL, '{');
		ms_put_text(got, texts[i], texts[i]);
		ms_put_close(got, '}');
		g_assert_cmpstr(got->str, ==, want);
		json_decref(tree);
		free(want);
	}
}

static void test_numbers(void)
{
	static const json_int_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890,
		G_MAXINT64, G_MININT64};
	json_t *list = json_array();
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		json_array_append_new(list, json_integer(numbers[i]));
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
	g_test_add_func("/dump/any-bytes", test_any_bytes);
	g_test_add_func("/dump/numbers", test_numbers);
	g_test_add_func("/dump/trees", test_trees);
	return g_test_run();
}
