/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers from elsewhere: from another port or address than was asked, where the rule of the
 * question says so (enum fr_answers). Each such question is noted under a key without the parts
 * that may be any, and looked for when a datagram would be refused, by no other packet. The
 * generation in force judges the question again when its answer comes, so a note admits nothing by
 * itself. The answer begins a flow of who asked, whose reason is FR_REASON_REPLY, and which is
 * worth no more than one that others open: they choose how many there are.
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

/* Without the parts that may be any: the same of a question and of its answer. */
static __always_inline void question_key(const struct fr_packet *p, __u8 opener, __u32 await,
					 struct fr_question_key *key)
{
	__builtin_memcpy(key->local, p->key.local, sizeof(key->local));
	__builtin_memcpy(key->peer, p->key.peer, sizeof(key->peer));
	key->local_port = p->key.local_port;
	key->peer_port = p->key.peer_port;
	key->scope = p->key.scope;
	key->vlan = p->key.vlan;
	key->await = await;
	key->v4 = p->v4;
	if (opener == FR_EGRESS)
		key->peer_port = 0;
	else if (await != FR_AWAIT_STRANGER)
		key->local_port = 0;
	if (await == FR_AWAIT_PORT)
		return;
	if (opener == FR_EGRESS || await == FR_AWAIT_STRANGER)
		__builtin_memset(key->peer, 0, sizeof(key->peer));
	if (opener == FR_INGRESS)
		__builtin_memset(key->local, 0, sizeof(key->local));
}

static __always_inline struct fr_question *question_find(const struct fr_question_key *key,
							 __u8 opener)
{
	return opener == FR_EGRESS ? bpf_map_lookup_elem(&fr_questions, key)
				   : bpf_map_lookup_elem(&fr_asked_of_us, key);
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

static __always_inline int question_is(const struct fr_question *known,
				       const struct fr_question *fresh)
{
	const fr_word *a = (const fr_word *)known->address, *b = (const fr_word *)fresh->address;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (known->port ^ fresh->port));
}

static __always_inline void question_keep(const struct fr_ctx *s, const struct fr_packet *p,
					  __u32 await)
{
	const __u8 *asked = p->dir == FR_EGRESS ? p->key.peer : p->key.local;
	struct fr_question fresh = {.port = flow_port(&p->key, p->dir)}, *known;
	struct fr_question_key key;

	question_key(p, p->dir, await, &key);
	FR_JOIN(s->conf->zero, key.local_port, key.peer_port);
	__builtin_memcpy(fresh.address, asked, sizeof(fresh.address));
	fresh.last = s->now;
	known = question_find(&key, p->dir);
	if (known && question_is(known, &fresh))
		known->last = s->now;
	else if (p->dir == FR_EGRESS)
		bpf_map_update_elem(&fr_questions, &key, &fresh, BPF_ANY);
	else
		bpf_map_update_elem(&fr_asked_of_us, &key, &fresh, BPF_ANY);
	asked_now(s, port_asking(p, p->dir));
	if (await == FR_AWAIT_GROUP && p->dir == FR_EGRESS)
		asked_now(s, ASKED_ANY_GROUP);
}

/*
 * A datagram, judged in this way by this rule. 1: its flow awaits answers from elsewhere; if it
 * comes from the opener, they may come from now on. No flow does that began with such an answer. A
 * function of its own, as tc_parse().
 */
static __noinline __u32 question_note(const struct fr_ctx *s, const struct fr_packet *p, __u32 rule,
				      __u32 answers, __u32 judged)
{
	__u8 opener = JUDGED_OPENER(judged);
	__u32 await;

	if (JUDGED_VERDICT(judged) != FR_PASS || JUDGED_REASON(judged) == FR_REASON_REPLY ||
	    JUDGED_STATE(judged) == FR_FLOW_ESTABLISHED || p->fragment == FR_LATER ||
	    (rule >= FR_DIRS && rule < FR_RULE_FIRST))
		return 0;
	await = packet_awaits(s, p, opener, answers);
	if (await && p->dir == opener)
		question_keep(s, p, await);
	return !!await;
}

/* ---------------------------------------------------------------- answering
 *
 * In steps, each of which has a frame of its own or none: see fr_policy.
 */

/* The question of this kind that the packet may answer, or NULL. */
static __noinline const struct fr_question *
question_of(const struct fr_ctx *s, const struct fr_packet *p, __u32 opener, __u32 await)
{
	struct fr_question_key key;

	question_key(p, opener & 1, await, &key);
	FR_JOIN(s->conf->zero, key.local_port, key.peer_port);
	return question_find(&key, opener & 1);
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

#define ANSWERS_EVER 0x7fffffffffffffffll

/* The cell of the question of this kind that the packet may answer, not older than `age`; or
 * FR_CELL_GONE. */
static __always_inline __u32 answer_cell(const struct fr_ctx *s, const struct fr_packet *p,
					 __u8 opener, __u32 await, __s64 age)
{
	const struct fr_question *known = question_of(s, p, opener, await);
	__u64 address[2];
	__u32 cell, rule, asked;

	if (!known || (__s64)(s->now - known->last) > age)
		return FR_CELL_GONE;
	__builtin_memcpy(address, known->address, sizeof(address)); /* another may come meanwhile */
	asked = known->port | (__u32)opener << ASKED_BY | await << ASKED_AWAIT;
	if (is_group(s, (const __u8 *)address, p->v4))
		asked |= ASKED_GROUP;
	if (opener == FR_INGRESS && await == FR_AWAIT_STRANGER)
		asked |= ASKED_STRANGER;
	cell = question_cell(s, p, (const __u8 *)address, asked, opener, await);
	rule = fr_question(s->head->generation, asked, cell);
	if (rule == NO_RULE || !peer_may_answer(s, p, asked, opener, await, rule))
		return FR_CELL_GONE;
	return cell;
}

/*
 * The cell of a question that a datagram, judged in this way, may answer; or FR_CELL_GONE. Only one
 * that a rule refuses is an answer. A packet of a flow that began with an answer may be as old as
 * it likes.
 */
static __noinline __u32 answer_find(const struct fr_ctx *s, const struct fr_packet *p, __u32 reason,
				    __u32 judged)
{
	__s64 age = s->conf->timeout[FR_TIMEOUT_UDP_ONEWAY];
	__u32 cell = FR_CELL_GONE;
	__u8 opener = !p->dir;

	if (JUDGED_VERDICT(judged) == FR_PASS ||
	    (reason != FR_REASON_DEFAULT && reason != FR_REASON_RULE))
		return cell;
	if (JUDGED_REASON(judged) == FR_REASON_REPLY) {
		opener = JUDGED_OPENER(judged);
		age = ANSWERS_EVER;
	} else if (!asked_lately(s, port_asking(p, opener))) {
		return cell;
	}
	FR_JOIN(s->conf->zero, opener, age);
	cell = answer_cell(s, p, opener & 1, FR_AWAIT_PORT, age);
	if (cell == FR_CELL_GONE) /* no loop: up to 6.1 none may have a call */
		cell = answer_cell(s, p, opener & 1, FR_AWAIT_GROUP, age);
	if (cell == FR_CELL_GONE)
		cell = answer_cell(s, p, opener & 1, FR_AWAIT_PEERS, age);
	return cell;
}

#endif /* FR_ANSWERS_H */
