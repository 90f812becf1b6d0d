/* Compact text, the filter of known identifiers, postal keys, check digits, other forms. */
#include "config.h"

#include "missent/compact.h"
#include "missent/detect.h"
#include "missent/filter.h"
#include "missent/kind.h"
#include "missent/postal.h"
#include "missent/text.h"

#include "../test.h"

static MsKinds *kinds;
static const guint8 key[MS_FILTER_KEY_BYTES] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* ---- compact text --------------------------------------------------------------------- */

static void test_compact(void)
{
	static const struct {
		const char *text, *want;
		guint words;
	} rows[] = {
		{"FR76 3000-6000", "fr7630006000", 3},
		{"", "", 0},
		{" .-/ ", "", 0},
		{"XYZ @contoso com", "xyzcontosocom", 3},
		{"\xe8\xb4\xa6\xe5\x8f\xb7" "C-1\xe3\x80\x82", "\xe8\xb4\xa6\xe5\x8f\xb7" "c1", 3},
		{"\xe2\x80\x9e" "C1\xe2\x80\x9c", "c1", 1},
		{"a\nb", "ab", 2},
		/* letters of one alphabet, of which some are folded: one word, before digits */
		{"кл-7790", "kл7790", 2},
		{"КЛ7790", "kл7790", 2},
		{"Заказчик 77", "зakaзчиk77", 2},
		{"ИНН7707", "иhh7707", 2},
		{"Πας77", "πaσ77", 2},
		{"7790кл", "7790kл", 2},
		{"müştəri", "mustəri", 1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].text);
		char *input = exact_copy(rows[i].text, len);
		g_autoptr(MsFold) fold = ms_fold_new(input, len);
		g_autoptr(MsCompact) c = ms_compact_new(fold->text, fold->len);
		g_assert_cmpstr(c->text, ==, rows[i].want);
		g_assert_cmpuint(c->n_words, ==, rows[i].words);
		for (gsize w = 0; w < c->n_words; w++) {
			g_assert_cmpuint(c->words[w].start, <, c->words[w].end);
			g_assert_cmpuint(c->words[w].from, <, c->words[w].until);
			g_assert_cmpuint(c->words[w].until, <=, fold->len);
		}
		free(input);
	}
}

/* ---- the filter ----------------------------------------------------------------------- */

static GBytes *image_of(const char *const *kind_and_compact)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (; kind_and_compact[0] != NULL; kind_and_compact += 2) {
		MsMark mark;
		g_assert_true(ms_mark_make(key, kind_and_compact[0], kind_and_compact[1],
			strlen(kind_and_compact[1]), &mark));
		g_array_append_val(marks, mark);
	}
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

static MsFilter *open_image(GBytes *image)
{
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	g_autoptr(GError) error = NULL;
	MsFilter *filter = ms_filter_open(data, size, &error);
	g_assert_no_error(error);
	return filter;
}

/* All of many values are in it, of each length, and nothing else. */
static void test_members(void)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	const guint n = 20000;
	for (guint i = 0; i < n; i++) {
		g_autofree char *value = g_strdup_printf("v%0*u", (int)(4 + i % 120), i);
		MsMark mark;
		g_assert_true(ms_mark_make(key, "iban", value, strlen(value), &mark));
		g_array_append_val(marks, mark);
	}
	g_autoptr(GBytes)
		image = ms_filter_build(key, (const MsMark *)(const void *)marks->data, n);
	g_autoptr(MsFilter) filter = open_image(image);
	const MsFilters filters = {.parts = {NULL, filter}};
	guint wrong = 0;
	for (guint i = 0; i < n; i++) {
		g_autofree char *value = g_strdup_printf("v%0*u", (int)(4 + i % 120), i);
		g_autofree char *other = g_strdup_printf("w%0*u", (int)(4 + i % 120), i);
		g_assert_true(ms_filters_have(&filters, ms_kind_tag("iban"), value, strlen(value)));
		g_assert_false(ms_filters_have(&filters, ms_kind_tag("email"), value, strlen(value)));
		wrong += ms_filters_have(&filters, ms_kind_tag("iban"), other, strlen(other));
	}
	g_assert_cmpuint(wrong, ==, 0);
	g_assert_true(ms_filters_have_some(&filters, ms_kind_tag("iban")));
	g_assert_false(ms_filters_have_some(&filters, ms_kind_tag("email")));
	g_assert_false(ms_filters_have_some(NULL, ms_kind_tag("iban")));
	MsMark mark;
	g_assert_false(ms_mark_make(key, "iban", "ab", 2, &mark));
	g_autofree char *longest = g_strnfill(MS_FILTER_MAX + 1, 'a');
	g_assert_false(ms_mark_make(key, "iban", longest, MS_FILTER_MAX + 1, &mark));
	/* Its image has none of the values in it. */
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	g_assert_null(memmem(data, size, "v0000", 5));
}

typedef struct {
	guint n;
	gsize first, last;
} Hits;

static bool on_hit(const MsHit *hit, void *user)
{
	Hits *hits = user;
	hits->n++;
	hits->first = hit->first;
	hits->last = hit->last;
	return true;
}

/* Wherever it stands in a long text, and however it is cut into words. */
static void test_scan(void)
{
	static const char *const known[] = {"customer-number", "c10001", "iban",
		"de89370400440532013000", "email", "abc", NULL};
	g_autoptr(GBytes) image = image_of(known);
	g_autoptr(MsFilter) filter = open_image(image);
	for (guint before = 0; before < 9000; before += 487) {
		GString *text = g_string_new(NULL);
		while (text->len < before)
			g_string_append(text, "lorem ip ");
		g_string_append(text, "DE89 3704-0044.0532 0130 00 etc");
		g_autoptr(MsCompact) c = ms_compact_new(text->str, text->len);
		Hits hits = {0};
		ms_filter_scan(filter, c, on_hit, &hits);
		g_assert_cmpuint(hits.n, ==, 1);
		g_assert_cmpuint(hits.last - hits.first, ==, 5);
		g_string_free(text, TRUE);
	}
	static const struct {
		const char *text;
		guint hits;
	} rows[] = {
		{"abc", 1},
		{"a b c", 1},
		{"abcd", 0},
		{"xabc", 0},
		{"c-10001", 1},
		{"c10001x", 0},
		{"c 100 01, c-10001", 2},
		{"", 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsCompact) c = ms_compact_new(rows[i].text, strlen(rows[i].text));
		Hits hits = {0};
		ms_filter_scan(filter, c, on_hit, &hits);
		g_assert_cmpuint(hits.n, ==, rows[i].hits);
	}
}

static void test_not_an_image(void)
{
	static const char *const known[] = {"email", "abc", NULL};
	g_autoptr(GBytes) image = image_of(known);
	gsize size;
	const guint8 *data = g_bytes_get_data(image, &size);
	for (gsize len = 0; len < size; len += len < 200 ? 1 : 997) {
		guint8 *copy = (guint8 *)exact_copy(data, len);
		g_assert_null(ms_filter_open(copy, len, NULL));
		free(copy);
	}
	guint8 *copy = (guint8 *)exact_copy(data, size);
	copy[0] ^= 1;
	g_assert_null(ms_filter_open(copy, size, NULL));
	copy[0] ^= 1;
	copy[24] = 60; /* bits of the first table */
	g_assert_null(ms_filter_open(copy, size, NULL));
	free(copy);
	g_autoptr(GBytes) none = ms_filter_build(key, NULL, 0);
	g_autoptr(MsFilter) empty = open_image(none);
	const MsFilters filters = {.parts = {empty}};
	g_assert_false(ms_filters_have(&filters, ms_kind_tag("email"), "abc", 3));
}

/* ---- what the directory knows, in texts ----------------------------------------------- */

static const char *const directory[][2] = {
	{"customer-number", "C-100 01"},
	{"customer-number", "4711"},
	{"customer-number", "20240131"},
	{"customer-number", "8123456"},
	{"customer-number", "123456789"},
	{"customer-number", "Acme North"},
	{"customer-number", "7155013"},
	{"customer-number", "кл-7790"},
	{"customer-number", "ДОГОВОР-77908"},
	{"customer-number", "Πας77849"},
	{"customer-number", "24530"},
	{"invoice-number", "7155013"},
	{"iban", "DE89 3704 0044 0532 0130 00"},
	{"email", "XYZ@contoso.com"},
	{"email", "jo.hn@an-dreas.example"},
	{"email", "an@dreas.de"},
	{"vat-id", "PL5260250995"},
	{"subscription-id", "6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21"},
	{"billing-address",
		"Muster GmbH\nHauptstra\xc3\x9f"
		"e 5\n10115 Berlin"},
	{"billing-address", "12, rue de la Paix, 75002 Paris"},
	{"billing-address", "Gulf Traders, P.O. Box 4711, Dubai, United Arab Emirates"},
	{"billing-address", "Meir 1145, 2000 Antwerpen"},
	{"billing-address", "Harbour Ltd, 104 Nathan Road, Kowloon"},
	{"billing-address", "Muster, Rua Augusta 5, 1100-053 Lisboa"},
	{"billing-address", "\xd0\xa3\xd0\xbb\xd0\xb8\xd1\x86\xd0\xb0 \xd0\xa6\xd0\xb0\xd1\x80 5"},
};

static GBytes *directory_image(void)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (gsize i = 0; i < G_N_ELEMENTS(directory); i++) {
		const MsKind *kind = ms_kinds_find(kinds, directory[i][0]);
		const char *text = directory[i][1], *why;
		g_autofree char *value = ms_kind_canonical(kind, text, strlen(text), &why);
		g_assert_nonnull(value);
		g_autofree char *compact = ms_compact_of(value, strlen(value));
		MsMark mark;
		if (ms_mark_make(key, kind->name, compact, strlen(compact), &mark)
			&& kind->form != MS_FORM_EMAIL && kind->form != MS_FORM_ADDRESS)
			g_array_append_val(marks, mark);
		g_autoptr(GPtrArray) forms = ms_kind_stored_forms(kind, value, text, strlen(text));
		for (guint f = 0; f < forms->len; f++) {
			const MsOtherForm *form = forms->pdata[f];
			if (form->compact != NULL &&
				ms_mark_make(key, kind->name, form->compact, strlen(form->compact),
					&mark))
				g_array_append_val(marks, mark);
		}
	}
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

/* `value` NULL: nothing of this kind is found. */
static const struct {
	const char *text, *kind, *value;
	guint belief; /* at least */
} known_rows[] = {
	{"your number is C-10001.", "customer-number", "C10001", MS_BELIEF_EXACT},
	{"your number is c 100\n> 01 today", "customer-number", NULL,
		0}, /* too short to be joined */
	{"Kundennummer: c 100 01", "customer-number", "C10001", MS_BELIEF_LABELLED},
	{"in INV-C-10001 we", "customer-number", NULL, 0},
	{"4711 pieces", "customer-number", NULL, 0},
	{"Kundennummer 4711", "customer-number", "4711", MS_BELIEF_LABELLED},
	{"on 20240131 we", "customer-number", NULL, 0},
	/* of more digits than few, and fewer than count by themselves */
	{"die Kunden 11170, 24530 und 11290", "customer-number", "24530", MS_BELIEF_EXACT},
	{"Kunden: 11170 und 24530", "customer-number", "24530", MS_BELIEF_EXACT},
	{"customer Meyer (24530)", "customer-number", "24530", MS_BELIEF_EXACT},
	{"Kunden:\n11170\n24530", "customer-number", "24530", MS_BELIEF_EXACT},
	{"die Zimmer 11170, 24530 und 11290", "customer-number", NULL, 0},
	{"die Kunden 11170, 24530 Euro", "customer-number", NULL, 0},
	{"Kunde Meyer (24530 Euro)", "customer-number", NULL, 0},
	{"Kunde 11170\nMenge 24530", "customer-number", NULL, 0},
	{"8123456 is yours", "customer-number", "8123456", MS_BELIEF_EXACT},
	/* in any case, of any alphabet */
	{"вот кл-7790", "customer-number", "KЛ7790", MS_BELIEF_EXACT},
	{"ВОТ КЛ-7790", "customer-number", "KЛ7790", MS_BELIEF_EXACT},
	{"Customer number: Кл-7790", "customer-number", "KЛ7790", MS_BELIEF_LABELLED},
	{"по кл7790 и", "customer-number", "KЛ7790", MS_BELIEF_EXACT},
	{"по договор-77908", "customer-number", "ДOГOBOP77908", MS_BELIEF_EXACT},
	{"πας77849", "customer-number", "ΠAΣ77849", MS_BELIEF_EXACT},
	{"ΠΑΣ-77849", "customer-number", "ΠAΣ77849", MS_BELIEF_EXACT},
	{"кд-7790", "customer-number", NULL, 0},
	{"ЗАКАЗЧИК: 4711", "customer-number", "4711", MS_BELIEF_LABELLED},
	{"заказчик: 4711", "customer-number", "4711", MS_BELIEF_LABELLED},
	{"КЛИЕНТСКИЙ НОМЕР 4711", "customer-number", "4711", MS_BELIEF_EXACT},
	{"Αρ. ΠΕΛΑΤΗ: 4711", "customer-number", "4711", MS_BELIEF_LABELLED},
	{"Αρ. πελάτη: 4711", "customer-number", "4711", MS_BELIEF_LABELLED},
	{"акт: 7155013", "invoice-number", "7155013", MS_BELIEF_LABELLED},
	{"АКТ: 7155013", "invoice-number", "7155013", MS_BELIEF_LABELLED},
	{"Akt 4711", "customer-number", NULL, 0},
	/* the same number of two kinds: a label says which is meant, if there is such */
	{"7155013 is yours", "customer-number", "7155013", MS_BELIEF_EXACT},
	{"7155013 is yours", "invoice-number", "7155013", MS_BELIEF_EXACT},
	{"Invoice number: 7155013", "invoice-number", "7155013", MS_BELIEF_LABELLED},
	{"Invoice number: 7155013", "customer-number", NULL, 0},
	{"Kundennummer 7155013", "invoice-number", NULL, 0},
	{"Kundennummer 7155013", "customer-number", "7155013", MS_BELIEF_LABELLED},
	{"Shipment number: 7155013", "customer-number", "7155013", MS_BELIEF_EXACT},
	{"Kundennummer 70011, 7155013", "invoice-number", "7155013", MS_BELIEF_EXACT},
	{"Kundennummer fehlt, 7155013", "invoice-number", "7155013", MS_BELIEF_EXACT},
	{"EUR 8123456.50", "customer-number", NULL, 0},
	{"EUR 8123456,50", "customer-number", NULL, 0},
	{"A-8123456", "customer-number", NULL, 0},
	{"81 234 56", "customer-number", NULL, 0},
	{"123 456 789", "customer-number", "123456789", MS_BELIEF_SHAPE},
	{"Acme North of here", "customer-number", NULL, 0},
	{"customer no. Acme North", "customer-number", "ACMENORTH", MS_BELIEF_LABELLED},
	{"DE89-3704.0044/0532 0130\n00", "iban", "DE89370400440532013000", MS_BELIEF_CHECKED},
	{"6f1d2a330b644c029d7e5a1f0c9b7e21", "subscription-id", "6F1D2A330B644C029D7E5A1F0C9B7E21",
		MS_BELIEF_EXACT},
	{"write to XYZ @contoso com", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"write to xyz at contoso dot com", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"xyz(at)contoso.com", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"xyz [at] contoso [dot] com", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"https://x.example/?m=xyz%40contoso.com&a", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"xyz@con\ntoso.com", "email", "xyzcontosocom", MS_BELIEF_TENTATIVE},
	{"\xef\xbd\x98yz\xef\xbc\xa0"
	 "contoso.com",
		"email", "xyz@contoso.com", MS_BELIEF_SHAPE},
	{"mailto:xyz@contoso.com?x", "email", "xyz@contoso.com", MS_BELIEF_SHAPE},
	{"x\xd1\x83z@contoso.com", "email", "xyzcontosocom",
		MS_BELIEF_TENTATIVE}, /* a Cyrillic y */
	{"E-Mail: xyz@contoso.comTel. 030 1", "email", "xyz@contoso.com", MS_BELIEF_TENTATIVE},
	{"xyz@contoso.com030123456", "email", "xyz@contoso.com", MS_BELIEF_TENTATIVE},
	{"xyz@contoso.comwww.contoso.com", "email", "xyz@contoso.com", MS_BELIEF_TENTATIVE},
	{"an@dreas.deUSt-IdNr. 1", "email", "an@dreas.de", MS_BELIEF_TENTATIVE},
	{"who@contoso.comFax", "email", "who@contoso.com", MS_BELIEF_TENTATIVE}, /* its domain */
	{"jo hn (at) an dreas example", "email", "johnandreasexample", MS_BELIEF_TENTATIVE},
	{"xyz contoso com", "email", NULL, 0}, /* no sign of an @ */
	{"Andreas de Lima at work", "email", NULL, 0},
	{"NIP 526-025-09-95", "vat-id", "5260250995", MS_BELIEF_LABELLED},
	{"call 526-025-09-95", "vat-id", NULL, 0},
	{"Muster GmbH, Hauptstr. 5a, D-10115 Berlin", "billing-address", "10115/5/haupt",
		MS_BELIEF_TENTATIVE},
	{"10115 BERLIN\nHAUPTSTRASSE 5", "billing-address", "10115/5/haupt", MS_BELIEF_TENTATIVE},
	{"Muster GmbH\nHauptstr. 5\n10115 Berlin", "billing-address", "10115/5/haupt",
		MS_BELIEF_CHECKED},
	{"Hauptstr. 7, 10115 Berlin", "billing-address", NULL, 0},
	{"Nebenstr. 5, 10115 Berlin", "billing-address", NULL, 0},
	{"75002 PARIS CEDEX 02\n12 R PAIX", "billing-address", "75002/12/paix",
		MS_BELIEF_TENTATIVE},
	{"10115 5 10115 5 10115 5", "billing-address", NULL, 0},
	{"B-2000 ANTWERPEN\nMEIR 1145 bus 3", "billing-address", "2000/1145/meir",
		MS_BELIEF_TENTATIVE},
	{"PO Box 4711\nDubai", "billing-address", "~dubai/4711/pobox", MS_BELIEF_TENTATIVE},
	{"104 Nathan Rd., KOWLOON", "billing-address", "~kowloon/104/nathan", MS_BELIEF_TENTATIVE},
	{"PO Box 4712\nDubai", "billing-address", NULL, 0},
	{"in Dubai 4711 pieces went through box 7", "billing-address", NULL, 0},
	{"104 pages on Kowloon", "billing-address", NULL, 0},
	{"PO Box 4711\nSharjah", "billing-address", NULL, 0},
};

