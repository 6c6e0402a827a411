/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP through the programs: the opener is judged, replies follow, and no sender slips in
 * mid-stream. */
#include "packets_sockets.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HTTPS = NTH_RULE(0), SSH = NTH_RULE(1), EPHEMERAL = 40000 };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};
static const struct test_policy adopting = {
	.rules = rules, .count = ARRAY_SIZE(rules), .adopt_until = ~0ull};

#define HTTPS_OUT .dir = OUT, .proto = TCP, .local = EPHEMERAL, .peer = 443, .flags
#define HTTPS_IN .dir = IN, .proto = TCP, .local = EPHEMERAL, .peer = 443, .flags
#define SSH_OUT .dir = OUT, .proto = TCP, .local = 22, .peer = EPHEMERAL, .flags
#define SSH_IN .dir = IN, .proto = TCP, .local = 22, .peer = EPHEMERAL, .flags

static void we_open(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 100);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 1000);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = FIN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = FIN | ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
}

static void they_open(struct rig *rig)
{
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK);
	PASS(rig, RULE, SSH, SSH_IN = ACK);
	PASS(rig, REPLY, SSH, SSH_OUT = ACK, .payload = 100);
	PASS(rig, REPLY, SSH, SSH_OUT = FIN | ACK);
	PASS(rig, RULE, SSH, SSH_IN = FIN | ACK);
}

Test(packets_tcp, replies_are_booked_on_the_rule_of_the_opening)
{
	struct rig rig;

	rig_open(&rig);
	for (int i = 0; i < 2; i++) {
		rig_each(&rig, i ? &audit : &enforce, we_open);
		rig_each(&rig, i ? &audit : &enforce, they_open);
	}
	rig_close(&rig);
}

static void refused(struct rig *rig)
{
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0, "no flow of what is refused");
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = RST);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = RST | ACK);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
}

RIG_TEST(packets_tcp, what_nobody_opened_is_refused, refused, &enforce)

/* Enforcement would refuse the opening; so the whole conversation is reported as would-drop. */
static void would_be_refused(struct rig *rig)
{
	struct fr_flow flow;

	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 23, .peer = 1,
	     .flags = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .proto = TCP, .local = 23,
	     .peer = 1, .flags = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 23, .peer = 1,
	     .flags = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .proto = TCP, .local = 23,
	     .peer = 1, .flags = ACK, .payload = 9);
	cr_assert_eq(rig_counters(rig, FR_RULE_DEFAULT_INGRESS).connections, 1);
	cr_assert_eq(rig_counters(rig, FR_RULE_DEFAULT_INGRESS).would_drops, 4);
	cr_assert_eq(rig_counters(rig, FR_RULE_DEFAULT_INGRESS).drops, 0);
	cr_assert_eq(rig_counters(rig, FR_RULE_DEFAULT_EGRESS).packets, 0);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0, "never among the admitted");
	cr_assert_eq(rig_entries(rig, "pending", NULL, &flow), 1);
	cr_assert(flow.flags & FR_FLOW_WOULD_DROP);
}

RIG_TEST(packets_tcp, audit_reports_both_directions_as_one_would_drop, would_be_refused, &audit)

static void syn_from_responder(struct rig *rig)
{
	we_open(rig);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 1);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 1);
}

RIG_TEST(packets_tcp, a_syn_of_the_responder_is_an_opening_of_its_own, syn_from_responder, &enforce)

/* Audit reports it, and the conversation that it disturbs goes on. */
static void disturbed(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	WOULD_DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	WOULD_DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	cr_assert_eq(rig_counters(rig, FR_RULE_DEFAULT_INGRESS).attempts, 2);
}

RIG_TEST(packets_tcp, a_syn_of_the_responder_that_audit_lets_through_ends_no_flow, disturbed,
	 &audit)

/* Both sides may open on the very same ports; the newer conversation counts. */
static void both_may_open(struct rig *rig)
{
#define PORTS .proto = TCP, .local = 22, .peer = 443, .flags
	PASS(rig, RULE, HTTPS, .dir = OUT, PORTS = SYN);
	PASS(rig, REPLY, HTTPS, .dir = IN, PORTS = SYN | ACK);
	PASS(rig, RULE, HTTPS, .dir = OUT, PORTS = ACK);
	PASS(rig, RULE, HTTPS, .dir = OUT, PORTS = RST);
	PASS(rig, RULE, SSH, .dir = IN, PORTS = SYN);
	PASS(rig, REPLY, SSH, .dir = OUT, PORTS = SYN | ACK);
	PASS(rig, RULE, SSH, .dir = IN, PORTS = ACK);
	PASS(rig, REPLY, SSH, .dir = OUT, PORTS = ACK);
#undef PORTS
}

