/*
 * Random records and decisions against a model of who may get what, which knows nothing of the desk
 * but what its verbs mean.  After each step what went out, by the queue and by SMTP, is compared
 * with what was permitted:
 *   - a recipient gets a message only if the judgement says that he has a right to it and it was
 *     released by right, or a person named him, or released all of it;
 *   - more than MOST recipients, never by one person alone;
 *   - nobody gets anything twice, no sender is told twice;
 *   - what nobody got, and was neither returned nor deleted, is there still; what was, is not;
 *   - what went to others under the queue ID of a copy that is held stays where it is.
 * In between processes are killed, servers fail, people disagree, the mapping is corrected, two
 * desks work side by side.  MISSENT_SEED repeats a run, MISSENT_STEPS makes it longer.
 */
#include "config.h"

#include <stdlib.h>

#include "missent/answer.h"
#include "missent/decision.h"

#include "../test.h"
#include "world.h"

#define MOST 3 /* two-person-above */
#define DAY (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define MAX_TO 5
#define N_NUMBERS 6
#define N_ACCOUNTS 4
#define POOL 40
#ifdef MS_SANITIZERS
#define STEPS 400
#else
#define STEPS 800
#endif

static const char *const addresses[] = {"a@alpha.example", "b@beta.example", "c@gamma.example",
	"d@delta.example", "n@nobody.example", "m@nowhere.example"};
static const char *const people[] = {"anna", "bert", "carl"};

/* ---- the model ------------------------------------------------------------------------ */

/* Accounts, a bit each. */
static guint owners[N_NUMBERS], receives[G_N_ELEMENTS(addresses)];

typedef struct {
	guint address;
	MsOutcome outcome;
	MsState state;
	bool permitted;
	/* alone: a bit for each person who could have sent it to him without a second */
	guint got, alone;
} To;

typedef struct {
	char *uid, *queue_id, *name;
	bool old, bounce, unsettled;
	bool split; /* its queue ID is that of what went to the others, and is on hold by hand */
	guint n, numbers; /* numbers: those in its text, a bit each */
	To to[MAX_TO];
	bool may_return, may_delete;
	guint notices;
} Message;

typedef struct {
	World *w;
	MsDesk *desks[2];
	GRand *rand;
	GPtrArray *pool; /* of Message */
	GPtrArray *waiting; /* of char *: names of groups, or of single decisions */
	MsRuntime *runtime; /* for the names of identifiers in records */
	guint names, done, refused, killed, judged, agreed, expired;
} Model;

static guint dice(Model *m, guint n)
{
	return (guint)g_rand_int_range(m->rand, 0, (gint32)n);
}

static bool chance(Model *m, guint percent)
{
	return dice(m, 100) < percent;
}

/* What the judgement should be. */
static MsOutcome outcome_of(const Message *message, guint address)
{
	bool own = false;
	if (receives[address] == 0)
		return MS_OUTCOME_UNKNOWN_RECIPIENT;
	for (guint i = 0; i < N_NUMBERS; i++) {
		if (!(message->numbers & 1u << i) || owners[i] == 0)
			continue;
		if ((owners[i] & receives[address]) == 0)
			return MS_OUTCOME_WRONG;
		own = true;
	}
	return own ? MS_OUTCOME_RIGHT : MS_OUTCOME_UNPROVEN;
}

static void message_free(gpointer data)
{
	Message *message = data;
	g_free(message->uid);
	g_free(message->queue_id);
	g_free(message->name);
	g_free(message);
}

static Message *by_name(Model *m, const char *name)
{
	for (guint i = 0; i < m->pool->len; i++)
		if (strcmp(((Message *)m->pool->pdata[i])->name, name) == 0)
			return m->pool->pdata[i];
	return NULL;
}

static Message *by_queue_id(Model *m, const char *id)
{
	for (guint i = 0; i < m->pool->len; i++)
		if (strcmp(((Message *)m->pool->pdata[i])->queue_id, id) == 0)
			return m->pool->pdata[i];
	g_error("the queue let go %s, which was none of ours", id);
}

/* ---- what went out -------------------------------------------------------------------- */

static void gets(Model *m, Message *message, guint i, const char *how)
{
	To *to = &message->to[i];
	(void)m;
	if (!to->permitted)
		g_error("%s: %s got it %s, to whom nobody let it go; the judgement says: %s",
			message->name, addresses[to->address], how, ms_outcome_names[to->outcome]);
	if (++to->got > 1)
		g_error("%s: %s got it twice (%s)", message->name, addresses[to->address], how);
}

