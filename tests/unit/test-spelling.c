/*
 * What the directory knows, as programs write it: within links, behind labels in one word, with
 * zeros in front, without its country, in interchange formats.  Each row is a mail of which is said
 * whose numbers are found in it; what is like one and is none stands beside.
 */
#include "config.h"

#include "missent/compact.h"
#include "missent/detect.h"
#include "missent/filter.h"
#include "missent/message.h"

#include "../test.h"

static MsKinds *kinds;
static MsFilter *filter;
static const guint8 key[MS_FILTER_KEY_BYTES] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const struct {
	char letter;
	const char *kind, *text;
} directory[] = {
	{'a', "customer-number", "73041958"},
	{'b', "customer-number", "5927"},
	{'c', "customer-number", "0000618302"},
	{'d', "invoice-number", "20261104417"},
	{'e', "invoice-number", "FV-2026-0913"},
	{'f', "subscription-id", "5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a79"},
	{'g', "iban", "DE44500105175407324931"},
	{'h', "iban", "FR1420041010050500013M02606"},
	{'i', "iban", "PL61109010140000071219812874"},
	{'j', "iban", "NO9386011117947"},
	{'k', "vat-id", "DE136695976"},
	{'l', "vat-id", "BE0428759497"},
	{'m', "email", "kasse@nordwind.example"},
	{'n', "customer-number", "0817344"},
	{'o', "customer-number", "NW-44017"},
	{'p', "billing-address", "〒530-0091 大阪府大阪市北区梅田8-3-1"},
	{'q', "billing-address", "〒450-0002 愛知県 名古屋市 中村区 名駅4丁目7番"},
	{'r', "billing-address", "Villa Azul, Jinotepe, Zona 14"},
	{'t', "billing-address", "418 Seventh Avenue, Suite 12, New York, NY 10119, US"},
	{'u', "contract-number", "44718"},
	{'v', "order-number", "60233"},
	{'w', "iban", "GB29NWBK60161331926819"},
	{'x', "iban", "CZ6508000000192000145399"},
	{'y', "iban", "DK5000400440116243"},
	{'z', "iban", "IT60X0542811101000000123456"},
	{'A', "iban", "AT611904300234573201"},
	{'B', "iban", "CH9300762011623852957"},
	{'C', "iban", "ES9121000418450200051332"},
	{'D', "iban", "SE4550000000058398257466"},
	{'E', "iban", "HU42117730161111101800000000"},
	{'F', "iban", "SK3112000000198742637541"},
	{'G', "vat-id", "NO995525828MVA"},
	{'H', "vat-id", "NL004495445B01"},
	{'I', "vat-id", "FR40303265045"},
	{'J', "vat-id", "IT00743110157"},
	{'K', "company-registration", "00445790"},
	{'L', "tax-id", "7000012050002"},
	{'M', "vat-id", "HU12892312"},
	{'N', "vat-id", "EL094259216"},
	{'O', "invoice-number", "FX26-5512"},
	{'P', "customer-number", "ACC0048213"},
	{'Q', "customer-number", "482913"},
	{'R', "tax-id", "11222333000181"},
	{'S', "phone", "+34912345678"},
	{'T', "phone", "+4532123456"},
	{'U', "email", "joern.kasse@gmail.com"},
	{'V', "email", "anna@googlemail.com"},
	{'W', "billing-address", "12 rue des Lilas, 69003 Lyon, FR"},
	{'s', "billing-address", "北京市朝阳区建国路88号 100022"},
	{'X', "customer-number", "GX7781"},
	{'Y', "customer-number", "B77813"},
	{'Z', "invoice-number", "GX7781/26-4"},
	{'1', "invoice-number", "99617720"},
	{'4', "customer-number", "9961772"},
	{'2', "invoice-number", "10400751"},
	{'3', "customer-number", "10400751"},
};

/* ---- the directory -------------------------------------------------------------------- */

static void add_mark(GArray *marks, const char *kind, const char *compact)
{
	MsMark mark;
	if (compact != NULL && ms_mark_make(key, kind, compact, strlen(compact), &mark))
		g_array_append_val(marks, mark);
}

static char *canonical_of(gsize row, const MsKind **kind_out)
{
	const char *why;
	*kind_out = ms_kinds_find(kinds, directory[row].kind);
	char *value = ms_kind_canonical(
		*kind_out, directory[row].text, strlen(directory[row].text), &why);
	g_assert_nonnull(value);
	return value;
}

static GBytes *image(void)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (gsize i = 0; i < G_N_ELEMENTS(directory); i++) {
		const MsKind *kind;
		g_autofree char *value = canonical_of(i, &kind);
		g_autofree char *compact = ms_compact_of(value, strlen(value));
		add_mark(marks, kind->name, compact);
		g_autoptr(GPtrArray) forms = ms_kind_stored_forms(
			kind, value, directory[i].text, strlen(directory[i].text));
		for (guint f = 0; f < forms->len; f++)
			add_mark(marks, kind->name, ((MsOtherForm *)forms->pdata[f])->compact);
	}
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

static bool share_a_key(const GPtrArray *stored, const GPtrArray *asked)
{
	for (guint i = 0; i < stored->len; i++)
		for (guint k = 0; k < asked->len; k++)
			if (g_strcmp0(((MsOtherForm *)stored->pdata[i])->key,
				    ((MsOtherForm *)asked->pdata[k])->key) == 0)
				return true;
	return false;
}

static bool is_row(const MsFinding *f, gsize row)
{
	const MsKind *kind, *found = ms_kinds_find(kinds, f->kind);
	g_autofree char *value = canonical_of(row, &kind);
	if (strcmp(f->kind, directory[row].kind) == 0 && strcmp(f->value, value) == 0)
		return true;
	g_autoptr(GPtrArray) stored = ms_kind_stored_forms(
		kind, value, directory[row].text, strlen(directory[row].text));
	g_autoptr(GPtrArray) asked = ms_kind_asked_forms(found, f->value);
	return share_a_key(stored, asked);
}

/* ---- one mail ------------------------------------------------------------------------- */

static void on_span(const MsSpan *span, void *user)
{
	const MsFilters filters = {{filter, NULL}, true};
	const MsMessageSink *sink = user;
	ms_detect(kinds, &filters, span, sink->budget, sink->reading);
}

static MsReading *read_mail(const char *mail)
{
	gsize len = strlen(mail);
	char *input = exact_copy(mail, len);
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	limits.milliseconds *= 10; /* other tests compute too */
	ms_budget_init(&budget, &limits);
	MsReading *reading = ms_reading_new();
	MsMessageSink sink = {.budget = &budget, .reading = reading, .span = on_span};
	sink.user = &sink;
	ms_message_read((guint8 *)input, len, &sink);
	free(input);
	return reading;
}

/* The letters of all that is found, in their order. */
static char *found_in(const char *mail)
{
	g_autoptr(MsReading) reading = read_mail(mail);
	GString *out = g_string_new(NULL);
	for (gsize row = 0; row < G_N_ELEMENTS(directory); row++) {
		bool found = false;
		for (guint i = 0; i < reading->findings->len && !found; i++) {
			const MsFinding *f = reading->findings->pdata[i];
			found = (f->belief & MS_BELIEF_GUESS) == 0 && is_row(f, row);
		}
		if (found)
			g_string_append_c(out, directory[row].letter);
	}
	for (guint i = 0; i < reading->unread->len; i++)
		g_string_append_c(out, '!');
	return g_string_free(out, FALSE);
}

typedef struct {
	const char *text, *want;
} Row;

static void try_rows(const char *head, const Row *rows, gsize n)
{
	guint wrong = 0;
	for (gsize i = 0; i < n; i++) {
		g_autofree char *mail = g_strconcat(head, rows[i].text, "\n", NULL);
		g_autofree char *found = found_in(mail);
		if (strcmp(found, rows[i].want) == 0)
			continue;
		g_printerr("%s: found \"%s\", want \"%s\"\n", rows[i].text, found, rows[i].want);
		wrong++;
	}
	g_assert_cmpuint(wrong, ==, 0);
}

#define PLAIN "Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"
#define HTML "Subject: x\nContent-Type: text/html; charset=utf-8\n\n"

/* ---- where a number ends -------------------------------------------------------------- */

