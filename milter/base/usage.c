/*
 * A table of options and a command line come in; options go out, one a call, or the process ends
 * with what --help and
 * --version say.  At the start of a program, in its one thread.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/usage.h"

static const MsOption common[] = {
	{'h', "help", NULL, "say this"},
	{'V', "version", NULL, "print the version"},
};

static void print_option(const MsOption *option)
{
	char letter[] = {'-', option->letter, ',', ' ', '\0'};
	int n = printf("  %s--%s%s%s", option->letter != '\0' ? letter : "    ", option->name,
		option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	printf("%*s%s\n", n < 24 ? 24 - n : 2, "", option->help);
}

static void print_help(const MsUsage *usage)
{
	printf("usage: %s [OPTION]...%s%s\n\n%s: %s\n\n", usage->program,
		usage->operands != NULL ? " " : "", usage->operands != NULL ? usage->operands : "",
		usage->program, usage->what);
	for (const MsOption *option = usage->options; option->name != NULL; option++)
		print_option(option);
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		print_option(&common[i]);
	if (usage->more != NULL)
		printf("\n%s\n", usage->more);
}

int ms_usage_wrong(const MsUsage *usage, const char *why)
{
	fprintf(stderr, "%s: %s (see %s --help)\n", usage->program, why, usage->program);
	return EX_USAGE;
}

static void add(const MsOption *option, struct option *longs, char *shorts)
{
	*longs = (struct option){option->name,
		option->argument != NULL ? required_argument : no_argument, NULL, option->letter};
	if (option->letter != '\0') {
		size_t n = strlen(shorts); /* the rest of it is NULs */
		shorts[n] = option->letter;
		shorts[n + 1] = option->argument != NULL ? ':' : '\0';
	}
}

const char *ms_usage_lacks(const char *why)
{
	bool lacking = strstr(why, strerror(EACCES)) != NULL ||
		strstr(why, strerror(EPERM)) != NULL;
	const struct passwd *user = lacking ? getpwuid(geteuid()) : NULL;
	return user != NULL ? user->pw_name : NULL;
}

int ms_usage_ended(const char *program, int code, const char *what, const char *why)
{
	const char *user = ms_usage_lacks(*why != '\0' ? why : what);
	fprintf(stderr, "%s: %s%s%s", program, what, *what != '\0' && *why != '\0' ? ": " : "", why);
	fprintf(stderr, user != NULL ? " (it runs as %s)\n" : "\n", user != NULL ? user : "");
	return code;
}

int ms_usage_next(
	const MsUsage *usage, int argc, char **argv, const char **argument_out, int *rest_out)
{
	struct option longs[MS_USAGE_MOST + 3] = {{0}};
	char shorts[2 * MS_USAGE_MOST + 8] = "+:";
	size_t n = 0;
	for (const MsOption *option = usage->options; option->name != NULL; option++) {
		assert(n < MS_USAGE_MOST);
		add(option, &longs[n++], shorts);
	}
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		add(&common[i], &longs[n++], shorts);
	opterr = 0;
	int at = optind > 0 ? optind : 1, letter = getopt_long(argc, argv, shorts, longs, NULL);
	*argument_out = optarg;
	*rest_out = optind;
	if (letter == 'h') {
		print_help(usage);
		exit(EX_OK);
	}
	if (letter == 'V') {
		printf("%s %s\n", usage->program, PACKAGE_VERSION);
		exit(EX_OK);
	}
	if (letter == '?' || letter == ':') {
		char why[200];
		snprintf(why, sizeof why,
			letter == ':' ? "%.100s needs an argument" : "there is no option %.100s",
			argv[at]);
		exit(ms_usage_wrong(usage, why));
	}
	return letter;
}
