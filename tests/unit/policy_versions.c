/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Params that are versions, rows that a version selects, rows for internal networks, and the local
 * subnet by family: through policy_load, as a policy says it.
 */
#include "../../user/tables/version.h"
#include "policy_fixture.h"

static const char table_text[] =
	"apiVersion: flowreeve/v1\n"
	"kind: PortTable\n"
	"metadata: {name: acme}\n"
	"params: {release: {type: version}}\n"
	"roles: {server: {}, client: {}, on-link: {addresses: [local-subnet/ipv6, \"fe80::/10\"]}}\n"
	"rows:\n"
	"  - {id: always, from: client, to: server, ports: [1/tcp]}\n"
	"  - {id: old, from: client, to: server, ports: [2/tcp], when: {release: {before: 10.0.8}}}\n"
	"  - {id: tracks, from: client, to: server, ports: [3/tcp],\n"
	"     when: {release: {from: 10.1.0, before: [10.1.0 CU10, 10.2.1]}}}\n"
	"  - {id: new, from: client, to: server, ports: [4/tcp],\n"
	"     when: {release: {from: [10.3.6, 10.4.0]}}}\n"
	"  - {id: inside, from: client, to: server, ports: [5/tcp], internal: true}\n"
	"  - {id: link, from: on-link, to: server, ports: [any], optional: true}\n";

/* Ids of the rows that a release selects, "always" and "inside" left out. */
static const char *selected(const char *release, char out[64])
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml", table_text);
	cr_assert_eq(load_text(&l, arena_printf(l.d.arena,
						HEAD "use: [{table: acme, as: server, %s peers: "
						     "{client: 10.0.0.1}}]\n",
						release)),
		     0, "%s", load_all(&l));
	out[0] = '\0';
	for (size_t i = 0; i < l.rs->rule_count; i++) {
		const char *row = rule_origin(&l.rs->rules[i])->row;

		if (strcmp(row, "always") != 0 && strcmp(row, "inside") != 0)
			strcat(strcat(out, *out ? " " : ""), row);
	}
	load_free(&l);
	return out;
}

#define RELEASE(text) "set: {release: " text "},"

