// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows as hash-consed trees of 16-way nodes. Painting a range of columns touches the nodes at its
 * two ends and shares everything else, so that ten thousand rows of twenty thousand columns stay
 * small.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static uint32_t node_hash(uint32_t level, const uint32_t *words)
{
	uint64_t hash = level, pair;

	for (int i = 0; i < FR_LINE_WORDS; i += 2) {
		memcpy(&pair, words + i, sizeof(pair));
		hash = (hash ^ pair) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	return hash ^ hash >> 32;
}

static void tree_rehash(struct tree *tree)
{
	tree->head_count = tree->head_count ? tree->head_count * 2 : 1024;
	free(tree->heads);
	tree->heads = array_new(tree->head_count, sizeof(*tree->heads));
	memset(tree->heads, 0xff, tree->head_count * sizeof(*tree->heads));
	for (uint32_t i = 0; i < tree->count; i++) {
		struct tree_node *node = &tree->nodes[i];
		uint32_t *head =
			&tree->heads[node_hash(node->level, node->word) & (tree->head_count - 1)];

		node->next = *head;
		*head = i;
	}
}

/* The range of keys below a node, once and for all. */
static void node_bounds(const struct tree *tree, struct tree_node *node)
{
	node->low = NONE;
	node->high = 0;
	for (int i = 0; i < FR_LINE_WORDS; i++) {
		uint32_t word = node->word[i];
		uint32_t low = node->level == 1 ? word : tree->nodes[word].low;
		uint32_t high = node->level == 1 ? word : tree->nodes[word].high;

		node->low = low < node->low ? low : node->low;
		node->high = high > node->high ? high : node->high;
	}
}

uint32_t tree_node(struct tree *tree, uint32_t level, const uint32_t *words)
{
	uint32_t hash = node_hash(level, words), id;
	struct tree_node *node;

	if (tree->count >= tree->head_count)
		tree_rehash(tree);
	for (id = tree->heads[hash & (tree->head_count - 1)]; id != NONE; id = node->next) {
		node = &tree->nodes[id];
		if (node->level == level && !memcmp(node->word, words, sizeof(node->word)))
			return id;
	}
	id = tree->count++;
	tree->nodes = array_reserve(tree->nodes, &tree->capacity, tree->count, sizeof(*node));
	node = &tree->nodes[id];
	memcpy(node->word, words, sizeof(node->word));
	node->level = level;
	node_bounds(tree, node);
	node->next = tree->heads[hash & (tree->head_count - 1)];
	tree->heads[hash & (tree->head_count - 1)] = id;
	return id;
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

static uint32_t node_paint(struct tree *tree, uint32_t id, struct range range, uint32_t key)
{
	uint32_t words[FR_LINE_WORDS], level = tree->nodes[id].level;
	uint32_t step = 1u << 4 * (level - 1);

	if (key >= tree->nodes[id].high)
		return id;
	if (!range.lo && range.hi == step * FR_LINE_WORDS && key <= tree->nodes[id].low)
		return tree_uniform(tree, level, key);
	memcpy(words, tree->nodes[id].word, sizeof(words));
	for (uint32_t i = range.lo / step; i <= (range.hi - 1) / step; i++) {
		if (level == 1)
			words[i] = key < words[i] ? key : words[i];
		else
			words[i] = node_paint(tree, words[i], range_child(range, i, step), key);
	}
	return tree_node(tree, level, words);
}

uint32_t tree_paint(struct tree *tree, uint32_t row, uint32_t lo, uint32_t hi, uint32_t key)
{
	return lo < hi ? node_paint(tree, row, (struct range){lo, hi}, key) : row;
}

uint32_t tree_set(struct tree *tree, uint32_t row, uint32_t column, uint32_t key)
{
	uint32_t words[FR_LINE_WORDS], level = tree->nodes[row].level;
	uint32_t step = 1u << 4 * (level - 1), i = column / step;

	memcpy(words, tree->nodes[row].word, sizeof(words));
	words[i] = level == 1 ? key : tree_set(tree, words[i], column % step, key);
	return tree_node(tree, level, words);
}

static uint32_t node_strongest(const struct tree *tree, uint32_t id, struct range range)
{
	const struct tree_node *node = &tree->nodes[id];
	uint32_t step = 1u << 4 * (node->level - 1), best = NONE;

	if (!range.lo && range.hi == step * FR_LINE_WORDS)
		return node->low;
	for (uint32_t i = range.lo / step; i <= (range.hi - 1) / step; i++) {
		uint32_t key = node->word[i];

		if (node->level > 1)
			key = node_strongest(tree, key, range_child(range, i, step));
		best = key < best ? key : best;
	}
	return best;
}

uint32_t tree_strongest(const struct tree *tree, uint32_t row, uint32_t lo, uint32_t hi)
{
	return lo < hi ? node_strongest(tree, row, (struct range){lo, hi}) : NONE;
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
	free(tree->heads);
	*tree = (struct tree){};
}
