/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers from elsewhere than was asked: which a question awaits, and what an attacker gets in by
 * it. The peer is WIRE_HOST, host 8 a neighbour of the same subnet.
 */
#include "packets_rig.h"

#include <string.h>

#define QUESTION(to, ...) .dir = OUT, .proto = UDP, .local = 40000, .peer = (to), __VA_ARGS__
#define ANSWER(from, ...) .dir = IN, .proto = UDP, .local = 40000, .peer = (from), __VA_ARGS__
#define REFUSED(rig, ...) DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, __VA_ARGS__)
#define UNSENT(rig, ...) DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, __VA_ARGS__)

static const uint8_t outside[2][16] = {{203, 0, 113, 9}, {0x20, 1, 0x0d, 0xb8, 0, 0x77, [15] = 9}};
static const uint8_t own_too[2][16] = {{198, 51, 100, 2}, {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 2}};
static const uint8_t everybody[4] = {255, 255, 255, 255};
static const uint8_t unspecified[16];

#define TO_GROUP(rig) .peer_addr = rig_group[(rig)->v6]
#define FROM_OUTSIDE(rig) .peer_addr = outside[(rig)->v6]

/* A policy of these rules in both modes. */
#define POLICIES(name, ...)                                                                        \
	static const struct test_rule name##_rules[] = {__VA_ARGS__};                              \
	static const struct test_policy name = {.rules = name##_rules,                             \
						.count = ARRAY_SIZE(name##_rules)};                \
	static const struct test_policy name##_audit = {                                           \
		.rules = name##_rules, .count = ARRAY_SIZE(name##_rules), .audit = true}

enum { FIRST = NTH_RULE(0), SECOND = NTH_RULE(1), THIRD = NTH_RULE(2) };

/* ---------------------------------------------------------------- one host, any port */

POLICIES(tftp, {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 69, .host = WIRE_HOST},
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 69});
POLICIES(any_port, {.dir = OUT,
		    .action = FR_ALLOW,
		    .proto = UDP,
		    .first = 7777,
		    .host = WIRE_HOST,
		    .answers = FR_ANSWERS_PEER_ANY_PORT});
POLICIES(closed,
	 {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 69, .answers = FR_ANSWERS_PEER},
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 69, .answers = FR_ANSWERS_PEER},
	 {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 1900, .answers = FR_ANSWERS_PEER},
	 {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53});

static void asks_a_host(struct rig *rig, uint16_t port)
{
	REFUSED(rig, ANSWER(5000));
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, FIRST, QUESTION(port));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	cr_assert_eq(rig_class(rig, FR_CLASS_UNPROVEN), 1);
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(5000));
	cr_assert_eq(rig_class(rig, FR_CLASS_SUSTAINED), 1);
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, REPLY, FIRST, ANSWER(port));
	PASS(rig, REPLY, FIRST, ANSWER(5001));
	cr_assert_eq(rig_counters(rig, FIRST).packets, 7);
	cr_assert_eq(rig_counters(rig, FIRST).attempts, 1);
	cr_assert_eq(rig_counters(rig, FIRST).connections, 3, "of each port that answered");
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), 0);
	cr_assert_eq(rig_questions(rig), 1);
}

static void nothing_else(struct rig *rig)
{
	REFUSED(rig, .dir = IN, .proto = UDP, .local = 40001, .peer = 5000);
	REFUSED(rig, .local_addr = own_too[rig->v6], ANSWER(5000));
	REFUSED(rig, .host = 8, ANSWER(5000));
	REFUSED(rig, .dir = IN, .proto = TCP, .flags = SYN, .local = 40000, .peer = 5000);
	REFUSED(rig, .dir = IN, .proto = 136, .local = 40000, .peer = 5000);
	UNSENT(rig, QUESTION(6000));
	UNSENT(rig, .host = 8, QUESTION(6000));
}

static void tftp_client(struct rig *rig)
{
	asks_a_host(rig, 69);
	nothing_else(rig);
}

static void any_port_client(struct rig *rig)
{
	asks_a_host(rig, 7777);
	nothing_else(rig);
}

RIG_TEST(packets_answers, tftp_answers_from_any_port, tftp_client, &tftp, &tftp_audit)
RIG_TEST(packets_answers, a_rule_may_say_any_port, any_port_client, &any_port, &any_port_audit)

