/*
 * Passwords come in, and are hashed, weighed or compared (libsodium).  Any thread; it takes its
 * time.
 */
#include "config.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "missent/password.h"

const char *ms_password_why(const char *password)
{
	gsize len = strlen(password);
	return len < MS_PASSWORD_MIN ? "a password has at least 10 characters"
		: len > 1024             ? "a password has at most 1024 bytes"
					 : NULL;
}

char *ms_password_hash(const char *password)
{
	char out[crypto_pwhash_STRBYTES];
	if (sodium_init() < 0 ||
		crypto_pwhash_str(out, password, strlen(password),
			crypto_pwhash_OPSLIMIT_INTERACTIVE,
			crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return NULL;
	return g_strdup(out);
}

/* An account that is not there must not answer faster than one that is. */
bool ms_password_matches(const char *hash, const char *password)
{
	if (hash != NULL)
		return sodium_init() >= 0
			&& crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	g_free(ms_password_hash(password));
	return false;
}
