/* SPDX-License-Identifier: GPL-2.0-only */
/* Invariants of every verdict and flow: see invariants.h. */
#include "invariants.h"

#include <string.h>

#include "parsed.h"
#include "require.h"

enum { QUESTIONS_MAX = 64 };
enum { TO_OTHERS = 3 };					/* pkt_type */
enum { SYN_SENT = 2, SYN_RECV = 3, NEW_SYN_RECV = 12 }; /* of sockets, as the kernel has them */

/* ---------------------------------------------------------------- before and after */

void memory_take(struct memory *memory)
{
	memory->count = 0;
	while (memory->count < REMEMBERED_MAX &&
	       native_flow(memory->count, &memory->list[memory->count]))
		memory->count++;
}

/* NULL: there was none, or it had expired. */
static const struct fr_flow *memory_find(const struct test_policy *policy,
					 const struct memory *memory, const struct fr_flow_key *key)
{
	const struct fr_image_conf *conf =
		(const void *)((const char *)policy->ready.lines + FR_LINE_BYTES);

	for (size_t i = 0; i < memory->count; i++)
		if (!memcmp(&memory->list[i].key, key, sizeof(*key)) &&
		    !flow_expired(&memory->list[i], conf->timeout, native_now()))
			return &memory->list[i];
	return NULL;
}

/* ---------------------------------------------------------------- flows */

static void flow_check_tcp(const struct fr_flow *flow)
{
	if (flow->reason == FR_REASON_ADOPTED)
		require(flow->state == FR_FLOW_ADOPTED || flow->state == FR_FLOW_ESTABLISHED ||
				flow->state == FR_FLOW_CLOSING,
			"an adopted flow is never one that is opening");
	if (flow->state == FR_FLOW_OPENING || flow->state == FR_FLOW_ANSWERED)
		require(!(flow->flags & FR_FLOW_SYN_AGAIN), "SYN again: after it had opened only");
}

static void flow_check(const struct fr_flow *flow)
{
	const uint8_t others = FR_FLOW_WOULD_DROP | FR_FLOW_SUSTAINED;

	require(flow->state < FR_FLOW_STATES && flow->opener < FR_DIRS, "a state that exists");
	require(flow->last <= native_now(), "times in order");
	require(flow->packets[0] + flow->packets[1], "no flow without a packet");
	if (flow->key.proto == FR_PROTO_TCP)
		flow_check_tcp(flow);
	else
		require(!(flow->flags & ~others) && flow->state != FR_FLOW_ANSWERED &&
				flow->state != FR_FLOW_CLOSING,
			"no TCP in what is none");
}

void flows_check(void)
{
	struct fr_flow flow;

	for (size_t n = 0; native_flow(n, &flow); n++)
		flow_check(&flow);
}

/* ---------------------------------------------------------------- the oracle */

/* The oracle's decision as a trace shows it. */
static bool oracle_says(const struct test_policy *policy, uint8_t dir, uint16_t port,
			const struct fr_event *trace)
{
	struct tuple tuple = {.dir = dir, .proto = trace->key.proto, .port = port};
	bool replies = trace->reason == FR_REASON_REPLY || trace->reason == FR_REASON_ADOPTED;
	struct decision decision = {0};

	memcpy(tuple.peer.b, trace->key.peer, sizeof(tuple.peer.b));
	ruleset_decide(policy->ruleset, &tuple, &decision);
	if (decision.staged) {
		decision.rule = decision.staged_rule;
		decision.reason = FR_REASON_RULE;
	}
	return decision.verdict == trace->verdict && decision.rule == trace->slot &&
	       (replies || decision.reason == trace->reason);
}

static bool oracle_says_of(const struct test_policy *policy, uint8_t opener,
			   const struct fr_event *trace)
{
	return oracle_says(policy, opener, flow_port(&trace->key, opener), trace);
}

/* ---------------------------------------------------------------- answers from elsewhere */

/* A datagram that a rule let pass. */
struct question {
	struct datagram at;
	uint8_t dir;
	uint32_t scope;
	uint16_t vlan;
	uint64_t time;
	uint32_t policies; /* that had been in force by then */
};

static struct {
	struct question list[QUESTIONS_MAX];
	size_t count;
	uint32_t policies;
} asked;

void questions_forget(void)
{
	asked.count = 0;
}

void questions_under_another(void)
{
	asked.policies++;
}

