#include "config.h"

#include <string.h>

#include "backend.h"
#include "directory_private.h"
#include "keys.h"
#include "seen.h"

#define CANARY_KIND "canary"
#define CANARY_VALUE "missent"
#define CLOCKS_APART 60 /* seconds that clocks of two hosts may differ */

/* ---- opening -------------------------------------------------------------------------- */

MsDirectory *ms_directory_open(const MsDirectorySettings *settings, MsKinds *kinds, GError **error)
{
	g_autoptr(MsDirectory) directory = g_new0(MsDirectory, 1);
	directory->kinds = ms_kinds_ref(kinds);
	directory->keys.digests = settings->digests;
	directory->house = g_strdup(settings->house);
	directory->tag_separators = g_strdup(settings->tag_separators);
	directory->max_age = settings->max_age_ms / 1000;
	directory->seen = ms_seen_new(settings->seen_file);
	if (settings->digests) {
		directory->keys.key = ms_key_load(settings->key_file, error);
		if (directory->keys.key == NULL)
			return NULL;
	}
	directory->backend = settings->backend == MS_BACKEND_REDIS
		? ms_backend_redis(settings, error)
		: ms_backend_sqlite(settings, error);
	return directory->backend != NULL ? g_steal_pointer(&directory) : NULL;
}

void ms_directory_free(MsDirectory *directory)
{
	if (directory == NULL)
		return;
	if (directory->backend != NULL)
		directory->backend->ops->close(directory->backend);
	ms_kinds_unref(directory->kinds);
	ms_key_free(directory->keys.key);
	ms_seen_free(directory->seen);
	g_free(directory->house);
	g_free(directory->tag_separators);
	g_free(directory);
}

void ms_directory_state_clear(MsDirectoryState *state)
{
	g_clear_pointer(&state->generation, g_free);
	g_clear_pointer(&state->source, g_free);
}

GPtrArray *ms_lookup_values(MsLookup *lookup)
{
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(lookup->values, values);
	return values;
}

static void lookup_init(MsLookup *lookup)
{
	memset(lookup, 0, sizeof *lookup);
	lookup->values = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	lookup->receivers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		(GDestroyNotify)g_ptr_array_unref);
}

void ms_lookup_clear(MsLookup *lookup)
{
	ms_directory_state_clear(&lookup->state);
	g_ptr_array_unref(lookup->values);
	g_hash_table_unref(lookup->receivers);
}

/* ---- is it fit for use? --------------------------------------------------------------- */

char *ms_directory_canary(const MsDirectory *directory)
{
	return ms_keys_make(&directory->keys, 'c', CANARY_KIND, CANARY_VALUE);
}

static MsAnswer unfit(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static MsAnswer unfit(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "directory: %s", text);
	return MS_CONFIG;
}

/* An empty, foreign or stale mapping answers "not found" to everything; that must not be
 * taken for knowledge. */
static MsAnswer check_age(const MsDirectory *directory, const MsDirectoryState *state, GError **error)
{
	gint64 newest;
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - state->loaded;
	/* An age below nothing would never be too much. */
	if (directory->max_age > 0 && age < -CLOCKS_APART)
		return unfit(error, "it was loaded %" G_GINT64_FORMAT " s from now, so max-age cannot be told: the clock of the "
			"host that loaded it was ahead, or this one's is behind; set it, then import anew", -age);
	if (directory->max_age > 0 && age > directory->max_age)
		return unfit(error, "it was loaded %" G_GINT64_FORMAT " s ago, longer than max-age allows",
			age);
	if (ms_seen_check(directory->seen, state, &newest))
		return MS_FOUND;
	if (newest == state->loaded)
		return unfit(error, "entries that were added to it are gone: an older copy has come back; import it "
			"anew, or, if the older one is meant: missent directory accept");
	return unfit(error, "it was imported %" G_GINT64_FORMAT " s before the one that was used here until now: an "
		"older copy has come back; import it anew, or, if the older one is meant: missent directory accept",
		newest - state->loaded);
}

