// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of the flow tables: what comes in and goes, evictions that the kernel does not tell,
 * and what a guest is granted after one.
 */
#include "packets_rig.h"

#include <bpf/bpf.h>
#include <time.h>
#include <unistd.h>

enum { HTTPS = LAW(0), SSH = LAW(1), DNS = LAW(2), PING = LAW(3), EMBRYOS = 16384 };

static const struct law laws[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
};
static const struct site enforce = {.laws = laws, .count = ARRAY_SIZE(laws)};
static const struct site audit = {.laws = laws, .count = ARRAY_SIZE(laws), .audit = true};

#define HTTPS_OUT .dir = OUT, .proto = TCP, .local = 40000, .peer = 443, .flags
#define HTTPS_IN .dir = IN, .proto = TCP, .local = 40000, .peer = 443, .flags

static struct fr_room room_of(const struct rig *rig, uint32_t table)
{
	struct fr_room room;

	cr_assert_eq(bpf_map_lookup_elem(bench_map(rig->bench, "fr_room"), &table, &room), 0);
	return room;
}

static void room_set(const struct rig *rig, uint32_t table, struct fr_room room)
{
	cr_assert_eq(
		bpf_map_update_elem(bench_map(rig->bench, "fr_room"), &table, &room, BPF_ANY), 0);
}

#define EXPECT_ROOM(rig, flows, talks, embryos, pings)                                             \
	do {                                                                                       \
		cr_assert_eq(room_of(rig, FR_TABLE_FLOWS).entries, flows);                         \
		cr_assert_eq(room_of(rig, FR_TABLE_TALKS).entries, talks);                         \
		cr_assert_eq(room_of(rig, FR_TABLE_EMBRYOS).entries, embryos);                     \
		cr_assert_eq(room_of(rig, FR_TABLE_PINGS).entries, pings);                         \
	} while (0)

static void connect_out(struct rig *rig)
{
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = SYN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = ACK);
}

static void comings_and_goings(struct rig *rig)
{
	EXPECT_ROOM(rig, 0, 0, 0, 0);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = SYN);
	EXPECT_ROOM(rig, 0, 0, 1, 0);
	connect_out(rig);
	EXPECT_ROOM(rig, 1, 0, 0, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = RST | ACK);
	EXPECT_ROOM(rig, 0, 0, 0, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK); /* it was not the peer's */
	EXPECT_ROOM(rig, 1, 0, 0, 0);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = FIN | ACK);
	PASS(rig, RULE, HTTPS, HTTPS_OUT = FIN | ACK);
	PASS(rig, REPLY, HTTPS, HTTPS_IN = ACK);
	EXPECT_ROOM(rig, 0, 0, 0, 0);
	connect_out(rig); /* on the same ports */
	EXPECT_ROOM(rig, 1, 0, 0, 0);
	rig_age(rig, "fr_flows", 7300);
	connect_out(rig); /* in place of one that was forgotten */
	EXPECT_ROOM(rig, 1, 0, 0, 0);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53);
	EXPECT_ROOM(rig, 1, 0, 1, 0);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, RULE, PING, .dir = OUT, .proto = ICMP, .type = rig->v6 ? 128 : 8, .id = 1);
	PASS(rig, REPLY, PING, .dir = IN, .proto = ICMP, .type = rig->v6 ? 129 : 0, .id = 1);
	EXPECT_ROOM(rig, 1, 1, 0, 1);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 80, .flags = SYN);
	EXPECT_ROOM(rig, 1, 1, rig->site.audit, 1);
	for (uint32_t table = 0; table < FR_TABLES; table++)
		cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + table), 0);
}

Test(packets_room, the_account_follows_what_comes_and_goes)
{
	struct rig rig;

	rig_open(&rig);
	rig_each(&rig, &enforce, comings_and_goings);
	rig_each(&rig, &audit, comings_and_goings);
	rig_close(&rig);
}

/* Lesson: peers lose live connections to a full table and nothing tells it. What is tallied was
 * evicted; what was evicted is tallied but for the batches in which the kernel takes entries. */
