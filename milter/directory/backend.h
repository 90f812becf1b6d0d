/*
 * What a backend of the directory does.  It stores parts (part.h) of generations, of which one is
 * in use, each with its state (state.h); it has no key and understands no more of them than where
 * an entry is and what its link is.
 */
#ifndef MISSENT_DIRECTORY_BACKEND_H
#define MISSENT_DIRECTORY_BACKEND_H

#include "missent/directory.h"

#include "slice.h"

/* An entry that is looked for. */
typedef struct {
	guint8 digest[MS_ENTRY_DIGEST];
	bool account; /* about an account */
	bool join;    /* also the slices that the links of its entries lead to */
} MsWanted;

/* What a backend has seen in one step. */
typedef struct {
	char *generation;  /* in use */
	char *state;       /* of it; NULL: lost, or of an earlier version */
	GHashTable *parts; /* MsPartId to GBytes, of those that are there */
	bool lost;         /* one of the slices that were looked at besides is not there */
	bool primary;      /* given: a replica, which may be behind, is not asked */
} MsView;
void ms_view_init(MsView *view);
void ms_view_clear(MsView *view);
void ms_view_take(MsView *view, MsPartId id, GBytes *data); /* takes `data` */
GBytes *ms_view_part(const MsView *view, MsPartId id);      /* borrowed; NULL: not there */

/* Some slices besides those asked for are looked for with each lookup. */
#define MS_SAMPLE 16
/* More links than these are followed by another step. */
#define MS_MANY_LINKS 2000

typedef struct MsBackend MsBackend;

struct MsBackend {
	const struct MsBackendOps *ops;
};

typedef struct MsBackendOps {
	const char *name;
	void (*close)(MsBackend *backend);
	/* State, and the slices that these entries are in, in one round trip.  MS_ABSENT: no
	 * generation is in use. */
	MsAnswer (*look)(
		MsBackend *backend, const MsWanted *wanted, gsize n, MsView *out, GError **error);
	/* Parts of a generation, and its state; in use or not. */
	MsAnswer (*fetch)(MsBackend *backend, const char *generation, const MsPartId *ids, gsize n,
		MsView *out, GError **error);
	/* Puts a new state and parts in place, all or none, if generation and state are those
	 * that were seen; `*swapped_out` says whether they were. */
	MsAnswer (*swap)(MsBackend *backend, const MsView *seen, const char *state,
		const MsPartId *ids, GBytes *const *data, gsize n, bool *swapped_out,
		GError **error);

	/* One load at a time, into a generation that nobody reads; it may have parts of one that
	 * was cut off.  `*note_out` (static): what was found of one that was cut off.  False:
	 * nothing is claimed. */
	bool (*begin)(
		MsBackend *backend, const char *generation, const char **note_out, GError **error);
	/* May be kept back until settle(). */
	bool (*store)(MsBackend *backend, MsPartId id, GBytes *data, GError **error);
	/* To be called all the time during a load: that it is alive. */
	bool (*alive)(MsBackend *backend, GError **error);
	bool (*settle)(MsBackend *backend, GError **error);
	bool (*commit)(MsBackend *backend, const char *state, GError **error);
	void (*abandon)(MsBackend *backend);
	/* Removes some parts of generations that are not in use; `*more_out`: there are others.
	 * Not during a load. */
	bool (*tidy)(MsBackend *backend, bool *more_out, GError **error);
} MsBackendOps;

MsBackend *ms_backend_sqlite(const MsDirectorySettings *settings, GError **error);
MsBackend *ms_backend_redis(const MsDirectorySettings *settings, GError **error);

#endif
