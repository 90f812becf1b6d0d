/*
 * Out goes the address of the primary, from one thread at a time.  All sentinels are asked, and
 * the one whose configuration is newest is believed: a sentinel that was cut off from the others
 * tells an address of yesterday, with an epoch of yesterday.  An older epoch than one that was
 * seen is never believed again.
 */
#include "config.h"

#include <string.h>

#include "redis_private.h"

struct MsSentinels {
	MsServerHow how;
	char *master;
	GPtrArray *servers; /* of MsServer */
	gint64 epoch;
	char *address;
};

MsSentinels *ms_sentinels_new(
	const MsRedisSettings *settings, const MsServerHow *how, GError **error)
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
		if (key->type == MS_REPLY_TEXT && value->type == MS_REPLY_TEXT &&
			strcmp(key->text, name) == 0)
			return value->text;
	}
	return NULL;
}

static bool wrong_form(const MsServer *server, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"%s: an answer of the wrong form: is it Sentinel?", ms_server_name(server));
	return false;
}

/* What MASTER says of the epoch, and then GET-MASTER-ADDR-BY-NAME of the address: in the middle
 * of a failover MASTER has the new epoch and still the old address. */
static bool take_answer(MsSentinels *s, const MsServer *server, const MsReply *master,
	const MsReply *address, GError **error)
{
	const MsReply *bad = master->type == MS_REPLY_ERROR ? master : address;
	if (bad->type == MS_REPLY_ERROR)
		return ms_server_error(server, bad->text, error) == MS_FOUND;
	const char *epoch = field(master, "config-epoch");
	gint64 n = epoch != NULL ? g_ascii_strtoll(epoch, NULL, 10) : -1;
	if (n < 0 || address->type != MS_REPLY_LIST || address->items->len != 2)
		return wrong_form(server, error);
	const MsReply *ip = address->items->pdata[0], *port = address->items->pdata[1];
	if (ip->type != MS_REPLY_TEXT || port->type != MS_REPLY_TEXT)
		return wrong_form(server, error);
	if (n >= s->epoch) {
		g_free(s->address);
		s->address = g_strdup_printf(
			strchr(ip->text, ':') != NULL ? "[%s]:%s" : "%s:%s", ip->text, port->text);
		s->epoch = n;
	}
	return true;
}

char *ms_sentinels_primary(MsSentinels *s, GError **error)
{
	const char *master[] = {"SENTINEL", "MASTER", s->master};
	const char *address[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s->master};
	const MsCommand commands[] = {{3, master, NULL}, {3, address, NULL}};
	bool told = false;
	g_autoptr(GError) first = NULL;
	for (guint i = 0; i < s->servers->len; i++) {
		MsServer *server = s->servers->pdata[i];
		g_autoptr(GPtrArray)
			replies = g_ptr_array_new_with_free_func((GDestroyNotify)ms_reply_free);
		GError **why = first == NULL ? &first : NULL;
		if (ms_server_ask(server, commands, 2, replies, why) == MS_FOUND)
			told = take_answer(s, server, replies->pdata[0], replies->pdata[1], why) ||
				told;
	}
	if (told && s->address != NULL)
		return g_strdup(s->address);
	g_propagate_prefixed_error(error, g_steal_pointer(&first), "who is primary is not known: ");
	return NULL;
}
