/*
 * The directory's answers about one message: names become numbers, equal answers are kept once.
 * Accounts come in as lists, one for each key that was found; identifiers and recipients then name
 * unions of lists.  What follows from it is in rights.c.  One message, one thread.
 */
#include "config.h"

#include <string.h>

#include "resolution_private.h"

/* ---- the purse ------------------------------------------------------------------------ */

static void set_over(MsResolution *r, MsCost cost)
{
	if (r->over != NULL)
		return;
	static const char *const what[] = {
		[MS_COST_ACCOUNT] = "more accounts have to do with it",
		[MS_COST_RIGHT] = "who has a right to what needs more memory",
		[MS_COST_STEP] = "who has a right to what takes longer",
	};
	r->over = g_strdup_printf("%s than %s of judging allows (%u identifiers, %u recipients)",
		what[cost], ms_cost_name(cost), r->identifiers->len, r->recipients->len);
}

bool ms_resolution_step(MsResolution *r, guint64 steps)
{
	if (r->over == NULL && !ms_budget_step(&r->budget, steps))
		set_over(r, MS_COST_STEP);
	return r->over == NULL;
}

bool resolution_charge(MsResolution *r, MsCost cost, guint64 amount)
{
	if (r->over == NULL && !ms_budget_charge(&r->budget, cost, amount))
		set_over(r, cost);
	return r->over == NULL;
}

/* ---- making and freeing --------------------------------------------------------------- */

static void list_clear(gpointer data)
{
	g_free(((List *)data)->accounts);
}

static void union_clear(gpointer data)
{
	g_free(((Union *)data)->lists);
}

static void row_clear(gpointer data)
{
	Row *row = data;
	g_free(row->own.few);
	g_free(row->own.many);
	g_free(row->sure.few);
	g_free(row->sure.many);
}

static void column_clear(gpointer data)
{
	g_free(((Column *)data)->mailboxes);
}

static GArray *array_of(guint size, GDestroyNotify clear)
{
	GArray *array = g_array_new(FALSE, TRUE, size);
	if (clear != NULL)
		g_array_set_clear_func(array, clear);
	return array;
}

MsResolution *ms_resolution_new(const char *house, const MsLimits *limits)
{
	MsLimits usual;
	ms_limits_judging(&usual);
	MsResolution *r = g_new0(MsResolution, 1);
	r->house = g_strdup(house);
	r->house_id = -1;
	ms_budget_init_judging(&r->budget, limits != NULL ? limits : &usual);
	r->names = g_ptr_array_new_with_free_func(g_free);
	r->ids = g_hash_table_new(g_str_hash, g_str_equal);
	r->lists = array_of(sizeof(List), list_clear);
	r->unions = array_of(sizeof(Union), union_clear);
	r->rows = array_of(sizeof(Row), row_clear);
	r->plain = array_of(sizeof(Column), column_clear);
	r->routed = array_of(sizeof(Column), column_clear);
	r->identifiers = array_of(sizeof(Identifier), NULL);
	r->recipients = array_of(sizeof(Place), NULL);
	r->numbers = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	g_array_set_size(r->lists, 1); /* the empty one */
	Union none = {.mailbox = -1};
	g_array_append_val(r->unions, none);
	return r;
}

void ms_resolution_free(MsResolution *r)
{
	if (r == NULL)
		return;
	rights_free(r->rights);
	g_hash_table_unref(r->numbers);
	g_clear_pointer(&r->named, g_hash_table_unref);
	GArray *const arrays[] = {
		r->lists, r->unions, r->rows, r->plain, r->routed, r->identifiers, r->recipients};
	for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
		g_array_unref(arrays[i]);
	g_hash_table_unref(r->ids);
	g_ptr_array_unref(r->names);
	g_free(r->house);
	g_free(r->generation);
	g_free(r->over);
	g_free(r);
}

void ms_resolution_stamp(MsResolution *r, const char *generation, gint64 changes)
{
	g_free(r->generation);
	r->generation = g_strdup(generation);
	r->changes = changes;
}

const char *ms_resolution_generation(const MsResolution *r, gint64 *changes_out)
{
	if (changes_out != NULL)
		*changes_out = r->changes;
	return r->generation;
}

/* ---- numbers -------------------------------------------------------------------------- */

static guint32 account(MsResolution *r, const char *name)
{
	gpointer known = g_hash_table_lookup(r->ids, name);
	if (known != NULL)
		return GPOINTER_TO_UINT(known) - 1;
	char *kept = g_strdup(name);
	g_ptr_array_add(r->names, kept);
	g_hash_table_insert(r->ids, kept, GUINT_TO_POINTER(r->names->len));
	if (strcmp(name, r->house) == 0)
		r->house_id = r->names->len - 1;
	return r->names->len - 1;
}

