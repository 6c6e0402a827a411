/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversations of others that pass through this host, masqueraded, published or merely routed: the
 * owner of a flow, packet by packet and policy after policy. packets_odd.c tests when a packet
 * counts as forwarded at all.
 */
#include "packets_sockets.h"

#include <bpf/bpf.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DNS = NTH_RULE(0),
	SYSLOG = NTH_RULE(1),
	SSH = NTH_RULE(2),
	DNS_TOO = NTH_RULE(3),
	OTHER_DNS = 5
};

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53, .host = WIRE_HOST},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 514},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53, .host = OTHER_DNS},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};
static const struct test_policy judging = {
	.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARD_JUDGE};
static const struct test_policy nothing = {0};
static const struct test_policy nothing_judging = {.flags_on = FR_F_FORWARD_JUDGE};

/* Interfaces only: for guests and cgroups nothing is forwarded. */
static void both_families(struct rig *rig, const struct test_policy *policy,
			  void (*steps)(struct rig *rig))
{
	rig->kind = FR_KIND_INTERFACE;
	for (int v6 = 0; v6 < 2; v6++) {
		rig->v6 = v6;
		rig_start(rig, policy);
		steps(rig);
	}
}

static void run(const struct test_policy *policy, void (*steps)(struct rig *rig))
{
	struct rig rig;

	rig_open(&rig);
	both_families(&rig, policy, steps);
	rig_close(&rig);
}

/* The next packets that leave came in by another device, or did not. */
static void by_way(struct rig *rig, bool forwarded)
{
	rig->ingress_ifindex = forwarded ? rig->devices[1] : 0;
}

/* ---------------------------------------------------------------- one tuple, two users */

#define TALK(direction, to) .dir = direction, .proto = UDP, .local = 5555, .peer = to
#define CALL(direction, set)                                                                       \
	.dir = direction, .proto = TCP, .local = 5556, .peer = 443, .flags = set
#define ECHO(direction, kind) .dir = direction, .proto = ICMP, .type = kind, .id = 7

static void tuple_taken_udp(struct rig *rig)
{
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 4445));
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
	by_way(rig, false);
	DROP(rig, DEFAULT, OUT, TALK(OUT, 4445));
	by_way(rig, true); /* its owner may go on */
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 4445));
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
	/* this host's allowed packet passes by its own rule, and gets its answer */
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 53));
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 53));
	by_way(rig, false);
	PASS(rig, RULE, DNS, TALK(OUT, 53));
	PASS(rig, REPLY, DNS, TALK(IN, 53));
	cr_assert_eq(rig_counters(rig, DNS).connections, 1);
	/* nor does it join one that was never answered */
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 53), .host = OTHER_DNS);
	by_way(rig, false);
	PASS(rig, RULE, DNS_TOO, TALK(OUT, 53), .host = OTHER_DNS);
	PASS(rig, REPLY, DNS_TOO, TALK(IN, 53), .host = OTHER_DNS);
	cr_assert_eq(rig_counters(rig, DNS_TOO).connections, 1);
}

static void tuple_taken_tcp(struct rig *rig)
{
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(OUT, SYN));
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(IN, SYN | ACK));
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(OUT, ACK));
	by_way(rig, false);
	DROP(rig, DEFAULT, OUT, CALL(OUT, ACK));
	DROP(rig, DEFAULT, OUT, CALL(OUT, RST));
	DROP(rig, DEFAULT, OUT, CALL(OUT, SYN));
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(OUT, ACK));
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(IN, ACK));
}

static void tuple_taken(struct rig *rig)
{
	tuple_taken_udp(rig);
	tuple_taken_tcp(rig);
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, ECHO(OUT, 8));
	by_way(rig, false);
	DROP(rig, DEFAULT, OUT, ECHO(OUT, 8));
}

/* lesson: a new connection with the ports of a known one passed by the state of that one. */
Test(packets_forwarded, who_uses_a_masqueraded_tuple_next_is_judged)
{
	run(&enforce, tuple_taken);
	run(&audit, tuple_taken);
}

/* ---------------------------------------------------------------- forgotten by conntrack */

enum { KNOWN = RIG_CONNTRACK * 3 / 4 }; /* seconds for which an answer surely finds its way */

static void time_passes(struct rig *rig, uint32_t seconds)
{
	rig_age(rig, "flows", seconds);
}

static void forgotten_udp(struct rig *rig)
{
	int fd = socket_at(rig->v6, SOCK_DGRAM, true, 5555);

	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 4445));
	by_way(rig, false);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
	time_passes(rig, KNOWN - 10);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
	time_passes(rig, 11); /* the peer's own packets refresh nothing */
	DROP(rig, DEFAULT, IN, TALK(IN, 4445));
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 4445));
	by_way(rig, false);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
	time_passes(rig, KNOWN + 1);
	DROP(rig, DEFAULT, IN, TALK(IN, 4445));
	close(fd); /* no socket here would take it */
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 4445));
}

