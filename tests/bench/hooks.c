// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nanoseconds per packet over an empty program of the same type, by BPF_PROG_TEST_RUN. Ours and the
 * empty one take turns, so that both meet the same noise; what is printed is the difference of
 * neighbours.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../user/datapath/datapath.h"
#include "../packets.h"
#include "bench.h"

enum {
	ROUNDS = 61, /* of a packet that is repeated */
	REPEAT = 20000,
	SINGLES = 3001, /* of packets that differ */
	TCP_ACK = 0x10,
	TCP_SYN_ACK = 0x12,
};

struct measured_hook {
	const char *name;
	uint8_t kind;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	int pass, drop; /* return codes */
	int empty;	/* program */
};

struct course {
	struct bench *bench;
	const struct ruleset *rs;
	struct measured_hook *hook;
	struct addr local;
};

static int empty_load(const struct measured_hook *hook)
{
	struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = hook->pass},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = hook->attach);
	int fd = bpf_prog_load(hook->type, "fr_empty", "GPL", program, ARRAY_SIZE(program),
			       &options);

	if (fd < 0)
		DIE("no empty program: %s", strerror(-fd));
	return fd;
}

static double empty_run(const struct measured_hook *hook, const struct test_packet *packet,
			uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data,
		    .data_size_in = packet->size, .repeat = repeat);

	if (bpf_prog_test_run_opts(hook->empty, &options))
		DIE("the empty program does not run: %s", strerror(errno));
	return options.duration;
}

static double ours_run(const struct course *course, uint8_t dir, const struct test_packet *packet,
		       uint32_t repeat, bool pass)
{
	struct bench_run run = {
		.kind = course->hook->kind,
		.dir = dir,
		.data = packet->data,
		.size = packet->size,
		.repeat = repeat,
	};
	int err = bench_run(course->bench, &run);

	if (err)
		DIE("%s does not run: %s", course->hook->name, strerror(-err));
	if (run.retval != (pass ? course->hook->pass : course->hook->drop))
		DIE("%s returns %d for a packet that should %s", course->hook->name, run.retval,
		    pass ? "pass" : "drop");
	return run.duration_ns;
}

static void print_spread(double *samples, size_t count)
{
	struct spread spread = spread_of(samples, count);

	printf("  %5.0f [%.0f-%.0f]", spread.median, spread.low, spread.high);
	fflush(stdout);
}

/* One packet many times over. */
static void measure_hot(const struct course *course, const struct test_packet *packet, bool pass)
{
	double samples[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double empty = empty_run(course->hook, packet, REPEAT);

		samples[i] = ours_run(course, FR_EGRESS, packet, REPEAT, pass) - empty;
	}
	print_spread(samples, ROUNDS);
}

/* Each packet the first of a conversation of its own: single shots, with all that a cold start
 * costs. */
static void measure_new(const struct course *course, const struct tuple *tuple)
{
	double *samples = calloc(SINGLES, sizeof(*samples));

	for (uint32_t i = 0; i < SINGLES; i++) {
		struct addr local = packet_local(tuple, 100 + i);
		struct test_packet packet;
		double empty;

		packet_make(tuple, &local, &packet);
		empty = empty_run(course->hook, &packet, 1);
		samples[i] = ours_run(course, FR_EGRESS, &packet, 1, true) - empty;
	}
	print_spread(samples, SINGLES);
	free(samples);
}

/* Where the TCP header's flags are. */
static uint8_t *packet_flags(struct test_packet *packet, bool v4)
{
	return packet->data + sizeof(struct ethhdr) +
	       (v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr)) + 13;
}

/* SYN, SYN-ACK, ACK through the hook; then the opener's data packet is measured. */
static void measure_established(const struct course *course, const struct tuple *tuple)
{
	bool v4 = addr_is_v4(&tuple->peer);
	struct test_packet packet, answer;
	struct tuple back = *tuple;
	uint8_t ports[4], *tcp;

	packet_make(tuple, &course->local, &packet);
	back.dir = FR_INGRESS;
	packet_make(&back, &course->local, &answer);
	tcp = packet_flags(&answer, v4) - 13;
	memcpy(ports, tcp, sizeof(ports));
	memcpy(tcp, ports + 2, 2);
	memcpy(tcp + 2, ports, 2);
	tcp[13] = TCP_SYN_ACK; /* its number is 0 */
	ours_run(course, FR_EGRESS, &packet, 1, true);
	ours_run(course, FR_INGRESS, &answer, 1, true);
	*packet_flags(&packet, v4) = TCP_ACK;
	packet_flags(&packet, v4)[-2] = 1; /* acknowledges it */
	ours_run(course, FR_EGRESS, &packet, 1, true);
	measure_hot(course, &packet, true);
}

static void measure_denied(const struct course *course, const struct tuple *tuple)
{
	struct test_packet packet;

	packet_make(tuple, &course->local, &packet);
	measure_hot(course, &packet, false);
}

static void measure_policy(struct bench *bench, const struct ruleset *rs,
			   struct measured_hook *hook)
{
	struct tuple pass4 = policy_tuple(rs, true, true), pass6 = policy_tuple(rs, true, false);
	struct tuple drop4 = policy_tuple(rs, false, true);
	struct course course = {bench, rs, hook, packet_local(&pass4, 1)};

	printf("%-8s %7zu", hook->name, rs->rule_count);
	measure_established(&course, &pass4);
	course.local = packet_local(&pass6, 1);
	measure_established(&course, &pass6);
	measure_new(&course, &pass4);
	course.local = packet_local(&drop4, 1);
	measure_denied(&course, &drop4);
	printf("\n");
}

static void measure_scale(struct bench *bench, uint32_t rules, struct measured_hook *hooks,
			  size_t count)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct ruleset *rs = policy_allow_list(arena, rules);
	struct image image = {};

	if (image_compile(rs, &diags, &image) || bench_install(bench, &image, true))
		DIE("%u rules cannot be installed", rules);
	for (size_t i = 0; i < count; i++)
		measure_policy(bench, rs, &hooks[i]);
	image_free(&image);
	arena_free(arena);
}

int bench_hooks(void)
{
	static const uint32_t scales[] = {30, 1000, 10000, 100000};
	struct measured_hook hooks[] = {
		{"tc", FR_KIND_INTERFACE, BPF_PROG_TYPE_SCHED_CLS, 0, -1, 2, -1},
		{"cgroup", FR_KIND_CGROUP, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 1, 0,
		 -1},
	};
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct bench *bench = NULL;

	if (bench_open_quiet(&diags, &bench))
		DIE("the programs do not load: %s", diags.count ? diags.list[0].message : "?");
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		hooks[i].empty = empty_load(&hooks[i]);
	printf("\nhooks: ns per packet over an empty program, median [quartiles]; verdicts checked\n");
	printf("new: single shots of %d conversations; the others: %d x %d of one packet\n",
	       SINGLES, ROUNDS, REPEAT);
	printf("%-8s %7s  %-14s  %-14s  %-14s  %s\n", "hook", "rules", "established", "the same v6",
	       "new", "denied");
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		measure_scale(bench, scales[i], hooks, ARRAY_SIZE(hooks));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		close(hooks[i].empty);
	bench_close(bench);
	arena_free(arena);
	return 0;
}
