/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the sockets of this host that wait for others with the ingress rules of a policy: those
 * of the network namespace of its interfaces, or those of its cgroups, in every namespace that a
 * process of these has.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_DHCP = 68, PORT_DHCP6 = 546 };

/* ---------------------------------------------------------------- sockets */

/* The attach points, in arena memory. */
static int judging_of(const struct names *names, const struct host_options *o,
		      struct judging *judging)
{
	struct judge_point *points =
		arena_alloc(judging->arena, names->hook_count * sizeof(*points));
	const char *root = NULL;

	for (uint32_t i = 0; i < names->hook_count; i++) {
		const struct fr_hook_record *hook = &names->hooks[i];

		points[i] = (struct judge_point){hook->kind, hook->ifindex, hook->netns, NULL};
		if (hook->kind != FR_KIND_CGROUP)
			continue;
		root = root ? root : cgroup2_find(o, judging->arena);
		if (!root)
			return -ENOTSUP;
		points[i].path = cgroup_path_of(judging->arena, root, hook->name);
	}
	judging->points = points;
	judging->count = names->hook_count;
	return judging_open(judging);
}

static int add_given_out(uint64_t netns, struct port_set *out)
{
	int back, err = netns_enter(netns, &back);

	if (err)
		return err;
	err = host_ports_given_out(out);
	netns_leave(&back);
	return err;
}

/* In any of the namespaces. */
static int ports_given_out(const struct judging *judging, struct port_set *out)
{
	int err = 0;

	*out = (struct port_set){0};
	if (!judging->namespace_count)
		port_set_usual(out);
	for (size_t i = 0; i < judging->namespace_count && !err; i++)
		err = add_given_out(judging->namespaces[i], out);
	return err;
}

/* ---------------------------------------------------------------- against the rules */

static bool rule_has_family(const struct rule *rule, const struct local_socket *socket)
{
	if (rule->any_peer || rule->needs_local)
		return true;
	for (uint32_t i = 0; i < rule->peer_count; i++)
		if (prefix_is_v4(&rule->peers[i]) ? socket->v4 : socket->v6)
			return true;
	return false;
}

static bool is_dhcp(const struct ruleset *rs, const struct local_socket *socket)
{
	return rs->flags & FR_F_DHCP && socket->proto == PROTO_UDP &&
	       (socket->port == PORT_DHCP || socket->port == PORT_DHCP6);
}

static bool is_explained(const struct ruleset *rs, const struct local_socket *socket)
{
	const struct tuple tuple = {
		.dir = FR_INGRESS, .proto = socket->proto, .port = socket->port};

	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].action != FR_DENY && rule_serves(&rs->rules[i], &tuple) &&
		    rule_has_family(&rs->rules[i], socket))
			return true;
	return is_dhcp(rs, socket);
}

static bool is_listed(const struct listening *view, const struct local_socket *socket)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->list[i].proto == socket->proto && view->list[i].port == socket->port &&
		    !memcmp(&view->list[i].address, &socket->address, sizeof(socket->address)) &&
		    str_equal(view->list[i].process, socket->process))
			return true;
	return false;
}

static void append_socket(struct listening *view, struct arena *arena,
			  const struct local_socket *socket)
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

static bool is_served(const struct local_sockets *sockets, const struct rule *rule,
		      const struct service *service)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].proto == service->proto &&
		    sockets->list[i].port >= service->first &&
		    sockets->list[i].port <= service->last &&
		    rule_has_family(rule, &sockets->list[i]))
			return true;
	return false;
}

static void append_idle(struct listening *view, struct arena *arena, const struct rule *rule,
			const struct local_sockets *sockets)
{
	for (uint32_t i = 0; i < rule->service_count; i++) {
		const struct service *service = &rule->services[i];

		if (service->any_proto ||
		    (service->proto != PROTO_TCP && service->proto != PROTO_UDP) ||
		    is_served(sockets, rule, service))
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

static void compare(const struct ruleset *rs, const struct local_sockets *sockets,
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

static bool may_be_reached(const struct ruleset *rs, const struct image *image,
			   const struct local_socket *socket)
{
	return (rs->default_allow[FR_INGRESS] || is_explained(rs, socket)) &&
	       (image_admits_anyone(image, FR_INGRESS, socket->proto, socket->port) ||
		is_dhcp(rs, socket));
}

int listening_unreached(struct judging *judging, const struct ruleset *rs,
			const struct image *image, struct listening *out)
{
	struct local_sockets sockets = {.arena = judging->arena};
	struct listening view = {0};
	int err = judged_sockets(judging, SOCKETS_LISTENING, &sockets);

	if (err)
		return err;
	host_socket_processes(&sockets);
	for (size_t i = 0; i < sockets.count; i++)
		if (!may_be_reached(rs, image, &sockets.list[i]) &&
		    !is_listed(&view, &sockets.list[i]))
			append_socket(&view, judging->arena, &sockets.list[i]);
	if (view.count)
		qsort(view.list, view.count, sizeof(*view.list), by_port);
	*out = view;
	return 0;
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

static int collect(const struct names *names, const struct host_options *o,
		   const struct ruleset *rs, struct arena *arena, struct listening *out)
{
	struct local_sockets sockets = {.arena = arena};
	struct judging *judging = arena_alloc(arena, sizeof(*judging));
	struct port_set given_out;
	int err;

	judging->arena = arena;
	err = judging_of(names, o, judging);
	if (!err)
		err = judged_sockets(judging, SOCKETS_LISTENING, &sockets);
	if (err)
		return err;
	host_socket_processes(&sockets);
	err = ports_given_out(judging, &given_out);
	if (err)
		return err;
	compare(rs, &sockets, out);
	for (size_t i = 0; i < out->count; i++)
		out->list[i].given_out = out->list[i].proto == PROTO_UDP &&
					 port_set_has(&given_out, out->list[i].port);
	return 0;
}

static int unreadable(const struct instance *instance, int err, struct diags *d)
{
	return diag_error(d, NO_LOC, err, "sockets-unreadable",
			  err == -ENOENT ? "modprobe -a tcp_diag udp_diag" : NULL,
			  "the sockets that policy %s is about cannot be read: %s", instance->name,
			  error_text(err));
}

int listening_collect(const struct instance *instance, const struct host_options *o,
		      const struct ruleset *rs, struct diags *d, struct listening *out)
{
	struct names names;
	struct listening view = {0};
	int err = names_open(instance, d, &names);

	if (err)
		return err;
	view.left_out = why_left_out(&names, rs);
	err = view.left_out ? 0 : collect(&names, o, rs, d->arena, &view);
	names_close(&names);
	if (err)
		return unreadable(instance, err, d);
	*out = view;
	return 0;
}

int ports_collect(const struct instance *instance, const struct host_options *o, struct diags *d,
		  struct own_ports *out)
{
	struct local_sockets sockets = {.arena = d->arena};
	struct judging *judging = arena_alloc(d->arena, sizeof(*judging));
	struct names names;
	int err = names_open(instance, d, &names);

	if (err)
		return err;
	judging->arena = d->arena;
	err = judging_of(&names, o, judging);
	names_close(&names);
	if (err || (err = judged_sockets(judging, SOCKETS_LISTENING, &sockets)) ||
	    (err = ports_given_out(judging, &out->given_out)))
		return unreadable(instance, err, d);
	for (size_t i = 0; i < sockets.count; i++)
		if (sockets.list[i].proto == PROTO_UDP)
			port_set_put(&out->served, sockets.list[i].port, true);
	return 0;
}
