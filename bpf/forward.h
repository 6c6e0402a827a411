/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of other hosts, which this one forwards: the policy does not apply to them.
 */
#ifndef FR_FORWARD_H
#define FR_FORWARD_H

#include "adopt.h"
#include "transit.h"

/* Proven not to be this host's own: it came in on another device. */
static __always_inline int is_forwarded(const struct fr_ctx *s, struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS && s->skb->ingress_ifindex &&
	       !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/* The answer to a forwarded packet: where that was masqueraded, it comes to this host's address. */
static __always_inline int is_forwarded_reply(const struct fr_ctx *s, const struct fr_flow *flow,
					      struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS && flow &&
	       flow->reason == FR_REASON_FORWARDED && !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/*
 * A forwarded flow may have been opened under a rule that fits it; a policy without that rule does
 * not cut it. Checked for packets that would otherwise be refused. On the way out an answer from
 * behind a published port looks the same, but a flow that audit has refused was this host's.
 */
static __always_inline int forwarded_survives(const struct fr_ctx *s, const struct fr_packet *p,
					      const struct fr_flow *flow, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE)
		return 0;
	if (h.dir == FR_INGRESS)
		return transit_passes(s, p);
	return is_forwarded(s, h) && !(flow->flags & FR_FLOW_WOULD_DROP);
}

/* The reason why a packet that the policy would refuse is exempt from it, or 0. Interfaces,
 * ingress. */
static __noinline int exempt_reason(const struct fr_ctx *s, const struct fr_packet *p)
{
	__u32 flags = s->head->flags;

	if (!(flags & FR_F_IPSEC_JUDGE) && host_decrypted(s->skb))
		return FR_REASON_IPSEC_INNER;
	if (flags & FR_F_FORWARD_JUDGE)
		return 0;
	if (host_forwards(s, p) && transit_put(s, p))
		return FR_REASON_FORWARDED;
	if (!(flags & FR_F_FORWARDING_ON))
		return 0;
	if (p->fragment == FR_LATER) /* of no use without its first, which is judged */
		return FR_REASON_FORWARDED_REPLY;
	if (p->key.proto == FR_PROTO_TCP && !(p->tcp_flags & FR_TCP_SYN) &&
	    !host_tcp(s->skb, p, p->key.peer_port))
		return FR_REASON_FORWARDED_REPLY;
	return 0;
}

#endif /* FR_FORWARD_H */
