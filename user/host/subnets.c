/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subnets whose members may answer a question that was put to a group.
 */
#include "subnets.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "interfaces.h"

struct subnet_search {
	struct diags *d;
	struct interfaces all;
	bool *asked; /* by interface */
	struct prefix *list;
	size_t count, capacity;
};

static bool has_subnet(const struct subnet_search *search, const struct prefix *prefix)
{
	for (size_t i = 0; i < search->count; i++)
		if (search->list[i].length == prefix->length &&
		    addr_equal(&search->list[i].addr, &prefix->addr))
			return true;
	return false;
}

static int add_subnets(struct subnet_search *search, uint32_t ifindex)
{
	struct arena *arena = search->d->arena;
	const struct interface *device = interface_at(&search->all, ifindex);
	struct prefix *list;
	size_t count;
	int err;

	if (!device || device->loopback || search->asked[device - search->all.list])
		return 0;
	search->asked[device - search->all.list] = true;
	err = host_subnets(arena, ifindex, search->d, &list, &count);
	for (size_t i = 0; i < count && !err; i++) {
		if (list[i].length == 128 || has_subnet(search, &list[i]))
			continue;
		search->list = arena_grow(arena, search->list, search->count, &search->capacity,
					  sizeof(*search->list));
		search->list[search->count++] = list[i];
	}
	return err;
}

static int target_subnets(struct subnet_search *search, const struct attach_target *target)
{
	const struct interface *device = interface_at(&search->all, target->ifindex);
	int err = 0;

	if (target->kind == FR_KIND_CGROUP) {
		for (size_t i = 0; i < search->all.count && !err; i++)
			err = add_subnets(search, search->all.list[i].ifindex);
		return err;
	}
	err = add_subnets(search, target->ifindex);
	if (err || !device || !device->master)
		return err;
	return add_subnets(search, device->master);
}

static int by_length(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;

	if (a->length != b->length)
		return a->length > b->length ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

int local_subnets(const struct attach_target *targets, size_t count, struct diags *d,
		  struct prefix **out, size_t *found)
{
	struct subnet_search search = {.d = d};
	int err = host_interfaces(d->arena, d, &search.all.list, &search.all.count);

	if (err)
		return err;
	search.asked = arena_alloc(d->arena, (search.all.count + 1) * sizeof(*search.asked));
	for (size_t i = 0; i < count && !err; i++)
		err = target_subnets(&search, &targets[i]);
	if (err)
		return err;
	if (search.count)
		qsort(search.list, search.count, sizeof(*search.list), by_length);
	if (search.count > FR_SUBNETS) {
		diag_note(d, NO_LOC, "many-subnets",
			  "where one of the others has to answer, name it as a peer of the rule, "
			  "with answers: group",
			  "the attached devices have %zu subnets; members of %d of them, those "
			  "with the longest prefixes, may answer a question to a group",
			  search.count, FR_SUBNETS);
		search.count = FR_SUBNETS;
	}
	*out = search.list;
	*found = search.count;
	return 0;
}

int hooks_subnets(const struct fr_hook_record *hooks, size_t count, struct diags *d,
		  struct prefix **out, size_t *found)
{
	struct attach_target *targets = arena_alloc(d->arena, (count + 1) * sizeof(*targets));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (hooks[i].used)
			targets[used++] = (struct attach_target){.kind = hooks[i].kind,
								 .ifindex = hooks[i].ifindex};
	return local_subnets(targets, used, d, out, found);
}

void subnets_fill(const struct prefix *list, size_t count, struct fr_subnet *out)
{
	memset(out, 0, FR_SUBNETS * sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		uint64_t high = htobe64(mask_high(list[i].length)),
			 low = htobe64(mask_low(list[i].length));

		memcpy(out[i].address, list[i].addr.b, sizeof(list[i].addr.b));
		memcpy(out[i].mask, &high, sizeof(high));
		memcpy(out[i].mask + sizeof(high), &low, sizeof(low));
	}
}
