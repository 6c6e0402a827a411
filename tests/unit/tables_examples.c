/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shipped examples: each passes the strictest check, is short enough for a change review, and
 * grants the traffic that it demonstrates.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

#include "../judges.h"

/* The policies; site_plan.c tests site.yaml. */
#define EXAMPLES_GLOB "policies/examples/*-*.yaml"

enum { LINES_MAX = 60, EXAMPLES = 12 };

static struct ruleset *example_load(struct arena *arena, const char *path, struct diags *d)
{
	const struct policy_options options = {.strict = true};
	struct ruleset *rs = NULL;
	int err;

	d->arena = arena;
	err = policy_load(path, &options, d, &rs);
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].severity != SEV_NOTE)
			cr_expect(false, "%s:%u: %s", path, d->list[i].loc.line,
				  d->list[i].message);
	cr_assert_eq(err, 0, "%s is rejected", path);
	return rs;
}

static size_t lines_of(const struct source *source)
{
	size_t lines = 0;

	for (size_t i = 0; i < source->size; i++)
		lines += source->text[i] == '\n';
	return lines;
}

Test(examples, every_example_is_right_short_and_writes_its_failsafe)
{
	glob_t found;

	cr_assert_eq(glob(EXAMPLES_GLOB, 0, NULL, &found), 0);
	cr_expect_geq(found.gl_pathc, EXAMPLES);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct arena *arena CLEANUP(arena_drop) = arena_new();
		struct diags d = {0};
		struct ruleset *rs = example_load(arena, found.gl_pathv[i], &d);

		cr_expect_lt(lines_of(rs->source), LINES_MAX, "%s", found.gl_pathv[i]);
		cr_expect_not(rs->failsafe_open, "%s: failsafe is not written", found.gl_pathv[i]);
		cr_expect_not(rs->enforce, "%s: an example is watched first", found.gl_pathv[i]);
	}
	globfree(&found);
}

static struct tuple tuple_of(uint8_t dir, uint8_t proto, const char *peer, uint16_t port)
{
	struct tuple tuple = {.dir = dir, .proto = proto, .port = port};

	cr_assert_eq(addr_parse(peer, &tuple.peer), NET_OK);
	return tuple;
}

static void expect_row(const char *path, struct tuple tuple, const char *rule, uint32_t line)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {0};
	struct ruleset *rs = example_load(arena, path, &d);
	const char *name = rule ?: "nothing";
	struct decision decision;

	ruleset_decide(rs, &tuple, &decision);
	cr_expect_eq(decision.verdict, rule ? FR_PASS : FR_WOULD_DROP, "%s: %s", path, name);
	if (!rule || decision.verdict != FR_PASS)
		return;
	cr_expect_str_eq(ruleset_rule_name(rs, decision.rule), rule);
	cr_expect_eq(rule_origin(ruleset_rule(rs, decision.rule))->line, line);
}

Test(examples, both_ends_of_the_nfs_row_are_open_and_no_more)
{
	const char *agent = "policies/examples/datasync-agent-vpc.yaml";
	const char *tap = "policies/examples/datasync-appliance-tap.yaml";
	const char *server = "policies/examples/nfs-server.yaml";

	expect_row(agent, tuple_of(FR_EGRESS, PROTO_TCP, "10.20.0.5", 2049), "aws-datasync/nfs", 0);
	expect_row(agent, tuple_of(FR_INGRESS, PROTO_TCP, "10.20.0.5", 2049), NULL, 0);
	expect_row(agent, tuple_of(FR_EGRESS, PROTO_TCP, "10.20.1.5", 2049), NULL, 0);
	expect_row(tap, tuple_of(FR_EGRESS, PROTO_TCP, "fd00:1:20::7", 2049), "aws-datasync/nfs",
		   0);
	expect_row(tap, tuple_of(FR_EGRESS, PROTO_UDP, "10.1.20.7", 635), "nfsv3/mountd", 0);
	expect_row(server, tuple_of(FR_INGRESS, PROTO_TCP, "10.0.5.79", 2049), "aws-datasync/nfs",
		   0);
	expect_row(server, tuple_of(FR_EGRESS, PROTO_TCP, "10.0.5.79", 2049), NULL, 0);
	expect_row(server, tuple_of(FR_INGRESS, PROTO_TCP, "10.0.5.80", 2049), NULL, 0);
}

Test(examples, both_ends_of_the_replication_row_are_open_and_no_more)
{
	const char *source = "policies/examples/mgn-source-server.yaml";
	const char *gateway = "policies/examples/mgn-replication-gateway.yaml";

	expect_row(source, tuple_of(FR_EGRESS, PROTO_TCP, "10.30.2.9", 1500),
		   "aws-mgn/replication-data", 0);
	expect_row(source, tuple_of(FR_INGRESS, PROTO_TCP, "10.30.2.9", 443), NULL, 0);
	expect_row(gateway, tuple_of(FR_INGRESS, PROTO_TCP, "192.0.2.77", 1500),
		   "aws-mgn/replication-data", 0);
	expect_row(gateway, tuple_of(FR_EGRESS, PROTO_TCP, "192.0.2.77", 1500), NULL, 0);
}

/* A node of each of two clusters, as the other's peer: what the one lets out, the other lets in. */
static const struct ruleset *cluster_load(struct arena *arena, const char *own, const char *other)
{
	struct policy_options options = {.tables_dir = "policies/tables"};
	struct diags d = {.arena = arena};
	struct ruleset *rs = NULL;
	const char *text;

	text = arena_printf(arena,
			    "apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: node}\n"
			    "mode: enforce\nattach: {interfaces: [eth0]}\nfailsafe: []\nuse:\n"
			    "  - table: qumulo\n    as: node\n    set: {platform: azure}\n"
			    "    peers: {client: 10.9.0.0/24, local-subnet-ipv4: %s, "
			    "replication-peer: %s}\n"
			    "    without: [active-directory, dns, kerberos, nlm-portmapper, ntp, "
			    "dcerpc, ldap, shift, syslog]\n",
			    own, other);
	options.instead =
		&(const struct source){.name = "node.yaml", .text = text, .size = strlen(text)};
	cr_assert_eq(policy_load("node.yaml", &options, &d, &rs), 0, "%s",
		     d.count ? d.list[0].message : "");
	return rs;
}

