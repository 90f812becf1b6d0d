/*
 * Lines that stand together come in; out go the segments of them that may be one address.  A
 * worker's one thread.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "block.h"

#define MAX_SEGMENTS 8
#define MAX_BLOCK 600
#define FEW_SEGMENTS 4
#define MAX_NUMBERS 20 /* of one address; each might be its postcode or its house's */

typedef struct {
	gsize start, end;
} Segment;

/* White space and quote marks: not part of a segment. */
static bool is_edge(char c)
{
	return g_ascii_isspace(c) || c == '>' || c == '|' || c == '\0';
}

gsize ms_block_end(gsize len, gsize from)
{
	return MIN(len, from + MAX_BLOCK);
}

static guint split(const char *text, gsize len, gsize from, Segment *segments)
{
	guint n = 0;
	gsize limit = ms_block_end(len, from);
	while (from < limit && n < MAX_SEGMENTS) {
		gsize end = from;
		while (end < limit && strchr("\n\t,;", text[end]) == NULL /* folded: no NUL */)
			end++;
		gsize a = from, b = end;
		while (a < b && is_edge(text[a]))
			a++;
		while (b > a && is_edge(text[b - 1]))
			b--;
		if (b > a)
			segments[n++] = (Segment){a, b};
		else if (n > 0 && end < limit && text[end] == '\n')
			break; /* an empty line ends the block */
		from = end + 1;
	}
	return n;
}

static guint numbers(const char *text, gsize from, gsize until)
{
	guint n = 0;
	for (gsize i = from; i < until; i++)
		n += g_ascii_isdigit(text[i]) && (i == from || !g_ascii_isdigit(text[i - 1]));
	return n;
}

void ms_block_ranges(const char *text, gsize len, gsize from, bool few,
	void (*range)(gsize start, gsize end, void *user), void *user)
{
	Segment segments[MAX_SEGMENTS];
	guint n = split(text, len, from, segments);
	n = few ? MIN(n, FEW_SEGMENTS) : n;
	for (guint i = 0; i < (few ? MIN(n, 1) : n); i++) {
		guint found = 0;
		for (guint k = i; k < n; k++) {
			found += numbers(text, segments[k].start, segments[k].end);
			if (found > 0 && found <= MAX_NUMBERS)
				range(segments[i].start, segments[k].end, user);
		}
	}
}
