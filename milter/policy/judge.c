#include "config.h"

#include <string.h>

#include "missent/identifier.h"

#include "policy_private.h"

/*
 * Straight steps: does the policy apply; then one function per reason, each of which adds what
 * it finds.  All policies are evaluated, the strictest action wins, every reason is kept.
 */

/* ---- does it apply? ------------------------------------------------------------------- */

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

static bool sender_applies(const MsPolicy *policy, const MsEnvelope *envelope)
{
	if (policy->senders->len == 0)
		return true;
	g_autofree char *canonical =
		ms_address_canonical(envelope->sender, strlen(envelope->sender));
	g_autofree char *valid = g_utf8_make_valid(envelope->sender, -1);
	return matches_any(policy->senders, canonical != NULL ? canonical : valid);
}

static bool envelope_applies(const MsPolicy *policy, const MsEnvelope *envelope)
{
	if (!sender_applies(policy, envelope))
		return false;
	if (policy->users->len > 0) {
		if (envelope->auth_user == NULL)
			return false;
		g_autofree char *user = g_utf8_make_valid(envelope->auth_user, -1);
		if (!matches_any(policy->users, user))
			return false;
	}
	bool listed = policy->networks->len == 0;
	for (guint i = 0; i < policy->networks->len && !listed; i++)
		listed = ms_network_contains(policy->networks->pdata[i],
			envelope->client_address != NULL ? envelope->client_address : "127.0.0.1");
	return listed;
}

bool ms_policy_may_apply(const MsPolicies *policies, const MsEnvelope *envelope)
{
	for (guint i = 0; i < policies->list->len; i++)
		if (envelope_applies(policies->list->pdata[i], envelope))
			return true;
	return false;
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

static bool applies(const MsPolicy *policy, const MsEnvelope *envelope, const MsReading *reading)
{
	if (!envelope_applies(policy, envelope))
		return false;
	return !facts_known(reading)
		|| (headers_apply(policy, reading) && attachments_apply(policy, reading));
}

/* ---- reasons -------------------------------------------------------------------------- */

typedef struct {
	const MsPolicy *policy;
	const MsEnvelope *envelope;
	const MsReading *reading;
	const MsResolution *resolution;
	MsVerdict *verdict;
	guint kept[MS_N_REASONS];
} Judge;

static MsReason *add(Judge *j, MsReasonCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
static MsReason *add(Judge *j, MsReasonCode code, const char *format, ...)
{
	MsAction action = j->policy->on[code];
	j->verdict->would = MAX(j->verdict->would, action);
	if (j->policy->enforced)
		j->verdict->action = MAX(j->verdict->action, action);
	if (j->kept[code]++ >= MS_MAX_REASONS) {
		j->verdict->more++;
		return NULL;
	}
	MsReason *reason = g_new0(MsReason, 1);
	reason->code = code;
	reason->policy = g_strdup(j->policy->title);
	reason->action = action;
	reason->enforced = j->policy->enforced;
	va_list args;
	va_start(args, format);
	reason->text = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(j->verdict->reasons, reason);
	return reason;
}

static bool in_list(const GPtrArray *list, const char *name)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(list->pdata[i], name) == 0)
			return true;
	return false;
}

static const MsOwners *owners_of(const Judge *j, guint finding)
{
	return g_ptr_array_index(j->resolution->identifiers, finding);
}

/* Of the kinds that the policy looks at; a tentative one counts only if it is known. */
static bool counts(const Judge *j, guint finding, const GPtrArray *kinds)
{
	const MsFinding *f = g_ptr_array_index(j->reading->findings, finding);
	if (kinds->len > 0 && !in_list(kinds, f->kind)) /* {"none"} has no kind in it */
		return false;
	return !(f->belief & MS_BELIEF_TENTATIVE) || owners_of(j, finding)->owners->len > 0;
}

static MsRelation relation(const Judge *j, guint finding, guint recipient)
{
	MsRelation r = ms_resolution_relation(j->resolution, finding, recipient);
	if (r == MS_HOUSE && j->policy->judge_house
		&& !in_list(owners_of(j, finding)->owners, j->resolution->house))
		return MS_OTHER;
	return r;
}

