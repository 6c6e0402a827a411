/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor: the BPF features of this host, and ways past the hooks. Finds each feature by trying it:
 * loads a program, makes a map, attaches a link in a network namespace or cgroup made for it.
 * Never checks a version, never touches an attach point of the host. Uses datapath, attach,
 * objects, host and base.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "../host/host.h"

enum host_answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct feature {
	const char *name;    /* stable id, kebab-case */
	uint8_t answer;	     /* enum host_answer */
	uint32_t needed_by;  /* bits 1 << enum fr_kind; 0: not needed to enforce */
	const char *instead; /* a feature that replaces it, or NULL */
	const char *purpose; /* its purpose */
	const char *cost;    /* consequence if missing */
	const char *remedy;  /* remedy if missing */
	const char *found;   /* finding on this host, or NULL */
};

struct program_fact {
	const char *name;
	uint8_t answer;
	uint32_t needed_by;
	bool optional;
	uint32_t verified;     /* instructions that the verifier processed; 0: unknown */
	uint32_t instructions; /* of the program */
	bool jited;
	const char *refused; /* the kernel's message, NULL when it loads */
};

/* A way past the hooks. ANSWER_YES: found on this host; ANSWER_NO: not found. */
struct bypass {
	const char *name;
	uint8_t answer;
	uint32_t of; /* kinds that it passes, bits 1 << enum fr_kind */
	const char *what, *closed_by;
	const char *found; /* finding, or NULL */
};

struct doctor_report {
	const char *kernel, *machine; /* of uname, shown only */
	struct feature *features;
	size_t feature_count;
	struct program_fact *programs;
	size_t program_count;
	struct bypass *bypasses;
	size_t bypass_count;
	uint8_t can[FR_KINDS]; /* enum host_answer: can this kind of attach point be enforced */
	bool tcx;	       /* interfaces by TCX links, else by clsact */
};
/* Arena memory. Tries all that its privilege permits; without privilege most answers are
 * ANSWER_UNKNOWN. */
void host_probe(const struct host_options *o, struct arena *arena, struct doctor_report *out);

#endif
