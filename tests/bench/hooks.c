/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nanoseconds per packet over an empty program of the same type, by BPF_PROG_TEST_RUN. Ours and the
 * empty one take turns, so that both meet the same noise; a sample is the difference of neighbours.
 * Servers measure, each a program of its own that takes requests over a pipe: so figures of two
 * builds, this one and an older one, come from the same minutes.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/datapath/datapath.h"
#include "../testbench.h"
#include "../judges.h"
#include "bench.h"

enum {
	REPEAT = 10000, /* of one packet, in a sample */
	SINGLES = 501,	/* of packets that differ, in a sample */
	FLOWS = 64000,	/* live ones, of the case that has many */
	FULL = 150000,	/* openings, of the case that has a full table */
	SERVERS_MAX = 4,
	TCP_SYN = 0x02,
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

/* One case of one hook under one policy. */
struct course {
	struct bench *bench;
	struct measured_hook *hook;
	struct tuple tuple;
	struct addr local;
	struct frame packet;
	bool pass;
	uint32_t next; /* of the packets that differ */
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

static double empty_run(const struct measured_hook *hook, const struct frame *packet,
			uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data,
		    .data_size_in = packet->size, .repeat = repeat);

	if (bpf_prog_test_run_opts(hook->empty, &options))
		DIE("the empty program does not run: %s", strerror(errno));
	return options.duration;
}

static double ours_run(const struct course *course, uint8_t dir, const struct frame *packet,
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
	int wanted = pass ? course->hook->pass : course->hook->drop;

	if (err)
		DIE("%s does not run: %s", course->hook->name, strerror(-err));
	if (run.retval != wanted)
		DIE("%s returns %d for a packet that should %s", course->hook->name, run.retval,
		    pass ? "pass" : "drop");
	return run.duration_ns;
}

/* The packet of the course's tuple from or to `local`, with TCP flags of its own. */
static void packet_make(const struct course *course, const struct addr *local, uint8_t dir,
			uint8_t flags, struct frame *out)
{
	struct wire w = judge_opening(&course->tuple, local);

	w.dir = dir;
	w.flags = flags;
	wire_make(&w, out);
}

static void opening_make(struct course *course, const struct addr *local)
{
	packet_make(course, local, course->tuple.dir, TCP_SYN, &course->packet);
}

/* One packet many times over. */
static double sample_hot(struct course *course)
{
	double empty = empty_run(course->hook, &course->packet, REPEAT);

	return ours_run(course, FR_EGRESS, &course->packet, REPEAT, course->pass) - empty;
}

/* Packets that differ, in single shots, which include the costs of a cold start; their median. */
static double sample_singles(struct course *course, void (*make)(struct course *))
{
	double samples[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		double empty;

		make(course);
		empty = empty_run(course->hook, &course->packet, 1);
		samples[i] = ours_run(course, FR_EGRESS, &course->packet, 1, course->pass) - empty;
	}
	return spread_of(samples, SINGLES).median;
}

/* Each the first of a conversation of its own. */
static void make_opening(struct course *course)
{
	struct addr local = judge_local(&course->tuple, 100 + course->next++);

	opening_make(course, &local);
}

/* Random addresses on both sides, and a port that no rule names. */
static void make_stranger(struct course *course)
{
	uint32_t x = ++course->next * 2654435761u;
	struct addr local = judge_local(&course->tuple, x >> 15);

	course->tuple.peer = addr_from_v4((110 + (x >> 24) % 80) << 24 | (x & 0xffffff));
	opening_make(course, &local);
}

static double sample_new(struct course *course)
{
	return sample_singles(course, make_opening);
}

static double sample_strangers(struct course *course)
{
	return sample_singles(course, make_stranger);
}

/* SYN, SYN-ACK, ACK through the hook; the opener's next packet is left in the course. */
static void establish(struct course *course)
{
	struct frame answer;

	opening_make(course, &course->local);
	packet_make(course, &course->local, FR_INGRESS, TCP_SYN_ACK, &answer);
	ours_run(course, FR_EGRESS, &course->packet, 1, true);
	ours_run(course, FR_INGRESS, &answer, 1, true);
	packet_make(course, &course->local, FR_EGRESS, TCP_ACK, &course->packet);
	ours_run(course, FR_EGRESS, &course->packet, 1, true);
}

static void establish_many(struct course *course)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		course->local = judge_local(&course->tuple, i);
		establish(course);
	}
}

