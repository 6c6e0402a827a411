/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers from elsewhere: from another port or address than was asked, where the rule of the
 * question says so (enum fr_answers). Each such question is noted in a set of its asker, and looked
 * for when a datagram would be refused, by no other packet. The generation in force judges the
 * question again when its answer comes, so a note admits nothing by itself. The answer begins a
 * flow of who asked, whose reason is FR_REASON_REPLY, and which is worth no more than one that
 * others open: they choose how many there are.
 */
#ifndef FR_ANSWERS_H
#define FR_ANSWERS_H

#include "sets.h"
#include "verdict.h"

/* ---------------------------------------------------------------- addresses */

enum { ON_SUBNET = 1, IS_BROADCAST = 2 };

/* IS_BROADCAST means nothing in IPv6. A subnet of two addresses or one has none. */
static __always_inline __u32 subnet_has(const struct fr_subnet *subnet, const __u64 address[2])
{
	const fr_word *base = (const fr_word *)subnet->address;
	const fr_word *mask = (const fr_word *)subnet->mask;
	__u64 differs = ((address[0] ^ base[0]) & mask[0]) | ((address[1] ^ base[1]) & mask[1]);
	__u64 narrow = ~(address[1] | mask[1]) >> 32 | (mask[1] >> 56 & 3);
	__u64 used = any_bit(mask[0] | mask[1]);

	return used * (any_bit(differs) ^ 1) * (ON_SUBNET | (any_bit(narrow) ^ 1) * IS_BROADCAST);
}

/* An address, as two words of a key, among the subnets of this host. A global function, as
 * fr_policy: the verifier checks it once. */
__noinline __u32 fr_subnets(__u32 generation, __u64 first, __u64 second)
{
	const __u64 address[2] = {first, second};
	fr_image image = policy_image_of(generation);
	const struct fr_image_head *head = image ? image_line(image, FR_LINE_HEAD) : 0;
	const struct fr_image_conf *conf = image ? image_line(image, FR_LINE_CONF) : 0;
	const struct fr_subnet *pair;
	__u32 found = 0, line;

	if (!head || !conf || !(head->flags & FR_F_ANSWERS))
		return 0;
	line = head->slots + (conf->rules + FR_LINE_WORDS - 1) / FR_LINE_WORDS;
	for (__u32 i = 0; i < FR_SUBNETS / 2; i++) {
		pair = image_line(image, line + i);
		if (!pair || !pair->mask[0])
			break;
		found |= subnet_has(&pair[0], address) | subnet_has(&pair[1], address);
	}
	return found;
}

static __always_inline __u32 address_on_subnets(const struct fr_ctx *s, const __u8 address[16])
{
	__u64 words[2];

	__builtin_memcpy(words, address, sizeof(words));
	return fr_subnets(s->head->generation, words[0], words[1]);
}

/* Multicast, or the broadcast address of any subnet. */
static __always_inline int is_any_group(const __u8 address[16], __u8 v4)
{
	__u32 words[4];

	if (!v4)
		return address[0] == 0xff;
	__builtin_memcpy(words, address, sizeof(words));
	return address[12] >> 4 == 14 || !~words[3];
}

/* An address that never sends. That of a subnet ends with two ones at least. */
static __always_inline int is_group(const struct fr_ctx *s, const __u8 address[16], __u8 v4)
{
	if (is_any_group(address, v4))
		return 1;
	return v4 && (address[15] & 3) == 3 && address_on_subnets(s, address) & IS_BROADCAST;
}

static __always_inline int is_unspecified(const __u8 address[16], __u8 v4)
{
	__u32 words[4];

	__builtin_memcpy(words, address, sizeof(words));
	return !words[3] && (v4 || !(words[0] | words[1] | words[2]));
}

/* ---------------------------------------------------------------- the question */

/* What decides how a question is answered, beside its rule: in one word, as the argument of
 * fr_question. Its port is in the low bits. */
