/* Shared by the files of accounts/. */
#ifndef MISSENT_ACCOUNTS_PRIVATE_H
#define MISSENT_ACCOUNTS_PRIVATE_H

#include <pthread.h>

#include "missent/accounts.h"
#include "missent/answer.h"
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

#define ACCOUNT \
	"user.name AS name, role, download, disabled, seen, user.hash<>'' AS has_password, totp<>'' AS has_totp"

/* One statement; values by MS_SQL_VALUES(), or NULL. */
bool accounts_run(
	MsAccounts *accounts, const char *sql, const MsSqlValue *values, GError **error);
bool accounts_ask(MsAccounts *accounts, const char *sql, const MsSqlValue *values,
	MsSqlTake take, void *user, GError **error);
/* The number in column `n` of the one row, or 0. */
bool accounts_ask_number(MsAccounts *accounts, const char *sql, const MsSqlValue *values,
	gint64 *out, GError **error);
/* Several as one, under the lock of the database; `fine` says whether to keep them. */
bool accounts_begin(MsAccounts *accounts, GError **error);
bool accounts_end(MsAccounts *accounts, bool fine, GError **error);
/* 64 hexadecimal digits; what is kept of them. */
char *accounts_random(void);
char *accounts_hash(const char *secret);
/* From ACCOUNT. */
MsAccount *accounts_account(MsSqlRow *row);
char *accounts_name(MsAccounts *accounts, const char *spelled);

void lane_init(Lane *lane, guint most_running, guint most_waiting);
void lane_destroy(Lane *lane);

/* totp.c: is it a code, or a recovery code, that counts now?  If it is taken, it is not good
 * again. */
bool accounts_code(MsAccounts *accounts, const char *name, const char *code, bool take,
	bool *right_out, GError **error);

#endif
