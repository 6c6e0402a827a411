/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow state machine: every TCP flag from either side in every state, the idle times, and the
 * packets that keep a UDP flow alive.
 */
#include "packet_fixture.h"

enum { OPENER, RESPONDER, SEQ = 0x7ffffff0 };

/* A step of a flow that the protected party opened, unless `opener` says otherwise. */
static int step(struct fr_progress *flow, int who, uint8_t flags)
{
	struct fr_packet p = {.key.proto = FR_PROTO_TCP, .tcp_flags = flags};

	p.dir = who == OPENER ? flow->opener : !flow->opener;
	p.seq = flags & SYN ? SEQ : SEQ + 1;
	p.ack = flags & ACK ? SEQ + 1 : 0;
	return flow_step(flow, &p);
}

static void expect_step(struct fr_progress *flow, int who, uint8_t flags, int outcome,
			uint8_t state)
{
	int got = step(flow, who, flags);

	cr_expect_eq(got, outcome, "flags %02x from %s in state %u: step %d", flags,
		     who == OPENER ? "opener" : "responder", flow->state, got);
	cr_expect_eq(flow->state, state, "flags %02x from %s: state %u, not %u", flags,
		     who == OPENER ? "opener" : "responder", flow->state, state);
}

Test(flow_steps, handshake_and_close)
{
	for (uint8_t opener = 0; opener < FR_DIRS; opener++) {
		struct fr_progress flow = {.opener = opener, .state = FR_FLOW_OPENING};

		expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
		expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
		expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
		expect_step(&flow, OPENER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
		expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
		expect_step(&flow, RESPONDER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, OPENER, SYN, FR_STEP_NEW, FR_FLOW_CLOSING);
	}
}

Test(flow_steps, one_fin_does_not_close)
{
	struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED};

	expect_step(&flow, OPENER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, OPENER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, a_reset_from_either_side_closes_in_every_state)
{
	for (uint8_t state = 0; state < FR_FLOW_STATES; state++)
		for (int who = OPENER; who <= RESPONDER; who++) {
			struct fr_progress flow = {.state = state};

			expect_step(&flow, who, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		}
}

Test(flow_steps, the_handshake_ends_with_the_third_packet_of_the_opener)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING};

	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_OPENING);
	expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_OPENING);
	expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	expect_step(&flow, OPENER, SYN, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, syn_from_the_responder_only_while_ours_is_unanswered)
{
	for (uint8_t state = 0; state < FR_FLOW_STATES; state++) {
		struct fr_progress flow = {.state = state};

		expect_step(&flow, RESPONDER, SYN,
			    state == FR_FLOW_OPENING ? FR_STEP_KNOWN : FR_STEP_NEW, state);
	}
}

/* In audit: an opening that enforcement would have refused is none for a SYN of ours to meet. */
Test(flow_steps, a_syn_against_a_refused_opening_is_an_opening_of_its_own)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING, .flags = FR_FLOW_WOULD_DROP};

	expect_step(&flow, RESPONDER, SYN, FR_STEP_NEW, FR_FLOW_OPENING);
	expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
}

Test(flow_steps, syn_from_the_opener_once_closed_or_adopted_is_a_new_opening)
{
	for (uint8_t state = 0; state < FR_FLOW_STATES; state++) {
		struct fr_progress flow = {.state = state};
		bool fresh = state == FR_FLOW_CLOSING || state == FR_FLOW_ADOPTED;

		if (state != FR_FLOW_ESTABLISHED)
			expect_step(&flow, OPENER, SYN, fresh ? FR_STEP_NEW : FR_STEP_KNOWN, state);
	}
}

