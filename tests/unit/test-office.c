/* Office documents: what stands in each place of them is found, and none breaks its neighbour.
 * Each kind has a twin that is right, in which nothing is unread. */
#include "config.h"

#include "missent/extract.h"

#include "../../milter/extract/formula.h"
#include "../../milter/extract/members.h"
#include "../../milter/extract/numfmt.h"
#include "../../milter/extract/readers.h"
#include "../test.h"
#include "documents.h"

typedef struct {
	GString *text; /* "[place] text" a span */
	MsReading *reading;
} Got;

static void collect(const MsSpan *span, void *user)
{
	g_string_append_printf(user, "[%s%s] ", span->where,
		span->type == MS_SPAN_ASIDE ? ", aside" : "");
	g_string_append_len(user, span->text, (gssize)span->len);
	g_string_append_c(user, '\n');
	for (gsize i = 0; i < span->n_names; i++)
		g_string_append_printf(user, "%s = %.*s\n", span->names[i].name,
			(int)(span->names[i].until - span->names[i].from),
			span->text + span->names[i].from);
}

static void no_mail(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	ms_extract_span(to, where, (const char *)data, len);
}

static Got read_bytes(const guint8 *data, gsize len)
{
	Got got = {g_string_new(NULL), ms_reading_new()};
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	char *copy = exact_copy(data, len);
	MsExtraction to = {.budget = &budget, .reading = got.reading, .span = collect,
		.user = got.text, .message = no_mail};
	to.face = ms_reading_face(got.reading, "doc");
	MsDocument document = {.where = "doc", .type = "application/octet-stream",
		.data = (guint8 *)copy, .len = len};
	ms_extract(&to, &document);
	free(copy);
	return got;
}

/* Takes `bytes`.  `wanted`: set apart by '|', each must be in the text; `unread`: the reasons. */
static void expect(const char *name, GByteArray *bytes, const char *wanted, const char *unread)
{
	Got got = read_bytes(bytes->data, bytes->len);
	g_auto(GStrv) words = g_strsplit(wanted, "|", -1);
	for (char **word = words; *word != NULL; word++)
		if (**word == '!' ? strstr(got.text->str, *word + 1) != NULL
				: strstr(got.text->str, *word) == NULL)
			g_test_fail_printf("%s: \"%s\":\n%s", name, *word, got.text->str);
	g_autoptr(GString) reasons = g_string_new(NULL);
	for (guint i = 0; i < got.reading->unread->len; i++)
		g_string_append_printf(reasons, "%s%s", i > 0 ? " " : "",
			ms_unread_name(((MsUnread *)got.reading->unread->pdata[i])->reason));
	if (strcmp(reasons->str, unread) != 0)
		g_test_fail_printf("%s: unread is \"%s\", want \"%s\"\n%s", name, reasons->str,
			unread, got.text->str);
	g_string_free(got.text, TRUE);
	ms_reading_free(got.reading);
	g_byte_array_unref(bytes);
}

#define TYPES {"[Content_Types].xml", "<Types/>", -1}
#define W "<w:document xmlns:w='urn:w'><w:body>"
#define W_END "</w:body></w:document>"

/* ---- Word ----------------------------------------------------------------------------- */

static GByteArray *word(const char *body)
{
	g_autofree char *whole = g_strconcat(W, body, W_END, NULL);
	return ZIP(TYPES, {"word/document.xml", whole, -1});
}

#define R(text) "<w:r><w:t>" text "</w:t></w:r>"

static void test_changes(void)
{
	expect("a replacement",
		word("<w:p>" R(
			"No. ") "<w:del w:id='1'><w:r><w:delText>C-10001</w:delText></w:r></w:del>"
				"<w:ins w:id='2'>" R("C-20002") "</w:ins></w:p>"),
		"] No. C-20002\n|(before changes)] No. C-10001\n|!C-10001C-", "");
	expect("within a number",
		word("<w:p>" R("C-1000") "<w:del><w:r><w:delText>1</w:delText></w:r></w:del>"
					 "<w:ins>" R("2") "</w:ins></w:p>"),
		"] C-10002\n|] C-10001\n", "");
	expect("moved",
		word("<w:p>" R("A-") "<w:moveFrom>" R("Old-1") "</w:moveFrom><w:moveTo>" R(
			"New-1") "</w:moveTo></w:p>"),
		"] A-New-1\n|] A-Old-1\n", "");
	expect("the mark between two paragraphs",
		word("<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" R("C-10") "</w:p><w:p>" R(
			"002") "</w:p>"),
		"] C-10002\n|(before changes)] C-10\n002\n", "");
	expect("what stands beside a changed line",
		word("<w:p>" R("Acme") "</w:p><w:p><w:del><w:r><w:delText>Rue 1</w:delText></w:r></w:del>"
				       "<w:ins>" R("Allee 2") "</w:ins></w:p><w:p>" R("69003 Lyon") "</w:p>"),
		"] Acme\nAllee 2\n69003 Lyon\n|(before changes)] Acme\nRue 1\n69003 Lyon\n", "");
	expect("what stands beside it is told once",
		word("<w:p>" R("A") "</w:p><w:p>" R("B") "</w:p><w:p>" R("C") "</w:p><w:p>" R("D") "<w:del>"
			"<w:r><w:delText>1</w:delText></w:r></w:del></w:p><w:p>" R("E") "</w:p><w:p>" R("F")
			"<w:del><w:r><w:delText>2</w:delText></w:r></w:del></w:p><w:p>" R("G") "</w:p><w:p>"
			R("H") "</w:p><w:p>" R("I") "</w:p>"),
		"(before changes)] B\nC\nD1\nE\nF2\nG\nH\n", "");
	expect("what stands beside a hidden line",
		word("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>Rue 1</w:t></w:r></w:p><w:p>" R("69003 Lyon")
			"</w:p>"),
		"(with hidden text)] Rue 1\n69003 Lyon\n", "");
	expect("none", word("<w:p>" R("C-1") R("0002") "</w:p>"), "] C-10002\n|!before", "");
}

#define NUMBER_STYLE(name, attributes) \
	"<number:number-style style:name='" name "'><number:text>KD-</number:text><number:number " \
	attributes "/></number:number-style>"
#define CELL_STYLE(name, data, more) \
	"<style:style style:name='" name "' style:data-style-name='" data "' " more "/>"
#define CELL_OF(style) \
	"<table:table-cell table:style-name='" style "' office:value='7740912'/>"

/* A number with two digits more in a run of the style "H", and Word's styles. */
static GByteArray *word_styled(const char *styles)
{
	g_autofree char *part = g_strconcat("<w:styles xmlns:w='u'>", styles, "</w:styles>", NULL);
	return ZIP(TYPES,
		{"word/document.xml", W "<w:p>" R("C-10")
			"<w:r><w:rPr><w:rStyle w:val='H'/></w:rPr><w:t>99</w:t></w:r>" R("002") "</w:p>"
			W_END, -1},
		{"word/styles.xml", part, -1});
}

static void test_hidden_by_styles(void)
{
#define STYLE(id, more) "<w:style w:styleId='" id "'>" more "</w:style>"
#define ON(id) "<w:basedOn w:val='" id "'/>"
#define LOOK(value) "<w:rPr><w:vanish w:val='" value "'/></w:rPr>"
	static const struct {
		const char *styles;
		bool hides;
	} rows[] = {
		{STYLE("H", "<w:rPr><w:vanish/></w:rPr>"), true},
		{STYLE("G", LOOK("1")) STYLE("H", ON("G")), true},
		{STYLE("H", ON("G")) STYLE("G", ON("F")) STYLE("F", LOOK("true")), true},
		{STYLE("H", "<w:rPr><w:b/></w:rPr>"), false},
		{STYLE("H", LOOK("0")), false},
		{STYLE("G", LOOK("1")) STYLE("H", ON("G") LOOK("off")), false},
		{STYLE("G", LOOK("1")) STYLE("H", ""), false},
		{STYLE("G", ON("H")) STYLE("H", ON("G")), false},
		{"", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i].styles, word_styled(rows[i].styles),
			rows[i].hides ? "] C-10002\n|(with hidden text)] C-1099002"
				      : "] C-1099002\n|!hidden",
			"");
	expect("a style that hides, and what is said of the run itself",
		ZIP(TYPES, {"word/document.xml", W "<w:p>" R("C-10") "<w:r><w:rPr><w:rStyle w:val='H'/>"
			"<w:vanish w:val='0'/></w:rPr><w:t>00</w:t></w:r>" R("2") "</w:p>" W_END, -1},
			{"word/styles.xml", "<w:styles>" STYLE("H", LOOK("1")) "</w:styles>", -1}),
		"] C-10002\n|!hidden", "");
}

