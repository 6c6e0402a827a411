/* SPDX-License-Identifier: GPL-2.0-only */
/* Counter slots: a rule keeps its own, and never shows the counts of another rule. */
#include "datapath_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "../../user/datapath/slots.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = FR_RULE_FIRST + 2 + 2 };

static int counters_with(uint32_t slot, uint64_t packets)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "t", sizeof(uint32_t),
				sizeof(struct fr_counters), CAPACITY, NULL);
	struct fr_counters *each = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*each));

	cr_assert_geq(fd, 0);
	each[0].packets = packets;
	each[0].last = 77;
	cr_assert_eq(bpf_map_update_elem(fd, &slot, each, BPF_ANY), 0);
	free(each);
	return fd;
}

/* The arena lives as long as the test. */
struct planned {
	struct slot_plan plan;
	struct fr_rule_record *records;
};

static struct planned planned(const char *id, const struct planned *old, int counters)
{
	struct image_spec plan = {
		.policy = "p", .tcp_port = 443, .ids = &id, .id_count = id ? 1 : 0};
	struct records records = {0};
	struct planned out;
	struct fixture fixture;

	if (old) {
		records.list = old->records;
		records.count = old->plan.count;
	}
	fixture_make(&plan, &fixture);
	cr_assert_eq(slots_plan(&fixture.ruleset, old ? &records : NULL, counters, fixture.arena,
				&out.plan),
		     0);
	out.records = arena_alloc(fixture.arena, out.plan.count * sizeof(*out.records));
	for (uint32_t slot = 0; slot < out.plan.count; slot++)
		slot_record(&out.plan, slot, &out.records[slot]);
	return out;
}

Test(datapath_slots, rules_keep_their_slots_and_names_stay_until_needed, .init = need_root)
{
	CLEANUP(close_fd) int counters = counters_with(0, 0);
	struct planned first = planned("a", NULL, counters), second, third;
	uint32_t a = first.plan.slot[FR_RULE_FIRST + 2];

	second = planned(NULL, &first, counters);
	cr_expect_eq(second.plan.slot[FR_RULE_FIRST], first.plan.slot[FR_RULE_FIRST]);
	cr_expect_eq(second.records[a].used, 2, "gone, but its name is kept");
	cr_expect_str_eq(second.records[a].id, "a");
	cr_expect(!second.plan.same);
	third = planned(NULL, &second, counters);
	cr_expect(third.plan.same);
}

Test(datapath_slots, a_slot_that_is_taken_over_reads_nothing, .init = need_root)
{
	struct planned first, second, third;
	CLEANUP(close_fd) int counters = -1;
	struct fr_counters sum;
	uint32_t a, b;

	first = planned("a", NULL, -1);
	a = first.plan.slot[FR_RULE_FIRST + 2];
	counters = counters_with(a, 5);
	second = planned(NULL, &first, counters);
	third = planned("b", &second, counters);
	b = third.plan.slot[FR_RULE_FIRST + 2];
	cr_expect_eq(b, a, "there is no other room");
	cr_assert_eq(counters_sum(counters, b, &sum), 0);
	counters_add(&sum, &third.records[b].base);
	cr_expect_eq(sum.packets, 0);
	cr_expect_eq(third.records[b].base.last, 77, "what came before is not its last packet");
}

Test(datapath_slots, a_slot_in_use_is_never_taken_over, .init = need_root)
{
	struct planned first = planned("a", NULL, -1), second;
	CLEANUP(close_fd) int counters = counters_with(0, 0);

	second = planned("b", &first, counters);
	cr_expect_geq(second.plan.slot[FR_RULE_FIRST + 2], CAPACITY, "the counters have to grow");
}

static struct slot_plan ordered(const char *const ids[3], const struct slot_plan *old, bool allow)
{
	struct image_spec plan = {.policy = "p", .tcp_port = 443, .ids = ids, .id_count = 3};
	struct records records = {0};
	struct fixture *fixture = calloc(1, sizeof(*fixture)); /* the plan refers to it */
	struct slot_plan out;

	fixture_make(&plan, fixture);
	fixture->ruleset.default_allow[FR_EGRESS] = allow;
	if (old) {
		struct fr_rule_record *list =
			arena_alloc(fixture->arena, old->count * sizeof(*list));

		for (uint32_t slot = 0; slot < old->count; slot++)
			slot_record(old, slot, &list[slot]);
		records.list = list;
		records.count = old->count;
	}
	cr_assert_eq(slots_plan(&fixture->ruleset, old ? &records : NULL, -1, fixture->arena, &out),
		     0);
	return out;
}

Test(datapath_slots, rules_keep_their_slots_in_any_order, .init = need_root)
{
	static const char *const ids[] = {"a", "b", "c"}, *const others[] = {"c", "b", "a"};
	struct slot_plan first = ordered(ids, NULL, false), second = ordered(others, &first, false);

	cr_expect(second.same);
	cr_expect_eq(second.count, first.count);
	for (uint32_t slot = 0; slot < first.count; slot++) {
		struct fr_rule_record before, after;

		slot_record(&first, slot, &before);
		slot_record(&second, slot, &after);
		cr_expect(!memcmp(&before, &after, sizeof(before)), "slot %u", slot);
	}
}

Test(datapath_slots, what_a_default_does_is_said_anew, .init = need_root)
{
	static const char *const ids[] = {"a", "b", "c"};
	struct slot_plan first = ordered(ids, NULL, false);

	cr_expect(ordered(ids, &first, false).same);
	cr_expect(!ordered(ids, &first, true).same);
}
