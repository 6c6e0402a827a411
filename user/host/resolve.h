/* SPDX-License-Identifier: GPL-2.0-only */
/* Resolves the attach points of a policy on this host. */
#ifndef HOST_RESOLVE_H
#define HOST_RESOLVE_H

#include "../policy/policy.h"
#include "options.h"

/* Finds the attach points that a ruleset's names and patterns match on this host. A missing name is
 * an error, and so is the device lo; a pattern without a match is a warning, or an error if nothing
 * at all matches. */
struct attach_target {
	uint8_t kind; /* enum fr_kind */
	bool l3;
	uint32_t ifindex;
	uint64_t cgroup;  /* id */
	const char *name; /* interface, or cgroup path below the cgroup2 root ("/" the root) */
	const char *path; /* of the cgroup directory */
	uint32_t request; /* index of the first in ruleset.attach that names it */
};
int host_resolve(const struct ruleset *rs, const struct host_options *o, struct diags *d,
		 struct attach_target **out, size_t *count);

#endif
