/*
 * A judged message comes in; out go all the smallest sets of at most three changes that give
 * another verdict.  Every set is judged; nothing is concluded.  The thread of who asks.
 */
#include "config.h"

#include <string.h>

#include "explain_private.h"

#define MOST_CHANGES 3

typedef struct {
	guint n;
	guint which[MOST_CHANGES]; /* candidates, in order */
	MsAction verdict;
} Set;

typedef struct {
	const Supposing *supposing;
	GPtrArray *candidates;
	GArray *sets; /* of Set */
	MsAction now;
	guint64 tried;
	gint64 until; /* 0: for ever */
	bool cut;
} Search;

static bool has_all_of(const Set *whole, const Set *part)
{
	guint found = 0;
	for (guint i = 0; i < part->n; i++)
		for (guint k = 0; k < whole->n; k++)
			found += whole->which[k] == part->which[i];
	return found == part->n;
}

/* A smaller one says it already. */
static bool is_minimal(const Search *s, const Set *set)
{
	for (guint i = 0; i < s->sets->len; i++) {
		const Set *other = &g_array_index(s->sets, Set, i);
		if (other->verdict == set->verdict && has_all_of(set, other))
			return false;
	}
	return true;
}

/* Two values for one setting are no set. */
static bool is_at_odds(const Search *s, const Set *set)
{
	for (guint i = 1; i < set->n; i++) {
		const Candidate *a = s->candidates->pdata[set->which[i]];
		for (guint k = 0; k < i && !a->is_row; k++) {
			const Candidate *b = s->candidates->pdata[set->which[k]];
			if (!b->is_row && strcmp(a->setting.policy, b->setting.policy) == 0 &&
				strcmp(a->setting.key, b->setting.key) == 0 &&
				strncmp(a->setting.key, "tolerate", 8) != 0 &&
				strcmp(a->setting.key, "require") != 0)
				return true;
		}
	}
	return false;
}

static void try_set(Search *s, Set *set)
{
	MsSuppose rows[MOST_CHANGES];
	MsPolicyChange changes[MOST_CHANGES];
	guint n_rows = 0, n_changes = 0;
	if (is_at_odds(s, set))
		return;
	for (guint i = 0; i < set->n; i++) {
		const Candidate *c = s->candidates->pdata[set->which[i]];
		if (c->is_row)
			rows[n_rows++] = c->row;
		else
			changes[n_changes++] = c->setting;
	}
	s->tried++;
	set->verdict = supposing_judge(s->supposing, rows, n_rows, changes, n_changes);
	if (set->verdict != s->now && is_minimal(s, set))
		g_array_append_val(s->sets, *set);
}

/* All sets of `n` that begin with what is in `set`. */
static void try_sizes(Search *s, Set *set, guint n, guint from)
{
	for (guint i = from; i < s->candidates->len && !s->cut; i++) {
		set->which[set->n] = i;
		set->n++;
		if (set->n == n)
			try_set(s, set);
		else
			try_sizes(s, set, n, i + 1);
		set->n--;
		s->cut = s->until != 0 && g_get_monotonic_time() > s->until;
	}
}

/* ---- words ------------------------------------------------------------------------------ */

static json_t *row_as_json(const MsExplainWish *wish, const MsSuppose *row)
{
	bool right = strcmp(row->kind, MS_ROW_RECIPIENT) == 0,
	     delegation = strcmp(row->kind, MS_ROW_RECEIVES_FOR) == 0;
	g_autofree char *value = right || delegation ? g_strdup(row->value)
						     : explain_value(wish, row->value);
	g_autofree char *account = g_shell_quote(row->account), *quoted = g_shell_quote(value);
	g_autofree char *text = right ? g_strdup_printf("%s %s receive for %s", value,
						row->remove ? "may no longer" : "may", row->account)
		: delegation
		? g_strdup_printf("%s %s for %s", row->account,
			  row->remove ? "no longer receives" : "receives", value)
		: g_strdup_printf("%s %s %s to %s", row->kind, value,
			  row->remove ? "no longer belongs" : "belongs (also)", row->account);
	g_autofree char *command = g_strdup_printf("missent directory %s %s %s %s",
		row->remove ? "delete" : "put", account, row->kind, quoted);
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "text", text, "command", command,
		"row", "do", row->remove ? "delete" : "put", "account", row->account, "kind",
		row->kind, "value", value);
}

