/*
 * E-invoices: UBL 2.x, UN/CEFACT CII (Factur-X, ZUGFeRD 1 and 2, XRechnung), FatturaPA and FA of
 * KSeF, by the paths of their elements; of ebInterface what it has of its own.  In comes the XML;
 * out goes each field as a span named by its EN 16931-1 term and marked with the party whose it
 * is, and all else (elements, attributes, comments) as text under the names that it stands under.
 * In the worker's only thread.
 *
 * Sources: CEN/TS 16931-3-2 (UBL) and -3-3 (CII), ZUGFeRD 1.0 (whose parts have other names),
 * FatturaPA 1.2 with the mapping of AgID's "core invoice usage specification", FA (3) of the
 * Polish ministry of finance.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"
#include "missent/text.h"

#include "readers.h"
#include "xml.h"

/* ---- the tables ----------------------------------------------------------------------- */

typedef enum {
	NAME, TRADING, ID, LEGAL, VAT, TAX, ENDPOINT, CONTACT, PHONE, EMAIL,
	STREET, LINE2, LINE3, CITY, POSTCODE, SUBDIVISION, COUNTRY, BUILDING,
	N_ROLES,
} Role;

typedef struct {
	const char *element;
	const char *party;
	guint terms; /* row of party_terms */
} PartyRow;

enum { SELLER, BUYER, PAYEE, TAX_AGENT, DELIVERY };

