/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices and cgroups that change under a policy: later ones that match a pattern, names that move,
 * alternative names, ports of bridges, and packets that pass two hooks.
 */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include "../../user/observe/observe.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec audit = {.policy = "one", .tcp_port = 443};
static const struct image_spec second = {.policy = "two", .enforce = true, .tcp_port = 443};

static struct diags d;
static char messages[512];

LAB_SUITE(datapath_devices, d.arena = arena_new());

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static int apply(const struct image_spec *plan, const char *const *points)
{
	struct apply_result result;

	return lab_apply(&lab, plan, points, &result, messages);
}

static void applied(const struct image_spec *plan, const char *const *points)
{
	cr_assert_eq(apply(plan, points), 0, "%s", messages);
}

static struct status_view status(void)
{
	struct status_view view;
	int err = status_collect(&lab.host, "one", d.arena, &d, &view);

	cr_assert_eq(err, 0, "%s", d.count ? d.list[0].message : error_text(err));
	return view;
}

static const char *text_of_remarks(const struct status_view *view)
{
	const char *text = "";

	for (size_t i = 0; i < view->remark_count; i++)
		text = arena_printf(d.arena, "%s%s\n", text, view->remarks[i].text);
	return text;
}

static void expect_unjudged(const char *name, const char *why)
{
	struct status_view view = status();

	cr_assert_eq(view.unjudged_count, 1, "%zu", view.unjudged_count);
	cr_expect_str_eq(view.unjudged[0].name, name);
	cr_expect(strstr(view.unjudged[0].why, why), "%s", view.unjudged[0].why);
	cr_expect(!view.enforcing);
}

/* ---------------------------------------------------------------- patterns */

/* lesson: a container that started after the policy was open, and the report said enforcing. */
Test(datapath_devices, what_matches_a_pattern_and_came_later_is_named)
{
	const char *points[] = {"guest va*", NULL};

	applied(&deny, points);
	cr_expect(status().enforcing);
	run("ip link add va7 type veth peer name q7");
	expect_unjudged("va7", "it matches va* and is not judged");
	cr_expect_eq(status().unjudged[0].ifindex, if_nametoindex("va7"));
	cr_expect_eq(status().unjudged[0].kind, FR_KIND_GUEST);
	applied(&audit, points);
	cr_expect_eq(status().unjudged_count, 0, "apply takes it in");
	run("ip link add va8 type veth peer name q8");
	cr_expect_eq(status().unjudged_count, 1);
	cr_expect(!status().enforce);
}

Test(datapath_devices, an_alternative_name_matches_a_pattern)
{
	const char *points[] = {"interface va0", "interface net-*", NULL};

	applied(&deny, points);
	cr_expect(strstr(messages, "no interface matches net-*"), "%s", messages);
	cr_expect(status().enforcing);
	run("ip link property add dev va1 altname net-of-more-than-15-characters");
	expect_unjudged("va1", "it matches net-*");
	applied(&deny, points);
	cr_expect(status().enforcing);
	cr_expect_str_eq(status().hooks[2].name, "va1");
	cr_expect_str_eq(status().hooks[2].request, "net-*");
	cr_expect(!lab_udp_out(&lab, 1, 5000));
}

Test(datapath_devices, an_alternative_name_is_a_name)
{
	const char *points[] = {"interface net-of-more-than-15-characters", NULL};

	cr_expect_eq(apply(&deny, points), -ENODEV);
	run("ip link property add dev va1 altname net-of-more-than-15-characters");
	applied(&deny, points);
	cr_expect(!lab_udp_out(&lab, 1, 5000));
	cr_expect(lab_udp_out(&lab, 0, 5000));
	cr_expect_str_eq(status().hooks[0].name, "va1");
	run("ip link property del dev va1 altname net-of-more-than-15-characters");
	cr_expect(status().enforcing, "the device is judged, whatever it is called");
	run("ip link property add dev va0 altname net-of-more-than-15-characters");
	expect_unjudged("va0", "is another device now");
}

