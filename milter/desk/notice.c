/*
 * Mail of our own: to the sender of a held message, to reviewers.  It says for which reasons in
 * general the message is held, and which of his messages it is, but nothing of what is in it: a
 * notice with the other customer's number in it would be the next leak.  It goes with a token, or
 * it would be judged itself.  A record comes in, mail to the MTA goes out; any thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/clock.h"
#include "missent/notice.h"
#include "missent/text.h"
#include "missent/token.h"

#include "desk_private.h"

MsSubmitted desk_submit(Desk *desk, const char *sender, const GPtrArray *recipients, int fd,
	const char *digest, bool (*before)(const char *hash, void *user, GError **error),
	void *user, char **hash_out, char **reply_out)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *hash = NULL;
	g_autofree char *token =
		ms_tokens_make(desk->ledger, digest, sender, recipients, &hash, &error);
	if (token == NULL || (before != NULL && !before(hash, user, &error))) {
		*reply_out = g_strdup(error->message);
		return MS_LATER;
	}
	*hash_out = g_steal_pointer(&hash);
	g_autofree char *header = g_strdup_printf(MS_TOKEN_HEADER ": %s\r\n", token);
	return ms_mta_submit(&desk->submit, sender, recipients, header, fd, reply_out);
}

static MsSubmitted send_mail(Desk *desk, DeskMail *mail)
{
	g_autofree char *hash = NULL, *reply = NULL, *queue_id = NULL;
	MsSubmitted result = desk_submit(desk, mail->sender, mail->recipients, mail->fd,
		mail->digest, NULL, NULL, &hash, &reply);
	if (hash != NULL)
		ms_tokens_void(desk->ledger, hash, &queue_id, NULL);
	return result;
}

/* ---- which message it is -------------------------------------------------------------- */

/* What its sender wrote, read from the message again; "" where it cannot be. */
typedef struct {
	char *id, *date;
} Original;

static void original_clear(Original *original)
{
	g_free(original->id);
	g_free(original->date);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Original, original_clear)

/* "<left@right>", which may stand in a field as it is. */
static bool is_message_id(const char *text)
{
	gsize len = strlen(text);
	if (len < 5 || len > 250 || text[0] != '<' || text[len - 1] != '>' ||
		strchr(text, '@') == NULL)
		return false;
	for (gsize i = 1; i < len - 1; i++)
		if (text[i] <= ' ' || text[i] >= 127 || text[i] == '<' || text[i] == '>')
			return false;
	return true;
}

static void read_original(Desk *desk, const MsRecord *record, Original *out)
{
	MsRuntime *runtime = desk_runtime(desk, NULL);
	int fd = runtime != NULL ? desk_open_message(desk, record, NULL) : -1;
	g_autoptr(MsJudgement) reading = NULL;
	*out = (Original){g_strdup(""), g_strdup("")};
	if (fd < 0)
		return;
	bool fine = ms_engine_read(runtime, NULL, fd, &reading, NULL);
	close(fd);
	for (guint i = 0; fine && i < reading->reading->headers->len; i++) {
		const MsHeader *h = reading->reading->headers->pdata[i];
		g_autofree char *value = g_strstrip(g_strdup(h->value));
		char **to = g_ascii_strcasecmp(h->name, "Message-ID") == 0 && is_message_id(value)
			? &out->id
			: g_ascii_strcasecmp(h->name, "Date") == 0 && strlen(value) < 80
			? &out->date
			: NULL;
		if (to == NULL || **to != '\0')
			continue;
		g_free(*to);
		*to = g_steal_pointer(&value);
	}
}

/* ---- what is said of it --------------------------------------------------------------- */

/* The reviewer's words, if they may be told: a word with a number or an address in it may be
 * somebody's. */
static char *told_reason(const char *why)
{
	g_auto(GStrv) words = g_strsplit(why, " ", -1);
	for (int i = 0; words[i] != NULL; i++) {
		guint digits = 0;
		for (const char *p = words[i]; *p != '\0'; p = g_utf8_next_char(p))
			digits += g_unichar_isdigit(g_utf8_get_char(p));
		if (digits < 3 && strchr(words[i], '@') == NULL)
			continue;
		g_free(words[i]);
		words[i] = g_strdup("***");
	}
	return g_strjoinv(" ", words);
}

