/*
 * The tally comes in; out goes what has to be known before anybody can be told apart: what is the
 * house's, which recipients are of one company, and of which kinds a customer has one.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"

#include "learn_private.h"

#define MOST_MAIL 0.5  /* a recipient of so much mail, beside others, is an archive */
#define SENDS 0.2      /* a domain that sends so much of it is the house's */
#define FEW 10         /* with fewer messages nothing is in most of them */
#define HOUSE_UNITS 5  /* what is the house's goes to so many */
#define NEARLY_ALL 80  /* percent of messages: */
#define SOME_UNITS 3   /* then so many are enough */
#define MANY_UNITS 4   /* of which no one has half: it tells no customers apart */
#define SINGLE_VOTES 5 /* recipients by whom a kind shows that a customer has one */
#define SHARED_BY 3    /* customers with addresses at a domain that is not one company's */

guint world_weight(const LearnCell *cell)
{
	return cell->messages + cell->trail;
}

bool world_counts(const World *world, const LearnId *id)
{
	return !world->id_house[id->number] && !world->id_many[id->number];
}

int world_single(const World *world, const char *kind)
{
	for (guint i = 0; i < world->n_singles; i++)
		if (strcmp(world->singles[i], kind) == 0)
			return (int)i;
	return -1;
}

/* ---- recipients ------------------------------------------------------------------------ */

const char *world_company(const char *domain)
{
	for (;;) {
		const char *dot = strchr(domain, '.');
		if (dot == NULL || strchr(dot + 1, '.') == NULL || ms_domain_is_suffix(dot + 1))
			return domain;
		domain = dot + 1;
	}
}

/* One company's domain, or NULL. */
static const char *own_domain(const World *world, const char *address)
{
	const char *at = strrchr(address, '@');
	if (at == NULL || strchr(at, '.') == NULL || ms_domain_is_provider(at + 1) ||
		ms_domain_is_suffix(at + 1))
		return NULL;
	const char *company = world_company(at + 1);
	bool anybodys = ms_domain_is_provider(company) ||
		g_hash_table_contains(world->shared, company);
	return anybodys ? NULL : company;
}

static void fill_units(World *world)
{
	const GPtrArray *list = world->tally->to_list;
	g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < list->len; i++) {
		const char *domain = own_domain(world, ((LearnTo *)list->pdata[i])->address);
		gpointer had;
		world->unit[i] = i;
		if (domain != NULL && g_hash_table_lookup_extended(first, domain, NULL, &had))
			world->unit[i] = GPOINTER_TO_UINT(had);
		else if (domain != NULL)
			g_hash_table_insert(first, (gpointer)domain, GUINT_TO_POINTER(i));
	}
}

/* Beside how many others did he get it? */
static guint beside(const World *world, const LearnTo *to)
{
	const GPtrArray *shapes = world->tally->shape_list;
	g_autoptr(GHashTable) others = g_hash_table_new(g_direct_hash, g_direct_equal);
	for (guint i = 0; i < shapes->len; i++) {
		const LearnShape *s = shapes->pdata[i];
		bool in = false;
		for (guint k = 0; k < s->n_to && !in; k++)
			in = s->to[k] == to;
		for (guint k = 0; k < s->n_to && in; k++)
			g_hash_table_add(others, GUINT_TO_POINTER(world->unit[s->to[k]->number]));
	}
	return MAX(g_hash_table_size(others), 1) - 1;
}

static bool is_archive(const World *world, const LearnTo *to)
{
	guint all = world->tally->sum.learned;
	return all >= FEW && to->messages >= MOST_MAIL * all && beside(world, to) >= HOUSE_UNITS;
}

/* Who sends a good part of it is the sender's own, and so is who gets a copy of nearly all. */
static void fill_to_house(World *world)
{
	const Tally *t = world->tally;
	GHashTableIter iter;
	gpointer domain, n;
	g_hash_table_iter_init(&iter, t->sender_domains);
	while (g_hash_table_iter_next(&iter, &domain, &n))
		if (GPOINTER_TO_UINT(n) >= SENDS * t->sum.learned && !ms_domain_is_provider(domain))
			g_hash_table_add(world->senders, g_strdup(world_company(domain)));
	for (guint i = 0; i < t->to_list->len; i++) {
		const LearnTo *to = t->to_list->pdata[i];
		const char *own = own_domain(world, to->address);
		world->to_house[i] = (own != NULL && g_hash_table_contains(world->senders, own)) ||
			is_archive(world, to);
	}
}

guint world_units(const World *world, const LearnShape *shape)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
	for (guint i = 0; i < shape->n_to; i++)
		if (!world->to_house[shape->to[i]->number])
			g_hash_table_add(seen, GUINT_TO_POINTER(world->unit[shape->to[i]->number]));
	return g_hash_table_size(seen);
}

/* ---- what went to whom ------------------------------------------------------------------ */

