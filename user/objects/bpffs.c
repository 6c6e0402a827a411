/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bpffs that holds the pins: where one is mounted, and the command that mounts one if none is.
 */
#include "bpffs.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pins.h"

#define BPFFS_USUAL "/sys/fs/bpf"
#define BPFFS_MOUNT "mount -t bpf -o mode=0700 bpf "

/* Whether the nearest directory at or above `path` that exists is in a bpffs. */
static int within_bpffs(const char *path, bool *out)
{
	struct statfs status;
	pin_path at;
	char *slash;

	*out = false;
	snprintf(at, sizeof(at), "%s", path);
	while (statfs(at, &status)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			return 0;
		*slash = 0;
	}
	*out = status.f_type == BPF_FS_MAGIC;
	return 0;
}

/* A mount in a mount namespace that ends with this command would take the pins along: use that of
 * the host, or at least of our parent process. */
static bool mounts_outlive_us(void)
{
	struct stat ours, other;
	char parent[32];

	snprintf(parent, sizeof(parent), "/proc/%d/ns/mnt", getppid());
	if (stat("/proc/self/ns/mnt", &ours))
		return errno == ENOENT;
	if (!stat("/proc/1/ns/mnt", &other) && ours.st_ino == other.st_ino)
		return true;
	return !stat(parent, &other) && ours.st_ino == other.st_ino;
}

bool bpffs_mountable(const char *root)
{
	return str_starts(root, BPFFS_USUAL "/") && mounts_outlive_us();
}

static int bpffs_missing(const char *root, int err, struct diags *d)
{
	bool usual = str_starts(root, BPFFS_USUAL "/");

	if (err == -EXDEV)
		return diag_error(
			d, NO_LOC, -ENOTSUP, "bpffs",
			"enter only the network namespace, with nsenter --net=/run/netns/NAME",
			"no bpffs is mounted in this mount namespace (ip netns exec hides the "
			"host's), and one mounted here would end with this command");
	if (err)
		return diag_error(d, NO_LOC, -EPERM, "bpffs", BPFFS_MOUNT BPFFS_USUAL,
				  "no bpffs is mounted at " BPFFS_USUAL
				  " and it cannot be mounted (CAP_SYS_ADMIN may): %s",
				  error_text(err));
	return diag_error(d, NO_LOC, -ENOTSUP, "bpffs",
			  usual ? BPFFS_MOUNT BPFFS_USUAL
				: BPFFS_MOUNT "DIR, and name a directory below DIR",
			  "the pin root %s is not in a bpffs", root);
}

static int bpffs_mount(const char *root, struct diags *d)
{
	bool there = false;
	int err;

	if (!mounts_outlive_us())
		return bpffs_missing(root, -EXDEV, d);
	if (mount("bpf", BPFFS_USUAL, "bpf", 0, "mode=0700"))
		return bpffs_missing(root, -errno, d);
	err = within_bpffs(BPFFS_USUAL, &there);
	if (err || !there)
		return bpffs_missing(root, err, d);
	diag_note(d, NO_LOC, "bpffs-mounted", NULL,
		  "no bpffs was mounted at " BPFFS_USUAL ": mounted one, mode 0700");
	return 0;
}

/* For the usual place check the mount alone: a link of another user below it may lead elsewhere. */
int host_bpffs(const char *root, bool mount_it, struct diags *d)
{
	bool usual = str_starts(root, BPFFS_USUAL "/"), there;
	int err = within_bpffs(usual ? BPFFS_USUAL : root, &there);

	if (err)
		return pins_unreadable(root, err, d);
	if (there)
		return 0;
	return mount_it && usual ? bpffs_mount(root, d) : bpffs_missing(root, 0, d);
}

bool bpffs_open_to_others(const char *root, pin_path at, unsigned *mode)
{
	struct stat status;
	bool there;

	snprintf(at, PIN_PATH, "%s", root);
	for (char *slash = strrchr(at, '/'); slash && slash != at; slash = strrchr(at, '/')) {
		*slash = 0;
		if (within_bpffs(at, &there) || !there)
			return false;
		*mode = stat(at, &status) ? 0 : status.st_mode & 07777;
		if (*mode & (S_IWGRP | S_IWOTH))
			return true;
	}
	return false;
}
