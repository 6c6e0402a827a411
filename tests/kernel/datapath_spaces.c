/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One cgroup, several network namespaces with the same addresses: conversations of one do not
 * affect another, whether a socket is older than the policy or not, and each goes on normally.
 */
#include "datapath_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 200, LONG_MS = 5000, HERE = 1, THERE = 2 };

/* All egress is allowed, of ingress TCP port 443 alone. */
static const struct image_spec asks = {
	.policy = "one", .enforce = true, .allow = {[FR_EGRESS] = true}, .tcp_port = 443};
static const struct image_spec serves = {.policy = "one", .enforce = true, .tcp_port = 443};

/* `one` has the policy; both have the same addresses. The kernel's own sockets of their namespaces
 * are the cgroup's where kernels have them by namespace. */
static struct lab one, two;
static char point[64];
static const char *points[] = {point, NULL};

static void join(bool inside)
{
	CLEANUP(close_file) FILE *procs = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%s%s/cgroup.procs", one.cgroup, inside ? "" : "/..");
	procs = fopen(path, "w");
	cr_assert(procs && fprintf(procs, "%d", getpid()) > 0 && !fflush(procs), "%s: %m", path);
}

static void begin(void)
{
	struct lab first = {0};

	need_root();
	lab_cgroup(&first);
	lab_begin(&two);
	lab_begin(&one);
	memcpy(one.cgroup, first.cgroup, sizeof(one.cgroup));
	snprintf(point, sizeof(point), "cgroup %s", strrchr(one.cgroup, '/'));
}

static void end(void)
{
	if (one.root[0])
		lab_end(&one);
}

TestSuite(datapath_spaces, .init = begin, .fini = end, .timeout = 900);

/* ---------------------------------------------------------------- sockets */

static struct sockaddr_in end_of(int side, uint16_t port)
{
	struct sockaddr_in end = {.sin_family = AF_INET, .sin_port = htons(port)};

	end.sin_addr.s_addr = htonl(0x0a090000u | (uint32_t)side);
	return end;
}

/* Bound to 10.9.0.<side>, in the cgroup here and outside of it there. Restores the caller's
 * namespace: only the socket keeps the other one. */
static int socket_at(const struct lab *lab, int side, int type, uint16_t port)
{
	struct sockaddr_in end = end_of(side, port);
	int fd, yes = 1;

	join(side == HERE);
	cr_assert_eq(setns(side == HERE ? lab->here : lab->there, CLONE_NEWNET), 0);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	cr_assert_eq(setns(one.here, CLONE_NEWNET), 0);
	join(false);
	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	cr_assert_eq(bind(fd, (void *)&end, sizeof(end)), 0, "bind: %m");
	return fd;
}

static void send_to(int fd, int side, uint16_t port)
{
	struct sockaddr_in end = end_of(side, port);

	cr_assert_eq(sendto(fd, "x", 1, 0, (void *)&end, sizeof(end)), 1, "%m");
}

static bool gets(int fd, int milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&wait, 1, milliseconds) == 1 && recv(fd, &byte, 1, 0) == 1;
}

static uint64_t tally_of(uint32_t which)
{
	struct diags d = {.arena = arena_new()};
	int cpus = libbpf_num_possible_cpus();
	CLEANUP(free_ptr) uint64_t *each = calloc((size_t)cpus, sizeof(*each));
	struct instance instance;
	uint64_t sum = 0;

	cr_assert_eq(instance_open(&one.host, "one", &d, &instance), 0);
	cr_assert_eq(bpf_map_lookup_elem(instance.tallies, &which, each), 0);
	for (int i = 0; i < cpus; i++)
		sum += each[i];
	instance_close(&instance);
	arena_free(d.arena);
	return sum;
}

/* ---------------------------------------------------------------- datagrams */

static void datagrams(bool older)
{
	CLEANUP(close_fd) int peer = socket_at(&one, THERE, SOCK_DGRAM, 53);
	CLEANUP(close_fd) int stranger = socket_at(&two, THERE, SOCK_DGRAM, 53);
	CLEANUP(close_fd) int asking = -1;
	CLEANUP(close_fd) int silent = -1;

	if (!older)
		lab_applied(&one, &asks, points);
	asking = socket_at(&one, HERE, SOCK_DGRAM, 5000);
	silent = socket_at(&two, HERE, SOCK_DGRAM, 5000);
	if (older)
		lab_applied(&one, &asks, points);
	send_to(stranger, HERE, 5000);
	cr_expect(!gets(silent, SOON_MS), "nothing has asked for it");
	send_to(asking, THERE, 53);
	cr_assert(gets(peer, LONG_MS));
	send_to(stranger, HERE, 5000);
	cr_expect(!gets(silent, SOON_MS), "it was another namespace that asked");
	for (int i = 0; i < 3; i++) {
		send_to(peer, HERE, 5000);
		cr_expect(gets(asking, LONG_MS), "answer %d", i);
	}
}

