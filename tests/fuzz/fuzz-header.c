/*
 * Bytes come in as a header field's value: encoded words, addresses and parameters that come
 * out are valid.
 */
#include "config.h"

#include "missent/extract.h"

#include "../../milter/message/header.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool ready;
	if (!ready)
		ms_charset_init();
	ready = true;
	char *unknown = NULL;
	g_autoptr(GString) text = ms_words_decode((const char *)data, len, false, &unknown);
	/* Valid but for NULs, which the caller replaces. */
	for (gsize i = 0; i < text->len; i++)
		if (text->str[i] == 0)
			text->str[i] = 32;
	g_assert_true(g_utf8_validate_len(text->str, text->len, NULL));
	g_free(unknown);
	g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) names = g_string_new(NULL);
	guint n = ms_header_addresses((const char *)data, len, addresses, 100, names);
	g_assert_cmpuint(addresses->len, ==, MIN(n, 100));
	g_autoptr(GPtrArray) parameters = ms_header_parameters((const char *)data, len);
	for (guint i = 0; i < parameters->len; i++)
		g_assert_true(
			g_utf8_validate(((MsParameter *)parameters->pdata[i])->value, -1, NULL));
	return 0;
}