static void add_cell(GArray *cells, GHashTable *at, const LearnShape *s, guint id, guint to)
{
	guint64 key = (guint64)id << 32 | to;
	gpointer had;
	if (!g_hash_table_lookup_extended(at, &key, NULL, &had)) {
		const LearnCell cell = {.id = id, .to = to, .shape = s};
		had = GUINT_TO_POINTER(cells->len);
		g_hash_table_insert(at, g_memdup2(&key, sizeof key), had);
		g_array_append_val(cells, cell);
	}
	LearnCell *cell = &g_array_index(cells, LearnCell, GPOINTER_TO_UINT(had));
	cell->messages += s->messages;
	cell->trail += s->trail;
	if (s->first > 0 && (cell->first == 0 || s->first < cell->first))
		cell->first = s->first;
	cell->last = MAX(cell->last, s->last);
	if (cell->shape->messages == 0 && s->messages > 0)
		cell->shape = s;
}

static int by_cell(const void *a, const void *b)
{
	const LearnCell *x = a, *y = b;
	return x->id != y->id ? (x->id > y->id) - (x->id < y->id)
			      : (x->to > y->to) - (x->to < y->to);
}

static void fill_cells(World *world)
{
	const Tally *t = world->tally;
	g_autoptr(GHashTable) at = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	world->cells = g_array_new(FALSE, FALSE, sizeof(LearnCell));
	world->cells_of = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < t->shape_list->len; i++) {
		const LearnShape *s = t->shape_list->pdata[i];
		if (world_units(world, s) > MS_LEARN_CROWD)
			continue;
		for (guint k = 0; k < s->n_in; k++)
			for (guint m = 0; m < s->n_to; m++)
				if (!world->to_house[s->to[m]->number])
					add_cell(world->cells, at, s, s->in[k].id->number,
						s->to[m]->number);
	}
	g_array_sort(world->cells, by_cell);
	guint cell = 0;
	for (guint id = 0; id <= t->id_list->len; id++) {
		while (cell < world->cells->len &&
			g_array_index(world->cells, LearnCell, cell).id < id)
			cell++;
		g_array_append_val(world->cells_of, cell);
	}
}

/* ---- identifiers ------------------------------------------------------------------------ */

/* To how many it went, and how much of it to the one who got the most. */
static guint spread(const World *world, guint id, guint *all_out, guint *most_out, guint *top_out)
{
	g_autoptr(GHashTable) of = g_hash_table_new(g_direct_hash, g_direct_equal);
	*all_out = *most_out = 0;
	*top_out = G_MAXUINT;
	for (guint i = g_array_index(world->cells_of, guint, id);
		i < g_array_index(world->cells_of, guint, id + 1); i++) {
		const LearnCell *cell = &g_array_index(world->cells, LearnCell, i);
		gpointer unit = GUINT_TO_POINTER(world->unit[cell->to]);
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(of, unit)) + world_weight(cell);
		g_hash_table_insert(of, unit, GUINT_TO_POINTER(n));
		*all_out += world_weight(cell);
		if (n > *most_out) {
			*most_out = n;
			*top_out = world->unit[cell->to];
		}
	}
	return g_hash_table_size(of);
}

static void fill_id_house(World *world)
{
	const Tally *t = world->tally;
	for (guint i = 0; i < t->id_list->len; i++) {
		const LearnId *id = t->id_list->pdata[i];
		guint all, most, units = spread(world, i, &all, &most, &world->id_top[i]);
		double percent = t->sum.learned >= FEW ? id->messages * 100.0 / t->sum.learned : 0;
		bool in_most = (percent >= world->house && units >= HOUSE_UNITS) ||
			(percent >= NEARLY_ALL && units >= SOME_UNITS);
		/* As the sender's own it may stand in one document, and be the customer's in
		 * another. */
		bool says_so = id->seller * 2 > id->messages;
		world->id_house[i] = says_so || (in_most && most * 2 < all);
		world->id_many[i] = !world->id_house[i] && units >= MANY_UNITS && most * 2 < all;
		world->id_one[i] = most * 3 >= all * 2;
	}
}

/* ---- kinds of which a customer has one -------------------------------------------------- */

typedef struct {
	guint all, most;
	GHashTable *of; /* identifier to messages */
} Vote;

static void vote_free(gpointer data)
{
	Vote *vote = data;
	g_hash_table_unref(vote->of);
	g_free(vote);
}

static void add_vote(GHashTable *votes, guint unit, const char *kind, const LearnCell *cell)
{
	g_autofree char *key = g_strdup_printf("%u %s", unit, kind);
	Vote *vote = g_hash_table_lookup(votes, key);
	if (vote == NULL) {
		vote = g_new0(Vote, 1);
		vote->of = g_hash_table_new(g_direct_hash, g_direct_equal);
		g_hash_table_insert(votes, g_steal_pointer(&key), vote);
	}
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(vote->of, GUINT_TO_POINTER(cell->id))) +
		world_weight(cell);
	g_hash_table_insert(vote->of, GUINT_TO_POINTER(cell->id), GUINT_TO_POINTER(n));
	vote->all += world_weight(cell);
	vote->most = MAX(vote->most, n);
}

