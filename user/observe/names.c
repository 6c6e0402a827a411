/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for the numbers in maps: rules by slot, interfaces by index, jiffies as wall time. */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

uint64_t clock_real(const struct clock_pair *clock, uint64_t jiffies)
{
	int64_t ago = (int64_t)(clock->jiffies - jiffies);

	if (!jiffies)
		return 0;
	return clock->real_ns - (uint64_t)(ago * (int64_t)(1000000000 / clock->hz));
}

static int collect_hooks(const struct instance *instance, struct names *names)
{
	int fd = instance->hooks;
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.value_size != sizeof(*names->hooks))
		return -EPROTO;
	names->hooks = calloc(info.max_entries, sizeof(*names->hooks));
	if (!names->hooks)
		return -ENOMEM;
	for (uint32_t i = 0; i < info.max_entries; i++)
		if (!bpf_map_lookup_elem(fd, &i, &names->hooks[i]))
			names->hook_count = i + 1;
	instance_names_now(instance, names->hooks, names->hook_count);
	return 0;
}

static int collect_names(const struct instance *instance, struct names *names)
{
	int err = instance_rules(instance, &names->rules);

	if (err)
		return err;
	err = collect_hooks(instance, names);
	if (err)
		return err;
	err = instance_clock(instance, &names->clock);
	if (err)
		return err;
	if (instance->processes >= 0)
		names->processes = fcntl(instance->processes, F_DUPFD_CLOEXEC, 0);
	return 0;
}

int names_open(const struct instance *instance, struct diags *d, struct names *out)
{
	struct names names = {.processes = -1};
	int err = collect_names(instance, &names);

	if (err) {
		names_close(&names);
		return diag_error(d, NO_LOC, err, "pins-broken",
				  instance_heal_command(instance, err, d->arena),
				  "the records of policy %s cannot be read: %s", instance->name,
				  error_text(err));
	}
	*out = names;
	return 0;
}

void names_close(struct names *names)
{
	if (names->rules.list)
		instance_rules_close(&names->rules);
	free(names->hooks);
	names->hooks = NULL;
	close_fd(&names->processes);
}

const struct fr_rule_record *names_rule(const struct names *names, uint32_t slot)
{
	if (slot >= names->rules.count || !names->rules.list[slot].used)
		return NULL;
	return &names->rules.list[slot];
}

const struct fr_rule_record *names_rule_or_none(const struct names *names, uint32_t slot)
{
	static const struct fr_rule_record none;
	const struct fr_rule_record *rule = names_rule(names, slot);

	return rule ? rule : &none;
}

const char *names_interface(const struct names *names, uint32_t ifindex)
{
	for (uint32_t i = 0; i < names->hook_count && ifindex; i++)
		if (names->hooks[i].used && names->hooks[i].kind != FR_KIND_CGROUP &&
		    names->hooks[i].ifindex == ifindex)
			return names->hooks[i].name;
	return NULL;
}

const char *names_scope(const struct names *names, uint32_t scope)
{
	return FR_SCOPE_KIND(scope) == FR_KIND_GUEST
		       ? names_interface(names, FR_SCOPE_IFINDEX(scope))
		       : NULL;
}

/* ---------------------------------------------------------------- processes */

/* Times of flows are in jiffies; no pid is reused within a second. */
enum { START_TOLERANCE_NS = 1000000000 };

static uint64_t start_real(const struct clock_pair *clock, uint64_t boot_ns)
{
	return boot_ns ? clock->real_ns - (clock->boot_ns - boot_ns) : 0;
}

/* Pids are reused: the process that has it now may be another one. Without its start time, only the
 * name can identify it. */
static bool is_the_one(const struct fr_owner *owner, const struct process_view *view,
		       uint64_t started, uint64_t when)
{
	if (started)
		return started <= when + START_TOLERANCE_NS;
	return !strncmp(owner->comm, view->name, sizeof(owner->comm));
}

struct process_view names_process(const struct names *names, uint32_t pid, const char *comm,
				  size_t comm_size, uint64_t when)
{
	struct process_view view = {.pid = pid};
	struct fr_owner owner;
	uint64_t started;

	if (!pid)
		return view;
	memcpy(view.name, comm, comm_size);
	if (names->processes < 0 || bpf_map_lookup_elem(names->processes, &pid, &owner))
		return view;
	started = start_real(&names->clock, owner.start);
	if (!is_the_one(&owner, &view, started, when))
		return view;
	view.known = true;
	view.uid = owner.uid;
	view.parent_pid = owner.parent_pid;
	memcpy(view.parent_name, owner.parent_comm, sizeof(owner.parent_comm));
	view.started = started;
	return view;
}
