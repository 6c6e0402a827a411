/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policies of a site's hosts: the printed policy is the resolved one, a new host changes the
 * peers of hosts that exchange packets with it and nothing else, and no host is its own peer.
 */
#include "../../user/compile/compile.h"
#include "site_fixture.h"

#define DIGEST 32

static void digest_of(struct load *l, const struct ruleset *rs, uint8_t out[DIGEST])
{
	struct image image = {0};

	cr_assert_eq(image_compile(rs, &l->d, &image), 0);
	memcpy(out, image.digest, DIGEST);
	image_free(&image);
}

static const struct rule *rule_of(const struct plan *plan, const char *id, uint8_t dir)
{
	struct load l = {.rs = plan->rs};

	return load_rule(&l, id, dir);
}

static const char *peers_of(struct load *l, const struct plan *plan, const char *id, uint8_t dir)
{
	const struct rule *rule = rule_of(plan, id, dir);

	return rule ? rule_peers(l, rule) : "no rule";
}

/* ---------------------------------------------------------------- a small cluster */

#define CLUSTER(agents, nodes, hosts)                                                              \
	SITE_HEAD "use:\n"                                                                         \
		  "  - table: dataminer\n"                                                         \
		  "    set: {transport: grpc, dataminer-version: 10.0.8}\n"                        \
		  "    roles: {agent: [" agents "], cassandra: [" nodes "],\n"                     \
		  "            elasticsearch: [10.9.0.1], client: [10.50.0.0/16], "                \
		  "snmp-device: [10.70.0.1]}\n"                                                    \
		  "hosts:\n" hosts

#define DB1 "  db1: {addresses: [10.0.1.1]}\n"
#define DB2 "  db2: {addresses: [10.0.1.2, \"fd00::2\"]}\n"
#define DMA "  dma: {addresses: [10.0.0.1]}\n"

Test(site, a_host_is_never_its_own_peer)
{
	struct load l = load_new();
	const struct site_view *site = site_text_load(&l, CLUSTER("dma", "db1, db2", DB1 DB2 DMA));

	cr_assert(site, "%s", load_all(&l));
	cr_expect_str_eq(
		peers_of(&l, plan_of(&l, site, "db1"), "dataminer/cassandra-nodes", FR_EGRESS),
		"10.0.1.2 fd00::2");
	cr_expect_str_eq(
		peers_of(&l, plan_of(&l, site, "db2"), "dataminer/cassandra-nodes", FR_INGRESS),
		"10.0.1.1");
	cr_expect_str_eq(
		peers_of(&l, plan_of(&l, site, "dma"), "dataminer/cassandra-clients", FR_EGRESS),
		"10.0.1.1 10.0.1.2 fd00::2");
	load_free(&l);
}

Test(site, an_only_node_leaves_out_the_rows_between_nodes)
{
	struct load l = load_new();
	const struct site_view *site = site_text_load(&l, CLUSTER("dma", "db1", DB1 DMA));
	const struct plan *plan;

	cr_assert(site, "%s", load_all(&l));
	plan = plan_of(&l, site, "db1");
	cr_expect_str_eq(peers_of(&l, plan, "dataminer/cassandra-nodes", FR_EGRESS), "no rule");
	cr_expect_str_eq(peers_of(&l, plan, "dataminer/cassandra-clients", FR_INGRESS), "10.0.0.1");
	cr_expect(strstr(plan_text(&l, site, plan),
			 "- cassandra-nodes # no other host plays cassandra\n"));
	load_free(&l);
}

/* One that is both ends keeps its part towards the others. */
Test(site, a_host_at_both_ends_of_a_row_keeps_the_half_that_has_others)
{
	struct load l = load_new();
	const struct site_view *site = site_text_load(&l, CLUSTER("dma, db1", "db1", DB1 DMA));
	const struct plan *both;

	cr_assert(site, "%s", load_all(&l));
	both = plan_of(&l, site, "db1");
	cr_expect_str_eq(peers_of(&l, both, "dataminer/cassandra-clients", FR_EGRESS), "no rule");
	cr_expect_str_eq(peers_of(&l, both, "dataminer/cassandra-clients", FR_INGRESS), "10.0.0.1");
	load_free(&l);
}

