/*
 * audit.h - one line for every message that was judged, and for everything that somebody did.
 *
 * WHAT    Appends lines of JSON to the audit trail, a log that proves itself (tlog.h), and reads
 *         them in their order.  They are on disk when a function says true.  missent-audit(5)
 *         explains each field.
 * OWNS    MsAudit; ms_audit_free().
 * ERRORS  GError when a line could not be written whole, with the system's reason.
 * THREADS Safe: lines do not mix.  ms_audit_key() belongs to the start.
 * LIMITS  A line has at most 50 reasons, MS_AUDIT_MAX recipients, identifiers and documents, and
 *         MS_AUDIT_NAMES accounts of each; fields that end in `_more` count the rest.
 * NOT     Identifiers, accounts and addresses are masked; keyed digests stand beside them.
 */
#ifndef MISSENT_AUDIT_H
#define MISSENT_AUDIT_H

#include <glib.h>
#include <stdbool.h>

#include "missent/event.h"
#include "missent/envelope.h"
#include "missent/reading.h"
#include "missent/tlog.h"
#include "missent/verdict.h"

typedef struct MsAudit MsAudit;

MsAudit *ms_audit_new(const char *path);
void ms_audit_free(MsAudit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAudit, ms_audit_free)

/* ---- digests -------------------------------------------------------------------------- */

#define MS_AUDIT_KEY_BYTES 32
/* Of what the key is a subkey (digest.h). */
#define MS_AUDIT_PURPOSE "audit trail"
/* With it lines have digests; without, only masked forms. */
void ms_audit_key(MsAudit *audit, const guint8 key[MS_AUDIT_KEY_BYTES]);
/* By which the trail knows `value` again: "address" (canonical, as kind.h makes it), "domain"
 * (lower case), "account", "body", "text", MS_AUDIT_NAME, or a kind's name.  24 hexadecimal
 * digits. */
#define MS_AUDIT_NAME "word of a name" /* as ms_name_words() has them */
char *ms_audit_id(const guint8 key[MS_AUDIT_KEY_BYTES], const char *domain, const char *value);
/* Of an address as it was written. */
char *ms_audit_id_of_address(const guint8 key[MS_AUDIT_KEY_BYTES], const char *address);
/* Names the key in each line that has digests: 8 hexadecimal digits that do not tell it. */
char *ms_audit_key_number(const guint8 key[MS_AUDIT_KEY_BYTES]);

/* ---- writing -------------------------------------------------------------------------- */

#define MS_AUDIT_MAX 1000
#define MS_AUDIT_NAMES 5

/* Names of accounts, `most` at most, in `names_out` (borrowed); how many there are. */
typedef guint (*MsAuditNames)(const void *who, guint index, guint most, GPtrArray *names_out);

typedef struct {
	const MsEnvelope *envelope;
	const MsReading *reading; /* NULL: it could not be judged */
	const MsVerdict *verdict;
	const char *body;    /* of it (bodydigest.h); NULL: not known */
	const char *trouble; /* why nobody's accounts are known; NULL: they are */
	gint64 read_us, resolve_us, judge_us;
	/* By what it was judged: digests of policies and kinds, the mapping and how far it had
	 * grown.  NULL: not known. */
	const char *policies, *kinds, *generation;
	gint64 changes;
	/* Whose finding `index` is, and which accounts recipient `index` may receive for; NULL:
	 * not known. */
	MsAuditNames owners, accounts;
	/* Is finding `index` another's to recipient `recipient`? */
	bool (*other)(const void *who, guint index, guint recipient);
	const void *who;
	const char *record; /* uid of its record (ledger.h); NULL: it has none */
} MsAuditMessage;
bool ms_audit_write(MsAudit *audit, const MsAuditMessage *message, GError **error);
/* Something that a person did, or tried: a log-in, a look, a decision.  `about` is a record's uid
 * or "".  Nothing of a message's content. */
bool ms_audit_event(MsAudit *audit, const char *who, const char *client, MsEvent event,
	const char *about, const char *detail, GError **error);
