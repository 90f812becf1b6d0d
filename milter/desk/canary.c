/*
 * The canary: by the clock a mail that must be held, a made-up customer's identifier to a made-up
 * recipient, goes through each listener; what became of those that were sent before is looked at,
 * in the ledger and in the MTA's hold queue; a held one is deleted there.  Told is what changed:
 * a listener that holds no more, or holds again.  Nothing of one is on the page, in a notice or
 * in a count: it has no record.  One thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/canary.h"
#include "missent/clock.h"
#include "missent/reader.h"
#include "missent/text.h"

#include "desk_private.h"

#define OWNER "missent-canary"
#define RECEIVER "missent-canary-recipient"
#define LOCALLY "sendmail"
#define PAUSE_US (60 * (gint64)G_USEC_PER_SEC) /* where one could not be sent */

typedef struct {
	Desk *desk;
	MsDeskTell tell;
	void *user;
} Cage;

/* Once a state: on record, and to who is to know. */
static void news(Cage *cage, const char *listener, bool well, const char *text)
{
	bool changed = false;
	if (!ms_canaries_state(cage->desk->ledger, listener, well, &changed, NULL) || !changed)
		return;
	g_autofree char *detail = g_strdup_printf("%s: %s", listener, text);
	desk_audit(cage->desk, DESK_CLOCK,
		well ? MS_EVENT_CANARY_HELD_AGAIN : MS_EVENT_CANARY_NOT_HELD, "", detail, NULL);
	cage->tell(well, listener, text, cage->user);
}

/* ---- its entries ------------------------------------------------------------------------ */

/* An import may have taken them away; `*missing_out`: it had. */
static bool put_entries(Cage *cage, bool *missing_out, GError **error)
{
	const MsSettings *s = cage->desk->settings;
	MsRuntime *runtime = desk_runtime(cage->desk, error);
	MsDirectory *directory = runtime != NULL ? ms_runtime_directory(runtime) : NULL;
	bool owner = false, receiver = false;
	bool fine = directory != NULL &&
		ms_directory_put(directory, OWNER, s->canary.kind, s->canary.identifier, &owner,
			error) == MS_FOUND &&
		ms_directory_put(directory, RECEIVER, "recipient", s->canary.recipient, &receiver,
			error) == MS_FOUND;
	*missing_out = owner || receiver;
	return fine;
}

/* ---- one is sent ------------------------------------------------------------------------ */

static char *text_of(const MsSettings *s, const char *id)
{
	g_autofree char *name = g_strdelimit(g_strdup(s->canary.kind), "-", ' ');
	return g_strdup_printf("Dear customer,\r\n\r\nyour %s: %s\r\n\r\nReference: %s\r\n", name,
		s->canary.identifier, id);
}

/* The whole message in a memory file, and the digest of its body; -1: no memory. */
static int message_of(const MsSettings *s, const char *id, char digest[MS_BODY_DIGEST])
{
	g_autofree char *body = text_of(s, id), *date = ms_text_mail_date(ms_clock_now());
	g_autofree char *name = ms_canaries_name();
	g_autofree char *head = g_strdup_printf(
		"From: <%s>\r\nTo: <%s>\r\nSubject: Your invoice\r\nDate: %s\r\n"
		"Message-ID: <%s@%s>\r\n\r\n",
		s->canary.sender, s->canary.recipient, date, name, s->host);
	MsBodyDigest sum;
	ms_body_digest_init(&sum);
	ms_body_digest_add(&sum, body, strlen(body));
	ms_body_digest_end(&sum, digest);
	g_autofree char *whole = g_strconcat(head, body, NULL);
	return ms_memory_of("missent-canary", whole, strlen(whole));
}

static MsSubmitted submit(const Desk *desk, const char *listener, int fd, char **reply_out)
{
	const MsSettings *s = desk->settings;
	if (strcmp(listener, LOCALLY) == 0)
		return ms_mta_submit_locally(
			&desk->mta, s->canary.sender, s->canary.recipient, fd, reply_out);
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_ptr_array_add(to, (char *)s->canary.recipient);
	const MsSubmit way = {.url = listener, .timeout_ms = s->desk.submit_timeout_ms};
	return ms_mta_submit(&way, s->canary.sender, to, "", fd, reply_out);
}

/* Refused by our own verdict it is proven too, and that is noted already. */
static bool is_refused(Cage *cage, const char *digest, MsSubmitted how)
{
	const MsSettings *s = cage->desk->settings;
	return how == MS_LATER ||
		(how == MS_REFUSED &&
			ms_canaries_is(cage->desk->ledger, digest, s->canary.sender,
				s->canary.recipient, NULL) != MS_ABSENT);
}

