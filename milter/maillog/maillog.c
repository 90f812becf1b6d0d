/*
 * Logs come in, one MsMail for each message that a queue had goes out.  Files are looked at first
 * for the time of their first lines, and then read in that order; within one, lines are in order
 * but for the little by which processes differ.  A queue ID names one message of one instance of
 * an MTA on one host at a time: it names another when one begins under it.  A line about a message
 * that stands there again is no second event: syslog daemons write mail.log and mail.info, logs are
 * rotated by copying, and who names mail.log* names both the file and what it was packed into.  The
 * thread of who reads the log.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/digest.h"

#include "maillog_private.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define STILL_COMING_IN (3600 * SECOND)
#define BETWEEN_PROCESSES (120 * SECOND) /* one writes of it, and the other not yet */
#define SESSION (2 * 3600 * SECOND)
#define MOST_REMEMBERED (6 * MS_MAILLOG_MOST) /* lines of which it is known that they were there */

const char *const ms_came_names[MS_N_CAME + 1] = {
	"unknown", "smtp", "local", "bounce", "requeued", "split", "forwarded", "internal", NULL};

/* What one client sends, one message after the other, and how many texts were taken. */
typedef struct {
	GPtrArray *mails; /* of MsMail, borrowed */
	bool whole;       /* its beginning is in the log */
	bool closed;
	int taken;   /* -1: not known */
	gint64 last; /* it began a message, or ended */
} Session;

typedef struct {
	MsMail *mail;
	char *trouble; /* said before it had a message */
	gint64 at;
	Session *session; /* NULL: none in which something was sent */
	bool connected;   /* the log has where it begins */
} Process;

struct LogMta {
	char *host, *instance;
	bool sendmail;
	GHashTable *current;   /* queue ID to MsMail */
	GHashTable *processes; /* number to Process */
};

struct MsMaillog {
	MsMaillogOptions options;
	MsMaillogNotes notes;
	GPtrArray *mails, *turns;
	GHashTable *mtas;
	GPtrArray *said;     /* of Said: what missentd itself says in the same log */
	GPtrArray *sessions; /* of Session */
	GHashTable *pids;    /* of who wrote of mail */
	GHashTable *lines;   /* digests of those that were there, as the pointers themselves */
	guint8 key[MS_DIGEST_BYTES]; /* of these: senders choose a part of a line */
};

/* That it let a message go unchecked. */
typedef struct Said {
	char *host, *queue_id;
	gint64 at;
	const struct Said *before; /* of the same ID; NULL: none */
} Said;

/* ---- making and freeing ------------------------------------------------------------------ */

static void delivered_free(void *data)
{
	MsDelivered *d = data;
	g_free(d->to);
	g_free(d->orig_to);
	g_free(d->relay);
	g_free(d->next);
	g_free(d);
}

static void mail_free(void *data)
{
	MsMail *mail = data;
	g_free(mail->queue_id);
	g_free(mail->service);
	g_free(mail->client);
	g_free(mail->auth_user);
	g_free(mail->sender);
	g_free(mail->message_id);
	g_free(mail->parent);
	g_free(mail->trouble);
	g_ptr_array_unref(mail->deliveries);
	g_free(mail);
}

static void said_free(void *data)
{
	Said *said = data;
	g_free(said->host);
	g_free(said->queue_id);
	g_free(said);
}

static void session_free(void *data)
{
	Session *session = data;
	g_ptr_array_unref(session->mails);
	g_free(session);
}

static void process_free(void *data)
{
	Process *process = data;
	g_free(process->trouble);
	g_free(process);
}

static void mta_free(void *data)
{
	LogMta *mta = data;
	g_free(mta->host);
	g_free(mta->instance);
	g_hash_table_unref(mta->current);
	g_hash_table_unref(mta->processes);
	g_free(mta);
}

MsMaillog *ms_maillog_new(const MsMaillogOptions *options)
{
	MsMaillog *log = g_new0(MsMaillog, 1);
	log->options = *options;
	if (log->options.now == 0)
		log->options.now = ms_clock_now();
	log->notes.problems = g_ptr_array_new_with_free_func(g_free);
	log->mails = g_ptr_array_new_with_free_func(mail_free);
	log->turns = g_ptr_array_new_with_free_func(g_free);
	log->said = g_ptr_array_new_with_free_func(said_free);
	log->sessions = g_ptr_array_new_with_free_func(session_free);
	log->pids = g_hash_table_new(NULL, NULL);
	log->mtas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mta_free);
	log->lines = g_hash_table_new(NULL, NULL);
	ms_digest_random(log->key);
	return log;
}

