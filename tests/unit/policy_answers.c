/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers from elsewhere: what a rule or a row says, what follows where it says nothing, and which
 * datagrams are answers.
 */
#include "../judges.h"
#include "policy_fixture.h"

static const char rules[] = HEAD
	"rules:\n"
	"  - {id: ssdp, direction: egress, peer: [239.255.255.250], ports: [1900/udp], action: allow}\n"
	"  - {id: names, direction: egress, peer: [10.9.0.0/24], ports: [137/udp], action: allow}\n"
	"  - {id: tftp, direction: egress, peer: [10.9.0.2], ports: [69/udp], action: allow}\n"
	"  - {id: strict, direction: egress, peer: [10.9.0.3, 239.1.1.1], ports: [69/udp], action: allow, answers: peer}\n"
	"  - {id: many, direction: egress, peer: [10.8.0.0/24, 239.1.1.2], ports: [5000/udp], action: allow, answers: group}\n"
	"  - {id: ports, direction: egress, peer: [10.8.0.0/24, 239.1.1.3], ports: [5001/udp], action: allow, answers: peer-any-port}\n"
	"  - {id: not, direction: egress, peer: [10.9.0.66], ports: [any/udp], action: deny}\n"
	"  - {id: asked, direction: ingress, peer: any, ports: [3702/udp, 67/udp], action: allow}\n"
	"  - {id: tftpd, direction: ingress, peer: any, ports: [69/udp], action: allow}\n"
	"  - {id: shut, direction: ingress, peer: any, ports: [5002/udp], action: allow, answers: peer}\n";

static void local_set(struct load *l)
{
	static struct prefix local[2];

	cr_assert_eq(prefix_parse("10.9.0.0/24", &local[0]), NET_OK);
	cr_assert_eq(prefix_parse("fd00:9::/64", &local[1]), NET_OK);
	l->options.local_known = true;
	l->options.local = local;
	l->options.local_count = ARRAY_SIZE(local);
}

static void answers_load(struct load *l)
{
	*l = load_new();
	local_set(l);
	load_text(l, rules);
	cr_assert_eq(l->err, 0, "%s", load_all(l));
}

static struct datagram datagram_of(const char *local, uint16_t local_port, const char *peer,
				   uint16_t peer_port)
{
	struct datagram d = {.local_port = local_port, .peer_port = peer_port};

	cr_assert_eq(addr_parse(local, &d.local), NET_OK, "%s", local);
	cr_assert_eq(addr_parse(peer, &d.peer), NET_OK, "%s", peer);
	return d;
}

/* A question and one datagram of the other direction. */
struct exchange {
	uint8_t dir;
	const char *asker;
	uint16_t asker_port;
	const char *asked;
	uint16_t asked_port;
	const char *to;
	uint16_t to_port;
	const char *from;
	uint16_t from_port;
	bool answer;
};

static void exchange_check(const struct ruleset *rs, const struct exchange *x)
{
	bool out = x->dir == FR_EGRESS;
	struct datagram question =
		out ? datagram_of(x->asker, x->asker_port, x->asked, x->asked_port)
		    : datagram_of(x->asked, x->asked_port, x->asker, x->asker_port);
	struct datagram answer = out ? datagram_of(x->to, x->to_port, x->from, x->from_port)
				     : datagram_of(x->from, x->from_port, x->to, x->to_port);

	cr_expect_eq(ruleset_answered(rs, x->dir, &question, &answer), x->answer,
		     "%s asked %s:%u, answer %s:%u -> %s:%u", x->asker, x->asked, x->asked_port,
		     x->from, x->from_port, x->to, x->to_port);
}

#define ASK(asked, port) FR_EGRESS, "10.9.0.1", 40000, asked, port
#define BE_ASKED(asker, asked, port) FR_INGRESS, asker, 40000, asked, port

