/*
 * Is a mapping likely to be what was meant?  Each thing that is odd is told with its line, and
 * never with its value, since what is told may be logged.
 */
#ifndef MISSENT_DIRECTORY_LINT_H
#define MISSENT_DIRECTORY_LINT_H

#include "missent/directory.h"

#include "slice.h"

typedef struct MsLint MsLint;

/* `line` 0: of none. */
typedef void (*MsLintTold)(guint64 line, const char *text, void *user);

MsLint *ms_lint_new(MsKinds *kinds, const char *house, guint many, MsLintTold told, void *user);
void ms_lint_free(MsLint *lint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsLint, ms_lint_free)

/* A row of a file. */
void ms_lint_row(MsLint *lint, guint64 line, const char *kind, const char *value);
/* What it says of accounts: calls `add` with what is to be put aside under an account's digest,
 * until ms_lint_account().  False: `add` was. */
typedef bool (*MsLintAdd)(
	const char *account, const guint8 *said, gsize len, void *user, GError **error);
bool ms_lint_accounts_of(MsLint *lint, const char *account, const char *kind, const char *value,
	MsLintAdd add, void *user, GError **error);

/* What differs where a value is written otherwise than another that is the same to missent; 0: it
 * is of no such kind. */
guint16 ms_lint_written(const MsKind *kind, const char *value);
/* All entries, those of equal digests beside each other. */
void ms_lint_entry(MsLint *lint, const guint8 digest[MS_ENTRY_DIGEST], const MsSaid *said,
	const MsRecord *record);
/* All that was put aside, in the order of digests. */
void ms_lint_account(MsLint *lint, const guint8 *said, gsize len, guint64 line);
/* There is no more. */
void ms_lint_end(MsLint *lint);
/* How many things were odd. */
guint64 ms_lint_count(const MsLint *lint);

#define MS_LINT_PROVIDER \
	"a domain at which anybody can have a mailbox: everybody there would receive for the account"

#endif
