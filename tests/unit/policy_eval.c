/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle and the nearest miss: failsafe over deny over allow over default, booking, staging,
 * the open cases of local-subnet, and the sentence that gives the reason.
 */
#include "policy_fixture.h"

static const char rules_text[] = HEAD
	"rules:\n"
	"  - {id: web, direction: egress, peer: 10.0.0.0/8, ports: [443/tcp, 8000-8100/tcp], action: allow}\n"
	"  - {id: web-too, direction: egress, peer: 10.1.0.0/16, ports: 443/tcp, action: allow}\n"
	"  - {id: no-lab, direction: egress, peer: 10.9.0.0/16, ports: any, action: deny}\n"
	"  - {id: no-lab-too, direction: egress, peer: 10.9.9.0/24, ports: any, action: deny}\n"
	"  - {id: soon, direction: egress, peer: 10.2.0.0/16, ports: 443/tcp, action: deny, mode: audit}\n"
	"  - {id: ping, direction: egress, peer: any, ports: icmp/echo-request, action: allow}\n"
	"  - {id: ssh-no, direction: ingress, peer: any, ports: 22/tcp, action: deny}\n"
	"  - {id: ssh-soon, direction: ingress, peer: any, ports: 22/tcp, action: deny, mode: audit}\n"
	"  - {id: near, direction: ingress, peer: local-subnet, ports: 53/udp, action: allow}\n";

static struct tuple tuple_of(uint8_t dir, uint8_t proto, const char *peer, uint16_t port)
{
	struct tuple tuple = {.dir = dir, .proto = proto, .port = port};

	cr_assert_eq(addr_parse(peer, &tuple.peer), NET_OK);
	return tuple;
}

static void load_rules(struct load *l)
{
	char *text, *failsafe;

	*l = load_new();
	text = arena_strdup(l->d.arena, rules_text);
	failsafe = strstr(text, "failsafe: []\n");
	text = arena_printf(l->d.arena, "%.*sfailsafe: [{peer: 10.0.0.0/24, ports: 22/tcp}]\n%s",
			    (int)(failsafe - text), text, failsafe + strlen("failsafe: []\n"));
	cr_assert_eq(load_text(l, text), 0, "%s", load_all(l));
}

static void decides(struct load *l, struct tuple tuple, uint8_t verdict, uint8_t reason,
		    const char *rule)
{
	struct decision decision;

	ruleset_decide(l->rs, &tuple, &decision);
	cr_assert_eq(decision.verdict, verdict, "%s: %d", rule, decision.verdict);
	cr_assert_eq(decision.reason, reason, "%s: %d", rule, decision.reason);
	cr_assert_str_eq(ruleset_rule_name(l->rs, decision.rule), rule);
}

Test(policy_eval, deny_beats_allow_and_the_first_of_a_kind_is_booked)
{
	struct load l;

	load_rules(&l);
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.1.0.1", 443), FR_PASS, FR_REASON_RULE,
		"web");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.9.9.1", 443), FR_DROP, FR_REASON_RULE,
		"no-lab");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.1.0.1", 444), FR_DROP, FR_REASON_DEFAULT,
		"default-egress");
	decides(&l, tuple_of(FR_INGRESS, PROTO_TCP, "10.1.0.1", 443), FR_DROP, FR_REASON_DEFAULT,
		"default-ingress");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.0.0.1", 8100), FR_PASS, FR_REASON_RULE,
		"web");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.0.0.1", 8101), FR_DROP, FR_REASON_DEFAULT,
		"default-egress");
	decides(&l, tuple_of(FR_EGRESS, PROTO_ICMP, "1.1.1.1", 8 << 8), FR_PASS, FR_REASON_RULE,
		"ping");
	decides(&l, tuple_of(FR_EGRESS, PROTO_ICMP6, "fd00::1", 128 << 8), FR_PASS, FR_REASON_RULE,
		"ping");
	load_free(&l);
}

