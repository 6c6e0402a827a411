/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TC programs that put packets into a guest past its hook: the scan finds each way to attach or
 * reach one, and only one that names a guest is a fault.
 */
#include "datapath_lab.h"

#include "../../user/doctor/doctor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include "../../user/observe/observe.h"

#include <linux/capability.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HELPER_REDIRECT_PEER = 155, HELPER_TAIL_CALL = 12, NO_TARGET = 0 };

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const char *const guest[] = {"guest va0", NULL};

static struct diags d;

LAB_SUITE(datapath_redirect, d.arena = arena_new());

static struct status_view status(void)
{
	struct status_view view;
	int err = status_collect(&lab.host, "one", d.arena, &d, &view);

	cr_assert_eq(err, 0, "%s", d.count ? d.list[0].message : error_text(err));
	return view;
}

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* Calls the helper for that device; without one, for the device that the packet came by. */
static int redirector(enum bpf_prog_type type, uint32_t target)
{
	const struct bpf_insn constant = {
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int32_t)target};
	const struct bpf_insn loaded = {.code = BPF_LDX | BPF_W | BPF_MEM,
					.dst_reg = BPF_REG_1,
					.src_reg = BPF_REG_1,
					.off = offsetof(struct __sk_buff, ifindex)};
	const struct bpf_insn code[] = {
		target ? constant : loaded,
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2},
		{.code = BPF_JMP | BPF_CALL, .imm = HELPER_REDIRECT_PEER},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "redirector", "GPL", code, ARRAY_SIZE(code), NULL);

	if (fd < 0 && errno == EINVAL)
		cr_skip_test("this kernel has no bpf_redirect_peer");
	cr_assert_geq(fd, 0, "%m");
	return fd;
}

/* Calls another helper. */
static int bystander(void)
{
	const struct bpf_insn code[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "bystander", "GPL", code, ARRAY_SIZE(code),
			       NULL);

	cr_assert_geq(fd, 0, "%m");
	return fd;
}

/* Tail calls into the array. */
static int jumper(int array)
{
	const struct bpf_insn code[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = array},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 3},
		{.code = BPF_JMP | BPF_CALL, .imm = HELPER_TAIL_CALL},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "jumper", "GPL", code, ARRAY_SIZE(code),
			       NULL);

	cr_assert_geq(fd, 0, "%m");
	return fd;
}

static void filter_add(const char *device, bool egress, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program);
	int err = bpf_tc_hook_create(&hook);

	cr_assert(!err || err == -EEXIST);
	cr_assert_eq(bpf_tc_attach(&hook, &filter), 0);
}

static uint32_t id_of(int program)
{
	uint32_t id = 0;

	cr_assert_eq(fd_program_id(program, &id), 0);
	return id;
}

static void expect_named(uint32_t program, const char *where, const char *past)
{
	struct status_view view = status();

	cr_expect_null(view.redirects_unknown, "%s", view.redirects_unknown);
	cr_assert_eq(view.redirect_count, 1, "%zu", view.redirect_count);
	cr_expect_eq(view.redirects[0].program, program);
	cr_expect_str_eq(view.redirects[0].where, where);
	if (past)
		cr_expect_str_eq(view.redirects[0].past, past);
	else
		cr_expect_null(view.redirects[0].past);
	cr_expect_eq(view.enforcing, !past);
}

Test(datapath_redirect, one_that_names_a_guest_is_a_fault)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0"));

	lab_applied(&lab, &deny, guest);
	cr_expect_eq(status().redirect_count, 0);
	cr_expect(status().enforcing);
	filter_add("va1", false, program);
	expect_named(id_of(program), "va1 clsact/ingress", "va0");
}

Test(datapath_redirect, one_that_names_another_or_none_is_named)
{
	int other = redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va1"));
	int any = redirector(BPF_PROG_TYPE_SCHED_CLS, NO_TARGET);

	lab_applied(&lab, &deny, guest);
	filter_add("va1", false, bystander());
	cr_expect_eq(status().redirect_count, 0);
	filter_add("va1", true, any);
	expect_named(id_of(any), "va1 clsact/egress", NULL);
	run("tc qdisc del dev va1 clsact");
	filter_add("va1", false, other);
	expect_named(id_of(other), "va1 clsact/ingress", NULL);
}

Test(datapath_redirect, one_on_tcx_is_found)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0")), link;

	if (!lab_has_tcx())
		cr_skip_test("no TCX");
	lab_applied(&lab, &deny, guest);
	link = tcx_link_create(program, if_nametoindex("va1"), ATTACH_TCX_INGRESS);
	cr_assert_geq(link, 0);
	expect_named(id_of(program), "va1 tcx/ingress", "va0");
}

