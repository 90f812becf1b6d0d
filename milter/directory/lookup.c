/*
 * Names of entries come in, their accounts go out, all from one state of the mapping.  Every
 * slice that an answer rests on is opened, so that what was changed, moved or lost is known as
 * that and is never "not found".  From any thread.
 */
#include "config.h"

#include <string.h>

#include "directory_private.h"

#define MAX_ATTEMPTS 5

void ms_view_init(MsView *view)
{
	memset(view, 0, sizeof *view);
	view->parts = g_hash_table_new_full(
		g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_bytes_unref);
}

void ms_view_clear(MsView *view)
{
	g_clear_pointer(&view->generation, g_free);
	g_clear_pointer(&view->state, g_free);
	g_clear_pointer(&view->parts, g_hash_table_unref);
}

void ms_view_take(MsView *view, MsPartId id, GBytes *data)
{
	g_hash_table_insert(view->parts, g_memdup2(&id, sizeof id), data);
}

GBytes *ms_view_part(const MsView *view, MsPartId id)
{
	return g_hash_table_lookup(view->parts, &id);
}

void ms_lookup_init(MsLookup *lookup)
{
	memset(lookup, 0, sizeof *lookup);
	lookup->room = G_MAXUINT64;
	lookup->values = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	lookup->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	lookup->receivers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		(GDestroyNotify)g_ptr_array_unref);
}

void ms_lookup_clear(MsLookup *lookup)
{
	ms_directory_state_clear(&lookup->state);
	g_ptr_array_unref(lookup->values);
	g_hash_table_unref(lookup->receivers);
	g_hash_table_unref(lookup->named);
}

/* ---- is it fit for use? --------------------------------------------------------------- */

#define COMMAND "import it again (missent directory import)"

MsAnswer ms_directory_unfit(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "directory: %s", text);
	return MS_CONFIG;
}

MsAnswer ms_directory_none(const MsDirectory *directory, GError **error)
{
	return ms_directory_unfit(error, ms_seen_newest(directory->seen) == 0
			? "nothing was ever imported (missent directory import FILE.csv)"
			: "the mapping that was used here until now is gone (a Redis that was emptied, or "
			  "another one? a file that was removed?); " COMMAND);
}

MsAnswer ms_directory_lost(GError **error, MsPartId id, const char *what)
{
	g_autofree char *part = ms_part_name(id);
	g_autofree char *name = id != 0 ? g_strconcat("part ", part, NULL) : g_strdup("the state");
	return ms_directory_unfit(error,
		"%s of the mapping %s (maxmemory-policy? a deleted key? a damaged file?); "
		"nothing can be judged until it is whole: " COMMAND
		", or see missent directory verify",
		name, what);
}

void ms_directory_state_of(const MsMapping *mapping, MsDirectoryState *out)
{
	ms_directory_state_clear(out);
	out->generation = g_strdup(mapping->generation);
	out->source = g_strdup(mapping->source);
	out->loaded = mapping->loaded_us / G_USEC_PER_SEC;
	out->loaded_us = mapping->loaded_us;
	out->entries = mapping->entries;
	out->changes = mapping->changes;
	out->version = mapping->version;
	out->digests = mapping->digests;
}

MsMapping *ms_view_mapping(MsDirectory *directory, const MsView *view, GError **error)
{
	if (view->state == NULL) {
		ms_directory_unfit(error,
			"its state is lost, or it was imported by an earlier version; " COMMAND);
		return NULL;
	}
	const char *why;
	g_autoptr(MsMapping) mapping = ms_mapping_read(view->state, &directory->keys, &why);
	if (mapping == NULL) {
		ms_directory_unfit(error, "%s", why);
		return NULL;
	}
	if (strcmp(mapping->generation, view->generation) != 0) {
		ms_directory_unfit(error, "its state is that of another mapping; " COMMAND);
		return NULL;
	}
	return g_steal_pointer(&mapping);
}

