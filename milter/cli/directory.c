/*
 * The mapping: asking it, and changing single entries.  One thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/text.h"

#include "cli.h"

int cli_begin(CliSession *session, Cli *cli)
{
	g_autoptr(GError) error = NULL;
	session->cli = cli;
	session->settings = ms_settings_load(cli->config, &error);
	if (session->settings != NULL)
		session->kinds = ms_engine_load_kinds(session->settings, &error);
	if (session->kinds != NULL)
		session->directory =
			ms_engine_open_directory(session->settings, session->kinds, &error);
	return session->directory != NULL ? 0 : cli_fail_error(error);
}

void cli_end(CliSession *session)
{
	ms_directory_free(session->directory);
	ms_kinds_unref(session->kinds);
	ms_settings_free(session->settings);
}

/* 0, or it was said that there is no such kind: of kinds.conf, or recipient, or (`rights`)
 * receives-for. */
static int check_kind(const CliSession *session, const char *kind, bool rights)
{
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0 ||
		(rights && g_strv_contains(ms_rows_beside_kinds, kind)) ||
		ms_kinds_find(session->kinds, kind) != NULL)
		return 0;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < ms_kinds_count(session->kinds); i++)
		g_ptr_array_add(names, (char *)ms_kinds_nth(session->kinds, i)->name);
	for (const char *const *row = ms_rows_beside_kinds; *row != NULL; row++)
		if (rights || strcmp(*row, MS_ROW_RECIPIENT) == 0)
			g_ptr_array_add(names, (char *)*row);
	g_ptr_array_add(names, NULL);
	return cli_fail_none_of("KIND", kind, (const char *const *)names->pdata);
}

/* ---- asking --------------------------------------------------------------------------- */

/* Who owns it, or, of a recipient, for whom it may receive; `receivers` NULL: of a recipient. */
static int print_json(const char *kind, const GPtrArray *accounts, const GPtrArray *receivers)
{
	json_t *all = json_pack("{s:s, s:b, s:o}", "kind", kind, "known", (int)(accounts->len > 0),
		"accounts", ms_texts_to_json(accounts));
	if (receivers != NULL)
		json_object_set_new(all, "receivers", ms_texts_to_json(receivers));
	cli_print_json(all);
	return accounts->len == 0;
}

static int print_accounts(const GPtrArray *accounts, const char *what)
{
	for (guint i = 0; i < accounts->len; i++) {
		g_autofree char *cell = cli_cell(accounts->pdata[i], 0);
		printf("%s %s\n", what, cell);
	}
	return accounts->len == 0;
}

static int look_up(CliSession *session, const char *kind, const char *value, bool json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsResolution) resolution = NULL;
	MsAnswer answer;
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0) {
		answer = ms_directory_resolve(
			session->directory, NULL, 0, &value, 1, &resolution, &error);
		if (answer != MS_FOUND)
			return cli_fail_error(error);
		if (ms_resolution_over(resolution) != NULL)
			return cli_fail(EX_UNAVAILABLE, "%s", ms_resolution_over(resolution));
		g_autoptr(GPtrArray) accounts = g_ptr_array_new();
		ms_resolution_accounts_of(resolution, 0, G_MAXUINT, accounts);
		return json ? print_json(kind, accounts, NULL)
			    : print_accounts(accounts, "account");
	}
	const MsKind *row = ms_kinds_find(session->kinds, kind);
	const char *why = "the kind is not in kinds.conf";
	g_autofree char *canonical =
		row != NULL ? ms_kind_canonical(row, value, strlen(value), &why) : NULL;
	if (canonical == NULL)
		return cli_fail(EX_DATAERR, "%s \"%s\": %s", kind, value, why);
	g_autoptr(MsIdentifier) identifier = ms_identifier_new(kind, canonical);
	const MsIdentifier *list[] = {identifier};
	answer = ms_directory_resolve(session->directory, list, 1, NULL, 0, &resolution, &error);
	if (answer != MS_FOUND)
		return cli_fail_error(error);
	if (ms_resolution_over(resolution) != NULL)
		return cli_fail(EX_UNAVAILABLE, "%s", ms_resolution_over(resolution));
	g_autoptr(GPtrArray) receivers = g_ptr_array_new();
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	ms_resolution_receivers(resolution, 0, G_MAXUINT, receivers);
	ms_resolution_owners(resolution, 0, G_MAXUINT, owners);
	if (json)
		return print_json(kind, owners, receivers);
	print_accounts(receivers, "receiver");
	return print_accounts(owners, "account");
}

