/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names to values by hashing, so that checking 100,000 ids for duplicates is not a walk each. Open
 * addressing; nothing is ever removed.
 */
#include <string.h>

#include "base.h"

struct index_slot {
	const char *name;
	const void *value;
	size_t hash; /* of the name; spares most comparisons of names */
};

static size_t name_hash(const char *name)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211ull;
	return (size_t)(hash ^ hash >> 32);
}

/* The slot of the name, or the free one where it belongs. */
static struct index_slot *slot_find(const struct index *index, const char *name, size_t hash)
{
	size_t at = hash & (index->size - 1);

	while (index->slots[at].name &&
	       (index->slots[at].hash != hash || !str_equal(index->slots[at].name, name)))
		at = (at + 1) & (index->size - 1);
	return &index->slots[at];
}

static void index_widen(struct index *index, size_t size)
{
	struct index old = *index;

	index->size = size;
	index->slots = arena_alloc(index->arena, index->size * sizeof(*index->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].name)
			*slot_find(index, old.slots[i].name, old.slots[i].hash) = old.slots[i];
}

void index_reserve(struct index *index, size_t count)
{
	size_t size = index->size ? index->size : 16;

	while (size <= count * 2)
		size *= 2;
	if (size <= index->size)
		return;
	index_widen(index, size);
	memory_touch(index->slots, size * sizeof(*index->slots));
}

const void *index_get(const struct index *index, const char *name)
{
	return index->size ? slot_find(index, name, name_hash(name))->value : NULL;
}

const void *index_insert(struct index *index, const char *name, const void *value)
{
	size_t hash = name_hash(name);
	struct index_slot *slot;

	if (index->count * 2 >= index->size)
		index_widen(index, index->size ? index->size * 4 : 16);
	slot = slot_find(index, name, hash);
	if (slot->name)
		return slot->value;
	slot->name = name;
	slot->value = value;
	slot->hash = hash;
	index->count++;
	return NULL;
}

const char *const *index_names(struct arena *arena, const struct index *index)
{
	const char **names = arena_alloc(arena, (index->count + 1) * sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < index->size; i++)
		if (index->slots[i].name)
			names[count++] = index->slots[i].name;
	return names;
}
