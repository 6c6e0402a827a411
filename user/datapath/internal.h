/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the datapath floor share. Not a door: other floors include datapath.h.
 *
 * Pins:  <pin root>/<policy>/link-<n>-<hook>        links; they live across epochs
 *        <pin root>/<policy>/e<epoch>/<map>         the maps of the programs
 *                                     <variant>-<program>
 *                                     image-<generation>, rules-…, hooks-…, state-…
 * All directories are of root or the caller, with mode 0700 (pin_dirs.c).
 * (bpffs takes no name with a dot.)
 *
 * An epoch is one set of programs with the outer map that they judge by. The generation in force is
 * the highest one that slot 0 of any epoch's fr_images holds (of equals, the lowest epoch's): so
 * one store in the kernel also says which records of user space count, and what a killed command
 * left behind is whatever does not belong to that generation.
 */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <linux/bpf.h>
#include <linux/netlink.h>
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
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

#define NO_LOC ((struct loc){0})

/* ---------------------------------------------------------------- load.c: programs and maps */

struct object;
struct object_request {
	uint32_t image_lines; /* size class of the images */
	uint32_t slots;	      /* capacity of fr_counters */
	uint32_t flows;	      /* capacity, 0: the default */
	uint32_t first, last; /* generations in which the programs judge */
	uint32_t programs;    /* bit mask of enum program */
	bool tracing;
	bool one_space;	      /* packets of cgroups have no socket to tell them apart */
	bool statistics;      /* of the verifier, for object_verified() */
	int reuse[MAP_COUNT]; /* maps to share instead of making new ones, else -1 */
};
int object_load(const struct object_request *request, struct diags *d, struct object **out);
void object_close(struct object *object);		       /* NULL is fine */
int object_map(const struct object *object, const char *name); /* borrowed; -1 when absent */
int object_program(const struct object *object, enum program program);
/* Instructions that the verifier looked at; 0 without `statistics`. */
uint32_t object_verified(const struct object *object, enum program program);
/* "0.1.0 (12 hex digits of the object's digest)" */
void object_build(char out[FR_NAME_MAX]);
void libbpf_quiet(void);
/* Sets of the table that has room for so many flows; 0: the default. */
uint32_t flow_sets(uint32_t flows);

/* ---------------------------------------------------------------- install.c: images */

uint32_t image_class(uint32_t lines); /* power of two that holds them */
uint32_t slots_class(uint32_t rules);
uint32_t clock_hz(void);
int image_map_create(uint32_t lines); /* an inner map, or -errno */
struct install {
	const struct image *image;
	uint32_t class_lines;
	uint32_t generation;
	uint32_t extra_flags;
	uint64_t adopt_until;
	uint32_t conntrack;   /* seconds, of host_conntrack() */
	const uint32_t *slot; /* by rule number; NULL: the rule's own number */
};
/* A new inner map with the image as the programs need it; verified. fd, or -errno with a
 * diagnostic. */
int image_install(const struct install *install, struct diags *d);
int image_map_view(int fd, struct image *out); /* map it read-only */
/* For so long after a packet went out it surely remembers, of a shortest time-out. */
uint32_t conntrack_jiffies(uint32_t seconds);

/* ---------------------------------------------------------------- clock.c */
int clock_run(int program_fd, struct clock_pair *out);

/* ---------------------------------------------------------------- host.c: what must be there */

int host_privileges(struct diags *d);
int host_capabilities(uint64_t *out); /* effective ones, by number */
/* The pin root lies in a bpffs; with `mount`, /sys/fs/bpf is mounted where it is missing. */
int host_bpffs(const char *pin_root, bool mount, struct diags *d);
/* Whether host_bpffs() would mount it, if it may. */
bool bpffs_mountable(const char *pin_root);
const char *pin_root(const struct host_options *o);

/* ---------------------------------------------------------------- conntrack.c */

/* Seconds after which conntrack forgets a datagram at the earliest; 30 at most. */
int host_conntrack(uint32_t *out);

