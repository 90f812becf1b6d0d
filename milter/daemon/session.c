/*
 * One connection of the MTA: what libmilter's callbacks hand over comes in (milter.c), one
 * message after the other; out goes what the MTA is to do.  Of a message that is somebody's
 * business all is stored in memory that no name leads to, judged at its end, and freed in one
 * place, whether it ended, was aborted or the MTA went away; but for what must be taken back if
 * the MTA does not take the answer.  libmilter calls from any thread, of one session from one at
 * a time; what sessions share is the Daemon's, under its lock.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/clock.h"
#include "missent/identifier.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/token.h"

#include "daemon.h"

/* All of one message, freed in one place. */
typedef struct {
	MsRuntime *runtime;
	MsEnvelope *envelope;
	int fd;              /* the message, or -1 when it is of no interest */
	guint64 stored;      /* bytes in fd */
	guint64 reserved;    /* bytes taken from the daemon's memory */
	MsConcern concern;
	bool concerned;      /* outgoing, and a policy may apply */
	char *failed;        /* why the message could not be taken in */
	MsNumber failed_for; /* as what that is counted */
	char *token;         /* that may spare it the judgement */
	guint tokens;        /* header fields that carry one, of this or another meaning */
	MsBodyDigest digest; /* of the body */
	GPtrArray *raw;      /* of char *: recipients as the MTA gave them */
	GByteArray *buffer;  /* headers come in many small pieces */
} Transaction;

/* Of one that was judged, until it is known whether the MTA took the answer. */
typedef struct {
	MsRuntime *runtime; /* NULL: there is nothing to take back */
	MsEnvelope *envelope;
	MsJudgement *judgement;
} Answer;

struct Session {
	Daemon *daemon;
	char *client_name, *client_address;
	Transaction *transaction; /* NULL between messages */
	Answer answer;
	TellProgress tell; /* or NULL */
	void *user;
};

#define BUFFER 65536

/* ---- making and freeing --------------------------------------------------------------- */

static void transaction_free(Daemon *daemon, Transaction *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0)
		close(t->fd);
	daemon_give_memory(daemon, t->reserved);
	ms_envelope_free(t->envelope);
	ms_runtime_unref(t->runtime);
	g_byte_array_unref(t->buffer);
	g_ptr_array_unref(t->raw);
	g_free(t->token);
	g_free(t->failed);
	g_free(t);
}

Session *session_new(Daemon *daemon, const char *client_name, const char *client_address)
{
	Session *session = g_new0(Session, 1);
	session->daemon = daemon;
	session->client_name = g_strdup(client_name);
	session->client_address = g_strdup(client_address);
	return session;
}

void session_free(Session *session)
{
	if (session == NULL)
		return;
	session_abort(session);
	g_free(session->client_name);
	g_free(session->client_address);
	g_free(session);
}

static void answer_clear(Answer *answer)
{
	g_clear_pointer(&answer->judgement, ms_judgement_free);
	g_clear_pointer(&answer->envelope, ms_envelope_free);
	g_clear_pointer(&answer->runtime, ms_runtime_unref);
}

void session_abort(Session *session)
{
	answer_clear(&session->answer);
	transaction_free(session->daemon, session->transaction);
	session->transaction = NULL;
}

void session_on_progress(Session *session, TellProgress tell, void *user)
{
	session->tell = tell;
	session->user = user;
}

/* ---- taking in ------------------------------------------------------------------------ */

/* "<a@b>" or "a@b"; Sendmail 8.17.1 gives "<a@b> NOTIFY=NEVER", too.  A ">" in quotes ends none. */
static char *strip_brackets(const char *address)
{
	bool quoted = false;
	for (const char *p = address; *address == '<' && *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '>' && (p[1] == ' ' || p[1] == '\0'))
			return g_strndup(address + 1, (gsize)(p - address - 1));
	}
	return g_strdup(address);
}

