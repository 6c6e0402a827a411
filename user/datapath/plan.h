/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of a change on this host. */
#ifndef DATAPATH_PLAN_H
#define DATAPATH_PLAN_H

#include "change.h"

/* Opens the running policy and compares it with the request. Changes nothing. */
int change_plan(struct change *change);
/* A new pin beside those of the running policy; *number: the last one given. */
void point_name_pin(const struct change *change, struct fr_hook_record *record, uint32_t *number);

#endif
