/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the command that repairs a policy whose pins are damaged. The remaining pins show which
 * file was applied, and with which options.
 */
#include "heal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../attach/attach.h"
#include "../host/host.h"
#include "state.h"

/* ---------------------------------------------------------------- the remaining pins */

struct remains {
	uint32_t epoch, generation; /* of the record of state found, 0 none */
	bool audit;		    /* by the copy of its image that enforces nothing */
	pin_path pins;
	char dir[256]; /* of the policy */
	const char *source, *mode;
	const char **words; /* of the command */
	size_t word_count;
	struct host_options host; /* where to look for its cgroups */
	uint64_t applied_in;	  /* network namespace */
	uint64_t netns;		  /* of its interfaces, 0 when it has none */
	struct fr_hook_record *hooks;
	struct fr_request_record *requests;
	uint32_t hook_count, request_count;
	bool whole; /* everything that apply reads before it changes anything */
	int err;    /* of a failed read; may be temporary */
};

/* Missing or not ours: the pins are not whole. Any other error is no damage. */
static bool is_there(struct remains *remains, int err)
{
	if (err && !pins_damaged(err))
		remains->err = err;
	remains->whole &= !err;
	return !err;
}

static int on_state(const char *dir, const char *name, void *context)
{
	struct remains *remains = context;
	uint32_t generation;

	if (!pin_number(name, "state-", &generation) || generation < remains->generation)
		return 0;
	remains->generation = generation;
	snprintf(remains->pins, sizeof(remains->pins), "%s", dir);
	return 0;
}

static int on_epoch(const char *dir, const char *name, void *context)
{
	uint32_t epoch;
	pin_path path;

	if (pin_number(name, "e", &epoch) &&
	    snprintf(path, sizeof(path), "%s/%s", dir, name) < PIN_PATH)
		pin_each(path, on_state, context);
	return 0;
}

static void read_state(struct arena *arena, struct remains *remains)
{
	struct records records = {0};
	const struct fr_state *state;

	if (!is_there(remains, records_open(remains->pins, "state", remains->generation, &records)))
		return;
	state = records.list;
	if (layout_is_known(state->abi) && state->source[0] == '/') {
		remains->source = arena_strndup(arena, state->source, sizeof(state->source));
		remains->applied_in = state->netns;
		remains->word_count = words_load(state, arena, &remains->words);
		remains->host = words_host(state, &remains->host, arena);
	}
	records_unmap(&records);
}

/* A copy of the records, `size` bytes each. */
static uint32_t read_records(struct arena *arena, struct remains *remains, const char *name,
			     size_t size, void **out)
{
	struct records records = {0};
	uint32_t count;
	int err;

	if (str_equal(name, "requests"))
		err = requests_open(remains->pins, remains->generation, &records);
	else
		err = records_open(remains->pins, name, remains->generation, &records);
	if (!is_there(remains, err))
		return 0;
	count = records.count;
	*out = arena_alloc(arena, (count + 1) * size);
	memcpy(*out, records.list, count * size);
	records_unmap(&records);
	return count;
}

static void read_hooks(struct arena *arena, struct remains *remains)
{
	void *hooks = NULL, *requests = NULL;

	remains->hook_count =
		read_records(arena, remains, "hooks", sizeof(*remains->hooks), &hooks);
	remains->request_count =
		read_records(arena, remains, "requests", sizeof(*remains->requests), &requests);
	remains->hooks = hooks;
	remains->requests = requests;
	for (uint32_t i = 0; i < remains->hook_count; i++)
		if (remains->hooks[i].used && remains->hooks[i].kind != FR_KIND_CGROUP)
			remains->netns = remains->hooks[i].netns;
	for (uint32_t i = 0; i < remains->request_count && !remains->netns; i++)
		if (remains->requests[i].used && remains->requests[i].kind != FR_KIND_CGROUP)
			remains->netns = remains->applied_in;
}

