/*
 * kind.h - kinds of identifiers: how each is recognised, checked and spelled.
 *
 * WHAT    Reads kinds.conf; answers "what is the canonical value of this text, if it is one?"
 *         for the import, and gives patterns and labels to detect.
 * OWNS    MsKinds owns its kinds; reference counted, immutable.
 * ERRORS  Mistakes in kinds.conf are MS_ERROR_CONFIG with file, line and key.
 * THREADS Immutable after parse.
 * LIMITS  64 kinds; canonical values of MS_IDENTIFIER_MAX bytes.
 * NOT     Does not search text (detect.h) and knows no customer.
 *
 * Sources: IBAN ISO 13616-1 (mod 97, ISO 7064); VAT ID formats: Council Directive
 * 2006/112/EC art. 215 and the VIES structure table; UUID RFC 4122; Luhn ISO/IEC 7812-1.
 */
#ifndef MISSENT_KIND_H
#define MISSENT_KIND_H

#include <glib.h>
#include <stdbool.h>

#include "missent/regex.h"

typedef enum { MS_CHECK_NONE, MS_CHECK_UUID, MS_CHECK_IBAN, MS_CHECK_VAT, MS_CHECK_LUHN } MsCheck;

typedef enum {
	MS_FORM_ALNUM,   /* letters and digits, upper case */
	MS_FORM_DIGITS,  /* digits only */
	MS_FORM_EMAIL,   /* local part lower case, domain as A-labels */
	MS_FORM_ADDRESS, /* words of a postal address, sorted, without accents */
} MsForm;

typedef struct {
	char *name;
	MsCheck check;
	MsForm form;
	GPtrArray *patterns; /* of MsRegex */
	MsRegex *labels;     /* any of the labels, or NULL */
	GPtrArray *fields;   /* of char *: EN 16931 terms that hold one ("BT-48") */
	bool label_required;
	bool names_buyer;    /* two different ones in one message contradict each other */
	bool block;          /* the value is the lines after the label */
	gsize distance;      /* bytes from label to value */
	gsize min_length, max_length; /* of the canonical value, bytes */
} MsKind;

typedef struct MsKinds MsKinds;

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

/* The canonical value of `text` (valid UTF-8), or NULL and in `why_out` (static) the reason. */
char *ms_kind_canonical(const MsKind *kind, const char *text, gsize len, const char **why_out);

/* user@domain with the local part in lower case and the domain as A-labels; NULL if it is not
 * an address.  "@domain" and "*@domain" give "@domain".  RFC 5321, RFC 6531, RFC 5890. */
char *ms_address_canonical(const char *text, gsize len);
/* The address without "+tag" for the separators given ("+", "-"), or NULL if it has none. */
char *ms_address_untagged(const char *canonical, const char *separators);

#endif
