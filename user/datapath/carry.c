/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows that go from one table into another, of another size or another layout. A program puts
 * them in, by the same text that opens flows, so that its locks hold while others run. What finds
 * no room is adopted, if it can be.
 */
#include "change.h"

#include <string.h>

struct carrier {
	int program;
	uint32_t count;
	struct fr_flow flows[FR_IMPORT_MAX];
};

static int carrier_send(struct carrier *c)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = c->flows,
		    .data_size_in = c->count * (uint32_t)sizeof(c->flows[0]));

	if (!c->count)
		return 0;
	c->count = 0;
	if (bpf_prog_test_run_opts(c->program, &run))
		return -errno;
	return run.retval == FR_IMPORT_REFUSED ? -EIO : 0; /* it has found no policy in force */
}

static int carry_flow(const void *entry, void *context)
{
	struct carrier *c = context;

	memcpy(&c->flows[c->count++], entry, sizeof(c->flows[0]));
	return c->count < FR_IMPORT_MAX ? 0 : carrier_send(c);
}

int flows_carry(const struct change *change)
{
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	struct carrier carrier = {.program = change->import};
	int two = two_maps(change, MAP_FLOWS, &old, &new), err;

	if (two <= 0)
		return two;
	err = sets_each(old, carry_flow, &carrier);
	return err ? err : carrier_send(&carrier);
}

int flows_carry_older(const struct change *change)
{
	struct carrier carrier = {.program = change->import};
	int err = older_flows_each(change->running.pins, change->running.layout, carry_flow,
				   &carrier);

	return err ? err : carrier_send(&carrier);
}