/* ---------------------------------------------------------------- netlink.c */

/* Calls `visit` for each message of a dump; a non-zero return ends it. -EAGAIN: what is listed
 * changed meanwhile. */
typedef int (*on_message)(const struct nlmsghdr *message, void *context);
int netlink_dump(struct nlmsghdr *request, on_message visit, void *context);

/* ---------------------------------------------------------------- resolve.c */

bool is_pattern(const char *name);
struct interfaces {
	struct interface *list;
	size_t count;
};
const struct interface *interface_at(const struct interfaces *all, uint32_t ifindex); /* or NULL */
/* By its own name or an alternative one; a pattern never takes the device lo. */
bool interface_fits(const struct interface *interface, const char *request);
/* A port of a bridge or bond by which this host sends nothing but through that. */
bool interface_is_port(const struct interface *interfaces, size_t count,
		       const struct interface *port);
/* A veth or netkit. */
bool interface_has_peer(const struct interface *interface);
/* Calls `visit` with the path of each cgroup that the pattern fits; a non-zero return ends it. A
 * cgroup that cannot be looked into is an error. */
int cgroups_each(const char *pattern, int (*visit)(const char *path, uint64_t id, void *),
		 void *context);
/* The path below the root, without slashes at its end; NULL when it tries to leave the root. */
char *cgroup_path_of(struct arena *arena, const char *root, const char *name);

/* ---------------------------------------------------------------- ports.c */

/* Why what the programs know of the bridge of this interface holds no longer; NULL: it does, or
 * there is none. An error: that cannot be told. */
int port_fault(const struct instance *instance, const struct fr_hook_record *hook,
	       struct arena *arena, const char **out);

/* ---------------------------------------------------------------- cgroup2.c */
bool cgroup2_is(const char *path);
const char *cgroup2_find(const struct host_options *o, struct arena *arena); /* NULL: none */

/* ---------------------------------------------------------------- netns.c */

/* Enter the namespace of that inode; *back is -1 when the caller was there already. -ESRCH: nothing
 * on this host refers to it any more. Any other error: that cannot be told. */
int netns_enter(uint64_t inode, int *back);
void netns_leave(int *back);
/* Where that namespace is mounted, or NULL. */
const char *netns_path(struct arena *arena, uint64_t inode);

/* ---------------------------------------------------------------- requests.c */

/* Those of another network namespace; an error without a diagnostic: it cannot be entered. */
int interfaces_of(uint64_t netns, struct arena *arena, struct diags *d, struct interface **out,
		  size_t *count);

/* ---------------------------------------------------------------- others.c */

/* An attach point of another policy of the pin root, alive. */
struct other {
	const char *policy;
	bool enforced;
	struct fr_hook_record hook;
};
struct others {
	struct other *list;
	size_t count, capacity;
};
void others_find(const char *root, const char *policy, struct arena *arena, struct others *out);
/* Who judges this place; NULL: nobody else. */
const struct other *other_at(const struct others *others, const struct fr_hook_record *place);

/* ---------------------------------------------------------------- overlap.c */

struct overlap_request {
	const char *root, *policy;
	const struct fr_hook_record *hooks; /* in use, of the policy */
	size_t hook_count;
};
int overlaps_find(const struct overlap_request *request, struct arena *arena, struct diags *d,
		  struct remarks *out);

/* ---------------------------------------------------------------- pins.c: what is pinned where */

enum { PIN_PATH = 288 };
typedef char pin_path[PIN_PATH];

/* The generation in force of one policy. */
struct running {
	char dir[256];	/* of the policy */
	pin_path pins;	/* of the epoch */
	uint32_t epoch; /* 0: nothing is in force */
	uint32_t generation;
	uint32_t epoch_last; /* highest that has a directory */
	uint32_t layout;     /* FR_ABI_VERSION of who applied it; 0 before it is settled */
};
/* Here and below: 0 and a value, or -errno when it cannot be read, which is never taken for
 * absence. The generation that the programs of one epoch judge by, 0 when there is none. */
