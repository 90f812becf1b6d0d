/*
 * Bytes come in as a request of the API: they are refused, or taken as what the page would
 * ask.
 */
#include "config.h"

#include "../../milter/review/page.h"
#include "../test.h"
#include "fuzz.h"

/* What programs send: the first line is a header with a token, the rest a body.  A body that is
 * taken has only keys that there are, and is a whole decision or is refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const paths[] = {"decide", "rejudge", "agree", "held/x/evidence"};
	const uint8_t *line = memchr(data, '\n', len);
	gsize head = line != NULL ? (gsize)(line - data) : 0;
	g_autofree char *authorization = g_strndup((const char *)data, head);
	g_autofree char *token = api_token(authorization);
	g_assert_true(token == NULL || strlen(token) == 68);
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(MsAsk) ask = {.uids = NULL};
		json_t *body = api_body(
			(const char *)data + head, len - head, api_keys("POST", paths[i]), &error);
		g_assert_true((body == NULL) == (error != NULL));
		if (body != NULL && i == 0) {
			g_assert_null(json_object_get(body, "who"));
			json_object_set_new(body, "do", json_string("decide"));
			g_clear_error(&error);
			g_assert_true(ms_ask_from_json(body, &ask, &error) == (error == NULL));
		}
		json_decref(body);
	}
	return 0;
}
