/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directories below the pin root: their names, what they hold, which generation is in force,
 * and the lock that keeps commands which change them apart. Knows nothing of hooks or images.
 */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 100, LOCK_WAIT_MS = 100 };

const char *pin_root(const struct host_options *o)
{
	return o->pin_root ? o->pin_root : PIN_ROOT_DEFAULT;
}

/* A path that is too long names nothing. */
static void path_join(const char *dir, const char *name, pin_path out)
{
	if (snprintf(out, PIN_PATH, "%s/%s", dir, name) >= PIN_PATH)
		out[0] = 0;
}

int pin_open(const char *dir, const char *name)
{
	pin_path path;
	int fd;

	path_join(dir, name, path);
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

	path_join(dir, name, path);
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

int pin_remove(const char *dir, const char *name)
{
	pin_path path;

	path_join(dir, name, path);
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

/* What an epoch holds, by name. Whatever else is there is somebody else's. */
static bool name_is_pin(const char *name)
{
	static const char *const beginnings[] = {"fr_",	   "s-",     "j-",     "l-",	   "image-",
						 "rules-", "hooks-", "state-", "requests-"};

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

/* The images last: until then they tell that nothing is in force here. Somebody else's pins keep
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

struct belongings {
	bool ours, others;
};

static int take_pin(const char *dir, const char *name, void *context)
{
	struct belongings *found = context;

	(void)dir;
	*(name_is_pin(name) ? &found->ours : &found->others) = true;
	return 0;
}

static int take_belonging(const char *dir, const char *name, void *context)
{
	struct belongings *found = context, epoch = {false, false};
	uint32_t number;
	pin_path path;
	int err;

	if (str_starts(name, "link-")) {
		found->ours = true;
		return 0;
	}
	if (!pin_number(name, "e", &number)) {
		found->others = true;
		return 0;
	}
	path_join(dir, name, path);
	err = pin_each(path, take_pin, &epoch);
	if (err && err != -ENOENT && err != -ENOTDIR)
		return err;
	*(!err && (epoch.ours || !epoch.others) ? &found->ours : &found->others) = true;
	return 0;
}

int policy_is_ours(const char *dir, bool *out)
{
	struct belongings found = {false, false};
	int err = pin_each(dir, take_belonging, &found);

	if (!err)
		*out = found.ours || !found.others;
	return err;
}

/* ---------------------------------------------------------------- what cannot be read */

bool pins_damaged(int err)
{
	return err == -ENOENT || err == -EBADMSG || err == -ENODATA;
}

bool lacks_means(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EIO;
}

int pins_unreadable(const char *path, int err, struct diags *d)
{
	if (err == -EACCES || err == -EPERM) {
		int lack = host_privileges(d);

		return lack ? lack
			    : diag_error(d, NO_LOC, -EPERM, "privilege", "run it as root",
					 "what is pinned below %s cannot be read: %s", path,
					 error_text(err));
	}
	return diag_error(d, NO_LOC, err, "pins-unreadable",
			  err == -EMFILE ? "ulimit -n 1024" : NULL,
			  "what is pinned below %s cannot be read: %s", path, error_text(err));
}

/* ---------------------------------------------------------------- ids */

int fd_map_id(int fd, uint32_t *out)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.id;
	return 0;
}

int fd_map_entries(int fd, uint32_t *out)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.max_entries;
	return 0;
}

int fd_program_id(int fd, uint32_t *out)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.id;
	return 0;
}

/* ---------------------------------------------------------------- the generation in force */

struct image_search {
	uint32_t id;
	uint32_t generation;
};

