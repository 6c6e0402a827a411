/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules in force with their counters, in the order of their slots. */
#include "internal.h"

#include <string.h>

static const char *rule_action(const struct fr_rule_record *rule)
{
	if (str_equal(rule->id, "default-egress") || str_equal(rule->id, "default-ingress"))
		return "default";
	if (str_starts(rule->id, "builtin/"))
		return "builtin";
	return action_name(rule->action);
}

static void fill(const struct names *names, struct arena *arena, uint32_t slot,
		 struct rule_view *view)
{
	const struct fr_rule_record *rule = &names->rules.list[slot];

	view->slot = slot;
	view->id = arena_strdup(arena, rule->id);
	view->table = arena_strdup(arena, rule->table);
	view->row = arena_strdup(arena, rule->row);
	view->line = rule->line;
	view->dir = dir_name(rule->dir);
	view->action = rule_action(rule);
	view->staged = rule->flags & FR_RULE_STAGED;
	view->answers = FR_RULE_ANSWERS(rule->flags);
	if (rule->flags & FR_RULE_BY_DEFAULT)
		view->default_of = answers_default_of(view->answers);
	view->since = rule->since;
	view->last = clock_real(&names->clock, view->totals.last);
}

int rules_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		  struct rule_view **out, size_t *count)
{
	struct rule_view *list;
	struct names names;
	size_t found = 0;
	int err = names_open(instance, d, &names);

	if (err)
		return err;
	list = arena_alloc(arena, names.rules.count * sizeof(*list));
	for (uint32_t slot = 0; slot < names.rules.count && !err; slot++) {
		const struct fr_rule_record *rule = names_rule(&names, slot);

		if (!rule || rule->used != SLOT_USED)
			continue;
		err = instance_counters(instance, slot, rule, &list[found].totals);
		if (!err)
			fill(&names, arena, slot, &list[found++]);
	}
	names_close(&names);
	if (err)
		return diag_error(d, NO_LOC, err, "counters", NULL,
				  "the counters cannot be read: %s", error_text(err));
	*out = list;
	*count = found;
	return 0;
}
