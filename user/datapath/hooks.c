/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads from the kernel how a policy runs: whether each link or filter exists, where it is
 * attached, which program it runs, with which maps, and which other programs are on the hook. Our
 * own records only say where to look.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../attach/attach.h"
#include "../host/host.h"
#include "bridge_ports.h"
#include "state.h"

/* A program of several hooks, which is looked at once. */
struct judged_program {
	enum program program;
	uint32_t id;
	const char *fault;
	enum hook_part part;
	bool unseen; /* its maps may not be looked at */
};

struct asker {
	const struct instance *instance;
	const struct host_options *options;
	struct arena *arena;
	struct hook_fact *list;
	size_t count, capacity;
	struct judged_program *programs;
	size_t program_count, program_capacity;
	struct records requests;
	struct interfaces devices; /* now, in the namespace of the current point */
	uint64_t devices_of;	   /* that namespace; 0: not listed yet */
	int devices_err;
	/* of the current point */
	const char *name, *request, *strayed, *unknown;
};

static void set_fault(struct hook_fact *fact, enum hook_part part, const char *fault)
{
	fact->part = part;
	fact->fault = fault;
}

/* ---------------------------------------------------------------- programs */

struct successor {
	const struct asker *asker;
	const struct hook_program *hook;
	uint32_t id;
	bool found;
};

static int on_successor(const char *dir, const char *name, void *context)
{
	struct successor *it = context;
	CLEANUP(close_fd) int program = -1;
	uint32_t epoch, generation;
	enum program_fault fault;
	const char *map;
	pin_path path;
	int err;

	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	err = epoch_generation(path, &generation);
	if (err || generation != it->asker->instance->generation)
		return err;
	program = program_open_id(path, PROG_BEFORE_FLIP, it->hook->program, it->id);
	if (program < 0)
		return program == -ENOENT ? 0 : program;
	err = program_check(program, it->hook->program, path, &fault, &map);
	it->found = !err && fault <= PROGRAM_UNSEEN;
	return err ? err : it->found;
}

/* Programs of the next epoch, which judge by a copy of the image in force: the change has not
 * reached its flip, or was abandoned. */
static int program_succeeds(const struct asker *asker, const struct hook_program *hook, uint32_t id,
			    bool *out)
{
	struct successor it = {.asker = asker, .hook = hook, .id = id};
	int err = pin_each(asker->instance->dir, on_successor, &it);

	*out = it.found;
	return err < 0 ? err : 0;
}

/* Of the program that is pinned for the hook, and runs there. */
static int judge_pinned(const struct asker *asker, const struct hook_program *hook, int fd,
			struct judged_program *out)
{
	enum program_fault fault = PROGRAM_RIGHT;
	const char *map;
	int err = program_check(fd, hook->program, asker->instance->pins, &fault, &map);

	out->unseen = fault == PROGRAM_UNSEEN;
	out->part = fault == PROGRAM_OTHER ? HOOK_PROGRAM : HOOK_MAPS;
	if (fault == PROGRAM_OTHER)
		out->fault = arena_printf(asker->arena, "%s is pinned and runs here",
					  program_words(asker->arena, out->id));
	else if (fault == PROGRAM_IMAGES)
		out->fault = "its program uses other maps than those in force";
	else if (fault == PROGRAM_MAP)
		out->fault = arena_printf(asker->arena,
					  "another map is pinned as %s than the one that its "
					  "program uses",
					  map);
	return err;
}

static int judge_program(const struct asker *asker, const struct hook_program *hook,
			 struct judged_program *out)
{
	CLEANUP(close_fd)
	int fd = program_open_id(asker->instance->pins, PROG_AFTER_FLIP, hook->program, out->id);
	bool right = true;
	int err;

	if (fd >= 0)
		return judge_pinned(asker, hook, fd, out);
	err = fd == -ENOENT ? program_succeeds(asker, hook, out->id, &right) : fd;
	out->part = HOOK_PROGRAM;
	if (!err && !right)
		out->fault =
			arena_printf(asker->arena, "%s runs here instead of the pinned program",
				     program_words(asker->arena, out->id));
	return err;
}

/* A fault unless the running program is pinned for this hook and judges by the maps in force. Here
 * and below an error means unknown, which is no fault. */
static int read_program(struct asker *asker, const struct hook_program *hook,
			struct hook_fact *fact)
{
	struct judged_program judged = {.program = hook->program, .id = fact->program};
	size_t at = 0;
	int err = 0;

