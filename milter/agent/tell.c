/*
 * A state that has begun or ended comes in; it goes to the log, to a program, to the webhook's
 * outbox, and into a mail that a relay takes which missent does not filter.  The program is one
 * at a time, in the order of what it is told, and is ended when it takes too long.  Mails have a
 * thread of their own, so that a relay that hangs holds up nobody; what is too much for an hour
 * waits and goes together, over a restart too.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/log.h"
#include "missent/outbox.h"
#include "missent/text.h"

#include "tell.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define AGAIN_US (60 * SECOND) /* a mail that was not taken */
#define HOOKS_MOST 200
#define PENDING_MOST 65536
#define PENDING_FILE "alerts-pending"

typedef struct {
	MsAlert alert;
	bool on, tried;
	char *text;
} Call;

struct Teller {
	Agent *agent;
	/* The program; the thread of who tells. */
	GQueue calls; /* of Call */
	GPid pid;     /* that runs; 0: none */
	gint64 since; /* monotonic */
	const char *about;
	/* Mails; under the lock. */
	pthread_mutex_t lock;
	pthread_t mailer;
	bool mails; /* the thread is there */
	GString *pending; /* lines that no mail has told yet */
	guint64 left_out; /* ... and that there was no room for */
	char *file;
};

/* ---- a program ------------------------------------------------------------------------ */

static void free_call(Call *call)
{
	g_free(call->text);
	g_free(call);
}

/* Of a group of its own, so that what it started ends with it. */
static void own_group(void *unused)
{
	(void)unused;
	setpgid(0, 0);
}

/* False: the host lacks what a program is started with.  It is told in its turn all the same. */
static bool begin_call(Teller *t, const MsSettings *s)
{
	Call *call = g_queue_peek_head(&t->calls);
	const char *argv[] = {s->alerts.hook, ms_alert_rows[call->alert].name,
		call->on ? "on" : "off", call->text, NULL};
	g_autoptr(GError) error = NULL;
	t->about = ms_alert_rows[call->alert].name;
	t->since = g_get_monotonic_time();
	if (s->alerts.hook != NULL &&
		!g_spawn_async("/", (char **)argv, NULL,
			G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
				G_SPAWN_STDERR_TO_DEV_NULL,
			own_group, NULL, &t->pid, &error))
		t->pid = 0;
	/* the other errors of its domain are of the program; a pipe's are of another */
	bool lacks = error != NULL && (error->domain != G_SPAWN_ERROR ||
		error->code == G_SPAWN_ERROR_FORK || error->code == G_SPAWN_ERROR_NOMEM);
	if (error != NULL && !call->tried)
		ms_log(LOG_ERR, NULL, "alerts { hook }: %s", error->message);
	call->tried = true;
	if (!lacks)
		free_call(g_queue_pop_head(&t->calls));
	return !lacks;
}

static void end_call(Teller *t, const char *how, int number)
{
	if (how != NULL)
		ms_log(LOG_ERR, NULL, "alerts { hook }: for %s it %s %d", t->about, how, number);
	t->pid = 0;
}

/* True: it has ended, or was ended. */
static bool has_ended(Teller *t, const MsSettings *s)
{
	int status = 0;
	pid_t ended = waitpid(t->pid, &status, WNOHANG);
	if (ended == 0) {
		gint64 most = s->alerts.hook_ms;
		if (g_get_monotonic_time() - t->since < most * 1000)
			return false;
		ms_io_kill(t->pid, true);
		end_call(t, "was ended, after milliseconds:", (int)most);
		return true;
	}
	if (ended > 0 && WIFSIGNALED(status))
		end_call(t, "died of signal", WTERMSIG(status));
	else if (ended > 0 && WEXITSTATUS(status) != 0)
		end_call(t, "ended with status", WEXITSTATUS(status));
	else
		end_call(t, NULL, 0);
	return true;
}

void tell_tend(Teller *t)
{
	const MsSettings *s = agent_settings(t->agent);
	while ((t->pid == 0 || has_ended(t, s)) && t->calls.length > 0 && begin_call(t, s))
		continue;
}

