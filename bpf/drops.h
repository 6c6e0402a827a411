/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refused packets, one entry for each peer and port that is asked for: found at no more than the
 * cost of a look-up, and listed under a budget, so that a flood of sources costs no more than
 * telling that it is refused. The rule's counters are exact all the same, and say how many packets
 * no entry has counted.
 */
#ifndef FR_DROPS_H
#define FR_DROPS_H

#include "ctx.h"
#include "sets.h"
#include "verdict.h"

enum { /* classes of entries, in `info`; 0 is free */
       DROP_SEEN = 1,
       DROP_REPEATS = 2, /* keeps its place while it goes on */
};

enum {
	DROP_REPEATS_AT = 8, /* packets */
	DROP_SAMPLES = 64,   /* one packet in so many may be listed when the budget is spent */
	FR_BUDGET_NEW = 500, /* entries that a CPU may make in a window */
	FR_BUDGET_SHIFT = 8, /* jiffies of a window: a second at 250 Hz */
	DROP_SILENT_TICKS = 2500 >> FR_TICK_SHIFT, /* ten seconds at 250 Hz */
};

static __always_inline __u32 ticks(__u64 jiffies)
{
	return jiffies >> FR_TICK_SHIFT;
}

static __always_inline struct fr_drop *drop_find(struct fr_drop_set *set, __u32 tag,
						 const struct fr_flow_key *key, __u32 ports)
{
	__u32 way = set_way(&set->set, tag);
	struct fr_drop *drop;

	if (way >= FR_WAYS)
		return 0;
	drop = &set->way[WAY(way)];
	return key_differs(&drop->key, key, ports) ? 0 : drop;
}

/* May a source be listed that is not? A packet in so many may in any case: who sends much gets in
 * by it before long. */
static __always_inline int budget_take(const struct fr_ctx *s, __u64 hash)
{
	struct fr_budget *budget;
	__u32 zero = 0;

	budget = bpf_map_lookup_elem(&fr_budget, &zero);
	if (!budget)
		return 0;
	if (budget->window != s->now >> FR_BUDGET_SHIFT) {
		budget->window = s->now >> FR_BUDGET_SHIFT;
		budget->left = FR_BUDGET_NEW;
	}
	if (!budget->left)
		return !((++budget->over * 0x9e3779b1u ^ (__u32)hash) >> 20 & (DROP_SAMPLES - 1));
	budget->left--;
	return 1;
}

/* The older, the better; who comes again stays until it has been silent for long. */
static __always_inline __s64 drop_rank(__u32 info, __u32 now, __u32 way)
{
	__u64 age = (now - info) & FR_INFO_TIME, class = FR_INFO_CLASS(info);
	__u64 stays = class / DROP_REPEATS & !image_reached(age, DROP_SILENT_TICKS);

	return RANK(class << FR_INFO_BITS | (FR_INFO_TIME - age), way) | stays * RANK_NEVER;
}

static __always_inline void drop_write(struct fr_drop *drop, const struct fr_flow_key *key,
				       __u32 ports, __u8 opener, const struct fr_ctx *s)
{
	drop->key = *key;
	drop->dir = opener;
	drop->key.local_port &= ports;
	drop->key.peer_port &= ports >> 16;
	drop->packets = drop->bytes = 0;
	drop->first = drop->last = s->now;
	drop->event_next = 0;
	drop->held = 0;
	drop->pid = 0;
	__builtin_memset(drop->comm, 0, sizeof(drop->comm));
}

/* The way that makes room, or FR_WAYS. A tag is in a set once: the entry that has it goes, or none.
 */
static __always_inline __u32 drop_victim(const struct fr_set *set, __u32 same_tag, __u32 now)
{
	__s64 best = RANK_NEVER;

#pragma GCC unroll 8
	for (__u32 way = 0; way < FR_WAYS; way++)
		best = rank_lower(best, drop_rank(set->info[way], now, way));
	if (same_tag < FR_WAYS)
		best = drop_rank(set->info[WAY(same_tag)], now, same_tag);
	return best < RANK_NEVER ? RANK_WAY(best) : FR_WAYS;
}

/* Packets counted by an entry that made room: no entry counts them from now on. */
struct fr_unlisted {
	__u64 packets;
	__u32 slot;
};

static __always_inline void unlisted_add(const struct fr_unlisted *u, const struct fr_packet *p)
{
	struct fr_counters *c = bpf_map_lookup_elem(&fr_counters, &u->slot);

	if (c)
		counter_add(&c->unlisted, u->packets, counters_race(p->kind, p->dir));
}

