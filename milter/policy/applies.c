#include "config.h"

#include <string.h>

#include "missent/identifier.h"

#include "policy_private.h"

/*
 * Which policies a message falls under: by its envelope before it is read, by its headers and
 * attachments after.  What could not be looked at may fit.  Pure functions of their arguments.
 */

static bool matches_any(const GPtrArray *patterns, const char *text)
{
	MsMatch match;
	gsize len = strlen(text);
	for (guint i = 0; i < patterns->len; i++)
		/* A pattern that gives up may have matched: the safe side is to judge. */
		if (ms_regex_match(patterns->pdata[i], text, len, 0, len, &match) != MS_NO_MATCH)
			return true;
	return false;
}

/* As policies are asked about them. */
typedef struct {
	const MsEnvelope *envelope;
	char *sender;
	char *user; /* or NULL */
} Parties;

static void parties_init(Parties *parties, const MsEnvelope *envelope)
{
	parties->envelope = envelope;
	parties->sender = ms_address_canonical(envelope->sender, strlen(envelope->sender));
	if (parties->sender == NULL)
		parties->sender = g_utf8_make_valid(envelope->sender, -1);
	parties->user = envelope->auth_user != NULL ? g_utf8_make_valid(envelope->auth_user, -1)
						    : NULL;
}

static void parties_clear(Parties *parties)
{
	g_free(parties->sender);
	g_free(parties->user);
}

/* The first condition on the envelope that is not met, or MS_N_CONDITIONS. */
static MsCondition envelope_unmet(const MsPolicy *policy, const Parties *parties)
{
	const MsEnvelope *envelope = parties->envelope;
	if (policy->senders->len > 0 && !matches_any(policy->senders, parties->sender))
		return MS_IF_SENDER;
	if (policy->users->len > 0 &&
		(parties->user == NULL || !matches_any(policy->users, parties->user)))
		return MS_IF_USER;
	bool listed = policy->networks->len == 0;
	for (guint i = 0; i < policy->networks->len && !listed; i++)
		listed = ms_network_contains(policy->networks->pdata[i],
			envelope->client_address != NULL ? envelope->client_address : "127.0.0.1");
	return listed ? MS_N_CONDITIONS : MS_IF_NETWORK;
}

static bool envelope_applies(const MsPolicy *policy, const Parties *parties)
{
	return envelope_unmet(policy, parties) == MS_N_CONDITIONS;
}

bool ms_policy_envelope_fits(const MsPolicy *policy, const MsEnvelope *envelope)
{
	Parties parties;
	parties_init(&parties, envelope);
	bool fits = envelope_applies(policy, &parties);
	parties_clear(&parties);
	return fits;
}

bool ms_policy_may_apply(const MsPolicies *policies, const MsEnvelope *envelope)
{
	Parties parties;
	bool may = false;
	parties_init(&parties, envelope);
	for (guint i = 0; i < policies->list->len && !may; i++)
		may = envelope_applies(policies->list->pdata[i], &parties);
	parties_clear(&parties);
	return may;
}

/* Were headers and structure read at all?  If not, every condition on them may hold. */
static bool facts_known(const MsReading *reading)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *unread = reading->unread->pdata[i];
		if (strcmp(unread->where, "message") == 0 || strcmp(unread->where, "headers") == 0
			|| unread->reason == MS_UNREAD_TIME)
			return false;
	}
	return reading->headers->len > 0;
}

static bool headers_apply(const MsPolicy *policy, const MsReading *reading)
{
	MsMatch match;
	for (guint i = 0; i < policy->headers->len; i++) {
		const MsHeaderRule *rule = policy->headers->pdata[i];
		for (guint k = 0; k < reading->headers->len; k++) {
			const MsHeader *header = reading->headers->pdata[k];
			gsize len = strlen(header->value);
			if (g_ascii_strcasecmp(header->name, rule->name) == 0
				&& ms_regex_match(rule->pattern, header->value, len, 0, len, &match)
					!= MS_NO_MATCH)
				return true;
		}
	}
	return policy->headers->len == 0;
}

static bool attachments_apply(const MsPolicy *policy, const MsReading *reading)
{
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *part = reading->parts->pdata[i];
		if (matches_any(policy->attachments, part->claimed)
			|| matches_any(policy->attachments, part->actual)
			|| matches_any(policy->attachments, part->name))
			return true;
	}
	return policy->attachments->len == 0;
}

struct MsFacts {
	Parties parties;
	const MsReading *reading;
	bool known;
};

MsFacts *ms_facts_new(const MsEnvelope *envelope, const MsReading *reading)
{
	MsFacts *facts = g_new0(MsFacts, 1);
	parties_init(&facts->parties, envelope);
	facts->reading = reading;
	facts->known = facts_known(reading);
	return facts;
}

void ms_facts_free(MsFacts *facts)
{
	parties_clear(&facts->parties);
	g_free(facts);
}

/* Judged again, a message is under the policies it was under, whatever of its session is no
 * longer known. */
static bool was_under(const MsEnvelope *envelope, const MsPolicy *policy)
{
	return envelope->policies != NULL
		&& g_strv_contains((const char *const *)envelope->policies, policy->title);
}

/* What could not be read may be what is asked for; `late`, nobody looks. */
static MsCondition unmet(const MsFacts *facts, const MsPolicy *policy, bool late)
{
	MsCondition condition = envelope_unmet(policy, &facts->parties);
	if (was_under(facts->parties.envelope, policy) ||
		(condition == MS_N_CONDITIONS && (!facts->known || late)))
		return MS_N_CONDITIONS;
	if (condition == MS_N_CONDITIONS && !headers_apply(policy, facts->reading))
		return MS_IF_HEADER;
	if (condition == MS_N_CONDITIONS && !attachments_apply(policy, facts->reading))
		return MS_IF_ATTACHMENT;
	return condition;
}

bool ms_facts_fit(const MsFacts *facts, const MsPolicy *policy, bool late)
{
	return unmet(facts, policy, late) == MS_N_CONDITIONS;
}

char *ms_policy_why_not(
	const MsPolicies *policies, guint n, const MsEnvelope *envelope, const MsReading *reading)
{
	const MsPolicy *policy = g_ptr_array_index(policies->list, n);
	g_autoptr(MsFacts) facts = ms_facts_new(envelope, reading);
	MsCondition condition = unmet(facts, policy, false);
	const char *asked = condition < MS_N_CONDITIONS ? policy->words[condition] : NULL;
	switch (condition) {
	case MS_IF_SENDER:
		return g_strdup_printf(
			"the sender <%s> is none of: %s", facts->parties.sender, asked);
	case MS_IF_USER:
		return facts->parties.user == NULL
			? g_strdup_printf(
				  "nobody had logged in, and it is for auth-user: %s", asked)
			: g_strdup_printf("the login name \"%s\" is none of: %s",
				  facts->parties.user, asked);
	case MS_IF_NETWORK:
		return g_strdup_printf("the client %s is in none of the networks: %s",
			envelope->client_address != NULL ? envelope->client_address : "(this host)",
			asked);
	case MS_IF_HEADER: return g_strdup_printf("no header field is as asked for: %s", asked);
	case MS_IF_ATTACHMENT:
		return g_strdup_printf("no part is of a type or name asked for: %s", asked);
	case MS_N_CONDITIONS: break;
	}
	return NULL;
}
