/*
 * What policies ask of a message before they apply: each condition met, not met and not known,
 * and its twin not-...; who is believed; days and hours.  A condition that is not known never
 * takes a policy away.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/authresults.h"
#include "missent/clock.h"
#include "missent/policy.h"

#include "../test.h"

#define WORD "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

static MsKinds *kinds;

/* ---- a message -------------------------------------------------------------------------- */

typedef struct {
	MsEnvelope *envelope;
	MsReading *reading;
} Mail;

static void header(Mail *m, const char *name, const char *value)
{
	MsHeader *h = g_new0(MsHeader, 1);
	h->name = g_strdup(name);
	h->value = g_strdup(value);
	g_ptr_array_add(m->reading->headers, h);
}

static void part(Mail *m, const char *claimed, const char *actual, const char *name, guint64 size)
{
	MsPart *p = g_new0(MsPart, 1);
	p->path = g_strdup_printf("%u", m->reading->parts->len + 1);
	p->claimed = g_strdup(claimed);
	p->actual = g_strdup(actual);
	p->name = g_strdup(name);
	p->size = size;
	p->attached = *name != '\0';
	g_ptr_array_add(m->reading->parts, p);
}

static void find(Mail *m, const char *kind, const char *value, guint belief)
{
	ms_reading_find(m->reading, kind, value, belief, 0, ms_place_new("part 1", "x", 0, 1, 1));
}

static Mail *mail_new(void)
{
	Mail *m = g_new0(Mail, 1);
	m->envelope = ms_envelope_new();
	m->envelope->sender = g_strdup("billing@seller.example");
	m->envelope->arrived = (gint64)1768816800 *
		G_USEC_PER_SEC; /* Monday, 2026-01-19 10:00 UTC */
	m->envelope->size = 200000;
	m->reading = ms_reading_new();
	header(m, "Subject", "Your invoice");
	part(m, "text/plain", "text/plain", "", 500);
	return m;
}

static void mail_free(Mail *m)
{
	ms_envelope_free(m->envelope);
	ms_reading_free(m->reading);
	g_free(m);
}

/* A word a step: what the message has.  "user=anna", "client=192.0.2.7", "unread=encrypted",
 * "+pdf", "H:Name: value" */
