/*
 * missent init: from a host with an MTA to one whose outgoing mail is observed, and back.
 *
 * It asks five questions, shows every line that would change, and on a yes: writes the plan down,
 * changes missent's own files, makes a site key and the beginning of a mapping, starts missentd,
 * and only when that answers changes the MTA's files and has the MTA read them.  At last a mail
 * of its own shows that the MTA shows its mail.  A step that fails takes all of it back; so does
 * the next missent init after a kill, and `missent init --undo` at any time.  The tool's one
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/desk.h"
#include "missent/reader.h"

#include "init.h"

#define PROBE_MS 20000

/* ---- taken back -------------------------------------------------------------------------- */

static const MsSetupMta *mta_of(const MsPlan *plan, MsSetupMta *out)
{
	g_autofree char *type = ms_plan_fact(plan, "mta");
	out->config = ms_plan_fact(plan, "mta-config");
	out->sendmail = g_strcmp0(type, "sendmail") == 0;
	return out->config != NULL ? out : NULL;
}

static bool has_changes(const MsPlan *plan, MsSetupStep step)
{
	for (guint i = 0; i < plan->changes->len; i++)
		if (((const MsFileChange *)plan->changes->pdata[i])->step == step)
			return true;
	return false;
}

/* False: it is not known. */
static bool held_now(const Init *init, MsRecordStats *out)
{
	*out = (MsRecordStats){0};
	g_autoptr(MsSettings) s = ms_settings_load_public(init->cli->config, NULL);
	if (s != NULL && access(s->records_file, F_OK) != 0 && errno == ENOENT)
		return true;
	g_autoptr(MsLedger) ledger =
		s != NULL ? ms_ledger_open_readonly(s->records_file, NULL) : NULL;
	return ledger != NULL && ms_records_stats(ledger, out, NULL);
}

/* Records name messages by their queue IDs, and a Postfix that is to have short ones gives all
 * files of its queue other names at its next start: nobody would find again what it holds. */
static bool keep_queue_ids(const Init *init, const MsSetupMta *mta, GError **error)
{
	bool kept = false;
	if (mta->sendmail)
		return true;
	if (!ms_setup_keep_queue_ids(mta, &kept, error))
		return false;
	if (kept)
		init_say(init, YELLOW,
			"enable_long_queue_ids = yes stays in main.cf while mail is held: without it Postfix renames what is in its "
			"queue, and missent would not find it again.");
	return true;
}

/* What is held is decided afterwards too, in the queue of the MTA that holds it. */
static bool keep_mta(const Init *init, const MsSetupMta *mta, GError **error)
{
	bool kept = false;
	if (!ms_setup_keep_mta(init->cli->config, mta, &kept, error))
		return false;
	if (kept)
		init_say(init, YELLOW,
			"Which MTA it is stays in %s while mail is held: missent would look for it in another's queue.",
			init->cli->config);
	return true;
}

/* The MTA first: it must not ask who is gone. */
static bool take_back(Init *init, MsPlan *plan, GError **error)
{
	MsSetupMta found = {0};
	const MsSetupMta *mta = mta_of(plan, &found);
	g_autoptr(GError) why = NULL;
	MsRecordStats held;
	bool holds = mta != NULL && (!held_now(init, &held) || held.held > 0);
	bool fine = ms_plan_revert(plan, MS_SETUP_OF_MTA, error) &&
		(!holds || keep_queue_ids(init, mta, error));
	if (!fine)
		return false;
	if (mta != NULL && has_changes(plan, MS_SETUP_OF_MTA) && ms_setup_is_running(mta) &&
		!ms_setup_reload(mta, &why))
		init_say(init, YELLOW, "%s", why->message);
	init_stop(plan, init);
	fine = ms_plan_revert(plan, MS_SETUP_OWN, error) &&
		(!holds || keep_mta(init, mta, error)) && ms_plan_forget(plan, error);
	g_free(found.config);
	return fine;
}

