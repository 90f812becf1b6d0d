/*
 * The heap as workers find it: called by the supervisor when all is warm, before its first fork.
 *
 * What warming up has freed lies in holes between what stays, all over the heap.  A worker that
 * allocates from them writes to a page here and a page there, and each is copied for it: dozens of
 * faults a message.  So the holes are filled, once, with memory that nobody uses; what a worker
 * allocates then comes from the heap's end, one after the other, in pages that are new.
 */
#include "config.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "reader_private.h"

#ifndef MS_SANITIZERS

#define BEYOND (1u << 20)   /* larger than any hole that is worth it */
#define SMALLEST 24         /* what malloc's smallest chunk has room for */
#define ROOM (1 << 20)      /* kept at the heap's end, so that a worker need not ask for more */

/* Holes of this size and those that are larger: the last one that is taken is beyond all of
 * them. */
static void fill(size_t size, const void *end)
{
	const void *hole;
	do {
		hole = malloc(size);
	} while (hole != NULL && (uintptr_t)hole < (uintptr_t)end);
}

void heap_settle(void)
{
	mallopt(M_TOP_PAD, ROOM);
	const void *end = malloc(BEYOND);
	for (size_t size = BEYOND / 2; size > 2048; size -= size / 8 & ~(size_t)15)
		fill(size, end);
	for (size_t size = 2048 + SMALLEST; size >= SMALLEST; size -= 16)
		fill(size, end);
	malloc_trim(ROOM);
}

#else

void heap_settle(void)
{
}

#endif
