/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules' peers -> rows. Prefixes nest, so the rules of an address are those of a chain of
 * prefixes, and the row of a prefix is that of the prefix around it with its own rules added:
 * rules for any peer are once at the root, and prefixes with the same rules under the same parent
 * are one class at once.
 */
#include <stdlib.h>

#include "compilation.h"

enum { ENTRIES_SOME = 1 << 13 };
enum { FAMILY_V4, FAMILY_V6, FAMILIES };

struct points {
	struct trie_point *list;
	uint32_t count, capacity;
};

/* The sizes of a direction before a prefix. */
struct mark {
	uint32_t keys, states, found, steps, staged, merged;
};

/* The prefixes around the current address, outermost first. */
struct level {
	uint64_t high, low; /* last address */
	uint32_t state, rule;
	struct mark before;
	uint32_t key;
	bool lone; /* of one rule without another prefix, and without a prefix inside */
};
struct address_sweep {
	struct compilation *c;
	struct direction *dir;
	struct level stack[130];
	uint32_t depth;
	struct trie_point last; /* the next one may be at the same address, and take its place */
	struct points *points;
	int err;
};

static void entry_add(struct entries *entries, const struct entry *of_rule,
		      const struct prefix *prefix)
{
	struct entry *entry;

	entries->list = array_reserve(entries->list, &entries->capacity, entries->count + 1ull,
				      sizeof(*entries->list));
	entry = &entries->list[entries->count++];
	*entry = *of_rule;
	if (!prefix)
		return;
	if (prefix_is_v4(prefix)) {
		entry->high = (uint64_t)addr_v4(&prefix->addr) << 32;
		entry->length = prefix->length - 96;
	} else {
		entry->high = addr_high(&prefix->addr);
		entry->low = addr_low(&prefix->addr);
		entry->length = prefix->length;
	}
}

static int family_of(const struct prefix *prefix)
{
	return prefix_is_v4(prefix) ? FAMILY_V4 : FAMILY_V6;
}

/* Both families in one walk: rules, and the memory that they point to, are large. */
static void entries_collect(const struct ruleset *rs, const struct direction *dir,
			    struct entries families[FAMILIES])
{
	for (uint32_t r = 0; r < rs->rule_count; r++) {
		const struct rule *rule = &rs->rules[r];
		struct entry entry = {.rule = r, .run = dir->rule_runs[r]};

		if (rule->dir != dir->dir || entry.run == NONE)
			continue;
		entry.staged = rule_is_staged(rule);
		entry.once = !rule->any_peer && rule->peer_count == 1;
		entry.key = rule_key(rs, r);
		for (int i = 0; i < FAMILIES && rule->any_peer; i++)
			entry_add(&families[i], &entry, NULL);
		for (size_t i = 0; i < rule->peer_count && !rule->any_peer; i++)
			entry_add(&families[family_of(&rule->peers[i])], &entry, &rule->peers[i]);
	}
}

static void entries_free(struct entries families[FAMILIES])
{
	for (int i = 0; i < FAMILIES; i++)
		free(TAKE_PTR(families[i].list));
}

/* ---------------------------------------------------------------- states */

static uint32_t state_find(struct direction *dir, uint32_t real, uint32_t staged)
{
	bool plain = staged == dir->unstaged[dir->keys.levels];
	uint32_t *id = plain ? &dir->keys.nodes[real].memo
			     : map_at(&dir->state_ids, (uint64_t)real << 32 | staged);

	if (*id != NONE)
		return *id;
	dir->states = array_reserve(dir->states, &dir->state_capacity, dir->state_count + 1ull,
				    sizeof(*dir->states));
	dir->states[dir->state_count] = (struct state){real, staged, NONE};
	return *id = dir->state_count++;
}

/* The state that follows `state` where the entry's rule is added. */
static uint32_t state_paint(struct direction *dir, uint32_t state, const struct entry *entry)
{
	struct state from = dir->states[state];
	uint32_t *row = entry->staged ? &from.staged : &from.real;
	struct stroke stroke = {
		.key = entry->staged ? FR_RULE_FIRST + entry->rule : entry->key,
		.fresh = entry->once,
	};

	for (uint32_t r = entry->run; r != NONE; r = dir->runs[r].next) {
		stroke.lo = dir->runs[r].lo;
		stroke.hi = dir->runs[r].hi;
		*row = tree_paint(&dir->keys, *row, &stroke);
	}
	return state_find(dir, from.real, from.staged);
}

