/*
 * A network or an address comes in as text; out goes whether it is one, and whether an address
 * is within.  IPv4 is IPv4-mapped IPv6 here (RFC 4291 2.5.5.2).  No state; any thread.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/settings.h"

/* IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that one comparison does. */
static bool parse(const char *text, guint8 *out, int *bits)
{
	guint8 v4[4];
	if (inet_pton(AF_INET, text, v4) == 1) {
		memset(out, 0, 10);
		out[10] = out[11] = 0xff;
		memcpy(out + 12, v4, 4);
		*bits = 32;
		return true;
	}
	*bits = 128;
	return inet_pton(AF_INET6, text, out) == 1;
}

static bool parse_network(const char *network, guint8 *out, int *prefix)
{
	const char *slash = strchr(network, '/');
	g_autofree char *address = g_strndup(network,
		slash != NULL ? (gsize)(slash - network) : strlen(network));
	int bits;
	if (!parse(address, out, &bits))
		return false;
	char *end = NULL;
	long n = slash != NULL ? strtol(slash + 1, &end, 10) : bits;
	if (n < 0 || n > bits || (slash != NULL && (end == slash + 1 || *end != '\0')))
		return false;
	*prefix = (int)n + (bits == 32 ? 96 : 0);
	return true;
}

/* Takes away what stands behind the prefix; was there anything? */
static bool mask(guint8 *bytes, int prefix)
{
	bool any = false;
	for (int i = prefix / 8; i < 16; i++) {
		guint8 kept = i == prefix / 8 ? (guint8)(0xff00 >> prefix % 8) : 0;
		any = any || (bytes[i] & (guint8)~kept) != 0;
		bytes[i] &= kept;
	}
	return any;
}

/* An address with the length of its network: one of the two is meant, and 0/0 may be neither. */
static bool refuse_host(const char *network, const guint8 *masked, int prefix, GError **error)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool v4 = strchr(network, ':') == NULL;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? masked + 12 : masked, text, sizeof text);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is an address with the size of its network: write %s/%d for all of it, or %.*s for this host",
		network, text, v4 ? prefix - 96 : prefix, (int)strcspn(network, "/"), network);
	return false;
}

bool ms_network_check(const char *network, GError **error)
{
	guint8 bytes[16];
	int prefix;
	if (parse_network(network, bytes, &prefix))
		return !mask(bytes, prefix) || refuse_host(network, bytes, prefix, error);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is not a network (such as 192.0.2.0/24, 2001:db8::/32, ::1)", network);
	return false;
}

bool ms_network_contains(const char *network, const char *address)
{
	guint8 net[16], host[16];
	int prefix, bits;
	if (!parse_network(network, net, &prefix) || !parse(address, host, &bits))
		return false;
	int whole = prefix / 8, rest = prefix % 8;
	if (memcmp(net, host, (size_t)whole) != 0)
		return false;
	guint8 kept = (guint8)(0xff00 >> rest);
	return rest == 0 || (net[whole] & kept) == (host[whole] & kept);
}
