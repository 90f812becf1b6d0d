/*
 * Lines of the audit trail come in; what was judged is found again by its queue ID and its time,
 * since short IDs are used again within minutes.  The thread of who reconciles.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/digest.h"

#include "reconcile_private.h"

#define RECEIVING (2 * 3600 * SECOND) /* from a message's first line to the end of its text */

static void judged_free(void *data)
{
	Judged *judged = data;
	g_free(judged->queue_id);
	g_free(judged->ids);
	g_free(judged->withheld);
	g_free(judged);
}

typedef struct {
	Trail *trail;
	const guint8 *keys[2]; /* now, and before; NULL: we have none */
	char *numbers[2];
} Loading;

static const char *text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static MsAction action_of(const char *word)
{
	for (int i = 0; word != NULL && i < MS_N_ACTIONS; i++)
		if (strcmp(word, ms_action_names[i]) == 0)
			return (MsAction)i;
	return MS_N_ACTIONS;
}

static const guint8 *key_of(const Loading *loading, const char *number)
{
	for (gsize i = 0; number != NULL && i < G_N_ELEMENTS(loading->keys); i++)
		if (loading->numbers[i] != NULL && strcmp(number, loading->numbers[i]) == 0)
			return loading->keys[i];
	return NULL;
}

static void take_recipients(const Loading *loading, const json_t *json, Judged *judged)
{
	const json_t *to = json_object_get(json, "to");
	gsize n = json_array_size(to);
	judged->n = (guint)json_integer_value(json_object_get(json, "recipients"));
	judged->key = n > 0 ? key_of(loading, text_of(json, "key")) : NULL;
	judged->ids = g_malloc0(n * ID_BYTES);
	judged->withheld = g_malloc0(n);
	judged->whole = n == judged->n;
	for (gsize i = 0; i < n; i++) {
		const json_t *row = json_array_get(to, i);
		judged->whole &= ms_unhex(text_of(row, "id"), judged->ids + i * ID_BYTES, ID_BYTES);
		judged->withheld[i] = json_is_true(json_object_get(row, "withheld"));
	}
	judged->n_ids = (guint)n;
}

static void take_message(const Loading *loading, const MsAuditLine *line)
{
	Trail *trail = loading->trail;
	const char *queue_id = text_of(line->json, "queue_id");
	if (queue_id == NULL)
		return;
	Judged *judged = g_new0(Judged, 1);
	judged->at = line->time;
	judged->queue_id = g_strdup(queue_id);
	judged->action = action_of(text_of(line->json, "verdict"));
	const char *policies = text_of(json_object_get(line->json, "versions"), "policies");
	judged->policies = policies != NULL ? g_string_chunk_insert_const(trail->words, policies)
					    : NULL;
	take_recipients(loading, line->json, judged);
	g_ptr_array_add(trail->all, judged);
	GPtrArray *same = g_hash_table_lookup(trail->by_id, queue_id);
	if (same == NULL) {
		same = g_ptr_array_new();
		g_hash_table_insert(trail->by_id, judged->queue_id, same);
	}
	g_ptr_array_add(same, judged);
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	const Loading *loading = user;
	Trail *trail = loading->trail;
	if (line->json == NULL) {
		trail->damaged++;
		return true;
	}
	g_array_append_val(trail->times, line->time);
	if (strcmp(line->type, "message") == 0 || strcmp(line->type, "canary") == 0)
		take_message(loading, line);
	return true;
}

static int compare_times(const void *a, const void *b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
	return x < y ? -1 : x > y;
}

bool trail_load(Trail *trail, const MsReconcileWith *with, gint64 from, gint64 to, GError **error)
{
	const char *path = ms_runtime_settings(with->runtime)->audit_file;
	trail->by_id = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	trail->all = g_ptr_array_new_with_free_func(judged_free);
	trail->times = g_array_new(FALSE, FALSE, sizeof(gint64));
	trail->words = g_string_chunk_new(256);
	Loading loading = {trail, {with->audit_key, with->audit_key_before}, {NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(loading.keys); i++)
		if (loading.keys[i] != NULL)
			loading.numbers[i] = ms_audit_key_number(loading.keys[i]);
	bool fine = ms_audit_each_proven(path, from, to, take_line, &loading, &trail->proof, error);
	g_free(loading.numbers[0]);
	g_free(loading.numbers[1]);
	if (!fine)
		return false;
	g_array_sort(trail->times, compare_times);
	return true;
}

void trail_clear(Trail *trail)
{
	g_clear_pointer(&trail->by_id, g_hash_table_unref);
	g_clear_pointer(&trail->all, g_ptr_array_unref);
	g_clear_pointer(&trail->times, g_array_unref);
	g_clear_pointer(&trail->words, g_string_chunk_free);
	ms_audit_proof_clear(&trail->proof);
}

bool trail_knows(const Trail *trail, gint64 from, gint64 to)
{
	guint low = 0, high = trail->times->len;
	while (low < high) {
		guint middle = (low + high) / 2;
		if (g_array_index(trail->times, gint64, middle) < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < trail->times->len && g_array_index(trail->times, gint64, low) <= to;
}

const char *trail_policies(const Trail *trail, gint64 at)
{
	const char *version = NULL;
	for (guint i = 0; i < trail->all->len; i++) {
		const Judged *judged = trail->all->pdata[i];
		if (judged->policies == NULL)
			continue;
		if (version != NULL && judged->at > at)
			break;
		version = judged->policies;
	}
	return version;
}

gint64 trail_distance(const Judged *judged, const MsMail *mail)
{
	bool begun = mail->came != MS_CAME_UNKNOWN;
	gint64 aim = begun ? MIN(mail->last, mail->first + SLACK) : mail->first;
	return ABS(judged->at - aim);
}

/* The one that is nearest to when it came in.  What the log has not from its beginning was
 * judged before. */
Judged *trail_find(const Trail *trail, const MsMail *mail, bool free)
{
	const GPtrArray *same = g_hash_table_lookup(trail->by_id, mail->queue_id);
	bool begun = mail->came != MS_CAME_UNKNOWN;
	gint64 from = begun ? mail->first - SLACK : mail->first - MS_RECONCILE_BEFORE;
	gint64 to = begun ? MIN(mail->last + SLACK, mail->first + RECEIVING) : mail->first + SLACK;
	Judged *best = NULL;
	for (guint i = 0; same != NULL && i < same->len; i++) {
		Judged *judged = same->pdata[i];
		if (judged->at >= from && judged->at <= to && !(free && judged->of != NULL) &&
			(best == NULL || trail_distance(judged, mail) < trail_distance(best, mail)))
			best = judged;
	}
	return best;
}

Has judged_has(const Judged *judged, const char *address, bool *withheld_out)
{
	guint8 id[ID_BYTES];
	*withheld_out = false;
	if (judged->key == NULL)
		return HAS_UNKNOWN;
	g_autofree char *hex = ms_audit_id_of_address(judged->key, address);
	if (!ms_unhex(hex, id, ID_BYTES))
		return HAS_UNKNOWN;
	for (guint i = 0; i < judged->n_ids; i++)
		if (memcmp(judged->ids + (gsize)i * ID_BYTES, id, ID_BYTES) == 0) {
			*withheld_out = judged->withheld[i];
			return HAS;
		}
	return judged->whole ? HAS_NOT : HAS_UNKNOWN;
}
