/* SPDX-License-Identifier: GPL-2.0-only */
/* The rig for packets: see packets_rig.h. */
#include "packets_rig.h"

#include "bench_kept.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *const kind_words[FR_KINDS] = {"interface", "guest", "cgroup"};

void rig_shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

void rig_open(struct rig *rig)
{
	if (geteuid())
		cr_skip_test("needs root: NOT RUN");
	memset(rig, 0, sizeof(*rig));
	rig->arena = arena_new();
	rig->diags.arena = rig->arena;
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "no network namespace: %s", strerror(errno));
	rig_shell("ip link set lo up && ip link add pk0 type veth peer name pk1 && "
		  "ip link set pk0 up && ip link set pk1 up");
	rig->devices[0] = if_nametoindex("pk0");
	rig->devices[1] = if_nametoindex("pk1");
	rig->ifindex = rig->devices[0];
	cr_assert_eq(bench_kept(&rig->diags, &rig->bench), 0, "%s",
		     rig->diags.count ? rig->diags.list[0].message : "the programs do not load");
}

void rig_close(struct rig *rig)
{
	bench_close(rig->bench);
	arena_free(rig->arena);
}

/* ---------------------------------------------------------------- policies */

const uint8_t rig_group[2][16] = {{239, 255, 255, 250}, {0xff, 2, [15] = 12}};

static void peers_of(struct arena *arena, const struct test_rule *wanted, struct rule *rule)
{
	struct prefix *peers = arena_alloc(arena, 4 * sizeof(*rule->peers));

	rule->any_peer = !wanted->host && !wanted->group;
	rule->peers = peers;
	if (wanted->host) {
		peers[0] = (struct prefix){addr_from_v4(0xc0000200u | wanted->host), 128};
		peers[1] =
			(struct prefix){addr_from_halves(0x20010db800090000ull, wanted->host), 128};
		rule->peer_count = 2;
	}
	if (!wanted->group)
		return;
	peers[rule->peer_count++] = (struct prefix){addr_from_v4(wire_get32(rig_group[0])), 128};
	memcpy(peers[rule->peer_count].addr.b, rig_group[1], 16);
	peers[rule->peer_count++].length = 128;
}

static void services_of(struct arena *arena, const struct test_rule *wanted, struct rule *rule)
{
	struct service *services = arena_alloc(arena, 2 * sizeof(*services));
	uint16_t last = wanted->last ?: wanted->first;

	rule->services = services;
	rule->service_count = 1;
	services[0] = (struct service){.any_proto = !wanted->proto,
				       .proto = wanted->proto,
				       .first = wanted->first,
				       .last = last ?: 65535};
	if (wanted->proto != ICMP)
		return;
	services[rule->service_count++] =
		(struct service){.proto = PROTO_ICMP6, .first = 0, .last = 65535};
	if (!wanted->first)
		return;
	services[0].first = services[0].last = wanted->first << 8;
	services[1].first = services[1].last = (wanted->first == 8 ? 128 : wanted->first) << 8;
}

static struct ruleset *ruleset_of(const struct rig *rig, const struct test_policy *policy)
{
	static const uint32_t timeout[FR_TIMEOUTS] = {
		[FR_TIMEOUT_TCP_OPENING] = 60, [FR_TIMEOUT_TCP_ESTABLISHED] = 7200,
		[FR_TIMEOUT_TCP_CLOSING] = 10, [FR_TIMEOUT_UDP_ONEWAY] = 30,
		[FR_TIMEOUT_UDP] = 120,	       [FR_TIMEOUT_ICMP] = 30,
		[FR_TIMEOUT_ADOPT] = 300,      [FR_TIMEOUT_EVENT] = 10,
	};
	static const struct source source = {.name = "packets", .text = ""};
	struct ruleset *rs = arena_alloc(rig->arena, sizeof(*rs));

	rs->arena = rig->arena;
	rs->source = &source;
	rs->name = "packets";
	rs->enforce = !policy->audit;
	rs->flags = FR_F_LOOPBACK | FR_F_NEIGHBOUR | FR_F_MULTICAST | FR_F_DHCP | FR_F_ICMP_ERROR;
	rs->flags = (rs->flags | policy->flags_on) & ~policy->flags_off;
	memcpy(rs->default_allow, policy->allow, sizeof(rs->default_allow));
	memcpy(rs->timeout, timeout, sizeof(timeout));
	rs->rule_count = policy->count;
	rs->rules = arena_alloc(rig->arena, (policy->count + 1) * sizeof(*rs->rules));
	for (size_t i = 0; i < policy->count; i++) {
		rs->rules[i].id = arena_printf(rig->arena, "rule-%zu", i);
		rs->rules[i].dir = policy->rules[i].dir;
		rs->rules[i].action = policy->rules[i].action;
		rs->rules[i].staged = policy->rules[i].staged;
		rs->rules[i].answers = policy->rules[i].answers;
		peers_of(rig->arena, &policy->rules[i], &rs->rules[i]);
		services_of(rig->arena, &policy->rules[i], &rs->rules[i]);
	}
	return rs;
}

