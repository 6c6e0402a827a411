/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of one instance: key, value, and which side inserts, deletes and reads. Sizes here are
 * defaults; the loader sets those that depend on the policy before it loads.
 */
#ifndef FR_MAPS_H
#define FR_MAPS_H

#include "owner.h"

#define FR_MAP(name, kind, entries, ktype, vtype)                                                  \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__type(key, ktype);                                                                \
		__type(value, vtype);                                                              \
	} name SEC(".maps")

/* Shape of an image; max_entries is the size class. The loader fills it before anything reads it.
 */
struct fr_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FR_LINE_BYTES);
};

/* enum fr_image_slot. The loader stores; one store to the first flips. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FR_IMAGE_SLOTS);
	__type(key, __u32);
	__array(values, struct fr_image_map);
} fr_images SEC(".maps");

/* By slot, by enum fr_reason, by enum fr_tally. Programs add, user space reads. */
FR_MAP(fr_counters, BPF_MAP_TYPE_PERCPU_ARRAY, 1024, __u32, struct fr_counters);
FR_MAP(fr_reasons, BPF_MAP_TYPE_PERCPU_ARRAY, FR_REASON_ENTRIES, __u32, struct fr_reason_counters);
FR_MAP(fr_tallies, BPF_MAP_TYPE_PERCPU_ARRAY, FR_TALLY_COUNT, __u32, __u64);

/*
 * Cells are per CPU. The hooks of devices and of a cgroup's ingress run with softirqs off, where a
 * plain addition is enough: no other hook comes in between. Egress of a cgroup runs in processes
 * too, and a softirq may interrupt it. With PREEMPT_RT a process may interrupt any of them.
 */
extern const volatile bool fr_preempts;

static __always_inline int counters_race(__u8 kind, __u8 dir)
{
	return fr_preempts || (kind == FR_KIND_CGROUP && dir == FR_EGRESS);
}

static __always_inline void counter_add(__u64 *value, __u64 amount, int races)
{
	if (races)
		__sync_fetch_and_add(value, amount);
	else
		*value += amount;
}

/* A table of sets: page aligned, so that a set begins with a cache line. The loader sizes that of
 * flows. */
#define FR_SETS(name, entries, vtype)                                                              \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, entries);                                                      \
		__type(key, __u32);                                                                \
		__type(value, vtype);                                                              \
	} name SEC(".maps")

/* Of each region of a table its lock and, for each set, which tags it may hold (see sets.h). Not
 * in the table: a map with locks cannot be mapped. Programs only. */
struct fr_region {
	struct bpf_spin_lock lock; /* with the padding of its line; 5.10 requires a member */
	__u32 pad[15];
	__u32 held[FR_REGION_SETS];
};
FR_AT(fr_region, held, FR_LINE_BYTES);
FR_SIZE(fr_region, FR_LINE_BYTES + FR_REGION_SETS * sizeof(__u32));

struct fr_drop_region {
	struct bpf_spin_lock lock;
	__u32 pad[15];
	__u64 held[FR_REGION_SETS];
};
FR_AT(fr_drop_region, held, FR_LINE_BYTES);

/* The failsafe rules of the last generations. User space writes, programs only read. */
FR_MAP(fr_failsafe, BPF_MAP_TYPE_ARRAY, FR_FAILSAFE_LISTS, __u32, struct fr_failsafe);

/* Flows. Programs insert, update and evict; user space only reads. */
#define FR_REGIONS_DEFAULT (FR_FLOWS_DEFAULT / FR_FLOWS_MIN)
FR_SETS(fr_flows, FR_REGIONS_DEFAULT *FR_REGION_SETS, struct fr_flow_set);
FR_MAP(fr_flow_regions, BPF_MAP_TYPE_ARRAY, FR_REGIONS_DEFAULT, __u32, struct fr_region);
extern const volatile __u32 fr_regions; /* of fr_flows */

