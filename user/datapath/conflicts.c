/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds other owners of the attach points that a policy asks for: another policy of this pin root,
 * by name, or a policy of another pin root, of which only the programs are known. An attach point
 * belongs to one policy.
 */
#include "conflicts.h"

#include <errno.h>
#include <unistd.h>

#include "damage.h"
#include "reconcile.h"

static const char *kind_of(const struct fr_hook_record *hook)
{
	return hook->kind == FR_KIND_CGROUP ? "cgroup" : "interface";
}

/* ---------------------------------------------------------------- this pin root */

/* The first hook of this change that another policy has already, or NULL. */
static int find_taken(const struct change *change, const struct running *other,
		      const struct records *records, const struct fr_hook_record **out)
{
	const struct fr_hook_record *hooks = records->list;
	bool alive = false;
	int err = 0;

	*out = NULL;
	for (uint32_t i = 0; i < records->count && !*out && !err; i++)
		for (size_t j = 0; hooks[i].used && j < change->point_count && !*out && !err; j++) {
			if (attach_is_extra(&hooks[i]) ||
			    !attach_same_place(&hooks[i], &change->points[j].record))
				continue;
			err = attach_alive(other->dir, &hooks[i], &alive);
			*out = alive ? &change->points[j].record : NULL;
		}
	return err;
}

static int check_other(struct change *change, const char *name)
{
	CLEANUP(records_unmap) struct records records = {0};
	struct running other = {0};
	const struct fr_hook_record *taken = NULL;
	int err = running_find(change->root, name, &other);

	if (!err && other.epoch)
		err = records_open(other.pins, "hooks", other.generation, &records);
	err = err ? err : find_taken(change, &other, &records, &taken);
	if (err)
		return policy_broken(change->root, name, err, change->d);
	if (!taken)
		return 0;
	return diag_error(change->d, NO_LOC, -EBUSY, "attach-taken",
			  arena_printf(change->d->arena,
				       "name it in one of the two; %s detaches %s",
				       command_text(change->d->arena,
						    &(struct command_line){.verb = "detach",
									   .pin_root = change->root,
									   .operand = name}),
				       name),
			  "%s %s belongs to the applied policy %s; an attach point has one policy",
			  kind_of(taken), taken->name, name);
}

/* The attach points of a change that has ended are free. */
static int settle(struct change *change, const char *name)
{
	struct running other = {0};
	int err = running_find(change->root, name, &other);

	if (err || (!other.view.lapsed && !other.undone[0]))
		return err && err != -ENOENT ? policy_broken(change->root, name, err, change->d)
					     : 0;
	err = policy_reconcile(change->root, name, change->d, &other);
	if (!err && !other.epoch)
		rmdir(other.dir);
	return err;
}

static int settle_all(struct change *change)
{
	const char **names;
	size_t count;
	int err = policy_names(change->root, true, change->d->arena, &names, &count);

	if (err)
		return pins_unreadable(change->root, err, change->d);
	for (size_t i = 0; i < count && !err; i++)
		if (!str_equal(names[i], change->policy))
			err = settle(change, names[i]);
	return err;
}

static int check_policies(struct change *change)
{
	const char **names;
	size_t count;
	int err = settle_all(change);

	if (err)
		return err;
	err = policy_names(change->root, false, change->d->arena, &names, &count);

	if (err)
		return pins_unreadable(change->root, err, change->d);
	for (size_t i = 0; i < count && !err; i++)
		if (!str_equal(names[i], change->policy))
			err = check_other(change, names[i]);
	return err;
}

/* ---------------------------------------------------------------- other pin roots */

/* Whether it is the program that this policy has on the hook already. */
static int is_own(const struct change *change, const struct hook_ref *ref, uint32_t program,
		  bool *out)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	int err = 0;

	*out = false;
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		struct hook_ref own = {.point = &old[i], .dir = change->running.dir};
		size_t count;

		if (!old[i].used || !attach_same_place(&old[i], ref->point))
			continue;
		count = attach_hooks(&old[i], hooks);
		for (size_t j = 0; j < count && !err && !*out; j++) {
			uint32_t runs = 0;

			if (hooks[j].attach_type != ref->hook->attach_type)
				continue;
			own.hook = &hooks[j];
			err = hook_program_id(&own, &runs);
			*out = !err && runs == program;
		}
	}
	return err;
}

static int attach_unknown(const struct change *change, const struct fr_hook_record *point, int err)
{
	return diag_error(change->d, NO_LOC, err, "attach", NULL,
			  "cannot find out what is attached to %s: %s", point->name,
			  error_text(err));
}

static int check_hook(struct change *change, const struct hook_ref *ref)
{
	struct arena *arena = change->d->arena;
	uint32_t *programs;
	size_t count = 0;
	bool own;
	int err = hook_flowreeve_programs(ref, arena, &programs, &count);

	for (size_t i = 0; i < count && !err; i++) {
		err = is_own(change, ref, programs[i], &own);
		if (err || own)
			continue;
		return diag_error(
			change->d, NO_LOC, -EBUSY, "attach-taken",
			"flowreeve detach --pin-root DIR, with the directory that it was applied with",
			"%s %s belongs to a policy that is not pinned below %s: %s runs there",
			kind_of(ref->point), ref->point->name, change->root,
			program_words(arena, programs[i]));
	}
	return err ? attach_unknown(change, ref->point, err) : 0;
}

static int check_strangers(struct change *change)
{
	int err = 0;

	for (size_t i = 0; i < change->point_count && !err; i++) {
		const struct planned_point *point = &change->points[i];
		struct hook_program hooks[HOOK_PROGRAMS_MAX];
		size_t count = attach_hooks(&point->record, hooks);

		if (point->stays || attach_is_extra(&point->record))
			continue; /* each policy has its own */
		for (size_t j = 0; j < count && !err; j++)
			err = check_hook(change, &(struct hook_ref){.point = &point->record,
								    .hook = &hooks[j],
								    .path = point->path});
	}
	return err;
}

int conflicts_check(struct change *change)
{
	int err = check_policies(change);

	return err ? err : check_strangers(change);
}

/* ---------------------------------------------------------------- the front */

/* The first program that runs before ours on a hook of a device, or NULL. */
static const char *preempted_by(const struct change *change, const struct planned_point *point,
				bool *passable)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(&point->record, hooks);
	const char *first = NULL;

	*passable = true;
	for (size_t i = 0; i < count && point->record.kind != FR_KIND_CGROUP; i++) {
		struct hook_chain chain;
		struct hook_ref ref = {.point = &point->record,
				       .hook = &hooks[i],
				       .dir = change->running.dir,
				       .path = point->path};

		/* A hook that cannot be read is not reported; our program stays in place. */
		if (hook_program_id(&ref, &ref.program))
			return NULL;
		hook_chain_read(&ref, change->d->arena, &chain);
		*passable &= chain.passable;
		first = first ? first : chain.preempted_by;
	}
	return first;
}

bool conflict_lost_front(const struct change *change, const struct planned_point *point)
{
	bool passable;

	return preempted_by(change, point, &passable) && passable;
}

void conflicts_warn(const struct change *change)
{
	for (size_t i = 0; i < change->point_count; i++) {
		const struct planned_point *point = &change->points[i];
		bool passable;
		const char *program = preempted_by(change, point, &passable);

		if (program)
			diag_warning(change->d, NO_LOC, "not-first",
				     "move it behind the policy, or remove it",
				     "%s runs before the policy at %s and may take packets that "
				     "the policy never sees",
				     program, point->record.name);
	}
}
