/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interfaces, their subnets, and whether this host forwards: read by netlink from the caller's
 * network namespace. /sys/class/net and /proc/sys show the namespace of their mounter, so they are
 * not read.
 */
#include "interfaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/if_addr.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"
#include "netns.h"

enum { DUMP_RETRIES = 5 };

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct netconfmsg conf;
	} body;
};

/* ---------------------------------------------------------------- interfaces */

struct interface_list {
	struct arena *arena;
	struct interface *list;
	size_t count, capacity;
};

/* Devices whose packets begin at the IP header: TC programs see no other header. */
static bool type_is_l3(uint16_t type)
{
	return type == ARPHRD_NONE || type == ARPHRD_PPP || type == ARPHRD_RAWIP ||
	       type == ARPHRD_TUNNEL || type == ARPHRD_TUNNEL6 || type == ARPHRD_SIT ||
	       type == ARPHRD_IPGRE || type == ARPHRD_IP6GRE;
}

static void parse_kind(const struct rtattr *info, struct interface *interface)
{
	const struct rtattr *attribute = RTA_DATA(info);
	int left = (int)RTA_PAYLOAD(info);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFLA_INFO_KIND)
			snprintf(interface->kind, sizeof(interface->kind), "%s",
				 (const char *)RTA_DATA(attribute));
}

static void parse_port(const struct rtattr *info, struct interface *interface)
{
	const struct rtattr *attribute = RTA_DATA(info);
	int left = (int)RTA_PAYLOAD(info);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFLA_INFO_SLAVE_KIND)
			snprintf(interface->port_of, sizeof(interface->port_of), "%s",
				 (const char *)RTA_DATA(attribute));
}

static void parse_altnames(const struct rtattr *list, struct arena *arena,
			   struct interface *interface)
{
	const struct rtattr *attribute = RTA_DATA(list);
	int left = (int)RTA_PAYLOAD(list);
	size_t room = 0;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type != IFLA_ALT_IFNAME)
			continue;
		interface->altnames =
			arena_grow(arena, interface->altnames, interface->altname_count, &room,
				   sizeof(*interface->altnames));
		interface->altnames[interface->altname_count++] =
			arena_strdup(arena, RTA_DATA(attribute));
	}
}

static void parse_xdp(const struct rtattr *xdp, struct interface *interface)
{
	const struct rtattr *attribute = RTA_DATA(xdp);
	int left = (int)RTA_PAYLOAD(xdp);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFLA_XDP_PROG_ID)
			memcpy(&interface->xdp, RTA_DATA(attribute), sizeof(interface->xdp));
}

/* Newer kernels flag nested attributes. */
static void parse_attribute(const struct rtattr *attribute, struct arena *arena,
			    struct interface *interface)
{
	switch (attribute->rta_type & NLA_TYPE_MASK) {
	case IFLA_IFNAME:
		snprintf(interface->name, sizeof(interface->name), "%s",
			 (const char *)RTA_DATA(attribute));
		break;
	case IFLA_LINKINFO:
		parse_kind(attribute, interface);
		parse_port(attribute, interface);
		break;
	case IFLA_LINK:
		memcpy(&interface->parent, RTA_DATA(attribute), sizeof(interface->parent));
		break;
	case IFLA_MASTER:
		memcpy(&interface->master, RTA_DATA(attribute), sizeof(interface->master));
		break;
	case IFLA_ADDRESS:
		if (RTA_PAYLOAD(attribute) == sizeof(interface->mac))
			memcpy(interface->mac, RTA_DATA(attribute), sizeof(interface->mac));
		break;
	case IFLA_PROMISCUITY:
		memcpy(&interface->promiscuity, RTA_DATA(attribute),
		       sizeof(interface->promiscuity));
		break;
	case IFLA_PROP_LIST:
		parse_altnames(attribute, arena, interface);
		break;
	case IFLA_XDP:
		parse_xdp(attribute, interface);
		break;
	}
}

