/*
 * The small reader with a worker that a message can take over.  The message says what it does then:
 * "TAKE word" anywhere in it.  Each leaves something behind, as far as the worker's confinement
 * lets it; where that can be had, the worker is put back after it (milter/reader/restore.c).  Every
 * reading has, beside what was read, which process it comes from and a digest of all that this
 * process had when it came to the message: it is the same for all messages that find it as new.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/worker.h"

#include "../../milter/reader/reader_private.h"

#define PAGE 4096
#define MOST 200

/* ---- what a message finds ------------------------------------------------------------- */

static struct {
	guintptr start, end;
} ranges[MOST];
static guint n_ranges;
static char other[4 * PAGE] __attribute__((aligned(PAGE))) = "not all zeros";
static char of_file[3 * PAGE] = {[0 ... 3 * PAGE - 1] = 'f'}; /* touched by nobody before */
static __thread guint of_thread;
static char *of_heap;
static pid_t supervisor;

/* As they are before any worker is forked. */
static void learn_ranges(void)
{
	char line[512], may[5];
	FILE *f = fopen("/proc/self/maps", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx %4s", &start, &end, may) == 3 && may[1] == 'w' &&
			may[3] == 'p' && strstr(line, "[stack]") == NULL &&
			strstr(line, "[heap]") == NULL && n_ranges < MOST) {
			ranges[n_ranges].start = start;
			ranges[n_ranges++].end = end;
		}
	}
	if (f != NULL)
		fclose(f);
}

static void add(guint64 *digest, guintptr start, guintptr end)
{
	for (guintptr p = start; p < end; p += sizeof(guint64)) {
		*digest = (*digest ^ *(const guint64 *)p) * 0x100000001b3ULL;
		*digest ^= *digest >> 29;
	}
}

static guint64 of_memory(guint64 digest)
{
	for (guint i = 0; i < n_ranges; i++)
		for (guintptr p = ranges[i].start; p < ranges[i].end; p += PAGE)
			add(&digest, p, p + PAGE);
	/* Of the heap what is in use, and looks into what comes after; of the stack, looks into
	 * what is below. */
	char *top = malloc(100000);
	guintptr end = ((guintptr)top + 300000) / PAGE * PAGE;
	for (guintptr p = ((guintptr)of_heap + PAGE) / PAGE * PAGE; p < end; p += PAGE)
		add(&digest, p, p + PAGE);
	for (guintptr p = end; p < end + (6 << 20); p += 30 * PAGE)
		add(&digest, p, p + 8);
	guintptr here = (guintptr)__builtin_frame_address(0) / PAGE * PAGE;
	for (guintptr p = here - (64 << 10); p > here - (6 << 20); p -= 30 * PAGE)
		add(&digest, p, p + 8);
	free(top);
	return digest;
}

static guint64 of_registers(guint64 digest)
{
#ifdef __x86_64__
	guint64 base = (guintptr)__builtin_thread_pointer(), flags;
	guint32 mxcsr;
	guint16 control;
	__asm__ volatile("stmxcsr %0; fnstcw %1; pushfq; popq %2"
			 : "=m"(mxcsr), "=m"(control), "=r"(flags));
	guint64 all[] = {mxcsr & 0xffc0, control, base, flags & 0x200400};
	add(&digest, (guintptr)all, (guintptr)(all + 4));
#endif
	return digest;
}

static guint64 of_descriptors(guint64 digest)
{
	for (int fd = 0; fd < 8; fd++)
		digest = digest * 31 + (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF);
	return digest;
}

/* ---- what a message does -------------------------------------------------------------- */

static const MsJob *job;

static void fill(volatile char *p, gsize len)
{
	for (gsize i = 0; i < len; i++)
		p[i] = 0x5a;
}

static void remember(void)
{
	of_thread = 7;
	memset(of_heap, 7, 100);
	other[0] = 'N';
	g_setenv("TAKEN", "over", TRUE);
}

static void scribble(void)
{
	char *all = malloc(2 << 20);
	fill(all, 2 << 20);
	free(all);
	fill((char *)__builtin_frame_address(0) - (1 << 20), (1 << 20) - 65536);
}

static void use_file(void)
{
	fill(of_file + PAGE, 8);
}

static void use_much(void)
{
	fill(malloc(6 << 20), 6 << 20);
}

/* To where a worker comes when it is done, but from here, and with whatever is in the registers. */
static void stop(void)
{
	syscall(SYS_sched_yield);
}

static void answer(void)
{
	gsize len;
	ms_reader_work(job);
	g_autoptr(GBytes) bytes = ms_reading_encode(job->reading);
	const void *data = g_bytes_get_data(bytes, &len);
	MsWireHeader header = {MS_ANSWER_MAGIC, len};
	ms_io_send(4, &header, sizeof header);
	ms_io_send(4, data, len);
}

static void answer_and_more(void)
{
	answer();
	answer();
	stop();
	abort();
}

