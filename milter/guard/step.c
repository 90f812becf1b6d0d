#include "config.h"

#include <string.h>

#include "step.h"

/*
 * A step's operations and a store of values come in, answers and changed values go out; within one
 * transaction, of the caller's thread.  First all are looked at, streams last, for what is over makes
 * bad mail of a stream; then is known whether the message leaves, and only then anything is entered.
 * backend_redis.c has the same rules as a script.
 */

#define FAN_BYTES 28
#define SET_BYTES 12
#define PAIR_BYTES 26
#define GOT_BYTES 18
#define GOT_HEAD 12
#define MAX_PAIRS 12     /* recipients that are remembered of an identifier */
#define MAX_GOT 6        /* identifiers, of a recipient */
#define MANY_TO 8        /* it has no usual recipients: it goes to anybody */
#define MANY_GOT 5       /* he has no usual identifiers: he gets anybody's */
#define MANY_AT 20       /* a domain where many have their mail: it says nothing */
#define AGAIN 72000      /* what was unusual, and comes again after so long (20 h), is usual */
#define MAX_SET 1000
#define VOLUME_FLOOR 1000 /* an hour */
#define VOLUME_HOURS 24
#define CREEP_FLOOR 10
#define CREEP_TIMES 5
#define CREEP_AFTER 100  /* messages */

void ms_step_init(MsStep *step)
{
	memset(step, 0, sizeof *step);
	step->ops = g_array_new(FALSE, TRUE, sizeof(MsOp));
}

void ms_step_clear(MsStep *step)
{
	for (guint i = 0; i < step->ops->len; i++)
		g_byte_array_unref(g_array_index(step->ops, MsOp, i).members);
	g_clear_pointer(&step->ops, g_array_unref);
}

MsOp *ms_step_add(MsStep *step, MsOpLetter letter)
{
	MsOp op = {.letter = letter, .members = g_byte_array_new()};
	g_array_append_val(step->ops, op);
	return &g_array_index(step->ops, MsOp, step->ops->len - 1);
}

void ms_stepped_clear(MsStepped *stepped)
{
	g_clear_pointer(&stepped->answers, g_array_unref);
}

/* ---- numbers -------------------------------------------------------------------------- */

