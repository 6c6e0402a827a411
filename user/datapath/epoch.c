/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a new set of programs beside the running one. Until the flip it judges by a copy of the
 * image in force, so that moved hooks and others agree; hooks that join or leave get programs that
 * judge on one side of the flip only. Reuses maps of the old set where they fit.
 */
#include "epoch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "carry.h"

/* ---------------------------------------------------------------- loading */

static uint32_t programs_of(const struct fr_hook_record *point)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	uint32_t programs = 0;

	for (size_t i = 0; i < count; i++)
		programs |= 1u << hooks[i].program;
	return programs;
}

static enum prog_variant joining_variant(const struct change *change)
{
	/* Nothing in force: until the flip the programs pass every packet anyway. */
	return change->running.epoch ? PROG_JOINING : PROG_STEADY;
}

static uint32_t programs_wanted(const struct change *change, enum prog_variant variant)
{
	uint32_t programs = variant == PROG_STEADY ? 1u << PROGRAM_CLOCK | 1u << PROGRAM_IMPORT : 0;

	for (size_t i = 0; i < change->point_count; i++) {
		const struct planned_point *point = &change->points[i];

		if (variant == (point->stays ? PROG_STEADY : joining_variant(change)))
			programs |= programs_of(&point->record);
	}
	/* If a change is rolled back, hooks that leave go on without the end of their window. */
	if (variant == PROG_STEADY && !change->request->confirm)
		return programs;
	for (size_t i = 0; variant != PROG_JOINING && i < change->leaving_count; i++)
		programs |= programs_of(change->leaving[i]);
	return programs;
}

static int pin_programs(const struct change *change, const struct object *object,
			enum prog_variant variant, uint32_t programs)
{
	int err = 0;

	for (int i = 0; i < PROGRAM_COUNT && !err; i++) {
		int fd = programs & 1u << i ? object_program(object, (enum program)i) : -1;

		if (fd < 0 || i == PROGRAM_IMPORT)
			continue; /* not requested, not loaded, or used only now */
		err = program_store(fd, change->pins, variant, (enum program)i);
	}
	return err;
}

static int pin_maps(const struct change *change, const struct object *object)
{
	int err = 0;

	for (int i = 0; i < MAP_COUNT && !err; i++) {
		int fd = object_map(object, map_names[i]);

		if (fd >= 0)
			err = pin_store(fd, change->pins, map_names[i]);
	}
	return err;
}

static int keep_import(struct change *change, const struct object *object)
{
	change->import = fcntl(object_program(object, PROGRAM_IMPORT), F_DUPFD_CLOEXEC, 0);
	return change->import < 0 ? -errno : 0;
}

static int pin_object(struct change *change, struct object *object, enum prog_variant variant,
		      uint32_t programs)
{
	int err = variant == PROG_STEADY ? keep_import(change, object) : 0;

	if (err)
		return err;
	if (variant == PROG_STEADY)
		err = pin_maps(change, object);
	return err ? err : pin_programs(change, object, variant, programs);
}

static int load_variant(struct change *change, enum prog_variant variant,
			struct object_request *request)
{
	struct object *object;
	int err;

	request->programs = programs_wanted(change, variant);
	request->first = variant == PROG_JOINING ? change->generation : 0;
	request->last = variant == PROG_LEAVING ? change->running.generation : UINT32_MAX;
	if (!request->programs)
		return 0;
	err = object_load(request, change->d, &object);
	if (err)
		return err;
	err = pin_object(change, object, variant, request->programs);
	object_close(object);
	if (err)
		return diag_error(change->d, NO_LOC, err, "pin-root", NULL,
				  "cannot pin below %s: %s", change->pins, error_text(err));
	return 0;
}

static void reuse_close(struct object_request *request)
{
	for (int i = 0; i < MAP_COUNT; i++)
		close_fd(&request->reuse[i]);
}

static bool any_goes_on(enum kernel_map which)
{
	(void)which;
	return true;
}

static bool all_but_images_go_on(enum kernel_map which)
{
	return which != MAP_IMAGES;
}

/* Missing maps are made anew; a map that cannot be opened is an error. NULL: no policy runs. */
static int reuse_open(const char *pins, bool (*goes_on)(enum kernel_map),
		      struct object_request *request)
{
	int err = 0;

	for (int i = 0; i < MAP_COUNT; i++)
		request->reuse[i] = -1;
	for (int i = 0; pins && i < MAP_COUNT && !err; i++) {
		if (!goes_on((enum kernel_map)i))
			continue;
		request->reuse[i] = pin_open(pins, map_names[i]);
		if (request->reuse[i] < 0 && request->reuse[i] != -ENOENT)
			err = request->reuse[i];
	}
	if (err)
		reuse_close(request);
	return err;
}

