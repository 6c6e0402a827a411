/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that pass as forwarded and then find a socket of this host: the socket look-up program,
 * with the notes of the packet programs before.
 */
#include "packets_rig.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/socket.h>
#include <time.h>

enum { DNS = NTH_RULE(0), SYSLOG = NTH_RULE(1), SOON_MS = 200, NOT_SUPPORTED = 524 };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 514},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 514},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};
static const struct test_policy judging = {
	.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARD_JUDGE};

/* Behind pk1: 203.0.113.0/24 and 2001:db8:f::/48; answers go back by pk0. */
static void routes_up(void)
{
	rig_shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		  "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.pk0.rp_filter=0 && "
		  "ip addr add 198.51.100.1/24 dev pk0 && "
		  "ip addr add 2001:db8:1::1/64 dev pk0 nodad && "
		  "ip addr add 203.0.113.1/24 dev pk1 && "
		  "ip addr add 2001:db8:f::1/64 dev pk1 nodad && "
		  "ip route add 192.0.2.0/24 via 198.51.100.2 && "
		  "ip -6 route add 2001:db8:9::/64 via 2001:db8:1::2");
}

static const uint8_t behind[2][16] = {{203, 0, 113, 7}, {0x20, 1, 0x0d, 0xb8, 0, 0xf, [15] = 7}};

static void run(const struct test_policy *policy, void (*steps)(struct rig *rig))
{
	struct rig rig;

	rig_open(&rig);
	routes_up();
	rig.kind = FR_KIND_INTERFACE;
	for (int v6 = 0; v6 < 2; v6++) {
		rig.v6 = v6;
		rig_start(&rig, policy);
		steps(&rig);
	}
	rig_close(&rig);
}

/* ---------------------------------------------------------------- asking */

struct asked {
	uint8_t proto, host;
	uint16_t peer, local; /* ports */
};

static int socket_found(struct rig *rig, const struct asked *asked)
{
	const struct wire wire = {.v6 = rig->v6, .dir = IN, .host = asked->host};
	struct bpf_sk_lookup ask = {.family = rig->v6 ? AF_INET6 : AF_INET,
				    .protocol = asked->proto,
				    .local_port = asked->local,
				    .remote_port = htons(asked->peer)};
	int found;

	wire_address(&wire, false, (void *)(rig->v6 ? ask.remote_ip6 : &ask.remote_ip4));
	wire_address(&wire, true, (void *)(rig->v6 ? ask.local_ip6 : &ask.local_ip4));
	found = bench_ask_local(rig->bench, &ask, sizeof(ask), &rig->seen);
	if (found == -NOT_SUPPORTED)
		cr_skip_test("this kernel does not run such a program for a test: NOT RUN");
	return found;
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* SOON(steps, question): steps and a question in one moment, however long a busy machine takes. */
#define SOON(steps, question)                                                                      \
	({                                                                                         \
		uint64_t began_;                                                                   \
		int found_;                                                                        \
		do {                                                                               \
			began_ = milliseconds();                                                   \
			steps;                                                                     \
			found_ = question;                                                         \
		} while (milliseconds() - began_ > SOON_MS);                                       \
		found_;                                                                            \
	})
#define FINDS(...) socket_found(rig, &(struct asked){__VA_ARGS__})
#define THROUGH(...)                                                                               \
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = IN, .local_addr = behind[rig->v6], __VA_ARGS__)

static int of_refused(const struct rig *rig)
{
	return rig->policy.audit ? SK_PASS : SK_DROP;
}

static void expect_told(struct rig *rig, uint8_t verdict, uint16_t port)
{
	cr_expect(rig->seen.version, "nothing was judged");
	cr_expect_eq(rig->seen.verdict, verdict);
	cr_expect_eq(rig->seen.reason, FR_REASON_DEFAULT);
	cr_expect_eq(rig->seen.key.local_port, port);
	cr_expect_eq(rig->seen.ifindex, rig->devices[0]);
}

/* ---------------------------------------------------------------- forwarded packets */

