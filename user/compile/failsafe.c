/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failsafe rules -> the list that the programs ask before the image. An entry for each peer and
 * service of a rule; what the image says of them is the same.
 */
#include <errno.h>

#include "compilation.h"

static void entry_of_peer(struct fr_failsafe_entry *entry, const struct prefix *peer)
{
	bool v4 = prefix_is_v4(peer);
	unsigned length = v4 ? peer->length - 96 : peer->length;

	entry->high = v4 ? (uint64_t)addr_v4(&peer->addr) << 32 : addr_high(&peer->addr);
	entry->low = v4 ? 0 : addr_low(&peer->addr);
	entry->mask_high = mask_high(length);
	entry->mask_low = mask_low(length);
	entry->ask |= v4 ? FR_ASK_V4 : 0;
	entry->mask_ask |= FR_ASK_V4;
}

static void entry_of_service(struct fr_failsafe_entry *entry, const struct service *service)
{
	entry->first = service->first;
	entry->last = service->last;
	if (service->any_proto)
		return;
	entry->ask |= (uint32_t)service->proto << FR_ASK_PROTO;
	entry->mask_ask |= 255u << FR_ASK_PROTO;
}

static uint64_t entry_count(const struct rule *rule)
{
	return (uint64_t)(rule->any_peer ? 1 : rule->peer_count) * rule->service_count;
}

static void rule_add(const struct rule *rule, uint32_t number, struct fr_failsafe *out)
{
	size_t peers = rule->any_peer ? 1 : rule->peer_count;

	for (size_t i = 0; i < peers; i++)
		for (size_t j = 0; j < rule->service_count; j++) {
			struct fr_failsafe_entry *entry = &out->entry[out->count++];

			entry->rule = number;
			entry->ask = (uint32_t)rule->dir << FR_ASK_OPENER;
			entry->mask_ask = 1u << FR_ASK_OPENER;
			entry_of_service(entry, &rule->services[j]);
			if (!rule->any_peer)
				entry_of_peer(entry, &rule->peers[i]);
		}
}

static int too_many(const struct compilation *c, const struct rule *rule)
{
	return diag_error(
		c->d, rule->loc, -E2BIG, "failsafe-too-long",
		"name a prefix for neighbouring peers and a range for neighbouring ports",
		"failsafe has more than %d pairs of a peer and a service, which is the most",
		FR_FAILSAFE_ENTRIES);
}

int failsafe_compile(const struct compilation *c, struct fr_failsafe *out)
{
	for (uint32_t r = 0; r < c->rs->rule_count; r++) {
		const struct rule *rule = &c->rs->rules[r];

		if (rule->action != FR_FAILSAFE_ALLOW)
			continue;
		if (entry_count(rule) > FR_FAILSAFE_ENTRIES - out->count)
			return too_many(c, rule);
		rule_add(rule, FR_RULE_FIRST + r, out);
	}
	return 0;
}
