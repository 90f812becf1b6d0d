/*
 * Tokens with which a program speaks to the API: made once and shown once, known again by their
 * hash.  Each has somebody who answers for it: what it does is his doing, and it may no more than
 * he.  From any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "accounts_private.h"

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

static bool add(
	MsAccounts *accounts, const MsToken *t, const char *owner, const char *hash, GError **error)
{
	gint64 there = 0;
	gint64 made = g_get_real_time();
	if (!accounts_ask_number(accounts,
		    "SELECT count(*) AS n FROM token WHERE name=:name",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", t->name)), &there, error))
		return false;
	if (there > 0)
		return ms_fail_input(
			error, "there is a token \"%s\" already; delete it first", t->name);
	return accounts_run(accounts,
		"INSERT INTO token VALUES (:name, :hash, :owner, :role, :download, :made, :expires, 0)",
		MS_SQL_VALUES(MS_SQL_TEXT("name", t->name), MS_SQL_TEXT("hash", hash),
			MS_SQL_TEXT("owner", owner), MS_SQL_TEXT("role", ms_role_names[t->role]),
			MS_SQL_TEXT("download", t->download ? "1" : "0"),
			MS_SQL_NUMBER("made", made), MS_SQL_NUMBER("expires", t->expires)),
		error);
}

char *ms_accounts_token_add(MsAccounts *accounts, const MsToken *token, GError **error)
{
	g_autofree char *owner = accounts_name(accounts, token->owner);
	if (!is_token_name(token->name) || *owner == '\0') {
		ms_fail_input(error,
			*owner == '\0'
				? "who answers for this token?"
				: "a token's name has 1 to 60 letters, digits, dots, hyphens or _");
		return NULL;
	}
	if (token->expires != 0 && token->expires <= g_get_real_time()) {
		ms_fail_input(error, "this token would have expired already");
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
	if (!accounts_ask_number(accounts,
		    "SELECT count(*) AS n FROM token WHERE name=:name",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", name)), &there, error))
		return false;
	if (there == 0)
		return ms_fail_input(error, "there is no token \"%s\"", name);
	return accounts_run(accounts, "DELETE FROM token WHERE name=:name",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error);
}

static void take_token(MsSqlRow *row, void *user)
{
	MsToken *t = g_new0(MsToken, 1);
	t->name = g_strdup(ms_sql_text(row, "name"));
	t->owner = g_strdup(ms_sql_text(row, "owner"));
	t->role = (MsRole)MAX(ms_role_of(ms_sql_text(row, "role")), 0);
	t->download = strcmp(ms_sql_text(row, "download"), "1") == 0;
	t->made = ms_sql_number(row, "made");
	t->expires = ms_sql_number(row, "expires");
	t->seen = ms_sql_number(row, "seen");
	g_ptr_array_add(user, t);
}

#define TOKEN "SELECT name, owner, role, download, made, expires, seen FROM token"

GPtrArray *ms_accounts_token_list(MsAccounts *accounts, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_token_free);
	return accounts_ask(
		       accounts, TOKEN " ORDER BY name", NULL, take_token, list, error)
		       ? g_steal_pointer(&list)
		       : NULL;
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
	gint64 now = g_get_real_time();
	gint64 lately = g_get_real_time() - 60 * (gint64)G_USEC_PER_SEC;
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_token_free);
	if (!accounts_ask(accounts,
		    TOKEN " WHERE hash=:hash AND (expires=0 OR expires > :now)",
		    MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_NUMBER("now", now)),
		    take_token, list, error) ||
		list->len == 0)
		return NULL;
	accounts_run(accounts,
		"UPDATE token SET seen=:now WHERE hash=:hash AND seen < :lately",
		MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_NUMBER("now", now),
			MS_SQL_NUMBER("lately", lately)),
		NULL);
	return session_of(accounts, list->pdata[0], error);
}
