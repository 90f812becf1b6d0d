/*
 * One decision, step by step: it comes in approved, or interrupted, and ends as done or failed,
 * in one thread of the host, which has DESK_MOVING or DESK_NOTING.  A step is written down before
 * it is done.  Taken up again after a crash, each finds out whether it was done:
 *   release   the message is no longer in the hold queue
 *   moving    nothing counts until the spool has it: it is copied anew
 *   moved     the spool has it; what is left in the hold queue is removed
 *   let go    somebody let it go before it was removed: the spool's copy does not count
 *   submit    the token of the mail was spent, or it is made void and a new one is tried
 *   told      the sender has the notice; what is left is to remove the message
 *   delete    the message is no longer there
 * A copy that was made at the end of the message (a split) has no file in the queue: what is there
 * under its queue ID went to those who may have it.  Only what a decision moved here may have one
 * left.
 * What the host lacked for a moment (descriptors, processes) leaves it open as a crash would; so
 * does, when the sender was told, whatever keeps the message on hold: nobody would look for it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"
#include "missent/spool.h"
#include "missent/token.h"

#include "desk_private.h"

typedef struct {
	Desk *desk;
	MsDecision *decision;
	MsRecord *record;
	GPtrArray *to; /* of char *: recipients that it is about, borrowed from the record */
	char *sent_as; /* the queue ID of the mail that it made; NULL: none */
	bool gone;     /* somebody else took it, or let it go */
	bool left;     /* it is on hold still, though it is done */
	bool no_return; /* what fails now is tried again, until it is done */
} Carry;

/* Behind it the spool's copy is what counts, and the queue's goes. */
#define MOVED "moved"

static bool resumed_at(const Carry *c, const char *step)
{
	return strcmp(c->decision->step, step) == 0;
}

static bool step(Carry *c, const char *name, int place, GError **error)
{
	if (!ms_decisions_step(c->desk->ledger, c->decision, name, NULL, place, error))
		return false;
	desk_point(name);
	return true;
}

/* ---- the MTA's queue ------------------------------------------------------------------ */

/* One that is used again soon fits the records of both; it is the later one's. */
static const MsQueued *queued_as(const Carry *c, GHashTable *queue, GError **error)
{
	const MsQueued *queued = ms_mta_queued(queue, c->record, error);
	gint64 from, to, later = 0;
	if (queued == NULL)
		return NULL;
	ms_mta_recorded(queued, &from, &to);
	bool known = ms_records_last(c->desk->ledger, queued->queue_id, c->record->arrived + 1, to,
		&later, error);
	return known && later == 0 ? queued : NULL;
}

/* Is it in the hold queue, this message and no other?  1, 0, or -1 and an error. */
static int on_hold(Carry *c, const char **where_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	GHashTable *queue = desk_queue(c->desk, &why);
	const MsQueued *queued = queue != NULL ? queued_as(c, queue, &why) : NULL;
	if (queued == NULL && why == NULL && *c->decision->step == '\0' &&
		desk_find_renamed(c->desk, c->record))
		queued = queued_as(c, c->desk->queue, &why);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return -1;
	}
	if (where_out != NULL)
		*where_out = queued != NULL ? queued->queue : "gone";
	return queued != NULL && strcmp(queued->queue, "hold") == 0;
}

static bool not_there(const Carry *c, const char *where, GError **error)
{
	return desk_fail(error,
		"%s: the held message is not in the hold queue (%s); nothing was done",
		c->record->queue_id, where);
}

static bool queue_verb(Carry *c, const char *verb, GError **error)
{
	if (!ms_mta_run(&c->desk->mta, verb, c->record->queue_id, c->record->digest, error))
		return false;
	/* The list of the queue is not asked for again because of this one. */
	if (c->desk->queue != NULL)
		g_hash_table_remove(c->desk->queue, c->record->queue_id);
	return true;
}

