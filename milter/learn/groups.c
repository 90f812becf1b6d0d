/*
 * What stands in one document is one customer's: sets of identifiers come in, groups of those that
 * go together come out.  A document with two customers in it joins nothing, and what stands beside
 * several customers joins none of them.  One thread.
 */
#include "config.h"

#include <string.h>

#include "learn_private.h"

#define MAX_TOGETHER 60 /* more in one document are a list */

void groups_init(Groups *groups, const World *world)
{
	guint n = world->tally->id_list->len;
	groups->world = world;
	groups->n = n;
	groups->parent = g_new(guint, n + 1);
	groups->single = g_malloc0_n(n + 1, sizeof *groups->single);
	for (guint i = 0; i < n; i++) {
		groups->parent[i] = i;
		const LearnId *id = world->tally->id_list->pdata[i];
		int single = world_single(world, id->kind);
		if (single >= 0 && world_counts(world, id))
			groups->single[i][single] = i + 1;
	}
}

void groups_clear(Groups *groups)
{
	g_free(groups->parent);
	g_free(groups->single);
}

guint groups_root(const Groups *groups, guint id)
{
	while (groups->parent[id] != id) {
		groups->parent[id] = groups->parent[groups->parent[id]];
		id = groups->parent[id];
	}
	return id;
}

bool groups_clash(const Groups *groups, guint a, guint b)
{
	const guint *x = groups->single[groups_root(groups, a)],
		    *y = groups->single[groups_root(groups, b)];
	for (int i = 0; i < LEARN_SINGLES; i++)
		if (x[i] != 0 && y[i] != 0 && x[i] != y[i])
			return true;
	return false;
}

bool groups_join(Groups *groups, guint a, guint b)
{
	a = groups_root(groups, a);
	b = groups_root(groups, b);
	if (a == b)
		return true;
	if (groups_clash(groups, a, b))
		return false;
	guint to = MIN(a, b), from = MAX(a, b);
	groups->parent[from] = to;
	for (int i = 0; i < LEARN_SINGLES; i++)
		if (groups->single[to][i] == 0)
			groups->single[to][i] = groups->single[from][i];
	return true;
}

/* ---- what stands beside what ------------------------------------------------------------- */

/* Beside which of a single kind, and how often: the two most. */
typedef struct {
	guint id[2], n[2];
} Beside;

typedef struct {
	Groups *groups;
	GHashTable *beside; /* identifier and kind to Beside */
	guint *home;        /* of what goes to several: the group that it stands beside, plus one */
} Joining;

static Beside *beside_of(const Joining *j, guint id, guint single, bool make)
{
	guint64 key = (guint64)id << 8 | single;
	Beside *b = g_hash_table_lookup(j->beside, &key);
	if (b == NULL && make) {
		b = g_new0(Beside, 1);
		g_hash_table_insert(j->beside, g_memdup2(&key, sizeof key), b);
	}
	return b;
}

/* Two are kept: of three that come in turns none has most. */
static void note_beside(Beside *b, guint id, guint n)
{
	int at = b->n[0] == 0 || b->id[0] == id ? 0 : 1;
	if (at == 1 && b->n[1] > 0 && b->id[1] != id)
		b->n[1] += n;
	else
		b->id[at] = id, b->n[at] += n;
	if (b->n[1] > b->n[0]) {
		const Beside old = *b;
		*b = (Beside){{old.id[1], old.id[0]}, {old.n[1], old.n[0]}};
	}
}

/* Who of a document counts, and of each single kind the one that it has.  False: it has
 * several, or is a list. */
static bool document(const World *world, const LearnShape *s, guint face, GArray *ids,
	guint single[LEARN_SINGLES])
{
	memset(single, 0, LEARN_SINGLES * sizeof *single);
	g_array_set_size(ids, 0);
	for (guint i = 0; i < s->n_in; i++) {
		const LearnId *id = s->in[i].id;
		if ((s->in[i].faces >> face & 1) == 0 || !world_counts(world, id))
			continue;
		g_array_append_val(ids, id->number);
		int kind = world_single(world, id->kind);
		if (kind >= 0 && single[kind] != 0)
			return false;
		if (kind >= 0)
			single[kind] = id->number + 1;
	}
	return ids->len <= MAX_TOGETHER;
}

typedef void (*DocumentFunc)(
	Joining *j, const LearnShape *s, const GArray *ids, const guint single[LEARN_SINGLES]);

static void each_document(Joining *j, DocumentFunc func)
{
	const World *world = j->groups->world;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint));
	guint single[LEARN_SINGLES];
	for (guint i = 0; i < world->tally->shape_list->len; i++) {
		const LearnShape *s = world->tally->shape_list->pdata[i];
		guint64 faces = 0;
		for (guint k = 0; k < s->n_in; k++)
			faces |= s->in[k].faces;
		for (guint face = 0; face < 64 && faces >> face != 0; face++)
			if ((faces >> face & 1) != 0 && document(world, s, face, ids, single))
				func(j, s, ids, single);
	}
}

static void count_beside(
	Joining *j, const LearnShape *s, const GArray *ids, const guint single[LEARN_SINGLES])
{
	for (guint i = 0; i < ids->len; i++)
		for (guint k = 0; k < LEARN_SINGLES; k++)
			if (single[k] != 0)
				note_beside(beside_of(j, g_array_index(ids, guint, i), k, true),
					single[k], s->messages);
}