/* One of the many flows, far from the last. */
static void make_known(struct course *course)
{
	struct addr local = judge_local(&course->tuple, course->next++ * 40503u % FLOWS);

	packet_make(course, &local, FR_EGRESS, TCP_ACK, &course->packet);
}

static double sample_many(struct course *course)
{
	return sample_singles(course, make_known);
}

static void opening(struct course *course)
{
	opening_make(course, &course->local);
}

/* More openings than the table holds: once it is full, each takes the place of another. */
static void opening_full(struct course *course)
{
	while (course->next < FULL) {
		make_opening(course);
		ours_run(course, FR_EGRESS, &course->packet, 1, true);
	}
}

static const struct hook_case {
	const char *name;
	bool pass, v4;
	void (*prepare)(struct course *);
	double (*sample)(struct course *);
} hook_cases[] = {
	{"established", true, true, establish, sample_hot},
	{"established-v6", true, false, establish, sample_hot},
	{"established-many", true, true, establish_many, sample_many},
	{"new", true, true, opening, sample_new},
	{"new-full", true, true, opening_full, sample_new},
	{"denied", false, true, opening, sample_hot},
	{"denied-random", false, true, opening, sample_strangers},
};
static const char *const hook_names[] = {"tc", "cgroup"};

/* ---------------------------------------------------------------- the server */

struct server {
	struct bench *bench;
	struct arena *arena; /* of the policy */
	struct ruleset *rs;
	struct image image;
	struct course course;
	bool crowded; /* with too many flows to remove one by one */
};

static void server_open(struct server *server)
{
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags diags = {.arena = arena};

	bench_close(server->bench);
	if (bench_open_quiet(&diags, &server->bench))
		DIE("the programs do not load: %s", diags.count ? diags.list[0].message : "?");
	server->crowded = false;
}

static void server_rules(struct server *server, uint32_t rules)
{
	struct diags diags = {0};

	arena_free(server->arena);
	image_free(&server->image);
	server->arena = diags.arena = arena_new();
	server->rs = policy_allow_list(server->arena, rules);
	if (server->crowded)
		server_open(server);
	if (image_compile(server->rs, &diags, &server->image) ||
	    bench_install(server->bench, &server->image, true))
		DIE("%u rules cannot be installed", rules);
}

static void server_case(struct server *server, struct measured_hook *hook,
			const struct hook_case *asked)
{
	struct course *course = &server->course;

	if (server->crowded)
		server_open(server);
	if (bench_install(server->bench, &server->image, true))
		DIE("the policy cannot be installed");
	server->crowded = asked->prepare == establish_many || asked->prepare == opening_full;
	*course = (struct course){.bench = server->bench, .hook = hook, .pass = asked->pass};
	course->tuple = policy_tuple(server->rs, asked->pass, asked->v4);
	course->local = judge_local(&course->tuple, 1);
	asked->prepare(course);
}

/* "rules N", "case HOOK CASE", "sample": each is answered by a line with a number. */
static void server_answer(struct server *server, struct measured_hook *hooks, const char *line)
{
	static const struct hook_case *asked;
	unsigned hook, number;
	double sample = 0;

	if (sscanf(line, "rules %u", &number) == 1) {
		server_rules(server, number);
	} else if (sscanf(line, "case %u %u", &hook, &number) == 2) {
		asked = &hook_cases[number];
		server_case(server, &hooks[hook], asked);
	} else {
		sample = asked->sample(&server->course);
	}
	printf("%.1f\n", sample);
	fflush(stdout);
}

int bench_serve(void)
{
	struct measured_hook hooks[] = {
		{"tc", FR_KIND_INTERFACE, BPF_PROG_TYPE_SCHED_CLS, 0, -1, 2, -1},
		{"cgroup", FR_KIND_CGROUP, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 1, 0,
		 -1},
	};
	struct server server = {.arena = arena_new()};
	char line[64];

	server_open(&server);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		hooks[i].empty = empty_load(&hooks[i]);
	while (fgets(line, sizeof(line), stdin))
		server_answer(&server, hooks, line);
	bench_close(server.bench);
	return 0;
}

