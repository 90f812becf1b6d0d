/* Documents made for tests: each function gives the bytes of a small, well-formed file. */
#ifndef MISSENT_TESTS_DOCUMENTS_H
#define MISSENT_TESTS_DOCUMENTS_H

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>
#include <string.h>

static inline GByteArray *bytes_of(const char *text)
{
	return g_byte_array_append(g_byte_array_new(), (const guint8 *)text, (guint)strlen(text));
}

/* ---- archives ------------------------------------------------------------------------- */

typedef struct {
	const char *name;
	const void *data;
	gssize len; /* -1: a string */
} Member;

static inline la_ssize_t archive_append(struct archive *a, void *user, const void *data, size_t len)
{
	(void)a;
	g_byte_array_append(user, data, (guint)len);
	return (la_ssize_t)len;
}

/* `format`: as libarchive names it, "zip", "7zip", "ustar", "raw"; `filter` such as "gzip" or
 * NULL; `password` encrypts (ZIP). */
static inline GByteArray *make_archive(const char *format, const char *filter, const char *password,
	const Member *members, gsize n)
{
	GByteArray *out = g_byte_array_new();
	struct archive *a = archive_write_new();
	g_assert_cmpint(archive_write_set_format_by_name(a, format), ==, ARCHIVE_OK);
	if (filter != NULL)
		g_assert_cmpint(archive_write_add_filter_by_name(a, filter), ==, ARCHIVE_OK);
	if (password != NULL) {
		archive_write_set_passphrase(a, password);
		g_assert_cmpint(
			archive_write_set_options(a, "zip:encryption=aes256"), ==, ARCHIVE_OK);
	}
	archive_write_set_bytes_in_last_block(a, 1);
	g_assert_cmpint(archive_write_open(a, out, NULL, archive_append, NULL), ==, ARCHIVE_OK);
	for (gsize i = 0; i < n; i++) {
		gsize len = members[i].len < 0 ? strlen(members[i].data) : (gsize)members[i].len;
		struct archive_entry *entry = archive_entry_new();
		archive_entry_set_pathname(entry, members[i].name);
		archive_entry_set_size(entry, (la_int64_t)len);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		g_assert_cmpint(archive_write_header(a, entry), ==, ARCHIVE_OK);
		g_assert_cmpint(archive_write_data(a, members[i].data, len), ==, (la_ssize_t)len);
		archive_entry_free(entry);
	}
	archive_write_close(a);
	archive_write_free(a);
	return out;
}
#define ZIP(...)                                                                                 \
	make_archive("zip", NULL, NULL, (const Member[]){__VA_ARGS__},                             \
		sizeof((const Member[]){__VA_ARGS__}) / sizeof(Member))

/* ---- pictures ------------------------------------------------------------------------- */

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\0\0\0\0\x3a\x7e\x9b\x55"
#define PNG_TAIL \
	"\0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\2\0\1\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82"
#define PNG PNG_HEAD PNG_TAIL
#define GIF_HEAD "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff"
#define GIF_TAIL ",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
#define GIF GIF_HEAD GIF_TAIL
/* Not one that shows anything, but its segments are right. */
#define JPEG_HEAD "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define JPEG_TAIL \
	"\xff\xc0\0\x0b\b\0\b\0\b\1\1\x11\0\xff\xda\0\b\1\1\0\0\x3f\0\x3f\xff\0\x3f\xff\xd9"
#define JPEG JPEG_HEAD JPEG_TAIL

/* ---- PDF ------------------------------------------------------------------------------ */

/* One page that shows `text`; `more` are further objects, from number 6 on, and `catalog` and
 * `page` what is added to those dictionaries. */
static inline GByteArray *make_pdf(
	const char *text, const char *catalog, const char *page, const char *more)
{
	g_autofree char *stream = text != NULL
		? g_strdup_printf("BT /F 12 Tf 40 700 Td (%s) Tj ET", text) : g_strdup("");
	g_autofree char *all = g_strdup_printf(
		"%%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R %s>>endobj\n"
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
		"/Resources<</Font<</F 5 0 R>>>> %s>>endobj\n"
		"4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
		"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
		"%strailer<</Root 1 0 R/Info<</Title(Title-7001)/Subject(Subject-7002)/Keywords(Keys-7003)/Kundennummer(7005)"
		"/Author(Author-7004)>>>>\n",
		catalog, page, strlen(stream), stream, more);
	return bytes_of(all);
}

