/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attacker's or a scan's packets beside the conversations that are under way: floods into every
 * table of flows, and the ways around adoption.
 */
#include "packets_sockets.h"

#include "../thin.h"

#include <bpf/bpf.h>

enum { HTTPS = NTH_RULE(0), DNS = NTH_RULE(1), PING = NTH_RULE(2), SSH = NTH_RULE(3) };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};
static const struct test_policy adopting = {
	.rules = rules, .count = ARRAY_SIZE(rules), .adopt_until = ~0ull};

#define HTTPS_OUT .dir = OUT, .proto = TCP, .local = 40000, .peer = 443, .flags
#define HTTPS_IN .dir = IN, .proto = TCP, .local = 40000, .peer = 443, .flags
#define DNS_OUT .dir = OUT, .proto = UDP, .local = 40000, .peer = 53
#define DNS_IN .dir = IN, .proto = UDP, .local = 40000, .peer = 53

static void under_way(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, RULE, DNS, DNS_OUT);
	PASS(rig, REPLY, DNS, DNS_IN);
}

static void go_on(struct rig *rig)
{
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 1);
	cr_assert_eq(rig_entries(rig, "two-way", NULL, NULL), 1);
	for (uint32_t class = FR_CLASS_SUSTAINED; class < FR_CLASSES_COUNT; class ++)
		cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + class), 0);
	PASS(rig, REPLY, DNS, DNS_IN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
}

/* `count` packets like this one, each on ports (or with an identifier) of its own. */
static void flood(struct rig *rig, struct wire w, uint32_t count, struct expected expected)
{
	bool theirs = w.local;

	w.v6 = rig->v6;
	for (uint32_t n = 1000; n < 1000 + count; n++) {
		w.id = n;
		*(theirs ? &w.peer : &w.local) = n;
		rig_step(rig, &w, &expected);
	}
}

#define FLOOD(rig, times, verdict, why, number, ...)                                               \
	flood(rig, (struct wire){__VA_ARGS__}, times,                                              \
	      (struct expected){verdict, FR_REASON_##why, number, __FILE__, __LINE__})

/* Lesson: a scan that fills the table of connections turns replies into new, refused flows. */
static void floods(struct rig *rig)
{
	under_way(rig);
	for (uint8_t host = 20; host < 23; host++)
		FLOOD(rig, 60000, FR_PASS, RULE, SSH, .dir = IN, .proto = TCP, .local = 22,
		      .host = host, .flags = SYN);
	FLOOD(rig, 17000, FR_PASS, RULE, DNS, .dir = OUT, .proto = UDP, .peer = 53, .host = 8);
	FLOOD(rig, 5000, FR_PASS, RULE, PING, .dir = OUT, .proto = ICMP, .type = 8);
	FLOOD(rig, 17000, FR_DROP, DEFAULT, IN, .dir = IN, .proto = UDP, .peer = 9, .host = 8);
	go_on(rig);
	cr_assert_gt(rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_UNPROVEN), 0);
}

Test(packets_flood, a_flood_into_any_table_evicts_no_transfer, .timeout = 300)
{
	struct rig rig;

	rig_open(&rig);
	for (int i = 0; i < 2; i++) {
		rig_start(&rig, i ? &audit : &enforce);
		floods(&rig);
	}
	rig_close(&rig);
}

/* Lesson: mid-stream packets that are accepted without a check fill tables, and are a way in. */
static void blind_acks(struct rig *rig)
{
	bool adopted = rig->kind == FR_KIND_GUEST;
	uint8_t own[6];

	device_address("pk0", own);
	under_way(rig);
	if (adopted)
		FLOOD(rig, 20000, FR_PASS, ADOPTED, HTTPS, .dir = IN, .proto = TCP, .peer = 443,
		      .host = 8, .flags = ACK);
	else
		FLOOD(rig, 20000, FR_DROP, DEFAULT, IN, .dir = IN, .proto = TCP, .peer = 443,
		      .host = 8, .flags = ACK, .to = own);
	cr_assert(adopted || !rig_entries(rig, "pending", NULL, NULL));
	FLOOD(rig, 300, FR_DROP, DEFAULT, IN, .dir = IN, .proto = TCP, .peer = 443, .host = 8,
	      .flags = SYN);
	go_on(rig);
}

Test(packets_flood, blind_acks_evict_nothing_and_open_no_way_for_a_syn, .timeout = 120)
{
	struct rig rig;

	rig_open(&rig);
	for (rig.kind = 0; rig.kind < FR_KINDS; rig.kind++) {
		rig_start(&rig, &adopting);
		blind_acks(&rig);
	}
	rig_close(&rig);
}

/* From sixteen peers, each on 62,500 ports: every one of them is a conversation of its own. */
static void million_acks(struct rig *rig)
{
	const struct expected adopted = {FR_PASS, FR_REASON_ADOPTED, SSH, __FILE__, __LINE__};
	struct wire w = {.dir = IN, .proto = TCP, .local = 22, .flags = ACK};

	for (w.host = 8; w.host < 8 + thin(16); w.host++) {
		for (uint32_t port = 1000; port < 63500; port++) {
			w.peer = port;
			rig_step(rig, &w, &adopted);
		}
	}
}

/* Lesson: any sender can fill a table that accepts packets mid-stream; the transfers that were
 * under way are then the strays. */
Test(packets_flood, a_million_acks_evict_no_conversation, .timeout = 300)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_GUEST;
	rig_start(&rig, &adopting);
	under_way(&rig);
	million_acks(&rig);
	cr_assert_eq(rig_tally(&rig, FR_TALLY_EVICTED + FR_CLASS_UNPROVEN) +
			     rig_class(&rig, FR_CLASS_UNPROVEN),
		     thin(1000000), "exactly");
	go_on(&rig);
	rig_close(&rig);
}

