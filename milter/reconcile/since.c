/*
 * What a run found comes in, beside what is remembered of the runs before it; up to when mail was
 * looked at, and whether any that passed the filter waits to be acknowledged, goes out, into a file
 * of state-dir and what is left for the agent.  A run that failed remembers nothing, so that the
 * next one looks at its time too; one that is clean ends the alert only if it looked at all the
 * time since.  The thread of who reconciles.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"
#include "missent/text.h"

#include "reconcile_private.h"

#define FILE_NAME "reconciled.json"
#define OVERLAP (10 * 60 * SECOND) /* a line of the trail may come later than the log's */

bool ms_passed_is_wrong(MsPassed what)
{
	return what != MS_PASSED_MADE && what != MS_PASSED_UNKNOWN;
}

/* What cannot be read is as if there were none: all of the log is told, and an alert stays. */
void ms_reconciled_load(const char *state_dir, MsReconciled *out)
{
	g_autofree char *path = g_build_filename(state_dir, FILE_NAME, NULL), *text = NULL;
	g_autofree char *left = ms_alert_left(state_dir, MS_ALERT_BYPASS);
	json_t *json = ms_io_contents(path, &text, NULL, NULL) ? json_loads(text, 0, NULL) : NULL;
	*out = (MsReconciled){0};
	out->until = json_integer_value(json_object_get(json, "until"));
	out->wrong = (guint64)json_integer_value(json_object_get(json, "wrong"));
	out->wrong_since = json_integer_value(json_object_get(json, "wrong_since"));
	json_decref(json);
	if (left != NULL && out->wrong == 0)
		out->wrong = 1;
	else if (left == NULL)
		out->wrong = 0, out->wrong_since = 0;
}

gint64 ms_reconciled_since(const MsReconciled *state)
{
	return MAX(state->until - OVERLAP, 0);
}

void ms_reconciliation_drop_old(MsReconciliation *r, gint64 since)
{
	for (guint i = r->rows->len; i-- > 0;) {
		const MsPassedRow *row = r->rows->pdata[i];
		if (row->at >= since)
			continue;
		r->counts[row->what]--;
		g_ptr_array_remove_index(r->rows, i);
	}
}

/* The log begins when the last run had ended: nobody looks at what was between. */
void ms_reconciled_tell_hole(
	const MsReconciled *state, const MsMaillogNotes *notes, MsReconciliation *r)
{
	if (state->until == 0 || notes->from <= state->until)
		return;
	g_autofree char *until = ms_text_time(state->until, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *from = ms_text_time(notes->from, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_ptr_array_add(r->unknown,
		g_strdup_printf("the last run looked at mail until %s, and this log begins at %s: "
				"what was between is not looked at",
			until, from));
}

/* What the run before told is not counted again. */
static guint64 count_wrong(const MsReconciliation *r, gint64 after, gint64 *first_out)
{
	guint64 n = 0;
	for (guint i = 0; i < r->rows->len; i++) {
		const MsPassedRow *row = r->rows->pdata[i];
		if (!ms_passed_is_wrong(row->what))
			continue;
		n += row->at > after;
		*first_out = MIN(*first_out, row->at);
	}
	return n;
}

void ms_reconciled_take(MsReconciled *state, const MsReconciliation *r, const MsMaillogNotes *notes,
	gint64 since, bool since_last)
{
	gint64 first = G_MAXINT64;
	guint64 n = count_wrong(r, since_last ? state->until : G_MININT64, &first);
	bool all = state->wrong_since > 0 && notes->used > 0 && notes->from <= state->wrong_since &&
		since <= state->wrong_since;
	if (first != G_MAXINT64) { /* of other runs it is not known which of them were told */
		state->wrong = since_last ? MAX(state->wrong + n, 1) : MAX(state->wrong, n);
		state->wrong_since = state->wrong_since > 0 ? MIN(state->wrong_since, first)
							    : first;
	} else if (all) {
		state->wrong = 0;
		state->wrong_since = 0;
	}
	if (since_last)
		state->until = MAX(state->until, MIN(notes->to, ms_clock_now()));
}

bool ms_reconciled_save(const char *state_dir, const MsReconciled *state, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, FILE_NAME, NULL);
	g_autofree char *text = g_strdup_printf("{\"until\":%" G_GINT64_FORMAT
						",\"wrong\":%" G_GUINT64_FORMAT
						",\"wrong_since\":%" G_GINT64_FORMAT "}\n",
		state->until, state->wrong, state->wrong_since);
	g_autofree char *at = ms_text_time(state->wrong_since, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *detail = state->wrong > 0
		? g_strdup_printf("%" G_GUINT64_FORMAT " since %s (missent audit reconcile says "
				  "which; with --acknowledge it ends this)",
			  state->wrong, state->wrong_since > 0 ? at : "a time before")
		: g_strdup("");
	/* The alert first: who is killed between looks at that time again. */
	if (ms_alert_leave(state_dir, MS_ALERT_BYPASS, detail) &&
		ms_io_replace(path, text, strlen(text), 0640, true))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	return false;
}