static void tftp_server(struct rig *rig)
{
#define TO_ASKER(from, ...) .dir = OUT, .proto = UDP, .local = (from), .peer = 40000, __VA_ARGS__
#define FROM_ASKER(to, ...) .dir = IN, .proto = UDP, .local = (to), .peer = 40000, __VA_ARGS__
	UNSENT(rig, TO_ASKER(5000));
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, SECOND, FROM_ASKER(69));
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
	PASS(rig, RULE, SECOND, FROM_ASKER(5000));
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
	PASS(rig, REPLY, SECOND, TO_ASKER(69));
	cr_assert_eq(rig_counters(rig, SECOND).attempts, 1);
	cr_assert_eq(rig_counters(rig, SECOND).connections, 2);
	UNSENT(rig, .local_addr = own_too[rig->v6], TO_ASKER(5001));
	UNSENT(rig, .host = 8, TO_ASKER(5001));
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 5001, .peer = 40001);
	REFUSED(rig, FROM_ASKER(5002));
}

RIG_TEST(packets_answers, a_tftp_server_answers_from_any_port, tftp_server, &tftp, &tftp_audit)

static void nobody_else(struct rig *rig)
{
	PASS(rig, RULE, FIRST, QUESTION(69));
	REFUSED(rig, ANSWER(5000));
	PASS(rig, RULE, SECOND, FROM_ASKER(69));
	UNSENT(rig, TO_ASKER(5000));
	PASS(rig, RULE, THIRD, TO_GROUP(rig), QUESTION(1900));
	REFUSED(rig, ANSWER(1900));
	PASS(rig, RULE, NTH_RULE(3), QUESTION(53));
	REFUSED(rig, ANSWER(5000));
	cr_assert_eq(rig_questions(rig), 0);
}

RIG_TEST(packets_answers, peer_closes_all_of_it, nobody_else, &closed, &closed_audit)

/* ---------------------------------------------------------------- a group */

POLICIES(search, {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 1900, .group = true},
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 3702},
	 {.dir = OUT, .action = FR_DENY, .proto = UDP, .first = 1900, .host = 12},
	 {.dir = OUT,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 1900,
	  .host = WIRE_HOST,
	  .answers = FR_ANSWERS_PEER});

static void asks_a_group(struct rig *rig)
{
	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(1900));
	PASS(rig, REPLY, FIRST, .host = 10, ANSWER(34567));
	PASS(rig, REPLY, FIRST, .host = WIRE_HOST, ANSWER(34567)); /* also under another rule */
	PASS(rig, RULE, FIRST, .host = 10, QUESTION(34567));
	REFUSED(rig, .host = 12, ANSWER(1900));
	REFUSED(rig, FROM_OUTSIDE(rig), ANSWER(1900));
	REFUSED(rig, .dir = IN, .proto = UDP, .local = 40001, .peer = 1900);
	REFUSED(rig, .local_addr = own_too[rig->v6], ANSWER(1900));
	cr_assert_eq(rig_counters(rig, FIRST).attempts, 1);
	cr_assert_eq(rig_counters(rig, FIRST).connections, 3, "one for each that answered");
}

RIG_TEST(packets_answers, neighbours_answer_a_group, asks_a_group, &search, &search_audit)

static void asked_as_a_group(struct rig *rig)
{
	const uint8_t *group = rig_group[rig->v6];

	PASS(rig, RULE, SECOND, .local_addr = group, FROM_ASKER(3702));
	PASS(rig, REPLY, SECOND, TO_ASKER(3702));
	PASS(rig, REPLY, SECOND, .local_addr = own_too[rig->v6], TO_ASKER(5000));
	PASS(rig, RULE, SECOND, FROM_ASKER(3702));
	UNSENT(rig, .host = 8, TO_ASKER(3702));
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 3702, .peer = 40001);
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, SECOND, FROM_ASKER(3702)); /* asked by its own address */
	UNSENT(rig, TO_ASKER(5000));
	cr_assert_eq(rig_questions(rig), 0);
}

RIG_TEST(packets_answers, this_host_answers_as_one_of_a_group, asked_as_a_group, &search,
	 &search_audit)