/* Prefixes with the same rule under the same state are frequent: the step is kept. */
static uint32_t state_add_rule(struct direction *dir, uint32_t state, const struct entry *entry)
{
	uint32_t *next;

	if (entry->once)
		return state_paint(dir, state, entry);
	next = map_at(&dir->steps, (uint64_t)state << 32 | entry->rule);
	if (*next == NONE)
		*next = state_paint(dir, state, entry);
	return *next;
}

static uint32_t state_start(struct direction *dir)
{
	uint32_t levels = dir->keys.levels;

	for (uint32_t level = 1; level <= levels; level++)
		dir->unstaged[level] = tree_uniform(&dir->keys, level, NONE);
	return state_find(dir, tree_uniform(&dir->keys, levels, KEY(KEY_DEFAULT, dir->dir)),
			  dir->unstaged[levels]);
}

/* A rule mostly costs a leaf and the node above it, and the matrix a row and two nodes of cells. */
static void trees_open(struct direction *dir)
{
	uint32_t levels = 2;

	while (1u << 4 * levels < dir->columns)
		levels++;
	tree_open(&dir->keys, levels, 2 * dir->run_count);
	tree_open(&dir->cells, levels, 3 * dir->run_count);
}

/* ---------------------------------------------------------------- sweep over addresses */

/* The state becomes a row; neighbours of the same row are one step. */
static void point_finish(struct address_sweep *sweep)
{
	struct direction *dir = sweep->dir;
	struct points *points = sweep->points;
	struct trie_point point = sweep->last;

	point.row = matrix_row(sweep->c, dir, &point);
	if ((dir->row_count + dir->cells.count) / 2 > sweep->c->lines.most && !sweep->err)
		sweep->err =
			compilation_refuse(sweep->c, point.rule, "its rows need more than 256 MB");
	if (points->count && points->list[points->count - 1].row == point.row)
		return;
	points->list = array_reserve(points->list, &points->capacity, points->count + 1ull,
				     sizeof(*points->list));
	points->list[points->count++] = point;
}

static void point_set(struct address_sweep *sweep, uint64_t high, uint64_t low,
		      const struct level *level)
{
	if (sweep->last.high != high || sweep->last.low != low)
		point_finish(sweep);
	sweep->last = (struct trie_point){high, low, level->state, level->rule};
}

static struct mark mark_now(const struct direction *dir)
{
	return (struct mark){.keys = dir->keys.count,
			     .found = dir->keys.slots_used,
			     .steps = dir->steps.count,
			     .states = dir->state_count,
			     .staged = dir->state_ids.count,
			     .merged = dir->merged.count};
}

/* Discard keys and states of a prefix that is left, unless one of them may be found again. */
static void keys_forget(struct direction *dir, const struct mark *before)
{
	struct mark now = mark_now(dir);

	if (now.found == before->found && now.steps == before->steps &&
	    now.staged == before->staged && now.merged == before->merged) {
		dir->keys.count = before->keys;
		dir->state_count = before->states;
	}
}

/* Leave the innermost prefix: the next address belongs to the one around it. */
static void sweep_leave(struct address_sweep *sweep)
{
	const struct level *left = &sweep->stack[--sweep->depth];
	uint64_t low = left->low + 1, high = left->high + !low;

	sweep->dir->leaving = left->lone ? left->before.keys : NONE;
	sweep->dir->leaving_key = left->key;
	if (high || low)
		point_set(sweep, high, low, &sweep->stack[sweep->depth - 1]);
	sweep->dir->leaving = NONE;
	if (high || low)
		keys_forget(sweep->dir, &left->before);
}

static bool level_before(const struct level *level, const struct entry *entry)
{
	return level->high < entry->high || (level->high == entry->high && level->low < entry->low);
}

