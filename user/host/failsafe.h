/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of `failsafe: auto`. They are derived from the connections, routes and files that this
 * host has now. Each rule has its source as its purpose, and the narrowest peers.
 */
#ifndef HOST_FAILSAFE_H
#define HOST_FAILSAFE_H

#include "../policy/policy.h"
#include "interfaces.h"
#include "sockets.h"

/* All of the host that it is derived from, but files. */
struct failsafe_inputs {
	const char *root;		      /* before the path of each file; "" */
	struct local_sockets waiting, joined; /* SOCKETS_LISTENING, SOCKETS_CONNECTED, of TCP and
						 UDP, with processes */
	struct route *routes;
	size_t route_count;
	bool metadata_near;    /* the metadata service is a neighbour */
	uint16_t session_port; /* of the SSH session of the command; 0: none */
};

/* Warns where something that is there gives no rule. -errno with an error: a source could not be
 * read. Arena of `d`. */
int failsafe_derive(const struct failsafe_inputs *in, struct diags *d, struct failsafe_rules *out);
/* The same of the caller's network namespace and its files. */
int host_failsafe(struct diags *d, struct failsafe_rules *out);

/* 169.254.169.254, of the clouds. */
struct addr metadata_address(void);

#endif
