/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short ways of most packets: those of a flow that the rule of its opening still admits, and
 * TCP openings of which no flow is known. The result is that of the long way, which judges all
 * others.
 */
#ifndef FR_SHORTCUT_H
#define FR_SHORTCUT_H

#include "decide.h"

/* No verdict: the long way judges. */
#define SHORTCUT_NONE (-1)

/* By headers and devices alone: does no question but that of the flow and of its rule decide the
 * packet? */
static __always_inline int shortcut_serves(const struct fr_ctx *s, const struct fr_packet *p,
					   struct fr_hook h)
{
	if (p->outcome != FR_IP || p->fragment != FR_WHOLE)
		return 0;
	if (p->key.proto == FR_PROTO_TCP) {
		if (p->tcp_flags & FR_TCP_RST || !(p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)))
			return 0;
	} else if (p->key.proto != FR_PROTO_UDP || is_dhcp_port(p->key.local_port)) {
		return 0;
	}
	if (h.kind == FR_KIND_CGROUP && s->ifindex == 1)
		return 0;
	if (h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS && s->skb->ingress_ifindex)
		return 0;
	return !is_misplaced(p, h);
}

/* ---------------------------------------------------------------- of a flow */

/* The verdict by the cell that the flow remembers. 0: it may be another than to pass. */
static __always_inline int shortcut_admits(const struct fr_ctx *s, const struct fr_flow *flow,
					   __u8 opener, __u64 hash, struct fr_decision *d,
					   struct fr_hook h)
{
	const volatile struct fr_flow *known = flow; /* one access each */
	__u32 cell = known->cell, slot = known->slot, seal = known->seal;

	if (seal != cell_seal(s, hash, opener, cell, slot) || cell & FR_CELL_STAGED ||
	    FR_CELL_ACTION(cell) != FR_ALLOW)
		return 0;
	d->slot = slot;
	d->rule = FR_CELL_NUMBER(cell);
	d->reason = d->rule < FR_DIRS ? FR_REASON_DEFAULT : FR_REASON_RULE;
	if (opener != h.dir)
		d->reason = FR_REASON_REPLY;
	return 1;
}

/* In two accesses: another CPU may change it. */
static __always_inline __u64 progress_known(const struct fr_flow *flow)
{
	const volatile host_word *known = (const volatile host_word *)&flow->progress;
	__u64 low = known[0];

	return low | (__u64)known[1] << 32;
}

/* Does the packet change nothing but figures? */
static __always_inline int shortcut_is_steady(const struct fr_packet *p,
					      const struct fr_progress *progress)
{
	return !(p->tcp_flags & (FR_TCP_SYN | FR_TCP_FIN)) &&
	       flow_is_steady(progress, p->key.proto, progress->opener == p->dir);
}

/* The step that the packet makes in a flow that was opened under a rule, and passed. 0: it makes
 * none, or another one. */
static __always_inline int shortcut_step(const struct fr_packet *p, const struct fr_flow *flow,
					 struct fr_progress *progress)
{
	return progress->reason != FR_REASON_FORWARDED && progress->reason != FR_REASON_ADOPTED &&
	       !(progress->flags & FR_FLOW_WOULD_DROP) && flow_step(progress, p) == FR_STEP_KNOWN &&
	       progress_word(progress) != progress_known(flow);
}

static __always_inline int shortcut_known(const struct fr_ctx *s, const struct fr_packet *p,
					  __u64 hash, struct fr_hook h)
{
	struct fr_decision d = {.verdict = FR_PASS};
	struct fr_progress progress;
	struct fr_flow *flow;
	__u64 known, now = s->now;
	__u32 info, timeout;
	int steps;

	flow = flow_look_up(s, p, hash, &info);
	if (!flow)
		return SHORTCUT_NONE;
	known = progress_known(flow);
	__builtin_memcpy(&progress, &known, sizeof(progress));
	if (!shortcut_admits(s, flow, progress.opener, hash, &d, h))
		return SHORTCUT_NONE;
	FR_JOIN(s->conf->zero, now); /* a copy of which the verifier may learn */
	timeout = s->conf->timeout[flow_timeout(&progress, p->key.proto) % FR_TIMEOUTS];
	if (flow_is_silent(flow, timeout, now))
		return SHORTCUT_NONE;
	steps = !shortcut_is_steady(p, &progress) || info_is_old(info, ends_after(now, timeout));
	if (steps && !shortcut_step(p, flow, &progress))
		return SHORTCUT_NONE;
	FR_JOIN(s->conf->zero, steps, progress.state, progress.flags, progress.isn, d.reason);
	flow_count(s, p, flow, h);
	if (steps)
		d.answered = flow_commit(s, p, hash, progress_word(&progress));
	account_figures(s, p, &d, h);
	return FR_PASS;
}

/* ---------------------------------------------------------------- an opening */

/* May an opening that its rule refuses pass all the same? */
static __always_inline int shortcut_exempts(const struct fr_ctx *s, const struct fr_packet *p,
					    struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS &&
	       (s->skb->pkt_type == FR_TO_OTHERS || exempt_reason(s, p));
}

/* May a flow of the opening be known, which decides otherwise than its rule alone? */
static __always_inline int shortcut_is_known(const struct fr_ctx *s, const struct fr_packet *p,
					     __u64 hash, const struct fr_decision *d,
					     struct fr_hook h)
{
	if (d->verdict == FR_DROP && h.dir == FR_INGRESS && !syn_lately(s, p->key.local_port))
		return 0;
	return table_may_hold(hash);
}

static __always_inline int shortcut_opening(struct fr_ctx *s, const struct fr_packet *p, __u64 hash,
					    struct fr_hook h)
{
	struct fr_decision d = {.opener = h.dir, .new_state = FR_FLOW_OPENING};
	struct fr_match m = {.hash = hash};

	verdict_from_cell(s, &d, policy_cell(s, p, h.dir, p->port, 0));
	if (d.staged || d.verdict == FR_WOULD_DROP || shortcut_is_known(s, p, hash, &d, h) ||
	    (d.verdict == FR_DROP && shortcut_exempts(s, p, h)))
		return SHORTCUT_NONE;
	d.slot = policy_slot(s, d.rule);
	if (d.verdict == FR_PASS) {
		s->owner = ctx_owner(s, h.kind);
		if (h.dir == FR_EGRESS)
			syn_note(&p->key, s->now);
		d.opened = flow_open(s, p, &m, &d, h) != JOINED;
	}
	account(s, p, &d, h);
	/* The verifier cannot tell d.verdict from SHORTCUT_NONE. */
	return d.verdict == FR_PASS ? FR_PASS : FR_DROP;
}

/* The verdict, or SHORTCUT_NONE. */
static __always_inline int shortcut_judge(struct fr_ctx *s, const struct fr_packet *p,
					  struct fr_hook h)
{
	__u64 hash;

	if (!fr_shortcuts || !shortcut_serves(s, p, h))
		return SHORTCUT_NONE;
	/* Here, where both ways come by: else the verifier follows it in each. */
	hash = hash_key(&p->key, p->v4, PORTS_BOTH);
	if (p->key.proto == FR_PROTO_TCP && !(p->tcp_flags & FR_TCP_ACK))
		return shortcut_opening(s, p, hash, h);
	return shortcut_known(s, p, hash, h);
}

#endif /* FR_SHORTCUT_H */
