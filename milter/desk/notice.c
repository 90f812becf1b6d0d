#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/notice.h"
#include "missent/text.h"
#include "missent/token.h"

#include "desk_private.h"

/*
 * Mail of our own: to the sender of a held message, to reviewers.  It says that, and for which
 * reasons in general, but nothing of what is in the message: a notice with the other customer's
 * number in it would be the next leak.  It goes with a token, or it would be judged itself.
 */

/* ---- a mail --------------------------------------------------------------------------- */

void desk_mail_free(DeskMail *mail)
{
	if (mail == NULL)
		return;
	if (mail->fd >= 0)
		close(mail->fd);
	g_free(mail->digest);
	g_free(mail->sender);
	g_ptr_array_unref(mail->recipients);
	g_free(mail);
}

static const char *say(const Desk *desk, const char *english, const char *french)
	__attribute__((format_arg(2), format_arg(3)));
static const char *say(const Desk *desk, const char *english, const char *french)
{
	return desk->settings->desk.french ? french : english;
}

static char *own_address(const Desk *desk)
{
	const char *from = desk->settings->desk.notice_from;
	return from != NULL ? g_strdup(from) : g_strdup_printf("MAILER-DAEMON@%s", desk->settings->host);
}

/* RFC 2047, where it is not ASCII. */
static char *encoded(const char *text)
{
	if (g_str_is_ascii(text))
		return g_strdup(text);
	g_autofree char *base64 = g_base64_encode((const guchar *)text, strlen(text));
	return g_strdup_printf("=?UTF-8?B?%s?=", base64);
}

static GString *begin_mail(const Desk *desk, const char *to, const char *subject, const char *type)
{
	g_autofree char *date = ms_text_mail_date(g_get_real_time());
	g_autofree char *name = ms_record_name();
	g_autofree char *from = own_address(desk);
	g_autofree char *title = encoded(subject);
	GString *text = g_string_new(NULL);
	g_string_append_printf(text,
		"From: missent <%s>\nTo: <%s>\nSubject: %s\nDate: %s\nMessage-ID: <%s@%s>\n"
		"Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: %s\n"
		"Content-Transfer-Encoding: 8bit\n\n",
		from, to, title, date, name, desk->settings->host, type);
	return text;
}

static DeskMail *end_mail(GString *text, const char *sender, const char *to)
{
	DeskMail *mail = g_new0(DeskMail, 1);
	mail->sender = g_strdup(sender);
	mail->recipients = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(mail->recipients, g_strdup(to));
	mail->fd = ms_memory_file("missent-notice");
	MsBodyDigest digest;
	char sum[MS_BODY_DIGEST];
	ms_body_digest_init(&digest);
	ms_body_digest_message(&digest, text->str, text->len);
	ms_body_digest_end(&digest, sum);
	mail->digest = g_strdup(sum);
	if (mail->fd >= 0 && write(mail->fd, text->str, text->len) != (ssize_t)text->len) {
		close(mail->fd);
		mail->fd = -1; /* submitting says so */
	}
	g_string_free(text, TRUE);
	return mail;
}

MsSubmitted desk_submit(Desk *desk, const char *sender, const GPtrArray *recipients, int fd,
	const char *digest, bool (*before)(const char *hash, void *user, GError **error), void *user,
	char **hash_out, char **reply_out)
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
	MsSubmitted result = desk_submit(desk, mail->sender, mail->recipients, mail->fd, mail->digest, NULL,
		NULL, &hash, &reply);
	if (hash != NULL)
		ms_tokens_void(desk->ledger, hash, &queue_id, NULL);
	return result;
}

/* ---- return to sender: RFC 3464 ------------------------------------------------------- */

static void append_contact(const Desk *desk, GString *text)
{
	const char *contact = desk->settings->desk.notice_contact;
	if (contact != NULL)
		g_string_append_printf(text, say(desk, "Ask %s.\n", "Adressez-vous à %s.\n"), contact);
}

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

