/*
 * What the clock asks for, in the thread that carries decisions out.  Nothing is ever deleted
 * silently: expiry is announced, then the message is returned to its sender, and both are on
 * record.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/io.h"
#include "missent/spool.h"
#include "missent/token.h"

#include "desk_private.h"

#define SLOW_US (60 * G_USEC_PER_SEC)
#define AT_ONCE 500

static GPtrArray *held_before(Desk *desk, gint64 ms)
{
	MsRecordFilter filter = {.state = MS_STATE_HELD,
		.waiting = -1,
		.older_than = ms_clock_now() - ms * 1000,
		.sort = MS_SORT_OLDEST,
		.limit = AT_ONCE};
	return ms_records_list(desk->ledger, &filter, NULL);
}

/* An announcement counts if the clock has gone steadily since it was made. */
static bool is_announced(const MsRecord *record, gint64 since)
{
	return record->warned > 0 && record->warned >= since &&
		!desk_clock_is_ahead(record->warned, ms_clock_now());
}

static void announce(Desk *desk, gint64 since)
{
	const MsSettings *s = desk->settings;
	g_autoptr(GPtrArray) old = held_before(desk, MAX(s->desk.expire_ms - s->desk.warn_ms, 0));
	g_autoptr(GPtrArray) fresh = g_ptr_array_new();
	for (guint i = 0; old != NULL && i < old->len; i++)
		if (!is_announced(old->pdata[i], since))
			g_ptr_array_add(fresh, old->pdata[i]);
	if (fresh->len > 0)
		desk_warn_of_expiry(desk, fresh);
}

static void expire_one(Desk *desk, const MsRecord *record)
{
	g_autoptr(GPtrArray) uids = g_ptr_array_new();
	g_ptr_array_add(uids, record->uid);
	MsAsk ask = {.verb = *record->sender != '\0' ? MS_VERB_RETURN : MS_VERB_DELETE,
		.uids = uids,
		.who = DESK_CLOCK,
		.why = "expired (expire-after)",
		.by_rule = true,
		/* Who carries out is who calls us: waiting for him would be waiting for
		 * ourselves. */
		.later = desk_leaves_work(desk->of)};
	g_autoptr(GPtrArray) done = ms_desk_decide(desk->of, &ask, NULL);
	if (done == NULL) /* again when as much time has gone by; so where it fails: carry.c */
		ms_records_warned(desk->ledger, record->id, ms_clock_now(), NULL);
}

static void expire(Desk *desk, gint64 since)
{
	const MsSettings *s = desk->settings;
	gint64 now = ms_clock_now();
	g_autoptr(GPtrArray) old = held_before(desk, s->desk.expire_ms);
	for (guint i = 0; old != NULL && i < old->len; i++) {
		const MsRecord *record = old->pdata[i];
		if (is_announced(record, since) && now - record->warned >= s->desk.warn_ms * 1000)
			expire_one(desk, record);
	}
}

/* A clock that jumped is believed when it has stood as long as an announcement does. */
static void forget(Desk *desk, gint64 since)
{
	gint64 now = ms_clock_now();
	if (since != 0 && now - since < desk->settings->desk.warn_ms * 1000)
		return;
	ms_tokens_forget(desk->ledger, now - MS_TOKEN_KEPT, NULL);
	ms_spool_clear(desk->settings->spool_dir);
	gint64 lines = desk->settings->checkpoints.keep_ms;
	if (lines > 0)
		/* who writes the next line tells what is wrong */
		ms_audit_prune(desk->audit, now - lines * 1000, NULL);
	if (desk->settings->desk.keep_ms == 0)
		return;
	gint64 before = now - desk->settings->desk.keep_ms * 1000;
	gint64 n = ms_records_forget(desk->ledger, before, AT_ONCE, NULL);
	g_autofree char *detail = g_strdup_printf("%" G_GINT64_FORMAT " records", n);
	if (n > 0)
		desk_audit(desk, "missent", MS_EVENT_FORGET, "", detail, NULL);
}

/* A copy was begun that does not count: the message went from the queue. */
static bool was_left_behind(const MsRecord *record)
{
	for (guint i = 0; i < record->decisions->len; i++) {
		const char *step = ((MsDecision *)record->decisions->pdata[i])->step;
		if (strcmp(step, DESK_MOVING_STEP) == 0 || strcmp(step, DESK_LET_GO_STEP) == 0)
			return true;
	}
	return false;
}

static bool is_its_copy(Desk *desk, const MsRecord *record)
{
	int fd = ms_spool_open(desk->settings->spool_dir, record->uid, NULL);
	bool is = fd >= 0 && desk_is_message(fd, record->digest);
	ms_io_close(fd);
	return is;
}

/* A ledger from before the message was moved here looks for it in the queue, and has missed it
 * there: this may be the only copy. */
static MsSpoolFate fate_of_gone(Desk *desk, const MsRecord *record)
{
	static const char why[] = "missent's spool has it: the record is older than its move there";
	bool done = false;
	g_autoptr(GError) error = NULL;
	if (was_left_behind(record) || !is_its_copy(desk, record))
		return MS_SPOOL_UNKNOWN;
	if (!ms_records_spooled(desk->ledger, record, why, &done, &error) || !done)
		return MS_SPOOL_HELD; /* another time */
	desk_audit(desk, "missent", MS_EVENT_FOUND, record->uid, why, NULL);
	return MS_SPOOL_HELD;
}

static MsSpoolFate fate_of(const char *uid, void *user)
{
	Desk *desk = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) record = ms_records_find(desk->ledger, uid, &error);
	if (error != NULL)
		return MS_SPOOL_HELD; /* could not look */
	if (record == NULL)
		return MS_SPOOL_UNKNOWN;
	if (record->state == MS_STATE_HELD)
		return MS_SPOOL_HELD;
	if (record->state == MS_STATE_GONE)
		return fate_of_gone(desk, record);
	return ms_state_is_decided(record->state) ? MS_SPOOL_DONE : MS_SPOOL_UNKNOWN;
}

static void tick(Desk *desk)
{
	desk_judge_waiting(desk);
	desk_send_notices(desk);
	gint64 now = ms_clock_steady();
	gint64 pause = MIN(SLOW_US, desk->settings->desk.warn_ms * 1000 / 4);
	if (desk->of->ticked != 0 && now - desk->of->ticked < pause)
		return;
	desk->of->ticked = now;
	gint64 since = desk_clock_since(desk);
	desk_look_for_held(desk);
	if (desk->settings->desk.expire_ms > 0) {
		announce(desk, since);
		expire(desk, since);
	}
	forget(desk, since);
	desk_send_digest(desk);
	desk_send_summary(desk);
	ms_io_sweep(desk->settings->state_dir);
	guint aside = ms_spool_sweep(desk->settings->spool_dir, fate_of, desk);
	g_autofree char *detail = g_strdup_printf("%u held copies that no record needs or knows", aside);
	if (aside > 0)
		desk_audit(desk, "missent", MS_EVENT_SET_ASIDE, MS_SPOOL_ASIDE, detail, NULL);
}

void ms_desk_tick(MsDesk *of)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	pthread_mutex_lock(&of->ticking);
	tick(&desk);
	pthread_mutex_unlock(&of->ticking);
}
