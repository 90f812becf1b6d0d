/*
 * What went by unjudged, in words: for a line of log a day, and for who asks.  Whoever sees
 * "1,240 not outgoing (client 10.1.1.5: 1,198)" knows within a day that a server is not
 * protected.  Pure functions; any thread.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "missent/numbers.h"

char *ms_numbers_text(guint64 n)
{
	g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, n);
	GString *out = g_string_new(NULL);
	gsize len = strlen(digits);
	for (gsize i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			g_string_append_c(out, ',');
		g_string_append_c(out, digits[i]);
	}
	return g_string_free(out, FALSE);
}

guint64 ms_numbers_today(const MsNumbersView *view, MsNumber number)
{
	return view->value[number] >= view->day[number] ? view->value[number] - view->day[number]
							: view->value[number];
}

static guint64 sum_today(const MsNumbersView *view, MsNumber first, MsNumber last)
{
	guint64 sum = 0;
	for (MsNumber i = first; i <= last; i++)
		sum += ms_numbers_today(view, i);
	return sum;
}

#define SHOWN 3

static int more_first(const void *a, const void *b)
{
	const MsTopRow *x = a, *y = b;
	return x->n == y->n ? strcmp(x->who, y->who) : x->n < y->n ? 1 : -1;
}

static void append_top(GString *out, const MsTopRow *list, const char *what)
{
	MsTopRow sorted[MS_NUMBERS_TOP];
	memcpy(sorted, list, sizeof sorted);
	qsort(sorted, MS_NUMBERS_TOP, sizeof *sorted, more_first);
	for (gsize i = 0; i < SHOWN && sorted[i].n > 0; i++) {
		g_autofree char *n = ms_numbers_text(sorted[i].n);
		g_string_append_printf(
			out, "%s%s %s: %s", i == 0 ? " (" : ", ", what, sorted[i].who, n);
	}
	if (sorted[0].n > 0)
		g_string_append_c(out, ')');
}

static void append_part(GString *out, guint64 n, const char *words)
{
	g_autofree char *text = ms_numbers_text(n);
	g_string_append_printf(out, "%s%s %s", out->len > 0 ? ", " : "", text, words);
}

char *ms_numbers_unjudged(const MsNumbersView *view)
{
	GString *out = g_string_new(NULL);
	guint64 not_outgoing = sum_today(view, MS_NUM_OUT_PRIVATE, MS_NUM_OUT_LOCAL);
	guint64 without = sum_today(view, MS_NUM_NO_POLICIES, MS_NUM_NO_CONTENT);
	guint64 unchecked = ms_numbers_today(view, MS_NUM_UNCHECKED),
		paused = ms_numbers_today(view, MS_NUM_PAUSED_DELIVERED);
	if (not_outgoing > 0) {
		append_part(out, not_outgoing, "not outgoing");
		append_top(out, view->top[MS_TOP_OUT], "client");
	}
	if (without > 0) {
		append_part(out, without, "without a policy");
		append_top(out, view->top[MS_TOP_NO_POLICY], "sender");
	}
	if (unchecked > 0)
		append_part(out, unchecked, "delivered unchecked");
	if (paused > 0)
		append_part(out, paused, "delivered because of a pause");
	return g_string_free(out, FALSE);
}
