/* SPDX-License-Identifier: GPL-2.0-only */
/* Which sockets attach points judge. */
#include "judged.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../bpf/abi.h"
#include "cgroup2.h"
#include "netns.h"

enum { LAYERS_MAX = 8 };

/* ---------------------------------------------------------------- cgroups and namespaces */

static int add_namespace(struct judging *j, uint64_t inode)
{
	for (size_t i = 0; i < j->namespace_count; i++)
		if (j->namespaces[i] == inode)
			return 0;
	if (j->namespace_count == JUDGING_NAMESPACES)
		return -E2BIG;
	j->namespaces[j->namespace_count++] = inode;
	return 0;
}

/* A process that has ended meanwhile has no sockets. */
static int add_process(struct judging *j, const char *pid)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	if (stat(path, &status))
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	return add_namespace(j, status.st_ino);
}

static int on_cgroup(const char *path, uint64_t id, void *context)
{
	struct judging *j = context;
	CLEANUP(free_ptr) char *line = NULL;
	CLEANUP(close_file)
	FILE *file = fopen(arena_printf(j->arena, "%s/cgroup.procs", path), "re");
	size_t size = 0;
	int err = 0;

	j->cgroups = arena_grow(j->arena, j->cgroups, j->cgroup_count, &j->cgroup_capacity,
				sizeof(*j->cgroups));
	j->cgroups[j->cgroup_count++] = id;
	if (!file)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	while (!err && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		err = add_process(j, line);
	}
	/* ENODEV: removed; EOPNOTSUPP: of a threaded cgroup, whose processes the parent lists. */
	return err || !ferror(file) || errno == ENODEV || errno == EOPNOTSUPP ? err : -errno;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int judging_open(struct judging *j)
{
	int err = 0;

	for (size_t i = 0; i < j->count && !err; i++) {
		const struct judge_point *point = &j->points[i];

		if (point->kind == FR_KIND_INTERFACE && point->netns)
			err = add_namespace(j, point->netns);
		if (point->kind == FR_KIND_CGROUP)
			err = cgroup_tree_each(point->path, on_cgroup, j);
	}
	if (j->cgroup_count)
		qsort(j->cgroups, j->cgroup_count, sizeof(*j->cgroups), by_number);
	return err;
}

int judging_open_targets(struct judging *j, const struct attach_target *targets, size_t count)
{
	struct judge_point *points = arena_alloc(j->arena, count * sizeof(*points));
	uint64_t netns;
	int err = host_netns(&netns);

	for (size_t i = 0; i < count; i++)
		points[i] = (struct judge_point){targets[i].kind, targets[i].ifindex, netns,
						 targets[i].path};
	j->points = points;
	j->count = count;
	return err ? err : judging_open(j);
}

/* ---------------------------------------------------------------- one namespace */

int judging_look(struct judging *j)
{
	struct diags scratch = {.arena = j->arena};
	struct interfaces found;
	int err = host_netns(&j->netns);

	if (err)
		return err;
	err = host_interfaces(j->arena, &scratch, &found.list, &found.count);
	if (err)
		return err;
	err = host_addresses(j->arena, &j->addresses, &j->address_count);
	if (!err)
		j->interfaces = found;
	return err;
}

/* The device that has the address: 0 when none has, or more than one. True if any has. */
static bool device_of(const struct judging *j, const struct addr *addr, uint32_t *ifindex)
{
	bool found = false;

	*ifindex = 0;
	for (size_t i = 0; i < j->address_count; i++) {
		if (!addr_equal(&j->addresses[i].addr, addr))
			continue;
		*ifindex = found ? 0 : j->addresses[i].ifindex;
		found = true;
	}
	return found;
}

static bool has_parent_below(const struct interface *device)
{
	static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_equal(device->kind, kinds[i]))
			return device->parent;
	return false;
}

/* Do packets of this device pass the other one? A bond's pass its ports; a bridge's pass one of
 * them; a tunnel's pass it inside others, which is not judged as theirs. */
static enum judged passes(const struct judging *j, uint32_t ifindex, uint32_t by)
{
	const struct interface *port = interface_at(&j->interfaces, by), *device;

	for (int i = 0; i < LAYERS_MAX; i++) {
		if (ifindex == by)
			return JUDGED_YES;
		if (port && port->master == ifindex)
			return str_equal(port->port_of, "bridge") ? JUDGED_PERHAPS : JUDGED_YES;
		device = interface_at(&j->interfaces, ifindex);
		if (!device || !has_parent_below(device))
			break;
		ifindex = device->parent;
	}
	return JUDGED_NO;
}

static enum judged judged_on(const struct judging *j, uint32_t ifindex)
{
	enum judged best = JUDGED_NO, one;

	for (size_t i = 0; i < j->count; i++) {
		if (j->points[i].kind != FR_KIND_INTERFACE || j->points[i].netns != j->netns)
			continue;
		one = passes(j, ifindex, j->points[i].ifindex);
		best = one > best ? one : best;
	}
	return best;
}

/* Packets of an address on a plain device arrive by that device only; others may by any. */
static bool is_plain(const struct judging *j, uint32_t ifindex)
{
	const struct interface *device = interface_at(&j->interfaces, ifindex);

	return device && !device->loopback && (!device->kind[0] || str_equal(device->kind, "veth"));
}

static bool has_devices(const struct judging *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (j->points[i].kind == FR_KIND_INTERFACE && j->points[i].netns == j->netns)
			return true;
	return false;
}

