/*
 * What a judgement leaves behind: the record of a held message, without a raw value in it.  The
 * thread that judges, or decides.
 */
#include "config.h"

#include <string.h>

#include "missent/clock.h"
#include "missent/digest.h"
#include "missent/engine.h"
#include "missent/text.h"

/* Another name of the same 16 bytes: the key of marks is the site's. */
static char *keyed(const MsRuntime *runtime, const char *domain, const char *text)
{
	guint8 key[MS_DIGEST_BYTES] = {0}, out[MS_DIGEST_BYTES];
	if (ms_runtime_directory(runtime) != NULL)
		ms_directory_filter_key(ms_runtime_directory(runtime), key);
	const MsPiece pieces[] = {{domain, strlen(domain)}, {text, strlen(text)}};
	ms_digest_pieces(key, pieces, G_N_ELEMENTS(pieces), out);
	return ms_hex(out, 12);
}

char *ms_engine_ref(const MsRuntime *runtime, const char *kind, const char *value)
{
	return keyed(runtime, kind, value);
}

/* MTAs and signers write other fields anew at each attempt. */
char *ms_engine_message(const MsRuntime *runtime, const MsReading *reading)
{
	static const char *const fields[] = {"Message-ID", "From", "To", "Cc", "Subject",
		"Reply-To", "Content-Type", "Content-Transfer-Encoding"};
	g_autoptr(GString) all = g_string_new(NULL);
	if (ms_reading_header(reading, fields[0]) == NULL)
		return g_strdup("");
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *value = ms_reading_header(reading, fields[i]);
		g_string_append_printf(all, "%s:%s\n", fields[i], value != NULL ? value : "");
	}
	return keyed(runtime, "message", all->str);
}

/* A record in the making. */
typedef struct {
	MsRecord *record;
	const MsRuntime *runtime;
	const MsJudgement *judgement;
	const MsResolution *resolution; /* the judgement's; NULL: it has none */
	GArray *order;                  /* of guint: recipients */
	GHashTable *accounts;           /* of char *: those of the record */
	guint looked_at;                /* names, of which many may be the same ones again */
} Making;

#define MAX_LOOKED_AT (20 * MS_HELD_ACCOUNTS)

static void add_accounts(Making *m, const GPtrArray *names, guint most)
{
	m->looked_at += names->len;
	for (guint i = 0; i < names->len && m->record->accounts->len < most; i++)
		if (!g_hash_table_contains(m->accounts, names->pdata[i])) {
			char *name = g_strdup(names->pdata[i]);
			g_ptr_array_add(m->record->accounts, name);
			g_hash_table_add(m->accounts, name);
		}
}

/* Some of the names, in words. */
static char *words_of(const GPtrArray *names, guint n)
{
	g_autoptr(GPtrArray) few = g_ptr_array_new();
	for (guint i = 0; i < MIN(names->len, MS_HELD_NAMES); i++)
		g_ptr_array_add(few, names->pdata[i]);
	return ms_text_list(few, n);
}

/* As in the envelope.  Of more than can be kept with their relations, those for whom the message is
 * wrong come first. */
static GArray *order_of(const MsEnvelope *envelope, const MsJudgement *judgement)
{
	guint n = envelope->recipients->len;
	GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(guint), n);
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < n; i++)
		g_array_append_val(n <= MS_HELD_RELATIONS ||
					judgement->verdict->outcomes->data[i] >= MS_OUTCOME_WRONG
				? order
				: others,
			i);
	g_array_append_vals(order, others->data, others->len);
	return order;
}

static void add_recipients(Making *m, const MsEnvelope *envelope)
{
	const MsVerdict *verdict = m->judgement->verdict;
	for (guint n = 0; n < m->order->len; n++) {
		guint i = g_array_index(m->order, guint, n);
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		bool room = m->record->accounts->len < MS_HELD_ACCOUNTS / 2 &&
			m->looked_at < MAX_LOOKED_AT;
		guint most = room ? MS_HELD_ACCOUNTS / 2 : MS_HELD_NAMES;
		guint all = m->resolution != NULL
			? ms_resolution_accounts_of(m->resolution, i, most, names)
			: 0;
		g_autofree char *words = words_of(names, all);
		bool held = verdict->action == MS_HOLD || verdict->action == MS_DELAY
			|| (verdict->action == MS_SPLIT && verdict->withheld->data[i]);
		ms_record_recipient(m->record, envelope->recipients->pdata[i],
			held ? MS_STATE_HELD : MS_STATE_DELIVERED,
			(MsOutcome)verdict->outcomes->data[i], words);
		add_accounts(m, names, MS_HELD_ACCOUNTS / 2);
	}
}