/* The programs hold the image in force even if its pin is gone. */
static int open_judging(const char *pins)
{
	CLEANUP(close_fd) int images = pin_open(pins, map_names[MAP_IMAGES]);
	uint32_t current = FR_SLOT_CURRENT, id;
	int fd;

	if (images < 0)
		return images;
	if (bpf_map_lookup_elem(images, &current, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static void read_image(struct remains *remains)
{
	CLEANUP(close_fd)
	int fd = pin_open_number(remains->pins, remains->audit ? "audit" : "image",
				 remains->generation);
	struct image image = {0};

	if (!is_there(remains, fd < 0 ? fd : 0))
		fd = open_judging(remains->pins);
	if (!is_there(remains, fd < 0 ? fd : image_map_view(fd, &image)))
		return;
	remains->mode = mode_name(image_head(&image)->flags & FR_F_ENFORCE);
	image_unmap(&image);
}

static void read_all(struct arena *arena, struct remains *remains)
{
	void *rules;

	read_state(arena, remains);
	read_hooks(arena, remains);
	read_records(arena, remains, "rules", sizeof(struct fr_rule_record), &rules);
	read_image(remains);
}

/* If the record of state is gone, take the epoch that has an image in force. */
static int on_judging(const char *dir, const char *name, void *context)
{
	struct remains *remains = context;
	uint32_t epoch;

	if (!pin_number(name, "e", &epoch) || remains->mode ||
	    snprintf(remains->pins, PIN_PATH, "%s/%s", dir, name) >= PIN_PATH)
		return 0;
	read_image(remains);
	return 0;
}

static void remains_find(const char *root, const char *policy, struct arena *arena,
			 struct remains *remains)
{
	struct running running = {0};
	int err = running_find(root, policy, &running);

	snprintf(remains->dir, sizeof(remains->dir), "%s/%s", root, policy);
	remains->err = pins_damaged(err) ? 0 : err;
	if (err)
		return;
	if (running.epoch) {
		remains->generation = running.generation;
		remains->audit = running.audit;
		memcpy(remains->pins, running.pins, sizeof(remains->pins));
		remains->whole = true;
	} else {
		pin_each(running.dir, on_epoch, remains);
	}
	if (remains->generation)
		read_all(arena, remains);
	else
		pin_each(running.dir, on_judging, remains);
}

/* ---------------------------------------------------------------- missing for apply */

static bool asks_here(const struct fr_request_record *request, bool cgroup)
{
	return request->used && (request->kind == FR_KIND_CGROUP) == cgroup;
}

static size_t devices_fitting(const struct interfaces *all, const char *request)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += interface_fits(&all->list[i], request);
	return count;
}

static int count_cgroup(const char *path, uint64_t id, void *context)
{
	(void)path, (void)id;
	++*(size_t *)context;
	return 0;
}

/* A cgroup that cannot be read counts as present. */
static size_t cgroups_fitting(const struct remains *remains, const char *request,
			      struct arena *arena)
{
	const char *root = cgroup2_find(&remains->host, arena);
	const char *path = root ? cgroup_path_of(arena, root, request) : NULL;
	size_t count = 0;

	if (!path)
		return root ? 0 : 1;
	if (!name_is_pattern(request))
		return !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR);
	return cgroups_each(path, count_cgroup, &count) ? 1 : count;
}

/* A name or pattern without which apply refuses the policy: a plain name without a match; or, in a
 * policy of patterns only where none matches, any pattern. NULL: nothing is missing. */
static const char *lacking(const struct remains *remains, const struct interfaces *all,
			   struct arena *arena)
{
	const char *pattern = NULL;
	size_t found = 0;

	for (uint32_t i = 0; i < remains->request_count; i++) {
		const struct fr_request_record *request = &remains->requests[i];
		bool cgroup = request->kind == FR_KIND_CGROUP;
		const char *kind = cgroup ? "cgroup" : "interface";
		size_t fits = cgroup ? cgroups_fitting(remains, request->name, arena)
				     : devices_fitting(all, request->name);

		found += fits;
		if (!request->used || fits || (!cgroup && !remains->netns))
			continue;
		if (!name_is_pattern(request->name))
			return arena_printf(arena, "%s %s", kind, request->name);
		pattern = arena_printf(arena, "%s %s that matches %s", cgroup ? "a" : "an", kind,
				       request->name);
	}
	return found ? NULL : pattern;
}

/* A judged device that no name or pattern of the policy matches any more: a pattern matched it and
 * it was renamed, or it moved to another network namespace. */
static const char *unasked(const struct remains *remains, const struct interfaces *all,
			   struct arena *arena)
{
	for (uint32_t i = 0; i < remains->hook_count; i++) {
		const struct fr_hook_record *hook = &remains->hooks[i];
		const struct interface *now = interface_at(all, hook->ifindex);
		bool asked = false;
		size_t alive;

		if (!hook->used || !hook->ifindex || hook->request >= remains->request_count ||
		    attach_alive_hooks(remains->dir, hook, &alive) || !alive)
			continue;
		if (!now)
			return arena_printf(arena,
					    "%s is in another network namespace: move it back,",
					    hook->name);
		asked = !name_is_pattern(remains->requests[hook->request].name);
		for (uint32_t j = 0; j < remains->request_count && !asked; j++)
			asked = asks_here(&remains->requests[j], false) &&
				interface_fits(now, remains->requests[j].name);
		if (!asked)
			return arena_printf(arena, "%s matches no name under attach: add it there,",
					    now->name);
	}
	return NULL;
}

/* ---------------------------------------------------------------- the command that heals */

static bool is_file(const char *path)
{
	return path && (!access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR));
}

