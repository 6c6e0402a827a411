/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change that would lower the policy in force is refused before anything is changed, whatever the
 * cause, unless the command permits it; all of it in one run.
 */
#include "datapath_lab.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const char *const va0[] = {"interface va0", NULL};
static const char *const both[] = {"interface va0", "interface va1", NULL};
static const char *const guest[] = {"guest va0", NULL};

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec audit = {.policy = "one", .tcp_port = 443};
static const struct image_spec open_out = {
	.policy = "one", .enforce = true, .tcp_port = 443, .allow = {[FR_EGRESS] = true}};

LAB_SUITE(datapath_lowering, lab.careful = true);

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* Refused with a message like this, and the running policy goes on. */
static void refused(const struct image_spec *plan, const char *const *points, const char *words)
{
	struct apply_result result;
	char messages[512];

	cr_expect_eq(lab_apply(&lab, plan, points, &result, messages), -ECANCELED, "%s", messages);
	cr_expect(strstr(messages, words), "no '%s' in: %s", words, messages);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "the old one is in force");
}

static struct apply_result allowed(const struct image_spec *plan, const char *const *points)
{
	struct apply_result result;

	lab.careful = false;
	result = lab_applied(&lab, plan, points);
	lab.careful = true;
	return result;
}

Test(datapath_lowering, the_mode_goes_down_when_the_command_says_so)
{
	struct apply_result result;

	lab_applied(&lab, &deny, va0);
	refused(&audit, va0, "the mode changes from enforce to audit (--mode audit allows it)");
	refused(&audit, va0, "flowreeve apply --mode enforce --pin-root");
	result = allowed(&audit, va0);
	cr_expect_eq(result.lowered_count, 1);
	cr_expect(lab_udp_out(&lab, 0, 5000));
	result = lab_applied(&lab, &deny, va0);
	cr_expect_eq(result.lowered_count, 0, "up is free");
}

Test(datapath_lowering, an_attach_point_goes_when_the_command_says_so)
{
	lab_applied(&lab, &deny, both);
	refused(&deny, va0, "interface va1 is no longer attached (--allow-removal allows it)");
	refused(&deny, va0, "flowreeve apply --allow-removal --pin-root");
	allowed(&deny, va0);
	refused(&deny, guest, "interface va0 is no longer attached");
	lab_applied(&lab, &deny, both);
}

Test(datapath_lowering, an_audit_is_held_to_its_attach_points_as_well)
{
	struct apply_result result;
	char messages[512];

	lab_applied(&lab, &audit, both);
	cr_expect_eq(lab_apply(&lab, &audit, va0, &result, messages), -ECANCELED, "%s", messages);
}

Test(datapath_lowering, a_default_goes_down_when_the_command_says_so)
{
	lab_applied(&lab, &deny, va0);
	refused(&open_out, va0, "the default of egress changes from deny to allow");
	allowed(&open_out, va0);
	lab_applied(&lab, &deny, va0);
}

Test(datapath_lowering, all_of_it_is_named_in_one_run)
{
	struct image_spec all = open_out;

	all.enforce = false;
	lab_applied(&lab, &deny, both);
	refused(&all, va0, "the mode changes from enforce to audit");
	refused(&all, va0, "interface va1 is no longer attached");
	refused(&all, va0, "the default of egress");
	refused(&all, va0, "flowreeve apply --mode enforce --allow-removal --pin-root");
}

Test(datapath_lowering, what_is_gone_is_not_removed_by_the_command)
{
	lab_applied(&lab, &deny, both);
	run("ip link del va1");
	lab_applied(&lab, &deny, va0);
}

Test(datapath_lowering, a_device_by_its_new_name_is_the_same)
{
	static const char *const renamed[] = {"interface ens9", "interface va0", NULL};

	lab_applied(&lab, &deny, both);
	run("ip link set va1 down && ip link set va1 name ens9 && ip link set ens9 up");
	refused(&deny, va0, "interface ens9, which was va1 when it was applied, is no longer");
	lab_applied(&lab, &deny, renamed);
	cr_expect_eq(lab_programs(0, false, NULL), 1);
}

/* The policy names va0: it means the device that has that name. */
Test(datapath_lowering, the_name_of_the_policy_may_have_gone_to_another_device)
{
	lab_applied(&lab, &deny, va0);
	run("ip link set va0 down && ip link set va1 down && ip link set va0 name tmp0 && "
	    "ip link set va1 name va0 && ip link set tmp0 name va1 && "
	    "ip link set va0 up && ip link set va1 up");
	lab_applied(&lab, &deny, va0);
	cr_expect_eq(lab_programs(0, false, NULL), 1, "va0 of today");
	cr_expect_eq(lab_programs(1, false, NULL), 0, "va1 of today");
}

Test(datapath_lowering, another_namespace_has_another_device_of_that_name)
{
	struct lab elsewhere = lab;

	lab_applied(&lab, &deny, va0);
	cr_assert_eq(setns(lab.there, CLONE_NEWNET), 0);
	run("ip link add va0 type veth peer name vx0");
	{
		struct apply_result result;
		char messages[512];

		cr_expect_eq(lab_apply(&elsewhere, &deny, va0, &result, messages), -ECANCELED, "%s",
			     messages);
	}
	cr_assert_eq(setns(lab.here, CLONE_NEWNET), 0);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}
