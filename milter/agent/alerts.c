/*
 * Once a second, in a thread of its own: which states hold (alert.h), and who is to know.  Each goes to the log at
 * once; to a program, to the webhook's outbox, and into a mail that a relay takes which missent does not filter.
 * Mails are counted: what is too much for an hour waits and goes together.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "missent/log.h"
#include "missent/outbox.h"
#include "missent/pause.h"
#include "missent/text.h"

#include "agent.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define SILENT_US (15 * SECOND)
#define WINDOW_US (300 * SECOND) /* of the share of unread mail */
#define LEAST_MESSAGES 20        /* of which a share says something */
#define AGAIN_US (60 * SECOND)   /* a mail that was not taken */

typedef struct {
	Agent *agent;
	MsAlerts *alerts;
	MsNumbersView *now;
	bool known;                        /* there are numbers */
	guint64 last[MS_N_NUMBERS];
	gint64 grew[MS_N_ALERTS];          /* when a counter of it grew last; 0: not since the start */
	guint64 window_judged, window_unread;
	gint64 window;
	GString *pending;                  /* lines that no mail has told yet */
	gint64 hour, not_before;
	guint mails;
	gint64 written;                    /* the file for node_exporter */
} Tend;

/* ---- telling -------------------------------------------------------------------------- */

