/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tests of net: addresses, prefixes, protocols, services, both ways.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/base/base.h"
#include "../../user/net/net.h"

static void prefix_is(const char *text, const char *printed)
{
	struct prefix prefix;
	char out[PREFIX_TEXT];

	cr_assert_eq(prefix_parse(text, &prefix), NET_OK, "%s", text);
	cr_assert_str_eq(prefix_text(&prefix, out), printed);
}

Test(net, prefixes_print_canonically)
{
	prefix_is("10.0.0.0/24", "10.0.0.0/24");
	prefix_is("10.0.0.5/32", "10.0.0.5");
	prefix_is("10.0.0.5", "10.0.0.5");
	prefix_is("0.0.0.0/0", "0.0.0.0/0");
	prefix_is("::/0", "::/0");
	prefix_is("FD00:0:0::1", "fd00::1");
	prefix_is("2001:db8::/32", "2001:db8::/32");
	prefix_is("::ffff:10.0.0.0/104", "10.0.0.0/8");
	prefix_is("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
}

/* Many words of nothing, in every place and of every length. */
Test(net, addresses_are_written_as_inet_ntop_does)
{
	static const uint16_t words[] = {0, 0, 0, 1, 0xffff, 0x0a00, 0x20, 0x1000};
	char out[ADDR_TEXT], wanted[INET6_ADDRSTRLEN];

	srandom(9);
	for (int i = 0; i < 200000; i++) {
		struct addr addr;

		for (int word = 0; word < 8; word++) {
			uint16_t value = words[random() % (long)ARRAY_SIZE(words)];

			addr.b[2 * word] = value >> 8;
			addr.b[2 * word + 1] = value & 255;
		}
		if (i % 7 == 0)
			memset(addr.b, 0, 10);
		if (addr_is_v4(&addr))
			inet_ntop(AF_INET, addr.b + 12, wanted, sizeof(wanted));
		else
			inet_ntop(AF_INET6, addr.b, wanted, sizeof(wanted));
		cr_assert_str_eq(addr_text(&addr, out), wanted);
	}
	for (unsigned i = 0; i < 256; i++) {
		struct addr addr = addr_from_v4(i * 0x01010101u);

		inet_ntop(AF_INET, addr.b + 12, wanted, sizeof(wanted));
		cr_assert_str_eq(addr_text(&addr, out), wanted);
	}
}

Test(net, bad_addresses_say_why)
{
	static const struct {
		const char *text;
		enum net_error error;
	} cases[] = {
		{"10.0.0.300", NET_BAD_ADDRESS},
		{"10.0.0", NET_BAD_ADDRESS},
		{"1.2.3.4.5", NET_BAD_ADDRESS},
		{"fe80::1%eth0", NET_BAD_ADDRESS},
		{"12345", NET_BAD_ADDRESS},
		{":::", NET_BAD_ADDRESS},
		{"010.0.0.1", NET_BAD_ADDRESS},
		{"10.0.0.300/24", NET_BAD_ADDRESS},
		{"", NET_NOT_ADDRESS},
		{"example.com", NET_NOT_ADDRESS},
		{"*.s3.aws", NET_NOT_ADDRESS},
		{"any", NET_NOT_ADDRESS},
		{"10.0.0.0/33", NET_BAD_LENGTH},
		{"10.0.0.0/", NET_BAD_LENGTH},
		{"10.0.0.0/x", NET_BAD_LENGTH},
		{"::/129", NET_BAD_LENGTH},
		{"10.0.0.0/-1", NET_BAD_LENGTH},
		{"10.0.0.0/255.0.0.0", NET_BAD_LENGTH},
		{"10.0.0.5/24", NET_HOST_BITS},
		{"fd00::1/64", NET_HOST_BITS},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NET_BAD_ADDRESS},
	};
	struct prefix prefix;
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(prefix_parse(cases[i].text, &prefix), cases[i].error, "%s",
			     cases[i].text);
	prefix_parse("10.0.0.5/24", &prefix);
	cr_assert_str_eq(prefix_text(&prefix, text), "10.0.0.0/24");
}

