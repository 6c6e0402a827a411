/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shipped tables that no vendor's document backs: for each role, the exact rules of a use, with
 * all optional rows and without them, and the names of every role. tables_facts.c compares the
 * vendors' own tables with their documents.
 */
#include "policy_fixture.h"

#define MEMBER "peers: {domain-controller: 10.0.0.1}"
#define MGN                                                                                        \
	"table: aws-mgn-extras, as: client, set: {region: eu-west-1}, peers: {dns-server: "        \
	"10.0.0.1, ntp-server: 10.0.0.2, sts-api: 10.0.0.3, kms-api: 10.0.0.4, mgn-fips-api: "     \
	"10.0.0.5, mgn-endpoint: 10.0.0.6, proxy: 10.0.0.7}, with: [dns, ntp, sts, kms, proxy, "   \
	"mgn-endpoint, mgn-fips]"
#define SSM "table: aws-ssm, set: {region: eu-west-1}, "

/* A use, and all of its rules: direction, id, services, peers. */
static const struct {
	const char *use, *rules;
} uses[] = {
	{"table: active-directory, as: member, " MEMBER,
	 "egress active-directory/dns 53/udp 53/tcp to 10.0.0.1\n"
	 "egress active-directory/kerberos 88/tcp 88/udp to 10.0.0.1\n"
	 "egress active-directory/ntp 123/udp to 10.0.0.1\n"
	 "egress active-directory/rpc 135/tcp 49152-65535/tcp to 10.0.0.1\n"
	 "egress active-directory/ldap 389/tcp 389/udp 636/tcp to 10.0.0.1\n"
	 "egress active-directory/smb 445/tcp to 10.0.0.1\n"
	 "egress active-directory/password 464/tcp 464/udp to 10.0.0.1\n"
	 "egress active-directory/global-catalog 3268/tcp 3269/tcp to 10.0.0.1\n"},
	{"table: active-directory, as: domain-controller, with: [netbios], "
	 "set: {rpc-ports: 50000-50100}, peers: {member: 10.0.1.0/24}",
	 "ingress active-directory/dns 53/udp 53/tcp to 10.0.1.0/24\n"
	 "ingress active-directory/kerberos 88/tcp 88/udp to 10.0.1.0/24\n"
	 "ingress active-directory/ntp 123/udp to 10.0.1.0/24\n"
	 "ingress active-directory/rpc 135/tcp 50000-50100/tcp to 10.0.1.0/24\n"
	 "ingress active-directory/netbios 137/udp 138/udp 139/tcp to 10.0.1.0/24\n"
	 "ingress active-directory/ldap 389/tcp 389/udp 636/tcp to 10.0.1.0/24\n"
	 "ingress active-directory/smb 445/tcp to 10.0.1.0/24\n"
	 "ingress active-directory/password 464/tcp 464/udp to 10.0.1.0/24\n"
	 "ingress active-directory/global-catalog 3268/tcp 3269/tcp to 10.0.1.0/24\n"},
	{MGN, "egress aws-mgn-extras/dns 53/udp 53/tcp to 10.0.0.1\n"
	      "egress aws-mgn-extras/ntp 123/udp to 10.0.0.2\n"
	      "egress aws-mgn-extras/sts 443/tcp to 10.0.0.3\n"
	      "egress aws-mgn-extras/kms 443/tcp to 10.0.0.4\n"
	      "egress aws-mgn-extras/proxy 3128/tcp to 10.0.0.7\n"
	      "egress aws-mgn-extras/mgn-endpoint 443/tcp to 10.0.0.6\n"
	      "egress aws-mgn-extras/mgn-fips 443/tcp to 10.0.0.5\n"},
	{"table: aws-mgn-extras, as: proxy, set: {region: eu-west-1, proxy-port: 8080}, "
	 "with: [proxy], peers: {client: 10.0.1.0/24}",
	 "ingress aws-mgn-extras/proxy 8080/tcp to 10.0.1.0/24\n"},
	{SSM "as: client, peers: {ssm: 10.0.0.1}", "egress aws-ssm/ssm 443/tcp to 10.0.0.1\n"},
	{SSM "as: ssm, peers: {client: 10.0.1.0/24}",
	 "ingress aws-ssm/ssm 443/tcp to 10.0.1.0/24\n"},
	{"table: dataminer-extras, as: agent, with: [icmp, remote-administration, devices], "
	 "peers: {agent: 10.0.0.1, administrator: 10.0.0.2, device: 10.0.2.0/24}",
	 "egress dataminer-extras/icmp icmp/8 icmpv6/128 icmpv6/128 to 10.0.0.1\n"
	 "ingress dataminer-extras/icmp icmp/8 icmpv6/128 icmpv6/128 to 10.0.0.1\n"
	 "ingress dataminer-extras/remote-administration 135/tcp 49152-65535/tcp to 10.0.0.2\n"
	 "egress dataminer-extras/devices any to 10.0.2.0/24\n"},
	{"table: dataminer-extras, as: device, with: [devices], "
	 "set: {device-ports: [161/udp, 80/tcp]}, peers: {agent: 10.0.0.1}",
	 "ingress dataminer-extras/devices 161/udp 80/tcp to 10.0.0.1\n"},
	{"table: dataminer-extras, as: cloud-gateway, with: [cloud], "
	 "peers: {dataminer-services: 10.0.0.9}",
	 "egress dataminer-extras/cloud 443/tcp to 10.0.0.9\n"},
	{"table: dhcp-server, as: server",
	 "ingress dhcp-server/ask 67/udp 547/udp to 0.0.0.0 255.255.255.255 fe80::/10\n"
	 "egress dhcp-server/answer 68/udp 546/udp to 0.0.0.0 255.255.255.255 fe80::/10\n"},
	{"table: dhcp-server, as: server, with: [relay], "
	 "peers: {client: 10.0.1.0/24, relay: 10.0.2.1}",
	 "ingress dhcp-server/ask 67/udp 547/udp to 10.0.1.0/24\n"
	 "egress dhcp-server/answer 68/udp 546/udp to 10.0.1.0/24\n"
	 "ingress dhcp-server/relay 67/udp 547/udp to 10.0.2.1\n"},
	{"table: nfs-callbacks, as: nfs-client, set: {callback-port: 4048}, "
	 "peers: {nfs-server: 10.0.0.1}",
	 "ingress nfs-callbacks/callback 4048/tcp to 10.0.0.1\n"},
	{"table: nfs-callbacks, as: nfs-server, set: {callback-port: 4048}, "
	 "peers: {nfs-client: 10.0.1.0/24}",
	 "egress nfs-callbacks/callback 4048/tcp to 10.0.1.0/24\n"},
	{"table: tftp, as: client, peers: {server: 10.0.0.1}",
	 "egress tftp/transfer 69/udp to 10.0.0.1, answers: peer-any-port\n"},
	{"table: tftp, as: server, peers: {client: 10.0.1.0/24}",
	 "ingress tftp/transfer 69/udp to 10.0.1.0/24, answers: peer-any-port\n"},
	{"table: discovery, as: asker, set: {protocols: [mdns, ssdp, ws-discovery]}",
	 "egress discovery/mdns-ask 5353/udp to 224.0.0.251 ff02::fb, answers: group\n"
	 "ingress discovery/mdns-hear 5353/udp to fe80::/10\n"
	 "egress discovery/ssdp-ask 1900/udp to 239.255.255.250 ff02::c ff05::c, answers: group\n"
	 "egress discovery/wsd-ask 3702/udp to 239.255.255.250 ff02::c ff05::c, answers: group\n"},
	{"table: discovery, as: asker, set: {protocols: [ssdp, ws-discovery]}, "
	 "with: [ssdp-hear, wsd-hear], peers: {neighbour: 10.0.1.0/24}",
	 "egress discovery/ssdp-ask 1900/udp to 239.255.255.250 ff02::c ff05::c, answers: group\n"
	 "ingress discovery/ssdp-hear 1900/udp to 10.0.1.0/24\n"
	 "egress discovery/wsd-ask 3702/udp to 239.255.255.250 ff02::c ff05::c, answers: group\n"
	 "ingress discovery/wsd-hear 3702/udp to 10.0.1.0/24\n"},
	{"table: discovery, as: responder, set: {protocols: [mdns, ssdp, ws-discovery]}, "
	 "with: [ssdp-announce, wsd-announce], peers: {neighbour: 10.0.1.0/24}",
	 "ingress discovery/mdns-asked 5353/udp to 10.0.1.0/24\n"
	 "egress discovery/mdns-tell 5353/udp to 224.0.0.251 ff02::fb\n"
	 "ingress discovery/ssdp-asked 1900/udp to 10.0.1.0/24\n"
	 "egress discovery/ssdp-announce 1900/udp to 239.255.255.250 ff02::c ff05::c\n"
	 "ingress discovery/wsd-asked 3702/udp to 10.0.1.0/24\n"
	 "egress discovery/wsd-announce 3702/udp to 239.255.255.250 ff02::c ff05::c\n"},
	{"table: netbios-names, as: member, with: [datagrams, datagrams-in]",
	 "egress netbios-names/ask 137/udp to 255.255.255.255\n"
	 "ingress netbios-names/asked 137/udp to 255.255.255.255\n"
	 "egress netbios-names/datagrams 138/udp to 255.255.255.255\n"
	 "ingress netbios-names/datagrams-in 138/udp to 255.255.255.255\n"},
	{"table: ftp-active, as: server, peers: {client: 10.0.0.1}",
	 "egress ftp-active/data 1024-65535/tcp to 10.0.0.1\n"},
	{"table: ftp-active, as: client, peers: {server: 10.0.0.1}",
	 "ingress ftp-active/data 1024-65535/tcp to 10.0.0.1\n"},
	{"table: ontap-nfs-udp, as: client, peers: {nfs-server: 10.0.0.1}",
	 "egress ontap-nfs-udp/nfs 111/udp 635/udp 2049/udp to 10.0.0.1\n"},
	{"table: ontap-nfs-udp, as: nfs-server, peers: {client: 10.0.0.1}",
	 "ingress ontap-nfs-udp/nfs 111/udp 635/udp 2049/udp to 10.0.0.1\n"},
};

