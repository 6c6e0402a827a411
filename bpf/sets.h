/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of sets: where an entry may be, finding it, and which entry makes room for another. The
 * entries are flows (track.h) or refused packets (drops.h); this file does not depend on their
 * meaning. Compiles natively too.
 */
#ifndef FR_SETS_H
#define FR_SETS_H

#include "maps.h"
#include "packet.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ways are counted from the low end");

/* 1 if any bit is set, else 0, without a branch. */
static __always_inline __u64 any_bit(__u64 x)
{
	x |= -x;
	barrier_var(x);
	x >>= 63;
	barrier_var(x);
	return x;
}

/* ---------------------------------------------------------------- hash
 *
 * Keyed by a secret of the table: for each word of the key one to add and an odd one to multiply
 * by. It is as hard to foretell as need be, and not more: who finds tuples of one set takes places
 * from other strangers of this set, never from what this host has opened (see track.h).
 */

/* Keys lie at multiples of 8 wherever they are hashed or compared: whole words are read. */
typedef __u64 __attribute__((may_alias)) fr_word;

static __always_inline __u64 hash_word(__u64 hash, __u64 word, int i)
{
	hash = (hash ^ word ^ fr_secret[2 * i]) * (fr_secret[2 * i + 1] | 1);
	return hash ^ hash >> 32;
}

/* The ports that are hashed: the opener's own port is one of many. */
#define PORTS_BOTH 0xffffffffu
#define PORTS_PEER 0xffff0000u
#define PORTS_LOCAL 0x0000ffffu

static __always_inline __u64 hash_key(const struct fr_flow_key *key, __u8 v4, __u32 ports)
{
	const fr_word *addresses = (const fr_word *)key; /* local, then peer */
	__u64 hash = key->scope;

	if (v4) {
		hash = hash_word(hash, addresses[1] >> 32 | (addresses[3] >> 32 << 32), 0);
	} else {
		hash = hash_word(hash, addresses[0], 1);
		hash = hash_word(hash, addresses[1], 2);
		hash = hash_word(hash, addresses[2], 3);
		hash = hash_word(hash, addresses[3], 4);
	}
	hash = hash_word(hash,
			 ((key->local_port | (__u32)key->peer_port << 16) & ports) |
				 (__u64)key->vlan << 32 | (__u64)key->proto << 48 |
				 (__u64)key->pad << 56,
			 5);
	return hash_word(hash, 0, 6);
}

/* ---------------------------------------------------------------- place
 *
 * Bits of the hash, none of them used twice: the upper half names the region, 12 bits the two sets
 * in it, the low 16 the tag.
 */

static __always_inline __u32 place_region(__u64 hash, __u32 regions)
{
	return (hash >> 32) * regions >> 32;
}

static __always_inline __u32 place_first(__u64 hash, __u32 regions)
{
	return place_region(hash, regions) * FR_REGION_SETS + (hash >> 26) % FR_REGION_SETS;
}

static __always_inline __u32 place_second(__u64 hash, __u32 regions)
{
	__u32 first = (hash >> 26) % FR_REGION_SETS, second = (hash >> 20) % FR_REGION_SETS;

	second ^= any_bit(second ^ first) ^ 1;
	return place_region(hash, regions) * FR_REGION_SETS + second;
}

static __always_inline __u32 place_tag(__u64 hash)
{
	__u32 tag = hash & 0xffff;

	return tag | !tag;
}

/* ---------------------------------------------------------------- finding */

/*
 * The way of a tag, or FR_WAYS. Four tags at once: a lane of x is zero where the tag is equal, and
 * the lowest zero lane is marked exactly. The marks of both words are folded into one, whose lowest
 * bit a multiplication turns into the number of its way.
 */
static __always_inline __u32 set_way(const struct fr_set *set, __u32 tag)
{
	const __u64 ones = 0x0001000100010001ull, tops = 0x8000800080008000ull;
	const __u64 ways = 4ull << 57 | 1ull << 45 | 5ull << 41 | 2ull << 29 | 6ull << 25 |
			   3ull << 13 | 7ull << 9;
	__u64 x, y, marks, way;

	__builtin_memcpy(&x, &set->tag[0], sizeof(x));
	__builtin_memcpy(&y, &set->tag[4], sizeof(y));
	x ^= tag * ones;
	y ^= tag * ones;
	marks = ((x - ones) & ~x & tops) >> 15 | ((y - ones) & ~y & tops) >> 11;
	way = (marks & -marks) * ways >> 61;
	return way | (any_bit(marks) ^ 1) * FR_WAYS;
}

