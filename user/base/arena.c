/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arenas: memory that is freed all at once. Chunks in a list, the newest first; large requests get
 * a chunk of their own. Texts fill a chunk from its end, where they need no alignment. No
 * per-object free, no threads.
 */
#include <stdlib.h>
#include <string.h>

#include "base.h"

enum { CHUNK_FIRST = 16 << 10, CHUNK_LARGEST = 16 << 20, CHUNK_MAPPED = 2 << 20 };

struct chunk {
	struct chunk *next;
	size_t used, size; /* of objects; up to where texts begin */
	size_t room;	   /* for both */
	size_t mapped;	   /* of the whole chunk; 0: from the heap */
	max_align_t data[];
};

struct arena {
	struct chunk *chunks;
	size_t next_size;
};

struct arena *arena_new(void)
{
	struct arena *arena = memory_new(sizeof(*arena));

	arena->next_size = CHUNK_FIRST;
	return arena;
}

static void chunks_free(struct chunk *chunk)
{
	struct chunk *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		if (chunk->mapped)
			memory_unmap(chunk, chunk->mapped);
		else
			free(chunk);
	}
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	chunks_free(arena->chunks);
	free(arena);
}

void arena_reset(struct arena *arena)
{
	struct chunk *kept = arena->chunks;

	if (!kept)
		return;
	chunks_free(kept->next);
	kept->next = NULL;
	memset(kept->data, 0, kept->used);
	memset((char *)kept->data + kept->size, 0, kept->room - kept->size);
	kept->used = 0;
	kept->size = kept->room;
}

void arena_drop(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}

void arena_adopt(struct arena *arena, struct arena *other)
{
	struct chunk **last = &arena->chunks;

	while (*last)
		last = &(*last)->next;
	*last = other->chunks;
	free(other);
}

static struct chunk *chunk_add(struct arena *arena, size_t size)
{
	struct chunk *chunk;
	size_t total;

	if (size > SIZE_MAX / 2)
		memory_exhausted();
	total = sizeof(*chunk) + size;
	if (total >= CHUNK_MAPPED) {
		chunk = memory_map(&total);
		chunk->mapped = total;
	} else {
		chunk = memory_new(total);
	}
	chunk->size = chunk->room = total - sizeof(*chunk);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

static size_t aligned(size_t size)
{
	const size_t align = _Alignof(max_align_t);

	return size ? (size + align - 1) / align * align : align;
}

/* A large object goes behind the chunk in use, so that the room left in that one is not lost. */
static void *alloc_apart(struct arena *arena, size_t size)
{
	struct chunk *current = arena->chunks, *chunk = chunk_add(arena, size);

	chunk->used = size;
	if (current) {
		chunk->next = current->next;
		current->next = chunk;
		arena->chunks = current;
	}
	return chunk->data;
}

/* The chunk with enough room; NULL when the object needs a chunk of its own. */
static struct chunk *chunk_with(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;

	if (chunk && chunk->size - chunk->used >= size)
		return chunk;
	if (size > arena->next_size / 4)
		return NULL;
	chunk = chunk_add(arena, arena->next_size - sizeof(*chunk));
	if (arena->next_size < CHUNK_LARGEST)
		arena->next_size *= 2;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk;

	if (size > SIZE_MAX / 4)
		memory_exhausted();
	size = aligned(size);
	chunk = chunk_with(arena, size);
	if (!chunk)
		return alloc_apart(arena, size);
	chunk->used += size;
	return (char *)chunk->data + chunk->used - size;
}

void *arena_bytes(struct arena *arena, size_t size)
{
	struct chunk *chunk = size < SIZE_MAX / 4 ? chunk_with(arena, size) : NULL;

	return chunk ? (char *)chunk->data + (chunk->size -= size) : arena_alloc(arena, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_bytes(arena, length < SIZE_MAX ? length + 1 : length);

	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		memory_exhausted();
	text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

const char *arena_optional(struct arena *arena, const char *before, const char *text)
{
	return text ? arena_printf(arena, "%s%s", before, text) : "";
}

/* The link to the mapped chunk that holds only this array; or NULL. */
static struct chunk **chunk_of(struct arena *arena, const void *array, size_t size)
{
	struct chunk **link = &arena->chunks;

	if (size < CHUNK_MAPPED)
		return NULL;
	while (*link && (*link)->data != array)
		link = &(*link)->next;
	return *link && (*link)->mapped && (*link)->used == aligned(size) &&
			       (*link)->size == (*link)->room
		       ? link
		       : NULL;
}

/* Remaps the pages: nothing is copied, and no outgrown copy remains. */
static void *chunk_stretch(struct chunk **link, size_t size)
{
	size_t total = sizeof(**link) + size;
	struct chunk *chunk = memory_remap(*link, (*link)->mapped, &total);

	chunk->mapped = total;
	chunk->used = aligned(size);
	chunk->size = chunk->room = total - sizeof(*chunk);
	*link = chunk;
	return chunk->data;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 8;
	struct chunk **link;
	void *grown;

	if (count < *capacity)
		return array;
	if (wanted <= count)
		wanted = count + 1;
	if (wanted > SIZE_MAX / 4 / size)
		memory_exhausted();
	link = chunk_of(arena, array, *capacity * size);
	grown = link ? chunk_stretch(link, wanted * size) : arena_alloc(arena, wanted * size);
	if (count && !link)
		memcpy(grown, array, count * size);
	*capacity = wanted;
	return grown;
}

const char *str_list_append(struct arena *arena, const char *words, const char *word)
{
	return words ? arena_printf(arena, "%s, %s", words, word) : arena_strdup(arena, word);
}
