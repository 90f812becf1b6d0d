/*
 * A sealed message and its envelope come in; read, resolved, counted and judged it is written
 * down, and out goes the verdict.  The thread of the session; a reload swaps what it judges by
 * between messages.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/canary.h"
#include "missent/numbers.h"
#include "missent/spool.h"
#include "missent/token.h"

#include "gate.h"
#include "known.h"
#include "passwords.h"
#include "runtime.h"

/* ---- which mail ----------------------------------------------------------------------- */

static bool in_networks(const char *const *networks, const char *address)
{
	for (; *networks != NULL; networks++)
		if (ms_network_contains(*networks, address))
			return true;
	return false;
}

static bool is_local(const MsEnvelope *envelope)
{
	const char *address = envelope->client_address;
	return address == NULL || ms_network_contains("127.0.0.0/8", address)
		|| ms_network_contains("::1", address);
}

/* In any way that the MTA may take it. */
static bool has_domain(const char *const *domains, const char *sender)
{
	g_autoptr(GPtrArray) readings = ms_address_readings(sender);
	for (; *domains != NULL; domains++) {
		g_autofree char *query = g_strconcat("@", *domains, NULL);
		g_autofree char *domain = ms_address_canonical(query, strlen(query));
		for (guint i = 0; domain != NULL && i < readings->len; i++)
			if (g_strcmp0(strrchr(readings->pdata[i], '@'), domain) == 0)
				return true;
	}
	return false;
}

static bool is_outgoing(const MsSettings *s, const MsEnvelope *envelope)
{
	return (s->out_authenticated && envelope->auth_user != NULL)
		|| (s->out_local && is_local(envelope))
		|| (envelope->client_address != NULL
			&& in_networks(s->out_networks, envelope->client_address))
		|| has_domain(s->out_domains, envelope->sender);
}

static const char *const private_networks[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
	"100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10", NULL};

/* Why it is not outgoing: a client with a private address is most likely one of ours. */
static MsConcern not_outgoing(const MsEnvelope *envelope)
{
	if (envelope->auth_user != NULL)
		return MS_NOT_OUTGOING_AUTHENTICATED;
	if (is_local(envelope))
		return MS_NOT_OUTGOING_LOCAL;
	return in_networks(private_networks, envelope->client_address) ? MS_NOT_OUTGOING_PRIVATE
								       : MS_NOT_OUTGOING_PUBLIC;
}

MsConcern ms_engine_concern(const MsRuntime *runtime, const MsEnvelope *envelope)
{
	if (!is_outgoing(runtime->settings, envelope))
		return not_outgoing(envelope);
	if (ms_policies_count(runtime->policies) == 0)
		return MS_NO_POLICIES;
	return ms_policy_may_apply(runtime->policies, envelope) ? MS_CONCERNED : MS_NO_POLICY;
}

bool ms_engine_concerned(const MsRuntime *runtime, const MsEnvelope *envelope)
{
	return ms_engine_concern(runtime, envelope) == MS_CONCERNED;
}

/* ---- one message ---------------------------------------------------------------------- */

/* For who looks from outside whether it goes on. */
static void come_to(const MsEnvelope *envelope, MsStage stage)
{
	if (envelope != NULL && envelope->stage != NULL)
		g_atomic_int_set(envelope->stage, (gint)stage);
}

void ms_judgement_free(MsJudgement *judgement)
{
	if (judgement == NULL)
		return;
	ms_reading_free(judgement->reading);
	ms_resolution_free(judgement->resolution);
	ms_verdict_free(judgement->verdict);
	g_free(judgement->trouble);
	ms_guard_counts_free(judgement->counts);
	g_free(judgement->uncounted);
	g_free(judgement->counted_id);
	g_clear_pointer(&judgement->stopped, g_ptr_array_unref);
	ms_record_free(judgement->record);
	g_free(judgement);
}