/* Hooks that leave keep their present table. */
static int keep_table(const struct change *change, struct object_request *request)
{
	static const enum kernel_map kept[] = {MAP_FLOWS, MAP_REGIONS};

	request->flows = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		int *fd = &request->reuse[kept[i]];

		close_fd(fd);
		*fd = pin_open(change->running.pins, map_names[kept[i]]);
		if (*fd < 0)
			return pins_unreadable(change->running.pins, *fd, change->d);
	}
	return 0;
}

/* Maps of the running policy, if they can be reused. */
static int reuse_running(const struct change *change, struct object_request *request)
{
	const char *pins = change->running.epoch ? change->running.pins : NULL;

	return reuse_open(pins, change->older ? older_map_goes_on : all_but_images_go_on, request);
}

static int load_others(struct change *change, struct object_request *request)
{
	int err = load_variant(change, PROG_JOINING, request);

	if (err)
		return err;
	if (change->new_table)
		err = keep_table(change, request);
	return err ? err : load_variant(change, PROG_LEAVING, request);
}

static int load_variants(struct change *change)
{
	uint32_t lines = change->request->image->line_count;
	struct object_request request = {.slots = slots_class(change->slots.count),
					 .flows = change->request->flows};
	int err;

	if (change->live.line_count > lines)
		lines = change->live.line_count;
	request.image_lines = image_class(lines);
	change->live_class = request.image_lines;
	err = reuse_running(change, &request);
	if (err)
		return pins_unreadable(change->running.pins, err, change->d);
	err = load_variant(change, PROG_STEADY, &request);
	reuse_close(&request);
	if (err || !change->running.epoch)
		return err;
	err = reuse_open(change->pins, any_goes_on, &request);
	if (err)
		return pins_unreadable(change->pins, err, change->d);
	err = load_others(change, &request);
	reuse_close(&request);
	return err;
}

/* ---------------------------------------------------------------- data of the old epoch */

static int copy_image(const struct change *change, const struct image *from, const char *name,
		      uint32_t slot)
{
	CLEANUP(close_fd) int images = pin_open(change->pins, map_names[MAP_IMAGES]);
	CLEANUP(close_fd)
	int copy = images < 0 ? images : image_copy(from, change->live_class, 0);
	int err = copy < 0 ? copy
			   : pin_store_number(copy, change->pins, name, change->running.generation);

	if (err)
		return err;
	return bpf_map_update_elem(images, &slot, &copy, BPF_ANY) ? -errno : 0;
}

/* The one that is in force past the deadline, first. */
static int copy_audit(const struct change *change)
{
	const struct running *running = &change->running;
	CLEANUP(close_fd) int fd = pin_open_number(running->pins, "audit", running->generation);
	CLEANUP(image_unmap) struct image audit = {0};
	int err = fd < 0 ? fd : image_map_view(fd, &audit);

	return err ? err : copy_image(change, &audit, "audit", FR_SLOT_BEFORE);
}

static int copy_live(const struct change *change)
{
	int err = change->running.view.deadline ? copy_audit(change) : 0;

	return err ? err : copy_image(change, &change->live, "image", FR_SLOT_CURRENT);
}

static int carry_running(struct change *change)
{
	int err = copy_live(change);

	if (err)
		return err;
	err = flows_wait(change) ? 0 : flows_carry(change);
	return err ? err : last_carry(change);
}

int epoch_make(struct change *change)
{
	int err;

	if (snprintf(change->pins, sizeof(change->pins), "%s/e%u", change->running.dir,
		     change->running.epoch_last + 1) >= PIN_PATH)
		return -ENAMETOOLONG;
	if (mkdir(change->pins, 0700))
		return diag_error(change->d, NO_LOC, -errno, "pin-root", NULL, "cannot make %s: %s",
				  change->pins, error_text(errno));
	err = load_variants(change);
	if (err || !change->running.epoch)
		return err;
	err = carry_running(change);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot carry over the running state: %s", error_text(err));
	return 0;
}

/* ---------------------------------------------------------------- attaching */

static int attach_running(const struct change *change)
{
	struct attach_update update = {.dir = change->running.dir, .pins = change->pins};
	const struct fr_hook_record *records = change->new_hooks.list;
	int err = 0;

	update.variants = PROG_BIT(PROG_STEADY);
	for (size_t i = 0; i < change->point_count && !err; i++)
		if (change->points[i].stays)
			err = attach_update(&update, &records[i], change->d);
	update.variants = PROG_BIT(PROG_LEAVING);
	for (size_t i = 0; i < change->leaving_count && !err; i++)
		err = attach_update(&update, change->leaving[i], change->d);
	return err;
}

int epoch_attach(struct change *change)
{
	struct fr_hook_record *records = change->new_hooks.list;
	int err = attach_running(change);

	for (size_t i = 0; i < change->point_count && !err; i++) {
		struct attach_job job = {.dir = change->running.dir,
					 .pins = change->pins,
					 .point = &records[i],
					 .path = change->points[i].path,
					 .variant = joining_variant(change)};

		if (!change->points[i].stays)
			err = attach_make(&job, change->d);
	}
	return err;
}