static void see_mail(Model *m, const Delivery *d)
{
	char *subject = strstr(d->text, "Subject: MODEL-");
	g_assert_true(d->unjudged);
	if (*d->sender == '\0' && strstr(d->text, "multipart/report") != NULL) {
		for (guint i = 0; i < m->pool->len; i++) {
			Message *message = m->pool->pdata[i];
			if (strstr(d->text, message->uid) == NULL)
				continue;
			g_assert_true(message->may_return);
			if (++message->notices > 1)
				g_error("%s: its sender was told twice", message->name);
			return;
		}
		g_error("a notice of nothing: %s", d->text);
	}
	g_assert_nonnull(subject);
	g_autofree char *name = g_strndup(subject + 9, strcspn(subject + 9, "\r"));
	Message *message = by_name(m, name);
	g_assert_nonnull(message);
	for (guint k = 0; k < d->recipients->len; k++) {
		guint i = 0;
		while (i < message->n &&
			strcmp(addresses[message->to[i].address], d->recipients->pdata[k]) != 0)
			i++;
		if (i == message->n)
			g_error("%s: went to %s, who was none of its recipients", name,
				(char *)d->recipients->pdata[k]);
		gets(m, message, i, "by SMTP");
	}
}

static void see(Model *m)
{
	g_autoptr(GPtrArray) got = stub_take(m->w->stub);
	for (guint i = 0; i < got->len; i++)
		see_mail(m, got->pdata[i]);
	g_autofree char *log = world_log(m->w);
	g_auto(GStrv) lines = g_strsplit(log, ",", -1);
	for (int i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
		char *id = strchr(lines[i], ' ') + 1;
		if (g_str_has_prefix(lines[i], "delete"))
			continue; /* whether it was lost by that is seen below */
		Message *message = by_queue_id(m, id);
		for (guint k = 0; k < message->n; k++)
			gets(m, message, k, "from the queue");
	}
}

/* ---- what the record says ------------------------------------------------------------- */

static void check_to(Model *m, const MsRecord *r, Message *message, guint i, bool there)
{
	To *to = &message->to[i];
	const MsHeldRecipient *held = r->recipients->pdata[i];
	bool fine = held->state == MS_STATE_RELEASED ? to->got == 1
		: held->state == MS_STATE_RETURNED
		? to->got == 0 && message->may_return && message->notices == 1
		: held->state == MS_STATE_DELETED ? to->got == 0 && message->may_delete
						  : to->got == 0 && there;
	(void)m;
	if (!fine)
		g_error("%s: %s is %s, got it %u times, %u notices, the message is %s",
			message->name, held->address, ms_state_names[held->state], to->got,
			message->notices, there ? "there" : "gone");
	to->state = held->state;
}

/* As it was, or as it should be by the mapping of today.  While something is begun of it, it may
 * have been judged by its record, by which nobody is right who should not be. */
static void check_outcomes(const MsRecord *r, Message *message, bool settled)
{
	for (guint i = 0; i < message->n; i++) {
		To *to = &message->to[i];
		MsOutcome got = ((MsHeldRecipient *)r->recipients->pdata[i])->outcome;
		MsOutcome want = outcome_of(message, to->address);
		if (got != to->outcome && got != want && (settled || got == MS_OUTCOME_RIGHT))
			g_error("%s: %s was %s, is %s, should be %s", message->name,
				addresses[to->address], ms_outcome_names[to->outcome],
				ms_outcome_names[got], ms_outcome_names[want]);
		to->outcome = got;
	}
}

/* Is something begun of it?  Then nothing can be said before that is taken up again. */
static bool is_open(const MsRecord *r)
{
	for (guint i = 0; i < r->decisions->len; i++) {
		MsDecisionState state = ((MsDecision *)r->decisions->pdata[i])->state;
		if (state == MS_DECISION_APPROVED || state == MS_DECISION_ACTING)
			return true;
	}
	return false;
}

