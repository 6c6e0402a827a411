/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * failsafe: auto. The rules of a host, from its sockets, routes and files: no wider than their
 * source, and none where there is none; a source that cannot be read is an error. And the policy's
 * file with these rules in the place of the word.
 */
#include <linux/rtnetlink.h>

#include "../../user/compile/compile.h"
#include "../../user/host/failsafe.h"
#include "policy_fixture.h"

enum { ESTABLISHED = 1, SYN_SENT = 2 };

struct host {
	struct load l;
	struct failsafe_inputs in;
	struct failsafe_rules found;
};

static struct host host_new(void)
{
	struct host host = {.l = load_new()};

	host.in.root = arena_strdup(host.l.d.arena, host.l.dir);
	host.in.waiting.arena = host.in.joined.arena = host.l.d.arena;
	return host;
}

static void host_free(struct host *host)
{
	load_free(&host->l);
}

static const char *path_of(struct host *host, const char *path)
{
	char *whole = arena_printf(host->l.d.arena, "%s%s", host->l.dir, path);

	for (char *at = whole + strlen(host->l.dir) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(whole, 0755);
		*at = '/';
	}
	return whole;
}

static void file(struct host *host, const char *path, const char *text)
{
	file_write(path_of(host, path), text, strlen(text));
}

static struct addr addr_of(const char *text)
{
	struct addr addr;

	cr_assert_eq(addr_parse(text, &addr), NET_OK, "%s", text);
	return addr;
}

static struct local_socket *add_socket(struct local_sockets *list, const char *process)
{
	struct local_socket *new;

	list->list =
		arena_grow(list->arena, list->list, list->count, &list->capacity, sizeof(*new));
	new = &list->list[list->count++];
	snprintf(new->process, sizeof(new->process), "%s", process);
	return new;
}

static void waits(struct host *host, uint8_t proto, const char *address, uint16_t port,
		  const char *process)
{
	struct local_socket *new = add_socket(&host->in.waiting, process);

	new->proto = proto;
	new->port = port;
	new->address = addr_of(address);
}

static void joined(struct host *host, const char *local, uint16_t port, const char *peer,
		   uint16_t peer_port, const char *process)
{
	struct local_socket *new = add_socket(&host->in.joined, process);

	new->proto = PROTO_TCP;
	new->state = ESTABLISHED;
	new->address = addr_of(local);
	new->port = port;
	new->peer = addr_of(peer);
	new->peer_port = peer_port;
}

static void route(struct host *host, const char *to, const char *gateway, uint8_t protocol)
{
	static struct route list[8];
	struct route *new = &list[host->in.route_count++];

	host->in.routes = list;
	*new = (struct route){.protocol = protocol, .has_gateway = gateway};
	cr_assert_eq(prefix_parse(to, &new->to), NET_OK);
	if (gateway)
		new->gateway = addr_of(gateway);
}

/* Each rule as it is written, a line each. */
static const char *derived(struct host *host)
{
	const char *all = "";

	cr_assert_eq(failsafe_derive(&host->in, &host->l.d, &host->found), 0, "%s",
		     load_all(&host->l));
	for (size_t i = 0; i < host->found.count; i++)
		all = arena_printf(host->l.d.arena, "%s%s\n", all,
				   failsafe_text(host->l.d.arena, &host->found.list[i]));
	return all;
}

static void warns(struct host *host, const char *words)
{
	const struct diag *diag = load_find(&host->l, "failsafe-incomplete");

	for (size_t i = 0; i < host->l.d.count; i++)
		if (strstr(host->l.d.list[i].message, words))
			return;
	cr_assert_fail("nothing says '%s', but: %s", words, diag ? diag->message : "nothing");
}

/* ---------------------------------------------------------------- the derivation */