static char *join(const GPtrArray *names)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < names->len && i < 5; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", (char *)names->pdata[i]);
	if (names->len > 5)
		g_string_append_printf(out, " and %u more", names->len - 5);
	return g_string_free(out, FALSE);
}

static void about(MsReason *reason, const MsFinding *finding, const GPtrArray *owners)
{
	if (reason == NULL)
		return;
	reason->kind = g_strdup(finding->kind);
	reason->masked = ms_identifier_masked(finding->kind, finding->value);
	if (finding->places->len > 0)
		reason->where = ms_place_masked(((MsPlace *)finding->places->pdata[0])->where);
	if (owners->len > 0)
		reason->owner = join(owners);
}

static bool is_unknown(const Judge *j, guint recipient)
{
	return ((GPtrArray *)j->resolution->recipients->pdata[recipient])->len == 0;
}

/* A split for this reason keeps the message from that recipient. */
static void withhold(Judge *j, MsReasonCode code, guint recipient)
{
	if (j->policy->enforced && j->policy->on[code] == MS_SPLIT)
		j->verdict->withheld->data[recipient] = 1;
}

static void to_recipient(MsReason *reason, const Judge *j, guint first, guint n)
{
	if (reason == NULL)
		return;
	reason->recipient = g_strdup(j->envelope->recipients->pdata[first]);
	reason->recipients = n;
}

/* Is it believed in one of these ways? */
static bool believed(const MsFinding *finding, guint levels)
{
	return levels == 0 || (ms_belief_levels(finding->belief) & levels) != 0;
}

static void judge_finding(Judge *j, guint index)
{
	const MsFinding *finding = g_ptr_array_index(j->reading->findings, index);
	const MsOwners *owners = owners_of(j, index);
	if (owners->owners->len == 0) {
		if ((finding->belief & MS_BELIEF_SELLER) || owners->partial->len > 0)
			return; /* the sender's own, which need not be in the directory */
		if (!believed(finding, j->policy->unknown_levels))
			return;
		g_autofree char *why = ms_belief_words(finding->belief);
		about(add(j, MS_UNKNOWN_IDENTIFIER, "%s that the directory does not know (%s)",
			      finding->kind, why), finding, owners->owners);
		return;
	}
	if (!believed(finding, j->policy->mismatch_levels))
		return;
	guint n = 0, known = 0, first = 0;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		if (relation(j, index, r) != MS_OTHER)
			continue;
		withhold(j, MS_MISMATCH, r);
		bool better = n == 0 || (known == 0 && !is_unknown(j, r));
		first = better ? r : first; /* one that the directory knows says more */
		known += !is_unknown(j, r);
		n++;
	}
	if (n == 0)
		return;
	g_autofree char *why = ms_belief_words(finding->belief);
	MsReason *reason = add(j, MS_MISMATCH, "%s of %s (%s)", finding->kind,
		known > 0 ? "another account than the recipient's"
			  : "an account, and the directory does not know the recipient", why);
	about(reason, finding, owners->owners);
	to_recipient(reason, j, first, n);
}

static void judge_findings(Judge *j)
{
	for (guint i = 0; i < j->reading->findings->len; i++)
		if (counts(j, i, j->policy->kinds))
			judge_finding(j, i);
}

static bool proven(const Judge *j, guint recipient)
{
	for (guint i = 0; i < j->reading->findings->len; i++)
		if (counts(j, i, j->policy->required) && relation(j, i, recipient) == MS_OWN
			&& believed(j->reading->findings->pdata[i], j->policy->proof_levels))
			return true;
	return !j->policy->judge_house && ms_resolution_is_house(j->resolution, recipient);
}

static void judge_proof(Judge *j)
{
	if (j->policy->required->len == 0)
		return;
	guint n = 0, first = 0;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		if (proven(j, r))
			continue;
		withhold(j, MS_UNPROVEN, r);
		if (n++ == 0)
			first = r;
	}
	if (n == 0)
		return;
	g_autofree char *kinds = join(j->policy->required);
	to_recipient(add(j, MS_UNPROVEN, "no %s of the recipient's own account was found", kinds), j,
		first, n);
}

