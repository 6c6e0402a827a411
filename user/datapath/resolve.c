/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attach points that a policy names, as this host has them: interfaces of the caller's network
 * namespace and directories below the cgroup2 root, wherever that is mounted.
 */
#include "internal.h"

#include <fnmatch.h>
#include <glob.h>
#include <linux/if_arp.h>
#include <string.h>
#include <sys/stat.h>

struct finder {
	const struct host_options *options;
	struct diags *d;
	struct interface *interfaces;
	size_t interface_count;
	const char *cgroup_root;
	struct hook *list;
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

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

static int add_hook(struct finder *finder, const struct attach_point *point,
		    const struct hook *hook)
{
	for (size_t i = 0; i < finder->count; i++) {
		const struct hook *other = &finder->list[i];
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
	finder->list[finder->count++] = *hook;
	return 0;
}

static int add_interface(struct finder *finder, const struct attach_point *point,
			 const struct interface *interface)
{
	struct hook hook = {.kind = point->kind,
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

static int resolve_interface(struct finder *finder, const struct attach_point *point)
{
	bool pattern = is_pattern(point->name);
	size_t found = 0;

	for (size_t i = 0; i < finder->interface_count; i++) {
		const struct interface *interface = &finder->interfaces[i];
		int err;

		if (pattern ? interface->loopback || fnmatch(point->name, interface->name, 0)
			    : !str_equal(point->name, interface->name))
			continue;
		err = add_interface(finder, point, interface);
		if (err)
			return err;
		found++;
	}
	if (found)
		return 0;
	return diag_error(finder->d, point->loc, -ENODEV, "no-interface",
			  "ip -br link lists those of this network namespace",
			  pattern ? "no interface matches %s" : "there is no interface %s",
			  point->name);
}

/* ---------------------------------------------------------------- cgroups */

static int add_cgroup(struct finder *finder, const struct attach_point *point, const char *path)
{
	const char *name = path + strlen(finder->cgroup_root);
	struct hook hook = {.kind = FR_KIND_CGROUP, .path = path, .name = *name ? name : "/"};
	struct stat status;

	if (stat(path, &status) || !S_ISDIR(status.st_mode) || !cgroup2_is(path))
		return -ENOENT;
	if (strlen(hook.name) >= sizeof(((struct fr_hook_record *)0)->name))
		return diag_error(finder->d, point->loc, -ENAMETOOLONG, "no-cgroup", NULL,
				  "the path of cgroup %s is too long", hook.name);
	hook.cgroup = status.st_ino; /* what the kernel calls the cgroup's id */
	return add_hook(finder, point, &hook);
}

/* The path below the root, without slashes at its end; NULL when it tries to leave the root. */
static char *cgroup_path(const struct finder *finder, const char *name)
{
	char *path = arena_printf(finder->d->arena, "%s%s%s", finder->cgroup_root,
				  *name == '/' ? "" : "/", name);
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = 0;
	return strstr(path, "/../") || (length > 3 && !strcmp(path + length - 3, "/..")) ? NULL
											 : path;
}

static int resolve_pattern(struct finder *finder, const struct attach_point *point,
			   const char *path)
{
	glob_t found = {0};
	int err = -ENOENT;

	if (!glob(path, GLOB_ONLYDIR, NULL, &found)) {
		err = 0;
		for (size_t i = 0; i < found.gl_pathc && !err; i++)
			err = add_cgroup(finder, point,
					 arena_strdup(finder->d->arena, found.gl_pathv[i]));
	}
	globfree(&found);
	return err;
}

static int resolve_cgroup(struct finder *finder, const struct attach_point *point)
{
	int err = find_cgroup_root(finder);
	const char *path;

	if (err)
		return err;
	path = cgroup_path(finder, point->name);
	if (!path)
		err = -ENOENT;
	else
		err = is_pattern(point->name) ? resolve_pattern(finder, point, path)
					      : add_cgroup(finder, point, path);
	if (err != -ENOENT)
		return err;
	return diag_error(finder->d, point->loc, -ENOENT, "no-cgroup", NULL,
			  is_pattern(point->name) ? "no cgroup matches %s below %s"
						  : "there is no cgroup %s below %s",
			  point->name, finder->cgroup_root);
}

/* Below another one of the same policy a packet would be judged and counted twice. */
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
		 struct hook **out, size_t *count)
{
	struct finder finder = {.options = o, .d = d};
	int err = host_interfaces(d->arena, d, &finder.interfaces, &finder.interface_count);

	for (size_t i = 0; i < rs->attach_count && !err; i++)
		err = rs->attach[i].kind == FR_KIND_CGROUP
			      ? resolve_cgroup(&finder, &rs->attach[i])
			      : resolve_interface(&finder, &rs->attach[i]);
	if (!err)
		err = refuse_nested(&finder);
	if (err)
		return err;
	*out = finder.list;
	*count = finder.count;
	return 0;
}
