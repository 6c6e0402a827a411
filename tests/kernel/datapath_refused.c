/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host that answers questions about TCX and makes no link on it, as a filter of system calls or a
 * security module may: apply reports it and names the alternative. Without TCX there is nothing to
 * refuse.
 */
#include "datapath_lab.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

static const char *const va0[] = {"interface va0", NULL};
static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};

LAB_SUITE(datapath_refused);

Test(datapath_refused, a_refused_link_leaves_nothing_and_a_hint)
{
	struct apply_result result;
	char messages[512];

	if (!lab_has_tcx()) {
		lab_end(&lab);
		cr_skip_test("this kernel has no TCX: NOT RUN");
	}
	refuse_bpf(BPF_LINK_CREATE, EPERM);
	cr_expect_eq(lab_apply(&lab, &deny, va0, &result, messages), -EPERM);
	cr_expect(strstr(messages, "cannot attach tcx/ingress to va0"), "%s", messages);
	cr_expect(strstr(messages, "--no-tcx"), "%s", messages);
	cr_expect_neq(access(lab.root, F_OK), 0, "a pin is left");
	cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect(lab_udp_out(&lab, 0, 5000), "nothing is in force, but it drops");
	lab.host.no_tcx = true;
	cr_assert_eq(lab_apply(&lab, &deny, va0, &result, messages), 0, "%s", messages);
	cr_expect(strstr(messages, "program for redirected packets cannot be attached"), "%s",
		  messages);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
	cr_expect(lab_tcp_out(&lab, 0, 443));
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}
