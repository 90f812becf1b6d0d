/*
 * Straight steps: does the policy apply (applies.c); then one function per reason, each of which
 * adds what it finds.  All policies are evaluated, the strictest action wins, every reason
 * counts.  What all policies ask for is worked out once a message (Case); what is left for each
 * is one look at every finding and every recipient.  What is decided is over all of them; only
 * what is kept to be shown is bounded.  Pure functions of their arguments; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"
#include "missent/text.h"

#include "policy_private.h"

/* ---- once a message ------------------------------------------------------------------- */

typedef struct {
	const MsEnvelope *envelope;
	const MsReading *reading;
	MsResolution *resolution; /* NULL: the directory could not be asked */
	const char *trouble;
	MsVerdict *verdict;
	guint domains;             /* of recipients */
	GArray *routed, *unknown;  /* of guint: recipients */
	GPtrArray *kinds;          /* of char *: of the findings, each once */
	guint *kind_of;            /* a finding: which of them */
	guint8 *outcomes[MS_N_HOUSE]; /* of each recipient, over all findings */
	bool settled;              /* there are outcomes */
	guint8 *kept;              /* a recipient: `withheld`, were every policy enforced */
} Case;

/* What the patterns of a policy may cost, so that the clock is looked at between policies. */
#define STEPS_OF_PATTERNS (1 << 14)

static bool is_over(const Case *c)
{
	return c->resolution != NULL && ms_resolution_over(c->resolution) != NULL;
}

guint ms_policy_count_domains(const GPtrArray *addresses)
{
	g_autoptr(GHashTable)
		domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < addresses->len; i++) {
		const char *at = strrchr(addresses->pdata[i], '@');
		g_hash_table_add(domains, g_ascii_strdown(at != NULL ? at + 1 : "", -1));
	}
	return g_hash_table_size(domains);
}

static void take_recipients(Case *c)
{
	c->routed = g_array_new(FALSE, FALSE, sizeof(guint));
	c->unknown = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint r = 0; r < c->envelope->recipients->len; r++) {
		if (ms_address_is_routed(c->envelope->recipients->pdata[r]))
			g_array_append_val(c->routed, r);
		if (c->resolution != NULL && !is_over(c) &&
			ms_resolution_is_unknown(c->resolution, r))
			g_array_append_val(c->unknown, r);
	}
}

static void take_kinds(Case *c)
{
	g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
	c->kinds = g_ptr_array_new();
	c->kind_of = g_new(guint, c->reading->findings->len + 1);
	for (guint i = 0; i < c->reading->findings->len; i++) {
		char *kind = ((MsFinding *)c->reading->findings->pdata[i])->kind;
		guint number = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, kind));
		if (number == 0) {
			g_ptr_array_add(c->kinds, kind);
			number = c->kinds->len;
			g_hash_table_insert(numbers, kind, GUINT_TO_POINTER(number));
		}
		c->kind_of[i] = number - 1;
	}
}

static MsOutcome outcome_of(const Case *c, const MsTally *all, guint recipient, MsHouseRule rule)
{
	if (ms_resolution_is_unknown(c->resolution, recipient))
		return MS_OUTCOME_UNKNOWN_RECIPIENT;
	if (ms_tally_other(all, recipient, rule))
		return MS_OUTCOME_WRONG;
	bool own = ms_tally_own(all, recipient)
		|| (rule == MS_HOUSE_MAY && ms_resolution_is_house(c->resolution, recipient));
	return own ? MS_OUTCOME_RIGHT : MS_OUTCOME_UNPROVEN;
}

/* Of all findings, whichever kinds a policy looks at: to have a right to a message is to have
 * one to all that is in it. */
