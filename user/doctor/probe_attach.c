/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes whether programs can be attached: to the loopback device of a network namespace that ends
 * with the child that tries, and to an empty cgroup, both made for the trial. These programs are
 * never attached to a device or cgroup of the host.
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOPBACK = 1, NOT_RUN = 1 };

/* ---------------------------------------------------------------- devices */

/* Written by the child, in memory that it shares: NOT_RUN, 0 or -errno. */
struct device_trial {
	int program;	  /* in */
	bool only_clsact; /* in */
	int tcx, clsact, local;
};

static int try_tcx(int program)
{
	CLEANUP(close_fd) int link = tcx_link_create(program, LOOPBACK, ATTACH_TCX_INGRESS);
	struct hook_query query = {0};

	if (link < 0)
		return link;
	if (bpf_link_update(link, program, NULL))
		return -errno;
	if (hook_query(LOOPBACK, ATTACH_TCX_INGRESS, &query))
		return -errno;
	return query.count == 1 ? 0 : -ENOTSUP;
}

static int try_clsact(int program)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = LOOPBACK, .attach_point = BPF_TC_EGRESS};
	struct bpf_tc_opts filter = {.sz = sizeof(filter), .prog_fd = program};
	int err = bpf_tc_hook_create(&hook);

	return err ? err : bpf_tc_attach(&hook, &filter);
}

/* In a network namespace of its own: device index 1 is its lo. */
static int device_child(void *shared)
{
	struct device_trial *trial = shared;

	if (!trial->only_clsact)
		trial->tcx = try_tcx(trial->program);
	trial->clsact = try_clsact(trial->program);
	trial->local = trial->only_clsact ? -EPERM : netns_link_try();
	return 0;
}

/* 0, or -errno when there is no namespace for the trial. */
static int run_in_namespace(struct device_trial *shared, int flags)
{
	int child = probe_child(device_child, shared, flags);

	probe_wait(child);
	return child < 0 ? child : 0;
}

/* The call with a device that does not exist: a kernel with TCX returns -ENODEV. */
static int try_tcx_without_device(int program)
{
	CLEANUP(close_fd) int link = tcx_link_create(program, INT32_MAX, ATTACH_TCX_INGRESS);

	return link == -ENODEV ? 0 : link;
}

static int try_devices(struct device_trial *trial)
{
	struct device_trial *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (shared == MAP_FAILED)
		return -errno;
	*shared = *trial;
	err = run_in_namespace(shared, CLONE_NEWNET);
	if (err == -EPERM) {
		/* Without CAP_SYS_ADMIN a user namespace may provide one, where filters can be
		 * made; links do not accept its capabilities. */
		shared->only_clsact = true;
		err = run_in_namespace(shared, CLONE_NEWUSER | CLONE_NEWNET);
		shared->tcx = try_tcx_without_device(trial->program);
	}
	*trial = *shared;
	munmap(shared, sizeof(*shared));
	return err;
}

static struct finding device_finding(const struct probing *p, int err, int result)
{
	if (result == NOT_RUN && err)
		return (struct finding){
			ANSWER_UNKNOWN,
			arena_printf(p->arena, "not tried: no network namespace to try it in: %s",
				     error_text(err))};
	if (result == NOT_RUN)
		return (struct finding){ANSWER_UNKNOWN, "not tried: the child ended early"};
	return finding_of(p, result);
}

