/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's parser, compiled natively: a described packet in, a struct fr_packet out. The bytes
 * lie in a heap block of exactly their size, so that a read past the end is an error of the
 * sanitizer.
 */
#ifndef PACKET_FIXTURE_H
#define PACKET_FIXTURE_H

#include "../../bpf/flow.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "../wire.h"

enum { SYN = FR_TCP_SYN, ACK = FR_TCP_ACK, FIN = FR_TCP_FIN, RST = FR_TCP_RST };

/* As the programs on a device do it: Ethernet, tags, then IP or something else. */
static inline struct fr_packet parse_bytes(const uint8_t *data, uint32_t size, uint8_t dir)
{
	struct fr_packet p = {.dir = dir};
	uint8_t *copy = malloc(size ? size : 1);
	struct fr_buffer buffer = {.data = copy, .end = copy + size, .size = size};
	uint16_t ethertype = 0, vlan = 0;
	uint32_t offset = 0;

	memcpy(copy, data, size);
	p.outcome = packet_ethernet(&buffer, &offset, &ethertype, &vlan);
	p.key.vlan = vlan;
	if (p.outcome == FR_IP && (ethertype == ETH_P_IP || ethertype == ETH_P_IPV6))
		p.outcome = packet_parse(&buffer, offset, ethertype == ETH_P_IP, &p);
	else if (p.outcome == FR_IP)
		p.outcome = packet_non_ip(&buffer, offset, ethertype);
	free(copy);
	return p;
}

static inline struct fr_packet parse(const struct wire *w)
{
	struct frame frame;

	wire_make(w, &frame);
	return parse_bytes(frame.data, frame.size, w->dir);
}

#define PARSE(...) parse(&(struct wire){__VA_ARGS__})

#endif
