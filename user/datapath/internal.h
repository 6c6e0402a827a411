/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the datapath floor share. Not a door: other floors include datapath.h.
 *
 * Pins:  <pin root>/<policy>/link.<n>.<hook>        links; they live across epochs
 *        <pin root>/<policy>/e<epoch>/<map>         the maps of the programs
 *                                     <variant>.<program>
 *                                     image.<generation>, rules.…, hooks.…, state.…
 *
 * An epoch is one set of programs with the outer map that they judge by. The generation in force is the
 * highest one that slot 0 of any epoch's fr_images holds (of equals, the lowest epoch's): so one store
 * in the kernel also says which records of user space count, and what a killed command left behind is
 * whatever does not belong to that generation.
 */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "datapath.h"

/* ---------------------------------------------------------------- names */

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
	PROGRAM_CLOCK,
	PROGRAM_COUNT
};
extern const char *const program_names[PROGRAM_COUNT];

enum kernel_map {
	MAP_IMAGES,
	MAP_COUNTERS,
	MAP_REASONS,
	MAP_TALLIES,
	MAP_FLOWS,
	MAP_EMBRYOS,
	MAP_PINGS,
	MAP_DENIED,
	MAP_FRAGMENTS,
	MAP_THROTTLE,
	MAP_EVENTS,
	MAP_CONTROL,
	MAP_OWNER,
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

#define NO_LOC ((struct loc){0})

/* ---------------------------------------------------------------- load.c: programs and maps */

struct object;
struct object_request {
	uint32_t image_lines; /* size class of the images */
	uint32_t slots;	      /* capacity of fr_counters */
	uint32_t flows;	      /* capacity of fr_flows, 0: the default */
	uint32_t first, last; /* generations in which the programs judge */
	uint32_t programs;    /* bit mask of enum program */
	bool tracing;
	int reuse[MAP_COUNT]; /* maps to share instead of making new ones, else -1 */
};
int object_load(const struct object_request *request, struct diags *d, struct object **out);
void object_close(struct object *object); /* NULL is fine */
int object_map(const struct object *object, const char *name); /* borrowed; -1 when absent */
int object_program(const struct object *object, enum program program);
/* "0.1.0 (12 hex digits of the object's digest)" */
void object_build(char out[FR_NAME_MAX]);
void libbpf_quiet(void);

/* ---------------------------------------------------------------- install.c: images */

uint32_t image_class(uint32_t lines);  /* power of two that holds them */
uint32_t slots_class(uint32_t rules);
uint32_t clock_hz(void);
int image_map_create(uint32_t lines);  /* an inner map, or -errno */
struct install {
	const struct image *image;
	uint32_t class_lines;
	uint32_t generation;
	uint32_t extra_flags;
	uint64_t adopt_until;
	const uint32_t *slot; /* by rule number; NULL: the rule's own number */
};
/* A new inner map with the image as the programs need it; verified. fd, or -errno with a diagnostic. */
int image_install(const struct install *install, struct diags *d);
int image_map_view(int fd, struct image *out); /* map it read-only */

/* ---------------------------------------------------------------- clock.c */
int clock_run(int program_fd, int control_fd, struct clock_pair *out);

#endif
