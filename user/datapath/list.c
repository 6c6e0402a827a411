/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policies are applied below a pin root. Where pins were taken away so that something may be
 * in force and nobody can tell what, that is said rather than "nothing". Reading takes no lock.
 */
#include "internal.h"

#include <time.h>

enum { LIST_TRIES = 10 };

static int pin_any(const char *dir, const char *name, void *context)
{
	(void)dir, (void)name, (void)context;
	return 1;
}

/* Is something in force below `dir` although it cannot be told what? */
static int take_unknown(const char *dir, const char *name, void *context)
{
	CLEANUP(close_fd) int images = -1;
	uint32_t epoch, id, zero = 0;
	bool *unknown = context;
	pin_path path;

	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	images = pin_open(path, map_names[MAP_IMAGES]);
	if (images < 0) /* which is pinned before all else */
		*unknown = pin_each(path, pin_any, NULL) > 0;
	else
		*unknown = !bpf_map_lookup_elem(images, &zero, &id);
	return *unknown;
}

static int on_link(const char *dir, const char *name, void *context)
{
	(void)dir, (void)context;
	return str_starts(name, "link-");
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	uint32_t epoch;

	(void)dir, (void)context;
	return pin_number(name, "e", &epoch);
}

/* What is attached judges by the maps of an epoch: without one they cannot be found. */
static bool links_without_epoch(const char *dir)
{
	return pin_each(dir, on_link, NULL) > 0 && !pin_each(dir, on_epoch, NULL);
}

bool policy_unknown(const char *root, const char *name)
{
	bool unknown = true;

	/* A change in the midst of reading looks the same for a moment. */
	for (int tries = 0; tries < LIST_TRIES && unknown; tries++) {
		struct running running = {0};

		unknown = false;
		if (!running_find(root, name, &running) && !running.epoch) {
			pin_each(running.dir, take_unknown, &unknown);
			unknown |= links_without_epoch(running.dir);
		}
		if (unknown)
			nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
	}
	return unknown;
}

int policy_broken(const char *root, const char *policy, int err, struct diags *d)
{
	const char *heal =
		pins_are_damaged(err) ? policy_heal_command(root, policy, d->arena) : NULL;

	if (policy_unknown(root, policy))
		return diag_error(d, NO_LOC, -EIO, "pins-broken", heal,
				  "policy %s may be in force, but what is pinned below %s/%s does "
				  "not tell",
				  policy, root, policy);
	return diag_error(d, NO_LOC, err, "pins-broken", heal,
			  "what is pinned below %s/%s cannot be read: %s", root, policy,
			  error_text(err));
}

static int list_check(const char *root, const char **names, size_t count, struct diags *d)
{
	for (size_t i = 0; i < count; i++)
		if (policy_unknown(root, names[i]))
			return policy_broken(root, names[i], -EIO, d);
	return 0;
}

int datapath_list(const struct host_options *o, struct arena *arena, struct diags *d,
		  const char ***names, size_t *count)
{
	const char **all;
	size_t found;
	int err = policy_names(pin_root(o), true, arena, &all, &found);

	if (!err)
		err = list_check(pin_root(o), all, found, d);
	else
		return not_applied("at all", pin_root(o), err, d);
	return err ? err : policy_names(pin_root(o), false, arena, names, count);
}

int datapath_list_all(const struct host_options *o, struct arena *arena, struct diags *d,
		      const char ***names, size_t *count)
{
	int err = policy_names(pin_root(o), true, arena, names, count);

	return err ? not_applied("at all", pin_root(o), err, d) : 0;
}
