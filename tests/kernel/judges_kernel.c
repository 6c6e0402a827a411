/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The third judge: the programs in the kernel, through BPF_PROG_TEST_RUN, against the oracle. The
 * verdict table, and random policies with random and corner tuples, each as the first packet of a
 * conversation of its own, on every kind of hook.
 *
 * The kernel's decisions before any rule are excluded: random policies have no built-in rules,
 * forwarded and decrypted packets are judged, loopback addresses (malformed on a wire) and protocol
 * numbers that are IPv6 extension headers are not asked, and no packet here has hop limit 1 or 255
 * or a quoted packet.
 */
#include <unistd.h>

#include "../cases.h"

#include "../../user/datapath/datapath.h"
#include "../testbench.h"
#include "../judges.h"
#include "../thin.h"
#include "bench_kept.h"

enum {
	POLICIES = 120,
	TUPLES = 400,
	CORNERS = 600,
	FIRST_SEED = 77000,
	SAFE_MOST = 64,
	FLAGS = FR_F_FORWARD_JUDGE | FR_F_IPSEC_JUDGE,
};

struct comparison {
	struct bench *bench;
	const struct ruleset *rs;
	uint8_t installed[32]; /* cases: digest; one installation for all lines of a policy */
	uint64_t seed;
	uint32_t number; /* of the packet: its own local address */
	size_t compared, skipped;
	size_t verdicts[3];
	struct tuple safe[SAFE_MOST]; /* admitted by failsafe rules */
	size_t safe_count, safe_compared;
};

static void need_root(void)
{
	if (geteuid())
		cr_skip_test("needs root: NOT RUN");
}

static bool is_loopback(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr_v4(addr) >> 24 == 127;
	return !addr_high(addr) && addr_low(addr) == 1;
}

static bool is_extension(const struct tuple *tuple)
{
	static const uint8_t headers[] = {0, 43, 44, 51, 60};

	for (size_t i = 0; i < ARRAY_SIZE(headers) && !addr_is_v4(&tuple->peer); i++)
		if (tuple->proto == headers[i])
			return true;
	return false;
}

/* The expected trace where a staged rule matched: that rule, would-drop. */
static struct decision expected(const struct ruleset *rs, const struct tuple *tuple)
{
	struct decision decision = {0};

	ruleset_decide(rs, tuple, &decision);
	if (decision.staged) {
		decision.rule = decision.staged_rule;
		decision.reason = FR_REASON_RULE;
	}
	return decision;
}

static int expected_return(uint8_t kind, uint8_t verdict)
{
	if (kind == FR_KIND_CGROUP)
		return verdict != FR_DROP;
	return verdict == FR_DROP ? 2 : -1;
}

static void compare_hook(struct comparison *comparison, const struct tuple *tuple, uint8_t kind,
			 const struct frame *packet)
{
	struct bench_run run = {
		.kind = kind, .dir = tuple->dir, .data = packet->data, .size = packet->size};
	struct decision oracle = expected(comparison->rs, tuple),
			kernel = {.staged = oracle.staged, .answers = oracle.answers};
	char what[96], first[96], second[96];
	int err = bench_run(comparison->bench, &run);

	cr_assert_eq(err, 0, "seed %lu, %s: no run: %s", (unsigned long)comparison->seed,
		     judge_tuple_text(tuple, what), strerror(-err));
	kernel.verdict = run.verdict.verdict;
	kernel.reason = run.verdict.reason;
	kernel.rule = run.verdict.slot;
	kernel.staged_rule = oracle.staged_rule;
	cr_assert_lt(kernel.verdict, 3);
	cr_assert(decision_equal(&oracle, &kernel),
		  "seed %lu, kind %u, %s: oracle says %s, kernel says %s",
		  (unsigned long)comparison->seed, kind, judge_tuple_text(tuple, what),
		  judge_decision_text(&oracle, first), judge_decision_text(&kernel, second));
	cr_assert_eq(run.retval, expected_return(kind, oracle.verdict),
		     "seed %lu, kind %u, %s: returns %d", (unsigned long)comparison->seed, kind,
		     what, run.retval);
	comparison->verdicts[oracle.verdict]++;
}

