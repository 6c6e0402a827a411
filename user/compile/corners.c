// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tuples at which a ruleset's answers can change: first and last of every prefix and range, and
 * their neighbours. For the judges, which compare answers there; it looks at rules only, never at
 * an image, so that a mistake of the compiler cannot hide itself.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* What is asked of a listener: protocol << 16 | port. */
struct corners {
	struct addr *addrs;
	uint32_t addr_count, addr_capacity;
	uint32_t *services;
	uint32_t service_count, service_capacity;
};

static void addr_add(struct corners *corners, struct addr addr)
{
	corners->addrs = array_reserve(corners->addrs, &corners->addr_capacity,
				       corners->addr_count + 1ull, sizeof(*corners->addrs));
	corners->addrs[corners->addr_count++] = addr;
}

static void service_add(struct corners *corners, uint8_t proto, uint16_t port)
{
	corners->services =
		array_reserve(corners->services, &corners->service_capacity,
			      corners->service_count + 1ull, sizeof(*corners->services));
	corners->services[corners->service_count++] = (uint32_t)proto << 16 | port;
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

static void prefix_corners(struct corners *corners, const struct prefix *prefix)
{
	uint64_t high = addr_high(&prefix->addr), low = addr_low(&prefix->addr);
	struct addr last;

	high |= prefix->length >= 64 ? 0 : ~0ull >> prefix->length;
	if (prefix->length <= 64)
		low = ~0ull;
	else if (prefix->length < 128)
		low |= ~0ull >> (prefix->length - 64);
	last = addr_from_halves(high, low);
	addr_add(corners, prefix->addr);
	addr_add(corners, addr_step(prefix->addr, false));
	addr_add(corners, last);
	addr_add(corners, addr_step(last, true));
}

static void service_corners(struct corners *corners, const struct service *service)
{
	uint8_t proto = service->any_proto ? 250 : service->proto;

	service_add(corners, proto, service->first);
	service_add(corners, proto, service->last);
	service_add(corners, proto, service->first - 1);
	service_add(corners, proto, service->last + 1);
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

/* Sort and keep one of each; gives how many stay. */
static uint32_t array_unique(void *array, uint32_t count, size_t size,
			     int (*order)(const void *, const void *))
{
	uint8_t *base = array;
	uint32_t kept = 1;

	qsort(array, count, size, order);
	for (uint32_t i = 1; i < count; i++)
		if (order(base + (kept - 1) * size, base + i * size))
			memmove(base + kept++ * size, base + i * size, size);
	return kept;
}

static void corners_collect(const struct ruleset *rs, uint8_t dir, struct corners *corners)
{
	addr_add(corners, addr_from_v4(0));
	addr_add(corners, addr_from_v4(~0u));
	addr_add(corners, addr_from_halves(0, 0));
	addr_add(corners, addr_from_halves(~0ull, ~0ull));
	service_add(corners, PROTO_TCP, 1);
	service_add(corners, 255, 0);
	for (size_t r = 0; r < rs->rule_count; r++) {
		const struct rule *rule = &rs->rules[r];

		if (rule->dir != dir)
			continue;
		for (size_t i = 0; i < rule->peer_count; i++)
			prefix_corners(corners, &rule->peers[i]);
		for (size_t i = 0; i < rule->service_count; i++)
			service_corners(corners, &rule->services[i]);
	}
	corners->addr_count = array_unique(corners->addrs, corners->addr_count,
					   sizeof(*corners->addrs), addr_order);
	corners->service_count = array_unique(corners->services, corners->service_count,
					      sizeof(*corners->services), service_order);
}

static struct tuple corner_at(const struct corners corners[FR_DIRS], uint64_t index)
{
	uint64_t egress = (uint64_t)corners[0].addr_count * corners[0].service_count;
	uint8_t dir = index >= egress;
	const struct corners *from = &corners[dir];
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

int image_corners(const struct ruleset *rs, uint64_t seed, size_t limit, tuple_visit visit,
		  void *context)
{
	struct corners corners[FR_DIRS] = {};
	uint64_t total = 0;
	int result = 0;

	for (int i = 0; i < FR_DIRS; i++) {
		corners_collect(rs, i, &corners[i]);
		total += (uint64_t)corners[i].addr_count * corners[i].service_count;
	}
	for (size_t i = 0; i < limit && i < total && !result; i++) {
		uint64_t at = total <= limit ? i : hash_mix(seed + i * 0x9e3779b97f4a7c15) % total;
		struct tuple tuple = corner_at(corners, at);

		result = visit(&tuple, context);
	}
	for (int i = 0; i < FR_DIRS; i++) {
		free(corners[i].addrs);
		free(corners[i].services);
	}
	return result;
}
