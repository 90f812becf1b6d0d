/*
 * Pairs of accounts come in, in no order; out goes how many identifiers moved, by what happened
 * to their accounts.
 *
 * A pair is put aside twice: under the account that the identifier came to, and under that it
 * came from (spill.h).  The first are gone over account by account: an account that there was not
 * before, most of which came from one other, is that one's (its new name, or a part of it); this
 * is put aside under the other.  Then the second are gone over: all that left one account is seen
 * together, with where most of it went, and which of these are its own.  So accounts need not be
 * held in memory, however many move.
 *
 * Most is more than half: one number that was given to somebody else in the week of a migration
 * does not make a rename a scattering, and a column that slipped does not hide in one.  Who is
 * renamed to a name that another had is scattered too: whatever was written down under that name is
 * the other's.
 *
 * An identifier of several accounts, of which some were left and some come to, does not say which
 * went where: all of its pairs are put aside as not sure, count for nothing, and are explained by
 * what the others say of the same accounts.
 *
 * One thread.
 */
#include "config.h"

#include <string.h>

#include "scatter.h"

/* What lies under an account; in this order, for spills give it in order of its bytes. */
enum { STATE, PAIR, GAIN }; /* that it is fresh, or vanished; where from or where to; a gain */

/* Beside a pair of accounts. */
enum { IS_OF, SURE, UNSURE };

typedef struct {
	guint8 what;
	guint8 other[MS_ENTRY_DIGEST]; /* the account */
	guint8 how;
	guint16 kind;
	guint8 value[MS_ENTRY_DIGEST]; /* so that each is one */
} __attribute__((packed)) Aside;       /* the name of whose it was may follow, after its length */

/* One account that others' identifiers came to, or (`cell`) of all that left one account what went
 * to one other. */
typedef struct {
	guint8 other[MS_ENTRY_DIGEST];
	bool is_of;
	guint64 sure, *values, *unsure; /* the last two by kind */
	MsScatterExample example;       /* the first line; or `from` NULL */
} Cell;

struct MsScatter {
	const MsKeys *keys;
	guint kinds;
	MsSpill *to, *from;
	guint64 *unsure; /* by kind */
	MsScattered *out;
	/* the account that is gone over */
	guint8 account[MS_ENTRY_DIGEST];
	bool begun, state;
	guint64 all;    /* sure pairs */
	Cell now, best; /* of these, the one that is read, and the largest */
	guint64 parts;  /* that were split off */
	bool scattered, got;
};

static void cell_init(Cell *cell, guint kinds)
{
	cell->values = g_new0(guint64, kinds);
	cell->unsure = g_new0(guint64, kinds);
}

static void example_clear(MsScatterExample *example)
{
	g_free(example->from);
	*example = (MsScatterExample){0};
}

static void cell_empty(Cell *cell, guint kinds)
{
	memset(cell->values, 0, kinds * sizeof *cell->values);
	memset(cell->unsure, 0, kinds * sizeof *cell->unsure);
	example_clear(&cell->example);
	cell->sure = 0;
	cell->is_of = false;
}

static void cell_clear(Cell *cell)
{
	g_free(cell->values);
	g_free(cell->unsure);
	example_clear(&cell->example);
}

MsScatter *ms_scatter_new(const MsSpillPlace *place, guint kinds, GError **error)
{
	g_autoptr(MsScatter) scatter = g_new0(MsScatter, 1);
	MsSpillPlace to = *place, from = *place;
	to.kind = 'T';
	from.kind = 'F';
	scatter->keys = place->keys;
	scatter->kinds = kinds;
	scatter->unsure = g_new0(guint64, kinds);
	cell_init(&scatter->now, kinds);
	cell_init(&scatter->best, kinds);
	scatter->to = ms_spill_new(&to, error);
	scatter->from = scatter->to != NULL ? ms_spill_new(&from, error) : NULL;
	return scatter->from != NULL ? g_steal_pointer(&scatter) : NULL;
}

void ms_scatter_free(MsScatter *scatter)
{
	if (scatter == NULL)
		return;
	ms_spill_free(scatter->to);
	ms_spill_free(scatter->from);
	cell_clear(&scatter->now);
	cell_clear(&scatter->best);
	g_free(scatter->unsure);
	g_free(scatter);
}

void ms_scattered_clear(MsScattered *out)
{
	for (guint i = 0; i < MS_N_MOVES; i++)
		g_free(out->values[i]);
	g_free(out->gained);
	for (guint i = 0; i < out->n_examples; i++)
		example_clear(&out->examples[i]);
	*out = (MsScattered){0};
}

/* ---- in ------------------------------------------------------------------------------- */

static void digest_of(const MsScatter *scatter, const MsHolder *account, guint8 *out)
{
	g_autofree char *text = g_strndup(account->name, account->len);
	g_autofree char *name = ms_keys_known_account(text);
	ms_keys_digest(scatter->keys, name, out);
}