static struct datagram datagram_of(const struct fr_flow_key *key)
{
	struct datagram at = {.local_port = key->local_port, .peer_port = key->peer_port};

	memcpy(at.local.b, key->local, sizeof(at.local.b));
	memcpy(at.peer.b, key->peer, sizeof(at.peer.b));
	return at;
}

static bool is_young(const struct test_policy *policy, const struct question *q)
{
	const struct fr_image_conf *conf =
		(const void *)((const char *)policy->ready.lines + FR_LINE_BYTES);

	return native_now() - q->time <= conf->timeout[FR_TIMEOUT_UDP_ONEWAY];
}

static bool asked_and_answered(const struct test_policy *policy, const struct question *q,
			       uint8_t opener, const struct fr_flow_key *key)
{
	struct datagram answer = datagram_of(key);

	return q->dir == opener && q->scope == key->scope && q->vlan == key->vlan &&
	       ruleset_answered(policy->ruleset, opener, &q->at, &answer);
}

/* Is the packet of a flow that answers a question by `opener`, booked on its rule? */
static bool is_answer(const struct test_policy *policy, const struct fr_event *trace,
		      uint8_t opener, bool young)
{
	for (size_t i = asked.count; i-- > 0;) {
		const struct question *q = &asked.list[i];
		struct fr_event of = *trace;

		if ((young && !is_young(policy, q)) ||
		    !asked_and_answered(policy, q, opener, &trace->key))
			continue;
		memcpy(of.key.peer, q->at.peer.b, sizeof(of.key.peer));
		of.reason = FR_REASON_REPLY; /* or that of the rule, which it is not about */
		if (oracle_says(policy, opener,
				opener == FR_EGRESS ? q->at.peer_port : q->at.local_port, &of))
			return true;
	}
	return false;
}

static bool is_asker(const struct question *q, uint8_t opener, const struct fr_flow_key *key)
{
	if (q->dir != opener || q->scope != key->scope || q->vlan != key->vlan)
		return false;
	if (opener == FR_EGRESS)
		return q->at.local_port == key->local_port &&
		       !memcmp(q->at.local.b, key->local, 16);
	return q->at.peer_port == key->peer_port && !memcmp(q->at.peer.b, key->peer, 16);
}

/* Does the last question of this asker, if any, await the packet? */
static bool is_awaited(const struct test_policy *policy, const struct fr_event *trace,
		       uint8_t opener)
{
	const struct fr_flow_key *key = &trace->key;

	for (size_t i = asked.count; i-- > 0;) {
		const struct question *q = &asked.list[i];

		if (!is_asker(q, opener, key))
			continue;
		return q->policies == asked.policies && is_young(policy, q) &&
		       asked_and_answered(policy, q, opener, key);
	}
	return false;
}

static bool is_staged(const struct test_policy *policy, const struct fr_event *trace)
{
	const struct rule *rule = ruleset_rule(policy->ruleset, trace->slot);

	return trace->verdict == FR_WOULD_DROP && rule && rule->staged;
}

static void check_awaited(const struct test_policy *policy, const struct fr_packet *p,
			  const struct fr_event *trace)
{
	bool refused = trace->verdict != FR_PASS && !is_staged(policy, trace);

	if (refused && p->key.proto == FR_PROTO_UDP && p->fragment != FR_LATER &&
	    (trace->reason == FR_REASON_RULE || trace->reason == FR_REASON_DEFAULT))
		require(!is_awaited(policy, trace, !p->dir), "an awaited answer passes");
}

static void question_remember(const struct test_policy *policy, const struct fr_flow *flow,
			      const struct fr_packet *p, const struct fr_event *trace)
{
	struct question *q = &asked.list[asked.count % QUESTIONS_MAX];

	if (p->key.proto != FR_PROTO_UDP || p->fragment == FR_LATER ||
	    (trace->verdict != FR_PASS && !is_staged(policy, trace)) ||
	    (trace->reason != FR_REASON_RULE && trace->reason != FR_REASON_DEFAULT) ||
	    (flow && flow->reason == FR_REASON_REPLY) || asked.count == QUESTIONS_MAX)
		return;
	*q = (struct question){.at = datagram_of(&trace->key),
			       .dir = p->dir,
			       .scope = trace->key.scope,
			       .vlan = trace->key.vlan,
			       .time = native_now(),
			       .policies = asked.policies};
	asked.count++;
}

/* ---------------------------------------------------------------- the oracle agrees */

