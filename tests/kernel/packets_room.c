/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Room in the table of flows: the eviction class of a flow through its life, evictions, exact
 * counts of flows, and the packets that a guest may send after an eviction.
 */
#include "packets_rig.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	HTTPS = NTH_RULE(0),
	SSH = NTH_RULE(1),
	DNS = NTH_RULE(2),
	PING = NTH_RULE(3),
	NTP = NTH_RULE(4)
};

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 123},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};

#define HTTPS_OUT .dir = OUT, .proto = TCP, .local = 40000, .peer = 443, .flags
#define HTTPS_IN .dir = IN, .proto = TCP, .local = 40000, .peer = 443, .flags
#define SSH_IN .dir = IN, .proto = TCP, .local = 22, .peer = 5, .flags
#define SSH_OUT .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .flags
#define NTP_IN .dir = IN, .proto = UDP, .local = 123, .peer = 5
#define NTP_OUT .dir = OUT, .proto = UDP, .local = 123, .peer = 5

#define EXPECT_CLASSES(rig, ended, unproven, sustained, own, established)                          \
	do {                                                                                       \
		cr_assert_eq(rig_class(rig, FR_CLASS_ENDED), ended);                               \
		cr_assert_eq(rig_class(rig, FR_CLASS_UNPROVEN), unproven);                         \
		cr_assert_eq(rig_class(rig, FR_CLASS_SUSTAINED), sustained);                       \
		cr_assert_eq(rig_class(rig, FR_CLASS_OWN), own);                                   \
		cr_assert_eq(rig_class(rig, FR_CLASS_ESTABLISHED), established);                   \
	} while (0)

static void connect_out(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
}

static void our_connection(struct rig *rig)
{
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 0);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	EXPECT_CLASSES(rig, 0, 0, 0, 1, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST | ACK); /* it may be forged */
	EXPECT_CLASSES(rig, 0, 0, 0, 1, 0);
	connect_out(rig);
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST | ACK);
	EXPECT_CLASSES(rig, 0, 0, 0, 1, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK); /* it was not the peer's */
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = FIN | ACK);
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = FIN | ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	EXPECT_CLASSES(rig, 1, 0, 0, 0, 0);
	connect_out(rig); /* on the same ports */
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
	rig_age(rig, "flows", 7300);
	connect_out(rig); /* in place of a forgotten one */
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
}

static void their_connection(struct rig *rig)
{
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	EXPECT_CLASSES(rig, 0, 1, 0, 0, 0);
	PASS(rig, REPLY, SSH, SSH_OUT = SYN | ACK, .seq = 1000);
	EXPECT_CLASSES(rig, 0, 1, 0, 0, 0);
	PASS(rig, RULE, SSH, SSH_IN = ACK, .ack = 7); /* has not seen the answer */
	EXPECT_CLASSES(rig, 0, 1, 0, 0, 0);
	PASS(rig, RULE, SSH, SSH_IN = ACK, .ack = 1001);
	EXPECT_CLASSES(rig, 0, 0, 0, 0, 1);
}

static void datagrams(struct rig *rig)
{
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, RULE, PING, .dir = OUT, .proto = ICMP, .type = rig->v6 ? 128 : 8, .id = 1);
	PASS(rig, REPLY, PING, .dir = IN, .proto = ICMP, .type = rig->v6 ? 129 : 0, .id = 1);
	EXPECT_CLASSES(rig, 0, 0, 0, 2, 0);
	PASS(rig, RULE, NTP, NTP_IN);
	PASS(rig, RULE, NTP, NTP_IN); /* no answer yet */
	EXPECT_CLASSES(rig, 0, 1, 0, 2, 0);
	PASS(rig, REPLY, NTP, NTP_OUT);
	EXPECT_CLASSES(rig, 0, 1, 0, 2, 0);
	PASS(rig, RULE, NTP, NTP_IN);
	EXPECT_CLASSES(rig, 0, 0, 1, 2, 0);
}

static void refused(struct rig *rig)
{
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 80, .flags = SYN);
	EXPECT_CLASSES(rig, 0, rig->policy.audit, 0, 0, 0);
}

RIG_TEST(packets_room, what_this_side_opened_is_worth_more_from_the_start, our_connection, &enforce,
	 &audit)

RIG_TEST(packets_room, flows_of_others_count_once_they_hear_us, their_connection, &enforce, &audit)

RIG_TEST(packets_room, datagrams_of_others_count_when_they_go_on_after_an_answer, datagrams,
	 &enforce, &audit)

RIG_TEST(packets_room, what_is_refused_has_no_flow_but_in_audit, refused, &enforce, &audit)

