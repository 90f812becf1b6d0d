/*
 * The command line comes in; the command it names gets the settings and what is left of it.  The
 * tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/text.h"

#include "cli.h"

#define HELP_COLUMNS 80

#ifdef MS_SANITIZERS
/* A command ends before what it does not free matters, and tests run thousands. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

const CliVerb cli_commands[] = {
	{"init", cmd_init, "set up missent beside the MTA of this host, or take that back"},
	{"check", cmd_check, "judge messages without an MTA, as the daemon would"},
	{"explain", cmd_explain,
		"the story of one verdict, and what would have to change for another"},
	{"directory", cmd_directory, "load, look up and change the mapping"},
	{"guard", cmd_guard, "streams of mail that are stopped"},
	{"forget", cmd_forget, "an account, in the records and in the guard"},
	{"held", cmd_held, "list, show, release, return and delete held mail"},
	{"incident", cmd_incident, "what went wrong in a time, what got out, whom to tell"},
	{"audit", cmd_audit,
		"the trail: set against the MTA's log, judged again, told to other programs"},
	{"review", cmd_review, "accounts of the review page"},
	{"policy", cmd_policy, "policies: what is odd in them, what they would have held"},
	{"stats", cmd_stats,
		"what was judged, and what became of it, by day, policy, sender, cause"},
	{"config", cmd_config, "check the configuration, or show what is in effect"},
	{"reload", cmd_reload, "have missentd read its files anew; fails if that does"},
	{"doctor", cmd_doctor, "find what is wrong with this installation, or open"},
	{"status", cmd_status, "is missentd at work, and what did it do today"},
	{"pause", cmd_pause, "let mail through as observed, for a while"},
	{"resume", cmd_resume, "end a pause"},
	{"completion", cmd_completion, "a script that completes commands, for bash or zsh"},
	{NULL, NULL, NULL},
};

/* Every layer says in the system's words that it may not; who may is known here alone. */
bool cli_lacks_rights(const char *text)
{
	bool lacking = strstr(text, g_strerror(EACCES)) != NULL ||
		strstr(text, g_strerror(EPERM)) != NULL;
	/* of missentd it is said who that is */
	return geteuid() != 0 && lacking && strstr(text, " runs as ") == NULL;
}

int cli_fail(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	bool lacking = cli_lacks_rights(text);
	bool other = code == EX_CONFIG || code == EX_TEMPFAIL || code == EX_DATAERR;
	code = lacking && other ? EX_NOPERM : code;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool help = code == EX_USAGE && strstr(text, "--help") == NULL;
	fflush(stdout); /* what was said before stands before it, in a file too */
	for (int i = 0; lines[i] != NULL; i++) {
		g_autofree char *safe = ms_text_escape(lines[i], -1, 1000);
		fprintf(stderr, "missent: %s", safe);
		if (help && lines[i + 1] == NULL)
			fprintf(stderr, " (see %s --help)", g_get_prgname());
		if (lacking && lines[i + 1] == NULL)
			fprintf(stderr, " (run it as root, or as the user of missent.conf)");
		fprintf(stderr, "\n");
	}
	return code;
}

const char *cli_who(void)
{
	const char *sudo = geteuid() == 0 ? g_getenv("SUDO_USER") : NULL;
	if (sudo != NULL)
		return sudo;
	const struct passwd *user = getpwuid(getuid());
	return user != NULL ? user->pw_name : "unknown";
}

int cli_fail_error(GError *error)
{
	/* whose word it is that is wrong: that of an option is said by its name */
	int code = g_str_has_prefix(error->message, "--")            ? EX_USAGE
		: g_error_matches(error, MS_ERROR, MS_ERROR_CONFIG) ? EX_CONFIG
		: g_error_matches(error, MS_ERROR, MS_ERROR_INPUT)   ? EX_DATAERR
		: g_error_matches(error, MS_ERROR, MS_ERROR_ABSENT)  ? EX_NOINPUT
								     : EX_TEMPFAIL;
	return cli_fail(code, "%s", error->message);
}

