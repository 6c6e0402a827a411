/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probable meaning of a text that is no service: for hints only. Internal to net/.
 */
#ifndef NET_READING_H
#define NET_READING_H

#include "../base/base.h"
#include "net.h"

enum { PORTS_MAX = 12, PROTOS_MAX = 4, GROUPS_MAX = 8, PORT_MAX = 65535 };

struct written_range {
	uint64_t first, last;
	bool any;
};

/* Ports and protocols, each port with each of them: 80,443/tcp, tcp/443, dns. */
struct group {
	struct written_range ports[PORTS_MAX];
	const char *protos[PROTOS_MAX];
	size_t port_count, proto_count;
	bool proto_first;
	const char *service; /* the word that names all of it */
};

/* All of them are whole but the last one, which may lack ports or protocols. */
struct groups {
	struct group list[GROUPS_MAX];
	size_t count;
};

struct service_reading {
	struct groups groups;
	const char *misspelt; /* instead of a protocol */
	bool odd_range;	      /* 80:90, 80..90 */
	bool reversed;	      /* 90-80 */
	bool open;	      /* 1024-, 1024+, >1023, :1024 */
	bool negative;	      /* -80 */
	bool leading_zero;
	bool icmp_type; /* type 8 */
};

/* False when anything in the text is not understood. */
bool service_read(struct arena *arena, const char *text, struct service_reading *out);

#endif
