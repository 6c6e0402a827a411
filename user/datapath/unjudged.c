/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the attach points that a policy names with this host as it is now: patterns match
 * devices and cgroups that appeared after apply, and a name can belong to another device. A device
 * is identified by its namespace and index, not by its name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../attach/attach.h"
#include "../host/host.h"
#include "bridge_ports.h"
#include "state.h"

struct comparison {
	const struct instance *instance;
	const struct host_options *options;
	struct arena *arena;
	struct diags *d;
	const struct fr_hook_record *hooks;
	uint32_t hook_count;
	const struct fr_request_record *requests;
	uint32_t request_count;
	const struct fr_request_record *request; /* the current one */
	const char *root;			 /* of cgroups */
	uint64_t netns;				 /* of devices */
	bool enforced;
	struct others others;
	struct unjudged *list;
	size_t count, capacity;
};

static void add_unjudged(struct comparison *c, struct unjudged found)
{
	found.kind = c->request->kind;
	found.request = c->request->name;
	c->list = arena_grow(c->arena, c->list, c->count, &c->capacity, sizeof(*c->list));
	c->list[c->count++] = found;
}

/* It is unknown whether these are judged. */
static void add_unknown(struct comparison *c, const char *reason)
{
	add_unjudged(c, (struct unjudged){
				.name = c->request->name,
				.why = arena_printf(
					c->arena,
					"the devices or cgroups that it names cannot be read: %s",
					reason)});
}

static bool wants_cgroup(const struct fr_request_record *request)
{
	return request->kind == FR_KIND_CGROUP;
}

/* ---------------------------------------------------------------- devices */

static const struct fr_hook_record *device_hook(const struct comparison *c, uint32_t ifindex)
{
	for (uint32_t i = 0; i < c->hook_count; i++)
		if (c->hooks[i].used && c->hooks[i].kind != FR_KIND_CGROUP &&
		    c->hooks[i].ifindex == ifindex)
			return &c->hooks[i];
	return NULL;
}

static bool listed(const struct comparison *c, uint32_t ifindex)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->list[i].ifindex == ifindex)
			return true;
	return false;
}

/* Not matched by a pattern, because its bridge or bond is attached. */
static bool judged_at_master(const struct comparison *c, const struct interface *interfaces,
			     size_t count, const struct interface *port)
{
	const struct fr_hook_record *hook;

	if (c->request->kind != FR_KIND_INTERFACE || !name_is_pattern(c->request->name) ||
	    !interface_is_port(interfaces, count, port))
		return false;
	hook = device_hook(c, port->master);
	return hook && hook->kind == FR_KIND_INTERFACE;
}

/* Another policy judges it, or only audits: no command takes it from that policy. */
static void judge_elsewhere(const struct comparison *c, const struct other *other, const char *what,
			    struct unjudged *found)
{
	bool enough = other->enforced || !c->enforced;

	found->why = arena_printf(c->arena, "%s is judged by policy %s%s", what, other->policy,
				  enough ? "" : ", in audit");
	if (enough)
		found->remark = "other-policy";
	else
		found->hint = arena_printf(c->arena,
					   "apply policy %s in mode enforce, or remove %s from "
					   "its attach",
					   other->policy, found->name);
}

/* The words for the name or pattern that matches it. */
static const char *asked_words(const struct comparison *c)
{
	return name_is_pattern(c->request->name)
		       ? arena_printf(c->arena, "it matches %s and", c->request->name)
		       : arena_printf(c->arena, "%s is another device now, which",
				      c->request->name);
}

static const char *device_fault(const struct comparison *c, const struct fr_hook_record *hook)
{
	if (hook)
		return hook->kind == FR_KIND_GUEST
			       ? "it is judged as a guest, but the policy names it as an "
				 "interface"
			       : "it is judged as an interface, but the policy names it as a "
				 "guest";
	return arena_printf(c->arena, "%s is not judged", asked_words(c));
}