static MsAnswer check_fit(const MsDirectory *directory, const MsDirectoryState *state,
	const GPtrArray *canary, GError **error)
{
	if (state->digests != directory->keys.digests)
		return unfit(error, "it was written with digests = %s, the configuration says %s",
			state->digests ? "yes" : "no", directory->keys.digests ? "yes" : "no");
	if (canary->len == 0)
		return unfit(error, "its canary is missing: it was made with another site key, or "
				    "entries were lost; import it anew");
	if (state->entries <= 0)
		return unfit(error, "it is empty");
	if (state->changes <= 0)
		return unfit(error, "it has no marks of its identifiers: an older missent, or another program, wrote "
				    "it; import it anew");
	return check_age(directory, state, error);
}

/* keys[0] is the canary's. */
static MsAnswer look_up(MsDirectory *directory, GPtrArray *keys, MsLookup *lookup, GError **error)
{
	MsBackend *backend = directory->backend;
	MsAnswer answer = backend->ops->lookup(backend, (const char *const *)keys->pdata, keys->len,
		lookup, error);
	if (answer == MS_ABSENT)
		return unfit(error, "nothing was ever imported (missent directory import FILE.csv)");
	if (answer != MS_FOUND)
		return answer;
	return check_fit(directory, &lookup->state, lookup->values->pdata[0], error);
}

MsAnswer ms_directory_state(MsDirectory *directory, MsDirectoryState *state_out, GError **error)
{
	MsLookup lookup;
	lookup_init(&lookup);
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(keys, ms_directory_canary(directory));
	MsAnswer answer = look_up(directory, keys, &lookup, error);
	*state_out = lookup.state;
	memset(&lookup.state, 0, sizeof lookup.state);
	ms_lookup_clear(&lookup);
	return answer;
}

MsAnswer ms_directory_accept(MsDirectory *directory, GError **error)
{
	MsDirectoryState state = {0};
	g_autoptr(GError) unfit = NULL;
	MsAnswer answer = ms_directory_state(directory, &state, &unfit);
	if (state.generation == NULL)
		g_propagate_error(error, g_steal_pointer(&unfit));
	else
		answer = ms_seen_accept(directory->seen, &state, error) ? MS_FOUND : MS_CONFIG;
	ms_directory_state_clear(&state);
	return answer;
}

/* ---- resolving ------------------------------------------------------------------------ */

static void owners_free(gpointer data)
{
	MsOwners *owners = data;
	g_ptr_array_unref(owners->owners);
	g_ptr_array_unref(owners->receivers);
	g_ptr_array_unref(owners->partial);
	g_free(owners);
}

void ms_resolution_free(MsResolution *resolution)
{
	if (resolution == NULL)
		return;
	g_ptr_array_unref(resolution->identifiers);
	g_ptr_array_unref(resolution->recipients);
	g_clear_pointer(&resolution->readings, g_ptr_array_unref);
	g_free(resolution->house);
	g_free(resolution->generation);
	g_free(resolution);
}

/* The keys under which an address may be known: itself, itself without its tag, its domain. */
static void add_address_keys(const MsDirectory *directory, const char *address, GPtrArray *keys)
{
	g_autofree char *canonical = ms_address_canonical(address, strlen(address));
	if (canonical == NULL || canonical[0] == '@')
		return;
	g_autofree char *untagged = ms_address_untagged(canonical, directory->tag_separators);
	g_ptr_array_add(keys, ms_keys_make(&directory->keys, 'r', MS_ROW_RECIPIENT, canonical));
	if (untagged != NULL)
		g_ptr_array_add(keys,
			ms_keys_make(&directory->keys, 'r', MS_ROW_RECIPIENT, untagged));
	g_ptr_array_add(keys, ms_keys_make(&directory->keys, 'r', MS_ROW_RECIPIENT,
		strrchr(canonical, '@')));
}

typedef struct {
	const MsDirectory *directory;
	const MsLookup *lookup;
	bool foreign; /* a token that our key does not open */
} Take;

