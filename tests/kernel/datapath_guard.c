/* SPDX-License-Identifier: GPL-2.0-only */
/* Requirements on the host and possible obstacles: privileges, namespaces, other programs. */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const va0[] = {"interface va0", NULL};
static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};

static struct diags d;

LAB_SUITE(datapath_guard, d.arena = arena_new());

/* An ordinary user with these capabilities and no others. */
static void become_nobody_with(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(capabilities >> 32 * i);
	/* Linux before 5.11 charges maps to it; only root may be over it. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534) || syscall(SYS_capset, &header, data))
		_exit(99);
}

/* The exit status of applying and detaching as such a user; the output goes to `messages`. */
static int apply_as_nobody(uint64_t capabilities, char messages[512])
{
	int ends[2], status;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		struct apply_result result;
		char text[512] = "";
		size_t count;
		int err;

		become_nobody_with(capabilities);
		err = lab_apply(&lab, &deny, va0, &result, text);
		if (!err)
			err = datapath_detach(&lab.host, "one", &d, &count);
		if (write(ends[1], text, sizeof(text)) < 0)
			_exit(98);
		_exit(-err);
	}
	cr_assert_gt(read(ends[0], messages, 512), 0);
	waitpid(pid, &status, 0);
	close(ends[0]);
	close(ends[1]);
	return WEXITSTATUS(status);
}

Test(datapath_guard, three_capabilities_are_enough)
{
	char messages[512], above[96];

	/* a directory of the user's own in the bpffs */
	snprintf(above, sizeof(above), "%s", lab.root);
	cr_assert_eq(mkdir(above, 0700), 0);
	cr_assert_eq(chown(above, 65534, 65534), 0);
	cr_assert_eq(chmod("/sys/fs/bpf", 0711), 0);
	cr_expect_eq(apply_as_nobody(1ull << CAP_BPF | 1ull << CAP_NET_ADMIN | 1ull << CAP_PERFMON,
				     messages),
		     0, "%s", messages);
	cr_assert_eq(chmod("/sys/fs/bpf", 0700), 0);
	rmdir(above);
}

Test(datapath_guard, a_missing_capability_is_named)
{
	char messages[512];

	cr_expect_eq(apply_as_nobody(1ull << CAP_BPF | 1ull << CAP_NET_ADMIN, messages), EPERM);
	cr_expect(strstr(messages, "lacks CAP_PERFMON"), "%s", messages);
	cr_expect_eq(apply_as_nobody(0, messages), EPERM);
	cr_expect(strstr(messages, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON"), "%s", messages);
}

Test(datapath_guard, a_pin_root_outside_of_bpffs_is_refused_with_the_command)
{
	struct lab elsewhere = lab;
	struct apply_result result;
	char messages[512];

	elsewhere.host.pin_root = "/tmp/frd-no-bpffs";
	cr_expect_eq(lab_apply(&elsewhere, &deny, va0, &result, messages), -ENOTSUP);
	cr_expect(strstr(messages, "is not in a bpffs"), "%s", messages);
	cr_expect(strstr(messages, "mount -t bpf"), "%s", messages);
}

/* The namespace has no other process: this one holds it open and that is all. */
static void detach_from_elsewhere(void)
{
	cr_assert_eq(setns(lab.there, CLONE_NEWNET), 0);
	lab_detached(&lab);
	cr_assert_eq(setns(lab.here, CLONE_NEWNET), 0);
	cr_expect(lab_udp_out(&lab, 0, 5000));
	cr_expect_neq(access(lab.root, F_OK), 0);
}

Test(datapath_guard, detach_works_from_another_namespace)
{
	lab_applied(&lab, &deny, va0);
	detach_from_elsewhere();
	lab.host.no_tcx = true;
	lab_applied(&lab, &deny, va0);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
	detach_from_elsewhere();
	cr_expect_eq(system("test -z \"$(tc filter show dev va0 ingress)\""), 0);
	cr_expect_eq(system("tc qdisc show dev va0 | grep -q clsact"), 0,
		     "qdiscs are never deleted");
}

/* A foreign program that passes every packet on. */
static int foreign_program(enum bpf_prog_type type, int result)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(type, "foreign", "GPL", pass, ARRAY_SIZE(pass), NULL);
}

Test(datapath_guard, other_filters_are_neither_removed_nor_in_the_way)
{
	CLEANUP(close_fd) int program = foreign_program(BPF_PROG_TYPE_SCHED_CLS, -1);
	struct apply_result result;
	char pin[96], command[256], messages[512];

	snprintf(pin, sizeof(pin), "/sys/fs/bpf/frd-foreign-%d", getpid());
	cr_assert_eq(bpf_obj_pin(program, pin), 0, "%m");
	/* of another protocol: nothing else can have this priority */
	snprintf(command, sizeof(command),
		 "tc qdisc add dev va0 clsact && tc filter add dev va0 ingress prio 1 protocol ip "
		 "bpf da object-pinned %s",
		 pin);
	cr_expect_eq(system(command), 0);
	unlink(pin);
	lab.host.no_tcx = true;
	cr_expect_eq(lab_apply(&lab, &deny, va0, &result, messages), 0, "%s", messages);
	cr_expect(strstr(messages, "runs before the policy at va0"), "%s", messages);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
	cr_expect_eq(system("tc filter show dev va0 ingress | grep -q 'pref 2 bpf'"), 0);
	lab_detached(&lab);
	cr_expect_eq(system("tc filter show dev va0 ingress | grep -q 'pref 1 bpf'"), 0);
	cr_expect_neq(system("tc filter show dev va0 ingress | grep -q 'pref 2 bpf'"), 0);
}

Test(datapath_guard, a_program_that_holds_the_cgroup_for_itself_is_named)
{
	CLEANUP(close_fd) int program = foreign_program(BPF_PROG_TYPE_CGROUP_SKB, 1);
	CLEANUP(close_fd) int cgroup = -1;
	struct apply_result result;
	char messages[512], point[64];
	const char *points[] = {point, NULL};

	lab_cgroup(&lab);
	snprintf(point, sizeof(point), "cgroup %s", strrchr(lab.cgroup, '/'));
	cgroup = open(lab.cgroup, O_RDONLY | O_DIRECTORY);
	cr_assert(program >= 0 && cgroup >= 0);
	cr_assert_eq(bpf_prog_attach(program, cgroup, BPF_CGROUP_INET_EGRESS, 0), 0);
	cr_expect_eq(lab_apply(&lab, &deny, points, &result, messages), -EBUSY);
	cr_expect(strstr(messages, "program foreign"), "%s", messages);
	cr_expect_neq(access(lab.root, F_OK), 0, "nothing is left of the attempt");
	cr_expect(lab_udp_out(&lab, 0, 5000));
}

Test(datapath_guard, two_commands_wait_for_each_other)
{
	struct apply_result result;
	pid_t pid[4];
	int status, failed = 0;

	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			struct image_spec plan = deny;
			char messages[512];

			plan.enforce = i % 2;
			_exit(lab_apply(&lab, &plan, va0, &result, messages) != 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		waitpid(pid[i], &status, 0);
		failed += status != 0;
	}
	cr_expect_eq(failed, 0);
	cr_expect_eq(lab_programs(0, true, NULL), 1);
}
