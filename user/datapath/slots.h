/* SPDX-License-Identifier: GPL-2.0-only */
/* Counter slots: which one each rule of a new generation has. */
#ifndef DATAPATH_SLOTS_H
#define DATAPATH_SLOTS_H

#include "../compile/compile.h"
#include "../objects/objects.h"
#include "datapath.h"

/* The slot of each rule of the new generation by number, and what goes into its records; `old` has
 * to stay as long. */
struct slot_plan {
	const struct ruleset *rs;
	const struct fr_rule_record *old;
	uint32_t old_count;
	uint32_t count;		  /* slots in use or remembered: highest + 1 */
	uint32_t *slot, *rule;	  /* by number and by slot, UINT32_MAX for none */
	bool *kept;		  /* by number: the slot is the one that the rule had */
	struct fr_counters *base; /* by number, of those that are new */
	uint64_t now;
	bool same; /* nothing but what `old` says */
};
void slot_record(const struct slot_plan *plan, uint32_t slot, struct fr_rule_record *out);
int slots_plan(const struct ruleset *rs, const struct records *old, int counters,
	       struct arena *arena, struct slot_plan *out);

#endif
