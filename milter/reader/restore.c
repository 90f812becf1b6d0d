/*
 * A worker that is put back from outside after each message, instead of ended and forked anew.
 *
 * The supervisor traces it (ptrace).  A worker that is confined comes to restore_point(), and stops
 * there: what it is then, its registers and all memory that it may write to, is kept once, in an
 * image that all workers of one filter share.  When its message is answered it comes there again,
 * and the supervisor has the kernel tell which pages were written to since (PAGEMAP_SCAN, Linux
 * 6.7), sets all registers as they were, and lets it go on.  The first thing that it does is to
 * copy those pages from the image: by instructions that use registers alone, from memory that
 * it can read and not write, so that nothing that the message left can change what they do.  From
 * there on it is what it was, whoever had it meanwhile, and it closes what was left open itself.
 *
 * Nor is there anything else that the kernel would take from its memory before: what libraries
 * register for that (rseq) is given up.
 *
 * That is all that a worker can change.  Its second filter (trace filter, below) names the calls
 * that leave nothing behind.  Every other one that its confinement allows - memory mapped, given
 * back or protected otherwise, signals blocked - is seen by the supervisor and spoils the worker:
 * it reads its message to the end, and is killed when it comes here, as is one of which anything
 * else is not as expected.  Another is forked in its place.
 *
 * What stays to be seen is how much the messages before took: of time and faults (getrusage()), and
 * which pages were written to (the lists of all workers are in the memory that they can read).
 *
 * What comes in: process ids and stops of workers; out: workers that have read nothing.  The
 * supervisor's one thread, but for restored_begin(), restored_clean() and restore_point(), which
 * are a worker's.
 */
#include "config.h"

#include "reader_private.h"

#if defined __x86_64__ && !defined MS_SANITIZERS

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Headers of Linux 6.1 have none of these. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef PAGEMAP_SCAN
struct page_region {
	uint64_t start, end, categories;
};
struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted,
		category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PM_SCAN_WP_MATCHING (1 << 0)
#define PAGE_IS_WPALLOWED (1 << 0)
#define PAGE_IS_WRITTEN (1 << 1)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#endif

#define PAGE ((uintptr_t)4096)
#define MOST_RANGES 512
#define MOST_ENTRIES 1022   /* of a list: more are killed */
#define MUCH 1024           /* pages, that cost more to put back than another worker does */
#define USUAL 96            /* pages; after more of them the worker is watched anew at once */
#define WATCH_EVERY 16      /* messages */
#define MOST_MESSAGES 10000 /* of a worker */
#define MOST_XSTATE 16384
#define STACK ((size_t)7 << 20)
#define ROOM ((size_t)64 << 20) /* for a file: see restored_place() */
#define LARGE_BLOCK 200000
#define ANSWER_MS 2000

/* ---- what it is put back to ----------------------------------------------------------- */

/* A piece of memory that is written over; the last one of a list is of no length.  The order is
 * known to restore_point(). */
typedef struct {
	uint64_t len, to, from;
} Entry;

typedef struct {
	uint64_t one, unused[2]; /* the first is 1; a list is as long as whole pages */
	Entry entries[MOST_ENTRIES + 1];
} List;
/* What is behind them is copied by the page: many times slower where it is not aligned. */
G_STATIC_ASSERT(sizeof(List) % 4096 == 0);

typedef struct {
	uintptr_t start, end;
	size_t at;     /* in the image */
	uint64_t file; /* 0: none: what is not there is zeros */
} Range;

/* Of all workers that were forked with one filter.  Memory that workers have too, and can only
 * read: a list for each worker, then the image. */
typedef struct {
	unsigned refs, lists;
	bool made;  /* the image is there */
	bool drops; /* ... and has nothing of the heap's end */
	size_t size, image_size;
	uint8_t *own;          /* as the supervisor has it */
	const uint8_t *theirs; /* where workers have it */
	bool *taken;           /* lists */
	uint8_t *present;      /* pages of the image that are not all zeros for being absent */
	Range ranges[MOST_RANGES];
	unsigned n;
	struct user_regs_struct registers;
	uint8_t extended[MOST_XSTATE];
	size_t extended_size;
} State;

