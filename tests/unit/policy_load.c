/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The meaning of a good policy: rules, ids, params, peers, ports, failsafe, switches, and the notes
 * and warnings that go with it.
 */
#include "../thin.h"
#include "policy_fixture.h"

static const char table_text[] =
	"apiVersion: flowreeve/v1\n"
	"kind: PortTable\n"
	"metadata: {name: acme, title: Acme, document: acme.txt}\n"
	"params:\n"
	"  region: {type: string, required: true}\n"
	"  storage: {type: set, values: [nfs, smb, hdfs, fsx], default: [nfs]}\n"
	"  phase: {type: enum, values: [activation, active], default: active}\n"
	"  fast: {type: bool, default: no}\n"
	"  smb-ports: {type: ports, any-of: [139, 445]}\n"
	"  web-port: {type: port, default: 8020}\n"
	"  fsx-ports: {type: ports}\n"
	"roles:\n"
	"  agent: {title: Agent}\n"
	"  nfs-server: {title: NFS server, expect: 4}\n"
	"  smb-server: {}\n"
	"  web: {}\n"
	"  fsx: {}\n"
	"  browser: {}\n"
	"  api: {names: [\"api.${region}.example.com\"]}\n"
	"  support: {addresses: [54.201.223.107/32]}\n"
	"rows:\n"
	"  - id: nfs\n"
	"    from: agent\n"
	"    to: nfs-server\n"
	"    ports: [2049/tcp, 2049/udp]\n"
	"    when: {storage: nfs}\n"
	"    purpose: mounts\n"
	"    note: inferred\n"
	"    source: {section: storage, line: 17, lines: [17, 94]}\n"
	"  - {id: smb, from: agent, to: smb-server, ports: [\"${smb-ports}/tcp\"], when: {storage: smb}}\n"
	"  - {id: web, from: agent, to: web, ports: [\"${web-port}/tcp\"], when: {storage: [hdfs, smb], fast: on}}\n"
	"  - {id: fsx, from: agent, to: fsx, ports: [\"${fsx-ports}\"], see: \"https://x/y\", when: {storage: fsx}, source: {line: 33}}\n"
	"  - {id: key, from: browser, to: agent, ports: [80/tcp], when: {phase: activation}}\n"
	"  - {id: peer, from: agent, to: agent, ports: [7000/tcp], optional: true}\n"
	"  - {id: api, from: agent, to: api, ports: [443/tcp], optional: true}\n"
	"  - {id: support, from: agent, to: support, ports: [22/tcp], optional: true, source: {line: 72}}\n";

#define USE(text) HEAD "use: [{table: acme, " text "}]\n"

static struct load load_good(const char *text)
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml", table_text);
	cr_assert_eq(load_text(&l, text), 0, "%s", load_all(&l));
	return l;
}

Test(policy, a_row_is_an_egress_rule_at_from_and_an_ingress_rule_at_to)
{
	struct load l =
		load_good(USE("as: agent, set: {region: eu}, peers: {nfs-server: 10.0.0.0/30}"));
	const struct rule *rule = load_rule(&l, "acme/nfs", FR_EGRESS);

	cr_assert_eq(l.rs->rule_count, 1);
	cr_assert_str_eq(rule_services(&l, rule), "2049/tcp 2049/udp");
	cr_assert_str_eq(rule_peers(&l, rule), "10.0.0.0/30");
	cr_assert_str_eq(rule_origin(rule)->table, "acme");
	cr_assert_str_eq(rule_origin(rule)->row, "nfs");
	cr_assert_eq(rule_origin(rule)->line, 17);
	cr_assert_str_eq(rule_origin(rule)->lines, "17, 94");
	cr_assert_str_eq(rule_origin(rule)->document, "acme.txt");
	cr_assert_str_eq(rule_origin(rule)->section, "storage");
	cr_assert_str_eq(rule_origin(rule)->purpose, "mounts");
	cr_assert_str_eq(rule_origin(rule)->note, "inferred");
	cr_assert_str_eq(rule->role, "nfs-server");
	cr_assert_eq(l.d.count, 0, "%s", load_all(&l));
	load_free(&l);

	l = load_good(
		USE("as: nfs-server, set: {region: eu}, peers: {agent: [10.0.1.1, 10.0.1.2]}"));
	rule = load_rule(&l, "acme/nfs", FR_INGRESS);
	cr_assert_eq(l.rs->rule_count, 1);
	cr_assert_str_eq(rule_peers(&l, rule), "10.0.1.1 10.0.1.2");
	cr_assert_str_eq(rule->role, "agent");
	load_free(&l);
}

Test(policy, a_row_between_equals_is_both)
{
	struct load l = load_good(USE("as: agent, set: {region: eu}, with: [peer], "
				      "peers: {nfs-server: any, agent: 10.0.0.9}"));

	cr_assert_eq(l.rs->rule_count, 3);
	cr_assert(load_rule(&l, "acme/peer", FR_EGRESS));
	cr_assert(load_rule(&l, "acme/peer", FR_INGRESS));
	load_free(&l);
}

