/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hosts that lack something: hidden from the test's process by a mount namespace, or refused by a
 * filter of system calls. Whether programs load there, and the doctor's report.
 */
#include "datapath_lab.h"

#include "../../user/doctor/doctor.h"

#include "../testbench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In a mount namespace of this test's own process. */
static void hide(const char *dir)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0, "%s", strerror(errno));
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("none", dir, "tmpfs", 0, NULL), 0, "%s", strerror(errno));
}

static struct doctor_report examine(const struct host_options *options)
{
	static const struct host_options nothing_said;
	struct doctor_report report;

	/* Freed when the process ends. */
	host_probe(options ? options : &nothing_said, arena_new(), &report);
	return report;
}

static const struct feature *feature_of(const struct doctor_report *report, const char *name)
{
	for (size_t i = 0; i < report->feature_count; i++)
		if (str_equal(report->features[i].name, name))
			return &report->features[i];
	cr_assert_fail("no feature %s", name);
	return NULL;
}

static const struct bypass *bypass_of(const struct doctor_report *report, const char *name)
{
	for (size_t i = 0; i < report->bypass_count; i++)
		if (str_equal(report->bypasses[i].name, name))
			return &report->bypasses[i];
	cr_assert_fail("no bypass %s", name);
	return NULL;
}

static void expect(const struct doctor_report *report, const char *name, enum host_answer answer)
{
	const struct feature *feature = feature_of(report, name);

	cr_assert_eq(feature->answer, answer, "%s: %d (%s)", name, feature->answer,
		     feature->found ? feature->found : "");
}

static void expect_can(const struct doctor_report *report, enum host_answer devices,
		       enum host_answer cgroups)
{
	cr_assert_eq(report->can[FR_KIND_INTERFACE], devices);
	cr_assert_eq(report->can[FR_KIND_GUEST], devices);
	cr_assert_eq(report->can[FR_KIND_CGROUP], cgroups);
}

static const struct program_fact *program_of(const struct doctor_report *report, const char *name)
{
	for (size_t i = 0; i < report->program_count; i++)
		if (str_equal(report->programs[i].name, name))
			return &report->programs[i];
	cr_assert_fail("no program %s", name);
	return NULL;
}

/* lesson: half of the user reports about eBPF firewalls are that nothing loads on their kernel,
 * because of a detail that they never asked for. */
Test(datapath_probe, programs_load_where_the_kernel_has_no_btf)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct bench *bench = NULL;
	int err;

	need_root();
	hide("/sys/kernel/btf");
	err = bench_open(&d, &bench);
	cr_assert_eq(err, 0, "%s", d.count ? d.list[0].message : "no word");
	bench_close(bench);
	arena_free(arena);
}

/* The doctor names the missing feature, and that enforcement does not need it. */
Test(datapath_probe, without_btf_only_the_parent_process_is_missing)
{
	struct doctor_report report;
	const struct program_fact *fact;

	need_root();
	hide("/sys/kernel/btf");
	report = examine(NULL);
	expect(&report, "kernel-btf", ANSWER_NO);
	fact = program_of(&report, "fr_sock_create");
	cr_assert_eq(fact->answer, ANSWER_YES);
	cr_assert(fact->optional);
	fact = program_of(&report, "fr_if_ingress");
	cr_assert_eq(fact->answer, ANSWER_YES);
	cr_assert_gt(fact->verified, fact->instructions);
	cr_assert_gt(fact->instructions, 1000);
	cr_assert_eq(report.can[FR_KIND_INTERFACE], ANSWER_YES);
}

/* A kernel without links: the answers about TCX, and links of cgroups, where there are none. */
Test(datapath_probe, without_links_only_interfaces_are_left)
{
	struct doctor_report report;

	need_root();
	refuse_bpf(BPF_LINK_CREATE, EINVAL);
	report = examine(NULL);
	expect(&report, "tcx-link", ANSWER_NO);
	cr_assert_str_eq(feature_of(&report, "tcx-link")->found, "Invalid argument");
	expect(&report, "clsact", ANSWER_YES);
	expect(&report, "cgroup-packets", ANSWER_NO);
	expect(&report, "cgroup-connect", ANSWER_NO);
	expect(&report, "cgroup-sendmsg", ANSWER_NO);
	expect(&report, "cgroup-sock-create", ANSWER_NO);
	cr_assert_not(report.tcx);
	expect_can(&report, ANSWER_YES, ANSWER_NO);
}

