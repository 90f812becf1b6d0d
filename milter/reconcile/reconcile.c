/*
 * Messages of an MTA's log, lines of the trail and records of the ledger come in; each message
 * that was in a queue ends as one thing: judged and gone as judged, released, missent's own, one
 * with another that was judged, none of the filter's business, or a row.  What nobody can know is
 * a row too, and says so.  The thread of who reconciles.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/kind.h"
#include "missent/text.h"
#include "missent/token.h"

#include "reconcile_private.h"

const char *const ms_passed_names[MS_N_PASSED + 1] = {"bypass", "against-verdict", "withheld",
	"added", "made-by-mta", "unrecorded", "not-known", NULL};

typedef struct {
	const MsReconcileWith *with;
	Trail trail;
	GPtrArray *nodes;
	Reasons *reasons;
	MsReconciliation *out;
	const char *version; /* of the policies that are in force now */
	/* messages, of which some recipients cannot be compared with those of their line: it has
	 * not all of them, or was written under another key */
	guint64 cut, other_key;
	const char *foreign; /* of no message the host is ours, of one it is this; NULL: some are */
} Work;

static void row_free(void *data)
{
	MsPassedRow *row = data;
	g_free(row->why);
	g_free(row);
}

void ms_reconciliation_free(MsReconciliation *r)
{
	if (r == NULL)
		return;
	g_ptr_array_unref(r->rows);
	g_ptr_array_unref(r->unknown);
	g_free(r);
}

/* `why` is taken. */
static void add_row(Work *w, MsPassed what, const Node *node, guint recipients, char *why)
{
	MsPassedRow *row = g_new0(MsPassedRow, 1);
	*row = (MsPassedRow){
		what, node->mail, recipients, why, MAX(node->mail->last, node->mail->lost)};
	g_ptr_array_add(w->out->rows, row);
	w->out->counts[what]++;
}

