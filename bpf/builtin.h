/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traffic that every policy allows unless `builtin:` switches it off: neighbour discovery,
 * multicast reports, DHCP clients, and ICMP errors about allowed flows.
 */
#ifndef FR_BUILTIN_H
#define FR_BUILTIN_H

#include "track.h"

static __always_inline int is_link_local_or(const __u8 addr[16], __u32 first, __u32 last)
{
	__u32 words[4];

	__builtin_memcpy(words, addr, sizeof(words));
	return (words[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000) ||
	       !((words[0] ^ bpf_htonl(first)) | words[1] | words[2] |
		 (words[3] ^ bpf_htonl(last)));
}

enum { DHCP4_CLIENT = 68, DHCP4_SERVER = 67, DHCP6_CLIENT = 546, DHCP6_SERVER = 547 };

/* Of a client of either family. */
static __always_inline int is_dhcp_port(__u16 local_port)
{
	return local_port == DHCP4_CLIENT || local_port == DHCP6_CLIENT;
}

/*
 * A DHCP client's packet. DHCPv6 stays on the link: clients multicast to ff02::1:2 and are answered
 * from a link-local address; the option by which a server asked for unicast is gone (RFC 9915), and
 * a client that had it multicasts before its lease ends. DHCPv4 renews across routers.
 */
static __always_inline int is_dhcp(const struct fr_packet *p)
{
	if (p->v4)
		return p->key.local_port == DHCP4_CLIENT && p->key.peer_port == DHCP4_SERVER;
	return p->key.local_port == DHCP6_CLIENT && p->key.peer_port == DHCP6_SERVER &&
	       is_link_local_or(p->key.peer, 0xff020000, 0x10002);
}

/* The built-in rule that admits `p`, or 0; *reason says why. */
static __always_inline __u32 builtin_rule(const struct fr_ctx *s, const struct fr_packet *p,
					  __u8 *reason)
{
	__u32 flags = s->head->flags;
	__u8 type = p->port >> 8;

	if (p->key.proto == FR_PROTO_TCP || p->fragment == FR_LATER)
		return 0;
	if (p->key.proto == FR_PROTO_UDP && flags & FR_F_DHCP && is_dhcp(p)) {
		*reason = FR_REASON_DHCP;
		return FR_RULE_DHCP;
	}
	if (p->key.proto == FR_PROTO_ICMP6 && flags & FR_F_NEIGHBOUR && p->hops == 255 &&
	    type >= 133 && type <= 136) {
		*reason = FR_REASON_NEIGHBOUR;
		return FR_RULE_NEIGHBOUR;
	}
	if (!(flags & FR_F_MULTICAST) || p->hops != 1)
		return 0;
	*reason = FR_REASON_MULTICAST;
	if (p->key.proto == FR_PROTO_IGMP && p->v4)
		return FR_RULE_MULTICAST;
	if (p->key.proto == FR_PROTO_ICMP6 && ((type >= 130 && type <= 132) || type == 143) &&
	    is_link_local_or(p->dir == FR_EGRESS ? p->key.local : p->key.peer, 0, 0))
		return FR_RULE_MULTICAST;
	return 0;
}

static __always_inline int is_icmp_error(const struct fr_packet *p)
{
	__u8 type = p->port >> 8;

	if (p->fragment == FR_LATER)
		return 0;
	if (p->key.proto == FR_PROTO_ICMP6)
		return type >= 1 && type <= 4;
	return p->key.proto == FR_PROTO_ICMP && (type == 3 || type == 11 || type == 12);
}

/* Parse the IP packet at `offset` into `p`, of the direction and family that `p` has. */
static __noinline int packet_again(const struct fr_ctx *s, struct fr_packet *p, __u32 offset)
{
	struct fr_buffer buffer = ctx_buffer(s);
	int outcome;

	p->key.local_port = p->key.peer_port = p->key.pad = 0;
	outcome = packet_ip(&buffer, offset, p->v4, p);

	packet_join(p, buffer.zero);
	if (outcome != FR_IP || p->fragment == FR_LATER)
		return outcome;
	outcome = packet_transport(&buffer, p);
	packet_join_ports(p, buffer.zero);
	return outcome;
}

/* The receiver of an ICMP error: it must be the sender of the quoted packet. */
static __always_inline const __u64 *error_receiver(const struct fr_packet *p, __u8 dir)
{
	return (const __u64 *)(dir == FR_EGRESS ? p->key.peer : p->key.local);
}

/*
 * Does an ICMP error quote a packet of a known flow, or of one that the policy would admit as
 * opened from either side? The quoted packet travelled the other way, and its sender must be the
 * receiver of the error: else a forged quotation would open a way to any address. Errors never
 * create or refresh a flow. `p` is parsed for the quoted packet and then again for the error,
 * because a second one would not fit on the stack. While nothing is dropped, what a refused packet
 * brings back is no refusal of its own: enforcement would never see it.
 */
static __always_inline int icmp_error_is_admitted(const struct fr_ctx *s, struct fr_packet *p)
{
	__u8 dir = p->dir;
	__u64 high = error_receiver(p, dir)[0], low = error_receiver(p, dir)[1];
	int portless, admitted = 0;
	struct fr_flow *flow;
	__u32 info;

	p->dir = !dir;
	if (packet_again(s, p, p->payload) == FR_IP && high == error_receiver(p, dir)[0] &&
	    low == error_receiver(p, dir)[1]) {
		portless = p->fragment == FR_LATER;
		flow = portless ? 0 : flow_find(s, p, hash_key(&p->key, p->v4, PORTS_BOTH), &info);
		admitted =
			(flow && (!(flow->flags & FR_FLOW_WOULD_DROP) ||
				  !(s->head->flags & FR_F_ENFORCE))) ||
			policy_admits(s, p, FR_EGRESS, flow_port(&p->key, FR_EGRESS), portless) ||
			policy_admits(s, p, FR_INGRESS, flow_port(&p->key, FR_INGRESS), portless);
	}
	p->dir = dir;
	packet_again(s, p, s->offset);
	return admitted;
}

#endif /* FR_BUILTIN_H */
