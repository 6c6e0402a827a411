/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of the kernel object by name, and their pins. */
#include "programs.h"

#include <errno.h>
#include <stdio.h>

#include "../host/host.h"
#include "pins.h"

const char *const program_names[PROGRAM_COUNT] = {
	[PROGRAM_IF_INGRESS] = "fr_if_ingress",
	[PROGRAM_IF_EGRESS] = "fr_if_egress",
	[PROGRAM_GUEST_INGRESS] = "fr_guest_ingress",
	[PROGRAM_GUEST_EGRESS] = "fr_guest_egress",
	[PROGRAM_IF_INGRESS_L3] = "fr_if_ingress_l3",
	[PROGRAM_IF_EGRESS_L3] = "fr_if_egress_l3",
	[PROGRAM_GUEST_INGRESS_L3] = "fr_guest_ingress_l3",
	[PROGRAM_GUEST_EGRESS_L3] = "fr_guest_egress_l3",
	[PROGRAM_CG_INGRESS] = "fr_cg_ingress",
	[PROGRAM_CG_EGRESS] = "fr_cg_egress",
	[PROGRAM_CONNECT4] = "fr_connect4",
	[PROGRAM_CONNECT6] = "fr_connect6",
	[PROGRAM_SENDMSG4] = "fr_sendmsg4",
	[PROGRAM_SENDMSG6] = "fr_sendmsg6",
	[PROGRAM_SOCK_CREATE] = "fr_sock_create",
	[PROGRAM_LOCAL] = "fr_local",
	[PROGRAM_RECVMSG4] = "fr_recvmsg4",
	[PROGRAM_RECVMSG6] = "fr_recvmsg6",
	[PROGRAM_CLOCK] = "fr_clock",
	[PROGRAM_IMPORT] = "fr_import",
};

enum { PIN_NAME = 64 };

static void pin_name(enum prog_variant variant, enum program program, char out[PIN_NAME])
{
	static const char letters[PROG_VARIANTS] = {
		[PROG_STEADY] = 's', [PROG_JOINING] = 'j', [PROG_LEAVING] = 'l'};

	snprintf(out, PIN_NAME, "%c-%s", letters[variant], program_names[program]);
}

int program_open(const char *pins, enum prog_variant variant, enum program program)
{
	char name[PIN_NAME];

	pin_name(variant, program, name);
	return pin_open(pins, name);
}

int program_store(int fd, const char *pins, enum prog_variant variant, enum program program)
{
	char name[PIN_NAME];

	pin_name(variant, program, name);
	return pin_store(fd, pins, name);
}

static int variant_open(const char *pins, enum prog_variant variant, enum program program,
			uint32_t *id)
{
	CLEANUP(close_fd) int fd = program_open(pins, variant, program);
	int err = fd < 0 ? fd : fd_program_id(fd, id);

	return err ? err : TAKE_FD(fd);
}

/* The one with this id among these variants, or -ENOENT; `other` is the first of the rest, or -1.
 */
static int program_search(const char *pins, uint32_t variants, enum program program, uint32_t id,
			  int *other)
{
	for (int variant = 0; variant < PROG_VARIANTS; variant++) {
		CLEANUP(close_fd) int fd = -1;
		uint32_t its_id;

		if (!(variants & PROG_BIT(variant)))
			continue;
		fd = variant_open(pins, (enum prog_variant)variant, program, &its_id);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || its_id == id)
			return TAKE_FD(fd);
		if (*other < 0)
			*other = TAKE_FD(fd);
	}
	return -ENOENT;
}

int program_choose(const char *pins, uint32_t variants, enum program program, uint32_t id)
{
	CLEANUP(close_fd) int other = -1;
	CLEANUP(close_fd) int same = program_search(pins, variants, program, id, &other);

	if (same >= 0)
		return -EALREADY;
	return same == -ENOENT && other >= 0 ? TAKE_FD(other) : same;
}

int program_open_id(const char *pins, uint32_t variants, enum program program, uint32_t id)
{
	CLEANUP(close_fd) int other = -1;

	return program_search(pins, variants, program, id, &other);
}
