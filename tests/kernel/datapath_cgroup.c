/* SPDX-License-Identifier: GPL-2.0-only */
/* Cgroups: the packets that processes in one may send, and other programs that may be there. */
#include "datapath_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};

static struct lab lab;
static char point[64];
static const char *points[] = {point, NULL};

static void prepare(void)
{
	lab_cgroup(&lab);
	snprintf(point, sizeof(point), "cgroup %s", strrchr(lab.cgroup, '/'));
}

LAB_SUITE(datapath_cgroup, prepare());

Test(datapath_cgroup, members_are_judged_until_detached)
{
	struct apply_result result;

	result = lab_applied(&lab, &deny, points);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(!result.tcx);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "denied datagram");
	cr_expect(lab_tcp_out(&lab, 0, 443), "allowed port");
	cr_expect(!lab_tcp_out(&lab, 0, 444), "denied port");
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}

/* Some clients renew their lease by sendto(): the hook that refuses early knows the built-in rule
 * too. */
Test(datapath_cgroup, a_dhcp_client_may_send)
{
	struct sockaddr_in client = {.sin_family = AF_INET, .sin_port = htons(68)};
	struct sockaddr_in server = {.sin_family = AF_INET,
				     .sin_port = htons(67),
				     .sin_addr.s_addr = inet_addr("10.9.0.2")};
	CLEANUP(close_fd) int fd = -1;

	lab_applied(&lab, &deny, points);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(!bind(fd, (void *)&client, sizeof(client)));
	cr_expect_eq(sendto(fd, "x", 1, 0, (void *)&server, sizeof(server)), 1);
	server.sin_port = htons(69);
	cr_expect_eq(sendto(fd, "x", 1, 0, (void *)&server, sizeof(server)), -1);
	cr_expect_eq(errno, EPERM);
}

Test(datapath_cgroup, a_device_and_a_cgroup_are_both_asked)
{
	const char *with_device[] = {point, "interface va0", NULL};
	struct apply_result result;
	char messages[512];

	lab_applied(&lab, &deny, points);
	cr_assert_eq(lab_apply(&lab, &deny, with_device, &result, messages), 0, "%s", messages);
	cr_expect(strstr(messages, "judged at both and counted twice"), "%s", messages);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(lab_tcp_out(&lab, 0, 443));
	cr_expect_eq(lab_counters(&lab, "one", "port", FR_EGRESS).connections, 2);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
}

Test(datapath_cgroup, nested_cgroups_of_one_policy_are_refused)
{
	const char *nested[] = {point, "cgroup /", NULL};
	struct apply_result result;
	char messages[512];

	cr_expect_eq(lab_apply(&lab, &deny, nested, &result, messages), -EBUSY);
	cr_expect(strstr(messages, "is below"), "%s", messages);
}

Test(datapath_cgroup, a_removed_cgroup_does_not_hinder_the_next_apply)
{
	struct apply_result result;
	char child[160], name[100];
	const char *child_points[] = {name, NULL};

	snprintf(child, sizeof(child), "mkdir %s/child", lab.cgroup);
	cr_assert_eq(system(child), 0);
	snprintf(name, sizeof(name), "%s/child", point);
	lab_applied(&lab, &deny, child_points);
	snprintf(child, sizeof(child), "%s/child", lab.cgroup);
	cr_assert_eq(rmdir(child), 0);
	result = lab_applied(&lab, &deny, points);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}
