/* SPDX-License-Identifier: GPL-2.0-only */
/* One attach point, with all of its hooks. */
#ifndef ATTACH_ATTACH_POINT_H
#define ATTACH_ATTACH_POINT_H

#include "hook_program.h"

/* How many of its hooks run a program of ours, optional ones not counted; alive: all of them. */
int attach_alive_hooks(const char *dir, const struct fr_hook_record *point, size_t *out);
int attach_alive(const char *dir, const struct fr_hook_record *point, bool *out);
/* The program of ours that runs on this hook, 0 when there is none. */
int hook_program_id(const struct hook_ref *ref, uint32_t *out);

struct attach_job {
	const char *dir, *pins; /* of the policy, of the epoch */
	enum prog_variant variant;
	const char *path; /* of the cgroup */
	/* pinned already: a filter's priority is written before it is made */
	struct fr_hook_record *point;
};
int attach_make(const struct attach_job *job, struct diags *d);
/* Optional links that could not be made when the point joined, where they can be now. */
void attach_complete(const struct attach_job *job);
/* 0: for each of its hooks a program of one of the variants is pinned; -ENOENT: for one there is
 * none. */
int attach_programs_pinned(const char *pins, uint32_t variants, const struct fr_hook_record *point);

/* The programs of an epoch that a point is to run: of the first of the variants that has them. */
struct attach_update {
	const char *dir, *pins;
	uint32_t variants; /* bits PROG_BIT() */
};
int attach_update(const struct attach_update *update, const struct fr_hook_record *point,
		  struct diags *d);
int attach_remove(const char *dir, const struct fr_hook_record *point, struct diags *d);

#endif
