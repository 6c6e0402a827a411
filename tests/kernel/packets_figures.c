/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of packets: counters, reasons, tallies, flow records, refused aggregates, events. */
#include "packets_rig.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

enum { HTTPS = NTH_RULE(0), DNS = NTH_RULE(1), PING = NTH_RULE(2) };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};

#define HTTPS_OUT .dir = OUT, .proto = TCP, .local = 40000, .peer = 443, .flags
#define HTTPS_IN .dir = IN, .proto = TCP, .local = 40000, .peer = 443, .flags
#define REFUSED_IN(from) .dir = IN, .proto = TCP, .local = 23, .peer = from, .flags = SYN

static void expect_counters(struct rig *rig, uint32_t rule, struct fr_counters expected)
{
	struct fr_counters seen = rig_counters(rig, rule);

	cr_assert(seen.packets == expected.packets && seen.bytes == expected.bytes &&
			  seen.attempts == expected.attempts &&
			  seen.connections == expected.connections &&
			  seen.drops == expected.drops && seen.would_drops == expected.would_drops,
		  "rule %u: %llu packets, %llu bytes, %llu attempts, %llu connections, %llu drops, "
		  "%llu would-drops",
		  rule, seen.packets, seen.bytes, seen.attempts, seen.connections, seen.drops,
		  seen.would_drops);
	cr_assert_eq(!seen.last, !seen.packets);
}

static void transfer(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 100);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 1000);
	for (uint16_t from = 1; from <= 3; from++)
		DROP(rig, DEFAULT, IN, REFUSED_IN(from));
}

static void exact(struct rig *rig)
{
	uint64_t tcp = rig->v6 ? 60 : 40;
	struct fr_reason_counters reason;

	transfer(rig);
	expect_counters(
		rig, HTTPS,
		(struct fr_counters){
			.packets = 4, .bytes = 4 * tcp + 1100, .attempts = 1, .connections = 1});
	if (rig->policy.audit)
		expect_counters(
			rig, IN,
			(struct fr_counters){
				.packets = 3, .bytes = 3 * tcp, .attempts = 3, .would_drops = 3});
	else
		expect_counters(rig, IN,
				(struct fr_counters){.packets = 3, .bytes = 3 * tcp, .drops = 3});
	expect_counters(rig, OUT, (struct fr_counters){0});
	reason = rig_reason(rig, IN, FR_REASON_REPLY);
	cr_assert_eq(reason.packets[FR_PASS], 2);
	cr_assert_eq(reason.bytes[FR_PASS], 2 * tcp + 1000);
	reason = rig_reason(rig, OUT, FR_REASON_RULE);
	cr_assert_eq(reason.packets[FR_PASS], 2);
	reason = rig_reason(rig, IN, FR_REASON_DEFAULT);
	cr_assert_eq(reason.packets[rig->policy.audit ? FR_WOULD_DROP : FR_DROP], 3);
	cr_assert_eq(reason.packets[FR_PASS], 0);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_OPENED), rig->policy.audit ? 4 : 1);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 0);
	for (uint32_t i = FR_TALLY_EVICTED; i < FR_TALLY_COUNT; i++)
		cr_assert_eq(rig_tally(rig, i), 0);
}

RIG_TEST(packets_figures, counters_and_reasons_are_exact, exact, &enforce, &audit)

static void expect_connections(struct rig *rig, uint32_t rule, uint64_t attempts,
			       uint64_t connections)
{
	struct fr_counters seen = rig_counters(rig, rule);

	cr_assert(seen.attempts == attempts && seen.connections == connections,
		  "rule %u: %llu attempts, %llu connections", rule, seen.attempts,
		  seen.connections);
}

