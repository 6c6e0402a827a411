/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change means on this host: which hooks stay, join and leave, which counter slot each rule
 * gets, and whether what runs can take the new image. Changes nothing.
 */
#include "change.h"

#include <string.h>

enum { CLASS_SLACK = 8 };

/* ---------------------------------------------------------------- hooks */

static bool number_taken(const struct change *change, uint32_t number)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	char pin[sizeof(old->pin)];

	snprintf(pin, sizeof(pin), "link-%u", number);
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		unsigned priority, handle;

		if (!old[i].used)
			continue;
		if (str_equal(old[i].pin, pin))
			return true;
		if (sscanf(old[i].pin, "tc-%u-%x", &priority, &handle) == 2 &&
		    (handle & 0xffff) == number)
			return true;
	}
	return false;
}

/* Filters of several policies and pin roots share a priority: the upper half of a handle tells
 * whose. */
static uint32_t handle_base(const char *dir)
{
	uint32_t hash = 2166136261u;

	for (; *dir; dir++)
		hash = (hash ^ (uint8_t)*dir) * 16777619u;
	return (hash ^ hash << 16) | 0x10000;
}

static void plan_place(struct change *change, struct fr_hook_record *record, uint32_t *number)
{
	do
		++*number;
	while (number_taken(change, *number));
	if (record->kind == FR_KIND_CGROUP)
		record->how = HOW_CGROUP;
	else if (!change->request->host.no_tcx && tcx_works(record->ifindex))
		record->how = HOW_TCX;
	else
		record->how = HOW_CLSACT;
	if (record->how == HOW_CLSACT)
		snprintf(record->pin, sizeof(record->pin), "tc-1-%x",
			 (handle_base(change->running.dir) & 0xffff0000) | *number);
	else
		snprintf(record->pin, sizeof(record->pin), "link-%u", *number);
}

static bool hook_same(const struct fr_hook_record *a, const struct fr_hook_record *b)
{
	return hook_same_place(a, b) && a->kind == b->kind && a->l3 == b->l3;
}

/* The record of the same hook that runs now, when all that belongs to it is still there. */
static const struct fr_hook_record *find_running(const struct change *change,
						 const struct fr_hook_record *wanted)
{
	const struct fr_hook_record *old = change->old_hooks.list;

	for (uint32_t i = 0; i < change->old_hooks.count; i++)
		if (old[i].used && hook_same(&old[i], wanted) &&
		    hook_alive(change->running.dir, &old[i]))
			return &old[i];
	return NULL;
}

static void plan_hook(struct change *change, const struct hook *hook, uint64_t netns,
		      uint32_t *number)
{
	struct planned_hook *planned = &change->hooks[change->hook_count++];
	struct fr_hook_record *record = &planned->record;
	const struct fr_hook_record *runs;

	record->used = 1;
	record->kind = hook->kind;
	record->l3 = hook->l3;
	record->ifindex = hook->ifindex;
	record->cgroup = hook->cgroup;
	record->netns = hook->kind == FR_KIND_CGROUP ? 0 : netns;
	record->request = hook->request;
	snprintf(record->name, sizeof(record->name), "%s", hook->name);
	planned->path = hook->path;
	runs = find_running(change, record);
	if (runs) {
		planned->fate = HOOK_STAYS;
		record->how = runs->how;
		memcpy(record->pin, runs->pin, sizeof(record->pin));
		change->same_hooks &= !memcmp(record, runs, sizeof(*record));
		if (!claim_lost_front(change, planned))
			return;
	}
	planned->fate = HOOK_JOINS;
	change->joining_count++;
	plan_place(change, record, number);
}

static void plan_leaving(struct change *change)
{
	const struct fr_hook_record *old = change->old_hooks.list;

	change->leaving = arena_alloc(change->d->arena,
				      (change->old_hooks.count + 1) * sizeof(*change->leaving));
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		bool stays = false;

		for (size_t j = 0; j < change->hook_count; j++)
			stays |= str_equal(change->hooks[j].record.pin, old[i].pin);
		if (old[i].used && !stays)
			change->leaving[change->leaving_count++] = &old[i];
	}
}