Test(datapath_probe, without_programs_no_feature_that_needs_one_is_claimed)
{
	struct doctor_report report;

	need_root();
	refuse_bpf(BPF_PROG_LOAD, EINVAL);
	report = examine(NULL);
	expect(&report, "bpf", ANSWER_YES);
	expect(&report, "lru-hash", ANSWER_YES);
	expect(&report, "fib-lookup", ANSWER_NO);
	expect(&report, "jit", ANSWER_NO);
	expect(&report, "tcx-link", ANSWER_NO);
	expect(&report, "clsact", ANSWER_NO);
	for (size_t i = 0; i < report.program_count; i++)
		cr_assert_eq(report.programs[i].answer, ANSWER_NO, "%s", report.programs[i].name);
	expect_can(&report, ANSWER_NO, ANSWER_NO);
}

Test(datapath_probe, without_the_bpf_call_nothing_is_claimed)
{
	struct doctor_report report;

	need_root();
	refuse_bpf(EVERY_COMMAND, ENOSYS);
	report = examine(NULL);
	expect(&report, "privilege", ANSWER_YES);
	expect(&report, "bpf", ANSWER_NO);
	cr_assert_str_eq(feature_of(&report, "bpf")->found, strerror(ENOSYS));
	expect(&report, "memory-accounting", ANSWER_NO);
	expect_can(&report, ANSWER_NO, ANSWER_NO);
}

/* Old kernels charge maps to RLIMIT_MEMLOCK and call its end EPERM. */
Test(datapath_probe, a_map_refused_to_root_is_told)
{
	struct doctor_report report;

	need_root();
	refuse_bpf(BPF_MAP_CREATE, EPERM);
	report = examine(NULL);
	expect(&report, "bpf", ANSWER_NO);
	expect(&report, "ringbuf", ANSWER_NO);
	expect(&report, "sk-storage", ANSWER_NO);
	expect_can(&report, ANSWER_NO, ANSWER_NO);
}

/* ---------------------------------------------------------------- on a host that has it all */

static int foreign_program(enum bpf_prog_type type, enum bpf_attach_type expected)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected);
	int fd = bpf_prog_load(type, "stranger", "GPL", code, ARRAY_SIZE(code), &options);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	return fd;
}

static void attach_xdp(unsigned ifindex)
{
	int fd = foreign_program(BPF_PROG_TYPE_XDP, 0);

	cr_assert_eq(bpf_xdp_attach((int)ifindex, fd, XDP_FLAGS_SKB_MODE, NULL), 0);
}

