/*
 * Bytes come in as missent.conf and as kinds.conf: each is taken, or refused with an error.
 */
#include "config.h"

#include "missent/kind.h"
#include "missent/settings.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_parse("fuzz.conf", text, ms_settings_rows, &error);
	g_assert_true((root == NULL) == (error != NULL));
	ms_kinds_unref(ms_kinds_parse("kinds.conf", text, NULL));
	return 0;
}
