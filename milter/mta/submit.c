/*
 * A message of ours to the MTA: a header and a file go over SMTP, through libcurl; back come what
 * the MTA said and whether it has the message.  No state but libcurl's own; from any thread.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
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
		list = mta_curl.slist_append(list, address);
	}
	return list;
}

static void set_up(CURL *easy, const MsSubmit *submit, const char *from, struct curl_slist *to)
{
	mta_curl.easy_setopt(easy, CURLOPT_URL, submit->url);
	mta_curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	mta_curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	mta_curl.easy_setopt(easy, CURLOPT_PROXY, "");
	mta_curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	mta_curl.easy_setopt(easy, CURLOPT_MAIL_FROM, from);
	mta_curl.easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	mta_curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(submit->timeout_ms, 20000));
	mta_curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)submit->timeout_ms);
	/* Else two minutes: less than an MTA may take to answer at the end of a message. */
	mta_curl.easy_setopt(
		easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((submit->timeout_ms + 999) / 1000));
	if (submit->user != NULL && submit->password != NULL) {
		mta_curl.easy_setopt(easy, CURLOPT_USERNAME, submit->user);
		mta_curl.easy_setopt(easy, CURLOPT_PASSWORD, submit->password);
		mta_curl.easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	}
}

/* To a server that said no more, libcurl would say QUIT, and wait for it for two minutes. */
static void hang_up(CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (mta_curl.easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RDWR);
}

/* In a locale of UTF-8 libcurl writes a domain in ASCII ("xn--..."): another recipient than the one
 * that the token is for. */
static CURLcode perform(CURL *easy)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", NULL), usual = uselocale(plain);
	CURLcode rc = mta_curl.easy_perform(easy);
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
	const char *missing;
	if (!mta_curl_load(&missing)) {
		*reply_out = g_strdup(missing);
		return MS_LATER;
	}
	CURL *easy = mta_curl.easy_init();
	g_autofree char *from = g_strdup_printf("<%s>", sender);
	g_autofree char *last = NULL;
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *to = recipients_of(recipients);
	Source source = {.header = header, .fd = message_fd};
	g_assert(easy != NULL);
	set_up(easy, submit, from, to);
	mta_curl.easy_setopt(easy, CURLOPT_READFUNCTION, give);
	mta_curl.easy_setopt(easy, CURLOPT_READDATA, &source);
	mta_curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, take);
	mta_curl.easy_setopt(easy, CURLOPT_HEADERDATA, &last);
	mta_curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
	CURLcode rc = perform(easy);
	long code = 0;
	mta_curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	if (code == 221 && is_refusal(last))
		code = strtol(last, NULL, 10);
	MsSubmitted result = outcome(rc, code, &source);
	g_autofree char *text = reply_of(rc, *why != '\0' ? why : mta_curl.easy_strerror(rc), last);
	*reply_out = ms_text_escape(text, -1, 300);
	if (rc != CURLE_OK)
		hang_up(easy);
	mta_curl.slist_free_all(to);
	mta_curl.easy_cleanup(easy);
	return result;
}
