// SPDX-License-Identifier: GPL-2.0-only
/*
 * As tables_pins.c, for the documents of Skyline, NetApp and Qumulo.
 */
#include "pins_fixture.h"

#define DATAMINER(as, set, peers)                                                                  \
	"use: [{table: dataminer, as: " as ", set: {transport: grpc, " set "}, peers: {" peers "}}]"
#define QUMULO(set, peers)                                                                         \
	"use: [{table: qumulo, as: node, set: {" set "}, peers: {" peers "}, without: "            \
	"[active-directory]}]"
#define QUMULO_PEERS                                                                               \
	"nfs-client: 10.1.0.1, dns-server: 10.1.0.1, kdc: 10.1.0.1, ntp-server: 10.1.0.1, "        \
	"domain-controller: 10.1.0.1, ldap-server: 10.1.0.1, s3: 10.1.0.1, "                       \
	"syslog-server: 10.1.0.1, replication-peer: 10.1.0.1"

Test(pins, a28_the_transport_is_a_choice_that_must_be_made)
{
	expect_refused("use: [{table: dataminer, as: cassandra, peers: {cassandra: 10.0.0.1, "
		       "agent: 10.0.0.2}}]",
		       "missing-param", "transport");
}

Test(pins, a29_a_direction_that_the_vendor_does_not_print_is_marked_as_inferred)
{
	struct outcome o = load(DATAMINER("snmp-device", "", "agent: 10.0.0.1"), true);

	cr_expect(strstr(rule_origin(rule_of(&o, "dataminer/snmp-poll"))->note, "inferred"));
	cr_expect_eq(rule_of(&o, "dataminer/snmp-poll")->dir, FR_INGRESS);
	cr_expect_eq(rule_of(&o, "dataminer/snmp-trap")->dir, FR_EGRESS);
	arena_free(o.arena);
}

Test(pins, a30_one_rule_remembers_both_lines)
{
	struct outcome o = load(
		DATAMINER("elasticsearch", "", "agent: 10.0.0.1, elasticsearch: 10.0.0.2"), true);
	const struct rule *rule = rule_of(&o, "dataminer/elasticsearch");

	cr_expect_eq(rule_origin(rule)->line, 22);
	cr_expect_str_eq(rule_origin(rule)->lines, "22, 27");
	arena_free(o.arena);
}

Test(pins, a31_a_release_that_does_not_parse_is_an_error_and_none_is_the_newest)
{
	struct outcome o =
		load(DATAMINER("nats-server", "", "agent: 10.0.0.1, nats-server: 10.0.0.2"), true);

	expect_refused(DATAMINER("cassandra", "dataminer-version: ten", "cassandra: 10.0.0.1"),
		       "bad-version", "'ten' is not a version");
	cr_expect_eq(o.err, 0);
	cr_expect_eq(rule_origin(rule_of(&o, "dataminer/nats-accounts"))->line, 31);
	arena_free(o.arena);
}

Test(pins, a31_metrics_of_nats_are_for_internal_networks)
{
	expect_refused(
		"use: [{table: dataminer, as: nats-server, set: {transport: grpc}, peers: "
		"{agent: 10.0.0.1, nats-server: 10.0.0.2, nats-monitor: any}, with: [nats-monitoring]}]",
		"internal-row", "row 'nats-monitoring' (line 30 of");
}

Test(pins, a32_an_internal_row_is_never_opened_to_any)
{
	expect_refused(DATAMINER("cloud-gateway", "", "agent: any"), "internal-row",
		       "row 'cloud-gateway' (line 32 of");
}

Test(pins, a35_the_destination_is_told_to_be_inferred)
{
	struct outcome o = load("use: [{table: snapmirror-active-sync, as: management-lif, peers: "
				"{aiqum: 10.0.0.1}, with: [aiqum-out, aiqum-in]}]",
				true);

	cr_expect(strstr(rule_origin(rule_of(&o, "snapmirror-active-sync/aiqum-out"))->note,
			 "inferred"));
	arena_free(o.arena);
}

Test(pins, a38_the_missing_text_is_a_warning_with_its_line_and_strictly_an_error)
{
	const char *use = "use: [{table: qumulo, as: node, set: {platform: azure}, peers: {"
			  "client: 10.0.0.1, " QUMULO_PEERS "}}]";
	struct outcome lax = load(use, false), strict = load(use, true);
	const struct diag *diag = find(&lax, "row-without-ports", "line 5 of");

	cr_expect_eq(lax.err, 0);
	cr_assert(diag);
	cr_expect_eq(diag->severity, SEV_WARNING);
	cr_expect(strstr(diag->hint, "active-directory-ports"));
	cr_expect_neq(strict.err, 0);
	arena_free(lax.arena);
	arena_free(strict.arena);
}

Test(pins, a39_clients_must_be_given_and_any_must_be_spelled_out)
{
	struct outcome o = load(QUMULO("platform: azure", "client: any, " QUMULO_PEERS), false);

	expect_refused(QUMULO("platform: azure", QUMULO_PEERS), "missing-peer", "role 'client'");
	expect_refused(QUMULO("platform: azure", "client: [], " QUMULO_PEERS), "missing-peer",
		       "is empty");
	cr_expect(rule_of(&o, "qumulo/smb")->any_peer);
	arena_free(o.arena);
}

Test(pins, a40_a_platform_that_nobody_knows_is_an_error)
{
	expect_refused(QUMULO("platform: gcp", "client: 10.0.0.1, " QUMULO_PEERS), "unknown-value",
		       "param 'platform' cannot be 'gcp'");
	expect_refused(QUMULO("", "client: 10.0.0.1, " QUMULO_PEERS), "missing-param", "platform");
}

Test(pins, a41_a_row_that_opens_every_high_port_says_so)
{
	struct outcome o =
		load(QUMULO("platform: azure", "client: 10.0.0.1, " QUMULO_PEERS), false);

	cr_expect(strstr(rule_origin(rule_of(&o, "qumulo/ftp-passive"))->note, "every high port"));
	arena_free(o.arena);
}

Test(pins, a43_a44_rows_that_are_not_enough_name_the_table_that_is)
{
	struct outcome o =
		load(QUMULO("platform: azure", "client: 10.0.0.1, " QUMULO_PEERS), false);

	cr_expect(strstr(rule_origin(rule_of(&o, "qumulo/nlm-portmapper"))->note, "nfs-locks"));
	cr_expect(strstr(rule_origin(rule_of(&o, "qumulo/dcerpc"))->note, "msrpc-dynamic"));
	arena_free(o.arena);
}
