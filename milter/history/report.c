/*
 * The lines of a trail come in; out goes, for each policy, what it would have held were it
 * enforced: by cause, with examples, the work that makes, and whether there is anything against
 * enforcing it.  One thread.
 */
#include "config.h"

#include <string.h>

#include "history_private.h"

void ms_report_limits(MsReportLimits *out)
{
	*out = (MsReportLimits){
		.least = 100, .most_held = 2, .most_a_day = 50, .most_deferred = 0.5, .minutes = 3};
}

/* ---- life ----------------------------------------------------------------------------- */

static void example_free(gpointer data)
{
	MsReportExample *e = data;
	char *const texts[] = {e->queue_id, e->record, e->sender, e->recipient, e->identifier,
		e->where, e->account};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_free(e);
}

static void group_free(gpointer data)
{
	MsReportGroup *group = data;
	g_free(group->cause);
	g_ptr_array_unref(group->examples);
	g_free(group);
}

void ms_policy_report_free(MsPolicyReport *report)
{
	if (report == NULL)
		return;
	g_free(report->policy);
	g_free(report->worst_day);
	g_ptr_array_unref(report->groups);
	g_ptr_array_unref(report->objections);
	g_free(report);
}

/* ---- counting ------------------------------------------------------------------------- */

/* A policy while it is counted. */
typedef struct {
	MsPolicyReport *report;
	GHashTable *groups; /* by cause */
	GHashTable *days;   /* of char *: how many it would hold */
	GHashTable *seen;   /* cause and day, so that a group's days are counted once */
	char *version;      /* policies and kinds of the last message */
	guint64 unread, unknown, unasked, cut;
} Count;

typedef struct {
	Count *counts;
	guint n;
	guint64 damaged;
} Reading;

static MsReportExample *example_of(const MsAuditLine *line, const char *policy)
{
	const json_t *reasons = json_object_get(line->json, "reasons"), *first = NULL;
	for (gsize i = 0; i < json_array_size(reasons) && first == NULL; i++)
		if (strcmp(past_text(json_array_get(reasons, i), "policy"), policy) == 0)
			first = json_array_get(reasons, i); /* the strictest stands first */
	MsReportExample *e = g_new0(MsReportExample, 1);
	e->time = line->time;
	e->queue_id = g_strdup(past_text(line->json, "queue_id"));
	e->record = g_strdup(past_text(line->json, "record"));
	e->sender = g_strdup(past_text(line->json, "sender"));
	e->recipient = g_strdup(past_text(first, "recipient"));
	e->identifier = g_strdup(past_text(first, "identifier"));
	e->where = g_strdup(past_text(first, "where"));
	e->account = g_strdup(past_text(first, "account"));
	return e;
}

static void add_to_group(Count *c, const MsAuditLine *line, const char *day)
{
	g_autofree char *cause = past_cause(line->json, c->report->policy);
	MsReportGroup *group = g_hash_table_lookup(c->groups, cause);
	if (group == NULL) {
		group = g_new0(MsReportGroup, 1);
		group->cause = g_strdup(cause);
		group->examples = g_ptr_array_new_with_free_func(example_free);
		g_hash_table_insert(c->groups, group->cause, group);
		g_ptr_array_add(c->report->groups, group);
	}
	group->messages++;
	group->recipients += (guint64)MAX(
		json_integer_value(json_object_get(line->json, "recipients")), 0);
	group->days += g_hash_table_add(c->seen, g_strdup_printf("%s\n%s", day, cause));
	if (group->examples->len < MS_REPORT_EXAMPLES)
		g_ptr_array_add(group->examples, example_of(line, c->report->policy));
}

/* Of another version, what it held says little of what it holds. */
static void follow_version(Count *c, const MsAuditLine *line)
{
	const json_t *versions = json_object_get(line->json, "versions");
	g_autofree char *version = g_strdup_printf(
		"%s %s", past_text(versions, "policies"), past_text(versions, "kinds"));
	if (c->version != NULL && strcmp(c->version, version) != 0) {
		c->report->changed = line->time;
		c->report->since_change = 0;
	}
	g_free(c->version);
	c->version = g_steal_pointer(&version);
	c->report->since_change++;
}