	while (at < asker->program_count && (asker->programs[at].program != judged.program ||
					     asker->programs[at].id != judged.id))
		at++;
	if (at < asker->program_count)
		judged = asker->programs[at];
	else
		err = judge_program(asker, hook, &judged);
	if (err)
		return err;
	set_fault(fact, judged.part, judged.fault);
	if (judged.unseen)
		fact->unknown[HOOK_MAPS] = "its maps cannot be looked at without CAP_SYS_ADMIN";
	if (at < asker->program_count)
		return 0;
	asker->programs = arena_grow(asker->arena, asker->programs, asker->program_count,
				     &asker->program_capacity, sizeof(*asker->programs));
	asker->programs[asker->program_count++] = judged;
	return 0;
}

/* ---------------------------------------------------------------- neighbours */

/* A cgroup can be queried if a cgroup2 is mounted here. */
static const char *cgroup_path(const struct asker *asker, const struct fr_hook_record *record)
{
	const char *root =
		attach_is_cgroup(record) ? cgroup2_find(asker->options, asker->arena) : NULL;

	if (record->how == HOW_SOCKETS)
		return root;
	return root ? arena_printf(asker->arena, "%s%s", root, record->name) : NULL;
}

static int read_order(const struct asker *asker, const struct hook_ref *ref, struct hook_fact *fact)
{
	struct order_fault fault;
	int err = cgroup_order_read(ref, asker->arena, &fault);

	if (err_lacks_means(err))
		return err;
	if (err)
		fact->unknown[HOOK_ORDER] = arena_printf(
			asker->arena, "the order of the programs there cannot be read: %s",
			error_text(err));
	else if (fault.program)
		fact->out_of_order =
			arena_printf(asker->arena, "%s in cgroup %s", fault.program, fault.cgroup);
	return 0;
}

static int read_chain(const struct asker *asker, const struct hook_program *hook,
		      struct hook_fact *fact)
{
	struct hook_chain chain;
	struct hook_ref ref = {.point = fact->record,
			       .hook = hook,
			       .path = cgroup_path(asker, fact->record),
			       .program = fact->program};

	hook_chain_read(&ref, asker->arena, &chain);
	if (err_lacks_means(chain.err))
		return chain.err;
	if (!chain.found && !chain.err)
		set_fault(fact, HOOK_ORDER, "its program is not attached at the hook");
	if (chain.err)
		fact->unknown[HOOK_ORDER] =
			arena_printf(asker->arena, "the programs there cannot be listed: %s",
				     error_text(chain.err));
	fact->neighbours = chain.words;
	fact->neighbour_count = chain.count;
	fact->preempted_by = chain.preempted_by;
	fact->first_before = chain.first_before;
	return attach_is_cgroup(fact->record) && chain.found ? read_order(asker, &ref, fact) : 0;
}

/* ---------------------------------------------------------------- hooks */

static const char *link_fault(const struct fr_hook_record *record, const struct link_target *target)
{
	if (attach_is_cgroup(record))
		return target->cgroup
			       ? NULL
			       : "nothing is attached: the cgroup is gone, or the link was detached";
	if (record->how == HOW_NETNS)
		return target->netns ? NULL
				     : "nothing is attached: the network namespace is gone, or the "
				       "link was detached";
	return target->ifindex
		       ? NULL
		       : "nothing is attached: the interface is gone, or the link was detached";
}

static const char *target_fault(const struct hook_ref *ref, const struct link_target *target)
{
	if (link_in_place(ref, target))
		return NULL;
	if (attach_is_cgroup(ref->point))
		return "it is attached to another cgroup";
	return ref->point->how == HOW_NETNS ? "it is attached to another namespace"
					    : "it is attached to another interface";
}

static struct hook_ref ref_of(const struct asker *asker, const struct fr_hook_record *point,
			      const struct hook_program *hook)
{
	return (struct hook_ref){.point = point, .hook = hook, .dir = asker->instance->dir};
}

static int read_link(struct asker *asker, const struct hook_program *hook, struct hook_fact *fact)
{
	struct hook_ref ref = ref_of(asker, fact->record, hook);
	CLEANUP(close_fd) int link = link_open(&ref);
	struct link_target target;
	int err;

	if (link < 0 && !pins_damaged(link))
		return link;
	if (link < 0) {
		set_fault(fact, HOOK_LINK,
			  arena_printf(asker->arena, "its link cannot be opened: %s",
				       error_text(link)));
		return 0;
	}
	err = link_target(link, &target);
	if (err)
		return err;
	fact->program = target.prog_id;
	set_fault(fact, HOOK_LINK, link_fault(fact->record, &target));
	if (!fact->fault)
		set_fault(fact, HOOK_TARGET, target_fault(&ref, &target));
	return fact->fault ? 0 : read_program(asker, hook, fact);
}

