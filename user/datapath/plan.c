/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plans a change on this host: which attach points stay, join and leave, which counter slot each
 * rule gets, and whether the running programs can take the new image. Changes nothing.
 */
#include "pending.h"
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge_ports.h"
#include "conflicts.h"
#include "damage.h"
#include "instance.h"
#include "lowering.h"

enum { CLASS_SLACK = 8, EXTRA_POINTS = 2 };

/* ---------------------------------------------------------------- hooks */

static bool number_taken(const struct change *change, uint32_t number)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	char pin[sizeof(old->pin)];

	snprintf(pin, sizeof(pin), "link-%u", number);
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		struct filter_id id;

		if (!old[i].used)
			continue;
		if (str_equal(old[i].pin, pin))
			return true;
		if (filter_id_read(&old[i], &id) && filter_id_number(&id) == number)
			return true;
	}
	return false;
}

static int choose_how(const struct change *change, struct fr_hook_record *record)
{
	bool tcx = false;
	int err;

	if (attach_is_extra(record))
		return 0;
	record->how = HOW_CGROUP;
	if (record->kind == FR_KIND_CGROUP)
		return 0;
	err = change->request->host.no_tcx ? 0 : tcx_works(record->ifindex, &tcx);
	if (err)
		return diag_error(change->d, NO_LOC, err, "attach", "use apply --no-tcx",
				  "cannot find out whether %s has TCX: %s", record->name,
				  error_text(err));
	record->how = tcx ? HOW_TCX : HOW_CLSACT;
	return 0;
}

void point_name_pin(const struct change *change, struct fr_hook_record *record, uint32_t *number)
{
	struct filter_id id;

	do
		++*number;
	while (number_taken(change, *number));
	if (record->how == HOW_CLSACT) {
		id = filter_id_new(change->running.dir, *number);
		filter_id_write(record, &id);
	} else {
		snprintf(record->pin, sizeof(record->pin), "link-%u", *number);
	}
}

static bool hook_same(const struct fr_hook_record *a, const struct fr_hook_record *b)
{
	return attach_same_place(a, b) && a->kind == b->kind && a->l3 == b->l3;
}

/* The record of the same hook that runs now, if everything of it still exists; or NULL. */
static int find_running(const struct change *change, const struct fr_hook_record *wanted,
			const struct fr_hook_record **out)
{
	const struct fr_hook_record *old = change->old_hooks.list;
	bool alive = false;
	int err = 0;

	*out = NULL;
	for (uint32_t i = 0; i < change->old_hooks.count && !alive && !err; i++) {
		if (!old[i].used || !hook_same(&old[i], wanted))
			continue;
		err = attach_alive(change->running.dir, &old[i], &alive);
		*out = alive ? &old[i] : NULL;
	}
	if (err)
		return diag_error(change->d, NO_LOC, err, "attach", NULL,
				  "cannot find out what is attached to %s: %s", wanted->name,
				  error_text(err));
	return 0;
}

static int plan_hook(struct change *change, const struct attach_target *hook, uint64_t netns,
		     uint32_t *number)
{
	struct planned_point *planned = &change->points[change->point_count++];
	struct fr_hook_record *record = &planned->record;
	const struct fr_hook_record *runs;
	int err;

	record->used = 1;
	record->kind = hook->kind;
	record->l3 = hook->l3;
	record->ifindex = hook->ifindex;
	record->cgroup = hook->cgroup;
	if (hook->kind == FR_KIND_INTERFACE && !hook->ifindex)
		record->how = hook->cgroup ? HOW_SOCKETS : HOW_NETNS;
	record->netns = hook->kind == FR_KIND_CGROUP ? 0 : netns;
	record->request = hook->request;
	snprintf(record->name, sizeof(record->name), "%s", hook->name);
	planned->path = hook->path;
	err = find_running(change, record, &runs);
	if (err)
		return err;
	if (runs && change->new_table) {
		planned->moves = true;
	} else if (runs) {
		record->how = runs->how;
		memcpy(record->pin, runs->pin, sizeof(record->pin));
		change->same_hooks &= !memcmp(record, runs, sizeof(*record));
		planned->stays = !conflict_lost_front(change, planned);
	}
	if (planned->stays)
		return 0;
	change->joining_count++;
	err = choose_how(change, record);
	point_name_pin(change, record, number);
	return err;
}

