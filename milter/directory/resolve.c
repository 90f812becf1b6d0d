/*
 * One message's identifiers and recipients come in, a resolution goes out: they become keys, each
 * asked once however many ask for it, all in one round trip; each key's answer becomes one list of
 * accounts, and who asked for the same keys gets the same union of lists.  From any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/greeting.h"

#include "backend.h"
#include "directory_private.h"
#include "keys.h"

/* ---- questions ------------------------------------------------------------------------ */

/* Where the keys of each question begin in the list of all that were asked for.  Those of other
 * forms count only where the identifier itself has no owner. */
typedef struct {
	const MsDirectory *directory;
	GPtrArray *keys;   /* each once */
	GHashTable *known; /* key to its number + 1 */
	GArray *asked;     /* of guint: numbers of keys, question by question */
	GArray *also;      /* of guint: what else may be meant than by the question before? */
	GArray *starts;    /* of guint, one more than there are questions */
	GArray *others;    /* of guint: where an identifier's other forms begin */
	GArray *parts;     /* of guint: where those begin that are known of a part only */
	GArray *counts;    /* of guint: how many questions each recipient is */
} Questions;

static void questions_init(Questions *q, const MsDirectory *directory)
{
	*q = (Questions){.directory = directory};
	q->keys = g_ptr_array_new_with_free_func(g_free);
	q->known = g_hash_table_new(g_str_hash, g_str_equal);
	GArray **const arrays[] = {
		&q->asked, &q->also, &q->starts, &q->others, &q->parts, &q->counts};
	for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
		*arrays[i] = g_array_new(FALSE, FALSE, sizeof(guint));
}

static void questions_clear(Questions *q)
{
	g_hash_table_unref(q->known);
	g_ptr_array_unref(q->keys);
	GArray *const arrays[] = {q->asked, q->also, q->starts, q->others, q->parts, q->counts};
	for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
		g_array_unref(arrays[i]);
}

/* Takes `key`. */
static void ask(Questions *q, char *key)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(q->known, key));
	if (number == 0) {
		g_ptr_array_add(q->keys, key);
		number = q->keys->len;
		g_hash_table_insert(q->known, key, GUINT_TO_POINTER(number));
	} else {
		g_free(key);
	}
	number--;
	g_array_append_val(q->asked, number);
}

/* The keys under which an address may be known: itself, itself without its tag, its domain. */
static void ask_address(Questions *q, const char *address)
{
	const MsDirectory *directory = q->directory;
	g_autofree char *canonical = ms_address_canonical(address, strlen(address));
	if (canonical == NULL || canonical[0] == '@')
		return;
	g_autofree char *untagged = ms_address_untagged(canonical, directory->tag_separators);
	ask(q, ms_keys_make('r', MS_ROW_RECIPIENT, canonical));
	if (untagged != NULL)
		ask(q, ms_keys_make('r', MS_ROW_RECIPIENT, untagged));
	ask(q, ms_keys_make('r', MS_ROW_RECIPIENT, strrchr(canonical, '@')));
}

static void ask_others(Questions *q, const GPtrArray *forms, bool part)
{
	for (guint i = 0; i < forms->len; i++) {
		const MsOtherForm *form = forms->pdata[i];
		if (form->part == part)
			ask(q, ms_keys_make('a', MS_OTHER_FORM, form->key));
	}
}

static void ask_meaning(Questions *q, const MsIdentifier *identifier, guint also)
{
	const char *value = ms_identifier_raw(identifier);
	g_array_append_val(q->also, also);
	g_array_append_val(q->starts, q->asked->len);
	ask(q, ms_keys_make('i', identifier->kind, value));
	/* An address of somebody who receives for an account is that account's. */
	const MsKind *kind = ms_kinds_find(q->directory->kinds, identifier->kind);
	if (kind != NULL && kind->form == MS_FORM_EMAIL)
		ask_address(q, value);
	g_autoptr(GPtrArray) forms = kind != NULL ? ms_kind_asked_forms(kind, value)
						  : g_ptr_array_new();
	g_array_append_val(q->others, q->asked->len);
	ask_others(q, forms, false);
	g_array_append_val(q->parts, q->asked->len);
	ask_others(q, forms, true);
}

static void ask_identifier(Questions *q, const MsIdentifier *identifier)
{
	ask_meaning(q, identifier, 0);
	for (guint i = 0; identifier->either != NULL && i < identifier->either->len; i++)
		ask_meaning(q, identifier->either->pdata[i], 1);
}

