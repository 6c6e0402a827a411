/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup2 hierarchy, and the cgroups in it. */
#ifndef HOST_CGROUP2_H
#define HOST_CGROUP2_H

#include "../base/base.h"
#include "options.h"

bool cgroup2_is(const char *path);
const char *cgroup2_find(const struct host_options *o, struct arena *arena); /* NULL: none */
/* Calls `visit` with the path of each cgroup that the pattern matches; a non-zero return ends it. A
 * cgroup that cannot be read is an error. */
int cgroups_each(const char *pattern, int (*visit)(const char *path, uint64_t id, void *),
		 void *context);
/* The same of one cgroup and all below it, parents first. */
int cgroup_tree_each(const char *path, int (*visit)(const char *path, uint64_t id, void *),
		     void *context);
/* The path below the root, without trailing slashes; NULL when it leaves the root. */
char *cgroup_path_of(struct arena *arena, const char *root, const char *name);

#endif
