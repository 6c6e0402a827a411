/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds policies whose pins are missing, of another layout, or do not show which generation is in
 * force, and reports them with the command that heals them. If something may be in force but
 * cannot be read, that is an error and not "nothing".
 */
#include "damage.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "../host/host.h"
#include "heal.h"

enum { LOOK_TRIES = 10 };

int report_not_applied(const char *policy, const char *root, struct diags *d)
{
	if (!policy)
		return diag_error(d, NO_LOC, -ENOENT, "not-applied", NULL,
				  "no policy is applied below %s", root);
	return diag_error(d, NO_LOC, -ENOENT, "not-applied", NULL,
			  "no policy %s is applied below %s", policy, root);
}

/* ---------------------------------------------------------------- unknown state */

static int pin_any(const char *dir, const char *name, void *context)
{
	(void)dir, (void)name, (void)context;
	return 1;
}

/* Whether something unknown is in force below `dir`. */
static int on_unknown(const char *dir, const char *name, void *context)
{
	CLEANUP(close_fd) int images = -1;
	struct epoch_view view = {0};
	uint32_t epoch, id, zero = 0;
	pin_path path;
	int err;

	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	err = epoch_look(path, &view);
	if (!err && view.lapsed && !view.before.generation && !view.before.lost)
		return 0; /* nothing is in force */
	images = pin_open(path, map_names[MAP_IMAGES]);
	if (images == -ENOENT) { /* pinned before everything else */
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
	if (images >= 0)
		return 1;
	return images == -ENOENT ? 0 : images;
}

/* Attached programs judge by the images of an epoch: without an epoch the rules are unknown. */
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
		err = pin_each(running.dir, on_unknown, unknown)
			      ?: links_without_epoch(running.dir, unknown);
	return err < 0 && err != -ENOENT ? err : 0;
}

int policy_unknown(const char *root, const char *name, bool *unknown)
{
	int err = look_once(root, name, unknown);

	/* Reading during a change gives the same result for a moment. */
	for (int tries = 1; tries < LOOK_TRIES && *unknown && !err; tries++) {
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
				  "policy %s may be in force, but the pins below %s/%s do not "
				  "show it",
				  policy, root, policy);
	return diag_error(d, NO_LOC, -EIO, "pins-broken",
			  policy_heal_command(root, policy, d->arena),
			  "the pins below %s/%s cannot be read: %s", root, policy, error_text(err));
}

/* ---------------------------------------------------------------- the running records */

int report_records_missing(const struct running *running, int err, struct diags *d)
{
	if (!pins_damaged(err))
		return pins_unreadable(running->pins, err, d);
	return diag_error(d, NO_LOC, -EIO, "pins-broken", running_heal_command(running, d->arena),
			  "records below %s are missing, or not of flowreeve", running->pins);
}

int running_read(const char *root, const char *policy, struct diags *d, struct running *out)
{
	int err = running_find(root, policy, out);

	return err && err != -ENOENT ? pins_unreadable(root, err, d) : err;
}

static int running_layout(const struct running *running, struct diags *d, uint32_t *out)
{
	CLEANUP(close_fd)
	int fd = pin_open_number(running->pins, "state", running->generation);
	struct records state = {0};
	const struct fr_state *first;
	/* Records of another version may have any size. */
	int err = fd < 0 ? fd : records_map(fd, &state);

	if (err)
		return report_records_missing(running, err, d);
	first = state.list;
	*out = first->abi;
	records_unmap(&state);
	return 0;
}

int report_other_layout(const struct running *running, uint32_t layout, struct diags *d)
{
	return diag_error(d, NO_LOC, -EPROTO, "pins-version",
			  running_heal_command(running, d->arena),
			  "the policies below %s have layout %u, but this flowreeve reads layout "
			  "%u",
			  running->dir, layout, FR_ABI_VERSION);
}

int running_known(struct running *running, struct diags *d)
{
	int err = running->epoch ? running_layout(running, d, &running->layout) : 0;

	if (err || !running->epoch || layout_is_known(running->layout))
		return err;
	return report_other_layout(running, running->layout, d);
}

int running_check(const struct running *running, struct diags *d)
{
	uint32_t layout;
	int err = running_layout(running, d, &layout);

	return err || layout == FR_ABI_VERSION ? err : report_other_layout(running, layout, d);
}
