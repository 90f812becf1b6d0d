/*
 * Policies and facts, and the verdict that must follow; mistakes in policies, and the policies
 * that are shipped.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/policy.h"

#include "../test.h"

static MsKinds *kinds;

/* A world small enough to see at once: who owns what, who receives for whom. */
static guint accounts(MsResolution *resolution, const char *words)
{
	g_auto(GStrv) names = g_strsplit(words, " ", -1);
	guint n = 0;
	while (names[n] != NULL && *names[n] != '\0')
		n++;
	guint list = ms_resolution_list(resolution, (const char *const *)names, n);
	return ms_resolution_union(resolution, &list, 1);
}

typedef struct {
	MsEnvelope *envelope;
	MsReading *reading;
	MsResolution *resolution;
} World;

/* `findings`: "kind value owners|receivers|partial;..."; a "?" before the kind makes it tentative.
 * `recipients`: "address accounts;..." */
static World *world(const char *findings, const char *recipients)
{
	World *w = g_new0(World, 1);
	w->envelope = ms_envelope_new();
	w->envelope->sender = g_strdup("billing@seller.example");
	w->reading = ms_reading_new();
	w->resolution = ms_resolution_new("house", NULL);
	g_auto(GStrv) rows = g_strsplit(findings, ";", -1);
	for (int i = 0; rows[i] != NULL && *rows[i] != '\0'; i++) {
		g_auto(GStrv) words = g_strsplit(rows[i], " ", 3);
		bool tentative = words[0][0] == '?';
		g_auto(GStrv) who = g_strsplit(words[2], "|", 3);
		guint n = g_strv_length(who);
		ms_reading_find(w->reading, words[0] + tentative, words[1],
			tentative ? MS_BELIEF_TENTATIVE : MS_BELIEF_SHAPE, 0,
			ms_place_new("part 1 text/plain", "x", 0, 1, 1));
		ms_resolution_identifier(w->resolution,
			accounts(w->resolution, n > 0 ? who[0] : ""),
			accounts(w->resolution, n > 1 ? who[1] : ""),
			accounts(w->resolution, n > 2 ? who[2] : ""));
	}
	g_auto(GStrv) to = g_strsplit(recipients, ";", -1);
	for (int i = 0; to[i] != NULL && *to[i] != '\0'; i++) {
		g_auto(GStrv) words = g_strsplit(to[i], " ", 2);
		g_ptr_array_add(w->envelope->recipients, g_strdup(words[0]));
		guint mailbox = accounts(w->resolution, words[1] != NULL ? words[1] : "");
		ms_resolution_recipient(w->resolution, &mailbox, 1);
	}
	ms_resolution_settle(w->resolution);
	MsHeader *subject = g_new0(MsHeader, 1);
	subject->name = g_strdup("Subject");
	subject->value = g_strdup("Your invoice");
	g_ptr_array_add(w->reading->headers, subject);
	MsHeader *long_one = g_new0(MsHeader, 1);
	long_one->name = g_strdup("X-Long");
	long_one->value = g_strnfill(2000, 'a');
	g_ptr_array_add(w->reading->headers, long_one);
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

/* Addresses that stand only in the message's own address fields. */
static void test_addressed(void)
{
	static const struct {
		const char *findings, *recipients;
		guint left;
		const char *sender;
	} cases[] = {
		{"email billing@seller.example AC-9", "a@x.example AC-1", 0}, /* the sender */
		{"email x@mail.seller.example AC-9", "a@x.example AC-1", 0},  /* its domain */
		{"email a@x.example AC-9", "A@x.example AC-1", 0},            /* in the envelope */
		{"email b@x.example AC-1", "a@x.example AC-1", 0}, /* of the same account */
		{"email new@y.example ", "a@x.example AC-1", 0},   /* nobody knows it */
		{"email b@y.example AC-2", "a@x.example AC-1;c@y.example AC-2",
			0}, /* they get it too */
		{"email b@y.example AC-2", "a@x.example AC-1", 1},
		{"email seller.example@y.example AC-2", "a@x.example AC-1", 1},
		{"email b@buyers.example AC-2", "a@x.example AC-1", 1}, /* a domain as long */
		{"email b@myseller.example AC-2", "a@x.example AC-1", 1},
		{"email b@r.example AC-2", "a@x.example AC-1", 1},
		{"email b@seller.example AC-2", "a@x.example AC-1", 0, "x@mail.seller.example"},
		{"email b@y.example AC-2", "a@x.example AC-1", 1, ""}, /* a bounce is nobody's */
		{"iban X AC-2;email b@x.example AC-1", "a@x.example AC-1", 1},
		{"email b@x.example AC-1;iban X AC-2", "a@x.example AC-1", 1},
		{"iban X AC-1;iban Y ", "a@x.example AC-1", 2}, /* not of address fields alone */
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, cases[i].recipients);
		for (guint k = 0; k < w->reading->findings->len; k++)
			((MsFinding *)w->reading->findings->pdata[k])->belief |=
				MS_BELIEF_ADDRESSED;
		if (cases[i].sender != NULL) {
			g_free(w->envelope->sender);
			w->envelope->sender = g_strdup(cases[i].sender);
		}
		g_test_message("row %zu", i);
		ms_policy_drop_addressed(w->envelope, w->reading, w->resolution);
		g_assert_cmpuint(w->reading->findings->len, ==, cases[i].left);
		g_assert_cmpuint(ms_resolution_identifiers(w->resolution), ==, cases[i].left);
		for (guint k = 0; k < w->reading->dropped->len; k++)
			g_assert_cmpstr(((MsFinding *)w->reading->dropped->pdata[k])->kind, ==,
				"email");
		world_free(w);
	}
	/* elsewhere too: it stays */
	World *w = world("email b@x.example AC-1", "a@x.example AC-1");
	ms_policy_drop_addressed(w->envelope, w->reading, w->resolution);
	g_assert_cmpuint(w->reading->findings->len, ==, 1);
	world_free(w);
}

