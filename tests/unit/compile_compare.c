/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two images compared: the deny rules of the old one that refuse packets which no rule of the new
 * one refuses.
 */
#include "compile_fixture.h"

#include "../judges.h"

enum { RULES_MAX = 64, POLICIES = 30, CORNERS = 6000 };

struct lost {
	const struct image *old, *new;
	bool rules[FR_RULE_FIRST + RULES_MAX];
	struct tuple example;
	size_t count;
};

/* By a rule that says so. */
static bool refuses(const struct decision *decision)
{
	return decision->verdict != FR_PASS && !decision->staged && decision->rule >= FR_RULE_FIRST;
}

/* The example that comes with a rule is one. */
static void on_lost(uint32_t rule, const struct tuple *tuple, void *context)
{
	struct lost *lost = context;
	struct decision was, is;
	char what[96];

	image_decide(lost->old, tuple, &was);
	image_decide(lost->new, tuple, &is);
	cr_assert(refuses(&was) && was.rule == rule && !refuses(&is), "rule %u, %s", rule,
		  judge_tuple_text(tuple, what));
	cr_assert(!lost->rules[rule], "rule %u is reported once", rule);
	lost->rules[rule] = true;
	lost->example = *tuple;
	lost->count++;
}

static void on_any(uint32_t rule, const struct tuple *tuple, void *context)
{
	(void)rule, (void)tuple;
	((struct lost *)context)->count++;
}

static struct lost lost_between(const struct image *old, const struct image *new)
{
	struct lost lost = {.old = old, .new = new};

	image_lost_denials(old, new, on_lost, &lost);
	return lost;
}

/* A policy that allows all of TCP but for a deny rule's part. */
static struct image image_with(struct build *b, const char *deny, const char *more)
{
	struct image image;

	*b = build_new();
	build_rule(b, FR_INGRESS, "allow all any | any/tcp");
	if (deny)
		build_rule(b, FR_INGRESS, deny);
	if (more)
		build_rule(b, FR_INGRESS, more);
	image = build_image(b);
	return image;
}

static size_t lost_by(const char *before, const char *after, const char *more, char example[96])
{
	struct build old_build, new_build;
	struct image old = image_with(&old_build, before, NULL);
	struct image new = image_with(&new_build, after, more);
	struct lost lost = lost_between(&old, &new);

	judge_tuple_text(&lost.example, example);
	image_free(&old);
	image_free(&new);
	build_free(&old_build);
	build_free(&new_build);
	return lost.count;
}

Test(compile_compare, what_is_still_refused_is_not_lost)
{
	char example[96];

	cr_expect_eq(lost_by("deny d 10.0.0.0/8 | 1-100/tcp", "deny d 10.0.0.0/8 | 1-100/tcp", NULL,
			     example),
		     0);
	cr_expect_eq(lost_by("deny d 10.0.0.0/8 | 1-100/tcp", "deny d 10.0.0.0/7 | 1-200/tcp", NULL,
			     example),
		     0);
	cr_expect_eq(lost_by("deny d 10.0.0.0/8 | 1-100/tcp", "deny d 10.0.0.0/9 | 1-100/tcp",
			     "deny e 10.128.0.0/9 | 1-100/tcp", example),
		     0);
}

/* Traffic that no rule allows stays refused, until the next change allows it. */
Test(compile_compare, a_default_is_no_deny_rule)
{
	char example[96];

	cr_expect_eq(lost_by("deny d 10.0.0.0/8 | 53/udp", NULL, NULL, example), 1);
	cr_expect_eq(
		lost_by("deny d 10.0.0.0/8 | 53/udp", "deny d 10.0.0.0/9 | 53/udp", NULL, example),
		1);
	cr_expect_str_eq(example, "ingress proto 17 peer 10.128.0.0 port 53");
	cr_expect_eq(lost_by("deny d any | any/udp", "deny d any | 1-65535/udp", NULL, example), 1);
}

static size_t lost_by_builtin(const char *deny, uint32_t was, uint32_t is)
{
	struct build old_build, new_build;
	struct image old, new;
	struct lost lost = {0};

	old_build = build_new(), new_build = build_new();
	build_rule(&old_build, FR_INGRESS, deny);
	build_rule(&new_build, FR_INGRESS, deny);
	old_build.rs.flags = was, new_build.rs.flags = is;
	old = build_image(&old_build), new = build_image(&new_build);
	image_lost_denials(&old, &new, on_any, &lost);
	image_free(&old);
	image_free(&new);
	build_free(&old_build);
	build_free(&new_build);
	return lost.count;
}

