/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The result of bpf/packet.h for a packet, natively and from a block of exactly its size, and the
 * properties that hold for any packet: they abort on a violation.
 */
#ifndef FUZZ_PARSED_H
#define FUZZ_PARSED_H

#include "../../bpf/flow.h"

#include "frames.h"
#include "native.h"

/* As the program of the packet's hook parses it. */
struct fr_packet parsed_of(const struct native_packet *packet);
/* Fields in range; a shorter packet is never more; the answer has the same key. */
void parsed_check(const struct native_packet *packet);

#endif
