/*
 * Other hosts' audit trails: every so often each host is asked for its checkpoint and for the
 * proof that it continues the one that is kept here, and its own trail has what was taken.  One
 * that does not is refused, and an alert, until somebody believes the new one (missent audit
 * witness --forget).  What others ask of us comes through Redis, sealed; the checkpoint that they
 * keep comes with it, and Redis keeps one too: our own trail has to have both.  One thread asks;
 * many answer.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/log.h"
#include "missent/witness.h"

#include "agent.h"

#define WAIT_MS 15000

/* What `who` remembers of our own trail, which has to have it; false: it has not. */
static bool take_reminder(const Agent *agent, const char *who, const char *note)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	g_autoptr(GError) error = NULL;
	if (*note == '\0' || ms_audit_remind(s->audit_file, note, &error) ||
		!g_error_matches(error, MS_ERROR, MS_ERROR_INPUT))
		return true;
	g_autofree char *detail = g_strdup_printf(
		"%s remembers another one, or more of it: %s", who, error->message);
	ms_log(LOG_CRIT, NULL, "audit trail of this host: %s", detail);
	ms_alert_leave(s->state_dir, MS_ALERT_AUDIT, detail);
	return false;
}

json_t *agent_trail(Agent *agent, const json_t *ask, GError **error)
{
	gint64 size = json_integer_value(json_object_get(ask, "size"));
	take_reminder(agent, "another host", agent_word(ask, "kept"));
	return ms_witness_answer(
		ms_desk_settings(agent->desk)->audit_file, (guint64)MAX(size, 0), error);
}

/* `kept` of it; NULL: it does not answer now. */
static json_t *ask_for(MsLink *link, const char *host, const MsCheckpoint *kept)
{
	json_t *ask = json_pack("{s:{s:I, s:s}}", "trail", "size", (json_int_t)kept->size, "kept",
		kept->text != NULL ? kept->text : "");
	char *text = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	g_autofree char *reply = ms_link_ask(link, host, text, WAIT_MS, NULL);
	free(text);
	json_t *out = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
	if (out != NULL && !json_is_true(json_object_get(out, "ok")))
		g_clear_pointer(&out, json_decref);
	return out;
}

/* It is in our trail too: who rewrites his own has that against him. */
static void note_taken(Agent *agent, const char *host, const json_t *answer, bool resumed)
{
	const char *type = resumed ? MS_AUDIT_RESUMED : MS_AUDIT_WITNESS;
	g_autofree char *line = ms_checkpoint_line(agent_word(answer, "checkpoint"));
	g_autofree char *detail = g_strdup_printf("%s %s", host, line);
	g_autoptr(GError) error = NULL;
	if (!ms_audit_note(agent->audit, type, "missent-agent", detail, &error))
		ms_log(LOG_ERR, NULL, "audit: %s", error->message);
}

/* Told once for as long as it is so. */
static void note_refused(Agent *agent, GHashTable *refused, const char *host, const char *why)
{
	if (g_strcmp0(g_hash_table_lookup(refused, host), why) == 0)
		return;
	g_autofree char *detail = g_strdup_printf("%s: %s", host, why);
	g_hash_table_replace(refused, g_strdup(host), g_strdup(why));
	ms_log(LOG_CRIT, NULL, "audit trail of another host: %s", detail);
	ms_audit_note(agent->audit, MS_AUDIT_REFUSED, "missent-agent", detail, NULL);
}

static void look_at(Agent *agent, MsLink *link, const char *host, GHashTable *refused)
{
	const MsSettings *s = agent_settings(agent);
	const char *folder = s->checkpoints.witness;
	g_auto(MsKept) kept = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *why = NULL;
	MsWitness how = MS_WITNESS_SAME;
	ms_witness_kept(folder, host, &kept, &error);
	if (error != NULL) {
		note_refused(agent, refused, host, error->message);
		return;
	}
	json_t *answer = ask_for(link, host, &kept.checkpoint);
	if (answer == NULL)
		return;
	if (!ms_witness_take(folder, host, answer, s->checkpoints.keep_ms, &how, &why, &error))
		ms_log(LOG_ERR, NULL, "audit trail of %s: %s", host, error->message);
	else if (how == MS_WITNESS_REFUSED)
		note_refused(agent, refused, host, why);
	else
		g_hash_table_remove(refused, host);
	bool resumed = how == MS_WITNESS_RESUMED;
	if (error == NULL && resumed)
		ms_log(LOG_NOTICE, NULL,
			"audit trail of %s: taken again; no proof leads to it from the checkpoint that was kept, "
			"for the lines between are older than they are kept",
			host);
	if (error == NULL && (how == MS_WITNESS_FIRST || how == MS_WITNESS_GREW || resumed))
		note_taken(agent, host, answer, resumed);
	json_decref(answer);
}

/* What is refused, for who looks at alerts; "" where nothing is. */
static void leave(const Agent *agent, GHashTable *refused)
{
	g_autoptr(GString) all = g_string_new(NULL);
	GHashTableIter iter;
	gpointer host, why;
	g_hash_table_iter_init(&iter, refused);
	while (g_hash_table_iter_next(&iter, &host, &why))
		g_string_append_printf(
			all, "%s%s: %s", all->len > 0 ? "; " : "", (char *)host, (char *)why);
	ms_alert_leave(ms_desk_settings(agent->desk)->state_dir, MS_ALERT_WITNESS, all->str);
}

/* Redis is not restored with us.  What it has against the trail it keeps, until the true one is
 * back or another one begins: there may be nobody else to say so. */
static void look_at_own(const Agent *agent, MsLink *link)
{
	g_autofree char *note = ms_link_recall(link, NULL), *now = NULL;
	if (note == NULL)
		return;
	if (take_reminder(agent, "Redis", note) && ms_audit_publish(agent->audit, &now, NULL) &&
		now != NULL)
		ms_link_remember(link, now, NULL);
}

static void look_at_all(Agent *agent, MsLink *link, GHashTable *refused)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	g_autoptr(GPtrArray) hosts = ms_link_hosts(link, NULL);
	gint64 now = g_get_real_time();
	look_at_own(agent, link); /* before anything is written into it */
	for (guint i = 0; hosts != NULL && i < hosts->len && !agent_stopping; i++) {
		const MsLinkHost *host = hosts->pdata[i];
		if (strcmp(host->name, s->host) != 0 && now - host->seen < MS_LINK_ALIVE_US)
			look_at(agent, link, host->name, refused);
	}
	leave(agent, refused);
}

#define FIRST_US (2 * (gint64)G_USEC_PER_SEC) /* the hosts say that they live first */

void *agent_watch_trails(void *user)
{
	Agent *agent = user;
	const MsSettings *s = ms_desk_settings(agent->desk);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLink) link = ms_link_open(s, true, &error);
	g_autoptr(GHashTable)
		refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gint64 next = g_get_monotonic_time() + FIRST_US;
	if (link == NULL)
		ms_log(LOG_ERR, NULL, "audit trails of other hosts: %s", error->message);
	while (link != NULL && !agent_stopping) {
		gint64 now = g_get_monotonic_time();
		if (now >= next && !agent->impostor) {
			look_at_all(agent, link, refused);
			next = g_get_monotonic_time() + s->checkpoints.every_ms * 1000;
		}
		g_usleep(G_USEC_PER_SEC / 4);
	}
	return NULL;
}
