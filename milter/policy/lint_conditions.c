/*
 * Checks of conditions against each other: those that no message can meet together, so that the
 * policy never applies, those that every message meets, and what no condition asks for.  Of the
 * thread that lints; nothing is shared.
 */
#include "config.h"

#include <string.h>

#include "lint_private.h"

/* ---- what all checks need --------------------------------------------------------------- */

const MsAsk *lint_header_ask(const Subject *s, guint n, const char **key_out)
{
	for (guint i = 0; i < s->policy->asks->len; i++) {
		const MsAsk *ask = s->policy->asks->pdata[i];
		if ((ask->what != MS_IF_HEADER && ask->what != MS_IF_FILTER) || n-- > 0)
			continue;
		*key_out = ms_condition_key(ask->what, ask->negated);
		return ask;
	}
	return NULL;
}

const char *const *lint_listed(const Subject *s, MsCondition what, bool negated)
{
	return ms_section_list(s->section, ms_condition_key(what, negated));
}

/* ---- never ------------------------------------------------------------------------------ */

#define REMEDY "Take one of the two out, or mend it; the policy never applies."

/* All that may be is excluded. */
static void look_for_excluded(Lint *lint, Subject *s, MsCondition what)
{
	const char *const *may = lint_listed(s, what, false);
	const char *const *not = lint_listed(s, what, true);
	guint64 pairs = (guint64)g_strv_length((char **)may) * g_strv_length((char **)not );
	if (may[0] == NULL || not [0] == NULL || pairs > LINT_PAIRS || what == MS_IF_TIME)
		return;
	for (; *may != NULL; may++) {
		bool excluded = false;
		for (guint i = 0; not [i] != NULL && !excluded; i++)
			excluded = lint_covers[what](not [i], *may);
		if (!excluded)
			return;
	}
	lint_tell(lint, s, ms_condition_key(what, true), NULL, REMEDY, "%s leaves nothing of %s",
		ms_condition_key(what, true), ms_condition_key(what, false));
}

static bool in_any(const MsAsk *ask, guint minute)
{
	for (guint i = 0; i < ask->members->len; i++)
		if (ms_window_has(ask->members->pdata[i], minute / 1440, minute % 1440))
			return true;
	return false;
}

static guint minutes_left(const MsAsk *may, const MsAsk * not )
{
	guint n = 0;
	for (guint i = 0; i < MS_WEEK; i++)
		n += (may == NULL || in_any(may, i)) && (not == NULL || !in_any(not, i));
	return n;
}

static void look_at_time(Lint *lint, Subject *s)
{
	const MsAsk *may = ms_policy_ask(s->policy, MS_IF_TIME, false),
		    *not = ms_policy_ask(s->policy, MS_IF_TIME, true);
	if (not != NULL && minutes_left(may, not ) == 0)
		lint_tell(lint, s, "not-time", NULL, REMEDY,
			"not-time leaves no hour of the week%s", may != NULL ? " of time" : "");
}

static guint64 greatest(const MsAsk *ask)
{
	guint64 most = ask == NULL ? G_MAXUINT64 : 0;
	for (guint i = 0; ask != NULL && i < ask->members->len; i++)
		most = MAX(most, ((MsRange *)ask->members->pdata[i])->to);
	return most;
}

static guint64 least(const MsAsk *ask)
{
	guint64 least = ask == NULL ? 0 : G_MAXUINT64;
	for (guint i = 0; ask != NULL && i < ask->members->len; i++)
		least = MIN(least, ((MsRange *)ask->members->pdata[i])->from);
	return least;
}

/* An attachment is asked for where there is none; or one that is larger than the message. */
static void look_at_sizes(Lint *lint, Subject *s)
{
	static const MsCondition of_one[] = {MS_IF_TYPE, MS_IF_NAME, MS_IF_EACH_SIZE};
	const MsAsk *size = ms_policy_ask(s->policy, MS_IF_SIZE, false),
		    *count = ms_policy_ask(s->policy, MS_IF_COUNT, false);
	const MsAsk *each = ms_policy_ask(s->policy, MS_IF_EACH_SIZE, false);
	for (gsize i = 0; i < G_N_ELEMENTS(of_one); i++)
		if (greatest(count) == 0 && ms_policy_ask(s->policy, of_one[i], false) != NULL)
			lint_tell(lint, s, "attachments", NULL, REMEDY,
				"attachments = none, and %s asks for one",
				ms_condition_key(of_one[i], false));
	if (each != NULL && size != NULL && least(each) > greatest(size))
		lint_tell(lint, s, "attachment-size", NULL, REMEDY,
			"attachment-size asks for one that is larger than message-size "
			"lets the whole message be");
}