Test(policy, ports_params_narrow_and_port_params_replace)
{
	struct load l =
		load_good(USE("as: agent, set: {region: eu, storage: [smb, hdfs], fast: yes}, "
			      "peers: {smb-server: any, web: any}"));

	cr_assert_eq(l.rs->rule_count, 2);
	cr_assert_str_eq(rule_services(&l, load_rule(&l, "acme/smb", FR_EGRESS)),
			 "139/tcp 445/tcp");
	cr_assert_str_eq(rule_services(&l, load_rule(&l, "acme/web", FR_EGRESS)), "8020/tcp");
	load_free(&l);

	l = load_good(USE("as: agent, set: {region: eu, storage: smb, fast: on, smb-ports: [445], "
			  "web-port: 9000}, peers: {smb-server: any, web: any}"));
	cr_assert_str_eq(rule_services(&l, load_rule(&l, "acme/smb", FR_EGRESS)), "445/tcp");
	cr_assert_str_eq(rule_services(&l, load_rule(&l, "acme/web", FR_EGRESS)), "9000/tcp");
	load_free(&l);
}

Test(policy, phase_selects_rows)
{
	struct load l = load_good(USE("as: agent, set: {region: eu, phase: activation}, "
				      "peers: {nfs-server: any, browser: 10.0.0.7}"));

	cr_assert_eq(l.rs->rule_count, 2);
	cr_assert(load_rule(&l, "acme/key", FR_INGRESS));
	load_free(&l);
}

Test(policy, optional_rows_are_off_unless_named)
{
	struct load l =
		load_good(USE("as: agent, set: {region: eu}, with: [support], without: [nfs]"));

	cr_assert_eq(l.rs->rule_count, 1);
	cr_assert_str_eq(rule_peers(&l, load_rule(&l, "acme/support", FR_EGRESS)),
			 "54.201.223.107");
	load_free(&l);

	l = load_good(USE("as: agent, set: {region: eu}, with: [support], without: [nfs], "
			  "peers: {support: 10.9.9.9}"));
	cr_assert_str_eq(rule_peers(&l, load_rule(&l, "acme/support", FR_EGRESS)), "10.9.9.9");
	load_free(&l);
}

Test(policy, peers_replace_names_and_say_so)
{
	struct load l = load_good(USE("as: agent, set: {region: eu}, with: [api], "
				      "peers: {nfs-server: 10.0.0.0/30, api: 10.0.0.3}"));

	cr_assert_str_eq(rule_peers(&l, load_rule(&l, "acme/api", FR_EGRESS)), "10.0.0.3");
	cr_assert_eq(l.d.count, 1, "%s", load_all(&l));
	cr_assert_str_eq(l.d.list[0].check, "names-replaced");
	cr_assert_eq(l.d.list[0].severity, SEV_NOTE);
	load_free(&l);
}

Test(policy, the_four_notations_of_the_region_are_one_param)
{
	static const char *const notations[] = {"${region}", "$activation_region", "{region}",
						"<region>", "<REGION>"};

	for (size_t i = 0; i < ARRAY_SIZE(notations); i++) {
		struct load l = load_new();

		load_file(&l, "tables/t.yaml",
			  arena_printf(l.d.arena,
				       "apiVersion: flowreeve/v1\nkind: PortTable\n"
				       "metadata: {name: t}\nparams: {region: {type: string}}\n"
				       "roles: {a: {}, b: {names: [\"x-%s.s3.%s.aws.com\"]}}\n"
				       "rows: [{id: r, from: a, to: b, ports: [1/tcp]}]\n",
				       notations[i], notations[i]));
		load_text(&l, HEAD "use: [{table: t, as: a, set: {region: eu-west-1}}]\n");
		cr_assert(strstr(l.d.list[0].message, "(x-eu-west-1.s3.eu-west-1.aws.com)"), "%s",
			  load_all(&l));
		l.d.count = l.d.errors = 0;
		load_text(&l, HEAD "use: [{table: t, as: a}]\n");
		cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
		cr_assert_str_eq(l.d.list[0].check, "missing-param");
		load_free(&l);
	}
}

/* A row whose ports are an empty list has a source, which the hint repeats, and no param to set. */
Test(policy, a_row_with_an_empty_list_of_ports_opens_nothing_and_names_its_source)
{
	static const char table[] =
		"apiVersion: flowreeve/v1\nkind: PortTable\nmetadata: {name: t}\n"
		"roles: {a: {}, b: {}}\n"
		"rows: [{id: linked, from: a, to: b, ports: [], see: \"https://x/ports\"},\n"
		"       {id: open, from: a, to: b, ports: [1/tcp]}]\n";
	static const char use[] = HEAD "use: [{table: t, as: a, peers: {b: 10.0.0.1}}]\n";

	for (int strict = 0; strict < 2; strict++) {
		struct load l = load_new();

		l.options.strict = strict;
		load_file(&l, "tables/t.yaml", table);
		load_text(&l, use);
		cr_assert_eq(l.d.count, 1, "%s", load_all(&l));
		cr_expect_eq(l.d.errors, (size_t)strict);
		cr_expect_str_eq(l.d.list[0].check, "row-without-ports");
		cr_expect(strstr(l.d.list[0].message, "row 'linked' ("), "%s", load_all(&l));
		cr_expect_str_eq(l.d.list[0].hint, "write a rule of your own, and without: "
						   "[linked]; see https://x/ports");
		if (!strict)
			cr_assert_eq(l.rs->rule_count, 1);
		if (!strict)
			cr_expect_str_eq(l.rs->rules[0].id, "t/open");
		load_free(&l);
	}
}