Test(policy_answers, only_what_the_rule_says_is_an_answer)
{
	static const struct exchange list[] = {
		/* A group was asked: any port of any neighbour, at the port that asked. */
		{ASK("239.255.255.250", 1900), "10.9.0.1", 40000, "10.9.0.2", 50000, true},
		{ASK("239.255.255.250", 1900), "10.9.0.1", 40001, "10.9.0.2", 1900, false},
		{ASK("239.255.255.250", 1900), "10.9.0.5", 40000, "10.9.0.2", 1900, false},
		{ASK("239.255.255.250", 1900), "10.9.0.1", 40000, "10.7.0.2", 1900, false},
		{ASK("239.255.255.250", 1900), "10.9.0.1", 40000, "10.9.0.66", 1900, false},
		{ASK("239.255.255.250", 1901), "10.9.0.1", 40000, "10.9.0.2", 1900, false},
		/* So was everybody. */
		{ASK("10.9.0.255", 137), "10.9.0.1", 40000, "10.9.0.2", 138, true},
		{ASK("10.9.0.254", 137), "10.9.0.1", 40000, "10.9.0.2", 137, false},
		/* TFTP: any port of that host alone. */
		{ASK("10.9.0.2", 69), "10.9.0.1", 40000, "10.9.0.2", 50000, true},
		{ASK("10.9.0.2", 69), "10.9.0.1", 40000, "10.9.0.4", 50000, false},
		{ASK("10.9.0.3", 69), "10.9.0.1", 40000, "10.9.0.3", 50000, false},
		{ASK("239.1.1.1", 69), "10.9.0.1", 40000, "10.9.0.3", 69, false},
		/* answers: group: peers of the rule; neighbours where a group was asked. */
		{ASK("10.8.0.2", 5000), "10.9.0.1", 40000, "10.8.0.9", 50000, true},
		{ASK("10.8.0.2", 5000), "10.9.0.1", 40000, "10.9.0.9", 5000, false},
		{ASK("239.1.1.2", 5000), "10.9.0.1", 40000, "10.9.0.9", 5000, true},
		{ASK("239.1.1.2", 5000), "10.9.0.1", 40000, "10.8.0.9", 5000, true},
		{ASK("239.1.1.3", 5001), "10.9.0.1", 40000, "10.9.0.9", 5001, false},
		{ASK("10.8.0.2", 5001), "10.9.0.1", 40000, "10.8.0.2", 50000, true},
		/* This host was asked as one of a group: it answers from any address and port. */
		{BE_ASKED("10.9.0.7", "239.255.255.250", 3702), "10.9.0.7", 40000, "10.9.0.1",
		 50000, true},
		{BE_ASKED("10.9.0.7", "239.255.255.250", 3702), "10.9.0.8", 40000, "10.9.0.1", 3702,
		 false},
		{BE_ASKED("10.9.0.7", "239.255.255.250", 3702), "10.9.0.7", 40001, "10.9.0.1", 3702,
		 false},
		{BE_ASKED("10.9.0.7", "10.9.0.1", 3702), "10.9.0.7", 40000, "10.9.0.1", 50000,
		 false},
		{BE_ASKED("10.9.0.7", "10.9.0.1", 69), "10.9.0.7", 40000, "10.9.0.1", 50000, true},
		{BE_ASKED("10.9.0.7", "10.9.0.1", 69), "10.9.0.7", 40000, "10.9.0.5", 50000, false},
		{BE_ASKED("10.9.0.7", "239.1.1.1", 5002), "10.9.0.7", 40000, "10.9.0.1", 5002,
		 false},
		/* An asker without an address. */
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "10.9.0.150", 68, "10.9.0.1", 67,
		 true},
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "255.255.255.255", 68,
		 "10.9.0.1", 67, true},
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "10.9.0.150", 69, "10.9.0.1", 67,
		 false},
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "10.9.0.150", 68, "10.9.0.1", 68,
		 false},
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "10.7.0.150", 68, "10.9.0.1", 67,
		 false},
		{FR_INGRESS, "0.0.0.0", 68, "255.255.255.255", 67, "fd00:9::1", 68, "fd00:9::2", 67,
		 false},
	};
	struct load l;

	answers_load(&l);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		exchange_check(l.rs, &list[i]);
	load_free(&l);
}

static void is_word(const struct ruleset *rs, uint8_t dir, const char *peer, uint16_t port,
		    uint8_t answers, const char *rule)
{
	struct tuple tuple = {.dir = dir, .proto = PROTO_UDP, .port = port};
	struct image image;
	struct diags d = {.arena = rs->arena};
	struct decision walked, looked_up;

	addr_parse(peer, &tuple.peer);
	cr_assert_eq(image_compile(rs, &d, &image), 0);
	ruleset_decide(rs, &tuple, &walked);
	image_decide(&image, &tuple, &looked_up);
	cr_expect_eq(walked.answers, answers, "%s:%u: %u", peer, port, walked.answers);
	cr_expect(decision_equal(&walked, &looked_up), "%s:%u: image says %u by %s", peer, port,
		  looked_up.answers, ruleset_rule_name(rs, looked_up.rule));
	cr_expect_str_eq(ruleset_rule_name(rs, walked.rule), rule);
	image_free(&image);
}

