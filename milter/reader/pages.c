/*
 * The program itself in large pages: called by the supervisor before its first fork.
 *
 * Code and tables are mapped from a file in pages of 4 kB.  A fork leaves them out, every worker
 * finds some hundred of them missing, and its end lets go of each: that is a good part of what a
 * worker costs.  So they are put into anonymous memory in pages of 2 MB, as they are, at their
 * places and with their protection; a fork takes them along with one entry each.  Where the system
 * has no large pages, or forbids code in memory that is no file's, all stays as it was.  The
 * supervisor's one thread.
 */
#include "config.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "reader_private.h"

#ifndef MS_SANITIZERS

#define LARGE ((uintptr_t)2 << 20)
#define WORTH_IT (LARGE / 8)

/* A copy of `len` bytes in large pages, at an address that fits to them; MAP_FAILED: no. */
static void *copy_of(const void *from, size_t len, size_t room, int protection)
{
	uint8_t *area = mmap(NULL, room + LARGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return MAP_FAILED;
	uint8_t *copy = area + (LARGE - (uintptr_t)area % LARGE) % LARGE;
	if (copy > area)
		munmap(area, (size_t)(copy - area));
	if (area + LARGE > copy)
		munmap(copy + room, (size_t)(area + LARGE - copy));
	if (madvise(copy, room, MADV_HUGEPAGE) == 0) {
		memcpy(copy, from, len);
		if (mprotect(copy, room, protection) == 0)
			return copy;
	}
	munmap(copy, room);
	return MAP_FAILED;
}

/* `next`: where the one after it begins. */
static void enlarge(uintptr_t base, const ElfW(Phdr) *segment, uintptr_t next)
{
	uintptr_t start = base + segment->p_vaddr;
	size_t room = (segment->p_memsz + LARGE - 1) / LARGE * LARGE;
	int protection = PROT_READ | (segment->p_flags & PF_X ? PROT_EXEC : 0);
	if (start % LARGE != 0 || segment->p_memsz < WORTH_IT || start + room > next)
		return;
	void *copy = copy_of((const void *)start, segment->p_memsz, room, protection);
	if (copy != MAP_FAILED && mremap(copy, room, room, MREMAP_MAYMOVE | MREMAP_FIXED,
		(void *)start) == MAP_FAILED)
		munmap(copy, room);
}

/* The program is the first one. */
static int each_object(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)size;
	(void)user;
	const ElfW(Phdr) *last = NULL;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		if (segment->p_type != PT_LOAD)
			continue;
		if (last != NULL && (last->p_flags & PF_W) == 0)
			enlarge(info->dlpi_addr, last, info->dlpi_addr + segment->p_vaddr);
		last = segment;
	}
	return 1;
}

void pages_enlarge(void)
{
	dl_iterate_phdr(each_object, NULL);
}

#else

void pages_enlarge(void)
{
}

#endif
