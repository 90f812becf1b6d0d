/*
 * The lines of a trail come in; cases go out: what was wrong for whom, and what was done about it.
 * Only messages that are wrong for somebody are kept, all others are counted.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "incident_private.h"

const char *const ms_fate_names[MS_N_FATES + 1] = {
	"stopped", "held", "not-known", "released", "got-out", NULL};

/* ---- JSON ----------------------------------------------------------------------------- */

const char *line_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

static const char *text_at(const json_t *list, gsize i)
{
	const char *text = json_string_value(json_array_get(list, i));
	return text != NULL ? text : "";
}

guint64 line_number(const json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));
	return n > 0 ? (guint64)n : 0;
}

int line_word(const json_t *object, const char *name, const char *const *names, int otherwise)
{
	const char *text = line_text(object, name);
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return otherwise;
}

static const char *kept(MsIncident *incident, const char *text)
{
	return g_string_chunk_insert_const(incident->strings, text);
}

/* ---- life ----------------------------------------------------------------------------- */

static void free_item(void *data)
{
	Item *item = data;
	g_ptr_array_unref(item->accounts);
	g_free(item);
}

static void free_copy(void *data)
{
	Copy *copy = data;
	g_ptr_array_unref(copy->items);
	g_free(copy);
}

static void free_case(void *data)
{
	Case *c = data;
	g_ptr_array_unref(c->items);
	g_ptr_array_unref(c->copies);
	g_free(c);
}

static void clear_source(void *data)
{
	Source *source = data;
	g_clear_pointer(&source->host, g_free);
	ms_audit_proof_clear(&source->proof);
}

/* A width that people read easily, with at most MAX_BUCKETS of them. */
static void make_buckets(Buckets *b, gint64 from, gint64 to)
{
	static const gint64 minutes[] = {1, 5, 15, 60, 6 * 60, 24 * 60, 7 * 24 * 60, 28 * 24 * 60};
	gint64 minute = 60 * G_USEC_PER_SEC;
	b->width = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(minutes) && b->width == 0; i++)
		if ((to - from) / (minutes[i] * minute) < MAX_BUCKETS)
			b->width = minutes[i] * minute;
	if (b->width == 0)
		b->width = (to - from) / MAX_BUCKETS + 1;
	b->begin = from - from % b->width;
	guint n = (guint)((to - b->begin + b->width - 1) / b->width);
	b->judged = g_array_new(FALSE, TRUE, sizeof(guint64));
	g_array_set_size(b->judged, n);
	for (int i = 0; i < MS_N_FATES; i++) {
		b->of[i] = g_array_new(FALSE, TRUE, sizeof(guint64));
		g_array_set_size(b->of[i], n);
	}
}

MsIncident *ms_incident_new(const MsIncidentAsk *ask)
{
	MsIncident *incident = g_new0(MsIncident, 1);
	incident->ask = *ask;
	incident->strings = g_string_chunk_new(65536);
	incident->cases = g_ptr_array_new_with_free_func(free_case);
	incident->by_uid = g_hash_table_new(g_str_hash, g_str_equal);
	incident->ended_by = g_hash_table_new(g_str_hash, g_str_equal);
	incident->keys = g_hash_table_new(g_str_hash, g_str_equal);
	incident->events = g_ptr_array_new_with_free_func(g_free);
	incident->holes = listen_holes_new();
	incident->sources = g_array_new(FALSE, TRUE, sizeof(Source));
	g_array_set_clear_func(incident->sources, clear_source);
	make_buckets(&incident->buckets, ask->from, MAX(ask->from, MIN(ask->to, ask->now)) + 1);
	return incident;
}

void ms_incident_free(MsIncident *incident)
{
	if (incident == NULL)
		return;
	g_ptr_array_unref(incident->cases);
	g_hash_table_unref(incident->by_uid);
	g_hash_table_unref(incident->ended_by);
	g_hash_table_unref(incident->keys);
	g_ptr_array_unref(incident->events);
	for (int i = 0; i < MS_N_VERBS; i++)
		g_clear_pointer(&incident->acts[i].by, g_hash_table_unref);
	g_ptr_array_unref(incident->holes);
	g_array_unref(incident->sources);
	g_array_unref(incident->buckets.judged);
	for (int i = 0; i < MS_N_FATES; i++)
		g_array_unref(incident->buckets.of[i]);
	g_clear_pointer(&incident->gaps, g_ptr_array_unref);
	g_clear_pointer(&incident->accounts, g_ptr_array_unref);
	g_clear_pointer(&incident->rows, g_ptr_array_unref);
	g_clear_pointer(&incident->by_account, g_hash_table_unref);
	g_clear_pointer(&incident->sum.kinds, g_ptr_array_unref);
	g_string_chunk_free(incident->strings);
	g_free(incident);
}

