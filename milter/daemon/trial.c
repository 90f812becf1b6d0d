/*
 * Policies that observe until a date, or for so many messages: messages are counted, time goes
 * by, and when one has come to its end the trail is read and the policies linted.  If nothing is
 * against it the policy enforces from then on, which is written down, put on the trail, and
 * loaded; else it goes on observing, and somebody is told.
 *
 * Counts come from libmilter's threads; all else is done by the thread that waits for reloads.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "missent/alert.h"
#include "missent/clock.h"
#include "missent/history.h"
#include "missent/log.h"
#include "missent/trial.h"

#include "daemon.h"

#define WRITE_US (60 * (gint64)G_USEC_PER_SEC)
#define AGAIN_US (600 * (gint64)G_USEC_PER_SEC) /* a report reads much of the trail */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *fresh; /* of char *: messages since the last look; under the lock */

/* Of the one thread. */
static struct {
	MsTrials *trials;
	gint64 wall, steady; /* of the last look; 0: none yet */
	gint64 written;
	guint judged; /* the number of the runtime of the last look */
	gint64 again;
	bool failed;             /* the file could not be written, which was told */
	GHashTable *objections;  /* of char *, by title: why it goes on observing */
	char *told;              /* what somebody was told last, or NULL */
} watch;

/* ---- counting ------------------------------------------------------------------------- */

void trial_count(const MsVerdict *verdict)
{
	pthread_mutex_lock(&lock);
	for (guint i = 0; fresh != NULL && i < verdict->policies->len; i++) {
		gpointer n;
		if (g_hash_table_lookup_extended(fresh, verdict->policies->pdata[i], NULL, &n))
			g_hash_table_replace(fresh, g_strdup(verdict->policies->pdata[i]),
				GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1));
	}
	pthread_mutex_unlock(&lock);
}

/* What came since the last look; it is counted from here on. */
static guint take_fresh(const char *title)
{
	pthread_mutex_lock(&lock);
	if (fresh == NULL)
		fresh = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(fresh, title));
	g_hash_table_replace(fresh, g_strdup(title), NULL);
	pthread_mutex_unlock(&lock);
	return n;
}

/* ---- is it safe? ---------------------------------------------------------------------- */

/* Why not, the caller's; NULL: nothing is against it. */
static char *objection_to(const MsSettings *s, const MsTerms *terms, const MsTrial *trial)
{
	g_autoptr(GError) error = NULL;
	MsReportLimits limits;
	const char *const policies[] = {terms->title, NULL};
	const MsLintOptions options = {
		.dir = s->policy_dir, .kinds_file = s->kinds_file, .mode = s->mode, .settings = s};
	ms_report_limits(&limits);
	if (terms->messages > 0)
		limits.least = MIN(limits.least, terms->messages);
	g_autoptr(GPtrArray) reports = ms_policy_reports(
		s->audit_file, policies, trial->began, G_MAXINT64, &limits, &error);
	g_autoptr(GPtrArray) findings = reports != NULL ? ms_policy_lint(&options, &error) : NULL;
	if (findings == NULL)
		return g_strdup(error->message);
	MsPolicyReport *report = reports->pdata[0];
	ms_policy_report_lint(report, findings);
	g_ptr_array_add(report->objections, NULL);
	return report->objections->len > 1 ? g_strjoinv("; ", (char **)report->objections->pdata)
					   : NULL;
}

/* ---- telling -------------------------------------------------------------------------- */

static void object(const char *title, const char *why)
{
	if (watch.objections == NULL)
		watch.objections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (why != NULL)
		g_hash_table_replace(watch.objections, g_strdup(title), g_strdup(why));
	else
		g_hash_table_remove(watch.objections, title);
}

/* Once, when it begins, changes or ends. */
static void tell(const MsRuntime *runtime)
{
	g_autoptr(GString) text = g_string_new(NULL);
	GHashTableIter iter;
	gpointer title, why;
	if (watch.objections != NULL) {
		g_hash_table_iter_init(&iter, watch.objections);
		while (g_hash_table_iter_next(&iter, &title, &why))
			g_string_append_printf(text, "%spolicy \"%s\": %s",
				text->len > 0 ? "; " : "", (char *)title, (char *)why);
	}
	if (g_strcmp0(text->str, watch.told) == 0)
		return;
	g_free(watch.told);
	watch.told = g_strdup(text->str);
	ms_alert_leave(ms_runtime_settings(runtime)->state_dir, MS_ALERT_OBSERVING, text->str);
	if (text->len == 0)
		return;
	ms_log(LOG_WARNING, NULL, "it goes on observing: %s", text->str);
	ms_audit_event(ms_runtime_audit(runtime), "missentd", "", MS_EVENT_GOES_ON_OBSERVING, "",
		text->str, NULL);
}

