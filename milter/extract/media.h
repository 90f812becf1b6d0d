/* What the walks through pictures (picture.c), sound and film (sound.c) share. */
#ifndef MISSENT_EXTRACT_MEDIA_H
#define MISSENT_EXTRACT_MEDIA_H

#include <string.h>

#include "bytes.h"
#include "readers.h"

#define MS_WALK_BLOCKS 200000 /* per picture; above it is none that anybody draws */
#define MS_WALK_SMALL 64      /* bytes of an unknown block that is read as words */

typedef struct {
	const guint8 *data;
	gsize len;
	gsize at; /* all before is walked */
	guint blocks;
	const MsExtraction *to; /* or NULL: only asked whether it is one */
	const MsDocument *document;
	MsInventory *inventory;
	bool cut; /* it ends within its pixels */
} MsWalk;

static inline gsize ms_walk_left(const MsWalk *w)
{
	return w->len - w->at;
}

static inline bool ms_walk_has(const MsWalk *w, const char *magic, gsize n)
{
	return ms_walk_left(w) >= n && memcmp(w->data + w->at, magic, n) == 0;
}

/* What a stretch is: structural if the table says so of `name`; else read if it `speaks` or is too
 * short to have anything but words packed in it; else nobody knows it. */
void ms_walk_block(MsWalk *w, const char *name, gsize from, gsize to, bool speaks);
/* Onwards; false if there are not that many bytes, or too many blocks. */
bool ms_walk_step(MsWalk *w, gsize n);

/* Each walks to the end; false: it is none. */
bool ms_walk_mpeg(MsWalk *w);
bool ms_walk_id3(MsWalk *w);
bool ms_walk_ogg(MsWalk *w);
bool ms_walk_flac(MsWalk *w);
bool ms_walk_amr(MsWalk *w);
bool ms_walk_adts(MsWalk *w);
bool ms_walk_aiff(MsWalk *w);
bool ms_walk_caf(MsWalk *w);
bool ms_walk_au(MsWalk *w);
bool ms_walk_asf(MsWalk *w);
bool ms_walk_matroska(MsWalk *w);
bool ms_walk_midi(MsWalk *w);
bool ms_walk_flv(MsWalk *w);
bool ms_walk_packs(MsWalk *w);
/* Only of what begins so: its packets have one letter for a mark. */
bool ms_begins_as_broadcast(const guint8 *data, gsize len);
bool ms_walk_broadcast(MsWalk *w);

#endif
