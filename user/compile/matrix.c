/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States -> rows of the matrix, and the rows as lines: cells side by side while that is small, else
 * blocks of 16 cells, and pages of 16 blocks where rows are wide, each distinct one stored once.
 */
#include <stdlib.h>
#include <string.h>

#include "compilation.h"

enum { DENSE_BYTES = 8 << 20 };

/*
 * Rows of `cells` hold grades: verdicts, best first, then file order, the defaults last. So a
 * fragment column gets the strongest grade of its protocol. A staged cell is a pass that a staged
 * rule may turn into a drop: it comes after plain passes, and counts by its index.
 */
enum { GRADE_FAILSAFE, GRADE_ALLOW, GRADE_STAGED, GRADE_DENY };
#define GRADE(grade, order) ((uint32_t)(grade) << 29 | (uint32_t)(order))
#define ORDER_DEFAULT (1u << 28)

static uint32_t number_order(uint32_t number)
{
	return number < FR_RULE_FIRST ? ORDER_DEFAULT | number : number;
}

static uint32_t cell_of_key(const struct compilation *c, uint32_t key)
{
	uint32_t number = KEY_NUMBER(key);

	switch (KEY_STRENGTH(key)) {
	case KEY_FAILSAFE:
		return FR_CELL(FR_FAILSAFE_ALLOW, number);
	case KEY_DENY:
		return FR_CELL(FR_DENY, number);
	case KEY_ALLOW:
		return FR_CELL(FR_ALLOW, number);
	default:
		return FR_CELL(c->rs->default_allow[number] ? FR_ALLOW : FR_DENY, number);
	}
}

static uint32_t cell_of_grade(const struct compilation *c, uint32_t grade)
{
	uint32_t order = grade & ((1u << 29) - 1), number = order & ~ORDER_DEFAULT;

	switch (grade >> 29) {
	case GRADE_FAILSAFE:
		return FR_CELL(FR_FAILSAFE_ALLOW, number);
	case GRADE_ALLOW:
		return FR_CELL(FR_ALLOW, number);
	case GRADE_STAGED:
		return FR_CELL(FR_CELL_ACTION(c->staged[order].real), order) | FR_CELL_STAGED;
	default:
		return FR_CELL(FR_DENY, number);
	}
}

static uint32_t staged_index(struct compilation *c, uint32_t real, uint32_t rule)
{
	uint32_t *index = map_at(&c->staged_ids, (uint64_t)real << 32 | rule);

	if (*index != NONE)
		return *index;
	c->staged = array_reserve(c->staged, &c->staged_capacity, c->staged_count + 1ull,
				  sizeof(*c->staged));
	c->staged[c->staged_count] = (struct fr_staged){real, rule};
	return *index = c->staged_count++;
}

static uint32_t grade_merge(struct compilation *c, uint32_t key, uint32_t staged)
{
	uint32_t cell = cell_of_key(c, key);
	uint32_t order = number_order(FR_CELL_NUMBER(cell));

	switch (FR_CELL_ACTION(cell)) {
	case FR_FAILSAFE_ALLOW:
		return GRADE(GRADE_FAILSAFE, order);
	case FR_ALLOW:
		if (staged != NONE)
			return GRADE(GRADE_STAGED, staged_index(c, cell, staged));
		return GRADE(GRADE_ALLOW, order);
	default:
		return GRADE(GRADE_DENY, order);
	}
}

static uint32_t node_merge(struct compilation *c, struct direction *dir, uint32_t real,
			   uint32_t staged);

/* The words of the real and the staged node as those of one node of grades. Most equal the word
 * before. */
static void words_merge(struct compilation *c, struct direction *dir, uint32_t real,
			uint32_t staged, uint32_t words[FR_LINE_WORDS])
{
	const struct tree_node *keys = &dir->keys.nodes[real], *others = &dir->keys.nodes[staged];

	for (int i = 0; i < FR_LINE_WORDS; i++) {
		uint32_t key = keys->word[i], other = others->word[i];

		if (i && key == keys->word[i - 1] && other == others->word[i - 1])
			words[i] = words[i - 1];
		else
			words[i] = keys->level == 1 ? grade_merge(c, key, other)
						    : node_merge(c, dir, key, other);
	}
}

