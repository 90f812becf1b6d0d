/* Numbers behind labels that are no identifiers, and identifiers that amounts stand beside. */
#include "config.h"

#include "missent/detect.h"
#include "missent/filter.h"

#include "../test.h"

static MsKinds *kinds;
static const guint8 key[MS_FILTER_KEY_BYTES] = "another sixteen";

static MsReading *detect(const char *text, MsFilters *known)
{
	MsReading *reading = ms_reading_new();
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	char *input = exact_copy(text, strlen(text));
	MsSpan span = {.where = "part 1", .text = input, .len = strlen(text)};
	ms_detect(kinds, known, &span, &budget, reading);
	free(input);
	return reading;
}

/* What is found by its label alone, or NULL. */
static const MsFinding *firm(const MsReading *reading, const char *kind, const char *value)
{
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		if ((f->belief & MS_BELIEF_TENTATIVE) == 0 &&
			(kind == NULL || strcmp(f->kind, kind) == 0) &&
			(value == NULL || strcmp(f->value, value) == 0))
			return f;
	}
	return NULL;
}

/* ---- figures -------------------------------------------------------------------------- */

static const char *const labels[] = {"Vertrag", "Rechnung", "Gutschrift", "contract",
	"invoice:", "credit note", "facture", "contrat", "avoir", "factura", "contrato", "fattura",
	"contratto", "factuur", "faktura", "umowa", "fatura"};

static const char *const amounts[] = {"1897,85", "1.897,85", "1 897,85",
	"1\xc2\xa0"
	"897,85",
	"1\xe2\x80\xaf"
	"897,85",
	"1'897.85",
	"1\xe2\x80\x99"
	"897.85",
	"1,897.85", "1897.85", "12.345.678,90", "12,345,678.90", "12 345 678,90", "1,23,456.00",
	"125,50", "0.125", "1897", "1.897", "1,897", "1'897", "100", "1897,-", "1897,--", "1897.-",
	"1897,\xe2\x80\x93", "1897.\xe2\x80\x94"};

static const char *const behind[] = {" EUR", " Euro", " \xe2\x82\xac", "\xe2\x82\xac",
	"\xc2\xa0\xe2\x82\xac", " euros", " USD", "$", " CHF", " Fr.", " z\xc5\x82", " PLN",
	" K\xc4\x8d", " kr", " kr.", " SEK", " Ft", " lei", " GBP", "\xc2\xa3", " \xe2\x82\xbd",
	" \xd1\x80\xd1\x83\xd0\xb1.", " TL", " \xe2\x82\xba", " INR", " Rs.", " AED", " dollars",
	"\xe5\x86\x86", "EUR"};

static const char *const before[] = {"EUR ", "Euro ", "\xe2\x82\xac ", "\xe2\x82\xac", "EUR",
	"USD ", "$", "US$ ", "US$", "\xc2\xa3", "CHF ", "Fr. ", "SFr. ", "R$ ", "kr ", "Rs. ",
	"\xe2\x82\xb9", "\xc2\xa5", "\xe2\x82\xba", "GBP "};

static guint wrong;

static void want_none(const char *text)
{
	g_autoptr(MsReading) r = detect(text, NULL);
	const MsFinding *f = firm(r, NULL, NULL);
	if (f != NULL && wrong++ < 20)
		g_test_message("\"%s\": %s %s", text, f->kind, f->value);
}

static void test_amounts(void)
{
	wrong = 0;
	for (gsize l = 0; l < G_N_ELEMENTS(labels); l++)
		for (gsize a = 0; a < G_N_ELEMENTS(amounts); a++) {
			for (gsize c = 0; c < G_N_ELEMENTS(behind); c++) {
				g_autofree char *text = g_strdup_printf("%s %s%s%s", labels[l],
					amounts[a], behind[c], l % 2 ? "" : ", net");
				want_none(text);
			}
			for (gsize c = 0; c < G_N_ELEMENTS(before); c++) {
				g_autofree char *text = g_strdup_printf(
					"%s %s%s is due", labels[l], before[c], amounts[a]);
				want_none(text);
			}
		}
	g_assert_cmpuint(wrong, ==, 0);
}

static const char *const figures[] = {
	/* without a currency: what no identifier looks like */
	"1897,85",
	"1.897,85",
	"1'897.85",
	"1,897.85",
	"1,897",
	"1897,5",
	"1897.85",
	"99.90",
	/* shares and quantities */
	"100 %",
	"100%",
	"12.50 %",
	"19,00%",
	"100 Prozent",
	"150 percent",
	"7.25 pct",
	"100 GB",
	"500GB",
	"2.500 kWh",
	"12,500 kWh",
	"2 500 kWh",
	"100 St\xc3\xbc"
	"ck",
	"250 pcs",
	"100-200 pcs",
	"120 m\xc2\xb2",
	"365 Tage",
	"100 Stunden",
	"250 kg",
	"250 g",
	"120 Monate",
	"100 users",
	"100 Lizenzen 12,00 EUR",
	"500 GB 12,00 EUR",
	"100 x 20,00",
	"1200 Mio.",
	/* dates and times */
	"vom 01.02.2024",
	"01.02.2024",
	"01/02/24",
	"1/2/2024",
	"of 2024-02-01",
	"2024/02/05",
	"2024.02.05",
	"2024-02-01T10:30:00",
	"2024",
	"2019-2024",
	"2024/25",
	"10.30 Uhr",
	"1030 Uhr",
	"14h30",
	"14h30min",
	"Q3/2024",
	"Q3-24",
	"2024-Q3",
	"2024Q3",
	"KW32/2024",
	"KW32",
	"FY2024",
	"H1/2024",
	/* telephones, pages, articles */
	"+49 30 1234567",
	"+49 (0)30 1234567",
	"(030) 1234567",
	"020 7946 0958",
	"Tel. 030/1234567",
	"Tel.: 0301234567",
	"phone 555-0134",
	"t\xc3\xa9l. 0123456789",
	"Fax 030 1234567",
	"Tel.030/1234567",
	"page 123",
	"Seite 123",
	"S. 123",
	"p. 123",
	"p\xc3\xa1gina 123",
	"str. 123",
	"1 of 250",
	"3 von 120",
	"1 sur 120",
	"Art. 123",
	"Art.123",
	"art. 123",
	"\xc2\xa7 312",
	"\xc2\xa7"
	"312",
	"\xc2\xa7\xc2\xa7 312",
	"section 123",
	"Kapitel 123",
	"clause 123",
	"Anlage 123",
	"Betrag 1897",
	"total 1897",
	"montant: 1897",
	"importe 1897",
	"\xc3\xbc"
	"ber 1897",
	"Menge 1897",
	"PLZ 10115",
	"Version 123",
};

