/* SPDX-License-Identifier: GPL-2.0-only */
/* Which hooks an attach point has, by its kind and by how it is attached. */
#include "hook_program.h"

#include <linux/bpf.h>
#include <string.h>

#include "../host/host.h"

static const struct hook_program cgroup_hooks[HOOK_PROGRAMS_MAX] = {
	{"ingress", "cgroup_skb/ingress", BPF_CGROUP_INET_INGRESS, PROGRAM_CG_INGRESS, false},
	{"egress", "cgroup_skb/egress", BPF_CGROUP_INET_EGRESS, PROGRAM_CG_EGRESS, false},
	{"connect4", "connect4", BPF_CGROUP_INET4_CONNECT, PROGRAM_CONNECT4, false},
	{"connect6", "connect6", BPF_CGROUP_INET6_CONNECT, PROGRAM_CONNECT6, false},
	{"sendmsg4", "sendmsg4", BPF_CGROUP_UDP4_SENDMSG, PROGRAM_SENDMSG4, false},
	{"sendmsg6", "sendmsg6", BPF_CGROUP_UDP6_SENDMSG, PROGRAM_SENDMSG6, false},
	{"sock_create", "sock_create", BPF_CGROUP_INET_SOCK_CREATE, PROGRAM_SOCK_CREATE, true},
};

static const struct hook_program netns_hook = {"local", "sk_lookup", BPF_SK_LOOKUP, PROGRAM_LOCAL,
					       false};

static const struct hook_program sockets_hooks[] = {
	{"recvmsg4", "recvmsg4", BPF_CGROUP_UDP4_RECVMSG, PROGRAM_RECVMSG4, false},
	{"recvmsg6", "recvmsg6", BPF_CGROUP_UDP6_RECVMSG, PROGRAM_RECVMSG6, false},
};

size_t attach_hooks(const struct fr_hook_record *point, struct hook_program out[HOOK_PROGRAMS_MAX])
{
	static const enum program first[2][2] = {{PROGRAM_IF_INGRESS, PROGRAM_IF_INGRESS_L3},
						 {PROGRAM_GUEST_INGRESS, PROGRAM_GUEST_INGRESS_L3}};
	bool tcx = point->how == HOW_TCX;
	enum program program;

	if (point->kind == FR_KIND_CGROUP) {
		memcpy(out, cgroup_hooks, sizeof(cgroup_hooks));
		return ARRAY_SIZE(cgroup_hooks);
	}
	if (point->how == HOW_NETNS) {
		out[0] = netns_hook;
		return 1;
	}
	if (point->how == HOW_SOCKETS) {
		memcpy(out, sockets_hooks, sizeof(sockets_hooks));
		return ARRAY_SIZE(sockets_hooks);
	}
	program = first[point->kind == FR_KIND_GUEST][point->l3 != 0];
	out[0] = (struct hook_program){"ingress", tcx ? "tcx/ingress" : "clsact/ingress",
				       ATTACH_TCX_INGRESS, program, false};
	out[1] = (struct hook_program){"egress", tcx ? "tcx/egress" : "clsact/egress",
				       ATTACH_TCX_EGRESS, program + 1, false};
	return 2;
}

bool attach_is_extra(const struct fr_hook_record *point)
{
	return point->how == HOW_NETNS || point->how == HOW_SOCKETS;
}

bool attach_is_cgroup(const struct fr_hook_record *point)
{
	return point->how == HOW_CGROUP || point->how == HOW_SOCKETS;
}

bool attach_same_place(const struct fr_hook_record *a, const struct fr_hook_record *b)
{
	if ((a->kind == FR_KIND_CGROUP) != (b->kind == FR_KIND_CGROUP))
		return false;
	if (a->kind == FR_KIND_CGROUP)
		return a->cgroup == b->cgroup;
	if (attach_is_extra(a) || attach_is_extra(b))
		return a->how == b->how && a->netns == b->netns && a->cgroup == b->cgroup;
	return a->netns == b->netns && a->ifindex == b->ifindex;
}