static unsigned device_index(const char *name)
{
	struct arena *arena = arena_new();
	struct diags d = {.arena = arena};
	struct interface *list;
	unsigned index = 0;
	size_t count;

	cr_assert_eq(host_interfaces(arena, &d, &list, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (str_equal(list[i].name, name))
			index = list[i].ifindex;
	arena_free(arena);
	return index;
}

/* A foreign program first on TCX of va0; without TCX the test ends with a message. */
static void stand_before(const struct lab *lab, uint32_t attach_type)
{
	int link = tcx_link_create(foreign_program(BPF_PROG_TYPE_SCHED_CLS, 0), device_index("va0"),
				   attach_type);

	if (link == -EINVAL) {
		lab_detached(lab);
		lab_end((struct lab *)lab);
		cr_skip_test("this kernel has no TCX: NOT RUN");
	}
	cr_assert_geq(link, 0, "%s", strerror(-link));
}

/* lesson: a foreign program that comes first makes a firewall see nothing, and it still reports
 * enforcing. */
Test(datapath_probe, programs_before_ours_are_named)
{
	static const char *const points[] = {"interface va0", NULL};
	struct image_spec plan = {.policy = "doctored", .allow = {true, true}};
	struct doctor_report report;
	struct lab lab;

	need_root();
	lab_begin(&lab);
	lab_applied(&lab, &plan, points);
	report = examine(&lab.host);
	cr_assert_eq(bypass_of(&report, "neighbours-before")->answer, ANSWER_NO);
	cr_assert_eq(bypass_of(&report, "xdp")->answer, ANSWER_NO);
	expect_can(&report, ANSWER_YES, report.can[FR_KIND_CGROUP]);
	stand_before(&lab, ATTACH_TCX_INGRESS);
	attach_xdp(device_index("va1"));
	report = examine(&lab.host);
	cr_assert_eq(bypass_of(&report, "neighbours-before")->answer, ANSWER_YES);
	cr_assert_not_null(strstr(bypass_of(&report, "neighbours-before")->found,
				  "va0 tcx/ingress of policy doctored: program stranger"),
			   "%s", bypass_of(&report, "neighbours-before")->found);
	cr_assert_eq(bypass_of(&report, "xdp")->answer, ANSWER_YES);
	cr_assert_not_null(strstr(bypass_of(&report, "xdp")->found, "va1: program stranger"), "%s",
			   bypass_of(&report, "xdp")->found);
	/* Nothing of the trials is left where they were made. */
	cr_assert_eq(lab_programs(0, false, NULL), 2);
	cr_assert_eq(lab_programs(1, false, NULL), 0);
	lab_detached(&lab);
	lab_end(&lab);
}

/* Filters run after every TCX program, whatever their priority. */
Test(datapath_probe, tcx_stands_before_our_filters)
{
	static const char *const points[] = {"interface va0", NULL};
	struct image_spec plan = {.policy = "doctored", .allow = {true, true}};
	struct doctor_report report;
	struct lab lab;

	need_root();
	lab_begin(&lab);
	lab.host.no_tcx = true;
	lab_applied(&lab, &plan, points);
	stand_before(&lab, ATTACH_TCX_EGRESS);
	report = examine(&lab.host);
	cr_assert_eq(bypass_of(&report, "neighbours-before")->answer, ANSWER_YES);
	cr_assert_not_null(strstr(bypass_of(&report, "neighbours-before")->found,
				  "va0 clsact/egress of policy doctored: program stranger"),
			   "%s", bypass_of(&report, "neighbours-before")->found);
	cr_assert_null(strstr(bypass_of(&report, "neighbours-before")->found, "clsact/ingress"));
	lab_detached(&lab);
	lab_end(&lab);
}

/* lesson: an old systemd attaches IPAddressDeny= to a cgroup for itself alone, and every other
 * program is refused with a bare EPERM. */
Test(datapath_probe, who_holds_the_cgroup_for_itself_is_named)
{
	struct doctor_report report;
	char trial[160];
	struct stat status;
	struct lab lab;
	int cgroup, program;

	need_root();
	lab_begin(&lab);
	lab_cgroup(&lab);
	cgroup = open(lab.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	program = foreign_program(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS);
	cr_assert_eq(bpf_prog_attach(program, cgroup, BPF_CGROUP_INET_EGRESS, 0), 0);
	lab.host.cgroup = lab.cgroup;
	report = examine(&lab.host);
	expect(&report, "cgroup-packets", ANSWER_NO);
	cr_assert_not_null(strstr(feature_of(&report, "cgroup-packets")->found, "stranger"));
	expect(&report, "cgroup-connect", ANSWER_YES);
	cr_assert_eq(report.can[FR_KIND_CGROUP], ANSWER_NO);
	cr_assert_eq(report.can[FR_KIND_INTERFACE], ANSWER_YES);
	/* The cgroup of the trial is gone. */
	snprintf(trial, sizeof(trial), "%s/flowreeve-doctor-%d", lab.cgroup, getpid());
	cr_assert_eq(stat(trial, &status), -1);
	bpf_prog_detach2(program, cgroup, BPF_CGROUP_INET_EGRESS);
	close(cgroup);
	lab_end(&lab);
}