/* jiffies64 of the last occurrence of each; 0 never. Programs only. */
enum fr_time {
	FR_TIME_LOST,	 /* a flow that had been adopted, or whole and idle, was evicted or found no
			    room */
	FR_TIME_TRANSIT, /* a forwarded packet was noted, see transit.h */
	FR_TIMES
};
FR_MAP(fr_times, BPF_MAP_TYPE_ARRAY, FR_TIMES, __u32, __u64);

/* For each port, in ticks, when this host has last sent a SYN from it. Programs only. */
#define FR_SYNS_PORTS (FR_LINE_BYTES / 2)
struct fr_syns {
	__u16 ticks[FR_SYNS_PORTS]; /* of jiffies64, the low bits */
};
FR_MAP(fr_syns, BPF_MAP_TYPE_ARRAY, 65536 / FR_SYNS_PORTS, __u32, struct fr_syns);

/* The secret of the hash. It goes with the tables: user space writes it once, and the programs have
 * it as a constant. */
FR_MAP(fr_hashing, BPF_MAP_TYPE_ARRAY, 1, __u32, struct fr_secret);
extern const volatile __u64 fr_secret[FR_SECRET_WORDS];

/* Refused, or would have been: aggregated over the opener's port. Programs insert and evict, user
 * space reads. */
#define FR_DROP_REGIONS 16
FR_SETS(fr_drops, FR_DROP_REGIONS *FR_REGION_SETS, struct fr_drop_set);
FR_MAP(fr_drop_regions, BPF_MAP_TYPE_ARRAY, FR_DROP_REGIONS, __u32, struct fr_drop_region);
FR_MAP(fr_budget, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct fr_budget);

/* Fragmented datagrams on their way out; their first part was allowed. Programs only. */
FR_MAP(fr_fragments, BPF_MAP_TYPE_LRU_HASH, 4096, struct fr_fragment_key, struct fr_fragment);

/* Questions that await answers from elsewhere: sets of the protected party, then of others, who
 * cannot take the place of its own. Programs only. */
struct fr_question_set {
	struct bpf_spin_lock lock;
	__u32 number; /* of the last question */
	__u32 pad[14];
	struct fr_question way[FR_WAYS];
};
FR_AT(fr_question_set, way, FR_LINE_BYTES);
FR_MAP(fr_questions, BPF_MAP_TYPE_ARRAY, FR_DIRS *FR_QUESTION_SETS, __u32, struct fr_question_set);

/* When a question was last asked, in jiffies, low half, by enum fr_dir and the low bits of the
 * asker's port; last, any question to a group. Programs only. */
FR_MAP(fr_ports_asked, BPF_MAP_TYPE_ARRAY, FR_DIRS *FR_ASKED_PORTS + 1, __u32, __u32);

/* Datagrams that sockets have received. Programs only. */
FR_MAP(fr_received, BPF_MAP_TYPE_LRU_HASH, 8192, struct fr_received_key, __u64);

/* Senders of packets that passed as forwarded. Programs only. */
FR_MAP(fr_transit, BPF_MAP_TYPE_LRU_HASH, 8192, struct fr_transit_key, struct fr_transit);
/* Ports of bridges. User space inserts and deletes, programs read and set `mixed`. */
FR_MAP(fr_ports, BPF_MAP_TYPE_HASH, FR_HOOKS_MAX, __u32, struct fr_port);

/* struct fr_event. Programs reserve, the monitor consumes. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} fr_events SEC(".maps");

/* The lease of the reader of events. User space only writes, programs only read. */
FR_MAP(fr_control, BPF_MAP_TYPE_ARRAY, 1, __u32, struct fr_control);

/* The last verdict on this CPU, when fr_tracing; slot = rule number. Tests read it. */
FR_MAP(fr_trace, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct fr_event);

/* The number of a socket that has opened a flow of datagrams: its cookie, low half, never 0. In the
 * storage of the socket, so that nothing else has it. Programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} fr_askers SEC(".maps");

/* See owner.h. */
struct fr_owner_map fr_owner SEC(".maps");

#endif /* FR_MAPS_H */
