/* SPDX-License-Identifier: GPL-2.0-only */
/* One attach point, with all of its hooks. */
#ifndef ATTACH_ATTACH_POINT_H
#define ATTACH_ATTACH_POINT_H

#include "hook_program.h"

/* Number of its hooks that run a program of ours, without optional ones; alive: all of them do. */
int attach_alive_hooks(const char *dir, const struct fr_hook_record *point, size_t *out);
int attach_alive(const char *dir, const struct fr_hook_record *point, bool *out);
/* The id of our program on this hook, 0 when there is none. */
int hook_program_id(const struct hook_ref *ref, uint32_t *out);

struct attach_job {
	const char *dir, *pins; /* of the policy, of the epoch */
	enum prog_variant variant;
	const char *path; /* of the cgroup */
	/* pinned already: the priority of a filter is recorded before the filter is made */
	struct fr_hook_record *point;
};
int attach_make(const struct attach_job *job, struct diags *d);
/* Makes optional links that failed when the point joined, if they can be made now. */
void attach_complete(const struct attach_job *job);
/* 0: each of its hooks has a pinned program of one of the variants, which uses the pinned maps;
 * -ENOENT: one has none. */
int attach_programs_pinned(const char *pins, uint32_t variants, const struct fr_hook_record *point);

/* The programs of an epoch for a point: of the first variant that is pinned. */
struct attach_update {
	const char *dir, *pins;
	uint32_t variants; /* bits PROG_BIT() */
};
int attach_update(const struct attach_update *update, const struct fr_hook_record *point,
		  struct diags *d);
int attach_remove(const char *dir, const struct fr_hook_record *point, struct diags *d);

#endif