void ms_maillog_free(MsMaillog *log)
{
	if (log == NULL)
		return;
	g_ptr_array_unref(log->mails);
	g_ptr_array_unref(log->turns);
	g_ptr_array_unref(log->said);
	g_ptr_array_unref(log->sessions);
	g_hash_table_unref(log->pids);
	g_hash_table_unref(log->lines);
	g_hash_table_unref(log->mtas); /* last: names are its own */
	g_ptr_array_unref(log->notes.problems);
	g_free(log->notes.undated_line);
	g_free(log);
}

/* ---- who writes --------------------------------------------------------------------------- */

LogMta *log_mta(MsMaillog *log, const char *host, const char *instance, bool sendmail)
{
	g_autofree char *name = g_strdup_printf("%s %s", host, instance);
	LogMta *mta = g_hash_table_lookup(log->mtas, name);
	if (mta == NULL) {
		mta = g_new0(LogMta, 1);
		mta->host = g_strdup(host);
		mta->instance = g_strdup(instance);
		mta->sendmail = sendmail;
		mta->current = g_hash_table_new(g_str_hash, g_str_equal);
		mta->processes = g_hash_table_new_full(NULL, NULL, NULL, process_free);
		g_hash_table_insert(log->mtas, g_steal_pointer(&name), mta);
	}
	return mta;
}

static Process *process_of(LogMta *mta, guint pid)
{
	Process *process = g_hash_table_lookup(mta->processes, GUINT_TO_POINTER(pid));
	if (process == NULL) {
		process = g_new0(Process, 1);
		g_hash_table_insert(mta->processes, GUINT_TO_POINTER(pid), process);
	}
	return process;
}

/* It is coming in as long as nobody says that it is in the queue. */
static bool is_open(const MsMail *mail, gint64 at)
{
	return mail != NULL && !mail->accepted && !mail->refused && !mail->removed &&
		ABS(at - mail->last) < STILL_COMING_IN;
}

void log_trouble(LogMta *mta, guint pid, const char *text, gint64 at)
{
	Process *process = process_of(mta, pid);
	if (text != NULL && is_open(process->mail, at)) {
		log_set(&process->mail->trouble, text);
		return;
	}
	g_free(process->trouble);
	process->trouble = g_strdup(text); /* NULL: all is well again */
	process->at = at;
	process->mail = NULL;
}

void log_process_has(LogMta *mta, guint pid, MsMail *mail)
{
	Process *process = process_of(mta, pid);
	process->mail = mail;
	if (process->trouble != NULL && mail->first - process->at < SESSION)
		log_set(&mail->trouble, process->trouble);
}

/* ---- sessions: what was begun, and did not come in -------------------------------------- */

void log_session_begins(LogMta *mta, guint pid)
{
	Process *process = process_of(mta, pid);
	process->session = NULL;
	process->connected = true;
}

void log_session_has(MsMaillog *log, LogMta *mta, guint pid, MsMail *mail)
{
	Process *process = process_of(mta, pid);
	Session *session = process->session;
	if (session == NULL) {
		session = g_new0(Session, 1);
		session->mails = g_ptr_array_new();
		session->whole = process->connected;
		session->taken = -1;
		g_ptr_array_add(log->sessions, session);
		process->session = session;
	}
	g_ptr_array_add(session->mails, mail);
	session->last = mail->first;
}

void log_session_ends(LogMta *mta, guint pid, int taken, gint64 at)
{
	Process *process = process_of(mta, pid);
	Session *session = process->session;
	process->session = NULL;
	process->connected = false;
	if (session == NULL)
		return;
	session->closed = true;
	session->taken = session->whole ? taken : -1;
	session->last = at;
}

/* Of one that has a text only what stops within it; before it, what has none. */
void log_session_breaks(LogMta *mta, guint pid, bool in_text, gint64 at)
{
	const Session *session = process_of(mta, pid)->session;
	MsMail *mail = session != NULL ? session->mails->pdata[session->mails->len - 1] : NULL;
	if (mail != NULL && is_open(mail, at) && (in_text || mail->message_id == NULL))
		mail->ended = true;
}

static bool was_taken(const MsMail *mail)
{
	return mail->accepted || mail->held || mail->discarded || mail->deliveries->len > 0;
}

