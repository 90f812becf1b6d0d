/*
 * What is possible within a worker's confinement: tries every system call of the kernel's table,
 * and numbers beyond it and of other tables, with hostile arguments, from children that are
 * confined as a worker is.  Of such a child the filters are told to say what they would have killed,
 * so that it tries on, until a call comes through: then the next goes on with what follows, for
 * the call may have changed something.  That they do kill is tried with each number, from a
 * child of its own.  Prints a line for each that came through:
 *
 *	NAME OUTCOME WITH
 *
 * OUTCOME: works, fails (the kernel has looked at it), waits, ends (SIGNAL or status).  What was
 * killed, or refused as not permitted, is not there.  "UNLIMITED" is what such a child may take more
 * of than a worker may.  The last line counts the tries.  With the
 * word "shared" as its argument a child has first what its supervisor would have; with "traced" it
 * is a worker that is put back, and what its supervisor would be told of fails, for there is none.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../milter/reader/reader_private.h"

#define NUMBERS 520      /* the table has some 470 */
#define BEYOND 1024
#define X32_BIT 0x40000000L
#define OLD_NUMBERS 460  /* of 32-bit programs */
#define MOST_TRIES 25000
#define PATIENCE 300     /* ms */
#ifdef MS_SANITIZERS
#define STEP 5
#else
#define STEP 1
#endif

typedef struct {
	volatile unsigned at; /* of the tries of this run */
	volatile int tried, returned, error;
	volatile long value;
} Result; /* in memory that parent and child share */

typedef struct {
	const char *label;
	long args[6];
} Args;

typedef enum { NATIVE, X32, OLD } Table;

typedef struct {
	long nr;
	Table table;
	const Args *with;
} Try;

#define MEMORY (512 << 20)
#define SECONDS 10
static const MsRooms rooms = {0x10000000, 1 << 20, 0x20000000, 1 << 20};
static Result *result;
static MsSandbox *sandbox;
static int null, job;
static char buffer[4096] __attribute__((aligned(4096)));
static pid_t bystander;
static bool shared, traced;

#define OWN 0x0badcafeL /* stands for the child's own number */
static Args all[48];
static unsigned n_all;
static Try tries[MOST_TRIES];
static unsigned n_tries;

static void add(const char *label, long a, long b, long c, long d, long e, long f)
{
	all[n_all++] = (Args){label, {a, b, c, d, e, f}};
}

