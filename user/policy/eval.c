/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: a tuple's verdict by the obvious walk over the rules. Slow and plain on purpose; the
 * compiled image and the kernel are compared with it.
 */
#include "policy.h"

/* Stronger kinds of rule override weaker ones, in any file order. */
enum rank { RANK_DEFAULT, RANK_ALLOW, RANK_DENY, RANK_FAILSAFE };

static enum rank rule_rank(const struct rule *rule)
{
	switch (rule->action) {
	case FR_FAILSAFE_ALLOW:
		return RANK_FAILSAFE;
	case FR_DENY:
		return RANK_DENY;
	default:
		return RANK_ALLOW;
	}
}

bool rule_serves(const struct rule *rule, const struct tuple *tuple)
{
	if (rule->dir != tuple->dir)
		return false;
	for (size_t i = 0; i < rule->service_count; i++)
		if (service_has(&rule->services[i], tuple->proto, tuple->port))
			return true;
	return false;
}

bool rule_has_peer(const struct rule *rule, const struct addr *peer)
{
	if (rule->any_peer)
		return true;
	for (size_t i = 0; i < rule->peer_count; i++)
		if (prefix_has(&rule->peers[i], peer))
			return true;
	return false;
}

bool rule_serves_any_port(const struct rule *rule, const struct tuple *tuple)
{
	for (size_t i = 0; i < rule->service_count; i++) {
		const struct service *service = &rule->services[i];

		if (service->any_proto || (service->proto == tuple->proto && service->first <= 1 &&
					   service->last == UINT16_MAX))
			return proto_has_ports(tuple->proto);
	}
	return false;
}

/* Of rules of one rank, that with the wider answers is stronger. */
static unsigned rule_strength(const struct rule *rule)
{
	unsigned width = rule_rank(rule) == RANK_ALLOW ? answers_width(rule_answers(rule)) : 0;

	return rule_rank(rule) * FR_ANSWERS_COUNT + width;
}

/* The best matches so far. */
struct walk {
	enum rank rank;
	unsigned strength;
	size_t rule, staged_rule;
	bool staged;
	unsigned maybe; /* the strength of the strongest rule that local-subnet could bring in */
	size_t maybe_rule;
	bool maybe_staged;
};

static void walk_match(struct walk *w, const struct rule *rule, size_t number)
{
	if (rule->staged) {
		if (!w->staged)
			w->staged_rule = number;
		w->staged = true;
	} else if (rule_strength(rule) > w->strength) {
		w->rank = rule_rank(rule);
		w->strength = rule_strength(rule);
		w->rule = number;
	}
}

static void walk_maybe(struct walk *w, const struct rule *rule, size_t number)
{
	if (rule->staged) {
		w->maybe_staged = true;
	} else if (rule_strength(rule) > w->maybe) {
		w->maybe = rule_strength(rule);
		w->maybe_rule = number;
	}
}

static bool walk_is_unknown(const struct walk *w)
{
	if (w->maybe > w->strength ||
	    (w->maybe && w->maybe == w->strength && w->maybe_rule < w->rule))
		return true;
	return w->maybe_staged && !w->staged && w->rank != RANK_DENY && w->rank != RANK_FAILSAFE;
}

static void decide(const struct ruleset *rs, const struct tuple *tuple, const struct walk *w,
		   struct decision *out)
{
	bool pass = w->rank == RANK_FAILSAFE || w->rank == RANK_ALLOW ||
		    (w->rank == RANK_DEFAULT && rs->default_allow[tuple->dir]);
	uint8_t refused = rs->enforce ? FR_DROP : FR_WOULD_DROP;

	*out = (struct decision){.reason = FR_REASON_RULE,
				 .answers = FR_ANSWERS_PEER,
				 .unknown = walk_is_unknown(w)};
	out->rule = (uint32_t)(FR_RULE_FIRST + w->rule);
	if (w->rank == RANK_DEFAULT) {
		out->reason = FR_REASON_DEFAULT;
		out->rule = FR_RULE_DEFAULT_EGRESS + tuple->dir;
	} else if (w->rank == RANK_FAILSAFE) {
		out->reason = FR_REASON_FAILSAFE;
	}
	out->staged = w->staged && pass && w->rank != RANK_FAILSAFE;
	if (out->staged)
		out->staged_rule = (uint32_t)(FR_RULE_FIRST + w->staged_rule);
	if (pass && tuple->proto == PROTO_UDP)
		out->answers = ruleset_answers(rs, out->rule);
	out->verdict = FR_PASS;
	if (!pass)
		out->verdict = refused;
	else if (out->staged)
		out->verdict = FR_WOULD_DROP;
}

void ruleset_decide(const struct ruleset *rs, const struct tuple *tuple, struct decision *out)
{
	struct walk w = {0};

	for (size_t i = 0; i < rs->rule_count; i++) {
		const struct rule *rule = &rs->rules[i];

		if (!rule_serves(rule, tuple))
			continue;
		if (rule_has_peer(rule, &tuple->peer))
			walk_match(&w, rule, i);
		else if (rule->needs_local)
			walk_maybe(&w, rule, i);
	}
	decide(rs, tuple, &w, out);
}

const struct origin *rule_origin(const struct rule *rule)
{
	static const struct origin unknown;

	return rule->origin ?: &unknown;
}

uint32_t rule_line(const struct rule *rule)
{
	return rule->line ?: rule->loc.line;
}

const char *ruleset_rule_name(const struct ruleset *rs, uint32_t number)
{
	static const char *const names[FR_RULE_FIRST] = {
		[FR_RULE_DEFAULT_EGRESS] = "default-egress",
		[FR_RULE_DEFAULT_INGRESS] = "default-ingress",
		[FR_RULE_LOOPBACK] = "builtin/loopback",
		[FR_RULE_NEIGHBOUR] = "builtin/nd",
		[FR_RULE_MULTICAST] = "builtin/mld",
		[FR_RULE_DHCP] = "builtin/dhcp",
		[FR_RULE_ICMP_ERROR] = "builtin/icmp-error",
		[FR_RULE_OTHER] = "builtin/other",
	};
	const struct rule *rule = ruleset_rule(rs, number);

	if (rule)
		return rule->id;
	return number < FR_RULE_FIRST ? names[number] : "unknown";
}

const struct rule *ruleset_rule(const struct ruleset *rs, uint32_t number)
{
	if (number < FR_RULE_FIRST || number - FR_RULE_FIRST >= rs->rule_count)
		return NULL;
	return &rs->rules[number - FR_RULE_FIRST];
}

uint8_t ruleset_answers(const struct ruleset *rs, uint32_t number)
{
	const struct rule *rule = ruleset_rule(rs, number);

	if (rule)
		return rule_answers(rule);
	return number < FR_DIRS && rs->default_allow[number] ? FR_ANSWERS_DEFAULT : FR_ANSWERS_PEER;
}

bool ruleset_awaits(const struct ruleset *rs)
{
	for (uint32_t number = 0; number < FR_RULE_FIRST + rs->rule_count; number++)
		if (ruleset_answers(rs, number) != FR_ANSWERS_PEER)
			return true;
	return false;
}

bool decision_equal(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->rule == b->rule &&
	       a->answers == b->answers && a->staged == b->staged &&
	       (!a->staged || a->staged_rule == b->staged_rule);
}
