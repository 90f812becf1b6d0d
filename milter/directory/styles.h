/* How the numbers of each kind are made: learned from all rows of an import. */
#ifndef MISSENT_DIRECTORY_STYLES_H
#define MISSENT_DIRECTORY_STYLES_H

#include <glib.h>

#include "missent/kind.h"

typedef struct MsStyles MsStyles;
MsStyles *ms_styles_new(void);
void ms_styles_free(MsStyles *styles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsStyles, ms_styles_free)

void ms_styles_take(MsStyles *styles, const MsKind *kind, const char *canonical);
/* Adds the marks (filter.h) of those that a good part of a kind's numbers have. */
void ms_styles_add_marks(MsStyles *styles, GArray *marks);

#endif
