/*
 * Addresses that stand in the message's own address fields (From, To, Cc, Reply-To, ...) and
 * nowhere else.  The reading wing does not know the envelope, so it hands over all of them; here,
 * before anything is judged, those go that name the ones who exchange this message.  What is left
 * is somebody else: a wrong Cc, a Reply-To of another customer.  A pure function of its
 * arguments.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"
#include "missent/policy.h"

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

static GHashTable *canonical_recipients(const MsEnvelope *envelope)
{
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint r = 0; r < envelope->recipients->len; r++) {
		const char *to = envelope->recipients->pdata[r];
		char *canonical = ms_address_canonical(to, strlen(to));
		if (canonical != NULL)
			g_hash_table_add(set, canonical);
	}
	return set;
}

/* Of an account to which this message goes: that its people see each other's names is usual.  The
 * same list in several transactions is several messages to us: there the others count. */
static bool is_expected(const MsEnvelope *envelope, GHashTable *recipients,
	const MsResolution *resolution, guint index, const MsFinding *finding)
{
	return (finding->belief & MS_BELIEF_ADDRESSED) != 0 &&
		strchr(finding->value, '@') != NULL &&
		(!ms_resolution_is_owned(resolution, index) ||
			is_sender(envelope, finding->value) ||
			g_hash_table_contains(recipients, finding->value) ||
			ms_resolution_is_theirs(resolution, index));
}

void ms_policy_drop_addressed(
	const MsEnvelope *envelope, MsReading *reading, MsResolution *resolution)
{
	if (ms_resolution_over(resolution) != NULL)
		return; /* whose they are is not known */
	GPtrArray *findings = reading->findings;
	g_autoptr(GHashTable) recipients = canonical_recipients(envelope);
	g_autofree guint8 *keep = g_new(guint8, findings->len + 1);
	g_autoptr(GPtrArray) left = g_ptr_array_sized_new(findings->len);
	g_autoptr(GPtrArray) dropped = g_ptr_array_new();
	for (guint i = 0; i < findings->len; i++) {
		keep[i] = !is_expected(envelope, recipients, resolution, i, findings->pdata[i]);
		g_ptr_array_add(keep[i] ? left : dropped, findings->pdata[i]);
	}
	if (dropped->len == 0)
		return;
	/* In its order, those that go last. */
	memcpy(findings->pdata, left->pdata, left->len * sizeof(gpointer));
	memcpy(findings->pdata + left->len, dropped->pdata, dropped->len * sizeof(gpointer));
	for (guint i = 0; i < dropped->len; i++)
		g_ptr_array_add(
			reading->dropped, g_ptr_array_steal_index(findings, findings->len - 1));
	ms_resolution_keep(resolution, keep);
}
