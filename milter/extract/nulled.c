/*
 * A text comes in; out go once more, without them, its lines that have a NUL within a word.  Some
 * programs show a NUL as a blank or as nothing that parts, and so it is read first; others leave it
 * out, and their readers see one number where two were read.  A worker's one thread.
 *
 * What a list has that NULs set apart is joined by that, too: it counts only where the directory
 * knows it.
 */
#include "config.h"

#include <string.h>

#include "readers.h"

static bool has_one_within_word(const char *line, const char *end)
{
	const char *nul, *behind = line;
	while ((nul = memchr(behind, '\0', (gsize)(end - behind))) != NULL) {
		for (behind = nul; behind < end && *behind == '\0';)
			behind++;
		if (behind == end)
			return false;
		if (nul > line && !g_ascii_isspace(nul[-1]) && !g_ascii_isspace(*behind))
			return true;
	}
	return false;
}

static void add_line(GString *out, const char *line, const char *end)
{
	if (!has_one_within_word(line, end))
		return;
	for (const char *p = line; p < end; p++)
		if (*p != '\0')
			g_string_append_c(out, *p);
	g_string_append_c(out, '\n');
}

void ms_nulled_read(const MsExtraction *to, const MsSpan *span)
{
	const char *end = span->text + span->len;
	if (span->len == 0 || memchr(span->text, '\0', span->len) == NULL)
		return;
	g_autoptr(GString) out = g_string_new(NULL);
	for (const char *line = span->text, *stop; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (gsize)(end - line));
		if (stop == NULL)
			stop = end;
		add_line(out, line, stop);
	}
	if (out->len > 0)
		ms_extract_aside(to, span->where, false, out->str, out->len);
}
