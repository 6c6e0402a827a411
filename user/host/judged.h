/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets and connections of this host that attach points judge: those whose packets pass a
 * device, and those of cgroups, in every network namespace that a process of these has. */
#ifndef HOST_JUDGED_H
#define HOST_JUDGED_H

#include "interfaces.h"
#include "resolve.h"
#include "session.h"
#include "sockets.h"

enum { JUDGING_NAMESPACES = 1024 };

/* An attach point. */
struct judge_point {
	uint8_t kind;	  /* enum fr_kind */
	uint32_t ifindex; /* of a device */
	uint64_t netns;	  /* … its namespace's inode */
	const char *path; /* of a cgroup's directory */
};

struct judging {
	struct arena *arena;
	const struct judge_point *points;
	size_t count;
	/* filled in by judging_open(): ids in order, and where to look for sockets */
	uint64_t *cgroups;
	size_t cgroup_count, cgroup_capacity;
	uint64_t namespaces[JUDGING_NAMESPACES];
	size_t namespace_count;
	/* … by judging_look(): of the namespace that the caller is in */
	uint64_t netns;
	struct interfaces interfaces;
	struct local_address *addresses;
	size_t address_count;
};
/* The caller gives arena and points. */
int judging_open(struct judging *j);
/* The same with the points of a policy that is not applied yet. */
int judging_open_targets(struct judging *j, const struct attach_target *targets, size_t count);
int judging_look(struct judging *j);

/* After judging_look(). `ifindex`: that its socket is bound to; 0: none. */
void judge_connection(const struct judging *j, const struct connection *connection,
		      uint32_t ifindex, uint64_t cgroup, struct judgement *out);
/* The same of a session of the caller's namespace, by the points of a policy. -errno: unknown. */
int judge_session(struct arena *arena, const struct attach_target *targets, size_t count,
		  const struct ssh_session *session, struct judgement *out);
/* Do the rules apply to it, where image flags may exempt local traffic? Perhaps counts. */
bool judgement_counts(const struct judgement *judgement, uint32_t flags);
/* The sockets that some point judges, certainly or perhaps. -errno: they cannot be read. */
int judged_sockets(struct judging *j, enum socket_use use, struct local_sockets *out);

#endif
