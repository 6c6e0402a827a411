/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slices of one workload through all variants: each round runs one slice in every variant, in an
 * order of its own, so that neighbours meet the same noise and sample i of all variants belong
 * together. Each slice is followed by a check of its verdicts.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "traffic.h"

enum { DESCRIPTORS = 1 << 16 };

struct course {
	const struct workload *workload;
	uint32_t rules, peers, workers, slices, variant_count;
	struct variant variants[VARIANTS_MAX];
	struct lane *lanes[WORKERS_MAX][VARIANTS_MAX];
	uint8_t (*order)[VARIANTS_MAX]; /* of the variants, for each round */
	pthread_barrier_t barrier;
	const char *clock;
};

struct worker {
	struct course *course;
	uint32_t index;
	pthread_t thread;
};

/* NAME:SENDER:RECEIVER[:CGROUP] */
static void variant_read(const char *text, struct variant *v)
{
	*v = (struct variant){.drop = -1};
	if (sscanf(text, "%31[^:]:%63[^:]:%63[^:]:%255s", v->name, v->sender, v->receiver,
		   v->cgroup) < 3)
		DIE("a variant is NAME:SENDER:RECEIVER[:CGROUP], not %s", text);
	v->open = !strcmp(v->name, "none");
	v->closed = !strncmp(v->name, "drop", 4);
}

static void count(uint64_t *figure, uint64_t more)
{
	__atomic_add_fetch(figure, more, __ATOMIC_RELAXED);
}

struct witness {
	uint64_t segments, arrived;
};

static struct witness witness_of(const struct lane *lane)
{
	return (struct witness){segments_sent(lane), packets_arrived(lane)};
}

/* The whole flood reached the device, and the receiver's TCP did not answer it. */
static void flood_judge(struct lane *lane, const struct witness *before, uint32_t sent)
{
	struct witness after = witness_of(lane);
	bool silent = after.segments == before->segments;
	bool whole = after.arrived - before->arrived >= sent;

	count(silent && whole ? &lane->variant->refused : &lane->variant->wrong, sent);
	if (lane->variant->closed)
		return;
	count(sentinel_right(lane) ? &lane->variant->passed : &lane->variant->wrong, 1);
}

static void slice_judge(struct lane *lane, uint32_t done, uint32_t expected)
{
	struct variant *v = lane->variant;

	count(&v->passed, done);
	count(&v->wrong, expected - done);
	if (v->open)
		count(probe_right(lane) ? &v->passed : &v->wrong, 1);
	else
		count(probe_right(lane) ? &v->refused : &v->wrong, 1);
}

static double slice_run(const struct course *course, struct lane *lane,
			const struct cpu_clock *clock, uint32_t slice)
{
	struct witness before = {0};
	double start, took;
	uint32_t done;

	if (course->workload->flood)
		before = witness_of(lane);
	start = cpu_clock_ns(clock);
	done = course->workload->run(lane, slice);
	took = cpu_clock_ns(clock) - start;
	if (course->workload->flood)
		flood_judge(lane, &before, done);
	else
		slice_judge(lane, done, slice);
	return took / slice;
}

/* Every peer once if the workload reuses flows, so that no measured packet is the first of its
 * flow. */
static uint32_t warm_up_of(const struct course *course)
{
	uint32_t slice = course->workload->slice;

	return course->workload->lasting && course->peers > slice ? course->peers : slice;
}

static void lane_turn(struct worker *worker, uint32_t variant, const struct cpu_clock *clock,
		      int round)
{
	struct course *course = worker->course;
	struct lane *lane = course->lanes[worker->index][variant];
	double ns;

	pthread_barrier_wait(&course->barrier);
	if (*lane->variant->fault)
		return;
	if (setns(lane->namespace, CLONE_NEWNET))
		DIE("%s: %s", lane->variant->sender, strerror(errno));
	ns = slice_run(course, lane, clock,
		       round < 0 ? warm_up_of(course) : course->workload->slice);
	if (round >= 0)
		lane->samples[round] = ns;
	else if (lane->variant->wrong)
		lane_fail(lane, "%llu verdicts were wrong before the first slice",
			  (unsigned long long)lane->variant->wrong);
}

static void *worker_run(void *data)
{
	struct worker *worker = data;
	struct course *course = worker->course;
	struct cpu_clock clock;

	cpu_clock_open(&clock, cpu_nth(worker->index));
	course->clock = cpu_clock_name(&clock);
	for (uint32_t i = 0; i < course->variant_count; i++)
		lane_turn(worker, i, &clock, -1);
	for (uint32_t round = 0; round < course->slices; round++)
		for (uint32_t i = 0; i < course->variant_count; i++)
			lane_turn(worker, course->order[round][i], &clock, (int)round);
	return NULL;
}

