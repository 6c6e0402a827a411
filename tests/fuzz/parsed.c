/* SPDX-License-Identifier: GPL-2.0-only */
/* The parser alone: see parsed.h. */
#include "parsed.h"

#include <stdlib.h>
#include <string.h>

#include "require.h"

static bool same_fields(const struct fr_packet *a, const struct fr_packet *b)
{
	return !memcmp(&a->key, &b->key, sizeof(a->key)) && a->length == b->length &&
	       a->peer.high == b->peer.high && a->peer.low == b->peer.low &&
	       a->fragment_id == b->fragment_id && a->seq == b->seq && a->ack == b->ack &&
	       a->payload == b->payload && a->port == b->port && a->tcp_flags == b->tcp_flags &&
	       a->hops == b->hops && a->fragment == b->fragment && a->v4 == b->v4 &&
	       a->icmp_reply == b->icmp_reply && a->outcome == b->outcome;
}

/* A plain packet is read the same by the short way. */
static void check_plain(struct fr_buffer *buffer, uint32_t offset, int v4,
			const struct fr_packet *whole)
{
	struct fr_packet p;

	memset(&p, 0xa5, sizeof(p));
	p.dir = whole->dir;
	p.key.scope = whole->key.scope;
	p.key.vlan = whole->key.vlan;
	if (packet_plain(buffer, offset, v4, &p))
		require(same_fields(&p, whole), "a plain packet is read the same by both ways");
}

static struct fr_packet parse(const struct native_packet *packet, const uint8_t *data,
			      uint32_t size)
{
	struct fr_packet p = {.dir = packet->dir, .kind = packet->kind, .length = size};
	struct fr_buffer buffer = {
		.data = (void *)data, .end = (void *)(data + size), .size = size};
	uint16_t ethertype = packet->protocol, vlan = packet->vlan & 0xfff;
	uint32_t offset = 0;

	if (packet->kind == FR_KIND_CGROUP) {
		p.outcome = FR_IP;
		vlan = 0;
	} else if (packet->l3) {
		p.outcome = packet_bare(&buffer, &offset, &ethertype);
	} else {
		p.outcome = packet_ethernet(&buffer, &offset, &ethertype, &vlan);
	}
	p.key.vlan = vlan;
	if (p.outcome != FR_IP)
		return p;
	if (ethertype != ETH_P_IP && ethertype != ETH_P_IPV6 && packet->kind != FR_KIND_CGROUP) {
		p.outcome = packet_non_ip(&buffer, offset, ethertype);
		return p;
	}
	p.outcome = packet_parse(&buffer, offset, ethertype == ETH_P_IP, &p);
	check_plain(&buffer, offset, ethertype == ETH_P_IP, &p);
	return p;
}

static struct fr_packet parse_exactly(const struct native_packet *packet, uint32_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct fr_packet p;

	require(copy, "memory");
	memcpy(copy, packet->data, size);
	p = parse(packet, copy, size);
	free(copy);
	return p;
}

struct fr_packet parsed_of(const struct native_packet *packet)
{
	return parse_exactly(packet, packet->size);
}

static bool has_ports(uint8_t proto)
{
	return proto == FR_PROTO_TCP || proto == FR_PROTO_UDP || proto == FR_PROTO_SCTP ||
	       proto == FR_PROTO_UDPLITE || proto == FR_PROTO_DCCP;
}

static void check_fields(const struct native_packet *packet, const struct fr_packet *p)
{
	bool icmp = p->key.proto == FR_PROTO_ICMP || p->key.proto == FR_PROTO_ICMP6;

	require(p->outcome <= FR_EXT_LIMIT, "an outcome that exists");
	require(p->key.vlan <= 0xfff, "a VLAN id of 12 bits");
	if (p->outcome != FR_IP)
		return;
	require(p->fragment <= FR_LATER, "a part of a fragment that exists");
	require(p->v4 == is_v4_mapped(p->key.local) && p->v4 == is_v4_mapped(p->key.peer),
		"both addresses of the packet's family");
	require(p->length <= packet->size, "no longer than the packet");
	require(p->payload <= packet->size + 8u, "a payload within the packet");
	require(!p->key.pad || icmp, "no padding in a key");
	if (p->fragment == FR_LATER || (!has_ports(p->key.proto) && !icmp))
		require(!p->key.local_port && !p->key.peer_port && !p->port,
			"no ports from nowhere");
	if (p->key.proto != FR_PROTO_TCP || p->fragment == FR_LATER)
		require(!p->tcp_flags, "flags of TCP only");
	require((p->tcp_flags & (FR_TCP_SYN | FR_TCP_FIN)) != (FR_TCP_SYN | FR_TCP_FIN),
		"no SYN with FIN");
}

/* Cut off at any place, a packet is broken, or exactly the same. */
static void check_shorter(const struct native_packet *packet, const struct fr_packet *whole)
{
	uint32_t most = packet->size < 160 ? packet->size : 160;

	for (uint32_t size = 0; size < most; size += 1 + size / 64) {
		struct fr_packet p = parse_exactly(packet, size);

		if (p.outcome != FR_IP)
			continue;
		require(whole->outcome == FR_IP, "no packet out of a broken one");
		require(!memcmp(&p.key, &whole->key, sizeof(p.key)) && p.port == whole->port &&
				p.tcp_flags == whole->tcp_flags && p.fragment == whole->fragment,
			"a packet cut short is the same, or broken");
	}
}

/* The parser of frames.c: other code, the same ports. */
static void check_layout(const struct native_packet *packet, const struct fr_packet *p)
{
	bool bare = packet->l3 || packet->kind == FR_KIND_CGROUP;
	const uint8_t *head;
	struct bytes frame = {.size = packet->size};
	struct layout at;

	memcpy(frame.data, packet->data, packet->size);
	if (p->outcome != FR_IP || !frame_layout(&frame, bare, &at))
		return;
	if (at.v4 != p->v4 || p->fragment != FR_WHOLE)
		return;
	require(at.proto == p->key.proto, "the same protocol by both readings");
	head = frame.data + at.transport;
	if (has_ports(at.proto))
		require(p->port == (head[2] << 8 | head[3]), "the same port by both readings");
	if (at.proto == FR_PROTO_TCP)
		require(p->tcp_flags == head[13], "the same flags by both readings");
}

static void check_answer(const struct native_packet *packet, const struct fr_packet *p)
{
	bool bare = packet->l3 || packet->kind == FR_KIND_CGROUP;
	uint8_t type = p->port >> 8;
	struct bytes frame = {.size = packet->size}, answer;
	struct native_packet back = *packet;
	struct fr_packet q;

	if (p->outcome != FR_IP || p->fragment != FR_WHOLE)
		return;
	if (p->key.proto == FR_PROTO_ICMP ? type != 0 && type != 8
					  : p->key.proto == FR_PROTO_ICMP6 && type >> 1 != 64)
		return;
	memcpy(frame.data, packet->data, packet->size);
	if (!frame_answer(&frame, bare, p->tcp_flags, &answer))
		return;
	back.data = answer.data;
	back.dir = !packet->dir;
	q = parsed_of(&back);
	require(q.outcome == FR_IP, "an answer is a packet");
	require(!memcmp(&p->key, &q.key, sizeof(q.key)), "both directions have one key");
}

void parsed_check(const struct native_packet *packet)
{
	struct fr_packet p = parsed_of(packet);

	check_fields(packet, &p);
	check_shorter(packet, &p);
	check_layout(packet, &p);
	check_answer(packet, &p);
}
