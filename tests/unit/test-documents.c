/*
 * Each document is made here, read, and asked for what is in it.
 */
#include "config.h"

#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-output-memory.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <zlib.h>

#include "missent/message.h"
#include "missent/extract.h"
#include "missent/worker.h"

#include "../../milter/extract/members.h"
#include "../../milter/extract/readers.h"
#include "../test.h"
#include "documents.h"
#include "gotten.h"

/* ---- PDF ------------------------------------------------------------------------------ */

static void test_pdf(void)
{
	expect("text and information", make_pdf("Customer C-4711", "", "", ""),
		"[doc page 1] Customer C-4711|Title-7001|Subject-7002|Keys-7003|Author-7004|Kundennummer: 7005", "");
	/* Poppler glues these together; both readings are handed over. */
	expect("cells side by side", make_pdf("Customer) Tj 150 0 Td (Order) Tj 150 0 Td (No) Tj "
			"-300 -40 Td (C-10001) Tj 150 0 Td (INV-77) Tj 150 0 Td (X-9", "", "", ""),
		"C-10001INV-77X-9|Customer\tOrder\tNo\nC-10001\tINV-77\tX-9", "");
	expect("form field",
		make_pdf("Form", "/AcroForm<</Fields[6 0 R]/DA(/F 0 Tf)>>", "/Annots[6 0 R]",
			"6 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Field-7010)/Rect[9 9 99 99]>>endobj\n"),
		"Field-7010", "");
	expect("note",
		make_pdf("Note", "", "/Annots[6 0 R]",
			"6 0 obj<</Type/Annot/Subtype/Text/Contents(Note-7011)/Rect[9 9 99 99]>>endobj\n"),
		"Note-7011", "");
	expect("link",
		make_pdf("Link", "", "/Annots[6 0 R]",
			"6 0 obj<</Type/Annot/Subtype/Link/Rect[9 9 99 99]/A<</S/URI/URI(https://a.example/?c=7012)>>>>endobj\n"),
		"https://a.example/?c=7012", "");
	expect("attachment", make_pdf_with("Invoice", "list.csv", "a;b\n1;Inside-7013\n"),
		"Desc-7005|[doc > list.csv] a;b|Inside-7013|[doc > list.csv file name] list\n.csv",
		"");
	expect("file in a note",
		make_pdf("Clip", "", "/Annots[8 0 R]",
			"8 0 obj<</Type/Annot/Subtype/FileAttachment/Rect[9 9 99 99]/FS 6 0 R>>endobj\n"
			"6 0 obj<</Type/Filespec/F(a.txt)/EF<</F 7 0 R>>>>endobj\n"
			"7 0 obj<</Type/EmbeddedFile/Length 11>>stream\nInside-7014\nendstream endobj\n"),
		"[doc > a.txt] Inside-7014", "");
	expect("nothing drawn", make_pdf(NULL, "", "", ""), "", "");
	expect("no PDF behind the header", bytes_of("%PDF-1.4 nothing"), "", "damaged");
	expect("junk before the header", g_byte_array_prepend(make_pdf("Late", "", "", ""),
			(const guint8 *)"\r\n\r\n", 4), "Late", "");
}

/* A scan: all that is on the page is drawn. */
static void test_pdf_pictures(void)
{
	static const char box[] =
		"6 0 obj<</Length 24>>stream\n0 0 0 rg 50 50 400 90 re f\nendstream endobj\n";
	static const char picture[] =
		"6 0 obj<</Length 33>>stream\nq 595 0 0 842 0 0 cm /I Do Q     \nendstream endobj\n"
		"7 0 obj<</Type/XObject/Subtype/Image/Width 2/Height 2/BitsPerComponent 8"
		"/ColorSpace/DeviceGray/Length 4>>stream\n\x01\x7f\x01\x7f\nendstream endobj\n";
	expect("drawn", make_pdf(NULL, "", "/Contents 6 0 R", box), "", "image-only");
	expect("picture",
		make_pdf(NULL, "", "/Contents 6 0 R/Resources<</XObject<</I 7 0 R>>>>", picture),
		"", "image-only");
	expect("picture with a footer",
		make_pdf("Scanned by X", "",
			"/Contents[4 0 R 6 0 R]/Resources<</Font<</F 5 0 R>>/XObject<</I 7 0 R>>>>",
			picture),
		"Scanned by X", "image-only");
}

static void test_pdf_garbled(void)
{
	expect("no table of characters",
		make_pdf("ABCDEFGHIJKL", "", "/Resources<</Font<</F 6 0 R>>>>",
			"6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 7 0 R>>endobj\n"
			"7 0 obj<</Length 122>>stream\nbegincmap 1 begincodespacerange <00><ff> endcodespacerange "
			"1 beginbfrange <41><5a><e041> endbfrange endcmap                  \nendstream endobj\n"),
		"", "charset");
	/* Each letter some places off, as a subset of a font without a table gives it. */
	static const char shifted[] =
		"&XVWRPHU QXPEHU LQYRLFH WKDQN \\(RX IRU \\(RXU RUGHU RI) Tj 0 -14 Td (WZHOYH FKDLUV DQG D WDEOH "
		"NLQGO\\( SD\\( ZLWKLQ IRXUWHHQ GD\\(V) Tj 0 -14 Td (ZLWKRXW GHGXFWLRQ WKH DPRXQW ZLOO EH GHELWHG IURP WKH EDQN "
		") Tj 0 -14 Td (DFFRXQW WKDW WKH PDQGDWH QDPHV DQG ZLOO DSSHDU RQ WKH VWDWHPHQW";
	expect("letters off by some places", make_pdf(shifted, "", "", ""), "LQYRLFH", "charset");
	expect("only marks",
		make_pdf(
			"! # $% & ' * + , - . / ! # $ % & ' 12 * + , - . / : ; = ? @ ! # $ % & ' * + ,",
			"", "", ""),
		"", "charset");
}

/* ---- e-invoices ----------------------------------------------------------------------- */

#define BUYER                                                                                 \
	"{BT-44 buyer} Blaue T\xc3\xbcr GmbH|{BT-46 buyer} C-4711|{BT-48 buyer} DE136695976|" \
	"{BT-50 buyer} Hauptstr. 1|{BT-52 buyer} Berlin|{BT-53 buyer} 10115|{BT-55 buyer} DE|"

static void test_ubl(void)
{
	static const char wanted[] = BUYER
		"{BT-1 document} INV-1|{BT-10 buyer} 04011000-12345-35|{BT-13 buyer} PO-7|"
		"{BT-14 document} SO-8|{BT-18 buyer} OBJ-1|{BT-122 buyer} ATT-1|"
		"{BT-45 buyer} Blue Door|{BT-47 buyer} HRB 9988|{BT-49 buyer} ap@buyer.example|"
		"{BT-51 buyer} Hof 2|{BT-56 buyer} Eva Muster|{BT-58 buyer} eva@buyer.example|"
		"{BG-8 buyer} Hauptstr. 1\nHof 2\n10115 Berlin\nDE|{BG-8 buyer} Hauptstr. 1\n10115 Berlin\nDE|"
		"{BT-90 seller} DE98ZZZ09999999999|{BT-31 seller} DE129273398|{BT-32 seller} 123/456|"
		"{BT-84 payee} DE89370400440532013000|noted in passing|"
		"[doc > lines.csv] line;number\n1;NUMBER-1234567";
	expect("UBL", bytes_of(UBL), wanted, "");
	g_autofree char *sbd = g_strdup_printf(
		"<?xml version=\"1.0\"?><StandardBusinessDocument xmlns=\"urn:x\">%s</StandardBusinessDocument>",
		strchr(UBL, '\n') + 1);
	expect("UBL in a Peppol envelope", bytes_of(sbd), wanted, "");
	expect("UBL in PDF/A-3", make_pdf_with("Invoice INV-1 for C-4711", "any name.bin", UBL),
		"[doc page 1] Invoice INV-1|" BUYER, "");
}

static void test_cii(void)
{
	static const char wanted[] = BUYER
		"{BT-1 document} INV-2|{BT-10 buyer} REF-9|{BT-46 buyer} 4304171000002|"
		"{BT-32 seller} 201/113|{BT-27 seller} Seller AG|{BT-83 document} PAY-3|"
		"{BG-8 buyer} Hauptstr. 1\n10115 Berlin\nDE";
	expect("CII", bytes_of(CII), wanted, "");
	expect("ZUGFeRD 1", bytes_of(ZUGFERD1), wanted, "");
	expect("FatturaPA", bytes_of(FATTURAPA),
		"{BT-1 document} FPA 1/24|{BT-44 buyer} Porta Blu|{BT-48 buyer} IT01879020517|"
		"{BG-8 buyer} Via Roma 1\n00184 Roma\nIT", "");
	expect("KSeF", bytes_of(KSEF),
		"{BT-1 document} 419/2026|{BT-25 document} 418/2026|{BT-44 buyer} Drzwi|"
		"{BT-46 buyer} C-4711|{BT-48 buyer} 1111111111|{BT-31 seller} 5260250274|"
		"{BT-12 buyer} U-7|{BT-13 buyer} Z-8|{BT-84 payee} 61109010140000071219812874|"
		"{BG-8 buyer} ul. Prosta 5\n00-001 Warszawa\nPL", "");
}

static GByteArray *in_wide(const char *charset, const char *mark, gsize len, const char *text)
{
	gsize n;
	g_autofree char *wide = g_convert(text, -1, charset, "UTF-8", NULL, &n, NULL);
	GByteArray *out = g_byte_array_append(g_byte_array_new(), (const guint8 *)mark, (guint)len);
	return g_byte_array_append(out, (guint8 *)wide, (guint)n);
}

static GByteArray *in_utf16(const char *text)
{
	return in_wide("UTF-16LE", "\xff\xfe", 2, text);
}

