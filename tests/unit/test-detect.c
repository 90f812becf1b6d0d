/*
 * Texts and the identifiers that must be found in them, or must not: kinds of an operator's
 * own, evidence, bounds, contradictions.
 */
#include "config.h"

#include "missent/answer.h"
#include "missent/detect.h"

#include "../test.h"

static MsKinds *kinds;

static MsReading *detect(const MsKinds *with, const char *text, gsize len)
{
	MsReading *reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	char *input = exact_copy(text, len);
	MsSpan span = {.where = "part 1", .text = input, .len = len};
	ms_detect(with, NULL, &span, &budget, reading);
	free(input);
	return reading;
}

static const MsFinding *find(const MsReading *reading, const char *kind, const char *value)
{
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		if (strcmp(f->kind, kind) == 0 && strcmp(f->value, value) == 0)
			return f;
	}
	return NULL;
}

static void test_fields(void)
{
	static const struct {
		const char *term, *party, *scheme, *text, *kind, *value;
		guint belief;
	} cases[] = {
		{"BT-46", "buyer", NULL, "ACME/7 north", "customer-number", "ACME7NORTH",
			MS_BELIEF_FIELD},
		{"BT-46", "buyer", "0088", "4304171000002", "customer-number", "4304171000002",
			MS_BELIEF_FIELD | MS_BELIEF_SCHEME},
		{"BT-1", "document", NULL, "F 1/24", "invoice-number", "F124", MS_BELIEF_FIELD},
		{"BT-31", "seller", NULL, "DE129273398", "vat-id", "DE129273398",
			MS_BELIEF_FIELD | MS_BELIEF_SHAPE | MS_BELIEF_CHECKED | MS_BELIEF_SELLER},
		{"BT-48", "buyer", NULL, "DE129273398", "vat-id", "DE129273398",
			MS_BELIEF_FIELD | MS_BELIEF_SHAPE | MS_BELIEF_CHECKED},
		{"BT-84", "payee", NULL, "DE89370400440532013000", "iban", "DE89370400440532013000",
			MS_BELIEF_FIELD | MS_BELIEF_SHAPE | MS_BELIEF_CHECKED | MS_BELIEF_SELLER},
		{"BG-8", "buyer", NULL, "Hauptstr. 1\n10115 Berlin\nDE", "billing-address",
			"10115/1/haupt", MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		MsLimits limits;
		MsBudget budget;
		ms_limits_default(&limits);
		ms_budget_init(&budget, &limits);
		MsSpan span = {.type = MS_SPAN_FIELD,
			.where = "part 2 a.xml",
			.text = cases[i].text,
			.len = strlen(cases[i].text),
			.term = cases[i].term,
			.party = cases[i].party,
			.scheme = cases[i].scheme};
		ms_detect(kinds, NULL, &span, &budget, reading);
		const MsFinding *f = find(reading, cases[i].kind, cases[i].value);
		if (f == NULL || f->belief != cases[i].belief)
			g_error("%s %s: belief %u", cases[i].term, cases[i].text,
				f != NULL ? f->belief : 0);
	}
}

/* ---- the text as a whole -------------------------------------------------------------- */

static MsReading *detect_of(const char *text, MsSpanOf of, MsSpanType type)
{
	MsReading *reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	char *input = exact_copy(text, strlen(text));
	MsSpan span = {.type = type,
		.where = "part 1",
		.text = input,
		.len = strlen(text),
		.of = of,
		.term = type == MS_SPAN_FIELD ? "BT-22" : NULL};
	ms_detect(kinds, NULL, &span, &budget, reading);
	free(input);
	return reading;
}

#define NUMBER "your customer number: C-4711."

static void test_text(void)
{
	static const struct {
		const char *text;
		MsSpanOf of;
		MsSpanType type;
		bool same;        /* text as the first one */
		bool in_text;     /* the number is in it */
		const char *name; /* that is greeted */
	} rows[] = {
		{"Dear Ms Weber,\n" NUMBER, MS_OF_LETTER, MS_SPAN_TEXT, true, true, "weber"},
		{"  Dear  Mr.  Klein ,\r\n\r\nYour CUSTOMER\xc2\xa0number : C-4711", MS_OF_LETTER,
			MS_SPAN_TEXT, true, true, "klein"},
		{NUMBER, MS_OF_LETTER, MS_SPAN_TEXT, true, true, NULL},
		{NUMBER, MS_OF_DOCUMENT, MS_SPAN_TEXT, true, true, NULL},
		{NUMBER, MS_OF_DOCUMENT, MS_SPAN_FIELD, true, true, NULL},
		{"Dear Ms Weber,\nyour customer number: C-4712.", MS_OF_LETTER, MS_SPAN_TEXT, false,
			true, "weber"},
		/* A letter that came along is greeted as it is. */
		{"Dear Ms Weber,\n" NUMBER, MS_OF_DOCUMENT, MS_SPAN_TEXT, false, true, NULL},
		{NUMBER, MS_OF_HEADER, MS_SPAN_TEXT, false, false, NULL},
		{NUMBER, MS_OF_LETTER, MS_SPAN_NAME, false, false, NULL},
		{NUMBER, MS_OF_LETTER, MS_SPAN_ASIDE, false, false, NULL},
	};
	guint8 want[MS_TEXT_DIGEST], got[MS_TEXT_DIGEST];
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsReading) r = detect_of(rows[i].text, rows[i].of, rows[i].type);
		bool any = ms_reading_text(r, 0, i == 0 ? want : got);
		bool same = any && (i == 0 || memcmp(got, want, sizeof got) == 0);
		if (same != rows[i].same)
			g_error("row %zu: the text is %s", i, same ? "the same" : "another");
		for (guint k = 0; k < r->findings->len; k++) {
			const MsFinding *f = r->findings->pdata[k];
			g_assert_cmpuint(f->texts, ==, rows[i].in_text ? 1 : 0);
		}
		g_assert_cmpuint(r->greeted->len, ==, rows[i].name != NULL);
		if (rows[i].name != NULL)
			g_assert_cmpstr(r->greeted->pdata[0], ==, rows[i].name);
	}
}

