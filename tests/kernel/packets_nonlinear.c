/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets whose headers do not lie in one piece, on real devices: BPF_PROG_TEST_RUN knows none. A
 * packet socket passes them with only so many linear bytes, and a program behind ours records how
 * they arrived.
 *
 * lesson: elsewhere a header that was not in the first piece was dropped as broken, or passed
 * unread.
 */
#include "datapath_lab.h"
#include "../wire.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN = FR_INGRESS, OUT = FR_EGRESS, TCP = 6, SYN = 2, LATEST_MS = 60000 };

static const struct image_spec denying = {.policy = "one", .enforce = true, .tcp_port = 443};

static struct lab lab;

/* Its record of packets larger than the kernel's own. */
struct witness {
	uint64_t packets, linear, length;
};
static int witness_map = -1;

/* On `device`, behind ours: counts packets, and the bytes of the last one that lie in one piece. */
static void witness_make(const char *device)
{
	enum { R0, R1, R2, R3, R4 };
	static const int32_t large = 3000;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "witness", 4, sizeof(struct witness), 1, NULL);
	const struct bpf_insn code[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = R4,
		 .src_reg = R1,
		 .off = offsetof(struct __sk_buff, len)},
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = R2,
		 .src_reg = R1,
		 .off = offsetof(struct __sk_buff, data)},
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = R3,
		 .src_reg = R1,
		 .off = offsetof(struct __sk_buff, data_end)},
		{.code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = R4, .off = 7, .imm = large},
		{.code = BPF_ALU64 | BPF_SUB | BPF_X, .dst_reg = R3, .src_reg = R2},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = R1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{0},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = R1, .src_reg = R3, .off = 8},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = R1, .src_reg = R4, .off = 16},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R2, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = R1,
		 .src_reg = R2,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = R0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "witness", "GPL", code,
				    ARRAY_SIZE(code), NULL);
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
			    .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .priority = 60000);
	int err;

	cr_assert(map >= 0 && program >= 0, "%m");
	err = bpf_tc_hook_create(&hook);
	cr_assert(!err || err == -EEXIST);
	cr_assert_eq(bpf_tc_attach(&hook, &opts), 0);
	close(program);
	witness_map = map;
}

static struct witness witness(void)
{
	struct witness seen;
	uint32_t zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(witness_map, &zero, &seen), 0);
	return seen;
}

static void shell_there(const char *command)
{
	cr_assert_eq(setns(lab.there, CLONE_NEWNET), 0);
	cr_assert_eq(system(command), 0, "%s", command);
	cr_assert_eq(setns(lab.here, CLONE_NEWNET), 0);
}

/* A packet socket at the other end of a pair. */
static int sender_open(int pair)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	char name[8];
	int fd, one = 1;

	snprintf(name, sizeof(name), "vb%d", pair);
	cr_assert_eq(setns(lab.there, CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	to.sll_ifindex = (int)if_nametoindex(name);
	cr_assert_eq(bind(fd, (void *)&to, sizeof(to)), 0, "%m");
	cr_assert_eq(setns(lab.here, CLONE_NEWNET), 0);
	cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0, "%m");
	return fd;
}

/* Filled up to a page: a smaller one the kernel would keep in one piece. */
static void send_piecemeal(int sender, struct wire w, uint16_t linear)
{
	struct {
		struct virtio_net_hdr head;
		uint8_t data[WIRE_MAX];
	} out = {.head.hdr_len = linear};
	struct frame frame;

	wire_make(&w, &frame);
	if (!w.body)
		w.payload = (uint16_t)(WIRE_MAX - frame.size);
	wire_make(&w, &frame);
	memcpy(out.data, frame.data, frame.size);
	cr_assert_eq(send(sender, &out, sizeof(out.head) + frame.size, 0),
		     (ssize_t)(sizeof(out.head) + frame.size), "%m");
}

static uint64_t refused(uint8_t dir)
{
	const char *rule = dir == IN ? "default-ingress" : "default-egress";

	return lab_counters(&lab, "one", rule, dir).drops;
}

static void wait_for(uint64_t (*figure)(uint8_t dir), uint8_t dir, uint64_t expected)
{
	for (int ms = 0; ms < LATEST_MS && figure(dir) < expected; ms++)
		usleep(1000);
}