static void run_hook(const MsSettings *s, MsAlert alert, bool on, const char *text)
{
	const char *argv[] = {s->alerts.hook, ms_alert_rows[alert].name, on ? "on" : "off", text, NULL};
	g_autoptr(GError) error = NULL;
	if (s->alerts.hook != NULL
		&& !g_spawn_async("/", (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
			NULL, &error))
		ms_log(LOG_WARNING, NULL, "alerts { hook }: %s", error->message);
}

static void told(MsAlert alert, bool on, const char *detail, void *user)
{
	Tend *t = user;
	const MsSettings *s = agent_settings(t->agent);
	const MsAlertRow *row = &ms_alert_rows[alert];
	g_autofree char *safe = ms_text_escape(detail, -1, 1200);
	g_autofree char *text = g_strdup_printf("%s%s%s", on ? row->on : row->off, on && *safe != '\0' ? ": " : "", on ? safe : "");
	ms_log(on ? LOG_CRIT : LOG_NOTICE, NULL, "alert=%s, state=%s: %s", row->name, on ? "on" : "off", text);
	run_hook(s, alert, on, text);
	ms_outbox_alert(ms_desk_ledger(t->agent->desk), row->name, on, s->host, NULL);
	if (s->alerts.mail_to[0] == NULL)
		return;
	g_autoptr(GDateTime) time = g_date_time_new_now_local();
	g_autofree char *stamp = g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
	if (t->pending->len < 65536)
		g_string_append_printf(t->pending, "%s  %-9s %s  %s\n", stamp, row->name, on ? "ON " : "off", text);
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
	g_string_append_printf(out, "\r\nSubject: missent %s: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n"
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n\r\n", s->host, subject, date, name, s->host);
	return g_string_free(out, FALSE);
}

static bool submit(const MsSettings *s, const char *text, char **why_out)
{
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (const char *const *a = s->alerts.mail_to; *a != NULL; a++)
		g_ptr_array_add(to, (char *)*a);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	/* "2026-11-26 21:00:00  name      ON   words": the words alone */
	g_autofree char *first = lines[2] != NULL && *lines[1] != '\0'
		? g_strdup("several states have changed")
		: g_strdup(strlen(lines[0]) > 35 ? lines[0] + 36 : lines[0]);
	g_autofree char *header = header_of(s, to, first);
	MsSubmit relay = {s->alerts.relay, NULL, NULL, 30000};
	int fd = memfd_create("missent-alert", MFD_CLOEXEC);
	gsize len = strlen(text);
	MsSubmitted said = MS_LATER;
	if (fd >= 0 && write(fd, text, len) == (ssize_t)len)
		said = ms_mta_submit(&relay, s->alerts.mail_from, to, header, fd, why_out);
	else
		*why_out = g_strdup("no memory");
	if (fd >= 0)
		close(fd);
	return said == MS_SUBMITTED || said == MS_UNCLEAR;
}

static void send_mail(Tend *t, gint64 now)
{
	const MsSettings *s = agent_settings(t->agent);
	if (now - t->hour >= 3600 * SECOND || t->hour == 0) {
		t->hour = now;
		t->mails = 0;
	}
	if (t->pending->len == 0 || now < t->not_before || t->mails >= s->alerts.mail_most || s->alerts.mail_to[0] == NULL)
		return;
	g_autofree char *why = NULL;
	if (submit(s, t->pending->str, &why)) {
		t->mails++;
		g_string_truncate(t->pending, 0);
		return;
	}
	t->not_before = now + AGAIN_US;
	ms_log(LOG_ERR, NULL, "alerts { relay = \"%s\" }: no mail could be sent: %s", s->alerts.relay, why);
}

/* ---- which states hold ---------------------------------------------------------------- */

static void set(Tend *t, MsAlert alert, bool on, const char *format, ...) G_GNUC_PRINTF(4, 5);
static void set(Tend *t, MsAlert alert, bool on, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *detail = g_strdup_vprintf(format, args);
	va_end(args);
	ms_alerts_set(t->alerts, alert, on, detail, told, t);
	atomic_store(&t->agent->alerting[alert], on);
}

/* A reason by its name: which ones there are is the policy's. */
static int reason_named(const char *name)
{
	for (int i = 0; i < MS_N_REASONS; i++)
		if (strcmp(ms_reason_names[i], name) == 0)
			return MS_NUM_REASON + i;
	return -1;
}

static guint64 grown(const Tend *t, int number)
{
	if (number < 0)
		return 0;
	guint64 now = t->now->value[number], last = t->last[number];
	return now >= last ? now - last : now;
}

/* On as soon as it is counted; off when nothing was for so long. */
static void look_at_counter(Tend *t, MsAlert alert, int number, gint64 calm_us, gint64 now)
{
	if (grown(t, number) > 0)
		t->grew[alert] = now;
	else if (t->grew[alert] == 0)
		t->grew[alert] = ms_alerts_is(t->alerts, alert) ? now : now - calm_us; /* told before a restart */
	set(t, alert, now - t->grew[alert] < calm_us, "%s", "");
}

static void look_at_counters(Tend *t, gint64 now)
{
	look_at_counter(t, MS_ALERT_OVERLOAD, MS_NUM_TEMPFAIL_OVERLOAD, 60 * SECOND, now);
	look_at_counter(t, MS_ALERT_WRITE, MS_NUM_TEMPFAIL_WRITE, 60 * SECOND, now);
	look_at_counter(t, MS_ALERT_BREAKER, reason_named("breaker"), 600 * SECOND, now);
	look_at_counter(t, MS_ALERT_GUARD, reason_named("guard-unavailable"), 60 * SECOND, now);
}

static void look_at_share(Tend *t, const MsSettings *s, gint64 now)
{
	t->window_judged += grown(t, MS_NUM_JUDGED);
	t->window_unread += grown(t, MS_NUM_UNREAD_MESSAGES);
	if (now - t->window < WINDOW_US)
		return;
	guint64 share = t->window_judged > 0 ? t->window_unread * 100 / t->window_judged : 0;
	if (t->window_judged >= LEAST_MESSAGES && s->alerts.unread_share > 0)
		set(t, MS_ALERT_UNREAD, share > (guint64)s->alerts.unread_share, "%" G_GUINT64_FORMAT " per cent in five minutes",
			share);
	t->window = now;
	t->window_judged = t->window_unread = 0;
}

static void look_at_numbers(Tend *t, const MsSettings *s, gint64 now)
{
	const guint64 *value = t->now->value;
	gint64 age = now / SECOND - (gint64)value[MS_NUM_DIRECTORY_LOADED];
	set(t, MS_ALERT_DIRECTORY, value[MS_NUM_DIRECTORY_UP] == 0, "missent directory stats says why");
	if (s->alerts.stale_ms > 0 && value[MS_NUM_DIRECTORY_LOADED] > 0)
		set(t, MS_ALERT_STALE, age * 1000 > s->alerts.stale_ms, "imported %" G_GINT64_FORMAT " s ago", age);
	set(t, MS_ALERT_HUNG, value[MS_NUM_HANGING] > 0, "%" G_GUINT64_FORMAT, value[MS_NUM_HANGING]);
	if (t->known) {
		look_at_counters(t, now);
		look_at_share(t, s, now);
	}
	memcpy(t->last, value, sizeof t->last);
	t->known = true;
}

static void look_at_host(Tend *t, const MsSettings *s, gint64 now)
{
	MsHostNumbers host;
	g_auto(MsPause) pause = {0};
	agent_host_numbers(t->agent, &host);
	gint64 age = host.oldest > 0 ? now - host.oldest : 0;
	if (s->alerts.held_ms > 0)
		set(t, MS_ALERT_HELD_OLD, age > s->alerts.held_ms * 1000, "%" G_GINT64_FORMAT " held, the oldest for %" G_GINT64_FORMAT
			" s", host.held, age / SECOND);
	if (s->alerts.disk_free > 0 && host.disk_free >= 0)
		set(t, MS_ALERT_DISK, host.disk_free < s->alerts.disk_free, "%" G_GINT64_FORMAT " bytes are free", host.disk_free);
	bool paused = ms_pause_read(s->state_dir, s->pause_ms, now, &pause, NULL) == MS_FOUND;
	g_autofree char *words = paused ? ms_pause_words(&pause) : g_strdup("");
	set(t, MS_ALERT_PAUSED, paused, "%s", words);
	static const MsAlert left[] = {MS_ALERT_BYPASS, MS_ALERT_CANARY};
	for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
		g_autofree char *detail = ms_alert_left(s->state_dir, left[i]);
		set(t, left[i], detail != NULL, "%s", detail != NULL ? detail : "");
	}
}

/* While nobody publishes, nothing new is known of what is published. */
static void look(Tend *t)
{
	const MsSettings *s = agent_settings(t->agent);
	gint64 now = g_get_real_time();
	bool there = ms_numbers_read(s->numbers_file, t->now, NULL);
	bool silent = !there || ABS(now - t->now->published) > SILENT_US;
	set(t, MS_ALERT_SILENT, silent, "%s", "");
	if (!silent)
		look_at_numbers(t, s, now);
	look_at_host(t, s, now);
	send_mail(t, now);
	if (now - t->written >= s->metrics.every_ms * 1000 || now < t->written) {
		agent_metrics_file(t->agent);
		t->written = now;
	}
}

#define START_US (5 * SECOND) /* missentd may be starting too */

void *agent_tend(void *user)
{
	Agent *agent = user;
	Tend t = {.agent = agent, .now = g_new0(MsNumbersView, 1), .pending = g_string_new(NULL),
		.alerts = ms_alerts_new(ms_desk_settings(agent->desk)->state_dir), .window = g_get_real_time()};
	for (guint i = 0; i < MS_N_ALERTS; i++)
		atomic_store(&agent->alerting[i], ms_alerts_is(t.alerts, (MsAlert)i));
	for (gint64 end = g_get_monotonic_time() + START_US; !agent_stopping && g_get_monotonic_time() < end;)
		g_usleep(SECOND / 4);
	while (!agent_stopping) {
		look(&t);
		for (int i = 0; i < 4 && !agent_stopping; i++)
			g_usleep(SECOND / 4);
	}
	ms_alerts_free(t.alerts);
	g_string_free(t.pending, TRUE);
	g_free(t.now);
	return NULL;
}
