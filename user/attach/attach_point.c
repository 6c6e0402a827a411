/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One attach point: makes its links or filters, replaces their programs, removes them. Finds
 * attachments by pin (link.c) or by priority and handle (filter.c). Touches only attachments of
 * this program.
 */
#include "attach_point.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../host/host.h"
#include "cgroup_order.h"
#include "filter.h"
#include "link.h"

enum { ATTACH_ALLOW_MULTI = 1 << 1 };

static bool by_filters(const struct fr_hook_record *point)
{
	return point->how == HOW_CLSACT;
}

/* Filters exist in the namespace of their device alone; links are found by their pins. */
static int enter(const struct fr_hook_record *point, int *back)
{
	*back = -1;
	return by_filters(point) ? netns_enter(point->netns, back) : 0;
}

/* ---------------------------------------------------------------- attaching */

/* An alternative to a cgroup that another program holds exclusively: the cgroup above it, where
 * programs below do not matter. */
static const char *holder_hint(struct arena *arena, const char *path)
{
	const char *above = strrchr(path, '/');

	return arena_printf(arena,
			    "systemd's IPAddressDeny= and IPAddressAllow= attach like this: "
			    "remove them, or attach %.*s or a cgroup above it, where programs "
			    "below do not matter",
			    (int)(above - path), path);
}

/* A program attached here or above in the old, exclusive way keeps every link out: name it. */
static int refused_cgroup(const struct attach_job *job, const struct hook_program *hook, int err,
			  struct diags *d)
{
	char *path = arena_strdup(d->arena, job->path);
	bool here = true;

	for (char *slash = path + strlen(path); slash && slash != path; here = false) {
		CLEANUP(close_fd) int fd = -1;
		struct hook_query query = {0};

		*slash = 0;
		slash = strrchr(path, '/');
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || hook_query((uint32_t)fd, hook->attach_type, &query) || !query.count)
			continue;
		if (query.attach_flags & ATTACH_ALLOW_MULTI || (query.attach_flags && !here))
			continue;
		return diag_error(d, NO_LOC, -EBUSY, "foreign-program", holder_hint(d->arena, path),
				  "cannot attach to cgroup %s: %s is the exclusive program at %s "
				  "of cgroup %s",
				  job->point->name, program_words(d->arena, query.programs[0]),
				  hook->text, path);
	}
	return diag_error(d, NO_LOC, err, "attach", NULL, "cannot attach %s to cgroup %s: %s",
			  hook->text, job->point->name, error_text(err));
}

static const char without_tcx[] =
	"this kernel lists TCX programs but refuses to attach one; use apply --no-tcx (clsact "
	"filters)";

static int hook_refused(const struct attach_job *job, const struct hook_program *hook, int err,
			struct diags *d)
{
	uint8_t how = job->point->how;

	if (err == -EPERM && how == HOW_CGROUP)
		return refused_cgroup(job, hook, err, d);
	return diag_error(d, NO_LOC, err, "attach", how == HOW_TCX ? without_tcx : NULL,
			  "cannot attach %s to %s: %s", hook->text, job->point->name,
			  error_text(err));
}

static int hook_link(const struct attach_job *job, const struct hook_program *hook, struct diags *d)
{
	CLEANUP(close_fd) int program = program_open(job->pins, job->variant, hook->program);
	struct hook_ref ref = {.point = job->point, .hook = hook, .dir = job->dir};
	int err = program < 0 ? program : link_make(&ref, job->path, program);

	return err && !hook->optional ? hook_refused(job, hook, err, d) : 0;
}

static int make_filters(const struct attach_job *job, const struct hook_program *hooks,
			size_t count, struct diags *d)
{
	int programs[HOOK_PROGRAMS_MAX], err = 0;
	struct filter_set set = {
		.point = job->point, .hooks = hooks, .programs = programs, .count = count};
	size_t failed = 0, opened = 0;

	for (; opened < count && !err; opened += !err) {
		programs[opened] = program_open(job->pins, job->variant, hooks[opened].program);
		err = programs[opened] < 0 ? programs[opened] : 0;
		failed = opened;
	}
	if (!err)
		err = filters_create(&set, &failed);
	while (opened)
		close_fd(&programs[--opened]);
	return err ? hook_refused(job, &hooks[failed], err, d) : 0;
}

