/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the attach points of the other policies of a pin root. Skips those that cannot be read:
 * the status of their own policy reports them.
 */
#include "others.h"

#include "attach_point.h"

static bool is_enforced(const struct running *running)
{
	CLEANUP(close_fd) int fd = running_image(running);
	struct image image = {0};
	bool enforced;

	if (fd < 0 || image_map_view(fd, &image))
		return false;
	enforced = image_head(&image)->flags & FR_F_ENFORCE;
	image_unmap(&image);
	return enforced;
}

static void add_hooks(struct others *others, const struct running *running, const char *policy,
		      struct arena *arena)
{
	struct records records = {0};
	const struct fr_hook_record *hooks;
	bool alive, enforced = is_enforced(running);

	if (records_open(running->pins, "hooks", running->generation, &records))
		return;
	hooks = records.list;
	for (uint32_t i = 0; i < records.count; i++) {
		if (!hooks[i].used || attach_is_extra(&hooks[i]) ||
		    attach_alive(running->dir, &hooks[i], &alive) || !alive)
			continue;
		others->list = arena_grow(arena, others->list, others->count, &others->capacity,
					  sizeof(*others->list));
		others->list[others->count++] = (struct other){policy, enforced, hooks[i]};
	}
	records_unmap(&records);
}

void others_find(const char *root, const char *policy, struct arena *arena, struct others *out)
{
	const char **names;
	size_t count;

	*out = (struct others){0};
	if (policy_names(root, false, arena, &names, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct running running = {0};

		if (!str_equal(names[i], policy) && !running_find(root, names[i], &running) &&
		    running.epoch)
			add_hooks(out, &running, names[i], arena);
	}
}

const struct other *other_at(const struct others *others, const struct fr_hook_record *place)
{
	for (size_t i = 0; i < others->count; i++)
		if (attach_same_place(&others->list[i].hook, place))
			return &others->list[i];
	return NULL;
}