/* Of what has no end: the text of none was taken but of those that have one; or it has no text, and
 * nobody says that there was one. */
static void end_session(const Session *session)
{
	int known = 0;
	for (guint i = 0; i < session->mails->len; i++)
		known += was_taken(session->mails->pdata[i]);
	for (guint i = 0; i < session->mails->len; i++) {
		MsMail *mail = session->mails->pdata[i];
		mail->lost = session->last +
			(session->closed ? BETWEEN_PROCESSES : STILL_COMING_IN);
		if (!was_taken(mail) && session->closed)
			mail->ended |= session->taken < 0 ? mail->message_id == NULL
							  : session->taken <= known;
	}
}

static bool has_no_end(const MsMail *mail)
{
	return mail->came != MS_CAME_UNKNOWN && !was_taken(mail) && !mail->refused &&
		!mail->removed && !mail->ended;
}

/* What left the queue has a line of each recipient, of some more: each as it is and as it was asked
 * for, since what an alias leads to is counted before it is delivered. */
static guint missing_of(const MsMail *mail)
{
	bool lacks = mail->came != MS_CAME_UNKNOWN && mail->removed && !mail->taken_out &&
		!mail->sendmail && mail->deliveries->len < MS_MAILLOG_EVENTS;
	guint want = MAX(mail->n_recipients, 1);
	if (!lacks)
		return 0;
	g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < mail->deliveries->len; i++) {
		const MsDelivered *d = mail->deliveries->pdata[i];
		g_autofree char *both = g_strconcat(
			d->to, "\n", d->orig_to != NULL ? d->orig_to : "", NULL);
		g_hash_table_add(all, g_ascii_strdown(both, -1));
	}
	guint has = g_hash_table_size(all);
	return has < want ? want - has : 0;
}

/* The queue manager says to how many a message goes before anybody delivers it. */
static bool is_uncounted(const MsMail *mail)
{
	return mail->came != MS_CAME_UNKNOWN && !mail->sendmail && mail->tried &&
		mail->n_recipients == 0;
}

static void find_lost(MsMaillog *log)
{
	for (guint i = 0; i < log->sessions->len; i++)
		end_session(log->sessions->pdata[i]);
	for (guint i = 0; i < log->mails->len; i++) {
		MsMail *mail = log->mails->pdata[i];
		gint64 at = MAX(mail->lost,
			mail->last + (mail->lost > 0 ? BETWEEN_PROCESSES : STILL_COMING_IN));
		mail->lost = has_no_end(mail) && at <= log->notes.to ? at : 0;
		mail->uncounted = is_uncounted(mail);
		mail->missing = mail->uncounted ? 0 : missing_of(mail);
	}
}

/* The first one is the least rounded. */
void log_took(MsMail *mail, gint64 at, double seconds)
{
	if (mail->entered == 0 && seconds >= 0 && seconds < 100 * 86400)
		mail->entered = at - (gint64)(seconds * (double)SECOND);
}

void log_turn(MsMaillog *log, LogMta *mta, gint64 at)
{
	MsMaillogTurn *turn = g_new0(MsMaillogTurn, 1);
	*turn = (MsMaillogTurn){at, mta->host, mta->instance};
	g_ptr_array_add(log->turns, turn);
}

/* ---- messages ---------------------------------------------------------------------------- */

void log_set(char **where, const char *text)
{
	if (*where == NULL && text != NULL)
		*where = g_utf8_make_valid(text, -1);
}

static MsMail *add_mail(MsMaillog *log, LogMta *mta, const char *queue_id, gint64 at)
{
	if (log->mails->len >= MS_MAILLOG_MOST) {
		log->notes.dropped++;
		return NULL;
	}
	MsMail *mail = g_new0(MsMail, 1);
	mail->host = mta->host;
	mail->instance = mta->instance;
	mail->sendmail = mta->sendmail;
	mail->queue_id = g_strdup(queue_id);
	mail->first = mail->last = at;
	mail->deliveries = g_ptr_array_new_with_free_func(delivered_free);
	g_ptr_array_add(log->mails, mail);
	g_hash_table_replace(mta->current, mail->queue_id, mail);
	return mail;
}

MsMail *log_mail(MsMaillog *log, LogMta *mta, const char *queue_id, gint64 at)
{
	MsMail *mail = g_hash_table_lookup(mta->current, queue_id);
	if (mail == NULL)
		return add_mail(log, mta, queue_id, at);
	mail->last = MAX(mail->last, at);
	return mail;
}

