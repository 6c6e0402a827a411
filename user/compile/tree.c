/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows as hash-consed trees of 16-way nodes. Painting a range of columns touches the nodes at its
 * two ends and shares everything else, so that ten thousand rows of twenty thousand columns stay
 * small.
 */
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

/* Two lanes, which the processor works on side by side. */
static uint32_t node_hash(uint32_t level, const uint32_t *words)
{
	uint64_t one = level, other = ~0ull, pair[2];

	for (int i = 0; i < FR_LINE_WORDS; i += 4) {
		memcpy(pair, words + i, sizeof(pair));
		one = (one ^ pair[0]) * 0x9e3779b97f4a7c15;
		one ^= one >> 32;
		other = (other ^ pair[1]) * 0xd6e8feb86659fd93;
		other ^= other >> 32;
	}
	return hash_mix(one + other * 3);
}

void tree_open(struct tree *tree, uint32_t levels, uint32_t nodes)
{
	*tree = (struct tree){.levels = levels, .slot_count = 2048, .fresh = NONE};
	tree->slots = array_new(tree->slot_count, sizeof(*tree->slots));
	tree->nodes = array_reserve(NULL, &tree->capacity, nodes, sizeof(*tree->nodes));
}

static void tree_widen(struct tree *tree)
{
	struct tree_slot *old = tree->slots;
	uint32_t count = tree->slot_count, mask;

	tree->slot_count = count * 2;
	tree->slots = array_new(tree->slot_count, sizeof(*tree->slots));
	mask = tree->slot_count - 1;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = old[i].hash & mask;

		if (!old[i].node)
			continue;
		while (tree->slots[at].node)
			at = (at + 1) & mask;
		tree->slots[at] = old[i];
	}
	free(old);
}

static void bounds_widen(struct tree_node *node, uint32_t low, uint32_t high)
{
	node->low = low < node->low ? low : node->low;
	node->high = high > node->high ? high : node->high;
}

/* The range of keys below a node, computed once. Many neighbours are equal. */
static void node_bounds(const struct tree *tree, struct tree_node *node)
{
	const uint32_t *word = node->word;
	const struct tree_node *nodes = tree->nodes;

	node->low = node->level == 1 ? word[0] : nodes[word[0]].low;
	node->high = node->level == 1 ? word[0] : nodes[word[0]].high;
	for (int i = 1; i < FR_LINE_WORDS; i++) {
		if (word[i] == word[i - 1])
			continue;
		if (node->level == 1)
			bounds_widen(node, word[i], word[i]);
		else
			bounds_widen(node, nodes[word[i]].low, nodes[word[i]].high);
	}
}

/* The slot of the node with these words, or the free one where it belongs. */
static struct tree_slot *slot_find(const struct tree *tree, uint32_t level, uint32_t hash,
				   const uint32_t *words)
{
	uint32_t mask = tree->slot_count - 1, at = hash & mask;

	for (; tree->slots[at].node; at = (at + 1) & mask) {
		const struct tree_node *node = &tree->nodes[tree->slots[at].node - 1];

		if (tree->slots[at].hash == hash && node->level == level &&
		    !memcmp(node->word, words, sizeof(node->word)))
			break;
	}
	return &tree->slots[at];
}

static uint32_t node_add(struct tree *tree, uint32_t level, const uint32_t *words, bool lone)
{
	uint32_t id = tree->count++;
	struct tree_node *node;

	tree->nodes = array_reserve(tree->nodes, &tree->capacity, tree->count, sizeof(*node));
	node = &tree->nodes[id];
	memcpy(node->word, words, sizeof(node->word));
	node->level = level;
	node->lone = lone;
	node->memo = NONE;
	node_bounds(tree, node);
	return id;
}

uint32_t tree_node(struct tree *tree, uint32_t level, const uint32_t *words)
{
	uint32_t hash = node_hash(level, words);
	struct tree_slot *slot;

	if (tree->slots_used >= tree->slot_count / 2)
		tree_widen(tree);
	slot = slot_find(tree, level, hash, words);
	if (!slot->node) {
		*slot = (struct tree_slot){hash, node_add(tree, level, words, false) + 1};
		tree->slots_used++;
	}
	return slot->node - 1;
}

uint32_t tree_add(struct tree *tree, uint32_t level, const uint32_t *words)
{
	return node_add(tree, level, words, true);
}

uint32_t tree_uniform(struct tree *tree, uint32_t level, uint32_t key)
{
	uint32_t words[FR_LINE_WORDS], word = key;

	for (uint32_t l = 1; l <= level; l++) {
		for (int i = 0; i < FR_LINE_WORDS; i++)
			words[i] = word;
		word = tree_node(tree, l, words);
	}
	return word;
}

/* A range of columns, relative to a node, and its part in child `i`. */
struct range {
	uint32_t lo, hi;
};

static struct range range_child(struct range range, uint32_t i, uint32_t step)
{
	uint32_t start = i * step;
	uint32_t lo = range.lo > start ? range.lo - start : 0;
	uint32_t hi = range.hi < start + step ? range.hi - start : step;

	return (struct range){lo, hi};
}

/* A look-up of a node costs two cache misses, so it is not done where nothing can be found. */
static uint32_t node_painted(struct tree *tree, uint32_t id, const uint32_t *words, bool fresh)
{
	const struct tree_node *node = &tree->nodes[id];

	if (!memcmp(node->word, words, sizeof(node->word)))
		return id;
	return fresh ? tree_add(tree, node->level, words) : tree_node(tree, node->level, words);
}