static void call_later(Teller *t, MsAlert alert, bool on, const char *text)
{
	Call *call = g_new0(Call, 1);
	*call = (Call){alert, on, false, g_strdup(text)};
	g_queue_push_tail(&t->calls, call);
	if (t->calls.length > HOOKS_MOST) {
		free_call(g_queue_pop_head(&t->calls));
		ms_log(LOG_ERR, NULL, "alerts { hook }: it is too slow: one call was left out");
	}
}

/* ---- by mail -------------------------------------------------------------------------- */

static char *header_of(const MsSettings *s, const GPtrArray *to, const char *first)
{
	g_autofree char *date = ms_text_mail_date(g_get_real_time());
	g_autofree char *name = ms_record_name();
	g_autofree char *subject = ms_text_escape(first, -1, 120);
	GString *out = g_string_new(NULL);
	g_string_append_printf(out, "From: missent <%s>\r\nTo: ", s->alerts.mail_from);
	for (guint i = 0; i < to->len; i++)
		g_string_append_printf(out, "%s<%s>", i > 0 ? ",\r\n " : "", (char *)to->pdata[i]);
	g_string_append_printf(out,
		"\r\nSubject: missent %s: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n"
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n\r\n",
		s->host, subject, date, name, s->host);
	return g_string_free(out, FALSE);
}

enum { AT_NAME = 21, AT_STATE = 33, AT_WORDS = 38 };

/* Of "2026-11-26 21:00:00  name        ON   words" the words; of several lines the names. */
static char *subject_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *names = g_string_new(NULL);
	const char *words = lines[0];
	guint n = 0;
	for (char **line = lines; *line != NULL; line++) {
		if (!g_ascii_isdigit(**line) || strlen(*line) <= AT_WORDS)
			continue;
		if (n++ == 0)
			words = *line + AT_WORDS;
		g_autofree char *name = g_strndup(*line + AT_NAME, strcspn(*line + AT_NAME, " "));
		bool on = g_str_has_prefix(*line + AT_STATE, "ON ");
		g_string_append_printf(names, "%s%s %s", n > 1 ? ", " : "", name, on ? "on" : "off");
	}
	char *subject = n > 1 ? g_strdup(names->str) : g_strdup(words);
	g_string_free(names, TRUE);
	return subject;
}

static bool submit(const MsSettings *s, const char *text, char **why_out)
{
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (const char *const *a = s->alerts.mail_to; *a != NULL; a++)
		g_ptr_array_add(to, (char *)*a);
	g_autofree char *first = subject_of(text);
	g_autofree char *header = header_of(s, to, first);
	MsSubmit relay = {s->alerts.relay, NULL, NULL, 30000};
	int fd = memfd_create("missent-alert", MFD_CLOEXEC);
	gsize len = strlen(text);
	MsSubmitted said = MS_LATER;
	if (fd >= 0 && ms_io_write(fd, text, len))
		said = ms_mta_submit(&relay, s->alerts.mail_from, to, header, fd, why_out);
	else
		*why_out = g_strdup("no memory");
	ms_io_close(fd);
	return said == MS_SUBMITTED || said == MS_UNCLEAR;
}

/* With the lock held: what is not sent yet survives a restart. */
static void keep_pending(const Teller *t)
{
	if (t->pending->len == 0)
		unlink(t->file);
	else if (!ms_io_replace(t->file, t->pending->str, t->pending->len, 0640, true))
		ms_log(LOG_WARNING, NULL, "alerts: %s: %s", t->file, g_strerror(errno));
}

/* What there is to send now, the caller's; NULL: nothing.  How much of it is `pending`, and
 * `left_out`. */
static char *take_pending(Teller *t, gsize *len_out, guint64 *left_out)
{
	pthread_mutex_lock(&t->lock);
	GString *text = t->pending->len > 0 ? g_string_new(t->pending->str) : NULL;
	*len_out = t->pending->len;
	*left_out = t->left_out;
	pthread_mutex_unlock(&t->lock);
	if (text != NULL && *left_out > 0)
		g_string_append_printf(
			text, "and %" G_GUINT64_FORMAT " more, which the log has\n", *left_out);
	return text != NULL ? g_string_free(text, FALSE) : NULL;
}

/* What came while it was sent is still to be told. */
static void drop_sent(Teller *t, gsize len, guint64 left_out)
{
	pthread_mutex_lock(&t->lock);
	g_string_erase(t->pending, 0, (gssize)len);
	t->left_out -= left_out;
	keep_pending(t);
	pthread_mutex_unlock(&t->lock);
}

