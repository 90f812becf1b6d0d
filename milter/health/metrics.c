/*
 * Numbers in Prometheus's text form: rows of one name together, its help and type before them.
 * Pure functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/metrics.h"

static void head(GString *out, const char *name, const char *type, const char *help)
{
	g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line end are what a label's value may not have as they are. */
static void append_label(GString *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			g_string_append(out, "\\n");
			continue;
		}
		if (*value == '\\' || *value == '"')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *value);
	}
}

static void gauge(GString *out, const char *name, gint64 value, const char *help)
{
	head(out, name, "gauge", help);
	g_string_append_printf(out, "%s %" G_GINT64_FORMAT "\n", name, value);
}

static void append_numbers(GString *out, const MsNumbersView *view)
{
	for (MsNumber i = 0; i < MS_N_NUMBERS; i++) {
		MsNumberRow row = ms_number_row(i);
		if (row.help != NULL)
			head(out, row.name, i < MS_NUM_FIRST_GAUGE ? "counter" : "gauge", row.help);
		g_string_append(out, row.name);
		if (row.label != NULL)
			g_string_append_printf(out, "{%s=\"%s\"}", row.label, row.value);
		g_string_append_printf(out, " %" G_GUINT64_FORMAT "\n", view->value[i]);
	}
}

static void append_stages(GString *out, const MsNumbersView *view)
{
	static const char name[] = "missent_stage_duration_seconds";
	head(out, name, "histogram",
		"How long each stage of a judged message took; whole: all of them.");
	for (guint s = 0; s < MS_N_STAGES; s++) {
		const MsHistogram *h = &view->stage[s];
		guint64 sum = 0;
		for (guint i = 0; i < MS_N_BUCKETS; i++) {
			sum += h->bucket[i];
			g_string_append_printf(out,
				"%s_bucket{stage=\"%s\",le=\"%s\"} %" G_GUINT64_FORMAT "\n", name,
				ms_stage_names[s], ms_bucket_names[i], sum);
		}
		g_string_append_printf(out, "%s_sum{stage=\"%s\"} %" G_GUINT64_FORMAT ".%06u\n",
			name, ms_stage_names[s], h->sum_us / G_USEC_PER_SEC,
			(guint)(h->sum_us % G_USEC_PER_SEC));
		g_string_append_printf(out, "%s_count{stage=\"%s\"} %" G_GUINT64_FORMAT "\n", name,
			ms_stage_names[s], sum);
	}
}

/* One that is called by an address is known by its place. */
static void append_title(GString *out, const char *title, guint place)
{
	if (strchr(title, '@') != NULL)
		g_string_append_printf(out, "policy %u", place + 1);
	else
		append_label(out, title);
}

static void append_policies(GString *out, const MsNumbersView *view)
{
	static const char name[] = "missent_policy_messages_total";
	head(out, name, "counter",
		"Messages that a policy applied to, by the strictest action that it asked for.");
	for (guint i = 0; i < MS_NUMBERS_POLICIES; i++) {
		const MsPolicyNumbers *row = &view->policies[i];
		for (guint a = 0; row->messages > 0 && a < MS_N_ACTIONS; a++) {
			g_string_append_printf(out, "%s{policy=\"", name);
			append_title(out, row->title, i);
			g_string_append_printf(out, "\",action=\"%s\"} %" G_GUINT64_FORMAT "\n",
				ms_action_names[a], row->actions[a]);
		}
	}
}

static void append_published(GString *out, const MsNumbersView *view, gint64 now)
{
	head(out, "missent_build_info", "gauge", "1, with the version of missentd as a label.");
	g_string_append(out, "missent_build_info{version=\"");
	append_label(out, view->version);
	g_string_append(out, "\"} 1\n");
	gauge(out, "missent_start_time_seconds", view->started / G_USEC_PER_SEC,
		"When missentd was started.");
	gauge(out, "missent_published_timestamp_seconds", view->published / G_USEC_PER_SEC,
		"When it published its numbers last; it does each second.");
	gint64 loaded = (gint64)view->value[MS_NUM_DIRECTORY_LOADED];
	if (loaded > 0)
		gauge(out, "missent_directory_age_seconds", MAX(now / G_USEC_PER_SEC - loaded, 0),
			"How long ago the mapping in use was imported.");
	append_numbers(out, view);
	append_stages(out, view);
	append_policies(out, view);
}

static void append_records(GString *out, const MsHostNumbers *host, gint64 now)
{
	gauge(out, "missent_held_messages", host->held, "Messages that are held.");
	gauge(out, "missent_held_oldest_age_seconds",
		host->oldest > 0 ? MAX((now - host->oldest) / G_USEC_PER_SEC, 0) : 0,
		"How long the oldest of them has been held; 0 without one.");
	gauge(out, "missent_delayed_messages", host->delayed,
		"Messages that wait to be judged again; they are not among those that are held.");
	gauge(out, "missent_delayed_overdue_seconds",
		host->due > 0 ? MAX((now - host->due) / G_USEC_PER_SEC, 0) : 0,
		"For how long the first of them should have been judged again; 0 without one.");
	gauge(out, "missent_decisions_waiting", host->waiting,
		"Decisions that wait for a second person.");
}

/* What could not be looked at is left out: 0 would be an answer. */
static void append_host(GString *out, const MsHostNumbers *host, gint64 now)
{
	if (host->held >= 0)
		append_records(out, host, now);
	if (host->audit_entries >= 0) {
		gauge(out, "missent_audit_entries", host->audit_entries,
			"Entries of the audit trail.");
		gauge(out, "missent_audit_signed_timestamp_seconds", host->audit_signed,
			"When the last of them were signed, since 1970.");
	}
	if (host->disk_free >= 0)
		gauge(out, "missent_disk_free_bytes", host->disk_free,
			"Free bytes where state-dir is.");
	head(out, "missent_alert", "gauge", "1 while a state holds of which somebody is told.");
	for (guint i = 0; i < MS_N_ALERTS; i++)
		g_string_append_printf(out, "missent_alert{name=\"%s\"} %d\n",
			ms_alert_rows[i].name, host->alerts[i]);
}

char *ms_metrics_text(const MsNumbersView *view, const MsHostNumbers *host, gint64 now)
{
	GString *out = g_string_new(NULL);
	gauge(out, "missent_up", view != NULL && ms_numbers_alive(view),
		"1 while missentd publishes its numbers.");
	if (view != NULL)
		append_published(out, view, now);
	append_host(out, host, now);
	return g_string_free(out, FALSE);
}