void session_mail(Session *session, const char *sender, const char *auth_user)
{
	session_abort(session);
	Transaction *t = g_new0(Transaction, 1);
	session->transaction = t;
	t->runtime = daemon_runtime(session->daemon);
	t->buffer = g_byte_array_new();
	t->raw = g_ptr_array_new_with_free_func(g_free);
	ms_body_digest_init(&t->digest);
	t->envelope = ms_envelope_new();
	t->envelope->sender = strip_brackets(sender);
	t->envelope->auth_user = g_strdup(auth_user);
	t->envelope->client_name = g_strdup(session->client_name);
	t->envelope->client_address = g_strdup(session->client_address);
	t->envelope->arrived = ms_clock_now();
	t->envelope->unsaid = daemon_clock_is_sure(session->daemon) ? 0 : MS_UNSAID_TIME;
	t->concern = ms_engine_concern(t->runtime, t->envelope);
	t->concerned = t->concern == MS_CONCERNED;
	t->failed_for = MS_NUM_TEMPFAIL_OTHER;
	t->fd = t->concerned ? ms_memory_file("missent-message") : -1;
	if (t->concerned && t->fd < 0)
		t->failed = g_strdup_printf("memory file: %s", g_strerror(errno));
	else if (t->concerned && room_left(t->fd) < 1) {
		t->failed = g_strdup("no descriptor is left for another message (LimitNOFILE)");
		t->failed_for = MS_NUM_OVER_DESCRIPTORS;
	}
	/* The others that are in hand need it. */
	if (t->failed != NULL && t->fd >= 0) {
		close(t->fd);
		t->fd = -1;
	}
}

static void fail(Transaction *t, const char *why)
{
	if (t->failed == NULL)
		t->failed = g_strdup(why);
}

static bool reserve(Session *session, gsize bytes)
{
	Transaction *t = session->transaction;
	if (!daemon_take_memory(session->daemon, bytes)) {
		if (t->failed == NULL)
			t->failed_for = MS_NUM_OVER_MEMORY;
		fail(t, "overloaded: more messages in flight than max-memory allows");
		return false;
	}
	t->reserved += bytes;
	return true;
}

/* What one costs until the message is answered: here, and where its accounts are looked up. */
#define RECIPIENT_BYTES 400

void session_recipient(Session *session, const char *recipient)
{
	Transaction *t = session->transaction;
	if (t == NULL || !reserve(session, RECIPIENT_BYTES + 4 * strlen(recipient)))
		return;
	g_ptr_array_add(t->envelope->recipients, strip_brackets(recipient));
	g_ptr_array_add(t->raw, g_strdup(recipient));
}

static void write_out(Session *session, const void *data, gsize len)
{
	Transaction *t = session->transaction;
	if (reserve(session, len) && !ms_io_write(t->fd, data, len))
		fail(t, g_strerror(errno));
}

static void flush(Session *session)
{
	Transaction *t = session->transaction;
	if (t->buffer->len > 0 && t->failed == NULL)
		write_out(session, t->buffer->data, t->buffer->len);
	g_byte_array_set_size(t->buffer, 0);
}

/* What is over max-message is counted but not kept; the reading will say so. */
static void store(Session *session, const void *data, gsize len)
{
	Transaction *t = session->transaction;
	t->envelope->size += len;
	guint64 max = ms_runtime_settings(t->runtime)->limits.max_message;
	gsize keep = (gsize)MIN((guint64)len, max - t->stored);
	t->stored += keep;
	if (keep >= BUFFER / 2 && t->failed == NULL) {
		flush(session);
		write_out(session, data, keep);
		return;
	}
	g_byte_array_append(t->buffer, data, (guint)keep);
	if (t->buffer->len >= BUFFER)
		flush(session);
}

/* Two of them are none: what was asked for is not clear. */
static void take_token(Transaction *t, const char *value)
{
	g_clear_pointer(&t->token, g_free);
	if (t->tokens++ == 0)
		t->token = g_strstrip(g_strdup(value));
}

/* Its first word alone, which is a name for a queue and nothing more. */
static MsShape shape_of(const char *type)
{
	type += strspn(type, " \t\r\n");
	if (g_ascii_strncasecmp(type, "text/", 5) == 0)
		return MS_SHAPE_TEXT;
	return g_ascii_strncasecmp(type, "multipart/alternative", 21) == 0 ? MS_SHAPE_ALTERNATIVE
									   : MS_SHAPE_OTHER;
}

void session_header(Session *session, const char *name, const char *value, bool leading_space)
{
	Transaction *t = session->transaction;
	if (t != NULL && g_ascii_strcasecmp(name, MS_TOKEN_HEADER) == 0) {
		take_token(t, value);
		return;
	}
	if (t == NULL || !t->concerned)
		return;
	if (g_ascii_strcasecmp(name, "Content-Type") == 0)
		t->envelope->shape = shape_of(value);
	store(session, name, strlen(name));
	/* Without SMFIP_HDR_LEADSPC the MTA has eaten the blank after the colon. */
	store(session, ": ", leading_space ? 1 : 2);
	store(session, value, strlen(value));
	store(session, "\r\n", 2);
}

void session_end_of_headers(Session *session)
{
	if (session->transaction != NULL && session->transaction->concerned)
		store(session, "\r\n", 2);
}

