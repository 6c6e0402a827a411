/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * site: one inventory for many hosts -> the policy of each. Uses policy, tables, yaml, net and
 * base.
 */
#ifndef SITE_H
#define SITE_H

#include "../policy/policy.h"

/* ---------------------------------------------------------------- a site
 *
 * One inventory for many hosts, with the roles that they play. For each host, the policy that
 * follows from it, as a ruleset and as words ready to be written into a file. Absent strings are
 * NULL; all are in d->arena.
 */
struct plan_peer {
	const char *text; /* as a policy has it */
	const char *host; /* the owner of the address, or NULL */
};

struct plan_peers {
	const char *role;
	uint32_t line; /* of the site, where the role's players are; as in all of these */
	const struct plan_peer *list;
	size_t count;
};

struct plan_left_out {
	const char *row;
	const char *alone; /* the role that no other host plays; NULL: the site leaves it out */
};

/* One role of one table: a `use` of the policy. */
struct plan_use {
	const char *table, *role;
	const char *edition; /* NULL: the table has none */
	uint32_t line;
	const char *by;	 /* the prefix that its address is in; NULL: the host is named */
	const char *set; /* flow YAML */
	const struct plan_peers *peers;
	size_t peer_count;
	const char *const *with;
	size_t with_count;
	const struct plan_left_out *without;
	size_t without_count;
	bool idle; /* no row is left: the policy has no such `use` */
};

/* Another key of the policy: its value in one line, or its items, each in a line. */
struct plan_key {
	const char *key, *value;
	const char *const *items;
	size_t item_count;
};

struct plan {
	const char *host, *policy;
	const struct plan_key *head, *tail; /* keys before and after `use` */
	size_t head_count, tail_count;
	const struct plan_use *uses;
	size_t use_count;
	struct ruleset *rs;
};

struct site_view {
	const char *name;
	const struct source *source;
	const struct plan *plans; /* in file order */
	size_t plan_count;
};

/* Read, parse and resolve a site and each of its hosts. Same contract as policy_load. */
int site_load(const char *path, const struct policy_options *options, struct diags *d,
	      const struct site_view **out);
/* The plan of a host, or NULL with an error in `d`. */
const struct plan *site_plan(const struct site_view *site, const char *host, struct diags *d);

#endif