static void check(Model *m, Message *message)
{
	g_autoptr(MsRecord) r = world_record(m->w, message->uid);
	bool was_settled = !message->unsettled;
	message->unsettled = is_open(r);
	check_outcomes(r, message, was_settled && !message->unsettled);
	if (message->unsettled)
		return;
	bool there = r->place == MS_PLACE_QUEUE ? world_is_queued(m->w, r)
						: world_is_spooled(m->w, r->uid);
	bool held = false;
	for (guint i = 0; i < message->n; i++) {
		check_to(m, r, message, i, there);
		held = held || message->to[i].state == MS_STATE_HELD;
		/* What nobody waits for any more was permitted for nothing. */
		message->to[i].permitted = false;
		message->to[i].alone = 0;
	}
	g_assert_cmpint(r->state == MS_STATE_HELD, ==, held);
	bool queued = world_is_queued(m->w, r);
	if (!message->split && !held && queued)
		g_error("%s: is %s, and on hold", message->name, ms_state_names[r->state]);
	if (message->split && !queued)
		g_error("%s: what went to the others is no longer in the queue", message->name);
}

/* What waits for a second person permits nothing, so after every step all is as the records say. */
static void check_all(Model *m)
{
	see(m);
	for (guint i = 0; i < m->pool->len; i++)
		check(m, m->pool->pdata[i]);
	for (guint i = 0; i < m->pool->len; i++) {
		const Message *message = m->pool->pdata[i];
		bool held = message->unsettled;
		for (guint k = 0; k < message->n; k++)
			held = held || message->to[k].state == MS_STATE_HELD;
		if (!held)
			g_ptr_array_remove_index_fast(m->pool, i--);
	}
}

/* ---- a message ------------------------------------------------------------------------ */

static char *body_of(guint numbers)
{
	GString *body = g_string_new("Dear customer,\n");
	for (guint i = 0; i < N_NUMBERS; i++)
		if (numbers & 1u << i)
			g_string_append_printf(body, "customer number: C-1000%u\n", i + 1);
	return g_string_free(body, FALSE);
}

static char *ref_of(Model *m, guint number)
{
	const MsKind *kind = ms_kinds_find(ms_runtime_kinds(m->runtime), "customer-number");
	const char *why;
	g_autofree char *text = g_strdup_printf("C-1000%u", number + 1);
	g_autofree char *value = ms_kind_canonical(kind, text, strlen(text), &why);
	return ms_engine_ref(m->runtime, kind->name, value);
}

/* What a record says of them: whose they are now. */
static guint find_numbers(Model *m, const Message *message, WorldFinding found[N_NUMBERS])
{
	guint n = 0;
	for (guint i = 0; i < N_NUMBERS; i++) {
		GString *names = g_string_new(NULL);
		for (guint k = 0; k < N_ACCOUNTS; k++)
			if (owners[i] & 1u << k)
				g_string_append_printf(
					names, "%sAC-%u", names->len > 0 ? ", " : "", k + 1);
		if (message->numbers & 1u << i)
			found[n++] = (WorldFinding){ref_of(m, i), g_strdup(names->str), "?????"};
		g_string_free(names, TRUE);
	}
	return n;
}

static void new_message(Model *m)
{
	Message *message = g_new0(Message, 1);
	WorldRecipient to[MAX_TO];
	guint first = dice(m, G_N_ELEMENTS(addresses));
	message->n = 1 + dice(m, MAX_TO);
	message->numbers = dice(m, 1u << N_NUMBERS) & dice(m, 1u << N_NUMBERS);
	message->old = chance(m, 10);
	message->bounce = chance(m, 5);
	bool spooled = chance(m, 25);
	message->split = spooled && chance(m, 50);
	message->name = g_strdup_printf("MODEL-%06u", ++m->names);
	for (guint i = 0; i < message->n; i++) {
		guint a = (first + i) % G_N_ELEMENTS(addresses);
		/* Mostly as it should be, sometimes as it was once: unread, or judged by another
		 * mapping. */
		MsOutcome outcome = chance(m, 85) ? outcome_of(message, a)
						  : (MsOutcome)dice(m, MS_N_OUTCOMES);
		message->to[i] = (To){.address = a, .outcome = outcome};
		to[i] = (WorldRecipient){addresses[a], outcome, ""};
	}
	g_autofree char *body = body_of(message->numbers);
	WorldFinding found[N_NUMBERS];
	guint n_found = find_numbers(m, message, found);
	message->uid = world_hold(m->w,
		&(WorldHold){.subject = message->name,
			.body = body,
			.to = to,
			.n = message->n,
			.found = found,
			.n_found = n_found,
			.sender = message->bounce ? "" : NULL,
			.age_us = message->old ? 2 * DAY : 0,
			.spooled = spooled,
			.split = message->split});
	for (guint i = 0; i < n_found; i++) {
		g_free((char *)found[i].ref);
		g_free((char *)found[i].owners);
	}
	g_autoptr(MsRecord) r = world_record(m->w, message->uid);
	message->queue_id = g_strdup(r->queue_id);
	g_ptr_array_add(m->pool, message);
}

