/* SPDX-License-Identifier: GPL-2.0-only */
/* Apply, replace and detach on real devices, with packets. */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const va0[] = {"interface va0", NULL};
static const char *const va1[] = {"interface va1", NULL};
static const char *const both[] = {"interface va0", "interface va1", NULL};
static const char *const guest[] = {"guest va0", NULL};

static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec audit = {.policy = "one", .tcp_port = 443};
static const struct image_spec allow = {.policy = "one", .enforce = true, .allow = {true, true}};

LAB_SUITE(datapath_apply);

Test(datapath_apply, enforces_until_detached_and_leaves_nothing)
{
	struct apply_result result;

	cr_assert(lab_udp_out(&lab, 0, 5000));
	result = lab_applied(&lab, &deny, va0);
	cr_expect_eq(result.generation, 1);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(!result.replaced && !result.unchanged);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "denied egress");
	cr_expect(!lab_udp_in(&lab, 0, 5000), "denied ingress");
	cr_expect(lab_tcp_out(&lab, 0, 443), "allowed port");
	cr_expect(!lab_tcp_out(&lab, 0, 444), "denied port");
	cr_expect(lab_udp_out(&lab, 1, 5000), "the other device is not attached");
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 0, 5000), "detached");
	cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect_neq(access(lab.root, F_OK), 0, "the pin root is gone");
}

Test(datapath_apply, audit_passes_and_counts_what_enforcement_would_drop)
{
	lab_applied(&lab, &audit, va0);
	cr_expect(lab_udp_out(&lab, 0, 5000));
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).would_drops, 1);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 0);
}

Test(datapath_apply, a_second_apply_flips_under_the_same_links_and_keeps_counters)
{
	uint32_t before[16] = {0}, after[16] = {0};
	struct apply_result result;

	lab_applied(&lab, &audit, va0);
	lab_udp_out(&lab, 0, 5000);
	cr_assert_eq(lab_programs(0, true, before), 1);
	result = lab_applied(&lab, &deny, va0);
	cr_expect(result.replaced && !result.unchanged);
	cr_expect_eq(result.generation, 2);
	cr_expect_eq(result.hooks_added + result.hooks_removed, 0);
	cr_assert_eq(lab_programs(0, true, after), 1);
	cr_expect_eq(before[0], after[0], "the link is the same one");
	cr_expect(!lab_udp_out(&lab, 0, 5001));
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).would_drops, 1);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 1);
}

static uint32_t rules_map(uint32_t generation)
{
	char pins[128];
	uint32_t id = 0;
	int fd;

	snprintf(pins, sizeof(pins), "%s/one/e1", lab.root);
	fd = pin_open_number(pins, "rules", generation);
	cr_assert_geq(fd, 0, "rules of generation %u: %s", generation, error_text(fd));
	cr_assert_eq(fd_map_id(fd, &id), 0);
	close(fd);
	return id;
}

/* A hundred thousand records are thirty megabytes: they are not rewritten without need. */
Test(datapath_apply, rules_that_say_what_they_said_keep_their_records)
{
	static const struct image_spec other = {.policy = "one", .enforce = true, .tcp_port = 444};
	static const struct image_spec open = {
		.policy = "one", .enforce = true, .allow[FR_EGRESS] = true, .tcp_port = 443};
	uint32_t before, since;

	lab_applied(&lab, &deny, va0);
	lab_udp_out(&lab, 0, 5000);
	before = rules_map(1);
	cr_expect_eq(lab_applied(&lab, &other, va0).generation, 2);
	cr_expect_eq(rules_map(2), before);
	lab_udp_out(&lab, 0, 5001);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 2);
	since = lab_pins(lab.root);
	cr_expect_eq(lab_applied(&lab, &open, va0).generation, 3);
	cr_expect_neq(rules_map(3), before, "a default is another one");
	cr_expect_eq(lab_pins(lab.root), since);
}

Test(datapath_apply, the_same_policy_again_changes_nothing)
{
	struct apply_result result;

	lab_applied(&lab, &deny, va0);
	result = lab_applied(&lab, &deny, va0);
	cr_expect(result.unchanged);
	cr_expect_eq(result.generation, 1);
}

