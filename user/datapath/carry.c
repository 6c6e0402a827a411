/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carries flows and counters from the maps of one epoch into those of the next, which have another
 * size or layout. A program inserts the flows, with the code that opens flows, so that its locks
 * hold while others run. A flow without room is adopted later, if possible.
 */
#include "carry.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- two maps */

static int two_maps(const struct change *change, enum kernel_map which, int *old, int *new)
{
	static const struct {
		uint32_t key, value;
	} sizes[MAP_COUNT] = {
		[MAP_COUNTERS] = {sizeof(uint32_t), sizeof(struct fr_counters)},
		[MAP_FLOWS] = {sizeof(uint32_t), sizeof(struct fr_flow_set)},
	};
	uint32_t old_id, new_id;
	int err;

	*old = pin_open_map(change->running.pins, map_names[which], sizes[which].key,
			    sizes[which].value);
	if (*old < 0)
		return pins_damaged(*old) ? 0 : *old;
	*new = pin_open(change->pins, map_names[which]);
	err = *new < 0 ? *new : fd_map_id(*old, &old_id);
	if (err)
		return err;
	err = fd_map_id(*new, &new_id);
	if (err)
		return err;
	return old_id != new_id;
}

/* ---------------------------------------------------------------- flows */

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
	return run.retval == FR_IMPORT_REFUSED ? -EIO : 0; /* no policy was in force */
}

static int carry_flow(const void *entry, void *context)
{
	struct carrier *c = context;

	memcpy(&c->flows[c->count++], entry, sizeof(c->flows[0]));
	return c->count < FR_IMPORT_MAX ? 0 : carrier_send(c);
}

bool flows_wait(const struct change *change)
{
	return change->new_table || change->older;
}

static int send_table(const struct change *change, struct carrier *carrier)
{
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	int two = two_maps(change, MAP_FLOWS, &old, &new);

	return two > 0 ? sets_each(old, carry_flow, carrier) : two;
}

int flows_carry(const struct change *change)
{
	const struct running *running = &change->running;
	struct carrier carrier = {.program = change->import};
	int err = change->older
			  ? older_flows_each(running->pins, running->layout, carry_flow, &carrier)
			  : send_table(change, &carrier);

	return err ? err : carrier_send(&carrier);
}

/* ---------------------------------------------------------------- counters */

/* The time of a rule's last packet is not a sum: copy it before programs count in the new map. */
int last_carry(const struct change *change)
{
	int cpus = libbpf_num_possible_cpus();
	CLEANUP(free_ptr)
	struct fr_counters *each = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*each));
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	struct fr_counters live;
	int two, err = 0;

	if (cpus < 0 || !each)
		return cpus < 0 ? cpus : -ENOMEM;
	two = two_maps(change, MAP_COUNTERS, &old, &new);
	for (uint32_t slot = 0; slot < change->old_rules.count && two > 0 && !err; slot++) {
		if (slot >= change->old_slots)
			break;
		err = counters_sum(old, slot, &live);
		each[0].last = live.last;
		if (!err && live.last && bpf_map_update_elem(new, &slot, each, BPF_ANY))
			err = -errno;
	}
	return two < 0 ? two : err;
}

/* Storing the present value again waits until the programs that have read it, the old ones, have
 * ended. */
static int wait_for_programs(const struct change *change)
{
	CLEANUP(close_fd) int images = pin_open(change->running.pins, map_names[MAP_IMAGES]);
	CLEANUP(close_fd)
	int image = running_image(&change->running);
	uint32_t zero = 0;

	if (images < 0 || image < 0)
		return images < 0 ? images : image;
	return bpf_map_update_elem(images, &zero, &image, BPF_ANY) ? -errno : 0;
}

/* Over counters that begin at 0 where the old ones are not used any more. */
static int rebase(const struct change *change, int old, struct fr_rule_record *rules)
{
	int err = 0;

	for (uint32_t slot = 0; slot < change->old_rules.count && !err; slot++) {
		uint64_t last = rules[slot].base.last;
		struct fr_counters live;

		if (!rules[slot].used || slot >= change->old_slots)
			continue;
		err = counters_sum(old, slot, &live);
		if (err)
			break;
		counters_add(&rules[slot].base, &live);
		rules[slot].base.last = last;
	}
	return err;
}

int counters_carry(const struct change *change)
{
	struct fr_rule_record *rules = change->rules.list;
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	int two = two_maps(change, MAP_COUNTERS, &old, &new);
	int err = two > 0 ? wait_for_programs(change) : two;

	return two > 0 && !err ? rebase(change, old, rules) : err;
}

/* Its flows outlive a roll-back: no later rule must have their slot. */
static void retire(const struct change *change, uint32_t slot, struct fr_rule_record *out)
{
	struct fr_rule_record planned;

	slot_record(&change->slots, slot, &planned);
	if (planned.used != SLOT_USED || out->used == SLOT_USED)
		return;
	*out = planned;
	out->used = SLOT_RETIRED;
}

int rules_keep(const struct change *change)
{
	uint32_t old_count = change->old_rules.count, planned = change->slots.count;
	CLEANUP(records_unmap) struct records records = {0};
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	CLEANUP(close_fd) int fd = -1;
	int two = two_maps(change, MAP_COUNTERS, &old, &new), err;

	if (two < 0 || (!two && change->same_shape && change->slots.same))
		return two;
	fd = records_create("fr_rules", sizeof(struct fr_rule_record),
			    planned > old_count ? planned : old_count, &records);
	if (fd < 0)
		return fd;
	memcpy(records.list, change->old_rules.list, old_count * sizeof(struct fr_rule_record));
	/* An upgrade plans no rules: it has those in force. */
	for (uint32_t slot = 0; slot < planned && change->slots.rule; slot++)
		retire(change, slot, (struct fr_rule_record *)records.list + slot);
	err = two ? rebase(change, old, records.list) : 0;
	return err ? err
		   : pin_replace_number(fd, change->pins, "rules", change->running.generation);
}