static void add_once(GPtrArray *list, const char *text)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(list->pdata[i], text) == 0)
			return;
	g_ptr_array_add(list, g_strdup(text));
}

static void take_accounts(Take *take, const GPtrArray *tokens, GPtrArray *accounts,
	GPtrArray *receivers)
{
	for (guint i = 0; tokens != NULL && i < tokens->len; i++) {
		const char *stored = tokens->pdata[i];
		g_autofree char *token = g_strndup(stored, strcspn(stored, (char[]){MS_TOKEN_END, '\0'}));
		g_autofree char *account = ms_keys_account(&take->directory->keys, token);
		if (account == NULL) {
			take->foreign = true;
			continue;
		}
		add_once(accounts, account);
		if (receivers != NULL)
			take_accounts(take, g_hash_table_lookup(take->lookup->receivers, token),
				receivers, NULL);
	}
}

/* Where the keys of each question begin in the list of all keys.  Those of other forms count
 * only where the identifier itself has no owner. */
typedef struct {
	GPtrArray *keys;
	GArray *starts; /* of guint, one more than there are questions */
	GArray *others; /* of guint: where a question's other forms begin */
	GArray *parts;  /* of guint: where those begin that are known of a part only */
	GArray *counts; /* of guint: how many questions each recipient is */
} Questions;

static void begin_question(Questions *q)
{
	g_array_append_val(q->starts, q->keys->len);
}

static void begin_others(Questions *q)
{
	g_array_append_val(q->others, q->keys->len);
}

static void ask_others(const MsDirectory *directory, const GPtrArray *forms, bool part, GPtrArray *keys)
{
	for (guint i = 0; i < forms->len; i++) {
		const MsOtherForm *form = forms->pdata[i];
		if (form->part == part)
			g_ptr_array_add(keys, ms_keys_make(&directory->keys, 'a', MS_OTHER_FORM, form->key));
	}
}

static void ask_forms(const MsDirectory *directory, const MsKind *kind, const char *value, Questions *q)
{
	g_autoptr(GPtrArray) forms = kind != NULL ? ms_kind_asked_forms(kind, value) : g_ptr_array_new();
	begin_others(q);
	ask_others(directory, forms, false, q->keys);
	g_array_append_val(q->parts, q->keys->len);
	ask_others(directory, forms, true, q->keys);
}

static void ask_all(const MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients, Questions *q)
{
	g_ptr_array_add(q->keys, ms_directory_canary(directory));
	for (gsize i = 0; i < n_identifiers; i++) {
		const char *value = ms_identifier_raw(identifiers[i]);
		begin_question(q);
		g_ptr_array_add(q->keys, ms_keys_make(&directory->keys, 'i', identifiers[i]->kind, value));
		/* An address of somebody who receives for an account is that account's. */
		const MsKind *kind = ms_kinds_find(directory->kinds, identifiers[i]->kind);
		if (kind != NULL && kind->form == MS_FORM_EMAIL)
			add_address_keys(directory, value, q->keys);
		ask_forms(directory, kind, value, q);
	}
	for (gsize i = 0; i < n_recipients; i++) {
		g_autoptr(GPtrArray) readings = ms_address_readings(recipients[i]);
		g_array_append_val(q->counts, readings->len);
		for (guint k = 0; k < readings->len; k++) {
			begin_question(q);
			add_address_keys(directory, readings->pdata[k], q->keys);
			ask_forms(directory, NULL, NULL, q);
		}
	}
	begin_question(q);
}

static void take_range(Take *take, guint from, guint until, GPtrArray *accounts, GPtrArray *receivers)
{
	for (guint k = from; k < until; k++)
		take_accounts(take, take->lookup->values->pdata[k], accounts, receivers);
}