static void take_outcomes(Case *c)
{
	if (c->resolution == NULL || is_over(c))
		return;
	g_autoptr(MsTally) all = ms_tally_new(c->resolution);
	for (guint i = 0; i < c->reading->findings->len; i++)
		ms_tally_add(all, i);
	guint n = c->envelope->recipients->len;
	if (!ms_resolution_step(c->resolution, MS_N_HOUSE * (guint64)n))
		return;
	c->settled = true;
	for (int rule = 0; rule < MS_N_HOUSE; rule++) {
		c->outcomes[rule] = g_new(guint8, n + 1);
		for (guint r = 0; r < n; r++)
			c->outcomes[rule][r] = (guint8)outcome_of(c, all, r, (MsHouseRule)rule);
	}
}

static void case_init(Case *c)
{
	c->domains = ms_policy_count_domains(c->envelope->recipients);
	c->kept = g_new0(guint8, c->envelope->recipients->len + 1);
	take_recipients(c);
	take_kinds(c);
	take_outcomes(c);
}

static void case_clear(Case *c)
{
	g_array_unref(c->routed);
	g_array_unref(c->unknown);
	g_ptr_array_unref(c->kinds);
	g_free(c->kind_of);
	g_free(c->kept);
	for (int rule = 0; rule < MS_N_HOUSE; rule++)
		g_free(c->outcomes[rule]);
}

/* ---- one policy ----------------------------------------------------------------------- */

typedef struct {
	const MsPolicy *policy;
	const Case *c;
	const MsEnvelope *envelope;
	const MsReading *reading;
	MsResolution *resolution;
	MsVerdict *verdict;
	MsHouseRule rule;
	/* a kind of the message: does the policy look at it, require it? */
	guint8 *looked, *required;
	MsTally *proof;            /* of what it requires; NULL: nothing */
	MsAdding adding;
} Judge;

/* Of the kinds that are listed; an empty list is none, or all. */
static guint8 *among(const Case *c, GHashTable *listed, bool empty_is_all)
{
	guint8 *out = g_new(guint8, c->kinds->len + 1);
	bool all = empty_is_all && g_hash_table_size(listed) == 0;
	for (guint i = 0; i < c->kinds->len; i++) /* {"none"} has no kind in it */
		out[i] = all || g_hash_table_contains(listed, c->kinds->pdata[i]);
	return out;
}

/* Of the kinds asked for; a tentative one counts only if it is known. */
static bool counts(const Judge *j, guint finding, const guint8 *kinds)
{
	const MsFinding *f = j->reading->findings->pdata[finding];
	return kinds[j->c->kind_of[finding]] &&
		(!(f->belief & MS_BELIEF_TENTATIVE) ||
			ms_resolution_is_owned(j->resolution, finding));
}

/* Is it believed in one of these ways? */
static bool believed(const MsFinding *finding, guint levels)
{
	return levels == 0 || (ms_belief_levels(finding->belief) & levels) != 0;
}

static void take_proof(Judge *j)
{
	if (g_hash_table_size(j->policy->required) == 0)
		return;
	j->proof = ms_tally_new(j->resolution);
	for (guint i = 0; i < j->reading->findings->len; i++)
		if (counts(j, i, j->required) &&
			believed(j->reading->findings->pdata[i], j->policy->proof_levels))
			ms_tally_add(j->proof, i);
}

bool ms_adding_count(MsAdding *adding, MsReasonCode code)
{
	MsAction action = adding->policy->on[code];
	MsVerdict *verdict = adding->verdict;
	verdict->would = MAX(verdict->would, action);
	if (adding->policy->enforced) {
		verdict->action = MAX(verdict->action, action);
		verdict->then = MAX(verdict->then,
			ms_action_then(action, adding->policy->then_deliver[code]));
	}
	if (adding->policy->enforced && action == MS_DELAY)
		verdict->delay_us = MAX(verdict->delay_us, adding->policy->delay_us[code]);
	guint kept = adding->kept[code]++;
	bool room = kept == 0 ||
		(kept < MS_MAX_REASONS && verdict->reasons->len < MS_MAX_REASONS_IN_ALL);
	verdict->more += !room;
	return room;
}

