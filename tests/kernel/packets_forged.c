/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of a third party on the ports of a conversation: they neither end nor demote it. */
#include "packets_rig.h"

enum { WEB = NTH_RULE(0), OUR_PORT = 443, THEIR_PORT = 40000 };

static const struct test_rule rules[] = {
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = OUR_PORT}};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};

#define WEB_IN .dir = IN, .proto = TCP, .local = OUR_PORT, .peer = THEIR_PORT, .flags
#define WEB_OUT .dir = OUT, .proto = TCP, .local = OUR_PORT, .peer = THEIR_PORT, .flags

static void establish(struct rig *rig)
{
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = SYN | ACK);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
}

static void still_established(struct rig *rig)
{
	struct fr_flow flow;

	cr_assert_eq(rig_entries(rig, "established", NULL, &flow), 1);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0);
	cr_assert_eq(flow.state, FR_FLOW_ESTABLISHED);
	rig_age(rig, "established", 7100);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
	PASS(rig, REPLY, WEB, WEB_OUT = ACK);
}

static void forged_syn(struct rig *rig)
{
	establish(rig);
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = ACK); /* the challenge */
	still_established(rig);
	cr_assert_eq(rig_counters(rig, WEB).attempts, 2, "an opening that passed is counted, once");
}

static void forged_reset(struct rig *rig)
{
	establish(rig);
	PASS(rig, RULE, WEB, WEB_IN = RST);
	PASS(rig, REPLY, WEB, WEB_OUT = ACK, .payload = 100);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
	still_established(rig);
}

static void crashed_peer(struct rig *rig)
{
	establish(rig);
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = ACK);
	PASS(rig, RULE, WEB, WEB_IN = RST);
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = SYN | ACK);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
	still_established(rig);
}

/* One side alone makes no established flow. */
static void blind(struct rig *rig)
{
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, RULE, WEB, WEB_IN = RST);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, RULE, WEB, WEB_IN = ACK);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0);
}

static void responder_alone(struct rig *rig)
{
	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = SYN | ACK, .seq = 1000);
	PASS(rig, REPLY, WEB, WEB_OUT = ACK, .seq = 1001, .payload = 100);
	PASS(rig, REPLY, WEB, WEB_OUT = SYN | ACK, .seq = 1000);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 1);
}

/* Lesson: connection tables of peers fill with openings whose source is forged, because any third
 * packet makes them live. A sender that does not see our answer cannot acknowledge it. */
static void blind_third(struct rig *rig)
{
	enum { ISN = 0xfffffff0 };
	static const uint32_t guesses[] = {ISN, ISN - 1, ISN + 65537u, 0x7fffffff, 0x20000};
	struct fr_flow flow;

	PASS(rig, RULE, WEB, WEB_IN = SYN);
	PASS(rig, REPLY, WEB, WEB_OUT = SYN | ACK, .seq = ISN);
	for (size_t i = 0; i < ARRAY_SIZE(guesses); i++)
		PASS(rig, RULE, WEB, WEB_IN = ACK, .ack = guesses[i], .payload = 10);
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0);
	cr_assert_eq(rig_entries(rig, "pending", NULL, &flow), 1);
	cr_assert(flow.state == FR_FLOW_ANSWERED && flow.isn == ISN);
	cr_assert_eq(rig_class(rig, FR_CLASS_ESTABLISHED), 0);
	/* fast open: 1,000 bytes came along */
	PASS(rig, RULE, WEB, WEB_IN = ACK, .ack = ISN + 1001u);
	still_established(rig);
}

RIG_TEST(packets_forged, a_syn_on_a_live_flow_leaves_it_established, forged_syn, &enforce)

RIG_TEST(packets_forged, a_reset_that_nobody_believed_is_forgotten, forged_reset, &enforce)

RIG_TEST(packets_forged, a_peer_that_lost_its_memory_connects_again, crashed_peer, &enforce)

RIG_TEST(packets_forged, one_side_alone_promotes_nothing, blind, &enforce)

RIG_TEST(packets_forged, the_responder_alone_promotes_nothing, responder_alone, &enforce)

RIG_TEST(packets_forged, a_third_packet_without_the_right_ack_promotes_nothing, blind_third,
	 &enforce)
