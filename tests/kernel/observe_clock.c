/* SPDX-License-Identifier: GPL-2.0-only */
/* The pair of clocks by which jiffies become times: for any reader, during any write. */
#include "datapath_lab.h"

#include "../../user/observe/observe.h"

#include <bpf/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { READINGS = 2000 };

static const char *const va0[] = {"interface va0", NULL};
static const struct image_spec audit = {.policy = "one", .tcp_port = 443};

static struct diags d;
static atomic_bool over;

LAB_SUITE(observe_clock, d.arena = arena_new());

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* A reader of events with a long pause: the value that it finally stores is old. */
static void *write_control(void *context)
{
	const struct instance *instance = context;
	struct fr_control old = {.refusals_until = 1};
	uint32_t zero = 0;

	while (!over)
		bpf_map_update_elem(instance->control, &zero, &old, BPF_ANY);
	return NULL;
}

/* lesson: users do not believe a status that is wrong during another write. */
Test(observe_clock, a_writer_of_the_lease_does_not_move_the_clock)
{
	struct instance instance;
	struct clock_pair first, pair;
	pthread_t writer;

	lab_applied(&lab, &audit, va0);
	cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0);
	cr_assert_eq(instance_clock(&instance, &first), 0);
	cr_assert_eq(pthread_create(&writer, NULL, write_control, &instance), 0);
	for (int i = 0; i < READINGS; i++) {
		uint64_t before = now_ns(CLOCK_BOOTTIME);

		cr_assert_eq(instance_clock(&instance, &pair), 0);
		cr_assert_geq(pair.boot_ns, before, "reading %d", i);
		cr_assert_leq(pair.boot_ns, now_ns(CLOCK_BOOTTIME), "reading %d", i);
		cr_assert_geq(pair.jiffies, first.jiffies, "reading %d", i);
		cr_assert_leq(apart(pair.real_ns, now_ns(CLOCK_REALTIME)), 60000000000ull);
	}
	over = true;
	pthread_join(writer, NULL);
	instance_close(&instance);
}

/* Only a reader of events requests them: reading the clock leaves the lease alone. */
Test(observe_clock, reading_the_clock_ends_no_lease)
{
	struct fr_control lease = {.refusals_until = ~0ull, .openings_until = 7}, after;
	struct instance instance;
	struct clock_pair pair;
	uint32_t zero = 0;

	lab_applied(&lab, &audit, va0);
	cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0);
	cr_assert_eq(bpf_map_update_elem(instance.control, &zero, &lease, BPF_ANY), 0);
	cr_assert_eq(instance_clock(&instance, &pair), 0);
	cr_assert_eq(bpf_map_lookup_elem(instance.control, &zero, &after), 0);
	cr_expect_eq(after.refusals_until, ~0ull);
	cr_expect_eq(after.openings_until, 7);
	instance_close(&instance);
}
