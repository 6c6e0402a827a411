/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps in the order of addresses -> a trie of lines, as bpf/abi.h describes it. Nodes are as wide
 * as they need to be for their children to end in buckets.
 */
#include <stdlib.h>

#include "compilation.h"

enum {
	KEY_BITS = 64,
	WIDE_STRIDE = 16, /* of a node of so many keys, that differ in their first bits */
	WIDE_COUNT = 8192,
	WIDE_SAME = 4,
};

/* A step over 64-bit keys: from `key` on, this LEAF or LOW entry. */
struct item {
	uint64_t key;
	uint32_t entry;
};

/* Items of one range of keys; the first is in force at its start, the others lie inside. */
struct slice {
	const struct item *items;
	uint32_t count;
	uint64_t start;
	uint32_t bits;	 /* consumed: the range is 1 << (64 - bits) keys */
	uint32_t levels; /* nodes that may follow */
};

static uint32_t leaf(uint32_t row)
{
	return FR_TRIE(FR_TRIE_LEAF, 0, row);
}

static uint32_t bucket_build(struct image_lines *lines, const struct slice *slice)
{
	uint32_t line = lines_add(lines, 1), last = slice->items[slice->count - 1].entry;
	struct fr_bucket *bucket = lines_at(lines, line);

	bucket->entry[0] = slice->items[0].entry;
	for (uint32_t i = 0; i < FR_BUCKET_KEYS; i++) {
		bool used = i + 1 < slice->count;

		bucket->key[i] = used ? slice->items[i + 1].key : ~0ull;
		bucket->entry[i + 1] = used ? slice->items[i + 1].entry : last;
	}
	return FR_TRIE(FR_TRIE_BUCKET, 0, line);
}

static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while (count >> bits)
		bits++;
	return bits;
}

/* Bits of the next node: enough for buckets of about four keys, past the common bits of all keys,
 * and never so few that the levels left could not reach the last bit. */
static uint32_t stride_choose(const struct slice *slice)
{
	uint32_t left = KEY_BITS - slice->bits,
		 most = left < FR_TRIE_STRIDE_MAX ? left : FR_TRIE_STRIDE_MAX;
	uint32_t reach = (slice->levels - 1) * FR_TRIE_STRIDE_MAX;
	uint64_t differ = slice->items[1].key ^ slice->items[slice->count - 1].key;
	uint32_t same = differ ? (uint32_t)__builtin_clzll(differ) - slice->bits : 0;
	uint32_t stride = same + bits_for((slice->count - 1) / 4);

	if (slice->count >= WIDE_COUNT && same < WIDE_SAME && left >= WIDE_STRIDE)
		return WIDE_STRIDE;
	if (left > reach && stride < left - reach)
		stride = left - reach;
	if (stride < 1)
		stride = 1;
	return stride < most ? stride : most;
}

static uint32_t slice_build(struct image_lines *lines, const struct slice *slice);

static uint32_t node_build(struct image_lines *lines, const struct slice *slice)
{
	uint32_t stride = stride_choose(slice), entries = 1u << stride, at = 0;
	uint32_t line = lines_add(lines, entries > FR_LINE_WORDS ? entries / FR_LINE_WORDS : 1);
	uint64_t step = 1ull << (KEY_BITS - slice->bits - stride);

	for (uint32_t i = 0; i < entries; i++) {
		struct slice child = *slice;
		uint32_t end, entry;

		child.start = slice->start + i * step;
		child.bits += stride;
		child.levels--;
		while (at + 1 < slice->count && slice->items[at + 1].key <= child.start)
			at++;
		for (end = at + 1; end < slice->count; end++)
			if (slice->items[end].key - child.start >= step)
				break;
		child.items = slice->items + at;
		child.count = end - at;
		entry = slice_build(lines, &child);
		((uint32_t *)lines_at(lines, line))[i] = entry;
		at = end - 1;
	}
	return FR_TRIE(FR_TRIE_NODE, stride, line);
}

static uint32_t slice_build(struct image_lines *lines, const struct slice *slice)
{
	if (slice->count == 1 || lines->count > lines->most)
		return slice->items[0].entry;
	if (slice->count <= FR_BUCKET_KEYS + 1)
		return bucket_build(lines, slice);
	return node_build(lines, slice);
}

/* The trie of the low half of one high half: points first … end - 1, after `row` at its start. */
static uint32_t low_build(struct image_lines *lines, const struct trie_point *points,
			  uint32_t count, uint32_t row)
{
	struct item *items = array_new(count + 1ull, sizeof(*items));
	uint32_t line = lines_add(lines, 1), entry, used = 0;

	if (points[0].low)
		items[used++] = (struct item){0, leaf(row)};
	for (uint32_t i = 0; i < count; i++)
		items[used++] = (struct item){points[i].low, leaf(points[i].row)};
	entry = slice_build(lines, &(struct slice){items, used, 0, 0, FR_TRIE_LEVELS});
	*(uint32_t *)lines_at(lines, line) = entry;
	free(items);
	return FR_TRIE(FR_TRIE_LOW, 0, line);
}

/* Points -> items over the high half. A high half whose low half matters is an item of its own. */
static uint32_t items_build(struct image_lines *lines, const struct trie_point *points,
			    uint32_t count, struct item *items)
{
	uint32_t used = 0;

	for (uint32_t i = 0, end; i < count; i = end) {
		uint64_t high = points[i].high;
		uint32_t row = points[i ? i - 1 : 0].row, entry = leaf(points[i].row);

		for (end = i + 1; end < count && points[end].high == high; end++)
			;
		if (points[i].low || end - i > 1)
			entry = low_build(lines, points + i, end - i, row);
		if (used && items[used - 1].key == high)
			used--;
		items[used++] = (struct item){high, entry};
		if (FR_TRIE_KIND(entry) == FR_TRIE_LOW && high != ~0ull)
			items[used++] = (struct item){high + 1, leaf(points[end - 1].row)};
	}
	return used;
}

uint32_t trie_compile(struct compilation *c, struct trie_point *points, uint32_t count)
{
	struct item *items = array_new(2ull * count, sizeof(*items));
	uint32_t root;

	count = items_build(&c->lines, points, count, items);
	free(points);
	root = slice_build(&c->lines, &(struct slice){items, count, 0, 0, FR_TRIE_LEVELS});
	free(items);
	return c->lines.count <= c->lines.most ? root : NONE;
}
