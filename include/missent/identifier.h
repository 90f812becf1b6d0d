/*
 * identifier.h - a kind and a canonical value: what belongs to an account.
 *
 * WHAT    The pair that the directory knows, and its masked form for every place that is not
 *         a reviewer's eye.
 * OWNS    MsIdentifier owns its strings, and a reference to what else is meant.
 * ERRORS  None.
 * THREADS Plain data.
 * LIMITS  A canonical value has at most MS_IDENTIFIER_MAX bytes.
 * NOT     How a kind is recognised: kind.h.
 */
#ifndef MISSENT_IDENTIFIER_H
#define MISSENT_IDENTIFIER_H

#include <glib.h>

#define MS_IDENTIFIER_MAX 512

typedef struct {
	char *kind;
	char *value;
	GPtrArray *either; /* of MsIdentifier: what else is meant, perhaps (finding.h); or NULL */
} MsIdentifier;

MsIdentifier *ms_identifier_new(const char *kind, const char *value);
void ms_identifier_free(MsIdentifier *identifier);
GPtrArray *ms_identifiers_new(void); /* of MsIdentifier, which it owns */
/* Every use of the unmasked value outside recognition and lookup goes through here. */
const char *ms_identifier_raw(const MsIdentifier *identifier);
/* "FR******42", "j***@c***.example": enough to tell two apart, not enough to use. */
char *ms_identifier_masked(const char *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsIdentifier, ms_identifier_free)

#endif
