/*
 * Nothing comes in; libcurl's functions go out, loaded when a program first sends something.  State
 * of the process, made once; from any thread.
 */
#include "config.h"

#include <pthread.h>

#include "missent/late.h"

#include "curl.h"

MtaCurl mta_curl;
static char *missing; /* NULL: nothing is */

static void load(void)
{
#define STRING(name) "curl_" #name,
	static const char *const names[] = {MTA_CURL_FUNCTIONS(STRING) NULL};
#undef STRING
	G_STATIC_ASSERT(sizeof mta_curl == (G_N_ELEMENTS(names) - 1) * sizeof(MsLateFunction));
	if (ms_late_load("libcurl.so.4", names, (MsLateFunction *)&mta_curl, &missing))
		mta_curl.global_init(CURL_GLOBAL_DEFAULT);
}

bool mta_curl_load(const char **why_out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	*why_out = missing;
	return missing == NULL;
}
