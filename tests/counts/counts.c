/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cost of each path of a packet in instructions, helper calls and map look-ups, counted in the
 * shipped object: one line per path, which tests/counts/run compares with the recorded ones. A path
 * ends with the packet that is counted; its verdict, reason and flow are checked, so that a line
 * matches its name.
 *
 *   counts OBJECT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/compile/compile.h"
#include "../fuzz/native.h"
#include "../fuzz/require.h"
#include "../fuzz/test_policy.h"
#include "../wire.h"
#include "interpreter.h"
#include "object.h"

enum { TCP = 6, UDP = 17, FIN = 1, SYN = 2, ACK = 16 };
enum { SERVICE = 443, CLIENT = 40000, REFUSED = 20000 };
enum { HZ = 250, START = 1 << 20, STREAM = 1, DATAGRAM = 2, INET = 2, INET6 = 10 };
enum { NO_FLOW = FR_FLOW_STATES, REFUSED_MAX = 2000 };

/* ---------------------------------------------------------------- hooks and policies */

static const struct hook {
	const char *name;
	const char *apart; /* from another of the same name, or NULL */
	const char *programs[FR_DIRS];
	uint8_t kind;
	uint8_t space_by; /* enum fr_space_by */
	uint32_t rules;	  /* beside those of the paths */
} hooks[] = {
	{.name = "interface",
	 .programs = {[FR_INGRESS] = "fr_if_ingress", [FR_EGRESS] = "fr_if_egress"},
	 .kind = FR_KIND_INTERFACE},
	{.name = "interface",
	 .apart = ", 10,000 rules",
	 .programs = {[FR_INGRESS] = "fr_if_ingress", [FR_EGRESS] = "fr_if_egress"},
	 .kind = FR_KIND_INTERFACE,
	 .rules = 10000},
	{.name = "guest",
	 .programs = {[FR_INGRESS] = "fr_guest_egress", [FR_EGRESS] = "fr_guest_ingress"},
	 .kind = FR_KIND_GUEST},
	{.name = "cgroup",
	 .programs = {[FR_INGRESS] = "fr_cg_ingress", [FR_EGRESS] = "fr_cg_egress"},
	 .kind = FR_KIND_CGROUP,
	 .space_by = FR_SPACE_BY_PACKET},
	{.name = "cgroup",
	 .apart = ", before 6.15",
	 .programs = {[FR_INGRESS] = "fr_cg_ingress", [FR_EGRESS] = "fr_cg_egress"},
	 .kind = FR_KIND_CGROUP,
	 .space_by = FR_SPACE_BY_OWNER},
};

struct course {
	const struct object *object;
	const struct hook *hook;
	uint8_t dir; /* of the packet that is counted */
	bool v6;
	uint8_t opener;
	uint8_t reason;	 /* why it passes or does not */
	uint64_t booked; /* 1: the last packet was, for that reason */
	int result;	 /* of the last packet */
	struct counts counts;
};

static struct rule *rule_add(struct ruleset *rs, uint8_t dir, const struct prefix *peer,
			     const struct service *service)
{
	struct rule *rule = &rs->rules[rs->rule_count++];

	*rule = (struct rule){.id = "rule", .dir = dir, .action = FR_ALLOW};
	rule->peer_count = rule->service_count = 1;
	rule->peers = arena_alloc(rs->arena, sizeof(*rule->peers));
	rule->services = arena_alloc(rs->arena, sizeof(*rule->services));
	*rule->peers = *peer;
	*rule->services = *service;
	return rule;
}

enum { FAILSAFE = 8 };

/* Peers all around those of the paths, each with a port of a few dozen; the first are of failsafe
 * rules. */
