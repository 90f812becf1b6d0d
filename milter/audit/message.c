#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/digest.h"
#include "missent/greeting.h"
#include "missent/identifier.h"
#include "missent/kind.h"
#include "missent/scan.h"

#include "audit_private.h"

/*
 * A message that was judged comes in, with what the engine knows of it; its line goes out as JSON.
 * Raw values end here: they become masked forms, and digests with the trail's key.  Every list is
 * bounded, and says how much it left out.  Runs in the thread of the message.
 */

#define ID_BYTES 12
#define KEY_NUMBER_BYTES 4

/* ---- digests -------------------------------------------------------------------------- */

static char *hex_of(
	const guint8 key[MS_AUDIT_KEY_BYTES], const char *domain, const char *value, guint bytes)
{
	guint8 out[MS_DIGEST_BYTES];
	const MsPiece pieces[] = {{domain, strlen(domain)}, {value, strlen(value)}};
	ms_digest_pieces(key, pieces, G_N_ELEMENTS(pieces), out);
	return ms_hex(out, bytes);
}

char *ms_audit_id(const guint8 key[MS_AUDIT_KEY_BYTES], const char *domain, const char *value)
{
	return hex_of(key, domain, value, ID_BYTES);
}

char *ms_audit_key_number(const guint8 key[MS_AUDIT_KEY_BYTES])
{
	return hex_of(key, "number of this key", "", KEY_NUMBER_BYTES);
}

/* What is no address is known again as it was written. */
static char *canonical_of(const char *address)
{
	g_autofree char *valid = g_utf8_make_valid(address, -1);
	char *canonical = ms_address_canonical(valid, strlen(valid));
	return canonical != NULL ? canonical : g_utf8_strdown(valid, -1);
}

char *ms_audit_id_of_address(const guint8 key[MS_AUDIT_KEY_BYTES], const char *address)
{
	g_autofree char *canonical = canonical_of(address);
	return ms_audit_id(key, "address", canonical);
}

/* ---- words ---------------------------------------------------------------------------- */

json_t *ms_audit_plain(const char *text)
{
	if (text == NULL)
		return json_null();
	gsize len = strlen(text);
	if (ms_scan_ascii(text, len) == len)
		return json_stringn_nocheck(text, len);
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	return json_string_nocheck(valid);
}

static json_t *masked(const char *text)
{
	if (text == NULL)
		return json_null();
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autofree char *mask = ms_identifier_masked("", valid);
	return json_string(mask);
}

char *ms_audit_stamp(gint64 microseconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC);
	g_autofree char *second = time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S")
					       : g_strdup("");
	return g_strdup_printf("%s.%03dZ", second, (int)(microseconds / 1000 % 1000));
}

/* Takes `text`, which is ASCII of our own. */
static json_t *taken(char *text)
{
	json_t *string = json_string_nocheck(text);
	g_free(text);
	return string;
}

static void set(json_t *object, const char *name, char *text)
{
	json_object_set_new_nocheck(object, name, taken(text));
}

static void set_more(json_t *object, const char *name, guint64 more)
{
	if (more > 0)
		json_object_set_new(object, name, json_integer((json_int_t)more));
}

/* Names of accounts as digests. */
static void set_accounts(
	json_t *object, const MsAuditMessage *m, const guint8 *key, MsAuditNames ask, guint index)
{
	if (key == NULL || ask == NULL)
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = ask(m->who, index, MS_AUDIT_NAMES, names);
	json_t *list = json_array();
	for (guint i = 0; i < MIN(names->len, MS_AUDIT_NAMES); i++) {
		g_autofree char *id = ms_audit_id(key, "account", names->pdata[i]);
		json_array_append_new(list, json_string_nocheck(id));
	}
	json_object_set_new_nocheck(object, "accounts", list);
	set_more(object, "accounts_more", all > MS_AUDIT_NAMES ? all - MS_AUDIT_NAMES : 0);
}

/* ---- who ------------------------------------------------------------------------------ */

/* An address and its domain. */
static void set_ids(json_t *row, const guint8 *key, const char *address, const char *id,
	const char *domain)
{
	g_autofree char *canonical = canonical_of(address);
	const char *at = strrchr(canonical, '@');
	json_object_set_new_nocheck(row, id, taken(ms_audit_id(key, "address", canonical)));
	json_object_set_new_nocheck(
		row, domain, taken(ms_audit_id(key, "domain", at != NULL ? at + 1 : "")));
}

/* What is another's to recipient `i`, by the identifiers' digests.  A message has MAX_PAIRS of
 * them in its line, and so many more pairs are looked at. */
