/*
 * missent-reader on a host that lacks something: where a file of that name lies beside the path by
 * which it was started, fork() has no process ("no-process"), socketpair() no descriptor
 * ("no-descriptor"), or it does nothing at all any more ("no-life").
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/worker.h"

static char folder[4096];

static bool lacks(const char *what)
{
	g_autofree char *path = g_build_filename(folder, what, NULL);
	int before = errno;
	bool there = access(path, F_OK) == 0;
	errno = before;
	return there;
}

pid_t fork(void)
{
	pid_t (*real)(void) = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");
	if (!lacks("no-process"))
		return real();
	errno = EAGAIN;
	return -1;
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	int (*real)(int, int, int, int[2]) = (int (*)(int, int, int, int[2]))dlsym(RTLD_NEXT, "socketpair");
	while (lacks("no-life"))
		usleep(100000);
	if (!lacks("no-descriptor"))
		return real(domain, type, protocol, fds);
	errno = EMFILE;
	return -1;
}

int main(int argc, char **argv)
{
	g_autofree char *beside = g_path_get_dirname(argv[0]);
	g_strlcpy(folder, beside, sizeof folder);
	return ms_reader_main(argc, argv, &ms_reader_program);
}
