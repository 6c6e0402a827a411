/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common input in place of an address or a port: the proposal is right, and never wider than the
 * input.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../../user/base/base.h"
#include "../../user/net/net.h"

struct mistake {
	const char *text, *message, *hint;
};

static void advice_is(const struct mistake *m, struct advice advice)
{
	cr_expect(advice.message && strstr(advice.message, m->message), "%s: %s", m->text,
		  advice.message);
	cr_expect(advice.hint && strstr(advice.hint, m->hint), "%s: %s", m->text, advice.hint);
}

static void ports_are(const struct mistake *mistakes, size_t number)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct service service[2];
	size_t count;

	for (size_t i = 0; i < number; i++) {
		struct advice advice = service_advice(arena, mistakes[i].text);

		advice_is(&mistakes[i], advice);
		cr_expect(!advice.meant ||
				  service_parse(advice.meant, service, &count) == SERVICE_OK,
			  "%s: %s", mistakes[i].text, advice.meant);
	}
}

Test(net_advice, ports)
{
	static const struct mistake mistakes[] = {
		{"80:90/tcp", "written with '-'", "write '80-90/tcp'"},
		{"http", "numbers, not names", "write '80/tcp'"},
		{"dns", "numbers, not names", "53/udp, 53/tcp"},
		{"444tcp", "'/' between them", "write '444/tcp'"},
		{"tcp/443", "after the port", "write '443/tcp'"},
		{"TCP 443", "after the port", "write '443/tcp'"},
		{"443", "the protocol is missing", "write '443/tcp' or '443/udp'"},
		{"443 tcp", "'/' between them", "write '443/tcp'"},
		{"443/tcp6", "'/' between them", "write '443/tcp'"},
		{"90-80/tcp", "before it begins", "write '80-90/tcp'"},
		{"80,443/tcp", "several ports", "80/tcp, 443/tcp"},
		{"443/tcp+udp", "several ports", "443/tcp, 443/udp"},
		{"80-/tcp", "two ends", "write '80-65535/tcp'"},
		{"-80/tcp", "not negative", "80/tcp for the port, 0-80/tcp for a range"},
		{"70000/tcp", "over 65535", "0 to 65535"},
		{"1-70000/udp", "over 65535", "write '1-65535/udp'"},
		{"99999999999999999999999/tcp", "over 65535", "0 to 65535"},
		{"0443/tcp", "no leading 0", "write '443/tcp'"},
		{"0x1bb/tcp", "'/' between them", "write '443/tcp'"},
		{"443/tpc", "'tpc' is not a known protocol", "write '443/tcp'"},
		{"22/ssh", "'ssh' is not a known protocol", "write '22/tcp'"},
		{"443/gre", "has none", "write 'any/gre'"},
		{"tcp", "the ports of the protocol", "443/tcp for one port"},
		{"*", "the word is 'any'", "'any'"},
		{"all/udp", "the word is 'any'", "write 'any/udp'"},
		{"ping", "protocol of this type is missing", "write 'icmp/echo-request'"},
		{"icmpv6/echo-requst", "not a type of ICMP", "write 'icmpv6/echo-request'"},
		{"!443/tcp", "negated", "action: deny"},
		{"6/443", "after the port", "write '443/tcp'"},
		{"", "not a port", "443/tcp"},
		{"/", "not a port", "443/tcp"},
		{"-", "not a port", "443/tcp"},
	};

	ports_are(mistakes, ARRAY_SIZE(mistakes));
}

