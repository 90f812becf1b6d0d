/*
 * A record in memory: made of a judgement or read from the database, asked who has a right, and
 * freed.  Plain data of one message; no lock, no database (milter/ledger).  A record is one
 * thread's at a time.
 */
#include "config.h"

#include <string.h>

#include "missent/record.h"
#include "missent/text.h"

const char *const ms_state_names[MS_N_STATES + 1] = {"held", "observed", "released", "returned",
	"deleted", "gone", "delivered", NULL};
const char *const ms_held_place_names[MS_N_PLACES + 1] = {"queue", "spool", NULL};
const char *const ms_decision_state_names[MS_N_DECISION_STATES + 1] = {"waiting", "approved",
	"acting", "done", "failed", "withdrawn", NULL};

bool ms_state_is_decided(MsState state)
{
	return state == MS_STATE_RELEASED || state == MS_STATE_RETURNED ||
		state == MS_STATE_DELETED;
}

static void act_free(gpointer data)
{
	MsAct *act = data;
	g_free(act->who);
	g_free(act->what);
	g_free(act->why);
	g_free(act);
}

static void recipient_free(gpointer data)
{
	MsHeldRecipient *recipient = data;
	g_free(recipient->address);
	g_free(recipient->accounts);
	g_free(recipient);
}

static void finding_free(gpointer data)
{
	MsHeldFinding *finding = data;
	g_free(finding->kind);
	g_free(finding->masked);
	g_free(finding->ref);
	g_free(finding->owners);
	g_free(finding->belief);
	g_free(finding->where);
	g_free(finding->relations);
	g_free(finding);
}

void ms_decision_free(MsDecision *decision)
{
	if (decision == NULL)
		return;
	g_free(decision->id);
	g_free(decision->uid);
	g_free(decision->group);
	g_free(decision->recipients);
	g_free(decision->account);
	g_free(decision->identifier);
	g_free(decision->assignee);
	g_free(decision->who);
	g_free(decision->second);
	g_free(decision->why);
	g_free(decision->outcome);
	g_free(decision->token);
	g_free(decision->step);
	g_free(decision);
}

MsRecord *ms_record_new(void)
{
	MsRecord *record = g_new0(MsRecord, 1);
	record->damaged = g_strdup("");
	record->unclear = g_strdup("");
	record->recipients = g_ptr_array_new_with_free_func(recipient_free);
	MsVerdict *verdict = ms_verdict_new(); /* for its list of reasons */
	record->reasons = g_ptr_array_ref(verdict->reasons);
	ms_verdict_free(verdict);
	record->findings = g_ptr_array_new_with_free_func(finding_free);
	record->accounts = g_ptr_array_new_with_free_func(g_free);
	record->words = g_ptr_array_new_with_free_func(g_free);
	record->acts = g_ptr_array_new_with_free_func(act_free);
	record->decisions = g_ptr_array_new_with_free_func((GDestroyNotify)ms_decision_free);
	return record;
}

void ms_record_free(MsRecord *record)
{
	if (record == NULL)
		return;
	g_free(record->uid);
	g_free(record->host);
	g_free(record->queue_id);
	g_free(record->sender);
	g_free(record->digest);
	g_free(record->message);
	g_free(record->codes);
	g_free(record->policies);
	g_free(record->cause);
	g_free(record->subject);
	g_free(record->attached);
	g_free(record->assignee);
	g_free(record->damaged);
	g_free(record->unclear);
	g_ptr_array_unref(record->recipients);
	g_ptr_array_unref(record->reasons);
	g_ptr_array_unref(record->findings);
	g_ptr_array_unref(record->accounts);
	g_ptr_array_unref(record->words);
	g_ptr_array_unref(record->acts);
	g_ptr_array_unref(record->decisions);
	g_free(record);
}

void ms_record_recipient(MsRecord *record, const char *address, MsState state, MsOutcome outcome,
	const char *accounts)
{
	MsHeldRecipient *recipient = g_new0(MsHeldRecipient, 1);
	recipient->address = g_utf8_make_valid(address, -1);
	recipient->state = state;
	recipient->outcome = outcome;
	recipient->accounts = g_strdup(accounts);
	g_ptr_array_add(record->recipients, recipient);
	record->n_recipients = record->recipients->len;
}

void ms_record_finding(MsRecord *record, MsHeldFinding finding)
{
	finding.kind = g_strdup(finding.kind);
	finding.masked = g_strdup(finding.masked);
	finding.ref = g_strdup(finding.ref);
	finding.owners = g_strdup(finding.owners);
	finding.belief = g_strdup(finding.belief);
	finding.where = g_strdup(finding.where);
	finding.relations = g_strdup(finding.relations);
	g_ptr_array_add(record->findings, g_memdup2(&finding, sizeof finding));
}

char *ms_record_summary(const MsRecord *record)
{
	g_autoptr(GPtrArray) kinds = g_ptr_array_new();
	GString *out = g_string_new(record->codes);
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		if (r->kind == NULL || r->action < MS_SPLIT
			|| g_ptr_array_find_with_equal_func(kinds, r->kind, g_str_equal, NULL))
			continue;
		g_string_append_printf(out, "%s%s", kinds->len == 0 ? " (" : ", ", r->kind);
		g_ptr_array_add(kinds, r->kind);
	}
	g_string_append(out, kinds->len > 0 ? ")" : "");
	return g_string_free(out, FALSE);
}

GPtrArray *ms_record_rightful(const MsRecord *record)
{
	GPtrArray *list = g_ptr_array_new();
	for (guint i = 0; *record->damaged == '\0' && i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		if (to->state == MS_STATE_HELD && to->outcome == MS_OUTCOME_RIGHT)
			g_ptr_array_add(list, to->address);
	}
	return list;
}

/* ---- words ---------------------------------------------------------------------------- */

#define MAX_DAMAGE 500

void ms_record_damage(MsRecord *record, const char *field, const char *word)
{
	g_autofree char *safe = word != NULL ? ms_text_escape(word, -1, 40) : NULL;
	g_autofree char *note = safe != NULL ? g_strdup_printf("%s \"%s\"", field, safe)
					     : g_strdup(field);
	if (strlen(record->damaged) > MAX_DAMAGE || strstr(record->damaged, note) != NULL)
		return;
	char *all = g_strdup_printf(
		"%s%s%s", record->damaged, *record->damaged != '\0' ? ", " : "", note);
	g_free(record->damaged);
	record->damaged = all;
}

int ms_record_word(MsRecord *record, const char *field, const char *const *names, const char *word,
	int otherwise)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	ms_record_damage(record, field, word);
	return otherwise;
}
