/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that are not plain TCP, UDP or ICMP of this host: broken, misplaced, fragmented, tagged,
 * not IP at all, or another host's.
 */
#include "packets_rig.h"

enum { DNS = NTH_RULE(0), SYSLOG = NTH_RULE(1), SSH = NTH_RULE(2) };

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53, .host = WIRE_HOST},
	{.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 514, .host = 8},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};
static const struct test_policy open = {.allow = {true, true}};

/* ---------------------------------------------------------------- misplaced and broken */

static void misplaced(struct rig *rig)
{
	static const uint8_t ours[2][16] = {{127, 0, 0, 1}, {[15] = 1}};
	static const uint8_t other[4] = {127, 200, 1, 2};
	const uint8_t *loopback = rig->v6 ? ours[1] : ours[0];

	DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = IN, .proto = TCP, .local = 22, .flags = SYN,
	     .peer_addr = loopback);
	DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = IN, .proto = TCP, .local = 22, .flags = SYN,
	     .local_addr = loopback);
	if (!rig->v6)
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = IN, .proto = UDP, .local = 514,
		     .peer_addr = other);
	if (rig->kind == FR_KIND_GUEST)
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = OUT, .proto = UDP, .peer = 53,
		     .peer_addr = loopback);
}

RIG_TEST(packets_odd, loopback_addresses_on_a_device_are_malformed, misplaced, &enforce, &audit)

/* With any policy: also one that allows everything. */
static void broken(struct rig *rig)
{
	static const uint8_t bytes[20];

	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		for (uint16_t size = 1; size < 20; size++)
			DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .body = bytes,
			     .body_size = size, .trailer = size & 1 ? 40 : 0);
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = UDP, .body = bytes,
		     .body_size = 7);
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .flags = SYN | FIN);
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .flags = SYN | RST);
		PASS(rig, DEFAULT, dir, .dir = dir, .proto = TCP, .peer = 1 + dir, .flags = SYN);
	}
	cr_assert_eq(rig_reason(rig, IN, FR_REASON_MALFORMED).packets[FR_DROP], 22);
}

RIG_TEST(packets_odd, truncated_headers_are_malformed_whatever_the_policy, broken, &open)

static void chains(struct rig *rig)
{
	if (!rig->v6)
		return;
	for (uint8_t count = 0; count <= 8; count++) {
		struct wire w = {.v6 = true,
				 .dir = IN,
				 .proto = TCP,
				 .local = 22,
				 .flags = SYN,
				 .ext_count = count,
				 .peer = count};
		struct expected passed = {FR_PASS, FR_REASON_RULE, SSH, __FILE__, __LINE__};
		struct expected refused = {FR_DROP, FR_REASON_EXT_HEADERS, FR_RULE_OTHER, __FILE__,
					   __LINE__};

		memset(w.ext, 60, sizeof(w.ext));
		rig_step(rig, &w, count > FR_EXT_HEADERS_MAX ? &refused : &passed);
	}
}

RIG_TEST(packets_odd, extension_headers_past_the_limit_have_a_reason_of_their_own, chains, &enforce,
	 &audit)

static void options(struct rig *rig)
{
	for (uint8_t words = 0; words <= 10 && !rig->v6; words++) {
		PASS(rig, RULE, SSH, .dir = IN, .proto = TCP, .local = 22, .peer = 100 + words,
		     .flags = SYN, .options = words);
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 23, .peer = 100 + words,
		     .flags = SYN, .options = words);
	}
}

RIG_TEST(packets_odd, ip_options_do_not_hide_the_ports, options, &enforce, &audit)

/* ---------------------------------------------------------------- fragments */

#define FIRST_PART .fragment = true, .more = true, .payload = 64, .fragment_id
#define LATER_PART .fragment = true, .offset = 9, .fragment_id

static void fragments_in(struct rig *rig)
{
	/* in any order: some port of the pair is admitted, or a reply can come */
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = UDP, .host = 8, LATER_PART = 1);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = UDP, LATER_PART = 1);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = TCP, .host = 3, LATER_PART = 1);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = UDP, .host = 3, LATER_PART = 1);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = 47, .host = 8, LATER_PART = 1);
	/* the first fragment decides */
	PASS(rig, RULE, SYSLOG, .dir = IN, .proto = UDP, .host = 8, .local = 514, .peer = 6,
	     FIRST_PART = 2);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .host = 8, .local = 515, .peer = 6,
	     FIRST_PART = 3);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53, FIRST_PART = 4);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = UDP, LATER_PART = 4);
	DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = IN, .proto = TCP, .fragment = true, .offset = 1);
}

