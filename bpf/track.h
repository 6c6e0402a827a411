/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of flows: finding a flow, opening one, and the changes that a packet makes to it. No
 * policy.
 *
 * Finding takes no lock. Key, progress and class of a flow change under the lock of its region,
 * after the flow was found again; so no packet's progress goes to another flow that has taken the
 * entry meanwhile. Figures, times and the sealed cell are added and stored without it.
 */
#ifndef FR_TRACK_H
#define FR_TRACK_H

#include "account.h"
#include "host.h"

enum {
	FLOW_CROWDED = 6,  /* flows that a stranger cannot evict: then the second set too */
	FLOW_UNPROVEN = 4, /* ways of a set that strangers take while others are free */
	FLOW_PLENTY = FR_WAYS - FLOW_UNPROVEN + 1, /* free ways of a set that anybody may take */
	FLOW_STAMP_TICKS = 64,	 /* how far the end of a flow moves before its set records it */
	FLOW_IDLE_OPENINGS = 20, /* a transfer is idle after so many times the time of an opening */
};
#define FLOW_TICKS_AHEAD (1u << (FR_INFO_BITS - 1)) /* farther: it has passed */

/* ---------------------------------------------------------------- time */

/* The end, in ticks, of a flow with this timeout. */
static __always_inline __u32 ends_after(__u64 last, __u32 timeout)
{
	__u32 left = timeout >> FR_TICK_SHIFT;

	if (left > FLOW_TICKS_AHEAD - 2)
		left = FLOW_TICKS_AHEAD - 2;
	return ticks(last) + left + 1;
}

static __always_inline __u32 flow_ends(const struct fr_ctx *s, const struct fr_progress *progress,
				       __u8 proto, __u64 last)
{
	return ends_after(last, s->conf->timeout[flow_timeout(progress, proto) % FR_TIMEOUTS]);
}

/* ---------------------------------------------------------------- SYNs of this host
 *
 * Where this host has sent no SYN from a port, no SYN that comes to it is half of a simultaneous
 * open. That is all that the table can tell of a SYN that its rule refuses; so a flood of them does
 * not read the table, in which each packet would find a line that is in no cache.
 */

static __always_inline __u16 *syn_at(__u16 port)
{
	__u32 at = port / FR_SYNS_PORTS;
	struct fr_syns *syns = bpf_map_lookup_elem(&fr_syns, &at);

	return syns ? &syns->ticks[port % FR_SYNS_PORTS] : 0;
}

static __always_inline void syn_note(const struct fr_flow_key *key, __u64 now)
{
	__u16 *sent = syn_at(key->local_port);

	if (sent)
		*sent = ticks(now);
}

/* May a SYN from this port be unanswered? Yes, too, for a moment each time that the 16 bits wrap.
 */
static __always_inline int syn_lately(const struct fr_ctx *s, __u16 port)
{
	__u32 most = ticks(s->conf->timeout[FR_TIMEOUT_TCP_OPENING]) + 1;
	const __u16 *sent = syn_at(port);

	return !sent || (__u16)(ticks(s->now) - *sent + 1) <= most + 1; /* a CPU may be ahead */
}

/* ---------------------------------------------------------------- finding */

/* The sets of a key, and the word of each in its region. */
struct fr_sets {
	struct fr_flow_set *first, *second;
	struct fr_region *region;
	__u32 *first_held, *second_held;
};

static __always_inline int sets_of(__u64 hash, struct fr_sets *sets)
{
	__u32 first = place_first(hash, fr_regions), second = place_second(hash, fr_regions);
	__u32 region = place_region(hash, fr_regions);

	sets->first = bpf_map_lookup_elem(&fr_flows, &first);
	sets->second = bpf_map_lookup_elem(&fr_flows, &second);
	sets->region = bpf_map_lookup_elem(&fr_flow_regions, &region);
	if (!sets->first || !sets->second || !sets->region)
		return 0;
	sets->first_held = &sets->region->held[first % FR_REGION_SETS];
	sets->second_held = &sets->region->held[second % FR_REGION_SETS];
	return 1;
}

static __always_inline int set_has_spilled(const struct fr_set *set, __u32 now)
{
	return set->spilled && (__s32)(set->spill_until - now) >= 0;
}

static __always_inline __u32 held_by(const struct fr_set *set, __u32 now)
{
	return set_held(set, HELD_FLOWS) | (set_has_spilled(set, now) ? HELD_ELSEWHERE : 0);
}