/* BT numbers; 0: none.  The last is the group of the address. */
static const guint16 party_terms[][N_ROLES + 1] = {
	[SELLER] = {27, 28, 29, 30, 31, 32, 34, 41, 42, 43, 35, 36, 162, 37, 38, 39, 40, 0, 5},
	[BUYER] = {44, 45, 46, 47, 48, 48, 49, 56, 57, 58, 50, 51, 163, 52, 53, 54, 55, 0, 8},
	[PAYEE] = {59, 59, 60, 61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	[TAX_AGENT] = {62, 62, 0, 0, 63, 63, 0, 0, 0, 0, 64, 65, 164, 66, 67, 68, 69, 0, 12},
	[DELIVERY] = {70, 70, 71, 0, 0, 0, 0, 0, 0, 0, 75, 76, 165, 77, 78, 79, 80, 0, 15},
};

static const PartyRow party_rows[] = {
	{"AccountingSupplierParty", "seller", SELLER}, {"SellerSupplierParty", "seller", SELLER},
	{"SellerTradeParty", "seller", SELLER}, {"InvoicerTradeParty", "seller", SELLER},
	{"CedentePrestatore", "seller", SELLER},
	{"AccountingCustomerParty", "buyer", BUYER}, {"BuyerCustomerParty", "buyer", BUYER},
	{"BuyerParty", "buyer", BUYER}, {"SellerParty", "seller", SELLER},
	{"Biller", "seller", SELLER}, {"InvoiceRecipient", "buyer", BUYER},
	{"OriginatorCustomerParty", "buyer", BUYER}, {"BuyerTradeParty", "buyer", BUYER},
	{"InvoiceeTradeParty", "buyer", BUYER}, {"PayerTradeParty", "buyer", BUYER},
	{"CessionarioCommittente", "buyer", BUYER},
	{"Podmiot1", "seller", SELLER}, {"Podmiot2", "buyer", BUYER},
	{"PayeeParty", "payee", PAYEE}, {"PayeeTradeParty", "payee", PAYEE},
	{"TaxRepresentativeParty", "seller", TAX_AGENT},
	{"SellerTaxRepresentativeTradeParty", "seller", TAX_AGENT},
	{"RappresentanteFiscale", "seller", TAX_AGENT},
	{"Delivery", "delivery", DELIVERY}, {"ShipToTradeParty", "delivery", DELIVERY},
	{"UltimateShipToTradeParty", "delivery", DELIVERY},
};

typedef struct {
	const char *path; /* below the party's element; "Party" steps are left out */
	Role role;
} RoleRow;

static const RoleRow role_rows[] = {
	/* UBL */
	{"PartyLegalEntity/RegistrationName", NAME},
	{"PartyName/Name", TRADING},
	{"PartyIdentification/ID", ID},
	{"PartyLegalEntity/CompanyID", LEGAL},
	{"PartyTaxScheme/CompanyID", TAX},
	{"EndpointID", ENDPOINT},
	{"Contact/Name", CONTACT},
	{"Contact/Telephone", PHONE},
	{"Contact/ElectronicMail", EMAIL},
	{"Person/FirstName", CONTACT},
	{"Person/FamilyName", CONTACT},
	{"PostalAddress/StreetName", STREET},
	{"PostalAddress/BuildingNumber", BUILDING},
	{"PostalAddress/AdditionalStreetName", LINE2},
	{"PostalAddress/AddressLine/Line", LINE3},
	{"PostalAddress/CityName", CITY},
	{"PostalAddress/PostalZone", POSTCODE},
	{"PostalAddress/CountrySubentity", SUBDIVISION},
	{"PostalAddress/Country/IdentificationCode", COUNTRY},
	{"DeliveryParty/PartyName/Name", NAME},
	{"DeliveryLocation/ID", ID},
	{"DeliveryLocation/Address/StreetName", STREET},
	{"DeliveryLocation/Address/BuildingNumber", BUILDING},
	{"DeliveryLocation/Address/AdditionalStreetName", LINE2},
	{"DeliveryLocation/Address/AddressLine/Line", LINE3},
	{"DeliveryLocation/Address/CityName", CITY},
	{"DeliveryLocation/Address/PostalZone", POSTCODE},
	{"DeliveryLocation/Address/CountrySubentity", SUBDIVISION},
	{"DeliveryLocation/Address/Country/IdentificationCode", COUNTRY},
	{"CustomerAssignedAccountID", ID},
	/* xCBL 3 and 4 */
	{"PartyID/Ident", ID},
	{"PartyID/Identifier/Ident", ID},
	{"NameAddress/Name1", NAME},
	{"NameAddress/Street", STREET},
	{"NameAddress/HouseNumber", BUILDING},
	{"NameAddress/PostalCode", POSTCODE},
	{"NameAddress/City", CITY},
	/* ebInterface */
	{"VATIdentificationNumber", TAX},
	{"InvoiceRecipientsBillerID", ID},
	{"Address/Name", NAME},
	{"Address/Street", STREET},
	{"Address/Town", CITY},
	{"Address/ZIP", POSTCODE},
	{"Address/Country", COUNTRY},
	{"Address/Phone", PHONE},
	{"Address/Email", EMAIL},
	{"Contact/Phone", PHONE},
	{"Contact/Email", EMAIL},
	/* CII */
	{"Name", NAME},
	{"ID", ID},
	{"GlobalID", ID},
	{"SpecifiedLegalOrganization/ID", LEGAL},
	{"SpecifiedLegalOrganization/TradingBusinessName", TRADING},
	{"SpecifiedTaxRegistration/ID", TAX},
	{"URIUniversalCommunication/URIID", ENDPOINT},
	{"DefinedTradeContact/PersonName", CONTACT},
	{"DefinedTradeContact/DepartmentName", CONTACT},
	{"DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber", PHONE},
	{"DefinedTradeContact/EmailURIUniversalCommunication/URIID", EMAIL},
	{"PostalTradeAddress/LineOne", STREET},
	{"PostalTradeAddress/LineTwo", LINE2},
	{"PostalTradeAddress/StreetName", STREET},
	{"PostalTradeAddress/BuildingNumber", BUILDING},
	{"PostalTradeAddress/LineThree", LINE3},
	{"PostalTradeAddress/CityName", CITY},
	{"PostalTradeAddress/PostcodeCode", POSTCODE},
	{"PostalTradeAddress/CountrySubDivisionName", SUBDIVISION},
	{"PostalTradeAddress/CountryID", COUNTRY},
	/* FatturaPA */
	{"DatiAnagrafici/Anagrafica/Denominazione", NAME},
	{"DatiAnagrafici/Anagrafica/Nome", NAME},
	{"DatiAnagrafici/Anagrafica/Cognome", NAME},
	{"DatiAnagrafici/CodiceFiscale", LEGAL},
	{"DatiAnagrafici/IdFiscaleIVA/IdCodice", VAT},
	{"Contatti/Telefono", PHONE},
	{"Contatti/Email", EMAIL},
	{"Sede/Indirizzo", STREET},
	{"Sede/NumeroCivico", BUILDING},
	{"Sede/Comune", CITY},
	{"Sede/CAP", POSTCODE},
	{"Sede/Provincia", SUBDIVISION},
	{"Sede/Nazione", COUNTRY},
	/* FA of KSeF */
	{"NrKlienta", ID},
	{"DaneIdentyfikacyjne/Nazwa", NAME},
	{"DaneIdentyfikacyjne/NIP", VAT},
	{"DaneKontaktowe/Telefon", PHONE},
	{"DaneKontaktowe/Email", EMAIL},
	{"Adres/AdresL1", STREET},
	{"Adres/AdresL2", LINE2},
	{"Adres/KodKraju", COUNTRY},
};

typedef struct {
	const char *path; /* below the root element; see `aliases` */
	const char *term;
	const char *party;
	const char *if_qualifier; /* with this type code it is `term`, otherwise `otherwise` */
	const char *otherwise;
} FieldRow;

static const FieldRow field_rows[] = {
	/* UBL */
	{"ID", "BT-1", "document"},
	{"BuyerReference", "BT-10", "buyer"},
	{"ProjectReference/ID", "BT-11", "buyer"},
	{"ContractDocumentReference/ID", "BT-12", "buyer"},
	{"OrderReference/ID", "BT-13", "buyer"},
	{"OrderReference/SalesOrderID", "BT-14", "document"},
	{"ReceiptDocumentReference/ID", "BT-15", "document"},
	{"DespatchDocumentReference/ID", "BT-16", "document"},
	{"OriginatorDocumentReference/ID", "BT-17", "document"},
	{"AdditionalDocumentReference/ID", "BT-18", "buyer", "130", "BT-122"},
	{"AccountingCost", "BT-19", "buyer"},
	{"AccountingCostCode", "BT-19", "buyer"},
	{"BillingReference/InvoiceDocumentReference/ID", "BT-25", "document"},
	{"BillingReference/CreditNoteDocumentReference/ID", "BT-25", "document"},
	{"PaymentMeans/PaymentID", "BT-83", "document"},
	{"PaymentMeans/PayeeFinancialAccount/ID", "BT-84", "payee"},
	{"PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID", "BT-86", "payee"},
	{"PaymentMeans/PaymentMandate/ID", "BT-89", "buyer"},
	{"PaymentMeans/PaymentMandate/PayerFinancialAccount/ID", "BT-91", "buyer"},
	/* ebInterface */
	{"InvoiceNumber", "BT-1", "document"},
	{"InvoiceRecipient/OrderReference/OrderID", "BT-13", "buyer"},
	{"PaymentMethod/UniversalBankTransaction/BeneficiaryAccount/IBAN", "BT-84", "payee"},
	{"PaymentMethod/UniversalBankTransaction/BeneficiaryAccount/BIC", "BT-86", "payee"},
	{"PaymentMethod/UniversalBankTransaction/PaymentReference", "BT-83", "document"},
	/* CII */
	{"doc/ID", "BT-1", "document"},
	{"agr/BuyerReference", "BT-10", "buyer"},
	{"agr/SpecifiedProcuringProject/ID", "BT-11", "buyer"},
	{"agr/ContractReferencedDocument/IssuerAssignedID", "BT-12", "buyer"},
	{"agr/ContractReferencedDocument/ID", "BT-12", "buyer"},
	{"agr/BuyerOrderReferencedDocument/IssuerAssignedID", "BT-13", "buyer"},
	{"agr/BuyerOrderReferencedDocument/ID", "BT-13", "buyer"},
	{"agr/SellerOrderReferencedDocument/IssuerAssignedID", "BT-14", "document"},
	{"agr/SellerOrderReferencedDocument/ID", "BT-14", "document"},
	{"agr/AdditionalReferencedDocument/IssuerAssignedID", "BT-18", "buyer", "130", "BT-122"},
	{"agr/AdditionalReferencedDocument/ID", "BT-18", "buyer", "130", "BT-122"},
	{"del/ReceivingAdviceReferencedDocument/IssuerAssignedID", "BT-15", "document"},
	{"del/DespatchAdviceReferencedDocument/IssuerAssignedID", "BT-16", "document"},
	{"del/DespatchAdviceReferencedDocument/ID", "BT-16", "document"},
	{"del/DeliveryNoteReferencedDocument/IssuerAssignedID", "BT-16", "document"},
	{"del/DeliveryNoteReferencedDocument/ID", "BT-16", "document"},
	{"set/ReceivableSpecifiedTradeAccountingAccount/ID", "BT-19", "buyer"},
	{"set/InvoiceReferencedDocument/IssuerAssignedID", "BT-25", "document"},
	{"set/InvoiceReferencedDocument/ID", "BT-25", "document"},
	{"set/PaymentReference", "BT-83", "document"},
	{"set/CreditorReferenceID", "BT-90", "seller"},
	{"set/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID",
		"BT-84", "payee"},
	{"set/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/ProprietaryID",
		"BT-84", "payee"},
	{"set/SpecifiedTradeSettlementPaymentMeans/PayeeSpecifiedCreditorFinancialInstitution/BICID",
		"BT-86", "payee"},
	{"set/SpecifiedTradeSettlementPaymentMeans/PayerPartyDebtorFinancialAccount/IBANID",
		"BT-91", "buyer"},
	{"set/SpecifiedTradePaymentTerms/DirectDebitMandateID", "BT-89", "buyer"},
	/* FatturaPA */
	{"FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/Numero", "BT-1", "document"},
	{"FatturaElettronicaHeader/DatiTrasmissione/CodiceDestinatario", "BT-10", "buyer"},
	{"FatturaElettronicaHeader/DatiTrasmissione/PECDestinatario", "BT-49", "buyer"},
	{"FatturaElettronicaBody/DatiGenerali/DatiContratto/IdDocumento", "BT-12", "buyer"},
	{"FatturaElettronicaBody/DatiGenerali/DatiOrdineAcquisto/IdDocumento", "BT-13", "buyer"},
	{"FatturaElettronicaBody/DatiGenerali/DatiFattureCollegate/IdDocumento", "BT-25",
		"document"},
	{"FatturaElettronicaBody/DatiPagamento/DettaglioPagamento/IBAN", "BT-84", "payee"},
	/* FA of KSeF */
	{"Fa/P_2", "BT-1", "document"},
	{"Fa/DaneFaKorygowanej/NrFaKorygowanej", "BT-25", "document"},
	{"Fa/WarunkiTransakcji/Umowy/NrUmowy", "BT-12", "buyer"},
	{"Fa/WarunkiTransakcji/Zamowienia/NrZamowienia", "BT-13", "buyer"},
	{"Fa/Platnosc/RachunekBankowy/NrRB", "BT-84", "payee"},
};

/* Steps of a path that have more than one name; "" is left out. */
static const struct {
	const char *element, *step;
} aliases[] = {
	{"Party", ""},
	{"SupplyChainTradeTransaction", ""},
	{"SpecifiedSupplyChainTradeTransaction", ""},
	{"ExchangedDocument", "doc"},
	{"HeaderExchangedDocument", "doc"},
	{"ApplicableHeaderTradeAgreement", "agr"},
	{"ApplicableSupplyChainTradeAgreement", "agr"},
	{"ApplicableHeaderTradeDelivery", "del"},
	{"ApplicableSupplyChainTradeDelivery", "del"},
	{"ApplicableHeaderTradeSettlement", "set"},
	{"ApplicableSupplyChainTradeSettlement", "set"},
};

static const char *const roots[] = {"Invoice", "CreditNote", "CrossIndustryInvoice",
	"CrossIndustryDocument", "FatturaElettronica", "Faktura", "StandardBusinessDocument", NULL};

bool ms_einvoice_is(const char *root)
{
	return g_strv_contains(roots, root);
}

/* ---- reading -------------------------------------------------------------------------- */

typedef struct {
	char *value, *scheme, *name;
	const FieldRow *field; /* or: */
	Role role;
} Pending;

typedef struct {
	const MsExtraction *to;
	const char *where;
	GString *path;     /* below the root */
	GArray *lengths;   /* of gsize: of `path` before each open element */
	guint depth;       /* open elements, the root's included */
	guint base;        /* depth at which the invoice itself begins; 0: not yet */
	GString *text;     /* of the element that is open */
	bool leaf;
	char *scheme, *name; /* schemeID and file name of the element that is open */
	char *scheme_name;   /* its schemeName, if that has letters: a label */
	MsNamedText *rest;

	const PartyRow *party;
	guint party_depth;
	gsize party_path;  /* length of `path` at the party's element */
	bool named;        /* the party has a name */
	char *trading;     /* its trading name: the name, where there is no other */
	GString *address[N_ROLES];
	char *country;     /* FatturaPA: the VAT ID's, which stands before it */
	char *qualifier;   /* type code or tax scheme of the group that is open */
	GArray *pending;   /* of Pending: to be named when the group closes */
	char *attachment;  /* file name that stands in an element of its own */
	char *assigned;    /* CII: the number before the code that says what it is */
	const char *coded; /* EDIFACT in XML: what the code before says that a number is */
} Invoice;

static bool has_letters(const char *text)
{
	guint n = 0;
	for (; *text != '\0'; text++)
		n += g_ascii_isalpha(*text);
	return n >= 3;
}

/* The label of the element that is open: its scheme's name, or its innermost names.  What a party
 * beside the buyer is called is none of the buyer's numbers. */
static const char *name_of(const Invoice *in)
{
	if (in->party != NULL && in->party->terms != BUYER)
		return NULL;
	if (in->scheme_name != NULL)
		return in->scheme_name;
	const char *p = in->path->str + in->path->len;
	for (guint slashes = 0; p > in->path->str; p--) {
		slashes += p[-1] == '/';
		if (slashes > 1)
			break;
	}
	return p;
}

/* A field of the invoice; `name`: of its element, which labels it too. */
static void emit(Invoice *in, const char *term, const char *party, const char *scheme,
	const char *name, const char *value)
{
	g_autofree char *place = g_strdup_printf("%s %s", in->where, term);
	MsNamed named = {0, strlen(value), name, 0, 0};
	MsSpan span = {.type = MS_SPAN_FIELD, .where = place, .text = value, .len = named.until,
		.term = term, .party = party, .scheme = scheme, .names = &named,
		.n_names = name != NULL && *name != '\0' ? 1 : 0};
	ms_extract_hand_over(in->to, &span);
	if (in->to->buyer != NULL && strcmp(party, "buyer") == 0 && in->to->buyer->len < 200)
		g_ptr_array_add(in->to->buyer, g_strdup(value));
}

/* What is no field.  `scheme` may be what in other formats is a label. */
static void rest_value(Invoice *in, const char *scheme, const char *value)
{
	gsize len = strlen(value);
	ms_named_value(in->rest, NULL, value, len);
	if (scheme != NULL && has_letters(scheme))
		ms_named_value(in->rest, scheme, value, len);
}

static void emit_role(
	Invoice *in, Role role, const char *scheme, const char *name, const char *value)
{
	guint number = party_terms[in->party->terms][role];
	/* The creditor identifier of SEPA stands among the seller's identifiers. */
	if (role == ID && scheme != NULL && strcmp(scheme, "SEPA") == 0)
		number = 90;
	if (number == 0) {
		rest_value(in, scheme, value);
		return;
	}
	g_autofree char *term = g_strdup_printf("BT-%u", number);
	emit(in, term, in->party->party, scheme, name, value);
}

static void emit_field(Invoice *in, const FieldRow *row, const char *scheme, const char *name,
	const char *value, const char *qualifier)
{
	bool other = row->if_qualifier != NULL && g_strcmp0(row->if_qualifier, qualifier) != 0;
	emit(in, other ? row->otherwise : row->term, row->party, scheme, name, value);
}

typedef struct {
	Role role;
	const char *before;
} AddressPart;

static void emit_lines(Invoice *in, const char *term, const AddressPart *parts, gsize n)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	for (gsize i = 0; i < n; i++) {
		const GString *part = in->address[parts[i].role];
		if (part != NULL)
			g_string_append_printf(lines, "%s%s", lines->len > 0 ? parts[i].before : "",
				part->str);
	}
	if (lines->len > 0)
		ms_extract_field(
			in->to, in->where, term, in->party->party, lines->str, lines->len);
}

