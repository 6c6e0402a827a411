/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing a file by one rename: a reader finds the old one or the new one, complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

static int check_target(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(status.st_mode))
		return -ELOOP;
	return S_ISREG(status.st_mode) ? 0 : -EEXIST;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		size -= (size_t)done;
	}
	return fsync(fd) ? -errno : 0;
}

int file_replace(struct arena *arena, const char *path, const void *data, size_t size)
{
	char *made = arena_printf(arena, "%s.XXXXXX", path);
	int err = check_target(path);
	CLEANUP(close_fd) int fd = -1;

	if (err)
		return err;
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, size);
	if (!err && rename(made, path))
		err = -errno;
	if (err)
		unlink(made);
	return err;
}
