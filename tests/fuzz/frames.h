/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames as the fuzzers make new ones from old ones: find the headers, answer a frame, set TCP
 * flags. A second, slow and careful reading of the same bytes, deliberately not that of
 * bpf/packet.h.
 */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_MAX = 2048 };

struct bytes {
	uint8_t data[FRAME_MAX];
	uint32_t size;
};

struct layout {
	uint32_t ip, transport; /* offsets */
	bool v4;
	uint8_t proto;
};

/* False where it is no whole, unfragmented IP packet with a transport header. */
bool frame_layout(const struct bytes *frame, bool l3, struct layout *out);
/* The packet that the other side would send: addresses and ports swapped, echo requests become
 * replies, sequence numbers go on. TCP gets `flags`. False where there is none. */
bool frame_answer(const struct bytes *frame, bool l3, uint8_t flags, struct bytes *out);
/* The same packet once more with other TCP flags. */
bool frame_again(const struct bytes *frame, bool l3, uint8_t flags, struct bytes *out);

#endif