static void test_figures(void)
{
	wrong = 0;
	for (gsize l = 0; l < G_N_ELEMENTS(labels); l++)
		for (gsize i = 0; i < G_N_ELEMENTS(figures); i++) {
			g_autofree char *text = g_strdup_printf("%s %s", labels[l], figures[i]);
			g_autofree char *more = g_strdup_printf(
				"Our %s %s, as agreed.\n", labels[l], figures[i]);
			g_autoptr(MsReading) r = detect(text, NULL);
			const MsFinding *f = firm(r, NULL, NULL);
			if (f != NULL && strcmp(f->kind, "phone") != 0 && wrong++ < 20)
				g_test_message("\"%s\": %s %s", text, f->kind, f->value);
			g_autoptr(MsReading) r2 = detect(more, NULL);
			f = firm(r2, NULL, NULL);
			if (f != NULL && strcmp(f->kind, "phone") != 0 && wrong++ < 20)
				g_test_message("\"%s\": %s %s", more, f->kind, f->value);
		}
	g_assert_cmpuint(wrong, ==, 0);
}

/* ---- identifiers ---------------------------------------------------------------------- */

static const struct {
	const char *text, *value;
} numbers[] = {{"4711", "4711"}, {"1897", "1897"}, {"471108", "471108"}, {"2024-1017", "20241017"},
	{"2024-017", "2024017"}, {"A-4711", "A4711"}, {"4711.01", "471101"}, {"4711/24", "471124"},
	{"12.345.678", "12345678"}, {"INV-2024-0001", "INV20240001"}, {"RE4711", "RE4711"},
	{"4711A", "4711A"}, {"47-11-08-15", "47110815"}, {"123456789", "123456789"},
	{"F1897.85", "F189785"}, {"0815", "0815"}, {"20240201", "20240201"}};

static const char *const asking[] = {"Kundennummer ", "customer no. ", "Vertrags-Nr. ", "Vertrag ",
	"contract ", "Rechnung Nr. ",
	"invoice no: ", "N\xc2\xb0 de facture : ", "factura n.\xc2\xba ", "fattura n. ",
	"numer faktury ", "Rechnung ", "invoice #", "umowa ", "contrato ", "invoice number\n"};

static const char *const tails[] = {"", ".", ", 12,50 EUR", " EUR 20,00", " (12,50 \xe2\x82\xac)",
	"\t12,50\tEUR", ": 12.50 EUR", " Seite 1 von 3", " page 2", " total 12.50",
	" vom 01.02.2024", " dated 2 February 2024", " am 01.02.2024", " 30 Tage netto",
	" - 12,50 EUR", " / 12,50 EUR", "; 12,50", " 12,50 \xe2\x82\xac", " \xe2\x82\xac 12,50",
	" $12.50", " CHF 12.50", "\t1.897,85", " and more", "\n100 %", " | 12,50 EUR", " items 3",
	",\n12,50 EUR", " L. Smith", " over 100 pages", "%20x", " EUR-Konto", "\tEUR\t20,00"};

static void test_identifiers(void)
{
	wrong = 0;
	for (gsize l = 0; l < G_N_ELEMENTS(asking); l++)
		for (gsize n = 0; n < G_N_ELEMENTS(numbers); n++)
			for (gsize t = 0; t < G_N_ELEMENTS(tails); t++) {
				g_autofree char *text = g_strconcat(
					asking[l], numbers[n].text, tails[t], NULL);
				g_autoptr(MsReading) r = detect(text, NULL);
				if (firm(r, NULL, numbers[n].value) == NULL && wrong++ < 20)
					g_test_message("\"%s\": not %s", text, numbers[n].value);
			}
	g_assert_cmpuint(wrong, ==, 0);
}

