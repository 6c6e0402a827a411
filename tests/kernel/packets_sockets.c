/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the rig's namespace: see packets_sockets.h. */
#include "packets_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
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

void peer_is_silent(void)
{
	rig_shell("ip addr add 198.51.100.1/32 dev pk0 && ip route add 192.0.2.0/24 dev pk0 && "
		  "ip addr add 2001:db8:1::1/128 dev pk0 nodad && "
		  "ip -6 route add 2001:db8:9::/64 dev pk0 && "
		  "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev pk0 nud permanent && "
		  "ip neigh add 2001:db8:9::9 lladdr 02:00:00:00:00:09 dev pk0 nud permanent");
}

int socket_asking(bool v6, uint16_t from, uint16_t to)
{
	struct side peer = side_of(v6, false, to);
	int fd = socket_at(v6, SOCK_STREAM | SOCK_NONBLOCK, true, from);

	cr_assert(connect(fd, (void *)&peer.at, peer.size) && errno == EINPROGRESS, "%m");
	return fd;
}

static uint32_t words_sum(const uint8_t *at, uint32_t size, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* As a card would: of the IP header and of a TCP header alone. */
static void checksums_fill(struct frame *f, bool v6)
{
	uint32_t size = f->size - f->transport, addresses = v6 ? 32 : 8;
	uint8_t *tcp = f->data + f->transport;

	wire_put16(tcp + 16, folded(words_sum(f->data + f->transport - addresses, addresses,
					      words_sum(tcp, size, TCP + size))));
	if (!v6)
		wire_put16(f->data + f->ip + 10, folded(words_sum(f->data + f->ip, 20, 0)));
}

void device_address(const char *device, uint8_t out[6])
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	cr_assert_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(out, request.ifr_hwaddr.sa_data, 6);
	close(fd);
}

/* State 03 of /proc/net/tcp: a request in the queue of a listener. */
static bool request_queued(bool v6, uint16_t from)
{
	CLEANUP(close_file)
	FILE *file = fopen(v6 ? "/proc/thread-self/net/tcp6" : "/proc/thread-self/net/tcp", "re");
	char line[512];
	unsigned int port, state;

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*[^ ] %*[^:]:%x %x", &port, &state) == 2 && port == from &&
		    state == 3)
			return true;
	return false;
}

void peer_asks(const struct rig *rig, uint16_t from, uint16_t to)
{
	struct sockaddr_ll there = {.sll_family = AF_PACKET, .sll_ifindex = (int)rig->devices[1]};
	struct wire syn = {.v6 = rig->v6, .dir = IN, .proto = TCP, .local = to, .peer = from};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct frame frame;

	syn.flags = SYN;
	wire_make(&syn, &frame);
	checksums_fill(&frame, rig->v6);
	device_address("pk0", frame.data);
	cr_assert_eq(sendto(fd, frame.data, frame.size, 0, (void *)&there, sizeof(there)),
		     frame.size, "%m");
	close(fd);
	for (int tries = 0; tries < 1000 && !request_queued(rig->v6, from); tries++)
		usleep(10000);
	cr_assert(request_queued(rig->v6, from), "the SYN did not arrive");
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
