/*
 * A judged message comes in; out go the single changes to the mapping and to settings that may
 * have to do with its verdict, those first that an operator would think of first.  The thread of
 * who asks.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"

#include "explain_private.h"

/* What the judge looked at may be thousands of each; a set of three changes concerns few. */
#define MOST_FINDINGS 12
#define MOST_RECIPIENTS 6
#define MOST_ACCOUNTS 3

typedef struct {
	const Supposing *supposing;
	MsRuntime *runtime;
	const MsEnvelope *envelope;
	const MsJudgement *judgement;
	const GPtrArray *counted;
	GPtrArray *out;
	bool more;
} Gathering;

static void candidate_free(gpointer data)
{
	Candidate *c = data;
	for (gsize i = 0; i < G_N_ELEMENTS(c->own); i++)
		g_free(c->own[i]);
	g_free(c);
}

static bool is_same(const Candidate *a, const Candidate *b)
{
	return a->is_row == b->is_row && a->row.remove == b->row.remove &&
		strcmp(a->own[0], b->own[0]) == 0 && strcmp(a->own[1], b->own[1]) == 0 &&
		strcmp(a->own[2], b->own[2]) == 0;
}

static void add(Gathering *g, bool is_row, bool remove, const char *a, const char *b, const char *c)
{
	Candidate *new = g_new0(Candidate, 1);
	*new = (Candidate){.is_row = is_row, .own = {g_strdup(a), g_strdup(b), g_strdup(c)}};
	new->row = (MsSuppose){new->own[0], new->own[1], new->own[2], remove};
	new->setting = (MsPolicyChange){new->own[0], new->own[1], new->own[2]};
	bool fits = !is_row || supposing_matters(g->supposing, &new->row);
	for (guint i = 0; i < g->out->len && fits; i++)
		fits = !is_same(g->out->pdata[i], new);
	g->more = g->more || (fits && g->out->len >= MS_EXPLAIN_CANDIDATES);
	if (fits && g->out->len < MS_EXPLAIN_CANDIDATES)
		g_ptr_array_add(g->out, new);
	else
		candidate_free(new);
}

static void add_row(Gathering *g, const char *account, const char *kind, const char *value)
{
	add(g, true, false, account, kind, value);
}

static void add_removal(Gathering *g, const char *account, const char *kind, const char *value)
{
	add(g, true, true, account, kind, value);
}

static void add_setting(Gathering *g, const char *policy, const char *key, const char *value)
{
	add(g, false, false, policy, key, value);
}

/* ---- what it is about ----------------------------------------------------------------- */

static bool is_looked_at(const Gathering *g, const MsFinding *f)
{
	const MsVerdict *v = g->judgement->verdict;
	for (guint i = 0; i < v->policies->len; i++)
		if (ms_policies_looks_at(
			    ms_runtime_policies(g->runtime), v->policies->pdata[i], f->kind))
			return true;
	return false;
}

/* Those first that are another's to somebody, then the unknown, then the others: of guint. */
static GArray *findings_of(Gathering *g)
{
	const MsReading *reading = g->judgement->reading;
	const MsResolution *r = g->judgement->resolution;
	GArray *out = g_array_new(FALSE, FALSE, sizeof(guint));
	for (int turn = 0; turn < 3; turn++)
		for (guint i = 0; i < reading->findings->len; i++) {
			const MsFinding *f = reading->findings->pdata[i];
			bool owned = ms_resolution_is_owned(r, i);
			if ((!owned && (f->belief & MS_BELIEF_TENTATIVE)) || !is_looked_at(g, f))
				continue;
			int its = !owned                                                        ? 1
				: ms_resolution_first_other(r, i, MS_HOUSE_JUDGED) != MS_NOBODY ? 0
												: 2;
			if (its != turn)
				continue;
			g->more = g->more || out->len >= MOST_FINDINGS;
			if (out->len < MOST_FINDINGS)
				g_array_append_val(out, i);
		}
	return out;
}

/* The worst off first: of guint. */
static GArray *recipients_of(Gathering *g)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(guint));
	for (int outcome = MS_N_OUTCOMES - 1; outcome >= 0; outcome--)
		for (guint r = 0; r < g->envelope->recipients->len; r++) {
			if (g->judgement->verdict->outcomes->data[r] != outcome)
				continue;
			g->more = g->more || out->len >= MOST_RECIPIENTS;
			if (out->len < MOST_RECIPIENTS)
				g_array_append_val(out, r);
		}
	return out;
}

static void take_names(Gathering *g, GPtrArray *to, const GPtrArray *names, guint all)
{
	g->more = g->more || all > names->len;
	for (guint i = 0; i < names->len; i++)
		if (!g_ptr_array_find_with_equal_func(to, names->pdata[i], g_str_equal, NULL))
			g_ptr_array_add(to, names->pdata[i]);
}

