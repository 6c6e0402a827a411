/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing: from a socket buffer to a struct fr_packet. No maps, no policy. It compiles natively
 * too, over a plain buffer, so that tests and fuzzers run the same code as the kernel. A
 * header that is not in the linear part is read by helper, never guessed; a read past the packet is
 * "malformed".
 */
#ifndef FR_PACKET_H
#define FR_PACKET_H

#include "image.h"
#include "join.h"

#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

/* The packet that is parsed: the linear part [data, end) of `size` bytes; the rest by helper. */
struct fr_buffer {
	void *data, *end;
	__u32 size;
	__u64 zero; /* 0; in the kernel one that the verifier cannot know, see join.h */
#ifdef __bpf__
	struct __sk_buff *skb;
#endif
};

#ifdef __bpf__
#include <bpf/bpf_endian.h>
#define packet_ntohs(x) bpf_ntohs(x)
#define packet_ntohl(x) bpf_ntohl(x)
#define PACKET_READ_REST(buffer, offset, var)                                                      \
	bpf_skb_load_bytes((buffer)->skb, (offset), &(var), sizeof(var))
#else
#include <arpa/inet.h>
#define packet_ntohs(x) ntohs(x)
#define packet_ntohl(x) ntohl(x)
#define PACKET_READ_REST(buffer, offset, var) (-1L)
#endif

enum { PACKET_OFFSET_MAX = 0x3fff }; /* headers end before it; the verifier needs the bound */

/* Typed loads: the compiler then reads words, not bytes. Not 0: past the end of the packet. */
#define PACKET_READ(buffer, offset, var)                                                           \
	({                                                                                         \
		__u64 where_ = (offset);                                                           \
		__typeof__(var) *at_;                                                              \
		long err_ = 0;                                                                     \
		PACKET_PIN(where_);                                                                \
		at_ = (buffer)->data + (where_ & PACKET_OFFSET_MAX);                               \
		PACKET_PIN(at_);                                                                   \
		if (where_ <= PACKET_OFFSET_MAX && (void *)(at_ + 1) <= (buffer)->end)             \
			__builtin_memcpy(&(var), PACKET_TYPED(at_), sizeof(var));                  \
		else                                                                               \
			err_ = PACKET_READ_REST(buffer, offset, var);                              \
		err_;                                                                              \
	})
#ifdef __bpf__
#define PACKET_TYPED(at) (at)
#define PACKET_PIN(at)                                                                             \
	barrier_var(at) /* check and access one register, or the verifier is lost                  \
			 */
#else
#define PACKET_PIN(at)
#define PACKET_TYPED(at) ((const void *)(at)) /* no alignment to promise */
#endif

/* Reload the bounds of the packet: the verifier forgets the proven lengths of each path. */
static __always_inline void packet_rewind(struct fr_buffer *buffer)
{
#ifdef __bpf__
	buffer->data = (void *)(long)buffer->skb->data;
	buffer->end = (void *)(long)buffer->skb->data_end;
#else
	(void)buffer;
#endif
}

enum { /* numbers that the UAPI headers spread over many files */
       FR_PROTO_ICMP = 1,
       FR_PROTO_IGMP = 2,
       FR_PROTO_TCP = 6,
       FR_PROTO_UDP = 17,
       FR_PROTO_DCCP = 33,
       FR_PROTO_ICMP6 = 58,
       FR_PROTO_SCTP = 132,
       FR_PROTO_UDPLITE = 136,
       FR_TCP_FIN = 0x01,
       FR_TCP_SYN = 0x02,
       FR_TCP_RST = 0x04,
       FR_TCP_ACK = 0x10,
       FR_ETH_LLDP = 0x88cc,
       FR_ETH_EAPOL = 0x888e,
       FR_ETH_SLOW = 0x8809,
       FR_LLC_STP = 0x4242,
};