static int match_image(const char *dir, const char *name, void *context)
{
	struct image_search *search = context;
	CLEANUP(close_fd) int fd = -1;
	uint32_t generation, id = 0;
	int err;

	if (!pin_number(name, "image-", &generation))
		return 0;
	fd = pin_open(dir, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fd_map_id(fd, &id);
	if (err || id != search->id)
		return err;
	search->generation = generation;
	return 1;
}

/* Slot 0 gives an id only; the pin with that id gives the generation. */
int epoch_generation(const char *dir, uint32_t *out)
{
	CLEANUP(close_fd) int images = pin_open(dir, map_names[MAP_IMAGES]);
	struct image_search search = {0};
	uint32_t zero = 0;
	int err = images < 0 ? images : 0;

	if (!err && bpf_map_lookup_elem(images, &zero, &search.id))
		err = -errno;
	if (!err)
		err = pin_each(dir, match_image, &search);
	if (err < 0 && err != -ENOENT)
		return err;
	*out = search.generation;
	return 0;
}

/* Packets that have begun under the generation in force find it in this slot after it has gone. */
int image_keep(const char *dir, int images)
{
	CLEANUP(close_fd) int image = -1;
	uint32_t before = FR_SLOT_BEFORE, generation;
	int err = epoch_generation(dir, &generation);

	if (err || !generation)
		return err;
	image = pin_open_number(dir, "image", generation);
	if (image < 0)
		return image;
	return bpf_map_update_elem(images, &before, &image, BPF_ANY) ? -errno : 0;
}

static int take_epoch(const char *dir, const char *name, void *context)
{
	struct running *running = context;
	uint32_t epoch, generation;
	pin_path pins;
	int err;

	if (!pin_number(name, "e", &epoch) || !epoch)
		return 0;
	if (epoch > running->epoch_last)
		running->epoch_last = epoch;
	path_join(dir, name, pins);
	err = epoch_generation(pins, &generation);
	if (err)
		return err;
	if (!generation || generation < running->generation ||
	    (generation == running->generation && epoch > running->epoch))
		return 0;
	running->generation = generation;
	running->epoch = epoch;
	memcpy(running->pins, pins, sizeof(pins));
	return 0;
}

int running_find(const char *root, const char *policy, struct running *out)
{
	struct running running = {0};
	int err;

	if (snprintf(running.dir, sizeof(running.dir), "%s/%s", root, policy) >= 250)
		return -ENAMETOOLONG;
	err = pin_each(running.dir, take_epoch, &running);
	if (!err)
		*out = running;
	return err;
}

/* ---------------------------------------------------------------- names */

struct name_list {
	struct arena *arena;
	const char **names;
	size_t count, capacity;
	bool all;
};

/* Whether a directory below the pin root is one of those that are asked for. */
static int is_listed(const struct name_list *list, const char *root, const char *name, bool *out)
{
	struct running running = {0};
	pin_path path;
	int err;

	path_join(root, name, path);
	err = policy_is_ours(path, out);
	if (err || !*out || list->all)
		return err;
	err = running_find(root, name, &running);
	*out = running.generation != 0;
	return err;
}

/* What is gone meanwhile, or no directory, is no policy. */
static int take_name(const char *dir, const char *name, void *context)
{
	struct name_list *list = context;
	bool listed = false;
	int err = name_is_kebab(name) ? is_listed(list, dir, name, &listed) : 0;

	if (err && err != -ENOENT && err != -ENOTDIR)
		return err;
	if (err || !listed)
		return 0;
	list->names = arena_grow(list->arena, list->names, list->count, &list->capacity,
				 sizeof(*list->names));
	list->names[list->count++] = arena_strdup(list->arena, name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int policy_names(const char *root, bool all, struct arena *arena, const char ***names,
		 size_t *count)
{
	struct name_list list = {.arena = arena, .all = all};
	int err = pin_each(root, take_name, &list);

	if (err && err != -ENOENT)
		return err;
	if (list.count)
		qsort(list.names, list.count, sizeof(*list.names), by_name);
	*names = list.names;
	*count = list.count;
	return 0;
}

/* ---------------------------------------------------------------- the lock */

/* A detach that ended meanwhile has removed the directory that we hold: -ESTALE. */
static int lock_once(const char *root, bool create, struct diags *d)
{
	CLEANUP(close_fd) int fd = pin_root_open(root, create, d);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EWOULDBLOCK : pins_unreadable(root, -errno, d);
	return pin_root_is(fd, root) ? TAKE_FD(fd) : -ESTALE;
}

int pin_lock(const char *root, bool create, struct diags *d, int *lock)
{
	const struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	int fd = -EAGAIN, err;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		fd = lock_once(root, create, d);
		if (fd != -EWOULDBLOCK && fd != -ESTALE)
			break;
		nanosleep(&wait, NULL);
	}
	if (fd == -EWOULDBLOCK || fd == -ESTALE)
		return diag_error(d, NO_LOC, -EBUSY, "locked", "try again when it has ended",
				  "another flowreeve command is changing what is applied below %s",
				  root);
	if (fd == -ENOTSUP)
		return host_bpffs(root, false, d);
	if (fd < 0)
		return fd;
	err = pins_check(fd, root, d);
	if (err) {
		close_fd(&fd);
		return err;
	}
	*lock = fd;
	return 0;
}

int pins_look(const char *root, struct diags *d)
{
	int fd = pin_root_open(root, false, d), err;

	if (fd < 0)
		return fd == -ENOTSUP ? -ENOENT : fd;
	err = pins_check(fd, root, d);
	if (err)
		close_fd(&fd);
	return err ? err : fd;
}
