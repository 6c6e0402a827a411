/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scratch memory of a compilation: arrays that grow, a map of numbers, and the lines of the image.
 */
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

void *array_reserve(void *array, uint32_t *capacity, uint64_t need, size_t size)
{
	uint64_t room = *capacity ? *capacity : 64;

	if (need <= *capacity)
		return array;
	while (room < need)
		room += room / 2;
	if (room > NONE)
		memory_exhausted();
	array = memory_resize(array, room * size);
	*capacity = room;
	return array;
}

void *array_new(size_t count, size_t size)
{
	if (count > SIZE_MAX / size)
		memory_exhausted();
	return memory_new(count * size);
}

uint64_t hash_mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93;
	return value ^ value >> 32;
}

/* Keys are stored plus one: 0 marks a free place, and no key here is all ones. */
static uint32_t map_find(const struct map *map, uint64_t key)
{
	uint32_t mask = map->capacity - 1, at = hash_mix(key) & mask;

	while (map->keys[at] && map->keys[at] != key + 1)
		at = (at + 1) & mask;
	return at;
}

static void map_grow(struct map *map)
{
	struct map old = *map;

	map->capacity = old.capacity ? old.capacity * 2 : 64;
	map->keys = array_new(map->capacity, sizeof(*map->keys));
	map->values = array_new(map->capacity, sizeof(*map->values));
	for (uint32_t i = 0; i < old.capacity; i++) {
		if (!old.keys[i])
			continue;
		uint32_t at = map_find(map, old.keys[i] - 1);

		map->keys[at] = old.keys[i];
		map->values[at] = old.values[i];
	}
	free(old.keys);
	free(old.values);
}

uint32_t *map_at(struct map *map, uint64_t key)
{
	uint32_t at;

	if (map->count >= map->capacity / 2)
		map_grow(map);
	at = map_find(map, key);
	if (!map->keys[at]) {
		map->keys[at] = key + 1;
		map->values[at] = NONE;
		map->count++;
	}
	return &map->values[at];
}

void map_free(struct map *map)
{
	free(map->keys);
	free(map->values);
	*map = (struct map){0};
}

uint32_t lines_add(struct image_lines *lines, uint32_t count)
{
	uint32_t first = lines->count;

	lines->base = array_reserve(lines->base, &lines->capacity, (uint64_t)first + count,
				    FR_LINE_BYTES);
	memset(lines_at(lines, first), 0, (size_t)count * FR_LINE_BYTES);
	lines->count += count;
	return first;
}

static uint64_t lines_hash(const void *content, uint32_t count)
{
	const uint64_t *words = content;
	uint64_t hash = count;

	for (size_t i = 0; i < (size_t)count * FR_LINE_BYTES / sizeof(*words); i++)
		hash = hash_mix(hash ^ words[i]);
	return hash >> 1;
}

uint32_t lines_share(struct image_lines *lines, struct map *seen, const void *content,
		     uint32_t count)
{
	size_t size = (size_t)count * FR_LINE_BYTES;
	uint32_t *line = map_at(seen, lines_hash(content, count));

	if (*line != NONE && *line + count <= lines->count &&
	    !memcmp(lines_at(lines, *line), content, size))
		return *line;
	*line = lines_add(lines, count);
	memcpy(lines_at(lines, *line), content, size);
	return *line;
}