MsReason *ms_adding_keep(MsAdding *adding, MsReasonCode code, char *text)
{
	MsReason *reason = g_new0(MsReason, 1);
	reason->code = code;
	reason->policy = g_strdup(adding->policy->title);
	reason->action = adding->policy->on[code];
	reason->enforced = adding->policy->enforced;
	reason->text = text;
	g_ptr_array_add(adding->verdict->reasons, reason);
	return reason;
}

static bool count_reason(Judge *j, MsReasonCode code)
{
	return ms_adding_count(&j->adding, code);
}

static MsReason *keep_reason(Judge *j, MsReasonCode code, char *text)
{
	return ms_adding_keep(&j->adding, code, text);
}

static MsReason *add(Judge *j, MsReasonCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
static MsReason *add(Judge *j, MsReasonCode code, const char *format, ...)
{
	if (!count_reason(j, code))
		return NULL;
	va_list args;
	va_start(args, format);
	char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return keep_reason(j, code, text);
}

void ms_reason_about(
	MsReason *reason, const MsFinding *finding, const MsResolution *resolution, guint index)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint owners = resolution != NULL ? ms_resolution_owners(resolution, index, 5, names) : 0;
	reason->kind = g_strdup(finding->kind);
	reason->masked = ms_identifier_masked(finding->value);
	if (finding->places->len > 0)
		reason->where = ms_place_masked(((MsPlace *)finding->places->pdata[0])->where);
	if (owners > 0)
		reason->owner = ms_text_list(names, owners);
}

static void about(MsReason *reason, const Judge *j, guint index)
{
	ms_reason_about(reason, j->reading->findings->pdata[index], j->resolution, index);
}

static void keep_from(Judge *j, guint recipient)
{
	j->c->kept[recipient] = 1;
	j->verdict->withheld->data[recipient] |= j->policy->enforced;
}

/* A split for this reason keeps the message from that recipient. */
static void withhold(Judge *j, MsReasonCode code, guint recipient)
{
	if (j->policy->on[code] == MS_SPLIT)
		keep_from(j, recipient);
}

static void to_recipient(MsReason *reason, const Judge *j, guint first, guint n)
{
	if (reason == NULL)
		return;
	reason->recipient = g_strdup(j->envelope->recipients->pdata[first]);
	reason->recipients = n;
}

static void judge_unknown(Judge *j, guint index)
{
	const MsFinding *finding = j->reading->findings->pdata[index];
	if ((finding->belief & MS_BELIEF_SELLER) || ms_resolution_is_partial(j->resolution, index))
		return; /* the sender's own, which need not be in the directory */
	if (!believed(finding, j->policy->unknown_levels) ||
		!count_reason(j, MS_UNKNOWN_IDENTIFIER))
		return;
	g_autofree char *why = ms_belief_words(finding->belief);
	about(keep_reason(j, MS_UNKNOWN_IDENTIFIER,
		      g_strdup_printf(
			      "%s that the directory does not know (%s)", finding->kind, why)),
		j, index);
}

static void judge_mismatch(Judge *j, guint index)
{
	const MsFinding *finding = j->reading->findings->pdata[index];
	/* One that the directory knows says more. */
	guint first = ms_resolution_first_other(j->resolution, index, j->rule);
	if (first == MS_NOBODY || !believed(finding, j->policy->mismatch_levels) ||
		!count_reason(j, MS_MISMATCH))
		return;
	g_autofree char *why = ms_belief_words(finding->belief);
	MsReason *reason = keep_reason(j, MS_MISMATCH,
		g_strdup_printf("%s of %s (%s)", finding->kind,
			!ms_resolution_is_unknown(j->resolution, first)
				? "another account than the recipient's"
				: "an account, and the directory does not know the recipient",
			why));
	about(reason, j, index);
	to_recipient(reason, j, first, ms_resolution_count_other(j->resolution, index, j->rule));
}

