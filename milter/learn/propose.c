/*
 * Who goes together comes in; out go rows of a mapping and the conflicts, each with what it rests
 * on.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"

#include "learn_private.h"

const char *const ms_learn_conflict_names[MS_N_LEARN + 1] = {
	"elsewhere", "tie", "several", "to-many", "of-many", NULL};

typedef struct {
	guint messages, trail;
	gint64 first, last;
} Sum;

typedef struct {
	MsLearned *learned;
	const World *world;
	const Accounts *accounts;
	GHashTable *names;   /* of accounts, to the last number given */
	const char **name;   /* of a root; NULL: none yet */
	guint *first;        /* of a root: its first recipient of an own domain, plus one; or 0 */
	Sum *ids;            /* what went to its own */
	GHashTable *tos;     /* root and recipient to Sum */
	GHashTable *domains; /* domain to root plus one; 0: of several */
} Proposing;

static LearnId *id_at(const Proposing *p, guint id)
{
	return p->world->tally->id_list->pdata[id];
}

static LearnTo *to_at(const Proposing *p, guint to)
{
	return p->world->tally->to_list->pdata[to];
}

static guint root_of(const Proposing *p, guint group)
{
	return groups_root(&p->accounts->groups, group);
}

static void add_shape(Sum *sum, const LearnShape *s)
{
	sum->messages += s->messages;
	sum->trail += s->trail;
	if (s->first > 0 && (sum->first == 0 || s->first < sum->first))
		sum->first = s->first;
	sum->last = MAX(sum->last, s->last);
}

/* ---- what it rests on ------------------------------------------------------------------- */

static Sum *sum_of_to(const Proposing *p, guint root, guint to)
{
	guint64 key = (guint64)root << 32 | to;
	Sum *sum = g_hash_table_lookup(p->tos, &key);
	if (sum == NULL) {
		sum = g_new0(Sum, 1);
		g_hash_table_insert(p->tos, g_memdup2(&key, sizeof key), sum);
	}
	return sum;
}

static bool is_kept(const Proposing *p, guint group, guint unit)
{
	const LearnBond *bond = accounts_bond(p->accounts, group, unit);
	return bond != NULL && bond->kept;
}

static void add_up_ids(Proposing *p, const LearnShape *s, const GArray *units)
{
	for (guint i = 0; i < s->n_in; i++) {
		guint id = s->in[i].id->number;
		bool kept = false;
		for (guint u = 0; u < units->len && world_counts(p->world, s->in[i].id); u++)
			kept = kept ||
				is_kept(p, p->accounts->group[id], g_array_index(units, guint, u));
		if (kept)
			add_shape(&p->ids[id], s);
	}
}

static void add_up_tos(Proposing *p, const LearnShape *s, const GArray *groups)
{
	g_autoptr(GHashTable) roots = g_hash_table_new(g_direct_hash, g_direct_equal);
	for (guint k = 0; k < s->n_to; k++) {
		guint to = s->to[k]->number;
		g_hash_table_remove_all(roots);
		for (guint g = 0; g < groups->len && !p->world->to_house[to]; g++) {
			guint group = g_array_index(groups, guint, g);
			gpointer root = GUINT_TO_POINTER(root_of(p, group));
			if (is_kept(p, group, p->world->unit[to]) && g_hash_table_add(roots, root))
				add_shape(sum_of_to(p, GPOINTER_TO_UINT(root), to), s);
		}
	}
}

static void add_up(Proposing *p)
{
	const Tally *t = p->world->tally;
	g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) units = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < t->shape_list->len; i++) {
		const LearnShape *s = t->shape_list->pdata[i];
		if (world_units(p->world, s) > MS_LEARN_CROWD)
			continue;
		accounts_groups(p->accounts, s, groups);
		accounts_units(p->accounts, s, units);
		add_up_ids(p, s, units);
		add_up_tos(p, s, groups);
	}
}

