/* SPDX-License-Identifier: GPL-2.0-only */
/* A program by its name and its maps, compared with those that are pinned. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "../host/host.h"
#include "maps.h"
#include "pins.h"
#include "programs.h"

enum { PROGRAM_MAPS_MAX = 64 };

/* The kernel cuts names. */
static const char *name_of(const struct bpf_map_info *map)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (!strncmp(map->name, map_names[i], sizeof(map->name) - 1))
			return map_names[i];
	return NULL;
}

static int pinned_id(const char *pins, const char *name, uint32_t *out)
{
	CLEANUP(close_fd) int pin = pin_open(pins, name);

	*out = 0;
	return pin < 0 ? pin : fd_map_id(pin, out);
}

/* *other: the name, where another map is pinned by it. A map that is not ours to pin, such as that
 * of constants, has no such name. */
static int look_for_pin(uint32_t id, const char *pins, const char **other)
{
	CLEANUP(close_fd) int map = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), pinned;
	const char *name;
	int err;

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &size))
		return -errno;
	name = name_of(&info);
	err = name ? pinned_id(pins, name, &pinned) : -ENOENT;
	if (!err && pinned != id)
		*other = name;
	return err == -ENOENT ? 0 : err;
}

/* The process detail program does not judge. */
static bool judges(enum program program)
{
	return program != PROGRAM_SOCK_CREATE;
}

/* -EPERM: maps may not be looked at. */
static int check_maps(const uint32_t *ids, uint32_t count, const char *pins, const char **other)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err && !*other; i++)
		err = look_for_pin(ids[i], pins, other);
	return err;
}

static bool is_among(uint32_t id, const uint32_t *ids, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

int program_check(int fd, enum program program, const char *pins, enum program_fault *out,
		  const char **map)
{
	uint32_t maps[PROGRAM_MAPS_MAX], images;
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)maps};
	uint32_t size = sizeof(info), count;
	int err;

	*map = NULL;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	err = pinned_id(pins, map_names[MAP_IMAGES], &images);
	if (err)
		return err;
	count = info.nr_map_ids < PROGRAM_MAPS_MAX ? info.nr_map_ids : PROGRAM_MAPS_MAX;
	*out = PROGRAM_RIGHT;
	if (strncmp(info.name, program_names[program], sizeof(info.name) - 1))
		*out = PROGRAM_OTHER;
	else if (judges(program) && !is_among(images, maps, count))
		*out = PROGRAM_IMAGES;
	if (*out != PROGRAM_RIGHT)
		return 0;
	err = check_maps(maps, count, pins, map);
	if (*map)
		*out = PROGRAM_MAP;
	else if (err == -EPERM)
		*out = PROGRAM_UNSEEN;
	return err == -EPERM ? 0 : err;
}
