/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes attachments and pins agree with the generation in force. It ends every change, rolls back
 * a failed one, and repairs a killed one: all three find the generation in force and remove
 * everything else. Runs under the lock of the pin root.
 */
#include "reconcile.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../attach/attach.h"
#include "../host/host.h"
#include "damage.h"
#include "pending.h"

struct sweep {
	const struct running *running;
	const struct records *keep; /* hooks in force; NULL: none */
	const struct records *back; /* hooks that a roll-back would put in force; NULL: none */
	struct diags *d;
};

static bool has_pin(const struct records *records, const char *pin, size_t length)
{
	const struct fr_hook_record *hooks = records ? records->list : NULL;

	for (uint32_t i = 0; records && i < records->count; i++)
		if (hooks[i].used && strlen(hooks[i].pin) == length &&
		    !memcmp(hooks[i].pin, pin, length))
			return true;
	return false;
}

static bool kept(const struct sweep *sweep, const char *pin, size_t length)
{
	return has_pin(sweep->keep, pin, length) || has_pin(sweep->back, pin, length);
}

/* ---------------------------------------------------------------- links and filters */

/* "link-3-ingress" belongs to the hook whose pin is "link-3". */
static int sweep_link(const char *dir, const char *name, void *context)
{
	const char *second = str_starts(name, "link-") ? strchr(name + strlen("link-"), '-') : NULL;

	if (!second || kept(context, name, (size_t)(second - name)))
		return 0;
	return link_remove(dir, name);
}

static int sweep_hooks(const struct sweep *sweep, const struct records *records)
{
	const struct fr_hook_record *hooks = records->list;
	int err = 0;

	for (uint32_t i = 0; i < records->count && !err; i++)
		if (hooks[i].used && hooks[i].how == HOW_CLSACT &&
		    !kept(sweep, hooks[i].pin, strlen(hooks[i].pin)))
			err = attach_remove(sweep->running->dir, &hooks[i], sweep->d);
	return err;
}

/* The filters of one generation's record that are not in force. */
static int sweep_filters(const char *dir, const char *name, void *context)
{
	const struct sweep *sweep = context;
	struct records records = {0};
	uint32_t generation;
	int err;

	if (!pin_number(name, "hooks-", &generation))
		return 0;
	err = records_open(dir, "hooks", generation, &records);
	if (!err)
		err = sweep_hooks(sweep, &records);
	else if (err == -EBADMSG)
		diag_warning(
			sweep->d, NO_LOC, "left-over", "tc filter show dev DEVICE ingress",
			"%s/%s was not made by flowreeve: clsact filters that it names, if any, "
			"stay attached and pass every packet",
			dir, name);
	records_unmap(&records);
	return pins_damaged(err) ? 0 : err;
}

static int sweep_epoch_filters(const char *dir, const char *name, void *context)
{
	pin_path path;
	uint32_t epoch;

	if (!pin_number(name, "e", &epoch))
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	return pin_each(path, sweep_filters, context);
}

/* ---------------------------------------------------------------- epochs and generations */

static int add_counters(const struct records *records, int theirs)
{
	struct fr_rule_record *rules = records->list;
	struct fr_counters live;
	int err = 0;

	for (uint32_t slot = 0; slot < records->count && !err; slot++) {
		if (!rules[slot].used)
			continue;
		err = counters_sum(theirs, slot, &live);
		live.last = 0;
		if (!err)
			counters_add(&rules[slot].base, &live);
	}
	return err == -ENOENT ? 0 : err; /* a smaller map lacks the slots beyond it */
}

/* Fold counters of an abandoned change into the active rules. */
static int add_abandoned(const struct sweep *sweep, const char *abandoned)
{
	const uint32_t key = sizeof(uint32_t), value = sizeof(struct fr_counters);
	CLEANUP(close_fd)
	int ours = pin_open_map(sweep->running->pins, map_names[MAP_COUNTERS], key, value);
	CLEANUP(close_fd)
	int theirs = ours < 0 ? ours : pin_open_map(abandoned, map_names[MAP_COUNTERS], key, value);
	CLEANUP(records_unmap) struct records records = {0};
	uint32_t our_id, their_id;
	int err = theirs < 0 ? theirs : fd_map_id(ours, &our_id);

	if (err)
		return err;
	err = fd_map_id(theirs, &their_id);
	if (err || our_id == their_id)
		return err;
	err = records_open(sweep->running->pins, "rules", sweep->running->generation, &records);
	return err ? err : add_counters(&records, theirs);
}

static int carry_back(const struct sweep *sweep, const char *abandoned)
{
	int err = add_abandoned(sweep, abandoned);

	return pins_damaged(err) ? 0 : err;
}

static int sweep_epoch(const char *dir, const char *name, void *context)
{
	const struct sweep *sweep = context;
	uint32_t epoch;
	pin_path path;
	int err = 0;

	if (!pin_number(name, "e", &epoch) || epoch == sweep->running->epoch)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	if (sweep->running->epoch && epoch > sweep->running->epoch)
		err = carry_back(sweep, path);
	return err ? err : pin_remove_tree(path);
}

