/*
 * Records and the MTA's queue, set against each other: what has a record but is not on hold, and
 * what is on hold but has no record.  A record comes to that where the MTA, or a filter after us,
 * refuses a message that was answered with a hold, or where somebody takes it by hand; held mail
 * where records were restored from a backup that is older than it.  Postfix gives queue files other
 * names where long queue IDs are switched, so that a missing record and an unrecorded mail may be
 * one.  Sendmail may have one message as several, of which somebody lets some go.  Nothing of the
 * mail is touched here.  In the thread that carries out, under `ticking`, but
 * for ms_desk_unrecorded() and ms_desk_adopt(), which any thread may call.
 *
 * The queue is asked before the ledger: a record is written before its mail can be on hold, so what
 * is on hold then without a record has none.  Nor does one that is over count, for no list has it
 * any more: the sender was told and the queue's copy stayed, the ID is used again by what somebody
 * else holds, what was released is on hold once more.  It must have been over before the queue was
 * asked.  The other way round nothing follows from one look: a mail whose record is fresh is not
 * yet visible, and a release moves it a moment before it is written down.  What is missing at each
 * look for `lost-after` is gone.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/clock.h"

#include "desk_private.h"

/* One look at both. */
typedef struct {
	Desk *desk;
	GHashTable *queue;
	GPtrArray *records;    /* of MsRecord: held or gone, of this host's queue */
	GPtrArray *unrecorded; /* of MsQueued, borrowed: on hold, of no record */
	GHashTable *digests;   /* queue ID to the digest of its body; borrowed */
	GHashTable *by_digest; /* to a GPtrArray of MsQueued */
	GHashTable *taken;     /* queue IDs of those that turned out to be a record's */
	gint64 changes;        /* of records, before the queue was asked; -1: not known */
	guint read;
} Look;

/* In one look: each takes a process of its own. */
#define MOST_READ 1000