static void ask_recipient(Questions *q, const char *recipient)
{
	g_autoptr(GPtrArray) readings = ms_address_readings(recipient);
	g_array_append_val(q->counts, readings->len);
	for (guint k = 0; k < readings->len; k++) {
		g_array_append_val(q->starts, q->asked->len);
		ask_address(q, readings->pdata[k]);
	}
}

/* ---- answers -------------------------------------------------------------------------- */

typedef struct {
	const MsLookup *lookup;
	const Questions *questions;
	MsResolution *resolution;
	/* Of each key: its list of accounts, and that of who receives for them; UNASKED: not
	 * yet. */
	guint *accounts, *receivers;
} Take;

#define UNASKED G_MAXUINT

static void name_accounts(Take *take, const GPtrArray *accounts, GPtrArray *names)
{
	(void)take;
	for (guint i = 0; accounts != NULL && i < accounts->len; i++)
		g_ptr_array_add(names, accounts->pdata[i]);
}

static void name_receivers(Take *take, const GPtrArray *accounts, GPtrArray *names)
{
	for (guint i = 0; i < accounts->len; i++)
		name_accounts(take,
			g_hash_table_lookup(take->lookup->receivers, accounts->pdata[i]), names);
}

static guint list_of(
	Take *take, guint key, guint *lists, void (*name)(Take *, const GPtrArray *, GPtrArray *))
{
	if (lists[key] == UNASKED) {
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		name(take, take->lookup->values->pdata[key], names);
		lists[key] = ms_resolution_list(
			take->resolution, (const char *const *)names->pdata, names->len);
	}
	return lists[key];
}

/* What the keys asked for at from..until have, as one union; of whom may receive for these as
 * well. */
static guint take_range(Take *take, guint from, guint until, guint *receivers_out)
{
	g_autofree guint *lists = g_new(guint, 2 * (until - from) + 1); /* of no keys too */
	guint *receivers = lists + (until - from);
	for (guint i = from; i < until; i++) {
		guint key = g_array_index(take->questions->asked, guint, i);
		lists[i - from] = list_of(take, key, take->accounts, name_accounts);
		if (receivers_out != NULL)
			receivers[i - from] = list_of(take, key, take->receivers, name_receivers);
	}
	if (receivers_out != NULL)
		*receivers_out = ms_resolution_union(take->resolution, receivers, until - from);
	return ms_resolution_union(take->resolution, lists, until - from);
}

/* The answers to question `i`: one identifier, or what else its place may mean. */
static void take_meaning(Take *take, guint i)
{
	const Questions *q = take->questions;
	guint others = g_array_index(q->others, guint, i),
	      parts = g_array_index(q->parts, guint, i);
	guint receivers, partial = 0;
	guint owners = take_range(take, g_array_index(q->starts, guint, i), others, &receivers);
	if (owners == 0)
		owners = take_range(take, others, parts, &receivers);
	if (owners == 0)
		partial = take_range(
			take, parts, g_array_index(q->starts, guint, i + 1), &receivers);
	if (g_array_index(q->also, guint, i) != 0)
		ms_resolution_meaning(take->resolution, owners, receivers);
	else
		ms_resolution_identifier(take->resolution, owners, receivers, partial);
}

/* The answers to the questions from `at` on, which are all about recipients. */
static void take_recipients(Take *take, guint at)
{
	const Questions *q = take->questions;
	for (guint r = 0; r < q->counts->len; r++) {
		guint n = g_array_index(q->counts, guint, r);
		g_autofree guint *mailboxes = g_new(guint, n);
		for (guint k = 0; k < n; k++, at++)
			mailboxes[k] = take_range(take, g_array_index(q->starts, guint, at),
				g_array_index(q->starts, guint, at + 1), NULL);
		ms_resolution_recipient(take->resolution, mailboxes, n);
	}
}

static void take_names(const Take *take)
{
	GHashTableIter iter;
	gpointer account, what;
	g_hash_table_iter_init(&iter, take->lookup->named);
	while (g_hash_table_iter_next(&iter, &account, &what))
		ms_resolution_named(take->resolution, account, GPOINTER_TO_UINT(what) == 2);
}

