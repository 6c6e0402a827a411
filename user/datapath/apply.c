/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Apply: plan, prepare, flip, reconcile. Everything of the new generation is in the kernel and
 * pinned before one store to slot 0 of fr_images puts it in force. A failure or a kill before that
 * store leaves the old policy, after it the new one; the next reconciliation removes the
 * leftovers.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge_ports.h"
#include "carry.h"
#include "change.h"
#include "conflicts.h"
#include "damage.h"
#include "epoch.h"
#include "pending.h"
#include "plan.h"
#include "reconcile.h"
#include "state.h"
#include "upgrade.h"

/* ---------------------------------------------------------------- the records of the generation */

static void fill_state(const struct change *change, struct fr_state *state, uint64_t netns)
{
	const struct fr_state *old = change->old_state.list;

	state->abi = FR_ABI_VERSION;
	state->hooks = (uint32_t)change->point_count;
	state->netns = netns;
	state->applied = real_now();
	state->zeroed = old ? old->zeroed : state->applied;
	snprintf(state->policy, sizeof(state->policy), "%s", change->policy);
	snprintf(state->build, sizeof(state->build), "%s", change->build);
	memcpy(state->source, change->command.source, sizeof(state->source));
	memcpy(state->words, change->command.words, sizeof(state->words));
}

static struct fr_request_record request_of(const struct attach_point *point)
{
	struct fr_request_record record = {.used = 1, .kind = point->kind};

	snprintf(record.name, sizeof(record.name), "%s", point->name);
	return record;
}

static bool same_requests(const struct change *change)
{
	const struct ruleset *rs = change->request->ruleset;
	const struct fr_request_record *old = change->old_requests.list;

	if (change->old_requests.count != rs->attach_count)
		return false;
	for (size_t i = 0; i < rs->attach_count; i++) {
		struct fr_request_record wanted = request_of(&rs->attach[i]);

		if (memcmp(&old[i], &wanted, sizeof(wanted)) != 0)
			return false;
	}
	return true;
}

/* No rule record changed: the records of the generation in force serve the new one. */
static int keep_rules(const struct change *change)
{
	CLEANUP(close_fd)
	int fd = pin_open_number(change->running.pins, "rules", change->running.generation);
	int err = fd < 0 ? fd : pin_store_number(fd, change->pins, "rules", change->generation);

	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot keep the records of the policy: %s", error_text(err));
	return 0;
}

static int make_rules(struct change *change)
{
	int err;

	if (change->same_shape && change->slots.same)
		return keep_rules(change);
	err = change_record(change, "rules", sizeof(struct fr_rule_record), change->slots.count,
			    &change->rules);
	for (uint32_t slot = 0; slot < change->slots.count && !err; slot++)
		slot_record(&change->slots, slot,
			    (struct fr_rule_record *)change->rules.list + slot);
	return err;
}

static int make_records(struct change *change)
{
	const struct ruleset *rs = change->request->ruleset;
	struct fr_request_record *requests;
	struct fr_hook_record *hooks;
	uint64_t netns;
	int err = host_netns(&netns);

	if (err)
		return diag_error(change->d, NO_LOC, err, "namespace", NULL,
				  "cannot read the network namespace: %s", error_text(err));
	err = change_record(change, "state", sizeof(struct fr_state), 1, &change->state);
	if (err)
		return err;
	err = change_record(change, "hooks", sizeof(*hooks), (uint32_t)change->point_count,
			    &change->new_hooks);
	if (err)
		return err;
	err = make_rules(change);
	if (err)
		return err;
	err = change_record(change, "requests", sizeof(*requests), (uint32_t)rs->attach_count,
			    &change->requests);
	if (err)
		return err;
	requests = change->requests.list;
	for (size_t i = 0; i < rs->attach_count; i++)
		requests[i] = request_of(&rs->attach[i]);
	fill_state(change, change->state.list, netns);
	hooks = change->new_hooks.list;
	for (size_t i = 0; i < change->point_count; i++)
		hooks[i] = change->points[i].record;
	return 0;
}

/* ---------------------------------------------------------------- the image */

/* 1: both epochs use the same map. */
static int flows_go_on(const struct change *change)
{
	CLEANUP(close_fd) int old = -1;
	CLEANUP(close_fd) int new = -1;
	uint32_t old_id, new_id;
	int err;

	if (!change->running.epoch || change->joining_count)
		return 0;
	old = pin_open(change->running.pins, map_names[MAP_FLOWS]);
	if (old < 0)
		return old == -ENOENT ? 0 : old;
	new = pin_open(change->pins, map_names[MAP_FLOWS]);
	err = new < 0 ? new : fd_map_id(old, &old_id);
	if (err)
		return err;
	err = fd_map_id(new, &new_id);
	if (err)
		return err;
	return old_id == new_id;
}

