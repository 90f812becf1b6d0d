/* The operator's tool: one file a command, one row in the table of main.c. */
#ifndef MISSENT_CLI_H
#define MISSENT_CLI_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "missent/batch.h"

typedef struct {
	const char *config;
	bool colour;
} Cli;

int cmd_check(Cli *cli, int argc, char **argv);
int cmd_explain(Cli *cli, int argc, char **argv);
int cmd_init(Cli *cli, int argc, char **argv);
int cmd_directory(Cli *cli, int argc, char **argv);
int cmd_guard(Cli *cli, int argc, char **argv);
int cmd_forget(Cli *cli, int argc, char **argv);
int cmd_held(Cli *cli, int argc, char **argv);
int cmd_review(Cli *cli, int argc, char **argv);
int cmd_stats(Cli *cli, int argc, char **argv);
/* report.c: a verb of `missent policy`. */
int cli_policy_report(Cli *cli, int argc, char **argv);
/* show.c: `missent config show`. */
int cli_config_show(Cli *cli, bool json, bool policies);
int cmd_policy(Cli *cli, int argc, char **argv);
int cmd_config(Cli *cli, int argc, char **argv);
int cmd_reload(Cli *cli, int argc, char **argv);
int cmd_doctor(Cli *cli, int argc, char **argv);
int cmd_audit(Cli *cli, int argc, char **argv);
int cmd_incident(Cli *cli, int argc, char **argv);
/* trail.c: verbs of `missent audit`. */
int cli_audit_verify(Cli *cli, int argc, char **argv);
int cli_audit_prove(Cli *cli, int argc, char **argv);
int cli_audit_show(Cli *cli, int argc, char **argv);
int cli_audit_checkpoint(Cli *cli, int argc, char **argv);
int cli_audit_begin(Cli *cli, int argc, char **argv);
/* acts.c, versions.c, likewise. */
int cli_audit_acts(Cli *cli, int argc, char **argv);
int cli_audit_versions(Cli *cli, int argc, char **argv);
int cli_audit_witness(Cli *cli, int argc, char **argv);
int cmd_status(Cli *cli, int argc, char **argv);
int cmd_pause(Cli *cli, int argc, char **argv);
int cmd_resume(Cli *cli, int argc, char **argv);
int cmd_completion(Cli *cli, int argc, char **argv);
/* stats.c: of a time before the trail nothing is known, which is not that nothing was done. */
void cli_tell_begin(const Cli *cli, gint64 begins, gint64 from);
/* pause.c: says on standard error that missent is paused, where it is. */
void cli_tell_pause(const Cli *cli);
/* status.c: "2 h 5 m"; the caller's. */
char *cli_duration(gint64 seconds);

/* The ending of a noun of which there are so many. */
#define CLI_S(n) ((n) == 1 ? "" : "s")
/* "missent: ..." on standard error; returns `code`. */
int cli_fail(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);
int cli_fail_error(GError *error);
/* Is what an error says that we may not, because we are not root? */
bool cli_lacks_rights(const char *text);
/* `value` is none of `names` (NULL-terminated): says so, with all of them and the nearest.
 * EX_USAGE. */
int cli_fail_none_of(const char *what, const char *value, const char *const *names);
/* Who acts: the name behind sudo, if there is one. */
const char *cli_who(void);
/* Parses options; on failure prints it and returns false.  An empty word is one, unless the help of
 * its option says what "" means. */
bool cli_options(const GOptionEntry *entries, const char *summary, int *argc, char ***argv);

typedef struct {
	const char *name;
	int (*run)(Cli *cli, int argc, char **argv);
	const char *help;
	const char *arguments; /* or NULL */
} CliVerb;
/* Runs the verb that argv[1] names, of a table that ends with name NULL. */
int cli_dispatch(Cli *cli, const CliVerb *verbs, const char *usage, int argc, char **argv);

/* The table of main.c. */
extern const CliVerb cli_commands[];
/* completion.c: is a command run only to say what it takes?  Then with what, after the words
 * `path`. */
extern const char cli_describe[];
bool cli_is_described(int argc, char **argv);
void cli_describe_verbs(Cli *cli, const char *path, const CliVerb *verbs);
void cli_describe_options(const char *path, const char *summary, const GOptionEntry *entries);
/* What the word is a verb of, or with `near` one that is like it, as it is typed, in quotes, with
 * "or" between several; NULL: nothing.  The caller's. */
char *cli_elsewhere(Cli *cli, const char *word, bool near);

