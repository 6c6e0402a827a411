/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of flows: which one a flow lives in, how it comes in, moves on and goes, and how full
 * they are. Whether a flow may be is not decided here.
 */
#ifndef FR_TRACK_H
#define FR_TRACK_H

#include "book.h"
#include "flow.h"

static __always_inline int is_icmp(const struct fr_packet *p)
{
	return p->key.proto == FR_PROTO_ICMP || p->key.proto == FR_PROTO_ICMP6;
}

/* ---------------------------------------------------------------- room */

static __always_inline void room_enter(const struct fr_scene *s, __u32 table)
{
	__u32 key = table; /* its own: 5.10 forgets the bounds of what lies on the stack */
	struct fr_room *room = bpf_map_lookup_elem(&fr_room, &key);

	if (!room)
		return;
	__sync_fetch_and_add(&room->entries, 1);
	if (room->entries <= (__s64)fr_table_sizes[table & (FR_TABLES - 1)])
		return;
	__sync_fetch_and_add(&room->entries, -1);
	room->evicted = s->now;
	tally_add(FR_TALLY_EVICTED + table);
}

static __always_inline void room_leave(__u32 table)
{
	struct fr_room *room = bpf_map_lookup_elem(&fr_room, &table);

	if (room)
		__sync_fetch_and_add(&room->entries, -1);
}

static __always_inline int table_lost_lately(const struct fr_scene *s, __u32 table)
{
	struct fr_room *room = bpf_map_lookup_elem(&fr_room, &table);

	return room && room->evicted &&
	       s->now - room->evicted < s->conf->timeout[FR_TIMEOUT_ADOPT];
}

/* Was a TCP flow evicted a short while ago? Adopted ones are among the embryos, which a flood can
 * turn over; but adoption admits no more then than at attach: mid-stream packets of tuples that the
 * policy allows. */
static __always_inline int track_lost_lately(const struct fr_scene *s)
{
	return table_lost_lately(s, FR_TABLE_FLOWS) || table_lost_lately(s, FR_TABLE_EMBRYOS);
}

/* ---------------------------------------------------------------- one table */

static __always_inline struct fr_flow *table_find(__u32 table, const struct fr_flow_key *key)
{
	if (table == FR_TABLE_FLOWS)
		return bpf_map_lookup_elem(&fr_flows, key);
	if (table == FR_TABLE_TALKS)
		return bpf_map_lookup_elem(&fr_talks, key);
	if (table == FR_TABLE_PINGS)
		return bpf_map_lookup_elem(&fr_pings, key);
	return bpf_map_lookup_elem(&fr_embryos, key);
}

static __always_inline long table_update(__u32 table, const struct fr_flow_key *key,
					 const struct fr_flow *flow, __u64 how)
{
	if (table == FR_TABLE_FLOWS)
		return bpf_map_update_elem(&fr_flows, key, flow, how);
	if (table == FR_TABLE_TALKS)
		return bpf_map_update_elem(&fr_talks, key, flow, how);
	if (table == FR_TABLE_PINGS)
		return bpf_map_update_elem(&fr_pings, key, flow, how);
	return bpf_map_update_elem(&fr_embryos, key, flow, how);
}

static __always_inline long table_delete(__u32 table, const struct fr_flow_key *key)
{
	if (table == FR_TABLE_FLOWS)
		return bpf_map_delete_elem(&fr_flows, key);
	if (table == FR_TABLE_TALKS)
		return bpf_map_delete_elem(&fr_talks, key);
	return bpf_map_delete_elem(&fr_embryos, key);
}

/* Another CPU has opened the very same flow meanwhile: its entry takes this packet too. */
static __always_inline int track_joins(const struct fr_scene *s, const struct fr_flow_key *key,
				       const struct fr_flow *flow, struct fr_flow *old)
{
	if (old->state != flow->state || old->opener != flow->opener ||
	    old->reason != flow->reason || flow->state == FR_FLOW_ESTABLISHED ||
	    flow_expired(old, key->proto, s->conf->timeout, s->now))
		return 0;
	for (__u32 dir = 0; dir < FR_DIRS; dir++) {
		__sync_fetch_and_add(&old->packets[dir], flow->packets[dir]);
		__sync_fetch_and_add(&old->bytes[dir], flow->bytes[dir]);
	}
	return 1;
}

/* Into a table, in place of what was there under this key. 1: it was there already. */
static __noinline int track_put(const struct fr_scene *s, const struct fr_flow_key *key,
				const struct fr_flow *flow, __u32 table)
{
	struct fr_flow *old;
	int counts = 1;
	long err = table_update(table, key, flow, BPF_NOEXIST);

	if (err) {
		old = table_find(table, key);
		if (old && track_joins(s, key, flow, old))
			return 1;
		counts = !old || old->ended;
		err = table_update(table, key, flow, BPF_ANY);
	}
	if (err)
		tally_add(FR_TALLY_FLOW_INSERT_FAILED);
	else if (counts)
		room_enter(s, table);
	return err;
}

