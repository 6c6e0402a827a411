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
#include "clock.h"
#include "install.h"
#include "maps.h"
#include "older.h"

struct image_search {
	uint32_t ids[FR_IMAGE_SLOTS];
	struct slot_view slots[FR_IMAGE_SLOTS];
	uint64_t deadline;
};

static int match_image(const char *dir, const char *name, void *context)
{
	struct image_search *search = context;
	CLEANUP(close_fd) int fd = -1;
	struct slot_view slot = {0};
	uint32_t id = 0;
	int err;

	slot.audit = pin_number(name, "audit-", &slot.generation);
	if (!slot.audit && !pin_number(name, "image-", &slot.generation))
		return 0;
	fd = pin_open(dir, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fd_map_id(fd, &id);
	if (err)
		return err;
	for (int i = 0; i < FR_IMAGE_SLOTS; i++)
		if (id == search->ids[i])
			search->slots[i] = slot;
	return id == search->ids[FR_SLOT_CURRENT] ? image_deadline(fd, &search->deadline) : 0;
}

/* A slot gives an id only; the pin with that id gives the generation. */
static int slot_ids(int images, uint32_t ids[FR_IMAGE_SLOTS])
{
	for (uint32_t slot = 0; slot < FR_IMAGE_SLOTS; slot++)
		if (bpf_map_lookup_elem(images, &slot, &ids[slot]) && errno != ENOENT)
			return -errno;
	return 0;
}

int epoch_look(const char *dir, struct epoch_view *out)
{
	CLEANUP(close_fd) int images = pin_open(dir, map_names[MAP_IMAGES]);
	struct image_search search = {0};
	struct epoch_view view;
	int err = images < 0 ? images : slot_ids(images, search.ids);

	err = err ? err : pin_each(dir, match_image, &search);
	if (err < 0 && err != -ENOENT)
		return err;
	for (int i = 0; i < FR_IMAGE_SLOTS; i++)
		search.slots[i].lost = search.ids[i] && !search.slots[i].generation;
	view = (struct epoch_view){.current = search.slots[FR_SLOT_CURRENT],
				   .before = search.slots[FR_SLOT_BEFORE],
				   .deadline = search.deadline};
	err = view.deadline ? boot_now(&view.now) : 0;
	if (err)
		return err;
	view.lapsed = view.deadline && view.now >= view.deadline;
	*out = view;
	return 0;
}

static struct slot_view view_in_force(const struct epoch_view *view)
{
	return view->lapsed ? view->before : view->current;
}

int epoch_generation(const char *dir, uint32_t *out)
{
	struct epoch_view view = {0};
	int err = epoch_look(dir, &view);

	*out = view_in_force(&view).generation;
	return err;
}

static int slot_image(const char *dir, struct slot_view slot)
{
	if (!slot.generation)
		return -ENOENT;
	return pin_open_number(dir, slot.audit ? "audit" : "image", slot.generation);
}

int epoch_image(const char *dir)
{
	struct epoch_view view = {0};
	int err = epoch_look(dir, &view);

	return err ? err : slot_image(dir, view_in_force(&view));
}

int epoch_current(const char *dir)
{
	struct epoch_view view = {0};
	int err = epoch_look(dir, &view);

	return err ? err : slot_image(dir, view.current);
}

int running_image(const struct running *running)
{
	return slot_image(running->pins, (struct slot_view){.generation = running->generation,
							    .audit = running->audit});
}

/* Packets that started under the generation in force find it in this slot after the flip. */
int image_keep(const char *dir, int images)
{
	CLEANUP(close_fd) int image = -1;
	uint32_t before = FR_SLOT_BEFORE;
	struct epoch_view view = {0};
	int err = epoch_look(dir, &view);

	if (err || !view.current.generation || view.before.generation == view.current.generation)
		return err;
	image = slot_image(dir, view_in_force(&view));
	if (image < 0)
		return image;
	return bpf_map_update_elem(images, &before, &image, BPF_ANY) ? -errno : 0;
}

/* A change has ended in it: its deadline is past, or what follows is in both slots and the record
 * says so. A copy that is not whole yet has one generation in both slots, too. */
static int find_ended(const char *pins, struct epoch_view *view)
{
	CLEANUP(close_fd) int record = -1;

	view->ended = view->lapsed;
	if (view->ended || view->current.generation != view->before.generation ||
	    view->current.audit != view->before.audit)
		return 0;
	record = pin_open_number(pins, "undone", view->current.generation);
	view->ended = record >= 0;
	return view->ended || record == -ENOENT ? 0 : record;
}

/* The same generation is in two epochs while a change makes a copy of it, which is not whole yet,
 * and after a change that has ended, whose epoch is whole and has its record. */
static bool found_better(const struct running *found, const struct epoch_view *view, uint32_t epoch)
{
	uint32_t generation = view_in_force(view).generation;

	if (generation != found->generation)
		return generation > found->generation;
	if (view->ended != found->view.ended)
		return view->ended;
	return view->ended ? epoch > found->epoch : epoch < found->epoch;
}

static void keep_higher(uint32_t *highest, uint32_t number)
{
	if (number > *highest)
		*highest = number;
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	struct running *running = context;
	struct epoch_view view = {0};
	struct slot_view slot;
	uint32_t epoch;
	pin_path pins;
	int err;

	if (!pin_number(name, "e", &epoch) || !epoch)
		return 0;
	keep_higher(&running->epoch_last, epoch);
	pin_path_join(dir, name, pins);
	err = epoch_look(pins, &view);
	if (err)
		return err;
	err = find_ended(pins, &view);
	if (err)
		return err;
	keep_higher(&running->last, view.current.generation);
	keep_higher(&running->last, view.before.generation);
	slot = view_in_force(&view);
	if (view.lapsed && !slot.generation && !slot.lost)
		memcpy(running->undone, pins, sizeof(pins));
	if (!slot.generation || !found_better(running, &view, epoch))
		return 0;
	running->generation = slot.generation;
	running->audit = slot.audit;
	running->view = view;
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

int requests_open(const char *dir, uint32_t generation, struct records *out)
{
	CLEANUP(records_unmap) struct records state = {0};
	CLEANUP(records_unmap) struct records hooks = {0};
	int err = records_open(dir, "requests", generation, out);

	if (err != -ENOENT)
		return err;
	err = records_open(dir, "state", generation, &state);
	if (!err)
		err = records_open(dir, "hooks", generation, &hooks);
	return err ? err : older_requests(&state, &hooks, out);
}