/* What is only perhaps one counts where somebody owns it, of all kinds if none is named. */
static void test_identifiers(void)
{
	static const struct {
		const char *body;
		bool applies;
	} cases[] = {
		{"identifiers = {\"3\"}", true},
		{"not-identifiers = {\"3\"}", false},
		{"kinds = {\"iban\"}\nidentifiers = {\"2\"}", true},
		{"kinds = {\"iban\"}\nnot-identifiers = {\"2\"}", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world("iban A AC-1;?iban B AC-2;?iban C ;email a@x.example AC-1",
			"a@x.example AC-1");
		g_autoptr(MsPolicies) p = policies(cases[i].body);
		g_autofree char *not = ms_policy_why_not(
			p, 0, w->envelope, w->reading, w->resolution);
		g_autofree char *unsure = ms_policy_unsure(
			p, 0, w->envelope, w->reading, w->resolution);
		g_test_message("row %zu", i);
		g_assert_true((not == NULL) == cases[i].applies && unsure == NULL);
		world_free(w);
	}
}

/* A list of customers: of one kind that the policy looks at more than it allows, each of which is
 * one, and leads to somebody (whom it is addressed to is not of it). */
static void test_list(void)
{
	static const struct {
		const char *policy, *findings;
		bool addressed, told;
	} cases[] = {
		{"", "iban A AC-1;iban B AC-1;iban C AC-1", false, false},
		{"max-identifiers = 2", "iban A AC-1;iban B AC-1", false, false},
		{"max-identifiers = 2", "iban A AC-1;iban B AC-1;iban C AC-1", false, true},
		{"max-identifiers = 2", "iban A ;iban B ;iban C ", false, true}, /* nobody's */
		{"max-identifiers = 2", "iban A AC-1;iban B AC-1;vat-id C AC-1", false, false},
		{"max-identifiers = 2\nkinds = {\"vat-id\"}",
			"iban A AC-1;iban B AC-1;iban C AC-1", false, false},
		{"max-identifiers = 2\nkinds = {\"none\"}", "iban A AC-1;iban B AC-1;iban C AC-1",
			false, false},
		{"max-identifiers = 2", "?iban A ;?iban B ;?iban C ", false, false},
		{"max-identifiers = 2", "iban A AC-1;iban B AC-1;?iban C ", false, false},
		{"max-identifiers = 2", "iban A AC-1;?iban B AC-1;?iban C AC-1", false, true},
		{"max-identifiers = 2", "iban A AC-1;iban B AC-1;iban C AC-1", true, false},
		{"max-identifiers = 1", "iban A AC-1;iban B AC-2", false, true},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, "a@x AC-1");
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		for (guint k = 0; cases[i].addressed && k < w->reading->findings->len; k++)
			((MsFinding *)w->reading->findings->pdata[k])->belief |=
				MS_BELIEF_ADDRESSED;
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		bool told = false;
		for (guint k = 0; k < v->reasons->len; k++) {
			const MsReason *r = v->reasons->pdata[k];
			told |= r->code == MS_LIST_ATTACHED && strcmp(r->kind, "iban") == 0;
		}
		g_test_message("row %zu", i);
		g_assert_cmpint(told, ==, cases[i].told);
		world_free(w);
	}
	/* One place that may mean three is one. */
	World *w = world("iban A AC-1;iban B AC-1;iban C AC-1", "a@x AC-1");
	MsIdentifier each[] = {{(char *)"iban", (char *)"A"}, {(char *)"iban", (char *)"B"},
		{(char *)"iban", (char *)"C"}};
	for (guint k = 0; k < G_N_ELEMENTS(each); k++) {
		MsFinding *f = w->reading->findings->pdata[k];
		f->either = g_ptr_array_new();
		for (guint i = 0; i < G_N_ELEMENTS(each); i++)
			if (i != k)
				g_ptr_array_add(f->either, &each[i]);
	}
	g_autoptr(MsPolicies) p = policies("max-identifiers = 2");
	g_autoptr(MsVerdict)
		v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	for (guint k = 0; k < v->reasons->len; k++)
		g_assert_cmpint(((MsReason *)v->reasons->pdata[k])->code, !=, MS_LIST_ATTACHED);
	world_free(w);
	/* Of the directory nothing is known: what is only perhaps one does not count. */
	w = world("iban A AC-1;?iban B AC-1;?iban C AC-1", "a@x AC-1");
	g_autoptr(MsVerdict) away = ms_policy_judge(p, w->envelope, w->reading, NULL, "away");
	for (guint k = 0; k < away->reasons->len; k++)
		g_assert_cmpint(((MsReason *)away->reasons->pdata[k])->code, !=, MS_LIST_ATTACHED);
	world_free(w);
}

/* ---- of streams, for the guard ----------------------------------------------------------- */

static guint streams_of(const char *body, MsVerdict *v, MsGuardStream *streams)
{
	g_autoptr(MsPolicies) p = policies(body);
	guint n = ms_policy_streams(p, v, streams);
	for (guint i = 0; i < n; i++)
		g_assert_cmpstr(streams[i].policy, ==, "p");
	return n;
}

/* Which reasons of which policy make a message a bad one of its stream. */
static void test_bad(void)
{
	static const MsAction actions[] = {MS_DELIVER, MS_TAG, MS_HOLD};
	for (int code = 0; code < MS_N_REASONS; code++)
		for (gsize k = 0; k < 2 * G_N_ELEMENTS(actions); k++) {
			bool bad = code == MS_MISMATCH || code == MS_MIXED_ACCOUNTS ||
				code == MS_CONTRADICTION || code == MS_LIST_ATTACHED ||
				code == MS_EXPOSED_RECIPIENTS;
			g_autoptr(MsVerdict) v = ms_verdict_new();
			MsReason *r = g_new0(MsReason, 1);
			MsGuardStream streams[MS_GUARD_STREAMS];
			r->code = (MsReasonCode)code;
			r->action = actions[k / 2];
			r->policy = g_strdup(k % 2 == 0 ? "p" : "another");
			g_ptr_array_add(v->reasons, r);
			g_ptr_array_add(v->policies, g_strdup("gone"));
			g_ptr_array_add(v->policies, g_strdup("p"));
			g_test_message("%s, row %zu", ms_reason_names[code], k);
			g_assert_cmpuint(streams_of("", v, streams), ==, 1);
			g_assert_true(streams[0].bad ==
				(bad && r->action >= MS_TAG && k % 2 == 0));
		}
}

/* Which alarms a policy minds, and for which it holds. */
static void test_minds(void)
{
	static const guint all = (1U << MS_N_GUARD) - 1, unusual = 1U << MS_GUARD_UNUSUAL,
			   fan_out = 1U << MS_GUARD_FAN_OUT;
#define ON(A)                                                                                      \
	"on-fan-in = " A "\non-repeat = " A "\non-oversized = " A "\non-unusual = " A              \
	"\non-volume = " A "\non-breaker = " A "\nmax-recipients = 5\non-fan-out = "
	const struct {
		const char *body;
		guint minds, holds;
		gint64 most;
	} cases[] = {
		{ON("deliver") "deliver", unusual, 0, -1},
		{ON("deliver") "tag", unusual | fan_out, 0, -1},
		{ON("deliver") "hold", unusual | fan_out, fan_out, -1},
		{ON("tag") "tag", all, 0, 5},
		{ON("tag") "hold", all, fan_out, 5},
		{ON("hold") "deliver", all & ~fan_out, all & ~fan_out, 5},
		{ON("hold") "hold", all, all, 5},
		{"mode = observe\n" ON("hold") "hold", all, 0, 5},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MsVerdict) v = ms_verdict_new();
		MsGuardStream streams[MS_GUARD_STREAMS];
		while (v->policies->len <= MS_GUARD_STREAMS)
			g_ptr_array_add(v->policies, g_strdup("p"));
		g_test_message("row %zu", i);
		g_assert_cmpuint(streams_of(cases[i].body, v, streams), ==, MS_GUARD_STREAMS);
		g_assert_cmphex(streams[0].minds, ==, cases[i].minds);
		g_assert_cmphex(streams[0].holds, ==, cases[i].holds);
		g_assert_cmpint(streams[0].max_recipients, ==, cases[i].most);
	}
	for (int code = 0; code < MS_N_REASONS; code++)
		g_assert_true(ms_policy_is_counted((MsReasonCode)code) == (code >= MS_FAN_OUT));
}