/* How many ways are free. Here each zero lane is marked, and no other. */
static __always_inline __u32 set_free(const struct fr_set *set)
{
	const __u64 ones = 0x0001000100010001ull, lows = 0x7fff7fff7fff7fffull;
	__u64 x, y;

	__builtin_memcpy(&x, &set->tag[0], sizeof(x));
	__builtin_memcpy(&y, &set->tag[4], sizeof(y));
	x = ~(((x & lows) + lows) | x | lows);
	y = ~(((y & lows) + lows) | y | lows);
	return ((x >> 15) + (y >> 15)) * ones >> 48;
}

/* An index, masked in the very register that is used: verifiers before 6.2 know no other bound. */
#define WAY(way)                                                                                   \
	({                                                                                         \
		__u64 way_ = (way);                                                                \
		barrier_var(way_);                                                                 \
		way_ % FR_WAYS;                                                                    \
	})

/* The lowest way of a set of ways, in which each has a bit: 1 << WAY_BIT(way). Not of none. */
#define WAY_BIT(way) ((way)*8)

static __always_inline __u32 ways_lowest(__u64 ways)
{
	const __u64 numbers = 1ull << 53 | 2ull << 45 | 3ull << 37 | 4ull << 29 | 5ull << 21 |
			      6ull << 13 | 7ull << 5;

	return (ways & -ways) * numbers >> 61;
}

/* 0: they are equal. No branch: most of the time they are. */
static __always_inline __u64 key_differs(const struct fr_flow_key *a, const struct fr_flow_key *b,
					 __u32 ports)
{
	const __u64 counts = 0xffffffff00000000ull | ports; /* ports and scope */
	const fr_word *x = (const fr_word *)a, *y = (const fr_word *)b;

	return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
	       ((x[4] ^ y[4]) & counts) | (a->vlan ^ b->vlan) | (a->proto ^ b->proto) |
	       (a->pad ^ b->pad);
}

/* ---------------------------------------------------------------- what a set holds
 *
 * In one word: a bit for each tag that may be there, and one for entries that are in their second
 * set. Most packets of no entry are known by it, and read no set, which in a large table is a miss
 * of all caches. Written under the lock, before the tag; a bit too many costs a look at the set.
 */
#define HELD_ELSEWHERE (1u << 31)
enum { /* bits for tags */
       HELD_FLOWS = 31,
       HELD_DROPS = 64, /* a flood fills this table: fewer tags share a bit */
};

static __always_inline __u64 held_bit(__u32 tag, __u32 bits)
{
	return 1ull << (tag * bits >> 16);
}

static __always_inline __u64 set_held(const struct fr_set *set, __u32 bits)
{
	__u64 held = 0;

#pragma GCC unroll 8
	for (__u32 way = 0; way < FR_WAYS; way++)
		held |= (__u64)(set->tag[way] > 0) << (set->tag[way] * bits >> 16);
	return held;
}

/* ---------------------------------------------------------------- making room
 *
 * Ranks: the way with the lowest one makes room; its number is in the low bits. They are compared
 * by subtraction: a branch for each way would be guessed wrong half of the time, and the verifier
 * would follow all of them. Nor is a constant masked by all ones or nothing: since 7.0 the verifier
 * follows both; 0 or 1 is multiplied.
 */
#define RANK_NEVER 0x7fffffffffffffffll
#define RANK(rank, way) ((__s64)((__u64)(rank)*FR_WAYS | (way)))
#define RANK_WAY(rank) ((__u32)(rank) % FR_WAYS)

static __always_inline __s64 rank_lower(__s64 a, __s64 b)
{
	__s64 differ = b - a;

	barrier_var(differ); /* the compiler knows a branch for what follows */
	return a + (differ & differ >> 63);
}

#endif /* FR_SETS_H */