/* The devices' own, as `apply` does: 192.0.2.0/24, 198.51.100.0/24, 2001:db8:9::/64 and
 * 2001:db8:1::/64. */
static void subnets_set(const struct image *image)
{
	static const uint8_t base[][16] = {
		{[10] = 0xff, 0xff, 192, 0, 2},
		{[10] = 0xff, 0xff, 198, 51, 100},
		{0x20, 1, 0x0d, 0xb8, 0, 9},
		{0x20, 1, 0x0d, 0xb8, 0, 1},
	};
	struct fr_subnet *subnets = (struct fr_subnet *)image_subnets(image);

	for (size_t i = 0; subnets && i < ARRAY_SIZE(base); i++) {
		memcpy(subnets[i].address, base[i], sizeof(base[i]));
		memset(subnets[i].mask, 0xff, base[i][0] ? 8 : 15);
	}
}

static void install(struct rig *rig, const struct test_policy *policy, bool forget)
{
	struct fr_image_ident *ident;
	struct fr_image_conf *conf;
	struct image image = {0};

	cr_assert_eq(image_compile(ruleset_of(rig, policy), &rig->diags, &image), 0);
	((struct fr_image_head *)image.lines)->flags |= policy->flags_on & FR_F_FORWARDING_ON;
	conf = (void *)((char *)image.lines + FR_LINE_BYTES);
	conf->adopt_until = policy->adopt_until;
	ident = (void *)((char *)image.lines + 2 * FR_LINE_BYTES);
	ident->conntrack = RIG_CONNTRACK;
	if (!policy->no_subnets)
		subnets_set(&image);
	cr_assert_eq(bench_install(rig->bench, &image, forget), 0);
	image_free(&image);
	rig->policy = *policy;
}

void rig_policy(struct rig *rig, const struct test_policy *policy)
{
	install(rig, policy, false);
}

/* Per-CPU figures to 0. */
static void figures_clear(const struct rig *rig, const char *map, uint32_t entries, size_t size)
{
	void *nothing = calloc((size_t)sysconf(_SC_NPROCESSORS_CONF), size);

	for (uint32_t i = 0; i < entries; i++)
		cr_assert_eq(bpf_map_update_elem(bench_map(rig->bench, map), &i, nothing, BPF_ANY),
			     0);
	free(nothing);
}

void rig_start(struct rig *rig, const struct test_policy *policy)
{
	install(rig, policy, true);
	figures_clear(rig, "fr_counters", FR_RULE_FIRST + policy->count,
		      sizeof(struct fr_counters));
	figures_clear(rig, "fr_reasons", FR_REASON_ENTRIES, sizeof(struct fr_reason_counters));
	figures_clear(rig, "fr_tallies", FR_TALLY_COUNT, sizeof(uint64_t));
}

void rig_each(struct rig *rig, const struct test_policy *policy, void (*steps)(struct rig *rig))
{
	for (rig->kind = 0; rig->kind < FR_KINDS; rig->kind++)
		for (int v6 = 0; v6 < 2; v6++) {
			rig->v6 = v6;
			rig_start(rig, policy);
			steps(rig);
		}
}

void rig_run(const struct test_policy *policy, void (*steps)(struct rig *rig))
{
	rig_test(&policy, 1, steps);
}

void rig_test(const struct test_policy *const *policies, size_t count,
	      void (*steps)(struct rig *rig))
{
	struct rig rig;

	rig_open(&rig);
	for (size_t i = 0; i < count; i++)
		rig_each(&rig, policies[i], steps);
	rig_close(&rig);
}

/* ---------------------------------------------------------------- steps */

static int return_of(uint8_t kind, uint8_t verdict)
{
	if (kind == FR_KIND_CGROUP)
		return verdict != FR_DROP;
	return verdict == FR_DROP ? 2 : -1;
}