/* The same with a file embedded under `name`. */
static inline GByteArray *make_pdf_with(const char *text, const char *name, const char *file)
{
	g_autofree char *more = g_strdup_printf(
		"6 0 obj<</Type/Filespec/F(%s)/UF(%s)/Desc(Desc-7005)/EF<</F 7 0 R>>>>endobj\n"
		"7 0 obj<</Type/EmbeddedFile/Length %zu>>stream\n%s\nendstream endobj\n",
		name, name, strlen(file), file);
	g_autofree char *catalog =
		g_strdup_printf("/Names<</EmbeddedFiles<</Names[(%s) 6 0 R]>>>>", name);
	return make_pdf(text, catalog, "", more);
}

/* ---- e-invoices ----------------------------------------------------------------------- */

#define UBL_HEAD                                                                                 \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ubl:Invoice "                              \
	"xmlns:ubl=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" "                    \
	"xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" "  \
	"xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">"
#define UBL_BUYER                                                                                \
	"<cac:AccountingCustomerParty><cac:Party>"                                                 \
	"<cbc:EndpointID schemeID=\"EM\">ap@buyer.example</cbc:EndpointID>"                        \
	"<cac:PartyIdentification><cbc:ID>C-4711</cbc:ID></cac:PartyIdentification>"               \
	"<cac:PartyName><cbc:Name>Blue Door</cbc:Name></cac:PartyName>"                            \
	"<cac:PostalAddress><cbc:StreetName>Hauptstr. 1</cbc:StreetName>"                          \
	"<cbc:AdditionalStreetName>Hof 2</cbc:AdditionalStreetName>"                               \
	"<cbc:CityName>Berlin</cbc:CityName><cbc:PostalZone>10115</cbc:PostalZone>"                \
	"<cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>"           \
	"</cac:PostalAddress>"                                                                     \
	"<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID>"                           \
	"<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"                 \
	"<cac:PartyLegalEntity><cbc:RegistrationName>Blaue T\xc3\xbcr GmbH</cbc:RegistrationName>" \
	"<cbc:CompanyID>HRB 9988</cbc:CompanyID></cac:PartyLegalEntity>"                           \
	"<cac:Contact><cbc:Name>Eva Muster</cbc:Name>"                                             \
	"<cbc:ElectronicMail>eva@buyer.example</cbc:ElectronicMail></cac:Contact>"                 \
	"</cac:Party></cac:AccountingCustomerParty>"
#define UBL_SELLER                                                                               \
	"<cac:AccountingSupplierParty><cac:Party>"                                                 \
	"<cac:PartyIdentification><cbc:ID schemeID=\"SEPA\">DE98ZZZ09999999999</cbc:ID>"           \
	"</cac:PartyIdentification>"                                                               \
	"<cac:PartyTaxScheme><cbc:CompanyID>123/456</cbc:CompanyID>"                               \
	"<cac:TaxScheme><cbc:ID>FC</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"                  \
	"<cac:PartyTaxScheme><cbc:CompanyID>DE129273398</cbc:CompanyID>"                           \
	"<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"                 \
	"</cac:Party></cac:AccountingSupplierParty>"
#define UBL                                                                                      \
	UBL_HEAD "<cbc:ID>INV-1</cbc:ID><cbc:Note>noted in passing</cbc:Note>"                   \
	"<cbc:BuyerReference>04011000-12345-35</cbc:BuyerReference>"                               \
	"<cac:OrderReference><cbc:ID>PO-7</cbc:ID><cbc:SalesOrderID>SO-8</cbc:SalesOrderID>"       \
	"</cac:OrderReference>"                                                                    \
	"<cac:AdditionalDocumentReference><cbc:ID>OBJ-1</cbc:ID>"                                  \
	"<cbc:DocumentTypeCode>130</cbc:DocumentTypeCode></cac:AdditionalDocumentReference>"       \
	"<cac:AdditionalDocumentReference><cbc:ID>ATT-1</cbc:ID><cac:Attachment>"                  \
	"<cbc:EmbeddedDocumentBinaryObject mimeCode=\"text/csv\" filename=\"lines.csv\">"          \
	"bGluZTtudW1iZXIKMTtOVU1CRVItMTIzNDU2Nwo=</cbc:EmbeddedDocumentBinaryObject>"              \
	"</cac:Attachment></cac:AdditionalDocumentReference>" UBL_SELLER UBL_BUYER                 \
	"<cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>DE89370400440532013000</cbc:ID>"     \
	"</cac:PayeeFinancialAccount></cac:PaymentMeans></ubl:Invoice>"

