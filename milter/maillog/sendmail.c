/*
 * A line of Sendmail comes in ("sendmail", "sm-mta", "sm-msp-queue"), and is noted with the
 * message that it is about.  Sources: Sendmail Installation and Operation Guide, 2.1.1, and what
 * it writes.  A message that is refused has its "from=" line too; of one that is taken,
 * deliveries follow.  The thread of who reads the log.
 */
#include "config.h"

#include <string.h>

#include "maillog_private.h"

static bool is_sendmail(const char *ident)
{
	return strcmp(ident, "sendmail") == 0 || g_str_has_prefix(ident, "sm-") ||
		g_str_has_prefix(ident, "sendmail-");
}

/* "5AQKnYxx000123: " */
static const LogIdForm id_form = {8, 24, false};

typedef struct {
	MsMaillog *log;
	LogMta *mta;
	LogLine *line;
	const char *id;
	char *text;
} Say;

/* "relay=name [192.0.2.1]"; "relay=user@localhost": not over the network. */
static void take_client(MsMail *mail, const char *relay)
{
	char *address = log_in_brackets(relay);
	mail->came = address != NULL || mail->auth_user != NULL ? MS_CAME_SMTP : MS_CAME_LOCAL;
	if (address != NULL && g_str_has_prefix(address, "IPv6:")) {
		g_free(mail->client);
		mail->client = g_strdup(address + 5);
		g_free(address);
		return;
	}
	g_free(mail->client);
	mail->client = address;
}

/* "from=<a@b>, size=321, class=0, nrcpts=1, msgid=<...>, proto=ESMTP, daemon=MTA,
 * relay=localhost [127.0.0.1]" */
