/*
 * Held messages taken together, for who decides on many at once: messages come in by their uids,
 * out goes what would be sent, to how many, whose data, and a few of them that stand for all.
 * Besides, what a list shows of a record (its subject, what is attached), and whom a correction
 * of the directory concerns.  Reads the database, under its lock; from any thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "missent/ask.h"

#include "ledger_private.h"

/* ---- at a glance ---------------------------------------------------------------------- */

bool ledger_add_glance(MsLedger *ledger, const MsRecord *r, GError **error)
{
	const char *subject = r->subject != NULL ? r->subject : "";
	const char *attached = r->attached != NULL ? r->attached : "";
	bool fine = (*subject == '\0' && *attached == '\0') ||
		ledger_run(ledger,
			"INSERT INTO glance (held, subject, attached) VALUES (:held, :subject, :attached)",
			MS_SQL_VALUES(MS_SQL_NUMBER("held", r->id), MS_SQL_TEXT("subject", subject),
				MS_SQL_TEXT("attached", attached)),
			error);
	for (guint i = 0; i < r->words->len && fine; i++)
		fine = ledger_run(ledger,
			"INSERT OR IGNORE INTO word (digest, held) VALUES (:digest, :held)",
			MS_SQL_VALUES(MS_SQL_TEXT("digest", r->words->pdata[i]),
				MS_SQL_NUMBER("held", r->id)),
			error);
	return fine;
}

static void take_glance(MsSqlRow *row, void *user)
{
	MsRecord *r = user;
	r->subject = g_strdup(ms_sql_text(row, "subject"));
	r->attached = g_strdup(ms_sql_text(row, "attached"));
}

static void take_word(MsSqlRow *row, void *list)
{
	g_ptr_array_add(list, g_strdup(ms_sql_text(row, "digest")));
}

static void take_uid(MsSqlRow *row, void *list)
{
	g_ptr_array_add(list, g_strdup(ms_sql_text(row, "uid")));
}

bool ledger_fill_glance(MsLedger *ledger, MsRecord *record, GError **error)
{
	g_clear_pointer(&record->subject, g_free);
	g_clear_pointer(&record->attached, g_free);
	return ledger_ask(ledger, "SELECT subject, attached FROM glance WHERE held=:id",
		       MS_SQL_VALUES(MS_SQL_NUMBER("id", record->id)), take_glance, record,
		       error) &&
		ledger_ask(ledger, "SELECT digest FROM word WHERE held=:id",
			MS_SQL_VALUES(MS_SQL_NUMBER("id", record->id)), take_word, record->words,
			error);
}

void ms_glance_free(MsGlance *glance)
{
	if (glance == NULL)
		return;
	g_free(glance->owners);
	g_free(glance->recipient);
	g_free(glance->accounts);
	g_free(glance->subject);
	g_free(glance->attached);
	g_free(glance);
}

static void take_row(MsSqlRow *row, void *user)
{
	MsGlance *g = user;
	const char *outcome = ms_sql_text_or_null(row, "outcome");
	g->owners = g_strdup(ms_sql_text_or_null(row, "owner"));
	g->recipient = g_strdup(ms_sql_text_or_null(row, "address"));
	g->accounts = g_strdup(ms_sql_text_or_null(row, "accounts"));
	int place = MS_OUTCOME_UNPROVEN; /* of a damaged one nothing is proven */
	ms_word_choose(ms_outcome_names, "outcome", outcome != NULL ? outcome : "", &place, NULL);
	g->outcome = (MsOutcome)place;
	g->subject = g_strdup(ms_sql_text_or_null(row, "subject"));
	g->attached = g_strdup(ms_sql_text_or_null(row, "attached"));
}