Test(policy_eval, failsafe_beats_deny)
{
	struct load l;
	struct decision decision;
	struct tuple ssh;

	load_rules(&l);
	ssh = tuple_of(FR_INGRESS, PROTO_TCP, "10.0.0.9", 22);
	decides(&l, ssh, FR_PASS, FR_REASON_FAILSAFE, "failsafe/1");
	ruleset_decide(l.rs, &ssh, &decision);
	cr_assert_not(decision.staged, "a staged deny says nothing where failsafe decides");
	decides(&l, tuple_of(FR_INGRESS, PROTO_TCP, "10.0.1.9", 22), FR_DROP, FR_REASON_RULE,
		"ssh-no");
	load_free(&l);
}

Test(policy_eval, a_staged_deny_only_tells_what_it_would_do)
{
	struct load l;
	struct decision decision;
	struct tuple tuple;

	load_rules(&l);
	tuple = tuple_of(FR_EGRESS, PROTO_TCP, "10.2.0.1", 443);
	decides(&l, tuple, FR_WOULD_DROP, FR_REASON_RULE, "web");
	ruleset_decide(l.rs, &tuple, &decision);
	cr_assert(decision.staged);
	cr_assert_str_eq(ruleset_rule_name(l.rs, decision.staged_rule), "soon");
	/* Where the default refuses anyway, staging changes nothing. */
	tuple = tuple_of(FR_EGRESS, PROTO_TCP, "10.2.0.1", 444);
	ruleset_decide(l.rs, &tuple, &decision);
	cr_assert_not(decision.staged);
	l.rs->default_allow[FR_EGRESS] = true;
	l.rs->rules[0].peer_count = 0;
	tuple = tuple_of(FR_EGRESS, PROTO_TCP, "10.2.0.1", 443);
	decides(&l, tuple, FR_WOULD_DROP, FR_REASON_DEFAULT, "default-egress");
	load_free(&l);
}

Test(policy_eval, audit_would_drop)
{
	struct load l;

	load_rules(&l);
	l.rs->enforce = false;
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.9.9.1", 443), FR_WOULD_DROP, FR_REASON_RULE,
		"no-lab");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "1.1.1.1", 1), FR_WOULD_DROP, FR_REASON_DEFAULT,
		"default-egress");
	decides(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.1.0.1", 443), FR_PASS, FR_REASON_RULE,
		"web");
	load_free(&l);
}

Test(policy_eval, local_subnet_unknown_leaves_the_answer_open)
{
	struct decision decision;
	struct tuple tuple;
	struct load l;

	load_rules(&l);
	tuple = tuple_of(FR_INGRESS, PROTO_UDP, "10.3.0.1", 53);
	ruleset_decide(l.rs, &tuple, &decision);
	cr_assert(decision.unknown);
	tuple.port = 54;
	ruleset_decide(l.rs, &tuple, &decision);
	cr_assert_not(decision.unknown);
	tuple = tuple_of(FR_EGRESS, PROTO_UDP, "10.3.0.1", 53);
	ruleset_decide(l.rs, &tuple, &decision);
	cr_assert_not(decision.unknown);
	load_free(&l);
}

Test(policy_eval, every_number_has_a_name)
{
	struct load l;
	uint32_t number;

	load_rules(&l);
	for (number = 0; number < FR_RULE_FIRST + l.rs->rule_count; number++)
		cr_assert(ruleset_rule_name(l.rs, number) && *ruleset_rule_name(l.rs, number));
	cr_assert_null(ruleset_rule(l.rs, FR_RULE_FIRST - 1));
	cr_assert_null(ruleset_rule(l.rs, number));
	cr_assert_str_eq(ruleset_rule_name(l.rs, FR_RULE_DHCP), "builtin/dhcp");
	cr_assert_str_eq(ruleset_rule(l.rs, FR_RULE_FIRST)->id, "web");
	load_free(&l);
}