static void append_page(const Desk *desk, GString *out, const char *path)
{
	const char *url = desk->settings->review.url;
	if (url == NULL)
		return;
	g_autofree char *link = g_strdup_printf(
		"%s%s%s", url, g_str_has_suffix(url, "/") ? "" : "/", path);
	desk_fact(out, desk_word(desk, W_PAGE), link);
}

static void append_facts(
	const Desk *desk, GString *out, const MsRecord *record, const Original *original)
{
	g_autofree char *arrived = ms_text_mail_date(record->arrived);
	g_autofree char *age = desk_age(desk, ms_clock_now() - record->arrived);
	g_autofree char *since = g_strdup_printf("%s (%s)", arrived, age);
	g_autofree char *recipients = g_strdup_printf("%u", record->n_recipients);
	g_autofree char *reasons = desk_reasons(desk, record);
	g_autofree char *path = g_strdup_printf("message/%s", record->uid);
	desk_fact(out, desk_word(desk, W_SENDER), record->sender);
	desk_fact(out, desk_word(desk, W_SUBJECT), record->subject != NULL ? record->subject : "");
	if (original != NULL) {
		desk_fact(out, desk_word(desk, W_DATE), original->date);
		desk_fact(out, desk_word(desk, W_MESSAGE_ID), original->id);
	}
	desk_fact(out, desk_word(desk, W_ARRIVED), since);
	desk_fact(out, desk_word(desk, W_RECIPIENTS), recipients);
	desk_fact(out, desk_word(desk, W_CAUSE), reasons);
	desk_fact(out, desk_word(desk, W_REFERENCE), record->uid);
	append_page(desk, out, path);
}

static void append_contact(const Desk *desk, GString *out)
{
	const char *contact = desk->settings->desk.notice_contact;
	g_autofree char *ask = desk_fill(desk_word(desk, W_ASK), contact, NULL);
	if (contact == NULL)
		return;
	g_string_append_c(out, '\n');
	desk_paragraph(out, ask);
}

/* ---- return to sender: RFC 3464 ------------------------------------------------------- */

/* An address stands in a line of its own: nothing in it may end the line. */
static void append_recipients(GString *text, const MsRecord *record)
{
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state != MS_STATE_HELD)
			continue;
		g_autofree char *safe = ms_text_escape(to->address, -1, 320);
		g_string_append_printf(text,
			"\nFinal-Recipient: %s; %s\nAction: failed\nStatus: 5.7.1\n"
			"Diagnostic-Code: X-missent; returned after review (reference %s)\n",
			g_str_is_ascii(safe) ? "rfc822" : "utf-8", safe, record->uid);
	}
}

static void append_status(GString *text, const MsRecord *record, const Original *original)
{
	g_autofree char *arrived = ms_text_mail_date(record->arrived);
	g_string_append_printf(text,
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns; %s\nX-Missent-Reference: %s\n"
		"Arrival-Date: %s\n",
		record->host, record->uid, arrived);
	if (*original->id != '\0')
		desk_field(text, "X-Original-Message-ID", original->id);
	append_recipients(text, record);
}

#define MOST_OF_ORIGINAL (16 << 20)

static void drop_returns(GString *text)
{
	gsize kept = 0;
	for (gsize i = 0; i < text->len; i++)
		if (text->str[i] != '\r')
			text->str[kept++] = text->str[i];
	g_string_truncate(text, kept);
}

/* Its bytes as they are held; only the header where no more shall go back.  NULL: it cannot be
 * had. */
