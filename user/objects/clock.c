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

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int clock_run(int program_fd, struct clock_pair *out)
{
	uint8_t packet[64] = {0}; /* some kernels refuse a test run with less than a header */
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .data_out = packet, .data_size_out = sizeof(packet));
	struct fr_clock_pair pair;

	if (bpf_prog_test_run_opts(program_fd, &run))
		return -errno;
	memcpy(&pair, packet, sizeof(pair));
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

/* What this process's time namespace adds to the boot clock, which programs read without it. */
static int64_t boot_offset(void)
{
	FILE *file = fopen("/proc/self/timens_offsets", "re");
	char clock[32];
	long long seconds, ns;
	int64_t offset = 0;

	while (file && fscanf(file, "%31s %lld %lld", clock, &seconds, &ns) == 3)
		if (str_equal(clock, "boottime"))
			offset = seconds * 1000000000 + ns;
	if (file)
		fclose(file);
	return offset;
}

uint64_t boot_now(void)
{
	return clock_ns(CLOCK_BOOTTIME) - (uint64_t)boot_offset();
}