/* The name and the alternative name belong to one device. */
Test(datapath_devices, two_names_of_one_device_attach_it_once)
{
	const char *points[] = {"interface va0", "interface net-a", "interface va[0]", NULL};

	run("ip link property add dev va0 altname net-a");
	cr_expect_eq(lab_applied(&lab, &deny, points).hooks_added, 1);
	cr_expect(status().enforcing);
}

Test(datapath_devices, a_pattern_without_a_match_is_a_warning_beside_others)
{
	const char *none[] = {"interface en*", "interface eth*", "cgroup /frd-none-*", NULL};
	const char *some[] = {"interface en*", "interface va*", NULL};
	const char *name[] = {"interface en0", "interface va*", NULL};

	applied(&deny, some);
	cr_expect(strstr(messages, "no interface matches en*"), "%s", messages);
	cr_expect_eq(apply(&second, none), -ENOENT);
	cr_expect(strstr(messages, "no interface matches eth*"), "%s", messages);
	cr_expect(strstr(messages, "no cgroup matches /frd-none-*"), "%s", messages);
	cr_expect_eq(apply(&second, name), -ENODEV);
	cr_expect(strstr(messages, "there is no interface en0"), "%s", messages);
}

Test(datapath_devices, a_cgroup_that_matches_and_came_later_is_named)
{
	char point[64], path[256];
	const char *points[] = {point, NULL};

	lab_cgroup(&lab);
	snprintf(path, sizeof(path), "%s/a1", lab.cgroup);
	cr_assert_eq(mkdir(path, 0755), 0, "%s: %m", path);
	snprintf(point, sizeof(point), "cgroup %s/a*", strrchr(lab.cgroup, '/'));
	applied(&deny, points);
	cr_expect(status().enforcing);
	snprintf(path, sizeof(path), "%s/a2", lab.cgroup);
	cr_assert_eq(mkdir(path, 0755), 0, "%s: %m", path);
	snprintf(path, sizeof(path), "%s/a2", strrchr(lab.cgroup, '/'));
	expect_unjudged(path, "and is not judged");
	applied(&deny, points);
	cr_expect(status().enforcing);
	lab_detached(&lab);
	snprintf(path, sizeof(path), "rmdir %s/a1 %s/a2", lab.cgroup, lab.cgroup);
	run(path);
}

/* The same request, the same devices: only the requested change differs. */
Test(datapath_devices, what_is_asked_for_is_what_was_asked_for_last)
{
	const char *name[] = {"interface va0", NULL}, *pattern[] = {"interface va[0-9]", NULL};

	run("ip link add keep type bridge && ip link set va1 name other");
	applied(&deny, name);
	cr_expect(!lab_applied(&lab, &deny, pattern).unchanged);
	cr_expect(lab_applied(&lab, &deny, pattern).unchanged);
	run("ip link set keep name va5");
	expect_unjudged("va5", "it matches va[0-9]");
	applied(&deny, name);
	cr_expect(status().enforcing);
}

/* ---------------------------------------------------------------- names that move */

Test(datapath_devices, a_renamed_device_is_the_same_device)
{
	const char *points[] = {"guest va0", NULL}, *today[] = {"guest ens5", NULL};
	struct status_view view;

	applied(&deny, points);
	run("ip link set va0 down && ip link set va0 name ens5 && ip link set ens5 up");
	view = status();
	cr_expect(view.enforcing);
	cr_expect_eq(view.unjudged_count, 0);
	cr_expect_str_eq(view.hooks[0].name, "ens5");
	cr_expect_str_eq(view.hooks[0].name_at_apply, "va0");
	cr_expect_str_eq(view.hooks[0].request, "va0");
	cr_expect_eq(lab_applied(&lab, &deny, today).hooks_added, 0);
	cr_expect_null(status().hooks[0].name_at_apply);
}