Test(site, an_address_in_a_prefix_of_a_role_plays_it_and_any_does_not)
{
	struct load l = load_new();
	const struct site_view *site = site_text_load(
		&l, CLUSTER("dma", "db1", DB1 DMA "  pc: {addresses: [10.50.3.4]}\n"));
	const struct plan *plan;

	cr_assert(site, "%s", load_all(&l));
	plan = plan_of(&l, site, "pc");
	cr_assert_eq(plan->use_count, 1);
	cr_expect_str_eq(plan->uses[0].role, "client");
	cr_expect_str_eq(plan->uses[0].by, "10.50.0.0/16");
	cr_expect_str_eq(peers_of(&l, plan, "dataminer/web-clients", FR_EGRESS), "10.0.0.1");
	cr_expect_eq(plan_of(&l, site, "dma")->use_count, 1);
	load_free(&l);
}

/* ---------------------------------------------------------------- the printed policy */

static void printed_is_resolved(struct load *l, const struct site_view *site,
				const struct plan *plan)
{
	const char *text = plan_text(l, site, plan);
	uint8_t resolved[DIGEST], printed[DIGEST];

	cr_assert_eq(load_text(l, text), 0, "%s: %s\n%s", plan->host, load_all(l), text);
	digest_of(l, plan->rs, resolved);
	digest_of(l, l->rs, printed);
	cr_expect_eq(memcmp(resolved, printed, DIGEST), 0, "%s", text);
	cr_assert_eq(l->rs->rule_count, plan->rs->rule_count, "%s", text);
	for (size_t i = 0; i < plan->rs->rule_count; i++) {
		cr_expect_str_eq(l->rs->rules[i].id, plan->rs->rules[i].id);
		cr_expect_eq(l->rs->rules[i].dir, plan->rs->rules[i].dir);
		cr_expect_str_eq(rule_peers(l, &l->rs->rules[i]),
				 rule_peers(l, &plan->rs->rules[i]));
	}
	cr_expect_eq(l->rs->enforce, plan->rs->enforce);
	cr_expect_eq(l->rs->flags, plan->rs->flags);
	cr_expect_eq(memcmp(l->rs->timeout, plan->rs->timeout, sizeof(l->rs->timeout)), 0);
	cr_expect_str_eq(l->rs->attach[0].name, plan->rs->attach[0].name);
}

Test(site, the_printed_policy_of_every_host_is_the_resolved_one)
{
	struct load l = load_new();
	const struct site_view *site;

	l.options.tables_dir = "policies/tables";
	cr_assert_eq(site_load("policies/examples/site.yaml", &l.options, &l.d, &site), 0, "%s",
		     load_all(&l));
	cr_expect_eq(site->plan_count, 7);
	for (size_t i = 0; i < site->plan_count; i++)
		printed_is_resolved(&l, site, &site->plans[i]);
	load_free(&l);
}

/* Everything that a policy can say, in the odd ways that YAML has of saying it. */
Test(site, what_all_hosts_share_is_printed_as_it_was_meant)
{
	struct load l = load_new();
	const struct site_view *site;

	load_file(&l, "nets.txt", "192.0.2.0/28\n2001:db8::/64\n");
	site = site_text_load(
		&l, SITE_HEAD
		"prefixes:\n"
		"  nets: {file: nets.txt}\n"
		"  spare: {file: nets.txt, format: list}\n"
		"use:\n"
		"  - table: dataminer\n"
		"    edition: 2024-09\n"
		"    set: {transport: remoting, remoting-port: 9004, dataminer-version: 10.1.5}\n"
		"    without: [snmp-poll, snmp-trap]\n"
		"    with: [telnet, nats-monitoring-by-default]\n"
		"    roles: {agent: [q1, q2], nats-monitor: 10.0.0.9, nats-server: [q1],\n"
		"            client: [prefixes/nets, \"2001:db8:9::/64\"], telnet-client: local-subnet,\n"
		"            cassandra: q2, elasticsearch: 10.0.0.2}\n"
		"rules:\n"
		"  - id: odd\n"
		"    direction: egress\n"
		"    peer: prefixes/spare\n"
		"    ports: ['443/tcp', \"1000 to 1010/udp\"]\n"
		"    action: deny\n"
		"    mode: audit\n"
		"    purpose: \"a \\\"quoted\\\" # word: [x] {y}, \\\\ and \\t a tab\"\n"
		"default: {egress: allow}\n"
		"builtin: {dhcp: off}\n"
		"timeouts: {udp: 2m}\n"
		"hosts:\n"
		"  q1: {addresses: 10.0.0.11}\n"
		"  q2: {addresses: [10.0.0.12], mode: audit, attach: {guests: ['tap?'], "
		"cgroups: [/a b]}}\n");
	cr_assert(site, "%s", load_all(&l));
	printed_is_resolved(&l, site, plan_of(&l, site, "q1"));
	printed_is_resolved(&l, site, plan_of(&l, site, "q2"));
	cr_expect_not(plan_of(&l, site, "q2")->rs->enforce);
	load_free(&l);
}

