/*
 * An incident comes in, counted; a report goes out: sections of rows, each known, not known, or a
 * question to people.  Text, page and JSON are all made of these rows (render.c).  One thread.
 *
 * The sections follow the common template of the European Data Protection Board for notifying a
 * breach, as far as a mail filter can know of it.  That is a draft of 10 June 2026 (consultation
 * to 5 August 2026), known here by its sections: type of notification; controller, reporting
 * person, officer; nature, with date, time, duration, subjects, data and protection in place;
 * consequences; measures; who was told.  GDPR Art. 33(3) is what they stand for.
 */
#include "config.h"

#include <string.h>

#include "incident_private.h"

static void free_row(void *data)
{
	Row *row = data;
	g_free(row->key);
	g_free(row->label);
	g_free(row->text);
	json_decref(row->value);
	g_free(row);
}

static void free_section(void *data)
{
	Section *section = data;
	g_free(section->key);
	g_free(section->title);
	g_ptr_array_unref(section->rows);
	g_free(section);
}

void ms_report_free(MsReport *report)
{
	if (report == NULL)
		return;
	g_ptr_array_unref(report->sections);
	g_free(report->what);
	g_free(report);
}

/* ---- rows ------------------------------------------------------------------------------- */

static Section *begin(MsReport *report, const char *key, const char *title)
{
	Section *section = g_new0(Section, 1);
	section->key = g_strdup(key);
	section->title = g_strdup(title);
	section->rows = g_ptr_array_new_with_free_func(free_row);
	g_ptr_array_add(report->sections, section);
	return section;
}

/* Takes text and value. */
static void put(Section *section, const char *key, const char *label, RowState state, char *text,
	json_t *value)
{
	Row *row = g_new0(Row, 1);
	row->key = g_strdup(key);
	row->label = g_strdup(label);
	row->state = state;
	row->text = text;
	row->value = value;
	g_ptr_array_add(section->rows, row);
}

static void put_text(Section *section, const char *key, const char *label, char *text)
{
	put(section, key, label, ROW_KNOWN, text, NULL);
}

static void put_time(Section *section, const char *key, const char *label, gint64 us)
{
	g_autofree char *iso = us != 0 ? incident_iso(us) : NULL;
	put(section, key, label, us != 0 ? ROW_KNOWN : ROW_UNKNOWN, incident_time(us),
		iso != NULL ? json_string(iso) : json_null());
}

static void put_number(Section *section, const char *key, const char *label, guint64 n)
{
	put(section, key, label, ROW_KNOWN, g_strdup_printf("%" G_GUINT64_FORMAT, n),
		json_integer((json_int_t)n));
}

static void ask(Section *section, const char *key, const char *question)
{
	put(section, key, question, ROW_QUESTION, g_strdup(""), json_null());
}

static json_t *fates_json(const MsFates *f)
{
	json_t *object = json_pack("{s:I}", "all", (json_int_t)f->all);
	for (int i = 0; i < MS_N_FATES; i++)
		json_object_set_new(object, ms_fate_names[i], json_integer((json_int_t)f->of[i]));
	return object;
}

static const char *const fate_words[MS_N_FATES] = {
	"stopped", "held", "not known", "released", "got out"};

/* "12: 3 got out, 1 released, 2 held, 6 stopped". */
static char *fates_words(const MsFates *f)
{
	GString *out = g_string_new(NULL);
	g_string_append_printf(out, "%" G_GUINT64_FORMAT, f->all);
	const char *before = ": ";
	for (int i = MS_N_FATES - 1; i >= 0; i--)
		if (f->of[i] > 0) {
			g_string_append_printf(
				out, "%s%" G_GUINT64_FORMAT " %s", before, f->of[i], fate_words[i]);
			before = ", ";
		}
	return g_string_free(out, FALSE);
}

static void put_fates(Section *section, const char *key, const char *label, const MsFates *f)
{
	put(section, key, label, ROW_KNOWN, fates_words(f), fates_json(f));
}

static guint64 went(const MsFates *f)
{
	return f->of[MS_FATE_OUT] + f->of[MS_FATE_RELEASED];
}

/* ---- sections --------------------------------------------------------------------------- */

/* What whoever reads one line alone has to know. */
static char *result_of(const MsReport *report, const MsIncidentSum *s)
{
	g_autofree char *fates = fates_words(&s->messages);
	if (!ms_incident_has_trail(report->incident))
		return g_strdup("not known: there is no audit trail of this time");
	if (s->judged + s->deferred == 0)
		return g_strdup(
			"no message of what was asked for is in the audit trail of this time");
	if (s->messages.all == 0)
		return g_strdup(
			"no message with another's data for a recipient is known in this time");
	return g_strconcat("messages with another's data for a recipient: ", fates, NULL);
}

