/*
 * Numbers of a kind come in, all that a mapping has; out goes how most of them are made: "KD00417"
 * is KD and five digits, "RE20260418" RE and digits, "00417" five digits.  By that a reader
 * completes what people leave out: "customer no. 417".  One thread.
 *
 * A style says little of one customer: it is that of one in eight of the kind's numbers at least,
 * and where they are few, one's letters.  Zeros that fill up stand in the first numbers of a series
 * alone, so of these fewer will do.
 */
#include "config.h"

#include <string.h>

#include "missent/filter.h"

#include "styles.h"

#define MAX_LETTERS 6
#define MAX_DIGITS 15
#define MAX_STYLES 20000 /* that are counted at once; then those that few have are forgotten */
#define LETTERS_SHARE 8
#define ZEROS_SHARE 64

struct MsStyles {
	GHashTable *counts; /* mark of a style to how many have it */
	guint64 all[256];   /* by tag: numbers of the kind */
};

static guint hash_mark(gconstpointer mark)
{
	guint64 first;
	guint32 last;
	memcpy(&first, mark, sizeof first);
	memcpy(&last, (const char *)mark + sizeof first, sizeof last);
	return g_int64_hash(&first) * 31 + last;
}
G_STATIC_ASSERT(sizeof(MsMark) == sizeof(guint64) + sizeof(guint32));

static gboolean same_mark(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(MsMark)) == 0;
}

MsStyles *ms_styles_new(void)
{
	MsStyles *styles = g_new0(MsStyles, 1);
	styles->counts = g_hash_table_new_full(hash_mark, same_mark, g_free, g_free);
	return styles;
}

void ms_styles_free(MsStyles *styles)
{
	if (styles == NULL)
		return;
	g_hash_table_unref(styles->counts);
	g_free(styles);
}

static bool is_of_many(const MsStyles *styles, const MsMark *mark, guint64 n, guint share)
{
	MsStyle style;
	ms_style_read(mark, &style);
	return n * share >= styles->all[style.tag];
}

static gboolean is_of_few(gpointer mark, gpointer n, gpointer styles)
{
	return !is_of_many(styles, mark, *(guint64 *)n, ZEROS_SHARE);
}

static void count(MsStyles *styles, const MsStyle *style)
{
	MsMark mark;
	ms_style_mark(style, &mark);
	guint64 *n = g_hash_table_lookup(styles->counts, &mark);
	if (n == NULL && g_hash_table_size(styles->counts) == MAX_STYLES)
		g_hash_table_foreach_remove(styles->counts, is_of_few, styles);
	if (n == NULL && g_hash_table_size(styles->counts) < MAX_STYLES) {
		n = g_new0(guint64, 1);
		g_hash_table_insert(styles->counts, g_memdup2(&mark, sizeof mark), n);
	}
	if (n != NULL)
		(*n)++;
}

void ms_styles_take(MsStyles *styles, const MsKind *kind, const char *canonical)
{
	char letters[MAX_LETTERS];
	MsStyle style = {.tag = kind->tag, .letters = letters};
	if ((kind->form != MS_FORM_ALNUM && kind->form != MS_FORM_DIGITS) || !kind->known ||
		kind->check != MS_CHECK_NONE || kind->family != MS_FAMILY_NONE)
		return;
	styles->all[style.tag]++;
	for (; g_ascii_isalpha(canonical[style.len]); style.len++) {
		if (style.len == MAX_LETTERS)
			return;
		letters[style.len] = g_ascii_tolower(canonical[style.len]);
	}
	const char *digits = canonical + style.len;
	gsize n = strspn(digits, "0123456789");
	if (n == 0 || n > MAX_DIGITS || digits[n] != '\0')
		return;
	if (style.len > 0)
		count(styles, &style);
	if (*digits != '0')
		return;
	style.width = n;
	count(styles, &style);
}

void ms_styles_add_marks(MsStyles *styles, GArray *marks)
{
	GHashTableIter iter;
	gpointer mark, n;
	g_hash_table_iter_init(&iter, styles->counts);
	while (g_hash_table_iter_next(&iter, &mark, &n)) {
		MsStyle style;
		ms_style_read(mark, &style);
		if (is_of_many(styles, mark, *(guint64 *)n,
			    style.width > 0 ? ZEROS_SHARE : LETTERS_SHARE))
			g_array_append_vals(marks, mark, 1);
	}
}
