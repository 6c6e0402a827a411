/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of the rig's namespace, with the addresses that the wire's packets have. */
#ifndef PACKETS_SOCKETS_H
#define PACKETS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "packets_rig.h"

/* Both sides' addresses become the namespace's own. */
void addresses_up(void);
/* Bound to a port at the address of the protected party, or of its peer; closed by the caller. */
int socket_at(bool v6, int type, bool local, uint16_t port);
void connect_to(int fd, bool v6, bool local, uint16_t port);

/* The Ethernet address of a device. */
void device_address(const char *device, uint8_t out[6]);

/* The peer's address is on the wire, and no host answers there. */
void peer_is_silent(void);
/* Asks the silent peer for a connection: in SYN_SENT until it is closed. */
int socket_asking(bool v6, uint16_t from, uint16_t to);

/* The peer's SYN comes in by the rig's first device: the listener of port `to` has it in its queue.
 * After peer_is_silent(). */
void peer_asks(const struct rig *rig, uint16_t from, uint16_t to);

/* One connection through the namespace; `server` may be the protected party or its peer. */
struct stream {
	int listener, client, accepted;
};
struct stream stream_open(bool v6, bool we_listen, uint16_t listening, uint16_t from);
void stream_close(const struct stream *s);

#endif
