/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change would lower of the protection in force: the mode, attach points, deny rules,
 * defaults. All of it is refused in one run, unless the command says so. What is in force is read
 * from the kernel: the image, the records of rules and of attach points. The mode of a policy does
 * not matter here but for itself: else two changes would lower what one may not.
 */
#include "change.h"

#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

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
		add(change, "mode-lowered", "the mode goes from enforce to audit");
}

/* ---------------------------------------------------------------- attach points */

static const char *kind_text(uint8_t kind)
{
	static const char *const words[] = {[FR_KIND_INTERFACE] = "interface",
					    [FR_KIND_GUEST] = "guest",
					    [FR_KIND_CGROUP] = "cgroup"};

	return kind < ARRAY_SIZE(words) ? words[kind] : "attach point";
}

/* The same place in the same part; or the name that the policy gave, which another device has by
 * now: it is the policy that says which one is meant. */
static bool stays_attached(const struct change *change, const struct fr_hook_record *old)
{
	for (size_t i = 0; i < change->hook_count; i++) {
		const struct fr_hook_record *new = &change->hooks[i].record;

		if (new->kind != old->kind || new->netns != old->netns)
			continue;
		if (hook_same_place(new, old) || str_equal(new->name, old->name))
			return true;
	}
	return false;
}

/* The device's name of today. 1 and the name, 0 when it is gone, or -errno. */
static int device_name(const struct fr_hook_record *hook, char name[IF_NAMESIZE])
{
	int back = -1, err = netns_enter(hook->netns, &back), found = 0;

	if (err)
		return err == -ESRCH ? 0 : err;
	errno = 0;
	if (if_indextoname(hook->ifindex, name))
		found = 1;
	else if (errno != ENXIO && errno != ENODEV)
		found = -errno;
	netns_leave(&back);
	return found;
}

/* 1 when the cgroup is there, 0 when it is gone or another one has its path, or -errno. */
static int cgroup_exists(const struct change *change, const struct fr_hook_record *hook)
{
	struct arena *arena = change->d->arena;
	const char *root = cgroup2_find(&change->request->host, arena);
	struct stat status;

	if (!root)
		return -ENOENT;
	if (stat(arena_printf(arena, "%s%s", root, hook->name), &status))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return status.st_ino == hook->cgroup;
}

static const char *attach_words(struct arena *arena, const struct fr_hook_record *hook,
				const char *today)
{
	if (!*today || str_equal(today, hook->name))
		return arena_printf(arena, "%s %s", kind_text(hook->kind), hook->name);
	return arena_printf(arena, "%s %s, which was %s when it was applied,", kind_text(hook->kind),
			    today, hook->name);
}

