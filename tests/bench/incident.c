/*
 * incident [cost|four] - what gets out when a billing system goes wrong, and what is held when it
 * does not; or only what counting costs, or the four hosts alone.  Judges made readings by the
 * shipped policies and defaults, enforced, with a clock of its own: no reader, no MTA.  One host
 * counts in SQLite; where there is a redis-server four hosts share one that is started for it.
 * Run it from the source folder.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "missent/answer.h"
#include "missent/engine.h"

#include "../redis.h"
#include "../test.h"

#define ACCOUNTS 20000
#define MONTHS 5
#define MONTH (30 * 86400)
#define BEGIN 1764158400
#define SENDER "billing@example.com"

static const guint8 key[32] = {42};
static MsKinds *kinds;
static MsPolicies *policies,
	*without; /* `without`: a directory nothing can be proven; that alone is let go */
static MsGuardLimits shipped;
static char *dir;
static char *redis_address; /* NULL: there is none */

/* ---- customers ------------------------------------------------------------------------ */

typedef struct {
	char *address, *also; /* `also`: of an accountant who gets a copy; or NULL */
	char *contact;        /* whom the mail greets, canonical */
	bool business;
} Customer;
static Customer customers[ACCOUNTS];

static void set_contact(Customer *c, char *contact)
{
	g_free(c->contact);
	c->contact = contact;
}

static void set_address(Customer *c, char *address)
{
	g_free(c->address);
	c->address = address;
}

/* Six of ten have mail at one of ten large providers; some belong to resellers, who get all of
 * theirs, mostly under a name of the reseller's own; some let an accountant have a copy. */
static void make_customers(GRand *rand)
{
	guint reseller = 0, left = 0, accountant = 0, clients = 0;
	for (guint i = 0; i < ACCOUNTS; i++) {
		Customer *c = &customers[i];
		c->business = g_rand_int_range(rand, 0, 10) < 4;
		set_contact(c, g_strdup_printf("person%u", i));
		set_address(c,
			c->business ? g_strdup_printf("billing@firm%u.example", i)
				    : g_strdup_printf("person%u@provider%u.example", i, i % 10));
		g_clear_pointer(&c->also, g_free);
		if (left == 0 && reseller < 40 && g_rand_int_range(rand, 0, 300) == 0) {
			reseller++;
			left = (guint)g_rand_int_range(rand, 10, 60);
		}
		if (left > 0) {
			left--;
			set_address(c, g_strdup_printf("invoices@reseller%u.example", reseller));
			if (g_rand_int_range(rand, 0, 10) > 0)
				set_contact(c,
					g_strdup_printf("reseller%u %d", reseller,
						g_rand_int_range(rand, 0, 3)));
			continue;
		}
		if (clients == 0) {
			accountant++;
			clients = (guint)g_rand_int_range(rand, 5, 30);
		}
		if (c->business && g_rand_int_range(rand, 0, 3) == 0) {
			clients--;
			c->also = g_strdup_printf("office@accountant%u.example", accountant);
		}
	}
}

/* ---- messages ------------------------------------------------------------------------- */

typedef struct {
	MsGuard *hosts[4];
	guint n_hosts;
	bool directory; /* it knows all; else it is empty */
	bool unguarded;
	gint64 now;
	guint number;   /* of messages */
	guint invoices;
	guint64 sent, held, leaked, tripped, healthy_held;
	gint64 microseconds;
} World;

typedef struct {
	MsEnvelope *envelope;
	MsReading *reading;
	GArray *owners; /* of gint: an account each finding; -1: the house */
	GArray *to;     /* of gint: an account each recipient; -1: somebody's */
} Mail;

static Mail mail_new(World *w)
{
	Mail m = {ms_envelope_new(), ms_reading_new(), g_array_new(FALSE, FALSE, sizeof(gint)),
		g_array_new(FALSE, FALSE, sizeof(gint))};
	m.envelope->sender = g_strdup(SENDER);
	m.envelope->host = g_strdup("mx1.example");
	m.envelope->queue_id = g_strdup_printf("Q%u", ++w->number);
	m.envelope->arrived = w->now * G_USEC_PER_SEC;
	MsHeader *id = g_new0(MsHeader, 1);
	*id = (MsHeader){g_strdup("Message-ID"), g_strdup_printf("<%u@example.com>", w->number)};
	g_ptr_array_add(m.reading->headers, id);
	return m;
}