static MsResolution *take_answers(const Questions *q, const MsLookup *lookup)
{
	g_autofree guint *lists = g_new(guint, 2 * q->keys->len + 1);
	memset(lists, 0xff, 2 * q->keys->len * sizeof *lists); /* UNASKED */
	MsResolution *resolution = ms_resolution_new(q->directory->house, &q->directory->judging);
	Take take = {lookup, q, resolution, lists, lists + q->keys->len};
	ms_resolution_stamp(resolution, lookup->state.generation, lookup->state.changes);
	for (guint i = 0; i < q->also->len; i++)
		take_meaning(&take, i);
	take_recipients(&take, q->also->len);
	take_names(&take);
	if (lookup->over)
		ms_resolution_overflow(resolution);
	ms_resolution_settle(resolution);
	return resolution;
}

/* ---- asking --------------------------------------------------------------------------- */

struct MsAsked {
	MsDirectory *directory;
	Questions questions;
	MsLookup lookup;
	guint identifiers;
	char **words; /* of names that are greeted; or NULL */
};

static void asked_clear(MsAsked *asked)
{
	ms_lookup_clear(&asked->lookup);
	questions_clear(&asked->questions);
	g_strfreev(asked->words);
}

void ms_asked_free(MsAsked *asked)
{
	if (asked == NULL)
		return;
	asked_clear(asked);
	g_free(asked);
}

/* `wide`: who receives for the recipients' accounts, too. */
static MsAnswer ask_all(MsDirectory *directory, MsAsked *asked,
	const MsIdentifier *const *identifiers, const char *const *recipients, gsize n_recipients,
	bool wide, GError **error)
{
	Questions *q = &asked->questions;
	for (gsize i = 0; i < asked->identifiers; i++)
		ask_identifier(q, identifiers[i]);
	asked->lookup.owned = q->keys->len;
	asked->lookup.room = directory->judging.max[MS_COST_ACCOUNT];
	for (gsize i = 0; i < n_recipients; i++)
		ask_recipient(q, recipients[i]);
	if (wide)
		asked->lookup.owned = q->keys->len;
	g_array_append_val(q->starts, q->asked->len);
	return ms_directory_look_up(directory, q->keys, &asked->lookup, error);
}

/* One that is there twice is asked for twice, which does no harm. */
static char **words_of(const GPtrArray *greeted)
{
	GPtrArray *out = g_ptr_array_new();
	for (guint i = 0; i < greeted->len; i++) {
		g_auto(GStrv) words = ms_name_words(greeted->pdata[i]);
		for (char **word = words; *word != NULL; word++)
			g_ptr_array_add(out, g_strdup(*word));
	}
	g_ptr_array_add(out, NULL);
	return (char **)g_ptr_array_free(out, FALSE);
}

static void asked_init(
	MsAsked *asked, MsDirectory *directory, gsize n_identifiers, const GPtrArray *greeted)
{
	*asked = (MsAsked){.directory = directory, .identifiers = (guint)n_identifiers};
	questions_init(&asked->questions, directory);
	ms_lookup_init(&asked->lookup);
	if (greeted != NULL && greeted->len > 0)
		asked->words = words_of(greeted);
	asked->lookup.greeted = (const char *const *)asked->words;
}

MsAnswer ms_directory_resolve(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	MsResolution **resolution_out, GError **error)
{
	return ms_directory_resolve_greeted(directory, identifiers, n_identifiers, recipients,
		n_recipients, NULL, resolution_out, error);
}

MsAnswer ms_directory_resolve_greeted(MsDirectory *directory,
	const MsIdentifier *const *identifiers, gsize n_identifiers, const char *const *recipients,
	gsize n_recipients, const GPtrArray *greeted, MsResolution **resolution_out, GError **error)
{
	MsAsked asked;
	asked_init(&asked, directory, n_identifiers, greeted);
	MsAnswer answer = ask_all(
		directory, &asked, identifiers, recipients, n_recipients, false, error);
	ms_directory_count_answer(directory, answer);
	if (answer == MS_FOUND)
		*resolution_out = take_answers(&asked.questions, &asked.lookup);
	asked_clear(&asked);
	return answer;
}

/* ---- supposing ------------------------------------------------------------------------ */

