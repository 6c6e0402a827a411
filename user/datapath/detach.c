/* SPDX-License-Identifier: GPL-2.0-only */
/* Removes one policy, or every policy below the pin root. */
#include <errno.h>
#include <unistd.h>

#include "damage.h"
#include "datapath.h"
#include "reconcile.h"

static int detach_all(const char *root, struct diags *d, size_t *count)
{
	const char **names;
	size_t found, removed = 0;
	int err = policy_names(root, true, d->arena, &names, &found);

	if (err)
		return pins_unreadable(root, err, d);
	for (size_t i = 0; i < found && !err; i++) {
		err = policy_remove(root, names[i], d);
		removed += !err;
	}
	if (err)
		return err;
	*count = removed;
	return 0;
}

static int detach_locked(const char *root, const char *policy, struct diags *d, size_t *count)
{
	int err;

	if (!policy)
		return detach_all(root, d, count);
	err = policy_remove(root, policy, d);
	if (err)
		return err;
	*count = 1;
	return 0;
}

int datapath_detach(const struct host_options *o, const char *policy, struct diags *d,
		    size_t *count)
{
	const char *root = pin_root(o);
	CLEANUP(close_fd) int lock = -1;
	unsigned said = d->errors;
	int err = host_privileges(d);

	libbpf_quiet();
	if (err)
		return err;
	err = pin_lock(root, false, d, &lock);
	if (err == -ENOENT && !policy) {
		*count = 0;
		return 0;
	}
	if (!err)
		err = detach_locked(root, policy, d, count);
	if (lock >= 0)
		rmdir(root); /* only when it is empty */
	if (err == -ENOENT && d->errors == said)
		return report_not_applied(policy, root, d);
	return err;
}
