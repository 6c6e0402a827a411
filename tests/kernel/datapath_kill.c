/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An apply that is killed at any instant leaves the old policy or the new one, whole, and nothing in the way
 * of the next command.
 */
#include "datapath_lab.h"

#include "../../user/datapath/internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 60 };

static const char *const one[] = {"interface va0", NULL};
static const char *const two[] = {"interface va0", "interface va1", NULL};

static struct lab lab;

static void begin(void)
{
	need_root();
	lab_begin(&lab);
}

static void end(void)
{
	if (lab.root[0])
		lab_end(&lab);
}

TestSuite(datapath_kill, .init = begin, .fini = end);

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Odd steps attach one device, even ones two, with images of different sizes. */
static struct plan plan_of(int step)
{
	return (struct plan){.policy = "one", .enforce = true, .tcp_port = 443,
			     .pad_lines = step % 4 < 2 ? 0 : 100000};
}

static pid_t apply_in_child(int step)
{
	pid_t pid = fork();

	if (!pid) {
		struct plan plan = plan_of(step);
		struct apply_result result;
		char said[512];

		_exit(lab_apply(&lab, &plan, step % 2 ? one : two, &result, said) ? 1 : 0);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

/* What the records in force say is what packets meet. */
static void check_whole(const char *when)
{
	struct running running = {0};
	struct records hooks;
	bool second;

	cr_assert_eq(running_find(lab.root, "one", &running), 0);
	cr_assert_gt(running.generation, 0, "%s: nothing is in force", when);
	cr_assert_eq(records_open(running.pins, "hooks", running.generation, &hooks), 0);
	second = hooks.count == 2;
	records_unmap(&hooks);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "%s: va0 passes", when);
	cr_expect_eq(lab_udp_out(&lab, 1, 5000), !second, "%s: va1 %s", when,
		     second ? "passes" : "drops");
}

static void kill_and_check(int kills, bool no_tcx)
{
	uint64_t start = now_us(), length;
	unsigned old = 0;

	lab.host.no_tcx = no_tcx;
	cr_assert_eq(waitpid(apply_in_child(1), NULL, 0) > 0, true);
	length = now_us() - start;
	srandom(4711);
	for (int step = 2; step < kills + 2; step++) {
		struct running before = {0}, after = {0};
		pid_t pid;
		int status;
		char when[64];

		running_find(lab.root, "one", &before);
		pid = apply_in_child(step);
		usleep((useconds_t)((uint64_t)random() % (length * 2)));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		snprintf(when, sizeof(when), "step %d, %s", step,
			 WIFSIGNALED(status) ? "killed" : "ended");
		check_whole(when);
		running_find(lab.root, "one", &after);
		old += WIFSIGNALED(status) && before.generation == after.generation;
	}
	cr_expect_gt(old, 0, "no kill came in time: the test proves nothing");
}

Test(datapath_kill, leaves_the_old_policy_or_the_new_one, .timeout = 300)
{
	struct plan plan = plan_of(1);
	char dir[96];

	kill_and_check(KILLS, false);
	lab_applied(&lab, &plan, one);
	check_whole("at the end");
	cr_expect_eq(lab_tcx_programs(0, true, NULL), 1);
	cr_expect_eq(lab_tcx_programs(1, true, NULL), 0);
	snprintf(dir, sizeof(dir), "%s/one", lab.root);
	cr_expect_eq(lab_pins(dir), 3, "two links and one epoch");
	lab_detached(&lab);
	cr_expect_neq(access(lab.root, F_OK), 0);
	cr_expect_eq(lab_tcx_programs(0, true, NULL), 0);
}

Test(datapath_kill, leaves_no_filter_where_the_kernel_has_no_tcx, .timeout = 300)
{
	kill_and_check(KILLS / 4, true);
	lab_detached(&lab);
	cr_expect_eq(system("test -z \"$(for d in va0 va1; do tc filter show dev $d ingress; "
			    "tc filter show dev $d egress; done)\""), 0);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}

Test(datapath_kill, a_killed_first_apply_is_no_policy, .timeout = 120)
{
	for (int step = 0; step < 8; step++) {
		pid_t pid = apply_in_child(0);
		struct running running = {0};

		usleep((useconds_t)(random() % 300000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (running_find(lab.root, "one", &running) || !running.generation)
			cr_expect(lab_udp_out(&lab, 0, 5000), "nothing is in force, but it drops");
		else
			cr_expect(!lab_udp_out(&lab, 0, 5000));
		lab_detached(&lab);
		cr_expect_eq(lab_tcx_programs(0, true, NULL), 0);
	}
}
