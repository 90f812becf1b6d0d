/* Shared by submit.c and hook.c: libcurl, loaded and set up once for all threads. */
#ifndef MISSENT_MTA_CURL_H
#define MISSENT_MTA_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#define MTA_CURL_FUNCTIONS(with) \
	with(easy_cleanup) with(easy_getinfo) with(easy_init) with(easy_perform) with(easy_setopt) \
	with(easy_strerror) with(global_init) with(slist_append) with(slist_free_all)

typedef struct {
#define POINTER(name) __typeof__(curl_##name) *name;
	MTA_CURL_FUNCTIONS(POINTER)
#undef POINTER
} MtaCurl;

/* There once mta_curl_load() has said so; else `*why_out`, which stays as it is, tells what is
 * missing. */
extern MtaCurl mta_curl;
bool mta_curl_load(const char **why_out);

#endif