/* One that a rule then admits is a conversation of the host's. */
static void forgotten_and_admitted(struct rig *rig)
{
	int fd = socket_at(rig->v6, SOCK_DGRAM, true, 514);

#define LOG(direction) .dir = direction, .proto = UDP, .local = 514, .peer = 6000
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, LOG(OUT));
	by_way(rig, false);
	PASS(rig, FORWARDED, FR_RULE_OTHER, LOG(IN));
	time_passes(rig, KNOWN + 1);
	PASS(rig, RULE, SYSLOG, LOG(IN));
	PASS(rig, REPLY, SYSLOG, LOG(OUT));
	cr_assert_eq(rig_counters(rig, SYSLOG).connections, 1);
#undef LOG
	close(fd);
}

/* Without a look-up for sockets: always. Of UDP-Lite, GRE and pings. */
static void forgotten_others(struct rig *rig)
{
#define LITE(direction) .dir = direction, .proto = 136, .local = 5555, .peer = 4445
#define GRE(direction) .dir = direction, .proto = 47
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, LITE(OUT));
	PASS(rig, FORWARDED, FR_RULE_OTHER, GRE(OUT));
	PASS(rig, FORWARDED, FR_RULE_OTHER, ECHO(OUT, rig->v6 ? 128 : 8));
	by_way(rig, false);
	for (int late = 0; late < 2; late++) {
		uint8_t verdict = late ? FR_DROP : FR_PASS;
		uint8_t reason = late ? FR_REASON_DEFAULT : FR_REASON_FORWARDED;
		struct expected expected = {verdict, reason, late ? (uint32_t)IN : FR_RULE_OTHER,
					    __FILE__, __LINE__};

		rig_step(rig, &(struct wire){.v6 = rig->v6, LITE(IN)}, &expected);
		rig_step(rig, &(struct wire){.v6 = rig->v6, GRE(IN)}, &expected);
		rig_step(rig, &(struct wire){.v6 = rig->v6, ECHO(IN, rig->v6 ? 129 : 0)},
			 &expected);
		time_passes(rig, KNOWN);
	}
}

/* SCTP has openings, as TCP: an INIT has no tag. The rest opens nothing, however late. */
static void forgotten_sctp(struct rig *rig)
{
	static const uint8_t init[] = {0x11, 0x5d, 0x15, 0xb3, 0, 0, 0, 0, 9, 9, 9, 9, 1, 0, 0, 20};
	static const uint8_t data[] = {0x11, 0x5d, 0x15, 0xb3, 1, 2, 3, 4, 9, 9, 9, 9, 0, 3, 0, 20};
	static const uint8_t ours[] = {0x15, 0xb3, 0x11, 0x5d, 0, 0, 0, 0, 9, 9, 9, 9, 1, 0, 0, 20};

	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = OUT, .proto = 132, .body = ours,
	     .body_size = sizeof(ours));
	by_way(rig, false);
	for (int late = 0; late < 2; late++) {
		PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = IN, .proto = 132, .body = data,
		     .body_size = sizeof(data));
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = 132, .body = init,
		     .body_size = sizeof(init));
		time_passes(rig, KNOWN + 1);
	}
}

/* A container chose the port of a service of the host's, and later answers reached that. */
Test(packets_forwarded, what_conntrack_may_have_forgotten_is_the_hosts)
{
	static const struct test_policy *const policies[] = {&enforce, &audit};
	struct rig rig;

	rig_open(&rig);
	addresses_up();
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		both_families(&rig, policies[i], forgotten_udp);
		both_families(&rig, policies[i], forgotten_and_admitted);
		both_families(&rig, policies[i], forgotten_others);
		both_families(&rig, policies[i], forgotten_sctp);
	}
	rig_close(&rig);
}

/* ---------------------------------------------------------------- policies that follow */

/* The namespace routes 203.0.113.0/24 and 2001:db8:f::/48 through its second device. */
static void routes_up(void)
{
	rig_shell(
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		"net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.pk0.rp_filter=0 && "
		"ip addr add 198.51.100.1/24 dev pk0 && ip addr add 2001:db8:1::1/64 dev pk0 nodad && "
		"ip addr add 203.0.113.1/24 dev pk1 && ip addr add 2001:db8:f::1/64 dev pk1 nodad && "
		"ip route add 192.0.2.0/24 via 198.51.100.2 && "
		"ip -6 route add 2001:db8:9::/64 via 2001:db8:1::2");
}

