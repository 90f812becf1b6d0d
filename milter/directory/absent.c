/*
 * What is certainly not in the mapping.  A thread reads all slices of the one in use, and keeps
 * two bytes of each key; a name whose two bytes are not among those of its slice is in none of
 * them, and a lookup need not ask for it.
 *
 * That holds for one content of the mapping and for no other.  Each slice begins with a keyed
 * fingerprint of what is in it, and the state has the sum of all: what was read is used with
 * answers whose state has the same generation and the same sum, which lookup.c compares each time.
 * A change, another import or an older copy that came back has another sum: then all names are
 * asked for, as if nothing were known, until the groups that have changed were read again.
 *
 * Names are immutable and counted; the thread makes new ones, which share what did not change.
 */
#include "config.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/clock.h"
#include "missent/io.h"

#include "directory_private.h"

typedef struct {
	gint refs;
	MsFingerprint sum;            /* of the slices that were read */
	guint32 starts[MS_GROUP + 1]; /* of a slice, in `keys` */
	guint16 keys[];
} Block;

struct MsNames {
	gint refs;
	char *generation;
	MsPlaces places;
	MsFingerprint sum;
	guint32 n;      /* of groups */
	Block **blocks; /* NULL: it has nothing but what is said of accounts */
};

struct MsAbsent {
	MsDirectory *directory;
	pthread_t thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t wake;
	bool wanted, stop;
};

/* ---- names ------------------------------------------------------------------------------ */

static void block_unref(Block *block)
{
	if (block != NULL && g_atomic_int_dec_and_test(&block->refs))
		g_free(block);
}

void ms_names_unref(MsNames *names)
{
	if (names == NULL || !g_atomic_int_dec_and_test(&names->refs))
		return;
	for (guint32 i = 0; i < names->n; i++)
		block_unref(names->blocks[i]);
	g_free(names->blocks);
	g_free(names->generation);
	g_free(names);
}

static guint16 short_key(const guint8 key[MS_ENTRY_KEY])
{
	return (guint16)(key[0] << 8 | key[1]);
}

bool ms_names_lack(const MsNames *names, const MsWanted *wanted)
{
	if (wanted->account)
		return false;
	guint32 slice = ms_place_entry(&names->places, wanted->digest);
	const Block *block = names->blocks[slice / MS_GROUP];
	guint16 key = short_key(wanted->digest + MS_PLACE_BYTES);
	guint32 at = block->starts[slice % MS_GROUP], end = block->starts[slice % MS_GROUP + 1];
	while (at < end && block->keys[at] < key)
		at++;
	return at == end || block->keys[at] != key;
}

bool ms_names_are_of(const MsNames *names, const MsMapping *mapping)
{
	return strcmp(names->generation, mapping->generation) == 0 &&
		names->places.slices == mapping->places.slices &&
		names->places.accounts == mapping->places.accounts &&
		memcmp(&names->sum, &mapping->sum, sizeof names->sum) == 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

static MsAnswer fetch(MsDirectory *directory, const char *generation, char kind, guint32 first,
	guint32 end, MsView *view, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MsPartId));
	for (guint32 i = first; i < end; i++) {
		MsPartId id = MS_PART(kind, i);
		g_array_append_val(ids, id);
	}
	MsBackend *backend = directory->backend;
	return backend->ops->fetch(backend, generation, (const MsPartId *)(const void *)ids->data,
		ids->len, view, error);
}

/* They are in order; of many alike one is enough. */
static void add_keys(const MsSlice *slice, GArray *keys, guint first)
{
	for (guint i = 0; i < slice->n; i++) {
		guint16 key = short_key(slice->keys + (gsize)i * MS_ENTRY_KEY);
		if (keys->len == first || g_array_index(keys, guint16, keys->len - 1) != key)
			g_array_append_val(keys, key);
	}
}

