/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one map that two objects share: the owner of a socket, and its space. Programs write it when
 * a socket is made, connects, or has its first packet; it ends with the socket. Accepted sockets
 * inherit their listener's, but where the packet itself shows its space: there the loader takes
 * BPF_F_CLONE away, because a copy costs about two microseconds for each connection.
 */
#ifndef FR_OWNER_H
#define FR_OWNER_H

#include "abi.h"

struct fr_owner_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct fr_owner);
};

#endif /* FR_OWNER_H */