/* What the supervisor looks through at a worker. */
enum { WATCHER, PAGEMAP, MEMORY, MAPS, N_WINDOWS };

struct Restored {
	pid_t pid;
	int line; /* to it */
	int windows[N_WINDOWS];
	int priority;
	State *state;
	unsigned list;
	unsigned messages;
	uint64_t serial; /* of the message that it has */
	double before;   /* seconds it had computed then */
	bool spoiled, out;
};

#define MOST_FOUND 4096
#define PIECE (64 * PAGE)

/* That workers have no copy of. */
typedef struct {
	struct page_region found[MOST_FOUND];
	uint8_t piece[PIECE];
} Scratch;

static Scratch *scratch;
static State *current;
static Restored *all[MS_MOST_RESTORED];
static uint64_t last_serial;
static unsigned lists_wanted;
static double seconds_most;
static uintptr_t fresh, fresh_end;   /* the heap's end, where nothing is in the image: zeros */
static volatile uint64_t fresh_used; /* in a worker: it is to be dropped */
static uint8_t *room;                /* two of ROOM: addresses that nothing else has */

/* ---- in the worker -------------------------------------------------------------------- */

/* Its call is one that no worker has a use for.  The supervisor sets %r8 to a list.  Nothing but
 * registers is used before all is copied; then what %rsp points to is what it was. */
void restore_call(void);
__asm__(".text\n"
	".type restore_call, @function\n"
	"restore_call:\n"
	"	mov $24, %eax\n" /* sched_yield */
	"	syscall\n"
	"1:	mov (%r8), %rcx\n"
	"	test %rcx, %rcx\n"
	"	jz 2f\n"
	"	mov 8(%r8), %rdi\n"
	"	mov 16(%r8), %rsi\n"
	"	rep movsb\n"
	"	add $24, %r8\n"
	"	jmp 1b\n"
	"2:	push $0x202\n" /* PTRACE_SETREGS leaves the one that says whether there is CPUID */
	"	popfq\n"
	"	ret\n"
	".size restore_call, . - restore_call\n");

void restore_point(void)
{
	restore_call();
}

/* As large as it will ever be, so that what lies in it is known. */
static void grow_stack(void)
{
	volatile char *depth = (char *)__builtin_frame_address(0) - STACK;
	*depth = 0;
}

/* For as long as that takes, others of this user could open them, too: there was no message yet. */
static bool open_windows(int *out)
{
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return false;
	out[WATCHER] = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	out[PAGEMAP] = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	out[MEMORY] = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	out[MAPS] = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	bool fine = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
	for (int i = 0; i < N_WINDOWS; i++)
		fine = fine && out[i] >= 0;
	return fine;
}

/* What a thread has registered so, the kernel reads before the thread goes on, when it was not put
 * back yet; its confinement does not let it register anything again. */
static bool leave_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	const unsigned signature = 0x53053053; /* of x86 */
	if (__rseq_size == 0)
		return true;
	for (unsigned size = 32; size <= 1024; size += 32) /* a later libc has more in it */
		if (syscall(SYS_rseq, area, size, 1, signature) == 0)
			return true;
	return false;
}

bool restored_begin(int line)
{
	int windows[N_WINDOWS];
	char byte = 0;
	if (!leave_rseq() || !open_windows(windows) || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 ||
		!ms_wire_send(line, &byte, 1, windows, N_WINDOWS, 0))
		return false;
	for (int i = 0; i < N_WINDOWS; i++)
		close(windows[i]);
	raise(SIGSTOP); /* goes on when it is traced */
	grow_stack();
	return munmap(room, 2 * ROOM) == 0;
}

void restored_clean(void)
{
	for (int fd = 4; fd < MS_WORKER_FDS; fd++)
		close(fd);
	munmap(room, 2 * ROOM);
	if (fresh_used != 0)
		madvise((void *)fresh, fresh_end - fresh, MADV_DONTNEED);
	fresh_used = 0;
}

void *restored_place(unsigned which, size_t len)
{
	return room != NULL && len <= ROOM ? room + which * ROOM : NULL;
}

