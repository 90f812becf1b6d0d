/*
 * A mail log comes in; which domains this host sends for, and which addresses, go out, the most
 * frequent first.  No state.
 *
 * What counts came from this host, from who logged in, or from a client of a private network, and
 * was sent on.
 */
#include "config.h"

#include <string.h>

#include "missent/maillog.h"

#include "setup_private.h"

#define MOST_DOMAINS 8
#define MOST_SENDERS 8

/* Names that billing has, in the languages that we know of. */
static const char *const billing[] = {"billing", "invoice", "invoicing", "invoices", "accounts",
	"accounting", "receivable", "statements", "rechnung", "rechnungen", "faktura", "fakturen",
	"buchhaltung", "facturation", "facture", "factures", "compta", "comptabilite",
	"facturacion", "facturas", "fatturazione", "fatture", "fattura", "faktury", "faktur",
	"factuur", "facturen", "facturatie", "faturamento", "faturas", "debitoren", "abrechnung",
	"mahnung", NULL};

static bool is_billing(const char *address)
{
	g_autofree char *local = g_ascii_strdown(address, (gssize)strcspn(address, "@"));
	g_auto(GStrv) words = g_strsplit_set(local, ".-_+0123456789", -1);
	for (char **word = words; *word != NULL; word++)
		if (g_strv_contains(billing, *word))
			return true;
	return false;
}

static bool is_private(const char *client)
{
	static const char *const networks[] = {
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1"};
	for (gsize i = 0; i < G_N_ELEMENTS(networks); i++)
		if (ms_network_contains(networks[i], client))
			return true;
	return false;
}

static bool went_out(const MsMail *mail)
{
	bool ours = mail->came == MS_CAME_LOCAL ||
		(mail->came == MS_CAME_SMTP &&
			(mail->auth_user != NULL ||
				(mail->client != NULL && is_private(mail->client))));
	if (!ours || !mail->accepted || mail->sender == NULL || strchr(mail->sender, '@') == NULL)
		return false;
	for (guint i = 0; i < mail->deliveries->len; i++) {
		const MsDelivered *d = mail->deliveries->pdata[i];
		const char *at = strrchr(d->to != NULL ? d->to : "", '@'),
			   *own = strrchr(mail->sender, '@');
		if (d->sent && at != NULL && g_ascii_strcasecmp(at, own) != 0)
			return true;
	}
	return false;
}

static void count(GHashTable *table, const char *text)
{
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(table, text));
	g_hash_table_insert(table, g_strdup(text), GUINT_TO_POINTER(n + 1));
}

static int by_count(const void *a, const void *b, void *user)
{
	guint x = GPOINTER_TO_UINT(g_hash_table_lookup(user, *(char *const *)a));
	guint y = GPOINTER_TO_UINT(g_hash_table_lookup(user, *(char *const *)b));
	return x != y ? (x < y ? 1 : -1) : strcmp(*(char *const *)a, *(char *const *)b);
}

static GStrv most_first(GHashTable *table, guint most, bool (*which)(const char *))
{
	guint n;
	g_autofree char **names = (char **)g_hash_table_get_keys_as_array(table, &n);
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	g_qsort_with_data(names, (int)n, sizeof *names, by_count, table);
	for (guint i = 0, taken = 0; i < n && taken < most; i++) {
		if (which != NULL && !which(names[i]))
			continue;
		g_strv_builder_add(out, names[i]);
		taken++;
	}
	return g_strv_builder_end(out);
}

static void look(MsMaillog *log, Traffic *out)
{
	g_autoptr(GHashTable)
		domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable)
		senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const GPtrArray *mails = ms_maillog_mails(log);
	for (guint i = 0; i < mails->len; i++) {
		const MsMail *mail = mails->pdata[i];
		if (!went_out(mail))
			continue;
		g_autofree char *sender = g_ascii_strdown(mail->sender, -1);
		out->n++;
		count(senders, sender);
		count(domains, strrchr(sender, '@') + 1);
	}
	out->domains = most_first(domains, MOST_DOMAINS, NULL);
	out->senders = most_first(senders, MOST_SENDERS, NULL);
	out->billing = most_first(senders, MOST_SENDERS, is_billing);
}

void traffic_look(const char *path, Traffic *out, GPtrArray *notes)
{
	const MsMaillogOptions options = {0};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	g_autoptr(GError) error = NULL;
	const char *what = ms_mta_read_log(log, path, &error);
	look(log, out);
	if (error != NULL)
		setup_note(notes, "%s", error->message);
	else if (what != NULL)
		setup_note(notes, "%s: %u %s sent on, by which domains and senders are proposed",
			what, out->n, out->n == 1 ? "message was" : "messages were");
	else
		setup_note(notes,
			"there is no mail log yet, so that domains and senders are guessed by this host's name");
}

void traffic_clear(Traffic *traffic)
{
	g_strfreev(traffic->domains);
	g_strfreev(traffic->senders);
	g_strfreev(traffic->billing);
}
