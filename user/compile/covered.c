/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that decide nothing: wherever such a rule matches, another one decides. Each part of a rule
 * (a peer with a service) is looked up at its first address and port, and is covered when the rule
 * that decides there has all of that part, or when all of its pieces are.
 */
#include <string.h>

#include "compile.h"

/* Of one part: rules that would take more are not told of. */
enum { LOOKS_MOST = 64 };

static bool prefix_within(const struct prefix *inner, const struct prefix *outer)
{
	return outer->length <= inner->length && prefix_has(outer, &inner->addr);
}

static bool has_prefix(const struct rule *rule, const struct prefix *peer)
{
	if (rule->any_peer)
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

/* What is left of a rule to look at. */
struct search {
	const struct ruleset *rs;
	const struct image *image;
	const struct rule *rule;
	unsigned looks; /* that may follow: each piece costs one */
};

static const struct rule *part_covered(struct search *s, const struct prefix *peer,
				       const struct service *service);

/* Both halves of the peer, by one rule or by two. */
static const struct rule *halves_covered(struct search *s, const struct prefix *peer,
					 const struct service *service)
{
	struct prefix low = *peer, high;
	const struct rule *by;

	low.length++;
	high = low;
	high.addr.b[peer->length / 8] |= (uint8_t)(0x80 >> peer->length % 8);
	by = part_covered(s, &low, service);
	return by && part_covered(s, &high, service) ? by : NULL;
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

static const struct rule *part_covered(struct search *s, const struct prefix *peer,
				       const struct service *service)
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
		return NULL;
	s->looks--;
	if (!has_prefix(by, peer))
		return peer && peer->length < 128 ? halves_covered(s, peer, service) : NULL;
	if (has_service(by, service))
		return by;
	rest.first = ports_end(by, service) + 1;
	return !service->any_proto && part_covered(s, peer, &rest) ? by : NULL;
}

static const struct rule *peer_covered(const struct ruleset *rs, const struct image *image,
				       const struct rule *rule, const struct prefix *peer)
{
	const struct rule *by = NULL;

	for (size_t i = 0; i < rule->service_count; i++) {
		struct search s = {rs, image, rule, LOOKS_MOST};
		const struct rule *here = part_covered(&s, peer, &rule->services[i]);

		if (!here)
			return NULL;
		by = by ? by : here;
	}
	return by;
}

const struct rule *rule_covered(const struct ruleset *rs, const struct image *image,
				const struct rule *rule)
{
	const struct rule *by = NULL;

	if (rule->action == FR_FAILSAFE_ALLOW || rule->needs_local)
		return NULL;
	if (rule->any_peer)
		return peer_covered(rs, image, rule, NULL);
	for (size_t i = 0; i < rule->peer_count; i++) {
		const struct rule *here = peer_covered(rs, image, rule, &rule->peers[i]);

		if (!here)
			return NULL;
		by = by ? by : here;
	}
	return by;
}