Test(datapath_apply, hooks_join_and_leave_with_the_generation)
{
	struct apply_result result;

	lab_applied(&lab, &deny, va0);
	result = lab_applied(&lab, &deny, both);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect_eq(result.hooks_removed, 0);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "stayed");
	cr_expect(!lab_udp_out(&lab, 1, 5000), "joined");
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 2);
	result = lab_applied(&lab, &deny, va1);
	cr_expect_eq(result.hooks_added, 0);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect(lab_udp_out(&lab, 0, 5000), "left");
	cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect(!lab_udp_out(&lab, 1, 5000), "stayed");
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 3);
	result = lab_applied(&lab, &deny, va0);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect(!lab_udp_out(&lab, 0, 5000), "came back");
	cr_expect(lab_udp_out(&lab, 1, 5000), "left");
}

Test(datapath_apply, a_larger_image_takes_new_programs_and_loses_no_count)
{
	struct image_spec large = deny;
	uint32_t before[16] = {0}, after[16] = {0};

	large.pad_lines = 200000;
	lab_applied(&lab, &deny, va0);
	lab_udp_out(&lab, 0, 5000);
	lab_programs(0, false, before);
	lab_applied(&lab, &large, va0);
	cr_assert_eq(lab_programs(0, false, after), 1);
	cr_expect_eq(before[0], after[0], "the link is the same one");
	cr_expect(!lab_udp_out(&lab, 0, 5000));
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 2);
	lab_applied(&lab, &allow, va0);
	cr_expect(lab_udp_out(&lab, 0, 5000));
}

Test(datapath_apply, more_rules_than_slots_take_larger_counters)
{
	static char names[2000][16];
	static const char *ids[2000];
	struct image_spec many = deny;

	for (int i = 0; i < 2000; i++) {
		snprintf(names[i], sizeof(names[i]), "rule-%d", i);
		ids[i] = names[i];
	}
	many.ids = ids;
	many.id_count = 2000;
	lab_applied(&lab, &deny, va0);
	lab_udp_out(&lab, 0, 5000);
	lab_tcp_out(&lab, 0, 443);
	lab_applied(&lab, &many, va0);
	lab_udp_out(&lab, 0, 5000);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 2);
	cr_expect_eq(lab_counters(&lab, "one", "port", FR_EGRESS).connections, 1);
	cr_expect_eq(lab_counters(&lab, "one", "rule-7", FR_EGRESS).packets, 0);
	lab_applied(&lab, &deny, va0);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 2);
}

Test(datapath_apply, zero_starts_one_rule_or_all_from_nothing)
{
	const char *const one[] = {"default-egress"}, *const unknown[] = {"default-egres"};
	struct diags d = {.arena = arena_new()};

	lab_applied(&lab, &deny, va0);
	lab_udp_out(&lab, 0, 5000);
	lab_udp_in(&lab, 0, 5000);
	cr_expect_eq(datapath_zero(&lab.host, "one", unknown, 1, &d), -ENOENT);
	cr_assert_eq(d.count, 1);
	cr_expect_str_eq(d.list[0].hint, "did you mean 'default-egress'?");
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 1);
	cr_expect_eq(datapath_zero(&lab.host, "one", one, 1, &d), 0);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 0);
	cr_expect_eq(lab_counters(&lab, "one", "default-ingress", FR_INGRESS).drops, 1);
	cr_expect_eq(datapath_zero(&lab.host, "one", NULL, 0, &d), 0);
	cr_expect_eq(lab_counters(&lab, "one", "default-ingress", FR_INGRESS).drops, 0);
	lab_udp_out(&lab, 0, 5000);
	lab_applied(&lab, &audit, va0);
	cr_expect_eq(lab_counters(&lab, "one", "default-egress", FR_EGRESS).drops, 1,
		     "kept by apply");
	arena_free(d.arena);
}

Test(datapath_apply, an_attach_point_belongs_to_one_policy)
{
	struct image_spec other = deny;
	struct apply_result result;
	char messages[512];

	other.policy = "two";
	lab_applied(&lab, &allow, va0);
	cr_expect_eq(lab_apply(&lab, &other, va0, &result, messages), -EBUSY);
	cr_expect(strstr(messages, "va0 belongs to the applied policy one"), "%s", messages);
	cr_expect(lab_udp_out(&lab, 0, 5000), "the running policy is untouched");
	lab_applied(&lab, &other, va1);
	cr_expect(!lab_udp_out(&lab, 1, 5000));
}