static int compare_judges(const struct tuple *tuple, void *context)
{
	struct comparison *comparison = context;
	struct frame packet;
	struct addr local;
	struct wire opening;

	if (is_loopback(&tuple->peer) || is_extension(tuple)) {
		comparison->skipped++;
		return 0;
	}
	local = judge_local(tuple, comparison->number++);
	opening = judge_opening(tuple, &local);
	wire_make(&opening, &packet);
	for (uint8_t kind = 0; kind < FR_KINDS; kind++)
		compare_hook(comparison, tuple, kind, &packet);
	comparison->compared++;
	if (expected(comparison->rs, tuple).reason == FR_REASON_FAILSAFE &&
	    comparison->safe_count < SAFE_MOST)
		comparison->safe[comparison->safe_count++] = *tuple;
	return 0;
}

/* The same verdicts without the tables of the image. */
static void compare_failsafe(struct comparison *comparison)
{
	size_t count = comparison->safe_count;

	cr_assert_eq(bench_wipe(comparison->bench), 0);
	for (size_t i = 0; i < count; i++)
		compare_judges(&comparison->safe[i], comparison);
	comparison->safe_compared += count;
	comparison->safe_count = 0;
}

static void judge_seed(uint64_t seed, uint32_t rules, struct comparison *comparison)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct ruleset *rs = judge_policy(arena, seed, rules);
	struct judge_random random = {~seed};
	struct image image = {0};

	rs->flags = FLAGS;
	comparison->seed = seed;
	comparison->rs = rs;
	cr_assert_eq(image_compile(rs, &diags, &image), 0);
	cr_assert_eq(bench_install(comparison->bench, &image, true), 0);
	comparison->number = 0;
	for (int i = 0; i < TUPLES; i++) {
		struct tuple tuple = judge_tuple(&random);

		compare_judges(&tuple, comparison);
	}
	boundary_tuples(rs, seed, CORNERS, compare_judges, comparison);
	compare_failsafe(comparison);
	image_free(&image);
	arena_free(arena);
}

static struct bench *bench_of(struct arena *arena)
{
	struct diags diags = {.arena = arena};
	struct bench *bench = NULL;

	cr_assert_eq(bench_kept(&diags, &bench), 0, "%s",
		     diags.count ? diags.list[0].message : "the programs do not load");
	return bench;
}

Test(judges_kernel, oracle_and_kernel_agree_on_random_policies, .init = need_root, .timeout = 600)
{
	struct arena *arena = arena_new();
	struct comparison comparison = {.bench = bench_of(arena)};

	for (uint64_t i = 0; i < thin(POLICIES); i++)
		judge_seed(FIRST_SEED + i, i % 4 ? 24 : 90, &comparison);
	cr_assert_geq(comparison.compared, thin(100000), "only %zu tuples", comparison.compared);
	cr_assert_lt(comparison.skipped, comparison.compared / 10, "%zu skipped",
		     comparison.skipped);
	cr_assert_geq(comparison.safe_compared, thin(1000), "only %zu of failsafe rules",
		      comparison.safe_compared);
	for (int i = 0; i < 3; i++)
		cr_assert_gt(comparison.verdicts[i], thin(1000), "verdict %d was hardly ever given",
			     i);
	bench_close(comparison.bench);
	arena_free(arena);
}

Test(judges_kernel, oracle_and_kernel_agree_on_a_big_policy, .init = need_root, .timeout = 600)
{
	struct arena *arena = arena_new();
	struct comparison comparison = {.bench = bench_of(arena)};

	judge_seed(7, 2000, &comparison);
	if (thin_by() == 1)
		judge_seed(12, 2000, &comparison);
	bench_close(comparison.bench);
	arena_free(arena);
}

static void compare_case(const struct ruleset *rs, const struct image *image,
			 const struct case_line *line, void *context)
{
	struct comparison *comparison = context;

	if (memcmp(comparison->installed, image->digest, sizeof(image->digest)))
		cr_assert_eq(bench_install(comparison->bench, image, true), 0);
	memcpy(comparison->installed, image->digest, sizeof(image->digest));
	comparison->rs = rs;
	compare_judges(&line->tuple, comparison);
}

/* The unit tests hold the oracle against the lines; here the kernel is held against the oracle. */
Test(judges_kernel, kernel_says_what_the_table_says, .init = need_root, .timeout = 120)
{
	struct arena *arena = arena_new();
	struct comparison comparison = {.bench = bench_of(arena)};

	cr_assert_gt(cases_each(FLAGS, compare_case, &comparison), 0);
	bench_close(comparison.bench);
	arena_free(arena);
}