/* ---------------------------------------------------------------- in addition to interfaces */

static bool has_interfaces(const struct change *change)
{
	const struct apply_request *request = change->request;

	for (size_t i = 0; i < request->hook_count; i++)
		if (request->hooks[i].kind == FR_KIND_INTERFACE)
			return true;
	return false;
}

static int runs_in_namespace(const struct change *change, const struct fr_hook_record *wanted,
			     bool *out)
{
	const struct fr_hook_record *old = change->old_hooks.list;

	*out = false;
	for (uint32_t i = 0; i < change->old_hooks.count; i++)
		if (old[i].used && hook_same(&old[i], wanted))
			return attach_alive(change->running.dir, &old[i], out);
	return 0;
}

/* Plans an attach point that the policy does not name; if it cannot be made now, a warning names
 * the consequence. */
struct extra_point {
	struct attach_target target;
	uint8_t how;
	int (*try)(const struct attach_target *target);
	void (*refused)(const struct change *change, int err);
};

static int plan_extra(struct change *change, const struct extra_point *extra, uint64_t netns,
		      uint32_t *number)
{
	const struct attach_target *target = &extra->target;
	struct fr_hook_record wanted = {.kind = FR_KIND_INTERFACE,
					.how = extra->how,
					.netns = netns,
					.cgroup = target->cgroup};
	bool runs;
	int err = runs_in_namespace(change, &wanted, &runs);

	if (err)
		return diag_error(change->d, NO_LOC, err, "attach", NULL,
				  "cannot find out whether %s is attached: %s", target->name,
				  error_text(err));
	err = runs ? 0 : extra->try(target);
	if (!err)
		return plan_hook(change, target, netns, number);
	if (err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EIO)
		return diag_error(change->d, NO_LOC, err, "attach", NULL,
				  "cannot try whether %s can be attached: %s", target->name,
				  error_text(err));
	extra->refused(change, err);
	return 0;
}

static int local_try(const struct attach_target *target)
{
	(void)target;
	return netns_link_try();
}

static void local_refused(const struct change *change, int err)
{
	diag_warning(change->d, NO_LOC, "local-sockets",
		     "forwarded: judge applies the rules to forwarded packets too",
		     "the program for redirected packets cannot be attached: forwarded packets "
		     "that netfilter redirects to a local socket (REDIRECT, TPROXY) are not "
		     "judged: %s",
		     error_text(err));
}

/* Traffic that passes the interfaces as forwarded may be redirected to a local socket. */
static int plan_local(struct change *change, uint64_t netns, uint32_t *number)
{
	const struct extra_point local = {
		{.kind = FR_KIND_INTERFACE, .name = "local sockets", .request = UINT32_MAX},
		HOW_NETNS,
		local_try,
		local_refused};
	const struct fr_image_head *head = image_head(change->request->image);

	if (!has_interfaces(change) || head->flags & FR_F_FORWARD_JUDGE)
		return 0;
	return plan_extra(change, &local, netns, number);
}

static bool lets_datagrams_in(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rs->rules[i].dir == FR_INGRESS && rule_asks_by_udp(&rs->rules[i]))
			return true;
	return false;
}

static int sockets_try(const struct attach_target *target)
{
	struct stat status;

	if (!target->path)
		return -ENOENT;
	return stat(target->path, &status) ? -errno : recvmsg_links_try(target->path);
}

