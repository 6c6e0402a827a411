/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes the first packet of a connection, or a datagram, from the header of the link on. */
#include <string.h>

#include "net.h"

enum {
	ETHERNET_HEADER = 14,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	TCP_SYN = 2,
	HOPS = 64,
	OTHER_BYTES = 24 /* behind the IP header, of any other protocol */
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t write_transport(const struct opening *opening, uint8_t *at)
{
	const struct tuple *tuple = &opening->tuple;

	if (proto_is_any_icmp(tuple->proto)) {
		put16(at, tuple->port);
		put16(at + 4, opening->opener_port); /* of echoes: their number */
		return OTHER_BYTES;
	}
	if (!proto_has_ports(tuple->proto))
		return OTHER_BYTES;
	put16(at, opening->opener_port);
	put16(at + 2, tuple->port);
	if (tuple->proto == PROTO_TCP) {
		at[12] = TCP_HEADER / 4 << 4;
		at[13] = TCP_SYN;
		return TCP_HEADER;
	}
	if (tuple->proto != PROTO_SCTP) /* whose first packet has no verification tag */
		put16(at + 4, OTHER_BYTES);
	return OTHER_BYTES;
}

uint32_t packet_opening(const struct opening *opening, uint8_t out[PACKET_MAX])
{
	const struct addr *from = opening->outgoing ? &opening->local : &opening->tuple.peer;
	const struct addr *to = opening->outgoing ? &opening->tuple.peer : &opening->local;
	bool v4 = addr_is_v4(&opening->tuple.peer);
	uint32_t head = v4 ? IPV4_HEADER : IPV6_HEADER, length;
	uint8_t *ip = out + (opening->ethernet ? ETHERNET_HEADER : 0);

	memset(out, 0, PACKET_MAX);
	if (opening->ethernet)
		put16(out + ETHERNET_HEADER - 2, v4 ? TYPE_IPV4 : TYPE_IPV6);
	length = write_transport(opening, ip + head);
	if (v4) {
		ip[0] = 4 << 4 | IPV4_HEADER / 4;
		put16(ip + 2, head + length);
		ip[8] = HOPS;
		ip[9] = opening->tuple.proto;
		memcpy(ip + 12, from->b + 12, 4);
		memcpy(ip + 16, to->b + 12, 4);
	} else {
		ip[0] = 6 << 4;
		put16(ip + 4, length);
		ip[6] = opening->tuple.proto;
		ip[7] = HOPS;
		memcpy(ip + 8, from->b, 16);
		memcpy(ip + 24, to->b, 16);
	}
	return (uint32_t)(ip - out) + head + length;
}
