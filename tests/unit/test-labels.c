/* Names of elements, keys and columns as labels; borders of values; values that go on in the
 * next line; names of files. */
#include "config.h"

#include "missent/detect.h"
#include "missent/filter.h"
#include "missent/named.h"

#include "../test.h"

static MsKinds *kinds;
static const guint8 key[MS_FILTER_KEY_BYTES] = {
	7, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const char *const directory[][2] = {
	{"customer-number", "31337"},
	{"customer-number", "4711"},
	{"invoice-number", "RG-2025-0093"},
	{"iban", "DE89 3704 0044 0532 0130 00"},
	{"vat-id", "DK13585628"},
	{"reference", "X81-0708-13585628"},
	{"contract-number", "889900"},
	{"customer-number", "55512345"},
	{"phone", "+44 20 7946 0958"},
	{"phone", "+1 415 555 0134"},
	{"billing-address", "12 rue des Lilas, 69003 Lyon"},
	{"subscription-id", "6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21"},
};

static void add_mark(GArray *marks, const MsKind *kind, const char *compact)
{
	MsMark mark;
	if (ms_mark_make(key, kind->name, compact, strlen(compact), &mark))
		g_array_append_val(marks, mark);
}

static GBytes *directory_image(void)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	for (gsize i = 0; i < G_N_ELEMENTS(directory); i++) {
		const MsKind *kind = ms_kinds_find(kinds, directory[i][0]);
		const char *text = directory[i][1], *why;
		g_autofree char *value = ms_kind_canonical(kind, text, strlen(text), &why);
		g_autofree char *compact = ms_compact_of(value, strlen(value));
		if (kind->form != MS_FORM_ADDRESS)
			add_mark(marks, kind, compact);
		g_autoptr(GPtrArray) forms = ms_kind_stored_forms(kind, value, text, strlen(text));
		for (guint f = 0; f < forms->len; f++)
			if (((MsOtherForm *)forms->pdata[f])->compact != NULL)
				add_mark(marks, kind, ((MsOtherForm *)forms->pdata[f])->compact);
	}
	return ms_filter_build(key, (const MsMark *)(const void *)marks->data, marks->len);
}

typedef struct {
	MsReading *reading;
	MsBudget budget;
	MsFilters filters;
} Sink;

static void on_span(const MsSpan *span, void *user)
{
	Sink *sink = user;
	ms_detect(kinds, &sink->filters, span, &sink->budget, sink->reading);
}

/* What the directory has to confirm: found by itself, or labelled. */
static bool finds(const MsReading *reading, const char *kind, const char *value)
{
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		if (strcmp(f->kind, kind) == 0 && strcmp(f->value, value) == 0)
			return true;
	}
	return false;
}

typedef enum { TEXT, NAMED, FILE_NAME, XML } Form;

#define UBL(buyer, seller, more)                                                        \
	"<?xml version=\"1.0\"?><Invoice><ID>RG-1</ID><AccountingSupplierParty>" seller \
	"</AccountingSupplierParty><AccountingCustomerParty>" buyer                     \
	"</AccountingCustomerParty>" more "</Invoice>"

#define REFERENCE(of, scheme, number)                                                            \
	"<" of "DocumentReference><ID" scheme ">" number "</ID></" of "DocumentReference>"
#define LINE(more) "<InvoiceLine><ID>1</ID>" more "</InvoiceLine>"
#define CII(in, code)                                                                         \
	"<CrossIndustryInvoice><" in "><AdditionalReferencedDocument>"                        \
	"<IssuerAssignedID>889900</IssuerAssignedID><ReferenceTypeCode>" code                 \
	"</ReferenceTypeCode></AdditionalReferencedDocument></" in "></CrossIndustryInvoice>"

#define ESLOG_PARTY(code, number)                                        \
	"<Invoice><M_INVOIC><G_SG2><S_NAD><D_3035>" code "</D_3035><C_C082>" \
	"<D_3039>" number "</D_3039></C_C082></S_NAD></G_SG2></M_INVOIC></Invoice>"
#define XCBL(party, number)                                                     \
	"<Invoice><InvoiceHeader><InvoiceParty><" party "><PartyID>" number     \
	"</PartyID></" party "></InvoiceParty></InvoiceHeader></Invoice>"
#define ESLOG_REFERENCE(code, number)                                          \
	"<Invoice><M_INVOIC><G_SG1><S_RFF><C_C506><D_1153>" code "</D_1153>"       \
	"<D_1154>" number "</D_1154></C_C506></S_RFF></G_SG1></M_INVOIC></Invoice>"

#define IDOC(code, number)                                                       \
	"<INVOIC02><IDOC><E1EDK02><QUALF>" code "</QUALF><BELNR>" number "</BELNR>" \
	"</E1EDK02></IDOC></INVOIC02>"
#define OTHER_ID(scheme, number)                                                     \
	"<Document><Dbtr><Id><OrgId><Othr><Id>" number "</Id><SchmeNm>" scheme     \
	"</SchmeNm></Othr></OrgId></Id></Dbtr></Document>"