static __always_inline int table_may_hold(__u64 hash)
{
	__u32 region = place_region(hash, fr_regions);
	struct fr_region *known = bpf_map_lookup_elem(&fr_flow_regions, &region);

	return known && known->held[place_first(hash, fr_regions) % FR_REGION_SETS] &
				(held_bit(place_tag(hash), HELD_FLOWS) | HELD_ELSEWHERE);
}

/* The way of a key in a set, or FR_WAYS. */
static __always_inline __u32 flow_way(const struct fr_flow_set *set, __u32 tag,
				      const struct fr_flow_key *key)
{
	__u32 way = set_way(&set->set, tag);

	return way | any_bit(key_differs(&set->way[WAY(way)].key, key, PORTS_BOTH)) * FR_WAYS;
}

/* The flow of the packet's key, or NULL; it may have ended. *info is its class and end, from its
 * set. */
static __always_inline struct fr_flow *
flow_look_up(const struct fr_ctx *s, const struct fr_packet *p, __u64 hash, __u32 *info)
{
	__u32 at = place_first(hash, fr_regions), way;
	struct fr_flow_set *set;

	if (!table_may_hold(hash))
		return 0;
	set = bpf_map_lookup_elem(&fr_flows, &at);
	if (!set)
		return 0;
	way = flow_way(set, place_tag(hash), &p->key);
	if (way >= FR_WAYS) {
		if (!set_has_spilled(&set->set, ticks(s->now)))
			return 0;
		at = place_second(hash, fr_regions);
		set = bpf_map_lookup_elem(&fr_flows, &at);
		if (!set)
			return 0;
		way = flow_way(set, place_tag(hash), &p->key);
	}
	if (way >= FR_WAYS)
		return 0;
	way = WAY(way);
	*info = set->set.info[way];
	return &set->way[way];
}

/* The same, while it lives. */
static __always_inline struct fr_flow *flow_find(const struct fr_ctx *s, const struct fr_packet *p,
						 __u64 hash, __u32 *info)
{
	struct fr_flow *flow = flow_look_up(s, p, hash, info);
	__u64 now = s->now;

	FR_JOIN(s->conf->zero, now); /* a copy, of which the verifier may learn */
	return flow && !flow_expired(flow, s->conf->timeout, now) ? flow : 0;
}

/* ---------------------------------------------------------------- the cell
 *
 * A flow remembers the cell by which its opening was last judged, under a seal of that cell, this
 * generation, key and opener. Both are written and read without the lock: a cell that another
 * generation has said, or of another flow that has the entry meanwhile, has a wrong seal.
 */
#define SEAL_NONE 0u

/* Never SEAL_NONE, for which it gives one bit; so each number that may differ by one is
 * multiplied. */
static __always_inline __u32 cell_seal(const struct fr_ctx *s, __u64 hash, __u8 opener, __u32 cell,
				       __u32 slot)
{
	__u32 said = cell * 0x9e3779b1u + slot * 0x85ebca6bu + s->head->generation * 0xc2b2ae35u;

	return ((__u32)(hash ^ hash >> 32) ^ said ^ (__u32)opener << 31) | 1;
}

/* Remembers the cell of a flow that has another or none. */
static __always_inline void cell_keep(const struct fr_ctx *s, const struct fr_match *m,
				      const struct fr_decision *d, struct fr_flow *flow)
{
	volatile struct fr_flow *known = flow; /* the seal last */
	__u32 seal = cell_seal(s, m->hash, m->opener, d->cell, d->slot);

	if ((known->seal == seal && known->cell == d->cell) || d->cell == FR_CELL_GONE)
		return;
	known->cell = d->cell;
	known->seal = seal;
}

/* ---------------------------------------------------------------- making room */

/* A new flow that wants a place. */
struct fr_newcomer {
	__u32 now;    /* ticks */
	__u32 idle;   /* ticks that an established flow has left when it counts as idle */
	__u32 levels; /* who makes room for it, see LEVELS */
};

enum { /* levels of ranks */
       LEVEL_DEAD,
       LEVEL_UNPROVEN,
       LEVEL_SUSTAINED,
       LEVEL_IDLE,
       LEVEL_OWN,
       LEVEL_NEVER = 7,
};

/* By enum fr_class, four bits each: an opening of this side evicts flows that others opened first,
 * then its own; others evict only flows of others. */
#define LEVELS(ended, stranger, sustained, own, transfer)                                          \
	((ended) | (stranger) << 4 | (sustained) << 8 | (own) << 12 | (transfer) << 16)