static void test_known(void)
{
	g_autoptr(GBytes) image = directory_image();
	g_autoptr(MsFilter) filter = open_image(image);
	MsFilters filters = {{filter, NULL}}, added = {{NULL, filter}};
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(known_rows); i++) {
		const char *text = known_rows[i / 2].text, *kind = known_rows[i / 2].kind,
			   *want = known_rows[i / 2].value;
		gsize len = strlen(text);
		char *input = exact_copy(text, len);
		g_autoptr(MsReading) reading = ms_reading_new();
		MsLimits limits;
		MsBudget budget;
		ms_limits_default(&limits);
		ms_budget_init(&budget, &limits);
		MsSpan span = {.where = "part 1", .text = input, .len = len};
		ms_detect(kinds, i % 2 ? &added : &filters, &span, &budget, reading);
		const MsFinding *found = NULL;
		for (guint k = 0; k < reading->findings->len; k++) {
			const MsFinding *f = reading->findings->pdata[k];
			if (strcmp(f->kind, kind) == 0 &&
				(want == NULL || strcmp(f->value, want) == 0) &&
				(want != NULL ||
					(f->belief & (MS_BELIEF_EXACT | MS_BELIEF_SHAPE)) != 0))
				found = f;
		}
		if ((found != NULL) != (want != NULL) ||
			(found != NULL &&
				(found->belief & known_rows[i / 2].belief) !=
					known_rows[i / 2].belief))
			g_error("\"%s\": %s %s, belief %u", text, kind,
				found != NULL ? found->value : "not found",
				found != NULL ? found->belief : 0);
		free(input);
	}
}

/* ---- guesses -------------------------------------------------------------------------- */

static MsReading *read_text(const MsFilters *filters, const char *text)
{
	gsize len = strlen(text);
	char *input = exact_copy(text, len);
	MsReading *reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	MsSpan span = {.where = "part 1", .text = input, .len = len};
	ms_detect(kinds, filters, &span, &budget, reading);
	if (filters->lean)
		ms_reading_drop_guesses(reading);
	free(input);
	return reading;
}

typedef enum { NOTHING, GUESS, SOUGHT, FIRM } Want;

static Want found_as(MsReading *reading, const char *kind, const char *value)
{
	const MsFinding *f = ms_reading_has(reading, kind, value, NULL);
	if (f == NULL)
		return NOTHING;
	return f->belief & MS_BELIEF_GUESS	     ? GUESS
		: f->belief & MS_BELIEF_TENTATIVE ? SOUGHT
						  : FIRM;
}

/* What is only perhaps a value, and is nobody's, is a guess; all else stays. */
static const struct {
	const char *text, *kind, *value;
	Want want;
} guess_rows[] = {
	{"contract libs/contract/test2.cpp", "contract-number", "LIBSCONTRACTTEST2CPP", GUESS},
	{"customer number is below 4712 pieces", "customer-number", "4712", GUESS},
	{"customer number is below 4711 pieces", "customer-number", "4711", SOUGHT},
	{"customer number 4712", "customer-number", "4712", FIRM},
	{"customer number is below 4712 pieces\n\n\ncustomer number 4712", "customer-number", "4712",
		FIRM},
	{"customer number 4712\n\n\ncustomer number is below 4712 pieces", "customer-number", "4712",
		FIRM},
	{"BIC is a ABNANL2A", "bic", "ABNANL2A", SOUGHT}, /* the directory has none of them */
	{"tax ID is perhaps 9998887771", "tax-id", "9998887771", SOUGHT}, /* may be a registration's */
	{"Address: Acme, Nebenstr. 5, 10115 Berlin", "billing-address", "10115/5/neben", GUESS},
	{"Address: Acme, Hauptstr. 5, 10115 Berlin", "billing-address", "10115/5/haupt", SOUGHT},
	{"Address: Hauptstr. 5, 1100/053", "billing-address", "1100053/5/haupt", GUESS},
	{"Address: Muster, Lisboa, Rua Augusta 5, 1100/053", "billing-address", "1100053/5/augusta",
		SOUGHT},
	{"Address: \xd0\xa3\xd0\xbb\xd0\xb8\xd1\x86\xd0\xb0 \xd0\xa6\xd0\xb0\xd1\x80 5",
		"billing-address", NULL, SOUGHT},
	{"Address: Haus Sonne, 5 Musterdorf", "billing-address", "5 haus musterdorf sonne", GUESS},
};

/* ---- numbers without what all of their kind have ------------------------------------------ */

static const struct {
	const char *kind, *compact;
} short_directory[] = {{"customer-number", "kd00417"}, {"customer-number", "kd12694"},
	{"customer-number", "c12694"}, {"customer-number", "c00530"}, {"order-number", "no417"},
	{"customer-number", "kd00530"}, {"customer-number", "530"}, {"customer-number", "kd00611"},
	{"customer-number", "kd611"}, {"invoice-number", "re20260418"},
	{"invoice-number", "re2026418"}, /* its form without zeros */
	{"invoice-number", "re20260027"}, {"invoice-number", "re202627"}, /* likewise */
	{"invoice-number", "re20260011"}, {"invoice-number", "re202611"},
	/* nearly a day, nearly a month; those that are one, and a season */
	{"invoice-number", "re20260018"}, {"invoice-number", "re20261318"},
	{"invoice-number", "re20260432"}, {"invoice-number", "re202600"},
	{"invoice-number", "re202613"}, {"invoice-number", "re20261231"},
	{"invoice-number", "re20260101"}, {"invoice-number", "re202601"},
	{"invoice-number", "re202612"}, {"invoice-number", "re209900"},
	{"order-number", "ab0142026"},
	{"invoice-number", "re20242026"}, {"customer-number", "kd00733"}, {"order-number", "733"},
	{"contract-number", "0000417"}, {"order-number", "ab0071943"},
	{"order-number", "ab71943"}, /* likewise */
	/* of two kinds with one label, of two years */
	{"order-number", "ab0004170"}, {"order-number", "ab4170"},
	{"customer-number", "kd04170"}, {"customer-number", "kd4170"},
	{"contract-number", "0004170"}, {"contract-number", "0004171"},
	{"invoice-number", "re20250533"}, {"invoice-number", "re2025533"},
	{"invoice-number", "re20260533"}, {"invoice-number", "re2026533"},
	{"invoice-number", "re20240777"},
	/* of twelve years, of sixteen and of seventeen */
	{"invoice-number", "re20110888"}, {"invoice-number", "re20120888"},
	{"invoice-number", "re20130888"}, {"invoice-number", "re20140888"},
	{"invoice-number", "re20150888"}, {"invoice-number", "re20160888"},
	{"invoice-number", "re20170888"}, {"invoice-number", "re20180888"},
	{"invoice-number", "re20190888"}, {"invoice-number", "re20200888"},
	{"invoice-number", "re20210888"}, {"invoice-number", "re20220888"},
	{"invoice-number", "re20100866"}, {"invoice-number", "re20110866"},
	{"invoice-number", "re20120866"}, {"invoice-number", "re20130866"},
	{"invoice-number", "re20140866"}, {"invoice-number", "re20150866"},
	{"invoice-number", "re20160866"}, {"invoice-number", "re20170866"},
	{"invoice-number", "re20180866"}, {"invoice-number", "re20190866"},
	{"invoice-number", "re20200866"}, {"invoice-number", "re20210866"},
	{"invoice-number", "re20220866"}, {"invoice-number", "re20230866"},
	{"invoice-number", "re20240866"}, {"invoice-number", "re20250866"},
	{"invoice-number", "re20100999"}, {"invoice-number", "re20110999"},
	{"invoice-number", "re20120999"}, {"invoice-number", "re20130999"},
	{"invoice-number", "re20140999"}, {"invoice-number", "re20150999"},
	{"invoice-number", "re20160999"}, {"invoice-number", "re20170999"},
	{"invoice-number", "re20180999"}, {"invoice-number", "re20190999"},
	{"invoice-number", "re20200999"}, {"invoice-number", "re20210999"},
	{"invoice-number", "re20220999"}, {"invoice-number", "re20230999"},
	{"invoice-number", "re20240999"}, {"invoice-number", "re20250999"},
	{"invoice-number", "re20260999"}};

static const MsStyle short_styles[] = {
	{0, "kd", 2, 0}, {0, "kd", 2, 5}, {1, "re", 2, 0}, {2, "", 0, 7},
	{3, "ab", 2, 0}, {3, "ab", 2, 7}};