/* The result of parsing. */
enum fr_outcome {
	FR_IP,		 /* everything below is valid */
	FR_NON_IP_KNOWN, /* ARP, LLDP, EAPOL, LACP, STP */
	FR_NON_IP,	 /* any other ethertype */
	FR_BROKEN,	 /* truncated or impossible header, or more tags than are walked */
	FR_EXT_LIMIT,	 /* more IPv6 extension headers than FR_EXT_HEADERS_MAX */
};

enum fr_fragment_part { FR_WHOLE, FR_FIRST, FR_LATER };

struct fr_packet {
	struct fr_flow_key key;
	__u32 length; /* L3 bytes */
	struct fr_peer peer;
	__u32 fragment_id;
	__u32 packets;	/* on the wire: GSO segments */
	__u32 seq, ack; /* TCP */
	__u16 payload;	/* offset of the transport header, then of the data after the part read */
	__u16 port;	/* the listener's, if this packet opens; ICMP: its own type << 8 | code */
	__u8 dir;	/* enum fr_dir */
	__u8 kind;	/* enum fr_kind */
	__u8 tcp_flags;
	__u8 hops;     /* TTL or hop limit */
	__u8 fragment; /* enum fr_fragment_part */
	__u8 v4;
	__u8 icmp_reply; /* answers a request: its flow was opened by the other side */
	__u8 outcome;	 /* enum fr_outcome */
};

static __always_inline void packet_peer(struct fr_peer *peer, const __u8 address[16], __u8 v4)
{
	__u32 words[4];

	__builtin_memcpy(words, address, sizeof(words));
	peer->high = (__u64)packet_ntohl(words[0]) << 32 | packet_ntohl(words[1]);
	peer->low = (__u64)packet_ntohl(words[2]) << 32 | packet_ntohl(words[3]);
	if (v4) {
		peer->high = peer->low << 32;
		peer->low = 0;
	}
}

static __always_inline void packet_v4_mapped(__u8 address[16])
{
	__u32 words[3] = {0, 0, packet_ntohl(0xffff)};

	__builtin_memcpy(address, words, sizeof(words));
}

static __always_inline __u8 packet_part(int offset, int more)
{
	if (offset)
		return FR_LATER;
	return more ? FR_FIRST : FR_WHOLE;
}

static __always_inline int packet_ipv4(struct fr_buffer *buffer, __u32 offset, struct fr_packet *p)
{
	struct iphdr ip;
	__u32 head, total;
	__u16 fragment;

	if (PACKET_READ(buffer, offset, ip))
		return FR_BROKEN;
	head = ip.ihl * 4;
	total = packet_ntohs(ip.tot_len);
	fragment = packet_ntohs(ip.frag_off);
	if (!total) /* BIG TCP */
		total = buffer->size - offset;
	if (ip.version != 4 || head < sizeof(ip) || total < head)
		return FR_BROKEN;
	p->length = total;
	p->v4 = 1;
	p->hops = ip.ttl;
	p->fragment_id = packet_ntohs(ip.id);
	p->fragment = packet_part(fragment & 0x1fff, fragment & 0x2000);
	if ((fragment & 0x1fff) == 1 && ip.protocol == FR_PROTO_TCP)
		return FR_BROKEN; /* would overwrite the flags that the first one was judged by */
	packet_v4_mapped(p->key.local);
	packet_v4_mapped(p->key.peer);
	__builtin_memcpy(p->key.local + 12, p->dir == FR_EGRESS ? &ip.saddr : &ip.daddr, 4);
	__builtin_memcpy(p->key.peer + 12, p->dir == FR_EGRESS ? &ip.daddr : &ip.saddr, 4);
	p->key.proto = ip.protocol;
	p->payload = offset + head;
	return FR_IP;
}

/* Hop-by-hop, routing, fragment, authentication, destination options. */
static __always_inline int is_extension(__u8 next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
}

