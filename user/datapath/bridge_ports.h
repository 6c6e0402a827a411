/* SPDX-License-Identifier: GPL-2.0-only */
/* Attached interfaces that are ports of a bridge, and guests of a party. */
#ifndef DATAPATH_BRIDGE_PORTS_H
#define DATAPATH_BRIDGE_PORTS_H

#include "change.h"

/* Find them; compare them with the ports that the programs know; write them to the programs of
 * change->pins. */
int ports_plan(struct change *change);
bool ports_same(const struct change *change);
int ports_pinned(const struct change *change, bool *out); /* else new programs are made */
int ports_store(const struct change *change);
/* Why the programs' data on the bridge of this interface is outdated; NULL: it is current, or there
 * is no bridge. An error: unknown. */
int port_fault(const struct instance *instance, const struct fr_hook_record *hook,
	       struct arena *arena, const char **out);

/* The device whose scope the flows of this guest have; 0: its own. */
uint32_t guest_party(const struct instance *instance, uint32_t ifindex);

#endif
