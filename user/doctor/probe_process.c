/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the processes that may bypass or remove the hooks: by their effective capabilities, as
 * /proc shows them. One walk serves all questions.
 */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 5 };

struct process {
	char name[32];
	unsigned long long capabilities;
	bool in_user_space;
};

static bool read_process(const char *pid, struct process *out)
{
	CLEANUP(close_file) FILE *file = NULL;
	struct process process = {0};
	char path[300], line[256];

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "Name: %31[^\n]", process.name);
		sscanf(line, "CapEff: %llx", &process.capabilities);
		process.in_user_space |= str_starts(line, "VmSize:");
	}
	*out = process;
	return file != NULL;
}

/* 1 or 0, or -errno when we may not read it. */
static int same_namespace(const char *pid, const char *kind)
{
	struct stat ours, theirs;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, kind);
	if (stat(path, &theirs))
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return !stat(path, &ours) && ours.st_ino == theirs.st_ino;
}

/* Holders of one capability: their number, and the names of the first few. */
struct holders {
	unsigned count, named, unreadable;
	const char *names[NAMES_MAX];
};

/* `here`: 1 yes, 0 no, negative unknown. */
static void holders_add(const struct probing *p, struct holders *holders, const char *name,
			int here)
{
	holders->count += here > 0;
	holders->unreadable += here == -EACCES || here == -EPERM;
	if (here <= 0)
		return;
	for (unsigned i = 0; i < holders->named; i++)
		if (str_equal(holders->names[i], name))
			return;
	if (holders->named < NAMES_MAX)
		holders->names[holders->named++] = arena_strdup(p->arena, name);
}

static const char *holders_text(const struct probing *p, const struct holders *holders,
				const char *where)
{
	const char *names = NULL, *count;

	if (!holders->count && holders->unreadable)
		return "processes of other users cannot be read";
	for (unsigned i = 0; i < holders->named; i++)
		names = str_list_append(p->arena, names, holders->names[i]);
	count = holders->count == 1 ? "1 process"
				    : arena_printf(p->arena, "%u processes", holders->count);
	count = arena_printf(p->arena, "%s %s", count, where);
	names = names ? arena_printf(p->arena, "%s: %s", count, names) : count;
	if (!holders->unreadable)
		return names;
	return arena_printf(p->arena, "%s; %u more cannot be read", names, holders->unreadable);
}

static void add_holders(struct probing *p, struct bypass bypass, const struct holders *holders,
			const char *where)
{
	bypass.answer = holders->unreadable ? ANSWER_UNKNOWN : ANSWER_NO;
	if (holders->count)
		bypass.answer = ANSWER_YES;
	bypass.found = holders_text(p, holders, where);
	probe_add_bypass(p, &bypass);
}

static const struct bypass packet_sockets = {
	.name = "packet-sockets",
	.of = BY_ALL,
	.what = "a process with CAP_NET_RAW in a device's network namespace can send past its "
		"hooks (PACKET_QDISC_BYPASS, AF_XDP), past those of cgroups with any packet "
		"socket, and read dropped packets",
	.closed_by = "take CAP_NET_RAW away, or enforce from outside, as guests",
};
static const struct bypass bpf_users = {
	.name = "bpf-users",
	.of = BY_ALL,
	.what = "root, or a process that may load BPF programs, can detach a policy as easily as "
		"it was applied",
	.closed_by = "take CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN away, or enforce from "
		     "outside, as guests",
};
static const struct bypass cgroup_leavers = {
	.name = "cgroup-leavers",
	.answer = ANSWER_UNKNOWN,
	.of = BY_CGROUPS,
	.what = "a process that may write cgroup.procs of another cgroup can leave its own and "
		"make its next socket outside",
	.closed_by = "attach the slice or the root cgroup above, and delegate nothing beside it",
	.found = "write access to cgroups is not checked",
};

/* The capabilities to bypass the hooks, and to load programs. */
static bool may_send_raw(const struct process *process)
{
	return process->capabilities >> CAP_NET_RAW & 1;
}

static bool may_load(const struct process *process)
{
	return process->capabilities >> CAP_SYS_ADMIN & 1 ||
	       (process->capabilities >> CAP_BPF & 1 && process->capabilities >> CAP_NET_ADMIN & 1);
}

static bool is_other_process(const char *pid, struct process *out)
{
	return isdigit((unsigned char)pid[0]) && (pid_t)strtoul(pid, NULL, 10) != getpid() &&
	       read_process(pid, out) && out->in_user_space;
}

void probe_processes(struct probing *p)
{
	struct holders raw = {0}, bpf = {0};
	const struct dirent *entry;
	struct process process;
	DIR *stream = opendir("/proc");

	if (!stream)
		raw.unreadable = bpf.unreadable = 1;
	while (stream && (entry = readdir(stream))) {
		int here;

		if (!is_other_process(entry->d_name, &process))
			continue;
		/* A capability counts in the namespaces of its user namespace, and only there. */
		here = same_namespace(entry->d_name, "user");
		if (may_load(&process))
			holders_add(p, &bpf, process.name, here);
		if (here > 0)
			here = same_namespace(entry->d_name, "net");
		if (may_send_raw(&process))
			holders_add(p, &raw, process.name, here);
	}
	if (stream)
		closedir(stream);
	add_holders(p, packet_sockets, &raw, "of this network namespace");
	add_holders(p, bpf_users, &bpf, "seen from here");
	probe_add_bypass(p, &cgroup_leavers);
}
