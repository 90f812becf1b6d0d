/*
 * Bodies of requests to the API, each with the error that it must get or none; tokens and
 * addresses that come with them.
 */
#include "config.h"

#include "missent/answer.h"

#include "../../milter/review/page.h"
#include "../test.h"

/* ---- bodies --------------------------------------------------------------------------- */

#define DECIDE "POST", "decide"
#define REJUDGE "POST", "rejudge"
#define AGREE "POST", "agree"
#define U "0123456789abcdef"

/* NULL: it is taken. */
static const struct {
	const char *method, *path, *body, *want;
} rows[] = {
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"why\":\"x\"}", NULL},
	{DECIDE,
		"{\"verb\":\"release\",\"uids\":[\"" U
		"\"],\"recipients\":[\"a@b.example\"],\"others\":1}",
		NULL},
	{DECIDE, "", "verb: is missing"},
	{DECIDE, "{}", "verb: is missing"},
	{DECIDE, "{\"verb\":\"release\"}", "uids: is missing"},
	{DECIDE, "[]", "no JSON object"},
	{DECIDE, "null", "no JSON"},
	{DECIDE, "\"release\"", "no JSON"},
	{DECIDE, "{", "no JSON"},
	/* twice */
	{DECIDE, "{\"verb\":\"release\",\"verb\":\"delete\",\"uids\":[\"" U "\"]}", "no JSON"},
	{DECIDE, "{\"verb\":\"rel\xff\",\"uids\":[\"" U "\"]}", "no JSON"},
	{DECIDE, "{\"verb\":\"rel\\u0000\",\"uids\":[\"" U "\"]}", "no JSON"},
	{DECIDE, "{\"verb\":1,\"uids\":[\"" U "\"]}", "verb"},
	{DECIDE, "{\"verb\":\"\",\"uids\":[\"" U "\"]}", "verb"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":\"" U "\"}", "uids: is no list"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"\"]}", "uids"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[1]}", "uids"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[null]}", "uids"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"why\":\"\"}", "why"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"why\":\"  \"}", "why"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"recipients\":[\"\"]}", "recipients"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"others\":\"3\"}", "others"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"others\":-1}", "others"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"rightful\":\"yes\"}", "rightful"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"reciepients\":[]}",
		"did you mean \"recipients\""},
	/* who decides, of how many, and by which rule is not for the asker to say */
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"who\":\"bert\"}", "who"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"total\":1}", "total"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"session\":\"x\"}", "session"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"host\":\"mx2\"}", "host"},
	{DECIDE, "{\"verb\":\"release\",\"uids\":[\"" U "\"],\"do\":\"agree\"}", "do"},
	{REJUDGE, "{\"uids\":[\"" U "\"]}", NULL},
	{REJUDGE, "{\"uids\":[\"" U "\"],\"verb\":\"release\"}", "verb"},
	{AGREE, "{\"id\":\"" U "\",\"agrees\":true,\"name\":\"bert\",\"password\":\"a password\"}",
		NULL},
	{AGREE, "{\"id\":\"" U "\",\"agrees\":false}", NULL},
	{AGREE, "{\"id\":\"" U "\"}", "agrees: is missing"},
	{AGREE, "{\"id\":\"\",\"agrees\":true}", "id"},
	{AGREE, "{\"id\":\"" U "\",\"agrees\":\"true\"}", "agrees"},
	{AGREE, "{\"id\":\"" U "\",\"agrees\":true,\"proved\":true}", "proved"},
	{"POST", "held/" U "/evidence", "", NULL},
	{"POST", "held/" U "/evidence", "{}", NULL},
	{"POST", "held/" U "/evidence", "{\"who\":\"x\"}", "who"},
	{"GET", "stats", "{\"a\":1}", "a"},
};

static void test_bodies(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		gsize len = strlen(rows[i].body);
		char *body = exact_copy(rows[i].body, len);
		json_t *json = api_body(body, len, api_keys(rows[i].method, rows[i].path), &error);
		g_test_message("%s", rows[i].body);
		if (rows[i].want == NULL) {
			g_assert_no_error(error);
			g_assert_true(json_is_object(json));
		} else {
			g_assert_null(json);
			g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
			g_assert_nonnull(strstr(error->message, rows[i].want));
		}
		json_decref(json);
		free(body);
	}
}

/* Deep, wide, long: said no to, or taken, in little time. */
static void test_dear_bodies(void)
{
	g_autofree char *deep = g_strnfill(1 << 19, '[');
	g_autofree char *digits = g_strnfill(1 << 19, '9');
	g_autoptr(GString) wide = g_string_new("{");
	for (int i = 0; i < 50000; i++)
		g_string_append_printf(wide, "%s\"k%d\":1", i > 0 ? "," : "", i);
	g_string_append_c(wide, '}');
	const char *const bodies[] = {deep, digits, wide->str};
	gint64 before = cpu_time();
	for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(api_body(bodies[i], strlen(bodies[i]), api_keys(DECIDE), &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		g_assert_cmpuint(strlen(error->message), <, 5000);
	}
	g_assert_cmpint(cpu_time() - before, <, 2 * G_USEC_PER_SEC);
}

/* ---- tokens --------------------------------------------------------------------------- */

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_tokens(void)
{
	static const struct {
		const char *header, *want;
	} headers[] = {{NULL, NULL}, {"", NULL}, {"Bearer", NULL}, {"Bearer ", NULL},
		{"Basic bXN0Xw==", NULL}, {"Bearer mst_" DIGITS, "mst_" DIGITS},
		{"bearer  mst_" DIGITS " ", "mst_" DIGITS}, {"Bearer mst_" DIGITS "0", NULL},
		{"Bearer MST_" DIGITS, NULL}, {"Bearer mst_" DIGITS ", x", NULL},
		{"mst_" DIGITS, NULL}, {"Bearer mst_0123456789ABCDEF", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
		g_autofree char *token = api_token(headers[i].header);
		g_assert_cmpstr(token, ==, headers[i].want);
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *method, *path;
		bool has_keys;
	} paths[] = {{DECIDE, true}, {"GET", "decide", false}, {"DELETE", "decide", false},
		{"POST", "decide/", false}, {"POST", "/decide", false}, {"POST", "", false},
		{"POST", "held//evidence", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
		g_assert_cmpint(
			api_keys(paths[i].method, paths[i].path) != NULL, ==, paths[i].has_keys);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/api/bodies", test_bodies);
	g_test_add_func("/api/dear-bodies", test_dear_bodies);
	g_test_add_func("/api/tokens", test_tokens);
	g_test_add_func("/api/addresses", test_addresses);
	return g_test_run();
}