static G_GNUC_PRINTF(2, 3) void not_known(Work *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(w->out->unknown, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- was it any of the filter's business? ----------------------------------------------- */

/* As the daemon would have seen it.  Who sent it is not in the log of what was never sent on. */
static bool is_concerned(const Work *w, const MsMail *mail)
{
	if (mail->sender == NULL)
		return true;
	g_autoptr(MsEnvelope) envelope = ms_envelope_new();
	envelope->sender = g_strdup(mail->sender);
	envelope->client_address = g_strdup(mail->client);
	envelope->auth_user = g_strdup(mail->auth_user);
	envelope->arrived = mail->first;
	return ms_engine_concerned(w->with->runtime, envelope);
}

static guint sent_outside(const Node *node)
{
	guint n = 0;
	for (guint i = 0; i < node->mail->deliveries->len; i++)
		n += ((MsDelivered *)node->mail->deliveries->pdata[i])->sent &&
			chain_next(node, i) == NULL;
	return n;
}

/* The same of all that it went on as. */
static guint sent_in_the_end(const Node *node, int depth)
{
	guint n = sent_outside(node);
	for (guint i = 0; node->into != NULL && i < node->into->len && depth < 100; i++) {
		const Node *next = node->into->pdata[i];
		bool again = false;
		for (guint k = 0; k < i; k++)
			again |= node->into->pdata[k] == next;
		n += next != NULL && !again ? sent_in_the_end(next, depth + 1) : 0;
	}
	return n;
}

/* ---- what was decided of it ------------------------------------------------------------- */

/* Whom missent submitted it to; NULL: it did not. */
static char *own_recipients(const Work *w, const MsMail *mail)
{
	char *to = NULL;
	gint64 from = mail->came == MS_CAME_UNKNOWN ? mail->first - MS_RECONCILE_BEFORE
						    : mail->first;
	if (w->with->ledger != NULL)
		ms_tokens_spent_by(w->with->ledger, mail->queue_id, from - SLACK,
			mail->last + SLACK, &to, NULL);
	return to;
}

/* The record of its hold; NULL: there is none, or none can be had. */
static MsRecord *record_of(const Work *w, const Node *node)
{
	if (w->with->ledger == NULL)
		return NULL;
	const MsRecordFilter filter = {.state = -1, .search = node->mail->queue_id, .whole = true};
	g_autoptr(GPtrArray) records = ms_records_list(w->with->ledger, &filter, NULL);
	gint64 at = node->judged != NULL ? node->judged->at : node->mail->first, newest = -1;
	guint best = 0;
	for (guint i = 0; records != NULL && i < records->len; i++) {
		const MsRecord *record = records->pdata[i];
		if (strcmp(record->queue_id, node->mail->queue_id) == 0 &&
			record->arrived <= at + SLACK &&
			record->arrived >= at - 6 * 3600 * SECOND && record->arrived > newest) {
			best = i;
			newest = record->arrived;
		}
	}
	return newest >= 0 ? g_ptr_array_steal_index_fast(records, best) : NULL;
}

static bool same_address(const char *a, const char *b)
{
	g_autofree char *one = ms_address_canonical(a, strlen(a));
	g_autofree char *other = ms_address_canonical(b, strlen(b));
	return g_ascii_strcasecmp(a, b) == 0 ||
		(one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool may_have(const MsRecord *record, const char *address)
{
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *r = record->recipients->pdata[i];
		if (same_address(r->address, address))
			return r->state == MS_STATE_RELEASED || r->state == MS_STATE_DELIVERED;
	}
	return record->state == MS_STATE_RELEASED; /* whom the MTA put in his place */
}

static bool release_begun(const MsRecord *record)
{
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->verb == MS_VERB_RELEASE &&
			(d->state == MS_DECISION_ACTING || d->state == MS_DECISION_DONE))
			return true;
	}
	return false;
}

/* To how many it went who were not to have it. */
static guint not_released(const Node *node, const MsRecord *record)
{
	guint n = 0;
	for (guint i = 0; i < node->mail->deliveries->len; i++) {
		const MsDelivered *d = node->mail->deliveries->pdata[i];
		n += d->sent && chain_next(node, i) == NULL && !may_have(record, d->to) &&
			(d->orig_to == NULL || !may_have(record, d->orig_to));
	}
	return n;
}

/* ---- one that was judged ---------------------------------------------------------------- */

typedef struct {
	bool withheld; /* his copy is, or that of whom he stands for */
	bool replaces; /* he stands for another */
} Standing;

/* Is he one of those judged, or put in the place of one?  Behind a content filter the address that
 * an alias became stands for itself: whose it was, the delivery to the filter says. */
static Has was_judged(
	const Judged *judged, const Node *node, const char *address, Standing *out, int depth)
{
	const Node *from = node->judged != judged && depth < 100 ? node->from : NULL;
	Has has = judged_has(judged, address, &out->withheld);
	if (has == HAS)
		return HAS;
	for (guint i = 0; from != NULL && i < from->mail->deliveries->len; i++) {
		const MsDelivered *d = from->mail->deliveries->pdata[i];
		if (chain_next(from, i) != node || g_ascii_strcasecmp(d->to, address) != 0 ||
			was_judged(judged, from, d->orig_to != NULL ? d->orig_to : d->to, out,
				depth + 1) != HAS)
			continue;
		out->replaces |= d->orig_to != NULL;
		return HAS;
	}
	return has;
}

static void count_recipients(
	Work *w, const Judged *judged, const Node *node, guint *added, guint *withheld)
{
	bool unknown = false;
	for (guint i = 0; i < node->mail->deliveries->len; i++) {
		const MsDelivered *d = node->mail->deliveries->pdata[i];
		Standing own = {false, false}, other = {false, false};
		if (!d->sent || chain_next(node, i) != NULL)
			continue;
		Has has = was_judged(judged, node, d->to, &own, 0);
		if (has != HAS && d->orig_to != NULL) {
			has = was_judged(judged, node, d->orig_to, &other, 0);
			other.replaces = has == HAS;
		}
		bool kept = own.withheld || other.withheld;
		*added += has == HAS_NOT;
		*withheld += kept;
		w->out->replaced += (own.replaces || other.replaces) && !kept;
		unknown |= has == HAS_UNKNOWN;
	}
	w->cut += unknown && judged->key != NULL;
	w->other_key += unknown && judged->key == NULL;
}

static void tell_added(Work *w, const Node *node, guint added)
{
	add_row(w, MS_PASSED_ADDED, node, added,
		g_strdup("they are not in the envelope that was judged: an alias, a forward, "
			 "or a copy that the MTA adds (always_bcc, recipient_bcc_maps)"));
}

/* As far as it went. */
static bool check_recipients(Work *w, const Judged *judged, const Node *node)
{
	guint added = 0, withheld = 0;
	count_recipients(w, judged, node, &added, &withheld);
	if (judged->action == MS_SPLIT && withheld > 0)
		add_row(w, MS_PASSED_WITHHELD, node, withheld,
			g_strdup(
				"their copies are held; the MTA did not take them off this message"));
	if (added > 0)
		tell_added(w, node, added);
	return added == 0 && (judged->action != MS_SPLIT || withheld == 0);
}

static bool is_one_of(char **addresses, const char *address)
{
	for (; address != NULL && *addresses != NULL; addresses++)
		if (same_address(*addresses, address))
			return true;
	return false;
}

/* What was submitted for some goes to whom the MTA adds, as any other does. */
static Fate check_own(Work *w, const Node *node, const char *recipients)
{
	g_auto(GStrv) all = g_strsplit(recipients, "\n", -1);
	guint added = 0;
	for (guint i = 0; i < node->mail->deliveries->len; i++) {
		const MsDelivered *d = node->mail->deliveries->pdata[i];
		added += d->sent && chain_next(node, i) == NULL && !is_one_of(all, d->to) &&
			!is_one_of(all, d->orig_to);
	}
	if (added > 0)
		tell_added(w, node, added);
	return added > 0 ? FATE_ROW : FATE_OWN;
}

static const char *how_let_go(const MsMail *mail)
{
	if (mail->let_go)
		return mail->sendmail
			? "it was taken out of quarantine by hand, not by a decision"
			: "it was taken off hold by hand (postsuper -H), not by a decision";
	return mail->held ? "it was held, and went all the same"
			  : "the filter had it held, but the MTA did not hold it";
}

/* Nobody would ever decide on it. */
static Fate check_recorded(Work *w, const Node *node)
{
	const MsMail *mail = node->mail;
	bool there = mail->held && !mail->removed && !mail->let_go && !mail->refused;
	g_autoptr(MsRecord) record = there ? record_of(w, node) : NULL;
	if (!there || w->with->ledger == NULL || record != NULL)
		return FATE_JUDGED;
	add_row(w, MS_PASSED_UNRECORDED, node, 0,
		g_strdup_printf(
			"it is on hold, and there is no record of it: its record was lost (a backup that was "
			"restored?), or has another queue ID; missent held adopt %s makes one",
			mail->queue_id));
	return FATE_ROW;
}

/* Of one that was to be held. */
static Fate check_held(Work *w, const Node *node, const Node *gone)
{
	guint n = sent_outside(gone);
	if (n == 0)
		return check_recorded(w, node);
	if (w->with->ledger == NULL) {
		add_row(w, MS_PASSED_UNKNOWN, gone, n,
			g_strdup(
				"it was held; whether it was released is not known, for the ledger cannot be read"));
		return FATE_ROW;
	}
	g_autoptr(MsRecord) record = record_of(w, node);
	if (record == NULL) {
		add_row(w, node->mail->let_go ? MS_PASSED_UNKNOWN : MS_PASSED_AGAINST, gone, n,
			g_strdup_printf(
				"it was to be held, and %s; the ledger has no record of it any more",
				how_let_go(node->mail)));
		return FATE_ROW;
	}
	if (record->state == MS_STATE_HELD && release_begun(record))
		return FATE_RELEASED; /* it is being carried out */
	guint wrong = not_released(gone, record);
	if (wrong == 0) /* whom the MTA added got it with them */
		return check_recipients(w, node->judged, gone) ? FATE_RELEASED : FATE_ROW;
	bool partly = record->state == MS_STATE_RELEASED;
	add_row(w, partly ? MS_PASSED_WITHHELD : MS_PASSED_AGAINST, gone, wrong,
		g_strdup(partly ? "it was released to others only" : how_let_go(node->mail)));
	return FATE_ROW;
}

static Fate check_judged(Work *w, const Node *node, const Node *gone)
{
	const Judged *judged = node->judged;
	switch (judged->action) {
	case MS_DELIVER:
	case MS_TAG:
	case MS_SPLIT: return check_recipients(w, judged, gone) ? FATE_JUDGED : FATE_ROW;
	case MS_DELAY:
	case MS_HOLD: return check_held(w, node, gone);
	case MS_REJECT:
	case MS_TEMPFAIL:
	case MS_N_ACTIONS: break;
	}
	guint n = sent_outside(gone);
	if (n == 0)
		return FATE_JUDGED;
	if (judged->action == MS_N_ACTIONS) {
		add_row(w, MS_PASSED_UNKNOWN, gone, n,
			g_strdup(
				"its line in the trail has a verdict that this version does not know"));
		return FATE_ROW;
	}
	add_row(w, MS_PASSED_AGAINST, gone, n,
		g_strdup_printf("the filter refused it (%s), and the MTA took it%s%s",
			ms_action_names[judged->action], gone->mail->trouble != NULL ? ": " : "",
			gone->mail->trouble != NULL ? gone->mail->trouble : ""));
	return FATE_ROW;
}

/* ---- one that was not ------------------------------------------------------------------- */

/* Nearest above it that was judged: what it was made of. */
static const Node *judged_above(const Node *node)
{
	for (int i = 0; node != NULL && i < 100; node = node->from, i++)
		if (node->judged != NULL)
			return node;
	return NULL;
}

/* All of it went on, and what it went on as was judged. */
static bool judged_below(const Node *node, int depth)
{
	guint n = node->mail->deliveries->len, sent = 0;
	for (guint i = 0; i < n; i++) {
		const MsDelivered *d = node->mail->deliveries->pdata[i];
		const Node *next = chain_next(node, i);
		if (!d->sent)
			continue;
		sent++;
		if (next == NULL || depth > 100 ||
			(next->judged == NULL && !judged_below(next, depth + 1)))
			return false;
	}
	return sent > 0;
}

static bool is_of_other_policies(const Work *w, gint64 at)
{
	const char *then = trail_policies(&w->trail, at);
	return then != NULL && w->version != NULL && strcmp(then, w->version) != 0;
}

/* What the log shows, and what the MTA says of itself. */
static char *with_configured(const Work *w, const MsMail *mail, char *why)
{
	bool open = mail->trouble != NULL;
	if (w->with->configured == NULL || mail->unchecked || mail->redirected ||
		(!open && mail->came != MS_CAME_SMTP && mail->came != MS_CAME_LOCAL))
		return why;
	g_autofree char *is = w->with->configured(mail, open, w->with->user);
	if (is == NULL)
		return why;
	g_autofree char *seen = why;
	return g_strdup_printf("%s; as it is configured now: %s", seen, is);
}

/* By what its delivery says, of which two digits count: so long ago as it says, a little more or
 * less. */
static bool came_within(const MsMail *mail, gint64 from)
{
	gint64 ago = mail->first - mail->entered;
	return mail->entered > 0 && mail->entered - MAX(ago, 0) / 20 > from + SLACK;
}

static Fate unseen(Work *w, const Node *node)
{
	const MsMail *mail = node->mail;
	guint n = sent_in_the_end(node, 0);
	gint64 from = ms_maillog_notes(w->with->log)->from;
	bool within = came_within(mail, from);
	if (mail->came == MS_CAME_UNKNOWN && !within &&
		mail->first - from < MS_RECONCILE_BEFORE) {
		w->out->before++;
		return FATE_ROW;
	}
	if (mail->came == MS_CAME_UNKNOWN) {
		add_row(w, MS_PASSED_UNKNOWN, node, n,
			g_strdup(within
					? "its beginning is not in this log, though it came in when the log had begun: "
					  "lines of it are lost; the trail does not have it"
					: "its beginning is not in this log, and the trail does not have it"));
		return FATE_ROW;
	}
	if (mail->sender == NULL) {
		add_row(w, MS_PASSED_UNKNOWN, node, n,
			g_strdup(
				"its sender is not in this log: whether it was outgoing is not known"));
		return FATE_ROW;
	}
	if (w->trail.proof.first == 0 || mail->first < w->trail.proof.first - SLACK) {
		add_row(w, MS_PASSED_UNKNOWN, node, n,
			g_strdup("the trail does not reach back so far"));
		return FATE_ROW;
	}
	bool plain = mail->trouble == NULL && !mail->unchecked;
	if (plain && mail->first < ms_clock_now() - MS_TOKEN_KEPT) {
		add_row(w, MS_PASSED_UNKNOWN, node, n,
			g_strdup(
				"not judged; whether it was missent's own, or was released so, the ledger no "
				"longer knows"));
		return FATE_ROW;
	}
	if (plain && is_of_other_policies(w, mail->first)) {
		add_row(w, MS_PASSED_UNKNOWN, node, n,
			g_strdup(
				"not judged; by other policies than today's, which may not have applied to it"));
		return FATE_ROW;
	}
	bool made = mail->came == MS_CAME_BOUNCE || mail->came == MS_CAME_INTERNAL;
	add_row(w, made ? MS_PASSED_MADE : MS_PASSED_BYPASS, node, n,
		with_configured(w, mail, reason_of(w->reasons, node)));
	return FATE_ROW;
}

/* A return of mail that was none of the filter's business is none either. */
static bool is_exempt(const Node *node)
{
	bool bounce = node->mail->came == MS_CAME_BOUNCE;
	if (bounce && node->from != NULL)
		return !node->from->concerned && node->from->judged == NULL;
	return !bounce && !node->concerned && node->mail->came != MS_CAME_UNKNOWN;
}

static Fate fate_of(Work *w, const Node *node)
{
	if (node->judged != NULL)
		return check_judged(w, node, node);
	const Node *above = node->mail->came != MS_CAME_BOUNCE ? judged_above(node) : NULL;
	if (above != NULL) {
		Fate fate = check_judged(w, above, node);
		return fate == FATE_ROW ? fate : FATE_CHAINED;
	}
	g_autofree char *own = own_recipients(w, node->mail);
	if (own != NULL)
		return check_own(w, node, own);
	if (judged_below(node, 0))
		return FATE_CHAINED;
	if (is_exempt(node))
		return FATE_EXEMPT;
	if (node->from != NULL && node->mail->came != MS_CAME_BOUNCE &&
		node->from->fate != FATE_OPEN)
		return node->from->fate; /* told with the message that it was before */
	return unseen(w, node);
}

/* ---- all -------------------------------------------------------------------------------- */

/* It was begun, and no line says that it was refused, broken off, or in the queue. */
static void tell_lost(Work *w, const Node *node)
{
	w->out->mails++;
	add_row(w, MS_PASSED_UNKNOWN, node, 0,
		g_strdup(node->judged != NULL
				? "it was judged, and no line says what became of it: lines of it are lost"
				: "it came in, the trail does not have it, and no line says what became of it: "
				  "lines of it are lost"));
}

/* Whom the filter took off the message: the MTA counts him with the others. */
static guint taken_off(const Judged *judged)
{
	guint n = 0;
	for (guint i = 0; judged != NULL && judged->action == MS_SPLIT && i < judged->n_ids; i++)
		n += judged->withheld[i];
	return n;
}

/* Who is not in the log may be one more whom the MTA added. */
static Fate check_whole(Work *w, const Node *node, Fate fate)
{
	const MsMail *mail = node->mail;
	guint off = taken_off(node->judged);
	if ((mail->missing <= off && !mail->uncounted) || fate == FATE_ROW || fate == FATE_EXEMPT)
		return fate;
	if (mail->uncounted) {
		add_row(w, MS_PASSED_UNKNOWN, node, 0,
			g_strdup("it was delivered, and no line says from whom, and to how many: lines of it "
				 "are lost"));
		return FATE_ROW;
	}
	guint missing = mail->missing - off;
	add_row(w, MS_PASSED_UNKNOWN, node, missing,
		g_strdup_printf(
			"it left the queue, and of %u of %u recipients no line says how: lines of it are lost",
			missing, MAX(mail->n_recipients, 1)));
	return FATE_ROW;
}

static void settle(Work *w, Node *node)
{
	MsReconciliation *out = w->out;
	if (node->mail->lost > 0) {
		tell_lost(w, node);
		return;
	}
	if (!node->mail->accepted && !node->mail->held && node->mail->deliveries->len == 0)
		return; /* it was never in the queue */
	if (node->mail->discarded || (node->mail->refused && sent_outside(node) == 0))
		return;
	out->mails++;
	node->fate = check_whole(w, node, fate_of(w, node));
	switch (node->fate) {
	case FATE_JUDGED: out->judged++; break;
	case FATE_RELEASED: out->released++; break;
	case FATE_OWN: out->own++; break;
	case FATE_CHAINED: out->chained++; break;
	case FATE_EXEMPT: out->exempt++; break;
	case FATE_OPEN:
	case FATE_WORKING:
	case FATE_ROW: break;
	}
}

/* A log that many hosts write to: what others did is theirs to look at. */
static bool is_ours(const char *host, const char *own)
{
	gsize n = strcspn(own, ".");
	return g_ascii_strncasecmp(host, own, n) == 0 && (host[n] == '\0' || host[n] == '.');
}

static GPtrArray *our_mails(Work *w, const GPtrArray *all)
{
	const char *own = ms_runtime_settings(w->with->runtime)->host;
	bool some = false, others = false;
	for (guint i = 0; i < all->len; i++) {
		bool is = is_ours(((MsMail *)all->pdata[i])->host, own);
		some |= is;
		others |= !is;
	}
	GPtrArray *ours = g_ptr_array_new();
	for (guint i = 0; i < all->len; i++)
		if (!some || !others || is_ours(((MsMail *)all->pdata[i])->host, own))
			g_ptr_array_add(ours, all->pdata[i]);
	w->out->elsewhere = all->len - ours->len;
	w->foreign = !some && others ? ((MsMail *)all->pdata[0])->host : NULL;
	return ours;
}

/* A host may have another name in its log; of another host's log every message would be a
 * bypass. */
static void tell_foreign(Work *w)
{
	const MsReconciliation *out = w->out;
	if (w->foreign == NULL || out->judged + out->released + out->own + out->chained > 0)
		return;
	not_known(w,
		"no message in this log is of this host (%s), and none is in its trail: if it is the log of "
		"another one (%s), what is told of it is none of ours",
		ms_runtime_settings(w->with->runtime)->host, w->foreign);
}

/* What the trail has of that time and the log has not. */
static void count_unseen(Work *w, gint64 from, gint64 to)
{
	for (guint i = 0; i < w->trail.all->len; i++) {
		const Judged *judged = w->trail.all->pdata[i];
		w->out->unseen += judged->of == NULL && judged->action <= MS_HOLD &&
			judged->at > from + SLACK && judged->at < to - SLACK;
	}
	if (w->out->unseen > 0)
		not_known(w,
			"the trail has %" G_GUINT64_FORMAT
			" messages of that time that are not in this log: it is not whole, and may "
			"lack more",
			w->out->unseen);
}

static const char *why_undated(const char *line)
{
	if (*line == '{')
		return "it is JSON; of the journal journalctl -o export is read";
	return "names of months must be those of the C locale (LC_ALL=C journalctl); "
	       "journalctl -o export and RFC 3339 have none";
}

/* A year that was taken, and not said, is what is wrong first. */
static char *year_taken(const MsMaillogNotes *notes)
{
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_local(notes->from / SECOND);
	if (!notes->yearless || at == NULL)
		return g_strdup("");
	return g_strdup_printf(
		"; its lines have no year: they were taken for %d, and --year says another",
		g_date_time_get_year(at));
}

/* The log daemon's own word, if it is in this log. */
static void tell_gaps(Work *w, const MsMaillogNotes *notes)
{
	if (notes->gaps == 0)
		return;
	g_autofree char *from = ms_text_time(notes->gap_from, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *to = ms_text_time(notes->gap_to, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *n = notes->gap_lines > 0
		? g_strdup_printf("%" G_GUINT64_FORMAT " lines at least", notes->gap_lines)
		: g_strdup("lines");
	not_known(w,
		"the log daemon left out %s of this log, as it says itself (%" G_GUINT64_FORMAT
		" times, from %s to %s): mail of that time may be missing from it; raise its limit "
		"(RateLimitBurst, Ratelimit.Burst)",
		n, notes->gaps, from, to);
}

static void tell_log(Work *w, const MsMaillogNotes *notes)
{
	for (guint i = 0; i < notes->problems->len; i++)
		not_known(w, "%s", (char *)notes->problems->pdata[i]);
	if (notes->undated > 0)
		not_known(w,
			"%" G_GUINT64_FORMAT
			" line%s with no time that is understood (the first: \"%s\"): %s",
			notes->undated, notes->undated == 1 ? " begins" : "s begin",
			notes->undated_line, why_undated(notes->undated_line));
	if (notes->cut > 0)
		not_known(w, "%" G_GUINT64_FORMAT " line%s cut or too long", notes->cut,
			notes->cut == 1 ? " is" : "s are");
	if (notes->dropped > 0)
		not_known(w,
			"%" G_GUINT64_FORMAT " messages or deliveries are more than is looked at",
			notes->dropped);
	tell_gaps(w, notes);
	if (notes->used == 0)
		not_known(w, "no line of Postfix or Sendmail is in it");
}

static void tell_trail(Work *w, gint64 from, gint64 to)
{
	w->out->damaged = w->trail.damaged;
	if (w->trail.damaged > 0)
		not_known(w,
			"%" G_GUINT64_FORMAT
			" lines of the trail are damaged (missent audit verify)",
			w->trail.damaged);
	if (w->trail.proof.wrong > 0)
		not_known(w,
			"the trail is not whole, in %" G_GUINT64_FORMAT
			" place%s (the first: %s; missent audit verify): what was judged there is not "
			"known",
			w->trail.proof.wrong, w->trail.proof.wrong == 1 ? "" : "s",
			w->trail.proof.where);
	if (w->trail.proof.first == 0)
		not_known(w, "there is no trail: what was judged is not known");
	else if (!trail_knows(&w->trail, from - 3600 * SECOND, to + 3600 * SECOND)) {
		g_autofree char *year = year_taken(ms_maillog_notes(w->with->log));
		not_known(w,
			"the trail has nothing of that time: the filter was not running, was shown "
			"nothing, or its trail is lost%s",
			year);
	}
	if (w->with->ledger == NULL)
		not_known(w, "the ledger cannot be read: what was released is not known");
	if (w->with->audit_key == NULL)
		not_known(w, "the site key cannot be read: recipients are not compared");
	else if (w->other_key > 0)
		not_known(w,
			"recipients of %" G_GUINT64_FORMAT
			" message%s cannot be compared: the line was written under another key "
			"(key-file-before names the one before)",
			w->other_key, w->other_key == 1 ? "" : "s");
	if (w->cut > 0)
		not_known(w,
			"recipients of %" G_GUINT64_FORMAT
			" message%s cannot be compared: the line does not name all of them",
			w->cut, w->cut == 1 ? "" : "s");
}

static void settle_all(Work *w, const GPtrArray *mails)
{
	w->nodes = chain_nodes(mails, &w->trail);
	for (guint i = 0; i < w->nodes->len; i++) {
		Node *node = w->nodes->pdata[i];
		node->concerned = is_concerned(w, node->mail);
	}
	w->reasons = reasons_new(w->nodes, ms_maillog_turns(w->with->log));
	for (guint i = 0; i < w->nodes->len; i++)
		settle(w, w->nodes->pdata[i]);
}

MsReconciliation *ms_reconcile(const MsReconcileWith *with, GError **error)
{
	Work w = {.with = with,
		.out = g_new0(MsReconciliation, 1),
		.version = ms_runtime_policies_version(with->runtime)};
	w.out->rows = g_ptr_array_new_with_free_func(row_free);
	w.out->unknown = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) mails = our_mails(&w, ms_maillog_mails(with->log));
	const MsMaillogNotes *notes = ms_maillog_notes(with->log);
	bool fine = trail_load(&w.trail, with, notes->from - MS_RECONCILE_BEFORE,
		notes->to + 3600 * SECOND, error);
	if (fine) {
		settle_all(&w, mails);
		tell_log(&w, notes);
		if (notes->used > 0) {
			tell_trail(&w, notes->from, notes->to);
			tell_foreign(&w);
			count_unseen(&w, notes->from, notes->to);
		}
	}
	reasons_free(w.reasons);
	if (w.nodes != NULL)
		g_ptr_array_unref(w.nodes);
	trail_clear(&w.trail);
	if (!fine)
		g_clear_pointer(&w.out, ms_reconciliation_free);
	return w.out;
}
