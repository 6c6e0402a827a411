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

/* A socket that waits for others: of TCP a listener, of UDP one without a peer. */
struct listener {
	struct addr address; /* that it is bound to */
	bool everywhere;     /* … or to all */
	bool v4, v6;	     /* the families that it takes */
	uint8_t proto;
	uint16_t port;
	uint32_t ifindex; /* that it is bound to; 0: none */
	uint64_t cgroup;  /* id; 0: unknown */
	uint64_t inode;
	uint32_t pid; /* a process that holds it; 0: none that can be read */
	char process[16];
};
struct listeners {
	struct arena *arena;
	struct listener *list;
	size_t count, capacity;
};
/* Adds those of the caller's network namespace. -errno: they cannot be read, and none are added. */
int host_listeners(struct listeners *out);
/* Fills in the processes, as far as /proc can be read. */
void host_listener_processes(struct listeners *listeners);

#endif
