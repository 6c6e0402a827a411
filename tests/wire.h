/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any packet, byte by byte: tags, IPv4 options, IPv6 extension headers, fragments, TCP flags, ICMP.
 * Described as the protected party sees it, so that a reply is the same description with the other
 * direction. For the natively compiled parser and for BPF_PROG_TEST_RUN alike, and therefore
 * without any network header of the C library. Checksums are 0: no reader checks them.
 */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../bpf/abi.h"

enum { WIRE_ETHERNET = 14, WIRE_MAX = 4096, WIRE_HOST = 9, WIRE_SEQ = 0x1234567 };

struct wire {
	bool v6;
	uint8_t dir;	      /* enum fr_dir */
	uint8_t proto;	      /* 1 is the ICMP of the family, unless: */
	bool exact;	      /* 1 is 1 in IPv6 too */
	uint8_t flags;	      /* TCP */
	uint32_t seq, ack;    /* TCP; 0: WIRE_SEQ, and with ACK what follows it */
	uint16_t local, peer; /* ports */
	uint8_t type, code;   /* ICMP */
	uint16_t id;
	uint8_t hops;	  /* 0: 64 */
	uint8_t host;	  /* last byte of the peer's address; 0: WIRE_HOST */
	uint16_t payload; /* bytes behind the transport header */
	const uint8_t *local_addr,
		*peer_addr; /* else 198.51.100.1 and 192.0.2.host, or 2001:db8… */
	const void *body;   /* in place of the transport header */
	uint16_t body_size;
	const uint8_t *to; /* Ethernet address; else 0 */
	uint8_t tags;
	uint16_t tag[12];
	uint8_t options;   /* words of IPv4 options */
	uint8_t ext_count; /* IPv6 extension headers, 8 bytes each */
	uint8_t ext[12];
	uint8_t inner; /* IPv6: an extension header of 8 bytes behind the fragment header; 0 none */
	bool fragment, more;
	uint16_t offset; /* in units of 8 bytes */
	uint32_t fragment_id;
	uint16_t trailer; /* bytes behind the end of the IP packet */
};

struct frame {
	uint8_t data[WIRE_MAX];
	uint32_t size;
	uint32_t ip, transport; /* offsets */
};

static inline void wire_put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void wire_put32(uint8_t *at, uint32_t value)
{
	wire_put16(at, value >> 16);
	wire_put16(at + 2, value);
}

static inline uint16_t wire_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_get32(const uint8_t *at)
{
	return (uint32_t)wire_get16(at) << 16 | wire_get16(at + 2);
}

static inline uint8_t wire_proto(const struct wire *w)
{
	return w->proto == 1 && w->v6 && !w->exact ? 58 : w->proto;
}

static inline void wire_address(const struct wire *w, bool local, uint8_t *out)
{
	static const uint8_t v4[2][4] = {{192, 0, 2, 0}, {198, 51, 100, 1}};
	static const uint8_t v6[2][16] = {{0x20, 1, 0x0d, 0xb8, 0, 9}, {0x20, 1, 0x0d, 0xb8, 0, 1}};
	const uint8_t *given = local ? w->local_addr : w->peer_addr;
	uint32_t size = w->v6 ? 16 : 4;

	if (given) {
		memcpy(out, given, size);
		return;
	}
	memcpy(out, w->v6 ? v6[local] : v4[local], size);
	out[size - 1] = w->host ? w->host : WIRE_HOST;
	if (local)
		out[size - 1] = 1;
}

static inline uint32_t wire_transport(const struct wire *w, uint8_t *at)
{
	bool out = w->dir == FR_EGRESS;

	if (w->body) {
		memcpy(at, w->body, w->body_size);
		return w->body_size;
	}
	if (w->proto == 1 || w->proto == 58) {
		at[0] = w->type;
		at[1] = w->code;
		wire_put16(at + 4, w->id);
		return 8 + w->payload;
	}
	wire_put16(at, out ? w->local : w->peer);
	wire_put16(at + 2, out ? w->peer : w->local);
	if (w->proto != 6) {
		wire_put16(at + 4, 8 + w->payload);
		return 8 + w->payload;
	}
	wire_put32(at + 4, w->seq ? w->seq : WIRE_SEQ);
	if (w->flags & 16)
		wire_put32(at + 8, w->ack ? w->ack : WIRE_SEQ + 1);
	at[12] = 5 << 4;
	at[13] = w->flags;
	return 20 + w->payload;
}

static inline void wire_ipv4(const struct wire *w, struct frame *f, uint32_t length)
{
	uint8_t *ip = f->data + f->ip;
	uint32_t head = f->transport - f->ip;

	ip[0] = 4 << 4 | head / 4;
	memset(ip + 20, 1, head - 20); /* options: no-operation */
	wire_put16(ip + 2, head + length);
	wire_put16(ip + 4, w->fragment_id);
	wire_put16(ip + 6, (w->more ? 0x2000 : 0) | w->offset);
	ip[8] = w->hops ? w->hops : 64;
	ip[9] = wire_proto(w);
	wire_address(w, w->dir == FR_EGRESS, ip + 12);
	wire_address(w, w->dir != FR_EGRESS, ip + 16);
}

static inline void wire_ipv6(const struct wire *w, struct frame *f, uint32_t length)
{
	uint8_t *ip = f->data + f->ip, *next = ip + 6, *at = ip + 40;

	ip[0] = 6 << 4;
	wire_put16(ip + 4, f->transport - f->ip - 40 + length);
	ip[7] = w->hops ? w->hops : 64;
	wire_address(w, w->dir == FR_EGRESS, ip + 8);
	wire_address(w, w->dir != FR_EGRESS, ip + 24);
	for (int i = 0; i < w->ext_count; i++, at += 8) {
		*next = w->ext[i];
		next = at;
	}
	if (w->fragment) {
		*next = 44;
		next = at;
		wire_put16(at + 2, w->offset << 3 | w->more);
		wire_put32(at + 4, w->fragment_id);
		at += 8;
	}
	if (w->inner) {
		*next = w->inner;
		next = at;
	}
	if (w->inner && w->offset) /* a later part: the header is in the first one */
		return;
	*next = wire_proto(w);
}

static inline void wire_make(const struct wire *w, struct frame *f)
{
	uint32_t at = 12, length;

	memset(f, 0, sizeof(*f));
	if (w->to)
		memcpy(f->data, w->to, 6);
	for (int i = 0; i < w->tags; i++, at += 4) {
		wire_put16(f->data + at, i + 1 < w->tags ? 0x88a8 : 0x8100);
		wire_put16(f->data + at + 2, w->tag[i]);
	}
	wire_put16(f->data + at, w->v6 ? 0x86dd : 0x0800);
	f->ip = at + 2;
	f->transport =
		f->ip + (w->v6 ? 40 + 8 * (w->ext_count + w->fragment + (w->inner && !w->offset))
			       : 20 + 4 * w->options);
	length = wire_transport(w, f->data + f->transport);
	if (w->v6)
		wire_ipv6(w, f, length);
	else
		wire_ipv4(w, f, length);
	f->size = f->transport + length + w->trailer;
}

#endif
