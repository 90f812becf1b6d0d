/*
 * PDFs that are made here, one for each place in which a document may say something, and of each
 * kind a twin in which all is well.
 */
#include "config.h"

#include <math.h>

#include "documents.h"
#include "gotten.h"

#define VALUE "Hidden-8001"
#define TEXT "A letter of some words"

/* `content` instead of the usual text, with `more` from object 6 on. */
static GByteArray *with_content(const char *content, const char *resources, const char *more)
{
	g_autofree char *page = g_strdup_printf(
		"/Contents 9 0 R/Resources<</Font<</F 5 0 R>>%s>>", resources);
	g_autofree char *all = g_strdup_printf(
		"9 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n%s", strlen(content), content,
		more);
	return make_pdf(NULL, "", page, all);
}

static char *stream(int number, const char *dictionary, const char *content)
{
	return g_strdup_printf("%d 0 obj<<%s/Length %zu>>stream\n%s\nendstream endobj\n", number,
		dictionary, strlen(content), content);
}

/* ---- objects -------------------------------------------------------------------------- */

static const struct {
	const char *name, *catalog, *page, *more;
} objects[] = {
	{"bookmark", "/Outlines<</First 6 0 R/Last 6 0 R>>", "",
		"6 0 obj<</Title(" VALUE ")/Dest[3 0 R/Fit]>>endobj\n"},
	{"bookmark that nothing refers to", "", "",
		"6 0 obj<</Title(" VALUE ")/Parent 99 0 R>>endobj\n"},
	{"bookmark, UTF-16", "", "",
		"6 0 obj<</Title<FEFF00480069006400640065006E002D0038003000300031>"
		"/Parent 9 0 R>>endobj\n"},
	{"named destination", "/Names<</Dests<</Names[(" VALUE ")[3 0 R/Fit]]>>>>", "", ""},
	{"destination in a dictionary", "/Dests<</" VALUE "[3 0 R/Fit]>>", "", ""},
	{"page label", "/PageLabels<</Nums[0<</P(" VALUE ")>>]>>", "", ""},
	{"page label, counted", "/PageLabels<</Nums[0<</P(Hidden-)/S/D/St 8001>>]>>", "", ""},
	{"page label, counted from one", "/PageLabels<</Nums[0<</S/D/P(Hidden-800)>>]>>", "", ""},
	{"page label, counted, in an object of its own", "/PageLabels 6 0 R", "",
		"6 0 obj<</Nums[0<</S/D/St 8001/P 7 0 R>>]>>endobj\n7 0 obj (Hidden-)endobj\n"},
	{"page label, counted in UTF-16",
		"/PageLabels<</Nums[0<</S/D/P<FEFF00480069006400640065006E002D>/St 8001>>]>>", "", ""},
	{"script", "/OpenAction<</S/JavaScript/JS(app.alert\\(\"" VALUE "\"\\))>>", "", ""},
	{"script of the document",
		"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(x=\"" VALUE "\")>>]>>>>", "",
		""},
	{"script in a stream", "/OpenAction<</S/JavaScript/JS 6 0 R>>", "",
		"6 0 obj<</Length 15>>stream\nx='" VALUE "'\nendstream endobj\n"},
	{"choice that is not chosen", "/AcroForm<</Fields[6 0 R]>>", "/Annots[6 0 R]",
		"6 0 obj<</Type/Annot/Subtype/Widget/Rect[1 1 9 9]/FT/Ch/T(a)/V(b)/Opt[(b)(" VALUE
		")]>>endobj\n"},
	{"name of a field", "/AcroForm<</Fields[6 0 R]>>", "",
		"6 0 obj<</FT/Tx/T(" VALUE ")>>endobj\n"},
	{"default of a field", "/AcroForm<</Fields[6 0 R]>>", "",
		"6 0 obj<</FT/Tx/T(a)/DV(" VALUE ")>>endobj\n"},
	{"caption of a screen", "", "/Annots[6 0 R]",
		"6 0 obj<</Type/Annot/Subtype/Screen/Rect[1 1 9 9]/MK<</CA(" VALUE ")>>>>endobj\n"},
	{"signature", "/AcroForm<</Fields[6 0 R]>>", "",
		"6 0 obj<</FT/Sig/T(a)/V<</Type/Sig/ByteRange[0 1 2 3]"
		"/Contents<0011>/Name(" VALUE ")>>>>endobj\n"},
	{"collection", "/Collection<</Schema<</a<</Subtype/S/N(" VALUE ")>>>>>>", "", ""},
	{"item of a collection", "", "", "6 0 obj<</Type/CollectionItem/a(" VALUE ")>>endobj\n"},
	{"thread", "/Threads[<</I<</Title(" VALUE ")>>>>]", "", ""},
	{"structure text", "/StructTreeRoot<</K<</S/P/ActualText(" VALUE ")>>>>", "", ""},
	{"alternative text", "/StructTreeRoot<</K<</S/Figure/Alt(" VALUE ")>>>>", "", ""},
	{"expansion", "/StructTreeRoot<</K<</S/Span/E(" VALUE ")>>>>", "", ""},
	{"layer's name", "/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>", "",
		"6 0 obj<</Type/OCG/Name(" VALUE ")>>endobj\n"},
	{"XFA", "/AcroForm<</Fields[]/XFA[(datasets)6 0 R]>>", "",
		"6 0 obj<</Length 25>>stream\n<d><a>" VALUE "</a></d>\nendstream endobj\n"},
	{"comment", "", "", "% " VALUE "\n"},
	{"comment in an object", "", "", "6 0 obj<</A % " VALUE "\n 1>>endobj\n"},
	{"garbage between objects", "", "", "\n" VALUE " and so on\n"},
	{"string in an object of nothing", "", "", "6 0 obj[1 2[(" VALUE ")]]endobj\n"},
	{"string in parts", "", "", "6 0 obj(Hid\\\nden\\055\\070001)endobj\n"},
	{"another page", "", "",
		"6 0 obj<</Type/Page/Contents 7 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
		"7 0 obj<</Length 36>>stream\nBT /F 9 Tf 9 9 Td (" VALUE
		") Tj ET\nendstream endobj\n"},
	{"former revision", "", "",
		"3 0 obj<</Type/Page/Old(" VALUE ")>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
		"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"},
};

static void test_objects(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(objects); i++)
		expect(objects[i].name,
			make_pdf(TEXT, objects[i].catalog, objects[i].page, objects[i].more), VALUE,
			"");
}

/* Objects within a stream of objects, and what stands between these. */
/* Numbers are text where documents say what they are about. */
static void test_numbers(void)
{
	expect("a print run", make_pdf(NULL, "/DPartRoot<</DPM<</CustomerNumber 48291746>>>>", "", ""),
		"CustomerNumber: 48291746", "");
	expect("a field", make_pdf(NULL, "/AcroForm<</Fields[<</FT/Tx/T(a)/V 48291746>>]>>", "", ""),
		"a\n48291746\n", "");
	expect("an item of a collection",
		make_pdf(NULL, "", "", "6 0 obj<</Type/Filespec/F(a)/CI<</Customer 48291746>>>>endobj\n"),
		"Customer: 48291746", "");
	expect("over several fields",
		make_pdf(NULL, "/AcroForm<</Fields[<</FT/Tx/T(a)/V(KD-)>><</FT/Tx/T(b)/V(7740912)>>]>>",
			"", ""),
		"KD-\n7740912\n", "");
	expect("several", make_pdf(NULL, "/DPartRoot<</DPM<</Accounts[1 48291746]>>>>", "", ""),
		"Accounts: 48291746", "");
	expect("a label of eight digits", make_pdf(NULL, "/PageLabels<</Nums[0<</S/D/St 48291746>>]>>", "", ""),
		"48291746", "");
}