/* False: there is none, or it is not what it should be, which others tell. */
static bool add_slice(const MsDirectory *directory, const MsMapping *mapping, guint32 number,
	const MsView *view, Block *head, GArray *keys)
{
	GBytes *data = ms_view_part(view, MS_PART(MS_PART_SLICE, number));
	g_autoptr(MsSlice) slice = data != NULL
		? ms_slice_open(&directory->keys, mapping->generation, number, data)
		: NULL;
	if (slice == NULL)
		return false;
	ms_fingerprint_add(&head->sum, g_bytes_get_data(data, NULL));
	if (number < mapping->places.slices)
		add_keys(slice, keys, keys->len);
	return true;
}

/* NULL: it cannot be read, or not all of it is there. */
static Block *read_group(MsDirectory *directory, const MsMapping *mapping, guint32 group)
{
	guint32 first = group * MS_GROUP;
	guint32 end = MIN(first + MS_GROUP, ms_mapping_slices(&mapping->places));
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(guint16));
	Block head = {.refs = 1};
	MsView view;
	ms_view_init(&view);
	bool fine = fetch(directory, mapping->generation, MS_PART_SLICE, first, end, &view, NULL) ==
		MS_FOUND;
	for (guint32 i = 0; i < MS_GROUP && fine; i++) {
		if (first + i < end)
			fine = add_slice(directory, mapping, first + i, &view, &head, keys);
		head.starts[i + 1] = keys->len;
	}
	ms_view_clear(&view);
	if (!fine)
		return NULL;
	Block *block = g_malloc(sizeof *block + keys->len * sizeof(guint16));
	*block = head;
	memcpy(block->keys, keys->data, keys->len * sizeof(guint16));
	return block;
}

/* As it was read before, if nothing has changed in it. */
static Block *group_of(MsDirectory *directory, const MsMapping *mapping, const MsNames *old,
	guint32 group, const MsFingerprint *sum)
{
	bool same = old != NULL && group < old->n && old->blocks[group] != NULL &&
		strcmp(old->generation, mapping->generation) == 0 &&
		memcmp(&old->blocks[group]->sum, sum, sizeof *sum) == 0;
	if (!same)
		return read_group(directory, mapping, group);
	g_atomic_int_inc(&old->blocks[group]->refs);
	return old->blocks[group];
}

/* All of what the sums of one state say, or nothing. */
static bool fill(MsDirectory *directory, MsNames *names, const MsMapping *mapping,
	const MsNames *old, const MsView *sums)
{
	MsFingerprint all = {{0}}, sum;
	for (guint32 i = 0; i < names->n; i++) {
		GBytes *said = ms_view_part(sums, MS_PART(MS_PART_GROUP, i));
		if (said == NULL || g_bytes_get_size(said) != sizeof sum ||
			g_atomic_int_get(&directory->ends))
			return false;
		memcpy(&sum, g_bytes_get_data(said, NULL), sizeof sum);
		ms_fingerprint_add(&all, sum.bytes);
		if (i * MS_GROUP >= names->places.slices)
			continue; /* of accounts, which are always asked for */
		names->blocks[i] = group_of(directory, mapping, old, i, &sum);
		if (names->blocks[i] == NULL ||
			memcmp(&names->blocks[i]->sum, &sum, sizeof sum) != 0)
			return false;
	}
	return memcmp(&all, &names->sum, sizeof all) == 0;
}

static MsNames *names_new(const MsMapping *mapping)
{
	MsNames *names = g_new0(MsNames, 1);
	names->refs = 1;
	names->generation = g_strdup(mapping->generation);
	names->places = mapping->places;
	names->sum = mapping->sum;
	names->n = ms_mapping_groups(&mapping->places);
	names->blocks = g_new0(Block *, names->n);
	return names;
}

