/*
 * accounts.h - who may use the review page and its API: people, how they prove who they are,
 * sessions, API tokens.
 *
 * WHAT    Local accounts with argon2id passwords and an optional second factor (TOTP, recovery
 *         codes); sessions with an idle and an absolute end; tokens for programs; waits for who
 *         guesses.
 * OWNS    MsAccounts, MsAccount, MsSession, MsToken: freed by their _free functions.
 * ERRORS  GError.
 * THREADS Safe, and safe among processes (the agent and `missent review`).
 * LIMITS  MS_TRIES wrong log-ins of one source before it waits.  So many passwords are hashed at
 *         a time as half the processors, and one more for who was here before; beyond a queue it
 *         is MS_LOGIN_BUSY.
 * NOT     What a role may do is not said here.  The file is the agent's: the page asks it.
 *         Passwords are kept hashed, session IDs, tokens and recovery codes too; the secret of a
 *         TOTP as it is.
 *
 * Who guesses, waits: a source (an address, of IPv6 its /64) after MS_TRIES failures 4, 8, 16 ...
 * seconds, at most a quarter of an hour.  Who logged in before from there, or with that browser,
 * has a count of his own and waits a minute at most.  A name that many sources guess at makes
 * each of them that is new wait for some seconds of its own, before its try; nobody's tries use
 * up another's.  But for codes of the second factor, which are few: wrong ones that came with the
 * right password are counted for the name, and make all wait but browsers that were here before.
 */
#ifndef MISSENT_ACCOUNTS_H
#define MISSENT_ACCOUNTS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/person.h"
#include "missent/role.h"

#define MS_TRIES 5

typedef struct MsAccounts MsAccounts;

/* -1: it is none. */
int ms_role_of(const char *name);

typedef struct {
	char *name;
	MsRole role;
	bool download; /* may take attached files out */
	bool disabled;
	gint64 seen;   /* last log-in, microseconds since 1970; 0: never */
	bool password, totp; /* has one; not read by ms_accounts_put() */
} MsAccount;
void ms_account_free(MsAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAccount, ms_account_free)

/* Makes the folder of that file, where there is none, for its user alone (root makes it for
 * `user`). */
bool ms_accounts_folder(const char *path, const char *user, GError **error);
/* Its folder must be ours alone: what can replace the file could be anybody. */
MsAccounts *ms_accounts_open(const char *path, const MsPersonRules *people, GError **error);
void ms_accounts_free(MsAccounts *accounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAccounts, ms_accounts_free)
/* What an earlier version kept in the file `old` is written to the file `path`, which is not
 * there yet. */
bool ms_accounts_adopt(const char *old, const char *path, GError **error);

/* Adds or changes; `password` NULL keeps what there is (a new account then has none, and can be
 * used behind a trusted proxy only).  Open sessions of that name end. */
bool ms_accounts_put(MsAccounts *accounts, const MsAccount *account, const char *password,
	GError **error);
/* His sessions end, but that one (or NULL). */
bool ms_accounts_password(MsAccounts *accounts, const char *name, const char *password,
	const char *session, GError **error);
/* With its sessions and the tokens that it answers for. */
bool ms_accounts_delete(MsAccounts *accounts, const char *name, GError **error);
/* NULL without error: there is none. */
MsAccount *ms_accounts_find(MsAccounts *accounts, const char *name, GError **error);
GPtrArray *ms_accounts_list(MsAccounts *accounts, GError **error);

/* ---- the second factor ---------------------------------------------------------------- */

/* A new secret (base32), which counts when a code of it was confirmed.  NULL: there is no such
 * account. */
char *ms_totp_begin(MsAccounts *accounts, const char *name, GError **error);
/* Its recovery codes, each good once; NULL and MS_ERROR_INPUT: that is not the code. */
char **ms_totp_confirm(MsAccounts *accounts, const char *name, const char *code, GError **error);
bool ms_totp_end(MsAccounts *accounts, const char *name, GError **error);
/* What an authenticator reads, and that as a picture: lines of "1" and "0"; NULL: it cannot be
 * drawn. */
char *ms_totp_uri(const char *site, const char *name, const char *secret);
char **ms_totp_picture(const char *uri);

/* ---- logging in ----------------------------------------------------------------------- */

typedef enum { MS_BY_PASSWORD, MS_BY_CODE, MS_BY_PROXY, MS_BY_TOKEN, MS_N_BY } MsBy;
extern const char *const ms_by_names[MS_N_BY + 1];

typedef struct {
	MsAccount *account;
	char *csrf;  /* what every form of this session carries; NULL of a token */
	char *actor; /* the name that is written down: the account's, or "anna via billing" */
	MsBy by;
} MsSession;
void ms_session_free(MsSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSession, ms_session_free)

/* CODE: the password is right, a code is needed beside it.  WAIT: not looked at, for `wait`
 * seconds.  BUSY: not looked at; too many are.  UNABLE: he has nothing to prove it with. */
typedef enum {
	MS_LOGIN_FINE,
	MS_LOGIN_WRONG,
	MS_LOGIN_CODE,
	MS_LOGIN_WAIT,
	MS_LOGIN_BUSY,
	MS_LOGIN_UNABLE,
	MS_LOGIN_ERROR,
	MS_N_LOGINS
} MsLogin;
extern const char *const ms_login_names[MS_N_LOGINS + 1];

typedef struct {
	const char *name;
	const char *password, *code; /* "": none given */
	const char *source;          /* the client's address */
	const char *device;          /* what an earlier log-in gave this browser, or "" */
} MsTry;

typedef struct {
	char *session; /* a new one's ID */
	char *device;  /* to be kept by the browser, longer than the session */
	gint64 wait;   /* seconds */
} MsPass;
void ms_pass_clear(MsPass *pass);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsPass, ms_pass_clear)

MsLogin ms_accounts_login(MsAccounts *accounts, const MsTry *try, MsPass *pass, GError **error);
/* He who has that session proves anew that it is he: with a code if he has a second factor, else
 * with his password.  `wait_out`: seconds.  `device` names a way of proving it that is counted by
 * itself. */
MsLogin ms_accounts_prove(MsAccounts *accounts, const MsTry *try, gint64 *wait_out, GError **error);
/* A session for somebody whom a trusted proxy named; NULL if he has no account here. */
char *ms_accounts_admit(MsAccounts *accounts, const char *name, GError **error);
/* The session of that ID if it is good. */
MsSession *ms_accounts_session(MsAccounts *accounts, const char *id, gint64 idle_us, gint64 age_us,
	GError **error);
/* Somebody did something with it: its idle time begins anew. */
void ms_accounts_session_used(MsAccounts *accounts, const char *id, gint64 idle_us);
bool ms_accounts_logout(MsAccounts *accounts, const char *id, GError **error);

/* ---- tokens of programs --------------------------------------------------------------- */

typedef struct {
	char *name;
	char *owner;   /* who answers for it: for the rule of the second person it is he */
	MsRole role;   /* no more than the owner's, if he has an account */
	bool download;
	gint64 made, expires, seen; /* 0: never */
} MsToken;
void ms_token_free(MsToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsToken, ms_token_free)

/* The token itself, which is shown once: its hash is kept. */
char *ms_accounts_token_add(MsAccounts *accounts, const MsToken *token, GError **error);
bool ms_accounts_token_delete(MsAccounts *accounts, const char *name, GError **error);
GPtrArray *ms_accounts_token_list(MsAccounts *accounts, GError **error);
MsSession *ms_accounts_token(MsAccounts *accounts, const char *token, GError **error);
/* Has it the form of one? */
bool ms_accounts_token_form(const char *token);

#endif