static Message *some_message(Model *m)
{
	return m->pool->pdata[dice(m, m->pool->len)];
}

/* ---- a decision ----------------------------------------------------------------------- */

typedef struct {
	WorldAsk ask;
	GPtrArray *messages; /* of Message */
	guint named[MAX_TO], n_named;
	char *uids, *to;
} Step;

static void step_clear(Step *s)
{
	g_ptr_array_unref(s->messages);
	g_free(s->uids);
	g_free(s->to);
}

static Step step_about(Model *m, guint n)
{
	Step s = {.messages = g_ptr_array_new()};
	GString *uids = g_string_new(NULL);
	for (guint i = 0; i < n; i++) {
		Message *message = some_message(m);
		if (g_ptr_array_find(s.messages, message, NULL))
			continue;
		g_ptr_array_add(s.messages, message);
		g_string_append_printf(uids, "%s%s", uids->len > 0 ? " " : "", message->uid);
	}
	s.uids = g_string_free(uids, FALSE);
	s.ask.uids = s.uids;
	s.ask.who = people[dice(m, G_N_ELEMENTS(people))];
	return s;
}

static void name_some(Model *m, Step *s)
{
	const Message *message = s->messages->pdata[0];
	GString *to = g_string_new(NULL);
	for (guint i = 0; i < message->n; i++) {
		if (!chance(m, 50) || message->to[i].state != MS_STATE_HELD)
			continue;
		s->named[s->n_named++] = i;
		g_string_append_printf(
			to, "%s%s", to->len > 0 ? " " : "", addresses[message->to[i].address]);
	}
	s->to = g_string_free(to, FALSE);
	s->ask.to = s->to;
}

static bool is_named(const Step *s, guint i)
{
	for (guint k = 0; k < s->n_named; k++)
		if (s->named[k] == i)
			return true;
	return false;
}

/* To whom it may go, and what may be done, if this is carried out. */
static guint permit(const Step *s)
{
	guint n = 0;
	for (guint k = 0; k < s->messages->len; k++) {
		Message *message = s->messages->pdata[k];
		message->may_return |= strcmp(s->ask.verb, "return") == 0;
		message->may_delete |= strcmp(s->ask.verb, "delete") == 0;
		for (guint i = 0; strcmp(s->ask.verb, "release") == 0 && i < message->n; i++) {
			To *to = &message->to[i];
			bool may = s->ask.rightful ? to->outcome == MS_OUTCOME_RIGHT
						   : s->n_named == 0 || is_named(s, i);
			to->permitted |= may && to->state == MS_STATE_HELD;
			n += may && to->state == MS_STATE_HELD;
		}
	}
	return n;
}

/* To how many it would go who may not have it, and whom nobody names: a message to one names
 * him. */
static guint count_others(const Step *s)
{
	guint n = 0, all = 0;
	for (guint k = 0;
		strcmp(s->ask.verb, "release") == 0 && !s->ask.rightful && k < s->messages->len;
		k++) {
		const Message *message = s->messages->pdata[k];
		for (guint i = 0; i < message->n; i++) {
			all++;
			n += message->to[i].state == MS_STATE_HELD &&
				message->to[i].outcome == MS_OUTCOME_WRONG && s->n_named == 0;
		}
	}
	return s->messages->len == 1 && all == 1 ? 0 : n;
}

/* ... whoever is named. */
static guint count_wrong(const Step *s)
{
	guint n = 0;
	for (guint k = 0; !s->ask.rightful && k < s->messages->len; k++) {
		const Message *message = s->messages->pdata[k];
		for (guint i = 0; i < message->n; i++)
			n += message->to[i].state == MS_STATE_HELD &&
				message->to[i].outcome == MS_OUTCOME_WRONG &&
				(s->n_named == 0 || is_named(s, i));
	}
	return n;
}

static bool is_number_right(const Step *s)
{
	guint said = s->ask.others, others = count_others(s);
	return said == others || (said == 0 ? others == 0 : said == count_wrong(s));
}