enum {
	ASKED_BY = 16,	  /* shift: enum fr_dir, the side that asked */
	ASKED_AWAIT = 24, /* shift: enum fr_await, of fr_question */
	ASKED_GROUP = 1 << 17,
	ASKED_STRANGER = 1 << 18, /* by one that has no address */
};

/* From where a rule with these enum fr_answers has it answered: enum fr_await. */
static __always_inline __u32 question_awaits(__u32 asked, __u32 answers)
{
	int many = asked & (ASKED_GROUP | ASKED_STRANGER);

	if (answers == FR_ANSWERS_PEER)
		return FR_AWAIT_NOTHING;
	if (answers == FR_ANSWERS_GROUP || (answers == FR_ANSWERS_DEFAULT && many)) {
		if (many)
			return asked & ASKED_STRANGER ? FR_AWAIT_STRANGER : FR_AWAIT_GROUP;
		return (asked >> ASKED_BY & 1) == FR_EGRESS ? FR_AWAIT_PEERS : FR_AWAIT_PORT;
	}
	if (many || (answers == FR_ANSWERS_DEFAULT && (__u16)asked != FR_TFTP_PORT))
		return FR_AWAIT_NOTHING;
	return FR_AWAIT_PORT;
}

/* The same of a packet that is part of a flow by this opener. */
static __always_inline __u32 packet_awaits(const struct fr_ctx *s, const struct fr_packet *p,
					   __u32 opener, __u32 answers)
{
	__u32 asked = flow_port(&p->key, opener & 1) | (opener & 1) << ASKED_BY;

	if (answers == FR_ANSWERS_PEER)
		return FR_AWAIT_NOTHING;
	if (is_group(s, (opener & 1) == FR_EGRESS ? p->key.peer : p->key.local, p->v4))
		asked |= ASKED_GROUP;
	if ((opener & 1) == FR_INGRESS && is_unspecified(p->key.peer, p->v4))
		asked |= ASKED_STRANGER;
	return question_awaits(asked, answers);
}

/* ---------------------------------------------------------------- notes
 *
 * A set for each asker, and for each host that it asked where only that host may answer. Sets are
 * shared: a question takes a place that is free, or else of its own source or rule, so that who
 * asks much displaces what he asked.
 */

/* What is looked for, as one argument: the asker's side, the ways of waiting with a bit for each
 * enum fr_await, whether a question may be of any age, and the ways of the set that were tried. */
#define SEEK(opener, awaits, ever) ((opener) | (awaits) << 8 | (ever) << 16)
#define SEEK_OPENER(seek) ((seek)&1)
#define SEEK_EVER(seek) ((seek) >> 16 & 1)
#define SEEK_TRIED 24 /* shift */
#define AWAITS(await) (1u << (await))
#define AWAITS_MANY (AWAITS(FR_AWAIT_GROUP) | AWAITS(FR_AWAIT_PEERS))
#define AWAITS_ANY (AWAITS(FR_AWAIT_PORT) | AWAITS_MANY)

/* 1: only the host that was asked may answer; the asker has no address, and only the port that was
 * asked may answer. */
static __always_inline __u64 seeks_host(__u32 seek)
{
	return seek >> (8 + FR_AWAIT_PORT) & 1;
}

static __always_inline __u64 seeks_stranger(__u32 seek)
{
	return seek >> (8 + FR_AWAIT_STRANGER) & seek & FR_INGRESS;
}

static __always_inline const fr_word *asker_of(const struct fr_packet *p, __u32 opener)
{
	return (const fr_word *)(opener == FR_EGRESS ? p->key.local : p->key.peer);
}

static __always_inline const fr_word *asked_of(const struct fr_packet *p, __u32 opener)
{
	return asker_of(p, !opener);
}

static __always_inline __u16 asker_port(const struct fr_packet *p, __u32 opener)
{
	return ((const fr_word *)&p->key)[4] >> opener * 16; /* local, then peer */
}