static void test_hidden(void)
{
	expect("hidden within a number",
		word("<w:p>" R("C-10") "<w:r><w:rPr><w:vanish/></w:rPr><w:t>99</w:t></w:r>" R(
			"002") "</w:p>"),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("hidden alone",
		word("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>C-10002</w:t></w:r></w:p>"),
		"(with hidden text)] C-10002", "");
	expect("not hidden",
		word("<w:p><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>C-10</w:t></w:r>" R(
			"002") "</w:p>"),
		"] C-10002\n|!hidden", "");
}

static void test_aside(void)
{
	expect("a field",
		word("<w:p>" R(
			"C-10") "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r>"
				"<w:instrText>MERGEFIELD KD-</w:instrText></w:r><w:r><w:instrText>77</w:instrText></w:r>"
				"<w:r><w:fldChar w:fldCharType='separate'/></w:r>" R(
					"0") "<w:r><w:fldChar w:fldCharType='end'/></w:r>" R("02") "</w:p>"),
		"] C-10002\n|MERGEFIELD KD-77\n", "");
	expect("a text box",
		word("<w:p>" R("C-10") "<w:r><w:pict><v:textbox><w:txbxContent><w:p>" R("Box")
				R("-1") "</w:p></w:txbxContent></v:textbox></w:pict></w:r>" R(
					"002") "</w:p>"),
		"] C-10002\n|Box-1\n", "");
	expect("a text box behind its label",
		word("<w:p>" R("Number: ") "<w:r><AlternateContent><Choice><w:txbxContent><w:p>" R(
			"Box-1") "</w:p></w:txbxContent></Choice><Fallback><v:textbox><w:txbxContent><w:p>"
				R("Box-2") "</w:p></w:txbxContent></v:textbox></Fallback>"
				"</AlternateContent></w:r></w:p>"),
		"] Number: \n|Number:\nBox-1\n|Number:\nBox-2\n|!Number:\nNumber:", "");
	expect("what a field keeps for another",
		word("<w:p>" R("C-10") "<w:r><w:fldChar w:fldCharType='begin'/><w:instrText> SET a \"99\" </w:instrText>"
			"<w:fldChar w:fldCharType='separate'/></w:r>" R("99") "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
			R("002") "</w:p>"),
		"] C-10002\n|SET a \"99\" 99", "");
	expect("a text box that is anchored before its label",
		word("<w:p><w:r><w:pict><w:txbxContent><w:p>" R("4711") "</w:p></w:txbxContent></w:pict></w:r>"
			R("Number: ") "</w:p>"),
		"] Number: \n|Number:\n4711\n", "");
	expect("an empty text box behind a label, one behind text",
		word("<w:p>" R("Number: ") "<w:r><w:txbxContent><w:p/></w:txbxContent></w:r></w:p><w:p>" R(
			"Some text ") "<w:r><w:txbxContent><w:p>" R("Box-1") "</w:p></w:txbxContent></w:r></w:p>"),
		"] Box-1\n", "");
	expect("ruby",
		word("<w:p>" R("C-1") "<w:r><w:ruby><w:rt>" R("x") "</w:rt><w:rubyBase>" R(
			"00") "</w:rubyBase></w:ruby></w:r>" R("02") "</w:p>"),
		"] C-10002\n", "");
	expect("layout is no text",
		word("<w:p>" R(
			"C-10") "<w:r><w:drawing><wp:anchor><wp:positionH>"
				"<wp:posOffset>914400</wp:posOffset></wp:positionH></wp:anchor></w:drawing></w:r>" R(
					"002") "</w:p>"),
		"] C-10002\n|!914400", "");
	expect("indentation is no text", word("<w:p>\n  " R("C-10") "\n  " R("002") "\n</w:p>"),
		"] C-10002\n", "");
}

static void test_word_places(void)
{
	expect("WordArt",
		word("<w:p><w:r><w:pict><v:shape id='s'><v:textpath string='Copy for KD-7740912'/></v:shape>"
		     "</w:pict></w:r></w:p>"),
		"\nCopy for KD-7740912\n", "");
	expect("drop-down, alias, symbols",
		word("<w:p><w:sdt><w:sdtPr><w:alias w:val='Alias-1'/><w:dropDownList>"
		     "<w:listItem w:displayText='Item-1' w:value='Value-1'/></w:dropDownList></w:sdtPr></w:sdt>"
		     "<w:r><w:t>C-</w:t><w:sym w:font='Arial' w:char='F037'/><w:sym w:font='Arial' w:char='0037'/></w:r></w:p>"),
		"Alias-1|Item-1|Value-1|] C-77\n", "");
	expect("numbering",
		ZIP(TYPES,
			{"word/a.xml",
				W
				"<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/>"
				"</w:numPr></w:pPr>" R(
					"one") "</w:p><w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/></w:numPr>"
					       "</w:pPr>" R("two") "</w:p>" W_END,
				-1},
			{"word/b.xml",
				"<w:numbering xmlns:w='u'><w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'>"
				"<w:start w:val='7740912'/><w:lvlText w:val='KD-%1'/></w:lvl><w:lvl w:ilvl='1'><w:start w:val='1'/>"
				"<w:lvlText w:val='%2.'/></w:lvl></w:abstractNum><w:num w:numId='3'><w:abstractNumId w:val='1'/></w:num>"
				"</w:numbering>",
				-1}),
		"KD-7740912\n|KD-7740913\n|!KD-7740914", "");
	expect("layout in attributes",
		word("<w:p w:rsidR='00AB12CD' w14:paraId='1A2B3C4D'><w:pPr><w:jc w:val='center'/>"
		     "<w:spacing w:before='12345'/></w:pPr>" R("x") "</w:p>"),
		"!00AB12CD|!1A2B3C4D|!center|!12345", "");
	expect("data of a customer's own",
		ZIP(TYPES, {"customXml/item1.xml", "<c id='Own-1' name='Own-2'>Own-3</c>", -1}),
		"Own-1|Own-2|Own-3", "");
	expect("what they are called",
		ZIP(TYPES, {"customXml/item1.xml", "<r><Customer>Own-1</Customer></r>", -1},
			{"docProps/custom.xml",
				"<Properties><property name='Customer'><lpwstr>Own-2</lpwstr></property></Properties>",
				-1},
			{"meta.xml",
				"<office:document-meta xmlns:office='u' xmlns:meta='m'><meta:user-defined meta:name='Customer'>"
				"Own-3</meta:user-defined></office:document-meta>",
				-1}),
		"\nr/Customer = Own-1\n|\nProperties/Customer = Own-2\n|"
		"\ndocument-meta/Customer = Own-3\n",
		"");
	expect("controls name their text",
		word("<w:p><w:sdt><w:sdtPr><w:alias w:val='Customer'/><w:tag w:val='Cust'/></w:sdtPr>"
		     "<w:sdtContent>" R("C-10") R("002") "</w:sdtContent></w:sdt></w:p>"
		     "<w:sdt><w:sdtPr><w:tag w:val='Block'/></w:sdtPr><w:sdtContent><w:p>" R("47")
		     "</w:p></w:sdtContent></w:sdt><w:customXml w:element='Element'><w:p>" R("48")
		     "</w:p></w:customXml><w:p><w:smartTag w:element='Smart'>" R("49")
		     "</w:smartTag></w:p>"),
		"(named), aside] C-10002\nC-10002\n|\nCustomer = C-10002\nCust = C-10002\n|"
		"\nBlock = 47\nElement = 48\nSmart = 49\n",
		"");
#define FIELD_OF(instruction, more, text) \
	"<w:p><w:r><w:fldChar w:fldCharType='begin'>" more "</w:fldChar></w:r><w:r><w:instrText>" \
	instruction "</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>" R( \
		text) "<w:r><w:fldChar w:fldCharType='end'/></w:r>" R(" 1") "</w:p>"
	expect("fields name their text",
		word(FIELD_OF(" MERGEFIELD  Customer \\* MERGEFORMAT ", "", "4711")
			FIELD_OF("DOCPROPERTY &quot;Customer number&quot; \\h", "", "4712")
			FIELD_OF("Bookmark", "", "4713") FIELD_OF(" FORMTEXT ",
				"<w:ffData><w:name w:val='Typed'/></w:ffData>", "4714")
			"<w:p><w:fldSimple w:instr='MERGEFIELD Simple'>" R("4715") "</w:fldSimple>" R(" 2")
			"</w:p>"),
		"\nCustomer = 4711\n|\nCustomer number = 4712\n|\nBookmark = 4713\n|"
		"\nTyped = 4714\n|\nSimple = 4715\n",
		"");
	expect("bookmarks name their text",
		word("<w:p><w:bookmarkStart w:id='1' w:name='One'/>" R("4711")
		     "<w:bookmarkStart w:id='2' w:name='Two'/>" R("12") "<w:bookmarkEnd w:id='1'/>"
		     R("13") "<w:bookmarkEnd w:id='2'/>" R("14") "</w:p>"),
		"\nOne = 471112\nTwo = 1213\n", "");
	expect("what is no value is not named",
		word("<w:p><w:bookmarkStart w:id='1' w:name='One'/>" R("no digit")
		     "<w:bookmarkEnd w:id='1'/></w:p>"),
		"no digit|!One = ", "");
	expect("properties of Word 2003",
		word("<o:CustomDocumentProperties><o:Customer>4711</o:Customer>"
		     "</o:CustomDocumentProperties>"),
		"\nCustomer = 4711\n", "");
	expect("attributes of a customer's own",
		ZIP(TYPES, {"customXml/item1.xml", "<r><c customer='4711'/><c name='N' value='1'/></r>", -1}),
		"\nc/customer = 4711\nc/name = N\nc/value = 1\n", "");
	expect("attributes are no lines of a text",
		word("<w:p><w:bookmarkStart w:name='Customer number'/>" R("x") "</w:p>"),
		"(attributes), aside] urn:w\nCustomer number\n", "");
	expect("comments, people",
		ZIP(TYPES,
			{"word/c.xml",
				"<w:comments xmlns:w='u'><w:comment w:author='Author-1' "
				"w:initials='Ini-1'><w:p>" R(
					"Said-1") "</w:p></w:comment></w:comments>",
				-1},
			{"word/p.xml",
				"<w15:people xmlns:w15='u'><w15:person w15:author='Person-1'/></w15:people>",
				-1}),
		"Author-1|Ini-1|Said-1|Person-1", "");
	expect("alternative chunks",
		ZIP(TYPES, {"word/document.xml", W W_END, -1},
			{"word/a.mht", "MIME-Version: 1.0\r\n\r\nMht-1", -1},
			{"word/b.html", "<html>Html-<b>1</b></html>", -1},
			{"word/c.rtf", "{\\rtf1 Rtf-{\\b 1}}", -1}, {"word/d.txt", "Txt-1", -1}),
		"Mht-1|Html-1|Rtf-1|Txt-1", "");
	expect("a name decides nothing",
		ZIP(TYPES, {"word/thumbnail.xml", W "<w:p>" R("Thumb-1") "</w:p>" W_END, -1},
			{"word/theme/x.xml", "<x>Theme-1</x>", -1},
			{"xl/calcChain.xml", "<x>Chain-1</x>", -1}, {"mimetype", "Mime-1", -1}),
		"Thumb-1|Theme-1|Chain-1|Mime-1", "");
	expect("cells",
		word("<w:tbl><w:tr><w:tc><w:tcPr><w:tcW w:w='1'/></w:tcPr><w:p>" R("Customer") "</w:p></w:tc><w:tc><w:tcPr/><w:p/></w:tc><w:tc><w:tcPr/><w:p>" R(
			"4711") "</w:p></w:tc></w:tr><w:tr><w:tc><w:p/></w:tc><w:tc><w:p>" R("next") "</w:p></w:tc></w:tr></w:tbl>"),
		"] Customer\t\t4711\t\n\tnext\t\n", "");
	expect("cells of two columns",
		word("<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p>" R("Customer") "</w:p></w:tc>"
			"<w:tc><w:p>" R("Sum") "</w:p></w:tc></w:tr><w:tr><w:tc><w:p>" R("Anna") "</w:p></w:tc><w:tc><w:p>"
			R("4711") "</w:p></w:tc><w:tc><w:p>" R("12") "</w:p></w:tc></w:tr></w:tbl>"),
		"] Customer\t\tSum\t\nAnna\t4711\t12\t\n", "");
}

static void test_bytes_of_parts(void)
{
	static const char zeros[64] = {0};
	expect("settings of a printer",
		ZIP({"[Content_Types].xml",
			    "<Types><Default Extension='bin' ContentType='application/"
			    "vnd.openxmlformats-officedocument.spreadsheetml.printerSettings'/></Types>",
			    -1},
			{"xl/p.bin",
				"\1\0\2P\0r\0i\0n\0t\0-\0"
				"1\0\0\0",
				17}),
		"Print-1", "");
	expect("unknown bytes", ZIP(TYPES, {"word/x.dat", "\1\2\3\4\0\6\7", 7}), "", "no-reader");
	expect("filler", ZIP(TYPES, {"[trash]/0.dat", zeros, sizeof zeros}), "", "");
	expect("an old drawing of OpenOffice",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"content.xml", "<a/>", -1},
			{"ObjectReplacements/Object 1", "VCLMTF\1\0Drawn-1\0\0", 17}),
		"Drawn-1", "");
}

/* ---- Excel ---------------------------------------------------------------------------- */

static GByteArray *sheet(const char *name, const char *styles, const char *rows, const char *more)
{
	g_autofree char *whole = g_strdup_printf(
		"<worksheet><sheetData>%s</sheetData>%s</worksheet>", rows, more);
	g_autofree char *formats = g_strdup_printf(
		"<styleSheet><numFmts>%s</numFmts><cellXfs><xf numFmtId='0'/>"
		"<xf numFmtId='164'/></cellXfs></styleSheet>",
		styles);
	return ZIP(TYPES,
		{"xl/s.xml",
			"<sst><si><t>String-1</t></si><si><t>Unused-1</t><rPh><t>Sound-1</t></rPh></si></sst>",
			-1},
		{"xl/f.xml", formats, -1}, {name, whole, -1});
}