/* Would a person be told that it cannot be? */
static bool is_valid(const Step *s)
{
	bool final = strcmp(s->ask.verb, "note") != 0, any = false;
	for (guint k = 0; k < s->messages->len; k++) {
		const Message *message = s->messages->pdata[k];
		g_autoptr(GString) G_GNUC_UNUSED held = g_string_new(NULL);
		guint right = 0;
		for (guint i = 0; i < message->n; i++)
			right += message->to[i].state == MS_STATE_HELD &&
				message->to[i].outcome == MS_OUTCOME_RIGHT;
		any = any || right > 0;
		if (final && strcmp(s->ask.verb, "return") == 0 && message->bounce)
			return false;
	}
	return !s->ask.rightful || any;
}

static bool is_busy(Model *m, const Step *s)
{
	for (guint k = 0; k < s->messages->len; k++) {
		g_autoptr(MsRecord) r = world_record(m->w, ((Message *)s->messages->pdata[k])->uid);
		for (guint i = 0; i < r->decisions->len; i++)
			if (((MsDecision *)r->decisions->pdata[i])->state < MS_DECISION_DONE)
				return true;
	}
	return false;
}

static void remember_waiting(Model *m, const MsDecision *d)
{
	const char *name = *d->group != '\0' ? d->group : d->id;
	if (!g_ptr_array_find_with_equal_func(m->waiting, name, g_str_equal, NULL))
		g_ptr_array_add(m->waiting, g_strdup(name));
}

/* What of it is in the records: what waits permits nothing yet. */
static void find_waiting(Model *m, const Step *s)
{
	for (guint k = 0; k < s->messages->len; k++) {
		Message *message = s->messages->pdata[k];
		g_autoptr(MsRecord) r = world_record(m->w, message->uid);
		for (guint i = 0; i < r->decisions->len; i++) {
			const MsDecision *d = r->decisions->pdata[i];
			if (d->state == MS_DECISION_WAITING)
				remember_waiting(m, d);
		}
	}
}

static bool wait_all(const GPtrArray *done)
{
	for (guint i = 0; i < done->len; i++)
		if (((MsDecision *)done->pdata[i])->state != MS_DECISION_WAITING)
			return false;
	return true;
}

static const struct {
	StubPoint point;
	StubFault fault;
} faults[] = {{AT_GREETING, STUB_DROP}, {AT_MAIL, STUB_LATER}, {AT_RCPT, STUB_REFUSE},
	{AT_DATA, STUB_DROP}, {AT_BODY, STUB_DROP}, {AT_END, STUB_DROP}, {AT_END, STUB_REFUSE},
	{AT_END, STUB_TAKE_DROP}, {AT_END, STUB_SPEND_REFUSE}, {AT_END, STUB_SPEND_DROP}};
static const char *const orders[][2] = {{"list", "fail"}, {"list", "garbage"}, {"release", "fail"},
	{"release", "before"}, {"release", "after"}, {"release", "data"}, {"delete", "fail"},
	{"delete", "after"}, {"requeue", "after"}, {"show", "fail"}, {"show", "before"}};

/* Two things at once, killed and an MTA that loses what its milter has let pass, leave nothing
 * from which it could be told that the mail is lost: the decision's outcome names the MTA's queue
 * ID. */
#define N_LOSING 2 /* of `faults`, the last ones */

static bool something_fails(Model *m, bool killed)
{
	if (chance(m, 8)) {
		gsize i = dice(m, G_N_ELEMENTS(faults) - (killed ? N_LOSING : 0));
		stub_next(m->w->stub, faults[i].point, faults[i].fault);
		return true;
	}
	if (chance(m, 8)) {
		gsize i = dice(m, G_N_ELEMENTS(orders));
		world_orders(m->w, orders[i][0], orders[i][1]);
		return true;
	}
	return false;
}

static void all_is_well(Model *m)
{
	stub_next(m->w->stub, AT_NEVER, STUB_DROP);
	for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
		g_autofree char *path = g_strdup_printf("%s/do.%s", m->w->queue, orders[i][0]);
		g_unlink(path);
	}
}

/* Nobody alone lets out more than he may: of a decision, and of a message by and by. */
static void permit_alone(Model *m, const Step *s, guint n, const GPtrArray *done)
{
	(void)m;
	if (wait_all(done) || n <= MOST || strcmp(s->ask.verb, "release") != 0)
		return;
	g_error("%s let go %u messages to %u recipients alone", s->ask.who, s->messages->len, n);
}

