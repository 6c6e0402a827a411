/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net: addresses, prefixes, protocols, ports. Parses and prints the terms of policy files and the
 * command line for packets. Uses base. Never asks DNS or the host.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 16 bytes in network order; IPv4 is ::ffff:a.b.c.d, the same thing as its v4-mapped form. */
struct addr {
	uint8_t b[16];
};

/* `length` counts in the 128-bit form: a v4 /24 is 120. Host bits are 0. A v4 prefix has
 * length >= 96 and a v4 address; ::/0 is IPv6 only and does not include IPv4. */
struct prefix {
	struct addr addr;
	uint8_t length;
};

bool addr_is_v4(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *addr);	   /* 127.0.0.0/8 or ::1 */
bool addr_is_group(const struct addr *addr);	   /* multicast, or 255.255.255.255 */
bool addr_is_unspecified(const struct addr *addr); /* 0.0.0.0 or :: */
uint32_t addr_v4(const struct addr *addr);	   /* host order */
uint64_t addr_high(const struct addr *addr);	   /* the first 64 bits as a number */
uint64_t addr_low(const struct addr *addr);
struct addr addr_from_v4(uint32_t host_order);
struct addr addr_from_halves(uint64_t high, uint64_t low);
/* The bits of a network of this length (0 to 128), in either half. */
static inline uint64_t mask_high(unsigned length)
{
	if (length >= 64)
		return ~0ull;
	return length ? ~0ull << (64 - length) : 0;
}
static inline uint64_t mask_low(unsigned length)
{
	return length > 64 ? mask_high(length - 64) : 0;
}

/* The network of this length that has the address. */
struct prefix prefix_masked(const struct addr *addr, unsigned length);

enum { ADDR_TEXT = 48, PREFIX_TEXT = 52, SERVICE_TEXT = 40 };

/* "10.0.0.1", "fd00::1" (RFC 5952), "10.0.0.0/24", "::/0"; an address prints without its /32 or
 * /128 in prefix_text. Buffers of ADDR_TEXT and PREFIX_TEXT bytes; they return their buffer. */
char *addr_text(const struct addr *addr, char *out);
char *prefix_text(const struct prefix *prefix, char *out);

/* Why a text is no address or prefix. */
enum net_error {
	NET_OK = 0,
	NET_NOT_ADDRESS, /* not an address at all */
	NET_BAD_ADDRESS, /* all digits and dots or with a colon, but no address: 10.0.0.300 */
	NET_BAD_LENGTH,	 /* /33, /x */
	NET_HOST_BITS,	 /* 10.0.0.5/24; the corrected prefix is in *out */
};
enum net_error addr_parse(const char *text, struct addr *out);
/* An address counts as /32 or /128. */
enum net_error prefix_parse(const char *text, struct prefix *out);
bool prefix_has(const struct prefix *prefix, const struct addr *addr);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_is_v4(const struct prefix *prefix);
/* Could the text be a DNS name, or a wildcard one? */
bool name_is_dns(const char *text);

/* ---------------------------------------------------------------- protocols and ports */

enum {
	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
	PROTO_DCCP = 33
};

/* The listener of a rule: protocol, and ports first … last, host order. For ICMP and ICMPv6 the
 * "ports" are type << 8 | code. Protocols without ports always have 0 … 65535. */
struct service {
	bool any_proto;
	uint8_t proto;
	uint16_t first, last;
};

bool proto_has_ports(uint8_t proto);   /* tcp, udp, sctp, udplite, dccp */
bool proto_is_any_icmp(uint8_t proto); /* of either family */
/* Name from a fixed table ("tcp", "icmp", "icmpv6", "gre", "esp", …), or NULL. */
const char *proto_name(uint8_t proto);
int proto_parse(const char *text, uint8_t *out); /* name or 0…255; 0 or -EINVAL */
/* The nearest known name to a mistyped one, or NULL. */
const char *proto_nearest(const char *text);