RIG_TEST(packets_odd, incoming_fragments_need_a_port_that_is_admitted, fragments_in, &enforce,
	 &audit)

static void fragments_out(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return; /* sees whole datagrams */
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 1);
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53, FIRST_PART = 1);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 1);
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 1, .more = true);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 2);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, .host = 8, LATER_PART = 1);
	if (!rig->v6) /* there only the number identifies the datagram */
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = TCP, LATER_PART = 1);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, .tags = 1, .tag = {5},
	     LATER_PART = 1);
	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = UDP, .local = 7, .peer = 54, FIRST_PART = 3);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 3);
	cr_assert_eq(rig_counters(rig, DNS).packets, 3, "later parts are booked with their first");
}

RIG_TEST(packets_odd, outgoing_fragments_follow_an_allowed_first, fragments_out, &enforce, &audit)

/* Lesson: later fragments were dropped because they were judged by fields that their header does
 * not have. With options behind the fragment header they carry the number of those. */
static void options_behind(struct rig *rig)
{
	static const uint8_t headers[] = {60, 51, 43};

	for (size_t i = 0; i < ARRAY_SIZE(headers) && rig->v6; i++) {
		uint32_t id = 10 + i;
#define PART .proto = UDP, .inner = headers[i], .fragment = true, .fragment_id = id
		PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .host = 8, .offset = 9, PART);
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .host = 3, .offset = 9, PART);
		PASS(rig, RULE, SYSLOG, .dir = IN, .host = 8, .local = 514, .peer = 6, .more = true,
		     .payload = 64, PART);
		DROP(rig, DEFAULT, IN, .dir = IN, .host = 8, .local = 515, .peer = 6, .more = true,
		     .payload = 64, PART);
		if (rig->kind == FR_KIND_CGROUP)
			continue;
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .offset = 9, PART);
		PASS(rig, RULE, DNS, .dir = OUT, .local = 7, .peer = 53, .more = true,
		     .payload = 64, PART);
		PASS(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .offset = 9, PART);
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .offset = 9, .host = 8, PART);
#undef PART
	}
}

RIG_TEST(packets_odd, later_fragments_behind_options_follow_their_datagram, options_behind,
	 &enforce, &audit)

/* ---------------------------------------------------------------- other than IP */

static void frame_of(struct rig *rig, uint8_t dir, uint16_t ethertype, uint8_t verdict)
{
	uint8_t data[60] = {0};

	wire_put16(data + 12, ethertype);
	rig_bytes(rig, dir, data, sizeof(data),
		  &(struct expected){verdict, FR_REASON_NON_IP, FR_RULE_OTHER, __FILE__, __LINE__});
}

static void non_ip(struct rig *rig)
{
	static const uint16_t known[] = {0x0806, 0x88cc, 0x888e, 0x8809};
	uint32_t denies = rig->kind == FR_KIND_GUEST ? FR_F_NONIP_DENY_GUEST : FR_F_NONIP_DENY_IF;
	uint8_t others = rig->policy.flags_on & denies ? FR_DROP : FR_PASS;

	if (rig->kind == FR_KIND_CGROUP)
		return;
	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			frame_of(rig, dir, known[i], FR_PASS);
		frame_of(rig, dir, 0x8864, others);
		frame_of(rig, dir, 0x88f7, others);
		frame_of(rig, dir, 30, others);
	}
}

Test(packets_odd, other_ethertypes_follow_the_policy_of_their_kind)
{
	static const uint32_t flags[] = {0, FR_F_NONIP_DENY_IF, FR_F_NONIP_DENY_GUEST,
					 FR_F_NONIP_DENY_IF | FR_F_NONIP_DENY_GUEST};
	struct rig rig;

	rig_open(&rig);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		struct test_policy policy = {.flags_on = flags[i / 2], .audit = i & 1};

		rig_each(&rig, &policy, non_ip);
	}
	rig_close(&rig);
}

/* ---------------------------------------------------------------- tags */

