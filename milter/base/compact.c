#include "config.h"

#include <string.h>

#include "missent/compact.h"
#include "missent/text.h"

/* What a byte of folded text is.  A letter that has no ASCII form (CJK, Arabic) and one that
 * has stand side by side without a blank, so a word ends between them. */
enum { GAP = 0, PLAIN = 1, OTHER = 2 };

static guint8 class_of[256];   /* GAP, PLAIN or OTHER */
static guint8 lower_of[256];

static void fill_tables(void)
{
	static gsize done;
	if (!g_once_init_enter(&done))
		return;
	for (int c = 0; c < 256; c++) {
		class_of[c] = c >= 0x80 ? OTHER : g_ascii_isalnum((char)c) ? PLAIN : GAP;
		lower_of[c] = (guint8)g_ascii_tolower((char)c);
	}
	g_once_init_leave(&done, 1);
}

typedef struct {
	MsCompact *out;
	gsize room, word_room;
	int last; /* class of the character before */
} Writer;

/* Room for `more` bytes and a word. */
static void reserve(Writer *w, gsize more)
{
	MsCompact *c = w->out;
	if (c->len + more + 1 > w->room) {
		w->room = (c->len + more + 1) * 2;
		c->text = g_realloc(c->text, w->room);
		c->place = g_renew(guint32, c->place, w->room);
	}
	if (c->n_words + 1 > w->word_room) {
		w->word_room = (c->n_words + 1) * 2;
		c->words = g_renew(MsWord, c->words, w->word_room);
	}
}

static void end_word(Writer *w)
{
	if (w->last != GAP)
		w->out->words[w->out->n_words++].end = (guint32)w->out->len;
	w->last = GAP;
}

static void begin_word(Writer *w, int class)
{
	end_word(w);
	reserve(w, 8);
	w->out->words[w->out->n_words].start = (guint32)w->out->len;
	w->last = class;
}

/* A letter or digit outside ASCII; its place is that of its first byte. */
static gsize take_other(Writer *w, const char *folded, gsize at)
{
	gunichar c = g_utf8_get_char(folded + at);
	gsize step = (gsize)g_utf8_skip[(guchar)folded[at]];
	if (!g_unichar_isalnum(c)) {
		end_word(w);
		return step;
	}
	if (w->last != OTHER)
		begin_word(w, OTHER);
	reserve(w, 8);
	char bytes[6];
	gint n = g_unichar_to_utf8(g_unichar_tolower(c), bytes);
	for (gint i = 0; i < n; i++) {
		w->out->text[w->out->len] = bytes[i];
		w->out->place[w->out->len++] = (guint32)at;
	}
	return step;
}

/* The run of ASCII letters and digits at `at`; there is room for it. */
static gsize take_plain(Writer *w, const char *folded, gsize at, gsize len)
{
	MsCompact *c = w->out;
	gsize n = c->len, i = at;
	while (i < len && class_of[(guchar)folded[i]] == PLAIN) {
		c->text[n] = (char)lower_of[(guchar)folded[i]];
		c->place[n++] = (guint32)i++;
	}
	c->len = n;
	return i - at;
}

MsCompact *ms_compact_new(const char *folded, gsize len)
{
	fill_tables();
	MsCompact *compact = g_new0(MsCompact, 1);
	Writer w = {compact, 0, 0, GAP};
	len = MIN(len, G_MAXUINT32 - 1);
	/* Letters whose lower case is longer are rare: `reserve` grows for them. */
	reserve(&w, len + 8);
	for (gsize i = 0; i < len;) {
		int class = class_of[(guchar)folded[i]];
		if (class == PLAIN) {
			begin_word(&w, PLAIN);
			reserve(&w, len - i);
			i += take_plain(&w, folded, i, len);
		} else if (class == OTHER) {
			i += take_other(&w, folded, i);
		} else {
			end_word(&w);
			i++;
		}
	}
	end_word(&w);
	compact->text[compact->len] = '\0';
	compact->place[compact->len] = (guint32)len;
	return compact;
}

void ms_compact_free(MsCompact *compact)
{
	if (compact == NULL)
		return;
	g_free(compact->text);
	g_free(compact->place);
	g_free(compact->words);
	g_free(compact);
}

char *ms_compact_of(const char *utf8, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(utf8, len);
	g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
	return g_steal_pointer(&compact->text);
}