RIG_TEST(packets_tcp, the_roles_of_two_ports_can_be_exchanged, both_may_open, &enforce)

static void simultaneous(struct rig *rig)
{
	int fd = socket_asking(rig->v6, EPHEMERAL, 443);

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN | ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 1);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	close(fd);
}

static void meets_nobody(struct rig *rig)
{
	bool guest = rig->kind == FR_KIND_GUEST;
	int fd = socket_asking(rig->v6, EPHEMERAL, 443), listener;

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	close(fd);
	listener = socket_at(rig->v6, SOCK_STREAM, true, EPHEMERAL);
	cr_assert_eq(listen(listener, 1), 0);
	if (guest) /* its sockets are unknown */
		PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN);
	else
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	rig_age(rig, "pending", 61);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	close(listener);
	/* the socket of another tuple is not meant */
	fd = socket_asking(rig->v6, EPHEMERAL, 444);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	if (!guest)
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	close(fd);
}

/* The peer has opened, and so do we. */
static void we_meet(struct rig *rig)
{
	int fd;

	if (rig->kind == FR_KIND_GUEST)
		return;
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN);
	fd = socket_asking(rig->v6, 22, EPHEMERAL);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN);
	close(fd);
}

/* The SYN came in by another device; later packets of the peer may, too. */
static void unseen_syn(struct rig *rig)
{
	int listener = socket_at(rig->v6, SOCK_STREAM, true, 22);
	struct fr_flow flow;

	cr_assert_eq(listen(listener, 9), 0);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN | ACK);
	peer_asks(rig, EPHEMERAL, 22);
	if (rig->kind != FR_KIND_INTERFACE) { /* they see both directions, or no sockets */
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN | ACK);
	} else {
		PASS(rig, RULE, SSH, SSH_OUT = SYN | ACK);
		PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK); /* again */
		cr_assert_eq(rig_entries(rig, "pending", NULL, &flow), 1);
		cr_assert(flow.opener == IN && flow.state == FR_FLOW_ANSWERED);
		PASS(rig, REPLY, SSH, SSH_OUT = ACK, .payload = 100);
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, SSH_OUT = SYN);
		PASS(rig, REPLY, SSH, SSH_OUT = FIN | ACK);
		PASS(rig, RULE, SSH, SSH_IN = ACK); /* one comes this way after all */
		cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 1);
		cr_assert_eq(rig_counters(rig, SSH).connections, 1);
	}
	close(listener);
}

/* A SYN that no rule admits is not answered. */
static void unseen_and_refused(struct rig *rig)
{
	int listener = socket_at(rig->v6, SOCK_STREAM, true, 23);

	cr_assert_eq(listen(listener, 9), 0);
	peer_asks(rig, EPHEMERAL, 23);
	if (rig->kind == FR_KIND_INTERFACE)
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .proto = TCP, .local = 23,
		     .peer = EPHEMERAL, .flags = SYN | ACK);
	close(listener);
}

static void each_with_a_silent_peer(const struct test_policy *policy,
				    void (*steps)(struct rig *rig))
{
	struct rig rig;

	rig_open(&rig);
	peer_is_silent();
	rig_each(&rig, policy, steps);
	rig_close(&rig);
}

Test(packets_tcp, simultaneous_open_is_admitted_while_our_syn_is_unanswered)
{
	each_with_a_silent_peer(&enforce, simultaneous);
	each_with_a_silent_peer(&enforce, we_meet);
}

Test(packets_tcp, a_syn_ack_to_a_syn_that_came_another_way_is_of_that_opening)
{
	each_with_a_silent_peer(&enforce, unseen_syn);
	each_with_a_silent_peer(&enforce, unseen_and_refused);
	each_with_a_silent_peer(&audit, unseen_and_refused);
}

Test(packets_tcp, a_syn_meets_an_opening_only_while_its_socket_asks)
{
	each_with_a_silent_peer(&enforce, meets_nobody);
	each_with_a_silent_peer(&audit, meets_nobody);
}

static void no_syn_ack_of_opener(struct rig *rig)
{
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	DROP(rig, STATE, FR_RULE_OTHER, SSH_IN = SYN | ACK);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK);
	DROP(rig, STATE, FR_RULE_OTHER, SSH_IN = SYN | ACK);
	PASS(rig, RULE, SSH, SSH_IN = ACK);
}

