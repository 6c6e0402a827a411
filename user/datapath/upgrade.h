/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that an older flowreeve has applied. */
#ifndef DATAPATH_UPGRADE_H
#define DATAPATH_UPGRADE_H

#include "change.h"

/* Takes it over: same rules and attach points, with programs and maps of this version. */
int policy_upgrade(const struct change *planned);

#endif
