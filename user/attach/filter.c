/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters of clsact: a filter has no pin, so the record of its attach point keeps its priority and
 * handle.
 */
#include "filter.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#include "../host/host.h"

enum { PRIORITIES = 8 };

/* ---------------------------------------------------------------- priority and handle */

bool filter_id_read(const struct fr_hook_record *point, struct filter_id *out)
{
	return sscanf(point->pin, "tc-%u-%x", &out->priority, &out->handle) == 2;
}

void filter_id_write(struct fr_hook_record *point, const struct filter_id *id)
{
	snprintf(point->pin, sizeof(point->pin), "tc-%u-%x", id->priority, id->handle);
}

struct filter_id filter_id_new(const char *dir, uint32_t number)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *dir; dir++)
		hash = (hash ^ (uint8_t)*dir) * 16777619u;
	hash = (hash ^ hash << 16) | 0x10000;
	return (struct filter_id){.priority = 1, .handle = (hash & 0xffff0000) | number};
}

uint32_t filter_id_number(const struct filter_id *id)
{
	return id->handle & 0xffff;
}

/* ---------------------------------------------------------------- one filter */

struct filter {
	struct bpf_tc_hook hook;
	struct bpf_tc_opts options;
};

static bool filter_of(const struct fr_hook_record *point, const struct hook_program *hook,
		      struct filter *out)
{
	bool ingress = hook->attach_type == ATTACH_TCX_INGRESS;
	struct filter_id id;

	if (!filter_id_read(point, &id))
		return false;
	*out = (struct filter){
		.hook = {.sz = sizeof(out->hook),
			 .ifindex = (int)point->ifindex,
			 .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS},
		.options = {.sz = sizeof(out->options),
			    .handle = id.handle,
			    .priority = id.priority},
	};
	return true;
}

/* No such filter: also when the qdisc (EINVAL) or the device (ENODEV) is gone. */
static bool filter_absent(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

int filter_program(const struct hook_ref *ref, uint32_t *out)
{
	struct filter filter;
	int err = -ENOENT;

	if (filter_of(ref->point, ref->hook, &filter))
		err = bpf_tc_query(&filter.hook, &filter.options);
	if (err && !filter_absent(err))
		return err;
	*out = err ? 0 : filter.options.prog_id;
	return 0;
}

int filter_update(const struct hook_ref *ref, int program)
{
	struct filter filter;

	if (!filter_of(ref->point, ref->hook, &filter))
		return -EINVAL;
	filter.options.prog_fd = program;
	filter.options.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&filter.hook, &filter.options);
}

static int filter_create(const struct fr_hook_record *point, const struct hook_program *hook,
			 int program)
{
	struct filter filter;
	int err;

	if (!filter_of(point, hook, &filter))
		return -EINVAL;
	err = bpf_tc_hook_create(&filter.hook);
	if (err && err != -EEXIST)
		return err;
	filter.options.prog_fd = program;
	return bpf_tc_attach(&filter.hook, &filter.options);
}

int filter_remove(const struct hook_ref *ref)
{
	struct filter filter;
	int err = -ENOENT;

	if (filter_of(ref->point, ref->hook, &filter))
		err = bpf_tc_detach(&filter.hook, &filter.options);
	return filter_absent(err) ? 0 : err;
}

/* ---------------------------------------------------------------- all filters of a point */

static int filters_try(const struct filter_set *set, size_t *failed)
{
	int err = 0;

	for (size_t i = 0; i < set->count && !err; i++) {
		err = filter_create(set->point, &set->hooks[i], set->programs[i]);
		*failed = i;
	}
	for (size_t i = 0; i < *failed && err; i++)
		filter_remove(&(struct hook_ref){.point = set->point, .hook = &set->hooks[i]});
	return err;
}

/* Priority 1 comes first; another classifier than bpf there, in either direction, prevents it. */
int filters_create(const struct filter_set *set, size_t *failed)
{
	struct filter_id id;
	int err = -EINVAL;

	if (!filter_id_read(set->point, &id))
		return -EINVAL;
	for (; err == -EINVAL && id.priority <= PRIORITIES; id.priority++) {
		filter_id_write(set->point, &id);
		err = filters_try(set, failed);
	}
	return err;
}
