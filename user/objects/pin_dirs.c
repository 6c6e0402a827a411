/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks the owners of the directories that hold pins: a user who can write one can remove a
 * policy, or add other pins. The pin root and everything below it belong to root or the caller,
 * and no other user may enter; the directories above it, up to the mount, belong to one of them as
 * well, and no other user can rename in them. Each is opened first and checked by its descriptor.
 * No other user can change a checked directory: from then on a path names the same thing.
 */
#include "pin_dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "running.h"

enum { STEP = O_PATH | O_DIRECTORY | O_CLOEXEC, OTHERS_MAY_WRITE = S_IWGRP | S_IWOTH };

static bool is_ours(const struct stat *status)
{
	return status->st_uid == 0 || status->st_uid == geteuid();
}

/* 1 or 0, or -errno. */
static int within_bpffs(int fd)
{
	struct statfs status;

	return fstatfs(fd, &status) ? -errno : status.f_type == BPF_FS_MAGIC;
}

/* The current path of a descriptor; `otherwise` without /proc. */
static const char *path_of(int fd, struct arena *arena, const char *otherwise)
{
	char link[32], path[PIN_PATH];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	if (length <= 0 || length == sizeof(path))
		return otherwise;
	return arena_strndup(arena, path, (size_t)length);
}

/* For a path that another user may have named, or may redirect before the user runs the command. */
static const char *command(struct arena *arena, const char *words, const char *path)
{
	return arena_printf(arena, "%s %s", words, shell_word(arena, path));
}

static int foreign(const char *path, const struct stat *status, struct diags *d)
{
	return diag_error(d, NO_LOC, -EBUSY, "pins-foreign", command(d->arena, "rm -r", path),
			  "%s belongs to user %u, who could remove a policy: nothing below it is "
			  "used",
			  path, status->st_uid);
}

/* ---------------------------------------------------------------- above the pin root */

static bool is_mount_root(int fd, const struct stat *status)
{
	struct stat above;

	return !fstatat(fd, "..", &above, 0) &&
	       (above.st_dev != status->st_dev || above.st_ino == status->st_ino);
}

/* Moves the directory away, with any policy in force below it. The command follows no link, which
 * the owner may have put there meanwhile, unless a bpffs is mounted there. */
static const char *disown_command(int fd, const struct stat *status, const char *path,
				  struct arena *arena)
{
	const char *aside;

	if (is_mount_root(fd, status))
		return arena_printf(arena, "%s && %s", command(arena, "chown 0:0", path),
				    command(arena, "chmod 0700", path));
	aside = arena_printf(arena, "%s-of-%u", path, status->st_uid);
	return arena_printf(arena, "%s %s", command(arena, "mv -T", path),
			    shell_word(arena, aside));
}

static int check_above(int fd, const struct stat *status, const char *root, struct diags *d)
{
	const char *path = path_of(fd, d->arena, root);

	if (!is_ours(status))
		return diag_error(d, NO_LOC, -EBUSY, "pins-foreign",
				  disown_command(fd, status, path, d->arena),
				  "%s, above the pin root %s, belongs to user %u, who could "
				  "replace the pin root",
				  path, root, status->st_uid);
	if (status->st_mode & OTHERS_MAY_WRITE && !(status->st_mode & S_ISVTX))
		return diag_error(d, NO_LOC, -EBUSY, "pins-foreign",
				  command(d->arena, "chmod go-w", path),
				  "other users may write %s (mode %04o), and could replace the "
				  "pin root %s",
				  path, status->st_mode & 07777, root);
	return 0;
}

/* The directory `fd` and its parents, up to the mount. */
static int check_upwards(int fd, const char *root, struct diags *d)
{
	CLEANUP(close_fd) int at = openat(fd, ".", STEP);
	struct stat status, above;
	int err = at < 0 || fstat(at, &status) ? pins_unreadable(root, -errno, d) : 0;

	while (!err) {
		int up;

		err = check_above(at, &status, root, d);
		if (err)
			return err;
		up = openat(at, "..", STEP);
		if (up < 0)
			return pins_unreadable(root, -errno, d);
		close_fd(&at);
		at = up;
		if (fstat(at, &above))
			return pins_unreadable(root, -errno, d);
		if (above.st_dev != status.st_dev || above.st_ino == status.st_ino)
			return 0;
		status = above;
	}
	return err;
}

/* ---------------------------------------------------------------- the way down */

static int refuse_link(int at, const char *name, const char *path, int err, struct diags *d)
{
	struct stat status;

	if (err != -ENOTDIR && err != -ELOOP)
		return pins_unreadable(path, err, d);
	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW))
		return pins_unreadable(path, -errno, d);
	return diag_error(d, NO_LOC, -EBUSY, "pins-foreign", command(d->arena, "rm", path),
			  S_ISLNK(status.st_mode)
				  ? "%s is a symbolic link: the path of the pin root may have "
				    "none"
				  : "%s is not a directory",
			  path);
}

/* One path component further; `path` is for messages. Without `create` a missing directory is not
 * reported. */
