/*
 * Checks of one policy by itself: what in it never has an effect, or lets out what it looks for.
 * Of the thread that lints; nothing is shared.
 */
#include "config.h"

#include <string.h>

#include "lint_private.h"

/* What a reason needs before it can come about.  A row a reason that has such a need. */
typedef struct {
	MsReasonCode code;
	const char *needs[3]; /* any of these keys, or NULL */
	bool customers;       /* ... and that the policy looks at identifiers */
} Need;

static const Need needs[] = {
	{MS_MISMATCH, {NULL}, true},
	{MS_UNPROVEN, {"require"}, true},
	{MS_UNKNOWN_IDENTIFIER, {NULL}, true},
	{MS_OVERSIZED, {"max-recipients", "max-domains"}, false},
	{MS_MIXED_ACCOUNTS, {"max-accounts"}, true},
	{MS_EXPOSED_RECIPIENTS, {"max-visible-recipients"}, false},
	{MS_CONTRADICTION, {NULL}, true},
	{MS_SALUTATION, {NULL}, true},
	{MS_LIST_ATTACHED, {"max-identifiers"}, true},
	{MS_FAN_OUT, {NULL}, true},
	{MS_FAN_IN, {NULL}, true},
	{MS_UNUSUAL, {NULL}, true},
};

static char *key_of(MsReasonCode code)
{
	return g_strconcat("on-", ms_reason_names[code], NULL);
}

static bool has_any(const Subject *s, const Need *need)
{
	for (gsize i = 0; need->needs[i] != NULL; i++)
		if (ms_section_given(s->section, need->needs[i]))
			return true;
	return need->needs[0] == NULL;
}

bool lint_can_come(const Subject *s, MsReasonCode code)
{
	for (gsize i = 0; i < G_N_ELEMENTS(needs); i++)
		if (needs[i].code == code)
			return has_any(s, &needs[i]) && (!needs[i].customers || lint_looks(s));
	return true;
}

void lint_does_nothing(Lint *lint, Subject *s)
{
	for (int i = 0; i < MS_N_REASONS; i++)
		if (s->policy->on[i] != MS_DELIVER && lint_can_come(s, (MsReasonCode)i))
			return;
	lint_tell(lint, s, NULL, NULL,
		"Give at least one reason another action, or take the policy out.",
		"every action is deliver, so that this policy never changes what becomes of a message");
}

void lint_dead_limits(Lint *lint, Subject *s)
{
	for (gsize i = 0; i < G_N_ELEMENTS(needs); i++)
		for (gsize k = 0; needs[i].needs[k] != NULL; k++) {
			const char *key = needs[i].needs[k];
			g_autofree char *action = key_of(needs[i].code);
			if (!ms_section_given(s->section, key))
				continue;
			if (needs[i].customers && !lint_looks(s))
				lint_tell(lint, s, key, NULL,
					"Name the kinds that are meant, or take it out.",
					"%s is never looked at, for kinds = {\"none\"}", key);
			else if (s->policy->on[needs[i].code] == MS_DELIVER)
				lint_tell(lint, s, key, NULL,
					"Set that action, or take the limit out.",
					"%s has no effect: %s = deliver", key, action);
		}
}

/* Who is not known has no proof either. */
static void never_alone(Lint *lint, Subject *s)
{
	const MsAction unknown = s->policy->on[MS_UNKNOWN_RECIPIENT],
		       unproven = s->policy->on[MS_UNPROVEN];
	if (ms_section_given(s->section, "on-unknown-recipient") && unknown != MS_DELIVER &&
		unknown < unproven && lint_can_come(s, MS_UNPROVEN))
		lint_tell(lint, s, "on-unknown-recipient", NULL,
			"Set on-unproven likewise, or take it out.",
			"on-unknown-recipient = %s never comes about alone: who is not known has no "
			"proof either, and on-unproven = %s is stricter",
			ms_action_names[unknown], ms_action_names[unproven]);
}