static bool is_excluded(const MsAsk * not, const char *name)
{
	for (guint i = 0; not != NULL && i < not ->members->len; i++)
		if (g_ascii_strcasecmp(not ->members->pdata[i], name) == 0)
			return true;
	return false;
}

/* A field must have a text, and must not be there. */
static void look_at_fields(Lint *lint, Subject *s)
{
	const MsAsk *not = ms_policy_ask(s->policy, MS_IF_PRESENT, true), *ask;
	const char *key;
	for (guint n = 0; not != NULL && (ask = lint_header_ask(s, n, &key)) != NULL; n++) {
		guint excluded = 0;
		for (guint i = 0; i < ask->members->len; i++)
			excluded += is_excluded(
				not, ((MsHeaderRule *)ask->members->pdata[i])->name);
		if (!ask->negated && excluded == ask->members->len)
			lint_tell(lint, s, "not-header-present", NULL, REMEDY,
				"%s asks for fields that not-header-present excludes", key);
	}
}

/* Of no kinds none is found. */
static void look_at_identifiers(Lint *lint, Subject *s)
{
	for (int negated = 0; negated < 2 && !lint_looks(s); negated++) {
		const MsAsk *ask = ms_policy_ask(s->policy, MS_IF_IDENTIFIERS, negated == 1);
		const char *key = ms_condition_key(MS_IF_IDENTIFIERS, negated == 1);
		if (ask != NULL && (least(ask) == 0) == (negated == 1))
			lint_tell(lint, s, key, NULL, REMEDY,
				"%s asks for some, and kinds = {\"none\"} looks for none", key);
	}
}

void lint_contradictions(Lint *lint, Subject *s)
{
	for (int what = 0; what < MS_N_CONDITIONS; what++)
		look_for_excluded(lint, s, (MsCondition)what);
	look_at_time(lint, s);
	look_at_sizes(lint, s);
	look_at_fields(lint, s);
	look_at_identifiers(lint, s);
}

/* ---- always ----------------------------------------------------------------------------- */

void lint_always(Lint *lint, Subject *s)
{
	const MsAsk *time = ms_policy_ask(s->policy, MS_IF_TIME, false);
	if (time != NULL && minutes_left(time, NULL) == MS_WEEK)
		lint_tell(lint, s, "time", NULL, "Leave it out to say so.",
			"time is every hour of the week");
}

/* ---- not asked for ---------------------------------------------------------------------- */

void lint_unasked(Lint *lint, Subject *s)
{
	static const struct {
		const char *key;
		MsCondition what;
	} rows[] = {{"authserv-id", MS_IF_RESULT}, {"time-zone", MS_IF_TIME}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (ms_section_own(s->section, rows[i].key) &&
			lint_listed(s, rows[i].what, false)[0] == NULL &&
			lint_listed(s, rows[i].what, true)[0] == NULL)
			lint_tell(lint, s, rows[i].key, NULL, "Take it out, or ask.",
				"%s has no effect without %s", rows[i].key,
				ms_condition_key(rows[i].what, false));
}

/* ---- for nobody ------------------------------------------------------------------------- */

static void tell_unused(Lint *lint, const MsSection *section, const char *what)
{
	lint_tell_at(lint, ms_section_file(section), ms_section_line(section),
		ms_section_title(section), "Use it, or take it out.", "no policy %s", what);
}

void lint_unused(Lint *lint)
{
	for (guint i = 0; i < lint->set->files->len; i++) {
		const MsSection *root = ((MsPolicyFile *)lint->set->files->pdata[i])->root;
		for (guint k = 0; k < ms_section_count(root, "list"); k++) {
			const MsSection *section = ms_section_nth(root, "list", k);
			const MsPolicyList *list = g_hash_table_lookup(
				lint->set->lists, ms_section_title(section));
			if (list != NULL && !list->used)
				tell_unused(lint, section, "names this list");
		}
		for (guint k = 0; k < ms_section_count(root, "template"); k++)
			if (!g_hash_table_contains(
				    lint->set->inherited, ms_section_nth(root, "template", k)))
				tell_unused(lint, ms_section_nth(root, "template", k),
					"inherits this template");
	}
}