static void forget_part(Invoice *in, Role role)
{
	if (in->address[role] != NULL)
		g_string_free(in->address[role], TRUE);
	in->address[role] = NULL;
}

/* The address as one value, as it would stand on an envelope: whole, and without the lines that
 * a directory is likely not to have. */
static void emit_address(Invoice *in)
{
	static const AddressPart whole[] = {{STREET, ""}, {BUILDING, " "}, {LINE2, "\n"},
		{LINE3, "\n"}, {POSTCODE, "\n"}, {CITY, " "}, {SUBDIVISION, "\n"}, {COUNTRY, "\n"}};
	static const AddressPart core[] = {{STREET, ""}, {BUILDING, " "}, {POSTCODE, "\n"},
		{CITY, " "}, {COUNTRY, "\n"}};
	static const AddressPart street[] = {{STREET, ""}, {POSTCODE, "\n"}, {CITY, " "},
		{COUNTRY, "\n"}};
	guint group = party_terms[in->party->terms][N_ROLES];
	GString **a = in->address;
	/* Some write the number into the street's field as well, and the city into the region's. */
	if (a[STREET] != NULL && a[BUILDING] != NULL &&
		g_str_has_suffix(a[STREET]->str, a[BUILDING]->str))
		forget_part(in, BUILDING);
	if (a[CITY] != NULL && a[SUBDIVISION] != NULL &&
		strcmp(a[CITY]->str, a[SUBDIVISION]->str) == 0)
		forget_part(in, SUBDIVISION);
	g_autofree char *term = g_strdup_printf("BG-%u", group);
	if (group != 0)
		emit_lines(in, term, whole, G_N_ELEMENTS(whole));
	if (group != 0 && (a[LINE2] != NULL || a[LINE3] != NULL || a[SUBDIVISION] != NULL))
		emit_lines(in, term, core, G_N_ELEMENTS(core));
	if (group != 0 && a[BUILDING] != NULL)
		emit_lines(in, term, street, G_N_ELEMENTS(street));
	for (Role role = STREET; role < N_ROLES; role++)
		forget_part(in, role);
}