static void mail_clear(Mail *m)
{
	ms_envelope_free(m->envelope);
	ms_reading_free(m->reading);
	g_array_unref(m->owners);
	g_array_unref(m->to);
}

static void add_finding(Mail *m, const char *kind, const char *value, gint owner)
{
	guint before = m->reading->findings->len;
	ms_reading_find(m->reading, kind, value, MS_BELIEF_LABELLED, 0,
		ms_place_new("part 1", "x", 0, 1, 1));
	if (m->reading->findings->len > before)
		g_array_append_val(m->owners, owner);
}

/* The text of the mail, whoever it greets, and whom it greets. */
static void set_text(Mail *m, const char *text, const char *greeted)
{
	if (m->reading->faces->len == 0)
		g_ptr_array_add(m->reading->faces, g_strdup("message"));
	ms_reading_add_text(m->reading, 0, text, strlen(text));
	ms_reading_greet(m->reading, greeted);
	for (guint i = 0; i < m->reading->findings->len; i++)
		((MsFinding *)m->reading->findings->pdata[i])->texts = 1;
}

static void add_recipient(Mail *m, const char *address, gint account)
{
	g_ptr_array_add(m->envelope->recipients, g_strdup(address));
	g_array_append_val(m->to, account);
}

static void add_house(Mail *m)
{
	add_finding(m, "vat-id", "DE136695976", -1);
	add_finding(m, "iban", "DE89370400440532013000", -1);
}

static void add_customer(Mail *m, guint account)
{
	g_autofree char *number = g_strdup_printf("K%05u", account);
	g_autofree char *vat = g_strdup_printf("ATU%08u", account);
	add_finding(m, "customer-number", number, (gint)account);
	if (customers[account].business)
		add_finding(m, "vat-id", vat, (gint)account);
}

static void add_invoice(Mail *m, guint account, guint invoice)
{
	g_autofree char *number = g_strdup_printf("R%07u", invoice);
	add_house(m);
	add_customer(m, account);
	add_finding(m, "invoice-number", number, (gint)account);
	set_text(m, number, customers[account].contact);
}

static void address_to(Mail *m, guint account)
{
	add_recipient(m, customers[account].address, (gint)account);
	if (customers[account].also != NULL)
		add_recipient(m, customers[account].also, (gint)account);
}

/* ---- judging -------------------------------------------------------------------------- */

static guint account_union(MsResolution *r, gint account)
{
	g_autofree char *name = account >= 0 ? g_strdup_printf("A%d", account) : g_strdup("house");
	const char *names[] = {name};
	guint list = ms_resolution_list(r, names, 1);
	return ms_resolution_union(r, &list, 1);
}

/* A reseller and an accountant may receive for all that are theirs. */
static void add_mailbox(const World *w, MsResolution *r, const Mail *m, guint i)
{
	g_autoptr(GArray) lists = g_array_new(FALSE, FALSE, sizeof(guint));
	const char *address = m->envelope->recipients->pdata[i];
	gint own = g_array_index(m->to, gint, i);
	for (guint k = 0; w->directory && k < m->owners->len; k++) {
		gint owner = g_array_index(m->owners, gint, k);
		bool may = owner >= 0 && (strcmp(customers[owner].address, address) == 0
			|| g_strcmp0(customers[owner].also, address) == 0);
		if (may || (k == 0 && own >= 0)) {
			g_autofree char *name = g_strdup_printf("A%d", may ? owner : own);
			const char *names[] = {name};
			guint list = ms_resolution_list(r, names, 1);
			g_array_append_val(lists, list);
		}
	}
	guint mailbox = lists->len > 0
		? ms_resolution_union(r, (guint *)(void *)lists->data, lists->len)
		: 0;
	ms_resolution_recipient(r, &mailbox, 1);
}

