/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf(2) calls that libbpf and the headers of an old distribution lack. */
#ifndef HOST_BPF_H
#define HOST_BPF_H

#include "../base/base.h"

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
/* Whether the kernel has TCX. */
int tcx_works(uint32_t ifindex, bool *out);
/* Whether a cgroup program may ask for the network namespace of any packet (6.15). */
bool packet_space_works(void);
/* Whether a process may interrupt a softirq (PREEMPT_RT). */
bool kernel_preempts_softirqs(void);
/* A link of a socket lookup program, in the caller's network namespace. */
int netns_link_create(int program);
/* Whether one can be made: 0, or -errno. */
int netns_link_try(void);
/* The same of links of programs that see what sockets below this cgroup receive. */
int recvmsg_links_try(const char *path);
/* `target`: ifindex for TCX, an open cgroup directory otherwise. */
int hook_query(uint32_t target, uint32_t attach_type, struct hook_query *out);
/* All programs that the kernel runs at a cgroup, those of the cgroups above it too, in order. */
int hook_query_effective(int cgroup, uint32_t attach_type, struct hook_query *out);

int fd_map_id(int fd, uint32_t *out);
int fd_map_entries(int fd, uint32_t *out);
int fd_program_id(int fd, uint32_t *out);
int fd_program_tag(int fd, uint64_t *out); /* a digest of its instructions, as loaded */
/* "program cil_from_netdev (id 12)" */
const char *program_words(struct arena *arena, uint32_t id);

#endif