Test(datapath_devices, a_name_that_another_device_has_now_is_a_fault)
{
	const char *points[] = {"interface va0", NULL}, *both[] = {"interface va*", NULL};

	applied(&deny, points);
	run("ip link set va0 name tmp && ip link set va1 name va0 && ip link set tmp name va1");
	expect_unjudged("va0", "va0 is another device now, which is not judged");
	cr_expect_str_eq(status().hooks[0].name, "va1");
	applied(&deny, both);
	run("ip link set va0 name tmp && ip link set va1 name va0 && ip link set tmp name va1");
	cr_expect(status().enforcing, "both are judged, whatever they are called");
}

Test(datapath_devices, a_device_that_went_to_another_namespace_is_told)
{
	const char *points[] = {"guest q1", NULL};
	char command[80];
	struct status_view view;

	run("ip link add q1 type veth peer name q2");
	applied(&deny, points);
	snprintf(command, sizeof(command), "ip link set q1 netns /proc/%d/fd/%d", getpid(),
		 lab.there);
	run(command);
	view = status();
	if (!lab_has_tcx()) {
		cr_expect(!view.enforcing, "filters end there");
		return;
	}
	cr_assert_eq(view.remark_count, 1);
	cr_expect_str_eq(view.remarks[0].text,
			 "q1 is in another network namespace, and is judged there");
}

/* The device of the same index has no link of ours. */
Test(datapath_devices, a_device_made_anew_is_another_one)
{
	const char *points[] = {"interface dum0", NULL};
	struct status_view view;

	run("ip link add dum0 index 77 type bridge");
	applied(&deny, points);
	run("ip link del dum0 && ip link add dum1 index 77 type bridge");
	view = status();
	cr_expect(!view.enforcing);
	cr_expect_not_null(view.hooks[0].fault);
	cr_expect_str_eq(view.hooks[0].name, "dum0", "%s", view.hooks[0].name);
	run("ip link add dum0 type bridge");
	expect_unjudged("dum0", "another device now");
}

Test(datapath_devices, a_device_asked_for_in_another_part_is_a_fault)
{
	const char *points[] = {"guest va0", "interface va1", NULL};

	applied(&deny, points);
	run("ip link set va0 name tmp && ip link set va1 name va0 && ip link set tmp name va1");
	cr_expect_eq(status().unjudged_count, 2);
	cr_expect(strstr(status().unjudged[0].why, "but the policy names it as a"), "%s",
		  status().unjudged[0].why);
	cr_expect(!status().enforcing);
}

/* ---------------------------------------------------------------- twice */

static void expect_twice(const char *const *points, const char *how)
{
	struct status_view view;
	const char *text;

	applied(&deny, points);
	cr_expect(strstr(messages, how), "apply does not say '%s': %s", how, messages);
	view = status();
	text = text_of_remarks(&view);
	cr_expect(strstr(text, how), "status does not say '%s': %s", how, text);
	cr_expect(strstr(text, "counted"), "%s", text);
	cr_expect(view.enforcing);
	lab_detached(&lab);
}

Test(datapath_devices, what_passes_two_devices_is_told)
{
	const char *macvlan[] = {"interface va0", "interface mv", NULL};
	const char *bridge[] = {"interface va1", "interface br0", NULL};
	const char *above[] = {"interface va1", "interface mv20", NULL};
	const char *wire[] = {"guest q1", "guest q2", NULL};
	const char *apart[] = {"interface va0", "interface va1", "guest q1", NULL};

	run("ip link add link va0 name mv type macvlan");
	run("ip link add br0 type bridge && ip link set va1 master br0");
	run("ip link add link br0 name mv20 type macvlan");
	run("ip link add q1 type veth peer name q2");
	expect_twice(macvlan, "va0 lies below mv");
	expect_twice(bridge, "va1 lies below br0");
	expect_twice(above, "va1 lies below mv20");
	expect_twice(wire, "q1 and q2 are the two ends of one pair");
	run("ip link set va1 nomaster");
	lab_applied(&lab, &deny, apart);
	cr_expect_eq(status().remark_count, 0, "%s", status().remarks[0].text);
}

