/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of per-CPU counters. Only the kernel writes them; differences are taken modulo 2^64. */
#include "counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

void counters_add(struct fr_counters *to, const struct fr_counters *what)
{
	to->packets += what->packets;
	to->bytes += what->bytes;
	to->attempts += what->attempts;
	to->connections += what->connections;
	to->drops += what->drops;
	to->would_drops += what->would_drops;
	to->unlisted += what->unlisted;
	if (what->last > to->last)
		to->last = what->last;
}

void counters_negate(struct fr_counters *of)
{
	of->packets = -of->packets;
	of->bytes = -of->bytes;
	of->attempts = -of->attempts;
	of->connections = -of->connections;
	of->drops = -of->drops;
	of->would_drops = -of->would_drops;
	of->unlisted = -of->unlisted;
}

int counters_sum(int counters, uint32_t slot, struct fr_counters *out)
{
	int cpus = libbpf_num_possible_cpus();
	CLEANUP(free_ptr)
	struct fr_counters *each = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*each));
	struct fr_counters sum = {0};

	if (cpus < 0 || !each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(counters, &slot, each))
		return -errno;
	for (int cpu = 0; cpu < cpus; cpu++)
		counters_add(&sum, &each[cpu]);
	*out = sum;
	return 0;
}
