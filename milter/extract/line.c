/*
 * In come the pieces of a paragraph, each with the ways of reading it in which it stands; out goes
 * what is shown, and each other way written down whole.  A way that does not differ costs nothing:
 * it begins as a copy of the paragraph where it first does.  In the worker's only thread.
 */
#include "config.h"

#include "line.h"

/* An address is on several lines, of which one was changed or is hidden. */
#define BESIDE 2
/* The columns of a table are named above its rows. */
#define ABOVE 8

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

static void end_cell(GString *out, gsize from)
{
	if (out->len > from && out->str[out->len - 1] == '\n') /* by the paragraph in it */
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\t');
}

void ms_line_end_cell(MsLine *line, gsize from)
{
	end_cell(line->out, from);
	line->start = MIN(line->start, line->out->len);
	for (guint i = 0; i < MS_N_WAYS; i++)
		if (line->way[i] != NULL)
			end_cell(line->way[i], 0);
}

void ms_line_drop_empty(MsLine *line)
{
	gsize from = line->out->len;
	while (from > 0 && line->out->str[from - 1] == '\t')
		from--;
	if (from == 0 || line->out->str[from - 1] == '\n')
		g_string_truncate(line->out, from);
	line->start = MIN(line->start, line->out->len);
}

static void add_line(GString *changed, const char *text, gsize len)
{
	g_string_append_len(changed, text, (gssize)len);
	ms_separate(changed, '\n');
}

static gsize before(const GString *out, gsize at, gsize least, guint lines)
{
	for (guint n = 0; n < lines; n++) {
		at -= at > 0;
		while (at > 0 && out->str[at - 1] != '\n')
			at--;
	}
	return MAX(at, least);
}

/* One way of reading what is shown from `start` on, behind the lines above it. */
static void tell(MsLine *line, guint i, gsize start, const GString *way, GString *changed)
{
	const GString *out = line->out;
	bool rows = ways[i].bit == MS_STORED; /* each is whole */
	gsize from = before(out, start, line->told[i], rows ? ABOVE : BESIDE);
	if (from < start)
		add_line(changed, out->str + from, start - from);
	add_line(changed, way->str, way->len);
	line->beside[i] = rows ? 0 : BESIDE;
	line->told[i] = out->len;
}

/* A way of `i`th kind is over, or there is none. */
static void end_way(MsLine *line, guint i, GString *changed)
{
	const GString *out = line->out;
	if (line->way[i] != NULL) {
		tell(line, i, line->start, line->way[i], changed);
		g_string_free(line->way[i], TRUE);
		line->way[i] = NULL;
	} else if (line->beside[i] > 0 && out->len > line->start) {
		add_line(changed, out->str + line->start, out->len - line->start);
		line->beside[i]--;
		line->told[i] = out->len;
	}
}

#define MAX_LABEL 100 /* bytes */

char *ms_line_label(const MsLine *line)
{
	const char *text = line->out->str + line->start;
	gsize len = line->out->len - line->start;
	while (len > 0 && g_ascii_isspace(text[len - 1]))
		len--;
	return len > 1 && len <= MAX_LABEL && text[len - 1] == ':'
		? g_strdup_printf("%.*s\n", (int)len, text)
		: NULL;
}

#define MAX_DRAWN 300 /* bytes */

void ms_line_label_after(const MsLine *line, GString *drawn, GString *out)
{
	g_autofree char *label = drawn->len > 0 && drawn->len <= MAX_DRAWN ? ms_line_label(line)
									   : NULL;
	if (label != NULL)
		g_string_append_printf(out, "%s%s\n", label, drawn->str);
	g_string_truncate(drawn, 0);
}

void ms_line_stored(
	MsLine *line, gsize start, const GString *row, GString *const changed[MS_N_WAYS])
{
	for (guint i = 0; i < MS_N_WAYS; i++)
		if (ways[i].bit == MS_STORED)
			tell(line, i, start, row, changed[i]);
}

void ms_line_end(MsLine *line, GString *const changed[MS_N_WAYS])
{
	for (guint i = 0; i < MS_N_WAYS; i++)
		end_way(line, i, changed[i]);
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