static bool cluster_lets(const struct ruleset *rs, uint8_t dir, const char *peer, uint16_t port)
{
	struct tuple tuple = tuple_of(dir, PROTO_TCP, peer, port);
	struct decision decision;

	ruleset_decide(rs, &tuple, &decision);
	return decision.verdict == FR_PASS;
}

Test(examples, two_clusters_replicate_to_each_other)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	const struct ruleset *a = cluster_load(arena, "10.1.0.0/28", "10.2.0.0/28");
	const struct ruleset *b = cluster_load(arena, "10.2.0.0/28", "10.1.0.0/28");

	for (uint16_t port = 3711; port <= 3713; port++) {
		bool replicates = port == 3712;

		cr_expect_eq(cluster_lets(a, FR_EGRESS, "10.2.0.3", port), replicates);
		cr_expect_eq(cluster_lets(b, FR_INGRESS, "10.1.0.3", port), replicates);
		cr_expect_eq(cluster_lets(b, FR_EGRESS, "10.1.0.3", port), replicates);
		cr_expect_eq(cluster_lets(a, FR_INGRESS, "10.2.0.3", port), replicates);
	}
	cr_expect_not(cluster_lets(a, FR_INGRESS, "10.9.0.7", 3712), "a client is no cluster");
	cr_expect(cluster_lets(a, FR_INGRESS, "10.9.0.7", 8000));
}

Test(examples, hosts_of_the_other_vendors_serve_their_rows_and_no_more)
{
	const char *mediator = "policies/examples/ontap-mediator.yaml";
	const char *cassandra = "policies/examples/dataminer-cassandra.yaml";
	const char *elastic = "policies/examples/dataminer-elasticsearch.yaml";
	const char *nats = "policies/examples/dataminer-nats.yaml";
	const char *client = "policies/examples/qumulo-client.yaml";

	expect_row(mediator, tuple_of(FR_INGRESS, PROTO_TCP, "10.50.1.17", 31784),
		   "snapmirror-active-sync/mediator-service", 0);
	expect_row(mediator, tuple_of(FR_EGRESS, PROTO_TCP, "10.50.1.17", 31784), NULL, 0);
	expect_row(cassandra, tuple_of(FR_INGRESS, PROTO_TCP, "10.40.1.12", 7001),
		   "dataminer/cassandra-nodes-tls", 0);
	expect_row(cassandra, tuple_of(FR_INGRESS, PROTO_TCP, "10.40.1.12", 9042), NULL, 0);
	expect_row(elastic, tuple_of(FR_INGRESS, PROTO_TCP, "10.40.0.17", 9200),
		   "dataminer/elasticsearch", 0);
	expect_row(elastic, tuple_of(FR_INGRESS, PROTO_TCP, "10.40.0.17", 9300), NULL, 0);
	expect_row(nats, tuple_of(FR_INGRESS, PROTO_TCP, "10.40.3.12", 6222),
		   "dataminer/nats-cluster", 0);
	expect_row(nats, tuple_of(FR_INGRESS, PROTO_TCP, "10.0.9.20", 8222),
		   "dataminer/nats-monitoring", 0);
	expect_row(client, tuple_of(FR_EGRESS, PROTO_TCP, "10.60.0.3", 445), "qumulo/smb", 52);
	expect_row(client, tuple_of(FR_EGRESS, PROTO_TCP, "10.60.0.3", 40000), NULL, 0);
	expect_row(client, tuple_of(FR_INGRESS, PROTO_TCP, "10.60.0.3", 4045),
		   "nfs-locks/lockd-callback", 0);
}

/* ---------------------------------------------------------------- both judges, at every corner */

struct bench {
	const char *path;
	const struct ruleset *rs;
	struct image image;
	size_t passed, refused;
};

static int judge_corner(const struct tuple *tuple, void *context)
{
	struct bench *bench = context;
	struct decision oracle = {0}, image = {0};
	char what[96], first[96], second[96];

	ruleset_decide(bench->rs, tuple, &oracle);
	image_decide(&bench->image, tuple, &image);
	if (oracle.verdict == FR_PASS)
		bench->passed++;
	else
		bench->refused++;
	cr_assert(decision_equal(&oracle, &image), "%s, %s: oracle says %s, image says %s",
		  bench->path, judge_tuple_text(tuple, what), judge_decision_text(&oracle, first),
		  judge_decision_text(&image, second));
	return 0;
}

Test(examples, mean_the_same_compiled_at_every_corner, .timeout = 120)
{
	glob_t found;

	cr_assert_eq(glob(EXAMPLES_GLOB, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct arena *arena CLEANUP(arena_drop) = arena_new();
		struct bench bench = {.path = found.gl_pathv[i]};
		struct diags d = {0};

		bench.rs = example_load(arena, bench.path, &d);
		cr_assert_eq(image_compile(bench.rs, &d, &bench.image), 0, "%s", bench.path);
		boundary_tuples(bench.rs, 1, 50000, judge_corner, &bench);
		cr_expect(bench.passed && bench.refused, "%s: %zu passed, %zu refused", bench.path,
			  bench.passed, bench.refused);
		image_free(&bench.image);
	}
	globfree(&found);
}
