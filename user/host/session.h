/* SPDX-License-Identifier: GPL-2.0-only */
/* The SSH session that the command runs in. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "sockets.h"

struct ssh_session {
	struct connection connection;
	uint64_t cgroup; /* of its socket, 0 not known */
	bool located;	 /* the local address is known */
};
/* `online`: it exists in the caller's network namespace, or its state is unknown. Else as the
 * environment says. */
bool host_session(struct arena *arena, bool online, struct ssh_session *out);

#endif