#define LEVELS_OWN LEVELS(LEVEL_DEAD, LEVEL_UNPROVEN, LEVEL_SUSTAINED, LEVEL_OWN, LEVEL_NEVER)
#define LEVELS_UNPROVEN LEVELS(LEVEL_DEAD, LEVEL_UNPROVEN, LEVEL_NEVER, LEVEL_NEVER, LEVEL_NEVER)

static __always_inline __u32 levels_are_unproven(__u32 levels)
{
	return (levels ^ LEVELS_OWN) / (LEVELS_UNPROVEN ^ LEVELS_OWN);
}

static __always_inline __u32 info_left(__u32 info, __u32 now)
{
	return (info - now) & FR_INFO_TIME;
}

/* 1 while it is in use, else 0: free, ended, or past its end. */
static __always_inline __u64 info_lives(__u32 info, __u32 now)
{
	__u64 past = info_left(info, now) / FLOW_TICKS_AHEAD, ended = FR_INFO_CLASS(info);

	barrier_var(past); /* the compiler knows branches for what follows */
	barrier_var(ended);
	ended = (ended + 7) >> 3; /* 0 of FR_CLASS_ENDED, else 1 */
	return (past ^ 1) & ended;
}

/* The cost of a way that is in use. */
static __always_inline __s64 info_rank(__u32 info, const struct fr_newcomer *n)
{
	__u64 class = FR_INFO_CLASS(info), left = info_left(info, n->now);
	__u64 level = n->levels >> class * 4 & 15, idle = left - n->idle;

	barrier_var(idle);
	level -= (idle >> 63) * (class / FR_CLASS_ESTABLISHED) * (LEVEL_NEVER - LEVEL_IDLE);
	return level << FR_INFO_BITS | left;
}

#define RANK_OF_LEVEL(level) RANK((__s64)(level) << FR_INFO_BITS, 0)
#define RANK_LEVEL(rank) ((__u64)(rank) / FR_WAYS >> FR_INFO_BITS)

struct fr_room {
	__s64 best; /* rank */
	__u32 kept; /* flows in use that no stranger can evict */
};

/* One that has ended may still get a late packet: the free ones first. */
static __always_inline __s64 way_dead(const struct fr_set *set, __u64 dead)
{
	__u32 free = set_way(set, 0);

	return free < FR_WAYS ? free : ways_lowest(dead);
}

/* The best way of a set for a newcomer. `same_tag`: the way of another key with its tag, or
 * FR_WAYS: a tag is in a set once, so that one goes, if it is dead, or none. */
static __always_inline void set_room(const struct fr_set *set, const struct fr_newcomer *n,
				     __u32 same_tag, struct fr_room *room)
{
	__s64 best = RANK_NEVER;
	__u64 dead = 0;
	__u32 used = 0; /* and in the upper half those that are kept */

#pragma GCC unroll 1
	for (__u32 way = 0; way < FR_WAYS; way++) {
		__u32 info = set->info[way];
		__u64 lives = info_lives(info, n->now), keeps = FR_INFO_CLASS(info);

		barrier_var(keeps);
		keeps = (keeps + 6) >> 3; /* from FR_CLASS_SUSTAINED on */
		used += (1 + (keeps << 16)) * lives;
		dead |= (lives ^ 1) << WAY_BIT(way);
		best = rank_lower(best, RANK(info_rank(info, n), way) | (lives ^ 1) * RANK_NEVER);
	}
	room->kept = used >> 16;
	if (same_tag < FR_WAYS) {
		dead &= 1ull << WAY_BIT(same_tag);
		best = RANK_NEVER;
	} else if ((used & 0xffff) - room->kept >= FLOW_UNPROVEN &&
		   levels_are_unproven(n->levels)) {
		dead = 0; /* they have enough ways of this set */
	}
	if (dead)
		best = same_tag < FR_WAYS ? ways_lowest(dead) : way_dead(set, dead);
	else if (best >= RANK_OF_LEVEL(LEVEL_NEVER))
		best = RANK_NEVER;
	room->best = best;
}

/* The second set only when it needs no eviction and the first does, or when the first is
 * crowded. */
static __always_inline int room_is_in_second(const struct fr_room *first,
					     const struct fr_room *second)
{
	if (second->best == RANK_NEVER || first->best == RANK_NEVER)
		return second->best < first->best;
	if (RANK_LEVEL(first->best) != RANK_LEVEL(second->best))
		return RANK_LEVEL(second->best) < RANK_LEVEL(first->best);
	return first->kept >= FLOW_CROWDED && second->kept < first->kept;
}