/* Its name; NULL: it was not sent, and why.  Both are the caller's. */
static char *send_one(Cage *cage, const char *listener, const char *as, char **why_out)
{
	const MsSettings *s = cage->desk->settings;
	char digest[MS_BODY_DIGEST];
	g_autofree char *id = ms_canaries_name(), *reply = NULL;
	g_autoptr(GError) error = NULL;
	int fd = message_of(s, id, digest);
	*why_out = NULL;
	if (fd < 0 ||
		!ms_canaries_add(cage->desk->ledger, id, as, digest, s->canary.sender,
			s->canary.recipient, &error)) {
		*why_out = g_strdup(error != NULL ? error->message : "it cannot be made");
	} else if (is_refused(cage, digest, submit(cage->desk, listener, fd, &reply))) {
		*why_out = g_strdup_printf("it could not be sent: %s", reply);
		ms_canaries_end(cage->desk->ledger, id, NULL);
	}
	if (fd >= 0)
		close(fd);
	return *why_out == NULL ? g_steal_pointer(&id) : NULL;
}

/* ---- what became of them ---------------------------------------------------------------- */

/* It was to stay in the MTA's queue, for people or for a while. */
static bool is_kept(const char *became)
{
	return strcmp(became, ms_action_names[MS_HOLD]) == 0 ||
		strcmp(became, ms_action_names[MS_DELAY]) == 0;
}

/* Nobody judged it yet, or it comes again. */
static bool is_on_its_way(const char *became)
{
	return strcmp(became, MS_CANARY_SENT) == 0 || strcmp(became, MS_CANARY_LATER) == 0;
}

/* In the hold queue: the MTA did as it was told. */
static bool is_held(Desk *desk, const char *queue_id, GError **error)
{
	desk_forget_queue(desk);
	GHashTable *queue = desk_queue(desk, error);
	const MsQueued *queued = queue != NULL ? g_hash_table_lookup(queue, queue_id) : NULL;
	return queued != NULL && strcmp(queued->queue, "hold") == 0;
}

static bool take_out(Cage *cage, const MsCanary *canary, GError **error)
{
	Desk *desk = cage->desk;
	if (!desk_lock(desk, DESK_MOVING, error))
		return false;
	bool fine = ms_mta_run(&desk->mta, MS_MTA_DELETE, canary->queue_id, canary->digest, error);
	desk_unlock(desk, DESK_MOVING);
	desk_forget_queue(desk);
	return fine &&
		desk_audit(desk, DESK_CLOCK, MS_EVENT_CANARY_DELETED, canary->queue_id,
			canary->listener, error);
}

static void end(Cage *cage, const MsCanary *canary, bool well, const char *text)
{
	news(cage, canary->listener, well, text);
	ms_canaries_end(cage->desk->ledger, canary->id, NULL);
}

static char *not_held(const char *became)
{
	return strcmp(became, MS_CANARY_SENT) == 0
		? g_strdup("the MTA took it and did not show it to the filter")
		: g_strdup_printf("it was judged, and not held: %s", became);
}

/* It was to be held: is it?  The MTA may be about to do it. */
static void look_at_held(Cage *cage, const MsCanary *canary, bool late)
{
	g_autoptr(GError) error = NULL;
	if (is_held(cage->desk, canary->queue_id, &error)) {
		if (take_out(cage, canary, &error))
			end(cage, canary, true, "it was held");
		return;
	}
	if (late)
		end(cage, canary, false,
			error != NULL ? error->message
				      : "it was to be held, but it is not in the MTA's hold queue");
}

/* An import that came between it and its entries proves nothing against the filter. */
static void look_at_other(Cage *cage, const MsCanary *canary)
{
	bool missing = false;
	g_autofree char *text = not_held(canary->became);
	if (put_entries(cage, &missing, NULL) && missing)
		ms_canaries_end(cage->desk->ledger, canary->id, NULL);
	else
		end(cage, canary, false, text);
}

/* Somebody sent it by hand and looks after it; if he went away, what is left of it goes. */
static void look_at_probe(Cage *cage, const MsCanary *canary, bool late)
{
	if (!late)
		return;
	if (is_kept(canary->became) &&
		is_held(cage->desk, canary->queue_id, NULL))
		take_out(cage, canary, NULL);
	ms_canaries_end(cage->desk->ledger, canary->id, NULL);
}

static void look_at(Cage *cage, const MsCanary *canary)
{
	bool late = ms_clock_now() - canary->sent > cage->desk->settings->canary.timeout_ms * 1000;
	const char *became = canary->became;
	if (g_str_has_prefix(canary->listener, MS_CANARY_PROBE)) {
		look_at_probe(cage, canary, late);
	} else if (is_kept(became)) {
		look_at_held(cage, canary, late);
	} else if (is_on_its_way(became)) {
		g_autofree char *text = late ? not_held(became) : NULL;
		if (late)
			end(cage, canary, false, text);
	} else if (strcmp(became, MS_CANARY_OBSERVED) == 0 ||
		strcmp(became, ms_action_names[MS_REJECT]) == 0 ||
		strcmp(became, ms_action_names[MS_SPLIT]) == 0) {
		end(cage, canary, true, "it was recognised");
	} else {
		look_at_other(cage, canary);
	}
}

