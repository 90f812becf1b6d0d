/*
 * All of the mapping in use comes in; out goes what is wrong with it, or its rows.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"
#include "missent/text.h"

#include "directory_private.h"
#include "lint.h"
#include "table.h"

void ms_verified_clear(MsVerified *verified)
{
	ms_directory_state_clear(&verified->state);
}

typedef struct {
	void (*wrong)(const char *part, const char *why, void *user);
	void *user;
	MsVerified *out;
} Verify;

static void on_wrong(const char *part, const char *why, void *user)
{
	Verify *v = user;
	v->out->wrong++;
	v->wrong(part, why, v->user);
}

static void on_entry(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	Verify *v = user;
	if (said->ref != NULL)
		v->out->other_forms++;
	else
		v->out->entries++;
}

MsAnswer ms_sweep_all(MsSweep *sweep, GError **error)
{
	bool whole;
	MsAnswer answer;
	do
		answer = ms_sweep_step(sweep, &whole, error);
	while (answer == MS_FOUND);
	return answer == MS_ABSENT ? MS_FOUND : answer;
}

static void check_counts(Verify *v, const MsMapping *mapping)
{
	/* Others may have changed it meanwhile. */
	if (v->out->wrong == 0 && mapping->version == v->out->state.version &&
		v->out->entries != mapping->entries)
		on_wrong("state", "says another number of entries than there are", v);
	if (mapping->entries <= 0)
		on_wrong(
			"state", "says that there are no entries: an empty mapping is not used", v);
	if (mapping->changes <= 0)
		on_wrong("state",
			"says that there are no lists of marks: such a mapping is not used", v);
}

MsAnswer ms_directory_verify(MsDirectory *directory,
	void (*wrong)(const char *part, const char *why, void *user), void *user,
	MsVerified *verified_out, GError **error)
{
	MsVerified out = {.parts = 0};
	Verify v = {wrong, user, &out};
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, &answer, error);
	if (mapping == NULL)
		return answer;
	out.parts = ms_mapping_slices(&mapping->places) + ms_mapping_groups(&mapping->places) +
		mapping->changes;
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, mapping, on_wrong, on_entry, &v);
	answer = ms_sweep_all(sweep, error);
	g_autoptr(MsMapping) after = answer == MS_FOUND
		? ms_directory_in_use(directory, false, &answer, error) : NULL;
	if (after == NULL)
		return answer;
	if (strcmp(after->generation, mapping->generation) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			MS_ANOTHER_MEANWHILE);
		return MS_RETRY;
	}
	ms_directory_state_of(after, &out.state);
	check_counts(&v, mapping);
	*verified_out = out;
	return MS_FOUND;
}

/* ---- every row ------------------------------------------------------------------------ */

typedef struct {
	void (*row)(const char *account, const char *kind, const char *value, void *user);
	void *user;
} Export;

bool ms_said_row(
	const MsSaid *said, char **name_out, const char **kind_out, const char **value_out)
{
	if (said->ref != NULL || said->text_len < 2)
		return false;
	g_autofree char *name = g_strndup(said->text, said->text_len);
	char *equals = strchr(name, '=');
	bool receives = name[0] == 'd';
	if (!receives && equals == NULL)
		return false;
	if (!receives)
		*equals = '\0';
	*kind_out = receives ? MS_ROW_RECEIVES_FOR : name + 2;
	*value_out = receives ? name + 2 : equals + 1;
	*name_out = g_steal_pointer(&name);
	return true;
}

static void give_row(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	Export *out = user;
	g_autofree char *name = NULL;
	const char *kind, *value;
	if (!ms_said_row(said, &name, &kind, &value))
		return;
	g_autofree char *account = g_strndup(said->account, said->account_len);
	out->row(account, kind, value, out->user);
}

MsAnswer ms_directory_each(MsDirectory *directory,
	void (*row)(const char *account, const char *kind, const char *value, void *user),
	void *user, GError **error)
{
	if (directory->keys.digests)
		return ms_directory_unfit(error,
			"it holds digests, from which no value can be had back; export works "
			"only with digests = no");
	Export out = {row, user};
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, &answer, error);
	if (mapping == NULL)
		return answer;
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, mapping, NULL, give_row, &out);
	return ms_sweep_all(sweep, error);
}