static int on_link(const struct nlmsghdr *message, void *context)
{
	struct interface_list *list = context;
	const struct ifinfomsg *link = NLMSG_DATA(message);
	const struct rtattr *attribute = IFLA_RTA(link);
	int left = (int)IFLA_PAYLOAD(message);
	struct interface *interface;
	bool elsewhere = false;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	list->list = arena_grow(list->arena, list->list, list->count, &list->capacity,
				sizeof(*list->list));
	interface = &list->list[list->count++];
	*interface = (struct interface){
		.ifindex = (uint32_t)link->ifi_index,
		.type = link->ifi_type,
		.l3 = type_is_l3(link->ifi_type),
		.loopback = link->ifi_flags & IFF_LOOPBACK,
	};
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		elsewhere |= attribute->rta_type == IFLA_LINK_NETNSID;
		parse_attribute(attribute, list->arena, interface);
	}
	/* The index belongs to another namespace. */
	if (elsewhere)
		interface->parent = 0;
	return 0;
}

static bool link_local(const struct rtattr *address, uint8_t family)
{
	const uint8_t *b = RTA_DATA(address);

	return family == AF_INET6 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
}

static int on_addressed(const struct nlmsghdr *message, void *context)
{
	const struct interface_list *list = context;
	const struct ifaddrmsg *address = NLMSG_DATA(message);
	const struct rtattr *attribute = IFA_RTA(address);
	int left = (int)IFA_PAYLOAD(message);
	bool own = false;

	if (message->nlmsg_type != RTM_NEWADDR)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		own |= attribute->rta_type == IFA_ADDRESS &&
		       !link_local(attribute, address->ifa_family);
	for (size_t i = 0; i < list->count && own; i++)
		if (list->list[i].ifindex == address->ifa_index)
			list->list[i].addressed = true;
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct interface *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int host_interfaces(struct arena *arena, struct diags *d, struct interface **out, size_t *count)
{
	struct request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			   .nlmsg_type = RTM_GETLINK},
	};
	struct request addresses = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			   .nlmsg_type = RTM_GETADDR},
	};
	struct interface_list list = {.arena = arena};
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_RETRIES; tries++) {
		list.count = 0;
		err = netlink_dump(&request.header, on_link, &list);
		if (!err)
			err = netlink_dump(&addresses.header, on_addressed, &list);
	}
	if (err)
		return diag_error(d, NO_LOC, err, "netlink", NULL,
				  "the kernel does not list the network interfaces: %s",
				  error_text(err));
	if (list.count)
		qsort(list.list, list.count, sizeof(*list.list), by_ifindex);
	*out = list.list;
	*count = list.count;
	return 0;
}

int interfaces_of(uint64_t netns, struct arena *arena, struct diags *d, struct interface **out,
		  size_t *count)
{
	int back = -1, err = netns_enter(netns, &back);

	if (err)
		return err;
	err = host_interfaces(arena, d, out, count);
	netns_leave(&back);
	return err;
}

/* ---------------------------------------------------------------- subnets */

struct subnet_list {
	struct arena *arena;
	uint32_t ifindex;
	struct prefix *list;
	size_t count, capacity;
};

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->length == b->length && addr_equal(&a->addr, &b->addr);
}

static void add_subnet(struct subnet_list *list, const struct prefix *prefix)
{
	for (size_t i = 0; i < list->count; i++)
		if (prefix_equal(&list->list[i], prefix))
			return;
	list->list = arena_grow(list->arena, list->list, list->count, &list->capacity,
				sizeof(*list->list));
	list->list[list->count++] = *prefix;
}

static int on_address(const struct nlmsghdr *message, void *context)
{
	struct subnet_list *list = context;
	const struct ifaddrmsg *address = NLMSG_DATA(message);
	const struct rtattr *attribute = IFA_RTA(address);
	int left = (int)IFA_PAYLOAD(message);
	struct prefix prefix;
	struct addr addr;

	if (message->nlmsg_type != RTM_NEWADDR || address->ifa_index != list->ifindex)
		return 0;
	if (address->ifa_family != AF_INET && address->ifa_family != AF_INET6)
		return 0;
	/* On a point-to-point link, too, IFA_ADDRESS is the prefix; IFA_LOCAL is ours alone. */
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type != IFA_ADDRESS)
			continue;
		if (address->ifa_family == AF_INET) {
			const uint8_t *b = RTA_DATA(attribute);

			addr = addr_from_v4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
					    (uint32_t)b[2] << 8 | b[3]);
			prefix = prefix_masked(&addr, 96u + address->ifa_prefixlen);
		} else {
			memcpy(addr.b, RTA_DATA(attribute), sizeof(addr.b));
			prefix = prefix_masked(&addr, address->ifa_prefixlen);
		}
		add_subnet(list, &prefix);
	}
	return 0;
}