/* What of many policies the guard was not asked about is a fact for them, and for nobody else. */
static void test_without_stream(void)
{
	static const struct {
		guint policies;
		bool counted;
		const char *trouble;
		guint without;
	} cases[] = {
		{MS_GUARD_STREAMS, true, NULL, 0},
		{MS_GUARD_STREAMS + 1, true, NULL, 1},
		{MS_GUARD_STREAMS + 3, true, NULL, 3},
		{MS_GUARD_STREAMS + 3, true, "away", MS_GUARD_STREAMS + 3},
		{MS_GUARD_STREAMS + 3, false, "away", MS_GUARD_STREAMS + 3},
		{MS_GUARD_STREAMS + 3, false, NULL, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (guint k = 0; k < cases[i].policies; k++)
			g_string_append_printf(
				text, "policy \"p%02u\" {\non-guard-unavailable = hold\n}\n", k);
		g_autoptr(MsPolicies) p =
			ms_policies_parse("p.conf", text->str, kinds, MS_MODE_ENFORCE, NULL);
		World *w = world("iban X AC-1", "a@x.example AC-1");
		g_autoptr(MsGuardCounts)
			counts = cases[i].counted ? g_new0(MsGuardCounts, 1) : NULL;
		if (counts != NULL)
			counts->alarms = g_array_new(FALSE, TRUE, sizeof(MsGuardAlarm));
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		guint without = 0;
		ms_policy_judge_counts(p, w->envelope, w->reading, w->resolution, counts,
			cases[i].trouble, v);
		for (guint k = 0; k < v->reasons->len; k++) {
			const MsReason *r = v->reasons->pdata[k];
			without += r->code == MS_GUARD_UNAVAILABLE;
		}
		g_test_message("row %zu", i);
		g_assert_cmpuint(v->policies->len, ==, cases[i].policies);
		g_assert_cmpuint(without, ==, cases[i].without);
		g_assert_cmpint(v->action, ==, without > 0 ? MS_HOLD : MS_DELIVER);
		world_free(w);
	}
}

/* An address with a way in it can be refused. */
static void test_routed(void)
{
	static const struct {
		const char *policy, *recipients;
		MsAction want;
	} cases[] = {
		{"", "a%x.example@seller.example AC-1", MS_DELIVER},
		{"on-routed-recipient = reject", "a%x.example@seller.example AC-1", MS_REJECT},
		{"on-routed-recipient = hold", "x.example!a@seller.example AC-1", MS_HOLD},
		{"on-routed-recipient = hold", "@seller.example:a@x.example AC-1", MS_HOLD},
		{"on-routed-recipient = hold", "a@x.example@seller.example AC-1", MS_HOLD},
		{"on-routed-recipient = split", "a%x.example@seller.example AC-1;a@x.example AC-1",
			MS_SPLIT},
		{"on-routed-recipient = reject", "a@x.example AC-1", MS_DELIVER},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world("iban X AC-1", cases[i].recipients);
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_test_message("row %zu", i);
		g_assert_cmpint(v->action, ==, cases[i].want);
		world_free(w);
	}
}

/* Exactly those are kept from a split for whom there is a reason. */
static void test_split(void)
{
	static const struct {
		const char *policy, *findings, *recipients, *withheld;
		MsAction would; /* 0: split */
	} cases[] = {
		{"on-mismatch = split", "iban X AC-1", "a@x AC-1;b@x AC-2;c@x AC-1;d@x house",
			"0100"},
		{"on-mismatch = split", "iban X AC-1;iban Y AC-2",
			"a@x AC-1 AC-2;b@x AC-2;c@x AC-1", "011"},
		{"on-mismatch = split", "iban X AC-1", "a@x AC-1;b@x", "01"},
		{"on-mismatch = split\nmode = observe", "iban X AC-1", "a@x AC-1;b@x AC-2", "00"},
		{"on-mismatch = split\nmode = observe", "iban X AC-3", "a@x AC-1;b@x AC-2", "00",
			MS_HOLD},
		{"on-mismatch = split\nmode = observe", "iban X AC-3", "a@x AC-1;b@x", "00", MS_HOLD},
		{"on-unknown-recipient = split\nmode = observe", "", "a@x;b@x", "00", MS_HOLD},
		{"on-mismatch = split\n}\npolicy \"q\" {\nmode = observe\non-unknown-recipient = split",
			"iban X AC-1", "a@x AC-2;b@x", "11", MS_HOLD},
		{"on-mismatch = deliver\nrequire = {\"iban\"}\non-unproven = split", "iban X AC-1",
			"a@x AC-1;b@x AC-2;c@x house", "010"},
		{"require = {\"iban\"}\non-unproven = split", "", "a@x house;b@x AC-2", "01"},
		{"on-unknown-recipient = split", "", "a@x AC-1;b@x", "01"},
		{"believe-mismatch = {\"checked\"}\non-mismatch = split\non-routed-recipient = split",
			"iban X AC-1", "a%b@x AC-1;c@x", "10"},
		{"on-mismatch = split\non-routed-recipient = tag", "iban X AC-1",
			"a@x AC-1;b@x AC-2;a%b@y AC-1", "010"},
		{"on-mismatch = split\non-routed-recipient = split", "", "a%b@x AC-1;c@x", "10"},
		{"kinds = {\"iban\"}\non-mismatch = split\non-routed-recipient = split",
			"vat-id Y AC-1", "a%b@x AC-1;c@x", "10"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, cases[i].recipients);
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		for (guint r = 0; r < v->withheld->len; r++)
			if (v->withheld->data[r] != (cases[i].withheld[r] == '1'))
				g_error("%s: recipient %u", cases[i].policy, r);
		g_assert_cmpuint(v->withheld->len, ==, strlen(cases[i].withheld));
		if (v->would != (cases[i].would != MS_DELIVER ? cases[i].would : MS_SPLIT))
			g_error("%s: would %s", cases[i].policy, ms_action_names[v->would]);
		world_free(w);
	}
}

/* How long it waits, and whether it is held then. */
static void test_delay(void)
{
	static const struct {
		const char *policy;
		gint64 seconds;
		MsAction then;
	} cases[] = {
		{"on-mismatch = \"delay 10m then deliver\"", 600, MS_DELIVER},
		{"on-mismatch = \"delay 10m then hold\"", 600, MS_HOLD},
		{"on-mismatch = \"delay 10m then hold\"\nmode = observe", 0, MS_DELIVER},
		{"on-mismatch = hold", 0, MS_HOLD},
		{"on-mismatch = \"delay 10m then deliver\"\n"
		 "on-unknown-recipient = \"delay 1h then hold\"", 3600, MS_HOLD},
		{"on-mismatch = \"delay 1h then hold\"\n"
		 "on-unknown-recipient = \"delay 10m then deliver\"", 3600, MS_HOLD},
		{"on-mismatch = \"delay 1h then deliver\"\n"
		 "on-unknown-recipient = \"delay 10m then hold\"", 3600, MS_HOLD},
			/* A split keeps from some what others wait for; here from all. */
		{"on-mismatch = split\non-unknown-recipient = \"delay 1h then deliver\"", 3600,
			MS_HOLD},
		{"on-mismatch = deliver\non-unknown-recipient = \"delay 1h then deliver\"", 3600,
			MS_DELIVER},
		{"on-mismatch = tag\non-unknown-recipient = \"delay 1h then deliver\"", 3600,
			MS_TAG},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world("iban X AC-1", "a@x AC-2;b@x");
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_test_message("row %zu", i);
		g_assert_cmpint(v->delay_us, ==, cases[i].seconds * G_USEC_PER_SEC);
		g_assert_cmpint(v->then, ==, cases[i].then);
		world_free(w);
	}
}

/* Of each policy and reason the first is told, however many there are; the rest is counted. */
static void test_more(void)
{
	enum { POLICIES = 45, FOUND = 60 };
	g_autoptr(GString) text = g_string_new("on-unknown-identifier = hold"), what = g_string_new("");
	for (guint i = 1; i < POLICIES; i++)
		g_string_append_printf(
			text, "\n}\npolicy \"p%u\" {\non-unknown-identifier = hold", i);
	for (guint i = 0; i < FOUND; i++)
		g_string_append_printf(what, "iban X%u ;", i);
	World *w = world(what->str, "a@x");
	g_autoptr(MsPolicies) p = policies(text->str);
	g_autoptr(MsVerdict) v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	guint of_first = 0, recipients = 0;
	for (guint i = 0; i < v->reasons->len; i++) {
		const MsReason *r = v->reasons->pdata[i];
		g_assert_true(r->enforced);
		of_first += r->code == MS_UNKNOWN_IDENTIFIER && strcmp(r->policy, "p") == 0;
		recipients += r->code == MS_UNKNOWN_RECIPIENT;
	}
	g_assert_cmpuint(of_first, ==, MS_MAX_REASONS);
	g_assert_cmpuint(recipients, ==, POLICIES);
	g_assert_cmpuint(v->reasons->len, >=, MS_MAX_REASONS_IN_ALL);
	g_assert_cmpuint(v->reasons->len, <, MS_MAX_REASONS_IN_ALL + 2 * POLICIES);
	g_assert_cmpuint(v->reasons->len + v->more, ==, POLICIES * (FOUND + 1));
	world_free(w);
}

/* The first reason says of which identifier, where it is, whose, and to whom it would have gone. */
static void test_explained(void)
{
	static const struct {
		const char *policy, *findings, *recipients, *want;
	} cases[] = {
		{"", "iban X1234567 AC-2 AC-3", "a@x AC-1;b@x AC-2;c@x AC-1",
			"mismatch p iban ******67 part 1 text/plain, AC-2, AC-3, a@x 2 "
			"iban of another account than the recipient's (shape)"},
		{"", "iban X1234567 AC-2", "a@x AC-2;c@x",
			"mismatch p iban ******67 part 1 text/plain, AC-2, c@x 1 iban of an account, "
			"and the directory does not know the recipient (shape)"},
		{"on-unknown-identifier = hold", "iban X1234567 ", "a@x AC-1",
			"unknown-identifier p iban ******67 part 1 text/plain, -, - 0 "
			"iban that the directory does not know (shape)"},
		{"require = {\"iban\"}\non-unproven = hold", "", "h@x house;b@x AC-2;c@x AC-2",
			"unproven p - - -, -, b@x 2 no iban of the recipient's own account was found"},
		{"on-unknown-recipient = hold", "", "a@x AC-1;b@x;c@x",
			"unknown-recipient p - - -, -, b@x 2 "
			"the directory knows no account for the recipient"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, cases[i].recipients);
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		const MsReason *r = v->reasons->pdata[0];
#define OR_NONE(S) ((S) != NULL ? (S) : "-")
		g_autofree char *got = g_strdup_printf("%s %s %s %s %s, %s, %s %u %s",
			ms_reason_names[r->code], r->policy, OR_NONE(r->kind), OR_NONE(r->masked),
			OR_NONE(r->where), OR_NONE(r->owner), OR_NONE(r->recipient), r->recipients,
			r->text);
		g_assert_cmpstr(got, ==, cases[i].want);
		world_free(w);
	}
}

/* As many addresses as are in To and Cc. */
static void test_visible(void)
{
	static const struct {
		const char *policy;
		guint visible;
		MsAction want;
	} cases[] = {
		{"", 1000, MS_DELIVER},
		{"max-visible-recipients = 2", 2, MS_DELIVER},
		{"max-visible-recipients = 2", 3, MS_HOLD},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world("iban X AC-1", "a@x AC-1");
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		w->reading->visible_total = cases[i].visible;
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_autofree char *codes = ms_verdict_codes(v, MS_TAG);
		g_test_message("row %zu", i);
		g_assert_cmpint(v->action, ==, cases[i].want);
		g_assert_cmpstr(codes, ==,
			cases[i].want == MS_HOLD ? "exposed-recipients" : "");
		world_free(w);
	}
}

/* What each recipient may get, over all findings: r(ight), w(rong), u(nknown recipient), n(othing
 * proven), x (unread). */
static void test_outcomes(void)
{
	static const struct {
		const char *policy, *findings, *recipients;
		bool unread;
		const char *want;
	} cases[] = {
		{"", "iban X AC-1", "a@x AC-1;b@x AC-2;c@x", false, "rwu"},
		{"", "iban X AC-1;iban Y AC-2", "a@x AC-1;b@x AC-2;c@x AC-1 AC-2", false, "wwr"},
		{"", "iban X house", "a@x AC-1;b@x house", false, "nr"},
		{"", "", "a@x AC-1;b@x", false, "nu"},
		/* a kind that the policy does not look at is somebody's all the same */
		{"kinds = {\"iban\"}", "iban X AC-1;vat-id Y AC-2", "a@x AC-1", false, "w"},
		{"house-recipients = judged", "iban X AC-1", "a@x house", false, "w"},
		{"house-recipients = judged", "", "a@x house", false, "n"},
		{"", "iban X AC-1", "a@x house", false, "r"},
		{"", "iban X AC-1", "a@x AC-1;b@x AC-2;c@x", true, "xwu"},
		{"on-unreadable = deliver", "iban X AC-1", "a@x AC-1", true, "r"},
		{"require = {\"vat-id\"}\non-unproven = hold", "iban X AC-1", "a@x AC-1", false,
			"n"},
		{"require = {\"vat-id\"}\non-unproven = deliver", "iban X AC-1", "a@x AC-1", false,
			"r"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, cases[i].recipients);
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		if (cases[i].unread)
			ms_reading_unread(w->reading, "part 2", MS_UNREAD_ENCRYPTED, "encrypted");
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_test_message("row %" G_GSIZE_FORMAT ": %s", i, cases[i].findings);
		g_assert_cmpuint(v->outcomes->len, ==, strlen(cases[i].want));
		for (guint r = 0; r < v->outcomes->len; r++)
			g_assert_cmpint("rnxwu"[v->outcomes->data[r]], ==, cases[i].want[r]);
		world_free(w);
	}
}

static void test_contradiction(void)
{
	static const struct {
		const char *policy, *findings, *kind;
		MsAction action;
		bool told;
		const char *right; /* may he have it, who may have both? */
	} cases[] = {
		{"", "iban X AC-1", "", MS_HOLD, true, "no"},
		{"on-contradiction = tag", "iban X AC-1", "", MS_TAG, true, "yes"},
		{"on-contradiction = deliver", "iban X AC-1", "", MS_DELIVER, true, "yes"},
		{"kinds = {\"none\"}", "iban X AC-1", "", MS_DELIVER, false, NULL},
		/* one customer with several numbers; one that is known and one that is not */
		{"", "iban X AC-1;iban Y AC-1", "iban", MS_DELIVER, false, "yes"},
		{"", "iban X AC-1;iban Y ", "iban", MS_HOLD, true, "no"},
		{"", "iban X AC-1;iban Y AC-2", "iban", MS_HOLD, true, "no"},
		{"", "iban X AC-1;iban Y ||AC-1", "iban", MS_HOLD, true, "no"},
		{"", "iban X AC-1;iban Y AC-1||AC-2", "iban", MS_HOLD, true, "no"},
		{"", "iban X AC-1;iban Y AC-1", "vat-id", MS_HOLD, true, "no"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].findings, "a@x AC-1 AC-2");
		for (guint k = 0; k < w->reading->findings->len; k++)
			((MsFinding *)w->reading->findings->pdata[k])->belief |= MS_BELIEF_LABELLED;
		ms_reading_contradict(w->reading, "part 2 a.pdf", "its e-invoice", cases[i].kind,
			"%s", "another buyer");
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		bool told = false;
		for (guint k = 0; k < v->reasons->len; k++) {
			const MsReason *r = v->reasons->pdata[k];
			told |= strcmp(r->text, "another buyer") == 0 && r->where != NULL &&
				g_str_has_prefix(r->where, "part 2");
		}
		g_assert_cmpint(v->action, ==, cases[i].action);
		g_assert_cmpint(told, ==, cases[i].told);
		if (cases[i].right != NULL)
			g_assert_cmpstr(v->outcomes->data[0] == MS_OUTCOME_RIGHT ? "yes" : "no", ==,
				cases[i].right);
		world_free(w);
	}
}

