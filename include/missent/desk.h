/*
 * desk.h - decisions on held mail, and what a reviewer asks to see.
 *
 * WHAT    Takes decisions (release, return, delete, note, assign, belongs, may-receive,
 *         rejudge), has a second person agree where the rule asks for it, and carries them out on
 *         the host that holds the message; reads a held message again for its evidence, or to judge
 *         it anew; expires old ones; writes notices.
 * OWNS    MsDesk; ms_desk_free().
 * ERRORS  GError.  A decision that could not be carried out is kept as failed, with what
 *         happened; the message stays held.
 * THREADS Safe: a desk is opened once in a process, and any number of threads may ask it anything
 *         at the same time.  What is written down, what needs no queue and what moves mail is
 *         done one at a time each on a host, whatever the process.  Settings are read again when
 *         their file has changed; state-dir, spool, records and audit stay those that it was
 *         opened with.
 * LIMITS  MS_ASK_MOST messages in one decision.
 * NOT     Does not ask who may decide: its callers know (a shell's user, the page's accounts).
 *
 * How a decision survives a crash: it is written down as approved; then, before each thing that
 * leaves a mark outside (the MTA's queue, an SMTP transaction), the step is written down.  Taken
 * up again, a step first looks whether its mark is there.  What cannot be looked at, whether the
 * MTA took a mail, is told by the token in that mail, which the daemon spends once.
 */
#ifndef MISSENT_DESK_H
#define MISSENT_DESK_H

#include <glib.h>
#include <stdbool.h>

#include "missent/ask.h"
#include "missent/decision.h"
#include "missent/engine.h"
#include "missent/mta.h"
#include "missent/settings.h"

typedef struct MsDesk MsDesk;

MsDesk *ms_desk_open(const char *config, GError **error);
void ms_desk_free(MsDesk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDesk, ms_desk_free)
MsLedger *ms_desk_ledger(MsDesk *desk);
/* As it was opened: for what a program sets up once, such as its socket. */
const MsSettings *ms_desk_settings(const MsDesk *desk);
/* Is what a filter names there?  A policy, host, account or assignee that no record has and that is
 * none here is refused. */
bool ms_desk_check_filter(MsDesk *desk, const MsRecordFilter *filter, GError **error);
/* Queue ID to MsQueued, as it was at most two seconds ago; the caller's reference, not to be
 * changed. */
GHashTable *ms_desk_queue(MsDesk *desk, GError **error);

/* ---- who carries out ------------------------------------------------------------------ */

/* From now on decisions that move mail are left to ms_desk_work(), in another thread of this
 * process; who asks for one waits for its outcome, at most `wait_ms`. */
void ms_desk_leave_work(MsDesk *desk, gint64 wait_ms);
/* Waits until there is something for ms_desk_work() that was asked of this desk, until
 * ms_desk_wake(), or for `wait_ms`: another process may have left something too. */
void ms_desk_await(MsDesk *desk, gint64 wait_ms);
void ms_desk_wake(MsDesk *desk);

/* ---- deciding ------------------------------------------------------------------------- */

#define MS_DESK_NO_RIGHT "nobody for whom it is held has a right to all that is in it"

/* All of them are written down as one, or nothing is.  Those that need nobody else are carried
 * out at once.  What became of each, of MsDecision: `approved` or `acting` is one that is left to
 * ms_desk_work(). */
GPtrArray *ms_desk_decide(MsDesk *desk, const MsAsk *ask, GError **error);
/* A second person agrees to what waits under that decision's or group's ID, or withdraws it. */
GPtrArray *ms_desk_agree(
	MsDesk *desk, const char *id, const char *who, bool agrees, GError **error);
/* Carries out what is approved or was interrupted, until `most` (0: all) have come to an end; how
 * many did.  0: nothing is open, or what is cannot be brought to an end now. */
guint ms_desk_work(MsDesk *desk, guint most);
/* What the MTA has on hold and no record is of: somebody else held it, or its record was lost; of
 * MsQueued. */
GPtrArray *ms_desk_unrecorded(MsDesk *desk, GError **error);
/* Makes the record of one of those, judged as it would be now: then it is held as others are.  Its
 * uid, the caller's. */
char *ms_desk_adopt(MsDesk *desk, const char *queue_id, const char *who, GError **error);
/* What the clock asks for: finds out whether what is held is still there, announces and carries
 * out expiry, sends notices and digests, sweeps the spool. */
void ms_desk_tick(MsDesk *desk);

/* Once a state: a listener that no longer holds what must be held, or holds it again. */
typedef void (*MsDeskTell)(bool well, const char *listener, const char *text, void *user);
/* Sends canaries when it is time (settings: canary), looks at what became of those before, and
 * deletes those that are held. */
void ms_desk_canary(MsDesk *desk, MsDeskTell tell, void *user);
/* Sends one through each listener now, waits for what becomes of it (at most the canary's
 * timeout, and `patience_ms`), and tells of each whether it was recognised.  A held one is
 * deleted; one that missent would hold, were it not to observe, is taken away by missentd and
 * goes nowhere.  Nobody is alarmed.  False: none could be sent. */
bool ms_desk_probe(MsDesk *desk, gint64 patience_ms, MsDeskTell tell, void *user, GError **error);

/* That somebody reads of held mail: on the trail before it is shown, or it is not shown. */
bool ms_desk_reads(MsDesk *desk, const char *who, MsEvent event, const char *about,
	const char *detail, GError **error);
/* The held message read again: findings in clear with their surroundings, header fields, the
 * text of each part, and what the verdict would be now.  JSON, malloc()ed.  The look is recorded
 * first. */
char *ms_desk_evidence(MsDesk *desk, const char *uid, const char *who, GError **error);
/* The story of its verdict (explain.h), as JSON, malloc()ed: judged again where the message can
 * be read, as its record has it where not.  `recipient`: of him alone, or NULL.  The look is
 * recorded first. */
char *ms_desk_explain(
	MsDesk *desk, const char *uid, const char *recipient, const char *who, GError **error);
/* The bytes of a part (attached files), or a picture of the first page of a PDF. */
GBytes *ms_desk_part(MsDesk *desk, const char *uid, const char *path, bool picture, const char *who,
	GError **error);
/* The message itself, in a sealed memory file; -1 on error.  The look is recorded first. */
int ms_desk_message(MsDesk *desk, const char *uid, const char *who, GError **error);

/* What somebody looks for, in the keyed digests that records keep: returned those of its words
 * (as in a subject), in `refs` those of the identifiers that it may be, of each kind.  Both of
 * char *. */
GPtrArray *ms_desk_marks(MsDesk *desk, const char *text, GPtrArray *refs, GError **error);

/* All of the above as JSON, for who asks over a socket: {"do": "decide", ...}.  The reply (the
 * caller's) is {"ok": true, ...} or {"ok": false, "error": "..."}: keys that are none, values of
 * another type, empty words and more than MS_DESK_REQUEST_MAX bytes are refused with the reason. */
#define MS_DESK_REQUEST_MAX (4u << 20)
char *ms_desk_request(MsDesk *desk, const char *json, gsize len);

/* Tests: called with the name of each point at which a crash would matter. */
extern void (*ms_desk_crash_point)(const char *name);

#endif