/* By what the report can be proved later, and compared with a checkpoint that was kept. */
static void tell_sources(MsReport *report, Section *section)
{
	const GArray *sources = report->incident->sources;
	for (guint i = 0; i < sources->len; i++) {
		const Source *source = &g_array_index(sources, Source, i);
		const MsAuditProof *p = &source->proof;
		const char *host = *source->host != '\0' ? source->host
							 : "a host that is not named";
		bool proved = !p->plain && p->wrong == 0 && p->size > 0;
		char *text = p->first == 0 ? g_strdup("there is none, or it is empty")
			: p->plain ? g_strdup_printf("%s: a plain file, which proves nothing", host)
			: p->size == 0
			? g_strdup_printf("%s: no checkpoint", host)
			: g_strdup_printf("%s: %" G_GUINT64_FORMAT " entries, root hash %s; %s",
				  host, p->size, p->root,
				  proved ? "it agrees with itself" : "it is not whole");
		put(section, "trail", "Audit trail that this rests on",
			proved ? ROW_KNOWN : ROW_UNKNOWN, text,
			json_pack("{s:s, s:I, s:s, s:b}", "host", source->host, "entries",
				(json_int_t)p->size, "root", p->root != NULL ? p->root : "",
				"whole", (int)proved));
	}
}

static void tell_summary(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "summary", "In short");
	put_text(section, "result", "Result", result_of(report, s));
	put_text(section, "asked", "What was asked for", g_strdup(report->what));
	put_time(section, "from", "From", report->from);
	put_time(section, "to", "To", report->to);
	put_time(section, "made", "Made", report->made);
	tell_sources(report, section);
	put_number(section, "judged", "Messages judged", s->judged);
	put_number(section, "deferred",
		"Answers \"try again later\" (the same mail may come again)", s->deferred);
	put_fates(section, "wrong", "Messages with another's data for a recipient", &s->messages);
	put_fates(section, "other-causes", "Held, or would be, for another cause", &s->others);
	put_text(section, "words", "Got out means: handed to the MTA",
		g_strdup(
			"released: held first, and let go by a person; held: waits still; stopped: rejected, returned or "
			"deleted; not known: held, and nothing says what became of it"));
}

/* Who notifies, and what kind of breach it is. */
static void tell_nature(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "nature", "Notification and nature of the breach");
	bool known = s->messages.all > 0, gone = went(&s->messages) > 0;
	put(section, "kind", "Kind of breach", known ? ROW_KNOWN : ROW_UNKNOWN,
		g_strdup(gone ? "confidentiality: data was sent to recipients who have no right to it"
				: known
				? "none is known: what was wrong has not got out (a near miss)"
				: "none is known"),
		NULL);
	put_text(section, "way", "How", g_strdup("outgoing electronic mail"));
	ask(section, "controller",
		"Who is the controller, who notifies for it, and were processors or joint controllers part of it?");
	ask(section, "states", "In which states do those concerned live; which authority leads?");
	ask(section, "cause",
		"What was the cause (a change of a program, a mistake of a person, an attack), and was it on purpose?");
	ask(section, "risk",
		"Is it likely to result in a risk, or a high risk, for those concerned, and why?");
}

static void tell_when(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "when", "Beginning, end, duration");
	put_time(section, "first", "First message that was wrong", s->first);
	put_time(section, "last", "Last message that was wrong", s->last);
	if (s->first != 0)
		put(section, "duration", "Duration", ROW_KNOWN, incident_span(s->last - s->first),
			json_real((double)(s->last - s->first) / G_USEC_PER_SEC));
	put_time(section, "first-out", "First that got out", s->first_out);
	put_time(section, "last-out", "Last that got out", s->last_out);
	if (s->last_out != 0)
		put(section, "since-last", "Since the last that got out", ROW_KNOWN,
			incident_span(MAX(report->made - s->last_out, 0)),
			json_real((double)(report->made - s->last_out) / G_USEC_PER_SEC));
	ask(section, "over", "Is it over, and since when?");
	ask(section, "began-before",
		"Did the cause exist before that, or elsewhere (other hosts, other ways of sending)?");
}

