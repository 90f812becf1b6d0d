/*
 * A message that was judged comes in, with what the engine knows of it; its line goes out as JSON,
 * written as it is found: a tree of it would cost more than all else here.
 * Raw values end here: they become masked forms, and digests with the trail's key.  Every list is
 * bounded, and says how much it left out.  Runs in the thread of the message.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "missent/digest.h"
#include "missent/greeting.h"
#include "missent/identifier.h"
#include "missent/kind.h"

#include "audit_private.h"

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

static void put_masked(GString *out, const char *name, const char *text)
{
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
	g_autofree char *mask = text != NULL ? ms_identifier_masked(valid) : NULL;
	ms_put_text(out, name, mask);
}

/* "" for a time that has no date. */
char *ms_audit_stamp(gint64 microseconds)
{
	const time_t seconds = microseconds / G_USEC_PER_SEC;
	struct tm t;
	if (gmtime_r(&seconds, &t) == NULL || t.tm_year < 1 - 1900 || t.tm_year > 9999 - 1900)
		return g_strdup("");
	return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900,
		t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
		(int)(microseconds / 1000 % 1000));
}

static void put_id(
	GString *out, const char *name, const guint8 *key, const char *domain, const char *value)
{
	g_autofree char *id = ms_audit_id(key, domain, value);
	ms_put_text(out, name, id);
}

static void put_more(GString *out, const char *name, guint64 more)
{
	if (more > 0)
		ms_put_integer(out, name, (gint64)more);
}

/* Names of accounts as digests. */
static void put_accounts(
	GString *out, const MsAuditMessage *m, const guint8 *key, MsAuditNames ask, guint index)
{
	if (key == NULL || ask == NULL)
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = ask(m->who, index, MS_AUDIT_NAMES, names);
	ms_put_open(out, "accounts", '[');
	for (guint i = 0; i < MIN(names->len, MS_AUDIT_NAMES); i++)
		put_id(out, NULL, key, "account", names->pdata[i]);
	ms_put_close(out, ']');
	put_more(out, "accounts_more", all > MS_AUDIT_NAMES ? all - MS_AUDIT_NAMES : 0);
}

/* ---- who ------------------------------------------------------------------------------ */

/* An address and its domain. */
static void put_ids(GString *out, const guint8 *key, const char *address, const char *id,
	const char *domain)
{
	g_autofree char *canonical = canonical_of(address);
	const char *at = strrchr(canonical, '@');
	put_id(out, id, key, "address", canonical);
	put_id(out, domain, key, "domain", at != NULL ? at + 1 : "");
}

/* What is another's to recipient `i`, by the identifiers' digests.  A message has MAX_PAIRS of
 * them in its line, and so many more pairs are looked at. */
#define MAX_PAIRS 5000
#define MAX_ASKED 1000000

typedef struct {
	guint told, asked;
} Pairs;

static void put_others(
	GString *out, const MsAuditMessage *m, const guint8 *key, guint i, Pairs *pairs)
{
	if (key == NULL || m->other == NULL || m->reading == NULL)
		return;
	guint n = m->reading->findings->len, k = 0;
	ms_put_open(out, "others", '[');
	for (; k < n && pairs->told < MAX_PAIRS && pairs->asked < MAX_ASKED; k++, pairs->asked++) {
		const MsFinding *f = m->reading->findings->pdata[k];
		if (!m->other(m->who, k, i))
			continue;
		put_id(out, NULL, key, f->kind, f->value);
		pairs->told++;
	}
	ms_put_close(out, ']');
	if (k < n)
		ms_put_truth(out, "others_cut", true);
}

static void put_recipient(
	GString *out, const MsAuditMessage *m, const guint8 *key, guint i, Pairs *pairs)
{
	const char *address = m->envelope->recipients->pdata[i];
	const MsVerdict *v = m->verdict;
	ms_put_open(out, NULL, '{');
	put_masked(out, "address", address);
	if (key != NULL)
		put_ids(out, key, address, "id", "domain");
	if (i < v->outcomes->len)
		ms_put_text(out, "outcome", ms_outcome_names[v->outcomes->data[i]]);
	if (v->action == MS_SPLIT && i < v->withheld->len && v->withheld->data[i])
		ms_put_truth(out, "withheld", true);
	put_accounts(out, m, key, m->accounts, i);
	if (i < v->outcomes->len && v->outcomes->data[i] == MS_OUTCOME_WRONG)
		put_others(out, m, key, i, pairs);
	ms_put_close(out, '}');
}

