/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random policies by two judges: the oracle, which walks the rules, and the compiled image. Random
 * tuples and those at every edge of a policy; a disagreement names the judges, tuple and seed.
 */
#include <criterion/criterion.h>

#include "../judges.h"
#include "../thin.h"

enum { POLICIES = 160, TUPLES = 600, CORNERS = 800, FIRST_SEED = 20240 };

struct comparison {
	const struct ruleset *rs;
	const struct image *image;
	uint64_t seed;
	size_t compared;
	size_t verdicts[3];
	size_t staged;
};

static int compare_judges(const struct tuple *tuple, void *context)
{
	struct comparison *comparison = context;
	struct decision oracle = {0}, image = {0};
	char what[96], first[96], second[96];

	ruleset_decide(comparison->rs, tuple, &oracle);
	image_decide(comparison->image, tuple, &image);
	comparison->compared++;
	comparison->verdicts[oracle.verdict]++;
	comparison->staged += oracle.staged;
	cr_assert(decision_equal(&oracle, &image), "seed %lu, %s: oracle says %s, image says %s",
		  (unsigned long)comparison->seed, judge_tuple_text(tuple, what),
		  judge_decision_text(&oracle, first), judge_decision_text(&image, second));
	return 0;
}

static void judge_seed(uint64_t seed, uint32_t rules, struct comparison *comparison)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct image image = {0};
	struct judge_random random = {~seed};

	comparison->seed = seed;
	comparison->rs = judge_policy(arena, seed, rules);
	comparison->image = &image;
	cr_assert_eq(image_compile(comparison->rs, &diags, &image), 0, "seed %lu does not compile",
		     (unsigned long)seed);
	for (int i = 0; i < TUPLES; i++) {
		struct tuple tuple = judge_tuple(&random);

		compare_judges(&tuple, comparison);
	}
	boundary_tuples(comparison->rs, seed, CORNERS, compare_judges, comparison);
	image_free(&image);
	arena_free(arena);
}

Test(judges_random, oracle_and_image_agree_on_random_policies, .timeout = 300)
{
	struct comparison comparison = {0};

	for (uint64_t i = 0; i < thin(POLICIES); i++)
		judge_seed(FIRST_SEED + i, i % 4 ? 24 : 90, &comparison);
	cr_assert_geq(comparison.compared, thin(100000), "only %zu tuples", comparison.compared);
	for (int i = 0; i < 3; i++)
		cr_assert_gt(comparison.verdicts[i], thin(1000), "verdict %d was hardly ever given",
			     i);
	cr_assert_gt(comparison.staged, thin(1000), "staged rules hardly ever mattered");
}

Test(judges_random, oracle_and_image_agree_on_a_big_policy, .timeout = 300)
{
	struct comparison comparison = {0};

	judge_seed(7, 2000, &comparison);
	judge_seed(12, 2000, &comparison);
	cr_assert_gt(comparison.compared, 2 * TUPLES);
}