int cli_fail_none_of(const char *what, const char *value, const char *const *names)
{
	const char *near = ms_text_nearest(value, names);
	g_autofree char *all = g_strjoinv(", ", (char **)names);
	return cli_fail(EX_USAGE, "%s: \"%s\" is none of %s%s%s%s", what, value, all,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
}

/* The long option that was meant, as GOption says which it does not know; or NULL. */
static const char *nearest_option(const GOptionEntry *entries, const GError *error)
{
	const char *names[65] = {"help"};
	const char *word = g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
		? strstr(error->message, "--")
		: NULL;
	gsize n = 1;
	for (; word != NULL && entries != NULL && entries->long_name != NULL &&
		n + 1 < G_N_ELEMENTS(names);
		entries++)
		names[n++] = entries->long_name;
	g_autofree char *bare = word != NULL ? g_strndup(word + 2, strcspn(word + 2, "= ")) : NULL;
	return bare != NULL ? ms_text_nearest(bare, names) : NULL;
}

static bool has_one_value(const GOptionEntry *entry)
{
	return entry->arg == G_OPTION_ARG_STRING || entry->arg == G_OPTION_ARG_FILENAME ||
		entry->arg == G_OPTION_ARG_INT || entry->arg == G_OPTION_ARG_INT64 ||
		entry->arg == G_OPTION_ARG_DOUBLE;
}

static guint times_given(const GOptionEntry *entry, int argc, char **argv)
{
	guint n = 0;
	g_autofree char *name = g_strconcat("--", entry->long_name, NULL);
	g_autofree char *with_value = g_strconcat(name, "=", NULL);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		n += strcmp(argv[i], name) == 0 || g_str_has_prefix(argv[i], with_value);
	return n;
}

/* GOption passes over what "--dry-run=no" says, and does the contrary. */
static bool has_no_value(const GOptionEntry *entries, int argc, char **argv)
{
	for (; entries != NULL && entries->long_name != NULL; entries++) {
		g_autofree char *with_value = g_strdup_printf("--%s=", entries->long_name);
		for (int i = 1; i < argc && entries->arg == G_OPTION_ARG_NONE &&
			strcmp(argv[i], "--") != 0;
			i++)
			if (g_str_has_prefix(argv[i], with_value)) {
				cli_fail(EX_USAGE, "--%s takes no value: say it, or leave it out",
					entries->long_name);
				return false;
			}
	}
	return true;
}

/* GOption takes the last of several values, and says nothing of the others. */
static bool is_once(const GOptionEntry *entries, int argc, char **argv)
{
	for (; entries != NULL && entries->long_name != NULL; entries++)
		if (has_one_value(entries) && times_given(entries, argc, argv) > 1) {
			cli_fail(EX_USAGE, "--%s is given twice: which of them is meant?",
				entries->long_name);
			return false;
		}
	return true;
}

/* "--from TIME FOLDER - ...": an argument; "- ...", "--from TIME - ...", "--ecs | --ocsf - ...":
 * none. */
static bool names_argument(const char *summary)
{
	g_auto(GStrv) words = g_strsplit(summary, " ", -1);
	for (guint i = 0; words[i] != NULL && strcmp(words[i], "-") != 0; i++) {
		bool option = g_str_has_prefix(words[i], "--");
		if (!option && strcmp(words[i], "|") != 0)
			return true;
		if (option && words[i + 1] != NULL && g_ascii_isupper(words[i + 1][0]))
			i++; /* its value */
	}
	return false;
}

static bool takes_so_many(const char *summary, int argc, char **argv)
{
	const char *name = strchr(g_get_prgname(), ' ');
	if (argc == 1 || names_argument(summary))
		return true;
	cli_fail(EX_USAGE, "%s: takes no arguments, and \"%s\" is one",
		name != NULL ? name + 1 : g_get_prgname(), argv[1]);
	return false;
}

/* GOption takes words by the locale's encoding, and in that of cron (C) refuses all that is not
 * ASCII.  Here words are UTF-8 wherever they can be. */
static GOptionEntry *without_locale(const GOptionEntry *entries)
{
	GArray *out = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
	for (; entries != NULL && entries->long_name != NULL; entries++) {
		GOptionEntry entry = *entries;
		if (entry.arg == G_OPTION_ARG_STRING)
			entry.arg = G_OPTION_ARG_FILENAME;
		else if (entry.arg == G_OPTION_ARG_STRING_ARRAY)
			entry.arg = G_OPTION_ARG_FILENAME_ARRAY;
		g_array_append_val(out, entry);
	}
	return (GOptionEntry *)(void *)g_array_free(out, FALSE);
}

/* By the locale, where it is no UTF-8. */
static bool is_text(const char *name, char **text)
{
	if (g_utf8_validate(*text, -1, NULL))
		return true;
	char *converted = g_locale_to_utf8(*text, -1, NULL, NULL, NULL);
	if (converted == NULL) {
		cli_fail(EX_USAGE, "--%s: \"%s\" is not UTF-8", name, *text);
		return false;
	}
	g_free(*text);
	*text = converted;
	return true;
}

/* A variable of a shell that is not set is none of what can be said.  Where "" means something the
 * help of the option says so. */
static bool is_full(const char *name, const char *value)
{
	bool why = g_strcmp0(name, "why") == 0; /* blanks are no reason either */
	gsize blanks = value != NULL && why ? strspn(value, " \t\r\n") : 0;
	if (value == NULL || value[blanks] != '\0')
		return true;
	cli_fail(EX_USAGE, "%s%s: \"%s\" is an empty word%s", name != NULL ? "--" : "",
		name != NULL ? name : strchr(g_get_prgname(), ' ') + 1, value,
		why ? "; the reason is kept with what is done" : "");
	return false;
}

static bool is_good(const GOptionEntry *entry, char **text)
{
	bool may_be_empty = strstr(entry->description, "\"\"") != NULL,
	     is_path = entry->arg == G_OPTION_ARG_FILENAME ||
		entry->arg == G_OPTION_ARG_FILENAME_ARRAY;
	return *text == NULL ||
		((is_path || is_text(entry->long_name, text)) &&
			(may_be_empty || is_full(entry->long_name, *text)));
}

static bool are_full(const GOptionEntry *entries, int argc, char **argv)
{
	for (; entries != NULL && entries->long_name != NULL; entries++) {
		bool one = entries->arg == G_OPTION_ARG_STRING ||
			entries->arg == G_OPTION_ARG_FILENAME;
		bool several = entries->arg == G_OPTION_ARG_STRING_ARRAY ||
			entries->arg == G_OPTION_ARG_FILENAME_ARRAY;
		char **text = one ? entries->arg_data : NULL;
		char ***list = several ? entries->arg_data : NULL;
		if (!one && !several)
			continue;
		/* Who is told of it has nothing to give back. */
		if (one && !is_good(entries, text)) {
			g_clear_pointer(text, g_free);
			return false;
		}
		for (int i = 0; list != NULL && *list != NULL && (*list)[i] != NULL; i++)
			if (!is_good(entries, &(*list)[i])) {
				g_clear_pointer(list, g_strfreev);
				return false;
			}
	}
	for (int i = 1; i < argc; i++)
		if (!is_full(NULL, argv[i]))
			return false;
	return true;
}

/* GOption has what it is on the line of the arguments: here it is below, in lines that a terminal
 * has room for. */
static GOptionContext *context_of(const char *summary)
{
	const char *dash = g_str_has_prefix(summary, "- ") ? summary : strstr(summary, " - ");
	const char *what = dash != NULL ? strchr(dash, '-') + 2 : "";
	g_autofree char *arguments = g_strndup(
		summary, dash != NULL ? (gsize)(dash - summary) : strlen(summary));
	g_autoptr(GString) lines = g_string_new(NULL);
	ms_text_wrap(lines, what, 0, HELP_COLUMNS);
	GOptionContext *context = g_option_context_new(*arguments != '\0' ? arguments : NULL);
	g_option_context_set_summary(context, lines->str);
	return context;
}

/* GOption leaves the "--" that ends the options where it is, before a word with a dash: the word is
 * meant, not that. */
static void drop_end_of_options(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			memmove(argv + i, argv + i + 1, sizeof *argv * (gsize)(*argc - i));
			--*argc;
			return;
		}
}

