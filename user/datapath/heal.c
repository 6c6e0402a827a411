/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command that puts a policy right whose pins were damaged. What is left of the pins says which
 * file was applied, and how.
 */
#include "internal.h"

#include <string.h>

/* ---------------------------------------------------------------- what is left of the pins */

struct remains {
	uint32_t epoch, generation; /* of the record of state that was found, 0 none */
	pin_path pins;
	const char *source, *mode;
	bool no_tcx;
	uint64_t netns; /* of its interfaces, 0 when it has none */
	bool whole;	/* all that apply reads before it changes anything */
};

static int on_state(const char *dir, const char *name, void *context)
{
	struct remains *remains = context;
	uint32_t generation;

	if (!pin_number(name, "state-", &generation) || generation < remains->generation)
		return 0;
	remains->generation = generation;
	snprintf(remains->pins, sizeof(remains->pins), "%s", dir);
	return 0;
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	uint32_t epoch;
	pin_path path;

	if (pin_number(name, "e", &epoch) &&
	    snprintf(path, sizeof(path), "%s/%s", dir, name) < PIN_PATH)
		pin_each(path, on_state, context);
	return 0;
}

static bool read_state(struct arena *arena, struct remains *remains)
{
	struct records records = {0};
	const struct fr_state *state;

	if (records_open(remains->pins, "state", remains->generation, &records))
		return false;
	state = records.list;
	/* A path that was too long for the record names no file. */
	if (state->abi == FR_ABI_VERSION && state->source[0] == '/')
		remains->source = arena_strndup(arena, state->source, sizeof(state->source));
	records_unmap(&records);
	return true;
}

static bool read_hooks(struct remains *remains)
{
	struct records records = {0};
	const struct fr_hook_record *hooks;

	if (records_open(remains->pins, "hooks", remains->generation, &records))
		return false;
	hooks = records.list;
	for (uint32_t i = 0; i < records.count; i++) {
		if (!hooks[i].used || hooks[i].kind == FR_KIND_CGROUP)
			continue;
		remains->netns = hooks[i].netns;
		remains->no_tcx |= hooks[i].how == HOW_CLSACT;
	}
	records_unmap(&records);
	return true;
}

static bool has_records(const struct remains *remains, const char *name)
{
	struct records records = {0};
	bool found = !records_open(remains->pins, name, remains->generation, &records);

	records_unmap(&records);
	return found;
}

/* The programs hold the image in force, also where its pin is gone. */
static int open_judging(const char *pins)
{
	CLEANUP(close_fd) int images = pin_open(pins, map_names[MAP_IMAGES]);
	uint32_t current = FR_SLOT_CURRENT, id;
	int fd;

	if (images < 0 || bpf_map_lookup_elem(images, &current, &id))
		return -ENOENT;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static bool read_image(struct remains *remains)
{
	CLEANUP(close_fd)
	int fd = pin_open_number(remains->pins, "image", remains->generation);
	bool pinned = fd >= 0;
	struct image image = {0};

	if (!pinned)
		fd = open_judging(remains->pins);
	if (fd < 0 || image_map_view(fd, &image))
		return false;
	remains->mode = image_head(&image)->flags & FR_F_ENFORCE ? "enforce" : "audit";
	instance_image_close(&image);
	return pinned;
}

static void remains_find(const char *root, const char *policy, struct arena *arena,
			 struct remains *out)
{
	struct running running = {0};
	struct remains remains = {0};

	if (!running_find(root, policy, &running) && running.epoch) {
		remains.generation = running.generation;
		memcpy(remains.pins, running.pins, sizeof(remains.pins));
		remains.whole = true;
	} else if (running.dir[0]) {
		pin_each(running.dir, on_epoch, &remains);
	}
	if (remains.generation) {
		remains.whole &= read_state(arena, &remains);
		remains.whole &= read_hooks(&remains);
		remains.whole &= has_records(&remains, "rules");
		remains.whole &= has_records(&remains, "requests");
		remains.whole &= read_image(&remains);
	}
	*out = remains;
}

/* ---------------------------------------------------------------- the command that heals */

/* A device is found by its name in the namespace that the command runs in. */
static const char *enter_words(struct arena *arena, uint64_t netns)
{
	uint64_t here;
	const char *path;

	if (!netns || host_netns(&here) || here == netns)
		return "";
	path = netns_path(arena, netns);
	return path ? arena_printf(arena, "nsenter --net=%s ", shell_word(arena, path)) : "";
}

const char *policy_heal_command(const char *root, const char *policy, struct arena *arena)
{
	const char *detach = command_text(
		arena,
		&(struct command_line){.verb = "detach", .pin_root = root, .operand = policy});
	struct remains remains;
	const char *apply;

	remains_find(root, policy, arena, &remains);
	if (!remains.source || !remains.mode)
		return detach;
	apply = command_text(arena, &(struct command_line){.verb = "apply",
							   .mode = remains.mode,
							   .no_tcx = remains.no_tcx,
							   .pin_root = root,
							   .operand = remains.source});
	apply = arena_printf(arena, "%s%s", enter_words(arena, remains.netns), apply);
	return remains.whole ? apply : arena_printf(arena, "%s && %s", detach, apply);
}

const char *instance_heal_command(const struct instance *instance, int err, struct arena *arena)
{
	const char *slash = strrchr(instance->dir, '/');

	if (!pins_damaged(err))
		return NULL;
	return policy_heal_command(
		arena_strndup(arena, instance->dir, (size_t)(slash - instance->dir)),
		instance->name, arena);
}

const char *running_heal_command(const struct running *running, struct arena *arena)
{
	const char *slash = strrchr(running->dir, '/');

	return policy_heal_command(
		arena_strndup(arena, running->dir, (size_t)(slash - running->dir)), slash + 1,
		arena);
}
