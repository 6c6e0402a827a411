/* SPDX-License-Identifier: GPL-2.0-only */
/* Who else is on a hook. */
#ifndef ATTACH_NEIGHBOURS_H
#define ATTACH_NEIGHBOURS_H

#include "links.h"

/* Who shares a hook with the program of ours that is there. Arena memory. */
struct company {
	const char **words; /* "before: program cil_from_netdev (id 12)", in the kernel's order */
	size_t count;
	int err;    /* 0: all that is on the hook was told */
	bool found; /* ours is among them */
	/* on a device, who stands before ours and may take packets that ours never sees, or NULL */
	const char *behind;
	bool passable; /* a link or filter of ours that is made anew would stand before them */
};
struct place {
	const struct fr_hook_record *hook;
	const struct hook_program *site;
	const char *path; /* of the cgroup directory, NULL when it cannot be told */
	uint32_t program; /* ours, that is there */
};
void hook_company(const struct place *place, struct arena *arena, struct company *out);
/* The programs of flowreeve on a hook, of whichever pin root. */
int hook_flowreeve(const struct place *place, struct arena *arena, uint32_t **out, size_t *count);

#endif
