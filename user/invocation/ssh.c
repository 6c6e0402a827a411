/* SPDX-License-Identifier: GPL-2.0-only */
/* Would enforcing cut off the user's own SSH session? */
#include "invocation.h"

enum { SSH_PORT = 22 };

/* Local traffic goes by the device lo, which interfaces do not judge, and cgroups only where the
 * built-in rule is off. Offline, no address is known to be the host's own. */
static bool stays_here(const struct ssh_session *session)
{
	const struct addr *peer = &session->connection.peer;

	return addr_is_loopback(peer) ||
	       (session->located && addr_equal(peer, &session->connection.local));
}

/* ---------------------------------------------------------------- the policy's verdict */

static bool attaches(const struct ruleset *rs, uint8_t kind)
{
	for (size_t i = 0; i < rs->attach_count; i++)
		if (rs->attach[i].kind == kind)
			return true;
	return false;
}

/* What cannot be read counts as judged. */
static bool concerns(struct context *c, const struct ruleset *rs, const struct ssh_session *session,
		     const struct host_points *points)
{
	struct judgement j = {.local = stays_here(session)};

	if (points && judge_session(c->arena, points->hooks, points->count, session, &j))
		return true;
	if (!points)
		j.devices = attaches(rs, FR_KIND_INTERFACE) && !j.local;
	if (!points)
		j.cgroups = attaches(rs, FR_KIND_CGROUP);
	return judgement_counts(&j, rs->flags);
}

/* An omitted failsafe means port 22, which the hint keeps. */
const char *ssh_admitting(struct arena *arena, const struct ruleset *rs, const struct tuple *tuple)
{
	char peer[ADDR_TEXT];
	const char *item;

	addr_text(&tuple->peer, peer);
	item = arena_printf(arena,
			    addr_is_v4(&tuple->peer) ? "{peer: [%s], ports: [%u/tcp]}"
						     : "{peer: [\"%s\"], ports: [%u/tcp]}",
			    peer, tuple->port);
	if (rs->failsafe_auto)
		return arena_printf(
			arena, "flowreeve preview FILE --write-failsafe, then add to failsafe: %s",
			item);
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
		     ssh_admitting(d->arena, rs, &tuple),
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
	if (rs->failsafe_unknown)
		return;
	warn_session(c, rs, points, d);
	if (!attaches(rs, FR_KIND_INTERFACE) || rule_may_admit(rs) ||
	    image_admits_anyone(image, FR_INGRESS, PROTO_TCP, SSH_PORT))
		return;
	diag_warning(d, (struct loc){.source = rs->source}, "ssh-closed",
		     "add to failsafe: {peer: [10.0.0.0/24], ports: [22/tcp]}, with the addresses "
		     "that administer this host",
		     "enforcing %s would refuse port 22/tcp to every address", rs->name);
}