#define MAX_PAIRS 5000
#define MAX_ASKED 1000000

typedef struct {
	guint told, asked;
} Pairs;

static void add_others(
	json_t *row, const MsAuditMessage *m, const guint8 *key, guint i, Pairs *pairs)
{
	if (key == NULL || m->other == NULL || m->reading == NULL)
		return;
	json_t *list = json_array();
	guint n = m->reading->findings->len, k = 0;
	for (; k < n && pairs->told < MAX_PAIRS && pairs->asked < MAX_ASKED; k++, pairs->asked++) {
		const MsFinding *f = m->reading->findings->pdata[k];
		if (!m->other(m->who, k, i))
			continue;
		g_autofree char *id = ms_audit_id(key, f->kind, f->value);
		json_array_append_new(list, json_string_nocheck(id));
		pairs->told++;
	}
	json_object_set_new_nocheck(row, "others", list);
	if (k < n)
		json_object_set_new_nocheck(row, "others_cut", json_true());
}

static json_t *recipient_of(const MsAuditMessage *m, const guint8 *key, guint i, Pairs *pairs)
{
	const char *address = m->envelope->recipients->pdata[i];
	json_t *row = json_object();
	json_object_set_new_nocheck(row, "address", masked(address));
	if (key != NULL)
		set_ids(row, key, address, "id", "domain");
	if (i < m->verdict->outcomes->len)
		json_object_set_new_nocheck(row, "outcome",
			json_string(ms_outcome_names[m->verdict->outcomes->data[i]]));
	if (i < m->verdict->withheld->len && m->verdict->withheld->data[i])
		json_object_set_new_nocheck(row, "withheld", json_true());
	set_accounts(row, m, key, m->accounts, i);
	if (i < m->verdict->outcomes->len && m->verdict->outcomes->data[i] == MS_OUTCOME_WRONG)
		add_others(row, m, key, i, pairs);
	return row;
}

/* Those for whom it is wrong come first where there are too many, as in the record. */
static void add_recipients(json_t *line, const MsAuditMessage *m, const guint8 *key)
{
	const MsVerdict *v = m->verdict;
	guint n = m->envelope->recipients->len;
	json_t *list = json_array();
	Pairs pairs = {0};
	for (int turn = n > MS_AUDIT_MAX ? 0 : 1; turn < 2; turn++)
		for (guint i = 0; i < n && json_array_size(list) < MS_AUDIT_MAX; i++) {
			bool wrong = i < v->outcomes->len &&
				v->outcomes->data[i] >= MS_OUTCOME_WRONG;
			if (n <= MS_AUDIT_MAX || wrong == (turn == 0))
				json_array_append_new(list, recipient_of(m, key, i, &pairs));
		}
	json_object_set_new_nocheck(line, "recipients", json_integer(n));
	set_more(line, "to_more", n - json_array_size(list));
	json_object_set_new_nocheck(line, "to", list);
}

static void add_sender(json_t *line, const MsAuditMessage *m, const guint8 *key)
{
	json_object_set_new_nocheck(line, "sender", masked(m->envelope->sender));
	if (key != NULL)
		set_ids(line, key, m->envelope->sender, "sender_id", "sender_domain");
}

/* ---- what ----------------------------------------------------------------------------- */

static json_t *reasons_of(const MsVerdict *verdict)
{
	json_t *list = json_array();
	for (guint i = 0; i < verdict->reasons->len && i < MS_MAX_REASONS; i++) {
		const MsReason *reason = verdict->reasons->pdata[i];
		g_autofree char *where = reason->where != NULL ? ms_place_masked(reason->where)
							       : NULL;
		json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:i}",
			"reason", ms_reason_names[reason->code], "policy", reason->policy, "action",
			ms_action_names[reason->action], "enforced", (int)reason->enforced, "kind",
			ms_audit_plain(reason->kind), "identifier", ms_audit_plain(reason->masked),
			"where", ms_audit_plain(where), "account", masked(reason->owner),
			"recipient", masked(reason->recipient), "recipients",
			(int)reason->recipients);
		json_array_append_new(list, row);
	}
	return list;
}

static guint owners_of(const MsAuditMessage *m, guint finding)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	return m->owners != NULL ? m->owners(m->who, finding, 1, names) : 0;
}