/* ---------------------------------------------------------------- one node more */

enum { NODES = 200 };

/* A site of `count` Cassandra nodes, two agents and two nodes for search. */
static const char *big_site(struct load *l, size_t count)
{
	char *text CLEANUP(free_ptr) = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(SITE_HEAD "use:\n  - table: dataminer\n    set: {transport: grpc}\n"
			"    without: [cloud-gateway, nats-accounts]\n    roles:\n"
			"      agent: [dma1, dma2]\n      nats-server: [dma1, dma2]\n"
			"      elasticsearch: [search1, search2]\n      client: [10.50.0.0/16]\n"
			"      snmp-device: [10.70.0.1]\n      cassandra:\n",
	      out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "        - db%zu\n", i);
	fputs("hosts:\n", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  db%zu: {addresses: [10.1.%zu.%zu]}\n", i, i / 250, i % 250 + 1);
	fputs("  dma1: {addresses: [10.0.0.1]}\n  dma2: {addresses: [10.0.0.2]}\n"
	      "  search1: {addresses: [10.0.2.1]}\n  search2: {addresses: [10.0.2.2]}\n",
	      out);
	fclose(out);
	return arena_strdup(l->d.arena, text);
}

/* The rules of two plans: the same in all but their peers, and their peers in nothing but `added`.
 * Returns how many of them have it. */
static size_t rules_compare(struct load *l, const struct plan *before, const struct plan *after,
			    const char *added)
{
	size_t differ = 0;

	cr_assert_eq(before->rs->rule_count, after->rs->rule_count, "%s", before->host);
	for (size_t i = 0; i < before->rs->rule_count; i++) {
		const struct rule *a = &before->rs->rules[i], *b = &after->rs->rules[i];
		const char *was, *is, *at;

		cr_assert_str_eq(a->id, b->id);
		cr_assert_eq(a->dir, b->dir);
		cr_assert_eq(a->action, b->action);
		cr_assert_str_eq(rule_services(l, a), rule_services(l, b));
		if (a->peer_count == b->peer_count) {
			cr_assert_eq(memcmp(a->peers, b->peers, a->peer_count * sizeof(*a->peers)),
				     0);
			continue;
		}
		differ++;
		was = arena_printf(l->d.arena, "%s ", rule_peers(l, a));
		is = arena_printf(l->d.arena, "%s ", rule_peers(l, b));
		at = strstr(is, added);
		cr_assert(at, "%s of %s: %s", b->id, after->host, is);
		cr_assert_str_eq(was, arena_printf(l->d.arena, "%.*s%s", (int)(at - is), is,
						   at + strlen(added)));
	}
	return differ;
}

Test(site, a_new_node_changes_the_peers_of_its_peers_alone)
{
	struct load l = load_new();
	const struct site_view *small = site_text_load(&l, big_site(&l, NODES));
	const struct site_view *large;
	size_t changed = 0;

	cr_assert(small, "%s", load_all(&l));
	large = site_text_load(&l, big_site(&l, NODES + 1));
	cr_assert(large, "%s", load_all(&l));
	cr_assert_eq(large->plan_count, small->plan_count + 1);
	for (size_t i = 0; i < small->plan_count; i++) {
		const struct plan *before = &small->plans[i];
		const struct plan *after = plan_of(&l, large, before->host);
		bool speaks = !str_starts(before->host, "search");
		size_t differ = rules_compare(&l, before, after, "10.1.0.201 ");
		uint8_t was[DIGEST], is[DIGEST];

		cr_expect_eq(differ > 0, speaks, "%s: %zu rules", before->host, differ);
		changed += differ > 0;
		if (i % 50 && i < NODES)
			continue;
		digest_of(&l, before->rs, was);
		digest_of(&l, after->rs, is);
		cr_expect_eq(memcmp(was, is, DIGEST) != 0, speaks, "%s", before->host);
	}
	cr_expect_eq(changed, NODES + 2);
	load_free(&l);
}

Test(site, the_same_site_gives_the_same_text)
{
	struct load l = load_new();
	const char *text = big_site(&l, 20);
	const struct site_view *one = site_text_load(&l, text), *two = site_text_load(&l, text);

	cr_assert(one && two, "%s", load_all(&l));
	for (size_t i = 0; i < one->plan_count; i++)
		cr_expect_str_eq(plan_text(&l, one, &one->plans[i]),
				 plan_text(&l, two, &two->plans[i]));
	load_free(&l);
}