/* The result of fr_room: 0, or a place and the entry there. */
enum {
	ROOM_WAY = 32,	  /* shift */
	ROOM_SECOND = 35, /* bit: of the second set */
	ROOM_FOUND = 36,  /* bit */
};

/*
 * The entry that makes room for a new flow of this hash. Without the lock: the insertion checks
 * under the lock that the place still holds the same entry (`info`, the low half). A global
 * function, as fr_policy: the verifier checks it once, and its frame is not below another.
 */
__noinline __u64 fr_room(__u64 hash, __u32 levels, __u32 now, __u32 idle)
{
	const struct fr_newcomer n = {.now = now, .idle = idle, .levels = levels};
	__u32 at = place_first(hash, fr_regions), tag = place_tag(hash), way, same;
	struct fr_flow_set *set = bpf_map_lookup_elem(&fr_flows, &at), *other;
	struct fr_room first, second;
	__u64 answer = 1ull << ROOM_FOUND;

	if (!set)
		return 0;
	same = set_way(&set->set, tag);
	if (same >= FR_WAYS && set_free(&set->set) >= FLOW_PLENTY) {
		way = set_way(&set->set, 0);
		return answer | (__u64)WAY(way) << ROOM_WAY | set->set.info[WAY(way)];
	}
	set_room(&set->set, &n, same, &first);
	if (first.kept >= FLOW_CROWDED || first.best >= RANK_OF_LEVEL(LEVEL_UNPROVEN)) {
		at = place_second(hash, fr_regions);
		other = bpf_map_lookup_elem(&fr_flows, &at);
		if (!other)
			return 0;
		set_room(&other->set, &n, set_way(&other->set, tag), &second);
		if (room_is_in_second(&first, &second)) {
			answer |= 1ull << ROOM_SECOND;
			set = other;
			first.best = second.best;
		}
	}
	if (first.best == RANK_NEVER)
		return 0;
	way = RANK_WAY(first.best);
	return answer | (__u64)way << ROOM_WAY | set->set.info[WAY(way)];
}

/* ---------------------------------------------------------------- changing, under the lock */

enum {
	PLACE_KNOWN = 1 << 4, /* the key is there already */
	PLACE_LOST = 1 << 5,  /* the flow that goes had been whole, or adopted */
};

struct fr_place {
	struct fr_flow_set *set;
	__u32 way;    /* FR_WAYS: none */
	__u32 second; /* it is the second set */
	__u32 was;    /* PLACE_KNOWN, or the evicted: its enum fr_class, 0 none, and PLACE_LOST */
};

static __always_inline int place_known(struct fr_place *place, struct fr_flow_set *set, __u32 tag,
				       const struct fr_flow_key *key)
{
	place->set = set;
	place->way = flow_way(set, tag, key);
	place->was = place->way < FR_WAYS ? PLACE_KNOWN : 0;
	return place->was;
}

static __always_inline int flow_is_whole(const struct fr_flow *flow)
{
	return flow->key.proto == FR_PROTO_TCP &&
	       (flow->state == FR_FLOW_ESTABLISHED || flow->state == FR_FLOW_ADOPTED);
}

/* Takes the place that fr_room has found. 0: it holds something else by now. */
static __always_inline int place_take(struct fr_place *place, const struct fr_sets *sets, __u32 tag,
				      __u64 room, __u32 now)
{
	__u32 way = room >> ROOM_WAY & (FR_WAYS - 1), info = room, same;

	place->second = room >> ROOM_SECOND & 1;
	place->set = place->second ? sets->second : sets->first;
	same = set_way(&place->set->set, tag);
	if ((same < FR_WAYS && same != way) || place->set->set.info[WAY(way)] != info)
		return 0;
	place->way = way;
	place->was = info_lives(info, now) * FR_INFO_CLASS(info);
	if (place->was && flow_is_whole(&place->set->way[WAY(way)]))
		place->was |= PLACE_LOST;
	return 1;
}

/* The place of the key, or one for it. 0: look for room again. */
static __always_inline int place_claim(struct fr_place *place, const struct fr_sets *sets,
				       __u64 hash, const struct fr_flow_key *key, __u64 room,
				       __u32 now)
{
	__u32 tag = place_tag(hash);

	*place = (struct fr_place){.way = FR_WAYS};
	if (place_known(place, sets->first, tag, key))
		return 1;
	if (set_has_spilled(&sets->first->set, now) && place_known(place, sets->second, tag, key)) {
		place->second = 1;
		return 1;
	}
	return room >> ROOM_FOUND ? place_take(place, sets, tag, room, now) : 1;
}

