/* SPDX-License-Identifier: GPL-2.0-only */
/* The attach points that a policy names, as this host has them. */
#ifndef HOST_RESOLVE_H
#define HOST_RESOLVE_H

#include "../policy/policy.h"
#include "options.h"

/* The attach points that a ruleset's names and patterns name on this host. A name that does not
 * exist is an error, and so is the device lo; a pattern without a match is a warning, or an error
 * where nothing at all is found. */
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