/* The same of a decision on held mail that came to its end: by digest also for whom it was,
 * MS_AUDIT_MAX at most, and the queue ID under which the MTA took its mail anew.  It is written
 * before the ledger has the end, so a decision that was interrupted there has it once more. */
#define MS_AUDIT_DONE "done"
#define MS_AUDIT_LEFT "done, but the MTA has it on hold still"
typedef struct {
	const char *who;
	MsEvent event;
	const char *decision, *about;
	const char *detail; /* one of these, or how it ended instead */
	const GPtrArray *to; /* of char *: addresses as they were written */
	const char *sent_as; /* NULL: no mail was made */
} MsAuditDone;
bool ms_audit_done(MsAudit *audit, const MsAuditDone *done, GError **error);
/* That what the line of this message tells of was not done.  `detail`: the action, and why. */
bool ms_audit_undone(
	MsAudit *audit, const MsEnvelope *envelope, const char *detail, GError **error);

/* All types of lines there are; missent-audit(5) has the fields of each. */
#define MS_AUDIT_MESSAGE "message" /* judged */
#define MS_AUDIT_CANARY "canary"   /* the same of a canary (canary.h) */
#define MS_AUDIT_ACT "act"
#define MS_AUDIT_BEGIN "begin"
#define MS_AUDIT_START "start" /* the daemon is at work: ... */
#define MS_AUDIT_BEAT "beat"   /* ... every minute */
#define MS_AUDIT_STOP "stop"
#define MS_AUDIT_RELOAD "reload"
#define MS_AUDIT_IMPORT "import"
#define MS_AUDIT_PRUNE "prune"
#define MS_AUDIT_WITNESS "witness"
#define MS_AUDIT_RESUMED "witness-resumed"
#define MS_AUDIT_REFUSED "witness-refused"
#define MS_AUDIT_RECOVERED "recovered"
#define MS_AUDIT_PART "part"
extern const char *const ms_audit_types[]; /* ends with NULL */
/* Something that happened to the installation: a start, stop, reload, import, pause, a state of
 * the guard.  `program` is who says it. */
bool ms_audit_note(
	MsAudit *audit, const char *type, const char *program, const char *detail, GError **error);
/* That the program lives, with how many lines of each verdict it wrote since it was started; and
 * what is in the trail is published. */
bool ms_audit_beat(MsAudit *audit, const char *program, GError **error);
/* Tiles and checkpoint for others (tlog.h); the checkpoint is the caller's (or NULL). */
bool ms_audit_publish(MsAudit *audit, char **checkpoint_out, GError **error);

/* Removes, as the log's format allows, bundles of lines that are all older than `before`, at most
 * once an hour; a line tells it first.  Then the texts below go that no line names any more, in
 * this log and in those that were put aside, and that nobody has kept since `before`; where a log
 * cannot be read, none. */
bool ms_audit_prune(MsAudit *audit, gint64 before, GError **error);
/* A new log, after damage: the one that is there is kept beside it (`*aside_out`, the caller's;
 * NULL: it is gone), and the new one begins with the last checkpoint of it that its key signed,
 * who began it, and why. */
bool ms_audit_begin(
	const char *path, const char *who, const char *why, char **aside_out, GError **error);

/* ---- what it was judged by ------------------------------------------------------------ */

/* Lines name policies and kinds by a digest (versions.policies, versions.kinds); their texts are
 * kept beside the trail at `trail`, in the folder with ".texts" behind its log's name. */
typedef enum { MS_AUDIT_POLICIES, MS_AUDIT_KINDS } MsAuditText;
extern const char *const ms_audit_text_names[]; /* "policies", "kinds"; ends with NULL */
/* The first half of a SHA-256 in hexadecimal, and its NUL. */
#define MS_AUDIT_TEXT_ID 33
void ms_audit_text_id(const char *text, char id_out[MS_AUDIT_TEXT_ID]);
/* On disk when true.  For a day it stays, named or not: who writes lines with it for longer keeps
 * it again. */