/* NULL: nothing of the directory's is found.  With a term it is the field of an e-invoice. */
static const struct {
	const char *text, *want, *term;
} short_rows[] = {
	/* "c" may be for a word for "number", and is not where it begins what is known. */
	{"Kundennummer\tC-12694", "C12694"},
	{"Kundennummer: C-12694", "C12694"},
	{"<Kundennummer> C.12694", "C12694"},
	{"Kundennummer | C 00530", "C00530"},
	{"Kundennummer\t\xc4\x8d. 417", "KD00417"},
	/* ... and not what is known of another kind */
	{"Customer no 417", "KD00417"},
	{"Kundennummer: 417", "KD00417"},
	{"Kunden-Nr. 417", "KD00417"},
	{"customer 417", "KD00417"},
	{"customer no. 00417", "KD00417"},
	{"customer no. 000417", "KD00417"},
	{"customer no. 12694", "KD12694"},
	/* zeros that fill up a field, before numbers that have none themselves */
	{"Invoice no. 20260418", "RE20260418"},
	{"Invoice no. 0020260418", "RE20260418"},
	{"Invoice no. RE0020260418", "RE20260418"},
	{"Invoice no. RE-0020260418", "RE20260418"},
	{"Invoice no. 0120260418", NULL},
	{"Invoice no. 2026-000418", "RE2026418"},
	{"Rechnung 2026/00418", "RE2026418"},
	{"today RE-2026-000418 asked", "RE2026418"},
	{"Rechnung Nr. 26-00418", "RE2026418"},
	{"Rechnung 2026-00418,50 EUR", NULL},
	{"Invoice no. 2025-000418", NULL},
	{"Zimmer 2026-000418", NULL},
	{"Invoice no. 2026041800", NULL},
	{"0020260418 pieces", NULL},
	{"Your customer number is 417.", "KD00417"},
	{"Kundennummer\n417", "KD00417"},
	{"Customer numbers: 4711, 417", "KD00417"},
	{"Customer numbers: 4711 and 417", "KD00417"},
	{"Customer numbers: 4711, no.: 417", "KD00417"},
	{"Kundennummer 12694, Nr.: 417", "KD12694+KD00417"},
	{"Kundennummer 12694 PIN: 417", "KD12694"},
	{"Kundennummer 12694 Abt.: 417", "KD12694"},
	{"Kundennummer 12694, LS : 417", "KD12694"},
	{"Your customer number is 12694. PIN: 417", "KD12694"},
	{"Kundennummer 12694 mit 417", "KD12694+KD00417"},
	{"N\xc2\xb0 client 12694, n\xc2\xb0 417", "KD12694+KD00417"},
	{"Kundennr. 12694 (alt: 417)", "KD12694+KD00417"},
	{"Kundennr. 12694 (417)", "KD12694"},
	{"Kundennummer 12694 Zimmer 417", "KD12694"},
	{"Kundennummer 12694, PO 417", "KD12694"},
	{"Kundennummer 12694 LS 417", "KD12694"},
	{"Kundennummer 12694 Tel 417", "KD12694"},
	{"Kundennummer 12694 Abt. 417", "KD12694"},
	{"Kundennummer 12694 for job 417", "KD12694"},
	{"Kunden 12694 PO 417", "KD12694"},
	{"Kundennummer KD12694, 417", "KD12694+KD00417"},
	{"Kundennummern 12694, KD-417", "KD12694+KD00417"},
	{"Kundennummer 12694 bzw. 417", "KD12694+KD00417"},
	{"Kundennummer 12694 und Nr. 417", "KD12694+KD00417"},
	{"KUNDENNUMMERN 12694 UND 417", "KD12694+KD00417"},
	{"Kundennummer und 417", NULL},
	{"Kunde:417", "KD00417"},
	/* in brackets, or a mark behind its name; of many it says how many */
	{"Kunde (417)", "KD00417"},
	{"Meier, Kunde (417), fragt", "KD00417"},
	{"client (417)", "KD00417"},
	{"klant (417)", "KD00417"},
	{"Kunde-417", "KD00417"},
	{"Kunde_417", "KD00417"},
	{"customer-417", "KD00417"},
	{"Kundennummer-417", "KD00417"},
	{"Kundennummer_417", "KD00417"},
	{"Kundennummer-12694", "KD12694"},
	{"Kd.Nr.417", "KD00417"},
	{"Kunden-Nr./417", "KD00417"},
	{"Kunden (417)", NULL},
	{"customers (417)", NULL},
	{"clients-417", NULL},
	{"Kunden_417", NULL},
	{"Kunde (417 Personen)", NULL},
	{"Zimmer (417)", NULL},
	{"Zimmer-417", NULL},
	{"https://shop.example/kunde-417", NULL},
	{"Kunde-417-2", NULL},
	{"Kunde-417.50", NULL},
	{"Kunde-Z-417", NULL},
	{"Kundennummer 12694-417", NULL},
	/* in a sentence behind it */
	{"417 is your customer number", "KD00417"},
	{"417 is your new customer number.", "KD00417"},
	{"12694 ist Ihre Kundennummer", "KD12694"},
	{"417 ist ab heute Ihre Kundennummer", NULL},
	{"417 est votre num\xc3\xa9ro de client", "KD00417"},
	{"417 es su n\xc3\xbamero de cliente", "KD00417"},
	{"417 is uw klantnummer", "KD00417"},
	{"417 jest twoj numer klienta", "KD00417"},
	{"417 er dit kundenummer", "KD00417"},
	{"Please quote 417 as your customer number", "KD00417"},
	{"417 is the customer number of Meier", "KD00417"},
	{"KD-417 is your customer number", "KD00417"},
	{"X-417 is your customer number", NULL},
	{"417 is missing your customer number", NULL},
	{"417 is under your customer number 12694", "KD12694"},
	{"417 is the one of your customer number: 12694", "KD12694"},
	{"417 ist die Zeile unter Kundennummer 12694", "KD12694"},
	{"417 ist Ihr Platz", NULL},
	{"417 is your invoice number", NULL},
	{"Kundennummer lautet ab sofort 0012694", "KD12694"},
	{"Kundennummer lautet 3 0012694", NULL},
	{"customer no. 0-0-4-17", "KD00417"},
	{"customer no. 000000000000417", "KD00417"},
	{"customer no. KD-417", "KD00417"},
	{"customer no. KD 417", "KD00417"},
	{"today KD417 asked", "KD00417"},
	{"today KD-417 asked", "KD00417"},
	{"Invoice 2026-0418", "RE20260418"},
	{"Rechnung Nr. 0418/2026", "RE20260418"},
	{"Rechnung Nr. 0418/26", "RE20260418"},
	{"Rechnung Nr. 26-0418", "RE20260418"},
	{"facture n\xc2\xb0 418/2026", "RE2026418"},
	{"Invoice number: 20260418", "RE20260418"},
	{"Invoice number: RE-2026-0418", "RE20260418"},
	{"Rechnung Nr. RE0418/2026", "RE20260418"},
	{"Rechnung Nr. AZ0418/2026", NULL},
	{"today RE26-0418 asked", "RE20260418"},
	{"today RE26-18 asked", NULL},
	{"Rechnung0418/26", "RE20260418"},
	{"Zimmer0418/26", NULL},
	{"Vertragsnummer 417", "0000417"},
	{"Order number 71943", "AB71943"},
	{"Facture de cantine n\xc2\xb0 2026-0418", "RE20260418"},
	{"Hotelrechnung Nr. 0418/2026", "RE20260418"},
	{"Hotellfaktura 2026-0418, rum 12", "RE20260418"},
	{"XRechnung 2026-0418", "RE20260418"},
	{"Hotelzimmer Nr. 0418/2026", NULL},
	{"Invoice 2026 0418", "RE20260418"},
	{"Invoice 2026 0418 EUR", NULL},
	{"Rechnung Nr. 2026 418", "RE2026418"},
	{"Rechnung Nr. 2026 0-418", NULL},
	{"Rechnung Nr. 26/418", "RE2026418"},
	{"KdNr417", "KD00417"},
	{"Rechnung2026-0418", "RE20260418"},
	{"Zimmer417", NULL},
	{"AZ417 Baku", NULL},
	{"Kundennummer bei uns: 417", "KD00417"},
	{"Kundennummer bei uns, Zimmer: 417", NULL},
	{"Facture de la chambre n\xc2\xb0 418", NULL},
	{"Facture du contrat n\xc2\xb0 2026-0418", NULL},
	/* no label of the kind, or none right before it */
	{"417", NULL},
	{"Meier (Kunde) 417", NULL},
	{"in room 417", NULL},
	{"KD 417", NULL},
	{"Invoice number: 417", NULL},
	{"Kundennummer fehlt, 417", NULL},
	{"Kundennummer 4711, Zimmer 417", NULL},
	{"on 2026-04-18", NULL},
	{"2026-0418", NULL},
	/* a date's or a period's form, and no word for "number" before it */
	{"Invoice number 2026/27", "RE202627"},
	{"Rechnung Nr. 2026-11", "RE202611"},
	{"Rechnungs-Nr.: 20260418", "RE20260418"},
	{"Facture n\xc2\xb0 20260418", "RE20260418"},
	{"Invoice date 20260418", NULL},
	{"Invoice created: 20260418", NULL},
	{"as was begun, then the long invoice for the period 2026/11", NULL}, /* "n" */
	{"Rechnung_20260418.pdf", NULL},
	{"Rechnung 2026/27", NULL},
	{"Rechnung f\xc3\xbcr das Schuljahr 2026/27", NULL},
	{"Facture de la saison 2026-27", NULL},
	{"Rechnung 2026-11", NULL},
	{"Invoice for 2026/11", NULL},
	{"Monatsrechnung 2026/11", NULL},
	{"Rechnung KW 24/2026", NULL},
	{"Rechnung 11/2026", NULL},
	{"Rechnung 20260101", NULL},
	{"Rechnung 20261231", NULL},
	{"Rechnung 202601", NULL},
	{"Rechnung 202612", NULL},
	{"Rechnung 2099/00", NULL},
	/* no month has that number, no day */
	{"Rechnung 20260018", "RE20260018"},
	{"Rechnung 20261318", "RE20261318"},
	{"Rechnung 20260432", "RE20260432"},
	{"Rechnung 202600", "RE202600"},
	{"Rechnung 202613", "RE202613"},
	{"Order number AB-1.4.2026", "AB0142026"},
	{"today AB-1.4.2026 asked", NULL},
	{"Order number 1.4.2026", NULL},
	{"Rechnung Nr. 24/2026", NULL},
	/* another number, or a piece of one */
	{"customer 417 EUR", NULL},
	{"customer 417.00", NULL},
	{"Kundennummer 417-2", NULL},
	{"Kundennummer A-417", NULL},
	{"Kundennummer A417", NULL},
	{"Kundennummer 417-A", NULL},
	{"Kundennummer XD-417", NULL},
	{"Kundennummer 0000000000000417", NULL},
	{"Kundennummer 0-0-4-1-7", NULL},
	{"Kundennummer 00 417", NULL},
	{"Kundennummer 417 1", NULL},
	{"Rechnung Nr. 0418/2026/1", NULL},
	{"Kundennummer 3417", NULL},
	{"Kundennummer 17", NULL},
	{"Kundennummer 417 12 03", NULL},
	{"today XKD417 asked", NULL},
	/* below its head */
	{"Kundennummer:  Datum:\n417            01.11.2026", "KD00417"},
	{"Datum:       Kundennummer:\n01.11.2026  417", "KD00417"},
	{"Kundennummer  Datum\n\n417           01.11.2026", "KD00417"},
	{"Kundennummer  Datum\r\n \r\n417           01.11.2026", "KD00417"},
	{"| Kundennummer |  Datum     |\n|          417 | 01.11.2026 |", "KD00417"},
	{"| Haus | Kundennummer |\n| 417  |          733 |", "KD00733"},
	{"+--------------+-------+\n| Kundennummer | Datum |\n+--------------+-------+\n"
	 "| 417          | 12    |\n+--------------+-------+", "KD00417"},
	{"Kundennummer\tDatum\t\n\n417\t01.11.2026\t", "KD00417"},
	{"Haus\tKundennummer\t\n\n417\t733\t", "KD00733"},
	{"Name\nMeier GmbH\tKundennummer\n417\tOrt\nBerlin\t", "KD00417"},
	{"Kundennummer\tName\n-\tMeier\n417\tSchulz", "KD00417"},
	{"Kunden-\nnummer\tDatum\t\n417\t01.11.2026\t", "KD00417"},
	{"Vom 1.11.\nKunden-\nnummer\tDatum\t\n417\t01.11.2026\t", "KD00417"},
	{"Name\tKunden-\nnummer\tOrt\t\nMeier\t417\tBerlin\t", "KD00417"},
	{"To\nDate\tCustomer\nno.\tQuantity\t\n01.11.2026\t417\t12\t", "KD00417"},
	{"Pos\tArt.-Nr.\nKunde\tKunden-\nnummer\t\n1\t417\t733\t", "KD00733"},
	{"Pos\tRabatt\nKunde\t\n1\t417\t", "KD00417"},
	/* cut where the column ends */
	{"Datum\tKundennum\tMenge\t\n01.11.2026\t417\t12\t", "KD00417"},
	{"DATUM;KUNDENNUMM;MENGE\n01.11.2026;417;12", "KD00417"},
	{"Date\tCustomernumb\tQuantity\t\n01.11.2026\t417\t12\t", "KD00417"},
	{"Datum\tArtikelnumm\tKundennumme\t\n01.11.2026\t417\t733\t", "KD00733"},
	{"Rechnungs-\nnummer\tKunden-\nnummer\t\n0418/2026\t733\t", "RE20260418+KD00733"},
	{"Haus-\nnummer\tKunden-\nnummer\tOrt\t\n417\t733\tBerlin\t", "KD00733"},
	{"Haus-\nnummer\tOrt\t\n417\tBerlin\t", NULL},
	{"Kunden-\nnummer\tHaus\t\nMeier\t417\t", NULL},
	{"Kundennummer\n(intern)\tHaus\t\n417\t733\t", "KD00417"},
	{"Haus\tKundennummer\nbei uns\tOrt\t\n733\t417\tUlm\t", "KD00417"},
	{"Kundennummer\nHausnummer\tOrt\t\n417\tUlm\t", NULL},
	/* rows whose cells have lines, that are more or fewer than heads, go on behind others */
	{"Datum\tKundennummer\tOrt\t\n1.2.\n10:15\t417\tUlm\t", "KD00417"},
	{"Datum\tKundennummer\tOrt\t\n1.2.\n417\t12694\tUlm\t", "KD12694"},
	{"Datum\tKundennummer\tOrt\n1.2.\t12694\tBonn\n\n3.2.\t417\tUlm", "KD12694+KD00417"},
	{"Datum;Kundennummer;Ort\n1.2.;12694;Bonn\nMai\n3.2.;417;Ulm", "KD12694+KD00417"},
	{"Datum;Kundennummer;Ort\n1.2.;12694;Bonn\nMai\n\nn\n3.2.;417;Ulm", "KD12694"},
	{"Datum;Kundennummer;Ort\n1.2.;12694;Bonn\n\nTag;Haus;Ort\n3.2.;417;Ulm", "KD12694"},
	{"Datum;Kundennummer;Ort\n1.2.;12694;Bonn\n\nZimmer;417;Bonn", "KD12694"},
	{"Name;Kundennummer\nMeier;12694\n\nZimmer;417", "KD12694"},
	{"Datum;Kundennummer;Ort;A;B\n1.2.;417", "KD00417"},
	{"Datum;Kundennummer;Ort;A;B\n1.2.;12694\nZimmer;417", "KD12694"},
	{"Datum,Kundennummer,Ort,A,B\n1.2.,417", NULL},
	{"Datum;Kundennummer;Ort\n1.2.;417;Ulm;a;b;c", "KD00417"},
	{"Datum\tKundennummer\t\t\n1.2.\tMeier\t417\t", "KD00417"},
	{"Datum\tKundennummer\t\n1.2.\tMeier\t417\t", "KD00417"},
	{"Datum\tKundennummer\t\tMenge\t\n1.2.\t12694\t\t417\t", "KD12694"},
	{"Menge\t\tKundennummer\t\n1.2.\t417\t12694\t", "KD12694"},
	{"Menge\t\tHaus\tKundennummer\t\n417\t\t\t12694\t", "KD12694"},
	/* the same, and heads of two lines, in text for paper */
	{"Datum   Kundennummer  Ort\n1.2.    12694         Bonn\n\nMai\n3.2.    417           Ulm",
		"KD12694+KD00417"},
	{"Datum   Kundennummer  Ort\n1.2.    12694         Bonn\n\nZimmer  417           Ulm", "KD12694"},
	{"Datum   Kundennummer  Ort\n1.2.    12694         Bonn\n\n3.2.    417", "KD12694"},
	{"Datum   Kundennummer\n1.2.    12694\n\n3.2.    417", "KD12694"},
	{"Date        Customer        Amount\n            number\n1.2.        417             12",
		"KD00417"},
	{"            Customer\nDate        number          Amount\n1.2.        417             12",
		"KD00417"},
	{"Beleg-      Kunden-         Betrag\ndatum       nummer          (EUR)\n\n"
	 "1.2.        417             12", "KD00417"},
	{"Beleg-      Kunden-         Haus-\ndatum       nummer          nummer\n"
	 "1.2.        12694           417", "KD12694"},
	{"Beleg-      Haus-\nnummer      nummer\n12          417", NULL},
	{"Kunden-     Haus\n            nummer\n12          417", NULL},
	{"Kunden-\nnummer  und  Haus\n417     und  12", NULL},
	{"Kundennummer:  siehe oben\nMenge:         417", NULL},
	{"Kundennummer  733\nMenge     417", "KD00733"},
	/* in a file whose columns commas set apart */
	{"Kundennummer,Datum,Betrag\n417,01.11.2026,129.00", "KD00417"},
	{"Menge,Kundennummer,Betrag\n12,417,50.00", "KD00417"},
	{"Rechnungsnummer,Kundennummer\n0418/2026,733", "RE20260418+KD00733"},
	{"Kundennummer,Rechnungsnummer\n733,26-0418", "KD00733+RE20260418"},
	{"Menge,Kundennummer\n417,733", "KD00733"},
	{"Menge,Name\n417,01", NULL},
	{"Kundennummer,Name\n417.50,12", NULL},
	/* or other marks, of which each line has as many */
	{"Datum~Kundennummer~Ort\n1.2.~417~Ulm", "KD00417"},
	{"Datum^Kundennummer^Ort\n1.2.^417^Ulm", "KD00417"},
	{"Datum:Kundennummer:Ort\n1.2.:417:Ulm", "KD00417"},
	{"Datum#Kundennummer#Ort\n1.2.#417#Ulm", "KD00417"},
	{"Datum$Kundennummer$Ort\n1.2.$417$Ulm", "KD00417"},
	{"Datum/Kundennummer/Ort\n1.2./417/Ulm\n3.2./12694/Bonn", "KD00417+KD12694"},
	{"Menge/Kundennummer/Ort\n417/12694/Ulm", "KD12694"},
	{"Kundennummer/Rechnungsnummer: 12694 / RE-2026-0418\n417/1/2", "RE20260418+KD12694"},
	{"Name/Haus/Ort\nMeier/417/Ulm", NULL},
	{"Datum;Kundennummer;;Ort\n1.2.;;417;Ulm", "KD00417"},
	{"Menge;;Kundennummer\n1;417;12694", "KD12694"},
	{"Datum*Kundennummer*Ort\n1.2.*417*Ulm", "KD00417"},
	{"Datum, Kundennummer, Ort\n1.2., 417, Ulm", "KD00417"},
	{"Datum~Rechnungsnummer~Ort\n1.2.~0418/2026~Ulm", "RE20260418"},
	{"Datum~Ort~Kundennummer\n1.2.~~12694\n3.2.~~417", "KD12694+KD00417"},
	{"Menge~Kundennummer~Ort\n417~12694~Ulm", "KD12694"},
	{"Menge: Kundennummer: Ort\n417: 12694: Ulm", "KD12694"},
	{"Datum, Kundennummer, Ort\nAm 1.2., 417 Tage, Ulm", NULL},
	{"Datum, Kundennummer, Ort\nAm 1.2., nach 417, aus Ulm, Bonn", NULL},
	{"Datum~Kundennummer~Betrag\n1.2.~417,50~12", NULL},
	/* names, and as many values behind them: in lines, in a cell each, by a blank each */
	{"Kundennummer\nMenge\nDatum\n417\n12\n01.11.2026\n", "KD00417"},
	{"Menge\nKundennummer\nDatum\n12\n417\n01.11.2026\n", "KD00417"},
	{"Datum:\nBetrag:\nKunden-Nr.:\n\n01.11.2026\n129,00\n417\n", "KD00417"},
	{"Hello,\nDate\nCustomer no.\nQuantity\n01.11.2026\n417\n12\nRegards", "KD00417"},
	{"Datum\nRechnungsnummer\nBetrag\n01.11.2026\n0418/2026\n129,00", "RE20260418"},
	{"Name\nKundennummer\nOrt\tMeier GmbH\n417\nBerlin\t\nGru\xc3\x9f", "KD00417"},
	{"Name\nKunde\nOrt\n\nMeier GmbH\n417\nBerlin\n\nGru\xc3\x9f", "KD00417"},
	{"Name\r\nKunde\r\nOrt\r\n\r\nMeier\r\n417\r\nBerlin\r\n\r\nTo", "KD00417"},
	{"Kundennummer Menge Datum\n417 12 01.11.2026", "KD00417"},
	{"Date Customer no. Quantity\n01.11.2026 417 12", "KD00417"},
	{"Kundennummer   Datum Menge\n417      01.11.2026 12", "KD00417"},
	{"Menge\nKundennummer\nDatum\n12\n530\n01.11.2026\n", "530"},
	{"Kundennummer Menge Datum\n530 12 01.11.2026", "530"},
	{"Kundennummer\nMenge\nDatum\n12694\n417\n01.11.2026\n", "KD12694"},
	{"Menge\nKundennummer\nDatum\n417\n12694\n01.11.2026\n", "KD12694"},
	{"Name\nKunde\nZimmer\tMeier GmbH\n12694\n417\t\nGru\xc3\x9f", "KD12694"},
	{"Name\nHaus\nKunde\nMeier GmbH\n417\n733\n", "KD00733"},
	{"To\nName\nHaus\nKunde\nMeier GmbH\n417\n733\nFrom", NULL},
	{"Name\nHaus\nKundennummer\tMeier GmbH\n417\n733\t\nTo", "KD00733"},
	{"Name\nKundennummer\nZimmer\nMeier GmbH\n12\n417\n", NULL},
	{"Kundennummer\nHallo Welt,\n12\n417\n", NULL},
	{"Kundennummer\nMenge\nDatum\n12\n417\n", NULL},
	{"Menge Kundennummer Datum\n417 12 01.11.2026", NULL},
	/* among other words, and of whose column there is another one */
	{"Name Kundennummer Betrag\nMeier 417 12,50", "KD00417"},
	{"Datum Name Kundennummer Ort\n1.2. Meier 417 Ulm", "KD00417"},
	{"Name Kundennummer Betrag\nMeier 12694 12,50\nHuber 417 3,00", "KD12694+KD00417"},
	{"Menge Kundennummer\n12 12694\n3 417", "KD12694+KD00417"},
	{"Menge Kundennummer\n12 12694\nZimmer 417", "KD12694"},
	{"417 | Kundennummer\n733 | Menge", "KD00417"},
	{"417\tKundennummer\n733\tMenge", "KD00417"},
	{"417 | Kundennummer\n733 | Kundennummer", "KD00417+KD00733"},
	{"Haus 2 | Kundennummer\n417 | Meier", "KD00417"},
	{"Menge Name Kundennummer\n417 Meier 12694", "KD12694"},
	{"Menge Kundennummer\n417 KD-12694", "KD12694"},
	{"Menge - Kundennummer\n417 - X-77", NULL},
	{"Bitte Kundennummer angeben\nStand 417 12.5.", NULL},
	{"Name Kundennummer Ort\nRaum 417 Ulm", NULL},
	{"Bitte die Kundennummer\n417 am 5.11.", "KD00417"},
	{"Unsere Kundennummer\n417 vom 1.2.", "KD00417"},
	{"Menge Kundennummer\n417 Meier", "KD00417"},
	{"To\n\nName\nKunde\nOrt\nMeier GmbH\n417\nBerlin\n\nTo", "KD00417"},
	{"To\n\nKunde\nName\nOrt\n417\nMeier GmbH\nBerlin\n\nTo", "KD00417"},
	{"To\n\nKunde\nAnna Weber\nMenge\n417\nPreis\n3,50", NULL}, /* by turns */
	/* names in lines, and rows of values in lines */
	{"Kunde\nMenge\nPreis\n417\n3\n9,50\n12694\n4\n7,10\n\nTo", "KD00417+KD12694"},
	{"Menge\nKundennummer\nPreis\n12694\n417\n9,50\n20260418\n417\n7,10\n\nTo", "KD00417"},
	/* a label with its value in the line below, and what stands further below */
	{"Bestellung\n\nRechnungsnummer\n\n20260027\n\nMenge\n\n20260418", "RE20260027"},
	{"Ihre Rechnungsnummer\n20260027\nMenge\n20260418", "RE20260027"},
	/* boxes */
	{"\xe2\x94\x82 Kundennummer \xe2\x94\x82 417 \xe2\x94\x82", "KD00417"},
	{"\xe2\x94\x82 Menge \xe2\x94\x82 Kunde \xe2\x94\x82\n\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80"
	 "\xe2\x94\xbc\xe2\x94\x80\xe2\x94\x80\xe2\x94\xa4\n\xe2\x94\x82 417 \xe2\x94\x82 12694 \xe2\x94\x82",
		"KD12694"},
	/* a name and its value are all of a line */
	{"Kunde;417\nBetrag;12,50", "KD00417"},
	{"Kunden;417\nBetrag;12,50", NULL},
	{"Meier;Kunde;417;3", NULL},
	{"Kunde / 417", "KD00417"},
	{"Kunden : 417", NULL},
	/* prose that goes on in the next line */
	{"Die Lieferung von gestern ging leider nicht an den Kunden\n417 sondern an andere.", "KD00417"},
	{"Die Lieferung  von gestern ging leider nicht an den Kunden\n417 sondern an andere.", NULL},
	{"Wir haben Kunden\n417 Mal", NULL},
	/* of compounds that only end so */
	{"Wohnungsnummer 20260418", NULL},
	{"Wartungsnummer 0418/2026", NULL},
	{"Hotelrechnungsnummer 0418/2026", "RE20260418"},
	/* what a payment is for may be several */
	{"Verwendungszweck: 417 / 2026-0418", "KD00417|0000417+RE20260418"},
	{"Verwendungszweck: 417 EUR 20260418", "KD00417|0000417"},
	{"Your ref 417", "KD00417|0000417"},
	{"Contract no0000417", "0000417"},
	{"Haus Kundennummer\nMeier 417", NULL},
	{"Kundennummer Menge\n12 417 01.11.2026", NULL},
	/* tabs that indent, and tables of one column, are of lines as any */
	{"\tKunde:\n\tAnna Weber\n\tMenge: 417", NULL},
	{"\t\tKunde\n\t\tAnna Weber\n\t\tMenge 417", NULL},
	{"> \tKunde:\n> \tAnna Weber\n> \tMenge: 417", NULL},
	{"{\n\t\"Kunde\": {\n\t\t\"Name\": \"Anna\"\n\t},\n\t\"Menge\": 417\n}", NULL},
	{"\tKundennummer\n\t417\n\t12694", "KD00417+KD12694"},
	{"\tKundennummer;Menge\n\t12694;417", "KD12694"},
	{"\tKundennummer;Menge\n\t417;12", "KD00417"},
	{"\tMenge\tKundennummer\n\t417\t12694", "KD12694"},
	{"\t\tKundennummer\n1.2.\tUlm\t417", "KD00417"},
	{"Kunde\t\nAnna Weber\t\nMenge 417\t\n", NULL},
	{"| Kunde |\n| Anna Weber |\n| Menge 417 |\n", NULL},
	{"Kundennummer\t\n12694\t\nMenge\t\n417\t\n", "KD12694"},
	{"> \t| Kunde |\n> \t| Anna |\n> \t| Menge 417 |\n", NULL},
	{"> \t| Kunde |\n> \t| 12694 |\n> \t| 417 |\n", "KD12694+KD00417"},
	{">> Menge;Kundennummer\n>> 417;12694\n>> 12;733", "KD12694+KD00733"},
	{"Kundennummer\t\n12694\t\n417\t\n-\t\n733\t\n", "KD12694+KD00417+KD00733"},
	{"Kundennummer\t\n12694\t\nArtikelnummer\tMenge\t\n417\t3\t\n733\t4\t\n", "KD12694"},
	{"Kundennummer\t\n12694\t\nKundennummer\tMenge\t\n417\t3\t\n", "KD12694+KD00417"},
	{"| Kundennummer |\n|---|\n| 417 |\n| 12694 |\n", "KD00417+KD12694"},
	/* a line each, however many they are, listed, cited, or with a line between */
	{"Kundennummer\nX-1\nX-2\nX-3\nX-4\nX-5\nX-6\nX-7\nX-8\nX-9\nX-10\nX-11\nX-12\n"
	 "X-13\nX-14\nX-15\nX-16\nX-17\nX-18\nX-19\n12694\n417", "KD12694+KD00417"},
	{"Kunden:\n12694\n417", "KD12694+KD00417"},
	{"> Kunden:\n>\n> 12694\n>\n> 417\n>\n> 733", "KD12694+KD00417+KD00733"},
	{"Customers\n- 12694\n- 417\n- 733,", "KD12694+KD00417+KD00733"},
	{"Customers\n\n1. 12694\n2. 417\n3. 733", "KD12694+KD00417+KD00733"},
	{"KUNDEN\n\u2022 12694;\n\u2022 417;", "KD12694+KD00417"},
	{"Kunde\n2025\n417", "KD00417"},
	{"Rechnung\n0418/2026\n0533/2026", "RE20260418+RE20260533"},
	{"Kunden\n417\n\nMenge\n12", NULL},
	{"Kunden:\n417\nZimmer 733", NULL},
	{"Zimmer\n12694\n417", NULL},
	{"Kundennummer\n12694\nMenge\n417\n12", "KD12694"},
	{"Kunden\n12,694\n4,17", NULL},
	/* cells of a table, a line each */
	{"Datum\nMenge\nKundennummer\n01.11.2026\n417\n12694", "KD12694"},
	{"Betrag\nMenge\nKundennummer\n129.00\n417\n12694", "KD12694"},
	/* with names behind them, or the first one behind its own */
	{"Kunden:\n12694 Meier\n417 Huber, Ulm\n733", "KD12694+KD00417+KD00733"},
	{"Kunden:\n12694, Meier GmbH, Hauptstr. 5\n417, Huber", "KD12694+KD00417"},
	{"Kunde 417\n733\n611", "KD00417+KD00733+KD611"},
	{"Kunde: 733\n\n417\n\nZimmer\n\n611", "KD00733+KD00417"},
	{"Kunde 733\n12694", "KD00733"},
	{"Kunde 733\n417 Treuepunkte", "KD00733"},
	{"Zimmer 733\n417\n611", NULL},
	{"Kunde\n417\nOrt\nUlm", "KD00417"},
	{"Kunde:\n417", "KD00417"},
	{"Guten Tag,\nKunde\n417", "KD00417"},
	{"Menge 12\nKunde\n417", "KD00417"},
	{"Menge\nKunde\n417\nMeier", NULL},
	{"Clienti\n417\nOrt\nUlm", NULL},
	{"Kunde\n417 Meier", NULL},
	{"Kunde\n417 EUR", NULL},
	{"Menge Kunde\n417 Meier\n733 Huber", NULL},
	{"Menge   Kunde\n417     Meier\n733     Huber", NULL},
	{"Kundennummer\n733\n417 Treuepunkte", "KD00733"},
	{"Kunden:\n12694 Meier\n417 Euro\n733 Tage", "KD12694"},
	{"Kunden:\n417 Main Street\n733 Oak Street", NULL},
	{"Kundennummer\n12694\n01.11.2026\n417 Treuepunkte", "KD12694"},
	/* a label that has its value beside it means no number of other words below */
	{"Kundennummer 12694\nTyp 417", "KD12694"},
	{"Kundennummer 12694\n\nSIREN : 303 417 045", "KD12694"},
	{"Customer no.: 12694\nVAT no. GB 417 4567 82", "KD12694"},
	{"Customer no.: KD-12694\nDSL 417", "KD12694"},
	{"Kundennummern: 12694\n530", "530+KD12694"},
	{"Kundennummern: KD-12694,\nKD-611", "KD12694+KD611"},
	{"Kundennummer\n417", "KD00417"},
	/* below names that blanks set apart, line by line */
	{"Kundennummer   Menge\n12694          417", "KD12694"},
	{"Name    Kundennummer   Menge\nMeier   12694          417\nHuber   611            12", "KD12694+KD611"},
	{"Menge   Kundennummer\n417     12694", "KD12694"},
	{"Menge   Kundennummer\n12      417", "KD00417"},
	{"Name                Kundennummer   Menge\nMeier GmbH          417   12", "KD00417"},
	{"Menge   Kundennummer\n\n12      12694\n\n3       417", "KD12694+KD00417"},
	/* no second line of a head is a rule; rows are of as many cells, however they are set */
	{"Kundennummer   Menge\n--------------------\n12694          417", "KD12694"},
	{"Kundennummer   Menge\n====================\n417            12", "KD00417"},
	{"| Kunde | Anna  |\n+-------+-------+\n| Menge | 417   |", NULL},
	{"Kundennummer  Menge\n12694  417", "KD12694"},
	{"Menge  Kundennummer\n12  417", "KD00417"},
	{"   | Kundennummer | Menge |\n   |---|---|\n   | 12694 | 417 |", "KD12694"},
	{"   | Kundennummer | Menge |\n   |---|---|\n   | 417 | 12 |", "KD00417"},
	{"> Menge   Kundennummer\n> --------------------\n> 417     12694", "KD12694"},
	{"> Menge   Kundennummer\n> --------------------\n> 12      417", "KD00417"},
	{"   | Kundennummer | Menge |\n   |---|---|\n   | KDX-77 | 417 |", NULL},
	{"Name          Kundennummer  Ort\nMeier  GmbH   417", "KD00417"},
	{"Name          Kundennummer  Ort\nMeier  GmbH            417", "KD00417"},
	/* line ends of one sign */
	{"Kundennummer\tMenge\r417\t12\r", "KD00417"},
	{"Menge\tKundennummer\r417\t12694\r12\t733", "KD12694+KD00733"},
	{"Name   Kundennummer   Menge\rMeier  417            12", "KD00417"},
	{"Name   Kundennummer   Menge\rMeier  12694          417", "KD12694"},
	{"Menge\r\r\nKundennummer\r\r\nDatum\r\r\n12\r\r\n417\r\r\n01.11.2026\r\r\n", "KD00417"},
	{"Menge;Kundennummer\n\n12;12694\n\n3;417", "KD12694+KD00417"},
	/* before their names or above them, which say that they are for numbers */
	{"417\tKundennummer\n1.2.\tDatum", "KD00417"},
	{"417 | Kundennummer\n1.2. | Datum", "KD00417"},
	{"0418/2026\tRechnungsnummer\n417\tKundennummer", "RE20260418+KD00417"},
	{"417\t12\t3\nKundennummer\tMenge\tMonate", "KD00417"},
	{"1.2.\t12694\tBonn\n3.2.\t417\tUlm\nDatum\tKundennummer\tOrt", "KD12694+KD00417"},
	{"1.2.\t417\tBonn\n3.2.\t12694\tUlm\nDatum\tKundennummer\tOrt", "KD00417+KD12694"},
	{"417          12\nKundennummer  Menge", "KD00417"},
	{"Guten Tag,\n417\nKundennummer\nGru\xc3\x9f", "KD00417"},
	{"417\tKunden\n12\tMonate", NULL},
	{"417\t12\nKunden\tMonate", NULL},
	{"417\t12694\nMenge\tKundennummer", "KD12694"},
	{"417\tMenge\n12694\tKundennummer", "KD12694"},
	{"Menge\t417\nOrt\tKundennummer\nBonn\t12694", "KD12694"},
	{"Haus\tMenge\n12\t417\nOrt\tKundennummer\nBonn\t12694", "KD12694"},
	{"1.2.\t417\nx\n12\nDatum\tKundennummer", NULL},
	{"417 EUR\t12\nKundennummer\tMonate", NULL},
	{"Zimmer 417\t12\nKundennummer\tMonate", NULL},
	{"Menge\n417\nKundennummer\nfolgt", NULL},
	{"Menge:\n417\nKundennummer:\n12694", "KD12694"},
	/* known itself, or of two that it may be */
	{"Kundennummer 530", "530"},
	{"Kundennummer KD-611", "KD611"},
	{"Kundennummer 611", "KD611"},
	{"Kundennummer 0611", "KD00611"},
	{"Kundennummer / Vertragsnummer: 417", "KD00417|0000417"},
	/* known itself, of another kind */
	{"Kundennummer 733", "KD00733"},
	{"Order number 733", "733"},
	{"Zimmer 733", NULL},
	/* fields that are of a kind by definition */
	{"417", "KD00417", "BT-46"},
	{"0418/2026", "RE20260418", "BT-1"},
	{"2026-0418", "RE20260418", "BT-1"},
	{"0418/2026", "RE20260418", "BT-25"},
	{"Meyer / 417", "KD00417", "BT-46"},
	{"733", "733", "BT-13"},
	{"417", NULL, "BT-1"},
	{"417", NULL, "BT-22"},
	{"0418/2026", NULL, "BT-46"},
	{"2026", NULL, "BT-1"},
	/* behind somebody's name, in brackets or a cell of its own; in a list of several */
	{"Kunde Meier (417)", "KD00417"},
	{"Customer Acme Ltd. (417) asks", "KD00417"},
	{"Kunde Meier GmbH & Co. KG, 417.", "KD00417"},
	{"Kunde: Meier, 417", "KD00417"},
	{"Meier (Kunde 417)", "KD00417"},
	{"Kunden Meier (417)", NULL},
	{"Kunde Meier (417 Euro)", NULL},
	{"Kunde Meier (Zimmer 417)", NULL},
	{"Kunde Meier, 417 Euro", NULL},
	{"Kunde Meier, 417 St\xc3\xbc" "ck", NULL},
	{"Kunde Meier, 417.50", NULL},
	{"Customer Service (417) 555-0142", NULL},
	{"Customer Service (417)-555-0142", NULL},
	{"Kunde fragt (417)", NULL},
	{"Vertrag Meier (417)", NULL},
	{"Kunde/417", "KD00417"},
	{"KundenCode417", NULL},
	{"KundenCode 417", "KD00417"},
	{"Kundennummer417", "KD00417"},
	{"Kunde/417/2026", NULL},
	{"Kunden/417", NULL},
	{"und/417", NULL},
	{"Kd. 417", "KD00417"},
	{"Kd. 417 EUR", NULL},
	{"dem Kunde. 417 Tage", NULL},
	{"clienti 417 e 12694", "KD00417+KD12694"},
	{"Kunden 417 und 12694", "KD00417+KD12694"},
	{"customers 417, 12694", "KD00417+KD12694"},
	{"Kunden: 417, 12694", "KD00417+KD12694"},
	{"Kunden: 417 und 12694", "KD00417+KD12694"},
	{"Kunde 417, 12694 Berlin", "KD00417"},
	{"Kunden 417 und 12694 Euro", "KD00417"},
	{"KUNDEN 417 UND 12694", "KD00417+KD12694"},
	{"CUSTOMERS 417 AND 12694", "KD00417+KD12694"},
	{"Kunden 12694 UND 417", "KD12694"},
	{"ZIMMER 12694 UND 417", NULL},
	/* in a cell of its own, behind one that begins its line */
	{"Kunde | 417 |", "KD00417"},
	{"Kunde\t417\nOrt\tUlm", "KD00417"},
	{"> | Kunde: | 417 |\n> | Ort: | Ulm |", "KD00417"},
	{"Kunde      417\nOrt        Ulm", "KD00417"},
	{"Kunden | 417 |", NULL},
	{"Kunde | 417 Euro |", NULL},
	{"Meier | Kunde | 417 |", NULL},
	{"Kunde | Zimmer | 417 |", NULL},
	{"Kunde | 417.50 |", NULL},
	/* how many there are */
	{"dem Kunden 417", "KD00417"},
	{"Kundennr.: 12694 Code: 417", "KD12694"},
	{"N\xc2\xb0 client 12694, code 417", "KD12694"},
	{"Code client 12694, code 417", "KD12694+KD00417"},
	{"Customer ID 12694, no. 417", "KD12694+KD00417"},
	{"Rechnung RE-2026-0418: 1318", "RE20260418"},
	{"Rechnung RE-2026-0418: 0533", "RE20260418+RE20250533|RE20260533"},
	{"Rechnungen RE-2026-0418, 0533", "RE20260418+RE20250533|RE20260533"},
	/* said in a sentence, or behind it */
	{"Your customer number, which you find on each invoice, is 417.", "KD00417"},
	{"Ihre Kundennummer, die auf jeder Rechnung steht, lautet 417.", "KD00417"},
	{"Your customer number, which is on each of 12 invoices, is 417.", NULL},
	{"Your customers, as you know, are 417.", NULL},
	{"417 (customer no.)", "KD00417"},
	{"417 (Kundennummer)", "KD00417"},
	{"417 (customers)", NULL},
	/* a version is none, but whoever asks for a number may cut it so */
	{"Client 4.17", NULL},
	{"Client 0.4.17", NULL},
	{"Client 12.69.4", NULL},
	{"Client no. 12.69.4", "KD12694"},
	{"Client 417.", "KD00417"},
	/* an ending too short for a name */
	{"open 417 to 12694", NULL},
	{"Invoice RE-2026-0418 for 0533 Testlizenzen", "RE20260418"},
	{"Kundennr. 12694  417 Treuepunkte", "KD12694"},
	{"Kundennr. 12694  417 Meier", "KD12694+KD00417"},
	{"Kundennummern: 417", "KD00417"},
	{"Kunden: 417", NULL},
	{"Kunden: 417 (Vorjahr 400)", NULL},
	{"clienti: 417", NULL},
	{"Debitoren: 417", NULL},
	{"Nombre de clients 417", NULL},
	{"clients 417 et 12694 euros", NULL},
	{"clients 417 et 12694", "KD00417+KD12694"},
	{"clients 417, 12694 euros", "KD00417"},
	{"Invoices: 1318", NULL},
	{"Invoices: 0533", "RE20250533|RE20260533"},
	{"Invoice: 1318", "RE20261318"},
	{"Servizio clienti 417", NULL},
	{"clients 417, 12694", "KD00417+KD12694"},
	/* of one, though its name ends as others do of many */
	{"M\xc3\xbc\xc5\x9fteri: 417", "KD00417"},
	{"Asiakas: 417", "KD00417"},
	{"Klients: 417", "KD00417"},
	{"Abonentas: 417", "KD00417"},
	{"Asiakas (417)", "KD00417"},
	{"Asiakastunnus: 417", "KD00417"},
	{"Klienta numurs: 417", "KD00417"},
	{"M\xc3\xbc\xc5\x9fteri numaras\xc4\xb1: 417", "KD00417"},
	/* words for "number", and "of", before its name */
	{"Номер на клиент: 417", "KD00417"},
	{"Код на клиента: 417", "KD00417"},
	{"Шифра купца: 417", "KD00417"},
	{"БРОЈ КУПЦА 417", "KD00417"},
	{"Šifra stranke: 417", "KD00417"},
	{"Št. stranke: 417", "KD00417"},
	{"Č. zákazníka: 417", "KD00417"},
	{"Număr client: 417", "KD00417"},
	{"Codul dvs. de client: 417", "KD00417"},
	{"Numru tal-klijent: 417", "KD00417"},
	{"Uimhir chustaiméara: 417", "KD00417"},
	{"Κωδικός Πελάτη 417", "KD00417"},
	{"Identifiant client : 417", "KD00417"},
	{"Identyfikator klienta: 417", "KD00417"},
	{"Kundenkennziffer: 417", "KD00417"},
	{"Debitorenkennung: 417", "KD00417"},
	{"Vevő sz.: 417", "KD00417"},
	{"Numărul de locuri: 417", NULL},
	/* in a sentence, and behind what is said in brackets */
	{"Il tuo codice cliente è 417", "KD00417"},
	{"O seu número de cliente é 417", "KD00417"},
	{"Ihre Kundennummer ist die 417", "KD00417"},
	{"Votre numéro client est le 417", "KD00417"},
	{"Vaše zákaznické číslo je 417", "KD00417"},
	{"Kundennummer (bitte stets angeben) 417", "KD00417"},
	{"Kundennummer (bitte angeben), Zimmer 417", NULL},
	{"Die Kundennummer steht oben, die Zeile ist 417", NULL},
	/* by other names */
	{"KN: 417", "KD00417"},
	{"Kundenschl\xc3\xbcssel: 417", "KD00417"},
	{"Kto.-Nr. 417", "KD00417"},
	{"Your ref: 417", "KD00417|0000417"},
	{"Reference: 417", "0000417"},
	{"Uw kenmerk: 417", "KD00417"},
	{"Spendernummer 417", "KD00417"},
	{"Merchant ID: 417", "KD00417"},
	{"Merchant: 417 Parfum", NULL},
	{"Spender 417", NULL},
	/* lists of several, whatever they are called, the first one with all its letters */
	{"Kunden KD12694 und 417", "KD12694+KD00417"},
	{"clients KD12694 et 417", "KD12694+KD00417"},
	{"klanten KD12694 en 417", "KD12694+KD00417"},
	{"Rechnungen RE-2026-0418 und 0533", "RE20260418+RE20250533|RE20260533"},
	{"facturas RE20260418 y 0533", "RE20260418+RE20250533|RE20260533"},
	{"fakturor RE-2026-0418 och 0533", "RE20260418+RE20250533|RE20260533"},
	{"Vertr\xc3\xa4ge 4171 und 417", "0004171+0000417"},
	{"Kunde KD12694 in 417 Stunden", "KD12694"},
	{"Zimmer KD12694 und 417", "KD12694"},
	/* of a telephone, a house, things that are counted, and others that an invoice goes to */
	{"Service client 417", NULL},
	{"Servicio al cliente 417", NULL},
	{"Customer service 0417", NULL},
	{"Service client no 417", "KD00417"},
	{"votre client 417", "KD00417"},
	{"Facture client 417", "KD00417"},
	{"Bill to: 417 Main Street", NULL},
	{"Sold-to: 417 Main St., Springfield", NULL},
	{"Client : 417 boulevard Voltaire", NULL},
	{"Locataire : 417, rue Lepic", NULL},
	{"Locataire 417 bis rue Lepic", NULL},
	{"Client 417 ter avenue Foch", NULL},
	{"Kunde 417 bis morgen", "KD00417"},
	{"Kunde 417 bis zum 1.2. liefern", "KD00417"},
	{"Klant 417 ter attentie van Meier", "KD00417"},
	{"Customer no. 417 Main Street", "KD00417"},
	{"Customer: 417 Church Street Dental", "KD00417"},
	{"Client : 417 Boulevard Caf\xc3\xa9", "KD00417"},
	{"Customer: 417 Meier, 12 Main Street", "KD00417"},
	{"Customer no. of employees: 417", NULL},
	{"Customer no. of the payer: 417", "KD00417"},
	{"Customer no. of Meier: 417", "KD00417"},
	{"Abonnement : 417 utilisateurs", NULL},
	{"Invoice RE-2026-0418 to 0533 recipients", "RE20260418"},
	{"Rechnung RE-2026-0418 an 0533 Empf\xc3\xa4nger", "RE20260418"},
	{"Rechnung RE-2026-0418 Ref 0533", "RE20260418"},
	{"Invoices RE-2026-0418 to 0533", "RE20260418+RE20250533|RE20260533"},
	{"Invoices RE-2026-0418 to 0533 are late", "RE20260418+RE20250533|RE20260533"},
	{"Invoice RE-2026-0418 and 0533 are late", "RE20260418+RE20250533|RE20260533"},
	/* what is named goes on */
	{"417 ist Ihre Kundennummer-Endziffer", NULL},
	{"12694 ist Ihre Kundennummer-Endziffer", NULL},
	{"530 ist Ihre Kundennummer-Endziffer", NULL},
	/* one of several, of which nobody knows which is meant */
	{"Kundennummer / Vertragsnummer: 4170", "KD4170|0004170"},
	{"Auftrag Nr. 4170", "0004170|AB4170"},
	{"Kunden-/Vertragsnummer 4170", "KD4170|0004170"},
	{"Vertragsnummer / Kundennummer: 4170", "KD4170|0004170"},
	{"Kundennummer / Vertragsnummer: 4171", "0004171"},
	{"Kundennummer 4170", "KD4170"},
	{"Vertragsnummer 4170", "0004170"},
	{"Vertragsnummer AB-4170", "AB4170"},
	{"Vertragsnummer: 4170, Kundennummer: 4170", "0004170+KD4170"},
	{"RE-0533", "RE20250533|RE20260533"},
	{"RE0533", "RE20250533|RE20260533"},
	{"RE 0533", NULL},
	{"Rechnung Nr. 0533", "RE20250533|RE20260533"},
	{"Rechnung RE-0533", "RE20250533|RE20260533"},
	{"Rechnung 0533", "RE20250533|RE20260533"},
	{"Invoice number: 0533", "RE20250533|RE20260533"},
	{"Rech.-Nr. 0533/2026", "RE20260533"},
	{"Rechnung Nr. 0533 vom 1.2.2026", "RE20250533|RE20260533"},
	{"RE-0533 und RE-2026-0533", "RE20260533+RE20250533|RE20260533"},
	{"Rechnung Nr. 0777", "RE20240777"},
	{"Rechnung Nr. 777", NULL},
	{"Rechnung 2025", NULL},
	{"Rechnung 0533,00", NULL},
	{"Rechnung 0533 EUR", NULL},
	{"Zimmer 0533", NULL},
	{"today 0533 asked", NULL},
	{"today RE-0533 asked", "RE20250533|RE20260533"},
	{"today AZ-0533 asked", NULL},
	{"Kundennummer 0533", NULL},
	{"RE-0533-2", NULL},
	/* as many as a finding may have; of more nobody knows anything */
	{"Rechnung Nr. 0888",
		"RE20110888|RE20120888|RE20130888|RE20140888|RE20150888|RE20160888|"
		"RE20170888|RE20180888|RE20190888|RE20200888|RE20210888|RE20220888"},
	{"RE-0888",
		"RE20110888|RE20120888|RE20130888|RE20140888|RE20150888|RE20160888|"
		"RE20170888|RE20180888|RE20190888|RE20200888|RE20210888|RE20220888"},
	{"Rechnung 0866",
		"RE20100866|RE20110866|RE20120866|RE20130866|RE20140866|RE20150866|"
		"RE20160866|RE20170866|RE20180866|RE20190866|RE20200866|RE20210866|"
		"RE20220866|RE20230866|RE20240866|RE20250866"},
	{"Rechnung 0888/2014", "RE20140888"},
	{"Rechnung 2014-0888", "RE20140888"},
	{"Rechnung 0999", NULL},
	{"Rechnung 0999/2014", "RE20140999"},
	{"Zimmer 0888", NULL},
};