static void test_xml(void)
{
	g_autofree char *no_encoding = g_strdup_printf(
		"<?xml version=\"1.0\"?>%s", strchr(UBL, '\n'));
	expect("UTF-16", in_utf16(no_encoding), "{BT-46 buyer} C-4711", "");
	expect("UTF-32",
		in_wide("UTF-32BE", "", 0, "<?xml version='1.0' encoding='utf-32'?><a>C-4711</a>"),
		"C-4711", "");
	expect("mail in UTF-16",
		in_utf16("From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n"
			 "Content-Transfer-Encoding: base64\r\n\r\nUmVhbC0xIGFuZCBtb3Jl\r\n"),
		"Real-1 and more", "");
	expect("base64 in a line of YAML",
		bytes_of("name: x\ndata: !!binary |\n  UmVhbC0xIGFuZCBtb3Jl\n  UmVhbC0y\nlast: y\n"),
		"Real-1 and moreReal-2", "");
	expect("base64 behind a mark of YAML", bytes_of("data: !!binary UmVhbC0xIGFuZCBtb3Jl=\n"),
		"Real-1 and more", "");
	expect("ascii85", bytes_of("token: <~;Is9Q/MSAV\nDIal,DfTD31cG~> there\n"), "Real-1 and more 47", "");
	expect("RTF in UTF-16", in_utf16("{\\rtf1 Re{\\b al}-1 and more}"), "Real-1", "");
	expect("HTML in UTF-32 with a mark",
		in_wide("UTF-32LE", "\xff\xfe\0\0", 4, "<html><p>Re<b>al-1</b> and more</p></html>"),
		"Real-1", "");
	expect("hexadecimal digits in XML",
		bytes_of("<?xml version='1.0'?><a><b>5265616C2D31206D6F7265</b></a>"), "Real-1 more",
		"");
	expect("a sheet in SYLK: what is not said is as before, cells that are not there",
		bytes_of("ID;PWXL;N;E\r\nC;Y1;X1;K\"Day\"\r\nC;X3;K\"No.;; a\"\r\nF;Y2;X3\r\n"
			"C;K417\r\nC;X1;K\"\r\nC;X4;K\r\nC;Y0;X99999999999;K7\r\nC;Y\r\nE\r\n"),
		"(cells)] Day\t\tNo.;; a\t\n\t\t417\t\"", "");
	expect("a sheet in DIF",
		bytes_of("TABLE\n0,1\n\"EXCEL\"\nVECTORS\n0,3\n\"\"\nTUPLES\n0,2\n\"\"\nDATA\n0,0\n\"\"\n"
			"-1,0\nBOT\n1,0\n\"Day\"\n1,0\n\"\"\n1,0\n\"No.\na\"\n-1,0\nBOT\n0,1\nV\n1,0\n\"\"\n"
			"0,417\nV\n-1,0\nEOD\n"),
		"(cells)] Day\t\tNo.\na\t\n1\t\t417\t\n", "");
	expect("a sheet in DIF that is cut off",
		bytes_of("TABLE\r\n0,1\r\n\"\"\r\n-1,0\r\nBOT\r\n1,0"), "TABLE\r\n0,1", "");
	expect("a sheet in SYLK with a line end",
		bytes_of("ID;PCALCOOO32\nC;X1;Y1;K\"a\x1b :Real-1\"\nE\n"), "Real-1", "");
	expect("ISO 8859-15",
		bytes_of("<?xml version='1.0' encoding='iso-8859-15'?><a>100 \xa4</a>"),
		"100 \xe2\x82\xac", "");
	expect("UTF-8 that is none", bytes_of("<?xml version='1.0'?><a>M\xfcller</a>"),
		"M\xc3\xbcller", "");
	expect("text and attributes",
		bytes_of("<?xml version='1.0'?><a b='Attr-1'>Text-1<c>Text-2</c></a>"),
		"Attr-1|Text-1\nText-2", "");
	expect("flat OpenDocument",
		bytes_of("<?xml version='1.0'?><o:document xmlns:o='u' xmlns:t='v'>"
			 "<t:p>C-10<t:span>001</t:span></t:p><t:p>x</t:p></o:document>"),
		"C-10001\nx", "");
	expect("cut off", bytes_of("<?xml version='1.0'?><Invoice><ID>INV-77"), "INV-77",
		"damaged");
	expect("CDATA", bytes_of("<?xml version='1.0'?><a><![CDATA[Raw-1 <b>]]></a>"), "Raw-1 <b>",
		"");
	expect("an entity of its own",
		bytes_of("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'C-4711'>]><a>&e;</a>"),
		"] C-4711\n", "");
	expect("entities of entities",
		bytes_of("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e '&#67;-'><!ENTITY f '&e;47'>"
			 "<!ENTITY g '<b>x</b>'>]><a>&f;11<c>&g;</c></a>"),
		"] C-4711\nx", "");
	expect("an entity that a parameter declares",
		bytes_of("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY % p \"<!ENTITY e 'C-4711'>\">%p;]>"
			 "<a>&e;</a>"),
		"&e;", "ambiguous");
	expect("an external entity",
		bytes_of(
			"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"),
		"&e;", "ambiguous");
	g_autoptr(GString)
		bomb = g_string_new("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e0 'x'>");
	for (int i = 1; i < 30; i++)
		g_string_append_printf(bomb, "<!ENTITY e%d '&e%d;&e%d;'>", i, i - 1, i - 1);
	g_string_append(bomb, "]><a>&e29;</a>");
	gint64 begin = cpu_time();
	expect("billion laughs", bytes_of(bomb->str), "", "ambiguous");
	g_assert_cmpint(cpu_time() - begin, <, 5 * G_USEC_PER_SEC);
	g_autofree char *inner = g_markup_escape_text(CII, -1);
	g_autofree char *nested = g_strdup_printf(
		"%s<cbc:Description>%s</cbc:Description></ubl:Invoice>", UBL_HEAD, inner);
	expect("an invoice within an invoice", bytes_of(nested), "{BT-1 document} INV-2", "");
}

/* ---- two faces ------------------------------------------------------------------------ */

static guint contradictions(const char *page)
{
	g_autoptr(GByteArray) pdf = make_pdf_with(page, "factur-x.xml", CII);
	Got got = read_document(pdf);
	guint n = got.reading->contradictions->len;
	got_free(&got);
	return n;
}

static void test_faces(void)
{
	static const char rest[] = " thank you for your order of twelve chairs and a table, kindly "
				   "pay within fourteen days without deduction";
	g_autofree char *same = g_strconcat("Customer C-4711", rest, NULL);
	g_autofree char *name = g_strconcat("Blaue T\\374r GmbH", rest, NULL);
	g_autofree char *other = g_strconcat("Customer D-9999 Red Gate Ltd", rest, NULL);
	g_assert_cmpuint(contradictions(same), ==, 0);
	g_assert_cmpuint(contradictions(name), ==, 0);
	g_assert_cmpuint(contradictions(other), ==, 1);
	g_assert_cmpuint(contradictions("See attached"), ==, 0); /* says nothing of anybody */
}

/* ---- Office --------------------------------------------------------------------------- */

#define W "<?xml version='1.0'?><w:document xmlns:w='urn:w'><w:body>"
#define W_END "</w:body></w:document>"
#define TYPES {"[Content_Types].xml", "<Types/>", -1}

static void test_word(void)
{
	expect("runs are joined",
		ZIP(TYPES,
			{"word/document.xml",
				W
				"<w:p><w:r><w:t>CU</w:t></w:r><w:r><w:t>ST-</w:t></w:r><w:r><w:noBreakHyphen/></w:r>"
				"<w:r><w:t>65</w:t></w:r></w:p><w:p><w:r><w:t>next</w:t><w:tab/><w:t>cell</w:t></w:r></w:p>"
				"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Customer</w:t></w:r></w:p></w:tc>"
				"<w:tc><w:p><w:r><w:t>4711</w:t></w:r></w:p></w:tc></w:tr></w:tbl>" W_END,
				-1}),
		"CUST--65\nnext\tcell|Customer\t4711", "");
	expect("all its parts",
		ZIP(TYPES, {"word/document.xml", W W_END, -1},
			{"word/header1.xml",
				"<w:hdr xmlns:w='u'><w:p><w:t>Head-1</w:t></w:p></w:hdr>", -1},
			{"word/footnotes.xml",
				"<w:f xmlns:w='u'><w:p><w:t>Foot-1</w:t></w:p></w:f>", -1},
			{"word/comments.xml",
				"<w:c xmlns:w='u'><w:p><w:t>Comment-1</w:t></w:p></w:c>", -1},
			{"docProps/core.xml",
				"<?xml version='1.0'?><c xmlns:d='u'><d:title>Title-1</d:title></c>",
				-1},
			{"word/_rels/document.xml.rels",
				"<Relationships><Relationship Target='https://a.example/?c=Link-1'/></Relationships>",
				-1}),
		"Head-1|Foot-1|Comment-1|Title-1|https://a.example/?c=Link-1", "");
	g_autoptr(GByteArray) inner = ZIP({"inside.txt", "Embedded-1", -1});
	expect("an embedded file", ZIP(TYPES, {"word/document.xml", W W_END, -1},
			{"word/embeddings/a.zip", inner->data, (gssize)inner->len}),
		"Embedded-1", "");
	expect("only pictures", ZIP(TYPES, {"word/document.xml", W W_END, -1},
			{"word/media/a.png", PNG, sizeof PNG - 1}), "", "image image-only");
	expect("broken XML", ZIP(TYPES, {"word/document.xml", W "<w:p><w:t>Half-1", -1}), "Half-1",
		"damaged");
}