/* What somebody else let go meanwhile is in another queue, and was not deleted. */
static bool is_done(Carry *c, const char *verb)
{
	const char *where = "gone";
	int held = on_hold(c, &where, NULL);
	return held == 0 && (strcmp(verb, MS_MTA_DELETE) != 0 || strcmp(where, "gone") == 0);
}

/* One that was killed, or did not answer in time, may have done it all the same; one that says that
 * this is not the message has not. */
static bool queue_verb_done(Carry *c, const char *verb, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (queue_verb(c, verb, &why))
		return true;
	desk_forget_queue(c->desk);
	if (!g_error_matches(why, MS_ERROR, MS_ERROR_INPUT) && is_done(c, verb))
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

/* What would be returned as too old is given a new arrival time. */
static const char *release_verb(const Carry *c)
{
	const MsQueued *queued = g_hash_table_lookup(c->desk->queue, c->record->queue_id);
	bool old = desk_is_old(c->desk->settings, c->record);
	return old || (queued != NULL && queued->expires) ? MS_MTA_REQUEUE : MS_MTA_RELEASE;
}

static bool release_queued(Carry *c, GError **error)
{
	const char *where = "gone";
	int held = on_hold(c, &where, error);
	if (held < 0)
		return false;
	if (held == 0)
		return resumed_at(c, MS_MTA_RELEASE) || not_there(c, where, error);
	if (!step(c, MS_MTA_RELEASE, -1, error) || !queue_verb_done(c, release_verb(c), error))
		return false;
	desk_point("after release");
	return true;
}

/* Out of the hold queue, for good.  What is in another queue now was let go. */
static bool remove_queued(Carry *c, bool must_be_there, GError **error)
{
	const char *where = "gone";
	int held = on_hold(c, &where, error);
	if (held < 0)
		return false;
	if (held == 0)
		return (!must_be_there && strcmp(where, "gone") == 0) || not_there(c, where, error);
	return queue_verb_done(c, MS_MTA_DELETE, error);
}

/* It was in the queue when it was held; a later decision carries on where one of before failed. */
static bool was_moved(const MsRecord *record)
{
	for (guint i = 0; i < record->decisions->len; i++)
		if (strcmp(((MsDecision *)record->decisions->pdata[i])->step, MOVED) == 0)
			return true;
	return false;
}

/* A file of the spool goes when the record says so: see finish(). */
static bool remove_message(Carry *c, bool must_be_there, GError **error)
{
	bool queued = c->record->place == MS_PLACE_QUEUE;
	if (!queued && !was_moved(c->record))
		return true;
	return remove_queued(c, must_be_there && queued, error);
}

/* Somebody let it go before we came, or between our look and our hand.  What is carried on may be
 * gone by us. */
static bool was_let_go(Carry *c, bool resumed, const GError *why)
{
	const char *where = "gone";
	c->gone = g_error_matches(why, MS_ERROR, MS_ERROR_INPUT) &&
		on_hold(c, &where, NULL) == 0 && (!resumed || strcmp(where, "gone") != 0);
	return c->gone;
}

/* ---- the spool ------------------------------------------------------------------------ */

static bool copy_to_spool(Carry *c, GError **error)
{
	const char *where = "gone";
	int held = on_hold(c, &where, error);
	if (held < 0 || (held == 0 && !not_there(c, where, error)))
		return false;
	if (!step(c, DESK_MOVING_STEP, -1, error))
		return false;
	int fd = desk_show_queued(c->desk, c->record, error);
	if (fd < 0)
		return false;
	bool fine = ms_spool_write(
		c->desk->settings->spool_dir, c->record->uid, fd, true, error);
	close(fd);
	desk_point("copied");
	return fine;
}

/* Some of its recipients only: the MTA's queue cannot do that, the spool can. */
static bool move_to_spool(Carry *c, GError **error)
{
	bool moved = c->record->place != MS_PLACE_QUEUE;
	if (!moved && (!copy_to_spool(c, error) || !step(c, MOVED, MS_PLACE_SPOOL, error)))
		return false;
	c->record->place = MS_PLACE_SPOOL;
	g_autoptr(GError) why = NULL;
	if (moved ? remove_message(c, false, &why) : remove_queued(c, true, &why))
		return true;
	/* What went from the queue is not to be had from the spool once more. */
	if (was_let_go(c, moved, why) && step(c, DESK_LET_GO_STEP, MS_PLACE_QUEUE, NULL))
		ms_spool_remove(c->desk->settings->spool_dir, c->record->uid, NULL);
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

/* ---- submitting ----------------------------------------------------------------------- */

static bool keep_token(const char *hash, void *user, GError **error)
{
	Carry *c = user;
	if (!ms_decisions_step(c->desk->ledger, c->decision, "submit", hash, -1, error))
		return false;
	desk_point("submit");
	return true;
}

/* Did the MTA take the mail of an attempt that was interrupted?  If not, it never will. */
static bool was_taken(Carry *c, char **queue_id_out, GError **error)
{
	*queue_id_out = NULL;
	return *c->decision->token == '\0'
		|| ms_tokens_void(c->desk->ledger, c->decision->token, queue_id_out, error);
}

/* Its milter let it pass.  That the MTA lost it then, at the moment at which we were killed, is the
 * one thing that cannot be told: the name to look for stands in the record. */
static void take_outcome(Carry *c, char *queue_id, char **outcome_out)
{
	*outcome_out = g_strdup_printf("taken by the MTA as %s before an interruption", queue_id);
	c->sent_as = queue_id;
}

/* What is in its queue the MTA has taken, though it could not say so. */
static bool is_queued(Carry *c, const char *queue_id)
{
	desk_forget_queue(c->desk);
	GHashTable *queue = desk_queue(c->desk, NULL);
	return queue != NULL && g_hash_table_contains(queue, queue_id);
}

static bool settle(Carry *c, MsSubmitted result, const char *hash, const char *reply,
	char **outcome_out, GError **error)
{
	g_autofree char *queue_id = NULL;
	if (!ms_tokens_void(c->desk->ledger, hash, &queue_id, error))
		return false;
	if (result == MS_UNCLEAR && queue_id != NULL && is_queued(c, queue_id))
		result = MS_SUBMITTED;
	if (result == MS_SUBMITTED) {
		c->sent_as = g_strdup(queue_id);
		*outcome_out = queue_id != NULL
			? g_strdup_printf("taken by the MTA as %s", queue_id)
			: g_strdup(
				  "taken by an MTA that did not ask missent: desk { submit } must name one "
				  "whose milter it is, and no REDIRECT or DISCARD of its header_checks may be "
				  "for this mail; it left with the header " MS_TOKEN_HEADER);
		return true;
	}
	if (result == MS_UNCLEAR && queue_id != NULL)
		return desk_fail(error,
			"the MTA had it as %s, but the connection broke before it said so; look "
			"for %s in its log before you release it again",
			queue_id, queue_id);
	g_set_error(error, MS_ERROR, result == MS_LATER ? MS_ERROR_RETRY : MS_ERROR_INPUT,
		"the MTA did not take it: %s", reply);
	return false;
}

static bool submit(Carry *c, const char *sender, const GPtrArray *recipients, int fd,
	const char *digest, char **outcome_out, GError **error)
{
	g_autofree char *queue_id = NULL;
	if (!was_taken(c, &queue_id, error))
		return false;
	if (queue_id != NULL) {
		take_outcome(c, g_steal_pointer(&queue_id), outcome_out);
		return true;
	}
	g_autofree char *hash = NULL, *reply = NULL;
	MsSubmitted result = desk_submit(c->desk, sender, recipients, fd, digest, keep_token, c,
		&hash, &reply);
	desk_point("submitted");
	if (hash == NULL)
		return desk_fail(error, "%s", reply);
	return settle(c, result, hash, reply, outcome_out, error);
}

static bool submit_spooled(Carry *c, char **outcome_out, GError **error)
{
	int fd = ms_spool_open(c->desk->settings->spool_dir, c->record->uid, error);
	if (fd < 0)
		return false;
	bool fine = desk_is_message(fd, c->record->digest)
		? submit(c, c->record->sender, c->to, fd, c->record->digest, outcome_out, error)
		: desk_fail(error, "%s: the copy in the spool is damaged; it is not sent",
			  c->record->uid);
	close(fd);
	return fine;
}

/* ---- verbs ---------------------------------------------------------------------------- */

/* All for whom the MTA has it. */
static bool is_all(const Carry *c)
{
	g_autoptr(GPtrArray) held = desk_held_for(c->record, "");
	return c->to->len == held->len;
}

bool desk_is_old(const MsSettings *s, const MsRecord *record)
{
	return (ms_clock_now() - record->arrived) / 1000 > s->desk.requeue_ms;
}

/* Sendmail would return an old one at its first failed attempt.  One that was let go before it was
 * old, and before an interruption, went. */
static bool goes_anew(Carry *c)
{
	return c->desk->settings->sendmail && desk_is_old(c->desk->settings, c->record) &&
		(!resumed_at(c, MS_MTA_RELEASE) || on_hold(c, NULL, NULL) > 0);
}

static bool do_release(Carry *c, char **outcome_out, GError **error)
{
	bool queued = c->record->place == MS_PLACE_QUEUE && is_all(c) &&
		!resumed_at(c, DESK_MOVING_STEP) && !goes_anew(c);
	if (queued)
		return release_queued(c, error);
	return move_to_spool(c, error) && submit_spooled(c, outcome_out, error);
}

/* The sender is told before it is removed: of a queue ID that is another message's by now, neither
 * that nor what to take out by hand.  Of a damaged record nobody knows which message it was. */
static bool is_the_message(const Carry *c, GError **error)
{
	if (c->record->place != MS_PLACE_QUEUE || *c->record->damaged != '\0')
		return true;
	int fd = desk_show_queued(c->desk, c->record, error);
	ms_io_close(fd);
	return fd >= 0;
}

/* Why the queue's copy could not be removed, of which the sender has been told: true where that is
 * the end of it all the same. */
static bool is_returned(Carry *c, bool resumed, const GError *why, GError **error)
{
	if (was_let_go(c, resumed, why))
		return desk_fail(error,
			"%s: the sender was told, but somebody let the message go meanwhile",
			c->record->queue_id);
	if (!g_error_matches(why, MS_ERROR, MS_ERROR_INPUT)) {
		g_propagate_error(error, g_error_copy(why));
		return false;
	}
	c->left = on_hold(c, NULL, NULL) != 0; /* not if an attempt of before has removed it */
	return true;
}

static bool tell_sender(Carry *c, char **outcome_out, GError **error)
{
	const char *where = "gone";
	int held = c->record->place == MS_PLACE_QUEUE ? on_hold(c, &where, error) : 1;
	if (held <= 0)
		return held == 0 && not_there(c, where, error);
	if (!is_the_message(c, error))
		return false;
	g_autoptr(DeskMail) mail = desk_return_notice(
		c->desk, c->record, c->decision->who, c->decision->why);
	if (!submit(c, mail->sender, mail->recipients, mail->fd, mail->digest, outcome_out, error))
		return false;
	c->no_return = true;
	return step(c, "told", -1, error);
}

/* Under which queue ID he was, before an interruption: the token of the notice has it. */
static bool was_told(Carry *c, char **outcome_out, GError **error)
{
	g_autofree char *queue_id = NULL;
	c->no_return = true;
	if (!was_taken(c, &queue_id, error))
		return false;
	if (queue_id != NULL)
		take_outcome(c, g_steal_pointer(&queue_id), outcome_out);
	return true;
}

static bool do_return(Carry *c, char **outcome_out, GError **error)
{
	bool resumed = resumed_at(c, "told");
	if (!(resumed ? was_told : tell_sender)(c, outcome_out, error))
		return false;
	/* The sender has been told: whatever becomes of the queue's copy, this is what was
	 * decided; but not that it is returned, where it went. */
	c->no_return = true;
	g_autoptr(GError) why = NULL;
	if (!remove_message(c, !resumed, &why) && !is_returned(c, resumed, why, error))
		return false;
	if (c->left) {
		g_free(*outcome_out);
		*outcome_out = g_strdup_printf(
			"the sender was told, but the message could not be taken out of "
			"the hold queue: take out %s by hand (%s)",
			c->record->queue_id, why->message);
	}
	desk_point("after return");
	return true;
}

static bool do_delete(Carry *c, char **outcome_out, GError **error)
{
	bool resumed = resumed_at(c, MS_MTA_DELETE);
	const char *where = "";
	(void)outcome_out;
	int held = c->record->place == MS_PLACE_QUEUE ? on_hold(c, &where, error) : 1;
	if (held == 0 && strcmp(where, "gone") == 0 && !resumed) {
		/* It may have been delivered: what was not deleted is not said to be. */
		c->gone = true;
		return not_there(c, where, error);
	}
	if (held < 0 || !step(c, MS_MTA_DELETE, -1, error) || !remove_message(c, !resumed, error))
		return false;
	desk_point("after delete");
	return true;
}

static bool do_note(Carry *c, char **outcome_out, GError **error)
{
	(void)c;
	(void)outcome_out;
	(void)error;
	return true; /* it is its own record */
}

static bool do_assign(Carry *c, char **outcome_out, GError **error)
{
	const char *to = c->decision->assignee;
	*outcome_out = g_strdup_printf("to %s", *to != '\0' ? to : "nobody");
	return ms_records_assign(c->desk->ledger, c->record->id, to, error);
}

/* As by `missent directory put`: what belongs to whom is on record before it is done. */
static bool put(Carry *c, const char *account, const char *kind, const char *value, GError **error)
{
	MsRuntime *runtime = desk_runtime(c->desk, error);
	MsDirectory *directory = runtime != NULL ? ms_runtime_directory(runtime) : NULL;
	bool changed;
	if (directory == NULL)
		return false;
	g_autofree char *about = NULL;
	g_autofree char *entry = ms_directory_told(directory, account, kind, value, &about);
	return desk_audit(c->desk, c->decision->who, MS_EVENT_ENTRY_PUT, about, entry, error) &&
		ms_directory_put(directory, account, kind, value, &changed, error) == MS_FOUND;
}

static bool do_rejudge(Carry *c, char **outcome_out, GError **error)
{
	g_autoptr(MsRecord) after = NULL;
	g_autofree char *how = NULL;
	if (!desk_rejudge(c->desk, c->record, c->decision->who, &how, error))
		return false;
	after = ms_records_find(c->desk->ledger, c->record->uid, error);
	if (after == NULL)
		return false;
	g_autoptr(GPtrArray) right = ms_record_rightful(after);
	g_autoptr(GPtrArray) held = desk_held_for(after, "");
	*outcome_out = g_strdup_printf("%u of %u recipient%s may have it%s%s", right->len,
		held->len, held->len == 1 ? "" : "s", *how != '\0' ? ", judged " : "", how);
	return true;
}

/* What was said of the mapping may change what is held for it; the correction stands in any
 * case. */
static void judge_again(Carry *c, const char *ref, char **addresses)
{
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (int i = 0; addresses != NULL && addresses[i] != NULL; i++)
		g_ptr_array_add(to, addresses[i]);
	g_autoptr(GError) why = NULL;
	g_autofree char *how = NULL;
	bool open = (ms_verbs[MS_VERB_REJUDGE].from & (1u << c->record->state)) != 0;
	if (open && !desk_rejudge(c->desk, c->record, c->decision->who, &how, &why))
		ms_records_act(c->desk->ledger, c->record->id, c->decision->who, "rejudge (failed)",
			why->message, NULL);
	desk_judge_concerned(c->desk, c->decision, ref, to);
}

/* The record has no value, so the message is read again. */
static bool do_belongs(Carry *c, char **outcome_out, GError **error)
{
	const char *account = c->decision->account;
	g_autoptr(MsIdentifier)
		identifier = desk_identifier(c->desk, c->record, c->decision->identifier, error);
	if (identifier == NULL)
		return false;
	g_autofree char *masked = ms_identifier_masked(identifier->value);
	*outcome_out = g_strdup_printf("%s %s to account %s", identifier->kind, masked, account);
	if (!put(c, account, identifier->kind, ms_identifier_raw(identifier), error))
		return false;
	judge_again(c, c->decision->identifier, NULL);
	return true;
}

static bool do_may_receive(Carry *c, char **outcome_out, GError **error)
{
	g_auto(GStrv) addresses = g_strsplit(c->decision->recipients, "\n", -1);
	*outcome_out = g_strdup_printf("for account %s", c->decision->account);
	for (int i = 0; addresses[i] != NULL; i++)
		if (!put(c, c->decision->account, MS_ROW_RECIPIENT, addresses[i], error))
			return false;
	judge_again(c, "", addresses);
	return true;
}

/* A row for each verb that is about messages (verb.h). */
static bool (*const does[MS_N_VERBS])(Carry *c, char **outcome_out, GError **error) = {
	[MS_VERB_RELEASE] = do_release,
	[MS_VERB_RETURN] = do_return,
	[MS_VERB_DELETE] = do_delete,
	[MS_VERB_NOTE] = do_note,
	[MS_VERB_ASSIGN] = do_assign,
	[MS_VERB_BELONGS] = do_belongs,
	[MS_VERB_MAY_RECEIVE] = do_may_receive,
	[MS_VERB_REJUDGE] = do_rejudge,
};

/* ---- the end -------------------------------------------------------------------------- */

GPtrArray *desk_held_for(const MsRecord *record, const char *recipients)
{
	GPtrArray *list = g_ptr_array_new();
	g_auto(GStrv) wanted = g_strsplit(recipients, "\n", -1);
	g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);
	for (int i = 0; wanted[i] != NULL; i++)
		g_hash_table_add(set, wanted[i]);
	for (guint i = 0; i < record->recipients->len; i++) {
		MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state == MS_STATE_HELD &&
			(wanted[0] == NULL || g_hash_table_contains(set, to->address)))
			g_ptr_array_add(list, to->address);
	}
	return list;
}

