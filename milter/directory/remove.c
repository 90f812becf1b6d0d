/*
 * An account comes in; out goes what the mapping says of it, or a mapping that says nothing of it.
 * Where digests are off or on, all of its slices are gone over, as an entry stands where its value
 * has its place, and not its account.  One thread.
 */
#include "config.h"

#include <string.h>

#include "directory_private.h"

/* Whose entries are looked for. */
typedef struct {
	const char *name;
	gsize len;
	guint8 received[MS_ENTRY_DIGEST]; /* the name of the entries of who receives for it */
} Whose;

static void whose_init(Whose *whose, const MsDirectory *directory, const char *account)
{
	g_autofree char *received = ms_keys_of_account(account);
	whose->name = account;
	whose->len = strlen(account);
	ms_keys_digest(&directory->keys, received, whose->received);
}

static bool is_its(const Whose *whose, const MsSaid *said)
{
	return said->account_len == whose->len &&
		memcmp(said->account, whose->name, whose->len) == 0;
}

static bool receives_for_it(const Whose *whose, const guint8 *key, const MsSaid *said)
{
	return said->ref == NULL &&
		memcmp(key, whose->received + MS_PLACE_BYTES, MS_ENTRY_KEY) == 0;
}

static bool goes(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user)
{
	return is_its(user, said) || receives_for_it(user, key, said);
}

/* ---- going over all of it --------------------------------------------------------------- */

typedef struct {
	MsDirectory *directory;
	Whose whose;
	MsSweep *sweep; /* borrowed */
	const MsMapping *mapping;
	GArray *slices; /* of MsPartId: that have something of it */
	/* What it says, where somebody asks; else NULL */
	MsAccountEntries *out;
	void (*row)(const char *account, const char *kind, const char *value, void *user);
	void *user;
	/* Of the slice that is gone over: accounts that have a name there, and the keys of those
	 * that it receives for, which stand in the same slice. */
	guint32 slice;
	GPtrArray *names; /* of char * */
	GArray *keys;     /* of MS_ENTRY_KEY bytes */
} Search;

static char *name_of_key(const Search *s, const guint8 *key)
{
	for (guint i = 0; i < s->names->len; i++) {
		const char *name = s->names->pdata[i];
		g_autofree char *entry = ms_keys_of_account(name);
		guint8 digest[MS_ENTRY_DIGEST];
		ms_keys_digest(&s->directory->keys, entry, digest);
		if (memcmp(digest + MS_PLACE_BYTES, key, MS_ENTRY_KEY) == 0)
			return g_strdup(name);
	}
	return g_strdup("");
}

static void end_slice(Search *s)
{
	for (guint i = 0; i < s->keys->len; i++)
		g_ptr_array_add(s->out->receives_for,
			name_of_key(s, (const guint8 *)s->keys->data + (gsize)i * MS_ENTRY_KEY));
	g_array_set_size(s->keys, 0);
	g_ptr_array_set_size(s->names, 0);
}

/* An entry of a slice about accounts. */
static void tell_about_account(Search *s, const guint8 *key, const MsSaid *said)
{
	g_autofree char *name = NULL;
	const char *kind, *value;
	if (said->ref != NULL)
		g_ptr_array_add(s->names, g_strndup(said->account, said->account_len));
	else if (receives_for_it(&s->whose, key, said))
		g_ptr_array_add(
			s->out->received_by, g_strndup(said->account, said->account_len));
	else if (is_its(&s->whose, said) && ms_said_row(said, &name, &kind, &value))
		g_ptr_array_add(s->out->receives_for, g_strdup(value));
	else if (is_its(&s->whose, said))
		g_array_append_vals(s->keys, key, 1);
}

static void tell_own(Search *s, const MsSaid *said)
{
	g_autofree char *name = NULL;
	const char *kind, *value;
	if (said->ref != NULL || !is_its(&s->whose, said))
		return;
	s->out->own++;
	if (s->row != NULL && ms_said_row(said, &name, &kind, &value))
		s->row(s->whose.name, kind, value, s->user);
}

