/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the network namespace that a record names by its inode. Nothing in bpffs can hold a
 * namespace, so the search covers mounts (iproute2, container engines), processes, and files that
 * processes hold open. A namespace held only by a socket or a device is not found.
 */
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* -ESRCH from here on: another namespace, none, or of a process that this one may not inspect, so
 * that it cannot be reached. Any other error: unknown. */
static int not_found(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EACCES || err == -EPERM
		       ? -ESRCH
		       : err;
}

/* A namespace as a file: all have one device number; on other devices the same inode number is
 * another file. */
struct wanted {
	dev_t device;
	uint64_t inode;
};

/* Other users may own the target of a path, replace it at any moment, and make an open of it block:
 * check it by an O_PATH descriptor and the attributes that the kernel has cached. Then open exactly
 * that file. */
static int open_if(const char *path, const struct wanted *wanted)
{
	CLEANUP(close_fd) int place = open(path, O_PATH | O_CLOEXEC);
	struct statx status;
	char link[32];
	int fd;

	if (place < 0)
		return not_found(-errno);
	if (statx(place, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &status))
		return not_found(-errno);
	if (status.stx_ino != wanted->inode ||
	    makedev(status.stx_dev_major, status.stx_dev_minor) != wanted->device)
		return -ESRCH;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A mounted namespace has the root "net:[inode]". `point` gets the mount point. */
static int open_mounted(const struct wanted *wanted, char point[256])
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free_ptr) char *line = NULL;
	char name[48], root[64];
	size_t size = 0;
	int fd = -ESRCH;

	if (!file)
		return not_found(-errno);
	snprintf(name, sizeof(name), "net:[%llu]", (unsigned long long)wanted->inode);
	while (fd == -ESRCH && getline(&line, &size, file) > 0)
		if (sscanf(line, "%*s %*s %*s %63s %255s", root, point) == 2 &&
		    str_equal(root, name))
			fd = open_if(point, wanted);
	return fd == -ESRCH && ferror(file) ? -EIO : fd;
}

/* Calls `look` for each numeric entry of a directory, until one is the namespace. */
static int look_through(const char *dir, int (*look)(const char *, const struct wanted *),
			const struct wanted *wanted)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	int fd = -ESRCH;
	char path[300];

	if (!stream)
		return not_found(-errno);
	while (fd == -ESRCH && (errno = 0, entry = readdir(stream))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		fd = look(path, wanted);
	}
	if (fd == -ESRCH && errno)
		fd = not_found(-errno);
	closedir(stream);
	return fd;
}

static int open_of_process(const char *process, const struct wanted *wanted)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/ns/net", process);
	return open_if(path, wanted);
}

static int open_held_by(const char *process, const struct wanted *wanted)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/fd", process);
	return look_through(path, open_if, wanted);
}

/* Open files are many, so they come last. */
static int open_namespace(const struct wanted *wanted)
{
	char point[256];
	int fd = open_mounted(wanted, point);

	if (fd == -ESRCH)
		fd = look_through("/proc", open_of_process, wanted);
	return fd == -ESRCH ? look_through("/proc", open_held_by, wanted) : fd;
}

const char *netns_path(struct arena *arena, uint64_t inode)
{
	struct stat ours;
	char point[256];
	CLEANUP(close_fd) int fd = -1;

	if (stat("/proc/self/ns/net", &ours))
		return NULL;
	fd = open_mounted(&(struct wanted){ours.st_dev, inode}, point);
	return fd < 0 ? NULL : arena_strdup(arena, point);
}

int netns_enter(uint64_t inode, int *back)
{
	CLEANUP(close_fd) int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd) int there = -1;
	struct stat ours;

	*back = -1;
	if (here < 0 || fstat(here, &ours))
		return -errno;
	if (ours.st_ino == inode)
		return 0;
	there = open_namespace(&(struct wanted){ours.st_dev, inode});
	if (there < 0)
		return there;
	if (setns(there, CLONE_NEWNET))
		return -errno;
	*back = TAKE_FD(here);
	return 0;
}

/* Going back cannot fail: the namespace is held open, and entering the other one needed the same
 * privilege. */
void netns_leave(int *back)
{
	if (*back >= 0 && setns(*back, CLONE_NEWNET))
		abort();
	close_fd(back);
}

uint64_t host_netns_cookie(void)
{
	enum { OPTION_NETNS_COOKIE = 71 }; /* Linux 5.14 */
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, OPTION_NETNS_COOKIE, &cookie, &size))
		return 0;
	return cookie;
}

int host_netns(uint64_t *inode)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status))
		return -errno;
	*inode = status.st_ino;
	return 0;
}
