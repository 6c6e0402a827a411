/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark: the cost of a packet, of a compilation and of a whole policy on this machine, in
 * parts that scripts/bench and scripts/bench-scale select.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench.h"

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

double clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static int sample_order(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

struct spread spread_of(double *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), sample_order);
	return (struct spread){samples[count / 4], samples[count / 2], samples[count * 3 / 4]};
}

/* The first line of a file that holds `key`, after its colon; "?" when there is none. */
static void print_line(const char *label, const char *path, const char *key)
{
	FILE *file CLEANUP(close_file) = fopen(path, "re");
	char line[512], *text = "?\n";

	while (file && fgets(line, sizeof(line), file)) {
		if (!strstr(line, key))
			continue;
		text = *key && strchr(line, ':') ? strchr(line, ':') + 2 : line;
		break;
	}
	printf("%-13s %s", label, text);
}

static void print_machine(void)
{
	struct utsname host;

	uname(&host);
	printf("%-13s %s %s\n", "kernel", host.release, host.machine);
	print_line("cpu", "/proc/cpuinfo", "model name");
	print_line("load", "/proc/loadavg", "");
	print_line("spectre_v2", "/sys/devices/system/cpu/vulnerabilities/spectre_v2", "");
	print_line("retbleed", "/sys/devices/system/cpu/vulnerabilities/retbleed", "");
	print_line("srso", "/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow", "");
}

/* A name, its owner, numbers, verdicts, samples: the fields of figures.py. */
static void series_head(const char *kind, const struct series *s)
{
	printf("%s\t%s\t%s\t%s\t%u\t%u\t%u\t", kind, s->section, s->workload, s->variant, s->rules,
	       s->peers, s->cpus);
}

void series_print(const struct series *s, const double *samples, size_t count)
{
	series_head("series", s);
	printf("%s\t%llu\t%llu\t%llu\t", s->unit, (unsigned long long)s->passed,
	       (unsigned long long)s->refused, (unsigned long long)s->wrong);
	for (size_t i = 0; i < count; i++)
		printf(i ? ",%.1f" : "%.1f", samples[i]);
	printf("\n");
}

void gap_print(const struct series *s, const char *reason)
{
	series_head("gap", s);
	printf("%s\n", reason);
}

static int machine(void)
{
	print_machine();
	return 0;
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(part, "machine"))
		return machine();
	if (argc == 2 && !strcmp(part, "compile"))
		return bench_compile();
	if (argc == 2 && !strcmp(part, "serve"))
		return bench_serve();
	if (argc > 4 && !strcmp(part, "hooks"))
		return bench_hooks(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(part, "traffic"))
		return bench_traffic(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(part, "fill"))
		return bench_fill(argv + 2);
	if (argc > 2 && !strcmp(part, "scale"))
		return bench_scale(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(part, "command"))
		return bench_command(argv + 2);
	if (argc > 2 && !strcmp(part, "cost"))
		return bench_cost(argv + 2);
	DIE("usage: bench machine | compile | hooks ROUNDS RULES BINARY… | traffic … | fill COUNT VARIANT |"
	    " scale FILE… | command WORD… | cost WORD…");
}
