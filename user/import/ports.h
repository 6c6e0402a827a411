/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports and protocols that a cell names.
 */
#ifndef IMPORT_PORTS_H
#define IMPORT_PORTS_H

#include "../base/base.h"

/* Bits of protocols, those of protocols_name(). */
typedef uint32_t protocols;
enum { PROTOCOLS_PORTS = 0x1f };	  /* those that have ports */
const char *protocols_name(unsigned bit); /* NULL past the last */
protocols protocols_word(const char *word, size_t length);
protocols protocols_read(const char *text);  /* every protocol that a cell names */
protocols protocols_number(uint32_t number); /* of IANA; 0 for those without a name here */
/* The name of a protocol for a cell that is its number alone, else the cell. */
const char *protocol_cell(const char *cell);
/* The transport of an application protocol, "https" → tcp; 0 when that is not settled. */
protocols protocols_usual(const char *text);

struct port_range {
	uint32_t first, last;
	protocols protocols; /* 0: not said */
	unsigned segment;    /* line of the cell, from 0 */
};

enum { READING_RANGES = 256 };

struct port_reading {
	struct port_range ranges[READING_RANGES];
	size_t count;
	protocols bare;	   /* protocols named without ports */
	unsigned segments; /* lines of the cell */
	size_t end;	   /* of the last port or protocol in the cell */
	size_t begin;	   /* of the first */
	bool vague;	   /* "ephemeral", "dynamic": ports without a number */
	bool leftover;	   /* words that are no ports */
	bool cut;	   /* more than fit */
	bool odd;	   /* a range that is not understood: "30-20", "23-*" */
};
void ports_read(const char *cell, struct port_reading *out);
/* The types of ICMP that a text names, for a row with one or both families of it. */
struct icmp_type {
	const char *family; /* "icmp", "icmpv6" */
	unsigned type;
	int code; /* -1: any */
};
struct icmp_reading {
	struct icmp_type list[16];
	size_t count;
	bool leftover; /* other words, or more than fit */
};
void icmp_read(const char *text, protocols named, struct icmp_reading *out);
/* "all but 22", "!22", "<1024", "10000 + n": the cell does not list the open ports. */
bool ports_except(const char *cell);
bool protocols_except(const char *cell); /* "not UDP", and nothing that is */
bool ports_only(const char *cell); /* nothing but ports, protocols and labels in parentheses */

#endif
