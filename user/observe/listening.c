/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the sockets of this host that wait for others with the ingress rules of a policy: those
 * of the network namespace of its interfaces, or those of its cgroups, in every namespace that a
 * process of these has.
 */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOPBACK_DEVICE = 1, NAMESPACES_MAX = 1024, PORT_DHCP = 68, PORT_DHCP6 = 546 };

/* Where to look: the devices and cgroups of the policy, and the namespaces of both. */
struct places {
	struct arena *arena;
	const struct names *names;
	uint64_t *cgroups;
	size_t cgroup_count, cgroup_capacity;
	uint64_t namespaces[NAMESPACES_MAX];
	size_t namespace_count;
};

static int add_namespace(struct places *places, uint64_t inode)
{
	for (size_t i = 0; i < places->namespace_count; i++)
		if (places->namespaces[i] == inode)
			return 0;
	if (places->namespace_count == NAMESPACES_MAX)
		return -E2BIG;
	places->namespaces[places->namespace_count++] = inode;
	return 0;
}

/* A process that has ended meanwhile has no sockets. */
static int add_process(struct places *places, const char *pid)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	if (stat(path, &status))
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	return add_namespace(places, status.st_ino);
}

static int on_cgroup(const char *path, uint64_t id, void *context)
{
	struct places *places = context;
	CLEANUP(free_ptr) char *line = NULL;
	CLEANUP(close_file)
	FILE *file = fopen(arena_printf(places->arena, "%s/cgroup.procs", path), "re");
	size_t size = 0;
	int err = 0;

	places->cgroups = arena_grow(places->arena, places->cgroups, places->cgroup_count,
				     &places->cgroup_capacity, sizeof(*places->cgroups));
	places->cgroups[places->cgroup_count++] = id;
	if (!file)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	while (!err && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		err = add_process(places, line);
	}
	/* ENODEV: removed; EOPNOTSUPP: of a threaded cgroup, whose processes the parent lists. */
	return err || !ferror(file) || errno == ENODEV || errno == EOPNOTSUPP ? err : -errno;
}

static int find_places(const struct host_options *o, struct places *places)
{
	const char *root = NULL;
	int err = 0;

	for (uint32_t i = 0; i < places->names->hook_count && !err; i++) {
		const struct fr_hook_record *hook = &places->names->hooks[i];

		if (hook->kind == FR_KIND_INTERFACE && hook->netns)
			err = add_namespace(places, hook->netns);
		if (hook->kind != FR_KIND_CGROUP)
			continue;
		root = root ? root : cgroup2_find(o, places->arena);
		if (!root)
			return -ENOTSUP;
		err = cgroup_tree_each(cgroup_path_of(places->arena, root, hook->name), on_cgroup,
				       places);
	}
	return err;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* ---------------------------------------------------------------- sockets */

static bool is_loopback(const struct listener *socket)
{
	static const struct addr one = {.b = {[15] = 1}};

	if (socket->ifindex == LOOPBACK_DEVICE)
		return true;
	if (addr_is_v4(&socket->address))
		return socket->address.b[12] == 127;
	return !memcmp(&socket->address, &one, sizeof(one));
}

/* Does it get packets that a hook of the policy judges? */
static bool is_judged(const struct places *places, const struct listener *socket)
{
	bool devices = false;

	if (is_loopback(socket))
		return false;
	if (places->cgroup_count && bsearch(&socket->cgroup, places->cgroups, places->cgroup_count,
					    sizeof(*places->cgroups), by_number))
		return true;
	for (uint32_t i = 0; i < places->names->hook_count; i++) {
		const struct fr_hook_record *hook = &places->names->hooks[i];

		if (hook->kind != FR_KIND_INTERFACE)
			continue;
		devices = true;
		if (hook->ifindex == socket->ifindex)
			return true;
	}
	return devices && !socket->ifindex;
}

static int collect_sockets(const struct places *places, struct listeners *out)
{
	int err = 0;

	for (size_t i = 0; i < places->namespace_count && !err; i++) {
		int back;

		err = netns_enter(places->namespaces[i], &back);
		if (!err)
			err = host_listeners(out);
		netns_leave(&back);
	}
	for (size_t i = 0, count = out->count, kept = 0; i < count; i++) {
		if (is_judged(places, &out->list[i]))
			out->list[kept++] = out->list[i];
		out->count = kept;
	}
	host_listener_processes(out);
	return err;
}

/* ---------------------------------------------------------------- against the rules */

static bool rule_has_family(const struct rule *rule, const struct listener *socket)
{
	if (rule->any_peer || rule->needs_local)
		return true;
	for (uint32_t i = 0; i < rule->peer_count; i++)
		if (prefix_is_v4(&rule->peers[i]) ? socket->v4 : socket->v6)
			return true;
	return false;
}

static bool is_explained(const struct ruleset *rs, const struct listener *socket)
{
	const struct tuple tuple = {
		.dir = FR_INGRESS, .proto = socket->proto, .port = socket->port};

	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].action != FR_DENY && rule_serves(&rs->rules[i], &tuple) &&
		    rule_has_family(&rs->rules[i], socket))
			return true;
	return rs->flags & FR_F_DHCP && socket->proto == PROTO_UDP &&
	       (socket->port == PORT_DHCP || socket->port == PORT_DHCP6);
}