Test(host_failsafe, of_ssh_the_addresses_of_sessions_on_ports_of_sshd)
{
	struct host host = host_new();

	waits(&host, PROTO_TCP, "0.0.0.0", 22, "");
	waits(&host, PROTO_TCP, "::", 2222, "sshd");
	waits(&host, PROTO_TCP, "0.0.0.0", 443, "nginx");
	joined(&host, "10.0.0.1", 22, "10.0.9.5", 40000, "sshd-session");
	joined(&host, "10.0.0.1", 22, "10.0.9.5", 40001, "sshd-session");
	joined(&host, "10.0.0.1", 22, "10.0.9.6", 40000, "sshd");
	joined(&host, "fd00::1", 2222, "fd00::9", 40000, "sshd");
	joined(&host, "10.0.0.1", 443, "10.0.8.8", 40000, "nginx");
	joined(&host, "10.0.0.1", 22, "10.0.0.1", 40000, "sshd");
	joined(&host, "127.0.0.1", 22, "127.0.0.1", 40000, "sshd");
	joined(&host, "10.0.0.1", 41000, "10.0.7.7", 22, "ssh");
	cr_assert_str_eq(
		derived(&host),
		"{peer: [10.0.9.5, 10.0.9.6], ports: [22/tcp], purpose: \"SSH sessions that are established\"}\n"
		"{peer: [fd00::9], ports: [2222/tcp], purpose: \"SSH sessions that are established\"}\n");
	cr_assert_eq(host.l.d.count, 0, "%s", load_all(&host.l));
	host_free(&host);
}

Test(host_failsafe, the_session_of_the_command_names_its_port)
{
	struct host host = host_new();

	host.in.session_port = 8022;
	joined(&host, "10.0.0.1", 8022, "10.0.9.5", 40000, "");
	cr_assert_str_eq(
		derived(&host),
		"{peer: [10.0.9.5], ports: [8022/tcp], purpose: \"SSH sessions that are established\"}\n");
	host_free(&host);
}

Test(host_failsafe, resolvers_are_those_that_are_elsewhere)
{
	struct host host = host_new();

	file(&host, "/etc/resolv.conf",
	     "# nameserver 9.9.9.9\nsearch example.com\nnameserver 127.0.0.53\n"
	     "nameserver\t10.0.0.53 \r\nnameserver fe80::1%eth0\nnameserver none\noptions edns0");
	file(&host, "/run/systemd/resolve/resolv.conf",
	     "nameserver 10.1.0.53\nnameserver 10.1.0.53\nnameserver fd00::53");
	cr_assert_str_eq(
		derived(&host),
		"{direction: egress, peer: [10.0.0.53, fe80::1], ports: [53/udp, 53/tcp], purpose: \"resolvers of /etc/resolv.conf\"}\n"
		"{direction: egress, peer: [10.1.0.53, fd00::53], ports: [53/udp, 53/tcp], purpose: \"resolvers of /run/systemd/resolve/resolv.conf\"}\n");
	warns(&host, "no SSH session");
	host_free(&host);
}

#define DHCP(from)                                                                                 \
	"{direction: egress, peer: [255.255.255.255], ports: [67/udp], purpose: \"" from "\"}\n"
#define OF_GATEWAY                                                                                 \
	"peer: [10.0.0.254], ports: [icmp/8], purpose: \"ICMP of the default gateway\"}\n"
#define GATEWAY "{direction: egress, " OF_GATEWAY "{" OF_GATEWAY

Test(host_failsafe, routes_tell_a_lease_the_gateway_and_the_metadata_service)
{
	struct host host = host_new();

	route(&host, "10.0.0.0/24", NULL, RTPROT_KERNEL);
	route(&host, "10.5.0.0/16", "10.0.0.253", RTPROT_STATIC);
	route(&host, "169.254.0.0/16", NULL, RTPROT_BOOT);
	route(&host, "0.0.0.0/0", "10.0.0.254", RTPROT_STATIC);
	cr_assert_str_eq(derived(&host), GATEWAY, "no lease, no metadata service");
	host.in.routes[3].protocol = RTPROT_DHCP;
	route(&host, "169.254.169.254", "10.0.0.254", RTPROT_DHCP);
	route(&host, "::/0", "fe80::1", RTPROT_RA);
	cr_assert_str_eq(
		derived(&host),
		DHCP("DHCP: routes of a lease") "{direction: egress, peer: [169.254.169.254], ports: [80/tcp], purpose: \"metadata service: a route to it\"}\n" GATEWAY
						"{direction: egress, peer: [fe80::1], ports: [icmpv6/128], purpose: \"ICMP of the default gateway\"}\n"
						"{peer: [fe80::1], ports: [icmpv6/128], purpose: \"ICMP of the default gateway\"}\n");
	host_free(&host);
}