static void count_message(Count *c, const MsAuditLine *line)
{
	MsPolicyReport *r = c->report;
	bool enforced;
	MsAction action = past_action(line->json, r->policy, &enforced);
	g_autofree char *day = past_day(line->time);
	r->from = r->from == 0 ? line->time : MIN(r->from, line->time);
	r->to = MAX(r->to, line->time);
	r->judged++;
	r->enforced += enforced;
	r->held += action == MS_HOLD || action == MS_SPLIT;
	r->delayed += action == MS_DELAY;
	r->rejected += action == MS_REJECT;
	r->deferred += action == MS_TEMPFAIL;
	r->tagged += action == MS_TAG;
	c->cut += json_integer_value(json_object_get(line->json, "reasons_more")) > 0;
	follow_version(c, line);
	c->unasked += action == MS_TEMPFAIL &&
		past_stops(line->json, r->policy, MS_DIRECTORY_UNAVAILABLE);
	bool stopped = action == MS_HOLD || action == MS_DELAY || action == MS_SPLIT ||
		action == MS_REJECT;
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(c->days, day)) + stopped;
	g_hash_table_insert(c->days, g_strdup(day), GUINT_TO_POINTER(n));
	if (!stopped)
		return;
	c->unread += past_stops(line->json, r->policy, MS_UNREADABLE);
	c->unknown += past_stops(line->json, r->policy, MS_UNKNOWN_RECIPIENT) ||
		past_stops(line->json, r->policy, MS_UNKNOWN_IDENTIFIER) ||
		past_stops(line->json, r->policy, MS_UNPROVEN);
	add_to_group(c, line, day);
}

static bool take(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	Reading *reading = user;
	if (line->json == NULL)
		reading->damaged++;
	if (line->json == NULL || strcmp(line->type, "message") != 0 || past_undone(line->json))
		return true;
	for (guint i = 0; i < reading->n; i++)
		if (past_fell_under(line->json, reading->counts[i].report->policy))
			count_message(&reading->counts[i], line);
	return true;
}

/* ---- is it safe? ---------------------------------------------------------------------- */

