/*
 * A line of one of Postfix's programs comes in ("postfix/smtpd", "postfix-out/submission/smtpd":
 * the instance, the name that master.cf gives the service, the program), and is noted with the
 * message that it is about.  Sources: the programs' manual pages, and what they write.  The thread
 * of who reads the log.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "maillog_private.h"

/* All of its own queue IDs have a digit, are of capitals, or are long: "warning" is none. */
static const LogIdForm id_form = {5, 40, true};

static char *queue_id_of(char *text, char **rest_out)
{
	return g_str_has_prefix(text, "NOQUEUE:") ? NULL : log_cut_id(text, &id_form, rest_out);
}

/* Of which message it was made; of a line that was cut off it is not known. */
static void set_parent(MsMail *mail, const char *id)
{
	gsize n = log_id_at(id, &id_form);
	if (n > 0 && id[n] == '\0')
		log_set(&mail->parent, id);
}

typedef struct {
	MsMaillog *log;
	LogMta *mta;
	LogLine *line;
	const char *service, *program;
	const char *id;
	char *text; /* behind the ID */
} Say;

/* ---- how it comes in ----------------------------------------------------------------------- */

/* "client=name[192.0.2.1]:port, sasl_method=PLAIN, sasl_username=anna, orig_queue_id=ID": who may
 * say XFORWARD, a content filter, names the message that it gives back */
