/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the protection in force that a change would lower: the mode, attach points, deny rules,
 * defaults. Refuses all of it in one run unless the command allows it. Reads the policy in force
 * from the kernel: the image, the records of rules and of attach points. The mode matters only for
 * its own check: otherwise two changes could lower together what one may not.
 */
#include "lowering.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "damage.h"
#include "state.h"

/* A device that the policy's own name no longer matches: reported, needs no permission. */
static const char attach_followed[] = "attach-followed";

static void add(struct change *change, const char *check, const char *what)
{
	struct lowering_list *list = &change->lowered;

	list->list = arena_grow(change->d->arena, list->list, list->count, &list->capacity,
				sizeof(*list->list));
	list->list[list->count++] = (struct lowering){check, what};
}

/* ---------------------------------------------------------------- mode */

static void compare_mode(struct change *change)
{
	if (image_head(&change->live)->flags & FR_F_ENFORCE && !change->request->ruleset->enforce)
		add(change, "mode-lowered", "the mode changes from enforce to audit");
}

/* ---------------------------------------------------------------- attach points */

static bool stays_attached(const struct change *change, const struct fr_hook_record *old)
{
	for (size_t i = 0; i < change->point_count; i++) {
		const struct fr_hook_record *new = &change->points[i].record;

		if (new->kind == old->kind && attach_same_place(new, old))
			return true;
	}
	return false;
}

/* A pattern matches a bridge and its port: the port is left out, because the bridge judges. */
static bool left_to_master(const struct change *change, const struct interfaces *all,
			   const struct fr_hook_record *old)
{
	const struct ruleset *rs = change->request->ruleset;
	const struct interface *port = interface_at(all, old->ifindex);
	struct fr_hook_record master = {.kind = FR_KIND_INTERFACE, .netns = old->netns};
	bool asked = false;

	if (old->kind != FR_KIND_INTERFACE || !port ||
	    !interface_is_port(all->list, all->count, port))
		return false;
	for (size_t i = 0; i < rs->attach_count; i++)
		asked |= rs->attach[i].kind == FR_KIND_INTERFACE &&
			 name_is_pattern(rs->attach[i].name) &&
			 interface_fits(port, rs->attach[i].name);
	master.ifindex = port->master;
	return asked && stays_attached(change, &master);
}

/* The plain name by which the policy in force asks for a device, or NULL. */
static const char *asked_by_name(const struct change *change, const struct fr_hook_record *old)
{
	const struct fr_request_record *requests = change->old_requests.list;

	if (old->kind == FR_KIND_CGROUP || old->request >= change->old_requests.count ||
	    name_is_pattern(requests[old->request].name))
		return NULL;
	return requests[old->request].name;
}

/* The device that has this name now: the policy selects the device by its name. */
static const struct fr_hook_record *heir(const struct change *change,
					 const struct fr_hook_record *old)
{
	const char *name = asked_by_name(change, old);

	for (size_t i = 0; i < change->point_count && name; i++) {
		const struct fr_hook_record *new = &change->points[i].record;

		if (new->kind == old->kind &&new->netns ==
			    old->netns &&new->request < change->request->ruleset->attach_count &&
		    str_equal(change->request->ruleset->attach[new->request].name, name))
			return new;
	}
	return NULL;
}

/* The devices of a namespace. -ESRCH: it is gone. */
static int devices_of(const struct change *change, uint64_t netns, struct interfaces *out)
{
	struct diags ignored = {.arena = change->d->arena};

	return interfaces_of(netns, change->d->arena, &ignored, &out->list, &out->count);
}

/* 1 when the cgroup exists, 0 when it is gone or another one has its path, or -errno. */
static int cgroup_exists(const struct change *change, const struct fr_hook_record *old)
{
	const struct host_options here = {0};
	struct arena *arena = change->d->arena;
	struct host_options host = words_host(change->old_state.list, &here, arena);
	const char *root = host.cgroup ? host.cgroup : cgroup2_find(&here, arena);
	struct stat status;

	if (!root)
		return -ENOENT;
	if (stat(arena_printf(arena, "%s%s", root, old->name), &status))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return status.st_ino == old->cgroup;
}

/* Whether the point is still attached: 1, 0, or -errno. A link moves with its device to another
 * namespace. If a link was removed, its device or cgroup remains, and the policy must judge it. */
static int still_there(const struct change *change, const struct interfaces *all,
		       const struct fr_hook_record *old)
{
	size_t alive;
	int err = attach_alive_hooks(change->running.dir, old, &alive);

	if (err || alive)
		return err ? err : 1;
	if (old->kind == FR_KIND_CGROUP)
		return cgroup_exists(change, old);
	return interface_at(all, old->ifindex) != NULL;
}

