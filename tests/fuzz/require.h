/* SPDX-License-Identifier: GPL-2.0-only */
/* Invariants under a fuzzer: a violation goes to standard error and aborts. */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(held, what)                                                                        \
	do {                                                                                       \
		if (!(held)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, what);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