static void attempts_answered(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	expect_connections(rig, HTTPS, 1, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST | ACK);
	expect_connections(rig, HTTPS, 1, 0);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	expect_connections(rig, HTTPS, 2, 1);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK, .seq = 77); /* changes the flow */
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 9);
	expect_connections(rig, HTTPS, 2, 1);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	expect_connections(rig, HTTPS, 3, 1);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	expect_connections(rig, HTTPS, 3, 2);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 40000, .peer = 53);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 40000, .peer = 53);
	expect_connections(rig, DNS, 1, 0);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 40000, .peer = 53);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 40000, .peer = 53);
	expect_connections(rig, DNS, 1, 1);
}

RIG_TEST(packets_figures, a_connection_counts_when_it_is_answered, attempts_answered, &enforce,
	 &audit)

/* One skb of several packets on the wire counts as those. */
static void segmented(struct rig *rig)
{
	struct fr_flow flow;

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	rig->segments = 7;
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 500);
	DROP(rig, DEFAULT, IN, REFUSED_IN(1));
	rig->segments = 0;
	cr_assert_eq(rig_counters(rig, HTTPS).packets, 8);
	cr_assert_eq(rig_counters(rig, IN).drops, 7);
	rig_entries(rig, "pending", NULL, &flow);
	cr_assert_eq(flow.packets[OUT], 8);
}

RIG_TEST(packets_figures, segments_count_as_packets, segmented, &enforce)

static void content(struct rig *rig)
{
	struct wire w = {.v6 = rig->v6, .dir = OUT};
	uint64_t tcp = rig->v6 ? 60 : 40;
	uint8_t address[16] = {[10] = 0xff, 0xff};
	struct fr_flow_key key;
	struct fr_flow flow;

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	cr_assert_eq(rig_entries(rig, "pending", &key, &flow), 1);
	cr_assert_eq(flow.state, FR_FLOW_OPENING);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	rig_entries(rig, "pending", NULL, &flow);
	cr_assert_eq(flow.state, FR_FLOW_ANSWERED);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 50);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0, "promoted");
	cr_assert_eq(rig_entries(rig, "established", &key, &flow), 1);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK, .payload = 10);
	rig_entries(rig, "established", &key, &flow);
	cr_assert(flow.state == FR_FLOW_ESTABLISHED && flow.opener == OUT && flow.slot == HTTPS &&
		  flow.reason == FR_REASON_RULE && flow.opener_again);
	cr_assert_eq(flow.packets[OUT], 2);
	cr_assert_eq(flow.packets[IN], 2);
	cr_assert_eq(flow.bytes[OUT], 2 * tcp + 50);
	cr_assert_eq(flow.bytes[IN], 2 * tcp + 10);
	cr_assert((uint32_t)flow.last - flow.first < 1u << 16);
	cr_assert(key.local_port == 40000 && key.peer_port == 443 && key.proto == TCP &&
		  !key.vlan && !key.pad);
	cr_assert_eq(key.scope, FR_SCOPE((uint32_t)rig->kind, rig->devices[0]));
	wire_address(&w, false, address + (rig->v6 ? 0 : 12));
	cr_assert_arr_eq(key.peer, address, sizeof(address));
}

RIG_TEST(packets_figures, a_flow_record_tells_its_conversation, content, &enforce)

static void aggregated(struct rig *rig)
{
	struct fr_drop denied;
	struct fr_flow_key key;

	for (uint16_t from = 1000; from < 1050; from++)
		DROP(rig, DEFAULT, IN, REFUSED_IN(from));
	cr_assert_eq(rig_entries(rig, "drops", &key, &denied), 1);
	cr_assert(key.peer_port == 0 && key.local_port == 23, "over the opener's ports");
	cr_assert(denied.packets == 50 && denied.opener_port == 1049 && denied.slot == IN &&
		  denied.dir == IN && denied.reason == FR_REASON_DEFAULT);
	cr_assert_eq(denied.bytes, 50 * (rig->v6 ? 60 : 40));
	cr_assert_eq(denied.verdict, rig->policy.audit ? FR_WOULD_DROP : FR_DROP);
	for (uint16_t from = 1000; from < 1050; from++)
		DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = UDP, .local = from, .peer = 123);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 2);
	for (uint16_t id = 0; id < 50; id++)
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = ICMP, .type = rig->v6 ? 128 : 8,
		     .id = id);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 3, "over identifiers");
	DROP(rig, DEFAULT, IN, REFUSED_IN(9), .host = 8);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 4, "not over peers");
}

