/*
 * missent-reader on a host that lacks something, as the letters in the file "lacking" say, which
 * lies beside the path by which it was started: fork() has no process (p), socketpair() no
 * descriptor (d), or it does nothing at all any more (l).  The file is mapped, for a supervisor
 * opens none once it has begun.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/worker.h"

#define LETTERS 3

static const volatile char *lacking;

static bool lacks(char what)
{
	for (int i = 0; i < LETTERS; i++)
		if (lacking[i] == what)
			return true;
	return false;
}

pid_t fork(void)
{
	pid_t (*real)(void) = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");
	if (!lacks('p'))
		return real();
	errno = EAGAIN;
	return -1;
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	int (*real)(int, int, int, int[2]) = (int (*)(int, int, int, int[2]))dlsym(RTLD_NEXT, "socketpair");
	if (!lacks('d'))
		return real(domain, type, protocol, fds);
	errno = EMFILE;
	return -1;
}

/* As the supervisor waits for all that concerns it. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	while (n > 1 && lacks('l'))
		usleep(100000);
	const struct timespec wait = {timeout / 1000, timeout % 1000 * 1000000L};
	return ppoll(fds, n, timeout >= 0 ? &wait : NULL, NULL);
}

int main(int argc, char **argv)
{
	g_autofree char *beside = g_path_get_dirname(argv[0]);
	g_autofree char *path = g_build_filename(beside, "lacking", NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *letters = mmap(NULL, LETTERS, PROT_READ, MAP_SHARED, fd, 0);
	if (letters == MAP_FAILED)
		return 1;
	lacking = letters;
	close(fd);
	return ms_reader_main(argc, argv, &ms_reader_program);
}