Test(host_failsafe, sockets_of_clients_tell_a_lease)
{
	struct host host = host_new();

	waits(&host, PROTO_UDP, "0.0.0.0", 68, "dhclient");
	waits(&host, PROTO_UDP, "fe80::5", 546, "systemd-network");
	cr_assert_str_eq(
		derived(&host),
		DHCP("DHCP: a socket on 68/udp") "{direction: egress, peer: [ff02::1:2], ports: [547/udp], purpose: \"DHCPv6: a socket on 546/udp\"}\n");
	host_free(&host);
}

Test(host_failsafe, a_neighbour_or_the_cloud_tells_the_metadata_service)
{
	static const char rule[] =
		"{direction: egress, peer: [169.254.169.254], ports: [80/tcp], purpose: \"%s\"}\n";
	struct host host = host_new();

	file(&host, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	cr_assert_str_eq(derived(&host), "");
	warns(&host, "nothing was found");
	file(&host, "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	cr_assert_str_eq(
		derived(&host),
		arena_printf(host.l.d.arena, rule,
			     "metadata service: /sys/class/dmi/id/sys_vendor is Amazon EC2"));
	host.in.metadata_near = true;
	cr_assert_str_eq(derived(&host),
			 arena_printf(host.l.d.arena, rule, "metadata service: a neighbour"));
	host_free(&host);
}

#define API(peers, port)                                                                           \
	"{direction: egress, peer: [" peers "], ports: [" port                                     \
	"/tcp], purpose: \"API server of /etc/kubernetes/kubelet.conf\"}\n"
#define KUBELET(peers)                                                                             \
	"{peer: [" peers                                                                           \
	"], ports: [10250/tcp], purpose: \"API server, to the kubelet on 10250/tcp\"}\n"
#define KUBECONFIG(server)                                                                         \
	"apiVersion: v1\nclusters:\n- cluster:\n    server: " server "\n  name: k\n"

Test(host_failsafe, of_kubernetes_the_server_of_the_kubelet_and_who_asks_it)
{
	struct host host = host_new();

	file(&host, "/etc/kubernetes/kubelet.conf", KUBECONFIG("https://10.0.0.10:6443"));
	cr_assert_str_eq(derived(&host), API("10.0.0.10", "6443"), "no kubelet waits");
	waits(&host, PROTO_TCP, "127.0.0.1", 10250, "kubelet");
	cr_assert_str_eq(derived(&host), API("10.0.0.10", "6443"), "it waits for this host");
	waits(&host, PROTO_TCP, "::", 10250, "kubelet");
	joined(&host, "10.0.0.1", 10250, "10.0.0.11", 50000, "kubelet");
	cr_assert_str_eq(derived(&host), API("10.0.0.10", "6443") KUBELET("10.0.0.10, 10.0.0.11"));
	file(&host, "/etc/kubernetes/kubelet.conf", KUBECONFIG("\"https://[fd00::10]\""));
	cr_assert(strstr(derived(&host), "peer: [\"fd00::10\"], ports: [443/tcp]") ||
			  strstr(derived(&host), "peer: [fd00::10], ports: [443/tcp]"),
		  "%s", derived(&host));
	host_free(&host);
}

Test(host_failsafe, a_server_by_name_is_whom_the_kubelet_is_connected_with)
{
	struct host host = host_new();

	file(&host, "/etc/kubernetes/kubelet.conf", KUBECONFIG("https://api.example.com:6443/"));
	waits(&host, PROTO_TCP, "::", 10250, "kubelet");
	cr_assert_str_eq(derived(&host), "");
	warns(&host, "the API server is api.example.com");
	warns(&host, "the address of its API server is not known");
	joined(&host, "10.0.0.1", 40000, "10.0.0.10", 6443, "kubelet");
	joined(&host, "10.0.0.1", 40001, "10.0.0.12", 6443, "other");
	cr_assert_str_eq(derived(&host), API("10.0.0.10", "6443") KUBELET("10.0.0.10"));
	host_free(&host);
}

Test(host_failsafe, a_source_that_cannot_be_read_is_an_error_that_names_it)
{
	static const char *const paths[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf",
					    "/sys/class/dmi/id/sys_vendor",
					    "/etc/kubernetes/kubelet.conf"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct host host = host_new();
		const struct diag *diag;

		cr_assert_eq(mkdir(path_of(&host, paths[i]), 0755), 0);
		cr_assert_eq(failsafe_derive(&host.in, &host.l.d, &host.found), -EISDIR);
		diag = load_find(&host.l, "failsafe-unreadable");
		cr_assert(diag && strstr(diag->message, paths[i]), "%s", load_all(&host.l));
		host_free(&host);
	}
}

Test(host_failsafe, a_kubelet_file_without_a_server_is_an_error)
{
	static const char *const texts[] = {"",
					    KUBECONFIG(""),
					    KUBECONFIG("10.0.0.10"),
					    KUBECONFIG("https://10.0.0.10:0"),
					    KUBECONFIG("https://[fd00::1:6443"),
					    KUBECONFIG("https:///")};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct host host = host_new();

		file(&host, "/etc/kubernetes/kubelet.conf", texts[i]);
		cr_assert_eq(failsafe_derive(&host.in, &host.l.d, &host.found), -EBADMSG, "%s",
			     texts[i]);
		host_free(&host);
	}
}

