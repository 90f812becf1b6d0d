/*
 * What a store or a billing system gives: lines of changes (C, J), a state (S), a slice in the
 * clear and what it says as one who has the key may have written it (P).
 */
#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../milter/directory/changes.h"
#include "../../milter/directory/state.h"

#include "../test.h"
#include "fuzz.h"

static void changes(const uint8_t *data, size_t len, bool csv)
{
	int fd = memfd_create("fuzz", 0);
	g_assert_cmpint(write(fd, data, len), ==, (gssize)len);
	lseek(fd, 0, SEEK_SET);
	g_autoptr(MsChanges) source = ms_changes_from_file(fd, csv, false);
	for (MsAnswer answer = MS_FOUND; answer == MS_FOUND;) {
		g_autoptr(GPtrArray) batch = ms_changes_batch();
		answer = ms_changes_next(source, batch, 0, NULL);
		for (guint i = 0; i < batch->len; i++) {
			const MsChange *c = batch->pdata[i];
			g_assert_true(c->why != NULL ||
				(ms_change_id_valid(c->id) && c->account != NULL &&
					c->kind != NULL && c->value != NULL));
		}
	}
	close(fd);
}

static void state(const char *text)
{
	MsKeys keys = {.digests = true};
	const char *why;
	MsPlaces places;
	g_autoptr(MsMapping) m = ms_mapping_read(text, &keys, &why);
	g_assert_true(m != NULL || why != NULL);
	if (m != NULL)
		g_assert_true(
			ms_mapping_places(text, &places) && places.slices == m->places.slices);
}

static void count(const guint8 *key, const MsSaid *said, void *user)
{
	(void)key;
	g_assert_cmpuint(said->account_len, >, 0);
	++*(guint *)user;
}

/* The first byte: how many entries are said to be there. */
static void part(const uint8_t *data, size_t len, bool digests)
{
	MsKeys keys = {.digests = digests};
	guint n = len > 0 ? data[0] % 8 : 0, found = 0;
	guint8 clear[4 + 8 * 11] = {0, 0, 0, (guint8)n};
	g_autoptr(GBytes) sealed = ms_part_seal(&keys, "g", MS_PART(MS_PART_SLICE, 1), clear,
		4 + n * 11, len > 0 ? data + 1 : data, len > 0 ? len - 1 : 0);
	g_autoptr(MsSlice) slice = ms_slice_open(&keys, "g", 1, sealed);
	g_assert_nonnull(slice);
	const char *why = ms_slice_each(&keys, slice, count, &found);
	g_assert_true(why != NULL || found == n);
	g_autoptr(GBytes) raw = g_bytes_new(data, len);
	g_autoptr(MsSlice) other = ms_slice_open(&keys, "g", 1, raw);
	g_assert_null(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	g_autofree char *text = g_strndup((const char *)data + 1, len - 1);
	switch (data[0]) {
	case 'C':
	case 'J': changes(data + 1, len - 1, data[0] == 'C'); break;
	case 'S': state(text); break;
	default: part(data + 1, len - 1, data[0] == 'P');
	}
	return 0;
}