static void test_excel(void)
{
	expect("strings, numbers, formats",
		ZIP(TYPES,
			{"xl/sharedStrings.xml",
				"<sst><si><t>Customer</t></si><si><r><t>Na</t></r><r><t>me</t></r>"
				"<rPh><t>phonetic</t></rPh></si></sst>",
				-1},
			{"xl/styles.xml",
				"<styleSheet><numFmts><numFmt numFmtId='164' formatCode='0000000'/>"
				"<numFmt numFmtId='165' formatCode='\"C-\"000\\-000'/></numFmts>"
				"<cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='165'/></cellXfs></styleSheet>",
				-1},
			{"xl/worksheets/sheet1.xml",
				"<worksheet><sheetData><row><c t='s'><v>0</v></c>"
				"<c s='1'><v>4711</v></c></row><row><c t='s'><v>1</v></c><c s='2'><v>123456</v></c>"
				"<c><v>1.23456789012E11</v></c><c t='inlineStr'><is><t>Inline-1</t></is></c></row>"
				"</sheetData></worksheet>",
				-1}),
		"Customer\t0004711|Customer\t4711|Name\tC-123-456\t123456789012\tInline-1|Name\t123456\t|phonetic",
		"");
	expect("a binary workbook", ZIP(TYPES, {"xl/worksheets/sheet1.bin", "xxABCD-1234\0\0", 13}),
		"ABCD-1234", "no-reader");
}

static void test_opendocument(void)
{
	expect("text and cells",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"content.xml",
				"<o:d xmlns:o='u' xmlns:t='v'><t:p>CU<t:span>ST-1</t:span><t:s t:c='2'/>x</t:p>"
				"<o:table-row><o:table-cell o:value='4711'><t:p>4.711</t:p></o:table-cell>"
				"<o:table-cell><t:p>b</t:p></o:table-cell></o:table-row></o:d>",
				-1},
			{"meta.xml", "<?xml version='1.0'?><m xmlns:a='b'><t>Meta-1</t></m>", -1}),
		"CUST-1 x|4.711\tb|4711|Meta-1", "");
	expect("with a password",
		ZIP({"mimetype", "application/vnd.oasis.opendocument.text", -1},
			{"META-INF/manifest.xml", "<m><encryption-data/></m>", -1},
			{"content.xml", "x", -1}),
		"", "password");
}

/* ---- Microsoft's compound files ------------------------------------------------------- */

typedef struct {
	const char *name; /* a final "/" makes a folder; what follows it is in that folder */
	const void *data;
	gsize len;
} Stream;

static GByteArray *make_ole(const Stream *streams, gsize n)
{
	GsfOutput *memory = gsf_output_memory_new();
	GsfOutfile *root = gsf_outfile_msole_new(memory);
	GsfOutfile *folder = NULL;
	for (gsize i = 0; i < n; i++) {
		bool is_folder = g_str_has_suffix(streams[i].name, "/");
		g_autofree char *name = g_strndup(
			streams[i].name, strlen(streams[i].name) - is_folder);
		GsfOutput *child = gsf_outfile_new_child(
			folder != NULL ? folder : root, name, is_folder);
		if (is_folder) {
			g_assert_null(folder);
			folder = GSF_OUTFILE(child);
			continue;
		}
		gsf_output_write(child, streams[i].len, streams[i].data);
		gsf_output_close(child);
		g_object_unref(child);
	}
	if (folder != NULL) {
		gsf_output_close(GSF_OUTPUT(folder));
		g_object_unref(folder);
	}
	gsf_output_close(GSF_OUTPUT(root));
	GByteArray *out = g_byte_array_append(g_byte_array_new(),
		gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(memory)),
		(guint)gsf_output_size(memory));
	g_object_unref(root);
	g_object_unref(memory);
	return out;
}
#define OLE(...)                                \
	make_ole((const Stream[]){__VA_ARGS__}, \
		sizeof((const Stream[]){__VA_ARGS__}) / sizeof(Stream))
#define TEXT(s) s, sizeof(s) - 1
#define WORD "\xec\xa5\xc1\0\0\0\0\0\0\0\0\0"

static void test_ole(void)
{
	expect("cells of Word, however short, in their columns",
		OLE({"WordDocument", TEXT(WORD "\7\7To all\rDay\7Fax\7No\rof\7\7" "1.\7\7" "17\7\7" "2.\7" "3\7" "18\7\7"
			"\r" "ab\r\7" "Regards\r" "A\7" "B\7\7" "4\7\7\7")}),
		"To all\nDay\tFax\t|of\t\n1.\t\t17\t\n2.\t3\t18\t\nRegards\nA\tB\t\n4\t\t\n", "");
	expect("Word, in both widths",
		OLE({"WordDocument",
			TEXT("\xec\xa5\xc1\0\0\0\0\0\0\0\0\0C\0-\0"
			     "4\0"
			     "7\0"
			     "1\0"
			     "1\0\r\0\r\0Narrow-1\r")}),
		"C-4711|Narrow-1", "");
	expect("Word with a password",
		OLE({"WordDocument", TEXT("\xec\xa5\xc1\0\0\0\0\0\0\0\0\x01\0\0\0\0")}), "",
		"password");
	expect("Office with a password", OLE({"EncryptedPackage", TEXT("xxxxxxxxxxxx")}), "",
		"password");
	expect("a package within",
		OLE({"\001Ole10Native",
			TEXT("\0\0\0\0\2\0a.txt\0c:\\a.txt\0\0\0\0\0\x02\0\0\0x\0"
			     "\x08\0\0\0Inside-1")}),
		"[doc > a.txt] Inside-1", "");
	expect("no directory",
		g_byte_array_append(g_byte_array_new(),
			(const guint8 *)TEXT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 Stray-1234 ")),
		"Stray-1234", "damaged");
	expect("macros, whose source is packed",
		OLE({"VBA/", NULL, 0},
			{"Module1",
				TEXT("cache\x01\x23\xb0\0Attribut\0e VB_Nam\0e = \"C-1\0"
				     "0002\"   ")}),
		"Attribute VB_Name = \"C-10002\"", "");
	expect("pictures of a slide show",
		OLE({"Pictures",
			TEXT("\x00\x6e\x1e\xf0\x1f\0\0\0"
			     "0123456789abcdef\xff"
			     "GIF89a\1\0\1\0\0\0\0,")}),
		"", "image");
	expect("any stream, and its name", OLE({"C-10002", TEXT("Stream-1")}), "C-10002|Stream-1",
		"");
	GByteArray *behind = OLE({"a", TEXT("b")});
	g_byte_array_append(behind, (const guint8 *)"\0Behind-1\0", 10);
	expect("bytes that no stream has", behind, "(outside of its streams)] Behind-1", "");
	expect("Outlook's .msg", OLE({"__properties_version1.0", TEXT("0123456789abcdef")},
			{"__substg1.0_0037001F", TEXT("S\0u\0b\0j\0-\0" "1\0")},
			{"__substg1.0_1000001E", TEXT("Body-1")},
			{"__substg1.0_3A1D101E-00000000", TEXT("Several-1")},
			{"__substg1.0_300B0102", TEXT("\1\0SMTP:KEY-1\0")},
			{"__substg1.0_10130102", TEXT("<p>Html-<b>1</b></p>")},
			{"__attach_version1.0_#00000000/", NULL, 0},
			{"__substg1.0_3707001F", TEXT("a\0.\0t\0x\0t\0")},
			{"__substg1.0_37010102", TEXT("Attached-1")}),
		"Subj-1|Body-1|Several-1|KEY-1|Html-1|a.txt] Attached-1", "");
}

static void put16(GByteArray *out, guint value)
{
	guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};
	g_byte_array_append(out, bytes, 2);
}

static void put32(GByteArray *out, guint32 value)
{
	put16(out, value & 0xffff);
	put16(out, value >> 16);
}

static void record(GByteArray *out, guint type, const void *data, gsize len)
{
	put16(out, type);
	put16(out, (guint)len);
	g_byte_array_append(out, data, (guint)len);
}
#define RECORD(type, s) record(book, type, s, sizeof(s) - 1)

static void test_excel_binary(void)
{
	g_autoptr(GByteArray) book = g_byte_array_new();
	RECORD(0x809, "\0\6\5\0");
	RECORD(0x41e, "\xa4\0\7\0\0" "0000000");
	RECORD(0xe0, "\0\0\xa4\0");
	/* Two strings; the second goes on in the next record, in the other width. */
	RECORD(0xfc, "\2\0\0\0\2\0\0\0\10\0\0Customer\10\0\0NUM");
	RECORD(0x3c, "\1B\0E\0R\0-\0" "1\0");
	RECORD(0xfd, "\0\0\0\0\0\0\0\0\0\0");
	RECORD(0x27e, "\0\0\1\0\0\0\x9e\x49\0\0");          /* RK: 4711, format 0000000 */
	RECORD(0xfd, "\1\0\0\0\0\0\1\0\0\0");
	RECORD(0x203, "\1\0\1\0\1\0\0\0\x80\x8a\x2d\xbe\x3c\x42"); /* NUMBER */
	RECORD(0x204, "\2\0\0\0\0\0\5\0\0Label");
	RECORD(0x204, "\3\0\3\0\0\0\3\0\0far");
	RECORD(0x6, "\3\0\5\0\0\0\0\0\0\0\0\0\xff\xff");
	RECORD(0x207, "\4\0\0text");
	RECORD(0x204, "\3\0\0\1\0\0\3\0\0end");
	RECORD(0x14, "\x0b\0\0&LHead-1&RX");
	expect("cells", OLE({"Workbook", book->data, book->len}),
		"Customer\t4711 0004711\t\nNUMBER-1\t|Label\t\n\t\t\tfar\t\ttext\tend\t\n|\nHead-1\nX", "");
	g_autoptr(GByteArray) locked = g_byte_array_new();
	record(locked, 0x809, "\0\6\5\0", 4);
	record(locked, 0x2f, "\1\0", 2);
	expect("with a password", OLE({"Workbook", locked->data, locked->len}), "", "password");
}

/* What lies in a stream that nobody expects there. */
#define N_417 "\0\0\0\0\0\x10\x7a\x40"
#define N_48291746 "\0\0\0\x10\xfd\x06\x87\x41"