POLICIES(broadcast, {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 137});

static void asks_everybody(struct rig *rig)
{
	static const uint8_t ours[4] = {192, 0, 2, 255}, foreign[4] = {203, 0, 113, 255};

	if (rig->v6)
		return;
	PASS(rig, RULE, FIRST, .peer_addr = everybody, QUESTION(137));
	PASS(rig, REPLY, FIRST, ANSWER(137));
	PASS(rig, REPLY, FIRST, FROM_OUTSIDE(rig), ANSWER(137)); /* a peer of the rule */
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, FIRST, .peer_addr = ours, QUESTION(137));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(137));
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, FIRST, .peer_addr = foreign, QUESTION(137)); /* as that of a host */
	REFUSED(rig, .host = 8, ANSWER(137));
	cr_assert_eq(rig_questions(rig), 0);
}

RIG_TEST(packets_answers, a_broadcast_address_is_one_of_a_local_subnet, asks_everybody, &broadcast,
	 &broadcast_audit)

POLICIES(members,
	 {.dir = OUT,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 1900,
	  .host = WIRE_HOST,
	  .group = true,
	  .answers = FR_ANSWERS_GROUP},
	 {.dir = OUT,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 1901,
	  .group = true,
	  .answers = FR_ANSWERS_PEER_ANY_PORT});

static void members_answer(struct rig *rig)
{
	PASS(rig, RULE, FIRST, QUESTION(1900)); /* a host: only peers of the rule */
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	REFUSED(rig, .host = 8, ANSWER(5000));
	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5000));
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, SECOND, TO_GROUP(rig), QUESTION(1901)); /* a group never sends */
	REFUSED(rig, .host = 8, ANSWER(1901));
	REFUSED(rig, TO_GROUP(rig), ANSWER(5000));
}

RIG_TEST(packets_answers, a_group_is_the_peers_of_the_rule, members_answer, &members,
	 &members_audit)

/* Who has searched asks one of those found, under the same rule: the others still answer. */
static void asks_one_of_those(struct rig *rig)
{
	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, RULE, FIRST, QUESTION(1900));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5000));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	cr_assert_eq(rig_questions(rig), 2);
}

RIG_TEST(packets_answers, a_group_answers_although_a_host_was_asked_too, asks_one_of_those,
	 &members, &members_audit)

static void no_subnets(struct rig *rig)
{
	struct test_policy policy = rig->policy;

	policy.no_subnets = true;
	rig_policy(rig, &policy);
	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	REFUSED(rig, .host = 8, ANSWER(5000));
	PASS(rig, REPLY, FIRST, .host = WIRE_HOST, ANSWER(5000));
}

RIG_TEST(packets_answers, without_subnets_there_is_no_neighbour, no_subnets, &members,
	 &members_audit)

/* ---------------------------------------------------------------- an asker without an address */

POLICIES(dhcp, {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 67},
	 {.dir = IN, .action = FR_DENY, .proto = UDP, .first = 67, .host = 12},
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 5353, .last = 5354});

static void asked_by_a_newcomer(struct rig *rig)
{
#define OFFER(...) .dir = OUT, .proto = UDP, .local = 67, .peer = 68, __VA_ARGS__
	const uint8_t *all = rig->v6 ? rig_group[1] : everybody;

	UNSENT(rig, OFFER(.host = 8));
	rig_start(rig, &rig->policy);
	PASS(rig, RULE, FIRST, .peer_addr = unspecified, .local_addr = all, .dir = IN, .proto = UDP,
	     .local = 67, .peer = 68);
	PASS(rig, REPLY, FIRST, OFFER(.host = 8));
	PASS(rig, REPLY, FIRST, OFFER(.peer_addr = all));
	PASS(rig, REPLY, FIRST, OFFER(.host = 10, .local_addr = own_too[rig->v6]));
	UNSENT(rig, OFFER(.host = 12));
	UNSENT(rig, OFFER(FROM_OUTSIDE(rig)));
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 67, .peer = 69, .host = 11);
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 66, .peer = 68, .host = 11);
	PASS(rig, RULE, FIRST, .dir = IN, .proto = UDP, .local = 67, .peer = 68, .host = 8);
}