static void *send_mails(void *user)
{
	Teller *t = user;
	gint64 hour = 0, not_before = 0;
	guint mails = 0;
	while (!agent_stopping) {
		const MsSettings *s = agent_settings(t->agent);
		gint64 now = g_get_monotonic_time();
		if (hour == 0 || now - hour >= 3600 * SECOND) {
			hour = now;
			mails = 0;
		}
		bool may = s->alerts.mail_to[0] != NULL && now >= not_before &&
			mails < s->alerts.mail_most;
		gsize len = 0;
		guint64 left_out = 0;
		g_autofree char *text = may ? take_pending(t, &len, &left_out) : NULL, *why = NULL;
		if (text != NULL && submit(s, text, &why)) {
			mails++;
			drop_sent(t, len, left_out);
		} else if (text != NULL) {
			not_before = g_get_monotonic_time() + AGAIN_US;
			ms_log(LOG_ERR, NULL,
				"alerts { relay = \"%s\" }: no mail could be sent: %s",
				s->alerts.relay, why);
		}
		g_usleep(SECOND / 2);
	}
	return NULL;
}

static void mail_later(Teller *t, const MsSettings *s, MsAlert alert, bool on, const char *text)
{
	if (s->alerts.mail_to[0] == NULL)
		return;
	g_autofree char *stamp = ms_text_time(g_get_real_time(), MS_ZONE_LOCAL, MS_TIME_SECONDS);
	pthread_mutex_lock(&t->lock);
	if (t->pending->len < PENDING_MOST)
		g_string_append_printf(t->pending, "%s  %-11s %s  %s\n%s%s%s", stamp,
			ms_alert_rows[alert].name, on ? "ON " : "off", text,
			on ? "    What to do: " : "", on ? ms_alert_rows[alert].remedy : "",
			on ? "\n" : "");
	else
		t->left_out++;
	keep_pending(t);
	pthread_mutex_unlock(&t->lock);
}

/* ---- all ways ------------------------------------------------------------------------- */

void tell_state(Teller *t, MsAlert alert, bool on, const char *detail)
{
	const MsSettings *s = agent_settings(t->agent);
	const MsAlertRow *row = &ms_alert_rows[alert];
	g_autofree char *safe = ms_text_escape(detail, -1, 1200);
	bool more = on && *safe != '\0';
	g_autofree char *text = g_strdup_printf(
		"%s%s%s", on ? row->on : row->off, more ? ": " : "", more ? safe : "");
	ms_log(on ? LOG_CRIT : LOG_NOTICE, NULL, "alert=%s, state=%s: %s%s%s", row->name,
		on ? "on" : "off", text, on ? "; what to do: " : "", on ? row->remedy : "");
	if (s->alerts.hook != NULL)
		call_later(t, alert, on, text);
	ms_outbox_alert(ms_desk_ledger(t->agent->desk), row->name, on, s->host, NULL);
	mail_later(t, s, alert, on, text);
}

Teller *teller_new(Agent *agent)
{
	Teller *t = g_new0(Teller, 1);
	g_autofree char *before = NULL;
	t->agent = agent;
	t->file = g_build_filename(ms_desk_settings(agent->desk)->state_dir, PENDING_FILE, NULL);
	ms_io_contents(t->file, &before, NULL, NULL);
	t->pending = g_string_new(
		before != NULL && g_utf8_validate(before, -1, NULL) ? before : "");
	pthread_mutex_init(&t->lock, NULL);
	t->mails = pthread_create(&t->mailer, NULL, send_mails, t) == 0;
	if (!t->mails)
		ms_log(LOG_ERR, NULL, "alerts: no thread for mails");
	return t;
}

/* When the agent is to stop. */
void teller_free(Teller *t)
{
	if (t->mails)
		pthread_join(t->mailer, NULL);
	if (t->pid != 0)
		ms_io_kill(t->pid, true);
	for (Call *call; (call = g_queue_pop_head(&t->calls)) != NULL;)
		free_call(call);
	pthread_mutex_destroy(&t->lock);
	g_string_free(t->pending, TRUE);
	g_free(t->file);
	g_free(t);
}