MsGlance *ms_records_glance(MsLedger *ledger, const MsRecord *record, GError **error)
{
	g_autoptr(MsGlance) glance = g_new0(MsGlance, 1);
	if (!ledger_ask(ledger,
		    "SELECT ifnull((SELECT group_concat(owners, ', ') FROM (SELECT DISTINCT owners FROM finding"
		    "   WHERE held=:id AND instr(relations, 'x') > 0 AND owners<>'' LIMIT 4)),"
		    "  (SELECT group_concat(owners, ', ') FROM (SELECT DISTINCT owners FROM finding"
		    "   WHERE held=:id AND owners<>'' AND trim(relations, 'h')<>'' LIMIT 4))) AS owner,"
		    " r.address AS address, r.accounts AS accounts, r.outcome AS outcome, g.subject AS subject,"
		    " g.attached AS attached"
		    " FROM (SELECT 1) LEFT JOIN (SELECT * FROM recipient WHERE held=:id " LEDGER_WORST
		    ") r"
		    " LEFT JOIN glance g ON g.held=:id",
		    MS_SQL_VALUES(MS_SQL_NUMBER("id", record->id)), take_row, glance, error))
		return NULL;
	char **texts[] = {&glance->owners, &glance->recipient, &glance->accounts, &glance->subject,
		&glance->attached};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (*texts[i] == NULL)
			*texts[i] = g_strdup("");
	return g_steal_pointer(&glance);
}

/* ---- counting ------------------------------------------------------------------------- */

static void tally_free(gpointer data)
{
	MsCauseCount *tally = data;
	g_free(tally->name);
	g_free(tally);
}

void ms_tallies_free(MsTallies *t)
{
	if (t == NULL)
		return;
	g_ptr_array_unref(t->outcomes);
	g_ptr_array_unref(t->owners);
	g_ptr_array_unref(t->domains);
	g_free(t);
}

static void take_tally(MsSqlRow *row, void *list)
{
	MsCauseCount *tally = g_new0(MsCauseCount, 1);
	tally->name = g_strdup(ms_sql_text(row, "name"));
	tally->messages = ms_sql_number(row, "messages");
	tally->recipients = ms_sql_number(row, "recipients");
	g_ptr_array_add(list, tally);
}

/* The names as one parameter: SQLite takes a list apart with json_each(). */
char *ledger_list(const GPtrArray *names)
{
	json_t *list = ms_texts_to_json(names);
	char *text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	char *own = g_strdup(text);
	free(text);
	return own;
}

#define THESE "(SELECT id FROM held WHERE uid IN (SELECT value FROM json_each(:these)))"
#define DOMAIN "lower(substr(address, instr(address, '@') + 1))"

static gint64 count_outcome(const GPtrArray *outcomes, MsOutcome outcome, bool messages)
{
	for (guint i = 0; i < outcomes->len; i++) {
		const MsCauseCount *t = outcomes->pdata[i];
		if (strcmp(t->name, ms_outcome_names[outcome]) == 0)
			return messages ? t->messages : t->recipients;
	}
	return 0;
}

static const struct {
	const char *sql;
	gsize offset;
} tallies[] = {
	{"SELECT outcome AS name, count(DISTINCT held) AS messages, count(*) AS recipients FROM recipient"
	 " WHERE held IN " THESE " AND state='held' GROUP BY outcome ORDER BY 2 DESC, 1",
		G_STRUCT_OFFSET(MsTallies, outcomes)},
	{"SELECT owners AS name, count(DISTINCT held) AS messages, 0 AS recipients FROM finding WHERE owners<>''"
	 " AND instr(relations, 'x') > 0 AND held IN (SELECT held FROM recipient WHERE held IN " THESE
	 " AND state='held' AND outcome='wrong') GROUP BY owners ORDER BY 2 DESC, 1",
		G_STRUCT_OFFSET(MsTallies, owners)},
	{"SELECT " DOMAIN
	 " AS name, count(DISTINCT held) AS messages, count(*) AS recipients FROM recipient"
	 " WHERE held IN " THESE " AND state='held' GROUP BY 1 ORDER BY 2 DESC, 1",
		G_STRUCT_OFFSET(MsTallies, domains)},
};

