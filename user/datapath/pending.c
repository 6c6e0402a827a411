/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes that end by themselves. The image of such a generation has a deadline on the boot clock,
 * and past it the programs judge by the second slot of fr_images: by the generation before, or by a
 * copy of the same image that enforces nothing. All of that is in the kernel before the flip, so
 * that nothing in user space has to be alive later. A command that comes afterwards only makes
 * final what is in force already (pending_settle).
 */
#include "pending.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"
#include "damage.h"
#include "state.h"

static bool has_end(const struct change *change)
{
	return change->request->confirm || change->request->until;
}

/* ---------------------------------------------------------------- the record */

static int record_make(const struct change *change)
{
	CLEANUP(records_unmap) struct records records = {0};
	int err = change_record(change, "pending", sizeof(struct fr_pending), 1, &records);

	if (err)
		return err;
	*(struct fr_pending *)records.list = (struct fr_pending){
		.kind = change->request->confirm ? FR_PENDING_CONFIRM : FR_PENDING_UNTIL,
		.generation = change->generation,
		.uid = getuid(),
		.login = host_login_uid(),
		.asked = real_now(),
	};
	return 0;
}

static int record_read(const char *pins, const char *name, uint32_t generation,
		       struct fr_pending *out)
{
	CLEANUP(records_unmap) struct records records = {0};
	int err = records_open(pins, name, generation, &records);

	if (err)
		return err;
	*out = *(const struct fr_pending *)records.list;
	return 0;
}

/* Of a generation with a deadline. A record that is damaged does not prevent ending it. */
static int record_live(const struct running *running, struct fr_pending *out)
{
	const struct epoch_view *view = &running->view;
	int err = record_read(running->pins, "pending", view->current.generation, out);

	if (!pins_damaged(err))
		return err;
	*out = (struct fr_pending){
		.kind = view->before.audit ? FR_PENDING_UNTIL : FR_PENDING_CONFIRM,
		.generation = view->current.generation,
		.login = UINT32_MAX,
	};
	return 0;
}

/* Beside the generation that is in force now: what ended in it, and when. */
static int record_undone(const struct running *running, uint32_t generation)
{
	const struct epoch_view *view = &running->view;
	CLEANUP(records_unmap) struct records records = {0};
	CLEANUP(close_fd) int fd = -1;
	struct fr_pending pending;
	char name[32];
	int err = record_read(running->pins, "pending", generation, &pending);

	if (err)
		return pins_damaged(err) ? 0 : err;
	pending.ended = view->deadline;
	fd = records_create("fr_undone", sizeof(pending), 1, &records);
	if (fd < 0)
		return fd;
	*(struct fr_pending *)records.list = pending;
	snprintf(name, sizeof(name), "undone-%u", view->before.generation);
	err = pin_remove(running->pins, name);
	return err ? err : pin_store(fd, running->pins, name);
}

int pending_last(const struct running *running, uint32_t *out)
{
	struct fr_pending undone;
	int err;

	*out = running->last;
	if (!running->epoch)
		return 0;
	err = record_read(running->pins, "undone", running->generation, &undone);
	if (!err && undone.generation > *out)
		*out = undone.generation;
	return pins_damaged(err) ? 0 : err;
}

/* ---------------------------------------------------------------- before the flip */

int pending_refuse(const char *root, const char *policy, const struct pending *first,
		   struct diags *d)
{
	struct command_line line = {.verb = "confirm", .pin_root = root, .operand = policy};
	const char *confirm = command_text(d->arena, &line);

	line.verb = "cancel";
	return diag_error(
		d, NO_LOC, -EALREADY, "change-pending",
		arena_printf(d->arena, "%s, or %s", confirm, command_text(d->arena, &line)),
		"change %u of policy %s, by user %u, waits for its confirmation for %llu "
		"s more",
		first->generation, policy, first->uid,
		(unsigned long long)first->left / 1000000000);
}

int pending_check(const struct change *change)
{
	const struct running *running = &change->running;
	struct command_line apply = {
		.verb = "apply", .pin_root = change->root, .operand = change->request->source};
	struct pending pending;
	int err;

	if (!running->epoch || !running->view.deadline)
		return 0;
	err = pending_find(running, &pending);
	if (err)
		return pins_unreadable(running->pins, err, change->d);
	if (pending.kind == FR_PENDING_CONFIRM)
		return pending_refuse(change->root, change->policy, &pending, change->d);
	if (!change->request->confirm)
		return 0;
	if (change->request->mode_given)
		apply.mode = mode_name(change->request->ruleset->enforce);
	apply.more_count = words_lasting(change->request, change->d->arena, &apply.more);
	return diag_error(change->d, NO_LOC, -EALREADY, "change-pending",
			  command_text(change->d->arena, &apply),
			  "policy %s enforces until a time, and a change that is rolled back would "
			  "lose that end",
			  change->policy);
}

