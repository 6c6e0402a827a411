/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP through the programs, and mid-stream packets that only a socket of this host can vouch for.
 */
#include "packets_sockets.h"

#include <sys/socket.h>
#include <unistd.h>

enum { DNS = NTH_RULE(0), SYSLOG = NTH_RULE(1), HTTPS = NTH_RULE(2), SSH = NTH_RULE(3) };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 514},
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};

#define DNS_OUT .dir = OUT, .proto = UDP, .local = 40000, .peer = 53
#define DNS_IN .dir = IN, .proto = UDP, .local = 40000, .peer = 53

static void request_and_answer(struct rig *rig)
{
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, DNS_IN);
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, DNS, DNS_OUT);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 1);
	PASS(rig, REPLY, DNS, DNS_IN);
	PASS(rig, REPLY, DNS, DNS_IN);
	cr_assert_eq(rig_entries(rig, "two-way", NULL, NULL), 1, "two-way");
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .host = 8, DNS_IN);
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .local = 514, .peer = 9);
	PASS(rig, REPLY, SYSLOG, .dir = OUT, .proto = UDP, .local = 514, .peer = 9);
	cr_assert_eq(rig_counters(rig, DNS).connections, 1);
}

RIG_TEST(packets_udp, an_answer_needs_its_request, request_and_answer, &enforce, &audit)

static void idle(struct rig *rig)
{
	PASS(rig, RULE, DNS, DNS_OUT);
	rig_age(rig, "pending", 31);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, DNS_IN);
	PASS(rig, RULE, DNS, DNS_OUT);
	PASS(rig, REPLY, DNS, DNS_IN);
	rig_age(rig, "two-way", 100);
	PASS(rig, REPLY, DNS, DNS_IN); /* does not keep it alive */
	rig_age(rig, "two-way", 30);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, DNS_IN);
	PASS(rig, RULE, DNS, DNS_OUT);
	PASS(rig, REPLY, DNS, DNS_IN);
	rig_age(rig, "two-way", 100);
	PASS(rig, RULE, DNS, DNS_OUT);
	rig_age(rig, "two-way", 100);
	PASS(rig, REPLY, DNS, DNS_IN); /* the opener has sent again */
	rig_age(rig, "two-way", 100);
	PASS(rig, REPLY, DNS, DNS_IN);
}

RIG_TEST(packets_udp, only_the_opener_keeps_a_flow_alive, idle, &enforce)

static void swapped(struct rig *rig)
{
	PASS(rig, RULE, DNS, DNS_OUT);
	PASS(rig, REPLY, DNS, DNS_IN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = UDP, .local = 40001,
	     .peer = 53);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .dir = OUT, .proto = UDP, .local = 53,
	     .peer = 40000);
}

RIG_TEST(packets_udp, a_flow_admits_its_own_ports_only, swapped, &enforce)

/* Fixed ports on both sides (NTP, IKE): the peer's refused packet must not take the flow of ours.
 */
static const struct test_rule fixed_rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 500}};

static void fixed_ports(struct rig *rig)
{
#define IKE .proto = UDP, .local = 500, .peer = 500
	struct test_policy policy = rig->policy;

	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, IKE);
	policy.audit = false;
	rig_policy(rig, &policy);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, IKE);
	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, IKE);
	PASS(rig, REPLY, NTH_RULE(0), .dir = IN, IKE);
	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, IKE);
#undef IKE
}

Test(packets_udp, a_refused_opening_of_the_peer_does_not_block_ours)
{
	static const struct test_policy before = {.rules = fixed_rules, .count = 1, .audit = true};
	static const struct test_policy from_the_start = {.rules = fixed_rules, .count = 1};
	struct rig rig;

	rig_open(&rig);
	rig_each(&rig, &from_the_start, fixed_ports);
	rig_each(&rig, &before, fixed_ports);
	rig_close(&rig);
}

/*
 * Audit decides what follows as enforcement would: the refused packet made no flow, so ours opens,
 * and is answered. One refusal, one connection.
 */
static const struct test_rule either_rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 500},
	{.dir = OUT, .action = FR_ALLOW, .proto = 132, .first = 36412},
	{.dir = OUT, .action = FR_ALLOW, .proto = 89},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
};
static const struct test_policy either_enforce = {.rules = either_rules,
						  .count = ARRAY_SIZE(either_rules)};
static const struct test_policy either_audit = {
	.rules = either_rules, .count = ARRAY_SIZE(either_rules), .audit = true};

#define REFUSED_THEN_OURS(rig, rule, ...)                                                          \
	do {                                                                                       \
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, __VA_ARGS__);               \
		PASS(rig, RULE, rule, .dir = OUT, __VA_ARGS__);                                    \
		PASS(rig, REPLY, rule, .dir = IN, __VA_ARGS__);                                    \
		PASS(rig, RULE, rule, .dir = OUT, __VA_ARGS__);                                    \
		cr_assert_eq(rig_counters(rig, rule).connections, 1);                              \
		cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 1);                            \
		rig_start(rig, &rig->policy);                                                      \
	} while (0)