MsTallies *ms_records_tallies(MsLedger *ledger, const GPtrArray *uids, GError **error)
{
	g_autofree char *these = ledger_list(uids);
	g_autoptr(MsTallies) t = g_new0(MsTallies, 1);
	t->messages = uids->len;
	for (gsize i = 0; i < G_N_ELEMENTS(tallies); i++)
		G_STRUCT_MEMBER(GPtrArray *, t, tallies[i].offset) = g_ptr_array_new_with_free_func(
			tally_free);
	for (gsize i = 0; i < G_N_ELEMENTS(tallies); i++)
		if (!ledger_ask(ledger, tallies[i].sql, MS_SQL_VALUES(MS_SQL_TEXT("these", these)),
			    take_tally, G_STRUCT_MEMBER(GPtrArray *, t, tallies[i].offset), error))
			return NULL;
	for (guint i = 0; i < t->outcomes->len; i++)
		t->recipients += ((MsCauseCount *)t->outcomes->pdata[i])->recipients;
	t->wrong_messages = count_outcome(t->outcomes, MS_OUTCOME_WRONG, true);
	t->wrong_recipients = count_outcome(t->outcomes, MS_OUTCOME_WRONG, false);
	t->unknown_recipients = count_outcome(t->outcomes, MS_OUTCOME_UNKNOWN_RECIPIENT, false);
	return g_steal_pointer(&t);
}

/* ---- a sample ------------------------------------------------------------------------- */

typedef struct {
	char *uid, *value[3]; /* outcome, owners, domain */
	bool taken;
} Candidate;

static void candidate_free(gpointer data)
{
	Candidate *c = data;
	g_free(c->uid);
	for (gsize i = 0; i < G_N_ELEMENTS(c->value); i++)
		g_free(c->value[i]);
	g_free(c);
}

static void take_candidate(MsSqlRow *row, void *list)
{
	static const char *const columns[] = {"outcome", "owners", "domain"};
	Candidate *c = g_new0(Candidate, 1);
	c->uid = g_strdup(ms_sql_text(row, "uid"));
	for (gsize i = 0; i < G_N_ELEMENTS(c->value); i++) {
		const char *value = ms_sql_text_or_null(row, columns[i]);
		c->value[i] = g_strdup_printf("%s %s", columns[i], value != NULL ? value : "");
	}
	g_ptr_array_add(list, c);
}

/* What it has that none before had; an outcome weighs most. */
static guint news_in(const Candidate *c, GHashTable *seen)
{
	guint n = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(c->value); i++)
		n += g_hash_table_contains(seen, c->value[i]) ? 0 : i == 0 ? 4 : 1;
	return n;
}

/* The newest of those that bring most that is new. */
static Candidate *next_of(const GPtrArray *list, GHashTable *seen)
{
	Candidate *best = NULL;
	guint most = 0;
	for (guint i = 0; i < list->len; i++) {
		Candidate *c = list->pdata[i];
		guint n = c->taken ? 0 : news_in(c, seen) + 1;
		if (n > most) {
			best = c;
			most = n;
		}
	}
	return best;
}

