/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common to all judges: random policies, built in memory from a seed, and random tuples near their
 * edges. The same seed gives the same policy on every machine.
 */
#ifndef TESTS_JUDGES_H
#define TESTS_JUDGES_H

#include "../user/compile/compile.h"
#include "boundary_tuples.h"
#include "wire.h"

struct judge_random {
	uint64_t state;
};

static inline uint64_t judge_next(struct judge_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t judge_below(struct judge_random *random, uint32_t limit)
{
	return judge_next(random) % limit;
}

static inline bool judge_chance(struct judge_random *random, uint32_t percent)
{
	return judge_below(random, 100) < percent;
}

/* Addresses come from few places, so that prefixes nest and meet: 10.a.0.b, 192.0.2.c; fd00:… in
 * both halves, 2001:db8::/32; and sometimes from anywhere. */
static inline struct addr judge_addr(struct judge_random *random)
{
	uint32_t a = judge_below(random, 4), b = judge_below(random, 4);

	switch (judge_below(random, 8)) {
	case 0:
	case 1:
	case 2:
		return addr_from_v4(10u << 24 | a << 16 | b << 8 | judge_below(random, 256));
	case 3:
		return addr_from_v4(192u << 24 | 2 << 8 | judge_below(random, 256));
	case 4:
		return addr_from_v4(judge_next(random));
	case 5:
		return addr_from_halves(0xfd00ull << 48 | (uint64_t)a << 16 | b,
					judge_below(random, 64));
	case 6:
		return addr_from_halves(0xfd00ull << 48, judge_next(random));
	default:
		return addr_from_halves(0x20010db8ull << 32 | judge_next(random) >> 36,
					judge_next(random));
	}
}

static inline struct prefix judge_prefix(struct judge_random *random)
{
	struct prefix prefix = {.addr = judge_addr(random)};
	bool v4 = addr_is_v4(&prefix.addr);

	if (v4)
		prefix.length = 96 + (judge_chance(random, 10) ? judge_below(random, 33)
							       : 8 + judge_below(random, 25));
	else
		prefix.length = judge_chance(random, 30) ? judge_below(random, 129)
							 : 48 + judge_below(random, 81);
	prefix.addr = addr_from_halves(addr_high(&prefix.addr) & mask_high(prefix.length),
				       addr_low(&prefix.addr) & mask_low(prefix.length));
	return prefix;
}

static inline uint8_t judge_proto(struct judge_random *random)
{
	static const uint8_t common[] = {PROTO_TCP, PROTO_TCP,	PROTO_TCP,   PROTO_UDP,
					 PROTO_UDP, PROTO_ICMP, PROTO_ICMP6, PROTO_SCTP};

	if (judge_chance(random, 85))
		return common[judge_below(random, ARRAY_SIZE(common))];
	return judge_chance(random, 50) ? 47 : judge_next(random);
}

static inline uint16_t judge_port(struct judge_random *random, uint8_t proto)
{
	if (proto == PROTO_ICMP || proto == PROTO_ICMP6)
		return judge_below(random, 20) << 8 | judge_below(random, 3);
	return judge_chance(random, 60) ? 1 + judge_below(random, 32) : judge_next(random);
}

static inline struct service judge_service(struct judge_random *random)
{
	struct service service = {.last = 65535};

	service.any_proto = judge_chance(random, 5);
	if (service.any_proto)
		return service;
	service.proto = judge_proto(random);
	if (!proto_has_ports(service.proto) && service.proto != PROTO_ICMP &&
	    service.proto != PROTO_ICMP6)
		return service;
	if (judge_chance(random, 10))
		return service;
	service.first = service.last = judge_port(random, service.proto);
	if (judge_chance(random, 50))
		return service;
	service.last = judge_port(random, service.proto);
	if (service.last < service.first) {
		uint16_t first = service.last;

		service.last = service.first;
		service.first = first;
	}
	return service;
}

static inline void judge_rule(struct judge_random *random, struct arena *arena, struct rule *rule,
			      size_t number)
{
	uint32_t chance = judge_below(random, 100);

	rule->id = arena_printf(arena, "rule-%zu", number);
	rule->dir = judge_below(random, FR_DIRS);
	rule->action = chance < 55 ? FR_ALLOW : FR_DENY;
	if (chance >= 95)
		rule->action = FR_FAILSAFE_ALLOW;
	rule->staged = rule->action == FR_DENY && judge_chance(random, 40);
	if (rule->action == FR_ALLOW && judge_chance(random, 40))
		rule->answers = judge_below(random, FR_ANSWERS_COUNT);
	rule->any_peer = judge_chance(random, 10);
	rule->peer_count = rule->any_peer ? 0 : 1 + judge_below(random, 4);
	rule->peers = arena_alloc(arena, (rule->peer_count + 1) * sizeof(*rule->peers));
	for (size_t i = 0; i < rule->peer_count; i++)
		rule->peers[i] = judge_prefix(random);
	rule->service_count = 1 + judge_below(random, 4);
	rule->services = arena_alloc(arena, rule->service_count * sizeof(*rule->services));
	for (size_t i = 0; i < rule->service_count; i++)
		rule->services[i] = judge_service(random);
}

/* A failsafe rule for which the list has no room becomes a plain one. */
static inline void judge_failsafe_fits(struct rule *rule, size_t *room)
{
	size_t entries = (rule->any_peer ? 1 : rule->peer_count) * rule->service_count;

	if (rule->action != FR_FAILSAFE_ALLOW)
		return;
	if (entries > *room)
		rule->action = FR_ALLOW;
	else
		*room -= entries;
}

/* A policy of up to `most` rules. In the arena. */
static inline struct ruleset *judge_policy(struct arena *arena, uint64_t seed, uint32_t most)
{
	static const struct source source = {.name = "random", .text = ""};
	struct judge_random random = {seed};
	size_t room = FR_FAILSAFE_ENTRIES;
	struct ruleset *rs = arena_alloc(arena, sizeof(*rs));

	rs->arena = arena;
	rs->source = &source;
	rs->name = "random";
	rs->enforce = judge_chance(&random, 50);
	for (int i = 0; i < FR_DIRS; i++)
		rs->default_allow[i] = judge_chance(&random, 30);
	for (int i = 0; i < FR_TIMEOUTS; i++)
		rs->timeout[i] = 60;
	rs->rule_count = judge_below(&random, most + 1);
	rs->rules = arena_alloc(arena, (rs->rule_count + 1) * sizeof(*rs->rules));
	for (size_t i = 0; i < rs->rule_count; i++) {
		judge_rule(&random, arena, &rs->rules[i], i);
		judge_failsafe_fits(&rs->rules[i], &room);
	}
	return rs;
}

static inline struct tuple judge_tuple(struct judge_random *random)
{
	struct tuple tuple = {
		.dir = judge_below(random, FR_DIRS),
		.proto = judge_proto(random),
		.peer = judge_addr(random),
	};

	tuple.port = judge_port(random, tuple.proto);
	return tuple;
}

/* The local address of the n-th packet: 198.18.0.0/15 or 2001:2::/48, of the tuple's family. */
static inline struct addr judge_local(const struct tuple *tuple, uint32_t n)
{
	if (addr_is_v4(&tuple->peer))
		return addr_from_v4(0xc6120000u | (n & 0x1ffff));
	return addr_from_halves(0x2001000200000000ull, 1 + n);
}

/* The packet that opens `tuple` from or to `local`. Both addresses must outlive it. */
static inline struct wire judge_opening(const struct tuple *tuple, const struct addr *local)
{
	enum { OPENER_PORT = 40000, SYN_ONLY = 2, PAYLOAD = 16 };
	bool v4 = addr_is_v4(&tuple->peer), out = tuple->dir == FR_EGRESS;
	struct wire w = {.v6 = !v4, .dir = tuple->dir, .proto = tuple->proto, .exact = true};

	w.local_addr = local->b + (v4 ? 12 : 0);
	w.peer_addr = tuple->peer.b + (v4 ? 12 : 0);
	if (tuple->proto == PROTO_ICMP || tuple->proto == PROTO_ICMP6) {
		w.type = tuple->port >> 8;
		w.code = (uint8_t)tuple->port;
		w.id = 0x1200;
	} else if (proto_has_ports(tuple->proto)) {
		w.local = out ? OPENER_PORT : tuple->port;
		w.peer = out ? tuple->port : OPENER_PORT;
		w.flags = SYN_ONLY;
		w.payload = tuple->proto == PROTO_TCP ? 0 : PAYLOAD;
	}
	return w;
}

/* "egress proto 6 10.0.0.1 port 443": the subject of a disagreement. 96 bytes. */
static inline char *judge_tuple_text(const struct tuple *tuple, char out[96])
{
	char addr[ADDR_TEXT];

	snprintf(out, 96, "%s proto %u peer %s port %u", tuple->dir ? "ingress" : "egress",
		 tuple->proto, addr_text(&tuple->peer, addr), tuple->port);
	return out;
}

static inline char *judge_decision_text(const struct decision *d, char out[96])
{
	static const char *const verdicts[] = {"pass", "drop", "would-drop"};

	snprintf(out, 96, "%s rule %u reason %u staged %d/%u", verdicts[d->verdict], d->rule,
		 d->reason, d->staged, d->staged ? d->staged_rule : 0);
	return out;
}

#endif
