/*
 * Groups of identifiers and the recipients that they went to come in; out goes who goes together:
 * what went to one is his; what went to several is theirs if it did so again and again, and else a
 * conflict.  One thread.
 */
#include "config.h"

#include <string.h>

#include "learn_private.h"

#define AGAIN 3     /* messages: no accident */
#define MOSTLY 0.8  /* of what a recipient gets */
#define CLEARLY 2   /* times as much as the next */
#define OUTWEIGHS 3 /* times as much as all others together */

/* ---- what went to whom -------------------------------------------------------------------- */

static bool has(const GArray *list, guint n)
{
	for (guint i = 0; i < list->len; i++)
		if (g_array_index(list, guint, i) == n)
			return true;
	return false;
}

void accounts_groups(const Accounts *a, const LearnShape *shape, GArray *groups_out)
{
	g_array_set_size(groups_out, 0);
	for (guint i = 0; i < shape->n_in; i++) {
		guint group = a->group[shape->in[i].id->number];
		if (world_counts(a->world, shape->in[i].id) && !has(groups_out, group))
			g_array_append_val(groups_out, group);
	}
}

void accounts_units(const Accounts *a, const LearnShape *shape, GArray *units_out)
{
	g_array_set_size(units_out, 0);
	for (guint i = 0; i < shape->n_to; i++) {
		guint unit = a->world->unit[shape->to[i]->number];
		if (!a->world->to_house[shape->to[i]->number] && !has(units_out, unit))
			g_array_append_val(units_out, unit);
	}
}

static int by_bond(const void *x, const void *y)
{
	const LearnBond *a = x, *b = y;
	return a->group != b->group ? (a->group > b->group) - (a->group < b->group)
				    : (a->unit > b->unit) - (a->unit < b->unit);
}

LearnBond *accounts_bond(const Accounts *a, guint group, guint unit)
{
	const LearnBond key = {.group = group, .unit = unit};
	return bsearch(&key, a->bonds->data, a->bonds->len, sizeof key, by_bond);
}

static void add_bond(
	Accounts *a, GHashTable *at, guint group, guint unit, guint messages, bool alone)
{
	guint64 key = (guint64)group << 32 | unit;
	gpointer had;
	if (!g_hash_table_lookup_extended(at, &key, NULL, &had)) {
		const LearnBond bond = {.group = group, .unit = unit, .conflict = -1};
		had = GUINT_TO_POINTER(a->bonds->len);
		g_hash_table_insert(at, g_memdup2(&key, sizeof key), had);
		g_array_append_val(a->bonds, bond);
	}
	LearnBond *bond = &g_array_index(a->bonds, LearnBond, GPOINTER_TO_UINT(had));
	bond->messages += messages;
	bond->alone += alone ? messages : 0;
}

static void fill_bonds(Accounts *a)
{
	const Tally *t = a->world->tally;
	g_autoptr(GHashTable) at = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) units = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < t->shape_list->len; i++) {
		const LearnShape *s = t->shape_list->pdata[i];
		if (world_units(a->world, s) > MS_LEARN_CROWD)
			continue;
		accounts_groups(a, s, groups);
		accounts_units(a, s, units);
		for (guint u = 0; u < units->len && groups->len > 0; u++)
			a->got[g_array_index(units, guint, u)] += s->messages + s->trail;
		for (guint g = 0; g < groups->len; g++)
			for (guint u = 0; u < units->len; u++)
				add_bond(a, at, g_array_index(groups, guint, g),
					g_array_index(units, guint, u), s->messages + s->trail,
					units->len == 1);
	}
	g_array_sort(a->bonds, by_bond);
}

/* ---- a group ------------------------------------------------------------------------------- */

static LearnBond *nth(const Accounts *a, guint n)
{
	return &g_array_index(a->bonds, LearnBond, n);
}

/* Of what he got it is so much. */
static double share(const Accounts *a, const LearnBond *bond)
{
	return (double)bond->messages / a->got[bond->unit];
}