Test(policy_answers, the_widest_of_several_rules_decides_whatever_their_order)
{
	static const char *const order[] = {
		"  - {id: a, direction: egress, peer: any, ports: [any/udp], action: allow, answers: peer}\n",
		"  - {id: b, direction: egress, peer: any, ports: [1-10/udp], action: allow}\n",
		"  - {id: c, direction: egress, peer: any, ports: [1-5/udp], action: allow, answers: peer-any-port}\n",
		"  - {id: d, direction: egress, peer: any, ports: [1/udp, 1/tcp], action: allow, answers: group}\n",
	};

	for (size_t turn = 0; turn < ARRAY_SIZE(order); turn++) {
		struct load l = load_new();
		const char *text = HEAD "rules:\n";

		for (size_t i = 0; i < ARRAY_SIZE(order); i++)
			text = arena_printf(l.d.arena, "%s%s", text,
					    order[(i + turn) % ARRAY_SIZE(order)]);
		load_text(&l, text);
		cr_assert_eq(l.err, 0, "%s", load_all(&l));
		is_word(l.rs, FR_EGRESS, "10.0.0.1", 1, FR_ANSWERS_GROUP, "d");
		is_word(l.rs, FR_EGRESS, "10.0.0.1", 5, FR_ANSWERS_PEER_ANY_PORT, "c");
		is_word(l.rs, FR_EGRESS, "10.0.0.1", 10, FR_ANSWERS_DEFAULT, "b");
		is_word(l.rs, FR_EGRESS, "10.0.0.1", 11, FR_ANSWERS_PEER, "a");
		load_free(&l);
	}
}

static bool image_awaits(const struct ruleset *rs)
{
	struct diags d = {.arena = rs->arena};
	struct image image;
	bool awaits;

	cr_assert_eq(image_compile(rs, &d, &image), 0);
	awaits = image_head(&image)->flags & FR_F_ANSWERS;
	cr_expect_eq(awaits, image_subnets(&image) != NULL);
	image_free(&image);
	return awaits;
}