static GBytes *short_image(bool styles)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	static const char *const of[] = {"customer-number", "invoice-number", "contract-number", "order-number"};
	MsMark mark;
	for (gsize i = 0; styles && i < G_N_ELEMENTS(short_styles); i++) {
		MsStyle style = short_styles[i], back;
		style.tag = ms_kind_tag(of[style.tag]);
		ms_style_mark(&style, &mark);
		g_array_append_val(marks, mark);
		ms_style_read(&mark, &back);
		g_assert_cmpmem(back.letters, back.len, style.letters, style.len);
		g_assert_cmpuint(back.width, ==, style.width);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(short_directory); i++) {
		const char *compact = short_directory[i].compact;
		g_assert_true(ms_mark_make(
			key, short_directory[i].kind, compact, strlen(compact), &mark));
		g_array_append_val(marks, mark);
	}
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

/* What is found of the directory's, its values or kinds, with a plus between, or a | where either
 * is meant; NULL: nothing. */
static char *found_of(const MsFilters *filters, const char *text, const char *term, bool by_kind)
{
	gsize len = strlen(text);
	char *input = exact_copy(text, len);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	const MsSpan span = {.where = "part 1", .text = input, .len = len, .term = term,
		.party = "buyer", .type = term != NULL ? MS_SPAN_FIELD : MS_SPAN_TEXT};
	ms_detect(kinds, filters, &span, &budget, reading);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		g_autofree char *small = g_ascii_strdown(f->value, -1);
		if (!ms_filters_have(filters, ms_kind_tag(f->kind), small, strlen(small)))
			continue;
		const MsFinding *before = i > 0 ? reading->findings->pdata[i - 1] : NULL;
		bool goes_on = f->either != NULL && before != NULL && before->either != NULL;
		g_string_append_printf(
			out, "%s%s", out->len == 0 ? "" : goes_on ? "|" : "+",
			by_kind ? f->kind : f->value);
	}
	free(input);
	return g_string_free(out, out->len == 0);
}

