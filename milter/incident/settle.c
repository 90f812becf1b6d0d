/*
 * Cases come in, with what became of them; numbers go out: how many messages, recipients,
 * accounts and identifiers, each by the worst that it was part of.  One thread, once all lines
 * and records are in.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "incident_private.h"

static void add_fate(MsFates *fates, MsFate fate)
{
	fates->of[fate]++;
	fates->all++;
}

/* ---- worst of each ---------------------------------------------------------------------- */

static void note(GHashTable *table, const char *id, MsFate fate)
{
	MsFate before = (MsFate)GPOINTER_TO_INT(g_hash_table_lookup(table, id));
	bool there = g_hash_table_contains(table, id);
	if (!there || fate > before)
		g_hash_table_insert(table, (void *)id, GINT_TO_POINTER(fate));
}

static MsFates counted(GHashTable *table)
{
	MsFates fates = {0};
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		add_fate(&fates, (MsFate)GPOINTER_TO_INT(value));
	return fates;
}

static MsFates *named(GPtrArray *list, const char *name)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(((MsNamedFates *)list->pdata[i])->name, name) == 0)
			return &((MsNamedFates *)list->pdata[i])->fates;
	MsNamedFates *row = g_new0(MsNamedFates, 1);
	row->name = g_strdup(name);
	g_ptr_array_add(list, row);
	return &row->fates;
}

static void free_named(void *data)
{
	MsNamedFates *row = data;
	g_free(row->name);
	g_free(row);
}

/* ---- accounts --------------------------------------------------------------------------- */

typedef struct {
	MsAccountPart part;
	GHashTable *items;      /* Item's id to its worst */
	GHashTable *kind_of;    /* ... to its kind */
	GHashTable *masked_of;
	GHashTable *recipients; /* to the worst */
	GHashTable *copies;     /* recipient to a Copy of his, borrowed */
	const Case *last;       /* counted for already */
	MsFate of_last;
} Account;

static void free_account(void *data)
{
	Account *a = data;
	g_hash_table_unref(a->items);
	g_hash_table_unref(a->kind_of);
	g_hash_table_unref(a->masked_of);
	g_hash_table_unref(a->recipients);
	g_hash_table_unref(a->copies);
	g_clear_pointer(&a->part.kinds, g_ptr_array_unref);
	g_clear_pointer(&a->part.masked, g_ptr_array_unref);
	g_free(a->part.digest);
	g_free(a);
}

static Account *account_of(MsIncident *incident, const char *digest)
{
	Account *a = g_hash_table_lookup(incident->by_account, digest);
	if (a != NULL)
		return a;
	a = g_new0(Account, 1);
	a->part.digest = g_strdup(digest);
	a->items = g_hash_table_new(g_str_hash, g_str_equal);
	a->kind_of = g_hash_table_new(g_str_hash, g_str_equal);
	a->masked_of = g_hash_table_new(g_str_hash, g_str_equal);
	a->recipients = g_hash_table_new(g_str_hash, g_str_equal);
	a->copies = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(incident->by_account, a->part.digest, a);
	g_ptr_array_add(incident->accounts, a);
	return a;
}

/* The account's messages, each once, by the worst. */
static void count_message(Account *a, const Case *c, MsFate fate)
{
	MsFates *fates = &a->part.messages;
	if (a->last == c && fate > a->of_last) {
		fates->of[a->of_last]--;
		fates->of[fate]++;
		a->of_last = fate;
	} else if (a->last != c) {
		add_fate(fates, fate);
		a->last = c;
		a->of_last = fate;
	}
}

static void add_to_account(
	MsIncident *incident, const char *digest, const Case *c, const Copy *copy, const Item *item)
{
	if (incident->ask.account != NULL && strcmp(digest, incident->ask.account) != 0)
		return;
	Account *a = account_of(incident, digest);
	note(a->items, item->id, copy->fate);
	note(a->recipients, copy->id, copy->fate);
	g_hash_table_insert(a->copies, (void *)copy->id, (void *)copy);
	g_hash_table_insert(a->kind_of, (void *)item->id, (void *)item->kind);
	g_hash_table_insert(a->masked_of, (void *)item->id, (void *)item->masked);
	count_message(a, c, copy->fate);
	if (copy->fate >= MS_FATE_RELEASED) {
		a->part.first = a->part.first == 0 ? c->time : MIN(a->part.first, c->time);
		a->part.last = MAX(a->part.last, c->time);
	}
}

