/*
 * What a worker may do: use memory, look at the clock, read from and write to descriptors that
 * it holds, read Poppler's tables of East Asian characters, end.  Everything else kills it, but
 * for a file that it would only read: Landlock refuses that.  Where the kernel has no Landlock,
 * opening any file kills: a table that cannot be loaded must not turn into text that is
 * silently missing.
 *
 * Filters are compiled once, before any worker is there.  To install the whole one is a tenth of
 * what a small worker costs, for the kernel translates it and tries it with every call that there
 * is.  So the supervisor, once it is warm, takes upon itself what it can bear: no files, and a
 * filter that allows what a worker may do and what making workers needs.  Both are inherited and
 * never lifted; a worker adds a short filter that takes from it what only the supervisor needs,
 * and what is left is what the whole one allows.  Each worker writes its own number into its copy,
 * so that it can signal itself and nobody else.  What is possible inside is tried, call by call,
 * both ways, by tests/tools/inside-sandbox.c.  The supervisor's one thread prepares, each worker's
 * confines itself.
 */
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/io.h"

#include "reader_private.h"

struct MsSandbox {
	struct sock_fprog whole; /* of a worker whose supervisor has none */
	struct sock_fprog shared, rest;
	struct sock_fprog trace; /* of workers that are put back */
	int landlock_abi; /* 0: the kernel has none */
	bool tables;
	bool has_landlock, has_shared; /* this process, and who is forked from it */
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

/* What leaves nothing behind in who calls it, but what it writes to its memory. */
static const char *const traceless[] = {
	"read", "write", "readv", "writev", "recvmsg", "fstat", "lseek", "clock_gettime",
	"gettimeofday", "getrandom", "poll", "exit", "exit_group", "getpid", "gettid", "getrusage",
	"futex",
};

/* What makes workers, hands them over and confines them, and is none of theirs. */
static const char *const supervising[] = {"clone", "fork", "set_robust_list", "socketpair",
	"pidfd_open", "kill", "wait4", "waitid", "sendmsg", "recvfrom", "pread64", "nanosleep",
	"clock_nanosleep", "getppid", "dup2", "dup3", "close_range", "prctl", "setrlimit",
	"prlimit64", "newfstatat"};

static bool is_refused(const char *name)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (strcmp(refused[i], name) == 0)
			return true;
	return false;
}

static bool is_supervising(const char *name)
{
	for (size_t i = 0; i < sizeof supervising / sizeof *supervising; i++)
		if (strcmp(supervising[i], name) == 0)
			return true;
	return false;
}

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

static int add_list(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t n,
	bool but_supervising)
{
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!but_supervising || !is_supervising(names[i]))
			rc = add_by_name(ctx, action, names[i]);
	return rc;
}

#define ALL(names) names, sizeof names / sizeof *names

/* What a worker may do; with `supervises`, what its supervisor may do besides. */
static int add_rules(scmp_filter_ctx ctx, bool landlock, bool supervises)
{
	int rc = landlock ? allow_reading_files(ctx) : 0;
	if (rc == 0)
		rc = add_list(ctx, SCMP_ACT_ALLOW, ALL(allowed), false);
	if (rc == 0)
		rc = add_list(ctx, SCMP_ACT_ERRNO(EPERM), ALL(refused), supervises);
	if (rc == 0 && supervises)
		rc = add_list(ctx, SCMP_ACT_ALLOW, ALL(supervising), false);
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
	if (rc == 0 && supervises)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A2(SCMP_CMP_EQ, SIGABRT));
	else if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
			SCMP_A0(SCMP_CMP_EQ, OWN_PID), SCMP_A2(SCMP_CMP_EQ, SIGABRT));
	return rc;
}

/* What a worker may not that the shared filter allows: all that the lists above have for the
 * supervisor alone. */
static int add_rest(scmp_filter_ctx ctx)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof supervising / sizeof *supervising && rc == 0; i++)
		rc = add_by_name(ctx,
			is_refused(supervising[i]) ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS,
			supervising[i]);
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_NE, OWN_PID));
	return rc;
}