/* Scope, port and tag of the asker, as a question has them. */
static __always_inline __u64 asker_place(const struct fr_packet *p, __u32 opener)
{
	return p->key.scope | (__u64)asker_port(p, opener) << 32 | (__u64)p->key.vlan << 48;
}
FR_AT(fr_question, last, 32);
FR_AT(fr_question, scope, 40);

/* By the asker, and the host or port that was asked where only that may answer: all that
 * question_differs() compares. */
static __always_inline __u64 question_hash(const struct fr_packet *p, __u32 seek)
{
	const fr_word *asker = asker_of(p, SEEK_OPENER(seek));
	const fr_word *asked = asked_of(p, SEEK_OPENER(seek));
	__u64 port = asker_port(p, SEEK_OPENER(seek) ^ 1) * seeks_stranger(seek);
	__u64 hash = seeks_host(seek);

	hash = hash_word(hash, asker[0] * (seeks_stranger(seek) ^ 1), 1);
	hash = hash_word(hash, asker[1] * (seeks_stranger(seek) ^ 1), 2);
	hash = hash_word(hash, asked[0] * seeks_host(seek), 3);
	hash = hash_word(hash, asked[1] * seeks_host(seek), 4);
	hash = hash_word(hash, asker_place(p, SEEK_OPENER(seek)), 5);
	return hash_word(hash, p->v4 | port << 1, 6);
}

/* The number of its set. */
static __always_inline __u32 question_at(__u64 hash, __u32 opener)
{
	return (hash >> 32) % FR_QUESTION_SETS + opener * FR_QUESTION_SETS;
}

/* The key leaves the stack with this function. */
static __always_inline struct fr_question_set *question_set(__u64 hash, __u32 opener)
{
	__u32 at = question_at(hash, opener);

	return bpf_map_lookup_elem(&fr_questions, &at);
}

/* 0: by the asker of this packet, and of its host or port where only that may answer. */
static __always_inline __u64 question_differs(const struct fr_question *q,
					      const struct fr_packet *p, __u32 seek)
{
	const fr_word *word = (const fr_word *)q, *asker = asker_of(p, SEEK_OPENER(seek));
	const fr_word *asked = asked_of(p, SEEK_OPENER(seek));
	__u16 port = asker_port(p, SEEK_OPENER(seek) ^ 1);

	__u64 differs = ((word[0] ^ asker[0]) | (word[1] ^ asker[1])) * (seeks_stranger(seek) ^ 1);

	barrier_var(differs);
	differs |= ((word[2] ^ asked[0]) | (word[3] ^ asked[1])) * seeks_host(seek);
	barrier_var(differs);
	differs |= (q->asked_port ^ port) * seeks_stranger(seek);
	barrier_var(differs);
	return differs | (word[5] ^ asker_place(p, SEEK_OPENER(seek))) | (q->v4 ^ p->v4);
}

/* The slot of the rule of a question, and how it waits: the same asker has a note for each. */
#define QUESTION_KIND(slot, await) ((slot) | (__u64)(await) << 32)

static __always_inline __u64 question_kind(const struct fr_question *q)
{
	return QUESTION_KIND(q->slot, q->await);
}

/* How near a question is to that of a packet: of the same source, of the same kind, of the same
 * network, together; and to which the notes of its source in the set are added. The kind is above
 * the network, which is the same for all of IPv4: who asks under one rule from many addresses takes
 * no place of another's. The protected party's source is its device or cgroup; of others it is
 * their address, of which IPv6 gives everybody a network. */
enum { NEAR_NETWORK = 1, NEAR_KIND = 2, NEAR_CROWD = 4, NEAR_SOURCE = 64 };

