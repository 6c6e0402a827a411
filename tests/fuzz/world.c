/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets, one after the other, through the parser, the flow machine and the whole judge, compiled
 * natively under sanitizers. Compared with the invariants of any packet, with the oracle, and with
 * the same packets read by other ways: the end of the linear part must not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "invariants.h"
#include "parsed.h"
#include "require.h"
#include "sequence.h"

struct outcome {
	int result;
	struct fr_event trace;
};

static const struct test_policy *world_install(uint8_t number)
{
	const struct test_policy *policy = test_policy_get(number);

	native_install(policy->ready.lines, policy->ready.line_count, &policy->ready.failsafe);
	return policy;
}

static const struct test_policy *world_start(uint8_t number)
{
	native_reset((uint64_t)1 << 32);
	return world_install(number);
}

static void check_return(const struct native_packet *packet, const struct outcome *outcome)
{
	bool drop = outcome->trace.verdict == FR_DROP;

	if (packet->kind == FR_KIND_CGROUP)
		require(outcome->result == !drop, "a cgroup's program returns 1 or 0");
	else
		require(outcome->result == (drop ? 2 : -1), "a device's program returns -1 or 2");
}

/* As the input has it, everything checked after each packet. */
static size_t run_given(const uint8_t *data, size_t size, struct outcome *out)
{
	static struct memory before;
	const struct test_policy *policy = world_start(data[0]);
	struct cursor cursor;
	struct step step;
	size_t count = 0;

	questions_forget();
	cursor_open(&cursor, data + 1, size - 1, false);
	while (cursor_next(&cursor, &step)) {
		if (step.what == STEP_TIME)
			native_age((uint64_t)step.seconds * jiffies_hz());
		if (step.what == STEP_POLICY) {
			questions_under_another();
			policy = world_install(step.policy);
		}
		if (step.what != STEP_PACKET)
			continue;
		parsed_check(&step.packet);
		memory_take(&before);
		out[count].result = native_run(&step.packet, &out[count].trace);
		check_return(&step.packet, &out[count]);
		verdict_check(policy, &before, &step.packet, &out[count].trace);
		flows_check();
		count++;
	}
	return count;
}

/* Once more: the same answers. */
static void run_again(const uint8_t *data, size_t size, const struct outcome *first, bool linear)
{
	struct fr_event trace;
	struct cursor cursor;
	struct step step;

	world_start(data[0]);
	cursor_open(&cursor, data + 1, size - 1, false);
	while (cursor_next(&cursor, &step)) {
		if (step.what == STEP_TIME)
			native_age((uint64_t)step.seconds * jiffies_hz());
		if (step.what == STEP_POLICY)
			world_install(step.policy);
		if (step.what != STEP_PACKET)
			continue;
		if (linear)
			step.packet.linear = step.packet.size;
		require(native_run(&step.packet, &trace) == first->result,
			"a packet is judged the same, whichever way it is read");
		require(!memcmp(&trace, &first->trace, sizeof(trace)),
			"a packet is reported the same, whichever way it is read");
		first++;
	}
}

/* ---------------------------------------------------------------- figures */

enum { FIGURES_FLOWS = 64, FIGURES_SLOTS = 64 };

struct figures {
	struct fr_flow flows[FIGURES_FLOWS];
	struct fr_counters counters[FIGURES_SLOTS];
	struct fr_reason_counters reasons[FR_REASON_ENTRIES];
};

/* Flows, rules and reasons, as they are now. */
static void figures_collect(struct figures *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FIGURES_FLOWS && native_flow(i, &f->flows[i]); i++)
		;
	for (uint32_t i = 0; i < FIGURES_SLOTS; i++)
		f->counters[i] = *(const struct fr_counters *)native_value("fr_counters", &i);
	for (uint32_t i = 0; i < FR_REASON_ENTRIES; i++)
		f->reasons[i] = *(const struct fr_reason_counters *)native_value("fr_reasons", &i);
}

void packets_try(const uint8_t *data, size_t size)
{
	static struct outcome outcomes[PACKETS_MAX];
	static struct figures by_shortcuts, in_full;

	if (!size)
		return;
	run_given(data, size, outcomes);
	run_again(data, size, outcomes, true);
	run_again(data, size, outcomes, false);
	figures_collect(&by_shortcuts);
	native_shortcuts(false);
	run_again(data, size, outcomes, false);
	figures_collect(&in_full);
	native_shortcuts(true);
	require(!memcmp(&by_shortcuts, &in_full, sizeof(in_full)),
		"shortcuts change no flow and no figure");
}