/* ---------------------------------------------------------------- eviction */

/* `count` openings like `w`, each from another port of another host. */
static void openings(struct rig *rig, struct wire w, uint32_t first, uint32_t count, uint32_t rule)
{
	struct expected expected = {FR_PASS, FR_REASON_RULE, rule, __FILE__, __LINE__};
	bool ours = w.dir == OUT;

	w.v6 = rig->v6;
	for (uint32_t n = first; n < first + count; n++) {
		w.host = (uint8_t)(10 + n / 60000);
		*(ours ? &w.local : &w.peer) = (uint16_t)(1 + n % 60000);
		rig_step(rig, &w, &expected);
	}
}

static uint64_t all_of(const struct rig *rig, uint32_t first)
{
	uint64_t sum = 0;

	for (uint32_t class = 0; class < FR_CLASSES_COUNT; class ++)
		sum += rig_tally(rig, first + class);
	return sum;
}

/* Lesson: peers silently lose live connections to a full table. */
static void overfill(struct rig *rig)
{
	enum { OPENINGS = 160000 }; /* of a table of 131,072 entries */
	struct wire w = {.dir = OUT, .proto = TCP, .peer = 443, .flags = SYN};
	uint64_t evicted;

	openings(rig, w, 0, OPENINGS, HTTPS);
	evicted = all_of(rig, FR_TALLY_EVICTED);
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_OPENED), OPENINGS);
	cr_assert_eq(rig_entries(rig, "flows", NULL, NULL), OPENINGS - evicted, "exactly");
	cr_assert_geq(evicted, OPENINGS - 131072);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_OWN), evicted);
	cr_assert_eq(all_of(rig, FR_TALLY_NO_ROOM), 0);
}

Test(packets_room, evictions_are_counted_exactly, .timeout = 300)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	overfill(&rig);
	rig_close(&rig);
}

/* A flood from outside of allowed packets, more than there is room for. */
static void besieged(struct rig *rig)
{
	const struct wire ours = {.dir = OUT, .proto = TCP, .peer = 443, .flags = SYN};
	const struct wire syn = {.dir = IN, .proto = TCP, .local = 22, .flags = SYN};
	const struct wire datagram = {.dir = IN, .proto = UDP, .local = 123};

	connect_out(rig);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53);
	openings(rig, ours, 0, 30000, HTTPS);
	openings(rig, syn, 60000, 120000, SSH);
	openings(rig, datagram, 200000, 60000, NTP);
	cr_assert_eq(rig_class(rig, FR_CLASS_OWN), 30001);
	cr_assert_eq(rig_class(rig, FR_CLASS_ESTABLISHED), 1);
	cr_assert_eq(all_of(rig, FR_TALLY_EVICTED),
		     rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_UNPROVEN));
	cr_assert_gt(all_of(rig, FR_TALLY_EVICTED), 0);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	openings(rig, ours, 30000, 30000, HTTPS); /* and finds room all the same */
	cr_assert_eq(rig_class(rig, FR_CLASS_OWN), 60001);
	cr_assert_eq(all_of(rig, FR_TALLY_NO_ROOM), 0);
}

Test(packets_room, strangers_make_room_only_among_themselves, .timeout = 300)
{
	struct rig rig;

	rig_open(&rig);
	for (rig.kind = 0; rig.kind < FR_KINDS; rig.kind++) {
		rig_start(&rig, &enforce);
		besieged(&rig);
	}
	rig_close(&rig);
}

/* Every free way gets a flow of the class. */
static void fill_table(const struct rig *rig, uint32_t class, uint32_t idle_seconds)
{
	size_t count;
	struct fr_flow_set *sets = rig_table(rig, "fr_flows", &count);

	for (size_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS; way++) {
			if (sets[i].set.tag[way])
				continue;
			sets[i].set.tag[way] = (uint16_t)(1 + way * 8191);
			sets[i].way[way] = (struct fr_flow){
				.key = {.proto = TCP, .scope = FR_SCOPE(FR_KIND_CGROUP, 12345)},
				.state = FR_FLOW_ESTABLISHED,
				.last = rig_jiffies()};
			sets[i].set.info[way] =
				FR_INFO(class, (uint32_t)((rig_jiffies() + rig_ticks(7200)) >>
							  FR_TICK_SHIFT));
		}
	rig_table_close(sets, count);
	rig_age(rig, "established", idle_seconds);
}