/* A cell's number is text in the file; of one in the machine the first 15 digits are sure. */
static void numbers_as_written(void)
{
	static const struct {
		const char *written, *format, *wanted;
	} rows[] = {
		{"12345678901234567", NULL, "(values)] 12345678901234567\t"},
		{"300012345678901235", NULL, "(values)] 300012345678901235\t"},
		{"-300012345678901235", NULL, "(values)] 300012345678901235\t"},
		{" 12345678901234567 ", NULL, "(values)] 12345678901234567\t"},
		{"12345678901234567.0", NULL, "(values)] 12345678901234567\t"},
		{"12345678901234567.25", NULL, "(values)] 12345678901234567\t"},
		{"1.2345678901234567E16", NULL, "(values)] 12345678901234567\t"},
		{"1.2345678901234567e+16", NULL, "(values)] 12345678901234567\t"},
		{"123456789012345678E-1", NULL, "(values)] 12345678901234567\t"},
		{"12345678901234567", "0", "(values)] 12345678901234567\t"},
		{"12345678901234567", "&quot;KD-&quot;0",
			"] KD-12345678901234568\t|(values)] 12345678901234567\t"},
		{"12345678901234567", "0.00E+00",
			"] 1.23E+16\t|(values)] 12345678901234567\t"},
		{"210000000003139471430009017", NULL, "(values)] 210000000003139471430009017\t"},
		{"4029357733120417123", "#,##0", "(values)] 4029357733120417123\t"},
		{"0051730264", NULL, "] 51730264\t|(values)] 0051730264\t"},
		{"0051730264.00", NULL, "] 51730264\t|(values)] 0051730264\t"},
		/* What is the same is told once. */
		{"4029357733120417", NULL, "] 4029357733120417\t|!values"},
		{"51730264", NULL, "] 51730264\t|!values"},
		{"5.1730264E7", NULL, "] 51730264\t|!values"},
		{"51730264.50", NULL, "] 51730264.5\t|!values"},
		{"51730263.999999993", NULL, "] 51730264\t|!values"},
		{"51730263.999999993", "&quot;KD-&quot;0",
			"] KD-51730264\t|(values)] 51730264\t|!51730263"},
		{"0.30000000000000004", NULL, "] 0.3\t|!values"},
		{"4.8299999999999998E-2", NULL, "] 0.0483\t|!values"},
		{"0.12345678901234567", NULL, "] 0.123456789012346\t|!values"},
		{"0", NULL, "] 0\t|!values"},
		{"1E-300", NULL, "] 1e-300\t|!values"},
		{"12345678901234567x", NULL, "] 12345678901234567x\t|!values"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *format = rows[i].format != NULL
			? g_strdup_printf("<numFmt numFmtId='164' formatCode='%s'/>",
				  rows[i].format) : g_strdup("");
		g_autofree char *row = g_strdup_printf("<row><c%s><v>%s</v></c></row>",
			rows[i].format != NULL ? " s='1'" : "", rows[i].written);
		expect(rows[i].written, sheet("xl/s1.xml", format, row, ""), rows[i].wanted, "");
	}
}

static void test_sheets(void)
{
	expect("a sheet by any name",
		sheet("xl/Tabelle1.xml", "",
			"<row><c t='s'><v>0</v></c><c t='s'><v>7</v></c></row>", ""),
		"[doc > xl/Tabelle1.xml] String-1\t7|no cell shows)] Unused-1|Sound-1", "");
	expect("headers",
		sheet("xl/s1.xml", "", "",
			"<headerFooter><oddHeader>&amp;LKD-7740912&amp;C&amp;\"Arial,Bold\"&amp;12 Mid"
			"&amp;K00FF00dle&amp;RPage &amp;P</oddHeader><evenFooter>A&amp;&amp;B</evenFooter></headerFooter>"),
		"KD-7740912\n|Middle\n|A&B\n", "");
	expect("rules and filters",
		sheet("xl/s1.xml", "", "",
			"<autoFilter><filter val='Filter-1'/></autoFilter>"
			"<conditionalFormatting><cfRule type='x' text='Rule-1'><formula>\"Rule-2\"</formula></cfRule></conditionalFormatting>"
			"<dataValidations><dataValidation prompt='Prompt-1' error='Error-1'><formula1>\"A-1,B-2\"</formula1></dataValidation>"
			"</dataValidations><scenarios><scenario name='Scene-1'><inputCells val='Input-1'/></scenario></scenarios>"),
		"Filter-1|Rule-1|Rule-2|Prompt-1|Error-1|A-1,B-2|Scene-1|Input-1", "");
	expect("caches",
		ZIP(TYPES,
			{"a.xml",
				"<pivotCacheDefinition><cacheField name='Field-1'><sharedItems><s v='Shared-1'/>"
				"</sharedItems></cacheField></pivotCacheDefinition>",
				-1},
			{"b.xml",
				"<pivotCacheRecords><r><s v='Record-1'/><n v='7740912'/></r></pivotCacheRecords>",
				-1},
			{"c.xml",
				"<table><tableColumns><tableColumn name='Column-1' totalsRowLabel='Total-1'/></tableColumns></table>",
				-1},
			{"d.xml", "<slicers><slicer caption='Slicer-1'/></slicers>", -1},
			{"e.xml",
				"<externalLink><cell><v>Extern-1</v></cell><cell><v>Extern-2</v></cell></externalLink>",
				-1},
			{"f.xml",
				"<connections><connection connection='Connect-1'><dbPr command='Command-1'/></connection></connections>",
				-1},
			{"g.xml",
				"<c:chartSpace xmlns:c='u'><c:strCache><c:pt><c:v>Chart-1</c:v></c:pt><c:pt><c:v>Chart-2</c:v></c:pt>"
				"</c:strCache><c:numCache><c:formatCode>\"KD-\"0</c:formatCode><c:pt><c:v>7740912</c:v></c:pt></c:numCache></c:chartSpace>",
				-1},
			{"h.xml",
				"<workbook><definedName name='Name-1' comment='Comment-1'>Defined-1</definedName></workbook>",
				-1}),
		"Field-1|Shared-1|Record-1|7740912|Column-1|Total-1|Slicer-1|Extern-1\nExtern-2|Connect-1|Command-1|Chart-1\nChart-2|"
		"KD-7740912|Name-1|Comment-1|Defined-1",
		"");
	static const char fields[] =
		"<pivotCacheDefinition><cacheFields><cacheField name='Number'>%s</cacheField>"
		"<cacheField name='Sum' databaseField='0'/><cacheField name='City'/></cacheFields>"
		"</pivotCacheDefinition>";
	g_autofree char *shared = g_strdup_printf(fields,
		"<sharedItems><n v='4711'/><s v='4712'/><m/></sharedItems>");
	expect("records of a pivot table, below the names of their fields",
		ZIP(TYPES, {"r.xml", "<pivotCacheRecords><r><n v='4711'/><s v='Bonn'/></r>"
				"<r><m/><s v='Ulm'/></r><r><x v='417'/><m/></r></pivotCacheRecords>", -1},
			{"d.xml", shared, -1}),
		"] Number\t4711\nNumber\t4712\n|] Number\tCity\t\n4711\tBonn\t\n\tUlm\t\n\t\t\n", "");
	expect("... of another one",
		ZIP(TYPES, {"d.xml", shared, -1},
			{"r.xml", "<pivotCacheRecords><r><n v='4713'/></r></pivotCacheRecords>", -1}),
		"] 4713\t\n", "");
	expect("shown and stored",
		sheet("xl/s1.xml", "<numFmt numFmtId='164' formatCode='&quot;KD-&quot;0'/>",
			"<row><c t='inlineStr'><is><t>No.</t></is></c><c s='1'><v>7740912</v></c></row>",
			""),
		"] No.\tKD-7740912\t|(values)] No.\t7740912\t", "");
	expect("cells that are empty, or not there",
		sheet("xl/s1.xml", "",
			"<row><c r='A1'><v>1</v></c><c r='B1'/><c r='D1'><v>4</v></c><c><v>5</v></c></row>"
			"<row><c r='C2'><v>6</v></c><c r='E2'/></row><row/><row><c r='ZZZ4'><v>7</v></c></row>",
			""),
		"] 1\t\t\t4\t5\t\n\t\t6\t\t\t\n7\t\n", "");
	expect("stored below its head",
		sheet("xl/s1.xml", "<numFmt numFmtId='164' formatCode='0.00E+00'/>",
			"<row><c t='inlineStr'><is><t>List</t></is></c></row>"
			"<row><c t='inlineStr'><is><t>Number</t></is></c></row>"
			"<row><c s='1'><v>7740912</v></c></row>"
			"<row><c t='inlineStr'><is><t>between</t></is></c></row>"
			"<row><c s='1'><v>7740913</v></c></row>",
			""),
		"7.74E+06|(values)] List\t\nNumber\t\n7740912\t\nbetween\t\n7740913\t\n", "");
	numbers_as_written();
	expect("text with a format",
		sheet("xl/s1.xml", "<numFmt numFmtId='164' formatCode='&quot;KD-&quot;@'/>",
			"<row><c t='str' s='1'><v>77</v></c></row>", ""),
		"] KD-77\t|(values)] 77\t", "");
	expect("text with a format that stands in its cell",
		sheet("xl/s1.xml", "<numFmt numFmtId='164' formatCode='&quot;KD-&quot;@'/>",
			"<row><c t='inlineStr' s='1'>\n<is><r><t>7</t></r><r><t>8</t></r>"
			"<rPh><t>Sound-2</t></rPh></is></c><c t='inlineStr'><is><t>79</t></is></c></row>",
			""),
		"] KD-78\t79\t|(values)] 78\t79\t|Sound-2", "");
	expect("formulas stand aside",
		sheet("xl/s1.xml", "",
			"<row><c><f>\"X\"&amp;A1</f><v>12</v></c><c><v>34</v></c></row>", ""),
		"] 12\t34\t\n|\"X\"&A1", "");
}

static void test_second_strings(void)
{
	expect("the linked table of strings",
		ZIP(TYPES, {"xl/old.xml", "<sst><si><t>Old-1</t></si></sst>", -1},
			{"xl/new.xml", "<sst><si><t>New-1</t></si></sst>", -1},
			{"xl/_rels/workbook.xml.rels",
				"<Relationships><Relationship Type='http://x/sharedStrings' Target='new.xml'/>"
				"</Relationships>",
				-1},
			{"xl/s.xml",
				"<worksheet><sheetData><row><c t='s'><v>0</v></c></row></sheetData></worksheet>",
				-1}),
		"[doc > xl/s.xml] New-1|Old-1", "");
	expect("what is no number of a string",
		ZIP(TYPES, {"xl/s.xml", "<sst><si><t>A-1</t></si></sst>", -1},
			{"xl/sheet.xml",
				"<worksheet><sheetData><row><c t='s'><v>0</v></c><c t='s'><v>0 K7</v></c>"
				"<c t='s'><v>K8</v></c></row></sheetData></worksheet>",
				-1}),
		"[doc > xl/sheet.xml] A-1\t0 K7\tK8", "");
}

/* One string, shown by so many cells that it would fill the memory. */
static void test_string_bomb(void)
{
	g_autoptr(GString) strings = g_string_new("<sst><si><t>");
	g_autoptr(GString) cells = g_string_new("<worksheet><sheetData><row>");
	for (int i = 0; i < 20000; i++)
		g_string_append(strings, "word words ");
	for (int i = 0; i < 4000; i++)
		g_string_append(cells, "<c t='s'><v>0</v></c>");
	g_string_append(strings, "</t></si></sst>");
	g_string_append(cells, "</row></sheetData></worksheet>");
	expect("a string in every cell",
		ZIP(TYPES, {"xl/s.xml", strings->str, -1}, {"xl/1.xml", cells->str, -1}),
		"word words", "limit");
}

static void test_formats(void)
{
	static const struct {
		double value;
		const char *format, *want; /* NULL: as it is stored */
	} rows[] = {
		{4711, "0000000", "0004711"},
		{4711, NULL, NULL},
		{4711, "General", NULL},
		{4711, "0.00", "4711.00"},
		{4711, "#,##0", "4,711"},
		{1234567.5, "#,##0.00", "1,234,567.50"},
		{0, "#", NULL},
		{123456789012, "0000\\ 0000\\ 0000", "1234 5678 9012"},
		{12345678, "000-000", "12345-678"},
		{4711, "\"Nr. \"00000;-0", "Nr. 04711"},
		{-4711, "00000", "-04711"},
		{-7740912, "0;\"KD-\"0", "KD-7740912"},
		{1, "\"KD-7740912\"", "KD-7740912"},
		{7740912, "[$KD-]0", "KD7740912"},
		{7740912, "[$KD-407]0", "KD7740912"},
		{7740912, "KD-0", "KD-7740912"},
		{7740912, "[>0]\"KD-\"0", "KD-7740912"},
		{7740912, "[<10]0;\"KD-\"0", "KD-7740912"},
		{7740912, "[Red]\"KD-\"* 0000000", "KD-7740912"},
		{7740912, "_(\"KD-\"0_)", " KD-7740912 "},
		{482917.46, "0%", "48291746%"},
		{0, "0;0;\"none\"", "none"},
		{7740912, "\\K\\D\\-0", "KD-7740912"},
		{7740912000, "0,", "7740912"},
		{0.5, "# ?/?", "0 1/2"},
		{12345, "0.00E+00", "1.23E+04"},
		{1e300, "00000", NULL},
		{45000, "yyyy-mm-dd", "2023-03-15"},
		{45000.75, "dd.mm.yy hh:mm", "15.03.23 18:00"},
		{1.5, "[h]:mm", "36:00"},
		{1054.0 / 86400, "mm:ss", "17:34"},
		{7740912, "\"KD-\"@", "KD-7740912"},
		{45000, "[$-407]d. mmmm yyyy", "15. March 2023"},
		{47.5, "0000000", "0000048"},
		{-5, "0;", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		bool shown = ms_number_shown(out, rows[i].value, rows[i].format);
		if (shown != (rows[i].want != NULL) ||
			(shown && strcmp(out->str, rows[i].want) != 0))
			g_test_fail_printf("%.10g in \"%s\" is \"%s\", want \"%s\"", rows[i].value,
				rows[i].format, out->str, rows[i].want);
	}
}

/* Lists that a paragraph's style, or a paragraph of a slide, belongs to. */
static void test_lists(void)
{
	expect("of a style",
		ZIP(TYPES,
			{"word/document.xml", "<w:document xmlns:w='u'><w:p><w:pPr><w:pStyle w:val='S'/></w:pPr></w:p>"
				"<w:p><w:pPr><w:pStyle w:val='S'/></w:pPr></w:p></w:document>", -1},
			{"word/numbering.xml", "<w:numbering><w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='1'>"
				"<w:start w:val='7740911'/><w:lvlText w:val='KD-%2'/></w:lvl></w:abstractNum>"
				"<w:num w:numId='3'><w:abstractNumId w:val='1'/></w:num></w:numbering>", -1},
			{"word/styles.xml", "<w:styles><w:style w:styleId='S'><w:pPr><w:numPr><w:ilvl w:val='1'/>"
				"<w:numId w:val='3'/></w:numPr></w:pPr></w:style></w:styles>", -1}),
		"KD-7740911\n|KD-7740912\n", "");
	expect("of a slide",
		ZIP(TYPES,
			{"ppt/slide.xml", "<p:sld><a:p><a:pPr><a:buAutoNum startAt='7740911'/></a:pPr></a:p>"
				"<a:p><a:pPr><a:buAutoNum startAt='7740911'/></a:pPr></a:p></p:sld>", -1}),
		"7740911\n7740912\n", "");
	expect("what stands for other programs",
		ZIP(TYPES,
			{"word/document.xml", "<w:document><w:p><w:r><w:t>C-10</w:t></w:r><mc:AlternateContent>"
				"<mc:Choice><w:r><w:t>002</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>003</w:t></w:r>"
				"</mc:Fallback></mc:AlternateContent></w:p></w:document>", -1}),
		"] C-10002\n|003\n", "");
	expect("a format that is left to a style",
		ZIP(TYPES,
			{"xl/f.xml", "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='\"KD-\"0'/></numFmts>"
				"<cellStyleXfs><xf numFmtId='0'/><xf numFmtId='164'/></cellStyleXfs>"
				"<cellXfs><xf numFmtId='0'/><xf xfId='1'/></cellXfs></styleSheet>", -1},
			{"xl/s.xml", "<worksheet><row><c s='1'><v>7740912</v></c></row></worksheet>", -1}),
		"KD-7740912", "");
}

/* The cells that a formula may name. */
static const char *cell(void *user, const char *name)
{
	(void)user;
	return strcmp(name, "A5") == 0 ? "7740912" : strcmp(name, "B5") == 0 ? "KD-" : NULL;
}

static void test_formulas(void)
{
	static const struct {
		const char *formula, *want;
	} rows[] = {
		{"\"KD-\"&7740912", "KD-7740912\n"},
		{"CONCATENATE(\"KD\",\"-\", 7740912)", "KD-7740912\n"},
		{"_xlfn.CONCAT(\"KD\";\"-77\";\"40912\")", "KD-7740912\n"},
		{"TEXT(7740912,\"\\K\\D\\-0000000\")", "KD-7740912\n"},
		{"\"FA-\"&TEXT(46130,\"yyyy-mmdd\")", "FA-2026-0418\n"},
		{"CHAR(75)&CHAR(68)&\"-\"&\"7740912\"", "KD-7740912\n"},
		{"UNICHAR(75)&\"D-1\"", "KD-1\n"},
		{"\"12 rue\"&CHAR(10)&69003&\" Lyon\"", "12 rue\n69003 Lyon\n"},
		{"\"a\"\"b\"&\"c\"", "a\"bc\n"},
		{"TRIM(\"KD-\"&\"1\")", "KD-1\n"},
		{"\"KD-1\"", ""}, {"SUM(48,29,17,46)", ""}, {"IF(A1=1,48,291746)", ""},
		{"CHAR(A1)&\"x\"", ""}, {"\"KD-\"&A1", ""}, {"TEXT(A1,\"0\")", ""},
		{"CONCATENATE(IF(1,48,29),\"x\")", ""},
		{"IF(1,\"KD-\"&7740912,\"\")", "KD-7740912\n"}, {"CHAR(75", ""}, {"TEXT(1,", ""},
		{"\"a\"&\"b", "ab\n"}, {"", ""},
		{"\"KD-\"&A5", "KD-7740912\n"}, {"$B$5&a5", "KD-7740912\n"},
		{"TEXT(A5,\"\"\"KD-\"\"0000000\")", "KD-7740912\n"},
		{"\"KD-\"&TEXT($A5,\"0\")", "KD-7740912\n"}, {"CONCATENATE(B5,A5)", "KD-7740912\n"},
		{"A5", ""}, {"\"KD-\"&Other!A5", ""}, {"\"KD-\"&SUM(A5:B5)", ""}, {"\"KD-\"&A5(1)", ""},
		{"\"KD-\"&AAAAAAAAAAAAAAAAAAAAAAA5", ""}, {"TEXT(B5,\"0\")", ""}, {"A5&", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		ms_formula_texts(out, rows[i].formula, cell, NULL);
		if (strcmp(out->str, rows[i].want) != 0)
			g_test_fail_printf("%s makes \"%s\", want \"%s\"", rows[i].formula,
				out->str, rows[i].want);
	}
	expect("in a cell",
		sheet("xl/s.xml", "", "<row><c><f>\"KD-\"&amp;TEXT(7740912,\"0\")</f></c></row>", ""),
		"KD-7740912\n", "");
	expect("of cells before and after it, with a format, that nobody worked out",
		sheet("xl/s.xml", "<numFmt numFmtId='164' formatCode='00-00000'/>",
			"<row><c r='A1' t='str'><v>KD-</v></c><c r='B1'><f>A1&amp;A2</f><v>0</v></c>"
			"<c r='C1'><f>A1&amp;B2</f></c></row>"
			"<row><c r='A2' s='1'><v>7740912</v></c>"
			"<c r='B2' t='inlineStr'><is><t>4711</t></is></c></row>",
			""),
		"KD-7740912\n|KD-4711\n", "");
	expect("twin: one that is worked out",
		sheet("xl/s.xml", "",
			"<row><c r='A1'><v>77</v></c><c r='B1'><f>\"X-\"&amp;A1</f><v>12</v></c></row>", ""),
		"] 77\t12\t\n|(notes, fields)] \"X-\"&A1\n\n", "");
	expect("in a cell of OpenDocument",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.spreadsheet", -1},
			{"content.xml", "<a><table:table-cell table:formula='of:=CHAR(75)&amp;\"D-7740912\"'/></a>", -1}),
		"KD-7740912\n", "");
}

/* Bytes in XML: queries of a workbook, and whatever a program keeps as a property. */
static void test_blobs(void)
{
	g_autoptr(GByteArray) package = ZIP({"Formulas/Section1.m", "shared Q = \"Query-1\"", -1});
	g_autoptr(GByteArray) mashup = g_byte_array_append(g_byte_array_new(), (const guint8 *)"\0\0\0\0", 4);
	const struct {
		const void *data;
		guint len;
	} sections[] = {{package->data, package->len}, {"<Permission-1/>", 15}, {"Meta-1", 6},
		{"\1\2\3\xff\xfe", 5}};
	for (gsize i = 0; i < G_N_ELEMENTS(sections); i++) {
		guint8 len[4] = {(guint8)sections[i].len, (guint8)(sections[i].len >> 8), 0, 0};
		g_byte_array_append(mashup, len, 4);
		g_byte_array_append(mashup, sections[i].data, sections[i].len);
	}
	g_autofree char *base64 = g_base64_encode(mashup->data, mashup->len);
	g_autofree char *item = g_strdup_printf("<DataMashup>%s</DataMashup>", base64);
	expect("queries", ZIP(TYPES, {"customXml/item1.xml", item, -1}),
		"Query-1|Permission-1|Meta-1", "");
	g_autofree char *words = g_base64_encode((const guint8 *)"\1\0Words-1\0\xff", 10);
	g_autofree char *blob = g_strdup_printf(
		"<Properties><property name='K'><vt:blob>%s</vt:blob></property></Properties>", words);
	expect("a property", ZIP(TYPES, {"docProps/custom.xml", blob, -1}), "Words-1", "");
}

/* ---- OpenDocument --------------------------------------------------------------------- */

static GByteArray *text_document(const char *body)
{
	g_autofree char *whole = g_strconcat(
		"<office:document-content xmlns:office='o'><office:body><office:text>", body,
		"</office:text></office:body></office:document-content>", NULL);
	return ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
		{"content.xml", whole, -1});
}

#define LIST_STYLE(name, prefix, start)                                                          \
	"<text:list-style style:name='" name "'><text:list-level-style-number text:level='1'"    \
	" style:num-prefix='" prefix "' text:start-value='" start "'/></text:list-style>"
#define ITEM "<text:list-item><text:p>x</text:p></text:list-item>"

/* Numbers that stand before paragraphs and nowhere else. */
static void test_opendocument_lists(void)
{
	expect("counted on",
		text_document(LIST_STYLE("L", "KD-", "7740910") "<text:list text:style-name='L'>" ITEM
			ITEM ITEM "</text:list>"),
		"KD-7740910\nKD-7740911\nKD-7740912\n", "");
	expect("in another list",
		text_document(LIST_STYLE("L", "KD-", "7740911") "<text:list text:style-name='L'>" ITEM
			"</text:list><text:p>x</text:p><text:list text:style-name='L'>" ITEM "</text:list>"),
		"KD-7740912\n", "");
	expect("from an item on",
		text_document(LIST_STYLE("L", "KD-", "1") "<text:list text:style-name='L'>"
			"<text:list-item text:start-value='7740911'><text:p>x</text:p></text:list-item>"
			ITEM "</text:list>"),
		"KD-7740912\n", "");
	expect("a paragraph by itself",
		text_document(LIST_STYLE("L", "KD-", "1") "<text:numbered-paragraph text:style-name='L'"
			" text:start-value='7740912'><text:p>x</text:p></text:numbered-paragraph>"),
		"KD-7740912\n", "");
	expect("headings",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"content.xml", "<office:text><text:h text:outline-level='1'>x</text:h>"
				"<text:h text:outline-level='1'>x</text:h></office:text>", -1},
			{"styles.xml", "<office:document-styles><text:outline-style style:name='O'>"
				"<text:outline-level-style text:level='1' style:num-prefix='KD-'"
				" text:start-value='7740911'/></text:outline-style></office:document-styles>", -1}),
		"KD-7740912\n", "");
}

