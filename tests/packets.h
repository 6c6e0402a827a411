/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first packet of a conversation: Ethernet, IPv4 or IPv6, and what its protocol needs, for a
 * tuple and the protected party's own address and port. For BPF_PROG_TEST_RUN; checksums are 0,
 * nobody looks.
 */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "../user/compile/compile.h"

enum { PACKET_PAYLOAD = 16, PACKET_OPENER_PORT = 40000 };

struct test_packet {
	uint8_t data[sizeof(struct ethhdr) + sizeof(struct ip6_hdr) + sizeof(struct tcphdr) +
		     PACKET_PAYLOAD];
	uint32_t size;
};

/* The local address of the n-th packet: 198.18.0.0/15 or 2001:2::/48, of the tuple's family. */
static inline struct addr packet_local(const struct tuple *tuple, uint32_t n)
{
	if (addr_is_v4(&tuple->peer))
		return addr_from_v4(0xc6120000u | (n & 0x1ffff));
	return addr_from_halves(0x2001000200000000ull, 1 + n);
}

static inline uint32_t packet_tcp_header(uint8_t *at, uint16_t from, uint16_t to)
{
	struct tcphdr tcp = {.source = htons(from),
			     .dest = htons(to),
			     .doff = 5,
			     .syn = 1,
			     .window = htons(1000)};

	memcpy(at, &tcp, sizeof(tcp));
	return sizeof(tcp);
}

/* UDP and all that begin with two ports. */
static inline uint32_t packet_ports(uint8_t *at, uint16_t from, uint16_t to)
{
	struct udphdr udp = {.source = htons(from), .dest = htons(to)};

	udp.len = htons(sizeof(udp) + PACKET_PAYLOAD);
	memcpy(at, &udp, sizeof(udp));
	return sizeof(udp) + PACKET_PAYLOAD;
}

static inline uint32_t packet_transport(uint8_t *at, const struct tuple *tuple)
{
	if (tuple->proto == PROTO_TCP)
		return packet_tcp_header(at, PACKET_OPENER_PORT, tuple->port);
	if (proto_has_ports(tuple->proto))
		return packet_ports(at, PACKET_OPENER_PORT, tuple->port);
	if (tuple->proto == PROTO_ICMP || tuple->proto == PROTO_ICMP6) {
		at[0] = tuple->port >> 8;
		at[1] = tuple->port;
		at[4] = 0x12;
	}
	return 8;
}

static inline void packet_v4(uint8_t *at, const struct addr sides[2], uint8_t proto,
			     uint32_t length)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = proto,
		.tot_len = htons(sizeof(ip) + length),
		.saddr = htonl(addr_v4(&sides[0])),
		.daddr = htonl(addr_v4(&sides[1])),
	};

	memcpy(at, &ip, sizeof(ip));
}

static inline void packet_v6(uint8_t *at, const struct addr sides[2], uint8_t proto,
			     uint32_t length)
{
	struct ip6_hdr ip = {};

	ip.ip6_vfc = 6 << 4;
	ip.ip6_plen = htons(length);
	ip.ip6_nxt = proto;
	ip.ip6_hlim = 64;
	memcpy(&ip.ip6_src, sides[0].b, sizeof(sides[0].b));
	memcpy(&ip.ip6_dst, sides[1].b, sizeof(sides[1].b));
	memcpy(at, &ip, sizeof(ip));
}

/* The packet that opens `tuple` from or to `local`. */
static inline void packet_make(const struct tuple *tuple, const struct addr *local,
			       struct test_packet *out)
{
	bool v4 = addr_is_v4(&tuple->peer), out_bound = tuple->dir == FR_EGRESS;
	const struct addr sides[2] = {out_bound ? *local : tuple->peer,
				      out_bound ? tuple->peer : *local};
	struct ethhdr ethernet = {.h_proto = htons(v4 ? ETH_P_IP : ETH_P_IPV6)};
	uint32_t ip = sizeof(ethernet), transport, length;

	transport = ip + (v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr));
	memset(out, 0, sizeof(*out));
	memcpy(out->data, &ethernet, sizeof(ethernet));
	length = packet_transport(out->data + transport, tuple);
	if (v4)
		packet_v4(out->data + ip, sides, tuple->proto, length);
	else
		packet_v6(out->data + ip, sides, tuple->proto, length);
	out->size = transport + length;
}

#endif