/* Those whom the directory does not know; the outcome of the others says it (judge_outcomes()). */
static void withhold_mismatches(Judge *j)
{
	if (j->policy->on[MS_MISMATCH] != MS_SPLIT || j->c->unknown->len == 0)
		return;
	g_autoptr(MsTally) judged = ms_tally_new(j->resolution);
	for (guint i = 0; i < j->reading->findings->len; i++)
		if (counts(j, i, j->looked) &&
			believed(j->reading->findings->pdata[i], j->policy->mismatch_levels))
			ms_tally_add(judged, i);
	for (guint k = 0; k < j->c->unknown->len; k++) {
		guint r = g_array_index(j->c->unknown, guint, k);
		if (ms_tally_other(judged, r, j->rule))
			withhold(j, MS_MISMATCH, r);
	}
}

static void judge_findings(Judge *j)
{
	for (guint i = 0; i < j->reading->findings->len && ms_resolution_step(j->resolution, 1);
		i++) {
		if (!counts(j, i, j->looked))
			continue;
		if (ms_resolution_is_owned(j->resolution, i))
			judge_mismatch(j, i);
		else
			judge_unknown(j, i);
	}
	withhold_mismatches(j);
}

static bool proven(const Judge *j, guint recipient)
{
	return ms_tally_own(j->proof, recipient)
		|| (j->rule == MS_HOUSE_MAY && ms_resolution_is_house(j->resolution, recipient));
}

static void judge_proof(Judge *j)
{
	guint n = 0, first = 0;
	for (guint r = 0; j->proof != NULL && r < j->envelope->recipients->len; r++) {
		if (proven(j, r))
			continue;
		withhold(j, MS_UNPROVEN, r);
		if (n++ == 0)
			first = r;
	}
	if (n > 0)
		to_recipient(add(j, MS_UNPROVEN, "no %s of the recipient's own account was found",
				     j->policy->required_words), j, first, n);
}

static void judge_listed(Judge *j, MsReasonCode code, const GArray *recipients, const char *why)
{
	for (guint i = 0; i < recipients->len; i++)
		withhold(j, code, g_array_index(recipients, guint, i));
	if (recipients->len > 0)
		to_recipient(add(j, code, "%s", why), j, g_array_index(recipients, guint, 0),
			recipients->len);
}

static void judge_accounts(Judge *j)
{
	if (j->policy->max_accounts < 0 ||
		!ms_resolution_step(j->resolution, j->reading->findings->len))
		return;
	g_autofree guint8 *seen = g_new0(guint8, ms_resolution_accounts(j->resolution) + 1);
	guint n = 0;
	for (guint i = 0; i < j->reading->findings->len; i++) {
		/* One that several accounts share does not tell which is meant. */
		gint64 owner = ms_resolution_sole_owner(j->resolution, i);
		if (owner >= 0 && !seen[owner] && counts(j, i, j->looked)) {
			seen[owner] = 1;
			n++;
		}
	}
	if (n > j->policy->max_accounts)
		add(j, MS_MIXED_ACCOUNTS, "identifiers of %u accounts in one message, at most %"
			G_GINT64_FORMAT " are allowed", n, j->policy->max_accounts);
}

static void judge_size(Judge *j)
{
	const MsPolicy *p = j->policy;
	guint n = j->envelope->recipients->len;
	if (p->max_recipients >= 0 && n > p->max_recipients)
		add(j, MS_OVERSIZED, "%u recipients, at most %" G_GINT64_FORMAT " are allowed", n,
			p->max_recipients);
	guint domains = j->c->domains;
	if (p->max_domains >= 0 && domains > p->max_domains)
		add(j, MS_OVERSIZED, "recipients in %u domains, at most %" G_GINT64_FORMAT
			" are allowed", domains, p->max_domains);
	if (p->max_visible >= 0 && j->reading->visible_total > p->max_visible)
		add(j, MS_EXPOSED_RECIPIENTS, "%u addresses in the header for all to see, at most %"
			G_GINT64_FORMAT " are allowed", j->reading->visible_total, p->max_visible);
}

