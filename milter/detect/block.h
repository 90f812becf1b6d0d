/* A block of lines after a label, such as a billing address. */
#ifndef MISSENT_DETECT_BLOCK_H
#define MISSENT_DETECT_BLOCK_H

#include <glib.h>
#include <stdbool.h>

/* Calls `range` for each run of neighbouring segments (lines, cells, or pieces between commas) of
 * the block that begins at `from`: the address may be followed by a telephone number and preceded
 * by a name that the directory does not have.  At most 36 runs, and none without a digit: such
 * text is no address, and prose full of labels would cost dear.  `few`: at most 4 runs, from the
 * beginning of the block. */
void ms_block_ranges(const char *text, gsize len, gsize from, bool few,
	void (*range)(gsize start, gsize end, void *user), void *user);

/* Behind which no such run goes. */
gsize ms_block_end(gsize len, gsize from);

#endif