/* Those for whom it is wrong come first where there are too many, as in the record. */
static void put_recipients(GString *out, const MsAuditMessage *m, const guint8 *key)
{
	const MsVerdict *v = m->verdict;
	guint n = m->envelope->recipients->len, told = 0;
	Pairs pairs = {0};
	ms_put_integer(out, "recipients", n);
	put_more(out, "to_more", n - MIN(n, MS_AUDIT_MAX));
	ms_put_open(out, "to", '[');
	for (int turn = n > MS_AUDIT_MAX ? 0 : 1; turn < 2; turn++)
		for (guint i = 0; i < n && told < MS_AUDIT_MAX; i++) {
			bool wrong = i < v->outcomes->len &&
				v->outcomes->data[i] >= MS_OUTCOME_WRONG;
			if (n <= MS_AUDIT_MAX || wrong == (turn == 0)) {
				put_recipient(out, m, key, i, &pairs);
				told++;
			}
		}
	ms_put_close(out, ']');
}

static void put_sender(GString *out, const MsAuditMessage *m, const guint8 *key)
{
	put_masked(out, "sender", m->envelope->sender);
	if (key != NULL)
		put_ids(out, key, m->envelope->sender, "sender_id", "sender_domain");
}

/* ---- what ----------------------------------------------------------------------------- */

static void put_reason(GString *out, const MsReason *reason)
{
	g_autofree char *where = reason->where != NULL ? ms_place_masked(reason->where) : NULL;
	ms_put_open(out, NULL, '{');
	ms_put_text(out, "reason", ms_reason_names[reason->code]);
	ms_put_text(out, "policy", reason->policy);
	ms_put_text(out, "action", ms_action_names[reason->action]);
	ms_put_truth(out, "enforced", reason->enforced);
	ms_put_text(out, "kind", reason->kind);
	ms_put_text(out, "identifier", reason->masked);
	ms_put_text(out, "where", where);
	put_masked(out, "account", reason->owner);
	put_masked(out, "recipient", reason->recipient);
	ms_put_integer(out, "recipients", reason->recipients);
	ms_put_close(out, '}');
}

static guint owners_of(const MsAuditMessage *m, guint finding)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	return m->owners != NULL ? m->owners(m->who, finding, 1, names) : 0;
}

static void put_either(GString *out, const GPtrArray *either, const guint8 *key)
{
	ms_put_open(out, "either", '[');
	for (guint i = 0; i < either->len; i++) {
		const MsIdentifier *other = either->pdata[i];
		put_id(out, NULL, key, other->kind, ms_identifier_raw(other));
	}
	ms_put_close(out, ']');
}

static void put_identifier(GString *out, const MsAuditMessage *m, const guint8 *key, guint i)
{
	const MsFinding *f = m->reading->findings->pdata[i];
	g_autofree char *mask = ms_identifier_masked(f->value);
	g_autofree char *belief = ms_belief_words(f->belief);
	ms_put_open(out, NULL, '{');
	ms_put_text(out, "kind", f->kind);
	ms_put_text(out, "identifier", mask);
	if (key != NULL)
		put_id(out, "id", key, f->kind, f->value);
	ms_put_text(out, "belief", belief);
	if (key != NULL && f->either != NULL)
		put_either(out, f->either, key);
	ms_put_integer(out, "count", f->count);
	put_accounts(out, m, key, m->owners, i);
	ms_put_close(out, '}');
}

/* Those that somebody owns first; a tentative one that nobody owns is none. */
static void put_identifiers(GString *out, const MsAuditMessage *m, const guint8 *key)
{
	const GPtrArray *findings = m->reading->findings;
	guint told = 0;
	guint64 more = 0;
	ms_put_open(out, "identifiers", '[');
	for (int owned = 1; owned >= 0; owned--)
		for (guint i = 0; i < findings->len; i++) {
			const MsFinding *f = findings->pdata[i];
			bool has = owners_of(m, i) > 0;
			if (has != owned || (!has && (f->belief & MS_BELIEF_TENTATIVE)))
				continue;
			if (told < MS_AUDIT_MAX) {
				put_identifier(out, m, key, i);
				told++;
			} else {
				more++;
			}
		}
	ms_put_close(out, ']');
	put_more(out, "identifiers_more", more);
}

