/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The builder of a ruleset. Every rule enters through draft_add(), whether it was written in
 * `rules`, streamed from a part of a large file, or made from a row of a table.
 */
#include <errno.h>

#include "draft.h"

void draft_begin(struct job *job, const struct source *source, const char *path,
		 struct draft *draft)
{
	*draft = (struct draft){.path = path, .rule_arena = job->arena};
	draft->rs = arena_alloc(job->arena, sizeof(*draft->rs));
	draft->rs->arena = job->arena;
	draft->rs->source = source;
	draft->ids[FR_EGRESS].arena = draft->ids[FR_INGRESS].arena = job->arena;
	draft->tables.arena = job->arena;
}

/* ---------------------------------------------------------------- rules */

struct rule_place {
	struct loc loc;
	unsigned count;
};

/* Returns the place that has the id already, or NULL. */
static struct rule_place *id_insert(struct draft *draft, const struct rule *rule)
{
	struct index *ids = &draft->ids[rule->dir];
	struct rule_place *place = arena_alloc(ids->arena, sizeof(*place));

	place->loc = rule->loc;
	place->count = 1;
	return (struct rule_place *)index_insert(ids, rule->id, place);
}

bool draft_claim_id(struct job *job, struct draft *draft, struct rule *rule, bool again)
{
	struct rule_place *before = id_insert(draft, rule);

	if (before && again) {
		rule->id = arena_printf(job->arena, "%s#%u", rule->id, ++before->count);
		before = id_insert(draft, rule);
	}
	if (before) {
		diag_error(job->d, rule->loc, -EINVAL, "duplicate-id", NULL,
			   "rule '%s' (%s) is already in line %u", rule->id, dir_names[rule->dir],
			   before->loc.line);
		return false;
	}
	if (strlen(rule->id) < 2 * FR_NAME_MAX)
		return true;
	diag_error(job->d, rule->loc, -EINVAL, "bad-name", NULL,
		   "rule id '%s' is longer than %d characters", rule->id, 2 * FR_NAME_MAX - 1);
	return false;
}

/* Reported once, and no rule is kept beyond it: a table used over and over could fill the memory.
 */
static bool draft_full(struct job *job, const struct draft *draft, const struct rule *rule)
{
	const size_t most = FR_MAX_RULES - FR_RULE_FIRST;

	if (draft->rs->rule_count < most)
		return false;
	for (size_t i = job->d->count; i > 0; i--)
		if (str_equal(job->d->list[i - 1].check, "too-many-rules"))
			return true;
	diag_error(job->d, rule->loc, -E2BIG, "too-many-rules",
		   "use wider prefixes, or prefix sets",
		   "rule '%s' is one too many: %zu is the most", rule->id, most);
	return true;
}

void draft_add(struct job *job, struct draft *draft, struct rule rule, bool again)
{
	struct ruleset *rs = draft->rs;

	if (draft_full(job, draft, &rule) ||
	    (!draft->ids_unchecked && !draft_claim_id(job, draft, &rule, again)))
		return;
	rs->rules = arena_grow(draft->rule_arena, rs->rules, rs->rule_count, &draft->rule_capacity,
			       sizeof(*rs->rules));
	rs->rules[rs->rule_count++] = rule;
}