static json_t *identifier_of(const MsAuditMessage *m, const guint8 *key, guint i)
{
	const MsFinding *f = m->reading->findings->pdata[i];
	g_autofree char *mask = ms_identifier_masked(f->kind, f->value);
	g_autofree char *belief = ms_belief_words(f->belief);
	json_t *row = json_object();
	json_object_set_new_nocheck(row, "kind", ms_audit_plain(f->kind));
	json_object_set_new_nocheck(row, "identifier", ms_audit_plain(mask));
	if (key != NULL)
		set(row, "id", ms_audit_id(key, f->kind, f->value));
	json_object_set_new_nocheck(row, "belief", ms_audit_plain(belief));
	json_object_set_new_nocheck(row, "count", json_integer(f->count));
	set_accounts(row, m, key, m->owners, i);
	return row;
}

/* Those that somebody owns first; a tentative one that nobody owns is none. */
static void add_identifiers(json_t *line, const MsAuditMessage *m, const guint8 *key)
{
	const GPtrArray *findings = m->reading->findings;
	json_t *list = json_array();
	guint64 more = 0;
	for (int owned = 1; owned >= 0; owned--)
		for (guint i = 0; i < findings->len; i++) {
			const MsFinding *f = findings->pdata[i];
			bool has = owners_of(m, i) > 0;
			if (has != owned || (!has && (f->belief & MS_BELIEF_TENTATIVE)))
				continue;
			if (json_array_size(list) < MS_AUDIT_MAX)
				json_array_append_new(list, identifier_of(m, key, i));
			else
				more++;
		}
	json_object_set_new_nocheck(line, "identifiers", list);
	set_more(line, "identifiers_more", more);
}

static void count(json_t *counts, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(counts, name));
	json_object_set_new(counts, name, json_integer(n + 1));
}

static json_t *document_of(const MsPart *part)
{
	g_autofree char *ending = ms_name_ending(part->name);
	return json_pack("{s:s, s:o, s:I}", "type", ms_type_shown(part->actual), "ending",
		ms_audit_plain(ending), "size", (json_int_t)part->size);
}

/* The mail's own text, and that of each document in it, as digests of what was read of them. */
static json_t *texts_of(const MsReading *r, const guint8 *key)
{
	json_t *list = json_array();
	for (guint face = 0; face < MIN(r->texts->len, MS_READING_MAX_FACES); face++) {
		guint8 digest[MS_TEXT_DIGEST];
		if (!ms_reading_text(r, face, digest))
			continue;
		g_autofree char *hex = ms_hex(digest, sizeof digest);
		json_t *row = json_object();
		if (face < r->faces->len) {
			g_autofree char *where = ms_place_masked(r->faces->pdata[face]);
			json_object_set_new_nocheck(row, "where", json_string(where));
		}
		set(row, "id", ms_audit_id(key, "text", hex));
		json_array_append_new(list, row);
	}
	return list;
}

/* The words by which a directory knows names again, in the order in which they stand. */
static json_t *greeted_of(const MsReading *r, const guint8 *key)
{
	json_t *list = json_array();
	for (guint i = 0; i < r->greeted->len; i++) {
		g_auto(GStrv) words = ms_name_words(r->greeted->pdata[i]);
		for (char **w = words; *w && json_array_size(list) < MS_READING_MAX_GREETED; w++) {
			g_autofree char *id = ms_audit_id(key, MS_AUDIT_NAME, *w);
			json_array_append_new(list, json_string_nocheck(id));
		}
	}
	return list;
}

static void add_reading(json_t *line, const MsAuditMessage *m, const guint8 *key)
{
	const MsReading *r = m->reading;
	json_t *kinds = json_object(), *causes = json_object(), *documents = json_array();
	guint attached = 0;
	for (guint i = 0; i < r->findings->len; i++)
		count(kinds, ((MsFinding *)r->findings->pdata[i])->kind);
	for (guint i = 0; i < r->unread->len; i++)
		count(causes, ms_unread_name(((MsUnread *)r->unread->pdata[i])->reason));
	for (guint i = 0; i < r->parts->len; i++) {
		const MsPart *part = r->parts->pdata[i];
		if (part->attached && attached++ < MS_AUDIT_MAX)
			json_array_append_new(documents, document_of(part));
	}
	json_object_set_new_nocheck(line, "findings", json_integer(r->findings->len));
	json_object_set_new_nocheck(line, "findings_by_kind", kinds);
	json_object_set_new_nocheck(line, "unread", json_integer(r->unread->len));
	json_object_set_new_nocheck(line, "unread_causes", causes);
	json_object_set_new_nocheck(line, "parts", json_integer(r->parts->len));
	set_more(line, "documents_more", attached - json_array_size(documents));
	json_object_set_new_nocheck(line, "documents", documents);
	if (key != NULL) {
		json_object_set_new_nocheck(line, "texts", texts_of(r, key));
		json_object_set_new_nocheck(line, "greeted", greeted_of(r, key));
	}
	add_identifiers(line, m, key);
}