static void sweep_enter(struct address_sweep *sweep, const struct entry *entries, uint32_t count)
{
	const struct entry *first = entries;
	struct level *around = &sweep->stack[sweep->depth - 1];
	uint32_t length = first->length;
	struct level level = {
		.high = first->high | ~mask_high(length),
		.low = first->low | ~mask_low(length),
		.state = around->state,
		.rule = first->rule,
		.before = mark_now(sweep->dir),
		.key = first->key,
		.lone = count == 1 && first->once && !first->staged,
	};

	around->lone = false;
	for (uint32_t i = 0; i < count; i++)
		level.state = state_add_rule(sweep->dir, level.state, &entries[i]);
	sweep->stack[sweep->depth++] = level;
	point_set(sweep, first->high, first->low, &level);
}

/* The first `count` entries are not needed any more. */
static void entries_forget(const struct entries *entries, uint32_t count)
{
	memory_forget(entries->list, count * sizeof(*entries->list));
}

static int sweep_entries(struct address_sweep *sweep, const struct entries *entries)
{
	const struct entry *list = entries->list;

	sweep->stack[0] = (struct level){~0ull, ~0ull, state_start(sweep->dir), 0, .lone = false};
	sweep->depth = 1;
	sweep->last = (struct trie_point){.row = sweep->stack[0].state};
	for (uint32_t i = 0, end; i < entries->count && !sweep->err; i = end) {
		for (end = i + 1; end < entries->count; end++)
			if (list[end].high != list[i].high || list[end].low != list[i].low ||
			    list[end].length != list[i].length)
				break;
		while (sweep->depth > 1 && level_before(&sweep->stack[sweep->depth - 1], &list[i]))
			sweep_leave(sweep);
		sweep_enter(sweep, list + i, end - i);
		if (i / ENTRIES_SOME != end / ENTRIES_SOME)
			entries_forget(entries, end);
		if (sweep->dir->keys.count / 2 > sweep->c->lines.most)
			return compilation_refuse(sweep->c, list[i].rule,
						  "its rows need more than 256 MB");
	}
	while (sweep->depth > 1)
		sweep_leave(sweep);
	point_finish(sweep);
	return sweep->err;
}

/* The rule to report when there are too many addresses. */
static uint32_t rule_widest(const struct ruleset *rs, const struct entries *entries)
{
	uint32_t widest = entries->count ? entries->list[0].rule : 0;

	for (uint32_t i = 1; i < entries->count; i++)
		if (rs->rules[entries->list[i].rule].peer_count > rs->rules[widest].peer_count)
			widest = entries->list[i].rule;
	return widest;
}

static int family_sweep(struct compilation *c, struct direction *dir, struct entries *entries,
			struct points *out)
{
	struct address_sweep sweep = {.c = c, .dir = dir, .points = out};
	int err;

	entries_sort(entries);
	err = sweep_entries(&sweep, entries);
	free(TAKE_PTR(entries->list));
	return err;
}

static int family_refuse(struct compilation *c, const struct direction *dir, int family)
{
	struct entries families[FAMILIES] = {0};
	int err;

	entries_collect(c->rs, dir, families);
	err = compilation_refuse(c, rule_widest(c->rs, &families[family]),
				 "its addresses need more than 256 MB");
	entries_free(families);
	return err;
}

/* Once all rows are known, keys and states are not needed. */
static void states_free(struct direction *dir)
{
	free(TAKE_PTR(dir->runs));
	free(TAKE_PTR(dir->states));
	tree_free(&dir->keys);
	map_free(&dir->state_ids);
	map_free(&dir->steps);
	map_free(&dir->merged);
}

int peers_compile(struct compilation *c, struct direction *dir)
{
	uint32_t *const roots[FAMILIES] = {&dir->root4, &dir->root6};
	struct entries families[FAMILIES] = {0};
	struct points points[FAMILIES] = {0};
	int err = 0;

	dir->leaving = NONE;
	trees_open(dir);
	entries_collect(c->rs, dir, families);
	for (int i = 0; i < FAMILIES && !err; i++)
		err = family_sweep(c, dir, &families[i], &points[i]);
	entries_free(families);
	states_free(dir);
	for (int i = 0; i < FAMILIES && !err; i++) {
		*roots[i] = trie_compile(c, TAKE_PTR(points[i].list), points[i].count);
		if (*roots[i] == NONE)
			err = family_refuse(c, dir, i);
	}
	for (int i = 0; i < FAMILIES; i++)
		free(points[i].list);
	return err;
}
