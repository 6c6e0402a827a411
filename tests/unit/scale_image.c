/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The size of images of big policies. Memory only: scripts/bench-scale measures their time, since a
 * test that depends on speed fails for the wrong reasons.
 */
#include "../../user/base/sha256.h"
#include "../judges.h"
#include "compile_fixture.h"

static double megabytes(const struct image *image)
{
	return image->line_count * (double)FR_LINE_BYTES / 1e6;
}

static struct rule *add_tcp(struct build *b, uint16_t first, uint16_t last)
{
	struct rule *rule = build_add(b, "rule", FR_EGRESS, FR_ALLOW);

	rule->services = arena_alloc(b->rs.arena, sizeof(*rule->services));
	*rule->services = (struct service){.proto = PROTO_TCP, .first = first, .last = last};
	rule->service_count = 1;
	rule->peers = arena_alloc(b->rs.arena, sizeof(*rule->peers));
	rule->peer_count = 1;
	return rule;
}

static uint32_t tuples_compared;

static int compare(const struct tuple *tuple, void *context)
{
	void **pair = context;
	struct decision wanted, got;

	ruleset_decide(pair[0], tuple, &wanted);
	image_decide(pair[1], tuple, &got);
	cr_assert_eq(wanted.verdict, got.verdict);
	cr_assert_eq(wanted.rule, got.rule);
	tuples_compared++;
	return 0;
}

/* Right as well as small: an image that forgets most of its rules is small, too. */
static void assert_same(struct build *b, struct image *image, size_t tuples)
{
	void *pair[] = {&b->rs, image};

	tuples_compared = 0;
	boundary_tuples(&b->rs, 3, tuples, compare, pair);
	cr_assert_geq(tuples_compared, tuples / 2);
}

/* lesson: ten thousand rules that had nothing in common took gigabytes in rule sets that multiply
 * addresses by ports. */
Test(scale_image, ten_thousand_rules_with_ranges_stay_below_16_MB, .timeout = 120)
{
	struct build b = build_new();
	struct judge_random random = {10000};
	struct image image;

	for (uint32_t i = 0; i < 10000; i++) {
		uint16_t one = judge_next(&random), other = judge_next(&random);
		uint16_t least = one < other ? one : other;
		uint16_t most = one < other ? other : one;
		struct rule *rule = add_tcp(&b, least, most);

		*rule->peers = (struct prefix){addr_from_v4(judge_next(&random)), 128};
	}
	image = build_image(&b);
	cr_assert_leq(megabytes(&image), 16.0, "%.1f MB", megabytes(&image));
	cr_assert_geq(image.stats.address_classes[FR_EGRESS], 9990);
	assert_same(&b, &image, 300);
	image_free(&image);
	build_free(&b);
}

Test(scale_image, a_hundred_thousand_rules_stay_below_51_MB, .timeout = 120)
{
	static const uint16_t ports[] = {22, 53, 80, 443, 1433, 2049, 3260, 8443};
	struct build b = build_new();
	struct judge_random random = {100000};
	struct image image;

	for (uint32_t i = 0; i < 100000; i++) {
		uint16_t port = ports[judge_below(&random, ARRAY_SIZE(ports))];
		struct rule *rule = add_tcp(&b, port, port);
		uint32_t length = 16 + judge_below(&random, 17);
		uint32_t address = (1u << 24) + judge_next(&random) % (99u << 24);

		*rule->peers =
			(struct prefix){addr_from_v4(address & ~0u << (32 - length)), 96 + length};
	}
	image = build_image(&b);
	cr_assert_leq(megabytes(&image), 51.0, "%.1f MB", megabytes(&image));
	cr_assert_eq(image.rule_count, FR_RULE_FIRST + 100000);
	assert_same(&b, &image, 100);
	image_free(&image);
	build_free(&b);
}

/* One rule and a hundred thousand prefixes: the matrix grows by classes, not by prefixes. */
Test(scale_image, many_prefixes_of_one_rule_are_two_address_classes, .timeout = 120)
{
	struct build b = build_new();
	struct rule *rule = add_tcp(&b, 443, 443);
	struct image image;

	rule->peer_count = 100000;
	rule->peers = arena_alloc(b.rs.arena, rule->peer_count * sizeof(*rule->peers));
	for (uint32_t i = 0; i < rule->peer_count; i++)
		rule->peers[i] = (struct prefix){addr_from_v4(0x0a000000 + i * 512), 96 + 24};
	image = build_image(&b);
	cr_assert_eq(image.stats.address_classes[FR_EGRESS], 2);
	cr_assert_leq(megabytes(&image), 51.0, "%.1f MB", megabytes(&image));
	assert_same(&b, &image, 20);
	image_free(&image);
	build_free(&b);
}

/* An address needs no block of its own for ports that it inherits from the prefixes around it. */
Test(scale_image, addresses_in_a_prefix_share_the_blocks_of_its_rules, .timeout = 120)
{
	enum { OUTER = 400, INNER = 6000 };
	struct build b = build_new();
	struct image image;

	for (uint32_t i = 0; i < OUTER; i++) {
		struct rule *rule = add_tcp(&b, 1000 + i / 2, 1000 + i / 2);

		rule->services->proto = i % 2 ? PROTO_UDP : PROTO_TCP;
		*rule->peers = (struct prefix){addr_from_v4(0x0a000000), 96 + 8};
	}
	for (uint32_t i = 0; i < INNER; i++)
		*add_tcp(&b, 60000, 60000)->peers =
			(struct prefix){addr_from_v4(0x0a000000 + i * 7), 128};
	image = build_image(&b);
	cr_assert(!image.stats.dense);
	cr_assert_eq(image.stats.address_classes[FR_EGRESS], INNER + 2);
	cr_assert_leq(image.stats.blocks, INNER + 100, "%u blocks", image.stats.blocks);
	assert_same(&b, &image, 100);
	image_free(&image);
	build_free(&b);
}

Test(scale_image, the_digest_does_not_depend_on_the_processor)
{
	uint8_t text[1024], plain[32], best[32];
	struct judge_random random = {1};

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = judge_next(&random);
	for (size_t size = 0; size < sizeof(text); size++) {
		sha256_plainly(text, size, plain);
		sha256(text, size, best);
		cr_assert_arr_eq(plain, best, sizeof(plain), "%zu bytes", size);
	}
}