static void ours_after_theirs(struct rig *rig)
{
#define ECHO .proto = ICMP, .id = 5, .type
	REFUSED_THEN_OURS(rig, NTH_RULE(0), .proto = UDP, .local = 500, .peer = 500);
	REFUSED_THEN_OURS(rig, NTH_RULE(0), .proto = UDP, .local = 4500, .peer = 500);
	REFUSED_THEN_OURS(rig, NTH_RULE(1), .proto = 132, .local = 36412, .peer = 36412);
	REFUSED_THEN_OURS(rig, NTH_RULE(2), .proto = 89);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, ECHO = rig->v6 ? 128 : 8);
	PASS(rig, RULE, NTH_RULE(3), .dir = OUT, ECHO = rig->v6 ? 128 : 8);
	PASS(rig, REPLY, NTH_RULE(3), .dir = IN, ECHO = rig->v6 ? 129 : 0);
#undef ECHO
}

RIG_TEST(packets_udp, what_follows_a_refused_opening_may_open_itself, ours_after_theirs,
	 &either_enforce, &either_audit)

/* A packet that may not open is reported with the opening, in its direction, on its rule. */
static void answer_to_refused(struct rig *rig)
{
	struct fr_drop drop;

	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = UDP, .local = 9, .peer = 7);
	DROP(rig, DEFAULT, rig->policy.audit ? FR_RULE_DEFAULT_INGRESS : FR_RULE_DEFAULT_EGRESS,
	     .dir = OUT, .proto = UDP, .local = 9, .peer = 7);
	if (!rig->policy.audit)
		return; /* never sees it */
	cr_assert_eq(rig_entries(rig, "drops", NULL, &drop), 1);
	cr_assert(drop.dir == IN && drop.packets == 2 && drop.key.local_port == 9);
}

RIG_TEST(packets_udp, an_answer_to_what_is_refused_is_no_event_of_its_own, answer_to_refused,
	 &either_enforce, &either_audit)

/* A flow that a new policy refuses keeps its opener, also when the next packet is an answer. */
static void cut(struct rig *rig)
{
	const struct test_policy nothing = {.audit = rig->policy.audit};
	struct fr_drop drop;

	PASS(rig, RULE, NTH_RULE(0), .dir = OUT, .proto = UDP, .local = 4500, .peer = 500);
	PASS(rig, REPLY, NTH_RULE(0), .dir = IN, .proto = UDP, .local = 4500, .peer = 500);
	rig_policy(rig, &nothing);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .dir = IN, .proto = UDP, .local = 4500,
	     .peer = 500);
	cr_assert_eq(rig_entries(rig, "drops", NULL, &drop), 1);
	cr_assert(drop.dir == OUT && drop.key.peer_port == 500 && drop.opener_port == 4500);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .dir = OUT, .proto = UDP, .local = 4500,
	     .peer = 500);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 1);
}

RIG_TEST(packets_udp, a_flow_that_is_cut_keeps_its_opener, cut, &either_enforce, &either_audit)

/* ---------------------------------------------------------------- sockets */

static void connected_udp(struct rig *rig)
{
	int fd;

	if (rig->kind == FR_KIND_GUEST)
		return;
	fd = socket_at(rig->v6, SOCK_DGRAM, true, 40000);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, DNS_IN);
	connect_to(fd, rig->v6, false, 53);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .host = 8, DNS_IN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = UDP, .local = 40000,
	     .peer = 54);
	PASS(rig, ADOPTED, DNS, DNS_IN);
	PASS(rig, RULE, DNS, DNS_OUT);
	PASS(rig, REPLY, DNS, DNS_IN);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 1);
	connect_to(fd, rig->v6, false, 99);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = UDP, .local = 40000,
	     .peer = 99);
	close(fd);
}

Test(packets_udp, only_a_socket_connected_to_this_very_peer_vouches_for_udp)
{
	struct rig rig;

	rig_open(&rig);
	addresses_up();
	rig_each(&rig, &enforce, connected_udp);
	rig_close(&rig);
}

static void our_transfer(struct rig *rig)
{
	struct stream s;

	if (rig->kind == FR_KIND_GUEST)
		return;
	s = stream_open(rig->v6, false, 443, 40000);
#define DATA .proto = TCP, .local = 40000, .peer = 443, .flags
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, DATA = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, DATA = RST | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, DATA = SYN | ACK);
	PASS(rig, ADOPTED, HTTPS, .dir = IN, DATA = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, DATA = SYN);
	DROP(rig, STATE, FR_RULE_OTHER, .dir = IN, DATA = SYN | ACK);
	PASS(rig, RULE, HTTPS, .dir = OUT, DATA = ACK);
	PASS(rig, REPLY, HTTPS, .dir = IN, DATA = FIN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 40001,
	     .peer = 443, .flags = ACK);
#undef DATA
	stream_close(&s);
}

static void their_transfer(struct rig *rig)
{
	struct stream s;

	if (rig->kind == FR_KIND_GUEST)
		return;
#define DATA .proto = TCP, .peer = 40000, .flags = ACK
	s = stream_open(rig->v6, true, 22, 40000);
	PASS(rig, ADOPTED, SSH, .dir = OUT, .local = 22, DATA);
	PASS(rig, RULE, SSH, .dir = IN, .local = 22, DATA);
	stream_close(&s);
	s = stream_open(rig->v6, true, 23, 40000); /* no rule admits it: not adopted */
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .local = 23, DATA);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .local = 23, DATA);
	stream_close(&s);
#undef DATA
}

Test(packets_udp, a_tcp_socket_vouches_for_its_packets_and_their_opener)
{
	struct rig rig;

	rig_open(&rig);
	addresses_up();
	rig_each(&rig, &enforce, our_transfer);
	rig_each(&rig, &enforce, their_transfer);
	rig_close(&rig);
}
