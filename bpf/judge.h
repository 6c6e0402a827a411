/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet: always allowed? -> flow look-up (who opened) -> classify and decide the opener's
 * tuple by the current generation -> create or refresh the flow -> book -> verdict. The generation
 * is read once. One path for every hook, both directions and both families.
 */
#ifndef FR_JUDGE_H
#define FR_JUDGE_H

#include "bridge.h"
#include "builtin.h"
#include "excuse.h"

/* ---------------------------------------------------------------- conversations */

/* A SYN-ACK to an opening that came in by a device which is not attached: a listener has it in its
 * queue. */
static __always_inline int answers_unseen(const struct fr_scene *s, const struct fr_packet *p,
					  struct fr_hook h)
{
	__u8 state;

	if (h.kind != FR_KIND_INTERFACE || h.dir != FR_EGRESS ||
	    (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) != (FR_TCP_SYN | FR_TCP_ACK))
		return 0;
	state = host_tcp(s->skb, p, p->key.peer_port);
	return state == FR_SK_NEW_SYN_RECV || state == FR_SK_SYN_RECV;
}

/* No flow knows it: who opens, and does a flow start? 1: decided already. */
static __always_inline int judge_unknown(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_finding *f, struct fr_hook h)
{
	int opener;

	if (p->key.proto != FR_PROTO_TCP ||
	    (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN) {
		f->start = p->icmp_reply ? 0 : 1 + FR_FLOW_OPENING;
		return 0;
	}
	if (h.dir == FR_EGRESS) { /* replies of a failsafe port need no flow */
		__u32 cell = judge_cell(s, p, FR_INGRESS, p->key.local_port, 0);
		__u32 real = cell_real(s, cell, &f->staged);

		f->staged = 0;
		if (FR_CELL_ACTION(real) == FR_FAILSAFE_ALLOW) {
			find_pass(f, FR_CELL_NUMBER(real), FR_REASON_FAILSAFE);
			return 1;
		}
	}
	if (answers_unseen(s, p, h)) {
		f->opener = FR_INGRESS;
		f->start = 1 + FR_FLOW_ANSWERED;
		return 0;
	}
	opener = p->tcp_flags & (FR_TCP_SYN | FR_TCP_RST) ? -1 : adopt_opener(s, p, h);
	if (opener >= 0) {
		f->opener = opener;
		f->start = 1 + FR_FLOW_ADOPTED;
	}
	return 0;
}

/* The kernel's answer to somebody who may open: it carries nothing, and leaves no flow. */
static __always_inline int is_control_reply(const struct fr_scene *s, const struct fr_packet *p,
					    struct fr_hook h)
{
	return h.kind == FR_KIND_CGROUP && h.dir == FR_EGRESS && host_is_control(s->skb, p) &&
	       judge_admits(s, p, FR_INGRESS, p->key.local_port, 0);
}

/* The opening was refused, and no flow vouches for the packet: whose business is it? */
static __always_inline void judge_refused(const struct fr_scene *s, const struct fr_packet *p,
					  struct fr_finding *f, struct fr_hook h)
{
	__u8 reason = h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS ? excuse(s, p) : 0;

	if (reason) {
		find_pass(f, FR_RULE_OTHER, reason);
		f->start = 0;
	} else if (p->key.proto == FR_PROTO_UDP && h.kind != FR_KIND_GUEST &&
		   adopt_opener(s, p, h) == FR_EGRESS &&
		   judge_admits(s, p, FR_EGRESS, p->key.peer_port, 0)) {
		f->opener = FR_EGRESS;
		f->start = 1 + FR_FLOW_ADOPTED;
		find_cell(s, f, judge_cell(s, p, FR_EGRESS, p->key.peer_port, 0));
		f->reason = FR_REASON_ADOPTED;
	} else if (is_control_reply(s, p, h)) {
		f->opener = FR_INGRESS;
		f->start = 0;
		find_cell(s, f, judge_cell(s, p, FR_INGRESS, p->key.local_port, 0));
		f->reason = FR_REASON_REPLY;
	} else {
		f->opened = f->start && f->verdict != FR_DROP;
	}
}

/* SYN without ACK. SCTP: an INIT alone has no verification tag, which is in place of seq. */
static __always_inline int opens_connection(const struct fr_packet *p)
{
	if (p->key.proto == FR_PROTO_SCTP)
		return !p->seq;
	return p->key.proto == FR_PROTO_TCP &&
	       (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN;
}

/*
 * May an answer to what was forwarded be for this host by now? Conntrack forgets before we do, and
 * then a socket that has the port takes what comes. Without connections any packet opens, and only
 * UDP's sockets can be looked up.
 */
static __always_inline int conntrack_may_forget(const struct fr_scene *s, const struct fr_packet *p,
						const struct fr_flow *flow)
{
	const struct fr_image_ident *ident;

	if (p->key.proto == FR_PROTO_TCP || p->key.proto == FR_PROTO_SCTP)
		return 0;
	ident = image_line(s->image, 2);
	if (ident && (__u32)s->now - flow->sent < ident->conntrack)
		return 0;
	return p->key.proto != FR_PROTO_UDP || host_udp(s->skb, p, p->key.peer_port);
}

/*
 * Not of the forwarded conversation whose tuple it has. What this host sends itself: conntrack
 * forgets those before we do, and then a socket may get the very port that was masqueraded. What
 * conntrack may take to be this host's. And a SYN from outside: a published port that answers a
 * stray segment leaves the same record as a connection that goes out, and its next opening is to be
 * judged.
 */
static __always_inline int is_others(const struct fr_scene *s, const struct fr_packet *p,
				     const struct fr_flow *flow, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE || flow->reason != FR_REASON_FORWARDED)
		return 0;
	if (h.dir == FR_EGRESS)
		return !s->skb->ingress_ifindex;
	return opens_connection(p) || conntrack_may_forget(s, p, flow);
}

/* A SYN that meets no opening: the socket that asked for this connection has gone. Of a guest's
 * sockets nothing is known. */
static __always_inline int socket_gave_up(const struct fr_scene *s, const struct fr_packet *p,
					  const struct fr_progress *flow, struct fr_hook h)
{
	return h.kind != FR_KIND_GUEST && flow_meets_syn(flow, p) &&
	       host_tcp(s->skb, p, p->key.peer_port) != FR_SK_SYN_SENT;
}

/* The flow that the packet belongs to, if any. 1: it is no packet that its flow can carry. */
static __always_inline int judge_flow(const struct fr_scene *s, const struct fr_packet *p,
				      struct fr_finding *f, struct fr_hook h)
{
	struct fr_flow *flow;
	int step;

	f->hash = hash_key(&p->key, p->v4, PORTS_BOTH);
	flow = flow_find(s, p, f->hash, &f->info);
	if (!flow)
		return 0;
	f->progress = flow->progress;
	step = is_others(s, p, flow, h) || socket_gave_up(s, p, &f->progress, h)
		       ? FR_STEP_FRESH
		       : flow_step(&f->progress, p);
	step ^= s->conf->zero;
	if (step == FR_STEP_REFUSE)
		return 1;
	if (step != FR_STEP_FRESH) {
		f->flow = flow;
		f->opened = step; /* again */
		f->opener = f->progress.opener;
	} else { /* the ports were used again */
		f->theirs = flow->opener != h.dir && !(flow->flags & FR_FLOW_WOULD_DROP);
	}
	return 0;
}

/* A packet of a known flow: its opening, judged by the current generation. */
static __always_inline void judge_known(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_finding *f, struct fr_hook h)
{
	find_cell(s, f, judge_cell(s, p, f->opener, flow_port(&p->key, f->opener), 0));
	f->opened &= ~f->verdict; /* what is dropped opens nothing; without a branch */
	if (f->verdict != FR_PASS && is_transit(s, p, f->flow, h)) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
		return;
	}
	if (h.dir == f->opener)
		return;
	if (f->verdict == FR_PASS) {
		f->reason = FR_REASON_REPLY;
	} else if (f->verdict == FR_DROP && p->key.proto != FR_PROTO_TCP && !is_icmp(p)) {
		f->flow = 0; /* refused openings are no flows: this may open one */
		f->opener = h.dir;
	}
}