/* The extension headers up to the transport; p->key.proto and p->payload move along. */
static __always_inline int packet_ipv6_chain(struct fr_buffer *buffer, struct fr_packet *p)
{
	__u32 offset = p->payload;
	__u8 next = p->key.proto;

#pragma GCC unroll 7
	for (int i = 0; i <= FR_EXT_HEADERS_MAX; i++) {
		struct {
			__u8 next, length;
			__u16 fragment;
			__u32 id;
		} ext;

		FR_JOIN(buffer->zero, next, offset, p->fragment);
		p->key.proto = next;
		p->payload = offset;
		packet_rewind(buffer);
		if (!is_extension(next))
			return FR_IP;
		if (i == FR_EXT_HEADERS_MAX)
			break;
		if (PACKET_READ(buffer, offset, ext))
			return FR_BROKEN;
		if (next == 44) {
			__u16 fragment = packet_ntohs(ext.fragment);

			p->fragment_id = packet_ntohl(ext.id);
			p->fragment = packet_part(fragment & 0xfff8, fragment & 1);
			if (p->fragment == FR_LATER) {
				p->key.proto = ext.next;
				return (fragment & 0xfff8) == 8 && ext.next == FR_PROTO_TCP
					       ? FR_BROKEN
					       : FR_IP;
			}
			offset += 8;
		} else {
			offset += next == 51 ? (ext.length + 2) * 4 : (ext.length + 1) * 8;
		}
		next = ext.next;
	}
	return FR_EXT_LIMIT;
}

struct fr_address {
	__u32 word[4];
};

/* Straight into the key: a copy of the header would cost stack that the verifier counts. */
static __always_inline int packet_ipv6_sides(struct fr_buffer *buffer, __u32 offset,
					     struct fr_packet *p)
{
	struct fr_address *local = (struct fr_address *)p->key.local;
	struct fr_address *peer = (struct fr_address *)p->key.peer;

	if (p->dir == FR_EGRESS)
		return PACKET_READ(buffer, offset, *local) ||
		       PACKET_READ(buffer, offset + 16, *peer);
	return PACKET_READ(buffer, offset, *peer) || PACKET_READ(buffer, offset + 16, *local);
}

/* ::ffff:a.b.c.d in an IPv6 header: no such packet is sent, and its key would be an IPv4 flow's. */
static __always_inline int is_v4_mapped(const __u8 address[16])
{
	__u32 words[3];

	__builtin_memcpy(words, address, sizeof(words));
	return !(words[0] | words[1] | (words[2] ^ packet_ntohl(0xffff)));
}

static __always_inline int packet_has_v4_mapped(const struct fr_packet *p)
{
	return is_v4_mapped(p->key.local) | is_v4_mapped(p->key.peer);
}

static __always_inline int packet_ipv6(struct fr_buffer *buffer, __u32 offset, struct fr_packet *p)
{
	struct {
		__u8 version, flow[3];
		__u16 payload;
		__u8 next, hops;
	} ip;

	if (PACKET_READ(buffer, offset, ip) || ip.version >> 4 != 6 ||
	    packet_ipv6_sides(buffer, offset + sizeof(ip), p))
		return FR_BROKEN;
	if (packet_has_v4_mapped(p))
		return FR_BROKEN;
	p->length = packet_ntohs(ip.payload) + sizeof(struct ipv6hdr);
	if (!ip.payload) /* jumbo, BIG TCP */
		p->length = buffer->size - offset;
	p->v4 = 0;
	p->hops = ip.hops;
	p->fragment = FR_WHOLE;
	p->key.proto = ip.next;
	p->payload = offset + sizeof(struct ipv6hdr);
	return packet_ipv6_chain(buffer, p);
}

/* The IP header at `offset`: addresses, protocol, fragment; p->payload is the transport's offset.
 */
