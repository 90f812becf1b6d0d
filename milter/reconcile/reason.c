/*
 * A message that the filter was not shown comes in; why, in words, goes out.  What the log itself
 * says comes first (a milter that could not be asked, a bounce); then, what became of other mail
 * of the same kind since the MTA read its settings: all of it unseen is a list of milters that
 * was emptied, that of one listener alone a listener without.  The thread of who reconciles.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "reconcile_private.h"

typedef struct {
	gint64 from, to; /* between two turns of an instance */
	const char *instance;
	guint seen[MS_N_CAME], unseen[MS_N_CAME];
	bool first;      /* the log began with it */
} Epoch;

struct Reasons {
	GArray *epochs;         /* of Epoch */
	/* "instance service pid epoch" and "instance service epoch" to seen + 1 */
	GHashTable *listeners;
	bool ever[MS_N_CAME];   /* any seen, by how it came */
};

static bool counts(const Node *node)
{
	return node->mail->accepted || node->mail->held || node->judged != NULL;
}

static void add_epoch(GArray *epochs, const char *instance, gint64 from, gint64 to, bool first)
{
	Epoch epoch = {.from = from, .to = to, .instance = instance, .first = first};
	g_array_append_val(epochs, epoch);
}

static void epochs_of(Reasons *r, const char *instance, const GPtrArray *turns)
{
	gint64 from = G_MININT64;
	bool first = true;
	for (guint i = 0; i < turns->len; i++) {
		const MsMaillogTurn *turn = turns->pdata[i];
		if (turn->instance != instance)
			continue;
		add_epoch(r->epochs, instance, from, turn->at, first);
		from = turn->at;
		first = false;
	}
	add_epoch(r->epochs, instance, from, G_MAXINT64, first);
}

static Epoch *epoch_of(const Reasons *r, const MsMail *mail)
{
	for (guint i = 0; i < r->epochs->len; i++) {
		Epoch *epoch = &g_array_index(r->epochs, Epoch, i);
		if (epoch->instance == mail->instance && mail->first >= epoch->from &&
			mail->first < epoch->to)
			return epoch;
	}
	return NULL;
}

static char *listener_of(const Reasons *r, const MsMail *mail, bool process)
{
	const Epoch *epoch = epoch_of(r, mail);
	guint n = epoch != NULL ? (guint)(epoch - (Epoch *)(void *)r->epochs->data) : 0;
	return g_strdup_printf(
		"%u %s %u", n, mail->service != NULL ? mail->service : "", process ? mail->pid : 0);
}

static void note(Reasons *r, const Node *node, bool process)
{
	char *name = listener_of(r, node->mail, process);
	guint seen = GPOINTER_TO_UINT(g_hash_table_lookup(r->listeners, name));
	g_hash_table_replace(
		r->listeners, name, GUINT_TO_POINTER(MAX(seen, 1) + (node->judged != NULL)));
}

/* How many messages of it were seen. */
static guint seen_by(const Reasons *r, const MsMail *mail, bool process)
{
	g_autofree char *name = listener_of(r, mail, process);
	guint seen = GPOINTER_TO_UINT(g_hash_table_lookup(r->listeners, name));
	return seen > 0 ? seen - 1 : 0;
}

Reasons *reasons_new(const GPtrArray *nodes, const GPtrArray *turns)
{
	Reasons *r = g_new0(Reasons, 1);
	g_autoptr(GHashTable) instances = g_hash_table_new(NULL, NULL);
	r->epochs = g_array_new(FALSE, TRUE, sizeof(Epoch));
	r->listeners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < nodes->len; i++) {
		const Node *node = nodes->pdata[i];
		if (g_hash_table_add(instances, node->mail->instance))
			epochs_of(r, node->mail->instance, turns);
	}
	for (guint i = 0; i < nodes->len; i++) {
		const Node *node = nodes->pdata[i];
		if (!counts(node) || (!node->concerned && node->judged == NULL))
			continue;
		Epoch *epoch = epoch_of(r, node->mail);
		(node->judged != NULL ? epoch->seen : epoch->unseen)[node->mail->came]++;
		r->ever[node->mail->came] |= node->judged != NULL;
		note(r, node, true);
		note(r, node, false);
	}
	return r;
}

void reasons_free(Reasons *r)
{
	if (r == NULL)
		return;
	g_array_unref(r->epochs);
	g_hash_table_unref(r->listeners);
	g_free(r);
}

