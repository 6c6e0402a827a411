/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames made of frames: see frames.h. */
#include "frames.h"

#include "../wire.h"

enum { ICMP4 = 1, TCP = 6, UDP = 17, ICMP6 = 58, FIN = 1, SYN = 2 };

static void exchange(uint8_t *a, uint8_t *b, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		uint8_t kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/* Behind the Ethernet header and its tags, of which two have a VLAN id; the family, or 0. */
static int family_find(const struct bytes *f, bool l3, uint32_t *ip)
{
	uint32_t type = 12, vlans = 0;

	if (l3) {
		*ip = 0;
		return f->size ? f->data[0] >> 4 : 0;
	}
	for (int tags = 0; type + 2 <= f->size; tags++, type += 4) {
		uint16_t ethertype = wire_get16(f->data + type);

		*ip = type + 2;
		if (ethertype == 0x0800 || ethertype == 0x86dd)
			return ethertype == 0x0800 ? 4 : 6;
		if (ethertype != 0x8100 && ethertype != 0x88a8)
			return 0;
		if (type + 4 <= f->size)
			vlans += (wire_get16(f->data + type + 2) & 0xfff) != 0;
		if (vlans > 2 || tags == 10)
			return 0;
	}
	return 0;
}

static bool layout4(const struct bytes *f, struct layout *out)
{
	const uint8_t *ip = f->data + out->ip;
	uint32_t head = (ip[0] & 15) * 4u;

	if (f->size < out->ip + 20 || ip[0] >> 4 != 4 || head < 20 || wire_get16(ip + 6) & 0x3fff)
		return false;
	out->v4 = true;
	out->proto = ip[9];
	out->transport = out->ip + head;
	return true;
}

static uint32_t extension_size(uint8_t type, const uint8_t *head)
{
	switch (type) {
	case 44:
		return 8;
	case 51:
		return (head[1] + 2u) * 4;
	default:
		return (head[1] + 1u) * 8;
	}
}

static bool layout6(const struct bytes *f, struct layout *out)
{
	uint32_t at = out->ip + 40;
	uint8_t next;

	if (f->size < at || f->data[out->ip] >> 4 != 6)
		return false;
	next = f->data[out->ip + 6];
	for (int i = 0; i < 6; i++) {
		const uint8_t *head;

		if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60)
			break;
		if (at + 8 > f->size)
			return false;
		head = f->data + at;
		if (next == 44 && wire_get16(head + 2) & 0xfff9)
			return false;
		at += extension_size(next, head);
		next = head[0];
	}
	out->v4 = false;
	out->proto = next;
	out->transport = at;
	return true;
}

bool frame_layout(const struct bytes *frame, bool l3, struct layout *out)
{
	struct layout layout = {0};
	int family = family_find(frame, l3, &layout.ip);
	bool found = family == 4 ? layout4(frame, &layout) : family == 6 && layout6(frame, &layout);

	if (!found || layout.transport + (layout.proto == TCP ? 20 : 8) > frame->size)
		return false;
	*out = layout;
	return true;
}

static uint8_t echo_answer(uint8_t type)
{
	switch (type) {
	case 8:
		return 0;
	case 0:
		return 8;
	case 128:
		return 129;
	case 129:
		return 128;
	}
	return type;
}

static void tcp_answer(uint8_t *tcp, uint32_t rest)
{
	uint32_t sequence = wire_get32(tcp + 4), head = (tcp[12] >> 4) * 4u;
	uint32_t payload = rest > head ? rest - head : 0;

	payload += (tcp[13] & SYN) / SYN + (tcp[13] & FIN);
	exchange(tcp + 4, tcp + 8, 4);
	wire_put32(tcp + 8, sequence + payload);
}

bool frame_answer(const struct bytes *frame, bool l3, uint8_t flags, struct bytes *out)
{
	struct layout at;
	uint8_t *ip, *head;

	if (!frame_layout(frame, l3, &at))
		return false;
	*out = *frame;
	ip = out->data + at.ip;
	head = out->data + at.transport;
	if (at.v4)
		exchange(ip + 12, ip + 16, 4);
	else
		exchange(ip + 8, ip + 24, 16);
	if (at.proto == ICMP4 || at.proto == ICMP6)
		head[0] = echo_answer(head[0]);
	else
		exchange(head, head + 2, 2);
	if (at.proto == TCP) {
		tcp_answer(head, out->size - at.transport);
		head[13] = flags;
	}
	return true;
}

bool frame_again(const struct bytes *frame, bool l3, uint8_t flags, struct bytes *out)
{
	struct layout at;

	if (!frame_layout(frame, l3, &at))
		return false;
	*out = *frame;
	if (at.proto == TCP)
		out->data[at.transport + 13] = flags;
	return true;
}
