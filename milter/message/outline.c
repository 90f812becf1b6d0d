/*
 * A message comes in; out goes its outline: what GMime needs of it to find its parts, without the
 * middles of long stretches in which no line begins with "-".  GMime copies and looks at each byte
 * of a picture, and finds nothing there: within the content of a part it looks for lines that begin
 * with a boundary, which begin with two of these.  In the worker's only thread.
 *
 * That a middle is within one part's content is what GMime says of the outline, and holds for the
 * message too: up to there both are alike, and what was left out is no boundary.  Where it does not
 * say so (in a header, before the first part, behind the last), it is to be given all.
 */
#include "config.h"

#include <string.h>

#include "walk.h"

#define LONG 65536 /* bytes of a stretch: of what is shorter little would be saved */
#define SHOWN 4096 /* bytes at its beginning and at its end, and what belongs to their lines */

typedef struct {
	gsize at;   /* in the outline */
	gsize less; /* bytes that are left out here, and before */
} Cut;

struct Outline {
	GByteArray *bytes;
	GArray *cuts; /* of Cut */
};

/* The middle of what is between two places, in whole lines; `shown`: up to where all is in. */
static void leave_out(Outline *outline, const guint8 *data, gsize from, gsize to, gsize *shown)
{
	if (to - from < LONG)
		return;
	const guint8 *inner = data + from + SHOWN;
	gsize len = to - from - 2 * (gsize)SHOWN;
	const guint8 *first = memchr(inner, '\n', len), *last = memrchr(inner, '\n', len);
	if (first == NULL || last - first < LONG / 2)
		return;
	gsize less = outline->cuts->len > 0
		? g_array_index(outline->cuts, Cut, outline->cuts->len - 1).less : 0;
	gsize begin = (gsize)(first - data) + 1, end = (gsize)(last - data) + 1;
	g_byte_array_append(outline->bytes, data + *shown, (guint)(begin - *shown));
	Cut cut = {outline->bytes->len, less + end - begin};
	g_array_append_val(outline->cuts, cut);
	*shown = end;
}

Outline *ms_outline_new(const guint8 *data, gsize len, bool *returns_out)
{
	Outline *outline = g_new(Outline, 1);
	outline->bytes = g_byte_array_new();
	outline->cuts = g_array_new(FALSE, FALSE, sizeof(Cut));
	gsize from = 0, shown = 0;
	*returns_out = false;
	const guint8 *end = data + len, *p = memchr(data, '-', len);
	while (p != NULL) {
		if (p > data && p[-1] == '\n') {
			leave_out(outline, data, from, (gsize)(p - data), &shown);
			from = (gsize)(p - data);
		}
		*returns_out |= p > data && p[-1] == '\r';
		while (p < end && *p == '-')
			p++;
		p = memchr(p, '-', (gsize)(end - p));
	}
	leave_out(outline, data, from, len, &shown);
	if (shown == 0) {
		ms_outline_free(outline);
		return NULL;
	}
	g_byte_array_append(outline->bytes, data + shown, (guint)(len - shown));
	return outline;
}

void ms_outline_free(Outline *outline)
{
	if (outline == NULL)
		return;
	g_byte_array_unref(outline->bytes);
	g_array_unref(outline->cuts);
	g_free(outline);
}

GByteArray *ms_outline_bytes(Outline *outline)
{
	return outline->bytes;
}

/* How many are before that place. */
static guint cuts_before(const Outline *outline, gsize at)
{
	guint low = 0, high = outline->cuts->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (g_array_index(outline->cuts, Cut, middle).at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

gsize ms_outline_place(const Outline *outline, gsize at)
{
	guint n = outline != NULL ? cuts_before(outline, at) : 0;
	return n > 0 ? at + g_array_index(outline->cuts, Cut, n - 1).less : at;
}

bool ms_outline_holds(const Outline *outline, GMimeObject *object)
{
	guint within = 0;
	if (object == NULL)
		return false;
	GMimePartIter *iter = g_mime_part_iter_new(object);
	do {
		GMimeObject *part = g_mime_part_iter_get_current(iter);
		GMimeDataWrapper *content =
			GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : NULL;
		GMimeStream *stream =
			content != NULL ? g_mime_data_wrapper_get_stream(content) : NULL;
		if (GMIME_IS_STREAM_MEM(stream) && stream->bound_end > stream->bound_start &&
			GMIME_STREAM_MEM(stream)->buffer == outline->bytes)
			within += cuts_before(outline, (gsize)stream->bound_end) -
				cuts_before(outline, (gsize)stream->bound_start + 1);
	} while (g_mime_part_iter_next(iter));
	g_mime_part_iter_free(iter);
	return within == outline->cuts->len;
}
