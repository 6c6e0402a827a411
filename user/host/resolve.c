/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resolves the attach points of a policy on this host: interfaces of the caller's network
 * namespace and directories below the cgroup2 root, wherever that is mounted.
 */
#include "resolve.h"

#include <ctype.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup2.h"
#include "interfaces.h"

struct finder {
	const struct ruleset *rs;
	const struct host_options *options;
	struct diags *d;
	struct interface *interfaces;
	size_t interface_count;
	const char *cgroup_root;
	bool *matched; /* by request */
	struct attach_target *list;
	size_t count, capacity;
};

static int find_cgroup_root(struct finder *finder)
{
	const char *named = finder->options->cgroup;

	if (!finder->cgroup_root)
		finder->cgroup_root = cgroup2_find(finder->options, finder->d->arena);
	if (finder->cgroup_root)
		return 0;
	if (named)
		return diag_error(finder->d, NO_LOC, -ENOTSUP, "cgroup2", NULL,
				  "no cgroup2 is mounted at %s", named);
	return diag_error(finder->d, NO_LOC, -ENOTSUP, "cgroup2",
			  "mkdir -p /run/cgroup2 && mount -t cgroup2 none /run/cgroup2",
			  "no cgroup2 hierarchy is mounted on this host");
}

/* ---------------------------------------------------------------- adding hooks */

static int add_hook(struct finder *finder, const struct attach_point *point,
		    const struct attach_target *hook)
{
	size_t request = (size_t)(point - finder->rs->attach);

	finder->matched[request] = true;
	for (size_t i = 0; i < finder->count; i++) {
		const struct attach_target *other = &finder->list[i];
		bool same = (other->kind == FR_KIND_CGROUP) == (hook->kind == FR_KIND_CGROUP) &&
			    other->ifindex == hook->ifindex && other->cgroup == hook->cgroup;

		if (same && other->kind == hook->kind)
			return 0;
		if (same)
			return diag_error(finder->d, point->loc, -EBUSY, "attach-twice", NULL,
					  "%s is named both as an interface and as a guest",
					  hook->name);
	}
	if (finder->count == FR_HOOKS_MAX)
		return diag_error(finder->d, point->loc, -E2BIG, "attach-limit", NULL,
				  "more than %d attach points", FR_HOOKS_MAX);
	finder->list = arena_grow(finder->d->arena, finder->list, finder->count, &finder->capacity,
				  sizeof(*finder->list));
	finder->list[finder->count] = *hook;
	finder->list[finder->count++].request = (uint32_t)request;
	return 0;
}

static int add_interface(struct finder *finder, const struct attach_point *point,
			 const struct interface *interface)
{
	struct attach_target hook = {.kind = point->kind,
				     .l3 = interface->l3,
				     .ifindex = interface->ifindex,
				     .name = interface->name};

	if (interface->loopback)
		return diag_error(finder->d, point->loc, -ENODEV, "attach-lo", NULL,
				  "the device lo is never attached");
	if (interface->type != ARPHRD_ETHER && !interface->l3)
		return diag_error(finder->d, point->loc, -ENOTSUP, "device-type", NULL,
				  "%s is of device type %u, whose packets flowreeve cannot read",
				  interface->name, interface->type);
	return add_hook(finder, point, &hook);
}

/* All names of devices; arena memory. */
static const char **device_names(const struct finder *finder, size_t *count)
{
	const char **names = NULL;
	size_t capacity = 0;

	*count = 0;
	for (size_t i = 0; i < finder->interface_count; i++) {
		const struct interface *interface = &finder->interfaces[i];

		for (size_t j = 0; j <= interface->altname_count && !interface->loopback; j++) {
			names = arena_grow(finder->d->arena, names, *count, &capacity,
					   sizeof(*names));
			names[(*count)++] =
				j ? interface->altnames[j - 1] : finder->interfaces[i].name;
		}
	}
	return names;
}

