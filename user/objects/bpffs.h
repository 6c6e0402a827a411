/* SPDX-License-Identifier: GPL-2.0-only */
/* The bpffs that holds the pins. */
#ifndef OBJECTS_BPFFS_H
#define OBJECTS_BPFFS_H

#include "pins.h"

/* The pin root is in a bpffs; with `mount`, mounts /sys/fs/bpf if it is missing. */
int host_bpffs(const char *pin_root, bool mount, struct diags *d);
/* Whether host_bpffs() would mount it, if allowed. */
bool bpffs_mountable(const char *pin_root);
/* The directory of the pin root's bpffs that other users may write, and its mode; false when there
 * is none. */
bool bpffs_open_to_others(const char *pin_root, pin_path at, unsigned *mode);

#endif
