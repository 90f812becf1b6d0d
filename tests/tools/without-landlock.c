/* without-landlock PROGRAM ARGUMENT...: runs it as on a kernel, or in a container, that has no
 * Landlock, and without a time zone in the environment. */
#include "config.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (argc < 2 || ctx == NULL
		|| seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) != 0
		|| seccomp_load(ctx) != 0) {
		fprintf(stderr, "usage: without-landlock PROGRAM ARGUMENT...\n");
		return EX_USAGE;
	}
	unsetenv("TZ");
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return EX_UNAVAILABLE;
}