/* More than is kept is told; more than belongs to one field is read all the same. */
static void test_too_much(void)
{
	/* One more text than there is room for, of each kind of text in objects. */
	static const struct {
		const char *name, *before, *behind, *unread;
	} kinds[] = {
		{"names", "/X /Name", "\n", "limit"},
		{"strings", "/X (", ")\n", "limit"},
		{"links", "/X <</URI (", ")>>\n", "limit"},
		{"scripts", "/X <</JS (", ")>>\n", "limit"},
		{"information", "/X <</Info <</K (", ")>>>>\n", "limit"},
		{"comments", "/X 1 %", "\n", "limit"},
		/* of these there is room for twice as many */
		{"fields", "/X <</FT/Tx/V (", ")>>\n", ""},
	};
	g_autofree char *long_text = g_strnfill(90, 'x');
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		for (guint times = 1; times <= 9; times += 8) {
			g_autoptr(GString) more = g_string_new("6 0 obj<<\n");
			for (guint n = 0; n < times * 10000; n++)
				g_string_append_printf(more, "%s%07u-%s%s", kinds[i].before, n,
					long_text, kinds[i].behind);
			g_string_append(more, ">>endobj\n");
			expect(kinds[i].name, make_pdf(NULL, "", "", more->str), "",
				times > 1 ? kinds[i].unread : "");
		}
	/* Choices of a field. */
	g_autoptr(GString) choices = g_string_new("6 0 obj<</FT/Ch/T(Customer)/Rect[1 1 9 9]/V(a)/Opt[");
	for (guint n = 0; n < 1200; n++)
		g_string_append_printf(choices, "[(c%u)(choice %u)]", n, n);
	g_string_append(choices, "(" VALUE ")]>>endobj\n");
	expect("choices", make_pdf(NULL, "", "", choices->str), VALUE, "");
	g_autoptr(GString) deep = g_string_new("6 0 obj<</FT/Ch/T(Customer)/Rect[1 1 9 9]/V(a)/Opt");
	for (guint n = 0; n < 12; n++)
		g_string_append_c(deep, '[');
	g_string_append(deep, "(" VALUE ")");
	for (guint n = 0; n < 12; n++)
		g_string_append_c(deep, ']');
	g_string_append(deep, ">>endobj\n");
	expect("choices within choices", make_pdf(NULL, "", "", deep->str), VALUE, "");
	g_autoptr(GString) deepest = g_string_new("6 0 obj<</X");
	for (guint n = 0; n < 120; n++)
		g_string_append_c(deepest, '[');
	g_string_append(deepest, "(" VALUE ")");
	for (guint n = 0; n < 120; n++)
		g_string_append_c(deepest, ']');
	g_string_append(deepest, ">>endobj\n");
	expect("lists in lists", make_pdf(NULL, "", "", deepest->str), "", "limit");
}

static void test_object_streams(void)
{
	static const struct {
		const char *name, *content;
		int count, first;
	} rows[] = {
		{"object", "11 0 12 2 1 (" VALUE ")", 2, 10},
		{"behind the last", "11 0 (a) (" VALUE ")", 1, 5},
		{"comment between", "11 0 12 20 <<>> %" VALUE "\n    <<>>", 2, 11},
		{"before the first", "11 0 (" VALUE ") <<>>", 1, 19},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dictionary = g_strdup_printf(
			"/Type/ObjStm/N %d/First %d", rows[i].count, rows[i].first);
		g_autofree char *more = stream(10, dictionary, rows[i].content);
		expect(rows[i].name, make_pdf(TEXT, "", "", more), VALUE, "");
	}
}

static const char *wanted;

static void collect_names(const MsSpan *span, void *user)
{
	for (gsize i = 0; i < span->n_names; i++) {
		g_autofree char *value = g_strndup(span->text + span->names[i].from,
			span->names[i].until - span->names[i].from);
		if (strcmp(g_strdelimit(g_strstrip(value), "\n", '\0'), wanted) == 0)
			g_string_append_printf(user, "%s|", span->names[i].name);
	}
}

/* "|name|name|": what a line of this value is called. */
static char *names_of(const GByteArray *bytes, const char *value)
{
	GString *out = g_string_new("|");
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsExtraction to = {.budget = &budget, .reading = reading, .span = collect_names,
		.user = out, .message = read_mail};
	to.face = ms_reading_face(reading, "doc");
	MsDocument document = {.where = "doc", .type = "application/pdf", .data = bytes->data,
		.len = bytes->len};
	wanted = value;
	ms_extract(&to, &document);
	return g_string_free(out, FALSE);
}