/* ---- does it fit? --------------------------------------------------------------------- */

static bool is_one_of(const char *const *list, const char *text)
{
	return list != NULL && *text != '\0' && g_strv_contains(list, text);
}

/* Of another key, digests say nothing. */
static bool can_compare(MsIncident *incident, const json_t *json)
{
	const MsIncidentAsk *ask = &incident->ask;
	if (ask->senders == NULL && ask->identifiers == NULL && ask->account == NULL)
		return true;
	bool same = ask->key != NULL && strcmp(line_text(json, "key"), ask->key) == 0;
	incident->sum.other_key += !same;
	return same;
}

static bool has_policy(const json_t *json, const char *policy)
{
	const json_t *list = json_object_get(json, "policies");
	for (gsize i = 0; i < json_array_size(list); i++)
		if (strcmp(text_at(list, i), policy) == 0)
			return true;
	return false;
}

static bool has_identifier(const json_t *json, const char *const *wanted)
{
	const json_t *list = json_object_get(json, "identifiers");
	for (gsize i = 0; i < json_array_size(list); i++)
		if (is_one_of(wanted, line_text(json_array_get(list, i), "id")))
			return true;
	return false;
}

static bool is_wanted(MsIncident *incident, const json_t *json)
{
	const MsIncidentAsk *ask = &incident->ask;
	if (ask->policy != NULL && !has_policy(json, ask->policy))
		return false;
	if (!can_compare(incident, json))
		return false;
	if (ask->senders != NULL && !is_one_of(ask->senders, line_text(json, "sender_id"))
		&& !is_one_of(ask->senders, line_text(json, "sender_domain")))
		return false;
	return ask->identifiers == NULL || has_identifier(json, ask->identifiers);
}

/* ---- a case --------------------------------------------------------------------------- */

static bool item_is_wanted(const MsIncidentAsk *ask, const Item *item)
{
	if (ask->identifiers != NULL && !is_one_of(ask->identifiers, item->id))
		return false;
	for (guint i = 0; ask->account != NULL && i < item->accounts->len; i++)
		if (strcmp(item->accounts->pdata[i], ask->account) == 0)
			return true;
	return ask->account == NULL;
}

static Item *item_of(MsIncident *incident, const json_t *json)
{
	Item *item = g_new0(Item, 1);
	const json_t *accounts = json_object_get(json, "accounts");
	item->kind = kept(incident, line_text(json, "kind"));
	item->id = kept(incident, line_text(json, "id"));
	item->masked = kept(incident, line_text(json, "identifier"));
	item->accounts = g_ptr_array_new();
	item->more = line_number(json, "accounts_more") > 0;
	for (gsize i = 0; i < json_array_size(accounts); i++) {
		const char *account = text_at(accounts, i);
		if (*account != '\0' && g_strcmp0(account, incident->ask.house) != 0)
			g_ptr_array_add(item->accounts, (void *)kept(incident, account));
	}
	return item;
}

/* To the items of the case. */
static void add_items(MsIncident *incident, Case *c, const json_t *json)
{
	const json_t *list = json_object_get(json, "identifiers");
	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		if (*line_text(row, "id") == '\0')
			continue;
		Item *item = item_of(incident, row);
		if (item_is_wanted(&incident->ask, item))
			g_ptr_array_add(c->items, item);
		else
			free_item(item);
	}
	c->cut = line_number(json, "identifiers_more") > 0 || line_number(json, "to_more") > 0;
}

static Item *item_named(const Case *c, const char *id)
{
	for (guint i = 0; i < c->items->len; i++)
		if (strcmp(((Item *)c->items->pdata[i])->id, id) == 0)
			return c->items->pdata[i];
	return NULL;
}

/* As the filter answered the MTA; what was done later, the records know. */
static MsFate first_fate(MsAction action, bool withheld)
{
	if (action == MS_REJECT)
		return MS_FATE_STOPPED;
	if (action == MS_HOLD || action == MS_DELAY || (action == MS_SPLIT && withheld))
		return MS_FATE_UNTOLD;
	return MS_FATE_OUT;
}

