/*
 * Bytes come in as an MTA's log, in which senders' words stand: what comes out is whole.
 */
#include "config.h"

#include "missent/maillog.h"

#include "../test.h"
#include "fuzz.h"

/* Lines of a log have words of strangers in them: whatever they are, what comes out is whole, in
 * order, and not more than came in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const MsMaillogOptions options = {.now = 1795700000 * (gint64)G_USEC_PER_SEC};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	ms_maillog_feed(log, "fuzz", data, len);
	const GPtrArray *mails = ms_maillog_mails(log);
	g_assert_cmpuint(mails->len, <=, len);
	gint64 before = G_MININT64;
	for (guint i = 0; i < mails->len; i++) {
		const MsMail *mail = mails->pdata[i];
		g_assert_cmpint(mail->first, >=, before);
		g_assert_cmpint(mail->last, >=, mail->first);
		before = mail->first;
		g_assert_cmpuint(strlen(mail->queue_id), >, 0);
		for (guint k = 0; k < mail->deliveries->len; k++) {
			const MsDelivered *d = mail->deliveries->pdata[k];
			g_assert_true(g_utf8_validate(d->to, -1, NULL) && d->relay != NULL);
		}
	}
	g_assert_cmpuint(ms_maillog_notes(log)->used, <=, ms_maillog_notes(log)->lines);
	return 0;
}