static MsResolution *resolve(const World *w, const Mail *m)
{
	MsResolution *r = ms_resolution_new("house", NULL);
	for (guint i = 0; i < m->owners->len; i++)
		ms_resolution_identifier(r,
			w->directory ? account_union(r, g_array_index(m->owners, gint, i)) : 0, 0,
			0);
	for (guint i = 0; i < m->envelope->recipients->len; i++)
		add_mailbox(w, r, m, i);
	ms_resolution_settle(r);
	return r;
}

static void count(World *w, const Mail *m, MsResolution *resolution, MsVerdict *verdict)
{
	MsGuardStream streams[MS_GUARD_STREAMS];
	const MsPolicies *p = w->directory ? policies : without;
	guint n = ms_policy_streams(p, verdict, streams);
	const MsGuardMessage message = {m->envelope, m->reading, resolution, verdict->outcomes,
		streams, n, verdict->action >= MS_HOLD, w->now};
	g_autoptr(MsGuardCounts) counts = NULL;
	g_autoptr(GError) error = NULL;
	if (ms_guard_count(w->hosts[w->number % w->n_hosts], &message, &counts, &error) != MS_FOUND)
		g_error("%s", error->message);
	w->tripped += counts->tripped != 0;
	ms_policy_judge_counts(p, m->envelope, m->reading, resolution, counts, NULL, verdict);
}

/* Was it delivered?  `wrong`: recipients who have no right to it. */
static bool judge(World *w, Mail *m, guint wrong)
{
	g_autoptr(MsResolution) resolution = resolve(w, m);
	gint64 start = cpu_time();
	g_autoptr(MsVerdict) verdict = ms_policy_judge(
		w->directory ? policies : without, m->envelope, m->reading, resolution, NULL);
	if (!w->unguarded)
		count(w, m, resolution, verdict);
	w->microseconds += cpu_time() - start;
	bool delivered = verdict->action < MS_HOLD;
	w->sent++;
	w->held += !delivered;
	w->leaked += delivered ? wrong : 0;
	if (g_getenv("INCIDENT_DEBUG") != NULL && !delivered && wrong == 0) {
		const MsReason *reason = verdict->reasons->pdata[0];
		fprintf(stderr, "held: %s %s to %s (%s)\n", ms_reason_names[reason->code],
			reason->masked != NULL ? reason->masked : "",
			(char *)m->envelope->recipients->pdata[0], reason->text);
	}
	mail_clear(m);
	return delivered;
}

/* ---- a healthy month ------------------------------------------------------------------ */

static void send_invoice(World *w, guint account, guint invoice)
{
	Mail m = mail_new(w);
	add_invoice(&m, account, invoice);
	address_to(&m, account);
	judge(w, &m, 0);
}

static void change_address(GRand *rand, guint account)
{
	Customer *c = &customers[account];
	guint how = (guint)g_rand_int_range(rand, 0, 4), n = (guint)g_rand_int(rand);
	if (how == 0 && c->business)
		set_address(c, g_strdup_printf("accounts%u@firm%u.example", n, account));
	else if (how == 1)
		set_address(c,
			g_strdup_printf(
				"invoices@reseller%d.example", g_rand_int_range(rand, 1, 40)));
	else
		set_address(c, g_strdup_printf("new%u@provider%u.example", n, n % 10));
}

/* Invoices to all within six hours, as the run goes: some corrected the next day, some reminded
 * of twice, a few with a new address; a newsletter with the sender's own numbers below; a letter
 * with new terms. */