static int step_down(int at, const char *name, const char *path, bool create, struct diags *d)
{
	int inside = within_bpffs(at), flags = inside ? STEP | O_NOFOLLOW : STEP, fd;
	int err = inside < 0 ? pins_unreadable(path, inside, d) : 0;

	if (inside > 0)
		err = check_upwards(at, path, d);
	if (err)
		return err;
	fd = openat(at, name, flags);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && create && inside) {
		if (mkdirat(at, name, 0700) && errno != EEXIST)
			return pins_unreadable(path, -errno, d);
		fd = openat(at, name, flags);
	}
	if (fd >= 0)
		return fd;
	err = -errno;
	return err == -ENOENT && !create ? err : refuse_link(at, name, path, err, d);
}

static int walk_down(const char *root, bool create, struct diags *d)
{
	CLEANUP(close_fd) int at = open(*root == '/' ? "/" : ".", STEP);
	char *names = arena_strdup(d->arena, root), *rest = names, *name;
	int inside;

	if (at < 0)
		return pins_unreadable(root, -errno, d);
	while ((name = strsep(&rest, "/"))) {
		size_t length = (size_t)(name - names) + strlen(name);
		int next;

		if (!*name)
			continue;
		next = step_down(at, name, arena_strndup(d->arena, root, length), create, d);
		if (next < 0)
			return next;
		close_fd(&at);
		at = next;
	}
	inside = within_bpffs(at);
	if (inside < 0)
		return pins_unreadable(root, inside, d);
	return inside ? TAKE_FD(at) : -ENOTSUP;
}

/* ---------------------------------------------------------------- the pin root, and below it */

/* Make it ours, and remove access of others. */
static int close_to_others(int fd, const char *path, struct diags *d)
{
	struct stat status;
	unsigned mode;

	if (fstat(fd, &status))
		return pins_unreadable(path, -errno, d);
	if (!is_ours(&status))
		return foreign(path, &status, d);
	mode = status.st_mode & 07777;
	if (mode == 0700 || (!fchmod(fd, 0700) && !(mode & 077)))
		return 0;
	if (fstat(fd, &status) || (status.st_mode & 077))
		return pins_unreadable(path, -EPERM, d);
	diag_warning(d, NO_LOC, "pin-mode", command(d->arena, "ls -la", path),
		     "%s was open to other users (mode %04o) and is now closed to them: check "
		     "its contents",
		     path, mode);
	return 0;
}

int pin_root_open(const char *root, bool create, struct diags *d)
{
	CLEANUP(close_fd) int at = walk_down(root, create, d);
	CLEANUP(close_fd) int fd = -1;
	int err = at < 0 ? at : 0;

	if (err)
		return err;
	fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? pins_unreadable(root, -errno, d) : close_to_others(fd, root, d);
	return err ? err : TAKE_FD(fd);
}

bool pin_root_is(int fd, const char *root)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !stat(root, &named) && opened.st_dev == named.st_dev &&
	       opened.st_ino == named.st_ino;
}

int pin_dir_check(const char *dir, struct diags *d)
{
	CLEANUP(close_fd)
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? refuse_link(AT_FDCWD, dir, dir, -errno, d) : close_to_others(fd, dir, d);
}

/* Below the pin root are directories of policies, below those the epochs. */
enum level { LEVEL_ROOT, LEVEL_POLICY, LEVEL_EPOCH };

/* 1: a directory of ours; entries of other owners are left alone. */
static int leads_on(enum level level, const char *path, const char *name)
{
	bool ours = false;
	uint32_t epoch;
	int err;

	if (level == LEVEL_POLICY)
		return pin_number(name, "e", &epoch);
	if (level == LEVEL_EPOCH || !name_is_kebab(name))
		return 0;
	err = policy_is_ours(path, &ours);
	if (err == -ENOENT)
		return 0;
	return err ? err : ours;
}

/* A policy in force may be pinned below the mount, where no command sees it. */
static int covered(const char *path, struct diags *d)
{
	return diag_error(d, NO_LOC, -EBUSY, "pins-foreign", command(d->arena, "umount", path),
			  "another file system is mounted at %s: the pins there cannot be read",
			  path);
}

static int check_below(int fd, const char *path, enum level level, struct diags *d);

static int check_entry(int at, const char *path, enum level level, const char *name,
		       struct diags *d)
{
	const char *below = arena_printf(d->arena, "%s/%s", path, name);
	struct stat status, here;
	int fd, on;

	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : pins_unreadable(below, -errno, d);
	if (!is_ours(&status))
		return foreign(below, &status, d);
	if (!S_ISDIR(status.st_mode))
		return 0;
	if (fstat(at, &here) || here.st_dev != status.st_dev)
		return covered(below, d);
	on = leads_on(level, below, name);
	if (on <= 0)
		return on ? pins_unreadable(below, on, d) : 0;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : pins_unreadable(below, -errno, d);
	return check_below(fd, below, level + 1, d);
}

/* Takes `fd`. Checks the owners of the entries after access of others is removed, so that they can
 * add none. */
static int check_below(int fd, const char *path, enum level level, struct diags *d)
{
	int err = close_to_others(fd, path, d);
	DIR *stream = err ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		err = err ? err : pins_unreadable(path, -errno, d);
		close_fd(&fd);
		return err;
	}
	while (!err && (errno = 0, entry = readdir(stream)))
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			err = check_entry(dirfd(stream), path, level, entry->d_name, d);
	if (!err && errno)
		err = pins_unreadable(path, -errno, d);
	closedir(stream);
	return err;
}

int pins_check(int root_fd, const char *root, struct diags *d)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? pins_unreadable(root, -errno, d) : check_below(fd, root, LEVEL_ROOT, d);
}
