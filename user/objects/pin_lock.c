/* SPDX-License-Identifier: GPL-2.0-only */
/* Opens the pin root for a command: locked for a command that changes pins. */
#include "pin_lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "bpffs.h"
#include "pin_dirs.h"

enum { LOCK_TRIES = 100, LOCK_WAIT_MS = 100 };

/* A concurrent detach has removed the directory that we hold: -ESTALE. */
static int lock_once(const char *root, bool create, struct diags *d)
{
	CLEANUP(close_fd) int fd = pin_root_open(root, create, d);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EWOULDBLOCK : pins_unreadable(root, -errno, d);
	return pin_root_is(fd, root) ? TAKE_FD(fd) : -ESTALE;
}

int pin_lock(const char *root, bool create, struct diags *d, int *lock)
{
	const struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	int fd = -EAGAIN, err;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		fd = lock_once(root, create, d);
		if (fd != -EWOULDBLOCK && fd != -ESTALE)
			break;
		nanosleep(&wait, NULL);
	}
	if (fd == -EWOULDBLOCK || fd == -ESTALE)
		return diag_error(d, NO_LOC, -EBUSY, "locked", "try again when it has ended",
				  "another flowreeve command is changing the policies below %s",
				  root);
	if (fd == -ENOTSUP)
		return host_bpffs(root, false, d);
	if (fd < 0)
		return fd;
	err = pins_check(fd, root, d);
	if (err) {
		close_fd(&fd);
		return err;
	}
	*lock = fd;
	return 0;
}

int pins_look(const char *root, struct diags *d)
{
	int fd = pin_root_open(root, false, d), err;

	if (fd < 0)
		return fd == -ENOTSUP ? -ENOENT : fd;
	err = pins_check(fd, root, d);
	if (err)
		close_fd(&fd);
	return err ? err : fd;
}