bool cli_options(const GOptionEntry *entries, const char *summary, int *argc, char ***argv)
{
	if (cli_is_described(*argc, *argv)) {
		cli_describe_options((*argv)[2], summary, entries);
		return false;
	}
	if (!has_no_value(entries, *argc, *argv) || !is_once(entries, *argc, *argv))
		return false;
	g_autoptr(GOptionContext) context = context_of(summary);
	g_autoptr(GError) error = NULL;
	g_autofree GOptionEntry *plain = without_locale(entries);
	g_option_context_add_main_entries(context, plain, NULL);
	if (g_option_context_parse(context, argc, argv, &error)) {
		drop_end_of_options(argc, *argv);
		return takes_so_many(summary, *argc, *argv) && are_full(entries, *argc, *argv);
	}
	const char *near = nearest_option(entries, error);
	bool may_be_name = near == NULL && names_argument(summary) &&
		g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION);
	cli_fail(EX_USAGE, "%s%s%s%s%s", error->message, near != NULL ? "; did you mean --" : "",
		near != NULL ? near : "", near != NULL ? "?" : "",
		may_be_name ? " (what begins with a dash and is none goes behind --)" : "");
	return false;
}

const char *cli_colour(const Cli *cli, Colour colour)
{
	static const char *const codes[] = {
		"\033[0m", "\033[1m", "\033[31m", "\033[32m", "\033[33m", "\033[2m"};
	return cli->colour ? codes[colour] : "";
}

