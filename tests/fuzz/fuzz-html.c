/*
 * Bytes come in as HTML: nothing is read beyond their end.
 */
#include "config.h"

#include "missent/text.h"

#include "../../milter/extract/html.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autoptr(GString) text = ms_text_repair((const char *)data, len);
	g_autoptr(MsHtml) out = ms_html_new();
	char *input = exact_copy(text->str, text->len);
	ms_html_read(input, text->len, out);
	free(input);
	return 0;
}
