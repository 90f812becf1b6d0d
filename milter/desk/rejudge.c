/*
 * Judged again.  The message is read where it can be.  Where it cannot, because it is gone, or
 * the MTA does not show it, the record is what there is: whose each identifier was that it names,
 * and today's directory says for which accounts each recipient may receive, and which accounts
 * receive for others.  That can show that
 * somebody must not have the message; that he may have it, only where the record names all that
 * was found and nothing else stood against it.  Else his outcome stays.  A record comes in, its
 * outcomes are written; any thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "desk_private.h"

/* ---- by the message ------------------------------------------------------------------- */

/* Who has it already is nobody of whom something is to be decided. */
static void leave_held(const MsRecord *record, MsRecord *again)
{
	g_autoptr(GPtrArray) held = desk_held_for(record, "");
	g_autoptr(GHashTable) open = desk_set(held);
	guint kept = 0;
	for (guint i = 0; i < again->recipients->len; i++) {
		MsHeldRecipient *to = again->recipients->pdata[i];
		if (!g_hash_table_contains(open, to->address))
			continue;
		again->recipients->pdata[i] = again->recipients->pdata[kept];
		again->recipients->pdata[kept++] = to;
	}
	g_ptr_array_set_size(again->recipients, (gint)kept);
}

static MsRecord *judge_message(Desk *desk, const MsRecord *record, int fd, GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	if (!desk_judge(desk, record, fd, &judgement, error))
		return NULL;
	const char *why = judgement->resolution == NULL ? "the directory cannot be asked now"
		/* nobody objects, for nobody looks */
		: judgement->verdict->policies->len == 0 ? "no policy of today is for it" : NULL;
	if (why != NULL) {
		desk_fail(error, "%s: %s, so nothing was judged", record->queue_id, why);
		return NULL;
	}
	g_autoptr(MsEnvelope) envelope = desk_envelope(record);
	MsRecord *again = ms_engine_record(desk->runtime, envelope, judgement, record->digest);
	leave_held(record, again);
	return again;
}

/* ---- by the record -------------------------------------------------------------------- */

typedef struct {
	const MsRecord *record;
	MsResolution *resolution; /* of its recipients, today */
	GHashTable *receivers;    /* an owner to a GPtrArray: who receives for it, today */
	/* the record names all that was found, and nothing else was against it */
	bool whole;
} Evidence;

/* Names that are not told. */
static bool is_cut(const char *names)
{
	guint more;
	g_auto(GStrv) told G_GNUC_UNUSED = ms_text_list_apart(names, &more);
	return more > 0;
}

static bool is_whole(const MsRecord *record)
{
	static const MsReasonCode against[] = {
		MS_UNREADABLE, MS_CONTRADICTION, MS_UNPROVEN, MS_DIRECTORY_UNAVAILABLE};
	g_auto(GStrv) codes = g_strsplit(record->codes, ", ", -1);
	for (gsize i = 0; i < G_N_ELEMENTS(against); i++)
		if (g_strv_contains((const char *const *)codes, ms_reason_names[against[i]]))
			return false;
	for (guint i = 0; i < record->findings->len; i++)
		if (is_cut(((MsHeldFinding *)record->findings->pdata[i])->owners))
			return false;
	return record->findings->len < MS_HELD_FINDINGS && *record->damaged == '\0';
}

/* Reviewers may have said since whose it is too. */
static bool was_corrected_to(const MsRecord *record, const char *ref, GHashTable *accounts)
{
	for (guint i = 0; i < record->decisions->len; i++) {
		const MsDecision *d = record->decisions->pdata[i];
		if (d->verb == MS_VERB_BELONGS && d->state == MS_DECISION_DONE &&
			strcmp(d->identifier, ref) == 0 &&
			g_hash_table_contains(accounts, d->account))
			return true;
	}
	return false;
}

static bool any_is_among(const GPtrArray *names, GHashTable *accounts)
{
	for (guint i = 0; i < names->len; i++)
		if (g_hash_table_contains(accounts, names->pdata[i]))
			return true;
	return false;
}

/* One of these owners', or of those who receive for it. */
static bool may_have(const Evidence *e, const char *owners, GHashTable *accounts)
{
	g_auto(GStrv) each = ms_text_list_apart(owners, NULL);
	for (int i = 0; each[i] != NULL; i++)
		if (g_hash_table_contains(accounts, each[i]) ||
			any_is_among(g_hash_table_lookup(e->receivers, each[i]), accounts))
			return true;
	return false;
}

/* What the identifiers that the record names say of its recipient `nth`. */
static MsOutcome outcome_of(const Evidence *e, guint nth, GHashTable *accounts)
{
	bool own = false;
	if (g_hash_table_size(accounts) == 0)
		return MS_OUTCOME_UNKNOWN_RECIPIENT;
	for (guint i = 0; i < e->record->findings->len; i++) {
		const MsHeldFinding *f = e->record->findings->pdata[i];
		char relation = nth < strlen(f->relations) ? f->relations[nth] : '?';
		if (*f->owners == '\0' || relation == 'h')
			continue;
		bool his = may_have(e, f->owners, accounts) ||
			was_corrected_to(e->record, f->ref, accounts);
		if (!his && !is_cut(f->owners))
			return MS_OUTCOME_WRONG;
		own = own || his;
	}
	return own ? MS_OUTCOME_RIGHT : MS_OUTCOME_UNPROVEN;
}