static void apply(Mail *m, const char *step)
{
	static const struct {
		const char *word, *claimed, *actual, *name;
		guint64 size;
	} parts[] = {
		{"+pdf", "application/pdf", "application/pdf", "invoice.pdf", 50000},
		{"+disguised", "text/plain", "application/pdf", "readme.txt", 50000},
		{"+zip", "application/zip", "application/zip", "all.zip", 5000000},
		{"+odd", "application/octet-stream", "", "data.bin", 10},
		{"+docx", WORD, "application/zip", "a.docx", 10},
		{"+doc", "application/msword", "application/x-ole-storage", "a.doc", 10},
		{"+no-docx", WORD, "application/pdf", "a.docx", 10},
		{"+names", "application/pdf", "application/pdf", "a.exe b.pdf", 10},
		{"+logo", "image/png", "image/png", "", 4000},
		{"+bare", "text/plain", "application/pdf", "", 50000},
		{"+unsaid", "application/pdf", "text/plain", "", 50000},
		{"+photo", "image/png", "image/png", "photo.png", 4000},
		{"+plain", "text/plain", "", "", 10},
		{"+many", "application/pdf", "application/pdf",
			"a b c d e f g h i j k l m n o p q r s t u v", 10},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		if (strcmp(step, parts[i].word) == 0)
			part(m, parts[i].claimed, parts[i].actual, parts[i].name, parts[i].size);
	const char *value = strchr(step, '=');
	value = value != NULL ? value + 1 : "";
	if (g_str_has_prefix(step, "from=")) {
		g_free(m->envelope->sender);
		m->envelope->sender = g_strdup(value);
	} else if (g_str_has_prefix(step, "user="))
		m->envelope->auth_user = g_strdup(value);
	else if (g_str_has_prefix(step, "client="))
		m->envelope->client_address = g_strdup(value);
	else if (g_str_has_prefix(step, "at="))
		m->envelope->arrived = g_ascii_strtoll(value, NULL, 10) * G_USEC_PER_SEC;
	else if (g_str_has_prefix(step, "size="))
		m->envelope->size = g_ascii_strtoull(value, NULL, 10);
	else if (g_str_has_prefix(step, "unsaid="))
		m->envelope->unsaid = strcmp(value, "user") == 0 ? MS_UNSAID_USER
			: strcmp(value, "client") == 0           ? MS_UNSAID_CLIENT
								 : MS_UNSAID_TIME;
	else if (g_str_has_prefix(step, "ids="))
		for (guint64 i = 0; i < g_ascii_strtoull(value, NULL, 10); i++) {
			g_autofree char *id = g_strdup_printf("ID%" G_GUINT64_FORMAT, i);
			find(m, "iban", id, MS_BELIEF_SHAPE);
		}
	else if (strcmp(step, "maybe") == 0)
		find(m, "iban", "MAYBE", MS_BELIEF_TENTATIVE);
	else if (strcmp(step, "addressed") == 0)
		find(m, "iban", "ADDRESSED", MS_BELIEF_SHAPE | MS_BELIEF_ADDRESSED);
	else if (strcmp(step, "other-kind") == 0)
		find(m, "vat-id", "OTHER", MS_BELIEF_SHAPE);
	else if (strcmp(step, "parts") == 0)
		while (m->reading->parts->len < MS_READING_MAX_PARTS)
			part(m, "text/plain", "text/plain", "", 10);
	else if (g_str_has_prefix(step, "unread="))
		for (int i = 0; i < MS_N_UNREAD; i++)
			if (strcmp(ms_unread_names[i], value) == 0)
				ms_reading_unread(m->reading, "part 9", (MsUnreadReason)i, "it");
	if (strcmp(step, "headless") == 0)
		ms_reading_unread(m->reading, "message", MS_UNREAD_WORKER, "it died");
	if (strcmp(step, "half-headed") == 0)
		ms_reading_unread(m->reading, "headers", MS_UNREAD_DAMAGED, "it ends");
	if (strcmp(step, "no-headers") == 0)
		g_ptr_array_set_size(m->reading->headers, 0);
	if (g_str_has_prefix(step, "H:")) {
		g_auto(GStrv) pair = g_strsplit(step + 2, ": ", 2);
		header(m, pair[0], pair[1]);
	}
	if (strcmp(step, "long") == 0) {
		g_autofree char *text = g_strnfill(2000, 'a');
		header(m, "X-Long", text);
		g_autofree char *results = g_strdup_printf(
			"mx.seller.example; dkim=pass; spf=pass (%s)", text);
		header(m, "Authentication-Results", results);
	}
}

static MsPolicies *policy(const char *body)
{
	g_autofree char *text = g_strdup_printf(
		"policy \"p\" {\nkinds = {\"iban\"}\ntime-zone = \"UTC\"\n"
		"authserv-id = {\"mx.seller.example\"}\ntolerate = {\"image\", \"ambiguous\"}\n%s\n}\n",
		body);
	g_autoptr(GError) error = NULL;
	MsPolicies *p = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	return p;
}

/* y: it applies, n: it does not, u: it applies because something is not known. */
static char state_of(const Mail *m, const char *body)
{
	g_autoptr(MsPolicies) p = policy(body);
	g_autofree char *not = ms_policy_why_not(p, 0, m->envelope, m->reading, NULL);
	g_autofree char *unsure = ms_policy_unsure(p, 0, m->envelope, m->reading, NULL);
	g_autoptr(MsVerdict) v = ms_policy_judge(p, m->envelope, m->reading, NULL, "none");
	g_assert_cmpuint(v->policies->len, ==, not == NULL); /* what is told is what was done */
	g_assert_cmpuint(v->unsure->len, ==, not == NULL && unsure != NULL);
	if (!ms_policy_may_apply(p, m->envelope)) /* what is known before it is read is so after */
		g_assert_nonnull(not );
	return not != NULL ? 'n' : unsure != NULL ? 'u' : 'y';
}

/* ---- truth tables ----------------------------------------------------------------------- */

typedef struct {
	const char *key, *value; /* value: what stands within {}, or "..." */
	const char *mail;        /* steps, "|" between */
	char want, twin;         /* of key, of not-key */
} Row;

#define DKIM "H:Authentication-Results: mx.seller.example; dkim=pass header.d=seller.example"
#define AR(id, rest) "H:Authentication-Results: " id "; " rest

static const Row rows[] = {
	{"sender", "\"@seller.example\"", "", 'y', 'n'},
	{"sender", "\"other.example\"", "", 'n', 'y'},
	/* The MTA makes billing@seller.example of each, behind the filter. */
	{"sender", "\"billing@seller.example\"", "from=b\\illing@seller.example", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=\"billing@seller.example\"", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=@x.example:billing@seller.example", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=billing(c)@seller.example", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=billing @ seller.example", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=billing%seller.example", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=seller.example!billing", 'y', 'n'},
	/* Or may make of it. */
	{"sender", "\"billing@seller.example\"", "from=seller.example!billing@x.example", 'u', 'u'},
	{"sender", "\"billing@seller.example\"", "from=billing%seller.example@x.example", 'u', 'u'},
	{"sender", "\"billing@seller.example\"", "from=billing", 'u', 'u'},
	{"sender", "\"billing@seller.example\"", "from=billing@seller.example c@d.example", 'u', 'u'},
	/* And of these nobody makes it. */
	{"sender", "\"billing@seller.example\"", "from=", 'n', 'y'},
	{"sender", "\"<>\"", "from=", 'y', 'n'},
	{"sender", "\"billing@seller.example\"", "from=billing%x.example", 'n', 'y'},
	{"sender", "\"billing@seller.example\"", "from=@seller.example:billing@x.example", 'n', 'y'},
	{"sender", "\"billing@seller.example\"", "from=x.example!billing@seller.test", 'n', 'y'},
	{"sender", "\"billing@seller.example\"", "from=x(billing@seller.example)@x.example", 'n', 'y'},
	{"sender", "\"seller.example\"", "from=bounce%4711@seller.example", 'u', 'u'},
	{"auth-user", "\"anna\"", "user=anna", 'y', 'n'},
	{"auth-user", "\"an*\"", "user=otto", 'n', 'y'},
	{"auth-user", "\"anna\"", "", 'n', 'y'}, /* nobody had logged in */
	{"auth-user", "\"*\"", "", 'n', 'y'},
	{"auth-user", "\"anna\"", "unsaid=user", 'u', 'u'}, /* nobody says who */
	{"networks", "\"192.0.2.0/24\"", "client=192.0.2.7", 'y', 'n'},
	{"networks", "\"192.0.2.0/24\"", "client=198.51.100.1", 'n', 'y'},
	{"networks", "\"127.0.0.0/8\"", "", 'y', 'n'},
	{"networks", "\"2001:db8::/32\", \"192.0.2.0/24\"", "client=2001:db8::9", 'y', 'n'},
	{"networks", "\"192.0.2.0/24\"", "unsaid=client", 'u', 'u'},
	{"time", "\"Mon-Fri 08:00-18:00\"", "", 'y', 'n'},
	{"time", "\"Sat,Sun\"", "", 'n', 'y'},
	{"time", "\"Sat,Sun\"", "unsaid=time", 'u', 'u'},
	{"time", "\"Sat,Sun\"", "at=0", 'u', 'u'},
	{"header", "'Subject: invoice'", "", 'y', 'n'},
	{"header", "'Subject: order'", "", 'n', 'y'},
	{"header", "'Subject: order'", "headless", 'u', 'u'},
	{"header", "'Subject: order'", "half-headed", 'u', 'u'},
	{"header", "'Subject: order'", "no-headers", 'u', 'u'},
	{"header", "'Subject: order'", "unread=time", 'u', 'u'},
	{"header", "'Subject: invoice'", "headless", 'y', 'n'}, /* this was read */
	{"header", "'X-Long: b$'", "long", 'u', 'u'},           /* its end was not */
	{"header", "'X-Long: ^a'", "long", 'y', 'n'},
	{"header-present", "\"List-Id\"", "H:list-id: x", 'y', 'n'},
	{"header-present", "\"List-Id\"", "", 'n', 'y'},
	{"header-present", "\"List-Id\"", "headless", 'u', 'u'},
	{"filter-header", "'X-Spam: ^yes'", "H:X-Spam: yes", 'y', 'n'},
	{"filter-header", "'X-Spam: ^yes'", "H:X-Spam: no|H:X-Spam: yes", 'n',
		'y'}, /* what a client wrote is below */
	{"filter-header", "'X-Spam: ^yes'", "H:X-Spam: yes|H:X-Spam: no", 'y', 'n'},
	{"filter-header", "'X-Spam: ^yes'", "", 'u', 'u'},
	{"filter-header", "'X-Spam: ^yes'", "H:X-Spam: no|headless", 'u', 'u'},
	{"auth-results", "\"dkim=pass\"", DKIM, 'y', 'n'},
	{"auth-results", "\"dkim=fail\"", DKIM, 'n', 'y'},
	{"auth-results", "\"spf=pass\"", DKIM, 'u', 'u'}, /* nothing was said of it */
	{"auth-results", "\"dkim=pass\"", "", 'u', 'u'},
	{"auth-results", "\"dkim=pass\"", DKIM "|headless", 'u', 'u'},
	{"auth-results", "\"dkim=pass header.d=seller.example\"", DKIM, 'y', 'n'},
	{"auth-results", "\"dkim=pass header.d=*.example\"", DKIM, 'y', 'n'},
	{"auth-results", "\"dkim=pass header.d=other.example\"", DKIM, 'n', 'y'},
	{"auth-results", "\"dkim=pass\"", AR("evil.example", "dkim=pass"), 'u', 'u'},
	{"auth-results", "\"dkim=pass\"", AR("MX.Seller.Example", "dkim=pass"), 'y', 'n'},
	{"auth-results", "\"dkim=pass\"",
		AR("mx.seller.example", "dkim=fail") "|" AR("mx.seller.example", "dkim=pass"), 'n',
		'y'},
	{"auth-results", "\"dkim=pass\"",
		AR("mx.seller.example", "spf=pass") "|" AR("mx.seller.example", "dkim=pass"), 'y',
		'n'},
	{"auth-results", "\"dkim=pass\"",
		AR("evil.example", "dkim=fail") "|" AR("mx.seller.example", "dkim=pass"), 'y', 'n'},
	{"auth-results", "\"dkim=pass\"", AR("mx.seller.example", "dkim=fail; dkim=pass"), 'y',
		'n'},
	{"auth-results", "\"dkim=fail\"", AR("mx.seller.example", "dkim=temperror"), 'u', 'u'},
	{"auth-results", "\"dkim=temperror\"", AR("mx.seller.example", "dkim=temperror"), 'y', 'n'},
	{"auth-results", "\"dkim=fail\"", AR("mx.seller.example", "none"), 'u', 'u'},
	{"auth-results", "\"dkim=fail\"", AR("mx.seller.example", "dkim=pass; spf=\"pass"), 'u',
		'u'}, /* not of the grammar */
	{"auth-results", "\"dkim=fail\"", AR("mx.seller.example", "dkim=pass; nonsense"), 'u', 'u'},
	{"auth-results", "\"dmarc=pass\", \"spf=pass\"",
		AR("mx.seller.example", "spf=pass smtp.mailfrom=a@b.example"), 'y', 'n'},
	{"auth-results", "\"arc=pass\"", AR("mx.seller.example", "arc=pass (i=1 spf=fail)"), 'y',
		'n'},
	{"auth-results", "\"dkim=fail\"", "long", 'u', 'u'}, /* its end may say so */
	{"auth-results", "\"dkim=pass\"", "long", 'y', 'n'},
	{"auth-results", "\"dkim=pass\"", "H:X-Results: mx.seller.example; dkim=pass", 'u', 'u'},
	{"auth-results", "\"dkim=pass\"", "H:Authentication-Results: ; dkim=pass|" DKIM, 'y', 'n'},
	{"message-size", "\"over 100K\"", "", 'y', 'n'},
	{"message-size", "\"over 1M\"", "", 'n', 'y'},
	{"message-size", "\"under 100K\", \"over 150K\"", "", 'y', 'n'},
	{"message-size", "\"100K to 1M\"", "headless", 'y', 'n'}, /* the MTA says it */
	{"message-size", "\"over 1M\"", "size=0", 'u', 'u'},
	{"attachment", "\"application/pdf\"", "+pdf", 'y', 'n'},
	{"attachment", "\"*.txt\"", "+disguised", 'y', 'n'},
	{"attachment", "\"*.doc\"", "+pdf", 'n', 'y'},
	{"attachment", "\"*.doc\"", "+pdf|unread=encrypted", 'u', 'u'},
	{"attachment", "\"*.doc\"", "+pdf|unread=image", 'n', 'y'},
	{"attachment", "\"*.doc\"", "+pdf|unread=ambiguous", 'n', 'y'}, /* tolerated */
	{"attachment", "\"*.doc\"", "parts", 'u', 'u'},                 /* there may be more */
	{"attachment", "\"application/msword\"", "+doc", 'y', 'n'},
	{"attachment", "\"application/x-ole-storage\"", "+doc", 'y', 'n'},
	{"attachment-type", "\"application/pdf\"", "+disguised", 'y', 'n'},
	{"attachment-type", "\"application/pdf\"", "+zip", 'n', 'y'},
	{"attachment-type", "\"application/pdf\"", "+odd", 'u', 'u'},
	{"attachment-type", "\"" WORD "\"", "+docx", 'u', 'u'},
	{"attachment-type", "\"*.document\", \"*/msword\"", "+doc", 'u', 'u'},
	{"attachment-type", "\"application/zip\", \"" WORD "\"", "+docx", 'y', 'n'},
	{"attachment-type", "\"application/pdf\"", "+docx", 'n', 'y'},
	{"attachment-type", "\"" WORD "\"", "+no-docx", 'n', 'y'},
	{"attachment-type", "\"" WORD "\"", "+zip", 'n', 'y'},
	{"attachment-type", "\"application/pdf\"", "+odd|+pdf", 'y', 'n'},
	{"attachment-type", "\"text/plain\"", "", 'n', 'y'}, /* the text is no attachment */
	{"attachment-type", "\"application/pdf\"", "unread=limit", 'u', 'u'},
	{"attachment-type", "\"application/pdf\"", "unread=password", 'n',
		'y'}, /* locked: its type is known */
	{"attachment-name", "\"*.pdf\"", "+pdf", 'y', 'n'},
	{"attachment-name", "\"*.pdf\"", "+disguised", 'n', 'y'},
	{"attachment-name", "\"*.exe\"", "+names", 'u', 'u'},
	{"attachment-name", "\"*.exe\"", "unread=damaged", 'u', 'u'},
	{"attachment-name", "\"*.pdf\"", "+names", 'y', 'n'},
	{"attachment-name", "\"b.pdf\"", "+names", 'u', 'u'},
	{"attachment-name", "\"b\"", "+names", 'n', 'y'},
	{"attachment-name", "\"*\"", "", 'n', 'y'},
	{"attachment-name", "\"*.exe\"", "+many", 'u', 'u'}, /* too many to try */
	{"attachment-size", "\"under 1K\"", "", 'n', 'y'},
	{"attachment-size", "\"over 1M\"", "+pdf", 'n', 'y'},
	{"attachment-size", "\"over 1M\"", "+pdf|+zip", 'y', 'n'},
	{"attachment-size", "\"over 1M\"", "+pdf|unread=time", 'u', 'u'},
	{"attachments", "\"none\"", "", 'y', 'n'},
	{"attachments", "\"none\"", "+logo", 'y', 'n'},
	/* Neither text nor picture, by either word; or it has a name. */
	{"attachments", "\"none\"", "+plain", 'y', 'n'},
	{"attachments", "\"none\"", "+bare", 'n', 'y'},
	{"attachments", "\"none\"", "+unsaid", 'n', 'y'},
	{"attachments", "\"none\"", "+photo", 'n', 'y'},
	{"attachments", "\"none\"", "+pdf|unread=encrypted", 'n',
		'y'}, /* there is one, whatever else */
	{"attachments", "\"none\"", "unread=encrypted", 'u', 'u'},
	{"attachments", "\"over 1\"", "+pdf|+zip", 'y', 'n'},
	{"attachments", "\"over 1\"", "+pdf|+zip|unread=encrypted", 'y', 'n'},
	{"attachments", "\"1 to 2\"", "+pdf|unread=limit", 'u', 'u'},
	{"attachments", "\"3\"", "+pdf|+zip", 'n', 'y'},
	{"identifiers", "\"over 2\"", "ids=3", 'y', 'n'},
	{"identifiers", "\"over 2\"", "ids=2", 'n', 'y'},
	{"identifiers", "\"over 2\"", "ids=2|maybe", 'u', 'u'}, /* the directory was not asked */
	{"identifiers", "\"over 2\"", "ids=2|unread=image-only", 'u', 'u'},
	{"identifiers", "\"over 2\"", "ids=2|unread=image", 'n', 'y'}, /* tolerated */
	{"identifiers", "\"over 2\"", "ids=3|unread=image-only", 'y', 'n'},
	{"identifiers", "\"none\"", "", 'y', 'n'},
	{"identifiers", "\"none\"", "addressed", 'y', 'n'}, /* of who exchanges the message */
	{"identifiers", "\"none\"", "other-kind", 'y', 'n'}, /* the policy does not look at it */
};

static Mail *mail_of(const char *steps)
{
	Mail *m = mail_new();
	g_auto(GStrv) each = g_strsplit(steps, "|", -1);
	for (int i = 0; each[i] != NULL; i++)
		apply(m, each[i]);
	return m;
}

static void test_truth(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Mail *m = mail_of(rows[i].mail);
		g_autofree char *one = g_strdup_printf("%s = {%s}", rows[i].key, rows[i].value);
		g_autofree char *twin = g_strdup_printf(
			"not-%s = {%s}", rows[i].key, rows[i].value);
		char got = state_of(m, one), got_twin = state_of(m, twin);
		if (got != rows[i].want || got_twin != rows[i].twin)
			g_error("%s with \"%s\": got %c and, turned round, %c; want %c and %c", one,
				rows[i].mail, got, got_twin, rows[i].want, rows[i].twin);
		mail_free(m);
	}
}

/* All must be met: one that is known not to be settles it, whatever is not known. */
static void test_and(void)
{
	static const struct {
		const char *body, *mail;
		char want;
	} cases[] = {
		{"", "", 'y'},
		{"auth-user = {\"a\"}\nsender = {\"seller.example\"}", "user=a", 'y'},
		{"auth-user = {\"a\"}\nsender = {\"other.example\"}", "user=a", 'n'},
		{"auth-user = {\"a\"}\nsender = {\"other.example\"}", "unsaid=user", 'n'},
		{"sender = {\"seller.example\"}\nauth-user = {\"a\"}", "unsaid=user", 'u'},
		{"auth-user = {\"a\"}\nattachments = {\"none\"}", "unsaid=user|+pdf", 'n'},
		{"attachment = {\"*.pdf\"}\nnot-attachment = {\"*.exe\"}", "+pdf", 'y'},
		{"sender = {\"seller.example\"}\nnot-sender = {\"billing@seller.example\"}", "",
			'n'},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Mail *m = mail_of(cases[i].mail);
		char got = state_of(m, cases[i].body);
		if (got != cases[i].want)
			g_error("%s with \"%s\": got %c, want %c", cases[i].body, cases[i].mail,
				got, cases[i].want);
		mail_free(m);
	}
}

/* Judged again, it is under what it was under. */
static void test_again(void)
{
	Mail *m = mail_of("+pdf");
	static const char *const under[] = {"p", NULL};
	m->envelope->policies = g_strdupv((char **)under);
	g_assert_cmpint(
		state_of(m, "sender = {\"other.example\"}\nattachments = {\"none\"}"), ==, 'y');
	apply(m, "unsaid=user");
	g_assert_cmpint(state_of(m, "auth-user = {\"a\"}"), ==, 'y');
	m->envelope->policies[0][0] = 'q'; /* another one */
	g_assert_cmpint(state_of(m, "sender = {\"other.example\"}"), ==, 'n');
	g_assert_cmpint(state_of(m, "auth-user = {\"a\"}"), ==, 'u');
	mail_free(m);
}

/* ---- words ------------------------------------------------------------------------------ */

static void test_words(void)
{
	static const struct {
		const char *body, *mail, *not, *unsure;
	} cases[] = {
		{"sender = {\"other.example\"}", "",
			"the sender <billing@seller.example> is none of: other.example", NULL},
		{"not-sender = {\"seller.example\"}", "",
			"the sender <billing@seller.example> is one of: seller.example", NULL},
		{"auth-user = {\"a\"}", "", "nobody had logged in, and it is for auth-user: a",
			NULL},
		{"auth-user = {\"a\"}", "user=b",
			"the login name \"b\" is none of: a", NULL},
		{"networks = {\"10.0.0.0/8\"}", "client=192.0.2.7",
			"the client 192.0.2.7 is in none of the networks: 10.0.0.0/8", NULL},
		{"networks = {\"10.0.0.0/8\"}", "",
			"the client (this host) is in none of the networks: 10.0.0.0/8", NULL},
		{"auth-user = {\"a\"}", "unsaid=user", NULL,
			"auth-user (nobody says who had logged in)"},
		{"time = {\"Sat\"}", "", "it did not come in the days and hours: Sat", NULL},
		{"attachments = {\"over 2\"}", "unread=limit", NULL,
			"attachments (not all parts could be read)"},
		{"auth-results = {\"dkim=fail\"}", DKIM,
			"the results in Authentication-Results are none of: dkim=fail", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Mail *m = mail_of(cases[i].mail);
		g_autoptr(MsPolicies) p = policy(cases[i].body);
		g_autofree char *not = ms_policy_why_not(p, 0, m->envelope, m->reading, NULL);
		g_autofree char *unsure = ms_policy_unsure(p, 0, m->envelope, m->reading, NULL);
		g_assert_cmpstr(not, ==, cases[i].not );
		if (cases[i].not == NULL)
			g_assert_cmpstr(unsure, ==, cases[i].unsure);
		mail_free(m);
	}
}

/* ---- mistakes --------------------------------------------------------------------------- */

static void test_mistakes(void)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{"time = {\"Mon-Fri\"}", "needs time-zone"},
		{"time-zone = \"Europe/Pariss\"\ntime = {\"Mon\"}",
			"there is no time zone \"Europe/Pariss\""},
		{"time-zone = \"UTC+2\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"12\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"zone.tab\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"../zoneinfo/UTC\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"Europe\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"\"\ntime = {\"Mon\"}", "there is no time zone"},
		{"time-zone = \"UTC\"\ntime = {\"Mon 8-18\"}", "are no days and hours"},
		{"time-zone = \"UTC\"\ntime = {\"Mun\"}", "are no days and hours"},
		{"time-zone = \"UTC\"\ntime = {\"08:00-08:00\"}", "are no days and hours"},
		{"time-zone = \"UTC\"\ntime = {\"08:00-25:00\"}", "are no days and hours"},
		{"auth-results = {\"dkim=pass\"}", "needs authserv-id"},
		{"authserv-id = {\"a\"}\nauth-results = {\"dkim\"}", "is not of the form"},
		{"authserv-id = {\"\"}\nauth-results = {\"dkim=pass\"}", "the name of no service"},
		{"authserv-id = {\"*\"}\nauth-results = {\"dkim=pass\"}", "the name of no service"},
		{"authserv-id = {\"list:mx\"}\nauth-results = {\"dkim=pass\"}",
			"the name of no service"},
		{"authserv-id = {\"mx a\"}\nauth-results = {\"dkim=pass\"}",
			"the name of no service"},
		{"authserv-id = {\"a\"}\nauth-results = {\"dkimm=pass\"}",
			"did you mean \"dkim\"?"},
		{"authserv-id = {\"a\"}\nauth-results = {\"dkim=passed\"}",
			"did you mean \"pass\"?"},
		{"authserv-id = {\"a\"}\nauth-results = {\"dkim=pass d=x\"}", "is not of the form"},
		{"message-size = {\"over\"}", "is no range of sizes"},
		{"message-size = {\"5M to 1M\"}", "is no range of sizes"},
		{"message-size = {\"none\"}", "is no range of sizes"},
		{"message-size = {\"over \"}", "is no range of sizes"},
		{"message-size = {\"over +5M\"}", "is no range of sizes"},
		{"message-size = {\"over -18446744073709551615\"}", "is no range of sizes"},
		{"attachments = {\"over 1M\"}", "is no range"},
		{"attachments = {\"under 0\"}", "is no range"},
		{"attachments = {\"-1\"}", "is no range"},
		{"header-present = {\"List-Id:\"}", "is not the name of a header field"},
		{"not-networks = {\"nonsense\"}", "not-networks"},
		{"not-header = {\"(\"}", "not-header"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf("policy \"p\" {\n%s\n}\n", cases[i].body);
		g_autoptr(GError) error = NULL;
		MsPolicies *p = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
		g_assert_null(p);
		if (strstr(error->message, cases[i].says) == NULL ||
			!g_str_has_prefix(error->message, "p.conf:"))
			g_error("%s: got \"%s\", want \"%s\"", cases[i].body, error->message,
				cases[i].says);
	}
}

/* ---- days and hours --------------------------------------------------------------------- */

static void test_windows(void)
{
	static const struct {
		const char *zone, *window, *utc;
		bool in;
	} cases[] = {
		{"UTC", "Mon-Fri 08:00-18:00", "2026-01-19T08:00:00", true},
		{"UTC", "Mon-Fri 08:00-18:00", "2026-01-19T07:59:59", false},
		{"UTC", "Mon-Fri 08:00-18:00", "2026-01-19T18:00:00", false},
		{"UTC", "Mon-Fri 08:00-18:00", "2026-01-17T10:00:00", false},
		{"UTC", "Sat-Mon", "2026-01-19T23:59:00", true}, /* over the end of the week */
		{"UTC", "Sat-Mon", "2026-01-20T00:00:00", false},
		{"UTC", "Mon,Wed", "2026-01-21T12:00:00", true},
		{"+02:00", "08:00-18:00", "2026-01-19T06:30:00", true},
		{"UTC", "Mon,Wed", "2026-01-20T12:00:00", false},
		{"UTC", "Fri 22:00-06:00", "2026-01-23T23:00:00",
			true}, /* Friday's night ends on Saturday */
		{"UTC", "Fri 22:00-06:00", "2026-01-24T05:59:00", true},
		{"UTC", "Fri 22:00-06:00", "2026-01-24T06:00:00", false},
		{"UTC", "Fri 22:00-06:00", "2026-01-23T05:00:00", false},
		{"UTC", "22:00-06:00", "2026-01-23T05:00:00", true},
		{"UTC", "Sun 22:00-06:00", "2026-01-19T01:00:00", true},
		{"UTC", "20:00-24:00", "2026-01-19T23:59:00", true},
		{"Europe/Paris", "08:00-18:00", "2026-01-19T07:30:00", true}, /* winter */
		{"Europe/Paris", "08:00-18:00", "2026-07-20T06:30:00", true}, /* summer */
		{"Europe/Paris", "08:00-18:00", "2026-07-20T16:30:00", false},
		{"Europe/Paris", "02:00-03:00", "2026-03-29T00:59:00",
			false}, /* 01:59; the next minute is 03:00 */
		{"Europe/Paris", "02:00-03:00", "2026-03-29T01:00:00", false},
		{"Europe/Paris", "02:00-03:00", "2026-10-25T00:30:00", true}, /* 02:30 comes */
		{"Europe/Paris", "02:00-03:00", "2026-10-25T01:30:00", true}, /* twice */
		{"Asia/Tokyo", "Tue", "2026-01-19T15:00:00", true}, /* it is Tuesday there */
		{"America/Los_Angeles", "Sun", "2026-01-19T07:59:00", true},
	};
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(cases[i].utc, utc);
		Mail *m = mail_new();
		m->envelope->arrived = g_date_time_to_unix(at) * G_USEC_PER_SEC;
		g_autofree char *text = g_strdup_printf(
			"policy \"p\" {\ntime-zone = \"%s\"\ntime = {\"%s\"}\n}\n", cases[i].zone,
			cases[i].window);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsPolicies)
			p = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
		g_assert_no_error(error);
		if (ms_policy_may_apply(p, m->envelope) != cases[i].in)
			g_error("%s %s at %s: want %d", cases[i].zone, cases[i].window,
				cases[i].utc, cases[i].in);
		mail_free(m);
	}
}

