/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fewer repetitions where each is much slower than on real hardware: $FLOWREEVE_TEST_THIN=8 makes
 * an eighth of them. For repetitions with other random numbers, never for cases.
 */
#ifndef TESTS_THIN_H
#define TESTS_THIN_H

#include <stdlib.h>

static inline unsigned thin_by(void)
{
	const char *text = getenv("FLOWREEVE_TEST_THIN");
	int by = text ? atoi(text) : 1;

	return by > 1 ? (unsigned)by : 1;
}

/* At least one. */
static inline unsigned thin(unsigned count)
{
	return count > thin_by() ? count / thin_by() : 1;
}

#endif