static void resolve(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement)
{
	g_autoptr(GPtrArray) identifiers = ms_reading_identifiers(judgement->reading->findings);
	g_autoptr(GError) error = NULL;
	if (ms_directory_resolve_greeted(runtime->directory,
		    (const MsIdentifier *const *)identifiers->pdata, identifiers->len,
		    (const char *const *)envelope->recipients->pdata, envelope->recipients->len,
		    ms_policy_greeted(envelope, judgement->reading), &judgement->resolution,
		    &error) != MS_FOUND)
		judgement->trouble = g_strdup(error->message);
}

static bool read_message(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	const MsPasswords *passwords, MsReading **reading_out, guint64 *known_out, GError **error)
{
	/* Mail of one sender, from one place, waits for its like. */
	g_autofree char *who = envelope == NULL ? NULL
		: g_strdup_printf("%s %s %s", envelope->sender,
			envelope->client_address != NULL ? envelope->client_address : "",
			envelope->auth_user != NULL ? envelope->auth_user : "");
	const MsSettings *s = runtime->settings;
	MsLimits limits;
	ms_policies_reading(runtime->policies, envelope, &s->limits, s->ocr_pages, &limits);
	const MsErrand errand = {who, envelope != NULL ? envelope->shape : MS_SHAPE_OTHER, &limits,
		ms_passwords_list(passwords), envelope != NULL ? envelope->patience : NULL};
	return ms_reader_read(runtime->reader, message_fd, &errand, reading_out, known_out, error);
}

bool ms_engine_read(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	MsJudgement **judgement_out, GError **error)
{
	g_autoptr(MsJudgement) judgement = g_new0(MsJudgement, 1);
	gint64 start = g_get_monotonic_time();
	come_to(envelope, MS_STAGE_READ);
	if (!read_message(runtime, envelope, message_fd, NULL, &judgement->reading,
		    &judgement->known, error))
		return false;
	judgement->read_us = g_get_monotonic_time() - start;
	*judgement_out = g_steal_pointer(&judgement);
	return true;
}

static bool is_locked(const MsReading *reading)
{
	for (guint i = 0; i < reading->unread->len; i++)
		if (((MsUnread *)reading->unread->pdata[i])->reason == MS_UNREAD_PASSWORD)
			return true;
	return false;
}

/* It stays unread; why nobody could open it is said with it. */
static void note_failed(MsReading *reading, const char *why)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		MsUnread *u = reading->unread->pdata[i];
		if (u->reason != MS_UNREAD_PASSWORD)
			continue;
		char *detail = g_strdup_printf("%s; password-command: %s", u->detail, why);
		g_free(u->detail);
		u->detail = detail;
	}
}

/* A message with a locked document is read once more, with what the operator's command knows of its
 * recipients.  NULL: there was nothing to try. */
static MsPasswords *unlock(
	MsRuntime *runtime, const MsEnvelope *envelope, int message_fd, MsJudgement *judgement)
{
	const MsSettings *s = runtime->settings;
	gint64 now = g_get_monotonic_time(),
	       end = ms_patience_end(envelope->patience, now + s->password_ms * 1000);
	const MsPasswordCommand command = {
		s->password_command, s->user, MAX((end - now) / 1000, 0)};
	if (s->password_command[0] == NULL || !is_locked(judgement->reading))
		return NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPasswords) passwords = ms_passwords_ask(&command, envelope->recipients, &error);
	MsReading *again = NULL;
	if (passwords != NULL && ms_passwords_list(passwords)[0] == NULL)
		return NULL;
	if (passwords == NULL || !read_message(runtime, envelope, message_fd, passwords, &again,
					 &judgement->known, &error)) {
		note_failed(judgement->reading, error->message);
		return NULL;
	}
	ms_reading_free(judgement->reading);
	judgement->reading = again;
	return g_steal_pointer(&passwords);
}

/* Reads again, and asks again, with all that the directory knew when it answered.  What it learns
 * while this goes on came after the message. */
