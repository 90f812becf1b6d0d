/*
 * Records of a new mapping come in, in the order of their digests; each goes beside what the slice
 * of the mapping in use has under the same digest.  The places of both are in one order, whatever
 * their numbers of slices, so one walk over both is enough, and one slice of the one in use is in
 * memory.  Pairs of accounts that one identifier left and came to go to scatter.h.
 *
 * An identifier may have several accounts.  Those that it has in both stay; of the others as many
 * as it lost and as it got have moved, the rest is gone, or gained.
 *
 * One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "before.h"
#include "moved.h"
#include "scatter.h"

#define MANY 64   /* accounts: a value of more is nobody's own, and only how many is looked at */
#define PAIRS 400 /* likewise, of those that it left and those that it came to */
#define FEW 5     /* as many that moved are never too many */
#define GAIN_COUNTS 5 /* so many that came to a further account count as one that moved */

struct MsKindNumbers {
	GHashTable *numbers; /* of names */
	GPtrArray *names;    /* of char *, by number */
};

typedef struct {
	gsize at;
	MsHolder holder; /* its name is set when all of them are there */
} Name;

struct MsMoved {
	const MsKeys *keys;
	const MsKindNumbers *numbers;
	const char *house; /* or NULL */
	MsPlaces places;
	MsBefore *before;
	MsScatter *scatter;
	char *damaged; /* the one in use is, and how; or NULL */
	/* the slice that is in hand; none before the first */
	guint32 slice, slices;
	bool begun;
	MsBeforeEntry *entries;
	guint n;
	/* all records of one digest */
	MsMovedValue value;
	bool of_accounts, any;
	guint n_names;
	GArray *names; /* of Name: of them, at most MANY */
	GByteArray *room;
	/* what there is to say */
	guint64 gone, shared, to_house;
	guint64 *same, *fresh_of; /* by kind */
	guint64 accounts_same, accounts_fresh, accounts_gone;
	MsScattered scattered;
};

/* ---- kinds ---------------------------------------------------------------------------- */

static void add_kind(MsKindNumbers *numbers, const char *name)
{
	g_hash_table_insert(
		numbers->numbers, g_strdup(name), GUINT_TO_POINTER(numbers->names->len));
	g_ptr_array_add(numbers->names, g_strdup(name));
}

MsKindNumbers *ms_kind_numbers_new(const MsKinds *kinds)
{
	MsKindNumbers *numbers = g_new0(MsKindNumbers, 1);
	numbers->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	numbers->names = g_ptr_array_new_with_free_func(g_free);
	add_kind(numbers, "");
	for (const char *const *row = ms_rows_beside_kinds; *row != NULL; row++)
		add_kind(numbers, *row);
	for (guint i = 0; i < ms_kinds_count(kinds); i++)
		add_kind(numbers, ms_kinds_nth(kinds, i)->name);
	return numbers;
}

void ms_kind_numbers_free(MsKindNumbers *numbers)
{
	if (numbers == NULL)
		return;
	g_hash_table_unref(numbers->numbers);
	g_ptr_array_unref(numbers->names);
	g_free(numbers);
}

guint16 ms_kind_number(const MsKindNumbers *numbers, const char *kind)
{
	return (guint16)GPOINTER_TO_UINT(g_hash_table_lookup(numbers->numbers, kind));
}

static guint kinds_of(const MsMoved *moved)
{
	return moved->numbers->names->len;
}

static const char *kind_name(const MsMoved *moved, guint kind)
{
	return moved->numbers->names->pdata[kind];
}

/* ---- life ----------------------------------------------------------------------------- */

MsMoved *ms_moved_new(MsDirectory *directory, const MsMapping *before, const MsKindNumbers *numbers,
	const MsSpillPlace *place, GError **error)
{
	guint kinds = numbers->names->len;
	MsScatter *scatter = ms_scatter_new(place, kinds, error);
	if (scatter == NULL)
		return NULL;
	MsMoved *moved = g_new0(MsMoved, 1);
	moved->keys = &directory->keys;
	moved->numbers = numbers;
	moved->house = directory->house;
	moved->places = before->places;
	moved->slices = ms_mapping_slices(&before->places);
	moved->before = ms_before_new(directory, before);
	moved->scatter = scatter;
	moved->names = g_array_new(FALSE, FALSE, sizeof(Name));
	moved->room = g_byte_array_new();
	moved->same = g_new0(guint64, kinds);
	moved->fresh_of = g_new0(guint64, kinds);
	return moved;
}