Test(policy, rows_without_ports_stay_closed_and_are_loud)
{
	struct load l = load_good(USE("as: agent, set: {region: eu, storage: [nfs, fsx]}, "
				      "peers: {nfs-server: 10.0.0.0/30, fsx: 10.0.0.9}"));

	cr_assert_eq(l.rs->rule_count, 1);
	cr_assert_eq(l.d.warnings, 1, "%s", load_all(&l));
	cr_assert_str_eq(l.d.list[0].check, "row-without-ports");
	cr_assert(strstr(l.d.list[0].message, "'fsx' (line 33 of acme.txt)"));
	cr_assert(strstr(l.d.list[0].hint, "fsx-ports") && strstr(l.d.list[0].hint, "https://x/y"));
	load_free(&l);

	l = load_new();
	l.options.strict = true;
	load_file(&l, "tables/acme.yaml", table_text);
	load_text(&l, USE("as: agent, set: {region: eu, storage: [nfs, fsx]}, "
			  "peers: {nfs-server: 10.0.0.0/30, fsx: 10.0.0.9}"));
	cr_assert_eq(l.d.errors, 1);
	load_free(&l);

	l = load_good(
		USE("as: agent, set: {region: eu, storage: fsx, fsx-ports: [445/tcp, 5985/tcp]}, "
		    "peers: {fsx: 10.0.0.9}"));
	cr_assert_str_eq(rule_services(&l, load_rule(&l, "acme/fsx", FR_EGRESS)),
			 "445/tcp 5985/tcp");
	cr_assert_eq(l.d.count, 0);
	load_free(&l);
}

Test(policy, a_second_use_of_a_row_gets_a_number)
{
	struct load l = load_good(
		HEAD
		"use:\n"
		"  - {table: acme, as: agent, set: {region: eu}, peers: {nfs-server: 10.0.0.1}}\n"
		"  - {table: acme, as: agent, set: {region: us}, peers: {nfs-server: 10.0.0.2}}\n"
		"  - {table: acme, as: nfs-server, set: {region: us}, peers: {agent: 10.0.0.2}}\n"
		"  - {table: acme, as: agent, set: {region: us}, peers: {nfs-server: 10.0.0.3}}\n");

	cr_assert_eq(l.rs->rule_count, 4);
	cr_assert_str_eq(l.rs->rules[0].id, "acme/nfs");
	cr_assert_str_eq(l.rs->rules[1].id, "acme/nfs#2");
	cr_assert_str_eq(l.rs->rules[2].id, "acme/nfs");
	cr_assert_str_eq(l.rs->rules[3].id, "acme/nfs#3");
	cr_assert_str_eq(rule_origin(&l.rs->rules[3])->row, "nfs");
	load_free(&l);
}

Test(policy, fewer_or_more_peers_than_the_vendor_speaks_of_is_noted)
{
	struct load l = load_good(
		USE("as: agent, set: {region: eu}, peers: {nfs-server: [10.0.0.0/30, 10.0.0.9]}"));

	cr_assert_eq(l.d.count, 1);
	cr_assert_str_eq(l.d.list[0].check, "peer-count");
	cr_assert(strstr(l.d.list[0].message, "4 addresses of 'nfs-server'; 5 are given"), "%s",
		  load_all(&l));
	load_free(&l);
}

Test(policy, rules_stand_in_the_order_use_rules_failsafe)
{
	struct load l = load_good(
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
		"attach: {guests: tap0}\n"
		"failsafe: [22/tcp, {id: console, peer: 10.0.0.0/24, ports: [443/tcp, 80/tcp]}]\n"
		"rules:\n"
		"  - {id: r, direction: ingress, peer: [10.0.0.0/8, local-subnet], ports: icmp/echo-request, action: deny, mode: audit}\n"
		"  - {id: r, direction: egress, peer: any, ports: any, action: allow, purpose: all of it}\n"
		"use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: 10.0.0.0/30}}]\n");
	struct rule *rules = l.rs->rules;

	cr_assert_eq(l.rs->rule_count, 5);
	cr_assert_str_eq(rules[0].id, "acme/nfs");
	cr_assert_str_eq(rules[1].id, "r");
	cr_assert(rules[1].staged && rules[1].needs_local && rules[1].action == FR_DENY);
	cr_assert_str_eq(rule_services(&l, &rules[1]), "icmp/8 icmpv6/128");
	cr_assert_str_eq(rules[2].id, "r");
	cr_assert(rules[2].any_peer && rules[2].services[0].any_proto);
	cr_assert_str_eq(rule_origin(&rules[2])->purpose, "all of it");
	cr_assert_str_eq(rules[3].id, "failsafe/1");
	cr_assert(rules[3].any_peer && rules[3].action == FR_FAILSAFE_ALLOW);
	cr_assert_str_eq(rules[4].id, "console");
	cr_assert_eq(rules[4].dir, FR_INGRESS);
	cr_assert_not(l.rs->failsafe_open);
	cr_assert_not(l.rs->enforce);
	cr_assert_eq(l.rs->attach[0].kind, FR_KIND_GUEST);
	load_free(&l);
}

