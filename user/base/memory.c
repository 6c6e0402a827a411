// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as arenas and arrays use it: never NULL, and in large pages where much is wanted at once
 * and the kernel has them. A policy of 100,000 rules otherwise spends a third of its time on
 * faults.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"

enum { LARGE_PAGE = 2 << 20, ADVISED_MIN = LARGE_PAGE / 2 };

/* Advice: without large pages all is as before. To whole pages, since what realloc() is to move
 * must not be advised in part. */
static void memory_advise(void *memory, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)memory & ~(page - 1);
	uintptr_t end = ((uintptr_t)memory + size + page - 1) & ~(page - 1);

	madvise((void *)start, end - start, MADV_HUGEPAGE);
}

static void *memory_ready(void *memory, size_t size)
{
	if (!memory)
		abort();
	if (size >= ADVISED_MIN)
		memory_advise(memory, size);
	return memory;
}

void *memory_new(size_t size)
{
	return memory_ready(calloc(size ? size : 1, 1), size);
}

void *memory_resize(void *memory, size_t size)
{
	return memory_ready(realloc(memory, size), size);
}

/* The kernel puts whole large pages where they can be large. */
void *memory_map(size_t *size)
{
	void *memory;

	*size = (*size + LARGE_PAGE - 1) & ~(size_t)(LARGE_PAGE - 1);
	memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory_ready(memory == MAP_FAILED ? NULL : memory, *size);
}

void memory_unmap(void *memory, size_t size)
{
	munmap(memory, size);
}