/* How often each is among `names` (of const char *), in their order. */
static void put_counts(GString *out, const char *name, const GPtrArray *names)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < names->len; i++) {
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, names->pdata[i]));
		g_hash_table_insert(counts, names->pdata[i], GUINT_TO_POINTER(n + 1));
	}
	ms_put_open(out, name, '{');
	for (guint i = 0; i < names->len; i++) {
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, names->pdata[i]));
		if (n > 0 && g_hash_table_remove(counts, names->pdata[i]))
			ms_put_integer(out, names->pdata[i], n);
	}
	ms_put_close(out, '}');
}

static void put_document(GString *out, const MsPart *part)
{
	g_autofree char *ending = ms_name_ending(part->name);
	ms_put_open(out, NULL, '{');
	ms_put_text(out, "type", ms_type_shown(part->actual));
	ms_put_text(out, "ending", ending);
	ms_put_integer(out, "size", (gint64)part->size);
	ms_put_close(out, '}');
}

static void put_documents(GString *out, const MsReading *r)
{
	guint attached = 0, told = 0;
	for (guint i = 0; i < r->parts->len; i++)
		attached += ((MsPart *)r->parts->pdata[i])->attached;
	put_more(out, "documents_more", attached - MIN(attached, MS_AUDIT_MAX));
	ms_put_open(out, "documents", '[');
	for (guint i = 0; i < r->parts->len && told < MS_AUDIT_MAX; i++) {
		const MsPart *part = r->parts->pdata[i];
		if (part->attached)
			put_document(out, part);
		told += part->attached;
	}
	ms_put_close(out, ']');
}

/* The mail's own text, and that of each document in it, as digests of what was read of them. */
static void put_texts(GString *out, const MsReading *r, const guint8 *key)
{
	ms_put_open(out, "texts", '[');
	for (guint face = 0; face < MIN(r->texts->len, MS_READING_MAX_FACES); face++) {
		guint8 digest[MS_TEXT_DIGEST];
		if (!ms_reading_text(r, face, digest))
			continue;
		g_autofree char *hex = ms_hex(digest, sizeof digest);
		ms_put_open(out, NULL, '{');
		if (face < r->faces->len) {
			g_autofree char *where = ms_place_masked(r->faces->pdata[face]);
			ms_put_text(out, "where", where);
		}
		put_id(out, "id", key, "text", hex);
		ms_put_close(out, '}');
	}
	ms_put_close(out, ']');
}

/* The words by which a directory knows names again, in the order in which they stand. */
static void put_greeted(GString *out, const MsReading *r, const guint8 *key)
{
	guint told = 0;
	ms_put_open(out, "greeted", '[');
	for (guint i = 0; i < r->greeted->len; i++) {
		g_auto(GStrv) words = ms_name_words(r->greeted->pdata[i]);
		for (char **w = words; *w && told < MS_READING_MAX_GREETED; w++, told++)
			put_id(out, NULL, key, MS_AUDIT_NAME, *w);
	}
	ms_put_close(out, ']');
}

static void put_reading(GString *out, const MsAuditMessage *m, const guint8 *key)
{
	const MsReading *r = m->reading;
	g_autoptr(GPtrArray) kinds = g_ptr_array_new();
	g_autoptr(GPtrArray) causes = g_ptr_array_new();
	for (guint i = 0; i < r->findings->len; i++)
		g_ptr_array_add(kinds, ((MsFinding *)r->findings->pdata[i])->kind);
	for (guint i = 0; i < r->unread->len; i++)
		g_ptr_array_add(causes,
			(char *)ms_unread_name(((MsUnread *)r->unread->pdata[i])->reason));
	ms_put_integer(out, "findings", r->findings->len);
	put_counts(out, "findings_by_kind", kinds);
	ms_put_integer(out, "unread", r->unread->len);
	put_counts(out, "unread_causes", causes);
	ms_put_integer(out, "parts", r->parts->len);
	put_documents(out, r);
	if (key != NULL) {
		put_texts(out, r, key);
		put_greeted(out, r, key);
	}
	put_identifiers(out, m, key);
}

/* ---- how ------------------------------------------------------------------------------ */

#define MAX_POLICIES 100

