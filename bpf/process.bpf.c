/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The owner of a socket: the process that made it, its network namespace, its user, and the process
 * that started it. The last reads kernel structs by CO-RE and so needs the kernel's BTF: the loader
 * leaves it out where there is none, and no verdict depends on it.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "owner.h"

extern struct fr_owner_map fr_owner SEC(".maps");

/* Processes that made sockets, by pid: records of flows, refusals and events have the pid alone.
 * The program inserts, the kernel evicts, user space reads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct fr_owner);
} fr_processes SEC(".maps");

const volatile bool fr_process_detail = false;

static __always_inline void owner_parent(struct fr_owner *owner)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	owner->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&owner->parent_comm, task, real_parent, comm);
	owner->start = BPF_CORE_READ(task, group_leader, start_boottime);
}

/* The parent that was seen first is kept: later it may be the reaper of orphans. */
static __always_inline void process_note(const struct fr_owner *owner)
{
	const struct fr_owner *noted = bpf_map_lookup_elem(&fr_processes, &owner->pid);

	if (noted && noted->start && noted->start == owner->start && noted->uid == owner->uid)
		return;
	bpf_map_update_elem(&fr_processes, &owner->pid, owner, BPF_ANY);
}

SEC("cgroup/sock_create") int fr_sock_create(struct bpf_sock *sk)
{
	struct fr_owner *owner;

	owner = bpf_sk_storage_get(&fr_owner, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner)
		return 1;
	owner->space = FR_SPACE_COOKIE(bpf_get_netns_cookie(sk));
	owner->pid = bpf_get_current_pid_tgid() >> 32;
	owner->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(owner->comm, sizeof(owner->comm));
	if (fr_process_detail)
		owner_parent(owner);
	process_note(owner);
	return 1;
}