/* ---- an account ----------------------------------------------------------------------- */

/* Entries about accounts, of those that are known, are other forms of those of who receives for
 * them. */
static void take_account(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	GHashTable *accounts = user;
	g_autofree char *account = g_strndup(said->account, said->account_len);
	if (!g_hash_table_contains(accounts, account))
		g_hash_table_add(accounts, g_steal_pointer(&account));
}

typedef struct {
	void (*account)(const char *name, void *user);
	void *user;
} Accounts;

static void give_account(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	const Accounts *out = user;
	if (said->ref == NULL)
		return;
	g_autofree char *name = g_strndup(said->account, said->account_len);
	out->account(name, out->user);
}

MsAnswer ms_directory_accounts(MsDirectory *directory,
	void (*account)(const char *name, void *user), void *user, GError **error)
{
	Accounts out = {account, user};
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, &answer, error);
	if (mapping == NULL)
		return answer;
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, mapping, NULL, give_account, &out);
	ms_sweep_accounts(sweep);
	return ms_sweep_all(sweep, error);
}

/* Something is said of it, or somebody may receive for it. */
static MsAnswer is_known(MsDirectory *directory, const char *account, GError **error)
{
	MsLookup lookup;
	ms_lookup_init(&lookup);
	g_autofree char *known = ms_keys_known_account(account),
			*receivers = ms_keys_of_account(account);
	const char *names[] = {known, receivers};
	MsWanted wanted[G_N_ELEMENTS(names)] = {{.account = true}, {.account = true}};
	bool has = false;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		ms_keys_digest(&directory->keys, names[i], wanted[i].digest);
	MsAnswer answer = ms_lookup_entries(directory, wanted, G_N_ELEMENTS(names), &lookup, error);
	for (gsize i = 0; answer == MS_FOUND && i < G_N_ELEMENTS(names); i++)
		has = has || ((GPtrArray *)lookup.values->pdata[i])->len > 0;
	ms_lookup_clear(&lookup);
	return answer == MS_FOUND && !has ? MS_ABSENT : answer;
}

#define NEAR_US (2 * G_USEC_PER_SEC)

/* Among all accounts, as far as they can be gone over while somebody waits. */
static char *nearest(MsDirectory *directory, const char *account)
{
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, &answer, NULL);
	if (mapping == NULL)
		return NULL;
	g_autoptr(GHashTable)
		accounts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, mapping, NULL, take_account, accounts);
	ms_sweep_accounts(sweep);
	bool whole;
	gint64 end = g_get_monotonic_time() + NEAR_US;
	while (ms_sweep_step(sweep, &whole, NULL) == MS_FOUND && g_get_monotonic_time() < end)
		continue;
	g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(
		accounts, NULL);
	return g_strdup(ms_text_nearest(account, names));
}

MsAnswer ms_directory_has_account(MsDirectory *directory, const char *account, char **near_out,
	GError **error)
{
	MsAnswer answer = is_known(directory, account, error);
	if (answer == MS_ABSENT && near_out != NULL)
		*near_out = nearest(directory, account);
	return answer;
}

/* ---- is it likely? -------------------------------------------------------------------- */

typedef struct {
	MsLint *lint;
	MsDirectory *directory;
	GPtrArray *names; /* of char *: to be looked up */
} Likely;

/* Equal keys stand beside each other in a slice, and nowhere else. */
static void lint_entry(const guint8 *key, const MsSaid *said, void *user)
{
	Likely *likely = user;
	guint8 digest[MS_ENTRY_DIGEST] = {0};
	memcpy(digest + MS_PLACE_BYTES, key, MS_ENTRY_KEY);
	const MsRecord nowhere = {.line = 0};
	ms_lint_entry(likely->lint, digest, said, &nowhere);
}

