/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that decide nothing: wherever such a rule matches, another one decides. Each part of a rule
 * (a peer with a service) is looked up at its corners, and is covered when the rule that decides
 * there has all of that part.
 */
#include <string.h>

#include "compile.h"

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

/* The rule that decides all of a peer (NULL: any) and a service, or NULL. */
static const struct rule *part_covered(const struct ruleset *rs, const struct image *image,
				       const struct rule *rule, const struct prefix *peer,
				       const struct service *service)
{
	struct tuple tuple = {.dir = rule->dir,
			      .proto = service->any_proto ? PROTO_TCP : service->proto,
			      .port = service->first};
	const struct rule *by;

	if (peer)
		tuple.peer = peer->addr;
	by = decider(rs, image, rule, &tuple);
	return by && has_prefix(by, peer) && has_service(by, service) ? by : NULL;
}

static const struct rule *peer_covered(const struct ruleset *rs, const struct image *image,
				       const struct rule *rule, const struct prefix *peer)
{
	const struct rule *by = NULL;

	for (size_t i = 0; i < rule->service_count; i++) {
		const struct rule *here = part_covered(rs, image, rule, peer, &rule->services[i]);

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
