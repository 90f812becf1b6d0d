/*
 * Who has a right to what, at any size: the same answers as one question after the other gives, at
 * a cost that grows with what comes in and not with its product, and an honest word where even
 * that is too much.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/directory.h"
#include "missent/policy.h"

#include "../test.h"

static MsKinds *kinds;

/* ---- the same as asking one by one ---------------------------------------------------- */

#define ACCOUNTS 12 /* 0 is the house */
#define MOST 6

typedef struct {
	guint owners, receivers, partial; /* bits of accounts */
	guint also[2], also_receivers[2]; /* the same of what else may be meant; 0: nobody's */
} Thing;

typedef struct {
	guint mailboxes[3];
	guint n;
} Person;

static guint a_union(MsResolution *r, guint accounts)
{
	/* As several lists, some of them empty, as keys bring them. */
	guint lists[3];
	for (guint part = 0; part < 3; part++) {
		g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
		for (guint i = 0; i < ACCOUNTS; i++)
			if (accounts >> i & 1 && (i % 3 == part || i % 5 == part))
				g_ptr_array_add(names,
					i == 0 ? g_strdup("house") : g_strdup_printf("AC-%u", i));
		lists[part] = ms_resolution_list(r, (const char *const *)names->pdata, names->len);
	}
	return ms_resolution_union(r, lists, 3);
}

static MsRelation one_mailbox(const Thing *t, guint accounts)
{
	if (t->owners == 0)
		return accounts & (t->partial | t->receivers) ? MS_OWN : MS_UNKNOWN;
	if (accounts & (t->owners | t->receivers))
		return MS_OWN;
	return (t->owners | accounts) & 1 ? MS_HOUSE : MS_OTHER;
}

static MsRelation if_meant(const Thing *t, const Person *p)
{
	static const int bad[] = {[MS_OWN] = 0, [MS_HOUSE] = 1, [MS_UNKNOWN] = 2, [MS_OTHER] = 3};
	MsRelation worst = MS_OWN;
	for (guint i = 0; i < p->n; i++) {
		MsRelation r = one_mailbox(t, p->mailboxes[i]);
		worst = bad[r] > bad[worst] ? r : worst;
	}
	return worst;
}

/* All that it may mean, of what somebody owns: the first is itself. */
static guint meanings_of(const Thing *t, Thing out[3])
{
	guint n = 1;
	out[0] = *t;
	for (guint i = 0; t->owners != 0 && i < 2; i++)
		if (t->also[i] != 0)
			out[n++] = (Thing){t->also[i], t->also_receivers[i], 0, {0}, {0}};
	return n;
}

static MsRelation by_hand(const Thing *t, const Person *p)
{
	Thing all[3];
	bool own = false, house = false;
	guint n = meanings_of(t, all);
	for (guint i = 0; i < n; i++) {
		own = own || if_meant(&all[i], p) == MS_OWN;
		house = house || if_meant(&all[i], p) == MS_HOUSE;
	}
	return n == 1 ? if_meant(t, p) : own ? MS_OWN : house ? MS_HOUSE : MS_OTHER;
}

static bool sure_by_hand(const Thing *t, const Person *p)
{
	Thing all[3];
	bool sure = true;
	for (guint i = 0, n = meanings_of(t, all); i < n; i++)
		sure = sure && if_meant(&all[i], p) == MS_OWN;
	return sure;
}

static bool is_houses(const Thing *t)
{
	return ((t->owners | t->also[0] | t->also[1]) & 1) != 0;
}

static bool other_by_hand(const Thing *t, const Person *p, int rule)
{
	MsRelation r = by_hand(t, p);
	return r == MS_OTHER || (r == MS_HOUSE && rule == MS_HOUSE_JUDGED && !is_houses(t));
}

static guint common(const Person *p)
{
	guint all = p->mailboxes[0];
	for (guint i = 1; i < p->n; i++)
		all &= p->mailboxes[i];
	return all;
}

static guint few_bits(void)
{
	guint bits = 0;
	for (int n = g_test_rand_int_range(0, 4); n > 0; n--)
		bits |= 1u << g_test_rand_int_range(0, ACCOUNTS);
	return bits;
}

