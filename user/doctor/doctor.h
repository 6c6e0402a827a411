/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: what this host can do, and what passes the hooks. Each feature is found by trying it: a
 * program loaded, a map made, a link attached in a network namespace or cgroup made for it. Never a
 * version, never an attach point of the host. Uses datapath, attach, objects, host and base.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "../host/host.h"

enum host_answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct feature {
	const char *name;    /* stable id, kebab-case */
	uint8_t answer;	     /* enum host_answer */
	uint32_t needed_by;  /* bits 1 << enum fr_kind; 0: enforcement does without */
	const char *instead; /* a feature that serves in its place, or NULL */
	const char *purpose; /* what it is for */
	const char *cost;    /* what its lack costs */
	const char *remedy;  /* what to do about its lack */
	const char *found;   /* what was seen on this host, or NULL */
};

struct program_fact {
	const char *name;
	uint8_t answer;
	uint32_t needed_by;
	bool optional;
	uint32_t verified;     /* instructions that the verifier looked at; 0: not told */
	uint32_t instructions; /* of the program */
	bool jited;
	const char *refused; /* the kernel's words, NULL when it loads */
};

/* A way past the hooks. ANSWER_YES: seen on this host; ANSWER_NO: looked for and not there. */
struct bypass {
	const char *name;
	uint8_t answer;
	uint32_t of; /* kinds that it passes, bits 1 << enum fr_kind */
	const char *what, *closed_by;
	const char *found; /* NULL or what was seen */
};

struct doctor_report {
	const char *kernel, *machine; /* of uname, told and not judged */
	struct feature *features;
	size_t feature_count;
	struct program_fact *programs;
	size_t program_count;
	struct bypass *bypasses;
	size_t bypass_count;
	uint8_t can[FR_KINDS]; /* enum host_answer: enforce on this kind of attach point */
	bool tcx;	       /* interfaces by TCX links, else by clsact */
};
/* Arena memory. Asks what it may; without privilege most answers are ANSWER_UNKNOWN. */
void host_probe(const struct host_options *o, struct arena *arena, struct doctor_report *out);

#endif