/* On a terminal: signs of East Asia take two columns, what combines with the one before none. */
static int columns_of(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

/* How much of the text has so many columns at most; how many it has. */
static const char *within(const char *text, int most, int *columns_out)
{
	int n = 0;
	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		int more = columns_of(g_utf8_get_char(text));
		if (n + more > most)
			break;
		n += more;
	}
	*columns_out = n;
	return text;
}

int cli_columns(const char *text)
{
	int n = 0;
	within(text, G_MAXINT / 2, &n);
	return n;
}

char *cli_cell(const char *text, int width)
{
	g_autofree char *safe = ms_text_escape(text != NULL ? text : "", -1, 300);
	int n = 0;
	if (width == 0)
		return g_steal_pointer(&safe);
	bool cut = *within(safe, width, &n) != '\0';
	const char *end = within(safe, cut ? MAX(width - 3, 0) : width, &n);
	g_autofree char *pad = g_strnfill((gsize)MAX(width - n - (cut ? 3 : 0), 0), ' ');
	return g_strdup_printf("%.*s%s%s", (int)(end - safe), safe, cut ? "..." : "", pad);
}

void cli_check_row(const Cli *cli, const char *name, const char *weight, const char *looks)
{
	g_autofree char *cell = cli_cell(name, 20), *heavy = cli_cell(weight, 8);
	printf("%s%s%s %s %s\n", cli_colour(cli, BOLD), cell, cli_colour(cli, PLAIN), heavy, looks);
}

char *cli_time(gint64 microseconds)
{
	return ms_text_time(microseconds, MS_ZONE_LOCAL, MS_TIME_SECONDS);
}

void cli_print_json(json_t *json)
{
	/* what is not UTF-8 makes none of the object that has it */
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text == NULL)
		cli_fail(0, "what is to be said cannot be said in JSON");
	else
		puts(text);
	free(text);
	json_decref(json);
}

