/*
 * The lines of trails come in; out go counts of what was judged and what became of it, by day,
 * policy, sender or cause.  One thread.
 */
#include "config.h"

#include <string.h>

#include "history_private.h"

const char *const ms_stats_names[MS_N_STATS + 1] = {"day", "policy", "sender", "cause", NULL};

struct MsStats {
	MsStatsBy by;
	GHashTable *rows; /* by name, or by a sender's digest */
	GPtrArray *list;  /* of MsStatsRow */
	GHashTable *by_what; /* of MsStatsUnsure, borrowed from: */
	GPtrArray *unsure;
	MsStatsRow all;
	guint64 damaged;
};

static void row_free(gpointer data)
{
	MsStatsRow *row = data;
	g_free(row->name);
	g_free(row->id);
	g_free(row);
}

static void unsure_free(gpointer data)
{
	MsStatsUnsure *unsure = data;
	g_free(unsure->what);
	g_free(unsure);
}

MsStats *ms_stats_new(MsStatsBy by)
{
	MsStats *stats = g_new0(MsStats, 1);
	stats->by = by;
	stats->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	stats->list = g_ptr_array_new_with_free_func(row_free);
	stats->by_what = g_hash_table_new(g_str_hash, g_str_equal);
	stats->unsure = g_ptr_array_new_with_free_func(unsure_free);
	return stats;
}

void ms_stats_free(MsStats *stats)
{
	if (stats == NULL)
		return;
	g_hash_table_unref(stats->rows);
	g_ptr_array_unref(stats->list);
	g_hash_table_unref(stats->by_what);
	g_ptr_array_unref(stats->unsure);
	g_free(stats);
}

static MsStatsRow *row_of(MsStats *stats, const char *key, const char *name, const char *id)
{
	MsStatsRow *row = g_hash_table_lookup(stats->rows, key);
	if (row == NULL) {
		row = g_new0(MsStatsRow, 1);
		row->name = g_strdup(name);
		row->id = g_strdup(id);
		g_hash_table_insert(stats->rows, g_strdup(key), row);
		g_ptr_array_add(stats->list, row);
	}
	return row;
}

static MsAction verdict_of(const json_t *line, const char *name)
{
	for (int i = 0; ms_action_names[i] != NULL; i++)
		if (strcmp(ms_action_names[i], past_text(line, name)) == 0)
			return (MsAction)i;
	return MS_DELIVER;
}

static void count_unsure(MsStats *stats, const json_t *line)
{
	const json_t *list = json_object_get(line, "unsure");
	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *what = json_string_value(json_array_get(list, i));
		if (what == NULL)
			continue;
		MsStatsUnsure *row = g_hash_table_lookup(stats->by_what, what);
		if (row == NULL) {
			row = g_new0(MsStatsUnsure, 1);
			row->what = g_strdup(what);
			g_ptr_array_add(stats->unsure, row);
			g_hash_table_insert(stats->by_what, row->what, row);
		}
		row->messages++;
	}
}

/* Of the policies that applied the one that `what` is said of; titles may begin alike. */
static const char *whose(const json_t *line, const char *what)
{
	const json_t *policies = json_object_get(line, "policies");
	const char *found = "";
	for (gsize i = 0; i < json_array_size(policies); i++) {
		const char *title = json_string_value(json_array_get(policies, i));
		gsize len = title != NULL ? strlen(title) : 0;
		if (len > strlen(found) && strncmp(what, title, len) == 0 &&
			g_str_has_prefix(what + len, ": "))
			found = title;
	}
	return found;
}

/* Of that policy (NULL: any) a condition was not known. */
static bool is_unsure(const json_t *line, const char *policy)
{
	const json_t *list = json_object_get(line, "unsure");
	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *what = json_string_value(json_array_get(list, i));
		if (what != NULL && (policy == NULL || strcmp(whose(line, what), policy) == 0))
			return true;
	}
	return false;
}

/* `policy`: whose row it is; NULL: of all. */
static void count(MsStatsRow *row, const json_t *line, const char *policy, MsAction verdict,
	MsAction would)
{
	row->judged++;
	row->verdicts[verdict]++;
	row->observed += verdict <= MS_TAG && would >= MS_SPLIT;
	row->recipients += (guint64)MAX(json_integer_value(json_object_get(line, "recipients")), 0);
	row->unsure += is_unsure(line, policy);
}

static void count_policies(MsStats *stats, const json_t *line)
{
	const json_t *policies = json_object_get(line, "policies");
	for (gsize i = 0; i < json_array_size(policies); i++) {
		const char *policy = json_string_value(json_array_get(policies, i));
		bool enforced;
		if (policy == NULL)
			continue;
		MsAction action = past_action(line, policy, &enforced);
		count(row_of(stats, policy, policy, ""), line, policy,
			enforced ? action : MS_DELIVER, action);
	}
}

static void count_line(MsStats *stats, const MsAuditLine *line)
{
	MsAction verdict = verdict_of(line->json, "verdict"),
		 would = verdict_of(line->json, "would");
	const char *id = past_text(line->json, "sender_id"),
		   *sender = past_text(line->json, "sender");
	g_autofree char *name = NULL;
	count(&stats->all, line->json, NULL, verdict, would);
	count_unsure(stats, line->json);
	switch (stats->by) {
	case MS_STATS_DAY:
		name = past_day(line->time);
		count(row_of(stats, name, name, ""), line->json, NULL, verdict, would);
		break;
	case MS_STATS_POLICY: count_policies(stats, line->json); break;
	case MS_STATS_SENDER:
		count(row_of(stats, *id != '\0' ? id : sender, sender, id), line->json, NULL,
			verdict, would);
		break;
	case MS_STATS_CAUSE:
		name = past_cause(line->json, NULL);
		if (*name != '\0')
			count(row_of(stats, name, name, ""), line->json, NULL, verdict, would);
		break;
	case MS_N_STATS: break;
	}
}

static bool take(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	MsStats *stats = user;
	if (line->json == NULL)
		stats->damaged++;
	else if (strcmp(line->type, "message") == 0)
		count_line(stats, line);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(MsStatsRow *const *)a)->name, (*(MsStatsRow *const *)b)->name);
}

static int by_messages(const void *a, const void *b)
{
	const MsStatsUnsure *x = *(MsStatsUnsure *const *)a, *y = *(MsStatsUnsure *const *)b;
	return x->messages != y->messages ? (x->messages < y->messages ? 1 : -1)
					  : strcmp(x->what, y->what);
}

static int by_count(const void *a, const void *b)
{
	const MsStatsRow *x = *(MsStatsRow *const *)a, *y = *(MsStatsRow *const *)b;
	return x->judged != y->judged ? (x->judged < y->judged ? 1 : -1) : strcmp(x->name, y->name);
}

bool ms_stats_read(MsStats *stats, const char *trail, gint64 from, gint64 to, GError **error)
{
	if (!ms_audit_each(trail, from, to, take, stats, error))
		return false;
	g_ptr_array_sort(stats->list, stats->by == MS_STATS_DAY ? by_name : by_count);
	g_ptr_array_sort(stats->unsure, by_messages);
	return true;
}

const GPtrArray *ms_stats_rows(const MsStats *stats)
{
	return stats->list;
}

const MsStatsRow *ms_stats_all(const MsStats *stats)
{
	return &stats->all;
}

const GPtrArray *ms_stats_unsure(const MsStats *stats)
{
	return stats->unsure;
}

guint64 ms_stats_damaged(const MsStats *stats)
{
	return stats->damaged;
}