MsAnswer ms_directory_ask(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	const GPtrArray *greeted, MsAsked **asked_out, GError **error)
{
	g_autoptr(MsAsked) asked = g_new(MsAsked, 1);
	asked_init(asked, directory, n_identifiers, greeted);
	MsAnswer answer = ask_all(
		directory, asked, identifiers, recipients, n_recipients, true, error);
	if (answer == MS_FOUND)
		*asked_out = g_steal_pointer(&asked);
	return answer;
}

static bool names_account(const GPtrArray *accounts, const char *account)
{
	return accounts != NULL &&
		g_ptr_array_find_with_equal_func((GPtrArray *)accounts, account, g_str_equal, NULL);
}

/* The number of a name that was asked for, or -1. */
static gint64 number_of(const MsAsked *asked, const char *name)
{
	return (gint64)GPOINTER_TO_UINT(g_hash_table_lookup(asked->questions.known, name)) - 1;
}

static bool is_delegation(const MsSuppose *row)
{
	return strcmp(row->kind, MS_ROW_RECEIVES_FOR) == 0;
}

bool ms_asked_matters(const MsAsked *asked, const MsSuppose *row)
{
	const char *why;
	g_autoptr(MsRowStored) stored = ms_row_new(
		asked->directory, row->account, row->kind, row->value, strlen(row->value), &why);
	if (stored == NULL)
		return false;
	if (is_delegation(row))
		return names_account(g_hash_table_lookup(asked->lookup.receivers, row->value),
			       row->account) == row->remove;
	gint64 key = number_of(asked, stored->name);
	return key >= 0 &&
		names_account(asked->lookup.values->pdata[key], row->account) == row->remove;
}

/* That list with the account, or without; the caller's. */
static GPtrArray *changed(const GPtrArray *accounts, const char *account, bool remove)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; accounts != NULL && i < accounts->len; i++)
		if (!remove || strcmp(accounts->pdata[i], account) != 0)
			g_ptr_array_add(out, g_strdup(accounts->pdata[i]));
	if (!remove && !names_account(accounts, account))
		g_ptr_array_add(out, g_strdup(account));
	return out;
}

static void suppose_name(
	const MsAsked *asked, MsLookup *lookup, const char *name, const MsSuppose *row)
{
	gint64 key = number_of(asked, name);
	if (key < 0)
		return;
	GPtrArray *list = changed(lookup->values->pdata[key], row->account, row->remove);
	g_ptr_array_unref(lookup->values->pdata[key]);
	lookup->values->pdata[key] = list;
}

static void suppose(const MsAsked *asked, MsLookup *lookup, const MsSuppose *row)
{
	const char *why;
	g_autoptr(MsRowStored) stored = ms_row_new(
		asked->directory, row->account, row->kind, row->value, strlen(row->value), &why);
	if (stored == NULL)
		return;
	if (is_delegation(row)) {
		const GPtrArray *now = g_hash_table_lookup(lookup->receivers, row->value);
		g_hash_table_replace(lookup->receivers, g_strdup(row->value),
			changed(now, row->account, row->remove));
		return;
	}
	suppose_name(asked, lookup, stored->name, row);
	for (guint i = 0; i < stored->others->len; i++)
		suppose_name(asked, lookup, stored->others->pdata[i], row);
}

MsResolution *ms_asked_resolve(const MsAsked *asked, const MsSuppose *rows, guint n)
{
	MsLookup lookup;
	GHashTableIter iter;
	gpointer account, receivers;
	ms_lookup_init(&lookup);
	for (guint i = 0; i < asked->lookup.values->len; i++)
		g_ptr_array_add(lookup.values, g_ptr_array_ref(asked->lookup.values->pdata[i]));
	g_hash_table_iter_init(&iter, asked->lookup.receivers);
	while (g_hash_table_iter_next(&iter, &account, &receivers))
		g_hash_table_insert(
			lookup.receivers, g_strdup(account), g_ptr_array_ref(receivers));
	g_hash_table_iter_init(&iter, asked->lookup.named);
	while (g_hash_table_iter_next(&iter, &account, &receivers))
		g_hash_table_insert(lookup.named, g_strdup(account), receivers);
	lookup.over = asked->lookup.over;
	lookup.state.generation = g_strdup(asked->lookup.state.generation);
	lookup.state.changes = asked->lookup.state.changes;
	for (guint i = 0; i < n; i++)
		suppose(asked, &lookup, &rows[i]);
	MsResolution *resolution = take_answers(&asked->questions, &lookup);
	ms_lookup_clear(&lookup);
	return resolution;
}