RIG_TEST(packets_figures, refusals_are_aggregated_over_the_port_of_the_opener, aggregated, &enforce,
	 &audit)

/* A scan takes no room from transfers. */
/* More answered questions than the two-way datagrams have room for. */
static void answered(struct rig *rig)
{
	struct wire out = {.v6 = rig->v6, .dir = OUT, .proto = UDP, .peer = 53}, in = out;
	struct expected asked = {FR_PASS, FR_REASON_RULE, DNS, __FILE__, __LINE__};
	struct expected reply = {FR_PASS, FR_REASON_REPLY, DNS, __FILE__, __LINE__};

	in.dir = IN;
	for (uint32_t port = 1; port < 50000; port++) {
		in.local = out.local = port;
		rig_step(rig, &out, &asked);
		rig_step(rig, &in, &reply);
	}
}

static void scanned(struct rig *rig)
{
	struct wire w = {.v6 = rig->v6, .dir = OUT, .proto = TCP, .peer = 443, .flags = SYN};
	struct expected expected = {FR_PASS, FR_REASON_RULE, HTTPS, __FILE__, __LINE__};

	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
	if (rig->kind != FR_KIND_INTERFACE)
		return;
	for (uint32_t port = 0; port < 40000; port++) { /* of a table that has room for 65,536 */
		w.local = port;
		rig_step(rig, &w, &expected);
	}
	answered(rig);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 1);
}

Test(packets_figures, a_flood_of_openings_evicts_no_transfer, .timeout = 600)
{
	rig_run(&enforce, scanned);
}

/* ---------------------------------------------------------------- events */

struct events_read {
	struct fr_event last;
	uint32_t count;
};

static int on_event(void *context, void *data, size_t size)
{
	struct events_read *read = context;

	cr_assert_eq(size, sizeof(struct fr_event));
	memcpy(&read->last, data, size);
	read->count++;
	return 0;
}

static struct events_read events(struct rig *rig)
{
	struct events_read read = {0};
	struct ring_buffer *ring =
		ring_buffer__new(bench_map(rig->bench, "fr_events"), on_event, &read, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	return read;
}

static void lease(struct rig *rig, bool refusals, bool openings)
{
	struct fr_control control = {0};
	uint32_t zero = 0;

	if (refusals)
		control.refusals_until = ~0ull;
	if (openings)
		control.openings_until = ~0ull;
	cr_assert_eq(
		bpf_map_update_elem(bench_map(rig->bench, "fr_control"), &zero, &control, BPF_ANY),
		0);
}

/* End every pause between two events. */
static void pauses_end(struct rig *rig)
{
	size_t count;
	struct fr_drop_set *sets = rig_table(rig, "fr_drops", &count);

	for (size_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS; way++)
			sets[i].way[way].event_next = 0;
	rig_table_close(sets, count);
}

static void nobody_listens(struct rig *rig)
{
	lease(rig, false, false);
	transfer(rig);
	cr_assert_eq(events(rig).count, 0);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVENTS_HELD), 0);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVENTS_LOST), 0);
}

RIG_TEST(packets_figures, without_a_reader_there_are_no_events, nobody_listens, &enforce)

