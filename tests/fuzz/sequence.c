/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to steps: see sequence.h. */
#include "sequence.h"

#include <string.h>

enum { ETHERNET = 14, FIN = 1, SYN = 2, RST = 4, ACK = 16, DEVICE = 2, OTHER_DEVICE = 3 };
enum { TO_HOST, TO_ALL, TO_GROUP, TO_OTHERS };
enum { WHAT_AGAIN = 10, WHAT_ANSWER, WHAT_POLICY, WHAT_TIME, WHAT_ANSWER_TCP, WHAT_SHAKE };

void cursor_open(struct cursor *cursor, const uint8_t *data, size_t size, bool plain)
{
	memset(cursor, 0, offsetof(struct cursor, frame));
	cursor->data = data;
	cursor->size = size;
	cursor->plain = plain;
	cursor->frame.size = 0;
}

static uint8_t take(struct cursor *c)
{
	if (!c->size)
		return 0;
	c->size--;
	return *c->data++;
}

static uint16_t ethertype_of(const struct bytes *f)
{
	return f->size >= ETHERNET ? (uint16_t)(f->data[12] << 8 | f->data[13]) : 0;
}

/* As eth_type_trans() has it. */
static uint16_t protocol_of(const struct bytes *f)
{
	uint16_t type = ethertype_of(f);

	if (type >= 0x600)
		return type;
	return f->size >= ETHERNET + 2 && f->data[14] == 0xff && f->data[15] == 0xff ? 1 : 4;
}

/* A test run takes the packet's first bytes for the Ethernet header: make it say IP. */
static void l3_disguise(struct bytes *f)
{
	if (f->size >= 20 && f->data[0] >> 4 == 4)
		memcpy(f->data + 12, "\x08", 2);
	else if (f->size >= 40 && f->data[0] >> 4 == 6)
		memcpy(f->data + 12, "\x86\xdd", 2);
}

static void frame_take(struct cursor *c)
{
	uint32_t length = take(c);
	uint32_t skip = c->l3 ? ETHERNET : 0;

	length |= (uint32_t)take(c) << 8;
	if (length > c->size)
		length = (uint32_t)c->size;
	if (length > FRAME_MAX)
		length = FRAME_MAX;
	if (length < skip)
		skip = length;
	memcpy(c->frame.data, c->data + skip, length - skip);
	c->frame.size = length - skip;
	c->data += length;
	c->size -= length;
	if (c->l3 && c->plain)
		l3_disguise(&c->frame);
}

static bool answer_take(struct cursor *c, uint8_t flags)
{
	struct bytes old = c->frame;

	if (!frame_answer(&old, c->l3, flags, &c->frame))
		return false;
	c->dir = !c->dir;
	if (c->l3 && c->plain)
		l3_disguise(&c->frame);
	return true;
}

/* TCP's answer to the last packet. */
static uint8_t flags_answering(const struct cursor *c, uint8_t option)
{
	struct layout at;
	uint8_t flags;

	if (!frame_layout(&c->frame, c->l3, &at) || at.proto != 6)
		return ACK;
	flags = c->frame.data[at.transport + 13];
	if ((flags & (SYN | ACK)) == SYN)
		return option & 1 ? RST | ACK : SYN | ACK;
	return option & 2 ? FIN | ACK : ACK;
}

/* As eth_type_trans() has it, of a device that has another address. */
static uint8_t type_of(const struct bytes *f)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};

	if (f->size < 6 || !(f->data[0] & 1))
		return TO_OTHERS;
	return memcmp(f->data, all, sizeof(all)) ? TO_GROUP : TO_ALL;
}

static void packet_fill(const struct cursor *c, uint8_t option, struct native_packet *out)
{
	static const uint32_t linear[] = {FRAME_MAX, 0, 14, 18, 34, 54, 62, 74};
	static const uint8_t sockets[] = {0, 1, 10, 0}, streams[] = {0, 1, 10, 0, 2, 12, 1, 0};
	uint32_t skip = !c->l3 && c->kind == FR_KIND_CGROUP ? ETHERNET : 0;

	memset(out, 0, sizeof(*out));
	out->kind = c->kind;
	out->dir = c->dir;
	out->l3 = c->l3;
	out->data = c->frame.data + skip;
	out->size = c->frame.size < skip ? 0 : c->frame.size - skip;
	out->linear = FRAME_MAX;
	out->protocol = protocol_of(&c->frame);
	out->ifindex = DEVICE;
	out->type = type_of(&c->frame);
	out->ingress_ifindex = option & 16 ? OTHER_DEVICE : 0;
	if (c->plain)
		return;
	if (c->l3 && c->frame.size)
		out->protocol = c->frame.data[0] >> 4 == 6 ? 0x86dd : 0x0800;
	out->linear = linear[option & 7];
	if (out->type == TO_OTHERS && c->frame.size > 5 && c->frame.data[5] & 1)
		out->type = TO_HOST;
	out->vlan = option & 8 ? 1 << 15 | 5 : 0;
	out->host.tcp_state = streams[option >> 5];
	out->host.udp_state = sockets[option >> 5 & 3];
	out->host.tcp_listener = option & 128 ? 10 : 0;
	out->host.forwards = (option >> 5) == 7;
	out->host.decrypted = (option >> 5) == 3;
}

/* 1: a packet is ready. 0: there is none. */
static bool packet_take(struct cursor *c, uint8_t what, uint8_t option)
{
	struct bytes old;

	switch (what) {
	case WHAT_AGAIN:
		old = c->frame;
		return frame_again(&old, c->l3, option, &c->frame);
	case WHAT_ANSWER:
		return answer_take(c, option);
	case WHAT_ANSWER_TCP:
		return answer_take(c, flags_answering(c, option));
	case WHAT_SHAKE:
		c->shake = 2;
		return answer_take(c, SYN | ACK);
	}
	frame_take(c);
	return c->frame.size;
}

static bool step_packet(struct cursor *c, uint8_t head, uint8_t option, struct step *out)
{
	uint8_t what = head >> 4;

	if (what < WHAT_AGAIN) {
		c->l3 = head >> 3 & 1;
		c->dir = head >> 2 & 1;
		c->kind = head & 3;
		c->kind = c->kind < FR_KINDS ? c->kind : FR_KIND_INTERFACE;
		if (c->kind == FR_KIND_CGROUP)
			c->l3 = false;
	}
	if (!packet_take(c, what, option))
		return false;
	out->what = STEP_PACKET;
	packet_fill(c, what < WHAT_AGAIN ? option : 0, &out->packet);
	return true;
}

bool cursor_next(struct cursor *c, struct step *out)
{
	memset(out, 0, sizeof(*out));
	if (c->shake && c->shake--) {
		out->what = STEP_PACKET;
		if (answer_take(c, ACK)) {
			packet_fill(c, 0, &out->packet);
			return true;
		}
	}
	while (c->size && c->steps++ < STEPS_MAX) {
		uint8_t head = take(c), option = take(c);

		if (head >> 4 == WHAT_POLICY || head >> 4 == WHAT_TIME) {
			out->what = head >> 4 == WHAT_POLICY ? STEP_POLICY : STEP_TIME;
			out->policy = option;
			out->seconds = option * (uint32_t)STEP_UNIT;
			return true;
		}
		if (step_packet(c, head, option, out))
			return true;
	}
	return false;
}