/* Escape sequences, or "" without colour. */
typedef enum { PLAIN, BOLD, RED, GREEN, YELLOW, DIM } Colour;
const char *cli_colour(const Cli *cli, Colour colour);
/* Printable text padded to `width` columns (cut if longer; 0: as it is).  Caller frees. */
char *cli_cell(const char *text, int width);
/* How many columns a printable text takes. */
int cli_columns(const char *text);
/* A line of a list of checks. */
void cli_check_row(const Cli *cli, const char *name, const char *weight, const char *looks);
char *cli_time(gint64 microseconds);

/* messages.c: calls `func` for each message of a file, an mbox, a Maildir, or "-". */
typedef int (*CliMessageFunc)(const char *name, const guint8 *data, gsize len, void *user);
/* The greatest value that `func` returned, or a sysexits code when something is not readable. */
int cli_messages(const char *path, CliMessageFunc func, void *user);

/* Nobody reads any more what is printed: who reads no further (head) wanted no more. */
bool cli_is_unread(void);
/* After a line of a list that may be long.  Ends the program where nobody reads any more; false: it
 * could not be written. */
bool cli_is_written(void);
/* Prints it as one line, and frees it: as --json has it. */
void cli_print_json(struct json_t *json);
/* batch.c: where what is done of `paths` is written down, the caller's: `said`, else a file named
 * by what is done (`more`, NULL-terminated); NULL: nowhere. */
char *cli_state_file(const Cli *cli, const char *said, char **paths, const char *name,
	const char *const *more);
/* Tells progress on standard error where somebody looks; else NULL. */
typedef void (*CliProgress)(const MsBatchProgress *progress, void *user);
CliProgress cli_progress(void);
void cli_progress_end(void);
/* learn.c: a verb of `missent directory`. */
int cli_learn(Cli *cli, int argc, char **argv);
/* backtest.c: a verb of `missent policy`. */
int cli_backtest(Cli *cli, int argc, char **argv);
/* check.c: what is said of the envelope of a message that is judged without an MTA. */
typedef struct {
	char *sender, *user, *client, *time;
	char **recipients;
} CliEnvelope;
#define CLI_ENVELOPE_OPTIONS(said)                                                               \
	{"from", 'f', 0, G_OPTION_ARG_STRING, &(said).sender,                                    \
		"envelope sender; \"\" for a bounce's (else Return-Path or From)", "ADDRESS"},                        \
		{"to", 't', 0, G_OPTION_ARG_STRING_ARRAY, &(said).recipients,                    \
			"envelope recipient, repeatable (else To and Cc)", "ADDRESS"},           \
		{"auth-user", 0, 0, G_OPTION_ARG_STRING, &(said).user,                           \
			"authenticated user; \"\" for nobody (else not known)", "NAME"},         \
		{"time", 0, 0, G_OPTION_ARG_STRING, &(said).time,                                \
			"when it came: \"2026-12-01 14:00\", 2h, ... (else not known)", "TIME"}, \
	{                                                                                        \
		"client", 0, 0, G_OPTION_ARG_STRING, &(said).client,                             \
			"client's IP address; \"\" for this host (else not known)", "IP"         \
	}
void cli_envelope_clear(CliEnvelope *said);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliEnvelope, cli_envelope_clear)
/* 0, or a sysexits code that was told: what was said, once for all messages. */
int cli_envelope_check(const CliEnvelope *said);
/* 0, or a sysexits code that was told. */
int cli_judge(MsRuntime *runtime, const CliEnvelope *said, const char *name, const guint8 *data,
	gsize len, MsEnvelope **envelope_out, MsJudgement **judgement_out);

/* directory.c: the directory that the configuration names; 0 or a sysexits code. */
typedef struct {
	Cli *cli;
	MsSettings *settings;
	MsKinds *kinds;
	MsDirectory *directory;
} CliSession;
int cli_begin(CliSession *session, Cli *cli);
void cli_end(CliSession *session);
/* "; did you mean "ALPHA"?", the caller's, where the mapping has no such account; "" where it has
 * none that is near.  NULL: it has it, or cannot be asked. */
char *cli_no_account(const CliSession *session, const char *account);
/* What an option of a number has while it is not said. */
#define CLI_NOT_SAID G_MAXINT
/* incident.c: a time that was said, in microseconds since 1970; "-2d" is two days ago, and so is
 * "2d" where it can be nothing else. */
bool cli_ago(const char *text, gint64 now, gint64 *us_out);
bool cli_when(const char *option, const char *text, gint64 now, gint64 *us_out, GError **error);
/* The same for two of them: a time that ends after it begins, and begins before now.  What is NULL
 * stays as it is. */
