/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict of a packet, by its relation to the flows: here the policy decides.
 */
#ifndef FR_DECIDE_H
#define FR_DECIDE_H

#include "classify.h"
#include "received.h"

static __always_inline void decide_unreadable(const struct fr_ctx *s, const struct fr_packet *p,
					      struct fr_decision *d, struct fr_hook h)
{
	__u32 denied = h.kind == FR_KIND_GUEST ? FR_F_NONIP_DENY_GUEST : FR_F_NONIP_DENY_IF;

	if (p->outcome == FR_BROKEN)
		verdict_refuse(s, d, FR_REASON_MALFORMED);
	else if (p->outcome == FR_EXT_LIMIT)
		verdict_refuse(s, d, FR_REASON_EXT_HEADERS);
	else if (p->outcome == FR_NON_IP && s->head->flags & denied)
		verdict_refuse(s, d, FR_REASON_NON_IP);
	else
		verdict_pass(d, FR_RULE_OTHER, FR_REASON_NON_IP);
}

/* ---------------------------------------------------------------- known flows */

/* The reason why a packet that the policy would refuse is exempt from it, or 0. */
static __always_inline __u8 decide_exempt(const struct fr_ctx *s, const struct fr_packet *p,
					  struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS ? exempt_reason(s, p) : 0;
}

/* The cell of a flow's opening: as its record remembers it, or else as the policy says. */
static __always_inline __u32 known_cell(const struct fr_ctx *s, const struct fr_packet *p,
					const struct fr_match *m)
{
	const volatile struct fr_flow *flow = m->flow; /* one access each */
	__u32 cell = flow->cell, seal = flow->seal;

	if (seal == cell_seal(s, m->hash, m->opener, cell, flow->slot))
		return cell;
	return policy_cell(s, p, m->opener, flow_port(&p->key, m->opener), 0);
}

/* A packet of a known flow: its opening, judged by the generation in force. */
static __always_inline void decide_known(const struct fr_ctx *s, const struct fr_packet *p,
					 const struct fr_match *m, struct fr_decision *d,
					 struct fr_hook h)
{
	d->flow = m->flow;
	verdict_from_cell(s, d, known_cell(s, p, m));
	d->opened = m->again & ~d->verdict; /* a dropped packet opens nothing; no branch */
	if (d->verdict != FR_PASS && forwarded_survives(s, p, m->flow, h))
		verdict_pass(d, FR_RULE_OTHER, FR_REASON_FORWARDED);
	else if (h.dir != m->opener && d->verdict == FR_PASS)
		d->reason = FR_REASON_REPLY;
}

/*
 * A refused opening is no flow, although audit remembers it: a datagram that looks like its answer
 * opens a flow itself if it would pass without that record. The two are indistinguishable where
 * both ends use one port. All other packets are reported with the opening.
 */
static __always_inline int decide_opens_itself(const struct fr_ctx *s, const struct fr_packet *p,
					       const struct fr_match *m,
					       const struct fr_decision *d, struct fr_hook h)
{
	return h.dir != m->opener && d->verdict != FR_PASS && p->key.proto != FR_PROTO_TCP &&
	       !p->icmp_reply && (policy_admits(s, p, h.dir, p->port, 0) || decide_exempt(s, p, h));
}

/* ---------------------------------------------------------------- openings */

/* The kernel's own answer to a peer that may open: it carries no data, and leaves no flow. */
static __always_inline int is_control_reply(const struct fr_ctx *s, const struct fr_packet *p,
					    struct fr_hook h)
{
	return h.kind == FR_KIND_CGROUP && h.dir == FR_EGRESS && host_is_control(s->skb, p) &&
	       policy_admits(s, p, FR_INGRESS, p->key.local_port, 0);
}

