/* SPDX-License-Identifier: GPL-2.0-only */
/* One attach point: its links or filters. */
#ifndef ATTACH_LINKS_H
#define ATTACH_LINKS_H

#include "../objects/objects.h"

enum { HOW_TCX, HOW_CLSACT, HOW_CGROUP, HOW_NETNS };
enum { SITES_MAX = 7 };
/* One hook of an attach point, and the program that belongs there. */
struct hook_program {
	const char *name; /* "ingress", "connect4" */
	const char *text; /* "tcx/ingress", "cgroup_skb/ingress", "connect4" */
	uint32_t attach_type;
	enum program program;
	bool optional;
};
size_t hook_sites(const struct fr_hook_record *hook, struct hook_program out[SITES_MAX]);
bool hook_same_place(const struct fr_hook_record *a, const struct fr_hook_record *b);
/* How many of its sites are attached, but for optional ones; alive when all are. */
int hook_alive_sites(const char *dir, const struct fr_hook_record *hook, size_t *out);
int hook_alive(const char *dir, const struct fr_hook_record *hook, bool *out);
/* The program that a hook of ours runs at this site, 0 when there is none. */
int site_program(const char *dir, const struct fr_hook_record *hook,
		 const struct hook_program *site, uint32_t *out);
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
void link_name(const struct fr_hook_record *hook, const struct hook_program *site, char out[96]);
int filter_program(const struct fr_hook_record *hook, const struct hook_program *site,
		   uint32_t *out);
int link_remove(const char *dir, const char *name);
int hook_detach(const char *dir, const struct fr_hook_record *hook, struct diags *d);

#endif