/* On disk, and on the trail, before anything is enforced by it. */
static bool enforce(const MsRuntime *runtime, const MsTerms *terms, MsTrial *trial)
{
	const MsSettings *s = ms_runtime_settings(runtime);
	g_autoptr(GError) error = NULL;
	g_autofree char *detail = g_strdup_printf("policy %s, %s, after %" G_GUINT64_FORMAT
						  " messages",
		terms->title, terms->terms, trial->messages);
	if (!ms_audit_event(ms_runtime_audit(runtime), "missentd", "", MS_EVENT_POLICY_ENFORCED, "",
		    detail, &error)) {
		ms_log(LOG_ERR, NULL, "policy \"%s\" is not enforced yet: %s", terms->title,
			error->message);
		return false;
	}
	MsTrial over = *trial;
	over.switched = ms_clock_now();
	ms_trials_set(watch.trials, terms, &over);
	if (!ms_trials_write(watch.trials, s->observing_file, &error)) {
		ms_log(LOG_ERR, NULL, "policy \"%s\" is not enforced yet: %s", terms->title,
			error->message);
		ms_trials_set(watch.trials, terms, trial);
		return false;
	}
	*trial = over;
	ms_log(LOG_NOTICE, NULL, "policy \"%s\" is enforced from now on (%s)", terms->title,
		terms->terms);
	return true;
}

/* ---- the look ------------------------------------------------------------------------- */

typedef struct {
	const MsRuntime *runtime;
	/* the last two: since the last look; steady -1: there was none in this process */
	gint64 now, wall, steady;
	bool ask;                 /* it is time to look whether something is safe */
	bool asked, switched;
} Look;

static void look_at(Look *look, const MsTerms *terms)
{
	MsTrial trial = ms_trials_get(watch.trials, terms);
	g_autofree char *why = NULL;
	guint n = take_fresh(terms->title);
	ms_trial_go_on(&trial, look->wall, look->steady);
	trial.messages += n;
	ms_trials_set(watch.trials, terms, &trial);
	if (!ms_trial_is_due(&trial, terms, look->now, &why)) {
		object(terms->title, why);
	} else if (look->ask) {
		look->asked = true;
		why = objection_to(ms_runtime_settings(look->runtime), terms, &trial);
		object(terms->title, why);
		if (why == NULL)
			look->switched |= enforce(look->runtime, terms, &trial);
	}
}

/* False: not now; nothing is counted, and nothing written over what could not be read. */
static bool have_trials(const MsSettings *s)
{
	if (watch.trials == NULL)
		watch.trials = ms_trials_read(s->observing_file, NULL);
	return watch.trials != NULL;
}

static void write_down(const MsSettings *s, gint64 now)
{
	g_autoptr(GError) error = NULL;
	if (ms_trials_write(watch.trials, s->observing_file, &error)) {
		watch.failed = false;
		watch.written = now;
	} else if (!watch.failed) {
		ms_log(LOG_ERR, NULL, "%s", error->message);
		watch.failed = true;
	}
}

/* False: no policy is on trial. */
static bool is_any(const MsPolicies *policies)
{
	MsTerms terms;
	for (guint i = 0; i < ms_policies_count(policies); i++)
		if (ms_policies_terms(policies, i, &terms) && !terms.enforced)
			return true;
	return false;
}

/* How much went by since the last look, of this process or of one before. */
static void take_times(Look *look)
{
	gint64 steady = ms_clock_steady(), seen = ms_trials_seen(watch.trials);
	bool first = watch.wall == 0;
	look->wall = !first ? look->now - watch.wall : seen > 0 ? look->now - seen : 0;
	look->steady = !first ? steady - watch.steady : seen > 0 ? -1 : 0;
	look->ask = steady >= watch.again;
	watch.wall = look->now;
	watch.steady = steady;
	ms_trials_set_seen(watch.trials, look->now);
}

void trial_begin(const MsRuntime *runtime)
{
	const MsPolicies *policies = ms_runtime_policies(runtime);
	MsTerms terms;
	if (!is_any(policies) || !have_trials(ms_runtime_settings(runtime)))
		return;
	for (guint i = 0; i < ms_policies_count(policies); i++) {
		if (!ms_policies_terms(policies, i, &terms) || terms.enforced)
			continue;
		MsTrial trial = ms_trials_get(watch.trials, &terms);
		guint n = take_fresh(terms.title);
		if (trial.began != 0)
			trial.messages += n;
		else /* what was counted was of other terms */
			trial.began = ms_clock_now();
		ms_trials_set(watch.trials, &terms, &trial);
	}
}

bool trial_look(Daemon *daemon)
{
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	const MsPolicies *policies = ms_runtime_policies(runtime);
	const MsSettings *s = ms_runtime_settings(runtime);
	Look look = {.runtime = runtime, .now = ms_clock_now()};
	MsTerms terms;
	/* What was asked of another configuration is asked anew. */
	if (watch.judged != ms_runtime_number(runtime)) {
		watch.judged = ms_runtime_number(runtime);
		watch.again = 0;
		g_clear_pointer(&watch.objections, g_hash_table_unref);
	}
	if (!is_any(policies)) {
		watch.wall = 0;
		tell(runtime);
		return false;
	}
	if (!have_trials(s))
		return false;
	bool first = watch.wall == 0;
	take_times(&look);
	for (guint i = 0; i < ms_policies_count(policies); i++)
		if (ms_policies_terms(policies, i, &terms) && !terms.enforced)
			look_at(&look, &terms);
	if (look.asked)
		watch.again = ms_clock_steady() + AGAIN_US;
	tell(runtime);
	if (first || look.switched || look.now - watch.written >= WRITE_US ||
		look.now < watch.written)
		write_down(s, look.now);
	return look.switched;
}

void trial_end(Daemon *daemon)
{
	if (watch.trials == NULL)
		return;
	trial_look(daemon);
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	write_down(ms_runtime_settings(runtime), ms_clock_now());
	g_clear_pointer(&watch.trials, ms_trials_free);
}