/* Of a recipient whom the directory does not know, nothing is known to be another's. */
static char relation_letter(const Making *m, guint finding, guint recipient)
{
	if (m->resolution == NULL
		|| m->judgement->verdict->outcomes->data[recipient] == MS_OUTCOME_UNKNOWN_RECIPIENT)
		return '?';
	return "ohx?"[ms_resolution_relation(m->resolution, finding, recipient)];
}

static char *relations_of(const Making *m, guint finding)
{
	GString *out = g_string_new(NULL);
	for (guint n = 0; n < MIN(m->order->len, MS_HELD_RELATIONS); n++)
		g_string_append_c(
			out, relation_letter(m, finding, g_array_index(m->order, guint, n)));
	return g_string_free(out, FALSE);
}

static void add_finding(Making *m, guint index)
{
	const MsFinding *f = m->judgement->reading->findings->pdata[index];
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = m->resolution != NULL
		? ms_resolution_owners(m->resolution, index, MS_HELD_NAMES, names)
		: 0;
	g_autofree char *masked = ms_identifier_masked(f->value);
	g_autofree char *ref = ms_engine_ref(m->runtime, f->kind, f->value);
	g_autofree char *words = words_of(names, all);
	g_autofree char *belief = ms_belief_words(f->belief);
	g_autofree char *relations = relations_of(m, index);
	g_autofree char *where =
		ms_place_masked(f->places->len > 0 ? ((MsPlace *)f->places->pdata[0])->where : "");
	ms_record_finding(m->record,
		(MsHeldFinding){f->kind, masked, ref, words, belief, where, f->count, relations});
}

/* Those that somebody owns come first; a tentative one that nobody owns says nothing. */
static void add_findings(Making *m)
{
	const GPtrArray *findings = m->judgement->reading->findings;
	for (int owned = 1; owned >= 0; owned--) {
		for (guint i = 0; i < findings->len && m->record->findings->len < MS_HELD_FINDINGS;
			i++) {
			const MsFinding *f = findings->pdata[i];
			bool has = m->resolution != NULL &&
				ms_resolution_is_owned(m->resolution, i);
			if (has == owned && (has || !(f->belief & MS_BELIEF_TENTATIVE)))
				add_finding(m, i);
		}
	}
}

/* Whose the message is about, by all that was found in it. */
static void add_owners(Making *m)
{
	const GPtrArray *findings = m->judgement->reading->findings;
	m->looked_at = 0;
	for (guint i = 0; m->resolution != NULL && i < findings->len && m->looked_at < MAX_LOOKED_AT
		&& m->record->accounts->len < MS_HELD_ACCOUNTS; i++) {
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		ms_resolution_owners(m->resolution, i, MS_HELD_ACCOUNTS, names);
		add_accounts(m, names, MS_HELD_ACCOUNTS);
	}
}

/* What those for whom it is held would have got, in the words of the outcomes. */
static char *outcomes_of(const MsRecord *record)
{
	bool has[MS_N_OUTCOMES] = {false};
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		has[to->outcome] = has[to->outcome] || to->state == MS_STATE_HELD;
	}
	for (guint i = 0; i < MS_N_OUTCOMES; i++)
		if (has[i])
			g_string_append_printf(
				out, "%s%s", out->len > 0 ? " and " : "", ms_outcome_names[i]);
	return g_string_free(out, FALSE);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "", or what `text_of` has of each reason that keeps it, each once, in one order whatever the
 * order of the reasons. */
static char *of_reasons(const MsRecord *record, const char *(*text_of)(const MsReason *reason))
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *r = record->reasons->pdata[i];
		char *text = r->action >= MS_SPLIT ? (char *)text_of(r) : NULL;
		if (text != NULL && g_hash_table_add(seen, text))
			g_ptr_array_add(words, text);
	}
	g_ptr_array_sort(words, compare_texts);
	return ms_text_list(words, words->len);
}

/* What a stopped stream adds to its mail is no cause beside one of its own: of two that are alike
 * one came before it was stopped. */
static const char *code_of(const MsReason *reason)
{
	return reason->code != MS_BREAKER ? ms_reason_names[reason->code] : NULL;
}

static const char *kind_of(const MsReason *reason)
{
	return reason->code != MS_BREAKER ? reason->kind : NULL;
}

static const char *policy_of(const MsReason *reason)
{
	return reason->code != MS_BREAKER ? reason->policy : NULL;
}

static const char *any_policy_of(const MsReason *reason)
{
	return reason->policy;
}

