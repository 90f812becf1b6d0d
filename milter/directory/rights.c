/*
 * Who has a right to what.  For each row (identifiers of the same accounts) the columns (recipients
 * of the same accounts) are found that have one of its accounts, from the account: what does not
 * meet costs nothing.  A row's columns are a set of bits, so that what follows for all recipients
 * over many rows is one operation a word.  Time and memory go on the purse.
 *
 * The bits: one a mailbox; then two for each recipient who may be several mailboxes ("routed"),
 * for all of whom the right must hold: whether each has a right of its own, and whether each has
 * one of its own or is the house.  Each group begins with a word.  What it works on is the thread's
 * that judges.
 */
#include "config.h"

#include <string.h>

#include "resolution_private.h"

struct Rights {
	guint plain, routed; /* words of mailboxes; of the routed, twice */
	guint words;
	guint64 *known, *unknown; /* of `plain` and `routed` words: columns that have recipients */
	guint64 *house;           /* of `plain` words */
	Set *columns;        /* a list: the mailboxes that have it */
	Set *met;            /* a long list: the mailboxes that have one of its accounts */
	guint8 *is_met;      /* a list: is that known? */
	guint *begin, *of;   /* an account: where in `of` its lists begin, of those of mailboxes */
	guint64 *scratch, *scratch_met;
	guint *seen, look;   /* a list: the last look at which it was met */
};

#define BIT(words, i) ((words)[(i) / 64] >> ((i) % 64) & 1)
#define SET_BIT(words, i) ((words)[(i) / 64] |= G_GUINT64_CONSTANT(1) << ((i) % 64))

static guint words_for(guint bits)
{
	return (bits + 63) / 64;
}

void rights_free(Rights *x)
{
	if (x == NULL)
		return;
	for (guint i = 0; x->columns != NULL && x->columns[i].n != G_MAXUINT; i++) {
		g_free(x->columns[i].few);
		g_free(x->columns[i].many);
		g_free(x->met[i].few);
		g_free(x->met[i].many);
	}
	void *const parts[] = {x->known, x->unknown, x->house, x->columns, x->met, x->is_met,
		x->begin, x->of, x->scratch, x->scratch_met, x->seen, x};
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		g_free(parts[i]);
}

/* ---- sets ----------------------------------------------------------------------------- */

static void add_set(const Set *set, guint64 *into, guint words)
{
	for (guint i = 0; set->many != NULL && i < words; i++)
		into[i] |= set->many[i];
	for (guint i = 0; set->many == NULL && i < set->n; i++)
		SET_BIT(into, set->few[i]);
}

static guint cost_of(const Set *set, guint words)
{
	return set->many != NULL ? words : set->n;
}

/* In whichever form is smaller. */
static bool pack(MsResolution *r, const guint64 *bits, guint words, Set *set)
{
	guint n = 0;
	for (guint i = 0; i < words; i++)
		n += (guint)__builtin_popcountll(bits[i]);
	bool many = n > 2 * words;
	set->n = n;
	if (!resolution_charge(r, MS_COST_RIGHT, many ? words * sizeof *bits : n * sizeof *set->few)
		|| !ms_resolution_step(r, many ? words : words + n))
		return false;
	if (many) {
		set->many = g_memdup2(bits, words * sizeof *bits);
		return true;
	}
	set->few = g_new(guint32, n);
	guint at = 0;
	for (guint i = 0; i < words && at < n; i++)
		for (guint64 rest = bits[i]; rest != 0; rest &= rest - 1)
			set->few[at++] = i * 64 + (guint)__builtin_ctzll(rest);
	return true;
}

static bool is_in(const Set *set, guint32 bit)
{
	if (set->many != NULL)
		return BIT(set->many, bit);
	guint from = 0, until = set->n;
	while (from < until) {
		guint middle = from + (until - from) / 2;
		if (set->few[middle] < bit)
			from = middle + 1;
		else
			until = middle;
	}
	return from < set->n && set->few[from] == bit;
}

/* ---- who has what --------------------------------------------------------------------- */

