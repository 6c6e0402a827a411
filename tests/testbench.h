/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs loaded but not attached nor pinned, for BPF_PROG_TEST_RUN: the third judge and the
 * benchmark. `kind` and `dir` choose the program; `data` begins with an Ethernet header.
 */
#ifndef TESTBENCH_H
#define TESTBENCH_H

#include "../user/objects/objects.h"

struct bench;
int bench_open(struct diags *d, struct bench **out);
/* The programs as they are when attached, for measurements: no trace, `verdict` stays 0. */
int bench_open_quiet(struct diags *d, struct bench **out);
/* The descriptors of its programs and maps, borrowed, for another process: with its own descriptors
 * of the same, in that order, it makes a bench that has loaded nothing, and owns them. Both share
 * the contents of the maps. Returns their number. */
enum { BENCH_LENT_MAX = 64 };
size_t bench_lend(const struct bench *bench, int fds[BENCH_LENT_MAX]);
int bench_borrow(const int *fds, size_t count, struct diags *d, struct bench **out);
void bench_close(struct bench *bench);
int bench_install(struct bench *bench, const struct image *image, bool forget_flows);
/* Makes the tables of the installed image all zero, but not its first lines nor the rules' slots.
 */
int bench_wipe(struct bench *bench);
struct bench_run {
	uint8_t kind, dir; /* enum fr_kind, enum fr_dir */
	bool l3;	   /* the program of devices without an Ethernet header */
	const void *data;
	uint32_t size;
	uint32_t repeat;  /* 0: once */
	uint32_t ifindex; /* of the device; 0: one of the caller's namespace other than lo */
	uint32_t ingress_ifindex; /* the device that it came in by, 0 none */
	uint32_t segments;	  /* on the wire, 0: not segmented */
	/* out */
	int retval;
	uint32_t duration_ns; /* mean of the repeats */
	struct fr_event
		verdict; /* the pipeline's decision, from the trace map; slot = rule number */
};
int bench_run(struct bench *bench, struct bench_run *run);
/* The same for a socket look-up: its verdict, SK_PASS or SK_DROP, or -errno. `ask` is a struct
 * bpf_sk_lookup. */
int bench_ask_local(struct bench *bench, const void *ask, uint32_t size, struct fr_event *verdict);
int bench_map(struct bench *bench, const char *name); /* fd, borrowed */

#endif