static const uint8_t behind[2][16] = {{203, 0, 113, 7}, {0x20, 1, 0x0d, 0xb8, 0, 0xf, [15] = 7}};

#define THROUGH(direction, set)                                                                    \
	.dir = direction, .proto = TCP, .local_addr = behind[rig->v6], .local = 22, .peer = 7000,  \
	.flags = set
#define MINE(direction, set) .dir = direction, .proto = TCP, .local = 22, .peer = 7001, .flags = set

/* Of a server behind us, and one of this host; a rule fits both. */
static void transit_opened(struct rig *rig)
{
	PASS(rig, RULE, SSH, THROUGH(IN, SYN));
	by_way(rig, true);
	PASS(rig, REPLY, SSH, THROUGH(OUT, SYN | ACK));
	by_way(rig, false);
	PASS(rig, RULE, SSH, THROUGH(IN, ACK));
	PASS(rig, RULE, SSH, MINE(IN, SYN));
	PASS(rig, REPLY, SSH, MINE(OUT, SYN | ACK));
	PASS(rig, RULE, SSH, MINE(IN, ACK));
}

static void transit(struct rig *rig)
{
	transit_opened(rig);
	rig_policy(rig, &nothing);
	PASS(rig, FORWARDED, FR_RULE_OTHER, THROUGH(IN, ACK));
	DROP(rig, DEFAULT, IN, MINE(IN, ACK));
	DROP(rig, DEFAULT, IN, MINE(OUT, ACK));
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, THROUGH(OUT, ACK));
	by_way(rig, false);
	rig_policy(rig, &nothing_judging);
	DROP(rig, DEFAULT, IN, THROUGH(IN, ACK));
}

static void transit_judged(struct rig *rig)
{
	transit_opened(rig);
	rig_policy(rig, &nothing_judging);
	DROP(rig, DEFAULT, IN, THROUGH(IN, ACK));
	by_way(rig, true);
	DROP(rig, DEFAULT, IN, THROUGH(OUT, ACK));
	by_way(rig, false);
}

/* lesson: the policy of a host was applied to traffic that merely passed through it. */
Test(packets_forwarded, transit_that_a_rule_admitted_outlives_the_rule)
{
	struct rig rig;

	rig_open(&rig);
	routes_up();
	both_families(&rig, &enforce, transit);
	both_families(&rig, &enforce, transit_judged);
	rig_close(&rig);
}

static void judged_no_more(struct rig *rig)
{
	by_way(rig, true);
	PASS(rig, RULE, DNS, TALK(OUT, 53));
	PASS(rig, REPLY, DNS, TALK(IN, 53));
	rig_policy(rig, &nothing);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 53));
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(IN, 53));
	by_way(rig, false);
	DROP(rig, DEFAULT, OUT, TALK(OUT, 53));
}

/* The answers come to this host's address: only the conversation shows their owner. */
Test(packets_forwarded, masqueraded_talk_goes_on_when_it_is_judged_no_more)
{
	run(&judging, judged_no_more);
}

/* ---------------------------------------------------------------- a port of a bridge */

static const uint8_t guest[6] = {2, 0, 0, 0, 0, 7}, bridge[6] = {2, 0, 0, 0, 0, 0xb},
		     group[6] = {1, 0, 0x5e, 0, 0, 7};

static void port_add(struct rig *rig)
{
	struct fr_port port = {0};

	memcpy(port.bridge, bridge, sizeof(port.bridge));
	device_address("pk0", port.own);
	cr_assert_eq(bpf_map_update_elem(bench_map(rig->bench, "fr_ports"), &rig->ifindex, &port,
					 BPF_ANY),
		     0);
}

static bool port_is_mixed(struct rig *rig)
{
	struct fr_port port;

	cr_assert_eq(bpf_map_lookup_elem(bench_map(rig->bench, "fr_ports"), &rig->ifindex, &port),
		     0);
	return port.mixed;
}

static void bridged(struct rig *rig)
{
	uint8_t own[6];

	device_address("pk0", own);
	port_add(rig);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, .dir = IN, .proto = TCP, .local = 80,
	     .peer = 7, .flags = SYN);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, TALK(IN, 9));
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, ECHO(IN, rig->v6 ? 128 : 8));
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, .dir = IN, .proto = TCP,
	     .flags = SYN | FIN);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, .dir = IN, .proto = 47, .host = 3,
	     .fragment = true, .offset = 9);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, TALK(IN, 9), .tags = 1, .tag = {5});
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 0);
	/* the host's own, and broadcast */
	DROP(rig, DEFAULT, IN, .to = bridge, TALK(IN, 9));
	DROP(rig, DEFAULT, IN, .to = own, TALK(IN, 9));
	DROP(rig, DEFAULT, IN, .to = group, TALK(IN, 9));
	DROP(rig, DEFAULT, OUT, .to = guest, TALK(OUT, 10));
}

