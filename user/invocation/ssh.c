/* SPDX-License-Identifier: GPL-2.0-only */
/* Would enforcing cut off the user's own SSH session? */
#include <fcntl.h>
#include <fts.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invocation.h"

enum { SSH_PORT = 22 };

static bool same_address(const struct sockaddr *socket_address, const struct addr *addr)
{
	const struct sockaddr_in6 *v6 = (const void *)socket_address;
	const struct sockaddr_in *v4 = (const void *)socket_address;

	if (!socket_address)
		return false;
	if (socket_address->sa_family == AF_INET)
		return addr_is_v4(addr) && addr_v4(addr) == ntohl(v4->sin_addr.s_addr);
	return socket_address->sa_family == AF_INET6 && !memcmp(&v6->sin6_addr, addr->b, 16);
}

/* The device that has the address: "" when none has, or more than one. True if any has. */
static bool device_of(const struct addr *addr, char out[16])
{
	struct ifaddrs *list, *at;
	bool found = false, again = false;

	out[0] = 0;
	if (getifaddrs(&list))
		return false;
	for (at = list; at; at = at->ifa_next) {
		if (!same_address(at->ifa_addr, addr))
			continue;
		found = true;
		again |= out[0] && !str_equal(out, at->ifa_name);
		snprintf(out, 16, "%s", at->ifa_name);
	}
	if (again)
		out[0] = 0;
	freeifaddrs(list);
	return found;
}

/* Local traffic goes by the device lo, which interfaces do not judge, and cgroups only where the
 * built-in rule is off. Offline, no address is known to be the host's own. */
static bool stays_here(const struct ssh_session *session, bool online)
{
	const struct addr *peer = &session->connection.peer;
	char name[16];

	return (addr_is_v4(peer) && addr_v4(peer) >> 24 == 127) ||
	       !memcmp(peer, &(struct addr){.b = {[15] = 1}}, sizeof(*peer)) ||
	       (session->located && !memcmp(peer, &session->connection.local, sizeof(*peer))) ||
	       (online && device_of(peer, name));
}

/* Packets of an address on a plain device arrive by that device only; those of a bridge, a bond or
 * a tunnel may arrive by any. */
static bool comes_by_another(struct context *c, const struct ssh_session *session,
			     const struct host_points *points)
{
	struct diags scratch = {.arena = c->arena};
	struct interface *list;
	size_t count;
	char name[16];

	device_of(&session->connection.local, name);
	if (!session->located || !name[0] || host_interfaces(c->arena, &scratch, &list, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!str_equal(list[i].name, name))
			continue;
		if (list[i].kind[0] && !str_equal(list[i].kind, "veth"))
			return false;
		for (size_t j = 0; j < points->count; j++)
			if (points->hooks[j].kind == FR_KIND_INTERFACE &&
			    points->hooks[j].ifindex == list[i].ifindex)
				return false;
		return true;
	}
	return false;
}

/* A cgroup's id is the inode of its directory. */
static bool cgroup_is_below(const char *path, uint64_t id)
{
	char *roots[] = {(char *)path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bool found = false;

	for (FTSENT *entry; walk && !found && (entry = fts_read(walk));)
		found = entry->fts_info == FTS_D && entry->fts_statp->st_ino == id;
	if (walk)
		fts_close(walk);
	return found;
}

static bool cgroups_concern(const struct ssh_session *session, const struct host_points *points)
{
	for (size_t i = 0; i < points->count; i++)
		if (points->hooks[i].kind == FR_KIND_CGROUP &&
		    (!session->cgroup || cgroup_is_below(points->hooks[i].path, session->cgroup)))
			return true;
	return false;
}

/* ---------------------------------------------------------------- the policy's verdict */

static bool attaches(const struct ruleset *rs, uint8_t kind)
{
	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind == kind)
			return true;
	return false;
}

static bool concerns(struct context *c, const struct ruleset *rs, const struct ssh_session *session,
		     const struct host_points *points)
{
	bool stays = stays_here(session, points), interfaces, cgroups;

	interfaces = attaches(rs, FR_KIND_INTERFACE) && !stays;
	cgroups = attaches(rs, FR_KIND_CGROUP) && !(stays && rs->flags & FR_F_LOOPBACK);
	if (!points)
		return interfaces || cgroups;
	return (interfaces && !comes_by_another(c, session, points)) ||
	       (cgroups && cgroups_concern(session, points));
}

/* An omitted failsafe means port 22, which the hint keeps. */
static const char *admitting(struct arena *arena, const struct ruleset *rs,
			     const struct tuple *tuple)
{
	char peer[ADDR_TEXT];
	const char *item;

	addr_text(&tuple->peer, peer);
	item = arena_printf(arena,
			    addr_is_v4(&tuple->peer) ? "{peer: [%s], ports: [%u/tcp]}"
						     : "{peer: [\"%s\"], ports: [%u/tcp]}",
			    peer, tuple->port);
	return rs->failsafe_open ? arena_printf(arena, "failsafe: [22/tcp, %s]", item)
				 : arena_printf(arena, "add to failsafe: %s", item);
}

static void warn_session(struct context *c, const struct ruleset *rs,
			 const struct host_points *points, struct diags *d)
{
	struct ssh_session session = {0};
	struct tuple tuple = {.dir = FR_INGRESS, .proto = PROTO_TCP};
	struct decision decision;
	char peer[ADDR_TEXT];

	if (!host_session(c->arena, points, &session) || !concerns(c, rs, &session, points))
		return;
	tuple.peer = session.connection.peer;
	tuple.port = session.connection.local_port;
	ruleset_decide(rs, &tuple, &decision);
	/* A staged rule drops nothing, and local-subnet is not known offline. */
	if (decision.verdict == FR_PASS || decision.staged || decision.unknown)
		return;
	addr_text(&tuple.peer, peer);
	diag_warning(d, (struct loc){.source = rs->source}, "ssh-refused",
		     admitting(d->arena, rs, &tuple),
		     "enforcing %s would refuse the SSH connection of this session, from %s to "
		     "port %u%s",
		     rs->name, peer, tuple.port,
		     points || attaches(rs, FR_KIND_INTERFACE)
			     ? ""
			     : ", if sshd is in one of its cgroups");
}

/* A rule whose peers are not known offline may be the one that admits a client. */
static bool rule_may_admit(const struct ruleset *rs)
{
	struct tuple tuple = {.dir = FR_INGRESS, .proto = PROTO_TCP, .port = SSH_PORT};

	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].needs_local && rs->rules[i].action != FR_DENY &&
		    rule_serves(&rs->rules[i], &tuple))
			return true;
	return false;
}

void warn_of_ssh(struct context *c, const struct ruleset *rs, const struct image *image,
		 const struct host_points *points, struct diags *d)
{
	warn_session(c, rs, points, d);
	if (!attaches(rs, FR_KIND_INTERFACE) || rule_may_admit(rs) ||
	    image_admits_anyone(image, FR_INGRESS, PROTO_TCP, SSH_PORT))
		return;
	diag_warning(d, (struct loc){.source = rs->source}, "ssh-closed",
		     "add to failsafe: {peer: [10.0.0.0/24], ports: [22/tcp]}, with the addresses "
		     "that administer this host",
		     "enforcing %s would refuse port 22/tcp to every address", rs->name);
}