static void make_args(void)
{
	static const char file[] = "/etc/passwd", new[] = "/tmp/missent-inside-sandbox";
	static const char table[] = "/usr/share/poppler/cMap/Adobe-GB1/UniGB-UCS2-H";
	const long here = AT_FDCWD, memory = PROT_READ | PROT_WRITE, none = MAP_PRIVATE | MAP_ANONYMOUS;
	add("zeros", 0, 0, 0, 0, 0, 0);
	add("ones", -1, -1, -1, -1, -1, -1);
	add("job", 3, (long)buffer, 64, MSG_DONTWAIT, 0, 0);
	add("job and an address", 3, (long)buffer, 64, MSG_DONTWAIT, (long)buffer, 16);
	add("path", (long)file, O_PATH, 0, 0, 0, 0);
	add("file", (long)file, O_RDONLY, 0, 0, 0, 0);
	add("file at", here, (long)file, O_RDONLY, 0, 0, 0);
	add("path at", here, (long)file, O_PATH, 0, 0, 0);
	add("folder path at", here, (long)"/usr/share/poppler", O_PATH | O_DIRECTORY, 0, 0, 0);
	add("nameless at", here, (long)"/tmp", O_TMPFILE | O_RDWR, 0600, 0, 0);
	add("new at", here, (long)new, O_CREAT | O_WRONLY, 0600, 0, 0);
	add("high bits at", here, (long)file, (1L << 32) | O_PATH, 0, 0, 0);
	add("table", here, (long)table, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	add("beside tables", here, (long)"/usr/share/common-licenses/GPL-3", O_RDONLY, 0, 0, 0);
	add("bystander", bystander, SIGKILL, 0, 0, 0, 0);
	add("bystander's thread", bystander, bystander, SIGABRT, 0, 0, 0);
	add("parent's thread", getpid(), getpid(), SIGABRT, 0, 0, 0);
	add("own number, other bits", OWN | (1L << 32), OWN, SIGKILL, 0, 0, 0);
	add("own", OWN, OWN, SIGABRT, 0, 0, 0);
	add("internet", AF_INET, SOCK_STREAM, 0, (long)buffer, 0, 0);
	add("unix", AF_UNIX, SOCK_STREAM, 0, (long)buffer, 0, 0);
	add("program", (long)"/bin/true", (long)(char *[]){NULL}, 0, 0, 0, 0);
	add("memory", 0, 8192, memory, none, -1, 0);
	add("code", 0, 8192, memory | PROT_EXEC, none, -1, 0);
	add("shared memory", 0, 8192, memory, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	add("large pages", 0, 8192, memory, none | MAP_HUGETLB, -1, 0);
	add("own memory", (long)buffer, 4096, memory, 0, 0, 0);
	add("own memory as code", (long)buffer, 4096, PROT_READ | PROT_EXEC, 0, 0, 0);
	add("lock of two", (long)buffer, 6 /* FUTEX_LOCK_PI */, 0, 0, 0, 0);
	add("room", 0x10000000, 8192, PROT_READ, MAP_PRIVATE | MAP_FIXED, null, 0);
	add("room as memory", 0x10000000, 8192, memory, none | MAP_FIXED, -1, 0);
	add("beyond room", 0x10000000, 1L << 40, PROT_READ, MAP_PRIVATE | MAP_FIXED, null, 0);
	add("null", 1, 0, 0, 0, 0, 0);
	add("null, other bits", 1 | (1L << 32), 0, 0, 0, 0, 0);
	add("message", 5, 0, 0, 0, 0, 0);
	add("limits", 0, 7 /* RLIMIT_NOFILE */, (long)buffer, (long)buffer, 0, 0);
}

static volatile bool telling;
static volatile sig_atomic_t would_kill;
static sigjmp_buf before_try;

/* Makes a filter tell of what it would kill. */
static void make_it_tell(const struct sock_fprog *program)
{
	for (unsigned i = 0; i < program->len; i++) {
		struct sock_filter *line = &program->filter[i];
		__u32 action = line->k & SECCOMP_RET_ACTION_FULL;
		if (BPF_CLASS(line->code) == BPF_RET && BPF_RVAL(line->code) == BPF_K &&
			(action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD))
			line->k = SECCOMP_RET_TRAP;
	}
}

/* Instead of the library's: filters pass here when they are installed. */
int prctl(int option, ...)
{
	va_list list;
	va_start(list, option);
	unsigned long a = va_arg(list, unsigned long), b = va_arg(list, unsigned long);
	unsigned long c = va_arg(list, unsigned long), d = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_SECCOMP && telling)
		make_it_tell((const struct sock_fprog *)b);
	return (int)syscall(SYS_prctl, option, a, b, c, d);
}

/* Without going back to where the signal came from, which is a call as well. */
static void told(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	would_kill = info->si_code > 0; /* from the kernel */
	siglongjmp(before_try, 1);
}

/* As a worker is made; see become_worker() in supervisor.c. */
static void confine(void)
{
	if (shared)
		sandbox_share(sandbox);
	if (shared && !sandbox_is_shared(sandbox))
		_exit(77);
	if (traced && !sandbox_trace_others(sandbox, &rooms))
		_exit(2);
	if (!sandbox_descriptors(job, null))
		_exit(1);
	const char *failed = sandbox_enter(sandbox, MEMORY, SECONDS, traced);
	if (failed != NULL)
		_exit(2);
}

/* By the numbers of 32 bits. */
static long old_call(long nr)
{
#ifdef __x86_64__
	long value;
	__asm__ volatile("int $0x80" : "=a"(value) : "a"(nr), "b"(0), "c"(0), "d"(0) : "memory");
	return value;
#else
	(void)nr;
	errno = ENOSYS;
	return -1;
#endif
}

static void call(const Try *t, pid_t own)
{
	long a[6], value;
	for (int i = 0; i < 6; i++)
		a[i] = (t->with->args[i] & 0xffffffffL) == OWN ? (t->with->args[i] ^ OWN) | own
							       : t->with->args[i];
	errno = 0;
	result->tried = 1;
	value = t->table == OLD ? old_call(t->nr)
		: syscall(t->nr + (t->table == X32 ? X32_BIT : 0), a[0], a[1], a[2], a[3], a[4], a[5]);
	result->error = value < 0 && value >= -4095 ? errno : 0;
	result->value = value;
	result->returned = 1;
}

static bool was_refused(void)
{
	return result->error == EPERM || result->error == EACCES || result->error == ENOSYS;
}

static void one_try(const Try *t)
{
	pid_t own = getpid();
	confine();
	call(t, own);
	_exit(0);
}

/* From where the last one came to its end, until a call comes through. */
static void many_tries(void)
{
	struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO | SA_NODEFER};
	pid_t own = getpid();
	sigaction(SIGSYS, &action, NULL);
	telling = true;
	confine();
	for (; result->at < n_tries; result->at++) {
		would_kill = 0;
		result->tried = result->returned = 0;
		if (sigsetjmp(before_try, 0) == 0)
			call(&tries[result->at], own);
		if (!would_kill && !was_refused())
			_exit(0);
	}
	_exit(0);
}