/* What is typed stands behind what is printed. */
static void test_filled(void)
{
	static const struct {
		const char *name, *annotation, *want;
	} rows[] = {
		{"a field", "/Subtype/Widget/FT/Tx/V(002)", "(with its fields)] Customer C-10002"},
		{"of a parent", "/Subtype/Widget/Parent<</FT/Tx/V(002)>>", "Customer C-10002"},
		{"a number", "/Subtype/Widget/FT/Tx/V 2", "Customer C-102"},
		{"UTF-16", "/Subtype/Widget/FT/Tx/V<FEFF0030003000fc>", "Customer C-1000\xc3\xbc"},
		{"a choice", "/Subtype/Widget/FT/Ch/V(a)/Opt[[(a)(002)][(b)(003)]]",
			"Customer C-10002"},
		{"over the page", "/Subtype/FreeText/Contents(002)", "Customer C-10002"},
		{"over what is blacked out", "/Subtype/Redact/OverlayText(002)", "Customer C-10002"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *annotation = g_strdup_printf(
			"6 0 obj<</Type/Annot%s/Rect[300 712 117 696]>>endobj\n", rows[i].annotation);
		expect(rows[i].name, make_pdf("Customer C-10", "", "/Annots[6 0 R]", annotation),
			rows[i].want, "");
	}
}

/* What of them is typed, chosen or set beforehand, and what program and reader call this. */
static void test_named_fields(void)
{
	static const struct {
		const char *name, *field, *more, *path, *label;
	} rows[] = {
		{"a name", "/T(Customer no.)/V(417)", "", "Customer no.", "Customer no."},
		{"one of several", "/T(CustomerNo_2)/V(417)", "", "CustomerNo", "CustomerNo_2"},
		{"of a path", "/T(form1[0].#page[0].CustomerNo[0])/V(417)", "", "form/CustomerNo", ""},
		{"below another", "/Parent 41 0 R/T(no)/V(417)", "41 0 obj<</T(customer)>>endobj\n",
			"customer/no", "no"},
		{"what is shown to who points at it", "/T(a)/TU(Customer no.)/V(417)", "", "a",
			"Customer no."},
		{"what it is in a file", "/T(a)/TM(customer_no)/V(417)", "", "a", "customer_no"},
		{"a name for a value", "/T(Customer no.)/V/417", "", "Customer no.", ""},
		{"a number", "/T(Customer no.)/V 417.0", "", "Customer no.", ""},
		{"an object of its own", "/T 41 0 R/V 42 0 R",
			"41 0 obj(Customer no.)endobj\n42 0 obj(417)endobj\n", "Customer no.", ""},
		{"a stream", "/T(Customer no.)/V 41 0 R",
			"41 0 obj<</Length 3>>stream\n417\nendstream endobj\n", "Customer no.", ""},
		{"several", "/T(Customer no.)/V[(1)(417)]", "", "Customer no.", ""},
		{"beforehand", "/T(Customer no.)/DV(417)", "", "Customer no.", ""},
		{"a choice", "/T(Customer no.)/V(a)/Opt[[(a)(417)][(b)(1)]]", "", "Customer no.", ""},
		{"with tags", "/T(Customer no.)/RV(<body><p>4<b>17</b></p></body>)", "", "Customer no.",
			""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *more = g_strdup_printf(
			"6 0 obj<</FT/Tx%s>>endobj\n%s", rows[i].field, rows[i].more);
		g_autoptr(GByteArray) bytes =
			make_pdf(TEXT, "/AcroForm<</Fields[6 0 R]>>", "", more);
		g_autofree char *called = names_of(bytes, "417");
		g_autofree char *path = g_strdup_printf("|%s|", rows[i].path),
				*label = g_strdup_printf("|%s|", rows[i].label);
		if (strstr(called, path) == NULL ||
			(*rows[i].label != '\0' && strstr(called, label) == NULL))
			g_error("%s: got %s", rows[i].name, called);
	}
	expect("twin: a note has an author", make_pdf(TEXT, "", "/Annots[6 0 R]",
		"6 0 obj<</Type/Annot/Subtype/Text/Rect[1 1 9 9]/T(Anna)/Contents(417)>>endobj\n"),
		"(fields and notes)] Anna\n417", "");
}

#define TEMPLATE "<template xmlns=\"http://www.xfa.org/schema/xfa-template/3.3/\"><subform name=\"f\">%s" \
	"</subform></template>"
#define CAPTION "<caption><value><text>Customer no.</text></value></caption>"
#define FIELD(name, more) "<field name=\"" name "\">" more "</field>"

/* What a form in XML sets beside a value is its label. */
static void test_xfa(void)
{
	static const struct {
		const char *name, *fields, *label;
	} rows[] = {
		{"a caption", FIELD("a", CAPTION "<value><text>417</text></value>"), "Customer no."},
		{"a caption, behind", FIELD("a", "<value><text>417</text></value>" CAPTION), "Customer no."},
		{"a number", FIELD("a", CAPTION "<value><integer>417</integer></value>"), "Customer no."},
		{"choices", FIELD("a", CAPTION "<items><text>1</text><text>417</text></items>"),
			"Customer no."},
		{"a tip", FIELD("a", "<assist><toolTip>Customer no.</toolTip></assist>"
			"<value><text>417</text></value>"), "Customer no."},
		{"a name", FIELD("CustomerNo", "<value><text>417</text></value>"), "CustomerNo"},
		{"a caption with tags",
			FIELD("a", "<caption><value><exData><body><p>Customer <b>no.</b></p></body></exData>"
			"</value></caption><value><text>417</text></value>"), "Customer no."},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *form = g_strdup_printf(TEMPLATE, rows[i].fields);
		g_autofree char *packet = stream(6, "", form);
		g_autoptr(GByteArray) bytes =
			make_pdf(TEXT, "/AcroForm<</Fields[]/XFA 6 0 R>>", "", packet);
		g_autofree char *called = names_of(bytes, "417");
		g_autofree char *label = g_strdup_printf("|%s|", rows[i].label);
		if (strstr(called, label) == NULL)
			g_error("%s: got %s", rows[i].name, called);
	}
	/* In packets, of which the first begins what the last one ends. */
	g_autofree char *form = g_strdup_printf(TEMPLATE, FIELD("a", CAPTION));
	g_autofree char *first = stream(6, "", "<?xml version=\"1.0\"?><xdp xmlns=\"http://ns.adobe.com/xdp/\">");
	g_autofree char *second = stream(7, "", form);
	g_autofree char *third = stream(8, "", "<datasets><data><f><a>417</a></f></data></datasets>");
	g_autofree char *last = stream(9, "", "</xdp>");
	g_autofree char *all = g_strconcat(last, third, second, first, NULL);
	g_autoptr(GByteArray) bytes = make_pdf(TEXT,
		"/AcroForm<</Fields[]/XFA[(a)6 0 R(b)7 0 R(c)8 0 R(d)9 0 R]>>", "", all);
	g_autofree char *called = names_of(bytes, "417");
	if (strstr(called, "|Customer no.|") == NULL)
		g_error("data of a field: got %s", called);
	expect_of("packets", bytes, "Customer no.|417", "");
	g_autofree char *drawn = g_strdup_printf(TEMPLATE,
		"<draw><value><text>Customer no.</text></value></draw>"
		"<draw><value><text>417</text></value></draw>");
	g_autofree char *packet = stream(6, "", drawn);
	expect("drawn", make_pdf(TEXT, "/AcroForm<</Fields[]/XFA 6 0 R>>", "", packet),
		"(form)] Customer no.\n417", "");
	expect("a packet that does not end", make_pdf(TEXT, "/AcroForm<</Fields[]/XFA 6 0 R>>", "",
		"6 0 obj<</Length 22>>stream\n<d><a>" VALUE "</a>\nendstream endobj\n"), VALUE,
		"damaged");
}

/* What is drawn there is seen as well as what is typed. */
static void test_appearances(void)
{
	static const struct {
		const char *name, *annotation, *want;
	} rows[] = {
		{"a field without a value", "/Subtype/Widget/FT/Tx",
			"(with its fields)] Customer C-10002"},
		{"another value", "/Subtype/Widget/FT/Tx/V(003)",
			"Customer C-10003|Customer C-10002"},
		{"the same, with a blank", "/Subtype/Widget/FT/Tx/V(0 02)",
			"Customer C-100 02"},
		{"a stamp", "/Subtype/Stamp", "Customer C-10002"},
		{"a note over the page", "/Subtype/FreeText", "Customer C-10002"},
	};
	g_autofree char *drawn = stream(7,
		"/Subtype/Form/BBox[0 0 99 16]/Resources<</Font<</F 5 0 R>>>>",
		"/Tx BMC q BT /F 12 Tf 2 4 Td (002) Tj ET Q EMC");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *more = g_strdup_printf("6 0 obj<</Type/Annot%s/AP<</N 7 0 R>>"
			"/Rect[300 712 117 696]>>endobj\n%s", rows[i].annotation, drawn);
		expect(rows[i].name, make_pdf("Customer C-10", "", "/Annots[6 0 R]", more),
			rows[i].want, "");
	}
}

/* A number that begins on one page and ends on the next. */
static void test_over_pages(void)
{
	static const struct {
		const char *name, *first, *second, *want;
	} rows[] = {
		{"last and first line", "(Pay to FR14 2004) Tj", "(1010 0505) Tj",
			"pages 1 and 2] Pay to FR14 2004\n1010 0505"},
		{"over a footer and a header", "(FR14 2004) Tj T* (Page 1) Tj",
			"(Invoice 7) Tj T* (1010 0505) Tj", "FR14 2004\n1010 0505"},
		{"lines without digits", "(FR14 2004) Tj T* (Regards) Tj",
			"(Dear customer) Tj T* (1010 0505) Tj", "FR14 2004\n1010 0505"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *first = g_strdup_printf("BT /F 9 Tf 12 TL 9 90 Td %s ET", rows[i].first);
		g_autofree char *second = g_strdup_printf("BT /F 9 Tf 12 TL 9 90 Td %s ET", rows[i].second);
		g_autofree char *one = stream(7, "", first), *two = stream(9, "", second);
		g_autofree char *more = g_strconcat(
			"2 0 obj<</Type/Pages/Kids[6 0 R 8 0 R]/Count 2/MediaBox[0 0 595 842]"
			"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
			"6 0 obj<</Type/Page/Parent 2 0 R/Contents 7 0 R>>endobj\n"
			"8 0 obj<</Type/Page/Parent 2 0 R/Contents 9 0 R>>endobj\n", one, two, NULL);
		expect(rows[i].name, make_pdf(NULL, "", "", more), rows[i].want, "");
	}
}

/* ---- files ---------------------------------------------------------------------------- */

static void test_files(void)
{
	static const char *const specs[] = {"/F(a.txt)/EF<</F 7 0 R>>",
		"/UF(a.txt)/EF<</UF 7 0 R>>", "/EF<</DOS 7 0 R>>", "/EF<</Unix 7 0 R>>",
		"/EF<</Mac 7 0 R>>", "/F(a.txt)/RF<</F[(b.txt)7 0 R]>>"};
	g_autofree char *file = stream(7, "/Type/EmbeddedFile", VALUE);
	for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
		g_autofree char *more = g_strdup_printf(
			"6 0 obj<</Type/Filespec%s>>endobj\n%s", specs[i], file);
		expect(specs[i],
			make_pdf(TEXT, "/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>", "", more),
			VALUE, "");
		expect(specs[i], make_pdf(TEXT, "/AF[6 0 R]", "", more), VALUE, "");
		expect(specs[i], make_pdf(TEXT, "", "", more), VALUE, "");
	}
	expect("referred to by nothing", make_pdf(TEXT, "", "", file), VALUE, "");
	g_autofree char *plain = stream(7, "", VALUE " is a file");
	expect("of no type", make_pdf(TEXT, "", "", plain), VALUE, "");
}

/* Bytes, or told: never nothing. */
static void test_sealed_files(void)
{
	static const struct {
		const char *name, *dictionary, *content, *unread;
	} rows[] = {
		{"filter that fails", "/Filter/FlateDecode", "this is not compressed at all",
			"damaged"},
		{"unknown filter", "/Filter/Rot13", VALUE, "damaged"},
		{"bad hex", "/Filter/ASCIIHexDecode", "4_8>", "damaged"},
		{"crypt filter of its own", "/Filter/Crypt/DecodeParms<</Name/StdCF>>", "xyz",
			"encrypted"},
		{"the second filter", "/Filter[/ASCIIHexDecode/Crypt]/DecodeParms[null<</Name/A>>]",
			"4142>", "encrypted"},
		{"twin: no filter", "", "fine", ""},
		{"twin: identity", "/Filter/ASCIIHexDecode", "66696E65>", ""},
		{"twin: empty", "", "", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dictionary = g_strconcat(
			"/Type/EmbeddedFile", rows[i].dictionary, NULL);
		g_autofree char *file = stream(7, dictionary, rows[i].content);
		expect(rows[i].name, make_pdf(TEXT, "", "", file), TEXT, rows[i].unread);
	}
}

static void test_metadata(void)
{
	g_autofree char *empty = stream(6, "/Type/Metadata/Subtype/XML", "");
	g_autofree char *blank = stream(6, "/Type/Metadata/Subtype/XML", "  \n \n");
	g_autofree char *some = stream(6, "/Type/Metadata/Subtype/XML", "<x><a>" VALUE "</a></x>");
	expect("empty", make_pdf(TEXT, "/Metadata 6 0 R", "", empty), TEXT, "");
	expect("blank", make_pdf(TEXT, "/Metadata 6 0 R", "", blank), TEXT, "");
	expect("of the document", make_pdf(TEXT, "/Metadata 6 0 R", "", some), VALUE, "");
	expect("of something", make_pdf(TEXT, "", "", some), VALUE, "");
}

/* Of a file that anybody may open, all but what it says of itself is encrypted. */
static void test_open_metadata(void)
{
	static const struct {
		const char *name, *filter;
	} rows[] = {
		{"as the file says", ""},
		{"by its filter, too", "/Filter/Crypt"},
		{"by one of its filters", "/Filter[/Crypt]/DecodeParms[<</Name/Identity>>]"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dictionary = g_strconcat(
			"/Type/Metadata/Subtype/XML", rows[i].filter, NULL);
		g_autofree char *metadata = stream(4, dictionary, "<x><a>" VALUE "</a></x>");
		g_autofree char *all = g_strdup_printf(
			"%%PDF-1.6\n1 0 obj<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>endobj\n"
			"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
			"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n%s"
			"5 0 obj<</Filter/Standard/V 4/R 4/Length 128/P -4/EncryptMetadata false"
			"/CF<</StdCF<</AuthEvent/DocOpen/CFM/V2/Length 16>>>>/StmF/StdCF/StrF/StdCF"
			"/O<77b8fb098022d3ab34237ea5643c08710ea5123fc5f88bf993a68cca5f12b40f>"
			"/U<f5d567fc565c4688dc7c91c0a8ae0a600122456a91bae5134273a6db134c87c4>>>endobj\n"
			"trailer<</Root 1 0 R/Encrypt 5 0 R/ID[<31415926535897932384626433832795>"
			"<31415926535897932384626433832795>]>>\n",
			metadata);
		expect(rows[i].name, bytes_of(all), VALUE, "");
	}
}

/* What is taken for structure has to be that. */
static void test_impostors(void)
{
	static const struct {
		const char *name, *refers;
	} rows[] = {{"colour profile", "[/ICCBased 7 0 R]"}, {"font", "<</FontFile2 7 0 R>>"},
		{"map of characters", "<</ToUnicode 7 0 R>>"}};
	g_autofree char *said = stream(7, "/N 3", VALUE " is not one");
	g_autofree char *short_one = stream(7, "/N 3", "abc");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *more = g_strdup_printf(
			"6 0 obj%s endobj\n%s", rows[i].refers, said);
		expect(rows[i].name, make_pdf(TEXT, "", "", more), VALUE, "");
		g_autofree char *less = g_strdup_printf(
			"6 0 obj%s endobj\n%s", rows[i].refers, short_one);
		expect(rows[i].name, make_pdf(TEXT, "", "", less), "abc", "");
	}
}

/* ---- contents ------------------------------------------------------------------------- */

#define SHOW "BT /F 9 Tf 9 9 Td (" VALUE ") Tj ET"

/* A content that no page shows. */
static void test_not_shown(void)
{
	static const char *const dictionaries[] = {
		"/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 5 0 R>>>>",
		"/Subtype/Form/BBox[0 0 9 9]",
		"/PatternType 1/PaintType 1/BBox[0 0 9 9]/Resources<</Font<</F 5 0 R>>>>", ""};
	for (gsize i = 0; i < G_N_ELEMENTS(dictionaries); i++) {
		g_autofree char *more = stream(6, dictionaries[i], SHOW);
		expect(dictionaries[i], make_pdf(TEXT, "", "", more), VALUE, "");
	}
	g_autofree char *appearance = stream(7, dictionaries[0], SHOW);
	g_autofree char *stamp = g_strconcat(
		"6 0 obj<</Type/Annot/Subtype/Stamp/Rect[1 1 9 9]/AP<</N 7 0 R>>>>endobj\n",
		appearance, NULL);
	expect("stamp", make_pdf(TEXT, "", "/Annots[6 0 R]", stamp), VALUE, "");
	g_autofree char *widget = g_strconcat(
		"6 0 obj<</Subtype/Widget/FT/Tx/T(a)/Rect[1 1 9 9]/AP<</N<</On 7 0 R>>>>>>"
		"endobj\n",
		appearance, NULL);
	expect("widget", make_pdf(TEXT, "", "/Annots[6 0 R]", widget), VALUE, "");
}

static void test_rest_of_contents(void)
{
	static const struct {
		const char *name, *content;
	} rows[] = {
		{"comment", "BT /F 9 Tf 9 9 Td (a) Tj ET % " VALUE "\n"},
		{"other text",
			"/Span<</ActualText(" VALUE ")>>BDC BT /F 9 Tf 9 9 Td (a) Tj ET EMC"},
		{"alternative", "/Figure<</Alt(" VALUE ")>>BDC BT /F 9 Tf 9 9 Td (a) Tj ET EMC"},
		{"marked point", "/P<</X(" VALUE ")>>DP BT /F 9 Tf 9 9 Td (a) Tj ET"},
		{"unknown operator", "BT /F 9 Tf 9 9 Td (a) Tj ET BX (" VALUE ") foo EX"},
		{"left over", "BT /F 9 Tf 9 9 Td (a) Tj ET (" VALUE ")"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i].name, with_content(rows[i].content, "", ""), VALUE, "");
}

static void test_layers(void)
{
	static const char *const states[] = {"/OFF[6 0 R]", "/ON[6 0 R]", "/BaseState/OFF"};
	for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
		g_autofree char *catalog = g_strdup_printf(
			"/OCProperties<</OCGs[6 0 R]/D<<%s>>>>", states[i]);
		g_autofree char *content = stream(8, "", "/OC/L BDC " SHOW " EMC");
		g_autofree char *more = g_strconcat(
			"6 0 obj<</Type/OCG/Name(a)>>endobj\n", content, NULL);
		expect(states[i],
			make_pdf(NULL, catalog,
				"/Contents 8 0 R/Resources<</Font<</F 5 0 R>>"
				"/Properties<</L 6 0 R>>>>",
				more),
			VALUE, "");
	}
	expect("shown if another is not",
		make_pdf(NULL, "/OCProperties<</OCGs[6 0 R]/D<<>>>>",
			"/Contents 8 0 R/Resources<</Font<</F 5 0 R>>/Properties<</L 7 0 R>>>>",
			"6 0 obj<</Type/OCG/Name(a)>>endobj\n7 0 obj<</Type/OCMD/OCGs 6 0 R/P/AllOff>>endobj\n"
			"8 0 obj<</Length 50>>stream\n/OC/L BDC " SHOW " EMC\nendstream endobj\n"),
		VALUE, "");
}

/* Cells, each with its place and `|` behind it; "^" turns one. */
static GByteArray *with_cells(const char *cells)
{
	g_autoptr(GString) content = g_string_new("BT /F 10 Tf ");
	g_auto(GStrv) each = g_strsplit(cells, "|", -1);
	for (char **cell = each; **cell != '\0'; cell++) {
		bool turned = **cell == '^';
		g_auto(GStrv) parts = g_strsplit(*cell + turned, " ", 3);
		g_string_append_printf(content, "%s %s %s Tm (%s) Tj ",
			turned ? "0 1 -1 0" : "1 0 0 1", parts[0], parts[1], parts[2]);
	}
	g_string_append(content, "ET");
	return with_content(content->str, "", "");
}

#define HEAD "50 700 Date|120 700 Customer no.|200 700 Quantity|260 700 Stock|"

/* Cells of tables stand in their columns, whatever of them is empty, long, or said in two lines. */
static void test_tables(void)
{
	static const struct {
		const char *name, *cells, *want;
	} rows[] = {
		{"empty cells",
			HEAD "50 685 01.11.2026|200 685 530|120 670 417|260 670 12|50 655 03.11.2026|",
			"Date\tCustomer no.\tQuantity\tStock\t\n01.11.2026\t\t530\t\t\n"
			"\t417\t\t12\t"},
		{"a column is empty",
			HEAD "50 685 01.11.2026|200 685 530|50 670 02.11.2026|200 670 12|",
			"01.11.2026\t\t530\t\t\n02.11.2026\t\t12\t\t"},
		{"numbers on the right",
			HEAD "50 685 1|178 685 417|233 685 12|50 670 2|233 670 7|268 670 30|",
			"Date\tCustomer no.\tQuantity\tStock\t\n1\t417\t12\t\t\n2\t\t7\t30\t"},
		{"behind their names",
			"50 700 No.|90 700 Stock|140 700 Sum|72 685 417|116 685 12|160 685 8|",
			"No.\tStock\tSum\t\n417\t12\t8\t"},
		{"a blank's width apart",
			"50 700 Quantity|90 700 Customer no.|150 700 Day|82 685 1|91 685 417|150 685 2|"
			"82 670 5|91 670 530|150 670 3|",
			"Quantity\tCustomer no.\tDay\t\n1\t417\t2\t\n5\t530\t3\t"},
		{"heads that touch",
			"50 700 Day|100 700 Customer number|173.8 700 Stock|50 685 1|100 685 417|"
			"190 685 12|50 670 2|190 670 7|",
			"Day\tCustomer number\tStock\t\n1\t417\t12\t\n2\t\t7\t"},
		{"heads that overlap",
			"50 700 Day|100 700 Customer number|168 700 Stock|50 685 1|100 685 417|"
			"168 685 12|50 670 2|168 670 7|",
			"Day\tCustomer number\tStock\t\n1\t417\t12\t\n2\t\t7\t"},
		{"a head in two lines",
			"100 712 Customer|50 700 Day|100 700 no.|170 700 Stock|50 685 1|100 685 417|"
			"170 685 12|",
			"Day\tCustomer\nno.\tStock\t\n1\t417\t12\t"},
		{"of which the middle line is the others'",
			"100 706 Customer|50 700 Day|100 694 no.|170 700 Stock|50 675 1|100 675 417|"
			"170 675 12|",
			"Day\tCustomer\nno.\tStock\t\n1\t417\t12\t"},
		{"turned heads",
			"^58 700 Day|^108 700 Customer no.|^178 700 Stock|50 685 1|100 685 417|170 685 12|"
			"50 670 2|170 670 7|",
			"Day\tCustomer no.\tStock\t\n1\t417\t12\t\n2\t\t7\t"},
		{"a line of another kind",
			HEAD "50 685 1|120 685 417|260 685 5|50 670 All that was delivered in December|"
			     "50 655 2|260 655 530|",
			"1\t417\t\t5\t\nAll that was delivered in December\t\t\t\t\n2\t\t\t530\t"},
		{"sums", HEAD "50 685 1|120 685 417|200 685 5|50 670 Total|200 670 530|",
			"1\t417\t5\t\t\nTotal\t\t530\t\t"},
		{"two words in a cell",
			"50 700 Name|140 700 No.|50 685 Anna Lee|140 685 417|50 670 Ben Lee|140 670 7|",
			"Name\tNo.\t\nAnna Lee\t417\t\nBen Lee\t7\t"},
		{"another table right below, with more columns",
			"50 720 Customer no.|160 720 Day|50 706 530|160 706 1|"
			"50 675 Day|90 675 No.|160 675 Stock|210 675 Order|50 660 2|90 660 417|160 660 5|"
			"210 660 12|",
			"530\t1\t\n\n\n\nDay\tNo.\tStock\tOrder\t\n2\t417\t5\t12\t"},
		{"whose names stand near each other",
			"50 720 Customer no.|160 720 Stock|50 706 530|160 706 1|"
			"50 690 Day|70.2 690 No.|160 690 Order|50 676 2|80 676 417|160 676 5|"
			"50 662 1|80 662 530|160 662 8|",
			"530\t1\t\n\n\n\nDay\tNo.\tOrder\t\n2\t417\t5\t"},
		{"another with fewer columns",
			"50 720 Day|120 720 Customer no.|220 720 Stock|50 706 1|120 706 530|220 706 1|"
			"50 680 Order|120 680 Quantity|50 666 12|120 666 417|",
			"1\t530\t1\t\n\n\n\nOrder\tQuantity\t\n12\t417\t"},
		{"twin: a row of words",
			"50 720 Name|120 720 Customer no.|220 720 Stock|50 706 Lee|120 706 530|220 706 1|"
			"50 692 Kim|220 692 none|50 678 May|120 678 417|",
			"Lee\t530\t1\t\nKim\t\tnone\t\nMay\t417\t\t"},
		{"cells that touch above",
			"50 715 Contract num|110 715 V-8|50 700 Day|110 700 1.12.|50 685 Page|110 685 2|",
			"Contract num\tV-8\t\nDay\t1.12.\t\nPage\t2\t"},
		{"twin: a currency apart from its sums",
			"50 700 Day|100 700 Customer no.|200 700 Deliverysummary|50 685 1|100 685 417|200 685 EUR|"
			"240 685 12,00|50 670 Sum|200 670 EUR|240 670 12,00|",
			"1\t417\tEUR 12,00\t\n"},
		{"another table below",
			"50 700 Day|100 700 No.|150 700 Stock|50 685 1|150 685 2|"
			"50 600 Item|250 600 Price|50 585 A|250 585 9|",
			"1\t\t2\t\n\n\n\nItem\tPrice\t\nA\t9\t"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i].name, with_cells(rows[i].cells), rows[i].want, "");
}

/* Where nobody can take the value of one column for another's, a name is above its own alone.  In
 * doubt it stands in the text as it is read, too, and in the order of the content. */
static void test_tables_without_doubt(void)
{
	static const struct {
		const char *name, *cells;
		guint times; /* the name "Stock" is read */
	} rows[] = {
		{"plain", HEAD "50 685 1|120 685 417|200 685 5|260 685 9|50 670 2|260 670 12|", 1},
		{"text around it",
			"50 740 Dear customer,|50 718 these are your orders:|" HEAD "50 685 1|120 685 417|"
			"200 685 5|260 685 9|50 650 Kind regards|", 1},
		{"a line over the columns",
			HEAD "50 685 1|120 685 417|260 685 5|50 670 All that was delivered in December|"
			     "50 655 2|260 655 530|", 1},
		{"names of two lines",
			"100 712 Customer|50 700 Day|100 700 no.|170 700 Stock|50 685 1|100 685 417|"
			"170 685 12|", 1},
		{"names of a blank's width, of which one has a blank",
			"50 700 Quantity|90 700 Customer no.|152 700 Stock|50 685 1|115 685 417|170 685 2|"
			"50 670 5|115 670 530|170 670 3|", 1},
		{"names that touch the next column",
			"50 700 Day|100 700 Customer number|173.8 700 Stock|50 685 1|100 685 417|"
			"190 685 12|50 670 2|190 670 7|", 1},
		{"columns one behind the other",
			"50 700 No|50 685 1|70 700 Order|70 685 530|110 700 Customer no.|110 685 417|"
			"190 700 Stock|190 685 12|", 1},
		{"in doubt: a name of two columns, above their middle",
			"75 712 Customer|220 712 Order|50 700 no.|110 700 name|200 700 no.|260 700 Stock|"
			"50 685 417|110 685 Lee|200 685 12|260 685 9|", 3},
		{"in doubt: a title right above the names",
			"50 712 Customer no.|50 700 Day|100 700 Stock|160 700 Sum|50 685 417|100 685 12|"
			"160 685 9|", 3},
		{"in doubt: the first line of a name that has no room",
			"82 712 Internal customer|50 700 Day|110 700 no.|170 700 Stock|50 660 1|110 660 417|"
			"170 660 12|", 3},
		{"in doubt: blanks are never drawn",
			"50 700 Day|90 700 Customer|134 700 no.|150 700 Stock|50 685 1|122 685 417|"
			"160 685 12|50 670 2|122 670 530|160 670 9|", 3},
		{"in doubt: a column without a name",
			"50 700 Day|170 700 Stock|50 685 1|110 685 417|170 685 12|50 670 2|110 670 7|"
			"170 670 9|", 3},
		{"in doubt: a name over the next column, which has none",
			"50 700 Day|100 700 Customer number and Stock|50 685 1|100 685 417|220 685 9|", 3},
		{"addresses side by side",
			"50 700 Northwind Ltd|200 700 Stock Ltd|50 685 Park 1|200 685 Lane 2|"
			"50 670 80786 Bonn|200 670 10115 Ulm|", 3},
		{"one column of numbers", "50 700 Name|140 700 Stock|50 685 Anna|140 685 417|", 3},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) bytes = with_cells(rows[i].cells);
		Got got = read_document(bytes);
		guint times = 0;
		for (const char *at = got.text->str; (at = strstr(at, "Stock")) != NULL; at++)
			times++;
		if (times != rows[i].times)
			g_error("%s: got %u times, want %u: %s", rows[i].name, times, rows[i].times,
				got.text->str);
		got_free(&got);
	}
}

