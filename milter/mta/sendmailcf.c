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

/* A line that begins with a blank goes on with the one before it. */
GStrv ms_sendmail_lines(const char *cf)
{
	GString *whole = g_string_new(NULL);
	for (; *cf != '\0'; cf++) {
		bool goes_on = *cf == '\n' && (cf[1] == ' ' || cf[1] == '\t');
		g_string_append_c(whole, goes_on ? ' ' : *cf);
	}
	GStrv out = g_strsplit(whole->str, "\n", -1);
	g_string_free(whole, TRUE);
	return out;
}

const char *ms_sendmail_value(const char *line, const char *name)
{
	gsize len = strlen(name);
	if (line[0] != 'O' || line[1] != ' ')
		return NULL;
	line += 1 + strspn(line + 1, " ");
	if (g_ascii_strncasecmp(line, name, len) != 0)
		return NULL;
	line += len + strspn(line + len, " ");
	return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

char *ms_sendmail_option(const char *cf, const char *name)
{
	g_auto(GStrv) lines = ms_sendmail_lines(cf);
	char *out = NULL;
	for (char **line = lines; *line != NULL; line++) {
		const char *value = ms_sendmail_value(*line, name);
		if (value != NULL) {
			g_free(out);
			out = g_strstrip(g_strdup(value));
		}
	}
	return out;
}