static __always_inline int packet_ip(struct fr_buffer *buffer, __u32 offset, int v4,
				     struct fr_packet *p)
{
	int outcome = v4 ? packet_ipv4(buffer, offset, p) : packet_ipv6(buffer, offset, p);

	if (outcome == FR_IP)
		packet_peer(&p->peer, p->key.peer, p->v4);
	return outcome;
}

/* The request type that an ICMP answer belongs to, or -1 when the type is no answer. */
static __always_inline int icmp_request_of(__u8 proto, __u8 type)
{
	if (proto == FR_PROTO_ICMP6) {
		if (type == 129)
			return 128;
		return type == 140 ? 139 : -1;
	}
	if (type == 0)
		return 8;
	if (type == 14)
		return 13;
	if (type == 16)
		return 15;
	return type == 18 ? 17 : -1;
}

/* Which requests have an identifier in their third word. */
static __always_inline int icmp_has_id(__u8 proto, __u8 type)
{
	return proto == FR_PROTO_ICMP6 ? type == 128
				       : type == 8 || type == 13 || type == 15 || type == 17;
}

static __always_inline void packet_icmp(struct fr_packet *p, const __u8 head[8])
{
	int request = icmp_request_of(p->key.proto, head[0]);
	__u8 type = request < 0 ? head[0] : request;

	p->port = (__u16)(head[0] << 8 | head[1]);
	p->icmp_reply = request >= 0;
	p->key.peer_port = (__u16)(type << 8 | head[1]);
	p->key.local_port = icmp_has_id(p->key.proto, type) ? (__u16)(head[4] << 8 | head[5]) : 0;
	/* Both sides may ping with one identifier: the opener's direction distinguishes the two. */
	p->key.pad = p->icmp_reply ? !p->dir : p->dir;
}

static __always_inline void packet_join(struct fr_packet *p, __u64 zero)
{
	__u32 *words = (__u32 *)&p->key;

#pragma GCC unroll 3
	for (unsigned int i = 0; i < 3; i++) /* v4-mapped, or not */
		FR_JOIN(zero, words[i], words[i + 4]);
	FR_JOIN(zero, p->peer.high, p->peer.low, p->length, p->fragment_id, p->payload);
	FR_JOIN(zero, p->fragment, p->v4, p->key.proto);
}

/* The same for the fields of the transport header. */
static __always_inline void packet_join_ports(struct fr_packet *p, __u64 zero)
{
	FR_JOIN(zero, p->key.local_port, p->key.peer_port, p->key.pad, p->port);
	FR_JOIN(zero, p->seq, p->ack, p->tcp_flags, p->icmp_reply);
}

/* Joins all words of the packet, so that the verifier follows one path from here on. `dir` and
 * `kind` are constants of the program, and stay. */
static __always_inline void packet_join_all(struct fr_packet *p, __u64 zero)
{
	__u32 *words = (__u32 *)p;
	__u8 dir = p->dir, kind = p->kind;

#pragma GCC unroll 32
	for (unsigned int i = 0; i < sizeof(*p) / sizeof(*words); i++)
		FR_JOIN(zero, words[i]);
	p->dir = dir;
	p->kind = kind;
}

static __always_inline int proto_is_icmp(__u8 proto)
{
	return proto == FR_PROTO_ICMP || proto == FR_PROTO_ICMP6;
}

static __always_inline int proto_is_parsed(__u8 proto)
{
	return proto == FR_PROTO_TCP || proto == FR_PROTO_UDP || proto_is_icmp(proto) ||
	       proto == FR_PROTO_SCTP || proto == FR_PROTO_UDPLITE || proto == FR_PROTO_DCCP;
}

/* The first words of TCP, UDP and the like, as they are on the wire. `seq` is of use for TCP and
 * SCTP. */
static __always_inline void packet_ports(struct fr_packet *p, __u16 from, __u16 to, __u32 seq)
{
	p->port = packet_ntohs(to);
	p->key.local_port = p->dir == FR_EGRESS ? packet_ntohs(from) : p->port;
	p->key.peer_port = p->dir == FR_EGRESS ? p->port : packet_ntohs(from);
	p->seq = packet_ntohl(seq);
}

