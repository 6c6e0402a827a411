/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real packets through pairs of namespaces that differ in their firewall only. A worker is one
 * thread on one CPU that owns both ends of all conversations: its packets run through the
 * receiver's half of the stack in the softirq of its own system call, so that its processor time is
 * the cost of the whole path, with no wake-up in it. A lane is one worker in one variant.
 */
#ifndef TESTS_BENCH_TRAFFIC_H
#define TESTS_BENCH_TRAFFIC_H

#include <netinet/in.h>

#include "../judges.h"
#include "bench.h"

enum {
	VARIANTS_MAX = 16,
	WORKERS_MAX = 2,
	SLICES_MAX = 2000,
	PORT_ALLOWED = 7077,
	PORT_REFUSED = 7078,
	PEERS_MAX = 65536,
	LINKS_MAX = 1000, /* connections that are open at once, of all workers in a variant */
	FRAME_SIZE = 54,
	PAYLOAD = 32,
	CHUNK = 65536,
	PATIENCE_MS = 1000, /* for packets that ksoftirqd delivers on a busy machine */
};

struct cpu_clock {
	int self, daemon;
};
int cpu_nth(unsigned nth); /* of those that this process may use; -1 when there are fewer */
void cpu_clock_open(struct cpu_clock *clock, int cpu);
const char *cpu_clock_name(const struct cpu_clock *clock);
double cpu_clock_ns(const struct cpu_clock *clock);

struct link {
	int client, server;
};

struct variant {
	char name[32], sender[64], receiver[64], cgroup[256];
	bool open;   /* no firewall: refused ports are reached too */
	bool closed; /* drops everything */
	int drop;    /* descriptor that keeps its program attached */
	uint64_t passed, refused, wrong;
	char fault[160]; /* why it is not measured */
};

struct lane {
	struct variant *variant;
	uint32_t index; /* of the worker */
	uint32_t peers, next;
	struct judge_random random;
	struct sockaddr_in allowed, refused; /* the receiver's address is one per worker */
	int sender, at_allowed, at_refused;  /* UDP */
	int listener, deaf;		     /* TCP, at the two ports */
	int raw;
	int namespace; /* the sender's */
	int snmp, dev; /* the receiver's figures */
	struct link *links;
	uint32_t link_count, links_wanted;
	uint8_t frame[FRAME_SIZE];
	double samples[SLICES_MAX];
};

struct workload {
	const char *name;
	uint32_t slice; /* operations */
	uint16_t port;	/* the sender's UDP port: a flow belongs to one workload */
	bool flood;	/* none of it may pass */
	bool lasting;	/* its flows are used again */
	bool links;	/* over connections that stay */
	/* Both return the number of operations that succeeded. */
	uint32_t (*run)(struct lane *lane, uint32_t count);
};
const struct workload *workload_find(const char *name);

/* sockets.c: they set variant->fault and return false on failure. */
bool lane_fail(struct lane *lane, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool namespace_enter(struct lane *lane, const char *name);
bool lane_open(struct lane *lane, const struct workload *workload);
void lane_close(struct lane *lane); /* without connections */
int tcp_connect(struct lane *lane); /* from the next peer; -1 */
struct in_addr lane_peer(struct lane *lane);
bool datagram_send(struct lane *lane, const struct sockaddr_in *to);
/* Whether the refused packet was dropped, or reached its port where there is no firewall. */
bool probe_right(struct lane *lane);
/* One datagram to the allowed port arrives. */
bool sentinel_right(struct lane *lane);
uint64_t segments_sent(const struct lane *lane);   /* TCP, by the receiver */
uint64_t packets_arrived(const struct lane *lane); /* at the receiver's device */
/* To eth0 of this namespace, or to a cgroup, for as long as the descriptor is open; -1. */
int drop_attach_device(void);
int drop_attach_cgroup(const char *directory);

#endif
