/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses, routes and neighbours of this host, read by netlink. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "interfaces.h"
#include "netlink.h"

enum { DUMP_RETRIES = 5 };

/* ---------------------------------------------------------------- addresses */

struct address_list {
	struct arena *arena;
	struct local_address *list;
	size_t count, capacity;
};

static struct addr address_of(const void *bytes, bool v4)
{
	struct addr out = {.b = {[10] = 0xff, [11] = 0xff}};

	if (v4)
		memcpy(out.b + 12, bytes, 4);
	else
		memcpy(out.b, bytes, 16);
	return out;
}

static void add_address(struct address_list *list, const void *bytes, bool v4, uint32_t ifindex)
{
	list->list = arena_grow(list->arena, list->list, list->count, &list->capacity,
				sizeof(*list->list));
	list->list[list->count++] =
		(struct local_address){.addr = address_of(bytes, v4), .ifindex = ifindex};
}

/* IPv4 has its own address in IFA_LOCAL, IPv6 as a rule in IFA_ADDRESS alone. */
static int on_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *address = NLMSG_DATA(message);
	const struct rtattr *attribute = IFA_RTA(address), *own = NULL;
	int left = (int)IFA_PAYLOAD(message);
	bool v4 = address->ifa_family == AF_INET;

	if (message->nlmsg_type != RTM_NEWADDR || (!v4 && address->ifa_family != AF_INET6))
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFA_LOCAL ||
		    (!v4 && !own && attribute->rta_type == IFA_ADDRESS))
			own = attribute;
	if (own && RTA_PAYLOAD(own) == (v4 ? 4 : 16))
		add_address(context, RTA_DATA(own), v4, address->ifa_index);
	return 0;
}

/* A dump that changed meanwhile is made again, from no item. */
static int dump_again(struct nlmsghdr *request, netlink_visit visit, void *context, size_t *count)
{
	size_t before = *count;
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_RETRIES; tries++) {
		*count = before;
		err = netlink_dump(request, visit, context);
	}
	return err;
}

int host_addresses(struct arena *arena, struct local_address **out, size_t *count)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg address;
	} request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			   .nlmsg_type = RTM_GETADDR},
	};
	struct address_list list = {.arena = arena};
	int err = dump_again(&request.header, on_address, &list, &list.count);

	if (err)
		return err;
	*out = list.list;
	*count = list.count;
	return 0;
}

int host_address_device(const struct addr *addr, uint32_t *ifindex)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct local_address *list;
	size_t count;
	int err = host_addresses(arena, &list, &count);

	*ifindex = 0;
	for (size_t i = 0; !err && i < count; i++)
		if (addr_equal(&list[i].addr, addr))
			*ifindex = list[i].ifindex;
	return err;
}

/* ---------------------------------------------------------------- routes */

struct route_request {
	struct nlmsghdr header;
	struct rtmsg body;
	char attributes[64];
};

static void add_attribute(struct route_request *request, unsigned short type, const void *data,
			  size_t size)
{
	struct rtattr *new = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	new->rta_type = type;
	new->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(new), data, size);
	request->header.nlmsg_len =
		NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(new->rta_len);
}

static int on_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const struct rtattr *attribute = RTM_RTA(route);
	int left = (int)RTM_PAYLOAD(message);
	uint32_t *ifindex = context;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == RTA_OIF && RTA_PAYLOAD(attribute) == sizeof(*ifindex))
			memcpy(ifindex, RTA_DATA(attribute), sizeof(*ifindex));
	return 0;
}

int host_route(const struct addr *from, const struct addr *to, uint32_t bound, uint32_t *ifindex)
{
	bool v4 = addr_is_v4(to);
	size_t at = v4 ? 12 : 0;
	size_t size = v4 ? 4 : 16;
	struct route_request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			   .nlmsg_type = RTM_GETROUTE},
		.body = {.rtm_family = v4 ? AF_INET : AF_INET6,
			 .rtm_dst_len = (unsigned char)(8 * size),
			 .rtm_src_len = (unsigned char)(8 * size)},
	};

	*ifindex = 0;
	add_attribute(&request, RTA_DST, to->b + at, size);
	add_attribute(&request, RTA_SRC, from->b + at, size);
	if (bound)
		add_attribute(&request, RTA_OIF, &bound, sizeof(bound));
	return netlink_ask(NETLINK_ROUTE, &request.header, on_route, ifindex);
}

struct route_list {
	struct arena *arena;
	struct route *list;
	size_t count, capacity;
};