/* ---------------------------------------------------------------- the policy's file */

#define TOP(attach)                                                                                \
	"apiVersion: flowreeve/v1\nkind: Policy # a\nmetadata: {name: t}\nmode: enforce\n"         \
	"attach: {" attach "}\n"
#define ENTRY                                                                                      \
	"{direction: egress, peer: [10.0.0.53], ports: [53/udp, 53/tcp], purpose: \"resolvers of /etc/resolv.conf\"}"

static struct host host_with_resolver(void)
{
	struct host host = host_new();

	file(&host, "/etc/resolv.conf", "nameserver 10.0.0.53\n");
	derived(&host);
	host.l.d = (struct diags){.arena = host.l.d.arena};
	return host;
}

static void digest_of(struct load *l, uint8_t out[32])
{
	struct image image = {0};

	cr_assert_eq(image_compile(l->rs, &l->d, &image), 0, "%s", load_all(l));
	memcpy(out, image.digest, 32);
	image_free(&image);
}

static void becomes(const char *text, const char *expected)
{
	struct host host = host_with_resolver();
	const char *item = failsafe_text(host.l.d.arena, &host.found.list[0]);
	uint8_t before[32], after[32];
	const struct source *edited;
	struct edit edit;

	host.l.options.failsafe_wanted = true;
	host.l.options.failsafe = &host.found;
	cr_assert_eq(load_text(&host.l, text), 0, "%s", load_all(&host.l));
	cr_assert(host.l.rs->failsafe_auto && !host.l.rs->failsafe_unknown);
	digest_of(&host.l, before);
	cr_assert_eq(edit_begin(host.l.d.arena, host.l.rs->source->name, &edit), 0);
	cr_assert(edit_set_list(&edit, "failsafe", &item, 1));
	edited = edit_finish(&edit);
	cr_expect_str_eq(edited->text, expected);
	cr_expect_eq(edited->size, strlen(expected));
	host.l.options.failsafe = NULL;
	cr_assert_eq(load_text(&host.l, edited->text), 0, "%s", load_all(&host.l));
	cr_assert_not(host.l.rs->failsafe_auto);
	digest_of(&host.l, after);
	cr_assert_eq(memcmp(before, after, sizeof(before)), 0, "it is another policy");
	host_free(&host);
}