static void compare_thing(
	const MsResolution *r, guint index, const Thing *t, const Person *people, guint n)
{
	bool theirs = false;
	for (guint i = 0; i < n; i++) {
		g_assert_cmpint(ms_resolution_relation(r, index, i), ==, by_hand(t, &people[i]));
		g_assert_cmpint(
			ms_resolution_if_meant(r, index, i), ==, if_meant(t, &people[i]));
		theirs = theirs || by_hand(t, &people[i]) == MS_OWN;
	}
	g_assert_cmpint(ms_resolution_is_theirs(r, index), ==, theirs);
	g_assert_cmpint(ms_resolution_is_owned(r, index), ==, t->owners != 0);
	for (int rule = 0; rule < MS_N_HOUSE; rule++) {
		guint others = 0, first = MS_NOBODY, first_known = MS_NOBODY;
		for (guint i = n; i-- > 0;)
			if (other_by_hand(t, &people[i], rule)) {
				others++;
				first = i;
				first_known = common(&people[i]) != 0 ? i : first_known;
			}
		g_assert_cmpuint(ms_resolution_first_other(r, index, (MsHouseRule)rule), ==,
			first_known != MS_NOBODY ? first_known : first);
		g_assert_cmpuint(
			ms_resolution_count_other(r, index, (MsHouseRule)rule), ==, others);
	}
}

static void compare_tally(
	MsResolution *r, const Thing *things, guint n_things, const Person *people, guint n)
{
	g_autoptr(MsTally) tally = ms_tally_new(r);
	g_autofree bool *in = g_new0(bool, n_things + 1);
	for (guint t = 0; t < n_things; t++)
		if ((in[t] = g_test_rand_bit()))
			ms_tally_add(tally, t);
	for (guint i = 0; i < n; i++) {
		bool own = false, other[MS_N_HOUSE] = {false};
		for (guint t = 0; t < n_things; t++) {
			own = own || (in[t] && sure_by_hand(&things[t], &people[i]));
			for (int rule = 0; rule < MS_N_HOUSE; rule++)
				other[rule] = other[rule] ||
					(in[t] && other_by_hand(&things[t], &people[i], rule));
		}
		g_assert_cmpint(ms_tally_own(tally, i), ==, own);
		for (int rule = 0; rule < MS_N_HOUSE; rule++)
			g_assert_cmpint(
				ms_tally_other(tally, i, (MsHouseRule)rule), ==, other[rule]);
	}
}

static guint owners_of(const Thing *t)
{
	return t->owners != 0 ? t->owners | t->also[0] | t->also[1] : 0;
}

static guint count_bits(guint bits)
{
	return (guint)__builtin_popcount(bits);
}

/* Worlds of all shapes: more or fewer people than a word has bits, with and without several
 * mailboxes, few different ones and many. */
static void one_world(void)
{
	Thing things[40];
	Person people[200];
	guint n_things = (guint)g_test_rand_int_range(0, 40),
	      n = (guint)g_test_rand_int_range(1, 200);
	guint several = (guint)g_test_rand_int_range(0, 4);
	g_autoptr(MsResolution) r = ms_resolution_new("house", NULL);
	for (guint i = 0; i < n_things; i++) {
		Thing *t = &things[i];
		*t = (Thing){few_bits(), few_bits(), 0, {0}, {0}};
		t->partial = t->owners == 0 ? few_bits() : 0;
		ms_resolution_identifier(
			r, a_union(r, t->owners), a_union(r, t->receivers), a_union(r, t->partial));
		for (int k = 0, more = g_test_rand_int_range(0, 5) - 2; k < more; k++) {
			t->also[k] = few_bits();
			t->also_receivers[k] = few_bits();
			ms_resolution_meaning(
				r, a_union(r, t->also[k]), a_union(r, t->also_receivers[k]));
		}
	}
	for (guint i = 0; i < n; i++) {
		Person *p = &people[i];
		p->n = several > 0 && g_test_rand_int_range(0, 4) < (int)several
			? (guint)g_test_rand_int_range(1, 4)
			: 1;
		guint mailboxes[3];
		for (guint k = 0; k < p->n; k++) {
			p->mailboxes[k] = few_bits();
			mailboxes[k] = a_union(r, p->mailboxes[k]);
		}
		ms_resolution_recipient(r, mailboxes, p->n);
	}
	ms_resolution_settle(r);
	g_assert_null(ms_resolution_over(r));
	for (guint i = 0; i < n_things; i++) {
		compare_thing(r, i, &things[i], people, n);
		g_assert_cmpuint(
			ms_resolution_owners(r, i, 3, NULL), ==, count_bits(owners_of(&things[i])));
	}
	for (guint i = 0; i < n; i++) {
		g_assert_cmpint(ms_resolution_is_unknown(r, i), ==, common(&people[i]) == 0);
		g_assert_cmpint(ms_resolution_is_house(r, i), ==, common(&people[i]) & 1);
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		g_assert_cmpuint(ms_resolution_accounts_of(r, i, 2, names), ==,
			count_bits(common(&people[i])));
		g_assert_cmpuint(names->len, ==, MIN(2, count_bits(common(&people[i]))));
	}
	compare_tally(r, things, n_things, people, n);
}