static const char *rules_text(struct load *l)
{
	const char *all = "";

	for (size_t i = 0; i < l->rs->rule_count; i++) {
		const struct rule *rule = &l->rs->rules[i];

		cr_expect_eq(rule->action, FR_ALLOW, "%s", rule->id);
		all = arena_printf(l->d.arena, "%s%s %s %s to %s", all, dir_name(rule->dir),
				   rule->id, rule_services(l, rule), rule_peers(l, rule));
		if (rule->answers)
			all = arena_printf(l->d.arena, "%s, answers: %s", all,
					   answers_name(rule->answers));
		all = arena_printf(l->d.arena, "%s\n", all);
	}
	return all;
}

Test(tables_additions, each_role_has_exactly_its_rules)
{
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		struct load l = load_new();

		l.options.tables_dir = "policies/tables";
		load_text(&l, arena_printf(l.d.arena, HEAD "use: [{%s}]\n", uses[i].use));
		cr_assert_eq(l.err, 0, "%s:%s", uses[i].use, load_all(&l));
		cr_expect_str_eq(rules_text(&l), uses[i].rules, "%s:\n%s", uses[i].use,
				 rules_text(&l));
		load_free(&l);
	}
}

/* The names that a host resolves when its policy gives no addresses for the role. */
static const struct {
	const char *table, *role, *names;
} names[] = {
	{"aws-mgn-extras", "sts-api", "sts.${region}.amazonaws.com"},
	{"aws-mgn-extras", "kms-api", "kms.${region}.amazonaws.com"},
	{"aws-mgn-extras", "mgn-fips-api", "mgn-fips.${region}.amazonaws.com"},
	{"aws-ssm", "ssm",
	 "ssm.${region}.amazonaws.com ssmmessages.${region}.amazonaws.com "
	 "ec2messages.${region}.amazonaws.com"},
	{"dataminer-extras", "dataminer-services", "*.dataminer.services"},
};

static const char *names_text(struct arena *arena, const struct role_view *role)
{
	const char *all = "";

	for (size_t i = 0; i < role->names.count; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? " " : "", role->names.list[i]);
	return all;
}

static const char *names_of(const char *table, const char *role)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_equal(names[i].table, table) && str_equal(names[i].role, role))
			return names[i].names;
	return "";
}

Test(tables_additions, each_role_has_exactly_its_names)
{
	static const char *const tables[] = {
		"active-directory", "aws-mgn-extras",	"aws-ssm",
		"ftp-active",	    "dataminer-extras", "ontap-nfs-udp",
		"dhcp-server",	    "nfs-callbacks",	"tftp",
		"discovery",	    "netbios-names"};
	const struct policy_options options = {.tables_dir = "policies/tables"};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct arena *arena CLEANUP(arena_drop) = arena_new();
		struct diags d = {.arena = arena};
		const struct table_view *view;

		cr_assert_eq(table_view(tables[i], &options, &d, &view), 0, "%s", tables[i]);
		for (size_t k = 0; k < view->role_count; k++)
			cr_expect_str_eq(names_text(arena, &view->roles[k]),
					 names_of(tables[i], view->roles[k].name), "%s %s",
					 tables[i], view->roles[k].name);
	}
}
