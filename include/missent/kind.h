/*
 * kind.h - kinds of identifiers: how each is recognised, checked and spelled.
 *
 * WHAT    Reads kinds.conf; answers "what is the canonical value of this text, if it is one?"
 *         for the import, and gives patterns and labels to detect.
 * OWNS    MsKinds owns its kinds; reference counted, immutable.
 * ERRORS  Mistakes in kinds.conf are MS_ERROR_CONFIG with file, line and key.
 * THREADS Immutable after parse.
 * LIMITS  1,000 kinds; canonical values of MS_IDENTIFIER_MAX bytes.
 * NOT     Does not search text (detect.h) and knows no customer.
 *
 * Sources: IBAN ISO 13616-1 (mod 97, ISO 7064); VAT ID formats: Council Directive
 * 2006/112/EC art. 215 and the VIES structure table; UUID RFC 4122; Luhn ISO/IEC 7812-1; BIC
 * ISO 9362; LEI ISO 17442; GLN: GS1 General Specifications; SIREN, SIRET: INSEE; Leitweg-ID:
 * KoSIT; schemes of participants: ISO/IEC 6523 and the Peppol code list; telephone: E.164.
 */
#ifndef MISSENT_KIND_H
#define MISSENT_KIND_H

#include <glib.h>
#include <stdbool.h>

#include "missent/regex.h"

typedef enum {
	MS_CHECK_NONE, MS_CHECK_UUID, MS_CHECK_IBAN, MS_CHECK_VAT, MS_CHECK_LUHN, MS_CHECK_CARD,
	MS_CHECK_SIRET, MS_CHECK_LEITWEG, MS_CHECK_GLN, MS_CHECK_DUNS, MS_CHECK_BIC, MS_CHECK_LEI,
	MS_CHECK_CREDITOR, MS_CHECK_RF, MS_CHECK_PHONE, MS_CHECK_TAX
} MsCheck;

typedef enum {
	MS_FORM_ALNUM,   /* letters and digits, upper case */
	MS_FORM_DIGITS,  /* digits only */
	MS_FORM_EMAIL,   /* local part lower case, domain as A-labels */
	MS_FORM_PHONE,   /* digits with the country code, without a plus */
	MS_FORM_ADDRESS, /* postal.h: postcode/house number/street; or all words, sorted */
} MsForm;

/* Kinds whose values contain each other: a French VAT ID has the SIREN in it. */
typedef enum {
	MS_FAMILY_NONE, MS_FAMILY_VAT, MS_FAMILY_REGISTRATION, MS_FAMILY_PARTICIPANT, MS_FAMILY_GLN,
	MS_FAMILY_DUNS
} MsFamily;

typedef struct {
	char *name;
	guint8 tag;          /* of its name */
	int line;            /* of its file */
	MsCheck check;
	MsForm form;
	MsFamily family;
	GPtrArray *patterns; /* of MsRegex, for what stands after a label */
	GPtrArray *shapes;   /* the same, anchored; empty if a label is required */
	MsRegex *labels;     /* any of the labels, anchored, or NULL */
	char **label_texts;  /* they themselves, folded, in all spellings */
	char **turned;       /* of these, what folding has turned into words of Latin: "акт" */
	GPtrArray *fields;   /* of char *: EN 16931 terms that hold one ("BT-48") */
	bool label_required;
	bool names_buyer;    /* two different ones in one message contradict each other */
	bool block;          /* the value is the lines after the label */
	bool known;          /* the directory's are found by themselves (filter.h) */
	bool hidden;         /* evidence never shows it whole */
	char *country_code;  /* of telephone numbers that are written without one, or NULL */
	gsize distance;      /* bytes from label to value */
	gsize min_length, max_length; /* of the canonical value, bytes */
	/* Shortest known value that counts by itself: as one word, and taken together of several;
	 * and the same of digits alone. */
	gsize bare_length, bare_digits, joined_length, joined_digits;
} MsKind;

typedef struct MsKinds MsKinds;

/* What a filter (filter.h) has of a kind: a byte that several share by chance. */
guint8 ms_kind_tag(const char *name);

/* As a file of kinds has them. */
const struct MsRow *ms_kinds_rows(void);

MsKinds *ms_kinds_parse(const char *file, const char *text, GError **error);
MsKinds *ms_kinds_ref(MsKinds *kinds);
void ms_kinds_unref(MsKinds *kinds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsKinds, ms_kinds_unref)

guint ms_kinds_count(const MsKinds *kinds);
const MsKind *ms_kinds_nth(const MsKinds *kinds, guint n);
const MsKind *ms_kinds_find(const MsKinds *kinds, const char *name);
/* NULL-terminated, for "did you mean". */
const char *const *ms_kinds_names(const MsKinds *kinds);
/* The text it was parsed from: a reader is given the same. */
const char *ms_kinds_text(const MsKinds *kinds);