static __always_inline __u64 nearness(const struct fr_question *q, const struct fr_packet *p,
				      __u64 kind)
{
	const fr_word *word = (const fr_word *)q, *asker = asker_of(p, p->dir);
	__u64 others = p->dir & FR_INGRESS;
	__u64 network = (q->scope ^ p->key.scope) | (word[0] ^ asker[0]) * others;

	return NEAR_NETWORK * (any_bit(network) ^ 1) +
	       NEAR_KIND * (any_bit(question_kind(q) ^ kind) ^ 1) +
	       NEAR_SOURCE * (any_bit(network | (word[1] ^ asker[1]) * others) ^ 1);
}

/* The source of a question in one word, by which the notes of a set are counted. */
static __always_inline __u64 question_source(const struct fr_question *q, __u64 others)
{
	const fr_word *word = (const fr_word *)q;

	return ((word[0] * 0x9e3779b97f4a7c15 ^ word[1]) * others) ^ q->scope;
}

/* How many notes of a set are of the source of each: four bits for each way. A global function, as
 * fr_policy; before the lock, under which there is no call. */
__noinline __u32 fr_question_crowds(__u32 at, __u64 others)
{
	const struct fr_question_set *set = bpf_map_lookup_elem(&fr_questions, &at);
	__u64 source;
	__u32 crowds = 0;

	if (!set)
		return 0;
	for (__u32 a = 0; a < FR_WAYS; a++) {
		source = question_source(&set->way[a], others);
#pragma GCC unroll 8
		for (__u32 b = 0; b < FR_WAYS; b++)
			crowds += (any_bit(source ^ question_source(&set->way[b], others)) ^ 1)
				  << 4 * a;
	}
	return crowds;
}

/* ---------------------------------------------------------------- the filter
 *
 * When a question of this port, the asker's own, last began to wait. Most refused datagrams are
 * known by it to be no answer.
 */
#define ASKED_ANY_GROUP (FR_DIRS * FR_ASKED_PORTS) /* of this party, by any port */

static __always_inline __u32 port_asking(const struct fr_packet *p, __u8 opener)
{
	__u32 port = opener == FR_EGRESS ? p->key.local_port : p->key.peer_port;

	return port % FR_ASKED_PORTS + (opener & 1) * FR_ASKED_PORTS;
}

enum { ASKED_AHEAD = 16 };

static __always_inline int asked_lately(const struct fr_ctx *s, __u32 at)
{
	const volatile __u32 *asked = bpf_map_lookup_elem(&fr_ports_asked, &at);

	/* Another CPU may be a little ahead. Unsigned: a time of 0, never, is no time to come. */
	return asked && (__u32)s->now - *asked + ASKED_AHEAD <=
				s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY] + ASKED_AHEAD;
}

static __always_inline void asked_now(const struct fr_ctx *s, __u32 at)
{
	__u32 *asked = bpf_map_lookup_elem(&fr_ports_asked, &at);

	if (asked)
		*asked = s->now;
}

/* ---------------------------------------------------------------- asking */

/* The decision about a packet, as one argument: its opener and verdict, the reason by which its
 * flow was opened, if it is known, and the state of the one that begins, if any. */
#define JUDGED(opener, verdict, reason, state)                                                     \
	((opener) | (__u32)(verdict) << 8 | (__u32)(reason) << 16 | (__u32)(state) << 24)
#define JUDGED_OPENER(judged) ((judged)&1)
#define JUDGED_VERDICT(judged) ((__u8)((judged) >> 8))
#define JUDGED_REASON(judged) ((__u8)((judged) >> 16))
#define JUDGED_STATE(judged) ((judged) >> 24)

/* What says where a question goes, beside its kind, in one word: the stack has no room for two. */
#define QUESTION_PLACE(tag, crowds) ((__u32)(tag) | (__u64)(crowds) << 32)
#define PLACE_TAG(place) ((__u32)(place))
#define PLACE_CROWD(place, way) ((place) >> (32 + 4 * (way)) & 15)

/* The way where a question goes: that of its asker and kind; else one that waits no more; else one
 * of its own source; else of the source that has most, if that has several; else of those that are
 * nearest; of equals the oldest. */
