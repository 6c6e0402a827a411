/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing a file by one rename: a reader finds the old one or the new one, complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

static int check_target(const char *path, struct stat *out)
{
	if (lstat(path, out))
		return -errno;
	if (S_ISLNK(out->st_mode))
		return -ELOOP;
	return S_ISREG(out->st_mode) ? 0 : -EEXIST;
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

/* `old`: the file whose owner and mode it gets, or NULL. */
static int fill(int fd, const void *data, size_t size, const struct stat *old)
{
	if (old && (fchown(fd, old->st_uid, old->st_gid) || fchmod(fd, old->st_mode & 07777)))
		return -errno;
	return write_all(fd, data, size);
}

static int replace(struct arena *arena, const char *path, const void *data, size_t size,
		   const struct stat *old)
{
	char *made = arena_printf(arena, "%s.XXXXXX", path);
	CLEANUP(close_fd) int fd = mkostemp(made, O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fill(fd, data, size, old);
	if (!err && rename(made, path))
		err = -errno;
	if (err)
		unlink(made);
	return err;
}

int file_replace(struct arena *arena, const char *path, const void *data, size_t size)
{
	struct stat old;
	int err = check_target(path, &old);

	return err && err != -ENOENT ? err : replace(arena, path, data, size, NULL);
}

int file_rewrite(struct arena *arena, const char *path, const void *data, size_t size)
{
	struct stat old;
	int err = check_target(path, &old);

	return err ? err : replace(arena, path, data, size, &old);
}