/* `ends`: in ticks. */
static __always_inline void place_stamp(const struct fr_place *place, const struct fr_sets *sets,
					__u32 way, __u32 class, __u32 ends, __u32 now)
{
	struct fr_set *first = &sets->first->set;

	place->set->set.info[way] = FR_INFO(class, ends);
	if (!place->second)
		return;
	if (!set_has_spilled(first, now) || (__s32)(ends - first->spill_until) > 0)
		first->spill_until = ends;
	first->spilled = 1;
	*sets->first_held |= HELD_ELSEWHERE;
}

/* Between the two no packet finds the entry in the way. Returns the tag that was there. */
static __always_inline __u32 place_clear(const struct fr_place *place, __u32 way)
{
	__u32 tag = place->set->set.tag[way];

	place->set->set.tag[way] = 0;
	barrier();
	return tag;
}

static __always_inline void place_publish(const struct fr_place *place, const struct fr_sets *sets,
					  __u32 way, __u32 tag, __u32 gone, __u32 now)
{
	__u32 *held = place->second ? sets->second_held : sets->first_held;

	if (gone)
		*held = held_by(&place->set->set, now) | held_bit(tag, HELD_FLOWS);
	else
		*held |= held_bit(tag, HELD_FLOWS);
	barrier();
	place->set->set.tag[way] = tag;
}

/* ---------------------------------------------------------------- opening */

/* A bit for each direction in which packets have passed. */
static __always_inline __u32 flow_heard(const struct fr_flow *flow)
{
	return !!flow->packets[FR_EGRESS] << FR_EGRESS | !!flow->packets[FR_INGRESS] << FR_INGRESS;
}

/* Another CPU has opened the very same flow meanwhile: its entry takes this packet too. */
static __always_inline int flow_joins(const struct fr_ctx *s, struct fr_flow *flow,
				      const struct fr_progress *progress, const struct fr_packet *p)
{
	if (flow->state != progress->state || flow->opener != progress->opener ||
	    flow->reason != progress->reason || flow_expired(flow, s->conf->timeout, s->now))
		return 0;
	__sync_fetch_and_add(&flow->packets[p->dir & 1], p->packets);
	__sync_fetch_and_add(&flow->bytes[p->dir & 1], p->length);
	return 1;
}

/* A flow that is to begin, beside its key. */
struct fr_opening {
	__u64 hash;
	__u32 cell, seal;
	struct fr_progress progress;
	__u32 slot;
};

static __always_inline void flow_write(struct fr_flow *flow, const struct fr_ctx *s,
				       const struct fr_packet *p, const struct fr_opening *o)
{
	flow->key = p->key;
	flow->progress = o->progress;
	flow->slot = o->slot;
	flow->cell = o->cell;
	flow->seal = o->seal;
	flow->last = s->now;
	flow->packets[FR_EGRESS] = p->dir == FR_EGRESS ? p->packets : 0;
	flow->packets[FR_INGRESS] = p->dir == FR_INGRESS ? p->packets : 0;
	flow->bytes[FR_EGRESS] = p->dir == FR_EGRESS ? p->length : 0;
	flow->bytes[FR_INGRESS] = p->dir == FR_INGRESS ? p->length : 0;
	flow->first = s->now;
	if (s->owner) {
		flow->pid = s->owner->pid;
		__builtin_memcpy(flow->comm, s->owner->comm, sizeof(flow->comm));
	} else {
		flow->pid = 0;
		__builtin_memset(flow->comm, 0, sizeof(flow->comm));
	}
	flow->opener_again = 1;
}

static __always_inline void lost_note(const struct fr_ctx *s)
{
	__u32 which = FR_TIME_LOST;
	__u64 *lost = bpf_map_lookup_elem(&fr_times, &which);

	if (lost)
		*lost = s->now;
}

/* Was a whole connection evicted a short while ago, or one that had been adopted? */
static __always_inline int track_lost_lately(const struct fr_ctx *s)
{
	__u32 which = FR_TIME_LOST;
	__u64 *lost = bpf_map_lookup_elem(&fr_times, &which);

	return lost && *lost && (__s64)(s->now - *lost) < s->conf->timeout[FR_TIMEOUT_ADOPT];
}

