/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way of most packets: those of a flow that the rule of its opening still admits, and
 * that change nothing but figures. The result is that of judge_packet(), which judges all others.
 */
#ifndef FR_STEADY_H
#define FR_STEADY_H

#include "decide.h"

/* By headers and devices alone: does no question but that of the flow decide the packet? */
static __always_inline int steady_by_headers(const struct fr_ctx *s, const struct fr_packet *p,
					     struct fr_hook h)
{
	if (p->outcome != FR_IP || p->fragment != FR_WHOLE)
		return 0;
	if (p->key.proto == FR_PROTO_TCP) {
		if ((p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK | FR_TCP_FIN | FR_TCP_RST)) !=
		    FR_TCP_ACK)
			return 0;
	} else if (p->key.proto != FR_PROTO_UDP || is_dhcp_port(p->key.local_port)) {
		return 0;
	}
	if (h.kind == FR_KIND_CGROUP)
		return s->ifindex != 1;
	if (h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS)
		return !s->skb->ingress_ifindex;
	return !is_misplaced(p, h);
}

/* The verdict by the cell that the flow remembers. 0: it may be another than to pass. */
static __always_inline int steady_verdict(const struct fr_ctx *s, const struct fr_flow *flow,
					  const struct fr_progress *progress, __u64 hash,
					  struct fr_decision *d, struct fr_hook h)
{
	const volatile struct fr_flow *known = flow; /* one access each */
	__u32 cell = known->cell, slot = known->slot, seal = known->seal;

	if (seal != cell_seal(s, hash, progress->opener, cell, slot) || cell & FR_CELL_STAGED ||
	    FR_CELL_ACTION(cell) != FR_ALLOW)
		return 0;
	d->slot = slot;
	d->rule = FR_CELL_NUMBER(cell);
	d->reason = d->rule < FR_DIRS ? FR_REASON_DEFAULT : FR_REASON_RULE;
	if (progress->opener != h.dir)
		d->reason = FR_REASON_REPLY;
	return 1;
}

/* All but the number, in one access: another CPU may change it. */
static __always_inline struct fr_progress progress_of(const struct fr_flow *flow)
{
	__u32 word = *(const volatile host_word *)&flow->progress;
	struct fr_progress progress = {0};

	__builtin_memcpy(&progress, &word, sizeof(word));
	return progress;
}

/* Not 0: the packet passes, and is counted. */
static __always_inline int steady_pass(const struct fr_ctx *s, const struct fr_packet *p,
				       struct fr_hook h)
{
	struct fr_decision d = {.verdict = FR_PASS};
	struct fr_progress progress;
	struct fr_flow *flow;
	__u64 hash, now = s->now;
	__u32 info, timeout;

	if (!fr_shortcuts || !steady_by_headers(s, p, h))
		return 0;
	hash = hash_key(&p->key, p->v4, PORTS_BOTH);
	flow = flow_look_up(s, p, hash, &info);
	if (!flow)
		return 0;
	progress = progress_of(flow);
	if (!flow_is_steady(&progress, p->key.proto, progress.opener == h.dir) ||
	    !steady_verdict(s, flow, &progress, hash, &d, h))
		return 0;
	FR_JOIN(s->conf->zero, now); /* a copy of which the verifier may learn */
	timeout = s->conf->timeout[flow_timeout(&progress, p->key.proto) % FR_TIMEOUTS];
	if (flow_is_silent(flow, timeout, now) || info_is_old(info, ends_after(now, timeout)))
		return 0;
	flow_count(s, p, flow, h.dir);
	account_figures(s, p, &d, h);
	return 1;
}

#endif /* FR_STEADY_H */