static guint32 get32(const guint8 *p)
{
	return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static void put32(guint8 *p, guint32 n)
{
	p[0] = (guint8)(n >> 24);
	p[1] = (guint8)(n >> 16);
	p[2] = (guint8)(n >> 8);
	p[3] = (guint8)n;
}

static void add32(GByteArray *out, guint32 n)
{
	guint8 four[4];
	put32(four, n);
	g_byte_array_append(out, four, sizeof four);
}

static guint get16(const guint8 *p)
{
	return (guint)p[0] << 8 | p[1];
}

static void put16(guint8 *p, guint n)
{
	p[0] = (guint8)(n >> 8);
	p[1] = (guint8)n;
}

GBytes *ms_stepped_pack(const MsStepped *stepped)
{
	GByteArray *out = g_byte_array_new();
	add32(out, stepped->born);
	for (guint i = 0; i < stepped->answers->len; i++) {
		const MsOpAnswer *a = &g_array_index(stepped->answers, MsOpAnswer, i);
		guint8 over = a->over;
		const guint32 numbers[] = {a->count, a->other, a->since, a->more, a->x, a->y};
		g_byte_array_append(out, &over, 1);
		for (gsize k = 0; k < G_N_ELEMENTS(numbers); k++)
			add32(out, numbers[k]);
	}
	return g_byte_array_free_to_bytes(out);
}

bool ms_stepped_unpack(MsStepped *stepped, const guint8 *data, gsize len, guint n)
{
	if (len != 4 + (gsize)n * MS_ANSWER_BYTES)
		return false;
	stepped->born = get32(data);
	stepped->answers = g_array_new(FALSE, TRUE, sizeof(MsOpAnswer));
	for (guint i = 0; i < n; i++) {
		const guint8 *p = data + 4 + (gsize)i * MS_ANSWER_BYTES;
		const MsOpAnswer a = {p[0] != 0, get32(p + 1), get32(p + 5), get32(p + 9), get32(p + 13),
			get32(p + 17), get32(p + 21)};
		g_array_append_val(stepped->answers, a);
	}
	return true;
}

/* ---- values --------------------------------------------------------------------------- */

typedef struct {
	const MsStep *step;
	const MsValues *values;
	GHashTable *cache; /* key to GBytes, or to a NULL that is known */
	GHashTable *ttls;  /* key to seconds, of what was changed */
	GArray *answers;
	guint32 born;
	guint bad;         /* bit n: stream n has bad mail in this message */
	bool leaves, stopped;
} Run;

static void unref_value(gpointer value)
{
	if (value != NULL)
		g_bytes_unref(value);
}

static char *name_of(char letter, const guint8 key[MS_KEY_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char *name = g_malloc(2 + 2 * MS_KEY_BYTES);
	char *at = name;
	*at++ = letter;
	for (int i = 0; i < MS_KEY_BYTES; i++) {
		*at++ = digits[key[i] >> 4];
		*at++ = digits[key[i] & 15];
	}
	*at = '\0';
	return name;
}

/* Borrowed; `*len_out` 0 where there is none. */
static const guint8 *look(Run *run, const char *name, gsize *len_out)
{
	gpointer value;
	if (!g_hash_table_lookup_extended(run->cache, name, NULL, &value)) {
		value = run->values->get(name, run->values->user);
		g_hash_table_insert(run->cache, g_strdup(name), value);
	}
	*len_out = 0;
	return value != NULL ? g_bytes_get_data(value, len_out) : NULL;
}

static void enter(Run *run, const char *name, GByteArray *value, guint32 ttl)
{
	g_hash_table_insert(run->cache, g_strdup(name), g_byte_array_free_to_bytes(value));
	g_hash_table_insert(run->ttls, g_strdup(name), GUINT_TO_POINTER(ttl));
}

static bool is_alive(const Run *run, guint32 at, guint32 window)
{
	return at > run->step->now || run->step->now - at < window;
}

/* Entries of `size` bytes that end with their time and are not too old. */
static GByteArray *alive(Run *run, const char *name, gsize size, guint32 window)
{
	gsize len;
	const guint8 *data = look(run, name, &len);
	GByteArray *out = g_byte_array_new();
	for (gsize i = 0; i + size <= len; i += size)
		if (is_alive(run, get32(data + i + size - 4), window))
			g_byte_array_append(out, data + i, (guint)size);
	return out;
}

/* The place of the entry whose bytes at `at` are these; -1. */
static int find(const GByteArray *entries, gsize size, gsize at, const guint8 *id)
{
	for (gsize i = 0; i + size <= entries->len; i += size)
		if (memcmp(entries->data + i + at, id, MS_ID_BYTES) == 0)
			return (int)i;
	return -1;
}

static guint count_different(const GByteArray *entries, gsize size, gsize at)
{
	guint n = 0;
	for (gsize i = 0; i + size <= entries->len; i += size)
		n += (gsize)find(entries, size, at, entries->data + i + at) == i;
	return n;
}

/* ---- fan-out -------------------------------------------------------------------------- */

/* With the message's own; `*new_out`: recipients that are new. */
static GByteArray *fan_with(Run *run, const MsOp *op, guint *new_out)
{
	g_autofree char *name = name_of('f', op->key);
	GByteArray *entries = alive(run, name, FAN_BYTES, op->window);
	*new_out = 0;
	for (gsize i = 0; i + 2 * MS_ID_BYTES <= op->members->len; i += 2 * MS_ID_BYTES) {
		int at = find(entries, FAN_BYTES, 0, op->members->data + i);
		if (at >= 0) {
			put32(entries->data + at + FAN_BYTES - 4, run->step->now);
			continue;
		}
		g_byte_array_append(entries, op->members->data + i, 2 * MS_ID_BYTES);
		g_byte_array_append(entries, op->key2, MS_ID_BYTES);
		add32(entries, run->step->now);
		(*new_out)++;
	}
	return entries;
}

/* Is one of those that it asks for not common? */
static bool asked(const Run *run, const MsOp *op)
{
	if (op->asks == 0)
		return true;
	for (guint i = 0; i < MIN(run->answers->len, 32); i++)
		if ((op->asks & 1U << i) != 0 && g_array_index(run->answers, MsOpAnswer, i).more == 0)
			return true;
	return false;
}

/* Longer ago than a window reaches: a newsletter may come weeks after the last invoice. */
static bool was_common(Run *run, const guint8 key[MS_KEY_BYTES])
{
	gsize len;
	g_autofree char *name = name_of('c', key);
	return look(run, name, &len) != NULL;
}

static void look_fan(Run *run, const MsOp *op, MsOpAnswer *out)
{
	guint new;
	g_autoptr(GByteArray) entries = fan_with(run, op, &new);
	out->count = entries->len / FAN_BYTES;
	out->other = count_different(entries, FAN_BYTES, MS_ID_BYTES);
	guint documents = count_different(entries, FAN_BYTES, 2 * MS_ID_BYTES);
	documents += find(entries, FAN_BYTES, 2 * MS_ID_BYTES, op->key2) < 0;
	bool before = (op->flags & 1) != 0 && was_common(run, op->key);
	bool common = before || ((op->flags & 1) != 0 && documents * 2 > out->count);
	out->more = before || (common && out->count > op->limit2);
	bool much = out->count > op->limit || out->other > op->limit2;
	out->over = new > 0 && much && !common && asked(run, op);
}

static void enter_fan(Run *run, const MsOp *op, bool common)
{
	guint new;
	if (common && was_common(run, op->key))
		return;
	if (common) {
		g_autofree char *mark = name_of('c', op->key);
		enter(run, mark, g_byte_array_append(g_byte_array_new(), (const guint8 *)"1", 1), run->step->keep);
	}
	g_autofree char *name = name_of('f', op->key);
	GByteArray *entries = fan_with(run, op, &new);
	if (entries->len > op->limit * FAN_BYTES)
		g_byte_array_set_size(entries, op->limit * FAN_BYTES);
	enter(run, name, entries, op->window);
}

/* ---- sets ----------------------------------------------------------------------------- */

static GByteArray *set_with(Run *run, const MsOp *op, guint *new_out)
{
	g_autofree char *name = name_of('s', op->key);
	GByteArray *entries = alive(run, name, SET_BYTES, op->window);
	*new_out = 0;
	for (gsize i = 0; i + MS_ID_BYTES <= op->members->len; i += MS_ID_BYTES) {
		int at = find(entries, SET_BYTES, 0, op->members->data + i);
		if (at >= 0) {
			put32(entries->data + at + SET_BYTES - 4, run->step->now);
			continue;
		}
		g_byte_array_append(entries, op->members->data + i, MS_ID_BYTES);
		add32(entries, run->step->now);
		(*new_out)++;
	}
	return entries;
}

static guint32 set_limit(Run *run, const MsOp *op)
{
	static const guint8 none[MS_KEY_BYTES];
	bool young = run->step->now - MIN(run->born, run->step->now) < run->step->learn;
	guint32 limit = (op->flags & 1) != 0 && young ? op->limit * 5 : op->limit;
	if (memcmp(op->key2, none, sizeof none) == 0)
		return limit;
	gsize len;
	g_autofree char *name = name_of('a', op->key2);
	const guint8 *got = look(run, name, &len);
	if (len < GOT_HEAD)
		return limit;
	/* What came within the window is what is measured, not what it is measured against. */
	guint32 usual = is_alive(run, get32(got + 8), op->window) ? get32(got + 4) : get32(got);
	return MAX(limit, MIN(usual, MAX_SET / 2) * 2);
}

static void look_set(Run *run, const MsOp *op, MsOpAnswer *out)
{
	guint new;
	g_autoptr(GByteArray) entries = set_with(run, op, &new);
	out->count = entries->len / SET_BYTES;
	out->other = set_limit(run, op);
	out->over = new > 0 && out->count > out->other;
}

static void enter_set(Run *run, const MsOp *op)
{
	guint new;
	g_autofree char *name = name_of('s', op->key);
	GByteArray *entries = set_with(run, op, &new);
	if (entries->len > MAX_SET * SET_BYTES)
		g_byte_array_set_size(entries, MAX_SET * SET_BYTES);
	enter(run, name, entries, op->window);
}

/* ---- history -------------------------------------------------------------------------- */

/* What a recipient got. */
typedef struct {
	guint32 different, times, since;
	bool has;
} Got;

static Got got_of(Run *run, const guint8 key[MS_KEY_BYTES], const guint8 *identifier)
{
	gsize len;
	g_autofree char *name = name_of('a', key);
	const guint8 *data = look(run, name, &len);
	Got got = {.different = len >= GOT_HEAD ? get32(data) : 0};
	for (gsize i = GOT_HEAD; i + GOT_BYTES <= len; i += GOT_BYTES) {
		guint times = get16(data + i + 16);
		got.times += times;
		got.has = got.has || (times > 0 && memcmp(data + i, identifier, MS_ID_BYTES) == 0);
		if (times > 0 && (got.since == 0 || get32(data + i + 8) < got.since))
			got.since = get32(data + i + 8);
	}
	return got;
}

/* Where an identifier went. */
typedef struct {
	guint32 times, since, recipients;
	bool to_address, to_domain, again;
} Went;

static Went went_of(Run *run, const MsOp *op)
{
	gsize len;
	const guint8 *address = op->members->data, *domain = address + MS_ID_BYTES;
	g_autofree char *name = name_of('i', op->key);
	const guint8 *data = look(run, name, &len);
	Went went = {0};
	for (gsize i = 0; i + PAIR_BYTES <= len; i += PAIR_BYTES) {
		guint times = get16(data + i + 24);
		bool same = memcmp(data + i, address, MS_ID_BYTES) == 0;
		went.again = went.again || (same && run->step->now - MIN(get32(data + i + 16), run->step->now) >= AGAIN);
		if (times == 0)
			continue;
		went.times += times;
		went.recipients++;
		went.to_address = went.to_address || same;
		went.to_domain = went.to_domain || memcmp(data + i + 8, domain, MS_ID_BYTES) == 0;
		if (went.since == 0 || get32(data + i + 16) < went.since)
			went.since = get32(data + i + 16);
	}
	return went;
}

static void look_pair(Run *run, const MsOp *op, MsOpAnswer *out)
{
	const guint8 *identifier = op->members->data + 2 * MS_ID_BYTES;
	if ((op->flags & 1) != 0 || was_common(run, op->key))
		return;
	Went went = went_of(run, op);
	Got domain = got_of(run, op->key3, identifier);
	bool shared = domain.different > MANY_AT;
	Got got = shared ? got_of(run, op->key2, identifier) : domain;
	bool known = went.to_address || went.again || (went.to_domain && !shared);
	out->count = went.times;
	out->other = got.times;
	out->since = went.since;
	out->over = !known && !got.has && went.times >= op->limit && went.recipients <= MANY_TO
		&& got.times >= op->limit && got.different <= MANY_GOT;
}

/* The oldest makes room. */
static guint8 *room_in(GByteArray *entries, gsize head, gsize size, guint most, gsize last)
{
	guint n = (entries->len - (guint)head) / (guint)size;
	if (n < most) {
		g_byte_array_set_size(entries, entries->len + (guint)size);
		return entries->data + entries->len - size;
	}
	guint8 *oldest = entries->data + head;
	for (guint i = 1; i < n; i++) {
		guint8 *at = entries->data + head + i * size;
		if (get32(at + last) < get32(oldest + last))
			oldest = at;
	}
	return oldest;
}

static GByteArray *copy_of(Run *run, const char *name)
{
	gsize len;
	const guint8 *data = look(run, name, &len);
	return g_byte_array_append(g_byte_array_new(), data != NULL ? data : (const guint8 *)"", (guint)len);
}

static void enter_went(Run *run, const MsOp *op, bool usual)
{
	g_autofree char *name = name_of('i', op->key);
	GByteArray *entries = copy_of(run, name);
	int found = find(entries, PAIR_BYTES, 0, op->members->data);
	guint8 *at = found >= 0 ? entries->data + found
				: room_in(entries, 0, PAIR_BYTES, MAX_PAIRS, 20);
	if (found < 0) {
		memcpy(at, op->members->data, 2 * MS_ID_BYTES);
		put32(at + 16, run->step->now);
		put16(at + 24, 0);
	}
	put32(at + 20, run->step->now);
	put16(at + 24, MIN(get16(at + 24) + usual, 65535));
	enter(run, name, entries, run->step->keep);
}

static void enter_got(Run *run, const MsOp *op, const guint8 key[MS_KEY_BYTES])
{
	const guint8 *identifier = op->members->data + 2 * MS_ID_BYTES;
	g_autofree char *name = name_of('a', key);
	GByteArray *all = copy_of(run, name);
	if (all->len < GOT_HEAD) {
		g_byte_array_set_size(all, GOT_HEAD);
		memset(all->data, 0, GOT_HEAD);
		put32(all->data + 8, run->step->now);
	}
	if (!is_alive(run, get32(all->data + 8), op->window)) {
		memcpy(all->data + 4, all->data, 4);
		put32(all->data + 8, run->step->now);
	}
	guint8 *at = NULL;
	for (gsize i = GOT_HEAD; i + GOT_BYTES <= all->len && at == NULL; i += GOT_BYTES)
		if (memcmp(all->data + i, identifier, MS_ID_BYTES) == 0)
			at = all->data + i;
	if (at == NULL) {
		at = room_in(all, GOT_HEAD, GOT_BYTES, MAX_GOT, 12);
		memcpy(at, identifier, MS_ID_BYTES);
		put32(at + 8, run->step->now);
		put16(at + 16, 0);
		put32(all->data, get32(all->data) + 1);
	}
	put32(at + 12, run->step->now);
	put16(at + 16, MIN(get16(at + 16) + 1, 65535));
	enter(run, name, all, run->step->keep);
}

static void enter_pair(Run *run, const MsOp *op, bool usual)
{
	if (was_common(run, op->key))
		return;
	enter_went(run, op, usual);
	if (!usual)
		return;
	enter_got(run, op, op->key2);
	enter_got(run, op, op->key3);
}

/* ---- streams -------------------------------------------------------------------------- */

bool ms_stream_unpack(MsStream *stream, const guint8 *data, gsize len)
{
	memset(stream, 0, sizeof *stream);
	gsize recent = len >= MS_STREAM_HEAD ? get32(data + 4 * MS_S_RECENT) : G_MAXSIZE;
	if (recent > sizeof stream->recent || MS_STREAM_HEAD + recent > len)
		return false; /* damaged: as one that is not known, and nothing of it is believed */
	for (guint i = 0; i < MS_STREAM_NUMBERS; i++)
		stream->n[i] = get32(data + 4 * (gsize)i);
	memcpy(stream->recent, data + MS_STREAM_HEAD, recent);
	stream->label = g_strndup((const char *)data + MS_STREAM_HEAD + recent, len - MS_STREAM_HEAD - recent);
	return true;
}

GBytes *ms_stream_pack(const MsStream *stream)
{
	GByteArray *out = g_byte_array_new();
	for (guint i = 0; i < MS_STREAM_NUMBERS; i++)
		add32(out, stream->n[i]);
	g_byte_array_append(out, stream->recent, stream->n[MS_S_RECENT]);
	g_byte_array_append(out, (const guint8 *)stream->label, (guint)strlen(stream->label));
	return g_byte_array_free_to_bytes(out);
}

guint ms_stream_recent_bad(const MsStream *stream)
{
	guint n = 0;
	for (guint i = 0; i < stream->n[MS_S_RECENT]; i++)
		n += stream->recent[i] != 0;
	return n;
}

static void forget_recent(guint32 *n)
{
	n[MS_S_RECENT] = n[MS_S_BAD] = n[MS_S_BAD_BEFORE] = n[MS_S_CLEAN] = 0;
}

static guint32 since(const Run *run, guint32 at)
{
	return run->step->now > at ? run->step->now - at : 0;
}

/* Bad ones in a window that slides over two. */
static guint32 bad_lately(const Run *run, guint32 *n, guint32 window, bool bad)
{
	guint32 age = since(run, n[MS_S_START]);
	if (age >= window) {
		n[MS_S_BAD_BEFORE] = age < 2 * window ? n[MS_S_BAD] : 0;
		n[MS_S_START] = age < 2 * window ? n[MS_S_START] + window : run->step->now;
		n[MS_S_BAD] = 0;
	}
	n[MS_S_BAD] += bad;
	guint64 left = window - MIN(since(run, n[MS_S_START]), window);
	return n[MS_S_BAD] + (guint32)(n[MS_S_BAD_BEFORE] * left / window);
}

static void push_recent(MsStream *stream, bool bad)
{
	guint32 *len = &stream->n[MS_S_RECENT];
	if (*len == sizeof stream->recent)
		memmove(stream->recent, stream->recent + 1, --*len);
	stream->recent[(*len)++] = bad;
}

/* Mail of a stream that is stopped is looked at all the same: when enough of it was clean, it runs. */
static void cool(Run *run, guint32 *n, bool bad, MsOpAnswer *out)
{
	guint32 last = MAX(n[MS_S_TRIPPED], n[MS_S_LAST_BAD]);
	n[MS_S_CLEAN] = bad ? 0 : n[MS_S_CLEAN];
	if (bad || run->step->cool_down == 0 || since(run, last) < run->step->cool_down)
		return;
	run->stopped = false; /* it probes: windows go on */
	if (++n[MS_S_CLEAN] < run->step->probes)
		return;
	n[MS_S_TRIPPED] = 0;
	forget_recent(n);
	out->more |= MS_NEWS_CLOSED;
}

static void look_breaker(Run *run, const MsOp *op, MsStream *stream, bool bad, MsOpAnswer *out)
{
	guint32 *n = stream->n;
	guint32 lately = bad_lately(run, n, op->window, bad);
	push_recent(stream, bad);
	guint recent = ms_stream_recent_bad(stream);
	bool was = n[MS_S_TRIPPED] != 0;
	n[MS_S_ALL]++;
	n[MS_S_ALL_BAD] += bad;
	run->stopped = was;
	if (was)
		cool(run, n, bad, out);
	if (bad)
		n[MS_S_LAST_BAD] = run->step->now;
	if (!was && bad && ((op->limit > 0 && lately >= op->limit) || (op->limit2 > 0 && recent >= op->limit2))) {
		n[MS_S_TRIPPED] = run->step->now;
		n[MS_S_HELD] = n[MS_S_CLEAN] = 0;
		out->more |= MS_NEWS_TRIPPED;
		run->stopped = true;
	}
	out->over = n[MS_S_TRIPPED] != 0;
	n[MS_S_HELD] += out->over;
	out->count = recent;
	out->other = n[MS_S_HELD];
	out->since = n[MS_S_TRIPPED];
}

static void look_volume(Run *run, guint32 *n, MsOpAnswer *out)
{
	guint32 hour = run->step->now / 3600;
	if (hour != n[MS_S_HOUR]) {
		n[MS_S_PEAK] = MAX(n[MS_S_HOUR_COUNT], n[MS_S_PEAK] - n[MS_S_PEAK] / 200);
		n[MS_S_HOURS] += n[MS_S_HOUR_COUNT] > 0;
		n[MS_S_HOUR] = hour;
		n[MS_S_HOUR_COUNT] = 0;
	}
	n[MS_S_HOUR_COUNT]++;
	guint64 most = MAX(VOLUME_FLOOR, (guint64)n[MS_S_PEAK] * run->step->volume);
	if (run->step->volume == 0 || n[MS_S_HOURS] < VOLUME_HOURS || n[MS_S_HOUR_COUNT] <= most)
		return;
	out->more |= MS_NEWS_VOLUME;
	out->x = n[MS_S_HOUR_COUNT];
	out->y = n[MS_S_PEAK];
}

static void look_creep(Run *run, guint32 *n, MsOpAnswer *out)
{
	guint32 to = run->step->recipients, most = n[MS_S_MOST];
	bool creep = n[MS_S_MOST_OF] >= CREEP_AFTER && to > CREEP_FLOOR && to > CREEP_TIMES * most;
	n[MS_S_MOST_OF]++;
	n[MS_S_MOST] = creep ? most * 2 : MAX(most, to); /* what stays is usual, but not at once */
	if (!creep || (out->more & MS_NEWS_VOLUME) != 0)
		return;
	out->more |= MS_NEWS_CREEP;
	out->x = to;
	out->y = most;
}

static GByteArray *as_array(GBytes *bytes)
{
	return g_bytes_unref_to_array(bytes);
}

static void list_stream(Run *run, const MsOp *op)
{
	gsize len;
	const guint8 *listed = look(run, "index", &len);
	for (gsize i = 0; i + MS_KEY_BYTES <= len; i += MS_KEY_BYTES)
		if (memcmp(listed + i, op->key, MS_KEY_BYTES) == 0)
			return;
	GByteArray *index = copy_of(run, "index");
	if (index->len >= 200 * MS_KEY_BYTES)
		g_byte_array_remove_range(index, 0, MS_KEY_BYTES);
	g_byte_array_append(index, op->key, MS_KEY_BYTES);
	enter(run, "index", index, run->step->keep);
}

/* Entered at once: also mail that does not leave is mail of its stream. */
static void run_stream(Run *run, const MsOp *op, guint number, MsOpAnswer *out)
{
	MsStream stream;
	gsize len;
	g_autofree char *name = name_of('b', op->key);
	const guint8 *data = look(run, name, &len);
	bool bad = (op->flags & 1) != 0 || (run->bad & 1U << number) != 0;
	ms_stream_unpack(&stream, data, len);
	g_free(stream.label);
	stream.label = g_strndup((const char *)op->members->data, op->members->len);
	if ((op->flags & 4) != 0) {
		out->over = stream.n[MS_S_TRIPPED] != 0;
		stream.n[MS_S_TRIPPED] = 0;
		forget_recent(stream.n);
	} else {
		look_breaker(run, op, &stream, bad, out);
		look_volume(run, stream.n, out);
		look_creep(run, stream.n, out);
		if (run->stopped && (op->flags & 2) != 0)
			run->leaves = false;
		if (bad)
			list_stream(run, op);
	}
	if (len > 0 || (op->flags & 4) == 0)
		enter(run, name, as_array(ms_stream_pack(&stream)), run->step->keep);
	g_free(stream.label);
}

/* ---- the step ------------------------------------------------------------------------- */

static void look_at(Run *run, guint i)
{
	const MsOp *op = &g_array_index(run->step->ops, MsOp, i);
	MsOpAnswer *out = &g_array_index(run->answers, MsOpAnswer, i);
	switch (op->letter) {
	case MS_OP_FAN: look_fan(run, op, out); break;
	case MS_OP_SET: look_set(run, op, out); break;
	case MS_OP_PAIR: look_pair(run, op, out); break;
	case MS_OP_STREAM: return;
	}
	if (!out->over)
		return;
	run->bad |= op->streams;
	run->leaves = run->leaves && !op->holds;
}

static void enter_op(Run *run, guint i, bool stopped)
{
	const MsOp *op = &g_array_index(run->step->ops, MsOp, i);
	bool over = g_array_index(run->answers, MsOpAnswer, i).over;
	switch (op->letter) {
	case MS_OP_FAN:
		if (run->leaves && !over)
			enter_fan(run, op, g_array_index(run->answers, MsOpAnswer, i).more != 0);
		break;
	case MS_OP_SET:
		if (run->leaves && !over)
			enter_set(run, op);
		break;
	case MS_OP_PAIR: /* the unusual is remembered as such, to be known when it comes again */
		if ((run->leaves || over) && !stopped && !run->step->held)
			enter_pair(run, op, !over);
		break;
	case MS_OP_STREAM: break;
	}
}

static void look_at_all(Run *run)
{
	guint stream = 0;
	bool stopped = false;
	for (guint i = 0; i < run->step->ops->len; i++)
		look_at(run, i);
	for (guint i = 0; i < run->step->ops->len; i++) {
		const MsOp *op = &g_array_index(run->step->ops, MsOp, i);
		if (op->letter != MS_OP_STREAM)
			continue;
		run_stream(run, op, stream++, &g_array_index(run->answers, MsOpAnswer, i));
		stopped = stopped || run->stopped;
	}
	for (guint i = 0; i < run->step->ops->len; i++)
		enter_op(run, i, stopped);
}

static bool is_known(Run *run, const char *name, MsStepped *out)
{
	gsize len;
	const guint8 *before = look(run, name, &len);
	out->again = before != NULL && ms_stepped_unpack(out, before, len, run->step->ops->len);
	return out->again;
}

static void remember_birth(Run *run)
{
	gsize len;
	const guint8 *born = look(run, "born", &len);
	run->born = len == 4 ? get32(born) : run->step->now;
	if (len == 4)
		return;
	GByteArray *value = g_byte_array_new();
	add32(value, run->born);
	enter(run, "born", value, G_MAXUINT32);
}

static void flush(Run *run)
{
	GHashTableIter iter;
	gpointer name, ttl;
	g_hash_table_iter_init(&iter, run->ttls);
	while (g_hash_table_iter_next(&iter, &name, &ttl))
		run->values->set(name, g_hash_table_lookup(run->cache, name), GPOINTER_TO_UINT(ttl),
			run->values->user);
}

void ms_step_run(const MsStep *step, const MsValues *values, MsStepped *out)
{
	g_autoptr(GHashTable) cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_value);
	g_autoptr(GHashTable) ttls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *name = name_of('m', step->message);
	Run run = {.step = step, .values = values, .cache = cache, .ttls = ttls, .leaves = !step->held};
	memset(out, 0, sizeof *out);
	if (is_known(&run, name, out))
		return;
	remember_birth(&run);
	run.answers = g_array_sized_new(FALSE, TRUE, sizeof(MsOpAnswer), step->ops->len);
	g_array_set_size(run.answers, step->ops->len);
	look_at_all(&run);
	*out = (MsStepped){run.answers, run.born, false};
	enter(&run, name, as_array(ms_stepped_pack(out)), MS_KNOWN_SECONDS);
	flush(&run);
}
