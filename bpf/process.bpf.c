/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who made a socket, in which network namespace, and who started that process. The last reads
 * kernel structs by CO-RE and so needs the kernel's BTF: the loader leaves it out where there is
 * none, and nothing that decides depends on it.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "owner.h"

extern struct fr_owner_map fr_owner SEC(".maps");

const volatile bool fr_process_detail = false;

static __always_inline void owner_parent(struct fr_owner *owner)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	owner->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&owner->parent_comm, task, real_parent, comm);
	owner->start = BPF_CORE_READ(task, group_leader, start_boottime);
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
	return 1;
}
