/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes over a policy that an older flowreeve has applied: the same rules, attach points and mode,
 * with programs and maps of this version. The requested change is an ordinary apply after it.
 *
 * Flows of the two layouts are in two tables, so attach points cannot be moved one by one: half
 * way, openings would be in one table and their answers looked up in the other. So the new
 * programs are attached beside the old ones. Until the flip they pass every packet. After it both
 * judge, by the same rules, each by a table with all flows: allowed packets pass both. Then the
 * old ones are removed. At every moment a program judges, and a kill at any moment leaves the
 * policy whole: with the old programs, or with both. Reconciling removes everything else, as
 * always.
 */
#include "upgrade.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "epoch.h"
#include "pending.h"
#include "plan.h"
#include "state.h"

/* ---------------------------------------------------------------- the same attach points */

static void plan_beside(struct change *change)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	struct arena *arena = change->d->arena;
	struct host_options host =
		words_host(change->old_state.list, &change->request->host, arena);
	const char *root = cgroup2_find(&host, arena);
	uint32_t number = 0;

	change->points =
		arena_alloc(arena, (change->old_hooks.count + 1) * sizeof(*change->points));
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		struct planned_point *point = &change->points[change->point_count];

		if (!old[i].used)
			continue;
		change->point_count++;
		*point = (struct planned_point){.record = old[i]};
		point_name_pin(change, &point->record, &number);
		if (root && old[i].kind == FR_KIND_CGROUP)
			point->path = cgroup_path_of(arena, root, old[i].name);
		else if (old[i].how == HOW_SOCKETS)
			point->path = root;
	}
}

static bool is_cgroup(const char *path, uint64_t id)
{
	struct stat status;

	return path && !stat(path, &status) && status.st_ino == id;
}

static int attach_here(const struct change *change, const struct planned_point *planned,
		       struct fr_hook_record *point)
{
	struct attach_job job = {.dir = change->running.dir,
				 .pins = change->pins,
				 .point = point,
				 .path = planned->path,
				 .variant = PROG_JOINING};

	if (attach_is_cgroup(point) && !is_cgroup(planned->path, point->cgroup))
		return diag_error(change->d, NO_LOC, -ENOENT, "no-cgroup",
				  "apply --cgroup DIR, where it was found before",
				  "the attached cgroup %s is not found by its name", point->name);
	return attach_make(&job, change->d);
}

/* A target that is gone from this host has no packets. */
static int attach_beside(const struct change *change, const struct fr_hook_record *old,
			 const struct planned_point *planned, struct fr_hook_record *point)
{
	size_t alive;
	int back = -1, err = attach_alive_hooks(change->running.dir, old, &alive);

	if (err)
		return diag_error(change->d, NO_LOC, err, "attach", NULL,
				  "cannot find out what is attached to %s: %s", old->name,
				  error_text(err));
	if (!alive)
		return 0;
	err = point->netns ? netns_enter(point->netns, &back) : 0;
	if (err)
		return diag_error(change->d, NO_LOC, err, "namespace",
				  "run it in that network namespace, or with CAP_SYS_ADMIN",
				  "%s is in another network namespace, which cannot be entered: %s",
				  point->name, error_text(err));
	err = attach_here(change, planned, point);
	netns_leave(&back);
	return err;
}

static int attach_all(const struct change *change)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	struct fr_hook_record *records = change->new_hooks.list;
	size_t next = 0;
	int err = 0;

	for (uint32_t i = 0; i < change->old_hooks.count && !err; i++) {
		if (!old[i].used)
			continue;
		err = attach_beside(change, &old[i], &change->points[next], &records[next]);
		next++;
	}
	return err;
}

/* ---------------------------------------------------------------- the same rules */

static void fill_state(const struct change *change)
{
	struct fr_state *state = change->state.list;

	*state = *(const struct fr_state *)change->old_state.list;
	state->abi = FR_ABI_VERSION;
	state->hooks = (uint32_t)change->point_count;
	object_build(state->build);
}

static int copy_records(struct change *change)
{
	uint32_t rules = change->old_rules.count, requests = change->old_requests.count;
	struct fr_hook_record *hooks;
	int err = change_record(change, "state", sizeof(struct fr_state), 1, &change->state);

	if (err)
		return err;
	err = change_record(change, "hooks", sizeof(*hooks), (uint32_t)change->point_count,
			    &change->new_hooks);
	if (err)
		return err;
	err = change_record(change, "rules", sizeof(struct fr_rule_record), rules, &change->rules);
	if (err)
		return err;
	err = change_record(change, "requests", sizeof(struct fr_request_record), requests,
			    &change->requests);
	if (err)
		return err;
	fill_state(change);
	memcpy(change->rules.list, change->old_rules.list, change->rules.size);
	memcpy(change->requests.list, change->old_requests.list, change->requests.size);
	hooks = change->new_hooks.list;
	for (size_t i = 0; i < change->point_count; i++)
		hooks[i] = change->points[i].record;
	return 0;
}

