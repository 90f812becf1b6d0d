#include "config.h"

#include <string.h>

#include "missent/postal.h"

#include "detect_private.h"

/* Postal addresses that the directory knows, wherever they stand (postal.h). */

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
	return ms_filters_have(sink->search->known, sink->kind->name, part, len);
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

static bool begins_known_code(const Search *s, const Sink *sink, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text + w->start;
	gsize len = w->end - w->start;
	char first[16], second[16];
	if (sink->towns && len >= 3 && len < 30 && g_ascii_isalpha(text[0])) {
		char town[32] = MS_POSTAL_TOWN;
		memcpy(town + 1, text, len);
		town[len + 1] = '\0';
		if (may(town, MS_POSTAL_CODE, (void *)sink))
			return true;
	}
	/* Most words have no digit among their first four. */
	if (len < 2 || len > 8 ||
		!(g_ascii_isdigit(text[0]) || g_ascii_isdigit(text[1]) ||
			(len > 2 && g_ascii_isdigit(text[2])) ||
			(len > 3 && g_ascii_isdigit(text[3]))))
		return false;
	bool pair = word + 1 < s->compact->n_words && w[1].from - w->until <= 1
		&& copy_word(s, word + 1, second, sizeof second);
	Codes codes = {sink, false};
	if (copy_word(s, word, first, sizeof first))
		ms_postal_codes(first, pair ? second : NULL, pair && s->fold->text[w->until] == '-',
			on_code, &codes);
	return codes.known;
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
	for (gsize i = 0; i < s->compact->n_words && !s->full; i++) {
		if (!begins_known_code(s, sink, i))
			continue;
		gsize at = ms_detect_word_start(s, i), a = at > AROUND ? at - AROUND : 0;
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
	if (s->known == NULL || (s->known->parts[0] == NULL && s->known->parts[1] == NULL))
		return;
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (kind->form != MS_FORM_ADDRESS || !kind->known)
			continue;
		Sink sink = {s, kind, false};
		sink.towns = may(MS_POSTAL_TOWN MS_POSTAL_TOWN, MS_POSTAL_CODE, &sink);
		near_codes(s, &sink);
	}
}