static const struct {
	Form form;
	const char *text; /* NAMED: lines "name=value"; "{name" opens, "}" closes */
	const char *kind, *value;
	bool found;
} rows[] = {
	/* names */
	{NAMED, "customerNumber=31337", "customer-number", "31337", true},
	{NAMED, "CUSTOMER_NO=31337", "customer-number", "31337", true},
	{NAMED, "customer-number=31337", "customer-number", "31337", true},
	{NAMED, "KundenNr=31337", "customer-number", "31337", true},
	{NAMED, "kunden_nummer=31337", "customer-number", "31337", true},
	{NAMED, "Kd.-Nr.=31337", "customer-number", "31337", true},
	{NAMED, "numeroDeCliente=31337", "customer-number", "31337", true},
	{NAMED, "codice_cliente=31337", "customer-number", "31337", true},
	{NAMED, "NrKlienta=31337", "customer-number", "31337", true},
	{NAMED, "num\xc3\xa9roClient=31337", "customer-number", "31337", true},
	{NAMED, "SupplierAssignedAccountID=31337", "customer-number", "31337", true},
	{NAMED, "BillersInvoiceRecipientID=31337", "customer-number", "31337", true},
	{NAMED, "{customer\nid=31337\n}", "customer-number", "31337", true},
	{NAMED, "{Customer\nNumber=31337\n}", "customer-number", "31337", true},
	{NAMED, "{a\n{b\nClientIDValue=31337\n}\n}", "customer-number", "31337", true},
	{NAMED, "PARTN_NUMB=31337", "customer-number", "31337", true},
	{NAMED, "KUNAG=31337", "customer-number", "31337", true},
	{NAMED, "KUNRG=31337", "customer-number", "31337", true},
	{NAMED, "KUNWE=31337", "customer-number", "31337", true},
	{NAMED, "KUNSTWERK=31337", "customer-number", "31337", false},
	{NAMED, "cust_no=31337", "customer-number", "31337", true},
	{NAMED, "CodCliente=31337", "customer-number", "31337", true},
	{NAMED, "AcctNo=31337", "customer-number", "31337", true},
	{NAMED, "Customer_Number__c=31337", "customer-number", "31337", true},
	{NAMED, "customer_number (metadata)=31337", "customer-number", "31337", true},
	{NAMED, "AcctsRecNo=31337", "customer-number", "31337", true},
	{NAMED, "ContrNo=889900", "contract-number", "889900", true},
	{NAMED, "Rech. an Deb.-Nr.=31337", "customer-number", "31337", true},
	{NAMED, "Customer_Count__c=31337", "customer-number", "31337", false},
	{NAMED, "cisloZakaznika=31337", "customer-number", "31337", true},
	{NAMED, "inv_no=RG-2025-0093", "invoice-number", "RG20250093", true},
	{NAMED, "accuracy=31337", "customer-number", "31337", false},
	{NAMED, "contractNumber=889900", "contract-number", "889900", true},
	{NAMED, "customerNumber=no. 31337 of 2024", "customer-number", "31337", true},
	{NAMED, "{Characteristic\nDescription=Customer number\nValue=31337\n}", "customer-number",
		"31337", true},
	{NAMED, "{address\nstreet=12 rue des Lilas\nzip=69003\ncity=Lyon\n}", "billing-address",
		"69003/12/lilas", true},
	/* what stands in the same object says what its value is, before it or behind it */
	{NAMED, "{a\nvalue=31337\npropertyID=customerNumber\n}", "customer-number", "31337", true},
	{NAMED, "{a\nscheme=customer-number\nidentifier=31337\n}", "customer-number", "31337", true},
	{NAMED, "{data\ntype=customers\nid=31337\n}", "customer-number", "31337", true},
	{NAMED, "{party\nparty_id=31337\nrole=Customer\n}", "customer-number", "31337", true},
	{NAMED, "{customer\n{identifier\nvalue=31337\n}\n}", "customer-number", "31337", true},
	{XML, "<d><Extrinsic name=\"CustomerNumber\">31337</Extrinsic></d>", "customer-number",
		"31337", true},
	{XML, "<d><invoice><id type=\"customerNumber\">31337</id></invoice></d>",
		"customer-number", "31337", true},
	{XML, "<d><f value=\"31337\" name=\"customerNumber\"/></d>", "customer-number", "31337",
		true},
	{XML, "<d><f><value>31337</value><name>Kundennummer</name></f></d>", "customer-number",
		"31337", true},
	{XML, "<d><Ref domain=\"customerID\" identifier=\"31337\"/></d>", "customer-number",
		"31337", true},
	/* and not what others are: of another name, another object, or where it has a value */
	{NAMED, "{a\nvalueType=TEXT\npropertyID=customerNumber\n}", "customer-number", "TEXT",
		false},
	{NAMED, "{a\nquantity=31337\npropertyID=customerNumber\n}", "customer-number", "31337",
		false},
	{NAMED, "{a\nid=31337\nkey=customer_number\nvalue=1\n}", "customer-number", "31337",
		false},
	{NAMED, "{a\naddressId=31337\ntype=customer\n}", "customer-number", "31337", false},
	{NAMED, "{a\ntype=customer\n{b\nid=31337\n}\n}", "customer-number", "31337", false},
	{NAMED, "{customer\n{quantity\nvalue=31337\n}\n}", "customer-number", "31337", false},
	{NAMED, "{customer\n{field\nvalue=31337\n}\n}", "customer-number", "31337", false},
	{XML, "<d><f id=\"31337\" name=\"customerNumber\">1</f></d>", "customer-number", "31337",
		false},
	{XML, "<d><f name=\"customerNumber\"><a>Berlin</a><b>31337</b></f></d>", "customer-number", "31337",
		false},
	{XML, "<d><f name=\"customerNumber\"/><value>31337</value></d>", "customer-number",
		"31337", false},
	/* their right twins: the name is of another thing, or of another value */
	{NAMED, "quantity=31337", "customer-number", "31337", false},
	{NAMED, "id=31337", "customer-number", "31337", false},
	{NAMED, "{customer\nname=A\nquantity=31337\n}", "customer-number", "31337", false},
	{NAMED, "customerNumber=n/a\nquantity=31337", "customer-number", "31337", false},
	{NAMED, "customerNumber=\nquantity=31337", "customer-number", "31337", false},
	{NAMED, "note=Your customer number\nquantity=31337", "customer-number", "31337", false},
	{NAMED, "{a\nscheme=Customer number\n}\nquantity=31337", "customer-number", "31337", false},
	{NAMED, "customerNumberCount=31337", "customer-number", "31337", false},
	{NAMED, "lines_per_invoice=4711", "invoice-number", "4711", false},
	/* tables */
	{TEXT, "Date;customerNumber;Total\n2026-01-02;31337;5\n", "customer-number", "31337", true},
	{TEXT, "Date,Customer No.,Total\n2026-01-02,1,5\n2026-01-02,2,5\n2026-01-02,3,5\n2026-02-03,31337,9\n",
		"customer-number", "31337", true},
	{TEXT, "\"Name\";\"Kunden-Nr.\"\n\"A; B\";\"1\"\n\"C\nD\";\"31337\"\n", "customer-number",
		"31337", true},
	{TEXT, "Total\tcustomer_id\t\nx\t4\t\ny\t4711\t\n", "customer-number", "4711", true},
	{TEXT, "| Kundennummer | Menge |\n| 1 | 2 |\n| 31337 | 2 |\n", "customer-number", "31337",
		true},
	{TEXT, "Customer number;Quantity\nC-1;5\nC-2;6\nC-3;31337\n", "customer-number", "31337",
		false},
	{TEXT, "Quantity\tNumber\n1\t31337\n", "customer-number", "31337", false},
	{TEXT, "Date;Quantity\n2026-01-02;31337\n", "customer-number", "31337", false},
	/* tables as databases write them out */
	{TEXT, "INSERT INTO `r` (`id`, `kundennr`) VALUES (1,'31337'),(2,'4711');\n", "customer-number",
		"4711", true},
	{TEXT, "INSERT INTO `r` (`id`,\r\n`kundennr`)\r\nVALUES\r\n(1,'1'),\r\n(2,4711);\r\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO r (id, kundennr) VALUES (4711, '31337');\n", "customer-number", "4711",
		false},
	{TEXT, "INSERT INTO r (kundennr, id) VALUES ('31337', 4711);\n", "customer-number", "4711",
		false},
	{TEXT, "INSERT INTO r (kundennr, menge) VALUES (NULL, 4711), ('', 4711);\n",
		"customer-number", "4711", false},
	{TEXT, "CREATE TABLE r (\n  id int NOT NULL,\n  kundennr varchar(20),\n  PRIMARY KEY (id)\n);\n"
	       "INSERT INTO r VALUES (1,'31337'),(2,'4711');\n",
		"customer-number", "4711", true},
	{TEXT, "CREATE TABLE IF NOT EXISTS \"r\"(\"id\" INTEGER,\"kundennr\" TEXT);\n"
	       "INSERT INTO \"r\" VALUES(4711,'31337');\n",
		"customer-number", "4711", false},
	{TEXT, "CREATE TABLE r(id,kundennr);\nINSERT INTO r VALUES(1,'4711');\n",
		"customer-number", "4711", true},
	{TEXT, "CREATE TABLE r (kundennr varchar(4711), name text);\n", "customer-number", "4711",
		false},
	{TEXT, "INSERT [dbo].[R] ([Id], [KundenNr], [B]) VALUES (1, N'4711', CAST(80.00 AS Decimal(10, 2)))\r\nGO\r\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT [dbo].[R] ([Id], [Pfad], [KundenNr]) VALUES (1, N'C:\\x\\', N'4711')\n",
		"customer-number", "4711", true},
	{TEXT, "Insert into R (ID,KUNDENNR,D) values (2,'4711',to_date('21.07.26','DD.MM.RR'));\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT ALL\n INTO r (id, kundennr) VALUES (1, '1')\n INTO r (id, kundennr) VALUES (2, '4711')\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO r (id,note,kundennr) VALUES (1,'it\\'s (a) \\\\','31337'),(2,'x\\'),(3,','4711');\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO r (id,note,kundennr) VALUES (1,'it''s','4711');\n", "customer-number",
		"4711", true},
	{TEXT, "INSERT INTO r (id,p,kundennr) VALUES (4711,'C:\\x\\','31337');\n",
		"customer-number", "4711", false},
	{TEXT, "INSERT INTO r (id,kundennr) VALUES (1,CAST('4711' AS varchar(20)));\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO r (id,kundennr) VALUES (1,CAST('31337' AS char(4711)));\n",
		"customer-number", "4711", false},
	{TEXT, "INSERT INTO r (id,kundennr) VALUES (1,'4711'::text);\n", "customer-number", "4711",
		true},
	{TEXT, "INSERT INTO r (id,kundennr) VALUES (1,0x34373131);\n", "customer-number", "4711",
		true},
	{TEXT, "INSERT INTO r (id,kundennr) VALUES (1,X'34373131');\n", "customer-number", "4711",
		true},
	{TEXT, "INSERT INTO r /* rows */ (id, kundennr) -- names\nVALUES (1,'4711');",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO customer (id, name) VALUES (4711,'Meyer');\n", "customer-number",
		"4711", true},
	{TEXT, "INSERT INTO customers (id, customer_no) VALUES (4711,'31337');\n",
		"customer-number", "4711", false},
	{TEXT, "INSERT INTO customers (id, number) VALUES (4711,'31337');\n", "customer-number",
		"4711", false},
	{TEXT, "INSERT INTO customers (id, number) VALUES (1,'4711');\n", "customer-number",
		"4711", true},
	{TEXT, "INSERT INTO s (k, v) VALUES ('a','your customer number 4711\\nis'),('b','1');\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO m (id, t) VALUES (1,'Menge;KdNr\\n1;31337\\n2;4711\\n');\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO m (id, t) VALUES (1,'a:1:{s:9:\\\"kunden_nr\\\";s:4:\\\"4711\\\";}');\n",
		"customer-number", "4711", true},
	{TEXT, "INSERT INTO r (id, kundennr) VALUES (1,'1'),(2,'4711'),(3,'x", "customer-number",
		"4711", true},
	{TEXT, "COPY public.r (id, kundennr) FROM stdin;\n1\t31337\n2\t4711\n\\.\n",
		"customer-number", "4711", true},
	{TEXT, "COPY public.r (id, kundennr) FROM stdin;\n4711\t31337\n\\.\n",
		"customer-number", "4711", false},
	{TEXT, "COPY r (kundennr, menge) FROM stdin;\n\\N\t4711\n\\.\n", "customer-number",
		"4711", false},
	{TEXT, "COPY r (note, iban) FROM stdin;\na\\tb\\\\\tDE89370400440532013000\n", "iban",
		"DE89370400440532013000", true},
	/* what is neither a value nor left in the text is read, too */
	{TEXT, "INSERT INTO \"RG-2025-0093\" (id,amount) VALUES (1,12.00);", "invoice-number",
		"RG20250093", true},
	{TEXT, "INSERT INTO konto_DE89370400440532013000 (id,amount) VALUES (1,12.00);", "iban",
		"DE89370400440532013000", true},
	{TEXT, "insert into `kunde 31337`.t (id) values (1);", "customer-number", "31337", true},
	{TEXT, "INSERT INTO \"customer no. 31337\" VALUES (1);", "customer-number", "31337", true},
	{TEXT, "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1) -- customer no. 31337\n,(2);",
		"customer-number", "31337", true},
	{TEXT, "INSERT /* customer number: 31337 */ INTO t (id,amount) VALUES (1,12.00);",
		"customer-number", "31337", true},
	{TEXT, "INSERT INTO t /* customer number: 31337 */ (id,amount) VALUES (1,12.00);",
		"customer-number", "31337", true},
	{TEXT, "INSERT INTO t (id) -- customer number 31337\nVALUES (1);", "customer-number", "31337",
		true},
	{TEXT, "INSERT INTO t (id /* Kunde 31337 */, b) VALUES (1,2);", "customer-number", "31337",
		true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1,2), -- Kunde 31337\r\n(3,4);", "customer-number",
		"31337", true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1,2), /* Kunde 31337 */ (3,4);", "customer-number",
		"31337", true},
	{TEXT, "INSERT INTO t (id,b) VALUES (/* Kunde 31337 */ 1,2);", "customer-number", "31337",
		true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1, /* Kunde 31337 */ 'x');", "customer-number", "31337",
		true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1,2) ON CONFLICT DO UPDATE SET customer_no = 31337;",
		"customer-number", "31337", true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1,kunde_31337('x'));", "customer-number", "31337", true},
	{TEXT, "INSERT INTO t (id,\"Kunde 31337\") VALUES (1,2);", "customer-number", "31337", true},
	{TEXT, "INSERT INTO t (id,b) VALUES (1,X'zz RG-2025-0093');", "invoice-number", "RG20250093",
		true},
	{TEXT, "CREATE TABLE \"Kunde 31337\" (id int);", "customer-number", "31337", true},
	{TEXT, "CREATE TABLE kd_31337 (id int, amount int);", "customer-number", "31337", true},
	{TEXT, "CREATE TABLE t (id int, -- Kunde 31337\n b int);", "customer-number", "31337", true},
	{TEXT, "CREATE TABLE t (id int, \"Kunde 31337\" int);", "customer-number", "31337", true},
	{TEXT, "CREATE TABLE t (id int, CONSTRAINT \"Kunde 31337\" PRIMARY KEY (id));",
		"customer-number", "31337", true},
	{TEXT, "COPY \"Kunde 31337\" (a,b) FROM stdin;\n1\t2\n\\.\n", "customer-number", "31337",
		true},
	{TEXT, "COPY t (a,b) FROM stdin; -- Kunde 31337\n1\t2\n\\.\n", "customer-number", "31337",
		true},
	{TEXT, "COPY t (a,b) /* Kunde 31337 */ FROM stdin;\n1\t2\n\\.\n", "customer-number", "31337",
		true},
	{TEXT, "We will insert into your account, customer no. 31337 (see page, or part) values (1, 2).",
		"customer-number", "31337", true},
	/* and a name vouches for nothing there */
	{TEXT, "INSERT INTO r (id, kundennr) VALUES (31337, NULL);", "customer-number", "31337",
		false},
	{TEXT, "INSERT INTO r (id, kundennr) VALUES (NULL, NULL), (31337, DEFAULT);",
		"customer-number", "31337", false},
	{TEXT, "CREATE TABLE r (menge int, kundennr decimal(4711,31337));", "customer-number",
		"31337", false},
	{TEXT, "CREATE TABLE r (id int DEFAULT 4711 COMMENT 'x', kundennr int DEFAULT 0);",
		"customer-number", "4711", false},
	{TEXT, "COPY r (kundennr) FROM stdin;\n1\n\\.\n\nMenge 31337\n", "customer-number", "31337",
		false},
	/* and what only looks so, which stays */
	{TEXT, "We copy the table (kundennr, name) and insert into the slot (customer no. 4711).",
		"customer-number", "4711", true},
	{TEXT, "Please create table reservation (customer no. 4711).", "customer-number", "4711",
		true},
	{TEXT, "insert into t (a, b) values (customer no. 4711", "customer-number", "4711", true},
	{TEXT, "INSERT INTO t (a) VALUES ('x');\nCustomer no. 4711", "customer-number", "4711",
		true},
	{TEXT, "INSERT INTO t (a, b) VALUES (1, 2, 'customer no. 4711');", "customer-number",
		"4711", true},
	/* what programs write out */
	{TEXT, "kunden_nr => 4711", "customer-number", "4711", true},
	{TEXT, "{:customer_no=>\"4711\", :id=>1}", "customer-number", "4711", true},
	{TEXT, "$VAR1 = {\n 'kunden_nr' => '4711',\n 'id' => 1\n};", "customer-number", "4711", true},
	{TEXT, "Array\n(\n    [id] => 1\n    [customerNumber] => 4711\n)\n", "customer-number",
		"4711", true},
	{TEXT, "Array\n(\n    [id] => 4711\n    [customerNumber] => 31337\n)\n",
		"customer-number", "4711", false},
	{TEXT, "stdClass Object\n(\n    [kdnr:App\\Kunde:private] => 4711\n)\n",
		"customer-number", "4711", true},
	{TEXT, "array(2) {\n  [\"kunden_nr\"]=>\n  string(4) \"4711\"\n}\n", "customer-number",
		"4711", true},
	{TEXT, "object(K)#1 (1) {\n  [\"kdnr\":protected]=>\n  int(4711)\n}\n",
		"customer-number", "4711", true},
	{TEXT, "array(2) {\n  [\"kunden_nr\"]=>\n  NULL\n  [\"menge\"]=>\n  int(4711)\n}\n",
		"customer-number", "4711", false},
	{TEXT, "array(1) {\n  [\"kunden_nr\"]=>\n  array(4711) {\n", "customer-number", "4711",
		false},
	{TEXT, "a:2:{s:2:\"id\";i:1;s:9:\"kunden_nr\";s:4:\"4711\";}", "customer-number", "4711",
		true},
	{TEXT, "a:2:{s:2:\"id\";i:1;s:9:\"kunden_nr\";i:4711;}", "customer-number", "4711", true},
	{TEXT, "a:2:{s:2:\"id\";i:4711;s:9:\"kunden_nr\";s:5:\"31337\";}", "customer-number",
		"4711", false},
	{TEXT, "a:2:{s:9:\"kunden_nr\";N;s:5:\"menge\";i:4711;}", "customer-number", "4711", false},
	{TEXT, "customer_no\t4711", "customer-number", "4711", true},
	{TEXT, "customer_no | 4711", "customer-number", "4711", true},
	{TEXT, "kunden_nr 4711", "customer-number", "4711", true},
	{TEXT, "kunden_nr -> 4711", "customer-number", "4711", true},
	{TEXT, "KdNr \xe2\x86\x92 4711", "customer-number", "4711", true},
	{TEXT, "4711 (customer_no)", "customer-number", "4711", true},
	{TEXT, "order_no | 4711", "customer-number", "4711", false},
	{TEXT, "kunden_nr => null, menge => 4711", "customer-number", "4711", false},
	/* borders of longer values */
	{TEXT, "VAT number: DK-13585628", "vat-id", "DK13585628", true},
	{TEXT, "VAT number: 13585628", "vat-id", "13585628", true},
	{TEXT, "VAT number: X81-0708-13585628", "vat-id", "13585628", false},
	{TEXT, "VAT number: X81-0708-13585628", "reference", "X81070813585628", true},
	{TEXT, "VAT number\nX81/0708/13585628.", "vat-id", "13585628", false},
	/* the next line, however far in */
	{TEXT, "IBAN: DE89 3704 0044\n                 0532 0130 00", "iban",
		"DE89370400440532013000", true},
	{TEXT, "IBAN: DE89 3704 0044\r\n\t\t0532 0130 00", "iban", "DE89370400440532013000", true},
	{TEXT, "6f1d2a33-0b64-4c02-\n            9d7e-5a1f0c9b7e21", "subscription-id",
		"6F1D2A330B644C029D7E5A1F0C9B7E21", true},
	{TEXT, "DE89 3704 0044\n\n\n      0532 0130 00", "iban", "DE89370400440532013000", false},
	/* and of what nobody knows */
	{TEXT, "IBAN: GB29 NWBK 6016\n          1331 9268 19", "iban", "GB29NWBK60161331926819",
		true},
	{TEXT, "FR14 2004 1010 0505 0001\n\t3M02 606", "iban", "FR1420041010050500013M02606", true},
	{TEXT, "4f1d2a33-0b64-4c02-\n      9d7e-5a1f0c9b7e22", "subscription-id",
		"4F1D2A330B644C029D7E5A1F0C9B7E22", true},
	/* groups with and without their zeros */
	{TEXT, "Ref RG/2025/93 of", "invoice-number", "RG202593", true},
	{TEXT, "Ref RG/2025/0093 of", "invoice-number", "RG20250093", true},
	{TEXT, "Ref RG.2025.094 of", "invoice-number", "RG202594", false},
	/* telephones */
	{TEXT, "call 0044 20 7946 0958 now", "phone", "00442079460958", true},
	{TEXT, "call 020 7946 0958 now", "phone", "02079460958", true},
	{TEXT, "call (415) 555-0134 now", "phone", "4155550134", true},
	{TEXT, "call 020 7946 0959 now", "phone", "02079460959", false},
	{TEXT, "0049 89 1234567", "phone", "49891234567", true},
	/* tax numbers of all countries: with a label, in any form */
	{TEXT, "TRN: 100234567800003", "tax-id", "100234567800003", true},
	{TEXT, "GSTIN 27AAPFU0939F1ZV", "tax-id", "27AAPFU0939F1ZV", true},
	{TEXT, "ABN 51 824 753 556", "tax-id", "51824753556", true},
	{TEXT, "CNPJ: 11.222.333/0001-81", "tax-id", "11222333000181", true},
	{NAMED, "vergi_no=4540536920", "tax-id", "4540536920", true},
	{NAMED, "taxNumber=28/815/0815/1", "tax-id", "2881508151", true},
	{TEXT, "the tax number of 2024 pieces", "tax-id", "2024", false},
	{TEXT, "VAT number: DE136695976", "tax-id", "DE136695976", false},
	/* a company's number is of the register that its label names */
	{TEXT, "KvK 12345678", "company-registration", "NLKVK12345678", true},
	{TEXT, "CVR-nr. 12345678", "company-registration", "DK12345678", true},
	{TEXT, "company number 12345678", "company-registration", "12345678", true},
	/* e-invoices: each element, attribute and comment, and whose it is */
	{XML, UBL("<SupplierAssignedAccountID>31337</SupplierAssignedAccountID>", "", ""),
		"customer-number", "31337", true},
	{XML, UBL("", "<CustomerAssignedAccountID>31337</CustomerAssignedAccountID>", ""),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<!-- RG-2025-0093 -->"), "invoice-number", "RG20250093", true},
	{XML, UBL("", "", "<Note customerNumber=\"31337\">x</Note>"), "customer-number", "31337",
		true},
	{XML, UBL("", "", "<Note unit=\"31337\">x</Note>"), "customer-number", "31337", false},
	{XML, UBL("", "", "<A><ID schemeName=\"Customer number\">31337</ID></A>"),
		"customer-number", "31337", true},
	{XML, UBL("", "", "<A><ID schemeName=\"Customer number\">1</ID></A><B>31337</B>"),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<Note>Your customer number</Note><Quantity>31337</Quantity>"),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<P><Name>Customer number</Name><Value>31337</Value></P>"),
		"customer-number", "31337", true},
	{XML, UBL("<Party><EndpointID schemeID=\"0106\">13585628</EndpointID></Party>", "", ""),
		"participant-id", "010613585628", true},
	{XML,
		UBL("<Party><PartyLegalEntity><CompanyID schemeID=\"0106\">13585628</CompanyID></PartyLegalEntity></Party>",
			"", ""),
		"company-registration", "NLKVK13585628", true},
	{XML,
		UBL("<Party><PartyTaxScheme><CompanyID>145671245603003</CompanyID><TaxScheme><ID>VAT</ID></TaxScheme>"
		    "</PartyTaxScheme></Party>",
			"", ""),
		"tax-id", "145671245603003", true},
	{XML,
		"<StandardBusinessDocument><Header><CustomerNumber>31337</CustomerNumber></Header>"
		"<Invoice><ID>1</ID></Invoice>"
		"</StandardBusinessDocument>",
		"customer-number", "31337", true},
	{XML,
		"<Invoice><InvoiceRecipient><BillersInvoiceRecipientID>31337</BillersInvoiceRecipientID></InvoiceRecipient>"
		"</Invoice>",
		"customer-number", "31337", true},
	/* what a document refers to, by its element, its code, or what stands beside it */
	{NAMED, "{ContractDocumentReference\nID=889900\n}", "contract-number", "889900", true},
	{NAMED, "{ContractReferencedDocument\nIssuerAssignedID=889900\n}", "contract-number",
		"889900", true},
	{NAMED, "ReceiverContractReference=889900", "contract-number", "889900", true},
	{NAMED, "BuyerAssignedID=31337", "customer-number", "31337", false}, /* of an article */
	{NAMED, "ReceiverContract=889900", "contract-number", "889900", false},
	{NAMED, "ContractReferenceDate=889900", "contract-number", "889900", false},
	{NAMED, "{InvoiceDocumentReference\nUUID=889900\n}", "contract-number", "889900", false},
	{NAMED, "{AdditionalDocumentReference\nID=889900\n}", "contract-number", "889900", false},
	{NAMED, "{ContractDocumentReference\nDescription=889900\n}", "contract-number", "889900",
		false},
	/* ... however many steps only refer to it */
	{NAMED, "{ContractReference\n{DocumentID\nID=889900\n}\n}", "contract-number", "889900", true},
	{NAMED, "{ContractID\n{Reference\nRefNum=889900\n}\n}", "contract-number", "889900", true},
	{NAMED, "{PurchaseOrderReference\n{DocumentID\nID=889900\n}\n}", "invoice-number", "889900",
		false},
	{NAMED, "{AccountNumber\n{Reference\nRefNum=31337\n}\n}", "customer-number", "31337", true},
	{NAMED, "{SupplierNumber\n{Reference\nRefNum=31337\n}\n}", "customer-number", "31337", false},
	{NAMED, "{InvoiceDocument\nReferenceNumber=31337\n}", "customer-number", "31337", false},
	/* and parties, by who they are */
	{NAMED, "PayerParty=31337", "customer-number", "31337", true},
	{NAMED, "{BuyerParty\nPartyID=31337\n}", "customer-number", "31337", true},
	{NAMED, "{CustomerParty\n{PartyIDs\nID=31337\n}\n}", "customer-number", "31337", true},
	{NAMED, "BUYER_IDREF=31337", "customer-number", "31337", true},
	{NAMED, "{SellerParty\nPartyID=31337\n}", "customer-number", "31337", false},
	{NAMED, "thirdPartyId=31337", "customer-number", "31337", false},
	{NAMED, "PartyID=31337", "customer-number", "31337", false},
	{NAMED, "PartyCount=31337", "customer-number", "31337", false},
	{NAMED, "{BuyerParty\nPartyName=31337\n}", "customer-number", "31337", false},
	{NAMED, "{AdditionalReferencedDocument\nIssuerAssignedID=889900\nName=Vertragsnummer\n}",
		"contract-number", "889900", true},
	{XML, UBL("", "", LINE(REFERENCE("Contract", "", "889900"))), "contract-number", "889900",
		true},
	{XML, UBL("", "", LINE(REFERENCE("", " schemeID=\"CT\"", "889900"))), "contract-number",
		"889900", true},
	{XML, UBL("", "", LINE(REFERENCE("", " schemeID=\"IV\"", "889900"))), "contract-number",
		"889900", false},
	{XML, UBL("", "", REFERENCE("Additional", " schemeID=\"IT\"", "31337")), "customer-number",
		"31337", true},
	{XML, UBL("", "", REFERENCE("Additional", " schemeID=\"ABT\"", "31337")),
		"customer-number", "31337", false},
	{XML,
		UBL("", "",
			"<AdditionalDocumentReference><ID>31337</ID><DocumentType>Customer number"
			"</DocumentType></AdditionalDocumentReference>"),
		"customer-number", "31337", true},
	{XML, CII("A", "CT"), "contract-number", "889900", true},
	{XML, CII("A", "IV"), "contract-number", "889900", false},
	{XML, CII("ApplicableHeaderTradeAgreement", "CT"),
		"contract-number", "889900", true},
	{XML,
		"<CrossIndustryInvoice><A><ContractReferencedDocument><IssuerAssignedID>1</IssuerAssignedID>"
		"</ContractReferencedDocument><AdditionalReferencedDocument>"
		"<ReferenceTypeCode>IT</ReferenceTypeCode><IssuerAssignedID>31337</IssuerAssignedID>"
		"</AdditionalReferencedDocument></A></CrossIndustryInvoice>",
		"customer-number", "31337", false},
	/* EDIFACT in XML, as eSLOG is */
	{XML, XCBL("BuyerParty", "<Ident>31337</Ident>"), "customer-number", "31337", true},
	{XML, XCBL("BuyerParty", "<Identifier><Ident>31337</Ident></Identifier>"),
		"customer-number", "31337", true},
	{XML, XCBL("SellerParty", "<Ident>31337</Ident>"), "customer-number", "31337", false},
	{XML, ESLOG_PARTY("BY", "31337"), "customer-number", "31337", true},
	{XML, ESLOG_PARTY("IV", "31337"), "customer-number", "31337", true},
	{XML, ESLOG_PARTY("SE", "31337"), "customer-number", "31337", false},
	{XML, ESLOG_REFERENCE("IT", "31337"), "customer-number", "31337", true},
	{XML, ESLOG_REFERENCE("CT", "889900"), "contract-number", "889900", true},
	{XML, ESLOG_REFERENCE("AAK", "31337"), "customer-number", "31337", false},
	/* IDocs of SAP, and identifications of ISO 20022 */
	{XML, IDOC("005", "889900"), "contract-number", "889900", true},
	{XML, IDOC("009", "889900"), "contract-number", "889900", false},
	{XML, IDOC("012", "889900"), "contract-number", "889900", false},
	{XML,
		"<IDOC><E1EDK02><QUALF>005</QUALF><DATUM>1</DATUM></E1EDK02><E1EDK01><BELNR>889900</BELNR>"
		"</E1EDK01></IDOC>",
		"contract-number", "889900", false},
	{XML, "<IDOC><E1EDP19><QUALF>005</QUALF><IDTNR>889900</IDTNR></E1EDP19></IDOC>",
		"contract-number", "889900", false},
	{XML, OTHER_ID("<Cd>CUST</Cd>", "31337"), "customer-number", "31337", true},
	{XML, OTHER_ID("<Prtry>Kundennummer</Prtry>", "31337"), "customer-number", "31337", true},
	{XML, OTHER_ID("<Cd>BANK</Cd>", "31337"), "customer-number", "31337", false},
	/* what the seller calls where it is delivered to, and what the buyer refers to */
	{XML, UBL("", "", "<Delivery><DeliveryLocation><ID>31337</ID></DeliveryLocation></Delivery>"),
		"customer-number", "31337", true},
	{XML,
		UBL("", "",
			"<Delivery><DeliveryLocation><ID schemeID=\"0088\">31337</ID></DeliveryLocation></Delivery>"),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<Delivery><DeliveryLocation><Name>31337</Name></DeliveryLocation></Delivery>"),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<PayeeParty><PartyIdentification><ID>31337</ID></PartyIdentification></PayeeParty>"),
		"customer-number", "31337", false},
	{XML, UBL("", "", "<BuyerReference>31337</BuyerReference>"), "customer-number", "31337",
		true},
	{XML, UBL("", "", "<AccountingCost>31337</AccountingCost>"), "customer-number", "31337",
		false},
	/* the square code of Saudi invoices, a hash, and neither */
	{XML,
		UBL("", "",
			"<A><Attachment><EmbeddedDocumentBinaryObject mimeCode=\"text/plain\">"
			"AQZTZWxsZXICDzMxMDEyMjM5MzUwMDAwMwMDbm93BAE1BQEx</EmbeddedDocumentBinaryObject></Attachment></A>"),
		"tax-id", "x", false},
	{XML,
		UBL("", "",
			"<A><Attachment><EmbeddedDocumentBinaryObject mimeCode=\"text/plain\">"
			"hvlPE1DDp4aEpi2DmL3glH/RfJF3rVR9AQm5wSqPf6U=</EmbeddedDocumentBinaryObject></Attachment></A>"),
		"tax-id", "x", false},
	/* names of files */
	{FILE_NAME, "55512345_invoice_2026-11.pdf", "customer-number", "55512345", true},
	{FILE_NAME, "invoice55512345.pdf", "customer-number", "55512345", true},
	{FILE_NAME, "inv-55512345-2026-11.pdf", "customer-number", "55512345", true},
	{FILE_NAME, "Rechnung_RG-2025-0093_final.pdf", "invoice-number", "RG20250093", true},
	{FILE_NAME, "155512345_invoice.pdf", "customer-number", "55512345", false},
	{FILE_NAME, "IMG_20260102_31337.jpg", "customer-number", "31337", false},
	{FILE_NAME, "AB55512345.pdf", "customer-number", "55512345", false},
	{TEXT, "see A-55512345-2026 there", "customer-number", "55512345", false},
};

