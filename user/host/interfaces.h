/* SPDX-License-Identifier: GPL-2.0-only */
/* The interfaces of a network namespace, their subnets, and whether it forwards. */
#ifndef HOST_INTERFACES_H
#define HOST_INTERFACES_H

#include "../base/base.h"
#include "../net/net.h"

struct interface {
	char name[16];
	const char **altnames; /* alternative names */
	size_t altname_count;
	uint32_t ifindex;
	uint16_t type; /* ARPHRD_* */
	bool l3;       /* packets begin at the IP header */
	bool loopback;
	char kind[16];	  /* "macvlan", "veth"; empty for a hardware device */
	uint32_t parent;  /* ifindex of the device below it, or of its peer; 0 none here */
	uint32_t master;  /* ifindex of the bridge or bond that it is a port of, 0 none */
	char port_of[16]; /* kind of the master: "bridge", "bond" */
	uint8_t mac[6];
	uint32_t promiscuity; /* promiscuity count */
	bool addressed;	      /* has an address that is not link-local */
	uint32_t xdp;	      /* id of its XDP program, 0 none */
};
struct interfaces {
	struct interface *list;
	size_t count;
};

/* Interfaces of the caller's network namespace, by netlink, in index order. Arena memory. */
int host_interfaces(struct arena *arena, struct diags *d, struct interface **out, size_t *count);
/* Those of another network namespace; an error without a diagnostic: cannot enter it. */
int interfaces_of(uint64_t netns, struct arena *arena, struct diags *d, struct interface **out,
		  size_t *count);
/* The subnets of one interface (its addresses' prefixes, link-local included). */
int host_subnets(struct arena *arena, uint32_t ifindex, struct diags *d, struct prefix **out,
		 size_t *count);
/* The addresses of the caller's network namespace, each with its device. Arena memory. */
struct local_address {
	struct addr addr;
	uint32_t ifindex;
};
int host_addresses(struct arena *arena, struct local_address **out, size_t *count);
/* The device of the caller's network namespace that has this address, or 0. */
int host_address_device(const struct addr *addr, uint32_t *ifindex);
/* The device by which a packet from one address to another leaves, for a socket that is bound to a
 * device or to none (0). -errno: there is no route. */
int host_route(const struct addr *from, const struct addr *to, uint32_t bound, uint32_t *ifindex);
/* The routes of the caller's network namespace to other hosts, of all tables; one for each gateway.
 * Arena memory. */
struct route {
	struct prefix to;
	struct addr gateway;
	bool has_gateway;
	uint8_t protocol; /* RTPROT_* */
};
int host_routes(struct arena *arena, struct route **out, size_t *count);
/* Whether the address answers as a neighbour. */
int host_neighbour(const struct addr *addr, bool *out);
/* ip_forward or ipv6 forwarding is on in the caller's namespace (read by netlink, not /proc/sys).
 */
int host_forwarding(bool *out);

bool name_is_pattern(const char *name);
const struct interface *interface_at(const struct interfaces *all, uint32_t ifindex); /* or NULL */
/* By its own name or an alternative one; a pattern never matches the device lo. */
bool interface_fits(const struct interface *interface, const char *request);
/* A port of a bridge or bond that this host sends by only through its master. */
bool interface_is_port(const struct interface *interfaces, size_t count,
		       const struct interface *port);
/* A veth or netkit. */
bool interface_has_peer(const struct interface *interface);

#endif