static void overfill(struct rig *rig)
{
	enum { OPENINGS = 18000, BATCH = 128 };
	struct wire w = {.v6 = rig->v6, .dir = OUT, .proto = TCP, .peer = 443, .flags = SYN};
	struct expected expected = {FR_PASS, FR_REASON_RULE, HTTPS, __FILE__, __LINE__};
	uint64_t evicted, told;

	for (uint32_t port = 1; port <= OPENINGS; port++) {
		w.local = port;
		rig_step(rig, &w, &expected);
		if (port == EMBRYOS)
			cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_TABLE_EMBRYOS), 0);
	}
	evicted = OPENINGS - rig_entries(rig, "fr_embryos", NULL, NULL);
	told = rig_tally(rig, FR_TALLY_EVICTED + FR_TABLE_EMBRYOS);
	cr_assert_eq(told, OPENINGS - EMBRYOS);
	cr_assert_leq(told, evicted);
	cr_assert_leq(evicted - told, BATCH * (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
	cr_assert_eq(room_of(rig, FR_TABLE_EMBRYOS).entries, EMBRYOS);
	cr_assert_neq(room_of(rig, FR_TABLE_EMBRYOS).evicted, 0);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + FR_TABLE_FLOWS), 0);
}

Test(packets_room, evictions_are_tallied, .timeout = 120)
{
	struct rig rig;

	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &enforce);
	overfill(&rig);
	rig_close(&rig);
}

/* ---------------------------------------------------------------- guests */

/* As if the table were full to the last entry. */
static void fill(const struct rig *rig, uint32_t table)
{
	static const uint32_t sizes[FR_TABLES] = {65536, 32768, 16384, 4096};

	room_set(rig, table, (struct fr_room){.entries = sizes[table]});
}

static void let_time_pass(const struct rig *rig, uint32_t table, uint64_t seconds)
{
	struct fr_room room = room_of(rig, table);
	struct timespec tick;

	cr_assert_eq(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
	room.evicted -= seconds * (1000000000u / (uint64_t)tick.tv_nsec);
	room_set(rig, table, room);
}

/* Lesson: an evicted connection of a guest was cut although the policy allows it. */
static void adopted_again(struct rig *rig, uint32_t table)
{
#define LOST .dir = IN, .proto = TCP, .local = 22, .peer = 5, .host = 8, .flags = ACK
#define LOST_TOO .dir = IN, .proto = TCP, .local = 22, .peer = 6, .host = 8, .flags = ACK
	bool guest = rig->kind == FR_KIND_GUEST;
	struct site denied = {.laws = laws, .count = 1};

	rig_policy(rig, &denied);
	DROP(rig, DEFAULT, IN, LOST);
	rig_policy(rig, &enforce);
	if (guest)
		PASS(rig, RULE, SSH, LOST); /* a rule admits it, and no flow comes of it */
	cr_assert_eq(rig_tally(rig, FR_TALLY_FLOWS_ADOPTED), 0);
	cr_assert_eq(rig_entries(rig, "fr_flows", NULL, NULL), 0);
	fill(rig, table);
	connect_out(rig);
	cr_assert_eq(rig_tally(rig, FR_TALLY_EVICTED + table), 1);
	if (!guest)
		return;
	PASS(rig, ADOPTED, SSH, LOST);
	PASS(rig, REPLY, SSH, .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .host = 8,
	     .flags = ACK);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 23, .peer = 5, .flags = ACK);
	let_time_pass(rig, table, 299);
	PASS(rig, ADOPTED, SSH, LOST_TOO);
	rig_age(rig, "fr_embryos", 7300);
	let_time_pass(rig, table, 301); /* adopting may evict as well */
	PASS(rig, RULE, SSH, LOST);
	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = TCP, .local = 22, .peer = 5, .host = 8,
	     .flags = ACK);
#undef LOST
#undef LOST_TOO
}

static void adopted_again_after_flows(struct rig *rig)
{
	adopted_again(rig, FR_TABLE_FLOWS);
}

/* Where adopted flows are, and what a flood of openings turns over. */
static void adopted_again_after_embryos(struct rig *rig)
{
	adopted_again(rig, FR_TABLE_EMBRYOS);
}

Test(packets_room, guests_are_adopted_again_for_a_while_after_a_tcp_flow_was_evicted)
{
	struct rig rig;

	rig_open(&rig);
	rig_each(&rig, &enforce, adopted_again_after_flows);
	rig_each(&rig, &enforce, adopted_again_after_embryos);
	rig_close(&rig);
}
