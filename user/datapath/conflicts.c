/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has the attach points that a policy asks for: another policy of this pin root, which can be
 * named, or flowreeve itself from another pin root, of which only the programs are known. An attach
 * point belongs to one policy.
 */
#include "conflicts.h"

#include <errno.h>

#include "damage.h"

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
		for (size_t j = 0; hooks[i].used && j < change->hook_count && !*out && !err; j++) {
			if (hooks[i].how == HOW_NETNS ||
			    !hook_same_place(&hooks[i], &change->hooks[j].record))
				continue;
			err = hook_alive(other->dir, &hooks[i], &alive);
			*out = alive ? &change->hooks[j].record : NULL;
		}
	return err;
}

static int check_other(struct change *change, const char *name)
{
	struct running other = {0};
	struct records records = {0};
	const struct fr_hook_record *taken = NULL;
	int err = running_find(change->root, name, &other);

	if (!err && other.epoch)
		err = records_open(other.pins, "hooks", other.generation, &records);
	if (!err)
		err = find_taken(change, &other, &records, &taken);
	records_unmap(&records);
	if (err)
		return policy_broken(change->root, name, err, change->d);
	if (!taken)
		return 0;
	return diag_error(change->d, NO_LOC, -EBUSY, "attach-taken",
			  arena_printf(change->d->arena,
				       "name it in one of the two; %s takes all of %s off",
				       command_text(change->d->arena,
						    &(struct command_line){.verb = "detach",
									   .pin_root = change->root,
									   .operand = name}),
				       name),
			  "%s %s belongs to the applied policy %s, and to one policy only",
			  kind_of(taken), taken->name, name);
}

static int check_policies(struct change *change)
{
	const char **names;
	size_t count;
	int err = policy_names(change->root, false, change->d->arena, &names, &count);

	if (err)
		return pins_unreadable(change->root, err, change->d);
	for (size_t i = 0; i < count && !err; i++)
		if (!str_equal(names[i], change->policy))
			err = check_other(change, names[i]);
	return err;
}

/* ---------------------------------------------------------------- other pin roots */

/* Is it the program of a hook that this policy has there already? */
static int is_own(const struct change *change, const struct place *place, uint32_t program,
		  bool *out)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	struct hook_program sites[SITES_MAX];
	int err = 0;

	*out = false;
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		size_t count;

		if (!old[i].used || !hook_same_place(&old[i], place->hook))
			continue;
		count = hook_sites(&old[i], sites);
		for (size_t j = 0; j < count && !err && !*out; j++) {
			uint32_t runs = 0;

			if (sites[j].attach_type != place->site->attach_type)
				continue;
			err = site_program(change->running.dir, &old[i], &sites[j], &runs);
			*out = !err && runs == program;
		}
	}
	return err;
}

static int check_site(struct change *change, const struct planned_hook *hook,
		      const struct hook_program *site)
{
	struct arena *arena = change->d->arena;
	struct place place = {&hook->record, site, hook->path, 0};
	uint32_t *programs;
	size_t count = 0;
	bool own = true;
	int err = hook_flowreeve(&place, arena, &programs, &count);

	for (size_t i = 0; i < count && !err; i++) {
		err = is_own(change, &place, programs[i], &own);
		if (!own && !err)
			return diag_error(
				change->d, NO_LOC, -EBUSY, "attach-taken",
				"flowreeve detach --pin-root DIR, with the directory that it was "
				"applied with",
				"%s %s belongs to a policy that is not pinned below %s: %s runs there",
				kind_of(&hook->record), hook->record.name, change->root,
				program_words(arena, programs[i]));
	}
	if (err)
		return diag_error(change->d, NO_LOC, err, "attach", NULL,
				  "it cannot be told what is attached to %s: %s", hook->record.name,
				  error_text(err));
	return 0;
}

static int check_strangers(struct change *change)
{
	int err = 0;

	for (size_t i = 0; i < change->hook_count && !err; i++) {
		const struct planned_hook *hook = &change->hooks[i];
		struct hook_program sites[SITES_MAX];
		size_t count = hook_sites(&hook->record, sites);

		if (hook->fate != HOOK_JOINS || hook->record.how == HOW_NETNS)
			continue; /* each policy has its own in a namespace */
		for (size_t j = 0; j < count && !err; j++)
			err = check_site(change, hook, &sites[j]);
	}
	return err;
}

int conflicts_check(struct change *change)
{
	int err = check_policies(change);

	return err ? err : check_strangers(change);
}

/* ---------------------------------------------------------------- the front */

static const char *behind(const struct change *change, const struct planned_hook *hook,
			  bool *passable)
{
	const char *dir = change->running.dir;
	struct hook_program sites[SITES_MAX];
	size_t count = hook_sites(&hook->record, sites);
	const char *first = NULL;

	*passable = true;
	for (size_t i = 0; i < count && hook->record.kind != FR_KIND_CGROUP; i++) {
		struct company company;
		struct place place = {&hook->record, &sites[i], hook->path, 0};

		/* Of what cannot be told nothing is said, and it stays where it is. */
		if (site_program(dir, &hook->record, &sites[i], &place.program))
			return NULL;
		hook_company(&place, change->d->arena, &company);
		*passable &= company.passable;
		first = first ? first : company.behind;
	}
	return first;
}

bool conflict_lost_front(const struct change *change, const struct planned_hook *hook)
{
	bool passable;

	return behind(change, hook, &passable) && passable;
}

void conflicts_warn(const struct change *change)
{
	for (size_t i = 0; i < change->hook_count; i++) {
		const struct planned_hook *hook = &change->hooks[i];
		bool passable;
		const char *who = behind(change, hook, &passable);

		if (who)
			diag_warning(change->d, NO_LOC, "not-first",
				     "give it a later place, or remove it",
				     "%s stands before the policy at %s and may take packets that "
				     "the policy never sees",
				     who, hook->record.name);
	}
}
