/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP protocols and ICMP types by name and number, from fixed tables: a policy must mean the same
 * on every host, independent of its /etc/protocols.
 */
#include <errno.h>
#include <string.h>

#include "../base/base.h"
#include "net.h"

struct proto_entry {
	uint8_t number;
	const char *name;
};

/* The first name of a number is the one that is printed. */
static const struct proto_entry protocols[] = {
	{0, "hopopt"},
	{PROTO_ICMP, "icmp"},
	{PROTO_IGMP, "igmp"},
	{4, "ipip"},
	{PROTO_TCP, "tcp"},
	{8, "egp"},
	{9, "igp"},
	{PROTO_UDP, "udp"},
	{27, "rdp"},
	{PROTO_DCCP, "dccp"},
	{41, "ipv6"},
	{46, "rsvp"},
	{47, "gre"},
	{50, "esp"},
	{51, "ah"},
	{PROTO_ICMP6, "icmpv6"},
	{PROTO_ICMP6, "ipv6-icmp"},
	{PROTO_ICMP6, "icmp6"},
	{88, "eigrp"},
	{89, "ospf"},
	{97, "etherip"},
	{103, "pim"},
	{108, "ipcomp"},
	{112, "vrrp"},
	{112, "carp"},
	{115, "l2tp"},
	{PROTO_SCTP, "sctp"},
	{PROTO_UDPLITE, "udplite"},
	{137, "mpls-in-ip"},
	{143, "ethernet"},
};

bool proto_has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP ||
	       proto == PROTO_UDPLITE || proto == PROTO_DCCP;
}

bool proto_is_any_icmp(uint8_t proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

const char *proto_name(uint8_t proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == proto)
			return protocols[i].name;
	return NULL;
}

int proto_parse(const char *text, uint8_t *out)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if ((*text | 0x20) == *protocols[i].name &&
		    strcasecmp(text, protocols[i].name) == 0) {
			*out = protocols[i].number;
			return 0;
		}
	}
	if (parse_u64(text, 255, &number))
		return -EINVAL;
	*out = (uint8_t)number;
	return 0;
}

const char *proto_nearest(const char *text)
{
	const char *names[ARRAY_SIZE(protocols)];

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		names[i] = protocols[i].name;
	return nearest_word(text, names, ARRAY_SIZE(names));
}

struct icmp_entry {
	uint8_t proto, type;
	const char *name;
};

static const struct icmp_entry icmp_types[] = {
	{PROTO_ICMP, 0, "echo-reply"},
	{PROTO_ICMP, 3, "destination-unreachable"},
	{PROTO_ICMP, 4, "source-quench"},
	{PROTO_ICMP, 5, "redirect"},
	{PROTO_ICMP, 8, "echo-request"},
	{PROTO_ICMP, 9, "router-advertisement"},
	{PROTO_ICMP, 10, "router-solicitation"},
	{PROTO_ICMP, 11, "time-exceeded"},
	{PROTO_ICMP, 12, "parameter-problem"},
	{PROTO_ICMP, 13, "timestamp-request"},
	{PROTO_ICMP, 14, "timestamp-reply"},
	{PROTO_ICMP6, 1, "destination-unreachable"},
	{PROTO_ICMP6, 2, "packet-too-big"},
	{PROTO_ICMP6, 3, "time-exceeded"},
	{PROTO_ICMP6, 4, "parameter-problem"},
	{PROTO_ICMP6, 128, "echo-request"},
	{PROTO_ICMP6, 129, "echo-reply"},
	{PROTO_ICMP6, 130, "listener-query"},
	{PROTO_ICMP6, 131, "listener-report"},
	{PROTO_ICMP6, 132, "listener-done"},
	{PROTO_ICMP6, 133, "router-solicitation"},
	{PROTO_ICMP6, 134, "router-advertisement"},
	{PROTO_ICMP6, 135, "neighbour-solicitation"},
	{PROTO_ICMP6, 135, "neighbor-solicitation"},
	{PROTO_ICMP6, 136, "neighbour-advertisement"},
	{PROTO_ICMP6, 136, "neighbor-advertisement"},
	{PROTO_ICMP6, 137, "redirect"},
	{PROTO_ICMP6, 143, "listener-report-v2"},
};

const char *icmp_type_name(uint8_t proto, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(icmp_types); i++)
		if (icmp_types[i].proto == proto && icmp_types[i].type == type)
			return icmp_types[i].name;
	return NULL;
}

const char *icmp_type_nearest(const char *text)
{
	const char *names[ARRAY_SIZE(icmp_types)];

	if (strcasecmp(text, "ping") == 0)
		return "echo-request";
	for (size_t i = 0; i < ARRAY_SIZE(icmp_types); i++)
		names[i] = icmp_types[i].name;
	return nearest_word(text, names, ARRAY_SIZE(names));
}

static int type_parse(uint8_t proto, const char *text, uint8_t *type)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(icmp_types); i++) {
		if (icmp_types[i].proto == proto && strcasecmp(icmp_types[i].name, text) == 0) {
			*type = icmp_types[i].type;
			return 0;
		}
	}
	if (parse_u64(text, 255, &number))
		return -EINVAL;
	*type = (uint8_t)number;
	return 0;
}

int icmp_type_parse(uint8_t proto, const char *text, uint8_t *type, int *code)
{
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t number;
	char word[32];
	uint8_t found;

	if (size >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, size);
	word[size] = '\0';
	if (type_parse(proto, word, &found))
		return -EINVAL;
	if (slash && parse_u64(slash + 1, 255, &number))
		return -EINVAL;
	*type = found;
	*code = slash ? (int)number : -1;
	return 0;
}
