/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes what is attached and pinned agree with the generation in force. It is the end of every
 * change, the way back from one that failed, and the cure for one that was killed: all three find
 * the generation in force and remove what is not of it. Runs under the lock of the pin root.
 */
#include "internal.h"

#include <string.h>
#include <unistd.h>

struct sweep {
	const struct running *running;
	const struct records *keep; /* hooks in force; NULL: none */
	struct diags *d;
	int err;
};

static bool kept(const struct sweep *sweep, const char *pin, size_t length)
{
	const struct fr_hook_record *hooks = sweep->keep ? sweep->keep->list : NULL;

	for (uint32_t i = 0; sweep->keep && i < sweep->keep->count; i++)
		if (hooks[i].used && strlen(hooks[i].pin) == length &&
		    !memcmp(hooks[i].pin, pin, length))
			return true;
	return false;
}

/* ---------------------------------------------------------------- links and filters */

/* "link-3-ingress" belongs to the hook whose pin is "link-3". */
static int sweep_link(const char *dir, const char *name, void *context)
{
	const char *second = str_starts(name, "link-") ? strchr(name + strlen("link-"), '-') : NULL;
	CLEANUP(close_fd) int fd = -1;

	if (!second || kept(context, name, (size_t)(second - name)))
		return 0;
	fd = pin_open(dir, name);
	if (fd >= 0)
		bpf_link_detach(fd);
	pin_remove(dir, name);
	return 0;
}

