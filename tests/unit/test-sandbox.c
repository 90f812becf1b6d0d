/* What a worker could do if a document took it over: tests/tools/inside-sandbox tries everything,
 * and what comes through must be in the table below, with the arguments named there. */
#include "config.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/io.h"

#include "../test.h"

/* Reviewed: the calls that the kernel may look at, and the arguments with which they may work.
 * `with` NULL: any, for it touches nothing but the worker itself and descriptors that it holds: its
 * job's socket, the message, /dev/null. */
static const struct {
	const char *name, *with, *why;
} reviewed[] = {
	{"read", NULL, "its job"},
	{"readv", NULL, "its job"},
	{"write", NULL, "its answer; the message is sealed"},
	{"writev", NULL, "its answer; the message is sealed"},
	{"recvmsg", NULL, "its job and the message"},
	{"sendto", NULL, "its answer; with an address it is killed (see below)"},
	{"close", NULL, "its own"},
	{"fstat", NULL, "size of the message"},
	{"lseek", NULL, "size of the message; nobody relies on a position in it"},
	{"poll", NULL, "waits until its deadline"},
	{"ppoll", NULL, "waits until its deadline"},
	{"restart_syscall", NULL, "after a signal"},
	{"mmap", "memory|room|room as memory", "its memory; neither code nor shared"},
	{"mprotect", "zeros|memory|own memory|lock of two", "its memory; no code"},
	{"munmap", NULL, "its memory"},
	{"mremap", NULL, "its memory"},
	{"madvise", NULL, "its memory"},
	{"brk", NULL, "its memory"},
	{"futex", NULL, "waits or wakes; no other kind (see below)"},
	{"clock_gettime", NULL, "the time"},
	{"gettimeofday", NULL, "the time"},
	{"getrandom", NULL, "hash tables"},
	{"getrusage", NULL, "of itself"},
	{"getpid", NULL, "for abort()"},
	{"gettid", NULL, "for abort()"},
	{"sched_yield", NULL, "allocators"},
	{"rt_sigprocmask", NULL, "for abort()"},
	{"rt_sigreturn", NULL, "crashes"},
	{"exit", NULL, "ends"},
	{"exit_group", NULL, "ends"},
	{"tgkill", "own", "abort()"},
	/* Landlock lets nothing be opened but the tables; what comes back is EACCES, or that the
	 * arguments are none. */
	{"openat", "table", "Poppler's tables"},
	{"open", "", "Poppler's tables"},
	/* The kernel asks no filter about these, and does nothing for who is not being traced. */
	{"uretprobe", NULL, "ends"},
	{"335", NULL, "ends"},
	{"uprobe", "", "fails"},
	{"336", "", "fails"},
#ifdef MS_SANITIZERS
	{"rt_sigaction", NULL, "sanitizers"},
	{"sigaltstack", NULL, "sanitizers"},
	{"sched_getaffinity", NULL, "sanitizers"},
	{"getppid", NULL, "sanitizers"},
	{"mincore", NULL, "sanitizers"},
	{"time", NULL, "sanitizers"},
	{"futex", NULL, "sanitizers"},
#endif
};

static bool is_reviewed(const char *name, const char *outcome, const char *with)
{
	for (gsize i = 0; i < G_N_ELEMENTS(reviewed); i++) {
		if (strcmp(reviewed[i].name, name) != 0)
			continue;
		if (reviewed[i].with == NULL || strcmp(outcome, "fails") == 0)
			return true;
		g_auto(GStrv) words = g_strsplit(reviewed[i].with, "|", -1);
		for (char **word = words; *word != NULL; word++)
			if (strcmp(*word, with) == 0)
				return true;
	}
	return false;
}

/* Never, whatever else is reviewed. */
static const char *const never[] = {"tgkill * bystander*", "tgkill * parent*",
	"tgkill * own number*", "kill *", "tkill *", "rt_sigqueueinfo *", "rt_tgsigqueueinfo *",
	"pidfd_*", "openat * path at", "openat * folder*", "openat * high*", "openat * new*",
	"openat * nameless*", "openat works file*", "open * path", "open works *", "openat2 *",
	"mmap works code", "mmap works shared*", "mmap works large*", "mprotect works * code",
	"sendto works job and*", "sendmsg *",
#ifndef MS_SANITIZERS
	"futex * lock*",
#endif
	"dup*", "socket*", "clone*", "fork *", "execve*", "ptrace *", "process_*", "io_uring*",
	"bpf *", "x32:*", "i386:*", "prctl *", "seccomp *"};

