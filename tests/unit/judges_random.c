// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random policies by two judges: the oracle, which walks the rules, and the compiled image. Random
 * tuples and those at every edge of a policy; a disagreement names the judges, tuple and seed.
 */
#include <criterion/criterion.h>

#include "../judges.h"

enum { POLICIES = 160, TUPLES = 600, CORNERS = 800, FIRST_SEED = 20240 };

struct hearing {
	const struct ruleset *rs;
	const struct image *image;
	uint64_t seed;
	size_t heard;
	size_t verdicts[3];
	size_t staged;
};

static int hear(const struct tuple *tuple, void *context)
{
	struct hearing *hearing = context;
	struct decision oracle = {}, image = {};
	char what[96], first[96], second[96];

	ruleset_decide(hearing->rs, tuple, &oracle);
	image_decide(hearing->image, tuple, &image);
	hearing->heard++;
	hearing->verdicts[oracle.verdict]++;
	hearing->staged += oracle.staged;
	cr_assert(judge_equal(&oracle, &image), "seed %lu, %s: oracle says %s, image says %s",
		  (unsigned long)hearing->seed, judge_tuple_text(tuple, what),
		  judge_decision_text(&oracle, first), judge_decision_text(&image, second));
	return 0;
}

static void judge_seed(uint64_t seed, uint32_t rules, struct hearing *hearing)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct image image = {};
	struct judge_random random = {~seed};

	hearing->seed = seed;
	hearing->rs = judge_policy(arena, seed, rules);
	hearing->image = &image;
	cr_assert_eq(image_compile(hearing->rs, &diags, &image), 0, "seed %lu does not compile",
		     (unsigned long)seed);
	for (int i = 0; i < TUPLES; i++) {
		struct tuple tuple = judge_tuple(&random);

		hear(&tuple, hearing);
	}
	image_corners(hearing->rs, seed, CORNERS, hear, hearing);
	image_free(&image);
	arena_free(arena);
}

Test(judges_random, oracle_and_image_agree_on_random_policies, .timeout = 300)
{
	struct hearing hearing = {};

	for (uint64_t i = 0; i < POLICIES; i++)
		judge_seed(FIRST_SEED + i, i % 4 ? 24 : 90, &hearing);
	cr_assert_geq(hearing.heard, 100000, "only %zu tuples", hearing.heard);
	for (int i = 0; i < 3; i++)
		cr_assert_gt(hearing.verdicts[i], 1000, "verdict %d was hardly ever given", i);
	cr_assert_gt(hearing.staged, 1000, "staged rules hardly ever mattered");
}

Test(judges_random, oracle_and_image_agree_on_a_big_policy, .timeout = 300)
{
	struct hearing hearing = {};

	judge_seed(7, 2000, &hearing);
	judge_seed(12, 2000, &hearing);
	cr_assert_gt(hearing.heard, 2 * TUPLES);
}
