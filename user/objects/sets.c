/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a table of sets (bpf/abi.h) entry by entry, in the kernel's own memory, some sets at a
 * time. Programs keep writing meanwhile: an entry that is added or removed may be missed, and one
 * that stays is seen once. No entry is seen with the tag or key of one and the rest of another: a
 * program clears the tag of a way before it writes another key there.
 */
#include "sets.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../../bpf/abi.h"
#include "../host/host.h"

/* This many sets fill whole pages of up to 64 KB, and use little address space. */
enum { WINDOW_SETS = 4096, TRIES = 4 };

_Static_assert(sizeof(struct fr_flow_set) == sizeof(struct fr_drop_set) &&
		       sizeof(struct fr_flow) == sizeof(struct fr_drop) &&
		       offsetof(struct fr_flow, key) == 0 && offsetof(struct fr_drop, key) == 0,
	       "both tables are read alike");
_Static_assert(WINDOW_SETS * sizeof(struct fr_flow_set) % 65536 == 0, "whole pages");

/* Whether there is an entry; gives a copy that no program has replaced meanwhile. */
static bool entry_copy(const struct fr_flow_set *set, uint32_t way, struct fr_flow *out)
{
	for (int i = 0; i < TRIES; i++) {
		uint16_t tag = __atomic_load_n(&set->set.tag[way], __ATOMIC_ACQUIRE);

		if (!tag)
			return false;
		memcpy(out, &set->way[way], sizeof(*out));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&set->set.tag[way], __ATOMIC_RELAXED) == tag &&
		    !memcmp(&out->key, &set->way[way].key, sizeof(out->key)))
			return true;
	}
	return false;
}

static int visit_sets(const struct fr_flow_set *sets, uint32_t count, entry_visit visit,
		      void *context)
{
	struct fr_flow entry;
	int result = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS && !result; way++)
			if (entry_copy(&sets[i], way, &entry))
				result = visit(&entry, context);
	return result;
}

static int visit_window(int fd, uint32_t first, uint32_t count, entry_visit visit, void *context)
{
	size_t size = count * sizeof(struct fr_flow_set);
	off_t at = (off_t)first * sizeof(struct fr_flow_set);
	void *sets = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, at);
	int result;

	if (sets == MAP_FAILED)
		return -errno;
	result = visit_sets(sets, count, visit, context);
	munmap(sets, size);
	return result;
}

int sets_each(int fd, entry_visit visit, void *context)
{
	uint32_t all = 0, count;
	int result = fd_map_entries(fd, &all);

	for (uint32_t at = 0; at < all && !result; at += count) {
		count = all - at < WINDOW_SETS ? all - at : WINDOW_SETS;
		result = visit_window(fd, at, count, visit, context);
	}
	return result;
}