/* Flows are adopted for a while after a new flow table is attached; a mere change of rules does not
 * restart that time. */
static int adopt_until(const struct change *change, uint64_t *out)
{
	CLEANUP(close_fd) int program = program_open(change->pins, PROG_STEADY, PROGRAM_CLOCK);
	struct clock_pair clock;
	int go_on = flows_go_on(change), err;

	if (go_on < 0)
		return pins_unreadable(change->pins, go_on, change->d);
	if (go_on) {
		*out = image_conf(&change->live)->adopt_until;
		return 0;
	}
	err = program < 0 ? program : clock_run(program, &clock);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "the clock program does not run: %s", error_text(err));
	*out = clock.jiffies +
	       (uint64_t)change->request->ruleset->timeout[FR_TIMEOUT_ADOPT] * clock.hz;
	return 0;
}

static int make_image(struct change *change)
{
	struct install install = {
		.image = change->request->image,
		.class_lines = change->live_class,
		.generation = change->generation,
		.extra_flags = change->extra_flags,
		.conntrack = change->conntrack,
		.slot = change->slots.slot,
		.subnets = change->subnets,
	};
	int err = adopt_until(change, &install.adopt_until);

	if (err)
		return err;
	change->image = image_install(&install, change->d);
	if (change->image < 0)
		return change->image;
	err = change_failsafe(change, &change->request->image->failsafe);
	if (err)
		return err;
	err = pin_store_number(change->image, change->pins, "image", change->generation);
	if (err)
		return diag_error(change->d, NO_LOC, err, "pin-root", NULL,
				  "cannot pin below %s: %s", change->pins, error_text(err));
	return 0;
}

/* ---------------------------------------------------------------- the document */

static int make_document(const struct change *change)
{
	const struct packed *document = change->request->document;
	CLEANUP(close_fd) int fd = -1;
	int err;

	if (!document)
		return 0;
	fd = document_store(document, change->request->image->digest);
	if (fd == -EFBIG)
		return diag_error(change->d, NO_LOC, fd, "document-size",
				  "name long lists of addresses once, in 'prefixes'",
				  "the policy with everything it uses is larger than %d MB",
				  RESOLVED_BYTES_MAX >> 20);
	err = fd < 0 ? fd : pin_store_number(fd, change->pins, "document", change->generation);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot keep the document of the policy: %s", error_text(err));
	return 0;
}

static int document_same(const struct change *change, bool *out)
{
	const struct running *running = &change->running;
	CLEANUP(close_fd) int fd = -1;
	int err;

	*out = true;
	if (!change->request->document)
		return 0;
	fd = pin_open_number(running->pins, "document", running->generation);
	err = fd < 0 ? fd : document_is(fd, change->request->document, change->live.digest, out);
	if (!pins_damaged(err))
		return err;
	*out = false;
	return 0;
}

/* ---------------------------------------------------------------- the change */

/* Same file and options: a hint that repeats the command stays right. */
static bool same_command(const struct change *change)
{
	const struct fr_state *old = change->old_state.list;

	return !memcmp(old->source, change->command.source, sizeof(old->source)) &&
	       !memcmp(old->words, change->command.words, sizeof(old->words));
}

static bool subnets_same(const struct change *change)
{
	const struct fr_subnet *now = image_subnets(&change->live);

	return !now || !memcmp(now, change->subnets, sizeof(change->subnets));
}

static bool same_image(const struct change *change)
{
	const struct fr_image_head *live = change->live.lines;

	/* With a deadline, or past it, the same lines are in force in another way. */
	return !change->request->confirm && !change->request->until &&
	       !change->running.view.deadline && !change->running.audit && change->same_shape &&
	       change->slots.same && change->same_hooks && same_requests(change) &&
	       same_command(change) &&
	       !memcmp(change->live.digest, change->request->image->digest,
		       sizeof(change->live.digest)) &&
	       live->generation == change->running.generation &&
	       (live->flags & FR_F_HOST_FACTS) == change->extra_flags && ports_same(change) &&
	       subnets_same(change) &&
	       image_ident(&change->live)->conntrack == conntrack_jiffies(change->conntrack);
}

/* Whoever changed it in the kernel's memory has not changed the digest that it names. */
static int live_intact(const struct change *change, bool *out)
{
	int err = image_intact(&change->live, false, out);
	CLEANUP(close_fd) int map = -1;

	if (err == -ERANGE)
		*out = true;
	else if (err || !*out)
		return err;
	map = failsafe_open(change->running.pins);
	return map < 0 ? map : failsafe_intact(map, change->running.generation, out);
}

static int unchanged(const struct change *change, bool *out)
{
	int err;

	*out = false;
	if (!same_image(change))
		return 0;
	err = live_intact(change, out);
	if (!err && *out)
		err = document_same(change, out);
	return err ? pins_unreadable(change->running.pins, err, change->d) : 0;
}

