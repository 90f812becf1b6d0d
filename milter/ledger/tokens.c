/*
 * Tokens of mail that need not be judged again, and which notices were sent lately: digests and
 * addresses come in, whether it may be so goes out.  A token that was spent has a time, one that
 * was made void -1.  Each function is one statement, or statements that may be repeated; from any
 * thread, and any process.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/digest.h"
#include "missent/identifier.h"
#include "missent/kind.h"

#include "ledger_private.h"

/* 32 random bytes need no salt and no key. */
static char *hash_of(const char *token)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}

char *ms_tokens_make(MsLedger *ledger, const char *digest, const char *sender,
	const GPtrArray *recipients, char **hash_out, GError **error)
{
	g_autofree char *token = ms_digest_random_name(MS_DIGEST_BYTES);
	g_autofree char *hash = hash_of(token);
	g_autofree char *all = ledger_join(recipients);
	gint64 now = ms_clock_now();
	if (!ledger_run(ledger,
		    "INSERT INTO token (hash, digest, sender, recipients, made, spent, queue_id)"
		    " VALUES (:hash, :digest, :sender, :recipients, :made, 0, '')",
		    MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_TEXT("digest", digest),
			    MS_SQL_TEXT("sender", sender), MS_SQL_TEXT("recipients", all),
			    MS_SQL_NUMBER("made", now)),
		    error))
		return NULL;
	*hash_out = g_steal_pointer(&hash);
	return g_steal_pointer(&token);
}

/* The MTA has it from us at this moment, and shows it with another sender, recipient or body. */
static MsAnswer look_for_changed(MsLedger *ledger, const char *hash, GError **error)
{
	gint64 n = 0;
	if (!ledger_ask_number(ledger, "SELECT count(*) AS n FROM token WHERE hash=:hash AND spent=0",
		    MS_SQL_VALUES(MS_SQL_TEXT("hash", hash)), &n, error))
		return MS_RETRY;
	if (n > 0)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"it is a mail that missent submits, but its sender, recipients or body are not "
			"those any more: desk { submit } must name an MTA that shows missent a mail as it "
			"came");
	return n > 0 ? MS_CONFIG : MS_ABSENT;
}

MsAnswer ms_tokens_spend(MsLedger *ledger, const char *token, const char *digest,
	const char *sender, const GPtrArray *recipients, const char *queue_id, GError **error)
{
	g_autofree char *hash = hash_of(token);
	g_autofree char *all = ledger_join(recipients);
	gint64 changes = 0;
	MsAnswer answer = ms_sqlite_ask(ledger->db,
		"UPDATE token SET spent=:now, queue_id=:queue_id WHERE hash=:hash AND digest=:digest"
		" AND sender=:sender AND recipients=:recipients AND spent=0",
		MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_TEXT("digest", digest),
			MS_SQL_TEXT("sender", sender), MS_SQL_TEXT("recipients", all),
			MS_SQL_NUMBER("now", ms_clock_now()),
			MS_SQL_TEXT("queue_id", queue_id != NULL ? queue_id : "")),
		NULL, NULL, &changes, error);
	return answer == MS_FOUND && changes == 0 ? look_for_changed(ledger, hash, error) : answer;
}

static void take_recipients(MsSqlRow *row, void *user)
{
	g_free(*(char **)user);
	*(char **)user = g_strdup(ms_sql_text(row, "recipients"));
}

bool ms_tokens_spent_by(MsLedger *ledger, const char *queue_id, gint64 from, gint64 to,
	char **recipients_out, GError **error)
{
	*recipients_out = NULL;
	return ledger_ask(ledger,
		"SELECT recipients FROM token WHERE queue_id=:queue_id AND spent >= :from AND spent <= :to",
		MS_SQL_VALUES(MS_SQL_TEXT("queue_id", queue_id), MS_SQL_NUMBER("from", from),
			MS_SQL_NUMBER("to", to)),
		take_recipients, recipients_out, error);
}

static void take_spent(MsSqlRow *row, void *user)
{
	if (ms_sql_number(row, "spent") > 0)
		*(char **)user = g_strdup(ms_sql_text(row, "queue_id"));
}

bool ms_tokens_void(MsLedger *ledger, const char *hash, char **queue_id_out, GError **error)
{
	*queue_id_out = NULL;
	return ledger_run(ledger, "UPDATE token SET spent=-1 WHERE hash=:hash AND spent=0",
		       MS_SQL_VALUES(MS_SQL_TEXT("hash", hash)), error)
		&& ledger_ask(ledger, "SELECT spent, queue_id FROM token WHERE hash=:hash",
			MS_SQL_VALUES(MS_SQL_TEXT("hash", hash)), take_spent, queue_id_out, error);
}

bool ms_tokens_forget(MsLedger *ledger, gint64 before, GError **error)
{
	return ledger_run(ledger, "DELETE FROM token WHERE made < :before",
		MS_SQL_VALUES(MS_SQL_NUMBER("before", before)), error);
}

/* ---- notices -------------------------------------------------------------------------- */

#define AHEAD_US (10 * 60 * (gint64)G_USEC_PER_SEC)

bool ms_notices_first(MsLedger *ledger, const char *address, const char *cause, gint64 window_us,
	bool *first_out, GError **error)
{
	gint64 now = ms_clock_now(), changes = 0;
	MsAnswer answer = ms_sqlite_ask(ledger->db,
		"INSERT INTO notice (address, cause, at) VALUES (:address, :cause, :now) ON CONFLICT DO UPDATE"
		" SET at=excluded.at WHERE notice.at <= :before OR notice.at > :ahead",
		MS_SQL_VALUES(MS_SQL_TEXT("address", address), MS_SQL_TEXT("cause", cause),
			MS_SQL_NUMBER("now", now), MS_SQL_NUMBER("before", now - window_us),
			/* noted by a clock that was ahead */
			MS_SQL_NUMBER("ahead", now + AHEAD_US)),
		NULL, NULL, &changes, error);
	*first_out = changes > 0;
	return answer == MS_FOUND;
}

void ms_notices_unsent(MsLedger *ledger, const char *address, const char *cause)
{
	ledger_run(ledger, "DELETE FROM notice WHERE address=:address AND cause=:cause",
		MS_SQL_VALUES(MS_SQL_TEXT("address", address), MS_SQL_TEXT("cause", cause)), NULL);
}