Test(policy_versions, a_row_is_selected_from_its_first_version_and_before_its_last)
{
	static const char *const cases[][2] = {
		{RELEASE("10.0.7"), "old"},
		{RELEASE("9.12.10"), "old"}, /* a number, not a text */
		{RELEASE("10.0.8"), ""},
		{RELEASE("10.0.10"), ""},
		{RELEASE("10.1.0"), "tracks"},
		{RELEASE("10.1.0 CU9"), "tracks"},
		{RELEASE("10.1.0 CU10"), ""},
		{RELEASE("10.1.12"), "tracks"}, /* a feature release, before 10.2.1 */
		{RELEASE("10.2.1"), ""},
		{RELEASE("10.2.0"), ""}, /* a main release, after 10.1.0 CU10 */
		{RELEASE("10.3.5"), ""},
		{RELEASE("10.3.6"), "new"},
		{RELEASE("10.3.0 CU20"), ""}, /* a main release, before 10.4.0 */
		{RELEASE("\"10.4.0 [CU1]\""), "new"},
		{RELEASE("10.4"), "new"},
		{"", "new"}, /* unknown: the newest */
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_str_eq(selected(cases[i][0], out), cases[i][1], "%s gives '%s'",
				 cases[i][0], out);
}

Test(policy_versions, what_is_no_version_is_refused_at_its_place)
{
	static const char *const bad[] = {"newest",    "10",	     "10.x.1",	 "10.1.0CU3",
					  "10.1.0 CU", "10.1.2 CU3", "10.1.0.4", "v10.1.0",
					  "-1.2.3",    "1.2.9999999"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct load l = load_new();
		const struct diag *diag;

		load_file(&l, "tables/acme.yaml", table_text);
		cr_expect_neq(
			load_text(&l,
				  arena_printf(l.d.arena,
					       HEAD "use: [{table: acme, as: server, set: "
						    "{release: %s}, peers: {client: 10.0.0.1}}]\n",
					       bad[i])),
			0, "%s", bad[i]);
		diag = load_find(&l, "bad-version");
		cr_assert(diag, "%s: %s", bad[i], load_all(&l));
		cr_expect_str_eq(load_pointed(&l, diag), bad[i]);
		cr_expect(strstr(diag->hint, "10.1.0 CU10"));
		load_free(&l);
	}
}

static void expect_bad_range(const char *range, const char *check, const char *pointed)
{
	struct load l = load_new();
	const struct diag *diag;

	load_file(&l, "tables/acme.yaml",
		  arena_printf(l.d.arena,
			       "apiVersion: flowreeve/v1\nkind: PortTable\nmetadata: {name: acme}\n"
			       "params: {release: {type: version}}\nroles: {a: {}, b: {}}\nrows:\n"
			       "  - {id: r, from: a, to: b, ports: [1/tcp], when: {release: %s}}\n",
			       range));
	cr_expect_neq(load_text(&l, HEAD "use: [{table: acme, as: a, peers: {b: 10.0.0.1}}]\n"), 0);
	diag = load_find(&l, check);
	cr_assert(diag, "%s: %s", range, load_all(&l));
	cr_expect_str_eq(load_pointed(&l, diag), pointed, "%s", range);
	load_free(&l);
}

Test(policy_versions, a_range_that_holds_nothing_or_says_nothing_is_refused)
{
	expect_bad_range("10.1.0", "bad-condition", "10.1.0");
	expect_bad_range("{}", "bad-condition", "{");
	expect_bad_range("{from: 10.2.0, before: 10.1.0}", "bad-condition", "{");
	expect_bad_range("{from: 10.1.0, before: 10.1.0}", "bad-condition", "{");
	expect_bad_range("{from: [10.1.0, 10.2.0]}", "bad-condition", "10.2.0");
	expect_bad_range("{from: [10.1.1, 10.2.1]}", "bad-condition", "10.2.1");
	expect_bad_range("{from: []}", "bad-condition", "[");
	expect_bad_range("{since: 10.1.0}", "unknown-key", "since");
	expect_bad_range("{from: ten}", "bad-version", "ten");
}

Test(policy_versions, a_row_for_internal_networks_is_never_opened_to_everybody)
{
	static const char *const everybody[] = {"any", "0.0.0.0/0", "\"::/0\"", "[10.0.0.1, any]"};
	struct load l;

	for (size_t i = 0; i < sizeof(everybody) / sizeof(*everybody); i++) {
		l = load_new();
		load_file(&l, "tables/acme.yaml", table_text);
		load_text(&l,
			  arena_printf(l.d.arena,
				       HEAD
				       "use: [{table: acme, as: server, peers: {client: %s}}]\n",
				       everybody[i]));
		cr_assert(load_find(&l, "internal-row"), "%s: %s", everybody[i], load_all(&l));
		cr_expect(strstr(load_find(&l, "internal-row")->message, "row 'inside'"));
		load_free(&l);
	}
}

Test(policy_versions, the_local_subnet_has_a_family_where_a_table_says_so)
{
	struct prefix local[2];
	struct load l = load_new();
	const struct rule *rule;

	cr_assert_eq(prefix_parse("10.7.0.0/24", &local[0]), NET_OK);
	cr_assert_eq(prefix_parse("fd00:7::/64", &local[1]), NET_OK);
	load_file(&l, "tables/acme.yaml", table_text);
	load_text(&l, HEAD "use: [{table: acme, as: server, peers: {client: local-subnet/ipv4}, "
			   "with: [link]}]\n");
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_expect(load_rule(&l, "acme/link", FR_INGRESS)->needs_local);
	cr_expect(load_rule(&l, "acme/always", FR_INGRESS)->needs_local);
	l.options.local_known = true;
	l.options.local = local;
	l.options.local_count = 2;
	load_text(&l, HEAD "use: [{table: acme, as: server, peers: {client: local-subnet/ipv4}, "
			   "with: [link]}]\n");
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	rule = load_rule(&l, "acme/always", FR_INGRESS);
	cr_expect_not(rule->needs_local);
	cr_expect_eq(rule->peer_count, 1);
	cr_expect_eq(memcmp(&rule->peers[0].addr, &local[0].addr, 16), 0);
	rule = load_rule(&l, "acme/link", FR_INGRESS);
	cr_expect_not(rule->needs_local);
	cr_expect_eq(rule->peer_count, 2);
	load_free(&l);
}
