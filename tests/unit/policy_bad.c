/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bad input: each mistake gives exactly one error, with the right id, at the right place.
 */
#include "policy_fixture.h"

static const char table_text[] =
	"apiVersion: flowreeve/v1\n"
	"kind: PortTable\n"
	"metadata: {name: acme, title: Acme, document: acme.txt}\n"
	"params:\n"
	"  region: {type: string, required: true}\n"
	"  storage: {type: set, values: [nfs, smb], default: nfs}\n"
	"  smb-ports: {type: ports, any-of: [139, 445]}\n"
	"  web-port: {type: port, default: 80}\n"
	"  free-ports: {type: ports}\n"
	"roles:\n"
	"  agent: {title: Agent}\n"
	"  nfs-server: {title: NFS server}\n"
	"  smb-server: {}\n"
	"  api: {names: [\"api.${region}.example.com\", \"x.$activation_region.example.com\",\n"
	"                \"y.{region}.example.com\", \"z.<REGION>.example.com\"]}\n"
	"  free: {}\n"
	"rows:\n"
	"  - {id: nfs, from: agent, to: nfs-server, ports: [2049/tcp], when: {storage: nfs}, source: {line: 17}}\n"
	"  - {id: smb, from: agent, to: smb-server, ports: [\"${smb-ports}/tcp\"], when: {storage: smb}}\n"
	"  - {id: api, from: agent, to: api, ports: [443/tcp], optional: true, source: {line: 68}}\n"
	"  - {id: free, from: agent, to: free, ports: [\"${free-ports}\"], see: \"https://x/y\", optional: true}\n";

#define NAME_16 "abcdefghijklmnop"
#define NAME_128 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16

#define USE "use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: 10.0.0.1}}]\n"

struct bad {
	const char *text, *check, *pointed, *message;
};

#define A(ports, action, answers)                                                                  \
	HEAD "rules: [{id: r, direction: egress, peer: any, ports: " ports ", action: " action     \
	     ", answers: " answers "}]\n"

#define R(peer, ports)                                                                             \
	HEAD "rules: [{id: r, direction: egress, action: allow, peer: " peer ", ports: " ports     \
	     "}]\n"

#define GUESTS(guests, party)                                                                      \
	"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: test}\nmode: audit\n"            \
	"attach: {guests: " guests "}\nparty: " party "\n" RULE

