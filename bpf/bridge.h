/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attached interface that is a port of a bridge: frames for other stations are not this host's,
 * also where the host does not forward. Checked for packets that would otherwise be refused. And
 * the devices of one guest, which are one party.
 */
#ifndef FR_BRIDGE_H
#define FR_BRIDGE_H

#include "host.h"

struct fr_stations {
	__u8 to[6], from[6];
};

static __always_inline int station_is(const __u8 a[6], const __u8 b[6])
{
	__u16 x[3], y[3];

	__builtin_memcpy(x, a, sizeof(x));
	__builtin_memcpy(y, b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* The record of this device, unless it no longer holds, and the addresses of the frame. */
static __always_inline struct fr_port *port_of(const struct fr_ctx *s, struct fr_stations *stations)
{
	__u32 ifindex = s->ifindex;
	struct fr_port *port;

	if (!(s->head->flags & FR_F_BRIDGE_PORTS))
		return 0;
	port = bpf_map_lookup_elem(&fr_ports, &ifindex);
	if (!port || port->mixed || bpf_skb_load_bytes(s->skb, 0, stations, sizeof(*stations)))
		return 0;
	return port;
}

/* Is the frame for another station than this host? pkt_type alone does not show it: a bridge passes
 * frames for its own address to the stack. */
static __noinline int is_bridged(const struct fr_ctx *s)
{
	struct fr_stations stations;
	struct fr_port *port;

	if (s->skb->pkt_type != FR_TO_OTHERS || s->head->flags & FR_F_FORWARD_JUDGE)
		return 0;
	port = port_of(s, &stations);
	return port && !station_is(stations.to, port->bridge) &&
	       !station_is(stations.to, port->own);
}

/* The source addresses of packets that this host sends are those by which it can be reached: the
 * bridge's may have changed, or a macvlan is above it. */
static __noinline int bridge_watch(const struct fr_ctx *s)
{
	struct fr_stations stations;
	struct fr_port *port;

	if (s->skb->ingress_ifindex)
		return 0;
	port = port_of(s, &stations);
	if (port && !station_is(stations.from, port->bridge) &&
	    !station_is(stations.from, port->own))
		port->mixed = 1;
	return 0;
}

/* The device that gives a guest's flows their scope: its own, or one for all of its party. */
static __always_inline __u32 guest_scope(const struct fr_ctx *s)
{
	__u32 ifindex = s->ifindex;
	const struct fr_port *guest;

	if (!(s->head->flags & FR_F_PARTIES))
		return ifindex;
	guest = bpf_map_lookup_elem(&fr_ports, &ifindex);
	return guest && guest->party ? guest->party : ifindex;
}

#endif /* FR_BRIDGE_H */
