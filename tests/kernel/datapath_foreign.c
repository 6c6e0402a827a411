/* SPDX-License-Identifier: GPL-2.0-only */
/* Other programs that share a hook or a pin root with us: their effect on us, and ours on them. */
#include "datapath_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include "../../user/observe/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int detach(const char *root, const char *policy, size_t *count)
{
	struct host_options host = {.pin_root = root};
	struct diags d = {.arena = arena_new()};
	int err = datapath_detach(&host, policy, &d, count);

	arena_free(d.arena);
	return err;
}

Test(datapath_foreign, detach_leaves_pins_of_others, .init = need_root)
{
	char dir[96], epoch[112], pin[128];
	struct lab lab;
	size_t count = 9;
	int map;

	lab_begin(&lab);
	snprintf(dir, sizeof(dir), "%s/web", lab.root);
	snprintf(epoch, sizeof(epoch), "%s/e1", dir);
	snprintf(pin, sizeof(pin), "%s/precious", epoch);
	mkdir(lab.root, 0700);
	cr_assert(!mkdir(dir, 0700) && !mkdir(epoch, 0700), "%m");
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "precious", 4, 4, 1, NULL);
	cr_assert_eq(bpf_obj_pin(map, pin), 0, "%m");
	cr_expect_eq(detach(lab.root, NULL, &count), 0);
	cr_expect_eq(count, 0);
	cr_expect_eq(detach(lab.root, "web", &count), -ENOENT);
	cr_expect_eq(access(pin, F_OK), 0, "somebody else's pin is gone");
	unlink(pin);
	rmdir(epoch);
	rmdir(dir);
	close(map);
	lab_end(&lab);
}

Test(datapath_foreign, detach_touches_no_ordinary_directory, .init = need_root)
{
	char root[] = "/tmp/fr-foreign-XXXXXX", inside[64];
	size_t count;

	cr_assert(mkdtemp(root));
	snprintf(inside, sizeof(inside), "%s/aaa", root);
	cr_assert_eq(mkdir(inside, 0700), 0);
	cr_expect_eq(detach(root, NULL, &count), -ENOTSUP);
	cr_expect_eq(access(inside, F_OK), 0, "an ordinary directory is gone");
	rmdir(inside);
	rmdir(root);
}

/* ---------------------------------------------------------------- the front of a device */

static const char *const va0[] = {"interface va0", NULL};
static const struct image_spec deny = {.policy = "one", .enforce = true, .tcp_port = 443};

enum { TAKES = 0, PASSES_ON = -1 };

static int stranger_load(enum bpf_prog_type type, int result)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "stranger", "GPL", code, ARRAY_SIZE(code), NULL);

	cr_assert_geq(fd, 0, "%m");
	return fd;
}

/* Its link to the front of TCX, or a reported skip where the kernel has none. */
static int stranger_first(struct lab *lab, int result)
{
	int link = tcx_link_create(stranger_load(BPF_PROG_TYPE_SCHED_CLS, result),
				   if_nametoindex("va0"), ATTACH_TCX_INGRESS);

	if (link == -EINVAL) {
		lab_end(lab);
		cr_skip_test("this kernel has no TCX: NOT RUN");
	}
	cr_assert_geq(link, 0, "%s", strerror(-link));
	return link;
}

/* A filter of the stranger's on ingress of va0. */
static void stranger_filter(const char *where)
{
	CLEANUP(close_fd) int program = stranger_load(BPF_PROG_TYPE_SCHED_CLS, TAKES);
	char pin[64], command[256];

	snprintf(pin, sizeof(pin), "/sys/fs/bpf/frn-stranger-%d", getpid());
	cr_assert_eq(bpf_obj_pin(program, pin), 0, "%m");
	snprintf(command, sizeof(command),
		 "{ tc qdisc show dev va0 | grep -q clsact || tc qdisc add dev va0 clsact; } && "
		 "tc filter add dev va0 ingress %s bpf da object-pinned %s",
		 where, pin);
	cr_expect_eq(system(command), 0);
	unlink(pin);
}

static struct status_view status(const struct lab *lab, struct arena *arena)
{
	struct diags d = {.arena = arena};
	struct status_view view;

	cr_assert_eq(status_collect(&lab->host, "one", arena, &d, &view), 0);
	return view;
}

/* lesson: a program attached later came first and took the packets; the firewall behind it reported
 * enforcing. */
Test(datapath_foreign, a_program_ahead_is_reported_and_passed_by_apply, .init = need_root)
{
	struct arena *arena = arena_new();
	struct apply_result result;
	struct status_view view;
	struct lab lab;

	lab_begin(&lab);
	lab_applied(&lab, &deny, va0);
	stranger_first(&lab, TAKES);
	cr_expect(lab_udp_in(&lab, 0, 5000), "it takes what ours would refuse");
	view = status(&lab, arena);
	cr_expect(view.hooks[0].preempted_by &&
		  str_starts(view.hooks[0].preempted_by, "program stranger"));
	cr_expect(view.hooks[0].alive && !view.enforcing);
	result = lab_applied(&lab, &deny, va0);
	cr_expect_eq(result.hooks_added, 1);
	cr_expect_eq(result.hooks_removed, 1);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
	cr_expect_eq(lab_programs(0, false, NULL), 2);
	cr_expect(status(&lab, arena).enforcing);
	cr_expect(lab_applied(&lab, &deny, va0).unchanged);
	lab_detached(&lab);
	cr_expect_eq(lab_programs(0, false, NULL), 1, "the other one stays");
	arena_free(arena);
	lab_end(&lab);
}