static int compare_attach_point(struct change *change, const struct fr_hook_record *hook)
{
	struct arena *arena = change->d->arena;
	char today[IF_NAMESIZE] = "";
	int there;

	if (!hook->used || stays_attached(change, hook))
		return 0;
	there = hook->kind == FR_KIND_CGROUP ? cgroup_exists(change, hook)
					     : device_name(hook, today);
	if (there < 0)
		return diag_error(change->d, NO_LOC, there, "attach-unknown", NULL,
				  "cannot tell whether %s %s, which is in force, still exists: %s",
				  kind_text(hook->kind), hook->name, error_text(there));
	if (there)
		add(change, "attach-removed",
		    arena_printf(arena, "%s is no longer attached",
				 attach_words(arena, hook, today)));
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

static const char *dir_word(uint8_t dir)
{
	return dir == FR_EGRESS ? "egress" : "ingress";
}

/* The counter slot of a rule in force, and with it its record: a rule keeps its slot by id and
 * direction. NULL when the image names a slot that is none. */
static const uint32_t *live_slot(const struct change *change, uint32_t rule)
{
	const struct fr_image_head *head = image_head(&change->live);
	uint64_t line = head->slots + rule / FR_LINE_WORDS;
	const uint32_t *slots = (const void *)((const char *)change->live.lines +
					       (uint64_t)head->slots * FR_LINE_BYTES);

	if (line >= change->live.line_count || slots[rule] >= change->old_rules.count)
		return NULL;
	return &slots[rule];
}

/* What becomes of a rule in force, or NULL when it is a deny rule still. */
static const char *rule_fate(const struct change *change, uint32_t slot)
{
	const struct fr_rule_record *old = change->old_rules.list;
	const struct fr_rule_record *was = &old[slot], *is = &change->slots.records[slot];

	if (is->used != 1 || !str_equal(was->id, is->id) || was->dir != is->dir)
		return "is not in the policy any more";
	if (is->action != FR_DENY)
		return "allows now";
	return is->staged ? "is staged now (mode: audit), and refuses nothing" : NULL;
}

static bool was_deny(const struct fr_rule_record *record)
{
	return record->used && record->action == FR_DENY && !record->staged;
}

static void compare_rule(struct change *change, uint32_t slot)
{
	const struct fr_rule_record *was =
		(const struct fr_rule_record *)change->old_rules.list + slot;
	const char *fate = was_deny(was) ? rule_fate(change, slot) : NULL;

	if (fate)
		add(change, "deny-removed",
		    arena_printf(change->d->arena, "deny rule %s (%s) %s", was->id,
				 dir_word(was->dir), fate));
}

static void compare_default(struct change *change, uint8_t dir, uint32_t slot)
{
	const struct fr_rule_record *was =
		(const struct fr_rule_record *)change->old_rules.list + slot;

	if (was_deny(was) && change->request->ruleset->default_allow[dir])
		add(change, "default-lowered",
		    arena_printf(change->d->arena, "the default of %s goes from deny to allow",
				 dir_word(dir)));
}

/* A deny rule that is still there, and leaves out something that is admitted now. */
static void on_lost_denial(uint32_t rule, const struct tuple *tuple, void *context)
{
	struct change *change = context;
	const struct fr_rule_record *old = change->old_rules.list;
	const uint32_t *slot = live_slot(change, rule);
	struct service service = service_one(tuple->proto, tuple->port);
	char peer[ADDR_TEXT], asked[SERVICE_TEXT];

	if (!slot || rule_fate(change, *slot))
		return;
	add(change, "deny-narrowed",
	    arena_printf(change->d->arena,
			 "deny rule %s (%s) no longer keeps out what it refused: %s %s is admitted",
			 old[*slot].id, dir_word(tuple->dir), addr_text(&tuple->peer, peer),
			 service_text(&service, asked)));
}

static int compare_rules(struct change *change)
{
	const struct fr_rule_record *old = change->old_rules.list;
	bool denies = false;

	for (uint32_t rule = 0; rule < change->live.rule_count; rule++) {
		const uint32_t *slot = live_slot(change, rule);

		if (!slot)
			return policy_broken(change->root, change->policy, -EIO, change->d);
		if (rule < FR_DIRS)
			compare_default(change, (uint8_t)rule, *slot);
		if (rule < FR_RULE_FIRST)
			continue;
		compare_rule(change, *slot);
		denies |= was_deny(&old[*slot]);
	}
	if (denies)
		image_lost_denials(&change->live, change->request->image, on_lost_denial, change);
	return 0;
}

/* ---------------------------------------------------------------- what is judged at all */

static void compare_flags(struct change *change)
{
	static const struct {
		uint32_t flag, kinds;
		const char *what;
	} flags[] = {
		{FR_F_FORWARD_JUDGE, 1 << FR_KIND_INTERFACE,
		 "what this host forwards is no longer judged"},
		{FR_F_IPSEC_JUDGE, 1 << FR_KIND_INTERFACE | 1 << FR_KIND_GUEST,
		 "what comes out of IPsec is no longer judged"},
		{FR_F_NONIP_DENY_IF, 1 << FR_KIND_INTERFACE,
		 "non-ip goes from deny to allow on interfaces"},
		{FR_F_NONIP_DENY_GUEST, 1 << FR_KIND_GUEST,
		 "non-ip goes from deny to allow on guests"},
	};
	const struct fr_hook_record *old = change->old_hooks.list;
	uint32_t was = image_head(&change->live)->flags, kinds = 0;
	uint32_t is = image_head(change->request->image)->flags;

	for (uint32_t i = 0; i < change->old_hooks.count; i++)
		kinds |= old[i].used ? 1u << old[i].kind : 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (kinds & flags[i].kinds && was & ~is & flags[i].flag)
			add(change, "default-lowered", flags[i].what);
}

/* ---------------------------------------------------------------- what the command says */

static bool is_mode(const struct lowering *lowering)
{
	return str_equal(lowering->check, "mode-lowered");
}

static bool is_allowed(const struct change *change, const struct lowering *lowering)
{
	return is_mode(lowering) ? change->request->mode_given : change->request->allow_removal;
}

/* The command once more, so that it passes: with the mode in force, and saying what may go. */
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
		line.mode = request->ruleset->enforce ? "enforce" : "audit";
	for (size_t i = 0; i < change->lowered.count; i++) {
		if (is_mode(&change->lowered.list[i]))
			line.mode = line.mode ? line.mode : "enforce";
		else
			line.allow_removal = true;
	}
	return command_text(change->d->arena, &line);
}

static void refuse(struct change *change, const struct lowering *lowering, const char *hint)
{
	diag_error(change->d, NO_LOC, -ECANCELED, lowering->check, hint,
		   "this would lower what policy %s protects: %s (%s allows it)", change->policy,
		   lowering->what, is_mode(lowering) ? "--mode audit" : "--allow-removal");
}

/* All that is refused is named; the first carries the command. */
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
	if (!err)
		err = compare_rules(change);
	if (err)
		return err;
	compare_flags(change);
	return refuse_unless_allowed(change);
}