static json_t *setting_as_json(const MsPolicies *policies, const MsPolicyChange *c)
{
	const char *file = "";
	int line = 0;
	bool enforced;
	for (guint i = 0; i < ms_policies_count(policies); i++)
		if (strcmp(ms_policies_nth(policies, i, &enforced), c->policy) == 0)
			file = ms_policies_place(policies, i, &line);
	bool list = strcmp(c->key, "tolerate") == 0 || strcmp(c->key, "require") == 0;
	g_autofree char *text = list
		? g_strdup_printf("policy %s: \"%s\" among %s", c->policy, c->value, c->key)
		: g_strdup_printf("policy %s: %s = %s", c->policy, c->key, c->value);
	return json_pack("{s:s, s:s, s:i, s:{s:s, s:s, s:s}}", "text", text, "file", file, "line",
		line, "setting", "policy", c->policy, "key", c->key, "value", c->value);
}

static json_t *set_as_json(
	const Search *s, MsRuntime *runtime, const MsExplainWish *wish, const Set *set)
{
	json_t *changes = json_array();
	for (guint i = 0; i < set->n; i++) {
		const Candidate *c = s->candidates->pdata[set->which[i]];
		json_array_append_new(changes,
			c->is_row ? row_as_json(wish, &c->row)
				  : setting_as_json(ms_runtime_policies(runtime), &c->setting));
	}
	return json_pack(
		"{s:s, s:o}", "verdict", ms_action_names[set->verdict], "changes", changes);
}

static int milder_first(const void *a, const void *b)
{
	const Set *x = a, *y = b;
	return x->verdict != y->verdict ? (int)x->verdict - (int)y->verdict : (int)x->n - (int)y->n;
}

/* ---- the search ------------------------------------------------------------------------- */

static json_t *none(const char *why)
{
	return json_pack("{s:i, s:i, s:b, s:s, s:[]}", "tried", 0, "candidates", 0, "complete", 1,
		"none", why, "sets");
}

/* Of so few that all were tried together, no more of them are needed: none is enough. */
static const char *why_none(const Search *s, bool more)
{
	return s->cut || more
		? "nothing among what was tried gives another verdict; not all was tried"
		: s->candidates->len == 0
		? "nothing that could be said otherwise, in the mapping or the settings of policies, is known"
		: s->candidates->len <= MOST_CHANGES
		? "nothing that could be said otherwise in the mapping or the settings of policies gives another "
		  "verdict, not even all of it together"
		: "no three changes together give another verdict: more would be needed, or something else";
}

static json_t *as_json(Search *s, MsRuntime *runtime, const MsExplainWish *wish, bool more)
{
	json_t *sets = json_array();
	g_array_sort(s->sets, milder_first);
	for (guint i = 0; i < MIN(s->sets->len, MS_EXPLAIN_SETS); i++)
		json_array_append_new(
			sets, set_as_json(s, runtime, wish, &g_array_index(s->sets, Set, i)));
	json_t *out = json_pack("{s:I, s:i, s:b, s:i, s:o}", "tried", (json_int_t)s->tried,
		"candidates", (int)s->candidates->len, "complete", !s->cut && !more, "more",
		(int)s->sets->len - (int)json_array_size(sets), "sets", sets);
	if (s->sets->len == 0)
		json_object_set_new(out, "none", json_string(why_none(s, more)));
	return out;
}

json_t *search_changes(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement,
	const MsExplainWish *wish)
{
	g_autoptr(GError) error = NULL;
	bool more = false;
	if (judgement->resolution == NULL) {
		g_autofree char *why = g_strdup_printf(
			"nothing in the mapping or the settings of policies: %s",
			judgement->trouble != NULL ? judgement->trouble : "nothing was looked up");
		return none(why);
	}
	if (judgement->verdict->policies->len == 0)
		return none("no policy applies, and which do not, and why, is told above");
	g_autoptr(Supposing)
		supposing = supposing_new(runtime, envelope, judgement, wish->reasons, &error);
	if (supposing == NULL)
		return none(error->message);
	g_autoptr(GPtrArray) candidates = candidates_of(
		supposing, runtime, envelope, judgement, wish->reasons, &more);
	g_autoptr(GArray) sets = g_array_new(FALSE, FALSE, sizeof(Set));
	Search s = {.supposing = supposing, .candidates = candidates, .sets = sets,
		.now = supposing_judge(supposing, NULL, 0, NULL, 0),
		.until = wish->most_us > 0 ? g_get_monotonic_time() + wish->most_us : 0};
	for (guint n = 1; n <= MOST_CHANGES && !s.cut; n++) {
		Set set = {0};
		try_sizes(&s, &set, n, 0);
	}
	return as_json(&s, runtime, wish, more);
}