/* The kernel strips priority tags, any number of them, and delivers the rest. */
static void priority_tags(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return;
	for (uint8_t tags = 1; tags <= FR_TAGS_MAX; tags++) {
		uint16_t local = 100 + tags;

		PASS(rig, RULE, SSH, .dir = IN, .proto = TCP, .local = 22, .peer = local,
		     .flags = SYN, .tags = tags);
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 23, .flags = SYN,
		     .tags = tags);
		DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = UDP, .peer = 54, .tags = tags);
		PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = local, .peer = 53,
		     .tags = tags);
		/* no VLAN: the answer has other priorities, or none */
		PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = local, .peer = 53,
		     .tags = 1, .tag = {0xa000});
		PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = local, .peer = 53);
	}
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 9, .peer = 53, .tags = 2,
	     .tag = {0, 5});
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 9, .peer = 53, .tags = 3,
	     .tag = {5, 0, 0});
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 9, .peer = 53, .tags = 2);
}

RIG_TEST(packets_odd, priority_tags_hide_nothing, priority_tags, &enforce, &audit)

/* Under any policy for other ethertypes, and in both directions. */
static void too_many_tags(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return;
	for (uint8_t dir = 0; dir < FR_DIRS; dir++) {
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .local = 22,
		     .flags = SYN, .tags = 3, .tag = {1, 2, 3});
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .local = 22,
		     .flags = SYN, .tags = 5, .tag = {0, 1, 0, 2, 3});
		DROP(rig, MALFORMED, FR_RULE_OTHER, .dir = dir, .proto = TCP, .local = 22,
		     .flags = SYN, .tags = FR_TAGS_MAX + 1);
	}
}

Test(packets_odd, what_is_behind_more_tags_than_are_read_is_refused)
{
	static const struct test_policy anything = {.allow = {true, true}};

	rig_run(&enforce, too_many_tags);
	rig_run(&audit, too_many_tags);
	rig_run(&anything, too_many_tags);
}

/* ---------------------------------------------------------------- scopes */

static void vlans(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return;
#define IN_VLAN(n) .proto = UDP, .local = 7, .peer = 53, .tags = 1, .tag = {n}
	PASS(rig, RULE, DNS, .dir = OUT, IN_VLAN(5));
	DROP(rig, DEFAULT, IN, .dir = IN, IN_VLAN(6));
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	PASS(rig, REPLY, DNS, .dir = IN, IN_VLAN(5));
	PASS(rig, REPLY, DNS, .dir = IN, IN_VLAN(0xe005)); /* with a priority */
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53, .tags = 2,
	     .tag = {5, 9});
#undef IN_VLAN
}

RIG_TEST(packets_odd, a_vlan_keeps_its_flows_to_itself, vlans, &enforce, &audit)

static void devices(struct rig *rig)
{
	rig->ifindex = rig->devices[0];
	PASS(rig, RULE, DNS, .dir = OUT, .proto = UDP, .local = 7, .peer = 53);
	rig->ifindex = rig->devices[1];
	if (rig->kind == FR_KIND_GUEST)
		DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	else /* a host has one flow, whichever way the answer takes */
		PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
	rig->ifindex = rig->devices[0];
	PASS(rig, REPLY, DNS, .dir = IN, .proto = UDP, .local = 7, .peer = 53);
}

RIG_TEST(packets_odd, guests_keep_their_flows_apart_and_interfaces_share_them, devices, &enforce,
	 &audit)

/* ---------------------------------------------------------------- forwarded */

static void forwarded_out(struct rig *rig)
{
	bool passes =
		rig->kind == FR_KIND_INTERFACE && !(rig->policy.flags_on & FR_F_FORWARD_JUDGE);

	rig->ingress_ifindex = rig->devices[1];
	if (!passes) {
		DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = TCP, .peer = 80, .flags = SYN);
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 1);
		rig->ingress_ifindex = 0;
		return;
	}
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = OUT, .proto = TCP, .peer = 80, .flags = SYN);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = OUT, .proto = UDP, LATER_PART = 1);
	/* the answer to a server behind us, twice: its SYN came in by another way */
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = OUT, .proto = TCP, .local = 80, .peer = 7,
	     .flags = SYN | ACK);
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = OUT, .proto = TCP, .local = 80, .peer = 7,
	     .flags = SYN | ACK);
	rig->ingress_ifindex = 0;
	PASS(rig, FORWARDED, FR_RULE_OTHER, .dir = IN, .proto = TCP, .peer = 80,
	     .flags = SYN | ACK);
	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = TCP, .peer = 81, .flags = SYN);
}

Test(packets_odd, what_came_in_by_another_device_is_forwarded)
{
	static const struct test_policy judge = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARD_JUDGE};
	struct rig rig;

	rig_open(&rig);
	rig_each(&rig, &enforce, forwarded_out);
	rig_each(&rig, &judge, forwarded_out);
	rig_close(&rig);
}

