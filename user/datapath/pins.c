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

void pin_remove(const char *dir, const char *name)
{
	pin_path path;

	path_join(dir, name, path);
	unlink(path);
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
	while (!result && (entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			result = visit(dir, entry->d_name, context);
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
	if (name_is_pin(name))
		pin_remove(dir, name);
	return 0;
}

void pin_remove_tree(const char *dir)
{
	pin_each(dir, remove_one, NULL);
	rmdir(dir);
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

	path_join(dir, name, path);
	if (str_starts(name, "link-"))
		found->ours = true;
	else if (pin_number(name, "e", &number) && !pin_each(path, take_pin, &epoch) &&
		 (epoch.ours || !epoch.others))
		found->ours = true;
	else
		found->others = true;
	return 0;
}

bool policy_is_ours(const char *dir)
{
	struct belongings found = {false, false};

	return !pin_each(dir, take_belonging, &found) && (found.ours || !found.others);
}

/* ---------------------------------------------------------------- ids */

uint32_t fd_map_id(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

uint32_t fd_program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
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
	uint32_t generation;

	if (!pin_number(name, "image-", &generation))
		return 0;
	fd = pin_open(dir, name);
	if (fd < 0 || fd_map_id(fd) != search->id)
		return 0;
	search->generation = generation;
	return 1;
}

/* Slot 0 gives an id only; the pin with that id gives the generation. 0: none. */
uint32_t epoch_generation(const char *dir)
{
	CLEANUP(close_fd) int images = pin_open(dir, map_names[MAP_IMAGES]);
	struct image_search search = {0};
	uint32_t zero = 0;

	if (images < 0 || bpf_map_lookup_elem(images, &zero, &search.id))
		return 0;
	pin_each(dir, match_image, &search);
	return search.generation;
}

/* Packets that have begun under the generation in force find it in this slot after it has gone. */
int image_keep(const char *dir, int images)
{
	CLEANUP(close_fd) int image = pin_open_number(dir, "image", epoch_generation(dir));
	uint32_t before = FR_SLOT_BEFORE;

	if (image < 0)
		return image == -ENOENT ? 0 : image;
	return bpf_map_update_elem(images, &before, &image, BPF_ANY) ? -errno : 0;
}

static int take_epoch(const char *dir, const char *name, void *context)
{
	struct running *running = context;
	uint32_t epoch, generation;
	pin_path pins;

	if (!pin_number(name, "e", &epoch) || !epoch)
		return 0;
	if (epoch > running->epoch_last)
		running->epoch_last = epoch;
	path_join(dir, name, pins);
	generation = epoch_generation(pins);
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

static int take_name(const char *dir, const char *name, void *context)
{
	struct name_list *list = context;
	struct running running;
	struct stat status;
	pin_path path;

	path_join(dir, name, path);
	if (stat(path, &status) || !S_ISDIR(status.st_mode) || !name_is_kebab(name))
		return 0;
	if (!policy_is_ours(path))
		return 0;
	if (!list->all && (running_find(dir, name, &running) || !running.generation))
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

static int make_root(const char *root)
{
	pin_path path;

	if (snprintf(path, sizeof(path), "%s", root) >= 200)
		return -ENAMETOOLONG;
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int lock_once(const char *root)
{
	CLEANUP(close_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat locked, named;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	/* A detach that ended meanwhile has removed the directory that we hold. */
	if (fstat(fd, &locked) || stat(root, &named) || locked.st_ino != named.st_ino)
		return -ESTALE;
	return TAKE_FD(fd);
}

int pin_lock(const char *root, bool create, struct diags *d, int *lock)
{
	const struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	int fd = -EAGAIN;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		int err = create ? make_root(root) : 0;

		fd = err ? err : lock_once(root);
		if (fd != -EWOULDBLOCK && fd != -ESTALE)
			break;
		nanosleep(&wait, NULL);
	}
	if (fd == -EWOULDBLOCK || fd == -ESTALE)
		return diag_error(d, NO_LOC, -EBUSY, "locked", "try again when it has ended",
				  "another flowreeve command is changing what is applied below %s",
				  root);
	if (fd == -ENOENT && !create)
		return fd;
	if (fd < 0)
		return diag_error(d, NO_LOC, fd, "pin-root", NULL,
				  "cannot open the pin root %s: %s", root, error_text(fd));
	*lock = fd;
	return host_bpffs(root, false, d);
}
