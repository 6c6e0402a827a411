/* SPDX-License-Identifier: GPL-2.0-only */
/* Details of a process come from the process that had the pid at that time, and from no other. */
#include "datapath_lab.h"

#include "../../user/observe/internal.h"

#include <string.h>

static const struct image_spec audit = {.policy = "one", .tcp_port = 443};
static const char *const va0[] = {"interface va0", NULL};
static const uint64_t second = 1000000000;

static struct diags d;
static struct names names;

static void names_of_policy(struct lab *lab)
{
	struct instance instance;

	d.arena = arena_new();
	lab_applied(lab, &audit, va0);
	cr_assert_eq(instance_open(&lab->host, "one", &d, &instance), 0);
	cr_assert_geq(instance.processes, 0);
	cr_assert_eq(names_open(&instance, &d, &names), 0);
	instance_close(&instance);
}

LAB_SUITE(observe_processes, names_of_policy(&lab));

static void note(uint32_t pid, const char *name, uint64_t start)
{
	struct fr_owner owner = {.pid = pid, .uid = 4242, .start = start};

	strncpy(owner.comm, name, sizeof(owner.comm) - 1);
	if (start) {
		owner.parent_pid = 7;
		strcpy(owner.parent_comm, "starter");
	}
	cr_assert_eq(bpf_map_update_elem(names.processes, &pid, &owner, BPF_ANY), 0, "%m");
}

static struct process_view process(uint32_t pid, const char *name, uint64_t when)
{
	char comm[FR_COMM_LEN] = {0};

	strncpy(comm, name, sizeof(comm) - 1);
	return names_process(&names, pid, comm, sizeof(comm), when);
}

Test(observe_processes, a_process_is_shown_with_its_user_parent_and_start)
{
	struct process_view view;

	note(4711, "curl", names.clock.boot_ns - 10 * second);
	view = process(4711, "renamed", names.clock.real_ns);
	cr_assert(view.known);
	cr_expect_str_eq(view.name, "renamed", "as in the record");
	cr_expect_eq(view.uid, 4242);
	cr_expect_eq(view.parent_pid, 7);
	cr_expect_str_eq(view.parent_name, "starter");
	cr_expect_eq(view.started, names.clock.real_ns - 10 * second);
}

Test(observe_processes, a_pid_that_another_process_has_now_shows_no_user)
{
	struct process_view view;

	note(4711, "curl", names.clock.boot_ns - 10 * second);
	view = process(4711, "curl", names.clock.real_ns - 60 * second);
	cr_expect_eq(view.pid, 4711);
	cr_expect_str_eq(view.name, "curl");
	cr_expect(!view.known && !view.parent_pid && !view.started);
}

Test(observe_processes, without_its_start_a_process_is_known_by_its_name)
{
	note(4711, "curl", 0);
	cr_expect(process(4711, "curl", names.clock.real_ns).known);
	cr_expect(!process(4711, "wget", names.clock.real_ns).known);
	cr_expect(!process(4712, "curl", names.clock.real_ns).known);
}

Test(observe_processes, no_process_is_shown_where_none_is_known)
{
	cr_expect_eq(process(0, "curl", names.clock.real_ns).pid, 0);
	cr_expect_str_eq(process(0, "curl", names.clock.real_ns).name, "");
}