/* ---- names ------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
	gsize len = strlen(text);
	if (len == 0 || len > 100)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("-_./", *c) == NULL)
			return false;
	return true;
}

/* A customer has the name of the number by which he is known, if he has one; or of his domain. */
static const char *proposed_name(const Proposing *p, guint root)
{
	MsKinds *kinds = p->world->kinds;
	for (guint i = 0; i < LEARN_SINGLES && i < p->world->n_singles; i++) {
		const MsKind *kind = ms_kinds_find(kinds, p->world->singles[i]);
		guint id = p->accounts->groups.single[root][i];
		if (kind->names_buyer && id > 0 &&
			p->ids[id - 1].messages + p->ids[id - 1].trail > 0)
			return id_at(p, id - 1)->value;
	}
	const guint to = p->first[root];
	return to > 0 ? strrchr(to_at(p, to - 1)->address, '@') + 1 : "customer";
}

/* One that no other has: `wanted`, or with the next number. */
static char *own_name(const Proposing *p, const char *wanted)
{
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(p->names, wanted));
	char *name = g_strdup(wanted);
	while (g_hash_table_contains(p->names, name)) {
		g_free(name);
		name = g_strdup_printf("%s-%u", wanted, ++n);
	}
	g_hash_table_insert(p->names, g_strdup(name), GUINT_TO_POINTER(1));
	if (strcmp(name, wanted) != 0)
		g_hash_table_insert(p->names, g_strdup(wanted), GUINT_TO_POINTER(n));
	return name;
}

static const char *name_of(Proposing *p, guint root)
{
	if (p->name[root] != NULL)
		return p->name[root];
	const char *wanted = proposed_name(p, root);
	g_autofree char *name = own_name(p, is_name(wanted) ? wanted : "customer");
	p->name[root] = g_string_chunk_insert_const(p->learned->words, name);
	return p->name[root];
}

/* ---- rows -------------------------------------------------------------------------------- */

static void add_row(const Proposing *p, const char *account, const char *kind, const char *value,
	const Sum *sum)
{
	GStringChunk *words = p->learned->words;
	const MsLearnRow row = {g_string_chunk_insert_const(words, account),
		g_string_chunk_insert_const(words, kind), g_string_chunk_insert_const(words, value),
		sum->messages, sum->trail, sum->first, sum->last};
	g_array_append_val(p->learned->rows, row);
}

static Sum sum_of_id(const Proposing *p, guint id)
{
	Sum sum = {.messages = id_at(p, id)->messages};
	const GArray *of = p->world->cells_of;
	for (guint i = g_array_index(of, guint, id); i < g_array_index(of, guint, id + 1); i++) {
		const LearnCell *cell = &g_array_index(p->world->cells, LearnCell, i);
		if (cell->first > 0 && (sum.first == 0 || cell->first < sum.first))
			sum.first = cell->first;
		sum.last = MAX(sum.last, cell->last);
		sum.trail = MAX(sum.trail, cell->trail);
	}
	return sum;
}

/* What is in most mails is proposed as the house's; of what documents call their sender's, what
 * is in as many. */
static void propose_house(const Proposing *p)
{
	const Tally *t = p->world->tally;
	GHashTableIter iter;
	gpointer domain, n;
	for (guint i = 0; i < t->id_list->len; i++) {
		const LearnId *id = t->id_list->pdata[i];
		const Sum sum = sum_of_id(p, i);
		if (p->world->id_house[i] &&
			id->messages * 100.0 >= p->world->house * t->sum.learned)
			add_row(p, p->world->house_account, id->kind, id->text, &sum);
	}
	g_hash_table_iter_init(&iter, t->sender_domains);
	while (g_hash_table_iter_next(&iter, &domain, &n)) {
		g_autofree char *at = g_strconcat("@", (char *)domain, NULL);
		const Sum sum = {.messages = GPOINTER_TO_UINT(n)};
		if (g_hash_table_contains(p->world->senders, world_company(domain)))
			add_row(p, p->world->house_account, MS_ROW_RECIPIENT, at, &sum);
	}
	for (guint i = 0; i < t->to_list->len; i++) {
		const LearnTo *to = t->to_list->pdata[i];
		const Sum sum = {.messages = to->messages};
		const char *at = strrchr(to->address, '@');
		if (p->world->to_house[i] &&
			!g_hash_table_contains(p->world->senders, world_company(at + 1)))
			add_row(p, p->world->house_account, MS_ROW_RECIPIENT, to->address, &sum);
	}
}