static int do_lookup(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "KIND VALUE - whose is it? exit 0: known, 1: not known, 75: could not "
		    "look",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 3)
		return cli_fail(
			EX_USAGE, "directory lookup: give a kind (or recipient) and a value");
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc == 0)
		rc = check_kind(&session, argv[1], false);
	if (rc == 0)
		rc = look_up(&session, argv[1], argv[2], json);
	cli_end(&session);
	if (rc == 1 && !json)
		printf("not known\n");
	return rc;
}

static int do_digest(Cli *cli, int argc, char **argv)
{
	gboolean all = FALSE;
	const GOptionEntry entries[] = {
		{"all", 0, 0, G_OPTION_ARG_NONE, &all, "also of its other forms, and its marks",
			NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(
		    entries, "KIND VALUE - the digest under which a value is stored", &argc, &argv))
		return EX_USAGE;
	if (argc != 3)
		return cli_fail(EX_USAGE, "directory digest: give a kind and a value");
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc == 0)
		rc = check_kind(&session, argv[1], true);
	const char *why;
	g_autofree char *key = rc == 0 ? ms_directory_key(session.directory, argv[1], argv[2],
						 strlen(argv[2]), all, &why)
				       : NULL;
	if (key != NULL)
		printf("%s\n", key);
	else if (rc == 0)
		rc = cli_fail(EX_DATAERR, "%s \"%s\": %s", argv[1], argv[2], why);
	cli_end(&session);
	return rc;
}

static int do_stats(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(
		    entries, "- what is loaded, and whether verdicts can use it", &argc, &argv))
		return EX_USAGE;
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc != 0) {
		cli_end(&session);
		return rc;
	}
	g_autoptr(GError) error = NULL;
	MsDirectoryState state = {0};
	MsAnswer answer = ms_directory_state(session.directory, &state, &error);
	g_autofree char *loaded = state.loaded > 0 ? cli_time(state.loaded * G_USEC_PER_SEC) : NULL;
	if (json) {
		json_t *all = json_pack("{s:b, s:s?, s:I, s:I, s:s?, s:b, s:s?}", "usable",
			answer == MS_FOUND, "generation", state.generation, "entries",
			(json_int_t)state.entries, "loaded", (json_int_t)state.loaded, "source",
			state.source, "digests", (int)state.digests, "trouble",
			error != NULL ? error->message : NULL);
		cli_print_json(all);
	} else if (state.generation != NULL) {
		g_autofree char *source = cli_cell(state.source, 0);
		printf("entries     %" G_GINT64_FORMAT "\nloaded      %s\nsource      %s\n"
		       "generation  %s\ndigests     %s\n",
			state.entries, loaded != NULL ? loaded : "never", source, state.generation,
			state.digests ? "yes" : "no");
	}
	if (answer != MS_FOUND)
		rc = cli_fail_error(error);
	ms_directory_state_clear(&state);
	cli_end(&session);
	return rc;
}

/* ---- changing ------------------------------------------------------------------------- */

bool cli_note(const CliSession *session, MsEvent event, const char *about, const char *detail,
	GError **error)
{
	const MsSettings *s = session->settings;
	g_autofree char *folder = ms_audit_folder(s->audit_file);
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		return true;
	g_autoptr(MsAudit) audit = ms_audit_new(s->audit_file);
	return ms_audit_event(audit, cli_who(), "shell", event, about, detail, error);
}

/* Who changes what belongs to whom changes what goes out: it is on record before it is done. */
static bool note_entry(CliSession *session, char **argv, bool remove, bool failed, GError **error)
{
	g_autofree char *about = NULL;
	g_autofree char *entry = ms_directory_told(
		session->directory, argv[1], argv[2], argv[3], &about);
	g_autofree char *detail = g_strconcat(failed ? "failed: " : "", entry, NULL);
	return cli_note(session, remove ? MS_EVENT_ENTRY_DELETED : MS_EVENT_ENTRY_PUT, about,
		detail, error);
}

typedef MsAnswer (*ChangeFunc)(MsDirectory *directory, const char *account, const char *kind,
	const char *value, bool *changed_out, GError **error);

/* What is the house's stands in its file as well, of which every import has it; what is anybody
 * else's is gone with the next one. */
