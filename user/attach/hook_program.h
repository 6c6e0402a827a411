/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks of one attach point, and the program that belongs on each. An attach point is a device,
 * a cgroup, a network namespace or its sockets (struct fr_hook_record); each of its hooks is one
 * list of programs of the kernel.
 */
#ifndef ATTACH_HOOK_PROGRAM_H
#define ATTACH_HOOK_PROGRAM_H

#include "../objects/objects.h"

/* of struct fr_hook_record */
enum { HOW_TCX, HOW_CLSACT, HOW_CGROUP, HOW_NETNS, HOW_SOCKETS };
enum { HOOK_PROGRAMS_MAX = 7 };

struct hook_program {
	const char *name; /* "ingress", "connect4" */
	const char *text; /* "tcx/ingress", "cgroup_skb/ingress", "connect4" */
	uint32_t attach_type;
	enum program program;
	bool optional;
};
size_t attach_hooks(const struct fr_hook_record *point, struct hook_program out[HOOK_PROGRAMS_MAX]);
/* In addition to those that the policy names: each policy of interfaces has its own. */
bool attach_is_extra(const struct fr_hook_record *point);
/* By links of a cgroup: of the one that the policy names, or of the root. */
bool attach_is_cgroup(const struct fr_hook_record *point);
bool attach_same_place(const struct fr_hook_record *a, const struct fr_hook_record *b);

/* One hook of one attach point of a policy. */
struct hook_ref {
	const struct fr_hook_record *point;
	const struct hook_program *hook;
	const char *dir;  /* of the policy, where links are pinned */
	const char *path; /* of the cgroup directory, NULL when it is not known */
	uint32_t program; /* id of our program there, 0 none; set by callers that read its
			     neighbours */
};

#endif