static bool from(Say *say)
{
	MsMail *mail = log_mail_begins(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	mail->pid = say->line->pid;
	char *key, *value;
	const char *relay = "";
	while (log_field(&say->text, "", &key, &value)) {
		if (strcmp(key, "from") == 0) {
			g_autofree char *sender = log_address(value);
			log_set(&mail->sender, sender);
		} else if (strcmp(key, "nrcpts") == 0) {
			mail->n_recipients = (guint)g_ascii_strtoull(value, NULL, 10);
			mail->ended |= mail->n_recipients == 0;
		} else if (strcmp(key, "size") == 0) {
			mail->ended |= strcmp(value, "0") == 0; /* no text came */
		} else if (strcmp(key, "msgid") == 0) {
			g_autofree char *id = log_address(value);
			log_set(&mail->message_id, id);
		} else if (strcmp(key, "daemon") == 0) {
			log_set(&mail->service, value);
		} else if (strcmp(key, "authid") == 0 || strcmp(key, "authinfo") == 0) {
			log_set(&mail->auth_user, value);
		} else if (strcmp(key, "quarantine") == 0) {
			mail->held = true;
		} else if (strcmp(key, "relay") == 0) {
			relay = value;
		}
	}
	take_client(mail, relay);
	log_process_has(say->mta, say->line->pid, mail);
	return true;
}

/* "to=<a@b>,<c@d>, delay=..., mailer=relay, relay=host [ip], dsn=2.0.0, stat=Sent (...)" */
static void delivered(Say *say, MsMail *mail, char *to, const char *relay, const char *stat)
{
	bool sent = g_str_has_prefix(stat, "Sent");
	g_auto(GStrv) all = g_strsplit(to, ",", -1);
	if (strchr(to, '"') != NULL) { /* a quoted part may have a comma: as it stands */
		g_strfreev(all);
		all = g_strsplit(to, "\1", 2);
	}
	for (int i = 0; all[i] != NULL; i++) {
		MsDelivered d = {.at = say->line->at,
			.sent = sent,
			.to = log_address(all[i]),
			.relay = g_strdup(relay),
			.next = sent ? log_next_id(stat) : NULL};
		log_delivery(say->log, mail, d);
	}
	/* Refused while it came in, it has such lines too: "stat=Deferred: 451 ..." of who
	 * refused it. */
	mail->accepted |= sent || (!mail->refused && !g_str_has_prefix(stat, "quarantined"));
}

static bool to(Say *say)
{
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	char *key, *value, *addresses = NULL, *relay = (char *)"", *stat = NULL;
	while (mail != NULL && log_field(&say->text, "stat", &key, &value)) {
		if (strcmp(key, "to") == 0 && addresses == NULL)
			addresses = value;
		else if (strcmp(key, "relay") == 0)
			relay = value;
		else if (strcmp(key, "stat") == 0)
			stat = value;
	}
	if (addresses != NULL && stat != NULL)
		delivered(say, mail, addresses, relay, stat);
	return true;
}

static bool says_trouble(const char *text)
{
	return g_str_has_prefix(text, "Milter (") &&
		(strstr(text, "error") != NULL || strstr(text, "timeout") != NULL ||
			strstr(text, "failed") != NULL);
}

/* "Milter: data, reject=451 ...", "milter=missent, quarantine=...", "Milter: from=<>, discard" */
static bool milter(Say *say)
{
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	if (says_trouble(say->text))
		log_set(&mail->trouble, say->text);
	else if (g_str_has_prefix(say->text, "Milter: data, reject=") ||
		g_str_has_prefix(say->text, "Milter: data, tempfail"))
		mail->refused = true;
	else if (g_str_has_prefix(say->text, "Milter: data, discard"))
		mail->discarded = true;
	else if (strstr(say->text, "quarantine=") != NULL)
		mail->held = true;
	return true;
}

/* Said of one, with the ID of the new one that is made of it: "ID: DSN: Host unknown", "ID: return
 * to sender: ...", "ID: postmaster notify: ...", "ID: clone: owner=a" (of a list, for its
 * members) */
static bool made(Say *say)
{
	static const struct {
		const char *words;
		MsCame came;
	} rows[] = {{"DSN: ", MS_CAME_BOUNCE}, {"return to sender: ", MS_CAME_BOUNCE},
		{"postmaster notify", MS_CAME_BOUNCE}, {"sender notify", MS_CAME_BOUNCE},
		{"return receipt", MS_CAME_BOUNCE}, {"clone: ", MS_CAME_SPLIT}};
	char *rest = NULL, *id = log_cut_id(say->text, &id_form, &rest);
	MsCame came = MS_CAME_UNKNOWN;
	for (gsize i = 0; id != NULL && i < G_N_ELEMENTS(rows); i++)
		came = g_str_has_prefix(rest, rows[i].words) ? rows[i].came : came;
	bool is_one = came != MS_CAME_UNKNOWN;
	MsMail *mail = is_one ? log_mail_begins(say->log, say->mta, id, say->line->at) : NULL;
	if (mail == NULL)
		return is_one;
	mail->came = came;
	mail->accepted = true;
	if (came == MS_CAME_BOUNCE)
		log_set(&mail->sender, "");
	log_set(&mail->parent, say->id);
	MsMail *parent = log_mail(say->log, say->mta, say->id, say->line->at);
	if (parent != NULL)
		parent->ended = true; /* it may have no recipient left */
	return true;
}

/* "split: ..., ids=ID; ID", or a further piece of it: "ID; ID" */
static bool split(Say *say)
{
	const char *ids = strrchr(say->text, '=');
	g_auto(GStrv) all = g_strsplit_set(ids != NULL ? ids + 1 : say->text, ",; ", -1);
	for (int i = 0; all[i] != NULL; i++) {
		gsize n = log_id_at(all[i], &id_form);
		MsMail *mail = n > 0 && all[i][n] == '\0'
			? log_mail(say->log, say->mta, all[i], say->line->at)
			: NULL;
		if (mail == NULL)
			continue;
		if (mail->came == MS_CAME_UNKNOWN)
			mail->came = MS_CAME_SPLIT;
		log_set(&mail->parent, say->id);
	}
	return true;
}

/* "collect: premature EOM: ...", "collect: unexpected close on connection from ...", "lost input
 * channel from app [192.0.2.7] to MTA after data", "timeout waiting for input from ...",
 * "ruleset=check_data, arg1=..., reject=...": what one recipient is refused for is not all. */
static bool breaks_off(const char *text)
{
	static const char *const words[] = {"collect: ", "SYSERR(root): collect: ",
		"lost input channel from ", "timeout waiting for input from "};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(text, words[i]))
			return true;
	return g_str_has_prefix(text, "ruleset=") && strstr(text, "reject=") != NULL &&
		!g_str_has_prefix(text, "ruleset=check_rcpt");
}