/* A packet that no flow knows: it opens one, or is met mid-stream. */
static __always_inline void judge_new(struct fr_scene *s, struct fr_packet *p, struct fr_finding *f,
				      struct fr_hook h)
{
	__u16 port = p->port;

	scene_owner(s, p, h);
	if (judge_unknown(s, p, f, h))
		return;
	f->start ^= s->conf->zero;
	f->opener ^= s->conf->zero;
	p->key.proto ^= s->conf->zero;
	p->tcp_flags ^= s->conf->zero;
	p->icmp_reply ^= s->conf->zero;
	if (f->opener != h.dir)
		port = flow_port(&p->key, f->opener);
	find_cell(s, f, judge_cell(s, p, f->opener, port, 0));
	if (f->start == 1 + FR_FLOW_ADOPTED) {
		if (f->verdict == FR_PASS)
			f->reason = FR_REASON_ADOPTED;
	} else if (f->verdict != FR_PASS) {
		judge_refused(s, p, f, h);
	} else {
		f->opened = !!f->start;
	}
}

static __always_inline void judge_conversation(struct fr_scene *s, struct fr_packet *p,
					       struct fr_finding *f, struct fr_hook h)
{
	int refuse = judge_flow(s, p, f, h);

	/* not the answers of a published port: their opening was judged, and so are they */
	if (is_forwarded(s, p, h) && f->opener == FR_EGRESS) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
		f->start = f->flow || refuse ? 0 : 1 + FR_FLOW_OPENING;
		if (f->flow) {
			f->progress.reason = FR_REASON_FORWARDED;
			if (p->key.proto != FR_PROTO_TCP)
				f->progress.sent = f->flow->sent = s->now;
		}
		return;
	}
	if (is_forwarded_reply(s, f->flow, h)) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
		transit_note(s, p); /* netfilter may have forgotten whose it is */
		return;
	}
	if (refuse) {
		find_refused(s, f, FR_REASON_STATE);
		return;
	}
	if (f->flow)
		judge_known(s, p, f, h);
	if (f->flow)
		return;
	p->key.proto ^= s->conf->zero;
	p->tcp_flags ^= s->conf->zero;
	finding_forget(f, s->conf->zero);
	judge_new(s, p, f, h);
}

