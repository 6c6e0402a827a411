/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a running policy, read from the kernel. It is "enforcing" only when the image in
 * force says so and every hook is attached, alive and running our programs over our maps.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { COLLECT_TRIES = 5 };

static int failed(const struct instance *instance, int err, struct diags *d)
{
	return diag_error(
		d, NO_LOC, err, "pins-broken", instance_heal_command(instance, err, d->arena),
		"the state of policy %s cannot be read: %s", instance->name, error_text(err));
}

static int collect_image(const struct instance *instance, struct status_view *view)
{
	struct image image;
	int err = instance_image(instance, &image);

	if (err)
		return err;
	view->enforce = image_head(&image)->flags & FR_F_ENFORCE;
	view->generation = image_head(&image)->generation;
	view->rules = image.rule_count - FR_RULE_FIRST;
	digest_text(image.digest, view->digest);
	image_unmap(&image);
	return 0;
}

/* A comparison that cannot be made is no fault. */
static int collect_intact(const struct instance *instance, struct status_view *view)
{
	bool intact;
	int err = instance_intact(instance, &intact);

	if (err == -ERANGE)
		view->altered_unknown = "a time-out is too long to be read back from the image";
	else if (!err && !intact)
		view->altered = "the image in force was changed after apply: it does not have the "
				"digest that it names";
	return err == -ERANGE ? 0 : err;
}

static int collect_state(const struct instance *instance, struct arena *arena,
			 struct status_view *view)
{
	struct fr_state state;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(instance->state, &zero, &state))
		return -errno;
	view->policy = arena_strdup(arena, instance->name);
	view->source = arena_strndup(arena, state.source, sizeof(state.source));
	view->build = arena_strndup(arena, state.build, sizeof(state.build));
	view->applied = state.applied;
	view->zeroed = state.zeroed;
	view->netns = state.netns;
	return 0;
}

static int count_entry(const void *entry, void *context)
{
	(void)entry;
	++*(uint64_t *)context;
	return 0;
}

static int collect_maps(const struct instance *instance, struct status_view *view)
{
	const struct {
		const char *name;
		int fd;
	} maps[] = {{"flows", instance->flows}, {"drops", instance->drops}};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct bpf_map_info info = {0};
		uint32_t size = sizeof(info);
		uint64_t entries = 0;
		int err = sets_each(maps[i].fd, count_entry, &entries);

		if (!err && bpf_obj_get_info_by_fd(maps[i].fd, &info, &size))
			err = -errno;
		if (err)
			return err;
		view->maps[view->map_count].map = maps[i].name;
		view->maps[view->map_count].entries = entries;
		view->maps[view->map_count++].max = (uint64_t)info.max_entries * FR_WAYS;
	}
	return 0;
}

static int collect_tallies(const struct instance *instance, unsigned cpus, struct status_view *view)
{
	CLEANUP(free_ptr) uint64_t *each = calloc(cpus, sizeof(*each));

	if (!each)
		return -ENOMEM;
	for (uint32_t i = 0; i < FR_TALLY_COUNT; i++) {
		if (bpf_map_lookup_elem(instance->tallies, &i, each))
			return -errno;
		for (unsigned cpu = 0; cpu < cpus; cpu++)
			view->tallies[i] += each[cpu];
	}
	return 0;
}

static void add_reason(struct fr_reason_counters *to, const struct fr_reason_counters *what)
{
	for (int verdict = 0; verdict < FR_VERDICTS; verdict++) {
		to->packets[verdict] += what->packets[verdict];
		to->bytes[verdict] += what->bytes[verdict];
	}
}

static int collect_reasons(const struct instance *instance, unsigned cpus, struct status_view *view)
{
	CLEANUP(free_ptr) struct fr_reason_counters *each = calloc(cpus, sizeof(*each));

	if (!each)
		return -ENOMEM;
	for (int kind = 0; kind < FR_KINDS; kind++)
		for (int dir = 0; dir < FR_DIRS; dir++)
			for (int reason = 0; reason < FR_REASONS_COUNT; reason++) {
				uint32_t index = (uint32_t)FR_REASON_INDEX(kind, dir, reason);

				if (bpf_map_lookup_elem(instance->reasons, &index, each))
					return -errno;
				for (unsigned cpu = 0; cpu < cpus; cpu++)
					add_reason(&view->reasons[kind][dir][reason], &each[cpu]);
			}
	return 0;
}

static const char *name_at_apply(const struct hook_fact *fact)
{
	return str_equal(fact->name, fact->record->name) ? NULL : fact->record->name;
}

/* Traffic judged elsewhere is a remark, not a fault. */
static void sort_unjudged(struct status_view *view, const struct unjudged_list *found,
			  struct arena *arena)
{
	view->unjudged = found->list;
	for (size_t i = 0; i < found->count; i++) {
		const struct unjudged unjudged = found->list[i];

		if (unjudged.remark)
			view->remarks[view->remark_count++] = (struct remark){
				unjudged.remark,
				arena_printf(arena, "%s: %s", unjudged.name, unjudged.why), true};
		else
			view->unjudged[view->unjudged_count++] = unjudged;
	}
}

static int collect_names(const struct instance *instance, struct arena *arena, struct diags *d,
			 struct status_view *view)
{
	struct records records = {0};
	struct fr_request_record *copy;
	int err = records_map(instance->requests, &records);

	if (err)
		return failed(instance, err, d);
	copy = arena_alloc(arena, (records.count + 1) * sizeof(*copy));
	memcpy(copy, records.list, records.count * sizeof(*copy));
	view->requests = copy;
	view->request_count = records.count;
	records_unmap(&records);
	return 0;
}

