/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the caller's network namespace. */
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include "../base/base.h"
#include "../net/net.h"

/* A TCP connection of this host, as its socket sees it. */
struct connection {
	struct addr local, peer;
	uint16_t local_port, peer_port;
};
/* 1 when the caller's network namespace has it, 0 when not, -errno when unknown. *cgroup gets the
 * id of the socket's cgroup, or 0. */
int host_connection(const struct connection *connection, uint64_t *cgroup);

#endif
