/* SPDX-License-Identifier: GPL-2.0-only */
/* Closes sockets of this host, so that their programs get an error: SOCK_DESTROY of sock_diag. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"
#include "netns.h"
#include "sockets.h"

struct close_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static int on_reply(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
	return 0;
}

static int ask(struct inet_diag_req_v2 *body)
{
	struct close_request request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DESTROY},
		.body = *body,
	};

	return netlink_ask(NETLINK_SOCK_DIAG, &request.header, on_reply, NULL);
}

static void copy_address(const struct addr *addr, uint8_t family, __be32 out[4])
{
	size_t at = family == AF_INET ? 12 : 0;

	memcpy(out, addr->b + at, sizeof(addr->b) - at);
}

/* The number says which: a later socket of the same tuple has another. */
static int close_one(const struct local_socket *socket)
{
	struct inet_diag_req_v2 body = {
		.sdiag_family = socket->family,
		.sdiag_protocol = socket->proto,
		.idiag_states = 1u << socket->state,
		.id = {.idiag_sport = htons(socket->port),
		       .idiag_dport = htons(socket->peer_port),
		       .idiag_if = socket->ifindex,
		       .idiag_cookie = {socket->cookie[0], socket->cookie[1]}},
	};

	copy_address(&socket->address, socket->family, body.id.idiag_src);
	copy_address(&socket->peer, socket->family, body.id.idiag_dst);
	return ask(&body);
}

int host_sockets_close(const struct local_sockets *sockets, size_t *closed)
{
	int first = 0, err, back;

	*closed = 0;
	for (size_t i = 0; i < sockets->count; i++) {
		err = netns_enter(sockets->list[i].netns, &back);
		if (!err)
			err = close_one(&sockets->list[i]);
		netns_leave(&back);
		*closed += !err;
		/* it has closed already, or its namespace has gone */
		if (err && err != -ENOENT && err != -ESTALE && err != -ESRCH && !first)
			first = err;
	}
	return first;
}

int host_closes_sockets(void)
{
	static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP};
	int err = 0;

	/* of no socket: where the kernel can, it finds none */
	for (size_t i = 0; i < ARRAY_SIZE(protos) && !err; i++) {
		err = ask(&(struct inet_diag_req_v2){
			.sdiag_family = AF_INET,
			.sdiag_protocol = protos[i],
			.idiag_states = ~0u,
			.id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}});
		err = err == -ENOENT ? 0 : err;
	}
	return err;
}
