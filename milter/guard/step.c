/*
 * A step's operations and a store of values come in, answers and changed values go out; within
 * one transaction, of the caller's thread.  First all are looked at, streams last, for what is
 * over makes bad mail of a stream; then is known whether the message leaves, and only then
 * anything is entered.  backend_redis.c has the same rules as a script.
 */
#include "config.h"

#include <string.h>

#include "missent/guard.h"

#include "step.h"

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
#define DAY 86400        /* no clock is that far ahead of another */
#define MAX_LINKS 200    /* that are kept of an account; the oldest make room */
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
		const MsOpAnswer a = {p[0] != 0, get32(p + 1), get32(p + 5), get32(p + 9),
			get32(p + 13), get32(p + 17), get32(p + 21)};
		g_array_append_val(stepped->answers, a);
	}
	return true;
}

/* ---- values --------------------------------------------------------------------------- */

/* A value that was looked at, and what is to be written of it. */
typedef struct {
	GBytes *value; /* NULL: there is none */
	guint32 ttl;   /* 0: it was not changed */
} Slot;

typedef struct {
	const MsStep *step;
	const MsValues *values;
	GHashTable *slots; /* of MsStepName to Slot */
	GArray *answers;
	guint32 born;
	/* bit n: stream n has bad mail in this message; of one that was seen elsewhere */
	guint bad, moved;
	bool leaves, stopped;
} Run;

static void slot_free(gpointer data)
{
	Slot *slot = data;
	g_clear_pointer(&slot->value, g_bytes_unref);
	g_free(slot);
}

/* Keys are keyed digests: any bytes of them are as good as a hash. */
static guint hash_name(gconstpointer data)
{
	const guint8 *p = ((const MsStepName *)data)->bytes;
	return get32(p + 5) ^ (guint)p[0] << 24 ^ get32(p + 1);
}

static gboolean equal_names(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(MsStepName)) == 0;
}

MsStepName ms_step_name(char letter, const guint8 key[MS_KEY_BYTES])
{
	MsStepName name = {{(guint8)letter}};
	if (key != NULL)
		memcpy(name.bytes + 1, key, MS_KEY_BYTES);
	return name;
}

static Slot *slot_of(Run *run, const MsStepName *name)
{
	Slot *slot = g_hash_table_lookup(run->slots, name);
	if (slot != NULL)
		return slot;
	slot = g_new0(Slot, 1);
	slot->value = run->values->get(name, run->values->user);
	g_hash_table_insert(run->slots, g_memdup2(name, sizeof *name), slot);
	return slot;
}

/* Borrowed; `*len_out` 0 where there is none. */
static const guint8 *look(Run *run, const MsStepName *name, gsize *len_out)
{
	GBytes *value = slot_of(run, name)->value;
	*len_out = 0;
	return value != NULL ? g_bytes_get_data(value, len_out) : NULL;
}

static void enter(Run *run, const MsStepName *name, GByteArray *value, guint32 ttl)
{
	Slot *slot = slot_of(run, name);
	g_clear_pointer(&slot->value, g_bytes_unref);
	slot->value = g_byte_array_free_to_bytes(value);
	slot->ttl = MAX(ttl, 1);
}