/* Of mailboxes that one recipient may be: is there no account that all have? */
static bool have_nothing_in_common(MsResolution *r, const Column *column)
{
	g_autoptr(GHashTable) common = NULL;
	for (guint i = 0; i < column->n; i++) {
		const Union *u = UNION(r, column->mailboxes[i]);
		g_autoptr(GHashTable) here = g_hash_table_new(NULL, NULL);
		for (guint k = 0; k < u->n; k++) {
			const List *list = LIST(r, u->lists[k]);
			if (!ms_resolution_step(r, list->n))
				return true;
			for (guint m = 0; m < list->n; m++) {
				gpointer account = GUINT_TO_POINTER(list->accounts[m] + 1);
				if (common == NULL || g_hash_table_contains(common, account))
					g_hash_table_add(here, account);
			}
		}
		g_clear_pointer(&common, g_hash_table_unref);
		common = g_steal_pointer(&here);
	}
	return g_hash_table_size(common) == 0;
}

static void mask(Rights *x, const Column *column, guint bit)
{
	if (column->recipients > 0)
		SET_BIT(column->unknown ? x->unknown : x->known, bit);
}

static bool make_masks(MsResolution *r, Rights *x)
{
	x->known = g_new0(guint64, x->plain + x->routed + 1);
	x->unknown = g_new0(guint64, x->plain + x->routed + 1);
	x->house = g_new0(guint64, x->plain + 1);
	for (guint i = 0; i < r->plain->len; i++) {
		const Column *column = &g_array_index(r->plain, Column, i);
		mask(x, column, i);
		if (column->house)
			SET_BIT(x->house, i);
	}
	for (guint i = 0; i < r->routed->len; i++) {
		Column *column = &g_array_index(r->routed, Column, i);
		column->unknown = have_nothing_in_common(r, column);
		mask(x, column, x->plain * 64 + i);
	}
	return r->over == NULL;
}

/* The mailboxes of each list. */
static bool make_columns(MsResolution *r, Rights *x)
{
	guint64 all = 0;
	for (guint i = 0; i < r->plain->len; i++) {
		const Union *u = UNION(r, g_array_index(r->plain, Column, i).mailboxes[0]);
		all += u->n;
		for (guint k = 0; k < u->n; k++)
			x->columns[u->lists[k]].n++;
	}
	if (!resolution_charge(r, MS_COST_RIGHT, all * sizeof(guint32)) ||
		!ms_resolution_step(r, all))
		return false;
	for (guint i = 0; i < r->lists->len; i++) {
		x->columns[i].few = g_new(guint32, x->columns[i].n);
		x->columns[i].n = 0;
	}
	for (guint i = 0; i < r->plain->len; i++) {
		const Union *u = UNION(r, g_array_index(r->plain, Column, i).mailboxes[0]);
		for (guint k = 0; k < u->n; k++) {
			Set *set = &x->columns[u->lists[k]];
			if (set->n == 0 || set->few[set->n - 1] != i)
				set->few[set->n++] = i;
		}
	}
	return true;
}

/* Lists that many mailboxes have, as bits. */
static bool widen_columns(MsResolution *r, Rights *x)
{
	for (guint i = 0; i < r->lists->len; i++) {
		Set *set = &x->columns[i];
		if (set->n <= 2 * x->plain)
			continue;
		if (!resolution_charge(r, MS_COST_RIGHT, x->plain * sizeof(guint64)) ||
			!ms_resolution_step(r, set->n))
			return false;
		guint64 *many = g_new0(guint64, x->plain);
		add_set(set, many, x->plain);
		g_clear_pointer(&set->few, g_free);
		set->many = many;
	}
	return true;
}

/* The lists of each account, of those that a mailbox has. */
static bool make_lists(MsResolution *r, Rights *x)
{
	guint64 all = 0;
	x->begin = g_new0(guint, r->names->len + 2);
	for (guint i = 0; i < r->lists->len; i++) {
		const List *list = LIST(r, i);
		if (x->columns[i].n == 0)
			continue;
		all += list->n;
		for (guint k = 0; k < list->n; k++)
			x->begin[list->accounts[k] + 2]++;
	}
	if (!resolution_charge(r, MS_COST_RIGHT, all * sizeof(guint)) ||
		!ms_resolution_step(r, all + r->names->len))
		return false;
	for (guint i = 2; i < r->names->len + 2; i++)
		x->begin[i] += x->begin[i - 1];
	x->of = g_new(guint, all);
	for (guint i = 0; i < r->lists->len; i++) {
		const List *list = LIST(r, i);
		for (guint k = 0; x->columns[i].n > 0 && k < list->n; k++)
			x->of[x->begin[list->accounts[k] + 1]++] = i;
	}
	return true;
}