static const char *attach_words(const struct change *change, const struct interfaces *all,
				const struct fr_hook_record *old)
{
	struct arena *arena = change->d->arena;
	const char *kind = kind_name(old->kind);
	const struct interface *now = interface_at(all, old->ifindex);

	if (old->kind == FR_KIND_CGROUP || (now && str_equal(now->name, old->name)))
		return arena_printf(arena, "%s %s", kind, old->name);
	if (!now)
		return arena_printf(arena, "%s %s, which is now in another network namespace,",
				    kind, old->name);
	return arena_printf(arena, "%s %s, which was %s when it was applied,", kind, now->name,
			    old->name);
}

static void lose(struct change *change, const struct interfaces *all,
		 const struct fr_hook_record *old)
{
	const struct fr_hook_record *follows = heir(change, old);
	const char *words = attach_words(change, all, old), *name = asked_by_name(change, old);
	struct arena *arena = change->d->arena;

	if (follows)
		add(change, attach_followed,
		    arena_printf(arena, "%s is no longer attached: %s is %s now", words, name,
				 str_equal(follows->name, name) ? "another device"
								: follows->name));
	else
		add(change, "attach-removed",
		    arena_printf(arena, "%s is no longer attached", words));
}

/* Hooks in addition to the interfaces are attached and removed with these. */
static int compare_attach_point(struct change *change, const struct fr_hook_record *old)
{
	struct interfaces all = {0};
	int there = 0;

	if (!old->used || attach_is_extra(old) || stays_attached(change, old))
		return 0;
	if (old->kind != FR_KIND_CGROUP)
		there = devices_of(change, old->netns, &all);
	if (!there || there == -ESRCH)
		there = still_there(change, &all, old);
	if (there < 0)
		return diag_error(
			change->d, NO_LOC, there, "attach-unknown", NULL,
			"cannot find out whether %s %s, which is in force, still exists: %s",
			kind_name(old->kind), old->name, error_text(there));
	if (there && !left_to_master(change, &all, old))
		lose(change, &all, old);
	return 0;
}

static int compare_attach_points(struct change *change)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	int err = 0;

	for (uint32_t i = 0; i < change->old_hooks.count && !err; i++)
		err = compare_attach_point(change, &old[i]);
	return err;
}

/* ---------------------------------------------------------------- rules */

/* The counter slot of a rule in force, and its record: a rule keeps its slot by id and direction.
 * False when the image has an invalid slot. */
static bool live_slot(const struct change *change, uint32_t rule, uint32_t *out)
{
	const struct fr_image_head *head = image_head(&change->live);
	uint64_t line = head->slots + rule / FR_LINE_WORDS;
	const uint32_t *slots = (const void *)((const char *)change->live.lines +
					       (uint64_t)head->slots * FR_LINE_BYTES);

	if (line >= change->live.line_count || FR_SLOT(slots[rule]) >= change->old_rules.count)
		return false;
	*out = FR_SLOT(slots[rule]);
	return true;
}

/* The change to a rule in force, or NULL when it is still a deny rule. */
static const char *rule_fate(const struct change *change, uint32_t slot)
{
	const struct fr_rule_record *old = change->old_rules.list;
	const struct fr_rule_record *was = &old[slot];
	struct fr_rule_record is;

	slot_record(&change->slots, slot, &is);
	if (is.used != SLOT_USED || !str_equal(was->id, is.id) || was->dir != is.dir)
		return "is no longer in the policy";
	if (is.action != FR_DENY)
		return "is now an allow rule";
	return is.flags & FR_RULE_STAGED ? "is now staged (mode: audit) and refuses nothing" : NULL;
}

static bool was_deny(const struct fr_rule_record *record)
{
	return record->used && record->action == FR_DENY && !(record->flags & FR_RULE_STAGED);
}

static void compare_rule(struct change *change, uint32_t slot)
{
	const struct fr_rule_record *was =
		(const struct fr_rule_record *)change->old_rules.list + slot;
	const char *fate = was_deny(was) ? rule_fate(change, slot) : NULL;

	if (fate)
		add(change, "deny-removed",
		    arena_printf(change->d->arena, "deny rule %s (%s) %s", was->id,
				 dir_name(was->dir), fate));
}

static void compare_default(struct change *change, uint8_t dir, uint32_t slot)
{
	const struct fr_rule_record *was =
		(const struct fr_rule_record *)change->old_rules.list + slot;

	if (was_deny(was) && change->request->ruleset->default_allow[dir])
		add(change, "default-lowered",
		    arena_printf(change->d->arena, "the default of %s changes from deny to allow",
				 dir_name(dir)));
}

