/* SPDX-License-Identifier: GPL-2.0-only */
/* Other owners of the attach points that a policy asks for. */
#ifndef DATAPATH_CONFLICTS_H
#define DATAPATH_CONFLICTS_H

#include "change.h"

/* Checks that no other policy has the attach points; -EBUSY names one that has. */
int conflicts_check(struct change *change);
/* Whether another program comes before this hook, and a new link or filter would come before it. */
bool conflict_lost_front(const struct change *change, const struct planned_point *hook);
/* Warns of the programs that come before the hooks that are in force now. */
void conflicts_warn(const struct change *change);

#endif