static const struct {
	const char *text, *kind, *value;
} asked[] = {
	/* a label that asks for a number gets one, whatever stands behind */
	{"Kundennummer 4711 EUR", "customer-number", "4711"},
	{"customer no. 4711 users", "customer-number", "4711"},
	{"Kunden-Nr. 471,472", "customer-number", "471"},
	{"Kunden-Nr. 4711,4712", "customer-number", "4711"},
	{"Kundennummer,4711,12.50,EUR", "customer-number", "4711"},
	{"Kundennummer;4711;12,50;EUR", "customer-number", "4711"},
	{"Vertrag 4711,12,foo", "contract-number", "4711"},
	{"Vertrag 1234567 EUR", "contract-number", "1234567"},
	/* one that looks like a month */
	{"Rechnung 2024-10 vom 01.02.2024", "invoice-number", "202410"},
	{"Rechnungsnummer 2024-10", "invoice-number", "202410"},
	{"Rechnung Nr. 2024/17", "invoice-number", "202417"},
	{"invoice 2024-10, dated 2 February 2024", "invoice-number", "202410"},
	{"facture 2024-10 du 1er f\xc3\xa9vrier", "invoice-number", "202410"},
	/* check digits say more than what stands beside */
	{"SIREN 732 829 320 EUR", "siren-siret", "732829320"},
};

static void test_asked(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(MsReading) r = detect(asked[i].text, NULL);
		if (firm(r, asked[i].kind, asked[i].value) == NULL)
			g_error("\"%s\": not %s", asked[i].text, asked[i].value);
	}
}

/* ---- what the directory knows --------------------------------------------------------- */

static const struct {
	const char *text;
	bool found; /* contract 1897 */
} knowing[] = {
	{"Vertrag 1897", true},
	{"Vertrag 1897,", true},
	{"Vertrag 1897 EUR", true},
	{"Vertrag 1897 EUR 20,00", true},
	{"Vertrag 1897, 20,00 EUR", true},
	{"Vertrag 1897,85", true},
	{"Vertrag 1.897", true},
	{"Vertrag Art. 1897", true},
	{"Vertrag 1897 GB", true},
	{"Vertragsnummer 1897,85 EUR", true},
	{"Vertrag 1 897,85 EUR", true},
	{"Vertrag 1897,85 EUR", false},
	{"Vertrag \xe2\x82\xac 1.897,85", false},
	{"Vertrag \xe2\x82\xac"
	 "1,897.85",
		false},
	{"contract 1,897.85", false},
	{"contract USD 1897.85", false},
	{"Vertrag 1897,- EUR", false},
	{"Vertrag \xc3\xbc"
	 "ber 24 Monate, 1897,85 EUR",
		false},
	{"Vertrag 1897,5 %", false},
};

/* `value` is known of the kind, and so are `more` numbers around it; it is to be found in the text,
 * of kind `as` if that is not NULL, or is not. */
static void expect_of(const char *kind, const char *as, const char *value, guint more,
	const char *text, bool found)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (guint i = 0; i <= more; i++) {
		MsMark mark;
		long number = strtol(value, NULL, 10) + (long)i - (long)(more / 2);
		g_autofree char *one = more > 0 ? g_strdup_printf("%ld", number) : g_strdup(value);
		g_assert_true(ms_mark_make(key, kind, one, strlen(one), &mark));
		g_array_append_val(marks, mark);
	}
	g_autoptr(GBytes) image = ms_filter_build(
		key, (const MsMark *)(const void *)marks->data, marks->len);
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	g_autoptr(MsFilter) filter = ms_filter_open(data, size, NULL);
	MsFilters known = {{filter, NULL}};
	g_autoptr(MsReading) r = detect(text, &known);
	bool is = false;
	for (guint k = 0; k < r->findings->len; k++) {
		const MsFinding *f = r->findings->pdata[k];
		is = is || (strcmp(f->value, value) == 0 &&
				   (as == NULL || strcmp(f->kind, as) == 0));
	}
	if (is != found) {
		g_test_message("\"%s\" in \"%s\"", value, text);
		wrong++;
	}
}

static void expect_known(const char *value, const char *text, bool found)
{
	expect_of("contract-number", NULL, value, 0, text, found);
}

static void test_known(void)
{
	wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(knowing); i++)
		expect_known("1897", knowing[i].text, knowing[i].found);
	g_assert_cmpuint(wrong, ==, 0);
}

#define HEAD \
	"Contract no.\tInvoice no.\tOrder no.\tDate\tClerk\tBranch\n" \
	"7309\t61830442\t4519083377\t12.11.2026\tWolf\t4410\n"

