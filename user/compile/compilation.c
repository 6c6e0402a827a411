/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of all stages: the rank of a rule, and the error for a policy that is too big.
 */
#include <errno.h>

#include "compilation.h"

int compilation_refuse(struct compilation *c, uint32_t rule, const char *what)
{
	struct loc loc = {.source = c->rs->source};
	const char *id = "-";

	if (rule < c->rs->rule_count) {
		loc = c->rs->rules[rule].loc;
		id = c->rs->rules[rule].id;
	}
	return diag_error(c->d, loc, -E2BIG, "image-too-big",
			  "merge rules whose peers or ports are neighbours, or split the policy",
			  "rule '%s' makes the policy too big: %s", id, what);
}

uint32_t rule_key(const struct ruleset *rs, uint32_t rule)
{
	uint32_t number = FR_RULE_FIRST + rule, narrow;

	switch (rs->rules[rule].action) {
	case FR_FAILSAFE_ALLOW:
		return KEY(KEY_FAILSAFE, number);
	case FR_DENY:
		return KEY(KEY_DENY, number);
	default:
		narrow = FR_ANSWERS_COUNT - 1 - answers_width(rule_answers(&rs->rules[rule]));
		return KEY(KEY_ALLOW, narrow << KEY_NUMBER_BITS | number);
	}
}