static bool is_listed(const struct listening *view, const struct listener *socket)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->list[i].proto == socket->proto && view->list[i].port == socket->port &&
		    !memcmp(&view->list[i].address, &socket->address, sizeof(socket->address)) &&
		    str_equal(view->list[i].process, socket->process))
			return true;
	return false;
}

static void append_socket(struct listening *view, struct arena *arena,
			  const struct listener *socket)
{
	struct listening_view *new;

	view->list =
		arena_grow(arena, view->list, view->count, &view->capacity, sizeof(*view->list));
	new = &view->list[view->count++];
	*new = (struct listening_view){.proto = socket->proto,
				       .port = socket->port,
				       .address = socket->address,
				       .everywhere = socket->everywhere,
				       .pid = socket->pid};
	memcpy(new->process, socket->process, sizeof(new->process));
}

static bool is_served(const struct listeners *sockets, const struct service *service)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].proto == service->proto &&
		    sockets->list[i].port >= service->first &&
		    sockets->list[i].port <= service->last)
			return true;
	return false;
}

static void append_idle(struct listening *view, struct arena *arena, const struct rule *rule,
			const struct listeners *sockets)
{
	for (uint32_t i = 0; i < rule->service_count; i++) {
		const struct service *service = &rule->services[i];

		if (service->any_proto ||
		    (service->proto != PROTO_TCP && service->proto != PROTO_UDP) ||
		    is_served(sockets, service))
			continue;
		view->idle = arena_grow(arena, view->idle, view->idle_count, &view->idle_capacity,
					sizeof(*view->idle));
		view->idle[view->idle_count++] = (struct idle_view){rule, *service};
	}
}

static int by_port(const void *a, const void *b)
{
	const struct listening_view *x = a, *y = b;

	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof(x->address));
}

static void compare(const struct ruleset *rs, const struct listeners *sockets,
		    struct listening *view)
{
	view->sockets = sockets->count;
	for (size_t i = 0; i < sockets->count; i++)
		if (!is_explained(rs, &sockets->list[i]) && !is_listed(view, &sockets->list[i]))
			append_socket(view, sockets->arena, &sockets->list[i]);
	if (view->count)
		qsort(view->list, view->count, sizeof(*view->list), by_port);
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].dir == FR_INGRESS && rs->rules[i].action != FR_DENY)
			append_idle(view, sockets->arena, &rs->rules[i], sockets);
}

/* ---------------------------------------------------------------- the whole */

static const char *why_left_out(const struct names *names, const struct ruleset *rs)
{
	bool guests = false, ours = false;

	if (rs->flags & FR_F_FORWARD_JUDGE)
		return "its ingress rules are also about hosts that this one forwards to";
	for (uint32_t i = 0; i < names->hook_count; i++) {
		guests |= names->hooks[i].kind == FR_KIND_GUEST;
		ours |= names->hooks[i].kind != FR_KIND_GUEST;
	}
	return guests && !ours ? "its rules are about guests, whose sockets this host does not see"
			       : NULL;
}

static int collect(const struct host_options *o, struct places *places, const struct ruleset *rs,
		   struct listening *out)
{
	struct listeners sockets = {.arena = places->arena};
	int err = find_places(o, places);

	if (err)
		return err;
	if (places->cgroup_count)
		qsort(places->cgroups, places->cgroup_count, sizeof(*places->cgroups), by_number);
	err = collect_sockets(places, &sockets);
	if (!err)
		compare(rs, &sockets, out);
	return err;
}

int listening_collect(const struct instance *instance, const struct host_options *o,
		      const struct ruleset *rs, struct diags *d, struct listening *out)
{
	struct names names;
	struct listening view = {0};
	struct places *places = arena_alloc(d->arena, sizeof(*places));
	int err = names_open(instance, d, &names);

	if (err)
		return err;
	places->arena = d->arena;
	places->names = &names;
	view.left_out = why_left_out(&names, rs);
	err = view.left_out ? 0 : collect(o, places, rs, &view);
	names_close(&names);
	if (err)
		return diag_error(d, NO_LOC, err, "sockets-unreadable",
				  err == -ENOENT ? "modprobe -a tcp_diag udp_diag" : NULL,
				  "the sockets that policy %s is about cannot be read: %s",
				  instance->name, error_text(err));
	*out = view;
	return 0;
}
