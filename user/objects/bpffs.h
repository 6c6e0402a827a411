/* SPDX-License-Identifier: GPL-2.0-only */
/* The file system that pins are in. */
#ifndef OBJECTS_BPFFS_H
#define OBJECTS_BPFFS_H

#include "pins.h"

/* The pin root lies in a bpffs; with `mount`, /sys/fs/bpf is mounted where it is missing. */
int host_bpffs(const char *pin_root, bool mount, struct diags *d);
/* Whether host_bpffs() would mount it, if it may. */
bool bpffs_mountable(const char *pin_root);
/* Where other users may write in the bpffs that the pin root is in: that directory and its mode;
 * false when there is none. */
bool bpffs_open_to_others(const char *pin_root, pin_path at, unsigned *mode);

#endif
