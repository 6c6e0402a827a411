/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of failsafe rules in the kernel: struct fr_failsafe. 0 or -errno. */
#ifndef OBJECTS_FAILSAFE_H
#define OBJECTS_FAILSAFE_H

#include "../compile/compile.h"

/* The first generation after `last` whose list does not replace that of `current` or `before`. 0:
 * there is none. */
uint32_t failsafe_generation_after(uint32_t last, uint32_t current, uint32_t before);
/* The map of an epoch; fd or -errno. */
int failsafe_open(const char *pins);
/* Before that generation comes into force. */
int failsafe_store(int map, uint32_t generation, const struct fr_failsafe *list);
/* -ENODATA: there is no list of that generation. */
int failsafe_read(int map, uint32_t generation, struct fr_failsafe *out);
/* Whether there is one, unchanged since it was stored. */
int failsafe_intact(int map, uint32_t generation, bool *out);

#endif
