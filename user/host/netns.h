/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces, which records name by inode. */
#ifndef HOST_NETNS_H
#define HOST_NETNS_H

#include "../base/base.h"

int host_netns(uint64_t *inode); /* of the caller */
/* Its number in the kernel, which BPF programs see; 0 where the kernel does not report it. */
uint64_t host_netns_cookie(void);
/* Enters the namespace of that inode; *back is -1 when the caller was there already. -ESRCH:
 * nothing on this host refers to it any more. Any other error: unknown. */
int netns_enter(uint64_t inode, int *back);
void netns_leave(int *back);
/* The mount point of that namespace, or NULL. */
const char *netns_path(struct arena *arena, uint64_t inode);

/* The shortest time in seconds after which conntrack forgets a datagram; 30 at most. */
int host_conntrack(uint32_t *out);

#endif