/* Forged, it changes nothing: the responder answers with an ACK, and the flow goes on. */
Test(flow_steps, a_forged_syn_does_not_end_an_established_flow)
{
	struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED};

	expect_step(&flow, OPENER, SYN, FR_STEP_REOPENED, FR_FLOW_ESTABLISHED);
	expect_step(&flow, OPENER, SYN, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, RESPONDER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, OPENER, SYN, FR_STEP_REOPENED, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, an_answered_syn_begins_an_established_flow_anew)
{
	struct fr_progress flow = {
		.state = FR_FLOW_ESTABLISHED, .flags = FR_FLOW_FIN_OPENER, .isn = SEQ - 5};

	expect_step(&flow, OPENER, SYN, FR_STEP_REOPENED, FR_FLOW_ESTABLISHED);
	expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, RESPONDER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
	expect_step(&flow, OPENER, FIN | ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
}

Test(flow_steps, a_syn_ack_without_a_new_syn_changes_nothing)
{
	struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED};

	expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, who_goes_on_after_a_reset_had_not_sent_it)
{
	for (int who = OPENER; who <= RESPONDER; who++) {
		struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED};
		int other = who == OPENER ? RESPONDER : OPENER;

		expect_step(&flow, who, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, other, ACK, FR_STEP_KNOWN,
			    FR_FLOW_CLOSING); /* it was on its way */
		expect_step(&flow, who, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
		expect_step(&flow, who, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, other, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, who, ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, OPENER, SYN, FR_STEP_REOPENED, FR_FLOW_CLOSING);
		expect_step(&flow, RESPONDER, SYN | ACK, FR_STEP_KNOWN, FR_FLOW_ANSWERED);
	}
}

/* Else three forged packets of one side would make an established flow. */
Test(flow_steps, a_reset_handshake_is_not_revived)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING};

	expect_step(&flow, OPENER, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, OPENER, SYN, FR_STEP_NEW, FR_FLOW_CLOSING);
}

Test(flow_steps, a_flow_that_both_have_ended_is_not_revived)
{
	struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED};

	expect_step(&flow, OPENER, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, RESPONDER, FIN, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, OPENER, FIN, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_CLOSING);
	expect_step(&flow, OPENER, SYN, FR_STEP_NEW, FR_FLOW_CLOSING);
}

/* No other packet needs the look-up for a socket to meet. */
Test(flow_steps, only_the_first_syn_of_a_responder_may_meet_an_opening)
{
	static const uint8_t flags[] = {SYN, SYN | ACK, ACK, RST, FIN | ACK};

	for (size_t i = 0; i < sizeof(flags); i++)
		for (uint8_t dir = 0; dir < FR_DIRS; dir++)
			for (uint8_t state = 0; state < FR_FLOW_STATES; state++) {
				struct fr_progress flow = {.opener = FR_EGRESS, .state = state};
				struct fr_packet p = {.key.proto = FR_PROTO_TCP,
						      .dir = dir,
						      .tcp_flags = flags[i]};

				cr_expect_eq(flow_meets_syn(&flow, &p),
					     dir == FR_INGRESS && state == FR_FLOW_OPENING && !i);
				p.key.proto = FR_PROTO_UDP;
				cr_expect_not(flow_meets_syn(&flow, &p));
			}
}

Test(flow_steps, simultaneous_open)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING};

	expect_step(&flow, RESPONDER, SYN, FR_STEP_KNOWN, FR_FLOW_OPENING);
	cr_expect(flow.flags & FR_FLOW_SYN_BOTH);
	cr_expect_eq(step(&flow, OPENER, SYN | ACK), FR_STEP_KNOWN);
	cr_expect_eq(step(&flow, RESPONDER, SYN | ACK), FR_STEP_KNOWN);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, simultaneous_open_in_which_the_peer_answers_with_ack_alone)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING};

	step(&flow, RESPONDER, SYN);
	cr_expect_eq(step(&flow, OPENER, SYN | ACK), FR_STEP_KNOWN);
	cr_expect_eq(step(&flow, RESPONDER, ACK), FR_STEP_KNOWN);
	expect_step(&flow, OPENER, ACK, FR_STEP_KNOWN, FR_FLOW_ESTABLISHED);
}

Test(flow_steps, the_opener_sends_no_syn_ack)
{
	for (uint8_t state = 0; state < FR_FLOW_STATES; state++) {
		struct fr_progress flow = {.state = state};

		expect_step(&flow, OPENER, SYN | ACK, FR_STEP_INVALID, state);
	}
}

