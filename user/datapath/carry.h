/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows and counters that go from the maps of one epoch into those of the next. */
#ifndef DATAPATH_CARRY_H
#define DATAPATH_CARRY_H

#include "change.h"

/* The flows of the old table, where the new epoch has another one. All attach points change over at
 * the flip: then and just before it (flows_wait). Else they do one by one: before the first. */
bool flows_wait(const struct change *change);
int flows_carry(const struct change *change);
/* The figures of rules that the old epoch's programs kept in a map that does not go on: to the
 * records of the new generation. After the attach points have changed over. */
int counters_carry(const struct change *change);
/* When each rule last had a packet. Not a sum: before any program counts in the new map. */
int last_carry(const struct change *change);

#endif