DeskMail *desk_return_notice(Desk *desk, const MsRecord *record, const char *why)
{
	g_autofree char *border = ms_record_name();
	g_autofree char *type = g_strdup_printf(
		"multipart/report; report-type=delivery-status; boundary=\"%s\"", border);
	g_autofree char *sender = ms_text_escape(record->sender, -1, 320);
	g_autofree char *arrived = ms_text_mail_date(record->arrived);
	g_autofree char *summary = ms_record_summary(record);
	GString *text = begin_mail(desk, sender,
		say(desk, "Returned after review: your message was not sent",
			"Retour après examen : votre message n'a pas été envoyé"), type);
	g_string_append_printf(text,
		"--%s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n", border);
	g_string_append_printf(text,
		say(desk,
			"Your message of %s to %u recipient(s) was held because it does not fit its\n"
			"recipients (%s). A reviewer has returned it; it was not delivered to the\n"
			"recipients below.\n\nReference: %s\n",
			"Votre message du %s à %u destinataire(s) a été retenu car il ne correspond pas à\n"
			"ses destinataires (%s). Après examen il vous est retourné ; il n'a pas été remis\n"
			"aux destinataires ci-dessous.\n\nRéférence : %s\n"),
		arrived, record->n_recipients, summary, record->uid);
	(void)why; /* the reviewer's words may name a customer: they stay in the record */
	append_contact(desk, text);
	g_string_append_printf(text,
		"\n--%s\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; %s\n"
		"X-Missent-Reference: %s\nArrival-Date: %s\n",
		border, record->host, record->uid, arrived);
	append_recipients(text, record);
	g_string_append_printf(text, "\n--%s--\n", border);
	return end_mail(text, "", record->sender);
}

/* ---- it is held ----------------------------------------------------------------------- */

static MsSubmitted send_held(Desk *desk, const MsRecord *record, const char *to)
{
	g_autofree char *arrived = ms_text_mail_date(record->arrived);
	g_autofree char *safe = ms_text_escape(to, -1, 320);
	g_autofree char *sender = ms_text_escape(record->sender, -1, 320);
	g_autofree char *from = own_address(desk);
	g_autofree char *summary = ms_record_summary(record);
	GString *text = begin_mail(desk, safe,
		say(desk, "A message is held for review", "Un message est retenu pour examen"),
		"text/plain; charset=utf-8");
	g_string_append_printf(text,
		say(desk,
			"A message from %s of %s to %u recipient(s) is held for review, because it does\n"
			"not fit its recipients (%s). It has not been lost; a reviewer will release or\n"
			"return it. Others that are held for the same cause are not announced one by one.\n\n"
			"Reference: %s\n",
			"Un message de %s du %s à %u destinataire(s) est retenu pour examen, car il ne\n"
			"correspond pas à ses destinataires (%s). Il n'est pas perdu ; il sera libéré ou\n"
			"retourné. Les autres messages retenus pour la même cause ne sont pas annoncés un\npar un.\n\n"
			"Référence : %s\n"),
		sender, arrived, record->n_recipients, summary, record->uid);
	append_contact(desk, text);
	g_autoptr(DeskMail) mail = end_mail(text, from, to);
	return send_mail(desk, mail);
}

/* False: the MTA does not take it now.  What it refuses for good is not tried again. */
static bool tell(Desk *desk, const MsRecord *record, const char *to)
{
	bool first = false;
	gint64 window = desk->settings->desk.notice_window_ms * 1000;
	if (*to == '\0' || !ms_notices_first(desk->ledger, to, record->cause, window, &first, NULL) || !first
		|| send_held(desk, record, to) != MS_LATER)
		return true;
	ms_notices_unsent(desk->ledger, to, record->cause);
	return false;
}

static bool tell_all(Desk *desk, const MsRecord *record)
{
	const MsSettings *s = desk->settings;
	bool fine = !s->desk.notice_sender || tell(desk, record, record->sender);
	for (const char *const *to = s->desk.notice_to; *to != NULL; to++)
		fine = tell(desk, record, *to) && fine;
	return fine;
}

#define NOTICES_AT_ONCE 200
#define NEVER_AGAIN (G_MAXINT64 / 4)
#define TOLD "told"
#define PAUSE_US (60 * G_USEC_PER_SEC)

void desk_send_notices(Desk *desk)
{
	const MsSettings *s = desk->settings;
	if ((!s->desk.notice_sender && s->desk.notice_to[0] == NULL) || g_get_monotonic_time() < desk->of->notices_at)
		return;
	g_autoptr(GPtrArray) list =
		ms_records_changed(desk->ledger, desk->of->noticed, NOTICES_AT_ONCE, NULL);
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsRecord *record = list->pdata[i];
		bool first = false;
		if (record->state == MS_STATE_HELD
			&& ms_notices_first(desk->ledger, record->uid, TOLD, NEVER_AGAIN, &first, NULL) && first
			&& !tell_all(desk, record)) {
			ms_notices_unsent(desk->ledger, record->uid, TOLD);
			desk->of->notices_at = g_get_monotonic_time() + PAUSE_US;
			return;
		}
		desk->of->noticed = record->changed;
	}
}