static const RoleRow *find_role(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(role_rows); i++)
		if (strcmp(role_rows[i].path, path) == 0)
			return &role_rows[i];
	return NULL;
}

static const FieldRow *find_field(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(field_rows); i++)
		if (strcmp(field_rows[i].path, path) == 0)
			return &field_rows[i];
	return NULL;
}

static void defer(Invoice *in, const FieldRow *field, Role role, const char *value)
{
	Pending pending = {
		g_strdup(value), g_strdup(in->scheme), g_strdup(name_of(in)), field, role};
	g_array_append_val(in->pending, pending);
}

static void take_role(Invoice *in, Role role, const char *path, const char *value)
{
	bool cii_tax = g_str_has_prefix(path, "SpecifiedTaxRegistration/");
	if (role == TAX && cii_tax)
		role = g_strcmp0(in->scheme, "VA") == 0 ? VAT : TAX;
	else if (role == TAX && strcmp(path, "VATIdentificationNumber") == 0)
		role = VAT;
	else if (role == TAX) {
		defer(in, NULL, TAX, value); /* the tax scheme comes after the number */
		return;
	}
	in->named |= role == NAME;
	if (role == TRADING && in->trading == NULL)
		in->trading = g_strdup(value);
	if (role >= STREET) {
		if (in->address[role] == NULL)
			in->address[role] = g_string_new(value);
		else if (role == LINE3)
			g_string_append_printf(in->address[role], "\n%s", value);
	}
	g_autofree char *with_country = role == VAT && strstr(path, "IdFiscaleIVA") != NULL
		? g_strconcat(in->country != NULL ? in->country : "", value, NULL) : NULL;
	/* Without a scheme the place has its number from the seller, like the buyer. */
	const char *name = role == ID && in->party->terms == DELIVERY && in->scheme == NULL
		? "ship-to ID"
		: name_of(in);
	emit_role(in, role, in->scheme, name, with_country != NULL ? with_country : value);
}