/* ---- rows ----------------------------------------------------------------------------- */

static bool meet_accounts(MsResolution *r, Rights *x, const List *list, guint64 *into)
{
	x->look++;
	for (guint i = 0; i < list->n; i++) {
		guint from = x->begin[list->accounts[i]], until = x->begin[list->accounts[i] + 1];
		if (!ms_resolution_step(r, 1 + until - from))
			return false;
		for (guint k = from; k < until; k++) {
			const Set *columns = &x->columns[x->of[k]];
			if (x->seen[x->of[k]] == x->look)
				continue;
			x->seen[x->of[k]] = x->look;
			if (!ms_resolution_step(r, cost_of(columns, x->plain)))
				return false;
			add_set(columns, into, x->plain);
		}
	}
	return true;
}

/* From here on what a list meets is kept: other rows may have it too. */
#define LONG_LIST 32

static bool meet_list(MsResolution *r, Rights *x, guint number, guint64 *into)
{
	const List *list = LIST(r, number);
	if (list->n < LONG_LIST)
		return meet_accounts(r, x, list, into);
	if (!x->is_met[number]) {
		memset(x->scratch_met, 0, x->plain * sizeof(guint64));
		if (!meet_accounts(r, x, list, x->scratch_met) ||
			!pack(r, x->scratch_met, x->plain, &x->met[number]))
			return false;
		x->is_met[number] = 1;
	}
	add_set(&x->met[number], into, x->plain);
	return ms_resolution_step(r, cost_of(&x->met[number], x->plain));
}

static bool meet_union(MsResolution *r, Rights *x, guint number, guint64 *into)
{
	const Union *u = UNION(r, number);
	for (guint i = 0; i < u->n; i++)
		if (!meet_list(r, x, u->lists[i], into))
			return false;
	return true;
}

/* Of an address that may be several mailboxes, the right must hold for each. */
static bool meet_routed(MsResolution *r, const Rights *x, guint64 *bits)
{
	for (guint i = 0; i < r->routed->len; i++) {
		const Column *column = &g_array_index(r->routed, Column, i);
		bool own = true, fine = true;
		if (!ms_resolution_step(r, column->n))
			return false;
		for (guint k = 0; k < column->n; k++) {
			guint mailbox = (guint)UNION(r, column->mailboxes[k])->mailbox;
			own = own && BIT(bits, mailbox);
			fine = fine && (BIT(bits, mailbox) || BIT(x->house, mailbox));
		}
		if (own)
			SET_BIT(bits, x->plain * 64 + i);
		if (fine)
			SET_BIT(bits, (x->plain + x->routed) * 64 + i);
	}
	return true;
}

/* Where it is nobody's own it is another's; the house's may be seen by all. */
static bool is_others(const MsResolution *r, const Row *row)
{
	return row->owners != 0 && !UNION(r, row->owners)->house;
}

/* Columns to whom it is another's, of a word of `plain` and `routed`. */
static guint64 others_in(const Rights *x, const guint64 *bits, guint word, MsHouseRule rule)
{
	guint64 right = bits[word];
	if (rule == MS_HOUSE_MAY)
		right = word < x->plain ? right | x->house[word] : bits[word + x->routed];
	return ~right;
}

static const Column *column_at(const MsResolution *r, const Rights *x, guint bit)
{
	return bit < x->plain * 64 ? &g_array_index(r->plain, Column, bit)
				   : &g_array_index(r->routed, Column, bit - x->plain * 64);
}

