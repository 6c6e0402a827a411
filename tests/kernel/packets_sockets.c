// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of the rig's namespace: see packets_sockets.h. */
#include "packets_sockets.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
	struct sockaddr_storage at;
	socklen_t size;
};

/* 198.51.100.1 is this host, 192.0.2.9 its peer; both are addresses of lo here. */
static struct side side_of(bool v6, bool local, uint16_t port)
{
	struct wire w = {.v6 = v6};
	struct side side = {.size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)};

	if (v6) {
		struct sockaddr_in6 *in6 = (void *)&side.at;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		wire_address(&w, local, in6->sin6_addr.s6_addr);
	} else {
		struct sockaddr_in *in = (void *)&side.at;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		wire_address(&w, local, (void *)&in->sin_addr);
	}
	return side;
}

int socket_at(bool v6, int type, bool local, uint16_t port)
{
	struct side side = side_of(v6, local, port);
	int one = 1, fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);

	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	cr_assert_eq(bind(fd, (void *)&side.at, side.size), 0, "bind port %u", port);
	return fd;
}

void connect_to(int fd, bool v6, bool local, uint16_t port)
{
	struct side side = side_of(v6, local, port);

	cr_assert_eq(connect(fd, (void *)&side.at, side.size), 0, "connect to port %u", port);
}

void addresses_up(void)
{
	rig_shell("ip addr add 198.51.100.1/32 dev lo && ip addr add 192.0.2.9/32 dev lo && "
		  "ip addr add 2001:db8:1::1/128 dev lo nodad && "
		  "ip addr add 2001:db8:9::9/128 dev lo nodad");
}

struct stream stream_open(bool v6, bool we_listen, uint16_t listening, uint16_t from)
{
	struct stream s = {.listener = socket_at(v6, SOCK_STREAM, we_listen, listening)};

	cr_assert_eq(listen(s.listener, 1), 0);
	s.client = socket_at(v6, SOCK_STREAM, !we_listen, from);
	connect_to(s.client, v6, we_listen, listening);
	s.accepted = accept(s.listener, NULL, NULL);
	cr_assert_geq(s.accepted, 0);
	return s;
}

void stream_close(const struct stream *s)
{
	struct linger reset = {.l_onoff = 1};

	setsockopt(s->client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(s->client);
	close(s->accepted);
	close(s->listener);
}