static int sweep_generation(const char *dir, const char *name, void *context)
{
	static const char *const kinds[] = {"image-",	 "audit-",   "rules-",
					    "hooks-",	 "state-",   "requests-",
					    "document-", "pending-", "undone-"};
	const struct sweep *sweep = context;
	const struct running *running = sweep->running;
	uint32_t generation;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
		if (pin_number(name, kinds[i], &generation) && generation != running->generation &&
		    !(running->view.deadline && generation == running->view.before.generation))
			err = pin_remove(dir, name);
	return err;
}

static int report_not_removed(const char *dir, int err, struct diags *d)
{
	int lack = err == -EACCES || err == -EPERM ? host_privileges(d) : 0;

	if (lack)
		return lack;
	return diag_error(
		d, NO_LOC, err, "pins-unreadable", err == -EMFILE ? "ulimit -n 1024" : NULL,
		"pins below %s that are not in force cannot be removed: %s", dir, error_text(err));
}

/* Filters first: their records are removed after them. */
static int sweep_each(struct sweep *sweep)
{
	const char *dir = sweep->running->dir;
	int err = pin_each(dir, sweep_epoch_filters, sweep);

	if (err)
		return err;
	err = pin_each(dir, sweep_link, sweep);
	if (err)
		return err;
	err = pin_each(dir, sweep_epoch, sweep);
	if (err || !sweep->running->epoch)
		return err;
	return pin_each(sweep->running->pins, sweep_generation, sweep);
}

static int sweep_all(struct sweep *sweep)
{
	const struct epoch_view *view = &sweep->running->view;
	unsigned said = sweep->d->errors;
	int err;

	/* What a roll-back needs is not known: nothing of it may go. */
	if (sweep->running->epoch && view->deadline && view->before.lost)
		return 0;
	err = sweep_each(sweep);

	if (!err || sweep->d->errors != said)
		return err;
	return report_not_removed(sweep->running->dir, err, sweep->d);
}

/* ---------------------------------------------------------------- reconciling */

static int reconcile_hooks(struct sweep *sweep)
{
	const struct fr_hook_record *hooks = sweep->keep->list;
	const struct running *running = sweep->running;
	struct attach_update update = {
		.dir = running->dir, .pins = running->pins, .variants = PROG_AFTER_FLIP};
	int err = 0;

	for (uint32_t i = 0; i < sweep->keep->count && !err; i++) {
		if (!hooks[i].used)
			continue;
		err = attach_programs_pinned(running->pins, PROG_AFTER_FLIP, &hooks[i]);
		if (!err)
			err = attach_update(&update, &hooks[i], sweep->d);
		else if (err == -ENOENT)
			err = 0; /* unchanged until apply makes new ones */
		else
			pins_unreadable(running->pins, err, sweep->d);
	}
	return err ? err : sweep_all(sweep);
}

static int reconcile_running(struct sweep *sweep)
{
	const struct running *running = sweep->running;
	CLEANUP(records_unmap) struct records hooks = {0};
	CLEANUP(records_unmap) struct records back = {0};
	int err = records_open(running->pins, "hooks", running->generation, &hooks);

	if (!err && running->view.deadline && running->view.before.generation) {
		err = records_open(running->pins, "hooks", running->view.before.generation, &back);
		sweep->back = &back;
	}
	if (err)
		return report_records_missing(running, err, sweep->d);
	sweep->keep = &hooks;
	return reconcile_hooks(sweep);
}

static int reconcile_found(struct running *running, struct diags *d)
{
	struct sweep sweep = {.running = running, .d = d};
	int err = running_known(running, d);

	if (err)
		return err;
	err = pending_settle(running);
	if (err)
		return pins_unreadable(running->dir, err, d);
	return running->generation ? reconcile_running(&sweep) : sweep_all(&sweep);
}

int policy_reconcile(const char *root, const char *policy, struct diags *d, struct running *out)
{
	struct running running = {0};
	int err = running_read(root, policy, d, &running);

	if (err == -ENOENT) {
		snprintf(running.dir, sizeof(running.dir), "%s/%s", root, policy);
		*out = running;
		return 0;
	}
	err = err ? err : reconcile_found(&running, d);
	if (err)
		return err;
	*out = running;
	return 0;
}

/* ---------------------------------------------------------------- removing a policy */

/* The outer map of an epoch, and its image in force. */
struct judge {
	pin_path pins;
	int images, image; /* -1: none */
};

struct judges {
	struct arena *arena;
	struct judge *list;
	size_t count, capacity;
};

