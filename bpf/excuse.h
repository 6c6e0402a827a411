/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that open nothing and are of no known flow, and may pass all the same: later fragments,
 * mid-stream packets that a socket vouches for, other hosts' packets, replies to those.
 */
#ifndef FR_EXCUSE_H
#define FR_EXCUSE_H

#include "ask.h"
#include "transit.h"

/* ---------------------------------------------------------------- mid-stream */

/* Who opened cannot be told: whichever the policy allows. */
static __always_inline int adopt_either(const struct fr_scene *s, const struct fr_packet *p)
{
	if (judge_admits(s, p, FR_EGRESS, p->key.peer_port, 0))
		return FR_EGRESS;
	return judge_admits(s, p, FR_INGRESS, p->key.local_port, 0) ? FR_INGRESS : -1;
}

/* Mid-stream TCP in the grace time of a guest, whose sockets cannot be asked. */
static __always_inline int adopt_guest(const struct fr_scene *s, const struct fr_packet *p)
{
	if (p->key.proto != FR_PROTO_TCP ||
	    (s->now >= s->conf->adopt_until && !track_lost_lately(s)))
		return -1;
	return adopt_either(s, p);
}

/* Is TCP without a socket here taken for the answer to a masqueraded connection? */
static __always_inline int passes_as_reply(const struct fr_scene *s)
{
	return s->head->flags & FR_F_FORWARDING_ON && !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/*
 * Of a device above this one (macvlan, ipvlan), whose sockets are in another namespace. On the way
 * out the socket that sends vouches. On the way in, what has an Ethernet address other than the
 * device's, as macvlan has, and no socket here would take, is as with guests. Of the device's own
 * address nothing can be told: whoever floods it with strays fills no table.
 */
static __always_inline int adopt_sibling(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_hook h, __u8 state)
{
	if (h.kind != FR_KIND_INTERFACE)
		return -1;
	if (h.dir == FR_EGRESS)
		return host_sends(s->skb, p) ? adopt_either(s, p) : -1;
	if (state || s->skb->pkt_type != FR_TO_OTHERS || passes_as_reply(s))
		return -1;
	return adopt_guest(s, p);
}

/* Who opened the connection that this unknown mid-stream packet is of: enum fr_dir, or -1 when
 * nothing vouches for it. */
static __always_inline int adopt_opener(const struct fr_scene *s, const struct fr_packet *p,
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

/* Why an otherwise refused packet is none of the policy's business, or 0. Interfaces, ingress. */
static __noinline int excuse(const struct fr_scene *s, const struct fr_packet *p)
{
	__u32 flags = s->head->flags;

	if (!(flags & FR_F_IPSEC_JUDGE) && host_decrypted(s->skb))
		return FR_REASON_IPSEC_INNER;
	if (flags & FR_F_FORWARD_JUDGE)
		return 0;
	if (host_forwards(s->skb, p) && transit_put(s, p))
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

/* ---------------------------------------------------------------- forwarded */

/* Proven not to be this host's own: it came in on another device. */
static __always_inline int is_forwarded(const struct fr_scene *s, const struct fr_packet *p,
					struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_EGRESS && s->skb->ingress_ifindex &&
	       !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/* The answer to what was forwarded: masqueraded, it comes to this host's own address. */
static __always_inline int is_forwarded_reply(const struct fr_scene *s, const struct fr_flow *flow,
					      struct fr_hook h)
{
	return h.kind == FR_KIND_INTERFACE && h.dir == FR_INGRESS && flow &&
	       flow->reason == FR_REASON_FORWARDED && !(s->head->flags & FR_F_FORWARD_JUDGE);
}

/*
 * A conversation that passes through may have been opened under a rule that fits it; a policy
 * without that rule does not cut it. Asked for what would otherwise be refused. On the way out an
 * answer from behind a published port looks the same, but what audit has refused was this host's.
 */
static __always_inline int is_transit(const struct fr_scene *s, const struct fr_packet *p,
				      const struct fr_flow *flow, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE)
		return 0;
	if (h.dir == FR_INGRESS)
		return passes_through(s, p);
	return is_forwarded(s, p, h) && !(flow->flags & FR_FLOW_WOULD_DROP);
}

/* ---------------------------------------------------------------- fragments */

static __always_inline void fragment_key(const struct fr_packet *p, struct fr_fragment_key *key)
{
	__builtin_memcpy(key->local, p->key.local, sizeof(key->local));
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->id = p->fragment_id;
	key->scope = p->key.scope;
	key->vlan = p->key.vlan;
	key->proto = p->v4 ? p->key.proto : 0; /* RFC 8200: the first part alone tells it */
	key->pad = 0;
}

/* An allowed first fragment on its way out lets the later ones of its datagram follow. */
static __noinline int fragment_note(const struct fr_scene *s, const struct fr_packet *p, __u32 slot)
{
	struct fr_fragment value = {.until = s->now + s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY]};
	struct fr_fragment_key key;

	value.slot = slot;
	fragment_key(p, &key);
	return bpf_map_update_elem(&fr_fragments, &key, &value, BPF_ANY);
}

/*
 * May some port of a later fragment's protocol come in, or go out and be answered? Where an IPv6
 * datagram goes on with an extension header behind the fragment header, later parts tell that
 * header's number and no protocol. They are taken for UDP: TCP is not fragmented where senders know
 * the path's MTU, and whatever is let in here is of no use without a first part that was admitted.
 */
static __always_inline int fragment_admits(const struct fr_scene *s, struct fr_packet *p)
{
	__u8 proto = p->key.proto;
	int admits;

	if (!p->v4 && is_extension(proto))
		p->key.proto = FR_PROTO_UDP;
	p->key.proto ^= s->conf->zero;
	admits = judge_admits(s, p, FR_INGRESS, 0, 1) || judge_admits(s, p, FR_EGRESS, 0, 1);
	p->key.proto = proto;
	return admits;
}

/* A later fragment. In: order is not given, and without its judged first nothing reassembles. */
static __always_inline void judge_fragment(const struct fr_scene *s, struct fr_packet *p,
					   struct fr_finding *f, struct fr_hook h)
{
	struct fr_fragment *known;
	struct fr_fragment_key key;
	__u8 reason;

	if (h.dir == FR_INGRESS) {
		if (fragment_admits(s, p)) {
			find_pass(f, FR_RULE_OTHER, FR_REASON_FRAGMENT);
			if (h.kind == FR_KIND_INTERFACE)
				passes_through(s, p); /* that its last part may be */
		} else if (h.kind == FR_KIND_INTERFACE && (reason = excuse(s, p)))
			find_pass(f, FR_RULE_OTHER, reason);
		else
			find_refused(s, f, FR_REASON_FRAGMENT);
		return;
	}
	fragment_key(p, &key);
	known = bpf_map_lookup_elem(&fr_fragments, &key);
	if (known && s->now <= known->until) {
		find_pass(f, FR_RULE_OTHER, FR_REASON_FRAGMENT);
		f->slot = known->slot;
	} else {
		find_refused(s, f, FR_REASON_FRAGMENT);
	}
}

#endif /* FR_EXCUSE_H */