/* A SYN-ACK to a SYN that reached a listener by another device. */
static bool answers_unseen(const struct fr_packet *p, const struct native_packet *packet)
{
	return packet->kind == FR_KIND_INTERFACE && packet->dir == FR_EGRESS &&
	       p->key.proto == FR_PROTO_TCP && p->fragment != FR_LATER &&
	       (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == (FR_TCP_SYN | FR_TCP_ACK) &&
	       (packet->host.tcp_state == NEW_SYN_RECV || packet->host.tcp_state == SYN_RECV);
}

/* The judged opening is the packet's own, or that of the flow that it belongs to. */
static bool oracle_agrees(const struct test_policy *policy, const struct fr_flow *flow,
			  const struct fr_packet *p, const struct native_packet *packet,
			  const struct fr_event *trace)
{
	if (!flow && answers_unseen(p, packet))
		return oracle_says_of(policy, FR_INGRESS, trace);
	if (flow && flow->reason == FR_REASON_REPLY &&
	    is_answer(policy, trace, flow->opener, false))
		return true;
	if (trace->reason == FR_REASON_REPLY)
		return (flow && flow->opener != p->dir &&
			oracle_says_of(policy, flow->opener, trace)) ||
		       is_answer(policy, trace, !p->dir, true);
	if (flow && oracle_says_of(policy, flow->opener, trace))
		return true;
	if (trace->reason == FR_REASON_FAILSAFE && p->dir == FR_EGRESS && !flow)
		if (oracle_says_of(policy, FR_INGRESS, trace))
			return true;
	if (trace->reason == FR_REASON_ADOPTED || trace->verdict != FR_PASS)
		return oracle_says_of(policy, FR_EGRESS, trace) ||
		       oracle_says_of(policy, FR_INGRESS, trace) ||
		       oracle_says(policy, p->dir, p->port, trace);
	return oracle_says(policy, p->dir, p->port, trace);
}

static bool is_oracles(uint8_t reason)
{
	return reason == FR_REASON_RULE || reason == FR_REASON_DEFAULT ||
	       reason == FR_REASON_FAILSAFE || reason == FR_REASON_REPLY ||
	       reason == FR_REASON_ADOPTED;
}

/* ---------------------------------------------------------------- verdicts */

static void check_outcome(const struct fr_packet *p, const struct fr_event *trace)
{
	switch (p->outcome) {
	case FR_BROKEN:
		require(trace->reason == FR_REASON_MALFORMED, "broken is malformed");
		break;
	case FR_EXT_LIMIT:
		require(trace->reason == FR_REASON_EXT_HEADERS, "too many headers are told");
		break;
	case FR_NON_IP:
	case FR_NON_IP_KNOWN:
		require(trace->reason == FR_REASON_NON_IP, "what is not IP is told as that");
		break;
	default:
		require(trace->reason != FR_REASON_NON_IP, "IP is IP");
		require(p->fragment == FR_LATER || trace->reason != FR_REASON_FRAGMENT,
			"only later fragments are judged as that");
	}
	if (trace->reason == FR_REASON_MALFORMED || trace->reason == FR_REASON_EXT_HEADERS ||
	    trace->reason == FR_REASON_STATE)
		require(trace->verdict != FR_PASS, "never a pass");
}

static void check_mode(const struct test_policy *policy, const struct fr_event *trace)
{
	const struct rule *rule = ruleset_rule(policy->ruleset, trace->slot);

	require(trace->verdict <= FR_WOULD_DROP && trace->reason < FR_REASONS_COUNT,
		"a verdict and a reason that exist");
	require(trace->slot < policy->image.rule_count, "a rule that exists");
	if (!policy->ruleset->enforce)
		require(trace->verdict != FR_DROP, "audit drops nothing");
	else if (trace->verdict == FR_WOULD_DROP)
		require(rule && rule->staged, "enforcement lets pass only what is staged");
}

static void check_tcp(const struct fr_flow *flow, const struct fr_packet *p,
		      const struct native_packet *packet, const struct fr_event *trace)
{
	uint8_t syn = p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK);
	bool forwarded = trace->reason == FR_REASON_FORWARDED;
	bool asking = packet->kind == FR_KIND_GUEST || packet->host.tcp_state == SYN_SENT;

	if (p->key.proto != FR_PROTO_TCP || p->fragment == FR_LATER || !flow)
		return;
	if (flow->opener != p->dir && syn == FR_TCP_SYN &&
	    (flow->state != FR_FLOW_OPENING || !asking))
		require(trace->reason != FR_REASON_REPLY,
			"a SYN is no reply but where both open at once");
	if (syn == (FR_TCP_SYN | FR_TCP_ACK) &&
	    (flow->state == FR_FLOW_ADOPTED || flow->reason == FR_REASON_ADOPTED))
		require(forwarded || trace->verdict != FR_PASS,
			"an adopted flow has no SYN to be answered");
}