static char *original_bytes(Desk *desk, const MsRecord *record, bool whole)
{
	int fd = desk_open_message(desk, record, NULL);
	if (fd < 0)
		return NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	char buffer[65536];
	for (ssize_t n; out->len < MOST_OF_ORIGINAL &&
		(n = pread(fd, buffer, sizeof buffer, (off_t)out->len)) > 0;)
		g_string_append_len(out, buffer, n);
	close(fd);
	bool text = memchr(out->str, '\0', out->len) == NULL, cut = out->len >= MOST_OF_ORIGINAL;
	drop_returns(out);
	const char *end = strstr(out->str, "\n\n");
	if (!text || (whole ? cut : end == NULL))
		return NULL;
	return whole ? g_string_free(g_steal_pointer(&out), FALSE)
		     : g_strndup(out->str, (gsize)(end - out->str) + 1);
}

/* As far as notice-original lets it: its sender wrote it, but who reads his mail may be another. */
static void append_original(Desk *desk, GString *text, const MsRecord *record, const char *border)
{
	int much = desk->settings->desk.notice_original;
	g_autofree char *bytes = much != DESK_ORIGINAL_NONE
		? original_bytes(desk, record, much == DESK_ORIGINAL_WHOLE)
		: NULL;
	if (bytes == NULL || strstr(bytes, border) != NULL)
		return;
	g_string_append_printf(text,
		"\n--%s\nContent-Type: %s\nContent-Transfer-Encoding: %s\n\n%s", border,
		much == DESK_ORIGINAL_WHOLE ? "message/rfc822" : "text/rfc822-headers",
		g_str_is_ascii(bytes) ? "7bit" : "8bit", bytes);
}

DeskMail *desk_return_notice(Desk *desk, const MsRecord *record, const char *who, const char *why)
{
	g_autofree char *border = ms_record_name();
	g_auto(Original) original = {NULL, NULL};
	read_original(desk, record, &original);
	GString *text = desk_begin_mail(desk,
		&(DeskHead){record->sender, desk_word(desk, W_RETURNED_TITLE),
			*original.id != '\0' ? original.id : NULL, true});
	g_autoptr(GString) words = g_string_new(NULL);
	desk_paragraph(words, desk_word(desk, W_RETURNED));
	if (strcmp(who, DESK_CLOCK) == 0)
		desk_paragraph(words, desk_word(desk, W_EXPIRED));
	append_facts(desk, words, record, &original);
	if (desk->settings->desk.notice_reason && strcmp(who, DESK_CLOCK) != 0) {
		g_autofree char *reason = told_reason(why);
		desk_fact(words, desk_word(desk, W_REASON), reason);
	}
	append_contact(desk, words);
	g_string_append_printf(text,
		"Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"%s\"\n\n--%s\n",
		border, border);
	desk_text_part(text, words->str);
	g_string_append_printf(text, "\n--%s\n", border);
	append_status(text, record, &original);
	append_original(desk, text, record, border);
	g_string_append_printf(text, "\n--%s--\n", border);
	return desk_end_mail(desk, text, true, record->sender);
}

/* ---- it is held ----------------------------------------------------------------------- */

/* His own Message-ID is for its sender alone. */
static MsSubmitted send_held(Desk *desk, const MsRecord *record, const char *to)
{
	bool own = strcmp(to, record->sender) == 0;
	g_auto(Original) original = {NULL, NULL};
	if (own)
		read_original(desk, record, &original);
	const char *id = own && *original.id != '\0' ? original.id : NULL;
	GString *text = desk_begin_mail(
		desk, &(DeskHead){to, desk_word(desk, W_HELD_TITLE), id, own});
	g_autoptr(GString) words = g_string_new(NULL);
	desk_paragraph(words, desk_word(desk, W_HELD));
	append_facts(desk, words, record, own ? &original : NULL);
	append_contact(desk, words);
	desk_text_part(text, words->str);
	g_autoptr(DeskMail) mail = desk_end_mail(desk, text, false, to);
	return send_mail(desk, mail);
}

/* False: the MTA does not take it now.  What it refuses for good is not tried again.  `later`: to
 * whom it takes none in this look. */
