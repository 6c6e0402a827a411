/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The relation of a packet to the flows: by the parsed headers, then by the table of flows and, for
 * a packet of no flow, by the kernel's sockets. The policy is consulted for failsafe ports, for the
 * packet that an ICMP error quotes, and where nothing else shows the opener.
 */
#ifndef FR_CLASSIFY_H
#define FR_CLASSIFY_H

#include "answers.h"
#include "bridge.h"
#include "builtin.h"
#include "fragment.h"

/* ---------------------------------------------------------------- no flow needed */

static __always_inline int is_loopback_address(const __u8 address[16], int v4)
{
	__u32 words[4];

	if (v4)
		return address[12] == 127;
	__builtin_memcpy(words, address, sizeof(words));
	return !(words[0] | words[1] | words[2] | (words[3] ^ bpf_htonl(1)));
}

/* 127/8 or ::1 that arrives on a device other than lo. */
static __always_inline int is_misplaced(const struct fr_packet *p, struct fr_hook h)
{
	if (h.dir != FR_INGRESS && h.kind != FR_KIND_GUEST)
		return 0;
	return is_loopback_address(p->key.peer, p->v4) || is_loopback_address(p->key.local, p->v4);
}

/* By headers and devices alone. FR_REL_KNOWN: the table of flows decides. */
static __always_inline __u8 classify_headers(const struct fr_ctx *s, const struct fr_packet *p,
					     struct fr_hook h)
{
	if (p->outcome != FR_IP)
		return FR_REL_UNREADABLE;
	if (h.kind == FR_KIND_CGROUP && s->ifindex == 1)
		return s->head->flags & FR_F_LOOPBACK ? FR_REL_LOOPBACK : FR_REL_KNOWN;
	return is_misplaced(p, h) ? FR_REL_MISPLACED : FR_REL_KNOWN;
}

/* ---------------------------------------------------------------- of a flow */

/* SYN without ACK. SCTP: an INIT alone has no verification tag, which is in place of seq. */
static __always_inline int classify_opens(const struct fr_packet *p)
{
	if (p->key.proto == FR_PROTO_SCTP)
		return !p->seq;
	return p->key.proto == FR_PROTO_TCP &&
	       (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN;
}

/*
 * May the answer to a forwarded packet be for this host by now? Conntrack expires the tuple before
 * its flow ends here, and then a socket on the port gets the packet. Without connections any packet
 * opens, and only UDP's sockets can be looked up.
 */
static __always_inline int conntrack_may_forget(const struct fr_ctx *s, const struct fr_packet *p,
						const struct fr_flow *flow)
{
	const struct fr_image_ident *ident;

	if (p->key.proto == FR_PROTO_TCP || p->key.proto == FR_PROTO_SCTP)
		return 0;
	ident = image_line(s->image, FR_LINE_IDENT);
	if (ident && (__s32)((__u32)s->now - flow->sent) < (__s32)ident->conntrack)
		return 0;
	return p->key.proto != FR_PROTO_UDP || host_udp(s->skb, p, p->key.peer_port);
}

/*
 * Does this host use the tuple of a forwarded flow by now? Three cases. A packet that this host
 * sends: conntrack expires the tuple before the flow ends here, and then a socket may get the port
 * that was masqueraded. A packet that conntrack may treat as this host's. And a SYN from outside: a
 * published port that answers a stray segment leaves the same record as an outgoing connection, so
 * its next opening is judged.
 */
static __always_inline int tuple_is_reused(const struct fr_ctx *s, const struct fr_packet *p,
					   const struct fr_flow *flow, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE || flow->reason != FR_REASON_FORWARDED)
		return 0;
	if (h.dir == FR_EGRESS)
		return !s->skb->ingress_ifindex;
	return classify_opens(p) || conntrack_may_forget(s, p, flow);
}

/* A SYN of the peer, and no local socket that still connects. A guest's sockets cannot be looked
 * up. */
static __always_inline int socket_gave_up(const struct fr_ctx *s, const struct fr_packet *p,
					  const struct fr_progress *flow, struct fr_hook h)
{
	return h.kind != FR_KIND_GUEST && flow_meets_syn(flow, p) &&
	       host_tcp(s->skb, p, p->key.peer_port) != FR_SK_SYN_SENT;
}

/* The flow of the packet, and the state after the packet. */
static __always_inline __u8 classify_flow(const struct fr_ctx *s, const struct fr_packet *p,
					  struct fr_match *m, struct fr_hook h)
{
	struct fr_flow *flow;
	int step;

