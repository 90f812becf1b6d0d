#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "session.h"

/*
 * Unix sockets: unix:/path, local:/path, /path.  Internet: libmilter writes inet:port@host,
 * Postfix inet:host:port; both are understood, and so is inet6:.
 */

static bool is_port(const char *text, gsize len)
{
	if (len == 0 || len > 5)
		return false;
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isdigit(text[i]))
			return false;
	gint64 port = g_ascii_strtoll(text, NULL, 10);
	return port > 0 && port < 65536;
}

static char *internet(const char *family, const char *rest)
{
	const char *at = strchr(rest, '@');
	const char *colon = strrchr(rest, ':');
	if (at != NULL && at[1] != '\0' && is_port(rest, (gsize)(at - rest)))
		return g_strdup_printf("%s:%s", family, rest);
	if (at == NULL && is_port(rest, strlen(rest)))
		return g_strdup_printf("%s:%s@%s", family, rest,
			strcmp(family, "inet6") == 0 ? "::1" : "127.0.0.1");
	if (at == NULL && colon != NULL && colon > rest && is_port(colon + 1, strlen(colon + 1))) {
		gsize skip = rest[0] == '[' && colon[-1] == ']';
		return g_strdup_printf("%s:%s@%.*s", family, colon + 1,
			(int)((gsize)(colon - rest) - 2 * skip), rest + skip);
	}
	return NULL;
}

char *socket_to_libmilter(const char *spec, GError **error)
{
	char *out = NULL;
	if (spec[0] == '/')
		out = g_strconcat("local:", spec, NULL);
	else if (g_str_has_prefix(spec, "unix:/") || g_str_has_prefix(spec, "local:/"))
		out = g_strconcat("local:", strchr(spec, '/'), NULL);
	else if (g_str_has_prefix(spec, "inet:"))
		out = internet("inet", spec + 5);
	else if (g_str_has_prefix(spec, "inet6:"))
		out = internet("inet6", spec + 6);
	if (out == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"socket: \"%s\" is none; write unix:/path, inet:host:port or inet:port@host", spec);
	return out;
}

const char *socket_path(const char *libmilter_spec)
{
	return g_str_has_prefix(libmilter_spec, "local:") ? libmilter_spec + 6 : NULL;
}