void restored_rooms(MsRooms *out)
{
	*out = (MsRooms){(uintptr_t)room, ROOM, fresh, fresh_end - fresh};
}

/* ---- memory --------------------------------------------------------------------------- */

/* Private ones, by what /proc says.  Of shared ones only the supervisor has any (see share()):
 * `own`. */
static bool find_ranges(int maps, bool own, State *state)
{
	char line[512];
	FILE *f = fdopen(maps, "r");
	bool fine = f != NULL;
	state->n = 0;
	state->image_size = 0;
	while (fine && fgets(line, sizeof line, f) != NULL) {
		unsigned long start, end, file;
		char may[5];
		if (sscanf(line, "%lx-%lx %4s %*x %*s %lu", &start, &end, may, &file) != 4 ||
			may[1] != 'w' || (own && may[3] == 's'))
			continue;
		fine = may[3] == 'p' && state->n < MOST_RANGES;
		if (!fine)
			errno = may[3] == 'p' ? E2BIG : EINVAL;
		else
			state->ranges[state->n++] = (Range){start, end, state->image_size, file};
		state->image_size += end - start;
	}
	if (f != NULL)
		fclose(f);
	return fine && state->n > 0;
}

/* The window is open once. */
static bool find_ranges_of(Restored *w, State *state)
{
	int maps = w->windows[MAPS];
	w->windows[MAPS] = -1;
	return find_ranges(maps, false, state);
}

static void state_unref(State *state)
{
	if (state == NULL || --state->refs > 0)
		return;
	if (state->own != NULL)
		munmap(state->own, state->size);
	if (state->theirs != NULL)
		munmap((void *)state->theirs, state->size);
	free(state->taken);
	free(state->present);
	free(state);
}