static bool catch_up(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	const MsPasswords *passwords, MsJudgement *judgement, GError **error)
{
	for (int i = 0; i < 3; i++) {
		MsReading *again = NULL;
		if (!ms_knowledge_update(runtime->knowledge, envelope->patience, error) ||
			!read_message(runtime, envelope, message_fd, passwords, &again,
				&judgement->known, error))
			return false;
		ms_reading_free(judgement->reading);
		judgement->reading = again;
		if (judgement->known == 0)
			continue; /* the reader was started anew in between */
		g_clear_pointer(&judgement->resolution, ms_resolution_free);
		resolve(runtime, envelope, judgement);
		return true;
	}
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader keeps dying");
	return false;
}

static void resolve_all(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	const MsPasswords *passwords, MsJudgement *judgement)
{
	g_autoptr(GError) error = NULL;
	resolve(runtime, envelope, judgement);
	if (judgement->resolution == NULL ||
		ms_knowledge_covers(runtime->knowledge, judgement->known, judgement->resolution,
			envelope->patience) ||
		catch_up(runtime, envelope, message_fd, passwords, judgement, &error))
		return;
	/* Read without what is known, it must not be taken for having nothing of it. */
	g_clear_pointer(&judgement->resolution, ms_resolution_free);
	judgement->trouble = g_strdup_printf("known identifiers: %s", error->message);
}

/* To be told, in the log and the trail. */
static void note_stopped(MsJudgement *judgement, const MsGuardStream *streams, guint n)
{
	for (guint i = 0; i < n; i++) {
		if ((judgement->counts->tripped & 1U << i) == 0)
			continue;
		if (judgement->stopped == NULL)
			judgement->stopped = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(judgement->stopped, g_strdup(streams[i].policy));
	}
}

/* What was put off after it was counted comes again under another queue ID: it is the same one. */
static void take_name(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement)
{
	MsCounted counted;
	bool known = ms_again_take(runtime->again, envelope, judgement->reading, &counted);
	judgement->counted_id = known ? counted.queue_id : g_strdup(envelope->queue_id);
	judgement->counted_arrived = known ? counted.arrived : envelope->arrived;
}

static void put_off(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement)
{
	const MsCounted counted = {judgement->counted_id, judgement->counted_arrived};
	if (judgement->counts != NULL)
		ms_again_put(runtime->again, envelope, judgement->reading, &counted);
}

/* What the sender must try again is counted when it comes again; a canary never is. */
static void count(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement)
{
	MsVerdict *verdict = judgement->verdict;
	MsGuardStream streams[MS_GUARD_STREAMS];
	if (runtime->guard == NULL || verdict->policies->len == 0 ||
		verdict->action == MS_TEMPFAIL || envelope->canary ||
		!ms_patience_lasts(envelope->patience, NULL))
		return;
	g_autoptr(GError) error = NULL;
	guint n = ms_policy_streams(runtime->policies, verdict, streams);
	take_name(runtime, envelope, judgement);
	MsEnvelope as = *envelope;
	as.queue_id = judgement->counted_id;
	as.arrived = judgement->counted_arrived;
	const MsGuardMessage message = {&as, judgement->reading, judgement->resolution,
		verdict->outcomes, streams, n, verdict->action >= MS_HOLD,
		g_get_real_time() / G_USEC_PER_SEC,
		verdict->action == MS_SPLIT ? verdict->withheld : NULL};
	if (ms_guard_count(runtime->guard, &message, &judgement->counts, &error) == MS_FOUND)
		note_stopped(judgement, streams, n);
	else
		judgement->uncounted = g_strdup(error->message);
	ms_policy_judge_counts(runtime->policies, envelope, judgement->reading,
		judgement->resolution, judgement->counts, judgement->uncounted, verdict);
}

