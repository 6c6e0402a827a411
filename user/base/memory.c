/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for arenas and arrays: never NULL. Asks for no large pages: in a virtual machine whose
 * host must back them first, they cost more than the page faults that they save.
 */
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"

enum { MAP_UNIT = 2 << 20, MAP_OF_ITS_OWN = 128 << 10 };
enum { ADVICE_POPULATE_WRITE = 23 }; /* not in the headers of an older libc */

void memory_begin(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, MAP_OF_ITS_OWN);
#endif
}

void memory_exhausted(void)
{
	static const char words[] = "flowreeve: error: out of memory\n";

	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
		abort();
	abort();
}

static void *must(void *memory)
{
	if (!memory)
		memory_exhausted();
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

/* Whole units, for a kernel that uses large pages by itself. */
static size_t whole_units(size_t size)
{
	return (size + MAP_UNIT - 1) & ~(size_t)(MAP_UNIT - 1);
}

static void *must_map(void *memory)
{
	return must(memory == MAP_FAILED ? NULL : memory);
}

void *memory_map(size_t *size)
{
	*size = whole_units(*size);
	return must_map(
		mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void *memory_remap(void *memory, size_t old, size_t *size)
{
	*size = whole_units(*size);
	return must_map(mremap(memory, old, *size, MREMAP_MAYMOVE));
}

void memory_unmap(void *memory, size_t size)
{
	munmap(memory, size);
}

/* Many faults at once cost less than each by itself. Older kernels lack this advice. */
void memory_touch(void *memory, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = (uintptr_t)memory & ~(page - 1);
	uintptr_t end = ((uintptr_t)memory + size + page - 1) & ~(page - 1);

	madvise((void *)begin, end - begin, ADVICE_POPULATE_WRITE);
}

void memory_forget(void *memory, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}