guint ms_resolution_list(MsResolution *r, const char *const *accounts, gsize n)
{
	if (n == 0 || !resolution_charge(r, MS_COST_ACCOUNT, n))
		return 0;
	List list = {.accounts = g_new(guint32, n)};
	g_autoptr(GHashTable) seen = n > 1 ? g_hash_table_new(NULL, NULL) : NULL;
	for (gsize i = 0; i < n; i++) {
		guint32 a = account(r, accounts[i]);
		if (seen != NULL && !g_hash_table_add(seen, GUINT_TO_POINTER(a + 1)))
			continue;
		list.accounts[list.n++] = a;
		list.house = list.house || a == r->house_id;
	}
	g_array_append_val(r->lists, list);
	return r->lists->len - 1;
}

/* The number of what is made of these; `next` if it is new. */
static guint number_of(MsResolution *r, const guint *key, gsize n, guint next)
{
	g_autoptr(GBytes) bytes = g_bytes_new(key, n * sizeof *key);
	gpointer number;
	if (g_hash_table_lookup_extended(r->numbers, bytes, NULL, &number))
		return GPOINTER_TO_UINT(number);
	g_hash_table_insert(r->numbers, g_steal_pointer(&bytes), GUINT_TO_POINTER(next));
	return next;
}

/* What the numbers that follow are of. */
enum { OF_UNION, OF_ROW, OF_PLAIN, OF_ROUTED };

static bool has(const guint *list, gsize n, guint number)
{
	for (gsize i = 0; i < n; i++)
		if (list[i] == number)
			return true;
	return false;
}

/* `key` begins with one word of what it is; each number that is not 0 follows it once, unless they
 * are many: a list twice does no harm. */
static gsize make_key(guint *key, guint of, const guint *numbers, gsize n)
{
	gsize len = 0;
	key[len++] = of;
	for (gsize i = 0; i < n; i++)
		if (numbers[i] != 0 && (n > 64 || !has(key + 1, len - 1, numbers[i])))
			key[len++] = numbers[i];
	return len;
}

guint ms_resolution_union(MsResolution *r, const guint *lists, gsize n)
{
	g_autofree guint *key = g_new(guint, n + 1);
	gsize len = make_key(key, OF_UNION, lists, n);
	if (len == 1)
		return 0;
	guint number = number_of(r, key, len, r->unions->len);
	if (number < r->unions->len)
		return number;
	Union made = {.lists = g_memdup2(key + 1, (len - 1) * sizeof *key), .n = (guint)len - 1,
		.accounts = -1, .mailbox = -1};
	for (guint i = 0; i < made.n; i++)
		made.house = made.house || LIST(r, made.lists[i])->house;
	g_array_append_val(r->unions, made);
	return number;
}

static guint row_of(MsResolution *r, Row row)
{
	const guint key[] = {OF_ROW, row.owners, row.receivers, row.partial, row.one, row.other};
	guint number = number_of(r, key, G_N_ELEMENTS(key), r->rows->len);
	if (number == r->rows->len) {
		for (int rule = 0; rule < MS_N_HOUSE; rule++) {
			row.first[rule] = MS_NOBODY;
			row.count[rule] = -1;
		}
		g_array_append_val(r->rows, row);
	}
	return number;
}

void ms_resolution_identifier(MsResolution *r, guint owners, guint receivers, guint partial)
{
	guint row = row_of(
		r, (Row){.owners = owners, .receivers = receivers, .partial = partial});
	const Identifier identifier = {row, row};
	g_array_append_val(r->identifiers, identifier);
}

static guint both(MsResolution *r, guint one, guint other)
{
	g_autoptr(GArray) lists = g_array_new(FALSE, FALSE, sizeof(guint));
	g_array_append_vals(lists, UNION(r, one)->lists, UNION(r, one)->n);
	g_array_append_vals(lists, UNION(r, other)->lists, UNION(r, other)->n);
	return ms_resolution_union(r, (const guint *)(const void *)lists->data, lists->len);
}

void ms_resolution_meaning(MsResolution *r, guint owners, guint receivers)
{
	Identifier *identifier = IDENTIFIER(r, r->identifiers->len - 1);
	const Row one = g_array_index(r->rows, Row, identifier->row);
	if (owners == 0 || one.owners == 0) /* nobody's says nothing, and needs no excuse */
		return;
	guint other = row_of(r, (Row){.owners = owners, .receivers = receivers});
	if (other == identifier->row)
		return;
	identifier->row = row_of(r,
		(Row){.owners = both(r, one.owners, owners),
			.receivers = both(r, one.receivers, receivers),
			.one = identifier->row,
			.other = other});
}

