/*
 * The trail of judged mail comes in, in which identifiers and recipients are keyed digests; it adds
 * to what is counted of those that the stored mail has.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/verdict.h"

#include "learn_private.h"

typedef struct {
	Tally *tally;
	GHashTable *ids, *tos; /* digest to LearnId, LearnTo */
	char *key;             /* its number */
} History;

static void digest_all(History *h, const guint8 key[MS_AUDIT_KEY_BYTES])
{
	for (guint i = 0; i < h->tally->id_list->len; i++) {
		LearnId *id = h->tally->id_list->pdata[i];
		g_hash_table_insert(h->ids, ms_audit_id(key, id->kind, id->value), id);
	}
	for (guint i = 0; i < h->tally->to_list->len; i++) {
		LearnTo *to = h->tally->to_list->pdata[i];
		g_hash_table_insert(h->tos, ms_audit_id_of_address(key, to->address), to);
	}
}

static void take_known(const json_t *list, GHashTable *known, GPtrArray *out)
{
	gsize i;
	json_t *row;
	json_array_foreach(list, i, row)
	{
		const char *digest = json_string_value(json_object_get(row, "id"));
		gpointer one = digest != NULL ? g_hash_table_lookup(known, digest) : NULL;
		if (one != NULL && !g_ptr_array_find(out, one, NULL))
			g_ptr_array_add(out, one);
	}
}

/* Of one message, where it has both. */
static bool take(const MsAuditLine *line, void *user, GError **error)
{
	History *h = user;
	(void)error;
	if (line->json == NULL || strcmp(line->type, "message") != 0)
		return true;
	const char *key = json_string_value(json_object_get(line->json, "key"));
	const char *verdict = json_string_value(json_object_get(line->json, "verdict"));
	if ((key != NULL && strcmp(key, h->key) != 0) ||
		g_strcmp0(verdict, ms_action_names[MS_TEMPFAIL]) == 0) /* it comes again */
		return true;
	g_autoptr(GPtrArray) ids = g_ptr_array_new(), tos = g_ptr_array_new();
	take_known(json_object_get(line->json, "identifiers"), h->ids, ids);
	take_known(json_object_get(line->json, "to"), h->tos, tos);
	const char *queue_id = json_string_value(json_object_get(line->json, "queue_id"));
	g_autofree char *name = g_strdup_printf("audit trail, entry %" G_GUINT64_FORMAT ", %s",
		line->number, queue_id != NULL ? queue_id : "-");
	if (ids->len > 0 && tos->len > 0)
		tally_add_trail(h->tally, ids, tos, line->time / G_USEC_PER_SEC, name);
	return true;
}

bool learn_history(Tally *tally, const char *trail, gint64 since,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error)
{
	History h = {.tally = tally,
		.ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.tos = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.key = ms_audit_key_number(key)};
	digest_all(&h, key);
	bool fine = ms_audit_each(trail, since * G_USEC_PER_SEC, G_MAXINT64, take, &h, error);
	g_hash_table_unref(h.ids);
	g_hash_table_unref(h.tos);
	g_free(h.key);
	return fine;
}
