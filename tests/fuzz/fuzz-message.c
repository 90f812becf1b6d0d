/*
 * Bytes come in as a message: whatever they are, there is a reading, and it crosses between
 * the wings.
 */
#include "config.h"

#include "missent/message.h"

#include "../test.h"
#include "fuzz.h"

static void ignore(const MsSpan *span, void *user)
{
	(void)user;
	g_assert_true(span->where != NULL && span->len > 0);
}

/* Whatever the bytes are: a reading that crosses the wings. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool ready;
	if (!ready)
		ms_message_init();
	ready = true;
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	limits.max[MS_COST_HEADER_BYTES] = 20000;
	ms_budget_init(&budget, &limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsMessageSink sink = {.budget = &budget, .reading = reading, .span = ignore};
	ms_message_read(data, len, &sink);
	g_autoptr(GBytes) bytes = ms_reading_encode(reading);
	g_autoptr(GError) error = NULL;
	MsReading *decoded = ms_reading_decode(bytes, &error);
	g_assert_no_error(error);
	ms_reading_free(decoded);
	return 0;
}
