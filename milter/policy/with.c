/*
 * Policies and changes to single settings of theirs come in; out go the same policies with these
 * changes, to be judged by once more.  Pure functions of their arguments; any thread.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "missent/word.h"

#include "policy_private.h"

typedef struct {
	const char *key;
	size_t at; /* in MsPolicy, a gint64 */
} Limit;

static const Limit limits[] = {
	{"max-recipients", offsetof(MsPolicy, max_recipients)},
	{"max-domains", offsetof(MsPolicy, max_domains)},
	{"max-accounts", offsetof(MsPolicy, max_accounts)},
	{"max-visible-recipients", offsetof(MsPolicy, max_visible)},
	{"max-identifiers", offsetof(MsPolicy, max_identifiers)},
};

static const Limit *limit_named(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
		if (strcmp(limits[i].key, key) == 0)
			return &limits[i];
	return NULL;
}

/* -1: it is none of them. */
static int place_in(const char *const *names, const char *name)
{
	int place;
	return ms_word_choose(names, "setting", name, &place, NULL) ? place : -1;
}

static void copy_free(gpointer data)
{
	MsPolicy *copy = data;
	g_hash_table_unref(copy->required);
	g_free(copy->required_words);
	g_free(copy);
}

/* All but the kinds that it requires is borrowed. */
static MsPolicy *copy_of(const MsPolicy *policy)
{
	MsPolicy *copy = g_memdup2(policy, sizeof *policy);
	GHashTableIter iter;
	gpointer kind;
	copy->required = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	copy->required_words = g_strdup(policy->required_words);
	g_hash_table_iter_init(&iter, policy->required);
	while (g_hash_table_iter_next(&iter, &kind, NULL))
		g_hash_table_add(copy->required, g_strdup(kind));
	return copy;
}

static void require(MsPolicy *policy, const char *kind)
{
	g_autofree char *words = policy->required_words;
	policy->required_words = g_strconcat(words, *words != '\0' ? ", " : "", kind, NULL);
	g_hash_table_add(policy->required, g_strdup(kind));
}

static void change(MsPolicy *policy, const char *key, const char *value)
{
	const Limit *limit = limit_named(key);
	int reason = g_str_has_prefix(key, "on-") ? place_in(ms_reason_names, key + 3) : -1;
	int action = place_in(ms_action_names, value), unread = place_in(ms_unread_names, value);
	if (limit != NULL)
		*(gint64 *)((char *)policy + limit->at) = g_ascii_strtoll(value, NULL, 10);
	else if (reason >= 0 && action >= 0)
		policy->on[reason] = (MsAction)action;
	else if (strcmp(key, "tolerate") == 0 && unread >= 0)
		policy->tolerated[unread] = true;
	else if (strcmp(key, "require") == 0)
		require(policy, value);
}

static guint place_of(const MsPolicies *policies, const char *title)
{
	for (guint i = 0; i < policies->list->len; i++)
		if (strcmp(((MsPolicy *)policies->list->pdata[i])->title, title) == 0)
			return i;
	return policies->list->len;
}

MsPolicies *ms_policies_with(const MsPolicies *policies, const MsPolicyChange *changes, guint n)
{
	MsPolicies *out = g_new0(MsPolicies, 1);
	out->list = g_ptr_array_copy(policies->list, NULL, NULL);
	g_ptr_array_set_free_func(out->list, NULL);
	out->copies = g_ptr_array_new_with_free_func(copy_free);
	for (guint i = 0; i < n; i++) {
		guint at = place_of(out, changes[i].policy);
		if (at == out->list->len)
			continue;
		if (!g_ptr_array_find(out->copies, out->list->pdata[at], NULL)) {
			out->list->pdata[at] = copy_of(out->list->pdata[at]);
			g_ptr_array_add(out->copies, out->list->pdata[at]);
		}
		change(out->list->pdata[at], changes[i].key, changes[i].value);
	}
	return out;
}

gint64 ms_policies_limit(const MsPolicies *policies, const char *title, const char *key)
{
	const MsPolicy *policy = ms_policy_find(policies, title);
	const Limit *limit = limit_named(key);
	return policy != NULL && limit != NULL ? *(const gint64 *)((const char *)policy + limit->at)
					       : -1;
}

MsAction ms_policies_doing(
	const MsPolicies *policies, const char *title, MsReasonCode code, bool *delivers_out)
{
	const MsPolicy *policy = ms_policy_find(policies, title);
	*delivers_out = policy != NULL && policy->then_deliver[code];
	return policy != NULL ? policy->on[code] : MS_DELIVER;
}

MsAction ms_policies_action(const MsPolicies *policies, const char *title, MsReasonCode code)
{
	bool delivers;
	return ms_policies_doing(policies, title, code, &delivers);
}

bool ms_policies_looks_at(const MsPolicies *policies, const char *title, const char *kind)
{
	const MsPolicy *policy = ms_policy_find(policies, title);
	return policy != NULL &&
		(g_hash_table_size(policy->kinds) == 0 ||
			g_hash_table_contains(policy->kinds, kind));
}
