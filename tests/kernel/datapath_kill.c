/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An apply that is killed at any instant leaves the old policy or the new one, whole, and nothing
 * in the way of the next command.
 */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include "../thin.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 20 };

static const char *const one[] = {"interface va0", NULL};
static const char *const two[] = {"interface va0", "interface va1", NULL};

LAB_SUITE(datapath_kill);

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Odd steps attach one device, even ones two, with images of different sizes. */
static struct image_spec plan_of(int step)
{
	return (struct image_spec){.policy = "one",
				   .enforce = true,
				   .tcp_port = 443,
				   .pad_lines = step % 4 < 2 ? 0 : 100000};
}

static pid_t apply_in_child(int step)
{
	pid_t pid = fork();

	if (!pid) {
		struct image_spec plan = plan_of(step);
		struct apply_result result;
		char messages[512];

		_exit(lab_apply(&lab, &plan, step % 2 ? one : two, &result, messages) != 0);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

/* An intact policy is not reported as broken. */
static void check_told(const char *when)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct instance_document document;
	struct instance instance;
	struct hook_facts facts;

	cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0, "%s", when);
	cr_assert_eq(instance_hooks(&instance, &lab.host, arena, &d, &facts), 0, "%s", when);
	for (size_t i = 0; i < facts.count; i++)
		cr_expect_null(facts.list[i].fault, "%s: %s %s: %s", when,
			       facts.list[i].record->name, facts.list[i].hook, facts.list[i].fault);
	cr_assert_eq(instance_document(&instance, &d, &document), 0, "%s", when);
	cr_expect_str_eq(document.source->text, "policy one, port 443", "%s", when);
	instance_close(&instance);
	arena_free(arena);
}

/* Packets meet the policy that the records in force name. */
static void check_whole(const char *when)
{
	struct running running = {0};
	struct records hooks;
	bool second;

	cr_assert_eq(running_find(lab.root, "one", &running), 0);
	cr_assert_gt(running.generation, 0, "%s: nothing is in force", when);
	cr_assert_eq(records_open(running.pins, "hooks", running.generation, &hooks), 0);
	second = hooks.count == 3; /* va0, va1, local sockets */
	records_unmap(&hooks);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "%s: va0 passes", when);
	cr_expect_eq(lab_udp_out(&lab, 1, 5000), !second, "%s: va1 %s", when,
		     second ? "passes" : "drops");
	check_told(when);
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
	struct image_spec plan = plan_of(1);
	char dir[96];

	kill_and_check((int)thin(KILLS), false);
	lab_applied(&lab, &plan, one);
	check_whole("at the end");
	cr_expect_eq(lab_programs(0, true, NULL), 1);
	cr_expect_eq(lab_programs(1, true, NULL), 0);
	snprintf(dir, sizeof(dir), "%s/one", lab.root);
	cr_expect_eq(lab_pins(dir), 4, "three links and one epoch");
	lab_detached(&lab);
	cr_expect_neq(access(lab.root, F_OK), 0);
	cr_expect_eq(lab_programs(0, true, NULL), 0);
}

Test(datapath_kill, leaves_no_filter_where_the_kernel_has_no_tcx, .timeout = 300)
{
	kill_and_check((int)thin(KILLS / 4), true);
	lab_detached(&lab);
	cr_expect_eq(system("test -z \"$(for d in va0 va1; do tc filter show dev $d ingress; "
			    "tc filter show dev $d egress; done)\""),
		     0);
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
		cr_expect_eq(lab_programs(0, true, NULL), 0);
	}
}

/* ---------------------------------------------------------------- at each step */

/* The newer architectures have the calls with a directory alone. */
static bool changes_directory(uint64_t nr)
{
#ifdef SYS_unlink
	if (nr == SYS_unlink || nr == SYS_rmdir || nr == SYS_mkdir)
		return true;
#endif
	return nr == SYS_unlinkat || nr == SYS_mkdirat;
}