static void object(MsPolicyReport *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void object(MsPolicyReport *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(r->objections, g_strdup_vprintf(format, args));
	va_end(args);
}

static double share(guint64 part, guint64 all)
{
	return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

static void object_to_few(MsPolicyReport *r, const MsReportLimits *limits)
{
	if (r->judged < limits->least) {
		object(r,
			"only %" G_GUINT64_FORMAT
			" messages were judged under it: at least %" G_GUINT64_FORMAT
			" tell something",
			r->judged, limits->least);
	} else if (r->since_change < limits->least) {
		g_autofree char *day = past_day(r->changed);
		object(r,
			"policies or kinds were changed on %s, and only %" G_GUINT64_FORMAT
			" messages were judged since",
			day, r->since_change);
	}
}

static void object_to_many(MsPolicyReport *r, const MsReportLimits *limits)
{
	guint64 stopped = r->held + r->delayed + r->rejected;
	if (share(stopped, r->judged) > limits->most_held)
		object(r,
			"%.1f %% of its mail would not go (%" G_GUINT64_FORMAT
			" of %" G_GUINT64_FORMAT "): more than %.1f %%",
			share(stopped, r->judged), stopped, r->judged, limits->most_held);
	if (r->worst > limits->most_a_day)
		object(r,
			"on %s it would have been %" G_GUINT64_FORMAT
			" messages: more than the %" G_GUINT64_FORMAT " a day that are "
			"looked through",
			r->worst_day, r->worst, limits->most_a_day);
}

/* Not customers' data at the wrong place, but what is not known or not read. */
static void object_to_gaps(
	MsPolicyReport *r, const Count *c, const MsReportLimits *limits, guint64 damaged)
{
	if (share(c->unread, r->judged) > limits->most_held)
		object(r,
			"%" G_GUINT64_FORMAT
			" messages (%.1f %%) could not be read whole: see what is tolerated, and ocr",
			c->unread, share(c->unread, r->judged));
	if (share(c->unknown, r->judged) > limits->most_held)
		object(r,
			"%" G_GUINT64_FORMAT
			" messages (%.1f %%) for what the directory does not know: the mapping is not whole",
			c->unknown, share(c->unknown, r->judged));
	if (share(r->deferred, r->judged) > limits->most_deferred)
		object(r,
			"%" G_GUINT64_FORMAT
			" messages (%.1f %%) would have been deferred, %" G_GUINT64_FORMAT
			" of them for the directory could not be asked",
			r->deferred, share(r->deferred, r->judged), c->unasked);
	if (damaged > 0)
		object(r,
			"%" G_GUINT64_FORMAT
			" lines of the trail cannot be read: what they say is not known (missent audit verify)",
			damaged);
}

static int by_messages(const void *a, const void *b)
{
	const MsReportGroup *x = *(MsReportGroup *const *)a, *y = *(MsReportGroup *const *)b;
	return x->messages != y->messages ? (x->messages < y->messages ? 1 : -1)
					  : strcmp(x->cause, y->cause);
}

static void end_count(Count *c, const MsReportLimits *limits, guint64 damaged)
{
	MsPolicyReport *r = c->report;
	GHashTableIter iter;
	gpointer day, n;
	g_hash_table_iter_init(&iter, c->days);
	while (g_hash_table_iter_next(&iter, &day, &n)) {
		r->days++;
		if (GPOINTER_TO_UINT(n) > r->worst ||
			(GPOINTER_TO_UINT(n) == r->worst && r->worst > 0 &&
				strcmp(day, r->worst_day) < 0)) {
			r->worst = GPOINTER_TO_UINT(n);
			g_free(r->worst_day);
			r->worst_day = g_strdup(day);
		}
	}
	r->minutes_a_day = r->days > 0 ? limits->minutes * (double)(r->held + r->rejected) / r->days
				       : 0;
	g_ptr_array_sort(r->groups, by_messages);
	object_to_few(r, limits);
	object_to_many(r, limits);
	object_to_gaps(r, c, limits, damaged);
}

static void count_init(Count *c, const char *policy)
{
	c->report = g_new0(MsPolicyReport, 1);
	c->report->policy = g_strdup(policy);
	c->report->worst_day = g_strdup("");
	c->report->groups = g_ptr_array_new_with_free_func(group_free);
	c->report->objections = g_ptr_array_new_with_free_func(g_free);
	c->groups = g_hash_table_new(g_str_hash, g_str_equal);
	c->days = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	c->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void count_clear(Count *c)
{
	g_hash_table_unref(c->groups);
	g_hash_table_unref(c->days);
	g_hash_table_unref(c->seen);
	g_free(c->version);
}

GPtrArray *ms_policy_reports(const char *trail, const char *const *policies, gint64 from, gint64 to,
	const MsReportLimits *limits, GError **error)
{
	Reading reading = {.n = g_strv_length((char **)policies)};
	reading.counts = g_new0(Count, reading.n + 1);
	g_autoptr(GPtrArray)
		reports = g_ptr_array_new_with_free_func((GDestroyNotify)ms_policy_report_free);
	for (guint i = 0; i < reading.n; i++) {
		count_init(&reading.counts[i], policies[i]);
		g_ptr_array_add(reports, reading.counts[i].report);
	}
	bool fine = ms_audit_each(trail, from, to, take, &reading, error);
	for (guint i = 0; i < reading.n; i++) {
		end_count(&reading.counts[i], limits, reading.damaged);
		count_clear(&reading.counts[i]);
	}
	g_free(reading.counts);
	return fine ? g_steal_pointer(&reports) : NULL;
}

void ms_policy_report_lint(MsPolicyReport *report, const GPtrArray *findings)
{
	for (guint i = 0; i < findings->len; i++) {
		const MsLintFinding *f = findings->pdata[i];
		bool of_all = strcmp(f->check, "load") == 0;
		if (f->weight == MS_LINT_FAULT && (of_all || strcmp(f->about, report->policy) == 0))
			object(report, "%s:%d: %s (missent policy lint)", f->file, f->line,
				f->text);
	}
}