static void tell_detection(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "detection", "Detection");
	put_time(section, "found", "First judged wrong by missent", s->found);
	put_time(section, "first-stopped", "First that was kept back", s->first_stopped);
	put_time(section, "known-at",
		report->guessed ? "Known to people since (not said: the first line that says so)"
				: "Known to people since (as was said)",
		report->known_at);
	if (s->first_out != 0 && report->known_at > s->first_out)
		put(section, "unknown-for", "From the first that got out until it was known", ROW_KNOWN,
			incident_span(report->known_at - s->first_out),
			json_real((double)(report->known_at - s->first_out) / G_USEC_PER_SEC));
	ask(section, "how", "Who became aware of it, how and when exactly?");
	ask(section, "late", "Why was it not found earlier?");
}

static void tell_numbers(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "numbers", "Numbers of those concerned and of records");
	put_fates(section, "accounts", "Customers (accounts) whose data was in it", &s->accounts);
	put_fates(section, "recipients", "Recipients for whom it was wrong", &s->recipients);
	put_fates(section, "identifiers", "Identifiers", &s->identifiers);
	put_fates(section, "disclosures",
		"Records: an identifier and a recipient who may not have it", &s->disclosures);
	ask(section, "persons",
		"How many people stand behind these accounts, and are children or others in need of protection "
		"among them?");
	ask(section, "groups",
		"Who are they (customers, employees, patients, ...), and how many of each group?");
	ask(section, "exact", "Are these numbers final, or estimates, and from what?");
}

static void tell_categories(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "categories", "Categories of data");
	for (guint i = 0; i < s->kinds->len; i++) {
		const MsNamedFates *row = s->kinds->pdata[i];
		put_fates(section, row->name, row->name, &row->fates);
	}
	if (s->kinds->len == 0)
		put(section, "none", "Kinds of identifiers", ROW_UNKNOWN, g_strdup("none is known"),
			json_null());
	ask(section, "special",
		"What else stood in these messages; were special categories (Art. 9, 10 GDPR) among it?");
	ask(section, "others",
		"Which data beside these identifiers (names, contact, payment, contract, health, ...)?");
}

static void tell_consequences(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "consequences", "Likely consequences");
	put(section, "lost", "What was lost", went(&s->messages) > 0 ? ROW_KNOWN : ROW_UNKNOWN,
		g_strdup(went(&s->messages) > 0
				? "control over who has the data: it can be read, kept and passed on"
				: "nothing is known to have got out"),
		NULL);
	ask(section, "consequences",
		"What may follow for those concerned (loss of control, fraud, identity theft, damage to a "
		"name, other harm)?");
	ask(section, "severity",
		"How severe is that (negligible, limited, significant, maximal), how likely, and why?");
}

#define SHOWN 50
#define SHOWN_OF_EACH 20

static char *account_words(const char *digest, GHashTable *names)
{
	const char *name = names != NULL ? g_hash_table_lookup(names, digest) : NULL;
	return name != NULL ? g_strdup_printf("account \"%s\"", name)
			    : g_strdup_printf("account %.12s", digest);
}

/* "; to a***@b*** (account 0123456789ab): got out", and the same for programs. */
static json_t *tell_recipients(GString *text, const MsAccountPart *part, GHashTable *names)
{
	g_autoptr(GArray) all = incident_whom(part);
	json_t *list = json_array();
	for (guint i = 0; i < all->len; i++) {
		const Whom *w = &g_array_index(all, Whom, i);
		g_autofree char *account = *w->account != '\0' ? account_words(w->account, names)
							       : g_strdup("no account");
		if (i < SHOWN_OF_EACH)
			g_string_append_printf(text, "; to %s (%s): %s",
				*w->masked != '\0' ? w->masked : "a recipient", account,
				fate_words[w->fate]);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s}", "recipient", w->masked, "id", w->id,
				"account", w->account, "fate", ms_fate_names[w->fate]));
	}
	if (all->len > SHOWN_OF_EACH)
		g_string_append_printf(text, "; and to %u more", all->len - SHOWN_OF_EACH);
	return list;
}

