/* What the files of this folder share. */
#ifndef MISSENT_AUDIT_PRIVATE_H
#define MISSENT_AUDIT_PRIVATE_H

#include "missent/audit.h"
#include "missent/tlog.h"

/* "2026-11-26T20:15:03.123Z"; the caller's. */
char *ms_audit_stamp(gint64 microseconds);
/* JSON that is being written, in ASCII and without blanks: `name` is a field's, any bytes, or NULL
 * in a list.  Brackets are '{' and '[', '}' and ']'; of them the writer takes care. */
void ms_put_open(GString *out, const char *name, char bracket);
void ms_put_close(GString *out, char bracket);
/* Any bytes as a string; NULL as null. */
void ms_put_text(GString *out, const char *name, const char *text);
void ms_put_integer(GString *out, const char *name, gint64 n);
void ms_put_truth(GString *out, const char *name, bool is);
/* A line that is begun, with its time and type; who writes it closes it. */
GString *ms_audit_line(const char *type);
/* What names a message: host, queue ID and when it came. */
void ms_audit_name(GString *line, const MsEnvelope *envelope);
/* Recipients (of char *) as digests alone, with the key's number. */
void ms_audit_put_to(GString *line, const guint8 *key, const GPtrArray *to);
/* `key` may be NULL. */
GString *ms_audit_line_of_message(const MsAuditMessage *message, const guint8 *key);
/* Of the folder that the log is in: who makes one has it, or changes what is kept beside it.  The
 * caller's to close; -1: it cannot be had. */
int ms_audit_lock_parent(const char *folder, GError **error);
/* Keeps the key of this host's log beside its folder, unless one is kept. */
bool ms_audit_keep_key(const char *folder, const char *vkey);
/* The key of the log that is there now, instead; what is kept of the one that is `aside` now goes
 * with it. */
bool ms_audit_change_key(const char *folder, const char *aside);
/* Of the log that is there, or else of the one that was; the caller's.  NULL: it is not known. */
char *ms_audit_key_of(const char *folder);
/* A trail was here, for its key is kept, and there is no folder any more: in words, the caller's;
 * NULL: it is there, or none ever was. */
char *ms_audit_gone(const char *folder);
/* A checkpoint that `vkey` signed, beside the folder: if one is kept; keeps it where it is later
 * than that. */
bool ms_audit_kept(const char *folder, const char *vkey, MsCheckpoint *out);
bool ms_audit_keep(
	const char *folder, const char *vkey, const MsCheckpoint *checkpoint, GError **error);
/* Is this the log of which it was kept, with the same entries or more? */
bool ms_audit_is_as_kept(MsTlog *log, const char *folder, GError **error);
/* Of the plain files of older versions. */
bool ms_audit_each_plain(
	const char *path, gint64 from, gint64 to, MsAuditTake take, void *user, GError **error);
/* All lines, only to look for a text in them: they are not parsed, and have neither type nor
 * time. */
bool ms_audit_each_text(const char *path, MsAuditTake take, void *user, GError **error);
/* Removes the texts (audit.h) that no line names, and that nobody has kept since. */
bool ms_audit_prune_texts(const char *path, gint64 before, GError **error);

#endif