void rig_bytes(struct rig *rig, uint8_t dir, const void *data, uint32_t size,
	       const struct expected *expected)
{
	static const char *const verdicts[] = {"pass", "drop", "would-drop"};
	static const char *const families[] = {"IPv4", "IPv6"};
	struct bench_run run = {.kind = rig->kind,
				.dir = dir,
				.data = data,
				.size = size,
				.ifindex = rig->ifindex,
				.ingress_ifindex = rig->ingress_ifindex,
				.segments = rig->segments};
	uint8_t verdict = expected->verdict;
	int err = bench_run(rig->bench, &run);
	const char *seen = run.verdict.version ? verdicts[run.verdict.verdict] : "nothing";

	if (verdict == FR_DROP && rig->policy.audit)
		verdict = FR_WOULD_DROP;
	if (err == -EINVAL && rig->ingress_ifindex)
		cr_skip_test("this kernel runs no packet as if it had come in by a device: "
			     "NOT RUN");
	rig->seen = run.verdict;
	cr_assert_eq(err, 0, "%s:%d: no run: %s", expected->file, expected->line, strerror(-err));
	cr_assert(run.verdict.version && run.verdict.verdict == verdict &&
			  run.verdict.reason == expected->reason &&
			  run.verdict.slot == expected->rule,
		  "%s:%d (%s, %s, %s): %s, reason %u, rule %u; expected %s, reason %u, rule %u",
		  expected->file, expected->line, kind_words[rig->kind], families[rig->v6],
		  mode_name(!rig->policy.audit), seen, run.verdict.reason, run.verdict.slot,
		  verdicts[verdict], expected->reason, expected->rule);
	cr_assert_eq(run.retval, return_of(rig->kind, verdict), "%s:%d: returns %d", expected->file,
		     expected->line, run.retval);
}

void rig_step(struct rig *rig, const struct wire *wire, const struct expected *expected)
{
	struct frame frame;

	wire_make(wire, &frame);
	rig_bytes(rig, wire->dir, frame.data, frame.size, expected);
}

/* ---------------------------------------------------------------- figures */

/* Sum of a per-CPU value that consists of u64 throughout. */
static void sum_of(const struct rig *rig, const char *map, uint32_t key, void *out, size_t size)
{
	size_t cpus = (size_t)sysconf(_SC_NPROCESSORS_CONF), words = size / sizeof(uint64_t);
	uint64_t *all = calloc(cpus, size), *sum = out;

	memset(out, 0, size);
	cr_assert_eq(bpf_map_lookup_elem(bench_map(rig->bench, map), &key, all), 0);
	for (size_t i = 0; i < cpus * words; i++)
		sum[i % words] += all[i];
	free(all);
}

struct fr_counters rig_counters(const struct rig *rig, uint32_t rule)
{
	struct fr_counters sum;

	sum_of(rig, "fr_counters", rule, &sum, sizeof(sum));
	return sum;
}

struct fr_reason_counters rig_reason(const struct rig *rig, uint8_t dir, uint8_t reason)
{
	struct fr_reason_counters sum;

	sum_of(rig, "fr_reasons", FR_REASON_INDEX(rig->kind, dir, reason), &sum, sizeof(sum));
	return sum;
}

uint64_t rig_tally(const struct rig *rig, uint32_t tally)
{
	uint64_t sum;

	sum_of(rig, "fr_tallies", tally, &sum, sizeof(sum));
	return sum;
}

/* ---------------------------------------------------------------- questions */

/* Let every question look so many ticks older than it is; how many there are. */
static size_t questions_age(const struct rig *rig, uint64_t ticks)
{
	int fd = bench_map(rig->bench, "fr_questions");
	struct {
		uint8_t head[FR_LINE_BYTES]; /* lock and number */
		struct fr_question way[FR_WAYS];
	} set;
	size_t count = 0;

	for (uint32_t at = 0; at < FR_DIRS * FR_QUESTION_SETS; at++) {
		cr_assert_eq(bpf_map_lookup_elem(fd, &at, &set), 0);
		for (uint32_t way = 0; way < FR_WAYS; way++) {
			count += set.way[way].await != FR_AWAIT_NOTHING;
			set.way[way].last -= ticks;
		}
		if (ticks)
			cr_assert_eq(bpf_map_update_elem(fd, &at, &set, BPF_EXIST), 0);
	}
	return count;
}

size_t rig_questions(const struct rig *rig)
{
	return questions_age(rig, 0);
}

static void ports_age(const struct rig *rig, uint32_t ticks)
{
	int fd = bench_map(rig->bench, "fr_ports_asked");
	uint32_t asked;

	for (uint32_t port = 0; port <= FR_DIRS * FR_ASKED_PORTS; port++) {
		cr_assert_eq(bpf_map_lookup_elem(fd, &port, &asked), 0);
		asked -= ticks;
		cr_assert_eq(bpf_map_update_elem(fd, &port, &asked, BPF_ANY), 0);
	}
}

void rig_age_questions(const struct rig *rig, uint32_t seconds)
{
	questions_age(rig, rig_ticks(seconds));
	ports_age(rig, (uint32_t)rig_ticks(seconds));
}