int attach_make(const struct attach_job *job, struct diags *d)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(job->point, hooks);
	int err = 0;

	if (by_filters(job->point))
		return make_filters(job, hooks, count, d);
	for (size_t i = 0; i < count && !err; i++)
		err = hook_link(job, &hooks[i], d);
	return err;
}

void attach_complete(const struct attach_job *job)
{
	struct diags ignored = {0};
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(job->point, hooks);

	for (size_t i = 0; i < count; i++) {
		struct hook_ref ref = {.point = job->point, .hook = &hooks[i], .dir = job->dir};
		uint32_t program;

		if (hooks[i].optional && !hook_program_id(&ref, &program) && !program)
			hook_link(job, &hooks[i], &ignored);
	}
}

/* ---------------------------------------------------------------- running programs */

int hook_program_id(const struct hook_ref *ref, uint32_t *out)
{
	struct link_target target;
	int err;

	if (by_filters(ref->point))
		return filter_program(ref, out);
	err = link_find(ref, &target);
	if (err)
		return err;
	*out = target.prog_id;
	return 0;
}

static int hook_alive(const struct hook_ref *ref, bool *out)
{
	struct link_target target;
	uint32_t program;
	int err;

	*out = false;
	if (by_filters(ref->point)) {
		err = filter_program(ref, &program);
		*out = !err && program;
		return err;
	}
	err = link_find(ref, &target);
	*out = !err && target.prog_id && link_in_place(ref, &target);
	return err;
}

int attach_alive_hooks(const char *dir, const struct fr_hook_record *point, size_t *out)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	int back, err = enter(point, &back);

	*out = 0;
	if (err)
		return err == -ESRCH ? 0 : err;
	for (size_t i = 0; i < count && !err; i++) {
		struct hook_ref ref = {.point = point, .hook = &hooks[i], .dir = dir};
		bool alive = false;

		if (!hooks[i].optional)
			err = hook_alive(&ref, &alive);
		*out += alive;
	}
	netns_leave(&back);
	return err;
}

int attach_alive(const char *dir, const struct fr_hook_record *point, bool *out)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks), wanted = 0, alive;
	int err = attach_alive_hooks(dir, point, &alive);

	for (size_t i = 0; i < count; i++)
		wanted += !hooks[i].optional;
	*out = alive == wanted;
	return err;
}

/* ---------------------------------------------------------------- other programs */

static int update_filter(const struct attach_update *update, const struct hook_ref *ref)
{
	CLEANUP(close_fd) int program = -1;
	uint32_t runs = 0;
	int err = filter_program(ref, &runs);

	if (err || !runs)
		return err;
	program = program_choose(update->pins, update->variants, ref->hook->program, runs);
	if (program < 0)
		return program == -EALREADY ? 0 : program;
	return filter_update(ref, program);
}

/* Our cgroup, where a mounted cgroup2 shows it; else NULL. */
static const char *find_cgroup(const struct fr_hook_record *point, struct arena *arena)
{
	static const struct host_options anywhere;
	const char *path, *root = cgroup2_find(&anywhere, arena);
	struct stat status;

	if (!root)
		return NULL;
	path = point->how == HOW_SOCKETS ? root : cgroup_path_of(arena, root, point->name);
	return path && !stat(path, &status) && status.st_ino == point->cgroup ? path : NULL;
}

/* See cgroup_order.c. Attaching a second link and removing this one instead is no way out: after a
 * kill between the two, both would judge, one by the policy before. */
static int check_order(const struct hook_ref *ref, struct diags *d)
{
	struct hook_ref at = *ref;
	struct order_fault fault;
	int err;

	at.path = attach_is_cgroup(ref->point) ? find_cgroup(ref->point, d->arena) : NULL;
	err = at.path ? cgroup_order_read(&at, d->arena, &fault) : -ENOENT;
	if (err) /* a cgroup that no mount shows, or that is gone, has no order to read */
		return err == -ENOENT ? 0 : err;
	if (!fault.program)
		return 0;
	return diag_error(d, NO_LOC, -EBUSY, "program-order",
			  "attach that program again without BPF_F_PREORDER, or detach the policy "
			  "and apply it anew; until then nothing judges",
			  "cannot replace %s at cgroup %s: in %s, %s runs out of order "
			  "(BPF_F_PREORDER), and the kernel could replace it instead",
			  ref->hook->text, ref->point->name, fault.cgroup, fault.program);
}

