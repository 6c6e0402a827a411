/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways past the hooks, looked for on this host. */
#include "probe.h"

void probe_bypasses(struct probing *p)
{
	(void)p;
}