void ms_moved_free(MsMoved *moved)
{
	if (moved == NULL)
		return;
	ms_before_free(moved->before);
	ms_scatter_free(moved->scatter);
	ms_scattered_clear(&moved->scattered);
	g_array_unref(moved->names);
	g_byte_array_unref(moved->room);
	g_free(moved->same);
	g_free(moved->fresh_of);
	g_free(moved->damaged);
	g_free(moved);
}

/* ---- the one in use ------------------------------------------------------------------- */

static MsHolder holder_of(const MsBeforeEntry *entry)
{
	return (MsHolder){entry->said.account, entry->said.account_len, 0};
}

/* Of entries about accounts, with other forms among them: is it the one that says that there is
 * this account? */
static bool is_account(const MsMoved *moved, const MsBeforeEntry *entry)
{
	guint8 digest[MS_ENTRY_DIGEST];
	g_autofree char *account = g_strndup(entry->said.account, entry->said.account_len);
	g_autofree char *name = ms_keys_known_account(account);
	ms_keys_digest(moved->keys, name, digest);
	return memcmp(digest + MS_PLACE_BYTES, entry->key, MS_ENTRY_KEY) == 0;
}

/* What the new one has not. */
static bool leave_slice(MsMoved *moved, GError **error)
{
	for (guint i = 0; moved->begun && i < moved->n; i++) {
		const MsBeforeEntry *entry = &moved->entries[i];
		MsHolder account = holder_of(entry);
		if (entry->met)
			continue;
		if (entry->said.ref == NULL) {
			moved->gone++;
		} else if (moved->slice >= moved->places.slices && is_account(moved, entry)) {
			moved->accounts_gone++;
			if (!ms_scatter_vanished(moved->scatter, &account, error))
				return false;
		}
	}
	return true;
}

/* False: the world failed, or (`damaged`) it cannot be looked at. */
static bool read_slice(MsMoved *moved, guint32 number, GError **error)
{
	g_autoptr(GError) why = NULL;
	MsAnswer answer = ms_before_slice(moved->before, number, &moved->entries, &moved->n, &why);
	moved->slice = number;
	moved->begun = answer == MS_FOUND;
	if (answer == MS_CONFIG)
		moved->damaged = g_strdup(why->message);
	else if (answer != MS_FOUND)
		g_propagate_error(error, g_steal_pointer(&why));
	return answer == MS_FOUND;
}

static bool go_to(MsMoved *moved, guint32 number, GError **error)
{
	while (!moved->begun || moved->slice < number) {
		guint32 next = moved->begun ? moved->slice + 1 : 0;
		if (!leave_slice(moved, error) || next >= moved->slices ||
			!read_slice(moved, next, error))
			return false;
	}
	return true;
}

/* The entries with the key of the value in hand. */
static guint find(const MsMoved *moved, guint *many_out)
{
	const guint8 *key = moved->value.digest + MS_PLACE_BYTES;
	guint low = 0, high = moved->n, many = 0;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (memcmp(moved->entries[middle].key, key, MS_ENTRY_KEY) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + many < moved->n &&
		memcmp(moved->entries[low + many].key, key, MS_ENTRY_KEY) == 0)
		moved->entries[low + many++].met = true;
	*many_out = many;
	return low;
}

/* ---- one value ------------------------------------------------------------------------ */

static gint compare(const MsHolder *a, const MsHolder *b)
{
	/* as what is said begins with its length, both are in this order */
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->name, b->name, a->len);
}

typedef struct {
	MsHolder lost[MANY], gained[MANY];
	guint n_lost, n_gained, stayed;
} Change;

