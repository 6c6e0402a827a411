/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs and filters on a hook, ours included, in the order in which the kernel runs them. */
#ifndef ATTACH_HOOK_CHAIN_H
#define ATTACH_HOOK_CHAIN_H

#include "hook_program.h"

/* The neighbours of our program. Arena memory. */
struct hook_chain {
	const char **words; /* "before: program cil_from_netdev (id 12)", in the kernel's order */
	size_t count;
	int err;		  /* 0: the list is complete */
	bool found;		  /* ours is among them */
	const char *first_before; /* the first that is not of flowreeve and runs before ours, or
				     NULL */
	/* on a device: the first program that runs before ours and may take packets that ours never
	 * sees, or NULL */
	const char *preempted_by;
	bool passable; /* a new link or filter of ours would come before them */
};
void hook_chain_read(const struct hook_ref *at, struct arena *arena, struct hook_chain *out);
/* The programs of flowreeve on a hook, of any pin root. */
int hook_flowreeve_programs(const struct hook_ref *at, struct arena *arena, uint32_t **out,
			    size_t *count);

#endif
