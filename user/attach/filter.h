/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters of the clsact qdisc, for kernels without TCX. */
#ifndef ATTACH_FILTER_H
#define ATTACH_FILTER_H

#include "hook_program.h"

/* The key of a filter. The two filters of a device have the same. */
struct filter_id {
	uint32_t priority, handle;
};
/* In a record; false when the point is not attached by filters. */
bool filter_id_read(const struct fr_hook_record *point, struct filter_id *out);
void filter_id_write(struct fr_hook_record *point, const struct filter_id *id);
/* A new id for the policy whose directory is `dir`. Filters of several policies and pin roots share
 * a priority: the upper half of a handle is the policy's, the lower half the number. */
struct filter_id filter_id_new(const char *dir, uint32_t number);
uint32_t filter_id_number(const struct filter_id *id);

/* In the network namespace of the device: the id of the program, 0 when there is no filter. */
int filter_program(const struct hook_ref *ref, uint32_t *out);
int filter_update(const struct hook_ref *ref, int program);
int filter_remove(const struct hook_ref *ref);

/* Programs for the hooks of a point, opened by the caller. */
struct filter_set {
	struct fr_hook_record *point;
	const struct hook_program *hooks;
	const int *programs;
	size_t count;
};
/* Creates all of them at one priority, which the record names beforehand; all or none. *failed: the
 * hook whose filter was refused. */
int filters_create(const struct filter_set *set, size_t *failed);

#endif
