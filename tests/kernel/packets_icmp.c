/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP and ICMPv6 through the programs, and the rules that every policy has. */
#include "packets_rig.h"

enum {
	HTTPS = NTH_RULE(0),
	DNS = NTH_RULE(1),
	PING = NTH_RULE(2),
	PINGED = NTH_RULE(3),
	SSH = NTH_RULE(4)
};

static const struct test_rule rules[] = {
	{.dir = OUT, .action = FR_ALLOW, .proto = TCP, .first = 443},
	{.dir = OUT, .action = FR_ALLOW, .proto = UDP, .first = 53},
	{.dir = OUT, .action = FR_ALLOW, .proto = ICMP, .first = 8},
	{.dir = IN, .action = FR_ALLOW, .proto = ICMP, .first = 8, .host = WIRE_HOST},
	{.dir = IN, .action = FR_ALLOW, .proto = TCP, .first = 22},
};
static const struct test_policy enforce = {.rules = rules, .count = ARRAY_SIZE(rules)};
static const struct test_policy audit = {.rules = rules, .count = ARRAY_SIZE(rules), .audit = true};

#define REQUEST(rig) .proto = ICMP, .type = (rig)->v6 ? 128 : 8, .id
#define ANSWER(rig) .proto = ICMP, .type = (rig)->v6 ? 129 : 0, .id

static void pings(struct rig *rig)
{
	PASS(rig, RULE, PING, .dir = OUT, REQUEST(rig) = 7);
	PASS(rig, RULE, PINGED, .dir = IN, REQUEST(rig) = 7);
	PASS(rig, REPLY, PING, .dir = IN, ANSWER(rig) = 7);
	PASS(rig, REPLY, PINGED, .dir = OUT, ANSWER(rig) = 7);
	PASS(rig, RULE, PING, .dir = OUT, REQUEST(rig) = 7);
	PASS(rig, REPLY, PING, .dir = IN, ANSWER(rig) = 7);
	cr_assert_eq(rig_entries(rig, "pings", NULL, NULL), 2);
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0, "ICMP is apart");
	cr_assert_eq(rig_entries(rig, "established", NULL, NULL), 0);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, ANSWER(rig) = 8);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .host = 8, ANSWER(rig) = 7);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_EGRESS, .dir = OUT, ANSWER(rig) = 9);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .host = 8, REQUEST(rig) = 1);
	rig_age(rig, "pings", 31);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, ANSWER(rig) = 7);
}

RIG_TEST(packets_icmp, both_sides_ping_with_one_identifier, pings, &enforce, &audit)

/* ---------------------------------------------------------------- errors */

enum fault { UNREACHABLE, TOO_BIG, TIME, PARAMETER, QUENCH, REDIRECT };

/* An error of `dir` that quotes the packet `about`: its headers and 8 bytes. Any router sends one
 * to us; ours goes to the sender of the quoted packet. */
static void error_about(struct rig *rig, enum fault fault, uint8_t dir, const struct wire *about,
			const struct expected *expected)
{
	static const uint8_t types[2][6] = {{3, 3, 11, 12, 4, 5}, {1, 2, 3, 4, 5, 137}};
	struct wire w = {
		.v6 = rig->v6, .dir = dir, .proto = ICMP, .host = dir == OUT ? WIRE_HOST : 200};
	uint8_t body[8 + 60] = {types[rig->v6][fault], fault == TOO_BIG && !rig->v6 ? 4 : 0};
	struct frame quoted, frame;

	wire_make(about, &quoted);
	w.body = body;
	w.body_size = 8 + quoted.transport - quoted.ip + 8;
	cr_assert_leq(w.body_size, sizeof(body));
	memcpy(body + 8, quoted.data + quoted.ip, w.body_size - 8);
	wire_make(&w, &frame);
	rig_bytes(rig, dir, frame.data, frame.size, expected);
}