/* In either filter; and without styles, as mappings have that were imported by earlier versions. */
static void test_short(void)
{
	g_autoptr(GBytes) image = short_image(true), plain = short_image(false);
	g_autoptr(MsFilter) filter = open_image(image), before = open_image(plain);
	const MsFilters all[] = {{.parts = {filter, NULL}}, {.parts = {NULL, filter}}},
			without = {.parts = {before, NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(short_rows); i++) {
		for (gsize k = 0; k < G_N_ELEMENTS(all); k++) {
			g_autofree char *got = found_of(
				&all[k], short_rows[i].text, short_rows[i].term, false);
			if (g_strcmp0(got, short_rows[i].want) != 0)
				g_error("\"%s\": got %s, want %s", short_rows[i].text, got,
					short_rows[i].want);
		}
	}
	g_autofree char *none = found_of(&without, "Kundennummer: 417", NULL, false),
			*whole = found_of(
				 &without, "Kundennummer: KD00417", NULL, false);
	g_assert_cmpstr(none, ==, NULL);
	g_assert_cmpstr(whole, ==, "KD00417");
}

/* Where nearly all numbers of so many digits are somebody's, one is a customer's only where its
 * place says so; where few are, any that its label may mean. */
static void test_dense(void)
{
	static const struct {
		const char *text;
		bool few, dense;
	} rows[] = {
		{"Kundennummer: 4711", true, true},
		{"Kunde 4711 Meier", true, true},
		{"Customer number 4712, 4711", true, true},
		{"Your customer number is 4711.", true, true},
		{"4711 (customer no.)", true, true},
		{"N\xc2\xb0 client 4712, n\xc2\xb0 4711", true, true},
		{"Kundennummer\n4711", true, true},
		{"Kundennummer | Name\n4711 | Meier", true, true},
		{"Kunden 4712 und 4711", true, true},
		{"Kunden:\n4712\n4713\n4711", true, true},
		{"Kundennummer\n4712\nMenge\n4711", false, false},
		{"Kundennummer\n4712\nMenge:\n4711", false, false},
		{"> Kundennummer\n> 4712\n> Menge\n> 4711", false, false},
		{"Kundennummer\n4712\nund\n4711", true, true},
		{"Kundennummer\nMenge\n4711\n12", true, true},
		{"Menge Kundennummer\n4711 KDX-77", false, false},
		{"Kundennummer Menge\nKDX-77 4711", false, false},
		{"Kundennummer Menge\n4711 12", true, true},
		{"Kunden:\n4711", true, false},
		{"Kunden:\n4711\nMonate:\n12", true, false},
		{"customer Meyer (4711)", true, true},
		{"Kundennummer 4712 (alt: 4711)", true, true},
		{"Klanten (4711)", true, false},
		{"Customers (4711)", true, false},
		{"Avis clients (4711)", true, false},
		{"Kunden helfen Kunden: 4711 Tipps", true, false},
		{"4711 customers", false, false},
		{"Kunde 4712, 4711 und 5300", false, true},
		{"Kunde 4712, 4711 St\xc3\xbc" "ck", false, false},
		{"Kunde 4712 und 12 von 4711", false, false},
		{"customers 4712/4711/5300", true, true},
		{"Kunden 4530-4711", true, true},
		{"Zimmer 4712/4711", false, false},
		{"Kunde 4712/2026, 4711", false, false},
		/* marks of other scripts' quotations, and what is said of a number */
		{"Kundennummer: \xc2\xab 4711 \xc2\xbb", true, true},
		{"N\xc2\xb0 client : \xe2\x80\xb9 4711 \xe2\x80\xba", true, true},
		{"Klantnummer \xe2\x86\x92 4711", true, true},
		{"Your customer number is \xe2\x80\x9c" "4711\xe2\x80\x9d.", true, true},
		{"Your customer number is <4711>.", true, true},
		{"Your customer number is {4711}.", true, true},
		{"Your customer number is now 4711.", true, true},
		{"Your customer number will be 4711.", true, true},
		{"Ihre Kundennummer bleibt 4711.", true, true},
		{"Ihre Kundennummer ist nun die 4711.", true, true},
		{"Votre code client devient le 4711.", true, true},
		{"Uw klantnummer blijft 4711.", true, true},
		{"Visits \xe2\x86\x92 4711", false, false},
		{"We now have \xc2\xab 4711 \xc2\xbb", false, false},
		{"There are now 4711 of them.", false, false},
		{"It will be 4711.", false, false},
	};
	for (guint dense = 0; dense < 2; dense++) {
		g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
		for (guint i = 0; i < 10000; i += dense ? 1 : i == 4711 ? 289 : 4711) {
			g_autofree char *value = g_strdup_printf("%04u", i);
			MsMark mark;
			g_assert_true(ms_mark_make(
				key, "customer-number", value, strlen(value), &mark));
			g_array_append_val(marks, mark);
		}
		g_autoptr(GBytes) image = ms_filter_build(
			key, (const MsMark *)(const void *)marks->data, marks->len);
		g_autoptr(MsFilter) filter = open_image(image);
		const MsFilters filters = {.parts = {filter, NULL}};
		for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
			g_autofree char *got = found_of(&filters, rows[i].text, NULL, false);
			bool found = got != NULL && strstr(got, "4711") != NULL;
			if (found != (dense ? rows[i].dense : rows[i].few))
				g_error("\"%s\", dense %u: got %s", rows[i].text, dense, got);
		}
	}
}

