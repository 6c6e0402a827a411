/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that repairs a policy whose pins are damaged. */
#ifndef DATAPATH_HEAL_H
#define DATAPATH_HEAL_H

#include "datapath.h"

/* policy_heal_command() for the pins found. */
const char *running_heal_command(const struct running *running, struct arena *arena);

#endif
