/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be there before anything can be applied: privileges and a bpffs. Each absence is told
 * with the command that mends it.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BPFFS_USUAL "/sys/fs/bpf"

/* ---------------------------------------------------------------- privileges */

int host_capabilities(uint64_t *out)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/status", "re");
	unsigned long long value;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &value) == 1) {
			*out = value;
			return 0;
		}
	return -ENOENT;
}

int host_privileges(struct diags *d)
{
	static const struct {
		const char *name;
		int number;
		bool within_admin; /* CAP_SYS_ADMIN includes it */
	} needed[] = {
		{"CAP_BPF", CAP_BPF, true},
		{"CAP_NET_ADMIN", CAP_NET_ADMIN, false},
		{"CAP_PERFMON", CAP_PERFMON, true},
	};
	const char *missing = "";
	uint64_t have = 0;

	/* Without /proc the kernel's own refusal has to do. */
	if (host_capabilities(&have))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (have >> needed[i].number & 1)
			continue;
		if (needed[i].within_admin && have >> CAP_SYS_ADMIN & 1)
			continue;
		missing = arena_printf(d->arena, "%s%s%s", missing, *missing ? ", " : "",
				       needed[i].name);
	}
	if (!*missing)
		return 0;
	return diag_error(d, NO_LOC, -EPERM, "privilege",
			  "run it as root, or grant what is missing", "this process lacks %s",
			  missing);
}

/* ---------------------------------------------------------------- bpffs */

/* The nearest directory at or above `path` that exists is in a bpffs. */
static bool within_bpffs(const char *path)
{
	struct statfs status;
	pin_path at;
	char *slash;

	snprintf(at, sizeof(at), "%s", path);
	while (statfs(at, &status)) {
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			return false;
		*slash = 0;
	}
	return status.f_type == BPF_FS_MAGIC;
}

/* A mount made in a mount namespace that ends with this command would take the pins along: it must
 * be that of the host, or at least of who started us. */
static bool mounts_outlive_us(void)
{
	struct stat ours, other;
	char parent[32];

	snprintf(parent, sizeof(parent), "/proc/%d/ns/mnt", getppid());
	if (stat("/proc/self/ns/mnt", &ours))
		return true;
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
		return diag_error(d, NO_LOC, -EPERM, "bpffs",
				  "mount -t bpf bpf " BPFFS_USUAL " (needs CAP_SYS_ADMIN)",
				  "no bpffs is mounted at " BPFFS_USUAL
				  " and it cannot be mounted: %s",
				  error_text(err));
	return diag_error(d, NO_LOC, -ENOTSUP, "bpffs",
			  usual ? "mount -t bpf bpf " BPFFS_USUAL
				: "mount -t bpf bpf DIR, and name a directory below DIR",
			  "the pin root %s is not in a bpffs", root);
}

int host_bpffs(const char *root, bool mount_it, struct diags *d)
{
	int err = 0;

	if (within_bpffs(root))
		return 0;
	if (!mount_it || !str_starts(root, BPFFS_USUAL "/"))
		return bpffs_missing(root, 0, d);
	if (!mounts_outlive_us())
		err = -EXDEV;
	else if (mount("bpf", BPFFS_USUAL, "bpf", 0, "mode=0700"))
		err = -errno;
	if (!err && within_bpffs(root))
		return 0;
	return bpffs_missing(root, err, d);
}
