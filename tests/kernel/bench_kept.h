/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One load of the programs for all tests of packets: the test runner loads them once and keeps
 * them, and each test, a process of its own, takes descriptors of them. It finds every map as a
 * load leaves it. Not for tests about loading: those open a bench themselves.
 */
#ifndef BENCH_KEPT_H
#define BENCH_KEPT_H

#include "../../user/datapath/datapath.h"
#include "../testbench.h"

/* The runner's bench with blank maps; a new one where the runner keeps none. */
int bench_kept(struct diags *d, struct bench **out);
/* The name of each of its maps, from 0; NULL at the end. */
const char *bench_kept_map(int number);

#endif