Test(datapath_spaces, a_flow_of_one_namespace_admits_nothing_in_another)
{
	datagrams(false);
}

Test(datapath_spaces, a_flow_of_an_older_socket_admits_nothing_in_another)
{
	datagrams(true);
}

/* A question that comes in before the socket has ever sent, and its answer, are one flow. */
Test(datapath_spaces, a_server_older_than_the_policy_may_answer)
{
	static const struct image_spec answers = {
		.policy = "one", .enforce = true, .allow = {[FR_INGRESS] = true}};
	CLEANUP(close_fd) int client = socket_at(&one, THERE, SOCK_DGRAM, 5000);
	CLEANUP(close_fd) int server = socket_at(&one, HERE, SOCK_DGRAM, 53);

	lab_applied(&one, &answers, points);
	for (int i = 0; i < 3; i++) {
		send_to(client, HERE, 53);
		cr_assert(gets(server, LONG_MS), "question %d", i);
		send_to(server, THERE, 5000);
		cr_expect(gets(client, LONG_MS), "answer %d", i);
	}
}

/* ---------------------------------------------------------------- connections */

static int accepted(int listener, int client, int side, uint16_t port)
{
	struct sockaddr_in end = end_of(side, port);
	int fd;

	cr_assert_eq(connect(client, (void *)&end, sizeof(end)), 0, "%m");
	fd = accept(listener, NULL, NULL);
	cr_assert_geq(fd, 0);
	return fd;
}

/* The client goes on after the server has closed: the kernel notifies it. */
static bool is_reset(int client)
{
	struct pollfd wait = {.fd = client};

	for (int i = 0; i < 50; i++) {
		if (send(client, "x", 1, MSG_NOSIGNAL) < 0)
			return true;
		poll(&wait, 1, 100);
		if (wait.revents & (POLLERR | POLLHUP))
			return true;
	}
	return false;
}

static void connections(bool older)
{
	CLEANUP(close_fd) int listener = -1;

	if (!older)
		lab_applied(&one, &serves, points);
	listener = socket_at(&one, HERE, SOCK_STREAM, 443);
	cr_assert_eq(listen(listener, 5), 0);
	if (older)
		lab_applied(&one, &serves, points);
	for (uint16_t i = 0; i < 3; i++) {
		CLEANUP(close_fd)
		int client = socket_at(&one, THERE, SOCK_STREAM, (uint16_t)(6000 + i));
		int server = accepted(listener, client, HERE, 443);

		cr_assert_eq(send(client, "x", 1, 0), 1);
		cr_expect(gets(server, LONG_MS), "connection %u", i);
		cr_assert_eq(send(server, "x", 1, 0), 1);
		cr_expect(gets(client, LONG_MS), "connection %u", i);
		close(server);
		cr_expect(is_reset(client), "connection %u", i);
	}
	cr_expect_eq(tally_of(FR_TALLY_FLOWS_OPENED), 3);
	cr_expect_eq(tally_of(FR_TALLY_FLOWS_ADOPTED), 0, "each is one flow from its beginning");
}

Test(datapath_spaces, accepted_sockets_are_of_their_listeners_flow)
{
	connections(false);
}

Test(datapath_spaces, accepted_sockets_of_a_listener_older_than_the_policy_too)
{
	connections(true);
}

/* ---------------------------------------------------------------- refusals */

struct spaces {
	uint64_t list[2];
	size_t count;
};

static int take_space(const void *entry, void *context)
{
	const struct fr_drop *drop = entry;
	struct spaces *spaces = context;

	cr_expect_eq(FR_SCOPE_KIND(drop->key.scope), FR_KIND_CGROUP);
	cr_expect_eq(FR_KEY_VLAN(&drop->key), 0);
	cr_assert_lt(spaces->count, 2);
	spaces->list[spaces->count++] = FR_KEY_SPACE(&drop->key);
	return 0;
}

Test(datapath_spaces, refusals_of_two_namespaces_are_two)
{
	struct diags d = {.arena = arena_new()};
	const struct lab *const labs[] = {&one, &two};
	struct instance instance;
	struct spaces spaces = {0};

	lab_applied(&one, &serves, points);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(close_fd) int client = socket_at(labs[i], HERE, SOCK_STREAM, 7000);
		struct sockaddr_in end = end_of(THERE, 444);

		cr_expect_eq(connect(client, (void *)&end, sizeof(end)), -1);
		cr_expect_eq(errno, EPERM);
	}
	cr_assert_eq(instance_open(&one.host, "one", &d, &instance), 0);
	cr_assert_eq(sets_each(instance.drops, take_space, &spaces), 0);
	cr_expect_eq(spaces.count, 2);
	cr_expect_neq(spaces.list[0], spaces.list[1]);
	cr_expect(!((spaces.list[0] | spaces.list[1]) & FR_SPACE_SOCKET), "both are known");
	instance_close(&instance);
	arena_free(d.arena);
}