static void datagram(struct rig *rig)
{
	struct fr_flow_key key;

	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 9009), SK_PASS, "nothing passed");
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .peer = 7000, .local = 777),
			  FINDS(UDP, .peer = 7000, .local = 9009)),
		     of_refused(rig));
	expect_told(rig, rig->policy.audit ? FR_WOULD_DROP : FR_DROP, 9009);
	cr_expect_eq(rig_entries(rig, "drops", &key, NULL), 1);
	cr_expect_eq(key.local_port, 9009);
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .peer = 7000, .local = 777),
			  FINDS(UDP, .peer = 7000, .local = 514)),
		     SK_PASS, "a rule admits it");
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .peer = 7000, .local = 777),
			  FINDS(UDP, .peer = 7001, .local = 9009)),
		     of_refused(rig), "conntrack changes the port of a sender");
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 9009, .host = 8), SK_PASS, "another host");
	cr_expect_eq(FINDS(TCP, .peer = 7000, .local = 9009), SK_PASS, "another protocol");
}

Test(packets_transit, a_datagram_that_was_forwarded_is_an_opening_at_a_socket)
{
	run(&enforce, datagram);
	run(&audit, datagram);
}

static void connection(struct rig *rig)
{
	cr_expect_eq(SOON(THROUGH(.proto = TCP, .peer = 7000, .local = 777, .flags = SYN),
			  FINDS(TCP, .peer = 7000, .local = 9009)),
		     of_refused(rig));
	expect_told(rig, rig->policy.audit ? FR_WOULD_DROP : FR_DROP, 9009);
	cr_expect_eq(SOON(THROUGH(.proto = TCP, .peer = 7000, .local = 777, .flags = SYN),
			  FINDS(TCP, .peer = 7000, .local = 514)),
		     SK_PASS);
	cr_expect_eq(SOON(THROUGH(.proto = TCP, .peer = 7000, .local = 777, .flags = SYN),
			  FINDS(TCP, .peer = 7001, .local = 9009)),
		     of_refused(rig), "conntrack changes the port of a sender");
	/* a transfer that merely passes blocks no socket */
	THROUGH(.proto = TCP, .host = 8, .peer = 7002, .local = 777, .flags = ACK);
	cr_expect_eq(FINDS(TCP, .host = 8, .peer = 7002, .local = 9009), SK_PASS);
}

Test(packets_transit, a_connection_that_was_forwarded_is_an_opening_at_a_listener)
{
	run(&enforce, connection);
	run(&audit, connection);
}

/* Put together again behind the hook: the first part may have passed long ago. */
static void pieces(struct rig *rig)
{
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .fragment = true, .offset = 3,
				  .body = "behind the first", .body_size = 16),
			  FINDS(UDP, .peer = 7000, .local = 9009)),
		     of_refused(rig));
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 9009, .host = 8), SK_PASS);
}

/* A rule that admits some port of the sender lets any later fragment pass. */
static void pieces_admitted(struct rig *rig)
{
	cr_expect_eq(SOON(PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN,
			       .local_addr = behind[rig->v6], .proto = UDP, .fragment = true,
			       .offset = 3, .body = "behind the first", .body_size = 16),
			  FINDS(UDP, .peer = 7000, .local = 9009)),
		     of_refused(rig));
	cr_expect_eq(SOON(PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = UDP, .host = 8,
			       .fragment = true, .offset = 3, .body = "behind the first",
			       .body_size = 16),
			  FINDS(UDP, .peer = 7000, .local = 9009, .host = 8)),
		     SK_PASS, "it was for this host");
}

Test(packets_transit, a_later_fragment_is_of_any_port_of_its_sender)
{
	static const struct test_policy closed = {0};

	run(&closed, pieces);
	run(&enforce, pieces_admitted);
}

/* ---------------------------------------------------------------- other packets */

static void answer(struct rig *rig)
{
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 5000, .peer = 53);
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .peer = 53, .local = 777),
			  FINDS(UDP, .peer = 53, .local = 5000)),
		     SK_PASS, "the host has asked");
	cr_expect_eq(SOON(THROUGH(.proto = UDP, .peer = 53, .local = 777),
			  FINDS(UDP, .peer = 53, .local = 5001)),
		     of_refused(rig), "but not from here");
}