/* The records of the generation in force, in the epoch that a roll-back would leave. */
static int keep_record(const struct change *change, const char *name)
{
	const struct running *running = &change->running;
	CLEANUP(close_fd) int fd = pin_open_number(running->pins, name, running->generation);

	if (fd < 0)
		return str_equal(name, "document") && fd == -ENOENT ? 0 : fd;
	return pin_store_number(fd, change->pins, name, running->generation);
}

static int keep_records(const struct change *change)
{
	static const char *const names[] = {"hooks", "state", "requests", "document"};
	int err = rules_keep(change);

	for (size_t i = 0; i < ARRAY_SIZE(names) && !err && !change->same_shape; i++)
		err = keep_record(change, names[i]);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot keep the records of the policy: %s", error_text(err));
	return 0;
}

/* The copy of the new image that enforces nothing. */
static int make_audit(const struct change *change)
{
	CLEANUP(image_unmap) struct image image = {0};
	CLEANUP(close_fd) int copy = -1;
	int err = image_map_view(change->image, &image);

	if (err)
		return err;
	copy = image_copy(&image, change->live_class, FR_F_ENFORCE);
	return copy < 0 ? copy : pin_store_number(copy, change->pins, "audit", change->generation);
}

int pending_prepare(struct change *change)
{
	int err;

	if (!has_end(change))
		return 0;
	if (change->request->confirm && change->running.epoch && change->new_table)
		return diag_error(change->d, NO_LOC, -EALREADY, "change-pending",
				  "first apply the size of the table, without --confirm",
				  "a table of flows of another size cannot be rolled back");
	if (change->running.epoch) {
		err = keep_records(change);
		if (err)
			return err;
	}
	if (change->request->until) {
		err = make_audit(change);
		if (err)
			return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
					  "the kernel has no room for a second image: %s",
					  error_text(err));
	}
	return record_make(change);
}

/* ---------------------------------------------------------------- the deadline */

int pending_begin(const struct change *change)
{
	const struct apply_request *request = change->request;
	uint64_t now, real = real_now(), left = request->confirm;
	int err = has_end(change) ? boot_now(&now) : 0;

	if (err || !has_end(change))
		return err;
	if (!left)
		left = request->until > real ? request->until - real : 1;
	return image_deadline_set(change->image, now + left);
}

static int store_audit(const char *pins, uint32_t generation)
{
	CLEANUP(close_fd) int images = pin_open(pins, map_names[MAP_IMAGES]);
	CLEANUP(close_fd) int audit = pin_open_number(pins, "audit", generation);
	uint32_t before = FR_SLOT_BEFORE;

	if (images < 0 || audit < 0)
		return images < 0 ? images : audit;
	return bpf_map_update_elem(images, &before, &audit, BPF_ANY) ? -errno : 0;
}

/* Only what begins later is surely judged by that generation. */
static int store_begun(const char *pins, uint32_t generation)
{
	CLEANUP(records_unmap) struct records records = {0};
	CLEANUP(close_fd) int program = program_open(pins, PROG_STEADY, PROGRAM_CLOCK);
	struct clock_pair clock;
	int err = program < 0 ? program : clock_run(program, &clock);

	err = err ? err : records_open(pins, "pending", generation, &records);
	if (!err)
		((struct fr_pending *)records.list)->begun = clock.jiffies;
	return err;
}

/* Until now the second slot had the generation before, for packets that began under it. */
int pending_complete(const struct change *change)
{
	if (change->request->confirm)
		return store_begun(change->pins, change->generation);
	return change->request->until ? store_audit(change->pins, change->generation) : 0;
}

/* ---------------------------------------------------------------- past the deadline */

/* What is in force already. The image that has ended is stored again first: that waits for the
 * programs that began before the deadline, so that they still find it. */
static int make_final(const char *pins)
{
	CLEANUP(close_fd) int images = pin_open(pins, map_names[MAP_IMAGES]);
	CLEANUP(close_fd) int image = images < 0 ? images : epoch_image(pins);
	CLEANUP(close_fd) int ended = images < 0 ? images : epoch_current(pins);
	uint32_t current = FR_SLOT_CURRENT;

	if (images < 0 || (image < 0 && image != -ENOENT))
		return image;
	if (ended < 0)
		return ended;
	if (bpf_map_update_elem(images, &current, &ended, BPF_ANY))
		return -errno;
	if (image >= 0)
		return bpf_map_update_elem(images, &current, &image, BPF_ANY) ? -errno : 0;
	return bpf_map_delete_elem(images, &current) && errno != ENOENT ? -errno : 0;
}