static void take_step(Model *m, Step *s)
{
	g_autoptr(GError) error = NULL;
	bool busy = is_busy(m, s), valid = is_valid(s), killed = chance(m, 15);
	bool fails = something_fails(m, killed);
	if (killed) { /* killed at any of its points */
		m->killed += world_killed(m->w, NULL, 1 + dice(m, 8), world_ask, &s->ask);
		permit(s); /* if it was written down; what of it waits is not carried out */
		find_waiting(m, s);
		all_is_well(m);
		return;
	}
	bool number = is_number_right(s); /* as it is held now */
	guint n = permit(s), others = count_others(s);
	valid = valid && number;
	g_autoptr(GPtrArray) done = world_decide(m->desks[dice(m, 2)], &s->ask, &error);
	all_is_well(m);
	if (done == NULL) {
		if (!busy && valid)
			g_error("%s of %s by %s: %s", s->ask.verb, s->uids, s->ask.who,
				error->message);
		m->refused++;
		return;
	}
	if (!number && !wait_all(done))
		g_error("%s released what is of %u others, and %u was said", s->ask.who, others,
			s->ask.others);
	find_waiting(m, s);
	permit_alone(m, s, n, done);
	for (guint i = 0; i < done->len; i++) {
		const MsDecision *d = done->pdata[i];
		m->done += d->state == MS_DECISION_DONE;
		if (d->state == MS_DECISION_FAILED && !fails &&
			strstr(d->outcome, "judged") == NULL)
			g_error("%s of %s by %s failed: %s", s->ask.verb, d->uid, s->ask.who,
				d->outcome);
	}
}

/* After what waits is known not to have been carried out, it permits nothing. */
static void decide(Model *m)
{
	Step s = step_about(m, chance(m, 20) ? 2 + dice(m, 4) : 1);
	guint what = dice(m, 100);
	s.ask.verb = what < 70 ? "release" : what < 80 ? "return" : what < 92 ? "delete" : "note";
	if (what < 25 && s.messages->len == 1)
		name_some(m, &s);
	else if (what < 50)
		s.ask.rightful = true;
	if (strcmp(s.ask.verb, "release") == 0)
		s.ask.others = count_others(&s) + (chance(m, 5) ? 1 : 0);
	else
		s.ask.rightful = false;
	take_step(m, &s);
	step_clear(&s);
}

/* ---- two persons ---------------------------------------------------------------------- */

static void permit_decision(Model *m, const MsDecision *d)
{
	for (guint i = 0; i < m->pool->len; i++) {
		Message *message = m->pool->pdata[i];
		if (strcmp(message->uid, d->uid) != 0)
			continue;
		g_auto(GStrv) named = g_strsplit(d->recipients, "\n", -1);
		message->may_return |= d->verb == MS_VERB_RETURN;
		message->may_delete |= d->verb == MS_VERB_DELETE;
		for (guint k = 0; d->verb == MS_VERB_RELEASE && k < message->n; k++) {
			To *to = &message->to[k];
			bool is_by_right = d->rightful;
			to->permitted |= to->state == MS_STATE_HELD &&
				(named[0] == NULL ||
					g_strv_contains((const char *const *)named,
						addresses[to->address])) &&
				(!is_by_right || to->outcome == MS_OUTCOME_RIGHT);
		}
	}
}

typedef struct {
	const char *id, *who;
	bool agrees;
} Agreement;

static void do_agree(MsDesk *desk, void *user)
{
	const Agreement *a = user;
	g_autoptr(GPtrArray)
		G_GNUC_UNUSED done = ms_desk_agree(desk, a->id, a->who, a->agrees, NULL);
}

static char *said_of_agreeing(Model *m, const char *id)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) done = ms_desk_agree(m->desks[0], id, "zoe", true, &error);
	g_assert_null(done);
	return g_strdup(error->message);
}