/* NULL: there is none that can be read, or it changes. */
static MsNames *read_names(MsDirectory *directory, const MsNames *old)
{
	g_autoptr(MsMapping) in_use = ms_directory_in_use(directory, false, NULL, NULL);
	if (in_use == NULL)
		return NULL;
	MsView sums;
	ms_view_init(&sums);
	MsNames *names = NULL;
	if (fetch(directory, in_use->generation, MS_PART_GROUP, 0,
		    ms_mapping_groups(&in_use->places), &sums, NULL) == MS_FOUND) {
		g_autoptr(MsMapping) mapping = ms_view_mapping(directory, &sums, NULL);
		names = mapping != NULL && mapping->places.slices == in_use->places.slices &&
				mapping->places.accounts == in_use->places.accounts
			? names_new(mapping)
			: NULL;
		if (names != NULL && !fill(directory, names, mapping, old, &sums))
			g_clear_pointer(&names, ms_names_unref);
	}
	ms_view_clear(&sums);
	return names;
}

/* ---- of a directory --------------------------------------------------------------------- */

MsNames *ms_absent_names(MsDirectory *directory)
{
	pthread_mutex_lock(&directory->lock);
	MsNames *names = directory->names_are_old ? NULL : directory->names;
	if (names != NULL)
		g_atomic_int_inc(&names->refs);
	pthread_mutex_unlock(&directory->lock);
	return names;
}

void ms_absent_old(MsDirectory *directory, const MsNames *names)
{
	pthread_mutex_lock(&directory->lock);
	if (directory->names == names)
		directory->names_are_old = true;
	MsAbsent *a = directory->absent;
	if (a != NULL) {
		pthread_mutex_lock(&a->lock);
		a->wanted = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&directory->lock);
}

#define TRIES 3

bool ms_absent_read(MsDirectory *directory)
{
	MsNames *fresh = NULL;
	pthread_mutex_lock(&directory->lock);
	MsNames *old = directory->names;
	pthread_mutex_unlock(&directory->lock);
	for (int i = 0; i < TRIES && fresh == NULL; i++)
		fresh = read_names(directory, old);
	if (fresh == NULL)
		return false;
	pthread_mutex_lock(&directory->lock);
	directory->names = fresh;
	directory->names_are_old = false;
	pthread_mutex_unlock(&directory->lock);
	ms_names_unref(old);
	return true;
}

/* ---- the thread ------------------------------------------------------------------------- */

#define PAUSE_S 2 /* at least, between two times: changes may come all the time */

/* Until it is wanted, and a while after the last time; false: to be stopped. */
static bool await(MsAbsent *a, gint64 not_before_us)
{
	pthread_mutex_lock(&a->lock);
	while (!a->stop && ms_clock_wait(&a->wake, &a->lock, not_before_us))
		continue;
	while (!a->stop && !a->wanted)
		pthread_cond_wait(&a->wake, &a->lock);
	a->wanted = false;
	bool go_on = !a->stop;
	pthread_mutex_unlock(&a->lock);
	return go_on;
}

static void *run(void *user)
{
	MsAbsent *a = user;
	gint64 next = 0;
	/* Of this thread: mail goes first. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
	while (await(a, next)) {
		if (!ms_absent_read(a->directory)) {
			pthread_mutex_lock(&a->lock);
			a->wanted = true;
			pthread_mutex_unlock(&a->lock);
		}
		next = g_get_monotonic_time() + PAUSE_S * G_USEC_PER_SEC;
	}
	return NULL;
}

/* Without the thread all is asked for, which is right, too. */
void ms_absent_start(MsDirectory *directory)
{
	MsAbsent *a = g_new0(MsAbsent, 1);
	pthread_cond_init(&a->wake, NULL);
	pthread_mutex_init(&a->lock, NULL);
	a->directory = directory;
	a->wanted = true;
	if (!ms_io_thread(&a->thread, "mapping absent", run, a)) {
		g_free(a);
		return;
	}
	pthread_mutex_lock(&directory->lock);
	directory->absent = a;
	pthread_mutex_unlock(&directory->lock);
}

void ms_absent_stop(MsDirectory *directory)
{
	pthread_mutex_lock(&directory->lock);
	MsAbsent *a = g_steal_pointer(&directory->absent);
	pthread_mutex_unlock(&directory->lock);
	if (a == NULL)
		return;
	g_atomic_int_set(&directory->ends, 1);
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	g_free(a);
}