/* What came of it before its first line, from a process that was faster, is its own. */
MsMail *log_mail_begins(MsMaillog *log, LogMta *mta, const char *queue_id, gint64 at)
{
	MsMail *mail = g_hash_table_lookup(mta->current, queue_id);
	bool early = mail != NULL &&
		(mail->came == MS_CAME_UNKNOWN || mail->came == MS_CAME_INTERNAL) &&
		is_open(mail, at) && mail->deliveries->len == 0;
	return early ? log_mail(log, mta, queue_id, at) : add_mail(log, mta, queue_id, at);
}

void log_delivery(MsMaillog *log, MsMail *mail, MsDelivered delivered)
{
	MsDelivered *copy = g_new0(MsDelivered, 1);
	*copy = delivered;
	copy->to = g_utf8_make_valid(delivered.to, -1);
	copy->orig_to = delivered.orig_to != NULL ? g_utf8_make_valid(delivered.orig_to, -1) : NULL;
	copy->relay = g_utf8_make_valid(delivered.relay != NULL ? delivered.relay : "", -1);
	g_free(delivered.to);
	g_free(delivered.orig_to);
	g_free(delivered.relay);
	if (mail->deliveries->len >= MS_MAILLOG_EVENTS) {
		log->notes.dropped++;
		delivered_free(copy);
		return;
	}
	g_ptr_array_add(mail->deliveries, copy);
}

bool log_again(MsMaillog *log, const LogLine *line, const char *id, const char *rest)
{
	const MsPiece pieces[] = {{&line->at, sizeof line->at}, {line->host, strlen(line->host)},
		{line->ident, strlen(line->ident)}, {&line->pid, sizeof line->pid},
		{id, strlen(id)}, {rest, strlen(rest)}};
	guint8 digest[MS_DIGEST_BYTES];
	gpointer name;
	ms_digest_pieces(log->key, pieces, G_N_ELEMENTS(pieces), digest);
	memcpy(&name, digest, sizeof name);
	if (g_hash_table_size(log->lines) < MOST_REMEMBERED
			? g_hash_table_add(log->lines, name)
			: !g_hash_table_contains(log->lines, name))
		return false;
	log->notes.again++;
	return true;
}

/* Which MTA's it is, and whether that has said a word of it yet, is known at the end. */
static bool log_missentd(MsMaillog *log, LogLine *line)
{
	const char *colon = strcmp(line->ident, "missentd") == 0 ? strchr(line->text, ':') : NULL;
	if (colon == NULL || strstr(colon, "action=deliver, unchecked=yes") == NULL ||
		log->said->len >= MS_MAILLOG_EVENTS)
		return false;
	Said *said = g_new0(Said, 1);
	*said = (Said){g_strdup(line->host), g_strndup(line->text, (gsize)(colon - line->text)),
		line->at, NULL};
	g_ptr_array_add(log->said, said);
	return false; /* no line of an MTA */
}

/* Of one ID, which several hosts may have, and each of them again: one after the other. */
static void take_said(MsMaillog *log)
{
	g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < log->said->len; i++) {
		Said *said = log->said->pdata[i];
		said->before = g_hash_table_lookup(by_id, said->queue_id);
		g_hash_table_replace(by_id, said->queue_id, said);
	}
	for (guint i = 0; log->said->len > 0 && i < log->mails->len; i++) {
		MsMail *mail = log->mails->pdata[i];
		const Said *said = g_hash_table_lookup(by_id, mail->queue_id);
		for (; said != NULL && !mail->unchecked; said = said->before)
			mail->unchecked = strcmp(said->host, mail->host) == 0 &&
				said->at >= mail->first - 120 * SECOND &&
				said->at <= mail->last + 120 * SECOND;
	}
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Of a process by its number: of one that writes of mail. */
static void take_gap(MsMaillog *log, const LogLine *line)
{
	MsMaillogNotes *notes = &log->notes;
	guint64 n;
	guint pid;
	if (!log_gap(line, &n, &pid) ||
		(pid != 0 && !g_hash_table_contains(log->pids, GUINT_TO_POINTER(pid))))
		return;
	notes->gaps++;
	notes->gap_lines += n;
	notes->gap_from = notes->gap_from == 0 ? line->at : MIN(notes->gap_from, line->at);
	notes->gap_to = MAX(notes->gap_to, line->at);
}

