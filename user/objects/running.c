/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the generation in force of a policy, and the policies below a pin root, from their
 * directories alone.
 */
#include "running.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/abi.h"
#include "../host/host.h"
#include "maps.h"

struct image_search {
	uint32_t id;
	uint32_t generation;
};

static int match_image(const char *dir, const char *name, void *context)
{
	struct image_search *search = context;
	CLEANUP(close_fd) int fd = -1;
	uint32_t generation, id = 0;
	int err;

	if (!pin_number(name, "image-", &generation))
		return 0;
	fd = pin_open(dir, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fd_map_id(fd, &id);
	if (err || id != search->id)
		return err;
	search->generation = generation;
	return 1;
}

/* Slot 0 gives an id only; the pin with that id gives the generation. */
int epoch_generation(const char *dir, uint32_t *out)
{
	CLEANUP(close_fd) int images = pin_open(dir, map_names[MAP_IMAGES]);
	struct image_search search = {0};
	uint32_t zero = 0;
	int err = images < 0 ? images : bpf_map_lookup_elem(images, &zero, &search.id);

	err = err ? err : pin_each(dir, match_image, &search);
	if (err < 0 && err != -ENOENT)
		return err;
	*out = search.generation;
	return 0;
}

/* Packets that started under the generation in force find it in this slot after the flip. */
int image_keep(const char *dir, int images)
{
	CLEANUP(close_fd) int image = -1;
	uint32_t before = FR_SLOT_BEFORE, generation;
	int err = epoch_generation(dir, &generation);

	if (err || !generation)
		return err;
	image = pin_open_number(dir, "image", generation);
	if (image < 0)
		return image;
	return bpf_map_update_elem(images, &before, &image, BPF_ANY) ? -errno : 0;
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	struct running *running = context;
	uint32_t epoch, generation;
	pin_path pins;
	int err;

	if (!pin_number(name, "e", &epoch) || !epoch)
		return 0;
	if (epoch > running->epoch_last)
		running->epoch_last = epoch;
	pin_path_join(dir, name, pins);
	err = epoch_generation(pins, &generation);
	if (err)
		return err;
	if (!generation || generation < running->generation ||
	    (generation == running->generation && epoch > running->epoch))
		return 0;
	running->generation = generation;
	running->epoch = epoch;
	memcpy(running->pins, pins, sizeof(pins));
	return 0;
}

int running_find(const char *root, const char *policy, struct running *out)
{
	struct running running = {0};
	int err;

	if (snprintf(running.dir, sizeof(running.dir), "%s/%s", root, policy) >= 250)
		return -ENAMETOOLONG;
	snprintf(running.root, sizeof(running.root), "%s", root);
	err = pin_each(running.dir, on_epoch, &running);
	if (err)
		return err;
	*out = running;
	return 0;
}

/* ---------------------------------------------------------------- policies */

struct belongings {
	bool ours, others;
};

static int on_pin(const char *dir, const char *name, void *context)
{
	struct belongings *found = context;

	(void)dir;
	*(name_is_pin(name) ? &found->ours : &found->others) = true;
	return 0;
}

static int on_belonging(const char *dir, const char *name, void *context)
{
	struct belongings *found = context, epoch = {false, false};
	uint32_t number;
	pin_path path;
	int err;

	if (str_starts(name, "link-")) {
		found->ours = true;
		return 0;
	}
	if (!pin_number(name, "e", &number)) {
		found->others = true;
		return 0;
	}
	pin_path_join(dir, name, path);
	err = pin_each(path, on_pin, &epoch);
	if (err && err != -ENOENT && err != -ENOTDIR)
		return err;
	*(!err && (epoch.ours || !epoch.others) ? &found->ours : &found->others) = true;
	return 0;
}

int policy_is_ours(const char *dir, bool *out)
{
	struct belongings found = {false, false};
	int err = pin_each(dir, on_belonging, &found);

	if (err)
		return err;
	*out = found.ours || !found.others;
	return 0;
}

struct name_list {
	struct arena *arena;
	const char **names;
	size_t count, capacity;
	bool all;
};

/* Whether a directory below the pin root is one of the requested policies. */
static int is_listed(const struct name_list *list, const char *root, const char *name, bool *out)
{
	struct running running = {0};
	pin_path path;
	int err;

	pin_path_join(root, name, path);
	err = policy_is_ours(path, out);
	if (err || !*out || list->all)
		return err;
	err = running_find(root, name, &running);
	*out = running.generation != 0;
	return err;
}

/* An entry that is gone by now, or is no directory, is no policy. */
static int on_policy_name(const char *dir, const char *name, void *context)
{
	struct name_list *list = context;
	bool listed = false;
	int err = name_is_kebab(name) ? is_listed(list, dir, name, &listed) : 0;

	if (err && err != -ENOENT && err != -ENOTDIR)
		return err;
	if (err || !listed)
		return 0;
	list->names = arena_grow(list->arena, list->names, list->count, &list->capacity,
				 sizeof(*list->names));
	list->names[list->count++] = arena_strdup(list->arena, name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int policy_names(const char *root, bool all, struct arena *arena, const char ***names,
		 size_t *count)
{
	struct name_list list = {.arena = arena, .all = all};
	int err = pin_each(root, on_policy_name, &list);

	if (err && err != -ENOENT)
		return err;
	if (list.count)
		qsort(list.names, list.count, sizeof(*list.names), by_name);
	*names = list.names;
	*count = list.count;
	return 0;
}