/* The accounts that all of several mailboxes have. */
static GPtrArray *in_all(const GPtrArray *readings)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	const GPtrArray *first = readings->pdata[0];
	for (guint i = 0; i < first->len; i++) {
		bool all = true;
		for (guint k = 1; k < readings->len && all; k++)
			all = g_ptr_array_find_with_equal_func(readings->pdata[k], first->pdata[i], g_str_equal, NULL);
		if (all)
			g_ptr_array_add(out, g_strdup(first->pdata[i]));
	}
	return out;
}

static void free_readings(gpointer data)
{
	if (data != NULL)
		g_ptr_array_unref(data);
}

/* The answers to the questions from `at` on, which are all about recipients. */
static void take_recipients(Take *take, const Questions *q, guint at, MsResolution *resolution)
{
	resolution->readings = g_ptr_array_new_with_free_func(free_readings);
	for (guint r = 0; r < q->counts->len; r++) {
		g_autoptr(GPtrArray) readings = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
		for (guint k = 0; k < g_array_index(q->counts, guint, r); k++, at++) {
			GPtrArray *accounts = g_ptr_array_new_with_free_func(g_free);
			take_range(take, g_array_index(q->starts, guint, at), g_array_index(q->starts, guint, at + 1),
				accounts, NULL);
			g_ptr_array_add(readings, accounts);
		}
		g_ptr_array_add(resolution->recipients, in_all(readings));
		g_ptr_array_add(resolution->readings, readings->len > 1 ? g_steal_pointer(&readings) : NULL);
	}
}

static MsResolution *take_answers(Take *take, const Questions *q, gsize n_identifiers)
{
	MsResolution *resolution = g_new0(MsResolution, 1);
	resolution->house = g_strdup(take->directory->house);
	resolution->generation = g_strdup(take->lookup->state.generation);
	resolution->changes = take->lookup->state.changes;
	resolution->identifiers = g_ptr_array_new_with_free_func(owners_free);
	resolution->recipients =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < n_identifiers; i++) {
		MsOwners *owners = g_new0(MsOwners, 1);
		owners->owners = g_ptr_array_new_with_free_func(g_free);
		owners->receivers = g_ptr_array_new_with_free_func(g_free);
		owners->partial = g_ptr_array_new_with_free_func(g_free);
		GPtrArray *receivers = owners->receivers;
		guint others = g_array_index(q->others, guint, i), parts = g_array_index(q->parts, guint, i);
		take_range(take, g_array_index(q->starts, guint, i), others, owners->owners, receivers);
		if (owners->owners->len == 0)
			take_range(take, others, parts, owners->owners, receivers);
		if (owners->owners->len == 0)
			take_range(take, parts, g_array_index(q->starts, guint, i + 1), owners->partial, receivers);
		g_ptr_array_add(resolution->identifiers, owners);
	}
	take_recipients(take, q, (guint)n_identifiers, resolution);
	return resolution;
}

MsAnswer ms_directory_resolve(MsDirectory *directory, const MsIdentifier *const *identifiers,
	gsize n_identifiers, const char *const *recipients, gsize n_recipients,
	MsResolution **resolution_out, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) counts = g_array_new(FALSE, FALSE, sizeof(guint));
	Questions q = {keys, starts, others, parts, counts};
	ask_all(directory, identifiers, n_identifiers, recipients, n_recipients, &q);
	MsLookup lookup;
	lookup_init(&lookup);
	MsAnswer answer = look_up(directory, keys, &lookup, error);
	if (answer == MS_FOUND) {
		Take take = {directory, &lookup, false};
		g_autoptr(MsResolution) resolution = take_answers(&take, &q, n_identifiers);
		if (take.foreign)
			answer = unfit(error, "an account in it cannot be opened with this site key");
		else
			*resolution_out = g_steal_pointer(&resolution);
	}
	ms_lookup_clear(&lookup);
	return answer;
}

static bool contains(const GPtrArray *list, const char *text)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(list->pdata[i], text) == 0)
			return true;
	return false;
}

static bool share_one(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len; i++)
		if (contains(b, a->pdata[i]))
			return true;
	return false;
}