static void add_copy(MsIncident *incident, Case *c, const json_t *to, MsAction action)
{
	Copy *copy = g_new0(Copy, 1);
	const json_t *others = json_object_get(to, "others");
	const char *id = line_text(to, "id");
	copy->id = *id != '\0' ? kept(incident, id) : NULL;
	copy->masked = kept(incident, line_text(to, "address"));
	copy->account = kept(incident, text_at(json_object_get(to, "accounts"), 0));
	copy->fate = first_fate(action, json_is_true(json_object_get(to, "withheld")));
	copy->items = g_ptr_array_new();
	for (gsize i = 0; i < json_array_size(others); i++) {
		Item *item = item_named(c, text_at(others, i));
		if (item != NULL)
			g_ptr_array_add(copy->items, item);
	}
	c->cut = c->cut || json_is_true(json_object_get(to, "others_cut"))
		|| (c->wrong && copy->id != NULL && others == NULL);
	c->waits = c->waits || copy->fate == MS_FATE_UNTOLD;
	g_ptr_array_add(c->copies, copy);
}

/* "mismatch (customer-number, iban)", of those that weigh something. */
static char *cause_of(const json_t *json)
{
	g_autoptr(GPtrArray) codes = g_ptr_array_new();
	const json_t *list = json_object_get(json, "reasons");
	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *code = line_text(row, "reason");
		if (line_word(row, "action", ms_action_names, MS_DELIVER) >= MS_TAG
			&& !g_ptr_array_find_with_equal_func(codes, code, g_str_equal, NULL))
			g_ptr_array_add(codes, (void *)code);
	}
	g_ptr_array_add(codes, NULL);
	return codes->len > 1 ? g_strjoinv(", ", (char **)codes->pdata)
			      : g_strdup("none that counts");
}

static char *policies_of(const json_t *json)
{
	GString *out = g_string_new(NULL);
	const json_t *list = json_object_get(json, "policies");
	for (gsize i = 0; i < json_array_size(list); i++)
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", text_at(list, i));
	return g_string_free(out, FALSE);
}

static Case *case_new(MsIncident *incident, const MsAuditLine *line)
{
	Case *c = g_new0(Case, 1);
	g_autofree char *cause = cause_of(line->json), *policies = policies_of(line->json);
	c->time = line->time;
	c->host = kept(incident, line_text(line->json, "host"));
	c->queue_id = kept(incident, line_text(line->json, "queue_id"));
	c->arrived = kept(incident, line_text(line->json, "arrived"));
	c->uid = kept(incident, line_text(line->json, "record"));
	c->cause = kept(incident, cause);
	c->policies = kept(incident, policies);
	c->key = kept(incident, line_text(line->json, "key"));
	c->items = g_ptr_array_new_with_free_func(free_item);
	c->copies = g_ptr_array_new_with_free_func(free_copy);
	add_items(incident, c, line->json);
	return c;
}

/* Where only some things are asked for, a copy without any of them is none. */
static bool concerns(const MsIncidentAsk *ask, const Copy *copy)
{
	return copy->items->len > 0 || (ask->identifiers == NULL && ask->account == NULL);
}

static void keep_case(MsIncident *incident, Case *c)
{
	for (guint i = c->copies->len; i-- > 0;)
		if (!concerns(&incident->ask, c->copies->pdata[i]))
			g_ptr_array_remove_index(c->copies, i);
	if (c->copies->len == 0) {
		free_case(c);
		return;
	}
	g_ptr_array_add(incident->cases, c);
	if (*c->uid != '\0')
		g_hash_table_insert(incident->by_uid, (void *)c->uid, c);
}

/* ---- a message ------------------------------------------------------------------------ */

static void count_judged(MsIncident *incident, gint64 time)
{
	Buckets *b = &incident->buckets;
	guint64 at = (guint64)((time - b->begin) / b->width);
	incident->sum.judged++;
	if (time >= b->begin && at < b->judged->len)
		g_array_index(b->judged, guint64, at)++;
}

static bool has_reason(const json_t *json, MsReasonCode code)
{
	const json_t *list = json_object_get(json, "reasons");
	for (gsize i = 0; i < json_array_size(list); i++)
		if (strcmp(line_text(json_array_get(list, i), "reason"), ms_reason_names[code]) ==
			0)
			return true;
	return false;
}

