/* SPDX-License-Identifier: GPL-2.0-only */
/* Locations on this host that the command's options select. */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdbool.h>

struct host_options {
	const char *pin_root; /* PIN_ROOT_DEFAULT */
	const char *cgroup;   /* --cgroup DIR: where cgroup2 is mounted, or NULL: find it */
	bool no_tcx;	      /* use clsact even where the kernel has TCX */
};

#endif