/* The answer to a datagram that this host sent before flows were kept: its socket is connected. */
static __always_inline int is_adopted_datagram(const struct fr_ctx *s, const struct fr_packet *p,
					       struct fr_hook h)
{
	return p->key.proto == FR_PROTO_UDP && h.kind != FR_KIND_GUEST &&
	       adopt_opener(s, p, h) == FR_EGRESS &&
	       policy_admits(s, p, FR_EGRESS, p->key.peer_port, 0);
}

static __always_inline void decide_as_reply(const struct fr_ctx *s, const struct fr_packet *p,
					    struct fr_decision *d, __u8 opener, __u8 reason)
{
	d->opener = opener;
	verdict_from_cell(s, d, policy_cell(s, p, opener, flow_port(&p->key, opener), 0));
	d->reason = reason;
}

/* The opening was refused, and no flow vouches for the packet: is it exempt? */
static __always_inline void decide_refused(const struct fr_ctx *s, const struct fr_packet *p,
					   struct fr_decision *d, struct fr_hook h)
{
	__u8 reason = decide_exempt(s, p, h);

	if (reason) {
		verdict_pass(d, FR_RULE_OTHER, reason);
		d->new_state = FR_FLOW_NONE;
	} else if (is_adopted_datagram(s, p, h)) {
		d->new_state = FR_FLOW_ADOPTED;
		decide_as_reply(s, p, d, FR_EGRESS, FR_REASON_ADOPTED);
	} else if (is_control_reply(s, p, h)) {
		d->new_state = FR_FLOW_NONE;
		decide_as_reply(s, p, d, FR_INGRESS, FR_REASON_REPLY);
	} else {
		d->opened = d->new_state != FR_FLOW_NONE && d->verdict != FR_DROP;
	}
}

/* A packet of no flow, which would open one in `d->new_state` for `d->opener`. */
static __always_inline void decide_opening(const struct fr_ctx *s, const struct fr_packet *p,
					   struct fr_decision *d, struct fr_hook h)
{
	__u16 port = d->opener == h.dir ? p->port : flow_port(&p->key, d->opener);

	verdict_from_cell(s, d, policy_cell(s, p, d->opener, port, 0));
	if (d->new_state == FR_FLOW_ADOPTED) {
		if (d->verdict == FR_PASS)
			d->reason = FR_REASON_ADOPTED;
	} else if (d->verdict != FR_PASS) {
		decide_refused(s, p, d, h);
	} else {
		d->opened = d->new_state != FR_FLOW_NONE;
		d->answered = d->new_state == FR_FLOW_ANSWERED;
	}
}

/* ---------------------------------------------------------------- one packet */

/* The state of the flow that a packet of no flow opens. */
static __always_inline __u8 state_to_open(const struct fr_packet *p, const struct fr_match *m)
{
	switch (m->relation) {
	case FR_REL_UNSEEN:
		return FR_FLOW_ANSWERED;
	case FR_REL_ADOPTED:
		return FR_FLOW_ADOPTED;
	case FR_REL_STRAY:
		return FR_FLOW_NONE;
	}
	return p->icmp_reply ? FR_FLOW_NONE : FR_FLOW_OPENING;
}

/* Other hosts' packets. */
static __always_inline void decide_forwarded(const struct fr_ctx *s, const struct fr_packet *p,
					     const struct fr_match *m, struct fr_decision *d)
{
	d->flow = m->flow;
	d->opened = m->again;
	verdict_pass(d, FR_RULE_OTHER, FR_REASON_FORWARDED);
	if (m->relation == FR_REL_FORWARDED_FIRST)
		d->new_state = FR_FLOW_OPENING;
	if (m->relation == FR_REL_FORWARDED_REPLY)
		transit_note(s, p); /* netfilter may have forgotten its flow */
}

