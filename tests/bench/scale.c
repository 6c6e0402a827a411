/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cost of a policy file from its text to an image in force, phase by phase: its rules,
 * compilation, the copy into the kernel and the flip; and libyaml alone, which is a part of the
 * first. The files come from scripts/bench-scale. Wall time, since all processors read a large
 * text, and processor time beside it, which a busy machine stretches less.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

#include "../../user/objects/objects.h"
#include "bench.h"

enum { RUNS = 5 };

enum phase { PHASE_LIBYAML, PHASE_RULES, PHASE_COMPILE, PHASE_COPY, PHASE_FLIP, PHASES };
static const char *const phase_names[PHASES] = {"(libyaml)", "rules", "compile", "copy", "flip"};

struct run {
	double wall[PHASES], cpu[PHASES]; /* ms */
	uint32_t rules, lines;
};

struct stopwatch {
	double wall, cpu;
};

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void watch_lap(struct stopwatch *watch, struct run *run, enum phase phase)
{
	double wall = clock_ns(), cpu = cpu_ns();

	run->wall[phase] = (wall - watch->wall) / 1e6;
	run->cpu[phase] = (cpu - watch->cpu) / 1e6;
	*watch = (struct stopwatch){clock_ns(), cpu_ns()};
}

/* The library's own share: read every event of the text and discard it. */
static void drain_libyaml(const char *path)
{
	FILE *file CLEANUP(close_file) = fopen(path, "re");
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true;

	if (!file || !yaml_parser_initialize(&parser))
		DIE("cannot read %s", path);
	yaml_parser_set_input_file(&parser, file);
	while (more) {
		if (!yaml_parser_parse(&parser, &event))
			DIE("%s is not YAML", path);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

/* An outer map of our own: the cost of the store that puts an image in force. */
static int outer_map(uint32_t lines)
{
	int inner CLEANUP(close_fd) = image_map_create(lines);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)inner);
	int outer = inner < 0 ? inner
			      : bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "bench_outer", 4, 4, 1,
					       &options);

	if (outer < 0)
		DIE("no map of images: %s", strerror(-outer));
	return outer;
}

static void install(const struct image *image, struct diags *d, struct stopwatch *watch,
		    struct run *run)
{
	struct install order = {
		.image = image, .class_lines = image_class(image->line_count), .generation = 1};
	int outer CLEANUP(close_fd) = outer_map(order.class_lines);
	int inner CLEANUP(close_fd) = -1;
	uint32_t zero = 0;

	*watch = (struct stopwatch){clock_ns(), cpu_ns()};
	inner = image_install(&order, d);
	if (inner < 0)
		DIE("the kernel does not take the image: %s", strerror(-inner));
	watch_lap(watch, run, PHASE_COPY);
	if (bpf_map_update_elem(outer, &zero, &inner, BPF_ANY))
		DIE("the flip fails: %s", strerror(errno));
	watch_lap(watch, run, PHASE_FLIP);
}

static void measure(const char *path, struct run *run)
{
	const struct policy_options options = {.tables_dir = "policies/tables"};
	struct arena *arena CLEANUP(arena_drop) = arena_new();
	struct diags d = {.arena = arena};
	struct stopwatch watch = {clock_ns(), cpu_ns()};
	struct image image = {0};
	struct ruleset *rs;

	drain_libyaml(path);
	watch_lap(&watch, run, PHASE_LIBYAML);
	if (policy_load(path, &options, &d, &rs))
		DIE("%s: %s", path, d.count ? d.list[0].message : "is refused");
	watch_lap(&watch, run, PHASE_RULES);
	if (image_compile(rs, &d, &image))
		DIE("%s does not compile: %s", path, d.list[0].message);
	watch_lap(&watch, run, PHASE_COMPILE);
	run->rules = (uint32_t)rs->rule_count;
	run->lines = image.line_count;
	if (!geteuid())
		install(&image, &d, &watch, run);
	image_free(&image);
}

static double median_of(const struct run *runs, enum phase phase, bool cpu)
{
	double samples[RUNS];

	for (int i = 0; i < RUNS; i++)
		samples[i] = cpu ? runs[i].cpu[phase] : runs[i].wall[phase];
	return spread_of(samples, RUNS).median;
}

static void report(const char *path, struct run *runs)
{
	const char *slash = strrchr(path, '/');
	double total = 0, total_cpu = 0;

	printf("%-20s %7u", slash ? slash + 1 : path, runs[0].rules);
	for (int phase = 0; phase < PHASES; phase++) {
		double wall = median_of(runs, phase, false);

		total += phase == PHASE_LIBYAML ? 0 : wall;
		total_cpu += phase == PHASE_LIBYAML ? 0 : median_of(runs, phase, true);
		printf(" %9.1f", wall);
	}
	printf(" %8.1f %8.1f %8.2f\n", total, total_cpu,
	       runs[0].lines * (double)FR_LINE_BYTES / 1e6);
}

/* Each file in a process of its own: no heap that an earlier one has warmed up. */
int bench_scale(int count, char **paths)
{
	printf("\nfrom text to active: ms of wall time, then of processor time; medians of %d\n",
	       RUNS);
	printf("%-20s %7s", "policy", "rules");
	for (int phase = 0; phase < PHASES; phase++)
		printf(" %9s", phase_names[phase]);
	printf(" %8s %8s %8s\n", "all", "cpu", "MB");
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		struct run runs[RUNS] = {0};
		pid_t child = fork();

		if (child < 0)
			DIE("cannot fork");
		if (!child) {
			for (int run = 0; run < RUNS; run++)
				measure(paths[i], &runs[run]);
			report(paths[i], runs);
			exit(0);
		}
		if (waitpid(child, &(int){0}, 0) < 0)
			DIE("a measurement is lost");
	}
	return 0;
}

static void run_silent(char **words)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	execvp(words[0], words);
	DIE("cannot run %s: %s", words[0], strerror(errno));
}

struct cost {
	double wall, cpu, memory; /* ms, ms, MB */
};

static struct cost command_run(char **words)
{
	double start = clock_ns();
	pid_t child = fork();
	struct rusage usage;
	int status;

	if (!child)
		run_silent(words);
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status)
		DIE("%s fails", words[0]);
	return (struct cost){
		.wall = (clock_ns() - start) / 1e6,
		.cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
		       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3,
		.memory = usage.ru_maxrss / 1024.0,
	};
}

int bench_command(char **words)
{
	struct cost cost = command_run(words);
	const char *last;

	while (words[1])
		words++;
	last = strrchr(*words, '/');
	printf("%-20s %8.1f ms, %7.1f ms of processor time, %6.1f MB\n", last ? last + 1 : *words,
	       cost.wall, cost.cpu, cost.memory);
	fflush(stdout);
	return 0;
}

int bench_cost(char **words)
{
	struct cost cost = command_run(words);

	printf("%.2f %.2f %.2f\n", cost.wall, cost.cpu, cost.memory);
	return 0;
}
