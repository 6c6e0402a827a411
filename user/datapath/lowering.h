/* SPDX-License-Identifier: GPL-2.0-only */
/* The protection in force that a change would lower. */
#ifndef DATAPATH_LOWERING_H
#define DATAPATH_LOWERING_H

#include "change.h"

/* What the change lowers goes to change->lowered; -ECANCELED when the command does not allow it. */
int lowering_check(struct change *change);

#endif