RIG_TEST(packets_answers, who_has_no_address_is_answered_at_any, asked_by_a_newcomer, &dhcp,
	 &dhcp_audit)

/* Without an address all are one asker: a question to another port is another's. */
static void asked_beside(struct rig *rig)
{
	const uint8_t *all = rig->v6 ? rig_group[1] : everybody;

	PASS(rig, RULE, FIRST, .peer_addr = unspecified, .local_addr = all, .dir = IN, .proto = UDP,
	     .local = 67, .peer = 68);
	for (uint16_t port = 5354; port >= 5353; port--)
		PASS(rig, RULE, THIRD, .peer_addr = unspecified, .local_addr = all, .dir = IN,
		     .proto = UDP, .local = port, .peer = 68);
	PASS(rig, REPLY, FIRST, OFFER(.host = 8));
	PASS(rig, REPLY, THIRD, .dir = OUT, .proto = UDP, .local = 5354, .peer = 68, .host = 8);
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 66, .peer = 68, .host = 11);
}

RIG_TEST(packets_answers, askers_without_an_address_hide_no_other, asked_beside, &dhcp, &dhcp_audit)

/* ---------------------------------------------------------------- several rules, one socket */

POLICIES(several,
	 {.dir = OUT,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 7777,
	  .host = WIRE_HOST,
	  .answers = FR_ANSWERS_GROUP},
	 {.dir = OUT,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 8888,
	  .host = 8,
	  .answers = FR_ANSWERS_GROUP},
	 {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 1900, .group = true});

static void asks_under_several(struct rig *rig)
{
	PASS(rig, RULE, FIRST, QUESTION(7777));
	PASS(rig, RULE, SECOND, .host = 8, QUESTION(8888));
	UNSENT(rig, .host = 8, QUESTION(7777)); /* the rules are not joined */
	UNSENT(rig, QUESTION(8888));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, REPLY, SECOND, .host = 8, ANSWER(5000));
	PASS(rig, REPLY, FIRST, ANSWER(8888)); /* in one tick, whichever was asked first */
	REFUSED(rig, .host = 10, ANSWER(5000));
	REFUSED(rig, .host = 10, ANSWER(7777));
	REFUSED(rig, FROM_OUTSIDE(rig), ANSWER(5000));
	REFUSED(rig, .dir = IN, .proto = UDP, .local = 40001, .peer = 5000);
	PASS(rig, RULE, THIRD, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, THIRD, .host = 10, ANSWER(5000));
	cr_assert_eq(rig_counters(rig, FIRST).connections, 2);
	cr_assert_eq(rig_counters(rig, SECOND).connections, 1);
	cr_assert_eq(rig_questions(rig), 3);
}

RIG_TEST(packets_answers, each_rule_has_its_questions_answered, asks_under_several, &several,
	 &several_audit)

/* The newest that may be answered; each has a time of its own. */
static void asks_in_turn(struct rig *rig)
{
	PASS(rig, RULE, THIRD, TO_GROUP(rig), QUESTION(1900));
	rig_age_questions(rig, 5);
	PASS(rig, RULE, FIRST, QUESTION(7777));
	rig_age_questions(rig, 5);
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, REPLY, THIRD, .host = 8, ANSWER(5000));
	PASS(rig, RULE, THIRD, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, THIRD, ANSWER(5001));
	rig_age_questions(rig, 28);
	PASS(rig, REPLY, THIRD, ANSWER(5002)); /* 33 s after the other question */
	rig_age_questions(rig, 3);
	REFUSED(rig, ANSWER(5003));
	PASS(rig, RULE, SECOND, .host = 8, QUESTION(8888));
	REFUSED(rig, ANSWER(5003));
	PASS(rig, REPLY, SECOND, .host = 8, ANSWER(5003));
}

RIG_TEST(packets_answers, the_newest_question_comes_first, asks_in_turn, &several, &several_audit)

/* Many questions under one rule take the place of none under another. */
static void asks_much(struct rig *rig)
{
	PASS(rig, RULE, THIRD, TO_GROUP(rig), QUESTION(1900));
	rig_age_questions(rig, 25);
	PASS(rig, RULE, FIRST, QUESTION(7777));
	for (int i = 0; i < 50; i++)
		PASS(rig, RULE, SECOND, .host = 8, QUESTION(8888));
	rig_age_questions(rig, 6);
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, REPLY, SECOND, .host = 8, ANSWER(5000));
	cr_assert_eq(rig_questions(rig), 3);
}

