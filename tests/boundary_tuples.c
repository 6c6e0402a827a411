/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First and last of every prefix and range, and their neighbours. Derived from the rules, never
 * from an image: so a compiler bug cannot hide itself.
 */
#include <stdlib.h>
#include <string.h>

#include "boundary_tuples.h"

/* A service is the listener's protocol << 16 | port. */
struct bounds {
	struct arena *arena;
	struct addr *addrs;
	size_t addr_count, addr_capacity;
	uint32_t *services;
	size_t service_count, service_capacity;
};

static void addr_add(struct bounds *bounds, struct addr addr)
{
	bounds->addrs = arena_grow(bounds->arena, bounds->addrs, bounds->addr_count,
				   &bounds->addr_capacity, sizeof(*bounds->addrs));
	bounds->addrs[bounds->addr_count++] = addr;
}

static void service_add(struct bounds *bounds, uint8_t proto, uint16_t port)
{
	bounds->services = arena_grow(bounds->arena, bounds->services, bounds->service_count,
				      &bounds->service_capacity, sizeof(*bounds->services));
	bounds->services[bounds->service_count++] = (uint32_t)proto << 16 | port;
}

static struct addr addr_step(struct addr addr, bool up)
{
	uint64_t high = addr_high(&addr), low = addr_low(&addr);

	if (up) {
		low++;
		high += !low;
	} else {
		high -= !low;
		low--;
	}
	return addr_from_halves(high, low);
}

static void prefix_bounds(struct bounds *bounds, const struct prefix *prefix)
{
	uint64_t high = addr_high(&prefix->addr), low = addr_low(&prefix->addr);
	struct addr last;

	high |= prefix->length >= 64 ? 0 : ~0ull >> prefix->length;
	if (prefix->length <= 64)
		low = ~0ull;
	else if (prefix->length < 128)
		low |= ~0ull >> (prefix->length - 64);
	last = addr_from_halves(high, low);
	addr_add(bounds, prefix->addr);
	addr_add(bounds, addr_step(prefix->addr, false));
	addr_add(bounds, last);
	addr_add(bounds, addr_step(last, true));
}

static void service_bounds(struct bounds *bounds, const struct service *service)
{
	uint8_t proto = service->any_proto ? 250 : service->proto;

	service_add(bounds, proto, service->first);
	service_add(bounds, proto, service->last);
	service_add(bounds, proto, service->first - 1);
	service_add(bounds, proto, service->last + 1);
}

static int addr_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static int service_order(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Sort and remove duplicates; returns the number left. */
static size_t array_unique(void *array, size_t count, size_t size,
			   int (*order)(const void *, const void *))
{
	uint8_t *base = array;
	size_t kept = 1;

	qsort(array, count, size, order);
	for (size_t i = 1; i < count; i++)
		if (order(base + (kept - 1) * size, base + i * size))
			memmove(base + kept++ * size, base + i * size, size);
	return kept;
}

static void bounds_collect(const struct ruleset *rs, uint8_t dir, struct bounds *bounds)
{
	addr_add(bounds, addr_from_v4(0));
	addr_add(bounds, addr_from_v4(~0u));
	addr_add(bounds, addr_from_halves(0, 0));
	addr_add(bounds, addr_from_halves(~0ull, ~0ull));
	service_add(bounds, PROTO_TCP, 1);
	service_add(bounds, 255, 0);
	for (size_t r = 0; r < rs->rule_count; r++) {
		const struct rule *rule = &rs->rules[r];

		if (rule->dir != dir)
			continue;
		for (size_t i = 0; i < rule->peer_count; i++)
			prefix_bounds(bounds, &rule->peers[i]);
		for (size_t i = 0; i < rule->service_count; i++)
			service_bounds(bounds, &rule->services[i]);
	}
	bounds->addr_count =
		array_unique(bounds->addrs, bounds->addr_count, sizeof(*bounds->addrs), addr_order);
	bounds->service_count = array_unique(bounds->services, bounds->service_count,
					     sizeof(*bounds->services), service_order);
}

static uint64_t mixed(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93;
	return value ^ value >> 32;
}

static struct tuple tuple_at(const struct bounds bounds[FR_DIRS], uint64_t index)
{
	uint64_t egress = (uint64_t)bounds[0].addr_count * bounds[0].service_count;
	uint8_t dir = index >= egress;
	const struct bounds *from = &bounds[dir];
	uint32_t service;

	index -= dir ? egress : 0;
	service = from->services[index % from->service_count];
	return (struct tuple){
		.dir = dir,
		.proto = service >> 16,
		.port = service,
		.peer = from->addrs[index / from->service_count],
	};
}

int boundary_tuples(const struct ruleset *rs, uint64_t seed, size_t limit, tuple_visit visit,
		    void *context)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct bounds bounds[FR_DIRS] = {0};
	uint64_t total = 0;
	int result = 0;

	for (int i = 0; i < FR_DIRS; i++) {
		bounds[i].arena = arena;
		bounds_collect(rs, i, &bounds[i]);
		total += (uint64_t)bounds[i].addr_count * bounds[i].service_count;
	}
	for (size_t i = 0; i < limit && i < total && !result; i++) {
		uint64_t at = total <= limit ? i : mixed(seed + i * 0x9e3779b97f4a7c15) % total;
		struct tuple tuple = tuple_at(bounds, at);

		result = visit(&tuple, context);
	}
	return result;
}