/* ---- to reviewers --------------------------------------------------------------------- */

/* MS_SUBMITTED: one was taken, or nobody is to be told. */
static MsSubmitted send_to_reviewers(Desk *desk, const char *subject, const char *body)
{
	const MsSettings *s = desk->settings;
	const char *const *to = s->desk.digest_to[0] != NULL ? s->desk.digest_to : s->desk.notice_to;
	g_autofree char *from = own_address(desk);
	MsSubmitted best = *to == NULL ? MS_SUBMITTED : MS_REFUSED;
	for (; *to != NULL; to++) {
		GString *text = begin_mail(desk, *to, subject, "text/plain; charset=utf-8");
		g_string_append(text, body);
		g_autoptr(DeskMail) mail = end_mail(text, from, *to);
		MsSubmitted result = send_mail(desk, mail);
		if (result == MS_SUBMITTED || best == MS_REFUSED)
			best = result;
	}
	return best;
}

void desk_warn_of_expiry(Desk *desk, const GPtrArray *records)
{
	g_autoptr(GString) body = g_string_new(NULL);
	g_string_append_printf(body,
		say(desk, "%u held message(s) will be returned to their senders soon, unless somebody\n"
			"decides before:\n\n",
			"%u message(s) retenu(s) seront bientôt retournés à leurs expéditeurs, sauf décision\n"
			"prise avant :\n\n"), records->len);
	for (guint i = 0; i < records->len; i++) {
		const MsRecord *r = records->pdata[i];
		g_autofree char *arrived = ms_text_mail_date(r->arrived);
		g_autofree char *sender = ms_text_escape(r->sender, -1, 100);
		g_string_append_printf(body, "%s  %s  <%s>  %s\n", r->uid, arrived, sender, r->codes);
	}
	g_autofree char *subject = g_strdup_printf(
		say(desk, "%u held message(s) expire soon", "%u message(s) retenu(s) expirent bientôt"), records->len);
	if (send_to_reviewers(desk, subject, body->str) != MS_SUBMITTED)
		return; /* another time */
	for (guint i = 0; i < records->len; i++) {
		const MsRecord *r = records->pdata[i];
		if (ms_records_warned(desk->ledger, r->id, g_get_real_time(), NULL))
			ms_records_act(desk->ledger, r->id, "missent", "expiry announced", "", NULL);
	}
}

void desk_send_digest(Desk *desk)
{
	const MsSettings *s = desk->settings;
	MsRecordStats stats;
	bool first = false;
	if (s->desk.digest_to[0] == NULL || !ms_records_stats(desk->ledger, &stats, NULL) || stats.held == 0
		|| !ms_notices_first(desk->ledger, "reviewers", "digest", s->desk.digest_ms * 1000, &first, NULL)
		|| !first)
		return;
	g_autoptr(GPtrArray) causes = ms_records_causes(desk->ledger, 30, NULL);
	g_autoptr(GString) body = g_string_new(NULL);
	g_autofree char *oldest = ms_text_mail_date(stats.oldest);
	g_string_append_printf(body,
		say(desk, "On %s %" G_GINT64_FORMAT " message(s) are held, the oldest since %s.\n"
			"%" G_GINT64_FORMAT " decision(s) wait for a second person.\n\n",
			"Sur %s, %" G_GINT64_FORMAT " message(s) sont retenus, le plus ancien depuis %s.\n"
			"%" G_GINT64_FORMAT " décision(s) attendent une seconde personne.\n\n"),
		s->host, stats.held, oldest, stats.waiting);
	for (guint i = 0; causes != NULL && i < causes->len; i++) {
		const MsCause *cause = causes->pdata[i];
		g_autofree char *safe = ms_text_escape(cause->cause, -1, 300);
		g_string_append_printf(body, "%6" G_GINT64_FORMAT "  %s\n", cause->messages, safe);
	}
	g_autofree char *subject = g_strdup_printf(
		say(desk, "%" G_GINT64_FORMAT " held message(s)", "%" G_GINT64_FORMAT " message(s) retenu(s)"),
		stats.held);
	if (send_to_reviewers(desk, subject, body->str) == MS_LATER)
		ms_notices_unsent(desk->ledger, "reviewers", "digest");
}