RIG_TEST(packets_answers, a_rule_keeps_its_question, asks_much, &several, &several_audit)

enum { RULES = 7, TRIED = FR_QUESTION_LOOKS - 1 };
#define MEMBER(n)                                                                                  \
	{                                                                                          \
		.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 7000 + (n),                 \
		.host = 20 + (n), .answers = FR_ANSWERS_GROUP                                      \
	}
POLICIES(bounded, MEMBER(0), MEMBER(1), MEMBER(2), MEMBER(3), MEMBER(4), MEMBER(5), MEMBER(6));

/* Of one port the questions under so many rules wait, the last ones. */
static void asks_under_too_many(struct rig *rig)
{
	for (uint8_t n = 0; n < RULES; n++) {
		rig_age_questions(rig, 1);
		PASS(rig, RULE, NTH_RULE(n), .host = 20 + n, QUESTION(7000 + n));
	}
	for (uint8_t n = 0; n < RULES; n++)
		if (n < RULES - TRIED)
			REFUSED(rig, .host = 20 + n, ANSWER(5000));
		else
			PASS(rig, REPLY, NTH_RULE(n), .host = 20 + n, ANSWER(5000));
	PASS(rig, RULE, FIRST, .host = 20, QUESTION(7000));
	PASS(rig, REPLY, FIRST, .host = 20, ANSWER(5000));
}

RIG_TEST(packets_answers, a_port_asks_under_so_many_rules, asks_under_too_many, &bounded,
	 &bounded_audit)

/* ---------------------------------------------------------------- floods of questions */

POLICIES(flooded,
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 69, .answers = FR_ANSWERS_GROUP},
	 {.dir = IN,
	  .action = FR_ALLOW,
	  .proto = UDP,
	  .first = 7777,
	  .host = WIRE_HOST,
	  .answers = FR_ANSWERS_PEER_ANY_PORT},
	 {.dir = IN, .action = FR_ALLOW, .proto = UDP, .first = 8888, .answers = FR_ANSWERS_GROUP});

/* `count` questions, each by a port of its own, to 69 or `local`; v6: of the other family than the
 * test's. */
static void flood(struct rig *rig, uint32_t count, struct wire w)
{
	const uint32_t rule = w.local ? THIRD : FIRST;
	const struct expected passes = {FR_PASS, FR_REASON_RULE, rule, __FILE__, __LINE__};

	w.dir = IN;
	w.proto = UDP;
	w.v6 ^= rig->v6;
	w.local = w.local ? w.local : 69;
	for (uint32_t n = 0; n < count; n++) {
		w.peer = 1024 + n;
		rig_step(rig, &w, &passes);
	}
}

enum { ALL_NOTES = FR_QUESTION_SETS * FR_WAYS };

/* One source cannot take the place of another one's question, */
static void source_floods(struct rig *rig)
{
	PASS(rig, RULE, FIRST, FROM_ASKER(69));
	PASS(rig, RULE, FIRST, .host = 10, FROM_ASKER(69));
	PASS(rig, RULE, SECOND, FROM_ASKER(7777));
	flood(rig, 2 * ALL_NOTES, (struct wire){.host = 8});
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
	PASS(rig, REPLY, FIRST, .host = 10, TO_ASKER(5000));
	PASS(rig, RULE, FIRST, .host = 11, FROM_ASKER(69)); /* nor keep the next out */
	flood(rig, ALL_NOTES, (struct wire){.host = 8});
	PASS(rig, REPLY, FIRST, .host = 11, TO_ASKER(5000));
	PASS(rig, REPLY, SECOND, TO_ASKER(5001));
	cr_assert_leq(rig_questions(rig), ALL_NOTES);
}

RIG_TEST(packets_answers, a_source_displaces_its_own_questions, source_floods, &flooded)

/* nor those of many others, whom it leaves more than one place of a set; in IPv6, in other
 * networks;
 */