/* A mailbox that only stands beside others is a column of nobody. */
static guint plain_column(MsResolution *r, guint mailbox)
{
	const guint key[] = {OF_PLAIN, mailbox};
	guint number = number_of(r, key, G_N_ELEMENTS(key), r->plain->len);
	if (number == r->plain->len) {
		Column column = {.mailboxes = g_memdup2(&mailbox, sizeof mailbox),
			.n = 1,
			.first = MS_NOBODY,
			.unknown = mailbox == 0,
			.house = UNION(r, mailbox)->house};
		g_array_append_val(r->plain, column);
		UNION(r, mailbox)->mailbox = (gint)number;
	}
	return number;
}

static guint routed_column(MsResolution *r, const guint *mailboxes, gsize n)
{
	g_autofree guint *key = g_new(guint, n + 1);
	key[0] = OF_ROUTED;
	memcpy(key + 1, mailboxes, n * sizeof *key);
	guint number = number_of(r, key, n + 1, r->routed->len);
	if (number < r->routed->len)
		return number;
	Column column = {.mailboxes = g_memdup2(mailboxes, n * sizeof *mailboxes), .n = (guint)n,
		.first = MS_NOBODY, .house = true};
	for (gsize i = 0; i < n; i++) {
		plain_column(r, mailboxes[i]);
		column.house = column.house && UNION(r, mailboxes[i])->house;
	}
	g_array_append_val(r->routed, column);
	return number;
}

void ms_resolution_recipient(MsResolution *r, const guint *mailboxes, gsize n)
{
	g_autofree guint *different = g_new(guint, n);
	guint many = 0;
	for (gsize i = 0; i < n; i++)
		if (!has(different, many, mailboxes[i]))
			different[many++] = mailboxes[i];
	Place place = {.routed = many > 1};
	place.column = many > 1 ? routed_column(r, different, many) : plain_column(r, different[0]);
	g_array_append_val(r->recipients, place);
	Column *column = column_of(r, r->recipients->len - 1);
	if (column->recipients++ == 0)
		column->first = r->recipients->len - 1;
}

void ms_resolution_overflow(MsResolution *r)
{
	set_over(r, MS_COST_ACCOUNT);
}

void ms_resolution_settle(MsResolution *r)
{
	if (r->over == NULL)
		rights_make(r);
}

void ms_resolution_keep(MsResolution *r, const guint8 *keep)
{
	guint n = 0;
	for (guint i = 0; i < r->identifiers->len; i++)
		if (keep[i])
			*IDENTIFIER(r, n++) = *IDENTIFIER(r, i);
	g_array_set_size(r->identifiers, n);
}

/* ---- asking --------------------------------------------------------------------------- */

guint64 ms_resolution_left(const MsResolution *r, MsCost cost)
{
	return r->budget.left[cost];
}

const char *ms_resolution_over(const MsResolution *r)
{
	return r->over;
}

guint ms_resolution_identifiers(const MsResolution *r)
{
	return r->identifiers->len;
}

guint ms_resolution_accounts(const MsResolution *r)
{
	return r->names->len;
}

bool ms_resolution_is_owned(const MsResolution *r, guint identifier)
{
	return g_array_index(r->rows, Row, IDENTIFIER(r, identifier)->alone).owners != 0;
}

bool ms_resolution_is_partial(const MsResolution *r, guint identifier)
{
	return ROW(r, identifier)->partial != 0;
}

bool ms_resolution_is_unknown(const MsResolution *r, guint recipient)
{
	return column_of(r, recipient)->unknown;
}

bool ms_resolution_is_house(const MsResolution *r, guint recipient)
{
	return column_of(r, recipient)->house;
}

gint64 ms_resolution_sole_owner(const MsResolution *r, guint identifier)
{
	guint owners = ROW(r, identifier)->owners;
	const List *first = owners != 0 ? LIST(r, UNION(r, owners)->lists[0]) : NULL;
	if (first == NULL || first->n > 1 || first->accounts[0] == r->house_id)
		return -1;
	for (guint i = 1; i < UNION(r, owners)->n; i++) {
		const List *list = LIST(r, UNION(r, owners)->lists[i]);
		if (list->n > 1 || list->accounts[0] != first->accounts[0])
			return -1;
	}
	return first->accounts[0];
}

/* ---- names ---------------------------------------------------------------------------- */

typedef bool (*EachFunc)(guint32 account, void *user);

/* Calls `each` for the accounts of a union, each once, while that is true. */
static void each_of(const MsResolution *r, guint number, EachFunc each, void *user)
{
	const Union *u = UNION(r, number);
	g_autoptr(GHashTable) seen = u->n > 1 ? g_hash_table_new(NULL, NULL) : NULL;
	for (guint k = 0; k < u->n; k++) {
		const List *list = LIST(r, u->lists[k]);
		for (guint i = 0; i < list->n; i++)
			if ((seen == NULL ||
				    g_hash_table_add(
					    seen, GUINT_TO_POINTER(list->accounts[i] + 1))) &&
				!each(list->accounts[i], user))
				return;
	}
}

