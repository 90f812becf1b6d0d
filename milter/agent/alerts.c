/*
 * Once a second, in a thread of its own: what missentd publishes, and what the host, the ledger
 * and other programs say, come in; which states hold (alert.h) goes out, to who is to be told
 * (tell.c).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "missent/clock.h"
#include "missent/decision.h"
#include "missent/io.h"
#include "missent/pause.h"

#include "tell.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define START_US (5 * SECOND)    /* missentd may be starting too */
#define LEAST_MESSAGES 20        /* of which a share says something */

typedef struct {
	Agent *agent;
	Teller *teller;
	MsAlerts *alerts;
	MsNumbersView *now;
	bool known;                        /* there are numbers */
	guint64 last[MS_N_NUMBERS];
	/* The steady clock's, so that no setting of the other begins a state, or ends one. */
	gint64 grew[MS_N_ALERTS]; /* when a counter of it grew last; 0: not since the start */
	gint64 window, beat, written; /* written: the file for node_exporter */
	guint64 window_judged, window_unread;
	gint64 signed_at; /* by the wall clock: the trail, when it was looked at last */
	GHashTable *begun; /* decisions (ID) that are begun, to when they were first seen so */
} Tend;

/* ---- which states hold ---------------------------------------------------------------- */

static void told(MsAlert alert, bool on, const char *detail, void *user)
{
	tell_state(((Tend *)user)->teller, alert, on, detail);
}

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

static guint64 grown(const Tend *t, MsNumber number)
{
	guint64 now = t->now->value[number], last = t->last[number];
	return now >= last ? now - last : now;
}

/* On as soon as it is counted; off when nothing was for so long. */
static void look_at_counter(Tend *t, MsAlert alert, MsNumber number, gint64 calm_us)
{
	gint64 now = ms_clock_steady();
	if (grown(t, number) > 0)
		t->grew[alert] = now;
	else if (t->grew[alert] == 0)
		/* told before a restart */
		t->grew[alert] = ms_alerts_is(t->alerts, alert) ? now : now - calm_us;
	set(t, alert, now - t->grew[alert] < calm_us, "%s", "");
}

static void look_at_counters(Tend *t, const MsSettings *s)
{
	look_at_counter(t, MS_ALERT_OVERLOAD, MS_NUM_TEMPFAIL_OVERLOAD, s->alerts.calm_ms * 1000);
	look_at_counter(t, MS_ALERT_WRITE, MS_NUM_TEMPFAIL_WRITE, s->alerts.calm_ms * 1000);
}

/* Of as many messages as make a share one, at least. */
static void look_at_share(Tend *t, const MsSettings *s)
{
	gint64 now = ms_clock_steady();
	t->window_judged += grown(t, MS_NUM_JUDGED);
	t->window_unread += grown(t, MS_NUM_UNREAD_MESSAGES);
	if (now - t->window < s->alerts.unread_ms * 1000 || t->window_judged < LEAST_MESSAGES)
		return;
	guint64 share = t->window_unread * 100 / t->window_judged;
	bool on = s->alerts.unread_share > 0 && share > (guint64)s->alerts.unread_share;
	set(t, MS_ALERT_UNREAD, on,
		"%" G_GUINT64_FORMAT " per cent of %" G_GUINT64_FORMAT " messages", share,
		t->window_judged);
	t->window = now;
	t->window_judged = t->window_unread = 0;
}

/* Streams that are stopped stay so until somebody lets them run: that is a state of the guard,
 * not of the mail. */
static void look_at_guard(Tend *t)
{
	const guint64 *value = t->now->value;
	guint64 stopped = value[MS_NUM_STREAMS_STOPPED];
	bool up = value[MS_NUM_GUARD_UP] != 0;
	set(t, MS_ALERT_GUARD, value[MS_NUM_GUARD_ON] != 0 && !up,
		"what went where is not counted");
	if (up || value[MS_NUM_GUARD_ON] == 0)
		set(t, MS_ALERT_BREAKER, stopped > 0,
			"%" G_GUINT64_FORMAT " stopped (missent guard status says which)", stopped);
}

