/*
 * A message of ours to the MTA: a header and a file go over SMTP, through libcurl; back come what
 * the MTA said and whether it has the message.  No state but libcurl's own; from any thread.
 */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/mta.h"
#include "missent/text.h"

#include "curl.h"

/* ---- what is sent --------------------------------------------------------------------- */

typedef struct {
	const char *header; /* what is left of it */
	int fd;
	off_t at;
	char buffer[16384];
	gsize have, next;
	bool carriage; /* the last character sent was CR */
	bool all;      /* everything was handed over */
} Source;

static int next_byte(Source *s)
{
	if (*s->header != '\0')
		return (guchar)*s->header++;
	if (s->next == s->have) {
		ssize_t n = pread(s->fd, s->buffer, sizeof s->buffer, s->at);
		if (n <= 0)
			return n < 0 ? -2 : -1;
		s->at += n;
		s->have = (gsize)n;
		s->next = 0;
	}
	return (guchar)s->buffer[s->next++];
}

/* Lines end with CRLF, however they end in the file. */
static size_t give(char *out, size_t size, size_t count, void *user)
{
	Source *s = user;
	size_t room = size * count, n = 0;
	while (n + 2 <= room) {
		int c = next_byte(s);
		if (c == -2)
			return CURL_READFUNC_ABORT;
		if (c == -1) {
			s->all = true;
			break;
		}
		if (c == '\n' && !s->carriage)
			out[n++] = '\r';
		out[n++] = (char)c;
		s->carriage = c == '\r';
	}
	return n;
}

/* ---- what is answered ----------------------------------------------------------------- */

static bool is_refusal(const char *reply)
{
	return reply != NULL && (*reply == '4' || *reply == '5');
}

/* The last line of a reply that came from the server; of one that refuses it libcurl takes its
 * leave, and what is said to that tells nothing. */
static size_t take(char *line, size_t size, size_t count, void *user)
{
	char **last = user;
	if (is_refusal(*last) && size * count >= 3 && strncmp(line, "221", 3) == 0)
		return size * count;
	g_free(*last);
	*last = g_strndup(line, size * count);
	g_strchomp(*last);
	return size * count;
}

static MsSubmitted outcome(CURLcode rc, long code, const Source *source)
{
	if (rc == CURLE_OK)
		return MS_SUBMITTED;
	if (code >= 400 && code < 600)
		return code >= 500 ? MS_REFUSED : MS_LATER;
	return source->all ? MS_UNCLEAR : MS_LATER;
}

static struct curl_slist *recipients_of(const GPtrArray *recipients)
{
	struct curl_slist *list = NULL;
	for (guint i = 0; i < recipients->len; i++) {
		g_autofree char *address = g_strdup_printf("<%s>", (char *)recipients->pdata[i]);
		list = curl_slist_append(list, address);
	}
	return list;
}

static void set_up(CURL *curl, const MsSubmit *submit, const char *from, struct curl_slist *to)
{
	curl_easy_setopt(curl, CURLOPT_URL, submit->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(submit->timeout_ms, 20000));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)submit->timeout_ms);
	/* Else two minutes: less than an MTA may take to answer at the end of a message. */
	curl_easy_setopt(
		curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((submit->timeout_ms + 999) / 1000));
	if (submit->user != NULL && submit->password != NULL) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, submit->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, submit->password);
		curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	}
}

/* To a server that said no more, libcurl would say QUIT, and wait for it for two minutes. */
static void hang_up(CURL *curl)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RDWR);
}

static void init_once(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void mta_curl_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_once);
}

/* In a locale of UTF-8 libcurl writes a domain in ASCII ("xn--..."): another recipient than the one
 * that the token is for. */
static CURLcode perform(CURL *curl)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", NULL), usual = uselocale(plain);
	CURLcode rc = curl_easy_perform(curl);
	uselocale(usual);
	freelocale(plain);
	return rc;
}

/* Where the connection broke, what the server said before is no answer to what it did not hear. */
static char *reply_of(CURLcode rc, const char *why, const char *last)
{
	if (last == NULL || *last == '\0')
		return g_strdup(why);
	return rc == CURLE_OK || is_refusal(last) ? g_strdup(last)
						  : g_strdup_printf("%s (it said last: %s)", why, last);
}

MsSubmitted ms_mta_submit(const MsSubmit *submit, const char *sender, const GPtrArray *recipients,
	const char *header, int message_fd, char **reply_out)
{
	mta_curl_init();
	CURL *curl = curl_easy_init();
	g_autofree char *from = g_strdup_printf("<%s>", sender);
	g_autofree char *last = NULL;
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *to = recipients_of(recipients);
	Source source = {.header = header, .fd = message_fd};
	g_assert(curl != NULL);
	set_up(curl, submit, from, to);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, &source);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &last);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	CURLcode rc = perform(curl);
	long code = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	if (code == 221 && is_refusal(last))
		code = strtol(last, NULL, 10);
	MsSubmitted result = outcome(rc, code, &source);
	g_autofree char *text = reply_of(rc, *why != '\0' ? why : curl_easy_strerror(rc), last);
	*reply_out = ms_text_escape(text, -1, 300);
	if (rc != CURLE_OK)
		hang_up(curl);
	curl_slist_free_all(to);
	curl_easy_cleanup(curl);
	return result;
}
