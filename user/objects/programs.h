/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of the kernel object by name, and their pins. */
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
	PROGRAM_RECVMSG4,
	PROGRAM_RECVMSG6,
	PROGRAM_CLOCK,
	PROGRAM_IMPORT,
	PROGRAM_COUNT
};
extern const char *const program_names[PROGRAM_COUNT];

/* Programs of an epoch: for hooks that stay, join or leave. The last two judge on one side of the
 * flip only. */
enum prog_variant { PROG_STEADY, PROG_JOINING, PROG_LEAVING, PROG_VARIANTS };
#define PROG_BIT(variant) (1u << (variant))
#define PROG_AFTER_FLIP (PROG_BIT(PROG_STEADY) | PROG_BIT(PROG_JOINING))
#define PROG_BEFORE_FLIP (PROG_BIT(PROG_STEADY) | PROG_BIT(PROG_LEAVING))

/* fd or -errno */
int program_open(const char *pins, enum prog_variant variant, enum program program);
int program_store(int fd, const char *pins, enum prog_variant variant, enum program program);
/* Opens the first of the variants (bits PROG_BIT()) that is pinned; -EALREADY when `id` is one of
 * them, -ENOENT when none is pinned. */
int program_choose(const char *pins, uint32_t variants, enum program program, uint32_t id);

/* Opens the program with that id among the pinned variants; -ENOENT: none has it. */
int program_open_id(const char *pins, uint32_t variants, enum program program, uint32_t id);

/* What may be wrong with the program of a pin. */
enum program_fault {
	PROGRAM_RIGHT,
	PROGRAM_UNSEEN, /* it is right as far as this process may look: without CAP_SYS_ADMIN, its
			   images alone */
	PROGRAM_OTHER,	/* it is another program */
	PROGRAM_IMAGES, /* it does not judge by the pinned images */
	PROGRAM_MAP,	/* in the place of one of its maps, another is pinned */
};
/* *map: the name of that map. Pins of maps that are missing are left out. */
int program_check(int fd, enum program program, const char *pins, enum program_fault *out,
		  const char **map);

#endif