/* The first 8 bytes of the transport header. */
static __always_inline int packet_transport(struct fr_buffer *buffer, struct fr_packet *p)
{
	struct {
		__u32 word[2];
	} head;
	const __u8 *byte = (const __u8 *)&head;

	if (!proto_is_parsed(p->key.proto))
		return FR_IP;
	if (PACKET_READ(buffer, p->payload, head))
		return FR_BROKEN;
	p->payload += sizeof(head);
	if (proto_is_icmp(p->key.proto)) {
		packet_icmp(p, byte);
		return FR_IP;
	}
	packet_ports(p, (__u16)(byte[0] | byte[1] << 8), (__u16)(byte[2] | byte[3] << 8),
		     head.word[1]);
	return FR_IP;
}

/* A SYN neither ends nor resets a connection. */
static __always_inline int tcp_flags_are_broken(__u8 flags)
{
	return (flags & FR_TCP_SYN) && (flags & (FR_TCP_FIN | FR_TCP_RST));
}

/* The acknowledgement number and the flags; the rest of the fixed header has to be there. */
static __always_inline int packet_tcp(struct fr_buffer *buffer, struct fr_packet *p)
{
	struct {
		__u32 word[3];
	} rest;

	if (PACKET_READ(buffer, p->payload, rest))
		return FR_BROKEN;
	p->payload += sizeof(rest);
	p->ack = packet_ntohl(rest.word[0]);
	p->tcp_flags = ((const __u8 *)&rest)[5];
	return tcp_flags_are_broken(p->tcp_flags) ? FR_BROKEN : FR_IP;
}

/*
 * An IP packet at `offset`. p->dir and p->kind are set before; key.scope and key.vlan are the
 * caller's.
 */
static __always_inline int packet_parse(struct fr_buffer *buffer, __u32 offset, int v4,
					struct fr_packet *p)
{
	int outcome = packet_ip(buffer, offset, v4, p);

	if (outcome == FR_IP && p->length > buffer->size - offset)
		return FR_BROKEN;
	packet_join(p, buffer->zero);
	packet_rewind(buffer);
	if (outcome != FR_IP || p->fragment == FR_LATER)
		return outcome;
	outcome = packet_transport(buffer, p);
	if (outcome == FR_IP && p->key.proto == FR_PROTO_TCP)
		outcome = packet_tcp(buffer, p);
	packet_join_ports(p, buffer->zero);
	if (outcome == FR_IP && p->payload - offset > p->length)
		return FR_BROKEN; /* read from the padding of the frame */
	return outcome;
}

/* ---------------------------------------------------------------- plain packets
 *
 * Most packets: TCP or UDP, whole, behind an IPv4 header without options or an IPv6 header without
 * extensions, and linear. They are read in a fraction of the instructions of packet_parse(), with
 * the same result. Returns 0 for any other packet, and then nothing in `p` is of use. Constants are
 * made of `zero`: so the verifier takes the packet for one that packet_parse() has read (join.h).
 */

struct packet_services {
	__u16 from, to;
	__u32 seq; /* TCP; UDP has its length and checksum here */
};

struct packet_plain4 {
	__u8 version, service;
	__u16 total, id, fragment;
	__u8 hops, proto;
	__u16 sum;
	__u32 from, to;
	struct packet_services ports;
};

struct packet_plain6 {
	__u8 version, flow[3];
	__u16 length;
	__u8 proto, hops;
};

/* 0: not linear. No fallback, so that the copy stays in registers. */
#define PACKET_LINEAR(buffer, offset, var)                                                         \
	({                                                                                         \
		__typeof__(var) *at_ = (buffer)->data + (offset);                                  \
		int is_;                                                                           \
		PACKET_PIN(at_);                                                                   \
		is_ = (void *)(at_ + 1) <= (buffer)->end;                                          \
		if (is_)                                                                           \
			__builtin_memcpy(&(var), PACKET_TYPED(at_), sizeof(var));                  \
		is_;                                                                               \
	})