static MsOutcome settle(const Evidence *e, guint nth, GHashTable *accounts)
{
	MsOutcome before = ((MsHeldRecipient *)e->record->recipients->pdata[nth])->outcome;
	MsOutcome now = outcome_of(e, nth, accounts);
	if (ms_resolution_is_house(e->resolution, nth))
		return before; /* whether the house may have it, a policy says */
	return now >= before || e->whole ? now : before;
}

static void add_recipient(const Evidence *e, guint nth, MsRecord *again)
{
	const MsHeldRecipient *to = e->record->recipients->pdata[nth];
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = ms_resolution_accounts_of(e->resolution, nth, MS_HELD_ACCOUNTS, names);
	g_autoptr(GHashTable) accounts = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < names->len; i++)
		g_hash_table_add(accounts, names->pdata[i]);
	g_ptr_array_set_size(names, (gint)MIN(names->len, MS_HELD_NAMES));
	g_autofree char *words = ms_text_list(names, all);
	ms_record_recipient(again, to->address, MS_STATE_HELD, settle(e, nth, accounts), words);
}

static MsResolution *resolve(Desk *desk, const MsRecord *record, GError **error)
{
	MsRuntime *runtime = desk_runtime(desk, error);
	g_autoptr(GPtrArray) addresses = g_ptr_array_new();
	MsResolution *resolution = NULL;
	for (guint i = 0; i < record->recipients->len; i++)
		g_ptr_array_add(
			addresses, ((MsHeldRecipient *)record->recipients->pdata[i])->address);
	if (runtime == NULL ||
		ms_directory_resolve(ms_runtime_directory(runtime), NULL, 0,
			(const char *const *)addresses->pdata, addresses->len, &resolution,
			error) != MS_FOUND)
		return NULL;
	if (ms_resolution_over(resolution) == NULL)
		return resolution;
	desk_fail(error, "%s: %s, so nothing was judged", record->queue_id,
		ms_resolution_over(resolution));
	ms_resolution_free(resolution);
	return NULL;
}

static bool ask_receivers(
	MsDirectory *directory, const char *owners, GHashTable *receivers, GError **error)
{
	g_auto(GStrv) each = ms_text_list_apart(owners, NULL);
	for (int i = 0; each[i] != NULL; i++) {
		if (g_hash_table_contains(receivers, each[i]))
			continue;
		GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(receivers, g_strdup(each[i]), list);
		if (ms_directory_holders(directory, MS_ROW_RECEIVES_FOR, each[i], list, error) !=
			MS_FOUND)
			return false;
	}
	return true;
}

static MsRecord *judge_record(Desk *desk, const MsRecord *record, GError **error)
{
	g_autoptr(MsResolution) resolution = resolve(desk, record, error);
	g_autoptr(GHashTable) receivers = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	if (resolution == NULL)
		return NULL;
	MsDirectory *directory = ms_runtime_directory(desk->runtime);
	for (guint i = 0; i < record->findings->len; i++) {
		const MsHeldFinding *f = record->findings->pdata[i];
		if (!ask_receivers(directory, f->owners, receivers, error))
			return NULL;
	}
	Evidence e = {record, resolution, receivers, is_whole(record)};
	MsRecord *again = ms_record_new();
	again->sender = g_strdup(record->sender);
	again->codes = g_strdup(record->codes);
	g_ptr_array_unref(again->reasons);
	again->reasons = g_ptr_array_ref(record->reasons);
	for (guint i = 0; i < record->recipients->len; i++)
		add_recipient(&e, i, again);
	leave_held(record, again);
	return again;
}

/* ---- either --------------------------------------------------------------------------- */

bool desk_rejudge(
	Desk *desk, const MsRecord *record, const char *who, char **how_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	int fd = desk_open_message(desk, record, &why);
	g_autoptr(MsRecord) again = fd >= 0 ? judge_message(desk, record, fd, error)
					    : judge_record(desk, record, error);
	g_autofree char *how = fd >= 0
		? g_strdup("")
		: g_strdup_printf(
			  "by the record alone, since the message cannot be read (%s): whose its identifiers "
			  "were then, for whom its recipients may receive now%s",
			  why->message,
			  is_whole(record)
				  ? ""
				  : "; it does not name all that was in it, so nobody's outcome got better");
	if (fd >= 0)
		close(fd);
	if (again == NULL)
		return false;
	g_autofree char *cause = ms_engine_cause_again(again);
	if (!ms_records_rejudge(desk->ledger, record, again->recipients, who, how, error)
		|| !ms_records_recause(desk->ledger, record->id, cause, error))
		return false;
	*how_out = g_steal_pointer(&how);
	return true;
}