static void agree(Model *m)
{
	if (m->waiting->len == 0)
		return;
	guint at = dice(m, m->waiting->len);
	g_autofree char *id = g_strdup(m->waiting->pdata[at]);
	Agreement a = {id, people[dice(m, G_N_ELEMENTS(people))], chance(m, 80)};
	g_autoptr(GPtrArray) list = ms_decisions_list(m->w->ledger, MS_DECISION_WAITING, id, NULL);
	g_autoptr(MsDecision) one = list->len == 0 ? ms_decisions_find(m->w->ledger, id, NULL)
						   : NULL;
	const MsDecision *first = list->len > 0 ? list->pdata[0] : one;
	if (first == NULL || first->state != MS_DECISION_WAITING) { /* judged again, it failed */
		g_autofree char *late = said_of_agreeing(m, id);
		g_assert_nonnull(strstr(late, "no decision waits under this name"));
		g_ptr_array_remove_index(m->waiting, at);
		return;
	}
	bool herself = a.agrees && strcmp(first->who, a.who) == 0;
	for (guint i = 0; a.agrees && !herself && i < list->len; i++)
		permit_decision(m, list->pdata[i]);
	if (a.agrees && !herself && one != NULL)
		permit_decision(m, one);
	bool killed = chance(m, 20);
	something_fails(m, killed);
	if (killed)
		m->killed += world_killed(m->w, NULL, 1 + dice(m, 6), do_agree, &a);
	else
		do_agree(m->desks[dice(m, 2)], &a);
	all_is_well(m);
	g_autoptr(MsDecision) after = ms_decisions_find(m->w->ledger, first->id, NULL);
	if (herself)
		g_assert_cmpint(after->state, ==, MS_DECISION_WAITING);
	if (after->state == MS_DECISION_WAITING)
		return;
	m->agreed++;
	g_ptr_array_remove_index(m->waiting, at);
}

/* ---- the mapping changes -------------------------------------------------------------- */

static void correct(Model *m)
{
	Message *message = some_message(m);
	guint account = dice(m, N_ACCOUNTS), number = dice(m, N_NUMBERS), i = dice(m, message->n);
	g_autofree char *name = g_strdup_printf("AC-%u", account + 1);
	WorldAsk ask = {.uids = message->uid, .who = "anna"};
	g_autofree char *ref = ref_of(m, number);
	if (chance(m, 40)) {
		ask.verb = "rejudge";
	} else if (chance(m, 50)) {
		if (!(message->numbers & 1u << number))
			return;
		ask.verb = "belongs";
		ask.identifier = ref;
		ask.account = name;
		owners[number] |= 1u << account;
	} else {
		ask.verb = "may-receive";
		ask.to = addresses[message->to[i].address];
		ask.account = name;
		receives[message->to[i].address] |= 1u << account;
	}
	g_autofree char *said = world_said(m->desks[dice(m, 2)], &ask);
	if (!g_str_has_prefix(said, "done") && !message->unsettled)
		g_error("%s of %s: %s", ask.verb, message->name, said);
	m->judged++;
	g_autoptr(MsRecord) r = world_record(m->w, message->uid);
	for (guint k = 0; k < message->n && !message->unsettled; k++) {
		const MsHeldRecipient *to = r->recipients->pdata[k];
		if (to->state == MS_STATE_HELD &&
			to->outcome != outcome_of(message, message->to[k].address))
			g_error("%s of %s: %s is %s, should be %s", ask.verb, message->name,
				to->address, ms_outcome_names[to->outcome],
				ms_outcome_names[outcome_of(message, message->to[k].address)]);
	}
}

/* ---- the clock, and what was interrupted ---------------------------------------------- */

static void expire(Model *m)
{
	Message *message = some_message(m);
	g_autoptr(MsRecord) r = world_record(m->w, message->uid);
	if (!message->old)
		return;
	/* It may go back by the clock, and so may every other that is old enough. */
	for (guint i = 0; i < m->pool->len; i++) {
		Message *other = m->pool->pdata[i];
		other->may_return |= other->old && !other->bounce;
		other->may_delete |= other->old && other->bounce;
	}
	g_assert_true(ms_records_warned(m->w->ledger, r->id, 1, NULL));
	MsDesk *desk = world_desk(m->w);
	ms_desk_tick(desk);
	ms_desk_free(desk);
	m->expired++;
}

static void take_up(Model *m)
{
	for (int i = 0; i < 2; i++)
		ms_desk_work(m->desks[i], chance(m, 50) ? 3 : 0);
	ms_desk_work(m->desks[0], 0);
	ms_desk_work(m->desks[0], 0);
}

/* Two at the same moment, of one message. */
typedef struct {
	World *w;
	WorldAsk ask;
} Rival;

static void *rival(void *user)
{
	Rival *r = user;
	MsDesk *desk = world_desk(r->w);
	g_autofree G_GNUC_UNUSED char *said = world_said(desk, &r->ask);
	ms_desk_free(desk);
	return NULL;
}

