/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of a change on this host. */
#ifndef DATAPATH_PLAN_H
#define DATAPATH_PLAN_H

#include "change.h"

/* Opens what runs and compares it with what is asked for. Changes nothing. */
int change_plan(struct change *change);
/* A pin of its own beside those of what runs; *number: the last that was given. */
void point_name_pin(const struct change *change, struct fr_hook_record *record, uint32_t *number);

#endif