/* After a jump the time is not known, forwards as backwards; time that goes by is no jump. */
static void test_jump(void)
{
	static const struct {
		gint64 now, steady; /* seconds, one after the other */
		bool sure;
	} steps[] = {
		{0, 0, true},
		{3600, 3600, true}, /* an hour; and sleep is none less */
		{60, 0, true},      /* set right */
		{7200, 0, false},
		{300, 300, false},
		{301, 301, true},
		{-7200, 0, false},
		{599, 599, false},
		{86400, 1, false}, /* again, before it was over */
		{300, 300, false},
		{301, 301, true},
	};
	MsClockWatch watch = {0};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		ms_clock_shift(steps[i].now * G_USEC_PER_SEC, steps[i].steady * G_USEC_PER_SEC);
		if (ms_clock_is_sure(&watch) != steps[i].sure)
			g_error("step %zu: want %d", i, steps[i].sure);
	}
}

/* ---- Authentication-Results ------------------------------------------------------------- */

/* "id whole method=result{property,...} ..." */
static char *shown(const char *value)
{
	g_autoptr(MsAuthResults) r = ms_auth_results_parse(value);
	if (r == NULL)
		return g_strdup("none");
	GString *out = g_string_new(r->id);
	g_string_append(out, r->whole ? " whole" : " part");
	for (guint i = 0; i < r->results->len; i++) {
		const MsAuthResult *one = r->results->pdata[i];
		g_string_append_printf(out, " %s=%s", one->method, one->result);
		for (guint k = 0; k < one->properties->len; k++)
			g_string_append_printf(out, "{%s}", (char *)one->properties->pdata[k]);
	}
	return g_string_free(out, FALSE);
}

