/* Where a log's files are, and how its bundles are read. */
#ifndef MISSENT_TLOG_PRIVATE_H
#define MISSENT_TLOG_PRIVATE_H

#include "merkle.h"

#define MS_TILE 256 /* hashes of a tile, entries of a bundle */
#define MS_ENTRIES (-1) /* in place of a level */
#define MS_LEVELS 6 /* 2**48 entries */

/* "FOLDER/tile/0/x001/234.p/7"; `width` MS_TILE: whole. */
char *ms_tile_path(const char *folder, int level, guint64 n, guint width);
/* The whole file; NULL and no error: there is none. */
GBytes *ms_tile_file(const char *path, GError **error);
/* The first hashes of a tile as files have them, whole or partial; how many of `width` there
 * are. */
guint ms_tile_hashes(
	const char *folder, int level, guint64 n, guint width, MsHash *out, GError **error);
/* The old file or the new one, whatever happens; on disk, if `sync`. */
bool ms_tlog_replace_file(
	const char *path, const void *data, gsize len, bool sync, GError **error);
/* Where each entry of a bundle begins and ends; false: it is not one.  `*whole_out` (unless
 * NULL): how many bytes are whole entries, where the last one is cut short. */
typedef struct {
	const char *data;
	gsize len;
} MsSlot;
bool ms_bundle_parse(const char *data, gsize len, GArray *slots, gsize *whole_out);

#endif
