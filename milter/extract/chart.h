/* The numbers of a chart as its axes and labels show them.  Private to extract/. */
#ifndef MISSENT_EXTRACT_CHART_H
#define MISSENT_EXTRACT_CHART_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsChart MsChart;

MsChart *ms_chart_new(void);
void ms_chart_free(MsChart *chart);

/* The elements of a chart's part (ECMA-376 part 1, 21.2) and their text. */
void ms_chart_start(MsChart *chart, const char *name, const char *const *attributes);
void ms_chart_text(MsChart *chart, const char *text, gsize len);
void ms_chart_end(MsChart *chart, const char *name);

/* What else a chart has that is none of such elements: a number, a format (numfmt.h). */
void ms_chart_add_number(MsChart *chart, double number);
void ms_chart_add_format(MsChart *chart, const char *format);

/* Appends what is shown, one a line, up to about `limit` bytes in all; false if not all. */
bool ms_chart_show(const MsChart *chart, GString *out, gsize limit);

#endif
