/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers from elsewhere: which datagrams answer which questions.
 */
#include "policy.h"

/* ---------------------------------------------------------------- addresses */

static bool is_local(const struct subnets *local, const struct addr *addr)
{
	for (size_t i = 0; i < local->count; i++)
		if (prefix_has(&local->list[i], addr))
			return true;
	return false;
}

/* The last address of a subnet of IPv4 that has room for one. */
static bool has_broadcast(const struct prefix *subnet, struct addr *last)
{
	enum { ROOM = 126 };

	*last = subnet->addr;
	for (unsigned bit = subnet->length; bit < 128; bit++)
		last->b[bit / 8] |= 0x80 >> bit % 8;
	return addr_is_v4(last) && subnet->length <= ROOM;
}

static bool is_broadcast(const struct subnets *local, const struct addr *addr)
{
	struct addr last;

	for (size_t i = 0; i < local->count; i++)
		if (has_broadcast(&local->list[i], &last) && addr_equal(addr, &last))
			return true;
	return false;
}

/* ---------------------------------------------------------------- one question */

static const char *asks_many(const struct subnets *local, const struct addr *asked)
{
	if (asked && addr_is_group(asked))
		return "a group or broadcast address";
	return asked && is_broadcast(local, asked) ? "a broadcast address" : NULL;
}

void question_expects(const struct subnets *local, const struct tuple *question,
		      const struct addr *asked, uint8_t answers, struct expectation *out)
{
	bool egress = question->dir == FR_EGRESS;
	const char *many = asks_many(local, egress ? &question->peer : asked);

	if (!egress && !many && addr_is_unspecified(&question->peer))
		many = "an asker without an address";
	*out = (struct expectation){.answers = answers};
	if (answers == FR_ANSWERS_DEFAULT) {
		out->answers = FR_ANSWERS_PEER;
		out->default_of = "a question to one host";
		if (question->port == FR_TFTP_PORT) {
			out->answers = FR_ANSWERS_PEER_ANY_PORT;
			out->default_of = "69/udp";
		}
		if (many) {
			out->answers = FR_ANSWERS_GROUP;
			out->default_of = many;
		}
	}
	out->of_many = many;
}

/* ---------------------------------------------------------------- rules */

/* A port that the rule names, not one of all. */
static bool names_port(const struct rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->service_count; i++) {
		const struct service *service = &rule->services[i];

		if (service->any_proto || (service->first <= 1 && service->last == UINT16_MAX))
			continue;
		if (service_has(service, PROTO_UDP, port))
			return true;
	}
	return false;
}

/* A peer that is a group or broadcast address, whatever the subnets are. */
static bool names_group(const struct rule *rule)
{
	for (size_t i = 0; i < rule->peer_count; i++) {
		const struct prefix *peer = &rule->peers[i];
		unsigned fixed = prefix_is_v4(peer) ? 96 + 4 : 8;

		if (addr_is_group(&peer->addr) && peer->length >= fixed)
			return true;
	}
	return false;
}

