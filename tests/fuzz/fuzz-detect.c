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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static MsKinds *kinds;
	if (kinds == NULL)
		kinds = ms_kinds_parse("fuzz", kinds_text, NULL);
	g_assert_nonnull(kinds);
	g_autoptr(GString) text = ms_text_repair((const char *)data, len);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	char *input = exact_copy(text->str, text->len);
	MsSpan span = {.where = "fuzz", .text = input, .len = text->len};
	ms_detect(kinds, NULL, &span, &budget, reading);
	free(input);
	return 0;
}
