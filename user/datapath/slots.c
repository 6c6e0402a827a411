/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counter slots. A rule keeps its slot across generations for as long as its id and direction stay,
 * so that its counters go on by themselves. A slot of a rule that has left keeps the name, for
 * flows that still refer to it, until another rule needs the slot; then a baseline hides the old
 * figures.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOT_FREE, SLOT_USED, SLOT_RETIRED };
#define NO_SLOT UINT32_MAX

struct planner {
	const struct ruleset *rs;
	const struct fr_rule_record *old;
	uint32_t old_count;
	uint32_t *sorted; /* slots of `old` in use, by identity */
	uint32_t sorted_count;
	uint32_t reusable; /* next slot of `old` to look at */
	uint32_t capacity; /* of the counters map */
	uint64_t now;
	int counters;
};

static int identity_order(const struct fr_rule_record *a, const struct fr_rule_record *b)
{
	int order = strcmp(a->id, b->id);

	return order ? order : (int)a->dir - (int)b->dir;
}

static int by_identity(const void *a, const void *b, void *context)
{
	const struct fr_rule_record *list = context;

	return identity_order(&list[*(const uint32_t *)a], &list[*(const uint32_t *)b]);
}

static void sort_old(struct planner *planner, struct arena *arena)
{
	planner->sorted = arena_alloc(arena, (planner->old_count + 1) * sizeof(*planner->sorted));
	for (uint32_t slot = 0; slot < planner->old_count; slot++)
		if (planner->old[slot].used == SLOT_USED)
			planner->sorted[planner->sorted_count++] = slot;
	qsort_r(planner->sorted, planner->sorted_count, sizeof(*planner->sorted), by_identity,
		(void *)planner->old);
}

static uint32_t find_old(const struct planner *planner, const struct fr_rule_record *wanted)
{
	uint32_t low = 0, high = planner->sorted_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = identity_order(wanted, &planner->old[planner->sorted[middle]]);

		if (!order)
			return planner->sorted[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NO_SLOT;
}

static uint8_t builtin_dir(uint32_t number)
{
	return number < FR_DIRS ? (uint8_t)number : FR_DIRS;
}

static void describe(const struct ruleset *rs, uint32_t number, struct fr_rule_record *out)
{
	const struct rule *rule;

	memset(out, 0, sizeof(*out));
	out->used = SLOT_USED;
	if (number < FR_RULE_FIRST) {
		snprintf(out->id, sizeof(out->id), "%s", ruleset_rule_name(rs, number));
		out->dir = builtin_dir(number);
		out->action = FR_ALLOW;
		if (number < FR_DIRS && !rs->default_allow[number])
			out->action = FR_DENY;
		return;
	}
	rule = &rs->rules[number - FR_RULE_FIRST];
	snprintf(out->id, sizeof(out->id), "%s", rule->id);
	if (rule_origin(rule)->table)
		snprintf(out->table, sizeof(out->table), "%s", rule_origin(rule)->table);
	if (rule_origin(rule)->row)
		snprintf(out->row, sizeof(out->row), "%s", rule_origin(rule)->row);
	out->line = rule_origin(rule)->line;
	out->dir = rule->dir;
	out->action = rule->action;
	out->staged = rule->staged;
}

/* Room that no rule of the generation in force uses: at the end first, so that names are kept long.
 */
static uint32_t take_slot(struct planner *planner, uint32_t *count)
{
	if (*count < planner->capacity)
		return (*count)++;
	while (planner->reusable < planner->old_count) {
		uint32_t slot = planner->reusable++;

		if (planner->old[slot].used != SLOT_USED)
			return slot;
	}
	return (*count)++;
}

/* A new rule reads 0 whatever the slot has counted before. */
static int start_from_zero(const struct planner *planner, uint32_t slot,
			   struct fr_rule_record *record)
{
	int err;

	record->since = planner->now;
	if (planner->counters < 0 || slot >= planner->capacity)
		return 0;
	err = counters_sum(planner->counters, slot, &record->base);
	if (!err)
		counters_negate(&record->base);
	return err;
}

static uint64_t real_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int plan_rule(struct planner *planner, uint32_t number, struct slot_plan *plan)
{
	struct fr_rule_record record;
	uint32_t slot;
	int err = 0;

	describe(planner->rs, number, &record);
	slot = find_old(planner, &record);
	if (slot == NO_SLOT) {
		slot = take_slot(planner, &plan->count);
		err = start_from_zero(planner, slot, &record);
	} else {
		record.base = planner->old[slot].base;
		record.since = planner->old[slot].since;
	}
	plan->records[slot] = record;
	plan->slot[number] = slot;
	return err;
}

int slots_plan(const struct ruleset *rs, const struct records *old, int counters,
	       struct arena *arena, struct slot_plan *out)
{
	uint32_t rules = FR_RULE_FIRST + (uint32_t)rs->rule_count;
	struct planner planner = {.rs = rs, .now = real_now(), .counters = counters};
	struct slot_plan plan = {0};
	int err = 0;

	if (old) {
		planner.old = old->list;
		planner.old_count = old->count;
	}
	if (counters >= 0)
		err = fd_map_entries(counters, &planner.capacity);
	sort_old(&planner, arena);
	plan.count = planner.old_count;
	plan.records = arena_alloc(arena, ((size_t)plan.count + rules) * sizeof(*plan.records));
	plan.slot = arena_alloc(arena, rules * sizeof(*plan.slot));
	if (old)
		memcpy(plan.records, old->list, planner.old_count * sizeof(*plan.records));
	for (uint32_t slot = 0; slot < planner.old_count; slot++)
		if (plan.records[slot].used == SLOT_USED)
			plan.records[slot].used = SLOT_RETIRED;
	for (uint32_t number = 0; number < rules && !err; number++)
		err = plan_rule(&planner, number, &plan);
	if (err)
		return err;
	plan.same = old && plan.count == planner.old_count &&
		    !memcmp(plan.records, old->list, plan.count * sizeof(*plan.records));
	*out = plan;
	return 0;
}