static void test_as_one_by_one(void)
{
	for (int i = 0; i < 300; i++)
		one_world();
}

static void test_keep(void)
{
	g_autoptr(MsResolution) r = ms_resolution_new("house", NULL);
	guint one = a_union(r, 2), two = a_union(r, 4);
	const guint owners[] = {one, two, 0, one};
	for (guint i = 0; i < G_N_ELEMENTS(owners); i++)
		ms_resolution_identifier(r, owners[i], 0, 0);
	ms_resolution_recipient(r, &one, 1);
	ms_resolution_settle(r);
	static const guint8 keep[] = {0, 1, 0, 1};
	ms_resolution_keep(r, keep);
	g_assert_cmpuint(ms_resolution_identifiers(r), ==, 2);
	g_assert_cmpint(ms_resolution_relation(r, 0, 0), ==, MS_OTHER);
	g_assert_cmpint(ms_resolution_relation(r, 1, 0), ==, MS_OWN);
	g_assert_cmpint(ms_resolution_sole_owner(r, 0), !=, ms_resolution_sole_owner(r, 1));
}

/* ---- at size -------------------------------------------------------------------------- */

typedef struct {
	MsEnvelope *envelope;
	MsReading *reading;
	MsResolution *resolution;
} World;

/* How the recipients' mailboxes differ. */
typedef enum {
	ONE_MAILBOX, /* tagged forms of one address that receives for all accounts */
	OWN_AND_ALL, /* each one account of his own besides those of his firm */
	OWN_ONLY,    /* each for one account */
	/* one of two firms, with half of the accounts each, and one account of his own */
	HALVES,
	N_SHAPES,
} Shape;

static guint numbered(MsResolution *r, guint from, guint until)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (guint i = from; i < until; i++)
		g_ptr_array_add(names, g_strdup_printf("AC-%u", i));
	return ms_resolution_list(r, (const char *const *)names->pdata, names->len);
}

static void add_people(World *w, Shape shape, guint n, guint accounts)
{
	MsResolution *r = w->resolution;
	guint firms[] = {numbered(r, 0, shape == HALVES ? accounts / 2 : accounts),
		numbered(r, accounts / 2, accounts)};
	for (guint i = 0; i < n; i++) {
		guint own = shape == ONE_MAILBOX ? 0 : numbered(r, i % accounts, i % accounts + 1);
		guint lists[] = {own, shape == OWN_ONLY ? 0 : firms[shape == HALVES ? i % 2 : 0]};
		guint mailbox = ms_resolution_union(r, lists, 2);
		ms_resolution_recipient(r, &mailbox, 1);
		g_ptr_array_add(w->envelope->recipients,
			g_strdup_printf("tax+%u@firm%u.example", i, i % 2));
	}
}

