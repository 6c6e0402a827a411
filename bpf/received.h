/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions that came by a device without this policy, and whose answers leave by one that has it:
 * no hook has seen them, but a socket has received them. A socket that receives a datagram which
 * the policy would let in notes who sent it. A datagram to the same peer and port that the same
 * socket sends, and that a rule refuses, is the answer. The generation in force judges the question
 * again then, so a note admits nothing by itself. Another socket has no note, whatever its port.
 */
#ifndef FR_RECEIVED_H
#define FR_RECEIVED_H

#include "classify.h"

/* By the socket of this number, at a port of this host. A device lo has no policy. */
static __always_inline void received_note(const struct fr_ctx *s, const struct fr_packet *p,
					  __u64 socket)
{
	struct fr_received_key key;
	__u64 now = s->now, *last;

	if (!p->key.peer_port || is_loopback_address(p->key.peer, p->v4) ||
	    !policy_admits(s, p, FR_INGRESS, p->key.local_port, 0))
		return;
	received_key(socket, p, &key);
	last = bpf_map_lookup_elem(&fr_received, &key);
	if (last)
		*last = now;
	else
		bpf_map_update_elem(&fr_received, &key, &now, BPF_ANY);
	asked_now(s, port_asking(p, FR_INGRESS));
}

/* The cell of the question that the sending socket has received from the peer of this datagram, or
 * FR_CELL_GONE. Only a rule admits one: a process can send its own socket a datagram under any IPv6
 * address, and a default that lets everybody in would let it out to everybody. Most refused
 * datagrams are known by the peer's port to be no answer. */
static __always_inline __u32 received_cell(const struct fr_ctx *s, const struct fr_packet *p)
{
	__u32 staged, cell, real;

	if (!asked_lately(s, port_asking(p, FR_INGRESS)) || !host_was_asked(s, p))
		return FR_CELL_GONE;
	cell = policy_cell(s, p, FR_INGRESS, p->key.local_port, 0);
	real = policy_unstaged(s, cell, &staged);
	if (FR_CELL_ACTION(real) == FR_DENY || FR_CELL_NUMBER(real) < FR_RULE_FIRST)
		return FR_CELL_GONE;
	return cell;
}

/* As answer_find(), or the cell of a received question. Later packets of a flow that began with an
 * answer are judged by the flow's opener. */
static __noinline __u32 received_find(const struct fr_ctx *s, const struct fr_packet *p,
				      __u32 reason, __u32 judged)
{
	if (s->head->flags & FR_F_ANSWERS) {
		__u32 cell = answer_find(s, p, reason, judged);

		if (cell != FR_CELL_GONE)
			return cell;
	}
	if (JUDGED_VERDICT(judged) == FR_PASS || JUDGED_REASON(judged) == FR_REASON_REPLY ||
	    (reason != FR_REASON_DEFAULT && reason != FR_REASON_RULE))
		return FR_CELL_GONE;
	return received_cell(s, p);
}

#endif /* FR_RECEIVED_H */