/* Somebody's, and not the house's alone? */
static bool has_owned(MsIncident *incident, const json_t *json)
{
	const json_t *list = json_object_get(json, "identifiers");
	bool has = false;
	for (gsize i = 0; i < json_array_size(list) && !has; i++) {
		Item *item = item_of(incident, json_array_get(list, i));
		has = item->accounts->len > 0;
		free_item(item);
	}
	return has;
}

/* What went although nobody could say whether it was right. */
static void count_doubtful(MsIncident *incident, const json_t *json, const bool *has)
{
	incident->sum.unread += has[MS_OUTCOME_UNREAD];
	incident->sum.unknown += has[MS_OUTCOME_UNKNOWN_RECIPIENT] && has_owned(incident, json);
	incident->unjudged += has_reason(json, MS_DIRECTORY_UNAVAILABLE);
}

/* Those for whom it is wrong; where it is held for something else, all. */
static void take_case(MsIncident *incident, const MsAuditLine *line, MsAction action, bool wrong)
{
	const json_t *to = json_object_get(line->json, "to");
	Case *c = case_new(incident, line);
	c->wrong = wrong;
	for (gsize i = 0; i < json_array_size(to); i++) {
		const json_t *row = json_array_get(to, i);
		int outcome = line_word(row, "outcome", ms_outcome_names, MS_OUTCOME_RIGHT);
		if (!wrong || outcome == MS_OUTCOME_WRONG)
			add_copy(incident, c, row, action);
	}
	keep_case(incident, c);
}

static void take_message(MsIncident *incident, const MsAuditLine *line)
{
	const json_t *json = line->json, *to = json_object_get(json, "to");
	MsAction action = (MsAction)line_word(json, "verdict", ms_action_names, MS_DELIVER);
	bool has[MS_N_OUTCOMES] = {false};
	if (!is_wanted(incident, json))
		return;
	if (action == MS_TEMPFAIL) {
		incident->sum.deferred++;
		return;
	}
	count_judged(incident, line->time);
	if (*line_text(json, "key") != '\0')
		g_hash_table_add(incident->keys, (void *)kept(incident, line_text(json, "key")));
	for (gsize i = 0; i < json_array_size(to); i++) {
		const json_t *row = json_array_get(to, i);
		int outcome = line_word(row, "outcome", ms_outcome_names, MS_OUTCOME_RIGHT);
		bool withheld = json_is_true(json_object_get(row, "withheld"));
		if (outcome == MS_OUTCOME_WRONG || first_fate(action, withheld) == MS_FATE_OUT)
			has[outcome] = true;
	}
	count_doubtful(incident, json, has);
	if (has[MS_OUTCOME_WRONG] ||
		line_word(json, "would", ms_action_names, MS_DELIVER) >= MS_SPLIT)
		take_case(incident, line, action, has[MS_OUTCOME_WRONG]);
}

/* ---- what was done --------------------------------------------------------------------- */

static void add_event(MsIncident *incident, const MsAuditLine *line, const char *what)
{
	if (incident->events->len >= MAX_EVENTS) {
		incident->events_more++;
		return;
	}
	Event *event = g_new0(Event, 1);
	event->time = line->time;
	event->who = kept(incident, line_text(line->json, "who"));
	event->what = kept(incident, what);
	event->detail = kept(incident, line_text(line->json, "detail"));
	g_ptr_array_add(incident->events, event);
}

/* Who looks, or logs in, does nothing about it; nor does what goes on every day.  What the page was
 * told to decide is counted where it was done. */
static bool is_no_measure(MsEvent event)
{
	static const MsEvent events[] = {MS_EVENT_DECIDE, MS_EVENT_SEARCH, MS_EVENT_LOOK,
		MS_EVENT_REVEAL, MS_EVENT_EXPLAIN, MS_EVENT_PICTURE, MS_EVENT_DOWNLOAD,
		MS_EVENT_LOG_IN, MS_EVENT_LOG_OUT, MS_EVENT_LOG_IN_FAILED, MS_EVENT_REFUSED,
		MS_EVENT_FORGED, MS_EVENT_FORGET,
		MS_EVENT_INCIDENT_NAMES, MS_EVENT_INCIDENT_ABOUT};
	for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
		if (events[i] == event)
			return true;
	return false;
}

static void note_end(MsIncident *incident, const char *name, guint verb)
{
	guint verbs = GPOINTER_TO_UINT(g_hash_table_lookup(incident->ended_by, name));
	g_hash_table_insert(
		incident->ended_by, (void *)kept(incident, name), GUINT_TO_POINTER(verbs | verb));
}

