/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nearest miss: which rule almost admits a refused tuple, and the one thing that does not fit.
 * For people; decides nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* The mismatch, from the nearest to the farthest. A rule for any port that lacks only the peer
 * is no near miss: the peer would be admitted on every port. */
enum misfit {
	MISFIT_NONE,
	MISFIT_PEER,
	MISFIT_PORT,
	MISFIT_PROTO,
	MISFIT_DIRECTION,
	MISFIT_PEER_OF_ANY,
	MISFIT_MANY
};

struct miss {
	const struct rule *rule;
	enum misfit misfit;
	unsigned distance;	       /* less is nearer, within one kind of misfit */
	const struct service *service; /* MISFIT_PORT, MISFIT_PROTO: the nearest one */
};

static unsigned shared_bits(const struct addr *a, const struct addr *b)
{
	unsigned bits;

	for (bits = 0; bits < 128; bits++)
		if ((a->b[bits / 8] ^ b->b[bits / 8]) & (0x80 >> bits % 8))
			break;
	return bits;
}

/* 0: the peer fits; else the fewer leading bits are shared, the farther. */
static unsigned peer_distance(const struct rule *rule, const struct addr *peer)
{
	unsigned best = 129;

	if (rule->any_peer)
		return 0;
	for (size_t i = 0; i < rule->peer_count; i++) {
		unsigned away = 129 - shared_bits(&rule->peers[i].addr, peer);

		if (prefix_has(&rule->peers[i], peer))
			return 0;
		if (away < best)
			best = away;
	}
	return best;
}

static unsigned port_distance(const struct service *service, uint16_t port)
{
	if (port < service->first)
		return service->first - port;
	return port > service->last ? port - service->last : 0;
}

/* How the services of a rule miss the tuple's: MISFIT_NONE, _PORT or _PROTO. */
static void service_miss(const struct rule *rule, const struct tuple *tuple, struct miss *miss)
{
	miss->misfit = MISFIT_PROTO;
	miss->distance = 1u << 17;
	for (size_t i = 0; i < rule->service_count; i++) {
		const struct service *service = &rule->services[i];
		bool same_proto = service->any_proto || service->proto == tuple->proto;
		unsigned away = service->any_proto ? 0 : port_distance(service, tuple->port);

		if (same_proto && away == 0) {
			miss->misfit = MISFIT_NONE;
			return;
		}
		/* The right port of another protocol is near as well: 53/udp for 53/tcp. */
		if (same_proto ? (miss->misfit == MISFIT_PROTO || away < miss->distance)
			       : (miss->misfit == MISFIT_PROTO && away < miss->distance)) {
			miss->misfit = same_proto ? MISFIT_PORT : MISFIT_PROTO;
			miss->distance = away;
			miss->service = service;
		}
	}
}

static struct miss rule_miss(const struct rule *rule, const struct tuple *tuple)
{
	unsigned away = peer_distance(rule, &tuple->peer);
	struct miss miss = {.rule = rule};
	bool other_way = rule->dir != tuple->dir;

	service_miss(rule, tuple, &miss);
	if (!rule->service_count || (miss.misfit != MISFIT_NONE) + (away != 0) + other_way > 1) {
		miss.misfit = MISFIT_MANY;
	} else if (away) {
		miss.misfit = rule_serves_any_port(rule, tuple) ? MISFIT_PEER_OF_ANY : MISFIT_PEER;
		miss.distance = away;
	} else if (other_way) {
		miss.misfit = MISFIT_DIRECTION;
		miss.distance = 0;
	}
	return miss;
}

static bool miss_is_nearer(const struct miss *a, const struct miss *b)
{
	return a->misfit < b->misfit || (a->misfit == b->misfit && a->distance < b->distance);
}

static const char *peer_sentence(const struct ruleset *rs, const struct rule *rule,
				 const struct tuple *tuple)
{
	char peer[ADDR_TEXT], prefix[PREFIX_TEXT];

	addr_text(&tuple->peer, peer);
	if (rule->needs_local)
		return arena_printf(rs->arena,
				    "rule %s fits but %s may or may not be in local-subnet",
				    rule->id, peer);
	if (rule->role)
		return arena_printf(rs->arena, "rule %s fits but %s is not in peers.%s", rule->id,
				    peer, rule->role);
	if (rule->peer_count == 1)
		return arena_printf(rs->arena, "rule %s fits but %s is not in its peer %s",
				    rule->id, peer, prefix_text(&rule->peers[0], prefix));
	return arena_printf(rs->arena, "rule %s fits but %s is not among its %u peers", rule->id,
			    peer, rule->peer_count);
}

static const char *service_sentence(const struct ruleset *rs, const struct miss *miss,
				    const struct tuple *tuple)
{
	struct service asked = {.proto = tuple->proto, .first = tuple->port, .last = tuple->port};
	char has[SERVICE_TEXT], wants[SERVICE_TEXT];
	const struct rule *rule = miss->rule;
	const char *what = miss->misfit == MISFIT_PROTO ? "protocol" : "port";

	if (!proto_has_ports(tuple->proto) && !proto_is_any_icmp(tuple->proto))
		asked.first = 0, asked.last = 65535;
	return arena_printf(rs->arena, "rule %s fits but its %s is %s, not %s", rule->id, what,
			    service_text(miss->service, has), service_text(&asked, wants));
}

static const char *miss_sentence(const struct ruleset *rs, const struct miss *miss,
				 const struct tuple *tuple)
{
	struct decision decision;

	switch (miss->misfit) {
	case MISFIT_NONE:
		ruleset_decide(rs, tuple, &decision);
		return arena_printf(rs->arena, "rule %s fits but rule %s denies it", miss->rule->id,
				    ruleset_rule_name(rs, decision.staged ? decision.staged_rule
									  : decision.rule));
	case MISFIT_PEER:
	case MISFIT_PEER_OF_ANY:
		return peer_sentence(rs, miss->rule, tuple);
	case MISFIT_DIRECTION:
		return arena_printf(rs->arena, "rule %s allows the other direction (%s)",
				    miss->rule->id, dir_name(miss->rule->dir));
	default:
		return service_sentence(rs, miss, tuple);
	}
}

const struct rule *ruleset_nearest(const struct ruleset *rs, const struct tuple *tuple,
				   const char **why)
{
	struct miss best = {.misfit = MISFIT_MANY};

	for (size_t i = 0; i < rs->rule_count; i++) {
		struct miss miss;

		if (rs->rules[i].action == FR_DENY)
			continue;
		miss = rule_miss(&rs->rules[i], tuple);
		if (miss_is_nearer(&miss, &best))
			best = miss;
	}
	if (!best.rule)
		return NULL;
	*why = miss_sentence(rs, &best, tuple);
	return best.rule;
}