/* Of a worker that is put back, without who traces it: with these alone nothing is left behind. */
static const char *const traceless[] = {"read *", "readv *", "write *", "writev *", "recvmsg *", "fstat *",
	"lseek *", "poll *", "futex *", "clock_gettime *", "gettimeofday *", "getrandom *", "getrusage *",
	"getpid *", "gettid *", "exit *", "exit_group *", "close * message", "sendto * ones", "mmap * room",
	"uretprobe *", "335 *", "uprobe *", "336 *"};

static bool is_any(const char *const *patterns, gsize n, const char *line)
{
	for (gsize i = 0; i < n; i++)
		if (g_pattern_match_simple(patterns[i], line))
			return true;
	return false;
}

static void inside(const char *const *argv)
{
	bool traced = g_strcmp0(argv[1], "traced") == 0;
	g_autofree char *out = NULL, *err = NULL;
	g_autoptr(GError) error = NULL;
	int status;
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status,
		&error);
	g_assert_no_error(error);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		g_test_skip(err);
		return;
	}
	g_test_message("%s", out);
	guint bad = 0, lines = 0;
	g_auto(GStrv) all = g_strsplit(out, "\n", -1);
	for (char **line = all; *line != NULL; line++) {
		char name[64], outcome[16];
		int at = 0;
		char *detail = g_strrstr(*line, " (");
		if (detail == NULL || sscanf(*line, "%63s %15s %n", name, outcome, &at) != 2)
			continue;
		*detail = '\0';
		bool fine = is_reviewed(name, outcome, *line + at)
			&& !is_any(never, G_N_ELEMENTS(never), *line)
			&& (!traced || is_any(traceless, G_N_ELEMENTS(traceless), *line));
		if (!fine)
			g_test_message("got %s, want it killed or refused", *line);
		bad += !fine;
		lines++;
	}
	g_assert_cmpuint(bad, ==, 0);
	g_assert_cmpuint(lines, >, 100); /* it was really tried */
	g_assert_cmpint(status, ==, 0);
}

static void test_inside(void)
{
	g_autofree char *program = built_file("tests/tools/inside-sandbox");
	const char *argv[] = {program, NULL};
	inside(argv);
}

/* What the supervisor has taken upon itself, and what a worker adds to it, is as much. */
static void test_shared(void)
{
#ifdef MS_SANITIZERS
	g_test_skip("nothing is shared where sanitizers have calls of their own to make");
#else
	g_autofree char *program = built_file("tests/tools/inside-sandbox");
	const char *argv[] = {program, "shared", NULL};
	inside(argv);
#endif
}

static void test_traced(void)
{
#ifdef MS_SANITIZERS
	g_test_skip("no worker is put back where sanitizers have calls of their own to make");
#else
	g_autofree char *program = built_file("tests/tools/inside-sandbox");
	const char *argv[] = {program, "traced", NULL};
	inside(argv);
#endif
}

/* As on an older kernel: then files are not refused but kill, so fewer things come through. */
static void test_without_landlock(void)
{
	g_autofree char *program = built_file("tests/tools/inside-sandbox");
	g_autofree char *wrapper = built_file("tests/tools/without-landlock");
	const char *argv[] = {wrapper, program, NULL};
	inside(argv);
#ifndef MS_SANITIZERS
	const char *shared[] = {wrapper, program, "shared", NULL};
	inside(shared);
#endif
}

/* Nobody else's memory is in a core file, nor to be looked into by others of the same user. */
static void test_private_memory(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit core = {1, 1};
		ms_io_private_memory();
#ifdef MS_SANITIZERS /* which keep it: they trace it themselves */
		bool hidden = true;
#else
		bool hidden = prctl(PR_GET_DUMPABLE) == 0;
#endif
		_exit(!hidden || getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 ||
			core.rlim_max != 0);
	}
	int status;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sandbox/inside", test_inside);
	g_test_add_func("/sandbox/shared", test_shared);
	g_test_add_func("/sandbox/traced", test_traced);
	g_test_add_func("/sandbox/without-landlock", test_without_landlock);
	g_test_add_func("/sandbox/private-memory", test_private_memory);
	return g_test_run();
}
