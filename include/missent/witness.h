/*
 * witness.h - checkpoints of other hosts' audit trails, kept here, where who has their key has no
 * rights.
 *
 * WHAT    A host answers for its log with its checkpoint and a proof that it is the one of before
 *         with more entries; who keeps the one of before takes the new one for it, or refuses.
 * OWNS    Nothing.
 * ERRORS  MS_ERROR_RETRY where a file or a log cannot be read or written.
 * THREADS Any; of one folder and host one at a time.
 * LIMITS  One checkpoint a host.
 * NOT     The first one of a host is believed, unless another host has that log.  Sends and
 *         receives nothing (link.h).
 */
#ifndef MISSENT_WITNESS_H
#define MISSENT_WITNESS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/tlog.h"

struct json_t; /* jansson's */

/* Of the trail at `path` (ms_audit_folder()), for who has kept it at `size` entries; the caller's.
 * {"none": true}: there is no trail; {"damaged": WHY}: it cannot be read any more.  With
 * "pruned": no proof can be had, for what came after `size` was removed after its time. */
struct json_t *ms_witness_answer(const char *path, guint64 size, GError **error);

typedef struct {
	char *host, *vkey;
	MsCheckpoint checkpoint;
	gint64 time; /* when it was taken, microseconds since 1970 */
} MsKept;
void ms_kept_clear(MsKept *kept);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsKept, ms_kept_clear)
/* What is kept of `host`; false and no `*error`: nothing. */
bool ms_witness_kept(const char *folder, const char *host, MsKept *out, GError **error);
/* The hosts of which there is something, of char *; the caller's. */
GPtrArray *ms_witness_hosts(const char *folder);

typedef enum {
	MS_WITNESS_FIRST,
	MS_WITNESS_SAME,
	MS_WITNESS_GREW,
	MS_WITNESS_RESUMED, /* no proof can lead to it: the kept one is older than lines get */
	MS_WITNESS_REFUSED,
} MsWitness;
/* Takes a host's answer: what is kept is replaced by one that continues it, and by no other; by
 * one that cannot prove it any more only if the kept one is older than `lines_ms`, after which
 * lines may be removed (0: never).  `*why_out` of one that is refused, the caller's. */
bool ms_witness_take(const char *folder, const char *host, const struct json_t *answer,
	gint64 lines_ms, MsWitness *how_out, char **why_out, GError **error);
/* A new log of that host is to be believed: what was kept of the old one is set aside. */
bool ms_witness_forget(const char *folder, const char *host, GError **error);

/* ---- a checkpoint in other words -------------------------------------------------------- */

/* In one line, as it goes to the system log, into mails and into other trails: "NAME|SIZE|ROOT||-
 * NAME ..."; the caller's. */
char *ms_checkpoint_line(const char *note);
/* The newest one that `vkey` signed in a note, a line of a log, or a mail, whatever else stands
 * there. */
bool ms_checkpoint_find(
	const char *text, gsize len, const char *vkey, MsCheckpoint *out, GError **error);

#endif
