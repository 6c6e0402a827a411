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
	pin_path path;
	int err;

	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	images = pin_open(path, map_names[MAP_IMAGES]);
	if (images == -ENOENT) { /* which is pinned before all else */
		err = pin_each(path, pin_any, NULL);
		*(bool *)context = err > 0;
		return err == -ENOENT ? 0 : err;
	}
	if (images < 0)
		return images;
	if (!bpf_map_lookup_elem(images, &zero, &id)) {
		*(bool *)context = true;
		return 1;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int on_link(const char *dir, const char *name, void *context)
{
	(void)dir, (void)context;
	return str_starts(name, "link-");
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	CLEANUP(close_fd) int images = -1;
	uint32_t epoch;
	pin_path path;

	(void)context;
	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	images = pin_open(path, map_names[MAP_IMAGES]);
	return images >= 0 ? 1 : images == -ENOENT ? 0 : images;
}

/* What is attached judges by the images of an epoch: without any it cannot be told how. */
static int links_without_epoch(const char *dir, bool *out)
{
	int links = pin_each(dir, on_link, NULL);
	int epochs = links > 0 ? pin_each(dir, on_epoch, NULL) : links;

	*out = links > 0 && !epochs;
	return epochs < 0 ? epochs : 0;
}

static int look_once(const char *root, const char *name, bool *unknown)
{
	struct running running = {0};
	int err = running_find(root, name, &running);

	*unknown = false;
	if (!err && !running.epoch)
		err = pin_each(running.dir, take_unknown, unknown);
	if (!err && !running.epoch)
		err = links_without_epoch(running.dir, unknown);
	return err < 0 && err != -ENOENT ? err : 0;
}

int policy_unknown(const char *root, const char *name, bool *unknown)
{
	int err = look_once(root, name, unknown);

	/* A change in the midst of reading looks the same for a moment. */
	for (int tries = 1; tries < LIST_TRIES && *unknown && !err; tries++) {
		nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
		err = look_once(root, name, unknown);
	}
	return err;
}

int policy_broken(const char *root, const char *policy, int err, struct diags *d)
{
	bool unknown;

	if (policy_unknown(root, policy, &unknown) || (!unknown && !pins_damaged(err)))
		return pins_unreadable(root, err, d);
	if (unknown)
		return diag_error(d, NO_LOC, -EIO, "pins-broken",
				  policy_heal_command(root, policy, d->arena),
				  "policy %s may be in force, but what is pinned below %s/%s does "
				  "not tell",
				  policy, root, policy);
	return diag_error(
		d, NO_LOC, -EIO, "pins-broken", policy_heal_command(root, policy, d->arena),
		"what is pinned below %s/%s cannot be read: %s", root, policy, error_text(err));
}

static int list_check(const char *root, const char **names, size_t count, struct diags *d)
{
	for (size_t i = 0; i < count; i++) {
		bool unknown;
		int err = policy_unknown(root, names[i], &unknown);

		if (err || unknown)
			return policy_broken(root, names[i], err ? err : -EIO, d);
	}
	return 0;
}

static int list_once(const char *root, struct arena *arena, struct diags *d, const char ***names,
		     size_t *count)
{
	int err = policy_names(root, true, arena, names, count);

	if (err)
		return pins_unreadable(root, err, d);
	err = list_check(root, *names, *count, d);
	if (err)
		return err;
	err = policy_names(root, false, arena, names, count);
	return err ? pins_unreadable(root, err, d) : 0;
}

int datapath_list(const struct host_options *o, struct arena *arena, struct diags *d,
		  const char ***names, size_t *count)
{
	const char *root = pin_root(o);
	int err = -ESTALE;

	for (int tries = 0; tries < LIST_TRIES && err == -ESTALE; tries++) {
		CLEANUP(close_fd) int fd = pins_look(root, d);

		*count = 0;
		if (fd < 0)
			return fd == -ENOENT ? 0 : fd;
		err = list_once(root, arena, d, names, count);
		/* The pin root that was looked at has gone, and perhaps another is there. */
		if (!err && !pin_root_is(fd, root))
			err = -ESTALE;
	}
	return err == -ESTALE ? pins_unreadable(root, err, d) : err;
}

int datapath_list_all(const struct host_options *o, struct arena *arena, struct diags *d,
		      const char ***names, size_t *count)
{
	const char *root = pin_root(o);
	CLEANUP(close_fd) int fd = pins_look(root, d);
	int err = fd < 0 ? fd : policy_names(root, true, arena, names, count);

	if (fd >= 0)
		return err ? pins_unreadable(root, err, d) : 0;
	*count = 0;
	return err == -ENOENT ? 0 : err;
}