Test(packets_transit, answers_to_the_host_pass_beside_those_that_are_forwarded)
{
	run(&enforce, answer);
	run(&audit, answer);
}

static void other_passes(struct rig *rig)
{
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .peer = 7000, .local = 514);
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 5140), SK_PASS,
		     "a published port may be another one at the socket");
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .peer = 7000, .local = 514,
	     .local_addr = behind[rig->v6]);
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 5140), SK_PASS,
		     "and what a rule admits is not excused");
}

Test(packets_transit, what_a_rule_admits_is_admitted_at_any_port_of_the_socket)
{
	run(&enforce, other_passes);
}

/* A sender that forges an address of this host would keep it from talking to itself. */
static void forged(struct rig *rig)
{
	static const uint8_t own[2][16] = {{198, 51, 100, 1},
					   {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 1}};
	struct fr_transit_key key;

	for (uint8_t proto = TCP; proto; proto = proto == TCP ? UDP : 0)
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = proto, .flags = SYN,
		     .peer = 7000, .local = 777, .local_addr = behind[rig->v6],
		     .peer_addr = own[rig->v6]);
	cr_expect(bpf_map_get_next_key(bench_map(rig->bench, "fr_transit"), NULL, &key));
}

Test(packets_transit, an_address_of_this_host_is_no_sender_that_is_forwarded)
{
	static const struct test_policy closed = {0};

	run(&closed, forged);
}

static void notes_age(struct rig *rig)
{
	int fd = bench_map(rig->bench, "fr_transit");
	struct fr_transit_key key;
	struct fr_transit noted;

	THROUGH(.proto = UDP, .peer = 7000, .local = 777);
	cr_assert_eq(bpf_map_get_next_key(fd, NULL, &key), 0);
	cr_assert_eq(bpf_map_lookup_elem(fd, &key, &noted), 0);
	noted.last -= 1000000000;
	cr_assert_eq(bpf_map_update_elem(fd, &key, &noted, BPF_ANY), 0);
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 9009), SK_PASS);
}

Test(packets_transit, what_was_forwarded_a_while_ago_is_forgotten)
{
	run(&enforce, notes_age);
}

static void judged_at_the_hook(struct rig *rig)
{
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .peer = 7000, .local = 514,
	     .local_addr = behind[rig->v6]);
	cr_expect_eq(FINDS(UDP, .peer = 7000, .local = 9009), SK_PASS);
}

Test(packets_transit, a_policy_that_judges_what_is_forwarded_asks_nothing_more)
{
	run(&judging, judged_at_the_hook);
}

/* ---------------------------------------------------------------- two clocks */

/* As when another CPU notes a packet once this one has read its clock. */
static void note_is_ahead(const struct rig *rig)
{
	int times = bench_map(rig->bench, "fr_times"), notes = bench_map(rig->bench, "fr_transit");
	uint32_t which = 1; /* FR_TIME_TRANSIT */
	struct fr_transit_key key;
	struct fr_transit note;
	uint64_t last;

	cr_assert_eq(bpf_map_lookup_elem(times, &which, &last), 0);
	last += 100;
	cr_assert_eq(bpf_map_update_elem(times, &which, &last, BPF_ANY), 0);
	cr_assert_eq(bpf_map_get_next_key(notes, NULL, &key), 0);
	cr_assert_eq(bpf_map_lookup_elem(notes, &key, &note), 0);
	note.last += 10000000000;
	cr_assert_eq(bpf_map_update_elem(notes, &key, &note, BPF_ANY), 0);
}

static void noted_ahead(struct rig *rig)
{
	const struct asked asked = {.proto = TCP, .peer = 7000, .local = 9009};

	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = IN, .local_addr = behind[rig->v6], .proto = TCP,
	     .peer = 7000, .local = 777, .flags = SYN);
	note_is_ahead(rig);
	cr_expect_eq(socket_found(rig, &asked), SK_DROP);
}

Test(packets_transit, a_note_of_a_moment_that_is_still_to_come_is_one)
{
	run(&enforce, noted_ahead);
}