static void compare_device(struct comparison *c, const struct interface *interfaces, size_t count,
			   const struct interface *interface)
{
	const struct fr_hook_record *hook = device_hook(c, interface->ifindex);
	struct unjudged found = {.name = interface->name, .ifindex = interface->ifindex};

	const struct fr_hook_record place = {
		.kind = FR_KIND_INTERFACE, .netns = c->netns, .ifindex = interface->ifindex};
	const struct other *other = hook ? NULL : other_at(&c->others, &place);

	if ((hook && hook->kind == c->request->kind) || listed(c, interface->ifindex))
		return;
	if (other) {
		judge_elsewhere(c, other, asked_words(c), &found);
	} else if (!hook && judged_at_master(c, interfaces, count, interface)) {
		found.remark = "counted-twice";
		found.why = arena_printf(c->arena,
					 "it matches %s and is judged at the %s that it is a port "
					 "of: at both, packets would be counted twice",
					 c->request->name, interface->port_of);
	} else {
		found.why = device_fault(c, hook);
	}
	add_unjudged(c, found);
}

static bool wants_devices(const struct comparison *c)
{
	for (uint32_t i = 0; i < c->request_count; i++)
		if (c->requests[i].used && !wants_cgroup(&c->requests[i]))
			return true;
	return false;
}

static int compare_devices(struct comparison *c, uint64_t netns)
{
	struct interface *interfaces = NULL;
	size_t count = 0, errors = c->d->count;
	int err = wants_devices(c) ? interfaces_of(netns, c->arena, c->d, &interfaces, &count) : 0;

	if (err && c->d->count > errors)
		return err;
	if (err_lacks_means(err))
		return pins_unreadable(c->instance->pins, err, c->d);
	for (uint32_t i = 0; i < c->request_count; i++) {
		c->request = &c->requests[i];
		if (!c->request->used || wants_cgroup(c->request))
			continue;
		if (err)
			add_unknown(c, arena_printf(c->arena,
						    "its network namespace cannot be entered: %s",
						    error_text(err)));
		for (size_t j = 0; j < count; j++)
			if (interface_fits(&interfaces[j], c->request->name))
				compare_device(c, interfaces, count, &interfaces[j]);
	}
	return 0;
}

/* ---------------------------------------------------------------- cgroups */

static bool cgroup_judged(const struct comparison *c, uint64_t id)
{
	for (uint32_t i = 0; i < c->hook_count; i++)
		if (c->hooks[i].used && c->hooks[i].kind == FR_KIND_CGROUP &&
		    c->hooks[i].cgroup == id)
			return true;
	return false;
}

static int compare_cgroup(const char *path, uint64_t id, void *context)
{
	struct comparison *c = context;
	const char *name = path + strlen(c->root);
	const struct fr_hook_record place = {.kind = FR_KIND_CGROUP, .cgroup = id};
	const struct other *other = other_at(&c->others, &place);
	struct unjudged found = {.name = arena_strdup(c->arena, *name ? name : "/")};

	if (cgroup_judged(c, id))
		return 0;
	if (other)
		judge_elsewhere(c, other, asked_words(c), &found);
	else
		found.why = arena_printf(c->arena, "%s is not judged", asked_words(c));
	add_unjudged(c, found);
	return 0;
}

/* A recreated cgroup with a plain name is a fault of its hook: only patterns match more. */
static int compare_cgroups(struct comparison *c)
{
	c->root = cgroup2_find(c->options, c->arena);
	for (uint32_t i = 0; i < c->request_count; i++) {
		const char *path;
		int err;

		c->request = &c->requests[i];
		if (!c->request->used || !wants_cgroup(c->request) ||
		    !name_is_pattern(c->request->name))
			continue;
		path = c->root ? cgroup_path_of(c->arena, c->root, c->request->name) : NULL;
		err = path ? cgroups_each(path, compare_cgroup, c) : 0;
		if (err_lacks_means(err))
			return pins_unreadable(path, err, c->d);
		if (!c->root && c->options->cgroup)
			add_unknown(c, arena_printf(c->arena, "no cgroup2 is mounted at %s",
						    c->options->cgroup));
		else if (!c->root)
			add_unknown(c, "no cgroup2 hierarchy is mounted here");
		else if (err)
			add_unknown(c, error_text(err));
	}
	return 0;
}

/* ---------------------------------------------------------------- public functions */