void lint_dead_actions(Lint *lint, Subject *s)
{
	never_alone(lint, s);
	for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
		g_autofree char *key = key_of(needs[i].code);
		if (!ms_section_given(s->section, key) ||
			s->policy->on[needs[i].code] == MS_DELIVER)
			continue;
		if (needs[i].customers && !lint_looks(s))
			lint_tell(lint, s, key, NULL,
				"Name the kinds that are meant, or take it out.",
				"%s never comes about, for kinds = {\"none\"} looks at no customer's data",
				key);
		else if (!has_any(s, &needs[i]))
			lint_tell(lint, s, key, NULL, "Set it, or take the action out.",
				"%s never comes about, for there is no %s%s%s", key,
				needs[i].needs[0], needs[i].needs[1] != NULL ? " and no " : "",
				needs[i].needs[1] != NULL ? needs[i].needs[1] : "");
	}
}

void lint_dead_beliefs(Lint *lint, Subject *s)
{
	static const struct {
		const char *key;
		MsReasonCode code;
	} beliefs[] = {{"believe-mismatch", MS_MISMATCH},
		{"believe-unknown-identifier", MS_UNKNOWN_IDENTIFIER},
		{"believe-proof", MS_UNPROVEN}};
	for (gsize i = 0; i < G_N_ELEMENTS(beliefs); i++) {
		g_autofree char *action = key_of(beliefs[i].code);
		if (!ms_section_given(s->section, beliefs[i].key))
			continue;
		if (!lint_can_come(s, beliefs[i].code))
			lint_tell(lint, s, beliefs[i].key, NULL, "Take it out.",
				"%s has no effect: %s never comes about", beliefs[i].key, action);
		else if (s->policy->on[beliefs[i].code] == MS_DELIVER)
			lint_tell(lint, s, beliefs[i].key, NULL, "Set that action, or take it out.",
				"%s has no effect: %s = deliver", beliefs[i].key, action);
	}
}

void lint_require(Lint *lint, Subject *s)
{
	if (g_hash_table_contains(s->policy->required, "none"))
		lint_tell(lint, s, "require", NULL, "Take require out.",
			"require = {\"none\"} can never be found, so that every message is unproven");
}

/* ---- limits --------------------------------------------------------------------------- */

static void contradict(Lint *lint, Subject *s, const char *greater, gint64 a, const char *smaller,
	gint64 b, const char *why)
{
	if (a > b && b >= 0)
		lint_tell(lint, s, greater, NULL, "Lower it, or raise the other.",
			"%s = %" G_GINT64_FORMAT " is never reached, for %s = %" G_GINT64_FORMAT
			": %s",
			greater, a, smaller, b, why);
}

void lint_limits(Lint *lint, Subject *s)
{
	const MsPolicy *p = s->policy;
	contradict(lint, s, "max-domains", p->max_domains, "max-recipients", p->max_recipients,
		"there are no more domains than recipients");
	contradict(lint, s, "max-visible-recipients", p->max_visible, "max-recipients",
		p->max_recipients, "who is seen in To and Cc is mostly a recipient too");
	gint64 kinds = (gint64)g_hash_table_size(p->kinds);
	if (kinds > 0 && p->max_identifiers >= 0 && p->max_accounts >= 0 &&
		p->max_accounts > kinds * p->max_identifiers)
		contradict(lint, s, "max-accounts", p->max_accounts, "max-identifiers",
			p->max_identifiers, "so few identifiers are of no more accounts");
}

/* ---- what it lets out ----------------------------------------------------------------- */

void lint_mismatch(Lint *lint, Subject *s)
{
	if (!lint_looks(s) || s->policy->on[MS_MISMATCH] != MS_DELIVER)
		return;
	lint_tell(lint, s, "on-mismatch", NULL,
		"Set on-mismatch = hold; or kinds = {\"none\"} where customers do not matter.",
		"on-mismatch = deliver: what belongs to another customer is looked for, and delivered");
}

void lint_mismatch_tagged(Lint *lint, Subject *s)
{
	if (lint_looks(s) && s->policy->on[MS_MISMATCH] == MS_TAG)
		lint_tell(lint, s, "on-mismatch", NULL,
			"Set on-mismatch = hold; to look first, mode = observe.",
			"on-mismatch = tag: what belongs to another customer is delivered, with a header "
			"field that its recipient may read");
}