static int carry_counters(const struct change *change)
{
	int err = counters_carry(change);

	if (err)
		return diag_error(change->d, NO_LOC, err, "counters", NULL,
				  "cannot carry over the counters: %s", error_text(err));
	return 0;
}

static void warn_incomplete(const struct change *change, int err)
{
	if (change->request->confirm)
		diag_warning(change->d, NO_LOC, "left-over", NULL,
			     "which connections are new will not be known to confirm "
			     "--new-connection: %s",
			     error_text(err));
	else
		diag_warning(change->d, NO_LOC, "left-over", "the same flowreeve apply again",
			     "past its end, enforcement will fall back to the policy before: %s",
			     error_text(err));
}

static int flip(const struct change *change)
{
	int err = pending_begin(change);

	err = err ? err : change_flip(change);
	if (err)
		return diag_error(change->d, NO_LOC, err, "kernel-load", NULL,
				  "cannot activate the new generation: %s", error_text(err));
	err = pending_complete(change);
	if (err)
		warn_incomplete(change, err);
	return 0;
}

static int carry_out(struct change *change)
{
	int err = 0;

	if (change->same_shape)
		memcpy(change->pins, change->running.pins, sizeof(change->pins));
	else
		err = epoch_make(change);
	if (err)
		return err;
	if (change->request->confirm && change->running.epoch && !ports_same(change))
		return diag_error(
			change->d, NO_LOC, -EALREADY, "change-pending",
			"first apply that, without --confirm",
			"other ports of bridges, or devices of a party, cannot be rolled back");
	err = ports_store(change);
	if (err)
		return err;
	err = make_records(change);
	if (err)
		return err;
	err = make_document(change);
	if (err)
		return err;
	err = make_image(change);
	if (err)
		return err;
	if (!change->same_shape)
		err = epoch_attach(change);
	if (err)
		return err;
	if (!change->same_shape)
		err = carry_counters(change);
	if (err)
		return err;
	err = pending_prepare(change);
	return err ? err : flip(change);
}

/* Counts the attach points that the policy names. One that moves is detached and attached, and
 * counts as neither. */
static void count_hooks(const struct change *change, struct apply_result *out)
{
	for (size_t i = 0; i < change->leaving_count; i++)
		out->hooks_removed += !attach_is_extra(change->leaving[i]);
	for (size_t i = 0; i < change->point_count; i++) {
		const struct planned_point *point = &change->points[i];

		if (point->stays || attach_is_extra(&point->record))
			continue;
		out->hooks_added += !point->moves;
		out->hooks_removed -= point->moves;
	}
}

/* False, with a warning, when the end of the change that was made cannot be read. */
static bool find_pending(const struct change *change, struct apply_result *out)
{
	const struct command_line line = {
		.verb = "status", .pin_root = change->root, .operand = change->policy};
	struct running running = {0};
	int err = running_find(change->root, change->policy, &running);

	err = err ? err : pending_find(&running, &out->pending);
	if (err)
		diag_warning(change->d, NO_LOC, "pins-unreadable",
			     command_text(change->d->arena, &line),
			     "the change ends by itself, but its end cannot be read: %s",
			     error_text(err));
	return !err;
}

static void report(const struct change *change, bool same, struct apply_result *out)
{
	*out = (struct apply_result){
		.generation = same ? change->running.generation : change->generation,
		.replaced = change->running.epoch != 0,
		.unchanged = same && !change->taken_over,
		.lowered = change->lowered.list,
		.lowered_count = change->lowered.count,
	};
	out->ends = !same && (change->request->confirm || change->request->until);
	out->ends = out->ends && find_pending(change, out);
	count_hooks(change, out);
	for (size_t i = 0; i < change->point_count; i++)
		out->tcx |= change->points[i].record.how == HOW_TCX;
}

static const char *first_message(const struct diags *d)
{
	return d->count ? d->list[0].message : "unknown";
}

/* Past the commit point an error is only a cleanup error: warn; the next command retries. */
static void clean_after(const struct change *change)
{
	struct diags later = {.arena = change->d->arena};
	struct running ignored;

	if (policy_reconcile(change->root, change->policy, &later, &ignored))
		diag_warning(change->d, NO_LOC, "left-over",
			     "the same flowreeve apply again removes it",
			     "the new policy is in force at every attach point, but parts of the "
			     "old one could not be removed: %s",
			     first_message(&later));
}

static void clean_failed(const struct change *change)
{
	struct diags later = {.arena = change->d->arena};
	struct running running;

	if (policy_reconcile(change->root, change->policy, &later, &running)) {
		diag_warning(change->d, NO_LOC, "left-over",
			     "the next flowreeve apply, or detach, removes it",
			     "the state before this command is still in force, but parts of what "
			     "it made could not be removed: %s",
			     first_message(&later));
		return;
	}
	if (!running.epoch)
		rmdir(change->running.dir);
	rmdir(change->root); /* only when it is empty */
}

