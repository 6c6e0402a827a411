/* SPDX-License-Identifier: GPL-2.0-only */
/* Links: of TCX, of a cgroup, of a network namespace. Found again by their pins. */
#include "link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

void link_name(const struct hook_ref *ref, char out[LINK_NAME])
{
	snprintf(out, LINK_NAME, "%s-%s", ref->point->pin, ref->hook->name);
}

int link_open(const struct hook_ref *ref)
{
	char name[LINK_NAME];

	link_name(ref, name);
	return pin_open(ref->dir, name);
}

int link_find(const struct hook_ref *ref, struct link_target *out)
{
	CLEANUP(close_fd) int fd = link_open(ref);

	if (fd >= 0)
		return link_target(fd, out);
	*out = (struct link_target){0};
	return fd == -ENOENT ? 0 : fd;
}

bool link_in_place(const struct hook_ref *ref, const struct link_target *target)
{
	const struct fr_hook_record *point = ref->point;

	if (point->how == HOW_NETNS)
		return target->netns == point->netns;
	return attach_is_cgroup(point) ? target->cgroup == point->cgroup
				       : target->ifindex == point->ifindex;
}

static int link_create(const struct hook_ref *ref, const char *path, int program)
{
	const enum bpf_attach_type type = (enum bpf_attach_type)ref->hook->attach_type;
	CLEANUP(close_fd) int cgroup = -1;
	int fd;

	if (ref->point->how == HOW_TCX)
		return tcx_link_create(program, ref->point->ifindex, ref->hook->attach_type);
	if (ref->point->how == HOW_NETNS)
		return netns_link_create(program);
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		return -errno;
	fd = bpf_link_create(program, cgroup, type, NULL);
	return fd < 0 ? -errno : fd;
}

int link_make(const struct hook_ref *ref, const char *path, int program)
{
	CLEANUP(close_fd) int link = link_create(ref, path, program);
	char name[LINK_NAME];

	if (link < 0)
		return link;
	link_name(ref, name);
	return pin_store(link, ref->dir, name);
}

/* Detach at once, because the last close may come later; a kernel without detach ends the link at
 * that close. */
int link_remove(const char *dir, const char *name)
{
	CLEANUP(close_fd) int fd = pin_open(dir, name);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_link_detach(fd) && errno != EOPNOTSUPP && errno != EINVAL)
		return -errno;
	return pin_remove(dir, name);
}