static int plan_hooks(struct change *change)
{
	const struct apply_request *request = change->request;
	uint32_t number = 0;
	uint64_t netns;
	int err = host_netns(&netns);

	if (err)
		return diag_error(change->d, NO_LOC, err, "namespace", NULL,
				  "cannot tell the network namespace: %s", error_text(err));
	if (!request->hook_count || request->hook_count > FR_HOOKS_MAX)
		return diag_error(change->d, NO_LOC, -EINVAL, "attach-limit", NULL,
				  "%zu attach points: between 1 and %d can be applied",
				  request->hook_count, FR_HOOKS_MAX);
	change->hooks = arena_alloc(change->d->arena, request->hook_count * sizeof(*change->hooks));
	change->same_hooks = true;
	for (size_t i = 0; i < request->hook_count; i++)
		plan_hook(change, &request->hooks[i], netns, &number);
	plan_leaving(change);
	return 0;
}

/* ---------------------------------------------------------------- what runs */

static uint32_t map_entries(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.max_entries;
}

static int open_running(struct change *change)
{
	const struct running *running = &change->running;
	CLEANUP(close_fd) int image = -1;
	int err;

	if (!running->epoch)
		return 0;
	image = pin_open_number(running->pins, "image", running->generation);
	err = image < 0 ? image : image_map_view(image, &change->live);
	if (!err)
		err = records_open(running->pins, "rules", running->generation, &change->old_rules);
	if (!err)
		err = records_open(running->pins, "hooks", running->generation, &change->old_hooks);
	if (!err)
		err = records_open(running->pins, "state", running->generation, &change->old_state);
	if (!err)
		err = records_open(running->pins, "requests", running->generation,
				   &change->old_requests);
	if (err)
		return policy_broken(change->root, change->policy, err, change->d);
	change->live_class = map_entries(image);
	change->old_counters = pin_open_map(running->pins, map_names[MAP_COUNTERS],
					    sizeof(uint32_t), sizeof(struct fr_counters));
	return 0;
}

/* Of every hook, and the one that tells time: a pin that was taken away comes back with new
 * programs. */
static bool programs_pinned(const struct change *change)
{
	const char *pins = change->running.pins;
	CLEANUP(close_fd) int clock = program_open(pins, 's', PROGRAM_CLOCK);
	bool pinned = clock >= 0;

	for (size_t i = 0; i < change->hook_count && pinned; i++)
		pinned = hook_programs_pinned(pins, "sj", &change->hooks[i].record);
	return pinned;
}

static bool plan_same_shape(const struct change *change)
{
	CLEANUP(close_fd) int flows = -1;
	const struct fr_state *state = change->old_state.list;
	uint32_t lines = change->request->image->line_count;

	if (!change->running.epoch || change->joining_count || change->leaving_count)
		return false;
	if (lines > change->live_class || change->live_class / CLASS_SLACK > image_class(lines))
		return false;
	if (change->slots.count > map_entries(change->old_counters))
		return false;
	if (!str_equal(state->build, change->build) || !running_readable(&change->running) ||
	    !programs_pinned(change))
		return false;
	flows = pin_open(change->running.pins, map_names[MAP_FLOWS]);
	return !change->request->flows || map_entries(flows) == change->request->flows;
}

static int plan_host_facts(struct change *change)
{
	bool forwarding;
	int err = host_forwarding(&forwarding);

	if (err)
		return diag_error(change->d, NO_LOC, err, "netlink", NULL,
				  "the kernel does not tell whether it forwards: %s",
				  error_text(err));
	change->extra_flags = forwarding ? FR_F_FORWARDING_ON : 0;
	err = host_conntrack(&change->conntrack);
	if (err)
		return diag_error(change->d, NO_LOC, err, "conntrack", NULL,
				  "the time-outs of conntrack cannot be read from "
				  "/proc/sys/net/netfilter: %s",
				  error_text(err));
	return 0;
}

int change_plan(struct change *change)
{
	int err = open_running(change);

	object_build(change->build);
	if (!err)
		err = plan_hooks(change);
	if (!err)
		err = claims_check(change);
	if (!err)
		err = plan_host_facts(change);
	if (err)
		return err;
	err = slots_plan(change->request->ruleset,
			 change->running.epoch ? &change->old_rules : NULL, change->old_counters,
			 change->d->arena, &change->slots);
	if (err)
		return diag_error(change->d, NO_LOC, err, "counters", NULL,
				  "the counters that run cannot be read: %s", error_text(err));
	err = lowering_check(change);
	if (err)
		return err;
	change->same_shape = plan_same_shape(change);
	change->generation = change->running.generation + 1;
	return 0;
}

void change_free(struct change *change)
{
	instance_image_close(&change->live);
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
}