/* Another program may have kept out the optional link that records the process of a socket. Retry:
 * that program may be gone. */
static void complete_points(struct change *change, const char *pins)
{
	static const enum prog_variant variants[] = {PROG_STEADY, PROG_JOINING};

	for (size_t i = 0; i < change->point_count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(variants); j++)
			attach_complete(&(struct attach_job){.dir = change->running.dir,
							     .pins = pins,
							     .variant = variants[j],
							     .path = change->points[i].path,
							     .point = &change->points[i].record});
}

/* The priority of a filter is known only after it is made. */
static void copy_priorities(struct change *change)
{
	const struct fr_hook_record *made = change->new_hooks.list;

	for (size_t i = 0; i < change->point_count; i++)
		change->points[i].record = made[i];
}

static void overlaps_warn(const struct change *change)
{
	struct arena *arena = change->d->arena;
	struct diags ignored = {.arena = arena};
	struct fr_hook_record *hooks = arena_alloc(arena, change->point_count * sizeof(*hooks));
	struct overlap_request request = {change->root, change->policy, hooks, change->point_count};
	struct remarks found;

	for (size_t i = 0; i < change->point_count; i++)
		hooks[i] = change->points[i].record;
	if (overlaps_find(&request, arena, &ignored, &found))
		return;
	for (size_t i = 0; i < found.count; i++) {
		const struct remark *remark = &found.list[i];

		if (remark->note)
			diag_note(change->d, NO_LOC, remark->check, NULL, "%s", remark->text);
		else
			diag_warning(change->d, NO_LOC, remark->check, NULL, "%s", remark->text);
	}
}

/* Removes nothing of a policy that may be in force and cannot be read. */
static int reconcile(struct change *change)
{
	bool unknown;
	int err = policy_unknown(change->root, change->policy, &unknown);

	if (err || unknown)
		return policy_broken(change->root, change->policy, err ? err : -EIO, change->d);
	return policy_reconcile(change->root, change->policy, change->d, &change->running);
}

/* A separate step, once the plan shows that the change can be made; then plan again. */
static int take_over(struct change *change)
{
	struct change again = {.request = change->request,
			       .d = change->d,
			       .root = change->root,
			       .policy = change->policy,
			       .command = change->command,
			       .running = change->running,
			       .taken_over = true,
			       CHANGE_NEW};
	int err = policy_upgrade(change);

	change_free(change);
	*change = again;
	if (err)
		return err;
	err = reconcile(change);
	if (err)
		return err;
	return change_plan(change);
}

static int plan(struct change *change)
{
	struct diags *d = change->d, before = *d;
	int err = change_plan(change);

	if (err || !change->running.epoch || change->running.layout == FR_ABI_VERSION)
		return err;
	d->count = before.count; /* else it would be reported twice */
	d->warnings = before.warnings;
	return take_over(change);
}

static int apply_locked(struct change *change, struct apply_result *out)
{
	int err = reconcile(change);
	bool same = false;

	if (err)
		return err;
	err = pending_check(change);
	if (err)
		return err;
	if (change->request->guard)
		err = change->request->guard(change->request, change->request->guard_context);
	if (err)
		return err;
	if (mkdir(change->running.dir, 0700) && errno != EEXIST)
		err = diag_error(change->d, NO_LOC, -errno, "pin-root", NULL, "cannot make %s: %s",
				 change->running.dir, error_text(errno));
	if (err)
		return err;
	err = pin_dir_check(change->running.dir, change->d);
	if (err)
		return err;
	err = plan(change);
	if (!err)
		err = unchanged(change, &same);
	err = err || same ? err : carry_out(change);
	if (err) {
		clean_failed(change);
		return err;
	}
	if (!same) {
		clean_after(change);
		copy_priorities(change);
	}
	complete_points(change, same ? change->running.pins : change->pins);
	conflicts_warn(change);
	overlaps_warn(change);
	report(change, same, out);
	return 0;
}

int datapath_apply(const struct apply_request *request, struct diags *d, struct apply_result *out)
{
	struct change change = {.request = request,
				.d = d,
				.root = pin_root(&request->host),
				.policy = request->ruleset->name,
				CHANGE_NEW};
	CLEANUP(close_fd) int lock = -1;
	int err = words_store(request, d, &change.command);

	libbpf_quiet();
	if (err)
		return err;
	err = host_privileges(d);
	if (err)
		return err;
	err = host_bpffs(change.root, true, d);
	if (err)
		return err;
	err = pin_lock(change.root, true, d, &lock);
	if (err)
		return err;
	err = apply_locked(&change, out);
	change_free(&change);
	return err;
}