/* Dates, times, amounts and pieces of other numbers have the digits of what somebody else has. */
static const struct {
	const char *value, *text;
	bool found;
} chances[] = {
	{"17012026", "Vertrag 6220/2026 17/01/2026", false},
	{"17012026", "Vertrag: 6220/2026\nDatum: 17.01.2026", false},
	{"17012026", "contract of 17/01/2026", false},
	{"17012026", "Contract date: 17-01-2026", false},
	{"17012026", "Umowa z dnia 17.01.2026", false},
	{"17012026", "Umowa nr: 17/01/2026", true},
	{"17012026", "Umowa nr 17/01/2026 z dnia 17.01.2026", true},
	{"17012026", "Vertrag 1701/2026", true},
	{"17012026", "Vertrag 6220/2026, 1701/2026", true},
	{"170126", "Vertrag 6220\nDatum: 17.01.26", false},
	{"170126", "Vertrags-Nr.: 17.01.26", true},
	{"202609", "Vertrag: 4711\nDatum: 2026-09-28", false},
	{"202609", "Contract 4711 2026/09/28", false},
	{"202609", "Contract\tDate\n4711\t2026-09-28", false},
	{"202609", "Contract number:\nDate:\n4711\n2026-09-28", false},
	{"202609", "Contract number 2026-09", true},
	{"202609", "Contract number 2026-09-28", true},
	{"202609", "Vertrag: 4711, 202609", true},
	{"2026", "Vertrag: 5897\nZeitraum: 12. Mai 2026", false},
	{"2026", "Vertragsnummer 2026", true},
	{"2026101429", "14. August 2026;10:14:29;+49 221 668477", false},
	{"2026110128", "\"2. August 2026\";\"110128\";\"7\"", false},
	{"2026110128", "2. August 2026\t110128", false},
	{"2026110128", "2026-11-01;28", false},
	{"2026110128", "2026 110128", true},
	{"2026110128", "2026-110128", true},
	{"1001", "Vertrag 4711, Artikel, 1001.250", false},
	{"1001", "Vertrags-Nr.:\nDatum:\nArtikel\n1001.250\nToner", false},
	{"1001", "Vertrag 4711-1, 1001-1", true},
	{"1001", "Vertrags-Nr. 1001.25", true},
	{"6021", "Contract no. 4711 total 6,021.12", false},
	{"6021", "Contract no. 6,021.12", true},
	{"11037", "Nr umowy: 4711\nKwota: 110,37 z\xc5\x82", false},
	{"13896", "Contract number:\nDate:\nQuantity\n97\n138\n96\n320", false},
	{"13896", "Contract number:\nDate:\nOrder number:\nVAT number:\nQuantity\n97\n138\n96\n320",
		false},
	{"13896", "Contract number:\nDate:\nQuantity\n97\n13896\n320", true},
	{"13896", "Contract number:\n138\n96", true},
	{"13559", "Contract number 4711\nPlan x 1  $35.59", false},
	{"13559", "Contract number 4711 Plan 1 \xe2\x82\xac"
		  "35.59",
		false},
	{"13559", "Contract number 135 59", true},
	{"13559", "Contract number, as you know 135-59", true},
	/* another word names it; or it is one of many */
	{"1897", "Vertragsnummer 4711 Filiale 1897", false},
	{"1897", "Vertragsnummer: 4711\nTel. +49 221 1897", false},
	{"1897", "Contract no. 4711 room 1897", false},
	{"1897", "Contract no. 4711\tAgent: 1897", false},
	{"1897", "Contract no. 4711; amount 1897", false},
	{"1897", "Vertragsnummern: 4711, 1897", true},
	{"1897", "Vertragsnummern 4711,1897", true},
	{"1897", "Vertragsnummern 4711 und 1897", true},
	{"1897", "Vertragsnummer 4711 sowie 1897", true},
	{"1897", "Contract numbers: 4711 (Meyer), 1897 (Smith)", true},
	{"1897", "Contract numbers\n4711 Meyer\n1897 Smith", true},
	{"1897", "Contract no. 4711, contract no. 1897", true},
	{"1897", "Vertragsnummer 4711, DW 1897", false},
	{"1897", "Vertragsnummer 4711 (HRB 1897)", false},
	{"1897", "Vertragsnummern 4711 UND 1897", true},
	{"1897", "Vertragsnummern 4711 SOWIE 1897", true},
	{"1897", "Contract no. 4711 TO 1897", true},
	{"12694", "Vertragsnummer 4711, RCS Lyon 12 694 554", false},
	{"12694", "Vertragsnummern 4711, 12 694", true},
	/* of a telephone number */
	{"21650", "Contract no. 4711\nTel. 21 650 9748", false},
	{"9748", "Contract no. 4711\nTel. 21 650 9748", false},
	{"1897", "Vertragsnummer: 4711, Tel.: 0221/1897", false},
	{"21650", "Contract nos. 4711, 21 650", true},
	/* the same from its beginning and within, however it is cut */
	{"1646", "Contract no. 7309\nDial in: +1 646 558 8656", false},
	{"6465", "Contract no. 7309\nDial in: +1 646-558-8656", false},
	{"49431", "Contract no. 7309, M +49 431 5588 4410", false},
	{"4471", "Contract no. 7309, portable 06 44 71 20 98", false},
	{"7120", "Contract no. 7309, portable 06 44 71 20 98", false},
	{"0644", "Contract no. 7309, portable 06 44 71 20 98", false},
	{"2098", "Contract no. 7309, portable 06 44 71 20 98", false},
	{"0969", "Service police 09 69 32 44 71 (gratuit)", false},
	{"096932", "Service police 09 69 32 44 71 (gratuit)", false},
	{"4432", "Contract no. 7309\ncall 0171 4432 118", false},
	{"4432", "Contract no. 7309\nwe are at (0171) 4432 118", false},
	/* what only looks so */
	{"0969324471", "contrat 09 69 32 44 71", true},
	{"0969324471", "Contract no. 09 69 32 44 71", true},
	{"0969324471", "Contract no. 7309, 09 69 32 44 71", true},
	{"09693244", "Contract no. 7309, 09 69 32 44 71", true},
	{"0644", "Contract no. 0644 71 2098", true},
	{"4471", "Vertrag 001 4471 20981", true},
	{"4471", "Contract no. 001 4471 20981", true},
	{"4471", "Contract nos. 7309, 06 4471 2098", true},
	{"4471", "Contract no. 7309, 0612 4471 2098", true},
	{"2098", "Contract no. 7309, 0612 4471 2098", true},
	{"0969324471", "Police 09 69 32 44 71", true},
	{"09693244", "Police 09 69 32 44 71", true},
	{"0612", "Police 0612 4471 2098", true},
	{"4471", "Contract no. 7309, 06 4471", true},
	{"4471", "Contract no. 7309, 00 4471 0000", true},
	{"4471", "Contract no. 7309, 01 4471 00093", true},
	{"4471", "Contract no. 7309 and 01 4471 00093", true},
	{"4471", "Vertrags-Nr. 7309 sowie 01 4471 00093", true},
	{"4471", "Contract no. 7309, 4471 2098 061", true},
	{"4471", "Contract no. 7309+4471 2098 061", true},
	{"4471", "Contract no. 7309 +4471 28.11.2026", true},
	{"4471", "Contract no. 7309 +4471\n2098061", true},
	{"4471", "Contract no. 7309 +4471, 2098061", true},
	{"4471", "Contract no. 7309 +4471 +2098061", true},
	{"4471", "Contract no. 7309 +4471  2098061", true},
	{"4471", "Contract nos. (01) 7309 (02) 4471", true},
	{"4471", "Contract no. 7309 (01) 4471", true},
	{"44710", "Contract nos. (01) 7309 (02) 44710", true},
	{"44710", "Contract nos. (01) 7309, (02) 44710", true},
	{"4471", "Contract no. 7309, +49 (0)221 4471", false},
	{"4471", "Contract no. 7309, (0221) 4471", false},
	{"5351234", "Contract no. 7309, (01) 535 1234", false},
	/* of a town, with a street beside it */
	{"12694", "Vertragsnummer: 4711\nHauptstr. 5\n12694 K\xc3\xb6ln", false},
	{"12694", "Vertragsnummer: 4711\nMuster GmbH\nHauptstr. 12-14, 12694 K\xc3\xb6ln", false},
	{"12694", "Vertragsnummer 4711 | Am Markt 5a | 12694 Berlin", false},
	{"12694", "Contract no. 4711\n8 quai Perrache\n12694 Lyon", false},
	{"12694", "Contract no. 4711, C/ Alcal\xc3\xa1 120, 12694 Madrid", false},
	{"12694", "Contract no. 4711\nHusova 1234/56\n126 94 Praha", false},
	{"1897", "Contract no. 4711\n1897 Budapest, F\xc5\x91 utca 3", false},
	{"12694", "Vertragsnummern\n4711 Meyer\n12694 Schulze", true},
	{"12694", "Vertragsnummern: 4711 Meyer, 12694 Schulze", true},
	{"12694", "Vertragsnummern: 4711 vom 1.2.26, 12694 Schulze", true},
	{"12694", "Vertragsnummern: 12694 Schulze, Hauptstr. 5", true},
	{"12694", "Vertragsnummern:\n4711 Meyer, Hauptstr. 5\n12694 Schulze, Seestr. 3", true},
	{"12694", "Vertragsnr.\n4711 Meyer GmbH Rechnung 3\n12694 Schulze GmbH Rechnung 2", true},
	{"12694", "Vertragsnummern: 4711 Tarif Flex 5\n12694 Tarif Basic 8", true},
	{"12694", "Vertragsnummern: 4711 Meyer AG, Hauptstr. 5, 12694 Schulze AG", true},
	{"12694", "Contract numbers\n4711 Meyer, 8 quai Perrache\n12694 Smith", true},
	{"12694", "Vertragsnummern 4711 (Tel. 030 123456) 12694 (Tel. 040 4433)", true},
	{"12694", "Vertragsnummern 4711 Meyer AG 12694 Schulze KG", true},
	{"12694", "Contract numbers 4711 MEYER 12694 SMITH", true},
	{"12694", "Contract numbers: 4711 Meyer 12694 Smith", true},
	{"12694", "Contract number: 4711 branch 12694", false},
	{"12694", "Vertragsnummern: 4711, Tel. 12694", false},
	{"12694", "Contract\tTotal\tZIP\n4711\t110.37\t12694", false},
	{"12694", "Total\tContract\tZIP\n110.37\t12694\t4711", true},
	{"12694", "Total\tContract\tZIP\n110.37\t12694", true},
	/* sums that a word behind the name tells of */
	{"12694", "Contract value 12694 EUR", false},
	{"12694", "Contract value: EUR 12694", false},
	{"12694", "Contract price of EUR 12694", false},
	{"12694", "Vertrag \xc3\xbc""ber 12694 EUR", false},
	{"12694", "Contract total: 12694 USD Due Now", false},
	{"12694", "Contract quantity: 12694 MWh", false},
	{"12694", "Contract total 12694", true},
	{"12694", "Contract number (see total in EUR): 12694", true},
	{"12694", "Contract, page 12694 Euro Trans GmbH", true},
	/* groups of an IBAN; of one whose check digits do not agree nothing is known */
	{"4502", "Vertragsnummer 6202\nIBAN: ES15 2100 0418 4502 0006 5407", false},
	{"5407", "Vertragsnummer 6202\nIBAN: ES15 2100 0418 4502 0006 5407", false},
	{"21000418", "Vertragsnummer 6202\nIBAN: ES15 2100 0418 4502 0006 5407", false},
	{"6000", "Contract no. 4153 IBAN FR18 3000 6000 0100 0112 3597 689 Fees", false},
	{"4502", "Vertragsnummern: 6202, ES15 2100 0418 4502 0006 5408", true},
	{"4502", "Vertragsnummern 2100 0418 4502", true},
	{"5408", "Vertragsnummern ES15 2100 0418 4502 0006 5407 5408", true},
	/* cents behind a comma */
	{"4012", "Vertragsnummer      5547\nBeitrag      40,12", false},
	{"4012", "Contract number\tFee\n5547\t40,12", false},
	{"4012", "Vertrag 40,12", false},
	{"4012", "Vertragsnummer 40-12", true},
	{"4012", "Vertragsnummer 40.12", true},
	{"40012", "Vertragsnummer 40,012", true},
	{"4012", "Contract number,Fee\n4012,12\n", true},
	/* a name with its value beside it heads no column; with a year or a date it may */
	{"4012", "Vertragsnummer      5547\nZone      4012", false},
	{"4012", "Vertragsnummer      2025\n4012      11,20", true},
	{"4012", "Vertragsnummer      31.12.2026\n4012      11,20", true},
	{"4012", "Vertragsnummer      Zone\n4012      11", true},
	{"4012", "Vertragsnummer      NW-44017\nZone      4012", false},
	{"4012", "Vertragsnummer      5547      Tarif      Vario\nZone      4012", false},
	/* heads with figures */
	{"4012", "Vertragsnummer      0-30      31-60\n4012      1,20      0,00", true},
	{"4012", "Vertragsnummer      Q3/2026      Betrag\n4012      1,20      0,00", true},
	{"4012", "Vertragsnummer      Netto19%\n4012      1,20", true},
	{"4012", "Vertragsnummer      01/26\n4012      1,20", true},
	{"4012", "Vertragsnummer      8400      8300\n4012      1,20      0,00", true},
	{"4012", "Vertragsnummer      EUR2026\n4012      1,20", true},
	{"4712", "Contract number\t\n4711\t\n4712\t\n", true},
	{"4712", "Contract number\t\nMeyer\t\n4711\t\nSmith\t\n4712\t\n", true},
	/* the next table has a head of its own; lines of words within one are none */
	{"5512", HEAD "Store\tRoute\tDriver\tStop\tVehicle\n5512\t4471\t10223\t12\t88213\n", false},
	{"5512", HEAD "Store\tRoute\tDriver\tStop\tVehicle\tAgent\n5512\t44\t10\t12\t88\tIda\n",
		false},
	{"4471", HEAD "Store\tContract no.\tDriver\tStop\n5512\t4471\t10223\t12\n", true},
	{"5512", HEAD "Store\tRoute\tDriver\tStop\tVehicle\tAgent\n" HEAD "5512\t1\t2\t3\t4\t5\n",
		true},
	{"5512", HEAD HEAD "5512\t4471\t10223\t1.12.2026\tMeyer\t4410\n", true},
	{"5512", HEAD "n/a\tn/a\tn/a\tn/a\tMeyer\tn/a\n5512\t4471\t10223\t12\t\t88\n", true},
	{"5512", HEAD "unknown\topen\t-\ttoday\tMeyer\tnone\n5512\t4471\t10223\t12\t\t88\n", true},
	{"5512", "Date\tTotal\tOrder\tContract no.\n1.2.26\t12\t61830\t7309\nsoon\tlate\tnone\t\n"
		"1.2.26\t13\t61831\t5512\n",
		true},
	{"5512", HEAD "Branch East\t\t\t\t\t\n5512\t4471\t10223\t12\t\t88\n", true},
	{"5512", HEAD "Total\t\t\t\tMeyer\tnone\n5512\t4471\t10223\t12\t\t88\n", true},
	{"5512", HEAD "unknown\topen\tnone\ttoday\tMeyer\tEast\nsoon\tlate\tIda\tnow\t\t\n5512\t1\t2\t3\t4\t5\n",
		true},
	{"5512", "Contract no.\tName\tTotal\n7309\tWolf\t12\nunknown\tMeyer\topen\n5512\tIda\t3\n", true},
	{"5512", "Contract no.\tOrder\tTotal\tName\n7309\t8\t12\tWolf\n7310\tMeyer\topen\tIda\n5512\tIda\t3\t5\n",
		true},
	{"5512", "Contract no.\tOrder\tTotal\tDate\nVertrag\tAuftrag\tSumme\tDatum\n5512\t1\t3\t5\n", true},
	{"5250", "Contract number\t\nSeats\t\n*6856*\t\n5\t\n$ 250.00\t\n", false},
	{"6856", "Contract number\t\nSeats\t\n*6856*\t\n5\t\n$ 250.00\t\n", true},
	/* zeros that fill it up, where a name says what it is */
	{"5547", "Stromvertragsnummer      0000005547", true},
	{"5547", "0000005547\tStromvertragsnummer\n", true},
	{"5547", "Menge      0000005547", false},
	/* a name below its value, and a sentence before both */
	{"41608", "Wir erlauben uns, Ihnen wie folgt zu berechnen:\n41608\nVertragsnummer\n\n", true},
};

