/*
 * Two tables.  `starts` says of the first eight bytes of a piece (of all, if it is shorter) which
 * lengths identifiers that begin so have: most words of a text begin none, and one look ends
 * the matter.  `buckets` has a fingerprint of each identifier; a bucket is a line of the
 * processor's cache.  Once it is built or opened a filter does not change; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/filter.h"
#include "missent/kind.h"

#define PREFIX 8
#define MAX_WORDS 64 /* words of one identifier */
#define SLOTS 16     /* a bucket */
#define ANY_TAG (-1)
#define CHUNK 512 /* words whose beginnings are at hand at once */
#define MIN_START_BITS 12
#define MAX_START_BITS 21

typedef struct {
	char magic[8];
	guint64 point, salt;
	guint32 start_bits, n_buckets;
	guint32 lengths; /* of all identifiers together */
	guint32 longest; /* of them, in bytes */
	guint32 n_styles; /* which stand behind the buckets, as marks */
	guint32 free;
	guint64 tags[4]; /* of all identifiers, a bit each */
} Head;
G_STATIC_ASSERT(sizeof(Head) == 80);

struct MsFilter {
	const Head *head;
	const guint16 *starts;
	const guint32 *buckets;
	const MsMark *styles;
	guint64 powers[MS_FILTER_MAX + 1]; /* of the point */
	guint64 ones; /* of PREFIX bytes, what each counts more than its value */
};

/* ---- marks ---------------------------------------------------------------------------- */

/* One byte further.  A byte counts one more than its value, so that no length is hidden. */
static inline guint64 extend(guint64 mark, guint64 point, char byte)
{
	return mark * point + (guchar)byte + 1;
}