static bool take_line(LogLine *line, void *user)
{
	MsMaillog *log = user;
	MsMaillogNotes *notes = &log->notes;
	notes->lines++;
	take_gap(log, line);
	if (!log_postfix(log, line) && !log_sendmail(log, line) && !log_missentd(log, line))
		return true;
	notes->used++;
	g_hash_table_add(log->pids, GUINT_TO_POINTER(line->pid));
	notes->from = notes->from == 0 ? line->at : MIN(notes->from, line->at);
	notes->to = MAX(notes->to, line->at);
	notes->yearless = notes->yearless || line->yearless;
	return true;
}

static void take_odd(const char *text, bool cut, void *user)
{
	MsMaillogNotes *notes = &((MsMaillog *)user)->notes;
	if (cut) {
		notes->cut++;
		return;
	}
	notes->lines++;
	if (notes->undated++ == 0) {
		g_autofree char *head = g_strndup(text, 40);
		notes->undated_line = g_utf8_make_valid(head, -1);
	}
}

void ms_maillog_feed(MsMaillog *log, const char *name, const void *data, gsize len)
{
	(void)name;
	LogLines *lines = log_lines_new(
		log->options.now, log->options.year, take_line, take_odd, log);
	log_lines_take(data, len, lines);
	log_lines_end(lines);
}

/* The time of the first line that has one. */
typedef struct {
	const char *path;
	gint64 modified, first;
} File;

static bool take_first(LogLine *line, void *user)
{
	*(gint64 *)user = line->at;
	return false;
}

static void take_no_odd(const char *text, bool cut, void *user)
{
	(void)text;
	(void)cut;
	(void)user;
}

static bool look_at(MsMaillog *log, File *file, GError **error)
{
	file->modified = log->options.now;
	file->first = G_MAXINT64;
	if (strcmp(file->path, "-") == 0)
		return true; /* can be read once only: last */
	g_autofree char *problem = NULL;
	LogLines *lines = log_lines_new(
		log->options.now, log->options.year, take_first, take_no_odd, &file->first);
	bool fine = log_source(file->path, log_lines_take, lines, &file->modified, &problem, error);
	log_lines_end(lines);
	if (!fine)
		return false;
	/* Again, now that it is known when the file was written. */
	if (file->first != G_MAXINT64 && log->options.year == 0) {
		lines = log_lines_new(file->modified, 0, take_first, take_no_odd, &file->first);
		fine = log_source(file->path, log_lines_take, lines, NULL, NULL, error);
		log_lines_end(lines);
	}
	return fine;
}

static int compare_files(const void *a, const void *b)
{
	const File *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static bool read_file(MsMaillog *log, const File *file, GError **error)
{
	char *problem = NULL;
	LogLines *lines = log_lines_new(
		file->modified, log->options.year, take_line, take_odd, log);
	bool fine = log_source(file->path, log_lines_take, lines, NULL, &problem, error);
	log_lines_end(lines);
	if (problem != NULL)
		g_ptr_array_add(log->notes.problems, problem);
	return fine;
}

bool ms_maillog_read(MsMaillog *log, const char *const *paths, GError **error)
{
	g_autoptr(GArray) files = g_array_new(FALSE, TRUE, sizeof(File));
	bool fine = true;
	for (; *paths != NULL && fine; paths++) {
		File file = {.path = *paths};
		fine = look_at(log, &file, error);
		g_array_append_val(files, file);
	}
	g_array_sort(files, compare_files);
	for (guint i = 0; i < files->len && fine; i++)
		fine = read_file(log, &g_array_index(files, File, i), error);
	return fine;
}

static int compare_mails(const void *a, const void *b)
{
	const MsMail *x = *(MsMail *const *)a, *y = *(MsMail *const *)b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int compare_turns(const void *a, const void *b)
{
	const MsMaillogTurn *x = *(MsMaillogTurn *const *)a, *y = *(MsMaillogTurn *const *)b;
	return x->at < y->at ? -1 : x->at > y->at;
}

const GPtrArray *ms_maillog_mails(MsMaillog *log)
{
	g_ptr_array_sort(log->mails, compare_mails);
	g_ptr_array_sort(log->turns, compare_turns);
	take_said(log);
	find_lost(log);
	return log->mails;
}

const GPtrArray *ms_maillog_turns(const MsMaillog *log)
{
	return log->turns;
}

const MsMaillogNotes *ms_maillog_notes(const MsMaillog *log)
{
	return &log->notes;
}