static void contend(Model *m)
{
	Step a = step_about(m, 1), b = step_about(m, 1);
	g_ptr_array_set_size(b.messages, 0);
	g_ptr_array_add(b.messages, a.messages->pdata[0]);
	a.ask.verb = "release";
	b.ask.verb = chance(m, 50) ? "release" : "delete";
	b.ask.rightful = strcmp(b.ask.verb, "release") == 0 && chance(m, 50);
	b.ask.uids = a.ask.uids;
	name_some(m, &a);
	a.ask.others = count_others(&a);
	b.ask.others = count_others(&b);
	permit(&a);
	permit(&b);
	Rival r = {m->w, b.ask};
	GThread *thread = g_thread_new("rival", rival, &r);
	g_autofree G_GNUC_UNUSED char *said = world_said(m->desks[0], &a.ask);
	g_thread_join(thread);
	find_waiting(m, &a);
	step_clear(&a);
	step_clear(&b);
}

/* ---- all of it ------------------------------------------------------------------------ */

static void step(Model *m)
{
	if (m->pool->len < 5 || (m->pool->len < POOL && chance(m, 45)))
		new_message(m);
	guint what = dice(m, 100);
	if (what < 70)
		decide(m);
	else if (what < 85)
		agree(m);
	else if (what < 90)
		correct(m);
	else if (what < 92)
		contend(m);
	else if (what < 94)
		expire(m);
	else
		take_up(m);
	check_all(m);
}

static guint32 number_of(const char *variable, guint32 otherwise)
{
	const char *text = g_getenv(variable);
	return text != NULL ? (guint32)strtoul(text, NULL, 10) : otherwise;
}

static void learn(void)
{
	for (guint i = 0; i < 4; i++) {
		owners[i] = i < 3 ? 1u << i : 0; /* C-10004 and later belong to nobody */
		receives[i] = i < 3 ? 1u << i : 0;
	}
	owners[3] = 1u << 3;
	receives[3] = 1u << 0 | 1u << 3;
}

static void test_model(void)
{
	g_autoptr(GError) error = NULL;
	guint32 seed = number_of("MISSENT_SEED", g_test_rand_int()),
		steps = number_of("MISSENT_STEPS", STEPS);
	World *w = world_new(
		"", " two-person-above = 3\n expire-after = 1d\n expire-warning = 1h\n");
	world_mapping(w,
		"AC-1,recipient,a@alpha.example\nAC-2,recipient,b@beta.example\nAC-3,recipient,c@gamma.example\n"
		"AC-1,recipient,d@delta.example\nAC-4,recipient,d@delta.example\nAC-1,customer-number,C-10001\n"
		"AC-2,customer-number,C-10002\nAC-3,customer-number,C-10003\nAC-4,customer-number,C-10004\n");
	learn();
	g_test_message("MISSENT_SEED=%u MISSENT_STEPS=%u", seed, steps);
	Model m = {.w = w,
		.rand = g_rand_new_with_seed(seed),
		.pool = g_ptr_array_new_with_free_func(message_free),
		.waiting = g_ptr_array_new_with_free_func(g_free)};
	m.runtime = ms_runtime_load(w->config, MS_PARTS_CHECK, NULL, &error);
	g_assert_no_error(error);
	m.desks[0] = world_desk(w);
	m.desks[1] = world_desk(w);
	for (guint i = 0; i < steps; i++)
		step(&m);
	take_up(&m);
	check_all(&m);
	for (guint i = 0; i < m.pool->len; i++)
		g_assert_false(((Message *)m.pool->pdata[i])->unsettled);
	g_test_message(
		"%u messages; %u decisions done, %u refused, %u killed, %u agreed on or withdrawn, %u judged "
		"again, %u times the clock",
		m.names, m.done, m.refused, m.killed, m.agreed, m.judged, m.expired);
	g_assert_cmpuint(m.done, >, steps / 8);
	g_assert_cmpuint(m.killed, >, steps / 100);
	g_assert_cmpuint(m.agreed, >, steps / 200);
	ms_desk_free(m.desks[0]);
	ms_desk_free(m.desks[1]);
	ms_runtime_unref(m.runtime);
	g_ptr_array_unref(m.pool);
	g_ptr_array_unref(m.waiting);
	g_rand_free(m.rand);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desk/model", test_model);
	return g_test_run();
}
