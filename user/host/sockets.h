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

/* LISTENING: TCP listeners, and UDP sockets without a peer. CONNECTED: those with a peer, while
 * they may still receive. */
enum socket_use { SOCKETS_LISTENING, SOCKETS_CONNECTED };

/* PERHAPS: the packets may arrive by a device of the policy, or the cgroup is not known. */
enum judged { JUDGED_NO, JUDGED_PERHAPS, JUDGED_YES };
struct judgement {
	uint8_t devices, cgroups; /* enum judged */
	bool local;		  /* both ends are here: it goes by the device lo */
};

struct local_socket {
	struct addr address, peer; /* that it is bound to; CONNECTED: of the other end */
	bool everywhere;	   /* … or to all */
	bool v4, v6;		   /* the families that it takes */
	bool accepted;		   /* judged.h: a listener holds its port, so the peer opened */
	uint8_t proto, family;
	uint8_t state; /* of TCP */
	uint16_t port, peer_port;
	uint32_t ifindex;   /* that it is bound to; 0: none */
	uint32_t cookie[2]; /* its number in the kernel */
	uint64_t cgroup;    /* id; 0: unknown */
	uint64_t inode;
	uint32_t pid; /* a process that holds it; 0: none that can be read */
	char process[16];
	uint64_t netns;		 /* judged.h */
	struct judgement judged; /* the same */
};
struct local_sockets {
	struct arena *arena;
	struct local_socket *list;
	size_t count, capacity;
};
bool socket_is_opening(const struct local_socket *socket); /* TCP: its SYN is unanswered */
/* Adds those of the caller's network namespace. -errno: they cannot be read, and none are added. */
int host_sockets(enum socket_use use, struct local_sockets *out);
/* Closes them, each by its number, in their namespaces; *closed counts those that were there.
 * -errno: the first that was not closed. */
int host_sockets_close(const struct local_sockets *sockets, size_t *closed);
/* Whether the kernel closes sockets for others: -EOPNOTSUPP when it was built without that. */
int host_closes_sockets(void);
/* Adds the ports that the kernel gives to a socket that asks for none, in the caller's network
 * namespace (ip_local_port_range without ip_local_reserved_ports). */
int host_ports_given_out(struct port_set *out);
/* Fills in the processes, as far as /proc can be read. */
void host_socket_processes(struct local_sockets *sockets);

#endif