static void healthy_month(World *w, GRand *rand, guint from, guint most)
{
	gint64 begin = w->now;
	guint first = w->invoices;
	w->invoices += ACCOUNTS;
	for (guint i = 0; i < ACCOUNTS && w->sent < most; i++) {
		w->now = begin + i;
		if (from > 0 && g_rand_int_range(rand, 0, 200) == 0)
			change_address(rand, i);
		send_invoice(w, i, first + i);
	}
	for (guint i = 0; i < ACCOUNTS / 20 && w->sent < most; i++) {
		guint account = (guint)g_rand_int_range(rand, 0, ACCOUNTS);
		w->now = begin + 86400 + i;
		/* corrected; sent again */
		send_invoice(w, account, i % 5 == 0 ? w->invoices++ : first + account);
	}
	for (guint i = 0; i < ACCOUNTS / 20 && w->sent < most; i++) {
		guint account = (guint)g_rand_int_range(rand, 0, ACCOUNTS);
		w->now = begin + 14 * 86400 + i;
		send_invoice(w, account, first + account);
		if (i % 4 == 0)
			send_invoice(w, account, first + account);
	}
	for (guint i = 0; i < ACCOUNTS / 10 && w->sent < most; i++) {
		Mail m = mail_new(w);
		w->now = begin + 20 * 86400 + i;
		if (i % 2 == 0)
			add_house(&m);
		set_text(&m, i % 3 > 0 ? "newsletter" : "new terms", customers[i * 10].contact);
		add_recipient(&m, customers[i * 10].address, (gint)i * 10);
		judge(w, &m, 0);
	}
	w->now = begin + MONTH;
}

/* ---- incidents ------------------------------------------------------------------------ */

#define ENOUGH 3000 /* messages, after which a stream that runs is not going to stop */

/* 2019: each invoice to its customer and to dozens of others, one message to each. */
static void each_to_dozens(World *w, GRand *rand)
{
	guint64 until = w->sent + ENOUGH;
	for (guint i = 0; w->sent < until; i++) {
		guint account = (guint)g_rand_int_range(rand, 0, ACCOUNTS), invoice = w->invoices++;
		send_invoice(w, account, invoice);
		for (gint k = g_rand_int_range(rand, 24, 60); k > 0; k--) {
			Mail m = mail_new(w);
			guint other = (guint)g_rand_int_range(rand, 0, ACCOUNTS);
			add_invoice(&m, account, invoice);
			add_recipient(&m, customers[other].address, (gint)other);
			judge(w, &m, 1);
			w->now += k % 2;
		}
	}
}

/* The same in one message, for all to see. */
static void all_at_once(World *w, GRand *rand)
{
	for (guint i = 0; i < 200; i++) {
		guint account = (guint)g_rand_int_range(rand, 0, ACCOUNTS);
		gint n = g_rand_int_range(rand, 24, 60);
		Mail m = mail_new(w);
		add_invoice(&m, account, w->invoices++);
		for (gint k = 0; k < n; k++) {
			guint other = (guint)g_rand_int_range(rand, 0, ACCOUNTS);
			add_recipient(&m, customers[other].address, (gint)other);
		}
		m.reading->visible_total = (guint)n;
		judge(w, &m, (guint)n);
		w->now++;
	}
}

/* A hundred invoices at a time, round after round: the first to whom they are for, the others to
 * others. */
static void round_after_round(World *w, GRand *rand)
{
	guint first = w->invoices;
	w->invoices += 100;
	for (guint round = 0; round < 30; round++) {
		for (guint i = 0; i < 100; i++) {
			Mail m = mail_new(w);
			guint other = round == 0 ? i * 7
						 : (guint)g_rand_int_range(rand, 0, ACCOUNTS);
			add_invoice(&m, i * 7, first + i);
			add_recipient(&m, customers[other].address, (gint)other);
			judge(w, &m, other != i * 7);
			w->now++;
		}
	}
}

static bool gets(guint account, const char *address)
{
	return strcmp(customers[account].address, address) == 0 ||
		g_strcmp0(customers[account].also, address) == 0;
}

static void shifted_by_a_row(World *w, GRand *rand)
{
	(void)rand;
	for (guint i = 1; i < ENOUGH; i++) {
		Mail m = mail_new(w);
		add_invoice(&m, i, w->invoices++);
		address_to(&m, i - 1);
		judge(w, &m, !gets(i, customers[i - 1].address));
		w->now++;
	}
}

/* Of a batch of fifty each has the attachments of all before it. */
static void piling_up(World *w, GRand *rand)
{
	(void)rand;
	for (guint i = 0; i < ENOUGH; i++) {
		Mail m = mail_new(w);
		for (guint k = i - i % 50; k <= i; k++)
			add_invoice(&m, k, 9000000 + k);
		add_recipient(&m, customers[i].address, (gint)i);
		judge(w, &m, i % 50 > 0);
		w->now++;
	}
}

