/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scratch memory of a compilation: arrays, hash maps, and the lines of the image.
 */
#ifndef COMPILE_MEMORY_H
#define COMPILE_MEMORY_H

#include "compile.h"

#define NONE UINT32_MAX

/* Big arrays grow by realloc, so that outgrown copies are given back at once. As in the arenas, no
 * memory means abort(). */
void *array_reserve(void *array, uint32_t *capacity, uint64_t need, size_t size);
void *array_new(size_t count, size_t size);

/* u64 -> u32, open addressing. */
struct map {
	uint64_t *keys;
	uint32_t *values;
	uint32_t count, capacity;
};
/* The value of a key, NONE when it is new; the pointer is good until the next call. */
uint32_t *map_at(struct map *map, uint64_t key);
void map_free(struct map *map);
uint64_t hash_mix(uint64_t value);

/* The image while it grows. Line numbers stay, pointers do not. */
struct image_lines {
	uint8_t *base;
	uint32_t count, capacity;
	uint32_t most; /* a larger image is refused */
};
uint32_t lines_add(struct image_lines *lines, uint32_t count); /* zeroed; the first one's number */
static inline void *lines_at(const struct image_lines *lines, uint32_t line)
{
	return lines->base + (size_t)line * FR_LINE_BYTES;
}
/* Content of whole lines that an earlier call may already have put there: one copy serves all. */
uint32_t lines_share(struct image_lines *lines, struct map *seen, const void *content,
		     uint32_t count);

#endif