static int copy_records(int fd, struct arena *arena, size_t size, const void **out, uint32_t *count)
{
	struct records records;
	void *copy;
	int err = records_map(fd, &records);

	if (err)
		return err;
	copy = arena_alloc(arena, records.count * size);
	memcpy(copy, records.list, records.count * size);
	*out = copy;
	*count = records.count;
	records_unmap(&records);
	return 0;
}

/* If unknown, the answer is the strict one. */
static bool is_enforced(const struct instance *instance)
{
	struct image image = {0};
	bool enforced;

	if (instance_image(instance, &image))
		return true;
	enforced = image_head(&image)->flags & FR_F_ENFORCE;
	image_unmap(&image);
	return enforced;
}

static int comparison_open(struct comparison *c, struct fr_state *state)
{
	const struct instance *instance = c->instance;
	const void *hooks, *requests;
	int err =
		copy_records(instance->hooks, c->arena, sizeof(*c->hooks), &hooks, &c->hook_count);

	if (err)
		return err;
	c->hooks = hooks;
	err = copy_records(instance->requests, c->arena, sizeof(*c->requests), &requests,
			   &c->request_count);
	if (err)
		return err;
	c->requests = requests;
	return instance_state(instance, state);
}

int instance_unjudged(const struct instance *instance, const struct host_options *o,
		      struct arena *arena, struct diags *d, struct unjudged_list *out)
{
	struct comparison c = {.instance = instance, .arena = arena, .d = d};
	struct host_options host;
	struct fr_state state;
	int err = comparison_open(&c, &state);

	if (err)
		return diag_error(d, NO_LOC, err, "pins-broken", NULL,
				  "the records of the names under attach cannot be read: %s",
				  error_text(err));
	host = words_host(&state, o, arena);
	c.options = &host;
	c.netns = state.netns;
	c.enforced = is_enforced(instance);
	others_find(instance->root, instance->name, arena, &c.others);
	err = compare_devices(&c, state.netns);
	if (err)
		return err;
	err = compare_cgroups(&c);
	if (err)
		return err;
	*out = (struct unjudged_list){c.list, c.count};
	return 0;
}

static const char *name_now(const struct interface *interfaces, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; i < count; i++)
		if (interfaces[i].ifindex == ifindex)
			return interfaces[i].name;
	return NULL;
}

/* A TCX link moves with its device. */
static void add_moved(const struct instance *instance, const struct overlap_request *request,
		      struct arena *arena, struct remarks *remarks)
{
	struct diags ignored = {.arena = arena};
	struct interface *interfaces = NULL;
	size_t count = 0, room = remarks->count;

	for (size_t i = 0; i < request->hook_count; i++) {
		const struct fr_hook_record *hook = &request->hooks[i];

		if (hook->kind == FR_KIND_CGROUP)
			continue;
		if (interfaces_of(hook->netns, arena, &ignored, &interfaces, &count))
			return; /* reported with the unjudged devices */
		break;
	}
	for (size_t i = 0; i < request->hook_count; i++) {
		const struct fr_hook_record *hook = &request->hooks[i];
		bool alive;

		if (!hook->ifindex || name_now(interfaces, count, hook->ifindex) ||
		    attach_alive(instance->dir, hook, &alive) || !alive)
			continue;
		remarks->list = arena_grow(arena, remarks->list, remarks->count, &room,
					   sizeof(*remarks->list));
		remarks->list[remarks->count++] = (struct remark){
			"device-moved",
			arena_printf(arena,
				     "%s is in another network namespace, and is judged there",
				     hook->name),
			false};
	}
}

/* The subnets now, in the namespace of the policy's devices. False: unknown. */
static bool subnets_now(const struct overlap_request *request, struct arena *arena,
			struct fr_subnet *out)
{
	struct diags ignored = {.arena = arena};
	struct prefix *list;
	uint64_t netns = 0;
	int back = -1, err;
	size_t count;

	for (size_t i = 0; i < request->hook_count; i++)
		if (request->hooks[i].kind != FR_KIND_CGROUP)
			netns = request->hooks[i].netns;
	if (!netns || netns_enter(netns, &back))
		return false;
	err = hooks_subnets(request->hooks, request->hook_count, &ignored, &list, &count);
	netns_leave(&back);
	if (!err)
		subnets_fill(list, count, out);
	return !err;
}