static __always_inline __u32 question_room(const struct fr_ctx *s,
					   const struct fr_question_set *set,
					   const struct fr_packet *p, __u64 place, __u64 kind)
{
	__u64 timeout = s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY] + ASKED_AHEAD;
	__s64 room = RANK_NEVER;

#pragma GCC unroll 8
	for (__u32 way = 0; way < FR_WAYS; way++) {
		const struct fr_question *old = &set->way[way];
		__u64 leaves = nearness(old, p, kind) + NEAR_CROWD * PLACE_CROWD(place, way);
		__u64 other = any_bit((question_kind(old) ^ kind) | (old->tag ^ PLACE_TAG(place)));
		__u64 waits = image_reached(timeout, s->now - old->last + ASKED_AHEAD);
		__u64 class = (1 + (2 * NEAR_SOURCE - leaves) * waits) * other;

		room = rank_lower(room, RANK(class << 32 | old->number, way));
	}
	return RANK_WAY(room);
}

static __always_inline void question_write(const struct fr_ctx *s, const struct fr_packet *p,
					   __u32 await, __u32 slot, struct fr_question *q)
{
	fr_word *word = (fr_word *)q;

	word[0] = asker_of(p, p->dir)[0];
	word[1] = asker_of(p, p->dir)[1];
	word[2] = asked_of(p, p->dir)[0];
	word[3] = asked_of(p, p->dir)[1];
	word[5] = asker_place(p, p->dir);
	q->last = s->now;
	q->slot = slot;
	q->asked_port = flow_port(&p->key, p->dir);
	q->await = await;
	q->v4 = p->v4;
}

static __always_inline void question_keep(const struct fr_ctx *s, const struct fr_packet *p,
					  __u32 await, __u32 slot)
{
	__u64 hash = question_hash(p, SEEK(p->dir & 1, AWAITS(await), 0));
	__u32 way, at = question_at(hash, p->dir & 1);
	__u64 place = QUESTION_PLACE(hash, fr_question_crowds(at, p->dir & FR_INGRESS));
	struct fr_question_set *set = question_set(hash, p->dir & 1);

	if (!set)
		return;
	FR_JOIN(s->conf->zero, place);
	bpf_spin_lock(&set->lock);
	way = question_room(s, set, p, place, QUESTION_KIND(slot, await));
	question_write(s, p, await, slot, &set->way[WAY(way)]);
	set->way[WAY(way)].tag = PLACE_TAG(place);
	set->way[WAY(way)].number = ++set->number;
	bpf_spin_unlock(&set->lock);
	asked_now(s, port_asking(p, p->dir));
	if (await == FR_AWAIT_GROUP && p->dir == FR_EGRESS)
		asked_now(s, ASKED_ANY_GROUP);
}

/*
 * A datagram, judged in this way by this rule, of this FR_SLOT_WORD. 1: its flow awaits answers
 * from elsewhere; if it comes from the opener, they may come from now on. No flow does that began
 * with such an answer. A function of its own, as tc_parse().
 */
static __noinline __u32 question_note(const struct fr_ctx *s, const struct fr_packet *p, __u32 rule,
				      __u32 word, __u32 judged)
{
	__u8 opener = JUDGED_OPENER(judged);
	__u32 await;

	if (JUDGED_VERDICT(judged) != FR_PASS || JUDGED_REASON(judged) == FR_REASON_REPLY ||
	    JUDGED_STATE(judged) == FR_FLOW_ESTABLISHED || p->fragment == FR_LATER ||
	    (rule >= FR_DIRS && rule < FR_RULE_FIRST))
		return 0;
	await = packet_awaits(s, p, opener, FR_SLOT_ANSWERS(word));
	FR_JOIN(s->conf->zero, await, word);
	if (await && p->dir == opener)
		question_keep(s, p, await, FR_SLOT(word));
	return !!await;
}