static void keep(const CliSession *session, char **argv, bool remove)
{
	g_autoptr(GError) error = NULL;
	const char *path = ms_directory_house_file(session->directory);
	bool changed = false;
	if (strcmp(argv[1], session->settings->house) != 0 || path == NULL)
		printf("%s", remove ? "" : " (until the next import, which replaces the mapping)");
	else if (!ms_directory_change_house(
			 session->directory, remove, argv[2], argv[3], &changed, &error))
		cli_fail(0, "the next import %s: %s", remove ? "has it again" : "drops it",
			error->message);
	else if (changed)
		printf(remove ? ", and from %s" : ", and to %s, of which each import has it", path);
}

static bool is_new(const CliSession *session, const char *account)
{
	return ms_directory_has_account(session->directory, account, NULL, NULL) == MS_ABSENT;
}

/* A name that is mistyped makes another account, or deletes nothing: then it is 1, as of one that
 * is to be removed or looked up. */
static int tell_new(const CliSession *session, char **argv, bool remove, bool changed)
{
	bool house = strcmp(argv[1], session->settings->house) == 0;
	g_autofree char *near = remove && !changed ? cli_no_account(session, argv[1]) : NULL;
	if (!remove && changed && !house)
		cli_fail(0, "account \"%s\" is new: the directory knew nothing of it before", argv[1]);
	return near == NULL ? EX_OK
			    : cli_fail(1, "the directory knows no account \"%s\"%s", argv[1], near);
}

static void warn(guint64 line, const char *text, void *user)
{
	(void)line;
	cli_fail(0, "%s: warning: %s", (const char *)user, text);
}

/* The account that is received for, as the directory has it before the change. */
static char *no_principal(const CliSession *session, char **argv)
{
	return strcmp(argv[2], MS_ROW_RECEIVES_FOR) == 0 ? cli_no_account(session, argv[3]) : NULL;
}

/* Whose it is as well: given to another, it stays with who had it until it is deleted there. */
static void tell_others(const CliSession *session, char **argv)
{
	g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
	if (strcmp(argv[2], MS_ROW_RECEIVES_FOR) == 0 || strcmp(argv[2], MS_ROW_GREETED_AS) == 0 ||
		ms_directory_holders(session->directory, argv[2], argv[3], accounts, NULL) !=
			MS_FOUND ||
		accounts->len < 2)
		return;
	const char *other = accounts->pdata[strcmp(accounts->pdata[0], argv[1]) == 0],
		   *house = session->settings->house;
	g_autofree char *more = accounts->len > 2
		? g_strdup_printf(" and %u more accounts'", accounts->len - 2) : g_strdup("");
	bool houses = strcmp(argv[1], house) == 0 ||
		g_ptr_array_find_with_equal_func(accounts, house, g_str_equal, NULL);
	cli_fail(0, "warning: it is account \"%s\"'s%s too%s; if it went to another: missent directory delete %s\"%s\" %s VALUE",
		other, more,
		houses ? ", and what is your own may stand in everybody's mail: none is held for it" : "",
		*other == '-' ? "-- " : "", other, argv[2]);
}

/* As an import tells it. */
static void tell_odd(const CliSession *session, char **argv, const char *near)
{
	ms_directory_lint_row(session->directory, 0, argv[2], argv[3], warn, argv[3]);
	if (near != NULL)
		cli_fail(0, "warning: the directory knows no account \"%s\" to receive for%s",
			argv[3], near);
}

static int change(Cli *cli, int argc, char **argv, const char *summary, ChangeFunc func,
	const char *done, const char *not_done)
{
	bool remove = func == ms_directory_delete;
	if (!cli_options(NULL, summary, &argc, &argv))
		return EX_USAGE;
	if (argc != 4)
		return cli_fail(EX_USAGE, "directory %s: give ACCOUNT KIND VALUE", argv[0]);
	g_strstrip(argv[1]); /* as an import does */
	if (strcmp(argv[2], MS_ROW_RECEIVES_FOR) == 0)
		g_strstrip(argv[3]);
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc == 0)
		rc = check_kind(&session, argv[2], true);
	if (rc == 0) {
		g_autoptr(GError) error = NULL;
		bool changed = false, fresh = is_new(&session, argv[1]);
		g_autofree char *near = no_principal(&session, argv);
		if (note_entry(&session, argv, remove, false, &error) &&
			func(session.directory, argv[1], argv[2], argv[3], &changed, &error) ==
				MS_FOUND) {
			printf("%s", changed ? done : not_done);
			keep(&session, argv, remove);
			printf("\n");
			fflush(stdout);
			rc = fresh ? tell_new(&session, argv, remove, changed) : EX_OK;
			if (!remove)
				tell_odd(&session, argv, near);
			if (!remove && changed)
				tell_others(&session, argv);
		} else {
			rc = cli_fail_error(error);
			note_entry(&session, argv, remove, true, NULL);
		}
	}
	cli_end(&session);
	return rc;
}