static __always_inline __u64 room_for(const struct fr_ctx *s, __u64 hash, __u32 class)
{
	__u32 whole = s->conf->timeout[FR_TIMEOUT_TCP_ESTABLISHED];
	__u32 idle = s->conf->timeout[FR_TIMEOUT_TCP_OPENING] * FLOW_IDLE_OPENINGS;

	idle = idle < whole / 2 ? whole - idle : whole / 2;
	return fr_room(hash, class < FR_CLASS_OWN ? LEVELS_UNPROVEN : LEVELS_OWN, ticks(s->now),
		       idle >> FR_TICK_SHIFT);
}

static __always_inline void open_report(const struct fr_ctx *s, const struct fr_packet *p,
					const struct fr_place *place, __u32 class, __u32 adopted)
{
	if (place->way >= FR_WAYS) {
		tally_add(p, FR_TALLY_NO_ROOM + class);
		if (adopted)
			lost_note(s);
		return;
	}
	if (place->was & 15)
		tally_add(p, FR_TALLY_EVICTED + (place->was & 15));
	if (place->was & PLACE_LOST)
		lost_note(s);
	tally_add(p, adopted ? FR_TALLY_FLOWS_ADOPTED : FR_TALLY_FLOWS_OPENED);
}

/* The progress of the flow that this packet begins. */
static __always_inline void progress_begin(const struct fr_ctx *s, const struct fr_packet *p,
					   const struct fr_decision *d,
					   struct fr_progress *progress, struct fr_hook h)
{
	progress->opener = d->opener;
	progress->state = d->new_state;
	progress->flags = d->verdict == FR_PASS ? 0 : FR_FLOW_WOULD_DROP;
	progress->reason = d->reason;
	progress->isn = p->key.proto == FR_PROTO_TCP ? p->seq : (__u32)s->now;
	if (p->key.proto == FR_PROTO_UDP && d->reason != FR_REASON_FORWARDED)
		progress->asker =
			h.dir == FR_EGRESS && h.kind != FR_KIND_GUEST ? host_asker(s->skb) : 0;
}

enum { /* what became of a new flow */
       OPENED,
       JOINED, /* it was there already */
       NO_ROOM,
       AGAIN, /* another CPU has taken the place */
};

static __noinline int flow_put(const struct fr_ctx *s, const struct fr_packet *p,
			       const struct fr_opening *o, __u64 room)
{
	__u32 class = flow_class(&o->progress, p->key.proto, 1 << (p->dir & 1)), way, gone;
	__u32 ends = flow_ends(s, &o->progress, p->key.proto, s->now);
	int found, joined = 0;
	struct fr_place place;
	struct fr_sets sets;

	if (!sets_of(o->hash, &sets))
		return NO_ROOM;
	FR_JOIN(s->conf->zero, class, ends);
	bpf_spin_lock(&sets.region->lock);
	found = place_claim(&place, &sets, o->hash, &p->key, room, ticks(s->now));
	if (found && place.way < FR_WAYS) {
		way = WAY(place.way);
		joined = place.was == PLACE_KNOWN &&
			 flow_joins(s, &place.set->way[way], &o->progress, p);
		if (!joined) {
			gone = place_clear(&place, way);
			flow_write(&place.set->way[way], s, p, o);
			place_stamp(&place, &sets, way, class, ends, ticks(s->now));
			place_publish(&place, &sets, way, place_tag(o->hash), gone, ticks(s->now));
		}
	}
	bpf_spin_unlock(&sets.region->lock);
	if (!found)
		return AGAIN;
	if (joined)
		return JOINED;
	open_report(s, p, &place, class, o->progress.state == FR_FLOW_ADOPTED);
	return place.way < FR_WAYS ? OPENED : NO_ROOM;
}

/* Begins to fetch the line of the lock, while room is looked for. */
static __always_inline void lock_touch(__u64 hash)
{
	__u32 number = place_region(hash, fr_regions);
	const struct fr_region *region = bpf_map_lookup_elem(&fr_flow_regions, &number);

	if (region)
		(void)*(const volatile __u32 *)region->pad;
}

static __always_inline int flow_open(const struct fr_ctx *s, const struct fr_packet *p,
				     const struct fr_match *m, const struct fr_decision *d,
				     struct fr_hook h)
{
	struct fr_opening o = {.hash = m->hash, .cell = d->cell, .slot = d->slot};
	__u32 class;
	int result;

