/*
 * Where a milter listens, as an operator writes it, and as libmilter does.
 *
 * Unix sockets: unix:/path, local:/path, /path.  Internet: libmilter writes inet:port@host, Postfix
 * inet:host:port; both are understood, and so is inet6:.  No state; any thread.
 */
#include "config.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/settings.h"

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

char *ms_socket_spec(const char *spec, GError **error)
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
			"\"%s\" is no socket; write unix:/path, inet:host:port or inet:port@host",
			spec);
	return out;
}

bool ms_socket_check(const char *text, GError **error)
{
	g_autofree char *spec = ms_socket_spec(text, error);
	return spec != NULL;
}

const char *ms_socket_path(const char *spec)
{
	return g_str_has_prefix(spec, "local:") ? spec + 6 : NULL;
}

static bool connect_to_path(
	const char *path, bool (*use)(const struct sockaddr *, guint, void *), void *user)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	return g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path
		&& use((const struct sockaddr *)&address, sizeof address, user);
}

bool ms_socket_use(const char *spec,
	bool (*use)(const struct sockaddr *address, guint len, void *user), void *user)
{
	const char *at = strchr(spec, '@'), *colon = strchr(spec, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_family = g_str_has_prefix(spec, "inet6:") ? AF_INET6 : AF_INET};
	struct addrinfo *found = NULL;
	if (ms_socket_path(spec) != NULL)
		return connect_to_path(ms_socket_path(spec), use, user);
	g_autofree char *port = at != NULL ? g_strndup(colon + 1, (gsize)(at - colon - 1)) : NULL;
	if (at == NULL || getaddrinfo(at + 1, port, &hints, &found) != 0)
		return false;
	bool fine = use(found->ai_addr, found->ai_addrlen, user);
	freeaddrinfo(found);
	return fine;
}

/* Length, SMFIC_OPTNEG, version 6, and every action and step that there is. */
static const guint8 negotiation[] = {
	0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff};

static bool asks(const struct sockaddr *address, guint len, void *user)
{
	return ms_io_answers(address, len, negotiation, sizeof negotiation, *(const int *)user);
}

bool ms_socket_answers(const char *spec, int ms)
{
	return ms_socket_use(spec, asks, &ms);
}