#define ERROR(rig, fault, direction, verdict, why, number, ...)                                    \
	error_about(rig, fault, direction, &(struct wire){.v6 = (rig)->v6, __VA_ARGS__},           \
		    &(struct expected){verdict, why, number, __FILE__, __LINE__})
#define ERROR_PASSES(rig, fault, dir, ...)                                                         \
	ERROR(rig, fault, dir, FR_PASS, FR_REASON_ICMP_ERROR, FR_RULE_ICMP_ERROR, __VA_ARGS__)
/* The number of a direction's default rule is the direction. */
#define ERROR_DROPS(rig, fault, dir, ...)                                                          \
	ERROR(rig, fault, dir, FR_DROP, FR_REASON_DEFAULT, dir, __VA_ARGS__)

/* No flow: the policy would admit the quoted packet, as opened from either side. */
static void admissible(struct rig *rig)
{
	for (enum fault fault = UNREACHABLE; fault <= PARAMETER; fault++) {
		ERROR_PASSES(rig, fault, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443);
		ERROR_PASSES(rig, fault, IN, .dir = OUT, .proto = TCP, .local = 22, .peer = 5);
		ERROR_PASSES(rig, fault, OUT, .dir = IN, .proto = TCP, .local = 22, .peer = 5);
		ERROR_PASSES(rig, fault, OUT, .dir = IN, .proto = UDP, .local = 5, .peer = 53);
		ERROR_PASSES(rig, fault, IN, .dir = OUT, REQUEST(rig) = 5);
		ERROR_DROPS(rig, fault, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 5);
		ERROR_DROPS(rig, fault, OUT, .dir = IN, .proto = UDP, .local = 5, .peer = 6);
		/* of the direction in which the error itself goes: no sender could have sent it */
		ERROR_DROPS(rig, fault, IN, .dir = IN, .proto = TCP, .local = 5, .peer = 99);
	}
	if (rig->policy.audit)
		return;
	cr_assert_eq(rig_entries(rig, "pending", NULL, NULL), 0, "errors create no flow");
	cr_assert_eq(rig_entries(rig, "pings", NULL, NULL), 0);
}

RIG_TEST(packets_icmp, errors_about_what_the_policy_would_admit_pass, admissible, &enforce, &audit)

/* A made-up quotation opens no way to an address that the policy does not know. */
static void to_somebody_else(struct rig *rig)
{
	static const uint8_t v4[4] = {198, 51, 100, 77};
	static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 77};
	const uint8_t *other = rig->v6 ? v6 : v4;

	for (enum fault fault = UNREACHABLE; fault <= PARAMETER; fault++) {
		ERROR_DROPS(rig, fault, OUT, .dir = IN, .proto = TCP, .local = 22, .peer = 5,
			    .host = 8);
		ERROR_DROPS(rig, fault, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443,
			    .local_addr = other);
	}
	/* of a known flow as well */
	PASS(rig, RULE, SSH, .dir = IN, .proto = TCP, .local = 22, .peer = 5, .host = 8,
	     .flags = SYN);
	ERROR_DROPS(rig, TOO_BIG, OUT, .dir = IN, .proto = TCP, .local = 22, .peer = 5, .host = 8);
}

RIG_TEST(packets_icmp, errors_go_to_who_had_sent_what_they_quote, to_somebody_else, &enforce,
	 &audit)

static const struct test_rule closed_rules[] = {
	{.dir = OUT, .action = FR_DENY, .proto = TCP, .first = 443},
};
static const struct test_policy closed = {.rules = closed_rules, .count = 1};

/* A flow whose rule is gone since: the errors about it still arrive, and do not keep it. */
static void of_a_flow(struct rig *rig)
{
	struct fr_flow before, after;

	PASS(rig, RULE, HTTPS, .dir = OUT, .proto = TCP, .local = 5, .peer = 443, .flags = SYN);
	rig_age(rig, "pending", 5);
	rig_entries(rig, "pending", NULL, &before);
	rig_policy(rig, &closed);
	ERROR_PASSES(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443);
	ERROR_DROPS(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 6, .peer = 443);
	rig_entries(rig, "pending", NULL, &after);
	cr_assert_arr_eq(&before, &after, sizeof(before));
}