/* As an alternative name of a device can be. */
Test(policy_load, the_name_of_an_interface_may_have_127_characters)
{
	struct load l = load_new();
	char name[128];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	load_text(&l, arena_printf(l.d.arena,
				   "apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\n"
				   "mode: audit\nattach: {interfaces: [%s]}\nfailsafe: []\n" RULE,
				   name));
	cr_assert_eq(l.err, 0);
	cr_expect_str_eq(l.rs->attach[0].name, name);
	load_free(&l);
}

static struct load failsafe_absent(const char *mode, const char *attach)
{
	struct load l = load_new();

	cr_assert_eq(
		load_text(&l, arena_printf(l.d.arena,
					   "apiVersion: flowreeve/v1\nkind: Policy\n"
					   "metadata: {name: t}\nmode: %s\nattach: {%s}\n" RULE,
					   mode, attach)),
		0, "%s", load_all(&l));
	return l;
}

Test(policy, absent_failsafe_is_ssh_on_hosts_never_on_guests)
{
	struct load l = failsafe_absent("enforce", "interfaces: eth0");
	const struct rule *ssh = load_rule(&l, "failsafe/ssh", FR_INGRESS);

	cr_assert(ssh && ssh->any_peer && l.rs->failsafe_open);
	cr_assert_str_eq(rule_services(&l, ssh), "22/tcp");
	cr_assert_eq(l.d.warnings, 1);
	cr_assert_str_eq(l.d.list[0].check, "failsafe-open");
	load_free(&l);

	l = failsafe_absent("audit", "cgroups: /system.slice");
	cr_assert(load_rule(&l, "failsafe/ssh", FR_INGRESS));
	cr_assert_eq(l.d.count, 0);
	load_free(&l);

	l = failsafe_absent("enforce", "guests: tap0");
	cr_assert_eq(l.rs->rule_count, 1);
	cr_assert_not(l.rs->failsafe_open);
	cr_assert_eq(l.d.count, 0);
	load_free(&l);

	l = failsafe_absent("audit", "guests: tap0, interfaces: 'eth*'");
	cr_assert(l.rs->failsafe_open);
	cr_assert_eq(l.rs->attach_count, 2);
	load_free(&l);
}

Test(policy, switches_and_their_defaults)
{
	const uint32_t builtins =
		FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_DHCP | FR_F_ICMP_ERROR;
	struct load l = load_good(HEAD RULE);

	cr_assert_eq(l.rs->flags, builtins | FR_F_NONIP_DENY_GUEST);
	cr_assert(l.rs->enforce);
	cr_assert_not(l.rs->default_allow[FR_EGRESS] || l.rs->default_allow[FR_INGRESS]);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_TCP_ESTABLISHED], 432000);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_ADOPT], 300);
	load_free(&l);

	l = load_good(HEAD RULE "builtin: {dhcp: off, nd: NO, mld: false, loopback: yes}\n"
				"default: {egress: allow}\n"
				"forwarded: judge\nipsec: judge\nnon-ip: deny\nadopt: 0\n"
				"timeouts: {tcp-established: 2h, udp: 90, event: 1s}\n");
	cr_assert_eq(l.rs->flags, FR_F_LOOPBACK | FR_F_ICMP_ERROR | FR_F_FORWARD_JUDGE |
					  FR_F_IPSEC_JUDGE | FR_F_NONIP_DENY_IF |
					  FR_F_NONIP_DENY_GUEST);
	cr_assert(l.rs->default_allow[FR_EGRESS] && !l.rs->default_allow[FR_INGRESS]);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_TCP_ESTABLISHED], 7200);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_UDP], 90);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_EVENT], 1);
	cr_assert_eq(l.rs->timeout[FR_TIMEOUT_ADOPT], 0);
	load_free(&l);

	l = load_good(HEAD RULE "non-ip: allow\n");
	cr_assert_eq(l.rs->flags, builtins);
	load_free(&l);
}