#define MOST_LINES 512 /* there are some 150 */

static int add_room(scmp_filter_ctx ctx, uintptr_t start, size_t size)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 4,
		SCMP_A0(SCMP_CMP_EQ, start), SCMP_A1(SCMP_CMP_LE, size),
		SCMP_A2(SCMP_CMP_EQ, PROT_READ), SCMP_A3(SCMP_CMP_EQ, MAP_PRIVATE | MAP_FIXED));
}

/* Whatever is not known to leave nothing behind is told, and so is the call of restore_point(): one
 * that the other filter allows, and nobody here has a use for. */
static int add_trace(scmp_filter_ctx ctx, const MsRooms *rooms)
{
	int rc = add_list(ctx, SCMP_ACT_ALLOW, ALL(traceless), false);
	if (rc == 0)
		rc = add_room(ctx, rooms->start, rooms->size);
	if (rc == 0)
		rc = add_room(ctx, rooms->start + rooms->size, rooms->size);
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(munmap), 2,
			SCMP_A0(SCMP_CMP_EQ, rooms->start), SCMP_A1(SCMP_CMP_EQ, 2 * rooms->size));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(madvise), 3,
			SCMP_A0(SCMP_CMP_EQ, rooms->fresh),
			SCMP_A1(SCMP_CMP_EQ, rooms->fresh_size),
			SCMP_A2(SCMP_CMP_EQ, MADV_DONTNEED));
	/* Descriptors that it has before its job stay open. */
	for (scmp_datum_t fd = 4; fd < MS_WORKER_FDS && rc == 0; fd++)
		rc = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(close), 1, SCMP_A0(SCMP_CMP_EQ, fd));
	/* As ms_io_send() does: none that is urgent, which stays where others do not look. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
			SCMP_A3(SCMP_CMP_EQ, MSG_NOSIGNAL));
	/* For the other filter, which comes after this one and allows no more of it. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
	if (rc == 0)
		rc = seccomp_rule_add(
			ctx, SCMP_ACT_TRACE(MS_TRACE_POINT), SCMP_SYS(sched_yield), 0);
	return rc;
}

/* The compiled filter as the kernel takes it, in memory that is never freed. */
static bool export_program(scmp_filter_ctx ctx, struct sock_fprog *out)
{
	int fd = memfd_create("missent-seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	off_t size = seccomp_export_bpf(ctx, fd) == 0 ? lseek(fd, 0, SEEK_END) : -1;
	bool fine = size > 0 && size % (off_t)sizeof(struct sock_filter) == 0
		&& size <= MOST_LINES * (off_t)sizeof(struct sock_filter);
	if (fine) {
		out->filter = malloc((size_t)size);
		out->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
		fine = out->filter != NULL && pread(fd, out->filter, (size_t)size, 0) == size;
	}
	ms_io_close(fd);
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

typedef enum { WHOLE, SHARED, REST } Part;

static bool prepare_trace(MsSandbox *sandbox, const MsRooms *rooms)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRACE(MS_TRACE_SPOILS));
	if (ctx == NULL)
		return false;
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* of another table than ours: the other filter kills it */
	bool fine = add_trace(ctx, rooms) == 0 && export_program(ctx, &sandbox->trace);
	seccomp_release(ctx);
	return fine;
}