/* ---------------------------------------------------------------- tables */

static bool is_ping(const struct fr_flow *flow)
{
	return flow->key.proto == PROTO_ICMP || flow->key.proto == PROTO_ICMP6;
}

static bool is_pending(const struct fr_flow *flow)
{
	const uint8_t whole = FR_FLOW_FIN_OPENER | FR_FLOW_FIN_RESPONDER | FR_FLOW_RST_OPENER |
			      FR_FLOW_RST_RESPONDER;

	if (flow->state == FR_FLOW_CLOSING)
		return !(flow->flags & whole);
	return flow->state != FR_FLOW_ESTABLISHED || flow->flags & FR_FLOW_WOULD_DROP;
}

static bool is_asked(const struct fr_flow *flow, const char *what)
{
	if (str_equal(what, "pings"))
		return is_ping(flow);
	if (is_ping(flow))
		return str_equal(what, "flows");
	if (str_equal(what, "pending"))
		return is_pending(flow);
	if (str_equal(what, "established"))
		return !is_pending(flow) && flow->key.proto == TCP;
	if (str_equal(what, "two-way"))
		return !is_pending(flow) && flow->key.proto != TCP;
	return true;
}

struct asked {
	const char *what;
	struct fr_flow_key *key;
	void *value;
	size_t count;
};

/* Flows and drops have the same size, and the key first. */
static int count_asked(const void *entry, void *context)
{
	struct asked *asked = context;

	if (!str_equal(asked->what, "drops") && !is_asked(entry, asked->what))
		return 0;
	asked->count++;
	if (asked->key)
		memcpy(asked->key, entry, sizeof(*asked->key));
	if (asked->value)
		memcpy(asked->value, entry, sizeof(struct fr_flow));
	return 0;
}

size_t rig_entries(const struct rig *rig, const char *what, struct fr_flow_key *key, void *value)
{
	const char *map = str_equal(what, "drops") ? "fr_drops" : "fr_flows";
	struct asked asked = {.what = what, .key = key, .value = value};

	cr_assert_eq(sets_each(bench_map(rig->bench, map), count_asked, &asked), 0);
	return asked.count;
}

uint64_t rig_ticks(uint32_t seconds)
{
	struct timespec tick;

	cr_assert_eq(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
	return seconds * (1000000000u / (uint64_t)tick.tv_nsec);
}

uint64_t rig_jiffies(void)
{
	struct timespec now;

	/* jiffies64 begins five minutes before it wraps in 32 bits, and stops with the machine */
	cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint32_t)(-(int64_t)rig_ticks(300)) + (uint64_t)now.tv_sec * rig_ticks(1);
}

static void age_way(struct fr_flow_set *set, uint32_t way, uint32_t seconds)
{
	uint64_t jiffies = rig_ticks(seconds);
	struct fr_flow *flow = &set->way[way];
	uint32_t info = set->set.info[way];

	flow->last -= jiffies;
	if (flow->key.proto != TCP && flow->reason == FR_REASON_FORWARDED)
		flow->sent -= (uint32_t)jiffies;
	set->set.info[way] =
		FR_INFO(FR_INFO_CLASS(info), info - (uint32_t)(jiffies >> FR_TICK_SHIFT));
}

void *rig_table(const struct rig *rig, const char *map, size_t *sets)
{
	int fd = bench_map(rig->bench, map);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	void *at;

	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	*sets = info.max_entries;
	at = mmap(NULL, *sets * sizeof(struct fr_flow_set), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  0);
	cr_assert_neq(at, MAP_FAILED);
	return at;
}

void rig_table_close(void *table, size_t sets)
{
	munmap(table, sets * sizeof(struct fr_flow_set));
}

void rig_age(const struct rig *rig, const char *what, uint32_t seconds)
{
	size_t count;
	struct fr_flow_set *sets = rig_table(rig, "fr_flows", &count);

	for (size_t i = 0; i < count; i++)
		for (uint32_t way = 0; way < FR_WAYS; way++)
			if (sets[i].set.tag[way] && is_asked(&sets[i].way[way], what))
				age_way(&sets[i], way, seconds);
	rig_table_close(sets, count);
}

size_t rig_class(const struct rig *rig, uint32_t class)
{
	size_t sets, count = 0;
	struct fr_flow_set *at = rig_table(rig, "fr_flows", &sets);

	for (size_t i = 0; i < sets; i++)
		for (uint32_t way = 0; way < FR_WAYS; way++)
			count += at[i].set.tag[way] && FR_INFO_CLASS(at[i].set.info[way]) == class;
	rig_table_close(at, sets);
	return count;
}
