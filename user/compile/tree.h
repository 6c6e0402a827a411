/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of keys as a tree of 16-way nodes, equal nodes stored once: a row costs only its
 * differences from others. A node of level 1 holds 16 keys, one of level n holds 16 nodes of level
 * n - 1. The smallest key is the strongest.
 *
 * Looking a node up costs as much as all else about it, and most rules have one prefix: the nodes
 * that such a rule paints are in no other row. Those nodes are lone: not looked up, and not in the
 * hash table. They hold the rule's number, so no node that is looked up equals them, in keys nor
 * in cells.
 */
#ifndef COMPILE_TREE_H
#define COMPILE_TREE_H

#include "memory.h"

struct tree_node {
	uint32_t word[FR_LINE_WORDS];
	uint32_t low, high; /* the smallest and the largest key below */
	uint32_t memo;	    /* value that the tree's user keeps of the node, NONE at first */
	uint8_t level;
	bool lone;
};
/* The hash is beside the number, so that a node of another content is not even touched. */
struct tree_slot {
	uint32_t hash;
	uint32_t node; /* number + 1, 0 for none */
};
struct tree {
	struct tree_node *nodes;
	uint32_t count, capacity;
	struct tree_slot *slots; /* open addressing */
	uint32_t slot_count, slots_used;
	uint32_t levels; /* of every row of this tree */
	uint32_t fresh;	 /* nodes that get this key from tree_set are in no other row; or NONE */
	uint32_t fresh_from; /* the first node of the current row */
	uint32_t remembered; /* memos that an older node got of a newer one */
};
/* Of rows of that many levels, with room for as many nodes. */
void tree_open(struct tree *tree, uint32_t levels, uint32_t nodes);
uint32_t tree_node(struct tree *tree, uint32_t level, const uint32_t *words);
uint32_t tree_add(struct tree *tree, uint32_t level, const uint32_t *words); /* a lone one */
uint32_t tree_uniform(struct tree *tree, uint32_t level, uint32_t key);
/* Columns lo <= c < hi get `key` where it is stronger than the present one. */
struct stroke {
	uint32_t lo, hi;
	uint32_t key;
	bool fresh; /* no other row is painted with the key: no node has it yet */
};
/* Gives the new row. */
uint32_t tree_paint(struct tree *tree, uint32_t row, const struct stroke *stroke);
/* These three work on the words of a row that is no node yet. The first needs the memos of the
 * nodes below. */
/* Columns get keys, stronger or not. In the order of columns, none twice. */
struct patch {
	uint32_t column, key;
};
void tree_set(struct tree *tree, uint32_t level, uint32_t *words, const struct patch *patches,
	      uint32_t count);
/* Of the nodes since `mark`, all of level 1 and referenced only here, keep those in words. */
void tree_keep(struct tree *tree, uint32_t mark, uint32_t words[FR_LINE_WORDS]);
uint32_t tree_strongest(const struct tree *tree, uint32_t level, const uint32_t *words, uint32_t lo,
			uint32_t hi);
/* The nodes of `level` of a row in order, keys for level 0; at most `count`. */
void tree_flatten(const struct tree *tree, uint32_t row, uint32_t level, uint32_t *out,
		  uint32_t count);
void tree_free(struct tree *tree);

#endif