static void look_clear(Look *look)
{
	g_clear_pointer(&look->records, g_ptr_array_unref);
	g_clear_pointer(&look->unrecorded, g_ptr_array_unref);
	g_clear_pointer(&look->by_digest, g_hash_table_unref);
	g_clear_pointer(&look->taken, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static bool is_on_hold(const MsQueued *queued)
{
	return queued != NULL && strcmp(queued->queue, "hold") == 0;
}

/* By what a message is known: Sendmail may have it as several, each with an ID of its own, for some
 * of its recipients, and all with one body.  Its record has one of these IDs, and no order of them
 * says which: they are counted round. */
static char *name_of(const MsQueued *queued)
{
	return *queued->body != '\0' ? queued->body : queued->queue_id;
}

/* Those on hold of which there is a record. */
static GHashTable *known_of(const Look *look)
{
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; look->records != NULL && i < look->records->len; i++) {
		const MsRecord *record = look->records->pdata[i];
		const MsQueued *queued = g_hash_table_lookup(look->queue, record->queue_id);
		if (is_on_hold(queued) && ms_mta_is_same(record, queued))
			g_hash_table_add(known, name_of(queued));
	}
	return known;
}

static int compare_ids(const void *a, const void *b)
{
	const MsQueued *one = *(MsQueued *const *)a, *other = *(MsQueued *const *)b;
	return strcmp(one->queue_id, other->queue_id);
}

/* Parts become one: under the first of their IDs, for all of their recipients. */
static void keep_unknown(Look *look, GPtrArray *parts, GHashTable *known)
{
	g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
	g_ptr_array_sort(parts, compare_ids);
	for (guint i = 0; i < parts->len; i++) {
		MsQueued *queued = parts->pdata[i];
		MsQueued *whole = g_hash_table_lookup(first, name_of(queued));
		if (g_hash_table_contains(known, name_of(queued)))
			continue;
		if (whole == NULL) {
			g_hash_table_insert(first, name_of(queued), queued);
			g_ptr_array_add(look->unrecorded, queued);
			continue;
		}
		g_ptr_array_extend_and_steal(
			whole->recipients, g_steal_pointer(&queued->recipients));
		queued->recipients = g_ptr_array_new();
	}
}

/* On hold, and of no record that is not over; `only`: of those that may be that one's. */
static bool find_unrecorded(Look *look, const MsRecord *only, GError **error)
{
	g_autoptr(GHashTable) known = known_of(look);
	g_autoptr(GPtrArray) unknown = g_ptr_array_new();
	GHashTableIter each;
	gpointer value;
	g_hash_table_iter_init(&each, look->queue);
	while (g_hash_table_iter_next(&each, NULL, &value)) {
		const MsQueued *queued = value;
		gint64 from, to;
		bool claims = false;
		if (*queued->queue_id == '\0' || !is_on_hold(queued) ||
			g_hash_table_contains(known, name_of(queued)) ||
			(only != NULL && !ms_mta_is_same(only, queued)))
			continue;
		ms_mta_recorded(queued, &from, &to);
		if (!ms_records_claims(look->desk->ledger, queued->queue_id, from, to,
			    look->changes, &claims, error))
			return false;
		if (claims)
			g_hash_table_add(known, name_of(queued));
		else
			g_ptr_array_add(unknown, value);
	}
	keep_unknown(look, unknown, known);
	return true;
}

/* `only`: at the queue as it was listed for this call. */
static bool look_at_both(Desk *desk, const MsRecord *only, Look *look, GError **error)
{
	if (only == NULL)
		desk_forget_queue(desk);
	look->desk = desk;
	look->changes = -1;
	if (only == NULL && !ms_records_changes(desk->ledger, &look->changes, error))
		return false;
	look->queue = desk_queue(desk, error);
	look->unrecorded = g_ptr_array_new();
	look->taken = g_hash_table_new(g_str_hash, g_str_equal);
	if (look->queue != NULL && only == NULL)
		look->records = ms_records_queued(desk->ledger, error);
	return look->queue != NULL && (only != NULL || look->records != NULL) &&
		find_unrecorded(look, only, error);
}

/* ---- under another name ----------------------------------------------------------------- */

static char *digest_of(int fd)
{
	char buffer[65536], got[MS_BODY_DIGEST];
	MsBodyDigest sum;
	off_t at = 0;
	ms_body_digest_init(&sum);
	for (ssize_t n; (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n)
		ms_body_digest_message(&sum, buffer, (size_t)n);
	ms_body_digest_end(&sum, got);
	return g_strdup(got);
}

/* Of those that may be one with a missing record; each is read once. */
static void read_digest(Look *look, const MsQueued *queued)
{
	if (g_hash_table_lookup(look->digests, queued->queue_id) != NULL)
		return;
	int fd = look->read++ < MOST_READ ? ms_mta_show(&look->desk->mta, queued->queue_id, NULL)
					  : -1;
	if (fd < 0)
		return; /* at the next look */
	g_hash_table_insert(look->digests, g_strdup(queued->queue_id), digest_of(fd));
	close(fd);
}

static void add_lower(GHashTable *set, const char *address)
{
	g_hash_table_add(set, g_ascii_strdown(address, -1));
}

static bool all_in(GHashTable *some, GHashTable *all)
{
	GHashTableIter each;
	gpointer address;
	g_hash_table_iter_init(&each, some);
	while (g_hash_table_iter_next(&each, &address, NULL))
		if (!g_hash_table_contains(all, address))
			return false;
	return true;
}

/* One body may be that of many mails, so those whom it is for are the same too; some of them, where
 * somebody let go the part of Sendmail's that has the record's ID. */
static bool is_for(const Look *look, const MsRecord *record, const MsQueued *queued)
{
	g_autoptr(GHashTable) ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) theirs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < record->recipients->len; i++)
		add_lower(ours, ((MsHeldRecipient *)record->recipients->pdata[i])->address);
	for (guint i = 0; i < queued->recipients->len; i++)
		add_lower(theirs, queued->recipients->pdata[i]);
	return all_in(theirs, ours) && (look->desk->mta.sendmail || all_in(ours, theirs));
}

static void index_one(Look *look, MsQueued *queued)
{
	read_digest(look, queued);
	const char *digest = g_hash_table_lookup(look->digests, queued->queue_id);
	if (digest == NULL)
		return;
	GPtrArray *same = g_hash_table_lookup(look->by_digest, digest);
	if (same == NULL) {
		same = g_ptr_array_new();
		g_hash_table_insert(look->by_digest, g_strdup(digest), same);
	}
	g_ptr_array_add(same, queued);
}

