/* What one line of the trail says of a policy: its action, its cause.  Pure functions of the
 * line. */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "history_private.h"

const char *past_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

static int word_of(const json_t *object, const char *name, const char *const *words, int otherwise)
{
	const char *text = past_text(object, name);
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return otherwise;
}

static bool is_of(const json_t *reason, const char *policy)
{
	return policy == NULL || strcmp(past_text(reason, "policy"), policy) == 0;
}

bool past_undone(const json_t *line)
{
	return json_object_get(line, "undone") != NULL;
}

MsAction past_action(const json_t *line, const char *policy, bool *enforced_out)
{
	const json_t *reasons = json_object_get(line, "reasons");
	MsAction strictest = MS_DELIVER;
	*enforced_out = past_undone(line);
	if (*enforced_out)
		return MS_TEMPFAIL;
	for (gsize i = 0; i < json_array_size(reasons); i++) {
		const json_t *reason = json_array_get(reasons, i);
		if (!is_of(reason, policy))
			continue;
		*enforced_out |= json_is_true(json_object_get(reason, "enforced"));
		strictest = MAX(strictest,
			(MsAction)word_of(reason, "action", ms_action_names, MS_DELIVER));
	}
	return strictest;
}

bool past_stops(const json_t *line, const char *policy, MsReasonCode code)
{
	const json_t *reasons = json_object_get(line, "reasons");
	for (gsize i = 0; i < json_array_size(reasons); i++) {
		const json_t *reason = json_array_get(reasons, i);
		if (is_of(reason, policy) &&
			word_of(reason, "action", ms_action_names, MS_DELIVER) > MS_TAG &&
			strcmp(past_text(reason, "reason"), ms_reason_names[code]) == 0)
			return true;
	}
	return false;
}

bool past_fell_under(const json_t *line, const char *policy)
{
	const json_t *policies = json_object_get(line, "policies");
	for (gsize i = 0; i < json_array_size(policies); i++)
		if (g_strcmp0(json_string_value(json_array_get(policies, i)), policy) == 0)
			return true;
	return false;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The kinds of one reason, each once, in the order of their names. */
static void add_reason(GString *out, const json_t *reasons, const char *policy, int code)
{
	g_autoptr(GPtrArray) kinds = g_ptr_array_new();
	bool any = false;
	for (gsize i = 0; i < json_array_size(reasons); i++) {
		const json_t *reason = json_array_get(reasons, i);
		if (!is_of(reason, policy) || word_of(reason, "reason", ms_reason_names, -1) != code
			|| word_of(reason, "action", ms_action_names, MS_DELIVER) == MS_DELIVER)
			continue;
		const char *kind = past_text(reason, "kind");
		any = true;
		if (*kind != '\0' &&
			!g_ptr_array_find_with_equal_func(kinds, kind, g_str_equal, NULL))
			g_ptr_array_add(kinds, (char *)kind);
	}
	if (!any)
		return;
	g_ptr_array_sort(kinds, compare_words);
	g_ptr_array_add(kinds, NULL);
	g_autofree char *all = g_strjoinv(", ", (char **)kinds->pdata);
	g_string_append_printf(out, "%s%s%s%s%s", out->len > 0 ? ", " : "", ms_reason_names[code],
		*all != '\0' ? " (" : "", all, *all != '\0' ? ")" : "");
}

static void add_outcomes(GString *out, const json_t *to)
{
	bool seen[MS_N_OUTCOMES] = {false};
	bool any = false;
	for (gsize i = 0; i < json_array_size(to); i++) {
		int outcome = word_of(json_array_get(to, i), "outcome", ms_outcome_names, -1);
		if (outcome >= 0)
			seen[outcome] = true;
	}
	for (int i = 0; i < MS_N_OUTCOMES; i++) {
		if (!seen[i])
			continue;
		g_string_append_printf(out, "%s%s", any ? ", " : ", for ", ms_outcome_names[i]);
		any = true;
	}
}

char *past_cause(const json_t *line, const char *policy)
{
	GString *out = g_string_new(NULL);
	const json_t *reasons = json_object_get(line, "reasons");
	for (int code = 0; code < MS_N_REASONS; code++)
		add_reason(out, reasons, policy, code);
	if (out->len > 0)
		add_outcomes(out, json_object_get(line, "to"));
	return g_string_free(out, FALSE);
}

char *past_day(gint64 time)
{
	return ms_text_time(time, MS_ZONE_LOCAL, MS_TIME_DAY);
}