/* Titles and conditions, nothing of the mail; how many there are beside those comes first. */
static void put_titles(GString *out, const char *name, const char *more, const GPtrArray *titles)
{
	guint n = MIN(titles->len, MAX_POLICIES);
	put_more(out, more, titles->len - n);
	ms_put_open(out, name, '[');
	for (guint i = 0; i < n; i++)
		ms_put_text(out, NULL, titles->pdata[i]);
	ms_put_close(out, ']');
}

static void put_versions(GString *out, const MsAuditMessage *m)
{
	ms_put_open(out, "versions", '{');
	ms_put_text(out, "policies", m->policies);
	ms_put_text(out, "kinds", m->kinds);
	ms_put_text(out, "mapping", m->generation);
	ms_put_integer(out, "changes", (gint64)m->changes);
	ms_put_close(out, '}');
}

static void put_delay(GString *out, const MsVerdict *v)
{
	ms_put_open(out, "delay", '{');
	ms_put_integer(out, "seconds", v->delay_us / G_USEC_PER_SEC);
	ms_put_text(out, "then", ms_action_names[v->then]);
	ms_put_close(out, '}');
}

static void put_reasons(GString *out, const MsVerdict *v)
{
	guint n = MIN(v->reasons->len, MS_MAX_REASONS);
	ms_put_open(out, "reasons", '[');
	for (guint i = 0; i < n; i++)
		put_reason(out, v->reasons->pdata[i]);
	ms_put_close(out, ']');
	ms_put_integer(out, "reasons_more", v->more + (v->reasons->len - n));
}

static void put_stages(GString *out, const MsAuditMessage *m)
{
	ms_put_integer(out, "microseconds", m->read_us + m->resolve_us + m->judge_us);
	ms_put_open(out, "stages", '{');
	ms_put_integer(out, "read", m->read_us);
	ms_put_integer(out, "resolve", m->resolve_us);
	ms_put_integer(out, "judge", m->judge_us);
	ms_put_close(out, '}');
}

static void put_verdict(GString *out, const MsAuditMessage *m)
{
	const MsVerdict *v = m->verdict;
	ms_put_text(out, "verdict", ms_action_names[v->action]);
	ms_put_text(out, "would", ms_action_names[v->would]);
	if (v->action == MS_DELAY)
		put_delay(out, v);
	if (v->paused)
		ms_put_truth(out, "paused", true);
	put_reasons(out, v);
	if (m->trouble != NULL)
		ms_put_text(out, "trouble", m->trouble);
	put_titles(out, "policies", "policies_more", v->policies);
	/* What it was not known of, of policies that applied all the same. */
	if (v->unsure->len > 0)
		put_titles(out, "unsure", "unsure_more", v->unsure);
	put_versions(out, m);
	put_stages(out, m);
}

void ms_audit_name(GString *line, const MsEnvelope *envelope)
{
	g_autofree char *arrived = ms_audit_stamp(envelope->arrived);
	ms_put_text(line, "host", envelope->host);
	ms_put_text(line, "queue_id", envelope->queue_id);
	ms_put_text(line, "arrived", arrived);
}

void ms_audit_put_to(GString *line, const guint8 *key, const GPtrArray *to)
{
	g_autofree char *number = ms_audit_key_number(key);
	guint n = MIN(to->len, MS_AUDIT_MAX);
	ms_put_text(line, "key", number);
	ms_put_integer(line, "recipients", to->len);
	put_more(line, "to_more", to->len - n);
	ms_put_open(line, "to", '[');
	for (guint i = 0; i < n; i++) {
		g_autofree char *canonical = canonical_of(to->pdata[i]);
		put_id(line, NULL, key, "address", canonical);
	}
	ms_put_close(line, ']');
}

GString *ms_audit_line_of_message(const MsAuditMessage *m, const guint8 *key)
{
	const MsEnvelope *e = m->envelope;
	g_autofree char *number = key != NULL ? ms_audit_key_number(key) : NULL;
	GString *line = ms_audit_line(e->canary ? MS_AUDIT_CANARY : MS_AUDIT_MESSAGE);
	ms_audit_name(line, e);
	ms_put_text(line, "client", e->client_address);
	ms_put_text(line, "key", number);
	ms_put_integer(line, "size", (gint64)e->size);
	if (m->record != NULL)
		ms_put_text(line, "record", m->record);
	put_sender(line, m, key);
	if (key != NULL && m->body != NULL)
		put_id(line, "body", key, "body", m->body);
	put_verdict(line, m);
	put_recipients(line, m, key);
	if (m->reading != NULL)
		put_reading(line, m, key);
	return line;
}