/* ---------------------------------------------------------------- one packet */

static __always_inline int is_loopback_address(const struct fr_peer *peer, int v4)
{
	return v4 ? peer->high >> 56 == 127 : !peer->high && peer->low == 1;
}

/* 127/8 or ::1 that arrives on a device other than lo. */
static __always_inline int is_misplaced(const struct fr_packet *p, struct fr_hook h)
{
	struct fr_peer local;

	if (h.dir != FR_INGRESS && h.kind != FR_KIND_GUEST)
		return 0;
	packet_peer(&local, p->key.local, p->v4);
	return is_loopback_address(&p->peer, p->v4) || is_loopback_address(&local, p->v4);
}

/* What is decided before any rule is asked. 1: decided. */
static __always_inline int judge_before(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_finding *f, struct fr_hook h)
{
	__u32 flags = s->head->flags;

	switch (p->outcome) {
	case FR_NON_IP:
		if (flags &
		    (h.kind == FR_KIND_GUEST ? FR_F_NONIP_DENY_GUEST : FR_F_NONIP_DENY_IF)) {
			find_refused(s, f, FR_REASON_NON_IP);
			return 1;
		} /* fall through */
	case FR_NON_IP_KNOWN:
		find_pass(f, FR_RULE_OTHER, FR_REASON_NON_IP);
		return 1;
	case FR_BROKEN:
		find_refused(s, f, FR_REASON_MALFORMED);
		return 1;
	case FR_EXT_LIMIT:
		find_refused(s, f, FR_REASON_EXT_HEADERS);
		return 1;
	}
	if (h.kind == FR_KIND_CGROUP && s->ifindex == 1) {
		if (!(flags & FR_F_LOOPBACK))
			return 0;
		find_pass(f, FR_RULE_LOOPBACK, FR_REASON_LOOPBACK);
		return 1;
	}
	if (!is_misplaced(p, h))
		return 0;
	find_refused(s, f, FR_REASON_MALFORMED);
	return 1;
}

