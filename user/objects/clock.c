/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs measure time in jiffies. Runs fr_clock, which reads jiffies and the boot clock at
 * one moment, and adds the wall clock.
 */
#include "clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "../../bpf/abi.h"
#include "../host/host.h"

enum { WORD = sizeof(uint64_t) };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What a program leaves at the start of its packet. */
static int packet_run(int program_fd, void *out, size_t size)
{
	uint8_t packet[64] = {0}; /* some kernels refuse a test run with less than a header */
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .data_out = packet, .data_size_out = sizeof(packet));

	if (bpf_prog_test_run_opts(program_fd, &run))
		return -errno;
	memcpy(out, packet, size);
	return 0;
}

int clock_run(int program_fd, struct clock_pair *out)
{
	struct fr_clock_pair pair;
	int err = packet_run(program_fd, &pair, sizeof(pair));

	if (err)
		return err;
	out->jiffies = pair.jiffies;
	out->boot_ns = pair.boot_ns;
	out->real_ns = clock_ns(CLOCK_REALTIME) - (clock_ns(CLOCK_BOOTTIME) - pair.boot_ns);
	out->hz = clock_hz();
	return 0;
}

/* The coarse clocks advance once per tick: their resolution is the tick. */
uint32_t clock_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec <= 0)
		return 250;
	return (uint32_t)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

uint64_t real_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* The process may be in a time namespace, where its own boot clock has an offset. */
static int boot_program(void)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_boot_ns},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 0, .off = -WORD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0}, /* offset */
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 3, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 3, .imm = -WORD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4, .imm = WORD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 5, .imm = 0}, /* flags */
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_store_bytes},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fr_boot", "GPL", code, ARRAY_SIZE(code),
			       NULL);

	return fd < 0 ? -errno : fd;
}

int boot_now(uint64_t *out)
{
	CLEANUP(close_fd) int program = boot_program();

	return program < 0 ? program : packet_run(program, out, sizeof(*out));
}
