// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readings of the vendors' documents that are no verdict: what is refused, warned of and noted
 * when a policy uses a table, and what a rule remembers of its rows. Verdicts are pinned in
 * tests/cases/a*.
 */
#include "pins_fixture.h"

#define DATASYNC(set, rest) "use: [{table: aws-datasync, as: agent, set: {" set "}, " rest "}]"
#define SERVICE(set, rest)                                                                         \
	"use: [{table: aws-datasync, as: datasync-service, set: "                                  \
	"{region: eu-west-1, endpoint: vpc, " set "}, " rest "}]"
#define VPC_PEERS "vpc-endpoint: [10.0.5.10], task-interface: [10.0.5.20/30]"
#define MGN(set, rest) "use: [{table: aws-mgn, as: source-server, set: {" set "}, " rest "}]"

Test(pins, a3_alternatives_are_narrowed_and_never_widened)
{
	expect_refused(DATASYNC("region: r, endpoint: vpc, storage: [smb], smb-ports: [445, 8445]",
				"peers: {smb-server: [10.0.0.1], " VPC_PEERS "}"),
		       "unknown-value", "8445");
}

Test(pins, a7_rows_without_ports_warn_with_their_line_and_strictly_are_errors)
{
	const char *use = SERVICE("storage: [fsx-windows, efs]",
				  "peers: {fsx-windows: [10.25.0.1], efs: [10.24.0.1]}");
	struct outcome lax = load(use, false), strict = load(use, true);
	const struct diag *diag = find(&lax, "row-without-ports", "line 33 of");

	cr_expect_eq(lax.err, 0);
	cr_assert(diag);
	cr_expect_eq(diag->severity, SEV_WARNING);
	cr_expect(strstr(diag->hint, "fsx-windows-ports"));
	cr_expect(strstr(diag->hint, "WindowsGuide"));
	cr_expect_eq(lax.rs->rule_count, 1, "nothing is opened for it");
	cr_expect_neq(strict.err, 0);
	diag = find(&strict, "row-without-ports", "line 33 of");
	cr_expect(diag && diag->severity == SEV_ERROR);
	arena_free(lax.arena);
	arena_free(strict.arena);
}

static bool counts_peers(const char *use)
{
	struct outcome o = load(use, true);
	bool noted = find(&o, "peer-count", "4 addresses of 'task-interface'");

	cr_expect_eq(o.err, 0);
	arena_free(o.arena);
	return noted;
}

Test(pins, a11_other_than_four_task_interfaces_are_noted)
{
#define TASKS(list)                                                                                \
	DATASYNC("region: r, endpoint: vpc, storage: [nfs]",                                       \
		 "peers: {nfs-server: [10.0.0.1], vpc-endpoint: [10.0.5.10], "                     \
		 "task-interface: [" list "]}")
	cr_expect(counts_peers(TASKS("10.0.5.1, 10.0.5.2, 10.0.5.3")));
	cr_expect_not(counts_peers(TASKS("10.0.5.1, 10.0.5.2, 10.0.5.3, 10.0.5.9")));
	cr_expect(counts_peers(TASKS("10.0.5.1, 10.0.5.2, 10.0.5.3, 10.0.5.4, 10.0.5.9")));
	cr_expect_not(counts_peers(TASKS("10.0.5.4/30")));
}

Test(pins, a12_a_support_channel_of_another_kind_of_endpoint_is_refused)
{
	expect_refused(DATASYNC("region: r, endpoint: vpc, storage: [nfs]",
				"peers: {nfs-server: [10.0.0.1], " VPC_PEERS
				"}, with: [support-channel-public]"),
		       "unselected-row", "support-channel-public");
}

Test(pins, a13_the_region_must_be_given_and_is_put_into_every_notation)
{
	expect_refused(DATASYNC("endpoint: vpc, storage: [nfs]",
				"peers: {nfs-server: [10.0.0.1], " VPC_PEERS "}"),
		       "missing-param", "region");
	expect_refused(MGN("s3-access: buckets", "peers: {mgn-api: [10.0.0.1]}"), "missing-param",
		       "region");
	expect_refused(DATASYNC("region: eu-west-1, endpoint: public, storage: [nfs]",
				"peers: {nfs-server: [10.0.0.1]}"),
		       "name-unsupported", "datasync.eu-west-1.amazonaws.com");
	expect_refused(
		DATASYNC("region: eu-west-1, endpoint: fips, phase: activation, storage: [nfs]",
			 "peers: {nfs-server: [10.0.0.1]}"),
		"name-unsupported", "activation.datasync-fips.eu-west-1.amazonaws.com");
	expect_refused(MGN("region: eu-west-1", "peers: {mgn-api: [10.0.0.1]}"), "name-unsupported",
		       "aws-mgn-clients-eu-west-1.s3.eu-west-1.amazonaws.com");
}

