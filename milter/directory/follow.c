/*
 * A batch of changes comes in; out goes the mapping with all of them that make sense, and with
 * how far their source has come, in one step: whoever dies in between has done all of it or
 * nothing, and what comes again is known by its ID.  One thread a source; others that follow the
 * same one do no harm.
 */
#include "config.h"

#include <string.h>

#include "changes.h"
#include "directory_private.h"

#define MAX_ATTEMPTS 20

static char *position_now(
	MsDirectory *directory, const char *source, MsAnswer *answer_out, GError **error)
{
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, true, answer_out, error);
	return mapping != NULL ? g_strdup(g_hash_table_lookup(mapping->positions, source)) : NULL;
}

char *ms_directory_position(
	MsDirectory *directory, const char *source, MsAnswer *answer_out, GError **error)
{
	char *position = position_now(directory, source, answer_out, error);
	return position == NULL && *answer_out == MS_FOUND ? g_strdup("") : position;
}

typedef struct {
	GArray *changes;  /* of MsRowChange */
	GPtrArray *rows;  /* of MsRowStored */
	const char *last; /* the position after it */
	MsFollowed counts;
} Batch;

static void batch_clear(Batch *b)
{
	g_array_unref(b->changes);
	g_ptr_array_unref(b->rows);
}

/* A change whose ID is not above the one before it was there already. */
static void take_change(MsDirectory *directory, Batch *b, MsChange *c)
{
	if (!ms_change_id_valid(c->id) || c->late) {
		b->counts.bad++;
		return;
	}
	if (b->last != NULL && ms_change_id_compare(c->id, b->last) <= 0) {
		b->counts.repeated++;
		return;
	}
	b->last = c->id;
	const char *why = NULL;
	MsRowStored *row = c->why != NULL
		? NULL
		: ms_row_new(directory, c->account, c->kind, c->value, strlen(c->value), &why);
	if (row == NULL) {
		if (c->why == NULL)
			c->why = g_strdup(why);
		b->counts.bad++;
		return;
	}
	MsRowChange change = {row, c->remove, false};
	g_ptr_array_add(b->rows, row);
	g_array_append_val(b->changes, change);
}

static bool set_aside(const GPtrArray *changes, const char *before,
	bool (*aside)(const MsChange *change, void *user, GError **error), void *user,
	GError **error)
{
	for (guint i = 0; i < changes->len; i++) {
		const MsChange *c = changes->pdata[i];
		bool old = before != NULL && !c->late && ms_change_id_valid(c->id) &&
			ms_change_id_compare(c->id, before) <= 0;
		if (c->why != NULL && !old && !aside(c, user, error))
			return false;
	}
	return true;
}

MsAnswer ms_directory_follow(MsDirectory *directory, const char *source, GPtrArray *changes,
	bool (*aside)(const MsChange *change, void *user, GError **error), void *user,
	MsFollowed *followed_out, GError **error)
{
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		MsAnswer answer;
		g_autofree char *before = position_now(directory, source, &answer, error);
		if (answer != MS_FOUND)
			return answer;
		Batch b = {.changes = g_array_new(FALSE, FALSE, sizeof(MsRowChange)),
			.rows = g_ptr_array_new_with_free_func((GDestroyNotify)ms_row_free),
			.last = before};
		for (guint k = 0; k < changes->len; k++)
			take_change(directory, &b, changes->pdata[k]);
		bool moved = false;
		if (!set_aside(changes, before, aside, user, error))
			answer = MS_RETRY;
		else if (b.last != NULL && g_strcmp0(b.last, before) != 0)
			answer = ms_directory_apply(directory,
				(MsRowChange *)(void *)b.changes->data, b.changes->len, source,
				before, b.last, &moved, error);
		b.counts.applied = b.changes->len;
		batch_clear(&b);
		if (answer == MS_FOUND && !moved)
			*followed_out = b.counts;
		if (answer != MS_FOUND || !moved)
			return answer;
	}
	g_set_error(
		error, MS_ERROR, MS_ERROR_BUSY, "directory: somebody else follows \"%s\"", source);
	return MS_RETRY;
}

bool ms_directory_source_valid(const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
	return *name != '\0' && strlen(name) <= 100 && strspn(name, good) == strlen(name);
}
