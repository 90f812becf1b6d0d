/*
 * redis.h - a Redis of a test's own.  It ends with the test, also with one that fails.
 */
#ifndef MISSENT_TESTS_REDIS_H
#define MISSENT_TESTS_REDIS_H

#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static inline void end_with_parent(gpointer unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* 0: none is installed.  It listens on `*address_out`, in the folder `dir`. */
static inline GPid start_redis(const char *dir, char **address_out)
{
	g_autofree char *server = g_find_program_in_path("redis-server");
	if (server == NULL)
		return 0;
	g_autofree char *path = g_build_filename(dir, "redis.sock", NULL);
	const char *argv[] = {server, "--port", "0", "--unixsocket", path, "--dir", dir, "--save", "",
		"--daemonize", "no", NULL};
	GPid pid;
	g_assert_true(g_spawn_async(NULL, (char **)argv, NULL,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, end_with_parent,
		NULL, &pid, NULL));
	for (int i = 0; i < 200 && !g_file_test(path, G_FILE_TEST_EXISTS); i++)
		g_usleep(50 * 1000);
	*address_out = g_strconcat("unix:", path, NULL);
	return pid;
}

/* 0: there is none. */
static inline void stop_redis(GPid pid)
{
	if (pid == 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