static bool compile(struct sock_fprog *out, Part part, bool landlock)
{
	scmp_filter_ctx ctx = seccomp_init(part == REST ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return false;
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree of calls */
	int rc = part == REST ? add_rest(ctx) : add_rules(ctx, landlock, part == SHARED);
	errno = rc < 0 ? -rc : errno;
	bool fine = rc == 0 && export_program(ctx, out);
	int why = errno;
	seccomp_release(ctx);
	errno = why;
	/* Else a worker could not tell itself from others. */
	g_assert(!fine || put_pid(out, OWN_PID, OWN_PID) == (part == SHARED ? 0 : 1));
	return fine;
}

static bool compile_all(MsSandbox *sandbox)
{
	bool landlock = sandbox->landlock_abi > 0;
	bool fine = compile(&sandbox->whole, WHOLE, landlock);
#ifndef MS_SANITIZERS /* see sandbox_share() */
	fine = fine && compile(&sandbox->shared, SHARED, landlock)
		&& compile(&sandbox->rest, REST, landlock);
#endif
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
	} else if (!compile_all(sandbox)) {
		sandbox->whole.filter = NULL;
		if (ms_wire_is_short(errno)) {
			g_free(sandbox);
			return NULL;
		}
		*missing_out = g_strdup_printf(
			"the seccomp filter cannot be made: %s", g_strerror(errno));
	}
	return sandbox;
}

/* Or less, where whoever started us may have no more. */
static bool limit(int what, rlim_t value)
{
	struct rlimit rl;
	if (getrlimit(what, &rl) != 0)
		return false;
	rl.rlim_cur = rl.rlim_max = MIN(value, rl.rlim_max);
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
		&& limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0)
		&& limit(RLIMIT_NOFILE, MS_WORKER_FDS);
}

/* Where fonts name their characters by number only, Poppler looks the numbers up here. */
#define TABLES "/usr/share/poppler"

static bool allow_files(int ruleset, const char *folder)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(folder, O_PATH | O_CLOEXEC),
	};
	if (rule.parent_fd < 0)
		return true; /* not installed: such text is garbled, and noted as unread */
	bool fine = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ==
		0;
	close(rule.parent_fd);
	return fine;
}

/* Files in `folder`, if not NULL, may be read.  No other file system right at all; kernels that
 * know fewer rights are asked for fewer. */
static bool enter_landlock(int abi, const char *folder)
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
	bool fine = (folder == NULL || allow_files((int)fd, folder)) &&
		syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	close((int)fd);
	return fine;
}

/* As workers have it. */
static bool enter_own_landlock(const MsSandbox *sandbox)
{
	return enter_landlock(sandbox->landlock_abi, sandbox->tables ? TABLES : NULL);
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

static bool install(const struct sock_fprog *program)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == 0;
}

void sandbox_share(MsSandbox *sandbox)
{
#ifdef MS_SANITIZERS
	(void)sandbox; /* their runtimes have calls of their own to make */
#else
	if (sandbox->whole.filter == NULL || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return;
	sandbox->has_landlock = enter_own_landlock(sandbox);
	sandbox->has_shared = sandbox->has_landlock && install(&sandbox->shared);
#endif
}

bool sandbox_trace_others(MsSandbox *sandbox, const MsRooms *rooms)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
		&& enter_landlock(sandbox->landlock_abi, "/proc") && prepare_trace(sandbox, rooms);
}

bool sandbox_is_shared(const MsSandbox *sandbox)
{
	return sandbox->has_shared;
}

const char *sandbox_enter(
	const MsSandbox *sandbox, uint64_t memory, unsigned cpu_seconds, bool traced)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "no_new_privs";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return "dumpable";
	if (!sandbox->has_landlock && !enter_own_landlock(sandbox))
		return "landlock";
	if (!set_limits(memory, cpu_seconds))
		return "resource limits";
	if (sandbox->whole.filter == NULL)
		return NULL;
	if (traced && (sandbox->trace.filter == NULL || !install(&sandbox->trace)))
		return "seccomp, traced";
	/* on the stack: of the heap a page would be copied for it */
	struct sock_filter lines[MOST_LINES];
	struct sock_fprog program = sandbox->has_shared ? sandbox->rest : sandbox->whole;
	memcpy(lines, program.filter, program.len * sizeof *lines);
	program.filter = lines;
	if (put_pid(&program, OWN_PID, (uint32_t)getpid()) != 1 || !install(&program))
		return "seccomp";
	return NULL;
}