static bool tell(Desk *desk, const MsRecord *record, const char *to, GHashTable *later)
{
	bool first = false;
	gint64 window = desk->settings->desk.notice_window_ms * 1000;
	if (*to == '\0')
		return true;
	if (g_hash_table_contains(later, to))
		return false;
	if (!ms_notices_first(desk->ledger, to, record->cause, window, &first, NULL))
		return false; /* nobody knows whether he was told */
	if (!first || send_held(desk, record, to) != MS_LATER)
		return true;
	ms_notices_unsent(desk->ledger, to, record->cause);
	g_hash_table_add(later, g_strdup(to));
	return false;
}

static bool tell_all(Desk *desk, const MsRecord *record, GHashTable *later)
{
	const MsSettings *s = desk->settings;
	bool fine = !s->desk.notice_sender || tell(desk, record, record->sender, later);
	for (const char *const *to = s->desk.notice_to; *to != NULL; to++)
		fine = tell(desk, record, *to, later) && fine;
	return fine;
}

#define NOTICES_AT_ONCE 200
#define NEVER_AGAIN (G_MAXINT64 / 4)
#define TOLD "told"
#define PAUSE_US (60 * G_USEC_PER_SEC)

/* One that waits may go yet, and one that is being released goes: if not, it changes again. */
static bool is_to_be_told(const MsRecord *record)
{
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->verb == MS_VERB_RELEASE &&
			(d->state == MS_DECISION_APPROVED || d->state == MS_DECISION_ACTING))
			return false;
	}
	return record->state == MS_STATE_HELD && record->due == 0;
}

#define MOST_LATER 3 /* addresses: it takes none now */
#define GIVE_UP_US (24 * 3600 * (gint64)G_USEC_PER_SEC)

/* Whom the MTA takes none for keeps the others waiting no longer than a look, and is waited for no
 * longer than a day. */
void desk_send_notices(Desk *desk)
{
	g_autoptr(GHashTable) later = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	bool passed = false;
	const MsSettings *s = desk->settings;
	if ((!s->desk.notice_sender && s->desk.notice_to[0] == NULL) ||
		g_get_monotonic_time() < desk->of->notices_at)
		return;
	g_autoptr(GPtrArray) list =
		ms_records_changed(desk->ledger, desk->of->noticed, NOTICES_AT_ONCE, NULL);
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		bool first = false;
		if (is_to_be_told(record) &&
			!ms_notices_first(
				desk->ledger, record->uid, TOLD, NEVER_AGAIN, &first, NULL))
			return; /* the ledger cannot say now */
		if (first && !tell_all(desk, record, later)) {
			ms_notices_unsent(desk->ledger, record->uid, TOLD);
			desk->of->notices_at = g_get_monotonic_time() + PAUSE_US;
			passed = passed || ms_clock_now() - record->arrived < GIVE_UP_US;
		}
		if (g_hash_table_size(later) >= MOST_LATER)
			return;
		if (!passed)
			desk->of->noticed = record->changed;
	}
}

/* ---- to reviewers --------------------------------------------------------------------- */

MsSubmitted desk_send_to_reviewers(Desk *desk, const char *subject, const char *words)
{
	const MsSettings *s = desk->settings;
	const char *const *to = s->desk.digest_to[0] != NULL ? s->desk.digest_to
							     : s->desk.notice_to;
	MsSubmitted best = *to == NULL ? MS_SUBMITTED : MS_REFUSED;
	for (; *to != NULL; to++) {
		GString *text = desk_begin_mail(desk, &(DeskHead){*to, subject, NULL, false});
		desk_text_part(text, words);
		g_autoptr(DeskMail) mail = desk_end_mail(desk, text, false, *to);
		MsSubmitted result = send_mail(desk, mail);
		if (result == MS_SUBMITTED || best == MS_REFUSED)
			best = result;
	}
	return best;
}