/* ---------------------------------------------------------------- answering
 *
 * In steps, each of which has a frame of its own or none: see fr_policy.
 */

/* What is derived of them from here on is derived anew: it would take room on the stack. */
#define FORGET(p, seek)                                                                            \
	do {                                                                                       \
		barrier_var(p);                                                                    \
		barrier_var(seek);                                                                 \
	} while (0)

/* The newest such question that the packet may answer; `asked` is whom. What decides how it is
 * answered, as fr_question() takes it, with its way in the upper half, as a bit of SEEK_TRIED; or
 * 0. */
static __noinline __u64 question_find(const struct fr_ctx *s, const struct fr_packet *p, __u32 seek,
				      __u64 asked[2])
{
	__u64 hash = question_hash(p, seek), found = 0, since;
	struct fr_question_set *set = question_set(hash, SEEK_OPENER(seek));
	const struct fr_question *q;
	__s64 newest = 0;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
#pragma GCC unroll 8
	for (__u32 way = 0; way < FR_WAYS; way++) {
		__u64 fits = any_bit(set->way[way].tag ^ (__u32)hash) ^ 1;

		fits &= seek >> (8 + set->way[way].await % FR_AWAIT_COUNT) &
			~(seek >> (SEEK_TRIED + way));
		newest = rank_lower(newest, -RANK(set->way[way].number, way) * (__s64)fits);
	}
	FORGET(p, seek);
	q = &set->way[WAY(RANK_WAY(-newest))];
	if (newest && !question_differs(q, p, seek)) {
		FORGET(p, seek);
		since = s->now - s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY];
		asked[0] = ((const fr_word *)q)[2];
		asked[1] = ((const fr_word *)q)[3];
		if (q->last >= since || SEEK_EVER(seek))
			found = (1ull << (32 + SEEK_TRIED + RANK_WAY(-newest))) |
				(__u32)q->await << ASKED_AWAIT | SEEK_OPENER(seek) << ASKED_BY |
				q->asked_port;
	}
	bpf_spin_unlock(&set->lock);
	return found;
}

#define NO_RULE 0xffffffffu

/* The rule that admits the question of this cell, if that rule awaits answers of this kind; or
 * NO_RULE. A global function, too. */
__noinline __u32 fr_question(__u32 generation, __u32 asked, __u32 cell)
{
	fr_image image = policy_image_of(generation);
	struct fr_ctx s = {.image = image};
	__u32 staged, rule, answers;

	s.head = image ? image_line(image, FR_LINE_HEAD) : 0;
	if (!s.head)
		return NO_RULE;
	rule = policy_unstaged(&s, cell, &staged);
	if (FR_CELL_ACTION(rule) == FR_DENY)
		return NO_RULE;
	rule = FR_CELL_NUMBER(rule);
	answers = FR_SLOT_ANSWERS(policy_word(&s, rule));
	return question_awaits(asked, answers) == asked >> ASKED_AWAIT ? rule : NO_RULE;
}

/* By the generation in force, of the peer that was asked or that asked. */
static __always_inline __u32 question_cell(const struct fr_ctx *s, const struct fr_packet *p,
					   const __u8 asked[16], __u16 port, __u8 opener,
					   __u32 await)
{
	struct fr_peer peer = p->peer;

	if (opener == FR_EGRESS)
		packet_peer(&peer, asked, p->v4);
	else if (await == FR_AWAIT_STRANGER)
		peer = (struct fr_peer){0};
	return policy_cell_of(s, p, &peer, opener, port, 0);
}

/* May the peer of this packet answer the question that `rule` admits, or be answered? A rule that
 * refuses it at the asked port wins. */