/* One address stands at three hundred accounts, among the others' mail. */
static void placeholder(World *w, GRand *rand)
{
	for (guint i = 0; i < ENOUGH; i++) {
		Mail m = mail_new(w);
		bool wrong = i % 10 == 0;
		guint account = wrong ? (guint)g_rand_int_range(rand, 0, ACCOUNTS) : i;
		add_invoice(&m, account, w->invoices++);
		add_recipient(&m,
			wrong ? "someone@placeholder.example" : customers[account].address,
			wrong ? -1 : (gint)account);
		judge(w, &m, wrong);
		w->now++;
	}
}

static void customer_list(World *w, GRand *rand)
{
	(void)rand;
	Mail m = mail_new(w);
	for (guint i = 0; i < 2000; i++) /* what the reader reports of 15,000: max-findings */
		add_customer(&m, i);
	ms_reading_unread(m.reading, "part 2 list.csv", MS_UNREAD_LIMIT,
		"more identifiers than max-findings allows");
	add_recipient(&m, customers[5000].address, 5000);
	judge(w, &m, 1);
}

static void cc_for_bcc(World *w, GRand *rand)
{
	(void)rand;
	for (guint i = 0; i < 20; i++) {
		Mail m = mail_new(w);
		for (guint k = 0; k < 20; k++) /* as a client splits them */
			add_recipient(&m, customers[i * 20 + k].address, (gint)(i * 20 + k));
		m.reading->visible_total = 400;
		judge(w, &m, 20);
	}
}

typedef struct {
	const char *name;
	void (*run)(World *w, GRand *rand);
	bool needs_memory; /* each message by itself is like a right one: only who knows who usually gets what can tell */
} Shape;
static const Shape shapes[] = {
	{"each to dozens, one by one", each_to_dozens},
	{"each to dozens, at once", all_at_once},
	{"a hundred invoices, round after round", round_after_round},
	{"shifted by one row *", shifted_by_a_row, true},
	{"attachments that pile up", piling_up},
	{"a placeholder at 300 accounts *", placeholder, true},
	{"a list of 15,000 attached", customer_list},
	{"Cc instead of Bcc", cc_for_bcc},
};

/* ---- worlds --------------------------------------------------------------------------- */

static char *file_named(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static void open_world(World *w, const char *file, const MsGuardLimits *limits, const char *prefix)
{
	const MsRedisSettings redis = {
		.address = redis_address, .timeout_ms = 10000, .connections = 1};
	memset(w, 0, sizeof *w);
	w->n_hosts = prefix != NULL ? 4 : 1;
	w->now = BEGIN;
	for (guint i = 0; i < w->n_hosts; i++) {
		const MsGuardSettings settings = {.on_redis = prefix != NULL,
			.sqlite = file,
			.redis = &redis,
			.redis_prefix = prefix,
			.key = key,
			.limits = *limits};
		g_autoptr(GError) error = NULL;
		w->hosts[i] = ms_guard_open(&settings, &error);
		if (w->hosts[i] == NULL)
			g_error("%s", error->message);
	}
}

static void close_world(World *w)
{
	for (guint i = 0; i < w->n_hosts; i++)
		ms_guard_free(w->hosts[i]);
}

static void copy_file(const char *from, const char *to)
{
	g_autofree char *data = NULL;
	gsize len;
	g_assert_true(g_file_get_contents(from, &data, &len, NULL));
	g_assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
}

/* What gets out of a shape, in a world that begins where `base` (or nothing) ended. */
static guint64 leak(const Shape *shape, const World *base, const char *file,
	const MsGuardLimits *limits, bool directory)
{
	World w;
	g_autofree char *here = file_named("run.db");
	g_autoptr(GRand) rand = g_rand_new_with_seed(2019);
	g_unlink(here);
	if (base != NULL)
		copy_file(file, here);
	open_world(&w, here, limits, NULL);
	w.directory = directory;
	w.number = base != NULL ? base->number : 0;
	w.now = base != NULL ? base->now : BEGIN;
	w.invoices = base != NULL ? base->invoices : 0;
	shape->run(&w, rand);
	close_world(&w);
	return w.leaked;
}

static void table(const World *base, const char *file, guint64 *worst_out, guint64 *known_out)
{
	MsGuardLimits strict = shipped, lax = shipped;
	strict.fan_out = 5;
	strict.fan_out_domains = 3;
	strict.breaker_recent = 3;
	lax.fan_out = 30;
	lax.fan_out_domains = 15;
	lax.breaker_recent = 10;
	printf("got out, empty directory               | no memory | a month | a month, fan-out 5/3, 3 of 20 | a month, fan-out 30/15, 10 of 20 | directory\n");
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		guint64 cold = leak(&shapes[i], NULL, NULL, &shipped, false);
		guint64 warm = leak(&shapes[i], base, file, &shipped, false);
		guint64 known = leak(&shapes[i], base, file, &shipped, true);
		printf("%-38s | %9" G_GUINT64_FORMAT " | %7" G_GUINT64_FORMAT
		       " | %29" G_GUINT64_FORMAT " | %32" G_GUINT64_FORMAT " | %9" G_GUINT64_FORMAT
		       "\n",
			shapes[i].name, cold, warm, leak(&shapes[i], base, file, &strict, false),
			leak(&shapes[i], base, file, &lax, false), known);
		*worst_out = MAX(*worst_out, shapes[i].needs_memory ? warm : MAX(cold, warm));
		*known_out += known;
	}
	printf("* nothing but a memory or a directory tells these from right mail: the last line counts them with one\n");
}

