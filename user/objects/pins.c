/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in the bpffs, and the errors of reading them. Independent of hooks and images.
 */
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../host/host.h"
#include "maps.h"

const char *pin_root(const struct host_options *o)
{
	return o->pin_root ? o->pin_root : PIN_ROOT_DEFAULT;
}

void pin_path_join(const char *dir, const char *name, pin_path out)
{
	if (snprintf(out, PIN_PATH, "%s/%s", dir, name) >= PIN_PATH)
		out[0] = 0;
}

int pin_open(const char *dir, const char *name)
{
	pin_path path;
	int fd;

	pin_path_join(dir, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pin_open_map(const char *dir, const char *name, uint32_t key_size, uint32_t value_size)
{
	CLEANUP(close_fd) int fd = pin_open(dir, name);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.key_size != key_size || info.value_size != value_size)
		return -EBADMSG;
	return TAKE_FD(fd);
}

int pin_store(int fd, const char *dir, const char *name)
{
	pin_path path;

	pin_path_join(dir, name, path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

int pin_open_number(const char *dir, const char *name, uint32_t number)
{
	char numbered[64];

	snprintf(numbered, sizeof(numbered), "%s-%u", name, number);
	return pin_open(dir, numbered);
}

int pin_store_number(int fd, const char *dir, const char *name, uint32_t number)
{
	char numbered[64];

	snprintf(numbered, sizeof(numbered), "%s-%u", name, number);
	return pin_store(fd, dir, numbered);
}

int pin_replace_number(int fd, const char *dir, const char *name, uint32_t number)
{
	char fresh[64], numbered[64];
	pin_path from, to;
	int err;

	snprintf(fresh, sizeof(fresh), "%s-0", name); /* of no generation */
	snprintf(numbered, sizeof(numbered), "%s-%u", name, number);
	pin_path_join(dir, fresh, from);
	pin_path_join(dir, numbered, to);
	err = pin_remove(dir, fresh);
	err = err ? err : pin_store(fd, dir, fresh);
	if (err)
		return err;
	return rename(from, to) ? -errno : 0;
}

int pin_remove(const char *dir, const char *name)
{
	pin_path path;

	pin_path_join(dir, name, path);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

bool pin_number(const char *name, const char *prefix, uint32_t *out)
{
	uint64_t number;

	if (!str_starts(name, prefix) || parse_u64(name + strlen(prefix), UINT32_MAX, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

int pin_each(const char *dir, int (*visit)(const char *dir, const char *name, void *),
	     void *context)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	int result = 0;

	if (!stream)
		return -errno;
	while (!result && (errno = 0, entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			result = visit(dir, entry->d_name, context);
	if (!result && errno)
		result = -errno;
	closedir(stream);
	return result;
}

bool name_is_pin(const char *name)
{
	static const char *const beginnings[] = {
		"fr_",	  "s-",	    "j-",	 "l-",	      "image-",	  "audit-", "rules-",
		"hooks-", "state-", "requests-", "document-", "pending-", "undone-"};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (str_starts(name, beginnings[i]))
			return true;
	return false;
}

static int remove_one(const char *dir, const char *name, void *context)
{
	(void)context;
	if (str_equal(name, map_names[MAP_IMAGES]) || !name_is_pin(name))
		return 0;
	return pin_remove(dir, name);
}

/* Remove the images last: until then they show that nothing is in force here. Pins of others keep
 * the directory. */
int pin_remove_tree(const char *dir)
{
	int err = pin_each(dir, remove_one, NULL);

	if (!err)
		err = pin_remove(dir, map_names[MAP_IMAGES]);
	if (err)
		return err == -ENOENT ? 0 : err;
	return rmdir(dir) && errno != ENOTEMPTY && errno != ENOENT ? -errno : 0;
}

/* ---------------------------------------------------------------- unreadable pins */

bool pins_damaged(int err)
{
	return err == -ENOENT || err == -EBADMSG || err == -ENODATA;
}

bool err_lacks_means(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EIO;
}

int pins_unreadable(const char *path, int err, struct diags *d)
{
	if (err == -EACCES || err == -EPERM) {
		int lack = host_privileges(d);

		return lack ? lack
			    : diag_error(d, NO_LOC, -EPERM, "privilege", "run it as root",
					 "the pins below %s cannot be read: %s", path,
					 error_text(err));
	}
	return diag_error(d, NO_LOC, err, "pins-unreadable",
			  err == -EMFILE ? "ulimit -n 1024" : NULL,
			  "the pins below %s cannot be read: %s", path, error_text(err));
}