static void source_crowds(struct rig *rig)
{
	enum { OTHERS = 250 };
	uint8_t source[16] = {203, 0, 113};
	uint8_t *last = &source[rig->v6 ? 7 : 3];

	if (rig->v6)
		memcpy(source, (uint8_t[]){0x20, 1, 0x0d, 0xb8, 0, 0x77}, 6);
	flood(rig, 2 * ALL_NOTES, (struct wire){.host = 8});
	for (*last = 0; *last < OTHERS; ++*last) {
		PASS(rig, RULE, FIRST, .peer_addr = source, FROM_ASKER(69));
		if (*last == OTHERS / 2)
			flood(rig, ALL_NOTES, (struct wire){.host = 8});
	}
	flood(rig, ALL_NOTES, (struct wire){.host = 8});
	for (*last = 0; *last < OTHERS; ++*last)
		PASS(rig, REPLY, FIRST, .peer_addr = source, TO_ASKER(5000));
}

RIG_TEST(packets_answers, a_source_leaves_room_to_others, source_crowds, &flooded)

/* nor with the help of another that fills the sets under another rule; */
static void two_flood(struct rig *rig)
{
	PASS(rig, RULE, FIRST, .host = 10, FROM_ASKER(69));
	flood(rig, 2 * ALL_NOTES, (struct wire){.host = 8, .local = 8888});
	flood(rig, ALL_NOTES / 4, (struct wire){.host = 9});
	PASS(rig, REPLY, FIRST, .host = 10, TO_ASKER(5000));
}

RIG_TEST(packets_answers, two_sources_displace_their_own_questions, two_flood, &flooded)

/* nor by its addresses of both families; */
static void families_flood(struct rig *rig)
{
	flood(rig, 2 * ALL_NOTES, (struct wire){.host = 8, .v6 = true});
	PASS(rig, RULE, SECOND, FROM_ASKER(7777));
	flood(rig, ALL_NOTES, (struct wire){.host = 8});
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
}

RIG_TEST(packets_answers, a_rule_keeps_its_questions_of_both_families, families_flood, &flooded)

/* and any number of them not that of a peer of another rule. */
static void sources_flood(struct rig *rig)
{
	uint8_t source[16] = {203, 0, 113};

	if (rig->v6)
		memcpy(source, (uint8_t[]){0x20, 1, 0x0d, 0xb8, 0, 0x77}, 6);
	PASS(rig, RULE, SECOND, FROM_ASKER(7777));
	for (uint8_t n = 1; n <= 16; n++) {
		source[rig->v6 ? 7 : 3] = n;
		flood(rig, ALL_NOTES / 4, (struct wire){.peer_addr = source});
	}
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
}

RIG_TEST(packets_answers, a_rule_displaces_its_own_questions, sources_flood, &flooded)

/* To an attacker with a network of his own its addresses are one source. */
static void network_floods(struct rig *rig)
{
	uint8_t source[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x77};

	if (!rig->v6)
		return;
	PASS(rig, RULE, FIRST, FROM_ASKER(69));
	for (uint8_t n = 1; n <= 16; n++) {
		source[15] = n;
		flood(rig, ALL_NOTES / 4, (struct wire){.peer_addr = source});
	}
	PASS(rig, REPLY, FIRST, TO_ASKER(5000));
}

RIG_TEST(packets_answers, a_network_is_one_source, network_floods, &flooded_audit)

/* ---------------------------------------------------------------- how long */

static void in_time(struct rig *rig)
{
	PASS(rig, RULE, FIRST, QUESTION(69));
	rig_age_questions(rig, 29);
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	rig_age_questions(rig, 2);
	REFUSED(rig, ANSWER(5001));
	PASS(rig, REPLY, FIRST, ANSWER(5000)); /* its flow goes on */
	PASS(rig, RULE, FIRST, QUESTION(69));
	PASS(rig, REPLY, FIRST, ANSWER(5001));
}

RIG_TEST(packets_answers, a_question_waits_as_long_as_one_way, in_time, &tftp, &tftp_audit)