/* Also of an array that is filled later, and through a second program. */
Test(datapath_redirect, one_that_is_reached_by_a_tail_call_is_found)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0"));
	int first = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "first", 4, 4, 8, NULL);
	int second = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "second", 4, 4, 8, NULL);
	int start = jumper(first), middle = jumper(second);
	uint32_t index = 3;

	lab_applied(&lab, &deny, guest);
	filter_add("va1", false, start);
	cr_assert_eq(bpf_map_update_elem(first, &index, &middle, BPF_ANY), 0);
	cr_expect_eq(status().redirect_count, 0);
	cr_assert_eq(bpf_map_update_elem(second, &index, &program, BPF_ANY), 0);
	expect_named(id_of(program), "va1 clsact/ingress, by a tail call, by a tail call", "va0");
}

/* `tc` makes no filter of this lab's programs without a pin. */
static void pinned(int program, const char *name, char path[160])
{
	snprintf(path, 160, "%s-%s", lab.root, name);
	cr_assert_eq(bpf_obj_pin(program, path), 0, "%s: %m", path);
}

Test(datapath_redirect, one_that_an_action_runs_is_found)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_ACT, if_nametoindex("va0"));
	char path[160], command[400];
	int failed;

	lab_applied(&lab, &deny, guest);
	pinned(program, "action", path);
	snprintf(
		command, sizeof(command),
		"tc qdisc add dev va1 clsact && tc filter add dev va1 ingress chain 7 protocol all "
		"u32 match u32 0 0 action bpf object-pinned %s 2>/dev/null",
		path);
	failed = system(command);
	unlink(path);
	if (failed)
		cr_skip_test("no act_bpf in this kernel");
	expect_named(id_of(program), "va1 clsact/ingress", "va0");
}

/* A filter of the old ingress qdisc. */
Test(datapath_redirect, one_of_an_ingress_qdisc_is_found)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0"));
	char path[160], command[300];
	int failed;

	lab_applied(&lab, &deny, guest);
	pinned(program, "ingress", path);
	snprintf(command, sizeof(command),
		 "tc qdisc add dev va1 ingress && tc filter add dev va1 ingress bpf da "
		 "object-pinned %s",
		 path);
	failed = system(command);
	unlink(path);
	cr_assert_eq(failed, 0, "%s", command);
	cr_expect_eq(status().redirect_count, 1);
	cr_expect(!status().enforcing);
}

Test(datapath_redirect, where_there_is_no_guest_none_is_looked_for)
{
	const char *const interface[] = {"interface va0", NULL};

	lab_applied(&lab, &deny, interface);
	filter_add("va1", false, redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0")));
	cr_expect_eq(status().redirect_count, 0);
	cr_expect(status().enforcing);
}

Test(datapath_redirect, the_doctor_names_it)
{
	int program = redirector(BPF_PROG_TYPE_SCHED_CLS, NO_TARGET);
	struct doctor_report report;
	const struct bypass *bypass = NULL;
	char id[32];

	filter_add("va1", false, program);
	host_probe(&lab.host, d.arena, &report);
	for (size_t i = 0; i < report.bypass_count; i++)
		if (str_equal(report.bypasses[i].name, "peer-redirect"))
			bypass = &report.bypasses[i];
	cr_assert_not_null(bypass);
	cr_expect_eq(bypass->answer, ANSWER_YES);
	cr_expect_eq(bypass->of, 1u << FR_KIND_GUEST);
	snprintf(id, sizeof(id), "(id %u) at va1", id_of(program));
	cr_expect(strstr(bypass->found, id), "%s", bypass->found);
}

static void drop_capability(unsigned capability)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	cr_assert_eq(syscall(__NR_capget, &head, sets), 0, "%m");
	sets[capability / 32].effective &= ~(1u << capability % 32);
	cr_assert_eq(syscall(__NR_capset, &head, sets), 0, "%m");
}

/* An unreadable program is not reported as absent. */
Test(datapath_redirect, calls_that_the_kernel_hides_are_not_known)
{
	struct status_view view;

	lab_applied(&lab, &deny, guest);
	filter_add("va1", false, redirector(BPF_PROG_TYPE_SCHED_CLS, if_nametoindex("va0")));
	drop_capability(CAP_SYSLOG);
	view = status();
	if (view.redirect_count)
		cr_skip_test("this host shows addresses of the kernel to everybody");
	cr_assert_not_null(view.redirects_unknown);
	cr_expect(strstr(view.redirects_unknown, "kptr_restrict"), "%s", view.redirects_unknown);
	drop_capability(CAP_SYS_ADMIN);
	view = status();
	cr_expect_not_null(view.redirects_unknown);
}