static bool put_aside(MsSpill *spill, const guint8 *account, const Aside *aside,
	const MsHolder *from, const MsHolder *to, GError **error)
{
	g_autoptr(GByteArray) said = g_byte_array_new();
	guint8 len = from != NULL ? (guint8)from->len : 0;
	g_byte_array_append(said, (const guint8 *)aside, sizeof *aside);
	g_byte_array_append(said, &len, from != NULL);
	if (len > 0)
		g_byte_array_append(said, (const guint8 *)from->name, len);
	const MsRecord record = {
		.said = said->data, .said_len = said->len, .line = to != NULL ? to->line : 0};
	return ms_spill_add(spill, account, &record, error);
}

static bool add_state(MsScatter *scatter, MsSpill *spill, const MsHolder *account, GError **error)
{
	guint8 digest[MS_ENTRY_DIGEST];
	const Aside aside = {.what = STATE};
	digest_of(scatter, account, digest);
	return put_aside(spill, digest, &aside, NULL, NULL, error);
}

bool ms_scatter_vanished(MsScatter *scatter, const MsHolder *account, GError **error)
{
	return add_state(scatter, scatter->from, account, error);
}

bool ms_scatter_fresh(MsScatter *scatter, const MsHolder *account, GError **error)
{
	return add_state(scatter, scatter->to, account, error);
}

bool ms_scatter_pair(MsScatter *scatter, const MsMovedValue *value, const MsHolder *from,
	const MsHolder *to, bool sure, GError **error)
{
	guint8 source[MS_ENTRY_DIGEST], target[MS_ENTRY_DIGEST];
	Aside aside = {.what = PAIR, .how = sure ? SURE : UNSURE, .kind = (guint16)value->kind};
	digest_of(scatter, from, source);
	digest_of(scatter, to, target);
	memcpy(aside.value, value->digest, MS_ENTRY_DIGEST);
	memcpy(aside.other, source, MS_ENTRY_DIGEST);
	if (sure && !put_aside(scatter->to, target, &aside, NULL, NULL, error))
		return false;
	memcpy(aside.other, target, MS_ENTRY_DIGEST);
	return put_aside(scatter->from, source, &aside, from, to, error);
}

void ms_scatter_unsure(MsScatter *scatter, guint kind, guint64 n)
{
	scatter->unsure[kind] += n;
}

bool ms_scatter_gain(
	MsScatter *scatter, const MsMovedValue *value, const MsHolder *to, GError **error)
{
	guint8 target[MS_ENTRY_DIGEST];
	Aside aside = {.what = GAIN, .kind = (guint16)value->kind};
	digest_of(scatter, to, target);
	memcpy(aside.value, value->digest, MS_ENTRY_DIGEST);
	return put_aside(scatter->to, target, &aside, NULL, NULL, error);
}

/* ---- both ways ------------------------------------------------------------------------ */

static void begin_account(MsScatter *scatter, const guint8 *account)
{
	memcpy(scatter->account, account, MS_ENTRY_DIGEST);
	cell_empty(&scatter->now, scatter->kinds);
	cell_empty(&scatter->best, scatter->kinds);
	scatter->begun = true;
	scatter->state = scatter->scattered = scatter->got = false;
	scatter->all = scatter->parts = 0;
}

/* Is it another account than the one that is gone over, or another cell than the one? */
static bool is_other(const guint8 *a, const guint8 *b)
{
	return memcmp(a, b, MS_ENTRY_DIGEST) != 0;
}

static bool is_most(const MsScatter *scatter)
{
	return scatter->best.sure * 2 > scatter->all;
}

/* ---- where they came to --------------------------------------------------------------- */

static void end_source(MsScatter *scatter)
{
	Cell *now = &scatter->now, *best = &scatter->best;
	scatter->all += now->sure;
	if (now->sure > best->sure) {
		best->sure = now->sure;
		memcpy(best->other, now->other, MS_ENTRY_DIGEST);
	}
	now->sure = 0;
}

/* What is found is put aside under the account that most of it came from; and, under the account
 * itself, that it got something. */
static bool end_target(MsScatter *scatter, GError **error)
{
	Aside aside = {.what = PAIR, .how = IS_OF};
	const Aside got = {.what = GAIN};
	end_source(scatter);
	memcpy(aside.other, scatter->account, MS_ENTRY_DIGEST);
	if (scatter->all == 0)
		return true;
	return put_aside(scatter->from, scatter->account, &got, NULL, NULL, error) &&
		(!scatter->state || !is_most(scatter) ||
			put_aside(scatter->from, scatter->best.other, &aside, NULL, NULL, error));
}

static bool take_target(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	MsScatter *scatter = user;
	Aside aside;
	memcpy(&aside, record->said, sizeof aside);
	if (!scatter->begun || is_other(scatter->account, digest)) {
		if (scatter->begun && !end_target(scatter, error))
			return false;
		begin_account(scatter, digest);
	}
	if (aside.what == STATE) {
		scatter->state = true;
	} else if (aside.what == GAIN) {
		scatter->out->gained[aside.kind] += !scatter->state;
	} else {
		if (is_other(scatter->now.other, aside.other))
			end_source(scatter);
		memcpy(scatter->now.other, aside.other, MS_ENTRY_DIGEST);
		scatter->now.sure++;
	}
	return true;
}