static GPtrArray *owners_of(Gathering *g, guint finding)
{
	GPtrArray *names = g_ptr_array_new();
	guint all = ms_resolution_owners(g->judgement->resolution, finding, MOST_ACCOUNTS, names);
	g->more = g->more || all > names->len;
	return names;
}

static GPtrArray *accounts_of(Gathering *g, guint recipient)
{
	GPtrArray *names = g_ptr_array_new();
	guint all = ms_resolution_accounts_of(
		g->judgement->resolution, recipient, MOST_ACCOUNTS, names);
	g->more = g->more || all > names->len;
	return names;
}

/* ---- settings --------------------------------------------------------------------------- */

static guint accounts_named(const Gathering *g)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
	for (guint i = 0; i < g->judgement->reading->findings->len; i++) {
		gint64 owner = ms_resolution_sole_owner(g->judgement->resolution, i);
		if (owner >= 0)
			g_hash_table_add(seen, GSIZE_TO_POINTER((gsize)owner + 1));
	}
	return g_hash_table_size(seen);
}

/* The most different ones of a kind. */
static guint most_of_a_kind(const Gathering *g)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	guint most = 0;
	for (guint i = 0; i < g->judgement->reading->findings->len; i++) {
		const MsFinding *f = g->judgement->reading->findings->pdata[i];
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, f->kind)) +
			ms_finding_leads(f);
		g_hash_table_insert(counts, f->kind, GUINT_TO_POINTER(n));
		most = MAX(most, n);
	}
	return most;
}

/* A limit that lets this message through, where it has one that does not; or that stops it. */
static void add_limit(Gathering *g, const char *policy, const char *key, guint its)
{
	gint64 limit = ms_policies_limit(ms_runtime_policies(g->runtime), policy, key);
	g_autofree char *wider = g_strdup_printf("%u", its),
			*narrower = g_strdup_printf("%u", its - 1);
	if (limit >= 0 && its > limit)
		add_setting(g, policy, key, wider);
	else if (its > 1 && g->judgement->verdict->would < MS_HOLD)
		add_setting(g, policy, key, narrower);
}

static void add_limits(Gathering *g, const char *policy)
{
	add_limit(g, policy, "max-recipients", g->envelope->recipients->len);
	add_limit(g, policy, "max-domains", ms_policy_count_domains(g->envelope->recipients));
	add_limit(g, policy, "max-visible-recipients", g->judgement->reading->visible_total);
	add_limit(g, policy, "max-accounts", accounts_named(g));
	add_limit(g, policy, "max-identifiers", most_of_a_kind(g));
}

static void add_tolerance(Gathering *g, const char *policy)
{
	for (guint i = 0; i < g->judgement->reading->unread->len; i++) {
		const MsUnread *u = g->judgement->reading->unread->pdata[i];
		add_setting(g, policy, "tolerate", ms_unread_name(u->reason));
	}
}

/* A kind of what was found, where nothing of those that are required is the recipient's own. */
static void add_proof(Gathering *g, const char *policy)
{
	for (guint i = 0; i < g->judgement->reading->findings->len; i++) {
		const MsFinding *f = g->judgement->reading->findings->pdata[i];
		bool counts = !(f->belief & MS_BELIEF_TENTATIVE) ||
			ms_resolution_is_owned(g->judgement->resolution, i);
		if (counts &&
			ms_policies_looks_at(ms_runtime_policies(g->runtime), policy, f->kind))
			add_setting(g, policy, "require", f->kind);
	}
}

/* For these nothing else can be changed than what is done for them. */
static bool is_bare(MsReasonCode code)
{
	return code == MS_ROUTED_RECIPIENT || code == MS_CONTRADICTION || code == MS_SALUTATION ||
		(code != MS_BREAKER && ms_policy_is_counted(code));
}

static void add_action(Gathering *g, const MsReason *r)
{
	g_autofree char *key = g_strconcat("on-", ms_reason_names[r->code], NULL);
	if (r->action < MS_HOLD)
		add_setting(g, r->policy, key, ms_action_names[MS_HOLD]);
	if (r->action >= MS_DELAY && is_bare(r->code))
		add_setting(g, r->policy, key, ms_action_names[MS_TAG]);
}

static void add_settings(Gathering *g)
{
	const MsVerdict *v = g->judgement->verdict;
	for (guint i = 0; i < v->policies->len; i++) {
		add_limits(g, v->policies->pdata[i]);
		add_tolerance(g, v->policies->pdata[i]);
	}
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *r = v->reasons->pdata[i];
		if (r->code == MS_UNPROVEN)
			add_proof(g, r->policy);
		add_action(g, r);
	}
	for (guint i = 0; g->counted != NULL && i < g->counted->len; i++)
		add_action(g, g->counted->pdata[i]);
}

/* ---- rows of the mapping --------------------------------------------------------------- */

