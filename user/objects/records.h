/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps that only user space uses. */
#ifndef OBJECTS_RECORDS_H
#define OBJECTS_RECORDS_H

#include "../base/base.h"

struct records {
	void *list;
	uint32_t count;
	size_t size; /* of the mapping */
};
int records_create(const char *name, uint32_t value_size, uint32_t count, struct records *out);
int records_map(int fd, struct records *out);
void records_unmap(struct records *records);
int records_open(const char *dir, const char *name, uint32_t generation, struct records *out);

#endif
