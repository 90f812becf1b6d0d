/*
 * Postal addresses that the directory knows, wherever they stand (postal.h).  The worker's one
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/postal.h"
#include "missent/scan.h"

#include "block.h"
#include "detect_private.h"

typedef struct {
	Search *search;
	const MsKind *kind;
	bool towns; /* some in the directory have no postcode */
} Sink;

static bool may(const char *key, MsPostalDepth depth, void *user)
{
	const Sink *sink = user;
	char part[512];
	if (sink->search->full || !ms_detect_in_time(sink->search, sink->kind))
		return false;
	bool cut = depth == MS_POSTAL_CODE || depth == MS_POSTAL_NUMBER;
	gsize len = g_strlcpy(part, key, sizeof part - 1);
	if (len >= sizeof part - 1)
		return false;
	if (cut)
		part[len++] = '/';
	return ms_filters_have(sink->search->known, sink->kind->tag, part, len);
}

static void found(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	const Sink *sink = user;
	g_autofree char *place = g_strdup(key);
	if (depth == MS_POSTAL_NAME)
		*strrchr(place, '/') = '\0';
	ms_detect_add_value(sink->search, sink->kind, start, end, place,
		MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE |
			(depth == MS_POSTAL_NAME ? MS_BELIEF_CHECKED : 0));
}

/* ---- near known postcodes ------------------------------------------------------------- */

#define AROUND 500 /* bytes of an address before and after its postcode */

typedef struct {
	const Sink *sink;
	bool known;
} Codes;

static void on_code(const char *code, void *user)
{
	Codes *codes = user;
	codes->known = codes->known || may(code, MS_POSTAL_CODE, (void *)codes->sink);
}

static bool copy_word(const Search *s, gsize word, char *out, gsize room)
{
	const MsWord *w = &s->compact->words[word];
	gsize len = w->end - w->start;
	if (len >= room)
		return false;
	memcpy(out, s->compact->text + w->start, len);
	out[len] = '\0';
	return true;
}

typedef struct {
	gsize word;
	bool unsure; /* only if it is cut into words in another way (postal.c) */
} Code;

GArray *ms_detect_codes(void)
{
	return g_array_new(FALSE, FALSE, sizeof(Code));
}

static bool is_known_town(const Sink *sink, const char *text, gsize len)
{
	char town[32] = MS_POSTAL_TOWN;
	if (!sink->towns || len < 3 || len >= 30 || !g_ascii_isalpha(text[0]))
		return false;
	memcpy(town + 1, text, len);
	town[len + 1] = '\0';
	return may(town, MS_POSTAL_CODE, (void *)sink);
}

/* Most words have no digit among their first four. */
static bool has_early_digit(const char *text, gsize len)
{
	bool any = false;
	for (gsize i = 0; len <= 8 && i < MIN(len, 4); i++)
		any = any || g_ascii_isdigit(text[i]);
	return any && len >= 2;
}

static bool begins_known_code(const Search *s, const Sink *sink, gsize word, bool dash)
{
	const MsWord *w = &s->compact->words[word];
	char first[16], second[16];
	bool pair = word + 1 < s->compact->n_words && w[1].from - w->until <= 1
		&& copy_word(s, word + 1, second, sizeof second);
	Codes codes = {sink, false};
	if (copy_word(s, word, first, sizeof first))
		ms_postal_codes(first, pair ? second : NULL, pair && dash, on_code, &codes);
	return codes.known;
}

/* Does it touch a word of another script?  Then postal.c takes both for one. */
static bool is_mixed(const Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	return (w->from > 0 && (s->fold->text[w->from - 1] & 0x80)) ||
		(s->fold->text[w->until] & 0x80) || (s->fold->text[w->from] & 0x80);
}

static void add_code(Search *s, const Sink *sink, gsize word, bool has_digit)
{
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text + w->start;
	gsize len = w->end - w->start;
	char behind = s->fold->text[w->until];
	bool digit = has_digit && has_early_digit(text, len);
	bool known = is_known_town(sink, text, len) ||
		(digit && begins_known_code(s, sink, word, behind == '-'));
	bool unsure = digit && !known &&
		(is_mixed(s, word) || (behind == '/' && begins_known_code(s, sink, word, true)));
	Code code = {word, unsure};
	if (known || unsure)
		g_array_append_val(s->codes, code);
}