static int by_row(const void *a, const void *b)
{
	const MsLearnRow *x = a, *y = b;
	int account = strcmp(x->account, y->account);
	bool of_x = strcmp(x->kind, MS_ROW_RECIPIENT) == 0,
	     of_y = strcmp(y->kind, MS_ROW_RECIPIENT) == 0;
	if (account != 0 || of_x != of_y)
		return account != 0 ? account : of_x ? -1 : 1;
	int kind = strcmp(x->kind, y->kind);
	return kind != 0 ? kind : strcmp(x->value, y->value);
}

/* Of whom are all who get anything at that domain? */
static void note_domain(Proposing *p, guint root, guint to)
{
	const char *domain = strrchr(to_at(p, to)->address, '@') + 1;
	gpointer had;
	bool known = g_hash_table_lookup_extended(p->domains, domain, NULL, &had);
	bool same = known && GPOINTER_TO_UINT(had) == root + 1;
	g_hash_table_insert(
		p->domains, (gpointer)domain, GUINT_TO_POINTER(!known || same ? root + 1 : 0));
}

/* Who got something and is nobody's: then not all at that domain are one's. */
static void note_others(Proposing *p)
{
	for (guint i = 0; i < p->accounts->bonds->len; i++) {
		const LearnBond *bond = &g_array_index(p->accounts->bonds, LearnBond, i);
		const char *domain = strrchr(to_at(p, bond->unit)->address, '@') + 1;
		if (!bond->kept)
			g_hash_table_insert(p->domains, (gpointer)domain, GUINT_TO_POINTER(0));
	}
}

typedef struct {
	guint root, addresses;
	Sum sum;
} AtDomain;

static void propose_domains(Proposing *p, GHashTable *at)
{
	GHashTableIter iter;
	gpointer domain, value;
	g_hash_table_iter_init(&iter, at);
	while (g_hash_table_iter_next(&iter, &domain, &value)) {
		const AtDomain *d = value;
		g_autofree char *row = g_strconcat("@", (char *)domain, NULL);
		if (d->addresses >= 2 && !ms_domain_is_provider(domain) &&
			!ms_domain_is_suffix(domain) &&
			GPOINTER_TO_UINT(g_hash_table_lookup(p->domains, domain)) == d->root + 1)
			add_row(p, name_of(p, d->root), MS_ROW_RECIPIENT, row, &d->sum);
	}
}

static void add_at_domain(GHashTable *at, const char *domain, guint root, const Sum *sum)
{
	AtDomain *d = g_hash_table_lookup(at, domain);
	if (d == NULL) {
		d = g_new0(AtDomain, 1);
		d->root = root;
		g_hash_table_insert(at, g_strdup(domain), d);
	}
	d->addresses++;
	d->sum.messages += sum->messages;
	d->sum.trail += sum->trail;
	d->sum.first = d->sum.first == 0 ? sum->first : MIN(d->sum.first, sum->first);
	d->sum.last = MAX(d->sum.last, sum->last);
}

static void propose_recipients(Proposing *p)
{
	g_autoptr(GHashTable) at = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	GHashTableIter iter;
	gpointer key, sum;
	g_hash_table_iter_init(&iter, p->tos);
	while (g_hash_table_iter_next(&iter, &key, &sum)) {
		guint root = (guint)(*(guint64 *)key >> 32), to = (guint) * (guint64 *)key;
		add_row(p, name_of(p, root), MS_ROW_RECIPIENT, to_at(p, to)->address, sum);
		note_domain(p, root, to);
		add_at_domain(at, strrchr(to_at(p, to)->address, '@') + 1, root, sum);
	}
	note_others(p);
	propose_domains(p, at);
}