static void refusals(struct rig *rig)
{
	struct events_read read;

	lease(rig, true, false);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	cr_assert_eq(events(rig).count, 0, "an opening is no refusal");
	for (uint16_t from = 1; from <= 5; from++)
		DROP(rig, DEFAULT, IN, REFUSED_IN(from));
	read = events(rig);
	cr_assert_eq(read.count, 1, "one for a peer and port");
	cr_assert(read.last.version == FR_ABI_VERSION && read.last.type == FR_EVENT_REFUSED &&
		  read.last.reason == FR_REASON_DEFAULT && read.last.dir == IN &&
		  read.last.kind == rig->kind && read.last.tcp_flags == SYN);
	cr_assert_eq(read.last.verdict, rig->policy.audit ? FR_WOULD_DROP : FR_DROP);
	cr_assert(read.last.key.local_port == 23 && read.last.key.peer_port == 1 &&
		  read.last.key.proto == TCP && read.last.slot == IN && read.last.held == 0);
	cr_assert_eq(read.last.ifindex, rig->devices[0]);
	cr_assert_eq(read.last.length, rig->v6 ? 60 : 40);
	cr_assert_eq(read.last.generation, rig->seen.generation);
	cr_assert(read.last.time);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVENTS_HELD), 4);
	DROP(rig, DEFAULT, IN, REFUSED_IN(1), .host = 8);
	cr_assert_eq(events(rig).count, 1, "another peer");
	pauses_end(rig);
	DROP(rig, DEFAULT, IN, REFUSED_IN(6));
	read = events(rig);
	cr_assert(read.count == 1 && read.last.held == 4, "%u events, %u held", read.count,
		  read.last.held);
	pauses_end(rig);
	DROP(rig, DEFAULT, IN, REFUSED_IN(7));
	cr_assert_eq(events(rig).last.held, 0, "told once");
}

RIG_TEST(packets_figures, refusals_are_told_once_in_a_while_with_the_number_held_back, refusals,
	 &enforce, &audit)

static void scopes(struct rig *rig)
{
	if (rig->kind != FR_KIND_GUEST)
		return;
	lease(rig, true, false);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 2; i++) {
			rig->ifindex = rig->devices[i];
			DROP(rig, DEFAULT, IN, REFUSED_IN(1));
			cr_assert_eq(events(rig).count, round ? 0 : 1, "guest %d", i);
		}
	rig->ifindex = rig->devices[0];
}

RIG_TEST(packets_figures, refusals_of_one_guest_hold_back_none_of_another, scopes, &enforce)

static void openings(struct rig *rig)
{
	struct events_read read;

	lease(rig, false, true);
	transfer(rig);
	read = events(rig);
	cr_assert_eq(read.count, 1, "refusals are another lease, replies no openings");
	cr_assert(read.last.type == FR_EVENT_OPENED && read.last.verdict == FR_PASS &&
		  read.last.reason == FR_REASON_RULE && read.last.slot == HTTPS &&
		  read.last.key.peer_port == 443);
}

RIG_TEST(packets_figures, openings_are_told_to_those_who_ask, openings, &enforce)

/* The reader has ended before its lease. */
static void nobody_reads(struct rig *rig)
{
	enum { OPENINGS = 4000 }; /* the ring has room for some 2,000 */
	struct events_read read;
	uint64_t lost;

	lease(rig, false, true);
	for (uint16_t from = 1; from <= OPENINGS; from++)
		PASS(rig, RULE, HTTPS, .dir = OUT, .proto = TCP, .local = from, .peer = 443,
		     .flags = SYN);
	lost = rig_tally(rig, FR_TALLY_EVENTS_LOST);
	read = events(rig);
	cr_assert_gt(lost, 0);
	cr_assert_eq(read.count + lost, OPENINGS);
	PASS(rig, RULE, HTTPS, .dir = OUT, .proto = TCP, .local = 5000, .peer = 443, .flags = SYN);
	cr_assert_eq(events(rig).count, 1, "there is room again");
}

RIG_TEST(packets_figures, a_full_ring_costs_events_and_no_verdict, nobody_reads, &enforce)

/* ---------------------------------------------------------------- big packets */

static void big(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK, .payload = 1400);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK, .payload = 3000);
	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = UDP, .peer = 99, .payload = 3500);
	cr_assert_eq(rig_counters(rig, HTTPS).bytes, 3 * (rig->v6 ? 60 : 40) + 4400);
}

RIG_TEST(packets_figures, packets_over_the_mtu_are_counted_whole, big, &enforce)
