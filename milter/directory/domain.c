/*
 * A domain comes in, out goes whether anybody can be found at it or below it.  Two lists that are
 * compiled in; any thread.
 */
#include "config.h"

#include <glib.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "missent/domain.h"

static const char *const providers[] = {
#include "milter/directory/providers.inc"
};

static int compare_domains(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

bool ms_domain_is_provider(const char *domain)
{
	return bsearch(domain, providers, G_N_ELEMENTS(providers), sizeof *providers,
		       compare_domains) != NULL;
}

void ms_domain_providers(void (*each)(const char *domain, void *user), void *user)
{
	for (gsize i = 0; i < G_N_ELEMENTS(providers); i++)
		each(providers[i], user);
}

bool ms_domain_is_suffix(const char *domain)
{
	const psl_ctx_t *list = psl_builtin();
	return list != NULL && *domain != '\0'
		&& psl_is_public_suffix2(list, domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}