static void look_at_numbers(Tend *t, const MsSettings *s, gint64 now)
{
	const guint64 *value = t->now->value;
	gint64 age = now / SECOND - (gint64)value[MS_NUM_DIRECTORY_LOADED];
	bool asked = ms_numbers_worked(t->now) > START_US; /* it asks every five seconds */
	if (asked)
		set(t, MS_ALERT_DIRECTORY, value[MS_NUM_DIRECTORY_UP] == 0,
			"missent directory stats says why");
	if (value[MS_NUM_DIRECTORY_LOADED] > 0)
		set(t, MS_ALERT_STALE, s->alerts.stale_ms > 0 && age * 1000 > s->alerts.stale_ms,
			"imported %" G_GINT64_FORMAT " s ago", age);
	if (asked)
		look_at_guard(t);
	set(t, MS_ALERT_HUNG, value[MS_NUM_HANGING] > 0, "%" G_GUINT64_FORMAT,
		value[MS_NUM_HANGING]);
	if (t->known) {
		look_at_counters(t, s);
		look_at_share(t, s);
	}
	memcpy(t->last, value, sizeof t->last);
	t->known = true;
}

/* missentd lives, so each minute the trail gets a beat, and is signed: one that stands still is
 * cut off.  When it was signed before the first look, the wall clock alone tells. */
static void look_at_trail(Tend *t, const MsSettings *s, const MsHostNumbers *host, gint64 now)
{
	gint64 steady = ms_clock_steady();
	gint64 signed_at = host->audit_entries >= 0 ? host->audit_signed : 0;
	if (signed_at != t->signed_at)
		t->beat = steady - (t->signed_at == 0 ? MAX(now - signed_at * SECOND, 0) : 0);
	t->signed_at = signed_at;
	gint64 age = MIN(steady - t->beat, ms_numbers_worked(t->now)) / SECOND;
	set(t, MS_ALERT_TRAIL, s->alerts.beat_ms > 0 && age * 1000 > s->alerts.beat_ms,
		"its last heartbeat was %" G_GINT64_FORMAT
		" s ago (missent audit verify looks at it)",
		age);
}

/* Those that are begun now; since when, on the steady clock.  What was told before a restart
 * lasts. */
static GHashTable *begun_now(const Tend *t, const GPtrArray *open, gint64 *first_out)
{
	GHashTable *begun = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gint64 steady = ms_clock_steady();
	bool old = t->begun == NULL && ms_alerts_is(t->alerts, MS_ALERT_UNFINISHED);
	*first_out = G_MAXINT64;
	for (guint i = 0; i < open->len; i++) {
		const MsDecision *d = open->pdata[i];
		if (d->state != MS_DECISION_ACTING)
			continue;
		const gint64 *before = t->begun != NULL ? g_hash_table_lookup(t->begun, d->id)
							: NULL;
		gint64 since = before != NULL ? *before : old ? 0 : steady;
		*first_out = MIN(*first_out, since);
		g_hash_table_insert(
			begun, g_strdup(d->id), g_memdup2(&since, sizeof since));
	}
	return begun;
}

/* What cannot be finished is tried again and again, and nobody looks at its outcome. */
static void look_at_decisions(Tend *t, const MsSettings *s)
{
	if (s->alerts.unfinished_ms <= 0) {
		set(t, MS_ALERT_UNFINISHED, false, "%s", "");
		return;
	}
	MsLedger *ledger = ms_desk_ledger(t->agent->desk);
	g_autoptr(GPtrArray) open = ms_decisions_list(ledger, -1, NULL, NULL);
	gint64 first;
	if (open == NULL)
		return; /* that is a state of its own */
	GHashTable *begun = begun_now(t, open, &first);
	bool late = g_hash_table_size(begun) > 0 &&
		ms_clock_steady() - first >= s->alerts.unfinished_ms * 1000;
	set(t, MS_ALERT_UNFINISHED, late, "%u begun", g_hash_table_size(begun));
	g_clear_pointer(&t->begun, g_hash_table_unref);
	t->begun = begun;
}