Test(net_advice, as_many_ports_as_were_written)
{
	static const struct mistake mistakes[] = {
		{"443/tcp 80/tcp", "several ports", "own: 443/tcp, 80/tcp"},
		{"443/tcp, 443/tcp", "several ports", "write '443/tcp'"},
		{"443/tcp, udp/53", "several ports", "own: 443/tcp, 53/udp"},
		{"80,443/tcp; 53/udp", "several ports", "own: 80/tcp, 443/tcp, 53/udp"},
		{"80/tcp-90/tcp", "'/' between them", "write '80-90/tcp'"},
		{"90/tcp-80/tcp", "before it begins", "write '80-90/tcp'"},
		{"ftp-data", "numbers, not names", "write '20/tcp'"},
		{"domain/udp", "numbers, not names", "write '53/udp'"},
		{"https/udp", "numbers, not names", "write '443/udp'"},
		{"http, https", "numbers, not names", "own: 80/tcp, 443/tcp"},
		{"type 8", "protocol of this type is missing", "write 'icmp/8'"},
		{"8/icmp", "after its protocol", "write 'icmp/8'"},
		{"1024+/tcp", "two ends", "write '1024-65535/tcp'"},
		{"1024+", "the protocol is missing", "write '1024-65535/tcp' or '1024-65535/udp'"},
		{"1024:/tcp", "two ends", "write '1024-65535/tcp'"},
		{":1024/tcp", "two ends", "write '0-1024/tcp'"},
		{">1023/tcp", "two ends", "write '1024-65535/tcp'"},
		{">= 1024/tcp", "two ends", "write '1024-65535/tcp'"},
		{"<1024", "the protocol is missing", "write '0-1023/tcp' or '0-1023/udp'"},
		{"proto 50", "the ports of the protocol", "any/50"},
		{"10.0.0.0/24", "belongs under 'peer'", "write peer: [10.0.0.0/24]"},
		{"fd00::", "belongs under 'peer'", "write peer: [\"fd00::\"]"},
		{"10.0.0.1:443", "belongs under 'peer'", "write peer: [10.0.0.1]"},
		{"22/tcp to 10.0.0.1", "belongs under 'peer'", "write peer: [10.0.0.1]"},
		{"10.0.0.1-10.0.0.9", "belongs under 'peer'", "write the address under 'peer'"},
		{"\u201chttp\u201d", "quotation marks", "write '80/tcp'"},
		{"not 22", "negated", "action: deny"},
		{"^22/tcp", "negated", "action: deny"},
	};

	ports_are(mistakes, ARRAY_SIZE(mistakes));
}

/* A part of the text alone would propose something else. */
Test(net_advice, no_port_is_guessed)
{
	static const char *const texts[] = {
		"443.0/tcp",   "4_43/tcp",	   "80-90-100/tcp",   "80/tcp-90/udp",
		"443-tcp-80",  "22/ssh-500",	   "443/tcp:80",      "1,024/tcp",
		"0443,80/tcp", "icmp/3/4,443/tcp", "22/tcp from any", "example.com:443",
		"tcp, 80/tcp", "8080->80/tcp",	   "--dport -443",    ">65535/tcp",
		"<0/tcp",      "443/tcp (https)",  "1024-max/tcp",    "/443/tcp"};
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct advice advice = service_advice(arena, texts[i]);

		cr_expect(strstr(advice.message, "not a port and a protocol"), "%s: %s, %s",
			  texts[i], advice.message, advice.hint);
	}
}

Test(net_advice, peers)
{
	static const struct mistake mistakes[] = {
		{"10.0.0.1-10.0.0.9", "the prefixes that cover it",
		 "10.0.0.1, 10.0.0.2/31, 10.0.0.4/30, 10.0.0.8/31"},
		{"10.0.0.1-9", "cover it", "10.0.0.8/31"},
		{"0.0.0.0-255.255.255.255", "cover it", "0.0.0.0/0"},
		{"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "cover it", "\"::/0\""},
		{"10.0.0.1:80", "no port",
		 "write '10.0.0.1' here, and the port under 'ports': 80/tcp"},
		{"[::1]:53/udp", "no port",
		 "write \"::1\" here, and the port under 'ports': 53/udp"},
		{"http://10.0.0.1:8080/x", "a URL", "8080/tcp"},
		{"!10.0.0.1", "negated", "peer: [10.0.0.1], ports: [any], action: deny"},
		{"10.0.0.0/33", "0 to 32", "10.0.0.0/24"},
		{"fd00::/129", "0 to 128", "fd00::/64"},
		{"10.0.0.0/024", "leading 0", "write '10.0.0.0/24'"},
		{"10.0.0.5/24", "beyond its length", "write '10.0.0.0/24' for the subnet"},
		{"10.0.0.0/255.255.254.0", "netmask", "write '10.0.0.0/23'"},
		{"10.0.0.0 0.0.0.255", "netmask", "write '10.0.0.0/24'"},
		{"10.0.0.*", "with its length", "write '10.0.0.0/24'"},
		{"10.0", "four numbers", "write '10.0.0.0/16'"},
		{"10.0.0.256", "256 is over 255", "10.0.0.1"},
		{"010.0.0.1", "leading 0", "write '10.0.0.1'"},
		{"fe80::1%eth0", "more than an address", "write 'fe80::1'"},
		{"10.0.0.1; 10.0.0.2", "several", "10.0.0.1, 10.0.0.2"},
		{"\u201c10.0.0.1\u201d", "quotation marks", "\"10.0.0.1\""},
		{"ALL", "the word is 'any'", "'any'"},
		{"any/ipv4", "both families", "write '0.0.0.0/0'"},
		{"ALL ipv6", "both families", "write \"::/0\""},
		{"fd00::/130", "0 to 128", "\"fd00::\" is the one address, 'fd00::/64'"},
		{"::1/64", "beyond its length", "write \"::/64\" for the subnet, \"::1\" for"},
		{"any except 10.0.0.1", "negated", "peer: [10.0.0.1], ports: [any], action: deny"},
		{"!=10.0.0.0/8", "negated", "a rule of the same direction can deny it"},
		{"!fd00::", "negated", "peer: [\"fd00::\"]"},
		{"not in 10.0.0.0/8", "negated", "list the intended peers"},
		{"\u201c10.0.0.1:80\u201d", "quotation marks", "write '10.0.0.1' here"},
		{"local-subnets", "not a word", "local-subnet"},
	};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct prefix prefix;

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct advice advice = peer_advice(arena, mistakes[i].text);

		advice_is(&mistakes[i], advice);
		cr_expect(!advice.meant || prefix_parse(advice.meant, &prefix) == NET_OK, "%s: %s",
			  mistakes[i].text, advice.meant);
	}
}