/* What an invoice says of its sender need not be known, but must not be another customer's. */
static void test_seller(void)
{
	static const struct {
		const char *finding;
		guint belief;
		MsAction action;
	} cases[] = {
		{"iban X ", MS_BELIEF_FIELD, MS_HOLD},
		{"iban X ", MS_BELIEF_FIELD | MS_BELIEF_SELLER, MS_DELIVER},
		{"iban X AC-2", MS_BELIEF_FIELD | MS_BELIEF_SELLER, MS_HOLD},
		/* of an establishment: it may be others' as well, but it is somebody's */
		{"iban X ||AC-2", MS_BELIEF_FIELD, MS_DELIVER},
		{"iban X ||AC-1", MS_BELIEF_FIELD, MS_DELIVER},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].finding, "a@x AC-1");
		((MsFinding *)w->reading->findings->pdata[0])->belief = cases[i].belief;
		g_autoptr(MsPolicies) p = policies("on-unknown-identifier = hold");
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_assert_cmpint(v->action, ==, cases[i].action);
		world_free(w);
	}
}

/* A policy may ask how sure a finding is, reason by reason. */
static void test_believe(void)
{
	static const struct {
		const char *policy, *finding;
		guint belief;
		MsAction action;
	} cases[] = {
		{"", "iban X AC-2", MS_BELIEF_SHAPE, MS_HOLD},
		{"believe-mismatch = {\"exact\", \"checked\"}", "iban X AC-2", MS_BELIEF_SHAPE,
			MS_DELIVER},
		{"believe-mismatch = {\"exact\", \"checked\"}", "iban X AC-2",
			MS_BELIEF_SHAPE | MS_BELIEF_CHECKED, MS_HOLD},
		{"believe-mismatch = {\"exact\"}", "iban X AC-2",
			MS_BELIEF_EXACT | MS_BELIEF_TENTATIVE, MS_HOLD},
		{"believe-mismatch = {\"labelled\"}", "iban X AC-2", MS_BELIEF_FIELD, MS_HOLD},
		{"believe-unknown-identifier = {\"checked\"}\non-unknown-identifier = hold",
			"iban X ", MS_BELIEF_SHAPE, MS_DELIVER},
		{"believe-unknown-identifier = {\"checked\"}\non-unknown-identifier = hold",
			"iban X ", MS_BELIEF_CHECKED, MS_HOLD},
		{"require = {\"iban\"}\nbelieve-proof = {\"labelled\"}", "iban X AC-1",
			MS_BELIEF_SHAPE, MS_HOLD},
		{"require = {\"iban\"}\nbelieve-proof = {\"labelled\"}", "iban X AC-1",
			MS_BELIEF_LABELLED, MS_DELIVER},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World *w = world(cases[i].finding, "a@x AC-1");
		((MsFinding *)w->reading->findings->pdata[0])->belief = cases[i].belief;
		g_autoptr(MsPolicies) p = policies(cases[i].policy);
		g_autoptr(MsVerdict)
			v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		if (v->action != cases[i].action)
			g_error("%s: %s", cases[i].policy, ms_action_names[v->action]);
		world_free(w);
	}
	g_autofree char *words = ms_belief_words(
		MS_BELIEF_EXACT | MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE);
	g_assert_cmpstr(words, ==, "exact, labelled");
}