bool session_body(Session *session, const void *data, size_t len)
{
	Transaction *t = session->transaction;
	if (t == NULL || (!t->concerned && t->token == NULL))
		return false;
	ms_body_digest_add(&t->digest, data, len);
	if (t->concerned)
		store(session, data, len);
	return t->failed == NULL;
}

/* ---- deciding ------------------------------------------------------------------------- */

void decision_clear(Decision *decision)
{
	g_clear_pointer(&decision->header, g_free);
	g_clear_pointer(&decision->reason, g_free);
	g_clear_pointer(&decision->reply, g_free);
	g_clear_pointer(&decision->removed, g_ptr_array_unref);
}

static const char *reference(const MsEnvelope *envelope)
{
	return envelope->queue_id != NULL ? envelope->queue_id : "none";
}

static void tempfail(const MsEnvelope *envelope, Decision *out, const char *why)
{
	ms_log(LOG_ERR, envelope->queue_id, "action=tempfail, trouble=\"%s\"", why);
	out->action = MS_TEMPFAIL;
	out->reply = g_strdup_printf("cannot be checked now, try again later (reference %s)",
		reference(envelope));
}

static char *one_line(const MsVerdict *verdict)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < verdict->reasons->len && i < 3; i++) {
		const MsReason *r = verdict->reasons->pdata[i];
		g_autofree char *account =
			r->owner != NULL ? ms_identifier_masked(r->owner) : NULL;
		g_autofree char *where = r->where != NULL ? ms_place_masked(r->where) : NULL;
		g_string_append_printf(out, "; %s: %s%s%s%s%s%s%s", ms_reason_names[r->code],
			r->text, r->masked != NULL ? " " : "", r->masked != NULL ? r->masked : "",
			account != NULL ? " account=" : "", account != NULL ? account : "",
			where != NULL ? " in " : "", where != NULL ? where : "");
	}
	return g_string_free(out, FALSE);
}

/* The MTA's log has it in clear, by the same queue ID. */
static char *sender_of(const MsEnvelope *envelope)
{
	g_autofree char *valid = g_utf8_make_valid(envelope->sender, -1);
	return ms_identifier_masked(valid);
}

static void log_verdict(const MsEnvelope *envelope, const MsJudgement *judgement)
{
	const MsVerdict *v = judgement->verdict;
	g_autofree char *codes = ms_verdict_codes(v, MS_DELIVER);
	g_autofree char *text = one_line(v), *sender = sender_of(envelope);
	char **titles = g_new0(char *, v->policies->len + 1);
	for (guint i = 0; i < v->policies->len; i++)
		titles[i] = v->policies->pdata[i];
	g_autofree char *policies = g_strjoinv(" ", titles);
	g_free(titles);
	ms_log(v->action > MS_TAG ? LOG_NOTICE : LOG_INFO, envelope->queue_id,
		"action=%s, would=%s, from=<%s>, nrcpt=%u, size=%" G_GUINT64_FORMAT
		", policies=%s, reasons=%s, findings=%u, unread=%u, ms=%.1f%s%s",
		ms_action_names[v->action], ms_action_names[v->would], sender,
		envelope->recipients->len, envelope->size, policies,
		*codes != '\0' ? codes : "none", judgement->reading->findings->len,
		judgement->reading->unread->len,
		(double)(judgement->read_us + judgement->resolve_us + judgement->judge_us +
			judgement->count_us) /
			1000,
		v->paused ? ", paused=yes" : "", text);
	for (guint i = 0; judgement->stopped != NULL && i < judgement->stopped->len; i++)
		ms_log(LOG_ALERT, envelope->queue_id,
			"this message stopped a stream: what policy %s has of this sender is wrong too often, from=<%s>; see "
			"missent guard status",
			(const char *)judgement->stopped->pdata[i], sender);
}

/* Nothing of the message's content goes into the mail or back to its sender, nor what a policy says
 * that only observes. */
static void decide(const Transaction *t, const MsVerdict *verdict, Decision *out)
{
	const MsEnvelope *envelope = t->envelope;
	g_autofree char *codes = ms_verdict_causes(verdict, MS_TAG);
	out->action = verdict->action;
	switch (verdict->action) {
	case MS_DELIVER: break;
	case MS_TAG: out->header = g_strdup_printf("tag; reasons=\"%s\"", codes); break;
	case MS_SPLIT:
		out->removed = g_ptr_array_new_with_free_func(g_free);
		for (guint i = 0; i < t->raw->len; i++)
			if (verdict->withheld->data[i])
				g_ptr_array_add(out->removed, g_strdup(t->raw->pdata[i]));
		break;
	case MS_DELAY:
	case MS_HOLD:
		/* Postfix cuts it at 100 bytes and Sendmail shows it in mailq -qQ. */
		out->reason = g_strdup_printf("missent: %.80s", codes);
		break;
	case MS_REJECT:
		out->reply = g_strdup_printf(
			"not sent: it does not fit its recipients (%s; reference %s)", codes,
			reference(envelope));
		break;
	case MS_TEMPFAIL:
		out->reply = g_strdup_printf(
			"cannot be checked now, try again later (%s; reference %s)", codes,
			reference(envelope));
		break;
	case MS_N_ACTIONS: g_assert_not_reached();
	}
}

