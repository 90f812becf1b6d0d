#include "config.h"

#include <string.h>

#include "redis_private.h"

/*
 * Out goes the address of the primary, from one thread at a time.  All sentinels are asked, and the
 * one whose configuration is newest is believed: a sentinel that was cut off from the others tells an
 * address of yesterday, with an epoch of yesterday.  An older epoch than one that was seen is never
 * believed again.
 */

struct MsSentinels {
	MsServerHow how;
	char *master;
	GPtrArray *servers; /* of MsServer */
	gint64 epoch;
	char *address;
};

MsSentinels *ms_sentinels_new(const MsRedisSettings *settings, const MsServerHow *how, GError **error)
{
	MsSentinels *s = g_new0(MsSentinels, 1);
	s->how = *how;
	s->how.what = "Sentinel";
	s->how.user = g_strdup(settings->sentinel_user);
	s->how.password = g_strdup(settings->sentinel_password);
	s->how.database = NULL;
	s->how.keep = 1;
	s->how.refuse_eviction = false;
	s->master = g_strdup(settings->master);
	s->servers = g_ptr_array_new_with_free_func((GDestroyNotify)ms_server_unref);
	for (const char *const *at = settings->sentinels; *at != NULL; at++) {
		MsServer *server = ms_server_new(*at, &s->how, error);
		if (server == NULL) {
			ms_sentinels_free(s);
			return NULL;
		}
		g_ptr_array_add(s->servers, server);
	}
	return s;
}

void ms_sentinels_free(MsSentinels *s)
{
	if (s == NULL)
		return;
	g_ptr_array_unref(s->servers);
	g_free(s->how.user);
	g_free(s->how.password);
	g_free(s->master);
	g_free(s->address);
	g_free(s);
}

const GPtrArray *ms_sentinels_servers(const MsSentinels *s)
{
	return s->servers;
}

/* The value of `name` in a list of names and values. */
static const char *field(const MsReply *list, const char *name)
{
	for (guint i = 0; list->type == MS_REPLY_LIST && i + 1 < list->items->len; i += 2) {
		const MsReply *key = list->items->pdata[i], *value = list->items->pdata[i + 1];
		if (key->type == MS_REPLY_TEXT && value->type == MS_REPLY_TEXT && strcmp(key->text, name) == 0)
			return value->text;
	}
	return NULL;
}

static bool take_answer(MsSentinels *s, const MsServer *server, const MsReply *reply, GError **error)
{
	if (reply->type == MS_REPLY_ERROR)
		return ms_server_error(server, reply->text, error) == MS_FOUND;
	const char *ip = field(reply, "ip"), *port = field(reply, "port"), *epoch = field(reply, "config-epoch");
	gint64 n = epoch != NULL ? g_ascii_strtoll(epoch, NULL, 10) : -1;
	if (ip == NULL || port == NULL || n < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: an answer of the wrong form: is it Sentinel?",
			ms_server_name(server));
		return false;
	}
	if (n > s->epoch || s->address == NULL) {
		g_free(s->address);
		s->address = g_strdup_printf(strchr(ip, ':') != NULL ? "[%s]:%s" : "%s:%s", ip, port);
		s->epoch = n;
	}
	return true;
}

char *ms_sentinels_primary(MsSentinels *s, gint64 *epoch, GError **error)
{
	const char *argv[] = {"SENTINEL", "MASTER", s->master};
	const MsCommand command = {3, argv, NULL};
	bool told = false;
	g_autoptr(GError) first = NULL;
	for (guint i = 0; i < s->servers->len; i++) {
		MsServer *server = s->servers->pdata[i];
		g_autoptr(GPtrArray) replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
		GError **why = first == NULL ? &first : NULL;
		if (ms_server_ask(server, &command, 1, replies, why) == MS_FOUND)
			told = take_answer(s, server, replies->pdata[0], first == NULL ? &first : NULL) || told;
	}
	*epoch = s->epoch;
	if (told && s->address != NULL)
		return g_strdup(s->address);
	g_propagate_prefixed_error(error, g_steal_pointer(&first), "who is primary is not known: ");
	return NULL;
}
