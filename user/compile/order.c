/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes of rules in the order of their addresses: a radix sort by the high half of the address,
 * least digit first; then entries with the same high half by comparisons.
 */
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

struct sort_place {
	uint64_t high;
	uint32_t entry;
};

static int entry_order(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* One pass: `to` gets the places of `from` by one digit, equal ones in the order they had. False
 * when all have the same digit, and nothing was done. */
static bool places_distribute(const struct sort_place *from, struct sort_place *to, uint32_t count,
			      uint32_t shift)
{
	uint32_t next[DIGITS] = {0}, sum = 0;

	for (uint32_t i = 0; i < count; i++)
		next[from[i].high >> shift & (DIGITS - 1)]++;
	if (next[from[0].high >> shift & (DIGITS - 1)] == count)
		return false;
	for (uint32_t digit = 0; digit < DIGITS; digit++) {
		uint32_t here = next[digit];

		next[digit] = sum;
		sum += here;
	}
	for (uint32_t i = 0; i < count; i++)
		to[next[from[i].high >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

/* The order of the high halves. Gives the half of `places` (2 * count) where it ends up. */
static const struct sort_place *places_sort(struct sort_place *places,
					    const struct entries *entries)
{
	struct sort_place *from = places, *to = places + entries->count, *done;

	for (uint32_t i = 0; i < entries->count; i++)
		from[i] = (struct sort_place){entries->list[i].high, i};
	for (uint32_t shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (!places_distribute(from, to, entries->count, shift))
			continue;
		done = to;
		to = from;
		from = done;
	}
	return from;
}

/* The entries lie in the order of their high halves: sort those with the same one. */
static void ties_sort(struct entry *list, uint32_t count)
{
	for (uint32_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && list[end].high == list[i].high; end++)
			;
		if (end - i > 1)
			qsort(list + i, end - i, sizeof(*list), entry_order);
	}
}

void entries_sort(struct entries *entries)
{
	uint32_t count = entries->count;
	struct entry *sorted;
	struct sort_place *places;
	const struct sort_place *order;

	if (count < 2)
		return;
	sorted = array_new(count, sizeof(*sorted));
	places = array_new(2ull * count, sizeof(*places));
	memory_touch(sorted, count * sizeof(*sorted));
	memory_touch(places, 2ull * count * sizeof(*places));
	order = places_sort(places, entries);
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = entries->list[order[i].entry];
	ties_sort(sorted, count);
	free(places);
	free(entries->list);
	entries->list = sorted;
	entries->capacity = count;
}