static __always_inline void packet_plain_side4(__u8 side[16], __u32 address, __u64 zero)
{
	__u64 words[2] = {zero, zero ^ ((__u64)address << 32 | packet_ntohl(0xffff))};

	__builtin_memcpy(side, words, sizeof(words));
}

static __always_inline int packet_plain_ip4(struct fr_buffer *buffer, __u32 offset,
					    struct fr_packet *p, struct packet_services *ports)
{
	struct packet_plain4 ip;

	if (!PACKET_LINEAR(buffer, offset, ip) || ip.version != 0x45 ||
	    ip.fragment & packet_ntohs(0x3fff))
		return 0;
	p->key.proto = ip.proto;
	p->length = packet_ntohs(ip.total);
	p->hops = ip.hops;
	p->fragment_id = packet_ntohs(ip.id);
	p->v4 = 1 ^ buffer->zero;
	p->payload = offset + 20 + (__u32)buffer->zero;
	packet_plain_side4(p->key.local, p->dir == FR_EGRESS ? ip.from : ip.to, buffer->zero);
	packet_plain_side4(p->key.peer, p->dir == FR_EGRESS ? ip.to : ip.from, buffer->zero);
	p->peer.high = (__u64)packet_ntohl(p->dir == FR_EGRESS ? ip.to : ip.from) << 32;
	p->peer.low = buffer->zero;
	*ports = ip.ports;
	return 1;
}

static __always_inline int packet_plain_ip6(struct fr_buffer *buffer, __u32 offset,
					    struct fr_packet *p, struct packet_services *ports)
{
	struct fr_address *from = (struct fr_address *)p->key.peer;
	struct fr_address *to = (struct fr_address *)p->key.local;
	struct packet_plain6 ip;

	if (p->dir == FR_EGRESS) {
		from = (struct fr_address *)p->key.local;
		to = (struct fr_address *)p->key.peer;
	}
	if (!PACKET_LINEAR(buffer, offset + 40, *ports) || !PACKET_LINEAR(buffer, offset, ip) ||
	    !PACKET_LINEAR(buffer, offset + 8, *from) || !PACKET_LINEAR(buffer, offset + 24, *to))
		return 0;
	if (ip.version >> 4 != 6 || !ip.length || packet_has_v4_mapped(p))
		return 0;
	p->key.proto = ip.proto;
	p->length = packet_ntohs(ip.length) + sizeof(struct ipv6hdr);
	p->hops = ip.hops;
	p->fragment_id = p->v4 = buffer->zero;
	p->payload = offset + sizeof(struct ipv6hdr) + (__u32)buffer->zero;
	packet_peer(&p->peer, p->key.peer, 0);
	return 1;
}

/* The acknowledgement number and the flags. */
static __always_inline int packet_plain_tcp(struct fr_buffer *buffer, __u32 offset,
					    struct fr_packet *p)
{
	struct {
		__u32 ack;
		__u8 data, flags;
		__u16 window;
		__u32 rest;
	} tcp;

	if (!PACKET_LINEAR(buffer, offset, tcp) || tcp_flags_are_broken(tcp.flags))
		return 0;
	p->ack = packet_ntohl(tcp.ack);
	p->tcp_flags = tcp.flags;
	p->payload += 20;
	return 1;
}

static __always_inline int packet_plain(struct fr_buffer *buffer, __u32 offset, int v4,
					struct fr_packet *p)
{
	__u32 head = v4 ? 20 : 40;
	struct packet_services ports;