int host_subnets(struct arena *arena, uint32_t ifindex, struct diags *d, struct prefix **out,
		 size_t *count)
{
	struct request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			   .nlmsg_type = RTM_GETADDR},
	};
	struct subnet_list list = {.arena = arena, .ifindex = ifindex};
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_RETRIES; tries++) {
		list.count = 0;
		err = netlink_dump(&request.header, on_address, &list);
	}
	if (err)
		return diag_error(d, NO_LOC, err, "netlink", NULL,
				  "the kernel does not list the addresses of interface %u: %s",
				  ifindex, error_text(err));
	*out = list.list;
	*count = list.count;
	return 0;
}

/* ---------------------------------------------------------------- forwarding */

static int on_forwarding(const struct nlmsghdr *message, void *context)
{
	const struct netconfmsg *conf = NLMSG_DATA(message);
	const struct rtattr *attribute =
		(const void *)((const char *)conf + NLMSG_ALIGN(sizeof(*conf)));
	int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*conf)));
	int32_t index = 0, forwarding = 0;

	if (message->nlmsg_type != RTM_NEWNETCONF)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == NETCONFA_IFINDEX)
			memcpy(&index, RTA_DATA(attribute), sizeof(index));
		if (attribute->rta_type == NETCONFA_FORWARDING)
			memcpy(&forwarding, RTA_DATA(attribute), sizeof(forwarding));
	}
	/* Any device that forwards, and "all": packets received on it can leave the host. */
	if (forwarding && (index > 0 || index == NETCONFA_IFINDEX_ALL))
		*(bool *)context = true;
	return 0;
}

int host_forwarding(bool *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	bool forwarding = false;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct request request = {
			.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct netconfmsg)),
				   .nlmsg_type = RTM_GETNETCONF},
			.body.conf.ncm_family = families[i],
		};
		int err = -EAGAIN;

		for (int tries = 0; err == -EAGAIN && tries < DUMP_RETRIES; tries++)
			err = netlink_dump(&request.header, on_forwarding, &forwarding);
		/* A kernel without IPv6 forwards no IPv6. */
		if (err && families[i] == AF_INET)
			return err;
	}
	*out = forwarding;
	return 0;
}

/* ---------------------------------------------------------------- queries */

bool name_is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

bool interface_fits(const struct interface *interface, const char *request)
{
	bool pattern = name_is_pattern(request), fits;

	if (pattern && interface->loopback)
		return false;
	fits = pattern ? !fnmatch(request, interface->name, 0)
		       : str_equal(request, interface->name);
	for (size_t i = 0; i < interface->altname_count && !fits; i++)
		fits = pattern ? !fnmatch(request, interface->altnames[i], 0)
			       : str_equal(request, interface->altnames[i]);
	return fits;
}

const struct interface *interface_at(const struct interfaces *all, uint32_t ifindex)
{
	for (size_t i = 0; i < all->count && ifindex; i++)
		if (all->list[i].ifindex == ifindex)
			return &all->list[i];
	return NULL;
}

bool interface_has_peer(const struct interface *interface)
{
	return str_equal(interface->kind, "veth") || str_equal(interface->kind, "netkit");
}

bool interface_is_port(const struct interface *interfaces, size_t count,
		       const struct interface *port)
{
	if (port->addressed || !port->master ||
	    !(str_equal(port->port_of, "bridge") || str_equal(port->port_of, "bond") ||
	      str_equal(port->port_of, "team")))
		return false;
	for (size_t i = 0; i < count; i++)
		if (interfaces[i].parent == port->ifindex)
			return false; /* a VLAN, which the master never sees */
	return true;
}
