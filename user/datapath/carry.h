/* SPDX-License-Identifier: GPL-2.0-only */
/* Carries flows and counters from the maps of one epoch into those of the next. */
#ifndef DATAPATH_CARRY_H
#define DATAPATH_CARRY_H

#include "change.h"

/* Copies the flows of the old table if the new epoch has another one. If all attach points change
 * over at the flip (flows_wait): at the flip and just before it. Else before the first one changes.
 */
bool flows_wait(const struct change *change);
int flows_carry(const struct change *change);
/* The records of the rules in force as a roll-back finds them: with the counters of the new epoch,
 * and the names of the rules that the change brings. */
int rules_keep(const struct change *change);
/* Adds the rule counters of an old map that is not reused to the records of the new generation.
 * After the attach points have changed over. */
int counters_carry(const struct change *change);
/* Copies the time of each rule's last packet. Not a sum: before programs count in the new map. */
int last_carry(const struct change *change);

#endif