static char *lower(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/* A similar name: without the suffix that `ip link` shows, or in other letter case. */
static const char *device_hint(const struct finder *finder, const char *word)
{
	struct arena *arena = finder->d->arena;
	size_t count, length = strcspn(word, "@");
	const char **names = device_names(finder, &count);
	const char *own = arena_strndup(arena, word, length), *near = NULL;

	for (size_t i = 0; i < count && !near; i++)
		if (str_equal(lower(arena, own), lower(arena, names[i])))
			near = names[i];
	if (near && word[length])
		return arena_printf(
			arena,
			"write %s: the part after @ in the output of 'ip link' is not in "
			"the name",
			near);
	if (!near && !name_is_pattern(word))
		near = nearest_word(own, names, count);
	return near ? arena_printf(arena, "did you mean '%s'?", near)
		    : "ip link lists those of this network namespace, with their altnames";
}

static int resolve_interface(struct finder *finder, const struct attach_point *point)
{
	size_t found = 0;

	for (size_t i = 0; i < finder->interface_count; i++) {
		const struct interface *interface = &finder->interfaces[i];
		int err;

		if (!interface_fits(interface, point->name))
			continue;
		err = add_interface(finder, point, interface);
		if (err)
			return err;
		found++;
	}
	if (found || name_is_pattern(point->name))
		return 0;
	return diag_error(finder->d, point->loc, -ENODEV, "no-interface",
			  device_hint(finder, point->name), "there is no interface %s",
			  point->name);
}

/* ---------------------------------------------------------------- cgroups */

/* `id` is the inode of its directory, which the kernel uses as its id. */
static int add_cgroup(struct finder *finder, const struct attach_point *point, const char *path,
		      uint64_t id)
{
	const char *name = path + strlen(finder->cgroup_root);
	struct attach_target hook = {
		.kind = FR_KIND_CGROUP, .path = path, .name = *name ? name : "/", .cgroup = id};

	if (strlen(hook.name) >= sizeof(((struct fr_hook_record *)0)->name))
		return diag_error(finder->d, point->loc, -ENAMETOOLONG, "no-cgroup", NULL,
				  "the path of cgroup %s is too long", hook.name);
	return add_hook(finder, point, &hook);
}

struct pattern_search {
	struct finder *finder;
	const struct attach_point *point;
	bool told;
};

static int on_cgroup(const char *path, uint64_t id, void *context)
{
	struct pattern_search *search = context;
	int err = add_cgroup(search->finder, search->point,
			     arena_strdup(search->finder->d->arena, path), id);

	search->told = err != 0;
	return err;
}

static int resolve_pattern(struct finder *finder, const struct attach_point *point,
			   const char *path)
{
	struct pattern_search search = {.finder = finder, .point = point};
	int err = cgroups_each(path, on_cgroup, &search);

	if (!err || search.told)
		return err;
	return diag_error(finder->d, point->loc, err, "cgroup2", NULL,
			  "cannot list the cgroups that %s matches below %s: %s", point->name,
			  finder->cgroup_root, error_text(err));
}

/* Paths begin at the root of the hierarchy, not at that of the host. */
static const char *cgroup_hint(const struct finder *finder, const char *name)
{
	const char *root = finder->cgroup_root;
	size_t length = strlen(root);
	struct arena *arena = finder->d->arena;

	for (; str_starts(name, "//"); name++)
		;
	if (!strncmp(name, root, length) && (name[length] == '/' || !name[length]))
		return arena_printf(arena, "write %s: paths begin below %s",
				    name[length] ? name + length : "/", root);
	if (str_starts(name, "/sys/fs/cgroup/"))
		return arena_printf(arena, "paths begin below %s, without it", root);
	return arena_printf(arena, "find %s -type d lists them", shell_word(arena, root));
}

static int resolve_one_cgroup(struct finder *finder, const struct attach_point *point,
			      const char *path)
{
	struct stat status;

	if (!path || stat(path, &status) || !S_ISDIR(status.st_mode) || !cgroup2_is(path))
		return diag_error(finder->d, point->loc, -ENOENT, "no-cgroup",
				  cgroup_hint(finder, point->name),
				  "there is no cgroup %s below %s", point->name,
				  finder->cgroup_root);
	return add_cgroup(finder, point, path, status.st_ino);
}

static int resolve_cgroup(struct finder *finder, const struct attach_point *point)
{
	int err = find_cgroup_root(finder);
	const char *path;

	if (err)
		return err;
	path = cgroup_path_of(finder->d->arena, finder->cgroup_root, point->name);
	return path && name_is_pattern(point->name) ? resolve_pattern(finder, point, path)
						    : resolve_one_cgroup(finder, point, path);
}

/* ---------------------------------------------------------------- resolving a ruleset */

static int refuse_unmatched(const struct finder *finder, const struct attach_point *point)
{
	if (point->kind == FR_KIND_CGROUP)
		return diag_error(finder->d, point->loc, -ENOENT, "no-cgroup",
				  cgroup_hint(finder, point->name), "no cgroup matches %s",
				  point->name);
	return diag_error(finder->d, point->loc, -ENODEV, "no-interface",
			  device_hint(finder, point->name), "no interface matches %s", point->name);
}

/* One pattern of several may match later; if none matches now, nothing would be judged. */
static int check_patterns(const struct finder *finder)
{
	const struct ruleset *rs = finder->rs;
	int err = 0;

	for (size_t i = 0; i < rs->attach_count; i++) {
		const struct attach_point *point = &rs->attach[i];
		const char *kind = point->kind == FR_KIND_CGROUP ? "cgroup" : "interface";

		if (finder->matched[i])
			continue;
		if (finder->count)
			diag_warning(finder->d, point->loc, "no-match",
				     "later matches are judged from the next apply on; status "
				     "names them",
				     "no %s matches %s", kind, point->name);
		else
			err = refuse_unmatched(finder, point);
	}
	return err;
}

static bool judged_at_master(const struct finder *finder, const struct attach_target *hook)
{
	const struct interface *port = NULL;

	for (size_t i = 0; i < finder->interface_count && hook->kind == FR_KIND_INTERFACE; i++)
		if (finder->interfaces[i].ifindex == hook->ifindex)
			port = &finder->interfaces[i];
	if (!port || !name_is_pattern(finder->rs->attach[hook->request].name) ||
	    !interface_is_port(finder->interfaces, finder->interface_count, port))
		return false;
	for (size_t i = 0; i < finder->count; i++)
		if (finder->list[i].kind == FR_KIND_INTERFACE &&
		    finder->list[i].ifindex == port->master)
			return true;
	return false;
}

/* A pattern matches a bridge and its port: at both, packets would be counted twice. */
static void leave_ports_out(struct finder *finder)
{
	bool *out = arena_alloc(finder->d->arena, (finder->count + 1) * sizeof(*out));
	size_t kept = 0;

	for (size_t i = 0; i < finder->count; i++)
		out[i] = judged_at_master(finder, &finder->list[i]);
	for (size_t i = 0; i < finder->count; i++) {
		const struct attach_target hook = finder->list[i];
		const struct attach_point *point = &finder->rs->attach[hook.request];

		if (!out[i])
			finder->list[kept++] = hook;
		else
			diag_warning(
				finder->d, point->loc, "counted-twice",
				"by its plain name it is attached all the same",
				"%s is a port of a bridge or bond that is attached as well: it "
				"is left out, for packets that pass both would be counted twice",
				hook.name);
	}
	finder->count = kept;
}

/* Below another cgroup of the same policy a packet would be judged and counted twice. */
static int refuse_nested(const struct finder *finder)
{
	for (size_t i = 0; i < finder->count; i++)
		for (size_t j = 0; j < finder->count; j++) {
			const char *outer = finder->list[i].name, *inner = finder->list[j].name;

			if (i == j || finder->list[i].kind != FR_KIND_CGROUP ||
			    finder->list[j].kind != FR_KIND_CGROUP)
				continue;
			if (str_equal(outer, "/") ||
			    (str_starts(inner, outer) && inner[strlen(outer)] == '/'))
				return diag_error(
					finder->d, NO_LOC, -EBUSY, "nested-cgroups", NULL,
					"cgroup %s is below %s, which the policy attaches too",
					inner, outer);
		}
	return 0;
}

int host_resolve(const struct ruleset *rs, const struct host_options *o, struct diags *d,
		 struct attach_target **out, size_t *count)
{
	struct finder finder = {
		.rs = rs,
		.options = o,
		.d = d,
		.matched = arena_alloc(d->arena, (rs->attach_count + 1) * sizeof(bool)),
	};
	int err = host_interfaces(d->arena, d, &finder.interfaces, &finder.interface_count);

	for (size_t i = 0; i < rs->attach_count && !err; i++)
		err = rs->attach[i].kind == FR_KIND_CGROUP
			      ? resolve_cgroup(&finder, &rs->attach[i])
			      : resolve_interface(&finder, &rs->attach[i]);
	if (err)
		return err;
	err = check_patterns(&finder);
	if (err)
		return err;
	leave_ports_out(&finder);
	err = refuse_nested(&finder);
	if (err)
		return err;
	*out = finder.list;
	*count = finder.count;
	return 0;
}