static int by_text(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

static void finish_account(Account *a)
{
	GHashTableIter iter;
	gpointer id, worst;
	a->part.kinds = g_ptr_array_new_with_free_func(free_named);
	a->part.masked = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_iter_init(&iter, a->items);
	while (g_hash_table_iter_next(&iter, &id, &worst)) {
		MsFate fate = (MsFate)GPOINTER_TO_INT(worst);
		const char *kind = g_hash_table_lookup(a->kind_of, id);
		add_fate(named(a->part.kinds, kind), fate);
		a->part.identifiers += fate >= MS_FATE_RELEASED;
		if (fate >= MS_FATE_RELEASED && a->part.masked->len < MS_ACCOUNT_SHOWN)
			g_ptr_array_add(a->part.masked, g_strdup_printf("%s %s", kind,
				(char *)g_hash_table_lookup(a->masked_of, id)));
	}
	g_hash_table_iter_init(&iter, a->recipients);
	while (g_hash_table_iter_next(&iter, NULL, &worst))
		a->part.recipients += (MsFate)GPOINTER_TO_INT(worst) >= MS_FATE_RELEASED;
	g_ptr_array_sort(a->part.masked, by_text);
}

static int by_worst(const void *one, const void *two)
{
	const MsAccountPart *a = *(MsAccountPart *const *)one, *b = *(MsAccountPart *const *)two;
	guint64 out = a->messages.of[MS_FATE_OUT] + a->messages.of[MS_FATE_RELEASED];
	guint64 other = b->messages.of[MS_FATE_OUT] + b->messages.of[MS_FATE_RELEASED];
	return out != other ? (out > other ? -1 : 1) : strcmp(a->digest, b->digest);
}

/* ---- all of it -------------------------------------------------------------------------- */

char *incident_end_name(const Case *c, const char *id)
{
	return g_strconcat(c->uid, " ", id, NULL);
}

/* Acts that ended it for one recipient, as their lines say; 0: none says it of him. */
static guint acts_on(const MsIncident *incident, const Case *c, const Copy *copy)
{
	g_autofree char *name = incident_end_name(c, copy->id != NULL ? copy->id : "");
	return GPOINTER_TO_UINT(g_hash_table_lookup(incident->ended_by, name));
}

/* Acts of which no line says for whom. */
static guint acts_on_somebody(const MsIncident *incident, const Case *c)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(incident->ended_by, c->uid));
}

/* Where neither record nor answer tells, the trail may know how it ended: for whom its lines name,
 * and else for all.  Of one that was released to some and kept from others, and they do not say who
 * is which, nobody knows. */
static void end_by_acts(const MsIncident *incident, Case *c)
{
	guint all = acts_on_somebody(incident, c) & ~RELEASED_NAMED;
	for (guint i = 0; i < c->copies->len; i++) {
		Copy *copy = c->copies->pdata[i];
		guint own = acts_on(incident, c, copy), verbs = own != 0 ? own : all;
		bool parted = (verbs & RELEASED) != 0 && verbs != RELEASED;
		if (copy->fate == MS_FATE_UNTOLD && verbs != 0 && !parted)
			copy->fate = verbs == RELEASED ? MS_FATE_RELEASED : MS_FATE_STOPPED;
	}
}

/* A trail proves itself, a record does not: by this one nobody, or not he, got what was released by
 * that. */
static void contradict(MsIncident *incident, Case *c)
{
	guint all = acts_on_somebody(incident, c);
	bool told = c->to_nobody && (all & (RELEASED | RELEASED_NAMED)) != 0;
	for (guint i = 0; c->recorded && i < c->copies->len; i++) {
		Copy *copy = c->copies->pdata[i];
		bool got = (acts_on(incident, c, copy) & RELEASED) != 0;
		told = told || (got && copy->fate < MS_FATE_RELEASED);
		if (got || (c->to_nobody && (all & RELEASED) != 0))
			copy->fate = MAX(copy->fate, got ? MS_FATE_RELEASED : MS_FATE_UNTOLD);
	}
	incident->sum.contradicted += told;
}

