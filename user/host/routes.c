/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses of this host and its routes, read by netlink. */
#include <errno.h>
#include <linux/if_addr.h>
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

static void add_address(struct address_list *list, const void *bytes, bool v4, uint32_t ifindex)
{
	struct local_address *new;

	list->list =
		arena_grow(list->arena, list->list, list->count, &list->capacity, sizeof(*new));
	new = &list->list[list->count++];
	*new = (struct local_address){.ifindex = ifindex};
	if (!v4) {
		memcpy(new->addr.b, bytes, 16);
		return;
	}
	new->addr = (struct addr){.b = {[10] = 0xff, [11] = 0xff}};
	memcpy(new->addr.b + 12, bytes, 4);
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
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_RETRIES; tries++) {
		list.count = 0;
		err = netlink_dump(&request.header, on_address, &list);
	}
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