static bool has(const char *prefix_string, const char *addr_string)
{
	struct prefix prefix;
	struct addr addr;

	cr_assert_eq(prefix_parse(prefix_string, &prefix), NET_OK);
	cr_assert_eq(addr_parse(addr_string, &addr), NET_OK);
	return prefix_has(&prefix, &addr);
}

Test(net, membership_at_the_edges_and_families_apart)
{
	cr_assert(has("10.0.0.0/24", "10.0.0.255"));
	cr_assert_not(has("10.0.0.0/24", "10.0.1.0"));
	cr_assert(has("10.0.0.0/24", "::ffff:10.0.0.1"));
	cr_assert(has("::/0", "fd00::1"));
	cr_assert_not(has("::/0", "10.0.0.1"));
	cr_assert_not(has("0.0.0.0/0", "fd00::1"));
	cr_assert_not(has("0.0.0.0/0", "::1"));
	cr_assert(has("2001:db8::/33", "2001:db8:7fff::"));
	cr_assert_not(has("2001:db8::/33", "2001:db8:8000::"));
	cr_assert(has("fd00::/65", "fd00::7fff:ffff:ffff:ffff"));
	cr_assert_not(has("fd00::/65", "fd00::8000:0:0:0"));
}

Test(net, covers_is_containment)
{
	struct prefix wide, narrow, six;

	prefix_parse("10.0.0.0/8", &wide);
	prefix_parse("10.1.0.0/16", &narrow);
	prefix_parse("::/0", &six);
	cr_assert(prefix_covers(&wide, &narrow));
	cr_assert(prefix_covers(&wide, &wide));
	cr_assert_not(prefix_covers(&narrow, &wide));
	cr_assert_not(prefix_covers(&six, &narrow));
}

Test(net, halves_and_v4_agree)
{
	struct addr addr = addr_from_v4(0x0a000001);
	char text[ADDR_TEXT];

	cr_assert(addr_is_v4(&addr));
	cr_assert_eq(addr_v4(&addr), 0x0a000001);
	cr_assert_eq(addr_high(&addr), 0);
	cr_assert_eq(addr_low(&addr), 0xffff0a000001ull);
	cr_assert_str_eq(addr_text(&addr, text), "10.0.0.1");
	addr = addr_from_halves(0x20010db800000000ull, 1);
	cr_assert_str_eq(addr_text(&addr, text), "2001:db8::1");
}

static void service_is(const char *text, const char *printed)
{
	struct service services[2];
	char out[SERVICE_TEXT], all[2 * SERVICE_TEXT + 1] = "";
	size_t count = 0;

	cr_assert_eq(service_parse(text, services, &count), SERVICE_OK, "%s", text);
	for (size_t i = 0; i < count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, service_text(&services[i], out));
	}
	cr_assert_str_eq(all, printed);
}

Test(net, services_as_vendors_write_them)
{
	service_is("443/tcp", "443/tcp");
	service_is("1024-1064/tcp", "1024-1064/tcp");
	service_is("1024\u20131064/tcp", "1024-1064/tcp");
	service_is("1024\u20141064/tcp", "1024-1064/tcp");
	service_is("1024\u22121064/tcp", "1024-1064/tcp");
	service_is("1024 to 1064/tcp", "1024-1064/tcp");
	service_is("1024 - 1064/tcp", "1024-1064/tcp");
	service_is("443-443/TCP", "443/tcp");
	service_is("any/tcp", "any/tcp");
	service_is("0-65535/tcp", "any/tcp");
	service_is("any", "any");
	service_is("any/47", "any/gre");
	service_is("any/200", "any/200");
	service_is("53/17", "53/udp");
	service_is("1/tcp", "1/tcp");
	service_is("icmp/echo-request", "icmp/8 icmpv6/128");
	service_is("icmpv6/echo-request", "icmpv6/128");
	service_is("icmp/8", "icmp/8");
	service_is("icmp/3/4", "icmp/3/4");
	service_is("icmp/time-exceeded/0", "icmp/11/0");
	service_is("icmp/any", "any/icmp");
	service_is("any/icmp", "any/icmp");
	service_is("icmp/redirect", "icmp/5");
}