static void order_make(struct course *course)
{
	struct judge_random random = {(uint64_t)clock_ns()};

	course->order = calloc(course->slices, sizeof(*course->order));
	if (!course->order)
		DIE("out of memory");
	for (uint32_t round = 0; round < course->slices; round++)
		for (uint32_t i = 0; i < course->variant_count; i++) {
			uint32_t other = judge_below(&random, i + 1);

			course->order[round][i] = course->order[round][other];
			course->order[round][other] = (uint8_t)i;
		}
}

static uint32_t links_of(const struct course *course)
{
	uint32_t all = course->peers < LINKS_MAX ? course->peers : LINKS_MAX;

	return all < course->workers ? 1 : all / course->workers;
}

static void lanes_open(struct course *course)
{
	for (uint32_t v = 0; v < course->variant_count; v++)
		for (uint32_t w = 0; w < course->workers; w++) {
			struct lane *lane = calloc(1, sizeof(*lane));

			if (!lane)
				DIE("out of memory");
			lane->variant = &course->variants[v];
			lane->index = w;
			lane->peers = course->peers;
			lane->links_wanted = links_of(course);
			course->lanes[w][v] = lane;
			if (!*lane->variant->fault)
				lane_open(lane, course->workload);
		}
}

static void workers_run(struct course *course)
{
	struct worker workers[WORKERS_MAX];

	pthread_barrier_init(&course->barrier, NULL, course->workers);
	for (uint32_t i = 0; i < course->workers; i++) {
		workers[i] = (struct worker){.course = course, .index = i};
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			DIE("no thread");
	}
	for (uint32_t i = 0; i < course->workers; i++)
		pthread_join(workers[i].thread, NULL);
}

static void variant_print(struct course *course, uint32_t v)
{
	const struct variant *variant = &course->variants[v];
	struct series series = {.section = "traffic",
				.workload = course->workload->name,
				.variant = variant->name,
				.rules = course->rules,
				.peers = course->peers,
				.cpus = course->workers,
				.unit = "ns",
				.passed = variant->passed,
				.refused = variant->refused,
				.wrong = variant->wrong};
	double *samples = course->lanes[0][v]->samples;

	if (*variant->fault) {
		gap_print(&series, variant->fault);
		return;
	}
	for (uint32_t i = 0; course->workers == 2 && i < course->slices; i++)
		samples[i] = (samples[i] + course->lanes[1][v]->samples[i]) / 2;
	series_print(&series, samples, course->slices);
}

/* Two-way UDP flows of all peers, from as many ports of theirs as it takes. */
int bench_fill(char **words)
{
	struct workload workload = *workload_find("answered");
	struct variant variant;
	uint32_t count = (uint32_t)atoi(words[0]), done = 0;

	variant_read(words[1], &variant);
	for (; done < count; workload.port++) {
		struct lane lane = {.variant = &variant, .peers = PEERS_MAX};
		uint32_t part = count - done < PEERS_MAX ? count - done : PEERS_MAX;

		if (!lane_open(&lane, &workload) || workload.run(&lane, part) != part)
			DIE("%u of %u flows: %s", done, count, variant.fault);
		lane_close(&lane);
		done += part;
	}
	return 0;
}

static uint32_t number(const char *text, uint32_t least, uint32_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value < least || value > most)
		DIE("%s is not a number from %u to %u", text, least, most);
	return (uint32_t)value;
}

/* Two descriptors for each connection, in each variant. */
static void descriptors_allow(void)
{
	struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};

	if (setrlimit(RLIMIT_NOFILE, &limit) && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int bench_traffic(int words_count, char **words)
{
	static struct course course;

	if (words_count < 6 || words_count > 5 + VARIANTS_MAX)
		DIE("traffic WORKLOAD RULES PEERS CPUS SLICES VARIANT..., 1 to %d variants",
		    VARIANTS_MAX);
	course.workload = workload_find(words[0]);
	if (!course.workload)
		DIE("no workload %s", words[0]);
	course.rules = number(words[1], 1, UINT32_MAX);
	course.peers = number(words[2], 1, PEERS_MAX);
	course.workers = number(words[3], 1, WORKERS_MAX);
	course.slices = number(words[4], 1, SLICES_MAX);
	course.variant_count = (uint32_t)words_count - 5;
	if (cpu_nth(course.workers - 1) < 0)
		DIE("this process may not use %u CPUs", course.workers);
	for (uint32_t i = 0; i < course.variant_count; i++)
		variant_read(words[5 + i], &course.variants[i]);
	descriptors_allow();
	order_make(&course);
	lanes_open(&course);
	workers_run(&course);
	for (uint32_t i = 0; i < course.variant_count; i++)
		variant_print(&course, i);
	printf("machine\tclock\t%s\n", course.clock);
	return 0;
}