/* Names are given in the order of roots, so that they are the same again. */
static void name_all(Proposing *p)
{
	g_autofree bool *placed = g_new0(bool, p->accounts->groups.n + 1);
	g_autofree bool *seen = g_new0(bool, p->accounts->groups.n + 1);
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, p->tos);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		guint root = (guint)(*(guint64 *)key >> 32), to = (guint) * (guint64 *)key;
		const char *domain = strrchr(to_at(p, to)->address, '@') + 1;
		placed[root] = true;
		if (!ms_domain_is_provider(domain) &&
			(p->first[root] == 0 || to < p->first[root] - 1))
			p->first[root] = to + 1;
	}
	g_hash_table_insert(p->names, g_strdup(p->world->house_account), GUINT_TO_POINTER(1));
	for (guint i = 0; i < p->accounts->groups.n; i++) {
		guint root = root_of(p, i);
		if (seen[root] || !world_counts(p->world, id_at(p, i)))
			continue;
		seen[root] = true;
		p->learned->sum.accounts += placed[root];
		p->learned->sum.unplaced += !placed[root];
		if (placed[root])
			name_of(p, root);
	}
}

static void propose_rows(Proposing *p)
{
	name_all(p);
	propose_house(p);
	g_array_sort(p->learned->rows, by_row);
	guint house = p->learned->rows->len;
	for (guint i = 0; i < p->accounts->groups.n; i++)
		if (p->ids[i].messages + p->ids[i].trail > 0)
			add_row(p, name_of(p, root_of(p, i)), id_at(p, i)->kind, id_at(p, i)->text,
				&p->ids[i]);
	propose_recipients(p);
	GArray *rows = p->learned->rows;
	qsort(rows->data + house * sizeof(MsLearnRow), rows->len - house, sizeof(MsLearnRow),
		by_row);
}

/* ---- conflicts --------------------------------------------------------------------------- */

static MsLearnConflict *add_conflict(const Proposing *p, MsLearnConflictType type, guint number,
	guint id, const char *recipient, const LearnShape *shape)
{
	GStringChunk *words = p->learned->words;
	const LearnExample *example = &shape->examples[0];
	const char *account = world_counts(p->world, id_at(p, id)) ? p->name[root_of(p, id)] : NULL;
	const MsLearnConflict row = {.type = type,
		.number = number,
		.account = account != NULL ? account : "",
		.kind = g_string_chunk_insert_const(words, id_at(p, id)->kind),
		.value = g_string_chunk_insert_const(words, id_at(p, id)->text),
		.recipient = g_string_chunk_insert_const(words, recipient),
		.usual = "",
		.where = g_string_chunk_insert_const(
			words, example->name != NULL ? example->name : ""),
		.subject = g_string_chunk_insert_const(
			words, example->subject != NULL ? example->subject : ""),
		.date = example->date};
	g_array_append_val(p->learned->conflicts, row);
	return &g_array_index(
		p->learned->conflicts, MsLearnConflict, p->learned->conflicts->len - 1);
}

/* Who gets most of what it is. */
static void set_usual(const Proposing *p, MsLearnConflict *c, guint id, guint but)
{
	const GArray *of = p->world->cells_of;
	for (guint i = g_array_index(of, guint, id); i < g_array_index(of, guint, id + 1); i++) {
		const LearnCell *cell = &g_array_index(p->world->cells, LearnCell, i);
		if (cell->to == but || p->world->unit[cell->to] == p->world->unit[but] ||
			world_weight(cell) <= c->usual_messages)
			continue;
		c->usual = g_string_chunk_insert_const(
			p->learned->words, to_at(p, cell->to)->address);
		c->usual_messages = world_weight(cell);
	}
}

