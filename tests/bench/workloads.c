/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The workloads: each runs a number of operations in one lane and counts those that succeeded.
 * Every packet is delivered in the softirq of the call that sends, or by ksoftirqd, which the
 * blocking reads wait for.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

enum { BATCH = 32 };

static uint32_t datagrams_drain(int fd)
{
	char payloads[BATCH][PAYLOAD];
	struct iovec data[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	int count;

	for (int i = 0; i < BATCH; i++) {
		data[i] = (struct iovec){payloads[i], PAYLOAD};
		messages[i].msg_hdr.msg_iov = &data[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? 0 : (uint32_t)count;
}

static uint32_t run_oneway(struct lane *lane, uint32_t count)
{
	struct pollfd wait = {.fd = lane->at_allowed, .events = POLLIN};
	uint32_t sent = 0, arrived = 0;

	while (sent < count) {
		if (!datagram_send(lane, &lane->allowed))
			return arrived;
		if (++sent % BATCH == 0)
			arrived += datagrams_drain(lane->at_allowed);
	}
	while (arrived < count && poll(&wait, 1, PATIENCE_MS) > 0)
		arrived += datagrams_drain(lane->at_allowed);
	return arrived;
}

static uint32_t run_answered(struct lane *lane, uint32_t count)
{
	char payload[PAYLOAD];
	uint32_t done = 0;

	for (; done < count; done++) {
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);

		if (!datagram_send(lane, &lane->allowed) ||
		    recvfrom(lane->at_allowed, payload, PAYLOAD, 0, (void *)&peer, &size) < 0 ||
		    sendto(lane->at_allowed, payload, PAYLOAD, 0, (void *)&peer, size) < 0 ||
		    recv(lane->sender, payload, PAYLOAD, 0) < 0)
			break;
	}
	return done;
}

static bool hand_over(int from, int to)
{
	char payload[PAYLOAD] = "";

	return send(from, payload, PAYLOAD, MSG_NOSIGNAL) == PAYLOAD &&
	       recv(to, payload, PAYLOAD, MSG_WAITALL) == PAYLOAD;
}

static uint32_t run_rr(struct lane *lane, uint32_t count)
{
	uint32_t done = 0;

	for (; done < count; done++) {
		const struct link *link = &lane->links[lane->next++ % lane->link_count];

		if (!hand_over(link->client, link->server) ||
		    !hand_over(link->server, link->client))
			break;
	}
	return done;
}

static bool converse(struct lane *lane)
{
	int client = tcp_connect(lane);
	int server = client < 0 ? -1 : accept4(lane->listener, NULL, NULL, SOCK_CLOEXEC);
	char byte = 'x';
	bool done = server >= 0 && send(client, &byte, 1, MSG_NOSIGNAL) == 1 &&
		    recv(server, &byte, 1, 0) == 1;

	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
	return done;
}

static uint32_t run_conn(struct lane *lane, uint32_t count)
{
	uint32_t done = 0;

	while (done < count && converse(lane))
		done++;
	return done;
}

/* As much as the connection takes, then as much as has arrived. */
static bool chunk_move(const struct link *link)
{
	static __thread char chunk[CHUNK];
	size_t sent = 0, read = 0;

	while (read < CHUNK) {
		ssize_t out = sent == CHUNK ? 0
					    : send(link->client, chunk + sent, CHUNK - sent,
						   MSG_DONTWAIT | MSG_NOSIGNAL);
		ssize_t in;

		sent += out > 0 ? (size_t)out : 0;
		in = recv(link->server, chunk, CHUNK, out > 0 ? MSG_DONTWAIT : 0);
		if (in == 0 || (in < 0 && out <= 0))
			return false;
		read += in > 0 ? (size_t)in : 0;
	}
	return true;
}

static uint32_t run_stream(struct lane *lane, uint32_t count)
{
	uint32_t done = 0;

	while (done < count && chunk_move(&lane->links[0]))
		done++;
	return done;
}

static uint16_t checksum(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* An opening of the refused port; addresses are those that scripts/bench gives the devices. */
static void syn_make(struct lane *lane, uint32_t source, uint16_t port)
{
	struct ethhdr ethernet = {.h_dest = {2, 0, 0, 0, 0, 2},
				  .h_source = {2, 0, 0, 0, 0, 1},
				  .h_proto = htons(ETH_P_IP)};
	struct tcphdr tcp = {.source = htons(port),
			     .dest = lane->refused.sin_port,
			     .seq = htonl(port),
			     .doff = 5,
			     .syn = 1,
			     .window = htons(1000)};
	struct iphdr ip = {.version = 4,
			   .ihl = 5,
			   .ttl = 64,
			   .protocol = IPPROTO_TCP,
			   .tot_len = htons(sizeof(ip) + sizeof(tcp)),
			   .saddr = htonl(source),
			   .daddr = lane->refused.sin_addr.s_addr};
	uint32_t pseudo = (source >> 16) + (source & 0xffff) + (ntohl(ip.daddr) >> 16) +
			  (ntohl(ip.daddr) & 0xffff) + IPPROTO_TCP + sizeof(tcp);

	ip.check = checksum(&ip, sizeof(ip), 0);
	tcp.check = checksum(&tcp, sizeof(tcp), pseudo);
	memcpy(lane->frame, &ethernet, sizeof(ethernet));
	memcpy(lane->frame + sizeof(ethernet), &ip, sizeof(ip));
	memcpy(lane->frame + sizeof(ethernet) + sizeof(ip), &tcp, sizeof(tcp));
}

/* Unicast, and of none of the networks here. */
static uint32_t stranger(struct lane *lane)
{
	return (11 + judge_below(&lane->random, 100)) << 24 |
	       (uint32_t)(judge_next(&lane->random) & 0xffffff);
}

static uint32_t flood(struct lane *lane, uint32_t count, bool random)
{
	uint32_t sent = 0;

	for (; sent < count; sent++) {
		syn_make(lane, random ? stranger(lane) : 0xc6336401,
			 (uint16_t)(1024 + judge_below(&lane->random, 60000)));
		if (send(lane->raw, lane->frame, FRAME_SIZE, 0) != FRAME_SIZE)
			break;
	}
	return sent;
}

static uint32_t run_synrandom(struct lane *lane, uint32_t count)
{
	return flood(lane, count, true);
}

static uint32_t run_synone(struct lane *lane, uint32_t count)
{
	return flood(lane, count, false);
}

const struct workload *workload_find(const char *name)
{
	static const struct workload workloads[] = {
		{.name = "oneway",
		 .slice = 1024,
		 .port = 40100,
		 .lasting = true,
		 .run = run_oneway},
		{.name = "answered",
		 .slice = 512,
		 .port = 40200,
		 .lasting = true,
		 .run = run_answered},
		{.name = "rr", .slice = 256, .port = 40300, .links = true, .run = run_rr},
		{.name = "conn", .slice = 64, .port = 40400, .run = run_conn},
		{.name = "synrandom",
		 .slice = 2048,
		 .port = 40500,
		 .flood = true,
		 .run = run_synrandom},
		{.name = "synone", .slice = 2048, .port = 40600, .flood = true, .run = run_synone},
		{.name = "stream", .slice = 128, .port = 40700, .links = true, .run = run_stream},
	};

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}