static bool other(Say *say)
{
	MsMail *mail = log_mail(say->log, say->mta, say->id, say->line->at);
	if (mail == NULL)
		return true;
	if (g_str_has_prefix(say->text, "unquarantine"))
		mail->let_go = true;
	else if (g_str_has_prefix(say->text, "quarantine"))
		mail->held = true;
	else if (g_str_has_prefix(say->text, "done; "))
		mail->removed = true;
	else if (g_str_has_prefix(say->text, "discarded"))
		mail->discarded = true;
	else if (breaks_off(say->text))
		mail->ended = true;
	return true;
}

static bool of_a_mail(Say *say)
{
	const char *text = say->text;
	if (g_str_has_prefix(text, "from="))
		return from(say);
	if (g_str_has_prefix(text, "to="))
		return to(say);
	if (g_str_has_prefix(text, "Milter") || g_str_has_prefix(text, "milter="))
		return milter(say);
	if (g_str_has_prefix(text, "split: "))
		return split(say);
	return made(say) || other(say);
}

/* What has no room in one line comes as "ID[1]: split: ... ...", "ID[2]: ID; ID".  Of other lines
 * the rest is not needed. */
static bool take_piece(Say *say)
{
	gsize n = log_id_at(say->line->text, &id_form);
	char *end = n > 0 && say->line->text[n] == '[' ? strstr(say->line->text, "]: ") : NULL;
	if (end == NULL)
		return false;
	say->line->text[n] = '\0';
	say->id = say->line->text;
	say->text = end + 3;
	gsize first = log_id_at(say->text, &id_form); /* with one behind it, or alone */
	bool further = first > 0 && strchr(";,", say->text[first]) != NULL;
	return log_again(say->log, say->line, say->id, say->text) ||
		((further || g_str_has_prefix(say->text, "split: ")) && split(say));
}

bool log_sendmail(MsMaillog *log, LogLine *line)
{
	if (!is_sendmail(line->ident))
		return false;
	/* The programs of one host share a queue, but for the one of mail that waits to be
	 * submitted. */
	const char *instance = strstr(line->ident, "msp") != NULL ? "sm-msp" : "sendmail";
	LogMta *mta = log_mta(log, line->host, instance, true);
	char *rest = NULL;
	Say say = {log, mta, line, NULL, NULL};
	say.id = log_cut_id(line->text, &id_form, &rest);
	say.text = rest;
	if (say.id != NULL)
		return log_again(log, line, say.id, rest) || of_a_mail(&say);
	const char *text = line->text;
	if (g_str_has_prefix(text, "NOQUEUE: ") && says_trouble(text + strlen("NOQUEUE: ")))
		log_trouble(mta, line->pid, text + strlen("NOQUEUE: "), line->at);
	else if (g_str_has_prefix(text, "NOQUEUE: connect from "))
		log_trouble(mta, line->pid, NULL, line->at);
	else if (g_str_has_prefix(text, "starting daemon ") ||
		g_str_has_prefix(text, "restarting "))
		log_turn(log, mta, line->at);
	else
		return take_piece(&say);
	return true;
}