/* Columns are numbered as they appear, unless a mailbox was first one of several. */
static guint first_in(const MsResolution *r, const Rights *x, const guint64 *bits,
	const guint64 *among, MsHouseRule rule)
{
	guint first = MS_NOBODY;
	for (guint i = 0; i < x->plain + x->routed; i++)
		for (guint64 rest = others_in(x, bits, i, rule) & among[i]; rest != 0;
			rest &= rest - 1) {
			first = MIN(first,
				column_at(r, x, i * 64 + (guint)__builtin_ctzll(rest))->first);
			if (x->routed == 0)
				return first;
		}
	return first;
}

static bool meet_row(MsResolution *r, Rights *x, const Row *row, guint64 *bits)
{
	return meet_union(r, x, row->owners != 0 ? row->owners : row->partial, bits) &&
		meet_union(r, x, row->receivers, bits) && meet_routed(r, x, bits);
}

static const Set *sure_of(const Row *row)
{
	return row->one != row->other ? &row->sure : &row->own;
}

/* Of two rows: one is meant, nobody knows which. */
static bool meet_either(MsResolution *r, Rights *x, Row *row, guint64 *bits)
{
	const Row *one = &g_array_index(r->rows, Row, row->one),
		  *other = &g_array_index(r->rows, Row, row->other);
	g_autofree guint64 *more = g_new0(guint64, x->words + 1);
	add_set(sure_of(one), bits, x->words);
	add_set(sure_of(other), more, x->words);
	for (guint i = 0; i < x->words; i++)
		bits[i] &= more[i];
	if (!ms_resolution_step(r, 4 * x->words) || !pack(r, bits, x->words, &row->sure))
		return false;
	add_set(&one->own, bits, x->words);
	add_set(&other->own, bits, x->words);
	return true;
}

static bool make_row(MsResolution *r, Rights *x, Row *row)
{
	guint64 *bits = x->scratch;
	memset(bits, 0, x->words * sizeof *bits);
	if (!(row->one != row->other ? meet_either(r, x, row, bits) : meet_row(r, x, row, bits)) ||
		!pack(r, bits, x->words, &row->own))
		return false;
	for (guint i = 0; i < x->plain + x->routed && !row->theirs; i++)
		row->theirs = (bits[i] & (x->known[i] | x->unknown[i])) != 0;
	for (int rule = 0; is_others(r, row) && rule < MS_N_HOUSE; rule++) {
		row->first[rule] = first_in(r, x, bits, x->known, (MsHouseRule)rule);
		if (row->first[rule] == MS_NOBODY)
			row->first[rule] = first_in(r, x, bits, x->unknown, (MsHouseRule)rule);
	}
	return ms_resolution_step(r, 2 * x->words);
}

void rights_make(MsResolution *r)
{
	Rights *x = r->rights = g_new0(Rights, 1);
	x->plain = words_for(r->plain->len);
	x->routed = words_for(r->routed->len);
	x->words = x->plain + 2 * x->routed;
	x->columns = g_new0(Set, r->lists->len + 1);
	x->columns[r->lists->len].n = G_MAXUINT; /* the end */
	x->met = g_new0(Set, r->lists->len);
	x->is_met = g_new0(guint8, r->lists->len);
	x->seen = g_new0(guint, r->lists->len);
	x->scratch = g_new0(guint64, x->words + 1);
	x->scratch_met = g_new0(guint64, x->plain + 1);
	if (!make_masks(r, x) || !make_columns(r, x) || !widen_columns(r, x) || !make_lists(r, x))
		return;
	for (guint i = 0; i < r->rows->len; i++)
		if (!make_row(r, x, &g_array_index(r->rows, Row, i)))
			return;
}

/* ---- asking --------------------------------------------------------------------------- */

static guint bit_of(const MsResolution *r, guint recipient)
{
	Place place = g_array_index(r->recipients, Place, recipient);
	return place.routed ? r->rights->plain * 64 + place.column : place.column;
}

static MsRelation relation_of(const MsResolution *r, guint number, guint recipient)
{
	if (r->over != NULL)
		return MS_OTHER; /* the safe side of who asks nevertheless */
	const Row *row = &g_array_index(r->rows, Row, number);
	const Place place = g_array_index(r->recipients, Place, recipient);
	guint bit = bit_of(r, recipient);
	if (is_in(&row->own, bit))
		return MS_OWN;
	if (row->owners == 0)
		return MS_UNKNOWN;
	bool house = place.routed ? is_in(&row->own, bit + r->rights->routed * 64)
				  : g_array_index(r->plain, Column, place.column).house;
	return house || !is_others(r, row) ? MS_HOUSE : MS_OTHER;
}