/* Each is read whole: what had waited before it was transferred is not looked for. */
#define MOST_TRANSFER_US (7200 * (gint64)G_USEC_PER_SEC)

/* Of what may have arrived with the first of the missing, or the last, or between. */
static void index_unrecorded(Look *look, gint64 first, gint64 last)
{
	look->by_digest = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < look->unrecorded->len; i++) {
		gint64 from, to;
		ms_mta_recorded(look->unrecorded->pdata[i], &from, &to);
		if (MIN(to, from + MOST_TRANSFER_US) >= first && from <= last)
			index_one(look, look->unrecorded->pdata[i]);
	}
}

/* By what its sender wrote into its header: without a Message-ID nobody can tell two apart. */
static bool has_header_of(const Look *look, const MsRecord *record, const MsQueued *queued)
{
	MsRuntime *runtime = *record->message != '\0' ? desk_runtime(look->desk, NULL) : NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	int fd = runtime != NULL ? ms_mta_show(&look->desk->mta, queued->queue_id, NULL) : -1;
	if (fd < 0)
		return false;
	bool fine = ms_engine_read(runtime, NULL, fd, &judgement, NULL);
	g_autofree char *message = fine ? ms_engine_message(runtime, judgement->reading)
					: g_strdup("");
	close(fd);
	return strcmp(message, record->message) == 0;
}

/* The unrecorded mail that is this record's.  NULL: there is none. */
static MsQueued *under_another_name(Look *look, const MsRecord *missing)
{
	g_autoptr(MsRecord) record = g_hash_table_size(look->by_digest) > 0
		? ms_records_find(look->desk->ledger, missing->uid, NULL)
		: NULL;
	const GPtrArray *same = record != NULL
		? g_hash_table_lookup(look->by_digest, record->digest)
		: NULL;
	for (guint i = 0; same != NULL && i < same->len; i++) {
		MsQueued *queued = same->pdata[i];
		if (ms_mta_is_same(missing, queued) && is_for(look, record, queued) &&
			!g_hash_table_contains(look->taken, queued->queue_id) &&
			has_header_of(look, record, queued))
			return queued;
	}
	return NULL;
}

/* ---- what was seen ----------------------------------------------------------------------- */

static bool tell_found(Look *look, const MsRecord *record, const MsQueued *queued)
{
	Desk *desk = look->desk;
	bool done = false;
	g_autofree char *why = strcmp(record->queue_id, queued->queue_id) == 0
		? g_strdup("the MTA has it on hold again")
		: g_strdup_printf("the MTA has it on hold as %s, before as %s", queued->queue_id,
			  record->queue_id);
	if (!ms_records_found(desk->ledger, record, queued->queue_id, why, &done, NULL) || !done)
		return false;
	if (strcmp(record->queue_id, queued->queue_id) != 0)
		g_hash_table_add(look->taken, queued->queue_id);
	/* the record says it too */
	desk_audit(desk, "missent", MS_EVENT_FOUND, record->uid, why, NULL);
	return true;
}

void desk_tell_gone(Desk *desk, const MsRecord *record, const MsQueued *queued)
{
	bool done = false;
	g_autofree char *why = queued != NULL
		? g_strdup_printf(
			  "the MTA has it in its queue \"%s\" and not on hold: somebody let it "
			  "go, and no decision did",
			  queued->queue)
		: g_strdup(
			  "the MTA's queue does not have it, and no decision took it: the MTA, or a filter "
			  "after missent, refused it after all, or somebody took it by hand; its log tells");
	if (ms_records_gone(desk->ledger, record, why, &done, NULL) && done)
		desk_audit(desk, "missent", MS_EVENT_GONE, record->uid, why, NULL);
}

/* Since when it is missing, on the steady clock.  Whether it is there may not be known now
 * (`unclear`): then what was known stays. */
