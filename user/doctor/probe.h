/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the probe files, private to this floor: other floors call host_probe() of doctor.h.
 */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "../host/host.h"
#include "doctor.h"

enum {
	BY_INTERFACES = 1 << FR_KIND_INTERFACE,
	BY_GUESTS = 1 << FR_KIND_GUEST,
	BY_CGROUPS = 1 << FR_KIND_CGROUP,
	BY_DEVICES = BY_INTERFACES | BY_GUESTS,
	BY_ALL = BY_DEVICES | BY_CGROUPS,
	BY_NONE = 0,
};

/* One run of the doctor. */
struct probing {
	const struct host_options *options;
	struct arena *arena;
	struct doctor_report *report;
	size_t feature_room, bypass_room;
	bool privileged;     /* EPERM means that a feature is missing, not that we lack privilege */
	const char *cgroup2; /* where it is mounted, or NULL */
};

/* The constant properties of a feature. */
struct feature_words {
	const char *name;
	uint32_t needed_by;
	const char *instead, *purpose, *cost, *remedy;
};
/* A trial's outcome; `found` may be NULL. */
struct finding {
	enum host_answer answer;
	const char *found;
};

/* From the result of a trial, >= 0 or -errno. A refusal for lack of privilege is no evidence. */
struct finding finding_of(const struct probing *p, int result);
struct feature *probe_add(struct probing *p, const struct feature_words *words,
			  struct finding finding);
void probe_add_bypass(struct probing *p, const struct bypass *bypass);
const struct feature *probe_find(const struct probing *p, const char *name);

/* A program of two instructions, `return value`, of that type; fd or -errno. */
int probe_program(enum bpf_prog_type type, enum bpf_attach_type expected, int value);

/* A child in namespaces of its own (CLONE_NEW...) that ends when `run` returns: its pid, or -errno
 * before `run` starts. It returns data in shared memory only. */
int probe_child(int (*run)(void *), void *context, int namespaces);
void probe_wait(int child);

/* The root of a new mount, not attached to any directory; fd or -errno. */
int mount_detached(const char *type);

void probe_host(struct probing *p);	 /* probe_host.c: privilege, mounts, settings */
void probe_kernel(struct probing *p);	 /* probe_kernel.c: maps, helpers */
void probe_attach(struct probing *p);	 /* probe_attach.c: hooks */
void probe_programs(struct probing *p);	 /* probe_programs.c: ours */
void probe_bypasses(struct probing *p);	 /* probe_bypass.c: devices and neighbours */
void probe_processes(struct probing *p); /* probe_process.c: processes with capabilities */

#endif