RIG_TEST(packets_tcp, a_syn_ack_of_the_opener_is_no_packet_of_its_flow, no_syn_ack_of_opener,
	 &enforce, &audit)

static void reset(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = RST);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK); /* it was on its way */
	cr_assert_eq(rig_counters(rig, HTTPS).attempts, 2);
	rig_age(rig, "established", 11);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
}

RIG_TEST(packets_tcp, after_a_reset_the_port_can_be_used_again, reset, &enforce)

static void reuse(struct rig *rig)
{
	struct fr_flow flow;

	we_open(rig);
	we_open(rig);
	cr_assert_eq(rig_counters(rig, HTTPS).connections, 2);
	cr_assert_eq(rig_entries(rig, "established", NULL, &flow) +
			     rig_entries(rig, "pending", NULL, NULL),
		     1, "the old flow is gone");
	cr_assert_eq(flow.packets[OUT], 4, "the new one counts for itself");
}

RIG_TEST(packets_tcp, a_port_that_is_used_again_is_a_new_connection, reuse, &enforce)

static void idle(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	rig_age(rig, "pending", 59);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	rig_age(rig, "pending", 61);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN | ACK);
	we_open(rig);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	rig_age(rig, "established", 11);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	rig_age(rig, "established", 7100);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	rig_age(rig, "established", 7300);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
}

RIG_TEST(packets_tcp, every_state_ends_after_its_idle_time, idle, &enforce)

/* ---------------------------------------------------------------- adoption */

/* A SYN, a SYN-ACK, even after a mid-stream packet of the peer was let in. */
static void adoption_without_sockets(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return;
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = RST | ACK);
	PASS(rig, ADOPTED, HTTPS, HTTPS_IN = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	DROP(rig, STATE, FR_RULE_OTHER, HTTPS_IN = SYN | ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0,
		     "adopted ones are not promoted");
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST);
	DROP(rig, STATE, FR_RULE_OTHER, HTTPS_IN = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = SYN);
	PASS(rig, ADOPTED, SSH, SSH_IN = ACK);
	PASS(rig, REPLY, SSH, SSH_OUT = ACK);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 2);
	cr_assert_eq(rig_counters(rig, HTTPS).connections, 0, "it was opened before our time");
	/* neither direction allows it */
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 80,
	     .peer = 80, .flags = ACK);
}

static void no_adoption(struct rig *rig)
{
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 0);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
}

Test(packets_tcp, guests_are_adopted_in_the_grace_time_only_and_never_by_a_syn)
{
	rig_run(&adopting, adoption_without_sockets);
	rig_run(&enforce, no_adoption);
}

Test(packets_tcp, cgroups_have_no_grace_time)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_CGROUP;
	rig_start(&rig, &adopting);
	no_adoption(&rig);
	rig_close(&rig);
}

/* Of a device above the attached one, in a namespace of its own: no socket here may take it, and
 * where forwarding is on it passes as a forwarded reply. */
static void siblings(struct rig *rig)
{
	struct test_policy on = adopting;
	uint8_t own[6];
	int listener;

	if (rig->kind != FR_KIND_INTERFACE)
		return;
	listener = socket_at(rig->v6, SOCK_STREAM, true, EPHEMERAL);
	cr_assert_eq(listen(listener, 1), 0);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	close(listener);
	device_address("pk0", own);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .to = own, HTTPS_IN = ACK);
	PASS(rig, ADOPTED, HTTPS, HTTPS_IN = ACK);
	PASS(rig, ADOPTED, SSH, SSH_IN = ACK);
	on.flags_on = FR_F_FORWARDING_ON;
	rig_start(rig, &on);
	PASS(rig, FORWARDED_REPLY, FR_RULE_OTHER, HTTPS_IN = ACK);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
}

Test(packets_tcp, packets_of_a_device_above_are_adopted)
{
	struct rig rig;

	rig_open(&rig);
	addresses_up();
	rig_each(&rig, &adopting, siblings);
	rig_close(&rig);
}

/* ---------------------------------------------------------------- generations */

static const struct test_rule others[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22, .host = 77},
};

