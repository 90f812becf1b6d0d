#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reader_private.h"

/*
 * What a worker may do: use memory, look at the clock, read from and write to descriptors that
 * it holds, read Poppler's tables of East Asian characters, end.  Everything else kills it, but
 * for a file that it would only read: Landlock refuses that.  Where the kernel has no Landlock,
 * opening any file kills: a table that cannot be loaded must not turn into text that is
 * silently missing.
 *
 * The filter is compiled once, before any worker is there; each worker writes its own number
 * into its copy, so that it can signal itself and nobody else, and installs it.  What is possible
 * inside is tried, call by call, by tests/tools/inside-sandbox.c.
 */

struct MsSandbox {
	struct sock_fprog program;
	int landlock_abi; /* 0: the kernel has none */
	bool tables;
};

static const char *const allowed[] = {
	"read", "write", "readv", "writev", "recvmsg", "close", "fstat", "lseek",
	"munmap", "mremap", "madvise", "brk", "clock_gettime", "gettimeofday", "getrandom",
	"poll", "ppoll", "restart_syscall", "exit", "exit_group", "rt_sigreturn", "rt_sigprocmask",
	"sched_yield", "getpid", "gettid", "getrusage",
#ifdef MS_SANITIZERS
	"rt_sigaction", "sigaltstack", "sched_getaffinity", "getppid", "mincore", "time", "futex",
#endif
};

/* Asked by libraries in passing; they take no for an answer. */
static const char *const refused[] = {"ioctl", "fcntl", "sysinfo", "prlimit64", "readlink",
	"readlinkat", "uname", "newfstatat", "stat", "access", "faccessat", "dup"};

static int add_by_name(scmp_filter_ctx ctx, uint32_t action, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR)
		return 0; /* this architecture has no such call */
	return seccomp_rule_add(ctx, action, nr, 0);
}

/* Flags with which the kernel itself opens a file for reading; O_PATH is none of them, for
 * Landlock lets it pass. */
#define FOR_READING ((uint64_t)(O_CLOEXEC | 0100000 /* O_LARGEFILE */))

static int allow_reading_files(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, ~FOR_READING, 0));
#ifdef __NR_open
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, ~FOR_READING, 0));
#endif
	return rc;
}

/* Memory of its own, but no new code, no shared memory, none that is locked or of another kind. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
		SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_LOCKED | MAP_HUGETLB, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc;
}

#ifndef MS_SANITIZERS
/* There is one thread: waking nobody is all that locks and conditions do. */
static int allow_futex(scmp_filter_ctx ctx)
{
	static const unsigned ops[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET};
	int rc = 0;
	for (size_t i = 0; i < sizeof ops / sizeof *ops && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(futex), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ,
				~(uint64_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), ops[i]));
	return rc;
}
#endif

/* Stands where a worker's own number will be; no process has it, for they end at 2^22. */
#define OWN_PID 0x7e57ab1eU

static int add_rules(scmp_filter_ctx ctx, bool landlock)
{
	int rc = landlock ? allow_reading_files(ctx) : 0;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed && rc == 0; i++)
		rc = add_by_name(ctx, SCMP_ACT_ALLOW, allowed[i]);
	for (size_t i = 0; i < sizeof refused / sizeof *refused && rc == 0; i++)
		rc = add_by_name(ctx, SCMP_ACT_ERRNO(EPERM), refused[i]);
	if (rc == 0)
		rc = allow_memory(ctx);
#ifndef MS_SANITIZERS
	if (rc == 0)
		rc = allow_futex(ctx);
#endif
	/* Along the socket that it has, to nobody else. */
	if (rc == 0)
		rc = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0));
	/* abort() of GLib, so that the cause of death is told apart. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
			SCMP_A0(SCMP_CMP_EQ, OWN_PID), SCMP_A2(SCMP_CMP_EQ, SIGABRT));
	return rc;
}

/* The compiled filter as the kernel takes it, in memory that is never freed. */
static bool export_program(scmp_filter_ctx ctx, struct sock_fprog *out)
{
	int fd = memfd_create("missent-seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	off_t size = seccomp_export_bpf(ctx, fd) == 0 ? lseek(fd, 0, SEEK_END) : -1;
	bool fine = size > 0 && size % (off_t)sizeof(struct sock_filter) == 0;
	if (fine) {
		out->filter = malloc((size_t)size);
		out->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
		fine = out->filter != NULL && pread(fd, out->filter, (size_t)size, 0) == size;
	}
	int why = errno;
	close(fd);
	errno = why;
	return fine;
}

/* Puts `pid` where `before` stands; how often that was. */
static unsigned put_pid(struct sock_fprog *program, uint32_t before, uint32_t pid)
{
	unsigned n = 0;
	for (unsigned i = 0; i < program->len; i++) {
		struct sock_filter *line = &program->filter[i];
		if (BPF_CLASS(line->code) == BPF_JMP && BPF_OP(line->code) == BPF_JEQ &&
			line->k == before) {
			line->k = pid;
			n++;
		}
	}
	return n;
}

static bool compile(struct sock_fprog *out, bool landlock)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return false;
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree of calls */
	int rc = add_rules(ctx, landlock);
	errno = rc < 0 ? -rc : errno;
	bool fine = rc == 0 && export_program(ctx, out);
	int why = errno;
	seccomp_release(ctx);
	errno = why;
	/* Else a worker could not tell itself from others. */
	g_assert(!fine || put_pid(out, OWN_PID, OWN_PID) == 1);
	return fine;
}

