/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes the host before any program: privilege, memory, file systems, the layout of cgroups.
 * Tries mounts detached, so that nothing of the host changes.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../objects/objects.h"

/* ---------------------------------------------------------------- privilege */

/* Capabilities in a user namespace do not count for BPF. */
static bool in_user_namespace(void)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, count;

	if (!file || fscanf(file, "%u %u %u", &inside, &outside, &count) != 3)
		return false;
	return inside || outside || count != UINT32_MAX;
}

static void probe_privilege(struct probing *p)
{
	static const struct feature_words words = {
		.name = "privilege",
		.needed_by = BY_ALL,
		.purpose = "loads and attaches programs",
		.cost = "apply, status, show, monitor, zero and detach fail with exit 6",
		.remedy = "run it as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
	};
	struct diags d = {.arena = p->arena};
	struct finding finding = {ANSWER_YES, NULL};

	if (in_user_namespace())
		finding = (struct finding){ANSWER_NO,
					   "in a user namespace; BPF needs capabilities in the "
					   "initial one"};
	else if (host_privileges(&d))
		finding = (struct finding){ANSWER_NO, d.list[0].message};
	p->privileged = finding.answer == ANSWER_YES;
	probe_add(p, &words, finding);
}

static void probe_admin(struct probing *p)
{
	static const struct feature_words words = {
		.name = "cap-sys-admin",
		.purpose = "mounts a missing bpffs, enters other network namespaces",
		.cost = "a missing bpffs is not mounted; detach cannot reach clsact filters of "
			"another network namespace; this command cannot try features that need a "
			"mount",
		.remedy = "run it as root, or grant CAP_SYS_ADMIN for those two",
	};
	struct finding finding = {ANSWER_UNKNOWN, "/proc is not mounted"};
	uint64_t have;

	if (!host_capabilities(&have))
		finding = have >> CAP_SYS_ADMIN & 1 ? (struct finding){ANSWER_YES, NULL}
						    : (struct finding){ANSWER_NO, NULL};
	if (in_user_namespace())
		finding = (struct finding){ANSWER_NO, "in a user namespace"};
	probe_add(p, &words, finding);
}

/* ---------------------------------------------------------------- memory */

/* Raw: libbpf would raise the limit. */
static int map_within_no_limit(void)
{
	struct {
		uint32_t type, key_size, value_size, entries, flags;
	} attr = {BPF_MAP_TYPE_ARRAY, 4, 4096, 16, 0};
	struct rlimit old, none;
	CLEANUP(close_fd) int fd = -1;
	int err;

	if (getrlimit(RLIMIT_MEMLOCK, &old))
		return -errno;
	none = (struct rlimit){0, old.rlim_max};
	if (setrlimit(RLIMIT_MEMLOCK, &none))
		return -errno;
	fd = (int)syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	err = fd < 0 ? -errno : 0;
	setrlimit(RLIMIT_MEMLOCK, &old);
	return err;
}

/* Runs before any other map is made. */
static void probe_memory(struct probing *p)
{
	static const struct feature_words bpf = {
		.name = "bpf",
		.needed_by = BY_ALL,
		.purpose = "the bpf() call itself: maps and programs",
		.cost = "only the offline commands work",
		.remedy = "a kernel with CONFIG_BPF_SYSCALL, and no seccomp filter against bpf()",
	};
	static const struct feature_words memory = {
		.name = "memory-accounting",
		.purpose = "maps are charged to the memory cgroup",
		.cost = "maps are charged to RLIMIT_MEMLOCK, which must be raised",
		.remedy = "LimitMEMLOCK=infinity in the unit; with CAP_SYS_RESOURCE flowreeve "
			  "raises it by itself",
	};
	int err = map_within_no_limit();
	CLEANUP(close_fd) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);
	struct finding finding = finding_of(p, fd < 0 ? -errno : 0);

	probe_add(p, &bpf, finding);
	if (finding.answer == ANSWER_YES)
		finding = err == -EPERM ? (struct finding){ANSWER_NO, NULL} : finding_of(p, err);
	probe_add(p, &memory, finding);
}

/* ---------------------------------------------------------------- mounts */

/* Whether this process could make the pin root, or a file in it. */
static bool may_pin(struct arena *arena, const char *root)
{
	char *at = arena_strdup(arena, root), *slash;

	while (faccessat(AT_FDCWD, at, F_OK, AT_EACCESS)) {
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			return false;
		*slash = '\0';
	}
	return !faccessat(AT_FDCWD, at, W_OK | X_OK, AT_EACCESS);
}