static void sockets_refused(const struct change *change, int err)
{
	const char *why = error_text(err), *hint = "list every device in interfaces";

	if (err == -ENOENT) {
		why = "no cgroup2 is mounted";
		hint = "mount -t cgroup2 none /sys/fs/cgroup, or list every device in interfaces";
	}
	diag_warning(change->d, NO_LOC, "datagram-sockets", hint,
		     "programs that see which datagrams sockets receive cannot be attached to "
		     "the root cgroup: an answer over UDP is refused where its question came in by "
		     "a device that this policy does not attach: %s",
		     why);
}

/* A question may come by a device without this policy, and its answer leave by an interface. */
static int plan_sockets(struct change *change, uint64_t netns, uint32_t *number)
{
	const struct host_options *host = &change->request->host;
	struct extra_point sockets = {
		{.kind = FR_KIND_INTERFACE, .name = "datagram sockets", .request = UINT32_MAX},
		HOW_SOCKETS,
		sockets_try,
		sockets_refused};
	struct stat status;

	if (!has_interfaces(change) || !lets_datagrams_in(change->request->ruleset))
		return 0;
	sockets.target.path = cgroup2_find(host, change->d->arena);
	if (sockets.target.path && !stat(sockets.target.path, &status))
		sockets.target.cgroup = status.st_ino;
	return plan_extra(change, &sockets, netns, number);
}

static int plan_extras(struct change *change, uint64_t netns, uint32_t *number)
{
	int err = plan_local(change, netns, number);

	return err ? err : plan_sockets(change, netns, number);
}

static void plan_leaving(struct change *change)
{
	const struct fr_hook_record *old = change->old_hooks.list;

	change->leaving = arena_alloc(change->d->arena,
				      (change->old_hooks.count + 1) * sizeof(*change->leaving));
	for (uint32_t i = 0; i < change->old_hooks.count; i++) {
		bool stays = false;

		for (size_t j = 0; j < change->point_count; j++)
			stays |= str_equal(change->points[j].record.pin, old[i].pin);
		if (old[i].used && !stays)
			change->leaving[change->leaving_count++] = &old[i];
	}
}

static int plan_hooks(struct change *change)
{
	const struct apply_request *request = change->request;
	uint32_t number = 0;
	uint64_t netns;
	int err = host_netns(&netns);

	if (err)
		return diag_error(change->d, NO_LOC, err, "namespace", NULL,
				  "cannot read the network namespace: %s", error_text(err));
	if (!request->hook_count || request->hook_count > FR_HOOKS_MAX)
		return diag_error(change->d, NO_LOC, -EINVAL, "attach-limit", NULL,
				  "%zu attach points: between 1 and %d can be applied",
				  request->hook_count, FR_HOOKS_MAX);
	change->points = arena_alloc(change->d->arena, (request->hook_count + EXTRA_POINTS) *
							       sizeof(*change->points));
	change->same_hooks = true;
	for (size_t i = 0; i < request->hook_count && !err; i++)
		err = plan_hook(change, &request->hooks[i], netns, &number);
	if (!err)
		err = plan_extras(change, netns, &number);
	plan_leaving(change);
	return err;
}

/* For every hook, and the clock program: a pin that was removed is restored with new programs. */
static int programs_pinned(const struct change *change, bool *out)
{
	const char *pins = change->running.pins;
	CLEANUP(close_fd) int clock = program_open(pins, PROG_STEADY, PROGRAM_CLOCK);
	int err = clock < 0 ? clock : 0;

	for (size_t i = 0; i < change->point_count && !err; i++)
		err = attach_programs_pinned(pins, PROG_AFTER_FLIP, &change->points[i].record);
	*out = !err;
	return err == -ENOENT ? 0 : err;
}

static int flows_fit(const struct change *change, bool *out)
{
	CLEANUP(close_fd) int flows = pin_open(change->running.pins, map_names[MAP_FLOWS]);
	uint32_t entries = 0;
	int err = flows < 0 ? flows : fd_map_entries(flows, &entries);

	*out = !change->request->flows || entries == flow_sets(change->request->flows);
	return err;
}