/* With those whom it was for: a record may be changed, the trail proves itself.  Before the ledger
 * has it: of an interruption between comes a second line, not none; the decision's name tells. */
static bool tell(const Carry *c, bool fine)
{
	const char *how = !fine ? "failed" : c->left ? MS_AUDIT_LEFT : MS_AUDIT_DONE;
	const MsAuditDone done = {c->decision->who, desk_event_of(c->decision->verb),
		c->decision->id, c->record->uid, how, c->to, c->sent_as};
	bool told = ms_audit_done(c->desk->audit, &done, NULL);
	desk_point("on trail");
	return told;
}

/* False: it stays begun, and is taken up again. */
static bool finish(Carry *c, bool fine, const char *outcome, int state)
{
	g_autoptr(GError) error = NULL;
	/* It happened, so the record tells what the trail could not be told. */
	bool told = tell(c, fine);
	g_autofree char *all = g_strconcat(
		outcome, told ? "" : " (the audit line of this could not be written)", NULL);
	if (!ms_decisions_finish(c->desk->ledger, c->decision, fine, all, state >= 0 ? c->to : NULL,
		    state >= 0 ? (MsState)state : MS_STATE_HELD, &error))
		return false;
	desk_point("finished");
	bool expires = c->decision->verb != MS_VERB_RELEASE &&
		strcmp(c->decision->who, DESK_CLOCK) == 0;
	if (!fine && expires) /* not with every tick */
		ms_records_warned(c->desk->ledger, c->record->id, ms_clock_now(), NULL);
	g_autoptr(MsRecord) after = ms_records_find(c->desk->ledger, c->record->uid, NULL);
	if (after != NULL && ms_state_is_decided(after->state) && after->place == MS_PLACE_SPOOL)
		ms_spool_remove(c->desk->settings->spool_dir, after->uid, NULL);
	return true;
}