Test(datapath_devices, what_two_policies_judge_is_told)
{
	const char *port[] = {"guest va1", NULL}, *bridge[] = {"interface br0", NULL};

	run("ip link add br0 type bridge && ip link set va1 master br0");
	applied(&second, bridge);
	applied(&deny, port);
	cr_expect(strstr(messages,
			 "va1 lies below br0: a packet that passes both is judged by policy two"),
		  "%s", messages);
	cr_expect_eq(status().remark_count, 1);
	applied(&second, bridge);
	cr_expect(strstr(messages,
			 "va1 lies below br0: a packet that passes both is judged by policy one"),
		  "%s", messages);
}

Test(datapath_devices, cgroups_that_hold_each_other_are_told)
{
	char point[64], child[96], path[160];
	const char *outer[] = {point, NULL}, *inner[] = {child, NULL};
	const char *device[] = {point, "interface va0", NULL};

	lab_cgroup(&lab);
	snprintf(path, sizeof(path), "%s/in", lab.cgroup);
	cr_assert_eq(mkdir(path, 0755), 0, "%s: %m", path);
	snprintf(point, sizeof(point), "cgroup %s", strrchr(lab.cgroup, '/'));
	snprintf(child, sizeof(child), "%s/in", point);
	applied(&second, outer);
	applied(&deny, inner);
	cr_expect(strstr(messages, "lies below"), "%s", messages);
	lab_detached(&lab);
	expect_twice(device, "that passes va0 is judged at both and counted twice");
	rmdir(path);
}

Test(datapath_devices, an_interface_that_is_a_port_of_a_bridge_is_told)
{
	const char *port[] = {"interface va1", NULL}, *guest[] = {"guest va1", NULL};

	run("ip link add br0 type bridge && ip link set va1 master br0");
	applied(&deny, port);
	cr_expect(strstr(messages, "va1 is a port of bridge br0"), "%s", messages);
	cr_expect(strstr(messages, "attach br0 to judge this host's traffic"), "%s", messages);
	cr_expect_eq(status().remark_count, 1);
	lab_detached(&lab);
	lab_applied(&lab, &deny, guest);
	cr_expect_eq(status().remark_count, 0);
}

/* ---------------------------------------------------------------- ports that are left out */

static const char *const all_v[] = {"interface v*", NULL};

static void bridge_make(void)
{
	run("ip addr flush dev va1 && ip link add vbr0 type bridge && ip link set va1 master vbr0");
}

Test(datapath_devices, a_pattern_leaves_the_port_of_its_bridge_out)
{
	struct status_view view;

	bridge_make();
	applied(&deny, all_v);
	cr_expect(strstr(messages, "va1 is a port of a bridge or bond"), "%s", messages);
	view = status();
	cr_expect(view.enforcing);
	cr_expect_eq(view.hook_count, 5, "va0, vbr0 and the local sockets");
	cr_expect_eq(view.remark_count, 1);
	cr_expect(strstr(view.remarks[0].text, "va1: it matches v* and is judged at the bridge"),
		  "%s", view.remarks[0].text);
	run("ip link set va1 nomaster");
	expect_unjudged("va1", "it matches v*");
}

/* This host sends by it, past the bridge. */
Test(datapath_devices, a_port_with_an_address_or_vlan_of_its_own_is_attached)
{
	const char *plain[] = {"interface v*", "interface va1", NULL};

	bridge_make();
	run("ip addr add 10.9.7.1/24 dev va1");
	applied(&deny, all_v);
	cr_expect_eq(status().hook_count, 7);
	run("ip addr flush dev va1");
	if (!system("ip link add link va1 name x type vlan id 7 2>/dev/null")) {
		applied(&deny, all_v);
		cr_expect_eq(status().hook_count, 7);
		run("ip link del x");
	}
	applied(&deny, all_v);
	cr_expect_eq(status().hook_count, 5);
	run("ip addr add 10.9.7.1/24 dev va1");
	expect_unjudged("va1", "it matches v*");
	applied(&deny, plain);
	cr_expect_eq(status().hook_count, 7);
}