static void test_marks(void)
{
	static const Row rows[] = {
		{"Re.\nNr.73041958 of ours", "a"},
		{"No.20261104417", "d"},
		{"\xe2\x84\x96" "73041958", "a"},
		{"id=73041958", "a"},
		{"a=1&c=73041958&d=2", "a"},
		{"NAD+73041958+9'", "a"},
		{"it is C#73041958#", "a"},
		{"73041958.0;1.0", "a"},
		{"see 73041958.pdf", "a"},
		{"20261104417-01", "d"},
		{"20261104417/2 of 3", "d"},
		{"x_20261104417_v2", "d"},
		{"73041958,2026-11-27,12.00", "a"},
		{"2026-11-27,73041958,x", "a"},
		{"73041958,12.50,3", "a"},
		{"4711,73041958,x", "a"},
		/* parts of other numbers */
		{"INV-73041958", ""},
		{"73041958-1", ""},
		{"73041958/2026", ""},
		{"1.73041958", ""},
		{"73041958,50", ""},
		{"73041958.00", ""},
		{"1,73041958", ""},
		{"73041958,5", ""},
		{"73041958,50 EUR", ""},
		{"73041958,500.", ""},
		{"x73041958", ""},
		{"73041958x", ""},
		{"20261104417-2026", ""},
		{"K-20261104417", ""},
		{"www.73041958.example", ""},
		{"73041958@mail.example", ""},
		{"no.1.73041958", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- zeros ---------------------------------------------------------------------------- */

static void test_zeros(void)
{
	static const Row rows[] = {
		{"0073041958", "a"},
		{"000000073041958", "a"},
		{"Kundennummer: 0073041958", "a"},
		{"Kundennummer: 618302", "c"},
		{"Kundennummer: 00618302", "c"},
		{"0000618302", "c"},
		{"Kundennummer 817344", "n"},
		{"Kundennummer 000817344", "n"},
		{"4711;7.3041958E7;x", "a"},
		{"7.3041958e+07", "a"},
		{"7,3041958E+07", "a"},
		{"7.3041958E7;12", "a"}, /* whatever number comes next */
		{"4711;7.3041958E+07;4711\n", "a"},
		{"{\"no\":2.0261104417E10}", "d"},
		{"7.3041958E6", ""},
		{"7.3041958E8", ""},
		{"17.3041958E7", ""},
		{"7.3041958E", ""},
		{"7.3041958E7x", ""},
		/* behind letters */
		{"ACC-48213", "P"},
		{"Acc. 48213", "P"},
		{"ACC48213", "P"},
		{"ACC 0048213", "P"},
		{"ACC48214", ""},
		{"BCC48213", ""},
		/* too short without a label, part of another number, or of another one */
		{"618302", ""},
		{"00618302", ""},
		{"0073041958-12", ""},
		{"0730419580", ""},
		{"00005927", ""},
		{"Kundennummer: 5927", "b"},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- a label and its value in one word ------------------------------------------------- */

static void test_within(void)
{
	static const Row rows[] = {
		{"KdNr73041958", "a"},
		{"kundennummer5927", "b"},
		{"CUSTNO5927", "b"},
		{"RG20261104417", "d"},
		{"InvoiceFV-2026-0913", "e"},
		{"RGFV-2026-0913.pdf", "e"},
		{"IBANDE44500105175407324931", "g"},
		{"IBANDE44 5001 0517 5407 3249 31", "g"},
		{"IBAN+DE44500105175407324931BIC+X", "g"},
		{":86:166?00X?31DE44500105175407324931?32MAX", "g"},
		{"UStIdNrDE136695976", "k"},
		{"Kundennummern5927", "b"},
		/* no label, of another kind, or longer */
		{"AB20261104417", ""},
		{"XY5927", ""},
		{"id5927", ""},
		{"KdNr59271", ""},
		{"RG5927", ""},
		{"Kundennummerei5927", ""},
		{"DE4450010517540732493", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- names beside values --------------------------------------------------------------- */

static void test_pairs(void)
{
	static const Row rows[] = {
		{"KdNr: 5927", "b"},
		{"Kdnr.: 5927", "b"},
		{"Debitoren-Nr: 5927", "b"},
		{"Kunden Nr.: 5927", "b"},
		{"customer_no=5927", "b"},
		{"  acctno = 5927", "b"},
		{"\"customerNumber\": \"5927\",", "b"},
		{"x: 1, cust-id: 5927, y: 2", "b"},
		{"Kunden-\nnummer: 5927", "b"},
		{"Kunden-\nnummer 5927", "b"},
		/* of many; misspelt */
		{"Kundennummern: 5927", "b"},
		{"Kundennummern: 4711, 5927", "b"},
		{"Customer numbers 4711 and 5927", "b"},
		{"N\xc3\xbameros de cliente 4711, 5927", "b"},
		{"Kundennumer: 5927", "b"},
		{"Kundennumemr 5927", "b"},
		{"Kudennummer: 5927", "b"},
		{"Customr number: 5927", "b"},
		{"Custmer no. 5927", "b"},
		{"Customer numberr 5927", "b"},
		{"Klantnumer 5927", "b"},
		{"Numer kleinta: 5927", "b"},
		{"{\"kundennumer\":\"5927\"}", "b"},
		/* "the number" and "your number" as one word, or "your" behind it */
		{"kundnumret 5927", "b"},
		{"kundnummeret: 5927", "b"},
		{"Asiakasnumeronne on 5927", "b"},
		{"asiakasnumerosi: 5927", "b"},
		{"az \xc3\x96n \xc3\xbcgyf\xc3\xa9lsz\xc3\xa1ma: 5927", "b"},
		{"Vev\xc5\x91k\xc3\xb3" "dja: 5927", "b"},
		{"\xc3\xbcgyf\xc3\xa9lazonos\xc3\xadt\xc3\xb3ja 5927", "b"},
		{"szerz\xc5\x91" "d\xc3\xa9ssz\xc3\xa1ma 44718", "u"},
		{"m\xc3\xbc\xc5\x9fteri numaran\xc4\xb1z 5927", "b"},
		{"m\xc3\xbc\xc5\x9fteri kodunuz: 5927", "b"},
		{"κωδικός πελάτη σας είναι 5927", "b"},
		{"Ο αριθμός πελάτη σας: 5927", "b"},
		{"Votre compte client porte le num\xc3\xa9ro 5927", "b"},
		{"Ihr Vertrag tr\xc3\xa4gt die Nummer 44718", "u"},
		{"numaran\xc4\xb1z 5927", ""},
		{"Das Produkt tr\xc3\xa4gt die Nummer 5927", ""},
		/* a compound is a number of what its end names */
		{"Ihre Mobilfunkkundennummer: 5927", "b"},
		{"zur Stromvertragsnummer 44718 vom 3. Mai", "u"},
		{"Energiecontractnummer: 44718", "u"},
		{"\"leasingVertragsnummer\": \"44718\"", "u"},
		{"Leasingvertragsnr. 44718", "u"},
		{"Hausnummer: 44718", ""},
		/* words of a name with nothing between them, as columns of databases are called */
		{"CODCLIENTE: 5927", "b"},
		{"<TipoDato>CODCLI</TipoDato><RiferimentoTesto>5927</RiferimentoTesto>", "b"},
		{"numcliente: 5927", "b"},
		{"NCLIENTE=5927", "b"},
		{"custid: 5927", "b"},
		{"CLIENTNUM: 5927", "b"},
		{"IDKLIENTA: 5927", "b"},
		{"CISLOZAKAZNIKA: 5927", "b"},
		{"\"cd_cliente\":5927", "b"},
		{"NUMCONTRATO: 44718", "u"},
		{"contractid=44718", "u"},
		{"CODFOURNISSEUR: 5927", ""},
		{"itemid: 5927", ""},
		{"Accident: 5927", ""},
		{"opcode: 5927", ""},
		{"Notag: 5927", ""},
		/* German columns, which are ASCII */
		{"KAEUFERNR: 5927", "b"},
		{"Rechnungsempfaenger-Nr: 5927", "b"},
		{"Geschaeftspartner: 5927", "b"},
		{"KUNDENSCHLUESSEL: 5927", "b"},
		{"Haeufigkeit: 5927", ""},
		{"Ihre Kundendiensthotlinenummer: 5927", ""},
		{"Kudnenummre: 5927", ""},
		{"Kundig: 5927", ""},
		/* one mailbox, whatever its dots and domain */
		{"j.oernkasse@gmail.com", "U"},
		{"JoernKasse+1@GoogleMail.com", "U"},
		{"a.nna@gmail.com", "V"},
		{"k.asse@nordwind.example", ""},
		{"anna.j@gmail.com", ""},
		/* of another name, or none */
		{"order total: 5927", ""},
		{"at 12:5927", ""},
		{"note: KdNr see 5927", ""},
		/* a telephone number */
		{"+49 171 73041958", ""},
		{"Mobil: +43 (0)664 73041958", ""},
		{"KdNr: 1 and later a sum of more than that, 5927", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* Known values of few characters with letters among them, beside the marks that programs, sites
 * and people set, as numbers of as many digits are found beside them, and what goes on behind such
 * a mark. */
static void test_codes(void)
{
	static const Row texts[] = {
		{"id=GX7781", "X"},
		{"id=GX7781&x=1", "X"},
		{"a=GX7781&b=2", "X"},
		{"BY+GX7781:", "X"},
		{"UNB'NAD+BY+GX7781::91'", "X"},
		{"GX7781+1", "X"},
		{"ticket#GX7781", "X"},
		{"\\\\files\\GX7781\\letters", "X"},
		{"Ref.GX7781", "X"},
		{"No.GX7781, open", "X"},
		{"Nr-GX7781", "X"},
		{"GX7781.Bitte zahlen", "X"},
		{"thanks,GX7781,Meier", "X"},
		{"GX7781/GX7781", "X"},
		{"Transfer GX7781/NW-44017", "oX"},
		{"2026/GX7781", "X"},
		{"GX7781/1", "X"},
		{"GX7781-1", "X"},
		{"GX7781-Meier", "X"},
		{"GX7781-Müller", "X"},
		{"GX7781_Meier", "X"},
		{"scan_GX7781_2026", "X"},
		{"gx7781_open items", "X"},
		{"B77813/Meier", "Y"},
		{"id=B77813", "Y"},
		{"https://portal.seller.example/pay?id=GX7781", "X"},
		{"https://portal.seller.example/pay?id=GX7781&lang=de", "X"},
		{"https://portal.seller.example/c/GX7781", "X"},
		{"https://portal.seller.example/customers/GX7781/bills", "X"},
		{"<https://cdn.example/GX7781.pdf>", "X"},
		{"www.seller.example/#GX7781", "X"},
		/* a longer number, word or name */
		{"INV-GX7781", ""},
		{"2026-GX7781", ""},
		{"GX7781-2026", ""},
		{"GX7781-X4471", ""},
		{"GX7781.5513", ""},
		{"gx7781.hosting.example", ""},
		{"GX7781@mail.example", ""},
		{"XGX7781", ""},
		{"GX77813/1", ""},
		{"AGX7781=1", ""},
		/* ... that is known */
		{"GX7781/26-4", "Z"},
		{"id=GX7781/26-4", "Z"},
		/* what sites count with is in letters up to F, too */
		{"https://cdn.example/a/b77813", ""},
		{"https://cdn.example/?v=b77813&c=1", ""},
		{"<b77813.1@mail.example>", ""},
		{"https://cdn.example/a-GX7781-b/x", ""},
		{"https://cdn.example/xGX7781y", ""},
	};
	try_rows(PLAIN, texts, G_N_ELEMENTS(texts));
}

/* What people and programs glue to a number when they name a file, and what is none of them. */
static void test_glued(void)
{
	static const Row texts[] = {
		{"FV-2026-0913R1", "e"},
		{"FV20260913v2", "e"},
		{"see 2026FV-2026-0913copy of it", "e"},
		{"DE136695976v1", "k"},
		{"XNW-44017v2", ""},
		{"x73041958", ""},
		{"20261104417A", ""},
		{"a7FV20260913b8c9", ""}, /* of many pieces: made at random */
		{"FV-2026-09131", ""},
		{"1FV-2026-09134x", ""},
		/* in groups, as forms have them, with the next label behind the last */
		{"FV 2026 0913vom 3. Mai", "e"},
		{"Rechnung FV 2026 0913Datum: 3. Mai", "e"},
		{"IBAN: DE44 5001 0517 5407 3249 31BIC: INGDDEFF", "g"},
		{"DE44 5001 0517 5407 3249 31bei der Bank", "g"},
		{"DE44-5001-0517-5407-3249-31X", "g"},
		{"Seite 2DE44 5001 0517 5407 3249 31bei", "g"},
		{"FR14 2004 1010 0505 0001 3M02 606Titulaire", "h"},
		{"NO93 8601 1117 947Kontoinhaber", "j"},
		{"DE 136 695 976Bank", "k"},
		{"BE 0428.759.497RPM Bruxelles", "l"},
		{"5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a79seit Mai", "f"},
		{"Abo5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a79", "f"},
		{"FV 2026 09131Datum", ""},
		{"5C0E7A31-9D24-4B86-A1F7-2E3D4C5B6A79FROM", "f"},
		{"x5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a799", "f"},
		{"5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a", ""},
		{"NW 44017Datum", ""}, /* short */
		{"DE44 5001 0517 5407 3249 32BIC", ""},
		{"7304 1958vom", ""}, /* digits alone may be anything */
		{"NW\n44017Datum", ""},
		/* the name of a document, in a sentence as well */
		{"see INV73041958.pdf.", "a"},
		{"73041958R1.xml", "a"},
		{"73041958_final.docx", "a"},
		{"INV-73041958(1).pdf", "a"},
		{"NW-44017v2.pdf", "o"},
		{"https://t.example/dl/20261104417a.pdf", "d"},
		{"img/x73041958.png", ""},
		{"AB73041958.pdf", ""},
		{"x73041958 and a.pdf", ""},
		{"x73041958. pdf", ""},
	};
	try_rows(PLAIN, texts, G_N_ELEMENTS(texts));
	static const Row names[] = {
		{"FV-2026-0913R1.txt", "e"},
		{"FV-2026-0913v2", "e"},
		{"FV_2026_0913EN.txt", "e"},
		{"2026-11-27 FV-2026-0913(1).txt", "e"},
		{"73041958R1.txt", "a"},
		{"73041958a.txt", "a"},
		{"X73041958.txt", ""},
		{"INV73041958v2.txt", "a"},
		{"2026112773041958.txt", "a"},
		{"7304195820261127.txt", "a"},
		{"7304_1958.txt", "a"},
		{"730-41958.txt", "a"},
		{"NW-44017v2.txt", "o"},
		{"NW44017signed.txt", "o"},
		{"kasse_nordwind.example.txt", "m"},
		{"5927R1.txt", ""},
		{"173041958.txt", ""},
		{"730419581v2.txt", ""},
		{"7304_19581.txt", ""},
		{"XNW-44017v2.txt", ""},
		{"5c0e7a319d244b86.txt", ""},
	};
	guint wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *mail = g_strdup_printf("Subject: x\nContent-Type: text/plain\n"
			"Content-Disposition: attachment; filename=\"%s\"\n\nx\n", names[i].text);
		g_autofree char *found = found_in(mail);
		if (strcmp(found, names[i].want) != 0)
			g_printerr("%s: found \"%s\", want \"%s\"\n", names[i].text, found,
				names[i].want);
		wrong += strcmp(found, names[i].want) != 0;
	}
	g_assert_cmpuint(wrong, ==, 0);
}

/* Links to the sender's own site, its addresses, and the names that its programs gave mails. */
static void test_own(void)
{
	static const Row rows[] = {
		{"https://seller.example/i/73041958", "a"},
		{"https://pay.seller.example/?k=73041958&x=1", "a"},
		{"https://seller.example/dl/73041958_a-1", "a"},
		{"mailto:billing+73041958@seller.example?subject=x", "a"},
		{"bounce-73041958=x@mail.seller.example", "a"},
		{"73041958@Seller.Example", "a"},
		/* of others, or only like it, too short, a date */
		{"https://t.example/i/73041958", ""},
		{"https://t.example/seller.example/73041958", ""},
		{"https://notseller.example/i/73041958", ""},
		{"https://seller.example.net/i/73041958", ""},
		{"bounce-73041958@seller.example.net", ""},
		{"https://seller.example/customers/5927/invoices", "b"},
		{"https://t.example/customers/5927/invoices", ""},
		{"https://seller.example/?a=1&customer_id=5927", "b"},
		{"https://t.example/?a=1&customer_id=5927", ""},
		{"https://seller.example/?customer_id=59", ""},
		{"https://seller.example/pages/5927/", ""},
		/* in a link that a gateway has put into its own */
		{"https://urldefense.proofpoint.com/v2/url?u=https-3A__t.example_u-3Fe-3Dkasse-2540"
		 "nordwind.example&d=DwMF", "m"},
		{"https://urldefense.proofpoint.com/v2/url?u=https-3A__t.example_FV-2D2026-2D0913&d=D", "e"},
		{"https://urldefense.proofpoint.com/v2/url?u=https-3A__t.example_a-2Db_&d=DwMF", ""},
		/* with blanks as a form sends them */
		{"https://t.example/?q=12+rue+des+Lilas,+69003+Lyon", "W"},
		{"https://t.example/?z=1&q=12+rue+des+Lilas%2c+69003+Lyon&x", "W"},
		{"https://t.example/place/12+rue+des+Lilas,+69003+Lyon/@45.7,4.8", "W"},
		{"https://t.example/?street=12+rue+des+Lilas&zip=69003&city=Lyon", "W"},
		{"https://t.example/?street=12%20rue%20des%20Lilas&zip=69003&city=Lyon", "W"},
		{"https://t.example/?u=https%3A%2F%2Fm.example%2F%3Fq%3D12%2Brue%2Bdes%2BLilas,"
		 "%2B69003%2BLyon", "W"},
		{"https://t.example/?q=13+rue+des+Lilas,+69003+Lyon", ""},
		{"https://t.example/?q=12+rue+des+Lilas,+69004+Lyon", ""},
		{"https://seller.example/i/0817344", ""},
		{"https://seller.example/i/x73041958", ""},
		{"https://seller.example/i/173041958", ""},
	};
	try_rows("From: Billing <Billing@Mail.Seller.example>\n" PLAIN, rows, G_N_ELEMENTS(rows));
	static const Row heads[] = {
		{"Message-ID: <73041958.1@seller.example>\n", "a"},
		{"Message-ID: <invoice-FV-2026-0913@erp.seller.example>\n", "e"},
		{"In-Reply-To: <20261126100000.73041958.billing@seller.example>\n", "a"},
		{"References: <a@b.example>\n <c@seller.example> <20261104417@seller.example>\n", "d"},
		{"Return-Path: <bounce-kasse=nordwind.example@seller.example>\n", "m"},
		{"Content-ID: <logo.73041958@seller.example>\n", "a"},
		{"List-Unsubscribe: <https://seller.example/u/73041958>\n", "a"},
		{"Reply-To: billing+73041958@seller.example\n", "a"},
		/* of other domains, whose names are those who wrote before */
		{"Message-ID: <FV-2026-0913@b.example>\n", ""},
		{"References: <kasse@nordwind.example> <FV-2026-0913@notseller.example>\n", ""},
		{"Message-ID: <1.730419581@seller.example>\n", ""},
		{"Message-ID: <c73041958@seller.example>\n", ""},
		{"Reply-To: billing+73041958@b.example\n", ""},
	};
	try_rows("From: billing@seller.example\n", heads, G_N_ELEMENTS(heads));
	static const Row hosts[] = {
		{"Message-ID: <73041958@erp.seller.co.uk>\n", "a"},
		{"Message-ID: <73041958@other.co.uk>\n", ""},
	};
	try_rows("From: billing@mail.seller.co.uk\n", hosts, G_N_ELEMENTS(hosts));
	static const Row nobody[] = {{"Message-ID: <73041958@seller.example>\n", ""},
		{"From: billing\nMessage-ID: <73041958@seller.example>\n", ""}};
	try_rows("", nobody, G_N_ELEMENTS(nobody));
}

/* Letters that the directory leaves out, before or behind a number that is said to be one. */
static void test_lettered(void)
{
	static const Row rows[] = {
		{"Kundennummer: D73041958", "a"},
		{"Kundennummer\nCL73041958", "a"},
		{"Kundennummer: 73041958A", "a"},
		{"Your customer no. K482913 is new", "Q"},
		{"Rechnung Nr. R20261104417 vom 1.11.2026", "d"},
		{"Kundennummer ID482913", "Q"},
		{"Bitte Nr73041958 angeben", "a"},
		{"Ref. ID73041958", "a"},
		{"zu DEB-73041958", "a"},
		{"Beleg FAC20261104417", "d"},
		{"Datei RE_20261104417 anbei", "d"},
		{"Vertrag_44718", "u"},
		/* what is not said, or said of another */
		{"Artikel D73041958", ""},
		{"Kundennummer: 4711\nArtikel D482913", ""},
		{"Artikel C73041958, N73041958", ""},
		{"Kunde: Verbrauch 482913m", ""},
		{"Rechnungsnummer: D73041958", ""},
		{"Kundennummer: ABC482913", ""},
		{"Kundennummer: D7304195", ""},
		{"Nr482913", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* A figure that is set high behind a number, and what Japanese writes for a dash. */
static void test_notes(void)
{
	static const Row rows[] = {
		{"Kundennummer: 482913\u00b9", "Q"},
		{"Zu 73041958\u00b2 senden wir Ihnen", "a"},
		{"Kundennummer: 482913\u2074\u2075", "Q"},
		{"Kundennummer: 482\u30fc913", "Q"},
		{"Kundennummer: \uff14\uff18\uff12\u30fc\uff19\uff11\uff13", "Q"},
		{"Kundennummer: \u2074\u2078\u00b2\u2079\u00b9\u00b3", "Q"},
		{"Kundennummer: 48291\u00b3", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* What people say for the signs of an address; and numbers of countries that dial them as they are,
 * which are too short to count by themselves. */
static void test_spoken(void)
{
	static const Row rows[] = {
		{"kasse (a) nordwind.example", "m"},
		{"kasse[a]nordwind.example", "m"},
		{"kasse Klammeraffe nordwind Punkt example", "m"},
		{"kasse arobase nordwind point example", "m"},
		{"kasse chiocciola nordwind punto example", "m"},
		{"kasse kukac nordwind pont example", "m"},
		{"kasse zavin\u00e1\u010d nordwind te\u010dka example", "m"},
		{"kasse a nordwind.example", ""},
		{"kasse (a)\n\n\n\n\n\n\n\n\n\n\n\nnordwind.example", ""},
		{"Tel. 912 34 56 78", "S"},
		{"Tel\u00e9fono: 912345678", "S"},
		{"M\u00f3vil (91) 234-56-78", "S"},
		{"Tlf.: 32 12 34 56", "T"},
		{"Mobil: 32123456", "T"},
		{"Fax: 32123457", ""},
		{"Stk. 32 12 34 56", ""},
		{"Nr. 912345678", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* "number of the": in languages that say so, above its value and behind it. */
static void test_numbers_of(void)
{
	static const Row rows[] = {
		{"\u041d\u043e\u043c\u0435\u0440 \u043d\u0430 \u0434\u043e\u0433\u043e\u0432\u043e\u0440\n44718", "u"},
		{"44718 (\u041d\u043e\u043c\u0435\u0440 \u043d\u0430 \u0434\u043e\u0433\u043e\u0432\u043e\u0440)", "u"},
		{"44718 (\u041d\u043e\u043c\u0435\u0440 \u0434\u043e\u0433\u043e\u0432\u043e\u0440\u0443)", "u"},
		{"44718 (Nr. des Vertrags)", "u"},
		{"44718 (Nr. Vertrag)", "u"},
		{"44718 (num\u00e9ro du contrat)", "u"},
		{"Num\u0103r comand\u0103\n60233", "v"},
		{"60233 (num\u0103r comand\u0103)", "v"},
		{"Numri i porosis\u00eb: 60233", "v"},
		{"Broj porud\u017ebine\n60233", "v"},
		{"\u0411\u0440\u043e\u0458 \u043f\u043e\u0440\u0443\u045f\u0431\u0438\u043d\u0435: 60233", "v"},
		{"Kontratu zenbakia: 44718", "u"},
		{"Uimhir chonartha 44718", "u"},
		{"44718 (Nummer der Seite)", ""},
		{"Nummer der Seite\n44718", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* What a payment's reference was made of. */
static void test_payments(void)
{
	static const Row rows[] = {
		{"RF81 7304 1958", "a"},
		{"RF8173041958", "a"},
		{"RF22FV20260913", "e"},
		{"Betalingskenmerk: 0000 0000 7304 1958", "a"},
		{"betalingskenmerk 7000000073041958", "a"},
		{"OCR-nummer: 730419582", "a"},
		{"KID: 00730419584", "a"},
		{"Viitenumero 7304 19589", "a"},
		{"QR-Referenz 00 00000 00000 00000 07304 19589", "a"},
		{"000000000000000000730419589", "a"},
		{"+++007/3041/95897+++", "a"},
		/* lines that machines read */
		{"# 730419582 # 1250 00 4 > 58398257#41#", "a"},
		{"7000000073041958+ 0000000041+ 3 4171> 34>", "a"},
		{"+71<000000730419588+12345678<", "a"},
		{"<000073041958000041>", "a"},
		{"<  000073041958000041 > 72", "a"},
		{"+71 < 000000730419588 + 12345678 <", "a"},
		{"(8020)73041958(3900)1250", "a"},
		{"458101710000001220004829900000000000000730419582120131", "a"},
		{"558101710000001220004829969000000000000073041958120131", "a"},
		/* more numbers than one, each filled up */
		{"Referenz 12 34560 00730 41958 00000 04175", "a"},
		{"12 34560 00730 41958 00000 04175", "a"},
		{"0100000012305>123456000730419580000004175+ 010123456>", "a"},
		{"KID: 0073041958000004175", "a"},
		{"Betalingskenmerk: 9004 7304 1958 0041", ""},
		{"Betalingskenmerk: 9007 3041 9580 0417", "a"},
		{"98 0007 3041 9580 0041 72", "a"},
		{"Codice avviso 3 00 0073041958000 41 7", "a"},
		{"RF81 0000 0073 0419 58", "a"},
		/* of parts */
		{"SI12 0073041958004", "a"},
		{"SI00 73041958-417", "a"},
		{"SI0073041958-417", "a"},
		{"HR01\n7269-73041958-00019", "a"},
		{"Poziv na broj (97) 41-73041958-417", "a"},
		{"K:PR|V:01|RO:0073041958-417", "a"},
		/* of six digits, behind the word itself */
		{"Variabiln\u00ed symbol: 482913", "Q"},
		{"VS 482913", "Q"},
		{"symbol of 482913", ""},
		{"KID\n482913", ""},
		/* boletos: check digits between the fields */
		{"23793.38102 00730.419587 00006.333009 9 84660000012345", "a"},
		{"23790.07301 41958.000006 00633.300009 9 84660000012345", "a"},
		{"23790073014195800000600633300009984660000012345", "a"},
		{"23790.07301 41958.000006 00633.300008 9 84660000012345", ""},
		{"846700000017 435900240208 007304195802 000000000417", "a"},
		{"84670000001-7 43590024020-8 00730419580-2 00000000041-7", "a"},
		/* EMV */
		{"00020126360014BR.GOV.BCB.PIX0114112223330001815204000053039865802BR5906Seller6008BRASI"
		 "LIA62070503***6304A1B2", "R"},
		{"00020126440014BR.GOV.BCB.PIX0122kasse@nordwind.example5204000053039865802BR5906Seller6008"
		 "BRASILIA62070503***6304A1B2", "m"},
		{"Pix: 00020126330014br.gov.bcb.pix0111999999999995204000053039865802BR5906S\303\243\303\265"
		 "llr6008BRASILIA62140510FV202609136304A1B2", "e"},
		{"0002010102122611\n0007XX.PAYN520400005303702540541.005802SG5906Seller6009Singapore620801"
		 "0459276304B1C2", "b"},
		{"0002010102122611\n0007XX.PAYN52040000530370254045927" "5802SG5906Seller6009Singapore6304B1C2",
			""},
		/* nothing says so, or the number is a part of another */
		{">730419582", ""},
		{"x\n>730419582", ""},
		{"# 730419582 pieces", ""},
		{"730419582+3", ""},
		{"730419582", ""},
		{"we sent 7304 1958 9 pieces", ""},
		{"007/3041/95897", ""},
		{"OCR-nummer: 9730419582", ""},
		{"OCR-nummer: 73041958123", ""},
		{"RF81 7304 1959", ""},
		{"we sent 120 073 041 958 004 100 12 pieces", ""},
		{"12 00 73041958 00 417 2026 1200", "a"},
		{"123456010730419580100004175", ""},
		{"SI00 173041958-417", ""},
		{"XX00 73041958-417", ""},
		{"000000000000000000730419989", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* What is paid, and is no reference by any rule: a bill's own number that begins as a
 * customer's. */
static void test_paid(void)
{
	static const Row rows[] = {
		/* check digits, of the rules that any country's word may mean */
		{"Payment reference: 730419587", "a"},
		{"Zahlungsreferenz 7304 1958 9", "a"},
		{"Communication: 7304195885", "a"},
		{"Please pay with reference no. 0000730419589", "a"},
		{"\u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2 \u03c0\u03bb\u03b7\u03c1\u03c9\u03bc\u03ae\u03c2: 730419582", "a"},
		{"\u039a\u03a9\u0394\u0399\u039a\u039f\u03a3 \u03a0\u039b\u0397\u03a1\u03a9\u039c\u0397\u03a3: 730419582", "a"},
		{"Betalingsreferanse: 730419582", "a"},
		{"Zahlungsnummer: 730419587", "a"},
		{"Einzahlung 730419589", "a"},
		{"Payment reference: 730419582", ""},
		{"Referenz: 7304195834", ""},
		/* ... or of the word's own, whatever they are */
		{"OCR/fakturanummer: 730419582", "a"},
		{"Ert OCR-nr 730419582", "a"},
		{"Maksuviite: 730419582", "a"},
		{"betalingskenmerk bij deze factuur 7000000073041958", "a"},
		/* a number with a label of its own */
		{"Thank you for your payment of invoice 730419589.", ""},
		{"Zahlung der Rechnung 730419589", ""},
		{"Betaling av faktura 730419589", ""},
		{"Payment: order no. 730419587", ""},
		{"Zahlungserinnerung: Rechnung 730419589", ""},
		/* other words, of which these are parts */
		{"Zahlungserinnerung 730419582", ""},
		{"Seller Communications, item 730419589", ""},
		{"Democracy fund, item 730419589", ""},
		{"Kidswear article 730419589", ""},
		{"Girocard terminal 730419589", ""},
		{"Unser Referent, Zimmer 730419589", ""},
		/* another sentence, a telephone, an element of XML */
		{"Payment terms: net. Meter reading 730419589", ""},
		{"Payment, Tel. 0730419589", ""},
		{"<Total>730419582</Total>", ""},
		/* what is known as it stands */
		{"OCR-nummer: 99617720", "1"},
		{"Payment reference: 99617720", "1"},
		{"KID: 00099617720", "1"},
		/* two that have one number: what the label says, or either */
		{"Invoice 10400751", "2"},
		{"Payment for invoice 10400751", "2"},
		{"Zahlung Rechnungsnummer: 10400751", "2"},
		{"Rechnung Nr. 0010400751", "2"},
		{"Rechnung Nr.: RF18 1040 0751", "2"},
		{"OCR 104007512", "2"},
		{"Payment, customer number 10400751", "3"},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	/* one finding, and not one of each */
	static const char *const either[] = {"10400751", "Payment reference: 10400751",
		"RF18 1040 0751", "Zahlung 104007513", "Viite 00010400751", "0010400751"};
	for (gsize i = 0; i < G_N_ELEMENTS(either); i++) {
		g_autofree char *mail = g_strconcat(PLAIN "\n", either[i], "\n", NULL);
		g_autoptr(MsReading) reading = read_mail(mail);
		guint n = 0;
		for (guint k = 0; k < reading->findings->len; k++) {
			const MsFinding *f = reading->findings->pdata[k];
			if (strcmp(f->value, "10400751") != 0 || strcmp(f->kind, "phone") == 0)
				continue;
			n++;
			if (f->either == NULL || f->either->len != 1)
				g_test_message("%s: %s alone", either[i], f->kind);
			g_assert_nonnull(f->either);
			g_assert_cmpuint(f->either->len, ==, 1);
		}
		if (n != 2)
			g_test_message("%s: %u", either[i], n);
		g_assert_cmpuint(n, ==, 2);
	}
}

/* In letter-spacing, as labels and headings are set; what the directory has not as well. */
static void test_spaced(void)
{
	static const Row rows[] = {
		{"K u n d e n n u m m e r : 5927", "b"},
		{"K U N D E N - N R .   5927", "b"},
		{"K u n d e n n u m m e r :  5 9 2 7", "b"},
		{"x\n\nK u n d e n n u m m e r\n\n5927\n", "b"},
		{"K\xc2\xa0u\xc2\xa0n\xc2\xa0" "d\xc2\xa0" "e\xc2\xa0n\xc2\xa0n\xc2\xa0u\xc2\xa0m\xc2\xa0m\xc2\xa0"
		 "e\xc2\xa0r: 5927", "b"},
		{"I h r e K u n d e n n u m m e r : 5927", "b"},
		{"n u m \xc3\xa9 r o   c l i e n t   5927", "b"},
		{"> I h r e   P o l i c e n n u m m e r :   4 4 7 1 8", "u"},
		{"V i l l a  A z u l , J i n o t e p e , Z o n a  1 4", "r"},
		/* other letters, or figures of a table */
		{"A B C D E F G 5927", ""},
		{"M e n g e n a n g a b e : 5927", ""},
		{"1 2 3 4 5 9 2 7 5 9 2 7", ""},
		{"K u n d e : a, b, c, 5927", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	g_autoptr(MsReading) reading = read_mail(PLAIN "\nK u n d e n n u m m e r : 8 8 1 2 5\n");
	bool firm = false;
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		firm = firm || (strcmp(f->value, "88125") == 0 && (f->belief & MS_BELIEF_LABELLED) != 0 &&
			(f->belief & MS_BELIEF_TENTATIVE) == 0);
	}
	g_assert_true(firm);
}

/* Words that say too little for a label in a sentence, but name a number that stands beside. */
static void test_beside(void)
{
	static const Row rows[] = {
		{"for customer 5927 of ours", "b"},
		{"Kunde 5927", "b"},
		{"client: 5927", "b"},
		{"customer #5927", "b"},
		{"Klant (5927)", "b"},
		{"log: customer=5927 mailed", "b"},
		{"[customer:5927]", "b"},
		{"Belegnummer 20261104417", "d"},
		{"customer\n5927", "b"},
		{"KdNr. 5927", "b"},
		{"Ihre Rechnung (KdNr. 5927)", "b"},
		{"Klant\t5927", "b"},
		{"Kundennummer\t\tBetrag\t\n1\t5927\t12\t\n", "b"},
		{"Kundennummer\t\t\tBetrag\t\n1\t2\t5927\t12\t\n", "b"},
		{"Kundennummer\tBetrag\t\t\n1\t12\t5927\t\n", ""},
		/* whatever word for "number" stands with it, before it or behind */
		{"Policy no. 44718", "u"},
		{"Policy: 44718", "u"},
		{"your policy number is 44718.", "u"},
		{"Policy number\n44718", "u"},
		{"Policennummer: 44718", "u"},
		{"Polizzen-Nr. 44718", "u"},
		{"N\xc2\xb0 de police : 44718", "u"},
		{"Nr polisy: 44718", "u"},
		{"\xc4\x8c\xc3\xadslo smlouvy: 44718", "u"},
		{"Szerz\xc5\x91" "d\xc3\xa9s sz\xc3\xa1ma: 44718", "u"},
		{"Szerz\xc5\x91" "d\xc3\xa9ssz\xc3\xa1m 44718", "u"},
		{"Avtalsnummer 44718", "u"},
		{"Ap\xc3\xb3lice n.\xc2\xba 44718", "u"},
		{"Numero polizza ....... : 44718", "u"},
		{"S\xc3\xb6zle\xc5\x9fme No: 44718", "u"},
		{"Sutarties Nr. 44718", "u"},
		{"Account No. 5927, Policy No. 44718", "bu"},
		/* letters of Greek and Cyrillic look like others by their case */
		{"\xce\x91\xcf\x81. \xcf\x80\xce\xb5\xce\xbb\xce\xac\xcf\x84\xce\xb7: 5927", "b"},
		{"\xce\x91\xce\xa1. \xce\xa0\xce\x95\xce\x9b\xce\x91\xce\xa4\xce\x97: 5927", "b"},
		{"\xd0\x9d\xd0\xbe\xd0\xbc\xd0\xb5\xd1\x80 \xd0\xb7\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7\xd0\xb0: 60233", "v"},
		{"\xd0\x97\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7 \xe2\x84\x96 60233", "v"},
		{"\xd0\x94\xd0\x9e\xd0\x93\xd0\x9e\xd0\x92\xd0\x9e\xd0\xa0 \xe2\x84\x96 44718", "u"},
		/* scripts that set no blanks */
		{"\xe3\x81\x8a\xe5\xae\xa2\xe6\xa7\x98\xe7\x95\xaa\xe5\x8f\xb7\xef\xbc\x9a" "5927", "b"},
		{"\xe8\xb2\xb4\xe7\xa4\xbe\xe3\x81\xae\xe3\x81\x8a\xe5\xae\xa2\xe6\xa7\x98\xe7\x95\xaa\xe5\x8f\xb7\xe3\x81\xaf" "5927", "b"},
		{"\xe8\xae\xa2\xe5\x8d\x95\xe5\x8f\xb7 60233", "v"},
		/* of another kind, with other words between, an amount */
		{"Policy no. 5927", ""},
		{"Policy no. 44.718,00", ""},
		{"policy holders 44718", ""},
		{"the policy. 44718 people", ""},
		{"the policy of the house 44718", ""},
		{"number 44718", ""},
		{"no. 44718", ""},
		{"payer447.18 EUR", ""},
		{"Plan\t \nPolicy\t \nAmount\t \n\t447.18", ""},
		/* in short, as whose number it is, in small print */
		{"Kdn.-Nr. 5927", "b"},
		{"K.-Nr.: 5927", "b"},
		{"Mandant 5927", "b"},
		{"Besteller-Nr. 5927", "b"},
		{"Vertragspartner-Nr.: 5927", "b"},
		{"Ihre Nummer: 5927", "b"},
		{"Cod. cl. 5927", "b"},
		{"\xd0\x9a\xd0\xbb\xd0\xb8\xd0\xb5\xd0\xbd\xd1\x82\xd1\x81\xd0\xba\xd0\xb8\xd0\xb9 \xd0\xbd\xd0\xbe\xd0\xbc\xd0\xb5\xd1\x80: 5927", "b"},
		/* further off, an amount, or of something else */
		{"customer of 5927", ""},
		{"our old customer\n5927", ""},
		{"customer\n5927 pieces", ""},
		{"customer 5927.50 EUR", ""},
		{"customer 5927 EUR", ""},
		{"customer-care 5927", ""},
		{"house 5927", ""},
		{"our customer: see page 5927", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	/* Behind it, in sentences, in small print below. */
	static const Row behind[] = {
		{"Ihre Rechnung Kd. 5927", "b"},
		{"please quote 5927 as your customer number", "b"},
		{"Bitte 5927 als Verwendungszweck angeben", "b"},
		{"Veuillez indiquer 5927 comme communication", "b"},
		{"Communication : 5927", "b"},
		{"K\xc3\xb6zlem\xc3\xa9ny: 5927", "b"},
		{"Matrikelnummer 5927", "b"},
		{"Pat.-Nr. 5927", "b"},
		{"Kundenkartennr.: 5927", "b"},
		{"VKto 5927", "b"},
		{"Votre num\xc3\xa9ro : 5927", "b"},
		{"Hospital number 5927", "b"},
		{"Bitte 5927 als Verwendung angeben", ""},
		{"geben Sie 5927 als Kundennummer an", "b"},
		{"indiquez 5927 comme num\xc3\xa9ro de client", "b"},
		{"5927 is your customer number", "b"},
		{"5927 is your new customer no.", "b"},
		{"5927 ist Ihre neue Kundennummer.", "b"},
		{"5927 est votre num\xc3\xa9ro de client", "b"},
		{"5927 es su n\xc3\xbamero de cliente", "b"},
		{"5927 is uw klantnummer", "b"},
		{"44718 is your policy number", "u"},
		{"Sie sind als Kunde mit der Nummer 5927 bei uns", "b"},
		{"as a customer with the number 5927", "b"},
		{"come cliente con il numero 5927", "b"},
		{"5927\nKundennummer\n", "b"},
		{"Ihre Daten\n\n5927\nKundennummer\n\nGruss\n", "b"},
		{"5927\nKunden-Nr.\n44718\nPolicennummer\n", "bu"},
		{"5927\nKunden-Nr.\n1\nSeite\n44718\nPolicennummer\n31337", ""},
		{"Seite:\n3\nMenge:\n5927\nKunden-Nr.\n", ""},
		{"5927 - Kundennummer\n", "b"},
		{"| 5927 | Kundennummer |\n| RG-1 | Rechnungsnummer |\n", "b"},
		{"5927\tKundennummer\n44718\tPolicennummer\n", "bu"},
		{"Beleg\n\n5927      44718      27.11.2026\nKundennummer   Policennr.   Datum\n\nGruss", "bu"},
		{"| 5927 | 27.11.2026 |\n| Kundennr. | Datum |\n", "b"},
		/* of another, or with a value of its own */
		{"5927 is your customer no. 31337", ""},
		{"5927 is missing your customer number", ""},
		{"5927 is your policy number", ""},
		{"5927 is your customer", ""},
		{"we won 5927 as customers", ""},
		{"we count 5927 as our customer of the month", ""},
		{"as the number 5927", ""},
		{"as a customer of the house number 5927", ""},
		{"Menge\n5927\nKundennummer\n31337\n", ""},
		{"Menge:\n5927\nKundennummer\n", ""},
		{"Rechnungsnummer\n5927\nKundennummer\n", ""},
		{"5927 pieces\nKundennummer\n", ""},
		{"5927   3,50\nKundennummer   Betrag\n31337   7,00\n", ""},
		{"5927      27.11.2026\nDatum   Kundennummer\n", ""},
		{"5927\tKundennummer\t31337\n", ""},
		{"Menge\t5927\tKundennummer\n31337\n", ""},
		{"2026\nKundennummer\n", ""},
	};
	try_rows(PLAIN, behind, G_N_ELEMENTS(behind));
	/* A column of names and one of values, a head above a line of values. */
	static const Row columns[] = {
		{"Date:\nPolicy number:\nCustomer:\n27.11.2026\n44718\n5927\n", "bu"},
		{"Kelt\nSzerz\xc5\x91" "d\xc3\xa9ssz\xc3\xa1m\nVev\xc5\x91 azonos\xc3\xadt\xc3\xb3\n2026.11.27.\n44718\n5927", "bu"},
		{"Datum Policennummer Kunde\n27.11.2026 44718 5927\n", "bu"},
		{"Data\nN.\npolizza\nCodice\ncliente\n27.11.2026 44718\t5927\n", "bu"},
		{"Datum\nKunde\nSumme\n27.11.2026\n5927\n12,00 EUR\n", "b"},
		{"Datum\nMenge\nSumme\n27.11.2026\n5927\n12,00 EUR\n", ""},
		{"Datum\nKunde\nSumme\n27.11.2026\n11\n59.27\n", ""},
		{"Datum\tunser\nKunde\tRest in\nBonn\t\n27.11.2026\t5927\t12345\t", "b"},
		{"Datum\tunser\nKunde\tRest in\nBonn\t\n27.11.2026\t12345\t5927\t", ""},
		{"Datum\nKunde\n27.11.2026\n11\nMenge\n12\n5927\n", ""},
		{"Dear customer,\n27.11.2026\n5927\n", ""},
		{"customer\n5927 pieces\n4711 pieces", ""},
	};
	try_rows(PLAIN, columns, G_N_ELEMENTS(columns));
	static const Row heads[] = {
		{"X-Customer: 5927\n", "b"},
		{"Subject: Rechnung, Kunde 5927\n", "b"},
		{"X-Custom: 5927\n", ""},
	};
	try_rows("", heads, G_N_ELEMENTS(heads));
}

#define PART(type, name) \
	"Subject: x\nContent-Type: " type "\nContent-Disposition: attachment; filename=" name "\n\n"

/* A column, a key or an element that is headed by such a word alone. */
static void test_headed(void)
{
	static const Row csv[] = {
		{"Date;Customer;Amount\n2026-11-27;5927;12,00", "b"},
		{"Kunde,Datum,Summe\n5927,2026-11-27,12.00", "b"},
		{"\"Client\",\"Date\"\n\"5927\",\"2026-11-27\"", "b"},
		{"Date\tDebitor\n2026-11-27\t5927", "b"},
		{"Date;Custom;Amount\n2026-11-27;5927;12,00", ""},
		{"Date;Customer;Amount\n2026-11-27;4711;5927", ""},
		{"Date;Policy;Amount\n2026-11-27;44718;12,00", "u"},
		{"Date;Policy;Amount\n2026-11-27;EUR 447.18;12,00", ""},
		{"Date;Policy;Amount\n2026-11-27;$447.18;12,00", ""},
		{"Datum;Smlouva;Suma\n2026-11-27;44718;12,00", "u"},
	};
	try_rows(PART("text/csv", "a.csv"), csv, G_N_ELEMENTS(csv));
	static const Row json[] = {
		{"{\"customer\":\"5927\"}", "b"},
		{"{\"customer\":5927}", "b"},
		{"{\"policyNumber\":44718}", "u"},
		{"{\"policy_id\":\"44718\"}", "u"},
		{"{\"nrPolisy\":\"44718\"}", "u"},
		{"{\"policies\":44718}", ""},
		{"{\"customers\":[{\"number\":\"5927\"}]}", "b"},
		{"{\"cliente\":{\"codigo\":\"5927\"}}", "b"},
		{"{\"customer\":{\"age\":5927}}", ""},
		{"{\"customer\":{\"total\":5927}}", ""},
		{"[{\"name\":\"customer_number\",\"value\":\"5927\"}]", "b"},
		{"[{\"key\":\"kdnr\",\"val\":5927}]", "b"},
		{"[{\"name\":\"customer_number\",\"quantity\":5927}]", ""},
		{"[{\"name\":\"customer_number\"},{\"value\":5927}]", ""},
	};
	try_rows(PART("application/json", "a.json"), json, G_N_ELEMENTS(json));
	static const Row xml[] = {
		{"<d><Kunde>5927</Kunde></d>", "b"},
		{"<d><client id=\"5927\"/></d>", "b"},
		{"<E1EDKA1><PARVW>AG</PARVW><PARTN>0000005927</PARTN></E1EDKA1>", "b"},
		{"<E1EDKA1><PARVW>AG</PARVW><LIFNR>0000005927</LIFNR></E1EDKA1>", ""},
		{"<d><Kunde><Summe>5927</Summe></Kunde></d>", ""},
		{"<d><Typ>KdNr</Typ><Wert>5927</Wert></d>", "b"},
		{"<c Serie=\"FX26\" Fecha=\"12\" Folio=\"5512\"/>", "O"},
		{"<d><InvoiceNumber>5512</InvoiceNumber><InvoiceSeriesCode>FX26</InvoiceSeriesCode></d>", "O"},
		{"<d><Serie>FX26</Serie></d>", ""},
		{"<d><a><Serie>FX26</Serie><Z>12</Z></a><b><Nr>5512</Nr></b></d>", ""},
		{"<c serialCode=\"FX26\" Fecha=\"12\" Folio=\"5512\"/>", ""},
	};
	try_rows(PART("application/xml", "a.xml"), xml, G_N_ELEMENTS(xml));
}

/* A name that says all with what encloses it. */
static void test_enclosed(void)
{
	static const Row rows[] = {
		{"customer:\n  name: X\n  number: 5927", "b"},
		{"kunde:\n    anschrift:\n        ort: X\n    nr: 5927", "b"},
		{"customers:\n- name: X\n  id: 5927", "b"},
		{"customers:\n  - id: 5927", "b"},
		{"[customer]\nname = \"X\"\nid = \"5927\"", "b"},
		{"[[customers]]\nno = 5927", "b"},
		{"customer: {name: X, number: 5927}", "b"},
		{"customer = {a: {b: 1}, id: 5927}", "b"},
		{"customer.number=5927", "b"},
		{"?customer[number]=5927&x=1", "b"},
		{"?customer%5Bnumber%5D=5927&x=1", "b"},
		{"cliente:\n  codigo: 5927", "b"},
		/* enclosed by something else, or by nothing */
		{"order:\n  number: 5927", ""},
		{"customer:\n  name: X\nitem:\n  number: 5927", ""},
		{"customer: X\n  number: 5927", ""},
		{"customer:\nnumber: 5927", ""},
		{"[customer]\nname = X\n[item]\nid = 5927", ""},
		{"customer: {name: X}, number: 5927", ""},
		{"item[number]=5927", ""},
		{"customer:\n  total: 5927", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* Fields of forms. */
static void test_forms(void)
{
	static const Row rows[] = {
		{"<label>Customer no. <input value=\"5927\"></label>", "b"},
		{"<label for=c>Customer no.</label><input type=text id=c value='5927'>", "b"},
		{"<input name=customer_id value=5927>", "b"},
		{"<input type=hidden name=\"customer_no\" value=\"5927\">", "b"},
		{"<input value=\"5927\" name=\"customerNumber\">", "b"},
		{"<input placeholder=\"Customer no.\" value=\"5927\">", "b"},
		{"<select name=customer_id><option value=4711><option value=\"5927\">X</select>", "b"},
		{"<meta name=\"customer-number\" content=\"5927\">", "b"},
		{"<span itemprop=customerNumber content=5927></span>", "b"},
		{"<input name=quantity value=5927>", ""},
		{"<select name=customer_id></select><option value=\"5927\">X", ""},
		{"<select name=customer_id></select><select><option value=\"5927\">X</select>", ""},
		{"Customer no. <input type=checkbox value=5927>", ""},
		{"<input name=customer_id><input value=5927>", ""},
	};
	try_rows(HTML, rows, G_N_ELEMENTS(rows));
}

/* Cells that have a table of their own, as mail is laid out. */
static void test_tables_in_cells(void)
{
#define IN(x) "<td><table role=presentation><tbody><tr><td>" x "</td></tr></tbody></table></td>"
#define STYLED(x) "<div style='display:table-cell'>" x "</div>"
#define ROW(a, b) "<div style='display: table-row'>" STYLED(a) STYLED(b) "</div>"
#define IN_IN(x) "<td><table><tr>" IN(x) "</tr></table></td>"
	static const Row rows[] = {
		{"<table><tr>" IN("Menge") IN("Kundennummer") "</tr><tr>" IN("12") IN("5927") "</tr></table>", "b"},
		{"<table><tr>" IN("Kundennummer") IN("Menge") "</tr><tr>" IN("5927") IN("12") "</tr></table>", "b"},
		{"<table><tr>" IN("Menge") IN("Kundennummer") "</tr><tr>" IN("5927") IN("KDX-77") "</tr></table>", ""},
		{"<table><tr>" IN("Kundennummer") IN("Menge") "</tr><tr>" IN("KDX-77") IN("5927") "</tr></table>", ""},
		{"<table><tr>" IN_IN("Menge") IN_IN("Kundennummer") "</tr>\n<tr>" IN_IN("12") IN_IN("5927") "</tr></table>", "b"},
		{"<table><tr>" IN_IN("Menge") IN_IN("Kundennummer") "</tr>\n<tr>" IN_IN("5927") IN_IN("KDX-77") "</tr></table>", ""},
		{"<table><tr>" IN("<p>Kundennummer</p>") IN("<div>5927</div>") "</tr></table>", "b"},
		{"<table><tr><td>Logo</td><td><table><tr><td>Kundennummer</td><td>5927</td></tr><tr><td>Menge</td><td>12"
		 "</td></tr></table></td></tr></table>", "b"},
		{"<table><tr><td>Logo</td><td><table><tr><td>Kundennummer</td><td>KDX-77</td></tr><tr><td>Menge</td><td>5927"
		 "</td></tr></table></td></tr></table>", ""},
		/* and tables that styles make */
		{"<div style='display:table'>" ROW("Menge", "Kundennummer") ROW("12", "5927") "</div>", "b"},
		{"<div style='display:table'>" ROW("Menge", "Kundennummer") ROW("5927", "KDX-77") "</div>", ""},
		{"<div style='display:table'>" ROW("Kundennummer", "Menge") ROW("5927", "12") "</div>", "b"},
		{"<div style='display:table'>" ROW("Kundennummer", "Menge") ROW("KDX-77", "5927") "</div>", ""},
		{"<div style='display:table'>" ROW("Kundennummer", "5927") ROW("Menge", "12") "</div>", "b"},
	};
	try_rows(HTML, rows, G_N_ELEMENTS(rows));
}

/* ---- addresses ------------------------------------------------------------------------ */

static void test_addresses(void)
{
	static const Row rows[] = {
		{"〒530-0091 大阪府大阪市北区梅田8-3-1", "p"},
		{"Invoice to:\n  530-0091\n  大阪府大阪市北区梅田８－３－１\nThank you", "p"},
		{"a, 〒530-0091, 大阪府 大阪市 北区 梅田8丁目3番1号, b", "p"},
		{"大阪市北区梅田8-3-1 ウエストビル 12階\n〒530-0091", "p"},
		{"北区梅田 8丁目3-1 (530-0091)", "p"},
		{"450-0002 名古屋市中村区名駅4-7", "q"},
		{"愛知県名古屋市中村区名駅4丁目7番 〒450-0002", "q"},
		{"100022北京市朝阳区建国路88号", "s"},
		{"北京市朝阳区建国路88号 100022", "s"},
		{"418 7th Ave Ste 12\nNew York NY 10119", "t"},
		{"418 SEVENTH AVE, NEW YORK, NY 10119", "t"},
		/* as it stands in the directory, though it is of no country that is known */
		{"Villa Azul\nJinotepe\nZona 14", "r"},
		{"VILLA AZUL, JINOTEPE, ZONA 14, NICARAGUA", "r"},
		/* others, and parts */
		{"〒530-0091 大阪府大阪市北区梅田8-3-12", ""},
		{"〒530-0091 大阪府大阪市北区梅田8-3", ""},
		{"〒530-0091 大阪府大阪市北区梅田8丁目2番1号", ""},
		{"〒530-0091 大阪府大阪市北区芝田8-3-1", ""},
		{"〒530-0092 大阪府大阪市北区梅田8-3-1", ""},
		{"大阪府大阪市北区梅田8-3-1", ""},
		{"100022 北京市朝阳区建国路8号", ""},
		{"418 8th Ave Ste 12\nNew York NY 10119", ""},
		{"Villa Azul, Jinotepe, Zona 15", ""},
		{"Villa Azul, Jinotepe, Zona 14b", ""},
		{"Zona 14, Jinotepe, and in it the Villa Azul", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* An account is found once, not also as it is written within its country. */
static void test_once(void)
{
	static const char *const texts[] = {"IBAN: DE44 5001 0517 5407 3249 31",
		"DE44500105175407324931", "DE 44 50010517 5407324931", "PL61 1090 1014 0000 0712 1981 2874",
		"PL 61 1090 1014 0000 0712 1981 2874", "FR14 2004 1010 0505 0001 3M02 606",
		"IBAN\nDE44 5001 0517\n5407 3249 31", "NO93 8601 1117 947"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *mail = g_strconcat(PLAIN, texts[i], "\n", NULL);
		g_autoptr(MsReading) reading = read_mail(mail);
		guint n = 0;
		for (guint k = 0; k < reading->findings->len; k++)
			n += strcmp(((MsFinding *)reading->findings->pdata[k])->kind, "iban") == 0;
		if (n != 1)
			g_error("%s: %u accounts", texts[i], n);
	}
}

/* ---- behind base64 --------------------------------------------------------------------- */

/* What somebody on the way put behind it in clear. */
static void test_footers(void)
{
	static const Row rows[] = {
		{"aGVsbG8gdGhlcmU=\r\nFV-2026-0913", "e"},
		{"aGVsbG8gdGhlcmU=\r\n\r\nNW-44017", "o"},
		{"aGVsbG8gdGhl\r\n\r\nNW-44017", "o"},
		{"aGVsbG8gdGhl\n\n73041958", "a"},
		{"aGVsbG8gdGhl\n\n-- \n73041958", "a"},
	};
	try_rows("Subject: x\nContent-Transfer-Encoding: base64\n\n", rows, G_N_ELEMENTS(rows));
}

/* ---- columns --------------------------------------------------------------------------- */

static void test_columns(void)
{
	static const Row rows[] = {
		{"DATE       CUSTOMER NO   AMOUNT\n---------- ------------- ------\n"
		 "2026-11-27 5927          12.50\n", "b"},
		{"DATE        CUSTOMER NO    AMOUNT\n----------  -----------  ------\n"
		 "2026-11-27  5927            12.50\n", "b"},
		{"Beleg   Kundennummer   Datum\n====================\n"
		 "A1      4712           27.11.2026\nA2              5927   27.11.2026\n", "b"},
		/* in another column, or below the list */
		{"Beleg   Kundennummer   Menge\nA1      4712             11\n"
		 "A2      4713             5927\n", ""},
		{"Beleg   Kundennummer   Menge\nA1      4712            1\n"
		 "That is all that there is of this.\nFirst   5927           12\n", ""},
		{"Beleg   Kundennummer:  Menge\nA1      4712           12\nA2      5927           1\n",
			"b"},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- links ---------------------------------------------------------------------------- */

static void test_links(void)
{
	static const Row rows[] = {
		{"https://p.example/i/20261104417", "d"},
		{"https://p.example/i/20261104417.pdf?x=1", "d"},
		{"https://p.example/?i=20261104417&x=1", "d"},
		{"https://p.example/?kdnr=73041958", "a"},
		{"https://p.example/?u=1&customer_number=73041958#x", "a"},
		/* the same in letters of a code, in a link or a long word */
		{"Token: eyJrZG5yIjoiNzMwNDE5NTgiLCJyZWNobnVuZyI6IkZWLTIwMjYtMDkxMyJ9", "ae"},
		{"{\"data\":\"eyJrZG5yIjoiNzMwNDE5NTgiLCJyZWNobnVuZyI6IkZWLTIwMjYtMDkxMyJ9\",\"v\":1}", "ae"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJrZG5yIjoiNzMwNDE5NTgiLCJyZWNobnVuZyI6IkZWLTIwMjYtMDkxMyJ9.c2lnbmF0dXJlc2lnbmF0dXJl", "ae"},
		{"{\"data\":\"7b226b646e72223a223733303431393538222c22726563686e756e67223a2246562d323032362d30393133227d\"}", "ae"},
		{"see PMRGWZDOOIRDUIRXGMYDIMJZGU4CELBCOJSWG2DOOVXGOIR2EJDFMLJSGAZDMLJQHEYTGIT5 there", "ae"},
		{"https://p.example/t?d=pmrgwzdooirduirxgmydimjzgu4celbcojswg2doovxgoir2ejdfmljsgazdmljqheytgit5", "ae"},
		{"https://p.example/t?d=ZXlKclpHNXlJam9pTnpNd05ERTVOVGdpTENKeVpXTm9iblZ1WnlJNklrWldMVEl3TWpZdE1Ea3hNeUo5", "ae"},
		{"https://p.example/t?d=awBkAG4AcgA9ADcAMwAwADQAMQA5ADUAOAA", "a"},
		/* and packed: by gzip, zlib, and without a head */
		{"Token: H4sIAAAAAAACA6tWyk7JK1KyUjI3NjAxtDS1UNJRKkpNzsgrzUsHirqF6RoZGJnpGlgaGivVAgBt61YBLQAAAA==", "ae"},
		{"Token: eJyrVspOyStSslIyNzYwMbQ0tVDSUSpKTc7IK81LB4q6hekaGRiZ6RpYGhor1QIAHKEL5A==", "ae"},
		{"Token: q1bKTskrUrJSMjc2MDG0NLVQ0lEqSk3OyCvNSweKuoXpGhkYmekaWBoaK9UCAA==", "ae"},
		{"https://p.example/t?d=q1bKTskrUrJSMjc2MDG0NLVQ0lEqSk3OyCvNSweKuoXpGhkYmekaWBoaK9UCAA", "ae"},
		{"Token: Pz8/Pj4+a2Rucj03MzA0MTk1OD8/Pz4+PmtkbnI9NzMwNDE5NTg/Pz8+Pj4=", "a"},
		{"Token: a2Rucj03MzA0MTk1OSBhbmQgbm90aGluZyB0aGF0IGlzIGtub3duIGhlcmU=", ""},
		{"https://p.example/customers/73041958/invoices", "a"},
		{"https://t.example/r?u=https%3A%2F%2Fp.example%2F%3Fi%3DFV-2026-0913", "e"},
		{"https://t.example/r?u=https%253A%252F%252Fp.example%252F%253Fi%253D"
		 "FV%25252D2026%25252D0913", "e"},
		{"https://p.example/i/46562d323032362d30393133", "e"},
		{"https://p.example/i?d=eyJudW1iZXIiOiJGVi0yMDI2LTA5MTMiLCJhIjoxfQ%3D%3D", "e"},
		{"https://p.example/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrYXNzZUBub3Jkd2luZC5leGFtcGxlIn0.c2ln",
			"m"},
		{"https://p.example/5c0e7a31-9d24-4b86-a1f7-2e3d4c5b6a79", "f"},
		{"<mailto:bounce-kasse=nordwind.example@seller.example>", "m"},
		{"kasse%nordwind.example@relay.example", "m"},
		/* guests of a directory, and who is only named alike */
		{"kasse_nordwind.example#EXT#@tenant.example", "m"},
		{"i:0#.f|membership|kasse_nordwind.example#ext#@tenant.example", "m"},
		{"kasse_nordwind.example@tenant.example", ""},
		{"mailto:a@b.example?subject=FV%2D2026%2D0913", "e"},
		/* numbers that mailers count with */
		{"https://t.example/c/73041958/99", ""},
		{"https://t.example/c?u=73041958", ""},
		{"https://t.example/?customer_number=5927", ""},
		{"https://t.example/customers/5927/", ""},
		{"https://t.example/a20261104417b", ""},
		{"https://t.example/1-20261104417-2026", ""},
		{"https://t.example/invoicesheet", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	static const Row html[] = {
		{"<a href=\"https://p.example/i?d=eyJudW1iZXIiOiJGVi0yMDI2LTA5MTMiLCJhIjoxfQ\">x</a>",
			"e"},
		{"<img src=\"https://p.example/o.gif?i=20261104417\">", "d"},
		{"<a href=\"https://t.example/?u=73041958\">x</a>", ""},
	};
	try_rows(HTML, html, G_N_ELEMENTS(html));
}

/* `head`, as often as makes `len` bytes, and `tail`. */
static char *lengthened(const char *head, gsize len, const char *tail)
{
	GString *out = g_string_new(NULL);
	while (out->len < len)
		g_string_append(out, head);
	return g_string_free(g_string_append(out, tail), FALSE);
}

/* However long a link is, and however many come before it: it is read, or told. */
static void test_many_links(void)
{
	static const char plain[] = "https://p.example/?d=eyJudW1iZXIiOiJGVi0yMDI2LTA5MTMiLCJhIjoxfQ",
			  coded[] = "&d=eyJudW1iZXIiOiJGVi0yMDI2LTA5MTMiLCJhIjoxfQ";
	static const struct {
		const char *before, *head, *tail, *want;
		gsize len;
	} rows[] = {
		{"https://p.example/?x=", "a", coded, "e", 9000},
		{"https://p.example/?x=", "a%20", coded, "e", 100000},
		{"", "https://p.example/?x=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo\n", plain, "e", 300000},
		{"", "https://p.example/?x=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo\n", plain, "!", 10 << 20},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = lengthened(rows[i].head, rows[i].len, rows[i].tail);
		g_autofree char *mail = g_strconcat(PLAIN, rows[i].before, text, "\n", NULL);
		g_autofree char *found = found_in(mail);
		if (strcmp(found, rows[i].want) != 0)
			g_error("%zu bytes of %s: found \"%s\", want \"%s\"", rows[i].len,
				rows[i].head, found, rows[i].want);
	}
}

/* What a text of nothing but these costs is by its length: else its time would be over. */
static void test_lengths(void)
{
	static const struct {
		const char *head;
		gsize len;
	} rows[] = {
		{"://", 600000}, {"://a/1234567/", 600000},
		{"aGFsbG8gaGFsbG8gaGFsbG8g,", 600000}, {"NBQWY3DPNBQWY3DPNBQWY3DP,", 600000},
		{"6161616161616161,", 600000}, {"WVVkR2MySkhPR2M9,", 600000},
		/* words follow each other without a blank in what is looked at */
		{"123456789\n", 6 << 20}, {"0123456789\n", 6 << 20},
		{"2026112748291746\n", 6 << 20}, {"4829 1746 ", 6 << 20}, {"KID 48291746\n", 6 << 20},
		{"ab12cd34 ", 6 << 20}, {"RF81 4829 ", 6 << 20},
		/* lists, which are no base64 */
		{"6d1f8b42-0e35-4c97-b208-3f4e5d6c7b8a\n", 100000},
		{"6d1f8b420e354c97b2083f4e5d6c7b8a\n", 3000}, {"529900T8BM49AURSDO55\n", 3000},
		{"FR7630006000011234567890189\n", 3000}, {"1Z999AA10123456784\n", 3000},
		{"RESELLER-NORTH-000123\n", 6000},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = lengthened(rows[i].head, rows[i].len, "");
		g_autofree char *mail = g_strconcat(PLAIN, text, "\n", NULL);
		gint64 start = cpu_time();
		g_autofree char *found = found_in(mail);
		g_test_message("%s: %.1f s", rows[i].head, (double)(cpu_time() - start) / 1e6);
		g_assert_cmpstr(found, ==, "");
	}
}

/* ---- accounts within their country ------------------------------------------------------ */

static void test_accounts(void)
{
	static const Row rows[] = {
		{"Konto 5407324931, BLZ 50010517", "g"},
		{"BLZ 50010517 Konto 5407324931", "g"},
		{"RIB 20041 01005 0500013M026 06", "h"},
		{"Nr konta: 61 1090 1014 0000 0712 1981 2874", "i"},
		{"61109010140000071219812874", "i"},
		{"Konto 8601 11 17947", "j"},
		/* in parts, in any order, with words between */
		{"Kontonummer: 5407324931 Bankleitzahl: 50010517", "g"},
		{"Konto-Nr. 540 732 4931 bei der Musterbank, BLZ: 500 105 17", "g"},
		{"BLZ\t500 105 17\nKonto\t5407324931", "g"},
		{"50010517/5407324931", "g"},
		{"Banque 20041 Guichet 01005 Compte 0500013M026 Cl\xc3\xa9 06", "h"},
		{"Code banque : 20041 - Code guichet : 01005 - N\xc2\xb0 de compte : 0500013M026 - Cl\xc3\xa9 RIB : 06", "h"},
		{"Code banque  Code guichet  Compte       Cl\xc3\xa9 RIB\n20041        01005         0500013M026  06", "h"},
		{"60-16-13 31926819", "w"},
		{"Sort code: 60-16-13\nAccount number: 31926819", "w"},
		{"Account 3192 6819, sort code 60 16 13", "w"},
		{"S/C 601613 A/C 31926819", "w"},
		{"19-2000145399/0800", "x"},
		{"000019-2000145399/0800", "x"},
		{"\xc4\x8d.\xc3\xba. 19 - 2000145399 / 0800", "x"},
		{"19-8742637541/1200", "F"},
		{"Reg.nr. 0040 Kontonr. 440116243", "y"},
		{"Reg. 0040, konto 0440 116 243", "y"},
		{"ABI 05428 CAB 11101 CIN X conto 000000123456", "z"},
		{"c/c n. 123456, ABI: 05428, CAB: 11101", "z"},
		{"BLZ 19043 Kto 234-573-201", "A"},
		{"Konto 1162.3852.957, Clearing 762", "B"},
		{"Entidad 2100 Oficina 0418 DC 45 Cuenta 0200051332", "C"},
		{"5839-8257466", "D"},
		{"clearingnr 5839, kontonr 8257466", "D"},
		{"11773016-11111018", "E"},
		{"BE 0428.759.497", "l"},
		{"KBO 0428.759.497", "l"},
		{"kasse+shop@nordwind.example", "m"},
		/* an account at another bank, a bank alone */
		{"Konto 5407324931, BLZ 50010518", ""},
		{"BLZ 50010517", ""},
		{"BLZ 50010517 Konto 5407324932", ""},
		{"Sort code: 60-16-14\nAccount number: 31926819", ""},
		{"account 31926819", ""},
		{"sort code 60-16-13", ""},
		{"2000145399/0800", ""},
		{"19-2000145399/0801", ""},
		{"Reg. 0041, konto 0440 116 243", ""},
		{"ABI 05428 CAB 11102 CIN X conto 000000123456", ""},
		{"5407324931", ""},
		{"62109010140000071219812874", ""},
		{"kassen@nordwind.example", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* A number and the series that it is of. */
static void test_series(void)
{
	static const Row rows[] = {
		{"Seria FX26 nr. 5512", "O"},
		{"Serie FX26, n\xc3\xbamero 5512", "O"},
		{"Serie: FX26  Nr: 5512", "O"},
		{"Serija FX26 Nr. 5512", "O"},
		{"FX26 nr. 5512", ""},
		{"Seria FX27 nr. 5512", ""},
		{"Seria FX26 nr. 5513", ""},
		{"a series of FX26 and of 5512", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	static const Row slashed[] = {
		{"Kunden-/Rechnungsnummer: 5927 / FX26-5512", "bO"},
		{"Kunden- / Vertragsnummer 5927", "b"},
		{"Waren-/Rechnungsnummer: 5927", ""},
		{"Kunden-/Lieferanschrift 5927", ""},
		{"Kunden- und Rechnungsnummer: 5927", "b"},
		{"KUNDEN- UND RECHNUNGSNR. 5927", "b"},
		{"Kunden-, Vertrags- und Rechnungsnummer: 5927", "b"},
		{"Kunden- bzw. Rechnungs-Nr. 5927", "b"},
		{"Kunden- & Rechnungsnummer: 5927", "b"},
		{"Customer and invoice number: 5927", "b"},
		{"Customer & invoice no.: 5927", "b"},
		{"Klant- en factuurnummer: 5927", "b"},
		{"Kund- och fakturanummer: 5927", "b"},
		{"Asiakas- ja laskunumero: 5927", "b"},
		{"M\xc3\xbc\xc5\x9fteri ve fatura numaras\xc4\xb1: 5927", "b"},
		{"Kunden- und\nRechnungsnummer: 5927", "b"},
		{"Ihre Kunden-\r\nund Rechnungsnummer: 5927", "b"},
		{"Kunden-, Vertrags-\nund Rechnungsnummer 5927", "b"},
		{"Customer and\ninvoice number: 5927", "b"},
		{"Customer, contract and invoice number: 5927", "b"},
		{"Customer, contract and order no. 5927", "b"},
		{"Customer, Contract & Invoice Number: 5927", "b"},
		{"Num\xc3\xa9ros de client, de contrat et de facture : 5927", "b"},
		{"Klant-, contract- en factuurnummer: 5927", "b"},
		{"Kunden- und\n\nRechnungsnummer: 5927", ""},
		{"Dear customer, contract and invoice number: 5927", ""},
		{"Kunden- und\nLieferanschrift 5927", ""},
		{"Kunden- und Lieferanschrift 5927", ""},
		{"Kunden- und Serviceportal 5927", ""},
		{"Waren- und Rechnungsnummer: 5927", ""},
		{"we ask each customer and invoice no. 5927 is late", ""},
	};
	try_rows(PLAIN, slashed, G_N_ELEMENTS(slashed));
	static const Row bills[] = {
		{"//S1/10/20261104417/11/261127/30/303265045", "dI"},
		{"//S1/20/5927/11/261127", "b"},
		{"/10/5927/11/261127", ""},
		{"https://t.example//s1/10/5927/11", ""},
	};
	try_rows(PLAIN, bills, G_N_ELEMENTS(bills));
}

/* Numbers of companies without their country. */
static void test_companies(void)
{
	static const Row rows[] = {
		{"Org.nr. 995 525 828", "G"},
		{"Foretaksregisteret 995 525 828 MVA", "G"},
		{"995 525 828 MVA", "G"},
		{"Org nr 995525828MVA", "G"},
		{"004495445B01", "H"},
		{"0044.95.445.B.01", "H"},
		{"303 265 045 R.C.S. Paris", "I"},
		{"303 265 045 RCS Paris", "I"},
		{"R.C.S. Nanterre B 303 265 045", "I"},
		{"P.I. 00743110157", "J"},
		{"Cod. fisc. 00743110157", "J"},
		{"00743110157", "J"},
		{"Ondernemingsnr. 0428.759.497", "l"},
		{"N\xc2\xb0 d'entreprise 0428.759.497", "l"},
		{"Company number: 445790", "K"},
		{"Registered in England and Wales No. 00445790", "K"},
		{"\xe7\x99\xbb\xe9\x8c\xb2\xe7\x95\xaa\xe5\x8f\xb7\xef\xbc\x9aT7000012050002", "L"},
		{"Ad\xc3\xb3sz\xc3\xa1m: 12892312-2-41", "M"},
		{"\xce\x91\xce\xa6\xce\x9c: 094259216", "N"},
		{"\xce\x91.\xce\xa6.\xce\x9c. 094 259 216", "N"},
		/* nothing says so, or the label is the next number's */
		{"call 303 265 045", ""},
		{"995 525 828 pieces", ""},
		{"303 265 045 RCS: 732 829 320", ""},
		{"445790", ""},
		{"00743110158", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
	static const Row behind[] = {
		{"5927 (Kundennummer)", "b"},
		{"44718 (policy no.)", "u"},
		{"5927 Kundennummer: 4711", ""},
		{"5927 (Kunden seit 2004)", ""},
		{"5927 Kunden", ""},
	};
	try_rows(PLAIN, behind, G_N_ELEMENTS(behind));
}

/* ---- addresses within others, and what only looks like one ----------------------------- */

static void test_routed(void)
{
	static const Row rows[] = {
		/* rewritten senders, and the mailers' own ways to put one address into another */
		{"SRS0=HHHH=TT=nordwind.example=kasse@seller.example", "m"},
		{"<srs0+a1b2=x7=nordwind.example=kasse@seller.example>", "m"},
		{"SRS1=HHH=fwd.example==HHHH=TT=nordwind.example=kasse@seller.example", "m"},
		{"IMCEASMTP-kasse+40nordwind+2Eexample@seller.example", "m"},
		{"IMCEAINVALID-kasse+40nordwind.example@seller.example", "m"},
		{"imceasmtp-ka+73se+40nordwind+2eexample@seller.example", "m"},
		{"relay!nordwind.example!kasse", "m"},
		{"nordwind.example!kasse@relay.example", "m"},
		{"nordwind.example!anna@relay.example", ""},
		{"SRS0=HHHH=TT=nordwind.example=anna@seller.example", ""},
		{"SRS0=HHHH=TT=anordwind.example=kasse@seller.example", ""},
		{"SRS0=HHHH=TT=nordwind.example.net=kasse@seller.example", ""},
		{"IMCEASMTP-kasse+40nordwind+2Eexample+2Enet@seller.example", ""},
		{"IMCEAEX-_O=SELLER_OU=kasse_CN=nordwind.example@seller.example", ""},
		{"Look at nordwind.example! Kasse", ""},
		/* comments */
		{"kasse(Anna at work)@nordwind.example", "m"},
		{"kasse@(at work)nordwind.example", "m"},
		{"kasse@nordwind(work).example", "m"},
		{"kasse@(at work)alpha.example", ""},
		{"(kasse) @ alpha.example", ""},
		/* capitals for the signs */
		{"kasseATnordwindDOTexample", "m"},
		{"kasseATnordwind.example", "m"},
		{"kasseATalphaDOTexample", ""},
		{"xkasseATnordwindDOTexample", ""},
		/* longer domains are others */
		{"kasse@nordwind.example.net", ""},
		{"kasse@nordwind.example.co.uk", ""},
		{"kasse@nordwind.example-x.net", ""},
		{"kasse at nordwind.example.net", ""},
		{"kasse @nordwind dot example.net", ""},
		{"bounce-kasse=nordwind.example.net@seller.example", ""},
		{"kasse%nordwind.example.com@seller.example", ""},
		{"kasse%40nordwind.example.net", ""},
		{"kasse%nordwind.example-x.net@seller.example", ""},
		{"bounce-kasse=nordwind.example.rsp.seller.example@seller.example", ""},
		/* names of mails and of their parts, unless they are an address that is known */
		{"<img src=\"cid:kasse@nordwind.example\">", "m"},
		{"Message-ID: <kasse@nordwind.example>", "m"},
		/* but text may stand right behind one */
		{"kasse@nordwind.example.", "m"},
		{"kasse@nordwind.example.Tel. 030", "m"},
		{"kasse@nordwind.example.bitte melden", "m"},
		{"kasse@nordwind.example-Tel. 030", "m"},
		{"kasse@nordwind.example.www.nordwind.example", "m"},
		{"invoice of kasse@nordwind.example.pdf", "m"},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- interchanges ----------------------------------------------------------------------- */

#define UNB "UNB+UNOC:3+1:14+2:14+261127:1200+1'"
#define ISA "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       " \
	"*261127*1200*U*00401*000000001*0*P*>~"
/* Lines of an IDoc: 63 characters before what the segment has. */
#define IDOC "EDI_DC40  1000000000000123456700 30\r\n"
#define SEGMENT(name, data) IDOC name "                    1000000000000123456000002" \
	"00000002" data "  20261127"
#define STX "STX=ANA:1+1:SELLER+2:BUYER+261126:100000+1+P+INVFIL'MHD=1+INVFIL:9'"

static void test_interchange(void)
{
	static const Row rows[] = {
		{"UNA:+.? 'UNB+UNOC:3+1:14+2:14+261127:1200+1'NAD+SU+5928'NAD+BY+5927::91'", "b"},
		/* no character releases another: a blank stands for none */
		{"UNA:+.  'UNB+UNOC:3+1:14+2:14+261127:1200+1'FTX+AAI+++as agreed 'NAD+BY+5927::91'",
			"b"},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'\nRFF+IT:5927'", "b"},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'\nRFF+ADE:5927'", "b"},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'\nRFF+Z13:44718'", "u"},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'BGM+380+20261104417+9'", "d"},
		{"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
		 "*261127*1200*U*00401*000000001*0*P*>~GS*IN*S*R~REF*CR*5927~", "b"},
		{"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
		 "*261127*1200*U*00401*000000001*0*P*>~N1*BY*X*91*5927~", "b"},
		{UNB "BGM+220+60233+9'", "v"},
		{UNB "BGM+220+44718+9'", ""},
		{UNB "BGM+380+60233+9'", ""},
		{UNB "BGM+:::INVOICE+20261104417+9'", "d"},
		{UNB "NAD+OB+5927::92++NAME'", "b"},
		{UNB "NAD+UD+5927::92++NAME'", "b"},
		{UNB "NAD+ST+5927::92++NAME'", "b"},
		{UNB "NAD+SO+5927::92++NAME'", "b"},
		{UNB "NAD+CN+5927::92++NAME'", "b"},
		{UNB "NAD+ITO+5927::92++NAME'", "b"},
		{UNB "NAD+MR+5927::92++NAME'", "b"},
		{UNB "RFF+CR:5927'", "b"},
		{UNB "RFF+UC:5927'", "b"},
		{UNB "RFF+CT:44718'", "u"},
		{UNB "RFF+BC:44718'", "u"},
		{UNB "RFF+ON:60233'", "v"},
		{UNB "RFF+VN:60233'", "v"},
		{UNB "RFF+OI:20261104417'", "d"},
		{UNB "RFF+VA:DE136695976'", "k"},
		{UNB "RFF+FC:7000012050002'", "L"},
		{UNB "RFF+XA:00445790'", "K"},
		{UNB "NAD+CZ+5927::91'", ""},
		{UNB "NAD+CA+5927::92'", ""},
		{UNB "NAD+PE+5927::92'", ""},
		{UNB "RFF+AAK:5927'", ""},
		{UNB "RFF+CTX:44718'", ""},
		{UNB "RFF+CT::44718'", ""},
		{UNB "DTM+137:5927'", ""},
		{UNB "LIN+1++5927:EN'", ""},
		{"UNB+UNOC:3+1:14+5927:ZZ+261127:1200+1'", "b"},
		{"UNB+UNOC:3+5927:14+2:14+261127:1200+1'", ""},
		{"UNH+1+INVOIC:D:96A:UN'NAD+BY+5927::92'UNT+3+1'", "b"},
		{"UNH+1+INVOIC:D:96A:UN'NAD+SU+5927::92'UNT+3+1'", ""},
		{ISA "N1*SO*X*92*5927~", "b"},
		{ISA "N1*PR*X*92*5927~", "b"},
		{ISA "N1*UC*X*92*5927~", "b"},
		{ISA "N1*EN*X*92*5927~", "b"},
		{ISA "N1*SN*X*92*5927~", "b"},
		{ISA "N1*Z7*X*92*5927~", "b"},
		{ISA "N1*LW*X*92*5927~", "b"},
		{ISA "N1*BS*X*92*5927~", "b"},
		{ISA "N1*VN*X*91*5927~", ""},
		{ISA "N1*SE*X*91*5927~", ""},
		{ISA "N1*RE*X*91*5927~", ""},
		{ISA "N1*SU*X*91*5927~", ""},
		{ISA "REF*AJ*5927~", "b"},
		{ISA "REF*0F*5927~", "b"},
		{ISA "N9*CR*5927~", "b"},
		{ISA "REF*CT*44718~", "u"},
		{ISA "REF*IG*44718~", "u"},
		{ISA "REF*CO*60233~", "v"},
		{ISA "REF*OI*20261104417~", "d"},
		{ISA "REF*TJ*7000012050002~", "L"},
		{ISA "REF*DP*5927~", ""},
		{ISA "REF*MR*5927~", ""},
		{ISA "REF*CR**5927~", ""},
		{ISA "N9*ZZ*5927~", ""},
		{ISA "IT1*1*5927*EA*1~", ""},
		{ISA "NM1*85*2*X*****XX*5927~", ""},
		{ISA "NM1*IL*1*X*Y****MI*5927~", "b"},
		{ISA "BEG*00*SA*60233**261126~", "v"},
		{ISA "BEG*60233*SA*1**261126~", ""},
		{ISA "BEG*00*SA*1**261126*44718~", "u"},
		{"ST*810*0001~BIG*20261126*1~N1*BY*X*92*5927~SE*3*0001~", "b"},
		{"ST*810*0001\nBIG*20261126*1\nN1*BY*X*92*5927\nSE*3*0001\n", "b"},
		{"ST*810*0001~BIG*20261126*1~N1*VN*X*92*5927~SE*3*0001~", ""},
		{STX "CDT=1:5927+BUYER LTD'", "b"},
		{STX "CLO=1:5927:99+SHOP 4'", "b"},
		{STX "CLO=1:99:5927+SHOP 4'", "b"},
		{STX "IRF=20261104417+261126'", "d"},
		{STX "ORD=60233::261126'", "v"},
		{STX "ORD=1:60233:261126'", "v"},
		{STX "ODD=1+60233::261126'", "v"},
		{STX "ODD=1+1:60233:261126'", "v"},
		{STX "ODD=60233+1:2:261126'", ""},
		{SEGMENT("E2EDKA1003", "AG 0000005927       "), "b"},
		{SEGMENT("E2EDKA1003", "RE 5927             "), "b"},
		{SEGMENT("E2EDK02000", "00144718            "), ""},
		{SEGMENT("E2EDK02000", "00160233            "), "v"},
		{SEGMENT("E2EDP02000", "00160233            "), "v"},
		{SEGMENT("E2EDK02000", "00544718            "), "u"},
		{SEGMENT("E2EDK02000", "00920261104417      "), "d"},
		{SEGMENT("E2EDKA1003", "LF 5927             "), ""},
		{SEGMENT("E2EDK02000", "01260233            "), ""},
		{SEGMENT("E2EDK03000", "00160233            "), ""},
		{STX "SDT=1:5927+SELLER'", ""},
		{STX "ILD=1+1+5927:1'", ""},
		{STX "CDT=1:99+5927 HIGH ST'", ""},
		{STX "TYP=5927+INVOICES'", ""},
		{"MHD=1+INVFIL:9'CDT=1:5927+BUYER LTD'MTR=2'", "b"},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'NAD+SU+5927::91'", ""},
		{"UNB+UNOC:3+1:14+2:14+261127:1200+1'QTY+47:5927'", ""},
		{"UNB+", ""},
		{"UNA:+.? 'UNB+UNOC:3+1:14+2:14+x?'NAD+BY+5927'", ""},
	};
	try_rows(PLAIN, rows, G_N_ELEMENTS(rows));
}

/* ---- charsets that nobody knows --------------------------------------------------------- */

static void test_charsets(void)
{
	static const char *const names[] = {"ansi_x3.4-1968", "unknown-8bit", "x-unknown",
		"utf-8-sig", "cp852", "IBM866", "x-mac-cyrillic", "_iso-2022-jp$ESC", "made-up-name"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *head = g_strdup_printf(
			"Content-Type: text/plain; charset=\"%s\"\n\n", names[i]);
		const Row row = {"Customer NW-44017, thank you", "o"};
		try_rows(head, &row, 1);
	}
	/* What may be other letters than it seems is told. */
	static const Row rows[] = {
		{"Customer NW-44017 \xe4\xf6\xfc", "o!"},
		{"Customer NW-44017 ~{VPND~}", "o!"},
		{"Customer NW-44017 \x1b$B", "o!"},
		{"Customer NW-44017 +AE4-", "o!"},
	};
	try_rows("Content-Type: text/plain; charset=made-up-name\n\n", rows, G_N_ELEMENTS(rows));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	g_autoptr(GError) error = NULL;
	kinds = ms_kinds_parse("kinds.conf", text, &error);
	g_assert_no_error(error);
	ms_message_init();
	g_autoptr(GBytes) bytes = image();
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);
	filter = ms_filter_open(data, size, &error);
	g_assert_no_error(error);
	g_test_add_func("/spelling/marks", test_marks);
	g_test_add_func("/spelling/zeros", test_zeros);
	g_test_add_func("/spelling/within", test_within);
	g_test_add_func("/spelling/pairs", test_pairs);
	g_test_add_func("/spelling/codes", test_codes);
	g_test_add_func("/spelling/glued", test_glued);
	g_test_add_func("/spelling/own", test_own);
	g_test_add_func("/spelling/lettered", test_lettered);
	g_test_add_func("/spelling/notes", test_notes);
	g_test_add_func("/spelling/spoken", test_spoken);
	g_test_add_func("/spelling/numbers-of", test_numbers_of);
	g_test_add_func("/spelling/payments", test_payments);
	g_test_add_func("/spelling/paid", test_paid);
	g_test_add_func("/spelling/spaced", test_spaced);
	g_test_add_func("/spelling/beside", test_beside);
	g_test_add_func("/spelling/headed", test_headed);
	g_test_add_func("/spelling/enclosed", test_enclosed);
	g_test_add_func("/spelling/forms", test_forms);
	g_test_add_func("/spelling/tables-in-cells", test_tables_in_cells);
	g_test_add_func("/spelling/once", test_once);
	g_test_add_func("/spelling/footers", test_footers);
	g_test_add_func("/spelling/addresses", test_addresses);
	g_test_add_func("/spelling/columns", test_columns);
	g_test_add_func("/spelling/links", test_links);
	g_test_add_func("/spelling/links/many", test_many_links);
	g_test_add_func("/spelling/lengths", test_lengths);
	g_test_add_func("/spelling/accounts", test_accounts);
	g_test_add_func("/spelling/series", test_series);
	g_test_add_func("/spelling/companies", test_companies);
	g_test_add_func("/spelling/routed", test_routed);
	g_test_add_func("/spelling/interchange", test_interchange);
	g_test_add_func("/spelling/charsets", test_charsets);
	int rc = g_test_run();
	ms_filter_free(filter);
	ms_kinds_unref(kinds);
	return rc;
}
