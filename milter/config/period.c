/* The clocks of an incident, as the settings name them.  Pure functions. */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/settings.h"

static bool parse_own(const char *text, char **title_out, gint64 *us_out)
{
	static const struct {
		char unit;
		gint64 seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	const char *colon = strrchr(text, ':');
	if (colon == NULL || colon == text)
		return false;
	char *end = NULL;
	gint64 n = g_ascii_strtoll(colon + 1, &end, 10);
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (n > 0 && n <= 10000 && *end == units[i].unit && end[1] == '\0') {
			*title_out = g_strndup(text, (gsize)(colon - text));
			*us_out = n * units[i].seconds * G_USEC_PER_SEC;
			return true;
		}
	return false;
}

bool ms_clock_parse(
	const char *text, MsClockRule *rule_out, char **title_out, gint64 *us_out, GError **error)
{
	static const char *const names[] = {"gdpr", "nis2", "dora"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i], text) == 0) {
			*rule_out = (MsClockRule)i;
			return true;
		}
	*rule_out = MS_CLOCK_OWN;
	if (parse_own(text, title_out, us_out))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no clock: gdpr, nis2, dora, or a title and a time "
		"(\"Contract with A: 2d\")",
		text);
	return false;
}

bool ms_clock_check(const char *text, GError **error)
{
	MsClockRule rule;
	g_autofree char *title = NULL;
	gint64 us;
	return ms_clock_parse(text, &rule, &title, &us, error);
}