Test(datapath_foreign, a_program_that_passes_on_is_told_all_the_same, .init = need_root)
{
	struct arena *arena = arena_new();
	struct lab lab;

	lab_begin(&lab);
	lab_applied(&lab, &deny, va0);
	stranger_first(&lab, PASSES_ON);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
	cr_expect(!status(&lab, arena).enforcing, "what it returns tomorrow is not known");
	lab_detached(&lab);
	arena_free(arena);
	lab_end(&lab);
}

static void expect_words(const struct hook_view *hook, size_t at, const char *when, const char *how)
{
	const char *words = at < hook->neighbour_count ? hook->neighbours[at] : "";

	cr_expect(str_starts(words, when) && strstr(words, how), "%zu: '%s'", at, words);
}

Test(datapath_foreign, filters_around_ours_are_told_in_order, .init = need_root)
{
	struct arena *arena = arena_new();
	struct apply_result result;
	struct status_view view;
	struct lab lab;
	char messages[512];

	lab_begin(&lab);
	lab.host.no_tcx = true;
	/* of one protocol: nothing else can have this priority */
	stranger_filter("prio 1 protocol arp");
	cr_expect_eq(lab_apply(&lab, &deny, va0, &result, messages), 0, "%s", messages);
	cr_expect(strstr(messages, "runs before the policy at va0"), "%s", messages);
	stranger_filter("prio 2 protocol all");
	stranger_filter("prio 9 protocol ip");
	cr_expect_eq(system("tc filter add dev va0 ingress prio 9 protocol ip chain 5 u32 match "
			    "u32 0 0 flowid 1:1; tc filter add dev va0 ingress prio 10 protocol ip "
			    "u32 match u32 0 0 flowid 1:1"),
		     0);
	view = status(&lab, arena);
	cr_expect_eq(view.hooks[0].neighbour_count, 4);
	expect_words(&view.hooks[0], 0, "before: program stranger", "filter bpf of priority 1");
	expect_words(&view.hooks[0], 1, "before: program stranger", "filter bpf of priority 2");
	expect_words(&view.hooks[0], 2, "after: program stranger", "filter bpf of priority 9");
	expect_words(&view.hooks[0], 3, "after: filter u32", "of priority 10");
	cr_expect(view.hooks[0].preempted_by && !view.enforcing);
	cr_expect_eq(view.hooks[1].neighbour_count, 0);
	cr_expect_null(view.hooks[1].preempted_by);
	lab_detached(&lab);
	arena_free(arena);
	lab_end(&lab);
}

Test(datapath_foreign, of_one_priority_the_next_apply_is_first_again, .init = need_root)
{
	struct arena *arena = arena_new();
	struct lab lab;

	lab_begin(&lab);
	lab.host.no_tcx = true;
	lab_applied(&lab, &deny, va0);
	stranger_filter("prio 1 protocol all");
	cr_expect(lab_udp_in(&lab, 0, 5000), "it takes what ours would refuse");
	cr_expect(!status(&lab, arena).enforcing);
	cr_expect(!lab_applied(&lab, &deny, va0).unchanged);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
	cr_expect(status(&lab, arena).enforcing);
	lab_detached(&lab);
	cr_expect_eq(system("tc filter show dev va0 ingress | grep -c ' handle ' | grep -qx 1"), 0,
		     "the stranger's filter stays, and nothing of ours");
	arena_free(arena);
	lab_end(&lab);
}

Test(datapath_foreign, filters_run_after_our_links, .init = need_root)
{
	struct arena *arena = arena_new();
	struct status_view view;
	struct lab lab;

	lab_begin(&lab);
	stranger_filter("prio 1 protocol all");
	if (!lab_applied(&lab, &deny, va0).tcx) {
		lab_detached(&lab);
		lab_end(&lab);
		cr_skip_test("this kernel has no TCX: NOT RUN");
	}
	view = status(&lab, arena);
	expect_words(&view.hooks[0], 0, "after: program stranger", "filter bpf of priority 1");
	cr_expect(view.enforcing);
	cr_expect(!lab_udp_in(&lab, 0, 5000));
	lab_detached(&lab);
	arena_free(arena);
	lab_end(&lab);
}

/* ---------------------------------------------------------------- links that come later */

Test(datapath_foreign, who_owns_a_socket_is_asked_once_nobody_is_in_the_way, .init = need_root)
{
	CLEANUP(close_fd) int program = stranger_load(BPF_PROG_TYPE_CGROUP_SOCK, 1);
	CLEANUP(close_fd) int cgroup = -1;
	char point[64], pin[128];
	const char *points[] = {point, NULL};
	struct lab lab;

	lab_begin(&lab);
	lab_cgroup(&lab);
	snprintf(point, sizeof(point), "cgroup %s", strrchr(lab.cgroup, '/'));
	snprintf(pin, sizeof(pin), "%s/one/link-1-sock_create", lab.root);
	cgroup = open(lab.cgroup, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(bpf_prog_attach(program, cgroup, BPF_CGROUP_INET_SOCK_CREATE, 0), 0, "%m");
	lab_applied(&lab, &deny, points);
	cr_expect_neq(access(pin, F_OK), 0, "somebody has that hook for itself");
	cr_expect_eq(bpf_prog_detach2(program, cgroup, BPF_CGROUP_INET_SOCK_CREATE), 0, "%m");
	cr_expect(lab_applied(&lab, &deny, points).unchanged);
	cr_expect_eq(access(pin, F_OK), 0, "and is gone now");
	lab_detached(&lab);
	lab_end(&lab);
}