static void give(const MsExtraction *to, Form form, const char *text)
{
	if (form == TEXT) {
		ms_extract_span(to, "x", text, strlen(text));
		return;
	}
	if (form == XML) {
		MsDocument document = {.where = "x",
			.type = "text/xml",
			.data = (const guint8 *)text,
			.len = strlen(text)};
		ms_extract(to, &document);
		return;
	}
	if (form == FILE_NAME) {
		ms_extract_name(to, "x", text);
		return;
	}
	g_autoptr(MsNamedText) named = ms_named_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *is = strchr(*line, '=');
		if (**line == '{') {
			ms_named_open(named, *line + 1);
		} else if (**line == '}') {
			ms_named_close(named);
		} else {
			*is = '\0';
			ms_named_value(named, *line, is + 1, strlen(is + 1));
		}
	}
	ms_extract_named(to, "x", named);
}

static void test_rows(void)
{
	g_autoptr(GBytes) image = directory_image();
	gsize size;
	const void *data = g_bytes_get_data(image, &size);
	g_autoptr(MsFilter) filter = ms_filter_open(data, size, NULL);
	guint wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		Sink sink = {reading, {{0}}, {{filter, NULL}}};
		MsLimits limits;
		ms_limits_default(&limits);
		ms_budget_init(&sink.budget, &limits);
		MsExtraction to = {
			.budget = &sink.budget, .reading = reading, .span = on_span, .user = &sink};
		give(&to, rows[i].form, rows[i].text);
		g_assert_cmpuint(reading->unread->len, ==, 0);
		if (finds(reading, rows[i].kind, rows[i].value) != rows[i].found) {
			g_test_message("\"%s\": %s %s should%s be found", rows[i].text,
				rows[i].kind, rows[i].value, rows[i].found ? "" : " not");
			wrong++;
		}
	}
	g_assert_cmpuint(wrong, ==, 0);
}