/* The filters of one generation's record that are not in force. */
static int sweep_filters(const char *dir, const char *name, void *context)
{
	struct sweep *sweep = context;
	const struct fr_hook_record *hooks;
	struct records records = {0};
	uint32_t generation;

	if (!pin_number(name, "hooks-", &generation) ||
	    records_open(dir, "hooks", generation, &records))
		return 0;
	hooks = records.list;
	for (uint32_t i = 0; i < records.count && !sweep->err; i++)
		if (hooks[i].used && hooks[i].how == HOW_CLSACT &&
		    !kept(sweep, hooks[i].pin, strlen(hooks[i].pin)))
			sweep->err = hook_detach(sweep->running->dir, &hooks[i], sweep->d);
	records_unmap(&records);
	return sweep->err;
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

/* What an abandoned change's programs counted in maps of their own goes to the books in force. */
static void carry_back(const struct sweep *sweep, const char *abandoned)
{
	const uint32_t key = sizeof(uint32_t), value = sizeof(struct fr_counters);
	CLEANUP(close_fd)
	int ours = pin_open_map(sweep->running->pins, map_names[MAP_COUNTERS], key, value);
	CLEANUP(close_fd) int theirs = pin_open_map(abandoned, map_names[MAP_COUNTERS], key, value);
	struct fr_rule_record *rules;
	struct records records = {0};
	struct fr_counters live;

	if (ours < 0 || theirs < 0 || fd_map_id(ours) == fd_map_id(theirs))
		return;
	if (records_open(sweep->running->pins, "rules", sweep->running->generation, &records))
		return;
	rules = records.list;
	for (uint32_t slot = 0; slot < records.count; slot++) {
		if (!rules[slot].used || counters_sum(theirs, slot, &live))
			continue;
		live.last = 0;
		counters_add(&rules[slot].base, &live);
	}
	records_unmap(&records);
}

static int sweep_epoch(const char *dir, const char *name, void *context)
{
	const struct sweep *sweep = context;
	uint32_t epoch;
	pin_path path;

	if (!pin_number(name, "e", &epoch) || epoch == sweep->running->epoch)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	if (sweep->running->epoch && epoch > sweep->running->epoch)
		carry_back(sweep, path);
	pin_remove_tree(path);
	return 0;
}

static int sweep_generation(const char *dir, const char *name, void *context)
{
	static const char *const kinds[] = {"image-", "rules-", "hooks-", "state-", "requests-"};
	const struct sweep *sweep = context;
	uint32_t generation;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (pin_number(name, kinds[i], &generation) &&
		    generation != sweep->running->generation)
			pin_remove(dir, name);
	return 0;
}

/* Filters first: their records are among what goes after them. */
static int sweep_all(struct sweep *sweep)
{
	const char *dir = sweep->running->dir;

	pin_each(dir, sweep_epoch_filters, sweep);
	if (sweep->err)
		return sweep->err;
	pin_each(dir, sweep_link, sweep);
	pin_each(dir, sweep_epoch, sweep);
	if (sweep->running->epoch)
		pin_each(sweep->running->pins, sweep_generation, sweep);
	return 0;
}

/* ---------------------------------------------------------------- doors */

static int records_missing(const struct running *running, struct diags *d)
{
	return diag_error(d, NO_LOC, -EIO, "pins-broken", running_heal_command(running, d->arena),
			  "records below %s are missing, or not ours", running->pins);
}

int running_check(const struct running *running, struct diags *d)
{
	CLEANUP(close_fd)
	int fd = pin_open_number(running->pins, "state", running->generation);
	struct records state = {0};
	const struct fr_state *first;
	uint32_t abi;

	/* Another version's may be of any size. */
	if (fd < 0 || records_map(fd, &state))
		return records_missing(running, d);
	first = state.list;
	abi = first->abi;
	records_unmap(&state);
	if (abi == FR_ABI_VERSION)
		return 0;
	return diag_error(d, NO_LOC, -EPROTO, "pins-version",
			  running_heal_command(running, d->arena),
			  "what is applied below %s is of layout %u, this flowreeve knows %u",
			  running->dir, abi, FR_ABI_VERSION);
}

static int settle_hooks(struct sweep *sweep)
{
	const struct fr_hook_record *hooks = sweep->keep->list;
	const struct running *running = sweep->running;
	int err = 0;

	/* Without pinned programs what is attached stays as it is, until apply makes new ones. */
	for (uint32_t i = 0; i < sweep->keep->count && !err; i++)
		if (hooks[i].used && hook_programs_pinned(running->pins, "sj", &hooks[i]))
			err = hook_point(running->dir, running->pins, "sj", &hooks[i], sweep->d);
	return err ? err : sweep_all(sweep);
}

int policy_settle(const char *root, const char *policy, struct diags *d, struct running *out)
{
	struct running running = {0};
	struct sweep sweep = {.running = &running, .d = d};
	struct records hooks = {0};
	int err = running_find(root, policy, &running);

	if (err == -ENOENT &&
	    snprintf(running.dir, sizeof(running.dir), "%s/%s", root, policy) < 250)
		err = 0;
	else if (!err && !running.generation)
		err = sweep_all(&sweep);
	else if (!err) {
		err = running_check(&running, d);
		if (!err && records_open(running.pins, "hooks", running.generation, &hooks))
			err = records_missing(&running, d);
		sweep.keep = &hooks;
		if (!err)
			err = settle_hooks(&sweep);
		records_unmap(&hooks);
	}
	if (!err)
		*out = running;
	return err;
}

/* One store ends the policy at all its hooks at once: those that go later pass everything
 * meanwhile. */
static int stop_epoch(const char *dir, const char *name, void *context)
{
	CLEANUP(close_fd) int images = -1;
	uint32_t epoch, current = FR_SLOT_CURRENT;
	pin_path path;

	(void)context;
	if (!pin_number(name, "e", &epoch))
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	images = pin_open(path, map_names[MAP_IMAGES]);
	if (images < 0)
		return 0;
	image_keep(path, images);
	bpf_map_delete_elem(images, &current);
	return 0;
}

/* Filters in a namespace that cannot be entered: nothing is done at all rather than half of it. */
static int check_reach(const struct running *running, struct diags *d)
{
	struct records records = {0};
	const struct fr_hook_record *hooks;
	int err = 0, back = -1;

	if (!running->epoch || records_open(running->pins, "hooks", running->generation, &records))
		return 0;
	hooks = records.list;
	for (uint32_t i = 0; i < records.count && !err; i++) {
		if (!hooks[i].used || hooks[i].how != HOW_CLSACT)
			continue;
		err = netns_enter(hooks[i].netns, &back);
		netns_leave(&back);
		if (err == -ESRCH)
			err = 0;
		if (err)
			diag_error(
				d, NO_LOC, err, "namespace",
				"run it in that network namespace, or with CAP_SYS_ADMIN",
				"%s has clsact filters in another network namespace, which cannot be "
				"entered: %s",
				hooks[i].name, error_text(err));
	}
	records_unmap(&records);
	return err;
}

int policy_remove(const char *root, const char *policy, struct diags *d)
{
	struct running running = {0};
	struct sweep sweep = {.running = &running, .d = d};
	int err = running_find(root, policy, &running);

	if (!err && !policy_is_ours(running.dir))
		err = -ENOENT;
	if (!err)
		err = check_reach(&running, d);
	if (err)
		return err;
	pin_each(running.dir, stop_epoch, NULL);
	running.epoch = 0; /* so that none of them is kept */
	err = sweep_all(&sweep);
	if (!err && rmdir(running.dir))
		err = diag_error(d, NO_LOC, -errno, "pin-root", NULL, "cannot remove %s: %s",
				 running.dir, error_text(errno));
	return err;
}