/* Nothing that came so was seen since the MTA read its settings. */
static char *none_seen(const Reasons *r, const Epoch *epoch, const MsMail *mail)
{
	const char *list = mail->sendmail ? "INPUT_MAIL_FILTER"
		: mail->came == MS_CAME_LOCAL ? "non_smtpd_milters" : "smtpd_milters";
	bool before = false;
	for (guint i = 0; i < r->epochs->len; i++) {
		const Epoch *other = &g_array_index(r->epochs, Epoch, i);
		before |= other->instance == mail->instance && other->to <= epoch->from &&
			other->seen[mail->came] > 0;
	}
	if (before) {
		g_autofree char *at = ms_text_time(epoch->from, MS_ZONE_LOCAL, MS_TIME_SECONDS);
		return g_strdup_printf(
			"since the MTA read its settings at %s it shows the filter no mail that comes in so: "
			"the list of milters was emptied (%s)",
			at, list);
	}
	return g_strdup_printf(
		"%s shows the filter no mail that comes in %s: missent does not stand in %s",
		mail->instance, mail->came == MS_CAME_LOCAL ? "by local submission" : "so", list);
}

/* Others that came in the same way were seen. */
static char *not_this_reason(const MsMail *mail, const char *how, const char *why)
{
	return g_strdup_printf("the filter was shown other mail %s, but not this%s", how,
		mail->held ? ": it was held as it came in, and behind a milter that holds Postfix asks none; "
			     "let such mail go as missent held adopt judges it"
			   : why);
}

static char *listener_reason(const Reasons *r, const MsMail *mail)
{
	const char *name = mail->service != NULL ? mail->service : "?";
	if (seen_by(r, mail, false) == 0)
		return g_strdup_printf(
			"the listener %s shows the filter no mail, while others do: it has no milter "
			"(no_milters, or smtpd_milters of its own)",
			name);
	if (mail->pid != 0 && seen_by(r, mail, true) == 0)
		return g_strdup_printf(
			"a listener whose service is %s too (process %u) shows the filter no mail, while others do: it "
			"has no milter (no_milters, or smtpd_milters of its own)",
			name, mail->pid);
	g_autofree char *how = g_strdup_printf("of the listener %s", name);
	return not_this_reason(mail, how,
		mail->sendmail
			? " (a list of milters that changed)"
			: " (no_milters, smtpd_milter_maps, a list of milters that changed, or a sender whom "
			  "sender_canonical_maps or masquerade_domains made another)");
}

char *reason_of(const Reasons *r, const Node *node)
{
	const MsMail *mail = node->mail;
	if (mail->trouble != NULL)
		return g_strdup_printf(
			"fail-open: the MTA could not ask the filter and let it pass (%s)",
			mail->trouble);
	if (mail->unchecked)
		return g_strdup(
			"the filter could not check it, and let it go, since it only observes or is paused (its log says which)");
	if (mail->redirected)
		return g_strdup(
			"the MTA sent it elsewhere (REDIRECT of header_checks and the like): it shows such mail to no milter");
	const Epoch *epoch = epoch_of(r, mail);
	if ((mail->came == MS_CAME_SMTP || mail->came == MS_CAME_LOCAL) && epoch != NULL &&
		epoch->seen[mail->came] == 0 &&
		!(mail->came == MS_CAME_SMTP && epoch->seen[MS_CAME_LOCAL] > 0 &&
			!r->ever[MS_CAME_SMTP]))
		return none_seen(r, epoch, mail);
	switch (mail->came) {
	case MS_CAME_SMTP: return listener_reason(r, mail);
	case MS_CAME_LOCAL: return not_this_reason(mail, "that was submitted locally", "");
	case MS_CAME_BOUNCE:
		return g_strdup(
			"a bounce or a notice that the MTA made: it shows them to no milter");
	case MS_CAME_REQUEUED:
		return g_strdup(
			"put back into the queue (postsuper -r): it shows such mail to no milter, and where it was before is "
			"not in this log");
	case MS_CAME_SPLIT:
	case MS_CAME_FORWARDED:
	case MS_CAME_INTERNAL:
		return g_strdup(
			"made by the MTA itself (a notice, an alias, a forward): it shows such mail to no milter");
	case MS_CAME_UNKNOWN:
	case MS_N_CAME: break;
	}
	return g_strdup("it cannot be told why");
}