Test(host_failsafe, the_list_is_written_in_the_place_of_the_word)
{
	becomes(TOP("interfaces: [a]") "failsafe: auto  # why\n" RULE,
		TOP("interfaces: [a]") "failsafe:  # why\n  - " ENTRY "\n" RULE);
	becomes(TOP("interfaces: [a]") RULE "failsafe: \"auto\"",
		TOP("interfaces: [a]") RULE "failsafe:\n  - " ENTRY);
	becomes(TOP("cgroups: [/a]") RULE, TOP("cgroups: [/a]") RULE "failsafe:\n  - " ENTRY "\n");
	becomes("{apiVersion: flowreeve/v1, kind: Policy, metadata: {name: t}, mode: audit,\n"
		" attach: {interfaces: [a]}, failsafe: auto, "
		"rules: [{id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}]}\n",
		"{apiVersion: flowreeve/v1, kind: Policy, metadata: {name: t}, mode: audit,\n"
		" attach: {interfaces: [a]}, failsafe: [" ENTRY
		"], rules: [{id: r, direction: egress, peer: any, ports: 1/tcp, action: allow}]}\n");
}

Test(host_failsafe, without_a_host_auto_is_no_rule_and_says_so)
{
	struct host host = host_with_resolver();

	cr_assert_eq(load_text(&host.l, TOP("interfaces: [a]") "failsafe: auto\n" RULE), 0);
	cr_expect(host.l.rs->failsafe_auto && host.l.rs->failsafe_unknown);
	cr_expect_not(host.l.rs->failsafe_open);
	cr_expect_eq(host.l.rs->rule_count, 1);
	cr_expect(load_find(&host.l, "failsafe-unknown"), "%s", load_all(&host.l));
	cr_expect_eq(host.l.d.count, 1, "%s", load_all(&host.l));
	host.l.options.failsafe = &host.found;
	cr_assert_eq(
		load_text(&host.l, TOP("interfaces: [a], guests: [b]") "failsafe: auto\n" RULE), 0);
	cr_expect(load_rule(&host.l, "failsafe/1", FR_EGRESS));
	cr_expect_eq(load_rule(&host.l, "failsafe/1", FR_EGRESS)->loc.line, 6);
	cr_assert_eq(load_text(&host.l, TOP("guests: [b]") "failsafe: auto\n" RULE), -EINVAL);
	cr_expect(load_find(&host.l, "failsafe-guests"), "%s", load_all(&host.l));
	cr_assert_eq(load_text(&host.l, TOP("interfaces: [a]") "failsafe: automatic\n" RULE),
		     -EINVAL);
	host_free(&host);
}

/* ---------------------------------------------------------------- rewriting */

Test(host_failsafe, a_file_is_rewritten_with_its_mode_or_left_alone)
{
	struct load l = load_new();
	const char *path = load_file(&l, "policy.yaml", "old"),
		   *link = arena_printf(l.d.arena, "%s/link", l.dir);
	struct source *source;
	struct stat now;

	cr_assert_eq(chmod(path, 0640), 0);
	cr_assert_eq(file_rewrite(l.d.arena, path, "newer", 5), 0);
	cr_assert_eq(source_read(l.d.arena, path, 100, &source), 0);
	cr_expect_str_eq(source->text, "newer");
	cr_assert_eq(stat(path, &now), 0);
	cr_expect_eq(now.st_mode & 07777, 0640);
	cr_assert_eq(symlink("policy.yaml", link), 0);
	cr_expect_eq(file_rewrite(l.d.arena, link, "x", 1), -ELOOP);
	cr_expect_eq(file_rewrite(l.d.arena, l.dir, "x", 1), -EEXIST);
	cr_expect_eq(file_rewrite(l.d.arena, arena_printf(l.d.arena, "%s/none", l.dir), "x", 1),
		     -ENOENT);
	load_free(&l);
}
