/*
 * Memory for the code that PCRE2 compiles patterns to, in one large page: linked into the static
 * reader, whose calls of mmap() come here.
 *
 * PCRE2 asks for pieces of 64 kB, which come to lie side by side in pages of 4 kB, 230 of them;
 * every fork takes each along, and the end of every worker lets go of each.  The supervisor's one
 * thread, and each worker's.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define LARGE ((uintptr_t)2 << 20)

void *__real_mmap(void *addr, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int protection, int flags, int fd, off_t offset);

static uintptr_t next, end; /* the room that is left */

static void make_room(int protection)
{
	void *area = __real_mmap(
		NULL, 2 * LARGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return;
	next = ((uintptr_t)area + LARGE - 1) / LARGE * LARGE;
	end = next + LARGE;
	if (next > (uintptr_t)area)
		munmap(area, next - (uintptr_t)area);
	if ((uintptr_t)area + LARGE > next)
		munmap((void *)end, (uintptr_t)area + LARGE - next);
	madvise((void *)next, LARGE, MADV_HUGEPAGE);
}

/* Given back it is unmapped like any other, and not given out again. */
void *__wrap_mmap(void *addr, size_t len, int protection, int flags, int fd, off_t offset)
{
	if (addr != NULL || fd != -1 || (flags & MAP_ANONYMOUS) == 0
		|| protection != (PROT_READ | PROT_WRITE | PROT_EXEC))
		return __real_mmap(addr, len, protection, flags, fd, offset);
	if (end == 0)
		make_room(protection);
	size_t whole = (len + 4095) & ~(size_t)4095;
	if (whole > end - next)
		return __real_mmap(addr, len, protection, flags, fd, offset);
	void *piece = (void *)next;
	next += whole;
	return piece;
}
