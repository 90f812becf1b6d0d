/* Any file that is attached: whichever reader its bytes choose. */
#include "config.h"

#include "missent/extract.h"
#include "missent/message.h"

#include "fuzz.h"

#include <string.h>

static void ignore(const MsSpan *span, void *user)
{
	(void)user;
	g_assert(g_utf8_validate(span->text, (gssize)span->len, NULL)
		|| memchr(span->text, 0, span->len) != NULL);
}

static void read_mail(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	(void)where;
	MsMessageSink sink = {.budget = to->budget, .reading = to->reading, .span = to->span};
	ms_message_read(data, len, &sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static gsize ready;
	if (g_once_init_enter(&ready)) {
		ms_message_init();
		g_once_init_leave(&ready, 1);
	}
	/* Poppler 22.12 crashes on an embedded file that is no stream, and on more: what a crash of
	 * the worker costs is tested elsewhere; here our own readers are. */
	if (memmem(data, len, "%PDF", 4) != NULL)
		return 0;
	MsLimits limits;
	ms_limits_default(&limits);
	limits.max[MS_COST_DECODED] = 4 << 20;
	limits.max[MS_COST_PAGE] = 3;
	limits.max_depth = 4;
	limits.milliseconds = 2000;
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	MsReading *reading = ms_reading_new();
	MsExtraction to = {
		.budget = &budget, .reading = reading, .span = ignore, .message = read_mail};
	to.face = ms_reading_face(reading, "document");
	MsDocument document = {.where = "document", .type = "", .data = data, .len = len};
	ms_extract(&to, &document);
	g_bytes_unref(ms_reading_encode(reading));
	ms_reading_free(reading);
	return 0;
}