/* Each question counts, also of a flow that would have a short way. */
static void asks_again(struct rig *rig)
{
	for (int i = 0; i < 5; i++) {
		PASS(rig, RULE, FIRST, QUESTION(69));
		PASS(rig, REPLY, FIRST, ANSWER(69));
		rig_age_questions(rig, 20);
		PASS(rig, RULE, FIRST, QUESTION(69));
		rig_age_questions(rig, 20);
		PASS(rig, REPLY, FIRST, ANSWER(5000 + (uint16_t)i));
	}
	cr_assert_eq(rig_questions(rig), 1);
}

RIG_TEST(packets_answers, each_question_waits_anew, asks_again, &tftp, &tftp_audit)

/* The filter tells ports apart, and each side. */
static void other_ports_wait(struct rig *rig)
{
	PASS(rig, RULE, FIRST, QUESTION(69));
	rig_age_questions(rig, 40);
	PASS(rig, RULE, FIRST, .dir = OUT, .proto = UDP, .local = 40000 + FR_ASKED_PORTS,
	     .peer = 69); /* the same in the filter */
	REFUSED(rig, ANSWER(5000));
	PASS(rig, REPLY, FIRST, .dir = IN, .proto = UDP, .local = 40000 + FR_ASKED_PORTS,
	     .peer = 5000);
}

RIG_TEST(packets_answers, a_question_waits_for_its_own_port, other_ports_wait, &tftp, &tftp_audit)

/* ---------------------------------------------------------------- another policy */

static void policy_goes(struct rig *rig)
{
	struct test_policy policy = rig->policy;

	PASS(rig, RULE, FIRST, QUESTION(69));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, RULE, SECOND, FROM_ASKER(69));
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
	rig_policy(rig, &policy);
	rig_age_questions(rig, 100); /* however old */
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(5000));
	PASS(rig, REPLY, SECOND, TO_ASKER(5000));
	rig_policy(rig, &policy);
	PASS(rig, RULE, FIRST, QUESTION(5000));
	PASS(rig, RULE, SECOND, FROM_ASKER(5000));
	PASS(rig, RULE, FIRST, QUESTION(69));
	policy.count = 0;
	rig_policy(rig, &policy);
	UNSENT(rig, ANSWER(5000)); /* reported with its opening */
	UNSENT(rig, QUESTION(5000));
	REFUSED(rig, ANSWER(5001));
	REFUSED(rig, TO_ASKER(5000));
}

RIG_TEST(packets_answers, the_policy_in_force_judges_the_question_again, policy_goes, &tftp,
	 &tftp_audit)

static void policy_closes(struct rig *rig)
{
	struct test_policy policy = rig->policy;

	policy.rules = closed_rules;
	policy.count = ARRAY_SIZE(closed_rules);
	PASS(rig, RULE, FIRST, QUESTION(69));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	rig_policy(rig, &policy);
	REFUSED(rig, ANSWER(5001));
	UNSENT(rig, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(69));
	REFUSED(rig, ANSWER(5001));
}

RIG_TEST(packets_answers, a_policy_may_take_answers_away, policy_closes, &tftp, &tftp_audit)

static void policy_opens(struct rig *rig)
{
	struct test_policy policy = rig->policy, empty = policy;

	empty.count = 0;
	rig_policy(rig, &empty);
	UNSENT(rig, QUESTION(69));
	rig_policy(rig, &policy);
	REFUSED(rig, ANSWER(5000)); /* its rule came after the question */
	PASS(rig, RULE, FIRST, QUESTION(69));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
}

RIG_TEST(packets_answers, a_refused_question_asks_nothing, policy_opens, &tftp, &tftp_audit)

static void neighbours_stay(struct rig *rig)
{
	struct test_policy policy = rig->policy;

	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5000));
	rig_policy(rig, &policy);
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5000));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5001));
	policy.no_subnets = true;
	rig_policy(rig, &policy);
	UNSENT(rig, .host = 8, ANSWER(5000));
	REFUSED(rig, .host = 8, ANSWER(5002));
}

RIG_TEST(packets_answers, a_neighbour_goes_on_under_another_policy, neighbours_stay, &search,
	 &search_audit)

/* ---------------------------------------------------------------- attackers */