void ms_engine_decide(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	MsJudgement *judgement)
{
	gint64 start = g_get_monotonic_time();
	come_to(envelope, MS_STAGE_RESOLVE);
	g_autoptr(MsPasswords) passwords = unlock(runtime, envelope, message_fd, judgement);
	resolve_all(runtime, envelope, message_fd, passwords, judgement);
	if (judgement->resolution != NULL)
		ms_policy_drop_addressed(envelope, judgement->reading, judgement->resolution);
	if (judgement->stored < envelope->size)
		ms_reading_unread(judgement->reading, "message", MS_UNREAD_LIMIT,
			"larger than max-message allows; the first %" G_GUINT64_FORMAT
			" bytes were read",
			judgement->stored);
	gint64 resolved = g_get_monotonic_time();
	come_to(envelope, MS_STAGE_JUDGE);
	judgement->verdict = ms_policy_judge(runtime->policies, envelope, judgement->reading,
		judgement->resolution, judgement->trouble);
	gint64 judged = g_get_monotonic_time();
	count(runtime, envelope, judgement);
	/* Whom it is for was not worked out: nobody may take it for an answer. */
	if (judgement->resolution != NULL && ms_resolution_over(judgement->resolution) != NULL) {
		judgement->trouble = g_strdup(ms_resolution_over(judgement->resolution));
		g_clear_pointer(&judgement->resolution, ms_resolution_free);
	}
	if (judgement->stored < envelope->size) /* half a copy is none */
		ms_verdict_unsplit(judgement->verdict);
	judgement->resolve_us = resolved - start;
	judgement->judge_us = judged - resolved;
	judgement->count_us = g_get_monotonic_time() - judged;
}

/* That it stopped a stream is so, whatever becomes of the message; and after its own line nothing
 * may fail that does not take the line back. */
static bool tell_stopped(MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, GError **error)
{
	g_autofree char *sender = ms_identifier_masked(envelope->sender);
	for (guint i = 0; judgement->stopped != NULL && i < judgement->stopped->len; i++) {
		g_autofree char *detail = g_strdup_printf("policy %s, sender %s, queue %s",
			(const char *)judgement->stopped->pdata[i], sender,
			envelope->queue_id != NULL ? envelope->queue_id : "-");
		if (!ms_audit_event(
			    runtime->audit, "missentd", "", MS_EVENT_STREAM_STOPPED, "", detail, error))
			return false;
	}
	return true;
}

/* More than these have a processor to themselves: mail that costs little does not wait for them,
 * and their memory is not needed for all at once. */
#define DEAR 2000

static bool decide_in_turn(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	MsJudgement *judgement, GError **error)
{
	bool dear = envelope->recipients->len + judgement->reading->findings->len > DEAR;
	if (dear && !ms_gate_enter(runtime->judging, envelope->patience, error))
		return false;
	ms_engine_decide(runtime, envelope, message_fd, judgement);
	if (dear)
		ms_gate_leave(runtime->judging);
	/* A step that it had no time for is no fact about the message. */
	if (ms_patience_lasts(envelope->patience, error))
		return true;
	tell_stopped(runtime, envelope, judgement, NULL);
	put_off(runtime, envelope, judgement);
	return false;
}

static bool judge(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd, guint64 stored,
	MsJudgement **judgement_out, GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	if (!ms_engine_read(runtime, envelope, message_fd, &judgement, error))
		return false;
	judgement->stored = stored;
	if (!decide_in_turn(runtime, envelope, message_fd, judgement, error))
		return false;
	*judgement_out = g_steal_pointer(&judgement);
	return true;
}

bool ms_engine_judge(MsRuntime *runtime, const MsEnvelope *envelope, int message_fd,
	guint64 stored, MsJudgement **judgement_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (judge(runtime, envelope, message_fd, stored, judgement_out, &why))
		return true;
	if (why->code == MS_ERROR_BUSY)
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "overloaded: %s; %d refused so far",
			why->message, g_atomic_int_add(&runtime->refused, 1) + 1);
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

bool ms_engine_lets_unchecked(
	const MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement)
{
	if (runtime->settings->mode != MS_MODE_OBSERVE)
		return false;
	return judgement != NULL ? judgement->verdict->action <= MS_TAG
				 : !ms_policy_may_be_enforced(runtime->policies, envelope);
}