typedef struct {
	const char *from_name, *from, *to_name, *to;
} CliPeriod;
bool cli_period(const CliPeriod *said, gint64 now, gint64 *from_io, gint64 *to_io, GError **error);
/* The key of the trail's digests; false: there is none. */
bool cli_audit_key(CliSession *session, guint8 key[MS_AUDIT_KEY_BYTES]);
/* lookback.c: verbs of `missent audit`. */
int cli_rejudge(Cli *cli, int argc, char **argv);
int cli_export(Cli *cli, int argc, char **argv);
/* follow.c, import.c, verify.c: verbs of `missent directory`. */
int cli_follow(Cli *cli, int argc, char **argv);
int cli_import(Cli *cli, int argc, char **argv);
int cli_lint(Cli *cli, int argc, char **argv);
int cli_sync(Cli *cli, int argc, char **argv);
/* import.c: what `options` leave to it is set; `name` is told. */
int cli_import_fd(CliSession *session, int fd, const char *name, const char *why,
	MsImportOptions *options);
/* How it is said that what has moved is meant so; 0, or an exit status that was told. */
#define CLI_ACCEPT_OPTIONS(accept, why)                                                         \
	{"accept-moved", 0, 0, G_OPTION_ARG_NONE, &(accept),                                    \
		"take it into use though so much would move to accounts of others", NULL},      \
	{                                                                                       \
		"why", 0, 0, G_OPTION_ARG_STRING, &(why),                                       \
			"with --accept-moved: the reason, for the trail", "TEXT"                \
	}
int cli_accept_moved(bool accept, const char *why);
/* Opens a file to be read; 0, or an exit status that was told. */
int cli_open(const char *path, int *fd_out);
/* Lines of files that are bad come in one after the other; the first of each reason are told, and
 * how many more there are at the end.  `name` is borrowed till then. */
typedef struct {
	guint64 complaints;
	GArray *alike; /* of what is told; or NULL */
} CliBad;
void cli_bad(CliBad *bad, const char *name, guint64 line, const char *why);
void cli_bad_end(CliBad *bad);
/* Says what is wrong with a file, by its name where that is not said; the exit status. */
int cli_fail_file(GError *error, const char *name);
/* False: it is said that the option is not 0 to 100. */
bool cli_is_percent(const char *option, double value);
/* import.c: set by the first SIGINT or SIGTERM. */
const volatile int *cli_catch_signals(void);
int cli_verify(Cli *cli, int argc, char **argv);
/* remove.c, likewise. */
int cli_remove(Cli *cli, int argc, char **argv);
/* reconcile.c: a verb of `missent audit`. */
int cli_reconcile(Cli *cli, int argc, char **argv);
/* What a file looks like, as options say: import.c. */
typedef struct {
	char *encoding, *delimiter, *map, *account;
	char **maps; /* as they were given */
} CliForm;
#define CLI_FORM_OPTIONS(form)                                                                  \
	{"map", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(form).maps,                                  \
		"a line for each customer: which columns are what; repeatable",                 \
		"COLUMN=KIND,..."},                                                             \
		{"account", 0, 0, G_OPTION_ARG_STRING, &(form).account,                         \
			"with --map: the column that names the customer", "COLUMN"},            \
		{"encoding", 0, 0, G_OPTION_ARG_STRING, &(form).encoding,                       \
			"instead of the one that is found out", "NAME"},                        \
	{                                                                                       \
		"delimiter", 0, 0, G_OPTION_ARG_STRING, &(form).delimiter,                      \
			"between fields, instead of the one that is found out", "CHARACTER|tab" \
	}
/* 0, or an exit status that was told.  `out` borrows from `form`. */
int cli_form(CliForm *form, MsTableForm *out);
/* Without a file there is nothing that it is the form of: true, or false, which was told. */
bool cli_form_has_file(const CliForm *form, bool file, const char *how);
void cli_form_clear(CliForm *form);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliForm, cli_form_clear)
/* directory.c: writes down who does something with the mapping.  A host that only imports has no
 * trail, and writes nothing. */
bool cli_note(const CliSession *session, MsEvent event, const char *about, const char *detail,
	GError **error);
/* Prints a field of CSV and what follows it. */
void cli_csv_field(FILE *out, const char *text, char after);
/* suggest.c: a verb of `missent directory`. */
int cli_suggest_house(Cli *cli, int argc, char **argv);

#endif