static __always_inline void judge_ip(struct fr_scene *s, struct fr_packet *p, struct fr_finding *f,
				     struct fr_hook h)
{
	__u8 reason = 0;
	__u32 rule = judge_builtin(s, p, &reason);

	reason ^= s->conf->zero;
	p->key.proto ^= s->conf->zero;
	p->v4 ^= s->conf->zero;
	if (rule)
		find_pass(f, rule, reason);
	else if (s->head->flags & FR_F_ICMP_ERROR && is_icmp_error(p) && judge_icmp_error(s, p))
		find_pass(f, FR_RULE_ICMP_ERROR, FR_REASON_ICMP_ERROR);
	else if (p->key.proto ^= s->conf->zero, p->fragment != FR_LATER)
		judge_conversation(s, p, f, h);
	else if (is_forwarded(s, p, h))
		find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
	else
		judge_fragment(s, p, f, h);
}

/* Audit remembers an opening that it would refuse, but not at the expense of an admitted flow. */
static __always_inline int finding_is_kept(const struct fr_finding *f)
{
	return f->verdict == FR_WOULD_DROP && !f->theirs;
}

/* What the finding leaves behind: flows, figures, events. */
static __always_inline void judge_commit(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_finding *f, struct fr_hook h)
{
	if (!f->slot)
		f->slot = rule_slot(s, f->rule);
	if (f->flow) {
		flow_update(s, p, f, h);
	} else if (f->start && (f->verdict == FR_PASS || finding_is_kept(f))) {
		progress_begin(s, p, f);
		if (flow_open(s, p, f) == JOINED)
			f->opened = 0; /* another CPU was first */
	}
	if (p->fragment == FR_FIRST && h.dir == FR_EGRESS && f->verdict == FR_PASS)
		fragment_note(s, p, f->slot);
	if (f->staged && f->verdict == FR_PASS) {
		book_rule(s, p, f, h);
		find(f, f->staged, FR_WOULD_DROP, FR_REASON_RULE);
		f->slot = rule_slot(s, f->staged);
	}
	book(s, p, f, h);
}

/* What is refused, and is no packet of this host's at all, unless netfilter turns it to a socket.
 * So may a later fragment be that passes because some port is open. */
static __always_inline void judge_bridged(const struct fr_scene *s, const struct fr_packet *p,
					  struct fr_finding *f, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE || h.dir != FR_INGRESS ||
	    (f->verdict == FR_PASS && f->reason != FR_REASON_FRAGMENT) || !is_bridged(s))
		return;
	transit_note(s, p);
	if (f->verdict == FR_PASS)
		return;
	f->flow = 0;
	f->start = f->opened = f->staged = 0;
	find_pass(f, FR_RULE_OTHER, FR_REASON_FORWARDED);
}

static __always_inline int judge_packet(struct fr_scene *s, struct fr_packet *p, struct fr_hook h)
{
	struct fr_finding f = {.opener = h.dir};

	if (!judge_before(s, p, &f, h))
		judge_ip(s, p, &f, h);
	judge_bridged(s, p, &f, h);
	finding_forget(&f, s->conf->zero);
	if (!f.flow) {
		packet_forget(p, s->conf->zero);
		packet_forget_ports(p, s->conf->zero);
	}
	judge_commit(s, p, &f, h);
	return f.verdict;
}

#endif /* FR_JUDGE_H */