bool cli_is_unread(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

bool cli_is_written(void)
{
	if (!ferror(stdout))
		return true;
	if (cli_is_unread())
		exit(EX_OK);
	return false;
}

static void print_usage(FILE *out, const CliVerb *verbs, const char *usage)
{
	gsize width = 11, n = 0;
	for (gsize i = 0; verbs[i].name != NULL; i++)
		width = MAX(width, strlen(verbs[i].name));
	for (gsize i = 0; verbs[i].name != NULL; i++)
		n = MAX(n, verbs[i].arguments != NULL ? strlen(verbs[i].arguments) + 2 : 0);
	fprintf(out, "usage: %s\n\n", usage);
	for (; verbs->name != NULL; verbs++)
		fprintf(out, "  %-*s %-*s%s\n", (int)width, verbs->name, (int)n,
			verbs->arguments != NULL ? verbs->arguments : "", verbs->help);
	fprintf(out, "\n--help after any of them says more; so does missent(1).\n");
}

/* What was typed is another noun's verb (missent release), a word like one of these, or one like
 * another noun's. */
static int no_verb(Cli *cli, const char *word, const char *const *names)
{
	const char *near = ms_text_nearest(word, names);
	g_autofree char *elsewhere = cli_elsewhere(cli, word, near == NULL);
	g_autofree char *meant = elsewhere != NULL ? g_strdup(elsewhere)
		: near != NULL                     ? g_strdup_printf("\"%s\"", near)
						   : NULL;
	return cli_fail(EX_USAGE, "there is no \"%s\" here%s%s%s", word,
		meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
		meant != NULL ? "?" : "");
}

int cli_dispatch(Cli *cli, const CliVerb *verbs, const char *usage, int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
				strcmp(argv[1], "help") == 0)) {
		print_usage(stdout, verbs, usage);
		return 0;
	}
	if (cli_is_described(argc, argv)) {
		cli_describe_verbs(cli, argv[2], verbs);
		return 0;
	}
	const char *names[33] = {NULL};
	for (gsize i = 0; argc > 1 && verbs[i].name != NULL; i++) {
		g_assert(i + 1 < G_N_ELEMENTS(names));
		names[i] = verbs[i].name;
		if (strcmp(argv[1], verbs[i].name) == 0) {
			/* What --help and complaints call it. */
			g_autofree char *whole = g_strconcat(
				g_get_prgname(), " ", verbs[i].name, NULL);
			g_set_prgname(whole);
			return verbs[i].run(cli, argc - 1, argv + 1);
		}
	}
	if (argc > 1)
		return no_verb(cli, argv[1], names);
	print_usage(stderr, verbs, usage);
	return EX_USAGE;
}

/* What stands before the command; returns how many arguments that is. */
static int common_options(Cli *cli, int argc, char **argv)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			cli->config = argv[++i];
		else if (strcmp(argv[i], "--no-color") == 0)
			cli->colour = false;
		else if (strcmp(argv[i], "--color") == 0)
			cli->colour = true;
		else
			break;
	}
	return i - 1;
}

/* What could not be written is no success, with --help too, after which GLib ends the program.  Who
 * reads no further (head) wanted no more.  What an earlier write failed of is not in errno now. */
static void close_output(void)
{
	bool flushed = fflush(stdout) == 0;
	int why = errno;
	if ((!flushed || ferror(stdout)) && !cli_is_unread()) {
		cli_fail(0, "standard output: %s",
			flushed ? "some of it could not be written" : g_strerror(why));
		_exit(EX_IOERR);
	}
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	atexit(close_output);
	ms_io_usual_start();
	Cli cli = {.config = g_getenv("MISSENT_CONFIG"),
		.colour = isatty(STDOUT_FILENO) && g_getenv("NO_COLOR") == NULL};
	if (cli.config == NULL)
		cli.config = CONFDIR "/missent.conf";
	ms_log_open("missent", false, false);
	g_set_prgname("missent");
	int skip = common_options(&cli, argc, argv);
	argc -= skip;
	argv += skip;
	if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("missent %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "pause") != 0 && strcmp(argv[1], "resume") != 0 &&
		strcmp(argv[1], "status") != 0)
		cli_tell_pause(&cli);
	return cli_dispatch(&cli, cli_commands,
		"missent [-c FILE] [--color|--no-color] COMMAND ...", argc, argv);
}
