/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this floor share: scratch memory, the hash-consed rows, and the stages of a
 * compilation in their order: services (rules -> column runs), peers (prefixes -> rows), trie,
 * matrix. Not a door: no other floor includes it.
 */
#ifndef COMPILE_INTERNAL_H
#define COMPILE_INTERNAL_H

#include "compile.h"

#define NONE UINT32_MAX

/* ---------------------------------------------------------------- memory (memory.c)
 *
 * Big arrays grow by realloc, so that outgrown copies are given back at once. As in the arenas, no
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
struct lines {
	uint8_t *base;
	uint32_t count, capacity;
	uint32_t most; /* what needs more is refused */
};
uint32_t lines_add(struct lines *lines, uint32_t count); /* zeroed; the first one's number */
static inline void *lines_at(const struct lines *lines, uint32_t line)
{
	return lines->base + (size_t)line * FR_LINE_BYTES;
}
/* Content of whole lines that an earlier call may already have put there: one copy serves all. */
uint32_t lines_share(struct lines *lines, struct map *seen, const void *content, uint32_t count);

/* ---------------------------------------------------------------- rows (tree.c)
 *
 * A row of keys as a tree of 16-way nodes, equal nodes stored once: a row costs what sets it apart
 * from others. A node of level 1 holds 16 keys, one of level n holds 16 nodes of level n - 1. The
 * smallest key is the strongest.
 *
 * Looking for a node costs as much as all else about it, and most rules have one prefix: what such
 * a rule paints is in no other row. Those nodes are lone: not looked for, and not to be found. They
 * hold the rule's number, so nothing that is looked for equals them, in keys nor in cells.
 */
struct tree_node {
	uint32_t word[FR_LINE_WORDS];
	uint32_t low, high; /* the smallest and the largest key below */
	uint32_t memo;	    /* what the tree's user knows of the node, NONE at first */
	uint8_t level;
	bool lone;
};
/* The hash stands beside the number, so that a node of another content is not even touched. */
struct tree_slot {
	uint32_t hash;
	uint32_t node; /* number + 1, 0 for none */
};
struct tree {
	struct tree_node *nodes;
	uint32_t count, capacity;
	struct tree_slot *slots; /* open addressing */
	uint32_t slot_count, slots_used;
	uint32_t levels;     /* of every row of this tree */
	uint32_t fresh;	     /* what tree_set gives this key is in no other row; or NONE */
	uint32_t fresh_from; /* the first node of the row in hand */
	uint32_t remembered; /* how often an older node came to know a newer one */
};
/* Of rows of that many levels, with room for as many nodes. */
void tree_open(struct tree *tree, uint32_t levels, uint32_t nodes);
uint32_t tree_node(struct tree *tree, uint32_t level, const uint32_t *words);
uint32_t tree_add(struct tree *tree, uint32_t level, const uint32_t *words); /* a lone one */
uint32_t tree_uniform(struct tree *tree, uint32_t level, uint32_t key);
/* Columns lo <= c < hi get `key` where it is stronger than what is there. */
struct stroke {
	uint32_t lo, hi;
	uint32_t key;
	bool fresh; /* no other row is painted with the key: no node has it yet */
};
/* Gives the new row. */
uint32_t tree_paint(struct tree *tree, uint32_t row, const struct stroke *stroke);
/* The three work on the words of a row that is no node yet. The first needs the memos of the nodes
 * below. */
/* Columns get keys, stronger or not. In the order of columns, none twice. */
struct patch {
	uint32_t column, key;
};
void tree_set(struct tree *tree, uint32_t level, uint32_t *words, const struct patch *patches,
	      uint32_t count);
/* Of the nodes since `mark`, all of level 1 and known to nobody else, only those in words stay. */
void tree_keep(struct tree *tree, uint32_t mark, uint32_t words[FR_LINE_WORDS]);
uint32_t tree_strongest(const struct tree *tree, uint32_t level, const uint32_t *words, uint32_t lo,
			uint32_t hi);
/* The nodes of `level` of a row in order, keys for level 0; at most `count`. */
void tree_flatten(const struct tree *tree, uint32_t row, uint32_t level, uint32_t *out,
		  uint32_t count);
void tree_free(struct tree *tree);

/* ---------------------------------------------------------------- one direction */

/* Columns lo <= c < hi that a rule speaks of. */
struct run {
	uint32_t lo, hi;
	uint32_t next; /* of the same rule, NONE at the end */
};

