/* Shared by the files of accounts/. */
#ifndef MISSENT_ACCOUNTS_PRIVATE_H
#define MISSENT_ACCOUNTS_PRIVATE_H

#include <pthread.h>

#include "missent/accounts.h"
#include "missent/store.h"

/* Those who hash at a time, and those who wait for it. */
typedef struct {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	guint running, waiting, most_running, most_waiting;
} Lane;

struct MsAccounts {
	MsSqlite *db;
	char **domains, **aliases;
	MsPersonRules people;
	Lane strangers, known;
};

#define ACCOUNT "user.name, role, download, disabled, seen, user.hash<>'', totp<>''"
#define ACCOUNT_COLUMNS 7

/* One statement with text parameters (never NULL), ended by NULL. */
bool accounts_run(MsAccounts *accounts, GError **error, MsSqliteRow row, void *user, const char *sql, ...)
	G_GNUC_NULL_TERMINATED;
/* Several as one, under the lock of the database; `fine` says whether to keep them. */
bool accounts_begin(MsAccounts *accounts, GError **error);
bool accounts_end(MsAccounts *accounts, bool fine, GError **error);
char *accounts_number(gint64 n);
/* 64 hexadecimal digits; what is kept of them. */
char *accounts_random(void);
char *accounts_hash(const char *secret);
MsAccount *accounts_account(const char *const *columns);
/* Takes the first column; a char ** that is NULL. */
void accounts_take_text(int n, const char *const *columns, void *user);
void accounts_take_number(int n, const char *const *columns, void *user);
bool accounts_input(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
char *accounts_name(MsAccounts *accounts, const char *spelled);

void lane_init(Lane *lane, guint most_running, guint most_waiting);
void lane_destroy(Lane *lane);

/* totp.c: is it a code, or a recovery code, that counts now?  If it is taken, it is not good again. */
bool accounts_code(MsAccounts *accounts, const char *name, const char *code, bool take, bool *right_out,
	GError **error);

#endif
