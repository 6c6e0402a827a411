/* SPDX-License-Identifier: GPL-2.0-only */
/* A reader's view of a running policy, against packets that were really sent. */
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
#include <sys/wait.h>
#include <unistd.h>

static const char *const va0[] = {"interface va0", NULL};
static const char *const guest[] = {"guest va0", NULL};
static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};
static const struct image_spec audit = {.policy = "one", .tcp_port = 443};

static struct diags d;

LAB_SUITE(observe_views, d.arena = arena_new());

static struct status_view status(void)
{
	struct status_view view;
	int err = status_collect(&lab.host, "one", d.arena, &d, &view);

	cr_assert_eq(err, 0, "%s", d.count ? d.list[0].message : error_text(err));
	return view;
}

static struct instance opened(void)
{
	struct instance instance;

	cr_assert_eq(instance_open(&lab.host, "one", &d, &instance), 0);
	return instance;
}

Test(observe_views, status_tells_mode_hooks_and_verdicts)
{
	const struct fr_reason_counters *reason;
	struct status_view view;

	lab_applied(&lab, &audit, va0);
	view = status();
	cr_expect(!view.enforce && !view.enforcing);
	lab_applied(&lab, &deny, va0);
	lab_udp_out(&lab, 0, 5000);
	view = status();
	cr_expect(view.enforce && view.enforcing);
	cr_expect_eq(view.generation, 2);
	cr_expect_eq(view.rules, 2);
	cr_expect_str_eq(view.policy, "one");
	cr_expect_str_eq(view.source, "test.yaml");
	cr_expect_eq(strlen(view.digest), 64);
	cr_assert_eq(view.hook_count, 3);
	cr_expect_str_eq(view.hooks[0].hook, lab_has_tcx() ? "tcx/ingress" : "clsact/ingress");
	cr_expect_str_eq(view.hooks[0].name, "va0");
	cr_expect(view.hooks[0].alive && view.hooks[1].alive, "%s", view.hooks[0].fault);
	cr_expect_str_eq(view.hooks[2].hook, "sk_lookup");
	cr_expect_str_eq(view.hooks[2].name, "local sockets");
	cr_expect(view.hooks[2].alive, "%s", view.hooks[2].fault);
	reason = &view.reasons[FR_KIND_INTERFACE][FR_EGRESS][FR_REASON_DEFAULT];
	cr_expect_eq(reason->packets[FR_DROP], 1);
	cr_expect_eq(view.map_count, 2);
	cr_expect_eq(view.maps[1].entries, 1, "one refused tuple");
}

static const char *fault_of(bool tcx)
{
	return tcx ? "nothing is attached: the interface is gone, or the link was detached"
		   : "its filter is gone";
}

static void link_cut(const char *pin)
{
	char path[160];
	int link;

	snprintf(path, sizeof(path), "%s/%s", lab.root, pin);
	link = bpf_obj_get(path);
	cr_assert_geq(link, 0, "%s: %m", path);
	cr_assert_eq(bpf_link_detach(link), 0, "%m");
	close(link);
}

static void filter_cut(const char *direction)
{
	char command[64];

	snprintf(command, sizeof(command), "tc filter del dev va0 %s", direction);
	cr_assert_eq(system(command), 0);
}

Test(observe_views, a_hook_whose_link_was_cut_is_not_enforcing)
{
	bool tcx = lab_has_tcx();
	struct status_view view;

	lab_applied(&lab, &deny, va0);
	tcx ? link_cut("one/link-1-egress") : filter_cut("egress");
	view = status();
	cr_expect(view.enforce && !view.enforcing);
	cr_expect(view.hooks[0].alive);
	cr_expect(!view.hooks[1].alive);
	cr_expect_str_eq(view.hooks[1].fault, fault_of(tcx));
	cr_expect_eq(lab_applied(&lab, &deny, va0).hooks_added, 1, "apply heals");
	cr_expect(status().enforcing);
	cr_expect(!lab_udp_out(&lab, 0, 5000));
}