bool ms_audit_keep_text(const char *trail, MsAuditText what, const char *text, GError **error);
/* The caller's.  NULL without an error: it is not kept.  One that was changed is an error. */
char *ms_audit_text(const char *trail, MsAuditText what, const char *id, GError **error);
typedef struct {
	MsAuditText what;
	char id[MS_AUDIT_TEXT_ID];
	gint64 time; /* since when it is kept */
} MsAuditKept;
/* All that are kept, of MsAuditKept, oldest first; the caller's. */
GPtrArray *ms_audit_texts(const char *trail);

/* ---- reading -------------------------------------------------------------------------- */

/* The log's folder: its name is that of the file without ".jsonl", or with ".log". */
char *ms_audit_folder(const char *path);

/* The time of an entry by a look at how it begins; -1: it does not begin so. */
gint64 ms_audit_time_of(const char *text, gsize len);

struct json_t;
typedef struct {
	/* of its (first) entry: from 0, in the order in which they were written */
	guint64 number;
	gint64 time;      /* microseconds since 1970; of a damaged line that of the one before */
	const char *type; /* "message", "act" and so on; "" of a damaged line */
	const char *text;
	gsize len;
	/* NULL: damaged.  Of a message that was undone the verdict is "tempfail", as for its
	 * sender, and there is a field "undone", the detail of that act.  Of a decision's end that
	 * was told before, in a line that was read, there is a field "again": it counts once. */
	const struct json_t *json;
} MsAuditLine;
/* False: stop; with `*error` set reading fails. */
typedef bool (*MsAuditTake)(const MsAuditLine *line, void *user, GError **error);
/* Each line of the trail at `path` of which the time is in [from, to); a damaged one as well,
 * with the time of the one before.  Where there is no log yet, those of the plain files that
 * become one.  False and `*error` where the trail cannot be read; no trail is no line. */
bool ms_audit_each(
	const char *path, gint64 from, gint64 to, MsAuditTake take, void *user, GError **error);
/* The time of its first line: of what was before nothing is known.  0: there is no line, or it
 * cannot be read. */
gint64 ms_audit_first(const char *path);
/* What is known of the lines themselves, by their log. */
typedef struct {
	/* Lines of plain files, of before there was a log: nothing proves them. */
	bool plain;
	guint64 wrong; /* places where the log is not as it should be */
	char *where;   /* the first of them: its entry, and what */
	gint64 first;  /* the time of the first line, whatever was asked for; 0: there is none */
	guint64 size;  /* of the latest checkpoint, and its root in hexadecimal; 0: there is none */
	char *root;
	char *vkey; /* the log's verifier key; NULL: plain files */
} MsAuditProof;
void ms_audit_proof_clear(MsAuditProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsAuditProof, ms_audit_proof_clear)
/* The same, and all of the log is verified on the way: what is damaged, missing or was changed is
 * no error, but told.  A line that is not the one that was written is a damaged one. */
bool ms_audit_each_proven(const char *path, gint64 from, gint64 to, MsAuditTake take, void *user,
	MsAuditProof *proof_out, GError **error);
/* As ms_tlog_verify(), and what a log cannot tell of itself: whether lines say of all entries that
 * are gone that they were removed after their time, and ms_audit_not_as_kept(). */
bool ms_audit_verify(const char *folder, MsWrong wrong, MsTakeEntry take, void *user,
	MsTlogVerified *out, GError **error);
/* The folder has another log than the one of which the key, or a checkpoint, is kept beside it; or
 * that as it was before: in words, the caller's; NULL: it is that one, or nothing was kept. */
char *ms_audit_not_as_kept(const char *folder);
/* The first of these, by the keys alone, and whether the folder is gone: no log is opened. */
char *ms_audit_not_ours(const char *folder);
/* Somebody else remembers this checkpoint of the trail at `path`.  False: that does not have it
 * (MS_ERROR_INPUT), and within a minute nothing is written into it any more; or it cannot be
 * looked at.  What
 * its key did not sign is nothing to it. */
bool ms_audit_remind(const char *path, const char *note, GError **error);
/* Is there a trail, for who was told of one?  False: why not. */
bool ms_audit_is_there(const char *path, GError **error);

#endif
