/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzz targets, apart from libFuzzer, so that the unit tests can replay an input. A violation
 * is printed on standard error and aborts. Run from the top of the tree.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Files of the front end, in sections: see front.c. */
void front_try(const uint8_t *data, size_t size);
/* A vendor's document: see document.c. */
void document_try(const uint8_t *data, size_t size);
/* A sequence of packets: see sequence.h. */
void packets_try(const uint8_t *data, size_t size);

#endif