/* Again and again, and hardly anything else; or always in copy. */
static bool consistent(const Accounts *a, const LearnBond *bond, guint most)
{
	bool copy = bond->alone == 0 && bond->messages >= 2 && share(a, bond) >= 1;
	bool again = bond->messages >= AGAIN && bond->messages * 5 >= most &&
		share(a, bond) >= MOSTLY;
	return copy || again;
}

/* The one of bonds [from, to) that has clearly more than the next; -1: none. */
static int clear_top(const Accounts *a, guint from, guint to)
{
	guint top = from;
	for (guint i = from + 1; i < to; i++)
		if (nth(a, i)->messages > nth(a, top)->messages)
			top = i;
	for (guint i = from; i < to; i++)
		if (i != top && nth(a, top)->messages < CLEARLY * nth(a, i)->messages)
			return -1;
	return (int)top;
}

/* All bonds of one group. */
static void weigh(Accounts *a, guint from, guint to)
{
	int top = clear_top(a, from, to);
	guint most = 0;
	bool conflict = false;
	for (guint i = from; i < to; i++)
		most = MAX(most, nth(a, i)->messages);
	for (guint i = from; i < to; i++) {
		LearnBond *bond = nth(a, i);
		bond->kept = (int)i == top || consistent(a, bond, most);
		if (bond->kept)
			continue;
		bond->conflict = top >= 0 ? MS_LEARN_ELSEWHERE : MS_LEARN_TIE;
		bond->number = a->conflicts + 1;
		conflict = true;
	}
	a->conflicts += conflict;
}

/* ---- a recipient ----------------------------------------------------------------------------- */

static int by_unit(const void *x, const void *y)
{
	const LearnBond *a = *(LearnBond *const *)x, *b = *(LearnBond *const *)y;
	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	if (a->messages != b->messages)
		return a->messages > b->messages ? -1 : 1;
	return (a->group > b->group) - (a->group < b->group);
}

/* He got what several customers have one each of: a reseller, an accountant, or a leak. */
static void several(
	Accounts *a, GPtrArray *bonds, guint from, guint to, LearnBond *main, const bool *clash)
{
	guint others = 0;
	for (guint i = from; i < to; i++)
		others += clash[i - from] ? ((LearnBond *)bonds->pdata[i])->messages : 0;
	if (others == 0)
		return;
	a->conflicts++;
	bool outweighs = main->messages >= AGAIN && main->messages >= OUTWEIGHS * others;
	for (guint i = from; i < to; i++) {
		LearnBond *bond = bonds->pdata[i];
		bool joined = !clash[i - from];
		bond->kept = joined && outweighs;
		if (bond->kept || (joined && bond != main))
			continue;
		bond->conflict = MS_LEARN_SEVERAL;
		bond->number = a->conflicts;
	}
}

/* Bonds [from, to) of one unit, the most first, of groups that are kept nowhere else. */
static void join_at(Accounts *a, GPtrArray *bonds, guint from, guint to)
{
	LearnBond *main = bonds->pdata[from];
	g_autofree bool *clash = g_new0(bool, to - from);
	for (guint i = from + 1; i < to; i++)
		clash[i - from] = groups_clash(&a->groups, main->group,
					  ((LearnBond *)bonds->pdata[i])->group) ||
			!groups_join(
				&a->groups, main->group, ((LearnBond *)bonds->pdata[i])->group);
	several(a, bonds, from, to, main, clash);
}

static void join_units(Accounts *a, GHashTable *main_of)
{
	g_autoptr(GPtrArray) bonds = g_ptr_array_new();
	for (guint from = 0, to; from < a->bonds->len; from = to) {
		guint kept = 0, which = 0;
		for (to = from; to < a->bonds->len && nth(a, to)->group == nth(a, from)->group;
			to++)
			if (nth(a, to)->kept) {
				kept++;
				which = to;
			}
		if (kept == 1)
			g_ptr_array_add(bonds, nth(a, which));
	}
	g_ptr_array_sort(bonds, by_unit);
	for (guint from = 0, to; from < bonds->len; from = to) {
		guint unit = ((LearnBond *)bonds->pdata[from])->unit;
		for (to = from; to < bonds->len && ((LearnBond *)bonds->pdata[to])->unit == unit;
			to++)
			;
		join_at(a, bonds, from, to);
		g_hash_table_insert(main_of, GUINT_TO_POINTER(unit),
			GUINT_TO_POINTER(((LearnBond *)bonds->pdata[from])->group + 1));
	}
}

