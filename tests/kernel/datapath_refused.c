/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host that answers questions about TCX and makes no link on it, as a filter of system calls or a
 * security module may: apply says so and names the way that is left. Without TCX there is nothing
 * to refuse.
 */
#include "datapath_lab.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

static const char *const va0[] = {"interface va0", NULL};
static const struct sketch deny = {.policy = "one", .enforce = true, .tcp_port = 443};

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

TestSuite(datapath_refused, .init = begin, .fini = end);

Test(datapath_refused, a_link_that_is_refused_leaves_nothing_and_names_the_other_way)
{
	struct apply_result result;
	char said[512];

	if (!lab_has_tcx()) {
		lab_end(&lab);
		cr_skip_test("this kernel has no TCX: NOT RUN");
	}
	refuse_bpf(BPF_LINK_CREATE, EPERM);
	cr_expect_eq(lab_apply(&lab, &deny, va0, &result, said), -EPERM);
	cr_expect(strstr(said, "cannot attach tcx/ingress to va0"), "%s", said);
	cr_expect(strstr(said, "--no-tcx"), "%s", said);
	cr_expect_neq(access(lab.root, F_OK), 0, "a pin is left");
	cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect(lab_udp_out(&lab, 0, 5000), "nothing is in force, but it drops");
	lab.host.no_tcx = true;
	cr_assert_eq(lab_apply(&lab, &deny, va0, &result, said), 0, "%s", said);
	cr_expect(strstr(said, "is asked for this host's sockets"), "%s", said);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
	cr_expect(lab_tcp_out(&lab, 0, 443));
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}