static int on_judge(const char *dir, const char *name, void *context)
{
	struct judges *judges = context;
	struct judge *judge;
	uint32_t epoch;

	if (!pin_number(name, "e", &epoch))
		return 0;
	judges->list = arena_grow(judges->arena, judges->list, judges->count, &judges->capacity,
				  sizeof(*judges->list));
	judge = &judges->list[judges->count++];
	judge->image = -1;
	if (snprintf(judge->pins, sizeof(judge->pins), "%s/%s", dir, name) >= PIN_PATH)
		judge->pins[0] = 0;
	judge->images = pin_open(judge->pins, map_names[MAP_IMAGES]);
	if (judge->images < 0)
		return judge->images == -ENOENT ? 0 : judge->images;
	judge->image = epoch_image(judge->pins);
	if (judge->image < 0 && judge->image != -ENOENT)
		return judge->image;
	return 0;
}

static int judge_stop(const struct judge *judge)
{
	uint32_t current = FR_SLOT_CURRENT, before = FR_SLOT_BEFORE;

	if (judge->images < 0)
		return 0;
	/* for packets already in a program */
	if (judge->image >= 0 &&
	    bpf_map_update_elem(judge->images, &before, &judge->image, BPF_ANY))
		return -errno;
	return bpf_map_delete_elem(judge->images, &current) && errno != ENOENT ? -errno : 0;
}

static void judge_go_on(const struct judge *judge)
{
	uint32_t current = FR_SLOT_CURRENT;

	if (judge->image >= 0)
		bpf_map_update_elem(judge->images, &current, &judge->image, BPF_ANY);
}

/* One store ends the policy at all its hooks at once: hooks removed later pass everything
 * meanwhile. Only an abandoned change leaves two sets of programs; then both end, or neither. */
static int policy_stop(const struct running *running, struct diags *d)
{
	struct judges judges = {.arena = d->arena};
	int err = pin_each(running->dir, on_judge, &judges);

	for (size_t i = 0; i < judges.count && !err; i++) {
		err = judge_stop(&judges.list[i]);
		for (size_t j = 0; j < i && err; j++)
			judge_go_on(&judges.list[j]);
	}
	for (size_t i = 0; i < judges.count; i++) {
		close_fd(&judges.list[i].images);
		close_fd(&judges.list[i].image);
	}
	return err ? pins_unreadable(running->dir, err, d) : 0;
}

static int reach_hook(const struct fr_hook_record *hook, struct diags *d)
{
	int back = -1, err = netns_enter(hook->netns, &back);

	netns_leave(&back);
	if (!err || err == -ESRCH)
		return 0;
	return diag_error(d, NO_LOC, err, "namespace",
			  "run it in that network namespace, or with CAP_SYS_ADMIN",
			  "%s has clsact filters in another network namespace, which cannot be "
			  "entered: %s",
			  hook->name, error_text(err));
}

static int reach_generation(const struct running *running, uint32_t generation, struct diags *d)
{
	CLEANUP(records_unmap) struct records records = {0};
	const struct fr_hook_record *hooks;
	int err = generation ? records_open(running->pins, "hooks", generation, &records) : 0;

	if (err)
		return pins_damaged(err) ? 0 : pins_unreadable(running->pins, err, d);
	hooks = records.list;
	for (uint32_t i = 0; i < records.count && !err; i++)
		if (hooks[i].used && hooks[i].how == HOW_CLSACT)
			err = reach_hook(&hooks[i], d);
	return err;
}

/* If a namespace of filters cannot be entered, change nothing rather than a part. The policy that a
 * change would be rolled back to has its own. */
static int check_reach(const struct running *running, struct diags *d)
{
	int err = reach_generation(running, running->view.current.generation, d);

	return err ? err : reach_generation(running, running->view.before.generation, d);
}

/* The directory of the policy, if it is one. */
static int find_ours(const char *root, const char *policy, struct diags *d, struct running *out)
{
	bool ours = false;
	int err = running_read(root, policy, d, out);

	if (err)
		return err;
	err = policy_is_ours(out->dir, &ours);
	if (err && err != -ENOENT)
		return pins_unreadable(out->dir, err, d);
	return ours ? 0 : -ENOENT;
}

static void stopped(const struct running *running, struct diags *d)
{
	diag_note(d, NO_LOC, "left-over", "flowreeve detach removes the rest",
		  "the policy at %s is no longer in force, but some of it could not be removed",
		  running->dir);
}

int policy_remove(const char *root, const char *policy, struct diags *d)
{
	struct running running = {0};
	struct sweep sweep = {.running = &running, .d = d};
	int err = find_ours(root, policy, d, &running);

	if (err)
		return err;
	err = check_reach(&running, d);
	if (err)
		return err;
	/* Damaged pins do not prevent it: they all go. */
	err = pending_end(&running);
	if (err && !pins_damaged(err))
		return pins_unreadable(running.dir, err, d);
	err = policy_stop(&running, d);
	if (err)
		return err;
	running.epoch = 0; /* so that none of them is kept */
	err = sweep_all(&sweep);
	if (!err && rmdir(running.dir))
		err = diag_error(d, NO_LOC, -errno, "pin-root", NULL, "cannot remove %s: %s",
				 running.dir, error_text(errno));
	if (err)
		stopped(&running, d);
	return err;
}