/* At most MANY of each. */
static void set_against(MsMoved *moved, guint first, guint many, Change *change)
{
	const Name *names = (const Name *)(const void *)moved->names->data;
	guint i = 0, k = 0;
	while (i < many || k < moved->names->len) {
		MsHolder before = i < many ? holder_of(&moved->entries[first + i]) : (MsHolder){0};
		gint order = i == many           ? 1
			: k == moved->names->len ? -1
						 : compare(&before, &names[k].holder);
		if (order < 0)
			change->lost[change->n_lost++] = before;
		else if (order > 0)
			change->gained[change->n_gained++] = names[k].holder;
		change->stayed += order == 0;
		i += order <= 0;
		k += order >= 0;
	}
}

static bool take_change(MsMoved *moved, const Change *change, GError **error)
{
	for (guint k = 0; moved->house != NULL && k < change->n_gained; k++)
		moved->to_house += change->gained[k].len == strlen(moved->house) &&
			memcmp(change->gained[k].name, moved->house, change->gained[k].len) == 0;
	guint pairs = MIN(change->n_lost, change->n_gained);
	if (change->n_lost * change->n_gained > PAIRS)
		pairs = 0;
	bool sure = change->n_lost == 1 && change->n_gained == 1, fine = true;
	moved->same[moved->value.kind] += change->stayed;
	moved->gone += change->n_lost - pairs;
	moved->shared += change->n_gained - pairs;
	for (guint i = 0; pairs > 0 && i < change->n_lost; i++)
		for (guint k = 0; k < change->n_gained && fine; k++)
			fine = ms_scatter_pair(moved->scatter, &moved->value, &change->lost[i],
				&change->gained[k], sure, error);
	if (!sure)
		ms_scatter_unsure(moved->scatter, moved->value.kind, pairs);
	for (guint k = 0; change->n_lost == 0 && k < change->n_gained && fine; k++)
		fine = ms_scatter_gain(moved->scatter, &moved->value, &change->gained[k], error);
	return fine;
}

static bool end_account(MsMoved *moved, bool known, GError **error)
{
	const Name *name = &g_array_index(moved->names, Name, 0);
	moved->accounts_same += known;
	moved->accounts_fresh += !known;
	return known || ms_scatter_fresh(moved->scatter, &name->holder, error);
}

static bool end_value(MsMoved *moved, GError **error)
{
	guint many, first = find(moved, &many), n = moved->n_names;
	if (moved->value.kind == MS_KIND_ACCOUNT)
		return end_account(moved, many > 0, error);
	if (many == 0) {
		moved->fresh_of[moved->value.kind] += n;
	} else if (many > MANY || n > MANY) {
		moved->same[moved->value.kind] += MIN(many, n);
		moved->gone += many - MIN(many, n);
		moved->shared += n - MIN(many, n);
	} else {
		Change change;
		change.n_lost = change.n_gained = change.stayed = 0;
		set_against(moved, first, many, &change);
		return take_change(moved, &change, error);
	}
	return true;
}

/* All records of one digest are there. */
static bool end_digest(MsMoved *moved, GError **error)
{
	if (!moved->any)
		return true;
	for (guint i = 0; i < moved->names->len; i++) {
		Name *name = &g_array_index(moved->names, Name, i);
		name->holder.name = (const char *)moved->room->data + name->at;
	}
	moved->any = false;
	guint32 number = moved->of_accounts ? ms_place_account(&moved->places, moved->value.digest)
					    : ms_place_entry(&moved->places, moved->value.digest);
	return go_to(moved, number, error) && end_value(moved, error);
}

bool ms_moved_take(MsMoved *moved, const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record,
	bool of_accounts, GError **error)
{
	const guint8 *at = record->said;
	MsSaid said;
	if (moved->damaged != NULL || record->kind == MS_KIND_NONE ||
		!ms_said_read(moved->keys, &at, at + record->said_len, &said))
		return true;
	if (moved->any &&
		(moved->of_accounts != of_accounts ||
			memcmp(moved->value.digest, digest, MS_ENTRY_DIGEST) != 0) &&
		!end_digest(moved, error))
		return moved->damaged != NULL;
	if (!moved->any) {
		memcpy(moved->value.digest, digest, MS_ENTRY_DIGEST);
		moved->value.kind = record->kind;
		moved->of_accounts = of_accounts;
		moved->any = true;
		moved->n_names = 0;
		g_array_set_size(moved->names, 0);
		g_byte_array_set_size(moved->room, 0);
	}
	const Name name = {moved->room->len, {NULL, said.account_len, record->line}};
	if (++moved->n_names > MANY)
		return true;
	g_array_append_val(moved->names, name);
	g_byte_array_append(moved->room, (const guint8 *)said.account, (guint)said.account_len);
	return true;
}

