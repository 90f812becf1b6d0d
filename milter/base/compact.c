/*
 * Folded text comes in; out go its letters and digits alone, and where its words begin and end.
 * Any thread.
 */
#include "config.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "missent/compact.h"
#include "missent/scan.h"
#include "missent/text.h"

/* What a byte of folded text is.  A letter that has no ASCII form (CJK, Arabic) and one that
 * has stand side by side without a blank, so a word ends between them.  Not so within Greek,
 * Cyrillic and Armenian, of whose letters some have one: a word there has both, and ends before a
 * digit ("ИНН7707083893"). */
enum { GAP = 0, PLAIN = 1, OTHER = 2, MIXED = 3 };

#define FIRST_OTHER 0x590 /* before it: the alphabets that set words off by blanks */

static guint8 class_of[256]; /* GAP, PLAIN or OTHER */
static guint8 plain_of[256]; /* in lower case, or 0 */

static void fill_tables(void)
{
	static gsize done;
	if (!g_once_init_enter(&done))
		return;
	for (int c = 0; c < 256; c++) {
		class_of[c] = c >= 0x80 ? OTHER : g_ascii_isalnum((char)c) ? PLAIN : GAP;
		plain_of[c] = class_of[c] == PLAIN ? (guint8)g_ascii_tolower((char)c) : 0;
	}
	g_once_init_leave(&done, 1);
}

#define ROOM 32 /* bytes behind the text that may be read, and written while it is made */

typedef struct {
	MsCompact *out;
	gsize word_room, figure_room;
	int last;   /* class of the character before */
	bool digit; /* the word that is written has one */
} Writer;

static void add_figure(Writer *w)
{
	MsCompact *out = w->out;
	if (out->n_figures == w->figure_room) {
		w->figure_room = w->figure_room * 2 + 16;
		out->figures = g_renew(guint32, out->figures, w->figure_room);
	}
	out->figures[out->n_figures++] = (guint32)out->n_words;
	w->digit = false;
}

static inline void end_word(Writer *w, gsize at)
{
	if (w->last != GAP) {
		if (w->digit)
			add_figure(w);
		MsWord *word = &w->out->words[w->out->n_words++];
		word->end = (guint32)w->out->len;
		word->until = (guint32)at;
	}
	w->last = GAP;
}

static inline void begin_word(Writer *w, gsize at, int class)
{
	end_word(w, at);
	if (w->out->n_words == w->word_room) {
		w->word_room = w->word_room * 2 + 16;
		w->out->words = g_renew(MsWord, w->out->words, w->word_room);
	}
	MsWord *word = &w->out->words[w->out->n_words];
	word->start = (guint32)w->out->len;
	word->from = (guint32)at;
	w->last = class;
}

/* A letter or digit outside ASCII. */
static gsize take_other(Writer *w, const char *folded, gsize at)
{
	gunichar c = g_utf8_get_char(folded + at);
	gsize step = (gsize)g_utf8_skip[(guchar)folded[at]];
	if (!g_unichar_isalnum(c)) {
		end_word(w, at);
		return step;
	}
	int class = c < FIRST_OTHER ? MIXED : OTHER;
	if (class == MIXED && w->last == PLAIN && !w->digit)
		w->last = MIXED;
	else if (w->last != class)
		begin_word(w, at, class);
	/* Several may have one capital (σ and ς).  None is more than half as long again. */
	w->out->len += (gsize)g_unichar_to_utf8(
		g_unichar_tolower(g_unichar_toupper(c)), w->out->text + w->out->len);
	return step;
}

/* Sixteen bytes at once: how many of the first are letters and digits, and all of them in small
 * letters to `to`.  Most words are shorter, and a loop's end that nobody can foretell is dear. */
#ifdef __SSE2__
#define STEP 16
static inline gsize take_step(Writer *w, const char *from, char *to)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i letter = _mm_sub_epi8(
		_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
	__m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
	__m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	__m128i small = _mm_or_si128(bytes, _mm_and_si128(is_letter, _mm_set1_epi8(0x20)));
	_mm_storeu_si128((__m128i *)(void *)to, small);
	guint mask = (guint)_mm_movemask_epi8(_mm_or_si128(is_letter, is_digit));
	guint n = (guint)__builtin_ctz(~mask); /* 16: of all */
	w->digit = w->digit || ((guint)_mm_movemask_epi8(is_digit) & ((1u << n) - 1)) != 0;
	return n;
}
#endif

static gsize take_plain(Writer *w, const char *folded, gsize at, gsize len)
{
	char *to = w->out->text + w->out->len;
	gsize i = at;
#ifdef STEP
	for (gsize n = STEP; n == STEP && i + STEP <= len;) {
		n = take_step(w, folded + i, to);
		to += n;
		i += n;
		if (n < STEP) {
			w->out->len += i - at;
			return i - at;
		}
	}
#endif
	for (guint8 c; i < len && (c = plain_of[(guchar)folded[i]]) != 0; i++) {
		*to++ = (char)c;
		w->digit = w->digit || c <= '9';
	}
	w->out->len += i - at;
	return i - at;
}

/* Letters of ASCII that go on with a word of another alphabet. */
static gsize take_mixed(Writer *w, const char *folded, gsize at, gsize len)
{
	gsize i = at;
	for (; i < len && g_ascii_isalpha(folded[i]); i++)
		w->out->text[w->out->len++] = g_ascii_tolower(folded[i]);
	return i - at;
}

MsCompact *ms_compact_new(const char *folded, gsize len)
{
	fill_tables();
	MsCompact *compact = g_new0(MsCompact, 1);
	Writer w = {compact, len / 6 + 16, 0, GAP, false};
	len = MIN(len, G_MAXUINT32 - 1);
	compact->text = g_malloc(len + len / 2 + ROOM);
	compact->words = g_new(MsWord, w.word_room);
	for (gsize i = 0; i < len;) {
		int class = class_of[(guchar)folded[i]];
		if (class == PLAIN && w.last == MIXED && g_ascii_isalpha(folded[i])) {
			i += take_mixed(&w, folded, i, len);
		} else if (class == PLAIN) {
			begin_word(&w, i, PLAIN);
			i += take_plain(&w, folded, i, len);
		} else if (class == OTHER) {
			i += take_other(&w, folded, i);
		} else {
			end_word(&w, i++);
		}
	}
	end_word(&w, len);
	compact->text[compact->len] = '\0';
	return compact;
}

void ms_compact_free(MsCompact *compact)
{
	if (compact == NULL)
		return;
	g_free(compact->text);
	g_free(compact->words);
	g_free(compact->figures);
	g_free(compact);
}

char *ms_compact_of(const char *utf8, gsize len)
{
	if (ms_scan_ascii(utf8, len) == len) { /* each character is its own fold */
		fill_tables();
		char *out = g_malloc(len + 1);
		gsize n = 0;
		for (gsize i = 0; i < len; i++)
			if (plain_of[(guchar)utf8[i]] != 0)
				out[n++] = (char)plain_of[(guchar)utf8[i]];
		out[n] = '\0';
		return out;
	}
	g_autoptr(MsFold) fold = ms_fold_new(utf8, len);
	g_autoptr(MsCompact) compact = ms_compact_new(fold->text, fold->len);
	return g_steal_pointer(&compact->text);
}