/* Numbers that no cell shows, and cells of text that show more. */
static void test_excel_binary_places(void)
{
	static const struct {
		const char *name;
		guint type;
		const char *body;
		gsize len;
		const char *wanted;
	} rows[] = {
		{"a text of the table", 0xfd, TEXT("\0\0\0\0\1\0\0\0\0\0"), "7740912 KD-7740912\t"},
		{"a text of the table that has no such format", 0xfd, TEXT("\0\0\0\0\0\0\0\0\0\0"),
			"7740912\t|!KD-7740912"},
		{"a text of the cell", 0x204, TEXT("\0\0\0\0\1\0\3\0\0C-1"), "C-1 KD-C-1\t"},
		{"a formula's number", 0x6, TEXT("\0\0\0\0\0\0" N_417 "\0\0\0\0\0\0\x9\0\x1f" N_48291746),
			"417\t|charts)] 48291746\n"},
		{"a formula's small number", 0x6, TEXT("\0\0\0\0\0\0" N_417 "\0\0\0\0\0\0\x9\0\x1f" N_417),
			"417\t|!charts)"},
		{"a name for a number", 0x18, TEXT("\0\0\0\1\x9\0\0\0\0\0\0\0\0\0\0a\x1f" N_48291746),
			"charts)] 48291746\n"},
		{"a name for a short number", 0x18, TEXT("\0\0\0\1\3\0\0\0\0\0\0\0\0\0\0a\x1e\x67\x12"),
			"charts)] 4711\n"},
		{"a cell of another workbook", 0x5a, TEXT("\1\0\0\0\2\2\0\0ab\1" N_48291746),
			"charts)] 48291746\n"},
		{"... behind wide text", 0x5a, TEXT("\1\0\0\0\2\2\0\1a\0b\0\1" N_48291746),
			"charts)] 48291746\n"},
		{"... that is cut off", 0x5a, TEXT("\1\0\0\0\2\xff\xff\1a\0b\0\1" N_48291746), "!48291746"},
		{"a filter", 0x9e, TEXT("\0\0\0\0\4\2" N_48291746 "\2\2\x9e\x49\0\0\0\0\0\0"),
			"charts)] 48291746\n4711\n"},
		{"a whole number of a pivot table", 0xcc, TEXT("\x67\x12"), "4711\t"},
		{"what may be entered", 0x1be, TEXT("\0\0\0\0\x1f" N_48291746), "charts)] 48291746\n"},
		{"a condition", 0x1b1, TEXT("\1\3\x9\0\0\0\x1f" N_48291746), "charts)] 48291746\n"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) book = g_byte_array_new();
		RECORD(0x809, "\0\6\5\0");
		RECORD(0x41e, "\xa4\0\6\0\0" "\"KD-\"@");
		RECORD(0xe0, "\0\0\0\0");
		RECORD(0xe0, "\0\0\xa4\0");
		RECORD(0xfc, "\1\0\0\0\1\0\0\0\7\0\0" "7740912");
		record(book, rows[i].type, rows[i].body, rows[i].len);
		expect(rows[i].name, OLE({"Workbook", book->data, book->len}), rows[i].wanted, "");
	}
	g_autoptr(GByteArray) old = g_byte_array_new();
	record(old, 0x809, TEXT("\0\5\5\0"));
	record(old, 0x41e, TEXT("\xa4\0\x9" "\"KD-\"0000"));
	record(old, 0xe0, TEXT("\0\0\xa4\0"));
	record(old, 0x203, TEXT("\0\0\0\0\0\0" N_417));
	record(old, 0x14, TEXT("\7&LC-530"));
	expect("Excel 5", OLE({"Book", old->data, old->len}), "417 KD-0417\t|\nC-530\n", "");
	g_autoptr(GByteArray) book = g_byte_array_new();
	RECORD(0x809, "\0\6\5\0");
	RECORD(0x41e, "\xa4\0\x9\0\0" "\"KD-\"0000");
	RECORD(0xe0, "\0\0\0\0");
	RECORD(0x203, "\0\0\0\0\0\0" N_48291746);
	RECORD(0x809, "\0\6\x20\0");
	RECORD(0x104e, "\xa4\0");
	RECORD(0x203, "\0\0\0\0\0\0" N_417);
	RECORD(0xa, "");
	RECORD(0x203, "\1\0\0\0\0\0" N_48291746);
	expect("a chart, not what is around it", OLE({"Workbook", book->data, book->len}),
		"charts)] KD-0417\n|!KD-4", "");
}