/* What could not be judged. */
static void defer(Session *session, MsNumber cause, const char *why, Decision *out)
{
	MsNumbers *numbers = daemon_numbers(session->daemon);
	bool overload = cause >= MS_NUM_OVER_MEMORY && cause <= MS_NUM_OVER_CONNECTIONS;
	ms_numbers_add(numbers, cause, 1);
	if (overload)
		ms_numbers_add(numbers, MS_NUM_TEMPFAIL_OVERLOAD, 1);
	tempfail(session->transaction->envelope, out, why);
}

/* As what it is counted that a step came to nothing. */
static MsNumber cause_of(const Transaction *t, const GError *error, MsNumber else_for)
{
	if (g_error_matches(error, MS_ERROR, MS_ERROR_BUSY))
		return MS_NUM_OVER_QUEUE;
	return ms_patience_lasts(t->envelope->patience, NULL) ? else_for : MS_NUM_TEMPFAIL_LATE;
}

/* Everything is in; the verdict is made and written down.  True: it is. */
static bool judge_whole(Session *session, const char *digest, bool paused,
	MsJudgement **judgement_out, Decision *out)
{
	Transaction *t = session->transaction;
	MsNumbers *numbers = daemon_numbers(session->daemon);
	g_autoptr(GError) error = NULL;
	if (!ms_engine_judge(t->runtime, t->envelope, t->fd, t->stored, judgement_out, &error)) {
		defer(session, cause_of(t, error, MS_NUM_TEMPFAIL_READER), error->message, out);
		return false;
	}
	MsJudgement *judgement = *judgement_out;
	if (paused)
		ms_verdict_pause(judgement->verdict);
	log_verdict(t->envelope, judgement);
	gint64 start = g_get_monotonic_time();
	bool written = ms_engine_write_down(
		t->runtime, t->envelope, judgement, t->fd, digest, &error);
	ms_numbers_time(numbers, MS_STAGE_WRITE, g_get_monotonic_time() - start);
	if (written) {
		if (!t->envelope->canary) {
			tally_judged(numbers, t->envelope, judgement);
			trial_count(judgement->verdict);
		}
		decide(t, judgement->verdict, out);
		if (t->envelope->canary && ms_verdict_is_observed(judgement->verdict)) {
			out->action = MS_DELIVER;
			out->discard = true;
		}
	} else {
		defer(session, cause_of(t, error, MS_NUM_TEMPFAIL_WRITE), error->message, out);
	}
	return written;
}

static void judge(Session *session, const char *digest, Decision *out)
{
	Transaction *t = session->transaction;
	g_autoptr(MsJudgement) judgement = NULL;
	bool written = false, paused = daemon_paused(session->daemon);
	flush(session);
	if (t->failed == NULL && !ms_memory_seal(t->fd))
		t->failed = g_strdup_printf("sealing: %s", g_strerror(errno));
	if (t->failed != NULL)
		defer(session, t->failed_for, t->failed, out);
	else
		written = judge_whole(session, digest, paused, &judgement, out);
	/* A new install that only observes, or one that is paused, must not be the cause that
	 * mail waits.  A policy that is enforced by its own mode observes nothing. */
	if (out->action == MS_TEMPFAIL &&
		((paused && (judgement == NULL || judgement->verdict->paused)) ||
			ms_engine_lets_unchecked(t->runtime, t->envelope, judgement))) {
		ms_log(LOG_WARNING, t->envelope->queue_id, "action=deliver, unchecked=yes, why=%s",
			paused ? "missent is paused" : "mode is observe");
		ms_numbers_add(daemon_numbers(session->daemon), MS_NUM_UNCHECKED, 1);
		decision_clear(out);
		out->action = MS_DELIVER;
	}
	if (written)
		session->answer.judgement = g_steal_pointer(&judgement);
}

/* Mail that a reviewer released, or that is missent's own: it was told apart by a token.  True:
 * the decision is made. */