bool ms_moved_end(MsMoved *moved, GError **error)
{
	bool fine = moved->damaged != NULL ||
		(end_digest(moved, error) && go_to(moved, moved->slices - 1, error) &&
			leave_slice(moved, error));
	if (!fine && moved->damaged == NULL)
		return false;
	return moved->damaged != NULL || ms_scatter_end(moved->scatter, &moved->scattered, error);
}

/* ---- what there is to say ------------------------------------------------------------- */

static guint64 sum_of(const MsMoved *moved, const guint64 *by_kind)
{
	guint64 sum = 0;
	for (guint i = 0; i < kinds_of(moved); i++)
		sum += by_kind[i];
	return sum;
}

/* "17 (recipient 12, iban 5)" */
static void add_kinds(const MsMoved *moved, const guint64 *by_kind, GString *out)
{
	const char *between = " (";
	g_string_append_printf(out, "%" G_GUINT64_FORMAT, sum_of(moved, by_kind));
	for (guint i = 0; i < kinds_of(moved); i++) {
		if (by_kind[i] == 0)
			continue;
		g_string_append_printf(
			out, "%s%s %" G_GUINT64_FORMAT, between, kind_name(moved, i), by_kind[i]);
		between = ", ";
	}
	g_string_append(out, *between == ',' ? ")" : "");
}

static void add_accounts(const MsMoved *moved, MsMove move, const char *what, GString *out)
{
	guint64 accounts = moved->scattered.accounts[move];
	if (accounts > 0)
		g_string_append_printf(out,
			"; %" G_GUINT64_FORMAT " account%s %s with %" G_GUINT64_FORMAT, accounts,
			accounts == 1 ? "" : "s", what,
			sum_of(moved, moved->scattered.values[move]));
}

/* Who may receive now for an account that there was before, and could not. */
static guint64 new_rights(const MsMoved *moved)
{
	guint recipient = ms_kind_number(moved->numbers, MS_ROW_RECIPIENT);
	const MsScattered *s = &moved->scattered;
	return s->values[MS_MOVE_SCATTERED][recipient] + s->values[MS_MOVE_MERGED][recipient] +
		s->gained[recipient];
}

char *ms_moved_text(const MsMoved *moved)
{
	const MsScattered *s = &moved->scattered;
	if (moved->damaged != NULL)
		return g_strdup_printf("what has moved is not known: %s", moved->damaged);
	GString *out = g_string_new(NULL);
	g_string_append_printf(out,
		"%" G_GUINT64_FORMAT " as before, %" G_GUINT64_FORMAT " new, %" G_GUINT64_FORMAT
		" gone, moved to accounts of others: ",
		sum_of(moved, moved->same), sum_of(moved, moved->fresh_of), moved->gone);
	add_kinds(moved, s->values[MS_MOVE_SCATTERED], out);
	if (moved->shared > 0)
		g_string_append_printf(
			out, "; %" G_GUINT64_FORMAT " at a further account", moved->shared);
	add_accounts(moved, MS_MOVE_RENAMED, "renamed", out);
	add_accounts(moved, MS_MOVE_MERGED, "merged into others", out);
	add_accounts(moved, MS_MOVE_SPLIT, "split", out);
	g_string_append_printf(out,
		"; accounts: %" G_GUINT64_FORMAT " new, %" G_GUINT64_FORMAT " gone",
		moved->accounts_fresh - MIN(moved->accounts_fresh, s->accounts[MS_MOVE_RENAMED]),
		moved->accounts_gone - MIN(moved->accounts_gone, s->accounts[MS_MOVE_RENAMED]));
	guint64 rights = new_rights(moved);
	if (rights > 0)
		g_string_append_printf(out,
			"; %" G_GUINT64_FORMAT
			" recipient%s may receive for accounts that they could not",
			rights, rights == 1 ? "" : "s");
	return g_string_free(out, FALSE);
}