Test(policy_answers, an_image_without_questions_has_no_subnets)
{
	static const struct {
		const char *text;
		bool awaits;
	} list[] = {
		{RULE, false},
		{RULE "default: {egress: allow}\n", true},
		{"rules: [{id: r, direction: egress, peer: any, ports: 1/udp, action: deny}]\n",
		 false},
		{"rules: [{id: r, direction: egress, peer: any, ports: 1/udp, action: allow}]\n",
		 true},
		{"rules: [{id: r, direction: egress, peer: any, ports: any, action: allow}]\n",
		 true},
		{"rules: [{id: r, direction: egress, peer: any, ports: 1/udp, action: allow, answers: peer}]\n",
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct load l = load_new();

		load_text(&l, arena_printf(l.d.arena, "%s%s", HEAD, list[i].text));
		cr_assert_eq(l.err, 0, "%s", load_all(&l));
		cr_expect_eq(image_awaits(l.rs), list[i].awaits, "%s", list[i].text);
		load_free(&l);
	}
}

static const char *expectation_text(struct load *l, const char *id)
{
	struct expectation e;

	for (size_t i = 0; i < l->rs->rule_count; i++) {
		if (!str_equal(l->rs->rules[i].id, id))
			continue;
		rule_expects(&l->rs->rules[i], &e);
		return arena_printf(l->d.arena, "%s%s", answers_name(e.answers),
				    arena_optional(l->d.arena, " of ", e.default_of));
	}
	return "no such rule";
}

Test(policy_answers, a_rule_says_its_answers_and_what_a_default_follows_from)
{
	struct load l;

	answers_load(&l);
	cr_expect_str_eq(expectation_text(&l, "ssdp"), "group of a group or broadcast address");
	cr_expect_str_eq(expectation_text(&l, "names"), "peer of questions to one host");
	cr_expect_str_eq(expectation_text(&l, "tftp"), "peer-any-port of 69/udp");
	cr_expect_str_eq(expectation_text(&l, "tftpd"), "peer-any-port of 69/udp");
	cr_expect_str_eq(expectation_text(&l, "strict"), "peer");
	cr_expect_str_eq(expectation_text(&l, "many"), "group");
	cr_expect_str_eq(expectation_text(&l, "not"), "peer");
	load_free(&l);
}

/* The rule to whose question a refused datagram of this peer may be an answer. */
static const char *asker_of(const char *rule, const char *peer)
{
	struct tuple datagram = {.proto = PROTO_UDP, .port = 40001};
	struct load l = load_new();
	const struct rule *found;

	datagram.dir = strstr(rule, "direction: egress") ? FR_INGRESS : FR_EGRESS;

	local_set(&l);
	load_text(&l, arena_printf(l.d.arena, HEAD "rules:\n  - {id: asks, action: allow, %s}\n",
				   rule));
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_assert_eq(addr_parse(peer, &datagram.peer), NET_OK);
	found = ruleset_asker(l.rs, &datagram);
	load_free(&l);
	return found ? "asks" : "none";
}

Test(policy_answers, a_peer_of_any_and_a_subnet_have_groups_among_them)
{
	static const struct {
		const char *rule, *peer, *asker;
	} list[] = {
		{"direction: egress, peer: any, ports: [137/udp]", "10.9.0.2", "asks"},
		{"direction: egress, peer: any, ports: [137/udp]", "10.7.0.2", "asks"},
		{"direction: egress, peer: any, ports: [137/udp]", "fd00:9::2", "asks"},
		{"direction: egress, peer: [10.9.0.0/24], ports: [137/udp]", "10.9.0.2", "asks"},
		{"direction: egress, peer: [10.9.0.255], ports: [137/udp]", "10.9.0.2", "asks"},
		{"direction: egress, peer: [10.9.0.255], ports: [137/udp]", "10.7.0.2", "none"},
		{"direction: egress, peer: [10.9.0.0/25], ports: [137/udp]", "10.9.0.2", "none"},
		{"direction: egress, peer: [224.0.0.0/3], ports: [137/udp]", "10.9.0.2", "asks"},
		{"direction: egress, peer: [255.255.255.255], ports: [67/udp]", "10.9.0.2", "asks"},
		{"direction: egress, peer: [239.1.1.1], ports: [137/udp]", "fd00:9::2", "none"},
		{"direction: egress, peer: [ff02::1], ports: [137/udp]", "fd00:9::2", "asks"},
		{"direction: egress, peer: [fd00:9::/64], ports: [137/udp]", "fd00:9::2", "none"},
		{"direction: egress, peer: any, ports: [137/udp], answers: peer", "10.9.0.2",
		 "none"},
		{"direction: egress, peer: any, ports: [137/tcp]", "10.9.0.2", "none"},
		{"direction: ingress, peer: [10.9.0.0/24], ports: [3702/udp]", "10.9.0.2", "asks"},
		{"direction: ingress, peer: [10.9.0.0/24], ports: [3702/udp]", "10.7.0.2", "none"},
		{"direction: ingress, peer: any, ports: [3702/udp], answers: peer", "10.9.0.2",
		 "none"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		cr_expect_str_eq(asker_of(list[i].rule, list[i].peer), list[i].asker, "%s, %s",
				 list[i].rule, list[i].peer);
}

Test(policy_answers, a_row_gives_its_rule_the_answers)
{
	struct load l = load_new();

	load_file(&l, "tables/t.yaml",
		  "apiVersion: flowreeve/v1\nkind: PortTable\nmetadata: {name: t, title: T}\n"
		  "params:\n  port: {type: port, default: 70}\n"
		  "roles:\n  a: {}\n  b: {}\nrows:\n"
		  "  - {id: one, from: a, to: b, ports: [70/udp], answers: peer-any-port}\n"
		  "  - {id: two, from: a, to: b, ports: [\"${port}/tcp\"], answers: group}\n");
	load_text(&l, HEAD "use: [{table: t, as: a, peers: {b: 10.0.0.1}}]\n");
	cr_assert_eq(l.err, 0, "%s", load_all(&l));
	cr_expect_eq(l.rs->rules[0].answers, FR_ANSWERS_PEER_ANY_PORT);
	cr_expect_eq(rule_answers(&l.rs->rules[1]), FR_ANSWERS_PEER, "it asks nothing over UDP");
	load_free(&l);
}

Test(policy_answers, a_row_without_udp_says_nothing_about_answers)
{
	static const struct {
		const char *keys, *check;
	} list[] = {
		{"ports: [70/tcp], answers: group", "unused-answers"},
		{"ports: [70/udp], answers: all", "unknown-value"},
		{"ports: [any], answers: group", NULL},
		{"ports: [], see: x, answers: group", "unused-answers"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct load l = load_new();
		struct table_summary summary;
		const char *path = load_file(
			&l, "t.yaml",
			arena_printf(l.d.arena,
				     "apiVersion: flowreeve/v1\nkind: PortTable\n"
				     "metadata: {name: t, title: T}\nroles:\n  a: {}\n  b: {}\n"
				     "rows:\n  - {id: one, from: a, to: b, %s}\n",
				     list[i].keys));

		table_load(path, &l.options, &l.d, &summary);
		cr_expect_eq(l.d.errors, list[i].check != NULL, "%s: %s", list[i].keys,
			     load_all(&l));
		if (list[i].check && l.d.count)
			cr_expect_str_eq(l.d.list[0].check, list[i].check);
		load_free(&l);
	}
}
