/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One change of a policy on its way to the kernel: what runs, what shall run, and what of the new
 * is there already. Shared by plan.c, claims.c, epoch.c and apply.c.
 */
#ifndef DATAPATH_CHANGE_H
#define DATAPATH_CHANGE_H

#include "internal.h"

enum fate { HOOK_JOINS, HOOK_STAYS };

struct planned_hook {
	struct fr_hook_record record;
	const char *path; /* of the cgroup */
	enum fate fate;
	bool moves; /* it joins in place of the one that runs there */
};

struct lowering_list {
	struct lowering *list;
	size_t count, capacity;
};

/* An attached interface that is a port of a bridge. */
struct planned_port {
	uint32_t ifindex;
	struct fr_port is;
};

struct change {
	const struct apply_request *request;
	struct diags *d;
	const char *root;
	const char *policy;
	struct fr_state command; /* source and words of it */

	/* what runs; running.epoch is 0 when nothing does */
	struct running running;
	struct image live;
	uint32_t live_class; /* lines of its map */
	struct records old_rules, old_hooks, old_state, old_requests;
	int old_counters;   /* -1: none */
	uint32_t old_slots; /* that they have */

	/* what shall run */
	struct planned_hook *hooks;
	size_t hook_count;
	const struct fr_hook_record **leaving;
	size_t leaving_count;
	size_t joining_count;
	struct slot_plan slots;
	uint32_t extra_flags; /* facts of the host, for the head */
	uint32_t conntrack;   /* and for the ident, in seconds */
	struct planned_port *ports;
	size_t port_count;
	char build[FR_NAME_MAX];
	bool same_hooks; /* attached as they are, by the same names */
	struct lowering_list lowered;
	bool denies;	 /* what runs has deny rules */
	bool same_shape; /* the programs and maps that run can take the new image */
	bool new_table;	 /* of flows, and the one that runs goes on until the flip */
	bool older;	 /* what runs is of the layout before, and shall only be taken over */
	bool taken_over; /* that has been done, by this command */

	/* the new, as far as it is made */
	pin_path pins;
	uint32_t generation;
	struct records rules, new_hooks, state, requests;
	int image;
	int import; /* program that puts flows into the new table */
};

/* All that is closed by change_free(). */
#define CHANGE_NEW .old_counters = -1, .image = -1, .import = -1

int change_plan(struct change *change);
int change_open(struct change *change); /* what runs; part of it */
/* A pin of its own beside those of what runs; *number: the last that was given. */
void hook_name_pin(const struct change *change, struct fr_hook_record *record, uint32_t *number);
void change_free(struct change *change);
/* What the change lowers goes to change->lowered; -ECANCELED when the command does not allow it. */
int lowering_check(struct change *change);
/* Nobody else has the attach points: -EBUSY names who. */
int claims_check(struct change *change);
/* Does somebody stand before this hook, whom a new link or filter would pass? */
bool claim_lost_front(const struct change *change, const struct planned_hook *hook);
/* Who stands before the hooks of what is in force now. */
void claims_warn(const struct change *change);
/* Ports of bridges: found, the same as the programs know, told to the programs of change->pins. */
int ports_plan(struct change *change);
bool ports_same(const struct change *change);
int ports_pinned(const struct change *change, bool *out); /* else new programs are made */
int ports_store(const struct change *change);
/* A new epoch next to the one that runs, judging by a copy of what is in force. */
int epoch_make(struct change *change);
/* Both maps of that name: what runs, and what comes. 1 when they are two, 0 when they are one, or
 * the old one is missing or not ours. The caller closes them. */
int two_maps(const struct change *change, enum kernel_map which, int *old, int *new);
/* What the old table of flows knows, where the new epoch has another one: at the flip, or where
 * attach points change over one by one, part of epoch_make. */
int flows_carry(const struct change *change);
int flows_carry_older(const struct change *change); /* where what runs is of the layout before */
/* Its links and filters: staying and leaving ones get its programs, joining ones are made. */
int epoch_attach(struct change *change);
/* A map of records of the new generation, pinned, with its memory in *out. */
int change_record(const struct change *change, const char *name, uint32_t size, uint32_t count,
		  struct records *out);
/* Takes over what an older flowreeve has applied: the same rules at the same attach points, by
 * programs and maps of this one. */
int policy_upgrade(const struct change *planned);
/* Counters that the old epoch's programs kept in a map that does not go on. After epoch_attach. */
int epoch_carry(struct change *change);

#endif