static void old_flows_meet_a_new_policy(struct rig *rig)
{
	struct test_policy next = {.rules = others, .count = ARRAY_SIZE(others)};
	struct fr_flow flow;

	we_open(rig);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	next.audit = true;
	rig_policy(rig, &next);
	WOULD_DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, SSH_OUT = SYN | ACK);
	WOULD_DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, HTTPS_IN = ACK);
	next.audit = false;
	rig_policy(rig, &next);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, SSH_OUT = SYN | ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, SSH_IN = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, HTTPS_IN = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, HTTPS_OUT = ACK);
	rig_policy(rig, &enforce);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, &flow), 1);
	cr_assert_eq(flow.flags & FR_FLOW_WOULD_DROP, 0);
}

RIG_TEST(packets_tcp, a_new_policy_judges_old_flows_at_their_next_packet,
	 old_flows_meet_a_new_policy, &enforce)

/* The record of the flow with this port of the peer. */
static struct fr_flow *record_of(struct fr_flow_set *sets, size_t count, uint16_t peer_port)
{
	for (size_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS; way++)
			if (sets[i].set.tag[way] && sets[i].way[way].key.peer_port == peer_port)
				return &sets[i].way[way];
	cr_assert_fail("no flow to port %u", peer_port);
	return NULL;
}

/* As when a packet of an older generation, or of a flow that had the entry before, writes late. */
static void a_cell_needs_its_seal(struct rig *rig)
{
	struct fr_flow *https, *ssh;
	struct fr_flow_set *sets;
	size_t count;

	we_open(rig);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK);
	sets = rig_table(rig, "fr_flows", &count);
	https = record_of(sets, count, 443);
	ssh = record_of(sets, count, EPHEMERAL);
	cr_assert_neq(https->seal, 0, "it remembers");
	https->cell = FR_CELL(FR_DENY, FR_RULE_DEFAULT_EGRESS);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	cr_expect_neq(FR_CELL_ACTION(https->cell), FR_DENY,
		      "it remembers the policy's answer again");
	ssh->cell = https->cell;
	ssh->seal = https->seal;
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK);
	https->opener = FR_INGRESS;
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, HTTPS_IN = ACK);
	rig_table_close(sets, count);
}

RIG_TEST(packets_tcp, what_was_said_of_another_flow_or_opener_is_not_believed,
	 a_cell_needs_its_seal, &enforce)

/* An opening that audit would have refused is no permission when enforcement begins. */
static void audit_then_enforce(struct rig *rig)
{
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 23, .peer = 1,
	     .flags = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .proto = TCP, .local = 23,
	     .peer = 1, .flags = SYN | ACK);
	rig_policy(rig, &enforce);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = TCP, .local = 23, .peer = 1,
	     .flags = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = OUT, .proto = TCP, .local = 23,
	     .peer = 1, .flags = ACK);
}

RIG_TEST(packets_tcp, enforcement_cuts_what_audit_let_through, audit_then_enforce, &audit)

/* ---------------------------------------------------------------- failsafe and staged rules */

static const struct test_rule safe[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_DENY},
	{.dir = OUT, .action = FR_DENY, .proto = TCP, .first = 1024, .last = 65535},
	{.dir = IN, .action = FR_FAILSAFE_ALLOW, .proto = TCP, .first = 22, .host = WIRE_HOST},
};

static void failsafe(struct rig *rig)
{
	enum { SAFE = NTH_RULE(3), DENY_IN = NTH_RULE(1), DENY_OUT = NTH_RULE(2) };

	PASS(rig, FAILSAFE, SAFE, SSH_OUT = ACK, .payload = 10);
	PASS(rig, FAILSAFE, SAFE, SSH_OUT = FIN | ACK);
	PASS(rig, FAILSAFE, SAFE, SSH_OUT = RST);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	DROP(rig, RULE, DENY_OUT, SSH_OUT = SYN);
	DROP(rig, RULE, DENY_OUT, .host = 8, SSH_OUT = ACK);
	DROP(rig, RULE, DENY_IN, .host = 8, SSH_IN = SYN);
	PASS(rig, FAILSAFE, SAFE, SSH_IN = SYN);
	PASS(rig, REPLY, SAFE, SSH_OUT = SYN | ACK);
	PASS(rig, FAILSAFE, SAFE, SSH_IN = ACK);
	PASS(rig, FAILSAFE, SAFE, .dir = IN, .proto = TCP, .local = 22, .peer = 5, .flags = ACK);
}

Test(packets_tcp, failsafe_beats_deny_and_its_replies_need_no_flow)
{
	static const struct test_policy policy = {.rules = safe, .count = ARRAY_SIZE(safe)};

	rig_run(&policy, failsafe);
}

