/* How kinds, values and accounts are written down: missent-directory(7). */
#ifndef MISSENT_DIRECTORY_KEYS_H
#define MISSENT_DIRECTORY_KEYS_H

#include "missent/digest.h"
#include "missent/directory.h"

typedef struct {
	MsKey *key;
	bool digests;
} MsKeys;

/* What other forms are digested as. */
#define MS_OTHER_FORM "other"

/* `letter` is 'i', 'r', 'd', 'a' or 'c'. */
char *ms_keys_make(const MsKeys *keys, char letter, const char *kind, const char *value);
char *ms_keys_token(const MsKeys *keys, const char *account);
/* NULL: not ours. */
char *ms_keys_account(const MsKeys *keys, const char *token);
/* NULL if `account` may be the name of one, or (static) why not. */
const char *ms_account_problem(const char *account);

#endif