/* What stands beside a field and says what kind of it that is. */
static bool take_qualifier(Invoice *in, const char *path, const char *value)
{
	if (g_str_has_suffix(path, "PartyTaxScheme/TaxScheme/ID") ||
		g_str_has_suffix(path, "/DocumentTypeCode") ||
		g_str_has_suffix(path, "ReferencedDocument/TypeCode")) {
		g_free(in->qualifier);
		in->qualifier = g_ascii_strup(value, -1);
		return true;
	}
	if (g_str_has_suffix(path, "/IdPaese")) {
		g_free(in->country);
		in->country = g_strdup(value);
		return true;
	}
	const char *label = g_str_has_suffix(path, "ReferencedDocument/ReferenceTypeCode")
		? ms_edi_label("RFF", value)
		: NULL;
	if (label != NULL && in->assigned != NULL)
		ms_named_value(in->rest, label, in->assigned, strlen(in->assigned));
	if (g_str_has_suffix(path, "ReferencedDocument/IssuerAssignedID")) {
		g_free(in->assigned);
		in->assigned = g_strdup(value);
	}
	/* Segments of EDIFACT (ISO/TS 20625), of which eSLOG 2.0 is made */
	bool reference = g_str_has_suffix(path, "C_C506/D_1153");
	if (reference || g_str_has_suffix(path, "S_NAD/D_3035")) {
		in->coded = ms_edi_label(reference ? "RFF" : "NAD", value);
		return true;
	}
	if (g_str_has_suffix(path, "/NomeAttachment")) {
		g_free(in->attachment);
		in->attachment = g_strdup(value);
		return true;
	}
	return false;
}

