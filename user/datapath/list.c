/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists the policies below a pin root. If pins were removed so that a policy may be in force and
 * cannot be named, that is an error rather than an empty list. Reading takes no lock.
 */
#include <errno.h>

#include "damage.h"
#include "datapath.h"

enum { LIST_TRIES = 10 };

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
		/* The pin root was removed after it was opened, and perhaps replaced. */
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
