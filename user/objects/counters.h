/* SPDX-License-Identifier: GPL-2.0-only */
/* Per-CPU counters, summed. */
#ifndef OBJECTS_COUNTERS_H
#define OBJECTS_COUNTERS_H

#include "../base/base.h"
#include "../../bpf/abi.h"

int counters_sum(int counters, uint32_t slot, struct fr_counters *out);
void counters_add(struct fr_counters *to, const struct fr_counters *what);
void counters_negate(struct fr_counters *of);

#endif