static void add_route(struct route_list *list, const struct route *route)
{
	list->list = arena_grow(list->arena, list->list, list->count, &list->capacity,
				sizeof(*list->list));
	list->list[list->count++] = *route;
}

/* RTA_GATEWAY, or RTA_VIA of a gateway of the other family. */
static void read_gateway(const struct rtattr *attribute, struct route *route, bool v4)
{
	const struct rtvia *via = RTA_DATA(attribute);
	size_t size = RTA_PAYLOAD(attribute);
	const void *bytes = NULL;

	if (attribute->rta_type == RTA_GATEWAY && size == (v4 ? 4 : 16)) {
		bytes = via;
	} else if (attribute->rta_type == RTA_VIA && size >= sizeof(*via)) {
		v4 = via->rtvia_family == AF_INET;
		if (size - sizeof(*via) == (v4 ? 4 : 16))
			bytes = via->rtvia_addr;
	}
	if (!bytes)
		return;
	route->gateway = address_of(bytes, v4);
	route->has_gateway = true;
}

static void add_hops(struct route_list *list, const struct rtattr *hops, struct route route,
		     bool v4)
{
	const struct rtnexthop *hop = RTA_DATA(hops);
	int left = (int)RTA_PAYLOAD(hops);

	for (; RTNH_OK(hop, left); left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		const struct rtattr *attribute = RTNH_DATA(hop);
		int room = (int)(hop->rtnh_len - sizeof(*hop));

		for (; RTA_OK(attribute, room); attribute = RTA_NEXT(attribute, room))
			read_gateway(attribute, &route, v4);
		add_route(list, &route);
	}
}

static int on_each_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute = RTM_RTA(body), *hops = NULL;
	int left = (int)RTM_PAYLOAD(message);
	bool v4 = body->rtm_family == AF_INET;
	struct route route = {.protocol = body->rtm_protocol};

	if (message->nlmsg_type != RTM_NEWROUTE || body->rtm_type != RTN_UNICAST ||
	    (!v4 && body->rtm_family != AF_INET6))
		return 0;
	if (v4)
		route.to.addr = addr_from_v4(0);
	route.to.length = (uint8_t)(body->rtm_dst_len + (v4 ? 96 : 0));
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == RTA_DST && RTA_PAYLOAD(attribute) == (v4 ? 4 : 16))
			route.to.addr = address_of(RTA_DATA(attribute), v4);
		if (attribute->rta_type == RTA_MULTIPATH)
			hops = attribute;
		read_gateway(attribute, &route, v4);
	}
	if (hops)
		add_hops(context, hops, route, v4);
	else
		add_route(context, &route);
	return 0;
}

int host_routes(struct arena *arena, struct route **out, size_t *count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct route_list list = {.arena = arena};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !err; i++) {
		struct route_request request = {
			.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
				   .nlmsg_type = RTM_GETROUTE},
			.body = {.rtm_family = families[i]},
		};

		err = dump_again(&request.header, on_each_route, &list, &list.count);
	}
	if (err)
		return err;
	*out = list.list;
	*count = list.count;
	return 0;
}

/* ---------------------------------------------------------------- neighbours */

struct neighbour_search {
	const struct addr *wanted;
	size_t found;
};

static int on_neighbour(const struct nlmsghdr *message, void *context)
{
	enum { ANSWERS = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT };
	const struct ndmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute =
		(const void *)((const char *)body + NLMSG_ALIGN(sizeof(*body)));
	int left = (int)NLMSG_PAYLOAD(message, sizeof(*body));
	bool v4 = body->ndm_family == AF_INET;
	struct neighbour_search *search = context;
	struct addr addr;

	if (message->nlmsg_type != RTM_NEWNEIGH || !(body->ndm_state & ANSWERS))
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type != NDA_DST || RTA_PAYLOAD(attribute) != (v4 ? 4 : 16))
			continue;
		addr = address_of(RTA_DATA(attribute), v4);
		search->found += addr_equal(&addr, search->wanted);
	}
	return 0;
}

int host_neighbour(const struct addr *addr, bool *out)
{
	struct {
		struct nlmsghdr header;
		struct ndmsg body;
	} request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
			   .nlmsg_type = RTM_GETNEIGH},
		.body = {.ndm_family = addr_is_v4(addr) ? AF_INET : AF_INET6},
	};
	struct neighbour_search search = {.wanted = addr};
	int err = dump_again(&request.header, on_neighbour, &search, &search.found);

	if (!err)
		*out = search.found;
	return err;
}
