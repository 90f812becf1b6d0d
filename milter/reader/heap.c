/*
 * The heap as workers find it: called by the supervisor at its start, and when all is warm, before
 * its first fork.
 *
 * What warming up has freed lies in holes between what stays, all over the heap.  A worker that
 * allocates from them writes to a page here and a page there, and each is copied for it: dozens of
 * faults a message.  So the holes are filled, once, with memory that nobody uses; what a worker
 * allocates then comes from the heap's end, one after the other, in pages that are new.
 *
 * What stays is put into pages of 2 MB, where the kernel has them: a fork takes each along with one
 * entry instead of 512, and a worker's end lets go of as few.  The supervisor's one thread.
 */
#include "config.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader_private.h"

#ifndef MS_SANITIZERS

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define LARGE ((uintptr_t)2 << 20)
#define BEYOND (1u << 20)   /* larger than any hole that is worth it */
#define SMALLEST 24         /* what malloc's smallest chunk has room for */
#define SMALL_PAGE 4096
#define MUCH (6u << 20)
#define MOST_MAIL (256 << 10) /* bytes of heap */
#define ROOM (1 << 20)      /* kept at the heap's end, so that a worker need not ask for more */
#define MUCH_ROOM (16 << 20) /* ... one that is put back must not, but for much */

/* Holes of this size and those that are larger: the last one that is taken is beyond all of
 * them. */
static void fill(size_t size, const void *end)
{
	const void *hole;
	do {
		hole = malloc(size);
	} while (hole != NULL && (uintptr_t)hole < (uintptr_t)end);
}

static uintptr_t begin; /* of the first large page; 0: there is none */

static uintptr_t up(uintptr_t p)
{
	return (p + LARGE - 1) / LARGE * LARGE;
}

/* The last large page is filled up: after it come small ones, which are new. */
static void collapse(void)
{
	uintptr_t top = (uintptr_t)malloc(SMALLEST), end = up(top);
	if (begin == 0 || top < begin || malloc(end - top - 3 * sizeof(size_t)) == NULL)
		return;
	for (uintptr_t p = begin; p < end; p += LARGE)
		madvise((void *)p, LARGE, MADV_COLLAPSE);
}

void heap_begin(void)
{
	uintptr_t now = (uintptr_t)sbrk(0);
	if (now != UINTPTR_MAX && sbrk((intptr_t)(up(now) - now)) != (void *)-1)
		begin = up(now);
}

/* Whoever reads a document, or decodes a large attachment, needs a megabyte or more: it is found
 * missing once, not page by page.  The large pages begin behind what this process itself writes to
 * (of one that is shared, small ones are copied), and behind `small` bytes, which are enough for
 * most mail without. */
static void expect_much(size_t small)
{
	uintptr_t top = (uintptr_t)malloc(SMALLEST), next = up(top + small + SMALL_PAGE);
	void *filler = malloc(next - top - small);
	void *room = malloc(MUCH);
	if (filler != NULL && room != NULL)
		madvise((void *)next, MUCH - LARGE, MADV_HUGEPAGE);
	free(room);
}

void heap_settle(bool documents, bool restored)
{
	const int room_size = restored ? MUCH_ROOM : ROOM;
	mallopt(M_TOP_PAD, room_size);
	const void *end = malloc(BEYOND);
	for (size_t size = BEYOND / 2; size > 2048; size -= size / 8 & ~(size_t)15)
		fill(size, end);
	for (size_t size = 2048 + SMALLEST; size >= SMALLEST; size -= 16)
		fill(size, end);
	malloc_trim((size_t)room_size);
	collapse();
	/* is there now; else both were left out */
	void *volatile room = malloc((size_t)room_size / 2);
	free(room);
	expect_much(documents ? SMALL_PAGE : MOST_MAIL);
}

#else

#include <sanitizer/allocator_interface.h>

void heap_begin(void)
{
}

/* What is freed is kept for a while, and taken back piece by piece for what is freed later: each
 * worker would write to hundreds of pages that it otherwise shares. */
void heap_settle(bool documents, bool restored)
{
	(void)documents;
	(void)restored;
	__sanitizer_purge_allocator();
}

#endif
