/*
 * The text of a sendmail.cf comes in; options and equates of it go out.  No state; from any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/mtaconf.h"

char *ms_sendmail_equate(const char *line, char letter)
{
	g_auto(GStrv) words = g_strsplit(line, ",", -1);
	for (char **word = words; *word != NULL; word++) {
		const char *text = g_strstrip(*word);
		const char *equal = strchr(text, '=');
		if (equal != NULL && text[0] == letter)
			return g_strstrip(g_strdup(equal + 1));
	}
	return g_strdup("");
}

char *ms_sendmail_option(const char *cf, const char *name)
{
	g_autofree char *start = g_strdup_printf("O %s=", name);
	g_auto(GStrv) lines = g_strsplit(cf, "\n", -1);
	char *out = NULL;
	for (char **line = lines; *line != NULL; line++) {
		if (g_str_has_prefix(*line, start)) {
			g_free(out);
			out = g_strstrip(g_strdup(*line + strlen(start)));
		}
	}
	return out;
}
