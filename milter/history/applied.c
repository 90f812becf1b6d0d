/*
 * The lines of a trail come in; out goes which policies applied to any of them, and whose mail
 * there was.  One thread.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/history.h"

struct MsApplied {
	guint64 messages;
	gint64 since;
	GHashTable *titles, *senders; /* of char *: the latter digests, of addresses and domains */
	guint8 key[MS_AUDIT_KEY_BYTES];
	char *number; /* of the key; NULL: none */
};

static void add_text(GHashTable *set, const json_t *text)
{
	if (json_is_string(text) && !g_hash_table_contains(set, json_string_value(text)))
		g_hash_table_add(set, g_strdup(json_string_value(text)));
}

static bool take(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	MsApplied *applied = user;
	if (line->json == NULL || strcmp(line->type, "message") != 0)
		return true;
	const json_t *policies = json_object_get(line->json, "policies");
	applied->since = applied->messages++ == 0 ? line->time : MIN(applied->since, line->time);
	for (gsize i = 0; i < json_array_size(policies); i++)
		add_text(applied->titles, json_array_get(policies, i));
	const char *number = json_string_value(json_object_get(line->json, "key"));
	if (applied->number == NULL || g_strcmp0(number, applied->number) != 0)
		return true; /* of another key, digests say nothing */
	add_text(applied->senders, json_object_get(line->json, "sender_id"));
	add_text(applied->senders, json_object_get(line->json, "sender_domain"));
	return true;
}

MsApplied *ms_applied_read(const char *trail, gint64 from, gint64 to,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error)
{
	g_autoptr(MsApplied) applied = g_new0(MsApplied, 1);
	applied->titles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	applied->senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (key != NULL) {
		memcpy(applied->key, key, sizeof applied->key);
		applied->number = ms_audit_key_number(key);
	}
	return ms_audit_each(trail, from, to, take, applied, error) ? g_steal_pointer(&applied)
								    : NULL;
}

void ms_applied_free(MsApplied *applied)
{
	if (applied == NULL)
		return;
	g_hash_table_unref(applied->titles);
	g_hash_table_unref(applied->senders);
	explicit_bzero(applied->key, sizeof applied->key);
	g_free(applied->number);
	g_free(applied);
}

static bool is_sender(const char *address, void *user)
{
	const MsApplied *applied = user;
	g_autofree char *domain = *address == '@' ? g_ascii_strdown(address + 1, -1) : NULL;
	g_autofree char *id = domain != NULL ? ms_audit_id(applied->key, "domain", domain)
		: ms_audit_id_of_address(applied->key, address);
	return g_hash_table_contains(applied->senders, id);
}

void ms_applied_lint(MsApplied *applied, MsLintMail *out)
{
	out->messages = applied->messages;
	out->since = applied->since;
	out->applied = applied->titles;
	out->sender_seen = applied->number != NULL ? is_sender : NULL;
	out->user = applied;
}