/* The namespace routes 203.0.113.0/24 and 2001:db8:f::/48 through its second device. */
static void routes_up(void)
{
	rig_shell(
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		"net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.pk0.rp_filter=0 && "
		"ip addr add 198.51.100.1/24 dev pk0 && ip addr add 2001:db8:1::1/64 dev pk0 nodad && "
		"ip addr add 203.0.113.1/24 dev pk1 && ip addr add 2001:db8:f::1/64 dev pk1 nodad && "
		"ip route add 192.0.2.0/24 via 198.51.100.2 && "
		"ip -6 route add 2001:db8:9::/64 via 2001:db8:1::2");
}

static void forwarded_in(struct rig *rig)
{
	static const uint8_t behind[2][16] = {{203, 0, 113, 7},
					      {0x20, 1, 0x0d, 0xb8, 0, 0xf, [15] = 7}};
	static const uint8_t nowhere[2][16] = {{100, 64, 0, 7}, {0x20, 1, 0x0d, 0xb9, [15] = 7}};
	const uint8_t *there = behind[rig->v6], *lost = nowhere[rig->v6];
	bool passes =
		rig->kind == FR_KIND_INTERFACE && !(rig->policy.flags_on & FR_F_FORWARD_JUDGE);

	rig->ifindex = rig->devices[0];
#define TO(address) .dir = IN, .local_addr = address
	if (passes) {
		PASS(rig, FORWARDED, FR_RULE_OTHER, TO(there), .proto = TCP, .local = 80,
		     .flags = SYN);
		PASS(rig, FORWARDED, FR_RULE_OTHER, TO(there), .proto = UDP, .host = 3,
		     LATER_PART = 1);
	} else {
		DROP(rig, DEFAULT, IN, TO(there), .proto = TCP, .local = 80, .flags = SYN);
		DROP(rig, FRAGMENT, FR_RULE_OTHER, TO(there), .proto = UDP, .host = 3,
		     LATER_PART = 1);
	}
	/* packets that the rules admit need no look-up; those for this host or for no host are
	 * judged */
	PASS(rig, RULE, SSH, TO(there), .proto = TCP, .local = 22, .flags = SYN);
	DROP(rig, DEFAULT, IN, TO(NULL), .proto = TCP, .local = 80, .flags = SYN);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, TO(NULL), .proto = UDP, .host = 3, LATER_PART = 1);
	DROP(rig, DEFAULT, IN, TO(lost), .proto = TCP, .local = 80, .flags = SYN);
#undef TO
}

Test(packets_odd, what_the_routes_would_send_on_is_forwarded)
{
	static const struct test_policy judge = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARD_JUDGE};
	struct rig rig;

	rig_open(&rig);
	routes_up();
	rig_each(&rig, &enforce, forwarded_in);
	rig_each(&rig, &judge, forwarded_in);
	rig_shell("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	rig.kind = FR_KIND_INTERFACE;
	for (int v6 = 0; v6 < 2; v6++) {
		rig.v6 = v6;
		rig_start(&rig, &enforce);
		DROP(&rig, DEFAULT, IN, .dir = IN, .proto = TCP, .local = 80, .flags = SYN);
	}
	rig_close(&rig);
}

/* Masqueraded connections of others: their answers arrive at this host's own address. */
static void masqueraded(struct rig *rig)
{
	bool passes = rig->kind == FR_KIND_INTERFACE && rig->policy.flags_on & FR_F_FORWARDING_ON;

#define ANSWER .dir = IN, .proto = TCP, .local = 33000, .peer = 443, .flags
	if (passes)
		PASS(rig, FORWARDED_REPLY, FR_RULE_OTHER, ANSWER = ACK);
	else
		DROP(rig, DEFAULT, IN, ANSWER = ACK);
	DROP(rig, DEFAULT, IN, ANSWER = SYN);
	DROP(rig, DEFAULT, IN, .dir = IN, .proto = UDP, .local = 33000, .peer = 443);
	/* the rest of a long one; alone it is useless */
	if (passes)
		PASS(rig, FORWARDED_REPLY, FR_RULE_OTHER, .dir = IN, .proto = ICMP, LATER_PART = 1);
	else
		DROP(rig, FRAGMENT, FR_RULE_OTHER, .dir = IN, .proto = ICMP, LATER_PART = 1);
#undef ANSWER
}

Test(packets_odd, answers_to_masqueraded_connections_pass)
{
	static const struct test_policy on = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_on = FR_F_FORWARDING_ON};

	rig_run(&on, masqueraded);
	rig_run(&enforce, masqueraded);
}