static void probe_devices(struct probing *p)
{
	static const struct feature_words tcx = {
		.name = "tcx-link",
		.needed_by = BY_DEVICES,
		.instead = "clsact",
		.purpose = "attaches to interfaces by a link of the kernel, first in order",
		.cost = "clsact filters take its place: some 70 ns more a packet, and any tc "
			"command can remove them",
		.remedy = "a kernel with TCX (6.6, or a distribution's backport)",
	};
	static const struct feature_words clsact = {
		.name = "clsact",
		.needed_by = BY_DEVICES,
		.instead = "tcx-link",
		.purpose = "attaches to interfaces where there is no TCX, or with --no-tcx",
		.cost = "without TCX as well no policy can attach to interfaces or guests",
		.remedy = "the modules sch_ingress and cls_bpf",
	};
	static const struct feature_words local = {
		.name = "local-sockets",
		.purpose = "judges forwarded packets that netfilter redirects to a local socket",
		.cost = "packets sent through this host reach, unjudged, the local sockets that "
			"netfilter redirects them to",
		.remedy = "forwarded: judge in the policy",
	};
	CLEANUP(close_fd) int program = probe_program(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
	struct device_trial trial = {program, false, NOT_RUN, NOT_RUN, NOT_RUN};
	int err;

	if (program < 0) {
		probe_add(p, &tcx, finding_of(p, program));
		probe_add(p, &clsact, finding_of(p, program));
		probe_add(p, &local, finding_of(p, program));
		return;
	}
	err = try_devices(&trial);
	probe_add(p, &tcx, device_finding(p, err, trial.tcx));
	probe_add(p, &clsact, device_finding(p, err, trial.clsact));
	probe_add(p, &local, device_finding(p, err, trial.local));
}

/* ---------------------------------------------------------------- cgroups */

struct cgroup_trial {
	struct feature_words words;
	enum bpf_prog_type type;
	enum bpf_attach_type hooks[2];
};

#define CGROUP_COST "no policy can attach to cgroups"
#define CGROUP_REMEDY "a kernel with CONFIG_CGROUP_BPF"

static const struct cgroup_trial cgroup_trials[] = {
	{{"cgroup-packets", BY_CGROUPS, NULL, "judges packets of a cgroup's sockets", CGROUP_COST,
	  CGROUP_REMEDY},
	 BPF_PROG_TYPE_CGROUP_SKB,
	 {BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS}},
	{{"cgroup-connect", BY_CGROUPS, NULL, "refuses a denied connect() at once", CGROUP_COST,
	  CGROUP_REMEDY},
	 BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	 {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT}},
	{{"cgroup-sendmsg", BY_CGROUPS, NULL, "refuses a denied sendmsg() at once", CGROUP_COST,
	  CGROUP_REMEDY},
	 BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	 {BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG}},
	{{"cgroup-sock-create", BY_NONE, NULL, "records the process that makes a socket",
	  "events, flows and drops name the process from its first connect on, not its parent",
	  CGROUP_REMEDY},
	 BPF_PROG_TYPE_CGROUP_SOCK,
	 {BPF_CGROUP_INET_SOCK_CREATE}},
};

static int try_cgroup_hook(int cgroup, enum bpf_prog_type type, enum bpf_attach_type hook)
{
	CLEANUP(close_fd) int program = probe_program(type, hook, 1);
	CLEANUP(close_fd) int link = -1;

	if (program < 0)
		return program;
	link = bpf_link_create(program, cgroup, hook, NULL);
	if (link < 0 || bpf_link_update(link, program, NULL))
		return -errno;
	return 0;
}

/* The call with a directory that is no cgroup: a kernel with the hook returns -EBADF. */
static int try_hook_without_cgroup(enum bpf_prog_type type, enum bpf_attach_type hook)
{
	CLEANUP(close_fd) int elsewhere = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = elsewhere < 0 ? -errno : try_cgroup_hook(elsewhere, type, hook);

	return err == -EBADF ? 0 : err;
}

/* A program attached in the old, exclusive way at the root keeps out every link below. */
static const char *exclusive_program(const struct probing *p, int root, enum bpf_attach_type hook)
{
	struct hook_query query = {0};

	if (hook_query((uint32_t)root, hook, &query) || !query.count || query.attach_flags)
		return NULL;
	return arena_printf(p->arena, "%s is the exclusive program of the root cgroup",
			    program_words(p->arena, query.programs[0]));
}

static struct finding cgroup_finding(const struct probing *p, const struct cgroup_trial *trial,
				     int root, int cgroup)
{
	const char *holder;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(trial->hooks) && !err; i++) {
		if (i && !trial->hooks[i])
			break;
		err = cgroup < 0 ? try_hook_without_cgroup(trial->type, trial->hooks[i])
				 : try_cgroup_hook(cgroup, trial->type, trial->hooks[i]);
		holder = err == -EPERM && root >= 0 ? exclusive_program(p, root, trial->hooks[i])
						    : NULL;
		if (holder)
			return (struct finding){ANSWER_NO, holder};
	}
	return finding_of(p, err);
}

/* The root of the mounted hierarchy, else of a detached mount. */
static int cgroup_root(const struct probing *p)
{
	int fd = p->cgroup2 ? open(p->cgroup2, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? mount_detached("cgroup2") : fd;
}

#define TRIAL_NAME "flowreeve-doctor-"

/* Cgroups of a killed doctor: empty, and no other process removes them. */
static void remove_trials_of_the_dead(int root)
{
	DIR *dir = fdopendir(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char *end = NULL;
		long pid = 0;

		if (!strncmp(entry->d_name, TRIAL_NAME, strlen(TRIAL_NAME)))
			pid = strtol(entry->d_name + strlen(TRIAL_NAME), &end, 10);
		if (pid > 0 && !*end && kill(pid, 0) && errno == ESRCH)
			unlinkat(root, entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

static void probe_cgroups(struct probing *p)
{
	CLEANUP(close_fd) int root = cgroup_root(p);
	CLEANUP(close_fd) int cgroup = -1;
	bool made;
	char name[48];

	if (root >= 0)
		remove_trials_of_the_dead(root);
	snprintf(name, sizeof(name), TRIAL_NAME "%d", getpid());
	made = root >= 0 && !mkdirat(root, name, 0700);
	if (made)
		cgroup = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_trials); i++)
		probe_add(p, &cgroup_trials[i].words,
			  cgroup_finding(p, &cgroup_trials[i], root, cgroup));
	if (made)
		unlinkat(root, name, AT_REMOVEDIR);
}

void probe_attach(struct probing *p)
{
	probe_devices(p);
	probe_cgroups(p);
}
