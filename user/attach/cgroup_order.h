/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of the programs of a cgroup, of the cgroups above it and of those below. */
#ifndef ATTACH_CGROUP_ORDER_H
#define ATTACH_CGROUP_ORDER_H

#include "hook_program.h"

/* A program that stands out of the order of its cgroup (BPF_F_PREORDER), where the hook of `ref`
 * or a cgroup below it runs it. Arena memory. */
struct order_fault {
	const char *program; /* NULL: there is none */
	const char *cgroup;  /* the path of the one that runs it */
};
/* 0, or -errno where a list cannot be read: -ENOENT for a cgroup that is gone. */
int cgroup_order_read(const struct hook_ref *ref, struct arena *arena, struct order_fault *out);

#endif