/* "mismatch (customer-number, iban), for wrong, invoices, <billing@example.com>": what a group of
 * messages that one change in the billing system broke has in common.  Only what holds counts: what
 * is noted beside it may differ in each.  Messages whose recipients would get different things are
 * never in one group: who decides on it decides one question. */
static char *cause_of(const MsRecord *record)
{
	g_autofree char *codes = of_reasons(record, code_of);
	g_autofree char *kinds = of_reasons(record, kind_of);
	g_autofree char *own = of_reasons(record, policy_of);
	g_autofree char *any = of_reasons(record, any_policy_of);
	g_autofree char *outcomes = outcomes_of(record);
	const char *alone = *any != '\0' ? ms_reason_names[MS_BREAKER]
		: *record->codes != '\0' ? record->codes
					 : "nothing";
	return g_strdup_printf("%s%s%s%s, for %s, %s, <%s>", *codes != '\0' ? codes : alone,
		*kinds != '\0' ? " (" : "", kinds, *kinds != '\0' ? ")" : "",
		*outcomes != '\0' ? outcomes : "nobody",
		*own != '\0'         ? own
			: *any != '\0' ? any
				       : record->policies,
		record->sender);
}

char *ms_engine_cause_again(const MsRecord *again)
{
	for (guint i = 0; i < again->recipients->len; i++)
		((MsHeldRecipient *)again->recipients->pdata[i])->state = MS_STATE_HELD;
	return cause_of(again);
}

/* ---- at a glance ---------------------------------------------------------------------- */

static void add_glance(MsRecord *record, const MsRuntime *runtime, const MsReading *reading)
{
	const char *subject = ms_reading_header(reading, "Subject");
	g_autoptr(GString) endings = g_string_new(NULL);
	g_autoptr(GPtrArray)
		words = ms_engine_subject_words(runtime, subject != NULL ? subject : "");
	for (guint i = 0; i < words->len; i++)
		g_ptr_array_add(record->words, g_strdup(words->pdata[i]));
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *part = reading->parts->pdata[i];
		g_autofree char *ending = part->attached ? ms_name_ending(part->name) : NULL;
		if (ending != NULL && strstr(endings->str, ending) == NULL && endings->len < 40)
			g_string_append_printf(
				endings, "%s%s", endings->len > 0 ? ", " : "", ending);
	}
	record->attached = g_string_free(g_steal_pointer(&endings), FALSE);
	bool whole = ms_runtime_settings(runtime)->review.subjects;
	record->subject = ms_subject_shown(subject != NULL ? subject : "", whole);
}

GPtrArray *ms_engine_subject_words(const MsRuntime *runtime, const char *text)
{
	g_autoptr(GPtrArray) words = ms_subject_words(text);
	GPtrArray *digests = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < words->len; i++)
		g_ptr_array_add(digests, keyed(runtime, "word of a subject", words->pdata[i]));
	return digests;
}

MsRecord *ms_engine_record(const MsRuntime *runtime, const MsEnvelope *envelope,
	const MsJudgement *judgement, const char *digest)
{
	MsVerdict *verdict = judgement->verdict;
	MsRecord *r = ms_record_new();
	r->state = verdict->action <= MS_TAG ? MS_STATE_OBSERVED : MS_STATE_HELD;
	r->place = verdict->action == MS_SPLIT ? MS_PLACE_SPOOL : MS_PLACE_QUEUE;
	r->host = g_strdup(envelope->host);
	r->queue_id = g_strdup(envelope->queue_id != NULL ? envelope->queue_id : "");
	r->sender = g_utf8_make_valid(envelope->sender, -1);
	r->arrived = envelope->arrived;
	r->size = envelope->size;
	r->digest = g_strdup(digest);
	r->message = ms_engine_message(runtime, judgement->reading);
	r->is_signed = ms_reading_header(judgement->reading, "DKIM-Signature") != NULL;
	r->codes = ms_verdict_codes(verdict, MS_TAG);
	r->policies = ms_text_list(verdict->policies, verdict->policies->len);
	g_ptr_array_unref(r->reasons);
	r->reasons = g_ptr_array_ref(verdict->reasons);
	r->assignee = g_strdup("");
	if (verdict->action == MS_DELAY) {
		r->waits_since = ms_clock_now();
		r->due = r->waits_since + verdict->delay_us;
	}
	g_autoptr(GArray) order = order_of(envelope, judgement);
	g_autoptr(GHashTable) accounts = g_hash_table_new(g_str_hash, g_str_equal);
	Making making = {r, runtime, judgement, judgement->resolution, order, accounts, 0};
	add_recipients(&making, envelope);
	r->cause = cause_of(r);
	add_findings(&making);
	add_owners(&making);
	add_glance(r, runtime, judgement->reading);
	return r;
}