static void rules_fill(struct ruleset *rs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t spread = i * 2654435761u;
		uint16_t port = (uint16_t)(1000 + spread % 37);
		struct rule *rule;
		struct prefix peer = {addr_from_v4(0xc0000000 | spread >> 16), 128};

		if (i % 5 == 0)
			peer = (struct prefix){addr_from_halves(0x20010db8ull << 32 | spread, 0),
					       64};
		rule = rule_add(rs, i & 1, &peer, &(struct service){false, TCP, port, port});
		rule->action = i < FAILSAFE ? FR_FAILSAFE_ALLOW : FR_ALLOW;
	}
}

static struct ruleset *policy_make(uint32_t more)
{
	static const struct source source = {.name = "counts", .text = ""};
	const struct prefix peers[] = {{addr_from_v4(0xc0000200), 120},
				       {addr_from_halves(0x20010db800090000ull, 0), 48}};
	struct arena *arena = arena_new();
	struct ruleset *rs = arena_alloc(arena, sizeof(*rs));

	rs->arena = arena;
	rs->source = &source;
	rs->name = "counts";
	rs->enforce = true;
	rs->flags = FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_DHCP | FR_F_ICMP_ERROR;
	for (int i = 0; i < FR_TIMEOUTS; i++)
		rs->timeout[i] = 3600;
	rs->rules = arena_alloc(arena, (8 + more) * sizeof(*rs->rules));
	for (int i = 0; i < 8; i++)
		rule_add(rs, i & 1, &peers[i >> 1 & 1],
			 &(struct service){false, i & 4 ? TCP : UDP, SERVICE, SERVICE});
	rules_fill(rs, more);
	return rs;
}

static const struct image *policy_get(uint32_t rules)
{
	static struct policy {
		uint32_t rules;
		struct image compiled, ready;
	} policies[2];
	struct policy *policy = &policies[rules != 0];
	struct diags d = {0};
	struct ruleset *rs;

	if (policy->ready.lines)
		return &policy->ready;
	rs = policy_make(rules);
	d.arena = rs->arena;
	require(!image_compile(rs, &d, &policy->compiled), "the policy compiles");
	test_policy_ready(&policy->compiled, HZ, &policy->ready);
	arena_free(rs->arena);
	return &policy->ready;
}

/* ---------------------------------------------------------------- one packet */

/* The socket of a packet of a cgroup. */
static void socket_fill(const struct wire *w, struct bpf_sock *sock)
{
	uint8_t *addresses[2][2] = {
		{(uint8_t *)&sock->dst_ip4, (uint8_t *)&sock->src_ip4},
		{(uint8_t *)sock->dst_ip6, (uint8_t *)sock->src_ip6},
	};

	*sock = (struct bpf_sock){.family = w->v6 ? INET6 : INET,
				  .type = DATAGRAM,
				  .protocol = w->proto,
				  .src_port = w->local,
				  .dst_port = __builtin_bswap16(w->peer),
				  .state = 1};
	if (w->proto == TCP)
		sock->type = STREAM;
	for (int local = 0; local < 2; local++)
		wire_address(w, local, addresses[w->v6][local]);
}

/* Packets of a direction with the expected reason. */
static uint64_t booked(const struct course *c, uint8_t dir)
{
	uint32_t index = FR_REASON_INDEX(c->hook->kind, dir, c->reason);
	const struct fr_reason_counters *counters = native_value("fr_reasons", &index);

	return counters->packets[FR_PASS] + counters->packets[FR_DROP];
}

static int program_run(void *context, const struct native_packet *packet, struct __sk_buff *skb)
{
	struct course *c = context;
	const char *program = c->hook->programs[packet->dir];
	uint64_t before = booked(c, packet->dir);
	int result;

	c->counts.count = 0;
	result = (int)interpret(object_program(c->object, program), skb, &c->counts);
	c->booked = booked(c, packet->dir) - before;
	return result;
}

static void packet_send(struct course *c, const struct wire *w)
{
	uint32_t skip = c->hook->kind == FR_KIND_CGROUP ? WIRE_ETHERNET : 0;
	struct native_packet packet = {.kind = c->hook->kind,
				       .dir = w->dir,
				       .linear = UINT32_MAX,
				       .protocol = w->v6 ? 0x86dd : 0x0800,
				       .ifindex = 2};
	struct bpf_sock sock;
	struct frame frame;

	wire_make(w, &frame);
	socket_fill(w, &sock);
	packet.data = frame.data + skip;
	packet.size = frame.size - skip;
	packet.sock = skip ? &sock : NULL;
	c->result = native_run_by(&packet, program_run, c);
}

