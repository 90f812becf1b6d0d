/*
 * The time that a line of a log begins with comes in, microseconds since 1970 go out.  A
 * traditional stamp ("Nov  6 09:00:01") says neither the year nor the zone: the year is the one
 * in which the first line is not younger than its file, and it goes on where months go from
 * December to January; the zone is this host's, and of the two hours that are called the same in
 * autumn it is the one that the lines before lead up to.  The thread of who reads the log.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "maillog_private.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define DAY (86400 * SECOND)
#define HALF_A_YEAR (182 * DAY)
#define BACK (5 * SECOND) /* lines of several processes are not quite in order */

static bool two_digits(const char *p, int *out)
{
	char tens = p[0] == ' ' ? '0' : p[0];
	if (!g_ascii_isdigit(tens) || !g_ascii_isdigit(p[1]))
		return false;
	*out = (tens - '0') * 10 + (p[1] - '0');
	return true;
}

/* "09:00:01" */
static bool clock_of(const char *p, struct tm *tm)
{
	if (strnlen(p, 8) < 8 || p[2] != ':' || p[5] != ':' || !two_digits(p, &tm->tm_hour)
		|| !two_digits(p + 3, &tm->tm_min) || !two_digits(p + 6, &tm->tm_sec))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

static bool is_day(int year, int month, int day)
{
	return year >= 1970 && year < 3000 && month >= 0 && month < 12 && day > 0
		&& g_date_valid_dmy((GDateDay)day, (GDateMonth)(month + 1), (GDateYear)year);
}

/* -1: that time of day did not exist, or not so. */
static gint64 local_as(struct tm tm, int dst)
{
	struct tm got;
	tm.tm_isdst = dst;
	time_t t = mktime(&tm), *p = &t;
	if (t == (time_t)-1 || localtime_r(p, &got) == NULL || (dst >= 0 && got.tm_isdst != dst))
		return -1;
	return (gint64)t * SECOND;
}

static gint64 local_time(const struct tm *tm, gint64 last)
{
	gint64 summer = local_as(*tm, 1), winter = local_as(*tm, 0);
	if (summer >= 0 && winter >= 0)
		return last != 0 && summer < last - BACK ? winter : summer;
	return MAX(MAX(summer, winter), local_as(*tm, -1));
}

static gint64 in_year(struct tm tm, int year, gint64 last)
{
	if (!is_day(year, tm.tm_mon, tm.tm_mday))
		return -1;
	tm.tm_year = year - 1900;
	return local_time(&tm, last);
}

static int year_of(gint64 at)
{
	time_t t = (time_t)(at / SECOND);
	struct tm tm;
	return localtime_r(&t, &tm) != NULL ? tm.tm_year + 1900 : 1970;
}

/* The youngest that is not younger than the file; the 29th of February may be years ago. */
static gint64 first_time(LogStamp *stamp, const struct tm *tm)
{
	int year = year_of(stamp->end + DAY);
	for (int i = 0; i < 9; i++) {
		gint64 at = in_year(*tm, year - i, 0);
		if (at >= 0 && at <= stamp->end + DAY) {
			stamp->year = year - i;
			return at;
		}
	}
	return -1;
}

static gint64 next_time(LogStamp *stamp, const struct tm *tm)
{
	gint64 at = in_year(*tm, stamp->year, stamp->last);
	if (at >= 0 && stamp->last != 0 && at < stamp->last - HALF_A_YEAR) {
		gint64 later = in_year(*tm, stamp->year + 1, stamp->last);
		if (later >= 0) {
			stamp->year++;
			return later;
		}
	}
	/* One of the old year that comes late. */
	if (at >= 0 && stamp->last != 0 && at > stamp->last + HALF_A_YEAR)
		return in_year(*tm, stamp->year - 1, stamp->last);
	return at;
}

static const char *traditional(LogStamp *stamp, const char *line, gint64 *at_out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	if (strnlen(line, 16) < 16 || line[3] != ' ' || line[6] != ' ' || line[15] != ' ')
		return NULL;
	for (tm.tm_mon = 0; tm.tm_mon < 12 && strncmp(line, months + 3 * tm.tm_mon, 3) != 0;)
		tm.tm_mon++;
	if (tm.tm_mon == 12 || !two_digits(line + 4, &tm.tm_mday) || !clock_of(line + 7, &tm))
		return NULL;
	gint64 at = stamp->year == 0 ? first_time(stamp, &tm) : next_time(stamp, &tm);
	if (at < 0)
		return NULL;
	*at_out = at;
	return line + 16;
}

static const char *fraction(const char *p, gint64 *us)
{
	gint64 unit = SECOND / 10;
	*us = 0;
	if (*p != '.' && *p != ',')
		return p;
	for (p++; g_ascii_isdigit(*p); p++, unit /= 10)
		*us += (*p - '0') * unit;
	return p;
}

/* "Z", "+01:00", "-0530"; seconds east.  NULL: none. */
static const char *zone_of(const char *p, int *east)
{
	int hours, minutes;
	*east = 0;
	if (*p == 'Z')
		return p + 1;
	if ((*p != '+' && *p != '-') || !two_digits(p + 1, &hours))
		return NULL;
	const char *rest = p + 3 + (p[3] == ':');
	if (!two_digits(rest, &minutes))
		return NULL;
	*east = (hours * 60 + minutes) * (*p == '-' ? -60 : 60);
	return rest + 2;
}

/* "2026-11-26T09:00:01.123456+01:00"; a blank in place of T, and no zone: this host's. */
static const char *rfc3339(LogStamp *stamp, const char *line, gint64 *at_out)
{
	struct tm tm = {0};
	int century, year, east;
	if (strnlen(line, 20) < 20 || line[4] != '-' || line[7] != '-' ||
		(line[10] != 'T' && line[10] != ' ') || !two_digits(line, &century) ||
		!two_digits(line + 2, &year) || !two_digits(line + 5, &tm.tm_mon) ||
		!two_digits(line + 8, &tm.tm_mday) || !clock_of(line + 11, &tm))
		return NULL;
	tm.tm_mon--;
	year += century * 100;
	if (!is_day(year, tm.tm_mon, tm.tm_mday))
		return NULL;
	tm.tm_year = year - 1900;
	gint64 us;
	const char *p = fraction(line + 19, &us), *rest = zone_of(p, &east);
	gint64 at = rest != NULL ? ((gint64)timegm(&tm) - east) * SECOND
				 : local_time(&tm, stamp->last);
	p = rest != NULL ? rest : p;
	if (at < 0 || *p != ' ')
		return NULL;
	*at_out = at + us;
	return p + 1;
}

const char *log_stamp(LogStamp *stamp, const char *line, gint64 *at_out)
{
	gint64 at = 0;
	const char *rest = g_ascii_isdigit(line[0]) ? rfc3339(stamp, line, &at)
						    : traditional(stamp, line, &at);
	if (rest == NULL)
		return NULL;
	stamp->last = *at_out = at;
	stamp->yearless = !g_ascii_isdigit(line[0]);
	return rest;
}