static __noinline int track_drop(const struct fr_flow_key *key, __u32 table)
{
	struct fr_flow *flow = table_find(table, key);
	int counts = flow && !flow->ended;
	long err = table_delete(table, key);

	if (!err && counts)
		room_leave(table);
	return err;
}

/* A connection that has closed makes room; one that goes on after all takes it again. */
static __noinline int track_end(const struct fr_scene *s, struct fr_flow *flow, __u32 table)
{
	flow->ended = !flow->ended;
	if (flow->ended)
		room_leave(table);
	else
		room_enter(s, table);
	return 0;
}

/* ---------------------------------------------------------------- flows */

static __always_inline __u32 table_of_established(__u8 proto)
{
	return proto == FR_PROTO_TCP ? FR_TABLE_FLOWS : FR_TABLE_TALKS;
}

/* The live flow of a key, or NULL; *embryo says that it is in the table of embryos. */
static __always_inline struct fr_flow *flow_find(const struct fr_scene *s,
						 const struct fr_packet *p,
						 const struct fr_flow_key *key, int *embryo)
{
	struct fr_flow *flow;

	*embryo = 0;
	if (is_icmp(p)) {
		flow = bpf_map_lookup_elem(&fr_pings, key);
		return flow && !flow_expired(flow, key->proto, s->conf->timeout, s->now) ? flow : 0;
	}
	if (key->proto == FR_PROTO_TCP)
		flow = bpf_map_lookup_elem(&fr_flows, key);
	else
		flow = bpf_map_lookup_elem(&fr_talks, key);
	if (flow && !flow_expired(flow, key->proto, s->conf->timeout, s->now))
		return flow;
	*embryo = 1;
	flow = bpf_map_lookup_elem(&fr_embryos, key);
	return flow && !flow_expired(flow, key->proto, s->conf->timeout, s->now) ? flow : 0;
}

static __noinline int flow_open(const struct fr_scene *s, const struct fr_packet *p,
				const struct fr_finding *f)
{
	struct fr_flow flow = {.first = s->now, .last = s->now, .opener = f->opener};
	int err;

	flow.state = f->start - 1;
	flow.slot = f->slot;
	flow.generation = s->head->generation;
	flow.reason = f->reason;
	flow.isn = p->key.proto == FR_PROTO_TCP ? p->seq : (__u32)s->now;
	flow.flags = FR_FLOW_OPENER_AGAIN | (f->verdict == FR_PASS ? 0 : FR_FLOW_WOULD_DROP);
	if (s->owner) {
		flow.pid = s->owner->pid;
		__builtin_memcpy(flow.comm, s->owner->comm, sizeof(flow.comm));
	}
	flow.packets[p->dir & 1] = p->packets;
	flow.bytes[p->dir & 1] = p->length;
	if (f->stale)
		track_drop(&p->key, table_of_established(p->key.proto));
	err = track_put(s, &p->key, &flow, is_icmp(p) ? FR_TABLE_PINGS : FR_TABLE_EMBRYOS);
	if (!err)
		tally_add(flow.state == FR_FLOW_ADOPTED ? FR_TALLY_FLOWS_ADOPTED
							: FR_TALLY_FLOWS_OPENED);
	return err;
}

/* From the embryos to the established ones, once it has got there. */
static __always_inline void flow_promote(const struct fr_scene *s, const struct fr_packet *p,
					 struct fr_flow *flow)
{
	if (track_put(s, &p->key, flow, table_of_established(p->key.proto)))
		return;
	track_drop(&p->key, FR_TABLE_EMBRYOS);
	tally_add(FR_TALLY_FLOWS_PROMOTED);
}

/* A packet of a known flow: what was judged of it now, and its share of the figures. */
static __always_inline void flow_update(const struct fr_scene *s, const struct fr_packet *p,
					const struct fr_finding *f, struct fr_hook h)
{
	struct fr_flow *flow = f->flow;
	__u32 dir = h.dir & 1;

	flow->slot = f->slot;
	flow->generation = s->head->generation;
	if (f->verdict == FR_PASS)
		flow->flags &= ~FR_FLOW_WOULD_DROP;
	else
		flow->flags |= FR_FLOW_WOULD_DROP;
	if (f->verdict == FR_DROP)
		return;
	__sync_fetch_and_add(&flow->packets[dir], p->packets);
	__sync_fetch_and_add(&flow->bytes[dir], p->length);
	if (flow_refreshes(flow, p))
		flow->last = s->now;
	if (p->key.proto == FR_PROTO_TCP && flow->ended != (flow->state == FR_FLOW_CLOSING))
		track_end(s, flow, f->embryo ? FR_TABLE_EMBRYOS : FR_TABLE_FLOWS);
	if (f->embryo && f->verdict == FR_PASS && flow->state == FR_FLOW_ESTABLISHED)
		flow_promote(s, p, flow);
}

#endif /* FR_TRACK_H */