/* ---- how ------------------------------------------------------------------------------ */

#define MAX_POLICIES 100

static void add_policies(json_t *line, const MsVerdict *verdict)
{
	json_t *policies = json_array();
	for (guint i = 0; i < verdict->policies->len && i < MAX_POLICIES; i++)
		json_array_append_new(policies, ms_audit_plain(verdict->policies->pdata[i]));
	set_more(line, "policies_more", verdict->policies->len - json_array_size(policies));
	json_object_set_new_nocheck(line, "policies", policies);
}

/* What it was not known of, of policies that applied all the same: titles and conditions, nothing
 * of the mail. */
static void add_unsure(json_t *line, const MsVerdict *verdict)
{
	json_t *unsure = json_array();
	for (guint i = 0; i < verdict->unsure->len && i < MAX_POLICIES; i++)
		json_array_append_new(unsure, ms_audit_plain(verdict->unsure->pdata[i]));
	if (json_array_size(unsure) > 0) {
		set_more(line, "unsure_more", verdict->unsure->len - json_array_size(unsure));
		json_object_set(line, "unsure", unsure);
	}
	json_decref(unsure);
}

static json_t *versions_of(const MsAuditMessage *m)
{
	return json_pack("{s:o, s:o, s:o, s:I}", "policies", ms_audit_plain(m->policies), "kinds",
		ms_audit_plain(m->kinds), "mapping", ms_audit_plain(m->generation), "changes",
		(json_int_t)m->changes);
}

static void add_verdict(json_t *line, const MsAuditMessage *m)
{
	const MsVerdict *v = m->verdict;
	json_object_set_new_nocheck(line, "verdict", json_string(ms_action_names[v->action]));
	json_object_set_new_nocheck(line, "would", json_string(ms_action_names[v->would]));
	if (v->action == MS_DELAY)
		json_object_set_new_nocheck(line, "delay",
			json_pack("{s:I, s:s}", "seconds",
				(json_int_t)(v->delay_us / G_USEC_PER_SEC), "then",
				ms_action_names[v->delay_holds ? MS_HOLD : MS_DELIVER]));
	if (v->paused)
		json_object_set_new_nocheck(line, "paused", json_true());
	json_object_set_new_nocheck(line, "reasons", reasons_of(v));
	json_object_set_new_nocheck(line, "reasons_more",
		json_integer(v->more +
			(v->reasons->len > MS_MAX_REASONS ? v->reasons->len - MS_MAX_REASONS : 0)));
	if (m->trouble != NULL)
		json_object_set_new_nocheck(line, "trouble", ms_audit_plain(m->trouble));
	add_policies(line, v);
	add_unsure(line, v);
	json_object_set_new_nocheck(line, "versions", versions_of(m));
	json_object_set_new_nocheck(line, "microseconds",
		json_integer((json_int_t)(m->read_us + m->resolve_us + m->judge_us)));
	json_object_set_new_nocheck(line, "stages",
		json_pack("{s:I, s:I, s:I}", "read", (json_int_t)m->read_us, "resolve",
			(json_int_t)m->resolve_us, "judge", (json_int_t)m->judge_us));
}

void ms_audit_name(json_t *line, const MsEnvelope *envelope)
{
	json_object_set_new_nocheck(line, "host", ms_audit_plain(envelope->host));
	json_object_set_new_nocheck(line, "queue_id", ms_audit_plain(envelope->queue_id));
	set(line, "arrived", ms_audit_stamp(envelope->arrived));
}

json_t *ms_audit_line_of_message(const MsAuditMessage *m, const guint8 *key)
{
	const MsEnvelope *e = m->envelope;
	g_autofree char *number = key != NULL ? ms_audit_key_number(key) : NULL;
	json_t *line = ms_audit_line(e->canary ? MS_AUDIT_CANARY : MS_AUDIT_MESSAGE);
	if (line == NULL)
		return NULL;
	ms_audit_name(line, e);
	json_object_set_new_nocheck(line, "client", ms_audit_plain(e->client_address));
	json_object_set_new_nocheck(line, "key", ms_audit_plain(number));
	json_object_set_new_nocheck(line, "size", json_integer((json_int_t)e->size));
	if (m->record != NULL)
		json_object_set_new_nocheck(line, "record", json_string(m->record));
	add_sender(line, m, key);
	if (key != NULL && m->body != NULL)
		set(line, "body", ms_audit_id(key, "body", m->body));
	add_verdict(line, m);
	add_recipients(line, m, key);
	if (m->reading != NULL)
		add_reading(line, m, key);
	return line;
}
