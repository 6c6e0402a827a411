/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One change of a policy: the state that runs, the state to reach, and the part of the new one
 * that exists already.
 */
#ifndef DATAPATH_CHANGE_H
#define DATAPATH_CHANGE_H

#include "../attach/attach.h"
#include "../objects/objects.h"
#include "datapath.h"
#include "slots.h"

struct planned_point {
	struct fr_hook_record record;
	const char *path; /* of the cgroup */
	bool stays;	  /* else it joins */
	bool moves;	  /* it joins in place of the one that runs there */
};

struct lowering_list {
	struct lowering *list;
	size_t count, capacity;
};

/* An attached interface that is a port of a bridge, or a guest of a party. */
struct planned_port {
	uint32_t ifindex;
	struct fr_port is;
};

struct change {
	const struct apply_request *request;
	struct diags *d;
	const char *root;
	const char *policy;
	struct fr_state command; /* its source and options */

	/* the running policy; running.epoch is 0 when none runs */
	struct running running;
	struct image live;
	uint32_t live_class; /* lines of its map */
	struct records old_rules, old_hooks, old_state, old_requests;
	int old_counters;   /* -1: none */
	uint32_t old_slots; /* their number */

	/* the new policy */
	struct planned_point *points;
	size_t point_count;
	const struct fr_hook_record **leaving;
	size_t leaving_count;
	size_t joining_count;
	struct slot_plan slots;
	uint32_t extra_flags;		      /* facts of the host, for the head */
	uint32_t conntrack;		      /* and for the ident, in seconds */
	struct fr_subnet subnets[FR_SUBNETS]; /* and for an image that awaits answers */
	struct planned_port *ports;
	size_t port_count, bridge_ports; /* the latter first, then guests of parties */
	char build[FR_NAME_MAX];
	bool same_hooks; /* attached as they are, by the same names */
	struct lowering_list lowered;
	bool denies;	 /* the running policy has deny rules */
	bool same_shape; /* the running programs and maps can take the new image */
	bool new_table;	 /* of flows; the old one is used until the flip */
	bool older;	 /* the running policy has an older layout and is only taken over */
	bool taken_over; /* this command has taken it over */

	/* the parts of the new generation that exist */
	pin_path pins;
	uint32_t generation;
	struct records rules, new_hooks, state, requests;
	int image;
	int import; /* program that puts flows into the new table */
};

/* Everything that change_free() closes. */
#define CHANGE_NEW .old_counters = -1, .image = -1, .import = -1

int change_open(struct change *change); /* opens the running policy */
void change_free(struct change *change);
/* A map of records of the new generation, pinned, with its memory in *out. */
int change_record(const struct change *change, const char *name, uint32_t size, uint32_t count,
		  struct records *out);
/* Its list of failsafe rules. */
int change_failsafe(const struct change *change, const struct fr_failsafe *list);
/* The commit point: the new generation is in force if and only if this returns 0. A later failure
 * is a warning. */
int change_flip(const struct change *change);

#endif
