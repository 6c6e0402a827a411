/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Later fragments, which carry no port: out, when their first was allowed; in, when some port of
 * their protocol is open, because no datagram is reassembled without its judged first.
 */
#ifndef FR_FRAGMENT_H
#define FR_FRAGMENT_H

#include "answers.h"
#include "forward.h"

static __always_inline void fragment_key(const struct fr_packet *p, struct fr_fragment_key *key)
{
	__builtin_memcpy(key->local, p->key.local, sizeof(key->local));
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->id = p->fragment_id;
	key->scope = p->key.scope;
	key->vlan = p->key.vlan;
	key->proto = p->v4 ? p->key.proto : 0; /* RFC 8200: only the first part has it */
	key->pad = 0;
}

/* An allowed first fragment on its way out lets the later ones of its datagram follow. */
static __noinline int fragment_note(const struct fr_ctx *s, const struct fr_packet *p, __u32 slot)
{
	struct fr_fragment value = {.until = s->now + s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY]};
	struct fr_fragment_key key;

	value.slot = slot;
	fragment_key(p, &key);
	return bpf_map_update_elem(&fr_fragments, &key, &value, BPF_ANY);
}

/*
 * May some port of a later fragment's protocol come in, or go out and be answered? Where an IPv6
 * datagram goes on with an extension header behind the fragment header, later parts have that
 * header's number and no protocol. They count as UDP: TCP is not fragmented where senders know the
 * path's MTU, and a part that is let in here is of no use without a first part that was admitted.
 * So may a neighbour's that answers a question to a group.
 */
static __always_inline int fragment_admits(const struct fr_ctx *s, struct fr_packet *p)
{
	__u8 proto = p->key.proto;
	int admits;

	if (!p->v4 && is_extension(proto))
		p->key.proto = FR_PROTO_UDP;
	FR_JOIN(s->conf->zero, p->key.proto);
	admits = policy_admits(s, p, FR_INGRESS, 0, 1) || policy_admits(s, p, FR_EGRESS, 0, 1) ||
		 (p->key.proto == FR_PROTO_UDP && s->head->flags & FR_F_ANSWERS &&
		  asked_lately(s, ASKED_ANY_GROUP) &&
		  address_on_subnets(s, p->key.peer) & ON_SUBNET);
	p->key.proto = proto;
	return admits;
}

/* The slot that counts a datagram whose first part went out, and 1; or 0. */
static __noinline __u32 fragment_slot(const struct fr_ctx *s, const struct fr_packet *p)
{
	struct fr_fragment *known;
	struct fr_fragment_key key;

	fragment_key(p, &key);
	known = bpf_map_lookup_elem(&fr_fragments, &key);
	return known && s->now <= known->until ? known->slot + 1 : 0;
}

/* A later fragment. In: order is not given, and without its judged first nothing reassembles. */
static __always_inline void fragment_decide(const struct fr_ctx *s, struct fr_packet *p,
					    struct fr_decision *d, struct fr_hook h)
{
	__u32 slot;
	__u8 reason;

	if (h.dir == FR_INGRESS) {
		if (fragment_admits(s, p)) {
			verdict_pass(d, FR_RULE_OTHER, FR_REASON_FRAGMENT);
			if (h.kind == FR_KIND_INTERFACE)
				transit_passes(s, p); /* that its last part may be */
		} else if (h.kind == FR_KIND_INTERFACE && (reason = exempt_reason(s, p)))
			verdict_pass(d, FR_RULE_OTHER, reason);
		else
			verdict_refuse(s, d, FR_REASON_FRAGMENT);
		return;
	}
	slot = fragment_slot(s, p);
	if (slot) {
		verdict_pass(d, FR_RULE_OTHER, FR_REASON_FRAGMENT);
		d->slot = slot - 1;
	} else {
		verdict_refuse(s, d, FR_REASON_FRAGMENT);
	}
}

#endif /* FR_FRAGMENT_H */