/* What an earlier one left that was ended in the middle. */
static bool take_back_unfinished(Init *init, const GPtrArray *plans, GError **error)
{
	for (guint i = 0; i < plans->len; i++) {
		MsPlan *plan = plans->pdata[i];
		if (plan->ended)
			continue;
		init_say(init, YELLOW,
			"An earlier missent init was ended in the middle: what it changed is taken back first.");
		if (!take_back(init, plan, error))
			return false;
	}
	return true;
}

static void print_diff(const Init *init, const char *path, GBytes *before, GBytes *after)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *diff = ms_change_diff(path, before, after, &error);
	if (diff == NULL) {
		init_say(init, RED, "%s: %s", path, error->message);
		return;
	}
	/* a tab is shown as blanks, not as what it is escaped to */
	g_auto(GStrv) pieces = g_strsplit(diff, "\t", -1);
	g_autofree char *shown = g_strjoinv("        ", pieces);
	g_auto(GStrv) lines = g_strsplit(shown, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (**line != '\0' || line[1] != NULL)
			init_say(init,
				**line == '+'           ? GREEN
					: **line == '-' ? RED
							: PLAIN,
				"%s", *line);
}

static bool show_undo(const Init *init, const MsPlan *plan, GError **error)
{
	for (guint i = plan->changes->len; i > 0; i--) {
		const MsFileChange *change = plan->changes->pdata[i - 1];
		g_autoptr(GBytes) now = NULL, then = NULL;
		g_autoptr(GError) why = NULL;
		if (!ms_change_without(change, &now, &then, &why)) {
			print_diff(init, change->path, change->before, change->after);
			if (ms_plan_leaves(change, why)) {
				init_say(init, YELLOW, "It is left as it is now: %s", why->message);
				continue;
			}
			g_propagate_prefixed_error(error, g_steal_pointer(&why),
				"take these lines out yourself, then try again: ");
			return false;
		}
		print_diff(init, change->path, now, then);
	}
	return true;
}

/* Nobody else would look at them again: the MTA keeps what it was told to hold. */
static void tell_held(const Init *init)
{
	MsRecordStats held;
	if (!held_now(init, &held))
		init_say(init, RED,
			"whether mail is held still is not known, for the records cannot be read: missent held list");
	if (held.held > 0)
		init_say(init, RED,
			"%" G_GINT64_FORMAT " message%s held still: missent held list, and release, return or delete; no "
			"service is needed for it.",
			held.held, held.held == 1 ? " is" : "s are");
	if (held.delayed > 0)
		init_say(init, RED,
			"%" G_GINT64_FORMAT " wait%s to be judged again, which nobody does now: missent held work does it.",
			held.delayed, held.delayed == 1 ? "s" : "");
}

static int undo(Init *init, const GPtrArray *plans)
{
	g_autoptr(GError) error = NULL;
	if (plans->len == 0)
		return cli_fail(1, "there is nothing that missent init did here");
	for (guint i = 0; i < plans->len; i++) {
		if (!show_undo(init, plans->pdata[i], &error))
			return cli_fail_error(error);
		if (init->dry)
			continue;
		if (!init_confirm(init, "Take this back?"))
			return cli_fail(
				1, "nothing was changed%s", init->sits ? "" : "; --yes does it");
		if (!take_back(init, plans->pdata[i], &error))
			return cli_fail_error(error);
	}
	if (!init->dry)
		init_say(init, GREEN,
			"Taken back.  The site key, the mapping, the records and the audit trail are left.");
	tell_held(init);
	return 0;
}

/* ---- the mapping ------------------------------------------------------------------------- */