/* Established ones that have long been idle are evicted when another flow needs the place. */
static void full(struct rig *rig)
{
	fill_table(rig, FR_CLASS_ESTABLISHED, 0);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	cr_assert_eq(rig_tally(rig, FR_TALLY_NO_ROOM + FR_CLASS_OWN), 1);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	cr_assert_eq(rig_tally(rig, FR_TALLY_NO_ROOM + FR_CLASS_UNPROVEN), 1);
	cr_assert_eq(all_of(rig, FR_TALLY_EVICTED), 0);
	rig_age(rig, "established", 1300); /* twenty times the time of an opening, and more */
	connect_out(rig);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_ESTABLISHED), 2);
	cr_assert_eq(all_of(rig, FR_TALLY_EVICTED), 2);
}

Test(packets_room, a_full_table_counts_what_finds_no_room_and_idle_flows_go, .timeout = 120)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	full(&rig);
	rig_close(&rig);
}

/* A stranger waits, and this side makes room among its own. */
static void full_of_ours(struct rig *rig)
{
	fill_table(rig, FR_CLASS_OWN, 0);
	PASS(rig, RULE, SSH, SSH_IN = SYN);
	PASS(rig, RULE, NTP, .dir = IN, .proto = UDP, .local = 123, .peer = 5);
	cr_assert_eq(rig_tally(rig, FR_TALLY_NO_ROOM + FR_CLASS_UNPROVEN), 2);
	cr_assert_eq(all_of(rig, FR_TALLY_EVICTED), 0);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_OWN), 1);
	cr_assert_eq(all_of(rig, FR_TALLY_EVICTED), 1);
}

Test(packets_room, strangers_take_no_place_of_what_this_side_opened)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	full_of_ours(&rig);
	rig_close(&rig);
}

/* ---------------------------------------------------------------- guests */

static void let_time_pass(const struct rig *rig, uint32_t seconds)
{
	int fd = bench_map(rig->bench, "fr_times");
	uint32_t zero = 0;
	uint64_t lost;

	cr_assert_eq(bpf_map_lookup_elem(fd, &zero, &lost), 0);
	lost -= rig_ticks(seconds);
	cr_assert_eq(bpf_map_update_elem(fd, &zero, &lost, BPF_ANY), 0);
}

/* Lesson: an evicted connection of a guest was cut although the policy allows it. */
static void adopted_again(struct rig *rig)
{
#define LOST .dir = IN, .proto = TCP, .local = 22, .peer = 5, .host = 8, .flags = ACK
#define LOST_TOO .dir = IN, .proto = TCP, .local = 22, .peer = 6, .host = 8, .flags = ACK
	bool guest = rig->kind == FR_KIND_GUEST;
	struct test_policy denied = {.rules = rules, .count = 1};

	rig_policy(rig, &denied);
	DROP(rig, DEFAULT, IN, LOST);
	rig_policy(rig, &enforce);
	if (guest)
		PASS(rig, RULE, SSH, LOST); /* a rule admits it, and it makes no flow */
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 0);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0);
	fill_table(rig, FR_CLASS_ESTABLISHED, 1300);
	connect_out(rig);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_CLASS_ESTABLISHED), 1);
	if (!guest)
		return;
	PASS(rig, ADOPTED, SSH, LOST);
	PASS(rig, REPLY, SSH, .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .host = 8,
	     .flags = ACK);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 23, .peer = 5, .flags = ACK);
	let_time_pass(rig, 299);
	PASS(rig, ADOPTED, SSH, LOST_TOO);
	rig_age(rig, "flows", 7300);
	let_time_pass(rig, 301); /* adopting may evict as well */
	PASS(rig, RULE, SSH, LOST);
	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .host = 8,
	     .flags = ACK);
#undef LOST
#undef LOST_TOO
}

RIG_TEST(packets_room, guests_are_adopted_again_after_an_eviction, adopted_again, &enforce)

/* ---------------------------------------------------------------- two processors */

static void open_all(struct rig *rig, uint32_t count)
{
	struct wire w = {.v6 = rig->v6, .dir = IN, .proto = UDP, .local = 123};
	struct frame frame;

	for (uint32_t n = 0; n < count; n++) {
		struct bench_run run = {.kind = rig->kind, .dir = IN, .ifindex = rig->ifindex};

		w.host = (uint8_t)(10 + n / 60000);
		w.peer = (uint16_t)(1 + n % 60000);
		wire_make(&w, &frame);
		run.data = frame.data;
		run.size = frame.size;
		if (bench_run(rig->bench, &run))
			_exit(1);
	}
}

static int add_packets(const void *entry, void *context)
{
	const struct fr_flow *flow = entry;

	*(uint64_t *)context += flow->packets[IN] + flow->packets[OUT];
	return 0;
}