	if (!(v4 ? packet_plain_ip4(buffer, offset, p, &ports)
		 : packet_plain_ip6(buffer, offset, p, &ports)))
		return 0;
	packet_ports(p, ports.from, ports.to, ports.seq);
	p->key.pad = p->icmp_reply = p->fragment = buffer->zero;
	p->outcome = FR_IP ^ buffer->zero;
	p->ack = p->tcp_flags = buffer->zero;
	if (p->key.proto == FR_PROTO_TCP) {
		if (!packet_plain_tcp(buffer, offset + head + 8, p))
			return 0;
	} else if (p->key.proto == FR_PROTO_UDP) {
		p->payload += 8;
	} else {
		return 0;
	}
	FR_JOIN(buffer->zero, p->key.proto, p->tcp_flags, p->payload);
	return p->payload - offset <= p->length && p->length <= buffer->size - offset;
}

static __always_inline int is_vlan_tag(__u16 ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

/*
 * The ethertype behind the in-band tags; *offset and *vlan, the outermost VLAN id so far, move
 * along. A tag with id 0 has only a priority: a receiver strips any number of them. A packet behind
 * more tags than are walked may be IP to a receiver, and is refused.
 */
static __always_inline int packet_ethernet(struct fr_buffer *buffer, __u32 *offset,
					   __u16 *ethertype, __u16 *vlan)
{
	__u32 vlans = !!*vlan;
	__u16 type;

	if (PACKET_READ(buffer, __builtin_offsetof(struct ethhdr, h_proto), type))
		return FR_BROKEN;
	*ethertype = packet_ntohs(type);
	*offset = sizeof(struct ethhdr);
#pragma GCC unroll 1
	for (int i = 0; is_vlan_tag(*ethertype); i++) {
		struct {
			__u16 tci, type;
		} tag;
		__u16 id;

		packet_rewind(buffer);
		if (i == FR_TAGS_MAX || PACKET_READ(buffer, *offset, tag))
			return FR_BROKEN;
		id = packet_ntohs(tag.tci) & 0xfff;
		vlans += !!id;
		if (vlans > FR_VLAN_TAGS_MAX)
			return FR_BROKEN;
		if (!*vlan)
			*vlan = id;
		*ethertype = packet_ntohs(tag.type);
		*offset += sizeof(tag);
		FR_JOIN(buffer->zero, *offset, *vlan, vlans);
	}
	FR_JOIN(buffer->zero, *offset, *vlan);
	packet_rewind(buffer);
	return FR_IP;
}

/*
 * On a device without Ethernet the first byte gives the protocol of a packet: a sender with a
 * packet socket may give it any ethertype. But the kernel takes the ethertype of a tag for one, and
 * delivers the packet behind it.
 */
static __always_inline __u16 packet_ethertype(__u32 version)
{
	if (version == 4)
		return ETH_P_IP;
	return version == 6 ? ETH_P_IPV6 : 0;
}

static __always_inline int packet_bare(struct fr_buffer *buffer, __u32 *offset, __u16 *ethertype)
{
	__u8 first;

	if (is_vlan_tag(*ethertype) || PACKET_READ(buffer, 0, first))
		return FR_BROKEN;
	*ethertype = packet_ethertype(first >> 4);
	FR_JOIN(buffer->zero, *ethertype, *offset);
	packet_rewind(buffer);
	return FR_IP;
}

/* Packets that are not IP. */
static __always_inline int packet_non_ip(struct fr_buffer *buffer, __u32 offset, __u16 ethertype)
{
	__u16 llc;

	switch (ethertype) {
	case ETH_P_ARP:
	case FR_ETH_LLDP:
	case FR_ETH_EAPOL:
	case FR_ETH_SLOW:
		return FR_NON_IP_KNOWN;
	}
	if (ethertype < 0x0600 && !PACKET_READ(buffer, offset, llc) && llc == FR_LLC_STP)
		return FR_NON_IP_KNOWN;
	return FR_NON_IP;
}

#endif /* FR_PACKET_H */