static int import_text(CliSession *session, const char *text, const char *name)
{
	MsImportOptions options = {.max_shrink = 1, .max_moved = 1, .max_bad = 0};
	int fd = ms_memory_of("missent-init", text, strlen(text));
	if (fd < 0)
		return cli_fail(EX_TEMPFAIL, "%s: %s", name, g_strerror(errno));
	int rc = lseek(fd, 0, SEEK_SET) == 0
		? cli_import_fd(session, fd, name, NULL, &options)
		: cli_fail(EX_TEMPFAIL, "%s: %s", name, g_strerror(errno));
	close(fd);
	return rc;
}

/* Your own domains are the house: what they get is nobody else's. */
static int put_house(CliSession *session, char **domains)
{
	g_autoptr(GError) error = NULL;
	MsDirectoryState state = {0};
	const char *house = session->settings->house;
	for (char **domain = domains; *domain != NULL; domain++) {
		g_autofree char *value = g_strconcat("@", *domain, NULL);
		bool changed;
		if (!ms_directory_change_house(session->directory, false, MS_ROW_RECIPIENT, value,
			    &changed, &error))
			return cli_fail_error(error);
	}
	bool loaded = ms_directory_state(session->directory, &state, NULL) == MS_FOUND;
	ms_directory_state_clear(&state);
	if (!loaded) {
		GString *csv = g_string_new("account,kind,value\n");
		for (char **domain = domains; *domain != NULL; domain++)
			g_string_append_printf(csv, "%s,recipient,@%s\n", house, *domain);
		int rc = *domains != NULL ? import_text(session, csv->str, "your own domains") : 0;
		g_string_free(csv, TRUE);
		return rc;
	}
	for (char **domain = domains; *domain != NULL; domain++) {
		g_autofree char *value = g_strconcat("@", *domain, NULL);
		bool changed;
		if (ms_directory_put(session->directory, house, MS_ROW_RECIPIENT, value, &changed,
			    &error) != MS_FOUND)
			return cli_fail_error(error);
	}
	return 0;
}

static int fill_mapping(Init *init, const MsSettings *s)
{
	int rc = 0;
	if (access(s->key_file, F_OK) != 0)
		rc = cmd_directory(
			init->cli, 2, (char *[]){(char *)"directory", (char *)"key", NULL});
	if (rc == 0 && init->customers != NULL)
		rc = cmd_directory(init->cli, 3,
			(char *[]){(char *)"directory", (char *)"import", init->customers, NULL});
	CliSession session = {0};
	if (rc == 0)
		rc = cli_begin(&session, init->cli);
	if (rc == 0)
		rc = put_house(&session, init->given.domains);
	cli_end(&session);
	return rc;
}

/* ---- there ------------------------------------------------------------------------------- */

static bool fill_all(Init *init, MsPlan *plan, const MsSettings *s, GError **error)
{
	if (fill_mapping(init, s) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "the mapping could not be filled");
		return false;
	}
	g_autoptr(MsRuntime) runtime = ms_runtime_load(init->cli->config, 0, NULL, error);
	return runtime != NULL && init_join_group(plan, s, error)
		&& (init->no_start || init_start(plan, init, s, error));
}

static bool carry_out(Init *init, MsPlan *plan, GError **error)
{
	const MsSetupMta *mta = init->mta;
	g_autoptr(MsSettings) s = NULL;
	if (!ms_plan_note(plan, "mta", mta->sendmail ? "sendmail" : "postfix", error) ||
		!ms_plan_note(plan, "mta-config", mta->config, error) ||
		!ms_plan_apply(plan, MS_SETUP_OWN, error))
		return false;
	s = ms_settings_load(init->cli->config, error);
	if (s == NULL || !init_make_user(s->user, error) || !init_make_folders(s, error) ||
		!fill_all(init, plan, s, error) || !ms_plan_apply(plan, MS_SETUP_OF_MTA, error))
		return false;
	if (!init->no_start && has_changes(plan, MS_SETUP_OF_MTA) && ms_setup_is_running(mta)) {
		g_autoptr(GError) why = NULL;
		if (!ms_setup_reload(mta, &why))
			init_say(init, YELLOW, "%s", why->message);
	}
	return ms_plan_end(plan, error);
}