static bool spared(Session *session, const char *digest, Decision *out)
{
	Transaction *t = session->transaction;
	g_autoptr(GError) error = NULL;
	g_autofree char *sender = sender_of(t->envelope);
	if (t->token == NULL)
		return false;
	switch (ms_engine_spend_token(t->runtime, t->envelope, t->token, digest, &error)) {
	case MS_FOUND:
		ms_log(LOG_INFO, t->envelope->queue_id,
			"action=deliver, why=released, from=<%s>, nrcpt=%u", sender,
			t->envelope->recipients->len);
		ms_numbers_add(daemon_numbers(session->daemon), MS_NUM_RELEASED, 1);
		return true;
	case MS_ABSENT:
		ms_log(LOG_WARNING, t->envelope->queue_id,
			"a token is not, or no longer, good for this message; it is judged, from=<%s>",
			sender);
		return false;
	case MS_CONFIG: /* judged, it would be held anew while its record says that it went */
		if (!t->concerned)
			return false;
		break;
	case MS_RETRY: break;
	}
	tempfail(t->envelope, out, error->message);
	if (g_error_matches(error, MS_ERROR, MS_ERROR_CONFIG)) { /* who decided is told this */
		g_free(out->reply);
		out->reply = g_strdup_printf(
			"a filter before missent changed what missent submitted (reference %s)",
			reference(t->envelope));
	}
	return true;
}

/* What has to be known of it until the MTA has taken the answer stays; the message goes. */
static void let_go(Session *session)
{
	Transaction *t = g_steal_pointer(&session->transaction);
	if (session->answer.judgement != NULL) {
		session->answer.runtime = ms_runtime_ref(t->runtime);
		session->answer.envelope = g_steal_pointer(&t->envelope);
		session->answer.envelope->stage = NULL;
		session->answer.envelope->patience = NULL;
	}
	transaction_free(session->daemon, t);
}

void session_answered(Session *session, bool taken)
{
	const Answer *answer = &session->answer;
	g_autoptr(GError) error = NULL;
	if (!taken && answer->runtime != NULL) {
		ms_numbers_add(daemon_numbers(session->daemon), MS_NUM_TEMPFAIL_OTHER, 1);
		if (!ms_engine_take_back(answer->runtime, answer->envelope, answer->judgement,
			    "the MTA did not take it", &error))
			ms_log(LOG_ERR, answer->envelope->queue_id,
				"that it was not done is not in the audit trail: %s",
				error->message);
	}
	answer_clear(&session->answer);
}

void session_end_of_message(Session *session, const char *host, const char *queue_id, Decision *out)
{
	memset(out, 0, sizeof *out);
	Transaction *t = session->transaction;
	if (t == NULL) { /* an MTA that sends the end of a message it never began */
		out->action = MS_TEMPFAIL;
		out->reply = g_strdup("no message was begun");
		return;
	}
	t->envelope->queue_id = g_strdup(queue_id);
	const MsSettings *s = ms_runtime_settings(t->runtime);
	t->envelope->host = g_strdup(host != NULL && !s->host_given ? host : s->host);
	char digest[MS_BODY_DIGEST];
	ms_body_digest_end(&t->digest, digest);
	out->tokens = t->tokens;
	gint64 start = g_get_monotonic_time();
	MsPatience patience;
	ms_patience_begin(&patience, s->deadline_ms);
	Hand hand = {.stage = MS_STAGE_WHOLE,
		.tell = session->tell,
		.user = session->user,
		.patience = &patience};
	t->envelope->stage = &hand.stage;
	t->envelope->patience = &patience;
	ms_patience_work(&patience);
	daemon_enter(session->daemon);
	hand_begin(&hand, t->envelope->queue_id);
	/* One that was not taken in whole is not known to be what a token is for. */
	bool done = t->failed == NULL && spared(session, digest, out);
	t->envelope->canary = !done && t->concerned &&
		ms_engine_is_canary(t->runtime, t->envelope, digest);
	if (!done && t->concerned)
		judge(session, digest, out);
	ms_patience_work(NULL);
	hand_end(&hand);
	daemon_leave(session->daemon);
	MsNumbers *numbers = daemon_numbers(session->daemon);
	if (!done && t->concerned)
		ms_numbers_time(numbers, MS_STAGE_WHOLE, g_get_monotonic_time() - start);
	if (!done && !t->concerned) {
		tally_passed(numbers, t->concern, t->envelope);
		g_autofree char *sender = sender_of(t->envelope);
		ms_log(LOG_DEBUG, queue_id, "action=deliver, why=no policy applies, from=<%s>",
			sender);
	}
	let_go(session);
}
