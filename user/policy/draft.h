/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ruleset while it is built. Internal to policy/ and site/.
 */
#ifndef POLICY_DRAFT_H
#define POLICY_DRAFT_H

#include "../tables/table.h"
#include "policy.h"

/* A ruleset while it grows. */
struct draft {
	struct ruleset *rs;
	size_t rule_capacity;
	struct arena *growing;	   /* where the rules are */
	struct index ids[FR_DIRS]; /* by direction: id -> struct rule_place */
	bool odd_keys;		   /* some key of the document is none */
	bool keys_astray;	   /* those of a rule are among them */
	bool part;		   /* of another one, which looks whether ids are taken */
	const char *path;
	struct prefix_sets sets;
	struct index tables; /* name -> struct table: each file is read once */
};

/* An empty one. */
void draft_begin(struct job *job, const struct source *source, const char *path,
		 struct draft *draft);
/* A large text whose rules can all be taken, read in parts side by side: rules and the tree of all
 * else are what reading it at once would give. False when it has to be read at once: it is small,
 * or has anything else in it; then the draft is as it was begun. `nodes` as in doc_load_apart. */
bool rules_in_parts(struct job *job, const struct source *source, struct arena *nodes,
		    struct draft *draft, struct node **root);
/* Everything but prefixes, use, rules and failsafe. */
void policy_parse(struct job *job, const struct node *root, struct draft *draft);
void attach_parse(struct job *job, const struct node *node, struct draft *draft);
/* A time of at least so many seconds. */
void duration_parse(struct job *job, const struct node *node, uint32_t least, uint32_t *out);
void options_parse(struct job *job, const struct node *root, struct draft *draft);
/* Use, rules and failsafe; prefix sets are read, and rules may be taken. */
void rules_resolve(struct job *job, const struct node *root, struct draft *draft);
/* A table that this draft has not read yet is read; NULL after an error, told once. */
const struct table *use_table(struct job *job, struct draft *draft, const struct node *place);
void uses_resolve(struct job *job, const struct node *node, struct draft *draft);
void rules_parse(struct job *job, const struct node *node, struct draft *draft);
/* For doc_apart.take: a rule that is right by itself is added at once, whatever else the policy
 * says, and is true. Of one that is wrong, or needs what stands elsewhere, nothing is told yet. */
struct taking {
	struct job *job;
	struct draft *draft;
};
bool rule_take(const struct node *node, void *taking);
void failsafe_parse(struct job *job, const struct node *root, struct draft *draft);
void policy_check(struct job *job, const struct node *root, const struct draft *draft);

/* Add a rule. A second rule of an id and direction is an error, or gets "#2" with `again`. */
void draft_add(struct job *job, struct draft *draft, struct rule rule, bool again);

#endif