int epoch_generation(const char *dir, uint32_t *out);
/* Store it in FR_SLOT_BEFORE of `images`, before it is replaced. */
int image_keep(const char *dir, int images);
/* -ENOENT: the policy has no directory. */
int running_find(const char *root, const char *policy, struct running *out);
/* What is pinned is missing or not ours, and stays so; any other error may be over next time. */
bool pins_damaged(int err);
/* This process lacks descriptors or memory, or the system failed: nothing was learnt. */
bool lacks_means(int err);
/* An error that keeps from reading what is pinned at or below `path`; returns one. */
int pins_unreadable(const char *path, int err, struct diags *d);
/* <dir>/<name> and <dir>/<name>-<number>; fd or -errno. */
int pin_open(const char *dir, const char *name);
int pin_open_number(const char *dir, const char *name, uint32_t number);
/* The same, and it must be a map of these sizes: who reads one of another reads past its own
 * memory. */
int pin_open_map(const char *dir, const char *name, uint32_t key_size, uint32_t value_size);
int pin_store(int fd, const char *dir, const char *name);
int pin_store_number(int fd, const char *dir, const char *name, uint32_t number);
/* Calls `visit` for each entry of a directory, in no order; a non-zero return ends it. */
int pin_each(const char *dir, int (*visit)(const char *dir, const char *name, void *),
	     void *context);
int pin_remove(const char *dir, const char *name); /* 0 when it is not there */
int pin_remove_tree(const char *dir);		   /* an epoch with all that is pinned in it */
bool pin_number(const char *name, const char *prefix, uint32_t *out); /* "image-12" */
/* The pin root, for a change: locked, and pins_check() has nothing against it. -ENOENT without a
 * diagnostic: there is none. */
int pin_lock(const char *root, bool create, struct diags *d, int *lock);
/* The same for reading, which takes no lock: its descriptor. */
int pins_look(const char *root, struct diags *d);
int fd_map_id(int fd, uint32_t *out);
int fd_map_entries(int fd, uint32_t *out);
int fd_program_id(int fd, uint32_t *out);
/* A directory below the pin root is a policy of ours: it holds links or epochs, or nothing at all.
 */
int policy_is_ours(const char *dir, bool *out);
/* Names of the policies below the pin root; only those with a generation in force unless `all`.
 */
int policy_names(const char *root, bool all, struct arena *arena, const char ***names,
		 size_t *count);

/* ---------------------------------------------------------------- pin_dirs.c: whose they are */

/* The pin root's descriptor. Nobody but root and the caller may change it or put another in its
 * place; what was open to others is closed to them. -ENOENT, -ENOTSUP without a diagnostic: it is
 * not there, or in no bpffs. */
int pin_root_open(const char *root, bool create, struct diags *d);
bool pin_root_is(int fd, const char *root); /* still */
/* The same of all that is below it, and of one directory. */
int pins_check(int root_fd, const char *root, struct diags *d);
int pin_dir_check(const char *dir, struct diags *d);
/* Where other users may write in the bpffs that the pin root is in: that directory and its mode;
 * false when there is none. */
bool bpffs_open_to_others(const char *pin_root, pin_path at, unsigned *mode);

/* ---------------------------------------------------------------- records.c: maps of user space */

struct records {
	void *list;
	uint32_t count;
	size_t size; /* of the mapping */
};
int records_create(const char *name, uint32_t value_size, uint32_t count, struct records *out);
int records_map(int fd, struct records *out);
void records_unmap(struct records *records);
int records_open(const char *dir, const char *name, uint32_t generation, struct records *out);

/* ---------------------------------------------------------------- older.c: layouts before */

/* This one, or one before, which apply takes over. */
bool layout_is_known(uint32_t abi);
/* Records of the layout before become those of today, in memory of their own, which changes nothing
 * that is pinned; -EBADMSG: they are not of that. */