/* Whoever lost his right since the decision was taken would get what is another's.  What is begun
 * is ended: it may have gone already. */
static bool is_still_right(const Carry *c, GError **error)
{
	g_autoptr(GPtrArray) right = ms_record_rightful(c->record);
	g_autoptr(GHashTable) may = desk_set(right);
	bool asks = c->decision->rightful && *c->decision->step == '\0';
	for (guint i = 0; asks && i < c->to->len; i++)
		if (!g_hash_table_contains(may, c->to->pdata[i]))
			return desk_fail(error, "%s: %s has no right to it any more; decide again",
				c->record->queue_id, (char *)c->to->pdata[i]);
	return true;
}

/* The record may have changed, or been damaged, since the decision was taken. */
static bool may_be_done(const Carry *c, GError **error)
{
	const MsVerbRow *verb = &ms_verbs[c->decision->verb];
	bool damaged = *c->record->damaged != '\0';
	if (c->decision->damaged || does[c->decision->verb] == NULL)
		return desk_fail(
			error, "%s: this decision is damaged; decide again", c->decision->id);
	if (damaged && !verb->of_damaged)
		return desk_fail(error, "%s: its record is damaged (%s): return it or delete it",
			c->record->queue_id, c->record->damaged);
	if (verb->to >= 0 && c->to->len == 0 && !(damaged && c->record->state == MS_STATE_HELD))
		return desk_fail(error, "%s: is not held any more for whom it is about",
			c->record->queue_id);
	return is_still_right(c, error);
}