static void say(MsReading *reading, guint face, const char *value, guint belief)
{
	ms_reading_find(
		reading, "customer-number", value, belief, face, ms_place_new("x", value, 0, 1, 1));
}

/* Which faces name which customers, and how many contradictions that makes. */
static void test_contradictions(void)
{
	static const struct {
		const char *name;
		struct {
			guint face;
			const char *value;
			guint belief;
		} found[3];
		guint want;
	} cases[] = {
		{"the same", {{0, "1", MS_BELIEF_LABELLED}, {1, "1", MS_BELIEF_FIELD}}, 0},
		{"mail and attachment",
			{{0, "1", MS_BELIEF_LABELLED}, {1, "2", MS_BELIEF_LABELLED}}, 1},
		{"one of two",
			{{0, "1", MS_BELIEF_LABELLED}, {1, "2", MS_BELIEF_FIELD},
				{2, "1", MS_BELIEF_FIELD}},
			1},
		{"PDF and its XML", {{1, "1", MS_BELIEF_LABELLED}, {2, "2", MS_BELIEF_FIELD}}, 1},
		{"two attachments", {{1, "1", MS_BELIEF_LABELLED}, {3, "2", MS_BELIEF_FIELD}}, 0},
		{"perhaps the same",
			{{0, "1", MS_BELIEF_LABELLED}, {1, "2", MS_BELIEF_FIELD},
				{1, "1", MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE}},
			0},
		{"perhaps another",
			{{0, "1", MS_BELIEF_LABELLED},
				{1, "2", MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE}},
			0},
		{"a public number",
			{{0, "1", MS_BELIEF_LABELLED},
				{1, "2", MS_BELIEF_FIELD | MS_BELIEF_SCHEME}},
			0},
		{"the seller",
			{{0, "1", MS_BELIEF_LABELLED},
				{1, "2", MS_BELIEF_FIELD | MS_BELIEF_SELLER}},
			0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		static const char *const faces[] = {
			"message", "part 2 a.pdf", "part 2 a.pdf > x.xml", "part 3 b.pdf"};
		for (gsize k = 0; k < G_N_ELEMENTS(faces); k++)
			ms_reading_face(reading, faces[k]);
		for (gsize k = 0; k < 3 && cases[i].found[k].value != NULL; k++)
			say(reading, cases[i].found[k].face, cases[i].found[k].value,
				cases[i].found[k].belief);
		ms_detect_contradictions(kinds, reading);
		if (reading->contradictions->len != cases[i].want)
			g_error("%s: %u contradictions", cases[i].name,
				reading->contradictions->len);
	}
}

typedef enum { FIRM, TENTATIVE, NOT } Want;

static const struct {
	const char *text, *kind, *value;
	Want want;
} rows[] = {
	{"IBAN: DE89 3704 0044 0532 0130 00.", "iban", "DE89370400440532013000", FIRM},
	{"DE89370400440532013000", "iban", "DE89370400440532013000", FIRM},
	{"DE89\xc2\xa0"
	 "3704\xe2\x80\x8b 0044 0532 0130 00",
		"iban", "DE89370400440532013000", FIRM},
	{"DE88 3704 0044 0532 0130 00", "iban", "DE88370400440532013000", NOT},
	{"id 6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21 x", "subscription-id",
		"6F1D2A330B644C029D7E5A1F0C9B7E21", FIRM},
	{"nume\xcc\x81ro client : \xd0\xa1-\xd9\xa4\xd9\xa7\xd9\xa1\xd9\xa1", "customer-number",
		"C4711", FIRM},
	{"\xd0\x9d\xd0\x9e\xd0\x9c\xd0\x95\xd0\xa0 DE89 3704 0044 0532 0130 00", "iban",
		"DE89370400440532013000", FIRM},
	{"ask j\xc3\xb6rg@m\xc3\xbcller.example", "email", "j\xc3\xb6rg@xn--mller-kva.example",
		FIRM},
	{"ask anna\xef\xbc\xa0"
	 "b\xe2\x80\x8b.example now",
		"email", "anna@b.example", FIRM},
	{"\xe8\xb4\xa6\xe5\x8f\xb7"
	 "DE89370400440532013000\xe3\x80\x82",
		"iban", "DE89370400440532013000", FIRM},
	{"xDE89370400440532013000", "iban", "DE89370400440532013000", NOT},
	{"6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21ff", "subscription-id",
		"6F1D2A330B644C029D7E5A1F0C9B7E21", NOT},
	{"USt-IdNr. DE 136695976", "vat-id", "DE136695976", FIRM},
	{"VAT FR 40 303 265 045 end", "vat-id", "FR40303265045", FIRM},
	{"write to John.Doe@Example.com, please", "email", "john.doe@example.com", FIRM},
	{"<mailto:a@b.example>", "email", "a@b.example", FIRM},
	{"not an address: a@b", "email", "a@b", NOT},
	{"Kundennummer: 75969813", "customer-number", "75969813", FIRM},
	{"Kundennummer\t75969813\nUSt", "customer-number", "75969813", FIRM},
	{"customer number C-10 001", "customer-number", "C10001", TENTATIVE},
	{"> Customer number:\n> C-10001\n", "customer-number", "C10001", FIRM},
	{"N\xc2\xb0 de client : 411-22", "customer-number", "41122", FIRM},
	{"customer number is 4711", "customer-number", "4711", FIRM},
	{"customer number is below 4711 pieces", "customer-number", "4711", TENTATIVE},
	{"contract libs/contract/test2.cpp", "contract-number", "LIBSCONTRACTTEST2CPP", TENTATIVE},
	{"order number 2004", "order-number", "2004", TENTATIVE},
	{"the customer 4711 said", "customer-number", "4711", NOT},
	{"Rechnung 47110818 vom 01.02.2024", "invoice-number", "47110818", FIRM},
	{"Rechnung vom 01.02.2024", "invoice-number", "01022024", NOT},
	{"invoice dated 2024-02-01", "invoice-number", "20240201", NOT},
	{"Invoice DN-DN-001 is ready", "invoice-number", "DNDN001", FIRM},
	{"Invoice number: 9314110911/00/M/00/N", "invoice-number", "931411091100M00N", FIRM},
	{"Contract: iExpress 20110412", "contract-number", "IEXPRESS20110412", TENTATIVE},
	{"Billing address: Pappelallee 15, 12345 Leipzig, DE\n\n", "billing-address",
		"12345/15/pappelal", TENTATIVE},
	{"Rechnungsanschrift:\nMuster GmbH\nPappelallee 15\n12345 Leipzig\nDE\n\nx",
		"billing-address", "12345/15/pappelal", TENTATIVE},
	{"Bill to\nACME\nOlaya Street 5678, 54321 Riyadh, SA\nTel 1", "billing-address",
		"54321/5678/olaya", TENTATIVE},
	{"", "iban", "x", NOT},
};

static void test_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsReading) r = detect(kinds, rows[i].text, strlen(rows[i].text));
		const MsFinding *f = find(r, rows[i].kind, rows[i].value);
		Want got = f == NULL ? NOT : f->belief & MS_BELIEF_TENTATIVE ? TENTATIVE : FIRM;
		if (got != rows[i].want)
			g_error("\"%s\": got %d, want %d for %s %s", rows[i].text, got,
				rows[i].want, rows[i].kind, rows[i].value);
		g_assert_cmpuint(r->unread->len, ==, 0);
	}
}

