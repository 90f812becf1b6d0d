#include "config.h"

#include <string.h>

#include "missent/dispatch.h"

/* Characters that look alike to the table: each letter (both cases), each digit, a few marks,
 * and the rest, of which nothing can be told but by trying. */
#define CLASSES 42
#define REST 41
#define ROOT (CLASSES * CLASSES * CLASSES)

static const char marks[] = " -./+";

struct MsDispatch {
	guint8 class_of[256];
	guint16 lists[ROOT]; /* for three classes: a list */
	GArray *starts;      /* of guint32: where each list begins in `members`; one more */
	GArray *members;     /* of guint16 */
};

static void fill_classes(guint8 *class_of)
{
	memset(class_of, REST, 256);
	for (int c = 0; c < 26; c++)
		class_of['a' + c] = class_of['A' + c] = (guint8)c;
	for (int c = 0; c < 10; c++)
		class_of['0' + c] = (guint8)(26 + c);
	for (int c = 0; marks[c] != '\0'; c++)
		class_of[(guchar)marks[c]] = (guint8)(36 + c);
}

static char letter_of(int class)
{
	return (char)(class < 26 ? 'a' + class : class < 36 ? '0' + class - 26 : marks[class - 36]);
}

/* Those of `above` that can begin with `prefix`; after a character of the rest: all of them. */
static void narrow(const GPtrArray *patterns, const GArray *above, const char *prefix, gsize len,
	bool rest, GArray *below)
{
	g_array_set_size(below, 0);
	for (guint i = 0; i < above->len; i++) {
		guint16 n = g_array_index(above, guint16, i);
		if (rest || ms_regex_may_begin(patterns->pdata[n], prefix, len))
			g_array_append_val(below, n);
	}
}

/* Equal lists are kept once. */
static guint16 keep(MsDispatch *d, GHashTable *known, const GArray *list)
{
	GBytes *key = g_bytes_new(list->data, list->len * sizeof(guint16));
	gpointer number;
	if (g_hash_table_lookup_extended(known, key, NULL, &number)) {
		g_bytes_unref(key);
		return (guint16)GPOINTER_TO_UINT(number);
	}
	guint16 n = (guint16)(d->starts->len - 1);
	g_hash_table_insert(known, key, GUINT_TO_POINTER((guint)n));
	g_array_append_vals(d->members, list->data, list->len);
	guint32 end = d->members->len;
	g_array_append_val(d->starts, end);
	return n;
}

typedef struct {
	MsDispatch *dispatch;
	const GPtrArray *patterns;
	GHashTable *known;
	GArray *lists[4]; /* at each depth */
	char prefix[3];
} Build;

static void build(Build *b, int depth, gsize place, bool rest)
{
	if (depth == 3) {
		b->dispatch->lists[place] = keep(b->dispatch, b->known, b->lists[3]);
		return;
	}
	for (int class = 0; class < CLASSES; class++) {
		bool unknown = rest || class == REST;
		if (!unknown)
			b->prefix[depth] = letter_of(class);
		narrow(b->patterns, b->lists[depth], b->prefix, (gsize)depth + 1, unknown,
			b->lists[depth + 1]);
		build(b, depth + 1, place * CLASSES + (gsize)class, unknown);
	}
}

MsDispatch *ms_dispatch_new(const GPtrArray *patterns)
{
	MsDispatch *d = g_new0(MsDispatch, 1);
	fill_classes(d->class_of);
	d->starts = g_array_new(FALSE, TRUE, sizeof(guint32));
	d->members = g_array_new(FALSE, FALSE, sizeof(guint16));
	g_array_set_size(d->starts, 1);
	g_autoptr(GHashTable) known = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	Build b = {.dispatch = d, .patterns = patterns, .known = known};
	for (int i = 0; i < 4; i++)
		b.lists[i] = g_array_new(FALSE, FALSE, sizeof(guint16));
	for (guint i = 0; i < patterns->len; i++) {
		guint16 n = (guint16)i;
		g_array_append_val(b.lists[0], n);
	}
	build(&b, 0, 0, false);
	for (int i = 0; i < 4; i++)
		g_array_unref(b.lists[i]);
	return d;
}

void ms_dispatch_free(MsDispatch *dispatch)
{
	if (dispatch == NULL)
		return;
	g_array_unref(dispatch->starts);
	g_array_unref(dispatch->members);
	g_free(dispatch);
}

const guint16 *ms_dispatch_at(const MsDispatch *dispatch, const char *text, gsize len, gsize at,
	guint *n_out)
{
	gsize place = 0;
	for (gsize i = at; i < at + 3; i++) /* beyond the end nothing is known */
		place = place * CLASSES + (i < len ? dispatch->class_of[(guchar)text[i]] : REST);
	guint16 list = dispatch->lists[place];
	const guint32 *starts = (const guint32 *)(const void *)dispatch->starts->data;
	*n_out = starts[list + 1] - starts[list];
	return (const guint16 *)(const void *)dispatch->members->data + starts[list];
}