static const GPtrArray *readings_of(const MsResolution *resolution, guint recipient)
{
	return resolution->readings != NULL ? resolution->readings->pdata[recipient] : NULL;
}

bool ms_resolution_is_house(const MsResolution *resolution, guint recipient)
{
	return contains(g_ptr_array_index(resolution->recipients, recipient), resolution->house);
}

static MsRelation relation_to(const MsResolution *resolution, const MsOwners *owners, const GPtrArray *accounts)
{
	if (owners->owners->len == 0)
		return share_one(accounts, owners->partial) || share_one(accounts, owners->receivers) ? MS_OWN
												  : MS_UNKNOWN;
	if (share_one(accounts, owners->owners) || share_one(accounts, owners->receivers))
		return MS_OWN;
	if (contains(owners->owners, resolution->house) || contains(accounts, resolution->house))
		return MS_HOUSE;
	return MS_OTHER;
}

/* Of an address that may be several mailboxes, the right must hold for each. */
MsRelation ms_resolution_relation(const MsResolution *resolution, guint identifier,
	guint recipient)
{
	static const int bad[] = {[MS_OWN] = 0, [MS_HOUSE] = 1, [MS_UNKNOWN] = 2, [MS_OTHER] = 3};
	const MsOwners *owners = g_ptr_array_index(resolution->identifiers, identifier);
	const GPtrArray *readings = readings_of(resolution, recipient);
	if (readings == NULL)
		return relation_to(resolution, owners, g_ptr_array_index(resolution->recipients, recipient));
	MsRelation worst = MS_OWN;
	for (guint i = 0; i < readings->len; i++) {
		MsRelation r = relation_to(resolution, owners, readings->pdata[i]);
		if (bad[r] > bad[worst])
			worst = r;
	}
	return worst;
}

/* ---- single entries ------------------------------------------------------------------- */

typedef MsAnswer (*ChangeFunc)(MsBackend *backend, const MsRowKeys *row, bool *changed,
	GError **error);

static MsAnswer change(MsDirectory *directory, ChangeFunc func, const char *account,
	const char *kind, const char *value, bool *changed_out, GError **error)
{
	const char *why;
	g_autoptr(MsRowStored) row = ms_row_new(directory, account, kind, value, strlen(value), &why);
	if (row == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s \"%s\": %s", kind, value, why);
		return MS_CONFIG;
	}
	g_autofree char *marks = row->marks->len > 0 ? ms_marks_pack(directory, row->marks) : NULL;
	row->keys.marks = marks;
	MsAnswer answer = func(directory->backend, &row->keys, changed_out, error);
	if (answer == MS_ABSENT)
		return unfit(error, "nothing was ever imported; begin with missent directory import");
	return answer;
}

MsAnswer ms_directory_put(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, directory->backend->ops->put, account, kind, value, changed_out,
		error);
}

MsAnswer ms_directory_delete(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error)
{
	return change(directory, directory->backend->ops->remove, account, kind, value, changed_out,
		error);
}

typedef struct {
	void (*row)(const char *account, const char *kind, const char *value, void *user);
	void *user;
} Export;

static void give_row(const char *key, const char *token, void *user)
{
	Export *out = user;
	const char *equals = strchr(key, '=');
	if (key[0] == 'd') {
		out->row(token, MS_ROW_RECEIVES_FOR, key + 2, out->user);
	} else if (key[0] != 'c' && key[0] != 'a' && equals != NULL) {
		g_autofree char *kind = g_strndup(key + 2, (gsize)(equals - key - 2));
		out->row(token, kind, equals + 1, out->user);
	}
}

MsAnswer ms_directory_each(MsDirectory *directory,
	void (*row)(const char *account, const char *kind, const char *value, void *user), void *user,
	GError **error)
{
	if (directory->keys.digests)
		return unfit(error, "it holds digests, from which no value can be had back; export works "
				    "only with digests = no");
	Export out = {row, user};
	return directory->backend->ops->each(directory->backend, give_row, &out, error);
}