#define DATE_STYLE                                                                            \
	"<number:date-style style:name='N'><number:text>FA-</number:text><number:year"         \
	" number:style='long'/><number:text>-</number:text><number:month number:style='long'/>" \
	"<number:day number:style='long'/></number:date-style>"

static void test_opendocument_numbers(void)
{
	expect("a share without a style",
		text_document("<table:table-cell office:value-type='percentage' office:value='482917.46'/>"),
		"48291746%\n", "");
	expect("a date",
		text_document(DATE_STYLE CELL_STYLE("A", "N", "")
			"<table:table-cell table:style-name='A' office:value-type='date' office:date-value='2026-04-18'/>"),
		"FA-2026-0418\n", "");
	expect("no date",
		text_document(DATE_STYLE CELL_STYLE("A", "N", "")
			"<table:table-cell table:style-name='A' office:date-value='2026-02-31'/>"),
		"!FA-2026", "");
	expect("thousands",
		text_document("<number:number-style style:name='N'><number:text>KD-</number:text>"
			"<number:number number:display-factor='1000'/></number:number-style>"
			CELL_STYLE("A", "N", "")
			"<table:table-cell table:style-name='A' office:value='7740912000'/>"),
		"KD-7740912\n", "");
	expect("more digits than are shown",
		text_document("<table:table-cell office:value-type='float' office:value='12345678901234567'>"
			"<text:p>1.23E+16</text:p></table:table-cell>"),
		"1.23E+16|12345678901234567", "");
	expect("a style of the other part",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.spreadsheet", -1},
			{"content.xml", "<office:body>" CELL_OF("A") "</office:body>", -1},
			{"styles.xml", "<office:document-styles>" NUMBER_STYLE("N", "")
				CELL_STYLE("A", "N", "") "</office:document-styles>", -1}),
		"KD-7740912\n", "");
}

/* Where the names of values are not seen. */
static void test_opendocument_names(void)
{
	expect("fields, controls, marks, sections",
		text_document("<text:p>x<text:user-defined text:name='Own'>471</text:user-defined>"
			"<text:variable-get text:name='Variable'>472</text:variable-get>"
			"<text:database-display text:table-name='T' text:column-name='Column'>473"
			"</text:database-display><text:text-input text:description='Input'>474"
			"</text:text-input><loext:content-control loext:alias='Control'>475"
			"</loext:content-control><text:bookmark-start text:name='Mark'/>476"
			"<text:bookmark-end text:name='Mark'/><text:bookmark-ref text:ref-name='Ref'>"
			"477</text:bookmark-ref></text:p><text:section text:name='Section'><text:p>478"
			"</text:p></text:section>"),
		"\nOwn = 471\nVariable = 472\nColumn = 473\nInput = 474\nControl = 475\n"
		"Mark = 476\nRef = 477\nSection = 478\n|] x471472473474475476477\n",
		"");
}

static void test_opendocument(void)
{
	expect("a note",
		text_document(
			"<text:p>C-10<office:annotation><dc:creator>Anna</dc:creator><text:p>Note-1</text:p>"
			"</office:annotation>002</text:p>"),
		"] C-10002\n|Note-1\n", "");
	expect("ruby",
		text_document(
			"<text:p><text:ruby><text:ruby-base>C-10</text:ruby-base><text:ruby-text>x</text:ruby-text>"
			"</text:ruby>002</text:p>"),
		"] C-10002\n", "");
	expect("in a frame",
		text_document(
			"<text:p>C-10<draw:frame draw:name='Frame-1'><draw:text-box><text:p>Box-1</text:p>"
			"</draw:text-box></draw:frame>002</text:p>"),
		"] C-10002\n|Box-1\n|Frame-1", "");
	expect("in a frame behind its label",
		text_document(
			"<text:p>Number:<draw:frame><draw:text-box><text:p>Box-1</text:p></draw:text-box>"
			"</draw:frame></text:p>"),
		"Number:\nBox-1\n", "");
	expect("tracked changes",
		text_document(
			"<text:tracked-changes><text:changed-region text:id='c1'><text:deletion>"
			"<office:change-info><dc:creator>Anna</dc:creator></office:change-info><text:p>1</text:p></text:deletion>"
			"</text:changed-region><text:changed-region text:id='c2'><text:insertion/></text:changed-region></text:tracked-changes>"
			"<text:p>C-1000<text:change text:change-id='c1'/><text:change-start text:change-id='c2'/>2"
			"<text:change-end text:change-id='c2'/></text:p>"),
		"] C-10002\n|(before changes)] C-10001\n", "");
	expect("hidden by a field",
		text_document("<text:p>C-10<text:hidden-text text:is-hidden='true'>99</text:hidden-text>002"
			"</text:p>"),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("hidden by itself",
		text_document("<text:p>C-10<text:variable-set text:display='none'>99</text:variable-set>002"
			"</text:p>"),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("hidden by a style",
		text_document("<style:style style:name='H'><style:text-properties text:display='none'/>"
			"</style:style><text:p>C-10<text:span text:style-name='H'>99</text:span>002</text:p>"),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("hidden by the style of its style, which is in another part",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"content.xml", "<office:document-content><style:style style:name='T1'"
				" style:parent-style-name='H'/><text:p>C-10<text:span text:style-name='T1'>99"
				"</text:span>002</text:p></office:document-content>", -1},
			{"styles.xml", "<office:document-styles><style:style style:name='H'>"
				"<style:text-properties text:display='none'/></style:style>"
				"</office:document-styles>", -1}),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("shown by a style",
		text_document("<style:style style:name='H'><style:text-properties fo:color='#000000'/>"
			"</style:style><text:p>C-10<text:span text:style-name='H'>00</text:span>2</text:p>"),
		"] C-10002\n|!hidden", "");
	expect("script within a number",
		text_document("<text:p>C-10<text:script>x</text:script>002</text:p>"),
		"] C-10002\n", "");
	expect("a number's style",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "") CELL_OF("A")), "KD-7740912\n",
		"");
	expect("a number's style, from another",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "")
			CELL_STYLE("B", "", "style:parent-style-name='A'") CELL_OF("B")),
		"KD-7740912\n", "");
	expect("a number's style, under a condition",
		text_document(NUMBER_STYLE("P", "")
			"<number:number-style style:name='N'><number:number/><style:map"
			" style:apply-style-name='P'/></number:number-style>" CELL_STYLE("A", "N", "")
			CELL_OF("A")),
		"KD-7740912\n", "");
	expect("a number's style, of its column",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "")
			"<table:table><table:table-column table:number-columns-repeated='2'/>"
			"<table:table-column table:default-cell-style-name='A'/><table:table-row>"
			"<table:table-cell table:number-columns-repeated='2'/><table:table-cell"
			" office:value='7740912'/></table:table-row></table:table>"),
		"KD-7740912\n", "");
	expect("a number's style, grouped",
		text_document(NUMBER_STYLE("N", "number:grouping='true' number:decimal-places='2'")
			CELL_STYLE("A", "N", "") CELL_OF("A")),
		"KD-7,740,912.00\n", "");
	expect("conditions, lists, formulas",
		text_document(
			"<text:p><text:conditional-text text:string-value-if-true='True-1'/>"
			"</text:p><text:list-level-style-number style:num-prefix='KD-' text:start-value='7740912'/>"
			"<table:table-cell table:formula='of:=\"Formula-1\"' office:value='4711'/>"),
		"True-1|KD-7740912|Formula-1|4711", "");
	expect("values that have no text",
		text_document(
			"<table:table-row><table:table-cell><text:p>Number</text:p></table:table-cell>"
			"<table:table-cell office:value='4711'/><table:table-cell office:string-value='S-1'/>"
			"<table:table-cell office:value='1.5'><text:p>1,50</text:p></table:table-cell>"
			"<table:table-cell/></table:table-row>"),
		"] Number\t4711\tS-1\t1,50\t\t\n", "");
	expect("values other than their text, below their heads",
		text_document(
			"<table:table-row><table:table-cell><text:p>Number</text:p></table:table-cell>"
			"<table:table-cell><text:p>City</text:p></table:table-cell></table:table-row>"
			"<table:table-row><table:table-cell office:value='4711'><text:p>4,7E3</text:p></table:table-cell>"
			"<table:table-cell><text:p>Bonn</text:p></table:table-cell></table:table-row>"
			"<table:table-row><table:table-cell office:value='4712'><text:p>4712</text:p></table:table-cell>"
			"<table:table-cell office:string-value='S-1'><text:p>...</text:p></table:table-cell>"
			"</table:table-row>"),
		"] Number\tCity\t\n4,7E3\tBonn\t\n4712\t...\t\n"
		"|(values)] Number\tCity\t\n4711\tBonn\t\n4712\tS-1\t\n",
		"");
	expect("empty cells, before a value, too",
		text_document(
			"<table:table-row><table:table-cell table:number-columns-repeated='2'/>"
			"<table:table-cell office:value='4711'><text:p>4,7E3</text:p></table:table-cell>"
			"<table:table-cell><text:p/></table:table-cell><table:covered-table-cell/>"
			"<table:table-cell office:value='12'><text:p>12,0</text:p></table:table-cell>"
			"<table:table-cell table:number-columns-repeated='1000'/></table:table-row>"),
		"] \t\t4,7E3\t\t\t12,0\t\t\n|(values)] \t\t4711\t\t\t12\t\t\n", "");
	expect("values of a table within a cell",
		text_document(
			"<table:table-row><table:table-cell office:value='1'><text:p>a</text:p><table:table>"
			"<table:table-row><table:table-cell office:value='4711'><text:p>b</text:p></table:table-cell>"
			"</table:table-row></table:table></table:table-cell></table:table-row>"),
		"] a\nb\t|(values)] a\n4711\t", "");
	expect("white space",
		text_document("\n <text:p>C-10\n  <text:span>002</text:span></text:p>\n"),
		"] C-10 002\n", "");
	expect("indented cells",
		text_document(
			"<table:table-row>\n  <table:table-cell>\n    <text:p>Customer</text:p>\n  "
			"</table:table-cell>\n  <table:table-cell>\n    <text:p>4711</text:p>\n  </table:table-cell>\n</table:table-row>"),
		"] Customer\t4711", "");
	expect("the layout that an editor keeps",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"content.xml", "<a/>", -1}, {"layout-cache", "\1\2Cached-1\3", 11}),
		"Cached-1", "");
}

