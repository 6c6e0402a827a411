/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds attach points that one packet passes after another: a bridge or bond and its ports, a VLAN
 * or macvlan and the device below it, two ends of a veth, a cgroup and the interface that its
 * packets leave by, cgroups of two policies. Also interfaces whose traffic is not only this
 * host's.
 */
#include "overlap.h"

#include <string.h>

#include "../host/host.h"
#include "attach_point.h"

/* The kernel stacks no more devices. */
enum { STACK_MAX = 8, REMARKS_MAX = 8 };

struct point {
	const struct fr_hook_record *hook;
	const char *policy; /* NULL: the current one */
};

struct overlaps {
	struct arena *arena;
	struct interfaces all;
	struct point *points;
	size_t point_count, point_room;
	struct remark *list;
	size_t count, capacity;
	size_t more; /* pairs not listed */
};

static void add_point(struct overlaps *o, const struct fr_hook_record *hook, const char *policy)
{
	if (attach_is_extra(hook))
		return; /* packets have passed a device before, or none is judged */
	o->points =
		arena_grow(o->arena, o->points, o->point_count, &o->point_room, sizeof(*o->points));
	o->points[o->point_count++] = (struct point){hook, policy};
}

static void add_remark(struct overlaps *o, struct remark remark)
{
	o->list = arena_grow(o->arena, o->list, o->count, &o->capacity, sizeof(*o->list));
	o->list[o->count++] = remark;
}

/* `how` describes their relation. At least one of them is of the current policy. */
static void add_pair(struct overlaps *o, const struct point *a, const struct point *b,
		     const char *how)
{
	const char *policy = a->policy ? a->policy : b->policy;
	const char *text =
		policy ? arena_printf(o->arena,
				      "%s: a packet that passes both is judged by policy "
				      "%s as well, and counted by each",
				      how, policy)
		       : arena_printf(o->arena,
				      "%s: a packet that passes both is judged at both "
				      "and counted twice",
				      how);

	for (size_t i = 0; i < o->count; i++)
		if (str_equal(o->list[i].text, text))
			return;
	if (o->count >= REMARKS_MAX)
		o->more++;
	else
		add_remark(o, (struct remark){"counted-twice", text, policy != NULL});
}

/* ---------------------------------------------------------------- devices */

static bool is_among(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(word, words[i]))
			return true;
	return false;
}

/* Packets between a master and its port pass the hooks of both, except for masters that get none of
 * the packets, or wrap them. */
static bool master_shares(const struct interface *port)
{
	static const char *const apart[] = {"vrf", "hsr", "openvswitch", "batadv"};

	return port->master && !is_among(port->port_of, apart, ARRAY_SIZE(apart));
}

