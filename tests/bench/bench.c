// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark: what a packet and a compilation cost on this machine. `bench` alone compiles and
 * runs the hooks; `bench udp …` sends real packets, as scripts/bench asks for. Says first what
 * machine it is.
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

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "udp"))
		return bench_udp(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(argv[1], "scale"))
		return bench_scale(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(argv[1], "command"))
		return bench_command(argv + 2);
	if (argc > 2)
		DIE("usage: bench [machine | compile | hooks | udp VARIANT… | scale FILE… |"
		    " command WORD…]");
	print_machine();
	if (argc < 2 || !strcmp(argv[1], "compile"))
		bench_compile();
	if (argc < 2 || !strcmp(argv[1], "hooks"))
		bench_hooks();
	return 0;
}
