/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answers of a rule: who may answer a datagram beside the address and port that it asked.
 */
#include "policy.h"

bool rule_asks_by_udp(const struct rule *rule)
{
	for (size_t i = 0; i < rule->service_count && rule->action != FR_DENY; i++)
		if (rule->services[i].any_proto || rule->services[i].proto == PROTO_UDP)
			return true;
	return false;
}

uint8_t rule_answers(const struct rule *rule)
{
	return rule_asks_by_udp(rule) ? rule->answers : FR_ANSWERS_PEER;
}

unsigned answers_width(uint8_t answers)
{
	static const uint8_t widths[FR_ANSWERS_COUNT] = {[FR_ANSWERS_PEER] = 0,
							 [FR_ANSWERS_DEFAULT] = 1,
							 [FR_ANSWERS_PEER_ANY_PORT] = 2,
							 [FR_ANSWERS_GROUP] = 3};

	return widths[answers];
}
