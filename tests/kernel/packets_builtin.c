/* SPDX-License-Identifier: GPL-2.0-only */
/* The traffic that every policy allows unless it is switched off: loopback, ND, MLD and IGMP, DHCP
 * clients. */
#include "packets_rig.h"

static const struct test_policy enforce = {0};
static const struct test_policy audit = {.audit = true};

static const uint8_t link_local[16] = {0xfe, 0x80, [15] = 5}, all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t all_dhcp[16] = {0xff, 2, [13] = 1, [15] = 2};
static const uint8_t nobody[16], broadcast[4] = {255, 255, 255, 255}, routers[4] = {224, 0, 0, 22};

static uint32_t by_default(uint8_t dir)
{
	return dir == IN ? FR_RULE_DEFAULT_INGRESS : FR_RULE_DEFAULT_EGRESS;
}

static void neighbours(struct rig *rig)
{
	for (uint8_t dir = 0; dir < FR_DIRS && rig->v6; dir++)
		for (uint8_t type = 132; type <= 137; type++) {
			if (type >= 133 && type <= 136)
				PASS(rig, NEIGHBOUR, FR_RULE_NEIGHBOUR, .dir = dir, .proto = ICMP,
				     .type = type, .hops = 255);
			else
				DROP(rig, DEFAULT, by_default(dir), .dir = dir, .proto = ICMP,
				     .type = type, .hops = 255);
			DROP(rig, DEFAULT, by_default(dir), .dir = dir, .proto = ICMP, .host = 7,
			     .type = type, .hops = 254);
		}
	if (!rig->v6) /* the same numbers mean nothing in ICMP */
		DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = ICMP, .type = 135,
		     .hops = 255);
}

RIG_TEST(packets_builtin, neighbour_discovery_has_hop_limit_255, neighbours, &enforce)

RIG_TEST(packets_builtin, neighbour_discovery_is_told_alike_in_audit, neighbours, &audit)

static void multicast(struct rig *rig)
{
	static const uint8_t report[8] = {143}, query[8] = {130}, igmp[8] = {0x16};
#define MLD(bytes) .proto = ICMP, .body = bytes, .body_size = 8, .ext_count = 1
	if (!rig->v6) {
		PASS(rig, MULTICAST, FR_RULE_MULTICAST, .dir = OUT, .proto = 2, .body = igmp,
		     .body_size = 8, .hops = 1, .options = 1, .peer_addr = routers);
		PASS(rig, MULTICAST, FR_RULE_MULTICAST, .dir = IN, .proto = 2, .body = igmp,
		     .body_size = 8, .hops = 1);
		DROP(rig, DEFAULT, by_default(OUT), .dir = OUT, .proto = 2, .body = igmp,
		     .body_size = 8, .hops = 2);
		return;
	}
	PASS(rig, MULTICAST, FR_RULE_MULTICAST, .dir = OUT, MLD(report), .hops = 1,
	     .local_addr = link_local, .peer_addr = all_nodes);
	PASS(rig, MULTICAST, FR_RULE_MULTICAST, .dir = OUT, MLD(report), .hops = 1,
	     .local_addr = nobody, .peer_addr = all_nodes);
	PASS(rig, MULTICAST, FR_RULE_MULTICAST, .dir = IN, MLD(query), .hops = 1,
	     .peer_addr = link_local, .local_addr = all_nodes);
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, MLD(query), .hops = 1,
	     .local_addr = all_nodes);
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, MLD(query), .hops = 2,
	     .peer_addr = link_local, .local_addr = all_nodes);
#undef MLD
}

RIG_TEST(packets_builtin, mld_and_igmp_stay_on_the_link, multicast, &enforce)

/* The ports of DHCP in IPv4 and IPv6. */
static const uint16_t dhcp_client[] = {68, 546}, dhcp_server[] = {67, 547};

static void dhcp(struct rig *rig)
{
	uint16_t client = dhcp_client[rig->v6], server = dhcp_server[rig->v6];
	const uint8_t *unset = nobody, *all = rig->v6 ? all_dhcp : broadcast;
	const uint8_t *near = rig->v6 ? link_local : NULL; /* an IPv4 server may be anywhere */

	PASS(rig, DHCP, FR_RULE_DHCP, .dir = OUT, .proto = UDP, .local = client, .peer = server,
	     .local_addr = unset, .peer_addr = all);
	PASS(rig, DHCP, FR_RULE_DHCP, .dir = IN, .proto = UDP, .local = client, .peer = server,
	     .local_addr = rig->v6 ? NULL : broadcast, .peer_addr = near);
	PASS(rig, DHCP, FR_RULE_DHCP, .dir = IN, .proto = UDP, .local = client, .peer = server,
	     .peer_addr = near);
	PASS(rig, DHCP, FR_RULE_DHCP, .dir = OUT, .proto = UDP, .local = client, .peer = server,
	     .peer_addr = near);
	for (uint8_t dir = 0; dir < FR_DIRS && rig->v6; dir++) { /* past the link is a way out */
		DROP(rig, DEFAULT, by_default(dir), .dir = dir, .proto = UDP, .local = client,
		     .peer = server);
		DROP(rig, DEFAULT, by_default(dir), .dir = dir, .proto = UDP, .local = client,
		     .peer = server, .peer_addr = all_nodes);
	}
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	/* as a server, by TCP, from elsewhere, of the other family */
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = UDP, .local = server,
	     .peer = client);
	DROP(rig, DEFAULT, by_default(OUT), .dir = OUT, .proto = TCP, .local = client,
	     .peer = server, .flags = SYN);
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = UDP, .local = client, .peer = 68);
	DROP(rig, DEFAULT, by_default(OUT), .dir = OUT, .proto = UDP,
	     .local = dhcp_client[!rig->v6], .peer = dhcp_server[!rig->v6]);
}

RIG_TEST(packets_builtin, dhcp_clients_work, dhcp, &enforce)

static void loopback(struct rig *rig)
{
	bool off = !!(rig->policy.flags_off & FR_F_LOOPBACK);

	if (rig->kind != FR_KIND_CGROUP)
		return; /* lo is never attached */
	rig->ifindex = 1;
	if (off)
		DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = TCP, .flags = SYN);
	else
		PASS(rig, LOOPBACK, FR_RULE_LOOPBACK, .dir = IN, .proto = TCP, .flags = SYN);
	rig->ifindex = rig->devices[0];
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = TCP, .flags = SYN);
}

RIG_TEST(packets_builtin, loopback_is_a_device_not_an_address, loopback, &enforce)

static void all_off(struct rig *rig)
{
	static const uint8_t igmp[8] = {0x16};
	uint16_t client = dhcp_client[rig->v6], server = dhcp_server[rig->v6];

	loopback(rig);
	DROP(rig, DEFAULT, by_default(OUT), .dir = OUT, .proto = UDP, .local = client,
	     .peer = server);
	DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = ICMP, .type = 135, .hops = 255);
	if (rig->v6)
		DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = ICMP, .type = 130, .hops = 1,
		     .peer_addr = link_local);
	else
		DROP(rig, DEFAULT, by_default(IN), .dir = IN, .proto = 2, .body = igmp,
		     .body_size = 8, .hops = 1);
}

Test(packets_builtin, each_can_be_switched_off)
{
	static const struct test_policy off = {.flags_off = FR_F_LOOPBACK | FR_F_NEIGHBOUR |
							    FR_F_MULTICAST | FR_F_DHCP |
							    FR_F_ICMP_ERROR};

	rig_run(&off, all_off);
}
