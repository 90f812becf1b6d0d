/* How kinds, values and accounts are written down: missent-directory(7). */
#ifndef MISSENT_DIRECTORY_KEYS_H
#define MISSENT_DIRECTORY_KEYS_H

#include "missent/digest.h"
#include "missent/directory.h"

typedef struct {
	/* NULL with `digests` off: then those of parts are zero, and parts are checked only */
	MsKey *key;
	bool digests;
	MsMappingKeys parts;
} MsKeys;

/* What other forms are digested as. */
#define MS_OTHER_FORM "other"

#define MS_PLACE_BYTES 4  /* of a digest: where the entry is; the same for all names of one value */
#define MS_ENTRY_KEY 8    /* the rest: which it is there */
#define MS_ENTRY_DIGEST (MS_PLACE_BYTES + MS_ENTRY_KEY)

/* The name of an entry; `letter` is 'i', 'r' or 'a'. */
char *ms_keys_make(char letter, const char *kind, const char *value);
/* The names of the entries of who receives for an account, and of that something is said of it. */
char *ms_keys_of_account(const char *account);
char *ms_keys_known_account(const char *account);
/* The names of the entries that an account has names of people (`word` NULL), and that a word is in
 * one of them. */
char *ms_keys_named_account(const char *account, const char *word);
bool ms_keys_are_account(const char *name); /* is it one of these? */
/* What is stored of a name. */
void ms_keys_digest(const MsKeys *keys, const char *name, guint8 out[MS_ENTRY_DIGEST]);
/* A cell of a table, or the name of an account, without what nobody sees of it: blanks around it,
 * and signs without width.  The caller's. */
char *ms_keys_bare(const char *text);
/* NULL if `account` may be the name of one, or (static) why not. */
const char *ms_account_problem(const char *account);

#endif