/* Written to here, and by nobody who has it by a later mapping. */
static bool share(State *state)
{
	int fd = memfd_create("missent-restore", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return false;
	void *own = MAP_FAILED, *theirs = MAP_FAILED;
	if (ftruncate(fd, (off_t)state->size) == 0)
		own = mmap(NULL, state->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (own != MAP_FAILED && madvise(own, state->size, MADV_DONTFORK) == 0 &&
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
		theirs = mmap(NULL, state->size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	state->own = own != MAP_FAILED ? own : NULL;
	state->theirs = theirs != MAP_FAILED ? theirs : NULL;
	return state->own != NULL && state->theirs != NULL;
}

/* What this process may write to, its workers may, and a stack that is grown. */
static State *state_new(void)
{
	State *state = calloc(1, sizeof *state);
	if (state == NULL)
		return NULL;
	state->refs = 1;
	state->lists = lists_wanted;
	bool fine = find_ranges(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), true, state);
	state->image_size += STACK + (1 << 20);
	state->size = state->lists * sizeof(List) + state->image_size;
	state->taken = calloc(state->lists, sizeof *state->taken);
	state->present = calloc(state->image_size / PAGE, 1);
	if (fine && state->taken != NULL && state->present != NULL && share(state))
		return state;
	state_unref(state);
	return NULL;
}

size_t restored_extra(void)
{
	return current != NULL ? current->size + 2 * ROOM : 0;
}

static uint8_t *image(const State *state)
{
	return state->own + state->lists * sizeof(List);
}

/* ---- which pages ---------------------------------------------------------------------- */

/* Pages of one of `kinds`, in order; -1: the kernel did not tell all. */
static long scan(const Restored *w, uint64_t flags, uint64_t kinds)
{
	const State *state = w->state;
	struct pm_scan_arg ask = {.size = sizeof ask,
		.flags = flags,
		.start = state->ranges[0].start,
		.end = state->ranges[state->n - 1].end,
		.vec = (uintptr_t)scratch->found,
		.vec_len = MOST_FOUND,
		.category_mask = PAGE_IS_WPALLOWED,
		.category_anyof_mask = kinds,
		.return_mask = kinds};
	long n = ioctl(w->windows[PAGEMAP], PAGEMAP_SCAN, &ask);
	return n >= 0 && ask.walk_end == ask.end ? n : -1;
}

/* From here on pages that are written to are told. */
static bool watch(const Restored *w)
{
	return scan(w, PM_SCAN_WP_MATCHING, PAGE_IS_WRITTEN) >= 0;
}

static bool register_ranges(const Restored *w)
{
	for (unsigned i = 0; i < w->state->n; i++) {
		const Range *range = &w->state->ranges[i];
		struct uffdio_register ask = {.range = {range->start, range->end - range->start},
			.mode = UFFDIO_REGISTER_MODE_WP};
		if (ioctl(w->windows[WATCHER], UFFDIO_REGISTER, &ask) != 0)
			return false;
	}
	return true;
}

/* The part of a region that lies in the range `*i` or in one after it. */
static bool part_of(const State *state, struct page_region *region, unsigned *i, Range *out)
{
	while (*i < state->n && state->ranges[*i].end <= region->start)
		++*i;
	if (*i == state->n || region->start >= region->end)
		return false;
	const Range *range = &state->ranges[*i];
	uintptr_t end = MIN(region->end, range->end);
	*out = (Range){region->start, end, range->at + (region->start - range->start), 0};
	region->start = end;
	return out->start >= range->start;
}

typedef struct {
	List *list;
	unsigned n;
	size_t bytes;
} Writer;

static bool add(Writer *writer, const State *state, const Range *part)
{
	if (writer->n == MOST_ENTRIES)
		return false;
	size_t len = part->end - part->start;
	writer->list->entries[writer->n++] = (Entry){len, part->start,
		(uintptr_t)state->theirs + state->lists * sizeof(List) + part->at};
	writer->bytes += len;
	return true;
}

static Writer write_list(const Restored *w)
{
	return (Writer){.list = &((List *)w->state->own)[w->list]};
}

static void end_list(Writer *writer)
{
	writer->list->entries[writer->n] = (Entry){0, 0, 0};
}

/* Bytes that were written to at the heap's end. */
static size_t fresh_written(long n)
{
	size_t bytes = 0;
	for (long i = 0; i < n; i++) {
		uintptr_t start = MAX(scratch->found[i].start, fresh);
		uintptr_t end = MIN(scratch->found[i].end, fresh_end);
		bytes += end > start ? end - start : 0;
	}
	return bytes;
}

/* Much of it is given back by the worker itself, once it is what it was: what a hostile one could
 * do with that call is to find zeros there, which is what the next one is to find. */
static bool drop(Writer *writer, const State *state, const Range *part)
{
	Range before = *part;
	if (before.start >= fresh && before.start < fresh_end)
		return true;
	if (before.start < fresh && before.end > fresh)
		before.end = fresh;
	return add(writer, state, &before);
}

static bool tell_to_drop(Writer *writer, const Restored *w)
{
	if (writer->n == MOST_ENTRIES)
		return false;
	writer->list->one = 1;
	writer->list->entries[writer->n++] = (Entry){sizeof fresh_used, (uintptr_t)&fresh_used,
		(uintptr_t)w->state->theirs + w->list * sizeof(List) + offsetof(List, one)};
	return true;
}

static bool list_written(const Restored *w, size_t *bytes_out)
{
	long n = scan(w, 0, PAGE_IS_WRITTEN);
	Writer writer = write_list(w);
	unsigned range = 0;
	Range part;
	bool drops = w->state->drops && fresh_written(n) > USUAL * PAGE, fine = n >= 0;
	for (long i = 0; i < n && fine; i++)
		while (fine && part_of(w->state, &scratch->found[i], &range, &part))
			fine = drops ? drop(&writer, w->state, &part)
				     : add(&writer, w->state, &part);
	fine = fine && (!drops || tell_to_drop(&writer, w));
	end_list(&writer);
	*bytes_out = writer.bytes;
	return fine && writer.bytes <= MUCH * PAGE;
}

/* ---- the first time ------------------------------------------------------------------- */

static bool read_part(const Restored *w, const Range *part, uint8_t *out)
{
	size_t len = part->end - part->start;
	return pread(w->windows[MEMORY], out, len, (off_t)part->start) == (ssize_t)len;
}

/* What is a file's is there from now on: else the image would have zeros of it. */
static bool have_files(const Restored *w)
{
	char byte;
	for (unsigned i = 0; i < w->state->n; i++) {
		const Range *range = &w->state->ranges[i];
		for (uintptr_t p = range->start; range->file != 0 && p < range->end; p += PAGE)
			if (pread(w->windows[MEMORY], &byte, 1, (off_t)p) != 1)
				return false;
	}
	return true;
}

/* One that was taken away since would be zeros in the image. */
static bool has_files(const State *state)
{
	for (unsigned i = 0; i < state->n; i++) {
		const Range *range = &state->ranges[i];
		size_t first = range->at / PAGE, n = (range->end - range->start) / PAGE;
		if (range->file != 0 && memchr(state->present + first, 0, n) != NULL)
			return false;
	}
	return true;
}

static bool keep_registers(const Restored *w)
{
	State *state = w->state;
	struct iovec extended = {state->extended, sizeof state->extended};
	if (ptrace(PTRACE_GETREGS, w->pid, NULL, &state->registers) != 0 ||
		ptrace(PTRACE_GETREGSET, w->pid, NT_X86_XSTATE, &extended) != 0)
		return false;
	state->extended_size = extended.iov_len;
	state->registers.orig_rax = UINT64_MAX; /* the call that it stopped in is not made */
	state->registers.rax = 0;
	return true;
}

/* The same for all workers, as far as it goes: they come from one process. */
static bool make_image(Restored *w)
{
	State *state = w->state;
	size_t room_for_image = state->image_size;
	if (!find_ranges_of(w, state) || state->image_size > room_for_image ||
		!register_ranges(w) || !have_files(w))
		return false;
	long n = scan(w, 0, PAGE_IS_PRESENT | PAGE_IS_SWAPPED);
	unsigned range = 0;
	Range part;
	bool fine = n >= 0 && keep_registers(w);
	for (long i = 0; i < n && fine; i++)
		while (fine && part_of(state, &scratch->found[i], &range, &part)) {
			fine = read_part(w, &part, image(state) + part.at);
			memset(state->present + part.at / PAGE, 1, (part.end - part.start) / PAGE);
		}
	fine = fine && has_files(state);
	write_list(w).list->entries[0] = (Entry){0, 0, 0};
	state->drops = fine && fresh_written(n) == 0; /* of what is there */
	state->made = fine;
	return fine;
}

static bool same_ranges(Restored *w)
{
	State *now = calloc(1, sizeof *now);
	bool same = now != NULL && find_ranges_of(w, now) && now->n == w->state->n &&
		memcmp(now->ranges, w->state->ranges, now->n * sizeof(Range)) == 0;
	free(now);
	return same;
}

/* Pages of `part` that are not as in the image. */
static bool compare(const Restored *w, Writer *writer, const Range *part, uint8_t *seen)
{
	uint8_t *piece = scratch->piece;
	for (uintptr_t at = part->start; at < part->end; at += PIECE) {
		Range now = {at, MIN(at + PIECE, part->end), part->at + (at - part->start), 0};
		if (!read_part(w, &now, piece))
			return false;
		memset(seen + now.at / PAGE, 1, (now.end - now.start) / PAGE);
		for (uintptr_t p = now.start; p < now.end; p += PAGE) {
			Range page = {p, p + PAGE, now.at + (p - now.start), 0};
			if (memcmp(piece + (p - now.start), image(w->state) + page.at, PAGE) != 0 &&
				!add(writer, w->state, &page))
				return false;
		}
	}
	return true;
}

/* What the image has, and this worker has not at all. */
static bool add_absent(const State *state, Writer *writer, const uint8_t *seen)
{
	for (unsigned i = 0; i < state->n; i++)
		for (uintptr_t p = state->ranges[i].start; p < state->ranges[i].end; p += PAGE) {
			size_t at = state->ranges[i].at + (p - state->ranges[i].start);
			Range page = {p, p + PAGE, at, 0};
			if (state->present[at / PAGE] > seen[at / PAGE] &&
				!add(writer, state, &page))
				return false;
		}
	return true;
}

/* A further worker becomes what the first one was. */
static bool list_differing(Restored *w)
{
	if (!same_ranges(w) || !register_ranges(w) || !have_files(w))
		return false;
	uint8_t *seen = calloc(w->state->image_size / PAGE, 1);
	long n = scan(w, 0, PAGE_IS_PRESENT | PAGE_IS_SWAPPED);
	Writer writer = write_list(w);
	unsigned range = 0;
	Range part;
	bool fine = seen != NULL && n >= 0;
	for (long i = 0; i < n && fine; i++)
		while (fine && part_of(w->state, &scratch->found[i], &range, &part))
			fine = compare(w, &writer, &part, seen);
	fine = fine && add_absent(w->state, &writer, seen);
	end_list(&writer);
	free(seen);
	return fine;
}

/* Its stack grows no further: what lies beyond would not be put back. */
static bool fix_stack(const Restored *w)
{
	const State *state = w->state;
	for (unsigned i = 0; i < state->n; i++) {
		const Range *range = &state->ranges[i];
		if (state->registers.rsp < range->start || state->registers.rsp >= range->end)
			continue;
		struct rlimit limit = {range->end - range->start, range->end - range->start};
		return range->end - range->start >= STACK &&
			prlimit(w->pid, RLIMIT_STACK, &limit, NULL) == 0;
	}
	return false;
}

static bool set_registers(const Restored *w)
{
	const State *state = w->state;
	struct user_regs_struct registers = state->registers;
	struct iovec extended = {(void *)state->extended, state->extended_size};
	registers.r8 = (uintptr_t)state->theirs + w->list * sizeof(List) + offsetof(List, entries);
	return ptrace(PTRACE_SETREGSET, w->pid, NT_X86_XSTATE, &extended) == 0 &&
		ptrace(PTRACE_SETREGS, w->pid, NULL, &registers) == 0;
}

static bool has_no_rseq(const Restored *w)
{
	struct __ptrace_rseq_configuration it = {0};
	return ptrace(PTRACE_GET_RSEQ_CONFIGURATION, w->pid, sizeof it, &it) == sizeof it &&
		it.rseq_abi_pointer == 0;
}

static bool first_time(Restored *w)
{
	if (!has_no_rseq(w))
		return false;
	bool fine = w->state->made ? list_differing(w) : make_image(w);
	return fine && fix_stack(w) && watch(w);
}

/* ---- each time ------------------------------------------------------------------------ */

/* What a process computed, whoever asks; see clock_getcpuclockid(). */
static double computed(pid_t pid)
{
	struct timespec t;
	if (clock_gettime((clockid_t)(~(unsigned)pid << 3 | 2), &t) != 0)
		return seconds_most * 2;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A page that a message wrote to is watched no more, and put back each time, for the next message
 * is likely to write to it, too.  Now and then all are watched again. */
static bool put_back(Restored *w)
{
	size_t bytes;
	if (!list_written(w, &bytes))
		return false;
	bool again = bytes > USUAL * PAGE || w->messages % WATCH_EVERY == 0;
	return !again || watch(w);
}

/* Whose message cost much, or was not known to cost little, may have stepped back: whoever is under
 * systemd may make it as it was (LimitNICE). */
static bool step_forward(const Restored *w)
{
	return getpriority(PRIO_PROCESS, (id_t)w->pid) == w->priority ||
		setpriority(PRIO_PROCESS, (id_t)w->pid, w->priority) == 0;
}

/* It has as much left of its time as any. */
static bool is_fresh(Restored *w)
{
	w->before = computed(w->pid);
	return w->messages < MOST_MESSAGES && w->before < seconds_most && step_forward(w);
}

static RestoredStop come_back(Restored *w)
{
	if (w->spoiled || !is_fresh(w))
		return RESTORED_KILL;
	bool fine = w->messages == 0 ? first_time(w) : put_back(w);
	if (!fine || !set_registers(w))
		return RESTORED_KILL;
	w->messages++;
	w->out = false;
	return RESTORED_READY;
}

RestoredStop restored_stopped(Restored *w, int status)
{
	unsigned long what = 0;
	int number = WSTOPSIG(status);
	if (status >> 16 == 0) { /* a signal, that ends it most likely */
		w->spoiled = true;
		return ptrace(PTRACE_CONT, w->pid, NULL, number) == 0 ? RESTORED_GOES_ON
								      : RESTORED_KILL;
	}
	if (status >> 16 != PTRACE_EVENT_SECCOMP ||
		ptrace(PTRACE_GETEVENTMSG, w->pid, NULL, &what) != 0)
		return RESTORED_KILL;
	if (what == MS_TRACE_POINT)
		return come_back(w);
	w->spoiled = true;
	return ptrace(PTRACE_CONT, w->pid, NULL, NULL) == 0 ? RESTORED_GOES_ON : RESTORED_KILL;
}

bool restored_go(Restored *w, int socket)
{
	char byte = 0;
	w->serial = ++last_serial;
	w->out = true;
	return ms_wire_send(w->line, &byte, 1, &socket, 1, MSG_DONTWAIT) &&
		ptrace(PTRACE_CONT, w->pid, NULL, NULL) == 0;
}

uint64_t restored_serial(const Restored *w)
{
	return w->serial;
}

int64_t restored_microseconds(const Restored *w)
{
	return (int64_t)(w->before * 1e6);
}

bool restored_let_go(Restored *w, uint64_t serial)
{
	w->spoiled = true;
	return w->out && w->serial == serial && kill(w->pid, SIGKILL) == 0;
}

/* ---- having workers ------------------------------------------------------------------- */

static bool take_windows(Restored *w)
{
	char byte;
	struct pollfd there = {w->line, POLLIN, 0};
	struct uffdio_api ask = {.api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC};
	bool fine = poll(&there, 1, ANSWER_MS) == 1 &&
		ms_wire_receive(w->line, &byte, 1, w->windows, N_WINDOWS, MSG_DONTWAIT) == 1;
	for (int i = 0; i < N_WINDOWS; i++)
		fine = fine && w->windows[i] >= 0;
	return fine && ioctl(w->windows[WATCHER], UFFDIO_API, &ask) == 0;
}

/* Before it is confined.  Nothing that it says after that is heard. */
static bool attach(Restored *w)
{
	int status;
	errno = 0;
	w->priority = getpriority(PRIO_PROCESS, (id_t)w->pid);
	return take_windows(w) && waitpid(w->pid, &status, WUNTRACED) == w->pid &&
		WIFSTOPPED(status) &&
		ptrace(PTRACE_SETOPTIONS, w->pid, NULL,
			PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) == 0 &&
		shutdown(w->line, SHUT_RD) == 0 && ptrace(PTRACE_CONT, w->pid, NULL, NULL) == 0;
}

static bool take_list(Restored *w)
{
	State *state = w->state;
	while (w->list < state->lists && state->taken[w->list])
		w->list++;
	if (w->list == state->lists)
		return false;
	state->taken[w->list] = true;
	return true;
}

Restored *restored_new(pid_t pid, int line)
{
	unsigned i = 0;
	while (i < MS_MOST_RESTORED && all[i] != NULL)
		i++;
	Restored *w = i < MS_MOST_RESTORED ? calloc(1, sizeof *w) : NULL;
	if (w == NULL)
		return NULL;
	*w = (Restored){.pid = pid, .line = line, .windows = {-1, -1, -1, -1}};
	w->state = current;
	w->state->refs++;
	all[i] = w;
	if (take_list(w) && attach(w))
		return w;
	restored_free(w);
	return NULL;
}

Restored *restored_find(pid_t pid)
{
	for (unsigned i = 0; i < MS_MOST_RESTORED; i++)
		if (all[i] != NULL && all[i]->pid == pid)
			return all[i];
	return NULL;
}

void restored_free(Restored *w)
{
	for (unsigned i = 0; i < MS_MOST_RESTORED; i++)
		if (all[i] == w)
			all[i] = NULL;
	for (int i = 0; i < N_WINDOWS; i++)
		if (w->windows[i] >= 0)
			close(w->windows[i]);
	close(w->line);
	if (w->list < w->state->lists)
		w->state->taken[w->list] = false;
	state_unref(w->state);
	free(w);
}

bool restored_renew(void)
{
	State *next = state_new();
	state_unref(current);
	current = next;
	return next != NULL;
}

void restored_forget(void)
{
	state_unref(current);
	current = NULL;
	if (room != NULL)
		munmap(room, 2 * ROOM);
	room = NULL;
}

/* Behind what is in use now and what the supervisor itself will yet need. */
static void find_fresh(void)
{
	char *top = malloc(LARGE_BLOCK);
	fresh = ((uintptr_t)top + LARGE_BLOCK + (1 << 20)) / PAGE * PAGE;
	fresh_end = (uintptr_t)sbrk(0) / PAGE * PAGE;
	if (top == NULL || (uintptr_t)top > fresh_end || fresh >= fresh_end)
		fresh = fresh_end = 0;
	free(top);
}

/* Where a libc keeps random numbers that the kernel may drop (getrandom() of the vDSO, Linux 6.11),
 * userfaultfd cannot watch.  Memory that can be watched takes its place: of zeros, which is what
 * that libc expects after a fork and after a drop, and with which it asks the kernel anew.  The
 * first call makes it have such memory, so that no worker gets any later. */
static bool have_no_droppable(void)
{
	char line[512], byte;
	unsigned long start = 0, end = 0, other_start, other_end;
	bool fine = getrandom(&byte, 1, 0) == 1;
	FILE *f = fopen("/proc/self/smaps", "re");
	while (f != NULL && fine && fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &other_start, &other_end) == 2) {
			start = other_start;
			end = other_end;
		} else if (g_str_has_prefix(line, "VmFlags:") && strstr(line, " dp") != NULL)
			fine = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				       0) == (void *)start &&
				madvise((void *)start, end - start, MADV_WIPEONFORK) == 0;
	}
	if (f != NULL)
		fclose(f);
	return f != NULL && fine;
}

static void *reserve(size_t size, int protection)
{
	void *area = mmap(
		NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return area != MAP_FAILED ? area : NULL;
}

/* Each worker takes four descriptors of this process. */
static void have_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

bool restored_prepare(unsigned workers, double seconds)
{
	lists_wanted = workers * 2 + 8;
	seconds_most = seconds;
	have_descriptors();
	find_fresh();
	scratch = reserve(sizeof *scratch, PROT_READ | PROT_WRITE);
	room = reserve(2 * ROOM, PROT_NONE);
	return scratch != NULL && madvise(scratch, sizeof *scratch, MADV_DONTFORK) == 0 &&
		room != NULL && have_no_droppable() && restored_renew();
}

#else

#include <errno.h>
#include <unistd.h>

/* Elsewhere, and under sanitizers, workers are forked: nothing of this is called. */
bool restored_prepare(unsigned workers, double seconds)
{
	(void)workers;
	(void)seconds;
	errno = ENOSYS;
	return false;
}

void restored_forget(void)
{
}

bool restored_renew(void)
{
	return false;
}

size_t restored_extra(void)
{
	return 0;
}

void restored_rooms(MsRooms *out)
{
	*out = (MsRooms){0, 0, 0, 0};
}

Restored *restored_new(pid_t pid, int line)
{
	(void)pid;
	(void)line;
	return NULL;
}

Restored *restored_find(pid_t pid)
{
	(void)pid;
	return NULL;
}

void restored_free(Restored *w)
{
	(void)w;
}

RestoredStop restored_stopped(Restored *w, int status)
{
	(void)w;
	(void)status;
	return RESTORED_KILL;
}

bool restored_go(Restored *w, int socket)
{
	(void)w;
	(void)socket;
	return false;
}

uint64_t restored_serial(const Restored *w)
{
	(void)w;
	return 0;
}

int64_t restored_microseconds(const Restored *w)
{
	(void)w;
	return 0;
}

bool restored_let_go(Restored *w, uint64_t serial)
{
	(void)w;
	(void)serial;
	return false;
}

bool restored_begin(int line)
{
	(void)line;
	return false;
}

void restored_clean(void)
{
}

void *restored_place(unsigned which, size_t len)
{
	(void)which;
	(void)len;
	return NULL;
}

void restore_point(void)
{
	_exit(1);
}

#endif