RIG_TEST(packets_icmp, errors_about_a_known_flow_pass_and_leave_it_alone, of_a_flow, &enforce)

/* Audit lets the refused packet through, and so it may see an error that enforcement would never
 * have caused: that is reported with the packet. */
static void error_about_refused(struct rig *rig, uint16_t port)
{
	if (rig->policy.audit)
		ERROR_PASSES(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = port);
	else
		ERROR_DROPS(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = port);
}

static void of_a_refused_flow(struct rig *rig)
{
	const struct test_policy audits = rig->policy;

	DROP(rig, DEFAULT, OUT, .dir = OUT, .proto = TCP, .local = 5, .peer = 80, .flags = SYN);
	error_about_refused(rig, 80);
	cr_assert_eq(rig_entries(rig, "drops", NULL, NULL), audits.audit ? 1 : 2);
	rig_policy(rig, &enforce);
	ERROR_DROPS(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 80);
	rig_policy(rig, &audits);
	PASS(rig, RULE, HTTPS, .dir = OUT, .proto = TCP, .local = 5, .peer = 443, .flags = SYN);
	rig_policy(rig, &closed);
	DROP(rig, RULE, NTH_RULE(0), .dir = IN, .proto = TCP, .local = 5, .peer = 443,
	     .flags = SYN | ACK);
	error_about_refused(rig, 443);
}

RIG_TEST(packets_icmp, an_error_about_a_refused_packet_is_no_refusal_of_its_own, of_a_refused_flow,
	 &enforce, &audit)

static void no_errors(struct rig *rig)
{
	static const uint8_t bytes[24];
	uint8_t type = rig->v6 ? 1 : 3;

	ERROR_DROPS(rig, REDIRECT, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443);
	ERROR_DROPS(rig, REDIRECT, OUT, .dir = IN, .proto = TCP, .local = 22, .peer = 5);
	ERROR_DROPS(rig, QUENCH, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = ICMP, .type = type);
	DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = ICMP, .type = type,
	     .payload = 28);
	for (uint16_t cut = 8; cut < 24; cut++) {
		uint8_t body[24] = {type};

		memcpy(body + 8, bytes, sizeof(body) - 8);
		body[8] = rig->v6 ? 0x60 : 0x45;
		DROP(rig, DEFAULT, FR_RULE_DEFAULT_INGRESS, .dir = IN, .proto = ICMP, .body = body,
		     .body_size = cut);
	}
}

RIG_TEST(packets_icmp, redirects_and_errors_without_a_readable_quote_are_no_errors, no_errors,
	 &enforce, &audit)

static void quoted_fragments(struct rig *rig)
{
	ERROR_PASSES(rig, TIME, IN, .dir = OUT, .proto = UDP, .local = 5, .peer = 53,
		     .fragment = true, .more = true);
	ERROR_PASSES(rig, TIME, IN, .dir = OUT, .proto = UDP, .fragment = true, .offset = 100);
	ERROR_DROPS(rig, TIME, IN, .dir = OUT, .proto = 47, .fragment = true, .offset = 100);
}

RIG_TEST(packets_icmp, errors_about_fragments, quoted_fragments, &enforce, &audit)

static void errors_off(struct rig *rig)
{
	ERROR_DROPS(rig, TOO_BIG, IN, .dir = OUT, .proto = TCP, .local = 5, .peer = 443);
}

Test(packets_icmp, errors_can_be_switched_off)
{
	static const struct test_policy off = {
		.rules = rules, .count = ARRAY_SIZE(rules), .flags_off = FR_F_ICMP_ERROR};
	struct rig rig;

	rig_open(&rig);
	rig_each(&rig, &off, errors_off);
	rig_close(&rig);
}