/* A device is found by its name in the namespace of the command. */
static const char *enter_words(struct arena *arena, uint64_t netns)
{
	uint64_t here;
	const char *path;

	if (!netns || host_netns(&here) || here == netns)
		return "";
	path = netns_path(arena, netns);
	return path ? arena_printf(arena, "nsenter --net=%s ", shell_word(arena, path)) : "";
}

/* One word to the outer shell, so that sudo in front applies to both commands. Detach only if the
 * file to apply exists. */
static const char *afresh(struct arena *arena, const char *root, const char *policy,
			  const char *apply, bool known)
{
	const char *detach = command_text(
		arena,
		&(struct command_line){.verb = "detach", .pin_root = root, .operand = policy});
	const char *all =
		arena_printf(arena, "%s%s && %s", known ? "" : "test -r FILE && ", detach, apply);

	return arena_printf(arena, "sh -c %s", shell_word(arena, all));
}

/* FILE is a placeholder for the policy file: the one that was applied is unknown or gone. */
static const char *file_words(const struct remains *remains, struct arena *arena)
{
	if (!remains->source)
		return ", with the file of the policy for FILE";
	if (str_equal(remains->source, "-"))
		return ", with the policy that was read from standard input for FILE";
	return arena_printf(arena, ", with the file of the policy for FILE, which is no longer %s",
			    remains->source);
}

static const char *command_of(const char *root, const char *policy, const struct remains *remains,
			      struct arena *arena)
{
	bool known = is_file(remains->source);
	struct command_line line = {.verb = "apply",
				    .mode = remains->mode,
				    .pin_root = root,
				    .more = remains->words,
				    .more_count = remains->word_count,
				    .operand = known ? remains->source : "FILE"};
	const char *apply;

	if (!line.mode)
		line.mode = mode_name(true);
	apply = command_text(arena, &line);
	if (!remains->whole)
		apply = afresh(arena, root, policy, apply, known);
	apply = arena_printf(arena, "%s%s", enter_words(arena, remains->netns), apply);
	return known ? apply : arena_printf(arena, "%s%s", apply, file_words(remains, arena));
}

/* Steps that must precede the command. */
static const char *first_words(const struct remains *remains, struct arena *arena)
{
	struct diags ignored = {.arena = arena};
	struct interfaces all = {0};
	int err = remains->netns
			  ? interfaces_of(remains->netns, arena, &ignored, &all.list, &all.count)
			  : 0;
	const char *name;

	if (err == -ESRCH)
		return "its network namespace is gone; in the one that has its interfaces: ";
	name = err ? NULL : lacking(remains, &all, arena);
	if (name)
		return arena_printf(
			arena, "bring %s back, or remove it from the policy's file; then ", name);
	name = err ? NULL : unasked(remains, &all, arena);
	return name ? arena_printf(arena, "%s or give it up with --allow-removal; then ", name)
		    : "";
}

const char *policy_heal_command(const char *root, const char *policy, struct arena *arena)
{
	struct remains remains = {0};

	remains_find(root, policy, arena, &remains);
	if (remains.err)
		return remains.err == -EMFILE ? "ulimit -n 1024" : NULL;
	return arena_printf(arena, "%s%s", first_words(&remains, arena),
			    command_of(root, policy, &remains, arena));
}

const char *instance_heal_command(const struct instance *instance, int err, struct arena *arena)
{
	return pins_damaged(err) ? policy_heal_command(instance->root, instance->name, arena)
				 : NULL;
}

const char *running_heal_command(const struct running *running, struct arena *arena)
{
	const char *policy = running->dir + strlen(running->root) + 1;

	return policy_heal_command(running->root, policy, arena);
}
