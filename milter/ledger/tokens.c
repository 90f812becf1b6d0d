#include "config.h"

#include <string.h>

#include "missent/digest.h"
#include "missent/identifier.h"
#include "missent/kind.h"

#include "ledger_private.h"

/* A token that was spent has a time, one that was made void -1. */

#define KEEP_US (30 * 86400 * (gint64)G_USEC_PER_SEC)

/* 32 random bytes need no salt and no key. */
static char *hash_of(const char *token)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}

char *ms_tokens_make(MsLedger *ledger, const char *digest, const char *sender,
	const GPtrArray *recipients, char **hash_out, GError **error)
{
	guint8 random[MS_DIGEST_BYTES];
	ms_digest_random(random);
	g_autoptr(GString) token = g_string_new(NULL);
	for (gsize i = 0; i < sizeof random; i++)
		g_string_append_printf(token, "%02x", random[i]);
	g_autofree char *hash = hash_of(token->str);
	g_autofree char *all = ledger_join(recipients);
	g_autofree char *now = ledger_number(g_get_real_time());
	g_autofree char *old = ledger_number(g_get_real_time() - KEEP_US);
	if (!ledger_run(ledger, error, "DELETE FROM token WHERE made < CAST(?1 AS INTEGER)", old, NULL)
		|| !ledger_run(ledger, error,
			"INSERT INTO token VALUES (?1, ?2, ?3, ?4, CAST(?5 AS INTEGER), 0, '')", hash, digest,
			sender, all, now, NULL))
		return NULL;
	*hash_out = g_steal_pointer(&hash);
	return g_string_free(g_steal_pointer(&token), FALSE);
}

MsAnswer ms_tokens_spend(MsLedger *ledger, const char *token, const char *digest,
	const char *sender, const GPtrArray *recipients, const char *queue_id, GError **error)
{
	g_autofree char *hash = hash_of(token);
	g_autofree char *all = ledger_join(recipients);
	g_autofree char *now = ledger_number(g_get_real_time());
	gint64 changes = 0;
	const char *params[] = {hash, digest, sender, all, now, queue_id != NULL ? queue_id : "", NULL};
	MsAnswer answer = ms_sqlite_run(ledger->db,
		"UPDATE token SET spent=CAST(?5 AS INTEGER), queue_id=?6 WHERE hash=?1 AND digest=?2"
		" AND sender=?3 AND recipients=?4 AND spent=0",
		params, NULL, NULL, &changes, error);
	return answer == MS_FOUND && changes == 0 ? MS_ABSENT : answer;
}

static void take_spent(int n, const char *const *c, void *user)
{
	(void)n;
	if (ledger_to_number(c[0]) > 0)
		*(char **)user = g_strdup(c[1]);
}

bool ms_tokens_void(MsLedger *ledger, const char *hash, char **queue_id_out, GError **error)
{
	*queue_id_out = NULL;
	return ledger_run(ledger, error, "UPDATE token SET spent=-1 WHERE hash=?1 AND spent=0", hash, NULL)
		&& ledger_ask(ledger, error, take_spent, queue_id_out,
			"SELECT spent, queue_id FROM token WHERE hash=?1", hash, NULL);
}

/* ---- notices -------------------------------------------------------------------------- */

bool ms_notices_first(MsLedger *ledger, const char *address, const char *cause, gint64 window_us,
	bool *first_out, GError **error)
{
	gint64 now = g_get_real_time(), changes = 0;
	g_autofree char *at = ledger_number(now);
	g_autofree char *before = ledger_number(now - window_us);
	const char *params[] = {address, cause, at, before, NULL};
	MsAnswer answer = ms_sqlite_run(ledger->db,
		"INSERT INTO notice VALUES (?1, ?2, CAST(?3 AS INTEGER)) ON CONFLICT DO UPDATE"
		" SET at=excluded.at WHERE notice.at <= CAST(?4 AS INTEGER)",
		params, NULL, NULL, &changes, error);
	*first_out = changes > 0;
	return answer == MS_FOUND;
}

void ms_notices_unsent(MsLedger *ledger, const char *address, const char *cause)
{
	ledger_run(ledger, NULL, "DELETE FROM notice WHERE address=?1 AND cause=?2", address, cause, NULL);
}