static const struct bad cases[] = {
	{GUESTS("[tap0, tap1]", "[tap0, tap2]"), "unknown-guest", "tap2", "not among the guests"},
	{GUESTS("[tap0, tap1]", "[tap0, tap1, tap0]"), "party-twice", "tap0", "in a party already"},
	{GUESTS("[tap0, tap1, tap2]", "[[tap0, tap1], [tap1, tap2]]"), "party-twice", "tap1",
	 "in line 6"},
	{GUESTS("[tap0, tap1]", "[tap0]"), "lone-party", "[", "shares nothing"},
	{GUESTS("[tap0, tap1]", "[]"), "lone-party", "[", "shares nothing"},
	{GUESTS("[tap0, tap1]", "tap0"), "wrong-type", "tap0", "'party' must be a list"},
	{GUESTS("[tap0, tap1]", "[[tap0, tap1], tap0]"), "wrong-type", "tap0", "a party"},
	{A("69/udp", "allow", "anyone"), "unknown-value", "anyone", "'answers' cannot be 'anyone'"},
	{A("69/udp", "allow", "default"), "unknown-value", "default", "cannot be 'default'"},
	{A("69/udp", "allow", "[peer]"), "wrong-type", "[", "'answers'"},
	{A("69/tcp", "allow", "group"), "unused-answers", "answers", "'r' has no port of UDP"},
	{A("icmp/any", "allow", "peer"), "unused-answers", "answers", "'r' has no port of UDP"},
	{A("69/udp", "deny", "peer"), "unused-answers", "answers",
	 "a deny rule admits no question"},
	{HEAD RULE "colour: blue\n", "unknown-key", "colour", "'colour'"},
	{HEAD RULE "forwrded: judge\n", "unknown-key", "forwrded", "forwrded"},
	{HEAD "rules: yes\n", "wrong-type", "yes", "'rules' must be a list"},
	{HEAD RULE "use:\n", "wrong-type", "use", "the value is empty"},
	{HEAD "rules: [{id: r, direction: egress, peer: {a: b}, ports: any, action: allow}]\n",
	 "wrong-type", "{", "'peer' must be a value or a list, not a map"},
	{HEAD "rules: [{direction: egress, peer: any, ports: any, action: allow}]\n", "missing-key",
	 "{", "needs 'id'"},
	{R("any", "1064-1024/tcp"), "bad-port", "1064-1024/tcp", "ends before it begins"},
	{R("any", "1-70000/tcp"), "bad-port", "1-70000/tcp", "over 65535"},
	{R("any", "99999/tcp"), "bad-port", "99999/tcp", "over 65535"},
	{R("any", "443"), "bad-port", "443", "the protocol is missing"},
	{R("any", "icmp"), "bad-port", "icmp", "the ports of the protocol are missing"},
	{R("any", "0443/tcp"), "bad-port", "0443/tcp", "is not a port"},
	{R("any", "1-0443/tcp"), "bad-port", "1-0443/tcp", "is not a port"},
	{R("10.0.0.0/024", "any"), "bad-address", "10.0.0.0/024", "has no leading 0"},
	{R("any", "https/tcp"), "bad-port", "https/tcp", "is not a port"},
	{R("any", "[80/tcp, 443/tpc]"), "bad-protocol", "443/tpc", "'tpc' is not a known protocol"},
	{R("any", "443/gre"), "bad-port", "443/gre", "protocol that has none"},
	{R("any", "[]"), "missing-ports", "[", "'ports' is empty"},
	{R("[]", "any"), "missing-peer", "[", "'peer' is empty"},
	{R("10.0.0.300", "any"), "bad-address", "10.0.0.300", "300 is over 255"},
	{R("host.7", "any"), "bad-address", "host.7", "not an address or a prefix"},
	{R("\"a,b.com\"", "any"), "bad-address", "\"a,b.com\"", "not an address or a prefix"},
	{R("10.0.0.5/24", "any"), "host-bits", "10.0.0.5/24", "bits set"},
	{R("10.0.0.0/33", "any"), "bad-address", "10.0.0.0/33", "length"},
	{R("anyy", "any"), "bad-address", "anyy", "not an address"},
	{R("db.example.com", "any"), "name-unsupported", "db.example.com", "DNS name"},
	{R("\"*.s3.aws.com\"", "any"), "name-unsupported", "\"*.s3.aws.com\"", "DNS name"},
	{R("prefixes/s3", "any"), "unknown-prefixes", "prefixes/s3", "no prefix set 's3'"},
	{HEAD "rules:\n"
	      "  - {id: a, direction: egress, peer: any, ports: 1/tcp, action: allow}\n"
	      "  - {id: a, direction: egress, peer: any, ports: 2/tcp, action: allow}\n",
	 "duplicate-id", "a", "already in line 9"},
	{HEAD "rules: [{id: A_b, direction: egress, peer: any, ports: any, action: allow}]\n",
	 "bad-name", "A_b", "not a valid name"},
	{HEAD
	 "rules: [{id: default-egress, direction: egress, peer: any, ports: any, action: deny}]\n",
	 "bad-name", "default-egress", "reserved for the default"},
	{HEAD
	 "rules: [{id: a, direction: egress, peer: any, ports: any, action: allow, mode: audit}]\n",
	 "staged-allow", "audit", "only a deny rule"},
	{HEAD "rules: [{id: a, direction: both, peer: any, ports: any, action: allow}]\n",
	 "unknown-value", "both", "'direction' cannot be 'both'"},
	{HEAD RULE RULE, "duplicate-key", "rules", "already in line 8"},
	{HEAD, "empty-policy", "metadata", "no rule"},
	{HEAD "use: []\nrules: []\n", "empty-policy", "metadata", "no rule"},
	{HEAD RULE "builtin: {dhcp: 3}\n", "wrong-type", "3", "on or off"},
	{HEAD RULE "timeouts: {udp: 5w}\n", "bad-duration", "5w", "not a time"},
	{HEAD RULE "timeouts: {udp: 0}\n", "bad-duration", "0", "not a time"},
	{HEAD RULE "resolvers: [10.0.0.2]\n", "name-unsupported", "resolvers", "DNS"},
	{HEAD RULE "prefixes: {s3: {file: absent.txt}}\n", "file-unreadable", "absent.txt",
	 "No such file"},
	{HEAD "use: [{table: acne, as: agent}]\n", "unknown-table", "acne", "no table 'acne'"},
	{HEAD "use: [{table: acme, as: agnt, set: {region: eu}}]\n", "unknown-role", "agnt",
	 "role 'agnt'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu, storrage: nfs}, peers: {nfs-server: any}}]\n",
	 "unknown-param", "storrage", "no param 'storrage'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu, storage: [nfs, ndfs]}, peers: {nfs-server: any}}]\n",
	 "unknown-value", "ndfs", "cannot be 'ndfs'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu, smb-ports: [443]}, peers: {nfs-server: any}}]\n",
	 "unknown-value", "443", "cannot add '443'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: us east 2, storage: [nfs]}, peers: {nfs-server: any}}]\n",
	 "unknown-value", "us east 2", "cannot be 'us east 2'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu, web-port: 99999}, peers: {nfs-server: any}}]\n",
	 "bad-port", "99999", "over 65535"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu, storage: []}, peers: {nfs-server: any}}]\n",
	 "wrong-type", "[", "at least one"},
	{HEAD "use: [{table: acme, as: agent, peers: {nfs-server: any}}]\n", "missing-param",
	 "acme", "param 'region'"},
	{HEAD "use: [{table: acme, as: agent, set: {region: eu}}]\n", "missing-peer", "acme",
	 "row 'nfs' (line 17 of acme.txt): no peer is given for role 'nfs-server'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: any, smb-server: any}}]\n",
	 "unused-peer", "smb-server", "no selected row has role 'smb-server'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-sever: any, nfs-server: any}}]\n",
	 "unknown-role", "nfs-sever", "role 'nfs-sever'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: any}, with: [apy]}]\n",
	 "unknown-row", "apy", "no row 'apy'"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu}, peers: {nfs-server: any}, with: [smb]}]\n",
	 "unselected-row", "smb", "'storage' is not met"},
	{HEAD
	 "use: [{table: acme, as: agent, set: {region: eu-west-1}, peers: {nfs-server: any}, with: [api]}]\n",
	 "name-unsupported", "peers", "known only by name (api.eu-west-1.example.com, x.eu-west-1"},
	{HEAD "use: [{table: acme, as: agent, set: {region: eu}, without: [nfs]}]\n", "empty-use",
	 "acme", "no row"},
};

