/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tuples at which the answers of a ruleset can change (boundary-value analysis).
 */
#ifndef TESTS_BOUNDARY_TUPLES_H
#define TESTS_BOUNDARY_TUPLES_H

#include "../user/policy/policy.h"

typedef int (*tuple_visit)(const struct tuple *tuple, void *context);

/* For each direction, the first and the last of each prefix and range, and their neighbours. Calls
 * `visit` until it returns non-zero; returns that. At most `limit` tuples, chosen by `seed` when
 * there are more. */
int boundary_tuples(const struct ruleset *rs, uint64_t seed, size_t limit, tuple_visit visit,
		    void *context);

#endif