/* Each SYN from a source of its own, every fourth to a refused port, beside a transfer. */
static void million_syns(struct rig *rig, uint32_t count)
{
	const struct expected allowed = {FR_PASS, FR_REASON_RULE, SSH, __FILE__, __LINE__};
	const struct expected refused = {FR_DROP, FR_REASON_DEFAULT, IN, __FILE__, __LINE__};
	uint8_t source[4] = {100};
	struct wire syn = {.dir = IN, .proto = TCP, .peer = 7, .flags = SYN, .peer_addr = source};

	for (uint32_t n = 0; n < count; n++) {
		source[1] = n >> 16;
		source[2] = n >> 8;
		source[3] = n;
		syn.local = n % 4 ? 22 : 23;
		rig_step(rig, &syn, n % 4 ? &allowed : &refused);
		if (n % 1024)
			continue;
		PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 1000);
		PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	}
}

/* Lesson: a flood of SYNs pushes transfers out of the table, and their packets are refused. */
Test(packets_flood, millions_of_syns_refuse_no_packet_of_a_transfer, .timeout = 600)
{
	const uint32_t count = thin(4000000);
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	under_way(&rig);
	million_syns(&rig, count);
	cr_assert_eq(rig_reason(&rig, IN, FR_REASON_DEFAULT).packets[FR_DROP], count / 4);
	cr_assert_eq(rig_tally(&rig, FR_TALLY_EVICTED + FR_CLASS_UNPROVEN) +
			     rig_class(&rig, FR_CLASS_UNPROVEN),
		     count / 4 * 3, "exactly");
	go_on(&rig);
	rig_close(&rig);
}

/* Datagrams of an allowed peer port, where no socket is connected to it, again and again. */
static void blind_datagrams(struct rig *rig)
{
	for (int i = 0; i < 3; i++) {
		DROP(rig, DEFAULT, IN, DNS_IN);
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 22, .peer = 53);
	}
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 0);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
}

RIG_TEST(packets_flood, datagrams_are_not_adopted_without_a_socket, blind_datagrams, &adopting)

/* An adopted flow ends with a SYN that may open, and is a whole connection then. */
static void syn_after_adoption(struct rig *rig)
{
#define SSH_IN .dir = IN, .proto = TCP, .local = 22, .peer = 5, .flags
#define SSH_OUT .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .flags
	struct fr_flow flow;

	if (rig->kind != FR_KIND_GUEST)
		return;
	PASS(rig, ADOPTED, SSH, SSH_IN = ACK);
	DROP(rig, DEFAULT, OUT, SSH_OUT = SYN);
	PASS(rig, RULE, SSH, SSH_IN = ACK);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	rig_entries(rig, "pending", NULL, &flow);
	cr_assert(flow.state == FR_FLOW_OPENING && flow.reason == FR_REASON_RULE);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK);
	PASS(rig, RULE, SSH, SSH_IN = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, &flow), 1);
	cr_assert_eq(flow.state, FR_FLOW_ESTABLISHED);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	cr_assert_eq(rig_counters(rig, SSH).connections, 1);
#undef SSH_IN
#undef SSH_OUT
}

RIG_TEST(packets_flood, a_syn_that_may_open_makes_a_connection_of_what_was_adopted,
	 syn_after_adoption, &adopting)

/* ---------------------------------------------------------------- fragments */

static void fragments_end(struct rig *rig)
{
#define PART .proto = UDP, .fragment = true, .fragment_id = 7, .payload = 64
	int fd = bench_map(rig->bench, "fr_fragments");
	struct fr_fragment_key key;
	struct fr_fragment value;

	if (rig->kind == FR_KIND_CGROUP)
		return;
	PASS(rig, RULE, DNS, .dir = OUT, .local = 7, .peer = 53, .more = true, PART);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .offset = 9, PART);
	cr_assert_eq(bpf_map_get_next_key(fd, NULL, &key), 0);
	cr_assert_eq(bpf_map_lookup_elem(fd, &key, &value), 0);
	value.until = 1;
	cr_assert_eq(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .offset = 9, PART);
#undef PART
}

RIG_TEST(packets_flood, later_fragments_follow_their_first_for_a_while_only, fragments_end,
	 &enforce)