Test(policy_bad, each_mistake_is_one_error_at_its_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load l = load_new();
		const struct bad *bad = &cases[i];

		load_file(&l, "tables/acme.yaml", table_text);
		cr_assert_neq(load_text(&l, bad->text), 0, "%s", bad->text);
		cr_assert_null(l.rs, "untouched on failure");
		cr_assert_eq(l.d.errors, 1, "%s%s", bad->text, load_all(&l));
		cr_assert_str_eq(l.d.list[0].check, bad->check, "%s%s", bad->text, load_all(&l));
		cr_assert_str_eq(load_pointed(&l, &l.d.list[0]), bad->pointed, "%s%s", bad->text,
				 load_all(&l));
		cr_assert(strstr(l.d.list[0].message, bad->message), "%s%s", bad->text,
			  load_all(&l));
		load_free(&l);
	}
}

/* Whole documents, and the bits that are not even YAML. */
static const struct bad documents[] = {
	{"", "empty-file", "", "the file is empty"},
	{"# only a comment\n", "empty-file", "", "nothing but comments"},
	{"- a\n- b\n", "wrong-type", "-", "must be a map"},
	{"hello\n", "wrong-type", "hello", "must be a map"},
	{HEAD "rules: [{id: r, direction: egress, peer: &x any, ports: any, action: allow}]\n",
	 "yaml-alias", "&x any", "anchors are not allowed"},
	{HEAD "rules: [{id: r, direction: egress, peer: *x , ports: any, action: allow}]\n",
	 "yaml-alias", "*x", "aliases are not allowed"},
	{HEAD "rules: [{id: r, direction: egress, peer: !!python/object:x any, ports: any, "
	      "action: allow}]\n",
	 "yaml-tag", "!!python/object:x any", "tags"},
	{"kind: Policy\n\tmode: audit\n", "yaml-syntax", "\t", "a tab in the indentation"},
	{"a: \"\\x1b[31m\"\n", "yaml-syntax", "\"\\x1b[31m\"", "control characters"},
	{"a: \"\\0\"\n", "yaml-syntax", "\"\\0\"", "control characters"},
	{"a: 1 # \xe2\x80\xa8mode: enforce\n", "yaml-syntax", "\xe2", "U+2028 ends a line"},
	{"a: \"x\xe2\x80\xa9y\"\n", "yaml-syntax", "\xe2", "U+2029 ends a line"},
	{"a: 1 # \xc2\x85mode: enforce\n", "yaml-syntax", "\xc2", "U+0085 ends a line"},
	{"a: 1 # \rmode: enforce\r\n", "yaml-syntax", "\r", "a carriage return alone"},
	{"apiVersion: flowreeve/v1\nkind: Polcy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {interfaces: [a]}\nfailsafe: []\n" RULE,
	 "unknown-value", "Polcy", "'Polcy'"},
	{"apiVersion: flowreeve/v1\nkind: PortTable\n", "wrong-kind", "PortTable",
	 "a Policy is expected"},
	{HEAD RULE "---\nkind: Policy\n", "yaml-documents", "---", "second document"},
	{"apiVersion: flowreeve/v2\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {interfaces: eth0}\nfailsafe: []\n" RULE,
	 "unknown-version", "flowreeve/v2", "flowreeve/v2"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {interfaces: [lo]}\nfailsafe: []\n" RULE,
	 "attach-lo", "lo", "never attached"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {interfaces: [" NAME_128 "]}\nfailsafe: []\n" RULE,
	 "bad-attach", NAME_128, "interface"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [system.slice]}\nfailsafe: []\n" RULE,
	 "bad-attach", "system.slice", "begins with '/'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {interfaces: [a], guests: [a]}\nfailsafe: []\n" RULE,
	 "duplicate-attach", "a", "already attached"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [/a, /a/b]}\nfailsafe: []\n" RULE,
	 "nested-cgroups", "/a/b", "'/a/b' is below '/a'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [/a/b/c, /a]}\nfailsafe: []\n" RULE,
	 "nested-cgroups", "/a", "'/a/b/c' is below '/a'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [/, /x.slice]}\nfailsafe: []\n" RULE,
	 "nested-cgroups", "/x.slice", "below '/'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [/x*, /xy/z]}\nfailsafe: []\n" RULE,
	 "nested-cgroups", "/xy/z", "below '/x*'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {cgroups: [/a, /a/*]}\nfailsafe: []\n" RULE,
	 "nested-cgroups", "/a/*", "'/a/*' is below '/a'"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\nmode: audit\n"
	 "attach: {}\nfailsafe: []\n" RULE,
	 "no-attach", "{", "no attach point"},
	{"apiVersion: flowreeve/v1\nkind: Policy\nmetadata: {name: t}\n"
	 "attach: {interfaces: [a]}\nfailsafe: []\n" RULE,
	 "missing-key", "a", "needs 'mode'"},
};