static void nearest_says(struct load *l, struct tuple tuple, const char *sentence)
{
	const char *why = NULL;
	const struct rule *rule = ruleset_nearest(l->rs, &tuple, &why);

	cr_assert(rule, "%s", sentence);
	cr_assert_str_eq(why, sentence);
}

Test(policy_eval, the_nearest_miss_names_the_one_thing_that_does_not_fit)
{
	const char *why = NULL;
	struct tuple far;
	struct load l;

	load_rules(&l);
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "11.0.0.1", 443),
		     "rule web fits but 11.0.0.1 is not in its peer 10.0.0.0/8");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.0.0.1", 8101),
		     "rule web fits but its port is 8000-8100/tcp, not 8101/tcp");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_UDP, "10.0.0.1", 443),
		     "rule web fits but its protocol is 443/tcp, not 443/udp");
	nearest_says(&l, tuple_of(FR_INGRESS, PROTO_TCP, "10.5.0.1", 443),
		     "rule web allows the other direction (egress)");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.9.0.1", 443),
		     "rule web fits but rule no-lab denies it");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.2.0.1", 443),
		     "rule web fits but rule soon denies it");
	nearest_says(&l, tuple_of(FR_INGRESS, PROTO_UDP, "10.3.0.1", 53),
		     "rule near fits but 10.3.0.1 may or may not be in local-subnet");
	far = tuple_of(FR_INGRESS, PROTO_TCP, "99.0.0.1", 25);
	cr_assert_null(ruleset_nearest(l.rs, &far, &why));
	load_free(&l);
}

Test(policy_eval, the_nearest_miss_of_a_row_names_the_role)
{
	struct load l = load_new();

	load_file(&l, "tables/t.yaml",
		  "apiVersion: flowreeve/v1\nkind: PortTable\n"
		  "metadata: {name: t}\nroles: {a: {}, nfs-server: {}}\n"
		  "rows: [{id: nfs, from: a, to: nfs-server, ports: [2049/tcp]}]\n");
	cr_assert_eq(
		load_text(&l, HEAD "use: [{table: t, as: a, peers: {nfs-server: 10.20.0.0/24}}]\n"),
		0, "%s", load_all(&l));
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.3.0.9", 2049),
		     "rule t/nfs fits but 10.3.0.9 is not in peers.nfs-server");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.20.0.9", 2050),
		     "rule t/nfs fits but its port is 2049/tcp, not 2050/tcp");
	load_free(&l);
}

/* A rule for any port fits everything but the peer: that is no sign of intent, and one peer more
 * would open every port. */
Test(policy_eval, a_rule_for_any_port_is_the_farthest_miss)
{
	struct load l = load_new();
	int ret = load_text(
		&l, HEAD
		"rules:\n"
		"  - {id: nodes, direction: egress, peer: 10.60.0.0/24, ports: any, action: allow}\n"
		"  - {id: bulk, direction: egress, peer: 10.61.0.0/24, ports: any/tcp, action: allow}\n"
		"  - {id: dns, direction: egress, peer: 10.70.0.5, ports: 53/udp, action: allow}\n"
		"  - {id: web, direction: ingress, peer: 10.70.0.6, ports: 80/tcp, action: allow}\n");

	cr_assert_eq(ret, 0, "%s", load_all(&l));
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.70.0.5", 53),
		     "rule dns fits but its protocol is 53/udp, not 53/tcp");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_TCP, "10.70.0.6", 80),
		     "rule web allows the other direction (ingress)");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_UDP, "10.60.1.1", 53),
		     "rule dns fits but 10.60.1.1 is not in its peer 10.70.0.5");
	nearest_says(&l, tuple_of(FR_EGRESS, PROTO_UDP, "10.60.1.1", 54),
		     "rule nodes fits but 10.60.1.1 is not in its peer 10.60.0.0/24");
	load_free(&l);
}
