/* SPDX-License-Identifier: GPL-2.0-only */
/* Layouts before the present one. */
#ifndef OBJECTS_OLDER_H
#define OBJECTS_OLDER_H

#include "../base/base.h"
#include "maps.h"
#include "records.h"
#include "sets.h"

/* This one, or one before, which apply takes over. */
bool layout_is_known(uint32_t abi);
/* Records of the layout before as those of today, in memory of their own for records_unmap(), which
 * changes nothing that is pinned; -EBADMSG: they are not of that. */
int older_records(const char *name, const struct records *old, struct records *out);
/* Programs of today share this map with those of before. */
bool older_map_goes_on(enum kernel_map which);
/* Each flow in the tables of an epoch of before, as a struct fr_flow. As sets_each(). */
int older_flows_each(const char *pins, uint32_t layout, entry_visit visit, void *context);
/* How many flows they were made for, 0 when that cannot be told. */
int older_flows_room(const char *pins, uint32_t layout, uint32_t *out);
/* The figures of rules, reasons and tallies, where those that are kept today were kept before, into
 * the maps of a new epoch in which nothing counts yet. */
int older_figures(const char *pins, uint32_t layout, const char *new_pins, uint32_t slots);

#endif