/* Is it offered?  Installing nothing asks without consequences (seccomp(2)). */
static bool seccomp_offered(void)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 && errno == EFAULT;
}

static int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi > 0 ? (int)abi : 0;
}

MsSandbox *sandbox_prepare(bool tables, char **missing_out)
{
	MsSandbox *sandbox = g_new0(MsSandbox, 1);
	*missing_out = NULL;
	sandbox->landlock_abi = landlock_abi();
	sandbox->tables = tables;
	if (!seccomp_offered()) {
		*missing_out = g_strdup("seccomp filters are not to be had on this system");
	} else if (!compile(&sandbox->program, sandbox->landlock_abi > 0)) {
		sandbox->program.filter = NULL;
		if (ms_wire_is_short(errno)) {
			g_free(sandbox);
			return NULL;
		}
		*missing_out = g_strdup_printf(
			"the seccomp filter cannot be made: %s", g_strerror(errno));
	}
	return sandbox;
}

static bool limit(int what, rlim_t value)
{
	struct rlimit rl = {value, value};
	return setrlimit(what, &rl) == 0;
}

static bool set_limits(uint64_t memory, unsigned cpu_seconds)
{
#ifdef MS_SANITIZERS
	(void)memory; /* the shadow memory of AddressSanitizer needs terabytes of addresses */
	bool fine = true;
#else
	bool fine = limit(RLIMIT_AS, memory);
#endif
	return fine && limit(RLIMIT_CPU, cpu_seconds) && limit(RLIMIT_CORE, 0)
		&& limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_NOFILE, 8);
}

/* Where fonts name their characters by number only, Poppler looks the numbers up here. */
#define TABLES "/usr/share/poppler"

static bool allow_tables(int ruleset)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(TABLES, O_PATH | O_CLOEXEC),
	};
	if (rule.parent_fd < 0)
		return true; /* not installed: such text is garbled, and noted as unread */
	bool fine = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ==
		0;
	close(rule.parent_fd);
	return fine;
}

/* No other file system right at all; kernels that know fewer rights are asked for fewer. */
static bool enter_landlock(int abi, bool tables)
{
	if (abi == 0)
		return true;
	uint64_t rights = (1ULL << 13) - 1; /* ABI 1 */
	if (abi >= 2)
		rights |= 1ULL << 13; /* REFER */
	if (abi >= 3)
		rights |= 1ULL << 14; /* TRUNCATE */
	if (abi >= 5)
		rights |= 1ULL << 15; /* IOCTL_DEV */
	uint64_t attr[3] = {
		rights, 3 /* TCP bind and connect */, 3 /* signals, abstract sockets */};
	size_t known = abi >= 6 ? 3 : abi >= 4 ? 2 : 1;
	long fd = syscall(SYS_landlock_create_ruleset, attr, known * sizeof *attr, 0);
	if (fd < 0)
		return false;
	bool fine = (!tables || allow_tables((int)fd)) &&
		syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	close((int)fd);
	return fine;
}

bool sandbox_descriptors(int job, int null)
{
	/* A warning of a library must not be written where the daemon logs, least of all by who
	 * has read a message. */
#ifndef MS_SANITIZERS
	dup2(null, STDERR_FILENO);
#endif
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	return dup2(job, 3) == 3 && syscall(SYS_close_range, 4U, ~0U, 0U) == 0;
}

const char *sandbox_enter(const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "no_new_privs";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return "dumpable";
	if (!enter_landlock(sandbox->landlock_abi, sandbox->tables))
		return "landlock";
	if (!set_limits(memory, cpu_seconds))
		return "resource limits";
	if (sandbox->program.filter == NULL)
		return NULL;
	struct sock_fprog program = sandbox->program;
	if (put_pid(&program, OWN_PID, (uint32_t)getpid()) != 1
		|| prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return "seccomp";
	return NULL;
}
