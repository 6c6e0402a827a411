/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes attachments and pins agree with the generation in force. */
#ifndef DATAPATH_RECONCILE_H
#define DATAPATH_RECONCILE_H

#include "../objects/objects.h"

/* Makes everything below <root>/<policy> belong to the generation in force: links point at its
 * programs, and leftovers of interrupted or finished changes are removed. Under the lock. */
int policy_reconcile(const char *root, const char *policy, struct diags *d, struct running *out);
int policy_remove(const char *root, const char *policy, struct diags *d);

#endif
