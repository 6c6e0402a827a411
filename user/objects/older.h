/* SPDX-License-Identifier: GPL-2.0-only */
/* Older layouts. */
#ifndef OBJECTS_OLDER_H
#define OBJECTS_OLDER_H

#include "../base/base.h"
#include "maps.h"
#include "records.h"
#include "sets.h"

/* The present layout, or an older one that apply takes over. */
bool layout_is_known(uint32_t abi);
/* Converts records of an older layout into a private copy, for records_unmap(); no pin changes.
 * -EBADMSG: they do not have that layout. */
int older_records(const char *name, const struct records *old, struct records *out);
/* The requests of a layout that has no records of them. -ENOENT: it has them. */
int older_requests(const struct records *state, const struct records *hooks, struct records *out);
/* Makes an image of an older layout, by `head`, one that current programs read. */
void older_image(struct fr_image_head *head, uint32_t layout);
/* Current programs share this map with older ones. */
bool older_map_goes_on(enum kernel_map which);
/* Each flow in the tables of an older epoch, as a struct fr_flow. As sets_each(). */
int older_flows_each(const char *pins, uint32_t layout, entry_visit visit, void *context);
/* The capacity of those tables, 0 when unknown. */
int older_flows_room(const char *pins, uint32_t layout, uint32_t *out);
/* Copies the counters of rules, reasons and tallies that both layouts have into the maps of a new
 * epoch in which no program counts yet. */
int older_figures(const char *pins, uint32_t layout, const char *new_pins, uint32_t slots);

#endif
