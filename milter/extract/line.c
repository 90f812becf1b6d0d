/*
 * In come the pieces of a paragraph, each with the ways of reading it in which it stands; out goes
 * what is shown, and each other way written down whole.  A way that does not differ costs nothing:
 * it begins as a copy of the paragraph where it first does.  In the worker's only thread.
 */
#include "config.h"

#include "line.h"

static const struct {
	guint bit;
	const char *suffix;
} ways[MS_N_WAYS] = {{MS_BEFORE, " (before changes)"}, {MS_HIDDEN, " (with hidden text)"},
	{MS_STORED, " (values)"}};

void ms_line_put(MsLine *line, guint bits, const char *text, gsize len)
{
	for (guint i = 0; i < MS_N_WAYS; i++) {
		bool differs = ((bits & MS_SHOWN) != 0) != ((bits & ways[i].bit) != 0);
		if (line->way[i] == NULL && differs)
			line->way[i] = g_string_new_len(line->out->str + line->start,
				(gssize)(line->out->len - line->start));
		if (line->way[i] != NULL && (bits & ways[i].bit) != 0)
			g_string_append_len(line->way[i], text, (gssize)len);
	}
	if ((bits & MS_SHOWN) != 0)
		g_string_append_len(line->out, text, (gssize)len);
}

void ms_separate(GString *out, char c)
{
	bool ended = c == '\t' && out->len > 0 && out->str[out->len - 1] == '\n';
	if (ended) /* by the paragraph in a cell */
		g_string_truncate(out, out->len - 1);
	if (out->len > 0 && out->str[out->len - 1] != '\n' && out->str[out->len - 1] != c)
		g_string_append_c(out, c);
}

void ms_line_separate(MsLine *line, char c)
{
	ms_separate(line->out, c);
	line->start = MIN(line->start, line->out->len);
	for (guint i = 0; i < MS_N_WAYS; i++)
		if (line->way[i] != NULL)
			ms_separate(line->way[i], c);
}

void ms_line_end(MsLine *line, GString *const changed[MS_N_WAYS])
{
	for (guint i = 0; i < MS_N_WAYS; i++) {
		if (line->way[i] == NULL)
			continue;
		g_string_append_len(changed[i], line->way[i]->str, (gssize)line->way[i]->len);
		ms_separate(changed[i], '\n');
		g_string_free(line->way[i], TRUE);
		line->way[i] = NULL;
	}
	line->start = line->out->len;
}

void ms_extract_changed(
	const MsExtraction *to, const char *place, GString *const changed[MS_N_WAYS])
{
	for (guint i = 0; i < MS_N_WAYS; i++) {
		g_autofree char *where = g_strconcat(place, ways[i].suffix, NULL);
		ms_extract_span(to, where, changed[i]->str, changed[i]->len);
	}
}
