/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invariants of every verdict and of every flow, for any packets: checked after each packet that a
 * native world has judged. Aborts on a violation.
 */
#ifndef FUZZ_INVARIANTS_H
#define FUZZ_INVARIANTS_H

#include "native.h"
#include "test_policy.h"

enum { REMEMBERED_MAX = 256 };

/* The flows as they were before a packet. */
struct memory {
	struct fr_flow list[REMEMBERED_MAX];
	size_t count;
};

void memory_take(struct memory *memory);
/* Before a sequence, and when another policy comes into force: for the questions that packets are.
 */
void questions_forget(void);
void questions_under_another(void);
/* `result` and `trace` are the output of native_run() for the packet. */
void verdict_check(const struct test_policy *policy, const struct memory *before,
		   const struct native_packet *packet, const struct fr_event *trace);
void flows_check(void);

#endif