/* Calls that change attachments, pins or the policy in force; of the many pins every fourth. */
static bool is_step(const struct __ptrace_syscall_info *call, unsigned *pins)
{
	if (changes_directory(call->entry.nr))
		return true;
	if (call->entry.nr != SYS_bpf)
		return false;
	switch (call->entry.args[0]) {
	case BPF_OBJ_PIN:
		return (*pins)++ % 4 == 0;
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return true;
	default:
		return false;
	}
}

/* Runs an apply, which waits before each of its steps for `on_step`, where there is one, and kills
 * it before its step number `at`, 0: never. Number of steps that it had done. */
static unsigned apply_until(const struct image_spec *plan, const char *const *points, unsigned at,
			    void (*on_step)(unsigned step))
{
	struct __ptrace_syscall_info call;
	unsigned steps = 0, pins = 0;
	struct apply_result result;
	char messages[512];
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(lab_apply(&lab, plan, points, &result, messages) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) || waitpid(pid, &status, 0) < 0)
			break;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			break;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		memset(&call, 0, sizeof(call));
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(call), &call);
		if (call.op != PTRACE_SYSCALL_INFO_ENTRY || !is_step(&call, &pins))
			continue;
		if (++steps == at)
			kill(pid, SIGKILL);
		else if (on_step)
			on_step(steps);
	}
	return steps;
}

/* The policy in force takes the next generation at every hook, so no hook has other programs. */
static void check_flips(unsigned step)
{
	struct image_spec open = plan_of(1);
	struct running running = {0};
	struct apply_result result;
	struct records hooks;
	bool second;

	cr_assert_eq(running_find(lab.root, "one", &running), 0);
	cr_assert_eq(records_open(running.pins, "hooks", running.generation, &hooks), 0);
	second = hooks.count == 3; /* va0, va1, local sockets */
	records_unmap(&hooks);
	open.allow[FR_EGRESS] = open.allow[FR_INGRESS] = true;
	result = lab_applied(&lab, &open, second ? two : one);
	cr_expect_eq(result.hooks_added + result.hooks_removed, 0, "step %u", step);
	cr_expect(lab_udp_out(&lab, 0, 5000), "step %u: va0 did not take the flip", step);
}

Test(datapath_kill, before_each_of_its_steps_it_leaves_one_policy_whole, .timeout = 600)
{
	struct image_spec before = plan_of(1), after = plan_of(0);
	unsigned steps, old = 0, new = 0;

	lab_applied(&lab, &before, one);
	steps = apply_until(&after, two, 0, NULL);
	cr_assert_gt(steps, 20);
	for (unsigned at = 1; at <= steps; at += thin_by()) {
		struct running start = {0}, now = {0};
		char when[32];

		lab_applied(&lab, &before, one);
		running_find(lab.root, "one", &start);
		apply_until(&after, two, at, NULL);
		running_find(lab.root, "one", &now);
		now.generation == start.generation ? old++ : new ++;
		snprintf(when, sizeof(when), "step %u of %u", at, steps);
		check_whole(when);
		check_flips(at);
	}
	cr_expect_gt(old, thin(10));
	cr_expect_geq(new, 4 / thin_by());
}

/* ---------------------------------------------------------------- one generation at a time */

static void check_step(unsigned step)
{
	char when[32];

	snprintf(when, sizeof(when), "before step %u", step);
	check_whole(when);
}

/* A joining hook is attached before the flip and judges nothing until then; a leaving one is
 * detached after it and judges nothing from then on. */
Test(datapath_kill, hooks_join_and_leave_at_the_flip, .timeout = 300)
{
	struct image_spec first = plan_of(1), joined = plan_of(0);

	lab_applied(&lab, &first, one);
	cr_expect_gt(apply_until(&joined, two, 0, check_step), 20);
	cr_expect(!lab_udp_out(&lab, 1, 5000));
	cr_expect_gt(apply_until(&first, one, 0, check_step), 20);
	cr_expect(lab_udp_out(&lab, 1, 5000));
}
