/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processor time of one thread that is pinned to one CPU, softirqs that run in it included, and of
 * that CPU's ksoftirqd, which takes over when there are many. By the kernel's task clock, a
 * software event that virtual machines have too: it counts the softirqs also where the kernel keeps
 * interrupt time apart from the task's own. Where it cannot be had, by the thread's clock.
 */
#include <dirent.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

static int task_clock(pid_t pid)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK};

	return (int)syscall(__NR_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static bool is_named(const char *pid, const char *name)
{
	char path[300], comm[64] = "";
	FILE *file CLEANUP(close_file) = NULL;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	return file && fgets(comm, sizeof(comm), file) && !strncmp(comm, name, strlen(name)) &&
	       comm[strlen(name)] == '\n';
}

/* 0 where it is not visible, as in a container. */
static pid_t ksoftirqd_of(int cpu)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	char name[32];
	pid_t found = 0;

	snprintf(name, sizeof(name), "ksoftirqd/%d", cpu);
	while (proc && !found && (entry = readdir(proc)))
		if (atoi(entry->d_name) && is_named(entry->d_name, name))
			found = atoi(entry->d_name);
	if (proc)
		closedir(proc);
	return found;
}

int cpu_nth(unsigned nth)
{
	cpu_set_t may;

	if (sched_getaffinity(0, sizeof(may), &may))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && !nth--)
			return cpu;
	return -1;
}

void cpu_clock_open(struct cpu_clock *clock, int cpu)
{
	pid_t daemon = ksoftirqd_of(cpu);
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	if (sched_setaffinity(0, sizeof(only), &only))
		DIE("CPU %d cannot be used", cpu);
	clock->self = task_clock(0);
	clock->daemon = daemon ? task_clock(daemon) : -1;
}

const char *cpu_clock_name(const struct cpu_clock *clock)
{
	if (clock->self < 0)
		return "thread clock";
	return clock->daemon < 0 ? "task clock, without ksoftirqd" : "task clock";
}

static double event_ns(int fd)
{
	uint64_t ns = 0;

	return fd >= 0 && read(fd, &ns, sizeof(ns)) == sizeof(ns) ? (double)ns : 0;
}

double cpu_clock_ns(const struct cpu_clock *clock)
{
	struct timespec now;

	if (clock->self >= 0)
		return event_ns(clock->self) + event_ns(clock->daemon);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec + event_ns(clock->daemon);
}