static bool is_alive(const Run *run, guint32 at, guint32 window)
{
	/* A clock may be a little ahead of another; what one wrote that was far ahead is not
	 * believed. */
	return (at > run->step->now ? at - run->step->now : run->step->now - at) < window;
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

/* ---- a head, a window of members, and a history ------------------------------------------- */

/* How such a value is made: of an identifier, and of a recipient. */
typedef struct {
	char letter;
	gsize head;  /* bytes */
	gsize size;  /* of a member of the window: its id first, its time last */
	gsize given; /* of one in an operation; the rest is the beginning of key2 */
} Form;
static const Form went_form = {'i', 1, FAN_BYTES, 2 * MS_ID_BYTES};
static const Form got_form = {'a', GOT_HEAD, SET_BYTES, MS_ID_BYTES};

typedef struct {
	const guint8 *head, *members, *history; /* borrowed; a head that is not there is zeros */
	gsize members_len, history_len;
} Parts;

/* One that is damaged is taken for none. */
static Parts parts_of(Run *run, const Form *form, const guint8 key[MS_KEY_BYTES])
{
	static const guint8 none[GOT_HEAD];
	const MsStepName name = ms_step_name(form->letter, key);
	gsize len;
	const guint8 *data = look(run, &name, &len);
	gsize members = len >= form->head + 2 ? get16(data + form->head) * form->size : 0;
	Parts parts = {none, none, none, 0, 0};
	if (len < form->head + 2 + members || len < form->head + 2)
		return parts;
	parts.head = data;
	parts.members = data + form->head + 2;
	parts.members_len = members;
	parts.history = parts.members + members;
	parts.history_len = len - form->head - 2 - members;
	return parts;
}

/* Those that are not too old, with the message's own; `*new_out`: how many of these are new. */
static GByteArray *members_with(
	const Run *run, const Form *form, const Parts *parts, const MsOp *op, guint *new_out)
{
	GByteArray *out = g_byte_array_new();
	gsize size = form->size;
	for (gsize i = 0; i + size <= parts->members_len; i += size)
		if (is_alive(run, get32(parts->members + i + size - 4), op->window))
			g_byte_array_append(out, parts->members + i, (guint)size);
	*new_out = 0;
	for (gsize i = 0; i + form->given <= op->members->len; i += form->given) {
		int at = find(out, size, 0, op->members->data + i);
		if (at >= 0) {
			put32(out->data + at + size - 4, run->step->now);
			continue;
		}
		g_byte_array_append(out, op->members->data + i, (guint)form->given);
		g_byte_array_append(out, op->key2, (guint)(size - form->given - 4));
		add32(out, run->step->now);
		(*new_out)++;
	}
	return out;
}

/* A window alone need not be kept for longer than that. */
static void enter_parts(Run *run, const Form *form, const guint8 key[MS_KEY_BYTES],
	const Parts *parts, guint32 window)
{
	GByteArray *out = g_byte_array_sized_new(
		(guint)(form->head + 2 + parts->members_len + parts->history_len));
	const MsStepName name = ms_step_name(form->letter, key);
	static const guint8 nothing[GOT_HEAD];
	bool lasts = parts->history_len > 0 || memcmp(parts->head, nothing, form->head) != 0;
	guint8 n[2];
	put16(n, (guint)(parts->members_len / form->size));
	g_byte_array_append(out, parts->head, (guint)form->head);
	g_byte_array_append(out, n, sizeof n);
	g_byte_array_append(out, parts->members, (guint)parts->members_len);
	g_byte_array_append(out, parts->history, (guint)parts->history_len);
	enter(run, &name, out, lasts ? MAX(run->step->keep, window) : window);
}

static void enter_members(Run *run, const Form *form, const MsOp *op, guint most)
{
	guint new;
	Parts parts = parts_of(run, form, op->key);
	g_autoptr(GByteArray) members = members_with(run, form, &parts, op, &new);
	parts.members = members->data;
	parts.members_len = MIN(members->len, most * form->size);
	enter_parts(run, form, op->key, &parts, op->window);
}

/* ---- fan-out -------------------------------------------------------------------------- */

/* Is one of those that it asks for not common? */
static bool asked(const Run *run, const MsOp *op)
{
	if (op->asks == 0)
		return true;
	for (guint i = 0; i < MIN(run->answers->len, 32); i++)
		if ((op->asks & 1U << i) != 0 &&
			g_array_index(run->answers, MsOpAnswer, i).more == 0)
			return true;
	return false;
}

/* Longer ago than a window reaches: a newsletter may come weeks after the last invoice. */
static bool was_common(Run *run, const guint8 key[MS_KEY_BYTES])
{
	return parts_of(run, &went_form, key).head[0] != 0;
}

static void look_fan(Run *run, const MsOp *op, MsOpAnswer *out)
{
	guint new;
	Parts parts = parts_of(run, &went_form, op->key);
	g_autoptr(GByteArray) entries = members_with(run, &went_form, &parts, op, &new);
	out->count = entries->len / FAN_BYTES;
	out->other = count_different(entries, FAN_BYTES, MS_ID_BYTES);
	guint documents = count_different(entries, FAN_BYTES, 2 * MS_ID_BYTES);
	documents += find(entries, FAN_BYTES, 2 * MS_ID_BYTES, op->key2) < 0;
	bool before = (op->flags & 1) != 0 && parts.head[0] != 0;
	bool common = before || ((op->flags & 1) != 0 && documents * 2 > out->count);
	out->more = before || (common && out->count > op->limit2);
	bool much = out->count > op->limit || out->other > op->limit2;
	out->over = new > 0 && much && !common && asked(run, op);
}

/* Of what is common nothing is kept but that. */
static void enter_fan(Run *run, const MsOp *op, bool common)
{
	static const Parts mark = {.head = (const guint8 *)"\1",
		.members = (const guint8 *)"",
		.history = (const guint8 *)""};
	if (common && was_common(run, op->key))
		return;
	if (common)
		enter_parts(run, &went_form, op->key, &mark, op->window);
	else
		enter_members(run, &went_form, op, op->limit);
}

/* ---- sets ----------------------------------------------------------------------------- */

/* Where a set learns by itself, its head has the most of this window, and of those before. */
static guint32 most_of(const guint8 *head)
{
	return MAX(get32(head), get32(head + 4));
}

static guint32 set_limit(const Run *run, const MsOp *op, const Parts *parts)
{
	const guint8 *got = parts->head;
	bool alive = is_alive(run, get32(got + 8), op->window);
	if ((op->flags & 2) != 0)
		return MAX(op->limit, 2 * MIN(alive ? get32(got + 4) : most_of(got), MAX_SET / 2));
	bool young = run->step->now - MIN(run->born, run->step->now) < run->step->learn;
	guint32 limit = (op->flags & 1) != 0 && young ? op->limit * 5 : op->limit;
	/* What came within the window is what is measured, not what it is measured against. */
	guint32 usual = alive ? get32(got + 4) : get32(got);
	return MAX(limit, MIN(usual, MAX_SET / 2) * 2);
}

static void look_set(Run *run, const MsOp *op, MsOpAnswer *out)
{
	guint new;
	Parts parts = parts_of(run, &got_form, op->key);
	g_autoptr(GByteArray) entries = members_with(run, &got_form, &parts, op, &new);
	out->count = entries->len / SET_BYTES;
	out->other = set_limit(run, op, &parts);
	out->over = new > 0 && out->count > out->other;
}

/* What is far below the limit need not be known for longer than a window. */
static void enter_set(Run *run, const MsOp *op, guint32 count)
{
	Parts parts = parts_of(run, &got_form, op->key);
	guint8 head[GOT_HEAD];
	memcpy(head, parts.head, sizeof head);
	enter_members(run, &got_form, op, MAX_SET);
	if ((op->flags & 2) == 0 || 2 * count <= op->limit)
		return;
	if (!is_alive(run, get32(head + 8), op->window)) {
		put32(head + 4, most_of(head));
		put32(head, 0);
		put32(head + 8, run->step->now);
	}
	put32(head, MAX(get32(head), count));
	parts = parts_of(run, &got_form, op->key);
	parts.head = head;
	enter_parts(run, &got_form, op->key, &parts, op->window);
}

/* ---- history -------------------------------------------------------------------------- */

/* What a recipient got. */
typedef struct {
	guint32 different, times;
	bool has;
} Got;

static Got got_of(Run *run, const guint8 key[MS_KEY_BYTES], const guint8 *identifier)
{
	Parts parts = parts_of(run, &got_form, key);
	Got got = {.different = get32(parts.head)};
	for (gsize i = 0; i + GOT_BYTES <= parts.history_len; i += GOT_BYTES) {
		guint times = get16(parts.history + i + 16);
		got.times += times;
		got.has = got.has ||
			(times > 0 && memcmp(parts.history + i, identifier, MS_ID_BYTES) == 0);
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
	const guint8 *address = op->members->data, *domain = address + MS_ID_BYTES;
	Parts parts = parts_of(run, &went_form, op->key);
	Went went = {0};
	for (gsize i = 0; i + PAIR_BYTES <= parts.history_len; i += PAIR_BYTES) {
		const guint8 *at = parts.history + i;
		guint times = get16(at + 24);
		bool same = memcmp(at, address, MS_ID_BYTES) == 0;
		went.again = went.again ||
			(same && run->step->now - MIN(get32(at + 16), run->step->now) >= AGAIN);
		if (times == 0)
			continue;
		went.times += times;
		went.recipients++;
		went.to_address = went.to_address || same;
		went.to_domain = went.to_domain || memcmp(at + 8, domain, MS_ID_BYTES) == 0;
		if (went.since == 0 || get32(at + 16) < went.since)
			went.since = get32(at + 16);
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
	out->more = !known && !got.has && went.times >= op->limit && went.recipients <= MANY_TO
		&& got.different <= MANY_GOT;
	out->over = out->more != 0 && got.times >= op->limit;
}

/* The oldest makes room. */
static guint8 *room_in(GByteArray *entries, gsize size, guint most, gsize last)
{
	guint n = entries->len / (guint)size;
	if (n < most) {
		g_byte_array_set_size(entries, entries->len + (guint)size);
		return entries->data + entries->len - size;
	}
	guint8 *oldest = entries->data;
	for (guint i = 1; i < n; i++) {
		guint8 *at = entries->data + i * size;
		if (get32(at + last) < get32(oldest + last))
			oldest = at;
	}
	return oldest;
}

static GByteArray *history_of(const Parts *parts, gsize size)
{
	return g_byte_array_append(
		g_byte_array_new(), parts->history, (guint)(parts->history_len / size * size));
}

static void enter_history(Run *run, const Form *form, const guint8 key[MS_KEY_BYTES], Parts *parts,
	const GByteArray *history, guint32 window)
{
	parts->history = history->data;
	parts->history_len = history->len;
	enter_parts(run, form, key, parts, window);
}

static void enter_went(Run *run, const MsOp *op, bool usual)
{
	Parts parts = parts_of(run, &went_form, op->key);
	g_autoptr(GByteArray) entries = history_of(&parts, PAIR_BYTES);
	int found = find(entries, PAIR_BYTES, 0, op->members->data);
	guint8 *at = found >= 0 ? entries->data + found
				: room_in(entries, PAIR_BYTES, MAX_PAIRS, 20);
	if (found < 0) {
		memcpy(at, op->members->data, 2 * MS_ID_BYTES);
		put32(at + 16, run->step->now);
		put16(at + 24, 0);
	}
	put32(at + 20, run->step->now);
	put16(at + 24, MIN(get16(at + 24) + usual, 65535));
	enter_history(run, &went_form, op->key, &parts, entries, op->window);
}

static void enter_got(Run *run, const MsOp *op, const guint8 key[MS_KEY_BYTES])
{
	const guint8 *identifier = op->members->data + 2 * MS_ID_BYTES;
	Parts parts = parts_of(run, &got_form, key);
	g_autoptr(GByteArray) entries = history_of(&parts, GOT_BYTES);
	guint8 head[GOT_HEAD];
	memcpy(head, parts.head, sizeof head);
	if (get32(head + 8) == 0 || !is_alive(run, get32(head + 8), op->window)) {
		memcpy(head + 4, head, 4);
		put32(head + 8, run->step->now);
	}
	int found = find(entries, GOT_BYTES, 0, identifier);
	guint8 *at = found >= 0 ? entries->data + found : room_in(entries, GOT_BYTES, MAX_GOT, 12);
	if (found < 0) {
		memcpy(at, identifier, MS_ID_BYTES);
		put32(at + 8, run->step->now);
		put16(at + 16, 0);
		put32(head, get32(head) + 1);
	}
	put32(at + 12, run->step->now);
	put16(at + 16, MIN(get16(at + 16) + 1, 65535));
	parts.head = head;
	enter_history(run, &got_form, key, &parts, entries, op->window);
}

static void enter_pair(Run *run, const MsOp *op, bool usual)
{
	if (was_common(run, op->key))
		return;
	enter_went(run, op, usual);
	if (!usual)
		return;
	enter_got(run, op, op->key2);
	if (get32(parts_of(run, &got_form, op->key3).head) <=
		MANY_AT) /* else it says nothing, ever again */
		enter_got(run, op, op->key3);
}

/* ---- accounts ------------------------------------------------------------------------- */

/* Written when there is something new, and now and then, so that it lasts as long as what it
 * leads to. */
static void enter_links(Run *run, const MsOp *op)
{
	gsize len;
	const MsStepName name = ms_step_name('t', op->key);
	const guint8 *data = look(run, &name, &len);
	GByteArray *links = g_byte_array_new();
	add32(links, run->step->now);
	bool changed = len < MS_LINK_HEAD ||
		run->step->now - MIN(get32(data), run->step->now) > run->step->keep / 8;
	for (gsize i = MS_LINK_HEAD; i + MS_LINK_BYTES <= len; i += MS_LINK_BYTES)
		g_byte_array_append(links, data + i, MS_LINK_BYTES);
	for (gsize i = 0; i + MS_LINK_BYTES <= op->members->len; i += MS_LINK_BYTES) {
		gsize at = MS_LINK_HEAD;
		while (at < links->len &&
			memcmp(links->data + at, op->members->data + i, MS_LINK_BYTES) != 0)
			at += MS_LINK_BYTES;
		if (at < links->len)
			continue;
		changed = true;
		g_byte_array_append(links, op->members->data + i, MS_LINK_BYTES);
	}
	while (links->len > MS_LINK_HEAD + MAX_LINKS * MS_LINK_BYTES)
		g_byte_array_remove_range(links, MS_LINK_HEAD, MS_LINK_BYTES);
	if (changed)
		enter(run, &name, links, run->step->keep);
	else
		g_byte_array_unref(links);
}

static bool is_member(const MsOp *op, const guint8 *id)
{
	for (gsize i = 0; i + MS_ID_BYTES <= op->members->len; i += MS_ID_BYTES)
		if (memcmp(op->members->data + i, id, MS_ID_BYTES) == 0)
			return true;
	return false;
}

static GByteArray *without(const MsOp *op, const guint8 *entries, gsize len, gsize size)
{
	GByteArray *out = g_byte_array_new();
	for (gsize i = 0; i + size <= len; i += size)
		if (!is_member(op, entries + i))
			g_byte_array_append(out, entries + i, (guint)size);
	return out;
}

static void strip(Run *run, const MsOp *op)
{
	const Form *form = op->flags == 'i' ? &went_form : &got_form;
	Parts parts = parts_of(run, form, op->key);
	g_autoptr(GByteArray) members = without(op, parts.members, parts.members_len, form->size);
	g_autoptr(GByteArray) history = without(op, parts.history, parts.history_len,
		op->flags == 'i' ? PAIR_BYTES : GOT_BYTES);
	parts.members = members->data;
	parts.members_len = members->len;
	enter_history(run, form, op->key, &parts, history, op->window);
}

static void forget(Run *run, const MsOp *op, MsOpAnswer *out)
{
	gsize len;
	const MsStepName name = ms_step_name((char)op->flags, op->key);
	look(run, &name, &len);
	out->count = len > 0;
	if (len > 0 && op->members->len > 0)
		strip(run, op);
	else if (len > 0)
		enter(run, &name, g_byte_array_new(), 1);
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
	stream->label = g_strndup(
		(const char *)data + MS_STREAM_HEAD + recent, len - MS_STREAM_HEAD - recent);
	return true;
}

static GBytes *pack_stream(const MsStream *stream)
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
	if (n[MS_S_START] > run->step->now && n[MS_S_START] - run->step->now >= window)
		age = 2 * window; /* of a clock that was far ahead */
	if (age >= window) {
		n[MS_S_BAD_BEFORE] = age < 2 * window ? n[MS_S_BAD] : 0;
		n[MS_S_START] = age < 2 * window ? n[MS_S_START] + window : run->step->now;
		n[MS_S_BAD] = 0;
	}
	n[MS_S_BAD] += bad;
	guint64 left = window - MIN(since(run, n[MS_S_START]), window);
	return n[MS_S_BAD] + (guint32)(n[MS_S_BAD_BEFORE] * left / window);
}

static void push_recent(MsStream *stream, MsMail mail)
{
	guint32 *len = &stream->n[MS_S_RECENT];
	if (*len == sizeof stream->recent)
		memmove(stream->recent, stream->recent + 1, --*len);
	stream->recent[(*len)++] = (guint8)mail;
}

/* One whose customer's mail went to others before is half a bad one: a few are usual, many at
 * once are not. */
static guint halves_lately(const MsStream *stream)
{
	guint n = 0;
	for (guint i = 0; i < stream->n[MS_S_RECENT]; i++)
		n += stream->recent[i] == MS_MAIL_BAD ? 2 : stream->recent[i] != MS_MAIL_GOOD;
	return n;
}

/* Mail of a stream that is stopped is looked at all the same: when enough of it was clean, it
 * runs. */
static void cool(Run *run, guint32 *n, MsMail mail, MsOpAnswer *out)
{
	guint32 last = MAX(n[MS_S_TRIPPED], n[MS_S_LAST_BAD]);
	n[MS_S_CLEAN] = mail == MS_MAIL_BAD ? 0 : n[MS_S_CLEAN];
	if (mail != MS_MAIL_GOOD || run->step->cool_down == 0 ||
		since(run, last) < run->step->cool_down)
		return;
	run->stopped = false; /* it probes: windows go on */
	if (++n[MS_S_CLEAN] < run->step->probes)
		return;
	n[MS_S_TRIPPED] = 0;
	forget_recent(n);
	out->more |= MS_NEWS_CLOSED;
}

static void trip(Run *run, guint32 *n, MsOpAnswer *out)
{
	n[MS_S_TRIPPED] = run->step->now;
	n[MS_S_HELD] = n[MS_S_CLEAN] = 0;
	out->more |= MS_NEWS_TRIPPED;
	run->stopped = true;
}

static void look_breaker(Run *run, const MsOp *op, MsStream *stream, MsMail mail, MsOpAnswer *out)
{
	guint32 *n = stream->n;
	bool bad = mail == MS_MAIL_BAD;
	guint32 lately = bad_lately(run, n, op->window, bad);
	push_recent(stream, mail);
	guint recent = ms_stream_recent_bad(stream), halves = halves_lately(stream);
	bool was = n[MS_S_TRIPPED] != 0;
	n[MS_S_ALL]++;
	n[MS_S_ALL_BAD] += bad;
	run->stopped = was;
	if (was)
		cool(run, n, mail, out);
	if (bad)
		n[MS_S_LAST_BAD] = run->step->now;
	if (!was && ((bad && op->limit > 0 && lately >= op->limit)
		    || (mail != MS_MAIL_GOOD && op->limit2 > 0 && halves >= 2 * op->limit2)))
		trip(run, n, out);
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
	const MsStepName name = ms_step_name('x', NULL);
	const guint8 *listed = look(run, &name, &len);
	for (gsize i = 0; i + MS_KEY_BYTES <= len; i += MS_KEY_BYTES)
		if (memcmp(listed + i, op->key, MS_KEY_BYTES) == 0)
			return;
	GByteArray *index = g_byte_array_append(
		g_byte_array_new(), listed != NULL ? listed : (const guint8 *)"", (guint)len);
	if (index->len >= 200 * MS_KEY_BYTES)
		g_byte_array_remove_range(index, 0, MS_KEY_BYTES);
	g_byte_array_append(index, op->key, MS_KEY_BYTES);
	enter(run, &name, index, run->step->keep);
}

/* Entered at once: also mail that does not leave is mail of its stream. */
static void run_stream(Run *run, const MsOp *op, guint number, MsOpAnswer *out)
{
	MsStream stream;
	gsize len;
	const MsStepName name = ms_step_name('b', op->key);
	const guint8 *data = look(run, &name, &len);
	MsMail mail = (op->flags & 1) != 0 || (run->bad & 1U << number) != 0 ? MS_MAIL_BAD
		: (run->moved & 1U << number) != 0 ? MS_MAIL_MOVED : MS_MAIL_GOOD;
	ms_stream_unpack(&stream, data, len);
	g_free(stream.label);
	stream.label = g_strndup((const char *)op->members->data, op->members->len);
	if ((op->flags & 4) != 0) {
		out->over = stream.n[MS_S_TRIPPED] != 0;
		stream.n[MS_S_TRIPPED] = 0;
		forget_recent(stream.n);
	} else {
		look_breaker(run, op, &stream, mail, out);
		look_volume(run, stream.n, out);
		look_creep(run, stream.n, out);
		if (run->stopped && (op->flags & 2) != 0)
			run->leaves = false;
		if (mail == MS_MAIL_BAD || out->over)
			list_stream(run, op);
	}
	if (len > 0 || (op->flags & 4) == 0)
		enter(run, &name, as_array(pack_stream(&stream)), run->step->keep);
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
	case MS_OP_STREAM:
	case MS_OP_LINK:
	case MS_OP_FORGET: return;
	}
	run->moved |= op->letter == MS_OP_PAIR && out->more != 0 ? op->streams : 0;
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
			enter_set(run, op, g_array_index(run->answers, MsOpAnswer, i).count);
		break;
	case MS_OP_PAIR: /* the unusual is remembered as such, to be known when it comes again */
		if ((run->leaves || over) && !stopped && !run->step->held)
			enter_pair(run, op, !over);
		break;
	case MS_OP_LINK:
		if (!stopped && !run->step->held)
			enter_links(run, op);
		break;
	case MS_OP_FORGET:
		forget(run, op, &g_array_index(run->answers, MsOpAnswer, i));
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

static bool is_known(Run *run, const MsStepName *name, MsStepped *out)
{
	gsize len;
	const guint8 *before = look(run, name, &len);
	out->again = before != NULL && ms_stepped_unpack(out, before, len, run->step->ops->len);
	return out->again;
}

static void remember_birth(Run *run)
{
	gsize len;
	const MsStepName name = ms_step_name('n', NULL);
	const guint8 *born = look(run, &name, &len);
	run->born = len == 4 ? get32(born) : run->step->now;
	if (len == 4 && run->born < run->step->now + DAY)
		return;
	run->born = run->step->now;
	GByteArray *value = g_byte_array_new();
	add32(value, run->born);
	enter(run, &name, value, G_MAXUINT32);
}

static void flush(Run *run)
{
	GHashTableIter iter;
	gpointer name, value;
	g_hash_table_iter_init(&iter, run->slots);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const Slot *slot = value;
		if (slot->ttl > 0)
			run->values->set(name, slot->value, slot->ttl, run->values->user);
	}
}

void ms_step_run(const MsStep *step, const MsValues *values, MsStepped *out)
{
	g_autoptr(GHashTable)
		slots = g_hash_table_new_full(hash_name, equal_names, g_free, slot_free);
	const MsStepName name = ms_step_name('m', step->message);
	Run run = {.step = step, .values = values, .slots = slots, .leaves = !step->held};
	memset(out, 0, sizeof *out);
	if (is_known(&run, &name, out))
		return;
	remember_birth(&run);
	run.answers = g_array_sized_new(FALSE, TRUE, sizeof(MsOpAnswer), step->ops->len);
	g_array_set_size(run.answers, step->ops->len);
	look_at_all(&run);
	*out = (MsStepped){run.answers, run.born, false};
	enter(&run, &name, as_array(ms_stepped_pack(out)), MS_GUARD_KNOWN_SECONDS);
	flush(&run);
}