/* To the service that the opener has asked for. */
static void say(struct course *c, uint8_t dir, uint8_t proto, uint8_t flags)
{
	bool out = c->opener == FR_EGRESS;
	struct wire w = {.v6 = c->v6, .dir = dir, .proto = proto, .flags = flags, .payload = 16};

	w.local = out ? CLIENT : SERVICE;
	w.peer = out ? SERVICE : CLIENT;
	if (flags & (SYN | FIN))
		w.payload = 0;
	packet_send(c, &w);
}

/* ---------------------------------------------------------------- paths */

static void tcp_new(struct course *c)
{
	say(c, c->opener, TCP, SYN);
}

static void tcp_answer(struct course *c)
{
	tcp_new(c);
	say(c, !c->opener, TCP, SYN | ACK);
}

static void tcp_third(struct course *c)
{
	tcp_answer(c);
	say(c, c->opener, TCP, ACK);
}

static void tcp_going(struct course *c)
{
	tcp_third(c);
	say(c, !c->dir, TCP, ACK);
	say(c, c->dir, TCP, ACK);
}

/* So long after the last packet that the program reports its set. */
static void tcp_later(struct course *c)
{
	tcp_going(c);
	native_age(60 * HZ);
	say(c, c->dir, TCP, ACK);
}

static void tcp_fin(struct course *c)
{
	tcp_going(c);
	say(c, c->dir, TCP, FIN | ACK);
}

static void tcp_fin_last(struct course *c)
{
	tcp_going(c);
	say(c, !c->dir, TCP, FIN | ACK);
	say(c, c->dir, TCP, FIN | ACK);
}

static void udp_new(struct course *c)
{
	say(c, c->opener, UDP, 0);
}

static void udp_answer(struct course *c)
{
	udp_new(c);
	say(c, !c->opener, UDP, 0);
}

static void udp_going(struct course *c)
{
	udp_answer(c);
	udp_answer(c);
	if (c->dir == c->opener)
		udp_new(c);
}

/* To or from the n-th port that no rule names: each gets an entry of its own. */
static void refuse(struct course *c, uint16_t n)
{
	bool out = c->dir == FR_EGRESS;
	struct wire w = {.v6 = c->v6, .dir = c->dir, .proto = TCP, .flags = SYN};

	w.local = out ? CLIENT : REFUSED + n;
	w.peer = out ? REFUSED + n : CLIENT;
	packet_send(c, &w);
}

static void refused_new(struct course *c)
{
	refuse(c, 0);
}

static void refused_repeated(struct course *c)
{
	refuse(c, 0);
	refuse(c, 0);
}

/* One that gets no entry because the budget is spent. */
static void refused_over_budget(struct course *c)
{
	const uint32_t zero = 0;
	const struct fr_budget *budget = native_value("fr_budget", &zero);

	for (uint16_t n = 0; n < REFUSED_MAX; n++) {
		refuse(c, n);
		if (!budget->left && !counts_of(&c->counts, "spin_lock"))
			return;
	}
	require(false, "the budget is spent at some time");
}