/* The polynomial is linear in what it is made of; a filter's places must not be. */
static inline guint64 scatter(guint64 mark, guint64 salt)
{
	guint64 x = mark ^ salt;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

typedef struct {
	guint64 point, salt;
} Key;

static Key take_key(const guint8 *bytes)
{
	Key key;
	memcpy(&key.point, bytes, 8);
	memcpy(&key.salt, bytes + 8, 8);
	key.point |= 257; /* odd, so that no byte's weight is 0 */
	return key;
}

static guint64 polynomial(guint64 point, const char *text, gsize len)
{
	guint64 mark = 0;
	for (gsize i = 0; i < len; i++)
		mark = extend(mark, point, text[i]);
	return mark;
}

/* Of a mark, behind its first bytes; and of a style, whose length is 0, behind its letters. */
enum { STYLE_LEN = MS_STYLE_LETTERS, STYLE_WIDTH, MARK_LEN, MARK_TAG };

bool ms_mark_make(const guint8 key[MS_FILTER_KEY_BYTES], const char *kind, const char *compact,
	gsize len, MsMark *mark_out)
{
	if (len < MS_FILTER_MIN || len > MS_FILTER_MAX)
		return false;
	Key k = take_key(key);
	guint64 whole = scatter(polynomial(k.point, compact, len), k.salt);
	guint64 start = scatter(polynomial(k.point, compact, MIN(len, PREFIX)), k.salt);
	memcpy(mark_out->bytes, &whole, 7);
	memcpy(mark_out->bytes + 7, &start, 3);
	mark_out->bytes[MARK_LEN] = (guint8)len;
	mark_out->bytes[MARK_TAG] = ms_kind_tag(kind);
	return true;
}

void ms_style_mark(const MsStyle *style, MsMark *mark_out)
{
	memset(mark_out, 0, sizeof *mark_out);
	memcpy(mark_out->bytes, style->letters, MIN(style->len, MS_STYLE_LETTERS));
	mark_out->bytes[STYLE_LEN] = (guint8)MIN(style->len, MS_STYLE_LETTERS);
	mark_out->bytes[STYLE_WIDTH] = (guint8)style->width;
	mark_out->bytes[MARK_TAG] = style->tag;
}

void ms_style_read(const MsMark *mark, MsStyle *style_out)
{
	*style_out = (MsStyle){mark->bytes[MARK_TAG], (const char *)mark->bytes,
		MIN(mark->bytes[STYLE_LEN], MS_STYLE_LETTERS), mark->bytes[STYLE_WIDTH]};
}

static bool is_style(const MsMark *mark)
{
	return mark->bytes[MARK_LEN] == 0;
}

/* ---- places --------------------------------------------------------------------------- */

/* Lengths to 23 have a bit of their own. */
static inline guint32 length_bit(gsize len)
{
	return 1U << (len < 24 ? len : MIN(24 + (len - 24) / 13, 31));
}

/* The same in half the room, for a table that is asked of each word: what it lets through falsely
 * the buckets do not have. */
static inline guint16 start_bit(gsize len)
{
	return (guint16)(1U << len % 16);
}

static inline guint32 start_place(guint64 start, guint bits)
{
	return (guint32)(start & 0xffffff) >> (24 - bits);
}

/* The upper half says where, the lower what. */
static inline guint32 bucket_place(guint64 whole, guint32 n_buckets)
{
	return (guint32)(((whole >> 24) & 0xffffffff) * n_buckets >> 32);
}

static inline guint32 fingerprint(guint64 whole)
{
	guint32 f = (guint32)whole & 0xffffff;
	return f != 0 ? f : 1; /* 0 is an empty place */
}

/* ---- building ------------------------------------------------------------------------- */

static void put_mark(
	guint32 *buckets, guint32 n_buckets, guint16 *starts, guint bits, const MsMark *mark)
{
	guint64 whole = 0, start = 0;
	memcpy(&whole, mark->bytes, 7);
	memcpy(&start, mark->bytes + 7, 3);
	starts[start_place(start, bits)] |= start_bit(mark->bytes[MARK_LEN]);
	guint32 entry = fingerprint(whole) | (guint32)mark->bytes[MARK_TAG] << 24;
	for (guint32 b = bucket_place(whole, n_buckets);; b = (b + 1) % n_buckets) {
		guint32 *slots = buckets + (gsize)b * SLOTS;
		for (int i = 0; i < SLOTS; i++) {
			if (slots[i] == entry)
				return;
			if (slots[i] == 0) {
				slots[i] = entry;
				return;
			}
		}
	}
}

GBytes *ms_filter_build(const guint8 key[MS_FILTER_KEY_BYTES], const MsMark *marks, gsize n)
{
	Key k = take_key(key);
	Head head = {
		.magic = MS_FILTER_MAGIC,
		.point = k.point,
		.salt = k.salt,
		.start_bits = MIN_START_BITS};
	while (head.start_bits < MAX_START_BITS && (1ULL << head.start_bits) < n * 8)
		head.start_bits++;
	/* Six of seven places are taken at most. */
	head.n_buckets = (guint32)MIN(n * 7 / 6 / SLOTS + 1, G_MAXUINT32 / SLOTS);
	for (gsize i = 0; i < n; i++) {
		guint8 tag = marks[i].bytes[MARK_TAG];
		head.tags[tag / 64] |= 1ULL << tag % 64;
		head.n_styles += is_style(&marks[i]);
		head.lengths |= is_style(&marks[i]) ? 0 : length_bit(marks[i].bytes[MARK_LEN]);
		head.longest = MAX(head.longest, marks[i].bytes[MARK_LEN]);
	}
	gsize starts = sizeof(guint16) << head.start_bits;
	gsize styles = sizeof head + starts + (gsize)head.n_buckets * SLOTS * sizeof(guint32);
	gsize size = styles + head.n_styles * sizeof(MsMark);
	guint8 *image = g_malloc0(size);
	memcpy(image, &head, sizeof head);
	for (gsize i = 0; i < n; i++) {
		if (is_style(&marks[i])) {
			memcpy(image + styles, &marks[i], sizeof(MsMark));
			styles += sizeof(MsMark);
			continue;
		}
		put_mark((guint32 *)(void *)(image + sizeof head + starts), head.n_buckets,
			(guint16 *)(void *)(image + sizeof head), head.start_bits, &marks[i]);
	}
	return g_bytes_new_take(image, size);
}

/* ---- asking --------------------------------------------------------------------------- */

MsFilter *ms_filter_open(const void *image, gsize size, GError **error)
{
	const Head *head = image;
	bool fine = size >= sizeof *head &&
		memcmp(head->magic, MS_FILTER_MAGIC, sizeof head->magic) == 0
		&& head->start_bits >= MIN_START_BITS
		&& head->start_bits <= MAX_START_BITS && head->n_buckets > 0
		&& head->longest <= MS_FILTER_MAX
		&& size == sizeof *head + (sizeof(guint16) << head->start_bits)
				+ (gsize)head->n_buckets * SLOTS * sizeof(guint32)
				+ head->n_styles * sizeof(MsMark);
	if (!fine) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "not a filter of identifiers");
		return NULL;
	}
	MsFilter *filter = g_new0(MsFilter, 1);
	filter->head = head;
	filter->starts = (const guint16 *)(const void *)((const guint8 *)image + sizeof *head);
	filter->buckets = (const guint32 *)(const void *)(filter->starts +
		(1ULL << head->start_bits));
	filter->styles = (const MsMark *)(const void *)(filter->buckets +
		(gsize)head->n_buckets * SLOTS);
	filter->powers[0] = 1;
	for (gsize i = 1; i <= MS_FILTER_MAX; i++) {
		filter->powers[i] = filter->powers[i - 1] * head->point;
		filter->ones += i <= PREFIX ? filter->powers[i - 1] : 0;
	}
	return filter;
}