void desk_warn_of_expiry(Desk *desk, const GPtrArray *records)
{
	g_autoptr(GString) body = g_string_new(NULL);
	g_autofree char *left = desk_age(desk, desk->settings->desk.warn_ms * 1000);
	g_autofree char *intro = desk_fill(desk_word(desk, W_EXPIRE), left, NULL);
	g_autofree char *subject = desk_count(desk, W_EXPIRE_TITLE, records->len);
	desk_paragraph(body, intro);
	for (guint i = 0; i < records->len; i++) {
		append_facts(desk, body, records->pdata[i], NULL);
		g_string_append_c(body, '\n');
	}
	if (desk_send_to_reviewers(desk, subject, body->str) != MS_SUBMITTED)
		return; /* another time */
	for (guint i = 0; i < records->len; i++) {
		const MsRecord *r = records->pdata[i];
		if (ms_records_warned(desk->ledger, r->id, ms_clock_now(), NULL))
			ms_records_act(
				desk->ledger, r->id, DESK_CLOCK, "expiry announced", "", NULL);
	}
}

static void append_cause(const Desk *desk, GString *body, const MsCause *cause, gint64 now)
{
	g_autofree char *n = g_strdup_printf("%6" G_GINT64_FORMAT, cause->messages);
	g_autofree char *age = desk_age(desk, now - cause->oldest);
	g_autofree char *safe = ms_text_escape(cause->cause, -1, 300);
	g_string_append_printf(body, "%s  %s (%s: %s)\n", n, safe, desk_word(desk, W_OLDEST), age);
}

/* A copy where who has the trail's key has no rights. */
static void append_checkpoint(Desk *desk, GString *body)
{
	g_autofree char *note = NULL;
	if (desk->settings->checkpoints.digest && ms_audit_publish(desk->audit, &note, NULL) &&
		note != NULL)
		g_string_append_printf(body, "\n%s\n\n%s", desk_word(desk, W_CHECKPOINT), note);
}

static void append_held(const Desk *desk, GString *body, const MsRecordStats *stats, gint64 now)
{
	g_autofree char *date = ms_text_mail_date(stats->oldest);
	g_autofree char *age = desk_age(desk, now - stats->oldest);
	g_autofree char *oldest = g_strdup_printf("%s (%s)", date, age);
	g_autofree char *held = g_strdup_printf("%" G_GINT64_FORMAT, stats->held);
	g_autofree char *line = desk_fill(
		desk_plural(desk, W_DIGEST_HELD, stats->held), held, oldest);
	g_autofree char *waits = desk_count(desk, W_DIGEST_WAITS, stats->waiting);
	g_string_append_printf(body, "%s.\n%s.\n\n", line, waits);
}

/* What waits is no work of reviewers, so that it is told, and is no reason for a mail. */
static void append_delayed(const Desk *desk, GString *body, const MsRecordStats *stats)
{
	if (stats->delayed == 0)
		return;
	g_autofree char *line = desk_count(desk, W_DIGEST_DELAYED, stats->delayed);
	g_string_append_printf(body, "%s.\n\n", line);
}

void desk_send_digest(Desk *desk)
{
	const MsSettings *s = desk->settings;
	gint64 now = ms_clock_now();
	MsRecordStats stats;
	bool first = false;
	if (s->desk.digest_to[0] == NULL || !ms_records_stats(desk->ledger, &stats, NULL) ||
		(stats.held == 0 && !s->checkpoints.digest) ||
		!ms_notices_first(desk->ledger, "reviewers", "digest", s->desk.digest_ms * 1000,
			&first, NULL) ||
		!first)
		return;
	g_autoptr(GPtrArray) causes = ms_records_causes(desk->ledger, 30, NULL);
	g_autoptr(GString) body = g_string_new(NULL);
	g_autofree char *subject = desk_count(desk, W_DIGEST_TITLE, stats.held);
	if (stats.held > 0)
		append_held(desk, body, &stats, now);
	append_delayed(desk, body, &stats);
	for (guint i = 0; causes != NULL && i < causes->len; i++)
		append_cause(desk, body, causes->pdata[i], now);
	g_string_append_c(body, '\n');
	desk_fact(body, desk_word(desk, W_HOST), s->host);
	append_page(desk, body, "causes");
	append_checkpoint(desk, body);
	if (desk_send_to_reviewers(desk, subject, body->str) == MS_LATER)
		ms_notices_unsent(desk->ledger, "reviewers", "digest");
}