/* What an address class is while rules are added: the real decision and staged rules apart. */
struct state {
	uint32_t real, staged; /* rows of `keys` */
	uint32_t row;	       /* of the matrix, NONE when no address has asked for it */
};

struct direction {
	uint8_t dir;
	/* services */
	struct fr_service service[256];
	uint32_t classes[256]; /* of a protocol with a table */
	uint8_t divided[256];  /* the protocols with a table, in the order of their columns */
	uint32_t divided_count;
	uint32_t columns;
	struct run *runs;
	uint32_t run_count, run_capacity;
	uint32_t *rule_runs; /* rule -> its first run, NONE without */
	uint32_t class_count;
	/* peers */
	struct tree keys;
	uint32_t unstaged[9]; /* by level: the node of no staged rule */
	struct state *states;
	uint32_t state_count, state_capacity;
	struct map state_ids, steps;
	uint32_t leaving, leaving_key; /* see matrix_row */
	/* rows: `cells` holds grades, and of each row what is below it */
	struct tree cells;
	struct map merged;
	uint32_t *row_words; /* row by row: as many nodes of `cells` as have a column */
	uint32_t row_rest;   /* the node that every row has for what is behind the last column */
	uint32_t *row_rules; /* whose prefix was the first to ask for the row */
	uint32_t row_count, words_capacity, rules_capacity;
	uint32_t root4, root6;
};

struct compilation {
	const struct ruleset *rs;
	struct diags *d;
	struct lines lines;
	struct map shared; /* lines_share */
	struct direction dir[FR_DIRS];
	struct fr_staged *staged;
	uint32_t staged_count, staged_capacity;
	struct map staged_ids;
	bool dense, paged;
};

/* Refuses: "the image is too big: …" at the rule that went over. Gives -E2BIG. */
int refuse(struct compilation *c, uint32_t rule, const char *what);

/* Keys of the decision: what beats what, then file order. Smaller is stronger. */
enum { KEY_FAILSAFE, KEY_DENY, KEY_ALLOW, KEY_DEFAULT };
#define KEY(strength, number) ((uint32_t)(strength) << 29 | (uint32_t)(number))
uint32_t rule_key(const struct ruleset *rs, uint32_t rule);
static inline bool rule_is_staged(const struct rule *rule)
{
	return rule->staged && rule->action == FR_DENY;
}

/* Services: columns, port tables, and every rule's runs. */
int services_compile(struct compilation *c, struct direction *dir);

/* Peers: the two tries of a direction, its states and rows. */
int peers_compile(struct compilation *c, struct direction *dir);

/* A prefix of one rule; IPv4 in the upper half of `high`. In order: address, length, strength. */
struct entry {
	uint64_t high, low;
	uint32_t key; /* of the rule */
	uint32_t rule;
	uint32_t run; /* the rule's first: rules are far apart in the order of addresses */
	uint8_t length;
	bool staged;
	bool once; /* the rule has no other prefix */
};

struct entries {
	struct entry *list;
	uint32_t count, capacity;
};

void entries_sort(struct entries *entries); /* order.c */

/* One step in the order of addresses: from here on, this row. */
struct point {
	uint64_t high, low;
	uint32_t row;  /* a state until rows are known */
	uint32_t rule; /* who made the step */
};
/* A trie of points (at least one, the first at 0) with its root table. NONE: past the limit. Frees
 * the points. */
uint32_t trie_compile(struct compilation *c, struct point *points, uint32_t count);

/* Words of a row whose words stand for cells (level 0), blocks (1) or pages (2). */
uint32_t row_words(const struct direction *dir, uint32_t level);

/* Matrix: the row of a point's state (numbered when first asked for), and all rows as lines. The
 * state is that of one rule with one prefix, and nobody asks for it again nor for a key that was
 * painted since, when `leaving` is the first of those nodes and `leaving_key` the rule's; else the
 * former is NONE. */
uint32_t matrix_row(struct compilation *c, struct direction *dir, const struct point *point);
int matrix_write(struct compilation *c, uint32_t matrix[FR_DIRS], struct image_stats *stats);

/* image_compile with that many lines instead of FR_MAX_LINES: what goes over them need not be large
 * to be tested. */
int image_compile_within(const struct ruleset *rs, uint32_t lines, struct diags *d,
			 struct image *out);

/* ---------------------------------------------------------------- looking at an image */

struct fr_image_view image_view(const struct image *image);

#endif