static bool prefixes_meet(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

/* Whether the rule admits questions of this family to a group or to a broadcast address. */
static bool admits_group(const struct ruleset *rs, const struct rule *rule, bool v4)
{
	static const struct prefix groups[2] = {{{{0xff}}, 8},
						{{{[10] = 0xff, 0xff, 224}}, 96 + 4}};
	static const struct addr everybody = {{[10] = 0xff, 0xff, 255, 255, 255, 255}};

	for (size_t i = 0; i < rule->peer_count; i++)
		if (prefixes_meet(&rule->peers[i], &groups[v4]))
			return true;
	for (size_t i = 0; v4 && i < rs->local.count; i++) {
		struct addr last;

		if (has_broadcast(&rs->local.list[i], &last) && rule_has_peer(rule, &last))
			return true;
	}
	return rule->any_peer || (v4 && rule_has_peer(rule, &everybody));
}

const char *answers_default_of(uint8_t answers)
{
	switch (answers) {
	case FR_ANSWERS_GROUP:
		return "a group or broadcast address";
	case FR_ANSWERS_PEER_ANY_PORT:
		return "69/udp";
	default:
		return "questions to one host";
	}
}

void rule_expects(const struct rule *rule, struct expectation *out)
{
	*out = (struct expectation){.answers = rule_answers(rule)};
	if (out->answers != FR_ANSWERS_DEFAULT)
		return;
	out->answers = FR_ANSWERS_PEER;
	if (names_port(rule, FR_TFTP_PORT))
		out->answers = FR_ANSWERS_PEER_ANY_PORT;
	if (rule->dir == FR_EGRESS && names_group(rule))
		out->answers = FR_ANSWERS_GROUP;
	out->default_of = answers_default_of(out->answers);
}

bool rule_may_await(const struct ruleset *rs, const struct rule *rule, uint8_t answers,
		    const struct tuple *datagram)
{
	const struct addr *peer = &datagram->peer;
	bool known = rule_has_peer(rule, peer);

	if (rule->dir == datagram->dir || datagram->proto != PROTO_UDP || !rule_asks_by_udp(rule))
		return false;
	if (answers == FR_ANSWERS_PEER || (answers == FR_ANSWERS_PEER_ANY_PORT && !known))
		return false;
	/* This host may have been asked as one of a group. */
	if (known && (answers != FR_ANSWERS_DEFAULT || rule->dir == FR_INGRESS ||
		      names_port(rule, FR_TFTP_PORT)))
		return true;
	return rule->dir == FR_EGRESS && admits_group(rs, rule, addr_is_v4(peer)) &&
	       (known || !rs->local.count || is_local(&rs->local, peer));
}

const struct rule *ruleset_asker(const struct ruleset *rs, const struct tuple *datagram)
{
	for (size_t i = 0; i < rs->rule_count; i++)
		if (rule_may_await(rs, &rs->rules[i], rule_answers(&rs->rules[i]), datagram))
			return &rs->rules[i];
	return NULL;
}

/* ---------------------------------------------------------------- one answer */

static struct tuple question_tuple(uint8_t dir, const struct datagram *question)
{
	return (struct tuple){.dir = dir,
			      .proto = PROTO_UDP,
			      .peer = question->peer,
			      .port = dir == FR_EGRESS ? question->peer_port
						       : question->local_port};
}

/* This side asked, and a peer answers. */
static bool peer_answers(const struct decider *by, const struct datagram *question,
			 const struct datagram *answer, const struct expectation *e, uint32_t rule)
{
	struct tuple member = question_tuple(FR_EGRESS, question);
	struct decision decision;

	if (!addr_equal(&answer->local, &question->local) ||
	    answer->local_port != question->local_port)
		return false;
	if (e->answers == FR_ANSWERS_PEER_ANY_PORT)
		return addr_equal(&answer->peer, &question->peer);
	member.peer = answer->peer;
	by->decide(by->policy, &member, &decision);
	if (decision.verdict == FR_PASS && decision.rule == rule)
		return true;
	if (decision.verdict != FR_PASS && decision.reason == FR_REASON_RULE)
		return false;
	return e->of_many && is_local(by->local, &answer->peer);
}

/* Is a peer that had no address when it asked refused by a rule, now that it has one? */
static bool newcomer_refused(const struct decider *by, const struct datagram *question,
			     const struct datagram *answer)
{
	struct tuple known = question_tuple(FR_INGRESS, question);
	struct decision decision;

	known.peer = answer->peer;
	by->decide(by->policy, &known, &decision);
	return decision.verdict != FR_PASS && decision.reason == FR_REASON_RULE;
}

/* This side was asked, and answers. */
static bool host_answers(const struct decider *by, const struct datagram *question,
			 const struct datagram *answer, const struct expectation *e)
{
	if (answer->peer_port != question->peer_port)
		return false;
	if (e->answers == FR_ANSWERS_GROUP && addr_is_unspecified(&question->peer))
		return answer->local_port == question->local_port &&
		       !newcomer_refused(by, question, answer) &&
		       (addr_is_group(&answer->peer) || is_local(by->local, &answer->peer));
	if (!addr_equal(&answer->peer, &question->peer))
		return false;
	return e->of_many || addr_equal(&answer->local, &question->local);
}

bool question_passes(const struct decider *by, uint8_t dir, const struct datagram *question,
		     struct decision *out)
{
	struct tuple tuple = question_tuple(dir, question);

	by->decide(by->policy, &tuple, out);
	return out->verdict == FR_PASS;
}

bool question_answered(const struct decider *by, uint8_t dir, const struct datagram *question,
		       const struct datagram *answer, uint8_t answers)
{
	struct tuple tuple = question_tuple(dir, question);
	struct decision decision;
	struct expectation e;

	if (addr_is_v4(&answer->peer) != addr_is_v4(&question->peer) ||
	    !question_passes(by, dir, question, &decision))
		return false;
	question_expects(by->local, &tuple, &question->local, answers, &e);
	/* A group never sends, from whatever port. */
	if (e.answers == FR_ANSWERS_PEER || (e.of_many && e.answers != FR_ANSWERS_GROUP))
		return false;
	return dir == FR_EGRESS ? peer_answers(by, question, answer, &e, decision.rule)
				: host_answers(by, question, answer, &e);
}

static void decide_by_rules(const void *policy, const struct tuple *tuple, struct decision *out)
{
	ruleset_decide(policy, tuple, out);
}

struct decider ruleset_decider(const struct ruleset *rs)
{
	return (struct decider){decide_by_rules, rs, &rs->local};
}

bool ruleset_answered(const struct ruleset *rs, uint8_t dir, const struct datagram *question,
		      const struct datagram *answer)
{
	const struct decider by = ruleset_decider(rs);
	struct decision decision;

	return question_passes(&by, dir, question, &decision) &&
	       question_answered(&by, dir, question, answer, decision.answers);
}
