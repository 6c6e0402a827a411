/* SPDX-License-Identifier: GPL-2.0-only */
/* How a policy was applied. */
#ifndef DATAPATH_STATE_H
#define DATAPATH_STATE_H

#include "datapath.h"

/* Writes the command of an apply to its record of state; -E2BIG with a diagnostic when it is too
 * long. */
int words_store(const struct apply_request *request, struct diags *d, struct fr_state *out);
/* The options that a later command repeats, without those of the end; arena memory. Returns their
 * number. */
size_t words_lasting(const struct apply_request *request, struct arena *arena,
		     const char *const **out);
/* The options of a record; arena memory. Returns their number. */
size_t words_load(const struct fr_state *state, struct arena *arena, const char ***out);
/* The directory to look for the policy's cgroups in: from the host's options, else as it was
 * applied. */
struct host_options words_host(const struct fr_state *state, const struct host_options *o,
			       struct arena *arena);
int instance_state(const struct instance *instance, struct fr_state *out);

#endif
