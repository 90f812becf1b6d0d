#include "config.h"

#include <string.h>

#include "keys.h"

/*
 * Names of entries come out of kinds, values and accounts, and digests out of names; from any
 * thread.
 */

#define MAX_ACCOUNT 200

char *ms_keys_make(const MsKeys *keys, char letter, const char *kind, const char *value)
{
	(void)keys;
	return g_strdup_printf("%c:%s=%s", letter, kind, value);
}

char *ms_keys_of_account(const char *account)
{
	return g_strconcat("d:", account, NULL);
}

void ms_keys_digest(const MsKeys *keys, const char *name, guint8 out[MS_ENTRY_DIGEST])
{
	guint8 whole[16]; /* the least that every BLAKE2b makes */
	const MsPiece piece = {name, strlen(name)};
	ms_digest_plain(keys->parts.entry, &piece, 1, whole, sizeof whole);
	memcpy(out, whole, MS_ENTRY_DIGEST);
}

const char *ms_account_problem(const char *account)
{
	if (*account == '\0')
		return "the account is empty";
	if (strlen(account) > MAX_ACCOUNT)
		return "the account is longer than 200 bytes";
	if (!g_utf8_validate(account, -1, NULL))
		return "the account is not UTF-8";
	for (const char *p = account; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			return "the account has a control character in it";
	return NULL;
}
