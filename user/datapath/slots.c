/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counter slots. A rule keeps its slot across generations while its id and direction stay, so that
 * its counters continue. The slot of a removed rule keeps the name, for flows that still refer to
 * it, until another rule needs the slot; then a baseline hides the old counts.
 */
#include "slots.h"

#include <string.h>

#define NO_SLOT UINT32_MAX
#define NO_RULE UINT32_MAX

/* The key by which a rule keeps its slot. */
struct identity {
	const char *id;
	uint8_t dir;
};

struct planner {
	struct slot_plan plan;
	struct arena *arena;
	uint32_t *places; /* of slots of `old` in use, by a hash of their identity: slot + 1 */
	uint32_t mask;
	uint32_t next;	   /* slot of `old` after that of the previous rule */
	uint32_t reusable; /* next slot of `old` to look at */
	uint32_t capacity; /* of the counters map */
	int counters;
};

/* ---------------------------------------------------------------- previous slots */

static uint32_t identity_hash(const struct identity *of)
{
	uint32_t hash = 2166136261u ^ of->dir; /* FNV-1a */

	for (const char *at = of->id; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return hash ^ hash >> 15;
}

static bool is_of(const struct fr_rule_record *old, const struct identity *wanted)
{
	return old->used == SLOT_USED && old->dir == wanted->dir && str_equal(old->id, wanted->id);
}

/* The place of an identity, or the free one where it belongs. */
static uint32_t *place_of(const struct planner *planner, const struct identity *wanted)
{
	uint32_t at = identity_hash(wanted) & planner->mask;

	while (planner->places[at] && !is_of(&planner->plan.old[planner->places[at] - 1], wanted))
		at = (at + 1) & planner->mask;
	return &planner->places[at];
}

static void places_fill(struct planner *planner)
{
	const struct slot_plan *plan = &planner->plan;
	uint32_t size = 16;

	while (size / 2 < plan->old_count)
		size *= 2;
	planner->places = arena_alloc(planner->arena, size * sizeof(*planner->places));
	planner->mask = size - 1;
	for (uint32_t slot = 0; slot < plan->old_count; slot++) {
		const struct fr_rule_record *old = &plan->old[slot];

		if (old->used == SLOT_USED)
			*place_of(planner, &(struct identity){old->id, old->dir}) = slot + 1;
	}
}

/* Rules mostly keep their order: then no search is needed. */
static uint32_t find_old(struct planner *planner, const struct identity *wanted)
{
	const struct slot_plan *plan = &planner->plan;
	uint32_t slot = planner->next;

	if (slot >= plan->old_count || !is_of(&plan->old[slot], wanted)) {
		if (!planner->places)
			places_fill(planner);
		slot = *place_of(planner, wanted) - 1;
	}
	if (slot != NO_SLOT)
		planner->next = slot + 1;
	return slot;
}

/* ---------------------------------------------------------------- records */

static uint8_t builtin_dir(uint32_t number)
{
	return number < FR_DIRS ? (uint8_t)number : FR_DIRS;
}

static struct identity identity_of(const struct ruleset *rs, uint32_t number)
{
	const struct rule *rule = ruleset_rule(rs, number);

	return (struct identity){ruleset_rule_name(rs, number),
				 rule ? rule->dir : builtin_dir(number)};
}

/* Fields of a rule's record, beside its identity. */
struct facts {
	const char *table, *row; /* never NULL */
	uint32_t line;
	uint8_t action;
	uint8_t flags;
};

static uint8_t flags_of(const struct rule *rule)
{
	uint8_t flags = rule->staged ? FR_RULE_STAGED : 0;
	struct expectation e;

	if (!rule_asks_by_udp(rule))
		return flags;
	rule_expects(rule, &e);
	if (e.default_of)
		flags |= FR_RULE_BY_DEFAULT;
	return flags | e.answers << FR_RULE_ANSWERS_SHIFT;
}

static struct facts facts_of(const struct ruleset *rs, uint32_t number)
{
	const struct rule *rule = ruleset_rule(rs, number);
	const struct origin *origin;
	struct facts facts = {"", "", .action = FR_ALLOW};

	if (!rule) {
		if (number < FR_DIRS && !rs->default_allow[number])
			facts.action = FR_DENY;
		return facts;
	}
	origin = rule_origin(rule);
	facts.table = origin->table ?: "";
	facts.row = origin->row ?: "";
	facts.line = origin->line;
	facts.action = rule->action;
	facts.flags = flags_of(rule);
	return facts;
}

static void copy_text(char *out, size_t size, const char *text)
{
	memcpy(out, text, strnlen(text, size - 1));
}

/* Into zeroes. */
static void describe(const struct ruleset *rs, uint32_t number, struct fr_rule_record *out)
{
	struct identity identity = identity_of(rs, number);
	struct facts facts = facts_of(rs, number);

	out->used = SLOT_USED;
	out->dir = identity.dir;
	copy_text(out->id, sizeof(out->id), identity.id);
	copy_text(out->table, sizeof(out->table), facts.table);
	copy_text(out->row, sizeof(out->row), facts.row);
	out->line = facts.line;
	out->action = facts.action;
	out->flags = facts.flags;
}

void slot_record(const struct slot_plan *plan, uint32_t slot, struct fr_rule_record *out)
{
	uint32_t number = plan->rule[slot];

	if (number == NO_RULE) {
		*out = plan->old[slot];
		if (out->used == SLOT_USED)
			out->used = SLOT_RETIRED;
		return;
	}
	memset(out, 0, sizeof(*out));
	describe(plan->rs, number, out);
	if (plan->kept[number]) {
		out->base = plan->old[slot].base;
		out->since = plan->old[slot].since;
	} else {
		out->base = plan->base[number];
		out->since = plan->now;
	}
}

/* ---------------------------------------------------------------- the plan */

/* Slots that no rule of the generation in force uses: at the end first, so that names are kept
 * long. */
static uint32_t find_free_slot(struct planner *planner)
{
	struct slot_plan *plan = &planner->plan;

	if (plan->count < planner->capacity)
		return plan->count++;
	while (planner->reusable < plan->old_count) {
		uint32_t slot = planner->reusable++;

		if (plan->old[slot].used != SLOT_USED)
			return slot;
	}
	return plan->count++;
}

/* A new rule reads 0 whatever the slot has counted. */
static int start_from_zero(const struct planner *planner, uint32_t slot, struct fr_counters *base)
{
	int err;

	if (planner->counters < 0 || slot >= planner->capacity)
		return 0;
	err = counters_sum(planner->counters, slot, base);
	if (err)
		return err;
	counters_negate(base);
	return 0;
}

/* For a rule that kept its slot. */
static bool says_the_same(const struct slot_plan *plan, uint32_t slot, uint32_t number)
{
	const struct fr_rule_record *old = &plan->old[slot];
	struct facts facts = facts_of(plan->rs, number);

	return old->line == facts.line && old->action == facts.action &&
	       old->flags == facts.flags && str_equal(old->table, facts.table) &&
	       str_equal(old->row, facts.row);
}

static int plan_rule(struct planner *planner, uint32_t number)
{
	struct slot_plan *plan = &planner->plan;
	struct identity identity = identity_of(plan->rs, number);
	uint32_t slot = find_old(planner, &identity);
	int err = 0;

	plan->kept[number] = slot != NO_SLOT;
	if (slot == NO_SLOT) {
		slot = find_free_slot(planner);
		err = start_from_zero(planner, slot, &plan->base[number]);
	}
	plan->rule[slot] = number;
	plan->slot[number] = slot;
	plan->same = plan->same && plan->kept[number] && says_the_same(plan, slot, number);
	return err;
}

/* A removed rule is a difference, too. */
static bool all_are_kept(const struct slot_plan *plan)
{
	for (uint32_t slot = 0; slot < plan->old_count; slot++)
		if (plan->old[slot].used == SLOT_USED && plan->rule[slot] == NO_RULE)
			return false;
	return true;
}

int slots_plan(const struct ruleset *rs, const struct records *old, int counters,
	       struct arena *arena, struct slot_plan *out)
{
	uint32_t rules = FR_RULE_FIRST + (uint32_t)rs->rule_count;
	struct planner planner = {.counters = counters, .arena = arena};
	struct slot_plan *plan = &planner.plan;
	size_t most = rules;
	int err = 0;

	*plan = (struct slot_plan){.rs = rs, .now = real_now(), .same = old};
	if (old) {
		plan->old = old->list;
		plan->count = plan->old_count = old->count;
	}
	most += plan->old_count;
	if (counters >= 0)
		err = fd_map_entries(counters, &planner.capacity);
	plan->slot = arena_alloc(arena, rules * sizeof(*plan->slot));
	plan->kept = arena_alloc(arena, rules * sizeof(*plan->kept));
	plan->base = arena_alloc(arena, rules * sizeof(*plan->base));
	plan->rule = arena_alloc(arena, most * sizeof(*plan->rule));
	memset(plan->rule, 0xff, most * sizeof(*plan->rule));
	for (uint32_t number = 0; number < rules && !err; number++)
		err = plan_rule(&planner, number);
	if (err)
		return err;
	plan->same = plan->same && all_are_kept(plan);
	*out = *plan;
	return 0;
}