GPtrArray *ms_records_sample(MsLedger *ledger, const GPtrArray *uids, guint most, GError **error)
{
	g_autofree char *these = ledger_list(uids);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(candidate_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	if (!ledger_ask(ledger,
		    "SELECT uid, r.outcome AS outcome, (SELECT owners FROM finding WHERE held=h.id"
		    " AND instr(relations, 'x') > 0 LIMIT 1) AS owners, " DOMAIN
		    " AS domain FROM held h JOIN recipient r ON r.rowid=(SELECT rowid FROM recipient WHERE"
		    " held=h.id AND state='held' " LEDGER_WORST ") WHERE h.id IN " THESE
		    " ORDER BY arrived DESC",
		    MS_SQL_VALUES(MS_SQL_TEXT("these", these)), take_candidate, list, error))
		return NULL;
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	Candidate *c = NULL;
	while (out->len < most && (c = next_of(list, seen)) != NULL) {
		c->taken = true;
		for (gsize i = 0; i < G_N_ELEMENTS(c->value); i++)
			g_hash_table_add(seen, c->value[i]);
		g_ptr_array_add(out, g_strdup(c->uid));
	}
	return out;
}

/* ---- corrections of the directory ----------------------------------------------------- */

GPtrArray *ms_records_concerned(
	MsLedger *ledger, const char *ref, const GPtrArray *addresses, guint most, GError **error)
{
	g_autofree char *list = ledger_list(addresses);
	g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
	if (!ledger_ask(ledger,
		    "SELECT uid FROM held WHERE state='held' AND id IN"
		    " (SELECT held FROM finding WHERE :ref<>'' AND ref=:ref UNION SELECT held FROM recipient"
		    "  WHERE state='held' AND address IN (SELECT value FROM json_each(:list)))"
		    " ORDER BY arrived LIMIT :most",
		    MS_SQL_VALUES(MS_SQL_TEXT("ref", ref), MS_SQL_TEXT("list", list),
			    MS_SQL_NUMBER("most", most)),
		    take_uid, out, error))
		return NULL;
	return g_steal_pointer(&out);
}

bool ledger_recause(MsLedger *ledger, gint64 id, const char *cause, GError **error)
{
	return ledger_run(ledger, "UPDATE held SET cause=:cause WHERE id=:id",
		       MS_SQL_VALUES(MS_SQL_TEXT("cause", cause), MS_SQL_NUMBER("id", id)), error)
		&& ledger_touch(ledger, id, error);
}

bool ms_records_recause(MsLedger *ledger, gint64 id, const char *cause, GError **error)
{
	return ledger_begin(ledger, error) &&
		ledger_end(ledger, ledger_recause(ledger, id, cause, error), error);
}

/* ---- when some of its recipients have theirs ------------------------------------------- */

static void take_outcome(MsSqlRow *row, void *user)
{
	GString *out = user;
	g_string_append_printf(
		out, "%s%s", out->len > 0 ? " and " : "", ms_sql_text(row, "outcome"));
}

static void take_cause_of(MsSqlRow *row, void *user)
{
	*(char **)user = g_strdup(ms_sql_text(row, "cause"));
}

/* "CODES, for OUTCOMES, POLICIES, <SENDER>": what is left of it is another question than before. */
bool ledger_cause_of_rest(MsLedger *ledger, const char *uid, GError **error)
{
	g_autofree char *cause = NULL, *changed = NULL;
	g_autoptr(GString) outcomes = g_string_new(NULL);
	const MsSqlValue *of = MS_SQL_VALUES(MS_SQL_TEXT("uid", uid));
	if (!ledger_ask(ledger, "SELECT cause FROM held WHERE uid=:uid", of, take_cause_of, &cause,
		    error) ||
		!ledger_ask(ledger,
			"SELECT outcome FROM recipient WHERE state='held' AND held=(SELECT id FROM held WHERE uid=:uid)"
			" GROUP BY outcome ORDER BY CASE outcome WHEN 'right' THEN 0 WHEN 'unproven' THEN 1 WHEN 'unread' THEN 2"
			" WHEN 'wrong' THEN 3 ELSE 4 END",
			of, take_outcome, outcomes, error))
		return false;
	const char *begin = cause != NULL ? strstr(cause, ", for ") : NULL;
	const char *end = begin != NULL ? strchr(begin + 6, ',') : NULL;
	if (end == NULL || outcomes->len == 0)
		return true; /* of an older form, or nothing is left */
	changed = g_strdup_printf(
		"%.*s, for %s%s", (int)(begin - cause), cause, outcomes->str, end);
	return ledger_run(ledger, "UPDATE held SET cause=:cause WHERE uid=:uid",
		MS_SQL_VALUES(MS_SQL_TEXT("cause", changed), MS_SQL_TEXT("uid", uid)), error);
}

gint64 ms_records_newest_change(MsLedger *ledger)
{
	gint64 n = 0;
	ledger_ask_number(ledger, "SELECT n FROM counter", NULL, &n, NULL);
	return n;
}