/* ZATCA, "Security features implementation standards" 4: the square code of a Saudi invoice is a
 * row of tag, length, value, of which the first six are text and the others signatures. */
static bool take_square_code(Invoice *in, const GByteArray *bytes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint tag = 0;
	gsize at = 0;
	while (at + 2 <= bytes->len && bytes->data[at] == tag + 1 &&
		at + 2 + bytes->data[at + 1] <= bytes->len) {
		const char *value = (const char *)bytes->data + at + 2;
		gsize len = bytes->data[at + 1];
		tag++;
		if (g_utf8_validate_len(value, len, NULL))
			g_string_append_printf(text, "%.*s\n", (int)len, value);
		else if (tag <= 6)
			return false;
		at += 2 + len;
	}
	if (at != bytes->len || tag < 5 || tag > 9)
		return false;
	ms_named_append(in->rest, text->str, text->len);
	return true;
}

#define HASH_BYTES 32

/* The hash of the invoice before (SHA-256), as Saudi invoices have it: no letters, narrow or
 * wide. */
static bool is_hash(const GByteArray *bytes)
{
	guint zeros = 0, printable = 0;
	for (guint i = 0; i < bytes->len; i++) {
		zeros += bytes->data[i] == 0;
		printable += g_ascii_isprint((char)bytes->data[i]);
	}
	return bytes->len == HASH_BYTES && zeros < 4 && printable < HASH_BYTES * 3 / 4;
}

