/* Authentication-Results, as anybody may have written them into a message. */
#include "config.h"

#include <string.h>

#include "missent/authresults.h"

#include "../test.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *value = g_strndup((const char *)data, len);
	g_autoptr(MsAuthResults) all = ms_auth_results_parse(value);
	if (all == NULL)
		return 0;
	g_assert_cmpstr(all->id, !=, "");
	g_assert_cmpuint(all->results->len, <=, MS_AUTH_MOST);
	for (guint i = 0; i < all->results->len; i++) {
		const MsAuthResult *one = all->results->pdata[i];
		g_assert_true(*one->method != '\0' && *one->result != '\0');
		g_assert_cmpuint(one->properties->len, <=, MS_AUTH_MOST);
		for (guint k = 0; k < one->properties->len; k++)
			g_assert_nonnull(strchr(one->properties->pdata[k], '.'));
	}
	/* What was understood of it does not change by what follows. */
	g_autofree char *longer = g_strconcat(value, "; x", NULL);
	g_autoptr(MsAuthResults) more = ms_auth_results_parse(longer);
	g_assert_true(more == NULL || more->results->len + 1 >= all->results->len);
	return 0;
}