Test(policy_bad, documents_that_are_no_policy)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct load l = load_new();
		const struct bad *bad = &documents[i];

		cr_assert_neq(load_text(&l, bad->text), 0, "%s", bad->text);
		cr_assert_eq(l.d.errors, 1, "%s%s", bad->text, load_all(&l));
		cr_assert_str_eq(l.d.list[0].check, bad->check, "%s%s", bad->text, load_all(&l));
		cr_assert(strstr(l.d.list[0].message, bad->message), "%s%s", bad->text,
			  load_all(&l));
		if (l.d.list[0].loc.length > 1)
			cr_assert_str_eq(load_pointed(&l, &l.d.list[0]), bad->pointed, "%s%s",
					 bad->text, load_all(&l));
		load_free(&l);
	}
}

Test(policy_bad, files_that_cannot_be_read)
{
	struct load l = load_new();
	const char *path = arena_printf(l.d.arena, "%s/big.yaml", l.dir);

	file_write(path, "a", 1);
	cr_assert_eq(truncate(path, 100 << 20), 0);
	cr_assert_neq(policy_load(path, &l.options, &l.d, &l.rs), 0);
	cr_assert_str_eq(l.d.list[0].check, "file-too-big");
	cr_assert_str_eq(l.d.list[0].loc.source->name, path);
	cr_assert_neq(policy_load("/no/such/file", &l.options, &l.d, &l.rs), 0);
	cr_assert_neq(policy_load(l.dir, &l.options, &l.d, &l.rs), 0);
	cr_assert_neq(policy_load("/dev/zero", &l.options, &l.d, &l.rs), 0);
	cr_assert_eq(l.d.errors, 4);
	cr_assert_str_eq(l.d.list[1].check, "file-unreadable");
	cr_assert_str_eq(l.d.list[2].check, "file-unreadable");
	cr_assert_str_eq(l.d.list[3].check, "file-unreadable");
	load_free(&l);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

Test(policy_bad, junk_and_torn_policies_never_crash_and_always_say_something)
{
	struct load l = load_new();
	const char *path = load_file(&l, "tables/acme.yaml", table_text);
	char text[2048];
	uint32_t state = 7;

	path = arena_printf(l.d.arena, "%s/policy.yaml", l.dir);
	for (int round = 0; round < 600; round++) {
		size_t size = strlen(HEAD USE RULE);

		memcpy(text, HEAD USE RULE, size);
		if (round % 3 == 0)
			size = next_random(&state) % size;
		for (size_t i = 0; i < (round % 3 == 1 ? 3u : 30u); i++)
			text[next_random(&state) % (size + 1)] =
				round % 2 ? (char)next_random(&state)
					  : "{}[]:,-#&*!|>'\"%@` \n\t\\"[next_random(&state) % 22];
		file_write(path, text, size);
		l.d.errors = 0;
		l.rs = NULL;
		l.err = policy_load(path, &l.options, &l.d, &l.rs);
		cr_assert((l.err == 0) == (l.d.errors == 0), "round %d", round);
		cr_assert((l.err == 0) == (l.rs != NULL), "round %d", round);
	}
	load_free(&l);
}

Test(policy_bad, nesting_is_limited)
{
	struct load l = load_new();
	char *text = malloc(40000);

	memset(text, '[', 40000);
	memcpy(text, "use: ", 5);
	text[39999] = '\0';
	cr_assert_neq(load_text(&l, text), 0);
	cr_assert_str_eq(l.d.list[0].check, "yaml-limit");
	free(text);
	load_free(&l);
}

Test(policy_bad, all_mistakes_of_a_file_in_one_run)
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml", table_text);
	load_text(
		&l, HEAD
		"use: [{table: acme, as: agnt, set: {region: eu, x: y}, peers: {z: 10.0.0.300}}]\n"
		"rules:\n"
		"  - {id: a, direction: egress, peer: any, ports: 99999/tcp, action: allow}\n"
		"  - {id: a, direction: egress, peer: 10.0.0.1/8, ports: 1/tpc, action: allow}\n"
		"colour: blue\n");
	cr_assert_eq(l.d.errors, 9, "%s", load_all(&l));
	cr_assert(load_find(&l, "unknown-role") && load_find(&l, "unknown-param") &&
		  load_find(&l, "bad-address") && load_find(&l, "bad-port") &&
		  load_find(&l, "host-bits") && load_find(&l, "bad-protocol") &&
		  load_find(&l, "duplicate-id") && load_find(&l, "unknown-key"));
	load_free(&l);
}

