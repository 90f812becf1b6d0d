#include "config.h"

#include <string.h>

#include "keys.h"

#define MAX_ACCOUNT 200

char *ms_keys_make(const MsKeys *keys, char letter, const char *kind, const char *value)
{
	if (!keys->digests)
		return g_strdup_printf("%c:%s=%s", letter, kind, value);
	g_autofree char *digest = ms_key_digest(keys->key, kind, value);
	return g_strdup_printf("%c:%s", letter, digest);
}

char *ms_keys_token(const MsKeys *keys, const char *account)
{
	return keys->digests ? ms_key_seal(keys->key, account, strlen(account)) : g_strdup(account);
}

char *ms_keys_account(const MsKeys *keys, const char *token)
{
	gsize len;
	char *account = keys->digests ? (char *)ms_key_open(keys->key, token, &len) : g_strdup(token);
	if (account != NULL && strlen(account) > MAX_ACCOUNT)
		g_clear_pointer(&account, g_free);
	return account;
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