typedef struct {
	GArray *findings, *recipients; /* of guint */
	GPtrArray *theirs;             /* accounts of the recipients */
	GPtrArray *others;             /* accounts of what was found */
} About;

static void add_rights(Gathering *g, const About *about)
{
	for (guint r = 0; r < about->recipients->len; r++)
		for (guint i = 0; i < about->others->len; i++)
			add_row(g, about->others->pdata[i], MS_ROW_RECIPIENT,
				g->envelope->recipients
					->pdata[g_array_index(about->recipients, guint, r)]);
}

/* An address of who receives for an account is that account's: then it is that row. */
static void add_owner_removals(Gathering *g, const MsFinding *f, guint index)
{
	g_autoptr(GPtrArray) owners = owners_of(g, index);
	for (guint i = 0; i < owners->len; i++) {
		add_removal(g, owners->pdata[i], f->kind, f->value);
		if (strchr(f->value, '@') != NULL)
			add_removal(g, owners->pdata[i], MS_ROW_RECIPIENT, f->value);
	}
}

static void add_owners(Gathering *g, const About *about)
{
	const char *house = ms_runtime_settings(g->runtime)->house;
	for (guint k = 0; k < about->findings->len; k++) {
		const MsFinding *f = g->judgement->reading->findings
					     ->pdata[g_array_index(about->findings, guint, k)];
		for (guint i = 0; i < about->theirs->len; i++)
			add_row(g, about->theirs->pdata[i], f->kind, f->value);
		if (house != NULL && *house != '\0')
			add_row(g, house, f->kind, f->value);
	}
}

static void add_delegations(Gathering *g, const About *about, bool remove)
{
	for (guint i = 0; i < about->theirs->len; i++)
		for (guint k = 0; k < about->others->len; k++)
			if (strcmp(about->theirs->pdata[i], about->others->pdata[k]) != 0)
				add(g, true, remove, about->theirs->pdata[i], MS_ROW_RECEIVES_FOR,
					about->others->pdata[k]);
}

static void add_right_removals(Gathering *g, guint recipient)
{
	const char *address = g->envelope->recipients->pdata[recipient],
		   *at = strrchr(address, '@');
	g_autoptr(GPtrArray) accounts = accounts_of(g, recipient);
	for (guint i = 0; i < accounts->len; i++) {
		add_removal(g, accounts->pdata[i], MS_ROW_RECIPIENT, address);
		if (at != NULL)
			add_removal(g, accounts->pdata[i], MS_ROW_RECIPIENT, at);
	}
}

/* A customer whose record is not there yet: where somebody, or something, is nobody's. */
static bool is_anything_unknown(const Gathering *g, const About *about)
{
	for (guint k = 0; k < about->recipients->len; k++)
		if (ms_resolution_is_unknown(
			    g->judgement->resolution, g_array_index(about->recipients, guint, k)))
			return true;
	for (guint k = 0; k < about->findings->len; k++)
		if (!ms_resolution_is_owned(
			    g->judgement->resolution, g_array_index(about->findings, guint, k)))
			return true;
	return false;
}

static void add_new_account(const Gathering *g, About *about)
{
	static char new_account[] = MS_EXPLAIN_NEW;
	if (!is_anything_unknown(g, about))
		return;
	g_ptr_array_add(about->theirs, new_account);
	g_ptr_array_add(about->others, new_account);
}

static void add_rows(Gathering *g)
{
	About about = {findings_of(g), recipients_of(g), g_ptr_array_new(), g_ptr_array_new()};
	for (guint k = 0; k < about.recipients->len; k++) {
		g_autoptr(GPtrArray)
			names = accounts_of(g, g_array_index(about.recipients, guint, k));
		take_names(g, about.theirs, names, names->len);
	}
	for (guint k = 0; k < about.findings->len; k++) {
		g_autoptr(GPtrArray) names = owners_of(g, g_array_index(about.findings, guint, k));
		take_names(g, about.others, names, names->len);
	}
	add_new_account(g, &about);
	add_rights(g, &about);
	add_owners(g, &about);
	add_delegations(g, &about, false);
	add_settings(g);
	for (guint k = 0; k < about.findings->len; k++) {
		guint i = g_array_index(about.findings, guint, k);
		add_owner_removals(g, g->judgement->reading->findings->pdata[i], i);
	}
	for (guint k = 0; k < about.recipients->len; k++)
		add_right_removals(g, g_array_index(about.recipients, guint, k));
	add_delegations(g, &about, true);
	g_array_unref(about.findings);
	g_array_unref(about.recipients);
	g_ptr_array_unref(about.theirs);
	g_ptr_array_unref(about.others);
}

GPtrArray *candidates_of(const Supposing *supposing, MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const GPtrArray *counted, bool *more_out)
{
	Gathering g = {supposing, runtime, envelope, judgement, counted,
		g_ptr_array_new_with_free_func(candidate_free), false};
	add_rows(&g);
	*more_out = g.more;
	return g.out;
}