static void healthy(World *w, const char *file, guint months, guint most, const char *prefix)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20190517);
	make_customers(rand);
	open_world(w, file, &shipped, prefix);
	for (guint month = 0; month < months && w->sent < most; month++)
		healthy_month(w, rand, month, most);
	w->healthy_held = w->held;
}

/* ---- what it costs -------------------------------------------------------------------- */

/* The same two months, without and with: CPU of this process, and of the server where there is
 * one. */
static gint64 cost_of(bool unguarded, bool directory, const char *prefix, guint64 *n_out)
{
	World w;
	g_autoptr(GRand) rand = g_rand_new_with_seed(20190517);
	g_autofree char *file = file_named(directory ? "known.db" : "cost.db");
	make_customers(rand);
	open_world(&w, file, &shipped, prefix);
	w.unguarded = unguarded;
	w.directory = directory;
	healthy_month(&w, rand, 0, ACCOUNTS / 2);
	w.microseconds = 0;
	w.sent = 0;
	w.now += MONTH;
	healthy_month(&w, rand, 0, ACCOUNTS / 2);
	close_world(&w);
	*n_out = w.sent;
	return w.microseconds;
}

static gint64 server_time(GPid redis)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)redis), *text = NULL;
	if (redis == 0 || !g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	unsigned long user = 0, system = 0;
	sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system);
	return (gint64)(user + system) * G_USEC_PER_SEC / sysconf(_SC_CLK_TCK);
}

static void print_cost(GPid redis)
{
	for (int directory = 0; directory < 2; directory++) {
		guint64 n;
		gint64 off = cost_of(true, directory, NULL, &n),
		       on = cost_of(false, directory, NULL, &n);
		printf("judging a message, %s directory: %.1f us; with the guard on SQLite %.1f us",
			directory ? "whole" : "empty", (double)off / (double)n,
			(double)on / (double)n);
		if (redis != 0) {
			gint64 before = server_time(redis);
			on = cost_of(false, directory, directory ? "known" : "unknown", &n);
			printf("; on Redis %.1f us and %.1f us of the server",
				(double)on / (double)n,
				(double)(server_time(redis) - before) / (double)n / 2);
		}
		printf("\n");
	}
}

/* ---- four hosts ------------------------------------------------------------------------ */

/* One incident after the other: two days later, and its stream was let run again. */
static void begin_anew(World *w)
{
	g_autoptr(MsGuardStatus) status = NULL;
	g_autoptr(GError) error = NULL;
	w->now += 2 * 86400;
	w->leaked = 0;
	if (ms_guard_status(w->hosts[0], &status, &error) != MS_FOUND)
		g_error("%s", error->message);
	for (guint i = 0; i < status->states->len; i++)
		ms_guard_reset(w->hosts[1], ((MsGuardState *)status->states->pdata[i])->id, w->now,
			&error);
	g_assert_no_error(error);
}