Test(flow_steps, an_adopted_flow_never_admits_a_syn_ack)
{
	for (int who = OPENER; who <= RESPONDER; who++) {
		struct fr_progress flow = {.state = FR_FLOW_ADOPTED, .reason = FR_REASON_ADOPTED};

		expect_step(&flow, who, SYN | ACK, FR_STEP_INVALID, FR_FLOW_ADOPTED);
		expect_step(&flow, who, SYN, FR_STEP_NEW, FR_FLOW_ADOPTED);
		expect_step(&flow, who, ACK, FR_STEP_KNOWN, FR_FLOW_ADOPTED);
		expect_step(&flow, who, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		cr_expect_eq(step(&flow, who, SYN | ACK), FR_STEP_INVALID, "after its reset");
		cr_expect_eq(step(&flow, who, SYN), FR_STEP_NEW, "after its reset");
	}
}

/* No source vouches for the flow of a guest a second time, once its adoption is over. */
Test(flow_steps, a_forged_reset_does_not_end_an_adopted_flow)
{
	for (int who = OPENER; who <= RESPONDER; who++) {
		struct fr_progress flow = {.state = FR_FLOW_ADOPTED, .reason = FR_REASON_ADOPTED};

		expect_step(&flow, who, RST, FR_STEP_KNOWN, FR_FLOW_CLOSING);
		expect_step(&flow, who, ACK, FR_STEP_KNOWN, FR_FLOW_ADOPTED);
		expect_step(&flow, who, SYN | ACK, FR_STEP_INVALID, FR_FLOW_ADOPTED);
	}
}

/* Step with numbers of its own; the state after it. */
static int numbered(struct fr_progress *flow, int who, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct fr_packet p = {
		.key.proto = FR_PROTO_TCP, .tcp_flags = flags, .seq = seq, .ack = ack};

	p.dir = who == OPENER ? flow->opener : !flow->opener;
	cr_expect_eq(flow_step(flow, &p), FR_STEP_KNOWN);
	return flow->state;
}

/* Lesson: half-open floods filled the table of live connections, because any third packet counted:
 * a sender that forges the opener's address does not see the number to acknowledge. */
Test(flow_steps, the_third_packet_acknowledges_the_responder_s_syn)
{
	static const uint32_t isns[] = {0, 1, 77777, 0x7fffffff, 0xffff0000, 0xffffffff};
	static const uint32_t wrong[] = {0, 65537, 65538, 0x7fffffff, 0x80000000, 0xffffffff};

	for (size_t i = 0; i < sizeof(isns) / sizeof(*isns); i++) {
		struct fr_progress flow = {.state = FR_FLOW_OPENING}, other;
		uint32_t isn = isns[i];

		numbered(&flow, RESPONDER, SYN | ACK, isn, 5);
		for (size_t j = 0; j < sizeof(wrong) / sizeof(*wrong); j++)
			cr_expect_eq(numbered(&flow, OPENER, ACK, 5, isn + wrong[j]),
				     FR_FLOW_ANSWERED, "isn %u + %u", isn, wrong[j]);
		cr_expect_eq(numbered(&flow, OPENER, 0, 5, isn + 1), FR_FLOW_ANSWERED,
			     "acknowledges nothing");
		other = flow;
		cr_expect_eq(numbered(&flow, OPENER, ACK, 5, isn + 1), FR_FLOW_ESTABLISHED);
		/* TCP fast open: data came with the answer, or right after it */
		cr_expect_eq(numbered(&other, OPENER, ACK, 5, isn + 65536), FR_FLOW_ESTABLISHED);
	}
}

Test(flow_steps, the_last_syn_ack_is_the_one_to_acknowledge)
{
	struct fr_progress flow = {.state = FR_FLOW_OPENING};

	numbered(&flow, RESPONDER, SYN | ACK, 1000000, 5);
	numbered(&flow, RESPONDER, SYN | ACK, 2000000, 5);
	cr_expect_eq(numbered(&flow, OPENER, ACK, 5, 1000001), FR_FLOW_ANSWERED);
	cr_expect_eq(numbered(&flow, OPENER, ACK, 5, 2000001), FR_FLOW_ESTABLISHED);
	numbered(&flow, RESPONDER, SYN | ACK, 3000000, 5);
	cr_expect_eq(flow.isn, 2000000, "while established it is nobody's answer");
}

/* Both have sent a SYN: the responder's gives its number as well, and so does the SYN-ACK that
 * repeats it. */
Test(flow_steps, simultaneous_open_acknowledges_the_responder_s_syn)
{
	for (int repeated = 0; repeated < 2; repeated++) {
		struct fr_progress flow = {.state = FR_FLOW_OPENING};

		numbered(&flow, RESPONDER, SYN, 1000000, 0);
		cr_expect_eq(numbered(&flow, OPENER, SYN | ACK, 5, 1000001), FR_FLOW_ANSWERED);
		if (repeated)
			numbered(&flow, RESPONDER, SYN | ACK, 1000000, 6);
		cr_expect_eq(numbered(&flow, OPENER, ACK, 6, 4), FR_FLOW_ANSWERED);
		cr_expect_eq(numbered(&flow, OPENER, ACK, 6, 1000001), FR_FLOW_ESTABLISHED);
	}
}

Test(flow_steps, a_flow_that_begins_anew_has_a_new_number)
{
	struct fr_progress flow = {.state = FR_FLOW_ESTABLISHED, .isn = 1000000};
	struct fr_packet again = {.key.proto = FR_PROTO_TCP, .tcp_flags = SYN, .dir = flow.opener};

	cr_expect_eq(flow_step(&flow, &again), FR_STEP_REOPENED);
	cr_expect_eq(numbered(&flow, RESPONDER, SYN | ACK, 5000000, 8), FR_FLOW_ANSWERED);
	cr_expect_eq(numbered(&flow, OPENER, ACK, 8, 1000001), FR_FLOW_ANSWERED);
	cr_expect_eq(numbered(&flow, OPENER, ACK, 8, 5000001), FR_FLOW_ESTABLISHED);
}

Test(flow_steps, others_are_two_way_once_the_responder_has_sent)
{
	static const uint8_t protos[] = {FR_PROTO_UDP, FR_PROTO_ICMP, FR_PROTO_SCTP, 47};

	for (size_t i = 0; i < sizeof(protos); i++) {
		struct fr_progress flow = {.opener = FR_INGRESS};
		struct fr_packet p = {.key.proto = protos[i], .dir = FR_INGRESS};

		cr_expect_eq(flow_step(&flow, &p), FR_STEP_KNOWN);
		cr_expect_eq(flow.state, FR_FLOW_OPENING);
		p.dir = FR_EGRESS;
		cr_expect_eq(flow_step(&flow, &p), FR_STEP_KNOWN);
		cr_expect_eq(flow.state, FR_FLOW_ESTABLISHED);
	}
}

/* ---------------------------------------------------------------- time */

static const __u32 timeout[FR_TIMEOUTS] = {
	[FR_TIMEOUT_TCP_OPENING] = 60, [FR_TIMEOUT_TCP_ESTABLISHED] = 1000,
	[FR_TIMEOUT_TCP_CLOSING] = 10, [FR_TIMEOUT_UDP_ONEWAY] = 30,
	[FR_TIMEOUT_UDP] = 120,	       [FR_TIMEOUT_ICMP] = 20,
};

Test(flow_steps, every_state_has_its_idle_time)
{
	static const struct {
		uint8_t proto, state;
		uint32_t idle;
	} cases[] = {
		{FR_PROTO_TCP, FR_FLOW_OPENING, 60},
		{FR_PROTO_TCP, FR_FLOW_ANSWERED, 60},
		{FR_PROTO_TCP, FR_FLOW_ESTABLISHED, 1000},
		{FR_PROTO_TCP, FR_FLOW_CLOSING, 10},
		{FR_PROTO_TCP, FR_FLOW_ADOPTED, 1000},
		{FR_PROTO_UDP, FR_FLOW_OPENING, 30},
		{FR_PROTO_UDP, FR_FLOW_ESTABLISHED, 120},
		{FR_PROTO_UDP, FR_FLOW_ADOPTED, 120},
		{47, FR_FLOW_OPENING, 30},
		{FR_PROTO_ICMP, FR_FLOW_OPENING, 20},
		{FR_PROTO_ICMP6, FR_FLOW_ESTABLISHED, 20},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fr_flow flow = {
			.key.proto = cases[i].proto, .state = cases[i].state, .last = 5000};
		uint64_t end = flow.last + cases[i].idle;

		cr_expect_not(flow_expired(&flow, timeout, end), "case %zu", i);
		cr_expect(flow_expired(&flow, timeout, end + 1), "case %zu", i);
		cr_expect_not(flow_expired(&flow, timeout, 4990), "another CPU was ahead");
	}
}

static int refreshes(struct fr_flow *flow, int who)
{
	struct fr_packet p = {.key.proto = FR_PROTO_UDP};

	p.dir = who == OPENER ? flow->opener : !flow->opener;
	return flow_refreshes(flow, &p);
}

Test(flow_steps, a_udp_flow_that_only_the_peer_feeds_ends)
{
	struct fr_flow flow = {.opener = FR_EGRESS, .opener_again = 1};

	cr_expect(refreshes(&flow, RESPONDER), "the first answer");
	cr_expect_not(refreshes(&flow, RESPONDER));
	cr_expect_not(refreshes(&flow, RESPONDER));
	cr_expect(refreshes(&flow, OPENER));
	cr_expect(refreshes(&flow, OPENER));
	cr_expect(refreshes(&flow, RESPONDER));
	cr_expect_not(refreshes(&flow, RESPONDER));
}

Test(flow_steps, tcp_is_kept_alive_by_both_sides)
{
	struct fr_flow flow = {.opener = FR_EGRESS};
	struct fr_packet p = {.key.proto = FR_PROTO_TCP, .dir = FR_INGRESS};

	cr_expect(flow_refreshes(&flow, &p));
	cr_expect(flow_refreshes(&flow, &p));
}

Test(flow_steps, the_listener_s_port_is_the_responder_s)
{
	struct fr_flow_key key = {.proto = FR_PROTO_TCP, .local_port = 22, .peer_port = 40000};

	cr_expect_eq(flow_port(&key, FR_INGRESS), 22);
	cr_expect_eq(flow_port(&key, FR_EGRESS), 40000);
	key.proto = FR_PROTO_ICMP;
	key.peer_port = 8 << 8;
	cr_expect_eq(flow_port(&key, FR_INGRESS), 8 << 8);
	cr_expect_eq(flow_port(&key, FR_EGRESS), 8 << 8);
}

/* Every state, flag, reason, opener and side: where a flow is steady, a packet without SYN, FIN and
 * RST is the flow's and changes nothing. */
static size_t expect_steady(struct fr_progress flow, uint8_t proto, uint8_t dir)
{
	struct fr_packet p = {.key.proto = proto, .dir = dir, .tcp_flags = FR_TCP_ACK};
	struct fr_progress after = flow;

	if (!flow_is_steady(&flow, proto, flow.opener == dir))
		return 0;
	p.ack = flow.isn + 1;
	cr_expect_eq(flow_step(&after, &p), FR_STEP_KNOWN);
	cr_expect(!memcmp(&after, &flow, sizeof(flow)), "state %u flags %02x opener %u dir %u",
		  flow.state, flow.flags, flow.opener, dir);
	return 1;
}

Test(flow_steps, a_steady_flow_is_left_as_it_is)
{
	static const uint8_t reasons[] = {FR_REASON_RULE, FR_REASON_ADOPTED, FR_REASON_FORWARDED};
	static const uint8_t protos[] = {FR_PROTO_TCP, FR_PROTO_UDP};
	struct fr_progress flow = {.isn = 7};
	size_t steady = 0;

	for (unsigned int bits = 0; bits < 256u * FR_FLOW_STATES * FR_DIRS * FR_DIRS; bits++) {
		flow.flags = (uint8_t)bits;
		flow.opener = bits >> 8 & 1;
		flow.state = (bits >> 10) % FR_FLOW_STATES;
		for (size_t i = 0; i < 3; i++) {
			flow.reason = reasons[i];
			for (size_t j = 0; j < 2; j++)
				steady += expect_steady(flow, protos[j], bits >> 9 & 1);
		}
	}
	cr_expect_gt(steady, 0);
}