/* The memo of two merged nodes; without a staged rule below, the real node has it. Valid until
 * the next call. */
static uint32_t *merged_at(struct direction *dir, uint32_t real, uint32_t staged)
{
	if (staged == dir->unstaged[dir->keys.nodes[real].level])
		return &dir->keys.nodes[real].memo;
	return map_at(&dir->merged, (uint64_t)real << 32 | staged);
}

/* Whether no other pair gives the same words. */
static bool merged_lone(const struct direction *dir, uint32_t real, uint32_t staged)
{
	const struct tree_node *node = &dir->keys.nodes[real];

	return node->lone && staged == dir->unstaged[node->level];
}

/* Pairs of nodes that were met before cost nothing. */
static uint32_t node_merge(struct compilation *c, struct direction *dir, uint32_t real,
			   uint32_t staged)
{
	uint32_t merged = *merged_at(dir, real, staged), words[FR_LINE_WORDS];
	uint32_t level = dir->keys.nodes[real].level;

	if (merged != NONE)
		return merged;
	words_merge(c, dir, real, staged, words);
	merged = merged_lone(dir, real, staged) ? tree_add(&dir->cells, level, words)
						: tree_node(&dir->cells, level, words);
	*merged_at(dir, real, staged) = merged;
	dir->cells.remembered += real < dir->leaving;
	return merged;
}

/* Column + 0 of a protocol with a table: the best that any of its ports gets. */
static void fragment_columns(struct direction *dir, uint32_t words[FR_LINE_WORDS])
{
	uint32_t level = dir->cells.levels;
	struct patch patches[256];

	for (uint32_t i = 0; i < dir->divided_count; i++) {
		uint8_t proto = dir->divided[i];
		uint32_t column = dir->service[proto].column, first = column + 1;

		patches[i].column = column;
		patches[i].key = tree_strongest(&dir->cells, level, words, first,
						first + dir->classes[proto]);
	}
	tree_set(&dir->cells, level, words, patches, dir->divided_count);
}

static uint32_t row_add(struct direction *dir, const uint32_t words[FR_LINE_WORDS], uint32_t rule)
{
	uint32_t row = dir->row_count++, used = matrix_row_words(dir, dir->cells.levels - 1);

	dir->row_words = array_reserve(dir->row_words, &dir->words_capacity, (row + 1ull) * used,
				       sizeof(*dir->row_words));
	memcpy(dir->row_words + (size_t)row * used, words, used * sizeof(*words));
	dir->row_rules = array_reserve(dir->row_rules, &dir->rules_capacity, row + 1ull,
				       sizeof(*dir->row_rules));
	dir->row_rules[row] = rule;
	dir->row_rest = words[FR_LINE_WORDS - 1];
	return row;
}

/* Drop the nodes that only this row used. */
static uint32_t row_add_lone(struct compilation *c, struct direction *dir, const struct state *s,
			     uint32_t rule)
{
	bool last = dir->leaving != NONE;
	struct tree *cells = &dir->cells, before = *cells;
	uint32_t words[FR_LINE_WORDS], merged = dir->merged.count;

	words_merge(c, dir, s->real, s->staged, words);
	cells->fresh = last ? grade_merge(c, dir->leaving_key, NONE) : NONE;
	cells->fresh_from = before.count;
	fragment_columns(dir, words);
	cells->fresh = NONE;
	if (last && cells->levels == 2 && cells->slots_used == before.slots_used &&
	    cells->remembered == before.remembered && dir->merged.count == merged)
		tree_keep(cells, before.count, words);
	return row_add(dir, words, rule);
}

static uint32_t row_find(struct compilation *c, struct direction *dir, const struct state *s,
			 uint32_t rule)
{
	uint32_t words[FR_LINE_WORDS], tree;

	words_merge(c, dir, s->real, s->staged, words);
	fragment_columns(dir, words);
	tree = tree_node(&dir->cells, dir->cells.levels, words);
	if (dir->cells.nodes[tree].memo == NONE)
		dir->cells.nodes[tree].memo = row_add(dir, words, rule);
	return dir->cells.nodes[tree].memo;
}