	o.seal = d->cell == FR_CELL_GONE ? SEAL_NONE
					 : cell_seal(s, m->hash, d->opener, d->cell, d->slot);
	progress_begin(s, p, d, &o.progress, h);
	class = flow_class(&o.progress, p->key.proto, 1 << (p->dir & 1));
	FR_JOIN(s->conf->zero, class, o.seal, o.progress.flags, o.progress.isn);
	lock_touch(m->hash);
	result = flow_put(s, p, &o, room_for(s, m->hash, class));
	if (result == AGAIN)
		result = flow_put(s, p, &o, room_for(s, m->hash, class));
	if (result == AGAIN)
		tally_add(p, FR_TALLY_NO_ROOM + class);
	return result;
}

/* Has the other table seen more of this flow than this one, which got it from there before? */
static __always_inline int import_is_newer(const struct fr_flow *from, const struct fr_flow *known)
{
	if (from->first != known->first || from->opener != known->opener)
		return 0;
	return from->last > known->last ||
	       (from->last == known->last && from->state > known->state);
}

/* A flow of another table, as it is. It may come twice, and have gone on in between. */
static __noinline int flow_import(const struct fr_ctx *s, const struct fr_flow *from)
{
	const fr_word *words = (const fr_word *)&from->key;
	__u32 class = flow_class(&from->progress, from->key.proto, flow_heard(from)), way, gone;
	__u32 ends = flow_ends(s, &from->progress, from->key.proto, from->last);
	struct fr_place place;
	struct fr_sets sets;
	__u64 hash, room;

	if (from->key.proto == FR_PROTO_TCP && from->opener == FR_EGRESS)
		syn_note(&from->key, s->now);
	hash = hash_key(&from->key, !words[0] && (__u32)words[1] == bpf_htonl(0xffff), PORTS_BOTH);
	room = room_for(s, hash, class);
	if (!sets_of(hash, &sets))
		return -1;
	FR_JOIN(s->conf->zero, class, ends);
	bpf_spin_lock(&sets.region->lock);
	if (place_claim(&place, &sets, hash, &from->key, room, ticks(s->now)) &&
	    place.way < FR_WAYS &&
	    (place.was != PLACE_KNOWN || import_is_newer(from, &place.set->way[WAY(place.way)]))) {
		way = WAY(place.way);
		gone = place_clear(&place, way);
		place.set->way[way] = *from;
		place.set->way[way].seal = SEAL_NONE;
		place_stamp(&place, &sets, way, class, ends, ticks(s->now));
		place_publish(&place, &sets, way, place_tag(hash), gone, ticks(s->now));
	}
	bpf_spin_unlock(&sets.region->lock);
	return 0;
}

/* ---------------------------------------------------------------- going on */

/* The changes by the packet, made to the flow as it is by now. 1: it is the answer to the opening.
 */
static __always_inline int flow_change(const struct fr_ctx *s, const struct fr_packet *p,
				       __u64 judged, struct fr_place *place,
				       const struct fr_sets *sets)
{
	__u32 way = place->way, class;
	struct fr_progress progress, known;
	struct fr_flow *flow;
	__u8 before;

	way = WAY(way);
	flow = &place->set->way[way];
	progress = flow->progress;
	before = progress.state;
	flow_step(&progress, p);
	__builtin_memcpy(&known, &judged, sizeof(known));
	progress.reason = known.reason;
	progress.flags &= ~FR_FLOW_WOULD_DROP;
	progress.flags |= known.flags & FR_FLOW_WOULD_DROP;
	flow->progress = progress;
	class = flow_class(&progress, p->key.proto, flow_heard(flow));
	place_stamp(place, sets, way, class, flow_ends(s, &progress, p->key.proto, flow->last),
		    ticks(s->now));
	return flow_was_answered(before, progress.state, p->key.proto);
}

/* `judged`: the progress, as a word, that the packet was judged to make. 1: see flow_change(). */
static __noinline int flow_commit(const struct fr_ctx *s, const struct fr_packet *p, __u64 hash,
				  __u64 judged)
{
	struct fr_place place = {0};
	struct fr_sets sets;
	int answered = 0;

	if (!sets_of(hash, &sets))
		return 0;
	bpf_spin_lock(&sets.region->lock);
	if (!place_known(&place, sets.first, place_tag(hash), &p->key))
		place.second = place_known(&place, sets.second, place_tag(hash), &p->key);
	if (place.was == PLACE_KNOWN)
		answered = flow_change(s, p, judged, &place, &sets);
	bpf_spin_unlock(&sets.region->lock);
	return answered;
}