Test(observe_views, a_hook_whose_device_went_is_told)
{
	bool tcx = lab_has_tcx();
	struct status_view view;

	lab_applied(&lab, &deny, va0);
	cr_assert_eq(system("ip link del va0"), 0);
	view = status();
	cr_expect(!view.enforcing);
	cr_expect_str_eq(view.hooks[0].fault, fault_of(tcx));
}

/* A foreign program on TCX of va0 that returns "not mine". */
static int stranger_link(uint32_t attach_type)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "stranger", "GPL", pass,
				    ARRAY_SIZE(pass), NULL);

	return tcx_link_create(program, if_nametoindex("va0"), attach_type);
}

Test(observe_views, neighbours_are_told_in_order)
{
	struct status_view view;

	if (stranger_link(ATTACH_TCX_INGRESS) == -EINVAL)
		cr_skip_test("this kernel has no TCX: NOT RUN");
	lab_applied(&lab, &deny, va0);
	cr_expect_geq(stranger_link(ATTACH_TCX_INGRESS), 0);
	view = status();
	cr_assert_eq(view.hooks[0].neighbour_count, 2);
	cr_expect(str_starts(view.hooks[0].neighbours[0], "before: program stranger"), "%s",
		  view.hooks[0].neighbours[0]);
	cr_expect(str_starts(view.hooks[0].neighbours[1], "after: program stranger"), "%s",
		  view.hooks[0].neighbours[1]);
	cr_expect(str_starts(view.hooks[0].preempted_by, "program stranger"));
	cr_expect_null(view.hooks[1].preempted_by);
	cr_expect(!view.enforcing, "nobody knows what the first one takes");
}

Test(observe_views, rules_tell_their_row_and_what_they_counted)
{
	struct instance instance;
	struct rule_view *rules, *port = NULL, *builtin = NULL;
	size_t count;

	lab_applied(&lab, &deny, va0);
	lab_tcp_out(&lab, 0, 443);
	instance = opened();
	cr_assert_eq(rules_collect(&instance, d.arena, &d, &rules, &count), 0);
	cr_expect_eq(count, FR_RULE_FIRST + 2);
	for (size_t i = 0; i < count; i++) {
		if (str_equal(rules[i].id, "port") && str_equal(rules[i].dir, "egress"))
			port = &rules[i];
		if (str_equal(rules[i].action, "builtin"))
			builtin = &rules[i];
	}
	cr_assert(port && builtin);
	cr_expect_str_eq(port->table, "vendor-table");
	cr_expect_eq(port->line, 17);
	cr_expect_eq(port->totals.connections, 1);
	cr_expect_geq(port->totals.packets, 3);
	cr_expect_gt(port->last, port->since);
	cr_expect_lt(port->last, port->since + 60000000000u);
	cr_expect_eq(datapath_zero(&lab.host, "one", NULL, 0, &d), 0);
	cr_assert_eq(rules_collect(&instance, d.arena, &d, &rules, &count), 0);
	for (size_t i = 0; i < count; i++)
		cr_expect(!rules[i].totals.packets && !rules[i].last, "%s", rules[i].id);
	instance_close(&instance);
}

struct seen {
	struct flow_view flow;
	struct drop_view drop;
	unsigned count;
};

static int see_flow(const struct flow_view *view, void *context)
{
	struct seen *seen = context;

	if (view->key.proto == PROTO_TCP) {
		seen->flow = *view;
		seen->count++;
	}
	return 0;
}

static int see_drop(const struct drop_view *view, void *context)
{
	struct seen *seen = context;

	seen->drop = *view;
	seen->count++;
	return 0;
}