/* Numbers that several kinds have, each of another customer. */
static const struct {
	const char *kind, *compact;
} shared_directory[] = {{"customer-number", "10400700"}, {"invoice-number", "10400700"},
	{"order-number", "10400700"}, {"contract-number", "10400700"},
	{"customer-number", "10051"}, {"contract-number", "10051"}, {"order-number", "10051"},
	{"customer-number", "kd2040"}, {"reference", "kd2040"}, {"iban", "de89370400440532013000"},
	{"reference", "de89370400440532013000"}};

/* What is found, by its kind; a | where either is meant, else a plus. */
static const struct {
	const char *text, *want, *term;
} shared_rows[] = {
	{"see 10400700 in our portal",
		"customer-number|invoice-number|order-number|contract-number"},
	{"Invoice no. 10400700", "invoice-number"},
	{"Facture n\xc2\xb0 10400700", "invoice-number"},
	{"Rechnung 10400700 vom 12.11.2026", "invoice-number"},
	{"Beleg 10400700", "invoice-number"},
	{"Bestellung 10400700", "order-number"},
	{"Commande n\xc2\xb0 10400700", "order-number"},
	{"Kundennummer: 10400700", "customer-number"},
	{"Account number: 10400700", "customer-number"},
	{"Client n\xc2\xb0 10400700", "customer-number"},
	{"Vertrag 10400700", "contract-number"},
	{"10400700 (Vertragsnummer)", "contract-number"},
	{"Auftrag 10400700", "order-number|contract-number"},
	{"Auftrag 10051", "contract-number|order-number"},
	{"Vertragskonto: 10051", "customer-number|contract-number"},
	{"Vertragskonto: 10400700", "customer-number|contract-number"},
	{"Kundennummer: 10051, Vertrag: 10051", "customer-number+contract-number"},
	{"Auftrag 10400700, Vertrag 10400700", "order-number|contract-number+contract-number"},
	{"kdnr=10400700&x=1", "customer-number"},
	{"Rechnung;Betrag\n10400700;12,00\n10400701;13,00\n", "invoice-number"},
	{"order 10400700.00 EUR", NULL},
	{"10051", NULL},
	{"10400700", "invoice-number", "BT-1"},
	{"10400700", "customer-number", "BT-46"},
	/* With letters, too; but check digits say what it is. */
	{"today KD-2040 came", "customer-number|reference"},
	{"Kundennummer: KD-2040", "customer-number"},
	{"today DE89 3704 0044 0532 0130 00 came", "iban+reference"},
};

/* Where nearly all numbers of five digits are customers, the one that stands beside its label or
 * below it is meant: what is 50131 in the lines below? */
static void test_below(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{"Kundennummer: 40711\n\n50131 Musterstadt", false},
		{"Kundennummer: 40711\n50131 Musterstadt\nGru\xc3\x9f", false},
		{"Kundennummer: 40711\n50131 St\xc3\xbc" "ck", false},
		{"Customer no. 40711\n\n[50131]", false},
		{"Customer no.\n40711\n\n[50131]\n\nRegards", false},
		{"Customer no.\n40711\n50131-A", false},
		{"N\xc2\xb0 client : 40711\n50131 points", false},
		{"N\xc2\xb0 client : 40711\n\n50131 Villeneuve", false},
		{"N\xc3\xbamero de cliente: 40711\n\n50131 hogares", false},
		{"Codice cliente 40711\n50131 pezzi", false},
		{"Klantnummer: 40711\n\n50131-A", false},
		{"Nr klienta: 40711\n50131 szt.", false},
		{"Abone No: 40711\n\nv50131", false},
		{"Abone No:\n40711\n\nv50131", false},
		{"Kundnummer:\n40711\n50131 Nystad", false},
		{"\xc4\x8c\xc3\xadslo z\xc3\xa1kazn\xc3\xadka: 40711\n50131 ks", false},
		{"> Kundennr.: 40711\n> 50131 Musterstadt", false},
		/* the next cell has a name of its own */
		{"Kundennr.:\n40711\tMenge:\n50131", false},
		{"Customer no.:\n40711  Quantity:\n50131", false},
		{"N\xc2\xb0 client :\n40711\tQuantit\xc3\xa9 :\n50131", false},
		{"Kundennummer\t40711\tZ\xc3\xa4hlerstand\t50131", false},
		{"Customer number:\t40711\tMeter reading:\t50131", false},
		{"Kundnummer | 40711 | Antal | 50131", false},
		{"Kundennummern\t40711\tMeier\t50131", true},
		/* but it is of the name above all the same */
		{"Kunde:\n50131\tMenge:\n40711", true},
		{"Debitor:\n50131\tBelegnummer:", true},
		{"\xc3\x9cgyf\xc3\xa9lsz\xc3\xa1m:\n50131\tMennyis\xc3\xa9g:", true},
		{"Customer:\n50131 | Quantity:\n12", true},
		{"Client :\n50131\tQuantit\xc3\xa9 :", true},
		{"Kunde:\n50131 St\xc3\xbc" "ck\tMenge:", false},
		{"Kundennummer\t40711\t50131", true},
		{"Kundennummer | 40711 | 50131", true},
		{"Kundennummer 40711 wurde zu:\n50131", true},
		/* a list of such, or what goes on */
		{"Kundennummer: 40711\n50131", true},
		{"Kundennummer: 40711,\n50131", true},
		{"Kundennummer: 40711 und\n50131 Meier", true},
		{"Kundennummer: 40711\nund\n50131", true},
		{"Kundennummer: 40711\n/ 50131 (alt)", true},
		{"Kundennummer:\n40711\n50131", true},
		{"Kundennummern: 40711\n50131 (Meier)", true},
		{"Customer numbers: 40711\n\n50131 (Smith)", true},
		{"Customer no.: 40711 Smith\n50131 Jones", true},
		{"Customer no.\n- 40711\n- 50131", true},
		{"> Customer no.: 40711\n> 50131", true},
		{"Kundennummer (siehe Rechnung 40711):\n50131", true},
		{"Kundennummer (5-stellig)\n50131", true},
		{"Kundennummer\n50131\n\n40711 Musterstadt", true},
		{"Kundennummer\t40711\n50131\t", true},
	};
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (guint i = 40000; i < 52000; i++) {
		g_autofree char *value = g_strdup_printf("%u", i);
		MsMark mark;
		g_assert_true(
			ms_mark_make(key, "customer-number", value, strlen(value), &mark));
		g_array_append_val(marks, mark);
	}
	g_autoptr(GBytes) image =
		ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
	g_autoptr(MsFilter) filter = open_image(image);
	const MsFilters filters = {.parts = {filter, NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = found_of(&filters, rows[i].text, NULL, false);
		if ((got != NULL && strstr(got, "50131") != NULL) != rows[i].want)
			g_error("\"%s\": got %s", rows[i].text, got);
	}
}

static void test_shared(void)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (gsize i = 0; i < G_N_ELEMENTS(shared_directory); i++) {
		const char *compact = shared_directory[i].compact;
		MsMark mark;
		g_assert_true(ms_mark_make(
			key, shared_directory[i].kind, compact, strlen(compact), &mark));
		g_array_append_val(marks, mark);
	}
	g_autoptr(GBytes) image = ms_filter_build(
		key, (const MsMark *)(const void *)marks->data, marks->len);
	g_autoptr(MsFilter) filter = open_image(image);
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(shared_rows); i++) {
		const MsFilters filters = {{filter, NULL}, i % 2 == 1};
		g_autofree char *got = found_of(
			&filters, shared_rows[i / 2].text, shared_rows[i / 2].term, true);
		if (g_strcmp0(got, shared_rows[i / 2].want) != 0)
			g_error("\"%s\": got %s, want %s", shared_rows[i / 2].text, got,
				shared_rows[i / 2].want);
	}
}

static void test_guesses(void)
{
	g_autoptr(GBytes) image = directory_image();
	g_autoptr(MsFilter) filter = open_image(image);
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(guess_rows); i++) {
		const char *text = guess_rows[i / 2].text, *kind = guess_rows[i / 2].kind;
		MsFilters filters = {{filter, NULL}, i % 2 == 1};
		g_autoptr(MsReading) reading = read_text(&filters, text);
		const char *value = guess_rows[i / 2].value;
		for (guint k = 0; value == NULL && k < reading->findings->len; k++) {
			const MsFinding *f = reading->findings->pdata[k];
			if (strcmp(f->kind, kind) == 0 && (f->belief & MS_BELIEF_GUESS) == 0)
				value = f->value;
		}
		g_assert_nonnull(value);
		Want got = found_as(reading, kind, value), want = guess_rows[i / 2].want;
		if (got != (filters.lean && want == GUESS ? NOTHING : want))
			g_error("\"%s\"%s: %s %s is %d, want %d", text, filters.lean ? ", lean" : "", kind,
				value, (int)got, (int)want);
		g_assert_cmpuint(reading->unread->len, ==, 0);
	}
}

/* Guesses take nothing away, and a place of a guess is a place of what turns out to be one. */
static void test_lean_is_the_same(void)
{
	g_autoptr(GBytes) image = directory_image();
	g_autoptr(MsFilter) filter = open_image(image);
	MsFilters whole = {{filter, NULL}, false}, lean = {{filter, NULL}, true};
	for (gsize i = 0; i < G_N_ELEMENTS(known_rows) + G_N_ELEMENTS(guess_rows); i++) {
		const char *text = i < G_N_ELEMENTS(known_rows)
			? known_rows[i].text
			: guess_rows[i - G_N_ELEMENTS(known_rows)].text;
		g_autoptr(MsReading) a = read_text(&whole, text);
		g_autoptr(MsReading) b = read_text(&lean, text);
		ms_reading_drop_guesses(a);
		g_autoptr(GBytes) one = ms_reading_encode(a), two = ms_reading_encode(b);
		if (!g_bytes_equal(one, two))
			g_error("\"%s\" is not read the same", text);
	}
}

/* The line again and again, with other letters for each '@'. */
static char *many(guint n, const char *line)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < n; i++) {
		guint rest = i;
		for (const char *p = line; *p != '\0'; p++) {
			g_string_append_c(text, *p == '@' ? (char)('a' + rest % 26) : *p);
			rest /= *p == '@' ? 26 : 1;
		}
	}
	return g_string_free(text, FALSE);
}

/* However long prose is, what stands after its label words is no reason to hold it; a list that is
 * too long is one, as ever. */
static void test_prose(void)
{
	g_autoptr(GBytes) image = directory_image();
	g_autoptr(MsFilter) filter = open_image(image);
	static const struct {
		guint n;
		const char *line;
		bool told;
	} rows[] = {
		{6000, "The contract @@x@zy applies to the customer.\n", false},
		{6000, "Invoice @@x@zy\n", false},
		{6000, "our address @@x@z 12,50 EUR of 1234 pieces for all\n", false},
		{2500, "customer number K@@@1\n", true},
	};
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
		MsFilters filters = {{filter, NULL}, i % 2 == 1};
		g_autofree char *text = many(rows[i / 2].n, rows[i / 2].line);
		g_autoptr(MsReading) reading = read_text(&filters, text);
		if ((reading->unread->len > 0) != rows[i / 2].told)
			g_error("\"%s\"%s: %u findings, %s", rows[i / 2].line,
				filters.lean ? ", lean" : "", reading->findings->len,
				rows[i / 2].told ? "and more are not told" : "and it is held");
		g_autoptr(GBytes) bytes = ms_reading_encode(reading);
		g_assert_cmpuint(g_bytes_get_size(bytes), <=, MS_READING_MAX_BYTES);
		g_autoptr(MsReading) again = ms_reading_decode(bytes, NULL);
		g_assert_nonnull(again);
	}
}

