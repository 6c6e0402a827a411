/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel runs the programs of a cgroup in the order in which they were attached, then those of
 * the cgroup above it. With BPF_F_PREORDER (Linux 6.15) a program runs before those of the cgroups
 * below its own. Until the fix of June 2026 the kernel forgets that where a link gets another
 * program: it counts the place of the old program without the flag, replaces the one that it finds
 * there, and the old one, which belongs to nothing any more, goes on. So a link may be updated only
 * where its program is at the place that is counted.
 */
#include "cgroup_order.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../host/host.h"

struct order_search {
	struct arena *arena;
	const struct hook_ref *ref;
	struct order_fault *out;
};

static int cgroup_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int query_own(const char *path, uint32_t attach_type, struct hook_query *out)
{
	CLEANUP(close_fd) int fd = cgroup_open(path);

	*out = (struct hook_query){0};
	return fd < 0 ? fd : hook_query((uint32_t)fd, attach_type, out);
}

/* The place of our program among those of the cgroups from `below` up to ours. -ENOENT: it is not
 * there. */
static int place_counted(const struct order_search *search, const char *below, uint32_t *out)
{
	const struct hook_ref *ref = search->ref;
	char *path = arena_strdup(search->arena, below);
	size_t ours = strlen(ref->path);
	struct hook_query own;
	uint32_t place = 0;
	int err;

	for (; strlen(path) > ours; *strrchr(path, '/') = 0) {
		err = query_own(path, ref->hook->attach_type, &own);
		if (err)
			return err;
		place += own.count;
	}
	err = query_own(path, ref->hook->attach_type, &own);
	for (uint32_t i = 0; !err && i < own.count && i < QUERY_MAX; i++)
		if (own.programs[i] == ref->program) {
			*out = place + i;
			return 0;
		}
	return err ? err : -ENOENT;
}

/* The first program that is not at the place that its cgroup gives it. */
static int look_at(const char *path, uint64_t id, void *context)
{
	struct order_search *search = context;
	CLEANUP(close_fd) int fd = cgroup_open(path);
	struct hook_query effective = {0};
	uint32_t place;
	int err = fd < 0 ? fd : place_counted(search, path, &place);

	(void)id;
	if (!err)
		err = hook_query_effective(fd, search->ref->hook->attach_type, &effective);
	if (err == -ENOENT && strlen(path) > strlen(search->ref->path))
		return 0; /* it was removed meanwhile */
	if (err || place >= effective.count || place >= QUERY_MAX ||
	    effective.programs[place] == search->ref->program)
		return err;
	*search->out = (struct order_fault){program_words(search->arena, effective.programs[place]),
					    arena_strdup(search->arena, path)};
	return 1;
}

int cgroup_order_read(const struct hook_ref *ref, struct arena *arena, struct order_fault *out)
{
	struct order_search search = {arena, ref, out};
	int err;

	*out = (struct order_fault){0};
	err = cgroup_tree_each(ref->path, look_at, &search);
	return err < 0 ? err : 0;
}