/* A name that is in the one and not in the other; NULL: there is none. */
static const char *kind_gone(const MsDirectory *directory, const MsMapping *mapping)
{
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, mapping->kinds);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (ms_kinds_find(directory->kinds, name) == NULL)
			return name;
	return NULL;
}

/* Values of a kind that is kept otherwise now, or has another name, would be asked for under names
 * that they were never stored under.  A kind of which the mapping has none, and one that is not
 * looked for any more, are no such: kinds.conf and the mapping need not come at one time. */
bool ms_directory_kinds_fit(const MsDirectory *directory, const MsMapping *mapping, GError **error)
{
	const char *gone = kind_gone(directory, mapping);
	for (guint i = 0; i < ms_kinds_count(directory->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(directory->kinds, i);
		const char *was = g_hash_table_lookup(mapping->kinds, kind->name);
		g_autofree char *is = ms_kind_kept_as(kind);
		if (was != NULL && strcmp(was, is) != 0)
			ms_directory_unfit(error,
				"kinds.conf has kind \"%s\" otherwise (%s) than when it was imported (%s): "
				"what was stored is not found so; " COMMAND,
				kind->name, is, was);
		else if (was == NULL && gone != NULL)
			ms_directory_unfit(error,
				"kinds.conf has a kind \"%s\" and no \"%s\", which it had when the mapping was "
				"imported: if that was renamed, what was stored is not found; " COMMAND,
				kind->name, gone);
		else
			continue;
		return false;
	}
	return true;
}

MsMapping *ms_directory_in_use(
	MsDirectory *directory, bool primary, MsAnswer *answer_out, GError **error)
{
	MsView view;
	ms_view_init(&view);
	view.primary = primary;
	MsAnswer answer = directory->backend->ops->look(directory->backend, NULL, 0, &view, error);
	if (answer == MS_ABSENT)
		answer = ms_directory_none(directory, error);
	MsMapping *mapping = answer == MS_FOUND ? ms_view_mapping(directory, &view, error) : NULL;
	ms_view_clear(&view);
	if (answer_out != NULL)
		*answer_out = answer == MS_FOUND && mapping == NULL ? MS_CONFIG : answer;
	return mapping;
}

/* The same text says the same, and has been seen to be sealed. */
static MsMapping *known_mapping(MsDirectory *directory, const MsView *view)
{
	MsMapping *known = NULL;
	pthread_mutex_lock(&directory->lock);
	if (directory->state != NULL && g_strcmp0(directory->state, view->state) == 0 &&
		strcmp(directory->mapping->generation, view->generation) == 0)
		known = ms_mapping_ref(directory->mapping);
	pthread_mutex_unlock(&directory->lock);
	return known;
}

static MsMapping *read_mapping(MsDirectory *directory, const MsView *view, GError **error)
{
	MsMapping *mapping = known_mapping(directory, view);
	if (mapping != NULL)
		return mapping;
	g_autoptr(MsMapping) read = ms_view_mapping(directory, view, error);
	if (read == NULL || !ms_directory_kinds_fit(directory, read, error))
		return NULL;
	mapping = g_steal_pointer(&read);
	pthread_mutex_lock(&directory->lock);
	g_free(directory->state);
	directory->state = g_strdup(view->state);
	ms_mapping_free(directory->mapping);
	directory->mapping = ms_mapping_ref(mapping);
	pthread_mutex_unlock(&directory->lock);
	return mapping;
}

#define CLOCKS_APART 60 /* seconds that clocks of two hosts may differ */

static MsAnswer check_age(
	const MsDirectory *directory, const MsDirectoryState *state, GError **error)
{
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - state->loaded;
	/* An age below nothing would never be too much. */
	if (directory->max_age > 0 && age < -CLOCKS_APART)
		return ms_directory_unfit(error,
			"it was loaded %" G_GINT64_FORMAT
			" s from now, so max-age cannot be told: this host's clock is behind (set it), or "
			"that of the host that loaded it was ahead: import into another redis-prefix or "
			"sqlite-file, since what is imported here comes after it",
			-age);
	if (directory->max_age > 0 && age > directory->max_age)
		return ms_directory_unfit(error,
			"it was loaded %" G_GINT64_FORMAT " s ago, longer than max-age allows",
			age);
	return MS_FOUND;
}

MsAnswer ms_directory_check_seen(
	const MsDirectory *directory, const MsDirectoryState *state, GError **error)
{
	gint64 newest;
	MsAnswer answer = ms_seen_check(directory->seen, state, &newest, error);
	if (answer != MS_ABSENT)
		return answer;
	if (newest == state->loaded_us)
		return ms_directory_unfit(error,
			"changes that were made to it are gone: an older copy has come back; import it "
			"anew, or, if the older one is meant: missent directory accept");
	return ms_directory_unfit(error,
		"it was imported %.3f s before the one that was used here until now: an "
		"older copy has come back; import it anew, or, if the older one is meant: missent directory accept",
		(double)(newest - state->loaded_us) / G_USEC_PER_SEC);
}

/* An empty or stale mapping answers "not found" to everything; that must not be taken for
 * knowledge. */
static MsAnswer check_fit(
	const MsDirectory *directory, const MsDirectoryState *state, GError **error)
{
	if (state->entries <= 0)
		return ms_directory_unfit(error, "it is empty");
	if (state->changes <= 0)
		return ms_directory_unfit(error,
			"it has no marks of its identifiers: the program that wrote it left them "
			"out; " COMMAND);
	return check_age(directory, state, error);
}

/* What was found out about this generation by who goes over all of it. */
static MsAnswer check_lost(MsDirectory *directory, const char *generation, GError **error)
{
	MsAnswer answer = MS_FOUND;
	pthread_mutex_lock(&directory->lock);
	if (g_strcmp0(directory->lost, generation) == 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s", directory->lost_why);
		answer = MS_CONFIG;
	}
	pthread_mutex_unlock(&directory->lock);
	return answer;
}

/* ---- what is asked -------------------------------------------------------------------- */

typedef struct {
	const MsWanted *wanted;
	guint n, left_out; /* of them: what is certainly not in the content that `names` are of */
	MsNames *names; /* or NULL */
	bool *absent;   /* of each; NULL: of none */
} Asked;

static bool is_absent(const Asked *asked, guint i)
{
	return asked->absent != NULL && asked->absent[i];
}

static void asked_clear(Asked *asked)
{
	ms_names_unref(asked->names);
	g_free(asked->absent);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* What the backend need be asked for; the caller's. */
static MsWanted *leave_out(Asked *asked)
{
	MsWanted *rest = g_new(MsWanted, asked->n + 1);
	if (asked->names != NULL)
		asked->absent = g_new0(bool, asked->n + 1);
	for (guint i = 0; i < asked->n; i++) {
		if (asked->names != NULL && ms_names_lack(asked->names, &asked->wanted[i])) {
			asked->absent[i] = true;
			asked->left_out++;
			continue;
		}
		rest[i - asked->left_out] = asked->wanted[i];
	}
	return rest;
}

/* MS_ABSENT: it is not the content that names were left out for, so all are to be asked for. */
static MsAnswer check_names(MsDirectory *directory, const Asked *asked, const MsMapping *mapping)
{
	if (asked->names == NULL || ms_names_are_of(asked->names, mapping))
		return MS_FOUND;
	ms_absent_old(directory, asked->names);
	return asked->left_out > 0 ? MS_ABSENT : MS_FOUND;
}

/* ---- slices --------------------------------------------------------------------------- */

typedef struct {
	MsDirectory *directory;
	const MsMapping *mapping;
	const MsView *view;
	GHashTable *open; /* number to MsSlice */
	GError **error;
} Slices;

static MsAnswer open_slice(Slices *s, guint32 number, MsSlice **out)
{
	gpointer key = GUINT_TO_POINTER(number);
	*out = g_hash_table_lookup(s->open, key);
	if (*out != NULL)
		return MS_FOUND;
	MsPartId id = MS_PART(MS_PART_SLICE, number);
	GBytes *data = ms_view_part(s->view, id);
	if (data == NULL)
		return ms_directory_lost(s->error, id, MS_NOT_THERE);
	*out = ms_slice_open(&s->directory->keys, s->mapping->generation, number, data);
	if (*out == NULL)
		return ms_directory_lost(s->error, id, MS_NOT_WHOLE);
	g_hash_table_insert(s->open, key, *out);
	return MS_FOUND;
}

static guint32 place_of(const MsPlaces *places, const MsWanted *wanted)
{
	return wanted->account ? ms_place_account(places, wanted->digest)
			       : ms_place_entry(places, wanted->digest);
}

static MsAnswer read_entry(Slices *s, const MsWanted *wanted, GPtrArray *accounts)
{
	MsSlice *slice;
	guint32 number = place_of(&s->mapping->places, wanted);
	MsAnswer answer = open_slice(s, number, &slice);
	const char *why = answer == MS_FOUND ? ms_slice_accounts(&s->directory->keys, slice,
						       wanted->digest + MS_PLACE_BYTES, accounts)
					     : NULL;
	return why != NULL ? ms_directory_lost(s->error, MS_PART(MS_PART_SLICE, number), why)
			   : answer;
}

/* What one message may bring is bounded: over it, the answers are not whole, and say so. */
static void take_room(MsLookup *out, guint64 *room, GPtrArray *accounts)
{
	out->over = out->over || accounts->len > *room;
	*room -= MIN(*room, accounts->len);
	if (out->over)
		g_ptr_array_set_size(accounts, 0);
}

/* What is certainly not in this content of the mapping has no accounts. */
static MsAnswer read_values(Slices *s, const Asked *asked, guint64 *room, MsLookup *out)
{
	const MsWanted *wanted = asked->wanted;
	guint n = asked->n;
	MsAnswer answer = MS_FOUND;
	for (guint i = 0; i < n && answer == MS_FOUND; i++) {
		GPtrArray *accounts = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(out->values, accounts);
		if (!out->over && !is_absent(asked, i))
			answer = read_entry(s, &wanted[i], accounts);
		take_room(out, room, accounts);
	}
	return answer;
}

static MsWanted wanted_of_account(const MsDirectory *directory, const char *account)
{
	MsWanted wanted = {.account = true};
	g_autofree char *name = ms_keys_of_account(account);
	ms_keys_digest(&directory->keys, name, wanted.digest);
	return wanted;
}

/* The slices of who receives for an account that have not come along; usually none. */
static MsAnswer fetch_missing(Slices *s, GHashTable *accounts, MsView *more)
{
	g_autoptr(GHashTable)
		asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	GHashTableIter iter;
	gpointer wanted;
	g_hash_table_iter_init(&iter, accounts);
	while (g_hash_table_iter_next(&iter, NULL, &wanted)) {
		MsPartId id = MS_PART(MS_PART_SLICE, place_of(&s->mapping->places, wanted));
		if (ms_view_part(s->view, id) == NULL &&
			g_hash_table_add(asked, g_memdup2(&id, sizeof id)))
			g_array_append_val(ids, id);
	}
	MsBackend *backend = s->directory->backend;
	if (ids->len > 0)
		ms_directory_count_trip(s->directory);
	return ids->len == 0
		? MS_FOUND
		: backend->ops->fetch(backend, s->mapping->generation,
			  (const MsPartId *)(const void *)ids->data, ids->len, more, s->error);
}

/* What came with a second step must be of the same state.  MS_ABSENT: it is not. */
static MsAnswer add_missing(Slices *s, GHashTable *accounts, MsView *view)
{
	MsView more;
	ms_view_init(&more);
	MsAnswer answer = fetch_missing(s, accounts, &more);
	if (answer == MS_FOUND && more.state != NULL) {
		if (strcmp(more.state, view->state) != 0 ||
			g_strcmp0(more.generation, view->generation) != 0)
			answer = MS_ABSENT;
		GHashTableIter iter;
		gpointer id, data;
		g_hash_table_iter_init(&iter, more.parts);
		while (answer == MS_FOUND && g_hash_table_iter_next(&iter, &id, &data))
			ms_view_take(view, *(MsPartId *)id, g_bytes_ref(data));
	}
	ms_view_clear(&more);
	return answer;
}

/* The different accounts of the first names, with where their entries are. */
static GHashTable *accounts_of(const MsDirectory *directory, const MsLookup *lookup, guint n)
{
	GHashTable *accounts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	for (guint i = 0; i < n; i++) {
		const GPtrArray *list = lookup->values->pdata[i];
		for (guint k = 0; k < list->len; k++) {
			if (g_hash_table_contains(accounts, list->pdata[k]))
				continue;
			MsWanted wanted = wanted_of_account(directory, list->pdata[k]);
			g_hash_table_insert(
				accounts, list->pdata[k], g_memdup2(&wanted, sizeof wanted));
		}
	}
	return accounts;
}

static MsAnswer read_receivers(Slices *s, MsLookup *out, guint64 *room, MsView *view)
{
	g_autoptr(GHashTable) accounts = accounts_of(s->directory, out, (guint)out->owned);
	MsAnswer answer = add_missing(s, accounts, view);
	GHashTableIter iter;
	gpointer account, wanted;
	g_hash_table_iter_init(&iter, accounts);
	while (answer == MS_FOUND && !out->over &&
		g_hash_table_iter_next(&iter, &account, &wanted)) {
		GPtrArray *receivers = g_ptr_array_new_with_free_func(g_free);
		answer = read_entry(s, wanted, receivers);
		take_room(out, room, receivers);
		if (receivers->len > 0)
			g_hash_table_insert(out->receivers, g_strdup(account), receivers);
		else
			g_ptr_array_unref(receivers);
	}
	return answer;
}

static MsAnswer read_word(Slices *s, const char *account, const char *word, guint64 *room,
	MsLookup *out, bool *there_out)
{
	MsWanted wanted = {.account = true};
	g_autofree char *name = ms_keys_named_account(account, word);
	g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
	ms_keys_digest(&s->directory->keys, name, wanted.digest);
	MsAnswer answer = read_entry(s, &wanted, accounts);
	*there_out = accounts->len > 0;
	take_room(out, room, accounts);
	return answer;
}

static MsAnswer read_name(Slices *s, const char *account, guint64 *room, MsLookup *out)
{
	bool named = false, greeted = false;
	MsAnswer answer = read_word(s, account, NULL, room, out, &named);
	for (guint i = 0; answer == MS_FOUND && named && !greeted && out->greeted[i] != NULL; i++)
		answer = read_word(s, account, out->greeted[i], room, out, &greeted);
	if (named)
		g_hash_table_insert(
			out->named, g_strdup(account), GUINT_TO_POINTER(greeted ? 2 : 1));
	return answer;
}

/* They are where it is written who receives for the account. */
static MsAnswer read_names(Slices *s, MsLookup *out, guint64 *room, MsView *view)
{
	g_autoptr(GHashTable) accounts = accounts_of(s->directory, out, out->values->len);
	MsAnswer answer = add_missing(s, accounts, view);
	GHashTableIter iter;
	gpointer account;
	g_hash_table_iter_init(&iter, accounts);
	while (answer == MS_FOUND && !out->over && g_hash_table_iter_next(&iter, &account, NULL))
		answer = read_name(s, account, room, out);
	return answer;
}

/* ---- one lookup ----------------------------------------------------------------------- */

/* MS_ABSENT: to be asked again. */
static MsAnswer read_all(MsDirectory *directory, const Asked *asked, MsView *view, MsLookup *out,
	GError **error)
{
	g_autoptr(MsMapping) mapping = read_mapping(directory, view, error);
	if (mapping == NULL)
		return MS_CONFIG;
	if (check_names(directory, asked, mapping) != MS_FOUND)
		return MS_ABSENT;
	ms_directory_state_of(mapping, &out->state);
	MsAnswer answer = check_fit(directory, &out->state, error);
	if (answer == MS_FOUND)
		answer = check_lost(directory, mapping->generation, error);
	if (answer != MS_FOUND)
		return answer;
	if (view->lost)
		return ms_directory_unfit(error,
			"a part of the mapping is lost (maxmemory-policy? a deleted key?); nothing "
			"can be judged until it is whole: " COMMAND
			", or see missent directory verify");
	g_autoptr(GHashTable)
		open = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)ms_slice_free);
	Slices s = {directory, mapping, view, open, error};
	guint64 room = out->room;
	answer = read_values(&s, asked, &room, out);
	if (answer == MS_FOUND && !out->over)
		answer = read_receivers(&s, out, &room, view);
	if (answer == MS_FOUND && !out->over && out->greeted != NULL)
		answer = read_names(&s, out, &room, view);
	return answer;
}

