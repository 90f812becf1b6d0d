/*
 * The second factor: a secret goes out once, when it is enrolled; codes of it, or of the recovery
 * codes that were given with it, come in.  Source: RFC 6238 (SHA-1, six digits, thirty seconds,
 * one step early or late), through liboath.  From any thread.
 */
#include "config.h"

#include <liboath/oath.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef HAVE_QRENCODE
#include <qrencode.h>
#endif

#include "missent/digest.h"

#include "accounts_private.h"

#define SECRET_BYTES 20
#define DIGITS 6
#define STEP 30
#define RECOVERY_CODES 8

static void init(void)
{
	static gsize once;
	if (g_once_init_enter(&once)) {
		g_once_init_leave(&once, oath_init() == OATH_OK ? 1 : 2);
	}
}

static char *base32(const guint8 *bytes, gsize len)
{
	char *out = NULL;
	init();
	int rc = oath_base32_encode((const char *)bytes, len, &out, NULL);
	g_assert(rc == OATH_OK);
	char *copy = g_strdup(out);
	free(out);
	return copy;
}

/* The step of the code, or -1: it is none that counts now, or was taken. */
static gint64 step_of(const char *secret, const char *code, gint64 after)
{
	char *bytes = NULL;
	size_t len = 0;
	int at = 0;
	uint64_t counter = 0;
	init();
	if (strlen(code) != DIGITS || strspn(code, "0123456789") != DIGITS
		|| oath_base32_decode(secret, strlen(secret), &bytes, &len) != OATH_OK)
		return -1;
	int rc = oath_totp_validate4(bytes, len, time(NULL), STEP, 0, 1, &at, &counter, 0, code);
	free(bytes);
	return rc >= 0 && (gint64)counter > after ? (gint64)counter : -1;
}

/* Spaces, which authenticators show, and hyphens, which recovery codes have, are not typed by
 * all. */
static char *plain(const char *code)
{
	GString *out = g_string_new(NULL);
	for (const char *p = code; *p != '\0' && out->len < 64; p++)
		if (*p != ' ' && *p != '-')
			g_string_append_c(out, g_ascii_toupper(*p));
	return g_string_free(out, FALSE);
}

/* ---- codes ---------------------------------------------------------------------------- */

typedef struct {
	char *secret, *pending;
	gint64 counter;
} Factor;

static void take_factor(MsSqlRow *row, void *user)
{
	Factor *f = user;
	f->secret = g_strdup(ms_sql_text(row, "totp"));
	f->pending = g_strdup(ms_sql_text(row, "pending"));
	f->counter = ms_sql_number(row, "counter");
}

static void factor_clear(Factor *f)
{
	g_free(f->secret);
	g_free(f->pending);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Factor, factor_clear)

static bool load(MsAccounts *accounts, const char *name, Factor *f, GError **error)
{
	return accounts_ask(accounts,
		"SELECT totp, pending, counter FROM user WHERE name=:name",
		MS_SQL_VALUES(MS_SQL_TEXT("name", name)), take_factor, f, error);
}

static bool check_recovery(MsAccounts *accounts, const char *name, const char *code, bool take,
	bool *right_out, GError **error)
{
	gint64 n = 0;
	g_autofree char *hash = accounts_hash(code);
	if (!accounts_ask_number(accounts,
		    "SELECT count(*) AS n FROM recovery WHERE name=:name AND hash=:hash",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_TEXT("hash", hash)),
		    &n, error))
		return false;
	*right_out = n > 0;
	return n == 0 || !take ||
	       accounts_run(accounts,
		       "DELETE FROM recovery WHERE name=:name AND hash=:hash",
		       MS_SQL_VALUES(
			       MS_SQL_TEXT("name", name), MS_SQL_TEXT("hash", hash)),
		       error);
}

static bool check(MsAccounts *accounts, const char *name, const char *code, bool take,
	bool *right_out, GError **error)
{
	g_auto(Factor) f = {0};
	if (!load(accounts, name, &f, error))
		return false;
	if (f.secret == NULL || *f.secret == '\0')
		return true;
	gint64 step = step_of(f.secret, code, f.counter);
	if (step < 0)
		return check_recovery(accounts, name, code, take, right_out, error);
	*right_out = true;
	return !take ||
	       accounts_run(accounts, "UPDATE user SET counter=:counter WHERE name=:name",
		       MS_SQL_VALUES(
			       MS_SQL_TEXT("name", name), MS_SQL_NUMBER("counter", step)),
		       error);
}

bool accounts_code(MsAccounts *accounts, const char *name, const char *spelled, bool take,
	bool *right_out, GError **error)
{
	g_autofree char *code = plain(spelled);
	*right_out = false;
	/* Looked at and taken as one: of two who have the same code, one is let in. */
	return accounts_begin(accounts, error) &&
		accounts_end(accounts, check(accounts, name, code, take, right_out, error), error);
}

