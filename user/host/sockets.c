/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this network namespace has a connection, and its cgroup: read from the kernel's socket
 * tables. */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct diag_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static void copy_address(const struct addr *addr, bool v4, __be32 out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (v4)
		memcpy(out, addr->b + 12, 4);
	else
		memcpy(out, addr->b, 16);
}

static struct diag_request request_for(const struct connection *connection)
{
	bool v4 = addr_is_v4(&connection->local) && addr_is_v4(&connection->peer);
	struct diag_request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = v4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = PROTO_TCP,
			 .idiag_states = ~0u,
			 .id = {.idiag_sport = htons(connection->local_port),
				.idiag_dport = htons(connection->peer_port),
				.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};

	copy_address(&connection->local, v4, request.body.id.idiag_src);
	copy_address(&connection->peer, v4, request.body.id.idiag_dst);
	return request;
}

/* The attribute that names the cgroup; kernels before 5.9 have none. */
static uint64_t find_cgroup(const struct nlmsghdr *message)
{
	const struct inet_diag_msg *body = NLMSG_DATA(message);
	const struct rtattr *at = (const void *)(body + 1);
	int left = (int)NLMSG_PAYLOAD(message, sizeof(*body));
	uint64_t id = 0;

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == INET_DIAG_CGROUP_ID && RTA_PAYLOAD(at) == sizeof(id))
			memcpy(&id, RTA_DATA(at), sizeof(id));
	return id;
}

/* Without such a connection the kernel returns the listener. */
static bool is_connection(const struct nlmsghdr *message, const struct connection *connection)
{
	const struct inet_diag_msg *body = NLMSG_DATA(message);

	return NLMSG_PAYLOAD(message, 0) >= sizeof(*body) &&
	       body->id.idiag_dport == htons(connection->peer_port);
}

int host_connection(const struct connection *connection, uint64_t *cgroup)
{
	CLEANUP(close_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct diag_request request = request_for(connection);
	struct timeval patience = {.tv_sec = 5};
	_Alignas(struct nlmsghdr) char buffer[8192];
	const struct nlmsghdr *reply = (const void *)buffer;
	ssize_t size;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	size = recv(fd, buffer, sizeof(buffer), 0);
	if (size < 0)
		return -errno;
	if (!NLMSG_OK(reply, (size_t)size))
		return -EBADMSG;
	if (reply->nlmsg_type == NLMSG_ERROR) {
		err = ((const struct nlmsgerr *)NLMSG_DATA(reply))->error;
		if (err == -ENOENT)
			return 0;
		return err ? err : -EBADMSG;
	}
	if (!is_connection(reply, connection))
		return 0;
	*cgroup = find_cgroup(reply);
	return 1;
}