/* A cell stands in the column of its head, whatever is not there. */
static void test_empty_cells(void)
{
#define CELL(properties, text) "<w:tc><w:tcPr>" properties "</w:tcPr><w:p>" text "</w:p></w:tc>"
	expect("Word: of more columns, of more rows, and a row of nothing",
		word("<w:tbl><w:tr>" CELL("<w:gridSpan w:val='2'/>", R("Time")) CELL("", R("No."))
			"</w:tr><w:tr>" CELL("", "") CELL("", "") CELL("", "") "</w:tr><w:tr>"
			CELL("<w:vMerge w:val='restart'/>", R("1.2.")) CELL("", R("3.2."))
			CELL("", R("17")) "</w:tr><w:tr>" CELL("<w:vMerge/>", "") CELL("", "")
			CELL("", R("18")) "</w:tr></w:tbl><w:p>" R("To") "</w:p>"),
		"] Time\t\tNo.\t\n1.2.\t3.2.\t17\t\n\t\t18\t\nTo\n", "");
	expect("Word: what was in one before, and is hidden in one",
		word("<w:tbl><w:tr>" CELL("", "<w:del><w:r><w:delText>4711</w:delText></w:r></w:del>")
			CELL("", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>4712</w:t></w:r>")
			CELL("", R("x")) "</w:tr></w:tbl>"),
		"] \t\tx\t\n|(before changes)] 4711\n|(with hidden text)|4712\nx", "");
#undef CELL
	expect("Excel: cells that are not there",
		sheet("xl/1.xml", "",
			"<row><c r='B1' t='str'><v>a</v></c><c r='D1' t='str'><v>b</v></c><c r='E1'/></row>"
			"<row><c r='A2'/><c r='B2'/></row><row><c r='D3'><v>7</v></c></row>"
			"<row><c r='A4'><v>1</v></c><c r='XFD4'><v>8</v></c></row><row><c><v>9</v></c>"
			"<c><v>10</v></c></row>", ""),
		"] \ta\t\tb\t\t\n\t\t\t7\t\n1\t8\t\n9\t10\t\n", "");
	expect("OpenDocument: repeated, covered, and the rest of the sheet",
		text_document("<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
			"<table:table-cell table:number-columns-repeated='2'/><table:table-cell"
			" table:number-columns-spanned='2'><text:p>b</text:p></table:table-cell>"
			"<table:covered-table-cell/><table:table-cell><text:p>c</text:p></table:table-cell>"
			"<table:table-cell table:number-columns-repeated='16000'/></table:table-row>"
			"<table:table-row><table:table-cell/></table:table-row>"
			"<table:table-row><table:table-cell/><table:table-cell><text:p>d</text:p>"
			"</table:table-cell></table:table-row>"),
		"] a\t\t\tb\t\tc\t\t\n\td\t\n", "");
	expect("SpreadsheetML 2003: by number, merged",
		bytes_of("<?xml version='1.0'?><Workbook xmlns:ss='urn:x'><Row><Cell ss:Index='2' "
			"ss:MergeAcross='1'><Data ss:Type='String'>a</Data></Cell><Cell><Data>b</Data></Cell>"
			"</Row><Row><Cell ss:Index='4'><Data>c</Data></Cell></Row></Workbook>"),
		"] \ta\t\tb\t\n\t\t\tc\t\n", "");
}

static void test_flat(void)
{
	expect("SpreadsheetML 2003",
		bytes_of(
			"<?xml version='1.0'?><Workbook xmlns='urn:x' xmlns:ss='urn:x'><Styles><Style ss:ID='s1'>"
			"<NumberFormat ss:Format='&quot;KD-&quot;0'/></Style></Styles><Worksheet ss:Name='Name-1'><Table><Row><Cell>"
			"<Data ss:Type='String'>A-1</Data></Cell><Cell><Data ss:Type='String'>B-<B>2</B></Data></Cell><Cell ss:StyleID='s1'>"
			"<Data ss:Type='Number'>7740912</Data></Cell></Row></Table></Worksheet></Workbook>"),
		"A-1\tB-2\tKD-7740912|(values)] A-1\tB-2\t7740912|Name-1", "");
	static const char *const styled[] = { /* of a parent, of the row, of the column */
		"<Style ss:ID='s2' ss:Parent='s1'/>", "<Row><Cell ss:StyleID='s2'>",
		"", "<Row ss:StyleID='s1'><Cell>", "", "<Column ss:StyleID='s1'/><Row><Cell>",
		"", "<Column ss:Index='3' ss:Span='2' ss:StyleID='s1'/><Row><Cell/><Cell ss:Index='5'>",
		"", "<Column/><Column/><Column ss:StyleID='s1'/><Row><Cell ss:MergeAcross='1'/><Cell>"};
	for (gsize i = 0; i < G_N_ELEMENTS(styled); i += 2) {
		g_autofree char *book = g_strdup_printf(
			"<?xml version='1.0'?><Workbook><Styles>%s<Style ss:ID='s1'>"
			"<NumberFormat ss:Format='&quot;KD-&quot;0'/></Style></Styles><Table>%s"
			"<Data ss:Type='Number'>7740912</Data></Cell></Row></Table></Workbook>",
			styled[i], styled[i + 1]);
		expect(styled[i + 1], bytes_of(book), "KD-7740912\t\n", "");
	}
	expect("the style of another column",
		bytes_of("<?xml version='1.0'?><Workbook><Style ss:ID='s1'><NumberFormat ss:Format='\"KD-\"0'/>"
			 "</Style><Table><Column ss:Index='2' ss:StyleID='s1'/><Row><Cell><Data ss:Type='Number'>1"
			 "</Data></Cell></Row></Table></Workbook>"),
		"] 1\t|!KD-1", "");
	expect("the head of a printed sheet",
		bytes_of("<?xml version='1.0'?><Workbook><x:Header x:Data='&amp;LKD-77&amp;B40912'/></Workbook>"),
		"\nKD-7740912\n", "");
	expect("Flat OPC, with what defines at its end",
		bytes_of("<?xml version='1.0'?><pkg:package><pkg:part><w:document><w:body><w:p><w:pPr><w:numPr>"
			 "<w:numId w:val='1'/></w:numPr></w:pPr></w:p><w:p><w:pPr><w:numPr><w:numId w:val='1'/>"
			 "</w:numPr></w:pPr></w:p></w:body></w:document></pkg:part><pkg:part><worksheet><row><c s='1'>"
			 "<v>7740912</v></c></row></worksheet></pkg:part><pkg:part><styleSheet><numFmts><numFmt "
			 "numFmtId='164' formatCode='\"KD-\"0'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/>"
			 "</cellXfs></styleSheet></pkg:part><pkg:part><w:numbering><w:abstractNum w:abstractNumId='1'>"
			 "<w:lvl w:ilvl='0'><w:start w:val='5530020'/><w:lvlText w:val='K-%1'/></w:lvl></w:abstractNum>"
			 "<w:num w:numId='1'><w:abstractNumId w:val='1'/></w:num></w:numbering></pkg:part></pkg:package>"),
		"KD-7740912|K-5530020\n|K-5530021\n", "");
	expect("a flat OpenDocument",
		bytes_of(
			"<?xml version='1.0'?>\n<office:document xmlns:office='urn:oasis:names:tc:opendocument:"
			"xmlns:office:1.0'>\n <table:table-row>\n  <table:table-cell>\n   <text:p>Customer</text:p>\n  </table:table-cell>\n"
			"  <table:table-cell>\n   <text:p>4711</text:p>\n  </table:table-cell>\n </table:table-row>\n"
			"<office:binary-data>SW5zaWRlLTEgaW4gYmluYXJ5IGRhdGE=</office:binary-data></office:document>"),
		"Customer\t4711|Inside-1 in binary data", "");
	expect("Flat OPC",
		bytes_of(
			"<?xml version='1.0'?><pkg:package xmlns:pkg='u'><pkg:part pkg:name='/word/document.xml'><pkg:xmlData>" W
			"<w:p>" R("C-10") R(
				"002") "</w:p>" W_END
				       "</pkg:xmlData></pkg:part><pkg:part pkg:name='/a.txt'><pkg:binaryData>"
				       "SW5zaWRlLTEgaW4gYmluYXJ5IGRhdGE=</pkg:binaryData></pkg:part></pkg:package>"),
		"] C-10002\n|Inside-1 in binary data", "");
}

/* ---- RTF ------------------------------------------------------------------------------ */

static void test_rtf(void)
{
	expect("hidden", bytes_of("{\\rtf1 C-10{\\v 99}002\\par}"),
		"] C-10002\n|(with hidden text)] C-1099002", "");
	expect("not hidden any more", bytes_of("{\\rtf1 C-1{\\v\\v0 0}0{\\v\\plain 0}2\\par}"),
		"] C-10002\n|!hidden", "");
	expect("changes", bytes_of("{\\rtf1 C-1000{\\deleted 1}{\\revised 2}\\par}"),
		"] C-10002\n|(before changes)] C-10001", "");
	expect("a footnote, a field",
		bytes_of(
			"{\\rtf1 C-10{\\footnote Foot-1}{\\field{\\*\\fldinst Inst-1}{\\fldrslt 0}}02}"),
		"] C-10002|Foot-1|Inst-1", "");
	expect("shapes",
		bytes_of(
			"{\\rtf1 x{\\shp{\\*\\shpinst{\\sp{\\sn gtextUNICODE}{\\sv Art-1}}{\\shptxt Box-1}}}y}"),
		"] xy|Art-1|Box-1", "");
	expect("text boxes behind their labels",
		bytes_of("{\\rtf1 Number: {\\shp{\\*\\shpinst{\\shptxt 4711\\par}}}\\par "
			 "City:{\\*\\do{\\dptxbxtext Bonn\\par}}\\par}"),
		"] Number: \nCity:\n|Number:\n4711\n|City:\nBonn\n", "");
	expect("a text box that is anchored before its label, one in another paragraph",
		bytes_of("{\\rtf1 {\\shp{\\*\\shpinst{\\shptxt 4711\\par}}}Number:\\par "
			 "{\\shp{\\*\\shpinst{\\shptxt 12\\par}}}a\\par Sum:\\par}"),
		"|Number:\n4711\n|!Sum:\n12", "");
	expect("an empty text box behind a label, one behind text",
		bytes_of("{\\rtf1 Number:{\\shp{\\*\\shpinst{\\shptxt}}}\\par "
			 "a{\\shp{\\*\\shpinst{\\shptxt b\\par}}}\\par}"),
		"] Number:\na\n|(text boxes)] b\n", "");
	expect("text boxes one behind the other",
		bytes_of("{\\rtf1 {\\shp{\\*\\shpinst{\\sp{\\sn shapeType}{\\sv 202}}{\\shptxt Number\\par}}}"
			 "{\\shp{\\*\\shpinst{\\sp{\\sn shapeType}{\\sv 202}}{\\shptxt 4711\\par}}}}"),
		"(text boxes)] Number\n4711\n|shapeType", "");
	expect("what nobody knows", bytes_of("{\\rtf1 a{\\*\\nobody Said-1}b}"), "] ab|Said-1", "");
	expect("fonts and colours", bytes_of("{\\rtf1{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red1;}"
			"{\\stylesheet{Normal;}}a}"), "doc] a|] Arial;\n|Normal;", "");
	expect("variables of the document", bytes_of("{\\rtf1{\\*\\docvar {Name-1}{Value-1}}a}"),
		"Name-1\nValue-1\n", "");
	expect("fields, marks name their text",
		bytes_of("{\\rtf1 x{\\field{\\*\\fldinst{ MERGEFIELD Customer \\\\* Upper}}{\\fldrslt{\\b 47}11}}"
			 "{\\field{\\*\\fldinst{ FORMTEXT {\\*\\formfield{\\*\\ffname Form}}}}{\\fldrslt 12}}"
			 "{\\*\\bkmkstart Mark}13{\\*\\bkmkend Mark}14}"),
		"\nCustomer = 4711\nForm = 12\nFORMTEXT = 12\nMark = 13\n|] x4711121314\n", "");
	expect("words among digits", bytes_of("{\\rtf1{\\*\\datastore KX-10002}a}"), "KX-10002",
		"");
	expect("a list",
		bytes_of(
			"{\\rtf1{\\*\\listtable{\\list{\\listlevel\\levelstartat7740912{\\leveltext\\'04KD-\\'00;}}}}a}"),
		"KD-7740912", "");
#define LIST(levels) \
	"{\\*\\listtable{\\list" levels "\\listid77}}{\\*\\listoverridetable{\\listoverride\\listid77\\ls3}}"
	expect("a list that is counted",
		bytes_of("{\\rtf1" LIST("{\\listlevel\\levelstartat7740911{\\leveltext\\'04KD-\\'00;}}")
			 "\\ls3 x\\par y\\par\\pard z\\par}"),
		"KD-7740911\nKD-7740911\nKD-7740912\n|!7740913", "");
	expect("its second level",
		bytes_of("{\\rtf1" LIST("{\\listlevel\\levelstartat55{\\leveltext\\'01\\'00;}}"
				"{\\listlevel\\levelstartat300{\\leveltext\\'05\\'00-KD\\'01;}}")
			 "\\ls3 x\\par\\ilvl1 y\\par z\\par}"),
		"55-KD300\n55-KD301\n", "");
	expect("a list of the paragraph",
		bytes_of("{\\rtf1\\pard{\\*\\pn\\pndec\\pnstart7740911{\\pntxtb KD-}{\\pntxta /a}}x\\par"
			 "\\pard{\\*\\pn\\pndec\\pnstart7740911{\\pntxtb KD-}{\\pntxta /a}}y\\par}"),
		"KD-7740911/a\n|KD-7740912/a\n", "");
	expect("another list of paragraphs",
		bytes_of("{\\rtf1\\pard{\\*\\pn\\pndec\\pnstart300{\\pntxtb KD-}}x\\par"
			 "\\pard{\\*\\pn\\pndec\\pnstart7740911{\\pntxtb KD-}}y\\par}"),
		"KD-300\n|KD-7740911\n", "");
	expect("where pages are counted from", bytes_of("{\\rtf1\\pgnstarts48291746 x}"),
		"48291746", "");
	expect("for who knows no Unicode",
		bytes_of("{\\rtf1 a{\\upr{Old-1}{\\*\\ud{New-1}}}b}"), "] aNew-1b|Old-1", "");
	expect("an attribute of XML",
		bytes_of("{\\rtf1 x{\\*\\xmlopen{\\xmlattr{\\xmlattrname a}{\\xmlattrvalue Value-1}}}}"),
		"\nValue-1", "");
	expect("behind the end", bytes_of("{\\rtf1 a}\nBehind-1"), "Behind-1", "");
	expect("nothing behind the end", bytes_of("{\\rtf1 a}\r\n"), "] a", "");
	expect("a character of two halves", bytes_of("{\\rtf1 \\u-10179?\\u-8704?}"),
		"\xf0\x9f\x98\x80", "");
	expect("an object of OLE 1",
		bytes_of("{\\rtf1{\\object{\\*\\objdata 0105000002000000020000004100"
			 "00000000"
			 "00000000"
			 "08000000"
			 "496e736964652d31}}}"),
		"Inside-1", "");
	expect("a picture that is a drawing",
		bytes_of(
			"{\\rtf1{\\nonshppict{\\pict\\wmetafile8 010009000003000000000000000000000000"
			"0900000021050600447261776e2d00000000030000000000}}}"),
		"Drawn-", "");
}

/* ---- drawings ------------------------------------------------------------------------- */

/* ---- numbers that another place than their cell has the format of ---------------------- */

#define KD "&quot;KD-&quot;0000"

/* A book of two sheets, of which the second has 7740912 in A5; `formula` stands in the first. */
static GByteArray *book(const char *formula, const char *second)
{
	g_autofree char *sheets = g_strdup_printf("<workbook><sheets><sheet name='First' r:id='r1'/>"
		"<sheet name=\"%s\" r:id='r2'/></sheets><definedName name='Customer_no'>"
		"'My data'!$A$5</definedName><definedName name='Both'>Data!$A$5:$B$5</definedName>"
		"<definedName name='Contract'>\"K-4711\"</definedName><definedName name='Order'>4712"
		"</definedName><definedName name='Sum'>4713+1</definedName></workbook>", second);
	g_autofree char *first = g_strdup_printf("<worksheet><row><c r='A1'><f>%s</f><v></v></c>"
		"<c r='A5'><v>17</v></c></row></worksheet>", formula);
	return ZIP(TYPES, {"xl/a.xml", first, -1}, {"xl/workbook.xml", sheets, -1},
		{"xl/_rels/workbook.xml.rels", "<Relationships><Relationship Id='r1' Target='a.xml'/>"
			"<Relationship Id='r2' Target='/xl/B.xml'/></Relationships>", -1},
		{"xl/b.xml", "<worksheet><row><c r='A5'><v>7740912</v></c></row></worksheet>", -1});
}

/* Which cell a formula means that nobody worked out, in a sheet of more cells than are kept for
 * that; "" where all is read, "limit" where it is not known. */
static void test_many_cells(void)
{
	static const struct {
		const char *name, *formula;
		guint cells; /* before the last row */
		const char *wanted, *unread;
	} rows[] = {
		{"the last that is kept", "\"KD-\"&amp;B9", 99999, "KD-7740912\n", ""},
		{"one more", "\"KD-\"&amp;B9", 100000, "", "limit"},
		{"... absolute", "\"KD-\"&amp;$B$9", 100000, "", "limit"},
		{"... joined by name", "CONCATENATE(\"KD-\",B9)", 100000, "", "limit"},
		{"... with a form", "TEXT(B9,\"\"\"KD-\"\"0\")", 100000, "", "limit"},
		{"... and one more", "\"KD-\"&amp;B9", 100001, "", "limit"},
		/* What none of them needs is no matter. */
		{"a cell before", "\"KD-\"&amp;B1", 100001, "KD-7740911\n", ""},
		{"an empty one before", "\"KD-\"&amp;C1", 100001, "", ""},
		{"a sum", "SUM(7,B1:B8)", 100001, "", ""},
		{"no formula", NULL, 100001, "", ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) all = g_string_new("<row><c r='B1'><v>7740911</v></c></row>");
		g_string_append(all, "<row>");
		for (guint n = 1; n < rows[i].cells; n++)
			g_string_append(all, "<c r='A8'><v>1</v></c>");
		g_string_append(all, "</row><row><c r='B9'><v>7740912</v></c>");
		if (rows[i].formula != NULL)
			g_string_append_printf(
				all, "<c r='D9'><f>%s</f></c>", rows[i].formula);
		g_string_append(all, "</row>");
		expect(rows[i].name, sheet("xl/s.xml", "", all->str, ""), rows[i].wanted,
			rows[i].unread);
		/* The same where another sheet of the book has the formula. */
		g_autofree char *formula = rows[i].formula != NULL
			? g_strdup_printf("<c r='A1'><f>\"KD-\"&amp;Data!%s</f></c>",
				  strstr(rows[i].formula, "B1") != NULL ? "B1"
					  : strstr(rows[i].formula, "C1") != NULL ? "C1" : "B9")
			: g_strdup("");
		g_autofree char *first = g_strdup_printf(
			"<worksheet><row>%s</row></worksheet>", formula);
		g_autofree char *second = g_strdup_printf(
			"<worksheet>%s</worksheet>", all->str);
		if (rows[i].formula != NULL && strncmp(rows[i].formula, "SUM", 3) == 0)
			continue;
		expect(rows[i].name,
			ZIP(TYPES, {"xl/a.xml", first, -1},
				{"xl/workbook.xml", "<workbook><sheets><sheet name='First' r:id='r1'/>"
					"<sheet name='Data' r:id='r2'/></sheets></workbook>", -1},
				{"xl/_rels/workbook.xml.rels",
					"<Relationships><Relationship Id='r1' Target='a.xml'/>"
					"<Relationship Id='r2' Target='/xl/B.xml'/></Relationships>", -1},
				{"xl/b.xml", second, -1}),
			rows[i].wanted, rows[i].unread);
	}
}

static void test_books(void)
{
	static const struct {
		const char *formula, *second, *wanted;
	} rows[] = {{"\"KD-\"&amp;Data!$A$5", "Data", "(formulas)] KD-7740912\n"},
		{"\"KD-\"&amp;dATA!a5", "Data", "(formulas)] KD-7740912\n"},
		{"CONCATENATE(\"KD-\",'My ''own'''!A5)", "My 'own'", "(formulas)] KD-7740912\n"},
		{"TEXT('My data'!A5,\"\"\"KD-\"\"0\")", "My data", "(formulas)] KD-7740912\n"},
		{"\"KD-\"&amp;\xc3\x9c" "1!A5", "\xc3\x9c" "1", "(formulas)] KD-7740912\n"},
		{"A5&amp;\"-\"&amp;Data!A5", "Data", "(formulas)] 17-7740912\n"},
		{"\"KD-\"&amp;First!A5", "Data", "(formulas)] KD-17\n|!KD-7740912"},
		{"\"KD-\"&amp;A5", "Data", "(formulas)] KD-17\n|!KD-7740912"},
		{"\"KD-\"&amp;customer_No", "My data", "(formulas)] KD-7740912\n"},
		{"TEXT(Customer_no,\"\"\"KD-\"\"0\")", "My data", "(formulas)] KD-7740912\n"},
		{"\"KD-\"&amp;Customer_no", "Data", "!KD-7740912"},
		{"\"KD-\"&amp;Both", "Data", "!KD-7740912"},
		{"\"KD-\"&amp;Customer_no(1)", "My data", "!KD-7740912"},
		{"\"KD-\"&amp;Data!A6", "Data", "!KD-7740912"},
		{"\"KD-\"&amp;Other!A5", "Data", "!KD-7740912"},
		{"\"KD-\"&amp;'Data", "Data", "!KD-7740912"},
		/* what a name says of its cell, or is itself */
		{"1", "My data", "(formulas)] CUSTOMER_NO: 7740912\n\nContract: K-4711\n\nOrder: 4712\n\n|!Sum:|!BOTH:"},
		{"1", "Data", "(formulas)] Contract: K-4711\n\nOrder: 4712\n\n|!CUSTOMER_NO"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i].formula, book(rows[i].formula, rows[i].second), rows[i].wanted, "");
}

/* A part of a chart in a package. */
static GByteArray *chart(const char *inner)
{
	g_autofree char *whole = g_strconcat(
		"<c:chartSpace xmlns:c='u'><c:chart>", inner, "</c:chart></c:chartSpace>", NULL);
	return ZIP(TYPES, {"ppt/charts/chart1.xml", whole, -1});
}

#define SERIES(before, cat, val)                                                                 \
	"<c:ser>" before "<c:cat>" cat "</c:cat><c:val>" val "</c:val></c:ser>"
#define NUMBERS(format, n)                                                                       \
	"<c:numRef><c:numCache><c:formatCode>" format "</c:formatCode><c:pt idx='0'><c:v>" n      \
	"</c:v></c:pt></c:numCache></c:numRef>"

static void test_charts(void)
{
	expect("the labels of a series",
		chart(SERIES("<c:dLbls><c:numFmt formatCode='" KD "' sourceLinked='0'/></c:dLbls>", "",
			NUMBERS("General", "417"))), "] 417\n|KD-0417\n", "");
	expect("the labels of all series",
		chart(SERIES("", "", NUMBERS("General", "417"))
			"<c:dLbls><c:numFmt formatCode='" KD "'/></c:dLbls>"), "KD-0417\n", "");
	expect("one point",
		chart("<c:val><c:numLit><c:pt idx='0' formatCode='" KD "'><c:v>417</c:v></c:pt></c:numLit></c:val>"),
		"KD-0417\n", "");
	expect("the axis of categories, not of values",
		chart(SERIES("", NUMBERS("General", "417"), NUMBERS("0.00", "918"))
			"<c:dateAx><c:numFmt formatCode='" KD "'/></c:dateAx>"
			"<c:valAx><c:numFmt formatCode='&quot;EU &quot;0'/></c:valAx>"),
		"KD-0417\n|EU 918\n|!KD-0918|!EU 417", "");
	expect("what is text has no format",
		chart("<c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>417</c:v></c:pt></c:strCache></c:strRef></c:cat>"
			"<c:catAx><c:numFmt formatCode='" KD "'/></c:catAx>"), "] 417\n|!KD-0417", "");
	expect("amounts and dates are shown once",
		chart(SERIES("", NUMBERS("General", "46130"), NUMBERS("General", "1234.5"))
			"<c:dateAx><c:numFmt formatCode='dd/mm/yyyy'/></c:dateAx>"
			"<c:valAx><c:numFmt formatCode='#,##0.00'/></c:valAx>"), "46130|1234.5|!18|!1,234", "");
	expect("a chart of 2016",
		ZIP(TYPES, {"word/charts/c.xml", "<cx:chartSpace xmlns:cx='u'><cx:chartData><cx:numDim><cx:lvl"
			" formatCode='" KD "'><cx:pt idx='0'>417</cx:pt></cx:lvl></cx:numDim></cx:chartData>"
			"</cx:chartSpace>", -1}), "KD-0417\n", "");
	expect("OpenDocument's",
		text_document(NUMBER_STYLE("N", "number:min-integer-digits='4'") NUMBER_STYLE("M", "")
			"<style:style style:name='ch1' style:family='chart' style:data-style-name='N'/>"
			"<style:style style:name='ch2' style:family='chart' style:percentage-data-style-name='M'/>"
			"<chart:chart><chart:series chart:style-name='ch1'><chart:data-point chart:style-name='ch2'/>"
			"</chart:series><table:table><table:table-row><table:table-cell office:value='417'/>"
			"</table:table-row></table:table></chart:chart><table:table-cell office:value='918'/>"),
		"KD-0417\n|KD-417\n|!KD-0918", "");
}

#define OTHER_LOOK "<dxfs count='2'><dxf><font/></dxf><dxf><numFmt numFmtId='164' formatCode='" KD "'/></dxf></dxfs>"

/* A sheet whose cells A1, B1 and A3 have the numbers 417, 918 and 530. */
static GByteArray *conditional(const char *more)
{
	g_autofree char *whole = g_strconcat("<worksheet><sheetData><row r='1'><c r='A1'><v>417</v></c>"
		"<c r='B1'><v>918</v></c></row><row r='3'><c r='A3'><v>530</v></c></row></sheetData>",
		more, "</worksheet>", NULL);
	return ZIP(TYPES, {"xl/worksheets/sheet1.xml", whole, -1},
		{"xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='0'/></cellXfs>" OTHER_LOOK "</styleSheet>", -1});
}

#define CONDITION(cells, look) \
	"<conditionalFormatting sqref='" cells "'><cfRule dxfId='" look "'/></conditionalFormatting>"
#define ODF_CELL(value) "<table:table-cell office:value='" value "'/>"
#define ODF_CONDITION(cells) \
	"<calcext:conditional-formats><calcext:conditional-format calcext:target-range-address='" cells "'>" \
	"<calcext:condition calcext:apply-style-name='A' calcext:value='&gt;0'/></calcext:conditional-format>" \
	"</calcext:conditional-formats>"

static void test_conditions(void)
{
	expect("a cell", conditional(CONDITION("A1", "1")), "KD-0417\n|!KD-0918|!KD-0530", "");
	expect("columns", conditional(CONDITION("$A:$A", "1")), "KD-0417\nKD-0530\n|!KD-0918", "");
	expect("several", conditional(CONDITION("B1:C1 A3", "1")), "KD-0918\nKD-0530\n|!KD-0417", "");
	expect("another look", conditional(CONDITION("A1", "0")), "417|!KD-4", "");
	expect("no look of that number", conditional(CONDITION("A1", "2")), "417|!KD-4", "");
	expect("a look of its own",
		conditional("<extLst><ext><x14:cfRule><x14:dxf><numFmt numFmtId='9' formatCode='" KD "'/></x14:dxf></x14:cfRule>"
			"<xm:sqref>A3</xm:sqref></ext></extLst>"), "KD-0530\n|!KD-0417", "");
	expect("the format of cells is theirs",
		ZIP(TYPES, {"xl/styles.xml", "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='\"AB-\"0'/></numFmts>"
				"<cellXfs><xf numFmtId='164'/></cellXfs>" OTHER_LOOK "</styleSheet>", -1},
			{"xl/s.xml", "<worksheet><row><c r='A1'><v>417</v></c></row></worksheet>", -1}),
		"] AB-417\t\n|!KD-4", "");
	expect("OpenDocument's, behind the rows",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "style:family='table-cell'")
			"<table:table><table:table-row table:number-rows-repeated='2'>" ODF_CELL("1") "</table:table-row>"
			"<table:table-row>" ODF_CELL("918") ODF_CELL("417") "</table:table-row>"
			ODF_CONDITION("&apos;My sheet&apos;.B3:&apos;My sheet&apos;.B9 x.D1") "</table:table>"),
		"KD-417\n|!KD-918|!KD-1", "");
	expect("OpenDocument's, of another table",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "") "<table:table><table:table-row>"
			ODF_CELL("417") "</table:table-row></table:table><table:table>" ODF_CONDITION("x.A1")
			"</table:table>"), "417|!KD-4", "");
	expect("in the style of a cell",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "style:family='table-cell'")
			"<style:style style:name='B' style:family='table-cell'><style:map style:condition='x'"
			" style:apply-style-name='A'/></style:style>"
			CELL_STYLE("C", "", "style:family='table-cell' style:parent-style-name='B'") CELL_OF("C")),
		"KD-7740912\n", "");
	expect("of cells that have no style",
		text_document(NUMBER_STYLE("N", "") "<style:default-style style:family='table-cell'"
			" style:data-style-name='N'/>" ODF_CELL("417")), "KD-417\n", "");
	expect("of the style that cells without one have",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("Default", "N", "style:family='table-cell'")
			CELL_STYLE("Default", "", "style:family='graphic'") ODF_CELL("417")), "KD-417\n", "");
	expect("the style of something else by the name",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "style:family='chart'")
			CELL_STYLE("A", "", "style:family='table-cell'") CELL_OF("A")), "!KD-7", "");
	expect("fields",
		text_document(NUMBER_STYLE("N", "") "<text:user-field-decl text:name='U' office:value='417'/>"
			"<text:p><text:user-field-get text:name='U' style:data-style-name='N'/>"
			"<text:expression office:value='918' style:data-style-name='N'/>"
			"<text:user-field-get text:name='V' style:data-style-name='N'/></text:p>"),
		"KD-417\n|KD-918\n", "");
	expect("text",
		text_document("<number:text-style style:name='N'><number:text>KD-</number:text><number:text-content/>"
			"</number:text-style>" CELL_STYLE("A", "N", "style:family='table-cell'") "<text:p>x</text:p>"
			"<table:table-cell table:style-name='A'><text:p>77 40</text:p></table:table-cell>"
			"<table:table-cell table:style-name='A'/><table:table-cell><text:p>530</text:p></table:table-cell>"),
		"KD-77 40\n|!KD-530", "");
	expect("text, under a condition",
		text_document("<number:text-style style:name='M'><number:text>KD-</number:text><number:text-content/>"
			"</number:text-style><number:number-style style:name='N'><number:number/><style:map"
			" style:apply-style-name='M'/></number:number-style>" CELL_STYLE("A", "N", "") "<text:p>x</text:p>"
			"<table:table-cell table:style-name='A'><text:p>77 40</text:p></table:table-cell>"), "KD-77 40\n", "");
	expect("a style that is defined again in its cell",
		text_document(NUMBER_STYLE("N", "") CELL_STYLE("A", "N", "") "<table:table-cell table:style-name='A'>"
			"<text:p>a</text:p>" NUMBER_STYLE("N", "") "</table:table-cell>"), "a", "");
	static const char *const embedded[][3] = {{"7", "7", "xKD-7740912"}, {"7", "3", "7740KD-912"},
		{"7", "0", "7740912KD-"}, {"4", "9", "xKD-7740912"}, {"7", "6", "7KD-740912"}};
	for (gsize i = 0; i < G_N_ELEMENTS(embedded); i++) {
		g_autofree char *styles = g_strdup_printf("<number:number-style style:name='N'><number:text>x</number:text>"
			"<number:number number:min-integer-digits='%s' number:decimal-places='1'><number:embedded-text"
			" number:position='%s'>KD-</number:embedded-text></number:number></number:number-style>"
			CELL_STYLE("A", "N", "") CELL_OF("A"), embedded[i][0], embedded[i][1]);
		expect("text within a number", text_document(styles), embedded[i][2], "");
	}
	expect("a time",
		text_document("<number:time-style style:name='N'><number:text>KD-</number:text><number:hours"
			" number:style='long'/><number:minutes number:style='long'/></number:time-style>"
			CELL_STYLE("A", "N", "") "<table:table-cell table:style-name='A' office:time-value='PT04H17M09S'/>"),
		"KD-0417\n", "");
	expect("a fraction",
		text_document("<number:number-style style:name='N'><number:text>KD-</number:text><number:fraction"
			" number:min-integer-digits='4'/></number:number-style>" CELL_STYLE("A", "N", "")
			"<table:table-cell table:style-name='A' office:value='417'/>"), "KD-0417\n", "");
}