static void judge_recipients(Judge *j)
{
	guint n = 0, first = 0;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		if (!is_unknown(j, r))
			continue;
		withhold(j, MS_UNKNOWN_RECIPIENT, r);
		if (n++ == 0)
			first = r;
	}
	if (n > 0)
		to_recipient(add(j, MS_UNKNOWN_RECIPIENT,
				     "the directory knows no account for the recipient"), j, first, n);
}

/* "anna%alpha.example@example.com": it is judged as each mailbox that it may be; a policy may not
 * want it at all. */
static void judge_routes(Judge *j)
{
	guint n = 0, first = 0;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		if (!ms_address_is_routed(j->envelope->recipients->pdata[r]))
			continue;
		withhold(j, MS_ROUTED_RECIPIENT, r);
		if (n++ == 0)
			first = r;
	}
	if (n > 0)
		to_recipient(add(j, MS_ROUTED_RECIPIENT, "the recipient's address has a way to another in it"), j,
			first, n);
}

static void judge_accounts(Judge *j)
{
	if (j->policy->max_accounts < 0)
		return;
	g_autoptr(GPtrArray) accounts = g_ptr_array_new();
	for (guint i = 0; i < j->reading->findings->len; i++) {
		const GPtrArray *owners = owners_of(j, i)->owners;
		/* One that several accounts share does not tell which is meant. */
		if (owners->len == 1 && counts(j, i, j->policy->kinds)
			&& strcmp(owners->pdata[0], j->resolution->house) != 0
			&& !in_list(accounts, owners->pdata[0]))
			g_ptr_array_add(accounts, owners->pdata[0]);
	}
	if (accounts->len > j->policy->max_accounts)
		add(j, MS_MIXED_ACCOUNTS, "identifiers of %u accounts in one message, at most %"
			G_GINT64_FORMAT " are allowed", accounts->len, j->policy->max_accounts);
}

static guint count_domains(const GPtrArray *addresses)
{
	g_autoptr(GHashTable) domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < addresses->len; i++) {
		const char *at = strrchr(addresses->pdata[i], '@');
		g_hash_table_add(domains, g_ascii_strdown(at != NULL ? at + 1 : "", -1));
	}
	return g_hash_table_size(domains);
}

static void judge_size(Judge *j)
{
	const MsPolicy *p = j->policy;
	guint n = j->envelope->recipients->len;
	if (p->max_recipients >= 0 && n > p->max_recipients)
		add(j, MS_OVERSIZED, "%u recipients, at most %" G_GINT64_FORMAT " are allowed", n,
			p->max_recipients);
	guint domains = count_domains(j->envelope->recipients);
	if (p->max_domains >= 0 && domains > p->max_domains)
		add(j, MS_OVERSIZED, "recipients in %u domains, at most %" G_GINT64_FORMAT
			" are allowed", domains, p->max_domains);
	if (p->max_visible >= 0 && j->reading->visible_total > p->max_visible)
		add(j, MS_EXPOSED_RECIPIENTS, "%u addresses in To and Cc for all to see, at most %"
			G_GINT64_FORMAT " are allowed", j->reading->visible_total, p->max_visible);
}

static void judge_unread(Judge *j)
{
	for (guint i = 0; i < j->reading->unread->len; i++) {
		const MsUnread *unread = j->reading->unread->pdata[i];
		if (j->policy->tolerated[unread->reason])
			continue;
		MsReason *reason = add(j, MS_UNREADABLE, "%s: %s", ms_unread_name(unread->reason),
			unread->detail);
		if (reason != NULL)
			reason->where = ms_place_masked(unread->where);
	}
}

static void judge_contradictions(Judge *j)
{
	if (in_list(j->policy->kinds, "none"))
		return; /* it asks about recipients only, not about customers */
	for (guint i = 0; i < j->reading->contradictions->len; i++) {
		const MsContradiction *c = j->reading->contradictions->pdata[i];
		MsReason *reason = add(j, MS_CONTRADICTION, "%s", c->detail);
		if (reason != NULL)
			reason->where = ms_place_masked(c->where);
	}
}

/* ---- outcomes ------------------------------------------------------------------------- */

/* May it go, for all this policy asks for? */
static bool objects(const Judge *j, MsReasonCode code)
{
	return j->policy->on[code] > MS_TAG;
}

