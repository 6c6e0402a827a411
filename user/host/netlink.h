/* SPDX-License-Identifier: GPL-2.0-only */
/* Dumps of the kernel's network configuration and sockets. */
#ifndef HOST_NETLINK_H
#define HOST_NETLINK_H

#include <linux/netlink.h>
#include <stdint.h>

/* Calls `visit` for each message of a dump; a non-zero return ends it. -EAGAIN: the list changed
 * during the dump. */
typedef int (*netlink_visit)(const struct nlmsghdr *message, void *context);
int netlink_dump(struct nlmsghdr *request, netlink_visit visit, void *context);
/* The same of another protocol than NETLINK_ROUTE. */
int netlink_dump_of(int protocol, struct nlmsghdr *request, netlink_visit visit, void *context);
/* One request, which the kernel acknowledges after its answer. */
int netlink_ask(int protocol, struct nlmsghdr *request, netlink_visit visit, void *context);
/* The filters of clsact on a device; `minor`: TC_H_MIN_INGRESS or TC_H_MIN_EGRESS. */
int netlink_dump_filters(uint32_t ifindex, uint32_t minor, netlink_visit visit, void *context);

#endif
