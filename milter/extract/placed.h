/* Pieces of text that a page puts anywhere, in the order in which people read them. */
#ifndef MISSENT_EXTRACT_PLACED_H
#define MISSENT_EXTRACT_PLACED_H

#include "missent/extract.h"

typedef struct MsPlaced MsPlaced;

MsPlaced *ms_placed_new(void);
/* `size` of the letters in the same measure as the place, or 0 if it is not known. */
void ms_placed_add(MsPlaced *placed, double x, double y, double size, const char *text, gsize len);
/* Hands over what was added, by place and once more in the order in which it came; frees. */
void ms_placed_end(MsPlaced *placed, const MsExtraction *to, const char *where);

#endif
