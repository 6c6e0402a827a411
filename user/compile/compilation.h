/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One compilation, and its stages in their order: services (rules -> column runs), peers (prefixes
 * -> rows), trie, matrix. Internal to compile/.
 */
#ifndef COMPILE_COMPILATION_H
#define COMPILE_COMPILATION_H

#include "compile.h"
#include "memory.h"
#include "tree.h"

/* ---------------------------------------------------------------- one direction */

/* Columns lo <= c < hi that a rule covers. */
struct run {
	uint32_t lo, hi;
	uint32_t next; /* of the same rule, NONE at the end */
};

/* An address class while rules are added: the real decision and staged rules apart. */
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
	/* rows: `cells` holds grades, and the nodes below each row */
	struct tree cells;
	struct map merged;
	uint32_t *row_words; /* row by row: as many nodes of `cells` as have a column */
	uint32_t row_rest;   /* the node of every row for words behind the last column */
	uint32_t *row_rules; /* row -> the rule whose prefix first needed it */
	uint32_t row_count, words_capacity, rules_capacity;
	uint32_t root4, root6;
};

struct compilation {
	const struct ruleset *rs;
	struct diags *d;
	struct image_lines lines;
	struct map shared; /* lines_share */
	struct direction dir[FR_DIRS];
	struct fr_staged *staged;
	uint32_t staged_count, staged_capacity;
	struct map staged_ids;
	bool dense, paged;
};

/* Refuses: "the image is too big: …" at the rule that went over. Gives -E2BIG. */
int compilation_refuse(struct compilation *c, uint32_t rule, const char *what);

/* Keys of the decision: precedence, then how wide the answers are (0 for all but allow rules), then
 * file order. Smaller is stronger. */
enum { KEY_FAILSAFE, KEY_DENY, KEY_ALLOW, KEY_DEFAULT };
enum { KEY_NUMBER_BITS = 27 };
_Static_assert(FR_MAX_RULES <= 1 << KEY_NUMBER_BITS, "a key holds any number of a rule");
#define KEY(strength, number) ((uint32_t)(strength) << 29 | (uint32_t)(number))
#define KEY_STRENGTH(key) ((key) >> 29)
#define KEY_NUMBER(key) ((key) & ((1u << KEY_NUMBER_BITS) - 1))
uint32_t rule_key(const struct ruleset *rs, uint32_t rule);
static inline bool rule_is_staged(const struct rule *rule)
{
	return rule->staged && rule->action == FR_DENY;
}

/* Services: columns, port tables, and every rule's runs. */
int services_compile(struct compilation *c, struct direction *dir);

/* The list of failsafe rules, beside the image. */
int failsafe_compile(const struct compilation *c, struct fr_failsafe *out);

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
struct trie_point {
	uint64_t high, low;
	uint32_t row;  /* a state until rows are known */
	uint32_t rule; /* that made the step */
};
/* A trie of points (at least one, the first at 0): its root, an entry. NONE: past the limit. Frees
 * the points. */
uint32_t trie_compile(struct compilation *c, struct trie_point *points, uint32_t count);

/* Words of a row whose words are cells (level 0), blocks (1) or pages (2). */
uint32_t matrix_row_words(const struct direction *dir, uint32_t level);

/* Matrix: the row of a point's state (numbered at the first request), and all rows as lines.
 * When the state is that of one rule with one prefix, and neither the state nor a key painted
 * since is requested again, `leaving` is the first of those nodes and `leaving_key` the key of
 * the rule; else `leaving` is NONE. */
uint32_t matrix_row(struct compilation *c, struct direction *dir, const struct trie_point *point);
int matrix_write(struct compilation *c, uint32_t matrix[FR_DIRS], struct image_stats *stats);

/* A compilation except its end: the caller sets rs, d and lines.most, and frees. */
int image_build(struct compilation *c, struct image *out);
void compilation_free(struct compilation *c);

/* ---------------------------------------------------------------- reading an image */

struct fr_image_view image_view(const struct image *image);

#endif