static void settle_times(MsIncident *incident, const Case *c)
{
	MsIncidentSum *s = &incident->sum;
	s->first = s->first == 0 ? c->time : MIN(s->first, c->time);
	s->last = MAX(s->last, c->time);
	s->found = s->first;
	if (c->worst >= MS_FATE_RELEASED) {
		s->first_out = s->first_out == 0 ? c->time : MIN(s->first_out, c->time);
		s->last_out = MAX(s->last_out, c->time);
	} else {
		s->first_stopped = s->first_stopped == 0 ? c->time : MIN(s->first_stopped, c->time);
	}
}

typedef struct {
	GHashTable *recipients, *accounts, *identifiers, *disclosures, *kind_of;
} Sets;

static void settle_copy(MsIncident *incident, Sets *sets, const Case *c, const Copy *copy)
{
	if (copy->id == NULL)
		return;
	note(sets->recipients, copy->id, copy->fate);
	for (guint i = 0; i < copy->items->len; i++) {
		const Item *item = copy->items->pdata[i];
		g_autofree char *pair = g_strconcat(item->id, " ", copy->id, NULL);
		note(sets->identifiers, item->id, copy->fate);
		note(sets->disclosures, g_string_chunk_insert_const(incident->strings, pair),
			copy->fate);
		g_hash_table_insert(sets->kind_of, (void *)item->id, (void *)item->kind);
		for (guint k = 0; k < item->accounts->len; k++) {
			if (incident->ask.account == NULL
				|| strcmp(item->accounts->pdata[k], incident->ask.account) == 0)
				note(sets->accounts, item->accounts->pdata[k], copy->fate);
			add_to_account(incident, item->accounts->pdata[k], c, copy, item);
		}
	}
}

static bool has_more_owners(const Case *c)
{
	for (guint i = 0; i < c->items->len; i++)
		if (((Item *)c->items->pdata[i])->more)
			return true;
	return false;
}

static void settle_case(MsIncident *incident, Sets *sets, Case *c)
{
	end_by_acts(incident, c);
	contradict(incident, c);
	c->worst = MS_FATE_STOPPED;
	for (guint i = 0; i < c->copies->len; i++)
		c->worst = MAX(c->worst, ((Copy *)c->copies->pdata[i])->fate);
	if (!c->wrong) {
		add_fate(&incident->sum.others, c->worst);
		return;
	}
	add_fate(&incident->sum.messages, c->worst);
	settle_times(incident, c);
	guint64 at = (guint64)((c->time - incident->buckets.begin) / incident->buckets.width);
	if (at < incident->buckets.judged->len)
		g_array_index(incident->buckets.of[c->worst], guint64, at)++;
	incident->sum.without_digests += *c->key == '\0';
	incident->sum.cut += c->cut || has_more_owners(c);
	for (guint i = 0; i < c->copies->len; i++)
		settle_copy(incident, sets, c, c->copies->pdata[i]);
}

static void count_kinds(MsIncident *incident, const Sets *sets)
{
	GHashTableIter iter;
	gpointer id, worst;
	incident->sum.kinds = g_ptr_array_new_with_free_func(free_named);
	g_hash_table_iter_init(&iter, sets->identifiers);
	while (g_hash_table_iter_next(&iter, &id, &worst))
		add_fate(named(incident->sum.kinds, g_hash_table_lookup(sets->kind_of, id)),
			(MsFate)GPOINTER_TO_INT(worst));
}

void incident_settle(MsIncident *incident)
{
	if (incident->settled)
		return;
	incident->settled = true;
	Sets sets;
	GHashTable **const tables[] = {&sets.recipients, &sets.accounts, &sets.identifiers,
		&sets.disclosures, &sets.kind_of};
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		*tables[i] = g_hash_table_new(g_str_hash, g_str_equal);
	incident->accounts = g_ptr_array_new_with_free_func(free_account);
	incident->by_account = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < incident->cases->len; i++)
		settle_case(incident, &sets, incident->cases->pdata[i]);
	incident->sum.lines = incident->lines;
	incident->sum.keys = g_hash_table_size(incident->keys);
	incident->sum.recipients = counted(sets.recipients);
	incident->sum.accounts = counted(sets.accounts);
	incident->sum.identifiers = counted(sets.identifiers);
	incident->sum.disclosures = counted(sets.disclosures);
	count_kinds(incident, &sets);
	for (guint i = 0; i < incident->accounts->len; i++)
		finish_account(incident->accounts->pdata[i]);
	g_ptr_array_sort(incident->accounts, by_worst);
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		g_hash_table_unref(*tables[i]);
}