static void say(const Try *t, const char *outcome, const char *detail)
{
	static const char *const tables[] = {"", "x32:", "i386:"};
	char *name = t->table == NATIVE
		? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)t->nr) : NULL;
	if (name != NULL)
		printf("%s %s %s", name, outcome, t->with->label);
	else
		printf("%s%ld %s %s", tables[t->table], t->nr, outcome, t->with->label);
	printf(" (%s)\n", detail);
	free(name);
}

static void judge(const Try *t, int status, bool late)
{
	char detail[64] = "";
	if (result->tried == 0) {
		fprintf(stderr, "a child could not be confined: status %x\n", (unsigned)status);
		exit(1);
	}
	if (late) {
		say(t, "waits", "nothing came back");
	} else if (result->returned) {
		snprintf(detail, sizeof detail, "%s", result->error != 0 ? strerror(result->error) : "0 or more");
		if (!was_refused())
			say(t, result->error != 0 ? "fails" : "works", detail);
	} else if (WIFEXITED(status)) {
		snprintf(detail, sizeof detail, "status %d", WEXITSTATUS(status));
		say(t, "ends", detail);
	} else if (WTERMSIG(status) != SIGSYS) {
		snprintf(detail, sizeof detail, "signal %d", WTERMSIG(status));
		say(t, "ends", detail);
	}
}

/* A call that waits sleeps; who is not let run, on a busy machine, does not. */
static bool asleep(pid_t pid)
{
	char path[64], stat[256] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f != NULL ? fread(stat, 1, sizeof stat - 1, f) : 0;
	if (f != NULL)
		fclose(f);
	stat[n] = '\0';
	const char *name_end = strrchr(stat, ')');
	return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

/* How a child ended; `late_out`: it did not, and was killed. */
static int wait_for(pid_t pid, bool *late_out)
{
	int status, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = {pidfd, POLLIN, 0};
	unsigned at = result->at;
	bool late = poll(&end, 1, PATIENCE) == 0;
	/* Not before it has been let try, and has come to an end or to rest. */
	for (int i = 0; late && (result->tried == 0 || result->at != at || !asleep(pid)) && i < 400; i++) {
		at = result->at;
		late = poll(&end, 1, PATIENCE) == 0;
	}
	if (late)
		kill(pid, SIGKILL);
	close(pidfd);
	waitpid(pid, &status, 0);
	*late_out = late;
	return status;
}

static void attempt(const Try *t)
{
	bool late;
	memset(result, 0, sizeof *result);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		one_try(t);
	int status = wait_for(pid, &late);
	judge(t, status, late);
}

static void attempt_all(void)
{
	bool late;
	memset(result, 0, sizeof *result);
	while (result->at < n_tries) {
		result->tried = result->returned = result->error = 0;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			many_tries();
		int status = wait_for(pid, &late);
		if (result->at < n_tries)
			judge(&tries[result->at++], status, late);
	}
}

static void add_try(long nr, Table table, const Args *with)
{
	tries[n_tries++] = (Try){nr, table, with};
}

#ifdef __x86_64__
#define OLD_GETPID 20

/* Some kernels (ia32_emulation=off, those of some virtual machines) end whoever asks so, confined or not. */
static bool has_old_calls(void)
{
	int status = 0;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* sanitizers end with a status of their own */
		old_call(OLD_GETPID);
		_exit(0);
	}
	return waitpid(pid, &status, 0) != pid || WIFEXITED(status);
}
#endif