Test(policy, prefix_sets_of_both_formats_are_filtered_and_merged)
{
	struct load l = load_new();
	static const char *const json =
		"{\"prefixes\": [\n"
		" {\"ip_prefix\": \"3.5.0.0/25\", \"region\": \"us-east-2\", \"service\": \"S3\"},\n"
		" {\"ip_prefix\": \"3.5.0.128/25\", \"region\": \"us-east-2\", \"service\": \"S3\"},\n"
		" {\"ip_prefix\": \"3.5.0.0/28\", \"region\": \"us-east-2\", \"service\": \"S3\"},\n"
		" {\"ip_prefix\": \"3.6.0.0/24\", \"region\": \"us-east-1\", \"service\": \"S3\"},\n"
		" {\"ip_prefix\": \"3.7.0.0/24\", \"region\": \"us-east-2\", \"service\": \"EC2\"}],\n"
		" \"ipv6_prefixes\": [\n"
		" {\"ipv6_prefix\": \"2600:1::/48\", \"region\": \"us-east-2\", \"service\": \"S3\"}]}\n";

	load_file(&l, "ip-ranges.json", json);
	load_file(&l, "list.txt", "# ours\n10.0.0.0/24\n\n 10.0.0.7 # inside\r\nfd00::/64");
	load_text(
		&l, HEAD
		"prefixes:\n"
		"  s3: {file: ip-ranges.json, format: aws, service: S3, region: us-east-2}\n"
		"  all: {file: ip-ranges.json, format: aws}\n"
		"  ours: {file: list.txt, format: list}\n"
		"  spare: {file: list.txt}\n"
		"rules:\n"
		"  - {id: a, direction: egress, peer: prefixes/s3, ports: 443/tcp, action: allow}\n"
		"  - {id: b, direction: egress, peer: [prefixes/ours, 10.0.0.0/8], ports: 443/tcp, action: allow}\n"
		"  - {id: c, direction: egress, peer: [prefixes/all], ports: 443/tcp, action: allow}\n");
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_assert_str_eq(rule_peers(&l, &l.rs->rules[0]), "3.5.0.0/24 2600:1::/48");
	cr_assert_str_eq(rule_peers(&l, &l.rs->rules[1]), "10.0.0.0/8 fd00::/64");
	cr_assert_str_eq(rule_peers(&l, &l.rs->rules[2]),
			 "3.5.0.0/24 3.6.0.0/24 3.7.0.0/24 2600:1::/48");
	cr_assert_eq(l.d.warnings, 1, "%s", load_all(&l));
	cr_assert_str_eq(l.d.list[0].check, "unused-prefixes");
	load_free(&l);
}

Test(policy, local_subnet_is_known_or_marked)
{
	static const char *const text = HEAD
		"rules: [{id: a, direction: egress, peer: local-subnet, ports: any, action: allow}]\n";
	struct load l = load_good(text);
	struct prefix local;

	cr_assert(l.rs->rules[0].needs_local && l.rs->rules[0].peer_count == 0);
	cr_assert(load_find(&l, "local-unknown"));
	prefix_parse("10.3.0.0/16", &local);
	l.options.local_known = true;
	l.options.local = &local;
	l.options.local_count = 1;
	cr_assert_eq(load_text(&l, text), 0);
	cr_assert_not(l.rs->rules[0].needs_local);
	cr_assert_str_eq(rule_peers(&l, &l.rs->rules[0]), "10.3.0.0/16");
	load_free(&l);
}

Test(policy, nfs_in_cgroups_alone_is_warned_of)
{
	static const char *const rest =
		"failsafe: []\nrules: [{id: r, direction: egress, peer: any, ports: 2049/tcp, action: allow}]\n";
	struct load l = load_new();
	const char *head =
		"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n";

	load_text(&l, arena_printf(l.d.arena, "%sattach: {cgroups: /a}\n%s", head, rest));
	cr_assert_eq(l.err, 0);
	cr_assert_eq(l.d.warnings, 1);
	cr_assert_str_eq(l.d.list[0].check, "kernel-sockets");
	load_text(&l, arena_printf(l.d.arena, "%sattach: {cgroups: /a, interfaces: b}\n%s", head,
				   rest));
	cr_assert_eq(l.d.warnings, 1);
	load_free(&l);
}

Test(policy, tables_are_found_beside_above_and_by_option)
{
	struct load l = load_new();
	const char *text = USE("as: agent, set: {region: eu}, peers: {nfs-server: 10.0.0.0/30}");
	const char *path;

	mkdir(arena_printf(l.d.arena, "%s/elsewhere", l.dir), 0755);
	load_file(&l, "elsewhere/acme.yaml", table_text);
	cr_assert_neq(load_text(&l, text), 0);
	cr_assert(strstr(l.d.list[0].message, "/../tables, /etc/flowreeve/tables"), "%s",
		  load_all(&l));
	l.options.tables_dir = arena_printf(l.d.arena, "%s/elsewhere", l.dir);
	cr_assert_eq(load_text(&l, text), 0);
	l.options.tables_dir = NULL;
	load_file(&l, "tables/acme.yaml", table_text);
	path = load_file(&l, "policies/p.yaml", text);
	cr_assert_eq(policy_load(path, &l.options, &l.d, &l.rs), 0);
	load_free(&l);
}

Test(policy, a_broken_table_is_told_once_however_often_it_is_used)
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml",
		  "apiVersion: flowreeve/v1\nkind: PortTable\n"
		  "metadata: {name: acme}\nroles: {a: {}}\nrows: [5]\n");
	load_text(&l, HEAD "use: [{table: acme, as: a}, {table: acme, as: a}]\n");
	cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
	load_free(&l);
}