static void note_missing(Look *look, const MsRecord *record, const MsQueued *queued, bool unclear,
	GHashTable *before)
{
	MsDesk *of = look->desk->of;
	gint64 steady = ms_clock_steady();
	const gint64 *since = g_hash_table_lookup(before, record->uid);
	gint64 first = since != NULL ? *since : steady;
	if (since != NULL && !unclear &&
		steady - first >= look->desk->settings->desk.lost_ms * 1000)
		desk_tell_gone(look->desk, record, queued);
	else if (since != NULL || !unclear)
		g_hash_table_insert(
			of->missing, g_strdup(record->uid), g_memdup2(&first, sizeof first));
}

static void settle_one(Look *look, const MsRecord *record, GHashTable *before)
{
	g_autoptr(GError) unclear = NULL;
	const MsQueued *queued = ms_mta_queued(look->queue, record, &unclear);
	bool gone = record->state == MS_STATE_GONE;
	const MsQueued *as = is_on_hold(queued) ? queued : under_another_name(look, record);
	if (as != NULL && (gone || as != queued))
		tell_found(look, record, as);
	else if (as == NULL && !gone)
		note_missing(look, record, queued, unclear != NULL, before);
}

static bool is_here(const Desk *desk, const MsRecord *record)
{
	return !desk->settings->host_given || strcmp(desk->settings->host, record->host) == 0;
}

/* What was read of those that are still there; NULL: nothing. */
static void keep_unrecorded(Look *look, GHashTable *before)
{
	for (guint i = 0; i < look->unrecorded->len; i++) {
		const char *id = ((MsQueued *)look->unrecorded->pdata[i])->queue_id;
		g_hash_table_insert(
			look->digests, g_strdup(id), g_strdup(g_hash_table_lookup(before, id)));
	}
}

/* Is there one that the look before did not have? */
static bool any_fresh(const Look *look, GHashTable *before)
{
	for (guint i = 0; i < look->unrecorded->len; i++) {
		const char *id = ((MsQueued *)look->unrecorded->pdata[i])->queue_id;
		if (!g_hash_table_contains(before, id) && !g_hash_table_contains(look->taken, id))
			return true;
	}
	return false;
}

/* Once each: others hold mail too, and that is their business. */
static void tell_unrecorded(const Look *look, GHashTable *before)
{
	g_autofree char *detail = g_strdup_printf("%u held without a record (missent held adopt)",
		look->unrecorded->len - g_hash_table_size(look->taken));
	if (any_fresh(look, before))
		desk_audit(look->desk, "missent", MS_EVENT_UNRECORDED, "", detail, NULL);
}

static void settle_all(Look *look)
{
	MsDesk *of = look->desk->of;
	g_autoptr(GHashTable) before = g_steal_pointer(&of->missing);
	gint64 first = G_MAXINT64, last = 0;
	for (guint i = 0; i < look->records->len; i++) {
		const MsRecord *record = look->records->pdata[i];
		if (is_on_hold(ms_mta_queued(look->queue, record, NULL)))
			continue;
		first = MIN(first, record->arrived);
		last = MAX(last, record->arrived);
	}
	index_unrecorded(look, first, last);
	of->missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < look->records->len; i++)
		if (is_here(look->desk, look->records->pdata[i]))
			settle_one(look, look->records->pdata[i], before);
}

void desk_look_for_held(Desk *desk)
{
	MsDesk *of = desk->of;
	gint64 lost = desk->settings->desk.lost_ms * 1000, now = ms_clock_steady();
	g_auto(Look) look = {0};
	if (lost == 0 || (of->looked != 0 && now - of->looked < lost / 4) ||
		!look_at_both(desk, NULL, &look, NULL)) /* nothing follows from that */
		return;
	of->looked = now;
	g_autoptr(GHashTable) before = of->unrecorded;
	of->unrecorded = desk_new_digests();
	look.digests = of->unrecorded;
	keep_unrecorded(&look, before);
	settle_all(&look);
	tell_unrecorded(&look, before);
}