static int adopt_again(const struct change *change, struct fr_image_conf *conf)
{
	CLEANUP(close_fd) int program = program_open(change->pins, PROG_STEADY, PROGRAM_CLOCK);
	struct clock_pair clock;
	int err = program < 0 ? program : clock_run(program, &clock);

	if (err)
		return err;
	conf->adopt_until = clock.jiffies + conf->timeout[FR_TIMEOUT_ADOPT];
	return 0;
}

/* The number of the layout is among the lines. An image without a digest that can be read back
 * (-ERANGE) and a damaged image keep the digest of before. A damaged image then counts as altered,
 * and the next policy replaces it. */
static int seal(const struct change *change, struct fr_image_ident *ident)
{
	CLEANUP(image_unmap) struct image image = {0};
	uint8_t digest[32];
	int err = image_map_view(change->image, &image);

	if (!err)
		err = image_digest_now(&image, false, digest);
	if (err)
		return err == -ERANGE || err == -EBADMSG ? 0 : err;
	memcpy(ident->digest, digest, sizeof(digest));
	return 0;
}

/* The lines in force, with the new generation and layout, and guests adopted for a while. */
static int copy_image(struct change *change)
{
	struct fr_image_start *lines;
	int err;

	change->image = image_copy(&change->live, change->live_class, 0);
	if (change->image < 0)
		return change->image;
	lines = mmap(NULL, sizeof(*lines), PROT_READ | PROT_WRITE, MAP_SHARED, change->image, 0);
	if (lines == MAP_FAILED)
		return -errno;
	lines->head.generation = change->generation;
	lines->head.deadline = 0;
	lines->ident.abi = FR_ABI_VERSION;
	older_image(&lines->head, change->running.layout);
	err = adopt_again(change, &lines->conf);
	if (!err)
		err = seal(change, &lines->ident);
	munmap(lines, sizeof(*lines));
	return err ? err
		   : pin_store_number(change->image, change->pins, "image", change->generation);
}

/* An older image has its failsafe rules as cells alone. */
static int no_failsafe(const struct change *change)
{
	static const struct fr_failsafe none;

	return change_failsafe(change, &none);
}

/* ---------------------------------------------------------------- the change */

static int not_carried(const struct change *change, int err)
{
	return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
			  "cannot take over the policies of an older flowreeve: %s",
			  error_text(err));
}

static int take_over(struct change *change)
{
	int err = epoch_make(change);

	if (err)
		return err;
	err = copy_records(change);
	if (err)
		return err;
	err = copy_image(change);
	if (err)
		return not_carried(change, err);
	err = no_failsafe(change);
	if (err)
		return err;
	err = pending_prepare(change);
	if (err)
		return err;
	err = attach_all(change);
	if (err)
		return err;
	err = older_figures(change->running.pins, change->running.layout, change->pins,
			    change->slots.count);
	if (err)
		return not_carried(change, err);
	err = pending_begin(change);
	err = err ? err : change_flip(change);
	err = err ? err : pending_complete(change);
	return err ? not_carried(change, err) : 0;
}

static void report(const struct change *change)
{
	diag_note(change->d, NO_LOC, "taken-over", NULL,
		  "an older flowreeve (layout %u) had applied %s: its flows and the counters of "
		  "its rules are kept, the list of refused packets starts empty",
		  change->running.layout, change->policy);
}

/* Enforcement until a time keeps its end. */
static uint64_t end_of(const struct epoch_view *view)
{
	return view->deadline ? real_now() + (view->deadline - view->now) : 0;
}

static int upgrade(struct change *change, struct apply_request *request)
{
	int err = change_open(change);

	if (err)
		return err;
	request->confirm = 0;
	request->until = end_of(&change->running.view);
	err = older_flows_room(change->running.pins, change->running.layout, &request->flows);
	if (err)
		return not_carried(change, err);
	change->slots.count = change->old_rules.count;
	plan_beside(change);
	err = take_over(change);
	if (err)
		return err;
	report(change);
	return 0;
}

int policy_upgrade(const struct change *planned)
{
	struct apply_request request = *planned->request;
	struct change change = {.request = &request,
				.d = planned->d,
				.root = planned->root,
				.policy = planned->policy,
				.running = planned->running,
				.generation = planned->running.generation + 1,
				.older = true,
				CHANGE_NEW};
	int err = upgrade(&change, &request);

	change_free(&change);
	return err;
}
