/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policies of the packet fuzzers: tests/fuzz/policies, each in audit and in enforce, compiled
 * once. A test policy's byte: bits 0-2 the policy and mode, 3 the host forwards, 4 guests adopt.
 */
#ifndef FUZZ_SITE_H
#define FUZZ_SITE_H

#include "../../user/compile/compile.h"

enum { TEST_POLICIES = 32, CONNTRACK_SECONDS = 22 };

struct test_policy {
	struct ruleset *ruleset;
	struct image image; /* as compiled, flags and adoption set */
	struct image ready; /* as the loader would install it with rules as slots */
};

/* Aborts when a policy does not compile: it is read from the top of the tree. */
const struct test_policy *test_policy_get(uint8_t number);
/* An image as the loader would install it: rule numbers are slots, a generation of its own, times
 * in jiffies. */
void test_policy_ready(const struct image *from, uint32_t hz, struct image *out);
uint32_t jiffies_hz(void); /* jiffies per second, as the loader finds it */

#endif