GHashTable *desk_new_digests(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

bool desk_find_renamed(Desk *desk, MsRecord *record)
{
	g_auto(Look) look = {0};
	g_autoptr(GHashTable) digests = desk_new_digests();
	if (!look_at_both(desk, record, &look, NULL))
		return false;
	look.digests = digests;
	index_unrecorded(&look, record->arrived, record->arrived);
	const MsQueued *queued = under_another_name(&look, record);
	if (queued == NULL || !tell_found(&look, record, queued))
		return false;
	g_free(record->queue_id);
	record->queue_id = g_strdup(queued->queue_id);
	return true;
}

/* ---- for some of its recipients --------------------------------------------------------- */

/* Of all its parts. */
static GHashTable *on_hold_for(GHashTable *queue, const MsQueued *one)
{
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter each;
	gpointer value;
	g_hash_table_iter_init(&each, queue);
	while (g_hash_table_iter_next(&each, NULL, &value)) {
		MsQueued *part = value;
		bool is = is_on_hold(part) && strcmp(name_of(part), name_of((MsQueued *)one)) == 0;
		for (guint i = 0; is && i < part->recipients->len; i++)
			add_lower(set, part->recipients->pdata[i]);
	}
	return set;
}

/* Of char *, borrowed from the record.  Where the MTA has other addresses than the record has
 * (aliases), for whom its parts are is not known: then none. */
static GPtrArray *gone_for(const MsRecord *record, GHashTable *on_hold)
{
	GPtrArray *gone = g_ptr_array_new();
	g_autoptr(GHashTable) ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter each;
	gpointer address;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		char *lower = g_ascii_strdown(to->address, -1);
		if (!g_hash_table_contains(on_hold, lower) && to->state == MS_STATE_HELD)
			g_ptr_array_add(gone, to->address);
		g_hash_table_add(ours, lower);
	}
	g_hash_table_iter_init(&each, on_hold);
	while (g_hash_table_iter_next(&each, &address, NULL))
		if (!g_hash_table_contains(ours, address))
			g_ptr_array_set_size(gone, 0);
	return gone;
}

/* The part that was let go may be the one that has the record's ID. */
bool desk_tell_gone_parts(Desk *desk, MsRecord *record)
{
	bool done = false;
	GHashTable *queue = desk->mta.sendmail && record->place == MS_PLACE_QUEUE
		? desk_queue(desk, NULL)
		: NULL;
	const MsQueued *queued = queue != NULL ? ms_mta_queued(queue, record, NULL) : NULL;
	if (queue != NULL && !is_on_hold(queued) && desk_find_renamed(desk, record)) {
		queue = desk_queue(desk, NULL);
		queued = queue != NULL ? ms_mta_queued(queue, record, NULL) : NULL;
	}
	if (!is_on_hold(queued))
		return false;
	g_autoptr(GHashTable) on_hold = on_hold_for(queue, queued);
	g_autoptr(GPtrArray) gone = gone_for(record, on_hold);
	g_autofree char *why = g_strdup_printf(
		"for %u of its recipients the MTA does not have it on hold: somebody let a part of it go, "
		"or a filter after missent took them off; no decision did",
		gone->len);
	if (gone->len == 0 ||
		!ms_records_gone_for(desk->ledger, record, gone, why, &done, NULL) || !done)
		return false;
	desk_audit(desk, "missent", MS_EVENT_GONE, record->uid, why, NULL);
	return true;
}

/* ---- a record for it ---------------------------------------------------------------------- */

/* `last`: when the last one arrived that had this queue ID, and has a record; what is on hold is
 * the later one's. */
static MsRecord *as_queued(const Desk *desk, const MsQueued *queued, gint64 last, int fd)
{
	MsRecord *r = ms_record_new();
	r->host = g_strdup(desk->settings->host);
	r->queue_id = g_strdup(queued->queue_id);
	/* so Postfix writes that it has none */
	r->sender = g_strdup(strcmp(queued->sender, "MAILER-DAEMON") == 0 ? "" : queued->sender);
	r->arrived = MAX(queued->arrived * G_USEC_PER_SEC, last + 1);
	r->size = queued->size;
	r->digest = digest_of(fd);
	r->codes = g_strdup("");
	r->policies = g_strdup("");
	r->cause = g_strdup("no record");
	for (guint i = 0; i < queued->recipients->len; i++)
		ms_record_recipient(
			r, queued->recipients->pdata[i], MS_STATE_HELD, MS_OUTCOME_UNPROVEN, "");
	return r;
}