/* A file within the invoice, in base64 or, between CDATA marks, as it is. */
static bool take_file(Invoice *in, const char *path, const char *value, gsize len)
{
	bool xml = len > 40 && g_str_has_prefix(value, "<?xml");
	bool binary = g_str_has_suffix(path, "BinaryObject") ||
		g_str_has_suffix(path, "/Allegati/Attachment");
	if (!xml && !binary)
		return false;
	const char *name = in->name != NULL ? in->name : in->attachment != NULL ? in->attachment
										  : "attachment";
	g_autoptr(GByteArray) bytes = binary ? ms_base64_text(value, len) : NULL;
	if (bytes != NULL && (take_square_code(in, bytes) || is_hash(bytes)))
		return true;
	if (bytes != NULL)
		ms_extract_within(in->to, in->where, name, NULL, bytes->data, bytes->len);
	else
		ms_extract_within(in->to, in->where, name, NULL, (const guint8 *)value, len);
	return true;
}

static void take_leaf(Invoice *in)
{
	g_autofree char *value = g_strndup(in->text->str, in->text->len);
	g_strstrip(value);
	const char *path = in->path->str;
	if (*value == '\0' || take_file(in, path, value, strlen(value)))
		return;
	if (in->base == 0 || take_qualifier(in, path, value)) {
		rest_value(in, NULL, value);
		return;
	}
	const RoleRow *role = NULL;
	if (in->party != NULL && in->path->len > in->party_path)
		role = find_role(path + in->party_path + 1);
	/* The buyer's own number for itself, but the seller's at the buyer. */
	if (role != NULL && strcmp(role->path, "CustomerAssignedAccountID") == 0 &&
		in->party->terms != SELLER)
		role = NULL;
	const FieldRow *field = role == NULL ? find_field(path) : NULL;
	if (role != NULL)
		take_role(in, role->role, role->path, value);
	else if (field != NULL && field->if_qualifier != NULL) {
		defer(in, field, NAME, value);
		rest_value(in, in->scheme_name, value); /* what stands beside it names it, too */
	}
	else if (field != NULL)
		emit_field(in, field, in->scheme, name_of(in), value, NULL);
	else if (g_str_has_suffix(path, "C_C506/D_1154") || g_str_has_suffix(path, "C_C082/D_3039"))
		rest_value(in, in->coded, value);
	else
		rest_value(in, in->scheme_name != NULL ? in->scheme_name : in->scheme, value);
}

/* The group of a deferred field closes: now it is known what it is. */
static void close_group(Invoice *in)
{
	for (guint i = 0; i < in->pending->len; i++) {
		Pending *p = &g_array_index(in->pending, Pending, i);
		if (p->field != NULL)
			emit_field(in, p->field, p->scheme, p->name, p->value, in->qualifier);
		else if (in->party != NULL)
			emit_role(in, g_strcmp0(in->qualifier, "VAT") == 0 ? VAT : TAX, p->scheme,
				p->name, p->value);
		g_free(p->value);
		g_free(p->scheme);
		g_free(p->name);
	}
	g_array_set_size(in->pending, 0);
	g_clear_pointer(&in->qualifier, g_free);
	g_clear_pointer(&in->assigned, g_free);
}

static void push_step(Invoice *in, const char *name)
{
	gsize before = in->path->len;
	g_array_append_val(in->lengths, before);
	for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i].element, name) == 0)
			name = aliases[i].step;
	if (*name != '\0' && in->path->len < 4096)
		g_string_append_printf(in->path, "%s%s", in->path->len > 0 ? "/" : "", name);
}

static const PartyRow *find_party(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(party_rows); i++)
		if (strcmp(party_rows[i].element, name) == 0)
			return &party_rows[i];
	return NULL;
}

/* Text beside elements. */
static void take_beside(Invoice *in)
{
	g_strchug(in->text->str);
	in->text->len = strlen(in->text->str);
	if (in->text->len > 0)
		ms_named_value(in->rest, NULL, in->text->str, in->text->len);
	g_string_truncate(in->text, 0);
}

static void on_start(void *user, const char *name, const char *const *attributes)
{
	Invoice *in = user;
	take_beside(in);
	in->leaf = true;
	in->depth++;
	bool wrapper = strcmp(name, "StandardBusinessDocument") == 0;
	if (in->base == 0 && !wrapper && g_strv_contains(roots, name)) {
		in->base = in->depth;
		g_string_truncate(in->path, 0);
		gsize zero = 0;
		g_array_append_val(in->lengths, zero);
	} else {
		push_step(in, name);
	}
	const PartyRow *party = in->party == NULL ? find_party(name) : NULL;
	if (party != NULL && in->base > 0) {
		in->party = party;
		in->party_depth = in->depth;
		in->party_path = in->path->len;
		in->named = false;
	}
	g_free(in->scheme);
	g_free(in->name);
	g_free(in->scheme_name);
	in->scheme = g_strdup(ms_xml_attribute(attributes, "schemeID"));
	const char *scheme_name = ms_xml_attribute(attributes, "schemeName");
	if ((scheme_name == NULL || !has_letters(scheme_name)) && in->scheme != NULL)
		scheme_name = ms_edi_label("RFF", in->scheme);
	in->scheme_name = scheme_name != NULL && has_letters(scheme_name) ? g_strdup(scheme_name)
									  : NULL;
	in->name = g_strdup(ms_xml_attribute(attributes, "filename"));
	ms_named_open(in->rest, name);
	for (; *attributes != NULL; attributes += 2)
		if (!g_str_has_prefix(attributes[0], "xmlns"))
			ms_named_value(
				in->rest, attributes[0], attributes[1], strlen(attributes[1]));
}