Test(datapath_apply, two_pin_roots_share_a_host_but_no_attach_point)
{
	struct lab second = lab;
	struct apply_result result;
	char root[80], messages[512];

	snprintf(root, sizeof(root), "%s-b", lab.root);
	second.host.pin_root = root;
	lab_applied(&lab, &deny, va0);
	cr_expect_eq(lab_apply(&second, &allow, va0, &result, messages), -EBUSY);
	cr_expect(strstr(messages, "va0 belongs to a policy that is not pinned below"), "%s",
		  messages);
	cr_expect(strstr(messages, "program fr_if_ingress"), "%s", messages);
	cr_expect_eq(lab_programs(0, false, NULL), 1);
	lab_applied(&second, &allow, va1);
	lab_detached(&lab);
	cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect_eq(lab_programs(1, false, NULL), 1);
	lab_applied(&lab, &deny, va0);
	lab_detached(&second);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}

Test(datapath_apply, guests_are_judged_with_directions_swapped)
{
	lab_applied(&lab,
		    &(struct image_spec){
			    .policy = "one", .enforce = true, .allow = {[FR_EGRESS] = true}},
		    guest);
	cr_expect(lab_udp_in(&lab, 0, 5000), "what the guest sends");
	cr_expect(!lab_udp_out(&lab, 0, 5000), "what is sent to the guest");
}

Test(datapath_apply, clsact_does_what_tcx_does)
{
	struct lab old = lab;
	struct apply_result result;

	old.host.no_tcx = true;
	result = lab_applied(&old, &deny, va0);
	cr_expect(!result.tcx);
	if (lab_has_tcx())
		cr_expect_eq(lab_programs(0, false, NULL), 0);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
	cr_expect(lab_tcp_out(&lab, 0, 443));
	result = lab_applied(&old, &audit, both);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect(lab_udp_out(&lab, 0, 5000));
	result = lab_applied(&old, &deny, va1);
	cr_expect(lab_udp_out(&lab, 0, 5000));
	cr_expect(!lab_udp_out(&lab, 1, 5000));
	lab_detached(&lab);
	cr_expect(lab_udp_out(&lab, 1, 5000));
	cr_expect_eq(
		system("test -z \"$(tc filter show dev va0 ingress; tc filter show dev va1 egress)\""),
		0);
}

Test(datapath_apply, a_device_that_was_made_anew_is_attached_anew)
{
	struct apply_result result;

	lab_applied(&lab, &deny, va0);
	cr_assert_eq(
		system("ip link del va0 && ip link add va0 type veth peer name vc0 && ip link set va0 up"),
		0);
	result = lab_applied(&lab, &deny, va0);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect_eq(lab_programs(0, true, NULL), 1);
}

Test(datapath_apply, what_does_not_exist_is_refused_by_name)
{
	static const char *const missing[] = {"interface nope0", NULL};
	static const char *const pattern[] = {"interface nope*", NULL};
	static const char *const lo[] = {"interface lo", NULL};
	static const char *const cgroup[] = {"cgroup /frd-no-such-thing", NULL};
	static const char *const twice[] = {"interface va0", "guest va*", NULL};
	struct apply_result result;
	char messages[512];

	cr_expect_eq(lab_apply(&lab, &deny, missing, &result, messages), -ENODEV);
	cr_expect(strstr(messages, "nope0"), "%s", messages);
	cr_expect_eq(lab_apply(&lab, &deny, pattern, &result, messages), -ENODEV);
	cr_expect_eq(lab_apply(&lab, &deny, lo, &result, messages), -ENODEV);
	cr_expect_eq(lab_apply(&lab, &deny, cgroup, &result, messages), -ENOENT);
	cr_expect(strstr(messages, "/frd-no-such-thing"), "%s", messages);
	cr_expect_eq(lab_apply(&lab, &deny, twice, &result, messages), -EBUSY);
}