static __always_inline int peer_may_answer(const struct fr_ctx *s, const struct fr_packet *p,
					   __u16 port, __u8 opener, __u32 await, __u32 rule)
{
	__u32 staged, real;

	if (await == FR_AWAIT_PORT || (await == FR_AWAIT_GROUP && opener == FR_INGRESS))
		return 1;
	real = policy_unstaged(s, policy_cell(s, p, opener, port, 0), &staged);
	if (FR_CELL_ACTION(real) == FR_DENY && FR_CELL_NUMBER(real) >= FR_DIRS)
		return 0;
	if (opener == FR_INGRESS && is_any_group(p->key.peer, p->v4))
		return 1;
	if (opener == FR_EGRESS && FR_CELL_ACTION(real) != FR_DENY && FR_CELL_NUMBER(real) == rule)
		return 1;
	if (opener == FR_EGRESS && await == FR_AWAIT_PEERS)
		return 0;
	return address_on_subnets(s, p->key.peer) & ON_SUBNET;
}

/* Where to look after this: this party's questions are those to a host, then all others; of others
 * to a host, to a group, and of who has no address. Without ways of waiting there is no more. */
static __always_inline __u32 seek_next(__u32 seek)
{
	__u32 host = seeks_host(seek), many = seek >> (8 + FR_AWAIT_GROUP) & 1;

	seek &= (1 << SEEK_TRIED) - 1;
	if (SEEK_OPENER(seek) == FR_EGRESS)
		return (seek & ~SEEK(0, AWAITS_ANY, 0)) | host * SEEK(0, AWAITS_MANY, 0);
	return (seek & ~SEEK(0, AWAITS_ANY, 0)) | host * SEEK(0, AWAITS(FR_AWAIT_GROUP), 0) |
	       many * SEEK(0, AWAITS(FR_AWAIT_STRANGER), 0);
}

/* The cell of the newest question that the packet may answer; or FR_CELL_GONE. */
static __always_inline __u32 answer_cell(const struct fr_ctx *s, const struct fr_packet *p,
					 __u32 seek)
{
	__u64 address[2], found;
	__u32 asked, cell, rule;

#pragma GCC unroll 6
	for (int i = 0; i < FR_QUESTION_LOOKS; i++) { /* up to 6.1 no loop may have a call */
		FORGET(p, seek);
		barrier_var(s);
		FR_JOIN(s->conf->zero, seek);
		found = question_find(s, p, seek, address);
		FR_JOIN(s->conf->zero, seek);
		if (!found) {
			seek = seek_next(seek);
			continue;
		}
		asked = found | seeks_stranger(seek) * ASKED_STRANGER;
		if (is_group(s, (const __u8 *)address, p->v4))
			asked |= ASKED_GROUP;
		cell = question_cell(s, p, (const __u8 *)address, asked, SEEK_OPENER(seek),
				     asked >> ASKED_AWAIT);
		rule = fr_question(s->head->generation, asked, cell);
		if (rule != NO_RULE &&
		    peer_may_answer(s, p, asked, SEEK_OPENER(seek), asked >> ASKED_AWAIT, rule))
			return cell;
		seek |= found >> 32;
	}
	return FR_CELL_GONE;
}

/*
 * The cell of a question that a datagram, judged in this way, may answer; or FR_CELL_GONE. Only one
 * that a rule refuses is an answer. A packet of a flow that began with an answer may be as old as
 * it likes.
 */
static __noinline __u32 answer_find(const struct fr_ctx *s, const struct fr_packet *p, __u32 reason,
				    __u32 judged)
{
	__u32 seek = SEEK(!p->dir, AWAITS(FR_AWAIT_PORT), 0);

	if (JUDGED_VERDICT(judged) == FR_PASS ||
	    (reason != FR_REASON_DEFAULT && reason != FR_REASON_RULE))
		return FR_CELL_GONE;
	if (JUDGED_REASON(judged) == FR_REASON_REPLY)
		seek = SEEK(JUDGED_OPENER(judged), AWAITS(FR_AWAIT_PORT), 1);
	else if (!asked_lately(s, port_asking(p, !p->dir)))
		return FR_CELL_GONE;
	return answer_cell(s, p, seek);
}

#endif /* FR_ANSWERS_H */
