/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A site while it is resolved: the inventory of hosts, the players of the roles of each `use`, and
 * the policy of each host as nodes that point into the site's file. Internal to site/.
 */
#ifndef SITE_MODEL_H
#define SITE_MODEL_H

#include "site.h"
#include "../policy/use.h"

struct site_host {
	const char *name;
	struct loc loc;
	const struct node *node;
	const struct node **addresses; /* each a scalar that is one address */
	struct prefix *prefixes;       /* the same as numbers */
	size_t address_count;
	bool plays;
};

/* One entry below a role: a host, or a peer as in a policy. */
struct site_member {
	const struct node *node;
	const struct site_host *host; /* NULL: addresses of no host of the inventory */
	struct peers peers;
};

/* The reason why a host plays a role. */
struct site_part {
	const struct site_member *member;
	const struct node *by; /* the prefix that its address is in, or NULL: by its name */
};

struct site_role {
	const struct node *node; /* below `roles`, or NULL */
	struct site_member *members;
	size_t member_count;
	struct site_part *parts; /* by host number; member NULL: not played */
	size_t part_count;
	bool wanted;
};

struct site_use {
	struct use use;
	struct site_role *roles; /* by role number */
	bool *stands;		 /* by row number */
	bool good;
};

struct site {
	struct job *job;
	const struct node *root;
	const char *path, *name;
	struct site_host *hosts;
	size_t host_count;
	struct index by_name, by_address; /* -> struct site_host */
	struct site_use *uses;
	size_t use_count;
	bool hosts_broken;  /* an address or a name is wrong: the players are a guess */
	bool broken;	    /* errors were reported: consequences of them are not */
	struct draft draft; /* its tables and prefix sets are those of every host */
};

/* ---------------------------------------------------------------- inventory.c */

void inventory_parse(struct site *site);
/* Members of a role as written. False after errors. */
bool members_parse(struct site *site, const struct node *node, struct site_role *role);
/* Finds the hosts that play the role. */
void members_play(struct site *site, struct site_role *role);
/* Does another host, or an address, play the role? */
bool role_has_others(const struct site_role *role, const struct site_host *host);

/* ---------------------------------------------------------------- site_use.c */

void site_uses_parse(struct site *site);

/* ---------------------------------------------------------------- site_host.c */

/* The policy of one host, resolved; its errors go to the site's diags, once. */
void site_host_resolve(struct site *site, const struct site_host *host, struct plan *out);

#endif
