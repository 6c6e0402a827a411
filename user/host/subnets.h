/* SPDX-License-Identifier: GPL-2.0-only */
/* The local subnets of attach points. */
#ifndef HOST_SUBNETS_H
#define HOST_SUBNETS_H

#include "resolve.h"

/* The subnets of attached devices and of the bridges that they are ports of; of cgroups those of
 * all devices in the caller's network namespace. At most FR_SUBNETS in *out, the longest prefixes
 * first, and a note about those beyond. A single address is no subnet. */
int local_subnets(const struct attach_target *targets, size_t count, struct diags *d,
		  struct prefix **out, size_t *found);

/* The same of recorded attach points; those that are not used are left out. */
int hooks_subnets(const struct fr_hook_record *hooks, size_t count, struct diags *d,
		  struct prefix **out, size_t *found);

/* As an image has them: FR_SUBNETS, the rest zero. */
void subnets_fill(const struct prefix *list, size_t count, struct fr_subnet *out);

#endif
