/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mid-stream packets of no flow: does a socket vouch for the connection, or the grace time of a
 * guest, and which side opened it?
 */
#ifndef FR_ADOPT_H
#define FR_ADOPT_H

#include "host.h"
#include "track.h"

/* A SYN-ACK to an opening that came in by a device which is not attached: a listener has it in its
 * queue. */
static __always_inline int adopt_unseen_answer(const struct fr_ctx *s, const struct fr_packet *p,
					       struct fr_hook h)
{
	__u8 state;

	if (h.kind != FR_KIND_INTERFACE || h.dir != FR_EGRESS ||
	    (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) != (FR_TCP_SYN | FR_TCP_ACK))
		return 0;
	state = host_tcp(s->skb, p, p->key.peer_port);
	return state == FR_SK_NEW_SYN_RECV || state == FR_SK_SYN_RECV;
}

/* The opener is unknown: the one that the policy allows. */
static __always_inline int adopt_either(const struct fr_ctx *s, const struct fr_packet *p)
{
	if (policy_admits(s, p, FR_EGRESS, p->key.peer_port, 0))
		return FR_EGRESS;
	return policy_admits(s, p, FR_INGRESS, p->key.local_port, 0) ? FR_INGRESS : -1;
}

/* Mid-stream TCP in the grace time of a guest, whose sockets cannot be looked up. */
static __always_inline int adopt_guest(const struct fr_ctx *s, const struct fr_packet *p)
{
	if (p->key.proto != FR_PROTO_TCP ||
	    (s->now >= s->conf->adopt_until && !track_lost_lately(s)))
		return -1;
	return adopt_either(s, p);
}

/* Is TCP without a socket here taken for the answer to a masqueraded connection? */
static __always_inline int adopt_passes_reply(const struct fr_ctx *s)
{
	return s->head->flags & FR_F_FORWARDING_ON && !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/*
 * Of a device above this one (macvlan, ipvlan), whose sockets are in another namespace. On the way
 * out the sending socket vouches. On the way in, a packet to an Ethernet address other than the
 * device's, as macvlan has, that no socket here would take is adopted as for guests. A packet to
 * the device's own address is not: a flood of strays fills no table.
 */
static __always_inline int adopt_sibling(const struct fr_ctx *s, const struct fr_packet *p,
					 struct fr_hook h, __u8 state)
{
	if (h.kind != FR_KIND_INTERFACE)
		return -1;
	if (h.dir == FR_EGRESS)
		return host_sends(s->skb, p) ? adopt_either(s, p) : -1;
	if (state || s->skb->pkt_type != FR_TO_OTHERS || adopt_passes_reply(s))
		return -1;
	return adopt_guest(s, p);
}

/* The opener of the connection of this unknown mid-stream packet: enum fr_dir, or -1 when
 * nothing vouches for it. */
static __always_inline int adopt_opener(const struct fr_ctx *s, const struct fr_packet *p,
					struct fr_hook h)
{
	__u8 state;

	if (h.kind == FR_KIND_GUEST)
		return adopt_guest(s, p);
	if (p->key.proto == FR_PROTO_UDP)
		return host_udp(s->skb, p, p->key.peer_port) == FR_SK_ESTABLISHED ? FR_EGRESS : -1;
	state = host_tcp(s->skb, p, p->key.peer_port);
	if (!state || state == FR_SK_LISTEN)
		return adopt_sibling(s, p, h, state);
	return host_tcp(s->skb, p, 0) == FR_SK_LISTEN ? FR_INGRESS : FR_EGRESS;
}

#endif /* FR_ADOPT_H */