/* Of the MTA's programs, a submission, the database, and what others of this process take
 * meanwhile. */
#define DESCRIPTORS 32

/* What is begun may have changed it itself. */
static MsRecord *as_it_is(Desk *desk, const MsDecision *decision)
{
	MsRecord *record = ms_records_find(desk->ledger, decision->uid, NULL);
	if (record == NULL || ms_verbs[decision->verb].to < 0 || *decision->step != '\0' ||
		!desk_tell_gone_parts(desk, record))
		return record;
	ms_record_free(record);
	return ms_records_find(desk->ledger, decision->uid, NULL);
}

/* Of what cannot be taken back, all but what another try will not change. */
static bool is_to_be_tried(const Carry *c, const GError *error)
{
	return g_error_matches(error, MS_ERROR, MS_ERROR_BUSY) ||
		(error != NULL && c->no_return &&
			!g_error_matches(error, MS_ERROR, MS_ERROR_INPUT) &&
			!g_error_matches(error, MS_ERROR, MS_ERROR_ABSENT));
}

bool desk_carry_out(Desk *desk, MsDecision *decision)
{
	if (!ms_io_has_descriptors(DESCRIPTORS))
		return false;
	g_autoptr(MsRecord) record = as_it_is(desk, decision);
	if (record == NULL)
		return false;
	g_autoptr(GPtrArray) to = desk_held_for(record, decision->recipients);
	Carry c = {.desk = desk, .decision = decision, .record = record, .to = to};
	g_autoptr(GError) error = NULL;
	g_autofree char *outcome = NULL;
	bool fine = may_be_done(&c, &error) && does[decision->verb](&c, &outcome, &error);
	const char *text = !fine ? error->message : outcome != NULL ? outcome : "";
	bool finished = !is_to_be_tried(&c, error) &&
		finish(&c, fine, text, ms_verbs[decision->verb].to);
	if (finished && c.gone)
		desk_tell_gone(desk, record, NULL);
	if (finished && desk_waits_on(decision, error))
		desk_wait_again(desk, record);
	g_free(c.sent_as);
	return finished;
}