/* What never ends is looked at a few times, and charged like all else. */
static void test_hostile(void)
{
	static const char *const texts[] = {"INSERT INTO t (a) VALUES ('x ", "(", "INSERT INTO t(",
		"create table t (", "/*(", "--(", "INSERT INTO t (a) VALUES (1,2) ",
		"COPY t (a,b) FROM stdin;\n1\t2\t3\n", "[a]=>\n", "s:1:\"a\";s:",
		"INSERT INTO t (a) VALUES (((((", "'\\"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		g_autoptr(GString) text = g_string_new("INSERT INTO t (");
		Sink sink = {reading, {{0}}, {{NULL, NULL}}};
		MsLimits limits;
		ms_limits_default(&limits);
		ms_budget_init(&sink.budget, &limits);
		MsExtraction to = {
			.budget = &sink.budget, .reading = reading, .span = on_span, .user = &sink};
		while (text->len < 1 << 20)
			g_string_append(text, texts[i]);
		ms_extract_span(&to, "x", text->str, text->len);
		g_assert_cmpuint(reading->unread->len, ==, 0);
		g_assert_cmpuint(reading->text_bytes, >=, text->len / 4);
		g_assert_cmpuint(reading->text_bytes, <=, text->len * 4);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *text = read_source("policies/kinds.conf");
	g_autoptr(GError) error = NULL;
	kinds = ms_kinds_parse("kinds.conf", text, &error);
	g_assert_no_error(error);
	ms_extract_init();
	g_test_add_func("/labels/rows", test_rows);
	g_test_add_func("/labels/hostile", test_hostile);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