static int update_link(const struct attach_update *update, const struct hook_ref *ref,
		       struct diags *d)
{
	CLEANUP(close_fd) int link = link_open(ref);
	CLEANUP(close_fd) int program = -1;
	struct link_target target = {0};
	char name[LINK_NAME];
	int err = link < 0 ? link : link_target(link, &target);

	/* Not attached; or its device or cgroup is gone, so no traffic passes it. */
	if (err || !(target.ifindex || target.cgroup || target.netns))
		return err == -ENOENT ? 0 : err;
	program =
		program_choose(update->pins, update->variants, ref->hook->program, target.prog_id);
	if (program == -EALREADY)
		return 0;
	if (program >= 0) {
		err = check_order(&(struct hook_ref){.point = ref->point,
						     .hook = ref->hook,
						     .program = target.prog_id},
				  d);
		return err || !bpf_link_update(link, program, NULL) ? err : -errno;
	}
	if (program != -ENOENT || !ref->hook->optional)
		return program;
	link_name(ref, name);
	return link_remove(update->dir, name);
}

/* 0, or -ENOENT: a new one has to be made. */
static int program_pinned(const char *pins, uint32_t variants, const struct hook_program *hook)
{
	CLEANUP(close_fd) int fd = program_choose(pins, variants, hook->program, 0);
	enum program_fault fault;
	const char *map;
	int err;

	if (fd < 0)
		return fd == -ENOENT && hook->optional ? 0 : fd;
	err = program_check(fd, hook->program, pins, &fault, &map);
	return err || fault <= PROGRAM_UNSEEN ? err : -ENOENT;
}

int attach_programs_pinned(const char *pins, uint32_t variants, const struct fr_hook_record *point)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = program_pinned(pins, variants, &hooks[i]);
	return err;
}

int attach_update(const struct attach_update *update, const struct fr_hook_record *point,
		  struct diags *d)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	unsigned said = d->errors;
	int back, err = enter(point, &back);

	if (err == -ESRCH)
		return 0;
	for (size_t i = 0; i < count && !err; i++) {
		struct hook_ref ref = {.point = point, .hook = &hooks[i], .dir = update->dir};

		err = by_filters(point) ? update_filter(update, &ref)
					: update_link(update, &ref, d);
	}
	netns_leave(&back);
	if (err && d->errors == said)
		return diag_error(d, NO_LOC, err, "attach", NULL,
				  "cannot replace the programs at %s: %s", point->name,
				  error_text(err));
	return err;
}

/* ---------------------------------------------------------------- removing */

static int hook_remove(const struct hook_ref *ref)
{
	char name[LINK_NAME];

	if (by_filters(ref->point))
		return filter_remove(ref);
	link_name(ref, name);
	return link_remove(ref->dir, name);
}

static int namespace_gone(const struct fr_hook_record *point, int err, struct diags *d)
{
	if (err == -ESRCH) {
		diag_warning(
			d, NO_LOC, "namespace", NULL,
			"network namespace of %s not found; its clsact filters go away with it",
			point->name);
		return 0;
	}
	return diag_error(d, NO_LOC, err, "namespace",
			  "run it in that network namespace, or with CAP_SYS_ADMIN",
			  "the clsact filters of %s are in another network namespace, which cannot "
			  "be entered: %s",
			  point->name, error_text(err));
}

int attach_remove(const char *dir, const struct fr_hook_record *point, struct diags *d)
{
	struct hook_program hooks[HOOK_PROGRAMS_MAX];
	size_t count = attach_hooks(point, hooks);
	int back, err = enter(point, &back);

	if (err)
		return namespace_gone(point, err, d);
	for (size_t i = 0; i < count && !err; i++)
		err = hook_remove(
			&(struct hook_ref){.point = point, .hook = &hooks[i], .dir = dir});
	netns_leave(&back);
	if (err)
		return diag_error(d, NO_LOC, err, "attach", NULL, "cannot detach from %s: %s",
				  point->name, error_text(err));
	return 0;
}
