/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes that wait for their confirmation, and enforcement that ends at a time. */
#ifndef DATAPATH_PENDING_H
#define DATAPATH_PENDING_H

#include "change.h"

/* Refuses a change while another waits for its confirmation, and one that would hide an end. */
int pending_check(const struct change *change);
/* Makes what has to exist before the flip: its record, and all that the generation in force needs
 * to be whole in the new epoch. */
int pending_prepare(struct change *change);
/* The deadline of the new image, last before the flip; and the other half of it after the flip. */
int pending_begin(const struct change *change);
int pending_complete(const struct change *change);
/* Under the lock. Past a deadline: stores the generation that is in force in the first slot, so
 * that the rest can be removed. Updates *running. */
int pending_settle(struct running *running);
/* The change that is pending, or that ended in the generation in force; -ENOENT: none. */
int pending_find(const struct running *running, struct pending *out);
/* Of the epoch in running->undone. */
int pending_undone(const struct running *running, struct pending *out);
/* Reports the change that waits for its confirmation, as what prevents another command. */
int pending_refuse(const char *root, const char *policy, const struct pending *first,
		   struct diags *d);
/* Ends a change that waits, and enforcement until a time, now; settles it. Before all of a policy
 * goes. */
int pending_end(struct running *running);
/* The highest generation that was ever in force, as far as slots and records show. */
int pending_last(const struct running *running, uint32_t *out);

#endif