	m->hash = hash_key(&p->key, p->v4, PORTS_BOTH);
	flow = flow_find(s, p, m->hash, &m->info);
	if (!flow)
		return FR_REL_NEW;
	m->progress = flow->progress;
	step = tuple_is_reused(s, p, flow, h) || socket_gave_up(s, p, &m->progress, h)
		       ? FR_STEP_NEW
		       : flow_step(&m->progress, p);
	FR_JOIN(s->conf->zero, step, m->progress.state, m->progress.flags, m->progress.isn);
	if (step == FR_STEP_INVALID)
		return FR_REL_INVALID;
	if (step == FR_STEP_NEW) { /* the ports were used again */
		m->peer_has_flow = flow->opener != h.dir && !(flow->flags & FR_FLOW_WOULD_DROP);
		return FR_REL_NEW;
	}
	m->flow = flow;
	m->again = step;
	m->opener = m->progress.opener;
	return FR_REL_KNOWN;
}

/* Are they other hosts' packets? Not the answers of a published port: their opening was judged, and
 * so are they. */
static __always_inline __u8 classify_forwarded(const struct fr_ctx *s, const struct fr_match *m,
					       __u8 relation, struct fr_hook h)
{
	if (is_forwarded(s, h) && m->opener == FR_EGRESS)
		return relation == FR_REL_NEW ? FR_REL_FORWARDED_FIRST : FR_REL_FORWARDED;
	return is_forwarded_reply(s, m->flow, h) ? FR_REL_FORWARDED_REPLY : relation;
}

/* ---------------------------------------------------------------- of no flow */

/* The failsafe rule whose reply the packet is, or 0: it needs no flow. */
static __always_inline __u32 classify_failsafe(const struct fr_ctx *s, const struct fr_packet *p)
{
	__u32 staged, cell = policy_cell(s, p, FR_INGRESS, p->key.local_port, 0);
	__u32 real = policy_unstaged(s, cell, &staged);

	return FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW ? FR_CELL_NUMBER(real) : 0;
}

static __always_inline __u8 classify_unknown(const struct fr_ctx *s, const struct fr_packet *p,
					     struct fr_match *m, struct fr_hook h)
{
	int opener = -1;

	if (p->key.proto != FR_PROTO_TCP ||
	    (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN)
		return FR_REL_NEW;
	if (h.dir == FR_EGRESS && (m->rule = classify_failsafe(s, p)))
		return FR_REL_FAILSAFE;
	if (adopt_unseen_answer(s, p, h)) {
		m->opener = FR_INGRESS;
		return FR_REL_UNSEEN;
	}
	if (!(p->tcp_flags & (FR_TCP_SYN | FR_TCP_RST)))
		opener = adopt_opener(s, p, h);
	if (opener < 0)
		return FR_REL_STRAY;
	m->opener = opener;
	return FR_REL_ADOPTED;
}

/* ---------------------------------------------------------------- one packet */

static __always_inline __u8 classify_ip(const struct fr_ctx *s, struct fr_packet *p,
					struct fr_match *m, struct fr_hook h)
{
	__u8 relation;

	m->rule = builtin_rule(s, p, &m->reason);
	FR_JOIN(s->conf->zero, m->reason, p->key.proto, p->v4);
	if (!m->rule && s->head->flags & FR_F_ICMP_ERROR && is_icmp_error(p) &&
	    icmp_error_is_admitted(s, p)) {
		m->rule = FR_RULE_ICMP_ERROR;
		m->reason = FR_REASON_ICMP_ERROR;
	}
	if (m->rule)
		return FR_REL_BUILTIN;
	if (p->fragment == FR_LATER)
		return is_forwarded(s, h) ? FR_REL_FORWARDED : FR_REL_FRAGMENT;
	relation = classify_forwarded(s, m, classify_flow(s, p, m, h), h);
	if (relation != FR_REL_NEW)
		return relation;
	FR_JOIN(s->conf->zero, p->key.proto, p->tcp_flags);
	match_join(m, s->conf->zero);
	return classify_unknown(s, p, m, h);
}

static __always_inline void classify(const struct fr_ctx *s, struct fr_packet *p,
				     struct fr_match *m, struct fr_hook h)
{
	m->opener = h.dir;
	m->relation = classify_headers(s, p, h);
	if (m->relation == FR_REL_KNOWN)
		m->relation = classify_ip(s, p, m, h);
}

#endif /* FR_CLASSIFY_H */