/* By those who got two messages with one: nearly always the same one? */
static bool is_single(GHashTable *votes, const MsKind *kind)
{
	GHashTableIter iter;
	gpointer key, value;
	guint one = 0, all = 0;
	g_hash_table_iter_init(&iter, votes);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const Vote *vote = value;
		if (strcmp(strchr(key, ' ') + 1, kind->name) != 0 || vote->all < 2)
			continue;
		all++;
		one += vote->most * 5 >= vote->all * 4;
	}
	return all >= SINGLE_VOTES ? one * 10 >= all * 7 : kind->names_buyer;
}

static void fill_singles(World *world)
{
	g_autoptr(GHashTable)
		votes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, vote_free);
	for (guint i = 0; i < world->cells->len; i++) {
		const LearnCell *cell = &g_array_index(world->cells, LearnCell, i);
		const LearnId *id = world->tally->id_list->pdata[cell->id];
		if (world_counts(world, id))
			add_vote(votes, world->unit[cell->to], id->kind, cell);
	}
	/* Those that name a buyer first. */
	for (int buyers = 1; buyers >= 0; buyers--)
		for (guint i = 0;
			i < ms_kinds_count(world->kinds) && world->n_singles < LEARN_SINGLES; i++) {
			const MsKind *kind = ms_kinds_nth(world->kinds, i);
			if (kind->names_buyer == buyers && is_single(votes, kind))
				world->singles[world->n_singles++] = kind->name;
		}
}

/* ---- domains of several customers ------------------------------------------------------- */

/* Which identifier of a kind of which a customer has one goes to that address, but for some,
 * plus one; 0: none. */
static void note_own(const World *world, GHashTable *own, const LearnCell *cell)
{
	const LearnId *id = world->tally->id_list->pdata[cell->id];
	guint all, most, top;
	if (!world_counts(world, id) || world_single(world, id->kind) < 0)
		return;
	spread(world, cell->id, &all, &most, &top);
	if (world_weight(cell) * 3 >= all * 2 && world_weight(cell) >= 2)
		g_hash_table_insert(
			own, GUINT_TO_POINTER(cell->to), GUINT_TO_POINTER(cell->id + 1));
}

/* Where each of several addresses has its own, it is a provider's that no list has. */
static bool find_shared(World *world)
{
	g_autoptr(GHashTable) own = g_hash_table_new(g_direct_hash, g_direct_equal);
	g_autoptr(GHashTable) of = g_hash_table_new(g_direct_hash, g_direct_equal);
	bool found = false;
	for (guint i = 0; i < world->cells->len; i++)
		note_own(world, own, &g_array_index(world->cells, LearnCell, i));
	GHashTableIter iter;
	gpointer to, id;
	g_hash_table_iter_init(&iter, own);
	while (g_hash_table_iter_next(&iter, &to, &id)) {
		gpointer unit = GUINT_TO_POINTER(world->unit[GPOINTER_TO_UINT(to)]);
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(of, unit)) + 1;
		g_hash_table_insert(of, unit, GUINT_TO_POINTER(n));
		const LearnTo *one = world->tally->to_list->pdata[GPOINTER_TO_UINT(unit)];
		const char *domain = own_domain(world, one->address);
		if (n < SHARED_BY || domain == NULL)
			continue;
		g_hash_table_add(world->shared, g_strdup(domain));
		g_ptr_array_add(world->notes,
			g_strdup_printf(
				"several customers have addresses at %s: it is taken for a provider's",
				domain));
		found = true;
	}
	return found;
}

/* ---- all -------------------------------------------------------------------------------- */

static void clear_once(World *world)
{
	g_clear_pointer(&world->cells, g_array_unref);
	g_clear_pointer(&world->cells_of, g_array_unref);
	world->n_singles = 0;
}

void world_fill(World *world)
{
	const Tally *t = world->tally;
	world->shared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->unit = g_new0(guint, t->to_list->len + 1);
	world->to_house = g_new0(bool, t->to_list->len + 1);
	world->id_house = g_new0(bool, t->id_list->len + 1);
	world->id_many = g_new0(bool, t->id_list->len + 1);
	world->id_one = g_new0(bool, t->id_list->len + 1);
	world->id_top = g_new0(guint, t->id_list->len + 1);
	do {
		clear_once(world);
		fill_units(world);
		fill_to_house(world);
		fill_cells(world);
		fill_id_house(world);
		fill_singles(world);
	} while (find_shared(world));
}

void world_clear(World *world)
{
	clear_once(world);
	g_hash_table_unref(world->shared);
	g_hash_table_unref(world->senders);
	g_free(world->unit);
	g_free(world->to_house);
	g_free(world->id_house);
	g_free(world->id_many);
	g_free(world->id_one);
	g_free(world->id_top);
}