/* Texts that somebody made to keep it busy: read to the end within the time of one message. */
static void test_long(void)
{
	static const char *const pieces[] = {"10115 5 ", "10115/5/haupt ", "a@ ", "x at y dot ",
		"DE89 ", "1 ", "a ", "1 1 1 1 1 1 a ", "customer no. ", "xyz@contoso com ", "\xd0\xb6 ", "4711-", "%40",
		"haupt 5\n10115\n",
		/* without a blank, or a line's end, there is no end of what is looked at */
		"Kundennummer.", "invoice-number:", "\xe4\xb8\xad" "Rechnung",
		"email..invoice4711", ".contract..12", "https://a.example/?id=RF18",
		"\xe2\x82\xac" "Anschrift 2026-11-01 ", "customer:{number:4711"};
	g_autoptr(GBytes) image = directory_image();
	g_autoptr(MsFilter) filter = open_image(image);
	MsFilters filters = {{filter, NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		while (text->len < 400000)
			g_string_append(text, pieces[i]);
		g_autoptr(MsReading) reading = ms_reading_new();
		MsLimits limits;
		MsBudget budget;
		ms_limits_default(&limits);
		gint64 allowed = limits.milliseconds * 1000;
		limits.milliseconds *= 10; /* other tests compute too */
		ms_budget_init(&budget, &limits);
		MsSpan span = {.where = "part 1", .text = text->str, .len = text->len};
		gint64 start = cpu_time();
		ms_detect(kinds, &filters, &span, &budget, reading);
		g_assert_cmpint(cpu_time() - start, <, allowed);
		for (guint k = 0; k < reading->unread->len; k++)
			g_assert_cmpint(((MsUnread *)reading->unread->pdata[k])->reason, !=,
				MS_UNREAD_TIME);
	}
}

/* Nobody learns from evidence what a card's number is. */
static void test_hidden(void)
{
	g_autoptr(MsReading) reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	static const char text[] = "card 4111 1111 1111 1111 was charged";
	MsSpan span = {.where = "part 1", .text = text, .len = strlen(text)};
	ms_detect(kinds, NULL, &span, &budget, reading);
	g_assert_cmpuint(reading->findings->len, ==, 1);
	const MsFinding *f = reading->findings->pdata[0];
	g_assert_cmpstr(f->kind, ==, "payment-card");
	g_assert_null(strstr(((MsPlace *)f->places->pdata[0])->text, "1111 1111"));
	g_assert_nonnull(strchr(((MsPlace *)f->places->pdata[0])->text, '*'));
}

/* A pattern is tried wherever it may begin, whatever character that is. */
static void test_dispatch(void)
{
	static const char first[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	GString *text = g_string_new("kind \"k\" {\n\tpattern = {");
	for (gsize i = 0; first[i] != '\0'; i++)
		g_string_append_printf(
			text, "%s'%cx%c77'", i > 0 ? ", " : "", first[i], first[35 - i]);
	g_string_append(text, ", '\\+4[0-9]{3}'}\n}\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKinds) own = ms_kinds_parse("k", text->str, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i <= strlen(first); i++) {
		char want[8];
		g_snprintf(want, sizeof want, "%cX%c77", g_ascii_toupper(first[i]),
			g_ascii_toupper(first[35 - MIN(i, 35)]));
		if (i == 36)
			g_strlcpy(want, "+4711", sizeof want);
		g_string_printf(text, "see %s, and", want);
		g_autoptr(MsReading) reading = ms_reading_new();
		MsLimits limits;
		MsBudget budget;
		ms_limits_default(&limits);
		ms_budget_init(&budget, &limits);
		MsSpan span = {.where = "part 1", .text = text->str, .len = text->len};
		ms_detect(own, NULL, &span, &budget, reading);
		g_assert_cmpuint(reading->findings->len, ==, 1);
		g_assert_cmpstr(((MsFinding *)reading->findings->pdata[0])->value, ==,
			want + (want[0] == '+'));
	}
	g_string_free(text, TRUE);
}

/* ---- postal keys ---------------------------------------------------------------------- */

static void test_postal(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"Hauptstr. 5, 10115 Berlin", "10115/5/haupt"},
		{"10115 Berlin, Hauptstrasse 5 b", "10115/5/haupt"},
		{"12, rue de la Paix\n75002 Paris", "75002/12/paix"},
		{"1600 Pennsylvania Ave NW\nWashington, DC 20500", "20500/1600/pennsylvania"},
		{"10 Downing Street\nLondon SW1A 2AA", "sw1a2aa/10/downing"},
		{"Keizersgracht 123\n1015 CJ Amsterdam", "1015cj/123/keizersgr"},
		{"ul. Marszalkowska 10/16\n00-590 Warszawa", "00590/10/marszalkowska"},
		{"Postfach 12 34\n8021 Zurich", "8021/1234/pobox"},
		{"Postfach 10 12 34, 50452 Koln", "50452/101234/pobox"},
		{"50452 Koln, Postfach 10 12 34", "50452/101234/pobox"},
		{"Postfach 101234\n50452 Koln", "50452/101234/pobox"},
		{"BP 12 345\n75001 Paris", "75001/12345/pobox"},
		{"BP 12 75001 Paris", "75001/12/pobox"},
		{"Box 123, 114 35 Stockholm", "11435/123/pobox"},
		{"Box 123 114 35 Stockholm", "11435/123/pobox"},
		{"Postfach 10-12\n50452 Koln", "50452/10/pobox"},
		{"Postfach 10 12 34 56\n50452 Koln", "50452/101234/pobox"},
		{"Storgatan 7\n111 22 Stockholm", "11122/7/storg"},
		{"Calle Mayor, 5\n28013 Madrid", "28013/5/mayor"},
		{"14bis rue de la Gare\n69003 Lyon", "69003/14/gare"},
		{"12 a-c Station Road\nLeeds LS1 4DY", "ls14dy/12/station"},
		{"Laugavegur 18\n101 Reykjavik", "101/18/laugavegur"},
		{"Box 45678\n8000 Bern", "8000/45678/pobox"},
		{"C/ Mayor s/n\n08008 Barcelona", "08008/0/mayor"},
		{"Knez Mihailova bb, 11000 Beograd", "11000/0/knez-mihailova"},
		{"Cra. 7 No. 93-60\n110221 Bogota", "110221/93/7other"},
		{"Av. 9 de Julio 161, piso 3\nC1043AAZ Buenos Aires", "c1043aaz/161/julio"},
		{"Na Prikope 162/12\n110 00 Praha 1", "11000/162/na-prikope"},
		{"350 5th Avenue, New York, NY 10118", "10118/350/5th"},
		{"Rua Augusta 100, 3.o Dto\n1100-053 Lisboa", "1100053/100/augusta"},
		{"Avenida Paulista, 1578\n01310-200 Sao Paulo - SP", "01310200/1578/paulista"},
		{"123 Rue Haute\n75001 Paris", "75001/123/haute"},
		{"Ringstr. 250\n1010 Wien", "1010/250/ring"},
		{"1010 Wien, Ringstr. 250", "1010/250/ring"},
		{"27 Al Maktoum Street, Dubai", NULL},
		{"no address", NULL},
		{"", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize len = strlen(rows[i].text);
		char *input = exact_copy(rows[i].text, len);
		g_autofree char *got = ms_postal_key(input, len);
		g_test_message("%s", rows[i].text);
		g_assert_cmpstr(got, ==, rows[i].want);
		free(input);
	}
}

/* What is one place is so on both sides: stored and in a text. */
static bool any_key(const char *sought, MsPostalDepth depth, void *user)
{
	(void)sought;
	(void)user;
	return depth != MS_POSTAL_NAME;
}

static void add_key(const char *found, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	(void)depth;
	(void)start;
	(void)end;
	g_hash_table_add(user, g_strdup(found));
}

static bool is_found_in(const char *stored, const char *text)
{
	g_autoptr(MsFold) a = ms_fold_new(stored, strlen(stored));
	g_autoptr(MsFold) b = ms_fold_new(text, strlen(text));
	g_autofree char *wanted = ms_postal_key(a->text, a->len);
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	MsPostalSink sink = {any_key, add_key, keys, false};
	ms_postal_find(b->text, b->len, false, &sink);
	g_test_message("%s: %s", wanted, text);
	g_assert_nonnull(wanted);
	return g_hash_table_contains(keys, wanted);
}

/* Has a text one of the keys by which the directory has it? */
static bool is_known_in(const char *stored, const char *text)
{
	const MsKind *kind = ms_kinds_find(kinds, "billing-address");
	g_autoptr(MsFold) fold = ms_fold_new(text, strlen(text));
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	MsPostalSink sink = {any_key, add_key, keys, true};
	ms_postal_find(fold->text, fold->len, false, &sink);
	const char *why;
	g_autofree char *value = ms_kind_canonical(kind, stored, strlen(stored), &why);
	g_assert_nonnull(value);
	g_autoptr(GPtrArray) forms = ms_kind_stored_forms(kind, value, stored, strlen(stored));
	for (guint i = 0; i < forms->len; i++) {
		const char *form = ((MsOtherForm *)forms->pdata[i])->key;
		if (form != NULL && g_hash_table_contains(keys, form + strlen("address/")))
			return true;
	}
	return g_hash_table_contains(keys, value);
}

static void test_postal_spellings(void)
{
	static const char *const same[][3] = {
		{"Lindenweg 5, 10115 Berlin", "Lindenwg. 5, 10115 Berlin",
			"LINDENWEG 5\n10115 BERLIN"},
		{"Amweg 7, 50667 Koeln", "Amwg. 7, 50667 Koeln"},
		{"Annagasse 3, 1010 Wien", "Annag. 3, 1010 Wien", "Annagss. 3, 1010 Wien"},
		{"Marktplatz 1, 70173 Stuttgart", "Marktpl. 1, 70173 Stuttgart"},
		{"Konigsallee 7, 40212 Dusseldorf", "Koenigsal. 7, 40212 Dusseldorf"},
		{"Churchilllaan 11, 1078 DA Amsterdam", "Churchillln 11, 1078DA Amsterdam"},
		{"Keizersgracht 123, 1015 CJ Amsterdam", "Keizersgr. 123, 1015CJ"},
		{"Museumplein 6, 1071 DJ Amsterdam", "Museumpln 6, 1071 DJ",
			"Museumpl. 6, 1071 DJ"},
		{"Kungsgatan 7, 111 43 Stockholm", "Kungsg. 7, 11143 Stockholm"},
		{"Ringvagen 100, 118 60 Stockholm", "Ringv. 100, 118 60 Stockholm",
			"Ringvaegen 100, 118 60"},
		{"Storgata 20, 0184 Oslo", "Storgt. 20, 0184 Oslo", "Storgaten 20, 0184 Oslo"},
		{"Kirkeveien 50, 0368 Oslo", "Kirkev. 50, 0368 Oslo", "Kirkevegen 50, 0368"},
		{"Vestergade 2, 1456 Kobenhavn K", "Vesterg. 2, 1456 Kobenhavn"},
		{"Strandvejen 8, 2900 Hellerup", "Strandvejen 8, DK-2900 Hellerup"},
		{"Mannerheimintie 5, 00100 Helsinki", "Mannerheimint. 5, 00100 Helsinki"},
		/* the ending as a word of its own */
		{"Lindenweg 5, 10115 Berlin", "Linden-Weg 5, 10115 Berlin", "Linden Weg 5\n10115 Berlin"},
		{"Lindenallee 7, 10117 Berlin", "Linden-Allee 7\n10117 Berlin"},
		{"Schlossplatz 3, 70173 Stuttgart", "Schlo\xc3\x9f-Platz 3, 70173 Stuttgart"},
		{"K\xc3\xa4rntner Ring 5, 1010 Wien", "Kaerntnerring 5, 1010 Wien",
			"K\xc3\xa4rntner-Ring Nr. 5, 1010 Wien"},
		{"Reichpietschufer 50, 10785 Berlin", "Reichpietsch-Ufer 50, 10785 Berlin"},
		{"Keizersgracht 126, 1015 CW Amsterdam", "Keizers Gracht 126, 1015CW Amsterdam"},
		{"Karl Johans gate 22, 0026 Oslo", "Karl Johansgate 22, 0026 Oslo",
			"Karl Johans gt. 22, 0026 Oslo"},
		{"Kungsgatan 44, 111 35 Stockholm", "Kungs Gatan 44, 111 35 Stockholm"},
		{"12 Old Wall Street, Leeds LS1 4DY", "12 Old Wall St\nLeeds LS1 4DY"},
		{"Rua Augusta 100, 1100-053 Lisboa", "Rua Augusta, 100\n1100 053 Lisboa",
			"R. Augusta 100 1100\xe2\x80\x93"
			"053 Lisboa"},
		{"Av. Paulista, 1578, 01310-200 Sao Paulo",
			"Avenida Paulista 1578, 01310 200 Sao Paulo"},
	};
	/* Stored in more than one way, of which the best is not always the one. */
	static const char *const known[][3] = {
		{"8 boulevard Saint-Michel, 75005 Paris", "8, Bld St Michel, 75005 Paris"},
		{"Avenida de la Constituci\xc3\xb3n 5, 41001 Sevilla",
			"Av. de la Constituci\xc3\xb3n n\xc2\xba" "5 41001 SEVILLA",
			"Avda. Constituci\xc3\xb3n, Nr5, 41001"},
		{"Rua Augusta 27, 1100-053 Lisboa", "R. Augusta, n.\xc2\xba 27 - 3\xc2\xba D, 1100-053"},
		{"V\xc3\xa1" "clavsk\xc3\xa9 n\xc3\xa1m. 846/1, 110 00 Praha",
			"V\xc3\xa1" "clavsk\xc3\xa9 n\xc3\xa1m\xc4\x9bst\xc3\xad 1, 110 00 Praha 1"},
		/* in two tongues */
		{"Rue Royale 72, 1000 Bruxelles",
			"Rue Royale - Koningsstraat 72\n1000 Bruxelles - Brussel",
			"Rue Royale/Koningsstraat 72, 1000 Brussel"},
		{"Koningsstraat 72, 1000 Brussel", "Rue Royale - Koningsstraat 72, 1000 Bruxelles",
			"72 rue Royale / Koningsstraat\n1000 Bruxelles"},
		{"Boulevard Anspach 65, 1000 Bruxelles", "Boulevard Anspach / Anspachlaan 65, 1000 Bruxelles"},
		{"Anspachlaan 65, 1000 Brussel", "Boulevard Anspach / Anspachlaan 65, 1000 Bruxelles"},
		{"Via Brennero 12, 39100 Bolzano", "Brennerstra\xc3\x9f" "e 12 - Via Brennero 12, 39100 Bozen",
			"Via Brennero / Brennerstr. 12\n39100 Bozen/Bolzano"},
		{"Mannerheimintie 10, 00100 Helsinki",
			"Mannerheimintie - Mannerheimv\xc3\xa4gen 10, 00100 Helsinki"},
		{"Kossuth Lajos sug\xc3\xa1r\xc3\xbat 8, 6720 Szeged", "6720 Szeged, Kossuth Lajos sgt. 8."},
		{"Narva mnt 7, 10117 Tallinn", "Narva maantee 7, 10117 Tallinn"},
		{"Br\xc4\xab" "v\xc4\xab" "bas iela 21, R\xc4\xabga, LV-1010", "Br\xc4\xabv\xc4\xab" "bas 21, LV1010 R\xc4\xabga"},
		{"Gedimino pr. 9, LT-01103 Vilnius", "Gedimino prospektas 9, 01103 Vilnius",
			"Gedimino pr. 9-3\nVilnius LT01103"},
		{"Slovenska cesta 56, 1000 Ljubljana", "Slovenska c. 56, SI-1000", "Slovenska 56\n1000 Ljubljana"},
		{"Flat 3, 14 High Street, Bristol, BS1 4ST", "3/14 High Street, Bristol BS1 4ST"},
		{"Unit 4/27 Smith Road, Richmond VIC 3121", "U4 27 Smith Rd\nRICHMOND VIC 3121"},
		{"Level 5, 123 Pitt Street, Sydney NSW 2000", "Lvl 5/123 Pitt Street Sydney NSW 2000"},
		{"Atat\xc3\xbcrk Caddesi No:45 D:3, 34758 Ata\xc5\x9f" "ehir", "Atat\xc3\xbcrk Cad. No: 45/3 34758 \xc4\xb0stanbul"},
		{"\xce\x95\xcf\x81\xce\xbc\xce\xbf\xcf\x8d 15, 105 63 \xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1",
			"\xce\x95\xce\xa1\xce\x9c\xce\x9f\xce\xa5 15\n10563 \xce\x91\xce\x98\xce\x97\xce\x9d\xce\x91"},
		{"Lindenstra\xc3\x9f" "e 12a, 10969 Berlin",
			"Stra\xc3\x9f" "e: Lindenstra\xc3\x9f" "e\nHausnummer: 12a\nPLZ: 10969\nOrt: Berlin",
			"Stra\xc3\x9f" "e\tLindenstra\xc3\x9f" "e\nHausnummer\t12a\nPLZ\t10969"},
		{"15 The Avenue, Cardiff CF10 3AT", "15 The Ave.\nCardiff CF10 3AT"},
		{"CP 24071, Toronto ON M5V 2B7", "Bill to: Delta SARL CP 24071 Toronto ON M5V 2B7"},
		/* with a company before it, and where the words beside the number are no street */
		{"12, rue de la Paix, 75002 Paris", "Acme Tools 12, rue de la Paix, 75002 Paris"},
		{"1600 Pennsylvania Ave, Washington DC 20500",
			"Acme Inc, 1600 Pennsylvania Ave, Washington DC 20500",
			"Acme Inc 1600 Pennsylvania Ave Washington DC 20500"},
		{"Hauptstr. 5, 10115 Berlin", "Delta 7 GmbH Hauptstr. 5, 10115 Berlin",
			"Hauptstr. 5 Acme GmbH, 10115 Berlin"},
		{"5 The Avenue, London N1 4DY", "Acme, 5 The Avenue, London N1 4DY"},
		{"Calle Mayor, 5, 28013 Madrid", "Calle Mayor, 5, Madrid 28013", "Acme SA, Calle Mayor, 5, Madrid, 28013"},
		{"Mannerheimintie 92 A 12, 33100 Tampere", "Acme Oy, Mannerheimintie 92, FI-33100 Tampere"},
		{"12 rue des Lilas, 69003 Lyon",
			"houseNumber: 12\nstreet: rue des Lilas\npostcode: 69003\ncity: Lyon",
			"House number\t12\nStreet\true des Lilas\nPostcode\t69003"},
		{"12 rue des Lilas, 69003 Lyon", "12\true des Lilas\t69003\tLyon",
			"StreetName: rue des Lilas\nBuildingNumber: 12\nPostalZone: 69003"},
		{"12 rue des Lilas, 69003 Lyon", "street_number: 12\nstreet: rue des Lilas\nzip: 69003",
			"House number: 12\nStreet name: rue des Lilas\n69003 Lyon"},
		{"12 rue des Lilas, 69003 Lyon", "69003\tLyon\t12\true des Lilas",
			"streetName: rue des Lilas\nstreetNumber: 12\npostalCode: 69003"},
		{"100-6701 \xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe5\x8d\x83\xe4\xbb\xa3\xe7\x94\xb0\xe5\x8c\xba\xe4\xb8\xb8\xe3\x81\xae\xe5\x86\x85" "12-9-2",
			"\xe3\x80\x92" "100-6701 \xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe5\x8d\x83\xe4\xbb\xa3\xe7\x94\xb0\xe5\x8c\xba\xe4\xb8\xb8\xe3\x81\xae\xe5\x86\x85"
			"\xe5\x8d\x81\xe4\xba\x8c\xe4\xb8\x81\xe7\x9b\xae" "9\xe7\x95\xaa" "2\xe5\x8f\xb7"},
	};
	static const char *const other[][2] = {
		{"12 rue des Lilas, 69003 Lyon", "House number: 7\nrue des Lilas\n69003 Lyon\n12 items"},
		{"12 rue des Lilas, 69003 Lyon", "Invoice 2026, page 12\nrue des Lilas\n69003 Lyon"},
		{"Haupt Str. 5, 10115 Berlin", "Hinterhaus\n5\nNebenstr.\n10115 Berlin"},
		{"Gartenweg 5, 10115 Berlin", "Gartenstr. 5, 10115 Berlin"},
		{"Gartenweg 5, 10115 Berlin", "Gartenplatz 5, 10115 Berlin"},
		{"Garten-Weg 5, 10115 Berlin", "Garten-Platz 5, 10115 Berlin"},
		{"Garten Weg 5, 10115 Berlin", "Gartenstr. 5, 10115 Berlin"},
		{"Linden-Weg 5, 10115 Berlin", "Weg 5, 10115 Berlin"},
		{"Rue Royale 72, 1000 Bruxelles", "Rue Royale, Koningsstraat 72, 1000 Bruxelles"},
		{"Kungsgatan 7, 111 43 Stockholm", "Kungsv. 7, 111 43 Stockholm"},
		{"Kungsgatan 7, 111 43 Stockholm", "Kungsgatan 7, 111 44 Stockholm"},
		{"Rua Augusta 100, 1100-053 Lisboa", "Rua Augusta 100, 1100 054 Lisboa"},
		{"ul. Piotrkowska 104/4, 90-001 Lodz", "ul. Piotrkowska 4, 90-001 Lodz"},
		{"Bagdat Cad. 153/3, 06420 Ankara", "Bagdat Cad. 193/3, 06420 Ankara"},
		{"Hauptstr. 3-5, 10115 Berlin", "Hauptstr. 5, 10115 Berlin"},
		{"Na Prikope 846/12, 110 00 Praha", "Na Prikope 847/13, 110 00 Praha"},
		/* what is the same for half a town: flats, floors, towns, forms of companies */
		{"Mannerheimintie 92 A 12, FI-33100 Tampere", "Aleksanterinkatu 35 A 12, FI-33100 Tampere"},
		{"Elizabetes iela 136, Riga, LV-1010", "Brivibas iela 136, Riga, LV-1010"},
		{"Acme Ltd, 12/F, 10 Queen's Road Central, Kowloon 999077", "Zenit Ltd, 12/F, 13 Nathan Road, Kowloon 999077"},
		{"Acme Inc, 1600 Pennsylvania Ave, Washington DC 20500", "Zenit Inc, 1600 Main Street, Washington DC 20500"},
		{"Delta 7 GmbH, Kalverstraat 110, 3581 KW Utrecht", "Delta 7 BV\nKeizersgracht 96\n3581 KW Utrecht"},
		{"Delta 7 S.p.A., Via Monza 74, 10121 Torino", "Delta 7, Viale Roma 3, 10121 Torino"},
		{"Studio 54 Media Ltd\n9 a-c High Street\nLeeds LS1 4DY", "Studio 54, 7 Low Street, Leeds LS1 4DY"},
		{"Plot No. 30, Sector 18, Chennai 600 002", "Plot No. 41, Sector 18, Chennai 600 002"},
		{"No. 18, Sector 4, Chennai 600 002", "Plot No. 41, Sector 18, Chennai 600 002"},
		{"Sveavagen 149 B, 3 tr, 211 22 Malmo", "Drottninggatan 7 B, 3 tr, 211 22 Malmo"},
		{"1e Helmersstraat 93, 3581 KW Utrecht", "1e Helmersstraat 26, 3581 KW Utrecht"},
		{"Av. 5 de Mayo 57, 06600 Mexico", "Av. 5 de Mayo 200, 06600 Mexico"},
		{"3 Raffles Place, #05-01, Singapore 048616", "23 Raffles Place #12-03 Singapore 048616"},
		{"Delta 7 Oy, 2 King Fahd Road, Riyadh 12211-1234", "9 Republic Street, Sliema SLM1234, Delta 7"},
		{"34 Main Road, Leeds LS1 4DY", "34 Low Road, Leeds LS1 4DY"},
	};
	guint wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
		for (gsize k = 0; k < 9 && same[i][k % 3] != NULL && same[i][k / 3] != NULL; k++)
			if (!is_found_in(same[i][k / 3], same[i][k % 3])) {
				g_printerr("%s not in %s\n", same[i][k / 3], same[i][k % 3]);
				wrong++;
			}
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		for (gsize k = 0; k < 9 && known[i][k % 3] != NULL && known[i][k / 3] != NULL; k++)
			if (!is_known_in(known[i][k / 3], known[i][k % 3])) {
				g_printerr("%s not in %s\n", known[i][k / 3], known[i][k % 3]);
				wrong++;
			}
	g_assert_cmpuint(wrong, ==, 0);
	g_assert_true(is_found_in(
		"Av. Paulista, 1578, 01310-200 Sao Paulo", "Av Paulista 1578 CEP 01310200"));
	g_assert_true(is_found_in(
		"Hauptstr. 5, 10115 Berlin, Tel. 12345678", "Hauptstr. 5, 10115 Berlin"));
	for (gsize i = 0; i < G_N_ELEMENTS(other); i++)
		if (is_known_in(other[i][0], other[i][1])) {
			g_printerr("%s in %s\n", other[i][0], other[i][1]);
			wrong++;
		}
	g_assert_cmpuint(wrong, ==, 0);
	/* In Latin letters too, but not the other way. */
	static const char *const latin[][2] = {
		{"\xce\x95\xcf\x81\xce\xbc\xce\xbf\xcf\x8d 15, 105 63 \xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1",
			"Ermou 15, 10563 Athina"},
		{"\xd0\xb1\xd1\x83\xd0\xbb. \xd0\x92\xd0\xb8\xd1\x82\xd0\xbe\xd1\x88\xd0\xb0 15, 1000 \xd0\xa1\xd0\xbe\xd1\x84\xd0\xb8\xd1\x8f",
			"Vitosha Blvd 15, 1000 Sofia"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(latin); i++)
		g_assert_true(is_known_in(latin[i][0], latin[i][1]));
}

/* ---- check digits --------------------------------------------------------------------- */

/* One of each country, as its authority prints it, and the same with a digit changed. */
static const char *const vat_ids[] = {
	"ATU13585627",
	"BE0428759497",
	"BG175074752",
	"CHE107787577",
	"CY10259033P",
	"CZ25123891",
	"DE136695976",
	"DK13585628",
	"EE100931558",
	"EL094259216",
	"ESB58378431",
	"FI20774740",
	"FR40303265045",
	"GB980780684",
	"HR33392005961",
	"HU12892312",
	"IE6433435F",
	"IT00743110157",
	"LT119511515",
	"LU15027442",
	"LV40003521600",
	"MT11679112",
	"NL004495445B01",
	"NO923609016",
	"PL8567346215",
	"PT501964843",
	"RO18547290",
	"SE556188840401",
	"SI50223054",
	"SK2022749619",
};

static void test_vat_digits(void)
{
	const MsKind *vat = ms_kinds_find(kinds, "vat-id");
	for (gsize i = 0; i < G_N_ELEMENTS(vat_ids); i++) {
		if (!ms_kind_checked(vat, vat_ids[i]))
			g_error("%s should be right", vat_ids[i]);
		g_autofree char *wrong = g_strdup(vat_ids[i]);
		char *digit = wrong + strcspn(wrong + 3, "0123456789") + 4;
		*digit = *digit == '5' ? '6' : '5';
		if (strcmp(wrong, vat_ids[i]) != 0 && ms_kind_checked(vat, wrong))
			g_error("%s should be wrong", wrong);
	}
}

static void test_checks(void)
{
	static const struct {
		const char *kind, *value;
		bool is_one, checked;
	} rows[] = {
		{"siren-siret", "732829320", true, true},
		{"siren-siret", "732829321", true, false},
		{"siren-siret", "73282932000074", true, true},
		{"siren-siret", "73282932000075", true, false},
		{"siren-siret", "35600000000048", true, true},
		{"siren-siret", "7328", false, false},
		{"leitweg-id", "04011000-1234512345-35", true, false},
		{"leitweg-id", "991-03730-19", true, false},
		{"gln", "4304171000002", true, true},
		{"gln", "4304171000003", true, false},
		{"bic", "DEUTDEFF", true, false},
		{"bic", "DEUTXXFF", false, false},
		{"bic", "DEUTDEFF500", true, false},
		{"lei", "529900T8BM49AURSDO55", true, true},
		{"lei", "529900T8BM49AURSDO56", false, false},
		{"creditor-reference", "RF18 5390 0754 7034", true, true},
		{"creditor-reference", "RF17 5390 0754 7034", false, false},
		{"sepa-creditor", "DE98ZZZ09999999999", true, true},
		{"sepa-creditor", "DE97ZZZ09999999999", false, false},
		{"payment-card", "4111 1111 1111 1111", true, true},
		{"payment-card", "4111 1111 1111 1112", false, false},
		{"phone", "+33 (0)1 42 68 53 00", true, false},
		{"duns", "12-345-6789", true, false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsKind *kind = ms_kinds_find(kinds, rows[i].kind);
		const char *why;
		g_autofree char *value = ms_kind_canonical(
			kind, rows[i].value, strlen(rows[i].value), &why);
		if ((value != NULL) != rows[i].is_one ||
			(value != NULL && rows[i].checked && !ms_kind_checked(kind, value)) ||
			(value != NULL && !rows[i].checked && kind->check != MS_CHECK_LEITWEG &&
				ms_kind_checked(kind, value)))
			g_error("%s %s: %s", rows[i].kind, rows[i].value,
				value != NULL ? value : why);
	}
}

/* With a country's code, a number is one in both of its spellings. */
static void test_phone_country(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKinds) own = ms_kinds_parse("k",
		"kind \"phone\" {\n pattern = {'[+][0-9 ]{8,15}'}\n check = phone\n"
		" canonical = phone\n country-code = 33\n min-length = 7\n max-length = 15\n}\n",
		&error);
	g_assert_no_error(error);
	const MsKind *phone = ms_kinds_find(own, "phone");
	static const char *const same[] = {
		"+33 1 42 68 53 00", "0033 142685300", "01 42 68 53 00", "+33 (0)1 42 68 53 00"};
	for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
		const char *why;
		g_autofree char *value = ms_kind_canonical(phone, same[i], strlen(same[i]), &why);
		g_assert_cmpstr(value, ==, "33142685300");
		g_autoptr(GPtrArray)
			stored = ms_kind_stored_forms(phone, value, same[i], strlen(same[i]));
		g_autoptr(GPtrArray) asked = ms_kind_asked_forms(phone, "0142685300");
		/* from abroad, and within, with a 0 and without */
		g_assert_cmpuint(stored->len, ==, 3);
		g_assert_cmpstr(((MsOtherForm *)stored->pdata[0])->compact, ==, "0033142685300");
		g_assert_cmpstr(((MsOtherForm *)stored->pdata[1])->compact, ==, "0142685300");
		g_assert_cmpstr(((MsOtherForm *)stored->pdata[1])->key, ==,
			((MsOtherForm *)asked->pdata[0])->key);
	}
}

/* Each country's file is a good one by itself. */
static void test_packs(void)
{
	static const char *const packs[] = {"ch", "es", "gb", "it", "nl", "pl", "us"};
	for (gsize i = 0; i < G_N_ELEMENTS(packs); i++) {
		g_autofree char *name = g_strdup_printf("policies/kinds-%s.conf", packs[i]);
		g_autofree char *text = read_source(name);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsKinds) pack = ms_kinds_parse(name, text, &error);
		g_assert_no_error(error);
		for (guint k = 0; k < ms_kinds_count(pack); k++)
			g_assert_null(ms_kinds_find(kinds, ms_kinds_nth(pack, k)->name));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	g_autoptr(GError) error = NULL;
	kinds = ms_kinds_parse("kinds.conf", text, &error);
	g_assert_no_error(error);
	g_test_add_func("/known/compact", test_compact);
	g_test_add_func("/known/filter/members", test_members);
	g_test_add_func("/known/filter/scan", test_scan);
	g_test_add_func("/known/filter/not-an-image", test_not_an_image);
	g_test_add_func("/known/texts", test_known);
	g_test_add_func("/known/short", test_short);
	g_test_add_func("/known/dense", test_dense);
	g_test_add_func("/known/below", test_below);
	g_test_add_func("/known/shared", test_shared);
	g_test_add_func("/known/guesses", test_guesses);
	g_test_add_func("/known/lean", test_lean_is_the_same);
	g_test_add_func("/known/prose", test_prose);
	g_test_add_func("/known/long", test_long);
	g_test_add_func("/known/hidden", test_hidden);
	g_test_add_func("/known/dispatch", test_dispatch);
	g_test_add_func("/known/postal", test_postal);
	g_test_add_func("/known/postal/spellings", test_postal_spellings);
	g_test_add_func("/known/check/vat", test_vat_digits);
	g_test_add_func("/known/check/others", test_checks);
	g_test_add_func("/known/phone-country", test_phone_country);
	g_test_add_func("/known/packs", test_packs);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
