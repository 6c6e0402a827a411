/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzzer's input as steps: packets on hooks, the passing of time, another policy. Any bytes are a
 * sequence.
 *
 *   input   policy, then steps                    policy: 1 byte, see test_policy.h
 *   step    what << 4 | l3 << 3 | dir << 2 | kind, option, and for a packet its length (u16, little
 *           endian) and bytes, from the Ethernet header on
 *   what    0…9 a packet; 10 the last one again, 11 the answer to it (option: TCP flags);
 *           12 another policy; 13 four seconds times the option; 14 the answer, as if by TCP's
 * rules; 15 a batch of three answers to and fro: SYN, SYN-ACK, ACK option  of a packet: bits 0-2
 * how much is linear, 3 an accelerated tag, 4 came in by another device, 5-7 the host's state
 */
#ifndef FUZZ_SEQUENCE_H
#define FUZZ_SEQUENCE_H

#include <stddef.h>

#include "frames.h"
#include "native.h"

enum { STEPS_MAX = 48, PACKETS_MAX = 3 * STEPS_MAX, STEP_UNIT = 4 };

enum step_what { STEP_PACKET, STEP_POLICY, STEP_TIME };

struct step {
	uint8_t what; /* enum step_what */
	uint8_t policy;
	uint32_t seconds;
	struct native_packet packet; /* data: in the cursor's frame */
};

struct cursor {
	const uint8_t *data;
	size_t size;
	bool plain; /* only what BPF_PROG_TEST_RUN can make: linear, no accelerated tag */
	unsigned steps, shake;
	uint8_t kind, dir;
	bool l3;
	struct bytes frame; /* the last one; l3: without an Ethernet header */
};

void cursor_open(struct cursor *cursor, const uint8_t *data, size_t size, bool plain);
/* False at the end. The step is valid until the next call. */
bool cursor_next(struct cursor *cursor, struct step *out);

#endif
