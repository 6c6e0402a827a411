/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's parts: bench.c selects, policies.c makes and compiles allow-lists, hooks.c runs
 * packets through the programs by BPF_PROG_TEST_RUN, traffic.c sends real ones through namespaces
 * that scripts/bench has made, with workloads.c and sockets.c, by the clock of cpu.c; scale.c times
 * each phase of policy files of scripts/bench-scale. Measurements go to stdout as lines of series
 * and gaps, which tests/bench/figures.py reads.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "../../user/compile/compile.h"

#define DIE(...) bench_die(__VA_ARGS__)
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

double clock_ns(void);

/* Median and quartiles; sorts the samples. */
struct spread {
	double low, median, high;
};
struct spread spread_of(double *samples, size_t count);

/* One line of the measurement: its name, and its samples or the reason why there are none. */
struct series {
	const char *section, *workload, *variant;
	uint32_t rules, peers, cpus;
	const char *unit;
	uint64_t passed, refused, wrong; /* verdicts */
};
void series_print(const struct series *series, const double *samples, size_t count);
void gap_print(const struct series *series, const char *reason);

/* An allow-list in the shape of published ones: prefixes of all lengths, 32 services, one in five a
 * deny, one peer in five IPv6. The same size gives the same list. */
struct ruleset *policy_allow_list(struct arena *arena, uint32_t rules);
/* Every rule has its own peer and its own random range of ports: the worst case of a compiler. */
struct ruleset *policy_random_ranges(struct arena *arena, uint32_t rules);
/* A tuple of egress TCP that the policy passes by a rule, or refuses. */
struct tuple policy_tuple(const struct ruleset *rs, bool pass, bool v4);

int bench_compile(void);
/* ROUNDS RULES BINARY...: this program and others of its kind, which measure in turns. */
int bench_hooks(int count, char **words);
/* Answers the measurement requests on stdin, for bench_hooks. */
int bench_serve(void);
/* WORKLOAD RULES PEERS CPUS SLICES VARIANT...: see traffic.h. */
int bench_traffic(int count, char **words);
/* COUNT VARIANT: opens that many flows and measures nothing. */
int bench_fill(char **words);
/* Policy files, phase by phase. */
int bench_scale(int count, char **paths);
/* Runs a command, silent, and reports its time and its largest memory. */
int bench_command(char **words);
/* The same as three numbers: ms of wall time, ms of processor time, MB. */
int bench_cost(char **words);

#endif
