/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A resolved policy: what its writer and its parser have in common. Internal to policy/.
 */
#ifndef POLICY_RESOLVED_H
#define POLICY_RESOLVED_H

#include "draft.h"

/* The words of `builtin` and `timeouts`, in the order in which they are written. options.c */
enum { BUILTIN_COUNT = 5, TIMEOUT_COUNT = 7 };
extern const char *const builtin_words[BUILTIN_COUNT], *const timeout_words[TIMEOUT_COUNT];
extern const uint32_t builtin_flags[BUILTIN_COUNT];
extern const enum fr_timeout timeout_numbers[TIMEOUT_COUNT];

/* `source`, `tables` and `prefixes` of one. */
void resolved_parse(struct job *job, const struct node *root, struct draft *draft);
/* The keys of a rule that only a resolved policy has; NULL where they are left out. */
struct resolved_keys {
	const struct node *row, *role, *section, *note, *line;
};
/* Into a rule whose purpose is read. False after an error. */
bool resolved_rule_parse(struct job *job, const struct resolved_keys *keys, struct rule *rule);
/* Once all rules are there: the documents of their rows. */
void resolved_finish(struct draft *draft);

#endif
