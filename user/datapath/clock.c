/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs tell time in jiffies; people do not. Runs fr_clock, which takes jiffies and the boot
 * clock at one moment, and adds the wall clock.
 */
#include "internal.h"

#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int clock_run(int program_fd, int control_fd, struct clock_pair *out)
{
	uint8_t packet[64] = {0}; /* some kernels refuse to run on less than a header */
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));
	struct fr_control control;
	uint32_t key = 0;

	if (bpf_prog_test_run_opts(program_fd, &run))
		return -errno;
	if (bpf_map_lookup_elem(control_fd, &key, &control))
		return -errno;
	out->jiffies = control.jiffies;
	out->boot_ns = control.boot_ns;
	out->real_ns = clock_ns(CLOCK_REALTIME) - (clock_ns(CLOCK_BOOTTIME) - control.boot_ns);
	out->hz = clock_hz();
	return 0;
}