typedef struct {
	const MsResolution *r;
	GPtrArray *names; /* or NULL */
	guint most, n;
} Names;

static bool take_name(guint32 account, void *user)
{
	Names *out = user;
	if (out->names != NULL && out->n < out->most)
		g_ptr_array_add(out->names, out->r->names->pdata[account]);
	return ++out->n < out->most;
}

/* They are counted once, and named as far as is wanted. */
static guint names_of(const MsResolution *r, guint number, guint most, GPtrArray *names)
{
	Union *u = UNION(r, number);
	if (u->accounts < 0) {
		Names all = {r, NULL, G_MAXUINT, 0};
		if (u->n == 1)
			all.n = LIST(r, u->lists[0])->n;
		else
			each_of(r, number, take_name, &all);
		u->accounts = all.n;
	}
	Names out = {r, names, most, 0};
	if (names != NULL && most > 0)
		each_of(r, number, take_name, &out);
	return (guint)u->accounts;
}

guint ms_resolution_owners(
	const MsResolution *r, guint identifier, guint most, GPtrArray *names_out)
{
	return names_of(r, ROW(r, identifier)->owners, most, names_out);
}

guint ms_resolution_receivers(
	const MsResolution *r, guint identifier, guint most, GPtrArray *names_out)
{
	return names_of(r, ROW(r, identifier)->receivers, most, names_out);
}

/* How many of the mailboxes have an account, in order of the first. */
static bool count_one(guint32 account, void *user)
{
	GHashTable *counts = user;
	gpointer key = GUINT_TO_POINTER(account + 1);
	g_hash_table_insert(counts, key,
		GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1));
	return true;
}

typedef struct {
	GHashTable *counts;
	guint all;
	Names names;
} Common;

static bool take_common(guint32 account, void *user)
{
	Common *common = user;
	if (GPOINTER_TO_UINT(g_hash_table_lookup(common->counts, GUINT_TO_POINTER(account + 1))) ==
		common->all)
		take_name(account, &common->names);
	return true;
}

guint ms_resolution_accounts_of(
	const MsResolution *r, guint recipient, guint most, GPtrArray *names_out)
{
	const Column *column = column_of(r, recipient);
	if (column->n == 1)
		return names_of(r, column->mailboxes[0], most, names_out);
	g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < column->n; i++)
		each_of(r, column->mailboxes[i], count_one, counts);
	Common common = {counts, column->n, {r, names_out, most, 0}};
	each_of(r, column->mailboxes[0], take_common, &common);
	return common.names.n;
}

/* ---- who is greeted ------------------------------------------------------------------- */

void ms_resolution_named(MsResolution *r, const char *account_name, bool greeted)
{
	if (r->named == NULL)
		r->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_insert(r->named, g_strdup(account_name), GUINT_TO_POINTER(greeted ? 2 : 1));
}

/* How many of them are greeted; `*nameless_out`: one has no names. */
static guint count_greeted(const MsResolution *r, const GPtrArray *accounts, bool *nameless_out)
{
	guint n = 0;
	for (guint i = 0; i < accounts->len; i++) {
		guint what = GPOINTER_TO_UINT(g_hash_table_lookup(r->named, accounts->pdata[i]));
		n += what == 2;
		*nameless_out = *nameless_out || what == 0;
	}
	return n;
}

/* Who receives for a customer gets what greets that one. */
static bool greets_owner(const MsResolution *r, guint recipient)
{
	for (guint i = 0; i < r->identifiers->len; i++) {
		g_autoptr(GPtrArray) owners = g_ptr_array_new();
		bool ignored = false;
		if (ms_resolution_relation(r, i, recipient) != MS_OWN)
			continue;
		ms_resolution_owners(r, i, G_MAXUINT, owners);
		if (count_greeted(r, owners, &ignored) > 0)
			return true;
	}
	return false;
}

MsGreeted ms_resolution_greeted(const MsResolution *r, guint recipient)
{
	g_autoptr(GPtrArray) his = g_ptr_array_new();
	bool nameless = false;
	if (r->named == NULL || ms_resolution_accounts_of(r, recipient, G_MAXUINT, his) == 0)
		return MS_GREETED_UNKNOWN;
	if (count_greeted(r, his, &nameless) > 0 || greets_owner(r, recipient))
		return MS_GREETED_RIGHT;
	return nameless ? MS_GREETED_UNKNOWN : MS_GREETED_OTHER;
}
