/*
 * Bytes come in as what a sender wrote: what the page shows of it is text and nothing else.
 */
#include "config.h"

#include "../../milter/review/page.h"
#include "../test.h"
#include "fuzz.h"

/* Whatever is shown is text: valid, without a character that could end an attribute or open a tag,
 * and without one that cannot be seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	g_autoptr(GString) out = g_string_new(NULL);
	html_text(out, text);
	g_assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
	g_assert_null(strpbrk(out->str, "<>\"'"));
	for (const char *p = out->str; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		g_assert_true(c >= ' ' || c == '\n' || c == '\t');
		g_assert_false(c >= 0x202a && c <= 0x202e);
	}
	return 0;
}