/* ---- by the clock ----------------------------------------------------------------------- */

static void send_all(Cage *cage)
{
	const MsSettings *s = cage->desk->settings;
	g_autoptr(GError) error = NULL;
	bool missing;
	if (!put_entries(cage, &missing, &error)) {
		news(cage, "directory", false,
			error != NULL ? error->message
				      : "its entries cannot be put into the mapping");
		return;
	}
	news(cage, "directory", true, "its entries are in the mapping");
	for (const char *const *listener = s->canary.listeners; *listener != NULL; listener++) {
		g_autofree char *why = NULL;
		g_autofree char *id = send_one(cage, *listener, *listener, &why);
		if (id == NULL)
			news(cage, *listener, false, why);
	}
}

void ms_desk_canary(MsDesk *of, MsDeskTell tell, void *user)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	Cage cage = {&desk, tell, user};
	g_autoptr(GPtrArray) open = ms_canaries_open(desk.ledger, NULL);
	for (guint i = 0; open != NULL && i < open->len; i++)
		look_at(&cage, open->pdata[i]);
	gint64 newest = 0, now = ms_clock_now(), steady = ms_clock_steady(),
	       every = desk.settings->canary.every_ms * 1000;
	bool tried = of->caged != 0 && steady - of->caged < MIN(every, PAUSE_US);
	if (every == 0 || tried || !ms_canaries_newest(desk.ledger, &newest, NULL) ||
		(newest <= now && now - newest < every))
		return;
	of->caged = steady;
	send_all(&cage);
}

/* ---- by hand ---------------------------------------------------------------------------- */

#define LOOK_US (G_USEC_PER_SEC / 10)

/* What became of it by then: as it stands in the ledger; the MTA may be about to put a held one
 * into its queue. */
static void await(Cage *cage, const char *listener, const char *id, gint64 end)
{
	for (;;) {
		g_autoptr(MsCanary) canary = ms_canaries_find(cage->desk->ledger, id, NULL);
		bool late = ms_clock_steady() > end;
		const char *became = canary != NULL ? canary->became : MS_CANARY_SENT;
		bool hold = is_kept(became);
		if (hold && is_held(cage->desk, canary->queue_id, NULL)) {
			g_autoptr(GError) error = NULL;
			bool gone = take_out(cage, canary, &error);
			g_autofree char *text = gone
				? g_strdup("it was held, and is deleted")
				: g_strdup_printf("it was held, and could not be deleted: %s",
					  error->message);
			cage->tell(true, listener, text, cage->user);
			return;
		}
		if (strcmp(became, MS_CANARY_OBSERVED) == 0 ||
			strcmp(became, ms_action_names[MS_REJECT]) == 0 ||
			strcmp(became, ms_action_names[MS_SPLIT]) == 0) {
			bool observed = strcmp(became, MS_CANARY_OBSERVED) == 0;
			cage->tell(true, listener,
				observed
					? "it was recognised: it would be held, were the mode not observe"
					: "it was recognised",
				cage->user);
			return;
		}
		if (late || (!hold && !is_on_its_way(became))) {
			g_autofree char *text = hold
				? g_strdup(
					  "it was to be held, but it is not in the MTA's hold queue")
				: not_held(became);
			cage->tell(false, listener, text, cage->user);
			return;
		}
		g_usleep(LOOK_US);
	}
}

bool ms_desk_probe(MsDesk *of, gint64 patience_ms, MsDeskTell tell, void *user, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	const MsSettings *s = desk.settings;
	Cage cage = {&desk, tell, user};
	bool missing;
	if (s->canary.recipient == NULL || s->canary.sender == NULL ||
		s->canary.identifier == NULL || s->canary.listeners[0] == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"the section canary of missent.conf names no sender, recipient, "
			"identifier and listeners");
		return false;
	}
	if (!put_entries(&cage, &missing, error))
		return false;
	gint64 patience = MIN(s->canary.timeout_ms, patience_ms) * 1000;
	for (const char *const *listener = s->canary.listeners; *listener != NULL; listener++) {
		g_autofree char *as = g_strconcat(MS_CANARY_PROBE, *listener, NULL), *why = NULL;
		g_autofree char *id = send_one(&cage, *listener, as, &why);
		if (id == NULL) {
			tell(false, *listener, why, user);
			continue;
		}
		await(&cage, *listener, id, ms_clock_steady() + patience);
		ms_canaries_end(desk.ledger, id, NULL);
	}
	return true;
}