/* ---------------------------------------------------------------- the clients */

struct asked {
	const char *binary;
	FILE *to, *from;
	pid_t pid;
	bool lost;
	double *samples;
};

static void asked_start(struct asked *asked, const char *binary)
{
	int down[2], up[2];

	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		DIE("no pipe: %s", strerror(errno));
	asked->binary = binary;
	asked->pid = fork();
	if (asked->pid < 0)
		DIE("cannot fork: %s", strerror(errno));
	if (!asked->pid) {
		dup2(down[0], STDIN_FILENO);
		dup2(up[1], STDOUT_FILENO);
		execl(binary, binary, "serve", NULL);
		DIE("cannot run %s: %s", binary, strerror(errno));
	}
	close(down[0]);
	close(up[1]);
	asked->to = fdopen(down[1], "w");
	asked->from = fdopen(up[0], "r");
	if (!asked->to || !asked->from)
		DIE("out of memory");
}

static void asked_stop(struct asked *asked)
{
	fclose(asked->to);
	fclose(asked->from);
	waitpid(asked->pid, NULL, 0);
}

/* Send no more requests to a server that has gone; it has reported why. */
static double ask(struct asked *asked, const char *question)
{
	double answer = 0;

	if (asked->lost)
		return 0;
	fprintf(asked->to, "%s\n", question);
	asked->lost = fflush(asked->to) || fscanf(asked->from, "%lf", &answer) != 1;
	return answer;
}

static void ask_all(struct asked *asked, int count, const char *question)
{
	for (int i = 0; i < count; i++)
		ask(&asked[i], question);
}

/* The first is this build, the second the one to compare it with. */
static void asked_print(const struct asked *asked, int which, const struct series *series,
			uint32_t rounds)
{
	struct series own = *series;
	char variant[64];

	snprintf(variant, sizeof(variant), "%s%s", series->variant, which ? "-before" : "");
	own.variant = variant;
	if (asked->lost)
		gap_print(&own, "the program ended");
	else
		series_print(&own, asked->samples, rounds);
}

static void case_measure(struct asked *asked, int count, struct series *series, uint32_t rounds)
{
	for (uint32_t round = 0; round < rounds; round++)
		for (int i = 0; i < count; i++) {
			struct asked *one = &asked[round % 2 ? count - 1 - i : i];

			one->samples[round] = ask(one, "sample");
		}
	for (int i = 0; i < count; i++)
		asked_print(&asked[i], i, series, rounds);
	fflush(stdout);
}

static void rules_measure(struct asked *asked, int count, uint32_t rules, uint32_t rounds)
{
	struct series series = {.section = "hooks", .rules = rules, .cpus = 1, .unit = "ns"};
	char question[64];

	snprintf(question, sizeof(question), "rules %u", rules);
	ask_all(asked, count, question);
	for (size_t hook = 0; hook < ARRAY_SIZE(hook_names); hook++)
		for (size_t i = 0; i < ARRAY_SIZE(hook_cases); i++) {
			snprintf(question, sizeof(question), "case %zu %zu", hook, i);
			ask_all(asked, count, question);
			series.workload = hook_cases[i].name;
			series.variant = hook_names[hook];
			case_measure(asked, count, &series, rounds);
		}
}

int bench_hooks(int count, char **words)
{
	uint32_t rounds = (uint32_t)atoi(words[0]), rules = (uint32_t)atoi(words[1]);
	struct asked asked[SERVERS_MAX] = {0};

	if (!rounds || !rules || count < 3 || count - 2 > SERVERS_MAX)
		DIE("hooks ROUNDS RULES BINARY..., 1 to %d binaries", SERVERS_MAX);
	signal(SIGPIPE, SIG_IGN);
	count -= 2;
	for (int i = 0; i < count; i++) {
		asked_start(&asked[i], words[2 + i]);
		asked[i].samples = calloc(rounds, sizeof(double));
	}
	rules_measure(asked, count, rules, rounds);
	for (int i = 0; i < count; i++) {
		asked_stop(&asked[i]);
		free(asked[i].samples);
	}
	return 0;
}
