/* SPDX-License-Identifier: GPL-2.0-only */
/* What `failsafe: auto` is derived from, read from the kernel. */
#include "failsafe.h"
#include "session.h"

static int unreadable(struct diags *d, int err, const char *what)
{
	return diag_error(d, NO_LOC, err, "failsafe-unreadable", "write failsafe as a list",
			  "failsafe: auto: the %s of this network namespace cannot be read: %s",
			  what, error_text(err));
}

static int read_sockets(enum socket_use use, struct diags *d, struct local_sockets *out)
{
	int err;

	out->arena = d->arena;
	err = host_sockets(use, out);
	if (err)
		return unreadable(d, err, "sockets");
	host_socket_processes(out);
	return 0;
}

static int read_inputs(struct diags *d, struct failsafe_inputs *out)
{
	const struct addr service = metadata_address();
	struct ssh_session session = {0};
	int err;

	out->root = "";
	if ((err = read_sockets(SOCKETS_LISTENING, d, &out->waiting)) ||
	    (err = read_sockets(SOCKETS_CONNECTED, d, &out->joined)))
		return err;
	err = host_routes(d->arena, &out->routes, &out->route_count);
	if (err)
		return unreadable(d, err, "routes");
	err = host_neighbour(&service, &out->metadata_near);
	if (err)
		return unreadable(d, err, "neighbours");
	if (host_session(d->arena, true, &session))
		out->session_port = session.connection.local_port;
	return 0;
}

int host_failsafe(struct diags *d, struct failsafe_rules *out)
{
	struct failsafe_inputs in = {0};
	int err = read_inputs(d, &in);

	return err ? err : failsafe_derive(&in, d, out);
}