static uint32_t node_paint(struct tree *tree, uint32_t id, struct range range,
			   const struct stroke *stroke)
{
	uint32_t words[FR_LINE_WORDS], level = tree->nodes[id].level, key = stroke->key;
	uint32_t step = 1u << 4 * (level - 1);
	bool whole = !range.lo && range.hi == step * FR_LINE_WORDS;

	if (key >= tree->nodes[id].high)
		return id;
	if (whole && key <= tree->nodes[id].low)
		return tree_uniform(tree, level, key);
	memcpy(words, tree->nodes[id].word, sizeof(words));
	for (uint32_t i = range.lo / step; i <= (range.hi - 1) / step; i++) {
		if (level == 1)
			words[i] = key < words[i] ? key : words[i];
		else
			words[i] = node_paint(tree, words[i], range_child(range, i, step), stroke);
	}
	/* A node between the ends of a stroke may be in the row many times, and is looked up. */
	return node_painted(tree, id, words, stroke->fresh && !whole);
}

uint32_t tree_paint(struct tree *tree, uint32_t row, const struct stroke *stroke)
{
	struct range range = {stroke->lo, stroke->hi};

	return range.lo < range.hi ? node_paint(tree, row, range, stroke) : row;
}

/* In no other row, but the row itself may have it twice. */
static uint32_t fresh_node(struct tree *tree, uint32_t level, const uint32_t *words)
{
	for (uint32_t id = tree->fresh_from; id < tree->count; id++) {
		const struct tree_node *node = &tree->nodes[id];

		if (node->level == level && !node->lone &&
		    !memcmp(node->word, words, sizeof(node->word)))
			return id;
	}
	return node_add(tree, level, words, false);
}

/* The node with these words. A lone node remembers its first successor. */
static uint32_t node_patched(struct tree *tree, uint32_t id, const uint32_t *words, bool fresh)
{
	const struct tree_node *node = &tree->nodes[id];
	uint32_t level = node->level, patched = node->memo;

	if (!memcmp(node->word, words, sizeof(node->word)))
		return id;
	if (fresh)
		return node->lone ? tree_add(tree, level, words) : fresh_node(tree, level, words);
	if (!node->lone ||
	    (patched != NONE && memcmp(tree->nodes[patched].word, words, sizeof(node->word)) != 0))
		return tree_node(tree, level, words);
	if (patched == NONE) {
		patched = tree_add(tree, level, words);
		tree->nodes[id].memo = patched;
		tree->remembered++;
	}
	return patched;
}

static bool patches_have(const struct patch *patches, uint32_t count, uint32_t key)
{
	for (uint32_t i = 0; i < count && key != NONE; i++)
		if (patches[i].key == key)
			return true;
	return false;
}

void tree_set(struct tree *tree, uint32_t level, uint32_t *words, const struct patch *patches,
	      uint32_t count)
{
	uint32_t bits = 4 * (level - 1), below[FR_LINE_WORDS];

	for (uint32_t at = 0, end; at < count; at = end) {
		uint32_t part = patches[at].column >> bits, i = part % FR_LINE_WORDS;

		for (end = at + 1; end < count && patches[end].column >> bits == part; end++)
			;
		if (level == 1) {
			words[i] = patches[at].key;
			continue;
		}
		memcpy(below, tree->nodes[words[i]].word, sizeof(below));
		tree_set(tree, level - 1, below, patches + at, end - at);
		words[i] = node_patched(tree, words[i], below,
					patches_have(patches + at, end - at, tree->fresh));
	}
}

void tree_keep(struct tree *tree, uint32_t mark, uint32_t words[FR_LINE_WORDS])
{
	uint32_t kept = mark;

	for (uint32_t id = mark; id < tree->count; id++) {
		bool used = false;

		for (int i = 0; i < FR_LINE_WORDS; i++) {
			if (words[i] != id)
				continue;
			words[i] = kept;
			used = true;
		}
		if (!used)
			continue;
		if (kept != id)
			tree->nodes[kept] = tree->nodes[id];
		tree->nodes[kept++].memo = NONE;
	}
	tree->count = kept;
}

static uint32_t words_strongest(const struct tree *tree, uint32_t level, const uint32_t *words,
				struct range range)
{
	uint32_t step = 1u << 4 * (level - 1), best = NONE;

	for (uint32_t i = range.lo / step; i <= (range.hi - 1) / step; i++) {
		struct range child = range_child(range, i, step);
		uint32_t key = words[i];

		if (level > 1 && child.hi - child.lo == step)
			key = tree->nodes[key].low;
		else if (level > 1)
			key = words_strongest(tree, level - 1, tree->nodes[key].word, child);
		best = key < best ? key : best;
	}
	return best;
}

uint32_t tree_strongest(const struct tree *tree, uint32_t level, const uint32_t *words, uint32_t lo,
			uint32_t hi)
{
	return lo < hi ? words_strongest(tree, level, words, (struct range){lo, hi}) : NONE;
}

void tree_flatten(const struct tree *tree, uint32_t row, uint32_t level, uint32_t *out,
		  uint32_t count)
{
	const struct tree_node *node = &tree->nodes[row];
	uint32_t step;

	if (node->level == level) {
		*out = row;
		return;
	}
	step = 1u << 4 * (node->level - 1 - level);
	for (uint32_t i = 0; i < FR_LINE_WORDS && i * step < count; i++) {
		if (node->level == level + 1)
			out[i] = node->word[i];
		else
			tree_flatten(tree, node->word[i], level, out + i * step, count - i * step);
	}
}

void tree_free(struct tree *tree)
{
	free(tree->nodes);
	free(tree->slots);
	*tree = (struct tree){0};
}
