#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "accounts_private.h"

/*
 * Tokens with which a program speaks to the API: made once and shown once, known again by their hash.
 * Each has somebody who answers for it: what it does is his doing, and it may no more than he.  From any
 * thread.
 */

#define PREFIX "mst_"
#define TOKEN_DIGITS 64

void ms_token_free(MsToken *token)
{
	if (token == NULL)
		return;
	g_free(token->name);
	g_free(token->owner);
	g_free(token);
}

bool ms_accounts_token_form(const char *token)
{
	return g_str_has_prefix(token, PREFIX) && strlen(token) == strlen(PREFIX) + TOKEN_DIGITS
		&& strspn(token + strlen(PREFIX), "0123456789abcdef") == TOKEN_DIGITS;
}

/* Letters, digits and .-_ only: it stands within "anna via billing". */
static bool is_token_name(const char *name)
{
	gsize len = strlen(name);
	if (len == 0 || len > 60)
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr(".-_", *p) == NULL)
			return false;
	return true;
}

static bool add(MsAccounts *accounts, const MsToken *t, const char *owner, const char *hash, GError **error)
{
	gint64 there = 0;
	g_autofree char *made = accounts_number(g_get_real_time());
	g_autofree char *expires = accounts_number(t->expires);
	if (!accounts_run(accounts, error, accounts_take_number, &there, "SELECT count(*) FROM token WHERE name=?1", t->name,
		    NULL))
		return false;
	if (there > 0)
		return accounts_input(error, "there is a token \"%s\" already; delete it first", t->name);
	return accounts_run(accounts, error, NULL, NULL,
		"INSERT INTO token VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS INTEGER), CAST(?7 AS INTEGER), 0)", t->name, hash,
		owner, ms_role_names[t->role], t->download ? "1" : "0", made, expires, NULL);
}

char *ms_accounts_token_add(MsAccounts *accounts, const MsToken *token, GError **error)
{
	g_autofree char *owner = accounts_name(accounts, token->owner);
	if (!is_token_name(token->name) || *owner == '\0') {
		accounts_input(error, *owner == '\0' ? "who answers for this token?"
						     : "a token's name has 1 to 60 letters, digits, dots, hyphens or _");
		return NULL;
	}
	if (token->expires != 0 && token->expires <= g_get_real_time()) {
		accounts_input(error, "this token would have expired already");
		return NULL;
	}
	g_autofree char *random = accounts_random();
	g_autofree char *secret = g_strconcat(PREFIX, random, NULL);
	g_autofree char *hash = accounts_hash(secret);
	bool fine = accounts_begin(accounts, error)
		&& accounts_end(accounts, add(accounts, token, owner, hash, error), error);
	return fine ? g_steal_pointer(&secret) : NULL;
}

bool ms_accounts_token_delete(MsAccounts *accounts, const char *name, GError **error)
{
	gint64 there = 0;
	if (!accounts_run(accounts, error, accounts_take_number, &there, "SELECT count(*) FROM token WHERE name=?1", name,
		    NULL))
		return false;
	if (there == 0)
		return accounts_input(error, "there is no token \"%s\"", name);
	return accounts_run(accounts, error, NULL, NULL, "DELETE FROM token WHERE name=?1", name, NULL);
}

static void take_token(int n, const char *const *c, void *user)
{
	(void)n;
	MsToken *t = g_new0(MsToken, 1);
	t->name = g_strdup(c[0]);
	t->owner = g_strdup(c[1]);
	t->role = (MsRole)MAX(ms_role_of(c[2]), 0);
	t->download = strcmp(c[3], "1") == 0;
	t->made = g_ascii_strtoll(c[4], NULL, 10);
	t->expires = g_ascii_strtoll(c[5], NULL, 10);
	t->seen = g_ascii_strtoll(c[6], NULL, 10);
	g_ptr_array_add(user, t);
}

#define TOKEN "SELECT name, owner, role, download, made, expires, seen FROM token"

GPtrArray *ms_accounts_token_list(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_token_free);
	return accounts_run(accounts, error, take_token, list, TOKEN " ORDER BY name", NULL) ? g_steal_pointer(&list) : NULL;
}

/* Who made it may have lost rights since. */
static MsSession *session_of(MsAccounts *accounts, const MsToken *token, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsAccount) owner = ms_accounts_find(accounts, token->owner, &why);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (owner != NULL && owner->disabled)
		return NULL;
	MsSession *session = g_new0(MsSession, 1);
	session->account = g_new0(MsAccount, 1);
	session->account->name = g_strdup(token->owner);
	session->account->role = owner != NULL ? MIN(owner->role, token->role) : token->role;
	session->account->download = token->download && (owner == NULL || owner->download);
	session->actor = g_strconcat(token->owner, MS_PERSON_VIA, token->name, NULL);
	session->by = MS_BY_TOKEN;
	return session;
}

MsSession *ms_accounts_token(MsAccounts *accounts, const char *secret, GError **error)
{
	if (!ms_accounts_token_form(secret))
		return NULL;
	g_autofree char *hash = accounts_hash(secret);
	g_autofree char *now = accounts_number(g_get_real_time());
	g_autofree char *lately = accounts_number(g_get_real_time() - 60 * (gint64)G_USEC_PER_SEC);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_token_free);
	if (!accounts_run(accounts, error, take_token, list,
		    TOKEN " WHERE hash=?1 AND (expires=0 OR expires > CAST(?2 AS INTEGER))", hash, now, NULL)
		|| list->len == 0)
		return NULL;
	accounts_run(accounts, NULL, NULL, NULL,
		"UPDATE token SET seen=CAST(?2 AS INTEGER) WHERE hash=?1 AND seen < CAST(?3 AS INTEGER)", hash, now, lately,
		NULL);
	return session_of(accounts, list->pdata[0], error);
}
