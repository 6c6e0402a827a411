/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads the kernel object. */
#ifndef OBJECTS_LOAD_H
#define OBJECTS_LOAD_H

#include "../../bpf/abi.h"
#include "../base/base.h"
#include "maps.h"
#include "programs.h"

struct object;
struct object_request {
	uint32_t image_lines; /* size class of the images */
	uint32_t slots;	      /* capacity of fr_counters */
	uint32_t flows;	      /* capacity, 0: the default */
	uint32_t first, last; /* generations in which the programs judge */
	uint32_t programs;    /* bit mask of enum program */
	bool tracing;
	bool one_space;	      /* packets have no socket that shows their namespace */
	bool statistics;      /* of the verifier, for object_verified() */
	int reuse[MAP_COUNT]; /* maps to share instead of making new ones, else -1 */
};
int object_load(const struct object_request *request, struct diags *d, struct object **out);
void object_close(struct object *object);		       /* accepts NULL */
int object_map(const struct object *object, const char *name); /* borrowed; -1 when absent */
int object_program(const struct object *object, enum program program);
/* Instructions that the verifier processed; 0 without `statistics`. */
uint32_t object_verified(const struct object *object, enum program program);
/* "0.1.0 (12 hex digits of the object's digest)" */
void object_build(char out[FR_NAME_MAX]);
void libbpf_quiet(void);
/* Sets of a table with this capacity of flows; 0: the default. */
uint32_t flow_sets(uint32_t flows);

#endif
