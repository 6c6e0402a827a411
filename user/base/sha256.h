/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two implementations of SHA-256, for the test that compares them. Internal: all other code
 * uses sha256() of base.h, which chooses one.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base.h"

/* Take `count` blocks of 64 bytes into the state. */
typedef void (*absorb_fn)(uint32_t state[8], const uint8_t *blocks, size_t count);

/* Without the processor's SHA instructions. */
void sha256_plainly(const void *data, size_t size, uint8_t out[32]);

#endif
