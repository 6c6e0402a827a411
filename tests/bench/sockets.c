/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a lane: sockets in the receiver's namespace, and in its cgroup where the variant has
 * one, since a socket keeps the cgroup that it is created in; sockets of the sender, which sends
 * for all peers; and checks of verdicts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "traffic.h"

bool lane_fail(struct lane *lane, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!*lane->variant->fault)
		vsnprintf(lane->variant->fault, sizeof(lane->variant->fault), format, args);
	va_end(args);
	return false;
}

static int namespace_open(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool namespace_enter(struct lane *lane, const char *name)
{
	int fd CLEANUP(close_fd) = namespace_open(name);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return lane_fail(lane, "namespace %s: %s", name, strerror(errno));
	return true;
}

static bool cgroup_enter(struct lane *lane, const char *directory)
{
	char path[300];
	FILE *file;
	bool done;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	file = fopen(path, "we");
	done = file && fprintf(file, "%d\n", getpid()) > 0;
	done = file && !fclose(file) && done;
	return done || lane_fail(lane, "%s: %s", path, strerror(errno));
}

static int socket_new(int type, const struct sockaddr_in *local)
{
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    (!local || !bind(fd, (const void *)local, sizeof(*local))))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int listener_new(const struct sockaddr_in *local)
{
	int fd = socket_new(SOCK_STREAM, local);

	if (fd >= 0 && !listen(fd, 4096))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int figures_open(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/thread-self/net/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool receiver_open(struct lane *lane)
{
	lane->at_allowed = socket_new(SOCK_DGRAM, &lane->allowed);
	lane->at_refused = socket_new(SOCK_DGRAM, &lane->refused);
	lane->listener = listener_new(&lane->allowed);
	lane->deaf = listener_new(&lane->refused);
	lane->snmp = figures_open("snmp");
	lane->dev = figures_open("dev");
	if (lane->at_allowed < 0 || lane->at_refused < 0 || lane->listener < 0 || lane->deaf < 0 ||
	    lane->snmp < 0 || lane->dev < 0)
		return lane_fail(lane, "the receiver's sockets: %s", strerror(errno));
	return true;
}

static bool sender_open(struct lane *lane, uint16_t port)
{
	const struct sockaddr_in any = {.sin_family = AF_INET,
					.sin_port = htons(port + lane->index)};
	struct sockaddr_ll device = {.sll_family = AF_PACKET};

	device.sll_ifindex = (int)if_nametoindex("eth0");
	lane->sender = socket_new(SOCK_DGRAM, &any);
	lane->raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	lane->namespace = namespace_open(lane->variant->sender);
	if (lane->sender < 0 || lane->raw < 0 || lane->namespace < 0 ||
	    bind(lane->raw, (void *)&device, sizeof(device)))
		return lane_fail(lane, "the sender's sockets: %s", strerror(errno));
	return true;
}

/* Weyl's sequence: any number of peers is spread over the whole prefix, 10.64.0.0/16. */
struct in_addr lane_peer(struct lane *lane)
{
	uint32_t peer = lane->next++ % lane->peers;

	return (struct in_addr){htonl(0x0a400000 | (peer * 40503 & 0xffff))};
}

int tcp_connect(struct lane *lane)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = lane_peer(lane)};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	    !setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) &&
	    !bind(fd, (const void *)&from, sizeof(from)) &&
	    !connect(fd, (const void *)&lane->allowed, sizeof(lane->allowed)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool links_open(struct lane *lane, uint32_t count)
{
	lane->links = calloc(count, sizeof(*lane->links));
	for (; lane->links && lane->link_count < count; lane->link_count++) {
		struct link *link = &lane->links[lane->link_count];

		link->client = tcp_connect(lane);
		link->server =
			link->client < 0 ? -1 : accept4(lane->listener, NULL, NULL, SOCK_CLOEXEC);
		if (link->server < 0)
			return lane_fail(lane, "connection %u: %s", lane->link_count,
					 strerror(errno));
	}
	return true;
}

static bool receiver_of_cgroup(struct lane *lane, const char *home)
{
	const char *cgroup = lane->variant->cgroup;
	bool done;

	if (*cgroup && !cgroup_enter(lane, cgroup))
		return false;
	done = receiver_open(lane);
	return (!*cgroup || cgroup_enter(lane, home)) && done;
}

/* The cgroup of this process: the root of cgroup2, from the variant's directory, and the path from
 * the kernel. */
static void home_of(const struct variant *variant, char *home, size_t size)
{
	FILE *file CLEANUP(close_file) = fopen("/proc/self/cgroup", "re");
	const char *slash = strrchr(variant->cgroup, '/');
	int above = slash ? (int)(slash - variant->cgroup) : 0;
	char line[256], *path = NULL;

	while (!path && file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::", 3))
			path = line + 3;
	if (path)
		path[strcspn(path, "\n")] = 0;
	snprintf(home, size, "%.*s%s", above, variant->cgroup, path ? path : "");
}

static bool drop_attach(struct lane *lane)
{
	struct variant *variant = lane->variant;

	variant->drop =
		*variant->cgroup ? drop_attach_cgroup(variant->cgroup) : drop_attach_device();
	return variant->drop >= 0 || lane_fail(lane, "no program that drops: %s", strerror(errno));
}

bool lane_open(struct lane *lane, const struct workload *workload)
{
	const struct variant *variant = lane->variant;
	char home[600];

	home_of(variant, home, sizeof(home));
	lane->allowed = lane->refused = (struct sockaddr_in){.sin_family = AF_INET};
	lane->allowed.sin_addr.s_addr = lane->refused.sin_addr.s_addr =
		htonl(0x0a090002 + lane->index);
	lane->allowed.sin_port = htons(PORT_ALLOWED);
	lane->refused.sin_port = htons(PORT_REFUSED);
	lane->random.state = lane->index + 1;
	if (!namespace_enter(lane, variant->receiver) || !receiver_of_cgroup(lane, home))
		return false;
	if (variant->closed && !lane->index && !drop_attach(lane))
		return false;
	if (!namespace_enter(lane, variant->sender) || !sender_open(lane, workload->port))
		return false;
	return !workload->links || links_open(lane, lane->links_wanted);
}

void lane_close(struct lane *lane)
{
	const int fds[] = {lane->sender,    lane->at_allowed, lane->at_refused,
			   lane->listener,  lane->deaf,	      lane->raw,
			   lane->namespace, lane->snmp,	      lane->dev};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

bool datagram_send(struct lane *lane, const struct sockaddr_in *to)
{
	static const char payload[PAYLOAD];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
				.cmsg_level = IPPROTO_IP,
				.cmsg_type = IP_PKTINFO}};
	struct in_pktinfo from = {.ipi_spec_dst = lane_peer(lane)};
	struct iovec data = {(void *)payload, sizeof(payload)};
	struct msghdr message = {.msg_name = (void *)to,
				 .msg_namelen = sizeof(*to),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &from, sizeof(from));
	return sendmsg(lane->sender, &message, 0) == sizeof(payload);
}

bool probe_right(struct lane *lane)
{
	bool reached;
	char byte;

	if (!datagram_send(lane, &lane->refused))
		return false;
	reached = recv(lane->at_refused, &byte, 1, lane->variant->open ? 0 : MSG_DONTWAIT) >= 0;
	return reached == lane->variant->open;
}

bool sentinel_right(struct lane *lane)
{
	char byte;

	return datagram_send(lane, &lane->allowed) && recv(lane->at_allowed, &byte, 1, 0) >= 0;
}

/* Read anew from its beginning. */
static void figures_read(int fd, char *text, size_t size)
{
	ssize_t got, total = 0;

	while ((got = pread(fd, text + total, size - 1 - total, total)) > 0)
		total += got;
	text[total] = 0;
}

uint64_t segments_sent(const struct lane *lane)
{
	unsigned long long segments = 0;
	char text[8192], *line;

	figures_read(lane->snmp, text, sizeof(text));
	line = strstr(text, "\nTcp: ");
	line = line ? strstr(line + 1, "\nTcp: ") : NULL;
	if (!line ||
	    sscanf(line, " Tcp: %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &segments) != 1)
		DIE("/proc/net/snmp tells nothing about TCP");
	return segments;
}

uint64_t packets_arrived(const struct lane *lane)
{
	unsigned long long packets = 0;
	char text[8192], *line;

	figures_read(lane->dev, text, sizeof(text));
	line = strstr(text, "eth0:");
	if (!line || sscanf(line, "eth0: %*u %llu", &packets) != 1)
		DIE("/proc/net/dev tells nothing about eth0");
	return packets;
}