/* A table that goes on on the next page has the names of the first one, unless it has its own. */
static void test_tables_over_pages(void)
{
	static const struct {
		const char *name, *second, *want;
	} rows[] = {
		{"no head", "(2) Tj 200 0 Td (530) Tj -200 -15 Td (3) Tj 100 0 Td (417) Tj",
			"page 2] Day\tCustomer no.\tStock\t\n2\t\t530\t\n3\t417\t\t"},
		{"its own", "(Day) Tj 100 0 Td (Stock) Tj -100 -15 Td (2) Tj 100 0 Td (530) Tj",
			"page 2] Day\tStock\t\n2\t530\t"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *second =
			g_strdup_printf("BT /F 10 Tf 50 700 Td %s ET", rows[i].second);
		g_autofree char *one = stream(7, "", "BT /F 10 Tf 50 700 Td (Day) Tj 100 0 Td "
			"(Customer no.) Tj 100 0 Td (Stock) Tj -200 -15 Td (1) Tj 100 0 Td (417) Tj ET");
		g_autofree char *two = stream(9, "", second);
		g_autofree char *more = g_strconcat(
			"2 0 obj<</Type/Pages/Kids[6 0 R 8 0 R]/Count 2/MediaBox[0 0 595 842]"
			"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
			"6 0 obj<</Type/Page/Parent 2 0 R/Contents 7 0 R>>endobj\n"
			"8 0 obj<</Type/Page/Parent 2 0 R/Contents 9 0 R>>endobj\n", one, two, NULL);
		expect(rows[i].name, make_pdf(NULL, "", "", more), rows[i].want, "");
	}
}

/* Where no blank is, none is read; and one is, whatever a font calls it. */
static void test_blanks(void)
{
	static const char font[] = "6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>endobj\n";
	expect("a word of two sizes", with_content("BT /F 10 Tf 50 700 Td (Day) Tj 50 0 Td (N) Tj "
		"/G 7 Tf 7.3 3 Td (o) Tj /F 10 Tf 90 -3 Td (Stock) Tj -147.3 -15 Td (1) Tj 50 0 Td "
		"(417) Tj 97.3 0 Td (9) Tj ET", "/Font<</F 5 0 R/G 6 0 R>>", font),
		"Day\tNo\tStock\t\n1\t417\t9\t", "");
	g_autofree char *map = stream(7, "", "begincmap 1 begincodespacerange <00><FF> endcodespacerange "
		"1 beginbfchar <7e><0009> endbfchar endcmap end");
	g_autofree char *more = g_strconcat("6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Times-Roman"
		"/ToUnicode 7 0 R>>endobj\n", map, NULL);
	Got got = read_document(with_content("BT /F 10 Tf 40 700 Td (last) Tj 0 20 Td /G 10 Tf (C~4711) Tj ET",
		"/Font<</F 5 0 R/G 6 0 R>>", more));
	if (strstr(got.text->str, "C 4711\nlast") == NULL || strstr(got.text->str, "C\t4711") != NULL)
		g_error("a blank that is called a tab: %s", got.text->str);
	got_free(&got);
}

/* A page that is turned, or a table on it. */
static void test_tables_turned(void)
{
	static const char table[] = "(Day) Tj 100 0 Td (Customer no.) Tj 100 0 Td (Stock) Tj "
		"-200 -15 Td (1) Tj 200 0 Td (530) Tj -200 -15 Td (2) Tj 100 0 Td (417) Tj ET";
	static const struct {
		const char *name, *matrix, *page;
	} rows[] = {
		{"upwards", "0 1 -1 0 300 50", ""},
		{"downwards", "0 -1 1 0 300 700", ""},
		{"upside down", "-1 0 0 -1 500 300", ""},
		{"a page to be turned", "0 1 -1 0 300 50", "/Rotate 90"},
		{"a page that is turned", "1 0 0 1 50 700", "/Rotate 90"},
		{"the other way", "1 0 0 1 50 700", "/Rotate 270"},
		{"twin: as it is", "1 0 0 1 50 700", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *content = g_strdup_printf(
			"BT /F 10 Tf %s Tm %s", rows[i].matrix, table);
		g_autofree char *page = g_strdup_printf("/Contents 9 0 R%s", rows[i].page);
		g_autofree char *more = stream(9, "", content);
		expect(rows[i].name, make_pdf(NULL, "", page, more),
			"Day\tCustomer no.\tStock\t\n1\t\t530\t\n2\t417\t\t", "");
	}
}

#define LONG_TEXT \
	"BT /F 10 Tf 40 700 Td (This letter has more than enough words to be a page of text, and says what it wants) Tj " \
	"0 -14 Td (in two lines, of which the other one is no shorter than the first, as such letters are) Tj ET "

/* A cell that wraps beside another, and letters at any angle. */
static void test_order(void)
{
	expect("wrapped cells",
		with_content("BT /F 9 Tf 50 700 Td (Hidden-) Tj 0 -11 Td (8001) Tj ET "
			     "BT /F 9 Tf 120 700 Td (other) Tj 0 -11 Td (words) Tj ET",
			"", ""),
		"Hidden-\n8001", "");
	static const double angles[] = {2, 5, 10, 33, 45, 90, 180};
	for (gsize i = 0; i < G_N_ELEMENTS(angles); i++) {
		double sine = sin(angles[i] * G_PI / 180), cosine = cos(angles[i] * G_PI / 180);
		char a[32], b[32], c[32];
		g_ascii_formatd(a, sizeof a, "%.5f", cosine);
		g_ascii_formatd(b, sizeof b, "%.5f", sine);
		g_ascii_formatd(c, sizeof c, "%.5f", -sine);
		g_autofree char *content = g_strdup_printf(
			"BT /F 12 Tf %s %s %s %s 300 400 Tm (" VALUE " is at an angle) "
			"Tj ET",
			a, b, c, a);
		g_autofree char *name = g_strdup_printf("%g degrees", angles[i]);
		expect(name, with_content(content, "", ""), VALUE, "");
	}
	expect("letter by letter",
		with_content("BT /F 10 Tf 50 700 Td (H) Tj 7.22 0 Td (i) Tj 2.22 0 Td (d) Tj "
			     "5.56 0 Td (den-8001) Tj ET",
			"", ""),
		VALUE, "");
	static const char *const flat[] = {"/F 0 Tf", "/F 10 Tf 0 Tz", "0 0 0 0 9 9 Tm /F 10 Tf"};
	for (gsize i = 0; i < G_N_ELEMENTS(flat); i++) {
		g_autofree char *content = g_strdup_printf(
			LONG_TEXT "BT 50 600 Td %s (" VALUE ") Tj ET", flat[i]);
		expect(flat[i], with_content(content, "", ""), VALUE, "");
	}
	expect("twice, to look bold",
		with_content(
			"BT /F 10 Tf 50 700 Td (H) Tj .2 0 Td (H) Tj 7.02 0 Td (idden-8001) Tj ET",
			"", ""),
		VALUE, "");
}

static void test_broken(void)
{
	expect("operator without operands",
		with_content("BT undefined 10 Tf /F 10 Tf 9 9 Td (a) Tj ET", "", ""), "",
		"damaged");
	expect("no font", with_content("BT 9 9 Td (" VALUE ") Tj ET", "", ""), "", "damaged");
	expect("compressed data",
		make_pdf(TEXT, "", "/Contents 6 0 R",
			"6 0 obj<</Filter/FlateDecode/Length 9>>stream\nnot so...\nendstream endobj\n"),
		"", "damaged");
	expect("picture without its data",
		with_content("BI /W 10 /H 10 /BPC 8 /CS /RGB ID xx EI BT /F 10 Tf 9 9 Td (" VALUE
			     ") Tj ET",
			"", ""),
		"", "damaged");
	expect("picture without an end",
		with_content("BI /W 1 /H 1 /BPC 8 /CS /G ID x BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET",
			"", ""),
		"", "damaged");
	expect("dictionary without an end",
		with_content("<</A BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET", "", ""), "", "damaged");
	expect("array without an end",
		with_content("[ BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET", "", ""), "", "damaged");
	expect("twin: an array without an end behind the text",
		with_content("BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET [", "", ""), VALUE, "");
	expect("twin: a picture without a blank before its end",
		with_content("BI /W 1 /H 1 /BPC 8 /CS /G ID xEI BT /F 10 Tf 9 9 Td (" VALUE
			     ") Tj ET",
			"", ""),
		VALUE, "");
	expect("twin: an unknown operator",
		with_content("BT /F 10 Tf 9 9 Td (a) Tj foo ET", "", ""), "a", "");
	expect("twin: one operand too many", with_content("BT 1 /F 10 Tf 9 9 Td (a) Tj ET", "", ""),
		"a", "");
}

/* What restores nothing ends a content for Poppler, and is passed over by others. */
static void test_unmatched(void)
{
	expect("one", with_content("Q BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET", "", ""), VALUE, "");
	expect("several",
		with_content("q Q Q Q BT /F 10 Tf 9 9 Td (Hidden) Tj Q (-8001) Tj ET Q", "", ""),
		VALUE, "");
	g_autofree char *form = stream(6, "/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 5 0 R>>>>",
		"Q BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET");
	expect("in a form", with_content("/X Do", "/XObject<</X 6 0 R>>", form), VALUE, "");
	expect("in what nothing shows", make_pdf(TEXT, "", "", form), VALUE, "");
	expect("twin: the text before it",
		with_content("q BT /F 10 Tf 9 9 Td (" VALUE ") Tj ET Q Q", "", ""), VALUE, "");
}

/* ---- letters -------------------------------------------------------------------------- */

/* What one sees and what is copied may differ. */
static void test_letters_of_names(void)
{
	static const char map[] = "begincmap 1 begincodespacerange <00><FF> endcodespacerange "
				  "10 beginbfchar %s endbfchar endcmap end";
	static const struct {
		const char *name, *map;
	} rows[] = {{"a map to letters of no meaning", "<37><E001><31><E002><34><E003>"},
		{"a map to what is unknown", "<37><FFFD><31><FFFD><34><FFFD>"},
		{"a map to nothing", "<37><><31><><34><>"}, {"a map to NUL", "<37><0000>"},
		{"a map to other digits", "<37><0035><31><0032>"},
		{"a map to several letters", "<37><00780079>"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(map, rows[i].map);
		g_autofree char *stream_7 = stream(7, "", text);
		g_autofree char *more = g_strconcat(
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 7 0 R"
			"/Encoding/WinAnsiEncoding>>endobj\n", stream_7, NULL);
		expect(rows[i].name,
			with_content("BT /F 10 Tf 40 700 Td (" TEXT ") Tj ET BT /G 10 Tf 40 600 Td (C-4711) Tj ET",
				"/Font<</F 5 0 R/G 6 0 R>>", more),
			"C-4711", "");
	}
}

static void test_letters(void)
{
	expect("numbers of glyphs",
		with_content(LONG_TEXT "BT /G 10 Tf 40 600 Td <001100120013001400150016> Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>",
			"6 0 obj<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H"
			"/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/A/CIDSystemInfo<</Registry(Adobe)"
			"/Ordering(Identity)/Supplement 0>>>>]>>endobj\n"),
		"words", "charset");
	expect("names that say nothing",
		with_content(LONG_TEXT "BT /G 10 Tf 40 600 Td (abcdef) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>",
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/A/Encoding<</Differences"
			"[97/x1q/x2q/x3q/x4q/x5q/x6q]>>>>endobj\n"),
		"words", "charset");
	expect("glyphs of Type 3",
		with_content(LONG_TEXT "BT /G 10 Tf 40 600 Td (abcdef) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>",
			"6 0 obj<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]"
			"/CharProcs<<>>/FirstChar 97/LastChar 102/Widths[9 9 9 9 9 9]/Encoding<</Differences"
			"[97/g0/g1/g2/g3/g4/g5]>>>>endobj\n"),
		"words", "charset");
	expect("twin: glyphs of TeX, by the numbers of its letters",
		with_content(LONG_TEXT "BT /G 1 Tf 40 600 Td (qrstqr) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>",
			"6 0 obj<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]"
			"/CharProcs<<>>/FirstChar 113/LastChar 116/Widths[9 9 9 9]/Encoding<</Differences"
			"[113/a113/a114/a115/a116]>>>>endobj\n"),
		"qrstqr", "");
	static const char map[] =
		"begincmap 1 begincodespacerange <00><FF> endcodespacerange 1 beginbfrange "
		"<61><7a><%s> endbfrange endcmap end";
	static const struct {
		const char *name, *to, *unread;
	} rows[] = {{"a map that says otherwise", "0061", "charset"},
		{"a map to nothing", "0020", "charset"}, {"twin: a map that agrees", "0041", ""}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(map, rows[i].to);
		g_autofree char *stream_7 = stream(7, "", text);
		bool agrees = *rows[i].unread == '\0';
		g_autofree char *more = g_strdup_printf(
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 7 0 R"
			"/Encoding<</Differences[97%s]>>>>endobj\n%s",
			agrees ? "/A/B/C/D/E/F" : "/one/two/three/four/five/six", stream_7);
		expect(rows[i].name, with_content(LONG_TEXT "BT /G 10 Tf 40 600 Td (abcdef) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>", more), "words", rows[i].unread);
	}
	expect("twin: bullets",
		with_content(LONG_TEXT
			"BT /G 10 Tf 40 600 Td (a) Tj ET BT /F 10 Tf 50 600 Td (point) Tj ET "
			"BT /G 10 Tf 40 580 Td (a) Tj ET BT /F 10 Tf 50 580 Td (point) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>",
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/A/Encoding<</Differences[97/x1q]>>>>endobj\n"),
		"point", "");
}

/* A page's text is what the library says of it, whichever way its letters run. */
static void test_directions(void)
{
	static const char map[] =
		"begincmap 1 begincodespacerange <00><FF> endcodespacerange 2 beginbfrange "
		"<61><7a><%s> <41><5a><0041> endbfrange endcmap end";
	static const struct {
		const char *name, *to, *wanted;
	} rows[] = {
		{"from left to right", "00e0", "\nAB \xc3\xa0\xc3\xa1\xc3\xa2 CD\n"},
		{"the last script of them", "0561", "\nAB \xd5\xa1\xd5\xa2\xd5\xa3 CD\n"},
		{"from right to left", "05d0",
			"\nAB \xe2\x80\xab\xd7\x92\xd7\x91\xd7\x90\xe2\x80\xac CD\n"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(map, rows[i].to);
		g_autofree char *stream_7 = stream(7, "", text);
		g_autofree char *more = g_strconcat(
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 7 0 R>>endobj\n",
			stream_7, NULL);
		expect(rows[i].name, with_content("BT /F 9 Tf 9 99 Td (first) Tj 0 -20 Td "
			"/G 9 Tf (AB abc CD) Tj 0 -20 Td /F 9 Tf (last) Tj ET",
			"/Font<</F 5 0 R/G 6 0 R>>", more), rows[i].wanted, "");
	}
}

/* `n` letter-like shapes in a line. */
static char *shapes(int n, const char *how)
{
	GString *out = g_string_new(NULL);
	for (int i = 0; i < n; i++)
		g_string_append_printf(out, "%d 400 m %d 410 l %d 405 %d 402 %d 400 c %s ",
			40 + i * 8, 43 + i * 8, 46 + i * 8, 46 + i * 8, 45 + i * 8, how);
	return g_string_free(out, FALSE);
}

/* A table of `n` cells in a line, whose borders are shapes of four corners each, cut off aslant as
 * browsers draw them; or none but strokes. */
static char *grid(int n, bool strokes)
{
	GString *out = g_string_new(NULL);
	for (int i = 0; i < n; i++) {
		int x = 40 + i * 30;
		if (strokes)
			g_string_append_printf(out, "%d 400 m %d 415 l S %d 400 m %d 400 l S ", x,
				x, x, x + 30);
		else
			g_string_append_printf(out,
				"%d 400 m %d.8 400.8 l %d.8 414.2 l %d 415 l f "
				"%d 400 m %d.8 400.8 l %d.2 400.8 l %d 400 l f ",
				x, x, x, x, x, x, x + 29, x + 30);
	}
	return g_string_free(out, FALSE);
}

/* Digits of seven bars each. */
static char *bars(int n)
{
	GString *out = g_string_new(NULL);
	for (int i = 0; i < n; i++) {
		int x = 40 + i * 9;
		g_string_append_printf(out,
			"%d 400 m %d 404 l S %d 404 m %d 408 l S %d 400 m %d 400 l S "
			"%d 404 m %d 404 l S %d 400 m %d 404 l S ",
			x, x, x, x, x, x + 5, x, x + 5, x + 5, x + 5);
	}
	return g_string_free(out, FALSE);
}

#define PICTURE \
	"7 0 obj<</Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Length 1>>stream\na\n" \
	"endstream endobj\n"
#define PICTURES "/XObject<</I 7 0 R>>"

static void test_pictures(void)
{
	g_autofree char *filled = shapes(40, "f"), *stroked = shapes(40, "S"),
			*few = shapes(8, "f"), *some = shapes(20, "f");
	g_autofree char *line = g_strconcat(LONG_TEXT, filled, NULL),
			*strokes = g_strconcat(LONG_TEXT, stroked, NULL),
			*logo = g_strconcat(LONG_TEXT, few, NULL),
			*number = g_strconcat("BT /F 9 Tf 300 20 Td (1) Tj ET ", some, NULL);
	expect("a line of shapes", with_content(line, "", ""), "words", "image-only");
	expect("a line of strokes", with_content(strokes, "", ""), "words", "image-only");
	expect("shapes and a page number", with_content(number, "", ""), "1", "image-only");
	g_autofree char *borders = grid(24, false), *rules = grid(24, true), *digits = bars(10);
	g_autofree char *table = g_strconcat("BT /F 9 Tf 50 402 Td (Sum 119,00) Tj ET ", borders, NULL),
			*ruled = g_strconcat("BT /F 9 Tf 50 402 Td (Sum 119,00) Tj ET ", rules, NULL),
			*within = g_strconcat(table, some, NULL),
			*display = g_strconcat("BT /F 9 Tf 300 20 Td (1) Tj ET ", digits, NULL);
	expect("twin: a short page with a table", with_content(table, "", ""), "Sum", "");
	expect("twin: a short page with a table of strokes", with_content(ruled, "", ""), "Sum", "");
	expect("shapes in a table", with_content(within, "", ""), "Sum", "image-only");
	expect("digits of bars", with_content(display, "", ""), "1", "image-only");
	expect("twin: a logo of shapes", with_content(logo, "", ""), "words", "");
	expect("picture of most of the page",
		with_content(LONG_TEXT "q 595 0 0 600 0 0 cm /I Do Q", PICTURES, PICTURE), "words",
		"image-only");
	expect("picture and a page number",
		with_content("BT /F 9 Tf 300 20 Td (1) Tj ET q 500 0 0 500 0 200 cm /I Do Q",
			PICTURES, PICTURE),
		"1", "image-only");
	expect("picture of a line",
		with_content(LONG_TEXT "q 400 0 0 60 50 300 cm /I Do Q", PICTURES, PICTURE),
		"words", "image-only");
	expect("twin: paper under the text",
		with_content("q 595 0 0 842 0 0 cm /I Do Q " LONG_TEXT, PICTURES, PICTURE), "words",
		"");
	expect("twin: a logo",
		with_content(LONG_TEXT "q 120 0 0 60 50 750 cm /I Do Q", PICTURES, PICTURE),
		"words", "");
}

/* ---- form data ------------------------------------------------------------------------ */

static void test_fdf(void)
{
	static const char *const fields[] = {"<</T(a)/V(" VALUE ")>>", "<</T(" VALUE ")/V(a)>>",
		"<</T(a)/V[(b)(" VALUE ")]>>",
		"<</T(a)/V<FEFF00480069006400640065006E002D0038003000300031>>>",
		"<</T(a)/Kids[<</T(b)/V(" VALUE ")>>]>>"};
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *text = g_strdup_printf(
			"%%FDF-1.2\n1 0 obj<</FDF<</Fields[%s]>>>>endobj\n"
			"trailer<</Root 1 0 R>>\n%%%%EOF\n",
			fields[i]);
		expect(fields[i], bytes_of(text), VALUE, "");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	g_test_add_func("/pdf/objects", test_objects);
	g_test_add_func("/pdf/numbers", test_numbers);
	g_test_add_func("/pdf/too-much", test_too_much);
	g_test_add_func("/pdf/filled", test_filled);
	g_test_add_func("/pdf/named-fields", test_named_fields);
	g_test_add_func("/pdf/xfa", test_xfa);
	g_test_add_func("/pdf/appearances", test_appearances);
	g_test_add_func("/pdf/over-pages", test_over_pages);
	g_test_add_func("/pdf/object-streams", test_object_streams);
	g_test_add_func("/pdf/files", test_files);
	g_test_add_func("/pdf/sealed-files", test_sealed_files);
	g_test_add_func("/pdf/metadata", test_metadata);
	g_test_add_func("/pdf/open-metadata", test_open_metadata);
	g_test_add_func("/pdf/impostors", test_impostors);
	g_test_add_func("/pdf/not-shown", test_not_shown);
	g_test_add_func("/pdf/rest-of-contents", test_rest_of_contents);
	g_test_add_func("/pdf/layers", test_layers);
	g_test_add_func("/pdf/tables", test_tables);
	g_test_add_func("/pdf/tables/without-doubt", test_tables_without_doubt);
	g_test_add_func("/pdf/tables/over-pages", test_tables_over_pages);
	g_test_add_func("/pdf/blanks", test_blanks);
	g_test_add_func("/pdf/tables/turned", test_tables_turned);
	g_test_add_func("/pdf/order", test_order);
	g_test_add_func("/pdf/broken", test_broken);
	g_test_add_func("/pdf/unmatched", test_unmatched);
	g_test_add_func("/pdf/letters", test_letters);
	g_test_add_func("/pdf/letters/of-names", test_letters_of_names);
	g_test_add_func("/pdf/directions", test_directions);
	g_test_add_func("/pdf/pictures", test_pictures);
	g_test_add_func("/pdf/fdf", test_fdf);
	return g_test_run();
}
