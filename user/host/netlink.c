/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests a list from the kernel's rtnetlink or another protocol and walks it, message by message.
 */
#include "netlink.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "../base/base.h"

enum { REPLY_BYTES = 1 << 16 };

/* 1: the dump is complete; 0: more follows. A kernel error ends it; -EAGAIN: the list changed. */
static int visit_messages(const char *buffer, ssize_t size, netlink_visit visit, void *context)
{
	const struct nlmsghdr *message = (const void *)buffer;
	int left = (int)size, err, interrupted = 0;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		if (message->nlmsg_type == NLMSG_ERROR) {
			err = ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
			return err ? err : 1;
		}
		if (interrupted)
			return -EAGAIN;
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		err = visit(message, context);
		if (err)
			return err;
	}
	return 0;
}

static int ask(int protocol, struct nlmsghdr *request, netlink_visit visit, void *context)
{
	CLEANUP(close_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	CLEANUP(free_ptr) char *buffer = malloc(REPLY_BYTES);
	ssize_t size;
	int result = 0;

	if (fd < 0)
		return -errno;
	if (!buffer)
		return -ENOMEM;
	request->nlmsg_seq = 1;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	while (!result) {
		do
			size = recv(fd, buffer, REPLY_BYTES, 0);
		while (size < 0 && errno == EINTR);
		if (size < 0)
			return -errno;
		result = visit_messages(buffer, size, visit, context);
	}
	return result < 0 ? result : 0;
}

int netlink_dump_of(int protocol, struct nlmsghdr *request, netlink_visit visit, void *context)
{
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return ask(protocol, request, visit, context);
}

int netlink_ask(int protocol, struct nlmsghdr *request, netlink_visit visit, void *context)
{
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	return ask(protocol, request, visit, context);
}

int netlink_dump(struct nlmsghdr *request, netlink_visit visit, void *context)
{
	return netlink_dump_of(NETLINK_ROUTE, request, visit, context);
}

int netlink_dump_filters(uint32_t ifindex, uint32_t minor, netlink_visit visit, void *context)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
			   .nlmsg_type = RTM_GETTFILTER},
		.tc = {.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor)},
	};

	return netlink_dump(&request.header, visit, context);
}