/* Has the flow's end moved on since its set recorded it? */
static __always_inline int info_is_old(__u32 info, __u32 ends)
{
	return info_left(ends, info) >= FLOW_STAMP_TICKS;
}

/* The same, or has the other side of an adopted one been heard? */
static __always_inline int flow_moved(const struct fr_ctx *s, const struct fr_match *m,
				      const struct fr_flow *flow)
{
	__u8 proto = flow->key.proto;

	if (m->progress.state == FR_FLOW_ADOPTED &&
	    flow_class(&m->progress, proto, flow_heard(flow)) != FR_INFO_CLASS(m->info))
		return 1;
	return info_is_old(m->info, flow_ends(s, &m->progress, proto, flow->last));
}

/* A flow whose questions come by another device: see received.h. Asked once in half of its time. */
static __always_inline int flow_is_asked(const struct fr_ctx *s, const struct fr_packet *p,
					 const struct fr_flow *flow, struct fr_hook h)
{
	if (h.kind != FR_KIND_INTERFACE || p->key.proto != FR_PROTO_UDP ||
	    flow->opener != FR_INGRESS || flow->reason != FR_REASON_REPLY ||
	    s->now - flow->last <= s->conf->timeout[FR_TIMEOUT_UDP] / 2)
		return 0;
	return host_was_asked(s, p);
}

/*
 * One datagram may ask for many (telemetry, notifications): as long as the socket that opened the
 * flow is there, the peer keeps it alive. Asked once in half of its time.
 */
static __always_inline int flow_is_fed(const struct fr_ctx *s, const struct fr_packet *p,
				       const struct fr_flow *flow, struct fr_hook h)
{
	__u32 asker = flow->asker;

	if (h.dir == FR_EGRESS)
		return flow_is_asked(s, p, flow, h);
	if (h.kind == FR_KIND_GUEST || p->key.proto != FR_PROTO_UDP || flow->opener != FR_EGRESS ||
	    flow->reason == FR_REASON_FORWARDED || !asker ||
	    s->now - flow->last <= s->conf->timeout[FR_TIMEOUT_UDP] / 2)
		return 0;
	return host_has_asker(s->skb, p, asker);
}

/* The packet's share of the flow's figures. */
static __always_inline void flow_count(const struct fr_ctx *s, const struct fr_packet *p,
				       struct fr_flow *flow, struct fr_hook h)
{
	__u32 dir = h.dir;

	__sync_fetch_and_add(&flow->packets[dir & 1], p->packets);
	__sync_fetch_and_add(&flow->bytes[dir & 1], p->length);
	if ((flow_refreshes(flow, p) || flow_is_fed(s, p, flow, h)) && flow->last != s->now)
		flow->last = s->now;
}

static __always_inline __u64 progress_word(const struct fr_progress *progress)
{
	__u64 word;

	__builtin_memcpy(&word, progress, sizeof(word));
	return word;
}

/* A forwarded flow's last packet of this host's side, by which conntrack keeps it. */
static __always_inline void flow_note_forwarded(const struct fr_ctx *s, const struct fr_packet *p,
						struct fr_match *m, struct fr_flow *flow)
{
	m->progress.reason = FR_REASON_FORWARDED;
	if (p->key.proto != FR_PROTO_TCP)
		m->progress.sent = flow->sent = s->now;
}

/* A packet of a known flow: the verdict of it, and its share of the figures. */
static __always_inline void flow_update(const struct fr_ctx *s, const struct fr_packet *p,
					struct fr_match *m, struct fr_decision *d, struct fr_hook h)
{
	struct fr_flow *flow = d->flow;

	if (m->relation == FR_REL_FORWARDED)
		flow_note_forwarded(s, p, m, flow);
	if (d->verdict == FR_PASS)
		m->progress.flags &= ~FR_FLOW_WOULD_DROP;
	else
		m->progress.flags |= FR_FLOW_WOULD_DROP;
	if (flow->slot != d->slot)
		flow->slot = d->slot;
	cell_keep(s, m, d, flow);
	if (d->verdict != FR_DROP)
		flow_count(s, p, flow, h);
	if (progress_word(&m->progress) != progress_word(&flow->progress) || flow_moved(s, m, flow))
		d->answered = flow_commit(s, p, m->hash, progress_word(&m->progress));
}

#endif /* FR_TRACK_H */