Test(policy, kinds_and_summaries_of_files)
{
	struct load l = load_new();
	const char *table = load_file(&l, "tables/acme.yaml", table_text), *kind = "";
	const struct source *source;
	struct table_summary summary;

	cr_assert_eq(document_kind(table, &l.d, &source, &kind), 0);
	cr_assert_str_eq(kind, "PortTable");
	cr_assert_str_eq(source->text, table_text);
	cr_assert_eq(document_kind(load_file(&l, "p.yaml", HEAD), &l.d, &source, &kind), 0);
	cr_assert_str_eq(kind, "Policy");
	cr_assert_eq(document_kind(load_file(&l, "o.yaml", "a: b\n"), &l.d, &source, &kind), 0);
	cr_assert_null(kind);
	cr_assert_eq(document_kind(load_file(&l, "d.yaml", "a: b\na: c\nkind: Policy\n"), &l.d,
				   &source, &kind),
		     0);
	cr_assert_eq(l.d.count + l.d.errors, 0, "told by the load, not by the question");
	cr_assert_neq(document_kind(load_file(&l, "e.yaml", "a: [\n"), &l.d, &source, &kind), 0);
	cr_assert_eq(l.d.errors, 1);
	cr_assert_eq(table_load(table, &l.options, &l.d, &summary), 0);
	cr_assert_str_eq(summary.name, "acme");
	cr_assert(summary.rows == 8 && summary.roles == 8 && summary.params == 7 &&
		  summary.without_ports == 1);
	cr_assert_neq(
		table_load(load_file(&l, "twice.yaml",
				     arena_printf(l.d.arena, "%skind: PortTable\n", table_text)),
			   &l.options, &l.d, &summary),
		0);
	cr_assert_str_eq(l.d.list[l.d.count - 1].check, "duplicate-key");
	load_free(&l);
}

Test(policy, a_hundred_thousand_rules_load)
{
	struct load l = load_new();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "%srules:\n", HEAD);
	for (int i = 0; i < 100000; i++)
		fprintf(out,
			"- {id: r%d, direction: egress, peer: 10.0.0.1, ports: 1/tcp, action: allow}\n",
			i);
	fclose(out);
	cr_assert_eq(load_text(&l, text), 0, "%s", load_all(&l));
	cr_assert_eq(l.rs->rule_count, 100000);
	free(text);
	load_free(&l);
}

/* ---------------------------------------------------------------- rules as they are read */

static const char *ids_all(struct load *l)
{
	const char *all = "";

	for (size_t i = 0; i < l->rs->rule_count; i++)
		all = arena_printf(l->d.arena, "%s%s%s", all, i ? " " : "", l->rs->rules[i].id);
	return all;
}

#define ITEM(id, peer)                                                                             \
	"  - {id: " id ", direction: egress, peer: " peer ", ports: 1/tcp, action: allow, "        \
	"purpose: of " id "}\n"

Test(policy, rules_stand_behind_those_of_use_wherever_they_are_written)
{
	static const char use[] =
		"use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: 10.9.0.1}}]\n";
	static const char *const rules[] = {
		"rules:\n" ITEM("a", "10.0.0.1") ITEM("b", "10.0.0.2") ITEM("c", "any"),
		"rules:\n" ITEM("a", "10.0.0.1") ITEM("b", "prefixes/s") ITEM("c", "any"),
		"rules:\n" ITEM("a", "prefixes/s") ITEM("b", "10.0.0.2") ITEM("c", "prefixes/s"),
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(rules); i++) {
		struct load l = load_new();
		bool first = i & 1;
		const char *above = first ? rules[i / 2] : use;
		const char *below = first ? use : rules[i / 2];

		load_file(&l, "s.txt", "10.7.0.0/24\n");
		load_file(&l, "tables/acme.yaml", table_text);
		load_text(&l, arena_printf(l.d.arena, "%s%s%sprefixes: {s: {file: s.txt}}\n", HEAD,
					   above, below));
		cr_assert_eq(l.err, 0, "%zu: %s", i, load_all(&l));
		cr_assert_str_eq(ids_all(&l), "acme/nfs a b c", "%zu", i);
		cr_assert_str_eq(rule_origin(load_rule(&l, "b", FR_EGRESS))->purpose, "of b");
		cr_assert_eq(load_rule(&l, "b", FR_EGRESS)->peer_count, 1);
		load_free(&l);
	}
}

Test(policy, what_is_wrong_with_one_rule_hides_nothing_of_the_others)
{
	struct load l = load_new();

	load_text(&l, HEAD "rules:\n" ITEM("a", "10.0.0.1") ITEM("b", "10.0.0.1/24") ITEM(
			      "c", "prefixes/s") ITEM("d", "prefixes/t") ITEM("a", "any")
			      ITEM("b", "any") "prefixes: {s: {file: s.txt}, u: {file: s.txt}}\n");
	cr_assert_neq(l.err, 0);
	cr_assert_eq(load_find(&l, "host-bits")->loc.line, 10);
	cr_assert_eq(load_find(&l, "unknown-prefixes")->loc.line, 12);
	cr_assert_str_eq(load_find(&l, "unknown-prefixes")->hint,
			 "did you mean 'prefixes/s'? (one of: prefixes/s, prefixes/u)");
	cr_assert_eq(load_find(&l, "duplicate-id")->loc.line, 13);
	cr_assert_eq(l.d.errors, 6, "%s", load_all(&l)); /* and s.txt twice, and b once more */
	load_free(&l);
}

