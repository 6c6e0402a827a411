/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket-address hooks before the third judge: BPF_PROG_TEST_RUN cannot run them, so real
 * sockets of a process in a cgroup ask them. connect() and sendto() are judged before any route is
 * looked up: EPERM is the verdict, every other outcome a pass.
 */
#include "datapath_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../judges.h"
#include "../thin.h"

enum { POLICIES = 12, TUPLES = 1500, FIRST_SEED = 9000 };

struct asking {
	const struct ruleset *rs;
	uint64_t seed;
	size_t refused, passed;
};

static socklen_t name_of(const struct addr *addr, uint16_t port, bool mapped,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (addr_is_v4(addr) && !mapped) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(addr_v4(addr));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr->b, sizeof(addr->b));
	return sizeof(*in6);
}

/* Asks the kernel: was it EPERM? *local_port is the port that the socket was bound to. */
static bool socket_refused(const struct tuple *tuple, bool mapped, uint16_t *local_port)
{
	bool tcp = tuple->proto == PROTO_TCP;
	struct sockaddr_storage name, own = {0};
	socklen_t size = name_of(&tuple->peer, tuple->port, mapped, &name), length = sizeof(own);
	int fd = socket(name.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	int err, on = 1;

	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	own.ss_family = name.ss_family;
	cr_assert_eq(bind(fd, (struct sockaddr *)&own, size), 0, "%m");
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	*local_port = ntohs(((struct sockaddr_in *)&own)->sin_port);
	if (tcp)
		err = connect(fd, (struct sockaddr *)&name, size);
	else
		err = sendto(fd, "x", 1, 0, (struct sockaddr *)&name, size) < 0 ? -1 : 0;
	err = err ? errno : 0;
	close(fd);
	return err == EPERM;
}

/* A datagram that may be an answer, or go to a socket of ours (the asking one, when the kernel gave
 * it the very port that it asks for), is left to the packet hooks. */
static bool is_left_alone(const struct ruleset *rs, const struct tuple *tuple, uint16_t local_port)
{
	struct tuple reverse = {
		.dir = FR_INGRESS, .proto = tuple->proto, .port = local_port, .peer = tuple->peer};
	struct decision decision;

	if (tuple->proto != PROTO_UDP)
		return false;
	if (local_port == tuple->port)
		return true;
	ruleset_decide(rs, &reverse, &decision);
	return decision.verdict != FR_DROP;
}

static void ask(struct asking *asking, const struct tuple *tuple, bool mapped)
{
	static const char *const words[] = {[false] = "passes", [true] = "refuses"};
	struct decision decision;
	uint16_t local_port;
	bool refused = socket_refused(tuple, mapped, &local_port), expected;
	char text[96];

	ruleset_decide(asking->rs, tuple, &decision);
	expected = decision.verdict == FR_DROP && !is_left_alone(asking->rs, tuple, local_port);
	cr_assert_eq(refused, expected, "seed %llu, %s%s: the oracle %s it, the socket hook not",
		     (unsigned long long)asking->seed, mapped ? "v4-mapped " : "",
		     judge_tuple_text(tuple, text), words[expected]);
	asking->refused += refused;
	asking->passed += !refused;
}

static bool can_be_asked(const struct tuple *tuple)
{
	static const struct addr none;

	if (tuple->dir != FR_EGRESS || !tuple->port || addr_equal(&tuple->peer, &none))
		return false;
	if (tuple->proto != PROTO_TCP && tuple->proto != PROTO_UDP)
		return false;
	return !addr_is_v4(&tuple->peer) ||
	       (addr_v4(&tuple->peer) >> 24 != 127 && addr_v4(&tuple->peer) >> 24 != 0);
}

static void policy_apply(const struct lab *lab, struct ruleset *rs, struct diags *diags)
{
	struct attach_point point = {.kind = FR_KIND_CGROUP, .name = strrchr(lab->cgroup, '/')};
	struct apply_request request = {.ruleset = rs,
					.source = "random",
					.host = lab->host,
					.mode_given = true,
					.allow_removal = true};
	struct apply_result result;
	struct image image = {0};
	struct attach_target *hooks;

	rs->attach = &point;
	rs->attach_count = 1;
	cr_assert_eq(image_compile(rs, diags, &image), 0);
	cr_assert_eq(host_resolve(rs, &lab->host, diags, &hooks, &request.hook_count), 0);
	request.image = &image;
	request.hooks = hooks;
	cr_assert_eq(datapath_apply(&request, diags, &result), 0, "%s",
		     diags->count ? diags->list[0].message : "");
	image_free(&image);
}

static void policy_ask(const struct lab *lab, struct asking *asking)
{
	struct diags diags = {.arena = arena_new()};
	struct judge_random random = {~asking->seed};
	struct ruleset *rs = judge_policy(diags.arena, asking->seed, 40);

	rs->enforce = true;
	policy_apply(lab, rs, &diags);
	asking->rs = rs;
	for (int asked = 0; asked < (int)thin(TUPLES);) {
		struct tuple tuple = judge_tuple(&random);

		if (!can_be_asked(&tuple))
			continue;
		ask(asking, &tuple, false);
		if (addr_is_v4(&tuple.peer))
			ask(asking, &tuple, true);
		asked++;
	}
	arena_free(diags.arena);
}

Test(judges_sockets, oracle_and_socket_hooks_agree, .init = need_root, .timeout = 300)
{
	struct asking asking = {0};
	struct lab lab;

	lab_begin(&lab);
	lab_cgroup(&lab);
	for (asking.seed = FIRST_SEED; asking.seed < FIRST_SEED + POLICIES; asking.seed++)
		policy_ask(&lab, &asking);
	lab_end(&lab);
	cr_assert_gt(asking.refused, thin(1000), "hardly anything was refused");
	cr_assert_gt(asking.passed, thin(1000), "hardly anything passed");
}
