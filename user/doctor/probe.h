/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probe files share. Not a door: other floors call host_probe() of doctor.h.
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
	bool privileged; /* what is refused with EPERM is lacking, not merely out of our reach */
	const char *cgroup2; /* where it is mounted, or NULL */
};

/* What is constant about a feature. */
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

/* From the result of a trial, >= 0 or -errno: a refusal of an unprivileged caller says nothing. */
struct finding finding_of(const struct probing *p, int result);
struct feature *probe_add(struct probing *p, const struct feature_words *words,
			  struct finding finding);
void probe_add_bypass(struct probing *p, const struct bypass *bypass);
const struct feature *probe_find(const struct probing *p, const char *name);

/* A program of two instructions, `return value`, of that type; fd or -errno. */
int probe_program(enum bpf_prog_type type, enum bpf_attach_type expected, int value);

/* A child in namespaces of its own (CLONE_NEW...) that ends when `run` returns: its pid, or -errno
 * before anything has run. What it writes is seen by us in shared memory only. */
int probe_child(int (*run)(void *), void *context, int namespaces);
void probe_wait(int child);

/* The root of a new mount that is nowhere in the tree of files; fd or -errno. */
int mount_detached(const char *type);

void probe_host(struct probing *p);	 /* probe_host.c: privilege, mounts, settings */
void probe_kernel(struct probing *p);	 /* probe_kernel.c: maps, helpers */
void probe_attach(struct probing *p);	 /* probe_attach.c: hooks */
void probe_programs(struct probing *p);	 /* probe_programs.c: ours */
void probe_bypasses(struct probing *p);	 /* probe_bypass.c: devices and neighbours */
void probe_processes(struct probing *p); /* probe_process.c: who holds capabilities */

#endif
