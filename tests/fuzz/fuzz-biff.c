/* The stream of an Excel workbook. */
#include "config.h"

#include "missent/extract.h"

#include "../../milter/extract/ole.h"
#include "fuzz.h"

static void ignore(const MsSpan *span, void *user)
{
	(void)span;
	(void)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static gsize ready;
	if (g_once_init_enter(&ready)) {
		ms_charset_init();
		g_once_init_leave(&ready, 1);
	}
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	MsReading *reading = ms_reading_new();
	MsExtraction to = {.budget = &budget, .reading = reading, .span = ignore};
	ms_biff_read(&to, "document", data, len);
	ms_reading_free(reading);
	return 0;
}