static uint64_t opened(uint8_t dir)
{
	return lab_counters(&lab, "one", "port", dir).attempts;
}

/* One opening that is allowed, and one of the next port, with so much in one piece. */
static void pair_judged(int sender, struct wire w, uint16_t linear)
{
	uint64_t connections = opened(w.dir), drops = refused(w.dir), packets = witness().packets;
	struct witness seen;

	*(w.dir == IN ? &w.local : &w.peer) = 443;
	send_piecemeal(sender, w, linear);
	*(w.dir == IN ? &w.local : &w.peer) = 444;
	send_piecemeal(sender, w, linear);
	wait_for(refused, w.dir, drops + 1);
	seen = witness();
	cr_assert_eq(opened(w.dir), connections + 1, "linear %u: the allowed one", linear);
	cr_assert_eq(refused(w.dir), drops + 1, "linear %u: the other", linear);
	cr_assert_eq(seen.packets, packets + 1, "linear %u: passed on", linear);
	cr_assert_eq(seen.length, WIRE_MAX - (w.tags ? 4 : 0), "linear %u: whole", linear);
	/* taking the tag off pulls a little more to the front */
	cr_assert_leq(seen.linear, linear + (w.tags ? 6 : 0), "linear %u: came in one piece",
		      linear);
}

/* Every length of the first piece, from the Ethernet header alone to all headers. */
static void every_length(int sender, struct wire w)
{
	uint16_t *from = w.dir == IN ? &w.peer : &w.local;
	struct frame frame;

	wire_make(&w, &frame);
	for (uint16_t linear = WIRE_ETHERNET; linear <= frame.size; linear++) {
		*from = (uint16_t)(10000 + 256 * w.options + linear);
		pair_judged(sender, w, linear);
	}
}

static void prepare(void)
{
	cr_assert_eq(system("ip link set va0 mtu 9000 && ip link set va1 mtu 9000"), 0);
	shell_there("ip link set vb0 mtu 9000 && ip link set vb1 mtu 9000");
}

LAB_SUITE(packets_nonlinear, prepare());

Test(packets_nonlinear, headers_in_pieces_are_read_on_an_interface, .timeout = 120)
{
	const char *points[] = {"interface va0", NULL};
	CLEANUP(close_fd) int sender = sender_open(0);

	lab_applied(&lab, &denying, points);
	witness_make("va0");
	every_length(sender, (struct wire){.dir = IN, .proto = TCP, .flags = SYN});
	every_length(sender, (struct wire){.dir = IN, .proto = TCP, .flags = SYN, .options = 10});
	every_length(sender, (struct wire){.v6 = true, .dir = IN, .proto = TCP, .flags = SYN});
}

Test(packets_nonlinear, extension_headers_in_pieces_are_read, .timeout = 120)
{
	const char *points[] = {"interface va0", NULL};
	CLEANUP(close_fd) int sender = sender_open(0);
	struct wire w = {.v6 = true, .dir = IN, .proto = TCP, .flags = SYN, .ext_count = 6};

	memset(w.ext, 60, sizeof(w.ext));
	lab_applied(&lab, &denying, points);
	witness_make("va0");
	every_length(sender, w);
}

Test(packets_nonlinear, headers_in_pieces_are_read_from_a_guest, .timeout = 120)
{
	const char *points[] = {"guest va1", NULL};
	CLEANUP(close_fd) int sender = sender_open(1);

	lab_applied(&lab, &denying, points);
	witness_make("va1");
	every_length(sender, (struct wire){.dir = OUT, .proto = TCP, .flags = SYN});
	every_length(sender, (struct wire){.v6 = true, .dir = OUT, .proto = TCP, .flags = SYN});
}

/* The first tag is beside the frame when it gets here, and the rest may be anywhere. */
Test(packets_nonlinear, tags_in_pieces_are_read, .timeout = 120)
{
	const char *points[] = {"interface va0", NULL};
	CLEANUP(close_fd) int sender = sender_open(0);
	struct wire w = {.dir = IN, .proto = TCP, .flags = SYN, .tags = 2, .tag = {5, 6}};

	lab_applied(&lab, &denying, points);
	witness_make("va0");
	for (uint16_t linear = WIRE_ETHERNET; linear <= 48; linear += 2) {
		w.peer = 10000 + linear;
		pair_judged(sender, w, linear);
	}
}