/* Frames of the rig come from address 0: neither the bridge's nor the port's. */
static void bridge_changed(struct rig *rig)
{
	port_add(rig);
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, TALK(OUT, 9));
	by_way(rig, false);
	cr_assert_not(port_is_mixed(rig), "a guest has an address of its own");
	PASS(rig, FORWARDED, FR_RULE_OTHER, .to = guest, .dir = IN, .proto = TCP, .local = 80,
	     .flags = SYN);
	DROP(rig, DEFAULT, OUT, TALK(OUT, 10));
	cr_assert(port_is_mixed(rig));
	DROP(rig, DEFAULT, IN, .to = guest, .dir = IN, .proto = TCP, .local = 80, .flags = SYN);
}

static void bridged_judged(struct rig *rig)
{
	port_add(rig);
	DROP(rig, DEFAULT, IN, .to = guest, TALK(IN, 9));
}

Test(packets_forwarded, what_passes_the_port_of_a_bridge_for_others_is_theirs)
{
	static const struct test_policy on = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_BRIDGE_PORTS};
	static const struct test_policy on_audit = {.rules = rules,
						    .count = ARRAY_SIZE(rules),
						    .flags_on = FR_F_BRIDGE_PORTS,
						    .audit = true};
	static const struct test_policy on_judging = {.rules = rules,
						      .count = ARRAY_SIZE(rules),
						      .flags_on = FR_F_BRIDGE_PORTS |
								  FR_F_FORWARD_JUDGE};

	run(&on, bridged);
	run(&on_audit, bridged);
	run(&on, bridge_changed);
	run(&on_judging, bridged_judged);
}

/* ---------------------------------------------------------------- published ports */

static void published(struct rig *rig)
{
	PASS(rig, RULE, SSH, MINE(IN, SYN));
	by_way(rig, true);
	PASS(rig, REPLY, SSH, MINE(OUT, SYN | ACK));
	PASS(rig, RULE, SSH, MINE(IN, ACK));
	PASS(rig, REPLY, SSH, MINE(OUT, ACK));
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .local = 514, .peer = 9);
	PASS(rig, REPLY, SYSLOG, .dir = OUT, .proto = UDP, .local = 514, .peer = 9);
	by_way(rig, false);
	cr_assert_eq(rig_counters(rig, SSH).packets, 4);
	cr_assert_eq(rig_counters(rig, SSH).connections, 1);
	cr_assert_eq(rig_counters(rig, SYSLOG).packets, 2);
}

static void published_refused(struct rig *rig)
{
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 515, .peer = 9);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 23, .peer = 9, .flags = SYN);
	if (!rig->policy.audit)
		return; /* there is no opening to answer */
	by_way(rig, true);
	DROP(rig, DEFAULT, IN, .dir = OUT, .proto = UDP, .local = 515, .peer = 9);
	DROP(rig, DEFAULT, IN, .dir = OUT, .proto = TCP, .local = 23, .peer = 9,
	     .flags = SYN | ACK);
	by_way(rig, false);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 515, .peer = 9);
}

/* A reply is booked on its flow's rule, whichever namespace it comes from. */
Test(packets_forwarded, answers_of_published_ports_are_on_the_account_of_their_rule)
{
	run(&enforce, published);
	run(&audit, published);
}

Test(packets_forwarded, audit_foretells_both_ways_at_a_published_port)
{
	run(&enforce, published_refused);
	run(&audit, published_refused);
}

#define DOOR(direction, set) .dir = direction, .proto = TCP, .local = 23, .peer = 7002, .flags = set

static void published_door(struct rig *rig)
{
	PASS(rig, FORWARDED_REPLY, FR_RULE_OTHER, DOOR(IN, ACK));
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, DOOR(OUT, RST));
	by_way(rig, false);
	DROP(rig, DEFAULT, IN, DOOR(IN, SYN));
	/* of a connection that was called from behind this host, too */
	by_way(rig, true);
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(OUT, SYN));
	by_way(rig, false);
	DROP(rig, DEFAULT, IN, CALL(IN, SYN));
	PASS(rig, FORWARDED, FR_RULE_OTHER, CALL(IN, SYN | ACK));
}

/* lesson: a stray segment left a record of a connection that never was, and the next packets passed
 * by it. */
Test(packets_forwarded, a_stray_segment_opens_no_door_to_a_published_port)
{
	static const struct test_policy on = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARDING_ON};
	static const struct test_policy on_audit = {.rules = rules,
						    .count = ARRAY_SIZE(rules),
						    .flags_on = FR_F_FORWARDING_ON,
						    .audit = true};

	run(&on, published_door);
	run(&on_audit, published_door);
}
