/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel programs in user space: the same source in bpf/, compiled natively over plain maps and
 * helpers, so that sanitizers see every access and a fuzzer every branch. A world has its own maps
 * and clock; packets lie in memory that is poisoned right behind their linear part. Verdicts are
 * not checked here.
 */
#ifndef FUZZ_NATIVE_H
#define FUZZ_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/abi.h"

/* The answers of the rest of the host. Sockets: 0 none, else a state of the kernel's. */
struct native_host {
	uint8_t tcp_state;    /* of the socket of exactly this tuple */
	uint8_t tcp_listener; /* of the one that a look-up finds for a peer with any port */
	uint8_t udp_state;
	bool forwards, decrypted;
};

struct native_packet {
	uint8_t kind, dir; /* enum fr_kind, enum fr_dir */
	bool l3;
	const uint8_t *data; /* begins with an Ethernet header, unless l3 or a cgroup's */
	uint32_t size;
	uint32_t linear;   /* bytes that the program sees without a helper; the rest by helper */
	uint16_t protocol; /* as the kernel has it, host order */
	uint16_t vlan;	   /* accelerated tag: 1 << 15 | VLAN id, 0 none */
	uint32_t ifindex, ingress_ifindex, segments;
	uint8_t type; /* pkt_type: the addressee by Ethernet address */
	struct native_host host;
	struct bpf_sock *sock; /* its own, of a process; or NULL */
};

/* The secret of the hash, all 0 by default: with the kernel's, entries are in the same places as
 * there. */
void native_secret(const struct fr_secret *secret);
/* Without the shortcuts of bpf/ for most packets, or with them, as at first. */
void native_shortcuts(bool on);
/* Forgets everything: flows, figures, image. The clock starts at `jiffies`. */
void native_reset(uint64_t jiffies);
/* The lines of an image stay the caller's and must outlive the next reset. */
void native_install(const void *lines, uint32_t count, const struct fr_failsafe *failsafe);
void native_age(uint64_t jiffies);
uint64_t native_now(void);

/* The program's return value; *trace is the decision, its `slot` the rule's number, `version` 0
 * when there was none. */
int native_run(const struct native_packet *packet, struct fr_event *trace);

/* The same packet in the same world, by another program. */
struct __sk_buff;
typedef int native_program(void *context, const struct native_packet *packet,
			   struct __sk_buff *skb);
int native_run_by(const struct native_packet *packet, native_program *program, void *context);
/* The name of a map for such a program, and the reverse: "image" is the inner one. */
void *native_map(const char *name);
const char *native_map_name(const void *map);
/* A helper by its number, for five arguments of 64 bits; NULL for one that no program needs. */
void *native_helper(uint32_t number, const char **name);

/* The n-th flow, or false. */
bool native_flow(size_t n, struct fr_flow *flow);
/* The n-th key of any hash map or of fr_questions, and the name of the map; or false. */
bool native_key(size_t n, const char **map, const void **key);
/* The n-th set that a packet has looked at, of the table of that name; or false. */
bool native_set(size_t n, const char **map, uint32_t *index);
uint64_t native_tally(uint32_t which);
/* The value of a key in the map of that name, or NULL. */
const void *native_value(const char *map, const void *key);

#endif