/* A command that was killed after the flip. */
static int settle_live(const struct running *running)
{
	struct fr_pending pending;
	int err;

	if (!running->view.deadline || running->view.before.audit)
		return 0;
	err = record_read(running->pins, "pending", running->generation, &pending);
	if (err)
		return pins_damaged(err) ? 0 : err;
	if (pending.kind == FR_PENDING_UNTIL)
		err = store_audit(running->pins, running->generation);
	else if (!pending.begun)
		err = store_begun(running->pins, running->generation);
	return pins_damaged(err) ? 0 : err;
}

int pending_settle(struct running *running)
{
	struct epoch_view *view = &running->view;
	int err;

	if (!running->epoch)
		return running->undone[0] ? make_final(running->undone) : 0;
	if (!view->lapsed)
		return settle_live(running);
	err = record_undone(running, view->current.generation);
	if (err)
		return err;
	err = make_final(running->pins);
	if (err)
		return err;
	view->current = view->before;
	view->deadline = 0;
	view->lapsed = false;
	return 0;
}

static int end_now(const struct running *running)
{
	CLEANUP(close_fd) int image = running_image(running);
	uint64_t now;
	int err = image < 0 ? image : boot_now(&now);

	return err ? err : image_deadline_set(image, now);
}

int pending_end(struct running *running)
{
	struct running after = {0};
	int err;

	if (!running->epoch || !running->view.deadline || running->view.lapsed)
		return pending_settle(running);
	err = end_now(running);
	if (err)
		return err;
	err = running_find(running->root, strrchr(running->dir, '/') + 1, &after);
	if (err)
		return err;
	*running = after;
	return pending_settle(running);
}

/* ---------------------------------------------------------------- the view */

static int view_of(const struct fr_pending *record, const struct epoch_view *view,
		   struct pending *out)
{
	uint64_t now = view->now, ends = record->ended ?: view->deadline;
	int err = now ? 0 : boot_now(&now);

	if (err)
		return err;
	*out = (struct pending){.kind = record->kind,
				.generation = record->generation,
				.before = view->before.generation,
				.uid = record->uid,
				.login = record->login,
				.asked = record->asked,
				.begun = record->begun,
				.ends = real_now() + (ends - now),
				.left = ends > now ? ends - now : 0};
	return 0;
}

int pending_undone(const struct running *running, struct pending *out)
{
	struct epoch_view view = {0};
	struct fr_pending record = {0};
	int err = epoch_look(running->undone, &view);

	if (!err)
		err = record_read(running->undone, "pending", view.current.generation, &record);
	if (pins_damaged(err))
		record.generation = view.current.generation;
	else if (err)
		return err;
	return view_of(&record, &view, out);
}

int pending_find(const struct running *running, struct pending *out)
{
	const struct epoch_view *view = &running->view;
	struct fr_pending record;
	int err;

	if (view->deadline)
		err = record_live(running, &record);
	else
		err = record_read(running->pins, "undone", running->generation, &record);
	return err ? err : view_of(&record, view, out);
}

int instance_pending(const struct instance *instance, struct diags *d, struct pending *out,
		     bool *found)
{
	struct running running = {0};
	int err = running_find(instance->root, instance->name, &running);

	if (!err && running.epoch)
		err = pending_find(&running, out);
	*found = !err && running.epoch;
	return err && !pins_damaged(err) ? pins_unreadable(instance->dir, err, d) : 0;
}

int datapath_undone(const struct host_options *o, struct arena *arena, struct diags *d,
		    struct undone **list, size_t *count)
{
	const char *root = pin_root(o), **names;
	size_t all, found = 0;
	int err = policy_names(root, true, arena, &names, &all);

	*count = 0;
	if (err)
		return pins_unreadable(root, err, d);
	*list = arena_alloc(arena, (all + 1) * sizeof(**list));
	for (size_t i = 0; i < all; i++) {
		struct running running = {0};

		err = running_find(root, names[i], &running);
		if (err && err != -ENOENT)
			return pins_unreadable(root, err, d);
		if (err || running.epoch || !running.undone[0])
			continue;
		(*list)[found].policy = names[i];
		err = pending_undone(&running, &(*list)[found++].pending);
		if (err)
			return pins_unreadable(running.undone, err, d);
	}
	*count = found;
	return 0;
}