#define CII_BODY(doc, tx, agr, set) \
	"<rsm:" doc "><ram:ID>INV-2</ram:ID></rsm:" doc "><rsm:" tx "><ram:" agr ">" \
	"<ram:BuyerReference>REF-9</ram:BuyerReference>" \
	"<ram:SellerTradeParty><ram:Name>Seller AG</ram:Name><ram:SpecifiedTaxRegistration>" \
	"<ram:ID schemeID=\"FC\">201/113</ram:ID></ram:SpecifiedTaxRegistration></ram:SellerTradeParty>" \
	"<ram:BuyerTradeParty><ram:ID>C-4711</ram:ID>" \
	"<ram:GlobalID schemeID=\"0088\">4304171000002</ram:GlobalID><ram:Name>Blaue T&#252;r GmbH</ram:Name>" \
	"<ram:PostalTradeAddress><ram:PostcodeCode>10115</ram:PostcodeCode>" \
	"<ram:LineOne>Hauptstr. 1</ram:LineOne><ram:CityName>Berlin</ram:CityName>" \
	"<ram:CountryID>DE</ram:CountryID></ram:PostalTradeAddress>" \
	"<ram:SpecifiedTaxRegistration><ram:ID schemeID=\"VA\">DE136695976</ram:ID>" \
	"</ram:SpecifiedTaxRegistration></ram:BuyerTradeParty></ram:" agr "><ram:" set ">" \
	"<ram:PaymentReference>PAY-3</ram:PaymentReference></ram:" set "></rsm:" tx ">"
#define CII \
	"<?xml version='1.0'?><rsm:CrossIndustryInvoice xmlns:rsm='urn:a' xmlns:ram='urn:b'>" CII_BODY( \
		"ExchangedDocument", "SupplyChainTradeTransaction", \
		"ApplicableHeaderTradeAgreement", \
		"ApplicableHeaderTradeSettlement") "</rsm:CrossIndustryInvoice>"
#define ZUGFERD1 \
	"<?xml version='1.0'?><rsm:CrossIndustryDocument xmlns:rsm='urn:a' xmlns:ram='urn:b'>" CII_BODY( \
		"HeaderExchangedDocument", "SpecifiedSupplyChainTradeTransaction", \
		"ApplicableSupplyChainTradeAgreement", \
		"ApplicableSupplyChainTradeSettlement") "</rsm:CrossIndustryDocument>"
#define FATTURAPA                                                                                \
	"<?xml version='1.0'?><p:FatturaElettronica xmlns:p='urn:f'><FatturaElettronicaHeader>"    \
	"<CessionarioCommittente><DatiAnagrafici><IdFiscaleIVA><IdPaese>IT</IdPaese>"              \
	"<IdCodice>01879020517</IdCodice></IdFiscaleIVA><Anagrafica><Denominazione>Porta Blu"      \
	"</Denominazione></Anagrafica></DatiAnagrafici><Sede><Indirizzo>Via Roma</Indirizzo>"      \
	"<NumeroCivico>1</NumeroCivico><CAP>00184</CAP><Comune>Roma</Comune><Nazione>IT</Nazione>" \
	"</Sede></CessionarioCommittente></FatturaElettronicaHeader><FatturaElettronicaBody>"      \
	"<DatiGenerali><DatiGeneraliDocumento><Numero>FPA 1/24</Numero></DatiGeneraliDocumento>"   \
	"</DatiGenerali></FatturaElettronicaBody></p:FatturaElettronica>"

#define KSEF                                                                                     \
	"<?xml version='1.0'?><Faktura xmlns='urn:f'><Naglowek><KodFormularza>FA</KodFormularza>"  \
	"</Naglowek><Podmiot1><DaneIdentyfikacyjne><NIP>5260250274</NIP></DaneIdentyfikacyjne>"    \
	"</Podmiot1><Podmiot2><DaneIdentyfikacyjne><NIP>1111111111</NIP><Nazwa>Drzwi</Nazwa>"      \
	"</DaneIdentyfikacyjne><Adres><KodKraju>PL</KodKraju><AdresL1>ul. Prosta 5</AdresL1>"      \
	"<AdresL2>00-001 Warszawa</AdresL2></Adres><NrKlienta>C-4711</NrKlienta></Podmiot2><Fa>"   \
	"<P_1>2026-11-20</P_1><P_2>419/2026</P_2><DaneFaKorygowanej><NrFaKorygowanej>418/2026"     \
	"</NrFaKorygowanej></DaneFaKorygowanej><WarunkiTransakcji><Umowy><NrUmowy>U-7</NrUmowy>"   \
	"</Umowy><Zamowienia><NrZamowienia>Z-8</NrZamowienia></Zamowienia></WarunkiTransakcji>"    \
	"<Platnosc><RachunekBankowy><NrRB>61109010140000071219812874</NrRB></RachunekBankowy>"     \
	"</Platnosc></Fa></Faktura>"

#endif