void ms_filter_free(MsFilter *filter)
{
	g_free(filter);
}

/* The tags under which the mark is known, one after another from `*slot` on; false: no more. */
static bool next_tag(const MsFilter *filter, guint64 whole, gsize *slot, guint8 *tag)
{
	guint32 n = filter->head->n_buckets, want = fingerprint(whole);
	gsize total = (gsize)n * SLOTS, first = (gsize)bucket_place(whole, n) * SLOTS;
	for (gsize i = *slot; i < total; i++) {
		gsize at = first + i < total ? first + i : first + i - total;
		guint32 entry = filter->buckets[at];
		if (entry == 0)
			return false;
		if ((entry & 0xffffff) == want) {
			*slot = i + 1;
			*tag = (guint8)(entry >> 24);
			return true;
		}
	}
	return false;
}

/* Which lengths, as bits of start_bit(), the identifiers have whose first bytes have this mark. */
static inline guint lengths_of(const MsFilter *filter, guint64 start_mark)
{
	/* A start's bytes are the eighth to tenth of its mark: its lowest three. */
	return filter->starts[start_place(start_mark, filter->head->start_bits)];
}

static bool has_some(const MsFilter *filter, guint8 tag)
{
	return (filter->head->tags[tag / 64] >> tag % 64 & 1) != 0;
}

/* Under this tag, or any?  Most of what is asked for begins as nothing does that is known. */
static bool has_tag(const MsFilter *filter, const char *compact, gsize len, int want)
{
	const Head *head = filter->head;
	if (len < MS_FILTER_MIN || len > MS_FILTER_MAX || (head->lengths & length_bit(len)) == 0 ||
		(want != ANY_TAG && !has_some(filter, (guint8)want)))
		return false;
	guint64 mark = polynomial(head->point, compact, MIN(len, PREFIX));
	if ((lengths_of(filter, scatter(mark, head->salt)) & start_bit(len)) == 0)
		return false;
	for (gsize i = PREFIX; i < len; i++)
		mark = extend(mark, head->point, compact[i]);
	guint64 whole = scatter(mark, head->salt);
	gsize slot = 0;
	guint8 tag;
	while (next_tag(filter, whole & 0xffffffffffffffULL, &slot, &tag))
		if (want == ANY_TAG || tag == want)
			return true;
	return false;
}

typedef struct {
	const MsFilter *filter;
	const MsCompact *text;
	gsize first;   /* starts[i] is the mark of what word first + i begins */
	guint64 starts[CHUNK];
	guint32 shorts; /* lengths of values shorter than PREFIX that the filter has */
	bool (*hit)(const MsHit *hit, void *user);
	void *user;
} Scan;

/* Of the text from `start` on, `len` bytes.  No product waits for another. */
static inline guint64 mark_of(const Scan *s, gsize start, gsize len)
{
	const guchar *text = (const guchar *)s->text->text + start;
	const guint64 *powers = s->filter->powers + len - 1;
	guint64 mark = 0;
	for (gsize i = 0; i < len; i++)
		mark += (guint64)(text[i] + 1) * powers[-(gssize)i];
	return scatter(mark, s->filter->head->salt);
}

/* The same of PREFIX bytes, which is asked of each word. */
static inline guint64 mark_of_start(const Scan *s, gsize start)
{
	const guchar *t = (const guchar *)s->text->text + start;
	const guint64 *p = s->filter->powers;
	guint64 mark = t[0] * p[7] + t[1] * p[6] + t[2] * p[5] + t[3] * p[4] + t[4] * p[3] +
		t[5] * p[2] + t[6] * p[1] + t[7];
	return scatter(mark + s->filter->ones, s->filter->head->salt);
}
G_STATIC_ASSERT(PREFIX == 8);