int older_records(const char *name, struct records *records);
/* Programs of today share this map with those of before. */
bool older_map_goes_on(enum kernel_map which);
/* Each flow in the tables of an epoch of before, as a struct fr_flow. As sets_each(). */
int older_flows_each(const char *pins, uint32_t layout, entry_visit visit, void *context);
/* How many flows they were made for, 0 when that cannot be told. */
int older_flows_room(const char *pins, uint32_t layout, uint32_t *out);
/* The figures of rules, reasons and tallies, where those that are kept today were kept before, into
 * the maps of a new epoch in which nothing counts yet. */
int older_figures(const char *pins, uint32_t layout, const char *new_pins, uint32_t slots);

/* ---------------------------------------------------------------- words.c: how it was applied */

/* The command of an apply goes to its record of state, whole: -E2BIG with a diagnostic when it is
 * too long. */
int words_store(const struct apply_request *request, struct diags *d, struct fr_state *out);
/* The options; arena memory. Returns how many words. */
size_t words_load(const struct fr_state *state, struct arena *arena, const char ***out);
/* Where the policy's cgroups are looked for: as the host's options say, else as it was applied. */
struct host_options words_host(const struct fr_state *state, const struct host_options *o,
			       struct arena *arena);
int instance_state(const struct instance *instance, struct fr_state *out);

/* ---------------------------------------------------------------- counters.c */

int counters_sum(int counters, uint32_t slot, struct fr_counters *out);
void counters_add(struct fr_counters *to, const struct fr_counters *what);
void counters_negate(struct fr_counters *of);

/* ---------------------------------------------------------------- slots.c: rule identity */

/* The slot of each rule of the new generation by number, and what goes into its records; `old` has
 * to stay as long. */
struct slot_plan {
	const struct ruleset *rs;
	const struct fr_rule_record *old;
	uint32_t old_count;
	uint32_t count;		  /* slots in use or remembered: highest + 1 */
	uint32_t *slot, *rule;	  /* by number and by slot, UINT32_MAX for none */
	bool *kept;		  /* by number: the slot is the one that the rule had */
	struct fr_counters *base; /* by number, of those that are new */
	uint64_t now;
	bool same; /* nothing but what `old` says */
};
void slot_record(const struct slot_plan *plan, uint32_t slot, struct fr_rule_record *out);
int slots_plan(const struct ruleset *rs, const struct records *old, int counters,
	       struct arena *arena, struct slot_plan *out);

/* ---------------------------------------------------------------- links.c: one attach point */

enum { HOW_TCX, HOW_CLSACT, HOW_CGROUP, HOW_NETNS };
enum { SITES_MAX = 7 };
/* One hook of an attach point, and the program that belongs there. */
struct site {
	const char *name; /* "ingress", "connect4" */
	const char *text; /* "tcx/ingress", "cgroup_skb/ingress", "connect4" */
	uint32_t attach_type;
	enum program program;
	bool optional;
};
size_t hook_sites(const struct fr_hook_record *hook, struct site out[SITES_MAX]);
bool hook_same_place(const struct fr_hook_record *a, const struct fr_hook_record *b);
/* How many of its sites are attached, but for optional ones; alive when all are. */
int hook_alive_sites(const char *dir, const struct fr_hook_record *hook, size_t *out);
int hook_alive(const char *dir, const struct fr_hook_record *hook, bool *out);
/* The program that a hook of ours runs at this site, 0 when there is none. */
int site_program(const char *dir, const struct fr_hook_record *hook, const struct site *site,
		 uint32_t *out);
/* Programs of an epoch: 's' for hooks that stay, 'j' that join, 'l' that leave. fd or -errno. */
int program_open(const char *pins, char variant, enum program program);
struct attach {
	const char *dir, *pins; /* of the policy, of the epoch */
	char variant;
	const char *path; /* of the cgroup */
	struct fr_hook_record
		*hook; /* pinned already: a filter's place is written before it is made */
};
int hook_attach(const struct attach *attach, struct diags *d);
/* Optional links that could not be made when the hook joined, where they can be now. */
void hook_complete(const struct attach *attach);
/* 0: of each of its sites a program of one of `variants` is pinned; -ENOENT: of one there is none.
 */
