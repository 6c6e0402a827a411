/* SPDX-License-Identifier: GPL-2.0-only */
/* The test bench: programs load, an image is installed, a packet runs and its verdict is traced. */
#include "datapath_fixture.h"

#include "../testbench.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

struct packet {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static struct packet syn_to(const char *from, const char *to, uint16_t port)
{
	struct packet packet = {
		.ethernet = {.h_proto = htons(ETH_P_IP)},
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .tot_len = htons(sizeof(struct iphdr) + sizeof(struct tcphdr)),
		       .saddr = inet_addr(from),
		       .daddr = inet_addr(to)},
		.tcp = {.source = htons(40000), .dest = htons(port), .doff = 5, .syn = 1},
	};

	return packet;
}

static struct bench *bench_with(struct fixture *fixture)
{
	struct bench *bench = NULL;

	cr_assert_eq(bench_open(&fixture->diags, &bench), 0, "%s", fixture_messages(fixture));
	cr_assert_eq(bench_install(bench, &fixture->image, true), 0);
	return bench;
}

Test(datapath_bench, every_hook_tells_an_allowed_port_from_a_denied_one, .init = need_root)
{
	struct fixture fixture;
	static const int returns[][2] = {[false] = {2, -1}, [true] = {0, 1}}; /* of cgroups: true */
	struct bench *bench;

	fixture_make(&(struct image_spec){.policy = "bench", .enforce = true, .tcp_port = 443},
		     &fixture);
	bench = bench_with(&fixture);
	for (uint8_t kind = 0; kind < FR_KINDS; kind++)
		for (uint8_t dir = 0; dir < FR_DIRS; dir++)
			for (int allowed = 0; allowed < 2; allowed++) {
				struct packet packet =
					syn_to("192.0.2.1", "192.0.2.2", allowed ? 443 : 444);
				struct bench_run run = {.kind = kind,
							.dir = dir,
							.data = &packet,
							.size = sizeof(packet)};

				cr_assert_eq(bench_run(bench, &run), 0);
				cr_expect_eq(run.verdict.version, FR_ABI_VERSION,
					     "no trace: kind %u", kind);
				cr_expect_eq(run.verdict.verdict, allowed ? FR_PASS : FR_DROP,
					     "kind %u dir %u allowed %d", kind, dir, allowed);
				cr_expect_eq(run.verdict.dir, dir);
				cr_expect_eq(run.verdict.slot, allowed ? FR_RULE_FIRST + dir : dir);
				cr_expect_eq(run.retval, returns[kind == FR_KIND_CGROUP][allowed]);
			}
	bench_close(bench);
	fixture_free(&fixture);
}

Test(datapath_bench, an_image_over_the_size_class_is_taken_too, .init = need_root)
{
	struct packet packet = syn_to("192.0.2.1", "192.0.2.2", 443);
	struct bench_run run = {.data = &packet, .size = sizeof(packet), .repeat = 100};
	struct fixture fixture;
	struct bench *bench;

	fixture_make(&(struct image_spec){.policy = "bench", .tcp_port = 443, .pad_lines = 100000},
		     &fixture);
	bench = bench_with(&fixture);
	cr_assert_eq(bench_run(bench, &run), 0);
	cr_expect_eq(run.verdict.verdict, FR_PASS);
	cr_expect_eq(run.verdict.generation, 1);
	bench_close(bench);
	fixture_free(&fixture);
}
