/*
 * Checks of one policy against the others: all policies are evaluated and the strictest wins, so
 * that what one says more mildly than another one, of mail that the other one sees as well, never
 * comes about.  Of the thread that lints; nothing is shared.
 */
#include "config.h"

#include <string.h>

#include "lint_private.h"

/* ---- whose mail ----------------------------------------------------------------------- */

static bool covered_by(const char *one, const char *const *wide, LintCovers covers, bool all_ways)
{
	for (; *wide != NULL; wide++)
		if (all_ways ? covers(*wide, one) : strcmp(*wide, one) == 0)
			return true;
	return false;
}

/* Each of `narrow` is covered by one of `wide`. */
static bool list_covers(const char *const *wide, const char *const *narrow, LintCovers covers)
{
	guint64 pairs = (guint64)g_strv_length((char **)wide) * g_strv_length((char **)narrow);
	if (wide[0] == NULL || narrow[0] == NULL)
		return wide[0] == NULL;
	for (; pairs <= 100 * (guint64)LINT_PAIRS && *narrow != NULL; narrow++)
		if (!covered_by(*narrow, wide, covers, pairs <= LINT_PAIRS))
			return false;
	return *narrow == NULL;
}

static bool same_list(const Subject *a, const Subject *b, const char *key)
{
	return g_strv_equal(ms_section_list(a->section, key), ms_section_list(b->section, key));
}

/* What a condition is to be understood by is the same. */
static bool means_the_same(const Subject *a, const Subject *b, MsCondition what)
{
	if (what == MS_IF_RESULT)
		return same_list(a, b, "authserv-id");
	if (what == MS_IF_IDENTIFIERS)
		return same_list(a, b, "kinds");
	return what != MS_IF_TIME ||
		g_strcmp0(ms_section_text(a->section, "time-zone"),
			ms_section_text(b->section, "time-zone")) == 0;
}

/* Does what `b` asks of it leave nothing that `a` does not take?  What `a` excludes, `b` must
 * exclude, too. */
static bool condition_covers(const Subject *a, const Subject *b, MsCondition what)
{
	const char *const *wide = lint_listed(a, what, false);
	const char *const *out = lint_listed(a, what, true);
	if (wide[0] == NULL && out[0] == NULL)
		return true;
	return means_the_same(a, b, what) &&
		list_covers(wide, lint_listed(b, what, false), lint_covers[what]) &&
		(out[0] == NULL ||
			(lint_listed(b, what, true)[0] != NULL &&
				list_covers(lint_listed(b, what, true), out, lint_covers[what])));
}

/* Does every message that `b` applies to fall under `a` too? */
static bool covers_mail(const Subject *a, const Subject *b)
{
	for (int what = 0; what < MS_N_CONDITIONS; what++)
		if (!condition_covers(a, b, (MsCondition)what))
			return false;
	return true;
}

/* ... or at least every message of one of the senders of `b`, whom both of them name? */
static const char *common_sender(const Subject *a, const Subject *b)
{
	const char *const *x = lint_listed(a, MS_IF_SENDER, false),
			  *const *y = lint_listed(b, MS_IF_SENDER, false);
	guint64 pairs = (guint64)g_strv_length((char **)x) * g_strv_length((char **)y);
	if (lint_listed(a, MS_IF_SENDER, true)[0] != NULL)
		return NULL;
	for (int what = 0; what < MS_N_CONDITIONS; what++)
		if (what != MS_IF_SENDER && !condition_covers(a, b, (MsCondition)what))
			return NULL;
	for (; x[0] != NULL && pairs <= LINT_PAIRS && *y != NULL; y++)
		if (covered_by(*y, x, lint_sender_covers, true))
			return *y;
	return NULL;
}

/* ---- what for ------------------------------------------------------------------------- */

static bool set_covers(GHashTable *a, GHashTable *b, bool empty_is_all)
{
	GHashTableIter iter;
	gpointer name;
	if (empty_is_all && (g_hash_table_size(a) == 0 || g_hash_table_size(b) == 0))
		return g_hash_table_size(a) == 0;
	g_hash_table_iter_init(&iter, b);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(a, name))
			return false;
	return true;
}

static bool kinds_cover(const MsPolicy *a, const MsPolicy *b)
{
	return ms_policy_ignores_customers(b) ||
		(!ms_policy_ignores_customers(a) && set_covers(a->kinds, b->kinds, true));
}

static bool levels_cover(guint a, guint b)
{
	return a == 0 || (b != 0 && (a & b) == b);
}

/* A limit of `a` is passed whenever that of `b` is. */
static bool limit_covers(gint64 a, gint64 b)
{
	return b < 0 || (a >= 0 && a <= b);
}

static bool tolerance_covers(const MsPolicy *a, const MsPolicy *b)
{
	for (int i = 0; i < MS_N_UNREAD; i++)
		if (a->tolerated[i] && !b->tolerated[i])
			return false;
	return true;
}

