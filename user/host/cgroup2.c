/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the mount point of cgroup2: the usual places of systemd's unified and hybrid layouts, else
 * a mountinfo line that shows a whole hierarchy. statfs confirms the type of the file system.
 */
#include "cgroup2.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool cgroup2_is(const char *path)
{
	struct statfs status;

	return !statfs(path, &status) && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* The mount point of a mountinfo line that shows a whole cgroup2 hierarchy, or NULL. Ends `line`.
 */
static const char *mounted_cgroup2(char *line)
{
	char *fields[6], *rest = line;

	if (!strstr(line, " - cgroup2 "))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return NULL;
	}
	return str_equal(fields[3], "/") && !strchr(fields[4], '\\') ? fields[4] : NULL;
}

static const char *cgroup2_from_mounts(struct arena *arena)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free_ptr) char *line = NULL;
	const char *found;
	size_t size = 0;

	if (!file)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		found = mounted_cgroup2(line);
		if (found && cgroup2_is(found))
			return arena_strdup(arena, found);
	}
	return NULL;
}

const char *cgroup2_find(const struct host_options *o, struct arena *arena)
{
	static const char *const usual[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	if (o->cgroup)
		return cgroup2_is(o->cgroup) ? o->cgroup : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (cgroup2_is(usual[i]))
			return usual[i];
	return cgroup2_from_mounts(arena);
}

/* ---------------------------------------------------------------- cgroups */

char *cgroup_path_of(struct arena *arena, const char *root, const char *name)
{
	char *path = arena_printf(arena, "%s%s%s", root, *name == '/' ? "" : "/", name);
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = 0;
	return strstr(path, "/../") || (length > 3 && str_equal(path + length - 3, "/..")) ? NULL
											   : path;
}

/* Skips a cgroup that was removed meanwhile; any other failed read ends the search. */
static int on_glob_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR && error != ENODEV;
}

static int glob_result(int result)
{
	if (!result || result == GLOB_NOMATCH)
		return 0;
	return result == GLOB_NOSPACE ? -ENOMEM : -EIO;
}

int cgroups_each(const char *pattern, int (*visit)(const char *path, uint64_t id, void *),
		 void *context)
{
	glob_t found = {0};
	int result = glob(pattern, GLOB_ONLYDIR, on_glob_error, &found);
	int err = glob_result(result);

	for (size_t i = 0; !result && i < found.gl_pathc && !err; i++) {
		struct stat status;

		if (stat(found.gl_pathv[i], &status)) {
			err = errno == ENOENT ? 0 : -errno;
			continue;
		}
		if (S_ISDIR(status.st_mode) && cgroup2_is(found.gl_pathv[i]))
			err = visit(found.gl_pathv[i], status.st_ino, context);
	}
	globfree(&found);
	return err;
}

/* A cgroup that is removed meanwhile has nothing any more. */
static int gone(int err)
{
	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

int cgroup_tree_each(const char *path, int (*visit)(const char *path, uint64_t id, void *),
		     void *context)
{
	struct arena *names CLEANUP(arena_drop) = arena_new();
	const struct dirent *entry;
	struct stat status;
	DIR *dir;
	int err;

	if (stat(path, &status))
		return gone(-errno);
	err = visit(path, status.st_ino, context);
	dir = err ? NULL : opendir(path);
	if (!dir)
		return err ? err : gone(-errno);
	while (!err && (errno = 0, entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			err = cgroup_tree_each(arena_printf(names, "%s/%s", path, entry->d_name),
					       visit, context);
	if (!err && errno)
		err = gone(-errno);
	closedir(dir);
	return err;
}
