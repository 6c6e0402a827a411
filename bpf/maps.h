/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of one instance: key, value, who inserts, who deletes, who reads. Sizes here are
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

/* Flows. Programs insert, update, promote and delete; user space only reads. Apart from each other,
 * so that a scan, a flood or a ping sweep evicts no transfer: established TCP; two-way UDP and
 * others; embryonic, one-way and adopted; ICMP. */
FR_MAP(fr_flows, BPF_MAP_TYPE_LRU_HASH, 65536, struct fr_flow_key, struct fr_flow);
FR_MAP(fr_talks, BPF_MAP_TYPE_LRU_HASH, 32768, struct fr_flow_key, struct fr_flow);
FR_MAP(fr_embryos, BPF_MAP_TYPE_LRU_HASH, 16384, struct fr_flow_key, struct fr_flow);
FR_MAP(fr_pings, BPF_MAP_TYPE_LRU_HASH, 4096, struct fr_flow_key, struct fr_flow);

/* How full they are, by enum fr_table. Programs add, user space only reads; the loader says what
 * each holds. */
FR_MAP(fr_room, BPF_MAP_TYPE_ARRAY, FR_TABLES, __u32, struct fr_room);
extern const volatile __u32 fr_table_sizes[FR_TABLES];

/* Refused, or would have been: aggregated over the opener's port. Programs insert, user space
 * reads. */
FR_MAP(fr_denied, BPF_MAP_TYPE_LRU_HASH, 8192, struct fr_flow_key, struct fr_denied);

/* Fragmented datagrams on their way out whose first part was allowed. Programs only. */
FR_MAP(fr_fragments, BPF_MAP_TYPE_LRU_HASH, 4096, struct fr_fragment_key, struct fr_fragment);

/* Senders of what passed as forwarded. Programs only. */
FR_MAP(fr_transit, BPF_MAP_TYPE_LRU_HASH, 8192, struct fr_transit_key, struct fr_transit);
/* Ports of bridges. User space inserts and deletes, programs read and set `mixed`. */
FR_MAP(fr_ports, BPF_MAP_TYPE_HASH, FR_HOOKS_MAX, __u32, struct fr_port);

/* Rate limit of refusal events. Programs only. */
FR_MAP(fr_throttle, BPF_MAP_TYPE_LRU_HASH, 8192, struct fr_throttle_key, struct fr_throttle);

/* struct fr_event. Programs reserve, the monitor consumes. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} fr_events SEC(".maps");

/* The lease of whoever reads events. User space only writes, programs only read. */
FR_MAP(fr_control, BPF_MAP_TYPE_ARRAY, 1, __u32, struct fr_control);

/* The last verdict on this CPU, when fr_tracing; slot = rule number. Tests read it. */
FR_MAP(fr_trace, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct fr_event);

/* See owner.h. */
struct fr_owner_map fr_owner SEC(".maps");

#endif /* FR_MAPS_H */
