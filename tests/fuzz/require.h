/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold under a fuzzer: said on standard error, then the end. */
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