/* What could not be looked at is not what was found to be clean. */
void lint_unchecked(Lint *lint, Subject *s)
{
	const MsAction away = s->policy->on[MS_DIRECTORY_UNAVAILABLE];
	if (lint_looks(s) && away <= MS_TAG)
		lint_tell(lint, s, "on-directory-unavailable", NULL,
			"Leave it out, so that the sender's host tries again (tempfail).",
			"on-directory-unavailable = %s: while the directory cannot be asked, all mail is delivered unchecked",
			ms_action_names[away]);
	if (lint_looks(s) && s->policy->on[MS_UNREADABLE] == MS_DELIVER)
		lint_tell(lint, s, "on-unreadable", NULL,
			"Leave it out, and name in tolerate what your mail has, such as image and signature.",
			"on-unreadable = deliver: what could not be read is delivered as if it were clean");
}

/* Nobody looks at it, and time makes it no better. */
void lint_then_deliver(Lint *lint, Subject *s)
{
	static const MsReasonCode leaks[] = {MS_MISMATCH, MS_CONTRADICTION, MS_UNREADABLE,
		MS_MIXED_ACCOUNTS, MS_LIST_ATTACHED, MS_EXPOSED_RECIPIENTS, MS_BREAKER};
	for (gsize i = 0; i < G_N_ELEMENTS(leaks); i++) {
		g_autofree char *key = key_of(leaks[i]);
		if (s->policy->on[leaks[i]] == MS_DELAY && s->policy->then_deliver[leaks[i]] &&
			lint_can_come(s, leaks[i]))
			lint_tell(lint, s, key, NULL,
				"Leave \"then deliver\" out, so that it is held then.",
				"%s: what speaks of a leak is delivered when its time is over, whether anybody looked or not",
				key);
	}
}

/* It is not what the sender meant to send that could not be read: it is that reading failed. */
static const MsUnreadReason faults[] = {
	MS_UNREAD_DAMAGED, MS_UNREAD_LIMIT, MS_UNREAD_TIME, MS_UNREAD_PATTERN, MS_UNREAD_WORKER};

void lint_tolerates(Lint *lint, Subject *s)
{
	guint n = 0;
	if (!lint_looks(s) || s->policy->on[MS_UNREADABLE] == MS_DELIVER)
		return; /* then it is said plainly */
	for (int i = 0; i < MS_N_UNREAD; i++)
		n += s->policy->tolerated[i];
	if (n == MS_N_UNREAD) {
		lint_tell(lint, s, "tolerate", NULL,
			"Name what your mail really has, such as image and signature.",
			"everything is tolerated: a message that could not be read at all counts as clean");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(faults); i++)
		if (s->policy->tolerated[faults[i]])
			lint_tell(lint, s, "tolerate", ms_unread_names[faults[i]],
				"Take it out, or set on-unreadable = tag.",
				"\"%s\" is tolerated: a message of which reading failed counts as clean",
				ms_unread_names[faults[i]]);
}

/* ---- the guard ------------------------------------------------------------------------ */

typedef struct {
	MsReasonCode code;
	const char *limit; /* of guard { } */
	bool off;
} Counted;

void lint_guard_off(Lint *lint, Subject *s)
{
	if (lint->options->settings == NULL)
		return;
	const MsGuardLimits *l = &lint->options->settings->guard.limits;
	const bool off = !lint->options->settings->guard.enabled;
	const Counted rows[] = {{MS_FAN_OUT, "fan-out", l->fan_out == 0 && l->fan_out_domains == 0},
		{MS_FAN_IN, "fan-in", l->fan_in == 0}, {MS_REPEAT, "repeat", l->repeat == 0},
		{MS_UNUSUAL, "history", l->keep == 0}, {MS_VOLUME, "volume", l->volume == 0},
		{MS_BREAKER, "breaker", l->breaker == 0 && l->breaker_recent == 0},
		{MS_GUARD_UNAVAILABLE, "enabled", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *key = key_of(rows[i].code);
		if (ms_section_given(s->section, key) &&
			s->policy->on[rows[i].code] != MS_DELIVER && (off || rows[i].off))
			lint_tell(lint, s, key, NULL,
				"Turn it on in the section guard, or take the action out.",
				"%s never comes about: missent.conf has guard { %s = %s }", key,
				off ? "enabled" : rows[i].limit, off ? "no" : "0");
	}
}
