/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rig for sequences of packets: a network namespace of its own with two devices, the programs in
 * a bench, a policy of a few lines, and steps with the expected verdict of each packet. Steps are
 * written once and run on every kind of hook and in both families.
 */
#ifndef PACKETS_RIG_H
#define PACKETS_RIG_H

#include <criterion/criterion.h>

#include "../../user/datapath/datapath.h"
#include "../testbench.h"
#include "../wire.h"

enum { TCP = PROTO_TCP, UDP = PROTO_UDP, ICMP = PROTO_ICMP };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { IN = FR_INGRESS, OUT = FR_EGRESS };
enum { RIG_CONNTRACK = 40 }; /* seconds, of which three quarters count */

/* One rule. `host` is the last byte of the peer's address, 0 any peer. ICMP means that of both
 * families; `first` … `last` are then types of IPv4, and echo-request is translated. */
struct test_rule {
	uint8_t dir, action, proto;
	uint16_t first, last; /* last 0: only the first; both 0: all */
	uint8_t host;
	bool staged;
	bool group; /* the peers are rig_group, and `host` if any */
	uint8_t answers;
};

/* A multicast address of each family: by `v6`. */
extern const uint8_t rig_group[2][16];

struct test_policy {
	bool audit;
	bool allow[FR_DIRS];	      /* the default */
	uint32_t flags_on, flags_off; /* against all built-ins on */
	uint64_t adopt_until;
	bool no_subnets; /* else those of the wire's addresses, of both sides */
	const struct test_rule *rules;
	size_t count;
};

/* Rule numbers of the n-th rule. */
#define NTH_RULE(n) (FR_RULE_FIRST + (n))

struct rig {
	struct arena *arena;
	struct diags diags;
	struct bench *bench;
	struct test_policy policy; /* as installed last */
	uint8_t kind;
	bool v6;
	uint32_t devices[2];
	/* of the next steps */
	uint32_t ifindex, ingress_ifindex, segments;
	struct fr_event seen; /* by the last step */
};

/* Skips loudly without root. `rig_close` takes the namespace along when the process ends. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* A shell command that must succeed. */
void rig_shell(const char *command);

/* Compile and install; the flows that are known stay. */
void rig_policy(struct rig *rig, const struct test_policy *policy);
/* The same with empty tables: no flows, no figures. */
void rig_start(struct rig *rig, const struct test_policy *policy);

/* Run `steps` on every kind of hook and in both families, each time with empty tables. */
void rig_each(struct rig *rig, const struct test_policy *policy, void (*steps)(struct rig *rig));
/* The same with a rig of its own. */
void rig_run(const struct test_policy *policy, void (*steps)(struct rig *rig));
/* The same under each of the policies. */
void rig_test(const struct test_policy *const *policies, size_t count,
	      void (*steps)(struct rig *rig));

/* RIG_TEST(suite, name, steps, &enforce, &audit): a test of such steps under those policies. */
#define RIG_TEST(suite, name, steps, ...)                                                          \
	Test(suite, name)                                                                          \
	{                                                                                          \
		const struct test_policy *const policies[] = {__VA_ARGS__};                        \
                                                                                                   \
		rig_test(policies, ARRAY_SIZE(policies), steps);                                   \
	}

struct expected {
	uint8_t verdict; /* FR_DROP: would-drop in audit */
	uint8_t reason;
	uint32_t rule;
	const char *file;
	int line;
};
void rig_step(struct rig *rig, const struct wire *wire, const struct expected *expected);
void rig_bytes(struct rig *rig, uint8_t dir, const void *data, uint32_t size,
	       const struct expected *expected);

/* PASS(rig, "reason", rule, .field = …): the packet passes for that reason, booked on that rule. */
#define RIG_STEP(rig, what, why, number, ...)                                                      \
	rig_step(rig, &(struct wire){.v6 = (rig)->v6, __VA_ARGS__},                                \
		 &(struct expected){what, FR_REASON_##why, number, __FILE__, __LINE__})
#define PASS(rig, why, number, ...) RIG_STEP(rig, FR_PASS, why, number, __VA_ARGS__)
#define DROP(rig, why, number, ...) RIG_STEP(rig, FR_DROP, why, number, __VA_ARGS__)
#define WOULD_DROP(rig, why, number, ...) RIG_STEP(rig, FR_WOULD_DROP, why, number, __VA_ARGS__)

/* Figures, summed over the CPUs. */
struct fr_counters rig_counters(const struct rig *rig, uint32_t rule);
struct fr_reason_counters rig_reason(const struct rig *rig, uint8_t dir, uint8_t reason);
uint64_t rig_tally(const struct rig *rig, uint32_t tally);
/* Entries: of "drops", of all "flows", or of those that are "pending", "established" (TCP),
 * "two-way" (datagrams) or "pings"; the last one's key, and the entry itself, where asked for. */
size_t rig_entries(const struct rig *rig, const char *what, struct fr_flow_key *key, void *value);
/* Flows of an enum fr_class, as the table has it. */
size_t rig_class(const struct rig *rig, uint32_t class);
/* Let every such flow look `seconds` older than it is. */
void rig_age(const struct rig *rig, const char *what, uint32_t seconds);
/* The same of all questions that await answers from elsewhere. */
void rig_age_questions(const struct rig *rig, uint32_t seconds);
/* How many of them there are. */
size_t rig_questions(const struct rig *rig);
uint64_t rig_ticks(uint32_t seconds); /* jiffies of so many seconds */
uint64_t rig_jiffies(void);	      /* jiffies64, to the second */
/* A table of sets, mapped for writing until rig_table_close. */
void *rig_table(const struct rig *rig, const char *map, size_t *sets);
void rig_table_close(void *table, size_t sets);

#endif
