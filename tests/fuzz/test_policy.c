/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies for the packet fuzzers: see test_policy.h. */
#include "test_policy.h"

#include "../judges.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLICIES = 3, RANDOM_SEED = 20, RANDOM_RULES = 40 };

uint32_t jiffies_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_nsec <= 0)
		abort();
	return (uint32_t)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

/* The seed decides. Time-outs are never a multiple of STEP_UNIT. */
static struct ruleset *policy_random(void)
{
	struct ruleset *rs = judge_policy(arena_new(), RANDOM_SEED, RANDOM_RULES);

	rs->flags = FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_ICMP_ERROR;
	for (int i = 0; i < FR_TIMEOUTS; i++)
		rs->timeout[i] = 61;
	return rs;
}

static struct ruleset *ruleset_get(uint8_t number)
{
	static const char *const files[POLICIES] = {"tests/fuzz/policies/lab.yaml",
						    "tests/fuzz/policies/open.yaml",
						    "tests/fuzz/policies/shut.yaml"};
	static const struct policy_options options = {.tables_dir = "policies/tables"};
	struct diags d = {0};
	struct ruleset *rs = NULL;

	if (number == POLICIES)
		return policy_random();
	d.arena = arena_new();
	if (policy_load(files[number], &options, &d, &rs)) {
		fprintf(stderr, "%s: %s\n", files[number], d.count ? d.list[0].message : "?");
		abort();
	}
	return rs;
}

static struct fr_image_conf *conf_of(const struct image *image)
{
	return (void *)((char *)image->lines + FR_LINE_BYTES);
}

static struct fr_image_ident *ident_of(const struct image *image)
{
	return (void *)((char *)image->lines + 2 * FR_LINE_BYTES);
}

void test_policy_ready(const struct image *from, uint32_t hz, struct image *out)
{
	static uint32_t generations;
	size_t size = (size_t)from->line_count * FR_LINE_BYTES;
	struct fr_image_head *head;
	uint32_t *slots;

	*out = *from;
	out->lines = malloc(size);
	if (!out->lines)
		abort();
	memcpy(out->lines, from->lines, size);
	head = out->lines;
	head->generation = ++generations;
	slots = (void *)((char *)out->lines + (size_t)head->slots * FR_LINE_BYTES);
	for (uint32_t rule = 0; rule < out->rule_count; rule++)
		slots[rule] = FR_SLOT_WORD(rule, FR_SLOT_ANSWERS(slots[rule]));
	for (int i = 0; i < FR_TIMEOUTS; i++)
		conf_of(out)->timeout[i] *= hz;
	ident_of(out)->conntrack = CONNTRACK_SECONDS * hz;
}

/* The subnets of this host, in the image and for the oracle. */
static void subnets_set(struct ruleset *rs, struct image *image)
{
	static const char *const texts[] = {"10.0.0.0/16", "fd00::/32"};
	struct fr_subnet *subnets = (struct fr_subnet *)image_subnets(image);
	struct prefix *list = arena_alloc(rs->arena, ARRAY_SIZE(texts) * sizeof(*list));

	for (size_t i = 0; subnets && i < ARRAY_SIZE(texts); i++) {
		if (prefix_parse(texts[i], &list[i]))
			abort();
		memcpy(subnets[i].address, list[i].addr.b, sizeof(subnets[i].address));
		memset(subnets[i].mask, 0xff, list[i].length / 8);
	}
	rs->local = (struct subnets){list, ARRAY_SIZE(texts)};
}

static void test_policy_make(uint8_t number, struct test_policy *out)
{
	struct diags d = {0};

	out->ruleset = ruleset_get(number & 3);
	out->ruleset->enforce = !(number & 4);
	d.arena = out->ruleset->arena;
	if (image_compile(out->ruleset, &d, &out->image))
		abort();
	subnets_set(out->ruleset, &out->image);
	if (number & 8)
		((struct fr_image_head *)out->image.lines)->flags |= FR_F_FORWARDING_ON;
	if (number & 16)
		conf_of(&out->image)->adopt_until = UINT64_MAX / 2;
	test_policy_ready(&out->image, jiffies_hz(), &out->ready);
}

const struct test_policy *test_policy_get(uint8_t number)
{
	static struct test_policy policies[TEST_POLICIES];
	struct test_policy *policy = &policies[number % TEST_POLICIES];

	if (!policy->ruleset)
		test_policy_make(number % TEST_POLICIES, policy);
	return policy;
}