/* ---- joining ------------------------------------------------------------------------------ */

/* Is it where it mostly is, beside these? */
static bool at_home(const Joining *j, guint id, const guint single[LEARN_SINGLES])
{
	for (guint k = 0; k < LEARN_SINGLES; k++) {
		const Beside *b = single[k] != 0 ? beside_of(j, id, k, false) : NULL;
		if (b != NULL && (b->id[0] != single[k] || b->n[0] < 3 * b->n[1]))
			return false;
	}
	return true;
}

/* Nothing else is known of it. */
static bool only_here(const LearnShape *s, guint id)
{
	for (guint i = 0; i < s->n_in; i++)
		if (s->in[i].id->number == id)
			return s->in[i].id->messages == s->messages;
	return false;
}

/* Of a document those that are where they mostly are and go to one; the unit that those go to
 * which are known from elsewhere too, if it is one: G_MAXUINT - 1: it is several, G_MAXUINT:
 * none is known. */
static guint settled(const Joining *j, const LearnShape *s, const GArray *ids,
	const guint single[LEARN_SINGLES], GArray *out)
{
	const World *world = j->groups->world;
	guint unit = G_MAXUINT;
	g_array_set_size(out, 0);
	for (guint i = 0; i < ids->len; i++) {
		guint id = g_array_index(ids, guint, i);
		if (!world->id_one[id] || !at_home(j, id, single))
			continue;
		g_array_append_val(out, id);
		if (only_here(s, id))
			continue;
		unit = unit == G_MAXUINT || unit == world->id_top[id] ? world->id_top[id]
								      : G_MAXUINT - 1;
	}
	return unit;
}

/* One customer's: joined with each other.  Where they go to several, only those that go to the
 * same. */
static void join_document(
	Joining *j, const LearnShape *s, const GArray *ids, const guint single[LEARN_SINGLES])
{
	const World *world = j->groups->world;
	g_autoptr(GArray) good = g_array_new(FALSE, FALSE, sizeof(guint));
	bool mixed = settled(j, s, ids, single, good) == G_MAXUINT - 1;
	for (guint i = 0; i < good->len; i++)
		for (guint k = i + 1; k < good->len; k++) {
			guint a = g_array_index(good, guint, i), b = g_array_index(good, guint, k);
			bool fits = !mixed ||
				(world->id_top[a] == world->id_top[b] && !only_here(s, a) &&
					!only_here(s, b));
			if (fits && groups_join(j->groups, a, b))
				break;
		}
}

#define NOWHERE G_MAXUINT

static void note_home(const Joining *j, guint id, guint root)
{
	bool first = j->home[id] == 0, same = j->home[id] == root + 1;
	j->home[id] = first || same ? root + 1 : NOWHERE;
}

/* What goes to several may stand beside what goes to one, always the same: an invoice that went
 * to a wrong one as well, beside the number of the customer whose it is. */
static void find_homes(
	Joining *j, const LearnShape *s, const GArray *ids, const guint single[LEARN_SINGLES])
{
	const World *world = j->groups->world;
	g_autoptr(GArray) good = g_array_new(FALSE, FALSE, sizeof(guint));
	if (settled(j, s, ids, single, good) == G_MAXUINT - 1 || good->len == 0)
		return;
	guint root = groups_root(j->groups, g_array_index(good, guint, 0));
	for (guint i = 0; i < ids->len; i++) {
		guint id = g_array_index(ids, guint, i);
		if (!world->id_one[id] && at_home(j, id, single))
			note_home(j, id, root);
	}
}

static bool same_ways(const World *world, guint a, guint b)
{
	const GArray *of = world->cells_of;
	guint from = g_array_index(of, guint, a), n = g_array_index(of, guint, a + 1) - from;
	guint other = g_array_index(of, guint, b);
	if (n != g_array_index(of, guint, b + 1) - other)
		return false;
	for (guint i = 0; i < n; i++) {
		const LearnCell *x = &g_array_index(world->cells, LearnCell, from + i);
		const LearnCell *y = &g_array_index(world->cells, LearnCell, other + i);
		if (x->to != y->to || world_weight(x) != world_weight(y))
			return false;
	}
	return true;
}

/* And with each other where they went the same ways. */
static void join_rest(
	Joining *j, const LearnShape *s, const GArray *ids, const guint single[LEARN_SINGLES])
{
	const World *world = j->groups->world;
	guint before = NOWHERE;
	(void)s;
	for (guint i = 0; i < ids->len; i++) {
		guint id = g_array_index(ids, guint, i);
		if (world->id_one[id] || !at_home(j, id, single))
			continue;
		if (j->home[id] != 0 && j->home[id] != NOWHERE)
			groups_join(j->groups, j->home[id] - 1, id);
		if (before != NOWHERE && same_ways(world, before, id))
			groups_join(j->groups, before, id);
		before = id;
	}
}

void groups_find(Groups *groups)
{
	Joining j = {groups, g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free),
		g_new0(guint, groups->n + 1)};
	each_document(&j, count_beside);
	each_document(&j, join_document);
	each_document(&j, find_homes);
	each_document(&j, join_rest);
	g_hash_table_unref(j.beside);
	g_free(j.home);
}
