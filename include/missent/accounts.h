/*
 * accounts.h - who may use the review page: people, their roles, their sessions.
 *
 * WHAT    Local accounts with argon2id passwords; sessions with an idle and an absolute end;
 *         a limit on failed log-ins.
 * OWNS    MsAccounts, MsAccount, MsSession: freed by their _free functions.
 * ERRORS  GError.
 * THREADS Safe, and safe among processes (the page and `missent review`).
 * LIMITS  MS_TRIES_USER failed log-ins a name, MS_TRIES_CLIENT a client address, in a quarter of
 *         an hour.
 * NOT     What a role may do is the page's to know (page.h).  Session IDs are kept hashed.
 */
#ifndef MISSENT_ACCOUNTS_H
#define MISSENT_ACCOUNTS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/role.h"

#define MS_TRIES_USER 5
#define MS_TRIES_CLIENT 20

typedef struct MsAccounts MsAccounts;

typedef struct {
	char *name;
	MsRole role;
	bool download; /* may take attached files out */
	bool disabled;
	gint64 seen;   /* last log-in, microseconds since 1970; 0: never */
} MsAccount;
void ms_account_free(MsAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAccount, ms_account_free)

MsAccounts *ms_accounts_open(const char *path, GError **error);
void ms_accounts_free(MsAccounts *accounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAccounts, ms_accounts_free)

/* Adds or changes; `password` NULL keeps what there is (a new account then has none, and can be
 * used behind a trusted proxy only).  Open sessions of that name end. */
bool ms_accounts_put(MsAccounts *accounts, const MsAccount *account, const char *password,
	GError **error);
bool ms_accounts_delete(MsAccounts *accounts, const char *name, GError **error);
/* NULL without error: there is none. */
MsAccount *ms_accounts_find(MsAccounts *accounts, const char *name, GError **error);
GPtrArray *ms_accounts_list(MsAccounts *accounts, GError **error);

typedef struct {
	MsAccount *account;
	char *csrf; /* what every form of this session carries */
} MsSession;
void ms_session_free(MsSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSession, ms_session_free)

typedef enum { MS_LOGIN_FINE, MS_LOGIN_WRONG, MS_LOGIN_TOO_OFTEN, MS_LOGIN_ERROR } MsLogin;
/* Name and password; on success a new session's ID in `*id_out`. */
MsLogin ms_accounts_login(MsAccounts *accounts, const char *name, const char *password,
	const char *client, char **id_out, GError **error);
/* A session for somebody whom a trusted proxy named; NULL if he has no account here. */
char *ms_accounts_admit(MsAccounts *accounts, const char *name, GError **error);
/* The session of that ID if it is good, whose idle time begins anew. */
MsSession *ms_accounts_session(MsAccounts *accounts, const char *id, gint64 idle_us, gint64 age_us,
	GError **error);
bool ms_accounts_logout(MsAccounts *accounts, const char *id, GError **error);

#endif