/* The groups that are most of what those get who keep it, and itself. */
static GArray *mains_of(const Accounts *a, GHashTable *main_of, guint from, guint to)
{
	GArray *mains = g_array_new(FALSE, FALSE, sizeof(guint));
	g_array_append_val(mains, nth(a, from)->group);
	for (guint i = from; i < to; i++) {
		gpointer main = g_hash_table_lookup(main_of, GUINT_TO_POINTER(nth(a, i)->unit));
		guint group = GPOINTER_TO_UINT(main) - 1;
		if (nth(a, i)->kept && main != NULL)
			g_array_append_val(mains, group);
	}
	return mains;
}

/* What goes to several again and again is one customer's with several addresses, if nothing says
 * that they are not one. */
static void join_across(Accounts *a, GHashTable *main_of, guint from, guint to)
{
	g_autoptr(GArray) mains = mains_of(a, main_of, from, to);
	bool one = true;
	for (guint i = 0; i < mains->len; i++)
		for (guint k = i + 1; k < mains->len && one; k++)
			one = !groups_clash(&a->groups, g_array_index(mains, guint, i),
				g_array_index(mains, guint, k));
	for (guint i = 1; i < mains->len && one; i++)
		groups_join(
			&a->groups, g_array_index(mains, guint, 0), g_array_index(mains, guint, i));
	if (one)
		return;
	a->conflicts++;
	for (guint i = from; i < to; i++) {
		LearnBond *bond = nth(a, i);
		bond->conflict = bond->kept ? MS_LEARN_TIE : bond->conflict;
		bond->number = a->conflicts;
		bond->kept = false;
	}
}

static void join_all(Accounts *a)
{
	g_autoptr(GHashTable) main_of = g_hash_table_new(g_direct_hash, g_direct_equal);
	join_units(a, main_of);
	for (guint from = 0, to; from < a->bonds->len; from = to) {
		guint kept = 0;
		for (to = from; to < a->bonds->len && nth(a, to)->group == nth(a, from)->group;
			to++)
			kept += nth(a, to)->kept;
		if (kept > 1)
			join_across(a, main_of, from, to);
	}
}

/* What is his by another group of the same customer is no conflict. */
static void settle(Accounts *a)
{
	g_autoptr(GHashTable)
		kept = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (int turn = 0; turn < 2; turn++)
		for (guint i = 0; i < a->bonds->len; i++) {
			LearnBond *bond = nth(a, i);
			guint64 key = (guint64)groups_root(&a->groups, bond->group) << 32 |
				bond->unit;
			if (turn == 0 && bond->kept)
				g_hash_table_add(kept, g_memdup2(&key, sizeof key));
			if (turn == 1 && !bond->kept && bond->conflict != MS_LEARN_SEVERAL &&
				g_hash_table_contains(kept, &key)) {
				bond->kept = true;
				bond->conflict = -1;
			}
		}
}

void accounts_find(Accounts *a, const World *world)
{
	guint n = world->tally->id_list->len;
	*a = (Accounts){.world = world,
		.bonds = g_array_new(FALSE, FALSE, sizeof(LearnBond)),
		.group = g_new(guint, n + 1),
		.got = g_new0(guint, world->tally->to_list->len + 1)};
	groups_init(&a->groups, world);
	groups_find(&a->groups);
	for (guint i = 0; i < n; i++)
		a->group[i] = groups_root(&a->groups, i);
	fill_bonds(a);
	for (guint from = 0, to; from < a->bonds->len; from = to) {
		for (to = from; to < a->bonds->len && nth(a, to)->group == nth(a, from)->group;
			to++)
			;
		weigh(a, from, to);
	}
	join_all(a);
	settle(a);
}

void accounts_clear(Accounts *a)
{
	groups_clear(&a->groups);
	g_array_unref(a->bonds);
	g_free(a->group);
	g_free(a->got);
}
