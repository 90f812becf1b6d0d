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

MsStats *ms_stats_new(MsStatsBy by)
{
	MsStats *stats = g_new0(MsStats, 1);
	stats->by = by;
	stats->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	stats->list = g_ptr_array_new_with_free_func(row_free);
	return stats;
}

void ms_stats_free(MsStats *stats)
{
	if (stats == NULL)
		return;
	g_hash_table_unref(stats->rows);
	g_ptr_array_unref(stats->list);
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

static void count(MsStatsRow *row, const json_t *line, MsAction verdict, MsAction would)
{
	row->judged++;
	row->verdicts[verdict]++;
	row->observed += verdict <= MS_TAG && would >= MS_SPLIT;
	row->recipients += (guint64)MAX(json_integer_value(json_object_get(line, "recipients")), 0);
}

static void count_policies(MsStats *stats, const json_t *line)
{
	const json_t *policies = json_object_get(line, "policies");
	for (gsize i = 0; i < json_array_size(policies); i++) {
		const char *policy = json_string_value(json_array_get(policies, i));
		bool enforced;
		MsAction action = policy != NULL ? past_action(line, policy, &enforced)
						 : MS_DELIVER;
		if (policy != NULL)
			count(row_of(stats, policy, policy, ""), line,
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
	count(&stats->all, line->json, verdict, would);
	switch (stats->by) {
	case MS_STATS_DAY:
		name = past_day(line->time);
		count(row_of(stats, name, name, ""), line->json, verdict, would);
		break;
	case MS_STATS_POLICY: count_policies(stats, line->json); break;
	case MS_STATS_SENDER:
		count(row_of(stats, *id != '\0' ? id : sender, sender, id), line->json, verdict,
			would);
		break;
	case MS_STATS_CAUSE:
		name = past_cause(line->json, NULL);
		if (*name != '\0')
			count(row_of(stats, name, name, ""), line->json, verdict, would);
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

guint64 ms_stats_damaged(const MsStats *stats)
{
	return stats->damaged;
}