static void test_ole_within(void)
{
	g_autoptr(GByteArray) book = g_byte_array_new();
	RECORD(0x809, "\0\6\5\0");
	RECORD(0x41e, "\xa4\0\7\0\0" "0000000");
	RECORD(0xe0, "\0\0\xa4\0");
	RECORD(0x27e, "\0\0\1\0\0\0\x9e\x49\0\0");
	static const char *const names[] = {"WORKBOOK", "workbook", "BOOK"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		expect("names without their case", OLE({names[i], book->data, book->len}),
			"4711 0004711", "");
	expect("a workbook within a message",
		OLE({"__properties_version1.0", TEXT("0123456789abcdef")},
			{"__substg1.0_3701000D/", NULL, 0}, {"Workbook", book->data, book->len}),
		"4711 0004711", "");
	expect("a file within an object of a message",
		OLE({"__properties_version1.0", TEXT("0123456789abcdef")},
			{"__substg1.0_3701000D/", NULL, 0},
			{"CONTENTS", TEXT("{\\rtf1 In-{\\b 10}02}")}),
		"> CONTENTS] In-1002", "");
	expect("a document in any stream", OLE({"Foo", TEXT("{\\rtf1 In-{\\b 10}02}")}),
		"> Foo] In-1002", "");
	g_autoptr(GByteArray) pivot = g_byte_array_new();
	record(pivot, 0xc6, "0123", 4);
	record(pivot, 0xc9, "\0\0\0\x80\x8a\x2d\xbe\x41", 8);
	expect("a number that a pivot table keeps",
		OLE({"_SX_DB_CUR/", NULL, 0}, {"0001", pivot->data, pivot->len}), "506301056", "");
	expect("UTF-16 behind the byte that says so", OLE({"a", TEXT("\6\0\1N\0o\0t\0e\0-\0" "1\0\n\0")}),
		"\nNote-1", "");
	expect("in a message: RTF and numbers as properties of a user",
		OLE({"__properties_version1.0",
			    TEXT("01234567012345670123456701234567"
				 "\x03\0\x05\x80\6\0\0\0\x67\x12\0\0\0\0\0\0"
				 "\x14\0\x06\x80\6\0\0\0\x68\x12\0\0\0\0\0\0"
				 "\x05\0\x07\x80\6\0\0\0\0\0\0\0\0\x69\xb2\x40")},
			{"__substg1.0_80040102", TEXT("{\\rtf1 In-{\\b 10}03}")},
			{"__substg1.0_007D001E", TEXT("Subject: =?utf-8?B?S0QtMTAwMDQ=?=")}),
		"4711|4712|4713|> property] In-1003|Subject: KD-10004", "");
	expect("numbers as properties of a user",
		OLE({"\005DocumentSummaryInformation",
			TEXT("\xfe\xff\0\0\5\1\2\0" "0123456789abcdef" "\1\0\0\0"
			     "\x05\xd5\xcd\xd5\x9c\x2e\x1b\x10\x93\x97\x08\0\x2b\x2c\xf9\xae"
			     "\x30\0\0\0" "\x28\0\0\0\2\0\0\0\2\0\0\0\x18\0\0\0\3\0\0\0\x20\0\0\0"
			     "\3\0\0\0\x67\x12\0\0\5\0\0\0\0\0\0\0\0\x69\xb2\x40")}),
		"4711\n4713", "");
}

static GByteArray *packed(const void *data, gsize len)
{
	uLongf size = compressBound((uLong)len);
	GByteArray *out = g_byte_array_new();
	g_byte_array_set_size(out, (guint)size);
	g_assert_cmpint(compress(out->data, &size, data, (uLong)len), ==, Z_OK);
	g_byte_array_set_size(out, (guint)size);
	return out;
}

static void test_ole_packed(void)
{
	static const char rtf[] = "{\\rtf1 In-{\\b 10}02}";
	g_autoptr(GByteArray) zlib = packed(rtf, sizeof rtf - 1);
	expect("any stream", OLE({"Foo", zlib->data, zlib->len}), "> Foo] In-1002", "");
	g_autoptr(GByteArray) slides = g_byte_array_new();
	put32(slides, 0x03e8000f);
	put32(slides, 4);
	g_byte_array_append(slides, (const guint8 *)"1234", 4);
	put32(slides, 0x10110010);
	put32(slides, zlib->len + 4);
	put32(slides, sizeof rtf - 1);
	g_byte_array_append(slides, zlib->data, zlib->len);
	expect("an object of a slide", OLE({"PowerPoint Document", slides->data, slides->len}),
		"> object] In-1002", "");
	slides->data[slides->len - zlib->len] ^= 0x55;
	expect("an object that is damaged", OLE({"PowerPoint Document", slides->data, slides->len}),
		"", "damaged");
	/* Word: bytes of its own, then a drawing that is packed. */
	g_autoptr(GByteArray) drawing = packed(rtf, sizeof rtf - 1);
	g_autoptr(GByteArray) data = bytes_of("Word-1 and its picture:\n");
	put32(data, 0xf01a3d40);
	put32(data, 50 + drawing->len);
	for (guint i = 0; i < 48; i++)
		g_byte_array_append(data, (const guint8 *)"\0", 1);
	g_byte_array_append(data, (const guint8 *)"\0\xfe", 2);
	g_byte_array_append(data, drawing->data, drawing->len);
	g_byte_array_append(data, (const guint8 *)"Behind-1", 8);
	expect("a drawing of Word", OLE({"Data", data->data, data->len}),
		"> picture] In-1002|Word-1 and its picture:|Behind-1", "");
	/* Excel cuts its pictures into records. */
	g_autoptr(GByteArray) book = g_byte_array_new();
	record(book, 0xeb, data->data, 60);
	record(book, 0x3c, data->data + 60, data->len - 60);
	expect("a drawing of Excel", OLE({"Workbook", book->data, book->len}),
		"> picture] In-1002", "");
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	guint32 noise[1024];
	for (gsize i = 0; i < G_N_ELEMENTS(noise); i++)
		noise[i] = g_rand_int(rand);
	expect("who knows how", OLE({"Foo", noise, sizeof noise}), "", "no-reader");
	static const char *const parts[] = {"VisioDocument", "VISIODOCUMENT"};
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		expect("by the program", OLE({parts[i], "Visio", 5}), "", "no-reader");
	expect("by Hangul", OLE({"BodyText/", NULL, 0}, {"Section0", "abcdefgh", 8}), "",
		"no-reader");
	expect("few bytes", OLE({"Foo", noise, 256}), "", "");
}

/* ---- RTF, winmail.dat, cards ---------------------------------------------------------- */

static void test_rtf(void)
{
	expect("text",
		bytes_of(
			"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator X;}"
			"C-{\\b 47}11\\par M\\'fcller \\u8364?5 A\\_B\\~C\\-D\\cell E"
			"{\\field{\\*\\fldinst HYPERLINK \"https://a.example/?c=1\"}{\\fldrslt here}}}"),
		"C-4711\nM\xc3\xbcller \xe2\x82\xac"
		"5 A-B CD\tE|https://a.example/?c=1|here",
		"");
	expect("breaks off", bytes_of("{\\rtf1 {\\b Half-1"), "Half-1", "damaged");
	expect("pictures are no text",
		bytes_of("{\\rtf1 a{\\pict 47494638396101000100000000 2c}b}"), "ab", "image");
	expect("HTML in it",
		bytes_of(
			"{\\rtf1\\fromhtml1 {\\*\\htmltag <p title=\"Attr-1\">}C-47\\htmlrtf {\\b \\htmlrtf0 "
			"11\\htmlrtf }\\htmlrtf0 {\\*\\htmltag </p>}}"),
		"C-4711|Attr-1", "");
	expect("an embedded file",
		bytes_of("{\\rtf1 x{\\object{\\*\\objdata 01050000255044462d312e34}}}"), "x",
		"damaged");
	/* Of "Packed-1", by gzip. */
	expect("an embedded file that nothing says anything of",
		bytes_of("{\\rtf1 x{\\object{\\*\\objdata "
			 "1f8b08000000000002030b484cce4e4dd13504004e6e954f08000000}}}"),
		"Packed-1", "");
	expect("an embedded file of no known kind",
		bytes_of("{\\rtf1 x{\\object{\\*\\objdata "
			 "f0e1d2c3b4a5968778695a4b3c2d1e0f010203040506}}}"),
		"x", "no-reader");
	expect("a link to a file, which is not in it",
		bytes_of("{\\rtf1 x{\\object{\\*\\objdata "
			 "010500000100000002000000410002000000420002000000430000000000000000000000}}}"),
		"x", "");
}

static void attribute(GByteArray *out, guint32 id, const void *data, gsize len)
{
	g_byte_array_append(out, (const guint8 *)"\1", 1);
	put32(out, id);
	put32(out, (guint32)len);
	g_byte_array_append(out, data, (guint)len);
	put16(out, 0);
}

static void test_tnef(void)
{
	GByteArray *out = g_byte_array_append(
		g_byte_array_new(), (const guint8 *)"\x78\x9f\x3e\x22\1\0", 6);
	attribute(out, 0x18004, TEXT("Subject-1"));
	g_autoptr(GByteArray) properties = g_byte_array_new();
	put32(properties, 3);
	put32(properties, 0x1000001f); /* body, in UTF-16 */
	put32(properties, 1);
	put32(properties, 12);
	g_byte_array_append(properties, (const guint8 *)"B\0o\0d\0y\0-\0" "1\0", 12);
	put32(properties, 0x8001001e); /* a named property */
	g_byte_array_append(properties, (const guint8 *)"0123456789abcdef", 16);
	put32(properties, 1);
	put32(properties, 4);
	g_byte_array_append(properties, (const guint8 *)"n\0m\0", 4);
	put32(properties, 1);
	put32(properties, 7);
	g_byte_array_append(properties, (const guint8 *)"Named-1\0", 8);
	/* Compressed RTF: a literal run. */
	static const guint8 rtf[] = "\x1d\0\0\0\x0f\0\0\0LZFu\0\0\0\0\0{\\rtf1 A\0-1}\0\0";
	put32(properties, 0x10090102);
	put32(properties, 1);
	put32(properties, sizeof rtf - 1);
	g_byte_array_append(properties, rtf, (sizeof rtf - 1 + 3) & ~3u);
	attribute(out, 0x69003, properties->data, properties->len);
	attribute(out, 0x69002, TEXT("xxxxxxxx"));
	attribute(out, 0x18010, TEXT("list.csv\0"));
	attribute(out, 0x6800f, TEXT("a;Attached-1\n"));
	expect("winmail.dat", out,
		"Subject-1|Body-1|Named-1|[doc] A-1|[doc > list.csv] a;Attached-1", "");

	/* Numbers of a user's own properties, as in an .msg; others are the program's. */
	out = g_byte_array_append(
		g_byte_array_new(), (const guint8 *)"\x78\x9f\x3e\x22\1\0", 6);
	g_autoptr(GByteArray) numbers = g_byte_array_new();
	static const struct {
		guint32 head;
		guint n;
		const char *value;
	} values[] = {
		{0x80010003, 4, "\xf2\xe1\xe0\2"},                  /* 48292338 */
		{0x80020014, 8, "\xf2\xe1\xe0\2\1\0\0\0"},          /* 4343259634 */
		{0x80030014, 8, "\x87\x4b\x6b\x5d\x54\xdc\x2b\0"},  /* 12345678901234567 */
		{0x80040005, 8, "\0\0\0\x90\x0f\x07\x87\x41"},      /* 48292338 as a double */
		{0x00170003, 4, "\xce\xfa\xde\x0d"},               /* 232717006 */
	};
	put32(numbers, G_N_ELEMENTS(values));
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		put32(numbers, values[i].head);
		if (values[i].head >> 31 != 0) {
			g_byte_array_append(numbers, (const guint8 *)"0123456789abcdef", 16);
			put32(numbers, 0);
			put32(numbers, 0x8500);
		}
		g_byte_array_append(numbers, (const guint8 *)values[i].value, values[i].n);
	}
	attribute(out, 0x69003, numbers->data, numbers->len);
	expect("named numbers", out,
		"48292338\n4343259634\n12345678901234567\n48292338\n|!232717006", "");

	/* Two files where one would be, as some write them without a mark between. */
	out = g_byte_array_append(
		g_byte_array_new(), (const guint8 *)"\x78\x9f\x3e\x22\1\0", 6);
	attribute(out, 0x18010, TEXT("a.csv\0"));
	attribute(out, 0x6800f, TEXT("a;First-1\n"));
	attribute(out, 0x6800f, TEXT("a;Second-1\n"));
	expect("two files of one name", out,
		"[doc > a.csv] a;First-1|[doc > attachment] a;Second-1", "");

	/* Texts in the sender's code page, 932 and 1251. */
	out = g_byte_array_append(
		g_byte_array_new(), (const guint8 *)"\x78\x9f\x3e\x22\1\0", 6);
	attribute(out, 0x69007, TEXT("\xa4\3\0\0\0\0\0\0"));
	attribute(out, 0x2800c, TEXT("\x82\x6a\x82\x63-1\0")); /* KD, in full width */
	expect("a code page", out, "\xef\xbc\xab\xef\xbc\xa4-1", "");
	out = g_byte_array_append(
		g_byte_array_new(), (const guint8 *)"\x78\x9f\x3e\x22\1\0", 6);
	attribute(out, 0x2800c, TEXT("\xc4\xee\xec-1\0")); /* "Dom" */
	g_autoptr(GByteArray) pages = g_byte_array_new();
	put32(pages, 1);
	put32(pages, 0x3fde0003);
	put32(pages, 1251);
	attribute(out, 0x69003, pages->data, pages->len);
	expect("a code page among the properties", out, "\xd0\x94\xd0\xbe\xd0\xbc-1", "");
}

static void test_cards(void)
{
	expect("calendar",
		bytes_of("BEGIN:VCALENDAR\r\nSUMMARY:Customer C-47\r\n 11\\, urgent\\nnow\r\n"
			 "END:VCALENDAR\r\n"),
		"Customer C-4711, urgent\nnow", "");
	expect("card", bytes_of("BEGIN:VCARD\r\nEMAIL:a@b.example\r\nEND:VCARD\r\n"), "a@b.example",
		"");
}

/* ---- archives ------------------------------------------------------------------------- */

