/*
 * By when whom must be told: the rules that the settings name, with their sources, and when each
 * ends.  Pure functions.
 */
#include "config.h"

#include <string.h>

#include "incident_private.h"

typedef enum { FROM_KNOWN, FROM_CLASSIFIED } FromWhat;

typedef struct {
	MsClockRule rule;
	const char *title, *source;
	FromWhat from;
	gint64 hours;
	gint64 months; /* after these hours */
} Rule;

static const Rule rules[] = {
	{MS_CLOCK_GDPR, "GDPR: notify the supervisory authority",
		"Regulation (EU) 2016/679, Art. 33(1): 72 hours after having become "
		"aware",
		FROM_KNOWN, 72, 0},
	{MS_CLOCK_NIS2, "NIS2: early warning",
		"Directive (EU) 2022/2555, Art. 23(4)(a): 24 hours after becoming aware",
		FROM_KNOWN, 24, 0},
	{MS_CLOCK_NIS2, "NIS2: incident notification",
		"Directive (EU) 2022/2555, Art. 23(4)(b): 72 hours after becoming aware",
		FROM_KNOWN, 72, 0},
	{MS_CLOCK_NIS2, "NIS2: final report",
		"Directive (EU) 2022/2555, Art. 23(4)(d): one month after the incident notification "
		"(here: after its last moment)",
		FROM_KNOWN, 72, 1},
	{MS_CLOCK_DORA, "DORA: initial notification",
		"Regulation (EU) 2022/2554, Art. 19(4)(a), and Delegated Regulation (EU) "
		"2025/301: 4 hours after classification as major",
		FROM_CLASSIFIED, 4, 0},
	{MS_CLOCK_DORA, "DORA: initial notification, at the latest",
		"Delegated Regulation (EU) 2025/301: 24 hours after becoming aware", FROM_KNOWN, 24,
		0},
};

static void free_clock(void *data)
{
	Clock *clock = data;
	g_free(clock->title);
	g_free(clock->source);
	g_free(clock->from_what);
	g_free(clock);
}

static gint64 end_of(const Rule *rule, gint64 from)
{
	gint64 end = from + rule->hours * 3600 * G_USEC_PER_SEC;
	if (from == 0 || rule->months == 0)
		return from == 0 ? 0 : end;
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(end / G_USEC_PER_SEC);
	g_autoptr(GDateTime) later = g_date_time_add_months(time, (int)rule->months);
	return g_date_time_to_unix(later) * G_USEC_PER_SEC;
}

static void add_rule(GPtrArray *clocks, const Rule *rule, const MsReportAsk *ask, gint64 known_at)
{
	Clock *clock = g_new0(Clock, 1);
	bool classified = rule->from == FROM_CLASSIFIED;
	clock->title = g_strdup(rule->title);
	clock->source = g_strdup(rule->source);
	clock->from_what = g_strdup(classified ? "classification as major" : "becoming aware");
	clock->from = classified ? ask->classified_at : known_at;
	clock->ends = end_of(rule, clock->from);
	g_ptr_array_add(clocks, clock);
}

static void add_own(GPtrArray *clocks, char *title, gint64 us, gint64 known_at)
{
	Clock *clock = g_new0(Clock, 1);
	clock->title = title;
	clock->source = g_strdup("as the settings say");
	clock->from_what = g_strdup("becoming aware");
	clock->from = known_at;
	clock->ends = known_at != 0 ? known_at + us : 0;
	g_ptr_array_add(clocks, clock);
}

GPtrArray *incident_clocks(const MsReportAsk *ask, gint64 known_at)
{
	static const char *const usual[] = {"gdpr", NULL};
	const char *const *names = ask->clocks != NULL && ask->clocks[0] != NULL ? ask->clocks
										 : usual;
	GPtrArray *clocks = g_ptr_array_new_with_free_func(free_clock);
	for (gsize i = 0; names[i] != NULL; i++) {
		MsClockRule rule;
		char *title = NULL;
		gint64 us = 0;
		if (!ms_clock_parse(names[i], &rule, &title, &us, NULL))
			continue; /* the settings have none such */
		for (gsize k = 0; k < G_N_ELEMENTS(rules); k++)
			if (rules[k].rule == rule)
				add_rule(clocks, &rules[k], ask, known_at);
		if (rule == MS_CLOCK_OWN)
			add_own(clocks, title, us, known_at);
	}
	return clocks;
}
