/*
 * Bytes come in as another host's record of a held message: it is refused, or says the same
 * again.
 */
#include "config.h"

#include "missent/record.h"

#include "../test.h"
#include "fuzz.h"

/* What a host says of a held message: taken whole, and then it says the same again, or not at
 * all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *copy = exact_copy(data, len);
	g_autoptr(MsRecord) record = ms_record_from_json(copy, len, NULL);
	if (record == NULL)
		return 0;
	char *text = ms_record_to_json(record);
	g_assert_nonnull(text);
	g_autoptr(MsRecord) again = ms_record_from_json(text, strlen(text), NULL);
	g_assert_nonnull(again);
	char *same = ms_record_to_json(again);
	g_assert_cmpstr(text, ==, same);
	free(text);
	free(same);
	return 0;
}