static void test_archives(void)
{
	static const Member text[] = {{"a/b.txt", "Member-1", -1}};
	static const struct {
		const char *format, *filter;
	} rows[] = {{"zip", NULL}, {"7zip", NULL}, {"ustar", NULL}, {"ustar", "gzip"},
		{"ustar", "xz"}, {"ustar", "bzip2"}, {"ustar", "zstd"}, {"ustar", "lz4"},
		{"cpio", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s %s", rows[i].format, rows[i].filter);
		expect(rows[i].format, make_archive(rows[i].format, rows[i].filter, NULL, text, 1),
			"Member-1|a/b\n.txt", "");
	}
	expect("gzip alone", make_archive("raw", "gzip", NULL, text, 1), "Member-1", "");
	g_autoptr(GByteArray) inner = ZIP({"c.txt", "Deep-1", -1});
	expect("nested", ZIP({"d.zip", inner->data, (gssize)inner->len}),
		"[doc > d.zip > c.txt] Deep-1", "");
	expect("encrypted", make_archive("zip", NULL, "secret", text, 1), "", "password password");
	expect("empty", ZIP(), "", "");
	/* Whether the member is told, or the archive, or both, differs between versions of
	 * libarchive. */
	g_autoptr(GByteArray)
		half = g_byte_array_set_size(make_archive("zip", NULL, NULL, text, 1), 45);
	Got cut = read_document(half);
	g_autofree char *reasons = unread_of(cut.reading);
	g_test_message("cut off: %s", reasons);
	g_assert_true(strcmp(reasons, "damaged ambiguous") == 0
		|| strcmp(reasons, "damaged damaged ambiguous") == 0);
	got_free(&cut);
}

static void limited(const char *name, GByteArray *bytes, MsCost cost, guint64 max)
{
	MsLimits limits;
	ms_limits_default(&limits);
	limits.max[cost] = max;
	Got got = read_as(bytes, "application/zip", &limits);
	g_autofree char *reasons = unread_of(got.reading);
	if (strstr(reasons, "limit") == NULL)
		g_error("%s: unread is \"%s\"", name, reasons);
	got_free(&got);
	g_byte_array_unref(bytes);
}

static void test_archive_limits(void)
{
	g_autofree char *zeros = g_malloc0(24 << 20);
	limited("ratio", ZIP({"zeros", zeros, 24 << 20}), MS_COST_DECODED, 64 << 20);
	limited("total", ZIP({"a", zeros, 1 << 20}, {"b", zeros, 1 << 20}), MS_COST_DECODED,
		1500000);
	limited("members", ZIP({"a", "1", -1}, {"b", "2", -1}, {"c", "3", -1}), MS_COST_PART, 2);
	GByteArray *deep = ZIP({"a.txt", "x", -1});
	for (int i = 0; i < 30; i++) {
		GByteArray *outer = ZIP({"a.zip", deep->data, (gssize)deep->len});
		g_byte_array_unref(deep);
		deep = outer;
	}
	limited("depth", deep, MS_COST_PART, 100);
}

static void test_zip_disagreement(void)
{
	g_autoptr(GByteArray) good = ZIP({"one.txt", "First-1", -1}, {"two.txt", "Second-2", -1});
	g_assert_null(ms_zip_disagreement(good->data, good->len));
	guint8 *central = memmem(good->data, good->len, "PK\x01\x02", 4);
	g_assert_nonnull(central);
	memcpy(central + 46, "eno", 3);
	g_assert_nonnull(strstr(ms_zip_disagreement(good->data, good->len), "two ways"));
	memcpy(central + 46, "one", 3);
	/* The directory forgets the first member: only a streaming reader shows it. */
	g_autoptr(GByteArray)
		hidden = g_byte_array_append(g_byte_array_new(), good->data, good->len);
	guint8 *first = memmem(hidden->data, hidden->len, "PK\x01\x02", 4);
	guint8 *second = memmem(
		first + 4, hidden->len - (gsize)(first + 4 - hidden->data), "PK\x01\x02", 4);
	guint8 *end = memmem(hidden->data, hidden->len, "PK\x05\x06", 4);
	gsize gone = (gsize)(second - first);
	memmove(first, second, (gsize)(hidden->data + hidden->len - second));
	end -= gone;
	end[8] = end[10] = 1;
	g_byte_array_set_size(hidden, (guint)(hidden->len - gone));
	g_assert_nonnull(strstr(ms_zip_disagreement(hidden->data, hidden->len), "does not list"));
}

/* ---- S/MIME --------------------------------------------------------------------------- */

static EVP_PKEY *key;
static X509 *certificate;

static void make_certificate(void)
{
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const guchar *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	g_assert_cmpint(X509_sign(certificate, key, EVP_sha256()), >, 0);
}

static GByteArray *der_of(CMS_ContentInfo *cms)
{
	guchar *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);
	g_assert_cmpint(n, >, 0);
	GByteArray *out = g_byte_array_append(g_byte_array_new(), der, (guint)n);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	return out;
}

/* In the indefinite form that signers write who do not know the length before (BER). */
static GByteArray *streamed(const char *text)
{
	BIO *in = BIO_new_mem_buf(text, -1), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = CMS_sign(certificate, key, NULL, in, CMS_BINARY | CMS_STREAM);
	g_assert_cmpint(i2d_CMS_bio_stream(out, cms, in, CMS_BINARY | CMS_STREAM), ==, 1);
	char *data;
	long len = BIO_get_mem_data(out, &data);
	GByteArray *bytes = g_byte_array_append(g_byte_array_new(), (guint8 *)data, (guint)len);
	g_assert_cmphex(bytes->data[1], ==, 0x80);
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	BIO_free(in);
	return bytes;
}

static GByteArray *signed_der(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	GByteArray *bytes = der_of(CMS_sign(certificate, key, NULL, bio, CMS_BINARY));
	BIO_free(bio);
	return bytes;
}

static GByteArray *in_letters(const char *before, GByteArray *der, const char *after)
{
	g_autofree char *letters = g_base64_encode(der->data, der->len);
	GString *out = g_string_new(before);
	for (gsize i = 0, n = strlen(letters); i < n; i += 64)
		g_string_append_printf(out, "%.64s\n", letters + i);
	g_string_append(out, after);
	g_byte_array_unref(der);
	GByteArray *bytes = g_byte_array_append(
		g_byte_array_new(), (guint8 *)out->str, (guint)out->len);
	g_string_free(out, TRUE);
	return bytes;
}

/* Documents are signed too, and not only as MIME: e-invoices in Italy (.xml.p7m). */
static void signed_documents(void)
{
	static const char xml[] =
		"<?xml version=\"1.0\"?><invoice><number>Signed-2</number></invoice>\n";
	static const char armour[] = "-----BEGIN PKCS7-----\n", end[] = "-----END PKCS7-----\n";
	expect("XML in DER", signed_der(xml), "Signed-2", "");
	expect("XML in BER", streamed(xml), "Signed-2", "");
	expect("XML in PEM", in_letters(armour, signed_der(xml), end), "Signed-2", "");
	expect("XML in PEM of CMS",
		in_letters("-----BEGIN CMS-----\n", streamed(xml), "-----END CMS-----\n"),
		"Signed-2", "");
	expect("XML in base64", in_letters("", signed_der(xml), ""), "Signed-2", "");
	expect("behind the armour",
		in_letters(armour, signed_der(xml), "-----END PKCS7-----\nBehind-3\n"), "Behind-3",
		"");
	GByteArray *twice = signed_der(xml);
	BIO *bio = BIO_new_mem_buf(twice->data, (int)twice->len);
	expect("signed twice", der_of(CMS_sign(certificate, key, NULL, bio, CMS_BINARY)),
		"Signed-2", "");
	BIO_free(bio);
	g_byte_array_unref(twice);
	expect("text", signed_der("Signed-4 is no MIME\n"), "Signed-4", "");
	bio = BIO_new_mem_buf(xml, -1);
	expect("detached", der_of(CMS_sign(certificate, key, NULL, bio, CMS_BINARY | CMS_DETACHED)),
		"", "signature");
	BIO_free(bio);
}

/* A value of DER with its tag and length. */
static GByteArray *der(guint8 tag, const GByteArray *value)
{
	g_assert_cmpuint(value->len, <, 65536);
	guint8 head[] = {tag, 0x82, (guint8)(value->len >> 8), (guint8)value->len};
	GByteArray *out = g_byte_array_append(g_byte_array_new(), head, 4);
	return g_byte_array_append(out, value->data, value->len);
}

static GByteArray *in_der(guint8 tag, const char *before, gsize n, GByteArray *value)
{
	g_byte_array_prepend(value, (const guint8 *)before, (guint)n);
	GByteArray *out = der(tag, value);
	g_byte_array_unref(value);
	return out;
}

static GByteArray *zlib_of(const guint8 *data, gsize len, const char *behind)
{
	uLong n = compressBound(len);
	GByteArray *out = g_byte_array_set_size(g_byte_array_new(), (guint)n);
	g_assert_cmpint(compress(out->data, &n, data, len), ==, Z_OK);
	g_byte_array_set_size(out, (guint)n);
	return g_byte_array_append(out, (const guint8 *)behind, (guint)strlen(behind));
}

/* CompressedData (RFC 3274), which Debian's OpenSSL does not make.  Takes `packed`. */
static GByteArray *compressed(GByteArray *packed)
{
	static const char zlib[] = "\2\1\0\x30\x0d\6\x0b\x2a\x86\x48\x86\xf7\x0d\1\x09\x10\3\x08",
			  data[] = "\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\1",
			  oid[] = "\6\x0b\x2a\x86\x48\x86\xf7\x0d\1\x09\x10\1\x09";
	GByteArray *at = in_der(0x04, "", 0, packed);
	at = in_der(0xa0, "", 0, at);
	at = in_der(0x30, data, sizeof data - 1, at);
	at = in_der(0x30, zlib, sizeof zlib - 1, at);
	at = in_der(0xa0, "", 0, at);
	return in_der(0x30, oid, sizeof oid - 1, at);
}

static GByteArray *compressed_text(const char *text, const char *behind)
{
	return compressed(zlib_of((const guint8 *)text, strlen(text), behind));
}

static void compressed_messages(void)
{
	static const char mail[] = "Content-Type: text/plain\r\n\r\nPacked-1\r\n";
	expect("compressed mail", compressed_text(mail, ""), "Packed-1", "");
	expect("compressed document", compressed_text("<?xml version='1.0'?><a>Packed-2</a>", ""),
		"Packed-2", "");
	GByteArray *inner = signed_der(mail);
	expect("signed, then compressed", compressed(zlib_of(inner->data, inner->len, "")),
		"Packed-1", "");
	g_byte_array_unref(inner);
	inner = compressed_text(mail, "");
	expect("compressed twice", compressed(zlib_of(inner->data, inner->len, "")), "Packed-1",
		"");
	g_byte_array_unref(inner);
	expect("text behind what is packed", compressed_text(mail, "Behind-5\n"),
		"Packed-1|Behind-5", "");
	expect("bytes behind what is packed", compressed_text(mail, "\1\2\3\4\5\6\7\x08"),
		"Packed-1", "no-reader");
	expect("packed in another way", compressed(bytes_of("no zlib at all")), "", "damaged");
	expect("nothing packed", compressed_text("", ""), "", "damaged");
	BIO *bio = BIO_new_mem_buf(mail, -1);
	STACK_OF(X509) *to = sk_X509_new_null();
	sk_X509_push(to, certificate);
	expect("encrypted and authenticated",
		der_of(CMS_encrypt(to, bio, EVP_aes_256_gcm(), CMS_BINARY)), "", "encrypted");
	sk_X509_free(to);
	BIO_free(bio);
}