static void add_subnets(const struct instance *instance, const struct overlap_request *request,
			struct arena *arena, struct remarks *remarks)
{
	struct fr_subnet now[FR_SUBNETS];
	const struct fr_subnet *was;
	size_t room = remarks->count;
	struct image image;
	bool changed;

	if (instance_image(instance, &image))
		return;
	was = image_subnets(&image);
	changed = was && subnets_now(request, arena, now) && memcmp(was, now, sizeof(now)) != 0;
	image_unmap(&image);
	if (!changed)
		return;
	remarks->list =
		arena_grow(arena, remarks->list, remarks->count, &room, sizeof(*remarks->list));
	remarks->list[remarks->count++] = (struct remark){
		"subnets-changed",
		"the subnets of the attached devices have changed since apply: apply again, so that "
		"a question to a group may be answered from them and no others",
		true};
}

/* The guests of each party, by the device that gives their scope. */
static void add_parties(const struct instance *instance, const struct overlap_request *request,
			struct arena *arena, struct remarks *remarks)
{
	size_t room = remarks->count;

	for (size_t i = 0; i < request->hook_count; i++) {
		const struct fr_hook_record *leader = &request->hooks[i];
		const char *names = leader->name;

		if (leader->kind != FR_KIND_GUEST ||
		    guest_party(instance, leader->ifindex) != leader->ifindex)
			continue;
		for (size_t j = 0; j < request->hook_count; j++)
			if (j != i && request->hooks[j].kind == FR_KIND_GUEST &&
			    guest_party(instance, request->hooks[j].ifindex) == leader->ifindex)
				names = str_list_append(arena, names, request->hooks[j].name);
		remarks->list = arena_grow(arena, remarks->list, remarks->count, &room,
					   sizeof(*remarks->list));
		remarks->list[remarks->count++] = (struct remark){
			"party",
			arena_printf(arena,
				     "guests %s are one party: their flows are listed under %s",
				     names, leader->name),
			true};
	}
}

int instance_remarks(const struct instance *instance, const struct host_options *o,
		     struct arena *arena, struct diags *d, struct remarks *out)
{
	struct overlap_request request = {.root = pin_root(o), .policy = instance->name};
	struct fr_hook_record *hooks;
	const void *list;
	uint32_t hook_count;
	int err = copy_records(instance->hooks, arena, sizeof(*hooks), &list, &hook_count);

	if (err)
		return diag_error(d, NO_LOC, err, "pins-broken", NULL,
				  "the records of attach points cannot be read: %s",
				  error_text(err));
	hooks = arena_alloc(arena, hook_count * sizeof(*hooks));
	memcpy(hooks, list, hook_count * sizeof(*hooks));
	instance_names_now(instance, hooks, hook_count);
	request.hooks = hooks;
	while (request.hook_count < hook_count && hooks[request.hook_count].used)
		request.hook_count++;
	err = overlaps_find(&request, arena, d, out);
	if (err)
		return err;
	add_moved(instance, &request, arena, out);
	add_parties(instance, &request, arena, out);
	add_subnets(instance, &request, arena, out);
	return 0;
}

void instance_names_now(const struct instance *instance, struct fr_hook_record *hooks,
			uint32_t count)
{
	struct arena *arena = arena_new();
	struct diags ignored = {.arena = arena};
	struct interface *interfaces = NULL;
	size_t interface_count = 0;
	bool asked = false;

	for (uint32_t i = 0; i < count; i++) {
		const char *name;
		bool alive;

		if (!hooks[i].used || hooks[i].kind == FR_KIND_CGROUP)
			continue;
		if (!asked &&
		    interfaces_of(hooks[i].netns, arena, &ignored, &interfaces, &interface_count))
			break;
		asked = true;
		name = name_now(interfaces, interface_count, hooks[i].ifindex);
		if (name && !attach_alive(instance->dir, &hooks[i], &alive) && alive)
			snprintf(hooks[i].name, sizeof(hooks[i].name), "%s", name);
	}
	arena_free(arena);
}
