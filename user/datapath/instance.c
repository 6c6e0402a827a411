/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens a running policy for reading. Takes no lock; retries when a change comes in between.
 */
#include "instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "damage.h"
#include "heal.h"
#include "state.h"

enum { OPEN_TRIES = 10 };

struct expected_map {
	int *fd;
	const char *name;
	uint32_t key, value; /* sizes */
};

static int open_records(const struct running *running, struct instance *out)
{
	const struct expected_map maps[] = {
		{&out->rules, "rules", sizeof(uint32_t), sizeof(struct fr_rule_record)},
		{&out->hooks, "hooks", sizeof(uint32_t), sizeof(struct fr_hook_record)},
		{&out->state, "state", sizeof(uint32_t), sizeof(struct fr_state)},
		{&out->requests, "requests", sizeof(uint32_t), sizeof(struct fr_request_record)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s-%u", maps[i].name, running->generation);
		*maps[i].fd = pin_open_map(running->pins, name, maps[i].key, maps[i].value);
		if (*maps[i].fd < 0)
			return *maps[i].fd;
	}
	return 0;
}

/* Optional: flows name their process without it. */
static int open_processes(const struct running *running, struct instance *out)
{
	int fd = pin_open_map(running->pins, "fr_processes", sizeof(uint32_t),
			      sizeof(struct fr_owner));

	out->processes = fd < 0 ? -1 : fd;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

static int open_maps(const struct running *running, struct instance *out)
{
	const uint32_t index = sizeof(uint32_t);
	const struct expected_map maps[] = {
		{&out->images, "fr_images", index, index},
		{&out->failsafe, "fr_failsafe", index, sizeof(struct fr_failsafe)},
		{&out->counters, "fr_counters", index, sizeof(struct fr_counters)},
		{&out->reasons, "fr_reasons", index, sizeof(struct fr_reason_counters)},
		{&out->tallies, "fr_tallies", index, sizeof(uint64_t)},
		{&out->flows, "fr_flows", index, sizeof(struct fr_flow_set)},
		{&out->drops, "fr_drops", index, sizeof(struct fr_drop_set)},
		{&out->events, "fr_events", 0, 0},
		{&out->control, "fr_control", index, sizeof(struct fr_control)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		*maps[i].fd = pin_open_map(running->pins, maps[i].name, maps[i].key, maps[i].value);
		if (*maps[i].fd < 0)
			return *maps[i].fd;
	}
	return open_processes(running, out) ?: open_records(running, out);
}

static void instance_clear(struct instance *instance)
{
	memset(instance, 0, sizeof(*instance));
	instance->images = instance->failsafe = instance->counters = instance->reasons = -1;
	instance->tallies = instance->flows = instance->drops = -1;
	instance->events = instance->control = instance->processes = -1;
	instance->rules = instance->state = instance->hooks = instance->requests = -1;
}

int running_readable(const struct running *running, bool *out)
{
	struct instance instance;
	int err;

	instance_clear(&instance);
	err = open_maps(running, &instance);
	instance_close(&instance);
	*out = !err;
	return pins_damaged(err) ? 0 : err;
}

/* -ESRCH: no policy of that name is in force. -ENOENT, -EBADMSG: it is in force and incomplete; or
 * a change interrupted the read. */
static int open_once(const char *root, const char *policy, struct running *running,
		     struct instance *out)
{
	int err = running_find(root, policy, running);

	if (err || !running->epoch)
		return err && err != -ENOENT ? err : -ESRCH;
	snprintf(out->name, sizeof(out->name), "%s", policy);
	memcpy(out->root, running->root, sizeof(out->root));
	memcpy(out->dir, running->dir, sizeof(out->dir));
	memcpy(out->pins, running->pins, sizeof(out->pins));
	out->generation = running->generation;
	out->audit = running->audit;
	return open_maps(running, out);
}

/* In force, but incomplete. */
static int broken(const struct running *running, struct diags *d)
{
	int err = running_check(running, d);

	return err ? err
		   : diag_error(d, NO_LOC, -EIO, "pins-broken",
				running_heal_command(running, d->arena),
				"the pins below %s are incomplete, or not of flowreeve",
				running->dir);
}

/* No generation is in force: the policy is not applied, or its pins are damaged. */
static int absent(const char *root, const char *policy, struct diags *d)
{
	struct running running = {0};
	bool unknown;
	int err = policy_unknown(root, policy, &unknown);

	if (err || unknown)
		return policy_broken(root, policy, err ? err : -EIO, d);
	if (!running_find(root, policy, &running) && running.undone[0])
		return diag_error(d, NO_LOC, -ENOENT, "change-ended", NULL,
				  "the first change of policy %s was rolled back: nothing of it is "
				  "in force",
				  policy);
	return report_not_applied(policy, root, d);
}

/* Maps of another layout may have the same sizes. */
static int check_layout(const struct running *running, const struct instance *instance,
			struct diags *d)
{
	struct fr_state state;
	int err = instance_state(instance, &state);

	if (err)
		return pins_unreadable(running->dir, err, d);
	return state.abi == FR_ABI_VERSION ? 0 : report_other_layout(running, state.abi, d);
}

static int open_tried(const char *root, const char *policy, struct diags *d, struct instance *out)
{
	struct running running;
	int err = -ENOENT;

	for (int tries = 0; tries < OPEN_TRIES && pins_damaged(err); tries++) {
		running = (struct running){0};
		err = open_once(root, policy, &running, out);
		if (err)
			instance_close(out);
	}
	if (err == -ESRCH)
		return absent(root, policy, d);
	if (pins_damaged(err))
		return broken(&running, d);
	if (err)
		return pins_unreadable(root, err, d);
	err = check_layout(&running, out, d);
	if (err)
		instance_close(out);
	return err;
}

int instance_open(const struct host_options *o, const char *policy, struct diags *d,
		  struct instance *out)
{
	const char *root = pin_root(o);
	struct instance instance;
	int err = -ESTALE;

	libbpf_quiet();
	instance_clear(&instance);
	for (int tries = 0; tries < OPEN_TRIES && err == -ESTALE; tries++) {
		CLEANUP(close_fd) int fd = pins_look(root, d);

		if (fd < 0)
			return fd == -ENOENT ? report_not_applied(policy, root, d) : fd;
		err = open_tried(root, policy, d, &instance);
		/* The pin root was removed after it was opened, and perhaps replaced. */
		if (!err && !pin_root_is(fd, root)) {
			instance_close(&instance);
			err = -ESTALE;
		}
	}
	if (err)
		return err == -ESTALE ? pins_unreadable(root, err, d) : err;
	*out = instance;
	return 0;
}

void instance_close(struct instance *instance)
{
	int *const fds[] = {&instance->images,	 &instance->failsafe, &instance->counters,
			    &instance->reasons,	 &instance->tallies,  &instance->flows,
			    &instance->drops,	 &instance->events,   &instance->control,
			    &instance->rules,	 &instance->state,    &instance->hooks,
			    &instance->requests, &instance->processes};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_fd(fds[i]);
}

/* The generation may have changed since the instance was opened. */
static int view_image(const struct instance *instance, struct image *out, bool *audit)
{
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		struct running running = {0};
		CLEANUP(close_fd) int fd = -1;
		int err = running_find(instance->root, instance->name, &running);

		if (err || !running.epoch)
			return err && err != -ENOENT ? err : -ENODATA;
		*audit = running.audit;
		fd = running_image(&running);
		if (fd >= 0)
			return image_map_view(fd, out);
		if (fd != -ENOENT)
			return fd;
	}
	return -ENODATA;
}

int instance_image(const struct instance *instance, struct image *out)
{
	bool audit;
	int err = view_image(instance, out, &audit);

	if (err)
		return err;
	err = failsafe_read(instance->failsafe, image_head(out)->generation, &out->failsafe);
	if (err && err != -ENODATA)
		image_unmap(out);
	return err == -ENODATA ? 0 : err;
}

int instance_intact(const struct instance *instance, bool *out)
{
	CLEANUP(image_unmap) struct image image = {0};
	bool audit;
	int err = view_image(instance, &image, &audit);

	err = err ? err : image_intact(&image, audit, out);
	if (err || !*out)
		return err;
	return failsafe_intact(instance->failsafe, image_head(&image)->generation, out);
}

/* ---------------------------------------------------------------- the document */

/* -ENOENT: the generation has no document, or is no longer there. */
static int document_of(const struct running *running, struct diags *d,
		       struct instance_document *out)
{
	struct source *source = arena_alloc(d->arena, sizeof(*source));
	CLEANUP(close_fd)
	int document = pin_open_number(running->pins, "document", running->generation);
	CLEANUP(close_fd) int fd = running_image(running);
	CLEANUP(image_unmap) struct image image = {0};
	int err = fd < 0 ? fd : document;

	if (err < 0)
		return err;
	err = image_map_view(fd, &image);
	if (err)
		return err;
	err = document_load(document, image.digest, d->arena, source);
	if (err)
		return err;
	source->name = arena_printf(d->arena, "%s (in force)", strrchr(running->dir, '/') + 1);
	memcpy(out->digest, image.digest, sizeof(out->digest));
	out->source = source;
	return 0;
}

static int document_broken(const struct running *running, int err, struct diags *d)
{
	const char *heal = running_heal_command(running, d->arena);

	if (err == -ENOENT)
		return diag_error(d, NO_LOC, -EIO, "document-missing", heal,
				  "the policy at %s was applied by an older flowreeve, which kept "
				  "no document of it",
				  running->dir);
	if (pins_damaged(err))
		return diag_error(d, NO_LOC, -EIO, "document-damaged", heal,
				  "the document of the policy at %s is damaged, or of another "
				  "policy",
				  running->dir);
	return pins_unreadable(running->pins, err, d);
}

int instance_document(const struct instance *instance, struct diags *d,
		      struct instance_document *out)
{
	struct running running = {.generation = instance->generation}, now;
	int err = -ENOENT;

	memcpy(running.root, instance->root, sizeof(running.root));
	memcpy(running.dir, instance->dir, sizeof(running.dir));
	memcpy(running.pins, instance->pins, sizeof(running.pins));
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		err = document_of(&running, d, out);
		if (!err)
			return 0;
		now = (struct running){0};
		if (!pins_damaged(err) || running_find(instance->root, instance->name, &now))
			break;
		if (now.generation == running.generation && str_equal(now.pins, running.pins))
			break;
		running = now; /* a change came in between */
	}
	return document_broken(&running, err, d);
}

int instance_clock(const struct instance *instance, struct clock_pair *out)
{
	CLEANUP(close_fd) int program = program_open(instance->pins, PROG_STEADY, PROGRAM_CLOCK);

	return program < 0 ? program : clock_run(program, out);
}

/* ---------------------------------------------------------------- rules */

int instance_rules(const struct instance *instance, struct rule_records *out)
{
	struct records records;
	int err = records_map(instance->rules, &records);

	if (err)
		return err;
	*out = (struct rule_records){records.list, records.count, records.size};
	return 0;
}

void instance_rules_close(struct rule_records *rules)
{
	struct records records = {(void *)rules->list, rules->count, rules->size};

	records_unmap(&records);
	rules->list = NULL;
}

int instance_counters(const struct instance *instance, uint32_t slot,
		      const struct fr_rule_record *rule, struct fr_counters *out)
{
	struct fr_counters sum;
	int err = counters_sum(instance->counters, slot, &sum);

	if (err)
		return err;
	if (sum.last <= rule->base.last)
		sum.last = 0;
	out[0] = rule->base;
	out->last = 0;
	counters_add(out, &sum);
	return 0;
}
