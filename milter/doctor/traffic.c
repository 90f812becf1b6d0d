/*
 * The mail log against the policies: what went out and was nobody's business, by sender and client.
 *
 * A sender that no policy names, and a client that is not outgoing, are mostly right; that nobody
 * knows of them is not.  Each is told once, with its count, the most frequent first.  The thread of
 * who examines (doctor.h).
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/envelope.h"
#include "missent/maillog.h"

#include "doctor_private.h"

#define MOST 5

static MsConcern concern_of(const Patient *p, const MsMail *mail)
{
	MsEnvelope *envelope = ms_envelope_new();
	envelope->sender = g_strdup(mail->sender);
	envelope->client_address = g_strdup(mail->client);
	envelope->auth_user = g_strdup(mail->auth_user);
	envelope->arrived = mail->first;
	MsConcern concern = ms_engine_concern(p->runtime, envelope);
	ms_envelope_free(envelope);
	return concern;
}

/* "outgoing, but of no policy: <a@b>" and the like, counted. */
static void count(const Patient *p, const MsMail *mail, GHashTable *senders, GHashTable *clients)
{
	bool came = mail->accepted && (mail->came == MS_CAME_SMTP || mail->came == MS_CAME_LOCAL);
	if (!came || mail->sender == NULL || *mail->sender == '\0')
		return;
	MsConcern concern = concern_of(p, mail);
	GHashTable *table = concern == MS_NO_POLICY  ? senders
		: concern == MS_NOT_OUTGOING_PRIVATE ? clients
						     : NULL;
	char *who = table == senders ? mail->sender : mail->client;
	if (table == NULL || who == NULL)
		return;
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(table, who));
	g_hash_table_insert(table, g_strdup(who), GUINT_TO_POINTER(n + 1));
}

static int by_count(const void *a, const void *b, void *user)
{
	guint x = GPOINTER_TO_UINT(g_hash_table_lookup(user, *(char *const *)a));
	guint y = GPOINTER_TO_UINT(g_hash_table_lookup(user, *(char *const *)b));
	return x != y ? (x < y ? 1 : -1) : strcmp(*(char *const *)a, *(char *const *)b);
}

static void tell(Patient *p, GHashTable *table, const char *format_of_one)
{
	guint n;
	g_autofree char **names = (char **)g_hash_table_get_keys_as_array(table, &n);
	g_qsort_with_data(names, (int)n, sizeof *names, by_count, table);
	for (guint i = 0; i < MIN(n, MOST); i++)
		complain(p, "%s %s: %u in the mail log", format_of_one, names[i],
			GPOINTER_TO_UINT(g_hash_table_lookup(table, names[i])));
	if (n > MOST)
		complain(p, "%s %u more", format_of_one, n - MOST);
}

void check_senders(Patient *p)
{
	const char *own = p->options->mail_log != NULL ? p->options->mail_log : p->s->mail_log;
	const char *path = own != NULL ? own : postfix_setting(p, "maillog_file");
	g_autoptr(GError) error = NULL;
	const MsMaillogOptions options = {0};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	if (own != NULL && access(own, F_OK) != 0) {
		not_seen(p, "mail-log %s: there is no such file", own);
		return;
	}
	if (ms_mta_read_log(log, path, &error) == NULL && error != NULL) {
		not_seen(p, "%s", error->message);
		return;
	}
	g_autoptr(GHashTable)
		senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable)
		clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const GPtrArray *mails = ms_maillog_mails(log);
	for (guint i = 0; i < mails->len; i++)
		count(p, mails->pdata[i], senders, clients);
	tell(p, senders, "outgoing, but of no policy:");
	tell(p, clients, "not outgoing, from the client");
}