const MsIncidentSum *ms_incident_sum(MsIncident *incident)
{
	incident_settle(incident);
	return &incident->sum;
}

const GPtrArray *ms_incident_accounts(MsIncident *incident)
{
	incident_settle(incident);
	return incident->accounts;
}

const MsAccountPart *ms_incident_account(MsIncident *incident, const char *digest)
{
	incident_settle(incident);
	return g_hash_table_lookup(incident->by_account, digest);
}

static int by_fate(const void *one, const void *two)
{
	const Whom *a = one, *b = two;
	return a->fate != b->fate ? (a->fate > b->fate ? -1 : 1) : strcmp(a->id, b->id);
}

GArray *incident_whom(const MsAccountPart *part)
{
	const Account *a = (const Account *)(const void *)part; /* its first field */
	GArray *list = g_array_new(FALSE, TRUE, sizeof(Whom));
	GHashTableIter iter;
	gpointer id, worst;
	g_hash_table_iter_init(&iter, a->recipients);
	while (g_hash_table_iter_next(&iter, &id, &worst)) {
		const Copy *copy = g_hash_table_lookup(a->copies, id);
		const Whom whom = {id, copy->masked, copy->account, (MsFate)GPOINTER_TO_INT(worst)};
		g_array_append_val(list, whom);
	}
	g_array_sort(list, by_fate);
	return list;
}

/* ---- the register ----------------------------------------------------------------------- */

typedef struct {
	MsRegisterRow row;
	GHashTable *accounts;
} Month;

static void free_month(void *data)
{
	Month *m = data;
	g_hash_table_unref(m->accounts);
	g_free(m->row.month);
	g_free(m->row.cause);
	g_free(m->row.policies);
	g_free(m);
}

static Month *month_of(GPtrArray *rows, GHashTable *index, const Case *c)
{
	g_autofree char *month = ms_text_time(c->time, MS_ZONE_UTC, "%Y-%m");
	g_autofree char *name = g_strjoin("\n", month, c->cause, c->policies, NULL);
	Month *m = g_hash_table_lookup(index, name);
	if (m != NULL)
		return m;
	m = g_new0(Month, 1);
	m->row.month = g_strdup(month);
	m->row.cause = g_strdup(c->cause);
	m->row.policies = g_strdup(c->policies);
	m->row.first = c->time;
	m->accounts = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(index, g_steal_pointer(&name), m);
	g_ptr_array_add(rows, m);
	return m;
}

static void add_to_month(Month *m, const Case *c)
{
	add_fate(&m->row.messages, c->worst);
	m->row.first = MIN(m->row.first, c->time);
	m->row.last = MAX(m->row.last, c->time);
	for (guint i = 0; i < c->copies->len; i++) {
		const Copy *copy = c->copies->pdata[i];
		for (guint k = 0; k < copy->items->len; k++) {
			const Item *item = copy->items->pdata[k];
			for (guint n = 0; n < item->accounts->len; n++)
				g_hash_table_add(m->accounts, item->accounts->pdata[n]);
		}
	}
	m->row.accounts = g_hash_table_size(m->accounts);
}

static int by_month(const void *one, const void *two)
{
	const MsRegisterRow *a = *(MsRegisterRow *const *)one, *b = *(MsRegisterRow *const *)two;
	int order = strcmp(a->month, b->month);
	order = order != 0 ? order : strcmp(a->cause, b->cause);
	return order != 0 ? order : strcmp(a->policies, b->policies);
}

const GPtrArray *ms_incident_register(MsIncident *incident)
{
	incident_settle(incident);
	if (incident->rows != NULL)
		return incident->rows;
	incident->rows = g_ptr_array_new_with_free_func(free_month);
	g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < incident->cases->len; i++) {
		const Case *c = incident->cases->pdata[i];
		add_to_month(month_of(incident->rows, index, c), c);
	}
	g_ptr_array_sort(incident->rows, by_month);
	return incident->rows;
}