/* Evidence shows what was written, where it was written. */
static void test_evidence(void)
{
	const char *text = "Your IBAN DE89\xc2\xa0" "3704 0044 0532 0130 00 is on file";
	g_autoptr(MsReading) r = detect(kinds, text, strlen(text));
	const MsFinding *f = find(r, "iban", "DE89370400440532013000");
	g_assert_nonnull(f);
	g_assert_cmpuint(f->belief & MS_BELIEF_CHECKED, !=, 0);
	const MsPlace *p = f->places->pdata[0];
	g_assert_cmpstr(p->text, ==, "DE89\xc2\xa0" "3704 0044 0532 0130 00");
	g_assert_cmpstr(p->before, ==, "Your IBAN ");
	g_assert_cmpstr(p->after, ==, " is on file");
}

/* What a pattern, a label and check digits all find in one place stands there once. */
static void test_places(void)
{
	static const struct {
		const char *text, *kind, *value;
		guint count;
	} places[] = {
		{"Your IBAN DE89 3704 0044 0532 0130 00 is on file", "iban",
			"DE89370400440532013000", 1},
		{"VAT ID: DE129273398, VAT ID: DE129273398", "vat-id", "DE129273398", 2},
		{"Invoice number: RE-2024-00417\nInvoice no. RE-2024-00417", "invoice-number",
			"RE202400417", 2},
		{"Customer number: C-10001", "customer-number", "C10001", 1},
		{"mail a@b.example, a@b.example and a@b.example", "email", "a@b.example", 3},
		{"C-10001 C-10001\nCustomer number C-10001", "customer-number", "C10001", 1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(MsReading) r = detect(kinds, places[i].text, strlen(places[i].text));
		const MsFinding *f = find(r, places[i].kind, places[i].value);
		guint count = f != NULL ? f->count : 0;
		if (count != places[i].count || f->places->len != count)
			g_error("%s: %u times, want %u", places[i].text, count, places[i].count);
	}
}

/* A pattern of an operator's that runs away is unread, not "nothing found". */
static void test_catastrophic(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKinds) bad =
		ms_kinds_parse("k", "kind \"a\" { pattern = {'(a+)+[0-9]'} }", &error);
	g_assert_no_error(error);
	g_autofree char *text = g_strnfill(5000, 'a');
	g_autoptr(MsReading) r = detect(bad, text, 5000);
	g_assert_cmpuint(r->unread->len, ==, 1);
	g_assert_cmpint(((MsUnread *)r->unread->pdata[0])->reason, ==, MS_UNREAD_PATTERN);
}

