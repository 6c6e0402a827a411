/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow state machine: the effect of one packet on a flow, and the end of a flow. No maps, no
 * policy, and no clock but the time that the caller passes: whether the opening is admitted is
 * judged elsewhere, for every packet. Compiles natively too.
 */
#ifndef FR_FLOW_H
#define FR_FLOW_H

#include "packet.h"

enum fr_step {
	FR_STEP_KNOWN,	  /* belongs to the flow */
	FR_STEP_REOPENED, /* the same, and opens it again */
	FR_STEP_NEW,	  /* not of this flow: an opening, judged in its own direction */
	FR_STEP_INVALID,  /* impossible in the state of this flow */
};

static __always_inline __u32 flow_timeout(const struct fr_progress *flow, __u8 proto)
{
	if (proto_is_icmp(proto))
		return FR_TIMEOUT_ICMP;
	if (proto != FR_PROTO_TCP)
		return flow->state == FR_FLOW_OPENING ? FR_TIMEOUT_UDP_ONEWAY : FR_TIMEOUT_UDP;
	if (flow->state == FR_FLOW_CLOSING)
		return FR_TIMEOUT_TCP_CLOSING;
	return flow->state == FR_FLOW_OPENING || flow->state == FR_FLOW_ANSWERED
		       ? FR_TIMEOUT_TCP_OPENING
		       : FR_TIMEOUT_TCP_ESTABLISHED;
}

enum {
	FR_FLOW_FINS = FR_FLOW_FIN_OPENER | FR_FLOW_FIN_RESPONDER,
	FR_FLOW_RSTS = FR_FLOW_RST_OPENER | FR_FLOW_RST_RESPONDER,
	FR_FIRST_ACK_MAX = 65536 /* past the SYN: data of a responder before the first ACK */
};

/*
 * Does the opener's packet acknowledge the responder's SYN? A sender with a forged address cannot
 * see the answers, and cannot know the number to acknowledge. With TCP fast open data of the
 * responder may be acknowledged at once.
 */
static __always_inline int flow_is_answered(const struct fr_progress *flow,
					    const struct fr_packet *p)
{
	return p->tcp_flags & FR_TCP_ACK && p->ack - flow->isn - 1 < FR_FIRST_ACK_MAX;
}

/*
 * Another SYN of the opener. While established it may be forged, and only the responder's answer
 * shows it: the flow keeps its state until a SYN-ACK starts it again.
 */
static __always_inline int flow_step_syn_again(struct fr_progress *flow)
{
	__u8 known = flow->flags & FR_FLOW_SYN_AGAIN;

	if (flow->state == FR_FLOW_OPENING || flow->state == FR_FLOW_ANSWERED)
		return FR_STEP_KNOWN;
	if (flow->reason == FR_REASON_ADOPTED ||
	    (flow->state != FR_FLOW_ESTABLISHED && !(flow->flags & FR_FLOW_RSTS)))
		return FR_STEP_NEW;
	flow->flags |= FR_FLOW_SYN_AGAIN;
	return known ? FR_STEP_KNOWN : FR_STEP_REOPENED;
}

/* May this be a simultaneous open, a SYN of the responder without ACK? Then the state of the local
 * socket decides. */
