/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a table of sets (bpf/abi.h) entry by entry, many sets in one call where the kernel has
 * that. Programs go on writing meanwhile: what comes or goes may be missed, and an entry that is
 * replaced while it is copied may be of both; one that is there all the time is seen once.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_SETS = 1024, ENTRY_BYTES = sizeof(struct fr_flow) };

_Static_assert(sizeof(struct fr_flow_set) == sizeof(struct fr_drop_set) &&
		       sizeof(struct fr_flow) == sizeof(struct fr_drop),
	       "both tables are read alike");

static int visit_sets(const struct fr_flow_set *sets, uint32_t count, entry_visit visit,
		      void *context)
{
	int result = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS && !result; way++)
			if (sets[i].set.tag[way])
				result = visit(&sets[i].way[way], context);
	return result;
}

/* *count: sets that were read. */
static int read_sets(int fd, uint32_t at, uint32_t *keys, struct fr_flow_set *sets, uint32_t *count)
{
	uint32_t before = at - 1, after;

	if (!bpf_map_lookup_batch(fd, at ? &before : NULL, &after, keys, sets, count, NULL) ||
	    errno == ENOENT)
		return 0;
	if (errno != EINVAL && errno != ENOTSUP && errno != 524) /* the kernel's own ENOTSUPP */
		return -errno;
	*count = 1;
	return bpf_map_lookup_elem(fd, &at, sets) ? -errno : 0;
}

int sets_each(int fd, entry_visit visit, void *context)
{
	CLEANUP(free_ptr) struct fr_flow_set *sets = calloc(BATCH_SETS, sizeof(*sets));
	CLEANUP(free_ptr) uint32_t *keys = calloc(BATCH_SETS, sizeof(*keys));
	uint32_t all = 0, count;
	int result = fd_map_entries(fd, &all);

	if (!sets || !keys)
		return -ENOMEM;
	for (uint32_t at = 0; at < all && !result; at += count) {
		count = all - at < BATCH_SETS ? all - at : BATCH_SETS;
		result = read_sets(fd, at, keys, sets, &count);
		if (!result && !count)
			result = -EIO;
		if (!result)
			result = visit_sets(sets, count, visit, context);
	}
	return result;
}