static void probe_bpffs(struct probing *p)
{
	static const struct feature_words words = {
		.name = "bpffs",
		.needed_by = BY_ALL,
		.purpose = "keeps policies in force after the command has ended",
		.cost = "no policy can be applied",
		.remedy = "mount -t bpf -o mode=0700 bpf /sys/fs/bpf",
	};
	const char *root = pin_root(p->options);
	struct diags d = {.arena = p->arena};
	CLEANUP(close_fd) int fd = -1;
	struct feature *feature;

	if (!host_bpffs(root, false, &d)) {
		feature = probe_add(
			p, &words,
			(struct finding){ANSWER_YES,
					 arena_printf(p->arena, "the pin root is %s", root)});
		if (may_pin(p->arena, root))
			return;
		/* Of the process, not of the host. */
		feature->answer = ANSWER_UNKNOWN;
		feature->found =
			arena_printf(p->arena, "%s may not be written by this process", root);
		feature->remedy = "run it as the owner of the pin root, or name one by --pin-root";
		return;
	}
	fd = mount_detached("bpf");
	feature = probe_add(p, &words, (struct finding){ANSWER_NO, d.list[0].message});
	if (fd < 0)
		return;
	feature->found = arena_printf(p->arena, "not mounted, but the kernel supports it");
	if (!bpffs_mountable(root)) {
		feature->remedy = d.list[0].hint;
		return;
	}
	feature->needed_by = BY_NONE;
	feature->cost = "no policy can be pinned until it is mounted";
	feature->remedy = "none needed: apply mounts it at /sys/fs/bpf";
}

/* Whether the controller of that name, or any if NULL, is in a version 1 hierarchy. */
static bool controller_is_v1(const char *wanted)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/cgroups", "re");
	char line[256], name[64];
	unsigned hierarchy;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %u", name, &hierarchy) == 2 && name[0] != '#' && hierarchy &&
		    (!wanted || str_equal(name, wanted)))
			return true;
	return false;
}

static void probe_cgroup2(struct probing *p)
{
	static const struct feature_words words = {
		.name = "cgroup2",
		.needed_by = BY_CGROUPS,
		.purpose = "the hierarchy that policies for cgroups name",
		.cost = "no policy can attach to cgroups",
		.remedy = "mkdir -p /run/cgroup2 && mount -t cgroup2 none /run/cgroup2; it is "
			  "found there, or named by --cgroup DIR",
	};
	bool v1 = controller_is_v1(NULL);
	struct finding finding = {ANSWER_NO, v1 ? "version 1 only" : "not mounted"};

	p->cgroup2 = cgroup2_find(p->options, p->arena);
	if (p->cgroup2)
		finding = (struct finding){ANSWER_YES,
					   arena_printf(p->arena, "%s at %s",
							v1 ? "beside version 1 (hybrid)" : "alone",
							p->cgroup2)};
	probe_add(p, &words, finding);
}

static void probe_net_cls(struct probing *p)
{
	static const struct feature_words words = {
		.name = "cgroup-children",
		.purpose = "cgroups below the root see all sockets of their processes",
		.cost = "on some kernels before 5.15 sockets of processes with a net_cls class or "
			"a net_prio map are seen by the root cgroup only: a policy for another "
			"cgroup does not judge them",
		.remedy = "attach the root cgroup (\"/\"), or unmount net_cls and net_prio",
	};
	struct finding finding = {ANSWER_YES, "neither net_cls nor net_prio is in use"};

	if (access("/proc/cgroups", R_OK))
		finding = (struct finding){ANSWER_UNKNOWN, "/proc/cgroups cannot be read"};
	else if (controller_is_v1("net_cls") || controller_is_v1("net_prio"))
		finding = (struct finding){ANSWER_UNKNOWN, "net_cls or net_prio is mounted"};
	probe_add(p, &words, finding);
}

/* ---------------------------------------------------------------- BTF */

static void probe_btf(struct probing *p)
{
	static const struct feature_words words = {
		.name = "kernel-btf",
		.purpose =
			"needed to load the program that records the parent of a socket's process",
		.cost = "events, flows and drops name the process, not its parent; verdicts are "
			"the same",
		.remedy = "a kernel with CONFIG_DEBUG_INFO_BTF",
	};
	CLEANUP(close_fd) int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);

	probe_add(p, &words, finding_of(p, fd < 0 ? -errno : 0));
}

static void probe_close(struct probing *p)
{
	static const struct feature_words words = {
		.name = "socket-close",
		.purpose = "sockets are closed for apply --cut",
		.cost = "programs whose connections are cut wait for their time-outs",
		.remedy = "a kernel with CONFIG_INET_DIAG_DESTROY",
	};

	probe_add(p, &words, finding_of(p, host_closes_sockets()));
}

void probe_host(struct probing *p)
{
	probe_privilege(p);
	probe_admin(p);
	probe_memory(p);
	probe_btf(p);
	probe_bpffs(p);
	probe_cgroup2(p);
	probe_net_cls(p);
	probe_close(p);
}
