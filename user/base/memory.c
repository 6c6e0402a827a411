// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as arenas and arrays use it: never NULL. Asks for no large pages: where the host of a
 * virtual machine has to back them afresh they cost more than the faults that they save.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base.h"

enum { MAP_UNIT = 2 << 20 };

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void *memory_new(size_t size)
{
	return must(calloc(size ? size : 1, 1));
}

void *memory_resize(void *memory, size_t size)
{
	return must(realloc(memory, size));
}

/* In whole units, which a kernel that makes pages large by itself can use. */
void *memory_map(size_t *size)
{
	void *memory;

	*size = (*size + MAP_UNIT - 1) & ~(size_t)(MAP_UNIT - 1);
	memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return must(memory == MAP_FAILED ? NULL : memory);
}

void memory_unmap(void *memory, size_t size)
{
	munmap(memory, size);
}
