/* SPDX-License-Identifier: GPL-2.0-only */
/* Views of the tables: flows and refusals, one by one. */
#include "internal.h"

#include "../../bpf/flow.h"

struct flow_walk {
	struct names names;
	uint32_t timeout[FR_TIMEOUTS]; /* jiffies */
	int (*flow)(const struct flow_view *, void *);
	int (*drop)(const struct drop_view *, void *);
	bool ended; /* flows that have ended, too */
	void *context;
};

/* `first` is the low half of jiffies, and not after `last`. */
uint64_t flow_first(const struct fr_flow *flow)
{
	return flow->last - (uint32_t)((uint32_t)flow->last - flow->first);
}

static int on_flow(const void *entry, void *context)
{
	const struct flow_walk *walk = context;
	const struct fr_flow *flow = entry;
	struct flow_view view = {.flow = *flow, .key = flow->key};
	const struct fr_rule_record *rule = names_rule_or_none(&walk->names, flow->slot);

	if (!walk->ended && flow_expired(flow, walk->timeout, walk->names.clock.jiffies))
		return 0;
	view.kind = kind_name(FR_SCOPE_KIND(view.key.scope));
	view.scope = names_scope(&walk->names, view.key.scope);
	view.state = flow_state_name(view.flow.state);
	view.verdict = verdict_name(view.flow.flags & FR_FLOW_WOULD_DROP ? FR_WOULD_DROP : FR_PASS);
	view.first = clock_real(&walk->names.clock, flow_first(flow));
	view.last = clock_real(&walk->names.clock, view.flow.last);
	view.rule = rule->id;
	view.table = rule->table;
	view.row = rule->row;
	view.line = rule->line;
	view.process =
		names_process(&walk->names, flow->pid, flow->comm, sizeof(flow->comm), view.last);
	return walk->flow(&view, walk->context);
}

static int on_drop(const void *entry, void *context)
{
	const struct flow_walk *walk = context;
	const struct fr_drop *drop = entry;
	struct drop_view view = {.drop = *drop, .key = drop->key};
	const struct fr_rule_record *rule = names_rule_or_none(&walk->names, drop->slot);

	if (drop->verdict == FR_PASS) /* nothing since zero */
		return 0;
	view.kind = kind_name(FR_SCOPE_KIND(view.key.scope));
	view.scope = names_scope(&walk->names, view.key.scope);
	view.verdict = verdict_name(drop->verdict);
	view.reason = reason_name(drop->reason);
	view.first = clock_real(&walk->names.clock, drop->first);
	view.last = clock_real(&walk->names.clock, drop->last);
	view.rule = rule->id;
	view.table = rule->table;
	view.row = rule->row;
	view.line = rule->line;
	view.process =
		names_process(&walk->names, drop->pid, drop->comm, sizeof(drop->comm), view.last);
	return walk->drop(&view, walk->context);
}

static int collect_timeouts(const struct instance *instance, struct flow_walk *walk)
{
	struct image image;
	int err = instance_image(instance, &image);

	if (err)
		return err;
	memcpy(walk->timeout, image_conf(&image)->timeout, sizeof(walk->timeout));
	image_unmap(&image);
	return 0;
}

static int unreadable(const struct instance *instance, int err, struct diags *d)
{
	return diag_error(
		d, NO_LOC, err, "pins-broken", instance_heal_command(instance, err, d->arena),
		"the flows of policy %s cannot be read: %s", instance->name, error_text(err));
}

static int walk_flows(const struct instance *instance, struct diags *d, struct flow_walk *walk)
{
	int result = names_open(instance, d, &walk->names);

	if (result)
		return result;
	result = collect_timeouts(instance, walk);
	if (result)
		result = unreadable(instance, result, d);
	if (!result)
		result = sets_each(instance->flows, on_flow, walk);
	names_close(&walk->names);
	return result;
}

int flows_each(const struct instance *instance, struct diags *d,
	       int (*visit)(const struct flow_view *, void *), void *context)
{
	struct flow_walk walk = {.flow = visit, .context = context};

	return walk_flows(instance, d, &walk);
}

int flows_each_known(const struct instance *instance, struct diags *d,
		     int (*visit)(const struct flow_view *, void *), void *context)
{
	struct flow_walk walk = {.flow = visit, .ended = true, .context = context};

	return walk_flows(instance, d, &walk);
}

int drops_each(const struct instance *instance, struct diags *d,
	       int (*visit)(const struct drop_view *, void *), void *context)
{
	struct flow_walk walk = {.drop = visit, .context = context};
	int result = names_open(instance, d, &walk.names);

	if (result)
		return result;
	result = sets_each(instance->drops, on_drop, &walk);
	names_close(&walk.names);
	return result;
}