static void add_pairs(const Proposing *p)
{
	for (guint i = 0; i < p->world->cells->len; i++) {
		const LearnCell *cell = &g_array_index(p->world->cells, LearnCell, i);
		const LearnBond *bond = accounts_bond(
			p->accounts, p->accounts->group[cell->id], p->world->unit[cell->to]);
		if (bond == NULL || bond->conflict < 0 ||
			!world_counts(p->world, id_at(p, cell->id)))
			continue;
		MsLearnConflict *c = add_conflict(p, (MsLearnConflictType)bond->conflict,
			bond->number, cell->id, to_at(p, cell->to)->address, cell->shape);
		c->recipients = 1;
		c->messages = cell->messages;
		c->trail = cell->trail;
		c->first = cell->first;
		c->last = cell->last;
		set_usual(p, c, cell->id, cell->to);
	}
}

static void add_crowds(const Proposing *p, guint *number)
{
	const Tally *t = p->world->tally;
	for (guint i = 0; i < t->shape_list->len; i++) {
		const LearnShape *s = t->shape_list->pdata[i];
		guint units = world_units(p->world, s), before = p->learned->conflicts->len;
		for (guint k = 0; k < s->n_in && units > MS_LEARN_CROWD; k++) {
			if (!world_counts(p->world, s->in[k].id))
				continue;
			MsLearnConflict *c = add_conflict(
				p, MS_LEARN_TO_MANY, *number + 1, s->in[k].id->number, "", s);
			c->recipients = s->n_to;
			c->messages = s->messages;
			c->trail = s->trail;
			c->first = s->first;
			c->last = s->last;
			set_usual(p, c, s->in[k].id->number, s->to[0]->number);
		}
		*number += p->learned->conflicts->len > before;
	}
}

static void add_of_many(const Proposing *p, guint *number)
{
	const GArray *of = p->world->cells_of;
	for (guint id = 0; id < p->world->tally->id_list->len; id++) {
		guint from = g_array_index(of, guint, id), to = g_array_index(of, guint, id + 1);
		if (!p->world->id_many[id] || from == to)
			continue;
		const Sum sum = sum_of_id(p, id);
		MsLearnConflict *c = add_conflict(p, MS_LEARN_OF_MANY, ++*number, id, "",
			g_array_index(p->world->cells, LearnCell, from).shape);
		c->recipients = to - from;
		c->messages = sum.messages;
		c->trail = sum.trail;
		c->first = sum.first;
		c->last = sum.last;
	}
}

static int by_conflict(const void *a, const void *b)
{
	const MsLearnConflict *x = a, *y = b;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	int recipient = strcmp(x->recipient, y->recipient), kind = strcmp(x->kind, y->kind);
	return recipient != 0 ? recipient : kind != 0 ? kind : strcmp(x->value, y->value);
}

/* Numbered anew in the order in which they are told. */
static void number_conflicts(GArray *conflicts)
{
	guint number = 0, before = 0;
	g_array_sort(conflicts, by_conflict);
	for (guint i = 0; i < conflicts->len; i++) {
		MsLearnConflict *c = &g_array_index(conflicts, MsLearnConflict, i);
		number += i == 0 || c->number != before;
		before = c->number;
		c->number = number;
	}
}

void learn_propose(MsLearned *learned, const World *world, const Accounts *accounts)
{
	Proposing p = {.learned = learned,
		.world = world,
		.accounts = accounts,
		.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.name = g_new0(const char *, accounts->groups.n + 1),
		.first = g_new0(guint, accounts->groups.n + 1),
		.ids = g_new0(Sum, accounts->groups.n + 1),
		.tos = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free),
		.domains = g_hash_table_new(g_str_hash, g_str_equal)};
	guint number = accounts->conflicts;
	add_up(&p);
	propose_rows(&p);
	add_pairs(&p);
	add_crowds(&p, &number);
	add_of_many(&p, &number);
	number_conflicts(learned->conflicts);
	g_hash_table_unref(p.names);
	g_hash_table_unref(p.tos);
	g_hash_table_unref(p.domains);
	g_free(p.name);
	g_free(p.first);
	g_free(p.ids);
}
