/*
 * A message of ours to a program: a body goes as a POST over HTTP, signed with a key that both
 * have; back comes whether it was taken.  No state but libcurl's own; from any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/mta.h"
#include "missent/text.h"

#include "curl.h"

#define REPLY_MOST 65536

/* Nothing of a reply is of interest; one that does not end is. */
static size_t pass_over(char *data, size_t size, size_t count, void *user)
{
	(void)data;
	gsize *seen = user;
	*seen += size * count;
	return *seen <= REPLY_MOST ? size * count : 0;
}

char *ms_hook_signature(const char *key, gint64 at, const char *body)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT ".%s", at, body);
	g_autofree char *hmac = g_compute_hmac_for_string(
		G_CHECKSUM_SHA256, (const guchar *)key, strlen(key), text, -1);
	return g_strdup_printf("t=%" G_GINT64_FORMAT ",v1=%s", at, hmac);
}

static struct curl_slist *headers_of(const MsHook *hook, const char *name, const char *body)
{
	g_autofree char *signature = ms_hook_signature(
		hook->key, g_get_real_time() / G_USEC_PER_SEC, body);
	g_autofree char *signed_with = g_strdup_printf("X-Missent-Signature: %s", signature);
	g_autofree char *delivery = g_strdup_printf("X-Missent-Delivery: %s", name);
	struct curl_slist *list = mta_curl.slist_append(NULL, "Content-Type: application/json");
	list = mta_curl.slist_append(list, signed_with);
	list = mta_curl.slist_append(list, delivery);
	return mta_curl.slist_append(list, "Expect:");
}

static void set_up(
	CURL *easy, const MsHook *hook, const char *body, struct curl_slist *headers, gsize *seen)
{
	mta_curl.easy_setopt(easy, CURLOPT_URL, hook->url);
	mta_curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	mta_curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	mta_curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	mta_curl.easy_setopt(easy, CURLOPT_PROXY, "");
	mta_curl.easy_setopt(easy, CURLOPT_USERAGENT, "missent/" PACKAGE_VERSION);
	mta_curl.easy_setopt(easy, CURLOPT_POST, 1L);
	mta_curl.easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	mta_curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	mta_curl.easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	mta_curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)hook->timeout_ms);
	mta_curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)hook->timeout_ms);
	mta_curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
	mta_curl.easy_setopt(easy, CURLOPT_WRITEDATA, seen);
}

bool ms_hook_post(const MsHook *hook, const char *name, const char *body, char **why_out)
{
	const char *missing;
	if (!mta_curl_load(&missing)) {
		*why_out = g_strdup(missing);
		return false;
	}
	CURL *easy = mta_curl.easy_init();
	char said[CURL_ERROR_SIZE] = "";
	gsize seen = 0;
	long code = 0;
	g_assert(easy != NULL);
	struct curl_slist *headers = headers_of(hook, name, body);
	set_up(easy, hook, body, headers, &seen);
	mta_curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
	CURLcode rc = mta_curl.easy_perform(easy);
	mta_curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	mta_curl.slist_free_all(headers);
	mta_curl.easy_cleanup(easy);
	/* A reply that was too long has its code all the same. */
	bool taken = (rc == CURLE_OK || rc == CURLE_WRITE_ERROR) && code >= 200 && code < 300;
	if (!taken)
		*why_out = code > 0
			? g_strdup_printf("HTTP status %ld", code)
			: ms_text_escape(
				  *said != '\0' ? said : mta_curl.easy_strerror(rc), -1, 300);
	return taken;
}
