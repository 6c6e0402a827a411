/* SPDX-License-Identifier: GPL-2.0-only */
/* The protection in force that a change would lower. */
#ifndef DATAPATH_LOWERING_H
#define DATAPATH_LOWERING_H

#include "change.h"

/* Collects the protections that the change lowers in change->lowered; -ECANCELED when the command
 * does not allow one. */
int lowering_check(struct change *change);

#endif