/* The ledger is asked only of mail to the one recipient that canaries have. */
bool ms_engine_is_canary(const MsRuntime *runtime, const MsEnvelope *envelope, const char *digest)
{
	const char *recipient = runtime->settings->canary.recipient;
	if (recipient == NULL || envelope->recipients->len != 1 || runtime->ledger == NULL
		|| g_ascii_strcasecmp(recipient, envelope->recipients->pdata[0]) != 0)
		return false;
	return ms_canaries_is(runtime->ledger, digest, envelope->sender,
		       envelope->recipients->pdata[0], NULL) == MS_FOUND;
}

/* It has no record: what became of it is noted with it. */
static bool note_canary(MsRuntime *runtime, const MsEnvelope *envelope, const MsVerdict *verdict,
	const char *digest, GError **error)
{
	MsAnswer answer = ms_canaries_judged(runtime->ledger, digest, envelope->sender,
		envelope->recipients->pdata[0], envelope->queue_id,
		ms_verdict_is_observed(verdict) ? MS_CANARY_OBSERVED
						: ms_action_names[verdict->action],
		error);
	if (answer == MS_ABSENT)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "it was judged a moment ago");
	return answer == MS_FOUND;
}

MsAnswer ms_engine_spend_token(MsRuntime *runtime, const MsEnvelope *envelope, const char *token,
	const char *digest, GError **error)
{
	return ms_tokens_spend(runtime->ledger, token, digest, envelope->sender,
		envelope->recipients, envelope->queue_id, error);
}

/* A record that stays, because the disk is full or another attempt of the sender was answered with
 * it, keeps its copy. */
static void take_back(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement)
{
	const MsPatience *own = ms_patience_work(NULL); /* it may be over, and this is to be done */
	put_off(runtime, envelope, judgement);
	if (envelope->canary)
		ms_canaries_take_back(runtime->ledger, envelope->sender,
			envelope->recipients->pdata[0], envelope->queue_id, NULL);
	bool gone = judgement->added &&
		ms_records_take_back(runtime->ledger, judgement->record, NULL);
	if (gone && judgement->copied)
		ms_spool_remove(runtime->settings->spool_dir, judgement->record->uid, NULL);
	judgement->added = judgement->copied = false;
	ms_patience_work(own);
}

bool ms_engine_take_back(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement,
	const char *why, GError **error)
{
	g_autofree char *detail =
		g_strdup_printf("%s; %s", ms_action_names[judgement->verdict->action], why);
	take_back(runtime, envelope, judgement);
	return ms_audit_undone(runtime->audit, envelope, detail, error);
}

/* The sender tries again, for it did not hear our first answer, of which the record is there; it
 * may be on its way still, and fail, and then leaves record and copy (ms_records_twin()). */
static bool keep_again(const char *dir, const char *uid, int message_fd, GError **error)
{
	g_autoptr(GError) why = NULL;
	int copy = ms_spool_open(dir, uid, &why);
	if (copy >= 0)
		close(copy);
	else if (g_error_matches(why, MS_ERROR, MS_ERROR_INPUT))
		return ms_spool_write(dir, uid, message_fd, false, error);
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return copy >= 0;
}

/* The copy is on disk before the record that speaks of it. */
static bool keep_copy(
	MsRuntime *runtime, MsRecord *record, int message_fd, bool *added_out, GError **error)
{
	const char *dir = runtime->settings->spool_dir;
	record->uid = ms_records_twin(runtime->ledger, record);
	if (record->uid != NULL)
		return keep_again(dir, record->uid, message_fd, error);
	record->uid = ms_record_name();
	if (!ms_spool_write(dir, record->uid, message_fd, false, error))
		return false;
	if (ms_records_add(runtime->ledger, record, error)) {
		*added_out = true;
		return true;
	}
	ms_spool_remove(dir, record->uid, NULL);
	return false;
}

