/* SPDX-License-Identifier: GPL-2.0-only */
/* Attached interfaces that are ports of a bridge. */
#ifndef DATAPATH_BRIDGE_PORTS_H
#define DATAPATH_BRIDGE_PORTS_H

#include "change.h"

/* Find them; compare them with those that the programs know; write them to the programs of
 * change->pins. */
int ports_plan(struct change *change);
bool ports_same(const struct change *change);
int ports_pinned(const struct change *change, bool *out); /* else new programs are made */
int ports_store(const struct change *change);
/* Why what the programs know of the bridge of this interface holds no longer; NULL: it does, or
 * there is none. An error: that is not known. */
int port_fault(const struct instance *instance, const struct fr_hook_record *hook,
	       struct arena *arena, const char **out);

#endif