/* Where `b` has that reason, does `a` have it too? */
static bool reason_covers(const MsPolicy *a, const MsPolicy *b, MsReasonCode code)
{
	bool house = a->judge_house || !b->judge_house;
	switch (code) {
	case MS_MISMATCH:
		return house && kinds_cover(a, b) &&
			levels_cover(a->mismatch_levels, b->mismatch_levels);
	case MS_UNKNOWN_IDENTIFIER:
		return kinds_cover(a, b) && levels_cover(a->unknown_levels, b->unknown_levels);
	case MS_UNPROVEN:
		return g_hash_table_size(b->required) == 0 ||
			(house && g_hash_table_size(a->required) > 0 &&
				set_covers(b->required, a->required, false) &&
				levels_cover(b->proof_levels, a->proof_levels));
	case MS_OVERSIZED:
		return limit_covers(a->max_recipients, b->max_recipients) &&
			limit_covers(a->max_domains, b->max_domains);
	case MS_MIXED_ACCOUNTS:
		return kinds_cover(a, b) && limit_covers(a->max_accounts, b->max_accounts);
	case MS_FAN_OUT:
	case MS_FAN_IN:
	case MS_UNUSUAL: return kinds_cover(a, b);
	case MS_EXPOSED_RECIPIENTS: return limit_covers(a->max_visible, b->max_visible);
	case MS_LIST_ATTACHED:
		return kinds_cover(a, b) && limit_covers(a->max_identifiers, b->max_identifiers);
	case MS_CONTRADICTION:
	case MS_SALUTATION:
		return ms_policy_ignores_customers(b) || !ms_policy_ignores_customers(a);
	case MS_UNREADABLE: return tolerance_covers(a, b);
	case MS_UNKNOWN_RECIPIENT:
	case MS_ROUTED_RECIPIENT:
	case MS_DIRECTORY_UNAVAILABLE:
	case MS_REPEAT:
	case MS_VOLUME:
	case MS_BREAKER:
	case MS_GUARD_UNAVAILABLE: return true;
	case MS_N_REASONS: break;
	}
	g_assert_not_reached();
}

static bool counts_as_much(const MsPolicy *a, const MsPolicy *b)
{
	return a->enforced || !b->enforced;
}

/* Of two delays the longer counts, and the one that ends with a hold. */
static bool acts_as_strictly(const MsPolicy *a, const MsPolicy *b, int code)
{
	if (a->on[code] != MS_DELAY || b->on[code] != MS_DELAY)
		return a->on[code] >= b->on[code];
	return a->delay_us[code] >= b->delay_us[code] &&
		(b->then_deliver[code] || !a->then_deliver[code]);
}

static bool allows(gint64 a, gint64 b)
{
	return b < 0 || a >= b;
}

/* The most that any of them allows is read; one that says nothing allows what missent.conf says. */
static bool reads_as_much(const MsPolicy *a, const MsPolicy *b)
{
	return allows(a->ocr, b->ocr) && allows(a->read_ms, b->read_ms) &&
		allows(a->read_pages, b->read_pages) && allows(a->read_text, b->read_text);
}

/* ---- the checks ----------------------------------------------------------------------- */

static bool does_all_of(const Subject *a, const Subject *b)
{
	if (!counts_as_much(a->policy, b->policy) || !reads_as_much(a->policy, b->policy) ||
		!covers_mail(a, b))
		return false;
	for (int i = 0; i < MS_N_REASONS; i++)
		if (lint_can_come(b, (MsReasonCode)i) &&
			(!acts_as_strictly(a->policy, b->policy, i) ||
				!reason_covers(a->policy, b->policy, (MsReasonCode)i)))
			return false;
	return true;
}

/* Of two that do the same the later one is told. */
void lint_shadowed(Lint *lint, Subject *s)
{
	bool later = false;
	for (guint i = 0; i < lint->policies->len && !s->shadowed; i++) {
		const Subject *other = lint->policies->pdata[i];
		if (other == s) {
			later = true;
			continue;
		}
		if (other->shadowed || !does_all_of(other, s) || (later && does_all_of(s, other)))
			continue;
		s->shadowed = true;
		lint_tell(lint, s, NULL, NULL, "Take it out, or say what is special about it.",
			"all that it does, policy \"%s\" (%s, line %d) does for the same mail, and as strictly",
			other->policy->title, other->file, ms_section_line(other->section));
	}
}

static void tell_weaker(
	Lint *lint, const Subject *s, const Subject *other, MsReasonCode code, const char *sender)
{
	g_autofree char *key = g_strconcat("on-", ms_reason_names[code], NULL);
	lint_tell(lint, s, key, NULL,
		"Set it as strictly, or take the mail out of the other policy.",
		"%s = %s never comes about%s%s: policy \"%s\" (%s, line %d) has %s for the same mail",
		key, ms_action_names[s->policy->on[code]], sender != NULL ? " for " : "",
		sender != NULL ? sender : "", other->policy->title, other->file,
		ms_section_line(other->section), ms_action_names[other->policy->on[code]]);
}

void lint_weaker(Lint *lint, Subject *s)
{
	bool told[MS_N_REASONS] = {false};
	for (guint i = 0; i < lint->policies->len && !s->shadowed; i++) {
		const Subject *other = lint->policies->pdata[i];
		if (other == s || !counts_as_much(other->policy, s->policy))
			continue;
		bool all = covers_mail(other, s);
		const char *sender = all ? NULL : common_sender(other, s);
		for (int r = 0; r < MS_N_REASONS && (all || sender != NULL); r++) {
			g_autofree char *key = g_strconcat("on-", ms_reason_names[r], NULL);
			/* What it does not say itself it leaves to others. */
			if (told[r] || !ms_section_given(s->section, key) ||
				s->policy->on[r] >= other->policy->on[r] ||
				!lint_can_come(s, (MsReasonCode)r) ||
				!reason_covers(other->policy, s->policy, (MsReasonCode)r))
				continue;
			told[r] = true;
			tell_weaker(lint, s, other, (MsReasonCode)r, sender);
		}
	}
}
