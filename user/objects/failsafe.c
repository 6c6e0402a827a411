/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of failsafe rules in the kernel, by generation: see struct fr_failsafe. */
#include "failsafe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "maps.h"
#include "pins.h"

static uint32_t place_of(uint32_t generation)
{
	return generation % FR_FAILSAFE_LISTS;
}

/* Of no entries where the count is larger than a list. */
static uint64_t digest_of(const struct fr_failsafe *list)
{
	uint32_t count = list->count <= FR_FAILSAFE_ENTRIES ? list->count : 0;
	uint8_t digest[32];
	uint64_t out;

	sha256(list->entry, count * sizeof(*list->entry), digest);
	memcpy(&out, digest, sizeof(out));
	return out;
}

uint32_t failsafe_generation_after(uint32_t last, uint32_t current, uint32_t before)
{
	do
		last++;
	while ((current && place_of(last) == place_of(current)) ||
	       (before && place_of(last) == place_of(before)));
	return last;
}

int failsafe_open(const char *pins)
{
	return pin_open_map(pins, map_names[MAP_FAILSAFE], sizeof(uint32_t),
			    sizeof(struct fr_failsafe));
}

int failsafe_store(int map, uint32_t generation, const struct fr_failsafe *list)
{
	struct fr_failsafe own = *list;
	uint32_t place = place_of(generation);

	own.generation = generation;
	own.digest = digest_of(list);
	return bpf_map_update_elem(map, &place, &own, BPF_ANY) ? -errno : 0;
}

int failsafe_read(int map, uint32_t generation, struct fr_failsafe *out)
{
	uint32_t place = place_of(generation);
	struct fr_failsafe found;

	if (bpf_map_lookup_elem(map, &place, &found))
		return -errno;
	if (found.generation != generation)
		return -ENODATA;
	*out = found;
	return 0;
}

int failsafe_intact(int map, uint32_t generation, bool *out)
{
	struct fr_failsafe list;
	int err = failsafe_read(map, generation, &list);

	*out = !err && list.count <= FR_FAILSAFE_ENTRIES && list.digest == digest_of(&list);
	return err == -ENODATA ? 0 : err;
}