static int apply(Init *init, MsPlan *plan, const char *plans)
{
	g_autoptr(GError) error = NULL, why = NULL;
	if (!ms_plan_begin(plan, plans, &error))
		return cli_fail_error(error);
	if (carry_out(init, plan, &error))
		return 0;
	if (take_back(init, plan, &why))
		g_prefix_error(&error, "all is as it was: ");
	else
		cli_fail(0, "%s", why->message);
	return cli_fail_error(error);
}

/* ---- does it see mail? ------------------------------------------------------------------- */

typedef struct {
	const Init *init;
	guint n, well;
} Probe;

static void tell_probe(bool well, const char *listener, const char *text, void *user)
{
	Probe *probe = user;
	probe->n++;
	probe->well += well;
	init_say(probe->init, well ? GREEN : RED, "%s  %s: %s", well ? "seen    " : "NOT SEEN",
		listener, text);
}

static int prove(const Init *init)
{
	g_autoptr(GError) error = NULL;
	Probe probe = {init, 0, 0};
	if (!ms_setup_is_running(init->mta))
		return cli_fail(1,
			"the MTA does not run: start it, then missent doctor --probe shows whether missent sees its mail");
	init_say(init, BOLD, "A mail of its own through each way in:");
	g_autoptr(MsDesk) desk = ms_desk_open(init->cli->config, &error);
	if (desk == NULL || !ms_desk_probe(desk, PROBE_MS, tell_probe, &probe, &error))
		return cli_fail_error(error);
	if (probe.well == probe.n)
		return 0;
	return cli_fail(1, "%u of %u: see missent doctor", probe.n - probe.well, probe.n);
}

/* By the policies as they are: what a person set to enforce before is kept. */
static void say_mode(const Init *init)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(init->cli->config, 0, NULL, &error);
	const MsPolicies *policies = runtime != NULL ? ms_runtime_policies(runtime) : NULL;
	guint n = policies != NULL ? ms_policies_count(policies) : 0, enforced = 0;
	for (guint i = 0; i < n; i++) {
		bool this;
		ms_policies_nth(policies, i, &this);
		enforced += this;
	}
	if (runtime == NULL)
		cli_fail_error(error);
	else if (enforced == 0)
		init_say(init, BOLD,
			"missent observes: it judges and records, and delivers everything.");
	else
		init_say(init, BOLD,
			"%u of %u policies enforce, as %s says: what is wrong by them is held.", enforced, n,
			init->cli->config);
}

static void say_next(const Init *init)
{
	say_mode(init);
	if (init->customers == NULL)
		init_say(init, PLAIN,
			"Next: missent directory import customers.csv (missent-directory(7)); until then nothing is known of your "
			"customers.");
	init_say(init, PLAIN,
		"Then: missent held list --observed; missent doctor; missent-guide(7).  missent init --undo takes it all "
		"back.");
}

/* ---- the way through --------------------------------------------------------------------- */

static void show_plan(const Init *init, const MsPlan *plan)
{
	for (guint i = 0; i < plan->changes->len; i++) {
		const MsFileChange *change = plan->changes->pdata[i];
		print_diff(init, change->path, change->before, change->after);
	}
	for (guint i = 0; i < plan->notes->len; i++)
		init_say(init, YELLOW, "Note: %s", (const char *)plan->notes->pdata[i]);
}

/* What the import would say of them; there may be no mapping and no key yet. */
static int look_at_customers(Init *init)
{
	if (init->customers == NULL)
		return 0;
	init_say(init, PLAIN, "Customers, %s:", init->customers);
	fflush(stdout);
	return cmd_directory(init->cli, 4,
		(char *[]){(char *)"directory", (char *)"import", (char *)"--dry-run",
			init->customers, NULL});
}