/* A way in that stays open, whatever the tables of the image have become. */
static void damaged(struct rig *rig)
{
	enum { SAFE = NTH_RULE(3) };

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, FAILSAFE, SAFE, SSH_IN = SYN);
	cr_assert_eq(bench_wipe(rig->bench), 0);
	PASS(rig, REPLY, SAFE, SSH_OUT = SYN | ACK);
	PASS(rig, FAILSAFE, SAFE, SSH_IN = ACK);
	PASS(rig, FAILSAFE, SAFE, .dir = IN, .proto = TCP, .local = 22, .peer = 6, .flags = SYN);
	PASS(rig, FAILSAFE, SAFE, .dir = OUT, .proto = TCP, .local = 22, .peer = 7, .flags = ACK);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .host = 8, SSH_IN = SYN);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .dir = IN, .proto = TCP, .local = 23, .peer = 6,
	     .flags = SYN);
}

Test(packets_tcp, failsafe_holds_without_the_tables_of_the_image)
{
	static const struct test_policy policy = {.rules = safe, .count = ARRAY_SIZE(safe)};

	rig_run(&policy, damaged);
}

static const struct test_rule staged_rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = OUT, .action = FR_DENY, .proto = TCP, .first = 443, .host = 8, .staged = true},
};

static void staged(struct rig *rig)
{
	enum { STAGED = NTH_RULE(1) };

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	WOULD_DROP(rig, RULE, STAGED, .host = 8, HTTPS_OUT = SYN);
	WOULD_DROP(rig, RULE, STAGED, .host = 8, HTTPS_IN = SYN | ACK);
	WOULD_DROP(rig, RULE, STAGED, .host = 8, HTTPS_OUT = ACK);
	cr_assert_eq(rig_counters(rig, HTTPS).packets, 4, "what decides is booked");
	cr_assert_eq(rig_counters(rig, HTTPS).attempts, 2);
	cr_assert_eq(rig_counters(rig, HTTPS).would_drops, 0);
	cr_assert_eq(rig_counters(rig, STAGED).packets, 3, "and what would decide");
	cr_assert_eq(rig_counters(rig, STAGED).would_drops, 3);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 1, "it is an admitted flow");
}

Test(packets_tcp, a_staged_deny_lets_pass_and_books_both_rules)
{
	static const struct test_policy policy = {.rules = staged_rules,
						  .count = ARRAY_SIZE(staged_rules)};

	rig_run(&policy, staged);
}

/* ---------------------------------------------------------------- carried */

static int import_program(const struct rig *rig)
{
	int fds[BENCH_LENT_MAX];
	size_t count = bench_lend(rig->bench, fds);

	for (size_t i = 0; i < count; i++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (fds[i] >= 0 && !bpf_obj_get_info_by_fd(fds[i], &info, &size) &&
		    !strcmp(info.name, "fr_import"))
			return fds[i];
	}
	cr_assert_fail("no such program");
	return -1;
}

static void import_again(struct rig *rig, const struct fr_flow *flow)
{
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .data_in = flow, .data_size_in = sizeof(*flow)};

	cr_assert_eq(bpf_prog_test_run_opts(import_program(rig), &run), 0);
	cr_assert_neq(run.retval, FR_IMPORT_REFUSED);
}

/* Once before the flip and once after it: in between the handshake finished on another path. */
static void carried_twice(struct rig *rig)
{
	struct fr_flow flow;

	PASS(rig, RULE, SSH, SSH_IN = SYN);
	cr_assert_eq(rig_entries(rig, "flows", NULL, &flow), 1);
	flow.state = FR_FLOW_ESTABLISHED;
	flow.packets[FR_INGRESS] = flow.packets[FR_EGRESS] = 20;
	import_again(rig, &flow);
	cr_assert_eq(rig_entries(rig, "established", NULL, &flow), 1);
	cr_expect_eq(flow.packets[FR_EGRESS], 20);
	cr_expect_eq(rig_class(rig, FR_CLASS_ESTABLISHED), 1);
	flow.state = FR_FLOW_OPENING;
	import_again(rig, &flow);
	cr_expect_eq(rig_entries(rig, "established", NULL, &flow), 1,
		     "what is older changes nothing");
	rig_age(rig, "flows", 61);
	PASS(rig, REPLY, SSH, SSH_OUT = ACK);
}

RIG_TEST(packets_tcp, a_flow_that_is_carried_twice_is_as_it_was_last, carried_twice, &enforce)