static void tell_whom(MsReport *report, GHashTable *names)
{
	Section *section = begin(report, "whom", "Whose data went to whom");
	const GPtrArray *accounts = ms_incident_accounts(report->incident);
	for (guint i = 0; i < accounts->len; i++) {
		const MsAccountPart *a = accounts->pdata[i];
		g_autofree char *label = account_words(a->digest, names),
				*messages = fates_words(&a->messages);
		g_autoptr(GString) text = g_string_new(NULL);
		g_string_append_printf(text,
			"messages %s; %" G_GUINT64_FORMAT " identifier%s to %" G_GUINT64_FORMAT
			" recipient%s",
			messages, a->identifiers, a->identifiers == 1 ? "" : "s", a->recipients,
			a->recipients == 1 ? "" : "s");
		json_t *to = tell_recipients(text, a, names);
		*label = g_ascii_toupper(*label);
		put(section, a->digest, label, ROW_KNOWN, g_strdup(text->str),
			json_pack("{s:o, s:I, s:I, s:o}", "messages", fates_json(&a->messages),
				"identifiers-out", (json_int_t)a->identifiers, "recipients-out",
				(json_int_t)a->recipients, "to", to));
		((Row *)section->rows->pdata[i])->programs = i >= SHOWN;
	}
	if (accounts->len > SHOWN)
		put_number(section, "more",
			"Further accounts (--json has all of them, to whom each)",
			accounts->len - SHOWN);
	if (accounts->len == 0)
		put(section, "nobody", "Accounts", ROW_UNKNOWN, g_strdup("none is known"),
			json_null());
}

static void tell_protection(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "protection", "Protection in place");
	put_text(section, "filter", "Before sending",
		g_strdup("missent judges outgoing mail against the directory of whose "
			 "identifier is whose"));
	put_number(section, "kept-back", "Wrong messages that did not get out",
		s->messages.all - went(&s->messages) - s->messages.of[MS_FATE_UNTOLD]);
	ask(section, "unreadable",
		"Were the attachments that got out encrypted for their rightful recipients?");
}

/* "anna 3, bert 1" */
static void put_persons(Section *section, MsVerb verb, const Acts *acts)
{
	g_autofree char *key = g_strdup_printf("%s-by", ms_verbs[verb].name),
			*label = g_strdup_printf(
				"Decisions \"%s\", by whom", ms_verbs[verb].name);
	g_autoptr(GList) names =
		g_list_sort(g_hash_table_get_keys(acts->by), (GCompareFunc)strcmp);
	GString *text = g_string_new(NULL);
	json_t *by = json_object();
	for (const GList *l = names; l != NULL; l = l->next) {
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(acts->by, l->data));
		g_string_append_printf(
			text, "%s%s %u", text->len > 0 ? ", " : "", (char *)l->data, n);
		json_object_set_new(by, l->data, json_integer(n));
	}
	put(section, key, label, ROW_KNOWN, g_string_free(text, FALSE), by);
}

static void tell_containment(MsReport *report)
{
	Section *section = begin(report, "containment", "Containment");
	const MsIncident *incident = report->incident;
	for (int i = 0; i < MS_N_VERBS; i++) {
		const Acts *a = &incident->acts[i];
		g_autofree char *first = incident_time(a->first), *last = incident_time(a->last);
		g_autofree char *label = g_strdup_printf(
			"Decisions \"%s\" on these messages", ms_verbs[i].name);
		if (a->n == 0)
			continue;
		put(section, ms_verbs[i].name, label, ROW_KNOWN,
			g_strdup_printf("%" G_GUINT64_FORMAT ", from %s to %s", a->n, first, last),
			json_integer((json_int_t)a->n));
		put_persons(section, (MsVerb)i, a);
	}
	for (guint i = 0; i < incident->events->len; i++) {
		const Event *e = incident->events->pdata[i];
		g_autofree char *time = incident_time(e->time), *iso = incident_iso(e->time);
		put(section, "event", time, ROW_KNOWN,
			g_strdup_printf("%s%s%s%s%s", e->what, *e->who != '\0' ? ", by " : "",
				e->who, *e->detail != '\0' ? ": " : "", e->detail),
			json_pack("{s:s, s:s, s:s, s:s}", "time", iso, "what", e->what, "who",
				e->who, "detail", e->detail));
	}
	if (incident->events_more > 0)
		put_number(section, "events-more", "Further events in the trail",
			incident->events_more);
	ask(section, "measures",
		"What was done about the cause, and were recipients asked to delete what they got?");
	ask(section, "recipients-said",
		"What did the recipients say: was it deleted, opened, passed on?");
	ask(section, "prevention", "What is done so that it does not happen again, and by when?");
}

static void tell_told(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "told", "Who was told");
	put_number(section, "drafts",
		"Customers to whom \"missent incident notices\" writes a draft",
		went(&s->accounts));
	ask(section, "persons-told",
		"Were those concerned told, when, how, and with what words (Art. 34 GDPR)?");
	ask(section, "persons-not-told",
		"If they were not, or not all: when will they be, or which of Art. 34(3) is why not?");
	ask(section, "authorities",
		"Which other authorities, processors, controllers or police were told?");
	ask(section, "contact", "Who is the data protection officer or contact?");
}