static void test_actual_type(void)
{
	World *w = world("iban X AC-2", "a@x AC-1");
	MsPart *part = g_new0(MsPart, 1);
	*part = (MsPart){g_strdup("2"), g_strdup("image/png"), g_strdup("application/pdf"),
		g_strdup("a.png"), 9, true};
	g_ptr_array_add(w->reading->parts, part);
	g_autoptr(MsPolicies) p = policies("attachment = {\"application/pdf\"}");
	g_autoptr(MsVerdict) v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(v->action, ==, MS_HOLD);
	world_free(w);
}

static const struct {
	const char *name, *policy, *findings, *recipients;
	MsAction action;
	const char *codes; /* of reasons that do more than deliver */
} rows[] = {
	{"own", "", "iban X AC-1", "a@x AC-1", MS_DELIVER, ""},
	{"other", "", "iban X AC-2", "a@x AC-1", MS_HOLD, "mismatch"},
	{"unknown recipient gets another's", "", "iban X AC-2", "a@x", MS_HOLD, "mismatch"},
	{"one of two recipients", "", "iban X AC-1", "a@x AC-1;b@x AC-2", MS_HOLD, "mismatch"},
	{"recipient of many accounts", "", "iban X AC-2", "a@x AC-1 AC-2", MS_DELIVER, ""},
	{"identifier of many accounts", "", "iban X AC-1 AC-2", "a@x AC-2", MS_DELIVER, ""},
	{"delegation", "", "iban X AC-2|AC-R", "a@x AC-R", MS_DELIVER, ""},
	{"delegation does not go on", "", "iban X AC-2|AC-R", "a@x AC-Q", MS_HOLD, "mismatch"},
	{"house identifier", "", "vat-id X house", "a@x AC-1", MS_DELIVER, ""},
	{"house and another own it", "", "vat-id X house AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"house recipient", "", "iban X AC-2", "a@x house", MS_DELIVER, ""},
	{"accounts by kinds not looked at", "kinds = {\"iban\"}\nmax-accounts = 1",
		"vat-id Y AC-1;vat-id Z AC-2", "a@x AC-1 AC-2", MS_DELIVER, ""},
	{"house recipient judged", "house-recipients = judged", "iban X AC-2", "a@x house", MS_HOLD,
		"mismatch"},
	{"house recipient judged, house identifier", "house-recipients = judged", "iban X house",
		"a@x house", MS_DELIVER, ""},
	{"kind not looked at", "kinds = {\"vat-id\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"kind looked at", "kinds = {\"vat-id\", \"iban\"}", "iban X AC-2", "a@x AC-1", MS_HOLD,
		"mismatch"},
	{"no kind", "kinds = {\"none\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"unknown identifier", "", "iban X ", "a@x AC-1", MS_DELIVER, ""},
	{"unknown identifier held", "on-unknown-identifier = hold", "iban X ", "a@x AC-1", MS_HOLD,
		"unknown-identifier"},
	{"tentative and unknown", "on-unknown-identifier = hold", "?iban X ", "a@x AC-1",
		MS_DELIVER, ""},
	{"tentative and another's", "", "?iban X AC-2", "a@x AC-1", MS_HOLD, "mismatch"},
	{"delay", "on-unknown-recipient = \"delay 30m\"", "", "a@x", MS_DELAY, "unknown-recipient"},
	{"delay: a hold is stricter", "on-unknown-recipient = \"delay 30m\"", "iban X AC-1", "a@x", MS_HOLD,
		"mismatch, unknown-recipient"},
	{"delay: a split is milder", "on-mismatch = split\non-unknown-recipient = \"delay 1d then deliver\"",
		"iban X AC-1", "a@x AC-1;b@x", MS_DELAY, "unknown-recipient, mismatch"},
	{"delay: a tag is milder", "on-unknown-recipient = tag\non-unknown-identifier = \"delay 2s then hold\"",
		"iban X ", "a@x", MS_DELAY, "unknown-identifier, unknown-recipient"},
	{"delay: a deferral is stricter", "on-unknown-recipient = tempfail\non-unknown-identifier = \"delay 2s\"",
		"iban X ", "a@x", MS_TEMPFAIL, "unknown-recipient, unknown-identifier"},
	{"delay observes", "mode = observe\non-unknown-recipient = \"delay 30m\"", "", "a@x", MS_DELIVER,
		"unknown-recipient"},
	{"split: one of two", "on-mismatch = split", "iban X AC-1", "a@x AC-1;b@x AC-2", MS_SPLIT,
		"mismatch"},
	{"split: nobody is left", "on-mismatch = split", "iban X AC-3", "a@x AC-1;b@x AC-2",
		MS_HOLD, "mismatch"},
	{"split: nobody is left, and another policy would reject it",
		"on-mismatch = split\n}\npolicy \"q\" {\nmode = observe\non-mismatch = reject",
		"iban X AC-3", "a@x AC-1;b@x AC-2", MS_HOLD, "mismatch"},
	{"split: whom the MTA may not find", "on-mismatch = split", "iban X AC-1", "a@x AC-1;@y:b@x AC-2",
		MS_HOLD, "mismatch"},
	{"split: nor in brackets of his own", "on-mismatch = split", "iban X AC-1", "a@x AC-1;<b@x> AC-2",
		MS_HOLD, "mismatch"},
	{"split: only who is taken off must be found", "on-mismatch = split", "iban X AC-1",
		"<a@x> AC-1;b@x AC-2", MS_SPLIT, "mismatch"},
	{"split: whom the MTA may not find, while it observes", "mode = observe\non-mismatch = split",
		"iban X AC-1", "a@x AC-1;@y:b@x AC-2", MS_DELIVER, "mismatch"},
	{"split: a stricter reason holds it whole", "on-mismatch = split\nmax-recipients = 1",
		"iban X AC-1", "a@x AC-1;b@x AC-2", MS_HOLD, "oversized, mismatch"},
	{"split: unproven and unknown recipients",
		"require = {\"iban\"}\non-unproven = split\n"
		"on-unknown-recipient = split\non-mismatch = deliver",
		"iban X AC-1", "a@x AC-1;b@x AC-2;c@x", MS_SPLIT, "unproven, unknown-recipient"},
	{"unknown recipient", "on-unknown-recipient = tag", "", "a@x", MS_TAG, "unknown-recipient"},
	{"proven", "require = {\"iban\"}", "iban X AC-1", "a@x AC-1", MS_DELIVER, ""},
	{"proven by one of two kinds", "require = {\"vat-id\", \"iban\"}", "iban X AC-1",
		"a@x AC-1", MS_DELIVER, ""},
	{"unproven", "require = {\"vat-id\"}", "iban X AC-1", "a@x AC-1", MS_HOLD, "unproven"},
	{"unproven: unknown only", "require = {\"iban\"}", "iban X ", "a@x AC-1", MS_HOLD,
		"unproven"},
	{"unproven: house only", "require = {\"iban\"}", "iban X house", "a@x AC-1", MS_HOLD,
		"unproven"},
	{"house needs no proof", "require = {\"iban\"}", "", "a@x house", MS_DELIVER, ""},
	{"judged house needs proof", "require = {\"iban\"}\nhouse-recipients = judged", "",
		"a@x house", MS_HOLD, "unproven"},
	{"proven for one of two", "require = {\"iban\"}\non-mismatch = deliver", "iban X AC-1",
		"a@x AC-1;b@y AC-2", MS_HOLD, "unproven"},
	{"recipients at the limit", "max-recipients = 2", "", "a@x;b@x", MS_DELIVER, ""},
	{"recipients over", "max-recipients = 1", "", "a@x;b@x", MS_HOLD, "oversized"},
	{"domains at the limit", "max-domains = 1", "", "a@x;b@X", MS_DELIVER, ""},
	{"domains over", "max-domains = 1", "", "a@x;b@y", MS_HOLD, "oversized"},
	{"accounts at the limit", "max-accounts = 1\non-mismatch = deliver",
		"iban X AC-1;vat-id Y AC-1", "a@x AC-1", MS_DELIVER, ""},
	{"accounts over", "max-accounts = 1\non-mismatch = deliver", "iban X AC-1;vat-id Y AC-2",
		"a@x AC-1", MS_HOLD, "mixed-accounts"},
	{"accounts: house and shared do not count", "max-accounts = 1",
		"iban X AC-1;vat-id Y house;email Z AC-1 AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"reject", "on-mismatch = reject", "iban X AC-2", "a@x AC-1", MS_REJECT, "mismatch"},
	{"the strictest wins", "on-mismatch = tag\non-oversized = reject\nmax-recipients = 1",
		"iban X AC-2", "a@x AC-1;b@x AC-1", MS_REJECT, "oversized, mismatch"},
	{"header fits", "header = {'Subject: invoice'}", "iban X AC-2", "a@x AC-1", MS_HOLD,
		"mismatch"},
	{"header does not", "header = {'Subject: ^newsletter'}", "iban X AC-2", "a@x AC-1",
		MS_DELIVER, ""},
	{"header absent", "header = {'X-Other: .'}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"header pattern that gives up may fit", "header = {'X-Long: (a+)+[0-9]'}", "iban X AC-2",
		"a@x AC-1", MS_HOLD, "mismatch"},
	{"sender fits", "sender = {\"billing@*\"}", "iban X AC-2", "a@x AC-1", MS_HOLD, "mismatch"},
	{"sender's domain", "sender = {\"seller.example\"}", "iban X AC-2", "a@x AC-1", MS_HOLD,
		"mismatch"},
	{"sender's @domain", "sender = {\"@SELLER.example\"}", "iban X AC-2", "a@x AC-1", MS_HOLD,
		"mismatch"},
	{"sender does not", "sender = {\"other@seller.example\"}", "iban X AC-2", "a@x AC-1",
		MS_DELIVER, ""},
	{"sender's parent domain", "sender = {\"example\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER,
		""},
	{"user", "auth-user = {\"*\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"network", "networks = {\"192.0.2.0/24\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
	{"local network", "networks = {\"127.0.0.0/8\"}", "iban X AC-2", "a@x AC-1", MS_HOLD,
		"mismatch"},
	{"attachment", "attachment = {\"*.pdf\"}", "iban X AC-2", "a@x AC-1", MS_DELIVER, ""},
};

static void test_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		World *w = world(rows[i].findings, rows[i].recipients);
		g_autoptr(MsPolicies) p = policies(rows[i].policy);
		g_autoptr(MsVerdict) v =
			ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
		g_autofree char *codes = ms_verdict_codes(v, MS_TAG);
		if (v->action != rows[i].action || strcmp(codes, rows[i].codes) != 0)
			g_error("%s: got %s (%s), want %s (%s)", rows[i].name,
				ms_action_names[v->action], codes, ms_action_names[rows[i].action],
				rows[i].codes);
		world_free(w);
	}
}

static void test_unread(void)
{
	World *w = world("", "a@x AC-1");
	g_autoptr(MsPolicies) p = policies("tolerate = {image}");
	ms_reading_unread(w->reading, "part 2", MS_UNREAD_IMAGE, "x");
	g_autoptr(MsVerdict)
		fine = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(fine->action, ==, MS_DELIVER);
	ms_reading_unread(w->reading, "part 3", MS_UNREAD_ENCRYPTED, "x");
	g_autoptr(MsVerdict)
		held = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(held->action, ==, MS_HOLD);
	g_assert_cmpstr(((MsReason *)held->reasons->pdata[0])->where, ==, "part 3");
	world_free(w);
}

/* A message of which nothing was read: conditions on its headers may all hold. */
static void test_unread_conditions(void)
{
	World *w = world("", "a@x AC-1");
	g_autoptr(MsPolicies) p =
		policies("header = {'Subject: ^never$'}\nattachment = {\"*.pdf\"}");
	g_ptr_array_set_size(w->reading->headers, 0);
	ms_reading_unread(w->reading, "message", MS_UNREAD_WORKER, "x");
	g_autoptr(MsVerdict) v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(v->action, ==, MS_HOLD);
	world_free(w);
}

static void test_unavailable(void)
{
	World *w = world("iban X AC-2", "a@x AC-1");
	g_autoptr(MsPolicies) p = policies("on-unknown-identifier = hold");
	g_autoptr(MsVerdict) v = ms_policy_judge(p, w->envelope, w->reading, NULL, "Redis is away");
	g_autofree char *codes = ms_verdict_codes(v, MS_DELIVER);
	g_assert_cmpint(v->action, ==, MS_TEMPFAIL);
	g_assert_cmpstr(codes, ==, "directory-unavailable");
	g_assert_cmpint(v->outcomes->data[0], ==, MS_OUTCOME_UNPROVEN); /* nobody's is right */
	world_free(w);
}

static void test_modes(void)
{
	World *w = world("iban X AC-2", "a@x AC-1");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPolicies) p = ms_policies_parse("p.conf",
		"policy \"a\" { on-mismatch = reject }\npolicy \"b\" { mode = enforce\n on-mismatch = tag }",
		kinds, MS_MODE_OBSERVE, &error);
	g_assert_no_error(error);
	g_autoptr(MsVerdict) v = ms_policy_judge(p, w->envelope, w->reading, w->resolution, NULL);
	g_assert_cmpint(v->action, ==, MS_TAG);
	g_assert_cmpint(v->would, ==, MS_REJECT);
	g_assert_cmpuint(v->policies->len, ==, 2);
	g_assert_cmpuint(v->reasons->len, ==, 2);
	const MsReason *first = v->reasons->pdata[0];
	g_assert_cmpstr(first->policy, ==, "a");
	g_assert_false(first->enforced);
	g_assert_cmpstr(first->owner, ==, "AC-2");
	g_assert_cmpstr(first->recipient, ==, "a@x");
	g_assert_cmpstr(first->where, ==, "part 1 text/plain");
	world_free(w);
}

static void test_may_apply(void)
{
	g_autoptr(MsPolicies)
		p = policies("sender = {\"billing@seller.example\"}\nheader = {'Subject: x'}");
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->sender = g_strdup("ceo@seller.example");
	g_assert_false(ms_policy_may_apply(p, e));
	g_free(e->sender);
	e->sender = g_strdup("BILLING@seller.example");
	g_assert_true(ms_policy_may_apply(p, e));
	g_free(e->sender);
	e->sender = g_strdup("");
	g_assert_false(ms_policy_may_apply(p, e));
	g_autoptr(MsPolicies) bounces = policies("sender = {\"<>\"}");
	g_assert_true(ms_policy_may_apply(bounces, e));
}

/* A domain has two forms, and a sender may be written in either; the envelope has either too. */
static void test_senders(void)
{
	static const struct {
		const char *sender, *envelope;
		bool applies;
	} senders[] = {{"b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example", true},
		{"b\xc3\xbc" "cher.example", "a@B\xc3\x9c" "CHER.example", true},
		{"@xn--bcher-kva.example", "a@b\xc3\xbc" "cher.example", true},
		{"billing@B\xc3\xbc" "cher.Example", "Billing@xn--bcher-kva.example", true},
		{"*@*.b\xc3\xbc" "cher.example", "a@mx.xn--bcher-kva.example", true},
		{"*@*.b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example", false},
		{"billing@*.example", "billing@b\xc3\xbc" "cher.example", true},
		{"m\xc3\xbcller@seller.example", "M\xc3\x9cLLER@seller.example", true},
		{"stra\xc3\x9f" "e.example", "a@xn--strae-oqa.example", true},
		{"b\xc3\xbc" "cher.example", "a@bucher.example", false},
		{"user@[192.0.2.1]", "user@[192.0.2.1]", true},
		/* of a mailer that tells bounces apart */
		{"billing@seller.example", "billing+anna=alpha.example@seller.example", true},
		{"billing@seller.example", "Billing+4711@SELLER.example", true},
		{"billing@*.example", "billing+4711@seller.example", true},
		{"billing+4711@seller.example", "billing+4711@seller.example", true},
		{"billing+4711@seller.example", "billing@seller.example", false},
		{"billing@seller.example", "billing2+4711@seller.example", false},
		{"billing@seller.example", "+billing@seller.example", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(senders); i++) {
		g_autofree char *text = g_strdup_printf("sender = {\"%s\"}", senders[i].sender);
		g_autoptr(MsPolicies) p = policies(text);
		g_autoptr(MsEnvelope) e = ms_envelope_new();
		e->sender = g_strdup(senders[i].envelope);
		if (ms_policy_may_apply(p, e) != senders[i].applies)
			g_error("%s: %s, want %d", senders[i].sender, senders[i].envelope,
				senders[i].applies);
		g_autofree char *turned = g_strconcat("not-", text, NULL);
		g_autoptr(MsPolicies) others = policies(turned);
		if (ms_policy_may_apply(others, e) == senders[i].applies)
			g_error("not %s: %s", senders[i].sender, senders[i].envelope);
	}
}

/* By the setting subaddress, where it is not "+". */
static void test_tags(void)
{
	static const struct {
		const char *tags, *envelope;
		bool applies;
	} cases[] = {{"-+", "billing-4711@seller.example", true},
		{"-+", "billing+4711@seller.example", true}, {"-", "billing+4711@seller.example", true},
		{"", "billing+4711@seller.example", true}, {"-", "billing+a-b@seller.example", true},
		{"=", "billing-4711@seller.example", false}, {"", "billing@seller.example", true},
		{"=-", "billing-anna=alpha.example@seller.example", true}};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MsPolicies) p = policies("sender = {\"billing@seller.example\"}");
		g_autoptr(MsEnvelope) e = ms_envelope_new();
		e->sender = g_strdup(cases[i].envelope);
		ms_policies_tags(p, cases[i].tags);
		if (ms_policy_may_apply(p, e) != cases[i].applies)
			g_error("\"%s\": %s, want %d", cases[i].tags, cases[i].envelope, cases[i].applies);
	}
}

static void test_mistakes(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"policy \"a\" {\nkinds = {\"ibam\"}\n}",
			"p.conf:2: policy \"a\": kinds: there is no kind \"ibam\""},
		{"policy \"a\" {\nrequire = {\"ibam\"}\n}", "did you mean \"iban\"?"},
		{"policy \"a\" {\non-mismach = hold\n}",
			"p.conf:2: no such option 'on-mismach'; did you mean \"on-mismatch\"?"},
		{"policy \"a\" {\non-oversized = split\n}",
			"p.conf:2: policy \"a\": on-oversized: split is for reasons about single recipients"},
		{"policy \"a\" {\non-mismatch = held\n}",
			"use one of deliver, tag, split, delay, hold, reject, tempfail (did you mean \"hold\"?)"},
		{"policy \"a\" {\nheader = {'Subject (('}\n}", "not of the form 'Name: pattern'"},
		{"policy \"a\" {\nheader = {'Subject: *invoice*'}\n}",
			"p.conf:2: header: \"*invoice*\": any text is .* here: bad pattern"},
		{"policy \"a\" {\nnot-header = {'From:  ?@x'}\n}", "p.conf:2: not-header: \"?@x\""},
		{"policy \"a\" {\nfilter-header = {'X-Spam: +'}\n}", "p.conf:2: filter-header: bad"},
		{"policy \"a\" {\nheader = {'Subject: (('}\n}", "p.conf:2: header: bad pattern"},
		{"policy \"a\" {\nmax-recipients = -1\n}",
			"p.conf:2: max-recipients: \"-1\" is out of range (1 to"},
		{"policy \"a\" {\ntolerate = {\"pictures\"}\n}", "use any of no-reader, image"},
		{"policy \"a\" { }\npolicy \"a\" { }", "p.conf:2: found duplicate title 'a'"},
		{"polcy \"a\" { }", "p.conf:1: no such option 'polcy'; did you mean \"policy\"?"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(
			ms_policies_parse("p.conf", cases[i].text, kinds, MS_MODE_OBSERVE, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		if (strstr(error->message, cases[i].want) == NULL)
			g_error("got \"%s\", want \"%s\"", error->message, cases[i].want);
	}
}

/* Whoever copies a policy's file learns which two of them are alike. */
static void test_two_files(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = g_dir_make_tmp("missent-policy-XXXXXX", NULL);
	g_autofree char *one = g_build_filename(dir, "one.conf", NULL),
			*two = g_build_filename(dir, "two.conf", NULL);
	g_autofree char *want = g_strdup_printf(
		"%s:2: policy \"a\": a policy in %s, line 1, has this title: give one "
		"of them another",
		two, one);
	g_assert_true(g_file_set_contents(one, "policy \"a\" { }\n", -1, NULL));
	g_assert_true(g_file_set_contents(two, "policy \"b\" { }\npolicy \"a\" { }\n", -1, NULL));
	g_assert_null(ms_policies_load(dir, kinds, MS_MODE_OBSERVE, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_assert_cmpstr(error->message, ==, want);
	g_unlink(one);
	g_unlink(two);
	g_rmdir(dir);
}

/* What is shipped is valid, and usable after editing the sender. */
static void test_shipped(void)
{
	g_autofree char *dir = source_file("policies");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPolicies) p = ms_policies_load(dir, kinds, MS_MODE_OBSERVE, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_policies_count(p), ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/policy/rows", test_rows);
	g_test_add_func("/policy/two-files", test_two_files);
	g_test_add_func("/policy/unread", test_unread);
	g_test_add_func("/policy/unread-conditions", test_unread_conditions);
	g_test_add_func("/policy/unavailable", test_unavailable);
	g_test_add_func("/policy/modes", test_modes);
	g_test_add_func("/policy/may-apply", test_may_apply);
	g_test_add_func("/policy/senders", test_senders);
	g_test_add_func("/policy/tags", test_tags);
	g_test_add_func("/policy/mistakes", test_mistakes);
	g_test_add_func("/policy/shipped", test_shipped);
	g_test_add_func("/policy/outcomes", test_outcomes);
	g_test_add_func("/policy/delay", test_delay);
	g_test_add_func("/policy/visible", test_visible);
	g_test_add_func("/policy/more", test_more);
	g_test_add_func("/policy/explained", test_explained);
	g_test_add_func("/policy/split", test_split);
	g_test_add_func("/policy/addressed", test_addressed);
	g_test_add_func("/policy/identifiers", test_identifiers);
	g_test_add_func("/policy/list", test_list);
	g_test_add_func("/policy/bad", test_bad);
	g_test_add_func("/policy/minds", test_minds);
	g_test_add_func("/policy/without-stream", test_without_stream);
	g_test_add_func("/policy/routed", test_routed);
	g_test_add_func("/policy/contradiction", test_contradiction);
	g_test_add_func("/policy/seller", test_seller);
	g_test_add_func("/policy/believe", test_believe);
	g_test_add_func("/policy/actual-type", test_actual_type);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