static World *world(
	Shape shape, guint recipients, guint accounts, guint numbers, const MsLimits *limits)
{
	World *w = g_new0(World, 1);
	w->envelope = ms_envelope_new();
	w->envelope->sender = g_strdup("billing@seller.example");
	w->reading = ms_reading_new();
	w->resolution = ms_resolution_new("house", limits);
	for (guint i = 0; i < numbers; i++) {
		g_autofree char *value = g_strdup_printf("C-%u", i);
		ms_reading_find(w->reading, "customer-number", value, MS_BELIEF_LABELLED, 0,
			ms_place_new("part 1 text/plain", "x", 0, 1, 1));
		/* the last one: nobody's here */
		guint list = numbered(w->resolution, i % (accounts + 1), i % (accounts + 1) + 1);
		ms_resolution_identifier(
			w->resolution, ms_resolution_union(w->resolution, &list, 1), 0, 0);
	}
	add_people(w, shape, recipients, accounts);
	ms_resolution_settle(w->resolution);
	MsHeader *subject = g_new0(MsHeader, 1);
	subject->name = g_strdup("Subject");
	subject->value = g_strdup("Your invoice");
	g_ptr_array_add(w->reading->headers, subject);
	return w;
}

static void world_free(World *w)
{
	ms_envelope_free(w->envelope);
	ms_reading_free(w->reading);
	ms_resolution_free(w->resolution);
	g_free(w);
}

static MsPolicies *policies(const char *body)
{
	g_autofree char *text = g_strdup_printf("policy \"p\" {\n%s\n}\n", body);
	g_autoptr(GError) error = NULL;
	MsPolicies *p = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	return p;
}

static MsVerdict *judge(World *w, const char *body)
{
	g_autoptr(MsPolicies) p = policies(body);
	return ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
}

static guint with_outcome(const MsVerdict *v, MsOutcome outcome)
{
	guint n = 0;
	for (guint i = 0; i < v->outcomes->len; i++)
		n += v->outcomes->data[i] == outcome;
	return n;
}

#define REQUIRING "require = {\"customer-number\"}\n"

/* 50,000 recipients, 20,000 accounts, 1,500 numbers: each outcome is right, and what it takes is
 * near to what comes in, which is far from the product (1.5e12). */
static void test_large(void)
{
	static const struct {
		Shape shape;
		guint numbers, right, wrong;
	} rows[] = {
		{ONE_MAILBOX, 1500, 50000, 0},
		{ONE_MAILBOX, 20001, 0, 50000}, /* one is of an account that is not theirs */
		{OWN_AND_ALL, 1500, 50000, 0},
		{OWN_ONLY, 1, 3, 49997},
		{OWN_ONLY, 1500, 0, 50000},
		{HALVES, 1500, 25000, 25000},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("row %zu", i);
		MsLimits limits;
		ms_limits_judging(&limits);
		World *w = world(rows[i].shape, 50000, 20000, rows[i].numbers, &limits);
		g_autoptr(MsVerdict)
			v = judge(w, REQUIRING "max-recipients = 100000\nmax-domains = 5\n");
		g_assert_null(ms_resolution_over(w->resolution));
		g_assert_cmpuint(with_outcome(v, MS_OUTCOME_RIGHT), ==, rows[i].right);
		g_assert_cmpuint(with_outcome(v, MS_OUTCOME_WRONG), ==, rows[i].wrong);
		g_assert_cmpint(v->action, ==, rows[i].wrong > 0 ? MS_HOLD : MS_DELIVER);
		guint64 steps = limits.max[MS_COST_STEP] -
			ms_resolution_left(w->resolution, MS_COST_STEP);
		g_test_message("%" G_GUINT64_FORMAT " steps", steps);
		g_assert_cmpuint(steps, <, 50 * 1000 * 1000);
		world_free(w);
	}
}

/* Twice as much costs twice as much. */
static void test_linear(void)
{
	for (int shape = 0; shape < N_SHAPES; shape++) {
		guint64 steps[2];
		for (guint twice = 0; twice < 2; twice++) {
			MsLimits limits;
			ms_limits_judging(&limits);
			World *w = world((Shape)shape, 10000 << twice, 5000 << twice, 400, &limits);
			ms_verdict_free(judge(w, REQUIRING));
			steps[twice] = limits.max[MS_COST_STEP] -
				ms_resolution_left(w->resolution, MS_COST_STEP);
			world_free(w);
		}
		g_test_message("shape %d: %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT, shape,
			steps[0], steps[1]);
		g_assert_cmpuint(steps[1], <, steps[0] * 5 / 2);
	}
}