Test(policy_bad, hints_name_what_was_meant)
{
	struct load l = load_new();

	load_file(&l, "tables/acme.yaml", table_text);
	load_text(
		&l, HEAD
		"use: [{table: acme, as: agnet, set: {region: eu}, peers: {nfs-sever: 10.0.0.1}}]\n"
		"rules: [{id: a, direction: egress, peer: 10.0.0.5/24, ports: tcp/443, action: allow}]\n");
	cr_assert(strstr(load_find(&l, "unknown-role")->hint, "did you mean"), "%s", load_all(&l));
	cr_assert(strstr(load_find(&l, "host-bits")->hint, "10.0.0.0/24"), "%s", load_all(&l));
	cr_assert(strstr(load_find(&l, "bad-protocol")->hint, "443/tcp"), "%s", load_all(&l));
	load_free(&l);
}

Test(policy_bad, mistakes_of_a_table_point_into_the_table)
{
	struct load l = load_new();

	load_file(
		&l, "tables/acme.yaml",
		"apiVersion: flowreeve/v1\n"
		"kind: PortTable\n"
		"metadata: {name: acme}\n"
		"params: {a: {type: enum}, b: {type: ports, any-of: [1], default: [2]}, c: {type: strng}}\n"
		"roles: {x: {names: [\"a.${nope}.b\", \"a.{other}.b\"]}, y: {addresses: [10.0.0.300]}}\n"
		"rows:\n"
		"  - {id: r, from: x, to: z, ports: [99999/tcp]}\n"
		"  - {id: r, from: x, to: y, ports: [], when: {q: 1}}\n"
		"  - {id: s, from: x, to: y, ports: [\"${nope}/tcp\"], source: {line: 0}}\n");
	load_text(&l, HEAD USE RULE);
	cr_assert_eq(l.d.errors, 13, "%s", load_all(&l));
	for (size_t i = 0; i < l.d.count; i++)
		cr_assert(strstr(l.d.list[i].loc.source->name, "tables/acme.yaml"), "%s",
			  load_all(&l));
	load_free(&l);
}