/* As /proc tells it of the process; false: it does not, or more than that may be taken. */
static bool is_at_most(pid_t pid, const char *what, long long most)
{
	char path[64], line[256];
	long long soft, hard;
	bool fine = false;
	snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
	FILE *f = fopen(path, "re");
	while (f != NULL && !fine && fgets(line, sizeof line, f) != NULL)
		fine = strncmp(line, what, strlen(what)) == 0 &&
			sscanf(line + strlen(what), "%lld %lld", &soft, &hard) == 2 &&
			soft <= most && hard <= most;
	if (f != NULL)
		fclose(f);
	if (!fine)
		printf("UNLIMITED %s\n", what);
	return fine;
}

/* What is in /proc of a process whose memory is nobody's to look into is root's. */
static bool is_private(pid_t pid)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	bool fine = stat(path, &st) == 0 && st.st_uid == 0;
	if (!fine)
		printf("UNLIMITED who looks into it\n");
	return fine;
}

static bool is_limited(pid_t pid)
{
	static const struct {
		const char *what;
		long long most;
	} limits[] = {
		{"Max core file size", 0},
		{"Max cpu time", SECONDS},
		{"Max file size", 0},
		{"Max processes", 0},
		{"Max open files", MS_WORKER_FDS},
#ifndef MS_SANITIZERS
		{"Max address space", MEMORY},
#endif
	};
	bool fine = is_private(pid);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		fine = is_at_most(pid, limits[i].what, limits[i].most) && fine;
	return fine;
}

#define NOBODY 65534

/* Looked at while it waits. */
static bool look_at_one(void)
{
	memset(result, 0, sizeof *result);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (getuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as a program is that was begun so */
		confine();
		result->tried = 1;
		for (;;)
			poll(NULL, 0, -1);
	}
	for (int i = 0; result->tried == 0 && i < 1000 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		poll(NULL, 0, 10);
	bool fine = result->tried != 0 && is_limited(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fine;
}

int main(int argc, char **argv)
{
	int pair[2];
	shared = argc > 1 && strcmp(argv[1], "shared") == 0;
	traced = argc > 1 && strcmp(argv[1], "traced") == 0;
	char *missing = NULL;
	result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sandbox = sandbox_prepare(true, &missing);
	if (result == MAP_FAILED || null < 0 || sandbox == NULL || missing != NULL
		|| socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		fprintf(stderr, "no confinement here: %s\n", missing != NULL ? missing : strerror(errno));
		return 77;
	}
	job = pair[1];
	bystander = fork();
	if (bystander == 0) {
		for (;;)
			pause();
	}
	make_args();
	/* Each call in each way; where a child is dear, in some, and the next call in others. */
	for (long nr = 0; nr < NUMBERS; nr++)
		for (unsigned i = (unsigned)nr % STEP; i < n_all; i += STEP)
			add_try(nr, NATIVE, &all[i]);
	for (long nr = NUMBERS; nr < BEYOND; nr++)
		add_try(nr, NATIVE, &all[0]);
#ifdef __x86_64__
	for (long nr = 0; nr < NUMBERS; nr++)
		add_try(nr, X32, &all[0]);
	bool old = has_old_calls();
	if (!old)
		printf("the kernel has no calls of 32 bits\n");
	for (long nr = 0; old && nr < OLD_NUMBERS; nr++)
		add_try(nr, OLD, &all[0]);
#endif
	attempt_all();
	/* With one way each, for what is done is not asked; of other tables, with some numbers. */
	unsigned alone = 0;
	for (unsigned i = 0; i < n_tries; i++) {
		const Try *t = &tries[i];
		bool is_turn = t->table == NATIVE && t->nr < NUMBERS
			? t->with == &all[(unsigned)t->nr % STEP] : t->nr % 16 == 0;
		if (is_turn)
			attempt(t);
		alone += is_turn;
	}
	bool lives = waitpid(bystander, NULL, WNOHANG) == 0;
	kill(bystander, SIGKILL);
	bool limited = look_at_one();
	printf("%u tries, %u again by themselves, the bystander %s\n", n_tries, alone,
		lives ? "lives" : "WAS KILLED");
	return lives && limited ? 0 : 1;
}