/* ---- over ----------------------------------------------------------------------------- */

/* Whatever runs out, and wherever: the message is unread, for everybody, and the policy says what
 * becomes of it. */
static void check_over(MsLimits *limits, const char *body, MsAction want)
{
	World *w = world(OWN_AND_ALL, 300, 200, 100, limits);
	g_autofree char *all = g_strconcat(REQUIRING "max-recipients = 1000\n", body, NULL);
	g_autoptr(MsVerdict) v = judge(w, all);
	g_assert_nonnull(ms_resolution_over(w->resolution));
	g_assert_cmpuint(with_outcome(v, MS_OUTCOME_UNREAD), ==, 300);
	g_assert_cmpint(v->action, ==, want);
	guint unread = 0, unknown = 0;
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *reason = v->reasons->pdata[i];
		unread += reason->code == MS_UNREADABLE &&
			strstr(reason->text, "limit: ") == reason->text;
		unknown += reason->code == MS_UNKNOWN_IDENTIFIER ||
			reason->code == MS_UNKNOWN_RECIPIENT || reason->code == MS_UNPROVEN ||
			reason->code == MS_DIRECTORY_UNAVAILABLE;
	}
	g_assert_cmpuint(unread, ==, 1);
	g_assert_cmpuint(unknown, ==, 0);
	world_free(w);
}

static void test_over(void)
{
	MsLimits limits;
	ms_limits_judging(&limits);
	World *w = world(OWN_AND_ALL, 300, 200, 100, &limits);
	g_autoptr(MsVerdict) v = judge(w, REQUIRING "max-recipients = 1000\n");
	g_assert_cmpint(v->action, ==, MS_DELIVER);
	guint64 need = limits.max[MS_COST_STEP] - ms_resolution_left(w->resolution, MS_COST_STEP);
	world_free(w);
	static const MsCost costs[] = {MS_COST_ACCOUNT, MS_COST_RIGHT};
	for (gsize i = 0; i < G_N_ELEMENTS(costs); i++) {
		MsLimits less;
		ms_limits_judging(&less);
		less.max[costs[i]] = 300;
		check_over(&less, "", MS_HOLD);
		check_over(&less, "tolerate = {\"limit\"}\n", MS_HOLD);
		check_over(&less, "on-unreadable = reject\n", MS_REJECT);
		check_over(&less,
			"on-unreadable = tag\non-unknown-identifier = reject\non-unknown-recipient = reject\n",
			MS_TAG);
	}
	/* Steps may end anywhere on the way. */
	for (guint64 steps = 1; steps < need; steps += need / 97 + 1) {
		MsLimits less;
		ms_limits_judging(&less);
		less.max[MS_COST_STEP] = steps;
		check_over(&less,
			"on-unknown-identifier = reject\non-unknown-recipient = reject\non-unproven = reject\n",
			MS_HOLD);
	}
}

/* A split sends nothing to whom it was not worked out for. */
static void test_over_split(void)
{
	MsLimits less;
	ms_limits_judging(&less);
	less.max[MS_COST_ACCOUNT] = 300;
	World *w = world(OWN_AND_ALL, 300, 200, 100, &less);
	g_ptr_array_add(w->envelope->recipients, g_strdup("a%b@seller.example"));
	guint nobody = 0;
	ms_resolution_recipient(w->resolution, &nobody, 1);
	g_autoptr(MsVerdict) v = judge(
		w, "on-routed-recipient = split\non-unreadable = tag\nmax-recipients = 1000\n");
	g_assert_cmpint(v->action, ==, MS_HOLD);
	world_free(w);
}

/* ---- from the directory --------------------------------------------------------------- */

static void write_rows(int fd, const char *account, const char *rest, guint n)
{
	for (guint i = 0; i < n; i++)
		dprintf(fd, "%s-%u,%s\n", account, i, rest);
}

/* A recipient who receives for very many, a number that very many own: more than may be taken in
 * is neither nobody nor somebody. */
