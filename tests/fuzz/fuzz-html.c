#include "config.h"

#include "missent/text.h"

#include "../../milter/extract/html.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autoptr(GString) text = ms_text_repair((const char *)data, len);
	g_autoptr(GString) a = g_string_new(NULL), b = g_string_new(NULL), c = g_string_new(NULL),
			   d = g_string_new(NULL);
	MsHtml out = {a, b, c, d};
	char *input = exact_copy(text->str, text->len);
	ms_html_read(input, text->len, &out);
	free(input);
	return 0;
}
