/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ruleset while it is built, and the parsers that add to it. Internal to policy/ and site/.
 */
#ifndef POLICY_DRAFT_H
#define POLICY_DRAFT_H

#include "../tables/table.h"
#include "policy.h"

/* A ruleset while it grows. */
struct draft {
	struct ruleset *rs;
	size_t rule_capacity;
	struct arena *rule_arena;  /* of the array of rules */
	struct index ids[FR_DIRS]; /* by direction: id -> struct rule_place */
	bool odd_keys;		   /* some key of the document is unknown */
	bool keys_astray;	   /* those of a rule are among them */
	bool ids_unchecked;	   /* a part of another draft, which checks the ids */
	bool resolved;		   /* of kind ResolvedPolicy */
	const char *path;
	size_t table_capacity; /* of rs->tables */
	struct prefix_sets sets;
	struct index tables; /* name -> struct table: each file is read once */
};

/* An empty one. */
void draft_begin(struct job *job, const struct source *source, const char *path,
		 struct draft *draft);
/* Reads a large text in parallel parts if all of its rules can be taken: the rules, and the tree of
 * all else, are those of a serial read. False when it has to be read serially: it is small, or has
 * anything else in it; then the draft is as it was begun. `nodes` as in doc_load_apart. */
bool read_in_parallel(struct job *job, const struct source *source, struct arena *nodes,
		      struct draft *draft, struct node **root);
/* Everything but prefixes, use, rules and failsafe. */
void policy_parse(struct job *job, const struct node *root, struct draft *draft);
void attach_parse(struct job *job, const struct node *node, struct draft *draft);
/* `party`: a list of guests, or a list of such lists. */
void parties_parse(struct job *job, const struct node *node, struct draft *draft);
/* A time of at least `least` seconds. */
void duration_parse(struct job *job, const struct node *node, uint32_t least, uint32_t *out);
void options_parse(struct job *job, const struct node *root, struct draft *draft);
/* Use, rules and failsafe; prefix sets are read, and rules may be taken. */
void rules_resolve(struct job *job, const struct node *root, struct draft *draft);
/* Reads a table once for each draft; NULL after an error, reported once. */
const struct table *use_table(struct job *job, struct draft *draft, const struct node *use,
			      const struct node *place);
void uses_resolve(struct job *job, const struct node *node, struct draft *draft);
void rules_parse(struct job *job, const struct node *node, struct draft *draft);
/* For yaml_reader.on_item. Adds a rule that is complete by itself, and returns true. Any other
 * rule stays in the tree, and nothing is reported of it. */
struct rule_sink {
	struct job *job;
	struct draft *draft;
};
bool rule_sink_add(const struct node *node, void *sink);
void failsafe_parse(struct job *job, const struct node *root, struct draft *draft);
void policy_check(struct job *job, const struct node *root, const struct draft *draft);

/* Add a rule. A second rule of an id and direction is an error, or gets "#2" with `again`. */
void draft_add(struct job *job, struct draft *draft, struct rule rule, bool again);
/* Registers the id of a rule without adding the rule; false after an error. */
bool draft_claim_id(struct job *job, struct draft *draft, struct rule *rule, bool again);

#endif
