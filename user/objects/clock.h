/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock of the programs. */
#ifndef OBJECTS_CLOCK_H
#define OBJECTS_CLOCK_H

#include "../base/base.h"

/* Now, as (jiffies64, realtime ns) and jiffies per second, measured by running fr_clock. */
struct clock_pair {
	uint64_t jiffies, boot_ns, real_ns;
	uint32_t hz;
};
int clock_run(int program_fd, struct clock_pair *out);
uint32_t clock_hz(void);
uint64_t real_now(void); /* realtime ns */
/* ns of the programs' boot clock, which counts while the machine sleeps, too: of deadlines. */
int boot_now(uint64_t *out);

#endif
