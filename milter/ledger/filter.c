/*
 * The words of a filter: as a person types them, one by one, they come in; what may narrow a list
 * is in one table, of which the options of the command line are made too.  An empty word is
 * refused and never means "any".  No state; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"

#include "ledger_private.h"

const MsFilterWord ms_filter_words[] = {
	{"reason", MS_WORD_ANY, "REASON", "only with this reason"},
	{"policy", MS_WORD_ANY, "TITLE", "only by this policy"},
	{"sender", MS_WORD_ANY, "TEXT", "only from senders with this in them"},
	{"recipient", MS_WORD_ANY, "TEXT", "only to recipients with this in them"},
	{"account", MS_WORD_ACCOUNT, "ACCOUNT", "only about this account"},
	{"host", MS_WORD_ANY, "HOST", "only what this host holds"},
	{"cause", MS_WORD_CAUSE, "CAUSE", "only for this cause (see held causes)"},
	{"assigned", MS_WORD_PERSON, "WHO", "only those of this reviewer"},
	{"search", MS_WORD_ANY, "TEXT", "a queue ID, account, identifier, part of an address, words of the subject"},
	{"older", MS_WORD_ANY, "AGE", "only older than 30m, 12h, 3d"},
	{"newer", MS_WORD_ANY, "AGE", "only newer than"},
	{"waiting", MS_WORD_ANY, NULL, "only those that wait to be judged again (action delay)"},
	{"state", MS_WORD_ANY, "STATE",
		"held (usual), observed, released, returned, deleted, gone, delivered, all"},
	{"sort", MS_WORD_ANY, "ORDER", "newest, oldest, sender, recipients, size"},
	{NULL, MS_WORD_ANY, NULL, NULL},
};

static bool take_age(const char *field, const char *age, gint64 *out, GError **error)
{
	static const struct {
		const char *name;
		gint64 seconds;
	} units[] = {{"m", 60}, {"h", 3600}, {"d", 86400}};
	char *unit;
	gint64 n = g_ascii_strtoll(age, &unit, 10);
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (unit != age && strcmp(unit, units[i].name) == 0 && n >= 0 && n < 1000000) {
			*out = g_get_real_time() - n * units[i].seconds * G_USEC_PER_SEC;
			return true;
		}
	return ms_word_refuse(field, age, "is no age: a number and m, h or d", NULL, error);
}

static bool take_state(const char *field, const char *word, int *out, GError **error)
{
	const char *names[MS_N_STATES + 2] = {NULL};
	int place = 0;
	for (int i = 0; i < MS_N_STATES; i++)
		names[i] = ms_state_names[i];
	names[MS_N_STATES] = "all";
	if (!ms_word_choose(names, field, word, &place, error))
		return false;
	*out = place < MS_N_STATES ? place : -1;
	return true;
}

static bool take_waiting(const char *field, const char *word, int *out, GError **error)
{
	static const char *const words[] = {"no", "yes", NULL};
	int place = 0;
	if (!ms_word_choose(words, field, word, &place, error))
		return false;
	*out = place == 1 ? 1 : -1;
	return true;
}

/* Where a filter keeps a text that it takes as it is. */
static const char **place_of(MsRecordFilter *f, const char *name)
{
	const struct {
		const char *name, **place;
	} places[] = {{"policy", &f->policy}, {"sender", &f->sender}, {"recipient", &f->recipient},
		{"account", &f->account}, {"host", &f->host}, {"cause", &f->cause},
		{"assigned", &f->assignee}, {"search", &f->search}, {"reason", &f->reason}};
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		if (strcmp(places[i].name, name) == 0)
			return places[i].place;
	return NULL;
}

bool ms_filter_take(MsRecordFilter *filter, const char *name, const char *value, GError **error)
{
	const MsFilterWord *word = ms_filter_words;
	int place = 0;
	while (word->name != NULL && strcmp(word->name, name) != 0)
		word++;
	if (word->name == NULL)
		return ms_word_refuse(
			"filter", name, "is nothing that a list can be narrowed by", NULL, error);
	if (!ms_word_check(word->kind, name, value, error))
		return false;
	if (strcmp(name, "waiting") == 0)
		return take_waiting(name, value, &filter->waiting, error);
	if (strcmp(name, "older") == 0)
		return take_age(name, value, &filter->older_than, error);
	if (strcmp(name, "newer") == 0)
		return take_age(name, value, &filter->newer_than, error);
	if (strcmp(name, "state") == 0)
		return take_state(name, value, &filter->state, error);
	if (strcmp(name, "sort") == 0 || strcmp(name, "reason") == 0) {
		bool sort = *name == 's';
		if (!ms_word_choose(
			    sort ? ms_sort_names : ms_reason_names, name, value, &place, error))
			return false;
		if (sort)
			filter->sort = (MsSort)place;
		else
			filter->reason = ms_reason_names[place];
		return true;
	}
	*place_of(filter, name) = value;
	return true;
}

bool ms_filter_check(const MsRecordFilter *f, GError **error)
{
	for (const MsFilterWord *word = ms_filter_words; word->name != NULL; word++) {
		const char **place = place_of((MsRecordFilter *)f, word->name);
		if (place != NULL && *place != NULL &&
			!ms_word_check(word->kind, word->name, *place, error))
			return false;
	}
	int place;
	return f->reason == NULL ||
		ms_word_choose(ms_reason_names, "reason", f->reason, &place, error);
}

char *ms_filter_whom(const MsRecordFilter *f)
{
	const char *const words[][2] = {{"search", f->search}, {"account", f->account},
		{"sender", f->sender}, {"recipient", f->recipient}};
	g_autoptr(GString) whom = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		if (words[i][1] == NULL)
			continue;
		g_autofree char *masked = ms_identifier_masked(words[i][1]);
		g_string_append_printf(
			whom, "%s%s %s", whom->len > 0 ? ", " : "", words[i][0], masked);
	}
	return whom->len > 0 ? g_string_free(g_steal_pointer(&whom), FALSE) : NULL;
}