MsRelation ms_resolution_relation(const MsResolution *r, guint identifier, guint recipient)
{
	return relation_of(r, IDENTIFIER(r, identifier)->row, recipient);
}

MsRelation ms_resolution_if_meant(const MsResolution *r, guint identifier, guint recipient)
{
	return relation_of(r, IDENTIFIER(r, identifier)->alone, recipient);
}

bool ms_resolution_is_houses(const MsResolution *r, guint identifier)
{
	const Row *row = ROW(r, identifier);
	return row->owners != 0 && !is_others(r, row);
}

bool ms_resolution_is_theirs(const MsResolution *r, guint identifier)
{
	return ROW(r, identifier)->theirs;
}

guint ms_resolution_first_other(const MsResolution *r, guint identifier, MsHouseRule rule)
{
	return ROW(r, identifier)->first[rule];
}

guint ms_resolution_count_other(const MsResolution *r, guint identifier, MsHouseRule rule)
{
	Row *row = ROW(r, identifier);
	Rights *x = r->rights;
	if (row->first[rule] == MS_NOBODY)
		return 0;
	if (row->count[rule] >= 0)
		return (guint)row->count[rule];
	guint n = 0;
	memset(x->scratch, 0, x->words * sizeof *x->scratch);
	add_set(&row->own, x->scratch, x->words);
	for (guint i = 0; i < x->plain + x->routed; i++) {
		guint64 rest = others_in(x, x->scratch, i, rule) & (x->known[i] | x->unknown[i]);
		for (; rest != 0; rest &= rest - 1)
			n += column_at(r, x, i * 64 + (guint)__builtin_ctzll(rest))->recipients;
	}
	row->count[rule] = n;
	return n;
}

/* ---- several together ----------------------------------------------------------------- */

struct MsTally {
	MsResolution *r;
	guint64 *own;   /* one of them is */
	guint64 *right; /* all that are somebody's are */
	guint8 *seen;   /* a row */
};

MsTally *ms_tally_new(MsResolution *r)
{
	const Rights *x = r->rights;
	MsTally *tally = g_new0(MsTally, 1);
	tally->r = r;
	tally->own = g_new0(guint64, x->words + 1);
	tally->right = g_new(guint64, x->words + 1);
	memset(tally->right, 0xff, (x->words + 1) * sizeof *tally->right);
	tally->seen = g_new0(guint8, r->rows->len + 1);
	return tally;
}

void ms_tally_free(MsTally *tally)
{
	if (tally == NULL)
		return;
	g_free(tally->own);
	g_free(tally->right);
	g_free(tally->seen);
	g_free(tally);
}

void ms_tally_add(MsTally *tally, guint identifier)
{
	MsResolution *r = tally->r;
	Rights *x = r->rights;
	guint number = IDENTIFIER(r, identifier)->row;
	const Row *row = ROW(r, identifier);
	if (tally->seen[number] || !ms_resolution_step(r, 1 + x->words))
		return;
	tally->seen[number] = 1;
	add_set(sure_of(row), tally->own, x->words);
	if (!is_others(r, row))
		return;
	const guint64 *bits = row->own.many;
	if (bits == NULL) {
		memset(x->scratch, 0, x->words * sizeof *x->scratch);
		add_set(&row->own, x->scratch, x->words);
		bits = x->scratch;
	}
	for (guint i = 0; i < x->words; i++)
		tally->right[i] &= bits[i];
}

bool ms_tally_own(const MsTally *tally, guint recipient)
{
	return BIT(tally->own, bit_of(tally->r, recipient));
}

bool ms_tally_other(const MsTally *tally, guint recipient, MsHouseRule rule)
{
	guint bit = bit_of(tally->r, recipient);
	return others_in(tally->r->rights, tally->right, bit / 64, rule) >> (bit % 64) & 1;
}