/* For whom, its line says by digests; of one of before it did, or with another key than the
 * message's, or with too many of them, only that it was for somebody. */
static void end_case(MsIncident *incident, const json_t *json, const Case *c, MsVerb verb)
{
	const json_t *to = json_object_get(json, "to");
	bool named = json_is_array(to) && line_number(json, "to_more") == 0 &&
		strcmp(line_text(json, "key"), c->key) == 0;
	if (!named || verb == MS_VERB_RELEASE)
		note_end(incident, c->uid, named ? RELEASED_NAMED : 1u << verb);
	for (gsize i = 0; named && i < json_array_size(to); i++) {
		g_autofree char *name = incident_end_name(c, text_at(to, i));
		note_end(incident, name, 1u << verb);
	}
}

static void count_person(MsIncident *incident, Acts *acts, const char *who)
{
	if (acts->by == NULL)
		acts->by = g_hash_table_new(g_str_hash, g_str_equal);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(acts->by, who));
	g_hash_table_insert(acts->by, (void *)kept(incident, who), GUINT_TO_POINTER(n + 1));
}

/* Of messages that are concerned: decisions are counted, what ended them is remembered. */
static void take_act(MsIncident *incident, const MsAuditLine *line)
{
	const char *what = line_text(line->json, "event"), *about = line_text(line->json, "about");
	MsVerb verb = ms_verb_named(what);
	const char *how = line_text(line->json, "detail");
	bool done = (strcmp(how, MS_AUDIT_DONE) == 0 || strcmp(how, MS_AUDIT_LEFT) == 0) &&
		json_object_get(line->json, "again") == NULL;
	if (verb >= MS_VERB_UNKNOWN) {
		MsEvent event = ms_event_named(what);
		if (!is_no_measure(event))
			add_event(incident, line,
				event == MS_EVENT_PAGE_STARTED ? "the page starts" : what);
		return;
	}
	if (!done || !g_hash_table_contains(incident->by_uid, about))
		return;
	Acts *acts = &incident->acts[verb];
	acts->first = acts->n == 0 ? line->time : MIN(acts->first, line->time);
	acts->last = MAX(acts->last, line->time);
	acts->n++;
	count_person(incident, acts, line_text(line->json, "who"));
	if (verb == MS_VERB_RELEASE || verb == MS_VERB_RETURN || verb == MS_VERB_DELETE)
		end_case(incident, line->json, g_hash_table_lookup(incident->by_uid, about), verb);
}

/* ---- all lines ------------------------------------------------------------------------- */

/* What the installation says of itself, in words; NULL: nothing that a report has to tell. */
static const char *event_words(const char *type)
{
	static const struct {
		const char *type, *words;
	} rows[] = {{"", NULL}, {MS_AUDIT_BEAT, NULL}, {MS_AUDIT_CANARY, NULL},
		{MS_AUDIT_WITNESS, NULL}, {MS_AUDIT_BEGIN, "the audit trail begins"},
		{MS_AUDIT_START, "missentd starts"}, {MS_AUDIT_STOP, "missentd stops"},
		{MS_AUDIT_RELOAD, "settings and policies are read again"},
		{MS_AUDIT_IMPORT, "a mapping comes into use"},
		{MS_AUDIT_PRUNE, "old lines of the trail are removed"},
		{MS_AUDIT_RECOVERED, "lines that a crash had left are signed"},
		{MS_AUDIT_RESUMED, "the trail of a host that was away is taken again"},
		{MS_AUDIT_REFUSED, "the trail of another host is refused"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].type, type) == 0)
			return rows[i].words;
	return type;
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	MsIncident *incident = user;
	bool within = line->time >= incident->ask.from && line->time < incident->ask.to;
	if (line->json != NULL)
		listen_line(incident, &incident->listening, line);
	incident->lines += within;
	if (within && line->json == NULL) {
		incident->damaged_at = incident->damaged++ == 0 ? line->time : incident->damaged_at;
		return true;
	}
	if (strcmp(line->type, "message") == 0) {
		if (within)
			take_message(incident, line);
	} else if (strcmp(line->type, "act") == 0) {
		if (line->time >= incident->ask.from)
			take_act(incident, line);
	} else if (within && event_words(line->type) != NULL) {
		const char *event = line_text(line->json, "event");
		g_autofree char *what = g_strdup_printf("%s%s%s", event_words(line->type),
			*event != '\0' ? ": " : "", event);
		add_event(incident, line, what);
	}
	return true;
}