static guint64 leak_of_four(const Shape *shape, World *base)
{
	World cold;
	g_autofree char *prefix = g_strdup_printf("cold%td", shape - shapes);
	g_autoptr(GRand) rand = g_rand_new_with_seed(2019);
	if (base == NULL)
		open_world(&cold, NULL, &shipped, prefix);
	else
		begin_anew(base);
	World *w = base != NULL ? base : &cold;
	shape->run(w, rand);
	if (base == NULL)
		close_world(&cold);
	return w->leaked;
}

static void on_four_hosts(guint64 *worst_out, World *base)
{
	healthy(base, NULL, MONTHS, 100000, "warm");
	printf("four hosts, one Redis, healthy: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
	       " held\n",
		base->sent, base->held);
	printf("got out, empty directory               | no memory | five months\n");
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		guint64 cold = leak_of_four(&shapes[i], NULL),
			warm = leak_of_four(&shapes[i], base);
		printf("%-38s | %9" G_GUINT64_FORMAT " | %7" G_GUINT64_FORMAT "\n", shapes[i].name,
			cold, warm);
		*worst_out = MAX(*worst_out, shapes[i].needs_memory ? warm : MAX(cold, warm));
	}
	close_world(base);
}

static char *read_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, &error))
		g_error("%s", error->message);
	return text;
}

static void load(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *conf = file_named("missent.conf");
	g_assert_true(g_file_set_contents(conf, "directory { digests = no }\n", -1, NULL));
	static MsSettings *settings;
	settings = ms_settings_load(conf, &error);
	g_assert_no_error(error);
	shipped = settings->guard.limits;
	g_autofree char *words = read_file("policies/kinds.conf");
	g_autofree char *policy = read_file("policies/invoices.conf");
	kinds = ms_kinds_parse("kinds.conf", words, &error);
	g_assert_no_error(error);
	policies = ms_policies_parse("invoices.conf", policy, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	g_autoptr(GRegex) proof = g_regex_new("on-unproven *= *hold", 0, 0, NULL);
	g_autofree char *open = g_regex_replace_literal(
		proof, policy, -1, 0, "on-unproven = deliver", 0, NULL);
	g_assert_cmpstr(open, !=, policy);
	without = ms_policies_parse("invoices.conf", open, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
}

static void replay(GPid redis)
{
	World base, all, four = {0};
	guint64 worst = 0, known = 0, four_worst = 0;
	g_autofree char *warm = file_named("warm.db");
	healthy(&all, ":memory:", MONTHS, 100000, NULL);
	close_world(&all);
	printf("healthy: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
	       " held, a stream stopped %" G_GUINT64_FORMAT " times\n",
		all.sent, all.held, all.tripped);
	healthy(&base, warm, 1, G_MAXUINT, NULL);
	close_world(&base);
	table(&base, warm, &worst, &known);
	guint64 false_trips = all.held;
	if (redis != 0) {
		on_four_hosts(&four_worst, &four);
		false_trips = MAX(false_trips, four.healthy_held);
	}
	printf("incident: with directory %" G_GUINT64_FORMAT
	       " leaked; without directory %" G_GUINT64_FORMAT
	       " leaked; false trips %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "\n",
		known, MAX(worst, four_worst), false_trips, all.sent);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	dir = scratch_folder();
	load();
	GPid redis = start_redis(dir, &redis_address);
	World four;
	guint64 worst = 0;
	const char *part = argc > 1 ? argv[1] : "";
	if (strcmp(part, "four") != 0)
		print_cost(redis);
	if (strcmp(part, "four") == 0 && redis != 0)
		on_four_hosts(&worst, &four);
	else if (strcmp(part, "cost") != 0)
		replay(redis);
	if (redis != 0) {
		kill(redis, SIGTERM);
		waitpid(redis, NULL, 0);
	}
	remove_folder(dir);
	g_free(dir);
	g_free(redis_address);
	return 0;
}