/* What the source of a pivot table showed. */
static void test_pivot_formats(void)
{
	static const char styles[] = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='" KD "'/>"
		"</numFmts></styleSheet>";
	static const char fields[] = "<pivotCacheDefinition><cacheFields>"
		"<cacheField name='No.' numFmtId='164'><sharedItems><n v='530'/></sharedItems></cacheField>"
		"<cacheField name='Sum' numFmtId='4'/></cacheFields></pivotCacheDefinition>";
	expect("values and records",
		ZIP(TYPES, {"r.xml", "<pivotCacheRecords><r><n v='417'/><n v='1234'/></r><r><x v='0'/><n v='918'/></r>"
			"</pivotCacheRecords>", -1}, {"d.xml", fields, -1}, {"s.xml", styles, -1}),
		"] No.\t530\nNo.\tKD-0530\n|] No.\tSum\t\n417\t1234\t\nKD-0417\t1234\t\n\t918\t\n|!KD-0918|!1,234", "");
	expect("records of another table",
		ZIP(TYPES, {"d.xml", fields, -1}, {"s.xml", styles, -1},
			{"r.xml", "<pivotCacheRecords><r><n v='417'/></r></pivotCacheRecords>", -1}),
		"] 417\t\n|!KD-0417", "");
}

/* The label of a list and the word that it stands before are one to who reads them. */
static void test_labels_of_lists(void)
{
	static const char *const levels[][2] = {{"KD-", "KD-7740912\n|!KD-next"}, {"KD-%1-", "KD-7-7740912\n"},
		{"a)", "!a)7740912"}, {"%1.", "!7.7740912"}, {"774", "!7747740912"}, {"Art. %1", "Art. 7\n|!77740912"}};
	for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
		g_autofree char *numbering = g_strdup_printf(
			"<w:numbering><w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'><w:start w:val='7'/>"
			"<w:lvlText w:val='%s'/></w:lvl></w:abstractNum><w:num w:numId='3'>"
			"<w:abstractNumId w:val='1'/></w:num></w:numbering>", levels[i][0]);
		expect(levels[i][0],
			ZIP(TYPES, {"word/numbering.xml", numbering, -1},
				{"word/document.xml", "<w:document><w:p><w:pPr><w:numPr><w:numId w:val='3'/></w:numPr></w:pPr>"
					"<w:r><w:t>7740912 is</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:numId w:val='3'/></w:numPr>"
					"</w:pPr><w:r><w:t>next 1</w:t></w:r></w:p></w:document>", -1}),
			levels[i][1], "");
	}
	expect("OpenDocument's",
		text_document("<text:list-style style:name='L'><text:list-level-style-number text:level='1'"
			" style:num-prefix='KD-77'/></text:list-style><text:list text:style-name='L'><text:list-item>"
			"<text:p>40912 is</text:p><text:p>530</text:p></text:list-item></text:list>"),
		"KD-771 40912\n|!KD-77140912|!KD-772530", "");
	expect("OpenDocument's, as newer programs write it",
		text_document("<text:list-style style:name='L'><text:list-level-style-number text:level='1'"
			" text:start-value='7740912' loext:num-list-format='KD-%1%'/></text:list-style>"
			"<text:list text:style-name='L'>" ITEM "</text:list>"), "KD-7740912\n", "");
	expect("RTF's",
		bytes_of("{\\rtf1{\\*\\listtable{\\list{\\listlevel\\levelstartat7{\\leveltext\\'03KD-;}"
			"{\\levelnumbers;}}\\listid1}}{\\*\\listoverridetable{\\listoverride\\listid1\\ls1}}"
			"\\pard\\ls1 7740912 is\\par\\pard 530\\par}"), "KD-7740912\n|!KD-530", "");
}