Test(observe_views, flows_tell_who_opened_by_which_row)
{
	struct instance instance;
	struct seen seen = {0};

	lab_applied(&lab, &deny, va0);
	cr_assert(lab_tcp_out(&lab, 0, 443));
	instance = opened();
	cr_assert_eq(flows_each(&instance, &d, see_flow, &seen), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_str_eq(seen.flow.kind, "interface");
	cr_expect_eq(seen.flow.key.peer_port, 443);
	cr_expect_eq(seen.flow.flow.opener, FR_EGRESS);
	cr_expect_str_eq(seen.flow.verdict, "pass");
	cr_expect_gt(seen.flow.flow.packets[FR_INGRESS], 0);
	instance_close(&instance);
}

Test(observe_views, drops_of_a_guest_tell_its_device)
{
	struct instance instance;
	struct seen seen = {0};

	lab_applied(&lab, &deny, guest);
	cr_assert(!lab_udp_out(&lab, 0, 5000));
	instance = opened();
	cr_assert_eq(drops_each(&instance, &d, see_drop, &seen), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_str_eq(seen.drop.kind, "guest");
	cr_expect_str_eq(seen.drop.scope, "va0");
	cr_expect_str_eq(seen.drop.verdict, "drop");
	cr_expect_str_eq(seen.drop.reason, "default");
	cr_expect_eq(seen.drop.drop.dir, FR_INGRESS);
	instance_close(&instance);
}

Test(observe_views, drops_begin_anew_after_zero)
{
	struct instance instance;
	struct seen seen = {0};

	lab_applied(&lab, &deny, guest);
	for (int i = 0; i < 3; i++)
		cr_assert(!lab_udp_out(&lab, 0, 5000));
	instance = opened();
	cr_assert_eq(drops_each(&instance, &d, see_drop, &seen), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_eq(seen.drop.drop.packets, 3);
	cr_assert_eq(datapath_zero(&lab.host, "one", NULL, 0, &d), 0);
	cr_assert_eq(drops_each(&instance, &d, see_drop, &seen), 0);
	cr_assert_eq(seen.count, 1, "none since");
	cr_assert(!lab_udp_out(&lab, 0, 5000));
	cr_assert_eq(drops_each(&instance, &d, see_drop, &seen), 0);
	cr_assert_eq(seen.count, 2);
	cr_expect_eq(seen.drop.drop.packets, 1);
	cr_expect_geq(seen.drop.drop.last, seen.drop.drop.first);
	instance_close(&instance);
}

Test(observe_views, events_come_one_by_one_to_one_reader)
{
	struct instance instance;
	struct monitor *monitor, *second;
	struct event_view event;

	lab_applied(&lab, &deny, va0);
	instance = opened();
	cr_assert_eq(monitor_open(&instance, true, &d, &monitor), 0);
	cr_expect_eq(monitor_open(&instance, true, &d, &second), -EBUSY);
	cr_expect_eq(monitor_next(monitor, 50, &event), 0, "nothing yet");
	lab_udp_out(&lab, 0, 5000);
	lab_tcp_out(&lab, 0, 443);
	cr_assert_eq(monitor_next(monitor, 1000, &event), 1);
	cr_expect_eq(event.event.type, FR_EVENT_REFUSED);
	cr_expect_str_eq(event.verdict, "drop");
	cr_expect_str_eq(event.rule, "default-egress");
	cr_expect_str_eq(event.ifname, "va0");
	cr_expect_eq(event.event.key.peer_port, 5000);
	cr_assert_eq(monitor_next(monitor, 1000, &event), 1);
	cr_expect_eq(event.event.type, FR_EVENT_OPENED);
	cr_expect_str_eq(event.rule, "port");
	cr_expect_eq(event.line, 17);
	cr_expect_eq(monitor_lost(monitor), 0);
	monitor_close(monitor);
	cr_expect_eq(monitor_open(&instance, false, &d, &monitor), 0, "the next reader may");
	monitor_close(monitor);
	instance_close(&instance);
}

Test(observe_views, what_is_not_applied_is_said_so)
{
	struct status_view view;

	cr_expect_eq(status_collect(&lab.host, "nobody", d.arena, &d, &view), -ENOENT);
	cr_assert_eq(d.count, 1);
	cr_expect(strstr(d.list[0].message, "no policy nobody is applied"), "%s",
		  d.list[0].message);
}
