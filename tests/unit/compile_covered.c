/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that decide nothing, because others decide all that they match. */
#include "policy_fixture.h"

#include "../../user/compile/compile.h"

/* Rules in flow style, one a line; the ids of those that are covered, each with the rules
 * that decide instead. */
static const struct {
	const char *rules, *covered;
} cases[] = {
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 443/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.0/24, ports: 443/tcp, action: allow}\n",
	 "b<a"},
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 443/tcp, action: allow}\n"
	 "  - {id: b, direction: ingress, peer: 10.0.0.0/24, ports: 443/tcp, action: allow}\n",
	 ""},
	/* an allow wholly under a deny, whatever their order */
	{"{id: a, direction: egress, peer: 10.0.0.5, ports: 22/tcp, action: allow}\n"
	 "  - {id: d, direction: egress, peer: 10.0.0.0/8, ports: any/tcp, action: deny}\n",
	 "a<d denied"},
	/* a part is free: a port, a peer */
	{"{id: d, direction: egress, peer: 10.0.0.0/8, ports: 22/tcp, action: deny}\n"
	 "  - {id: a, direction: egress, peer: 10.0.0.5, ports: [22/tcp, 23/tcp], action: allow}\n",
	 ""},
	{"{id: d, direction: egress, peer: 10.0.0.0/8, ports: 22/tcp, action: deny}\n"
	 "  - {id: a, direction: egress, peer: [10.0.0.5, 11.0.0.5], ports: 22/tcp, action: allow}\n",
	 ""},
	/* the corners of a part are decided by another rule, and its middle is not */
	{"{id: d, direction: egress, peer: 10.0.0.0, ports: 22/tcp, action: deny}\n"
	 "  - {id: a, direction: egress, peer: 10.0.0.0/24, ports: 22/tcp, action: allow}\n",
	 ""},
	{"{id: d, direction: egress, peer: any, ports: 20/tcp, action: deny}\n"
	 "  - {id: a, direction: egress, peer: any, ports: 20-30/tcp, action: allow}\n",
	 ""},
	/* by several rules, each part by one */
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 80/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.0/16, ports: 443/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.7, ports: [80/tcp, 443/tcp], action: allow}\n",
	 "c<a, b"},
	{"{id: a, direction: egress, peer: any, ports: any, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 'fd00::/8', ports: any/icmpv6, action: allow}\n",
	 "b<a"},
	{"{id: a, direction: egress, peer: 10.0.0.0/8, ports: any, action: allow}\n"
	 "  - {id: b, direction: egress, peer: any, ports: any, action: allow}\n",
	 ""},
	/* by several rules, a part by more than one */
	{"{id: a, direction: egress, peer: 10.0.0.0/25, ports: 80/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.128/25, ports: 80/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.0/24, ports: 80/tcp, action: allow}\n",
	 "c<a, b"},
	{"{id: a, direction: egress, peer: 10.0.0.0/25, ports: 80/tcp, action: deny}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.128/25, ports: 80/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.0/24, ports: 80/tcp, action: allow}\n",
	 "c<a, b denied"},
	{"{id: d, direction: egress, peer: [0.0.0.0/0, '::/0'], ports: 80/tcp, action: deny}\n"
	 "  - {id: a, direction: egress, peer: any, ports: 80/tcp, action: allow}\n",
	 "a<d denied"},
	{"{id: a, direction: egress, peer: 10.0.0.0/25, ports: 80/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.128/26, ports: 80/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.0/24, ports: 80/tcp, action: allow}\n",
	 ""},
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 80-89/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.0/16, ports: 90-99/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.7, ports: 85-95/tcp, action: allow}\n",
	 "c<a, b"},
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 80-89/tcp, action: allow}\n"
	 "  - {id: b, direction: egress, peer: 10.0.0.0/16, ports: 91-99/tcp, action: allow}\n"
	 "  - {id: c, direction: egress, peer: 10.0.0.7, ports: 85-95/tcp, action: allow}\n",
	 ""},
	/* a staged deny rule refuses nothing, and would */
	{"{id: a, direction: egress, peer: 10.0.0.0/24, ports: 22/tcp, action: allow}\n"
	 "  - {id: d, direction: egress, peer: 10.0.0.0/8, ports: 22/tcp, action: deny, mode: audit}\n",
	 ""},
};

static const char *covered_text(struct load *l, const struct image *image)
{
	const char *text = "";

	for (size_t i = 0; i < l->rs->rule_count; i++) {
		const struct rule *rule = &l->rs->rules[i];
		struct covered_by by;

		if (!rule_covered(l->rs, image, rule, &by))
			continue;
		text = arena_printf(l->d.arena, "%s%s%s<%s", text, *text ? " " : "", rule->id,
				    covered_names(l->d.arena, &by));
		if (by.denies)
			text = arena_printf(l->d.arena, "%s denied", text);
	}
	return text;
}

Test(compile_covered, rules_that_decide_nothing_and_no_others)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load l = load_new();
		struct image image = {0};
		const char *text = arena_printf(l.d.arena, HEAD "rules:\n  - %s", cases[i].rules);

		load_text(&l, text);
		cr_assert(l.rs, "case %zu:%s", i, load_all(&l));
		cr_assert_eq(image_compile(l.rs, &l.d, &image), 0);
		cr_expect_str_eq(covered_text(&l, &image), cases[i].covered, "case %zu: %s", i,
				 covered_text(&l, &image));
		image_free(&image);
		load_free(&l);
	}
}