/* Attributes that say more than how something looks, and formulas that make a text. */
static void test_more_of_sheets(void)
{
	expect("captions of pivot fields",
		ZIP(TYPES, {"p.xml", "<pivotTableDefinition><pivotField name='Caption-1' subtotalCaption='Sub-1'"
			" uniqueMemberProperty='Member-1' numFmtId='4711'/></pivotTableDefinition>", -1}),
		"Caption-1|Sub-1|Member-1|!4711", "");
	expect("what is drawn before a paragraph, between two stops, for decimals",
		text_document("<a:buChar char='Bullet-1'/><text:list-level-style-bullet text:bullet-char='Bullet-2'/>"
			"<style:tab-stop style:leader-text='Leader-1' style:position='4711.5cm'/>"
			"<number:number number:decimal-replacement='Decimal-1' number:min-integer-digits='4711'/>"
			"<style:background-image xlink:href='http://x/?k=Image-1'/><v:stroke o:href='Stroke-1' weight='4711pt'/>"),
		"Bullet-1|Bullet-2|Leader-1|Decimal-1|Image-1|Stroke-1|!4711", "");
	g_autoptr(GByteArray) inner = ZIP(TYPES, {"drs/shapexml.xml", "<wsp><t>Packed-1</t></wsp>", -1});
	g_autofree char *base64 = g_base64_encode(inner->data, inner->len);
	g_autofree char *vml = g_strdup_printf("<xml><v:shape o:gfxdata='%s'/></xml>", base64);
	expect("a shape's package", ZIP(TYPES, {"xl/drawings/v.vml", vml, -1}), "Packed-1", "");
	expect("text that formulas make",
		ZIP(TYPES, {"t.xml", "<table><tableColumn><totalsRowFormula>TEXT(417,\"\"\"KD-\"\"0000\")</totalsRowFormula>"
			"<calculatedColumnFormula>CONCATENATE(\"KD\",\"-\",530)</calculatedColumnFormula></tableColumn></table>", -1},
			{"w.xml", "<workbook><definedName name='n'>CHAR(75)&amp;\"D-1\"</definedName></workbook>", -1},
			{"s.xml", "<worksheet><dataValidation><formula1>CONCATENATE(\"KD-\",2)</formula1>"
				"<formula2>3</formula2></dataValidation><cfRule><formula>A1=CHAR(75)&amp;\"D-4\"</formula></cfRule></worksheet>", -1}),
		"KD-0417\n|KD-530\n|KD-1\n|KD-2\n|KD-4\n", "");
	expect("the numbers of pages",
		sheet("xl/s1.xml", "", "", "<pageSetup firstPageNumber='7740911'/><headerFooter><oddHeader>KD-&amp;P</oddHeader>"
			"<oddFooter>KD-&amp;P+1 of &amp;P-</oddFooter></headerFooter>"),
		"KD-7740911\n|KD-7740912 of 7740911-\n", "");
	expect("the numbers of few pages",
		sheet("xl/s1.xml", "", "", "<headerFooter><oddHeader>KD-&amp;P+7</oddHeader></headerFooter>"),
		"KD- \n|!KD-8", "");
	expect("text with a format in SpreadsheetML",
		bytes_of("<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'><Styles>"
			"<Style ss:ID='s1'><NumberFormat ss:Format='&quot;KD-&quot;@'/></Style></Styles><Worksheet><Table><Row>"
			"<Cell ss:StyleID='s1'><Data ss:Type='String'>7740912</Data></Cell><Cell><Data ss:Type='String'>530</Data>"
			"</Cell></Row></Table></Worksheet></Workbook>"),
		"] KD-7740912\t530\t\n|(values)] 7740912\t530\t\n", "");
	expect("what a field of a form keeps in RTF",
		bytes_of("{\\rtf1 x{\\field{\\*\\fldinst F{\\*\\datafield 00004b442d37\n373430393132}}{\\fldrslt y}}"
			"{\\*\\a 7740913}{\\*\\b 7740914g}{\\*\\c 77409}}"),
		"KD-7740912|7740913|7740914g|77409\n", "");
}