static guint owners_of(const void *who, guint index, guint most, GPtrArray *names_out)
{
	return ms_resolution_owners(who, index, most, names_out);
}

static guint accounts_of(const void *who, guint index, guint most, GPtrArray *names_out)
{
	return ms_resolution_accounts_of(who, index, most, names_out);
}

static bool is_other(const void *who, guint index, guint recipient)
{
	return ms_resolution_relation(who, index, recipient) == MS_OTHER;
}

/* `record` may be NULL. */
static bool write_line(MsRuntime *runtime, const MsEnvelope *envelope, const MsJudgement *judgement,
	const char *digest, const MsRecord *record, GError **error)
{
	MsAuditMessage message = {
		.envelope = envelope, .reading = judgement->reading, .verdict = judgement->verdict,
		.body = digest, .trouble = judgement->trouble,
		.read_us = judgement->read_us, .resolve_us = judgement->resolve_us,
		.judge_us = judgement->judge_us + judgement->count_us,
		.policies = runtime->policies_version, .kinds = runtime->kinds_version,
		.record = record != NULL ? record->uid : NULL,
	};
	if (judgement->resolution != NULL) {
		message.who = judgement->resolution;
		message.owners = owners_of;
		message.accounts = accounts_of;
		message.other = is_other;
		message.generation = ms_resolution_generation(
			judgement->resolution, &message.changes);
	}
	return runtime_keep_texts(runtime, error) &&
		ms_audit_write(runtime->audit, &message, error);
}

/* The record, and what it speaks of. */
static bool add_record(MsRuntime *runtime, MsJudgement *judgement, int message_fd, GError **error)
{
	if (judgement->verdict->action != MS_SPLIT)
		return judgement->added = ms_records_add(runtime->ledger, judgement->record, error);
	bool fine = keep_copy(runtime, judgement->record, message_fd, &judgement->added, error);
	judgement->copied = judgement->added;
	return fine;
}

/* The disk may have taken longer than the MTA waits: then what stands there was not done.  Where
 * mail goes in any case, it is. */
static bool still_answers(
	MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement, GError **error)
{
	g_autoptr(GError) why = NULL;
	bool goes = judgement->verdict->paused ||
		ms_engine_lets_unchecked(runtime, envelope, judgement);
	if (ms_patience_lasts(envelope->patience, &why) ||
		(goes && !ms_patience_lost(envelope->patience)))
		return true;
	g_autoptr(GError) untold = NULL;
	if (!ms_engine_take_back(runtime, envelope, judgement, why->message, &untold))
		g_prefix_error(&why, "that it was not done is not in the audit trail (%s): ",
			untold->message);
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

bool ms_engine_write_down(MsRuntime *runtime, const MsEnvelope *envelope, MsJudgement *judgement,
	int message_fd, const char *digest, GError **error)
{
	const MsVerdict *verdict = judgement->verdict;
	come_to(envelope, MS_STAGE_WRITE);
	bool held = verdict->action == MS_HOLD || verdict->action == MS_DELAY ||
		verdict->action == MS_SPLIT;
	ms_record_free(judgement->record);
	judgement->record = held || ms_verdict_is_observed(verdict)
		? ms_engine_record(runtime, envelope, judgement, digest)
		: NULL;
	if (!tell_stopped(runtime, envelope, judgement, error) ||
		!ms_patience_lasts(envelope->patience, error)) {
		put_off(runtime, envelope, judgement);
		return false;
	}
	MsRecord *record = envelope->canary ? NULL : judgement->record;
	bool fine = envelope->canary
		? note_canary(runtime, envelope, verdict, digest, error)
		: record == NULL || add_record(runtime, judgement, message_fd, error);
	if (fine && write_line(runtime, envelope, judgement, digest, record, error))
		return still_answers(runtime, envelope, judgement, error);
	/* The message is refused for now: nobody shall look for it among those that are held. */
	take_back(runtime, envelope, judgement);
	return false;
}