static void use_registers(void)
{
#ifdef __x86_64__
	static guint32 mxcsr = 0x7f80 | 0x8040;
	static guint16 control = 0x0f7f;
	answer();
	__asm__ volatile(
		"ldmxcsr %0; fldcw %1; std; pushfq; orl $0x200000, (%%rsp); popfq\n"
		"mov $0x5a5a5a5a5a5a5a5a, %%rbx; mov %%rbx, %%rbp; mov %%rbx, %%r12; mov %%rbx, %%r13\n"
		"mov %%rbx, %%r14; mov %%rbx, %%r15; mov %%rbx, %%rsp; mov $24, %%eax; syscall; hlt"
		:
		: "m"(mxcsr), "m"(control));
#endif
}

/* What the kernel looks at when this thread goes on, before any instruction of its own. */
static void use_rseq(void)
{
	extern const ptrdiff_t __rseq_offset;
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	const guint64 nowhere = 0x5a5a5a5a5a5a5a5a;
	answer();
	memcpy(area + 8, &nowhere, sizeof nowhere);
	stop();
	abort();
}

static void use_base(void)
{
#ifdef __x86_64__
	answer();
	__asm__ volatile("wrfsbase %0; wrgsbase %0; mov $24, %%eax; syscall; hlt"
			 :
			 : "r"(0x5a5a5a000UL));
#endif
}

static void map(void)
{
	if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED)
		abort();
}

static void map_over(void)
{
	mmap(other + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		-1, 0);
}

static void unmap(void)
{
	munmap(other + PAGE, PAGE);
}

static void drop(void)
{
	madvise(other, PAGE, MADV_DONTNEED);
}

static void protect(void)
{
	mprotect(other, PAGE, PROT_READ);
}

static void move(void)
{
	void *to = mremap(other + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	if (to == MAP_FAILED)
		abort();
}

static void grow(void)
{
	if (sbrk(PAGE) == (void *)-1)
		abort();
}

/* One that waits would end the next message's worker. */
static void block(void)
{
	sigset_t set;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGABRT);
}

static void return_from_signal(void)
{
	syscall(SYS_rt_sigreturn);
}

static void close_line(void)
{
	close(3);
}

static void close_null(void)
{
	close(1);
}

static void say_along_line(void)
{
	char byte = 'j';
	if (write(3, &byte, 1) > 0 || read(4, &byte, 0) > 0)
		abort();
}

static void send_urgent(void)
{
	send(4, "x", 1, MSG_OOB | MSG_NOSIGNAL);
}

/* Where the stack of a process of its own would have grown to. */
static void go_deep(void)
{
	fill((char *)__builtin_frame_address(0) - (7 << 20) - (700 << 10), 8);
}

static void crash(void)
{
	*(volatile int *)g_getenv("MISSENT_NO_SUCH_VARIABLE") = 1;
}

static void end(void)
{
	_exit(0);
}

static void loop(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void stop_unread(void)
{
	stop();
}

static const struct {
	const char *word;
	void (*act)(void);
} acts[] = {
	{"remember", remember},
	{"scribble", scribble},
	{"file", use_file},
	{"much", use_much},
	{"more", answer_and_more},
	{"registers", use_registers},
	{"base", use_base},
	{"rseq", use_rseq},
	{"map", map},
	{"map-over", map_over},
	{"unmap", unmap},
	{"drop", drop},
	{"protect", protect},
	{"move", move},
	{"grow", grow},
	{"block", block},
	{"return", return_from_signal},
	{"close-line", close_line},
	{"close-null", close_null},
	{"line", say_along_line},
	{"urgent", send_urgent},
	{"deep", go_deep},
	{"crash", crash},
	{"end", end},
	{"stop", stop_unread},
	{"loop", loop},
};

static void tell(const char *what, guint64 value)
{
	g_autofree char *text = g_strdup_printf("%s %" G_GINT64_MODIFIER "x", what, value);
	ms_reading_find(job->reading, "customer-number", text, MS_BELIEF_LABELLED, 0,
		ms_place_new(MS_PLACE_HERE, "x", 0, 1, 1));
}

static void work(const MsJob *given)
{
	job = given;
	/* The supervisor, warming up, has not laid out its memory yet. */
	guint64 digest = getpid() == supervisor
		? 0
		: of_descriptors(of_registers(of_memory(of_thread)));
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		g_autofree char *order = g_strdup_printf("TAKE %s\r", acts[i].word);
		if (memmem(given->data, given->len, order, strlen(order)) != NULL)
			acts[i].act();
	}
	ms_reader_work(given);
	tell("PROCESS", (guint64)getpid());
	tell("DIGEST", digest);
}

static bool init(const char *languages, GError **error)
{
	supervisor = getpid();
	of_heap = malloc(100);
	memset(of_heap, 0, 100);
	learn_ranges();
	return ms_reader_text_program.init(languages, error);
}

int main(int argc, char **argv)
{
	MsReaderProgram program = ms_reader_text_program;
	program.init = init;
	program.work = work;
	return ms_reader_main(argc, argv, &program);
}
