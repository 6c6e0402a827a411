/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coverage from recorded events. Each is decided again by the rules of the caller: an opening is
 * counted on the rule that decides it, and one that no rule decides is unexplained.
 */
#include "internal.h"

#include <string.h>

struct covering {
	const struct recording *recording;
	const struct ruleset *rs;
	struct unexplained_set unexplained;
	struct answer_hints hints;
	struct index hosts;
	struct rule_view *rules; /* of the ruleset, in its order */
	struct recorded_view *recorded;
	struct coverage_view *view;
};

static struct rule_view *rules_named(struct arena *arena, const struct ruleset *rs)
{
	struct rule_view *views = arena_alloc(arena, (rs->rule_count + 1) * sizeof(*views));

	for (size_t i = 0; i < rs->rule_count; i++) {
		const struct rule *rule = &rs->rules[i];
		const struct origin *origin = rule_origin(rule);

		views[i] = (struct rule_view){.slot = (uint32_t)i,
					      .id = rule->id,
					      .line = origin->line,
					      .dir = dir_name(rule->dir),
					      .action = action_name(rule->action),
					      .staged = rule->staged,
					      .answers = rule_answers(rule)};
		views[i].table = origin->table ?: "";
		views[i].row = origin->row ?: "";
	}
	return views;
}

static void count_event(struct rule_view *rule, const struct recorded_event *event)
{
	rule->totals.packets += event->packets;
	rule->totals.bytes += event->length;
	if (event->opened)
		rule->totals.connections++;
	else if (event->verdict == FR_WOULD_DROP)
		rule->totals.would_drops += event->packets;
	else
		rule->totals.drops += event->packets;
	if (event->time > rule->last)
		rule->last = event->time;
}

/* An answer that the rules admit is explained by its question. */
static void add_unexplained(struct covering *c, const struct recorded_event *event)
{
	const struct answer_hint *answer = hint_of_event(&c->hints, event);

	if (answer && answer->admitted)
		c->view->decided_by_current++;
	else
		unexplained_add_event(&c->unexplained, event, answer);
}

static void cover_event(struct covering *c, const struct recorded_event *event)
{
	bool by_default = event->reason == FR_REASON_DEFAULT;
	const struct rule *rule;
	struct decision decision;

	c->view->refusals += !event->opened;
	if (!by_default && event->reason != FR_REASON_RULE && event->reason != FR_REASON_FAILSAFE)
		return;
	ruleset_decide(c->rs, &event->tuple, &decision);
	rule = ruleset_rule(c->rs, decision.staged ? decision.staged_rule : decision.rule);
	if (!rule) {
		add_unexplained(c, event);
		return;
	}
	if (by_default)
		c->view->decided_by_current++;
	else
		count_event(&c->rules[rule - c->rs->rules], event);
}

static void add_host(struct covering *c, const char *host)
{
	struct recorded_view *view = c->recorded;

	if (index_insert(&c->hosts, host, host))
		return;
	view->hosts = arena_grow(c->hosts.arena, view->hosts, view->host_count,
				 &view->host_capacity, sizeof(*view->hosts));
	view->hosts[view->host_count++] = host;
}

static int refuse(const struct covering *c, uint32_t line, struct diags *d)
{
	struct loc loc = {.source = c->recording->source, .line = line, .column = 1};

	return diag_error(d, loc, -EINVAL, "events-too-many",
			  "split the file, or allow what is known first",
			  "more than %d openings that no rule explains", OPENINGS_MOST);
}

static int cover_events(struct covering *c, struct diags *d)
{
	struct recorded_view *recorded = c->recorded;

	for (size_t i = 0; i < c->recording->count; i++) {
		const struct recorded_event *event = &c->recording->list[i];

		if (!str_equal(event->policy, c->rs->name)) {
			recorded->left_out++;
			continue;
		}
		recorded->events++;
		recorded->openings += event->opened;
		if (!recorded->since || event->time < recorded->since)
			recorded->since = event->time;
		if (event->time > recorded->until)
			recorded->until = event->time;
		add_host(c, event->host);
		cover_event(c, event);
		if (c->unexplained.count > OPENINGS_MOST)
			return refuse(c, event->line, d);
	}
	return 0;
}

/* Without recorded openings nothing is known of rules that allow. */
static void list_rules(struct covering *c)
{
	for (size_t i = 0; i < c->rs->rule_count; i++) {
		struct rule_view *rule = &c->rules[i];

		rule->since = c->recorded->since;
		if (c->recorded->openings || rule->totals.packets)
			c->rules[c->view->rule_count++] = *rule;
	}
}

int recorded_cover(const struct recording *recording, const struct ruleset *rs, struct diags *d,
		   struct coverage_view *view)
{
	struct covering c = {.recording = recording,
			     .rs = rs,
			     .view = view,
			     .unexplained.arena = d->arena,
			     .hosts.arena = d->arena,
			     .rules = rules_named(d->arena, rs),
			     .recorded = arena_alloc(d->arena, sizeof(*c.recorded))};
	int err;

	*view = (struct coverage_view){.policy = rs->name, .file = rs, .enforce = rs->enforce};
	c.recorded->file = recording->file;
	c.recorded->lost = recording->lost;
	hints_of_recording(recording, rs, d->arena, &c.hints);
	err = cover_events(&c, d);
	if (err)
		return err;
	list_rules(&c);
	unexplained_sort(&c.unexplained);
	view->rules = c.rules;
	view->recorded = c.recorded;
	view->since = c.recorded->since;
	view->unexplained = c.unexplained.list;
	view->unexplained_count = c.unexplained.count;
	coverage_newest(view);
	view->incomplete = recording->lost;
	view->listening.left_out = "recorded events say nothing of sockets";
	return 0;
}
