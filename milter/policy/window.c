/*
 * Days and hours as a policy file has them come in, and the time of a message; out goes whether
 * it lies in them. Hours are those that a clock on a wall in the zone shows: one that is skipped
 * in spring is in no window, one that comes twice in autumn is both times.  Pure functions.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "policy_private.h"

static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static int day_of(const char *text)
{
	for (int i = 0; i < 7; i++)
		if (g_ascii_strncasecmp(text, days[i], 3) == 0)
			return i;
	return -1;
}

/* "Mon", "Mon-Fri", "Sat-Mon", "Mon,Wed,Fri" */
static bool take_days(const char *text, guint8 *out)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	*out = 0;
	for (int i = 0; parts[i] != NULL; i++) {
		gsize len = strlen(parts[i]);
		int from = day_of(parts[i]),
		    to = len == 7 && parts[i][3] == '-' ? day_of(parts[i] + 4) : from;
		if (from < 0 || to < 0 || (len != 3 && len != 7) ||
			(len == 7 && parts[i][3] != '-'))
			return false;
		for (int d = from;; d = (d + 1) % 7) {
			*out |= (guint8)(1U << d);
			if (d == to)
				break;
		}
	}
	return *out != 0;
}

/* "08:00", "24:00" */
static int minute_of(const char *text)
{
	if (strlen(text) < 5 || !g_ascii_isdigit(text[0]) || !g_ascii_isdigit(text[1]) ||
		text[2] != ':' || !g_ascii_isdigit(text[3]) || !g_ascii_isdigit(text[4]))
		return -1;
	int hour = (text[0] - '0') * 10 + text[1] - '0',
	    minute = (text[3] - '0') * 10 + text[4] - '0';
	return hour < 24 && minute < 60     ? hour * 60 + minute
		: hour == 24 && minute == 0 ? 1440
					    : -1;
}

static bool take_hours(const char *text, MsWindow *out)
{
	int from = minute_of(text),
	    to = strlen(text) == 11 && text[5] == '-' ? minute_of(text + 6) : -1;
	if (from < 0 || to < 0 || from == to || from == 1440)
		return false;
	out->from = (guint16)from;
	out->to = (guint16)to;
	return true;
}

bool ms_window_parse(const char *text, MsWindow *out, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 3);
	guint n = g_strv_length(words);
	MsWindow window = {0x7f, 0, 1440};
	bool fine = n == 2 ? take_days(words[0], &window.days) && take_hours(words[1], &window)
			   : n == 1 &&
			(take_days(words[0], &window.days) ||
				(window.days = 0x7f, take_hours(words[0], &window)));
	if (fine)
		*out = window;
	else
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" are no days and hours; write such as \"Mon-Fri 08:00-18:00\", "
			"\"Sat,Sun\" or \"22:00-06:00\" (which ends on the day after)",
			text);
	return fine;
}

/* `day` 0 is Monday. */
bool ms_window_has(const MsWindow *window, guint day, guint minute)
{
	bool today = (window->days >> day & 1) != 0,
	     yesterday = (window->days >> (day + 6) % 7 & 1) != 0;
	if (window->from < window->to)
		return today && minute >= window->from && minute < window->to;
	return (today && minute >= window->from) || (yesterday && minute < window->to);
}

bool ms_window_contains(const MsWindow *window, GTimeZone *zone, gint64 us)
{
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) there = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
	return there != NULL &&
		ms_window_has(window, (guint)g_date_time_get_day_of_week(there) - 1,
			(guint)(g_date_time_get_hour(there) * 60 + g_date_time_get_minute(there)));
}