/* ---- where they came from ------------------------------------------------------------- */

/* The first lines are kept, in order. */
static void keep_example(MsScattered *out, MsScatterExample *example)
{
	guint at = out->n_examples;
	while (at > 0 && out->examples[at - 1].line > example->line)
		at--;
	if (example->from == NULL || at == MS_SCATTER_EXAMPLES)
		return;
	if (out->n_examples == MS_SCATTER_EXAMPLES)
		example_clear(&out->examples[--out->n_examples]);
	memmove(&out->examples[at + 1], &out->examples[at],
		(out->n_examples - at) * sizeof *out->examples);
	out->examples[at] = *example;
	out->n_examples++;
	*example = (MsScatterExample){0};
}

/* What is not sure is explained by what is: two accounts of which nothing sure is known explain
 * nothing. */
static void count_cell(MsScatter *scatter, Cell *cell, MsMove move)
{
	bool explains = move != MS_MOVE_SCATTERED;
	for (guint i = 0; i < scatter->kinds; i++) {
		guint64 unsure = explains ? MIN(cell->unsure[i], scatter->unsure[i]) : 0;
		scatter->out->values[move][i] += cell->values[i] + unsure;
		scatter->unsure[i] -= unsure;
	}
	scatter->parts += move == MS_MOVE_SPLIT;
	if (explains || cell->sure == 0)
		return;
	scatter->scattered = true;
	keep_example(scatter->out, &cell->example);
}

static void count_usual(MsScatter *scatter, Cell *cell)
{
	count_cell(scatter, cell, cell->is_of ? MS_MOVE_SPLIT : MS_MOVE_SCATTERED);
}

static void end_cell(MsScatter *scatter)
{
	Cell lesser = scatter->now;
	scatter->all += lesser.sure;
	if (lesser.sure > scatter->best.sure) {
		lesser = scatter->best;
		scatter->best = scatter->now;
	}
	count_usual(scatter, &lesser);
	scatter->now = lesser;
	cell_empty(&scatter->now, scatter->kinds);
}

static void end_left(MsScatter *scatter)
{
	MsScattered *out = scatter->out;
	end_cell(scatter);
	bool whole = scatter->state && is_most(scatter);
	if (whole) {
		MsMove move = scatter->best.is_of ? MS_MOVE_RENAMED : MS_MOVE_MERGED;
		out->accounts[move]++;
		count_cell(scatter, &scatter->best, move);
	} else {
		count_usual(scatter, &scatter->best);
	}
	out->accounts[MS_MOVE_SPLIT] += scatter->parts > 0;
	out->accounts[MS_MOVE_SCATTERED] += scatter->scattered;
	out->chained += scatter->scattered && scatter->got;
}

static void take_example(Cell *cell, const Aside *aside, const MsRecord *record)
{
	MsScatterExample *example = &cell->example;
	if (example->from != NULL && example->line <= record->line)
		return;
	example_clear(example);
	const guint8 *at = record->said + sizeof *aside;
	example->line = record->line;
	example->kind = aside->kind;
	example->from = g_strndup((const char *)at + 1, *at);
}

static void take_cell(MsScatter *scatter, const Aside *aside, const MsRecord *record)
{
	Cell *now = &scatter->now;
	if (is_other(now->other, aside->other))
		end_cell(scatter);
	now = &scatter->now;
	memcpy(now->other, aside->other, MS_ENTRY_DIGEST);
	switch (aside->how) {
	case IS_OF: now->is_of = true; break;
	case SURE:
		now->sure++;
		now->values[aside->kind]++;
		take_example(now, aside, record);
		break;
	default: now->unsure[aside->kind]++;
	}
}

static bool take_left(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	(void)error;
	MsScatter *scatter = user;
	Aside aside;
	memcpy(&aside, record->said, sizeof aside);
	if (!scatter->begun || is_other(scatter->account, digest)) {
		if (scatter->begun)
			end_left(scatter);
		begin_account(scatter, digest);
	}
	if (aside.what == STATE)
		scatter->state = true;
	else if (aside.what == GAIN)
		scatter->got = true;
	else
		take_cell(scatter, &aside, record);
	return true;
}

/* ---- out ------------------------------------------------------------------------------ */

bool ms_scatter_end(MsScatter *scatter, MsScattered *out, GError **error)
{
	for (guint i = 0; i < MS_N_MOVES; i++)
		out->values[i] = g_new0(guint64, scatter->kinds);
	out->gained = g_new0(guint64, scatter->kinds);
	scatter->out = out;
	if (!ms_spill_each(scatter->to, take_target, scatter, error) ||
		(scatter->begun && !end_target(scatter, error)))
		return false;
	scatter->begun = false;
	if (!ms_spill_each(scatter->from, take_left, scatter, error))
		return false;
	if (scatter->begun)
		end_left(scatter);
	/* What nothing explains. */
	for (guint i = 0; i < scatter->kinds; i++)
		out->values[MS_MOVE_SCATTERED][i] += scatter->unsure[i];
	return true;
}
