/*
 * missent-release: what a reviewer may do to the MTA's queue, and nothing else.
 *
 * It may be installed set-user-ID root and executable by the group missent alone, since
 * Postfix's queue tools are root's.  So: fixed verbs, a queue ID of letters and digits, fixed
 * programs, no shell, an empty environment; another Postfix configuration than the default
 * one only for who is root already.
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct {
	const char *verb;
	const char *program;
	const char *option;
	const char *queue; /* acts on files of this queue only */
	bool needs_id;
} verbs[] = {
	{"list", "/usr/sbin/postqueue", "-j", NULL, false},
	{"show", "/usr/sbin/postcat", "-q", NULL, true},
	{"release", "/usr/sbin/postsuper", "-H", NULL, true},
	{"return", "/usr/sbin/postsuper", "-f", NULL, true},
	{"delete", "/usr/sbin/postsuper", "-d", "hold", true},
};

static int usage(const char *why)
{
	fprintf(stderr, "missent-release: %s\n"
			"usage: missent-release [--config DIR] list | show ID | release ID | return ID | "
			"delete ID\n", why);
	return EX_USAGE;
}

/* Short IDs are hexadecimal, long ones have letters and digits without vowels.  Never "ALL". */
static bool is_queue_id(const char *id)
{
	size_t len = strlen(id);
	return len >= 5 && len <= 32
		&& strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == len;
}

int main(int argc, char **argv)
{
	const char *config = NULL;
	int at = 1;
	if (argc > 2 && strcmp(argv[1], "--config") == 0) {
		config = argv[2];
		at = 3;
		if (getuid() != 0)
			return usage("--config is for root");
		if (config[0] != '/')
			return usage("--config needs a path that begins with /");
	}
	if (at >= argc)
		return usage("no verb");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(argv[at], verbs[i].verb) != 0)
			continue;
		if (argc != at + 1 + verbs[i].needs_id)
			return usage("wrong number of arguments");
		const char *id = verbs[i].needs_id ? argv[at + 1] : NULL;
		if (id != NULL && !is_queue_id(id))
			return usage("this is no queue ID");
		const char *args[8];
		int n = 0;
		args[n++] = verbs[i].program;
		if (config != NULL) {
			args[n++] = "-c";
			args[n++] = config;
		}
		args[n++] = verbs[i].option;
		if (id != NULL)
			args[n++] = id;
		if (verbs[i].queue != NULL)
			args[n++] = verbs[i].queue;
		args[n] = NULL;
		static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C";
		char *const env[] = {path, lang, NULL};
		/* postsuper looks at the real user. */
		if (geteuid() == 0 && (setgid(getegid()) != 0 || setuid(0) != 0))
			return EX_OSERR;
		execve(verbs[i].program, (char *const *)args, env);
		perror(verbs[i].program);
		return EX_UNAVAILABLE;
	}
	return usage("unknown verb");
}