/* A copy of one that was read, or it again, would count each message twice. */
static bool is_new(
	const MsIncident *incident, const char *path, const MsAuditProof *proof, GError **error)
{
	for (guint i = 0; i < incident->sources->len && proof->vkey != NULL; i++)
		if (g_strcmp0(proof->vkey,
			    g_array_index(incident->sources, Source, i).proof.vkey) == 0)
			return ms_fail_input(error,
				"%s is a trail that was read already (the key %s): name it once",
				path, proof->vkey);
	return true;
}

bool ms_incident_trail(MsIncident *incident, const char *path, GError **error)
{
	g_assert(!incident->settled);
	Source source = {0};
	listen_begin(&incident->listening);
	bool fine = ms_audit_each_proven(
		path, 0, G_MAXINT64, take_line, incident, &source.proof, error);
	fine = fine && is_new(incident, path, &source.proof, error);
	source.host = g_strdup(incident->listening.host != NULL ? incident->listening.host : "");
	g_array_append_val(incident->sources, source);
	listen_end(incident, &incident->listening);
	return fine;
}

bool ms_incident_has_trail(const MsIncident *incident)
{
	return incident->lines > 0;
}

/* ---- records --------------------------------------------------------------------------- */

static MsFate fate_of(MsState state)
{
	switch (state) {
	case MS_STATE_HELD:
		return MS_FATE_HELD;
	case MS_STATE_RELEASED:
		return MS_FATE_RELEASED;
	case MS_STATE_RETURNED:
	case MS_STATE_DELETED:
		return MS_FATE_STOPPED;
	case MS_STATE_OBSERVED:
	case MS_STATE_DELIVERED:
		return MS_FATE_OUT;
	case MS_STATE_GONE: /* refused, or let go by hand */
	case MS_N_STATES:
		break;
	}
	return MS_FATE_UNTOLD;
}

static void apply(Case *c, const MsRecord *record, const guint8 *key)
{
	c->recorded = c->to_nobody = true;
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		c->to_nobody = c->to_nobody && fate_of(to->state) < MS_FATE_RELEASED;
		g_autofree char *id = key != NULL ? ms_audit_id_of_address(key, to->address) : NULL;
		for (guint k = 0; k < c->copies->len; k++) {
			Copy *copy = c->copies->pdata[k];
			bool one = copy->id != NULL ? g_strcmp0(copy->id, id) == 0
						    : record->recipients->len == 1;
			if (one && copy->fate == MS_FATE_UNTOLD)
				copy->fate = fate_of(to->state);
		}
	}
}

/* Queue IDs come again; a message has its time too. */
static bool is_same(const Case *c, const MsRecord *record)
{
	g_autofree char *arrived = incident_iso(record->arrived);
	return strcmp(c->uid, record->uid) == 0 ||
		(*c->uid == '\0' && strcmp(c->host, record->host) == 0 &&
			strcmp(c->arrived, arrived) == 0);
}

/* NULL without error: there is none. */
static MsRecord *record_of(const Case *c, MsLedger *ledger, GError **error)
{
	if (*c->uid != '\0' || *c->queue_id == '\0')
		return ms_records_find(ledger, c->uid, error);
	/* A line of before there were names of records. */
	const MsRecordFilter filter = {.state = -1, .search = c->queue_id, .whole = true};
	g_autoptr(GPtrArray) records = ms_records_list(ledger, &filter, error);
	for (guint i = 0; records != NULL && i < records->len; i++)
		if (is_same(c, records->pdata[i]))
			return g_ptr_array_steal_index(records, i);
	return NULL;
}

bool ms_incident_records(MsIncident *incident, MsLedger *ledger,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error)
{
	g_assert(!incident->settled);
	for (guint i = 0; i < incident->cases->len; i++) {
		Case *c = incident->cases->pdata[i];
		g_autoptr(GError) why = NULL;
		g_autoptr(MsRecord) record = c->waits ? record_of(c, ledger, &why) : NULL;
		if (why != NULL) {
			g_propagate_error(error, g_steal_pointer(&why));
			return false;
		}
		if (record != NULL && is_same(c, record) && *record->damaged == '\0')
			apply(c, record, key);
	}
	return true;
}