Test(net, bad_services_say_why)
{
	static const struct {
		const char *text;
		enum service_error error;
	} cases[] = {
		{"443", SERVICE_NO_PROTO},
		{"tcp", SERVICE_NO_PROTO},
		{"", SERVICE_NO_PROTO},
		{"443/tpc", SERVICE_BAD_PROTO},
		{"443/256", SERVICE_BAD_PROTO},
		{"443/", SERVICE_BAD_PROTO},
		{"443/tcp/x", SERVICE_BAD_PROTO},
		{"https/tcp", SERVICE_BAD_PORT},
		{"/tcp", SERVICE_BAD_PORT},
		{"-5/tcp", SERVICE_BAD_PORT},
		{"5-/tcp", SERVICE_BAD_PORT},
		{"1-2-3/tcp", SERVICE_BAD_PORT},
		{"icmp/ping", SERVICE_BAD_PORT},
		{"icmp/256", SERVICE_BAD_PORT},
		{"icmp/3/256", SERVICE_BAD_PORT},
		{"99999/tcp", SERVICE_BIG_PORT},
		{"1-65536/tcp", SERVICE_BIG_PORT},
		{"99999999999999999999999/tcp", SERVICE_BIG_PORT},
		{"1064-1024/tcp", SERVICE_REVERSED},
		{"443/gre", SERVICE_NO_PORTS},
		{"8/icmp", SERVICE_NO_PORTS},
	};
	struct service services[2];
	size_t count = 77;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(service_parse(cases[i].text, services, &count), cases[i].error, "%s",
			     cases[i].text);
	cr_assert_eq(count, 77, "untouched on failure");
}

Test(net, service_ranges_include_both_ends)
{
	struct service services[2];
	size_t count;

	service_parse("1024-1064/tcp", services, &count);
	cr_assert_not(service_has(services, PROTO_TCP, 1023));
	cr_assert(service_has(services, PROTO_TCP, 1024));
	cr_assert(service_has(services, PROTO_TCP, 1064));
	cr_assert_not(service_has(services, PROTO_TCP, 1065));
	cr_assert_not(service_has(services, PROTO_UDP, 1030));
	service_parse("any", services, &count);
	cr_assert(service_has(services, 47, 0));
	service_parse("icmp/3", services, &count);
	cr_assert(service_has(services, PROTO_ICMP, 3 << 8 | 4));
	cr_assert_not(service_has(services, PROTO_ICMP, 4 << 8));
}

Test(net, protocols_by_name_and_number)
{
	uint8_t proto = 9;
	uint8_t type;
	int code;

	cr_assert_eq(proto_parse("TCP", &proto), 0);
	cr_assert_eq(proto, PROTO_TCP);
	cr_assert_eq(proto_parse("47", &proto), 0);
	cr_assert_str_eq(proto_name(47), "gre");
	cr_assert_str_eq(proto_name(PROTO_ICMP6), "icmpv6");
	cr_assert_null(proto_name(253));
	cr_assert_eq(proto_parse("256", &proto), -EINVAL);
	cr_assert_str_eq(proto_nearest("tpc"), "tcp");
	cr_assert(proto_has_ports(PROTO_SCTP));
	cr_assert_not(proto_has_ports(PROTO_ICMP));
	cr_assert_eq(icmp_type_parse(PROTO_ICMP6, "packet-too-big", &type, &code), 0);
	cr_assert(type == 2 && code == -1);
	cr_assert_eq(icmp_type_parse(PROTO_ICMP, "3/4", &type, &code), 0);
	cr_assert(type == 3 && code == 4);
	cr_assert_eq(icmp_type_parse(PROTO_ICMP, "pong", &type, &code), -EINVAL);
	cr_assert_str_eq(icmp_type_name(PROTO_ICMP, 8), "echo-request");
	cr_assert_null(icmp_type_name(PROTO_ICMP, 200));
}