static bool too_many(double n, guint64 all, double share)
{
	return n > FEW && n > share * (double)all;
}

/* "recipient: 60 of 61 would ..." */
static void add_problem(GString *out, const char *of, guint64 n, guint64 all, const char *what)
{
	g_string_append_printf(out, "%s%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " would %s",
		out->len > 0 ? ", " : "", of, n, all, what);
}

/* Of those that were known before, and are still. */
static guint64 all_of(const MsMoved *moved, guint kind)
{
	guint64 all = moved->same[kind];
	for (guint i = 0; i < MS_N_MOVES; i++)
		all += moved->scattered.values[i][kind];
	return all;
}

static void look_at_kind(const MsMoved *moved, guint kind, double share, GString *out)
{
	const MsScattered *s = &moved->scattered;
	guint64 all = all_of(moved, kind), n = s->values[MS_MOVE_SCATTERED][kind];
	if (!too_many((double)n + (double)s->gained[kind] / GAIN_COUNTS, all, share))
		return;
	if (n > 0)
		add_problem(out, kind_name(moved, kind), n, all, "move to accounts of others");
	if (s->gained[kind] > 0)
		add_problem(out, kind_name(moved, kind), s->gained[kind], all,
			"come to a further account");
}

char *ms_moved_problem(const MsMoved *moved, double share)
{
	if (moved->damaged != NULL || share >= 1)
		return NULL;
	const MsScattered *s = &moved->scattered;
	guint64 accounts = moved->accounts_same + moved->accounts_gone;
	g_autoptr(GString) out = g_string_new(NULL);
	for (guint i = 0; i < kinds_of(moved); i++)
		look_at_kind(moved, i, share, out);
	if (out->len == 0 && too_many((double)s->accounts[MS_MOVE_SCATTERED], accounts, share))
		add_problem(out, "accounts", s->accounts[MS_MOVE_SCATTERED], accounts,
			"lose identifiers to others");
	if (too_many((double)s->accounts[MS_MOVE_MERGED], accounts, share))
		add_problem(out, "accounts", s->accounts[MS_MOVE_MERGED], accounts,
			"be merged into others");
	return out->len > 0 ? g_strdup(out->str) : NULL;
}

void ms_moved_examples(
	const MsMoved *moved, void (*told)(guint64 line, const char *text, void *user), void *user)
{
	for (guint i = 0; i < moved->scattered.n_examples; i++) {
		const MsScatterExample *example = &moved->scattered.examples[i];
		g_autofree char *from = ms_identifier_masked(example->from);
		g_autofree char *text = g_strdup_printf(
			"the %s here is another account's (%s) in the mapping in use",
			kind_name(moved, example->kind), from);
		told(example->line, text, user);
	}
}

void ms_moved_odd(
	const MsMoved *moved, void (*told)(guint64 line, const char *text, void *user), void *user)
{
	const MsScattered *s = &moved->scattered;
	for (guint i = 1; i < kinds_of(moved) && moved->damaged == NULL; i++) {
		guint64 fresh = moved->fresh_of[i];
		if (fresh <= FEW || all_of(moved, i) > 0 || moved->gone < fresh)
			continue;
		g_autofree char *text = g_strdup_printf(
			"no %s is as before, all %" G_GUINT64_FORMAT
			" are new, and as many entries are gone: is it the right column?",
			kind_name(moved, i), fresh);
		told(0, text, user);
	}
	g_autofree char *house = g_strdup_printf(
		"%" G_GUINT64_FORMAT
		" that were customers' would be your own: a number proves nothing then, and "
		"a recipient may receive anything",
		moved->to_house);
	if (moved->to_house > 0)
		told(0, house, user);
	if (s->chained > FEW && s->chained * 2 > s->accounts[MS_MOVE_SCATTERED])
		told(0, "accounts gave identifiers away and got those of others, as if a column had slipped",
			user);
}