static __always_inline void decide(struct fr_ctx *s, struct fr_packet *p, const struct fr_match *m,
				   struct fr_decision *d, struct fr_hook h)
{
	d->opener = m->opener;
	switch (m->relation) {
	case FR_REL_UNREADABLE:
		return decide_unreadable(s, p, d, h);
	case FR_REL_MISPLACED:
		return verdict_refuse(s, d, FR_REASON_MALFORMED);
	case FR_REL_LOOPBACK:
		return verdict_pass(d, FR_RULE_LOOPBACK, FR_REASON_LOOPBACK);
	case FR_REL_BUILTIN:
		return verdict_pass(d, m->rule, m->reason);
	case FR_REL_FAILSAFE:
		return verdict_pass(d, m->rule, FR_REASON_FAILSAFE);
	case FR_REL_FRAGMENT:
		return fragment_decide(s, p, d, h);
	case FR_REL_FORWARDED:
	case FR_REL_FORWARDED_FIRST:
	case FR_REL_FORWARDED_REPLY:
		return decide_forwarded(s, p, m, d);
	case FR_REL_INVALID:
		return verdict_refuse(s, d, FR_REASON_STATE);
	case FR_REL_KNOWN:
		decide_known(s, p, m, d, h);
		if (!decide_opens_itself(s, p, m, d, h))
			return;
		d->flow = 0;
		d->opener = h.dir;
		break;
	}
	s->owner = ctx_owner(s, h.kind);
	d->new_state = state_to_open(p, m);
	FR_JOIN(s->conf->zero, d->new_state, d->opener, d->opened, p->key.proto, p->tcp_flags,
		p->icmp_reply);
	decide_opening(s, p, d, h);
}

/* A refused packet that is not for this host at all, unless netfilter redirects it to a socket,
 * passes. So may a later fragment be that passes because some port is open. */
static __always_inline void decide_bridged(const struct fr_ctx *s, const struct fr_packet *p,
					   struct fr_decision *d, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE || h.dir != FR_INGRESS ||
	    (d->verdict == FR_PASS && d->reason != FR_REASON_FRAGMENT) || !is_bridged(s))
		return;
	transit_note(s, p);
	if (d->verdict == FR_PASS)
		return;
	d->flow = 0;
	d->new_state = FR_FLOW_NONE;
	d->opened = d->answered = d->staged = 0;
	verdict_pass(d, FR_RULE_OTHER, FR_REASON_FORWARDED);
}

/* A policy of devices alone misses questions: a cgroup sees all that its sockets receive, and a
 * guest's sockets are elsewhere. */
static __always_inline int may_miss_questions(struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS;
}

/*
 * A refused datagram may be an answer from elsewhere, or to a question that was not seen: then it
 * begins a flow of who asked. A flow that began with an answer from elsewhere is judged by its
 * question, however old that is by now, where the generation in force would not let the asker open
 * it.
 */
static __always_inline void decide_answer(const struct fr_ctx *s, const struct fr_packet *p,
					  struct fr_match *m, struct fr_decision *d,
					  struct fr_hook h)
{
	__u8 opening, verdict = d->verdict, reason = d->reason;
	__u32 cell;

	if (p->key.proto != FR_PROTO_UDP ||
	    !(may_miss_questions(h) || s->head->flags & FR_F_ANSWERS))
		return;
	match_join(m, s->conf->zero);
	opening = m->progress.reason;
	if (may_miss_questions(h))
		cell = received_find(s, p, reason, JUDGED(m->opener, verdict, opening, 0));
	else
		cell = answer_find(s, p, reason, JUDGED(m->opener, verdict, opening, 0));
	FR_JOIN(s->conf->zero, cell, opening);
	if (cell == FR_CELL_GONE)
		return;
	verdict_from_cell(s, d, cell);
	d->opened = 0;
	if (opening != FR_REASON_REPLY) {
		d->flow = 0;
		d->opener = !p->dir;
		d->new_state = FR_FLOW_ESTABLISHED;
		d->answered = 1;
	}
	if (d->opener != p->dir)
		d->reason = FR_REASON_REPLY;
}

#endif /* FR_DECIDE_H */