Test(policy_bad, prefix_files)
{
	struct load l = load_new();

	load_file(&l, "bad.json", "{\"prefixes\": [\n  {\"ip_prefix\" 1}]}\n");
	load_file(&l, "no.json", "{\"prefixes\": []}\n");
	load_file(&l, "odd.json", "{\"prefixs\": []}\n");
	load_file(&l, "s3.json",
		  "{\"prefixes\": [{\"ip_prefix\": \"3.0.0.0/8\", \"region\": "
		  "\"us-east-2\", \"service\": \"S3\"}]}\n");
	load_file(&l, "list.txt", "10.0.0.0/8\n  10.0.0.300 # oops\n");
	load_text(&l, HEAD RULE "prefixes:\n"
				"  a: {file: bad.json, format: aws}\n"
				"  b: {file: no.json, format: aws}\n"
				"  c: {file: odd.json, format: aws}\n"
				"  d: {file: s3.json, format: aws, region: us-east-3}\n"
				"  e: {file: list.txt, format: list}\n"
				"  f: {file: list.txt, format: csv}\n");
	cr_assert_eq(l.d.errors, 6, "%s", load_all(&l));
	cr_assert(strstr(l.d.list[0].loc.source->name, "bad.json") && l.d.list[0].loc.line == 2);
	cr_assert_str_eq(l.d.list[0].check, "bad-json");
	cr_assert_str_eq(l.d.list[1].check, "empty-prefixes");
	cr_assert_str_eq(l.d.list[2].check, "bad-prefixes");
	cr_assert_str_eq(l.d.list[3].check, "empty-prefixes");
	cr_assert(strstr(l.d.list[3].hint, "us-east-2"), "%s", load_all(&l));
	cr_assert_str_eq(load_pointed(&l, &l.d.list[4]), "10.0.0.300");
	cr_assert_str_eq(l.d.list[5].check, "unknown-value");
	load_free(&l);
}