static const struct path {
	const char *name;
	void (*walk)(struct course *);
	uint8_t reason;
	uint8_t state; /* of the remaining flow, or NO_FLOW */
	bool theirs;   /* the other side has opened */
	bool v6;
} paths[] = {
	{"tcp new", tcp_new, FR_REASON_RULE, FR_FLOW_OPENING, false, false},
	{"tcp answer", tcp_answer, FR_REASON_REPLY, FR_FLOW_ANSWERED, true, false},
	{"tcp third", tcp_third, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, false},
	{"tcp established", tcp_going, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, false},
	{"tcp established, of theirs", tcp_going, FR_REASON_REPLY, FR_FLOW_ESTABLISHED, true,
	 false},
	{"tcp established, later", tcp_later, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, false},
	{"tcp fin", tcp_fin, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, false},
	{"tcp fin, the last", tcp_fin_last, FR_REASON_RULE, FR_FLOW_CLOSING, false, false},
	{"udp new", udp_new, FR_REASON_RULE, FR_FLOW_OPENING, false, false},
	{"udp answer", udp_answer, FR_REASON_REPLY, FR_FLOW_ESTABLISHED, true, false},
	{"udp established", udp_going, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, false},
	{"udp established, of theirs", udp_going, FR_REASON_REPLY, FR_FLOW_ESTABLISHED, true,
	 false},
	{"refused, new", refused_new, FR_REASON_DEFAULT, NO_FLOW, false, false},
	{"refused, repeated", refused_repeated, FR_REASON_DEFAULT, NO_FLOW, false, false},
	{"refused, over budget", refused_over_budget, FR_REASON_DEFAULT, NO_FLOW, false, false},
	{"tcp new, v6", tcp_new, FR_REASON_RULE, FR_FLOW_OPENING, false, true},
	{"tcp established, v6", tcp_going, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, true},
	{"udp established, v6", udp_going, FR_REASON_RULE, FR_FLOW_ESTABLISHED, false, true},
	{"refused, repeated, v6", refused_repeated, FR_REASON_DEFAULT, NO_FLOW, false, true},
};

/* ---------------------------------------------------------------- all of them */

/* Does the path match its name? */
static void path_check(const struct course *c, const struct path *path, const char *line)
{
	bool refused = path->state == NO_FLOW;
	int pass = c->hook->kind == FR_KIND_CGROUP ? 1 : -1;
	int drop = c->hook->kind == FR_KIND_CGROUP ? 0 : 2;
	struct fr_flow flow = {.state = NO_FLOW};

	native_flow(0, &flow);
	if (c->result == (refused ? drop : pass) && c->booked == 1 && flow.state == path->state)
		return;
	fprintf(stderr, "not that path: %s: returns %d, %s reason, flow in state %u of %u\n", line,
		c->result, c->booked == 1 ? "the right" : "another", flow.state, path->state);
	exit(1);
}

static void path_count(struct course *c, const struct path *path)
{
	static const char *const dirs[] = {[FR_EGRESS] = "egress", [FR_INGRESS] = "ingress"};
	const struct image *image = policy_get(c->hook->rules);
	char line[96];

	snprintf(line, sizeof(line), "%s %s%s: %s", c->hook->name, dirs[c->dir],
		 c->hook->apart ? c->hook->apart : "", path->name);
	native_reset(START);
	native_install(image->lines, image->line_count, &image->failsafe);
	*(uint32_t *)object_constant(c->object, "fr_space_by") = c->hook->space_by;
	c->v6 = path->v6;
	c->opener = path->theirs ? !c->dir : c->dir;
	c->reason = path->reason;
	path->walk(c);
	path_check(c, path, line);
	counts_sort(&c->counts);
	printf("%-58s", line);
	for (size_t i = 0; i < c->counts.count; i++) {
		const struct count *one = &c->counts.list[i];

		printf("%s%s", i && one->kind != one[-1].kind ? "; " : " ", one->name);
		printf(" %*u", one->kind == COUNT_INSTRUCTIONS ? 4 : 1, one->number);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct object *object;

	if (argc != 2) {
		fprintf(stderr, "usage: counts OBJECT\n");
		return 2;
	}
	object = object_read(argv[1]);
	for (size_t h = 0; h < ARRAY_SIZE(hooks); h++)
		for (uint8_t dir = FR_DIRS; dir-- > 0;)
			for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
				struct course course = {
					.object = object, .hook = &hooks[h], .dir = dir};

				path_count(&course, &paths[p]);
			}
	object_free(object);
	return 0;
}