static void test_results(void)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		/* RFC 8601, appendix B */
		{"example.org 1; none", "example.org whole"},
		{"example.com; spf=pass smtp.mailfrom=example.net",
			"example.com whole spf=pass{smtp.mailfrom=example.net}"},
		{"example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net",
			"example.com whole auth=pass{smtp.auth=sender@example.net} spf=pass{smtp.mailfrom=example.net}"},
		{"example.com; dkim=pass (good signature) header.d=example.com",
			"example.com whole dkim=pass{header.d=example.com}"},
		{"example.com; dkim=pass reason=\"good signature\" header.i=@mail-router.example.net; dkim=fail reason=\"bad "
		 "signature\" header.i=@newyork.example.com",
			"example.com whole dkim=pass{header.i=@mail-router.example.net} dkim=fail{header.i=@newyork.example.com}"},
		{"foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can "
		 "go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462",
			"foo.example.net whole dkim=fail{policy.expired=1362471462}"},
		{"example.com;none", "example.com whole"},
		{"example.com; dkim=pass;", "example.com whole dkim=pass"},
		{"Example.COM; DKIM=Pass Header.D=Example.COM",
			"example.com whole dkim=pass{header.d=Example.COM}"},
		{"\"quoted id\"; spf=none", "quoted id whole spf=none"},
		{"a; spf=pass smtp.mailfrom=\"odd one\"@b.example",
			"a whole spf=pass{smtp.mailfrom=odd one@b.example}"},
		{"a; dkim=pass header.b=\"ab=c\"", "a whole dkim=pass{header.b=ab=c}"},
		{"a; dkim=pass (a (nested \\) one) here)", "a whole dkim=pass"},
		/* not of the grammar, or of another version */
		{"example.com 2; dkim=pass", "example.com part"},
		{"example.com; dkim", "example.com part"},
		{"example.com; dkim=", "example.com part"},
		{"example.com; dkim/2=pass", "example.com part dkim=pass"},
		{"example.com dkim=pass", "example.com part"},
		{"example.com; spf=pass; none", "example.com part spf=pass"},
		{"example.com; dkim=pass header.d", "example.com part dkim=pass"},
		{"example.com; dkim=pass (open", "example.com part dkim=pass"},
		{"example.com; dkim=pass reason=\"open", "example.com part dkim=pass"},
		{"example.com; dkim=pass) spf=fail", "example.com part dkim=pass"},
		{"", "none"},
		{"; dkim=pass", "none"},
		{"(only a comment", "none"},
		{"\"\"; dkim=pass", "none"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = shown(cases[i].value);
		g_assert_cmpstr(got, ==, cases[i].want);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autoptr(GError) error = NULL;
	kinds = ms_kinds_parse("k", "kind \"iban\" {\npattern = {'DE[0-9]+'}\n}\n", &error);
	g_assert_no_error(error);
	g_test_add_func("/conditions/truth", test_truth);
	g_test_add_func("/conditions/and", test_and);
	g_test_add_func("/conditions/again", test_again);
	g_test_add_func("/conditions/words", test_words);
	g_test_add_func("/conditions/mistakes", test_mistakes);
	g_test_add_func("/conditions/windows", test_windows);
	g_test_add_func("/conditions/jump", test_jump);
	g_test_add_func("/conditions/results", test_results);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
