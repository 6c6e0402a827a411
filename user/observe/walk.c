/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks a hash map: in batches where the kernel has them, else key by key. Entries that come or go
 * meanwhile may be missed; none is told twice by a batch walk.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024, KEY_MAX = 64, BATCH_MAX = 1 << 20 };

struct walk {
	int fd;
	uint32_t key_size, value_size;
	entry_visit visit;
	void *context;
};

static int walk_slowly(const struct walk *walk)
{
	CLEANUP(free_ptr) void *value = malloc(walk->value_size);
	uint8_t key[KEY_MAX], next[KEY_MAX];
	const void *at = NULL;
	int result = 0;

	if (!value)
		return -ENOMEM;
	while (!result && !bpf_map_get_next_key(walk->fd, at, next)) {
		memcpy(key, next, sizeof(key));
		at = key;
		if (!bpf_map_lookup_elem(walk->fd, key, value))
			result = walk->visit(key, value, walk->context);
	}
	return result;
}

static int visit_batch(const struct walk *walk, const char *keys, const char *values,
		       uint32_t count)
{
	int result = 0;

	for (uint32_t i = 0; i < count && !result; i++)
		result = walk->visit(keys + (size_t)i * walk->key_size,
				     values + (size_t)i * walk->value_size, walk->context);
	return result;
}

/* -ENOSPC: a bucket of the map is larger than the batch; nothing of it has been told. */
static int walk_batches(const struct walk *walk, uint32_t batch, uint8_t cursor[KEY_MAX],
			bool *begun)
{
	CLEANUP(free_ptr) char *keys = calloc(batch, walk->key_size);
	CLEANUP(free_ptr) char *values = calloc(batch, walk->value_size);
	int err = 0, result = 0;

	if (!keys || !values)
		return -ENOMEM;
	while (!err && !result) {
		uint8_t after[KEY_MAX];
		uint32_t count = batch;

		err = bpf_map_lookup_batch(walk->fd, *begun ? cursor : NULL, after, keys, values,
					   &count, NULL)
			      ? -errno
			      : 0;
		if (err && err != -ENOENT)
			return err;
		memcpy(cursor, after, KEY_MAX);
		*begun = true;
		result = visit_batch(walk, keys, values, count);
	}
	return result;
}

int map_each(int fd, entry_visit visit, void *context)
{
	struct walk walk = {.fd = fd, .visit = visit, .context = context};
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	uint8_t cursor[KEY_MAX] = {0};
	bool begun = false;
	int result = -ENOSPC;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.key_size > KEY_MAX)
		return -EPROTO;
	walk.key_size = info.key_size;
	walk.value_size = info.value_size;
	for (uint32_t batch = BATCH; result == -ENOSPC && batch <= BATCH_MAX; batch *= 4)
		result = walk_batches(&walk, batch, cursor, &begun);
	if (!begun && result < 0)
		return walk_slowly(&walk);
	return result;
}
