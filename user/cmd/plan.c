/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan SITE --host NAME: the policy that follows from a site for one of its hosts, on stdout. plan
 * SITE --all --dir DIR: those of all hosts, a file each; the directory is exchanged whole, so that
 * it never has half of a site. Offline.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

static int dir_fail(struct context *c, const char *path, int err, const char *deed)
{
	diag_error(&c->diags, (struct loc){0}, -err, "plan-directory", NULL, "%s: %s: %s", path,
		   deed, error_text(err));
	return EXIT_FAILED;
}

/* ---------------------------------------------------------------- foreign files */

static bool file_is_ours(int dir, const char *name)
{
	char head[sizeof(PLAN_MARK)] = {0};
	int fd CLEANUP(close_fd) =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && read(fd, head, sizeof(head) - 1) == sizeof(head) - 1 &&
	       str_equal(head, PLAN_MARK);
}

static void dir_close(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Calls `visit` with each entry of a directory; ends at the first non-zero return. */
static int each_entry(struct context *c, const char *path,
		      int (*visit)(struct context *, const char *path, int dir, const char *name))
{
	DIR *dir CLEANUP(dir_close) = opendir(path);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return dir_fail(c, path, errno, "cannot be read");
	while (!ret && (entry = readdir(dir)))
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			ret = visit(c, path, dirfd(dir), entry->d_name);
	return ret;
}

static int refuse_foreign(struct context *c, const char *path, int dir, const char *name)
{
	if (file_is_ours(dir, name))
		return 0;
	diag_error(&c->diags, (struct loc){0}, -EEXIST, "plan-directory",
		   "name a directory that does not exist, is empty, or has plans only",
		   "%s has '%.80s', which `plan` did not write", path, name);
	return EXIT_REJECTED;
}

static int entry_remove(struct context *c, const char *path, int dir, const char *name)
{
	(void)c;
	(void)path;
	unlinkat(dir, name, 0);
	return 0;
}

static void dir_remove(struct context *c, const char *path)
{
	if (path && !each_entry(c, path, entry_remove))
		rmdir(path);
}

/* ---------------------------------------------------------------- the directory */

static int file_write(struct context *c, const char *path, const struct site_view *site,
		      const struct plan *plan)
{
	FILE *out CLEANUP(close_file) = fopen(path, "wxe");

	if (!out)
		return dir_fail(c, path, errno, "cannot be made");
	errno = 0;
	render_plan(out, site, plan);
	if (fflush(out) || ferror(out) || fsync(fileno(out)))
		return dir_fail(c, path, errno ? errno : EIO, "cannot be written");
	return 0;
}

static int files_write(struct context *c, const char *dir, const struct site_view *site)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < site->plan_count; i++)
		ret = file_write(c, arena_printf(c->arena, "%s/%s.yaml", dir, site->plans[i].host),
				 site, &site->plans[i]);
	return ret;
}

static void path_sync(const char *path)
{
	int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

/* One rename: a reader finds the old directory or the new one. */
static int dir_commit(struct context *c, const char *made, const char *target, bool there)
{
	char *parent = arena_printf(c->arena, "%s/..", target);

	path_sync(made);
	if (renameat2(AT_FDCWD, made, AT_FDCWD, target, there ? RENAME_EXCHANGE : RENAME_NOREPLACE))
		return dir_fail(c, target, errno, "cannot be put in place");
	path_sync(parent);
	return 0;
}

/* The directory's own name: rename() must not get a link to it, nor a slash at the end. */
static int target_find(struct context *c, const char *dir, const char **target, bool *there)
{
	char *real CLEANUP(free_ptr) = realpath(dir, NULL);
	size_t length = strlen(dir);

	*there = real;
	if (real) {
		*target = arena_strdup(c->arena, real);
		return each_entry(c, real, refuse_foreign);
	}
	if (errno != ENOENT)
		return dir_fail(c, dir, errno, "cannot be used");
	while (length > 1 && dir[length - 1] == '/')
		length--;
	*target = arena_strndup(c->arena, dir, length);
	return 0;
}

static int dir_make(struct context *c, const char *target, char **out)
{
	char *made = arena_printf(c->arena, "%s.XXXXXX", target);
	mode_t mask = umask(0);

	umask(mask);
	if (!mkdtemp(made))
		return dir_fail(c, target, errno, "no directory can be made beside it");
	*out = made;
	if (chmod(made, 0777 & ~mask))
		return dir_fail(c, made, errno, "cannot be made");
	return 0;
}

static int plan_all(struct context *c, const struct site_view *site, const char *dir)
{
	const char *target;
	char *made = NULL;
	bool there;
	int ret = target_find(c, dir, &target, &there);

	if (ret)
		return ret;
	ret = dir_make(c, target, &made);
	if (ret)
		return ret;
	ret = files_write(c, made, site);
	ret = ret ? ret : dir_commit(c, made, target, there);
	/* After an exchange it is the old one. */
	if (ret || there)
		dir_remove(c, made);
	if (ret)
		return ret;
	fprintf(c->render.out, "%zu policies in %s\n", site->plan_count, dir);
	return 0;
}

/* ---------------------------------------------------------------- the verb */

static int compile_each(struct context *c, const struct plan *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct image image = {0};

		if (image_compile(plans[i].rs, &c->diags, &image))
			return EXIT_REJECTED;
		image_free(&image);
	}
	return 0;
}

static int plan_one(struct context *c, const struct site_view *site, const char *host)
{
	const struct plan *plan = site_plan(site, host, &c->diags);

	if (!plan || compile_each(c, plan, 1))
		return EXIT_REJECTED;
	render_plan(c->render.out, site, plan);
	return 0;
}

int cmd_plan(struct context *c)
{
	const struct options *o = &c->options;
	bool all = o->given & OPT_ALL;
	const struct site_view *site;
	int ret;

	if (!o->plan_host == !all)
		return usage_error(c, "flowreeve plan SITE --host NAME",
				   "plan needs either --host NAME or --all");
	if (all != !!o->dir)
		return usage_error(c, "flowreeve plan SITE --all --dir DIR",
				   all ? "--all needs --dir" : "--dir goes with --all");
	if (site_load(o->operands[0], &o->policy, &c->diags, &site))
		return EXIT_REJECTED;
	if (all) {
		ret = compile_each(c, site->plans, site->plan_count);
		ret = ret ? ret : plan_all(c, site, o->dir);
	} else {
		ret = plan_one(c, site, o->plan_host);
	}
	c->answered = !ret;
	return ret;
}
