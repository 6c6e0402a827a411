/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that decide nothing: wherever such a rule matches, another one decides. Each part of a rule
 * (a peer with a service) is looked up at its first address and port, and is covered when the rule
 * that decides there has all of that part, or when all of its pieces are.
 */
#include <string.h>

#include "compile.h"

/* Of one part: rules that would take more are not told of. */
enum { LOOKS_MOST = 1024 };

static bool prefix_within(const struct prefix *inner, const struct prefix *outer)
{
	return outer->length <= inner->length && prefix_has(outer, &inner->addr);
}

/* 0.0.0.0/0 and ::/0 are any peer. */
static bool has_any(const struct rule *rule)
{
	bool v4 = rule->any_peer, v6 = rule->any_peer;

	for (size_t i = 0; i < rule->peer_count; i++) {
		v4 |= prefix_is_v4(&rule->peers[i]) && rule->peers[i].length == 96;
		v6 |= !rule->peers[i].length;
	}
	return v4 && v6;
}

static bool has_prefix(const struct rule *rule, const struct prefix *peer)
{
	if (has_any(rule))
		return true;
	for (size_t i = 0; peer && i < rule->peer_count; i++)
		if (prefix_within(peer, &rule->peers[i]))
			return true;
	return false;
}

static bool has_service(const struct rule *rule, const struct service *service)
{
	for (size_t i = 0; i < rule->service_count; i++) {
		const struct service *outer = &rule->services[i];

		if (outer->any_proto)
			return true;
		if (!service->any_proto && outer->proto == service->proto &&
		    outer->first <= service->first && outer->last >= service->last)
			return true;
	}
	return false;
}

/* The rule that decides a corner of a part, or NULL: none, or the rule itself. */
static const struct rule *decider(const struct ruleset *rs, const struct image *image,
				  const struct rule *rule, const struct tuple *tuple)
{
	const struct rule *found;
	struct decision decision;

	image_decide(image, tuple, &decision);
	if (decision.staged && ruleset_rule(rs, decision.staged_rule) == rule)
		return NULL;
	found = ruleset_rule(rs, decision.rule);
	return found == rule ? NULL : found;
}

struct search {
	const struct ruleset *rs;
	const struct image *image;
	const struct rule *rule;
	struct covered_by *out;
	unsigned looks; /* that may follow: each piece costs one */
};

static void found(struct covered_by *by_all, const struct rule *by)
{
	for (size_t i = 0; i < by_all->count && i < COVERED_NAMED; i++)
		if (by_all->by[i] == by)
			return;
	if (by_all->count < COVERED_NAMED)
		by_all->by[by_all->count] = by;
	by_all->count++;
	by_all->denies += by->action == FR_DENY;
}

static bool part_covered(struct search *s, const struct prefix *peer,
			 const struct service *service);

/* Both halves of the peer, by one rule or by several. */
static bool halves_covered(struct search *s, const struct prefix *peer,
			   const struct service *service)
{
	struct prefix low = *peer, high;

	low.length++;
	high = low;
	high.addr.b[peer->length / 8] |= (uint8_t)(0x80 >> peer->length % 8);
	return part_covered(s, &low, service) && part_covered(s, &high, service);
}

/* `by` decides the first port: where do its ports end? */
static uint16_t ports_end(const struct rule *by, const struct service *service)
{
	uint16_t end = service->first;

	for (size_t i = 0; i < by->service_count; i++) {
		const struct service *outer = &by->services[i];

		if (outer->proto == service->proto && outer->first <= service->first &&
		    outer->last > end)
			end = outer->last;
	}
	return end;
}

static bool part_covered(struct search *s, const struct prefix *peer, const struct service *service)
{
	struct tuple tuple = {.dir = s->rule->dir,
			      .proto = service->any_proto ? PROTO_TCP : service->proto,
			      .port = service->first};
	struct service rest = *service;
	const struct rule *by;

	if (peer)
		tuple.peer = peer->addr;
	by = s->looks ? decider(s->rs, s->image, s->rule, &tuple) : NULL;
	if (!by)
		return false;
	s->looks--;
	if (!has_prefix(by, peer))
		return peer && peer->length < 128 && halves_covered(s, peer, service);
	found(s->out, by);
	if (has_service(by, service))
		return true;
	rest.first = ports_end(by, service) + 1;
	return !service->any_proto && part_covered(s, peer, &rest);
}

static bool peer_covered(const struct search *of, const struct prefix *peer)
{
	for (size_t i = 0; i < of->rule->service_count; i++) {
		struct search s = *of;

		if (!part_covered(&s, peer, &of->rule->services[i]))
			return false;
	}
	return true;
}

bool rule_covered(const struct ruleset *rs, const struct image *image, const struct rule *rule,
		  struct covered_by *out)
{
	struct search s = {rs, image, rule, out, LOOKS_MOST};

	*out = (struct covered_by){0};
	if (rule->action == FR_FAILSAFE_ALLOW || rule->needs_local)
		return false;
	if (rule->any_peer)
		return peer_covered(&s, NULL);
	for (size_t i = 0; i < rule->peer_count; i++)
		if (!peer_covered(&s, &rule->peers[i]))
			return false;
	return rule->peer_count;
}

const char *covered_names(struct arena *arena, const struct covered_by *by_all)
{
	const char *text = "";

	for (size_t i = 0; i < by_all->count && i < COVERED_NAMED; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", by_all->by[i]->id);
	if (by_all->count > COVERED_NAMED)
		text = arena_printf(arena, "%s and others", text);
	return text;
}