/* Under the lock: the way of the key in its set, made if there is room for it; or FR_WAYS. */
static __always_inline __u32 drop_claim(const struct fr_ctx *s, struct fr_drop_set *set,
					__u64 *held, const struct fr_packet *p, __u8 opener,
					__u32 ports, __u32 tag, struct fr_unlisted *u)
{
	__u32 way = set_way(&set->set, tag);

	if (way < FR_WAYS && !key_differs(&set->way[WAY(way)].key, &p->key, ports))
		return way; /* another CPU was first */
	way = drop_victim(&set->set, way, ticks(s->now));
	if (way >= FR_WAYS)
		return way;
	way = WAY(way);
	u->packets = set->way[way].packets * any_bit(set->way[way].verdict ^ FR_PASS);
	u->slot = set->way[way].slot;
	set->set.tag[way] = 0;
	barrier();
	drop_write(&set->way[way], &p->key, ports, opener, s);
	set->set.info[way] = FR_INFO(DROP_SEEN, ticks(s->now));
	*held = set_held(&set->set, HELD_DROPS) | held_bit(tag, HELD_DROPS);
	barrier();
	set->set.tag[way] = tag;
	return way;
}

static __always_inline struct fr_drop *drop_insert(const struct fr_ctx *s, struct fr_drop_set *set,
						   struct fr_drop_region *region,
						   const struct fr_packet *p, __u8 opener,
						   __u32 ports, __u64 hash)
{
	__u64 *held = &region->held[place_first(hash, FR_DROP_REGIONS) % FR_REGION_SETS];
	struct fr_unlisted u = {0};
	__u32 way;

	bpf_spin_lock(&region->lock);
	way = drop_claim(s, set, held, p, opener, ports, place_tag(hash), &u);
	bpf_spin_unlock(&region->lock);
	if (way >= FR_WAYS)
		return 0;
	if (u.packets)
		unlisted_add(&u, p);
	return &set->way[WAY(way)];
}

static __always_inline void drop_stamp(struct fr_drop_set *set, struct fr_drop *drop, __u32 tag,
				       __u32 now)
{
	__u32 class = drop->packets < DROP_REPEATS_AT ? DROP_SEEN : DROP_REPEATS;
	__u32 way = set_way(&set->set, tag);

	if (way < FR_WAYS && set->set.info[WAY(way)] != FR_INFO(class, now))
		set->set.info[WAY(way)] = FR_INFO(class, now);
}

/* A function of its own: when it returns, the verifier has forgotten whether there is an owner. */
static __noinline int drop_owner(const struct fr_ctx *s, const struct fr_packet *p,
				 struct fr_drop *drop)
{
	const struct fr_owner *owner = ctx_owner(s, p->kind);

	if (!owner)
		return 0;
	drop->pid = owner->pid;
	__builtin_memcpy(drop->comm, owner->comm, sizeof(drop->comm));
	return 0;
}

static __always_inline void drop_count(const struct fr_ctx *s, const struct fr_packet *p,
				       const struct fr_decision *d, struct fr_drop *drop)
{
	/* Packets that were would-drop before enforcement began are not reported as dropped, and
	 * those of before `zero`, which leaves FR_PASS there, not at all. */
	if (drop->verdict != d->verdict) {
		drop->first = s->now;
		drop->packets = 0;
		drop->bytes = 0;
	}
	__sync_fetch_and_add(&drop->packets, p->packets);
	__sync_fetch_and_add(&drop->bytes, p->length);
	drop->last = s->now;
	drop->slot = d->slot;
	drop->generation = s->head->generation;
	drop->verdict = d->verdict;
	drop->reason = d->reason;
	drop->opener_port = d->opener == FR_EGRESS ? p->key.local_port : p->key.peer_port;
}

/* The entry that has counted the packet, or NULL. */
static __always_inline struct fr_drop *drop_list(const struct fr_ctx *s, const struct fr_packet *p,
						 const struct fr_decision *d)
{
	const struct fr_flow_key *key = &p->key;
	__u32 ports = PORTS_LOCAL;
	struct fr_drop_region *region;
	struct fr_drop_set *set;
	struct fr_drop *drop = 0;
	__u32 at, number;
	__u64 hash;

	if (d->opener == FR_EGRESS || proto_is_icmp(key->proto))
		ports = PORTS_PEER;
	hash = hash_key(key, p->v4, ports);
	at = place_first(hash, FR_DROP_REGIONS);
	number = place_region(hash, FR_DROP_REGIONS);
	set = bpf_map_lookup_elem(&fr_drops, &at);
	region = bpf_map_lookup_elem(&fr_drop_regions, &number);
	if (!set || !region)
		return 0;
	if (region->held[at % FR_REGION_SETS] & held_bit(place_tag(hash), HELD_DROPS))
		drop = drop_find(set, place_tag(hash), key, ports);
	if (!drop && budget_take(s, hash))
		drop = drop_insert(s, set, region, p, d->opener, ports, hash);
	if (!drop)
		return 0;
	drop_owner(s, p, drop);
	drop_count(s, p, d, drop);
	drop_stamp(set, drop, place_tag(hash), ticks(s->now));
	return drop;
}

#endif /* FR_DROPS_H */
