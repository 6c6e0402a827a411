/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows that go from one table into another of another size. A program puts them in, by the same
 * text that opens flows, so that its locks hold while others run. What finds no room is adopted, if
 * it can be.
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
	return bpf_prog_test_run_opts(c->program, &run) ? -errno : 0;
}

static int carry_flow(const void *entry, void *context)
{
	struct carrier *c = context;

	memcpy(&c->flows[c->count++], entry, sizeof(c->flows[0]));
	return c->count < FR_IMPORT_MAX ? 0 : carrier_send(c);
}

/* The old table where it is another one than the new; -ENOENT where there is nothing to carry. */
static int old_table(const struct change *change)
{
	CLEANUP(close_fd)
	int old = pin_open_map(change->running.pins, map_names[MAP_FLOWS], sizeof(uint32_t),
			       sizeof(struct fr_flow_set));
	CLEANUP(close_fd) int new = pin_open(change->pins, map_names[MAP_FLOWS]);
	uint32_t old_id, new_id;
	int err;

	if (old < 0 || new < 0)
		return old < 0 ? old : new;
	err = fd_map_id(old, &old_id);
	if (!err)
		err = fd_map_id(new, &new_id);
	if (!err && old_id == new_id)
		err = -ENOENT;
	return err ? err : TAKE_FD(old);
}

int flows_carry(const struct change *change)
{
	CLEANUP(close_fd) int old = old_table(change);
	struct carrier carrier = {.program = change->import};
	int err;

	if (old < 0)
		return pins_damaged(old) ? 0 : old;
	err = sets_each(old, carry_flow, &carrier);
	return err ? err : carrier_send(&carrier);
}
