#include "config.h"

#include <string.h>

#include "missent/identifier.h"
#include "missent/policy.h"

/*
 * Addresses that stand in the message's own address fields (From, To, Cc, Reply-To, ...) and
 * nowhere else.  The reading wing does not know the envelope, so it hands over all of them; here,
 * before anything is judged, those go that name the ones who exchange this message.  What is left
 * is somebody else: a wrong Cc, a Reply-To of another customer.  A pure function of its
 * arguments.
 */

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');
	return at != NULL ? at + 1 : "";
}

/* "bounce.example.com" and "example.com" are one sender's. */
static bool is_below(const char *domain, const char *parent)
{
	gsize n = strlen(domain), m = strlen(parent);
	return m > 0 && n >= m && g_ascii_strcasecmp(domain + n - m, parent) == 0
		&& (n == m || domain[n - m - 1] == '.');
}

static bool is_sender(const MsEnvelope *envelope, const char *address)
{
	const char *domain = domain_of(address), *sender = domain_of(envelope->sender);
	return is_below(domain, sender) || is_below(sender, domain);
}

/* Of an account to which this message goes: that its people see each other's names is usual.  The
 * same list in several transactions is several messages to us: there the others count. */
static bool is_recipient(const MsEnvelope *envelope, const MsResolution *resolution, guint index,
	const char *address)
{
	for (guint r = 0; r < envelope->recipients->len; r++) {
		const char *to = envelope->recipients->pdata[r];
		g_autofree char *canonical = ms_address_canonical(to, strlen(to));
		if (g_strcmp0(canonical, address) == 0 || ms_resolution_relation(resolution, index, r) == MS_OWN)
			return true;
	}
	return false;
}

static bool is_expected(const MsEnvelope *envelope, const MsResolution *resolution, guint index,
	const MsFinding *finding)
{
	const MsOwners *owners = resolution->identifiers->pdata[index];
	return (finding->belief & MS_BELIEF_ADDRESSED) != 0 && strchr(finding->value, '@') != NULL
		&& (owners->owners->len == 0 || is_sender(envelope, finding->value)
			|| is_recipient(envelope, resolution, index, finding->value));
}

void ms_policy_drop_addressed(const MsEnvelope *envelope, MsReading *reading, MsResolution *resolution)
{
	for (guint i = reading->findings->len; i-- > 0;)
		if (is_expected(envelope, resolution, i, reading->findings->pdata[i])) {
			g_ptr_array_remove_index(reading->findings, i);
			g_ptr_array_remove_index(resolution->identifiers, i);
		}
}