static void name_provider(const char *domain, void *user)
{
	Likely *likely = user;
	g_autofree char *address = g_strconcat("@", domain, NULL);
	g_ptr_array_add(likely->names, ms_keys_make('r', MS_ROW_RECIPIENT, address));
}

#define NAMES_AT_ONCE 200

/* Domains of providers, which can be asked for by name though the mapping has digests alone. */
static MsAnswer lint_providers(Likely *likely, guint64 *found, GError **error)
{
	likely->names = g_ptr_array_new_with_free_func(g_free);
	ms_domain_providers(name_provider, likely);
	MsAnswer answer = MS_FOUND;
	for (guint at = 0; at < likely->names->len && answer == MS_FOUND; at += NAMES_AT_ONCE) {
		g_autoptr(GPtrArray) some = g_ptr_array_new();
		for (guint i = at; i < MIN(at + NAMES_AT_ONCE, likely->names->len); i++)
			g_ptr_array_add(some, likely->names->pdata[i]);
		MsLookup lookup;
		ms_lookup_init(&lookup);
		answer = ms_directory_look_up(likely->directory, some, &lookup, error);
		for (guint i = 0; answer == MS_FOUND && i < some->len; i++)
			*found += ((const GPtrArray *)lookup.values->pdata[i])->len;
		ms_lookup_clear(&lookup);
	}
	g_ptr_array_unref(likely->names);
	return answer;
}

MsAnswer ms_directory_lint(MsDirectory *directory, guint many, guint days,
	void (*warn)(guint64 line, const char *text, void *user), void *user, guint64 *warnings_out,
	GError **error)
{
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, false, &answer, error);
	if (mapping == NULL)
		return answer;
	g_autoptr(MsLint) lint = ms_lint_new(
		directory->kinds, directory->house, many > 0 ? many : MS_LINT_MANY, warn, user);
	Likely likely = {lint, directory, NULL};
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, mapping, NULL, lint_entry, &likely);
	answer = ms_sweep_all(sweep, error);
	guint64 providers = 0, old = 0;
	if (answer == MS_FOUND)
		answer = lint_providers(&likely, &providers, error);
	if (answer != MS_FOUND)
		return answer;
	ms_lint_end(lint);
	gint64 age = (g_get_real_time() - mapping->loaded_us) / G_USEC_PER_SEC / 86400;
	if (days > 0 && age >= (gint64)days) {
		g_autofree char *text = g_strdup_printf(
			"no entry was confirmed for %" G_GINT64_FORMAT " days: the last import was "
			"then (missent directory import, or sync)",
			age);
		warn(0, text, user);
		old = 1;
	}
	if (providers > 0) {
		g_autofree char *text = g_strdup_printf(
			"%" G_GUINT64_FORMAT " entries have " MS_LINT_PROVIDER, providers);
		warn(0, text, user);
	}
	*warnings_out = ms_lint_count(lint) + providers + old;
	return MS_FOUND;
}

void ms_directory_lint_row(MsDirectory *directory, guint64 line, const char *kind,
	const char *value, void (*warn)(guint64 line, const char *text, void *user), void *user)
{
	g_autoptr(MsLint) lint = ms_lint_new(directory->kinds, NULL, MS_LINT_MANY, warn, user);
	ms_lint_row(lint, line, kind, value);
}

/* ---- against a file -------------------------------------------------------------------- */

#define ROWS_AT_ONCE 64

typedef struct {
	MsDirectory *directory;
	void (*wrong)(guint64 line, const char *why, void *user);
	void *user;
	GArray *marks;   /* of MsMark, in order: all that the mapping has */
	GPtrArray *rows; /* of MsRowStored: to be looked up */
	GArray *lines;   /* of guint64: of each */
	guint64 right;
} Compare;

static gint by_bytes(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(MsMark));
}

static bool has_account(const GPtrArray *accounts, const char *account)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)accounts, account, g_str_equal, NULL);
}

static bool has_marks(const Compare *c, const MsRowStored *row)
{
	for (guint i = 0; i < row->marks->len; i++)
		if (!g_array_binary_search(
			    c->marks, &g_array_index(row->marks, MsMark, i), by_bytes, NULL))
			return false;
	return true;
}

