/*
 * What locks an Office file, and what it locks: the length of the first in two bytes, then both;
 * the password is that of the seeds.
 */
#include "config.h"

#include "missent/extract.h"

#include "../../milter/extract/locked.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static gsize ready;
	if (g_once_init_enter(&ready)) {
		ms_locked_init();
		g_once_init_leave(&ready, 1);
	}
	MsLimits limits;
	ms_limits_default(&limits);
	limits.milliseconds = 500; /* a file may ask for many rounds */
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	gsize split = len >= 2 ? data[0] | (gsize)data[1] << 8 : 0;
	if (len < 2 || split > len - 2)
		return 0;
	g_autoptr(GByteArray) info = g_byte_array_new(), package = g_byte_array_new();
	g_byte_array_append(info, data + 2, (guint)split);
	g_byte_array_append(package, data + 2 + split, (guint)(len - 2 - split));
	GByteArray *opened = ms_locked_office(&budget, info, package, "75001");
	if (opened != NULL) {
		g_assert_cmpuint(opened->len, <=, package->len);
		g_byte_array_unref(opened);
	}
	return 0;
}
