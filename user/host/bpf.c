/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf(2) calls that libbpf 1.1 and the headers of Debian 12 lack: TCX links, queries of a hook
 * that list links as well, link information. Layouts are those of Linux 6.6; older ones are
 * prefixes of them.
 */
#include "bpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { ATTACH_BEFORE = 1 << 3 };

struct link_create_attr {
	uint32_t prog_fd, target, attach_type, flags;
	uint32_t relative_fd, pad;
	uint64_t expected_revision;
};

struct query_attr {
	uint32_t target, attach_type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t count, pad;
	uint64_t prog_attach_flags, link_ids, link_attach_flags, revision;
};

int tcx_link_create(int program, uint32_t ifindex, uint32_t attach_type)
{
	/* BEFORE without a relative program: first on the hook. */
	struct link_create_attr attr = {.prog_fd = (uint32_t)program,
					.target = ifindex,
					.attach_type = attach_type,
					.flags = ATTACH_BEFORE};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

int netns_link_create(int program)
{
	CLEANUP(close_fd) int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = netns < 0 ? netns : bpf_link_create(program, netns, BPF_SK_LOOKUP, NULL);

	return fd < 0 ? -errno : fd;
}

int netns_link_try(void)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = SK_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_SK_LOOKUP);
	CLEANUP(close_fd)
	int program = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "fr_trial", "GPL", code,
				    ARRAY_SIZE(code), &options);
	CLEANUP(close_fd) int link = program < 0 ? -errno : netns_link_create(program);

	return link < 0 ? link : 0;
}

static int sockaddr_link_try(int cgroup, enum bpf_attach_type type)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
	CLEANUP(close_fd)
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "fr_trial", "GPL", code,
				    ARRAY_SIZE(code), &options);
	CLEANUP(close_fd)
	int link = program < 0 ? -1 : bpf_link_create(program, cgroup, type, NULL);

	return link < 0 ? -errno : 0;
}

int recvmsg_links_try(const char *path)
{
	CLEANUP(close_fd) int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = cgroup < 0 ? -errno : sockaddr_link_try(cgroup, BPF_CGROUP_UDP4_RECVMSG);

	return err ? err : sockaddr_link_try(cgroup, BPF_CGROUP_UDP6_RECVMSG);
}

static int query(uint32_t target, uint32_t attach_type, uint32_t flags, struct hook_query *out)
{
	struct query_attr attr = {.target = target,
				  .attach_type = attach_type,
				  .query_flags = flags,
				  .count = QUERY_MAX};
	struct hook_query found = {0};
	size_t size = sizeof(attr);

	attr.prog_ids = (uintptr_t)found.programs;
	attr.link_ids = (uintptr_t)found.links;
	/* cgroups, and kernels before 6.6: no list of links */
	if (attach_type != ATTACH_TCX_INGRESS && attach_type != ATTACH_TCX_EGRESS) {
		attr.link_ids = 0;
		size = offsetof(struct query_attr, prog_attach_flags);
	}
	if (syscall(__NR_bpf, BPF_PROG_QUERY, &attr, size))
		return errno == ENOENT && attach_type >= ATTACH_TCX_INGRESS ? 0 : -errno;
	found.count = attr.count;
	found.attach_flags = attr.attach_flags;
	*out = found;
	return 0;
}

int hook_query(uint32_t target, uint32_t attach_type, struct hook_query *out)
{
	return query(target, attach_type, 0, out);
}

int hook_query_effective(int cgroup, uint32_t attach_type, struct hook_query *out)
{
	return query((uint32_t)cgroup, attach_type, BPF_F_QUERY_EFFECTIVE, out);
}

int tcx_works(uint32_t ifindex, bool *out)
{
	struct hook_query query = {0};
	int err = hook_query(ifindex, ATTACH_TCX_INGRESS, &query);

	/* -ENOSPC: there are programs, so the hook exists; a kernel before 6.6 does not know it. */
	*out = !err || err == -ENOSPC;
	return *out || err == -EINVAL ? 0 : err;
}

bool packet_space_works(void)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_netns_cookie},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_INGRESS);
	CLEANUP(close_fd)
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "fr_trial", "GPL", code, ARRAY_SIZE(code),
			       &options);

	return fd >= 0;
}

bool kernel_preempts_softirqs(void)
{
	struct utsname name;

	return uname(&name) || strstr(name.version, "PREEMPT_RT");
}

int link_target(int fd, struct link_target *out)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);
	struct link_target target = {0};

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	target.type = info.type;
	target.id = info.id;
	target.prog_id = info.prog_id;
	if (target.type == LINK_CGROUP) {
		target.cgroup = info.cgroup.cgroup_id;
		target.attach_type = info.cgroup.attach_type;
	} else if (target.type == LINK_NETNS) {
		target.netns = info.netns.netns_ino;
		target.attach_type = info.netns.attach_type;
	} else if (target.type == LINK_TCX) { /* the same two fields as for a namespace */
		target.ifindex = info.netns.netns_ino;
		target.attach_type = info.netns.attach_type;
	}
	*out = target;
	return 0;
}

/* ---------------------------------------------------------------- the kind of a descriptor */

int fd_map_id(int fd, uint32_t *out)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.id;
	return 0;
}

int fd_map_entries(int fd, uint32_t *out)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.max_entries;
	return 0;
}

int fd_program_id(int fd, uint32_t *out)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.id;
	return 0;
}

int fd_program_tag(int fd, uint64_t *out)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	_Static_assert(sizeof(info.tag) == sizeof(*out), "a tag is a number of 64 bits");
	memcpy(out, info.tag, sizeof(*out));
	return 0;
}

const char *program_words(struct arena *arena, uint32_t id)
{
	CLEANUP(close_fd) int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || !info.name[0])
		return arena_printf(arena, "program id %u", id);
	return arena_printf(arena, "program %s (id %u)", info.name, id);
}