static bool is_intolerable(const Judge *j)
{
	for (guint i = 0; i < j->reading->unread->len; i++)
		if (!j->policy->tolerated[((MsUnread *)j->reading->unread->pdata[i])->reason])
			return true;
	return false;
}

/* Of all findings, whichever kinds the policy looks at: to have a right to a message is to have
 * one to all that is in it. */
static MsOutcome outcome_for(const Judge *j, guint recipient)
{
	if (j->resolution == NULL)
		return MS_OUTCOME_UNPROVEN;
	if (is_unknown(j, recipient))
		return MS_OUTCOME_UNKNOWN_RECIPIENT;
	bool own = !j->policy->judge_house && ms_resolution_is_house(j->resolution, recipient);
	for (guint i = 0; i < j->reading->findings->len; i++) {
		MsRelation r = relation(j, i, recipient);
		if (r == MS_OTHER)
			return MS_OUTCOME_WRONG;
		own = own || r == MS_OWN;
	}
	return own ? MS_OUTCOME_RIGHT : MS_OUTCOME_UNPROVEN;
}

/* Of several policies the worst outcome stays. */
static void judge_outcomes(Judge *j)
{
	MsOutcome whole = MS_OUTCOME_RIGHT; /* for everybody, at the least */
	if (j->reading->contradictions->len > 0 && objects(j, MS_CONTRADICTION))
		whole = MS_OUTCOME_UNPROVEN;
	if (objects(j, MS_UNREADABLE) && is_intolerable(j))
		whole = MS_OUTCOME_UNREAD;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		guint8 *worst = &j->verdict->outcomes->data[r];
		MsOutcome outcome = MAX(whole, outcome_for(j, r));
		bool proof = j->policy->required->len > 0 && objects(j, MS_UNPROVEN);
		if (outcome == MS_OUTCOME_RIGHT && proof && !proven(j, r))
			outcome = MS_OUTCOME_UNPROVEN;
		*worst = (guint8)MAX(*worst, (guint8)outcome);
		/* Who would get another's by a split is never among those that it is sent to. */
		if (outcome == MS_OUTCOME_WRONG && j->policy->enforced)
			j->verdict->withheld->data[r] = 1;
	}
}

/* ---- the verdict ---------------------------------------------------------------------- */

static int stricter_first(const void *a, const void *b)
{
	const MsReason *x = *(MsReason *const *)a, *y = *(MsReason *const *)b;
	return x->action != y->action ? (int)y->action - (int)x->action : (int)x->code - (int)y->code;
}

static void judge(const MsPolicy *policy, const MsEnvelope *envelope, const MsReading *reading,
	const MsResolution *resolution, const char *trouble, MsVerdict *verdict)
{
	Judge j = {policy, envelope, reading, resolution, verdict, {0}};
	g_ptr_array_add(verdict->policies, g_strdup(policy->title));
	judge_size(&j);
	judge_routes(&j);
	judge_unread(&j);
	judge_contradictions(&j);
	judge_outcomes(&j);
	if (resolution == NULL) {
		add(&j, MS_DIRECTORY_UNAVAILABLE, "%s", trouble);
		return;
	}
	judge_findings(&j);
	judge_proof(&j);
	judge_recipients(&j);
	judge_accounts(&j);
}

MsVerdict *ms_policy_judge(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution, const char *trouble)
{
	MsVerdict *verdict = ms_verdict_new();
	GByteArray *const each[] = {verdict->withheld, verdict->outcomes};
	for (gsize i = 0; i < G_N_ELEMENTS(each) && envelope->recipients->len > 0; i++) {
		g_byte_array_set_size(each[i], envelope->recipients->len);
		memset(each[i]->data, 0, each[i]->len);
	}
	for (guint i = 0; i < policies->list->len; i++) {
		const MsPolicy *policy = policies->list->pdata[i];
		if (applies(policy, envelope, reading))
			judge(policy, envelope, reading, resolution, trouble, verdict);
	}
	/* Nobody is left to split it for: then it stays in the MTA's queue, whole. */
	if (verdict->action == MS_SPLIT
		&& memchr(verdict->withheld->data, 0, verdict->withheld->len) == NULL)
		verdict->action = verdict->would = MAX(verdict->would, MS_HOLD);
	g_ptr_array_sort(verdict->reasons, stricter_first);
	return verdict;
}