/* Kinds of an operator's, whatever their patterns and labels begin with. */
static void test_own_kinds(void)
{
	static const struct {
		const char *conf, *text, *value; /* NULL: nothing is found */
	} own_rows[] = {
		{"pattern = {'(?-i:KD)[0-9]{5}'}", "see KD12345 there", "KD12345"},
		{"pattern = {'(?-i:KD)[0-9]{5}'}", "see kd12345 there", NULL},
		{"pattern = {'(?x-i: KD ) [0-9]{5}'}", "see KD 12345 there", "KD12345"},
		{"pattern = {'(?<=KD-)[0-9]{5}'}", "see KD-12345 there", "12345"},
		{"pattern = {'(?<=KD-)[0-9]{5}'}", "see KE-12345 there", NULL},
		{"pattern = {'#[0-9]{5}'}", "see #12345 there", "12345"},
		{"pattern = {'#[0-9]{5}'}", "see (#12345) there", "12345"},
		{"pattern = {'#[0-9]{5}'}", "see 12345 there", NULL},
		{"pattern = {'\\\\([A-Z][0-9]{4}\\\\)'}", "see [(A1234)] there", "A1234"},
		{"pattern = {'##[A-Z]{4}'}", "see ###ABCD there", "ABCD"},
		{"pattern = {'[A-Z]{2}[0-9]{4}'}\nlabel-required = yes\nlabels = {\"№\"}",
			"see № AB4711 there", "AB4711"},
		{"pattern = {'[A-Z]{2}[0-9]{4}'}\nlabel-required = yes\nlabels = {\"№\"}",
			"see №AB4711 there", NULL}, /* "NoAB4711" */
		{"pattern = {'[A-Z\\\\p{Common}]{2,9}[0-9]{4}'}\nlabel-required = yes\n"
		 "labels = {\"ref\"}",
			"ref AB 4711 there", "AB4711"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(own_rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *conf = g_strdup_printf("kind \"own\" {\n%s\n}\n", own_rows[i].conf);
		g_autoptr(MsKinds) own = ms_kinds_parse("k", conf, &error);
		g_assert_no_error(error);
		g_autoptr(MsReading) r = detect(own, own_rows[i].text, strlen(own_rows[i].text));
		bool found = own_rows[i].value != NULL && find(r, "own", own_rows[i].value) != NULL;
		if (own_rows[i].value != NULL ? !found : r->findings->len > 0)
			g_error("%s: %s: %s", conf, own_rows[i].text,
				r->findings->len > 0 ? ((MsFinding *)r->findings->pdata[0])->value
						     : "nothing");
	}
	static const char *const bad[] = {
		"(*UCP)[0-9]{5}", "(?x) [0-9]{5} # a number", "KD\\\\Q[0-9]"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *conf = g_strdup_printf(
			"kind \"own\" {\npattern = {'%s'}\n}\n", bad[i]);
		G_GNUC_UNUSED g_autoptr(MsKinds) own = ms_kinds_parse("k", conf, &error);
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		g_assert_nonnull(strstr(error->message, "k:2"));
	}
}

static void test_many(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(text, "u%d@many.example\n", i);
	g_autoptr(MsReading) r = detect(kinds, text->str, text->len);
	g_assert_cmpuint(r->findings->len, <=, 2001);
	g_assert_cmpuint(r->unread->len, ==, 1);
	g_assert_cmpint(((MsUnread *)r->unread->pdata[0])->reason, ==, MS_UNREAD_LIMIT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/detect/own-kinds", test_own_kinds);
	g_test_add_func("/detect/rows", test_rows);
	g_test_add_func("/detect/evidence", test_evidence);
	g_test_add_func("/detect/places", test_places);
	g_test_add_func("/detect/catastrophic", test_catastrophic);
	g_test_add_func("/detect/many", test_many);
	g_test_add_func("/detect/fields", test_fields);
	g_test_add_func("/detect/contradictions", test_contradictions);
	g_test_add_func("/detect/text", test_text);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