static void unasked(struct rig *rig)
{
	REFUSED(rig, ANSWER(69)); /* looks like a question that is answered */
	REFUSED(rig, ANSWER(5000));
	UNSENT(rig, .host = 8, QUESTION(69)); /* a question that does not pass asks nothing */
	REFUSED(rig, .host = 8, ANSWER(5000));
	PASS(rig, RULE, SECOND, .dir = IN, .proto = UDP, .local = 69, .peer = 40000);
	REFUSED(rig, ANSWER(5000)); /* who asks this host is not asked */
	REFUSED(rig, .dir = IN, .proto = UDP, .local = 5000, .peer = 40000);
	UNSENT(rig, .dir = OUT, .proto = UDP, .local = 40000, .peer = 5001);
}

RIG_TEST(packets_answers, a_question_from_outside_lets_nothing_in, unasked, &tftp, &tftp_audit)

/* A tag's and a guest's questions are its own. */
static void other_scope(struct rig *rig)
{
	if (rig->kind == FR_KIND_CGROUP)
		return;
	PASS(rig, RULE, FIRST, .tags = 1, .tag = {5}, QUESTION(69));
	REFUSED(rig, ANSWER(5000));
	REFUSED(rig, .tags = 1, .tag = {6}, ANSWER(5000));
	PASS(rig, REPLY, FIRST, .tags = 1, .tag = {5}, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(69));
	rig->ifindex = rig->devices[1];
	if (rig->kind == FR_KIND_GUEST)
		REFUSED(rig, ANSWER(5001));
	else
		PASS(rig, REPLY, FIRST, ANSWER(5001));
	rig->ifindex = rig->devices[0];
}

RIG_TEST(packets_answers, a_question_belongs_to_its_scope, other_scope, &tftp, &tftp_audit)

/* Who answers chooses how many flows there are: none is worth more than a stranger's. */
static void many_answers(struct rig *rig)
{
	enum { MANY = 200 };

	PASS(rig, RULE, FIRST, QUESTION(69));
	for (uint16_t port = 5000; port < 5000 + MANY; port++)
		PASS(rig, REPLY, FIRST, ANSWER(port));
	cr_assert_eq(rig_class(rig, FR_CLASS_UNPROVEN), MANY);
	cr_assert_eq(rig_class(rig, FR_CLASS_OWN), 1);
	for (uint16_t port = 5000; port < 5000 + MANY; port++)
		PASS(rig, RULE, SECOND, .dir = IN, .proto = UDP, .local = 69, .peer = port);
	PASS(rig, REPLY, FIRST, ANSWER(6000)); /* they take no place of our questions */
	cr_assert_eq(rig_questions(rig), 1 + MANY);
}

RIG_TEST(packets_answers, answers_are_strangers, many_answers, &tftp)

/* Parts of an answer, of which the later have no port. */
POLICIES(one_search, {.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 1900, .group = true});

static void parts(struct rig *rig)
{
#define PART(at) .fragment = true, .more = !(at), .offset = (at), .fragment_id = 9, .payload = 32
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .host = 8, ANSWER(5000, PART(5)));
	PASS(rig, RULE, FIRST, TO_GROUP(rig), QUESTION(1900));
	PASS(rig, REPLY, FIRST, .host = 8, ANSWER(5000, PART(0)));
	PASS(rig, FRAGMENT, FR_RULE_OTHER, .host = 8, ANSWER(5000, PART(5)));
	DROP(rig, FRAGMENT, FR_RULE_OTHER, FROM_OUTSIDE(rig), ANSWER(5000, PART(5)));
	rig_age_questions(rig, 31);
	DROP(rig, FRAGMENT, FR_RULE_OTHER, .host = 8, ANSWER(5000, PART(5)));
}

RIG_TEST(packets_answers, later_parts_of_an_answer_follow, parts, &one_search, &one_search_audit)

/* What is refused in audit may be answered all the same, later. */
static void audit_only(struct rig *rig)
{
	struct fr_drop drop;

	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(69));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	PASS(rig, RULE, FIRST, QUESTION(5000));
	PASS(rig, REPLY, FIRST, ANSWER(5000));
	cr_assert_eq(rig_entries(rig, "drops", NULL, &drop), 1);
	cr_assert_eq(drop.packets, 1);
}

RIG_TEST(packets_answers, a_refusal_before_the_question_does_not_block_it, audit_only, &tftp,
	 &tftp_audit)