uint32_t matrix_row(struct compilation *c, struct direction *dir, const struct trie_point *point)
{
	struct state *s = &dir->states[point->row];

	if (s->row == NONE)
		s->row = merged_lone(dir, s->real, s->staged) ? row_add_lone(c, dir, s, point->rule)
							      : row_find(c, dir, s, point->rule);
	return s->row;
}

/* ---------------------------------------------------------------- lines */

static uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

uint32_t matrix_row_words(const struct direction *dir, uint32_t level)
{
	uint32_t unit = 1u << 4 * level;

	return round_up(dir->columns, level ? unit : FR_LINE_WORDS) / unit;
}

/* The nodes that rows use, by level: their count, and a mark on each (line + 1, later). */
struct usage {
	uint32_t *line; /* by node */
	uint32_t count[3];
};

static void usage_mark(const struct tree *tree, uint32_t id, struct usage *usage)
{
	const struct tree_node *node = &tree->nodes[id];

	if (usage->line[id])
		return;
	usage->line[id] = 1;
	if (node->level < 3)
		usage->count[node->level]++;
	for (int i = 0; i < FR_LINE_WORDS && node->level > 1; i++)
		usage_mark(tree, node->word[i], usage);
}

static void usage_open(const struct direction *dir, struct usage *usage)
{
	uint32_t level = dir->cells.levels;
	size_t words = (size_t)dir->row_count * matrix_row_words(dir, level - 1);

	usage->line = array_new(dir->cells.count, sizeof(*usage->line));
	for (size_t i = 0; i < words; i++)
		usage_mark(&dir->cells, dir->row_words[i], usage);
	usage_mark(&dir->cells, dir->row_rest, usage);
	if (level < 3)
		usage->count[level] += dir->row_count;
}

static uint64_t rows_lines(const struct direction *dir, uint32_t level)
{
	return ((uint64_t)dir->row_count * matrix_row_words(dir, level) + FR_LINE_WORDS - 1) /
	       FR_LINE_WORDS;
}

/* Nodes of a level as lines; words of a page become the line numbers of its blocks. Without
 * levels between rows and blocks the nodes are not read again: their memory becomes that of the
 * lines. */
static void nodes_write(struct compilation *c, const struct direction *dir, uint32_t level,
			struct usage *usage)
{
	const uint32_t some = 1 << 13;

	for (uint32_t id = 0; id < dir->cells.count; id++) {
		const struct tree_node *node = &dir->cells.nodes[id];
		uint32_t *words;

		if (id % some == 0 && id && dir->cells.levels == 2)
			memory_forget(dir->cells.nodes + id - some, some * sizeof(*node));
		if (node->level != level || !usage->line[id])
			continue;
		usage->line[id] = lines_add(&c->lines, 1);
		words = lines_at(&c->lines, usage->line[id]);
		for (int i = 0; i < FR_LINE_WORDS; i++)
			words[i] = level == 1 ? cell_of_grade(c, node->word[i])
					      : usage->line[node->word[i]];
	}
}

/* Narrow rows beside wide ones of the other direction: each is a page. */
static uint32_t rows_as_pages(struct compilation *c, const struct direction *dir,
			      const struct usage *usage)
{
	uint32_t used = matrix_row_words(dir, 1), pages = lines_add(&c->lines, dir->row_count),
		 first;
	const uint32_t *row = dir->row_words;

	for (uint32_t r = 0; r < dir->row_count; r++, row += used) {
		uint32_t *words = lines_at(&c->lines, pages + r);

		for (uint32_t i = 0; i < FR_LINE_WORDS; i++)
			words[i] = usage->line[i < used ? row[i] : dir->row_rest];
	}
	first = lines_add(&c->lines, rows_lines(dir, 2));
	for (uint32_t r = 0; r < dir->row_count; r++)
		((uint32_t *)lines_at(&c->lines, first))[r] = pages + r;
	return first;
}

static void row_flatten(const struct direction *dir, uint32_t row, uint32_t level, uint32_t *out,
			uint32_t count)
{
	uint32_t below = dir->cells.levels - 1, used = matrix_row_words(dir, below);
	uint32_t step = 1u << 4 * (below - level);
	const uint32_t *words = dir->row_words + (size_t)row * used;

	/* The nodes themselves may be gone. */
	if (level == below)
		memcpy(out, words, count * sizeof(*out));
	else
		for (uint32_t i = 0; i < used && i * step < count; i++)
			tree_flatten(&dir->cells, words[i], level, out + i * step,
				     count - i * step);
}