static void look_at_host(Tend *t, const MsSettings *s, gint64 now)
{
	MsHostNumbers host;
	g_auto(MsPause) pause = {0};
	g_autoptr(GError) error = NULL;
	agent_host_numbers(t->agent, &host, &error);
	set(t, MS_ALERT_RECORDS, host.held < 0, "%s", error != NULL ? error->message : "");
	gint64 age = host.oldest > 0 ? now - host.oldest : 0;
	if (host.held >= 0)
		set(t, MS_ALERT_HELD_OLD,
			s->alerts.held_ms > 0 && age > s->alerts.held_ms * 1000,
			"%" G_GINT64_FORMAT " held, the oldest for %" G_GINT64_FORMAT " s",
			host.held, age / SECOND);
	look_at_decisions(t, s);
	guint64 files = ms_io_files_left(s->state_dir);
	if (ms_io_takes_nothing(s->state_dir))
		set(t, MS_ALERT_DISK, true, "%s", g_strerror(errno));
	else if (files < MS_IO_FEW_FILES && s->alerts.disk_free > 0)
		set(t, MS_ALERT_DISK, true, "%" G_GUINT64_FORMAT " more files can be made", files);
	else if (host.disk_free >= 0)
		set(t, MS_ALERT_DISK, host.disk_free < s->alerts.disk_free,
			"%" G_GINT64_FORMAT " bytes are free", host.disk_free);
	if (!ms_alerts_is(t->alerts, MS_ALERT_SILENT))
		look_at_trail(t, s, &host, now);
	bool paused = ms_pause_read(s->state_dir, s->pause_ms, now, &pause, NULL) == MS_FOUND;
	g_autofree char *words = paused ? ms_pause_words(&pause) : g_strdup("");
	set(t, MS_ALERT_PAUSED, paused, "%s", words);
	static const MsAlert left[] = {
		MS_ALERT_BYPASS, MS_ALERT_OBSERVING, MS_ALERT_CANARY, MS_ALERT_WITNESS,
		MS_ALERT_AUDIT, MS_ALERT_REFUSED};
	for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
		g_autofree char *detail = ms_alert_left(s->state_dir, left[i]);
		set(t, left[i], detail != NULL, "%s", detail != NULL ? detail : "");
	}
}

/* While nobody publishes, nothing new is known of what is published. */
static void look(Tend *t)
{
	const MsSettings *s = agent_settings(t->agent);
	gint64 now = ms_clock_now();
	bool there = ms_numbers_read(s->numbers_file, t->now, NULL);
	bool silent = !there || !ms_numbers_alive(t->now);
	set(t, MS_ALERT_SILENT, silent, "%s", "");
	if (!silent)
		look_at_numbers(t, s, now);
	look_at_host(t, s, now);
	gint64 steady = ms_clock_steady();
	if (t->written == 0 || steady - t->written >= s->metrics.every_ms * 1000) {
		agent_metrics_file(t->agent);
		t->written = steady;
	}
}

void *agent_tend(void *user)
{
	Agent *agent = user;
	Tend t = {.agent = agent,
		.teller = teller_new(agent),
		.now = g_new0(MsNumbersView, 1),
		.alerts = ms_alerts_new(ms_desk_settings(agent->desk)->state_dir),
		.window = ms_clock_steady()};
	for (guint i = 0; i < MS_N_ALERTS; i++)
		atomic_store(&agent->alerting[i], ms_alerts_is(t.alerts, (MsAlert)i));
	for (gint64 end = g_get_monotonic_time() + START_US;
		!agent_stopping && g_get_monotonic_time() < end;)
		g_usleep(SECOND / 4);
	while (!agent_stopping) {
		look(&t);
		for (int i = 0; i < 4 && !agent_stopping; i++) {
			tell_tend(t.teller);
			g_usleep(SECOND / 4);
		}
	}
	teller_free(t.teller);
	g_clear_pointer(&t.begun, g_hash_table_unref);
	ms_alerts_free(t.alerts);
	g_free(t.now);
	return NULL;
}