/* A deny rule that remains, but refuses less. */
static void on_lost_denial(uint32_t rule, const struct tuple *tuple, void *context)
{
	struct change *change = context;
	const struct fr_rule_record *old = change->old_rules.list;
	uint32_t slot;
	struct service service = service_one(tuple->proto, tuple->port);
	char peer[ADDR_TEXT], asked[SERVICE_TEXT];

	if (!live_slot(change, rule, &slot) || rule_fate(change, slot))
		return;
	add(change, "deny-narrowed",
	    arena_printf(change->d->arena,
			 "deny rule %s (%s) no longer refuses all that it did: %s %s", old[slot].id,
			 dir_name(tuple->dir), addr_text(&tuple->peer, peer),
			 service_text(&service, asked)));
}

static int compare_rules(struct change *change)
{
	const struct fr_rule_record *old = change->old_rules.list;

	for (uint32_t rule = 0; rule < change->live.rule_count; rule++) {
		uint32_t slot;

		if (!live_slot(change, rule, &slot))
			return policy_broken(change->root, change->policy, -EIO, change->d);
		if (rule < FR_DIRS)
			compare_default(change, (uint8_t)rule, slot);
		if (rule < FR_RULE_FIRST)
			continue;
		compare_rule(change, slot);
		change->denies |= was_deny(&old[slot]);
	}
	if (change->denies)
		image_lost_denials(&change->live, change->request->image, on_lost_denial, change);
	return 0;
}

/* ---------------------------------------------------------------- judged traffic */

static void compare_flags(struct change *change)
{
	static const struct {
		uint32_t flag, kinds;
		const char *what;
	} flags[] = {
		{FR_F_FORWARD_JUDGE, 1 << FR_KIND_INTERFACE,
		 "forwarded packets are no longer judged"},
		{FR_F_IPSEC_JUDGE, 1 << FR_KIND_INTERFACE | 1 << FR_KIND_GUEST,
		 "decrypted IPsec packets are no longer judged"},
		{FR_F_NONIP_DENY_IF, 1 << FR_KIND_INTERFACE,
		 "non-ip changes from deny to allow on interfaces"},
		{FR_F_NONIP_DENY_GUEST, 1 << FR_KIND_GUEST,
		 "non-ip changes from deny to allow on guests"},
	};
	const struct fr_hook_record *old = change->old_hooks.list;
	uint32_t was = image_head(&change->live)->flags, kinds = 0;
	uint32_t is = image_head(change->request->image)->flags;

	for (uint32_t i = 0; i < change->old_hooks.count; i++)
		kinds |= old[i].used ? 1u << old[i].kind : 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (kinds & flags[i].kinds && was & ~is & flags[i].flag)
			add(change, "default-lowered", flags[i].what);
	if (change->denies && kinds & 1 << FR_KIND_CGROUP && is & ~was & FR_F_LOOPBACK)
		add(change, "default-lowered",
		    "no deny rule refuses loopback traffic any more: builtin loopback is on");
}

/* ---------------------------------------------------------------- options of the command */

static bool is_mode(const struct lowering *lowering)
{
	return str_equal(lowering->check, "mode-lowered");
}

static bool is_allowed(const struct change *change, const struct lowering *lowering)
{
	if (lowering->check == attach_followed)
		return true;
	return is_mode(lowering) ? change->request->mode_given : change->request->allow_removal;
}

/* The same command with options that let it pass: the mode in force, and --allow-removal. */
static const char *passing_command(const struct change *change)
{
	const struct apply_request *request = change->request;
	struct command_line line = {.verb = "apply",
				    .allow_removal = request->allow_removal,
				    .pin_root = change->root,
				    .more = request->words,
				    .more_count = request->word_count,
				    .operand = request->source};

	if (request->mode_given)
		line.mode = mode_name(request->ruleset->enforce);
	for (size_t i = 0; i < change->lowered.count; i++) {
		const struct lowering *lowering = &change->lowered.list[i];

		if (is_mode(lowering))
			line.mode = line.mode ?: mode_name(true);
		else
			line.allow_removal |= !is_allowed(change, lowering);
	}
	return command_text(change->d->arena, &line);
}

static void refuse(struct change *change, const struct lowering *lowering, const char *hint)
{
	diag_error(change->d, NO_LOC, -ECANCELED, lowering->check, hint,
		   "this would weaken policy %s: %s (%s allows it)", change->policy, lowering->what,
		   is_mode(lowering) ? "--mode audit" : "--allow-removal");
}

/* Report every refusal; the first carries the command. */
static int refuse_unless_allowed(struct change *change)
{
	int err = 0;

	for (size_t i = 0; i < change->lowered.count; i++) {
		const struct lowering *lowering = &change->lowered.list[i];

		if (is_allowed(change, lowering))
			continue;
		refuse(change, lowering, err ? NULL : passing_command(change));
		err = -ECANCELED;
	}
	return err;
}

int lowering_check(struct change *change)
{
	int err;

	if (!change->running.epoch)
		return 0;
	compare_mode(change);
	err = compare_attach_points(change);
	if (err)
		return err;
	err = compare_rules(change);
	if (err)
		return err;
	compare_flags(change);
	return refuse_unless_allowed(change);
}
