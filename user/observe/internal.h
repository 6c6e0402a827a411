/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the observe floor and private to it: other floors include observe.h. */
#ifndef OBSERVE_INTERNAL_H
#define OBSERVE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "observe.h"

/* In jiffies64. */
uint64_t flow_first(const struct fr_flow *flow);

/* jiffies -> realtime ns; 0 stays 0 */
uint64_t clock_real(const struct clock_pair *clock, uint64_t jiffies);

/* Names for the numbers of one instance: rules, interfaces, the clock. */
struct names {
	struct rule_records rules;
	struct fr_hook_record *hooks;
	uint32_t hook_count;
	struct clock_pair clock;
	int processes; /* -1: none */
};
int names_open(const struct instance *instance, struct diags *d, struct names *out);
void names_close(struct names *names);
/* NULL when no rule has the slot. */
const struct fr_rule_record *names_rule(const struct names *names, uint32_t slot);
/* The same, with a record of empty names in place of NULL. */
const struct fr_rule_record *names_rule_or_none(const struct names *names, uint32_t slot);
const char *names_interface(const struct names *names, uint32_t ifindex); /* NULL: unknown */
const char *names_scope(const struct names *names, uint32_t scope); /* of a guest, else NULL */

/* The known details of a record's process, given its pid and name, if it is the process that had
 * the pid at `when`, realtime ns. */
struct process_view names_process(const struct names *names, uint32_t pid, const char *comm,
				  size_t comm_size, uint64_t when);

/* Which refused datagrams look like answers (answers.c): by the policy in force and its flows, or
 * by rules and recorded events. */
struct question {
	struct fr_flow_key key;
	uint8_t opener;
	const char *scope; /* interface of a guest, else NULL */
};
struct answer_hints {
	struct arena *arena;
	struct decider by;
	const struct ruleset *rs; /* the rules; NULL: those of: */
	struct names names;
	struct image image;
	struct subnets local;	   /* of the image, or those of the devices now */
	struct port_set given_out; /* to sockets of this host that ask for none */
	struct question *list;	   /* by opener, port and address of the asker */
	size_t count, capacity;
};
int hints_open(const struct instance *instance, struct arena *arena, struct diags *d,
	       struct answer_hints *out);
void hints_close(struct answer_hints *hints);
/* Of the recording's events of the ruleset's policy. Nothing to close. */
void hints_of_recording(const struct recording *recording, const struct ruleset *rs,
			struct arena *arena, struct answer_hints *out);
/* Arena memory; NULL: it does not. */
const struct answer_hint *hint_find(const struct answer_hints *hints, const struct drop_view *drop);
/* The same of a flow that audit lets pass; one that a policy before refused, as that of its drop.
 */
const struct answer_hint *hint_of_flow(const struct answer_hints *hints,
				       const struct flow_view *flow);
/* The same of a refused event. */
const struct answer_hint *hint_of_event(const struct answer_hints *hints,
					const struct recorded_event *event);

/* Openings that no rule explains, gathered from refusals and flows (unexplained.c). */
struct unexplained_set {
	struct arena *arena;
	struct unexplained_view *list;
	size_t count, capacity;
	uint32_t *buckets; /* index + 1 by hash of scope and tuple; 0 empty */
	size_t bucket_count;
};
/* The opening of a refusal or a flow. */
struct tuple drop_tuple(const struct drop_view *view);
struct tuple flow_tuple(const struct flow_view *view);
void unexplained_add_drop(struct unexplained_set *g, const struct drop_view *view,
			  const struct answer_hint *answer);
void unexplained_add_flow(struct unexplained_set *g, const struct flow_view *view,
			  const struct answer_hint *answer);
void unexplained_add_event(struct unexplained_set *g, const struct recorded_event *event,
			   const struct answer_hint *answer);
/* Guests are told apart by the names of their devices. */
uint32_t recorded_scope(const struct recorded_event *event);
/* Most packets first. */
void unexplained_sort(struct unexplained_set *g);
/* When the newest unexplained opening was first seen (coverage.c). */
void coverage_newest(struct coverage_view *view);

/* The sockets that no address may open by these rules (listening.c). */
int listening_unreached(struct judging *judging, const struct ruleset *rs,
			const struct image *image, struct listening *out);

/* The lines of a preview (preview_lines.c): where there are too many of different peers, then of
 * their networks, then of all together. */
struct preview_set {
	struct arena *arena;
	struct preview_line *list;
	size_t count, capacity;
	uint32_t *buckets; /* index + 1 by hash; 0 empty */
	size_t bucket_count;
	unsigned width; /* of the peers' networks: steps from an address to all */
};
enum { PREVIEW_LINES_MOST = 4096 };
/* One connection more; the line's peer and count are filled in. */
void preview_add(struct preview_set *set, const struct preview_line *line);
/* What is cut first, then the most connections. */
void preview_sort(struct preview_set *set);

/* The checks of verify (checks.c, verify.c), and the packets that it runs through a twin of the
 * programs (probe.c). */
struct verifier {
	const struct verify_request *request;
	const struct status_view *status;
	struct arena *arena;
	struct diags *d;
	struct verify_view *view;
	const char *heal; /* policy_heal_command(), once it is wanted */
};
/* Of a wrong one without a hint: policy_heal_command(). */
void verify_add(struct verifier *v, struct check_view check);
/* "interface ens5 tcx/ingress" */
const char *verify_hook_words(const struct verifier *v, const struct hook_view *hook);
/* -errno with a diagnostic. */
int verify_probe(struct verifier *v);

#endif
