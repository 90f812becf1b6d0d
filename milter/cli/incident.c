/*
 * missent incident: what happened in a time, told from the audit trail and the records of held
 * mail.  What is asked for comes as words; digests of them are looked for.  Whoever sees a
 * customer's name, or writes to one, is on record.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/incident.h"
#include "missent/io.h"
#include "missent/text.h"
#include "missent/word.h"

#include "cli.h"

/* What was said on the command line. */
typedef struct {
	char *from, *to, *policy, *sender, *identifier, *known_at, *classified_at, *output,
		*language, *folder;
	char **trails, **records;
	gboolean json, html, names;
} Said;

static void said_clear(Said *said)
{
	char **const texts[] = {&said->from, &said->to, &said->policy, &said->sender,
		&said->identifier, &said->known_at, &said->classified_at, &said->output,
		&said->language, &said->folder};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_clear_pointer(texts[i], g_free);
	g_clear_pointer(&said->trails, g_strfreev);
	g_clear_pointer(&said->records, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Said, said_clear)

/* All that a command needs. */
typedef struct {
	CliSession session;
	bool has_key;
	guint8 key[MS_AUDIT_KEY_BYTES];
	char *key_number, *house, *account;
	GPtrArray *senders, *identifiers; /* of char *, ends with NULL; NULL: any */
	MsIncidentAsk ask;
	MsIncident *incident;
} Work;

static void work_clear(Work *work)
{
	ms_incident_free(work->incident);
	cli_end(&work->session);
	explicit_bzero(work->key, sizeof work->key);
	g_free(work->key_number);
	g_free(work->house);
	g_free(work->account);
	g_clear_pointer(&work->senders, g_ptr_array_unref);
	g_clear_pointer(&work->identifiers, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

/* ---- times -------------------------------------------------------------------------------- */

bool cli_ago(const char *text, gint64 now, gint64 *us_out)
{
	static const char units[] = "smhdw";
	static const gint64 seconds[] = {1, 60, 3600, 86400, 7 * 86400};
	char *end;
	gint64 n = g_ascii_strtoll(text, &end, 10);
	const char *unit = n > 0 && n < 1000000 && *end != '\0' && end[1] == '\0'
		? strchr(units, *end)
		: NULL;
	if (unit != NULL)
		*us_out = now - n * seconds[unit - units] * G_USEC_PER_SEC;
	return unit != NULL;
}

bool cli_when(const char *option, const char *text, gint64 now, gint64 *us_out, GError **error)
{
	return (*text == '-' && cli_ago(text + 1, now, us_out)) ||
		ms_text_take_time(text, MS_ZONE_UTC, us_out) ||
		ms_fail_input(error,
			"--%s: \"%s\" is no time: 2026-11-26, \"2026-11-26 14:00\" (UTC), "
			"2026-11-26T15:00:00+01:00, or -2d for two days ago",
			option, text);
}

static bool is_said_and_wrong(
	const char *name, const char *said, gint64 now, gint64 *us_io, GError **error)
{
	return said != NULL && !cli_when(name, said, now, us_io, error);
}

bool cli_period(const CliPeriod *said, gint64 now, gint64 *from_io, gint64 *to_io, GError **error)
{
	if (is_said_and_wrong(said->from_name, said->from, now, from_io, error) ||
		is_said_and_wrong(said->to_name, said->to, now, to_io, error))
		return false;
	if (*from_io >= now)
		return ms_fail_input(
			error, "--%s: \"%s\" is still to come", said->from_name, said->from);
	return *from_io < *to_io ||
		ms_fail_input(error,
			"--%s is not before --%s; a day alone is its beginning, so that a day ends with the "
			"next one",
			said->from_name, said->to_name);
}

static bool take_times(Work *work, const Said *said, GError **error)
{
	MsIncidentAsk *ask = &work->ask;
	ask->now = g_get_real_time();
	ask->to = ask->now;
	return cli_period(&(CliPeriod){"from", said->from, "to", said->to}, ask->now, &ask->from,
		&ask->to, error);
}

/* ---- digests ------------------------------------------------------------------------------ */

static void add_identifier(Work *work, const MsKind *kind, const char *value, const char **why)
{
	g_autofree char *canonical = ms_kind_canonical(kind, value, strlen(value), why);
	if (canonical != NULL)
		g_ptr_array_add(work->identifiers, ms_audit_id(work->key, kind->name, canonical));
}

/* No value of a kind begins like that, and nothing would be found of a kind that is none. */
static bool is_like_kind(const char *name)
{
	return *name != '\0' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name);
}

/* KIND=VALUE, or a value alone, of whatever kind it may be. */
static bool take_identifier(Work *work, const char *text, GError **error)
{
	const char *equals = strchr(text, '='), *why = "it is of no kind";
	g_autofree char *name = equals != NULL ? g_strndup(text, (gsize)(equals - text)) : NULL;
	const MsKind *named = name != NULL ? ms_kinds_find(work->session.kinds, name) : NULL;
	g_autoptr(GPtrArray) kinds = g_ptr_array_new();
	for (guint i = 0; i < ms_kinds_count(work->session.kinds); i++)
		g_ptr_array_add(kinds, (char *)ms_kinds_nth(work->session.kinds, i)->name);
	g_ptr_array_add(kinds, NULL);
	if (name != NULL && named == NULL && is_like_kind(name))
		return ms_word_refuse("--identifier", name, "is no kind of kinds.conf",
			(const char *const *)kinds->pdata, error);
	work->identifiers = g_ptr_array_new_with_free_func(g_free);
	if (named != NULL)
		add_identifier(work, named, equals + 1, &why);
	for (guint i = 0; named == NULL && i < ms_kinds_count(work->session.kinds); i++)
		add_identifier(work, ms_kinds_nth(work->session.kinds, i), text, &why);
	if (work->identifiers->len == 0)
		return ms_fail_input(error, "--identifier: \"%s\": %s", text, why);
	g_ptr_array_add(work->identifiers, NULL);
	work->ask.identifiers = (const char *const *)work->identifiers->pdata;
	return true;
}

static bool take_sender(Work *work, const char *text, GError **error)
{
	const char *at = strchr(text, '@');
	if (at != NULL ? at[1] == '\0' : strchr(text, '.') == NULL)
		return ms_fail_input(error,
			"--sender: \"%s\" is no address or domain, such as billing@example.com or "
			"example.com",
			text);
	g_autofree char *domain = g_ascii_strdown(at != NULL ? at + 1 : text, -1);
	work->senders = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(work->senders,
		at != NULL && at != text ? ms_audit_id_of_address(work->key, text)
					 : ms_audit_id(work->key, "domain", domain));
	g_ptr_array_add(work->senders, NULL);
	work->ask.senders = (const char *const *)work->senders->pdata;
	return true;
}

bool cli_audit_key(CliSession *session, guint8 key[MS_AUDIT_KEY_BYTES])
{
	if (session->directory == NULL)
		return false;
	ms_directory_subkey(session->directory, MS_AUDIT_PURPOSE, key);
	return true;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_trails(Work *work, const Said *said, GError **error)
{
	const char *own[] = {work->session.settings->audit_file, NULL};
	const char *const *paths = said->trails != NULL ? (const char *const *)said->trails : own;
	for (int i = 0; paths[i] != NULL; i++)
		if ((said->trails != NULL && !ms_audit_is_there(paths[i], error)) ||
			!ms_incident_trail(work->incident, paths[i], error))
			return false;
	return true;
}

/* Without records the trail alone tells, and says what it does not know. */
static bool read_records(Work *work, const Said *said, GError **error)
{
	const char *own[] = {work->session.settings->records_file, NULL};
	const char *const *paths = said->records != NULL ? (const char *const *)said->records : own;
	for (int i = 0; paths[i] != NULL; i++) {
		if (said->records == NULL && access(paths[i], F_OK) != 0)
			continue;
		g_autoptr(MsLedger) ledger = ms_ledger_open_readonly(paths[i], error);
		if (ledger == NULL ||
			!ms_incident_records(
				work->incident, ledger, work->has_key ? work->key : NULL, error))
			return false;
	}
	return true;
}

/* Of a title that is none, nothing is found, which is no answer.  One that was taken away since is
 * in the trail. */
static int check_policy(Work *work, Cli *cli, const char *title)
{
	const MsIncidentSum *sum = ms_incident_sum(work->incident);
	if (title == NULL || sum->judged + sum->deferred > 0)
		return 0;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	if (runtime == NULL)
		return cli_fail_error(error);
	const MsPolicies *policies = ms_runtime_policies(runtime);
	g_autoptr(GPtrArray) titles = g_ptr_array_new();
	bool enforced;
	for (guint i = 0; i < ms_policies_count(policies); i++)
		g_ptr_array_add(titles, (char *)ms_policies_nth(policies, i, &enforced));
	g_ptr_array_add(titles, NULL);
	if (g_strv_contains((const char *const *)titles->pdata, title))
		return 0;
	ms_word_refuse("--policy", title, "judged no message of this time, and is no policy now",
		(const char *const *)titles->pdata, &error);
	return cli_fail_error(error);
}

/* Reads all; 0, or a code, and it was said why. */
static int begin(Work *work, Cli *cli, const Said *said, const char *account)
{
	g_autoptr(GError) error = NULL;
	int rc = cli_begin(&work->session, cli);
	if (rc != 0)
		return rc;
	work->has_key = cli_audit_key(&work->session, work->key);
	work->key_number = ms_audit_key_number(work->key);
	work->house = ms_audit_id(work->key, "account", work->session.settings->house);
	work->ask.key = work->key_number;
	work->ask.house = work->house;
	work->ask.policy = said->policy;
	if (account != NULL)
		work->ask.account = work->account = ms_audit_id(work->key, "account", account);
	if (!take_times(work, said, &error)
		|| (said->sender != NULL && !take_sender(work, said->sender, &error))
		|| (said->identifier != NULL && !take_identifier(work, said->identifier, &error)))
		return cli_fail(EX_USAGE, "%s", error->message);
	work->incident = ms_incident_new(&work->ask);
	if (!read_trails(work, said, &error) || !read_records(work, said, &error))
		return cli_fail_error(error);
	return check_policy(work, cli, said->policy);
}

/* The code with which a command ends that could tell nothing: 0 where it could. */
static int end_code(const Work *work)
{
	return ms_incident_has_trail(work->incident)
		? 0
		: cli_fail(EX_NOINPUT,
			  "there is no audit trail of this time: nothing is known of it");
}

/* 0, or a sysexits code that was told: so below. */
static int on_record(const Work *work, MsEvent event, const char *detail)
{
	g_autoptr(GError) error = NULL;
	MsAudit *audit = ms_audit_new(work->session.settings->audit_file);
	bool fine = ms_audit_event(audit, cli_who(), NULL, event, "", detail, &error);
	ms_audit_free(audit);
	return fine ? EX_OK : cli_fail_error(error);
}

static int write_out(const char *path, const char *text)
{
	if (path == NULL) {
		fputs(text, stdout);
		return 0;
	}
	g_autoptr(GError) error = NULL;
	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
		return cli_fail(EX_CANTCREAT, "%s", error->message);
	return 0;
}

/* ---- names --------------------------------------------------------------------------------- */

typedef struct {
	const guint8 *key;
	MsIncident *incident;
	GHashTable *names; /* digest to name, of those concerned */
} Names;

static void take_name(const char *name, void *user)
{
	Names *names = user;
	g_autofree char *digest = ms_audit_id(names->key, "account", name);
	if (ms_incident_account(names->incident, digest) != NULL)
		g_hash_table_replace(names->names, g_steal_pointer(&digest), g_strdup(name));
}

/* Of the accounts concerned, as the directory has them now.  NULL: it was said why. */
static int names_of(Work *work, GHashTable **names_out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable)
		table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Names names = {work->key, work->incident, table};
	if (ms_directory_accounts(work->session.directory, take_name, &names, &error) != MS_FOUND)
		return cli_fail_error(error);
	*names_out = g_steal_pointer(&table);
	return EX_OK;
}

/* ---- options ------------------------------------------------------------------------------- */

#define OPTION(field, name, letter, type, help, argument) \
	{name, letter, 0, type, &said.field, help, argument}
#define TIME_OPTIONS \
	OPTION(from, "from", 0, G_OPTION_ARG_STRING, "from when on", "TIME"), \
	OPTION(to, "to", 0, G_OPTION_ARG_STRING, "until when (now)", "TIME")
#define SOURCE_OPTIONS                                                     \
	OPTION(trails, "trail", 0, G_OPTION_ARG_FILENAME_ARRAY,            \
		"read this audit trail; again for several hosts", "FILE"), \
		OPTION(records, "records", 0, G_OPTION_ARG_FILENAME_ARRAY, \
			"read these records; again for several hosts", "FILE")
#define WHAT_OPTIONS                                                                              \
	OPTION(policy, "policy", 0, G_OPTION_ARG_STRING, "only mail under this policy", "TITLE"), \
		OPTION(sender, "sender", 0, G_OPTION_ARG_STRING,                                  \
			"only mail of this address or domain", "ADDRESS"),                        \
		OPTION(identifier, "identifier", 0, G_OPTION_ARG_STRING,                          \
			"only mail with this identifier", "[KIND=]VALUE")

/* ---- report -------------------------------------------------------------------------------- */

static char *asked_words(const Said *said)
{
	GString *out = g_string_new("all mail");
	if (said->policy != NULL)
		g_string_append_printf(out, ", under the policy \"%s\"", said->policy);
	if (said->sender != NULL) {
		g_autofree char *masked = ms_identifier_masked(said->sender);
		g_string_append_printf(out, ", of the sender %s", masked);
	}
	if (said->identifier != NULL)
		g_string_append(out, ", with one identifier that was named");
	return g_string_free(out, FALSE);
}

static int make_report(Work *work, const Said *said, MsReportAsk *ask)
{
	g_autoptr(GHashTable) names = NULL;
	g_autofree char *what = asked_words(said);
	int rc = said->names ? on_record(work, MS_EVENT_INCIDENT_NAMES, what) : EX_OK;
	if (rc == EX_OK && said->names)
		rc = names_of(work, &names);
	if (rc != EX_OK)
		return rc;
	ask->what = what;
	ask->names = names;
	ask->clocks = work->session.settings->incident.clocks;
	g_autoptr(MsReport) report = ms_report_new(work->incident, ask);
	g_autofree char *text = said->json ? ms_report_json(report)
		: said->html               ? ms_report_html(report)
					   : ms_report_text(report);
	g_autofree char *line = g_strconcat(text, said->json ? "\n" : "", NULL);
	rc = write_out(said->output, line);
	return rc != 0 ? rc : end_code(work);
}

static int do_report(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {
		TIME_OPTIONS,
		WHAT_OPTIONS,
		SOURCE_OPTIONS,
		OPTION(known_at, "known-at", 0, G_OPTION_ARG_STRING, "since when people know of it",
			"TIME"),
		OPTION(classified_at, "classified-at", 0, G_OPTION_ARG_STRING,
			"when it was classified as major", "TIME"),
		OPTION(json, "json", 0, G_OPTION_ARG_NONE, "as JSON", NULL),
		OPTION(html, "html", 0, G_OPTION_ARG_NONE, "as a page to be printed", NULL),
		OPTION(names, "names", 0, G_OPTION_ARG_NONE, "name the accounts (goes on record)",
			NULL),
		OPTION(output, "output", 'o', G_OPTION_ARG_FILENAME, "to this file", "FILE"),
		G_OPTION_ENTRY_NULL,
	};
	g_auto(Work) work = {0};
	g_autoptr(GError) error = NULL;
	MsReportAsk ask = {0};
	gint64 now = g_get_real_time();
	if (!cli_options(entries,
		    "--from TIME - what went wrong in a time, what got out, and by when whom must be told",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1 || said.from == NULL)
		return cli_fail(EX_USAGE, "incident report: say from when on (--from)");
	if (said.json && said.html)
		return cli_fail(EX_USAGE, "incident report: --json or --html, not both");
	if ((said.known_at != NULL &&
		    !cli_when("known-at", said.known_at, now, &ask.known_at, &error)) ||
		(said.classified_at != NULL &&
			!cli_when("classified-at", said.classified_at, now, &ask.classified_at,
				&error)))
		return cli_fail(EX_USAGE, "%s", error->message);
	if (ask.known_at > now || ask.classified_at > now)
		return cli_fail(EX_USAGE, "--%s is still to come: the clocks run from it",
			ask.known_at > now ? "known-at" : "classified-at");
	int rc = begin(&work, cli, &said, NULL);
	return rc != 0 ? rc : make_report(&work, &said, &ask);
}

/* ---- one account ------------------------------------------------------------------------ */

static void print_kinds(const MsAccountPart *part)
{
	for (guint i = 0; i < part->kinds->len; i++) {
		const MsNamedFates *row = part->kinds->pdata[i];
		printf("  %-20s %" G_GUINT64_FORMAT " got out or released, %" G_GUINT64_FORMAT
		       " in all\n",
			row->name, row->fates.of[MS_FATE_OUT] + row->fates.of[MS_FATE_RELEASED],
			row->fates.all);
	}
	for (guint i = 0; i < part->masked->len; i++)
		printf("    %s\n", (char *)part->masked->pdata[i]);
}

static void print_part(const MsAccountPart *part)
{
	g_autofree char *first = cli_time(part->first), *last = cli_time(part->last);
	printf("messages with something of this account for somebody else: %" G_GUINT64_FORMAT "\n",
		part->messages.all);
	for (int i = MS_N_FATES - 1; i >= 0; i--)
		if (part->messages.of[i] > 0)
			printf("  %-20s %" G_GUINT64_FORMAT "\n", ms_fate_names[i],
				part->messages.of[i]);
	if (part->first != 0)
		printf("got out between %s and %s, to %" G_GUINT64_FORMAT " recipient%s\n", first,
			last, part->recipients, part->recipients == 1 ? "" : "s");
	print_kinds(part);
}

static json_t *fates_json(const MsFates *fates)
{
	json_t *out = json_pack("{s:I}", "all", (json_int_t)fates->all);
	for (int i = 0; i < MS_N_FATES; i++)
		json_object_set_new(out, ms_fate_names[i], json_integer((json_int_t)fates->of[i]));
	return out;
}

static void print_object(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	puts(text);
	free(text);
}

static json_t *gaps_json(Work *work)
{
	const GPtrArray *gaps = ms_incident_gaps(work->incident);
	json_t *list = json_array();
	for (guint i = 0; i < gaps->len; i++)
		json_array_append_new(list, json_string(gaps->pdata[i]));
	return list;
}

static void part_json(Work *work, const MsAccountPart *part, const char *account)
{
	json_t *kinds = json_object(), *masked = json_array();
	for (guint i = 0; part != NULL && i < part->kinds->len; i++) {
		const MsNamedFates *row = part->kinds->pdata[i];
		json_object_set_new(kinds, row->name, fates_json(&row->fates));
	}
	for (guint i = 0; part != NULL && i < part->masked->len; i++)
		json_array_append_new(masked, json_string(part->masked->pdata[i]));
	const MsFates none = {0};
	print_object(json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "account", account,
		"messages", fates_json(part != NULL ? &part->messages : &none), "recipients",
		(json_int_t)(part != NULL ? part->recipients : 0), "identifiers",
		(json_int_t)(part != NULL ? part->identifiers : 0), "first",
		(json_int_t)(part != NULL ? part->first / G_USEC_PER_SEC : 0), "last",
		(json_int_t)(part != NULL ? part->last / G_USEC_PER_SEC : 0), "kinds", kinds,
		"shown", masked, "not-known", gaps_json(work)));
}

static void print_gaps(Work *work)
{
	const GPtrArray *gaps = ms_incident_gaps(work->incident);
	for (guint i = 0; i < gaps->len; i++)
		printf("not known: %s\n", (char *)gaps->pdata[i]);
}

static int do_about(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {TIME_OPTIONS, SOURCE_OPTIONS,
		OPTION(json, "json", 0, G_OPTION_ARG_NONE, "as JSON", NULL), G_OPTION_ENTRY_NULL};
	g_auto(Work) work = {0};
	if (!cli_options(entries,
		    "ACCOUNT - what of this customer's data went to others; nothing of anybody else",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2)
		return cli_fail(EX_USAGE, "incident about: name one account");
	int rc = begin(&work, cli, &said, argv[1]);
	if (rc != 0)
		return rc;
	g_autofree char *digest = ms_audit_id(work.key, "account", argv[1]);
	rc = on_record(&work, MS_EVENT_INCIDENT_ABOUT, digest);
	if (rc != EX_OK)
		return rc;
	const MsAccountPart *part = ms_incident_account(work.incident, digest);
	g_autoptr(GError) error = NULL;
	if (part == NULL && work.session.directory != NULL &&
		ms_directory_has_account(work.session.directory, argv[1], NULL, &error) >
			MS_ABSENT) {
		g_prefix_error(&error,
			"nothing of \"%s\" is in the trail, and whether it is an account is not known: ",
			argv[1]);
		return cli_fail_error(error);
	}
	g_autofree char *none = part == NULL ? cli_no_account(&work.session, argv[1]) : NULL;
	if (none != NULL)
		return cli_fail(EX_DATAERR,
			"\"%s\" is no account that the directory knows, and nothing of it is in the "
			"trail%s",
			argv[1], none);
	if (said.json)
		part_json(&work, part, argv[1]);
	else if (part != NULL)
		print_part(part);
	else if (ms_incident_has_trail(work.incident))
		printf("nothing of this account is in a message that was wrong, as far as the trail knows\n");
	if (!said.json)
		print_gaps(&work);
	return end_code(&work);
}

/* ---- notices ---------------------------------------------------------------------------- */

static char *template_of(const Work *work, const char *language)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strdup_printf("notice-%s.txt", language);
	g_autofree char *path = g_build_filename(
		work->session.settings->incident.templates, name, NULL);
	char *text = NULL;
	if (strchr(language, '/') != NULL || !g_file_get_contents(path, &text, NULL, &error))
		cli_fail(EX_NOINPUT, "no template for the language \"%s\": %s", language,
			error != NULL ? error->message : "it is no language");
	return text;
}

typedef struct {
	const Work *work;
	const Said *said;
	const char *template;
	GHashTable *names;
	guint written, unnamed, there;
} Drafts;

/* Whole, or not at all.  One that exists is never written over: somebody may have worked on it. */
static int write_new(Drafts *d, const char *path, const char *text)
{
	bool made = false;
	if (!ms_io_make(path, text, strlen(text), 0600, &made))
		return cli_fail(EX_CANTCREAT, "%s: %s", path, g_strerror(errno));
	d->written += made;
	d->there += !made;
	return 0;
}

static int write_draft(Drafts *d, const MsAccountPart *part)
{
	g_autoptr(GError) error = NULL;
	const MsSettings *s = d->work->session.settings;
	const char *name = g_hash_table_lookup(d->names, part->digest);
	const MsNoticeWords words = {
		name != NULL ? name : "[the directory does not know this account any more]",
		s->incident.company != NULL ? s->incident.company : "[our name]",
		s->incident.contact != NULL ? s->incident.contact : "[our contact]"};
	g_autofree char *draft = ms_notice_draft(d->template, part, &words, &error);
	if (draft == NULL)
		return cli_fail_error(error);
	g_autofree char *file = g_strdup_printf("%s/notice-%s.txt", d->said->folder, part->digest);
	d->unnamed += name == NULL;
	return write_new(d, file, draft);
}

static int write_drafts(Work *work, const Said *said)
{
	const GPtrArray *accounts = ms_incident_accounts(work->incident);
	g_autofree char *template = template_of(
		work, said->language != NULL ? said->language : "en");
	g_autoptr(GHashTable) names = NULL;
	g_autofree char *detail = g_strdup_printf(
		"%u account%s", accounts->len, CLI_S(accounts->len));
	int rc = template != NULL ? names_of(work, &names) : EX_NOINPUT;
	if (rc == EX_OK)
		rc = on_record(work, MS_EVENT_INCIDENT_NOTICES, detail);
	if (rc != EX_OK)
		return rc;
	if (g_mkdir_with_parents(said->folder, 0700) != 0)
		return cli_fail(EX_CANTCREAT, "%s: %s", said->folder, g_strerror(errno));
	Drafts drafts = {.work = work, .said = said, .template = template, .names = names};
	for (guint i = 0; i < accounts->len && rc == 0; i++) {
		const MsAccountPart *part = accounts->pdata[i];
		if (part->messages.of[MS_FATE_OUT] + part->messages.of[MS_FATE_RELEASED] > 0)
			rc = write_draft(&drafts, part);
	}
	printf("%u draft%s in %s%s\n", drafts.written, drafts.written == 1 ? "" : "s", said->folder,
		drafts.unnamed > 0 ? "; some accounts are not in the directory any more" : "");
	print_gaps(work);
	if (rc == 0 && drafts.there > 0)
		rc = cli_fail(EX_CANTCREAT, "%u draft%s there already, and stay%s as %s",
			drafts.there, drafts.there == 1 ? " was" : "s were",
			drafts.there == 1 ? "s" : "", drafts.there == 1 ? "it is" : "they are");
	return rc;
}

static int do_notices(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {TIME_OPTIONS, WHAT_OPTIONS, SOURCE_OPTIONS,
		OPTION(language, "language", 0, G_OPTION_ARG_STRING, "of the template (en)",
			"LANGUAGE"),
		G_OPTION_ENTRY_NULL};
	g_auto(Work) work = {0};
	if (!cli_options(entries,
		    "--from TIME FOLDER - a draft to each customer whose data got out, in a new file each",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || said.from == NULL)
		return cli_fail(EX_USAGE,
			"incident notices: say from when on (--from), and a folder for the drafts");
	said.folder = g_strdup(argv[1]);
	int rc = begin(&work, cli, &said, NULL);
	rc = rc != 0 ? rc : end_code(&work);
	return rc != 0 ? rc : write_drafts(&work, &said);
}

/* ---- register --------------------------------------------------------------------------- */

static void print_row(const MsRegisterRow *row, bool json)
{
	const guint64 *of = row->messages.of;
	if (json) {
		print_object(json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "month", row->month,
			"cause", row->cause, "policies", row->policies, "messages",
			fates_json(&row->messages), "accounts", (json_int_t)row->accounts, "first",
			(json_int_t)(row->first / G_USEC_PER_SEC), "last",
			(json_int_t)(row->last / G_USEC_PER_SEC)));
		return;
	}
	g_autofree char *cause = cli_cell(row->cause, 36), *policies = cli_cell(row->policies, 24);
	printf("%s  %s  %s %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT
	       " %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT
	       " %8" G_GUINT64_FORMAT "\n",
		row->month, cause, policies, row->messages.all, of[MS_FATE_OUT],
		of[MS_FATE_RELEASED], of[MS_FATE_HELD], of[MS_FATE_STOPPED], of[MS_FATE_UNTOLD],
		row->accounts);
}

static int do_register(Cli *cli, int argc, char **argv)
{
	g_auto(Said) said = {0};
	const GOptionEntry entries[] = {TIME_OPTIONS, WHAT_OPTIONS, SOURCE_OPTIONS,
		OPTION(json, "json", 0, G_OPTION_ARG_NONE, "as JSON, a line a row", NULL),
		G_OPTION_ENTRY_NULL};
	g_auto(Work) work = {0};
	if (!cli_options(entries, "- every breach and near miss, by month and cause", &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "incident register: there is nothing to name");
	int rc = begin(&work, cli, &said, NULL);
	if (rc != 0)
		return rc;
	const GPtrArray *rows = ms_incident_register(work.incident);
	if (!said.json)
		printf("%-7s  %-36s  %-24s %8s %8s %8s %8s %8s %9s %8s\n", "month", "cause",
			"policies", "messages", "got out", "released", "held", "stopped",
			"not known", "accounts");
	for (guint i = 0; i < rows->len; i++)
		print_row(rows->pdata[i], said.json);
	if (!said.json)
		print_gaps(&work);
	return end_code(&work);
}

static const CliVerb verbs[] = {
	{"report", do_report, "what went wrong in a time, what got out, by when whom must be told"},
	{"notices", do_notices, "a draft to each customer whose data got out"},
	{"about", do_about, "one customer's part, and nothing of anybody else"},
	{"register", do_register, "every breach and near miss, by month and cause"},
	{NULL, NULL, NULL},
};

int cmd_incident(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent incident VERB ...", argc, argv);
}