/* Each opens the same flows, in the same order, at the same time. */
static void both_open(struct rig *rig, uint32_t count)
{
	uint64_t packets = 0;
	int status = -1;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	open_all(rig, count);
	if (!child)
		_exit(0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(sets_each(bench_map(rig->bench, "fr_flows"), add_packets, &packets), 0);
	cr_assert_eq(packets, 2 * (uint64_t)count,
		     "no packet is missing: %lu of %u flows, %lu booked, %lu opened",
		     (unsigned long)packets, count, (unsigned long)rig_counters(rig, NTP).packets,
		     (unsigned long)rig_tally(rig, FR_TALLY_FLOWS_OPENED));
	cr_assert_eq(rig_entries(rig, "flows", NULL, NULL), count, "and no flow is there twice");
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_OPENED), count);
	cr_assert_eq(rig_counters(rig, NTP).attempts, count);
	cr_assert_eq(rig_counters(rig, NTP).packets, 2 * (uint64_t)count);
}

Test(packets_room, what_two_processors_open_at_once_is_one_flow, .timeout = 120)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	for (int i = 0; i < 5; i++) {
		rig_start(&rig, &enforce);
		both_open(&rig, 4000);
	}
	rig_close(&rig);
}

/* ---------------------------------------------------------------- the secret is out */

/* As bpf/sets.h has it. */
static uint64_t hash_step(const struct fr_secret *secret, uint64_t hash, uint64_t word, int i)
{
	hash = (hash ^ word ^ secret->word[2 * i]) * (secret->word[2 * i + 1] | 1);
	return hash ^ hash >> 32;
}

static uint32_t first_set(const struct fr_secret *secret, const struct fr_flow_key *key,
			  uint32_t regions)
{
	uint64_t hash = key->scope;
	uint32_t local, peer;

	memcpy(&local, key->local + 12, sizeof(local));
	memcpy(&peer, key->peer + 12, sizeof(peer));
	hash = hash_step(secret, hash, local | (uint64_t)peer << 32, 0);
	hash = hash_step(secret, hash,
			 key->local_port | (uint64_t)key->peer_port << 16 |
				 (uint64_t)key->vlan << 32 | (uint64_t)key->proto << 48 |
				 (uint64_t)key->pad << 56,
			 5);
	hash = hash_step(secret, hash, 0, 6);
	return (uint32_t)((hash >> 32) * regions >> 32) * FR_REGION_SETS +
	       (uint32_t)(hash >> 26) % FR_REGION_SETS;
}

static size_t unproven_of(const struct fr_flow_set *set)
{
	size_t count = 0;

	for (uint32_t way = 0; way < FR_WAYS; way++)
		count +=
			set->set.tag[way] && FR_INFO_CLASS(set->set.info[way]) == FR_CLASS_UNPROVEN;
	return count;
}

/* A flood of tuples that were chosen for the set of a flow of ours. */
static void chosen(struct rig *rig)
{
	struct expected expected = {FR_PASS, FR_REASON_RULE, NTP, __FILE__, __LINE__};
	struct wire w = {.dir = IN, .proto = UDP, .local = 123};
	struct fr_flow_set *sets;
	struct fr_secret secret;
	struct fr_flow_key key;
	uint32_t zero = 0, target, sent = 0;
	size_t count;

	cr_assert_eq(bpf_map_lookup_elem(bench_map(rig->bench, "fr_hashing"), &zero, &secret), 0);
	sets = rig_table(rig, "fr_flows", &count);
	PASS(rig, RULE, NTP, NTP_IN);
	cr_assert_eq(rig_entries(rig, "flows", &key, NULL), 1);
	target = first_set(&secret, &key, (uint32_t)count / FR_REGION_SETS);
	cr_assert_eq(unproven_of(&sets[target]), 1, "the test knows where it is");
	for (w.host = 10; w.host < 60; w.host++)
		for (uint32_t port = 1; port < 65536; port++) {
			key.peer[15] = w.host;
			key.peer_port = (uint16_t)port;
			if (first_set(&secret, &key, (uint32_t)count / FR_REGION_SETS) != target)
				continue;
			w.peer = (uint16_t)port;
			rig_step(rig, &w, &expected);
			sent++;
		}
	cr_assert_gt(sent, 50);
	cr_assert_eq(unproven_of(&sets[target]), 4, "four ways, and no more");
	rig_table_close(sets, count);
}

Test(packets_room, who_knows_the_secret_takes_four_ways_of_a_set, .timeout = 120)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	chosen(&rig);
	rig_close(&rig);
}