/* What is wrong with one row, whose own entry is number `at` of what was found. */
static const char *row_problem(
	const Compare *c, const MsRowStored *row, const MsLookup *lookup, guint at)
{
	const GPtrArray *own = lookup->values->pdata[at];
	if (!has_account(own, row->account))
		return own->len > 0 ? "the mapping has other accounts for it"
				    : "the mapping does not have it";
	for (guint i = 0; i < row->others->len; i++)
		if (!has_account(lookup->values->pdata[at + 1 + i], row->account))
			return "the mapping does not have another form of it";
	return has_marks(c, row) ? NULL
				 : "the mapping has no mark of it: it would not be found in a text";
}

static MsAnswer compare_rows(Compare *c, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(MsWanted));
	for (guint i = 0; i < c->rows->len; i++) {
		const MsRowStored *row = c->rows->pdata[i];
		for (guint k = 0; k <= row->others->len; k++) {
			const char *name = k == 0 ? row->name : row->others->pdata[k - 1];
			MsWanted wanted = {.account = ms_keys_are_account(name)};
			ms_keys_digest(&c->directory->keys, name, wanted.digest);
			g_array_append_val(entries, wanted);
		}
	}
	MsLookup lookup;
	ms_lookup_init(&lookup);
	MsAnswer answer = ms_lookup_entries(c->directory,
		(const MsWanted *)(const void *)entries->data, entries->len, &lookup, error);
	for (guint i = 0, at = 0; i < c->rows->len && answer == MS_FOUND; i++) {
		const MsRowStored *row = c->rows->pdata[i];
		const char *why = row_problem(c, row, &lookup, at);
		if (why != NULL)
			c->wrong(g_array_index(c->lines, guint64, i), why, c->user);
		c->right += why == NULL;
		at += 1 + row->others->len;
	}
	ms_lookup_clear(&lookup);
	g_ptr_array_set_size(c->rows, 0);
	g_array_set_size(c->lines, 0);
	return answer;
}

static MsAnswer compare_row(Compare *c, const MsTableRow *given, GError **error)
{
	const char *why;
	MsRowStored *row = ms_row_new(c->directory, given->account, given->kind, given->value,
		strlen(given->value), &why);
	if (row == NULL) {
		c->wrong(given->line, why, c->user);
		return MS_FOUND;
	}
	g_ptr_array_add(c->rows, row);
	g_array_append_val(c->lines, given->line);
	return c->rows->len < ROWS_AT_ONCE ? MS_FOUND : compare_rows(c, error);
}

static MsAnswer compare_all(Compare *c, int fd, const MsTableForm *form, GError **error)
{
	g_autoptr(MsTable) table = ms_table_new(fd, form, c->directory->kinds, NULL, NULL, error);
	MsAnswer answer = table != NULL ? MS_FOUND : MS_CONFIG;
	while (answer == MS_FOUND) {
		MsTableRow row;
		switch (ms_table_next(table, &row, error)) {
		case MS_TABLE_END: return compare_rows(c, error);
		case MS_TABLE_FAILED: return MS_CONFIG;
		case MS_TABLE_BAD: c->wrong(row.line, row.why, c->user); break;
		case MS_TABLE_PASSED: break;
		case MS_TABLE_ROW: answer = compare_row(c, &row, error);
		}
	}
	return answer;
}

MsAnswer ms_directory_compare(MsDirectory *directory, int fd, const MsTableForm *form,
	void (*wrong)(guint64 line, const char *why, void *user), void *user, guint64 *right_out,
	GError **error)
{
	g_autoptr(MsKnown) known = NULL;
	MsAnswer answer = ms_directory_known(directory, NULL, 0, &known, error);
	if (answer != MS_FOUND)
		return answer;
	g_array_sort(known->marks, by_bytes);
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)ms_row_free);
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(guint64));
	Compare c = {directory, wrong, user, known->marks, rows, lines, 0};
	answer = compare_all(&c, fd, form, error);
	*right_out = c.right;
	return answer;
}
