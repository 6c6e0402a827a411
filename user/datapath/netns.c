/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespace that a record names by its inode. Nothing in bpffs can hold a namespace, so
 * it is looked for where one can be: mounts (iproute2, container engines), processes, and files
 * that processes hold open. One that only a socket or a device holds is not found.
 */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Files of other file systems have inodes of the same number. */
static bool is_namespace(int fd)
{
	struct statfs status;

	return !fstatfs(fd, &status) && status.f_type == NSFS_MAGIC;
}

static int open_if(const char *path, uint64_t inode)
{
	struct stat status;
	int fd;

	if (stat(path, &status) || status.st_ino != inode || !S_ISREG(status.st_mode))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &status) && status.st_ino == inode && is_namespace(fd))
		return fd;
	close_fd(&fd);
	return -1;
}

/* A mounted namespace shows as the root "net:[inode]" of its mount. `point` gets where. */
static int open_mounted(uint64_t inode, char point[256])
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free_ptr) char *line = NULL;
	char wanted[48], root[64];
	size_t size = 0;
	int fd = -1;

	if (!file)
		return -1;
	snprintf(wanted, sizeof(wanted), "net:[%llu]", (unsigned long long)inode);
	while (fd < 0 && getline(&line, &size, file) > 0)
		if (sscanf(line, "%*s %*s %*s %63s %255s", root, point) == 2 &&
		    str_equal(root, wanted))
			fd = open_if(point, inode);
	return fd;
}

static int open_below(const char *dir, const char *suffix, uint64_t inode)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	char path[300];
	int fd = -1;

	if (!stream)
		return -1;
	while (fd < 0 && (entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, suffix);
		fd = open_if(path, inode);
	}
	closedir(stream);
	return fd;
}

/* Files that somebody has open: many, so they are asked last. */
static int open_held(uint64_t inode)
{
	DIR *stream = opendir("/proc");
	const struct dirent *entry;
	char path[300];
	int fd = -1;

	if (!stream)
		return -1;
	while (fd < 0 && (entry = readdir(stream))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd", entry->d_name);
		fd = open_below(path, "", inode);
	}
	closedir(stream);
	return fd;
}

const char *netns_path(struct arena *arena, uint64_t inode)
{
	char point[256];
	CLEANUP(close_fd) int fd = open_mounted(inode, point);

	return fd < 0 ? NULL : arena_strdup(arena, point);
}

int netns_enter(uint64_t inode, int *back)
{
	CLEANUP(close_fd) int here = -1;
	CLEANUP(close_fd) int there = -1;
	char point[256];
	uint64_t ours;
	int err = host_netns(&ours);

	if (err)
		return err;
	*back = -1;
	if (ours == inode)
		return 0;
	there = open_mounted(inode, point);
	if (there < 0)
		there = open_below("/proc", "/ns/net", inode);
	if (there < 0)
		there = open_held(inode);
	if (there < 0)
		return -ESRCH;
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0)
		return -errno;
	if (setns(there, CLONE_NEWNET))
		return -errno;
	*back = TAKE_FD(here);
	return 0;
}

/* Going back cannot fail: the namespace is held open and entering the other one took the same
 * right. */
void netns_leave(int *back)
{
	if (*back >= 0 && setns(*back, CLONE_NEWNET))
		abort();
	close_fd(back);
}
