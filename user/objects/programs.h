/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs and maps of the kernel object, by name, and pinned programs. */
#ifndef OBJECTS_PROGRAMS_H
#define OBJECTS_PROGRAMS_H

#include "../base/base.h"

enum program {
	PROGRAM_IF_INGRESS,
	PROGRAM_IF_EGRESS,
	PROGRAM_GUEST_INGRESS,
	PROGRAM_GUEST_EGRESS,
	PROGRAM_IF_INGRESS_L3,
	PROGRAM_IF_EGRESS_L3,
	PROGRAM_GUEST_INGRESS_L3,
	PROGRAM_GUEST_EGRESS_L3,
	PROGRAM_CG_INGRESS,
	PROGRAM_CG_EGRESS,
	PROGRAM_CONNECT4,
	PROGRAM_CONNECT6,
	PROGRAM_SENDMSG4,
	PROGRAM_SENDMSG6,
	PROGRAM_SOCK_CREATE,
	PROGRAM_LOCAL,
	PROGRAM_CLOCK,
	PROGRAM_IMPORT,
	PROGRAM_COUNT
};
extern const char *const program_names[PROGRAM_COUNT];

enum kernel_map {
	MAP_IMAGES,
	MAP_COUNTERS,
	MAP_REASONS,
	MAP_TALLIES,
	MAP_HASHING,
	MAP_FLOWS,
	MAP_REGIONS,
	MAP_TIMES,
	MAP_DROPS,
	MAP_DROP_LOCKS,
	MAP_BUDGET,
	MAP_PORTS,
	MAP_FRAGMENTS,
	MAP_TRANSIT,
	MAP_EVENTS,
	MAP_CONTROL,
	MAP_OWNER,
	MAP_PROCESSES,
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

/* Programs of an epoch: 's' for hooks that stay, 'j' that join, 'l' that leave. fd or -errno. */
int program_open(const char *pins, char variant, enum program program);

#endif