static void test_answers(void)
{
	static const struct {
		const char *recipients[3], *value;
		bool over;
	} rows[] = {
		{{"a@a.example"}, "C-10001", false},
		{{"a@a.example", "tax@firm.example"}, "C-10001", false},
		/* asked for once */
		{{"tax@firm.example", "tax+1@firm.example", "tax+2@firm.example"}, "C-10001",
			false},
		{{"tax@firm.example", "law@firm.example"}, "C-10001", true},
		{{"all@firm.example"}, "C-10001", true},
		{{"nobody@nowhere.example"}, "C-77777", true}, /* shared by all */
	};
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "directory.db", NULL),
			*csv = g_build_filename(dir, "in.csv", NULL);
	int fd = open(csv, O_RDWR | O_CREAT, 0600);
	dprintf(fd, "A-1,recipient,a@a.example\nA-1,customer-number,C-10001\n");
	write_rows(fd, "A", "recipient,tax@firm.example", 900);
	write_rows(fd, "B", "recipient,law@firm.example", 900);
	write_rows(fd, "C", "recipient,all@firm.example", 1500);
	write_rows(fd, "A", "customer-number,C-77777", 1500);
	MsLimits limits;
	ms_limits_judging(&limits);
	limits.max[MS_COST_ACCOUNT] = 1000;
	const MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = path,
		.house = "house",
		.tag_separators = "+",
		.judging = &limits};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDirectory) directory = ms_directory_open(&settings, kinds, &error);
	g_assert_no_error(error);
	const MsImportOptions options = {.max_shrink = 1, .source = "test"};
	MsImportResult result;
	g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
	g_assert_true(ms_directory_import(directory, fd, &options, &result, &error));
	close(fd);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize n = 0;
		while (n < 3 && rows[i].recipients[n] != NULL)
			n++;
		const char *why;
		g_autofree char *value = ms_kind_canonical(ms_kinds_find(kinds, "customer-number"),
			rows[i].value, strlen(rows[i].value), &why);
		g_autoptr(MsIdentifier) identifier = ms_identifier_new("customer-number", value);
		const MsIdentifier *list[] = {identifier};
		g_autoptr(MsResolution) r = NULL;
		g_assert_cmpint(
			ms_directory_resolve(directory, list, 1, rows[i].recipients, n, &r, &error),
			==, MS_FOUND);
		g_test_message("row %zu", i);
		g_assert_cmpint(ms_resolution_over(r) != NULL, ==, rows[i].over);
		if (rows[i].over)
			g_assert_nonnull(strstr(ms_resolution_over(r), "max-accounts"));
		else
			g_assert_cmpint(ms_resolution_relation(r, 0, 0), ==, MS_OWN);
	}
	remove_folder(dir);
}

/* ---- what is shown ---------------------------------------------------------------------- */

/* However many reasons there are, each policy's every code is kept, and all count. */
static void test_reasons(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 300; i++)
		g_string_append_printf(text, "policy \"p%d\" {\n" "on-mismatch = %s\n}\n", i,
			i == 299 ? "reject" : "hold");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPolicies)
		many = ms_policies_parse("p.conf", text->str, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	World *w = world(OWN_ONLY, 1000, 900, 901, NULL);
	g_autoptr(MsVerdict)
		v = ms_policy_judge(many, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(v->action, ==, MS_REJECT);
	g_assert_cmpuint(v->reasons->len, <=, MS_MAX_REASONS_IN_ALL + 300 * MS_N_REASONS);
	g_assert_cmpuint(v->reasons->len + v->more, ==, 300 * 901);
	guint mismatches[300] = {0};
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *reason = v->reasons->pdata[i];
		mismatches[g_ascii_strtoull(reason->policy + 1, NULL, 10)] += reason->code ==
			MS_MISMATCH;
	}
	for (int i = 0; i < 300; i++)
		g_assert_cmpuint(mismatches[i], >=, 1);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/judging/as-one-by-one", test_as_one_by_one);
	g_test_add_func("/judging/keep", test_keep);
	g_test_add_func("/judging/large", test_large);
	g_test_add_func("/judging/linear", test_linear);
	g_test_add_func("/judging/over", test_over);
	g_test_add_func("/judging/over-split", test_over_split);
	g_test_add_func("/judging/answers", test_answers);
	g_test_add_func("/judging/reasons", test_reasons);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