static void find_codes(Search *s, const MsKind *kind)
{
	if (s->coded == kind)
		return;
	Sink sink = {s, kind, false};
	s->coded = kind;
	g_array_set_size(s->codes, 0);
	sink.towns = may(MS_POSTAL_TOWN MS_POSTAL_TOWN, MS_POSTAL_CODE, &sink);
	s->worded = ms_filters_have(s->known, kind->tag, MS_POSTAL_WORDS, strlen(MS_POSTAL_WORDS));
	gsize figure = 0;
	for (gsize i = 0; i < s->compact->n_words && !s->full; i++) {
		/* Without towns only words with digits are of interest. */
		if (!sink.towns && figure == s->compact->n_figures)
			break;
		i = sink.towns ? i : s->compact->figures[figure];
		bool has_digit = figure < s->compact->n_figures && s->compact->figures[figure] == i;
		figure += has_digit;
		add_code(s, &sink, i, has_digit);
	}
}

static gsize digit_from(const char *text, gsize until, gsize at)
{
	at = ms_scan_figure(text, until, at);
	while (at < until && !g_ascii_isdigit(text[at]))
		at = ms_scan_figure(text, until, at + 1);
	return at;
}

bool ms_detect_may_be_address(Search *s, const MsKind *kind, gsize start, gsize reach)
{
	gsize until = ms_block_end(reach, start);
	if (!ms_filters_have_some(s->known, kind->tag))
		return false;
	if (start < s->plain_from || start > s->plain_until)
		s->plain_from = s->plain_until = start;
	s->plain_until = digit_from(s->fold->text, until, s->plain_until);
	if (s->plain_until >= until)
		return false;
	find_codes(s, kind);
	if (s->worded)
		return true;
	guint low = 0, high = s->codes->len; /* the first that begins at `start` or behind it */
	while (low < high) {
		guint mid = low + (high - low) / 2;
		if (ms_detect_word_start(s, g_array_index(s->codes, Code, mid).word) < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->codes->len &&
		ms_detect_word_start(s, g_array_index(s->codes, Code, low).word) < until;
}

typedef struct {
	const Sink *sink;
	gsize base; /* of the window in the fold */
} Window;

static bool window_may(const char *key, MsPostalDepth depth, void *user)
{
	return may(key, depth, (void *)((Window *)user)->sink);
}

static void window_found(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	const Window *window = user;
	found(key, depth, window->base + start, window->base + end, (void *)window->sink);
}

static void look_around(const Search *s, const Sink *sink, gsize from, gsize until)
{
	while (from > 0 && ((guchar)s->fold->text[from] & 0xc0) == 0x80)
		from--;
	while (until < s->fold->len && ((guchar)s->fold->text[until] & 0xc0) == 0x80)
		until++;
	Window window = {sink, from};
	MsPostalSink to = {window_may, window_found, &window, sink->towns};
	ms_postal_find(s->fold->text + from, until - from, false, &to);
}

/* Windows that touch are one, so that no address is looked for twice. */
static void near_codes(const Search *s, const Sink *sink)
{
	gsize from = 0, until = 0;
	for (guint i = 0; i < s->codes->len && !s->full; i++) {
		const Code *code = &g_array_index(s->codes, Code, i);
		if (code->unsure)
			continue;
		gsize at = ms_detect_word_start(s, code->word), a = at > AROUND ? at - AROUND : 0;
		if (until > 0 && a > until) {
			look_around(s, sink, from, until);
			from = a;
		} else if (until == 0) {
			from = a;
		}
		until = MIN(s->fold->len, at + AROUND);
	}
	if (until > 0)
		look_around(s, sink, from, until);
}

void ms_detect_addresses(Search *s)
{
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (kind->form != MS_FORM_ADDRESS || !kind->known ||
			!ms_filters_have_some(s->known, kind->tag))
			continue;
		Sink sink = {s, kind, false};
		sink.towns = may(MS_POSTAL_TOWN MS_POSTAL_TOWN, MS_POSTAL_CODE, &sink);
		find_codes(s, kind);
		near_codes(s, &sink);
	}
}