Test(compile_compare, a_builtin_that_comes_on_passes_over_deny_rules)
{
	static const struct {
		const char *deny;
		uint32_t flag;
		size_t lost;
	} cases[] = {
		{"deny d any | 68/udp", FR_F_DHCP, 1},
		{"deny d any | 1-1000/udp", FR_F_DHCP, 1},
		{"deny d any | any", FR_F_DHCP, 1},
		{"deny d fe80::/10 | 546/udp", FR_F_DHCP, 1},
		{"deny d any | 69/udp", FR_F_DHCP, 0},
		{"deny d any | 68/udp", FR_F_NEIGHBOUR, 0},
		{"deny d any | icmpv6/any", FR_F_NEIGHBOUR, 1},
		{"deny d any | icmpv6/echo-request", FR_F_NEIGHBOUR, 0},
		{"deny d any | any", FR_F_MULTICAST, 1},
		{"deny d any | icmp/any", FR_F_ICMP_ERROR, 1},
		{"deny d any | icmp/echo-request", FR_F_ICMP_ERROR, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t flag = cases[i].flag;

		cr_expect_eq(lost_by_builtin(cases[i].deny, 0, flag), cases[i].lost, "%s",
			     cases[i].deny);
		cr_expect_eq(lost_by_builtin(cases[i].deny, flag, 0), 0);
		cr_expect_eq(lost_by_builtin(cases[i].deny, flag, flag), 0);
	}
}

Test(compile_compare, a_narrower_deny_rule_is_found_wherever_it_became_narrower)
{
	static const char *const narrower[] = {
		"deny d 10.0.0.0/9 | 1-100/tcp",
		"deny d 10.128.0.0/9 | 1-100/tcp",
		"deny d 10.0.0.0/8 | 1-99/tcp",
		"deny d 10.0.0.0/8 | 1-49/tcp 51-100/tcp",
		"deny d 10.0.0.0/10 10.64.0.0/10 10.192.0.0/10 | 1-100/tcp",
	};
	char example[96];

	for (size_t i = 0; i < ARRAY_SIZE(narrower); i++)
		cr_expect_eq(lost_by("deny d 10.0.0.0/8 | 1-100/tcp", narrower[i], NULL, example),
			     1, "%s", narrower[i]);
}

Test(compile_compare, one_ipv6_address_is_told_from_the_next)
{
	char example[96];

	cr_expect_eq(lost_by("deny d 2001:db8::/64 | 22/tcp", "deny d 2001:db8::/64 | 22/tcp",
			     "failsafe f 2001:db8::7 | 22/tcp", example),
		     1);
	cr_expect_str_eq(example, "ingress proto 6 peer 2001:db8::7 port 22");
	cr_expect_eq(lost_by("deny d 2001:db8::6 2001:db8::7 | 22/tcp",
			     "deny d 2001:db8::6 | 22/tcp", NULL, example),
		     1);
	cr_expect_str_eq(example, "ingress proto 6 peer 2001:db8::7 port 22");
}

Test(compile_compare, somebody_may_open_or_nobody)
{
	struct build b;
	struct image image = image_with(&b, "deny d 0.0.0.0/1 128.0.0.0/1 ::/0 | 22/tcp", NULL);

	cr_expect(!image_admits_anyone(&image, FR_INGRESS, PROTO_TCP, 22));
	cr_expect(image_admits_anyone(&image, FR_INGRESS, PROTO_TCP, 23));
	cr_expect(!image_admits_anyone(&image, FR_EGRESS, PROTO_TCP, 22));
	image_free(&image);
	build_free(&b);
	image = image_with(&b, "deny d any | 22/tcp", "failsafe f 10.0.0.7 | 22/tcp");
	cr_expect(image_admits_anyone(&image, FR_INGRESS, PROTO_TCP, 22));
	image_free(&image);
	build_free(&b);
}

/* ---------------------------------------------------------------- against the oracle */

struct search {
	const struct ruleset *old, *new;
	const struct lost *lost;
	uint64_t seed;
	size_t found;
};

static int look(const struct tuple *tuple, void *context)
{
	struct search *search = context;
	struct decision was, is;
	char what[96];

	ruleset_decide(search->old, tuple, &was);
	ruleset_decide(search->new, tuple, &is);
	if (!refuses(&was) || refuses(&is))
		return 0;
	search->found++;
	cr_assert(search->lost->rules[was.rule], "seed %lu: rule %u no longer refuses %s",
		  (unsigned long)search->seed, was.rule, judge_tuple_text(tuple, what));
	return 0;
}

static size_t compare_seed(uint64_t seed)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct ruleset *old = judge_policy(arena, seed, 20), *new = judge_policy(arena, seed, 20);
	struct judge_random random = {seed ^ 0x5eed};
	struct image before, after;
	struct lost lost;
	struct search search = {old, new, &lost, seed, 0};

	/* the same with another rule in place of one */
	if (new->rule_count)
		judge_rule(&random, arena, &new->rules[seed % new->rule_count], 7);
	cr_assert(!image_compile(old, &d, &before) && !image_compile(new, &d, &after));
	lost = lost_between(&before, &after);
	boundary_tuples(old, seed, CORNERS, look, &search);
	boundary_tuples(new, seed, CORNERS, look, &search);
	image_free(&before);
	image_free(&after);
	arena_free(arena);
	return search.found;
}

Test(compile_compare, what_the_oracle_finds_lost_is_reported, .timeout = 300)
{
	size_t found = 0;

	for (uint64_t seed = 1; seed <= POLICIES; seed++)
		found += compare_seed(seed);
	cr_assert_gt(found, 50, "only %zu", found);
}