#define PAGE(style, rows) "<html><head><style>" style "</style></head><body><table>" rows "</table></body></html>"

/* HTML for Excel and LibreOffice, SYLK. */
static void test_formats_in_text(void)
{
	static const struct {
		const char *name, *text, *wanted;
	} rows[] = {
		{"of the cell", PAGE("", "<tr><td style='mso-number-format:\"\\0022KD-\\00220000\"'>417<td>918"),
			"KD-0417\n|!KD-0918"},
		{"with the number beside",
			PAGE("", "<tr><td style='a:b;mso-number-format:\"\\0022KD-\\00220000\";c:d' x:num='417'>x"),
			"KD-0417\n"},
		{"in single quotes", PAGE("", "<tr><td style=\"mso-number-format:'KD\\-0000'\">417"), "KD-0417\n"},
		{"in no quotes", PAGE("", "<tr><td style='MSO-Number-Format: KD\\-0000 ; color:red'>417"), "KD-0417"},
		{"of a class", PAGE(".a, td.xl1 {mso-number-format:\"\\\\K\\\\D\\\\-0000\";}",
			"<tr><td class='b xl1'>417<td class=b>918"), "KD-0417\n|!KD-0918"},
		{"of a name", PAGE("#n{mso-number-format:KD\\-0}", "<tr><td id=n>417"), "KD-417\n"},
		{"of all cells", PAGE("td{mso-number-format:KD\\-0}", "<tr><td>417"), "KD-417\n"},
		{"of the row", PAGE(".r{mso-number-format:KD\\-0}", "<tr class=r><td>417<tr><td>918"),
			"KD-417\n|!KD-918"},
		{"of the table",
			"<table style='mso-number-format:KD\\-0'><tr><td>417</table><table><tr><td>918</table>",
			"KD-417\n|!KD-918"},
		{"of text", PAGE("", "<tr><td style='mso-number-format:\"\\0022KD-\\0022\\@\"'>77 40"), "KD-77 40\n"},
		{"of no number", PAGE("", "<tr><td style='mso-number-format:KD\\-0'>n/a"), "n/a|!KD-4"},
		{"the names of formats", PAGE("", "<tr><td style='mso-number-format:\"Short Date\"'>417"
			"<td style='mso-number-format:\"\\@\"'>530<td style='mso-number-format:Fixed'>918"),
			"417|!Short 417|!ate|!ixed"},
		{"LibreOffice's", PAGE("", "<tr><td sdval=417 sdnum='1033;0;&quot;KD-&quot;0000'>x"), "KD-0417\n"},
		{"LibreOffice's languages", PAGE("", "<tr><td sdval=417 sdnum='1033;'>x"), "417|!KD"},
		{"SYLK, of the cell", "ID;PWXL;N;E\r\nP;PGeneral\r\nP;P\"KD-\"0000\r\nF;P1;FG0G;X1;Y1\r\nC;K417\r\n"
			"C;X2;K918\r\nE\r\n", "(cells)] 417 KD-0417\t918\t"},
		{"SYLK, behind the cell", "ID;PWXL;N;E\r\nP;P\\K\\D\\-0000\r\nC;Y1;X1;K417\r\nF;P0;FG0G\r\nE\r\n",
			"(cells)] 417 KD-0417\t"},
		{"SYLK, of the column", "ID;PWXL;N;E\r\nP;PKD\\-0;;KD\\-0\r\nF;P0;C2\r\nC;Y1;X1;K918\r\nC;X2;K417\r\nE\r\n",
			"(cells)] 918\t417 KD-417\t"},
		{"SYLK, of the row", "ID;PWXL;N;E\r\nP;PKD\\-0\r\nF;P0;R2\r\nC;Y1;X1;K918\r\nC;Y2;X1;K417\r\nE\r\n",
			"(cells)] 918\t\n417 KD-417\t"},
		{"SYLK, of all", "ID;PWXL;N;E\r\nP;P0.00\r\nP;PKD\\-0\r\nF;P1;DG0G10\r\nF;P0;X2;Y1\r\nC;Y1;X1;K417\r\n"
			"C;X2;K9\r\nE\r\n", "(cells)] 417 KD-417\t9 9.00\t"},
		{"a list of values", "a;b\r\n=CONCATENATE(\"KD\";\"-\";530);=CHAR(75)&\"D-9\"\r\n",
			"(formulas)] KD-530\n|KD-9\n"},
		{"a list of values in quotes", "1,\"=\"\"KD\"\"&\"\"-\"\"&417\",\"=TEXT(530,\"\"\"\"\"\"KD-\"\"\"\"0\"\")\"\n",
			"(formulas)] KD-417\n|KD-530\n"},
		{"no formulas", "a=CHAR(75)&\"D-9\"\n====(1)\n=x & y\n1,=\"KD-1\"\n2,\"=\"\"KD-2\n", "!(formulas)"},
		{"SYLK, of no number", "ID;PWXL;N;E\r\nP;PKD\\-0\r\nF;P9;X1;Y1\r\nF;P-1;X1;Y1\r\nC;K417\r\nE\r\n",
			"(cells)] 417\t"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i].name, bytes_of(rows[i].text), rows[i].wanted, "");
}

static void put32(GByteArray *out, guint32 value)
{
	guint8 bytes[4] = {
		(guint8)value, (guint8)(value >> 8), (guint8)(value >> 16), (guint8)(value >> 24)};
	g_byte_array_append(out, bytes, 4);
}

static void emf_record(GByteArray *out, guint32 type, const guint8 *body, gsize len)
{
	static const guint8 pad[4] = {0};
	put32(out, type);
	put32(out, (guint32)(8 + ((len + 3) & ~(gsize)3)));
	g_byte_array_append(out, body, (guint)len);
	g_byte_array_append(out, pad, (guint)((4 - len % 4) % 4));
}

static void emf_text(GByteArray *out, guint32 y, const char *text)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	for (int i = 0; i < 17; i++)
		put32(body, i == 8 ? y : i == 9 ? (guint32)strlen(text) : i == 10 ? 76 : 0);
	for (; *text != '\0'; text++) {
		guint8 wide[2] = {(guint8)*text, 0};
		g_byte_array_append(body, wide, 2);
	}
	emf_record(out, 84, body->data, body->len);
}

static GByteArray *emf_begin(void)
{
	GByteArray *out = g_byte_array_new();
	guint8 header[100] = {0};
	memcpy(header + 32, " EMF", 4);
	emf_record(out, 1, header, sizeof header);
	return out;
}

static void test_drawings(void)
{
	static const guint8 nothing[12] = {0};
	GByteArray *text = emf_begin();
	emf_text(text, 10, "C-10");
	emf_text(text, 10, "002");
	emf_text(text, 30, "next");
	emf_record(text, 14, nothing, 12);
	expect("text, in pieces", text, "] C-10\n002\nnext\n|(joined)] C-10002\nnext", "");
	GByteArray *curves = emf_begin();
	emf_record(curves, 2, nothing, 12);
	emf_record(curves, 14, nothing, 12);
	expect("curves alone", curves, "", "image-only");
	GByteArray *raster = emf_begin();
	emf_text(raster, 1, "Text-1");
	emf_record(raster, 81, nothing, 12);
	emf_record(raster, 14, nothing, 12);
	expect("a picture in it", raster, "Text-1", "image");
	GByteArray *broken = emf_begin();
	put32(broken, 84);
	put32(broken, 0);
	g_byte_array_append(broken, (const guint8 *)"\1\2\3\4Behind-1", 12);
	expect("records that break off", broken, "", "no-reader");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_extract_init();
	g_test_add_func("/office/changes", test_changes);
	g_test_add_func("/office/hidden", test_hidden);
	g_test_add_func("/office/hidden-by-styles", test_hidden_by_styles);
	g_test_add_func("/office/aside", test_aside);
	g_test_add_func("/office/word", test_word_places);
	g_test_add_func("/office/bytes", test_bytes_of_parts);
	g_test_add_func("/office/sheets", test_sheets);
	g_test_add_func("/office/second-strings", test_second_strings);
	g_test_add_func("/office/string-bomb", test_string_bomb);
	g_test_add_func("/office/formats", test_formats);
	g_test_add_func("/office/formulas", test_formulas);
	g_test_add_func("/office/blobs", test_blobs);
	g_test_add_func("/office/lists", test_lists);
	g_test_add_func("/office/opendocument", test_opendocument);
	g_test_add_func("/office/opendocument/lists", test_opendocument_lists);
	g_test_add_func("/office/opendocument/numbers", test_opendocument_numbers);
	g_test_add_func("/office/opendocument/names", test_opendocument_names);
	g_test_add_func("/office/empty-cells", test_empty_cells);
	g_test_add_func("/office/flat", test_flat);
	g_test_add_func("/office/rtf", test_rtf);
	g_test_add_func("/office/books", test_books);
	g_test_add_func("/office/many-cells", test_many_cells);
	g_test_add_func("/office/charts", test_charts);
	g_test_add_func("/office/conditions", test_conditions);
	g_test_add_func("/office/pivot-formats", test_pivot_formats);
	g_test_add_func("/office/labels-of-lists", test_labels_of_lists);
	g_test_add_func("/office/more-of-sheets", test_more_of_sheets);
	g_test_add_func("/office/formats-in-text", test_formats_in_text);
	g_test_add_func("/office/drawings", test_drawings);
	return g_test_run();
}