/* All shapes and labels of all kinds, and the table of where they may begin.  Made when it is
 * first asked for, and with it all else that takes long and is made when first asked for: who
 * forks asks before. */
typedef struct {
	GPtrArray *patterns; /* of MsRegex, anchored */
	GArray *owners;      /* of MsPatternOwner, one a pattern */
	struct MsDispatch *dispatch;
} MsPatterns;
typedef struct {
	guint kind;
	bool label;
	gsize digit; /* within so many characters each match has a digit (regex.h) */
} MsPatternOwner;
const MsPatterns *ms_kinds_patterns(const MsKinds *kinds);

/* The kinds that a name of an element, key or column (span.h) labels, in their order. */
typedef struct {
	guint n;
	guint *kinds;
} MsNameKinds;
/* NULL if it labels none. */
const MsNameKinds *ms_kinds_named(const MsKinds *kinds, const char *name);
/* Does it say that it is a number, and not of what: "id", "No.", "party/party_id"? */
bool ms_name_is_number(const char *name);
/* Has it a word for "number", or what looks like one: "customer_no", "Kundennummer"? */
bool ms_name_asks(const char *name);
/* Calls with each word for "number", or "code", as folded text has it in small letters. */
void ms_name_each_number(void (*call)(const char *word));
/* Is it one for "number", not "code" or "ID"? */
bool ms_name_is_plain_number(const char *word);
/* Is it a word that says nothing in a name: "of", "de"? */
bool ms_name_is_particle(const char *word, gsize len);

/* The canonical value of `text` (valid UTF-8), or NULL and in `why_out` (static) the reason. */
char *ms_kind_canonical(const MsKind *kind, const char *text, gsize len, const char **why_out);

/* Do the check digits of a canonical value agree?  False where its kind has none. */
bool ms_kind_checked(const MsKind *kind, const char *canonical);
/* Has a value this form as a whole, as it would be after a label?  True of a kind without one. */
bool ms_kind_has_form(const MsKind *kind, const char *value);
/* Letters and digits that neither check digits nor a family set apart: one may be of another kind
 * as well. */
bool ms_kind_is_plain(const MsKind *kind);
/* Have these digits Luhn's sum (ISO/IEC 7812-1 annex B)?  They are digits all. */
bool ms_kind_luhn(const char *digits, gsize len);
/* The rest by 97 of the number that these digits and capital letters (A is 10) make behind one
 * whose rest is `rest`, 0 where there is none (ISO/IEC 7064, MOD 97-10); -1: they are not all
 * such, or `rest` was -1. */
int ms_kind_mod_97(int rest, const char *text, gsize len);

/* What a directory's entries of a kind depend on, in words: where they differ ("digits" for
 * "alnum"), what was stored under the one is not found under the other. */
char *ms_kind_kept_as(const MsKind *kind);

/* Another form under which the directory keeps what one value stands for. */
typedef struct {
	char *key;     /* "company/FR123456824" */
	char *compact; /* how it may stand in a text, or NULL */
	bool part;     /* asked for: who is known by it owns a part of what was found, not all */
} MsOtherForm;
/* Of MsOtherForm.  Stored are all; asked for are those that cannot mean anything else.  `text`
 * is what the value was made from. */
GPtrArray *ms_kind_stored_forms(
	const MsKind *kind, const char *canonical, const char *text, gsize len);
GPtrArray *ms_kind_asked_forms(const MsKind *kind, const char *value);

/* Has the folded label a word for several ("Kundennummern", "numeri cliente")? */
bool ms_kind_label_of_many(const char *label, gsize len);

/* What goes before a company's number because of the label before it ("KvK") or its scheme of
 * ISO/IEC 6523 ("0106"), so that it is compared with numbers of that register alone; or NULL. */
const char *ms_kind_register_of_label(const char *label, gsize len);
const char *ms_kind_register_of_scheme(const char *scheme);

/* user@domain with the local part in lower case and the domain as A-labels; NULL if it is not
 * an address.  "@domain" and "*@domain" give "@domain".  RFC 5321, RFC 6531, RFC 5890. */
char *ms_address_canonical(const char *text, gsize len);
/* What a decoded header field says, "Name <a@b>" or "a@b", without what stands around the
 * address; "" for NULL. */
char *ms_address_bare(const char *value);
/* The mailboxes that an MTA may make of an envelope's address (of char *, canonical): what it
 * says, and what a route or a %, ! or @ in its local part leads to.  "" stands for one that
 * cannot be told. */
GPtrArray *ms_address_readings(const char *text);
/* Does it say more than a mailbox: a way to one? */
bool ms_address_is_routed(const char *text);
/* Does it stand within something that an MTA may take off: a source route, angle brackets of its
 * own?  Then the MTA need not know it by this text any more. */
bool ms_address_is_wrapped(const char *text);
/* The address without "+tag" for the separators given ("+", "-"), or NULL if it has none. */
char *ms_address_untagged(const char *canonical, const char *separators);

#endif