/* Why a text is no service. */
enum service_error {
	SERVICE_OK = 0,
	SERVICE_NO_PROTO,  /* "443": the protocol is missing */
	SERVICE_BAD_PROTO, /* an unknown protocol */
	SERVICE_BAD_PORT,  /* not a number, an unknown ICMP type */
	SERVICE_BIG_PORT,  /* over 65535 */
	SERVICE_REVERSED,  /* 1064-1024 */
	SERVICE_NO_PORTS,  /* a port with a protocol that has none */
};

/*
 * "443/tcp", "1024-1064/tcp" (also with an en dash, em dash, minus sign U+2212 or " to "),
 * "any/tcp", "any", "any/47", "icmp/echo-request", "icmp/8", "icmp/3/4", "icmp/any", "any/icmp",
 * "icmpv6/…". An ICMP name that both families have (echo-request, echo-reply,
 * destination-unreachable, time-exceeded, parameter-problem) under "icmp/" yields two services,
 * ICMP and ICMPv6; a number under "icmp/" is ICMP only. `out` holds two; *count says how many.
 */
enum service_error service_parse(const char *text, struct service out[2], size_t *count);
/* "443/tcp", "1024-1064/tcp", "icmp/8", "icmp/3/4", "any/tcp", "any". SERVICE_TEXT bytes. */
char *service_text(const struct service *service, char *out);
/* The service of one opening: its port or ICMP type, or all of a protocol that has neither. */
struct service service_one(uint8_t proto, uint16_t port);
bool service_has(const struct service *service, uint8_t proto, uint16_t port);
/* Number of an ICMP or ICMPv6 type by name or number; "echo-request" etc. 0 or -EINVAL. `code` is
 * -1 when the text names none. */
int icmp_type_parse(uint8_t proto, const char *text, uint8_t *type, int *code);
const char *icmp_type_name(uint8_t proto, uint8_t type); /* or NULL */
const char *icmp_type_nearest(const char *text);	 /* to a mistyped name, or NULL */

/* ---------------------------------------------------------------- advice on wrong texts
 *
 * For a text that is no address, prefix or service: the mistake in a few words ("a peer has no
 * port"), and the text to write instead; `meant` is only that text, when there is one. A proposal
 * admits no more than the original text. In the arena; all NULL: no advice. */
struct arena;
struct advice {
	const char *message, *hint, *meant;
};
/* A text as an item in brackets, in quotes where YAML needs them. */
const char *text_item(struct arena *arena, const char *text);
/* A text without the quotation marks of word processors around it, or NULL when there are none. */
const char *text_unquoted(struct arena *arena, const char *text);
struct advice peer_advice(struct arena *arena, const char *text);
struct advice service_advice(struct arena *arena, const char *text);

/* The subject of a verdict: one opening. */
struct tuple {
	uint8_t dir; /* enum fr_dir: EGRESS, the protected party opens */
	uint8_t proto;
	uint16_t port; /* the listener's port, host order; ICMP: type << 8 | code */
	struct addr peer;
};

bool tuple_equal(const struct tuple *a, const struct tuple *b);

/* Ports, a bit each. */
enum { PORT_NUMBERS = 65536 };
struct port_set {
	uint64_t bits[PORT_NUMBERS / 64];
};
static inline bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->bits[port / 64] >> port % 64 & 1;
}
static inline void port_set_put(struct port_set *set, uint16_t port, bool in)
{
	set->bits[port / 64] &= ~(1ull << port % 64);
	set->bits[port / 64] |= (uint64_t)in << port % 64;
}
/* Those that Linux gives out unless it is told otherwise, and all above, as other systems do. */
enum { PORTS_GIVEN_OUT = 32768 };
void port_set_usual(struct port_set *out);

/* Its first packet, for trials of the programs. */
enum { PACKET_MAX = 128 };
struct opening {
	struct tuple tuple;
	struct addr local;    /* of the tuple's family */
	uint16_t opener_port; /* of a protocol that has ports */
	bool ethernet;	      /* with an Ethernet header; its addresses are 0 */
	bool outgoing;	      /* the local side sends it */
};
/* Its size in bytes. Checksums are 0. */
uint32_t packet_opening(const struct opening *opening, uint8_t out[PACKET_MAX]);

#endif
