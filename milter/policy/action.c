/*
 * What a policy does for a reason comes in, as it is written: an action, or "delay 30m then
 * deliver"; out go the action and, of a delay, how long it is and what comes after it.  Pure
 * functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "policy_private.h"

#define MOST_S \
	(7 * 86400) /* of a delay: what takes longer is no record that comes a little later */

static bool take_length(const char *word, gint64 *us_out)
{
	static const struct {
		char unit;
		gint64 seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	guint64 n = g_ascii_isdigit(*word) ? g_ascii_strtoull(word, &end, 10) : 0;
	for (gsize i = 0; n > 0 && i < G_N_ELEMENTS(units); i++)
		if (*end == units[i].unit && end[1] == '\0' &&
			n <= (guint64)(MOST_S / units[i].seconds)) {
			*us_out = (gint64)n * units[i].seconds * G_USEC_PER_SEC;
			return true;
		}
	return false;
}

MsAction ms_action_then(MsAction action, bool then_deliver)
{
	if (action != MS_DELAY)
		return action;
	return then_deliver ? MS_DELIVER : MS_HOLD;
}

/* The words behind "delay"; `*out` is left alone where they are none. */
static bool take_delay(char *const *words, MsDoing *out)
{
	gint64 us = 0;
	const char *then = words[0] != NULL && words[1] != NULL ? words[2] : NULL;
	if (words[0] == NULL || !take_length(words[0], &us))
		return false;
	if (words[1] != NULL
		&& (strcmp(words[1], "then") != 0 || then == NULL || words[3] != NULL
			|| (strcmp(then, ms_action_names[MS_HOLD]) != 0
				&& strcmp(then, ms_action_names[MS_DELIVER]) != 0)))
		return false;
	*out = (MsDoing){
		MS_DELAY, us, then != NULL && strcmp(then, ms_action_names[MS_DELIVER]) == 0};
	return true;
}

static bool refuse(const char *text, GError **error)
{
	const char *near = ms_text_nearest(text, ms_action_names);
	g_autofree char *all = g_strjoinv(", ", (char **)ms_action_names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not allowed; use one of %s%s%s%s",
		text, all, near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?)" : "");
	return false;
}

bool ms_doing_parse(const char *text, MsDoing *out, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	if (words[0] != NULL && strcmp(words[0], ms_action_names[MS_DELAY]) == 0) {
		if (take_delay(words + 1, out))
			return true;
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is not allowed; say for how long, in quotes: "
			"\"delay 30m\", or \"delay 30m then deliver\" (a number and s, m, h or d, at most 7d)",
			text);
		return false;
	}
	for (int i = 0; i < MS_N_ACTIONS; i++)
		if (strcmp(ms_action_names[i], text) == 0) {
			*out = (MsDoing){(MsAction)i, 0, false};
			return true;
		}
	return refuse(text, error);
}

bool ms_doing_check(const char *text, GError **error)
{
	MsDoing doing;
	return ms_doing_parse(text, &doing, error);
}