static GByteArray *revoked(void)
{
	X509_CRL *crl = X509_CRL_new();
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(certificate));
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	X509_CRL_set1_lastUpdate(crl, now);
	ASN1_TIME_free(now);
	X509_CRL_sign(crl, key, EVP_sha256());
	guchar *bytes = NULL;
	int n = i2d_X509_CRL(crl, &bytes);
	g_assert_cmpint(n, >, 0);
	GByteArray *out = g_byte_array_append(g_byte_array_new(), bytes, (guint)n);
	OPENSSL_free(bytes);
	X509_CRL_free(crl);
	return out;
}

static GByteArray *answered(void)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, certificate);
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, now, NULL);
	OCSP_basic_sign(basic, certificate, key, EVP_sha256(), NULL, 0);
	OCSP_RESPONSE *answer = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	guchar *bytes = NULL;
	int n = i2d_OCSP_RESPONSE(answer, &bytes);
	g_assert_cmpint(n, >, 0);
	GByteArray *out = g_byte_array_append(g_byte_array_new(), bytes, (guint)n);
	OPENSSL_free(bytes);
	OCSP_RESPONSE_free(answer);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(now);
	return out;
}

/* What PDFs have whose signatures are to last. */
static void statuses(void)
{
	expect("list of revoked certificates", revoked(), "test", "");
	expect("answer about a certificate", answered(), "test", "");
	expect("text behind a list",
		g_byte_array_append(revoked(), (const guint8 *)"Behind-6\n", 9), "Behind-6", "");
	expect("bytes behind an answer",
		g_byte_array_append(answered(), (const guint8 *)"\1\2\3\4\5\6\7\x08\x0e", 9), "",
		"no-reader");
	GByteArray *cut = answered();
	g_byte_array_set_size(cut, 80);
	expect("answer that breaks off", cut, "", "damaged");
}

static void test_smime(void)
{
	static const char mail[] = "Content-Type: text/plain\r\n\r\nSigned-1\r\n";
	make_certificate();
	BIO *bio = BIO_new_mem_buf(mail, -1);
	expect("opaque signed", der_of(CMS_sign(certificate, key, NULL, bio, CMS_BINARY)),
		"Signed-1", "");
	BIO_free(bio);
	bio = BIO_new_mem_buf(mail, -1);
	STACK_OF(X509) *to = sk_X509_new_null();
	sk_X509_push(to, certificate);
	expect("encrypted", der_of(CMS_encrypt(to, bio, EVP_aes_256_cbc(), CMS_BINARY)), "",
		"encrypted");
	sk_X509_free(to);
	BIO_free(bio);
	signed_documents();
	compressed_messages();
	statuses();
	expect("PGP", bytes_of("-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n"),
		"", "encrypted");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* ---- what it is, whatever it says ----------------------------------------------------- */

static void is_type(GByteArray *bytes, const char *claimed, const char *want, const char *text)
{
	MsLimits limits;
	ms_limits_default(&limits);
	Got got = read_as(bytes, claimed, &limits);
	g_assert_cmpstr(got.type, ==, want);
	check(claimed, &got, text, "");
	got_free(&got);
	g_byte_array_unref(bytes);
}

/* What is cut into pieces for who prints it. */
static void test_statements(void)
{
	static const char *const rows[] = {
		"?20Customer C-47?2111?32Blue Door", "Customer C-4711\nBlue Door\n",
		"?20x?29C-47?6011", "xC-4711\n", "?20Customer C-47\r\n11?32Blue", "C-4711\nBlue",
		"/EREF/C-47\n11", "/EREF/C-4711\n", "?20C-47?3111?6411", "C-47\n11\n11\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i += 2) {
		g_autofree char *text = g_strdup_printf(
			":20:A\r\n:25:1/2\r\n:61:2611CR1,\r\n:86:166%s\r\n:62F:C1\r\n-", rows[i]);
		expect(rows[i], bytes_of(text), rows[i + 1], "");
	}
	expect("glued to the kind of payment",
		bytes_of(":20:A\r\n:25:1/2\r\n:61:2611261126C120,00NTRFC-4711//B\r\n:86:x\r\n-"),
		"\nC-4711//B", "");
}

static void test_types(void)
{
	is_type(make_pdf("Real-1", "", "", ""), "application/msword", "application/pdf", "Real-1");
	is_type(make_pdf("Real-1", "", "", ""), "image/png", "application/pdf", "Real-1");
	is_type(make_pdf("Real-1", "", "", ""), "text/plain", "application/pdf", "Real-1");
	is_type(ZIP({"a.txt", "Real-1", -1}), "application/pdf", "application/zip", "Real-1");
	is_type(bytes_of("{\\rtf1 Real-1}"), "application/msword", "application/rtf", "Real-1");
	is_type(bytes_of("<html><b>Re</b>al-1</html>"), "application/octet-stream", "text/html",
		"Real-1");
	is_type(bytes_of("<?xml version='1.0'?><a>Real-1</a>"), "text/plain", "application/xml",
		"Real-1");
	is_type(bytes_of("a;b;c\n1;2;Real-1\n"), "application/vnd.ms-excel", "text/plain",
		"Real-1");
	is_type(bytes_of("a;b;c\n1;2;Real-1\n"), "", "text/plain", "Real-1");
	is_type(bytes_of("From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nReal-1\r\n"),
		"", "message/rfc822", "Real-1");
	is_type(bytes_of(""), "application/octet-stream", "", "");
}

/* ---- by itself, and within its mail ---------------------------------------------------- */

static MsKinds *kinds;
static MsFilters known;

static void look_within(MsBudget *budget, const char *as, const guint8 *data, gsize len,
	const MsHelp *help, const char *const *passwords, MsReading *reading)
{
	const MsJob job = {.kinds = kinds,
		.known = &known,
		.data = data,
		.len = len,
		.as = as,
		.budget = budget,
		.reading = reading,
		.passwords = passwords,
		.help = help};
	ms_reader_work(&job);
}

static void look_at(const char *as, const guint8 *data, gsize len, const MsHelp *help,
	const char *const *passwords, MsReading *reading)
{
	MsLimits limits;
	MsBudget budget;
	ms_limits_default(&limits);
	ms_budget_init(&budget, &limits);
	look_within(&budget, as, data, len, help, passwords, reading);
}

typedef struct {
	const char *mail;
	const char *const *passwords;
	guint asked;
} Alone;

/* As it comes from another worker: over the wire. */
static MsReading *read_alone(void *user, gsize start, gsize end, const char *as)
{
	Alone *alone = user;
	char *copy = exact_copy(alone->mail + start, end - start);
	g_autoptr(MsReading) reading = ms_reading_new();
	look_at(as, (guint8 *)copy, end - start, NULL, alone->passwords, reading);
	free(copy);
	alone->asked++;
	g_autoptr(GBytes) bytes = ms_reading_encode(reading);
	return ms_reading_decode(bytes, NULL);
}

/* All that crosses, in words. */
static char *told_in(const MsReading *r)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < r->findings->len; i++) {
		const MsFinding *f = r->findings->pdata[i];
		g_string_append_printf(out, "%s %s %x, %u times, faces %" G_GINT64_MODIFIER "x\n",
			f->kind, f->value, f->belief, f->count, f->faces);
		for (guint k = 0; k < f->places->len; k++)
			g_string_append_printf(
				out, "  %s\n", ((MsPlace *)f->places->pdata[k])->where);
	}
	for (guint i = 0; i < r->unread->len; i++) {
		const MsUnread *u = r->unread->pdata[i];
		g_string_append_printf(out, "unread %s, %s: %s\n", u->where,
			ms_unread_name(u->reason), u->detail);
	}
	for (guint i = 0; i < r->parts->len; i++) {
		const MsPart *p = r->parts->pdata[i];
		g_string_append_printf(out, "part %s %s %s \"%s\" %" G_GUINT64_FORMAT " %d\n",
			p->path, p->claimed, p->actual, p->name, p->size, p->attached);
	}
	for (guint i = 0; i < r->faces->len; i++) {
		guint8 digest[MS_TEXT_DIGEST] = {0};
		ms_reading_text(r, i, digest);
		g_string_append_printf(out, "face %s %02x%02x%02x%02x\n", (char *)r->faces->pdata[i],
			digest[0], digest[1], digest[2], digest[3]);
	}
	return g_string_free(out, FALSE);
}