static uint32_t rows_write(struct compilation *c, const struct direction *dir, uint32_t level,
			   const struct usage *usage)
{
	uint32_t words = matrix_row_words(dir, level);
	uint32_t first = lines_add(&c->lines, rows_lines(dir, level));
	uint32_t *out = lines_at(&c->lines, first);

	for (uint32_t r = 0; r < dir->row_count; r++, out += words) {
		row_flatten(dir, r, level, out, words);
		for (uint32_t i = 0; i < words; i++)
			out[i] = level ? usage->line[out[i]] : cell_of_grade(c, out[i]);
	}
	return first;
}

/* The lines that image_finish() adds after the matrix. */
static uint64_t last_lines(const struct compilation *c)
{
	uint64_t slots = FR_RULE_FIRST + c->rs->rule_count, words = FR_LINE_WORDS;
	uint64_t staged = c->staged_count * (sizeof(*c->staged) / sizeof(uint32_t));
	uint64_t subnets = 0;

	if (ruleset_awaits(c->rs))
		subnets = FR_SUBNETS * sizeof(struct fr_subnet) / FR_LINE_BYTES;
	return (slots + words - 1) / words + (staged + words - 1) / words + subnets;
}

/* The rule of the row at which the room ends: all rows need about the same room. The first row of
 * a direction has no rule. */
static uint32_t rule_over(const struct compilation *c, uint64_t room, uint64_t needed)
{
	uint64_t left, rows = 0;
	uint32_t rule = 0;

	for (int i = 0; i < FR_DIRS; i++)
		rows += c->dir[i].row_count;
	left = rows * room / needed;
	for (int i = 0; i < FR_DIRS && left; i++) {
		const struct direction *dir = &c->dir[i];
		uint64_t row = left < dir->row_count ? left : dir->row_count - 1;

		if (row)
			rule = dir->row_rules[row];
		left -= row;
	}
	return rule;
}

static int form_choose(struct compilation *c, const struct usage usage[FR_DIRS])
{
	uint64_t others = c->lines.count + last_lines(c), room;
	uint64_t dense = 0, blocks = 0, pages = 0, least;

	for (int i = 0; i < FR_DIRS; i++) {
		const struct direction *dir = &c->dir[i];
		uint64_t leaves = usage[i].count[1];

		dense += rows_lines(dir, 0);
		blocks += rows_lines(dir, 1) + leaves;
		pages += rows_lines(dir, 2) + leaves + usage[i].count[2];
	}
	c->dense = dense * FR_LINE_BYTES <= DENSE_BYTES;
	c->paged = !c->dense && pages < blocks;
	least = c->paged ? pages : blocks;
	if (c->dense)
		least = dense;
	room = c->lines.most > others ? c->lines.most - others : 0;
	if (least <= room)
		return 0;
	return compilation_refuse(c, rule_over(c, room, least),
				  "its matrix needs more than 256 MB");
}

static uint32_t direction_write(struct compilation *c, struct direction *dir, struct usage *usage)
{
	if (c->dense)
		return rows_write(c, dir, 0, NULL);
	nodes_write(c, dir, 1, usage);
	if (c->paged && dir->cells.levels == 2)
		return rows_as_pages(c, dir, usage);
	if (c->paged)
		nodes_write(c, dir, 2, usage);
	return rows_write(c, dir, c->paged ? 2 : 1, usage);
}

int matrix_write(struct compilation *c, uint32_t matrix[FR_DIRS], struct image_stats *stats)
{
	struct usage usage[FR_DIRS] = {0};
	uint32_t before = c->lines.count;
	int err;

	for (int i = 0; i < FR_DIRS; i++)
		usage_open(&c->dir[i], &usage[i]);
	err = form_choose(c, usage);
	for (int i = 0; i < FR_DIRS && !err; i++) {
		matrix[i] = direction_write(c, &c->dir[i], &usage[i]);
		stats->blocks += c->dense ? 0 : usage[i].count[1];
	}
	stats->dense = c->dense;
	stats->matrix_lines = c->lines.count - before;
	for (int i = 0; i < FR_DIRS; i++)
		free(usage[i].line);
	return err;
}