static void test_chances(void)
{
	wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(chances); i++)
		expect_known(chances[i].value, chances[i].text, chances[i].found);
	g_assert_cmpuint(wrong, ==, 0);
}

/* ---- whose number it is, of several in a line ---- */

static const struct {
	const char *text;
	bool found; /* customer 50131 */
} lines[] = {
	{"Customer number: 40711, invoice number: 50131", false},
	{"Customer no.: 40711 | Invoice no.: 50131", false},
	{"Customer ID 40711 Order ID 50131", false},
	{"Customer no. 40711 and Order no. 50131", false},
	{"Customer number 40711 (PO no. 50131)", false},
	{"Customer no. 40711, PO #50131", false},
	{"Customer number: 40711, PO: 50131", false},
	{"Customer number: 40711\tour reference: 50131", false},
	{"Customer ID 40711, Tax ID 50131", false},
	{"Customer number: 40711; VAT no.: 50131", false},
	{"Customer no. 40711, contract no. 50131", false},
	{"Customer no. 40711, meter no.: 50131", false},
	{"Customer number 40711, phone number 50131", false},
	{"Customer no. 40711, your order no. 50131", false},
	{"Customer numbers: 40711; invoice number: 50131", false},
	{"Customer no. 40711 is on invoice no. 50131", false},
	{"Kundennummer: 40711, Rechnungs-Nr.: 50131", false},
	{"Kd.-Nr. 40711 Re.-Nr. 50131", false},
	{"Kd.-Nr. 40711, Ref.-Nr. 50131", false},
	{"Kundennummer\t40711\tBeleg-Nr.\t50131", false},
	{"Kundennummer: 40711 Art.-Nr.: 50131", false},
	{"Kundennummer 40711 R.-Nr. 50131", false},
	{"Kundennummer 40711, Auftr.-Nr. 50131", false},
	{"Kundennr. 40711 Az. 50131", false},
	{"Kundennummer 40711, RE 50131", false},
	{"N\xc2\xb0 client : 40711 - N\xc2\xb0 facture : 50131", false},
	{"N\xc2\xb0 client 40711, facture n\xc2\xb0 50131", false},
	{"N\xc2\xb0 client 40711, commande n\xc2\xb0 50131", false},
	{"Codice cliente: 40711, n. ordine: 50131", false},
	{"Codice cliente 40711, fattura n. 50131", false},
	{"C\xc3\xb3""digo cliente: 40711, n\xc2\xba factura: 50131", false},
	{"C\xc3\xb3""digo de cliente: 40711, n.\xc2\xba da fatura: 50131", false},
	{"Klantnr. 40711 factuurnr. 50131", false},
	{"Nr klienta 40711, nr faktury 50131", false},
	{"Kundenummer: 40711, faktura nr. 50131", false},
	{"Asiakasnumero: 40711, laskun nro: 50131", false},
	{"Cod client: 40711, factura nr. 50131", false},
	{"M\xc3\xbc\xc5\x9fteri no: 40711, fatura no: 50131", false},
	/* keys of programs */
	{"{\"kundennummer\": 40711, \"menge\": 50131}", false},
	{"{\"kundennummer\": \"40711\", \"stand\": \"50131\"}", false},
	{"{'kundennummer': 40711, 'betrag': 50131}", false},
	{"kundennummer=40711 menge=50131", false},
	{"kundennummer=40711;menge=50131", false},
	{"{\"kundennummer\": [40711, 50131]}", true},
	{"{\"kundennummern\": [\"40711\", \"50131\"]}", true},
	{"{\"kundennummer\": 40711, \"neu\": 50131}", true},
	/* of accounts at a bank */
	{"Konto 50131, BLZ 700 500 00", false},
	{"Konto 50131 / BLZ 70050000", false},
	{"Kto.-Nr. 50131 bei der Sparkasse, BLZ 70050000", false},
	{"BLZ 70050000 Konto 50131", false},
	{"Account number 50131 Sort code 60-16-13", false},
	{"Sort code: 60-16-13 Account: 50131", false},
	{"Bank account: 50131 (BIC NOLADE21XXX)", false},
	{"Konto 50131\nBLZ 70050000", true},
	{"Konto 50131, Kundenservice 70050000", true},
	{"Kundennummer 50131, BLZ 70050000", true},
	{"Kundenkonto 50131 BLZ 70050000", true},
	{"Account number 50131", true},
	/* by the same name, by none, or by what may be one */
	{"Customer number (please quote on payment): 50131", true},
	{"Kundennummer / Customer No.: 50131", true},
	{"Customer number, as on your invoice: 50131", true},
	{"Customer no. and invoice: 50131", true},
	{"Customer no. as on invoice no. 50131", true},
	{"Kundennummer: siehe Rechnung Nr. 50131", true},
	{"Your customer number with us is 50131", true},
	{"Customer number / Invoice number: 50131 / 40712", true},
	{"Kundennummern: 40711, 50131, 50132", true},
	{"Customer no. 40711, no. 50131", true},
	{"Customer no. 40711, new no. 50131", true},
	{"Customer number: 40711, old number: 50131", true},
	{"Customer number 40711 (formerly no. 50131)", true},
	{"Customer number: 40711 or number 50131", true},
	{"Customer no. 40711 (Meyer), no. 50131 (Weber)", true},
	{"Customer no. 40711 Smith No. 50131 Jones", true},
	{"Customer no. UK: 40711, US: 50131", true},
	{"Kundennummer Strom: 40711, Gas: 50131", true},
	{"Kundennr. Strom Nr. 40711, Gas Nr. 50131", true},
	{"Kundennr. 40711 Meyer Nr. 50131 Weber", true},
	{"Customer no. 40711, invoice for no. 50131", true},
	{"Customer number 40711 replaces number 50131", true},
	{"Kundennummer 40711, ersetzt Nr. 50131", true},
	{"Customer number: 40711, machine no. 50131", false},
	{"Customer number: 40711, driver no. 50131", false},
	{"Customer no. 40711, employee no.: 50131", false},
	{"Customer no. 40711 Terminal No. 50131", false},
	{"Kundennr. 40711, Sachbearbeiter-Nr. 50131", false},
	{"Kundennr. 40711, Lager-Nr. 50131", false},
	{"Kundennr. 40711 Kassen-Nr. 50131 Bon-Nr. 50131", false},
	{"Kundennr. 40711 Seite-Nr. 50131", false},
	{"NÂ° client 40711, caisse nÂ° 50131", false},
	{"NÂ° client 40711, entrepÃ´t nÂ° 50131", false},
	{"Codice cliente 40711, lotto n. 50131", false},
	{"Klantnummer 40711, kassa nr. 50131", false},
	/* words between accounts, and for what was or will be: it may be the kind's */
	{"Kundennummer: 40711, Haupt-Nr. 50131", true},
	{"Kundennummer: 40711, Konzern-Nr. 50131", true},
	{"Kundennummer: 40711, Filial-Nr.: 50131", true},
	{"Customer number: 40711, Parent no. 50131", true},
	{"Customer number: 40711, group no.: 50131", true},
	{"Kundennummer: 40711, jetzt Nr. 50131", true},
	{"Kundennummer: 40711, k\u00fcnftig Nr. 50131", true},
	{"Customer no. 40711, account no. 50131", true},
	{"Customer no. 40711, member no. 50131", true},
	{"Customer no. 40711, your ref: 50131", true},
	{"Customer no. 40711, contract account 50131", true},
	{"Invoice no. 88 for customer no. 50131", true},
	{"Customer nos. 40711 AND NO. 50131", true},
	{"Kundennummern 40711 UND NR. 50131", true},
	{"Kundennummer: 40711, neue Nr. 50131", true},
	{"Kundennummer: 40711, neu: 50131", true},
	{"Kundennummer 40711, bisher: 50131", true},
	{"Kundennummer: 40711, alte Nummer 50131", true},
	{"Kundennummer 40711, fr\xc3\xbc""here 50131", true},
	{"Kundennummer: 40711 (Nr. 50131)", true},
	{"Kd.-Nr. 40711, Debitoren-Nr. 50131", true},
	{"Kd.-Nr. 40711, Hauptkunden-Nr. 50131", true},
	{"Kundennummer\tName\n40711\tMeyer\n50131\tWeber", true},
	{"Customer no.\tInvoice no.\n40711\t88\n50131\t89", true},
	{"N\xc2\xb0 client 40711, ancien n\xc2\xb0 50131", true},
	{"N\xc2\xb0 client 40711, n\xc2\xb0 50131", true},
	{"Codice cliente 40711, nuovo n. 50131", true},
	{"Klantnummer 40711, oud nummer 50131", true},
	{"Nr klienta 40711, stary nr 50131", true},
	{"Kundennr. 40711 (vorher 50131)", true},
	{"Nr klienta 40711 (poprzednio 50131)", true},
	{"N\xc2\xb0 client 40711 (anciennement 50131)", true},
	{"C\xc3\xb3""digo de cliente 40711 (antes 50131)", true},
	{"Klantnummer 40711 (voorheen 50131)", true},
	{"Asiakasnumero 40711 (aiemmin 50131)", true},
	{"V\xc3\xa1s z\xc3\xa1kaznick\xc3\xa9 \xc4\x8d\xc3\xadslo 40711 (d\xc5\x99\xc3\xadve 50131)", true},
	{"\xc4\x8c\xc3\xadslo z\xc3\xa1kazn\xc3\xadka: 40711 (d\xc5\x99\xc3\xadve 50131)", true},
};

