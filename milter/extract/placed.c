/*
 * In come pieces of text with their places, out go two spans: lines from top to bottom with the
 * pieces of each from left to right, joined where one begins at the other's end; and the pieces as
 * they came.  Pages are written in pieces of a word, a letter even.  In the worker's only thread.
 */
#include "config.h"

#include "placed.h"

#define WIDTH 0.6 /* of a letter, of its size: the middle of common fonts */

typedef struct {
	double x, y, size;
	gsize at, len; /* in `text` */
	guint letters;
} Piece;

struct MsPlaced {
	GArray *pieces; /* of Piece */
	GString *text;
};

MsPlaced *ms_placed_new(void)
{
	MsPlaced *placed = g_new0(MsPlaced, 1);
	placed->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
	placed->text = g_string_new(NULL);
	return placed;
}

void ms_placed_add(MsPlaced *placed, double x, double y, double size, const char *text, gsize len)
{
	if (len == 0)
		return;
	Piece piece = {x, y, size, placed->text->len, len, (guint)g_utf8_strlen(text, (gssize)len)};
	g_string_append_len(placed->text, text, (gssize)len);
	g_array_append_val(placed->pieces, piece);
}

static int by_place(const void *a, const void *b)
{
	const Piece *p = a, *q = b;
	if (p->y != q->y)
		return p->y < q->y ? -1 : 1;
	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return p->at < q->at ? -1 : p->at > q->at;
}

/* Does `next` begin where `piece` ends?  Without sizes: letters follow each other at once. */
static bool joins(const Piece *piece, const Piece *next)
{
	if (piece->y != next->y)
		return false;
	if (piece->size <= 0)
		return piece->letters <= 2 && next->letters <= 2;
	double end = piece->x + WIDTH * piece->size * piece->letters;
	return next->x > piece->x && next->x < end + 0.35 * piece->size;
}

static GString *lines_of(const MsPlaced *placed)
{
	GString *out = g_string_new(NULL);
	const Piece *last = NULL;
	for (guint i = 0; i < placed->pieces->len; i++) {
		const Piece *piece = &g_array_index(placed->pieces, Piece, i);
		if (last != NULL && !joins(last, piece))
			g_string_append_c(out, last->y == piece->y ? ' ' : '\n');
		g_string_append_len(out, placed->text->str + piece->at, (gssize)piece->len);
		last = piece;
	}
	return out;
}

void ms_placed_end(MsPlaced *placed, const MsExtraction *to, const char *where)
{
	g_autoptr(GString) came = lines_of(placed);
	g_array_sort(placed->pieces, by_place);
	g_autoptr(GString) sorted = lines_of(placed);
	ms_extract_span(to, where, sorted->str, sorted->len);
	if (!g_string_equal(came, sorted)) {
		g_autofree char *place = g_strconcat(where, " (as drawn)", NULL);
		ms_extract_span(to, place, came->str, came->len);
	}
	g_array_unref(placed->pieces);
	g_string_free(placed->text, TRUE);
	g_free(placed);
}