/*
 * With two flow tables in use, attach points would disagree on open flows; if the command is
 * killed then, until a user heals it. So with a new table all of them change over at the flip: to
 * new links, while the old ones judge by the old table until then.
 */
static int plan_table(struct change *change)
{
	static const enum kernel_map whole[] = {MAP_FLOWS, MAP_REGIONS, MAP_HASHING};
	bool fits = true;
	int err = 0;

	if (!change->running.epoch)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(whole) && !err; i++) {
		CLEANUP(close_fd) int fd = pin_open(change->running.pins, map_names[whole[i]]);

		err = fd < 0 ? fd : 0;
	}
	err = err ? err : flows_fit(change, &fits);
	change->new_table = !fits;
	return pins_damaged(err) ? 0 : err;
}

static int plan_same_shape(const struct change *change, bool *out)
{
	const struct fr_state *state = change->old_state.list;
	uint32_t lines = change->request->image->line_count;
	int err;

	*out = false;
	if (!change->running.epoch || change->joining_count || change->leaving_count)
		return 0;
	if (lines > change->live_class || change->live_class / CLASS_SLACK > image_class(lines))
		return 0;
	if (change->slots.count > change->old_slots || !str_equal(state->build, change->build))
		return 0;
	err = running_readable(&change->running, out);
	if (err || !*out)
		return err;
	err = ports_pinned(change, out);
	if (err || !*out)
		return err;
	err = programs_pinned(change, out);
	return err || !*out ? err : flows_fit(change, out);
}

static int plan_subnets(struct change *change)
{
	const struct apply_request *request = change->request;
	struct prefix *list;
	size_t count;
	int err;

	if (!(image_head(request->image)->flags & FR_F_ANSWERS))
		return 0;
	err = local_subnets(request->hooks, request->hook_count, change->d, &list, &count);
	if (!err)
		subnets_fill(list, count, change->subnets);
	return err;
}

static int plan_host_facts(struct change *change)
{
	bool forwarding;
	int err = host_forwarding(&forwarding);

	if (err)
		return diag_error(change->d, NO_LOC, err, "netlink", NULL,
				  "cannot read whether the kernel forwards: %s", error_text(err));
	change->extra_flags = forwarding ? FR_F_FORWARDING_ON : 0;
	err = ports_plan(change);
	if (err)
		return err;
	change->extra_flags |= change->bridge_ports ? FR_F_BRIDGE_PORTS : 0;
	change->extra_flags |= change->port_count > change->bridge_ports ? FR_F_PARTIES : 0;
	err = plan_subnets(change);
	if (err)
		return err;
	err = host_conntrack(&change->conntrack);
	if (err)
		return diag_error(change->d, NO_LOC, err, "conntrack", NULL,
				  "the time-outs of conntrack cannot be read from "
				  "/proc/sys/net/netfilter: %s",
				  error_text(err));
	return 0;
}

int change_plan(struct change *change)
{
	int err = change_open(change);

	object_build(change->build);
	if (err)
		return err;
	err = plan_table(change);
	if (err)
		return pins_unreadable(change->running.pins, err, change->d);
	err = plan_hooks(change);
	if (err)
		return err;
	err = conflicts_check(change);
	if (err)
		return err;
	err = plan_host_facts(change);
	if (err)
		return err;
	err = slots_plan(change->request->ruleset,
			 change->running.epoch ? &change->old_rules : NULL, change->old_counters,
			 change->d->arena, &change->slots);
	if (err)
		return diag_error(change->d, NO_LOC, err, "counters", NULL,
				  "the running counters cannot be read: %s", error_text(err));
	err = lowering_check(change);
	if (err)
		return err;
	err = pending_last(&change->running, &change->generation);
	if (err)
		return pins_unreadable(change->running.pins, err, change->d);
	change->generation = failsafe_generation_after(change->generation,
						       change->running.view.current.generation,
						       change->running.view.before.generation);
	err = plan_same_shape(change, &change->same_shape);
	return err ? pins_unreadable(change->running.pins, err, change->d) : 0;
}
