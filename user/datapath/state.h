/* SPDX-License-Identifier: GPL-2.0-only */
/* How a policy was applied. */
#ifndef DATAPATH_STATE_H
#define DATAPATH_STATE_H

#include "datapath.h"

/* The command of an apply goes to its record of state, whole: -E2BIG with a diagnostic when it is
 * too long. */
int words_store(const struct apply_request *request, struct diags *d, struct fr_state *out);
/* The options; arena memory. Returns how many words. */
size_t words_load(const struct fr_state *state, struct arena *arena, const char ***out);
/* Where the policy's cgroups are looked for: as the host's options say, else as it was applied. */
struct host_options words_host(const struct fr_state *state, const struct host_options *o,
			       struct arena *arena);
int instance_state(const struct instance *instance, struct fr_state *out);

#endif