static int collect_requests(const struct instance *instance, const struct host_options *o,
			    struct arena *arena, struct diags *d, struct status_view *view)
{
	struct unjudged_list found;
	struct remarks remarks;
	int err = instance_remarks(instance, o, arena, d, &remarks);

	if (err)
		return err;
	err = instance_unjudged(instance, o, arena, d, &found);
	if (err)
		return err;
	view->remarks =
		arena_alloc(arena, (remarks.count + found.count + 1) * sizeof(*view->remarks));
	if (remarks.count)
		memcpy(view->remarks, remarks.list, remarks.count * sizeof(*view->remarks));
	view->remark_count = remarks.count;
	sort_unjudged(view, &found, arena);
	view->enforcing &= !view->unjudged_count;
	return collect_names(instance, arena, d, view);
}

static int collect_hooks(const struct instance *instance, const struct host_options *o,
			 struct arena *arena, struct diags *d, struct status_view *view)
{
	struct hook_facts facts;
	int err = instance_hooks(instance, o, arena, d, &facts);

	if (err)
		return err;
	view->hook_count = facts.count;
	view->hooks = arena_alloc(arena, (view->hook_count + 1) * sizeof(*view->hooks));
	view->enforcing = view->enforce && view->hook_count && !view->altered;
	for (size_t i = 0; i < view->hook_count; i++) {
		view->hooks[i] = (struct hook_view){
			.kind = kind_name(facts.list[i].record->kind),
			.name = facts.list[i].name,
			.name_at_apply = name_at_apply(&facts.list[i]),
			.request = facts.list[i].request,
			.hook = facts.list[i].hook,
			.ifindex = facts.list[i].record->ifindex,
			.prog_id = facts.list[i].program,
			.alive = !facts.list[i].fault,
			.fault = facts.list[i].fault,
			.neighbours = facts.list[i].neighbours,
			.neighbour_count = facts.list[i].neighbour_count,
			.preempted_by = facts.list[i].preempted_by,
			.fact = &facts.list[i],
		};
		view->enforcing &= view->hooks[i].alive && !view->hooks[i].preempted_by;
	}
	return collect_requests(instance, o, arena, d, view);
}

static const char *guest_passed(const struct status_view *view, const struct peer_redirect *found)
{
	for (size_t i = 0; i < view->hook_count; i++)
		for (size_t j = 0; j < found->target_count; j++)
			if (str_equal(view->hooks[i].kind, kind_name(FR_KIND_GUEST)) &&
			    view->hooks[i].ifindex == found->targets[j])
				return view->hooks[i].name;
	return NULL;
}

static void collect_redirects(const struct instance *instance, struct arena *arena,
			      struct status_view *view)
{
	struct peer_redirects found;

	instance_peer_redirects(instance, arena, &found);
	view->redirects_unknown = found.unknown;
	view->redirects = arena_alloc(arena, (found.count + 1) * sizeof(*view->redirects));
	for (size_t i = 0; i < found.count; i++) {
		struct redirect_view *redirect = &view->redirects[view->redirect_count++];

		*redirect = (struct redirect_view){found.list[i].program, found.list[i].words,
						   found.list[i].where,
						   guest_passed(view, &found.list[i])};
		view->enforcing &= !redirect->past;
	}
}

static int collect_figures(const struct instance *instance, struct arena *arena,
			   struct status_view *view)
{
	int cpus = libbpf_num_possible_cpus();
	int err = cpus < 0 ? cpus : collect_image(instance, view);

	if (err)
		return err;
	err = collect_intact(instance, view);
	if (err)
		return err;
	err = collect_state(instance, arena, view);
	if (err)
		return err;
	err = collect_maps(instance, view);
	if (err)
		return err;
	err = collect_tallies(instance, (unsigned)cpus, view);
	return err ? err : collect_reasons(instance, (unsigned)cpus, view);
}

static int collect_once(const struct host_options *o, const char *policy, struct arena *arena,
			struct diags *d, struct status_view *out)
{
	struct status_view view = {0};
	struct instance instance;
	int err = instance_open(o, policy, d, &instance);

	if (err)
		return err;
	view.pinned = instance.generation;
	view.audit_copy = instance.audit;
	err = collect_figures(&instance, arena, &view);
	if (err)
		failed(&instance, err, d);
	else
		err = instance_pending(&instance, d, &view.pending, &view.has_pending);
	if (!err)
		err = collect_hooks(&instance, o, arena, d, &view);
	if (err) {
		instance_close(&instance);
		return err;
	}
	collect_redirects(&instance, arena, &view);
	instance_close(&instance);
	*out = view;
	return 0;
}

bool status_moved_on(const struct host_options *o, const char *policy, uint32_t generation)
{
	struct arena *arena = arena_new();
	struct diags ignored = {.arena = arena};
	struct instance instance;
	bool moved = false;

	if (!instance_open(o, policy, &ignored, &instance)) {
		moved = instance.generation != generation;
		instance_close(&instance);
	}
	arena_free(arena);
	return moved;
}

/* If the generation ended while its hooks were read, the programs found belong to another one. */
int status_collect(const struct host_options *o, const char *policy, struct arena *arena,
		   struct diags *d, struct status_view *out)
{
	struct status_view view;
	int err, tries = 0;

	do {
		err = collect_once(o, policy, arena, d, &view);
	} while (!err && view.enforce && !view.enforcing && ++tries < COLLECT_TRIES &&
		 status_moved_on(o, policy, view.pinned));
	if (err)
		return err;
	*out = view;
	return 0;
}