static int go_on(Init *init, const char *plans)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPlan) plan = init_ask(init, &error)
		? ms_setup_plan(init->cli->config, &init->given, &error)
		: NULL;
	if (plan == NULL)
		return cli_fail_error(error);
	show_plan(init, plan);
	if (init->dry)
		return look_at_customers(init);
	if (plan->changes->len == 0)
		init_say(init, PLAIN, "All files are as they shall be.");
	else if (!init_confirm(init, "Apply this?"))
		return cli_fail(1, "nothing was changed%s", init->sits ? "" : "; --yes applies it");
	int rc = apply(init, plan, plans);
	if (rc != 0 || init->no_start)
		return rc;
	rc = prove(init);
	say_next(init);
	return rc;
}

/* One at a time: the descriptor of a lock, or -1. */
static int lock(const char *config, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(config);
	g_mkdir_with_parents(dir, 0755);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", dir,
		fd >= 0 && errno == EWOULDBLOCK ? "another missent init is at work"
						: g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What there is, and the way on or back. */
static int begin(Init *init)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *plans = ms_plans_folder(init->cli->config);
	int held = lock(init->cli->config, &error);
	g_autoptr(GPtrArray) old = held >= 0 ? ms_plans_open(plans, &error) : NULL;
	if (old == NULL)
		return cli_fail_error(error);
	if (init->undo)
		return undo(init, old);
	if (!init->dry && !take_back_unfinished(init, old, &error))
		return cli_fail_error(error);
	g_autoptr(MsSettings) s = NULL;
	if (access(init->cli->config, F_OK) == 0) {
		s = ms_settings_load_public(init->cli->config, &error);
		if (s == NULL)
			return cli_fail_error(error);
	}
	init->mtas = ms_setup_find(s);
	return go_on(init, plans);
}

static void init_clear(Init *init)
{
	g_clear_pointer(&init->mtas, g_ptr_array_unref);
	g_clear_pointer(&init->notes, g_ptr_array_unref);
	ms_setup_answers_clear(&init->given);
	g_free(init->answers);
	g_free(init->log);
	g_free(init->customers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Init, init_clear)

int cmd_init(Cli *cli, int argc, char **argv)
{
	g_auto(Init) init = {.cli = cli};
	const GOptionEntry entries[] = {
		{"yes", 'y', 0, G_OPTION_ARG_NONE, &init.yes, "take what is proposed, and apply it",
			NULL},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &init.dry,
			"show what would change, change nothing", NULL},
		{"answers", 0, 0, G_OPTION_ARG_FILENAME, &init.answers,
			"the answers, as in missent(1)", "FILE"},
		{"mail-log", 0, 0, G_OPTION_ARG_FILENAME, &init.log,
			"the MTA's log, for what is proposed", "FILE"},
		{"no-start", 0, 0, G_OPTION_ARG_NONE, &init.no_start,
			"change files, start nothing, prove nothing", NULL},
		{"undo", 0, 0, G_OPTION_ARG_NONE, &init.undo, "take back what it did", NULL},
		{NULL},
	};
	if (!cli_options(entries,
		    "- from a host with an MTA to one whose outgoing mail is observed", &argc,
		    &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "init: \"%s\" is no option", argv[1]);
	if (geteuid() != 0 && !init.dry)
		return cli_fail(EX_NOPERM,
			"init: it changes the MTA's settings and makes users: run it as root (sudo missent init), or see "
			"with --dry-run what it would do");
	if (init.log != NULL && access(init.log, R_OK) != 0)
		return cli_fail(EX_NOINPUT, "--mail-log %s: %s", init.log, g_strerror(errno));
	init.notes = g_ptr_array_new_with_free_func(g_free);
	init.asks = !init.yes && !init.dry && init.answers == NULL && isatty(STDIN_FILENO);
	init.sits = isatty(STDIN_FILENO);
	return begin(&init);
}