static void expect_customer(const char *value, guint more, const char *text, bool found)
{
	expect_of("customer-number", "customer-number", value, more, text, found);
}

static void test_lines(void)
{
	wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
		expect_customer("50131", 0, lines[i].text, lines[i].found);
	g_assert_cmpuint(wrong, ==, 0);
}

/* ---- units, and names that begin as they do ---- */

static const char *const called[] = {"P. Weber", "Days Inn", "Day & Night Ltd",
	"St\303\274ck GmbH", "PC Service GmbH", "GB Logistics", "Min Yoon", "Tage KG",
	"Personen GmbH", "Points Ltd", "Euro Trans GmbH", "Dollar General", "Hz Elektro",
	"Uhr Center", "Prozent AG", "EUR-Trans", "KW & Stahl"};
static const char *const counted[] = {"days", "Tage", "GB", "GB.", "GB, Berlin", "kWh Strom", "EUR",
	"EUR (net)", "EUR Brutto", "USD Total Due", "EUR Inkl. MwSt.", "CHF Saldo", "SEK Moms",
	"EUR TTC", "Euro Per Year", "Euro", "users in Berlin", "St\303\274ck.", "pcs", "%", "kg Stahl"};

static void test_units(void)
{
	static const char *const customers[] = {"Kunde", "customer"};
	wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(customers); i++) {
		for (gsize k = 0; k < G_N_ELEMENTS(called); k++) {
			g_autofree char *text = g_strdup_printf(
				"%s 50131 %s", customers[i], called[k]);
			expect_customer("50131", 0, text, true);
		}
		for (gsize k = 0; k < G_N_ELEMENTS(counted); k++) {
			g_autofree char *text = g_strdup_printf(
				"%s 50131 %s", customers[i], counted[k]);
			expect_customer("50131", 0, text, false);
		}
	}
	g_assert_cmpuint(wrong, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/figures/amounts", test_amounts);
	g_test_add_func("/figures/figures", test_figures);
	g_test_add_func("/figures/identifiers", test_identifiers);
	g_test_add_func("/figures/asked", test_asked);
	g_test_add_func("/figures/known", test_known);
	g_test_add_func("/figures/chances", test_chances);
	g_test_add_func("/figures/lines", test_lines);
	g_test_add_func("/figures/units", test_units);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
