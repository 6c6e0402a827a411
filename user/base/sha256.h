/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ways to SHA-256, for the test that holds them to one another. Not a door: everybody else
 * takes sha256() of base.h, which chooses.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base.h"

/* Take `count` blocks of 64 bytes into the state. */
typedef void (*absorb_fn)(uint32_t state[8], const uint8_t *blocks, size_t count);

/* Without the processor's own instructions. */
void sha256_plainly(const void *data, size_t size, uint8_t out[32]);

#endif
