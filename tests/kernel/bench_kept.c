/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that outlive a test: see bench_kept.h. Nothing is pinned: descriptors go from process to
 * process, and all is gone with the runner however it ends.
 */
#include "bench_kept.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/options.h>
#include <errno.h>
#include <linux/bpf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEY_MAX = 64 };

static const char variable[] = "FLOWREEVE_TEST_BENCH";

/* ---------------------------------------------------------------- the runner */

static bool suite_takes(const char *suite)
{
	return str_starts(suite, "packets_") || str_equal(suite, "judges_kernel");
}

static bool any_takes(struct criterion_test_set *all)
{
	FOREACH_SET(struct criterion_suite_set * suite, all->suites)
	{
		if (!suite->tests || !suite_takes(suite->suite.name))
			continue;
		FOREACH_SET(struct criterion_test * test, suite->tests)
		if (!test->data->disabled)
			return true;
	}
	return false;
}

/* "PID FD…" for the tests. They share its maps: one test at a time. */
static void keep(const struct bench *bench)
{
	int fds[BENCH_LENT_MAX];
	size_t count = bench_lend(bench, fds);
	char text[32 + 12 * BENCH_LENT_MAX];
	int at = snprintf(text, sizeof(text), "%d", getpid());

	for (size_t i = 0; i < count; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, " %d", fds[i]);
	setenv(variable, text, 1);
	criterion_options.jobs = 1;
}

ReportHook(PRE_ALL)(struct criterion_test_set *all)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct bench *bench;

	/* If the kernel refuses them, each test that asks for them fails with its message. */
	if (!geteuid() && any_takes(all) && !bench_open(&d, &bench))
		keep(bench);
	arena_free(arena);
}

/* ---------------------------------------------------------------- the tests */

static int fd_taken(int runner, int fd)
{
	int taken = fd < 0 ? fd : (int)syscall(SYS_pidfd_getfd, runner, fd, 0);

	cr_assert(fd < 0 || taken >= 0, "the runner's descriptor %d: %s", fd, strerror(errno));
	return taken;
}

static size_t fds_taken(const char *text, int fds[BENCH_LENT_MAX])
{
	char *at;
	pid_t pid = (pid_t)strtol(text, &at, 10);
	int runner = (int)syscall(SYS_pidfd_open, pid, 0);
	size_t count = 0;

	cr_assert_geq(runner, 0, "the runner, %d: %s", pid, strerror(errno));
	for (; *at && count < BENCH_LENT_MAX; count++)
		fds[count] = fd_taken(runner, (int)strtol(at, &at, 10));
	close(runner);
	return count;
}

static void entries_delete(int fd)
{
	uint8_t key[KEY_MAX];

	while (!bpf_map_get_next_key(fd, NULL, key))
		cr_assert(!bpf_map_delete_elem(fd, key) || errno == ENOENT, "%s", strerror(errno));
}

static void entries_zero(int fd, const struct bpf_map_info *map, size_t cpus)
{
	void *zeroes = calloc(cpus, (map->value_size + 7) / 8 * 8);

	for (uint32_t i = 0; i < map->max_entries; i++)
		cr_assert_eq(bpf_map_update_elem(fd, &i, zeroes, BPF_ANY), 0);
	free(zeroes);
}

static void table_zero(int fd, const struct bpf_map_info *map)
{
	size_t size = (size_t)map->max_entries * map->value_size;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	cr_assert_neq(at, MAP_FAILED);
	memset(at, 0, size);
	munmap(at, size);
}

static int event_drop(void *context, void *data, size_t size)
{
	(void)context, (void)data, (void)size;
	return 0;
}

static void events_drop(int fd)
{
	struct ring_buffer *ring = ring_buffer__new(fd, event_drop, NULL, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
}

/* As a load leaves it. The state of a socket went with the socket. */
static void map_blank(int fd)
{
	struct bpf_map_info map = {0};
	uint32_t size = sizeof(map);

	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &map, &size), 0);
	switch (map.type) {
	case BPF_MAP_TYPE_ARRAY:
		if (map.map_flags & BPF_F_MMAPABLE)
			table_zero(fd, &map);
		else
			entries_zero(fd, &map, 1);
		break;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		entries_zero(fd, &map, (size_t)libbpf_num_possible_cpus());
		break;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		entries_delete(fd);
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		for (uint32_t i = 0; i < map.max_entries; i++)
			bpf_map_delete_elem(fd, &i);
		break;
	case BPF_MAP_TYPE_RINGBUF:
		events_drop(fd);
		break;
	case BPF_MAP_TYPE_SK_STORAGE:
		break;
	default:
		cr_assert_fail("map %s is of a type that nobody here blanks", map.name);
	}
}

const char *bench_kept_map(int number)
{
	if (number > MAP_COUNT)
		return NULL;
	return number == MAP_COUNT ? "fr_trace" : map_names[number];
}

int bench_kept(struct diags *d, struct bench **out)
{
	const char *text = getenv(variable);
	int fds[BENCH_LENT_MAX], err;

	if (!text)
		return bench_open(d, out);
	err = bench_borrow(fds, fds_taken(text, fds), d, out);
	for (int i = 0; !err && bench_kept_map(i); i++)
		if (strcmp(bench_kept_map(i), "fr_hashing")) /* the programs have it, too */
			map_blank(bench_map(*out, bench_kept_map(i)));
	return err;
}