/* A list of customers, whether or not the directory knows one of them.  Whom the message itself is
 * addressed to is counted by max-visible-recipients. */
static void judge_list(Judge *j)
{
	if (j->policy->max_identifiers < 0)
		return;
	g_autofree guint *n = g_new0(guint, j->c->kinds->len + 1);
	for (guint i = 0; i < j->reading->findings->len; i++) {
		const MsFinding *f = j->reading->findings->pdata[i];
		bool known = (f->belief & MS_BELIEF_TENTATIVE) == 0 ||
			(j->resolution != NULL && !is_over(j->c) &&
				ms_resolution_is_owned(j->resolution, i));
		n[j->c->kind_of[i]] += known && j->looked[j->c->kind_of[i]] &&
			(f->belief & MS_BELIEF_ADDRESSED) == 0 && ms_finding_leads(f);
	}
	for (guint k = 0; k < j->c->kinds->len; k++) {
		if (n[k] <= j->policy->max_identifiers)
			continue;
		MsReason *reason = add(j, MS_LIST_ATTACHED,
			"%u different identifiers of kind %s in one message, at most %" G_GINT64_FORMAT
			" are allowed",
			n[k], (const char *)j->c->kinds->pdata[k], j->policy->max_identifiers);
		if (reason != NULL)
			reason->kind = g_strdup(j->c->kinds->pdata[k]);
	}
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

/* Some customers have several numbers, and the directory says that these are all one's. */
static bool are_ones(const Judge *j, const char *kind)
{
	const guint vouched = MS_BELIEF_LABELLED | MS_BELIEF_FIELD;
	const guint weak = MS_BELIEF_TENTATIVE | MS_BELIEF_SELLER | MS_BELIEF_SCHEME;
	gint64 owner = -1;
	if (*kind == '\0' || j->resolution == NULL || is_over(j->c))
		return false;
	for (guint i = 0; i < j->reading->findings->len; i++) {
		const MsFinding *f = j->reading->findings->pdata[i];
		if (strcmp(f->kind, kind) != 0 || (f->belief & vouched) == 0 ||
			(f->belief & weak) != 0)
			continue;
		gint64 sole = ms_resolution_is_partial(j->resolution, i)
			? -1
			: ms_resolution_sole_owner(j->resolution, i);
		if (sole < 0 || (owner >= 0 && sole != owner))
			return false;
		owner = sole;
	}
	return owner >= 0;
}

static bool is_contradicted(const Judge *j)
{
	for (guint i = 0; i < j->reading->contradictions->len; i++)
		if (!are_ones(j, ((MsContradiction *)j->reading->contradictions->pdata[i])->kind))
			return true;
	return false;
}

static void judge_contradictions(Judge *j)
{
	if (ms_policy_ignores_customers(j->policy))
		return; /* it asks about recipients only, not about customers */
	for (guint i = 0; i < j->reading->contradictions->len; i++) {
		const MsContradiction *c = j->reading->contradictions->pdata[i];
		if (are_ones(j, c->kind))
			continue;
		MsReason *reason = add(j, MS_CONTRADICTION, "%s", c->detail);
		if (reason != NULL)
			reason->where = ms_place_masked(c->where);
	}
}

/* ---- who is greeted ------------------------------------------------------------------- */

const GPtrArray *ms_policy_greeted(const MsEnvelope *envelope, const MsReading *reading)
{
	bool one = envelope->recipients->len == 1 && reading->greeted->len > 0 &&
		!ms_address_is_routed(envelope->recipients->pdata[0]);
	return one ? reading->greeted : NULL;
}

/* "P*** W***": enough to be recognised by who knows it. */
static char *initials(const char *name)
{
	g_auto(GStrv) words = g_strsplit(name, " ", -1);
	GString *out = g_string_new(NULL);
	for (char **word = words; *word != NULL; word++) {
		g_string_append(out, out->len > 0 ? " " : "");
		g_string_append_unichar(out, g_unichar_toupper(g_utf8_get_char(*word)));
		g_string_append(out, "***");
	}
	return g_string_free(out, FALSE);
}

static void judge_salutation(Judge *j)
{
	const GPtrArray *greeted = ms_policy_greeted(j->envelope, j->reading);
	if (greeted == NULL || ms_policy_ignores_customers(j->policy) ||
		ms_resolution_is_house(j->resolution, 0) ||
		ms_resolution_greeted(j->resolution, 0) != MS_GREETED_OTHER)
		return;
	g_autofree char *who = initials(greeted->pdata[0]);
	to_recipient(add(j, MS_SALUTATION,
			     "%s is greeted, which is none of the names that the directory has "
			     "for the recipient's account",
			     who),
		j, 0, 1);
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

/* Of several policies the worst outcome stays. */
static void judge_outcomes(Judge *j)
{
	MsOutcome whole = MS_OUTCOME_RIGHT; /* for everybody, at the least */
	if (objects(j, MS_CONTRADICTION) && is_contradicted(j))
		whole = MS_OUTCOME_UNPROVEN;
	if (objects(j, MS_UNREADABLE) && is_intolerable(j))
		whole = MS_OUTCOME_UNREAD;
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		guint8 *worst = &j->verdict->outcomes->data[r];
		MsOutcome outcome = MAX(whole,
			j->c->settled ? (MsOutcome)j->c->outcomes[j->rule][r]
				      : MS_OUTCOME_UNPROVEN);
		bool proof = j->proof != NULL && objects(j, MS_UNPROVEN);
		if (outcome == MS_OUTCOME_RIGHT && proof && !proven(j, r))
			outcome = MS_OUTCOME_UNPROVEN;
		*worst = (guint8)MAX(*worst, (guint8)outcome);
		/* Who would get another's by a split is never among those that it is sent to. */
		if (outcome == MS_OUTCOME_WRONG)
			keep_from(j, r);
	}
}

/* ---- the verdict ---------------------------------------------------------------------- */

static int stricter_first(const void *a, const void *b)
{
	const MsReason *x = *(MsReason *const *)a, *y = *(MsReason *const *)b;
	return x->action != y->action ? (int)y->action - (int)x->action
				      : (int)x->code - (int)y->code;
}

void ms_verdict_sort(MsVerdict *verdict)
{
	g_ptr_array_sort(verdict->reasons, stricter_first);
}

/* What could not be judged is unread, for everybody: not clean, and nothing is known to be
 * unknown. */
static void judge_over(Judge *j)
{
	MsReason *reason = add(j, MS_UNREADABLE, "%s: %s", ms_unread_name(MS_UNREAD_LIMIT),
		ms_resolution_over(j->resolution));
	if (reason != NULL)
		reason->where = g_strdup("message");
	for (guint r = 0; r < j->envelope->recipients->len; r++) {
		guint8 *worst = &j->verdict->outcomes->data[r];
		*worst = (guint8)MAX(*worst, (guint8)MS_OUTCOME_UNREAD);
		keep_from(j, r);
	}
}

static void judge_rights(Judge *j)
{
	if (!is_over(j->c))
		take_proof(j);
	if (!is_over(j->c)) {
		judge_outcomes(j);
		judge_findings(j);
	}
	if (!is_over(j->c)) {
		judge_proof(j);
		judge_listed(j, MS_UNKNOWN_RECIPIENT, j->c->unknown,
			"the directory knows no account for the recipient");
		judge_accounts(j);
		judge_salutation(j);
	}
	if (is_over(j->c))
		judge_over(j);
}

static void judge(const MsPolicy *policy, const Case *c)
{
	Judge j = {.policy = policy,
		.c = c,
		.envelope = c->envelope,
		.reading = c->reading,
		.resolution = c->resolution,
		.verdict = c->verdict,
		.rule = policy->judge_house ? MS_HOUSE_JUDGED : MS_HOUSE_MAY,
		.looked = among(c, policy->kinds, true),
		.required = among(c, policy->required, false),
		.adding = {.policy = policy, .verdict = c->verdict}};
	g_ptr_array_add(c->verdict->policies, g_strdup(policy->title));
	judge_size(&j);
	/* "anna%alpha.example@example.com": it is judged as each mailbox that it may be; a policy
	 * may not want it at all. */
	judge_listed(&j, MS_ROUTED_RECIPIENT, c->routed,
		"the recipient's address has a way to another in it");
	judge_list(&j);
	judge_unread(&j);
	judge_contradictions(&j);
	if (c->resolution != NULL) {
		judge_rights(&j);
	} else {
		judge_outcomes(&j);
		add(&j, MS_DIRECTORY_UNAVAILABLE, "%s", c->trouble);
	}
	ms_tally_free(j.proof);
	g_free(j.looked);
	g_free(j.required);
}

/* Somebody is left to split it for, and the MTA can be told who is not: it takes nobody off whom it
 * does not find under the very text that it is told, and says nothing of that. */
static bool can_split(const MsEnvelope *envelope, const guint8 *kept)
{
	guint left = envelope->recipients->len;
	for (guint r = 0; r < envelope->recipients->len; r++) {
		left -= kept[r];
		if (kept[r] && ms_address_is_wrapped(envelope->recipients->pdata[r]))
			return false;
	}
	return left > 0;
}

/* Else it stays in the MTA's queue, whole. */
static void hold_what_is_not_split(MsVerdict *verdict, const Case *c)
{
	if (verdict->would == MS_SPLIT && !can_split(c->envelope, c->kept))
		verdict->would = MS_HOLD;
	if (verdict->action == MS_SPLIT && !can_split(c->envelope, verdict->withheld->data)) {
		verdict->action = MS_HOLD; /* whatever one that observes would do */
		verdict->would = MAX(verdict->would, MS_HOLD);
	}
	if (verdict->then == MS_SPLIT && !can_split(c->envelope, verdict->withheld->data))
		verdict->then = MS_HOLD;
}

MsVerdict *ms_policy_judge(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsReading *reading, MsResolution *resolution, const char *trouble)
{
	MsVerdict *verdict = ms_verdict_new();
	GByteArray *const each[] = {verdict->withheld, verdict->outcomes};
	for (gsize i = 0; i < G_N_ELEMENTS(each) && envelope->recipients->len > 0; i++) {
		g_byte_array_set_size(each[i], envelope->recipients->len);
		memset(each[i]->data, 0, each[i]->len);
	}
	Case c = {.envelope = envelope,
		.reading = reading,
		.resolution = resolution,
		.trouble = trouble,
		.verdict = verdict};
	case_init(&c);
	g_autoptr(MsFacts) facts = ms_facts_new(envelope, reading, resolution);
	for (guint i = 0; i < policies->list->len; i++) {
		const MsPolicy *policy = policies->list->pdata[i];
		if (resolution != NULL)
			ms_resolution_step(resolution, STEPS_OF_PATTERNS);
		bool late = is_over(&c);
		if (!ms_facts_fit(facts, policy, late))
			continue;
		g_autofree char *unsure = ms_facts_unsure(facts, policy, late);
		if (unsure != NULL)
			g_ptr_array_add(verdict->unsure, g_strdup_printf("%s: %s", policy->title, unsure));
		judge(policy, &c);
	}
	hold_what_is_not_split(verdict, &c);
	case_clear(&c);
	ms_verdict_sort(verdict);
	return verdict;
}