/* The table is larger than the processor's caches, so its lines are asked for ahead of need. */
static void fill_starts(Scan *s, gsize word)
{
	const MsWord *words = s->text->words;
	s->first = word;
	for (gsize i = word; i < s->text->n_words && i < word + CHUNK; i++) {
		if (words[i].start + PREFIX > s->text->len)
			break; /* nothing that long begins there */
		guint64 mark = mark_of_start(s, words[i].start);
		s->starts[i - word] = mark;
		__builtin_prefetch(
			&s->filter->starts[start_place(mark, s->filter->head->start_bits)]);
	}
}

static bool report(const Scan *s, guint64 whole, gsize first, gsize last)
{
	gsize slot = 0;
	guint8 tag;
	while (next_tag(s->filter, whole & 0xffffffffffffffULL, &slot, &tag)) {
		MsHit hit = {first, last, tag};
		if (!s->hit(&hit, s->user))
			return false;
	}
	return true;
}

/* Those that are shorter than what the table of beginnings has of the others. */
static bool scan_short(const Scan *s, gsize first)
{
	const MsWord *words = s->text->words;
	gsize start = words[first].start, n = s->text->n_words;
	for (gsize last = first, len; last < n && (len = words[last].end - start) < PREFIX;
		last++) {
		if ((s->shorts >> len & 1) == 0)
			continue;
		guint64 whole = mark_of(s, start, len);
		if ((lengths_of(s->filter, whole) & start_bit(len)) &&
			!report(s, whole, first, last))
			return false;
	}
	return true;
}

/* All pieces that begin with word `first`. */
static bool scan_word(const Scan *s, gsize first)
{
	const MsWord *words = s->text->words;
	gsize start = words[first].start, n = MIN(s->text->n_words, first + MAX_WORDS);
	if (s->shorts != 0 && !scan_short(s, first))
		return false;
	if (start + PREFIX > s->text->len)
		return true;
	guint here = lengths_of(s->filter, s->starts[first - s->first]);
	guint32 lengths = s->filter->head->lengths;
	for (gsize last = first; here != 0 && last < n; last++) {
		gsize len = words[last].end - start;
		if (len > s->filter->head->longest)
			break;
		if (len >= PREFIX && (here & start_bit(len)) && (lengths & length_bit(len)) &&
			!report(s, mark_of(s, start, len), first, last))
			return false;
	}
	return true;
}

void ms_filter_scan(const MsFilter *filter, const MsCompact *text,
	bool (*hit)(const MsHit *hit, void *user), void *user)
{
	if (filter->head->lengths == 0)
		return;
	g_autofree Scan *s = g_new(Scan, 1);
	s->filter = filter;
	s->text = text;
	s->shorts = filter->head->lengths & ((1U << PREFIX) - 1);
	s->hit = hit;
	s->user = user;
	for (gsize i = 0; i < text->n_words; i++) {
		if (i % CHUNK == 0)
			fill_starts(s, i);
		if (!scan_word(s, i))
			return;
	}
}

bool ms_filters_any(const MsFilters *filters)
{
	return filters != NULL && (filters->parts[0] != NULL || filters->parts[1] != NULL);
}

bool ms_filters_have_any(const MsFilters *filters, const char *compact, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(filters->parts); i++)
		if (filters->parts[i] != NULL && has_tag(filters->parts[i], compact, len, ANY_TAG))
			return true;
	return false;
}

bool ms_filters_have_some(const MsFilters *filters, guint8 tag)
{
	for (gsize i = 0; filters != NULL && i < G_N_ELEMENTS(filters->parts); i++)
		if (filters->parts[i] != NULL && has_some(filters->parts[i], tag))
			return true;
	return false;
}

bool ms_filters_have(const MsFilters *filters, guint8 tag, const char *compact, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(filters->parts); i++)
		if (filters->parts[i] != NULL && has_tag(filters->parts[i], compact, len, tag))
			return true;
	return false;
}

bool ms_filters_style(const MsFilters *filters, guint n, MsStyle *style_out)
{
	for (gsize i = 0; i < G_N_ELEMENTS(filters->parts); i++) {
		const MsFilter *part = filters->parts[i];
		guint styles = part != NULL ? part->head->n_styles : 0;
		if (n < styles) {
			ms_style_read(&part->styles[n], style_out);
			return true;
		}
		n -= styles;
	}
	return false;
}
