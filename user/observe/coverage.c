/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the used and unused rules in force, and the traffic that no rule explains: from the
 * counters, the refusals and the flows in the kernel. Each refusal and flow is decided again by
 * the image in force, so that a packet that an older policy refused and this one allows is not
 * reported as unexplained.
 */
#include "internal.h"

#include <string.h>

struct coverage {
	struct unexplained_set unexplained;
	struct coverage_view view;
	struct image image;
	struct answer_hints hints;
};

static int failed(const struct instance *instance, int err, struct diags *d)
{
	return diag_error(
		d, NO_LOC, err, "pins-broken", instance_heal_command(instance, err, d->arena),
		"the coverage of policy %s cannot be read: %s", instance->name, error_text(err));
}

static int collect_state(const struct instance *instance, struct arena *arena,
			 struct coverage *coverage)
{
	struct coverage_view *view = &coverage->view;
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), zero = 0;
	struct fr_state state;

	if (bpf_map_lookup_elem(instance->state, &zero, &state) ||
	    bpf_obj_get_info_by_fd(instance->drops, &info, &size))
		return -errno;
	view->policy = arena_strdup(arena, instance->name);
	view->source = arena_strndup(arena, state.source, sizeof(state.source));
	view->enforce = image_head(&coverage->image)->flags & FR_F_ENFORCE;
	memcpy(view->digest, coverage->image.digest, sizeof(view->digest));
	view->room = (uint64_t)info.max_entries * FR_WAYS;
	return 0;
}

/* The time from which the rule of a slot counts: an older entry belongs to a previous rule or
 * policy. */
static uint64_t slot_since(const struct coverage_view *view, uint32_t slot)
{
	for (size_t i = view->rule_count; i-- > 0;)
		if (view->rules[i].slot == slot)
			return view->rules[i].since;
	return 0;
}

/* Does a rule of the policy in force decide it now? */
static bool decided_by_current(struct coverage *coverage, const struct tuple *tuple)
{
	struct decision decision;

	image_decide(&coverage->image, tuple, &decision);
	if (decision.rule < FR_RULE_FIRST)
		return false;
	coverage->view.decided_by_current++;
	return true;
}

static int on_drop(const struct drop_view *drop, void *context)
{
	struct coverage *coverage = context;
	const struct answer_hint *answer;
	struct tuple tuple = drop_tuple(drop);

	coverage->view.refusals++;
	if (drop->drop.reason != FR_REASON_DEFAULT ||
	    drop->last < slot_since(&coverage->view, drop->drop.slot) ||
	    decided_by_current(coverage, &tuple))
		return 0;
	answer = hint_find(&coverage->hints, drop);
	if (answer && answer->admitted)
		coverage->view.decided_by_current++;
	else
		unexplained_add_drop(&coverage->unexplained, drop, answer);
	return 0;
}

static int on_flow(const struct flow_view *flow, void *context)
{
	struct coverage *coverage = context;
	struct tuple tuple = flow_tuple(flow);
	const struct answer_hint *answer;

	if (flow->flow.reason != FR_REASON_DEFAULT ||
	    flow->last < slot_since(&coverage->view, flow->flow.slot) ||
	    decided_by_current(coverage, &tuple))
		return 0;
	answer = hint_of_flow(&coverage->hints, flow);
	if (answer && answer->admitted)
		coverage->view.decided_by_current++;
	else
		unexplained_add_flow(&coverage->unexplained, flow, answer);
	return 0;
}

static void oldest_since(struct coverage_view *view)
{
	for (size_t i = 0; i < view->rule_count; i++)
		if (!view->since || view->rules[i].since < view->since)
			view->since = view->rules[i].since;
}

void coverage_newest(struct coverage_view *view)
{
	view->newest = view->since;
	for (size_t i = 0; i < view->unexplained_count; i++)
		if (view->unexplained[i].first > view->newest)
			view->newest = view->unexplained[i].first;
}

/* Are there refused packets without an entry in the list? */
static bool is_incomplete(const struct coverage_view *view)
{
	for (size_t i = 0; i < view->rule_count; i++)
		if (view->rules[i].totals.unlisted)
			return true;
	return false;
}

static int collect_parts(const struct instance *instance, struct arena *arena, struct diags *d,
			 struct coverage *coverage)
{
	struct coverage_view *view = &coverage->view;
	int err = collect_state(instance, arena, coverage);

	if (err)
		return failed(instance, err, d);
	err = rules_collect(instance, arena, d, &view->rules, &view->rule_count);
	if (err)
		return err;
	err = hints_open(instance, arena, d, &coverage->hints);
	if (err)
		return err;
	err = drops_each(instance, d, on_drop, coverage);
	if (!err)
		err = flows_each(instance, d, on_flow, coverage);
	hints_close(&coverage->hints);
	return err;
}

int coverage_collect(const struct instance *instance, struct arena *arena, struct diags *d,
		     struct coverage_view *out)
{
	struct coverage coverage = {.unexplained.arena = arena};
	struct coverage_view *view = &coverage.view;
	int err = instance_image(instance, &coverage.image);

	if (err)
		return failed(instance, err, d);
	err = collect_parts(instance, arena, d, &coverage);
	image_unmap(&coverage.image);
	if (err)
		return err;
	oldest_since(view);
	unexplained_sort(&coverage.unexplained);
	view->incomplete = is_incomplete(view);
	view->unexplained = coverage.unexplained.list;
	view->unexplained_count = coverage.unexplained.count;
	coverage_newest(view);
	*out = *view;
	return 0;
}