/* `telling`: stands in both; "!": in none. */
static void expect_same(const char *name, const char *from, const char *type,
	const GByteArray *document, const char *password, const char *telling)
{
	g_autofree char *letters = g_base64_encode(document->data, document->len);
	GString *mail = g_string_new(NULL);
	g_string_append_printf(mail,
		"From: %s\r\nTo: a@alpha.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n\r\nhello\r\n--b\r\nContent-Type: %s; name=d.bin\r\n"
		"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		from, type);
	for (gsize i = 0, n = strlen(letters); i < n; i += 76)
		g_string_append_printf(mail, "%.76s\r\n", letters + i);
	g_string_append(mail, "--b--\r\n");
	const char *const passwords[] = {"not this", password, NULL};
	Alone alone = {mail->str, password != NULL ? passwords : NULL, 0};
	MsHelp help = {.known = read_alone, .user = &alone};
	g_autoptr(MsReading) within = ms_reading_new(), apart = ms_reading_new();
	look_at(NULL, (guint8 *)mail->str, mail->len, NULL, alone.passwords, within);
	look_at(NULL, (guint8 *)mail->str, mail->len, &help, alone.passwords, apart);
	if (alone.asked == 0)
		g_error("%s: nobody asked", name);
	g_autofree char *want = told_in(within), *got = told_in(apart);
	if (password == NULL && strcmp(got, want) != 0)
		g_error("%s: by itself\n%swithin its mail\n%s", name, got, want);
	bool none = *telling == '!';
	if ((strstr(got, telling + none) != NULL) == none)
		g_error("%s: \"%s\" is not so in\n%s", name, telling, got);
	g_string_free(mail, TRUE);
}

#define OWN_LINK "https://portal.seller.example/d/51730264/x"
#define OTHER_LINK "https://portal.elsewhere.example/d/51730264/x"
#define SELLER "billing@mail.seller.example"

/* One customer is known; the caller's. */
static MsFilter *learn(GBytes **image_out)
{
	static const guint8 secret[MS_FILTER_KEY_BYTES] = {1, 2, 3};
	MsMark mark;
	g_autofree char *rows = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds", rows, NULL);
	g_assert_true(ms_mark_make(secret, "customer-number", "51730264", 8, &mark));
	*image_out = ms_filter_build(secret, &mark, 1);
	gsize size;
	const void *data = g_bytes_get_data(*image_out, &size);
	return ms_filter_open(data, size, NULL);
}

static void test_alone(void)
{
	g_autoptr(GBytes) image = NULL;
	g_autoptr(MsFilter) filter = learn(&image);
	known = (MsFilters){{filter, NULL}, false};
	/* None is packed to less than what is worth asking for. */
	g_autoptr(GString) noise = g_string_new(NULL);
	for (guint i = 0, x = 1; i < 9000; i++, x = x * 1103515245 + 12345)
		g_string_append_c(noise, i % 8 == 7 ? ' ' : (char)('a' + (x >> 16) % 20));
	g_autofree char *link = g_strdup_printf("Terms\n%s\nSee " OWN_LINK " for it\n", noise->str);
	g_autofree char *other =
		g_strdup_printf("Terms\n%s\nSee " OTHER_LINK " for it\n", noise->str);
	g_autofree char *page = g_strdup_printf(
		"<html><body><p>%s</p><a href=\"" OWN_LINK "\">x</a></body></html>", noise->str);
	g_autofree char *xml = g_strdup_printf(
		"<?xml version=\"1.0\"?><a><b>%s</b><c>" OWN_LINK "</c></a>", noise->str);
	g_autofree char *json = g_strdup_printf(
		"{\"a\": \"%s\", \"b\": \"" OWN_LINK "\"}", noise->str);
	g_autofree char *invoice = g_strdup_printf(UBL "<!-- %s -->", noise->str);
	g_autofree char *inner = g_strdup_printf(
		"From: c@d.example\r\nTo: a@alpha.example\r\nSubject: of it\r\n"
		"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n%s\r\n"
		"--i\r\nContent-Type: application/zip; name=i.zip\r\n"
		"Content-Disposition: attachment\r\n\r\n\1\2\3\4\5\6\7\x0e\x0f\r\n--i\r\n"
		"Content-Type: text/csv; name=51730264.csv\r\nContent-Disposition: attachment\r\n\r\n"
		"IBAN;DE89370400440532013000\r\n--i--\r\n",
		link);
	g_autofree char *action = g_strdup_printf("6 0 obj<</S/URI/URI(" OWN_LINK ")>>endobj\n"
						  "7 0 obj<</X(%s)>>endobj\n", noise->str);
	g_autofree char *note = g_strdup_printf("%s\nof b@beta.example, DE89370400440532013000\n",
		link);
	static const char bin[] = "application/octet-stream";
	struct {
		const char *name, *from, *type;
		GByteArray *bytes;
		const char *password, *telling;
	} cases[] = {
		{"text", SELLER, bin, bytes_of(link), NULL, "51730264"},
		{"... of its group", "Seller <x@seller.example>", bin, bytes_of(link), NULL, "51730264"},
		{"... of another", "x@elsewhere.example", bin, bytes_of(link), NULL, "!51730264"},
		{"... another's link", SELLER, bin, bytes_of(other), NULL, "!51730264"},
		{"... of nobody", "undisclosed", bin, bytes_of(link), NULL, "!51730264"},
		{"page", SELLER, "application/xhtml+xml", bytes_of(page), NULL, "51730264"},
		{"XML", SELLER, "application/xml", bytes_of(xml), NULL, "51730264"},
		{"JSON", SELLER, "application/json", bytes_of(json), NULL, "51730264"},
		{"e-invoice", SELLER, "application/xml", bytes_of(invoice), NULL, "face part 2 d.bin"},
		{"PDF", SELLER, "application/pdf", make_pdf("x", "", "/A 6 0 R", action), NULL,
			"51730264"},
		{"archive", SELLER, "application/zip",
			ZIP({"a.txt", link, -1}, {"b.txt", note, -1}, {"c.bin", "\1\2\3\4\5", 5}),
			NULL, "d.bin > c.bin"},
		{"mail", SELLER, bin, bytes_of(inner), NULL, "part 2.1.2 i.zip, "},
		{"... its file's name", SELLER, bin, bytes_of(inner), NULL,
			"part 2.1.3 file name"},
		{"... its parts", SELLER, bin, bytes_of(inner), NULL,
			"part 2.1.2 application/zip "},
		{"mail in an archive", SELLER, "application/zip",
			ZIP({"a.eml", inner, -1}, {"b.txt", note, -1}), NULL,
			"part 2.1.2 i.zip, "},
		{"with a password", SELLER, "application/zip",
			make_archive("zip", NULL, "secret",
				(const Member[]){{"a.txt", link, -1}}, 1),
			"secret", "51730264"},
		{"... another's link", SELLER, "application/zip",
			make_archive("zip", NULL, "secret",
				(const Member[]){{"a.txt", other, -1}}, 1),
			"secret", "!51730264"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		expect_same(cases[i].name, cases[i].from, cases[i].type, cases[i].bytes,
			cases[i].password, cases[i].telling);
		g_byte_array_unref(cases[i].bytes);
	}
	ms_kinds_unref(kinds);
}

/* Whoever is the first to hear that the time is over: that it was, is told. */
static void test_late(void)
{
	static const char mail[] = "From: a@seller.example\r\nSubject: of 51730264\r\n";
	g_autoptr(GBytes) image = NULL;
	g_autoptr(MsFilter) filter = learn(&image);
	known = (MsFilters){{filter, NULL}, false};
	static const struct {
		const char *name, *as, *text;
	} rows[] = {
		{"letter", NULL, "\r\nA51730264, B1, 51730264\r\n"},
		{"letter of one word", NULL, "\r\nx51730264x\r\n"},
		{"page", NULL, "Content-Type: text/html\r\n\r\n<p>x51730264x<a href=y1>z</a>"},
		{"base64 that is taken in several ways", NULL,
			"Content-Transfer-Encoding: base64\r\n\r\nNTE3MzAyNjQ=\r\nNTE3MzAyNjQ=\r\n-_-_\r\n"},
		{"yEnc", NULL, "\r\n=ybegin line=128 size=9 name=a\r\nabcdefghi\r\n=yend size=9\r\n"},
		{"attachment", NULL,
			"Content-Disposition: attachment; filename=a.bin\r\n\r\nx51730264x\r\n"},
		{"document", "7bit\ntext/plain\n\n", "x51730264x"},
		{"document of its house", "7bit\napplication/xml\n\nseller.example",
			"<?xml version='1.0'?><a b='x1'>x51730264x</a>"},
		{"card", "7bit\ntext/vcard\n\n", "BEGIN:VCARD\r\nNOTE:x51730264x\r\nEND:VCARD\r\n"},
		{"JSON", "7bit\napplication/json\n\n", "{\"a\": \"x51730264x\", \"b\": 1}"},
		{"RTF", "7bit\napplication/rtf\n\n", "{\\rtf1 x51730264x}"},
	};
	guint late = 0, in_time = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint nth = 0; nth < 64; nth++) {
			MsLimits limits;
			MsBudget budget;
			ms_limits_default(&limits);
			limits.milliseconds = -1;
			ms_budget_init(&budget, &limits);
			budget.ticks = 64 - nth; /* only every 64th that asks looks at the clock */
			g_autoptr(MsReading) r = ms_reading_new();
			g_autofree char *text = g_strconcat(
				rows[i].as == NULL ? mail : "", rows[i].text, NULL);
			look_within(&budget, rows[i].as,
				(guint8 *)text, strlen(text), NULL, NULL, r);
			g_autofree char *unread = unread_of(r);
			bool told = strstr(unread, "time") != NULL;
			if (told != budget.late)
				g_error("%s, %u: \"%s\"", rows[i].name, nth, unread);
			late += budget.late;
			in_time += !budget.late;
		}
	g_assert_cmpuint(late, >, 100);
	g_assert_cmpuint(in_time, >, 0);
	ms_kinds_unref(kinds);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	g_test_add_func("/documents/pdf", test_pdf);
	g_test_add_func("/documents/pdf-pictures", test_pdf_pictures);
	g_test_add_func("/documents/pdf-garbled", test_pdf_garbled);
	g_test_add_func("/documents/ubl", test_ubl);
	g_test_add_func("/documents/cii", test_cii);
	g_test_add_func("/documents/xml", test_xml);
	g_test_add_func("/documents/faces", test_faces);
	g_test_add_func("/documents/word", test_word);
	g_test_add_func("/documents/excel", test_excel);
	g_test_add_func("/documents/excel-binary", test_excel_binary);
	g_test_add_func("/documents/excel-binary-places", test_excel_binary_places);
	g_test_add_func("/documents/opendocument", test_opendocument);
	g_test_add_func("/documents/ole", test_ole);
	g_test_add_func("/documents/ole/within", test_ole_within);
	g_test_add_func("/documents/ole/packed", test_ole_packed);
	g_test_add_func("/documents/rtf", test_rtf);
	g_test_add_func("/documents/tnef", test_tnef);
	g_test_add_func("/documents/cards", test_cards);
	g_test_add_func("/documents/archives", test_archives);
	g_test_add_func("/documents/archive-limits", test_archive_limits);
	g_test_add_func("/documents/zip-disagreement", test_zip_disagreement);
	g_test_add_func("/documents/smime", test_smime);
	g_test_add_func("/documents/statements", test_statements);
	g_test_add_func("/documents/types", test_types);
	g_test_add_func("/documents/alone", test_alone);
	g_test_add_func("/documents/late", test_late);
	return g_test_run();
}