static int read_filter(struct asker *asker, const struct hook_program *hook, struct hook_fact *fact)
{
	struct hook_ref ref = ref_of(asker, fact->record, hook);
	int back = -1, err = netns_enter(fact->record->netns, &back);

	if (err) {
		set_fault(fact, HOOK_LINK,
			  arena_printf(asker->arena, "its network namespace cannot be entered: %s",
				       error_text(err)));
		return err_lacks_means(err) ? err : 0;
	}
	err = filter_program(&ref, &fact->program);
	netns_leave(&back);
	if (err)
		return err;
	if (fact->program)
		return read_program(asker, hook, fact);
	set_fault(fact, HOOK_LINK, "its filter is gone");
	return 0;
}

static int read_hook(struct asker *asker, const struct hook_program *hook, struct hook_fact *fact)
{
	const struct fr_hook_record *point = fact->record;
	const char *bridge = NULL;
	int err = point->how == HOW_CLSACT ? read_filter(asker, hook, fact)
					   : read_link(asker, hook, fact);

	if (err)
		return err;
	if (!fact->fault)
		err = read_chain(asker, hook, fact);
	if (err)
		return err;
	if (!fact->fault && point->kind == FR_KIND_INTERFACE)
		err = port_fault(asker->instance, point, asker->arena, &bridge);
	if (bridge)
		set_fault(fact, HOOK_BRIDGE, bridge);
	return err;
}

static bool link_missing(const struct asker *asker, const struct fr_hook_record *point,
			 const struct hook_program *hook)
{
	struct hook_ref ref = ref_of(asker, point, hook);
	CLEANUP(close_fd) int fd = link_open(&ref);

	return fd == -ENOENT;
}

static int read_point(struct asker *asker, const struct fr_hook_record *point)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		struct hook_fact *fact;

		if (hooks[i].optional && link_missing(asker, point, &hooks[i]))
			continue;
		asker->list = arena_grow(asker->arena, asker->list, asker->count, &asker->capacity,
					 sizeof(*asker->list));
		fact = &asker->list[asker->count++];
		*fact = (struct hook_fact){.record = point,
					   .name = asker->name,
					   .request = asker->request,
					   .hook = hooks[i].text,
					   .strayed = asker->strayed,
					   .unknown[HOOK_TARGET] = asker->unknown};
		err = read_hook(asker, &hooks[i], fact);
	}
	return err;
}

/* ---------------------------------------------------------------- what the policy means */

static bool is_named(const struct asker *asker, const struct interface *device, uint8_t kind)
{
	const struct fr_request_record *list = asker->requests.list;

	for (uint32_t i = 0; i < asker->requests.count; i++)
		if (list[i].used && list[i].kind == kind && interface_fits(device, list[i].name))
			return true;
	return false;
}

static void compare_device(struct asker *asker, const struct fr_hook_record *point)
{
	struct diags ignored = {.arena = asker->arena};
	const struct interface *device;

	if (asker->devices_of != point->netns)
		asker->devices_err = interfaces_of(point->netns, asker->arena, &ignored,
						   &asker->devices.list, &asker->devices.count);
	asker->devices_of = point->netns;
	if (asker->devices_err) {
		asker->unknown =
			arena_printf(asker->arena, "its network namespace cannot be entered: %s",
				     error_text(asker->devices_err));
		return;
	}
	device = interface_at(&asker->devices, point->ifindex);
	if (!device)
		asker->strayed = "it is gone, or in another network namespace";
	else if (!is_named(asker, device, point->kind))
		asker->strayed =
			arena_printf(asker->arena, "it is %s now, which no name of the policy fits",
				     device->name);
}

static void compare_cgroup(struct asker *asker, const struct fr_hook_record *point)
{
	const char *path = cgroup_path(asker, point);
	struct stat status;

	if (!path)
		asker->unknown = "no cgroup2 hierarchy is mounted here";
	else if (stat(path, &status))
		asker->strayed = arena_printf(asker->arena, "its path cannot be found: %s",
					      error_text(errno));
	else if (status.st_ino != point->cgroup)
		asker->strayed = "another cgroup has its path now";
}

