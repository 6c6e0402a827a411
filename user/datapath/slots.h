/* SPDX-License-Identifier: GPL-2.0-only */
/* Assigns a counter slot to each rule of a new generation. */
#ifndef DATAPATH_SLOTS_H
#define DATAPATH_SLOTS_H

#include "../compile/compile.h"
#include "../objects/objects.h"
#include "datapath.h"

/* The slot of each rule of the new generation by number, and the contents of its records; `old`
 * must outlive it. */
struct slot_plan {
	const struct ruleset *rs;
	const struct fr_rule_record *old;
	uint32_t old_count;
	uint32_t count;		  /* slots in use or remembered: highest + 1 */
	uint32_t *slot, *rule;	  /* by number and by slot, UINT32_MAX for none */
	bool *kept;		  /* by number: the rule keeps its slot */
	struct fr_counters *base; /* by number, of the new rules */
	uint64_t now;
	bool same; /* same contents as `old` */
};
void slot_record(const struct slot_plan *plan, uint32_t slot, struct fr_rule_record *out);
int slots_plan(const struct ruleset *rs, const struct records *old, int counters,
	       struct arena *arena, struct slot_plan *out);

#endif