static void tell_phase(MsReport *report, const MsIncidentSum *s)
{
	Section *section = begin(report, "phase", "Phase");
	guint64 open = s->messages.of[MS_FATE_HELD] + s->messages.of[MS_FATE_UNTOLD];
	bool complete = open == 0 && ms_incident_gaps(report->incident)->len == 0;
	put(section, "phase", "This report is", ROW_KNOWN,
		g_strdup(complete ? "complete, as far as missent can know"
				  : "initial: more information may follow"),
		json_string(complete ? "complete" : "initial"));
	if (open > 0)
		put_number(
			section, "open", "Messages that wait, or of which nothing is known", open);
	ask(section, "reference",
		"Is it a first notification, an addition (to which, of when), or is one taken back?");
}

static void tell_clocks(MsReport *report, const MsReportAsk *asked)
{
	Section *section = begin(report, "clocks", "Clocks");
	g_autoptr(GPtrArray) clocks = incident_clocks(asked, report->known_at);
	bool over = false;
	for (guint i = 0; i < clocks->len; i++) {
		const Clock *c = clocks->pdata[i];
		g_autofree char *ends = incident_time(c->ends), *iso = incident_iso(c->ends);
		g_autofree char *left = incident_span(ABS(c->ends - report->made));
		bool late = c->ends != 0 && c->ends < report->made;
		over = over || late;
		char *text = c->ends == 0 ? g_strdup_printf("runs from %s, which was not said. %s",
						    c->from_what, c->source)
					  : g_strdup_printf("ends %s (%s %s). %s", ends,
						    late ? "over since" : "in", left, c->source);
		put(section, "clock", c->title, c->ends != 0 ? ROW_KNOWN : ROW_UNKNOWN, text,
			json_pack("{s:s, s:s, s:s, s:o, s:b}", "title", c->title, "source",
				c->source, "from", c->from_what, "ends",
				c->ends != 0 ? json_string(iso) : json_null(), "over", (int)late));
	}
	section = begin(report, "delay", "Reasons for delay");
	if (report->known_at != 0 && report->known_at <= report->made)
		put(section, "since-known", "Since it is known to people", ROW_KNOWN,
			incident_span(report->made - report->known_at),
			json_real((double)(report->made - report->known_at) / G_USEC_PER_SEC));
	ask(section, "delay", over ? "A time above is over: why was nobody told before?"
		: "If a time above will not be kept: why?");
}

static void tell_gaps(MsReport *report)
{
	Section *section = begin(report, "not-known", "What is not known");
	const GPtrArray *gaps = ms_incident_gaps(report->incident);
	for (guint i = 0; i < gaps->len; i++)
		put(section, "gap", "Not known", ROW_UNKNOWN, g_strdup(gaps->pdata[i]), NULL);
	put(section, "delivery", "Not known here", ROW_UNKNOWN,
		g_strdup(
			"Whether the MTA delivered what it was handed, to whom else (aliases, copies that "
			"it adds), and what went past the filter, the mail log tells (missent audit "
			"reconcile)."),
		NULL);
	put(section, "unrecognised", "Not known here", ROW_UNKNOWN,
		g_strdup("What the directory did not know at the time was "
			 "not seen as anybody's (missent audit rejudge)."),
		NULL);
}

MsReport *ms_report_new(MsIncident *incident, const MsReportAsk *asked)
{
	MsReport *report = g_new0(MsReport, 1);
	const MsIncidentSum *s = ms_incident_sum(incident);
	report->incident = incident;
	report->from = incident->ask.from;
	report->to = MIN(incident->ask.to, incident->ask.now);
	report->made = incident->ask.now;
	report->guessed = asked->known_at == 0;
	report->named = asked->names != NULL;
	report->known_at = report->guessed ? s->found : asked->known_at;
	report->what = g_strdup(asked->what);
	report->sections = g_ptr_array_new_with_free_func(free_section);
	if (!ms_incident_has_trail(incident))
		tell_gaps(report);
	tell_summary(report, s);
	tell_nature(report, s);
	tell_when(report, s);
	tell_detection(report, s);
	tell_numbers(report, s);
	tell_categories(report, s);
	tell_consequences(report, s);
	tell_whom(report, asked->names);
	tell_protection(report, s);
	tell_containment(report);
	tell_told(report, s);
	tell_phase(report, s);
	tell_clocks(report, asked);
	if (ms_incident_has_trail(incident))
		tell_gaps(report);
	return report;
}