static __always_inline int flow_meets_syn(const struct fr_progress *flow, const struct fr_packet *p)
{
	return p->key.proto == FR_PROTO_TCP && flow->opener != p->dir &&
	       flow->state == FR_FLOW_OPENING &&
	       (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN;
}

/* A SYN of the responder without ACK: simultaneous open, while the opener's is unanswered. Not
 * if enforcement would have refused the opener's. */
static __always_inline int flow_step_syn_both(struct fr_progress *flow, const struct fr_packet *p)
{
	if (flow->state != FR_FLOW_OPENING || flow->flags & FR_FLOW_WOULD_DROP)
		return FR_STEP_NEW;
	flow->flags |= FR_FLOW_SYN_BOTH;
	flow->isn = p->seq;
	return FR_STEP_KNOWN;
}

static __always_inline int flow_step_syn(struct fr_progress *flow, const struct fr_packet *p,
					 int from_opener)
{
	if (!(p->tcp_flags & FR_TCP_ACK))
		return from_opener ? flow_step_syn_again(flow) : flow_step_syn_both(flow, p);
	if (flow->state == FR_FLOW_ADOPTED || flow->reason == FR_REASON_ADOPTED)
		return FR_STEP_INVALID; /* our SYN was not seen, also when it is closing by now */
	if (from_opener && !(flow->flags & FR_FLOW_SYN_BOTH))
		return FR_STEP_INVALID;
	if (!from_opener && flow->flags & FR_FLOW_SYN_AGAIN) {
		flow->flags &= ~(FR_FLOW_FINS | FR_FLOW_RSTS | FR_FLOW_SYN_AGAIN);
		flow->state = FR_FLOW_ANSWERED;
	}
	if (flow->state == FR_FLOW_OPENING)
		flow->state = FR_FLOW_ANSWERED;
	if (!from_opener && flow->state == FR_FLOW_ANSWERED)
		flow->isn = p->seq;
	return FR_STEP_KNOWN;
}

/* A RST closes the flow. If its sender goes on, the RST was forged: undo it. */
static __always_inline void flow_step_rst(struct fr_progress *flow, __u8 flags, int from_opener)
{
	__u8 mine = from_opener ? FR_FLOW_RST_OPENER : FR_FLOW_RST_RESPONDER;

	if (flags & FR_TCP_RST) {
		if (flow->state == FR_FLOW_ESTABLISHED || flow->state == FR_FLOW_ADOPTED ||
		    flow->flags & FR_FLOW_RSTS)
			flow->flags |= mine;
		flow->state = FR_FLOW_CLOSING;
	} else if (flow->flags & mine) {
		flow->flags &= ~mine;
		if (!(flow->flags & FR_FLOW_RSTS))
			flow->state = flow->reason == FR_REASON_ADOPTED ? FR_FLOW_ADOPTED
									: FR_FLOW_ESTABLISHED;
	}
}

static __always_inline int flow_step_tcp(struct fr_progress *flow, const struct fr_packet *p,
					 int from_opener)
{
	__u8 flags = p->tcp_flags;

	if (flags & FR_TCP_SYN)
		return flow_step_syn(flow, p, from_opener);
	if (from_opener)
		flow->flags &= ~FR_FLOW_SYN_AGAIN;
	if (flags & FR_TCP_FIN)
		flow->flags |= from_opener ? FR_FLOW_FIN_OPENER : FR_FLOW_FIN_RESPONDER;
	flow_step_rst(flow, flags, from_opener);
	if ((flow->flags & FR_FLOW_FINS) == FR_FLOW_FINS) {
		flow->flags &= ~FR_FLOW_RSTS;
		flow->state = FR_FLOW_CLOSING;
	} else if (from_opener && flow->state == FR_FLOW_ANSWERED && flow_is_answered(flow, p)) {
		flow->state = FR_FLOW_ESTABLISHED;
	}
	return FR_STEP_KNOWN;
}

/* UDP and all else: two-way once the responder has sent. */
static __always_inline int flow_step_other(struct fr_progress *flow, int from_opener)
{
	if (!from_opener && flow->state == FR_FLOW_OPENING)
		flow->state = FR_FLOW_ESTABLISHED;
	if (from_opener && flow->state == FR_FLOW_ESTABLISHED)
		flow->flags |= FR_FLOW_SUSTAINED;
	return FR_STEP_KNOWN;
}

/*
 * Does a packet of this side without SYN, FIN and RST leave the flow as it is? Decided without the
 * packet; 0 where flow_step() would read more of it.
 */
static __always_inline int flow_is_steady(const struct fr_progress *flow, __u8 proto,
					  int from_opener)
{
	if (flow->reason == FR_REASON_FORWARDED || flow->reason == FR_REASON_ADOPTED ||
	    flow->flags & (FR_FLOW_WOULD_DROP | FR_FLOW_FINS | FR_FLOW_RSTS | FR_FLOW_SYN_AGAIN))
		return 0;
	if (proto == FR_PROTO_TCP || !from_opener)
		return flow->state == FR_FLOW_ESTABLISHED;
	return flow->state == FR_FLOW_OPENING || flow->flags & FR_FLOW_SUSTAINED;
}

/* Apply one packet of direction `dir`. A packet that does not belong to the flow changes
 * nothing. */
static __always_inline int flow_step(struct fr_progress *flow, const struct fr_packet *p)
{
	int from_opener = flow->opener == p->dir;

	if (p->key.proto == FR_PROTO_TCP)
		return flow_step_tcp(flow, p, from_opener);
	return flow_step_other(flow, from_opener);
}

/* Has the step from one state to the next answered the opening? A RST is no answer. */
static __always_inline int flow_was_answered(__u8 before, __u8 after, __u8 proto)
{
	return before != after &&
	       after == (proto == FR_PROTO_TCP ? FR_FLOW_ANSWERED : FR_FLOW_ESTABLISHED);
}

static __always_inline int flow_is_silent(const struct fr_flow *flow, __u32 timeout, __u64 now)
{
	return now > flow->last && now - flow->last > timeout;
}

static __always_inline int flow_expired(const struct fr_flow *flow,
					const __u32 timeout[FR_TIMEOUTS], __u64 now)
{
	return flow_is_silent(flow, timeout[flow_timeout(&flow->progress, flow->key.proto)], now);
}

/*
 * Does this packet keep the flow alive? TCP always. Else the opener always, and the responder once
 * for each time that the opener has sent: a flow that only the peer feeds ends; but see track.h.
 */
static __always_inline int flow_refreshes(struct fr_flow *flow, const struct fr_packet *p)
{
	if (p->key.proto == FR_PROTO_TCP)
		return 1;
	if (flow->opener == p->dir) {
		if (!flow->opener_again)
			flow->opener_again = 1;
		return 1;
	}
	if (!flow->opener_again)
		return 0;
	flow->opener_again = 0;
	return 1;
}

/*
 * The class of a flow. A flow that others opened stays unproven until this side has answered and
 * they have shown that they receive the answers: by the number that a TCP handshake repeats, or by
 * going on. So is one that began with an answer from elsewhere: others choose how many there are. A
 * flow that enforcement would refuse is unproven, too. `heard`: a bit for each enum
 * fr_dir in which packets have passed.
 */
static __always_inline __u32 flow_class(const struct fr_progress *flow, __u8 proto, __u32 heard)
{
	int own = flow->opener == FR_EGRESS && flow->reason != FR_REASON_FORWARDED &&
		  flow->reason != FR_REASON_REPLY;

	if (flow->flags & FR_FLOW_WOULD_DROP)
		return FR_CLASS_UNPROVEN;
	if (proto != FR_PROTO_TCP) {
		if (own)
			return FR_CLASS_OWN;
		return flow->flags & FR_FLOW_SUSTAINED ? FR_CLASS_SUSTAINED : FR_CLASS_UNPROVEN;
	}
	if (flow->state == FR_FLOW_ESTABLISHED)
		return FR_CLASS_ESTABLISHED;
	if (flow->state == FR_FLOW_ADOPTED) {
		if (heard == (1 << FR_EGRESS | 1 << FR_INGRESS))
			return FR_CLASS_ESTABLISHED;
		own = heard & 1 << FR_EGRESS;
	}
	if (flow->state == FR_FLOW_CLOSING) {
		if ((flow->flags & FR_FLOW_FINS) == FR_FLOW_FINS)
			return FR_CLASS_ENDED;
		own |= flow->flags & FR_FLOW_RSTS; /* it may be forged */
	}
	return own ? FR_CLASS_OWN : FR_CLASS_UNPROVEN;
}

/* The listener's port of a flow, for the look-up in the policy. */
static __always_inline __u16 flow_port(const struct fr_flow_key *key, __u8 opener)
{
	if (proto_is_icmp(key->proto))
		return key->peer_port;
	return opener == FR_EGRESS ? key->peer_port : key->local_port;
}

#endif /* FR_FLOW_H */