static bool smtpd(Say *say)
{
	if (!g_str_has_prefix(say->text, "client="))
		return false;
	MsMail *mail = log_mail_begins(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	mail->came = MS_CAME_SMTP;
	mail->pid = say->line->pid;
	log_set(&mail->service, say->service);
	char *key, *value;
	while (log_field(&say->text, "", &key, &value)) {
		if (strcmp(key, "client") == 0 && mail->client == NULL) {
			mail->client = log_in_brackets(value);
		} else if (strcmp(key, "sasl_username") == 0) {
			log_set(&mail->auth_user, value);
		} else if (strcmp(key, "orig_queue_id") == 0) {
			set_parent(mail, value);
		}
	}
	log_process_has(say->mta, say->line->pid, mail);
	log_session_has(say->log, say->mta, say->line->pid, mail);
	return true;
}

/* "uid=1000 from=<root>", of mail put back "uid=0 from=<a@b> orig_id=ID" */
static bool pickup(Say *say)
{
	if (!g_str_has_prefix(say->text, "uid="))
		return false;
	MsMail *mail = log_mail_begins(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	mail->came = MS_CAME_LOCAL;
	log_set(&mail->service, say->service);
	const char *orig = g_strrstr(say->text, "> orig_id=");
	if (orig != NULL) {
		mail->came = MS_CAME_REQUEUED;
		set_parent(mail, orig + strlen("> orig_id="));
	}
	return true;
}

static bool cleanup_milter(Say *say)
{
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	if (g_str_has_prefix(say->text, "milter-hold: ") || g_str_has_prefix(say->text, "hold: "))
		mail->held = true;
	else if (g_str_has_prefix(say->text, "milter-reject: END-OF-MESSAGE") ||
		g_str_has_prefix(say->text, "milter-reject: DATA") ||
		(g_str_has_prefix(say->text, "reject: ") &&
			/* one of several recipients */
			!g_str_has_prefix(say->text, "reject: RCPT ")))
		mail->refused = true;
	else if (g_str_has_prefix(say->text, "milter-discard: ") ||
		g_str_has_prefix(say->text, "discard: "))
		mail->discarded = true;
	else if (g_str_has_prefix(say->text, "redirect: header ") ||
		g_str_has_prefix(say->text, "redirect: body "))
		mail->redirected = true;
	else
		return false;
	return true;
}

static void deliveries(Say *say, MsMail *mail);

/* Its first line is the first one of what Postfix makes itself, if the log has what was before. */
static bool cleanup(Say *say)
{
	if (g_str_has_prefix(say->text, "to=<")) {
		MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
		if (mail != NULL)
			deliveries(say, mail);
		return true;
	}
	if (!g_str_has_prefix(say->text, "message-id="))
		return cleanup_milter(say);
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	/* Removed, or long in the queue, it is another's: an ID is used again. */
	if (mail->removed &&
		(mail = log_mail_begins(say->log, say->mta, say->id, say->line->at)) == NULL)
		return true;
	if (mail->came == MS_CAME_UNKNOWN && mail->first == say->line->at)
		mail->came = MS_CAME_INTERNAL;
	g_autofree char *id = log_address(say->text + strlen("message-id="));
	log_set(&mail->message_id, id);
	log_process_has(say->mta, say->line->pid, mail);
	return true;
}

/* "sender non-delivery notification: ID" */
static bool bounce(Say *say)
{
	const char *id = strstr(say->text, "notification: ");
	gsize n = 0;
	if (id != NULL) {
		id += strlen("notification: ");
		n = log_id_at(id, &id_form);
	}
	if (n == 0 || id[n] != '\0')
		return false;
	MsMail *mail = log_mail(say->log, say->mta, id, say->line->at);
	if (mail != NULL && (mail->came == MS_CAME_UNKNOWN || mail->came == MS_CAME_INTERNAL)) {
		mail->came = MS_CAME_BOUNCE;
		log_set(&mail->parent, say->id);
	}
	return true;
}

/* ---- what becomes of it -------------------------------------------------------------------- */

/* "to=<a>, orig_to=<b>, relay=host[ip]:25, delay=1, delays=..., dsn=2.0.0, status=sent (250
 * ...)" */
static void deliveries(Say *say, MsMail *mail)
{
	MsDelivered d = {.at = say->line->at};
	char *key, *value, *status = NULL;
	while (log_field(&say->text, "status", &key, &value)) {
		if (strcmp(key, "to") == 0 && d.to == NULL)
			d.to = log_address(value);
		else if (strcmp(key, "orig_to") == 0 && d.orig_to == NULL)
			d.orig_to = log_address(value);
		else if (strcmp(key, "relay") == 0 && d.relay == NULL)
			d.relay = g_strdup(value);
		else if (strcmp(key, "delay") == 0)
			log_took(mail, say->line->at, g_ascii_strtod(value, NULL));
		else if (strcmp(key, "status") == 0)
			status = value;
	}
	if (d.to == NULL || status == NULL) {
		g_free(d.to);
		g_free(d.orig_to);
		g_free(d.relay);
		return;
	}
	mail->accepted = true;
	/* of what discard(8) is given nothing goes anywhere, though it says sent */
	d.sent = g_str_has_prefix(status, "sent") && strcmp(say->program, "discard") != 0;
	d.next = d.sent ? log_next_id(status) : NULL;
	log_delivery(say->log, mail, d);
}

static bool delivery(Say *say)
{
	if (!g_str_has_prefix(say->text, "to=<"))
		return false;
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail != NULL) {
		mail->tried = true;
		deliveries(say, mail);
	}
	return true;
}

/* "from=<a@b>, size=321, nrcpt=1 (queue active)" */
static bool qmgr(Say *say)
{
	if (delivery(say)) /* it says itself that a host is not to be tried now */
		return true;
	bool from = g_str_has_prefix(say->text, "from=<"),
	     removed = strcmp(say->text, "removed") == 0;
	if (!from && !removed)
		return false;
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	mail->removed |= removed;
	mail->accepted |= removed;
	char *key, *value;
	while (from && log_field(&say->text, "", &key, &value)) {
		if (strcmp(key, "from") == 0) {
			g_autofree char *sender = log_address(value);
			log_set(&mail->sender, sender);
		} else if (strcmp(key, "nrcpt") == 0) {
			/* less of it when it is taken up again */
			guint n = (guint)g_ascii_strtoull(value, NULL, 10);
			mail->n_recipients = MAX(mail->n_recipients, n);
			mail->accepted = true;
		}
	}
	return true;
}

static bool postsuper(Say *say)
{
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	if (g_str_has_prefix(say->text, "released from hold"))
		mail->let_go = true;
	else if (g_str_has_prefix(say->text, "requeued") || g_str_has_prefix(say->text, "removed"))
		mail->removed = mail->taken_out = true;
	return true;
}

/* ---- lines ------------------------------------------------------------------------------ */

static bool of_a_mail(Say *say)
{
	static const char *const agents[] = {"smtp", "lmtp", "relay", "local", "virtual", "pipe",
		"error", "retry", "discard", NULL};
	if (strcmp(say->program, "smtpd") == 0)
		return smtpd(say) || cleanup_milter(say);
	if (strcmp(say->program, "pickup") == 0)
		return pickup(say);
	if (strcmp(say->program, "cleanup") == 0)
		return cleanup(say);
	if (strcmp(say->program, "qmgr") == 0 || strcmp(say->program, "nqmgr") == 0)
		return qmgr(say);
	if (strcmp(say->program, "bounce") == 0)
		return bounce(say);
	if (strcmp(say->program, "postsuper") == 0)
		return postsuper(say);
	return g_strv_contains(agents, say->program) && delivery(say);
}

static bool says_trouble(const char *text)
{
	return g_str_has_prefix(text, "warning: ") &&
		(strstr(text, "connect to Milter service ") != NULL ||
			g_str_has_prefix(text, "warning: milter "));
}

/* How often one command of a session went well: "disconnect from app[192.0.2.7] ehlo=1 mail=2
 * rcpt=2 data=1/2 quit=1 commands=6/7" */
static int done_of(const char *statistics, const char *command)
{
	const char *found = strstr(statistics, command);
	return found != NULL
		? (int)CLAMP(strtol(found + strlen(command), NULL, 10), 0, G_MAXINT / 2)
		: 0;
}

/* Pieces of a text that comes in several (BDAT) are counted each: it is one at the least. */
static int texts_taken(const char *text)
{
	const char *statistics = strrchr(text, ']');
	if (statistics == NULL || strstr(statistics, " commands=") == NULL)
		return -1;
	return done_of(statistics, " data=") + done_of(statistics, " bdat=");
}

/* "lost connection after DATA (17 bytes) from app[192.0.2.7]", "timeout after RCPT from ...", "too
 * many errors after DATA from ...": behind END-OF-MESSAGE it may have been taken. */
static bool session_breaks(Say *say)
{
	static const char *const begins[] = {
		"lost connection after ", "timeout after ", "too many errors after "};
	const char *stage = NULL, *text = say->line->text;
	for (gsize i = 0; i < G_N_ELEMENTS(begins); i++)
		if (g_str_has_prefix(text, begins[i]))
			stage = text + strlen(begins[i]);
	if (stage == NULL)
		return false;
	log_session_breaks(say->mta, say->line->pid,
		g_str_has_prefix(stage, "DATA ") || g_str_has_prefix(stage, "BDAT "),
		say->line->at);
	return true;
}

/* Whom a client talks to, and what of it came in. */
static bool session(Say *say)
{
	const char *text = say->line->text;
	bool begins = g_str_has_prefix(text, "connect from ");
	if (!begins && !g_str_has_prefix(text, "disconnect from "))
		return session_breaks(say);
	log_trouble(say->mta, say->line->pid, NULL, say->line->at);
	if (begins)
		log_session_begins(say->mta, say->line->pid);
	else
		log_session_ends(say->mta, say->line->pid, texts_taken(text), say->line->at);
	return true;
}

/* Of a process, or of all of Postfix. */
static bool of_no_mail(Say *say)
{
	const char *text = say->line->text;
	bool smtpd = strcmp(say->program, "smtpd") == 0;
	if ((smtpd || strcmp(say->program, "cleanup") == 0) && says_trouble(text))
		log_trouble(say->mta, say->line->pid, text + strlen("warning: "), say->line->at);
	else if (smtpd && session(say))
		return true;
	else if (strcmp(say->program, "master") == 0 &&
		(g_str_has_prefix(text, "daemon started") || g_str_has_prefix(text, "reload ")))
		log_turn(say->log, say->mta, say->line->at);
	else
		return false;
	return true;
}

bool log_postfix(MsMaillog *log, LogLine *line)
{
	const char *slash = strchr(line->ident, '/'), *last = strrchr(line->ident, '/');
	if (slash == NULL || slash == line->ident || last[1] == '\0')
		return false;
	g_autofree char *instance = g_strndup(line->ident, (gsize)(slash - line->ident));
	Say say = {log, log_mta(log, line->host, instance, false), line, slash + 1, last + 1, NULL,
		NULL};
	char *rest = NULL;
	say.id = queue_id_of(line->text, &rest);
	say.text = rest;
	if (say.id == NULL)
		return of_no_mail(&say);
	return log_again(log, line, say.id, rest) || of_a_mail(&say);
}
