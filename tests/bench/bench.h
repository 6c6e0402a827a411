/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's parts: bench.c chooses, policies.c makes allow-lists and compiles them, hooks.c
 * runs packets through the programs, udp.c sends real ones through namespaces that scripts/bench
 * has made, scale.c takes policy files of scripts/bench-scale to pieces of time.
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

/* An allow-list in the shape of published ones: prefixes of all lengths, 32 services, one in five a
 * deny, one peer in five IPv6. The same size gives the same list. */
struct ruleset *policy_allow_list(struct arena *arena, uint32_t rules);
/* Every rule its own peer and its own random range of ports: what compilers fear. */
struct ruleset *policy_random_ranges(struct arena *arena, uint32_t rules);
/* A tuple of egress TCP that the policy passes by a rule, or refuses. */
struct tuple policy_tuple(const struct ruleset *rs, bool pass, bool v4);

int bench_compile(void);
int bench_hooks(void);
/* Each argument NAME:SENDER:RECEIVER:ADDRESS: namespaces and the receiver's address. "oneway"
 * before them: the receiver never answers. */
int bench_udp(int count, char **variants);
/* Policy files, phase by phase. */
int bench_scale(int count, char **paths);
/* Runs a command, silent, and tells its time and its largest memory. */
int bench_command(char **words);

#endif