static void on_end(void *user, const char *name)
{
	Invoice *in = user;
	if (in->leaf) {
		take_leaf(in);
		g_string_truncate(in->text, 0);
	}
	take_beside(in);
	in->leaf = false;
	ms_named_close(in->rest);
	if (strcmp(name, "PartyTaxScheme") == 0 || g_str_has_suffix(name, "DocumentReference")
		|| g_str_has_suffix(name, "ReferencedDocument"))
		close_group(in);
	if (in->party != NULL && (g_str_has_suffix(name, "Address") || strcmp(name, "Sede") == 0 ||
					 strcmp(name, "Adres") == 0))
		emit_address(in);
	if (in->party != NULL && in->depth == in->party_depth) {
		if (!in->named && in->trading != NULL)
			emit_role(in, NAME, NULL, NULL, in->trading);
		g_clear_pointer(&in->trading, g_free);
		in->party = NULL;
	}
	in->depth--;
	g_string_truncate(in->path, g_array_index(in->lengths, gsize, in->lengths->len - 1));
	g_array_set_size(in->lengths, in->lengths->len - 1);
}

static void on_comment(void *user, const char *text, gsize len)
{
	Invoice *in = user;
	ms_named_open(in->rest, NULL);
	ms_named_append(in->rest, text, len);
	ms_named_append(in->rest, "\n", 1);
	ms_named_close(in->rest);
}

static void on_text(void *user, const char *text, gsize len)
{
	g_string_append_len(((Invoice *)user)->text, text, (gssize)len);
}

const char *ms_einvoice_read(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	static const MsXmlHandler handler = {on_start, on_end, on_text, on_comment};
	Invoice in = {.to = to, .where = where, .path = g_string_new(NULL),
		.lengths = g_array_new(FALSE, FALSE, sizeof(gsize)), .text = g_string_new(NULL),
		.rest = ms_named_new(), .pending = g_array_new(FALSE, TRUE, sizeof(Pending))};
	const char *why = ms_xml_parse(data, len, to->budget, &handler, &in);
	close_group(&in);
	ms_extract_named(to, where, in.rest);
	for (guint i = 0; i < N_ROLES; i++)
		if (in.address[i] != NULL)
			g_string_free(in.address[i], TRUE);
	g_string_free(in.path, TRUE);
	g_array_free(in.lengths, TRUE);
	g_string_free(in.text, TRUE);
	ms_named_free(in.rest);
	g_array_free(in.pending, TRUE);
	g_free(in.scheme);
	g_free(in.scheme_name);
	g_free(in.name);
	g_free(in.country);
	g_free(in.qualifier);
	g_free(in.attachment);
	g_free(in.trading);
	return why;
}

/* ---- two faces ------------------------------------------------------------------------ */

/* Letters and digits of the folded text, nothing else. */
static GString *compact(const char *text, gsize len)
{
	g_autoptr(MsFold) fold = ms_fold_new(text, len);
	GString *out = g_string_sized_new(fold->len);
	for (gsize i = 0; i < fold->len; i++)
		if (g_ascii_isalnum(fold->text[i]) || (guchar)fold->text[i] >= 0x80)
			g_string_append_c(out, g_ascii_tolower(fold->text[i]));
	return out;
}

#define MIN_PAGE 80 /* characters: a page with less says nothing about anybody */
#define MIN_VALUE 4

void ms_compare_buyer(const MsExtraction *to, const char *where, const GPtrArray *buyer,
	const GString *text)
{
	g_autoptr(GString) page = compact(text->str, text->len);
	guint asked = 0;
	if (page->len < MIN_PAGE)
		return;
	for (guint i = 0; i < buyer->len; i++) {
		const char *value = buyer->pdata[i];
		g_auto(GStrv) words = g_strsplit_set(value, " ,", -1);
		for (char **word = words; *word != NULL; word++) {
			g_autoptr(GString) key = compact(*word, strlen(*word));
			if (key->len < MIN_VALUE)
				continue;
			asked++;
			if (memmem(page->str, page->len, key->str, key->len) != NULL)
				return; /* something of the buyer is on the pages */
		}
	}
	if (asked >= 3)
		ms_reading_contradict(to->reading, where, "its e-invoice", "",
			"nothing that the e-invoice says of its buyer is on the pages");
}