static void on_entry(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user)
{
	Search *s = user;
	guint32 slice = ms_sweep_slice(s->sweep);
	MsPartId id = MS_PART(MS_PART_SLICE, slice);
	if (goes(key, said, &s->whose) && (s->slices->len == 0 ||
		g_array_index(s->slices, MsPartId, s->slices->len - 1) != id))
		g_array_append_val(s->slices, id);
	if (s->out == NULL)
		return;
	if (slice != s->slice)
		end_slice(s);
	s->slice = slice;
	if (slice >= s->mapping->places.slices)
		tell_about_account(s, key, said);
	else
		tell_own(s, said);
}

static MsAnswer search(Search *s, GError **error)
{
	g_autoptr(MsSweep) sweep = ms_sweep_new(s->directory, s->mapping, NULL, on_entry, s);
	ms_sweep_primary(sweep);
	s->sweep = sweep;
	s->names = g_ptr_array_new_with_free_func(g_free);
	s->keys = g_array_new(FALSE, FALSE, MS_ENTRY_KEY);
	g_array_set_size(s->slices, 0);
	MsAnswer answer = ms_sweep_all(sweep, error);
	if (answer == MS_FOUND && s->out != NULL)
		end_slice(s);
	g_ptr_array_unref(s->names);
	g_array_unref(s->keys);
	return answer == MS_FOUND && s->slices->len == 0 ? MS_ABSENT : answer;
}

/* ---- what there is ----------------------------------------------------------------------- */

void ms_account_entries_clear(MsAccountEntries *entries)
{
	g_clear_pointer(&entries->receives_for, g_ptr_array_unref);
	g_clear_pointer(&entries->received_by, g_ptr_array_unref);
}

MsAnswer ms_directory_account_entries(MsDirectory *directory, const char *account,
	void (*row)(const char *account, const char *kind, const char *value, void *user),
	void *user, MsAccountEntries *entries_out, GError **error)
{
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, true, &answer, error);
	if (mapping == NULL)
		return answer;
	g_auto(MsAccountEntries) entries = {
		.receives_for = g_ptr_array_new_with_free_func(g_free),
		.received_by = g_ptr_array_new_with_free_func(g_free)};
	g_autoptr(GArray) slices = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	Search s = {.directory = directory, .mapping = mapping, .slices = slices,
		.out = &entries, .row = row, .user = user};
	whose_init(&s.whose, directory, account);
	answer = search(&s, error);
	if (answer != MS_FOUND)
		return answer;
	*entries_out = entries;
	entries = (MsAccountEntries){0};
	return MS_FOUND;
}

/* ---- it goes ----------------------------------------------------------------------------- */

#define MAX_ROUNDS 5

/* `*behind_out`: it was changed between the time when it was gone over and that at which it went,
 * and there may be more. */
static MsAnswer remove_once(MsDirectory *directory, const char *account, gint64 *removed,
	bool *behind_out, GError **error)
{
	MsAnswer answer;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, true, &answer, error);
	if (mapping == NULL)
		return answer;
	g_autoptr(GArray) slices = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	Search s = {.directory = directory, .mapping = mapping, .slices = slices};
	whose_init(&s.whose, directory, account);
	answer = search(&s, error);
	if (answer != MS_FOUND)
		return answer;
	MsStrip strip = {.generation = mapping->generation,
		.slices = (const MsPartId *)(const void *)slices->data,
		.n = slices->len,
		.goes = goes,
		.user = &s.whose};
	answer = ms_directory_strip(directory, &strip, error);
	*removed += answer == MS_FOUND ? strip.rows : 0;
	*behind_out = strip.version != mapping->version;
	return answer;
}

MsAnswer ms_directory_remove_account(
	MsDirectory *directory, const char *account, gint64 *removed_out, GError **error)
{
	gint64 removed = 0;
	bool behind = true;
	MsAnswer answer = MS_FOUND;
	for (int i = 0; i < MAX_ROUNDS && answer == MS_FOUND && behind; i++) {
		answer = remove_once(directory, account, &removed, &behind, error);
		if (answer == MS_ABSENT && i > 0) { /* what was changed meanwhile was not its */
			answer = MS_FOUND;
			behind = false;
		}
	}
	*removed_out = removed;
	if (answer != MS_FOUND || !behind)
		return answer;
	g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
		"directory: others add to that account all the time");
	return MS_RETRY;
}