Test(pins, a18_pool_names_ask_for_servers_of_the_site)
{
	expect_refused(DATASYNC("region: eu-west-1, endpoint: public, storage: [nfs]",
				"peers: {nfs-server: [10.0.0.1]}"),
		       "name-unsupported", "0.amazon.pool.ntp.org");
}

Test(pins, a22_all_of_s3_is_never_implied)
{
	expect_refused(MGN("region: r, s3-access: prefixes",
			   "peers: {mgn-api: [10.0.0.1], replication-server: [10.0.0.2]}"),
		       "missing-peer", "'s3'");
	expect_refused(MGN("region: r",
			   "peers: {mgn-api: [10.0.0.1], replication-server: [10.0.0.2], "
			   "s3-buckets: [10.0.0.3], s3: [10.0.0.0/8]}"),
		       "unused-peer", "'s3'");
}

Test(pins, a_missing_peer_names_the_row_and_its_line)
{
	expect_refused(
		DATASYNC("region: r, endpoint: vpc, storage: [nfs]", "peers: {" VPC_PEERS "}"),
		"missing-peer", "row 'nfs' (line 17 of 000_ee72648cc9f0460d.txt)");
}

/* ---------------------------------------------------------------- what a rule remembers */

Test(pins, a25_one_rule_keeps_every_line_that_tells_of_it)
{
	struct outcome o =
		load(MGN("region: r", "peers: {mgn-api: [10.0.0.1], s3-buckets: [10.0.0.3], "
				      "replication-server: [10.0.0.2]}"),
		     true);
	const struct rule *rule = rule_of(&o, "aws-mgn/source-api");

	cr_expect_eq(o.rs->rule_count, 3);
	cr_expect_eq(rule_origin(rule)->line, 94);
	cr_expect_str_eq(rule_origin(rule)->lines, "35, 63, 88, 94, 118");
	rule = rule_of(&o, "aws-mgn/replication-data");
	cr_expect_eq(rule_origin(rule)->line, 195);
	cr_expect_str_eq(rule_origin(rule)->lines, "35, 195, 207");
	arena_free(o.arena);
}

Test(pins, a24_the_ec2_endpoint_is_marked_as_inferred)
{
	struct outcome o =
		load("use: [{table: aws-mgn, as: replication-server, set: {region: r}, peers: "
		     "{mgn-api: [10.0.0.1], s3-buckets: [10.0.0.3], ec2-api: [10.0.0.4], "
		     "source-server: [10.0.0.5]}}]",
		     true);
	const struct rule *rule = rule_of(&o, "aws-mgn/replication-ec2");

	cr_expect_eq(rule_origin(rule)->line, 84);
	cr_expect(strstr(rule_origin(rule)->note, "inferred"));
	arena_free(o.arena);
}

Test(pins, a1_smb_over_udp_is_marked_as_unused_in_practice)
{
	struct outcome o = load(DATASYNC("region: r, endpoint: vpc, storage: [smb]",
					 "peers: {smb-server: [10.0.0.1], " VPC_PEERS "}"),
				true);

	cr_expect(strstr(rule_origin(rule_of(&o, "aws-datasync/smb-udp"))->note,
			 "unused in practice"));
	cr_expect_null(rule_origin(rule_of(&o, "aws-datasync/smb"))->note);
	cr_expect_eq(rule_origin(rule_of(&o, "aws-datasync/smb-udp"))->line, 18);
	arena_free(o.arena);
}

Test(pins, a26_rules_of_the_site_are_told_from_those_of_a_table)
{
	struct outcome o = load(
		DATASYNC("region: r, endpoint: vpc, storage: [nfs]",
			 "peers: {nfs-server: [10.0.0.1], " VPC_PEERS
			 "}") "\nrules: [{id: nlm, direction: egress, peer: [10.0.0.1], ports: "
			      "[4045/tcp], action: allow}]",
		true);

	cr_expect_null(rule_origin(rule_of(&o, "nlm"))->table);
	cr_expect_str_eq(rule_origin(rule_of(&o, "aws-datasync/nfs"))->table, "aws-datasync");
	arena_free(o.arena);
}