/* A name, and a netmask of holes: nothing is proposed, least of all `any`. */
Test(net_advice, nothing_is_guessed)
{
	static const char *const texts[] = {
		"any.example.com", "amy", "ann.example",    "anny",
		"web-any",	   "en",  "db.example.com", "10.0.0.0-fd00::",
		"prefixes/s3",	   "",	  "*.example.com",  "10.0.0.1.nip.io",
		"> 10.0.0.1",	   "any4"};
	struct arena *arena CLEANUP(arena_drop) = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct advice advice = peer_advice(arena, texts[i]);

		cr_expect_null(advice.message, "%s: %s", texts[i], advice.message);
		cr_expect_null(advice.hint, "%s: %s", texts[i], advice.hint);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Which of the 256 addresses of 10.0.0.0/24 the proposed list has. */
static void covered(struct arena *arena, const char *list, bool out[256])
{
	memset(out, 0, 256);
	while (*list) {
		size_t size = strcspn(list, ",");
		struct prefix prefix;

		cr_assert_eq(prefix_parse(arena_strndup(arena, list, size), &prefix), NET_OK, "%s",
			     list);
		for (size_t i = 0; i < 256; i++) {
			struct addr addr = addr_from_v4(0x0a000000u + (uint32_t)i);

			cr_assert(!out[i] || !prefix_has(&prefix, &addr), "twice: %s", list);
			out[i] |= prefix_has(&prefix, &addr);
		}
		list += size + strspn(list + size, ", ");
	}
}

Test(net_advice, a_range_is_covered_exactly)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	uint32_t state = 7;

	for (int round = 0; round < 300; round++) {
		unsigned from = next_random(&state) % 256, to = next_random(&state) % 256;
		unsigned least = from < to ? from : to, most = from + to - least;
		struct advice advice =
			peer_advice(arena, arena_printf(arena, "10.0.0.%u-10.0.0.%u", from, to));
		const char *list = strstr(advice.hint, ": ");
		bool has[256];

		cr_assert(list, "%s", advice.hint);
		covered(arena, list + 2, has);
		for (unsigned i = 0; i < 256; i++)
			cr_assert_eq(has[i], i >= least && i <= most, "%u-%u: %u in %s", from, to,
				     i, advice.hint);
	}
}

Test(net_advice, junk_never_crashes)
{
	static const char signs[] = "0123456789abcdefx.:/-*![]{}%,; tcpudpanyicmp\\\"'\xe2\x80\x93";
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct service service[2];
	struct prefix prefix;
	uint32_t state = 11;
	size_t count;

	for (int round = 0; round < 20000; round++) {
		char text[40];
		size_t size = next_random(&state) % sizeof(text);
		struct advice ports, peers;

		for (size_t i = 0; i < size; i++)
			text[i] = signs[next_random(&state) % (sizeof(signs) - 1)];
		text[size ? size - 1 : 0] = '\0';
		ports = service_advice(arena, text);
		peers = peer_advice(arena, text);
		cr_assert(ports.message && ports.hint, "%s", text);
		cr_assert(!ports.meant || service_parse(ports.meant, service, &count) == SERVICE_OK,
			  "%s: %s", text, ports.meant);
		cr_assert(!peers.meant || prefix_parse(peers.meant, &prefix) == NET_OK ||
				  peers.hint,
			  "%s: %s", text, peers.meant);
		if (round % 256 == 0)
			arena_reset(arena);
	}
}
