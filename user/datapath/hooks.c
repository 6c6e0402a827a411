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

#include "../attach/attach.h"
#include "../host/host.h"
#include "bridge_ports.h"
#include "state.h"

enum { PROGRAM_MAPS_MAX = 64 };

struct asker {
	const struct instance *instance;
	const struct host_options *options;
	struct arena *arena;
	uint32_t images; /* id of the outer map in force */
	struct hook_fact *list;
	size_t count, capacity;
	const char *name, *request; /* of the current hook */
};

/* ---------------------------------------------------------------- programs */

static int program_uses(int fd, uint32_t map, bool *out)
{
	uint32_t maps[PROGRAM_MAPS_MAX];
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)maps};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		*out |= maps[i] == map;
	return 0;
}

struct successor {
	const struct asker *asker;
	const struct hook_program *hook;
	uint32_t id;
	bool found;
};

static int on_successor(const char *dir, const char *name, void *context)
{
	struct successor *it = context;
	CLEANUP(close_fd) int images = -1;
	CLEANUP(close_fd) int program = -1;
	uint32_t epoch, generation, map;
	pin_path path;
	int err;

	if (!pin_number(name, "e", &epoch) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	err = epoch_generation(path, &generation);
	if (err || generation != it->asker->instance->generation)
		return err;
	images = pin_open(path, map_names[MAP_IMAGES]);
	err = images < 0 ? images : fd_map_id(images, &map);
	if (err)
		return err == -ENOENT ? 0 : err;
	program = program_open_id(path, PROG_BEFORE_FLIP, it->hook->program, it->id);
	if (program < 0)
		return program == -ENOENT ? 0 : program;
	err = program_uses(program, map, &it->found);
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

/* A fault unless the running program is pinned for this hook and judges by the maps in force. Here
 * and below an error means unknown, which is no fault. */
static int read_program(const struct asker *asker, const struct hook_program *hook,
			struct hook_fact *fact)
{
	CLEANUP(close_fd)
	int fd = program_open_id(asker->instance->pins, PROG_AFTER_FLIP, hook->program,
				 fact->program);
	bool right = true;
	int err;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		/* the process detail program does not judge */
		err = hook->optional ? 0 : program_uses(fd, asker->images, &right);
		if (!err && !right)
			fact->fault = "its program uses other maps than those in force";
		return err;
	}
	err = program_succeeds(asker, hook, fact->program, &right);
	if (err)
		return err;
	if (!right)
		fact->fault =
			arena_printf(asker->arena, "%s runs here instead of the pinned program",
				     program_words(asker->arena, fact->program));
	return err;
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
		fact->fault = "its program is not attached at the hook";
	fact->neighbours = chain.words;
	fact->neighbour_count = chain.count;
	fact->preempted_by = chain.preempted_by;
	return 0;
}

/* ---------------------------------------------------------------- hooks */

static const char *target_fault(const struct fr_hook_record *record,
				const struct link_target *target)
{
	if (attach_is_cgroup(record)) {
		if (!target->cgroup)
			return "nothing is attached: the cgroup is gone, or the link was detached";
		return target->cgroup == record->cgroup ? NULL : "it is attached to another cgroup";
	}
	if (record->how == HOW_NETNS) {
		if (!target->netns)
			return "nothing is attached: the network namespace is gone, or the link was "
			       "detached";
		return target->netns == record->netns ? NULL
						      : "it is attached to another namespace";
	}
	if (!target->ifindex)
		return "nothing is attached: the interface is gone, or the link was detached";
	return target->ifindex == record->ifindex ? NULL : "it is attached to another interface";
}

static struct hook_ref ref_of(const struct asker *asker, const struct fr_hook_record *point,
			      const struct hook_program *hook)
{
	return (struct hook_ref){.point = point, .hook = hook, .dir = asker->instance->dir};
}

static int read_link(const struct asker *asker, const struct hook_program *hook,
		     struct hook_fact *fact)
{
	struct hook_ref ref = ref_of(asker, fact->record, hook);
	CLEANUP(close_fd) int link = link_open(&ref);
	struct link_target target;
	int err;

	if (link < 0 && !pins_damaged(link))
		return link;
	if (link < 0) {
		fact->fault = arena_printf(asker->arena, "its link cannot be opened: %s",
					   error_text(link));
		return 0;
	}
	err = link_target(link, &target);
	if (err)
		return err;
	fact->program = target.prog_id;
	fact->fault = target_fault(fact->record, &target);
	return fact->fault ? 0 : read_program(asker, hook, fact);
}

static int read_filter(const struct asker *asker, const struct hook_program *hook,
		       struct hook_fact *fact)
{
	struct hook_ref ref = ref_of(asker, fact->record, hook);
	int back = -1, err = netns_enter(fact->record->netns, &back);

	if (err) {
		fact->fault =
			arena_printf(asker->arena, "its network namespace cannot be entered: %s",
				     error_text(err));
		return err_lacks_means(err) ? err : 0;
	}
	err = filter_program(&ref, &fact->program);
	netns_leave(&back);
	if (err)
		return err;
	if (fact->program)
		return read_program(asker, hook, fact);
	fact->fault = "its filter is gone";
	return 0;
}

static int read_hook(const struct asker *asker, const struct hook_program *hook,
		     struct hook_fact *fact)
{
	const struct fr_hook_record *point = fact->record;
	int err = point->how == HOW_CLSACT ? read_filter(asker, hook, fact)
					   : read_link(asker, hook, fact);

	if (err)
		return err;
	if (!fact->fault)
		err = read_chain(asker, hook, fact);
	if (err)
		return err;
	if (!fact->fault && point->kind == FR_KIND_INTERFACE)
		err = port_fault(asker->instance, point, asker->arena, &fact->fault);
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
					   .hook = hooks[i].text};
		err = read_hook(asker, &hooks[i], fact);
	}
	return err;
}

/* The current name of the hook's target, and its name in the policy. */
static void read_names(struct asker *asker, const struct fr_hook_record *now,
		       const struct records *requests)
{
	const struct fr_request_record *list = requests->list;

	asker->name = now->name;
	asker->request = now->request < requests->count
				 ? arena_strdup(asker->arena, list[now->request].name)
				 : NULL;
}

static int read_points(struct asker *asker, const struct records *hooks,
		       const struct records *requests)
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
		read_names(asker, &now[i], requests);
		err = read_point(asker, &copy[i]);
	}
	return err;
}

static int read_instance(struct asker *asker, const struct host_options *o)
{
	const struct instance *instance = asker->instance;
	CLEANUP(records_unmap) struct records hooks = {0};
	CLEANUP(records_unmap) struct records requests = {0};
	struct host_options host;
	struct fr_state state;
	int err = fd_map_id(instance->images, &asker->images);

	if (err)
		return err;
	err = instance_state(instance, &state);
	if (err)
		return err;
	host = words_host(&state, o, asker->arena);
	asker->options = &host;
	err = records_map(instance->hooks, &hooks);
	if (err)
		return err;
	err = records_map(instance->requests, &requests);
	return err ? err : read_points(asker, &hooks, &requests);
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
