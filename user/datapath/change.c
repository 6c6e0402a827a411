/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One change of a policy: opens the generation in force, makes the records of the new one, and
 * commits.
 */
#include "change.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "carry.h"
#include "damage.h"

/* ---------------------------------------------------------------- the generation in force */

static int open_counters(struct change *change)
{
	int fd = pin_open_map(change->running.pins, map_names[MAP_COUNTERS], sizeof(uint32_t),
			      sizeof(struct fr_counters));

	if (fd < 0)
		return pins_damaged(fd) ? 0 : fd; /* without them they begin at 0 */
	change->old_counters = fd;
	return fd_map_entries(fd, &change->old_slots);
}

static int open_records(struct change *change)
{
	const struct {
		const char *name;
		struct records *out;
	} wanted[] = {{"rules", &change->old_rules},
		      {"hooks", &change->old_hooks},
		      {"state", &change->old_state}};
	const struct running *running = &change->running;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !err; i++)
		err = records_open(running->pins, wanted[i].name, running->generation,
				   wanted[i].out);
	return err ? err : requests_open(running->pins, running->generation, &change->old_requests);
}

static int open_running(struct change *change)
{
	const struct running *running = &change->running;
	CLEANUP(close_fd) int image = running_image(running);
	int err = image < 0 ? image : image_map_view(image, &change->live);

	if (err)
		return err;
	err = fd_map_entries(image, &change->live_class);
	if (err)
		return err;
	err = open_records(change);
	return err ? err : open_counters(change);
}

int change_open(struct change *change)
{
	int err = change->running.epoch ? open_running(change) : 0;

	return err ? policy_broken(change->root, change->policy, err, change->d) : 0;
}

void change_free(struct change *change)
{
	image_unmap(&change->live);
	records_unmap(&change->old_rules);
	records_unmap(&change->old_hooks);
	records_unmap(&change->old_state);
	records_unmap(&change->old_requests);
	records_unmap(&change->rules);
	records_unmap(&change->new_hooks);
	records_unmap(&change->state);
	records_unmap(&change->requests);
	close_fd(&change->old_counters);
	close_fd(&change->image);
	close_fd(&change->import);
}

/* ---------------------------------------------------------------- the new generation */

int change_record(const struct change *change, const char *name, uint32_t size, uint32_t count,
		  struct records *out)
{
	char map[16];
	CLEANUP(close_fd) int fd = -1;
	int err;

	snprintf(map, sizeof(map), "fr_%s", name);
	fd = records_create(map, size, count, out);
	err = fd < 0 ? fd : pin_store_number(fd, change->pins, name, change->generation);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot keep the records of the policy: %s", error_text(err));
	return 0;
}

int change_failsafe(const struct change *change, const struct fr_failsafe *list)
{
	CLEANUP(close_fd) int map = failsafe_open(change->pins);
	int err = map < 0 ? map : failsafe_store(map, change->generation, list);

	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot store the failsafe rules: %s", error_text(err));
	return 0;
}

/* ---------------------------------------------------------------- the commit point */

static int activate(const struct change *change)
{
	CLEANUP(close_fd) int images = pin_open(change->pins, map_names[MAP_IMAGES]);
	uint32_t current = FR_SLOT_CURRENT;
	int err = images < 0 ? images : image_keep(change->pins, images);

	if (err)
		return err;
	err = flows_wait(change) ? flows_carry(change) : 0;
	if (err)
		return err;
	return bpf_map_update_elem(images, &current, &change->image, BPF_ANY) ? -errno : 0;
}

/* The policy is in force even if the last flows of the old table are lost. */
static void carry_latest(const struct change *change)
{
	int err = flows_carry(change);

	if (err)
		diag_warning(
			change->d, NO_LOC, "flows-not-carried", NULL,
			"the new policy is in force, but some flows that began during the change "
			"could not be copied to its flow table and are judged as mid-stream "
			"connections: %s",
			error_text(err));
}

int change_flip(const struct change *change)
{
	int err = activate(change);

	if (err)
		return err;
	if (flows_wait(change))
		carry_latest(change);
	return 0;
}