int hook_programs_pinned(const char *pins, const char *variants, const struct fr_hook_record *hook);
/* Point what is attached at the programs of `pins`, of the first of `variants` that has them. */
int hook_point(const char *dir, const char *pins, const char *variants,
	       const struct fr_hook_record *hook, struct diags *d);
const char *program_words(struct arena *arena, uint32_t id);
void link_name(const struct fr_hook_record *hook, const struct site *site, char out[96]);
int filter_program(const struct fr_hook_record *hook, const struct site *site, uint32_t *out);
int link_remove(const char *dir, const char *name);
int hook_detach(const char *dir, const struct fr_hook_record *hook, struct diags *d);
/* TCX where the kernel has it. */
int tcx_works(uint32_t ifindex, bool *out);

/* ---------------------------------------------------------------- neighbours.c */

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
	const struct site *site;
	const char *path; /* of the cgroup directory, NULL when it cannot be told */
	uint32_t program; /* ours, that is there */
};
void hook_company(const struct place *place, struct arena *arena, struct company *out);
/* The programs of flowreeve on a hook, of whichever pin root. */
int hook_flowreeve(const struct place *place, struct arena *arena, uint32_t **out, size_t *count);

/* ---------------------------------------------------------------- kernel.c: raw bpf(2) */

struct link_target {
	uint32_t type, id, prog_id, ifindex, attach_type;
	uint32_t netns; /* inode */
	uint64_t cgroup;
};
enum {
	LINK_CGROUP = 3,
	LINK_NETNS = 5,
	LINK_TCX = 11,
	ATTACH_TCX_INGRESS = 46,
	ATTACH_TCX_EGRESS = 47
};
enum { QUERY_MAX = 64 };
struct hook_query {
	uint32_t programs[QUERY_MAX], links[QUERY_MAX], count, attach_flags;
};
int link_target(int fd, struct link_target *out);
int tcx_link_create(int program, uint32_t ifindex, uint32_t attach_type);
/* Whether a program of cgroups may ask for the network namespace of any packet (6.15). */
bool packet_space_works(void);
/* A link of a program that is asked for sockets, in the caller's network namespace. */
int netns_link_create(int program);
/* Whether one can be made: 0, or -errno. */
int netns_link_try(void);
/* `target`: ifindex for TCX, an open cgroup directory otherwise. */
int hook_query(uint32_t target, uint32_t attach_type, struct hook_query *out);

/* ---------------------------------------------------------------- instance.c */

int not_applied(const char *policy, const char *root, struct diags *d);
/* Every map that a reader needs is there, and of the size that it reads. */
int running_readable(const struct running *running, bool *out);

/* ---------------------------------------------------------------- command.c */

/* policy_heal_command() for what was found. */
const char *running_heal_command(const struct running *running, struct arena *arena);

/* ---------------------------------------------------------------- list.c */

/* Something of this policy may be in force, and its pins do not say what. */
int policy_unknown(const char *root, const char *policy, bool *out);
/* The error of a policy whose pins are damaged, with the command that heals it. */
int policy_broken(const char *root, const char *policy, int err, struct diags *d);

/* ---------------------------------------------------------------- settle.c */

/* Makes everything below <root>/<policy> belong to the generation in force: links point at its
 * programs, and what an interrupted or finished change has left is gone. Under the lock. */
int policy_settle(const char *root, const char *policy, struct diags *d, struct running *out);
int policy_remove(const char *root, const char *policy, struct diags *d);
/* running_find(), and but for -ENOENT it says why not. */
int running_read(const char *root, const char *policy, struct diags *d, struct running *out);
/* The records of what runs are there, and of the layout of this version. */
int running_check(const struct running *running, struct diags *d);
int other_layout(const struct running *running, uint32_t layout, struct diags *d);

#endif