/* By the policies and the directory of now, as if it came in now: nobody knows any more why it
 * was held.  Where that cannot be had, nothing is proven of anybody. */
static MsRecord *judge_unrecorded(Desk *desk, const MsRecord *plain, int fd)
{
	MsRuntime *runtime = desk_runtime(desk, NULL);
	g_autoptr(MsEnvelope) envelope = desk_envelope(plain);
	g_autoptr(MsJudgement) judgement = NULL;
	g_clear_pointer(&envelope->policies, g_strfreev);
	if (runtime == NULL ||
		!ms_engine_judge(runtime, envelope, fd, envelope->size, &judgement, NULL))
		return NULL;
	MsRecord *record = ms_engine_record(runtime, envelope, judgement, plain->digest);
	record->state = MS_STATE_HELD;
	record->place = MS_PLACE_QUEUE;
	record->due = record->waits_since = 0;
	for (guint i = 0; i < record->recipients->len; i++)
		((MsHeldRecipient *)record->recipients->pdata[i])->state = MS_STATE_HELD;
	return record;
}

static char *add_record(Desk *desk, const MsQueued *queued, const char *who, GError **error)
{
	gint64 from, to, last = 0;
	ms_mta_recorded(queued, &from, &to);
	int fd = ms_records_last(desk->ledger, queued->queue_id, from, to, &last, error)
		? ms_mta_show(&desk->mta, queued->queue_id, error)
		: -1;
	if (fd < 0)
		return NULL;
	g_autoptr(MsRecord) plain = as_queued(desk, queued, last, fd);
	g_autoptr(MsRecord) judged = judge_unrecorded(desk, plain, fd);
	MsRecord *record = judged != NULL ? judged : plain;
	close(fd);
	if (record->recipients->len == 0) {
		desk_fail(error,
			"%s: the MTA does not say for whom it is; it has to be taken off hold or "
			"deleted with the MTA's own tools",
			queued->queue_id);
		return NULL;
	}
	record->uid = ms_record_name();
	g_autofree char *why = g_strdup_printf("it was on hold %s, and %s",
		last > 0 ? "though a record of this queue ID is over" : "without a record",
		judged != NULL ? "was judged by the policies and the directory of now"
			       : "could not be judged");
	if (!desk_audit(desk, who, MS_EVENT_ADOPT, record->uid, queued->queue_id, error) ||
		!ms_records_add(desk->ledger, record, error) ||
		!ms_records_act(desk->ledger, record->id, who, ms_event_names[MS_EVENT_ADOPT],
			why, error))
		return NULL;
	return g_strdup(record->uid);
}

static char *adopt(Desk *desk, const char *queue_id, const char *who, GError **error)
{
	g_auto(Look) look = {0};
	if (!look_at_both(desk, NULL, &look, error))
		return NULL;
	for (guint i = 0; i < look.unrecorded->len; i++) {
		const MsQueued *queued = look.unrecorded->pdata[i];
		if (strcmp(queued->queue_id, queue_id) == 0)
			return add_record(desk, queued, who, error);
	}
	desk_fail(error, "%s: no mail without a record is on hold under this queue ID", queue_id);
	return NULL;
}

char *ms_desk_adopt(MsDesk *of, const char *queue_id, const char *who, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	if (!ms_word_check(MS_WORD_MESSAGE, "queue ID", queue_id, error) ||
		!ms_word_check(MS_WORD_PERSON, "who", who, error))
		return NULL;
	if (!desk_lock(&desk, DESK_WRITING, error)) /* else two would make two records of it */
		return NULL;
	char *uid = adopt(&desk, queue_id, who, error);
	desk_unlock(&desk, DESK_WRITING);
	return uid;
}

GPtrArray *ms_desk_unrecorded(MsDesk *of, GError **error)
{
	g_auto(Desk) desk = {0};
	g_auto(Look) look = {0};
	desk_begin(of, &desk);
	if (!look_at_both(&desk, NULL, &look, error))
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_queued_free);
	for (guint i = 0; i < look.unrecorded->len; i++) {
		MsQueued *queued = look.unrecorded->pdata[i];
		g_hash_table_steal(look.queue, queued->queue_id);
		g_ptr_array_add(list, queued);
	}
	return list;
}
