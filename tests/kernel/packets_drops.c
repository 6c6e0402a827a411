/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of refused packets in a flood: a budget of new sources, exact sums, and heavy senders
 * are listed all the same.
 */
#include "packets_rig.h"

#include "../thin.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <string.h>

static const struct test_policy nothing = {.rules = NULL, .count = 0};
static const struct test_policy nothing_audit = {.audit = true};

/* One refused datagram of a source. */
static void refuse(struct rig *rig, uint32_t source)
{
	static const struct expected expected = {FR_DROP, FR_REASON_DEFAULT,
						 FR_RULE_DEFAULT_INGRESS, __FILE__, __LINE__};
	uint8_t address[16] = {0x20, 1, 0x0d, 0xb8, 0, 7};
	struct wire w = {.v6 = rig->v6, .dir = IN, .proto = UDP, .local = 9, .peer = 1000};
	uint8_t v4[4] = {100, (uint8_t)(source >> 16), (uint8_t)(source >> 8), (uint8_t)source};

	memcpy(address + 12, v4, sizeof(v4));
	w.peer_addr = rig->v6 ? address : v4;
	rig_step(rig, &w, &expected);
}

static int add_drop(const void *entry, void *context)
{
	const struct fr_drop *drop = entry;

	*(uint64_t *)context += drop->packets;
	return 0;
}

static uint64_t listed(const struct rig *rig)
{
	uint64_t packets = 0;

	cr_assert_eq(sets_each(bench_map(rig->bench, "fr_drops"), add_drop, &packets), 0);
	return packets;
}

/* Even with entries replaced or never made, the sums agree to the packet. */
static void sums(struct rig *rig)
{
	const uint32_t sources = thin(100000);
	struct fr_counters all;

	for (uint32_t source = 0; source < sources; source++)
		refuse(rig, source * 2654435761u >> 8);
	all = rig_counters(rig, FR_RULE_DEFAULT_INGRESS);
	cr_assert_eq(all.drops + all.would_drops, sources);
	cr_assert_eq(listed(rig) + all.unlisted, sources, "%lu listed, %lu not",
		     (unsigned long)listed(rig), (unsigned long)all.unlisted);
	cr_assert_gt(all.unlisted, 0);
}

Test(packets_drops, what_is_listed_and_what_is_not_is_all_that_was_refused, .timeout = 300)
{
	struct rig rig;

	rig_open(&rig);
	for (rig.kind = 0; rig.kind < FR_KINDS; rig.kind++) {
		rig_start(&rig, rig.kind == FR_KIND_GUEST ? &nothing_audit : &nothing);
		sums(&rig);
	}
	rig_close(&rig);
}

/* Each window lists no more new sources than its budget allows, and occasionally one beyond it. On
 * one processor, which has one budget. */
static void over_budget(struct rig *rig)
{
	enum { SOURCES = 8000, BUDGET = 500, WINDOW = 256 /* jiffies */, SAMPLES = 64 };
	uint64_t begin = rig_jiffies(), windows;

	for (uint32_t source = 0; source < SOURCES; source++)
		refuse(rig, source);
	windows = (rig_jiffies() + rig_ticks(1) - begin) / WINDOW + 2;
	cr_assert_leq(rig_entries(rig, "drops", NULL, NULL),
		      windows * BUDGET + SOURCES / SAMPLES * 2);
}

Test(packets_drops, new_sources_are_listed_under_a_budget)
{
	struct rig rig;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	rig_open(&rig);
	rig.kind = FR_KIND_INTERFACE;
	rig_start(&rig, &nothing);
	over_budget(&rig);
	rig_close(&rig);
}

/* ---------------------------------------------------------------- heavy hitters */

enum { KNOWN = 10, OF_THEM = 100 /* one packet in so many is of them */ };

struct hitters {
	size_t count;
	uint64_t packets;
};

static int find_hitter(const void *entry, void *context)
{
	const struct fr_drop *drop = entry;
	struct hitters *hitters = context;

	if (drop->key.peer[12] != 100 || drop->key.peer[13] != 255)
		return 0;
	hitters->count++;
	hitters->packets += drop->packets;
	return 0;
}

/* False where the machine did not run the test for so long that silent sources lost their place. */
static bool flood(struct rig *rig, uint32_t packets)
{
	enum { SILENT = 2500 / 2 /* jiffies; half of what costs a place */ };
	uint64_t last = rig_jiffies();

	for (uint32_t n = 0; n < packets; n++) {
		if (n % OF_THEM)
			refuse(rig, (n * 2654435761u >> 8) % (255u << 16));
		else
			refuse(rig, 255u << 16 | n / OF_THEM % KNOWN);
		if (n % (OF_THEM * KNOWN))
			continue;
		if (rig_jiffies() - last > SILENT)
			return false;
		last = rig_jiffies();
	}
	return true;
}

static void flood_open(struct rig *rig)
{
	rig_open(rig);
	rig->kind = FR_KIND_INTERFACE;
	rig_start(rig, &nothing);
}

static void hidden(struct rig *rig)
{
	const uint32_t packets = 2000000; /* with fewer, the share missed at first is larger */
	struct hitters hitters = {0};

	while (!flood(rig, packets)) {
		rig_close(rig);
		flood_open(rig);
	}
	cr_assert_eq(sets_each(bench_map(rig->bench, "fr_drops"), find_hitter, &hitters), 0);
	cr_assert_eq(hitters.count, KNOWN);
	cr_assert_geq(hitters.packets * 100, packets / OF_THEM * 95ull, "%lu of %u",
		      (unsigned long)hitters.packets, packets / OF_THEM);
}

/* Lesson: the sender behind a flood of forged sources is the one to find. */
Test(packets_drops, ten_sources_are_found_among_millions, .timeout = 600)
{
	struct rig rig;

	flood_open(&rig);
	hidden(&rig);
	rig_close(&rig);
}
