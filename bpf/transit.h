/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that passed as forwarded but reach a socket of this host: netfilter may redirect them
 * (REDIRECT, DNAT, TPROXY, a route by mark) after the device's hook has asked the routing table. So
 * the sender is noted, and a socket look-up for it a moment later is judged as an opening. The
 * look-up has neither the packet nor its first source port: conntrack changes the port where two
 * connections of one sender would be alike. Any other packet from this address in the same moment
 * is judged alike, except answers.
 */
#ifndef FR_TRANSIT_H
#define FR_TRANSIT_H

#include "host.h"
#include "track.h"

/* The time from the hook to the socket: one run of softirqs, or a queue. */
#define FR_TRANSIT_NS 250000000ll
#define FR_TRANSIT_JIFFIES 1000 /* no less, at any rate of the clock */

/* Any protocol: of later fragments, which are put together after the hook. */
static __always_inline void transit_key(const struct fr_packet *p, int any_protocol,
					struct fr_transit_key *key)
{
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->proto = any_protocol ? 0 : p->key.proto;
	__builtin_memset(key->pad, 0, sizeof(key->pad));
}

/* Only a SYN finds a listener. */
static __always_inline int transit_may_open(const struct fr_packet *p)
{
	if (p->fragment == FR_LATER || p->key.proto == FR_PROTO_UDP)
		return 1;
	return p->key.proto == FR_PROTO_TCP &&
	       (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN;
}

/* Was a packet noted lately? Where nothing is forwarded a socket look-up checks no more than this.
 * Another CPU may note a packet after this one has read its clock: a time ahead counts too. */
static __always_inline int transit_is_busy(void)
{
	__u32 which = FR_TIME_TRANSIT;
	const volatile __u64 *at = bpf_map_lookup_elem(&fr_times, &which);
	__u64 last = at ? *at : 0;

	return last && (__s64)(bpf_jiffies64() - last) <= FR_TRANSIT_JIFFIES;
}

/* Reads the clock: the packet's program may have been delayed since it began. */
static __always_inline void transit_was_noted(void)
{
	__u32 which = FR_TIME_TRANSIT;
	__u64 *last = bpf_map_lookup_elem(&fr_times, &which), now = bpf_jiffies64();

	if (last && (__s64)(now - *last) > 0)
		*last = now;
}

static __always_inline int transit_put(const struct fr_ctx *s, const struct fr_packet *p)
{
	struct fr_transit fresh = {.vlan = p->key.vlan};
	struct fr_transit_key key;
	struct fr_transit *known;

	if (!transit_may_open(p))
		return 1;
	transit_key(p, p->fragment == FR_LATER, &key);
	fresh.last = bpf_ktime_get_boot_ns();
	fresh.length = p->length;
	fresh.ifindex = s->ifindex;
	transit_was_noted();
	known = bpf_map_lookup_elem(&fr_transit, &key);
	if (known)
		*known = fresh;
	else
		bpf_map_update_elem(&fr_transit, &key, &fresh, BPF_ANY);
	return 1;
}

static __noinline int transit_note(const struct fr_ctx *s, const struct fr_packet *p)
{
	return transit_put(s, p);
}

/* Would it be forwarded by the routing table? Then it is noted. */
static __noinline int transit_passes(const struct fr_ctx *s, const struct fr_packet *p)
{
	return !(s->head->flags & FR_F_FORWARD_JUDGE) && host_forwards(s, p) && transit_put(s, p);
}

/* ---------------------------------------------------------------- sockets */

static __always_inline const struct fr_transit *transit_at(const struct fr_packet *p,
							   int any_protocol)
{
	struct fr_transit_key key;
	struct fr_transit *noted;

	transit_key(p, any_protocol, &key);
	noted = bpf_map_lookup_elem(&fr_transit, &key);
	if (!noted || (__s64)(bpf_ktime_get_boot_ns() - noted->last) >= FR_TRANSIT_NS)
		return 0;
	return noted;
}

/* May this packet have passed as forwarded a moment ago? */
static __always_inline int transit_find(struct fr_ctx *s, struct fr_packet *p)
{
	const struct fr_transit *noted = transit_at(p, 0);

	if (!noted)
		noted = transit_at(p, 1);
	if (!noted)
		return 0;
	p->key.vlan = noted->vlan;
	p->length = noted->length;
	s->ifindex = noted->ifindex;
	return 1;
}

/* The answer to a datagram that an unconnected socket of this host has sent; from elsewhere than it
 * was sent to, by the flow's reason, if this generation has judged that. */
static __always_inline int transit_is_answer(const struct fr_ctx *s, const struct fr_packet *p)
{
	__u64 hash = hash_key(&p->key, p->v4, PORTS_BOTH);
	__u32 info;
	const struct fr_flow *flow = flow_find(s, p, hash, &info);

	if (!flow || flow->opener != FR_EGRESS || flow->reason == FR_REASON_FORWARDED ||
	    flow->flags & FR_FLOW_WOULD_DROP)
		return 0;
	if (flow->reason == FR_REASON_REPLY &&
	    flow->seal == cell_seal(s, hash, FR_EGRESS, flow->cell, flow->slot))
		return 1;
	return policy_admits(s, p, FR_EGRESS, p->key.peer_port, 0);
}

#endif /* FR_TRANSIT_H */