/* ---- enrolling ------------------------------------------------------------------------ */

char *ms_totp_begin(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsAccount) account = ms_accounts_find(accounts, spelled, &why);
	guint8 random[MS_DIGEST_BYTES];
	if (account == NULL) {
		if (why != NULL)
			g_propagate_error(error, g_steal_pointer(&why));
		else
			ms_fail_input(error, "there is no account \"%s\"", spelled);
		return NULL;
	}
	ms_digest_random(random);
	g_autofree char *secret = base32(random, SECRET_BYTES);
	if (!accounts_run(accounts, "UPDATE user SET pending=:secret WHERE name=:name",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", account->name),
			    MS_SQL_TEXT("secret", secret)),
		    error))
		return NULL;
	return g_steal_pointer(&secret);
}

/* "ABCD-EFGH-IJKL-MNOP", 80 bits. */
static char *recovery_code(char **plain_out)
{
	guint8 random[MS_DIGEST_BYTES];
	ms_digest_random(random);
	*plain_out = base32(random, 10);
	return g_strdup_printf(
		"%.4s-%.4s-%.4s-%.4s", *plain_out, *plain_out + 4, *plain_out + 8, *plain_out + 12);
}

static bool enrol(MsAccounts *accounts, const char *name, const char *secret, gint64 step,
	char **codes, GError **error)
{
	if (!accounts_run(accounts,
		    "UPDATE user SET totp=:secret, pending='', counter=:counter WHERE name=:name",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", name),
			    MS_SQL_TEXT("secret", secret),
			    MS_SQL_NUMBER("counter", step)),
		    error) ||
		!accounts_run(accounts, "DELETE FROM recovery WHERE name=:name",
			MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error))
		return false;
	for (int i = 0; i < RECOVERY_CODES; i++) {
		g_autofree char *bare = NULL;
		codes[i] = recovery_code(&bare);
		g_autofree char *hash = accounts_hash(bare);
		if (!accounts_run(accounts, "INSERT INTO recovery VALUES (:name, :hash)",
			    MS_SQL_VALUES(
				    MS_SQL_TEXT("name", name), MS_SQL_TEXT("hash", hash)),
			    error))
			return false;
	}
	return true;
}

char **ms_totp_confirm(
	MsAccounts *accounts, const char *spelled, const char *spelled_code, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	g_autofree char *code = plain(spelled_code);
	g_auto(Factor) f = {0};
	g_auto(GStrv) codes = g_new0(char *, RECOVERY_CODES + 1);
	if (!load(accounts, name, &f, error))
		return NULL;
	if (f.pending == NULL || *f.pending == '\0') {
		ms_fail_input(error, "no second factor is being set up");
		return NULL;
	}
	gint64 step = step_of(f.pending, code, 0);
	if (step < 0) {
		ms_fail_input(error, "that is not the code that counts now");
		return NULL;
	}
	bool fine = accounts_begin(accounts, error) &&
		accounts_end(accounts, enrol(accounts, name, f.pending, step, codes, error), error);
	return fine ? g_steal_pointer(&codes) : NULL;
}

bool ms_totp_end(MsAccounts *accounts, const char *spelled, GError **error)
{
	g_autofree char *name = accounts_name(accounts, spelled);
	return accounts_run(accounts,
		       "UPDATE user SET totp='', pending='', counter=0 WHERE name=:name",
		       MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error) &&
	       accounts_run(accounts, "DELETE FROM recovery WHERE name=:name",
		       MS_SQL_VALUES(MS_SQL_TEXT("name", name)), error);
}

/* ---- for an authenticator ------------------------------------------------------------- */

/* Google Authenticator's "Key URI Format", which the others read too. */
char *ms_totp_uri(const char *site, const char *name, const char *secret)
{
	g_autofree char *issuer = g_uri_escape_string(site, NULL, FALSE);
	g_autofree char *account = g_uri_escape_string(name, NULL, FALSE);
	return g_strdup_printf(
		"otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		issuer, account, secret, issuer, DIGITS, STEP);
}

char **ms_totp_picture(const char *uri)
{
#ifdef HAVE_QRENCODE
	QRcode *code = QRcode_encodeString(uri, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (code == NULL)
		return NULL;
	char **lines = g_new0(char *, code->width + 1);
	for (int y = 0; y < code->width; y++) {
		lines[y] = g_malloc0((gsize)code->width + 1);
		for (int x = 0; x < code->width; x++)
			lines[y][x] = (code->data[y * code->width + x] & 1) != 0 ? '1' : '0';
	}
	QRcode_free(code);
	return lines;
#else
	(void)uri;
	return NULL;
#endif
}