static int do_put(Cli *cli, int argc, char **argv)
{
	return change(cli, argc, argv, "ACCOUNT KIND VALUE - add one entry", ms_directory_put,
		"added", "was there already");
}

static int do_delete(Cli *cli, int argc, char **argv)
{
	return change(cli, argc, argv, "ACCOUNT KIND VALUE - delete one entry", ms_directory_delete,
		"deleted", "was not there");
}

static int do_accept(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL,
		    "- the mapping as it is now may be used, though it is older than one before",
		    &argc, &argv))
		return EX_USAGE;
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	g_autoptr(GError) error = NULL;
	if (rc == 0 && (!cli_note(&session, MS_EVENT_MAPPING_ACCEPTED, "", "", &error) ||
			       ms_directory_accept(session.directory, &error) != MS_FOUND))
		rc = cli_fail_error(error);
	else if (rc == 0)
		printf("accepted\n");
	cli_end(&session);
	return rc;
}

char *cli_no_account(const CliSession *session, const char *account)
{
	g_autofree char *near = NULL;
	if (session->directory == NULL ||
		ms_directory_has_account(session->directory, account, &near, NULL) != MS_ABSENT)
		return NULL;
	return near != NULL ? g_strdup_printf("; did you mean \"%s\"?", near) : g_strdup("");
}

void cli_csv_field(FILE *out, const char *text, char after)
{
	g_autoptr(GString) cell = g_string_new(NULL);
	ms_text_add_cell(cell, text, strlen(text));
	fprintf(out, "%s%c", cell->str, after);
}

#define HEADING "account,kind,value\n"

static void print_entry(const char *account, const char *kind, const char *value, void *user)
{
	bool *begun = user;
	if (!*begun)
		printf(HEADING);
	*begun = true;
	cli_csv_field(stdout, account, ',');
	cli_csv_field(stdout, kind, ',');
	cli_csv_field(stdout, value, '\n');
}

static int do_export(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL, "- the mapping as CSV, where digests are off", &argc, &argv))
		return EX_USAGE;
	CliSession session = {0};
	int rc = cli_begin(&session, cli);
	if (rc == 0) {
		g_autoptr(GError) error = NULL;
		bool begun = false;
		if (!cli_note(&session, MS_EVENT_MAPPING_EXPORTED, "", "", &error) ||
			ms_directory_each(session.directory, print_entry, &begun, &error) !=
				MS_FOUND)
			rc = cli_fail_error(error);
		else if (!begun)
			printf(HEADING);
	}
	cli_end(&session);
	return rc;
}

static int do_key(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL, "- make the site key that the configuration names", &argc, &argv))
		return EX_USAGE;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(cli->config, &error);
	if (settings == NULL || !ms_key_create(settings->key_file, &error)
		|| !ms_io_give_to(settings->key_file, settings->user, &error))
		return cli_fail_error(error);
	printf("%s: made.  Keep a copy: without it the directory cannot be read.\n",
		settings->key_file);
	return 0;
}

static const CliVerb verbs[] = {
	{"import", cli_import, "take a new mapping into use", "FILE.csv"},
	{"sync", cli_sync, "import what a command of the settings prints"},
	{"lint", cli_lint, "what is odd in a file, or in the mapping", "[FILE.csv]"},
	{"follow", cli_follow, "take changes into it as they come", "[FILE]"},
	{"lookup", do_lookup, "whose is it?", "KIND VALUE"},
	{"put", do_put, "add one entry", "ACCOUNT KIND VALUE"},
	{"delete", do_delete, "delete one entry", "ACCOUNT KIND VALUE"},
	{"remove", cli_remove, "take all of an account out of it", "ACCOUNT"},
	{"stats", do_stats, "what is loaded"},
	{"accept", do_accept, "the mapping may be used, though an older copy"},
	{"verify", cli_verify, "is all of it what it should be?"},
	{"export", do_export, "the mapping as CSV (digests off)"},
	{"learn", cli_learn, "a mapping proposed from stored mail", "--from PATH"},
	{"suggest-house", cli_suggest_house,
		"what is in nearly every message, from samples", "FILE..."},
	{"digest", do_digest, "the stored key of a value", "KIND VALUE"},
	{"key", do_key, "make the site key"},
	{NULL, NULL, NULL},
};

int cmd_directory(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent directory VERB ...", argc, argv);
}