static bool parent_shares(const struct interface *device)
{
	static const char *const stacked[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"};

	return device->parent && is_among(device->kind, stacked, ARRAY_SIZE(stacked));
}

static const struct point *point_at(const struct overlaps *o, uint32_t ifindex, bool own)
{
	for (size_t i = 0; i < o->point_count; i++)
		if (o->points[i].hook->kind != FR_KIND_CGROUP && !o->points[i].policy == own &&
		    o->points[i].hook->ifindex == ifindex)
			return &o->points[i];
	return NULL;
}

static void pair_devices(struct overlaps *o, const struct point *lower, uint32_t upper)
{
	for (int own = 0; own < 2; own++) {
		const struct point *point = point_at(o, upper, own);

		if (point && (own || !lower->policy))
			add_pair(o, lower, point,
				 arena_printf(o->arena, "%s lies below %s", lower->hook->name,
					      point->hook->name));
	}
}

/* Everything above the device `at`. */
static void climb(struct overlaps *o, const struct point *lower, uint32_t at, unsigned depth)
{
	const struct interface *device = interface_at(&o->all, at);

	if (!device || depth == STACK_MAX)
		return;
	if (master_shares(device)) {
		pair_devices(o, lower, device->master);
		climb(o, lower, device->master, depth + 1);
	}
	for (size_t i = 0; i < o->all.count; i++) {
		const struct interface *upper = &o->all.list[i];

		if (upper->parent != at || !parent_shares(upper))
			continue;
		pair_devices(o, lower, upper->ifindex);
		climb(o, lower, upper->ifindex, depth + 1);
	}
}

static void check_wire(struct overlaps *o, const struct point *point)
{
	const struct interface *device = interface_at(&o->all, point->hook->ifindex);
	const struct point *other;

	if (!device || !interface_has_peer(device) || point->policy)
		return;
	other = point_at(o, device->parent, true);
	/* Once for the pair. */
	if (other && other < point)
		return;
	if (!other)
		other = point_at(o, device->parent, false);
	if (other)
		add_pair(o, point, other,
			 arena_printf(o->arena, "%s and %s are the two ends of one pair",
				      point->hook->name, other->hook->name));
}

static void check_bridge(struct overlaps *o, const struct point *point)
{
	const struct interface *device = interface_at(&o->all, point->hook->ifindex);
	const struct interface *bridge = device ? interface_at(&o->all, device->master) : NULL;
	const char *advice;

	if (!bridge || point->policy || point->hook->kind != FR_KIND_INTERFACE ||
	    point_at(o, bridge->ifindex, true))
		return;
	if (str_equal(device->port_of, "bridge"))
		advice = arena_printf(o->arena,
				      "bridge %s: other hosts send through it too; "
				      "attach %s",
				      bridge->name, bridge->name);
	else if (str_equal(device->port_of, "openvswitch"))
		advice = arena_printf(o->arena,
				      "switch %s: other hosts send through it too; attach the "
				      "internal port of the switch",
				      bridge->name);
	else
		return;
	add_remark(o, (struct remark){"bridge-port",
				      arena_printf(o->arena,
						   "%s is a port of %s to judge this host's "
						   "traffic",
						   point->hook->name, advice),
				      false});
}

static void check_devices(struct overlaps *o)
{
	for (size_t i = 0; i < o->point_count; i++) {
		const struct point *point = &o->points[i];

		if (point->hook->kind == FR_KIND_CGROUP)
			continue;
		check_bridge(o, point);
		check_wire(o, point);
		climb(o, point, point->hook->ifindex, 0);
	}
}

/* ---------------------------------------------------------------- cgroups */

static bool is_below(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	return str_equal(outer, "/") || (!strncmp(inner, outer, length) && inner[length] == '/');
}

static void pair_cgroups(struct overlaps *o, const struct point *a, const struct point *b)
{
	if (b->hook->kind != FR_KIND_CGROUP || !a->policy == !b->policy)
		return;
	if (is_below(a->hook->name, b->hook->name))
		add_pair(o, a, b,
			 arena_printf(o->arena, "cgroup %s lies below %s", a->hook->name,
				      b->hook->name));
}

static const struct point *own_interface(const struct overlaps *o)
{
	for (size_t i = 0; i < o->point_count; i++)
		if (!o->points[i].policy && o->points[i].hook->kind == FR_KIND_INTERFACE)
			return &o->points[i];
	return NULL;
}

static void check_cgroups(struct overlaps *o)
{
	const struct point *interface = own_interface(o);

	for (size_t i = 0; i < o->point_count; i++) {
		const struct point *point = &o->points[i];

		if (point->hook->kind != FR_KIND_CGROUP)
			continue;
		for (size_t j = 0; j < o->point_count; j++)
			pair_cgroups(o, point, &o->points[j]);
		if (interface && !point->policy)
			add_remark(o,
				   (struct remark){
					   "counted-twice",
					   arena_printf(o->arena,
							"a packet of cgroup %s that passes %s is "
							"judged at both and counted twice",
							point->hook->name, interface->hook->name),
					   true});
		if (!point->policy)
			interface = NULL; /* once is enough */
	}
}

/* ---------------------------------------------------------------- public functions */

/* Unreadable policies are reported by their own status. */
static void add_others(struct overlaps *o, const char *root, const char *policy, uint64_t netns)
{
	const char **names;
	size_t count;

	if (policy_names(root, false, o->arena, &names, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct running running = {0};
		struct records records = {0};
		struct fr_hook_record *hooks;

		if (str_equal(names[i], policy) || running_find(root, names[i], &running) ||
		    !running.epoch ||
		    records_open(running.pins, "hooks", running.generation, &records))
			continue;
		hooks = arena_alloc(o->arena, records.count * sizeof(*hooks));
		memcpy(hooks, records.list, records.count * sizeof(*hooks));
		for (uint32_t j = 0; j < records.count; j++)
			if (hooks[j].used &&
			    (hooks[j].kind == FR_KIND_CGROUP || hooks[j].netns == netns))
				add_point(o, &hooks[j], names[i]);
		records_unmap(&records);
	}
}

int overlaps_find(const struct overlap_request *request, struct arena *arena, struct diags *d,
		  struct remarks *out)
{
	struct overlaps o = {.arena = arena};
	uint64_t netns = 0;

	for (size_t i = 0; i < request->hook_count; i++) {
		add_point(&o, &request->hooks[i], NULL);
		if (request->hooks[i].kind != FR_KIND_CGROUP)
			netns = request->hooks[i].netns;
	}
	add_others(&o, request->root, request->policy, netns);
	if (netns) {
		int err = interfaces_of(netns, arena, d, &o.all.list, &o.all.count);

		/* A namespace that cannot be entered gives no remarks. */
		if (err && d->count)
			return err;
	}
	check_devices(&o);
	check_cgroups(&o);
	if (o.more)
		add_remark(&o,
			   (struct remark){"counted-twice",
					   arena_printf(arena, "%zu more pairs like these", o.more),
					   true});
	*out = (struct remarks){o.list, o.count};
	return 0;
}
