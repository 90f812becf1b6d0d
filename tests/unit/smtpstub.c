/* The SMTP server of world.h: a thread that serves one connection after the other.  What came in
 * is kept for the test; tokens are spent in the ledger, as missentd does at the end of a
 * message. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/token.h"

#include "../test.h"
#include "world.h"

struct Stub {
	int listening;
	guint port, names;
	char *queue;
	MsLedger *ledger;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	GPtrArray *got;
	StubPoint point;
	StubFault fault;
};

typedef struct {
	Stub *stub;
	FILE *in;
	int fd;
	StubPoint point; /* where something goes wrong */
	StubFault fault;
	Delivery *mail;
	bool over;
} Session;

static void delivery_free(gpointer data)
{
	Delivery *d = data;
	g_free(d->sender);
	g_free(d->text);
	g_free(d->queue_id);
	g_ptr_array_unref(d->recipients);
	g_free(d);
}

static Delivery *delivery_new(void)
{
	Delivery *d = g_new0(Delivery, 1);
	d->recipients = g_ptr_array_new_with_free_func(g_free);
	return d;
}

static void say(Session *s, const char *text)
{
	if (send(s->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		s->over = true;
}

/* Nothing more is said; until the client has had enough. */
static void be_silent(Session *s)
{
	while (fgetc(s->in) != EOF)
		continue;
	s->over = true;
}

/* True: something went wrong here, as it was told to. */
static bool goes_wrong(Session *s, StubPoint point)
{
	if (s->point != point)
		return false;
	s->point = AT_NEVER;
	if (s->fault == STUB_REFUSE)
		say(s, "550 5.7.1 told to refuse\r\n");
	else if (s->fault == STUB_LATER)
		say(s, "451 4.3.0 told to refuse for now\r\n");
	else if (s->fault == STUB_STRANGE)
		say(s, "no such thing as a reply\r\n");
	else if (s->fault == STUB_SILENT)
		be_silent(s);
	s->over = s->over || (s->fault != STUB_REFUSE && s->fault != STUB_LATER);
	return true;
}

static char *address_of(const char *line)
{
	const char *from = strchr(line, '<'), *to = from != NULL ? strchr(from, '>') : NULL;
	return to != NULL ? g_strndup(from + 1, (gsize)(to - from - 1)) : g_strdup("");
}

/* ---- the message ---------------------------------------------------------------------- */

/* Without the field that carries the token, which is returned (the caller's). */
static char *cut_token(Delivery *mail)
{
	const char *field = MS_TOKEN_HEADER ": ";
	if (!g_str_has_prefix(mail->text, field))
		return NULL;
	char *stop = strstr(mail->text, "\r\n");
	char *token = g_strndup(
		mail->text + strlen(field), (gsize)(stop - mail->text) - strlen(field));
	char *rest = g_strdup(stop + 2);
	g_free(mail->text);
	mail->text = rest;
	return token;
}

static void spend(Session *s)
{
	Delivery *mail = s->mail;
	if (s->stub->ledger == NULL)
		return;
	g_autofree char *token = cut_token(mail);
	MsBodyDigest digest;
	char sum[MS_BODY_DIGEST];
	ms_body_digest_init(&digest);
	ms_body_digest_message(&digest, mail->text, strlen(mail->text));
	ms_body_digest_end(&digest, sum);
	g_autoptr(GError) error = NULL;
	mail->unjudged = token != NULL &&
		ms_tokens_spend(s->stub->ledger, token, sum, mail->sender, mail->recipients,
			mail->queue_id, &error) == MS_FOUND;
	g_assert_no_error(error);
}

static void keep(Session *s, bool queued)
{
	Stub *stub = s->stub;
	g_autofree char *path = g_strdup_printf("%s/%s.queue", stub->queue, s->mail->queue_id);
	g_autofree char *head = g_strdup_printf("active\n%s\n1\n", s->mail->sender);
	if (queued)
		g_assert_true(g_file_set_contents(path, head, -1, NULL));
	pthread_mutex_lock(&stub->lock);
	g_ptr_array_add(stub->got, s->mail);
	pthread_mutex_unlock(&stub->lock);
	s->mail = delivery_new();
}

static void end_of_message(Session *s)
{
	bool wrong = s->point == AT_END;
	StubFault fault = s->fault;
	bool spends = !wrong || fault >= STUB_SPEND_REFUSE;
	s->mail->queue_id = g_strdup_printf("S%07u", ++s->stub->names);
	if (spends)
		spend(s);
	if (!wrong || fault == STUB_TAKE_DROP || fault == STUB_TAKE_SILENT) {
		g_autofree char *reply = g_strdup_printf(
			"250 2.0.0 Ok: queued as %s\r\n", s->mail->queue_id);
		keep(s, wrong);
		if (!wrong)
			say(s, reply);
	}
	if (!wrong)
		return;
	s->fault = fault == STUB_SPEND_REFUSE ? STUB_LATER
		: fault == STUB_TAKE_SILENT   ? STUB_SILENT
		: fault >= STUB_SPEND_DROP && fault <= STUB_TAKE_DROP ? STUB_DROP : fault;
	goes_wrong(s, AT_END);
}

static void take_message(Session *s)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char *line = NULL;
	size_t room = 0;
	for (ssize_t n; !s->over && (n = getline(&line, &room, s->in)) > 0;) {
		if (strcmp(line, ".\r\n") == 0) {
			g_free(s->mail->text);
			s->mail->text = g_strdup(text->str);
			end_of_message(s);
			break;
		}
		g_string_append(text, line + (line[0] == '.'));
		if (s->point == AT_BODY)
			s->over = true;
	}
	free(line);
}

/* ---- a session ------------------------------------------------------------------------ */

static void command(Session *s, const char *line)
{
	if (g_ascii_strncasecmp(line, "EHLO", 4) == 0 ||
		g_ascii_strncasecmp(line, "HELO", 4) == 0) {
		if (!goes_wrong(s, AT_EHLO))
			say(s, "250-mx.test\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n");
	} else if (g_ascii_strncasecmp(line, "MAIL", 4) == 0) {
		g_free(s->mail->sender);
		s->mail->sender = address_of(line);
		if (!goes_wrong(s, AT_MAIL))
			say(s, "250 2.1.0 Ok\r\n");
	} else if (g_ascii_strncasecmp(line, "RCPT", 4) == 0) {
		g_ptr_array_add(s->mail->recipients, address_of(line));
		if (!goes_wrong(s, AT_RCPT))
			say(s, "250 2.1.5 Ok\r\n");
	} else if (g_ascii_strncasecmp(line, "DATA", 4) == 0) {
		if (goes_wrong(s, AT_DATA))
			return;
		say(s, "354 End data with <CR><LF>.<CR><LF>\r\n");
		take_message(s);
	} else if (g_ascii_strncasecmp(line, "QUIT", 4) == 0) {
		say(s, "221 2.0.0 Bye\r\n");
		s->over = true;
	} else {
		say(s, "502 5.5.2 not known\r\n");
	}
}

static void serve(Stub *stub, int fd)
{
	Session s = {.stub = stub, .fd = fd, .in = fdopen(fd, "r"), .mail = delivery_new()};
	pthread_mutex_lock(&stub->lock);
	s.point = stub->point;
	s.fault = stub->fault;
	stub->point = AT_NEVER;
	pthread_mutex_unlock(&stub->lock);
	char *line = NULL;
	size_t room = 0;
	if (!goes_wrong(&s, AT_GREETING))
		say(&s, "220 mx.test ESMTP\r\n");
	while (!s.over && getline(&line, &room, s.in) > 0)
		command(&s, line);
	free(line);
	delivery_free(s.mail);
	fclose(s.in);
}

static void *run(void *user)
{
	Stub *stub = user;
	for (int fd;
		(fd = accept4(stub->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR;)
		if (fd >= 0)
			serve(stub, fd);
	return NULL;
}

Stub *stub_new(const char *ledger, const char *queue)
{
	Stub *stub = g_new0(Stub, 1);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	g_autoptr(GError) error = NULL;
	stub->queue = g_strdup(queue);
	stub->ledger = ledger != NULL ? ms_ledger_open(ledger, &error) : NULL;
	g_assert_no_error(error);
	stub->got = g_ptr_array_new_with_free_func(delivery_free);
	stub->point = AT_NEVER;
	stub->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(stub->listening, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(stub->listening, 16), ==, 0);
	g_assert_cmpint(getsockname(stub->listening, (struct sockaddr *)&address, &len), ==, 0);
	stub->port = ntohs(address.sin_port);
	pthread_mutex_init(&stub->lock, NULL);
	g_assert_cmpint(pthread_create(&stub->thread, NULL, run, stub), ==, 0);
	return stub;
}

void stub_free(Stub *stub)
{
	shutdown(stub->listening, SHUT_RDWR);
	pthread_join(stub->thread, NULL);
	close(stub->listening);
	ms_ledger_free(stub->ledger);
	g_ptr_array_unref(stub->got);
	pthread_mutex_destroy(&stub->lock);
	g_free(stub->queue);
	g_free(stub);
}

guint stub_port(const Stub *stub)
{
	return stub->port;
}

void stub_next(Stub *stub, StubPoint point, StubFault fault)
{
	pthread_mutex_lock(&stub->lock);
	stub->point = point;
	stub->fault = fault;
	pthread_mutex_unlock(&stub->lock);
}

GPtrArray *stub_take(Stub *stub)
{
	GPtrArray *fresh = g_ptr_array_new_with_free_func(delivery_free);
	pthread_mutex_lock(&stub->lock);
	GPtrArray *got = stub->got;
	stub->got = fresh;
	pthread_mutex_unlock(&stub->lock);
	return got;
}
