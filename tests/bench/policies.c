/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies for the benchmark, and the cost of compiling them.
 */
#include <stdio.h>

#include "../judges.h"
#include "bench.h"

enum { COMPILES = 7 };

static struct ruleset *policy_new(struct arena *arena, uint32_t rules)
{
	static const struct source source = {.name = "bench", .text = ""};
	struct ruleset *rs = arena_alloc(arena, sizeof(*rs));

	rs->arena = arena;
	rs->source = &source;
	rs->name = "bench";
	rs->enforce = true;
	rs->flags = FR_F_FORWARD_JUDGE | FR_F_IPSEC_JUDGE;
	for (int i = 0; i < FR_TIMEOUTS; i++)
		rs->timeout[i] = 3600;
	rs->rule_count = rules;
	rs->rules = arena_alloc(arena, rules * sizeof(*rs->rules));
	for (uint32_t i = 0; i < rules; i++) {
		rs->rules[i] = (struct rule){.id = "rule", .peer_count = 1, .service_count = 1};
		rs->rules[i].peers = arena_alloc(arena, sizeof(struct prefix));
		rs->rules[i].services = arena_alloc(arena, sizeof(struct service));
	}
	return rs;
}

static uint32_t allow_list_length(struct judge_random *random, uint32_t kind)
{
	if (kind < 45)
		return 24;
	if (kind < 65)
		return 32;
	return kind < 72 ? 16 : 17 + judge_below(random, 15);
}

static struct prefix allow_list_peer(struct judge_random *random)
{
	uint32_t kind = judge_below(random, 100), length, address = judge_next(random);

	length = allow_list_length(random, kind);
	/* out of 0/8, loopback, multicast */
	address = (1 + address % 100) << 24 | (judge_next(random) & 0xffffff);
	if (judge_chance(random, 20))
		return (struct prefix){
			addr_from_halves(0x2600000000000000ull | (uint64_t)address << 16, 0), 64};
	return (struct prefix){addr_from_v4(address & ~0u << (32 - length)), 96 + length};
}

static struct service allow_list_service(struct judge_random *random)
{
	static const uint16_t ports[] = {22,   25,   53,   80,	 111,  123,  139,  389,
					 443,  445,  636,  993,	 1433, 1500, 2049, 3260,
					 3306, 5432, 5671, 6379, 8020, 8443, 9092, 9200};
	uint32_t kind = judge_below(random, 32);
	struct service service = {.proto = kind % 4 ? PROTO_TCP : PROTO_UDP};

	if (kind < ARRAY_SIZE(ports)) {
		service.first = service.last = ports[kind];
	} else if (kind < 30) {
		service.first = kind * 1000;
		service.last = kind * 1000 + 500;
	} else {
		service.last = 65535;
	}
	return service;
}

struct ruleset *policy_allow_list(struct arena *arena, uint32_t rules)
{
	struct ruleset *rs = policy_new(arena, rules);
	struct judge_random random = {rules + 2};

	for (uint32_t i = 0; i < rules; i++) {
		*rs->rules[i].peers = allow_list_peer(&random);
		*rs->rules[i].services = allow_list_service(&random);
		rs->rules[i].action = judge_chance(&random, 20) ? FR_DENY : FR_ALLOW;
	}
	return rs;
}

struct ruleset *policy_random_ranges(struct arena *arena, uint32_t rules)
{
	struct ruleset *rs = policy_new(arena, rules);
	struct judge_random random = {rules + 2};

	for (uint32_t i = 0; i < rules; i++) {
		uint16_t one = judge_next(&random), other = judge_next(&random);
		struct service service = {.proto = PROTO_TCP};

		service.first = one < other ? one : other;
		service.last = one < other ? other : one;
		*rs->rules[i].peers = (struct prefix){addr_from_v4(judge_next(&random)), 128};
		*rs->rules[i].services = service;
		rs->rules[i].action = FR_ALLOW;
	}
	return rs;
}

struct tuple policy_tuple(const struct ruleset *rs, bool pass, bool v4)
{
	struct judge_random random = {4711};

	for (int i = 0; i < 100000; i++) {
		const struct rule *rule = &rs->rules[judge_below(&random, rs->rule_count)];
		struct tuple tuple = {.proto = PROTO_TCP, .port = rule->services->first};
		struct decision decision = {0};

		tuple.peer = rule->peers->addr;
		tuple.port = tuple.port ? tuple.port : 7;
		if (rule->services->proto != PROTO_TCP || prefix_is_v4(rule->peers) != v4)
			continue;
		if (!pass)
			tuple.port = 60000 + judge_below(&random, 1000);
		ruleset_decide(rs, &tuple, &decision);
		if ((decision.verdict == FR_PASS) == pass)
			return tuple;
	}
	DIE("no tuple that the policy of %zu rules %s", rs->rule_count,
	    pass ? "passes" : "refuses");
}

static void compile_report(const char *name, uint32_t rules,
			   struct ruleset *(*make)(struct arena *, uint32_t))
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct ruleset *rs = make(arena, rules);
	double samples[COMPILES];
	struct image image = {0};
	struct spread spread;

	for (int i = 0; i < COMPILES; i++) {
		double start;

		image_free(&image);
		start = clock_ns();
		if (image_compile(rs, &diags, &image))
			DIE("%s of %u rules does not compile", name, rules);
		samples[i] = clock_ns() - start;
	}
	spread = spread_of(samples, COMPILES);
	printf("%-14s %7u  %7.1f [%.1f-%.1f]  %8.2f  %7u  %7u  %s\n", name, rules,
	       spread.median / 1e6, spread.low / 1e6, spread.high / 1e6,
	       image.line_count * (double)FR_LINE_BYTES / 1e6,
	       image.stats.address_classes[FR_EGRESS], image.stats.service_classes[FR_EGRESS],
	       image_form(&image));
	image_free(&image);
	arena_free(arena);
}

int bench_compile(void)
{
	static const uint32_t scales[] = {10, 1000, 10000, 100000};

	printf("\ncompile: median [quartiles] of %d\n", COMPILES);
	printf("%-14s %7s  %-20s  %8s  %7s  %7s  %s\n", "policy", "rules", "ms", "MB", "rows",
	       "columns", "form");
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		compile_report("allow-list", scales[i], policy_allow_list);
	for (size_t i = 1; i < ARRAY_SIZE(scales) - 1; i++)
		compile_report("random-ranges", scales[i], policy_random_ranges);
	return 0;
}
