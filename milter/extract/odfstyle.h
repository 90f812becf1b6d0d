/* What OpenDocument's styles do to text and numbers.  Private to extract/. */
#ifndef MISSENT_EXTRACT_ODFSTYLE_H
#define MISSENT_EXTRACT_ODFSTYLE_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsOdfStyles MsOdfStyles;

MsOdfStyles *ms_odf_styles_new(void);
void ms_odf_styles_free(MsOdfStyles *styles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsOdfStyles, ms_odf_styles_free)

/* Takes all elements of a part, and their text; those that are of no style are no matter to it.
 * A cell, a field or a chart with a number appends to `out` what its style shows, a line for each
 * form it may have. */
void ms_odf_styles_start(MsOdfStyles *styles, const char *name, const char *const *attributes,
	GString *out, gsize limit);
void ms_odf_styles_text(MsOdfStyles *styles, const char *text, gsize len);
/* False if more than `limit` bytes, or more than is kept, would be to append. */
bool ms_odf_styles_end(MsOdfStyles *styles, const char *name, GString *out, gsize limit);
/* The text of a cell is over: where its style writes more, that goes to `out`. */
void ms_odf_styles_end_cell(MsOdfStyles *styles, const char *text, gsize len, GString *out);
/* What a list writes before the paragraph that is open; the caller's, or NULL. */
char *ms_odf_styles_label(MsOdfStyles *styles);
/* Is the text of an element with these attributes not shown? */
bool ms_odf_styles_hides(const MsOdfStyles *styles, const char *const *attributes);

#endif