Test(policy, a_choice_to_be_made_in_the_last_rule_is_all_that_is_told)
{
	struct load l = load_new();

	load_text(&l,
		  HEAD "rules:\n" ITEM("a", "10.0.0.1") ITEM(
			  "b",
			  "10.0.0.1/24") "  - {id: c, direction: egress, peer: any, ports: 1/tcp, "
					 "action: allow, purpose: " POLICY_FILL_IN "}\n");
	cr_assert_neq(l.err, 0);
	cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
	cr_assert_eq(load_find(&l, "fill-in")->loc.line, 11);
	load_free(&l);
}

/* Large enough to be read in parts; each rule takes the same room. */
enum { ID_FIRST = 10000 };
static const char *many_rules(struct load *l, unsigned count, const char *last)
{
	char *text = NULL;
	FILE *file;
	size_t size;
	const char *all;

	file = open_memstream(&text, &size);
	cr_assert(file);
	fputs(HEAD "rules:\n", file);
	for (unsigned i = 0; i < count; i++)
		fprintf(file,
			"  - {id: r%u, direction: egress, peer: 2001:db8:%x::/48, ports: [443/tcp], "
			"action: allow}\n",
			ID_FIRST + i, 0x1000 + i);
	fputs(last, file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_gt(size, 2 * 128 << 10);
	all = arena_strdup(l->d.arena, text);
	free(text);
	return all;
}

Test(policy, a_large_text_is_read_as_a_small_one_is)
{
	enum { COUNT = 8000 };
	struct load l = load_new();

	load_text(&l, many_rules(&l, COUNT, "default: {egress: allow}\n"));
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_assert_eq(l.rs->rule_count, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		cr_assert_str_eq(l.rs->rules[i].id, arena_printf(l.d.arena, "r%u", ID_FIRST + i));
		cr_assert_eq(l.rs->rules[i].loc.line, 9 + i);
		cr_assert_eq(l.rs->rules[i].peer_count * l.rs->rules[i].service_count, 1);
	}
	load_free(&l);
	l = load_new();
	load_text(&l, many_rules(&l, COUNT, "  - [\n"));
	cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
	cr_assert_eq(load_find(&l, "yaml-syntax")->loc.line, 9 + COUNT);
	load_free(&l);
	l = load_new();
	load_text(
		&l,
		many_rules(
			&l, COUNT,
			"  - &a {id: r1, direction: egress, peer: any, ports: any, action: allow}\n"));
	cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
	cr_assert_eq(load_find(&l, "yaml-alias")->loc.line, 9 + COUNT);
	load_free(&l);
	l = load_new();
	load_text(&l, many_rules(&l, COUNT,
				 ITEM("r10007", "10.0.0.1") ITEM("s", "x") ITEM("t", "any")));
	cr_assert_eq(l.d.errors, 2, "%s", load_all(&l));
	cr_assert_eq(load_find(&l, "duplicate-id")->loc.line, 9 + COUNT);
	cr_assert_eq(load_find(&l, "bad-address")->loc.line, 10 + COUNT);
	load_free(&l);
}

/* The content of a text, and its diagnostics. */
static const char *load_words(struct load *l)
{
	const char *all = load_all(l);

	if (l->err)
		return all;
	for (size_t i = 0; i < l->rs->rule_count; i += 1 + l->rs->rule_count / 64) {
		const struct rule *rule = &l->rs->rules[i];

		all = arena_printf(l->d.arena, "%s %zu:%s:%u:%u:%s:%s", all, i, rule->id,
				   rule->loc.line, rule->loc.column, rule_peers(l, rule),
				   rule_services(l, rule));
	}
	return all;
}

/* A key in quotes is not looked for, so this text is read at once. */
static const char *at_once(struct load *l, const char *text)
{
	const char *key = strstr(text, "\nrules:");

	return arena_printf(l->d.arena, "%.*s\n\"rules\":%s", (int)(key - text), text, key + 7);
}

static void assert_as_at_once(const char *text)
{
	struct load parts = load_new(), once = load_new();
	const char *words;

	load_text(&parts, text);
	load_text(&once, at_once(&once, text));
	words = load_words(&once);
	cr_assert_str_eq(load_words(&parts), words);
	cr_assert_eq(parts.d.errors, once.d.errors);
	cr_assert_eq(parts.err, once.err);
	load_free(&parts);
	load_free(&once);
}

/* A text may be cut before any rule, whatever the bytes there. */
Test(policy, whatever_stands_where_a_text_is_cut_is_read_as_at_once)
{
	static const char *const oddities[] = {
		"",
		"\n",
		"# - {id: x}\n",
		"...\n",
		"---\n",
		"rules:\n",
		"failsafe:\n",
		"use:\n",
		"resolvers:\n",
		"  -\n",
		"- {id: x}\n",
		"    - x\n",
		"  - {id: \"\n",
		"x: |\n",
		"'\n",
		"  - {id: x, direction: egress, peer: any, ports: any, action: deny, purpose: >\n",
		"  - id: x\n    direction: egress\n    peer: any\n    ports: any\n    action: deny\n",
		"  - {id: x, direction: egress, peer: any, ports: any, action: deny, purpose: \"\n",
	};
	enum { COUNT = 3600, ROUND = 3 };
	struct load l = load_new();
	const char *text = many_rules(&l, COUNT, "default: {egress: allow}\n");

	cr_assert_gt(strlen(text), 2 * 128 << 10);
	for (size_t i = 0; i < ARRAY_SIZE(oddities); i++) {
		for (int at = COUNT / 2 - ROUND; at <= COUNT / 2 + ROUND; at += (int)thin_by()) {
			const char *rest = strstr(
				text, arena_printf(l.d.arena, "  - {id: r%d,", ID_FIRST + at));

			assert_as_at_once(arena_printf(l.d.arena, "%.*s%s%s", (int)(rest - text),
						       text, oddities[i], rest));
		}
	}
	load_free(&l);
}

/* Half of the rules further in than the other half: no list, but each half is one. */
Test(policy, a_text_that_misleads_about_its_list_is_read_as_at_once)
{
	static const char head[] = "apiVersion: flowreeve/v1\nkind: Policy\nmode: enforce\n"
				   "attach: {interfaces: [eth0]}\nfailsafe: []\n"
				   "metadata: {name: test, description: \"a\nrules:\n  - b\"}\n";
	struct load l = load_new();
	const char *rules = strstr(many_rules(&l, 3600, ""), "  - "), *half, *text = "";
	char *begin = arena_strdup(l.d.arena, rules), *to = begin;

	half = strstr(rules, "  - {id: r11800,");
	for (const char *from = rules; from < half; from++)
		if (from != rules && from[-1] == '\n')
			from++;
		else
			*to++ = *from;
	*to = '\0';
	text = arena_printf(l.d.arena, "%srules:\n%s%s", head, begin + 2, half);
	load_text(&l, text);
	cr_assert_eq(l.d.errors, 1, "%s", load_all(&l));
	cr_assert(load_find(&l, "yaml-syntax"));
	load_free(&l);
}

Test(policy, what_stands_at_the_end_of_a_large_text_is_read_as_at_once)
{
	struct load l = load_new();

	assert_as_at_once(many_rules(&l, 3600, "mode: audit\n"));
	assert_as_at_once(many_rules(&l, 3600, "default: {egress: alow}\n"));
	assert_as_at_once(many_rules(&l, 3600, "timeouts: {udp: 5w}\nbuiltin: {dhcp: 3}\n"));
	assert_as_at_once(many_rules(&l, 3600, "rules: []\n"));
	assert_as_at_once(many_rules(&l, 3600, "..."));
	assert_as_at_once(many_rules(&l, 3600, "  - {id: x}"));
	assert_as_at_once(many_rules(&l, 3600, ITEM("r10007", "10.0.0.1")));
	assert_as_at_once(many_rules(
		&l, 3600,
		"  - {id: x, id: y, direction: egress, peer: any, ports: any, action: deny}\n"));
	load_free(&l);
}

static const char *parties_text(struct load *l)
{
	const char *all = "";

	for (size_t i = 0; i < l->rs->party_count; i++) {
		for (size_t j = 0; j < l->rs->parties[i].count; j++)
			all = arena_printf(l->d.arena, "%s%s ", all, l->rs->parties[i].names[j]);
		all = arena_printf(l->d.arena, "%s/ ", all);
	}
	return all;
}

Test(policy_load, guests_of_a_party)
{
	static const struct {
		const char *lines, *parties;
	} list[] = {
		{"attach: {guests: [tap0, tap1]}\n", ""},
		{"attach: {guests: [tap0, tap1]}\nparty: [tap0, tap1]\n", "tap0 tap1 / "},
		{"party: [tap1, tap0]\nattach: {guests: [tap0, tap1]}\n", "tap1 tap0 / "},
		{"attach: {guests: [tap0, tap1], party: [tap0, tap1]}\n", "tap0 tap1 / "},
		{"attach: {guests: [\"tap*\"]}\nparty: [tap0, tap1]\n", "tap0 tap1 / "},
		{"attach: {guests: [\"tap*\"]}\nparty: [\"tap*\"]\n", "tap* / "},
		{"attach: {guests: [a0, a1, b0, b1]}\nparty: [[a0, a1], [b0, b1]]\n",
		 "a0 a1 / b0 b1 / "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct load l = load_new();

		load_text(&l, arena_printf(l.d.arena,
					   "apiVersion: flowreeve/v1\nkind: Policy\n"
					   "metadata: {name: test}\nmode: audit\n%s" RULE,
					   list[i].lines));
		cr_assert_eq(l.err, 0, "%s: %s", list[i].lines, load_all(&l));
		cr_expect_str_eq(parties_text(&l), list[i].parties, "%s", list[i].lines);
		load_free(&l);
	}
}