static enum judged by_devices(const struct judging *j, const struct connection *connection,
			      uint32_t bound)
{
	uint32_t ifindex = bound, route;
	enum judged here, there;

	if (!has_devices(j))
		return JUDGED_NO;
	if (!ifindex)
		device_of(j, &connection->local, &ifindex);
	here = ifindex ? judged_on(j, ifindex) : JUDGED_PERHAPS;
	if (here == JUDGED_YES)
		return here;
	/* without a route, nothing leaves */
	there = JUDGED_NO;
	if (!host_route(&connection->local, &connection->peer, bound, &route))
		there = judged_on(j, route);
	if (here == JUDGED_NO && !is_plain(j, ifindex))
		here = JUDGED_PERHAPS;
	return there > here ? there : here;
}

static enum judged by_cgroups(const struct judging *j, uint64_t cgroup)
{
	if (!j->cgroup_count)
		return JUDGED_NO;
	if (!cgroup)
		return JUDGED_PERHAPS;
	return bsearch(&cgroup, j->cgroups, j->cgroup_count, sizeof(*j->cgroups), by_number)
		       ? JUDGED_YES
		       : JUDGED_NO;
}

void judge_connection(const struct judging *j, const struct connection *connection,
		      uint32_t ifindex, uint64_t cgroup, struct judgement *out)
{
	uint32_t ignored;

	*out = (struct judgement){.cgroups = by_cgroups(j, cgroup)};
	out->local = addr_is_loopback(&connection->peer) ||
		     addr_equal(&connection->peer, &connection->local) ||
		     device_of(j, &connection->peer, &ignored);
	if (!out->local)
		out->devices = by_devices(j, connection, ifindex);
}

bool judgement_counts(const struct judgement *judgement, uint32_t flags)
{
	bool exempt = judgement->local && flags & FR_F_LOOPBACK;

	return judgement->devices || (judgement->cgroups && !exempt);
}

int judge_session(struct arena *arena, const struct attach_target *targets, size_t count,
		  const struct ssh_session *session, struct judgement *out)
{
	struct judging *j = arena_alloc(arena, sizeof(*j));
	int err;

	j->arena = arena;
	err = judging_open_targets(j, targets, count);
	if (err)
		return err;
	err = judging_look(j);
	if (!err)
		judge_connection(j, &session->connection, 0, session->cgroup, out);
	return err;
}

/* ---------------------------------------------------------------- sockets */

static bool loopback_alone(const struct judging *j, const struct local_socket *socket)
{
	const struct interface *device = interface_at(&j->interfaces, socket->ifindex);

	return (device && device->loopback) || addr_is_loopback(&socket->address);
}

/* Does it get packets that a point judges? */
static void judge_listener(const struct judging *j, struct local_socket *socket)
{
	if (loopback_alone(j, socket))
		return;
	if (by_cgroups(j, socket->cgroup) == JUDGED_YES)
		socket->judged.cgroups = JUDGED_YES;
	for (size_t i = 0; i < j->count; i++)
		if (j->points[i].kind == FR_KIND_INTERFACE && j->points[i].netns == j->netns &&
		    (!socket->ifindex || socket->ifindex == j->points[i].ifindex))
			socket->judged.devices = JUDGED_YES;
}

/* As a program of the policy asks the kernel for a packet of no flow (bpf/adopt.h). */
static bool is_accepted(const struct local_sockets *listeners, const struct local_socket *socket)
{
	bool v4 = addr_is_v4(&socket->address);

	if (socket->proto != PROTO_TCP || socket_is_opening(socket))
		return false;
	for (size_t i = 0; i < listeners->count; i++) {
		const struct local_socket *one = &listeners->list[i];

		if (one->proto == PROTO_TCP && one->port == socket->port &&
		    (v4 ? one->v4 : one->v6) &&
		    (one->everywhere || addr_equal(&one->address, &socket->address)))
			return true;
	}
	return false;
}

static int find_accepted(const struct judging *j, struct local_sockets *out, size_t first)
{
	struct local_sockets listeners = {.arena = j->arena};
	int err = host_sockets(SOCKETS_LISTENING, &listeners);

	for (size_t i = first; i < out->count && !err; i++)
		out->list[i].accepted = is_accepted(&listeners, &out->list[i]);
	return err;
}

static void judge_sockets(const struct judging *j, enum socket_use use, struct local_sockets *out,
			  size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < out->count; i++) {
		struct local_socket *socket = &out->list[i];
		const struct connection connection = {socket->address, socket->peer, socket->port,
						      socket->peer_port};

		socket->netns = j->netns;
		if (use == SOCKETS_CONNECTED)
			judge_connection(j, &connection, socket->ifindex, socket->cgroup,
					 &socket->judged);
		else
			judge_listener(j, socket);
		if (socket->judged.devices || socket->judged.cgroups)
			out->list[kept++] = *socket;
	}
	out->count = kept;
}

/* Of the namespace in which this process is. */
static int judged_here(struct judging *j, enum socket_use use, struct local_sockets *out)
{
	size_t first = out->count;
	int err = judging_look(j);

	if (err)
		return err;
	err = host_sockets(use, out);
	if (err)
		return err;
	judge_sockets(j, use, out, first);
	return use == SOCKETS_CONNECTED ? find_accepted(j, out, first) : 0;
}

int judged_sockets(struct judging *j, enum socket_use use, struct local_sockets *out)
{
	int err = 0;

	for (size_t i = 0; i < j->namespace_count && !err; i++) {
		int back;

		err = netns_enter(j->namespaces[i], &back);
		if (!err)
			err = judged_here(j, use, out);
		netns_leave(&back);
	}
	return err;
}