static MsAnswer attempt(MsDirectory *directory, const MsWanted *wanted, guint n, bool primary,
	MsLookup *out, GError **error)
{
	MsView view;
	ms_view_init(&view);
	view.primary = primary;
	MsBackend *backend = directory->backend;
	g_auto(Asked) asked = {.wanted = wanted, .n = n, .names = ms_absent_names(directory)};
	g_autofree MsWanted *rest = leave_out(&asked);
	ms_directory_count_trip(directory);
	MsAnswer answer = backend->ops->look(backend, rest, n - asked.left_out, &view, error);
	if (answer == MS_ABSENT)
		answer = ms_directory_none(directory, error);
	else if (answer == MS_FOUND)
		answer = read_all(directory, &asked, &view, out, error);
	ms_view_clear(&view);
	return answer;
}

/* An answer that was overtaken by a later one looks older than what was seen; so does a replica's
 * that is behind, as far as it may be, where the primary was asked meanwhile.  Then what comes
 * next, of the primary, is not. */
MsAnswer ms_lookup_entries(
	MsDirectory *directory, const MsWanted *wanted, guint n, MsLookup *lookup, GError **error)
{
	bool again = false;
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		g_autoptr(GError) older = NULL;
		g_ptr_array_set_size(lookup->values, 0);
		g_hash_table_remove_all(lookup->receivers);
		g_hash_table_remove_all(lookup->named);
		lookup->over = false;
		MsAnswer answer = attempt(directory, wanted, n, again, lookup, error);
		if (answer == MS_ABSENT)
			continue;
		if (answer == MS_FOUND)
			answer = ms_directory_check_seen(directory, &lookup->state, &older);
		if (older == NULL)
			return answer;
		if (again) {
			g_propagate_error(error, g_steal_pointer(&older));
			return answer;
		}
		again = true;
	}
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"directory: it changes faster than it can be read");
	return MS_RETRY;
}

MsAnswer ms_directory_look_up(
	MsDirectory *directory, const GPtrArray *names, MsLookup *lookup, GError **error)
{
	g_autofree MsWanted *wanted = g_new0(MsWanted, names->len + 1);
	for (guint i = 0; i < names->len; i++) {
		wanted[i].join = i < lookup->owned || lookup->greeted != NULL;
		wanted[i].account = ms_keys_are_account(names->pdata[i]);
		ms_keys_digest(&directory->keys, names->pdata[i], wanted[i].digest);
	}
	return ms_lookup_entries(directory, wanted, names->len, lookup, error);
}