/* A dropped packet leaves no flow and adds to none. */
static void check_drop(const struct memory *before, const struct fr_event *trace)
{
	struct memory *after;

	if (trace->verdict != FR_DROP)
		return;
	after = malloc(sizeof(*after));
	require(after, "memory");
	memory_take(after);
	require(after->count == before->count, "a dropped packet makes no flow");
	for (size_t i = 0; i < after->count; i++)
		require(!memcmp(after->list[i].packets, before->list[i].packets,
				sizeof(after->list[i].packets)),
			"a dropped packet adds to no flow");
	free(after);
}

/* These are of no forwarded conversation: packets that the host itself sends, an opening that comes
 * in, and packets that conntrack may have forgotten and a socket of the host would take. */
static bool is_others(const struct fr_flow *flow, const struct fr_packet *p,
		      const struct native_packet *packet)
{
	if (!flow || packet->kind != FR_KIND_INTERFACE || flow->reason != FR_REASON_FORWARDED)
		return false;
	if (packet->dir == FR_EGRESS)
		return !packet->ingress_ifindex;
	if (p->key.proto == FR_PROTO_TCP)
		return (p->tcp_flags & (FR_TCP_SYN | FR_TCP_ACK)) == FR_TCP_SYN;
	if (p->key.proto == FR_PROTO_SCTP)
		return !p->seq;
	return (uint32_t)native_now() - flow->sent >= CONNTRACK_SECONDS * jiffies_hz() &&
	       (p->key.proto != FR_PROTO_UDP || packet->host.udp_state);
}

/* Where a socket of this host might take a forwarded packet, it passes only by a flow whose last
 * packet out is so recent that conntrack knows the answer. */
static void check_forwarded(const struct fr_flow *flow, const struct fr_packet *p,
			    const struct native_packet *packet, const struct fr_event *trace)
{
	bool udp = p->key.proto == FR_PROTO_UDP && p->fragment != FR_LATER;

	if (trace->reason != FR_REASON_FORWARDED || packet->dir != FR_INGRESS || !udp ||
	    packet->host.forwards || !packet->host.udp_state)
		return;
	require(flow && flow->reason == FR_REASON_FORWARDED, "nothing else vouches");
	require((uint32_t)native_now() - flow->sent < CONNTRACK_SECONDS * jiffies_hz(),
		"a host's socket gets nothing by a flow that conntrack has forgotten");
}

/* Only a socket vouches for TCP that comes in to this host; TCP of other stations is their own. */
static void check_adopted(const struct fr_packet *p, const struct native_packet *packet,
			  const struct fr_event *trace)
{
	if (trace->reason != FR_REASON_ADOPTED || packet->kind != FR_KIND_INTERFACE ||
	    packet->dir != FR_INGRESS || p->key.proto != FR_PROTO_TCP)
		return;
	require(packet->host.tcp_state || packet->type == TO_OTHERS, "somebody vouches");
}

void verdict_check(const struct test_policy *policy, const struct memory *before,
		   const struct native_packet *packet, const struct fr_event *trace)
{
	struct fr_packet p = parsed_of(packet);
	const struct fr_flow *flow;

	require(trace->version == FR_ABI_VERSION, "every packet is judged");
	check_mode(policy, trace);
	check_outcome(&p, trace);
	check_drop(before, trace);
	if (p.outcome != FR_IP)
		return;
	p.key.scope = trace->key.scope;
	require(!memcmp(&p.key, &trace->key, sizeof(p.key)), "the key that both readings find");
	flow = memory_find(policy, before, &p.key);
	check_forwarded(flow, &p, packet, trace);
	if (is_others(flow, &p, packet))
		flow = NULL;
	check_adopted(&p, packet, trace);
	check_tcp(flow, &p, packet, trace);
	if (is_oracles(trace->reason) && p.fragment != FR_LATER)
		require(oracle_agrees(policy, flow, &p, packet, trace),
			"the verdict is the oracle's");
	check_awaited(policy, &p, trace);
	question_remember(policy, flow, &p, trace);
}