/* The current name of the point's target, its name in the policy, and whether it is still meant. */
static void read_meant(struct asker *asker, const struct fr_hook_record *now)
{
	const struct fr_request_record *list = asker->requests.list;

	asker->name = now->name;
	asker->strayed = asker->unknown = asker->request = NULL;
	if (now->request < asker->requests.count)
		asker->request = arena_strdup(asker->arena, list[now->request].name);
	if (attach_is_extra(now))
		return;
	if (now->kind == FR_KIND_CGROUP)
		compare_cgroup(asker, now);
	else
		compare_device(asker, now);
}

static int read_points(struct asker *asker, const struct records *hooks)
{
	size_t size = hooks->count * sizeof(struct fr_hook_record);
	struct fr_hook_record *copy = arena_alloc(asker->arena, size);
	struct fr_hook_record *now = arena_alloc(asker->arena, size);
	int err = 0;

	memcpy(copy, hooks->list, size);
	memcpy(now, copy, size);
	instance_names_now(asker->instance, now, hooks->count);
	for (uint32_t i = 0; i < hooks->count && !err; i++) {
		if (!copy[i].used)
			continue;
		read_meant(asker, &now[i]);
		err = read_point(asker, &copy[i]);
	}
	return err;
}

static int read_instance(struct asker *asker, const struct host_options *o)
{
	const struct instance *instance = asker->instance;
	CLEANUP(records_unmap) struct records hooks = {0};
	struct host_options host;
	struct fr_state state;
	int err = instance_state(instance, &state);

	if (err)
		return err;
	host = words_host(&state, o, asker->arena);
	asker->options = &host;
	err = records_map(instance->hooks, &hooks);
	if (err)
		return err;
	err = records_map(instance->requests, &asker->requests);
	err = err ? err : read_points(asker, &hooks);
	records_unmap(&asker->requests);
	return err;
}

int instance_hooks(const struct instance *instance, const struct host_options *o,
		   struct arena *arena, struct diags *d, struct hook_facts *out)
{
	struct asker asker = {.instance = instance, .arena = arena};
	int err = read_instance(&asker, o);

	if (err)
		return pins_damaged(err)
			       ? diag_error(d, NO_LOC, err, "pins-broken",
					    instance_heal_command(instance, err, d->arena),
					    "the records of attach points cannot be read: %s",
					    error_text(err))
			       : pins_unreadable(instance->pins, err, d);
	*out = (struct hook_facts){asker.list, asker.count};
	return 0;
}

/* ---------------------------------------------------------------- ways around them */

/* A device without a peer cannot be the target. */
static bool has_far_end(const struct interface *devices, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; i < count; i++)
		if (devices[i].ifindex == ifindex)
			return interface_has_peer(&devices[i]);
	return false;
}

static void redirects_here(const struct records *hooks, struct arena *arena,
			   struct peer_redirects *out)
{
	const struct fr_hook_record *list = hooks->list;
	struct diags ignored = {.arena = arena};
	struct interface *devices;
	size_t count;
	bool wanted = false;

	if (host_interfaces(arena, &ignored, &devices, &count)) {
		out->unknown = "the devices of the guests cannot be listed";
		return;
	}
	for (uint32_t i = 0; i < hooks->count && !wanted; i++)
		wanted = list[i].used && list[i].kind == FR_KIND_GUEST &&
			 has_far_end(devices, count, list[i].ifindex);
	if (wanted)
		host_peer_redirects(arena, out);
}

static int find_redirects(const struct instance *instance, struct arena *arena,
			  struct peer_redirects *found)
{
	CLEANUP(records_unmap) struct records hooks = {0};
	const struct fr_hook_record *list;
	int back = -1, err = records_map(instance->hooks, &hooks);
	uint32_t guest = 0;

	if (err)
		return err;
	list = hooks.list;
	while (guest < hooks.count && !(list[guest].used && list[guest].kind == FR_KIND_GUEST))
		guest++;
	if (guest == hooks.count)
		return 0;
	err = netns_enter(list[guest].netns, &back);
	if (!err)
		redirects_here(&hooks, arena, found);
	netns_leave(&back);
	return err;
}

void instance_peer_redirects(const struct instance *instance, struct arena *arena,
			     struct peer_redirects *out)
{
	struct peer_redirects found = {0};
	int err = find_redirects(instance, arena, &found);

	if (err)
		found.unknown =
			arena_printf(arena, "their devices cannot be queried: %s", error_text(err));
	*out = found;
}
